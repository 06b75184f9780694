//! What can go wrong with a connection, and what is done about it.
//!
//! A server's refusal is sorted by its number: weather (shutting down, too many connections) is tried again,
//! state (password, privileges, purged binlogs) stops the connector with the statement that mends it.

use super::super::super::line::{Doing, LineError, beginning};
use super::super::wire::WireError;
use super::super::wire::response::ServerError;
use crate::error::{Code, Coded, Disposition};

/// An error of the connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The line itself.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The connection is in the middle of something that failed.
    #[error("the connection was given up after an earlier error")]
    GivenUp,
    /// The bytes are not the protocol's.
    #[error(transparent)]
    Wire(#[from] WireError),

    /// TLS is wanted and the server has none.
    #[error("database.ssl.mode wants TLS, and the server offers none")]
    TlsNotOffered,
    /// The server demands TLS.
    #[error("the server demands TLS: {0}")]
    TlsDemanded(ServerError),

    /// Wrong name or password, or no right to the database.
    #[error("user {user:?} is refused: {error}")]
    AccessDenied {
        /// The user.
        user: String,
        /// The server's words.
        error: ServerError,
    },
    /// A privilege is missing.
    #[error("a privilege is missing: {0}")]
    PrivilegeMissing(ServerError),
    /// The server does not accept connections from this machine.
    #[error("the server does not accept this machine: {0}")]
    HostNotAllowed(ServerError),
    /// The server has blocked this machine after failed connections.
    #[error("the server has blocked this machine: {0}")]
    HostBlocked(ServerError),
    /// The password has expired.
    #[error("the password has expired: {0}")]
    PasswordExpired(ServerError),
    /// The account is locked.
    #[error("the account is locked: {0}")]
    AccountLocked(ServerError),
    /// The login plugin is not known here.
    #[error("the login plugin {0:?} is not supported")]
    PluginUnsupported(String),
    /// The password would travel readable.
    #[error("the server wants the password in the clear, and the line is not encrypted")]
    ClearPasswordRefused,
    /// The login of servers before 4.1.
    #[error("the account uses the password hash of servers before 4.1")]
    OldPassword,

    /// The server cannot take a connection or a statement now.
    #[error("the server cannot serve now: {0}")]
    Unavailable(ServerError),
    /// A statement was refused.
    #[error("{error} (statement: {statement})")]
    Sql {
        /// The server's words.
        error: ServerError,
        /// The beginning of the statement.
        statement: String,
    },
    /// The server asks for a file of this machine.
    #[error("the server asks for a local file; that is never given")]
    LocalInfile,
    /// A result larger than fits in memory at once.
    #[error("a result of more than {limit} bytes (statement: {statement})")]
    ResultTooLarge {
        /// The limit.
        limit: usize,
        /// The beginning of the statement.
        statement: String,
    },
    /// A request for the binlog that cannot be made.
    #[error("the binlog cannot be asked for: {0}")]
    BadRequest(&'static str),
    /// The position does not fit the protocol.
    #[error("position {position} of {file}: the protocol has no positions beyond 4 GiB")]
    PositionTooLarge {
        /// The file.
        file: String,
        /// The position.
        position: u64,
    },
    /// The server refuses the dump, or ended it.
    #[error("the server refuses the binlog: {error}")]
    Dump {
        /// Which of the reasons.
        refusal: DumpRefusal,
        /// The server's words.
        error: ServerError,
    },
}

/// Why a server refuses to send its binlog (error 1236 and kin, told apart by their text).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpRefusal {
    /// The events asked for are no longer there.
    Purged,
    /// We have transactions that the server does not have.
    ClientAhead,
    /// The position is not in the file.
    ImpossiblePosition,
    /// Another client with our server id or UUID took over.
    ServerIdTaken,
    /// The server writes no binlog.
    BinlogDisabled,
    /// The server is not in GTID mode.
    GtidModeOff,
    /// An event is longer than `max_allowed_packet`.
    EventTooLarge,
    /// None of these.
    Other,
}

