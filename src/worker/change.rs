//! Changing which connectors are wanted, and how.
//!
//! In: what a person asks for. Out: the same, durable and under way. Promised: one change after the other; nothing is
//! wished for that is not durable; a mask that comes back stands for the secret that it was put over.

use std::sync::{Arc, MutexGuard, PoisonError};

use super::connector::{self, Connector, Origin, Plan};
use super::{Properties, TargetState, Worker, WorkerError};
use crate::config::connector::ConnectorConfig;
use crate::config::error::ConfigError;
use crate::config::secret;
use crate::error::Failure;
use crate::pipeline::status::State;
use crate::store::config::{Change, ConfigStore};

/// A connector that was made or changed.
pub struct Registered {
    /// The connector.
    pub connector: Arc<Connector>,
    /// Whether it is new.
    pub created: bool,
}

/// What a restart is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// `includeTasks`.
    pub include_tasks: bool,
    /// `onlyFailed`.
    pub only_failed: bool,
}

/// The task's class that Debezium's connector names to a worker of Kafka Connect.
fn task_class(config: &ConnectorConfig) -> &'static str {
    use crate::model::modes::ConnectorKind;
    match config.kind {
        ConnectorKind::MySql => "io.debezium.connector.mysql.MySqlConnectorTask",
        ConnectorKind::MariaDb => "io.debezium.connector.mariadb.MariaDbConnectorTask",
        ConnectorKind::Postgres => "io.debezium.connector.postgresql.PostgresConnectorTask",
    }
}

/// The configuration of a connector's only task, as Connect has it.
fn task_properties(config: &ConnectorConfig) -> Properties {
    let mut properties = config.original.as_map().clone();
    properties.insert("task.class".to_owned(), task_class(config).to_owned());
    properties
}

impl Connector {
    /// The configuration of its task, with secrets masked; `None` while it has no task.
    pub fn shown_task_config(&self) -> Option<Properties> {
        let config = self.config().filter(|_| self.has_task())?;
        Some(connector::shown(&task_properties(&config)))
    }

    /// Whether it has a task: one that is stopped, or that cannot be run, has none.
    pub fn has_task(&self) -> bool {
        self.target() != TargetState::Stopped && self.config().is_some()
    }
}

impl Worker {
    /// Those that change something take turns.
    pub(super) fn turn(&self) -> MutexGuard<'_, Option<Box<dyn ConfigStore>>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a connector. `replace`: or changes the one of this name.
    ///
    /// # Errors
    /// When the configuration cannot be used, or not be kept.
    pub fn register(
        self: &Arc<Self>,
        name: &str,
        written: Properties,
        target: Option<TargetState>,
        replace: bool,
    ) -> Result<Registered, WorkerError> {
        self.ready()?;
        let mut store = self.turn();
        self.register_in_turn(&mut store, name, written, target, replace)
    }

    fn register_in_turn(
        self: &Arc<Self>,
        store: &mut Option<Box<dyn ConfigStore>>,
        name: &str,
        written: Properties,
        target: Option<TargetState>,
        replace: bool,
    ) -> Result<Registered, WorkerError> {
        let known = self.connector(name);
        if known.is_some() && !replace {
            // Connect looks at the configuration first, and so does whoever reads its answers.
            self.plan(name, written, known.as_deref())?;
            return Err(WorkerError::Exists(name.to_owned()));
        }
        let plan = self.plan(name, written, known.as_deref())?;
        if let Some(connector) = known.filter(|known| is_of_file(known)) {
            let same = connector.written() == plan.written;
            return if same { Ok(Registered { connector, created: false }) } else { Err(of_file(&connector)) };
        }
        self.keep_registered(store, name, &plan, target)?;
        let created = self.connector(name).is_none();
        let connector = match self.connector(name) {
            Some(connector) => {
                connector.reconfigure(plan, target);
                connector
            }
            None => self.begin(Connector::new(name, Origin::Store, plan, target.unwrap_or_default()))?,
        };
        Ok(Registered { connector, created })
    }

    /// Changes some of a connector's properties; those without a value are taken out.
    ///
    /// # Errors
    /// As [`Worker::register`].
    pub fn patch(
        self: &Arc<Self>,
        name: &str,
        patch: std::collections::BTreeMap<String, Option<String>>,
    ) -> Result<Registered, WorkerError> {
        self.ready()?;
        let mut store = self.turn();
        let connector = self.connector(name).ok_or_else(|| WorkerError::NotFound(name.to_owned()))?;
        let mut written = connector.written();
        for (property, value) in patch {
            match value {
                Some(value) => drop(written.insert(property, value)),
                None => drop(written.remove(&property)),
            }
        }
        self.register_in_turn(&mut store, name, written, None, true)
    }

    /// Deletes a connector. Its offsets stay: one that is made again under this name goes on from them.
    ///
    /// # Errors
    /// When there is none, or the store does not take it.
    pub fn delete(&self, name: &str) -> Result<(), WorkerError> {
        self.ready()?;
        let mut store = self.turn();
        let connector = self.connector(name).ok_or_else(|| WorkerError::NotFound(name.to_owned()))?;
        if is_of_file(&connector) {
            return Err(of_file(&connector));
        }
        write(&mut store, &[Change::Removed(name)])?;
        self.dismiss(name);
        Ok(())
    }

