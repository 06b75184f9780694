//! Notices: tells people by webhook that an incident has begun, and that it is over. One each, never one for each retry.
//!
//! One that is over before it was told is not told at all: a connection that is made again in a moment is for the record,
//! not for a phone at night. The body is Slack's (`text`) for Slack and everything that takes its webhooks (Mattermost,
//! Discord's `/slack`), and Alertmanager's API (`/api/v2/alerts`, a list of alerts) for addresses that end in it.
//! Alertmanager forgets an alert that is not repeated, so it is told again each minute for as long as the incident lasts.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::error::WatchdogError;
use crate::error::{Coded, Failure};
use crate::observe::incident::{FLOWS_AGAIN, Incident};
use crate::util::backoff::Backoff;
use crate::util::{clock, http};

/// The path of Alertmanager's API.
const ALERTMANAGER: &str = "/api/v2/alerts";

/// How often Alertmanager is told of an incident that lasts.
const REPEAT: Duration = Duration::from_secs(60);

/// For how long Alertmanager is to take an incident for lasting that it hears no more of, in milliseconds.
const ALERT_LASTS_MS: i64 = 300_000;

/// How long one address may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Tries of one notice.
const ATTEMPTS: u32 = 6;

/// How long an idle recorder sleeps.
const LONG: Duration = Duration::from_secs(60);

/// Notices that may wait.
const WAITING: usize = 64;

/// Somebody who is told.
#[derive(Clone)]
pub(super) struct Address {
    url: String,
    /// All of it that may be logged: a webhook's path, and what stands before the host, are passwords.
    host: String,
    is_alertmanager: bool,
}

impl Address {
    /// The addresses of `headwater.notices.urls`.
    ///
    /// # Errors
    /// When one is no http or https address; it says which, not what it is.
    pub(super) fn all(urls: &[String]) -> Result<Vec<Address>, Failure> {
        urls.iter().enumerate().map(|(index, url)| Address::new(index, url)).collect()
    }

    fn new(index: usize, url: &str) -> Result<Address, Failure> {
        let parsed: Option<ureq::http::Uri> = url.parse().ok();
        let known = parsed.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
        match known.as_ref().and_then(ureq::http::Uri::host) {
            Some(host) if !host.is_empty() => Ok(Address {
                url: url.to_owned(),
                host: host.to_owned(),
                is_alertmanager: url.trim_end_matches('/').ends_with(ALERTMANAGER),
            }),
            Some(_) | None => {
                let host = format!("address {} of headwater.notices.urls", index + 1);
                Err(WatchdogError::Notice { host, message: "it is no http or https address".to_owned() }.into())
            }
        }
    }
}

struct Notice {
    address: Address,
    incident: String,
    body: Value,
    due: Instant,
    backoff: Backoff,
}

/// What is to be told.
pub(super) struct Notices {
    agent: ureq::Agent,
    addresses: Vec<Address>,
    after: Duration,
    /// Incidents that have begun and were not told yet.
    fresh: Vec<(Incident, Instant)>,
    /// Incidents whose beginning was told and that last, and when that is repeated.
    told: Vec<(Incident, Instant)>,
    waiting: VecDeque<Notice>,
}

