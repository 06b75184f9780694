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

pub mod codec;
pub mod connection;
pub mod pgoutput;
pub mod wire;
