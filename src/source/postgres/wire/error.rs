//! What can be wrong with the bytes of a protocol message.

use crate::error::{Code, Coded, Disposition};

/// A message that is not what the protocol says it is.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum WireError {
    /// The message ends before a field that it must have.
    #[error("{message}: ends before its {field}")]
    Truncated {
        /// The protocol message.
        message: &'static str,
        /// The field that is missing.
        field: &'static str,
    },
    /// A field holds what the protocol does not allow.
    #[error("{message}: {reason}")]
    Malformed {
        /// The protocol message.
        message: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A message that has no place here.
    #[error("a message of type {found:?} came during {during}")]
    Unexpected {
        /// Its type.
        found: char,
        /// What was going on.
        during: &'static str,
    },
    /// A message longer than any that a server may send.
    #[error("a message of {length} bytes, more than the {limit} that are accepted")]
    TooLong {
        /// Bytes announced.
        length: u64,
        /// Bytes accepted.
        limit: u64,
    },
    /// The password exchange cannot be done with what the server sent, or the server does not know the password.
    #[error("SCRAM: {0}")]
    Scram(&'static str),
}

static MALFORMED: Code = Code {
    number: 1300,
    disposition: Disposition::Retry,
    title: "The server's protocol message is cut short or malformed",
    hint: "Something between Headwater and the server speaks another protocol or damages bytes: check that \
           database.hostname and database.port name a PostgreSQL server, and look at proxies in between (logical \
           replication does not go through most poolers). Headwater reconnects.",
};
static TOO_LONG: Code = Code {
    number: 1301,
    disposition: Disposition::Stop,
    title: "The server announces a message longer than 1 GiB",
    hint: "PostgreSQL has no messages over 1 GiB: the peer is not a PostgreSQL server, or the stream is damaged. Check \
           database.hostname, database.port and proxies.",
};
static SCRAM: Code = Code {
    number: 1302,
    disposition: Disposition::Stop,
    title: "The server could not prove that it knows the password, or asks for what SCRAM does not allow",
    hint: "What answers under database.hostname may not be the database, but something that stands in between: check the \
           host, and set database.sslmode to verify-full. A user name that does not exist is answered in another way.",
};

impl Coded for WireError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Truncated { .. } | Self::Malformed { .. } | Self::Unexpected { .. } => &MALFORMED,
            Self::TooLong { .. } => &TOO_LONG,
            Self::Scram(_) => &SCRAM,
        }
    }
}

/// The pages of this file, for `headwater explain`.
pub const CODES: &[&Code] = &[&MALFORMED, &TOO_LONG, &SCRAM];
