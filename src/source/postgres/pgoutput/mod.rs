//! Messages of the output plugin `pgoutput`, protocol 1 to 4.
//!
//! In: the payload of one message, as the walsender sent it. Out: a [`Message`] that borrows from it; the images of a row
//! are found by [`walk_tuple`] into cells that the caller reuses. Promised: without I/O, clocks, panics, and without
//! allocation for messages of rows; any input gives a message or a [`PgOutputError`]. Nothing survives a crash. Source:
//! PostgreSQL manual, "Logical Replication Message Formats".
//!
//! ```text
//!  body   I | xid | relation | N | tuple                      xid only inside a streamed block
//!         U | xid | relation | K or O | tuple | N | tuple
//!         D | xid | relation | K or O | tuple
//!  tuple  columns | n | u | t length bytes | b length bytes
//! ```

mod error;
mod logical_message;
mod message;
mod relation;
mod row;
mod stream;
mod transaction;
mod truncate;
mod tuple;
mod two_phase;

pub use error::{CODES, PgOutputError};
pub use logical_message::LogicalMessage;
pub use message::Message;
pub use relation::{Relation, RelationColumn, ReplicaIdentity, TypeName};
pub use row::{Delete, Insert, OldImage, Update, walk_delete, walk_insert, walk_update};
pub use stream::{StreamAbort, StreamCommit, StreamStart};
pub use transaction::{Begin, Commit, Origin};
pub use truncate::Truncate;
pub use tuple::{Binary, walk_tuple};
pub use two_phase::{BeginPrepare, CommitPrepared, Prepare, RollbackPrepared};

#[cfg(test)]
mod tests;
