//! The compressed protocol: packets in a second framing whose payload may be compressed.
//!
//! In: stream bytes. Out: the plain packet bytes inside. Promised: a frame never unpacks to more than it
//! announces, and it cannot announce more than 16 MiB. Sequence numbers of this framing are its own.
//!
//! ```text
//! 3 bytes length | 1 byte sequence | 3 bytes length unpacked (0: not compressed) | payload
//! ```

use std::io::{Read, Write};

use super::WireError;
use super::read::Reader;

/// Bytes of a frame's header.
pub const HEADER_BYTES: usize = 7;
/// Shorter payloads are sent as they are (libmysql's MIN_COMPRESS_LENGTH).
const MIN_COMPRESS_BYTES: usize = 50;
/// The largest plain part in one frame.
const FRAME_BYTES: usize = 0xff_ffff;

/// How the payload of frames is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 1950.
    Zlib,
    /// RFC 8878.
    Zstd,
}

/// The level announced in the handshake; servers accept 1 to 22 and default to 3.
pub const ZSTD_LEVEL: u8 = 3;

/// Unpacks the frames that lie whole in `bytes`, appends what was inside to `plain`, and returns how many
/// bytes were used. `sequence` is asserted and moved on.
pub fn unpack(algorithm: Algorithm, bytes: &[u8], sequence: &mut u8, plain: &mut Vec<u8>) -> Result<usize, WireError> {
    let mut reader = Reader::new("compressed packet", bytes);
    let mut used = 0;
    while reader.rest().len() >= HEADER_BYTES {
        let length = reader.u24("length")? as usize;
        let found = reader.u8("sequence")?;
        let unpacked = reader.u24("length unpacked")? as usize;
        if reader.rest().len() < length {
            break;
        }
        if found != *sequence {
            return Err(WireError::OutOfSequence { expected: *sequence, found });
        }
        *sequence = sequence.wrapping_add(1);
        let payload = reader.take(length, "payload")?;
        unpack_frame(algorithm, payload, unpacked, plain)?;
        used += HEADER_BYTES + length;
    }
    Ok(used)
}

fn unpack_frame(algorithm: Algorithm, payload: &[u8], unpacked: usize, plain: &mut Vec<u8>) -> Result<(), WireError> {
    if unpacked == 0 {
        plain.extend_from_slice(payload);
        return Ok(());
    }
    let before = plain.len();
    let failed = |error: std::io::Error| WireError::Compression(error.to_string());
    // One byte more than announced shows a frame that holds too much.
    let limit = unpacked as u64 + 1;
    let read = match algorithm {
        Algorithm::Zlib => flate2::read::ZlibDecoder::new(payload).take(limit).read_to_end(plain),
        Algorithm::Zstd => {
            zstd::stream::read::Decoder::with_buffer(payload).and_then(|decoder| decoder.take(limit).read_to_end(plain))
        }
    };
    read.map_err(failed)?;
    let found = plain.len() - before;
    if found != unpacked {
        return Err(WireError::Compression(format!("a frame of {unpacked} bytes unpacked to {found}")));
    }
    Ok(())
}

/// Packs plain packet bytes into frames.
pub fn pack(algorithm: Algorithm, plain: &[u8], sequence: &mut u8, out: &mut Vec<u8>) -> Result<(), WireError> {
    let failed = |error: std::io::Error| WireError::Compression(error.to_string());
    for part in plain.chunks(FRAME_BYTES) {
        let packed = if part.len() < MIN_COMPRESS_BYTES {
            None
        } else {
            Some(match algorithm {
                Algorithm::Zlib => {
                    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                    encoder.write_all(part).and_then(|()| encoder.finish()).map_err(failed)?
                }
                Algorithm::Zstd => zstd::stream::encode_all(part, i32::from(ZSTD_LEVEL)).map_err(failed)?,
            })
        };
        // What does not shrink is sent as it is: a packed length over 16 MiB could not be announced.
        let (payload, unpacked) = match &packed {
            Some(packed) if packed.len() < part.len() => (packed.as_slice(), part.len()),
            Some(_) | None => (part, 0),
        };
        let [a, b, c, _] = (payload.len() as u32).to_le_bytes();
        let [d, e, f, _] = (unpacked as u32).to_le_bytes();
        out.extend_from_slice(&[a, b, c, *sequence, d, e, f]);
        out.extend_from_slice(payload);
        *sequence = sequence.wrapping_add(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn check(algorithm: Algorithm, plain: &[u8]) {
        let (mut out, mut sequence) = (Vec::new(), 3);
        pack(algorithm, plain, &mut sequence, &mut out).unwrap();
        let (mut back, mut expected) = (Vec::new(), 3);
        assert_eq!(unpack(algorithm, &out, &mut expected, &mut back).unwrap(), out.len());
        assert_eq!((back.as_slice(), expected), (plain, sequence));
        // A frame that has not arrived whole is left alone.
        let mut back = Vec::new();
        let used = unpack(algorithm, &out[..out.len() - 1], &mut 3, &mut back).unwrap();
        assert!(used < out.len());
    }

    #[test]
    fn what_is_packed_unpacks() {
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
            check(algorithm, b"short");
            check(algorithm, &[b'a'; 10_000]);
            check(algorithm, &vec![b'b'; FRAME_BYTES + 77]);
        }
    }

    #[test]
    fn a_frame_that_lies_about_its_length_is_an_error() {
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
            let mut out = Vec::new();
            pack(algorithm, &[b'a'; 10_000], &mut 0, &mut out).unwrap();
            for announced in [9_999_u32, 10_001, 1] {
                out[4..7].copy_from_slice(&announced.to_le_bytes()[..3]);
                assert!(unpack(algorithm, &out, &mut 0, &mut Vec::new()).is_err());
            }
        }
    }
}
