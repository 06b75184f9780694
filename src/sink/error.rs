//! What can go wrong between a record and the broker's acknowledgement.
//!
//! In: librdkafka's and the brokers' codes. Out: one variant for each thing a person or the pipeline does
//! about it. Promised: no value of a row and no secret is in any of them; of a key only its length.

use std::time::Duration;

use crate::error::{Code, Coded, Disposition};
use crate::util::kafka::properties::PropertyError;

/// Why the sink cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// A producer property that cannot be honoured.
    #[error("producer property {0}")]
    Property(#[from] PropertyError),
    /// librdkafka does not accept the configuration as a whole.
    #[error("the producer cannot be made: {0}")]
    Configuration(String),
    /// A topic name that Kafka cannot have.
    #[error("`{topic}` cannot be the name of a topic")]
    TopicName {
        /// As it came.
        topic: String,
    },
    /// `topic.creation.*` cannot be read.
    #[error("topic creation: {0}")]
    CreationRule(PropertyError),
    /// The cluster refused to create a topic.
    #[error("topic {topic} cannot be created: {text}")]
    CreationRefused {
        /// Which topic.
        topic: String,
        /// The broker's words.
        text: String,
    },
    /// The cluster did not answer a request about a topic.
    #[error("no answer about topic {topic}: {text}")]
    CreationUnanswered {
        /// Which topic.
        topic: String,
        /// librdkafka's words.
        text: String,
    },
    /// The topic does not exist and the broker does not create it.
    #[error("topic {topic} does not exist")]
    UnknownTopic {
        /// Which topic.
        topic: String,
    },
    /// The topic was there, or others were, and now it is not: somebody deleted it, or the brokers do not yet agree.
    #[error("topic {topic} is not there")]
    TopicGone {
        /// Which topic.
        topic: String,
    },
    /// The record names a partition that its topic does not have.
    #[error("topic {topic} has no partition {partition}")]
    UnknownPartition {
        /// Which topic.
        topic: String,
        /// The partition that the record asks for.
        partition: i32,
    },
    /// The client may not write.
    #[error("not authorised to write to topic {topic}: {text}")]
    NotAuthorized {
        /// Which topic.
        topic: String,
        /// The broker's words.
        text: String,
    },
    /// The brokers do not accept who we say we are.
    #[error("the brokers refuse the credentials: {text}")]
    Authentication {
        /// librdkafka's words.
        text: String,
    },
    /// One record is bigger than client, broker or topic allow.
    #[error(
        "a record of {size} bytes for topic {topic} (key of {key_length} bytes) is too large for {refused_by}; the producer's limit is {limit} bytes"
    )]
    TooLarge {
        /// For which topic.
        topic: String,
        /// Bytes of its key.
        key_length: usize,
        /// Bytes of key and value.
        size: usize,
        /// The producer's `max.request.size`.
        limit: usize,
        /// Whose limit it was: `the producer` or `the broker`.
        refused_by: &'static str,
    },
    /// The broker refused a batch as too large; which record it was shows when batches are smaller.
    #[error(
        "the broker refused a batch for topic {topic} as too large; batches of at most {limit} bytes are sent from now on"
    )]
    BatchTooLarge {
        /// For which topic.
        topic: String,
        /// `batch.size` of the next producer.
        limit: usize,
    },
    /// No acknowledgement within `delivery.timeout.ms`.
    #[error("topic {topic}: no acknowledgement within the delivery timeout")]
    DeliveryTimedOut {
        /// Of the first such record.
        topic: String,
    },
    /// The broker calls a record a duplicate of one that it may not have.
    #[error("topic {topic}: a record was acknowledged without an offset, so it may be nowhere")]
    Unproven {
        /// Of the first such record.
        topic: String,
    },
    /// This producer can deliver nothing more.
    #[error("the producer has failed: {text}")]
    ProducerFailed {
        /// librdkafka's words.
        text: String,
    },
    /// The broker will never accept this record.
    #[error("topic {topic} does not accept a record: {text}")]
    Refused {
        /// Which topic.
        topic: String,
        /// The broker's words.
        text: String,
    },
    /// A delivery failed for a reason that may pass.
    #[error("delivery to topic {topic} failed: {text}")]
    Delivery {
        /// Which topic.
        topic: String,
        /// librdkafka's words.
        text: String,
    },
    /// The stop flag was raised while the sink waited for room.
    #[error("stopped while waiting for room in the producer's buffer")]
    Stopped,
    /// Not all was acknowledged by the deadline of a flush.
    #[error("{remaining} records were not acknowledged within {waited:?}")]
    FlushTimedOut {
        /// Records without an answer.
        remaining: usize,
        /// How long was waited.
        waited: Duration,
    },
    /// The batch is not whole: a fault of the rooms before.
    #[error("a batch is not whole: {0}")]
    Batch(&'static str),
    /// The embedded broker does not start.
    #[error("the embedded broker does not start: {0}")]
    Embedded(String),
}

