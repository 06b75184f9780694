//! The worker: the connectors that are wanted in, their pipelines running out.
//!
//! In: checked configurations. Out: one pipeline for each, that runs by itself. Promised: one connector's
//! failure does not reach another; stopping drains, commits and leaves, with a deadline. Nothing here
//! survives a crash: configurations are read again, positions are in the stores.

use std::sync::Arc;

use crate::config::connector::ConnectorConfig;
use crate::config::secret;
use crate::config::worker::WorkerConfig;
use crate::error::Failure;
use crate::model::modes::ConnectorKind;
use crate::observe::metrics::ConnectorMetrics;
use crate::pipeline::status::Status;
use crate::pipeline::supervise::Handle as PipelineHandle;

/// One connector of the worker.
pub struct Connector {
    name: String,
    class: String,
    kind: ConnectorKind,
    prefix: String,
    tags: Vec<(String, String)>,
    shown: std::collections::BTreeMap<String, String>,
    pipeline: PipelineHandle,
}

impl Connector {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its class, as written in its configuration.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Which database it reads.
    pub fn kind(&self) -> ConnectorKind {
        self.kind
    }

    /// `topic.prefix`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `custom.metric.tags`.
    pub fn tags(&self) -> &[(String, String)] {
        &self.tags
    }

    /// Its configuration as written, with secrets masked.
    pub fn shown_config(&self) -> &std::collections::BTreeMap<String, String> {
        &self.shown
    }

    /// What it is doing.
    pub fn status(&self) -> Status {
        self.pipeline.board().read()
    }

    /// Its numbers.
    pub fn metrics(&self) -> &Arc<ConnectorMetrics> {
        self.pipeline.metrics()
    }
}

/// Connectors that run in this process. Shared by those who look at it.
pub struct Worker {
    connectors: Vec<Connector>,
    worker_id: String,
}

/// What others hold of the worker.
pub type Handle = Arc<Worker>;

/// Starts the pipeline of a connector. The worker does not know what it is made of.
pub type Start<'s> = dyn FnMut(&ConnectorConfig, &Arc<WorkerConfig>) -> Result<PipelineHandle, Failure> + 's;

impl Worker {
    /// Starts every connector. One that cannot be started does not keep the others from running.
    ///
    /// # Errors
    /// When none could be started: the first failure.
    pub fn start(
        configs: &[ConnectorConfig],
        worker: &Arc<WorkerConfig>,
        host_name: &str,
        start: &mut Start<'_>,
    ) -> Result<Handle, Failure> {
        let mut connectors = Vec::new();
        let mut first_failure = None;
        for config in configs {
            match start(config, worker) {
                Ok(pipeline) => connectors.push(Connector {
                    name: config.name.clone(),
                    class: config.class.clone(),
                    kind: config.kind,
                    prefix: config.topics.prefix.clone(),
                    tags: config.metric_tags.clone(),
                    shown: shown(config),
                    pipeline,
                }),
                Err(failure) => {
                    tracing::error!(connector = config.name, code = %failure.code, reason = %failure.message, hint = failure.code.hint, "connector could not be started");
                    first_failure.get_or_insert(failure);
                }
            }
        }
        match first_failure {
            Some(failure) if connectors.is_empty() => Err(failure),
            _ => Ok(Arc::new(Worker { connectors, worker_id: worker.worker_id(host_name) })),
        }
    }

    /// The connectors, in the order in which they were given.
    pub fn connectors(&self) -> &[Connector] {
        &self.connectors
    }

    /// `host:port`, as Connect calls a worker.
    pub fn worker_id(&self) -> &str {
        &self.worker_id
    }

    /// Asks every connector to stop.
    pub fn stop(&self) {
        for connector in &self.connectors {
            connector.pipeline.stop();
        }
    }

    /// Whether every connector has ended: stopped, or failed for good.
    pub fn is_finished(&self) -> bool {
        self.connectors.iter().all(|connector| connector.pipeline.is_finished())
    }
}

/// A configuration for other eyes: variables unresolved, as Connect shows them, and secrets masked.
fn shown(config: &ConnectorConfig) -> std::collections::BTreeMap<String, String> {
    let show = |(name, value): (&str, &str)| {
        let hidden = secret::is_sensitive(name) && !value.contains("${");
        (name.to_owned(), if hidden { secret::MASK.to_owned() } else { value.to_owned() })
    };
    config.original.iter().map(show).collect()
}
