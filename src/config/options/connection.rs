//! Reaching the database (`database.*` and the rest of Debezium's connection group).

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::{FROM_ZERO, NO_SIGNALS, POSITIVE, old};
use crate::model::modes::SslMode;

const MYSQL_SSL: &[&str] = &["disabled", "preferred", "required", "verify_ca", "verify_identity"];
const MARIADB_SSL: &[&str] = &["disable", "trust", "verify-ca", "verify-full"];

const NO_JDBC: &str = "there is no JDBC driver here";

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("database.hostname", Kind::Text, "Name or address of the server").required(),
    row("database.port", Kind::Number(1, 65_535), "Port of the server").or("3306").high().for_(Applies::BINLOG),
    row("database.port", Kind::Number(1, 65_535), "Port of the server").or("5432").high().for_(Applies::POSTGRES),
    row("database.user", Kind::Text, "The user to log in as").required(),
    row("database.password", Kind::Password, "The user's password").high(),
    row("database.dbname", Kind::Text, "The database that is captured").required().for_(Applies::POSTGRES),
    row(
        "database.server.id",
        Kind::Number(1, u32::MAX as i64),
        "The id this replica has at the server; no other replica or server may have it",
    )
    .required()
    .for_(Applies::BINLOG),
    row("database.server.id.offset", Kind::Number(i64::MIN, i64::MAX), "Added to the id for further connections")
        .or("10000")
        .low()
        .for_(Applies::BINLOG)
        .no_effect("one binlog connection is enough"),
    row("database.jdbc.driver", Kind::Class, "Class of the JDBC driver").low().for_(Applies::MYSQL).no_effect(NO_JDBC),
    row("database.protocol", Kind::Text, "Protocol of the JDBC address").low().for_(Applies::MYSQL).no_effect(NO_JDBC),
    row("connector.adapter", Kind::Text, "Whether the server is MySQL or MariaDB")
        .low()
        .for_(Applies::BINLOG)
        .no_effect("the server says itself which of the two it is"),
    row("database.connection.factory.class", Kind::Class, "Class that makes JDBC connections")
        .low()
        .for_(Applies::POSTGRES)
        .no_effect(NO_JDBC),
    row(
        "database.initial.statements",
        Kind::Text,
        "SQL for each new session, separated by ';'; ';;' is a semicolon itself",
    )
    .low(),
    row(
        "database.query.timeout.ms",
        Kind::Number(FROM_ZERO.0, FROM_ZERO.1),
        "How long one query may take; 0 is without limit",
    )
    .or("600000")
    .unit("ms")
    .low(),
    row("connect.timeout.ms", Kind::Number(POSITIVE.0, POSITIVE.1), "How long connecting, TLS and logging in may take")
        .or("30000")
        .unit("ms")
        .was(&[old("connection.timeout.ms", "1.0")]),
    row("connect.keep.alive", Kind::Bool, "Whether a thread checks that the binlog connection is alive")
        .or("true")
        .low()
        .for_(Applies::BINLOG)
        .no_effect("every connection is watched: see headwater.heartbeat.period.ms"),
    row("connect.keep.alive.interval.ms", Kind::Number(POSITIVE.0, POSITIVE.1), "How often that thread looks")
        .or("60000")
        .unit("ms")
        .low()
        .for_(Applies::BINLOG)
        .no_effect("every connection is watched: see headwater.heartbeat.period.ms"),
    row(
        "use.nongraceful.disconnect",
        Kind::Bool,
        "Whether a dead connection is dropped without waiting for the server",
    )
    .or("false")
    .low()
    .for_(Applies::BINLOG)
    .no_effect("a silent connection is always dropped without waiting"),
    row(
        "binlog.net.write.timeout",
        Kind::Number(0, i64::MAX),
        "net_write_timeout of the session; 0 keeps the server's",
    )
    .or("0")
    .unit("s")
    .low()
    .for_(Applies::BINLOG),
    row("binlog.net.read.timeout", Kind::Number(0, i64::MAX), "net_read_timeout of the session; 0 keeps the server's")
        .or("0")
        .unit("s")
        .low()
        .for_(Applies::BINLOG),
    row(
        "database.ssl.mode",
        Kind::Word(MYSQL_SSL, |word| SslMode::parse(word).map(SslMode::as_str)),
        "Whether the connection is encrypted, and whom it trusts",
    )
    .or("preferred")
    .for_(Applies::MYSQL),
    row(
        "database.ssl.mode",
        Kind::Word(MARIADB_SSL, mariadb_ssl),
        "Whether the connection is encrypted, and whom it trusts",
    )
    .or("disable")
    .for_(Applies::MARIADB),
    row("database.ssl.keystore", Kind::Text, "The client's certificate and key: a JKS, PKCS12 or PEM file")
        .for_(Applies::BINLOG),
    row("database.ssl.keystore.password", Kind::Password, "Password of the keystore").for_(Applies::BINLOG),
    row("database.ssl.truststore", Kind::Text, "The authorities to trust: a JKS, PKCS12 or PEM file")
        .for_(Applies::BINLOG),
    row("database.ssl.truststore.password", Kind::Password, "Password of the truststore").for_(Applies::BINLOG),
    row("connection.validation.timeout.ms", Kind::Number(1, i64::MAX), "How long the check of a connection may take")
        .or("60000")
        .unit("ms")
        .low()
        .no_effect(
            "a connection is checked by what is asked on it, within connect.timeout.ms and database.query.timeout.ms",
        ),
    row("read.only", Kind::Bool, "Whether snapshot watermarks are read and never written")
        .or("false")
        .low()
        .no_effect(NO_SIGNALS),
    row(
        "headwater.protocol.compression",
        Kind::Word(&["none", "zlib", "zstd"], |word| {
            ["none", "zlib", "zstd"].into_iter().find(|known| word.trim().eq_ignore_ascii_case(known))
        }),
        "Compression of the connection to the server, where the server offers it",
    )
    .or("none")
    .low()
    .for_(Applies::BINLOG),
    row("driver.*", Kind::Text, "Properties of the JDBC driver").low().no_effect(NO_JDBC),
    row("database.*", Kind::Text, "Anything else under database. is a property of the JDBC driver")
        .low()
        .no_effect(NO_JDBC),
];

/// MariaDB's words for what MySQL calls disabled, required, verify_ca and verify_identity.
fn mariadb_ssl(word: &str) -> Option<&'static str> {
    match SslMode::parse(word)? {
        SslMode::Disabled => Some("disable"),
        SslMode::Preferred => Some("preferred"),
        SslMode::Required => Some("trust"),
        SslMode::VerifyCa => Some("verify-ca"),
        SslMode::VerifyIdentity => Some("verify-full"),
    }
}

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Connection)
}
