//! What keeps the worker from doing what it was asked.
//!
//! In: a request about a connector. Out: why not, in Kafka Connect's own words where it has words for it, because people
//! and programs look for them. Promised: no value of a secret stands in a message.

use crate::error::{Code, Coded, Disposition, Failure};

/// Why a request was not obeyed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WorkerError {
    /// There is no connector of that name.
    #[error("Connector {0} not found")]
    NotFound(String),
    /// The same, as Connect words it for what changes a connector's state.
    #[error("Unknown connector {0}")]
    Unknown(String),
    /// The same, as Connect words it for restarts.
    #[error("Unknown connector: {0}")]
    UnknownToRestart(String),
    /// There is no such task.
    #[error("Unknown task: {0}")]
    UnknownTask(String),
    /// There is one of that name already.
    #[error("Connector {0} already exists")]
    Exists(String),
    /// The configuration cannot be used; all that is wrong with it.
    #[error("{}", invalid(.0))]
    Invalid(Vec<String>),
    /// The request itself cannot be obeyed.
    #[error("{0}")]
    Refused(String),
    /// The connector is one of the command line's files.
    #[error(
        "Connector {connector} is run from a file of the command line, which would bring it back as it was at the next start: change or remove {file} and start again"
    )]
    OfFile {
        /// The connector.
        connector: String,
        /// Its file.
        file: String,
    },
    /// Connectors cannot be kept.
    #[error(
        "This worker runs the connectors of the files on its command line and keeps no others. Start `headwater run` without files, or with --stored, to register connectors here"
    )]
    NoStore,
    /// What is stored has not been read yet.
    #[error("The worker is still reading its connectors from {place}{}", reason.as_ref().map_or(String::new(), |reason| format!(": {reason}")))]
    Starting {
        /// From where.
        place: String,
        /// What it waits for.
        reason: Option<String>,
    },
    /// A Kafka Connect cluster may still run what is stored.
    #[error(
        "{members} workers of Kafka Connect are still in the group {group} and run the stored connectors; they begin here when those have left"
    )]
    RunsElsewhere {
        /// `group.id`.
        group: String,
        /// How many.
        members: usize,
    },
    /// Offsets are changed only where nothing runs.
    #[error(
        "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/{0}/stop' endpoint"
    )]
    NotStopped(String),
    /// The connector is still on its way to STOPPED.
    #[error("Connector {0} has not ended yet, so that its offsets cannot be modified. Ask again in a moment")]
    StillEnding(String),
    /// Whether a Kafka Connect cluster runs what is stored cannot be found out.
    #[error(
        "whether workers of Kafka Connect are still in the group {group} cannot be asked, so that the stored connectors are not begun yet: {reason}"
    )]
    MembersUnknown {
        /// `group.id`.
        group: String,
        /// Why not.
        reason: String,
    },
    /// Another worker of the group has the lead.
    #[error("the worker at {leader} runs the stored connectors of the group {group}; this one takes over when it ends")]
    Standby {
        /// `group.id`.
        group: String,
        /// Where it listens.
        leader: String,
    },
    /// Whether another worker has the lead is not known.
    #[error(
        "this worker is not in the group {group}, so that another one may run the stored connectors, and they do not run here: {reason}"
    )]
    OutOfGroup {
        /// `group.id`.
        group: String,
        /// Why not.
        reason: String,
        /// Whether that passes by itself, as while the group is put in order.
        passes: bool,
    },
    /// The worker is ending.
    #[error("The worker is stopping and takes no changes")]
    Stopping,
    /// Others took so long that nobody waits for this one any more.
    #[error("The request waited too long for its turn. Nothing was changed")]
    TooLate,
    /// What is stored is not known since a change failed.
    #[error("An earlier change could not be stored, and what is stored now cannot be read. Nothing was changed: {0}")]
    InDoubt(Failure),
    /// A store, or a thread, failed.
    #[error("{0}")]
    Failed(Failure),
}

/// Connect's own words (`AbstractHerder.maybeAddConfigErrors`).
fn invalid(errors: &[String]) -> String {
    format!(
        "Connector configuration is invalid and contains the following {} error(s):\n{}\nYou can also find the above list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
        errors.len(),
        errors.join("\n")
    )
}

const fn page(number: u16, disposition: Disposition, title: &'static str, hint: &'static str) -> Code {
    Code { number, disposition, title, hint }
}

