//! The server of a running worker, for the commands that ask it something.
//!
//! In: a URL, or the worker's own settings. Out: what `GET` answers. Promised: every request has a deadline,
//! and an answer is limited in size.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use crate::config::provider::Environment;
use crate::config::worker::{Listener, WorkerConfig, http_url};
use crate::util::http;

/// Kafka Connect's port.
const DEFAULT_PORT: u16 = 8083;

/// How long the whole answer may take. A container's health check gives up after three seconds by itself.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(2_500);

/// The longest answer that is read.
const ANSWER_LIMIT_BYTES: u64 = 64 << 20;

/// Where the worker listens.
#[derive(clap::Args, Debug)]
pub struct Address {
    /// The worker's address; without it, the first of its `listeners`, from --worker and the environment.
    #[arg(long)]
    pub url: Option<String>,
    /// The worker's file, as given to `headwater run`.
    #[arg(long)]
    pub worker: Option<PathBuf>,
}

impl Address {
    /// The URL without a slash at its end.
    pub fn base(&self) -> String {
        match &self.url {
            Some(url) if url.contains("://") => url.trim_end_matches('/').to_owned(),
            Some(url) => format!("http://{}", url.trim_end_matches('/')),
            None => self.of_worker(),
        }
    }

    /// The first listener. What else is wrong with the worker's settings does not matter here.
    fn of_worker(&self) -> String {
        let loaded = WorkerConfig::load(self.worker.as_deref(), Environment::of_this_process(), &BTreeMap::new());
        let listener = loaded.ok().and_then(|(worker, _)| worker.listeners.into_iter().next());
        let listener = listener.unwrap_or(Listener { host: None, port: DEFAULT_PORT, tls: false });
        http_url(listener.tls, listener.named_host().unwrap_or("127.0.0.1"), listener.port)
    }

    /// Asks for a path, and gives the status and the text of the answer.
    ///
    /// # Errors
    /// When nobody answers, or not in time.
    pub fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let url = format!("{}{path}", self.base());
        // A worker's own listener is asked at an address that its certificate need not name, and is told no secret.
        let tls = if self.url.is_none() { http::unverified_tls() } else { http::system_tls() };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_TIMEOUT))
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(tls);
        let agent: ureq::Agent = config.build().into();
        let mut answer = agent.get(&url).call().with_context(|| format!("nobody answers at {url}"))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_string();
        Ok((status, body.with_context(|| format!("the answer of {url} broke off"))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        assert_eq!(Address { url: Some(url.to_owned()), worker: None }.base(), expected);
    }

    #[test]
    fn addresses_are_taken_with_and_without_a_scheme() {
        check("localhost:8083", "http://localhost:8083");
        check("http://localhost:8083/", "http://localhost:8083");
        check("https://cdc.example.org", "https://cdc.example.org");
    }
}
