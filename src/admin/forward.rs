//! Requests for another worker: the one of the group that runs the stored connectors.
//!
//! In: a request as it came, and where that worker listens. Out: its answer. Kafka Connect's workers do the same, so that
//! it does not matter which of them a load balancer picks. Promised: a request is passed on once; it has the same time as
//! any other; whoever asks is checked by that worker, too.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};

use super::answer::{Answer, Content, Result};
use super::routes::{Call, Route};
use super::tls;
use crate::config::secret::ClientProperties;
use crate::util::http;

/// Marks what was passed on.
const FORWARDED: HeaderName = HeaderName::from_static("headwater-forwarded");

/// What is passed on beside the body.
const HEADERS: &[HeaderName] = &[header::AUTHORIZATION, header::CONTENT_TYPE];

/// The longest answer that is read.
const ANSWER_LIMIT_BYTES: u64 = 64 << 20;

/// A request that is passed on.
pub(super) struct Request {
    leader: String,
    method: Method,
    path: String,
    headers: HeaderMap,
    /// TLS of this worker's own listeners.
    tls: ClientProperties,
}

/// Whether a call is about connectors, and not about this process.
pub(super) fn is_shared(route: &Route) -> bool {
    route.path.starts_with("/connectors") || route.call == Call::Validate
}

impl Request {
    /// A request to this worker that is for another. `tls`: of this one's listeners.
    ///
    /// # Errors
    /// When it was passed on before: the workers do not agree on who runs the connectors, for a moment.
    pub(super) fn new(leader: String, parts: &axum::http::request::Parts, tls: &ClientProperties) -> Result<Request> {
        if parts.headers.contains_key(FORWARDED) {
            // Connect's words.
            let text = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";
            return Err(Answer::refusal(StatusCode::CONFLICT, text));
        }
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Request { leader, method: parts.method.clone(), path, headers: parts.headers.clone(), tls: tls.clone() })
    }

    /// Asks the other worker.
    pub(super) fn send(self, body: Bytes, timeout: Duration) -> Answer {
        let unreachable = |problem: String| {
            let text = format!("IO Error trying to forward REST request to {}: {problem}", self.leader);
            Answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, text)
        };
        let mut request =
            ureq::http::Request::builder().method(self.method.as_str()).uri(format!("{}{}", self.leader, self.path));
        for (name, value) in HEADERS.iter().filter_map(|name| Some((name, self.headers.get(name)?))) {
            request = request.header(name.as_str(), value.as_bytes());
        }
        let request = match request.header(FORWARDED.as_str(), "true").body(body.to_vec()) {
            Ok(request) => request,
            Err(error) => return unreachable(error.to_string()),
        };
        // Read for each request: a certificate that was renewed counts.
        let tls = if self.leader.starts_with("https:") { tls::client(&self.tls) } else { Ok(http::system_tls()) };
        let tls = match tls {
            Ok(tls) => tls,
            Err(error) => return unreachable(error.to_string()),
        };
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            // Secrets go from worker to worker, past what the environment names for other purposes.
            .proxy(None)
            .tls_config(tls)
            .build()
            .new_agent();
        match agent.run(request) {
            Ok(answer) => passed_back(answer).unwrap_or_else(|error| unreachable(error.to_string())),
            Err(error) => unreachable(error.to_string()),
        }
    }
}

fn passed_back(mut answer: ureq::http::Response<ureq::Body>) -> std::result::Result<Answer, ureq::Error> {
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let text = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let is_json = text("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let (location, challenge) = (text("location"), status == StatusCode::UNAUTHORIZED);
    let body = answer.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_string()?;
    let kind = if is_json { "application/json" } else { "text/plain" };
    let body = if body.is_empty() { Content::Nothing } else { Content::Text(kind, body) };
    Ok(Answer { body, location, challenge, ..Answer::empty(status) })
}
