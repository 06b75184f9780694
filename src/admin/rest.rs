//! Requests in, answers out.
//!
//! In: a method, a path, a body. Out: what the call gave. Promised: an answer never waits for a pipeline; what waits for a
//! store does it on a thread of its own and for a bounded time, so that looking works whatever changing does; a body is
//! bounded and may be anything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::answer::{Answer, Result, bad};
use super::exposition::Exposition;
use super::routes::{self, Call, Found, Route};
use super::{access, connectors, flow, forward, health, loggers, offsets, plugins};
use crate::util::clock;
use crate::worker::{Handle, TargetState};

/// The description of this API.
const OPEN_API: &str = include_str!("../../docs/reference/openapi.json");

/// The longest body that is read. A configuration is kilobytes, and each connection may send one.
const BODY_LIMIT_BYTES: usize = 2 << 20;

/// How long a request may take: Connect's own limit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// How long a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How many requests may wait for a store or a file at the same time; each has a thread.
static PLACES: Semaphore = Semaphore::const_new(8);

/// How many scrapes may be under way: rules that take longer than their scraper waits would pile up.
static SCRAPES: Semaphore = Semaphore::const_new(2);

pub(super) fn router(worker: Handle, exposition: Arc<Exposition>) -> Router {
    Router::new().fallback(handle).with_state((worker, exposition))
}

/// A request that has a route.
pub(super) struct Asked {
    pub(super) route: &'static Route,
    /// What stands in the places of the path's names.
    pub(super) names: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// `Host`, for `Location`.
    pub(super) host: String,
    /// How long an answer is waited for.
    pub(super) until: Instant,
    /// What names and numbers `/metrics`.
    exposition: Arc<Exposition>,
}

impl Asked {
    /// The first name of the path.
    pub(super) fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// The second one, a number.
    pub(super) fn task(&self) -> i32 {
        self.names.get(1).and_then(|task| task.parse().ok()).unwrap_or(-1)
    }

    /// The last value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as Java reads a boolean: everything but `true` is false.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.parameter(name).map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// The body as JSON. Connect answers 500 to what is none, with its parser's words; it is the sender's mistake.
    pub(super) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let text = match self.body.is_empty() {
                true => "The request has no body".to_owned(),
                false => format!("The body is no JSON: line {} column {}", error.line(), error.column()),
            };
            bad(text)
        })
    }
}

async fn handle(
    Shared((worker, exposition)): Shared<(Handle, Arc<Exposition>)>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let head = parts.method == axum::http::Method::HEAD;
    let (route, names) = match routes::find(parts.method.as_str(), parts.uri.path()) {
        Found::Route(route, names) => (route, names),
        Found::Methods(methods) => return wrong_method(parts.method.as_str(), &methods).into_response(),
        Found::Nothing => return Answer::refusal(StatusCode::NOT_FOUND, "HTTP 404 Not Found").into_response(),
    };
    if let Err(refusal) = access::check(&worker.config().rest_access, route.right, &parts.headers) {
        return refusal.into_response();
    }
    if route.body && !is_json(&parts.headers) {
        return Answer::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "HTTP 415 Unsupported Media Type").into_response();
    }
    let of_file = |name: &String| worker.connector(name).is_some_and(|own| own.is_of_file());
    let leader = worker.leader().filter(|_| forward::is_shared(route) && !names.first().is_some_and(of_file));
    let forwarded =
        match leader.map(|leader| forward::Request::new(leader, &parts, &worker.config().listeners_tls)).transpose() {
            Ok(forwarded) => forwarded,
            Err(refusal) => return refusal.into_response(),
        };
    let Ok(body) = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, BODY_LIMIT_BYTES)).await else {
        return Answer::refusal(StatusCode::REQUEST_TIMEOUT, "HTTP 408 Request Timeout").into_response();
    };
    let Ok(body) = body else {
        let text = format!("The body is longer than {BODY_LIMIT_BYTES} bytes, or broke off");
        return Answer::refusal(StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
    };
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let query = routes::parameters(parts.uri.query().unwrap_or_default());
    let asked = Asked { route, names, query, body, host, until: clock::moment() + REQUEST_TIMEOUT, exposition };
    // One of this name would run twice: there, and here from its file.
    let makes_own = forwarded.is_some()
        && asked.route.call == Call::Create
        && asked.json().is_ok_and(|made| made["name"].as_str().is_some_and(|name| of_file(&name.to_owned())));
    let answer = match forwarded.filter(|_| !makes_own) {
        Some(forwarded) => apart(&PLACES, move || forwarded.send(asked.body, REQUEST_TIMEOUT)).await,
        None if waits(route.call) => apart(&PLACES, move || answer(&worker, &asked)).await,
        // Rules of the user's are run there, for as long as they take, and nobody else waits for them meanwhile.
        None if route.call == Call::Metrics => apart(&SCRAPES, move || answer(&worker, &asked)).await,
        None => answer(&worker, &asked),
    };
    let mut response = answer.into_response();
    if head {
        *response.body_mut() = Body::empty();
    }
    response
}

