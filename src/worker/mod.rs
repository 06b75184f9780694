//! The worker: the connectors that are wanted in, their pipelines running out.
//!
//! In: checked files, what the store holds, and what people ask for by REST. Out: one keeper and one pipeline for each
//! connector, that run by themselves. Promised: what was answered with a yes is durable before the answer; one
//! connector's failure, panic, change or end does not reach another; what only looks never waits for a store or a
//! pipeline; stopping drains, commits and leaves. What survives a crash is in the stores: configurations and targets in
//! [`crate::store::config`], positions in [`crate::store::offset`], what was said of connectors in [`crate::store::status`].
//!
//! ```text
//!  files ──▶ ┌────────┐ wish  ┌────────┐ begin, end ┌──────────┐
//!  store ──▶ │ Worker │──────▶│ keeper │───────────▶│ pipeline │   (a keeper and a pipeline for each connector)
//!  REST ◀──▶ └───┬────┘       └────────┘            └──────────┘
//!                └──▶ store: first durable, then wished
//! ```

mod change;
mod connector;
mod error;
mod membership;
mod offsets;
mod opening;
mod statuses;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

pub use change::{Registered, Restart};
pub use connector::{Connector, Origin};
pub use error::{CODES, WorkerError};
pub use offsets::{Altered, PartitionOffset};

use connector::Plan;
use membership::Lead;

use crate::config::connector::ConnectorConfig;
use crate::config::worker::WorkerConfig;
use crate::error::Failure;
use crate::pipeline::supervise::Handle as PipelineHandle;
use crate::pipeline::thread;
use crate::store::config::ConfigStore;
pub use crate::store::config::{Properties, TargetState};
use crate::store::status::kafka::KafkaStatusStore;
use crate::util::{clock, stop::Stop};

/// Starts the pipeline of a connector. The worker does not know what it is made of.
pub type Start = dyn Fn(&ConnectorConfig, &Arc<WorkerConfig>) -> Result<PipelineHandle, Failure> + Send + Sync;

/// Why a connector ends with its worker.
const STOPPED: &str = "the worker was stopped";

/// Whether the connectors that are stored are known.
#[derive(Clone, Debug)]
pub enum Phase {
    /// They are being read; the failure of the last attempt, where there was one.
    Reading(Option<Failure>),
    /// They are known, and wished for.
    Ready,
    /// They cannot be read until a person comes.
    Failed(Failure),
}

/// Connectors that run in this process. Shared by those who look at it.
pub struct Worker {
    config: Arc<WorkerConfig>,
    /// The same for connectors that come by REST or from the store: with fewer providers of variables.
    stored_config: Arc<WorkerConfig>,
    worker_id: String,
    start: Box<Start>,
    connectors: RwLock<BTreeMap<String, Arc<Connector>>>,
    /// Those that were deleted or replaced, until they have ended.
    leaving: Mutex<Vec<Arc<Connector>>>,
    /// The turn of those that change something, and where it is kept.
    store: Mutex<Option<Box<dyn ConfigStore>>>,
    /// Whether a write failed, so that what is stored is to be read again.
    in_doubt: AtomicBool,
    /// Where that is, for people; `None` when nothing is kept.
    place: Option<String>,
    phase: Mutex<Phase>,
    /// Whether the stored connectors may run here.
    lead: Mutex<Lead>,
    lead_moved: Condvar,
    /// Set when this worker has left its group, where it has one.
    has_left: Stop,
    /// Set when the status topic says that this worker has ended, where there is one.
    told: Stop,
    /// Where other workers find this one.
    url: std::sync::OnceLock<String>,
    /// This machine's name.
    host_name: String,
    cluster_id: std::sync::OnceLock<String>,
    stopping: Stop,
}

/// What others hold of the worker.
pub type Handle = Arc<Worker>;

/// What survives this process, where something does.
#[derive(Default)]
pub struct Stores {
    /// Which connectors are wanted.
    pub configs: Option<Box<dyn ConfigStore>>,
    /// What is said of them.
    pub statuses: Option<KafkaStatusStore>,
}

/// A connector of a file of the command line.
pub struct FileConnector {
    /// Its file.
    pub path: std::path::PathBuf,
    /// What is run.
    pub config: ConnectorConfig,
}