const fn page(number: u16, disposition: Disposition, title: &'static str, hint: &'static str) -> Code {
    Code { number, disposition, title, hint }
}

use Disposition::{Reject, Retry, Stop};

static PROPERTY: Code = page(
    700,
    Stop,
    "A producer property cannot be honoured",
    "Correct the property that the message names, in the worker (producer.*) or the connector (producer.override.*).",
);
static CONFIGURATION: Code = page(
    701,
    Stop,
    "The producer cannot be made from its properties",
    "The message holds librdkafka's own words; they name the property. Look at the files it names (certificates, keys) too.",
);
static TOPIC_NAME: Code = page(
    702,
    Stop,
    "A topic cannot have this name",
    "Kafka allows letters, digits, `.`, `_` and `-`, at most 249 characters. Look at topic.prefix and at routing transforms.",
);
static CREATION_RULE: Code = page(
    703,
    Stop,
    "topic.creation.* cannot be read",
    "Correct the property that the message names; topic.creation.default.replication.factor and .partitions are required.",
);
static CREATION_REFUSED: Code = page(
    704,
    Stop,
    "The cluster refused to create a topic",
    "Grant CREATE on the cluster or on the topic prefix, correct topic.creation.*, or create the topic yourself.",
);
static CREATION_UNANSWERED: Code = page(
    705,
    Retry,
    "The cluster did not answer a request about a topic",
    "It is tried again. If it stays: is a controller elected, do firewalls let the brokers' advertised listeners through?",
);
static UNKNOWN_TOPIC: Code = page(
    706,
    Stop,
    "The topic does not exist",
    "Create it, set topic.creation.default.* in the connector, or auto.create.topics.enable=true in the brokers.",
);
static TOPIC_GONE: Code = page(
    721,
    Retry,
    "The topic is not there",
    "Was it deleted, or never made? It is made again where topic.creation.default.* or the brokers' auto.create.topics.enable say so, and what was not acknowledged comes again; else the connector fails the next time.",
);
static UNKNOWN_PARTITION: Code = page(
    707,
    Stop,
    "The topic has no such partition",
    "A transform or setting chose the partition: give the topic that many partitions or correct the setting.",
);
static NOT_AUTHORIZED: Code = page(
    708,
    Stop,
    "The client may not write to a topic",
    "kafka-acls.sh --bootstrap-server … --add --allow-principal User:… --operation Write --operation Describe --topic <topic>",
);
static AUTHENTICATION: Code = page(
    709,
    Stop,
    "The brokers refuse the credentials",
    "Look at sasl.mechanism, sasl.jaas.config and the client certificate; the broker's log says why.",
);
static TOO_LARGE: Code = page(
    710,
    Reject,
    "A record is too large",
    "Raise producer.override.max.request.size, the topic's max.message.bytes and the brokers' replica.fetch.max.bytes together; \
     or leave such records out knowingly with record.too.large.policy=skip; compression and column exclusion make records smaller.",
);
static BATCH_TOO_LARGE: Code = page(
    711,
    Retry,
    "The broker refused a batch as too large",
    "Sending begins again from the resume point with smaller batches. Set producer.override.batch.size below the topic's max.message.bytes to avoid it.",
);
static DELIVERY_TIMED_OUT: Code = page(
    712,
    Retry,
    "The broker did not acknowledge in time",
    "Sending begins again from the resume point with a new producer: nothing is lost. If it stays, look at the brokers and at min.insync.replicas.",
);
static PRODUCER_FAILED: Code = page(
    713,
    Retry,
    "The idempotent producer has failed",
    "A new one takes over from the resume point: nothing is lost. It happens when the broker forgot the producer (data deleted, unclean leader).",
);
static REFUSED: Code = page(
    714,
    Stop,
    "The broker will not accept a record",
    "The message holds the broker's words. A compacted topic refuses records without a key; a topic may limit timestamps.",
);
static DELIVERY: Code = page(
    715,
    Retry,
    "A delivery failed",
    "Sending begins again from the resume point: nothing is lost. The message holds librdkafka's words.",
);
static STOPPED: Code = page(
    716,
    Retry,
    "Stopped while waiting for the broker",
    "The connector was asked to stop. What was not acknowledged comes again at the next start.",
);
static FLUSH_TIMED_OUT: Code = page(
    717,
    Retry,
    "Records were not acknowledged before the deadline",
    "What was not acknowledged comes again at the next start: nothing is lost.",
);
static BATCH: Code = page(
    718,
    Stop,
    "A batch is not whole",
    "This is a defect of Headwater. Nothing is lost; please report the message.",
);
static EMBEDDED: Code = page(719, Stop, "The embedded broker does not start", "It needs free ports on loopback.");
static UNPROVEN: Code = page(
    720,
    Retry,
    "A record was acknowledged without an offset",
    "Sending begins again from the resume point: nothing is lost. It happens to the first records of a topic that is being made. \
     If it stays, the broker gives no offsets: set producer.override.max.in.flight.requests.per.connection=1.",
);

