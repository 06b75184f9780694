//! Reaching the server, and where its stream starts.

use std::path::PathBuf;
use std::time::Duration;

use super::Findings;
use crate::config::option::{self, Applies};
use crate::config::secret::Secret;
use crate::config::settings::Settings;
use crate::model::modes::SslMode;
use crate::util::java_regex::JavaRegex;

/// TLS towards the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// `database.ssl.mode`.
    pub mode: SslMode,
    /// The client's certificate and key: a JKS, PKCS12 or PEM file.
    pub keystore: Option<PathBuf>,
    /// Its password.
    pub keystore_password: Option<Secret>,
    /// The authorities to trust: a JKS, PKCS12 or PEM file.
    pub truststore: Option<PathBuf>,
    /// Its password.
    pub truststore_password: Option<Secret>,
}

impl TlsOptions {
    /// None: PostgreSQL has options of its own.
    const NONE: TlsOptions = TlsOptions {
        mode: SslMode::Disabled,
        keystore: None,
        keystore_password: None,
        truststore: None,
        truststore_password: None,
    };
}

/// Compression of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolCompression {
    /// None.
    None,
    /// zlib.
    Zlib,
    /// zstd.
    Zstd,
}

/// Reaching the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password; `None` is none.
    pub password: Option<Secret>,
    /// TLS towards MySQL and MariaDB.
    pub tls: TlsOptions,
    /// Deadline for connecting, TLS and logging in.
    pub connect_timeout: Duration,
    /// Deadline for one query; zero is without.
    pub query_timeout: Duration,
    /// SQL for each new session, in order.
    pub initial_statements: Vec<String>,
    /// Compression, where the server offers it.
    pub compression: ProtocolCompression,
    /// `net_write_timeout` of the session in seconds; `None` keeps the server's.
    pub net_write_timeout_s: Option<u64>,
    /// `net_read_timeout` of the session in seconds; `None` keeps the server's.
    pub net_read_timeout_s: Option<u64>,
}

/// Where to start when no position is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartPosition {
    /// After the last transaction there is now.
    Latest,
    /// At the first binlog the server still has.
    Earliest,
    /// At a byte of a file.
    File {
        /// The binlog's name.
        file: String,
        /// Offset in bytes; the first event is at 4.
        position: u64,
    },
    /// After these transactions: a GTID set of MySQL, or a list of MariaDB's GTIDs.
    Gtids(String),
}

/// Which GTID sources are followed.
#[derive(Clone, Debug, PartialEq)]
pub struct GtidFilter {
    /// Followed when any matches the source's UUID or domain id; `None` is all.
    pub includes: Option<Vec<JavaRegex>>,
    /// Not followed when any matches.
    pub excludes: Option<Vec<JavaRegex>>,
    /// Whether events of sources that are not followed are left out.
    pub filter_events: bool,
}

/// The stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamOptions {
    /// What only a binlog has.
    pub binlog: BinlogStreamOptions,
    /// How often the server is asked to send a heartbeat.
    pub heartbeat_period: Duration,
    /// Periods of silence after which the connection is dropped.
    pub silence_heartbeats: u32,
    /// First pause before a new attempt to connect.
    pub reconnect_backoff: Duration,
    /// Longest such pause.
    pub reconnect_backoff_max: Duration,
}

/// What only the stream of a binlog has.
#[derive(Clone, Debug, PartialEq)]
pub struct BinlogStreamOptions {
    /// The id this replica has at the server.
    pub server_id: u32,
    /// Where to start without a stored position.
    pub start: StartPosition,
    /// Which GTID sources are followed.
    pub gtids: GtidFilter,
    /// Whether to resume by file and position although there are GTIDs.
    pub ignore_gtids_on_recovery: bool,
    /// Whether statements are asked for (`include.query`).
    pub include_query: bool,
}

pub(super) fn database(settings: &Settings<'_>) -> DatabaseOptions {
    let binlog = settings.place.meets(Applies::BINLOG);
    let seconds = |property: &str| {
        let number = if binlog { settings.number(property) } else { 0 };
        u64::try_from(number).ok().filter(|seconds| *seconds > 0)
    };
    DatabaseOptions {
        host: settings.text("database.hostname").unwrap_or_default(),
        port: u16::try_from(settings.number("database.port")).unwrap_or_default(),
        user: settings.text("database.user").unwrap_or_default(),
        password: settings.secret("database.password"),
        tls: if binlog { tls(settings) } else { TlsOptions::NONE },
        connect_timeout: settings.millis("connect.timeout.ms"),
        query_timeout: settings.millis("database.query.timeout.ms"),
        initial_statements: settings
            .text("database.initial.statements")
            .map(|text| statements(&text))
            .unwrap_or_default(),
        compression: if binlog { compression(settings) } else { ProtocolCompression::None },
        net_write_timeout_s: seconds("binlog.net.write.timeout"),
        net_read_timeout_s: seconds("binlog.net.read.timeout"),
    }
}

fn tls(settings: &Settings<'_>) -> TlsOptions {
    TlsOptions {
        mode: settings.word("database.ssl.mode", SslMode::parse, SslMode::Disabled),
        keystore: settings.text("database.ssl.keystore").map(PathBuf::from),
        keystore_password: settings.secret("database.ssl.keystore.password"),
        truststore: settings.text("database.ssl.truststore").map(PathBuf::from),
        truststore_password: settings.secret("database.ssl.truststore.password"),
    }
}

