//! Requests to the registry: URLs in order, again with back-off until the deadline, never past a stop.
//!
//! Retried: connections that fail, time-outs, 429 and 5xx. Not retried: anything that a person has to mend. Redirects are
//! not followed: they would carry the credentials to whoever is named in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value as Json;

use super::answer::{Answer, Call, clean};
use super::settings::{Endpoint, Settings};
use crate::serialize::error::SerializeError;
use crate::util::backoff::Backoff;
use crate::util::clock;

/// The largest answer: a subject's latest version with its schema, far below this in practice.
const ANSWER_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
/// How soon a stop is noticed while waiting.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(20);
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// Sends requests to whichever registry answers.
pub(super) struct Client {
    agent: ureq::Agent,
    settings: Settings,
    stop: Arc<AtomicBool>,
}

/// Why one attempt did not give an answer.
enum Failure {
    /// Worth another attempt; the error is for when there is none.
    Passing(SerializeError),
    Final(SerializeError),
}

impl Client {
    pub(super) fn open(settings: Settings, stop: Arc<AtomicBool>) -> Result<Self, SerializeError> {
        let proxy = match &settings.proxy {
            None => None,
            Some(proxy) => Some(ureq::Proxy::new(proxy).map_err(|_| crate::util::class_options::BadOption {
                option: "proxy.host",
                value: proxy.clone(),
                expected: "an HTTP proxy's host",
            })?),
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .tls_config(settings.tls.clone())
            .build();
        Ok(Client { agent: config.new_agent(), settings, stop })
    }

    /// Asks until a registry answers with JSON and a status that is not 429 or 5xx.
    pub(super) fn call(
        &self,
        call: Call,
        subject: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<Answer, SerializeError> {
        let begun = clock::moment();
        let deadline = begun + self.settings.deadline;
        let mut backoff = Backoff::new(self.settings.first_wait, self.settings.longest_wait);
        let mut attempts = 0;
        loop {
            let mut last = SerializeError::Stopped;
            for endpoint in &self.settings.endpoints {
                self.check_stop()?;
                attempts += 1;
                let left = deadline.saturating_duration_since(clock::moment()).max(Duration::from_millis(1));
                match self.attempt(endpoint, call, subject, path, body, left) {
                    Ok(answer) => return Ok(answer),
                    Err(Failure::Final(error)) => return Err(error),
                    Err(Failure::Passing(error)) => last = error,
                }
            }
            let wait = backoff.next_delay();
            if clock::moment() + wait >= deadline {
                return Err(with_attempts(last, attempts, begun.elapsed()));
            }
            tracing::warn!(attempts, wait_ms = wait.as_millis() as u64, reason = %last, "schema registry: trying again");
            self.wait(wait)?;
        }
    }

    fn check_stop(&self) -> Result<(), SerializeError> {
        if self.stop.load(Ordering::Relaxed) { Err(SerializeError::Stopped) } else { Ok(()) }
    }

    fn wait(&self, duration: Duration) -> Result<(), SerializeError> {
        let until = clock::moment() + duration;
        loop {
            self.check_stop()?;
            let left = until.saturating_duration_since(clock::moment());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::park_timeout(left.min(STOP_CHECK_INTERVAL));
        }
    }

    fn attempt(
        &self,
        endpoint: &Endpoint,
        call: Call,
        subject: &str,
        path: &str,
        body: Option<&str>,
        left: Duration,
    ) -> Result<Answer, Failure> {
        let url = &endpoint.url;
        let mut response = self.send(endpoint, path, body, left).map_err(|error| failure(url, error))?;
        let status = response.status().as_u16();
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (content_type, location) = (header("content-type"), header("location"));
        if (300..400).contains(&status) {
            let location = location.split(['?', '#']).next().unwrap_or_default();
            let location = clean(location.rsplit('@').next().unwrap_or_default(), 200);
            return Err(Failure::Final(SerializeError::RegistryRedirect { url: url.clone(), location }));
        }
        let bytes = response.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_vec();
        let bytes = bytes.map_err(|error| failure(url, error))?;
        let json: Option<Json> = serde_json::from_slice(&bytes).ok();
        let message = json.as_ref().and_then(|json| json.get("message")?.as_str().map(|text| clean(text, 500)));
        if status == 401 || status == 403 {
            return Err(Failure::Final(SerializeError::RegistryDenied {
                url: url.clone(),
                call: call.name(),
                subject: subject.into(),
                status,
                message: message.unwrap_or_default(),
            }));
        }
        if status == 429 || status >= 500 {
            let message = message.unwrap_or_else(|| first_line(&bytes));
            return Err(Failure::Passing(SerializeError::RegistryBusy {
                url: url.clone(),
                status,
                message,
                attempts: 0,
            }));
        }
        match json {
            Some(json) => Ok(Answer { url: url.clone(), call, status, json }),
            None => Err(Failure::Final(SerializeError::NoRegistry {
                url: url.clone(),
                status,
                content_type: if content_type.is_empty() { "no content type".into() } else { clean(&content_type, 80) },
                first_line: first_line(&bytes),
            })),
        }
    }

    fn send(
        &self,
        endpoint: &Endpoint,
        path: &str,
        body: Option<&str>,
        left: Duration,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let url = format!("{}{path}", endpoint.url);
        let mut headers: Vec<(&str, &str)> = vec![(
            "accept",
            "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json",
        )];
        headers.extend(self.settings.authorization(endpoint).map(|value| ("authorization", value)));
        headers.extend(self.settings.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let connect = self.settings.connect_timeout.min(left);
        let total = (self.settings.connect_timeout + self.settings.read_timeout).min(left);
        match body {
            Some(body) => {
                let request =
                    self.agent.post(&url).config().timeout_connect(Some(connect)).timeout_global(Some(total)).build();
                let request = request.header("content-type", CONTENT_TYPE);
                headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)).send(body)
            }
            None => {
                let request =
                    self.agent.get(&url).config().timeout_connect(Some(connect)).timeout_global(Some(total)).build();
                headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)).call()
            }
        }
    }
}

