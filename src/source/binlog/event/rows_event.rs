//! WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS (v1 and v2), PARTIAL_UPDATE_ROWS, and MariaDB's compressed ones: which
//! table, which columns, and where the rows begin.
//!
//! The rows themselves are not touched here; `rows` walks them. Source: MySQL `rows_event.h`, `Rows_event`.

use super::compressed;
use super::error::EventError;
use super::reader::{Reader, bitmap_length};
use super::table_map::{COLUMN_LIMIT, table_id};

const WHAT: &str = "rows event";

/// `STMT_END_F`: the last rows event of its statement.
pub const FLAG_STATEMENT_END: u16 = 1;

/// What was done to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsKind {
    /// Inserted: an after image a row.
    Write,
    /// Updated: a before image and an after image a row.
    Update,
    /// Updated, with JSON columns as differences where that is shorter.
    PartialUpdate,
    /// Deleted: a before image a row.
    Delete,
}

/// The head of a rows event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows<'a> {
    /// What was done.
    pub kind: RowsKind,
    /// The number that a table map gave.
    pub table_id: u64,
    /// `*_F` flags.
    pub flags: u16,
    /// Extra row information of v2 events (NDB, partition numbers), undecoded.
    pub extra: &'a [u8],
    /// Number of columns; that of the table map.
    pub columns: usize,
    /// One bit a column, set when the before image has it; empty for [`RowsKind::Write`].
    pub before_columns: &'a [u8],
    /// One bit a column, set when the after image has it; empty for [`RowsKind::Delete`].
    pub after_columns: &'a [u8],
    body: &'a [u8],
    compressed: bool,
}

impl<'a> Rows<'a> {
    /// Reads the body of a rows event up to the first row.
    pub fn parse(
        body: &'a [u8],
        kind: RowsKind,
        version: u8,
        post_header_length: usize,
        compressed: bool,
    ) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, WHAT);
        let table_id = table_id(&mut reader, post_header_length)?;
        let flags = reader.u16()?;
        let extra = if version == 2 { extra(&mut reader)? } else { &[] };
        let columns = reader.packed_length()?;
        if columns > COLUMN_LIMIT {
            return Err(reader.invalid("more than 4,096 columns"));
        }
        let first = reader.take(bitmap_length(columns))?;
        let (before_columns, after_columns) = match kind {
            RowsKind::Write => (&[][..], first),
            RowsKind::Update | RowsKind::PartialUpdate => (first, reader.take(bitmap_length(columns))?),
            RowsKind::Delete => (first, &[][..]),
        };
        let body = reader.rest();
        Ok(Rows { kind, table_id, flags, extra, columns, before_columns, after_columns, body, compressed })
    }

    /// Whether this is the last rows event of its statement.
    pub fn is_statement_end(&self) -> bool {
        self.flags & FLAG_STATEMENT_END != 0
    }

    /// The rows as they stand in the event, or `None` when they are compressed.
    pub fn plain_body(&self) -> Option<&'a [u8]> {
        (!self.compressed).then_some(self.body)
    }

    /// The rows. `scratch` is overwritten and lent out when they were compressed.
    ///
    /// Errors: those of [`compressed::decompress`].
    pub fn body<'b>(&self, scratch: &'b mut Vec<u8>) -> Result<&'b [u8], EventError>
    where
        'a: 'b,
    {
        if self.compressed {
            scratch.clear();
            self.append_body(scratch)?;
            Ok(scratch)
        } else {
            Ok(self.body)
        }
    }

    /// Appends the rows to `out`, decompressed.
    pub fn append_body(&self, out: &mut Vec<u8>) -> Result<(), EventError> {
        if self.compressed {
            compressed::decompress(self.body, WHAT, out)
        } else {
            out.extend_from_slice(self.body);
            Ok(())
        }
    }
}

/// Two bytes of length, which count themselves.
fn extra<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], EventError> {
    let length = usize::from(reader.u16()?);
    match length.checked_sub(2) {
        Some(length) => reader.take(length),
        None => Err(reader.invalid("extra row information of less than two bytes")),
    }
}
