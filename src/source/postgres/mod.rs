//! The PostgreSQL source: logical replication by pgoutput.
//!
//! ```text
//!  server ──messages──▶ connection ──block──▶ pgoutput ──▶ changes
//!             (wire)    SQL, stream            rows stay in the block
//! ```
//!
//! In: the logical replication stream of one slot, from a position. Out: batches of changes. Promised: messages are read
//! from the bytes they came in; what the server may forget is only what was confirmed. What survives a crash is what
//! the pipeline stores of positions.

pub mod catalog;
pub mod codec;
mod confirm;
pub mod connection;
pub mod error;
mod head;
mod marker;
pub mod options;
pub mod pgoutput;
pub mod position;
mod progress;
mod publication;
mod reader;
mod relations;
mod reselect;
pub mod slot;
mod spill;
pub mod start;
mod streamed;
pub mod timeline;
mod walk;
pub mod wire;

pub use confirm::Confirmation;
pub use reader::PostgresSource;
pub use reselect::PostgresReselect;
