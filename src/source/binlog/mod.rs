//! The MySQL and MariaDB binlog source.
//!
//! ```text
//!  server ──packets──▶ connection ──block──▶ reader ──Change…──▶ Batch
//!             (wire)                           │  ▲
//!                        ddl ◀──statements─────┤  │ layouts
//!                        tables ◀──table maps──┴──┘ (codec, layout)
//! ```
//!
//! In: the binlog of one server, from a position. Out: batches of changes; statements that shape tables as
//! schema changes, in the order of the log. Promised: events are read from the bytes they came in and rows are
//! not looked at; a transaction counts as read when its end was; no row is given under a column name that is
//! not known to be its own. What survives a crash is what the pipeline stores of positions and schema changes.

pub mod codec;
pub mod connection;
pub mod ddl;
pub mod error;
pub mod event;
pub mod flavor;
mod head;
mod marker;
pub mod options;
pub mod position;
mod progress;
mod reader;
mod reselect;
mod rows;
pub mod start;
mod statements;
pub mod tables;
pub mod walk;
pub mod wire;

pub use reader::BinlogSource;
pub use reselect::BinlogReselect;
