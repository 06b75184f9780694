//! The calls about connectors.
//!
//! In: a request with a route. Out: what Kafka Connect 4.3 answers to it (`tests/golden/rest` holds what it did). What is
//! ours: secrets are masked, the reason of a failure stands beside the connector's state and not only beside its task's,
//! and a body that is no JSON of the right shape is the sender's mistake (400, where Connect answers 500).

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Result, bad};
use super::rest::Asked;
use crate::pipeline::status::State;
use crate::util::percent;
use crate::worker::{Connector, Handle, Properties, Registered, Restart, TargetState, WorkerError};

/// What Connect says where a connector has one.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Real configurations have some dozens; each is compared with every option.
const MOST_PROPERTIES: usize = 2_000;

pub(super) fn find(worker: &Handle, name: &str) -> Result<std::sync::Arc<Connector>> {
    // Those of files run whatever becomes of the stored ones.
    if let Some(own) = worker.connector(name).filter(|own| own.is_of_file()) {
        return Ok(own);
    }
    worker.ready()?;
    Ok(worker.connector(name).ok_or_else(|| WorkerError::NotFound(name.to_owned()))?)
}

/// `GET /connectors`, and what `expand` asks for beside the names.
pub(super) fn list(worker: &Handle, asked: &Asked) -> Result {
    worker.ready()?;
    let expand: Vec<&str> =
        asked.query.iter().filter(|(name, _)| name == "expand").map(|(_, value)| value.as_str()).collect();
    if expand.is_empty() {
        let connectors = worker.connectors();
        let names: Vec<&str> = connectors.iter().map(|connector| connector.name()).collect();
        return Ok(Answer::ok(json!(names)));
    }
    let mut all = BTreeMap::new();
    for connector in worker.connectors() {
        let mut entry = Map::new();
        if expand.contains(&"status") {
            entry.insert("status".to_owned(), status_of(&connector, worker.worker_id(), None));
        }
        if expand.contains(&"info") {
            entry.insert("info".to_owned(), info_of(&connector));
        }
        all.insert(connector.name().to_owned(), Value::Object(entry));
    }
    Ok(Answer::ok(json!(all)))
}

/// `POST /connectors`.
pub(super) fn create(worker: &Handle, asked: &Asked) -> Result {
    let Value::Object(mut fields) = asked.json()? else {
        return Err(bad("The body is no JSON object with name and config"));
    };
    let name = match fields.remove("name") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(name)) => name.trim().to_owned(),
        Some(_) => return Err(bad("The name is no text")),
    };
    let config = fields.remove("config").filter(|config| !config.is_null());
    let properties = properties(config.ok_or_else(|| bad("The body has no config"))?)?;
    let target = match fields.remove("initial_state") {
        None | Some(Value::Null) => None,
        Some(state) => Some(initial_state(&state)?),
    };
    if let Some(other) = fields.keys().next() {
        let text = format!("Unrecognized field \"{}\" (known are config, name, initial_state)", other.escape_debug());
        return Err(bad(text));
    }
    check_name(&name, &properties)?;
    let registered = worker.register(&name, properties, target, false, asked.until)?;
    Ok(made(&registered, asked))
}

fn initial_state(state: &Value) -> Result<TargetState> {
    match state.as_str().map(str::to_ascii_uppercase).as_deref() {
        Some("RUNNING") => Ok(TargetState::Started),
        Some("PAUSED") => Ok(TargetState::Paused),
        Some("STOPPED") => Ok(TargetState::Stopped),
        Some(_) | None => Err(bad("initial_state is one of RUNNING, PAUSED, STOPPED")),
    }
}