static NOT_FOUND: Code = page(
    1150,
    Disposition::Reject,
    "There is no connector or task of that name",
    "GET /connectors lists the names. They are case-sensitive.",
);
static EXISTS: Code = page(
    1151,
    Disposition::Reject,
    "There is a connector of that name already",
    "PUT /connectors/<name>/config makes or changes it, whichever is needed.",
);
static REFUSED: Code = page(
    1152,
    Disposition::Reject,
    "A request to change a connector cannot be obeyed as it is",
    "The answer says what is wrong with it. PUT /connector-plugins/<class>/config/validate says it for each property.",
);
static OF_FILE: Code = page(
    1153,
    Disposition::Reject,
    "Connectors that come from files of the command line are not changed by REST",
    "What is changed here would be lost at the next start. Change the file; or run without files, and register connectors with PUT /connectors/<name>/config: they are kept in config.storage.topic.",
);
static STARTING: Code = page(
    1154,
    Disposition::Retry,
    "The worker has not read yet which connectors it is to run",
    "It is asked again until the brokers answer. If it stays, the message says what it waits for.",
);
static NOT_STOPPED: Code = page(
    1155,
    Disposition::Reject,
    "Offsets are changed only while the connector is stopped",
    "PUT /connectors/<name>/stop, change the offsets, PUT /connectors/<name>/resume.",
);
pub(super) static CANNOT_START: Code = page(
    1156,
    Disposition::Stop,
    "A stored connector cannot be run with its configuration",
    "The other connectors run. Mend it with PUT /connectors/<name>/config; the message lists all that is wrong.",
);
pub(super) static PANICKED: Code = page(
    1157,
    Disposition::Stop,
    "A connector could not be started because of a fault in this program",
    "Please report the message. The other connectors run; POST /connectors/<name>/restart tries again.",
);
static RUNS_ELSEWHERE: Code = page(
    1158,
    Disposition::Retry,
    "A Kafka Connect cluster with this group.id still runs the stored connectors",
    "Two that read one database under one name would send everything twice and write each other's positions. Stop the workers of Kafka Connect; those that were killed leave the group after its session timeout (10 s by default). Or set another group.id with other storage topics.",
);
pub(super) static NOT_ENDED: Code = page(
    1159,
    Disposition::Stop,
    "A connector was asked to end and has not",
    "It is not begun again before it has ended, because two would write each other's positions. The log says what it waits for; starting the worker again ends it.",
);
static NOBODY_TO_ASK: Code = page(
    1162,
    Disposition::Retry,
    "Whether a Kafka Connect cluster with this group.id runs the stored connectors cannot be asked",
    "Most often no broker answers: look at bootstrap.servers, and at what the log says of the connection. They are asked again, and the stored connectors begin, from their positions, as soon as they answer that no worker of Kafka Connect is in the group.",
);
static NO_CHANGES: Code = page(
    1160,
    Disposition::Retry,
    "The worker takes no changes of connectors at the moment",
    "It is stopping, or the brokers do not take what it writes to config.storage.topic. Connectors that run go on. Ask again; if it stays, the message says what is wrong.",
);

static NOT_LEADING: Code = page(
    1161,
    Disposition::Retry,
    "Another worker with this group.id runs the stored connectors, or may do so",
    "One worker of a group runs them, the others wait and take over within session.timeout.ms when it is gone; ask the one that the message names, or ask again in a moment. Where no other worker is meant to be, look for a second one with the same group.id and config.storage.topic. Where the brokers do not answer, they are asked again, and the connectors go on from their positions.",
);

/// Every page of this room, for `headwater explain`.
pub static CODES: &[&Code] = &[
    &NOT_FOUND,
    &EXISTS,
    &REFUSED,
    &OF_FILE,
    &STARTING,
    &NOT_STOPPED,
    &CANNOT_START,
    &PANICKED,
    &RUNS_ELSEWHERE,
    &NOT_ENDED,
    &NO_CHANGES,
    &NOT_LEADING,
    &NOBODY_TO_ASK,
];

impl Coded for WorkerError {
    fn code(&self) -> &'static Code {
        match self {
            WorkerError::NotFound(_)
            | WorkerError::Unknown(_)
            | WorkerError::UnknownToRestart(_)
            | WorkerError::UnknownTask(_) => &NOT_FOUND,
            WorkerError::Exists(_) => &EXISTS,
            WorkerError::Invalid(_) | WorkerError::Refused(_) => &REFUSED,
            WorkerError::OfFile { .. } | WorkerError::NoStore => &OF_FILE,
            WorkerError::Starting { .. } => &STARTING,
            WorkerError::RunsElsewhere { .. } => &RUNS_ELSEWHERE,
            WorkerError::MembersUnknown { .. } => &NOBODY_TO_ASK,
            WorkerError::Stopping | WorkerError::TooLate | WorkerError::InDoubt(_) => &NO_CHANGES,
            WorkerError::Standby { .. } | WorkerError::OutOfGroup { .. } => &NOT_LEADING,
            WorkerError::NotStopped(_) | WorkerError::StillEnding(_) => &NOT_STOPPED,
            WorkerError::Failed(failure) => failure.code,
        }
    }
}

impl From<Failure> for WorkerError {
    fn from(failure: Failure) -> Self {
        WorkerError::Failed(failure)
    }
}