impl Worker {
    /// A worker that runs the connectors of files, and those of a store where there is one. Files win: a stored connector
    /// of the same name is left as it is. The store is read on a thread of its own, for as long as it takes.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        files: Vec<FileConnector>,
        config: &Arc<WorkerConfig>,
        host_name: &str,
        stores: Stores,
        start: Box<Start>,
    ) -> Result<Handle, Failure> {
        let place = stores.configs.as_ref().map(|store| store.place());
        let phase = if place.is_some() { Phase::Reading(None) } else { Phase::Ready };
        let mut for_stored = WorkerConfig::clone(config);
        for_stored.providers = config.providers.named_only();
        let worker = Arc::new(Worker {
            config: config.clone(),
            stored_config: Arc::new(for_stored),
            worker_id: config.worker_id(host_name),
            start,
            connectors: RwLock::default(),
            leaving: Mutex::default(),
            store: Mutex::new(stores.configs),
            in_doubt: AtomicBool::new(false),
            place,
            phase: Mutex::new(phase),
            lead: Mutex::new(Lead::Here),
            lead_moved: Condvar::new(),
            has_left: Stop::new(),
            told: Stop::new(),
            url: std::sync::OnceLock::new(),
            host_name: host_name.to_owned(),
            cluster_id: std::sync::OnceLock::new(),
            stopping: Stop::new(),
        });
        for FileConnector { path, config } in files {
            if let Some(other) = worker.connector(&config.name) {
                let text =
                    format!("Connector {} stands in two files: {} and {}", config.name, other.origin(), path.display());
                return Err(WorkerError::Refused(text).into());
            }
            let written = config.original.as_map().clone();
            let plan = Plan { written, checked: Ok(Arc::new(config.clone())) };
            worker.begin(Connector::new(&config.name, Origin::File(path), plan, TargetState::Started))?;
        }
        statuses::keep(&worker, stores.statuses)?;
        membership::join(&worker)?;
        opening::open(&worker)?;
        Ok(worker)
    }

    /// The connectors, by name.
    pub fn connectors(&self) -> Vec<Arc<Connector>> {
        self.connectors.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The connector of this name.
    pub fn connector(&self, name: &str) -> Option<Arc<Connector>> {
        self.connectors.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// `host:port`, as Connect calls a worker.
    pub fn worker_id(&self) -> &str {
        &self.worker_id
    }

    /// The worker's settings.
    pub fn config(&self) -> &Arc<WorkerConfig> {
        &self.config
    }

    /// The worker's settings for configurations that come by REST or from the store: only the providers of variables that
    /// `config.providers` names are there.
    pub fn stored_config(&self) -> &Arc<WorkerConfig> {
        &self.stored_config
    }

    /// The id of the Kafka cluster, once it is known.
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.get().map(String::as_str)
    }

    /// Whether the stored connectors are known.
    pub fn phase(&self) -> Phase {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An error as long as the stored connectors are not known: an empty list would not be true.
    ///
    /// # Errors
    /// See there.
    pub fn ready(&self) -> Result<(), WorkerError> {
        let starting = |failure: Option<Failure>| WorkerError::Starting {
            place: self.place.clone().unwrap_or_default(),
            reason: failure.map(|failure| failure.to_string()),
        };
        match self.phase() {
            Phase::Ready => Ok(()),
            Phase::Reading(failure) => Err(starting(failure)),
            Phase::Failed(failure) => Err(starting(Some(failure))),
        }
    }

    /// Whether connectors are kept in a topic, which others may share.
    fn in_topic(&self) -> bool {
        matches!(self.config.offsets, crate::config::worker::OffsetStorage::Topic(_))
    }

    /// Asks every connector to stop.
    pub fn stop(&self) {
        self.stopping.set();
        for connector in self.connectors() {
            connector.leave(STOPPED);
        }
    }

    /// Whether every connector has ended, and another worker may have the lead.
    pub fn is_finished(&self) -> bool {
        self.connectors_have_ended() && self.has_left.is_set()
    }

    fn connectors_have_ended(&self) -> bool {
        let leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = |connector: &Arc<Connector>| connector.ended().is_set();
        self.connectors().iter().all(ended) && leaving.iter().all(ended)
    }

    /// Puts a connector among the others and starts its keeper.
    fn begin(self: &Arc<Self>, connector: Connector) -> Result<Arc<Connector>, Failure> {
        let connector = Arc::new(connector);
        let before = {
            let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
            leaving.retain(|left| !left.ended().is_set());
            // The last that left has waited for those before it.
            leaving.iter().rfind(|left| left.name() == connector.name()).cloned()
        };
        let (kept, worker) = (connector.clone(), self.clone());
        let keep = move || {
            let config = match kept.origin() {
                Origin::File(_) => &worker.config,
                Origin::Store => &worker.stored_config,
            };
            connector::keep(&kept, before, &*worker.start, config);
        };
        // Until it is among the others, the lead stays as it is: who takes it away looks for those that run.
        let lead = self.lead.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Origin::Store, Lead::Elsewhere(reason)) = (connector.origin(), &*lead) {
            connector.bar(Some(reason.clone().into()));
        }
        thread::spawn(&format!("keeper-{}", connector.name()), keep)?;
        let mut connectors = self.connectors.write().unwrap_or_else(PoisonError::into_inner);
        connectors.insert(connector.name().to_owned(), connector.clone());
        drop(connectors);
        drop(lead);
        // Who stops may have looked before it was there.
        if self.stopping.is_set() {
            connector.leave(STOPPED);
        }
        Ok(connector)
    }

    /// Takes a connector out and lets it end by itself.
    fn dismiss(&self, name: &str) {
        let left = self.connectors.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        if let Some(left) = left {
            left.leave("the connector was deleted");
            self.leaving.lock().unwrap_or_else(PoisonError::into_inner).push(left);
        }
    }

    /// Waits until a connector is as it is wanted; says whether it is.
    fn settled_within(&self, connector: &Connector, time: Duration) -> bool {
        let (deadline, patience) = (clock::moment() + time, Stop::new());
        while !connector.is_settled() {
            if clock::left_until(deadline).is_none() {
                return false;
            }
            patience.wait(Duration::from_millis(20));
        }
        true
    }
}
