//! What Kafka Connect itself reads of a connector (`ConnectorConfig`, `SourceConnectorConfig`,
//! `TopicCreationConfig` of Kafka).

use super::super::option::{ConfigOption, Group, Kind, option};
use super::POSITIVE;
use crate::model::modes::ErrorsTolerance;

const ONE_VERSION: &str = "what is built in has one version, that of this program";

const EXACTLY_ONCE: Kind = Kind::Word(&["requested", "required"], |word| {
    ["requested", "required"].into_iter().find(|known| word.trim().eq_ignore_ascii_case(known))
});
const BOUNDARY: Kind = Kind::Word(&["poll", "interval", "connector"], |word| {
    ["poll", "interval", "connector"].into_iter().find(|known| word.trim().eq_ignore_ascii_case(known))
});
const RELOAD: Kind = Kind::Word(&["none", "restart"], |word| {
    ["none", "restart"].into_iter().find(|known| word.trim().eq_ignore_ascii_case(known))
});
const TOLERANCE: Kind =
    Kind::Word(ErrorsTolerance::WORDS, |word| ErrorsTolerance::parse(word).map(ErrorsTolerance::as_str));

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("name", Kind::Text, "The connector's name; also its namespace in the offsets topic").required(),
    row("connector.class", Kind::Class, "Which database is read").required(),
    row("connector.plugin.version", Kind::Text, "Which of several versions of the class is meant (KIP-891)")
        .low()
        .no_effect(ONE_VERSION),
    row("tasks.max", Kind::Number(POSITIVE.0, POSITIVE.1), "How many tasks may run; a binlog is read by one, whatever stands here")
        .or("1"),
    row("tasks.max.enforce", Kind::Bool, "Whether more tasks than tasks.max are an error")
        .or("true")
        .low()
        .no_effect("there is always one task"),
    row("key.converter", Kind::Class, "How keys are written; the worker's setting otherwise").high(),
    row("key.converter.plugin.version", Kind::Text, "Which version of that class").low().no_effect(ONE_VERSION),
    row("key.converter.*", Kind::Text, "Options of the key converter").high(),
    row("value.converter", Kind::Class, "How values are written; the worker's setting otherwise").high(),
    row("value.converter.plugin.version", Kind::Text, "Which version of that class").low().no_effect(ONE_VERSION),
    row("value.converter.*", Kind::Text, "Options of the value converter").high(),
    row("header.converter", Kind::Class, "How headers are written; the worker's setting otherwise").low(),
    row("header.converter.plugin.version", Kind::Text, "Which version of that class").low().no_effect(ONE_VERSION),
    row("header.converter.*", Kind::Text, "Options of the header converter").low(),
    row("transforms", Kind::List, "Names of the transforms that each record goes through")
        .high(),
    row("transforms.*", Kind::Text, "Class (type), predicate, negate and options of each, beneath its name: see Transforms below").high(),
    row("predicates", Kind::List, "Names of the predicates that transforms ask"),
    row("predicates.*", Kind::Text, "Class (type) and options of each, beneath its name: see Predicates below"),
    row("topic.creation.groups", Kind::List, "Names of further groups of settings for new topics").high(),
    row("topic.creation.<group>.replication.factor", Kind::Number(-1, i16::MAX as i64), "Copies of each partition of a new topic; -1 leaves it to the broker. Topics are created when the group default has this and partitions")
        .high(),
    row("topic.creation.<group>.partitions", Kind::Number(-1, POSITIVE.1), "Partitions of a new topic; -1 leaves it to the broker")
        .high(),
    row("topic.creation.<group>.include", Kind::Regexes, "Topics that belong to this group"),
    row("topic.creation.<group>.exclude", Kind::Regexes, "Topics that do not belong to this group"),
    row("topic.creation.<group>.*", Kind::Text, "Any setting of a topic, such as cleanup.policy or retention.ms"),
    row("producer.override.*", Kind::Text, "Any producer setting of Kafka's Java client, over the worker's").high(),
    row("consumer.override.*", Kind::Text, "Any consumer setting, over what the producer has, for the client that reads the canary back: see headwater.canary.read.back")
        .low(),
    row("admin.override.*", Kind::Text, "Any setting of the client that creates topics, over the worker's").low(),
    row("errors.tolerance", TOLERANCE, "Whether a record that a transform or converter fails at stops the connector (none) or is left out, counted, and logged where errors.log.enable says so (all)")
        .or("none"),
    row("errors.retry.timeout", Kind::Number(-1, i64::MAX), "How long a schema registry that does not answer is asked again before the connector fails, beyond registry.deadline.ms of its converter, which is one try; -1, and where it is not set, for ever (Connect's default is 0, and it leaves the record out with errors.tolerance=all, which is never done here)")
        .unit("ms"),
    row("errors.retry.delay.max.ms", Kind::Number(1, i64::MAX), "Longest pause between two of these tries (Connect's default is 60000)")
        .or("10000")
        .unit("ms"),
    row("errors.log.enable", Kind::Bool, "Whether each record that is left out is logged, with topic, stage and class").or("false"),
    row("errors.log.include.messages", Kind::Bool, "Whether such a line contains the record")
        .or("false")
        .no_effect("row values never stand in the log"),
    row("errors.deadletterqueue.topic.name", Kind::TopicName, "A topic for the records that are left out, as JSON, with headers that say where and why; Connect has it for sinks only. It is created where it is missing"),
    row("errors.deadletterqueue.topic.replication.factor", Kind::Number(-1, i16::MAX as i64), "Copies of that topic's partition when it is created; -1 leaves it to the broker")
        .or("-1")
        .low(),
    row("config.action.reload", RELOAD, "Whether a changed external secret restarts the connector")
        .or("restart")
        .low()
        .no_effect("variables are resolved when the connector starts"),
    row("exactly.once.support", EXACTLY_ONCE, "Whether the connector refuses to start without exactly-once delivery").or("requested").low(),
    row("transaction.boundary", BOUNDARY, "Where Kafka transactions end")
        .or("poll")
        .low()
        .no_effect("records are not written in Kafka transactions yet"),
    row("transaction.boundary.interval.ms", Kind::Number(0, i64::MAX), "How often Kafka transactions end")
        .unit("ms")
        .low()
        .no_effect("records are not written in Kafka transactions yet"),
    row("offsets.storage.topic", Kind::TopicName, "A topic of its own for this connector's offsets; the worker's otherwise").low(),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Framework)
}
