//! The Java clients' properties, translated into librdkafka's.
//!
//! In: name and text of each property as Kafka Connect documents them. Out: librdkafka's properties and notes
//! on all that has no counterpart. Promised: a property that changes nothing here is named in a note; one
//! that would change what arrives on a topic, or who may read it, is an error. Nothing survives a crash.
//!
//! Source: Kafka's `ProducerConfig`, `ConsumerConfig`, `CommonClientConfigs`, `SslConfigs`, `SaslConfigs`;
//! librdkafka's `CONFIGURATION.md`.

use std::collections::BTreeMap;

use super::{sasl, tls};

/// A property that cannot be honoured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property}: {reason}")]
pub struct PropertyError {
    /// The property's Java name.
    pub property: String,
    /// Why, and what to write instead. Holds no secret.
    pub reason: String,
}

impl PropertyError {
    /// An error about one property.
    pub fn new(property: &str, reason: impl Into<String>) -> Self {
        PropertyError { property: property.to_owned(), reason: reason.into() }
    }
}

/// Something the reader of the log should know about a property: it has no effect, or another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The property's Java name.
    pub property: String,
    /// What becomes of it.
    pub text: String,
}

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Writes records.
    Producer,
    /// Reads records; partitions are assigned by hand, so there is no consumer group.
    Consumer,
}

/// librdkafka's properties, and what was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientProperties {
    /// Properties under librdkafka's names.
    pub native: BTreeMap<String, String>,
    /// What the reader of the log should know.
    pub notes: Vec<Note>,
}

impl ClientProperties {
    /// As rdkafka's type.
    pub fn client_config(&self) -> rdkafka::ClientConfig {
        let mut config = rdkafka::ClientConfig::new();
        for (name, value) in &self.native {
            config.set(name, value);
        }
        config
    }

    /// Sets a property under librdkafka's name unless it is set.
    pub fn default_to(&mut self, name: &str, value: &str) {
        self.native.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }

    /// Sets a property under librdkafka's name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.native.insert(name.to_owned(), value.into());
    }

    fn note(&mut self, property: &str, text: impl Into<String>) {
        self.notes.push(Note { property: property.to_owned(), text: text.into() });
    }
}

