//! What can go wrong with what must survive a crash.
//!
//! In: errors of files, brokers and formats. Out: one variant for each thing a person or the pipeline does
//! about it. Promised: each names the topic or file, and for a broken record its offset or line.

use crate::error::{Code, Coded, Disposition};
use crate::util::kafka::admin::AdminError;
use crate::util::kafka::properties::PropertyError;

/// Why a store cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A property of the store's Kafka clients that cannot be honoured.
    #[error("property {0}")]
    Property(#[from] PropertyError),
    /// librdkafka does not accept the configuration as a whole.
    #[error("the store's Kafka client cannot be made: {0}")]
    Configuration(String),
    /// The topic cannot be created.
    #[error("topic {topic} cannot be created: {text}")]
    TopicRefused {
        /// Which topic.
        topic: String,
        /// The broker's words.
        text: String,
    },
    /// The topic is not as it must be to keep what is written to it.
    #[error("topic {topic}: {problem}")]
    TopicUnsafe {
        /// Which topic.
        topic: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The brokers did not answer before the deadline.
    #[error("{action} topic {topic}: {text}")]
    Unanswered {
        /// `reading`, `writing to`, `asking about`.
        action: &'static str,
        /// Which topic.
        topic: String,
        /// In words.
        text: String,
    },
    /// The brokers refuse the client.
    #[error("{action} topic {topic}: {text}")]
    NotAuthorized {
        /// `reading`, `writing to`, `asking about`.
        action: &'static str,
        /// Which topic.
        topic: String,
        /// The broker's words.
        text: String,
    },
    /// The brokers refuse a record.
    #[error("topic {topic} does not accept a record of {size} bytes: {text}")]
    RecordRefused {
        /// Which topic.
        topic: String,
        /// Bytes of key and value.
        size: usize,
        /// The broker's words.
        text: String,
    },
    /// A file cannot be read or written.
    #[error("file {path}: {action}: {source}")]
    File {
        /// Which file.
        path: String,
        /// What was done.
        action: &'static str,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file that is not a Connect offset file.
    #[error("file {path} is not an offset file of Kafka Connect: {problem} at byte {at}")]
    OffsetFile {
        /// Which file.
        path: String,
        /// What is wrong.
        problem: &'static str,
        /// Where.
        at: usize,
    },
    /// A stored offset that cannot be read.
    #[error("the offset stored under {key} in {place} cannot be read: {problem}")]
    Offset {
        /// The key's text.
        key: String,
        /// Topic, partition and offset, or file.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A record of schema history that cannot be read.
    #[error("schema history {place}: {problem}")]
    History {
        /// Topic and offset, or file and line.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A stored connector that cannot be read.
    #[error("{key} in {place} cannot be read: {problem}")]
    StoredConnector {
        /// The record's key.
        key: String,
        /// Topic, partition and offset, or file.
        place: String,
        /// What is wrong, without values of properties.
        problem: String,
    },
    /// A schema history whose first records were removed.
    #[error("the schema history topic {topic} has lost its first {records} records{}", if *all { ", which were all of it" } else { "" })]
    HistoryCut {
        /// Which topic.
        topic: String,
        /// How many are gone.
        records: i64,
        /// Whether none is left.
        all: bool,
    },
}

impl StoreError {
    /// An administrator's request about a topic failed.
    pub(super) fn admin(action: &'static str, topic: &str, error: AdminError) -> Self {
        let (topic, text) = (topic.to_owned(), error.text.clone());
        if error.retriable() {
            StoreError::Unanswered { action, topic, text }
        } else if error.unauthorized() {
            StoreError::NotAuthorized { action, topic, text }
        } else {
            StoreError::TopicRefused { topic, text }
        }
    }
}

const fn page(number: u16, disposition: Disposition, title: &'static str, hint: &'static str) -> Code {
    Code { number, disposition, title, hint }
}

use Disposition::{Retry, Stop};

static PROPERTY: Code = page(
    800,
    Stop,
    "A property of the store's Kafka clients cannot be honoured",
    "Correct the property that the message names, in the worker (producer.*, consumer.*) or under schema.history.internal.*.",
);
static CONFIGURATION: Code = page(
    801,
    Stop,
    "The store's Kafka client cannot be made from its properties",
    "The message holds librdkafka's own words; they name the property.",
);
static TOPIC_REFUSED: Code = page(
    802,
    Stop,
    "The topic of a store cannot be created or described",
    "If the message speaks of the replication factor, the cluster has fewer brokers than copies are asked for: set offset.storage.replication.factor, config.storage.replication.factor and status.storage.replication.factor (3 by default) to as many as there are, or to -1, which leaves it to the broker. Otherwise grant CREATE and DESCRIBE_CONFIGS, or create the topic yourself (offsets, configurations, states: cleanup.policy=compact; schema history: one partition, cleanup.policy=delete, retention.ms=-1).",
);
static TOPIC_UNSAFE: Code = page(
    803,
    Stop,
    "The topic of a store would lose what is written to it",
    "kafka-configs.sh --bootstrap-server … --alter --entity-type topics --entity-name <topic> --add-config cleanup.policy=compact (offsets, configurations, states) or cleanup.policy=delete,retention.ms=-1,retention.bytes=-1 (schema history)",
);
static UNANSWERED: Code = page(
    804,
    Retry,
    "The store's brokers did not answer in time",
    "It is tried again; positions stay where they are meanwhile, so nothing is lost. If it stays, look at the brokers and at min.insync.replicas.",
);
static NOT_AUTHORIZED: Code = page(
    805,
    Stop,
    "The client may not use the topic of a store",
    "Grant READ, WRITE and DESCRIBE on the topic that the message names.",
);
static RECORD_REFUSED: Code = page(
    806,
    Stop,
    "The topic of a store does not accept a record",
    "Raise max.message.bytes of the topic, and max.request.size under producer.* or schema.history.internal.producer.*.",
);
static FILE: Code = page(
    807,
    Stop,
    "The file of a store cannot be read or written",
    "Look at the path, its owner and the room on the disk. offset.storage.file.filename and schema.history.internal.file.filename name it.",
);
static OFFSET_FILE: Code = page(
    808,
    Stop,
    "The offset file cannot be read",
    "It is not one that Kafka Connect wrote, or it was cut off. Restore it; removing it starts the connector from the beginning.",
);
static OFFSET: Code = page(
    809,
    Stop,
    "A stored offset cannot be read",
    "Correct the record, or write a new one under the same key; the key and the place are in the message.",
);
static HISTORY: Code = page(
    810,
    Stop,
    "A record of the schema history cannot be read",
    "Nothing was guessed. Rebuild the history with snapshot.mode=recovery, or restore the topic.",
);
static HISTORY_CUT: Code = page(
    811,
    Stop,
    "The schema history has lost its first records",
    "The topic does not keep its records, or somebody removed them. Set retention.ms=-1 and retention.bytes=-1 on it. Tables whose records are gone are not known any more: their rows stop the connector. If no table was altered since the stored offset, start once with snapshot.mode=recovery: the tables are then read from the server and recorded again.",
);
static STORED_CONNECTOR: Code = page(
    812,
    Stop,
    "The configuration of a connector that was stored cannot be read",
    "That connector does not run; the others do. Register it again (PUT /connectors/<name>/config writes a new record under the same key), or restore the file that the message names.",
);

/// The pages of this room, in the order of their numbers.
pub static CODES: &[&Code] = &[
    &PROPERTY,
    &CONFIGURATION,
    &TOPIC_REFUSED,
    &TOPIC_UNSAFE,
    &UNANSWERED,
    &NOT_AUTHORIZED,
    &RECORD_REFUSED,
    &FILE,
    &OFFSET_FILE,
    &OFFSET,
    &HISTORY,
    &HISTORY_CUT,
    &STORED_CONNECTOR,
];

impl Coded for StoreError {
    fn code(&self) -> &'static Code {
        match self {
            StoreError::Property(_) => &PROPERTY,
            StoreError::Configuration(_) => &CONFIGURATION,
            StoreError::TopicRefused { .. } => &TOPIC_REFUSED,
            StoreError::TopicUnsafe { .. } => &TOPIC_UNSAFE,
            StoreError::Unanswered { .. } => &UNANSWERED,
            StoreError::NotAuthorized { .. } => &NOT_AUTHORIZED,
            StoreError::RecordRefused { .. } => &RECORD_REFUSED,
            StoreError::File { .. } => &FILE,
            StoreError::OffsetFile { .. } => &OFFSET_FILE,
            StoreError::Offset { .. } => &OFFSET,
            StoreError::History { .. } => &HISTORY,
            StoreError::HistoryCut { .. } => &HISTORY_CUT,
            StoreError::StoredConnector { .. } => &STORED_CONNECTOR,
        }
    }
}
