//! The connection to a MySQL or MariaDB server: sockets, TLS, login, SQL and the binlog dump.
//!
//! In: [`ConnectOptions`]. Out: a [`Connection`] that answers SQL in the text protocol, or the
//! [`BinlogStream`] that it becomes: blocks of raw events. Promised: one blocking thread a connection; every
//! operation ends, at the latest at its deadline, and within 100 ms of the stop flag; silence is an outcome
//! and not a hang; a server's refusal keeps its number and text and says whether trying again can help.
//! Nothing survives a crash here: a position is the caller's business.
//!
//! ```text
//! options ─▶ line ─▶ transport ─▶ conversation ─▶ login ─▶ query
//!            TLS     compression  packets                 dump ─▶ stream: blocks of events
//! ```
//!
//! The bytes of messages are read and written by the sans-I/O room `wire`; sockets, TLS and deadlines are those of
//! [`source::line`](super::super::line).

mod conversation;
mod doing;
mod dump;
mod error;
mod login;
mod options;
mod query;
mod server;
mod stream;
mod transport;

pub use dump::{DumpFrom, DumpRequest};
pub use error::{CODES, ConnectionError, DumpRefusal};
pub use options::{Compression, ConnectOptions, Secret, SslMode, SslOptions, Store};
pub use query::{Connection, ResultSet, Row, RowRef};
pub use server::{Flavor, ServerInfo};
pub use stream::{BinlogStream, ReadOutcome};

pub use super::super::line::{Doing, StopFlag, StreamCounters};
pub use super::wire::PacketRange;
pub use super::wire::response::ServerError;
pub use super::wire::result_set::Column;
