//! Reads one record back from its topic: whether what the broker has acknowledged is there for those who read.
//!
//! In: where a record lies, as its acknowledgement said. Out: there; not yet; something else is there; nobody may look.
//! Promised: nothing is committed, no group is joined and no topic is made; only that one record's fetch is asked for.
//! Nothing survives a crash.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::witness::{Acknowledged, Witness, sign};
use crate::sink::SinkError;
use crate::util::kafka::properties::{self, Role};

/// What a look at the topic gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The record lies where the broker put it, byte for byte.
    There,
    /// Nothing is known yet.
    NotYet,
    /// It is not there, and why that is known.
    Gone(String),
    /// Nobody may look.
    Refused(String),
}

/// A consumer of one record at a time.
pub struct ReadBack {
    witness: Witness,
    properties: BTreeMap<String, String>,
    connector: String,
    consumer: Option<BaseConsumer<Quiet>>,
    sought: Option<Acknowledged>,
    assigned: bool,
}

/// A client whose troubles are told by what it does not bring.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        tracing::debug!(?level, facility, "canary: {text}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, "canary: {reason}");
    }
}

impl ConsumerContext for Quiet {}

impl ReadBack {
    /// One for what this witness notes. The client gets what the producer has, as far as it concerns every client, and
    /// `overrides` over it: the records lie where the producer put them, and another user may be who is allowed to read.
    pub fn new(
        connector: &str,
        producer: &BTreeMap<String, String>,
        overrides: &BTreeMap<String, String>,
        witness: Witness,
    ) -> Self {
        let mut properties = properties::known(Role::Consumer, producer);
        properties.remove("client.id");
        properties.extend(overrides.iter().map(|(name, value)| (name.clone(), value.clone())));
        let connector = connector.to_owned();
        ReadBack { witness, properties, connector, consumer: None, sought: None, assigned: false }
    }

    /// From now on records of batches with this ordinal or a later one are noted; `None`: none is any more.
    pub fn watch(&mut self, from: Option<u64>) {
        self.witness.watch(from);
    }

    /// Turns to the record that was noted last; false where none was: what was looked for before is looked for on.
    pub fn seek(&mut self) -> bool {
        let Some(noted) = self.witness.take() else { return false };
        (self.sought, self.assigned) = (Some(noted), false);
        true
    }

    /// Waits so long at most for the record.
    pub fn look(&mut self, wait: Duration) -> Sight {
        let Some(sought) = self.sought.clone() else { return Sight::NotYet };
        let consumer = match self.consumer.take() {
            Some(consumer) => consumer,
            None => match self.connect() {
                Ok(consumer) => consumer,
                Err(error) => return Sight::Refused(error.to_string()),
            },
        };
        let sight = self.look_with(&consumer, &sought, wait);
        if sight == Sight::There {
            self.sought = None;
        }
        if matches!(sight, Sight::There | Sight::Refused(_)) {
            // What comes behind it is not ours to read.
            drop(consumer.unassign());
        }
        self.consumer = Some(consumer);
        sight
    }

    fn connect(&self) -> Result<BaseConsumer<Quiet>, SinkError> {
        let configuration = |text: String| SinkError::Configuration(text);
        let translated = properties::translate(Role::Consumer, &self.properties);
        let mut out = translated.map_err(|error| configuration(error.to_string()))?;
        out.default_to("client.id", &format!("connector-canary-{}", self.connector));
        // librdkafka wants a group's name even where nothing is committed, and asks for its coordinator: one of those
        // that Connect's users have rights for.
        out.default_to("group.id", &format!("connect-canary-{}", self.connector));
        // What others leave open in a transaction does not hide a record that is none.
        out.default_to("isolation.level", "read_uncommitted");
        out.default_to("max.partition.fetch.bytes", "1024");
        // A fetch that waits for what comes behind the record, or a pause because one is there, would hold up the next.
        out.default_to("fetch.wait.max.ms", "50");
        out.default_to("fetch.queue.backoff.ms", "10");
        // A connection that was idle may be dead: that is noticed well before a marker is missed for it.
        out.set("socket.timeout.ms", "8000");
        out.set("auto.offset.reset", "error");
        out.set("enable.auto.offset.store", "false");
        out.client_config().create_with_context(Quiet).map_err(|error| configuration(error.to_string()))
    }

    fn look_with(&mut self, consumer: &BaseConsumer<Quiet>, sought: &Acknowledged, wait: Duration) -> Sight {
        let Acknowledged { topic, partition, offset, .. } = sought;
        if !self.assigned {
            let mut list = TopicPartitionList::new();
            let assigned = list.add_partition_offset(topic, *partition, Offset::Offset(*offset));
            if assigned.and_then(|()| consumer.assign(&list)).is_err() {
                return Sight::NotYet;
            }
            self.assigned = true;
        }
        match consumer.poll(wait) {
            // Of the record before, which was given up.
            Some(Ok(message)) if message.topic() != topic || message.partition() != *partition => Sight::NotYet,
            Some(Ok(message)) if message.offset() < *offset => Sight::NotYet,
            Some(Ok(message)) => {
                let is_at_its_place = message.offset() == *offset;
                if is_at_its_place && sign(message.key(), message.payload()) == sought.sign {
                    return Sight::There;
                }
                self.assigned = false;
                let what = if is_at_its_place { "another one lies in its place" } else { "a later one comes first" };
                Sight::Gone(format!("record {offset} of partition {partition} of topic {topic} is not there: {what}"))
            }
            Some(Err(error)) => self.failed(&error, sought),
            None => Sight::NotYet,
        }
    }

    fn failed(&mut self, error: &KafkaError, sought: &Acknowledged) -> Sight {
        use RDKafkaErrorCode as E;
        let Acknowledged { topic, partition, offset, .. } = sought;
        let code = error.rdkafka_error_code().unwrap_or(E::Unknown);
        if matches!(
            code,
            E::TopicAuthorizationFailed
                | E::ClusterAuthorizationFailed
                | E::Authentication
                | E::SaslAuthenticationFailed
        ) {
            return Sight::Refused(format!("topic {topic} may not be read: {code}"));
        }
        let gone = matches!(
            code,
            E::AutoOffsetReset
                | E::OffsetOutOfRange
                | E::UnknownTopicOrPartition
                | E::UnknownTopic
                | E::UnknownPartition
        );
        if !gone {
            // The client goes on trying by itself.
            tracing::debug!(%error, topic, "canary: reading back");
            return Sight::NotYet;
        }
        self.assigned = false;
        Sight::Gone(format!("record {offset} of partition {partition} of topic {topic} is not there: {code}"))
    }
}
