//! TABLE_MAP: gives a table a number for the rows events that follow, and the wire types of its columns.
//!
//! Read for every statement, so nothing is copied: the optional metadata is looked through only when a table is
//! new (`table_metadata`). Source: MySQL `rows_event.h`, `Table_map_event`.

use super::error::EventError;
use super::format_description::Flavor;
use super::reader::{Reader, bitmap_length};
use super::table_metadata::TableMetadata;

/// Columns a table can have: MySQL's and MariaDB's limit is 4,096.
pub const COLUMN_LIMIT: usize = 4096;

/// Before MySQL 5.1.4 the post-header had six bytes and the table's number four.
const OLD_POST_HEADER_LENGTH: usize = 6;

/// A table as the rows events after it are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableMap<'a> {
    /// Who wrote it: the two count columns differently in the optional metadata.
    pub flavor: Flavor,
    /// The number; good until the next file, and until the same number is given again.
    pub table_id: u64,
    /// `TM_*_F`: 1 bit length exact, 2 referred to by foreign keys, 4 has a generated invisible primary key.
    pub flags: u16,
    /// The database's name, UTF-8.
    pub schema: &'a [u8],
    /// The table's name, UTF-8.
    pub table: &'a [u8],
    /// A type byte for each column (`MYSQL_TYPE_*`).
    pub column_types: &'a [u8],
    /// What the types need to be read: lengths, precisions, packed one after the other.
    pub column_metadata: &'a [u8],
    /// One bit a column, set when it can be null.
    pub nullable: &'a [u8],
    /// The optional metadata, undecoded; see [`TableMap::metadata`].
    pub optional_metadata: &'a [u8],
}

impl<'a> TableMap<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8], flavor: Flavor, post_header_length: usize) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "table map event");
        let table_id = table_id(&mut reader, post_header_length)?;
        let flags = reader.u16()?;
        let schema = reader.name()?;
        let table = reader.name()?;
        let columns = reader.packed_length()?;
        if columns > COLUMN_LIMIT {
            return Err(reader.invalid("more than 4,096 columns"));
        }
        let column_types = reader.take(columns)?;
        let column_metadata = reader.packed_bytes()?;
        let nullable = reader.take(bitmap_length(columns))?;
        let optional_metadata = reader.rest();
        Ok(TableMap {
            flavor,
            table_id,
            flags,
            schema,
            table,
            column_types,
            column_metadata,
            nullable,
            optional_metadata,
        })
    }

    /// The number in a body, which may be that of a table map or not.
    #[inline]
    pub fn table_id_of(body: &[u8], post_header_length: usize) -> Option<u64> {
        table_id(&mut Reader::new(body, "table map event"), post_header_length).ok()
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.column_types.len()
    }

    /// Finds the fields of the optional metadata; their contents are read by the iterators of [`TableMetadata`].
    pub fn metadata(&self) -> Result<TableMetadata<'a>, EventError> {
        TableMetadata::parse(self.flavor, self.column_types, self.column_metadata, self.optional_metadata)
    }
}

/// Reads the number of a table at the start of a table map or rows event.
#[inline]
pub(super) fn table_id(reader: &mut Reader<'_>, post_header_length: usize) -> Result<u64, EventError> {
    reader.uint(if post_header_length == OLD_POST_HEADER_LENGTH { 4 } else { 6 })
}
