//! The connection to a PostgreSQL server: login, SQL and the replication stream.
//!
//! In: [`ConnectOptions`]. Out: a [`Connection`] that answers SQL by the simple query protocol, or the
//! [`ReplicationStream`] that it becomes: blocks of messages of the output plugin. Promised: every operation ends, at the
//! latest at its deadline, and within 100 ms of the stop flag; silence is an outcome and not a hang; the server hears from
//! the stream on a clock of its own, whatever its reader does, and never that more is safe than [`ConfirmedLsn`] says; a
//! server's refusal keeps its SQLSTATE and words and says whether trying again can help. Nothing survives a crash here.
//!
//! ```text
//! options ─▶ line ─▶ conversation ─▶ login ─▶ query
//!            TLS     frames                   replication ─▶ stream: blocks of messages
//!                                                      status: a thread that reports what is confirmed
//! ```
//!
//! The bytes of messages are read and written by the sans-I/O room `wire`; sockets, TLS and deadlines are those of
//! [`source::line`](crate::source::line).

mod confirmed;
mod conversation;
mod doing;
mod error;
mod login;
mod options;
mod query;
mod replication;
mod status;
mod stream;

pub use confirmed::ConfirmedLsn;
pub use error::{CODES, ConnectionError, ReplicationRefusal};
pub use options::{ConnectOptions, Purpose, SslMode, SslOptions};
pub use query::{Connection, ResultSet, Row, RowRef, quote_identifier, quote_literal};
pub use replication::ReplicationRequest;
pub use stream::{ReadOutcome, ReplicationStream};

pub use super::wire::{Column, Lsn, ServerError, WalMessage};
pub use crate::source::line::{Doing, Secret, StopFlag, StreamCounters};
