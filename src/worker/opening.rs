//! Finding out at the start which connectors are stored.
//!
//! In: a store that may not answer yet. Out: its connectors, wished for. Promised: it is asked until it answers, or until
//! its answer is one that only a person can mend; nothing stored is started before all of it is known.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::connector::{Connector, Origin, Plan};
use super::{Handle, Phase, Worker, thread_name};
use crate::error::{Disposition, Failure};
use crate::pipeline::error::PipelineError;
use crate::store::config::Stored;
use crate::util::backoff::Backoff;
use crate::util::kafka::admin::Admin;
use crate::util::kafka::properties::{self, Role};

/// The first wait between two attempts, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long one question for the cluster's id may take.
const CLUSTER_ID_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the store, and asks for the cluster's id, on a thread of its own.
pub(super) fn open(worker: &Handle) -> Result<(), Failure> {
    let worker = worker.clone();
    let name = thread_name("opening");
    let failed = |error: std::io::Error| PipelineError::Spawn { thread: name.clone(), message: error.to_string() };
    let run = move || {
        read_stored(&worker);
        find_cluster_id(&worker);
    };
    std::thread::Builder::new().name(name.clone()).spawn(run).map_err(failed)?;
    Ok(())
}

fn read_stored(worker: &Handle) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    loop {
        let read = {
            let mut store = worker.store.lock().unwrap_or_else(PoisonError::into_inner);
            match store.as_mut() {
                Some(store) => store.read(),
                None => return,
            }
        };
        let failure = match read {
            Ok(stored) => {
                begin_all(worker, stored);
                return say(worker, Phase::Ready);
            }
            Err(error) => Failure::from(error),
        };
        if failure.code.disposition != Disposition::Retry {
            tracing::error!(code = %failure.code, reason = %failure.message, hint = failure.code.hint, "the stored connectors cannot be read");
            return say(worker, Phase::Failed(failure));
        }
        let delay = backoff.next_delay();
        tracing::warn!(code = %failure.code, reason = %failure.message, attempt = backoff.attempts(), "the stored connectors cannot be read yet: asking again");
        say(worker, Phase::Reading(Some(failure)));
        if worker.stopping.wait(delay) {
            return;
        }
    }
}

fn say(worker: &Worker, phase: Phase) {
    *worker.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
}

fn begin_all(worker: &Handle, stored: Stored) {
    for error in stored.broken {
        let failure = Failure::from(error);
        tracing::error!(code = %failure.code, reason = %failure.message, hint = failure.code.hint, "a stored connector cannot be read");
    }
    let found = stored.connectors.len();
    for (name, connector) in stored.connectors {
        if worker.stopping.is_set() {
            return;
        }
        if worker.connector(&name).is_some() {
            tracing::warn!(connector = name, "is stored too; the file of the command line counts");
            continue;
        }
        let plan = Plan::of(&name, connector.properties, &worker.config);
        if let Err(failure) = worker.begin(Connector::new(&name, Origin::Store, plan, connector.target)) {
            tracing::error!(connector = name, code = %failure.code, reason = %failure.message, "connector could not be started");
        }
    }
    tracing::info!(connectors = found, place = worker.place, "stored connectors read");
}

/// Clients show it; nothing waits for it.
fn find_cluster_id(worker: &Arc<Worker>) {
    let clients = worker.config.client_properties();
    let known = properties::known(Role::Producer, clients.as_map());
    let Ok(properties) = properties::translate(Role::Producer, &known) else { return };
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    loop {
        let id = Admin::new(&properties, CLUSTER_ID_TIMEOUT).ok().and_then(|admin| admin.cluster_id());
        match id {
            Some(id) => return drop(worker.cluster_id.set(id)),
            None if worker.stopping.wait(backoff.next_delay()) => return,
            None => {}
        }
    }
}
