//! The routes. Source: Kafka Connect's REST interface (the manual's section "REST API").

use std::collections::BTreeMap;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::exposition;
use crate::pipeline::status::State;
use crate::worker::{Connector, Handle};

pub(super) fn router(worker: Handle) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/connectors", get(connectors))
        .route("/connectors/{name}", get(connector))
        .route("/connectors/{name}/status", get(status))
        .route("/health", get(health))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .fallback(nothing_here)
        .with_state(worker)
}

/// Connect's form of an error.
fn refusal(code: StatusCode, message: &str) -> Response {
    (code, Json(json!({ "error_code": code.as_u16(), "message": message }))).into_response()
}

async fn nothing_here() -> Response {
    refusal(StatusCode::NOT_FOUND, "HTTP 404 Not Found")
}

async fn root() -> Json<Value> {
    let commit = option_env!("HEADWATER_COMMIT").unwrap_or("unknown");
    Json(json!({ "version": env!("CARGO_PKG_VERSION"), "commit": commit, "kafka_cluster_id": Value::Null }))
}

async fn connectors(Shared(worker): Shared<Handle>, RawQuery(query): RawQuery) -> Json<Value> {
    let expand: Vec<&str> =
        query.iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.strip_prefix("expand=")).collect();
    if expand.is_empty() {
        let names: Vec<&str> = worker.connectors().iter().map(Connector::name).collect();
        return Json(json!(names));
    }
    let mut all = BTreeMap::new();
    for connector in worker.connectors() {
        let mut entry = serde_json::Map::new();
        if expand.contains(&"info") {
            entry.insert("info".to_owned(), info_of(connector));
        }
        if expand.contains(&"status") {
            entry.insert("status".to_owned(), status_of(connector, worker.worker_id()));
        }
        all.insert(connector.name().to_owned(), Value::Object(entry));
    }
    Json(json!(all))
}

#[expect(clippy::result_large_err, reason = "an answer is made once a request")]
fn find<'w>(worker: &'w Handle, name: &str) -> Result<&'w Connector, Response> {
    let missing = || refusal(StatusCode::NOT_FOUND, &format!("No status found for connector {name}"));
    worker.connectors().iter().find(|connector| connector.name() == name).ok_or_else(missing)
}

async fn connector(Shared(worker): Shared<Handle>, Path(name): Path<String>) -> Response {
    match find(&worker, &name) {
        Ok(connector) => Json(info_of(connector)).into_response(),
        Err(refusal) => refusal,
    }
}

async fn status(Shared(worker): Shared<Handle>, Path(name): Path<String>) -> Response {
    match find(&worker, &name) {
        Ok(connector) => Json(status_of(connector, worker.worker_id())).into_response(),
        Err(refusal) => refusal,
    }
}

fn info_of(connector: &Connector) -> Value {
    json!({
        "name": connector.name(),
        "config": connector.shown_config(),
        "tasks": [{ "connector": connector.name(), "task": 0 }],
        "type": "source",
    })
}

/// One connector's status in Connect's form; a failure's code, words and hint stand in `trace`.
fn status_of(connector: &Connector, worker_id: &str) -> Value {
    let status = connector.status();
    let mut part = serde_json::Map::new();
    part.insert("state".to_owned(), json!(status.state.name()));
    part.insert("worker_id".to_owned(), json!(worker_id));
    if let Some(failure) = &status.failure {
        let mut trace = format!("{failure}\n{}", failure.code.hint);
        if status.state == State::Restarting {
            trace.push_str(&format!(
                "\nattempt {}, next at {} ms since the epoch",
                status.attempt, status.next_attempt_ms
            ));
        }
        part.insert("trace".to_owned(), json!(trace));
    }
    let mut task = part.clone();
    task.insert("id".to_owned(), json!(0));
    json!({ "name": connector.name(), "connector": part, "tasks": [task], "type": "source" })
}

/// KIP-1017: whether the worker itself answers.
async fn health() -> Json<Value> {
    Json(json!({ "status": "healthy", "message": "Worker has completed startup and is ready to handle requests." }))
}

/// The process answers.
async fn live() -> &'static str {
    "live\n"
}

/// Every connector is RUNNING; otherwise 503, and which is not, and why.
async fn ready(Shared(worker): Shared<Handle>) -> Response {
    let mut lines = String::new();
    let mut ready = true;
    for connector in worker.connectors() {
        let status = connector.status();
        ready &= status.state == State::Running;
        let reason = status.failure.map(|failure| format!(" {failure}")).unwrap_or_default();
        lines.push_str(&format!("{} {}{reason}\n", connector.name(), status.state.name()));
    }
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, lines).into_response()
}

async fn metrics(Shared(worker): Shared<Handle>) -> Response {
    match exposition::text(&worker) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
