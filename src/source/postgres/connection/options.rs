//! What a connection is made of.

use std::path::PathBuf;
use std::time::Duration;

use super::Secret;

/// `database.sslmode`, in libpq's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS only if the server refuses a plain connection.
    Allow,
    /// TLS, and a plain connection if the server has or wants none.
    #[default]
    Prefer,
    /// TLS or nothing, whoever the server is.
    Require,
    /// As [`SslMode::Require`], with a certificate that an authority vouches for.
    VerifyCa,
    /// As [`SslMode::VerifyCa`], with the host's name in the certificate.
    VerifyFull,
}

impl SslMode {
    /// By libpq's names, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}

/// TLS of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SslOptions {
    /// When TLS is used and what is checked.
    pub mode: SslMode,
    /// `database.sslrootcert`: certificates that may vouch for the server (PEM); without one, the machine's own.
    pub root_certificate: Option<PathBuf>,
    /// `database.sslcert`: the client's certificate (PEM), with those between it and its authority.
    pub certificate: Option<PathBuf>,
    /// `database.sslkey`: its key (PEM, PKCS8 in DER), or a PKCS12 that holds both.
    pub key: Option<PathBuf>,
    /// `database.sslpassword`: opens the key.
    pub key_password: Option<Secret>,
}

/// Everything that is needed to reach a database.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: Option<Secret>,
    /// The database.
    pub database: String,
    /// Under which name `pg_stat_activity` and `pg_stat_replication` list the session.
    pub application_name: String,
    /// TLS.
    pub ssl: SslOptions,
    /// For name, TCP, TLS and login together.
    pub connect_timeout: Duration,
    /// For a statement: until its answer, and between two parts of a long answer. `None`: no limit.
    pub query_timeout: Option<Duration>,
    /// TCP keep-alive: the kernel asks after a minute of silence whether the peer is there.
    pub tcp_keep_alive: bool,
    /// Settings of the session, sent with the start-up; they win over those of role and database. The defaults are what
    /// the text of values depends on.
    pub settings: Vec<(String, String)>,
    /// The start-up parameter `options`, such as `-c geqo=off`.
    pub options: Option<String>,
}

/// As pgjdbc gives them to Debezium (`client_encoding`, `DateStyle`, `TimeZone`, `extra_float_digits`), and what a
/// subscription of PostgreSQL itself sets (`IntervalStyle`); `bytea_output` against a database that was told otherwise.
const SETTINGS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO"),
    ("TimeZone", "UTC"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
];

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 5432,
            user: String::new(),
            password: None,
            database: String::new(),
            application_name: "headwater".to_owned(),
            ssl: SslOptions::default(),
            connect_timeout: Duration::from_secs(30),
            query_timeout: Some(Duration::from_secs(600)),
            tcp_keep_alive: true,
            settings: SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            options: None,
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// SQL.
    Sql,
    /// SQL and replication commands: a walsender, one of `max_wal_senders`.
    Replication,
}