impl Notices {
    pub(super) fn new(addresses: Vec<Address>, after: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(REQUEST_TIMEOUT))
            .max_redirects(0)
            .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .tls_config(http::system_tls());
        let agent = config.build().new_agent();
        Notices { agent, addresses, after, fresh: Vec::new(), told: Vec::new(), waiting: VecDeque::new() }
    }

    /// Takes over what has become of an incident.
    pub(super) fn take(&mut self, incident: &Incident) {
        if !incident.is_over() {
            let mut known = self.told.iter().chain(&self.fresh);
            if !known.any(|(one, _)| one.id == incident.id) {
                self.fresh.push((incident.clone(), clock::moment() + self.after));
            }
        } else if let Some(index) = self.told.iter().position(|(one, _)| one.id == incident.id) {
            self.told.swap_remove(index);
            // That it has begun must not be said after that it is over.
            self.waiting.retain(|notice| notice.incident != incident.id);
            self.tell(incident, false);
        } else {
            self.fresh.retain(|(one, _)| one.id != incident.id);
        }
        self.send_due();
    }

    /// How long until something is to be sent.
    pub(super) fn next_due(&self) -> Duration {
        let incidents = self.fresh.iter().chain(&self.told).map(|(_, due)| *due);
        let due = incidents.chain(self.waiting.iter().map(|notice| notice.due)).min();
        due.map_or(LONG, |due| due.saturating_duration_since(clock::moment()))
    }

    /// Sends what is due.
    pub(super) fn send_due(&mut self) {
        let now = clock::moment();
        let (due, fresh) = std::mem::take(&mut self.fresh).into_iter().partition(|(_, due)| *due <= now);
        self.fresh = fresh;
        let due: Vec<(Incident, Instant)> = due;
        for (incident, _) in due {
            self.tell(&incident, false);
            self.told.push((incident, now + REPEAT));
        }
        let mut again = Vec::new();
        for (incident, due) in &mut self.told {
            if *due <= now {
                *due = now + REPEAT;
                again.push(incident.clone());
            }
        }
        for incident in again {
            self.tell(&incident, true);
        }
        for _ in 0..self.waiting.len() {
            let Some(notice) = self.waiting.pop_front() else { return };
            if notice.due > now {
                self.waiting.push_back(notice);
            } else {
                self.send(notice);
            }
        }
    }

    /// Tells everybody; `again`: those only who forget it.
    fn tell(&mut self, incident: &Incident, again: bool) {
        let addresses = self.addresses.iter().filter(|address| !again || address.is_alertmanager).cloned();
        for address in addresses.collect::<Vec<_>>() {
            if again {
                // What was not delivered of the same is told anew.
                let same = |notice: &Notice| notice.incident == incident.id && notice.address.url == address.url;
                self.waiting.retain(|notice| !same(notice));
            }
            if self.waiting.len() >= WAITING {
                self.waiting.pop_front();
            }
            let body = body(&address, incident);
            let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
            let (incident, due) = (incident.id.clone(), clock::moment());
            self.waiting.push_back(Notice { address, incident, body, due, backoff });
        }
    }

    fn send(&mut self, mut notice: Notice) {
        let Address { url, host, .. } = &notice.address;
        let send = || self.agent.post(url).send_json(&notice.body);
        let message = match std::panic::catch_unwind(AssertUnwindSafe(send)) {
            Ok(Ok(_)) => return,
            Ok(Err(ureq::Error::BadUri(_))) => "the client does not take the address".to_owned(),
            Ok(Err(error)) => error.to_string().replace(url.as_str(), host),
            Err(_) => "the client panicked; the log says where".to_owned(),
        };
        let error = WatchdogError::Notice { host: host.clone(), message };
        notice.due = clock::moment() + notice.backoff.next_delay();
        let gives_up = notice.backoff.attempts() >= ATTEMPTS;
        tracing::warn!(code = %error.code(), reason = %error, attempt = notice.backoff.attempts(), gives_up, "a notice was not sent");
        if !gives_up {
            self.waiting.push_back(notice);
        }
    }
}

fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

/// The body that an address wants.
fn body(address: &Address, incident: &Incident) -> Value {
    let evidence = incident.evidence.last().map(String::as_str).unwrap_or_default();
    let connector = &incident.connector;
    let summary = match incident.lasted_ms {
        None => format!("Headwater: {connector} does not flow ({})", incident.verdict),
        Some(lasted) if incident.end == FLOWS_AGAIN => {
            format!("Headwater: {connector} flows again after {:.1} s", lasted as f64 / 1000.0)
        }
        Some(lasted) => {
            let seconds = lasted as f64 / 1000.0;
            format!("Headwater: {connector} had not flowed for {seconds:.1} s when it ended: {}", incident.end)
        }
    };
    if !address.is_alertmanager {
        return json!({ "text": format!("{summary}\n{} {evidence}", incident.code) });
    }
    let ends_at = match incident.lasted_ms {
        Some(lasted) => incident.began_ms.saturating_add(lasted),
        None => clock::now_ms().saturating_add(ALERT_LASTS_MS),
    };
    json!([{
        "labels": {
            "alertname": "HeadwaterIncident",
            "connector": incident.connector,
            "verdict": incident.verdict,
            "incident": incident.id,
            "severity": "critical",
        },
        "annotations": { "summary": summary, "description": evidence, "code": incident.code },
        "startsAt": rfc3339(incident.began_ms),
        "endsAt": rfc3339(ends_at),
    }])
}

#[cfg(test)]
mod tests;