/// What becomes of one property.
#[derive(Clone, Copy)]
enum Rule {
    /// librdkafka's name and the bounds it accepts; a number outside them is brought to the bound, with a note.
    Number(&'static str, i64, i64),
    /// The text goes over as it is.
    Text(&'static str),
    /// The text goes over in lower case.
    Lower(&'static str),
    /// Bytes in Java, kibibytes in librdkafka.
    Kibibytes(&'static str),
    /// Has no effect, and needs none: nobody has to be told.
    Unneeded,
    /// Has no effect; the text says why.
    Without(&'static str),
    /// Handled with its neighbours by a function of its own.
    Elsewhere,
}

use Rule::{Elsewhere, Kibibytes, Lower, Number, Text, Unneeded, Without};

const GROUPLESS: &str = "partitions are assigned by hand: there is no consumer group";
const MAX_INT: i64 = i32::MAX as i64;
/// `request.timeout.ms` as Java has it by default.
const REQUEST_TIMEOUT_MS: i64 = 30_000;

/// Properties of every client.
const COMMON: &[(&str, Rule)] = &[
    ("bootstrap.servers", Text("bootstrap.servers")),
    ("client.dns.lookup", Lower("client.dns.lookup")),
    ("client.id", Text("client.id")),
    ("client.rack", Text("client.rack")),
    ("connections.max.idle.ms", Number("connections.max.idle.ms", 0, MAX_INT)),
    ("enable.metrics.push", Lower("enable.metrics.push")),
    ("metadata.max.age.ms", Number("topic.metadata.refresh.interval.ms", 10, 3_600_000)),
    ("metadata.recovery.rebootstrap.trigger.ms", Number("metadata.recovery.rebootstrap.trigger.ms", 0, MAX_INT)),
    ("metadata.recovery.strategy", Lower("metadata.recovery.strategy")),
    ("receive.buffer.bytes", Number("socket.receive.buffer.bytes", 0, 100_000_000)),
    ("reconnect.backoff.max.ms", Number("reconnect.backoff.max.ms", 0, 3_600_000)),
    ("reconnect.backoff.ms", Number("reconnect.backoff.ms", 0, 3_600_000)),
    ("retry.backoff.max.ms", Number("retry.backoff.max.ms", 1, 300_000)),
    ("retry.backoff.ms", Number("retry.backoff.ms", 1, 300_000)),
    ("send.buffer.bytes", Number("socket.send.buffer.bytes", 0, 100_000_000)),
    ("socket.connection.setup.timeout.ms", Number("socket.connection.setup.timeout.ms", 1_000, MAX_INT)),
    (
        "socket.connection.setup.timeout.max.ms",
        Without("connection attempts have one timeout, socket.connection.setup.timeout.ms"),
    ),
    ("security.protocol", Lower("security.protocol")),
    ("request.timeout.ms", Elsewhere),
    ("auto.include.jmx.reporter", Unneeded),
    ("metric.reporters", Without("metrics are served on /metrics; Java reporter classes cannot be loaded")),
    ("metrics.num.samples", Unneeded),
    ("metrics.recording.level", Unneeded),
    ("metrics.sample.window.ms", Unneeded),
    ("interceptor.classes", Without("Java interceptor classes cannot be loaded")),
    ("config.providers", Unneeded),
    ("security.providers", Without("Java security providers cannot be loaded")),
];

/// Properties of producers.
const PRODUCER: &[(&str, Rule)] = &[
    ("acks", Elsewhere),
    ("enable.idempotence", Elsewhere),
    ("max.in.flight.requests.per.connection", Elsewhere),
    ("retries", Elsewhere),
    ("partitioner.class", Elsewhere),
    ("partitioner.ignore.keys", Elsewhere),
    ("transactional.id", Elsewhere),
    ("compression.type", Lower("compression.type")),
    ("compression.gzip.level", Elsewhere),
    ("compression.lz4.level", Elsewhere),
    ("compression.zstd.level", Elsewhere),
    ("batch.size", Number("batch.size", 1, MAX_INT)),
    ("linger.ms", Number("linger.ms", 0, 900_000)),
    ("buffer.memory", Kibibytes("queue.buffering.max.kbytes")),
    ("max.request.size", Number("message.max.bytes", 1_000, 1_000_000_000)),
    ("delivery.timeout.ms", Number("message.timeout.ms", 1, MAX_INT)),
    ("max.block.ms", Without("a full buffer makes the source wait; delivery.timeout.ms bounds the wait for a broker")),
    ("metadata.max.idle.ms", Unneeded),
    ("transaction.timeout.ms", Unneeded),
    ("transaction.two.phase.commit.enable", Unneeded),
    ("partitioner.adaptive.partitioning.enable", Unneeded),
    ("partitioner.availability.timeout.ms", Unneeded),
    ("key.serializer", Unneeded),
    ("value.serializer", Unneeded),
];

/// Properties of consumers.
const CONSUMER: &[(&str, Rule)] = &[
    ("fetch.min.bytes", Number("fetch.min.bytes", 1, 100_000_000)),
    ("fetch.max.bytes", Number("fetch.max.bytes", 0, 2_147_483_135)),
    ("fetch.max.wait.ms", Number("fetch.wait.max.ms", 0, 300_000)),
    ("max.partition.fetch.bytes", Number("max.partition.fetch.bytes", 1, 1_000_000_000)),
    ("isolation.level", Lower("isolation.level")),
    ("check.crcs", Lower("check.crcs")),
    ("allow.auto.create.topics", Unneeded),
    ("auto.commit.interval.ms", Unneeded),
    ("auto.offset.reset", Unneeded),
    ("default.api.timeout.ms", Unneeded),
    ("enable.auto.commit", Unneeded),
    ("exclude.internal.topics", Unneeded),
    // Nothing is committed under it, but a cluster's rights may name it.
    ("group.id", Text("group.id")),
    ("group.instance.id", Without(GROUPLESS)),
    ("group.protocol", Without(GROUPLESS)),
    ("heartbeat.interval.ms", Without(GROUPLESS)),
    ("key.deserializer", Unneeded),
    ("max.poll.interval.ms", Unneeded),
    ("max.poll.records", Unneeded),
    ("partition.assignment.strategy", Without(GROUPLESS)),
    ("session.timeout.ms", Without(GROUPLESS)),
    ("value.deserializer", Unneeded),
];

/// The properties among `all` that a client of this kind knows. A worker's properties hold its own beside
/// those of its clients, and Connect gives its clients all of them.
pub fn known(role: Role, all: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = match role {
        Role::Producer => PRODUCER,
        Role::Consumer => CONSUMER,
    };
    let knows = |name: &str| {
        // A worker's group.id names the workers, not a consumer.
        name != "group.id"
            && (COMMON.iter().chain(own).any(|(known, _)| *known == name) || sasl::knows(name) || tls::knows(name))
    };
    all.iter().filter(|(name, _)| knows(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Translates the properties of one client. Names that end in `password`, and JAAS texts, never get into notes.
pub fn translate(role: Role, java: &BTreeMap<String, String>) -> Result<ClientProperties, PropertyError> {
    let mut out = ClientProperties::default();
    let own = match role {
        Role::Producer => PRODUCER,
        Role::Consumer => CONSUMER,
    };
    for (name, value) in java {
        let value = value.trim();
        let rule = COMMON.iter().chain(own).find(|(known, _)| known == name).map(|(_, rule)| *rule);
        match rule {
            Some(rule) => apply(rule, name, value, &mut out)?,
            None if sasl::knows(name) || tls::knows(name) => {}
            None => out.note(name, "is not known and has no effect"),
        }
    }
    if java.get("bootstrap.servers").is_none_or(|servers| servers.trim().is_empty()) {
        return Err(PropertyError::new("bootstrap.servers", "is missing: host:port of the Kafka brokers"));
    }
    request_timeout(java, &mut out)?;
    let protocol = security_protocol(&out)?;
    if protocol.starts_with("sasl_") {
        sasl::translate(java, &mut out)?;
    }
    if protocol.ends_with("ssl") {
        tls::translate(java, &mut out)?;
    }
    match role {
        Role::Producer => producer(java, &mut out)?,
        Role::Consumer => out.set("enable.auto.commit", "false"),
    }
    out.default_to("socket.keepalive.enable", "true");
    Ok(out)
}

fn apply(rule: Rule, name: &str, value: &str, out: &mut ClientProperties) -> Result<(), PropertyError> {
    match rule {
        Number(native, low, high) => {
            let number = number(name, value)?;
            let bounded = number.clamp(low, high);
            if bounded != number && number >= 0 {
                out.note(name, format!("{number} is outside what librdkafka accepts; {bounded} is used"));
            }
            out.set(native, bounded.to_string());
        }
        Text(native) => out.set(native, value),
        Lower(native) => out.set(native, value.to_ascii_lowercase()),
        Kibibytes(native) => out.set(native, (number(name, value)? / 1024).clamp(1, MAX_INT).to_string()),
        Unneeded | Elsewhere => {}
        Without(reason) => out.note(name, format!("has no effect: {reason}")),
    }
    Ok(())
}

fn number(name: &str, value: &str) -> Result<i64, PropertyError> {
    value.parse().map_err(|_| PropertyError::new(name, format!("`{value}` is not a whole number")))
}

fn boolean(name: &str, value: &str) -> Result<bool, PropertyError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(PropertyError::new(name, format!("`{value}` is neither true nor false"))),
    }
}

fn given<'a>(java: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    java.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// Java has one timeout for the client's wait; librdkafka has one for the socket and, for producers, another
/// that the broker is told. By itself it waits twice as long as Java for an answer from a connection that is dead.
fn request_timeout(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    let number = match given(java, "request.timeout.ms") {
        Some(value) => number("request.timeout.ms", value)?,
        None => REQUEST_TIMEOUT_MS,
    };
    out.set("socket.timeout.ms", number.clamp(10, 300_000).to_string());
    Ok(())
}

fn security_protocol(out: &ClientProperties) -> Result<String, PropertyError> {
    let protocol = out.native.get("security.protocol").map_or("plaintext", String::as_str);
    match protocol {
        "plaintext" | "ssl" | "sasl_plaintext" | "sasl_ssl" => Ok(protocol.to_owned()),
        other => Err(PropertyError::new(
            "security.protocol",
            format!("`{other}` is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        )),
    }
}

/// What the client's buffer holds of keys and values, where `buffer.memory` does not say. Java's default is 32 MiB;
/// a record of 300 bytes takes 1 KiB of librdkafka's memory, and a quarter of that keeps a broker busy.
const BUFFER_KIBIBYTES: &str = "8192";

fn producer(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    partitioner(java, out)?;
    compression_level(java, out)?;
    idempotence(java, out)?;
    if let Some(value) = given(java, "request.timeout.ms") {
        let number = number("request.timeout.ms", value)?;
        out.set("request.timeout.ms", number.clamp(1, 900_000).to_string());
    }
    if given(java, "transactional.id").is_some() {
        out.note("transactional.id", "has no effect: records are not written in transactions");
    }
    // The defaults of Java's producer where librdkafka's differ.
    out.default_to("message.timeout.ms", "120000");
    out.default_to("message.max.bytes", "1048576");
    out.default_to("queue.buffering.max.kbytes", BUFFER_KIBIBYTES);
    // Bytes bound the buffer, as in Java: a count would make small records wait for nothing.
    out.set("queue.buffering.max.messages", "0");
    Ok(())
}

/// The partition of a key decides its order and its consumers: what cannot be done alike must not be done.
fn partitioner(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    if let Some(class) = given(java, "partitioner.class")
        && !class.ends_with(".DefaultPartitioner")
    {
        return Err(PropertyError::new(
            "partitioner.class",
            format!(
                "{class} is a Java class and cannot be loaded; remove the property to partition by key as Kafka does"
            ),
        ));
    }
    let ignore_keys = match given(java, "partitioner.ignore.keys") {
        Some(value) => boolean("partitioner.ignore.keys", value)?,
        None => false,
    };
    out.set("partitioner", if ignore_keys { "random" } else { "murmur2_random" });
    Ok(())
}

fn compression_level(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    let codec = out.native.get("compression.type").cloned().unwrap_or_else(|| "none".to_owned());
    let name = format!("compression.{codec}.level");
    if let Some(value) = given(java, &name) {
        out.set("compression.level", number(&name, value)?.to_string());
    }
    Ok(())
}

/// The rules of Java's `ProducerConfig`: idempotence is on unless another property that was *set* forbids it;
/// asked for explicitly, the contradiction is an error.
fn idempotence(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    let explicit = given(java, "enable.idempotence").map(|value| boolean("enable.idempotence", value)).transpose()?;
    let mut enabled = explicit.unwrap_or(true);
    let mut forbid = |property: &str, reason: &str| -> Result<(), PropertyError> {
        if !enabled {
            return Ok(());
        }
        if explicit == Some(true) {
            return Err(PropertyError::new(property, format!("{reason}, but enable.idempotence=true")));
        }
        enabled = false;
        out.note(property, format!("{reason}: idempotence is off, and a retry can write a record twice"));
        Ok(())
    };
    let acks = match given(java, "acks") {
        None | Some("all") => -1,
        Some(text) => number("acks", text)?,
    };
    if acks != -1 {
        forbid("acks", "is not `all`")?;
    }
    let retries = given(java, "retries").map(|value| number("retries", value)).transpose()?;
    if retries == Some(0) {
        forbid("retries", "is 0")?;
    }
    let in_flight = given(java, "max.in.flight.requests.per.connection")
        .map(|value| number("max.in.flight.requests.per.connection", value))
        .transpose()?;
    if in_flight.is_some_and(|requests| requests > 5) {
        forbid("max.in.flight.requests.per.connection", "is above 5")?;
    }
    out.set("enable.idempotence", enabled.to_string());
    out.set("acks", acks.to_string());
    if let Some(retries) = retries {
        out.set("retries", retries.clamp(0, MAX_INT).to_string());
    }
    match in_flight {
        Some(requests) => out.set("max.in.flight", requests.clamp(1, 1_000_000).to_string()),
        // The retry of one request would overtake the next.
        None if !enabled => out.set("max.in.flight", "1"),
        None => {}
    }
    if acks == 0 {
        out.note("acks", "is 0: the broker confirms nothing, so positions are stored for records that may be lost");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn check(role: Role, java: &[(&str, &str)], expected: Result<&[(&str, &str)], &str>, noted: &[&str]) {
        let mut map: BTreeMap<String, String> =
            java.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        map.entry("bootstrap.servers".into()).or_insert_with(|| "b:9092".into());
        match (translate(role, &map), expected) {
            (Ok(out), Ok(expected)) => {
                for (name, value) in expected {
                    assert_eq!(out.native.get(*name).map(String::as_str), Some(*value), "{java:?} → {name}");
                }
                let names: Vec<&str> = out.notes.iter().map(|note| note.property.as_str()).collect();
                assert_eq!(names, noted, "notes of {java:?}");
                let config = out.client_config();
                config.create_native_config().unwrap_or_else(|error| panic!("{java:?}: librdkafka says {error}"));
            }
            (Err(error), Err(property)) => assert_eq!(error.property, property),
            (got, _) => panic!("{java:?} gave {got:?}"),
        }
    }

    #[test]
    fn java_names_reach_librdkafka_or_the_log() {
        use Role::{Consumer, Producer};
        check(
            Producer,
            &[],
            Ok(&[
                ("enable.idempotence", "true"),
                ("acks", "-1"),
                ("partitioner", "murmur2_random"),
                ("message.timeout.ms", "120000"),
                ("message.max.bytes", "1048576"),
                ("queue.buffering.max.kbytes", "8192"),
            ]),
            &[],
        );
        check(
            Producer,
            &[
                ("acks", "all"),
                ("linger.ms", "5"),
                ("batch.size", "131072"),
                ("buffer.memory", "67108864"),
                ("compression.type", "ZSTD"),
                ("compression.zstd.level", "7"),
                ("max.request.size", "10485760"),
                ("delivery.timeout.ms", "2147483647"),
            ],
            Ok(&[
                ("acks", "-1"),
                ("linger.ms", "5"),
                ("batch.size", "131072"),
                ("queue.buffering.max.kbytes", "65536"),
                ("compression.type", "zstd"),
                ("compression.level", "7"),
                ("message.max.bytes", "10485760"),
                ("message.timeout.ms", "2147483647"),
            ]),
            &[],
        );
        check(
            Producer,
            &[("request.timeout.ms", "2147483647"), ("max.block.ms", "9223372036854775807")],
            Ok(&[("request.timeout.ms", "900000"), ("socket.timeout.ms", "300000")]),
            &["max.block.ms"],
        );
        check(Producer, &[("lingr.ms", "5")], Ok(&[]), &["lingr.ms"]);
        check(Producer, &[("linger.ms", "soon")], Err("linger.ms"), &[]);
        check(
            Producer,
            &[("batch.size", "0"), ("send.buffer.bytes", "-1")],
            Ok(&[("batch.size", "1"), ("socket.send.buffer.bytes", "0")]),
            &["batch.size"],
        );
        check(
            Producer,
            &[("partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner")],
            Err("partitioner.class"),
            &[],
        );
        check(Producer, &[("partitioner.ignore.keys", "true")], Ok(&[("partitioner", "random")]), &[]);
        check(
            Consumer,
            &[("group.id", "x"), ("isolation.level", "READ_COMMITTED"), ("max.poll.records", "5")],
            Ok(&[("isolation.level", "read_committed"), ("group.id", "x")]),
            &[],
        );
        check(Producer, &[("bootstrap.servers", " ")], Err("bootstrap.servers"), &[]);
        check(Producer, &[("security.protocol", "TLS")], Err("security.protocol"), &[]);
    }

    #[test]
    fn idempotence_follows_the_rules_of_java() {
        use Role::Producer;
        check(Producer, &[], Ok(&[("enable.idempotence", "true")]), &[]);
        check(
            Producer,
            &[("acks", "1")],
            Ok(&[("acks", "1"), ("enable.idempotence", "false"), ("max.in.flight", "1")]),
            &["acks"],
        );
        check(Producer, &[("acks", "1"), ("enable.idempotence", "true")], Err("acks"), &[]);
        check(
            Producer,
            &[("acks", "1"), ("enable.idempotence", "false")],
            Ok(&[("acks", "1"), ("enable.idempotence", "false")]),
            &[],
        );
        check(Producer, &[("retries", "0"), ("enable.idempotence", "true")], Err("retries"), &[]);
        check(Producer, &[("retries", "0")], Ok(&[("enable.idempotence", "false"), ("retries", "0")]), &["retries"]);
        check(
            Producer,
            &[("max.in.flight.requests.per.connection", "6")],
            Ok(&[("enable.idempotence", "false"), ("max.in.flight", "6")]),
            &["max.in.flight.requests.per.connection"],
        );
        check(
            Producer,
            &[("max.in.flight.requests.per.connection", "5")],
            Ok(&[("enable.idempotence", "true"), ("max.in.flight", "5")]),
            &[],
        );
        check(Producer, &[("acks", "0")], Ok(&[("acks", "0"), ("enable.idempotence", "false")]), &["acks", "acks"]);
    }
}
