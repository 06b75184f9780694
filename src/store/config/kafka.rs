//! Connect's configuration topic (`config.storage.topic`).
//!
//! In: what Connect's workers, or this program, wrote there. Out: the connectors that are wanted now. Promised: the topic
//! has one partition and is compacted, or nothing is started; a change is acknowledged by all in-sync replicas when
//! `write` returns.

use rdkafka::Message;

use super::record::{self, Said};
use super::{Change, ConfigStore, Stored, StoredConnector, TargetState};
use crate::store::kafka::{TopicStore, Written};
use crate::store::{CompactedTopic, StoreError, compacted};
use crate::util::kafka::admin::TopicSpecification;

/// Configurations in a topic.
pub struct KafkaConfigStore {
    topic: TopicStore,
    specification: TopicSpecification,
}

impl KafkaConfigStore {
    /// Configurations in this topic. Nothing is asked before the first read.
    pub fn new(options: CompactedTopic) -> Self {
        let topic = TopicStore::new(options.topic.name.clone(), options.clients);
        KafkaConfigStore { topic, specification: options.topic }
    }
}

impl ConfigStore for KafkaConfigStore {
    fn prepare(&mut self) -> Result<(), StoreError> {
        self.topic.log_notes()?;
        compacted::prepare(&self.topic, &self.specification)
    }

    fn read(&mut self) -> Result<Stored, StoreError> {
        self.prepare()?;
        let name = &self.specification.name;
        let shape =
            self.topic.admin()?.find_topic(name).map_err(|error| StoreError::admin("asking about", name, error))?;
        // One that was just made may not be known yet, and has the one that was asked for.
        if shape.is_some_and(|shape| shape.partitions > 1) {
            let problem = "it has several partitions, so that the order of changes is not known; it must have one";
            return Err(StoreError::TopicUnsafe { topic: self.topic.topic.clone(), problem: problem.to_owned() });
        }
        let mut stored = Reading::default();
        self.topic.read(None, &mut |message| {
            let place = || format!("{} partition {} offset {}", message.topic(), message.partition(), message.offset());
            stored.take(message.key().unwrap_or_default(), message.payload(), &place);
            Ok(())
        })?;
        let mut stored = stored.finish();
        let is_empty = stored.connectors.is_empty() && stored.broken.is_empty();
        stored.is_new = is_empty && self.topic.bounds()?.1 == 0;
        Ok(stored)
    }

    fn write(&mut self, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let pairs: Vec<record::Pair> = changes.iter().flat_map(record::pairs).collect();
        let records: Vec<Written<'_>> =
            pairs.iter().map(|(key, value)| Written { key: Some(key.as_bytes()), value: value.as_deref() }).collect();
        self.topic.write(Some(0), &records)
    }

    fn place(&self) -> String {
        format!("topic {}", self.topic.topic)
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    properties: std::collections::BTreeMap<String, Result<super::Properties, StoreError>>,
    targets: std::collections::BTreeMap<String, Result<TargetState, StoreError>>,
}

impl Reading {
    fn take(&mut self, key: &[u8], value: Option<&[u8]>, place: &dyn Fn() -> String) {
        match record::read(key, value) {
            Ok(Said::Other) => {}
            Ok(Said::Connector(name, Some(properties))) => drop(self.properties.insert(name, Ok(properties))),
            Ok(Said::Connector(name, None)) => drop(self.properties.remove(&name)),
            Ok(Said::Target(name, Some(target))) => drop(self.targets.insert(name, Ok(target))),
            Ok(Said::Target(name, None)) => drop(self.targets.remove(&name)),
            Err(problem) => {
                let key = String::from_utf8_lossy(key).into_owned();
                let error = StoreError::StoredConnector { key: key.clone(), place: place(), problem };
                // A later record under the same key takes the broken one's place.
                match key.strip_prefix("target-state-") {
                    Some(name) => drop(self.targets.insert(name.to_owned(), Err(error))),
                    None => {
                        let name = key.strip_prefix("connector-").unwrap_or(&key);
                        drop(self.properties.insert(name.to_owned(), Err(error)));
                    }
                }
            }
        }
    }

    /// A connector whose target cannot be read is not started: nobody knows whether it may run.
    fn finish(mut self) -> Stored {
        let mut stored = Stored::default();
        for (name, properties) in self.properties {
            let target = self.targets.remove(&name).unwrap_or(Ok(TargetState::Started));
            match (properties, target) {
                (Ok(properties), Ok(target)) => {
                    drop(stored.connectors.insert(name, StoredConnector { properties, target }));
                }
                (Ok(properties), Err(error)) => {
                    drop(stored.broken.insert(name.clone(), error));
                    let target = TargetState::Stopped;
                    drop(stored.connectors.insert(name, StoredConnector { properties, target }));
                }
                (Err(error), _) => drop(stored.broken.insert(name, error)),
            }
        }
        stored
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    /// Records in the order of the topic; the connectors that are wanted after them, and how many cannot be read.
    fn check(records: &[(&str, Option<&str>)], wanted: &[(&str, TargetState)], broken: usize) {
        let mut reading = Reading::default();
        for (key, value) in records {
            reading.take(key.as_bytes(), value.map(str::as_bytes), &|| "here".to_owned());
        }
        let stored = reading.finish();
        let found: Vec<(&str, TargetState)> =
            stored.connectors.iter().map(|(name, connector)| (name.as_str(), connector.target)).collect();
        assert_eq!((found.as_slice(), stored.broken.len()), (wanted, broken), "{records:?}");
    }

    #[test]
    fn the_last_record_of_a_key_counts() {
        let config = Some(r#"{"properties":{"a":"b"}}"#);
        let stopped = Some(r#"{"state":"PAUSED","state.v2":"STOPPED"}"#);
        check(&[], &[], 0);
        check(&[("connector-a", config), ("target-state-a", stopped)], &[("a", TargetState::Stopped)], 0);
        check(&[("target-state-a", stopped), ("connector-a", config)], &[("a", TargetState::Stopped)], 0);
        check(
            &[("connector-a", config), ("target-state-a", stopped), ("connector-a", None), ("target-state-a", None)],
            &[],
            0,
        );
        // Deleted and made again: it begins as a new one.
        check(
            &[
                ("target-state-a", stopped),
                ("connector-a", config),
                ("connector-a", None),
                ("target-state-a", None),
                ("connector-a", config),
            ],
            &[("a", TargetState::Started)],
            0,
        );
        // A target without a connector says nothing.
        check(&[("target-state-gone", stopped)], &[], 0);
    }

    #[test]
    fn a_broken_record_costs_its_own_connector() {
        let config = Some(r#"{"properties":{"a":"b"}}"#);
        check(&[("connector-a", Some("{")), ("connector-b", config)], &[("b", TargetState::Started)], 1);
        check(&[("connector-a", Some("{")), ("connector-a", config)], &[("a", TargetState::Started)], 0);
        check(&[("connector-a", config), ("target-state-a", Some("{"))], &[("a", TargetState::Stopped)], 1);
    }
}