/// What became of a request that has no answer.
fn failure(url: &str, error: ureq::Error) -> Failure {
    let reason = clean(&error.to_string(), 300);
    if matches!(error, ureq::Error::BodyExceedsLimit(_)) {
        return Failure::Final(SerializeError::RegistryTooLarge { url: url.into(), limit_bytes: ANSWER_LIMIT_BYTES });
    }
    if matches!(error, ureq::Error::Http(_) | ureq::Error::BadUri(_)) {
        // A header's value that HTTP does not allow: a token with a line break, for example.
        let (call, reason) = ("any request", format!("it cannot be sent: {reason}"));
        return Failure::Final(SerializeError::RegistryAnswer { url: url.into(), call, reason });
    }
    if matches!(error, ureq::Error::NativeTls(_) | ureq::Error::Tls(_) | ureq::Error::Der(_) | ureq::Error::Pem(_)) {
        return Failure::Final(SerializeError::RegistryTls { setting: url.into(), reason });
    }
    let reason = format!("{url}: {reason}");
    Failure::Passing(SerializeError::RegistryUnreachable { reason, attempts: 0, seconds: 0 })
}

/// The error, saying how often and how long it was tried.
fn with_attempts(mut error: SerializeError, tried: u32, elapsed: Duration) -> SerializeError {
    if let SerializeError::RegistryUnreachable { attempts, seconds, .. } = &mut error {
        (*attempts, *seconds) = (tried, elapsed.as_secs());
    }
    if let SerializeError::RegistryBusy { attempts, .. } = &mut error {
        *attempts = tried;
    }
    error
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..2_000).unwrap_or(bytes)).into_owned();
    clean(text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default(), 120)
}