/// The pages of this room, in the order of their numbers.
pub static CODES: &[&Code] = &[
    &PROPERTY,
    &CONFIGURATION,
    &TOPIC_NAME,
    &CREATION_RULE,
    &CREATION_REFUSED,
    &CREATION_UNANSWERED,
    &UNKNOWN_TOPIC,
    &TOPIC_GONE,
    &UNKNOWN_PARTITION,
    &NOT_AUTHORIZED,
    &AUTHENTICATION,
    &TOO_LARGE,
    &BATCH_TOO_LARGE,
    &DELIVERY_TIMED_OUT,
    &PRODUCER_FAILED,
    &REFUSED,
    &DELIVERY,
    &STOPPED,
    &FLUSH_TIMED_OUT,
    &BATCH,
    &EMBEDDED,
    &UNPROVEN,
];

impl Coded for SinkError {
    fn code(&self) -> &'static Code {
        match self {
            SinkError::Property(_) => &PROPERTY,
            SinkError::Configuration(_) => &CONFIGURATION,
            SinkError::TopicName { .. } => &TOPIC_NAME,
            SinkError::CreationRule(_) => &CREATION_RULE,
            SinkError::CreationRefused { .. } => &CREATION_REFUSED,
            SinkError::CreationUnanswered { .. } => &CREATION_UNANSWERED,
            SinkError::UnknownTopic { .. } => &UNKNOWN_TOPIC,
            SinkError::TopicGone { .. } => &TOPIC_GONE,
            SinkError::UnknownPartition { .. } => &UNKNOWN_PARTITION,
            SinkError::NotAuthorized { .. } => &NOT_AUTHORIZED,
            SinkError::Authentication { .. } => &AUTHENTICATION,
            SinkError::TooLarge { .. } => &TOO_LARGE,
            SinkError::BatchTooLarge { .. } => &BATCH_TOO_LARGE,
            SinkError::DeliveryTimedOut { .. } => &DELIVERY_TIMED_OUT,
            SinkError::ProducerFailed { .. } => &PRODUCER_FAILED,
            SinkError::Refused { .. } => &REFUSED,
            SinkError::Delivery { .. } => &DELIVERY,
            SinkError::Stopped => &STOPPED,
            SinkError::FlushTimedOut { .. } => &FLUSH_TIMED_OUT,
            SinkError::Batch(_) => &BATCH,
            SinkError::Embedded(_) => &EMBEDDED,
            SinkError::Unproven { .. } => &UNPROVEN,
        }
    }
}