fn compression(settings: &Settings<'_>) -> ProtocolCompression {
    match settings.text("headwater.protocol.compression").unwrap_or_default().to_ascii_lowercase().as_str() {
        "zlib" => ProtocolCompression::Zlib,
        "zstd" => ProtocolCompression::Zstd,
        _ => ProtocolCompression::None,
    }
}

/// Statements separated by `;`, where `;;` is a semicolon of the statement itself.
fn statements(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut current = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != ';' {
            current.push(c);
        } else if rest.next_if_eq(&';').is_some() {
            current.push(';');
        } else {
            statements.push(std::mem::take(&mut current));
        }
    }
    statements.push(current);
    statements.iter().map(|statement| statement.trim().to_owned()).filter(|statement| !statement.is_empty()).collect()
}

pub(super) fn stream(settings: &Settings<'_>, findings: &mut Findings) -> StreamOptions {
    StreamOptions {
        binlog: match settings.place.meets(Applies::BINLOG) {
            true => binlog_stream(settings, findings),
            false => BinlogStreamOptions::NONE,
        },
        heartbeat_period: settings.millis("headwater.heartbeat.period.ms"),
        silence_heartbeats: u32::try_from(settings.number("headwater.silence.heartbeats")).unwrap_or_default(),
        reconnect_backoff: settings.millis("headwater.reconnect.backoff.ms"),
        reconnect_backoff_max: settings.millis("headwater.reconnect.backoff.max.ms"),
    }
}

impl BinlogStreamOptions {
    /// There is no binlog.
    const NONE: BinlogStreamOptions = BinlogStreamOptions {
        server_id: 0,
        start: StartPosition::Latest,
        gtids: GtidFilter { includes: None, excludes: None, filter_events: false },
        ignore_gtids_on_recovery: false,
        include_query: false,
    };
}

fn binlog_stream(settings: &Settings<'_>, findings: &mut Findings) -> BinlogStreamOptions {
    let written = settings.text("headwater.start.position").unwrap_or_default();
    let start = start(&written).unwrap_or_else(|| {
        let expected = "latest, earliest, a file and position such as mysql-bin.000003:4, or gtid: and a GTID set";
        findings.errors.push(settings.invalid("headwater.start.position", &written, expected));
        StartPosition::Latest
    });
    BinlogStreamOptions {
        server_id: u32::try_from(settings.number("database.server.id")).unwrap_or_default(),
        start,
        gtids: GtidFilter {
            includes: gtid_sources(settings, "gtid.source.includes", findings),
            excludes: gtid_sources(settings, "gtid.source.excludes", findings),
            filter_events: settings.flag("gtid.source.filter.dml.events"),
        },
        ignore_gtids_on_recovery: settings.flag("gtid.ignore.on.recovery"),
        include_query: settings.flag("include.query"),
    }
}

fn start(written: &str) -> Option<StartPosition> {
    if written.eq_ignore_ascii_case("latest") {
        return Some(StartPosition::Latest);
    }
    if written.eq_ignore_ascii_case("earliest") {
        return Some(StartPosition::Earliest);
    }
    if let Some(gtids) = written.strip_prefix("gtid:") {
        let gtids: String = gtids.split_whitespace().collect();
        let plausible = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | ',' | '_');
        return (!gtids.is_empty() && gtids.chars().all(plausible)).then_some(StartPosition::Gtids(gtids));
    }
    let (file, position) = written.rsplit_once(':')?;
    let named = !file.is_empty() && !file.contains(char::is_whitespace);
    let position = position.parse().ok().filter(|position| *position >= 4)?;
    named.then(|| StartPosition::File { file: file.to_owned(), position })
}

/// GTID sources; Debezium splits them at every comma, and does not know `\,` here.
fn gtid_sources(settings: &Settings<'_>, property: &str, findings: &mut Findings) -> Option<Vec<JavaRegex>> {
    let list = settings.text(property)?;
    let mut sources = Vec::new();
    for source in option::parse_list(&list) {
        match JavaRegex::parse(&source) {
            Ok(source) => sources.push(source),
            Err(error) => {
                findings.errors.push(crate::config::ConfigError::Regex { property: property.to_owned(), error });
            }
        }
    }
    Some(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_split_at_single_semicolons() {
        let check = |text: &str, expected: &[&str]| assert_eq!(statements(text), expected, "{text}");
        check("SET a=1; SET b=';;' ;", &["SET a=1", "SET b=';'"]);
        check("", &[]);
        check(";;;", &[";"]);
    }

    #[test]
    fn start_positions() {
        let check = |text: &str, expected: Option<StartPosition>| assert_eq!(start(text), expected, "{text}");
        let file = |file: &str, position| Some(StartPosition::File { file: file.into(), position });
        check("latest", Some(StartPosition::Latest));
        check("EARLIEST", Some(StartPosition::Earliest));
        check("mysql-bin.000003:1234", file("mysql-bin.000003", 1234));
        check("mysql-bin.000003:3", None);
        check("mysql-bin.000003", None);
        check(":4", None);
        check("gtid:0-1-5,1-2-3", Some(StartPosition::Gtids("0-1-5,1-2-3".into())));
        check(
            "gtid:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n a:tag:1",
            Some(StartPosition::Gtids("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,a:tag:1".into())),
        );
        check("gtid:", None);
        check("gtid:'", None);
    }
}
