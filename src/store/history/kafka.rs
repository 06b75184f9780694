//! Schema history in a Kafka topic (Debezium's `KafkaSchemaHistory`).
//!
//! In: `schema.history.internal.kafka.*` and the clients' properties behind it. Out: records of partition 0, in
//! order. Promised: an appended record is acknowledged by all in-sync replicas; a topic that would forget is
//! refused (compaction) or said aloud (retention).
//!
//! Source: Debezium's `KafkaSchemaHistory`: one partition, null keys, `cleanup.policy=delete`, kept for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::Message;

use super::{HistoryRecord, SchemaHistoryStore};
use crate::error::Coded;
use crate::store::StoreError;
use crate::store::kafka::{KafkaStoreOptions, TopicStore, Written};
use crate::util::kafka::admin::{Admin, Creation, TopicSpecification};
use crate::util::kafka::properties::PropertyError;
use crate::util::stop::Stop;

/// Where the history lies.
#[derive(Clone, Debug)]
pub struct KafkaHistoryOptions {
    /// The topic; created when it is missing.
    pub topic: String,
    /// The clients.
    pub clients: KafkaStoreOptions,
}

const PREFIX: &str = "schema.history.internal.";

impl KafkaHistoryOptions {
    /// Reads the properties of a connector.
    pub fn from_connector(connector: &BTreeMap<String, String>) -> Result<Self, PropertyError> {
        let required = |name: &str| {
            let property = format!("{PREFIX}kafka.{name}");
            let text = connector.get(&property).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            text.ok_or_else(|| PropertyError::new(&property, "is missing"))
        };
        let topic = required("topic")?;
        let servers = required("bootstrap.servers")?;
        let client = |prefix: &str| {
            let prefix = format!("{PREFIX}{prefix}.");
            let own = connector
                .iter()
                .filter_map(|(name, value)| name.strip_prefix(&prefix).map(|name| (name.to_owned(), value.clone())));
            let mut properties: BTreeMap<String, String> = own.collect();
            properties.insert("bootstrap.servers".to_owned(), servers.clone());
            properties
        };
        let poll_ms = milliseconds(connector, "recovery.poll.interval.ms", 100)?;
        let attempts = milliseconds(connector, "recovery.attempts", 100)?;
        let create_ms = milliseconds(connector, "create.timeout.ms", 30_000)?;
        let clients = KafkaStoreOptions {
            producer: client("producer"),
            consumer: client("consumer"),
            request_timeout: Duration::from_millis(create_ms.max(1)),
            // Debezium gives up after so many polls without a record.
            read_timeout: Duration::from_millis(poll_ms.saturating_mul(attempts).max(1_000)),
            abandoned: Stop::new(),
        };
        Ok(KafkaHistoryOptions { topic, clients })
    }
}

fn milliseconds(connector: &BTreeMap<String, String>, name: &str, default: u64) -> Result<u64, PropertyError> {
    let property = format!("{PREFIX}kafka.{name}");
    match connector.get(&property) {
        None => Ok(default),
        Some(text) => {
            text.trim().parse().map_err(|_| PropertyError::new(&property, format!("`{text}` is not a whole number")))
        }
    }
}

/// Schema history in a topic.
pub struct KafkaSchemaHistory {
    topic: TopicStore,
}

/// The one partition that Debezium reads and writes.
const PARTITION: i32 = 0;

/// A shorter retention is warned about, as by Debezium: five years.
const RETENTION_MS_WARNED: i64 = 5 * 365 * 24 * 3_600_000;

impl KafkaSchemaHistory {
    /// History in this topic; nothing is asked yet.
    pub fn new(options: KafkaHistoryOptions) -> Self {
        KafkaSchemaHistory { topic: TopicStore::new(options.topic, options.clients) }
    }

