//! Notices: tells people by webhook that an incident has begun, and that it is over. One each, never one for each retry.
//!
//! One that is over before it was told is not told at all: a connection that is made again in a moment is for the record,
//! not for a phone at night. The body is Slack's (`text`) for Slack and everything that takes its webhooks (Mattermost,
//! Discord's `/slack`), and Alertmanager's API (`/api/v2/alerts`, a list of alerts) for addresses that end in it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::error::WatchdogError;
use crate::error::Coded;
use crate::observe::incident::Incident;
use crate::util::backoff::Backoff;
use crate::util::clock;

/// The path of Alertmanager's API.
const ALERTMANAGER: &str = "/api/v2/alerts";

/// How long one address may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Tries of one notice.
const ATTEMPTS: u32 = 6;

/// How long an idle recorder sleeps.
const LONG: Duration = Duration::from_secs(60);

/// Notices that may wait.
const WAITING: usize = 64;

struct Notice {
    url: String,
    body: Value,
    due: Instant,
    backoff: Backoff,
}

/// What is to be told.
pub(super) struct Notices<'u> {
    urls: &'u [String],
    after: Duration,
    /// Incidents that have begun and were not told yet.
    fresh: Vec<(Incident, Instant)>,
    /// Ids of incidents whose beginning was told.
    told: Vec<String>,
    waiting: VecDeque<Notice>,
}

impl<'u> Notices<'u> {
    pub(super) fn new(urls: &'u [String], after: Duration) -> Self {
        Notices { urls, after, fresh: Vec::new(), told: Vec::new(), waiting: VecDeque::new() }
    }

    /// Takes over what has become of an incident.
    pub(super) fn take(&mut self, incident: &Incident) {
        if !incident.is_over() {
            let known = self.told.contains(&incident.id) || self.fresh.iter().any(|(one, _)| one.id == incident.id);
            if !known {
                self.fresh.push((incident.clone(), clock::moment() + self.after));
            }
        } else if let Some(index) = self.told.iter().position(|id| *id == incident.id) {
            self.told.swap_remove(index);
            self.tell(incident);
        } else {
            self.fresh.retain(|(one, _)| one.id != incident.id);
        }
        self.send_due();
    }

    /// How long until something is to be sent.
    pub(super) fn next_due(&self) -> Duration {
        let due = self.fresh.iter().map(|(_, due)| *due).chain(self.waiting.iter().map(|notice| notice.due)).min();
        due.map_or(LONG, |due| due.saturating_duration_since(clock::moment()))
    }

    /// Sends what is due.
    pub(super) fn send_due(&mut self) {
        let now = clock::moment();
        let (due, fresh) = std::mem::take(&mut self.fresh).into_iter().partition(|(_, due)| *due <= now);
        self.fresh = fresh;
        let due: Vec<(Incident, Instant)> = due;
        for (incident, _) in due {
            self.tell(&incident);
            self.told.push(incident.id);
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

    fn tell(&mut self, incident: &Incident) {
        for url in self.urls {
            if self.waiting.len() >= WAITING {
                self.waiting.pop_front();
            }
            let body = body(url, incident);
            let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
            self.waiting.push_back(Notice { url: url.clone(), body, due: clock::moment(), backoff });
        }
    }

    fn send(&mut self, mut notice: Notice) {
        let request = ureq::post(&notice.url).config().timeout_global(Some(REQUEST_TIMEOUT)).build();
        let Err(error) = request.send_json(&notice.body) else { return };
        // The path of a webhook is its password.
        let host = notice.url.split('/').take(3).collect::<Vec<_>>().join("/");
        let error = WatchdogError::Notice { host, message: error.to_string() };
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
fn body(url: &str, incident: &Incident) -> Value {
    let evidence = incident.evidence.last().map(String::as_str).unwrap_or_default();
    let summary = match incident.lasted_ms {
        None => format!("Headwater: {} does not flow ({})", incident.connector, incident.verdict),
        Some(lasted) => {
            format!("Headwater: {} flows again after {:.1} s", incident.connector, lasted as f64 / 1000.0)
        }
    };
    if !url.trim_end_matches('/').ends_with(ALERTMANAGER) {
        return json!({ "text": format!("{summary}\n{} {evidence}", incident.code) });
    }
    let mut alert = json!({
        "labels": {
            "alertname": "HeadwaterIncident",
            "connector": incident.connector,
            "verdict": incident.verdict,
            "incident": incident.id,
            "severity": "critical",
        },
        "annotations": { "summary": summary, "description": evidence, "code": incident.code },
        "startsAt": rfc3339(incident.began_ms),
    });
    if let (Some(lasted), Some(alert)) = (incident.lasted_ms, alert.as_object_mut()) {
        alert.insert("endsAt".to_owned(), json!(rfc3339(incident.began_ms.saturating_add(lasted))));
    }
    json!([alert])
}
