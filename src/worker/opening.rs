//! Finding out at the start which connectors are stored.
//!
//! In: a store that may not answer yet. Out: its connectors, wished for. Promised: it is asked until it answers, or until
//! its answer is one that only a person can mend; nothing stored is started before all of it is known.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::connector::{Connector, Origin, Plan};
use super::{Handle, Phase, Properties, TargetState, Worker, WorkerError};
use crate::error::{Disposition, Failure};
use crate::pipeline::thread;
use crate::store::config::{ConfigStore, Stored};
use crate::util::backoff::Backoff;
use crate::util::kafka::admin::Admin;
use crate::util::kafka::properties::{self, Role};

/// The first wait between two attempts, and the longest.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long one question about the cluster may take.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the store, and asks for the cluster's id, each on a thread of its own.
pub(super) fn open(worker: &Handle) -> Result<(), Failure> {
    let (reading, asking) = (worker.clone(), worker.clone());
    thread::spawn("opening", move || read_stored(&reading))?;
    thread::spawn("cluster-id", move || find_cluster_id(&asking)).map(drop)
}

fn read_stored(worker: &Handle) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    loop {
        let failure = match try_read(worker) {
            Ok(None) => return,
            Ok(Some(stored)) => {
                begin_all(worker, stored);
                say(worker, Phase::Ready);
                // It may have gone and come back since they began.
                return worker.obey_lead();
            }
            Err(failure) => failure,
        };
        if failure.code.disposition != Disposition::Retry {
            return fail(worker, failure);
        }
        let delay = backoff.next_delay();
        tracing::warn!(code = %failure.code, reason = %failure.message, hint = failure.code.hint, attempt = backoff.attempts(), "the stored connectors cannot be run yet: asking again");
        say(worker, Phase::Reading(Some(failure)));
        if worker.stopping.wait(delay) {
            return;
        }
    }
}

/// What is stored; `None` where nothing is kept.
fn try_read(worker: &Handle) -> Result<Option<Stored>, Failure> {
    if worker.store.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
        return Ok(None);
    }
    // First: what others write while they run is not read half.
    worker.wait_for_lead();
    if worker.stopping.is_set() {
        return Ok(None);
    }
    let mut store = worker.store.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(store.as_mut().map(|store| store.read()).transpose()?)
}

/// An error while workers of Kafka Connect are in the group, or may be. Where that may not be asked, somebody reads that
/// it was not.
pub(super) fn wait_for_nobody(worker: &Worker, group: &str) -> Result<(), WorkerError> {
    let Some(admin) = admin(worker) else {
        // The store has the same clients, and its error says what is wrong with them.
        tracing::warn!(group, "whether a Kafka Connect cluster is still there cannot be asked with these settings");
        return Ok(());
    };
    match admin.connect_workers(group) {
        Ok(0) => Ok(()),
        Ok(members) => Err(WorkerError::RunsElsewhere { group: group.to_owned(), members }),
        Err(error) if error.unauthorized() || error.unsupported() => {
            tracing::warn!(group, "whether a Kafka Connect cluster is still there cannot be seen: {error}");
            Ok(())
        }
        // A broker that is down, a coordinator that is loading: the next answer may be another.
        Err(error) => Err(WorkerError::MembersUnknown { group: group.to_owned(), reason: error.to_string() }),
    }
}

/// Makes the place of the configurations where it is missing.
pub(super) fn prepare(worker: &Worker) -> Result<(), Failure> {
    let mut store = worker.store.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(store.as_mut().map_or(Ok(()), |store| store.prepare())?)
}

pub(super) fn admin(worker: &Worker) -> Option<Admin> {
    let clients = worker.config.client_properties();
    let known = properties::known(Role::Producer, clients.as_map());
    let properties = properties::translate(Role::Producer, &known).ok()?;
    Admin::new(&properties, ADMIN_TIMEOUT).ok()
}

/// A person has to mend it.
pub(super) fn fail(worker: &Worker, failure: Failure) {
    tracing::error!(code = %failure.code, reason = %failure.message, hint = failure.code.hint, "the stored connectors cannot be read");
    say(worker, Phase::Failed(failure));
}

pub(super) fn say(worker: &Worker, phase: Phase) {
    *worker.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
}

