//! Names of topics.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::{POSITIVE, old};

pub(super) const OPTIONS: &[ConfigOption] = &[
    row(
        "topic.prefix",
        Kind::TopicName,
        "The server's logical name: it begins every topic, names the schemas, and is the key of the stored offset",
    )
    .required()
    .was(&[old("database.server.name", "2.0")]),
    row(
        "topic.naming.strategy",
        Kind::Class,
        "The class that names topics; the stock ones of io.debezium.schema are built in",
    )
    .or("io.debezium.schema.DefaultTopicNamingStrategy")
    .for_(Applies::BINLOG),
    row(
        "topic.naming.strategy",
        Kind::Class,
        "The class that names topics; the stock ones of io.debezium.schema are built in",
    )
    .or("io.debezium.schema.SchemaTopicNamingStrategy")
    .for_(Applies::POSTGRES),
    row("topic.delimiter", Kind::TopicName, "What stands between prefix, database and table").or(".").low(),
    row("topic.cache.size", Kind::Number(POSITIVE.0, POSITIVE.1), "How many names are remembered")
        .or("10000")
        .low()
        .no_effect("a table's topic is named once"),
    row("topic.heartbeat.prefix", Kind::TopicName, "Beginning of the heartbeat topic's name")
        .or("__debezium-heartbeat")
        .low()
        .was(&[old("heartbeat.topics.prefix", "2.0")]),
    row(
        "topic.heartbeat.name",
        Kind::TopicName,
        "The whole name of the heartbeat topic, instead of prefix and topic.prefix",
    )
    .low(),
    row("topic.transaction", Kind::TopicName, "End of the transaction topic's name")
        .or("transaction")
        .low()
        .was(&[old("transaction.topic", "2.0")]),
    regex("topic.regex", Kind::Regex, "Topics that DefaultRegexTopicNamingStrategy renames"),
    regex("topic.replacement", Kind::Text, "What they are renamed to"),
    regex("topic.key.enforce.uniqueness", Kind::Bool, "Whether the key of a renamed topic tells the tables apart")
        .or("true"),
    regex("topic.key.field.name", Kind::Text, "The key's field that does").or("__dbz__physicalTableIdentifier"),
    regex("topic.key.field.regex", Kind::Regex, "Expression on the old topic that gives that field's value"),
    regex("topic.key.field.replacement", Kind::Text, "What the expression gives"),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Topics)
}

/// A row that only the strategy of regular expressions reads.
const fn regex(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    row(name, kind, about).low().no_effect(
        "only io.debezium.schema.DefaultRegexTopicNamingStrategy reads it, which is not built in; the transform ByLogicalTableRouter does the same",
    )
}
