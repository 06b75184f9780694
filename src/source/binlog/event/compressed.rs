//! MariaDB's compressed block, as in QUERY_COMPRESSED and the compressed rows events.
//!
//! One byte: 0x80, the algorithm in bits 4 to 6 (0 is zlib), the number of length bytes in the low three bits;
//! then the length of the original, most significant byte first; then a zlib stream.
//! Source: MariaDB `log_event.cc`, `binlog_buf_compress`.
//!
//! Promise: memory grows with what really comes out, never with what the length claims.

use std::io::Read;

use super::error::EventError;
use super::reader::Reader;

/// No event may be larger: `max_allowed_packet` ends at 1 GiB, and a rows event can carry two images of a row.
pub const EVENT_LIMIT: u64 = 4 << 30;

/// Appends the decompressed bytes to `out`.
///
/// Errors: [`EventError::Decompress`] when the stream is damaged or its length is not the one claimed.
pub fn decompress(block: &[u8], what: &'static str, out: &mut Vec<u8>) -> Result<(), EventError> {
    let mut reader = Reader::new(block, what);
    let head = reader.u8()?;
    if head & 0x80 == 0 || head & 0x70 != 0 {
        return Err(EventError::Decompress { what, reason: "an algorithm other than zlib" });
    }
    let length_bytes = usize::from(head & 0x07);
    if !(1..=4).contains(&length_bytes) {
        return Err(EventError::Decompress { what, reason: "a length of none or more than four bytes" });
    }
    let length = reader.take(length_bytes)?.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    inflate(flate2::read::ZlibDecoder::new(reader.rest()), length, what, out)
}

/// Appends exactly `length` bytes that `stream` gives, and makes sure that it then ends.
pub(super) fn inflate(
    mut stream: impl Read,
    length: u64,
    what: &'static str,
    out: &mut Vec<u8>,
) -> Result<(), EventError> {
    if length > EVENT_LIMIT {
        return Err(EventError::Limit { what, size: length, limit: EVENT_LIMIT });
    }
    let damaged = |_| EventError::Decompress { what, reason: "the compressed stream is damaged" };
    let copied = (&mut stream).take(length).read_to_end(out).map_err(damaged)?;
    if copied as u64 != length {
        return Err(EventError::Decompress { what, reason: "less comes out than its length says" });
    }
    let mut beyond = [0; 1];
    if stream.read(&mut beyond).map_err(damaged)? != 0 {
        return Err(EventError::Decompress { what, reason: "more comes out than its length says" });
    }
    Ok(())
}
