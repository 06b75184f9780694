//! Health, for orchestrators.

use axum::http::StatusCode;
use serde_json::json;

use super::answer::Answer;
use crate::pipeline::status::State;
use crate::worker::{Phase, TargetState, Worker};

/// KIP-1017: whether the worker itself answers. 503 while it is not known which connectors it runs.
pub(super) fn health(worker: &Worker) -> Answer {
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

const TEXT: &str = "text/plain; charset=utf-8";

/// The process answers.
pub(super) fn live() -> Answer {
    Answer::text(StatusCode::OK, TEXT, "live\n".to_owned())
}

/// Every connector that is to run is RUNNING; otherwise 503, and which is not, and why.
pub(super) fn ready(worker: &Worker) -> Answer {
    let mut lines = String::new();
    let mut ready = true;
    if let Err(error) = worker.ready() {
        ready = false;
        lines.push_str(&format!("worker {error}\n"));
    }
    for connector in worker.connectors() {
        let status = connector.status();
        // What a person has paused or stopped is as it is wanted.
        ready &= status.state == State::Running || connector.target() != TargetState::Started;
        let reason = status.failure.map(|failure| format!(" {failure}")).unwrap_or_default();
        lines.push_str(&format!("{} {}{reason}\n", connector.name(), status.state.name()));
    }
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Answer::text(code, TEXT, lines)
}
