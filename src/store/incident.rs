//! The topic of incidents (`headwater.incidents.topic`).
//!
//! In: an incident as JSON, under its connector's name. Out: a record. Promised: it is acknowledged by all in-sync replicas
//! when `append` returns. After an error it may be there: written again, it is there twice, with one id. The topic is made
//! where it is missing, with one partition, so that incidents are in their order; how long it keeps them is the broker's.

use super::StoreError;
use super::kafka::{KafkaStoreOptions, TopicStore, Written};
use crate::util::kafka::admin::{Creation, TopicSpecification};

/// A topic that incidents are appended to.
pub struct KafkaIncidents {
    topic: TopicStore,
    specification: TopicSpecification,
    is_there: bool,
}

impl KafkaIncidents {
    /// Incidents in a topic of this name, with so many copies where it has to be made. Nothing is asked before the first one.
    pub fn new(topic: &str, replication_factor: i32, clients: KafkaStoreOptions) -> Self {
        let settings = [("cleanup.policy".to_owned(), "delete".to_owned())].into();
        let specification = TopicSpecification { name: topic.to_owned(), partitions: 1, replication_factor, settings };
        KafkaIncidents { topic: TopicStore::new(topic.to_owned(), clients), specification, is_there: false }
    }

    /// Appends an incident of a connector.
    ///
    /// # Errors
    /// When it may not be there.
    pub fn append(&mut self, connector: &str, incident: &[u8]) -> Result<(), StoreError> {
        if !self.is_there {
            self.prepare()?;
            self.is_there = true;
        }
        let written = Written { key: Some(connector.as_bytes()), value: Some(incident) };
        // One that was deleted is made again with the next attempt.
        self.topic.write(None, &[written]).inspect_err(|_| self.is_there = false)
    }

    fn prepare(&self) -> Result<(), StoreError> {
        let name = &self.specification.name;
        let admin = self.topic.admin()?;
        if admin.find_topic(name).map_err(|error| StoreError::admin("asking about", name, error))?.is_none() {
            let created = admin.create_topic(&self.specification, false);
            if created.map_err(|error| StoreError::admin("creating", name, error))? == Creation::Created {
                tracing::info!(topic = %name, "topic of incidents created");
            }
        }
        Ok(())
    }
}
