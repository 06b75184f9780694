//! Requests to Kafka Connect's REST API.
//!
//! In: the address and credentials of the command line. Out: JSON, or an error with its page. Promised: only `GET` is
//! sent; every request has a deadline and every answer a bound; a rebalance (409) and passing errors (429, 5xx) are
//! waited out for a while; redirects are not followed, because they would carry credentials away; what a server sent
//! stands in no error. Source: Kafka's manual, "Connect REST API".

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::tls::TlsConfig;

use super::error::MigrateError;
use crate::util::backoff::Backoff;
use crate::util::stop::Stop;
use crate::util::{clock, http, key_store};

/// How long the whole answer to one request may take. A worker that is no leader asks the leader and waits for it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a rebalance and passing errors are waited out. Connect's own limit for a rebalance is a minute.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first pause before another attempt; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The longest answer that is read: ten thousand connectors with long lists of tables stay below it.
const ANSWER_LIMIT_BYTES: u64 = 64 << 20;

/// Where Connect is, and who asks.
#[derive(clap::Args)]
pub struct Address {
    /// The REST API of a worker of the Kafka Connect cluster: http://connect:8083
    #[arg(long, value_name = "URL")]
    pub from_connect: String,
    /// The REST API's user.
    #[arg(long, value_name = "USER:PASSWORD", env = "HEADWATER_CONNECT_BASIC_AUTH", hide_env_values = true)]
    pub basic_auth: Option<String>,
    /// The REST API's token.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "HEADWATER_CONNECT_BEARER",
        hide_env_values = true,
        conflicts_with = "basic_auth"
    )]
    pub bearer: Option<String>,
    /// Certificates (PEM) that an https server's own must be signed by; the system's otherwise.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("ca", &self.ca).finish_non_exhaustive()
    }
}

/// How requests say who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    None,
    Basic,
    Bearer,
}

/// Asks a worker.
pub(super) struct Client {
    agent: ureq::Agent,
    base: String,
    authorization: Option<String>,
    pub(super) credentials: Credentials,
    pub(super) ca: Option<PathBuf>,
    /// How long passing errors are waited out.
    patience: Duration,
    answer_timeout: Duration,
}

/// What became of one request.
enum Attempt {
    Answer(Option<Value>),
    /// Worth another attempt: the status.
    Passing(u16),
}

impl Client {
    /// A client; nothing is asked yet.
    pub(super) fn new(address: &Address) -> Result<Client, MigrateError> {
        Client::with_deadlines(address, PATIENCE, ANSWER_TIMEOUT)
    }

    pub(super) fn with_deadlines(
        address: &Address,
        patience: Duration,
        answer_timeout: Duration,
    ) -> Result<Client, MigrateError> {
        let tls = address.ca.as_deref().map_or_else(|| Ok(http::system_tls()), tls)?;
        let (credentials, authorization) = authorization(address)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(answer_timeout)))
            .timeout_global(Some(answer_timeout))
            .tls_config(tls)
            .build();
        Ok(Client {
            agent: config.new_agent(),
            base: base(&address.from_connect)?,
            authorization,
            credentials,
            ca: address.ca.clone(),
            patience,
            answer_timeout,
        })
    }

    /// The address without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The JSON that a path answers; `None` where there is nothing (404).
    pub(super) fn get(&self, path: &str) -> Result<Option<Value>, MigrateError> {
        let url = format!("{}{path}", self.base);
        let begun = clock::moment();
        let deadline = begun + self.patience;
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let status = match self.attempt(&url)? {
                Attempt::Answer(answer) => return Ok(answer),
                Attempt::Passing(status) => status,
            };
            let pause = backoff.next_delay();
            let attempts = backoff.attempts();
            if clock::moment() + pause >= deadline {
                return Err(MigrateError::Busy { url, status, attempts, seconds: begun.elapsed().as_secs() });
            }
            if attempts == 1 {
                eprintln!("{url} answers {status}; trying again for {} s", self.patience.as_secs());
            }
            Stop::new().wait(pause);
        }
    }

    fn attempt(&self, url: &str) -> Result<Attempt, MigrateError> {
        let request = self.agent.get(url).header("accept", "application/json");
        let request = match &self.authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        let mut response = request.call().map_err(|error| self.failure(url, &error))?;
        let status = response.status().as_u16();
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (content_type, location) = (header("content-type"), header("location"));
        match status {
            300..=399 => {
                let location = without_credentials(&location);
                return Err(MigrateError::Redirect { url: url.to_owned(), status, location });
            }
            401 | 403 => return Err(MigrateError::Denied { url: url.to_owned(), status }),
            409 | 429 | 500..=599 => return Ok(Attempt::Passing(status)),
            _ => {}
        }
        let bytes = response.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_vec();
        let bytes = bytes.map_err(|error| self.failure(url, &error))?;
        let parsed: Result<Value, serde_json::Error> = serde_json::from_slice(&bytes);
        let not_connect = |why: String| MigrateError::NotConnect { url: url.to_owned(), why };
        match (status, parsed) {
            (200, Ok(value)) => Ok(Attempt::Answer(Some(value))),
            // Connect's own 404 is JSON with an error_code; that of something else is a page.
            (404, Ok(value)) if value.get("error_code").is_some() => Ok(Attempt::Answer(None)),
            (200, Err(error)) if error.is_eof() && !bytes.is_empty() => {
                let problem = format!("it ends after {} bytes, in the middle", bytes.len());
                Err(MigrateError::Answer { url: url.to_owned(), problem })
            }
            (status, _) => {
                let kind = if content_type.is_empty() { "no content type" } else { &content_type };
                Err(not_connect(format!("it answers {status} with {}", printable(kind, 60))))
            }
        }
    }

    /// What became of a request that has no answer.
    fn failure(&self, url: &str, error: &ureq::Error) -> MigrateError {
        let url = url.to_owned();
        if matches!(error, ureq::Error::Timeout(_)) {
            return MigrateError::TimedOut { url, seconds: self.answer_timeout.as_secs() };
        }
        if let ureq::Error::BodyExceedsLimit(limit) = error {
            return MigrateError::Answer { url, problem: format!("it is longer than {limit} bytes") };
        }
        if matches!(error, ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::UnexpectedEof) {
            return MigrateError::Answer { url, problem: "it broke off".to_owned() };
        }
        if matches!(error, ureq::Error::Protocol(_)) {
            return MigrateError::NotConnect { url, why: "what answers does not speak HTTP".to_owned() };
        }
        // A header's value that HTTP does not allow: a token with a line break.
        if matches!(error, ureq::Error::Http(_) | ureq::Error::BadUri(_)) {
            let problem = "no request can be made of this address and these credentials".to_owned();
            return MigrateError::Option { option: "--from-connect", problem };
        }
        MigrateError::Unreachable { url, reason: printable(&error.to_string(), 200) }
    }
}

