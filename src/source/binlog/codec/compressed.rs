//! MariaDB's `COLUMN … COMPRESSED`: the bytes of a cell, inflated into the arena.
//!
//! An empty value has no bytes. Otherwise one byte: the method in the high four bits (0 stored, 8 zlib), bit 3
//! set when the stream has no zlib header, the number of length bytes in the low three bits; then the original's
//! length, most significant byte first; then the stream. Source: MariaDB `sql/field_comp.cc`.

use flate2::{Decompress, FlushDecompress, Status};

use super::plan::Decode;
use crate::model::value::{Arena, ValueError, ValueRef};

/// Deflate makes at most 1,032 bytes of one; a stated length beyond that is a lie, and is not allocated for.
const MAX_RATIO: u64 = 1_032;

const STORED: u8 = 0;
const ZLIB: u8 = 8;

/// A decoder behind decompression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compressed<D>(pub D);

impl<D: Decode> Decode for Compressed<D> {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        self.0.decode(decompress(cell, arena)?, arena)
    }
}

fn invalid(reason: &'static str) -> ValueError {
    ValueError::Invalid { column_type: "COMPRESSED", reason }
}

fn decompress<'a>(cell: &'a [u8], arena: &'a Arena) -> Result<&'a [u8], ValueError> {
    let Some((head, rest)) = cell.split_first() else { return Ok(cell) };
    match head >> 4 {
        STORED => Ok(rest),
        ZLIB => {
            let (length, stream) = rest.split_at_checked(usize::from(head & 7)).ok_or(invalid("no length"))?;
            let length = length.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            if length > (stream.len() as u64).saturating_mul(MAX_RATIO) {
                return Err(invalid("a length that no stream of these bytes can have"));
            }
            let length = usize::try_from(length).map_err(|_| invalid("a length beyond this machine's"))?;
            let out = arena.alloc_slice_fill_copy(length, 0_u8);
            let mut inflate = Decompress::new(head & 8 == 0);
            let status = inflate.decompress(stream, out, FlushDecompress::Finish);
            let whole = inflate.total_out() == length as u64;
            match status {
                Ok(Status::StreamEnd) if whole => Ok(out),
                Ok(Status::StreamEnd | Status::Ok | Status::BufError) => Err(invalid("the stream has another length")),
                Err(_) => Err(invalid("a damaged zlib stream")),
            }
        }
        _ => Err(invalid("a method that is neither stored nor zlib")),
    }
}
