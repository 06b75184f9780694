//! The schema history: which tables had which columns at which position.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::{FROM_ZERO, POSITIVE, old};

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("schema.history.internal", Kind::Class, "Where the history is kept: in Kafka, in a file, or in memory (tests)")
        .or("io.debezium.storage.kafka.history.KafkaSchemaHistory")
        .was(&[old("database.history", "2.0")]),
    row(
        "schema.history.internal.kafka.topic",
        Kind::TopicName,
        "The topic of the history; required when it is kept in Kafka",
    )
    .high()
    .was(&[old("database.history.kafka.topic", "2.0")]),
    row(
        "schema.history.internal.kafka.bootstrap.servers",
        Kind::List,
        "The brokers of that topic; required when it is kept in Kafka",
    )
    .high()
    .was(&[old("database.history.kafka.bootstrap.servers", "2.0")]),
    row(
        "schema.history.internal.kafka.recovery.poll.interval.ms",
        Kind::Number(FROM_ZERO.0, FROM_ZERO.1),
        "How long one poll waits while the history is read",
    )
    .or("100")
    .unit("ms")
    .low()
    .was(&[old("database.history.kafka.recovery.poll.interval.ms", "2.0")]),
    row(
        "schema.history.internal.kafka.recovery.attempts",
        Kind::Number(i32::MIN as i64, POSITIVE.1),
        "Polls without an answer before reading it is given up",
    )
    .or("100")
    .low()
    .was(&[old("database.history.kafka.recovery.attempts", "2.0")]),
    row(
        "schema.history.internal.kafka.query.timeout.ms",
        Kind::Number(POSITIVE.0, POSITIVE.1),
        "How long a question to the brokers may take",
    )
    .or("3000")
    .unit("ms")
    .low()
    .was(&[old("database.history.kafka.query.timeout.ms", "2.0")])
    .no_effect("questions and writes alike have schema.history.internal.kafka.create.timeout.ms"),
    row(
        "schema.history.internal.kafka.create.timeout.ms",
        Kind::Number(POSITIVE.0, POSITIVE.1),
        "How long making the topic may take",
    )
    .or("30000")
    .unit("ms")
    .low()
    .was(&[old("database.history.kafka.create.timeout.ms", "2.0")]),
    row(
        "schema.history.internal.kafka.buffer.batch.size",
        Kind::Number(POSITIVE.0, POSITIVE.1),
        "Records written before the brokers are waited for",
    )
    .or("1024")
    .low()
    .no_effect("they are waited for after each table or statement"),
    row(
        "schema.history.internal.file.filename",
        Kind::Text,
        "The file of the history; required when it is kept in a file",
    )
    .was(&[old("database.history.file.filename", "2.0")]),
    row("schema.history.internal.skip.unparseable.ddl", Kind::Bool, "Whether DDL that cannot be read is passed over")
        .or("false")
        .was(&[old("database.history.skip.unparseable.ddl", "2.0")]),
    row(
        "schema.history.internal.store.only.captured.tables.ddl",
        Kind::Bool,
        "Whether only DDL of captured tables is kept",
    )
    .or("false")
    .high()
    .was(&[
        old("database.history.store.only.captured.tables.ddl", "2.0"),
        old("database.history.store.only.monitored.tables.ddl", "1.3"),
    ]),
    row(
        "schema.history.internal.store.only.captured.databases.ddl",
        Kind::Bool,
        "Whether only DDL of captured databases is kept",
    )
    .or("false")
    .was(&[old("database.history.store.only.captured.databases.ddl", "2.0")]),
    row("schema.history.internal.memory.optimization", Kind::Text, "Whether equal schemas share memory")
        .or("off")
        .low()
        .no_effect("they always do"),
    row("schema.history.internal.name", Kind::Text, "Client id of the history's clients")
        .low()
        .was(&[old("database.history.name", "2.0")]),
    row(
        "internal.schema.history.internal.ddl.filter",
        Kind::Regexes,
        "Statements that are neither read nor kept; the built-in list otherwise",
    )
    .low()
    .was(&[old("database.history.ddl.filter", "2.0"), old("internal.database.history.ddl.filter", "2.0")]),
    row(
        "internal.schema.history.internal.prefer.ddl",
        Kind::Bool,
        "Whether DDL is replayed rather than the tables beside it",
    )
    .or("false")
    .low()
    .was(&[old("schema.history.internal.prefer.ddl", "2.0"), old("database.history.prefer.ddl", "2.0")]),
    row("schema.history.internal.producer.*", Kind::Text, "Any setting of the client that writes the history")
        .high()
        .was(&[old("database.history.producer.*", "2.0")]),
    row("schema.history.internal.consumer.*", Kind::Text, "Any setting of the client that reads it")
        .high()
        .was(&[old("database.history.consumer.*", "2.0")]),
    row("schema.history.internal.*", Kind::Text, "Options of other places to keep the history")
        .low()
        .was(&[old("database.history.*", "2.0")])
        .no_effect("the history is kept in Kafka, in a file or in memory"),
    row("ddl.parser.type", Kind::Text, "Grammar of Debezium's DDL parser")
        .or("default")
        .low()
        .no_effect("there is one DDL reader here"),
    row("ddl.parser.mode", Kind::Text, "Generation of Debezium's DDL parser")
        .low()
        .no_effect("there is one DDL reader here"),
    row(
        "resolve.create.table.like.schema",
        Kind::Bool,
        "Whether the server is asked for the shape of CREATE TABLE … LIKE",
    )
    .or("false")
    .low()
    .no_effect("the shape is tracked"),
    row("memory.management.schemas.class", Kind::Class, "Class that keeps schemas")
        .low()
        .for_(Applies::ALL)
        .no_effect("it names a Java class"),
    row("memory.management.tables.class", Kind::Class, "Class that keeps tables")
        .low()
        .for_(Applies::ALL)
        .no_effect("it names a Java class"),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::History).for_(Applies::BINLOG)
}
