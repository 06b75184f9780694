//! Schema tracking: what DDL statements make of the tables.
//!
//! **In:** the statements of query events with their circumstances. **Out:** the tables as they are behind each
//! statement, and the schema change records that Debezium 3.6 writes for it. **Promised:** a statement is applied
//! wholly or not at all; statements that do not shape tables are never an error; a table-shaping statement that
//! cannot be read is one, with its place. **Survives a crash:** nothing here: the records go to the schema history,
//! and [`Schema`] is rebuilt from it.
//!
//! ```text
//! bytes ─ classify ─▶ Skipped            (BEGIN, COMMIT, DML, GRANT …: no tokens, no allocation)
//!            │
//!            └─ token ─▶ parse ─▶ Statement ─▶ Schema::apply ─▶ records
//!                        parse_table             alter
//!                        parse_column, column_type
//! ```

mod alter;
mod charset;
mod classify;
mod column_type;
mod error;
mod parse;
mod parse_column;
mod parse_table;
mod schema;
mod statement;
mod token;

pub use charset::{charset_of_collation, is_same_charset};
pub use classify::{SkippedKind, classify};
pub use error::{CODES, DdlError};
pub use schema::{NameCase, Outcome, RecordKind, Schema, SchemaRecord, quote};
pub use statement::{Flavor, SqlMode, StatementContext};
