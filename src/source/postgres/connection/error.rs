//! What can go wrong with a connection, and what is done about it.
//!
//! A server's refusal is sorted by its SQLSTATE (manual, "PostgreSQL Error Codes"): weather (starting up, shutting down,
//! too many connections) is tried again, state (password, privileges, a lost slot) stops the connector with the statement
//! that mends it. Words are only looked at where one SQLSTATE means several things, since servers translate them.

use super::super::wire::{ServerError, WireError};
use super::Doing;
use crate::error::{Code, Coded, Disposition};
use crate::source::line::{LineError, beginning};

/// An error of the connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The line itself.
    #[error(transparent)]
    Line(LineError),
    /// The connection is in the middle of something that failed.
    #[error("the connection was given up after an earlier error")]
    GivenUp,
    /// The bytes are not the protocol's.
    #[error(transparent)]
    Wire(#[from] WireError),

    /// TLS is wanted and the server has none.
    #[error("database.sslmode wants TLS, and the server offers none")]
    TlsNotOffered,

    /// Wrong user, password or certificate, or no line of `pg_hba.conf` lets the user in.
    #[error("user {user:?} is refused: {error}")]
    AccessDenied {
        /// The user.
        user: String,
        /// The server's words.
        error: Box<ServerError>,
    },
    /// The server wants a password, and none is configured.
    #[error("the server wants a password of user {user:?}, and database.password is empty")]
    PasswordMissing {
        /// The user.
        user: String,
    },
    /// A way to log in that is not known here.
    #[error("the server wants the login method {0}, which is not supported")]
    MethodUnsupported(&'static str),
    /// There is no such database.
    #[error("{0}")]
    UnknownDatabase(Box<ServerError>),
    /// A privilege is missing.
    #[error("a privilege is missing: {0}")]
    PrivilegeMissing(Box<ServerError>),
    /// The server cannot take a connection or a statement now.
    #[error("the server cannot serve now: {0}")]
    Unavailable(Box<ServerError>),
    /// A statement was refused.
    #[error("{error} (statement: {statement})")]
    Sql {
        /// The server's words.
        error: Box<ServerError>,
        /// The beginning of the statement.
        statement: String,
    },
    /// A result larger than fits in memory at once.
    #[error("a result of more than {limit} bytes (statement: {statement})")]
    ResultTooLarge {
        /// The limit.
        limit: usize,
        /// The beginning of the statement.
        statement: String,
    },
    /// The server refuses the stream, or ended it.
    #[error("the server refuses the replication stream: {error}")]
    Replication {
        /// Which of the reasons.
        refusal: ReplicationRefusal,
        /// The server's words.
        error: Box<ServerError>,
    },
}

/// Why a server refuses a replication stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicationRefusal {
    /// Another connection reads from the slot.
    SlotActive {
        /// The process of it, where the server names it.
        pid: Option<u32>,
    },
    /// There is no such slot.
    SlotMissing,
    /// The slot exists and cannot be read: invalidated, of another database, of another kind.
    SlotUnusable,
    /// `wal_level` is not `logical`.
    WalLevel,
    /// There is no such publication.
    PublicationMissing,
    /// The log that is needed is gone.
    WalRemoved,
    /// The server does not know an option of the stream, or cannot do this in recovery.
    Unsupported,
    /// None of these.
    Other,
}

impl ReplicationRefusal {
    fn of(error: &ServerError, doing: Doing) -> Self {
        match error.sql_state.as_str() {
            "55006" => Self::SlotActive { pid: last_number(&error.message) },
            "42704" if doing == Doing::START_REPLICATION => Self::SlotMissing,
            "42704" => Self::PublicationMissing,
            // The name of a setting is not translated.
            "55000" if error.message.contains("wal_level") => Self::WalLevel,
            "55000" => Self::SlotUnusable,
            "58P01" => Self::WalRemoved,
            "0A000" | "22023" => Self::Unsupported,
            _ => Self::Other,
        }
    }

    fn code(self) -> &'static Code {
        match self {
            Self::SlotActive { .. } => &SLOT_ACTIVE,
            Self::SlotMissing => &SLOT_MISSING,
            Self::SlotUnusable => &SLOT_UNUSABLE,
            Self::WalLevel => &WAL_LEVEL,
            Self::PublicationMissing => &PUBLICATION_MISSING,
            Self::WalRemoved => &WAL_REMOVED,
            Self::Unsupported => &UNSUPPORTED,
            Self::Other => &REPLICATION_REFUSED,
        }
    }
}

/// `replication slot "x" is active for PID 4711`: the number stands last in every language.
fn last_number(message: &str) -> Option<u32> {
    let text = message.trim_end_matches(|c: char| !c.is_ascii_digit());
    let start = text.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    // A name with digits at the end of the sentence is in quotes.
    if message.get(text.len()..).is_some_and(|rest| rest.contains('"')) {
        return None;
    }
    text.get(start..).and_then(|digits| digits.parse().ok())
}