/// A configuration's texts. Numbers and booleans are taken for texts, as by Connect; what has no value is left out.
pub(super) fn properties(value: Value) -> Result<Properties> {
    let patch = changes(value)?;
    Ok(patch.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

fn changes(value: Value) -> Result<BTreeMap<String, Option<String>>> {
    let Value::Object(fields) = value else { return Err(bad("A configuration is a JSON object of texts")) };
    if fields.len() > MOST_PROPERTIES {
        return Err(bad(format!("A configuration has {MOST_PROPERTIES} properties at most, not {}", fields.len())));
    }
    let mut changes = BTreeMap::new();
    for (name, value) in fields {
        let value = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Array(_) | Value::Object(_) => {
                return Err(bad(format!("The value of {} is no text", name.escape_debug())));
            }
        };
        changes.insert(name, value);
    }
    Ok(changes)
}

/// Connect's rules for names, and one of ours: a `/` would be no part of a path.
fn check_name(name: &str, properties: &Properties) -> Result<()> {
    if let Some(included) = properties.get("name").filter(|included| *included != name) {
        return Err(bad(format!(
            "Connector name configuration ({included}) doesn't match connector name in the URL ({name})"
        )));
    }
    let wrong = |problem: &str| {
        let text = format!("Invalid value {} for configuration name: String {problem}", name.escape_debug());
        Answer::from(WorkerError::Invalid(vec![text]))
    };
    if name.is_empty() {
        return Err(wrong("may not be empty"));
    }
    if name.chars().any(char::is_control) {
        return Err(wrong("may not contain control sequences"));
    }
    Ok(())
}

fn made(registered: &Registered, asked: &Asked) -> Answer {
    let info = info_of(&registered.connector);
    if !registered.created {
        return Answer::ok(info);
    }
    let name = percent::encode_segment(registered.connector.name());
    let location = match asked.host.is_empty() {
        true => format!("/connectors/{name}"),
        false => format!("http://{}/connectors/{name}", asked.host),
    };
    Answer { location: Some(location), ..Answer::json(StatusCode::CREATED, info) }
}

/// `PUT /connectors/{connector}/config`.
pub(super) fn put_config(worker: &Handle, asked: &Asked) -> Result {
    let properties = properties(asked.json()?)?;
    check_name(asked.name(), &properties)?;
    let registered = worker.register(asked.name(), properties, None, true, asked.until)?;
    Ok(made(&registered, asked))
}

/// `PATCH /connectors/{connector}/config` (KIP-477): what has no value is taken out.
pub(super) fn patch_config(worker: &Handle, asked: &Asked) -> Result {
    let patch = changes(asked.json()?)?;
    let connector = find(worker, asked.name())?;
    if let Some(name) = patch.get("name").filter(|name| name.as_deref() != Some(connector.name())) {
        let name = name.as_deref().unwrap_or("null");
        return Err(bad(format!(
            "Connector name configuration ({name}) doesn't match connector name in the URL ({})",
            connector.name()
        )));
    }
    Ok(Answer::ok(info_of(&worker.patch(asked.name(), &patch, asked.until)?.connector)))
}

/// `GET /connectors/{connector}`.
pub(super) fn info(worker: &Handle, asked: &Asked) -> Result {
    Ok(Answer::ok(info_of(&*find(worker, asked.name())?)))
}

/// `GET /connectors/{connector}/config`.
pub(super) fn config(worker: &Handle, asked: &Asked) -> Result {
    Ok(Answer::ok(json!(find(worker, asked.name())?.shown_config())))
}

/// `GET /connectors/{connector}/tasks`.
pub(super) fn tasks(worker: &Handle, asked: &Asked) -> Result {
    let connector = find(worker, asked.name())?;
    let task = |config| json!({ "id": { "connector": connector.name(), "task": 0 }, "config": config });
    let tasks: Vec<Value> = connector.shown_task_config().map(task).into_iter().collect();
    Ok(Answer::ok(json!(tasks)))
}

/// `DELETE /connectors/{connector}`.
pub(super) fn delete(worker: &Handle, asked: &Asked) -> Result {
    worker.delete(asked.name(), asked.until)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `PUT …/pause`, `…/resume` (202) and `…/stop` (204).
pub(super) fn aim(worker: &Handle, asked: &Asked, target: TargetState) -> Result {
    worker.aim(asked.name(), target, asked.until)?;
    Ok(Answer::empty(match target {
        TargetState::Stopped => StatusCode::NO_CONTENT,
        TargetState::Started | TargetState::Paused => StatusCode::ACCEPTED,
    }))
}

/// `GET /connectors/{connector}/status`.
pub(super) fn status(worker: &Handle, asked: &Asked) -> Result {
    worker.ready()?;
    let none = || Answer::refusal(StatusCode::NOT_FOUND, format!("No status found for connector {}", asked.name()));
    let connector = worker.connector(asked.name()).ok_or_else(none)?;
    Ok(Answer::ok(status_of(&connector, worker.worker_id(), None)))
}

/// `GET /connectors/{connector}/tasks/{task}/status`.
pub(super) fn task_status(worker: &Handle, asked: &Asked) -> Result {
    worker.ready()?;
    let task = asked.task();
    let none = || Answer::refusal(StatusCode::NOT_FOUND, format!("No status found for task {}-{task}", asked.name()));
    let connector = worker.connector(asked.name()).filter(|connector| task == 0 && connector.has_task());
    let status = status_of(&*connector.ok_or_else(none)?, worker.worker_id(), None);
    Ok(Answer::ok(status["tasks"][0].clone()))
}

/// `POST /connectors/{connector}/restart`: 204, or 202 and the status where one of the parameters is true.
pub(super) fn restart(worker: &Handle, asked: &Asked) -> Result {
    let restart =
        Restart { include_tasks: asked.flag("includeTasks", false), only_failed: asked.flag("onlyFailed", false) };
    let (connector, restarts) = worker.restart(asked.name(), restart)?;
    if !restart.include_tasks && !restart.only_failed {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    }
    let shown = restarts.then_some(State::Restarting);
    Ok(Answer::json(StatusCode::ACCEPTED, status_of(&connector, worker.worker_id(), shown)))
}

/// `POST /connectors/{connector}/tasks/{task}/restart`.
pub(super) fn restart_task(worker: &Handle, asked: &Asked) -> Result {
    worker.restart_task(asked.name(), asked.task())?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn tracked(worker: &Handle, setting: bool, what: &str) -> Result<()> {
    worker.ready()?;
    let refused = || Answer::refusal(StatusCode::FORBIDDEN, format!("{what} is disabled."));
    setting.then_some(()).ok_or_else(refused)
}

/// `GET /connectors/{connector}/topics` (KIP-558). Of a connector that is not there: none, as in Connect.
pub(super) fn topics(worker: &Handle, asked: &Asked) -> Result {
    tracked(worker, worker.config().topic_tracking, "Topic tracking")?;
    let topics = worker.connector(asked.name()).map(|connector| connector.topics()).unwrap_or_default();
    let topics: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
    let name = asked.name();
    Ok(Answer::ok(json!({ name: { "topics": topics } })))
}

/// `PUT /connectors/{connector}/topics/reset`.
pub(super) fn reset_topics(worker: &Handle, asked: &Asked) -> Result {
    tracked(worker, worker.config().topic_tracking, "Topic tracking")?;
    tracked(worker, worker.config().topic_tracking_reset, "Topic tracking reset")?;
    if let Some(connector) = worker.connector(asked.name()) {
        connector.forget_topics();
    }
    Ok(Answer::empty(StatusCode::ACCEPTED))
}

fn info_of(connector: &Connector) -> Value {
    let tasks = match connector.has_task() {
        true => vec![json!({ "connector": connector.name(), "task": 0 })],
        false => Vec::new(),
    };
    json!({ "name": connector.name(), "config": connector.shown_config(), "tasks": tasks, "type": "source" })
}

/// One connector's status in Connect's form; a failure's code, words and hint stand in `trace`. `shown`: a state that it
/// is about to have.
fn status_of(connector: &Connector, worker_id: &str, shown: Option<State>) -> Value {
    let status = connector.status();
    let state = shown.unwrap_or(status.state);
    let mut part = Map::new();
    part.insert("state".to_owned(), json!(state.name()));
    part.insert("worker_id".to_owned(), json!(worker_id));
    part.insert("version".to_owned(), json!(VERSION));
    if let Some(failure) = status.failure.filter(|_| shown.is_none()) {
        let mut trace = format!("{failure}\n{}", failure.code.hint);
        if state == State::Restarting && status.attempt > 0 {
            let next = jiff::Timestamp::from_millisecond(status.next_attempt_ms).unwrap_or_default();
            trace.push_str(&format!("\nattempt {}, next at {next}", status.attempt));
        }
        part.insert("trace".to_owned(), json!(trace));
    }
    let mut tasks = Vec::new();
    if connector.has_task() {
        let mut task = Map::from_iter([("id".to_owned(), json!(0))]);
        task.extend(part.clone());
        tasks.push(Value::Object(task));
    }
    json!({ "name": connector.name(), "connector": part, "tasks": tasks, "type": "source" })
}