impl DumpRefusal {
    /// By the text of the server: MySQL 5.6 to 9.x (`share/messages_to_clients.txt`, `rpl_binlog_sender.cc`) and
    /// MariaDB (`sql_repl.cc`). The numbers do not tell the reasons apart, so the words have to.
    pub fn of(message: &str) -> Self {
        let text = message.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["same server_uuid", "same server_id", "same server-id", "server_uuid/server_id"]) {
            Self::ServerIdTaken
        } else if has(&["more gtids than", "which is not in the master's binlog", "has diverged"]) {
            Self::ClientAhead
        } else if has(&[
            "purged",
            "could not find first log file",
            "too old and required binlog files",
            "could not find gtid state requested",
            "could not find next log",
        ]) {
            Self::Purged
        } else if has(&["> file size", "impossible position"]) {
            Self::ImpossiblePosition
        } else if has(&["binary log is not open", "binary logging is not enabled", "binlog closed"]) {
            Self::BinlogDisabled
        } else if has(&["gtid_mode"]) {
            Self::GtidModeOff
        } else if has(&["max_allowed_packet"]) {
            Self::EventTooLarge
        } else {
            Self::Other
        }
    }

    fn code(self) -> &'static Code {
        match self {
            Self::Purged => &PURGED,
            Self::ClientAhead => &CLIENT_AHEAD,
            Self::ImpossiblePosition => &IMPOSSIBLE_POSITION,
            Self::ServerIdTaken => &SERVER_ID_TAKEN,
            Self::BinlogDisabled => &BINLOG_DISABLED,
            Self::GtidModeOff => &GTID_MODE_OFF,
            Self::EventTooLarge => &EVENT_TOO_LARGE,
            Self::Other => &DUMP_REFUSED,
        }
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
            Self::TlsDemanded(error)
            | Self::AccessDenied { error, .. }
            | Self::PrivilegeMissing(error)
            | Self::HostNotAllowed(error)
            | Self::HostBlocked(error)
            | Self::PasswordExpired(error)
            | Self::AccountLocked(error)
            | Self::Unavailable(error)
            | Self::Sql { error, .. }
            | Self::Dump { error, .. } => Some(error),
            Self::Line(_)
            | Self::GivenUp
            | Self::Wire(_)
            | Self::TlsNotOffered
            | Self::PluginUnsupported(_)
            | Self::ClearPasswordRefused
            | Self::OldPassword
            | Self::LocalInfile
            | Self::ResultTooLarge { .. }
            | Self::BadRequest(_)
            | Self::PositionTooLarge { .. } => None,
        }
    }

    /// Sorts an ERR packet. `statement` is what was asked, for the error of a statement; during the dump
    /// every refusal is the dump's.
    pub(super) fn refused(error: ServerError, doing: Doing, user: &str, statement: &str) -> Self {
        match error.number {
            // ER_ACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR. Behind the login
            // the first two mean a privilege: MySQL answers COM_REGISTER_SLAVE like that.
            1045 | 1044 | 1698 if matches!(doing, Doing::GREETING | Doing::LOGIN) => {
                Self::AccessDenied { user: user.to_owned(), error }
            }
            1045 | 1044 | 1698 => Self::PrivilegeMissing(error),
            // ER_SPECIFIC_ACCESS_DENIED_ERROR; table, column, routine privileges
            1227 | 1142 | 1143 | 1370 => Self::PrivilegeMissing(error),
            1130 => Self::HostNotAllowed(error),
            1129 => Self::HostBlocked(error),
            1820 | 1862 => Self::PasswordExpired(error),
            // ER_ACCOUNT_HAS_BEEN_LOCKED of MySQL and of MariaDB
            3118 | 4151 => Self::AccountLocked(error),
            3159 => Self::TlsDemanded(error),
            // Too many connections (server, user, resource), shutdown, killed, interrupted, lock wait,
            // deadlock, idle limit, offline mode, out of memory or threads, statement time limit.
            1040 | 1203 | 1226 | 1053 | 1079 | 1927 | 3169 | 1317 | 1205 | 1213 | 4031 | 3032 | 1037 | 1041 | 1135
            | 1152 | 1158 | 1159 | 1160 | 1161 | 1184 | 3024 | 1969 => Self::Unavailable(error),
            _ if matches!(doing, Doing::DUMP | Doing::STREAM) && statement.is_empty() => {
                Self::Dump { refusal: DumpRefusal::of(&error.message), error }
            }
            _ => Self::Sql { error, statement: beginning(statement) },
        }
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
        LineError::Store { .. } => &STORE,
        LineError::JavaKeystore { .. } => &JAVA_KEYSTORE,
    }
}

