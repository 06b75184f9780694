//! What the parser gives: statements as values, and the circumstances they were written under.
//!
//! **In:** nothing. **Out:** the vocabulary between the parser and [`super::Schema`]. **Promised:** a statement is
//! complete in itself; nothing in it depends on the tables that exist. **Survives a crash:** nothing.

pub use super::super::flavor::Flavor;
use crate::model::modes::DebeziumGeneration;
use crate::model::table::Column;

/// The modes that change how a statement reads; from the `sql_mode` status variable of the query event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SqlMode {
    /// `"a"` is a name, not a string.
    pub ansi_quotes: bool,
    /// A backslash in a string is a backslash.
    pub no_backslash_escapes: bool,
}

impl SqlMode {
    /// From the 64 bits of the `Q_SQL_MODE_CODE` status variable (`include/mysql/…/sql_mode`: `MODE_ANSI_QUOTES`
    /// is 4, `MODE_NO_BACKSLASH_ESCAPES` is 1 << 20, in MySQL and in MariaDB).
    pub fn from_bits(bits: u64) -> Self {
        SqlMode { ansi_quotes: bits & 4 != 0, no_backslash_escapes: bits & (1 << 20) != 0 }
    }
}

/// The circumstances of a statement, from its query event.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatementContext<'a> {
    /// The default database; may be empty.
    pub database: &'a str,
    /// Modes that change how the text reads.
    pub sql_mode: SqlMode,
    /// The character set of the server's collation at the time (`collation_server` of the event); used where
    /// neither table nor database names one.
    pub default_charset: Option<&'a str>,
    /// The character set of the statement's bytes (`character_set_client` of the event); UTF-8 when not known.
    pub client_charset: Option<&'a str>,
    /// Whose SQL it is.
    pub flavor: Flavor,
    /// The server's version as in version comments, such as 80045 or 101119; 0 when not known, and then every
    /// executable comment executes.
    pub server_version: u32,
    /// Whose JDBC types columns get.
    pub generation: DebeziumGeneration,
}

/// The name of a table as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableName {
    pub database: Option<String>,
    pub table: String,
}

/// A statement that Debezium records, or that shapes tables.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    CreateTable(CreateTable),
    AlterTable(AlterTable),
    DropTable(DropTable),
    RenameTable(Vec<RenamePair>),
    TruncateTable(TableName),
    CreateDatabase(DatabaseOptions),
    AlterDatabase(DatabaseOptions),
    DropDatabase(String),
    CreateUniqueIndex {
        table: TableName,
        columns: Vec<KeyPart>,
        text: Span,
    },
    DropPrimaryIndex(TableName),
    /// MariaDB's sequences: rows of them are in the log like a table's.
    CreateSequence(TableName),
    DropSequence(Vec<TableName>),
    /// `SET name = value, …`: only the character sets matter.
    Set(Vec<(String, String)>),
    /// Recorded with the text alone.
    Other,
}

/// A stretch of the statement text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Debug)]
pub(super) struct CreateTable {
    pub name: TableName,
    pub temporary: bool,
    pub if_not_exists: bool,
    pub body: CreateBody,
}

#[derive(Clone, Debug)]
pub(super) enum CreateBody {
    Like(TableName),
    Elements { elements: Vec<TableElement>, options: TableOptions },
}

/// An element of the list in parentheses.
#[derive(Clone, Debug)]
pub(super) enum TableElement {
    Column(ColumnDefinition),
    PrimaryKey(Vec<KeyPart>),
    UniqueKey(Vec<KeyPart>),
    Period(Period),
}

/// A column of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyPart {
    Column(String),
    Expression,
    /// MariaDB's `period WITHOUT OVERLAPS`.
    Period(String),
}

/// MariaDB's `PERIOD FOR name (start, end)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub name: String,
    pub start: String,
    pub end: String,
}

/// The character set and collation that a clause names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CharsetClause {
    pub charset: Option<String>,
    pub collation: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct TableOptions {
    pub charset: CharsetClause,
    pub comment: Option<String>,
}

/// A column as declared; `column.charset_name` is only what the declaration itself says.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnDefinition {
    pub column: Column,
    /// Whether the type takes its character set from the table when it names none.
    pub inherits_charset: bool,
    pub unique: bool,
    pub primary: bool,
}

#[derive(Clone, Debug)]
pub(super) struct AlterTable {
    pub name: TableName,
    pub actions: Vec<AlterAction>,
}

/// Where `ADD`, `CHANGE` and `MODIFY` put the column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Unchanged,
    First,
    After(String),
}

#[derive(Clone, Debug)]
pub(super) enum AlterAction {
    AddColumn {
        definition: ColumnDefinition,
        place: Place,
        if_not_exists: bool,
    },
    ChangeColumn {
        old: String,
        definition: ColumnDefinition,
        place: Place,
        if_exists: bool,
    },
    ModifyColumn {
        definition: ColumnDefinition,
        place: Place,
        if_exists: bool,
    },
    RenameColumn {
        old: String,
        new: String,
        if_exists: bool,
    },
    DropColumn(String),
    /// The outer `None` drops the default; the inner one is an expression or `NULL`.
    AlterDefault {
        column: String,
        default: Option<Option<String>>,
    },
    PrimaryKey(Vec<KeyPart>),
    UniqueKey(Vec<KeyPart>),
    Period(Period),
    DropPrimaryKey,
    RenameTable(TableName),
    ConvertCharset(CharsetClause),
    Options(TableOptions),
    /// MariaDB's `CONVERT PARTITION p TO TABLE t`: the new table has this table's shape.
    PartitionToTable(TableName),
    /// MariaDB's `CONVERT TABLE t TO PARTITION p`: the other table is gone.
    TableToPartition(TableName),
}

#[derive(Clone, Debug)]
pub(super) struct DropTable {
    pub tables: Vec<TableName>,
    pub temporary: bool,
    /// The text before the first table.
    pub prefix: Span,
    /// `RESTRICT` or `CASCADE` as written.
    pub behavior: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct RenamePair {
    pub old: TableName,
    pub new: TableName,
    /// The text before the first pair, and the text of this one.
    pub prefix: Span,
    pub text: Span,
}

#[derive(Clone, Debug)]
pub(super) struct DatabaseOptions {
    /// `None` means the default database.
    pub name: Option<String>,
    pub charset: CharsetClause,
}
