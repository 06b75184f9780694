//! The pages of what the watchdog finds.

use super::verdict::{Stage, Verdict};
use crate::error::{Code, Coded, Disposition};
use crate::observe::pulse::Activity;

/// What the watchdog found, in words that stand in the status.
#[derive(Debug, thiserror::Error)]
pub enum WatchdogError {
    /// [`Verdict::SourceSilent`].
    #[error("{0}")]
    SourceSilent(String),
    /// [`Verdict::SourceStuck`].
    #[error("{0}")]
    SourceStuck(String),
    /// [`Verdict::PipelineStuck`].
    #[error("{0}")]
    PipelineStuck(String),
    /// [`Verdict::BrokerStuck`].
    #[error("{0}")]
    BrokerStuck(String),
    /// [`Verdict::DeliveryStuck`].
    #[error("{0}")]
    DeliveryStuck(String),
    /// [`Verdict::Hung`].
    #[error("{0}")]
    Hung(String),
    /// [`Verdict::CommitStuck`].
    #[error("{0}")]
    CommitStuck(String),
    /// [`Verdict::CanaryLost`].
    #[error("{0}")]
    CanaryLost(String),
    /// [`Verdict::Undead`].
    #[error("{0}")]
    Undead(String),
    /// The incident file cannot be written.
    #[error("incidents cannot be written to {file}: {message}")]
    IncidentFile {
        /// The file.
        file: String,
        /// What the system said.
        message: String,
    },
    /// A notice could not be sent.
    #[error("a notice could not be sent to {host}: {message}")]
    Notice {
        /// The address, without its path: it may be a secret.
        host: String,
        /// What happened.
        message: String,
    },
}

impl WatchdogError {
    /// The error of a verdict that the pipeline does not report itself.
    pub fn of(verdict: Verdict, because: &str) -> Option<Self> {
        let words = because.to_owned();
        match verdict {
            Verdict::SourceSilent => Some(WatchdogError::SourceSilent(words)),
            Verdict::SourceStuck => Some(WatchdogError::SourceStuck(words)),
            Verdict::PipelineStuck(Stage::Producer, Activity::BlockedOnBroker) | Verdict::BrokerStuck => {
                Some(WatchdogError::BrokerStuck(words))
            }
            Verdict::PipelineStuck(..) => Some(WatchdogError::PipelineStuck(words)),
            Verdict::DeliveryStuck => Some(WatchdogError::DeliveryStuck(words)),
            Verdict::Hung(_) => Some(WatchdogError::Hung(words)),
            Verdict::CommitStuck => Some(WatchdogError::CommitStuck(words)),
            Verdict::CanaryLost => Some(WatchdogError::CanaryLost(words)),
            Verdict::Undead => Some(WatchdogError::Undead(words)),
            Verdict::Starting
            | Verdict::Flowing
            | Verdict::Idle
            | Verdict::Quiet
            | Verdict::Stopped
            | Verdict::Recovering(_)
            | Verdict::Refused => None,
        }
    }
}

const fn retry(number: u16, title: &'static str, hint: &'static str) -> Code {
    Code { number, disposition: Disposition::Retry, title, hint }
}