/// Whether trying again may help without anybody's doing.
fn is_transient(sql_state: &str) -> bool {
    let class = sql_state.get(..2).unwrap_or_default();
    match class {
        // Connection exceptions, insufficient resources.
        "08" | "53" => true,
        _ => matches!(
            sql_state,
            // cancelled, shutting down, crashed, starting up, idle limit; but not a database that was dropped (57P04)
            "57014" | "57P01" | "57P02" | "57P03" | "57P05"
                // serialization, deadlock, lock not available, object in use
                | "40001" | "40P01" | "40003" | "55P03" | "55006"
                // idle in transaction, transaction limit, I/O
                | "25P03" | "25P04" | "58030"
        ),
    }
}

impl ConnectionError {
    /// True when trying again may help without anybody's doing.
    pub fn is_weather(&self) -> bool {
        self.code().disposition == Disposition::Retry
    }

    /// The server's own words, where it said any.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self {
            Self::AccessDenied { error, .. }
            | Self::UnknownDatabase(error)
            | Self::PrivilegeMissing(error)
            | Self::Unavailable(error)
            | Self::Sql { error, .. }
            | Self::Replication { error, .. } => Some(error),
            Self::Line(_)
            | Self::GivenUp
            | Self::Wire(_)
            | Self::TlsNotOffered
            | Self::PasswordMissing { .. }
            | Self::MethodUnsupported(_)
            | Self::ResultTooLarge { .. } => None,
        }
    }

    /// The SQLSTATE of the server's words.
    pub fn sql_state(&self) -> Option<&str> {
        self.server_error().map(|error| error.sql_state.as_str())
    }

    /// Sorts an `ErrorResponse`. `statement` is what was asked, for the error of a statement.
    pub(super) fn refused(error: ServerError, doing: Doing, user: &str, statement: &str) -> Self {
        let error = Box::new(error);
        let streaming = matches!(doing, Doing::START_REPLICATION | Doing::REPLICATION);
        match error.sql_state.as_str() {
            "55006" if streaming => Self::Replication { refusal: ReplicationRefusal::of(&error, doing), error },
            state if is_transient(state) => Self::Unavailable(error),
            // invalid_authorization_specification, invalid_password
            "28000" | "28P01" => Self::AccessDenied { user: user.to_owned(), error },
            "3D000" => Self::UnknownDatabase(error),
            "42501" => Self::PrivilegeMissing(error),
            _ if streaming => Self::Replication { refusal: ReplicationRefusal::of(&error, doing), error },
            _ => Self::Sql { error, statement: beginning(statement) },
        }
    }
}

impl From<LineError> for ConnectionError {
    fn from(error: LineError) -> Self {
        if let LineError::JavaKeystore { path } = error {
            let reason = "a Java keystore; PostgreSQL's clients read PEM, PKCS8 and PKCS12".to_owned();
            return Self::Line(LineError::Store { path, reason });
        }
        Self::Line(error)
    }
}

/// The page of the line's own errors.
fn line_page(error: &LineError) -> &'static Code {
    match error {
        LineError::Stopped => &STOPPED,
        LineError::UnknownHost { .. } => &UNKNOWN_HOST,
        LineError::Connect { .. } => &CONNECT,
        LineError::Deadline { .. } => &DEADLINE,
        LineError::Io { .. } | LineError::Closed(_) => &BROKEN,
        LineError::TlsHandshake { .. } => &TLS_HANDSHAKE,
        LineError::TlsBroken { .. } => &TLS_BROKEN,
        LineError::Untrusted { .. } => &UNTRUSTED,
        LineError::WrongHost { .. } => &WRONG_HOST,
        LineError::Store { .. } | LineError::JavaKeystore { .. } => &STORE,
    }
}

impl Coded for ConnectionError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Line(error) => line_page(error),
            Self::GivenUp => &BROKEN,
            Self::Wire(error) => error.code(),
            Self::TlsNotOffered => &TLS_NOT_OFFERED,
            Self::AccessDenied { .. } => &ACCESS_DENIED,
            Self::PasswordMissing { .. } => &PASSWORD_MISSING,
            Self::MethodUnsupported(_) => &METHOD_UNSUPPORTED,
            Self::UnknownDatabase(_) => &UNKNOWN_DATABASE,
            Self::PrivilegeMissing(_) => &PRIVILEGE_MISSING,
            Self::Unavailable(_) => &UNAVAILABLE,
            Self::Sql { .. } => &SQL,
            Self::ResultTooLarge { .. } => &RESULT_TOO_LARGE,
            Self::Replication { refusal, .. } => refusal.code(),
        }
    }
}

