//! PostgreSQL's protocol 3.0: bytes to typed messages and back.
//!
//! In: bytes of messages. Out: typed messages that borrow from them, and bytes to send. Promised: without I/O, clocks or
//! panics; any input gives a message or a [`WireError`]. Nothing survives a crash. Source: PostgreSQL manual, "Message
//! Formats", "Message Flow" and "Streaming Replication Protocol".
//!
//! ```text
//!  frame: type byte, length (4 bytes, itself included), body
//! ```

mod authentication;
mod channel_binding;
pub mod error;
mod frame;
mod frontend;
#[cfg(test)]
mod hostile;
mod lsn;
mod read;
mod replication;
mod response;
mod scram;

/// Microseconds from 1970 to 2000, where PostgreSQL's clock begins.
pub const EPOCH_2000_US: i64 = 946_684_800_000_000;

pub use authentication::{Authentication, md5_password};
pub use channel_binding::server_end_point;
pub use error::WireError;
pub use frame::{FRAME_HEADER_BYTES, FrameHeader, MESSAGE_LIMIT_BYTES, parse_frame};
pub use frontend::{
    SSL_REQUEST, copy_done, password, query, sasl_initial_response, sasl_response, standby_status_update, startup,
    terminate,
};
pub use lsn::{Lsn, LsnError};
pub use read::Reader;
pub use replication::{Keepalive, Split, WalMessage, split_copy_data};
pub use response::{Column, ServerError, ValueRange, parse_columns, parse_error, parse_parameter, parse_row};
pub use scram::{ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, Scram};
