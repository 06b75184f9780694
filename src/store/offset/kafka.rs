//! Offsets in Kafka Connect's topic (`offset.storage.topic`).
//!
//! In: the worker's properties. Out: the last offset under a connector's key, whoever wrote it. Promised: the
//! topic is compacted, or nothing is started; an offset is acknowledged by all in-sync replicas when `write`
//! returns. A read goes through the whole topic: it happens at a start, and what a person has written a
//! moment ago counts.

use std::collections::BTreeMap;

use rdkafka::Message;

use super::{OffsetKey, OffsetStore, PartitionOffset};
use crate::model::position::{OffsetMap, StoredOffset};
use crate::store::kafka::{TopicStore, Written};
use crate::store::{CompactedTopic, StoreError, compacted, json};

/// Offsets in a topic.
pub struct KafkaOffsetStore {
    topic: TopicStore,
}

impl KafkaOffsetStore {
    /// Makes the topic if it is missing, and refuses one that is not compacted.
    pub fn open(options: CompactedTopic) -> Result<Self, StoreError> {
        let topic = TopicStore::new(options.topic.name.clone(), options.clients);
        topic.log_notes()?;
        compacted::prepare(&topic, &options.topic)?;
        Ok(KafkaOffsetStore { topic })
    }
}

/// The record found last under a key.
struct Found {
    timestamp_ms: i64,
    place: String,
    value: Option<Vec<u8>>,
}

impl OffsetStore for KafkaOffsetStore {
    fn read(&mut self, key: &OffsetKey) -> Result<Option<StoredOffset>, StoreError> {
        let mut found: BTreeMap<i32, Found> = BTreeMap::new();
        self.topic.read(None, &mut |message| {
            if message.key().is_some_and(|bytes| key.matches(bytes)) {
                let place =
                    format!("{} partition {} offset {}", message.topic(), message.partition(), message.offset());
                let timestamp_ms = message.timestamp().to_millis().unwrap_or(0);
                found.insert(
                    message.partition(),
                    Found { timestamp_ms, place, value: message.payload().map(<[u8]>::to_vec) },
                );
            }
            Ok(())
        })?;
        // Tools that place keys differently from Kafka's Java client put the same key in another partition.
        if found.len() > 1 {
            let places: Vec<&str> = found.values().map(|found| found.place.as_str()).collect();
            tracing::warn!(key = %key.printed(), ?places, "the offset is in several partitions: the youngest counts");
        }
        match found.into_values().max_by_key(|found| found.timestamp_ms) {
            Some(Found { value: Some(value), place, .. }) => key.offset(&value, &|| place.clone()),
            Some(Found { value: None, .. }) | None => Ok(None),
        }
    }

    fn write(&mut self, key: &OffsetKey, offset: &OffsetMap) -> Result<(), StoreError> {
        let (key, value) = (key.bytes(), json::write(&json::from_offset(offset)));
        self.topic.write(None, &[Written { key: Some(&key), value: Some(&value) }])
    }

    fn remove(&mut self, key: &OffsetKey) -> Result<(), StoreError> {
        let key = key.bytes();
        self.topic.write(None, &[Written { key: Some(&key), value: None }])
    }

    fn of_connector(&mut self, connector: &str) -> Result<Vec<PartitionOffset>, StoreError> {
        // The same key may lie in several partitions of the topic: the youngest counts, as for `read`.
        let mut found: BTreeMap<Vec<u8>, (i64, Option<PartitionOffset>)> = BTreeMap::new();
        self.topic.read(None, &mut |message| {
            let key = message.key().unwrap_or_default();
            let written = message.timestamp().to_millis().unwrap_or(0);
            if found.get(key).is_none_or(|(known, _)| *known <= written) {
                found.insert(key.to_vec(), (written, super::of(connector, key, message.payload())));
            }
            Ok(())
        })?;
        Ok(found.into_values().filter_map(|(_, offset)| offset).collect())
    }
}
