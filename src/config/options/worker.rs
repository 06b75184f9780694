//! The worker: brokers, storage topics, converters, clients (`WorkerConfig`, `DistributedConfig`,
//! `StandaloneConfig` of Kafka Connect).

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::POSITIVE;

const COPIES: Kind = Kind::Number(-1, i16::MAX as i64);
const NO_PLUGINS: &str = "there are no plugins to load";
const NO_GROUP: &str = "one worker of a group runs all its connectors";

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("bootstrap.servers", Kind::List, "Addresses of the brokers").or("localhost:9092").high(),
    row(
        "group.id",
        Kind::Text,
        "The worker's group: one of its workers runs the connectors of config.storage.topic, the others wait to take over",
    )
    .high(),
    row("key.converter", Kind::Class, "How keys are written where a connector does not say")
        .or("org.apache.kafka.connect.json.JsonConverter")
        .high(),
    row("key.converter.*", Kind::Text, "Options of the key converter").high(),
    row("value.converter", Kind::Class, "How values are written where a connector does not say")
        .or("org.apache.kafka.connect.json.JsonConverter")
        .high(),
    row("value.converter.*", Kind::Text, "Options of the value converter").high(),
    row("header.converter", Kind::Class, "How headers are written where a connector does not say")
        .or("org.apache.kafka.connect.storage.SimpleHeaderConverter")
        .low(),
    row("header.converter.*", Kind::Text, "Options of the header converter").low(),
    row("offset.storage.topic", Kind::TopicName, "The topic that positions are stored in").or("connect-offsets").high(),
    row("offset.storage.partitions", Kind::Number(-1, POSITIVE.1), "Its partitions, when it has to be made")
        .or("25")
        .low(),
    row("offset.storage.replication.factor", COPIES, "Its copies, when it has to be made; -1 leaves it to the broker")
        .or("3")
        .low(),
    row("offset.storage.file.filename", Kind::Text, "A file to store positions in, instead of a topic"),
    row("offset.storage.*", Kind::Text, "Any setting of the offsets topic").low(),
    row("config.storage.topic", Kind::TopicName, "The topic that connectors' configurations are stored in")
        .or("connect-configs")
        .high(),
    row("config.storage.replication.factor", COPIES, "Its copies, when it has to be made").or("3").low(),
    row("config.storage.*", Kind::Text, "Any setting of the configurations topic").low(),
    row("status.storage.topic", Kind::TopicName, "The topic that connectors' states and the topics they write to are kept in, as Kafka Connect reads them")
        .or("connect-status")
        .high(),
    row("status.storage.partitions", Kind::Number(-1, POSITIVE.1), "Its partitions, when it has to be made")
        .or("5")
        .low(),
    row("status.storage.replication.factor", COPIES, "Its copies, when it has to be made")
        .or("3")
        .low(),
    row("status.storage.*", Kind::Text, "Any setting of the states topic").low(),
    row("offset.flush.interval.ms", Kind::Number(1, i64::MAX), "How often positions are stored").or("60000").unit("ms"),
    row("offset.flush.timeout.ms", Kind::Number(1, i64::MAX), "How long storing them may take").or("5000").unit("ms"),
    row(
        "task.shutdown.graceful.timeout.ms",
        Kind::Number(0, i64::MAX),
        "How long stopping may take: draining, storing positions, leaving",
    )
    .or("5000")
    .unit("ms"),
    row("producer.*", Kind::Text, "Any setting of the producers").high(),
    row("consumer.*", Kind::Text, "Any setting of the consumers"),
    row("admin.*", Kind::Text, "Any setting of the clients that make topics"),
    row("topic.creation.enable", Kind::Bool, "Whether connectors may have topics made").or("true"),
    row("topic.tracking.enable", Kind::Bool, "Whether the topics that a connector writes to are remembered")
        .or("true")
        .low(),
    row("topic.tracking.allow.reset", Kind::Bool, "Whether that memory may be cleared").or("true").low(),
    row(
        "connector.client.config.override.policy",
        Kind::Text,
        "Which settings of producer.override a connector may make: All, None or Principal",
    )
    .or("All"),
    row("config.providers", Kind::List, "Names of the providers of variables"),
    row("config.providers.*", Kind::Text, "Class and options of a provider"),
    row("security.protocol", Kind::Text, "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL").or("PLAINTEXT").high(),
    row("sasl.*", Kind::Text, "How the worker logs in at the brokers").high(),
    row("ssl.*", Kind::Text, "How the worker encrypts its connections to the brokers").high(),
    row("client.id", Kind::Text, "Name of the worker's clients").low(),
    row("client.dns.lookup", Kind::Text, "How addresses of brokers are looked up").or("use_all_dns_ips").low(),
    row(
        "exactly.once.source.support",
        Kind::Word(&["disabled", "enabled", "preparing"], exactly_once),
        "Whether records and positions are written in one transaction",
    )
    .or("disabled"),
    row("plugin.path", Kind::List, "Folders with plugins").low().no_effect(NO_PLUGINS),
    row("plugin.discovery", Kind::Text, "How plugins are found").low().no_effect(NO_PLUGINS),
    row("internal.key.converter", Kind::Class, "Converter of stored keys").low().no_effect("Kafka 3 removed it"),
    row("internal.key.converter.*", Kind::Text, "Its options").low().no_effect("Kafka 3 removed it"),
    row("internal.value.converter", Kind::Class, "Converter of stored values").low().no_effect("Kafka 3 removed it"),
    row("internal.value.converter.*", Kind::Text, "Its options").low().no_effect("Kafka 3 removed it"),
    row(
        "session.timeout.ms",
        Kind::Number(1, 3_600_000),
        "After what silence a worker is given up, and another one takes over",
    )
    .or("10000")
    .unit("ms")
    .low(),
    row("heartbeat.interval.ms", Kind::Number(1, 3_600_000), "How often the group hears of a worker")
        .or("3000")
        .unit("ms")
        .low(),
    row("rebalance.timeout.ms", Kind::Number(0, i64::MAX), "How long joining the group may take")
        .unit("ms")
        .low()
        .no_effect(NO_GROUP),
    row(
        "scheduled.rebalance.max.delay.ms",
        Kind::Number(0, i64::MAX),
        "How long connectors of a lost worker wait for it",
    )
    .unit("ms")
    .low()
    .no_effect(NO_GROUP),
    row("worker.sync.timeout.ms", Kind::Number(0, i64::MAX), "How long reading the configurations may take")
        .unit("ms")
        .low()
        .no_effect(NO_GROUP),
    row("worker.unsync.backoff.ms", Kind::Number(0, i64::MAX), "Pause after it took longer")
        .unit("ms")
        .low()
        .no_effect(NO_GROUP),
    row("connect.protocol", Kind::Text, "How workers share connectors").low().no_effect(NO_GROUP),
    row("inter.worker.*", Kind::Text, "How workers sign what they send to each other").low().no_effect(NO_GROUP),
    row("metadata.recovery.strategy", Kind::Text, "What a client does when no broker answers")
        .low()
        .no_effect("librdkafka goes on asking the bootstrap servers"),
    row("metric.reporters", Kind::List, "Classes that report metrics")
        .low()
        .no_effect("metrics are served on /metrics"),
    row("metrics.sample.window.ms", Kind::Number(0, i64::MAX), "Window of averages")
        .unit("ms")
        .low()
        .no_effect("metrics are served on /metrics"),
    row("metrics.num.samples", Kind::Number(1, i64::MAX), "Windows kept")
        .low()
        .no_effect("metrics are served on /metrics"),
    row("metrics.recording.level", Kind::Text, "INFO or DEBUG").low().no_effect("metrics are served on /metrics"),
    row("metrics.context.*", Kind::Text, "Labels for reporters of metrics")
        .low()
        .no_effect("metrics are served on /metrics"),
    row("confluent.*", Kind::Text, "Options of Confluent's own distribution")
        .low()
        .no_effect("they belong to Confluent Platform"),
];

fn exactly_once(word: &str) -> Option<&'static str> {
    ["disabled", "enabled", "preparing"].into_iter().find(|known| word.trim().eq_ignore_ascii_case(known))
}

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Worker).for_(Applies::WORKER)
}