/// `OPTIONS` is answered for every path there is.
fn wrong_method(method: &str, methods: &[&str]) -> Answer {
    let allow = Some(format!("{},OPTIONS", methods.join(",")));
    match method {
        "OPTIONS" => Answer { allow, ..Answer::empty(StatusCode::OK) },
        _ => Answer { allow, ..Answer::refusal(StatusCode::METHOD_NOT_ALLOWED, "HTTP 405 Method Not Allowed") },
    }
}

/// A body without a type is taken for JSON, as by Connect.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind == "*/*" || kind == "application/*"
}

/// Whether a call may wait for a store or a file.
fn waits(call: Call) -> bool {
    match call {
        Call::Create
        | Call::Delete
        | Call::PutConfig
        | Call::PatchConfig
        | Call::Pause
        | Call::Resume
        | Call::Stop
        | Call::Validate
        | Call::Offsets
        | Call::AlterOffsets
        | Call::ResetOffsets => true,
        Call::Root
        | Call::Connectors
        | Call::Connector
        | Call::Config
        | Call::Status
        | Call::Tasks
        | Call::TaskStatus
        | Call::Restart
        | Call::RestartTask
        | Call::Topics
        | Call::ResetTopics
        | Call::Plugins
        | Call::PluginConfig
        | Call::Loggers
        | Call::Logger
        | Call::SetLogger
        | Call::OpenApi
        | Call::Flow
        | Call::Incidents
        | Call::Health
        | Call::Live
        | Call::Ready
        | Call::Metrics => false,
    }
}

/// On a thread of its own, where there is a place.
async fn apart(places: &'static Semaphore, work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    let Ok(Ok(place)) = tokio::time::timeout(REQUEST_TIMEOUT, places.acquire()).await else {
        let text = "Too many requests wait for their turn. Nothing was changed; ask again in a moment";
        return Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let work = move || {
        // The place is held as long as the work lasts, whether or not its answer is waited for.
        let _place = place;
        work()
    };
    let work = tokio::task::spawn_blocking(work);
    match tokio::time::timeout(REQUEST_TIMEOUT, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, "The request failed; the log says why"),
        Err(_) => Answer::refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Request timed out. The store did not answer; what was asked for may still come about",
        ),
    }
}

fn answer(worker: &Handle, asked: &Asked) -> Answer {
    match call(worker, asked) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn call(worker: &Handle, asked: &Asked) -> Result {
    match asked.route.call {
        Call::Root => Ok(root(worker)),
        Call::Connectors => connectors::list(worker, asked),
        Call::Create => connectors::create(worker, asked),
        Call::Connector => connectors::info(worker, asked),
        Call::Delete => connectors::delete(worker, asked),
        Call::Config => connectors::config(worker, asked),
        Call::PutConfig => connectors::put_config(worker, asked),
        Call::PatchConfig => connectors::patch_config(worker, asked),
        Call::Status => connectors::status(worker, asked),
        Call::Tasks => connectors::tasks(worker, asked),
        Call::TaskStatus => connectors::task_status(worker, asked),
        Call::Restart => connectors::restart(worker, asked),
        Call::RestartTask => connectors::restart_task(worker, asked),
        Call::Pause => connectors::aim(worker, asked, TargetState::Paused),
        Call::Resume => connectors::aim(worker, asked, TargetState::Started),
        Call::Stop => connectors::aim(worker, asked, TargetState::Stopped),
        Call::Offsets => offsets::get(worker, asked),
        Call::AlterOffsets => offsets::alter(worker, asked),
        Call::ResetOffsets => offsets::reset(worker, asked),
        Call::Flow => flow::flow(worker, asked),
        Call::Incidents => flow::incidents(worker, asked),
        Call::Topics => connectors::topics(worker, asked),
        Call::ResetTopics => connectors::reset_topics(worker, asked),
        Call::PluginConfig => plugins::config(asked),
        Call::Validate => plugins::validate(worker, asked),
        Call::Loggers => Ok(loggers::list()),
        Call::Logger => loggers::get(asked),
        Call::SetLogger => loggers::set(asked),
        Call::OpenApi => Ok(Answer::text(StatusCode::OK, "application/json", OPEN_API.to_owned())),
        Call::Plugins => Ok(plugins::list()),
        Call::Health => Ok(health::health(worker)),
        Call::Live => Ok(health::live(worker)),
        Call::Ready => Ok(health::ready(worker)),
        Call::Metrics => {
            let text = asked.exposition.text(worker);
            Ok(Answer::text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
        }
    }
}

fn root(worker: &Handle) -> Answer {
    let commit = option_env!("HEADWATER_COMMIT").unwrap_or("unknown");
    let cluster = worker.cluster_id();
    Answer::ok(json!({ "version": env!("CARGO_PKG_VERSION"), "commit": commit, "kafka_cluster_id": cluster }))
}
