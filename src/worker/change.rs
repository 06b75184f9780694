//! Changing which connectors are wanted, and how.
//!
//! In: what a person asks for. Out: the same, durable and under way. Promised: one change after the other; nothing is
//! wished for that is not durable; a mask that comes back stands for the secret that it was put over.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use super::connector::{self, Connector, Origin, Plan};
use super::{Properties, TargetState, Worker, WorkerError, opening};
use crate::config::connector::ConnectorConfig;
use crate::config::error::ConfigError;
use crate::config::secret;
use crate::error::Failure;
use crate::pipeline::status::State;
use crate::store::config::{Change, ConfigStore};
use crate::util::clock;

/// The right to change something, and where it is kept.
pub(super) type Turn<'w> = MutexGuard<'w, Option<Box<dyn ConfigStore>>>;

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
    /// Those that change something take turns. `until`: how long whoever asked waits for an answer.
    pub(super) fn turn(self: &Arc<Self>, until: Instant) -> Result<Turn<'_>, WorkerError> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stopping.is_set() {
            return Err(WorkerError::Stopping);
        }
        if clock::left_until(until).is_none() {
            return Err(WorkerError::TooLate);
        }
        self.barred().map_or(Ok(()), Err)?;
        self.reconcile(&mut store).map_err(WorkerError::InDoubt)?;
        Ok(store)
    }

    /// Makes changes durable. After an error some of them may be: what is stored is read again, now and by the next turn,
    /// and the connectors follow it.
    fn write(
        self: &Arc<Self>,
        store: &mut Option<Box<dyn ConfigStore>>,
        changes: &[Change<'_>],
    ) -> Result<(), WorkerError> {
        let Some(store) = store else { return Err(WorkerError::NoStore) };
        store.write(changes).map_err(|error| {
            opening::doubt(self);
            Failure::from(error).into()
        })
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
        until: Instant,
    ) -> Result<Registered, WorkerError> {
        self.ready()?;
        self.register_as(name, target, replace, until, |_| Ok(written.clone()))
    }

    /// `write` makes the new configuration of the one before.
    fn register_as(
        self: &Arc<Self>,
        name: &str,
        target: Option<TargetState>,
        replace: bool,
        until: Instant,
        write: impl Fn(Option<&Properties>) -> Result<Properties, WorkerError>,
    ) -> Result<Registered, WorkerError> {
        loop {
            let known = self.connector(name);
            let before = known.as_ref().map(|known| known.written());
            let mut written = unmask(write(before.as_ref())?, before.as_ref())?;
            written.insert("name".to_owned(), name.to_owned());
            if let Some(connector) = known.filter(|known| replace && known.is_of_file()) {
                let same = before.is_some_and(|before| before == written);
                return if same { Ok(Registered { connector, created: false }) } else { Err(of_file(&connector)) };
            }
            // Outside of the turn: files are read for it, and others need not wait for that.
            let plan = self.plan(name, written)?;
            let mut store = self.turn(until)?;
            let now = self.connector(name).map(|connector| connector.written());
            if now == before {
                return self.register_in_turn(&mut store, name, plan, target, replace);
            }
        }
    }

    fn register_in_turn(
        self: &Arc<Self>,
        store: &mut Option<Box<dyn ConfigStore>>,
        name: &str,
        plan: Plan,
        target: Option<TargetState>,
        replace: bool,
    ) -> Result<Registered, WorkerError> {
        // Connect looks at the configuration first, and so does whoever reads its answers.
        if !replace && self.connector(name).is_some() {
            return Err(WorkerError::Exists(name.to_owned()));
        }
        self.keep_registered(store, name, &plan, target)?;
        let created = self.connector(name).is_none();
        let connector = match self.connector(name) {
            Some(connector) => {
                connector.reconfigure(plan, target);
                connector
            }
            None => {
                let new = Connector::new(name, Origin::Store, plan, target.unwrap_or_default());
                self.begin(new.without_past())?
            }
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
        patch: &std::collections::BTreeMap<String, Option<String>>,
        until: Instant,
    ) -> Result<Registered, WorkerError> {
        self.ready()?;
        self.register_as(name, None, true, until, |before| {
            let mut written = before.cloned().ok_or_else(|| WorkerError::NotFound(name.to_owned()))?;
            for (property, value) in patch {
                match value {
                    Some(value) => drop(written.insert(property.clone(), value.clone())),
                    None => drop(written.remove(property)),
                }
            }
            Ok(written)
        })
    }

    /// Deletes a connector. Its offsets stay: one that is made again under this name goes on from them.
    ///
    /// # Errors
    /// When there is none, or the store does not take it.
    pub fn delete(self: &Arc<Self>, name: &str, until: Instant) -> Result<(), WorkerError> {
        self.ready()?;
        let mut store = self.turn(until)?;
        let connector = self.connector(name).ok_or_else(|| WorkerError::NotFound(name.to_owned()))?;
        if connector.is_of_file() {
            return Err(of_file(&connector));
        }
        self.write(&mut store, &[Change::Removed(name)])?;
        self.dismiss(name);
        Ok(())
    }

    /// Pauses, resumes or stops a connector.
    ///
    /// # Errors
    /// When there is none, or the store does not take it.
    pub fn aim(self: &Arc<Self>, name: &str, target: TargetState, until: Instant) -> Result<(), WorkerError> {
        self.ready()?;
        let mut store = self.turn(until)?;
        let connector = self.connector(name).ok_or_else(|| WorkerError::Unknown(name.to_owned()))?;
        if !connector.is_of_file() {
            let no_tasks = Change::Tasks(name, &[]);
            match (target, connector.config()) {
                (TargetState::Stopped, _) => self.write(&mut store, &[no_tasks, Change::Target(name, target)])?,
                (TargetState::Started, Some(config)) if connector.target() == TargetState::Stopped => {
                    let tasks = [task_properties(&config)];
                    self.write(&mut store, &[Change::Target(name, target), Change::Tasks(name, &tasks)])?;
                }
                (TargetState::Started | TargetState::Paused, _) => {
                    self.write(&mut store, &[Change::Target(name, target)])?;
                }
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
        self.may_run(&connector)?;
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
        self.may_run(&connector)?;
        if task != 0 || !connector.has_task() {
            return Err(WorkerError::UnknownTask(format!("{name}-{task}")));
        }
        connector.restart();
        Ok(())
    }

    /// What would be run.
    fn plan(&self, name: &str, written: Properties) -> Result<Plan, WorkerError> {
        if written.get("connector.class").is_none_or(|class| class.trim().is_empty()) {
            let shown: Vec<String> =
                connector::shown(&written).iter().map(|(name, value)| format!("{name}={value}")).collect();
            let text = format!("Connector config {{{}}} contains no connector type", shown.join(", "));
            return Err(WorkerError::Refused(text));
        }
        let checked = connector::checked(name, &written, &self.stored_config).map_err(refusal)?;
        Ok(Plan { written, checked: Ok(checked) })
    }

    /// Properties with the secrets of the connector that they name in the place of masks.
    ///
    /// # Errors
    /// When there is a mask and nothing to put in its place.
    pub fn unmasked(&self, written: Properties) -> Result<Properties, WorkerError> {
        let known = written.get("name").and_then(|name| self.connector(name));
        unmask(written, known.map(|known| known.written()).as_ref())
    }

    /// Writes every connector of the store once more, into a place that has lost all of them.
    pub(super) fn write_again(&self, store: &mut dyn ConfigStore) -> Result<(), Failure> {
        for connector in self.connectors().iter().filter(|connector| !connector.is_of_file()) {
            let (name, written) = (connector.name(), connector.written());
            if written.is_empty() {
                // It could not be read, and nothing is known of it but its name.
                continue;
            }
            let tasks: Vec<Properties> = match connector.config() {
                Some(config) if connector.has_task() => vec![task_properties(&config)],
                Some(_) | None => Vec::new(),
            };
            tracing::warn!(connector = name, place = self.place, "is not stored any more: written again");
            store.write(&[Change::Connector(name, &written, Some(connector.target())), Change::Tasks(name, &tasks)])?;
        }
        Ok(())
    }

    fn keep_registered(
        self: &Arc<Self>,
        store: &mut Option<Box<dyn ConfigStore>>,
        name: &str,
        plan: &Plan,
        target: Option<TargetState>,
    ) -> Result<(), WorkerError> {
        let known = self.connector(name).map(|known| known.target());
        let stopped = target.or(known) == Some(TargetState::Stopped);
        // A new one's is always written: one that was left behind by another of its name must not count.
        let target = if known.is_none() { Some(target.unwrap_or_default()) } else { target };
        let tasks: Vec<Properties> = match &plan.checked {
            Ok(config) if !stopped => vec![task_properties(config)],
            Ok(_) | Err(_) => Vec::new(),
        };
        self.write(store, &[Change::Connector(name, &plan.written, target), Change::Tasks(name, &tasks)])
    }
}

/// Somebody who reads a configuration, changes a line and writes it back writes our masks, too: they stand for what is
/// there. A mask with nothing behind it is never taken for a secret.
fn unmask(mut written: Properties, before: Option<&Properties>) -> Result<Properties, WorkerError> {
    for (property, value) in &mut written {
        if value == secret::MASK && secret::is_sensitive(property) {
            match before.and_then(|before| before.get(property)) {
                Some(secret) => value.clone_from(secret),
                None => return Err(WorkerError::Invalid(vec![masked(property)])),
            }
        }
    }
    Ok(written)
}

fn masked(property: &str) -> String {
    format!(
        "Invalid value {} for configuration {property}: it is what this worker shows in place of a secret, and there is none to put in its place",
        secret::MASK
    )
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