impl Coded for ConnectionError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Line(error) => line_page(error),
            Self::GivenUp => &BROKEN,
            Self::Wire(error) => error.code(),
            Self::TlsNotOffered => &TLS_NOT_OFFERED,
            Self::TlsDemanded(_) => &TLS_DEMANDED,
            Self::AccessDenied { .. } => &ACCESS_DENIED,
            Self::PrivilegeMissing(_) => &PRIVILEGE_MISSING,
            Self::HostNotAllowed(_) => &HOST_NOT_ALLOWED,
            Self::HostBlocked(_) => &HOST_BLOCKED,
            Self::PasswordExpired(_) => &PASSWORD_EXPIRED,
            Self::AccountLocked(_) => &ACCOUNT_LOCKED,
            Self::PluginUnsupported(_) => &PLUGIN_UNSUPPORTED,
            Self::ClearPasswordRefused => &CLEAR_PASSWORD,
            Self::OldPassword => &OLD_PASSWORD,
            Self::Unavailable(_) => &UNAVAILABLE,
            Self::Sql { .. } => &SQL,
            Self::LocalInfile => &LOCAL_INFILE,
            Self::ResultTooLarge { .. } => &RESULT_TOO_LARGE,
            Self::BadRequest(_) => &BAD_REQUEST,
            Self::PositionTooLarge { .. } => &POSITION_TOO_LARGE,
            Self::Dump { refusal, .. } => refusal.code(),
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
    STOPPED 210 Stop "The connection was stopped on request"
        "Nothing is wrong: the connector was paused, stopped or restarted.";
    UNKNOWN_HOST 211 Retry "The database's host name has no address"
        "Check database.hostname and the DNS of this machine or container. Headwater tries again.";
    CONNECT 212 Retry "The database does not accept TCP connections"
        "Check database.hostname, database.port, firewalls, and that the server runs and listens on that \
         address (bind_address, skip_networking). Headwater tries again.";
    DEADLINE 213 Retry "The server did not answer in time"
        "The server hangs, is overloaded, or something on the way swallows packets. The limits are \
         connect.timeout.ms and database.query.timeout.ms. Headwater reconnects.";
    BROKEN 214 Retry "The connection to the server broke"
        "A restart of the server, KILL, a proxy or the network ended it. Headwater reconnects and continues \
         from the acknowledged position.";
    TLS_NOT_OFFERED 215 Stop "TLS is wanted, and the server offers none"
        "Give the server a certificate (ssl_cert, ssl_key in its configuration), or set database.ssl.mode to \
         preferred (MySQL) or disable (MariaDB).";
    TLS_HANDSHAKE 216 Stop "The TLS handshake failed"
        "Server and client found no common protocol or cipher, or the server refused the client's certificate. \
         Compare SHOW VARIABLES LIKE 'tls_version' with what OpenSSL here allows, and check database.ssl.keystore.";
    TLS_BROKEN 217 Retry "Encrypted traffic was damaged"
        "Bytes were changed on the way. Headwater reconnects.";
    UNTRUSTED 218 Stop "Nobody trusted vouches for the server's certificate"
        "Put the authority that signed the server's certificate (MySQL: ca.pem in its data folder) into \
         database.ssl.truststore, or set database.ssl.mode to required (MySQL) or trust (MariaDB).";
    WRONG_HOST 219 Stop "The server's certificate is made out for another host"
        "Connect under a name that the certificate holds (certificates that MySQL makes itself hold none), or set \
         database.ssl.mode to verify_ca (MySQL) or verify-ca (MariaDB).";
    STORE 220 Stop "A truststore or keystore cannot be used"
        "Check the path, the password and the format: PEM, PKCS12 and JKS are read. A PKCS12 of an old \
         Java is mended by: openssl pkcs12 -legacy -in old.p12 -nodes -out store.pem";
    JAVA_KEYSTORE 221 Stop "A Java keystore holds the client's private key in an encryption of its own"
        "The key is encrypted in a way that only Java reads (a JCE keystore). Convert the file: keytool -importkeystore -srckeystore store.jks \
         -destkeystore store.p12 -deststoretype PKCS12, and name store.p12 in database.ssl.keystore.";
    TLS_DEMANDED 222 Stop "The server accepts only encrypted connections"
        "Set database.ssl.mode to required (MySQL) or trust (MariaDB).";
    ACCESS_DENIED 223 Stop "The server refuses the user or the password"
        "Check database.user and database.password, or mend the account: \
         ALTER USER 'name'@'%' IDENTIFIED BY '…'; an account that demands TLS (REQUIRE SSL) answers the same.";
    PRIVILEGE_MISSING 224 Stop "The user lacks a privilege"
        "MySQL: GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'name'@'%'; \
         MariaDB: GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'name'@'%';";
    HOST_NOT_ALLOWED 225 Stop "The server has no account for this machine"
        "Make the account for this machine's address: CREATE USER 'name'@'%' IDENTIFIED BY '…'; and grant it its privileges.";
    HOST_BLOCKED 226 Stop "The server has blocked this machine after failed connections"
        "Unblock it: TRUNCATE TABLE performance_schema.host_cache; (MySQL) or FLUSH HOSTS; (MariaDB), and find \
         what connects and breaks off (port scans, health checks); max_connect_errors is the limit.";
    PASSWORD_EXPIRED 227 Stop "The password has expired"
        "ALTER USER 'name'@'%' PASSWORD EXPIRE NEVER; or give it a new one: ALTER USER 'name'@'%' IDENTIFIED BY '…';";
    ACCOUNT_LOCKED 228 Stop "The account is locked"
        "ALTER USER 'name'@'%' ACCOUNT UNLOCK;";
    PLUGIN_UNSUPPORTED 229 Stop "The account's login plugin is not supported"
        "Give the account a supported one: ALTER USER 'name'@'%' IDENTIFIED WITH caching_sha2_password BY '…'; (MySQL) or \
         ALTER USER 'name'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('…'); (MariaDB).";
    CLEAR_PASSWORD 230 Stop "The password would be sent readable"
        "The account's plugin (LDAP, PAM) wants the password as it is. Set database.ssl.mode to required (MySQL) or \
         trust (MariaDB).";
    OLD_PASSWORD 231 Stop "The account uses the password hash of servers before 4.1"
        "That hash protects nothing. Give it a new one: SET PASSWORD FOR 'name'@'%' = PASSWORD('…'); with old_passwords=0.";
    UNAVAILABLE 232 Retry "The server cannot serve now"
        "It is starting, stopping, out of connections (max_connections, max_user_connections) or killed the session. \
         Headwater tries again.";
    SQL 233 Stop "The server refuses a statement"
        "The statement and the server's words are in the message. If the server is a proxy or a very old version, \
         connect to a supported server directly.";
    LOCAL_INFILE 234 Stop "The server asks for a file of this machine"
        "No statement of Headwater loads local files: the server, or what stands between, is not to be trusted.";
    RESULT_TOO_LARGE 235 Stop "A result does not fit in memory"
        "A statement that should answer little answered very much; its beginning is in the message.";
    BAD_REQUEST 236 Stop "The stored position cannot be sent to the server"
        "The stored offset holds text that no server wrote. Look at the record in the offsets topic.";
    POSITION_TOO_LARGE 237 Stop "The protocol has no positions beyond 4 GiB"
        "A transaction made the binlog file larger than 4 GiB. Continue by GTID (MySQL: gtid_mode=ON), or from the \
         beginning of the next file.";
    PURGED 240 Stop "The binlog that is needed has been purged"
        "Changes between the stored position and SHOW BINARY LOGS' first file are gone from the server. Take a new snapshot \
         (snapshot.mode=when_needed), and keep binlogs longer: SET PERSIST binlog_expire_logs_seconds = 604800; \
         on RDS and Aurora: CALL mysql.rds_set_configuration('binlog retention hours', 168);";
    CLIENT_AHEAD 241 Stop "The server lacks transactions that were already read"
        "The stored GTID set holds transactions that this server does not have: it is another server, was restored \
         from a backup, or a failover lost them. Compare SELECT @@global.gtid_executed (MySQL) or @@global.gtid_binlog_pos \
         (MariaDB) with the stored offset; if the server is right, take a new snapshot.";
    IMPOSSIBLE_POSITION 242 Stop "The stored position is not in the server's binlog"
        "The file is shorter than the position: another server, or a crash of one with sync_binlog=0 lost its end. \
         Compare SHOW BINARY LOGS with the stored offset, and take a new snapshot if the server is right.";
    SERVER_ID_TAKEN 243 Stop "Another client reads the binlog under the same server id"
        "Give each connector and replica its own database.server.id: SHOW REPLICAS; lists those in use.";
    BINLOG_DISABLED 244 Stop "The server writes no binlog"
        "Set log_bin=binlog, binlog_format=ROW and server_id in the server's configuration and restart it; on RDS switch on \
         automated backups.";
    GTID_MODE_OFF 245 Stop "The server is not in GTID mode"
        "The stored position is a GTID set: SET GLOBAL gtid_mode=ON (by the steps of the manual, \
         \"Changing GTID Mode Online\"), or continue by file and position.";
    EVENT_TOO_LARGE 246 Stop "An event is longer than the server may send"
        "SET GLOBAL max_allowed_packet = 1073741824; The server applies it to new connections.";
    DUMP_REFUSED 247 Stop "The server refuses to send its binlog"
        "The server's words are in the message; its error log may say more. Check the binlog files with mysqlbinlog --verify-binlog-checksum.";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn server_error(number: u16, message: &str) -> ServerError {
        ServerError { number, sql_state: "HY000".to_owned(), message: message.to_owned() }
    }

    fn check_dump(message: &str, expected: u16, weather: bool) {
        let error = ConnectionError::refused(server_error(1236, message), Doing::STREAM, "cdc", "");
        assert_eq!((error.code().number, error.is_weather()), (expected, weather), "{message}");
    }

    #[test]
    fn refusals_of_the_dump_are_told_apart_by_their_words() {
        // The texts of MySQL 5.6 to 9.x and MariaDB 10 to 11.
        for (message, code) in [
            ("Could not find first log file name in binary log index file", 240),
            (
                "The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs containing GTIDs that the slave requires.",
                240,
            ),
            (
                "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or provision a new replica from backup.",
                240,
            ),
            (
                "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged.",
                240,
            ),
            ("Slave has more GTIDs than the master has, using the master's SERVER_UUID. This may indicate …", 241),
            ("Replica has more GTIDs than the source has, using the source's SERVER_UUID.", 241),
            ("Error: connecting slave requested to start from GTID 0-1-99, which is not in the master's binlog", 241),
            ("Client requested master to start replication from position > file size", 242),
            ("Client requested source to start replication from impossible position; the first event …", 242),
            ("A slave with the same server_uuid/server_id as this slave has connected to the master; …", 243),
            ("A slave with the same server_uuid as this slave has connected to the master", 243),
            ("Binary log is not open", 244),
            (
                "The replication sender thread cannot start in AUTO_POSITION mode: this server has GTID_MODE = OFF instead of ON.",
                245,
            ),
            ("log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source", 246),
            ("binlog truncated in the middle of event; consider out of disk space on source", 247),
        ] {
            check_dump(message, code, false);
        }
    }

    #[test]
    fn refusals_of_the_server_are_sorted_by_their_number() {
        for (number, code, weather) in [
            (1045, 224, false),
            (1227, 224, false),
            (1040, 232, true),
            (1053, 232, true),
            (1130, 225, false),
            (1129, 226, false),
            (1064, 233, false),
            (3159, 222, false),
        ] {
            let error = ConnectionError::refused(server_error(number, "x"), Doing::QUERY, "cdc", "SELECT 1");
            assert_eq!((error.code().number, error.is_weather()), (code, weather), "{number}");
        }
    }

    #[test]
    fn every_page_has_its_own_number_in_this_rooms_block() {
        let mut numbers: Vec<u16> =
            CODES.iter().chain(super::super::super::wire::error::CODES).map(|code| code.number).collect();
        assert!(numbers.iter().all(|number| (200..300).contains(number)));
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }
}
