//! The lazily decoded row.
//!
//! A row is three things: the bytes it came in, a [`Cell`] for each column of the wire, and the
//! [`TableLayout`] that says how a cell becomes a value. Nothing is decoded until a field is asked for, and
//! then it is borrowed, so that a serializer writes from the server's bytes straight into its output.

use std::fmt;
use std::sync::Arc;

use super::schema::Schema;
use super::table::TableId;
use super::value::{Arena, StructView, ValueError, ValueRef};

/// Where one column's bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// From the start of the row's bytes.
    pub offset: u32,
    /// In bytes.
    pub length: u32,
}

impl Cell {
    /// The column is null.
    pub const NULL: Cell = Cell { offset: u32::MAX, length: 0 };
    /// The column is not in the row image (`binlog_row_image` MINIMAL or NOBLOB, unchanged TOAST).
    pub const ABSENT: Cell = Cell { offset: u32::MAX - 1, length: 0 };

    /// The value's bytes in the row that was walked; `None` for null and absent columns.
    #[inline]
    pub fn bytes(self, row: &[u8]) -> Option<&[u8]> {
        if self.offset >= Cell::ABSENT.offset {
            return None;
        }
        let start = self.offset as usize;
        row.get(start..start + self.length as usize)
    }

    /// Whether the column is null.
    #[inline]
    pub fn is_null(self) -> bool {
        self == Cell::NULL
    }

    /// Whether the image does not have the column.
    #[inline]
    pub fn is_absent(self) -> bool {
        self == Cell::ABSENT
    }
}

/// Turns the bytes of a cell into a value: wire format × column type × handling modes.
///
/// Made once per column and table version; shared by all threads.
pub trait Codec: Send + Sync + fmt::Debug {
    /// The value of a cell that is neither null nor absent.
    ///
    /// # Errors
    /// When the bytes are not a value of the column's type.
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError>;

    /// What stands for a null. Debezium's zero dates, for example, are not null in a column that cannot be.
    fn null(&self) -> ValueRef<'_> {
        ValueRef::Null
    }

    /// What stands for a column that is not in the row image, where that has no parts.
    fn absent(&self) -> ValueRef<'_> {
        ValueRef::Null
    }

    /// What stands for a column that is not in the row image: also a list or a map (PostgreSQL's unchanged TOAST).
    fn absent_in<'a>(&'a self, _arena: &'a Arena) -> ValueRef<'a> {
        self.absent()
    }
}

/// One field of a key or value struct, and the wire column it is read from.
#[derive(Clone, Debug)]
pub struct ColumnLayout {
    /// The field's name, already adjusted by `field.name.adjustment.mode`.
    pub name: Arc<str>,
    /// The field's schema.
    pub schema: Arc<Schema>,
    /// Which cell of the row holds it.
    pub cell: usize,
    /// How the cell is read.
    pub codec: Arc<dyn Codec>,
}

/// How the rows of one version of one table are read. Made once, never changed.
#[derive(Debug)]
pub struct TableLayout {
    /// Which table.
    pub id: TableId,
    /// Unlike that of any other layout in the process: what is planned for a layout is kept under it.
    pub version: u64,
    /// How many cells a row has on the wire.
    pub cells: usize,
    /// The fields of the value struct, in order.
    pub columns: Box<[ColumnLayout]>,
    /// The fields of the key struct in order; empty when the table has no key.
    pub key: Box<[ColumnLayout]>,
    /// For statements about the table.
    pub names: TableNames,
}

/// What a statement about a table says of its columns. Places are those of a row's cells.
#[derive(Debug, Default)]
pub struct TableNames {
    /// For each column.
    pub columns: Box<[ColumnName]>,
    /// The places of the primary key's, in its order.
    pub primary_key: Box<[usize]>,
}

