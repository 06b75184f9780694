//! The worker's own server and what this program adds to a worker.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use crate::model::modes::MetricNames;

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("listeners", Kind::List, "Addresses of the REST API, /metrics and /health").or("http://:8083"),
    row(
        "listeners.https.*",
        Kind::Text,
        "TLS of the listeners with https: Kafka's ssl.keystore.*, ssl.truststore.*, ssl.key.password, ssl.client.auth; without any, the worker's own ssl.* count",
    )
    .low(),
    row(
        "rest.advertised.host.name",
        Kind::Text,
        "Name under which other machines reach this worker; in the status it stands as worker_id",
    )
    .low(),
    row("rest.advertised.port", Kind::Number(1, 65_535), "Port under which they do").low(),
    row("rest.advertised.listener", Kind::Text, "Protocol with which they do")
        .low()
        .no_effect("other workers use the protocol of the first listener"),
    row("rest.host.name", Kind::Text, "Old form of listeners, for where that is not set").low(),
    row("rest.port", Kind::Number(0, 65_535), "Old form of listeners, for where that is not set").low(),
    row(
        "rest.extension.classes",
        Kind::List,
        "Classes that add to the REST API: org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension asks for passwords",
    )
    .low(),
    row(
        "headwater.rest.login.config",
        Kind::Text,
        "The login file of that class, with a section KafkaConnect; where it is not set, the one that -Djava.security.auth.login.config names in KAFKA_OPTS",
    )
    .low(),
    row(
        "headwater.rest.tokens.file",
        Kind::Text,
        "A file of bearer tokens for the REST API, a line each: NAME=read TOKEN or NAME=write TOKEN",
    )
    .low(),
    row("admin.listeners", Kind::List, "Addresses of the logging API").low().no_effect("it is served on listeners"),
    row("admin.listeners.https.*", Kind::Text, "TLS of those").low().no_effect("it is served on listeners"),
    row("access.control.allow.origin", Kind::Text, "Access-Control-Allow-Origin of the answers")
        .low()
        .no_effect("the answers carry no such header"),
    row("access.control.allow.methods", Kind::Text, "Access-Control-Allow-Methods of the answers")
        .low()
        .no_effect("the answers carry no such header"),
    row("response.http.headers.config", Kind::Text, "Further headers of the answers")
        .low()
        .no_effect("the answers carry no further headers"),
    row(
        "metrics.jmx.exporter.config",
        Kind::Text,
        "A configuration file of the Prometheus JMX exporter, the rules of which name the series on /metrics; read when the worker starts",
    )
    .low(),
    row(
        "headwater.metrics.names",
        Kind::Word(MetricNames::WORDS, |word| MetricNames::parse(word).map(MetricNames::as_str)),
        "How the series are called where there is no such file: as Debezium's example calls them (debezium_metrics_MilliSecondsBehindSource), in small letters, or in snake case",
    )
    .or("debezium")
    .low(),
    row(
        "headwater.log.format",
        Kind::Word(&["text", "json"], |word| {
            ["text", "json"].into_iter().find(|known| word.trim().eq_ignore_ascii_case(known))
        }),
        "How the log is written",
    )
    .or("text")
    .low(),
    row(
        "headwater.incidents.file",
        Kind::Text,
        "A file that every incident is appended to, as a line of JSON when it begins and one when it is over",
    )
    .low(),
    row(
        "headwater.incidents.topic",
        Kind::TopicName,
        "A topic that every incident is sent to under its connector's name, as JSON, when it begins and when it is over; made with one partition and status.storage.replication.factor copies. What a broker that is away does not take is sent when it is back, at most the latest 1,000",
    )
    .low(),
    row(
        "headwater.notices.urls",
        Kind::Password,
        "Addresses that are told of incidents, separated by commas: webhooks of Slack's form, or Alertmanager's /api/v2/alerts",
    )
    .low(),
    row(
        "headwater.notices.after.ms",
        Kind::Number(0, 86_400_000),
        "How long an incident must last before anybody is told",
    )
    .or("10000")
    .unit("ms")
    .low(),
    row(
        "headwater.log.level",
        Kind::Text,
        "What is logged: error, warn, info, debug, trace, or a list such as info,headwater::sink=debug",
    )
    .or("info")
    .low(),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Worker).for_(Applies::WORKER)
}
