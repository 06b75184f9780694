//! What can go wrong between the rooms.

use crate::error::{Code, Coded, Disposition};

/// An error of the pipeline itself.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The records of one batch are more bytes than a batch can hold.
    #[error("the records of one batch for topic {topic} take {bytes} bytes, more than 4 GiB")]
    BatchTooLarge {
        /// The topic.
        topic: String,
        /// The bytes so far.
        bytes: usize,
    },
    /// A thread of the pipeline panicked.
    #[error("the {thread} thread panicked: {message}")]
    Panicked {
        /// The thread's name.
        thread: String,
        /// What it said.
        message: String,
    },
    /// A thread could not be started.
    #[error("the {thread} thread could not be started: {message}")]
    Spawn {
        /// The thread's name.
        thread: String,
        /// What the machine said.
        message: String,
    },
    /// A converter's registry did not answer for as long as it may be asked again.
    #[error("errors.retry.timeout of {timeout_ms} ms is over: {message}")]
    RetriesEnded {
        /// The setting.
        timeout_ms: u64,
        /// What the last try failed with.
        message: String,
    },
    /// Records of one topic have keys that cannot be compared. Said, not returned: Debezium writes such records too.
    #[error("topic {topic} gets records whose keys have other fields than those before: ({one}) and ({other})")]
    KeysDiffer {
        /// The topic.
        topic: String,
        /// The fields of a key.
        one: String,
        /// Those of another one.
        other: String,
    },
    /// A row that columns are to be read again of is not there any more.
    #[error("a row of table {table} that columns are to be read again of is not found")]
    ReselectedRowGone {
        /// The table.
        table: String,
    },
    /// A table has no primary key to find a row by.
    #[error("table {table} has no primary key, and columns of it are to be read again")]
    ReselectWithoutKey {
        /// The table.
        table: String,
    },
    /// A filter of columns that are read again cannot decide.
    #[error("the expressions for columns that are read again take too long to match {column}")]
    ReselectFilter {
        /// The column.
        column: String,
    },
    /// What came with a marker was not read back from its topic. Said, not returned.
    #[error("what came with the canary's marker was not read back: {reason}")]
    NotReadBack {
        /// Why.
        reason: String,
    },
    /// Batches were given up without an error that says why.
    #[error("{batches} batches were given up undelivered")]
    Abandoned {
        /// How many.
        batches: u64,
    },
}

static BATCH_TOO_LARGE: Code = Code {
    number: 900,
    disposition: Disposition::Stop,
    title: "one batch of records is more than 4 GiB",
    hint: "A single row is close to the server's max_allowed_packet. Exclude its large columns with column.exclude.list or shorten them with column.truncate.to.N.chars.",
};
static PANICKED: Code = Code {
    number: 901,
    disposition: Disposition::Retry,
    title: "a thread of the pipeline panicked",
    hint: "This is a fault of Headwater. The pipeline is built again from the stored position; nothing was lost. Report the message and the position.",
};
static SPAWN: Code = Code {
    number: 902,
    disposition: Disposition::Retry,
    title: "a thread could not be started",
    hint: "The machine or the container is out of threads or memory: raise its limits (pids, memory).",
};
static ABANDONED: Code = Code {
    number: 903,
    disposition: Disposition::Retry,
    title: "batches were given up undelivered",
    hint: "The pipeline is built again from the stored position, and the batches are read again.",
};
static RETRIES_ENDED: Code = Code {
    number: 904,
    disposition: Disposition::Stop,
    title: "a converter failed for longer than errors.retry.timeout",
    hint: "Mend what the message names, usually the schema registry, and restart the connector: nothing is lost. Without errors.retry.timeout, or with -1, it is asked again until it answers.",
};
static KEYS_DIFFER: Code = Code {
    number: 905,
    disposition: Disposition::Reject,
    title: "records of one topic have keys with different fields",
    hint: "Two tables with different keys are routed to one topic, or a key was altered. Compaction and consumers that join by key take them for different things, and a registry may refuse the second one. Route the tables to topics of their own, or give them one key with message.key.columns or ValueToKey.",
};

static RESELECTED_ROW_GONE: Code = Code {
    number: 906,
    disposition: Disposition::Stop,
    title: "a row is gone of which columns are to be read again",
    hint: "It was deleted, or its key changed, after the change that is written now. reselect.error.handling.mode=warn writes the change as it came, with unavailable.value.placeholder.",
};
static RESELECT_WITHOUT_KEY: Code = Code {
    number: 907,
    disposition: Disposition::Stop,
    title: "columns of a table without a primary key are to be read again",
    hint: "Name columns that find one row in message.key.columns and set reselect.use.event.key=true; or leave the table out with reselect.columns.exclude.list.",
};
static RESELECT_FILTER: Code = Code {
    number: 908,
    disposition: Disposition::Stop,
    title: "an expression for columns that are read again takes too long to match",
    hint: "Write reselect.columns.include.list or reselect.columns.exclude.list without nested repetitions.",
};
static NOT_READ_BACK: Code = Code {
    number: 912,
    disposition: Disposition::Retry,
    title: "what came with the canary's marker is not read back from its topic",
    hint: "What the broker acknowledges is the proof then, and the connector runs all the same. Where the topic may not be read: grant READ on it to the connector's user, name another one with consumer.override.*, or set headwater.canary.read.back=false. Where no record came: capture the table that the canary writes to. Where a record is not there that was acknowledged: was the topic emptied or deleted, or did a partition get a leader that had not all of it (unclean.leader.election.enable)?",
};

/// Every page of this room.
pub static CODES: &[&Code] = &[
    &BATCH_TOO_LARGE,
    &PANICKED,
    &SPAWN,
    &ABANDONED,
    &RETRIES_ENDED,
    &KEYS_DIFFER,
    &RESELECTED_ROW_GONE,
    &RESELECT_WITHOUT_KEY,
    &RESELECT_FILTER,
    &NOT_READ_BACK,
];

impl Coded for PipelineError {
    fn code(&self) -> &'static Code {
        match self {
            PipelineError::BatchTooLarge { .. } => &BATCH_TOO_LARGE,
            PipelineError::Panicked { .. } => &PANICKED,
            PipelineError::Spawn { .. } => &SPAWN,
            PipelineError::KeysDiffer { .. } => &KEYS_DIFFER,
            PipelineError::Abandoned { .. } => &ABANDONED,
            PipelineError::RetriesEnded { .. } => &RETRIES_ENDED,
            PipelineError::ReselectedRowGone { .. } => &RESELECTED_ROW_GONE,
            PipelineError::ReselectWithoutKey { .. } => &RESELECT_WITHOUT_KEY,
            PipelineError::ReselectFilter { .. } => &RESELECT_FILTER,
            PipelineError::NotReadBack { .. } => &NOT_READ_BACK,
        }
    }
}