static SOURCE_SILENT: Code = retry(
    950,
    "the reader hears nothing from the database and does not notice",
    "The pipeline is built again from the stored position. If it comes again, report it with the incident: the reader's own deadline should have been first.",
);
static SOURCE_STUCK: Code = retry(
    951,
    "the database's log grows and the stream brings nothing of it",
    "The server sends heartbeats and no events: the connection is made again, and then the pipeline. If it stays, look at the server's side of the stream: SHOW PROCESSLIST (Binlog Dump), pg_stat_replication and pg_stat_activity (wait_event of the walsender; from PostgreSQL 17 on synchronized_standby_slots makes it wait for a standby). headwater.watchdog.source.deadline.ms is the deadline.",
);
static PIPELINE_STUCK: Code = retry(
    952,
    "a stage of the pipeline has work and does not get on",
    "The message names the stage and on whom it waits. It is built again after headwater.watchdog.restart.after.ms. If it waits for nobody, this is a fault of Headwater: report it with the incident.",
);
static BROKER_STUCK: Code = retry(
    953,
    "the broker acknowledges nothing",
    "Look at the brokers: are partitions of the topic without a leader, are fewer replicas in sync than min.insync.replicas, is the network cut? Nothing is lost: what is not acknowledged is sent again. headwater.watchdog.broker.deadline.ms is the deadline.",
);
static COMMIT_STUCK: Code = retry(
    954,
    "records are acknowledged, and the position is not stored",
    "Look at offset.storage.topic (leader, in-sync replicas, ACLs) or at the offset file's disk. Until it is stored, what was written since comes twice after a restart.",
);
static CANARY_LOST: Code = retry(
    955,
    "what was written to the database does not come",
    "heartbeat.action.query or the canary wrote something, and within headwater.canary.deadline.ms the stream has not come to it, or what came with it was not acknowledged or is not read back from its topic; the message says which. Where the stream has not come to it: is it written to the server that the stream comes from (a virtual address that has moved, a proxy that splits reads and writes)? Is the server's log filtered (binlog-do-db, a publication)? Where its topic does not give it: see HW0912.",
);
static UNDEAD: Code = retry(
    956,
    "a pipeline that was given up does not end",
    "A thread hangs where nothing can reach it. The process ends with exit code 75 after headwater.watchdog.exit.after.ms, and whoever started it (Kubernetes, systemd, docker --restart) starts it again from the stored position. Report it with the incident.",
);
static DELIVERY_STUCK: Code = retry(
    959,
    "the broker acknowledges what comes later, and not what came first",
    "Most likely one partition is without a leader, or has fewer replicas in sync than min.insync.replicas, while others go on: look at the topics with kafka-topics.sh --describe --unavailable-partitions --under-min-isr-partitions. The position stays before the oldest record; nothing is lost, and what was delivered behind it comes again if the connector is started anew. headwater.watchdog.broker.deadline.ms is the deadline.",
);
static HUNG: Code = retry(
    960,
    "an attempt to mend something has not come back",
    "A new connection, a question to the registry or the building of the pipeline has taken longer than all of its own deadlines together. The pipeline is given up; if its threads do not end either, the process ends with exit code 75, to be started again. Report it with the incident.",
);
static INCIDENT_FILE: Code = retry(
    957,
    "incidents cannot be written to their file",
    "Check folder, rights and space of headwater.incidents.file. The log and REST have the incidents too.",
);
static NOTICE: Code = retry(
    958,
    "a notice could not be sent",
    "Check headwater.notices.urls: the address, and whether it is reachable from here. It is tried a few times, and the log has the incident too.",
);

/// Every page of this room.
pub static CODES: &[&Code] = &[
    &SOURCE_SILENT,
    &SOURCE_STUCK,
    &PIPELINE_STUCK,
    &BROKER_STUCK,
    &COMMIT_STUCK,
    &CANARY_LOST,
    &UNDEAD,
    &INCIDENT_FILE,
    &NOTICE,
    &DELIVERY_STUCK,
    &HUNG,
];

impl Coded for WatchdogError {
    fn code(&self) -> &'static Code {
        match self {
            WatchdogError::SourceSilent(_) => &SOURCE_SILENT,
            WatchdogError::SourceStuck(_) => &SOURCE_STUCK,
            WatchdogError::PipelineStuck(_) => &PIPELINE_STUCK,
            WatchdogError::BrokerStuck(_) => &BROKER_STUCK,
            WatchdogError::DeliveryStuck(_) => &DELIVERY_STUCK,
            WatchdogError::Hung(_) => &HUNG,
            WatchdogError::CommitStuck(_) => &COMMIT_STUCK,
            WatchdogError::CanaryLost(_) => &CANARY_LOST,
            WatchdogError::Undead(_) => &UNDEAD,
            WatchdogError::IncidentFile { .. } => &INCIDENT_FILE,
            WatchdogError::Notice { .. } => &NOTICE,
        }
    }
}
