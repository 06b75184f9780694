//! MariaDB's PARTIAL_ROW_DATA: a piece of a rows event that was too large for a packet (12.3, MDEV-32570).
//!
//! The pieces come in order; together they are the whole rows event, header included.
//! Source: MariaDB, "PARTIAL_ROW_DATA_EVENT".

use super::compressed::EVENT_LIMIT;
use super::error::EventError;
use super::reader::Reader;

const WHAT: &str = "partial row data event";
const FLAG_ORIGINAL_SIZE: u8 = 1;

/// One piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialRowData<'a> {
    /// Number of pieces.
    pub pieces: u32,
    /// Which one this is, from 1.
    pub number: u32,
    /// Bytes of the whole; only with the first piece.
    pub original_size: Option<u64>,
    /// The bytes.
    pub data: &'a [u8],
}

impl<'a> PartialRowData<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, WHAT);
        let (pieces, number, flags) = (reader.u32()?, reader.u32()?, reader.u8()?);
        if number == 0 || number > pieces {
            return Err(reader.invalid("a piece whose number is not between 1 and their count"));
        }
        let original_size = if flags & FLAG_ORIGINAL_SIZE != 0 { Some(reader.u64()?) } else { None };
        Ok(PartialRowData { pieces, number, original_size, data: reader.rest() })
    }

    /// Appends this piece to `whole`, which begins empty; true when it was the last one and `whole` is the
    /// rows event. `pieces_before` is how many were appended.
    ///
    /// Errors: a piece out of order, or a whole beyond four gigabytes.
    pub fn append_to(&self, whole: &mut Vec<u8>, pieces_before: u32) -> Result<bool, EventError> {
        if self.number != pieces_before.saturating_add(1) {
            return Err(EventError::Invalid { what: WHAT, reason: "a piece out of order" });
        }
        let size = whole.len() as u64 + self.data.len() as u64;
        if size > EVENT_LIMIT {
            return Err(EventError::Limit { what: WHAT, size, limit: EVENT_LIMIT });
        }
        whole.extend_from_slice(self.data);
        Ok(self.number == self.pieces)
    }
}