/// What a statement says of a column.
#[derive(Debug)]
pub struct ColumnName {
    /// Its name, as the server has it.
    pub name: Box<str>,
    /// Its values; `None` where the log has them as statements and answers do, and for columns that are not asked for.
    pub sql: Option<Box<dyn InSql>>,
}

/// A column's values in statements, where the log has them in another form.
pub trait InSql: Send + Sync + fmt::Debug {
    /// What a query asks for, of the quoted name.
    fn asked(&self, name: &str) -> String;

    /// The cell that the log would have for an answer.
    ///
    /// # Errors
    /// When the column is no longer of the type that the log has.
    fn cell(&self, answer: &[u8]) -> Result<Vec<u8>, ValueError>;

    /// A cell as a literal that is compared with the column; `None` for types that no key has.
    fn literal(&self, cell: &[u8]) -> Option<String>;
}

/// One image of a row: its value struct, field by field.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    /// How it is read.
    pub layout: &'r TableLayout,
    /// The bytes that cells point into.
    pub bytes: &'r [u8],
    /// One for each column of the wire.
    pub cells: &'r [Cell],
}

/// One image of a row: its key struct, field by field.
#[derive(Clone, Copy)]
pub struct RowKey<'r>(pub Row<'r>);

impl<'r> Row<'r> {
    /// The key struct of this image.
    pub fn key(self) -> RowKey<'r> {
        RowKey(self)
    }

    #[inline]
    fn read<'a>(&'a self, column: &'a ColumnLayout, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let cell = *self.cells.get(column.cell).ok_or(ValueError::OutsideRow)?;
        match cell.bytes(self.bytes) {
            Some(bytes) => column.codec.decode(bytes, arena),
            None if cell.is_null() => Ok(column.codec.null()),
            None if cell.is_absent() => Ok(column.codec.absent_in(arena)),
            None => Err(ValueError::OutsideRow),
        }
    }

    /// Whether the bytes of the key's columns are the same in two images.
    pub fn same_key(&self, other: &Row<'_>) -> bool {
        self.layout.key.iter().all(|column| self.raw(column.cell) == other.raw(column.cell))
    }

    /// The bytes of a cell; `None` when it is null or absent.
    pub fn raw(&self, cell: usize) -> Option<&'r [u8]> {
        self.cells.get(cell)?.bytes(self.bytes)
    }
}

impl StructView for Row<'_> {
    #[inline]
    fn field<'a>(&'a self, index: usize, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match self.layout.columns.get(index) {
            Some(column) => self.read(column, arena),
            None => Ok(ValueRef::Null),
        }
    }
}

impl StructView for RowKey<'_> {
    #[inline]
    fn field<'a>(&'a self, index: usize, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match self.0.layout.key.get(index) {
            Some(column) => self.0.read(column, arena),
            None => Ok(ValueRef::Null),
        }
    }
}

/// The cells of one row's images while it is walked; one for each worker, used again for every row.
#[derive(Debug, Default)]
pub struct RowCells {
    /// The image before the change.
    pub before: Vec<Cell>,
    /// The image after the change.
    pub after: Vec<Cell>,
    /// Bytes that are in no block because they had to be made (a partial JSON update applied): cells of
    /// `after` point here when [`RowCells::patched`] is set.
    pub patch: Vec<u8>,
    /// Whether `after` lies in `patch`, which then holds the whole image.
    pub patched: bool,
    /// Whether nothing is known of the row before an update.
    pub no_before: bool,
}

/// Finds the rows in an event's body. Made by the source once per table map and column bitmap.
pub trait RowWalk: Send + Sync + fmt::Debug {
    /// Finds the cells of the row at `at` and returns where the next one begins; `None` at the end of the body.
    ///
    /// Cell offsets count from the start of `body`.
    ///
    /// # Errors
    /// When the body ends inside a row or a length is absurd.
    fn next_row(&self, body: &[u8], at: usize, cells: &mut RowCells) -> Result<Option<usize>, ValueError>;
}