/// TLS with servers that the certificates in a file vouch for.
fn tls(path: &Path) -> Result<TlsConfig, MigrateError> {
    let trusted = key_store::read(path).and_then(|content| key_store::trusted(&content, ""));
    trusted
        .and_then(|trusted| http::tls(Some(&trusted), None))
        .map_err(|error| MigrateError::Option { option: "--ca", problem: format!("{}: {error}", path.display()) })
}

fn authorization(address: &Address) -> Result<(Credentials, Option<String>), MigrateError> {
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| !c.is_control());
    match (&address.basic_auth, &address.bearer) {
        (Some(user_info), _) if user_info.contains(':') && plain(user_info) => {
            Ok((Credentials::Basic, Some(format!("Basic {}", STANDARD.encode(user_info)))))
        }
        (Some(_), _) => {
            Err(MigrateError::Option { option: "--basic-auth", problem: "it is not USER:PASSWORD".to_owned() })
        }
        (None, Some(token)) if plain(token) && token.is_ascii() => {
            Ok((Credentials::Bearer, Some(format!("Bearer {token}"))))
        }
        (None, Some(_)) => Err(MigrateError::Option { option: "--bearer", problem: "it is not a token".to_owned() }),
        (None, None) => Ok((Credentials::None, None)),
    }
}

/// The address with a scheme and without a slash at its end. Credentials in it would be printed with every command.
fn base(url: &str) -> Result<String, MigrateError> {
    let bad = |problem: &str| MigrateError::Option { option: "--from-connect", problem: problem.to_owned() };
    let url = url.trim();
    let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let authority = url.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(""));
    if authority.contains('@') {
        return Err(bad("credentials stand in the address; give them as --basic-auth"));
    }
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    let plain = url.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '\'' | '"' | '\\' | '`' | '$'));
    if !is_http || !plain || authority.is_empty() || url.contains(['?', '#']) {
        return Err(bad("it is not an address such as http://connect:8083"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// A place that a server named, without credentials and query.
fn without_credentials(location: &str) -> String {
    let location = location.split(['?', '#']).next().unwrap_or_default();
    let shown = match location.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default()),
        None => location.rsplit('@').next().unwrap_or_default().to_owned(),
    };
    if shown.is_empty() { "nowhere".to_owned() } else { printable(&shown, 200) }
}

/// Text from outside as a terminal may show it: bounded, and without control characters.
pub(super) fn printable(text: &str, limit: usize) -> String {
    let mut out: String = text.chars().take(limit).flat_map(char::escape_debug).collect();
    if text.chars().nth(limit).is_some() {
        out.push('…');
    }
    out.replace("\\'", "'").replace("\\\"", "\"")
}
