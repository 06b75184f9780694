//! A database table as schema tracking knows it: the names, types and keys that shape its rows.
//!
//! The fields are those of a table in Debezium's schema history (`tableChanges[].table`), so that a table
//! read from that topic, parsed from a DDL statement or read from a server is the same value, and can be
//! written back without loss.

use std::fmt;
use std::sync::Arc;

/// Names one table of one server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId {
    /// The database (MySQL, MariaDB) or catalog (PostgreSQL).
    pub catalog: Arc<str>,
    /// The schema inside the catalog; `None` where the server has none (MySQL, MariaDB).
    pub schema: Option<Arc<str>>,
    /// The table's own name, as the server spells it.
    pub table: Arc<str>,
}

impl TableId {
    /// A table of a server whose databases have no schemas.
    pub fn new(database: &str, table: &str) -> Self {
        TableId { catalog: database.into(), schema: None, table: table.into() }
    }
}

impl fmt::Display for TableId {
    /// `database.table`, or `schema.table` where there are schemas: the text that filters match.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => write!(f, "{}.{}", self.catalog, self.table),
        }
    }
}

/// One column of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Column {
    /// The name as declared.
    pub name: String,
    /// Place in the table, from 1.
    pub position: i32,
    /// A `java.sql.Types` number, as Debezium derives it.
    pub jdbc_type: i32,
    /// The server's own type number, where known (PostgreSQL's OID).
    pub native_type: Option<i32>,
    /// The type's name in capitals, as Debezium writes it: `BIGINT UNSIGNED`, `VARCHAR`.
    pub type_name: String,
    /// The type as declared, when it differs in a way that matters; Debezium repeats the name.
    pub type_expression: Option<String>,
    /// The character set of this column, already resolved from table and database where it has one.
    pub charset_name: Option<String>,
    /// Length, display width or precision, as declared.
    pub length: Option<i32>,
    /// Digits after the point.
    pub scale: Option<i32>,
    /// Whether it can be null.
    pub optional: bool,
    /// `AUTO_INCREMENT`, or a serial.
    pub auto_incremented: bool,
    /// Computed by the server.
    pub generated: bool,
    /// `COMMENT '…'`.
    pub comment: Option<String>,
    /// Whether a default was declared (`DEFAULT NULL` included).
    pub has_default_value: bool,
    /// The literal of the default as declared, without quotes; `None` for `DEFAULT NULL` and expressions.
    pub default_value_expression: Option<String>,
    /// The values of ENUM and SET, in order, without quotes.
    pub enum_values: Vec<String>,
}

/// One table at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Which table.
    pub id: TableId,
    /// The columns in the order of the server.
    pub columns: Vec<Column>,
    /// The names of the key's columns in key order: the primary key, or the first unique key whose
    /// columns cannot be null; empty when there is neither.
    pub primary_key: Vec<String>,
    /// The table's default character set.
    pub default_charset_name: Option<String>,
    /// `COMMENT='…'`.
    pub comment: Option<String>,
}

/// What a DDL statement did to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableChangeKind {
    /// The table is new.
    Create,
    /// The table has another shape or name.
    Alter,
    /// The table is gone.
    Drop,
}

/// One table changed by a DDL statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChange {
    /// What happened.
    pub kind: TableChangeKind,
    /// The table's name after the change.
    pub id: TableId,
    /// Its name before, when it was renamed.
    pub previous_id: Option<TableId>,
    /// Its shape after the change; `None` when dropped.
    pub table: Option<Table>,
}
