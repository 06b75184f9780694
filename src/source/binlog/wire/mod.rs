//! The client/server protocol of MySQL and MariaDB, without I/O.
//!
//! In: the bytes of one protocol packet (or of a stretch of stream that holds several). Out: a typed
//! message, or the bytes of a message to send. Promised: every function here is total. Whatever a server,
//! a proxy or a broken network sends is answered by a value or a [`WireError`]; nothing panics, nothing
//! allocates more than the bytes it was given, nothing blocks. Nothing here survives a crash: there is
//! no state beyond the sequence number that a caller holds.
//!
//! Sources: MySQL internals manual, "Client/Server Protocol"; MariaDB knowledge base, "Client/Server
//! Protocol". One message, one file:
//!
//! | file | message |
//! |---|---|
//! | `packet` | the four-byte packet header, splitting a stream of binlog packets |
//! | `compressed` | the seven-byte header of the compressed protocol |
//! | `handshake` | the server's greeting, the TLS request, the client's answer |
//! | `auth` | one file for each authentication plugin |
//! | `response` | OK, ERR and EOF packets |
//! | `result_set` | column definitions and rows of the text protocol |
//! | `command` | COM_QUERY, COM_PING, COM_REGISTER_SLAVE, COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID |
#![deny(clippy::indexing_slicing)]

pub mod auth;
pub mod capability;
pub mod command;
pub mod compressed;
pub mod error;
pub mod handshake;
pub mod packet;
pub mod read;
pub mod response;
pub mod result_set;

pub use error::WireError;
pub use packet::PacketRange;

#[cfg(test)]
mod hostile;