    fn check_settings(&self, admin: &Admin, partitions: usize) -> Result<(), StoreError> {
        let topic = &self.topic.topic;
        if partitions != 1 {
            tracing::warn!(%topic, partitions, "the schema history topic should have one partition; only partition 0 is used");
        }
        let settings = match admin.topic_settings(topic) {
            Ok(settings) => settings,
            Err(error) => {
                tracing::warn!(%topic, "whether the schema history topic keeps its records cannot be seen: {error}");
                return Ok(());
            }
        };
        let policy = settings.get("cleanup.policy").map_or("delete", String::as_str);
        if policy != "delete" {
            let problem = format!("cleanup.policy is {policy}: the schema history would be lost; it must be delete");
            return Err(StoreError::TopicUnsafe { topic: topic.clone(), problem });
        }
        let number =
            |name: &str| settings.get(name).and_then(|text| text.parse::<i64>().ok()).filter(|number| *number != -1);
        if let Some(retention_ms) = number("retention.ms").filter(|retention_ms| *retention_ms < RETENTION_MS_WARNED) {
            tracing::warn!(%topic, retention_ms, "the schema history topic forgets records after this time: set retention.ms=-1");
        }
        if let Some(retention_bytes) = number("retention.bytes") {
            tracing::warn!(%topic, retention_bytes, "the schema history topic forgets records above this size: set retention.bytes=-1");
        }
        Ok(())
    }
}

impl KafkaSchemaHistory {
    /// Whether the topic still has its first record. One that has lost some may still know every table that matters (it was
    /// recorded again by a recovery); one that has lost all knows none.
    fn check_beginning(&self) -> Result<(), StoreError> {
        let (first, end) = self.topic.bounds()?;
        if first == 0 {
            return Ok(());
        }
        let error = StoreError::HistoryCut { topic: self.topic.topic.clone(), records: first, all: first == end };
        if first == end {
            return Err(error);
        }
        tracing::warn!(code = %error.code(), reason = %error, hint = error.code().hint, "the schema history is not whole");
        Ok(())
    }
}

fn specification(name: &str) -> TopicSpecification {
    let settings = [("cleanup.policy", "delete"), ("retention.ms", "9223372036854775807"), ("retention.bytes", "-1")];
    TopicSpecification {
        name: name.to_owned(),
        partitions: 1,
        replication_factor: -1,
        settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

impl SchemaHistoryStore for KafkaSchemaHistory {
    fn prepare(&mut self) -> Result<(), StoreError> {
        self.topic.log_notes()?;
        let admin = self.topic.admin()?;
        let name = &self.topic.topic;
        let asking = |error| StoreError::admin("asking about", name, error);
        if let Some(shape) = admin.find_topic(name).map_err(asking)? {
            return self.check_settings(&admin, shape.partitions);
        }
        match admin
            .create_topic(&specification(name), false)
            .map_err(|error| StoreError::admin("creating", name, error))?
        {
            Creation::Created => {
                tracing::info!(topic = %name, "schema history topic created");
                Ok(())
            }
            Creation::Existed => self.check_settings(&admin, 1),
        }
    }

    fn exists(&mut self) -> Result<bool, StoreError> {
        let found = self.topic.admin()?.find_topic(&self.topic.topic);
        match found.map_err(|error| StoreError::admin("asking about", &self.topic.topic, error))? {
            Some(_) => self.topic.bounds().map(|(first, end)| end > first),
            None => Ok(false),
        }
    }

    fn read(&mut self, each: &mut dyn FnMut(HistoryRecord) -> Result<(), String>) -> Result<u64, StoreError> {
        let mut count = 0;
        self.topic.read(Some(PARTITION), &mut |message| {
            let place = || format!("{} offset {}", message.topic(), message.offset());
            let Some(value) = message.payload() else {
                tracing::warn!(place = place(), "a record of the schema history has no value and says nothing");
                return Ok(());
            };
            let outcome = HistoryRecord::from_json(value).and_then(&mut *each);
            outcome.map_err(|problem| StoreError::History { place: place(), problem })?;
            count += 1;
            Ok(())
        })?;
        self.check_beginning()?;
        Ok(count)
    }

    fn append_all(&mut self, records: &[HistoryRecord]) -> Result<(), StoreError> {
        let texts: Vec<Vec<u8>> = records.iter().map(HistoryRecord::to_text).collect();
        let written: Vec<Written<'_>> =
            texts.iter().map(|value| Written { key: None, value: Some(value.as_slice()) }).collect();
        self.topic.write(Some(PARTITION), &written)
    }
}
