//! MariaDB's `COLUMN … COMPRESSED`: values of wire types 140 (BLOB, TEXT) and 141 (VARCHAR, VARBINARY).
//!
//! An empty value has no bytes. Otherwise one byte: the method in the high four bits (0 stored, 8 zlib), bit 3
//! set when the stream has no zlib header, the number of length bytes in the low three bits; then the original's
//! length, most significant byte first; then the stream. Source: MariaDB `sql/field_comp.cc`.

use std::borrow::Cow;

use super::compressed::inflate;
use super::error::EventError;
use super::reader::Reader;

const WHAT: &str = "compressed column";

/// Gives the value of a cell whose column is compressed; borrowed when it was stored as it is.
///
/// Errors: [`EventError::Decompress`].
pub fn decompress_column(cell: &[u8]) -> Result<Cow<'_, [u8]>, EventError> {
    if cell.is_empty() {
        return Ok(Cow::Borrowed(cell));
    }
    let mut reader = Reader::new(cell, WHAT);
    let head = reader.u8()?;
    match head >> 4 {
        0 => Ok(Cow::Borrowed(reader.rest())),
        8 => {
            let length_bytes = usize::from(head & 0x07);
            let length = reader.take(length_bytes)?.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            let mut out = Vec::new();
            if head & 0x08 != 0 {
                inflate(flate2::read::DeflateDecoder::new(reader.rest()), length, WHAT, &mut out)?;
            } else {
                inflate(flate2::read::ZlibDecoder::new(reader.rest()), length, WHAT, &mut out)?;
            }
            Ok(Cow::Owned(out))
        }
        _ => Err(EventError::Decompress { what: WHAT, reason: "a method that is neither stored nor zlib" }),
    }
}
