//! What a connection is made of: addresses, names, secrets, TLS.

use std::time::Duration;

pub use super::super::super::line::{Secret, Store};

/// `database.ssl.mode`, in MySQL's names; MariaDB's are mapped to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disabled,
    /// TLS where the server offers it, whoever the server is.
    #[default]
    Preferred,
    /// TLS or nothing, whoever the server is.
    Required,
    /// As [`SslMode::Required`], with a certificate that the truststore vouches for.
    VerifyCa,
    /// As [`SslMode::VerifyCa`], with the host's name in the certificate.
    VerifyIdentity,
}

impl SslMode {
    /// By Debezium's names, of the MySQL and of the MariaDB connector, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "disabled" | "disable" => Self::Disabled,
            "preferred" => Self::Preferred,
            "required" | "trust" => Self::Required,
            "verify_ca" | "verify-ca" => Self::VerifyCa,
            "verify_identity" | "verify-full" => Self::VerifyIdentity,
            _ => return None,
        })
    }
}

/// TLS of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SslOptions {
    /// When TLS is used and what is checked.
    pub mode: SslMode,
    /// Certificates that may vouch for the server; without one, the machine's own.
    pub truststore: Option<Store>,
    /// The client's certificate and key.
    pub keystore: Option<Store>,
}

/// Compression of the protocol, used where the server offers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// None.
    #[default]
    None,
    /// zlib: MySQL and MariaDB.
    Zlib,
    /// zstd: MySQL since 8.0.18.
    Zstd,
}

/// Everything that is needed to reach a server.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Name or address.
    pub hostname: String,
    /// TCP port.
    pub port: u16,
    /// The user's name.
    pub user: String,
    /// The user's password; empty for none.
    pub password: Secret,
    /// For name, TCP, TLS and login together.
    pub connect_timeout: Duration,
    /// For a statement: until its answer, and between two parts of a long answer. `None`: no limit.
    pub query_timeout: Option<Duration>,
    /// TLS.
    pub ssl: SslOptions,
    /// Compression of the protocol.
    pub compression: Compression,
    /// TCP keep-alive: the kernel asks after a minute of silence whether the peer is there.
    pub keep_alive: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            hostname: String::new(),
            port: 3306,
            user: String::new(),
            password: Secret::default(),
            connect_timeout: Duration::from_secs(30),
            query_timeout: Some(Duration::from_secs(600)),
            ssl: SslOptions::default(),
            compression: Compression::None,
            keep_alive: true,
        }
    }
}
