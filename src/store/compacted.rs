//! Compacted topics: made when they are missing, and refused when they would lose what is written to them.
//!
//! In: a topic as its worker describes it. Out: nothing, or why it cannot be used. Promised: the topic is compacted when
//! this returns without an error, or may not be asked about, and then somebody has read that in the log.

use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode;

use super::StoreError;
use super::kafka::{KafkaStoreOptions, TopicStore};
use crate::util::clock;
use crate::util::kafka::admin::{Creation, TopicSpecification};

/// One of a worker's own topics, which keep the last record of each key.
#[derive(Clone, Debug)]
pub struct CompactedTopic {
    /// The topic; created when it is missing.
    pub topic: TopicSpecification,
    /// The clients that reach it.
    pub clients: KafkaStoreOptions,
}

/// A topic that another connector has just made shows the broker's defaults until the broker knows its settings.
const SETTLING: Duration = Duration::from_secs(5);

/// How often it is asked again for as long.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Makes the topic if it is missing, and refuses one that is not compacted.
pub(super) fn prepare(topic: &TopicStore, specification: &TopicSpecification) -> Result<(), StoreError> {
    let name = &specification.name;
    let admin = topic.admin()?;
    let found = admin.find_topic(name).map_err(|error| StoreError::admin("asking about", name, error))?;
    if found.is_none() {
        let created =
            admin.create_topic(specification, false).map_err(|error| StoreError::admin("creating", name, error))?;
        if created == Creation::Created {
            tracing::info!(topic = %name, partitions = specification.partitions, "compacted topic created");
            return Ok(());
        }
    }
    let deadline = clock::moment() + SETTLING;
    loop {
        match admin.topic_settings(name) {
            Ok(settings) => {
                let policy = settings.get("cleanup.policy").map_or("delete", String::as_str);
                if policy == "compact" {
                    return Ok(());
                }
                if clock::moment() >= deadline || topic.abandoned().wait(ASK_AGAIN) {
                    let problem =
                        format!("cleanup.policy is {policy}: what is stored would be lost; it must be compact");
                    return Err(StoreError::TopicUnsafe { topic: name.clone(), problem });
                }
            }
            // The broker that is asked has not heard of it yet.
            Err(error)
                if error.code == Some(RDKafkaErrorCode::UnknownTopicOrPartition)
                    && clock::moment() < deadline
                    && !topic.abandoned().wait(ASK_AGAIN) => {}
            Err(error) if error.retriable() => return Err(StoreError::admin("asking about", name, error)),
            // Connect goes on too where it may not ask.
            Err(error) => {
                tracing::warn!(topic = %name, "whether the topic is compacted cannot be seen: {error}");
                return Ok(());
            }
        }
    }
}
