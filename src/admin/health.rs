//! Health, for orchestrators: whether the process can still act, and whether changes are proven to flow.
//!
//! *Live* fails only when a watchdog has given up: a restart by the orchestrator is the last thing to try, and before
//! that the watchdog mends what can be mended from inside. *Ready* says that every connector that is to run does.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use crate::observe::flow;
use crate::pipeline::status::State;
use crate::worker::{Connector, Phase, TargetState, Worker};

/// KIP-1017: whether the worker itself answers. 503 while it is not known which connectors it runs; one that waits to take
/// over from another is well.
pub(super) fn health(worker: &Worker) -> Answer {
    if let Some(standby) = worker.standby() {
        let message = format!("Worker is a standby: {standby}.");
        return Answer::json(StatusCode::OK, json!({ "status": "healthy", "message": message }));
    }
    let (status, word, message) = match worker.phase() {
        Phase::Ready => {
            (StatusCode::OK, "healthy", "Worker has completed startup and is ready to handle requests.".to_owned())
        }
        Phase::Reading(failure) => {
            let reason = failure.map(|failure| format!(" Reason: {failure}")).unwrap_or_default();
            (StatusCode::SERVICE_UNAVAILABLE, "starting", format!("Worker is still starting up.{reason}"))
        }
        Phase::Failed(failure) => (StatusCode::INTERNAL_SERVER_ERROR, "unhealthy", failure.to_string()),
    };
    Answer::json(status, json!({ "status": word, "message": message }))
}

/// How one connector is, and why.
fn explained(connector: &Connector) -> (bool, Value) {
    let (status, flow) = (connector.status(), connector.metrics().flow.read());
    // What a person has paused or stopped is as it is wanted.
    let wanted = connector.target() == TargetState::Started;
    let flows = status.state == State::Running && flow.proven;
    let value = json!({
        "state": status.state.name(),
        "verdict": flow.verdict,
        "because": flow.because,
        "since_ms": flow.since_ms,
        "failure": status.failure.map(|failure| failure.to_string()),
    });
    (flows || !wanted, value)
}

fn answer(good: bool, word: &str, reason: Option<String>, connectors: Map<String, Value>) -> Answer {
    let code = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Answer::json(code, json!({ "status": word, "reason": reason, "connectors": connectors }))
}

/// The process answers, and no watchdog has given up.
pub(super) fn live(worker: &Worker) -> Answer {
    let connectors = worker.connectors();
    let all = connectors.iter().map(|connector| (connector.name().to_owned(), explained(connector).1)).collect();
    match flow::has_given_up() {
        false => answer(true, "live", None, all),
        true => {
            let reason = "a pipeline does not end: the process does, to be started again";
            answer(false, "given up", Some(reason.to_owned()), all)
        }
    }
}

/// Every connector that is to run is RUNNING, and changes are proven to flow; otherwise 503, and which is not, and why. A
/// standby is ready to take over: a new version that is rolled out waits behind the old one, which ends when this is ready.
pub(super) fn ready(worker: &Worker) -> Answer {
    let standby = worker.standby();
    let refusal = worker.ready().err().filter(|_| standby.is_none()).map(|error| error.to_string());
    let (mut all_ready, mut all) = (refusal.is_none(), Map::new());
    let runs_here = |connector: &Arc<Connector>| standby.is_none() || connector.is_of_file();
    for connector in worker.connectors().into_iter().filter(runs_here) {
        let (ready, value) = explained(&connector);
        all_ready &= ready;
        all.insert(connector.name().to_owned(), value);
    }
    match (all_ready, standby) {
        (true, Some(leader)) => answer(true, "standby", Some(leader), all),
        (true, None) => answer(true, "ready", None, all),
        (false, _) => answer(false, "not ready", refusal, all),
    }
}
