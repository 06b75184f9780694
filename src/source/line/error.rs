//! What can go wrong with a line; each source's own error holds it, and gives it a page.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Doing;

/// An error of the line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The stop flag was set.
    #[error("stopped on request")]
    Stopped,
    /// The host's name has no address now.
    #[error("host {hostname:?} cannot be found: {reason}")]
    UnknownHost {
        /// The name.
        hostname: String,
        /// The resolver's words.
        reason: String,
    },
    /// No TCP connection.
    #[error("{address} does not accept a connection: {error}")]
    Connect {
        /// Where to.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// A deadline has passed.
    #[error("{doing} took longer than {allowed:?}")]
    Deadline {
        /// What took too long.
        doing: Doing,
        /// The allowance.
        allowed: Duration,
    },
    /// The connection broke.
    #[error("the connection broke during {doing}: {error}")]
    Io {
        /// During what.
        doing: Doing,
        /// How.
        error: io::Error,
    },
    /// The server, or something on the way, closed the connection.
    #[error("the server closed the connection during {0}")]
    Closed(Doing),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {reason}")]
    TlsHandshake {
        /// OpenSSL's words.
        reason: String,
    },
    /// Encrypted traffic was damaged.
    #[error("TLS failed during {doing}: {reason}")]
    TlsBroken {
        /// During what.
        doing: Doing,
        /// OpenSSL's words.
        reason: String,
    },
    /// Nobody trusted vouches for the server's certificate.
    #[error("the server's certificate is not trusted: {reason}")]
    Untrusted {
        /// OpenSSL's words.
        reason: String,
    },
    /// The certificate is another host's.
    #[error("the server's certificate is not made out for {hostname:?}: {reason}")]
    WrongHost {
        /// The name asked for.
        hostname: String,
        /// OpenSSL's words.
        reason: String,
    },
    /// A store of certificates or keys cannot be used.
    #[error("{}: {reason}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A Java keystore that holds a private key in an encryption of its own.
    #[error("{0} is a Java keystore whose key only Java can open; convert it: keytool -importkeystore -srckeystore {0} -destkeystore {0}.p12 -deststoretype PKCS12", path.display())]
    JavaKeystore {
        /// The file.
        path: PathBuf,
    },
}

/// The longest part of a statement that is shown.
const STATEMENT_SHOWN: usize = 160;

/// The beginning of a statement, for an error about it.
pub fn beginning(statement: &str) -> String {
    let mut shown: String = statement.chars().take(STATEMENT_SHOWN).collect();
    if shown.len() < statement.len() {
        shown.push('…');
    }
    shown
}
