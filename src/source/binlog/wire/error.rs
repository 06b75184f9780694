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
    /// A packet was lost, repeated or came from somebody else's conversation.
    #[error("packet number {found} came where {expected} was due")]
    OutOfSequence {
        /// The number that was due.
        expected: u8,
        /// The number in the packet's header.
        found: u8,
    },
    /// A packet longer than any that a server may send.
    #[error("a packet of {length} bytes, more than the {limit} that are accepted")]
    TooLong {
        /// Bytes announced.
        length: u64,
        /// Bytes accepted.
        limit: u64,
    },
    /// The greeting's protocol version is not 10.
    #[error("the server greets with protocol version {0}, not 10")]
    ProtocolVersion(u8),
    /// A cryptographic step of the login could not be done with what the server sent.
    #[error("{plugin}: {reason}")]
    Crypto {
        /// The authentication plugin.
        plugin: &'static str,
        /// What failed.
        reason: String,
    },
    /// A compressed packet does not decompress to what it announces.
    #[error("compressed protocol: {0}")]
    Compression(String),
}

static TRUNCATED: Code = Code {
    number: 200,
    disposition: Disposition::Retry,
    title: "The server's protocol message is cut short or malformed",
    hint: "Something between Headwater and the server speaks another protocol or damages bytes: check that \
           database.hostname and database.port name a MySQL or MariaDB server, and look at proxies in between. \
           Headwater reconnects.",
};
static OUT_OF_SEQUENCE: Code = Code {
    number: 201,
    disposition: Disposition::Retry,
    title: "Packets of the server arrive out of sequence",
    hint: "A proxy mixed two conversations or bytes were lost. Headwater drops the connection and opens another; \
           if it comes again, connect to the server without the proxy.",
};
static TOO_LONG: Code = Code {
    number: 202,
    disposition: Disposition::Stop,
    title: "The server announces a packet longer than 1 GiB",
    hint: "No server setting allows packets over 1 GiB (max_allowed_packet ends there): the peer is not a MySQL \
           or MariaDB server, or the stream is damaged. Check database.hostname, database.port and proxies.",
};
static PROTOCOL_VERSION: Code = Code {
    number: 203,
    disposition: Disposition::Stop,
    title: "The peer is not a MySQL or MariaDB server of this century",
    hint: "Check database.port: the X protocol of MySQL listens on 33060, the classic protocol on 3306.",
};
static CRYPTO: Code = Code {
    number: 204,
    disposition: Disposition::Stop,
    title: "The password cannot be sent as the server's login plugin wants it",
    hint: "The key or challenge of the server could not be used. Connect with TLS (database.ssl.mode=required), \
           or give the user another plugin: ALTER USER 'name'@'%' IDENTIFIED WITH caching_sha2_password BY '…';",
};
static COMPRESSION: Code = Code {
    number: 205,
    disposition: Disposition::Retry,
    title: "A compressed packet does not decompress",
    hint: "Bytes were damaged on the way, or a proxy mishandles protocol compression: switch compression off.",
};

impl Coded for WireError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Truncated { .. } | Self::Malformed { .. } => &TRUNCATED,
            Self::OutOfSequence { .. } => &OUT_OF_SEQUENCE,
            Self::TooLong { .. } => &TOO_LONG,
            Self::ProtocolVersion(_) => &PROTOCOL_VERSION,
            Self::Crypto { .. } => &CRYPTO,
            Self::Compression(_) => &COMPRESSION,
        }
    }
}

/// The pages of this file, for `headwater explain`.
pub const CODES: &[&Code] = &[&TRUNCATED, &OUT_OF_SEQUENCE, &TOO_LONG, &PROTOCOL_VERSION, &CRYPTO, &COMPRESSION];
