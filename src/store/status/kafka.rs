//! Connect's status topic (`status.storage.topic`).
//!
//! In: what Connect's workers, or this program, wrote there. Out: the last status under each key. Promised: the topic is
//! compacted, or nothing is written to it; records are in the partitions in which Connect's own are.

use rdkafka::Message;

use super::{Key, Statuses, record};
use crate::store::kafka::{TopicStore, Written};
use crate::store::{CompactedTopic, StoreError, compacted};
use crate::util::kafka::admin::TopicSpecification;

/// Statuses in a topic.
pub struct KafkaStatusStore {
    topic: TopicStore,
    specification: TopicSpecification,
}

impl KafkaStatusStore {
    /// Statuses in this topic. Nothing is asked before the first read.
    pub fn new(options: CompactedTopic) -> Self {
        let topic = TopicStore::new(options.topic.name.clone(), options.clients);
        KafkaStatusStore { topic, specification: options.topic }
    }

    /// All that is said in the topic, which is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be read to its end, or would lose what is written to it.
    pub fn read(&mut self) -> Result<Statuses, StoreError> {
        compacted::prepare(&self.topic, &self.specification)?;
        let mut statuses = Statuses::new();
        self.topic.read(None, &mut |message| {
            let Some(key) = message.key().and_then(Key::read) else { return Ok(()) };
            match message.payload().filter(|value| record::is_valid(&key, value)) {
                Some(value) => drop(statuses.insert(key, value.to_vec())),
                None => drop(statuses.remove(&key)),
            }
            Ok(())
        })?;
        Ok(statuses)
    }

    /// Makes changes durable; a key without a value is removed.
    ///
    /// # Errors
    /// When they may not be: some of them may have been.
    pub fn write(&mut self, changes: &[(Key, Option<Vec<u8>>)]) -> Result<(), StoreError> {
        let keys: Vec<String> = changes.iter().map(|(key, _)| key.text()).collect();
        let records = keys.iter().zip(changes);
        let records: Vec<Written<'_>> =
            records.map(|(key, (_, value))| Written { key: Some(key.as_bytes()), value: value.as_deref() }).collect();
        self.topic.write(None, &records)
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic.topic
    }
}
