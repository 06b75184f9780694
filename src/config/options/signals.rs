//! Signals, notifications, heartbeats.

use super::super::option::{ConfigOption, Group, Kind, option};
use super::{FROM_ZERO, NO_SIGNALS, POSITIVE};

pub(super) const OPTIONS: &[ConfigOption] = &[
    signal("signal.data.collection", Kind::List, "The table that signals are written to, as database.table").high(),
    signal("signal.enabled.channels", Kind::List, "Where signals come from: source, kafka, jmx, file, in-process")
        .or("source")
        .high(),
    signal("signal.poll.interval.ms", Kind::Number(POSITIVE.0, POSITIVE.1), "How often the channels are asked")
        .or("5000")
        .unit("ms"),
    signal("signal.emit.failure.max.retries", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Attempts to write a watermark")
        .or("0")
        .low(),
    signal("signal.emit.failure.backoff.ms", Kind::Number(0, i64::MAX), "Pause between them")
        .or("10000")
        .unit("ms")
        .low(),
    signal(
        "signal.kafka.topic",
        Kind::TopicName,
        "Topic of the kafka channel; <topic.prefix>-signal when it is not set",
    ),
    signal("signal.kafka.groupId", Kind::Text, "Group of its consumer").or("kafka-signal"),
    signal("signal.kafka.bootstrap.servers", Kind::List, "Brokers of that topic"),
    signal("signal.kafka.poll.timeout.ms", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "How long one poll waits")
        .or("100")
        .unit("ms")
        .low(),
    signal("signal.consumer.*", Kind::Text, "Any setting of that consumer"),
    signal("signal.file", Kind::Text, "File of the file channel").or("file-signals.txt"),
    signal("notification.enabled.channels", Kind::List, "Where notifications go: sink, log, jmx"),
    signal("notification.sink.topic.name", Kind::TopicName, "Topic of the sink channel"),
    heartbeat(
        "heartbeat.interval.ms",
        Kind::Number(FROM_ZERO.0, FROM_ZERO.1),
        "How often a heartbeat record is written; 0 is never",
    )
    .or("0")
    .unit("ms")
    .high(),
    heartbeat("heartbeat.action.query", Kind::Text, "SQL that is run on the server with each heartbeat"),
];

const fn signal(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Signals).no_effect(NO_SIGNALS)
}

const fn heartbeat(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Heartbeat)
}