    /// Pauses, resumes or stops a connector.
    ///
    /// # Errors
    /// When there is none, or the store does not take it.
    pub fn aim(&self, name: &str, target: TargetState) -> Result<(), WorkerError> {
        self.ready()?;
        let mut store = self.turn();
        let connector = self.connector(name).ok_or_else(|| WorkerError::Unknown(name.to_owned()))?;
        if *connector.origin() == Origin::Store {
            let no_tasks = Change::Tasks(name, &[]);
            match (target, connector.config()) {
                (TargetState::Stopped, _) => write(&mut store, &[no_tasks, Change::Target(name, target)])?,
                (TargetState::Started, Some(config)) if connector.target() == TargetState::Stopped => {
                    let tasks = [task_properties(&config)];
                    write(&mut store, &[Change::Target(name, target), Change::Tasks(name, &tasks)])?;
                }
                (TargetState::Started | TargetState::Paused, _) => write(&mut store, &[Change::Target(name, target)])?,
            }
        }
        connector.aim(target);
        Ok(())
    }

    /// Begins a connector again from its stored position; gives whether it does, or had no reason to.
    ///
    /// # Errors
    /// When there is none.
    pub fn restart(&self, name: &str, restart: Restart) -> Result<(Arc<Connector>, bool), WorkerError> {
        self.ready()?;
        let connector = self.connector(name).ok_or_else(|| WorkerError::UnknownToRestart(name.to_owned()))?;
        let restarts = connector.target() == TargetState::Started
            && (!restart.only_failed || connector.status().state == State::Failed);
        if restarts {
            connector.restart();
        }
        Ok((connector, restarts))
    }

    /// The same for a task. There is one for each connector, and its number is 0.
    ///
    /// # Errors
    /// When there is none.
    pub fn restart_task(&self, name: &str, task: i32) -> Result<(), WorkerError> {
        self.ready()?;
        let connector = self.connector(name).ok_or_else(|| WorkerError::UnknownToRestart(name.to_owned()))?;
        if task != 0 || !connector.has_task() {
            return Err(WorkerError::UnknownTask(format!("{name}-{task}")));
        }
        connector.restart();
        Ok(())
    }

    /// What would be run, with secrets in the place of masks.
    fn plan(&self, name: &str, written: Properties, known: Option<&Connector>) -> Result<Plan, WorkerError> {
        let mut written = self.unmask(written, known)?;
        written.insert("name".to_owned(), name.to_owned());
        if written.get("connector.class").is_none_or(|class| class.trim().is_empty()) {
            let shown: Vec<String> =
                connector::shown(&written).iter().map(|(name, value)| format!("{name}={value}")).collect();
            let text = format!("Connector config {{{}}} contains no connector type", shown.join(", "));
            return Err(WorkerError::Refused(text));
        }
        let (config, warnings) = ConnectorConfig::from_map(name, written.clone(), &self.config).map_err(refusal)?;
        for warning in warnings {
            tracing::warn!(connector = name, "{warning}");
        }
        Ok(Plan { written, checked: Ok(Arc::new(config)) })
    }

    /// Properties with the secrets of the connector that they name in the place of masks.
    ///
    /// # Errors
    /// When there is a mask and nothing to put in its place.
    pub fn unmasked(&self, written: Properties) -> Result<Properties, WorkerError> {
        let known = written.get("name").and_then(|name| self.connector(name));
        self.unmask(written, known.as_deref())
    }

    /// Somebody who reads a configuration, changes a line and writes it back writes our masks, too: they stand for what is
    /// there. A mask with nothing behind it is never taken for a secret.
    fn unmask(&self, mut written: Properties, known: Option<&Connector>) -> Result<Properties, WorkerError> {
        let before = known.map(Connector::written).unwrap_or_default();
        for (property, value) in &mut written {
            if value == secret::MASK && secret::is_sensitive(property) {
                match before.get(property) {
                    Some(secret) => value.clone_from(secret),
                    None => return Err(WorkerError::Invalid(vec![masked(property)])),
                }
            }
        }
        Ok(written)
    }

    fn keep_registered(
        &self,
        store: &mut Option<Box<dyn ConfigStore>>,
        name: &str,
        plan: &Plan,
        target: Option<TargetState>,
    ) -> Result<(), WorkerError> {
        let stopped = target.or(self.connector(name).map(|known| known.target())) == Some(TargetState::Stopped);
        let tasks: Vec<Properties> = match &plan.checked {
            Ok(config) if !stopped => vec![task_properties(config)],
            Ok(_) | Err(_) => Vec::new(),
        };
        write(store, &[Change::Connector(name, &plan.written, target), Change::Tasks(name, &tasks)])
    }
}

fn masked(property: &str) -> String {
    format!(
        "Invalid value {} for configuration {property}: it is what this worker shows in place of a secret, and there is none to put in its place",
        secret::MASK
    )
}

fn write(store: &mut Option<Box<dyn ConfigStore>>, changes: &[Change<'_>]) -> Result<(), WorkerError> {
    match store {
        Some(store) => Ok(store.write(changes).map_err(Failure::from)?),
        None => Err(WorkerError::NoStore),
    }
}

fn is_of_file(connector: &Connector) -> bool {
    matches!(connector.origin(), Origin::File(_))
}

fn of_file(connector: &Connector) -> WorkerError {
    let file = connector.origin().to_string();
    WorkerError::OfFile { connector: connector.name().to_owned(), file }
}

/// Connect's words for a class that is not there; what else is wrong is listed in one answer.
fn refusal(errors: Vec<ConfigError>) -> WorkerError {
    if let [ConfigError::UnknownConnector { class }] = errors.as_slice() {
        let available = crate::config::connector::CLASSES.map(|(class, _)| class).join(", ");
        return WorkerError::Refused(format!(
            "Failed to find any class that implements Connector and which name matches {}, available connectors are: {available}",
            class.escape_debug()
        ));
    }
    WorkerError::Invalid(errors.iter().map(ToString::to_string).collect())
}