macro_rules! pages {
    ($($name:ident $number:literal $disposition:ident $title:literal $hint:literal;)*) => {
        $(static $name: Code = Code {
            number: $number,
            disposition: Disposition::$disposition,
            title: $title,
            hint: $hint,
        };)*
        /// The pages of this room, for `headwater explain`.
        pub const CODES: &[&Code] = &[$(&$name),*];
    };
}

pages! {
    STOPPED 1200 Stop "The connection was stopped on request"
        "Nothing is wrong: the connector was paused, stopped or restarted.";
    UNKNOWN_HOST 1201 Retry "The database's host name has no address"
        "Check database.hostname and the DNS of this machine or container. Headwater tries again.";
    CONNECT 1202 Retry "The database does not accept TCP connections"
        "Check database.hostname, database.port, firewalls, and that the server runs and listens on that address \
         (listen_addresses in postgresql.conf). Headwater tries again.";
    DEADLINE 1203 Retry "The server did not answer in time"
        "The server hangs, is overloaded, a statement waits for a lock (SELECT * FROM pg_locks WHERE NOT granted;), or \
         something on the way swallows packets. Headwater reconnects.";
    BROKEN 1204 Retry "The connection to the server broke"
        "A restart of the server, pg_terminate_backend, wal_sender_timeout, a proxy or the network ended it. Headwater \
         reconnects and continues from the acknowledged position.";
    TLS_NOT_OFFERED 1205 Stop "TLS is wanted, and the server offers none"
        "Switch it on (ALTER SYSTEM SET ssl = on; with ssl_cert_file and ssl_key_file, then SELECT pg_reload_conf();), or set \
         database.sslmode to prefer or disable.";
    TLS_HANDSHAKE 1206 Stop "The TLS handshake failed"
        "Server and client found no common protocol or cipher, or the server refused the client's certificate. Compare SHOW \
         ssl_min_protocol_version and SHOW ssl_ciphers with what OpenSSL here allows, and check database.sslcert and \
         database.sslkey.";
    TLS_BROKEN 1207 Retry "Encrypted traffic was damaged"
        "Bytes were changed on the way, or the server ended the session. Headwater reconnects.";
    UNTRUSTED 1208 Stop "Nobody trusted vouches for the server's certificate"
        "Name the authority that signed the server's certificate in database.sslrootcert (a PEM file), or set \
         database.sslmode to require.";
    WRONG_HOST 1209 Stop "The server's certificate is made out for another host"
        "Connect under a name that the certificate holds, or set database.sslmode to verify-ca.";
    STORE 1210 Stop "A file of certificates or keys cannot be used"
        "database.sslrootcert and database.sslcert are PEM; database.sslkey is PEM, PKCS8 in DER, or PKCS12 with the \
         certificate in it; database.sslpassword opens an encrypted key.";
    ACCESS_DENIED 1211 Stop "The server refuses the user"
        "Check database.user and database.password (ALTER ROLE name PASSWORD '…';), and pg_hba.conf: a line must let the user \
         into the database from this machine. Then SELECT pg_reload_conf();";
    PASSWORD_MISSING 1212 Stop "The server wants a password, and none is configured"
        "Set database.password.";
    METHOD_UNSUPPORTED 1213 Stop "The server wants a way to log in that is not supported"
        "Supported are trust, password, md5, scram-sha-256 and cert. Give the user one of them in pg_hba.conf, for example: \
         hostssl all name samenet scram-sha-256";
    UNKNOWN_DATABASE 1214 Stop "There is no such database"
        "Check database.dbname: names are case-sensitive. \\l in psql lists the databases.";
    PRIVILEGE_MISSING 1215 Stop "The user lacks a privilege"
        "The server's words say which. Replication: ALTER ROLE name REPLICATION; (RDS: GRANT rds_replication TO name;) tables: \
         GRANT USAGE ON SCHEMA s TO name; GRANT SELECT ON ALL TABLES IN SCHEMA s TO name;";
    UNAVAILABLE 1216 Retry "The server cannot serve now"
        "It is starting, stopping, out of connections (max_connections, max_wal_senders), disk or memory, or ended the \
         session. Headwater tries again.";
    SQL 1217 Stop "The server refuses a statement"
        "The statement and the server's words are in the message. If the server is a pooler, connect to the database directly.";
    RESULT_TOO_LARGE 1218 Stop "A result does not fit in memory"
        "A statement that should answer little answered very much; its beginning is in the message.";
    SLOT_ACTIVE 1220 Retry "Another connection reads from the replication slot"
        "SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'name'; and SELECT * FROM pg_stat_activity WHERE pid = …; \
         say who. Often it is an earlier connection that the server has not given up yet (wal_sender_timeout); two connectors \
         must not share slot.name. Headwater tries again.";
    SLOT_MISSING 1221 Stop "The replication slot does not exist"
        "It was dropped, or a failover went to a server that does not have it. Changes since the stored position may be lost: \
         take a new snapshot (snapshot.mode=when_needed or always). SELECT * FROM pg_replication_slots; lists the slots.";
    SLOT_UNUSABLE 1222 Stop "The replication slot cannot be read"
        "SELECT slot_name, plugin, database, wal_status FROM pg_replication_slots; A slot with wal_status lost has been \
         invalidated (max_slot_wal_keep_size): drop it, SELECT pg_drop_replication_slot('name');, and take a new snapshot. A slot \
         of another database or plugin needs another slot.name.";
    WAL_LEVEL 1223 Stop "The server does not write a log that can be decoded"
        "ALTER SYSTEM SET wal_level = logical; and restart the server (RDS: rds.logical_replication = 1). A standby follows its \
         primary.";
    PUBLICATION_MISSING 1224 Stop "The publication does not exist"
        "CREATE PUBLICATION name FOR TABLE …; or set publication.autocreate.mode. What was written while there was none cannot \
         be read any more: with the connector stopped, SELECT pg_replication_slot_advance('SLOT', pg_current_wal_lsn()); \
         then start it once with offset.mismatch.strategy=trust_greater_lsn, and read the tables again.";
    WAL_REMOVED 1225 Stop "The log that is needed is gone from the server"
        "Changes since the stored position are lost: drop the slot, SELECT pg_drop_replication_slot('name');, take a new \
         snapshot, and keep more log: ALTER SYSTEM SET max_slot_wal_keep_size = '100GB';";
    UNSUPPORTED 1226 Stop "The server cannot stream like this"
        "An option of the stream needs a newer server (the server's words name it; see slot.stream.params), or the server is a \
         standby before version 16, which decodes nothing: connect to the primary.";
    REPLICATION_REFUSED 1227 Stop "The server refuses the replication stream"
        "The server's words are in the message; its log says more.";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn check(sql_state: &str, message: &str, doing: Doing, code: u16, weather: bool) {
        let error = ServerError { sql_state: sql_state.to_owned(), message: message.to_owned(), ..Default::default() };
        let error = ConnectionError::refused(error, doing, "cdc", "SELECT 1");
        assert_eq!((error.code().number, error.is_weather()), (code, weather), "{sql_state} {message}");
    }

    #[test]
    fn refusals_are_sorted_by_their_sqlstate() {
        check("28P01", "password authentication failed for user \"cdc\"", Doing::LOGIN, 1211, false);
        check("28000", "no pg_hba.conf entry for host …", Doing::LOGIN, 1211, false);
        check("3D000", "database \"x\" does not exist", Doing::LOGIN, 1214, false);
        check("53300", "sorry, too many clients already", Doing::LOGIN, 1216, true);
        check("57P03", "the database system is starting up", Doing::LOGIN, 1216, true);
        check("57P01", "terminating connection due to administrator command", Doing::REPLICATION, 1216, true);
        check("57P04", "terminating connection because …", Doing::QUERY, 1217, false);
        check("42501", "permission denied for table t", Doing::QUERY, 1215, false);
        check("42601", "syntax error", Doing::QUERY, 1217, false);
        check("55006", "replication slot \"s1\" is active for PID 4711", Doing::START_REPLICATION, 1220, true);
        check("55006", "database \"x\" is being accessed by other users", Doing::QUERY, 1216, true);
        check("42704", "replication slot \"s\" does not exist", Doing::START_REPLICATION, 1221, false);
        check("42704", "publication \"p\" does not exist", Doing::REPLICATION, 1224, false);
        check("55000", "logical decoding requires wal_level >= logical", Doing::START_REPLICATION, 1223, false);
        check("55000", "can no longer get changes from replication slot \"s\"", Doing::START_REPLICATION, 1222, false);
        check("58P01", "requested WAL segment 0 has already been removed", Doing::REPLICATION, 1225, false);
        check("0A000", "client sent proto_version=9 but …", Doing::START_REPLICATION, 1226, false);
        check("XX000", "something", Doing::REPLICATION, 1227, false);
        check("", "", Doing::REPLICATION, 1227, false);
    }

    #[test]
    fn the_process_that_holds_a_slot_is_named() {
        assert_eq!(last_number("replication slot \"s1\" is active for PID 4711"), Some(4711));
        assert_eq!(last_number("Replikations-Slot »s1« ist aktiv für PID 4711."), Some(4711));
        assert_eq!(last_number("somebody reads from \"s1\""), None);
        assert_eq!(last_number(""), None);
    }

    #[test]
    fn every_page_has_its_own_number_in_this_rooms_block() {
        let mut numbers: Vec<u16> = CODES.iter().map(|code| code.number).collect();
        assert!(numbers.iter().all(|number| (1200..1300).contains(number)));
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }
}