fn begin_all(worker: &Handle, stored: Stored) {
    let found = stored.connectors.len();
    for name in stored.connectors.keys().filter(|name| worker.connector(name).is_some()) {
        tracing::warn!(connector = name, "is stored too; the file of the command line counts");
    }
    begin_new(worker, stored);
    tracing::info!(connectors = found, place = worker.place, "stored connectors read");
}

/// Begins what is stored and not there.
fn begin_new(worker: &Handle, stored: Stored) {
    let mut broken = BTreeMap::new();
    for (name, error) in stored.broken {
        let failure = Failure::from(error);
        tracing::error!(connector = name, code = %failure.code, reason = %failure.message, hint = failure.code.hint, "a stored connector cannot be read");
        drop(broken.insert(name, failure));
    }
    for (name, connector) in stored.connectors {
        if worker.stopping.is_set() {
            return;
        }
        if worker.connector(&name).is_some() {
            continue;
        }
        let plan = Plan::of(&name, connector.properties, &worker.stored_config);
        begin(worker, &name, plan, connector.target);
    }
    // What it said is not known: it is shown as failed, and another configuration mends it.
    for (name, failure) in broken {
        if worker.connector(&name).is_none() && !worker.stopping.is_set() {
            begin(worker, &name, Plan { written: Properties::new(), checked: Err(failure) }, TargetState::Started);
        }
    }
}

fn begin(worker: &Handle, name: &str, plan: Plan, target: TargetState) {
    if let Err(failure) = worker.begin(Connector::new(name, Origin::Store, plan, target)) {
        tracing::error!(connector = name, code = %failure.code, reason = %failure.message, "connector could not be started");
    }
}

/// A write failed, or another worker had the lead, so that what is stored may be the new or the old: it is read again
/// until that is known.
pub(super) fn doubt(worker: &Handle) {
    if worker.in_doubt.swap(true, Ordering::AcqRel) {
        return;
    }
    let worker = worker.clone();
    let run = move || {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        while !worker.stopping.wait(backoff.next_delay()) {
            worker.wait_for_lead();
            let read = || worker.reconcile(&mut worker.store.lock().unwrap_or_else(PoisonError::into_inner));
            match std::panic::catch_unwind(AssertUnwindSafe(read)) {
                Ok(Ok(())) => return,
                Ok(Err(failure)) => {
                    tracing::warn!(code = %failure.code, reason = %failure.message, "what is stored cannot be read again yet");
                }
                Err(_) => tracing::error!("reading again what is stored panicked; it is tried again"),
            }
        }
    };
    if let Err(failure) = thread::spawn("reconciling", run) {
        tracing::warn!(reason = %failure.message, "what is stored is read again with the next change");
    }
}

impl Worker {
    /// After a write that failed, or when the lead has come back: reads what is stored, and lets the connectors follow it.
    pub(super) fn reconcile(
        self: &std::sync::Arc<Self>,
        store: &mut Option<Box<dyn ConfigStore>>,
    ) -> Result<(), Failure> {
        let Some(store) = store.as_mut().filter(|_| self.in_doubt.load(Ordering::Acquire)) else { return Ok(()) };
        let stored = store.read()?;
        if stored.is_new {
            // The topic was deleted under its workers: what they ran is not unwanted.
            self.write_again(store.as_mut())?;
        }
        for connector in self.connectors().iter().filter(|connector| !connector.is_of_file()) {
            let name = connector.name();
            match stored.connectors.get(name) {
                None if stored.is_new || stored.broken.contains_key(name) => {}
                None => self.dismiss(name),
                Some(found) if found.properties != connector.written() => {
                    let plan = Plan::of(name, found.properties.clone(), &self.stored_config);
                    connector.reconfigure(plan, Some(found.target));
                }
                Some(found) => connector.aim(found.target),
            }
        }
        begin_new(self, stored);
        self.in_doubt.store(false, Ordering::Release);
        self.obey_lead();
        Ok(())
    }
}

/// Clients show it; nothing waits for it.
fn find_cluster_id(worker: &Handle) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    loop {
        match admin(worker).and_then(|admin| admin.cluster_id()) {
            Some(id) => return drop(worker.cluster_id.set(id)),
            None if worker.stopping.wait(backoff.next_delay()) => return,
            None => {}
        }
    }
}
