//! A connector's own words, asked for all along, and whether they were true.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::program::Connector;

/// How often the status is asked for.
const POLL: Duration = Duration::from_millis(200);

/// The longest that rows may be written and none come through while the status says RUNNING: the longest of the deadlines
/// in force (three heartbeats of a second and the source's five seconds on top, the broker's five), and what a busy
/// machine takes on top.
pub const LIE: Duration = Duration::from_secs(8 + 6);

/// For how long REST may give no answer: three questions.
const MUTE: Duration = Duration::from_secs(10);

/// A moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub at: Instant,
    pub millis: i64,
}

impl Moment {
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Moment { at: Instant::now(), millis: i64::try_from(since.as_millis()).unwrap() }
    }
}

/// What a connector says of itself.
#[derive(Clone, Debug, Default)]
pub struct Word {
    /// The task's state in Kafka Connect's REST API.
    pub state: String,
    pub trace: String,
    pub verdict: String,
    /// RUNNING, and proven.
    pub proven: bool,
    pub acknowledged: u64,
    /// Whether nothing waits at any hop.
    pub is_dry: bool,
    pub incidents: u64,
}

/// One look.
pub struct Poll {
    at: Instant,
    word: Word,
    written: u64,
}

/// The REST API of a connector's process.
pub struct Rest {
    agent: ureq::Agent,
    base: String,
}

impl Rest {
    pub fn of(connector: &Connector) -> Self {
        let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(3)));
        let base = format!("{}/connectors/{}", connector.worker["listeners"], connector.name);
        Rest { agent: agent.http_status_as_error(false).build().into(), base }
    }

    /// Asks; `None` while there is no answer.
    pub fn ask(&self, method: &str, what: &str) -> Option<Value> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}/{what}", self.base));
        let mut answer = self.agent.run(request.body(String::new()).unwrap()).ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        Some(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub fn get(&self, what: &str) -> Value {
        self.ask("GET", what).unwrap_or(Value::Null)
    }

    pub fn word(&self) -> Word {
        let (status, flow) = (self.get("status"), self.get("flow"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let task = &status["tasks"][0];
        let rungs = flow["ladder"].as_array().cloned().unwrap_or_default();
        let acknowledged = rungs.iter().find(|hop| hop["hop"] == "acknowledged");
        // A failed connector has its reason in the task; one that has no task yet says it of itself.
        let said = if task.is_null() { &status["connector"] } else { task };
        let (state, verdict) = (text(&said["state"]), text(&flow["verdict"]));
        let is_good = matches!(verdict.as_str(), "flowing" | "idle" | "quiet");
        Word {
            proven: state == "RUNNING" && is_good && flow["stalled_ms"] == 0,
            trace: text(&said["trace"]),
            state,
            verdict,
            acknowledged: acknowledged.and_then(|hop| hop["count"].as_u64()).unwrap_or_default(),
            is_dry: !rungs.is_empty() && rungs.iter().all(|hop| hop["waiting"] == 0),
            incidents: flow["incidents"].as_u64().unwrap_or_default(),
        }
    }

    /// When the first incident since a moment was noticed, as time from that moment.
    pub fn noticed_since(&self, since: Moment) -> Option<Duration> {
        let noticed = |incident: &Value| {
            incident["began_ms"].as_i64().unwrap_or_default()
                + incident["noticed_after_ms"].as_i64().unwrap_or_default()
        };
        let all = self.get("incidents").as_array().cloned().unwrap_or_default();
        // Both clocks are this machine's; the program rounds down.
        let first = all.iter().map(noticed).filter(|at| *at >= since.millis - 5).min()?;
        Some(Duration::from_millis(u64::try_from(first - since.millis).unwrap_or(0)))
    }

    /// Polls until asked to stop.
    pub fn poll_until(&self, stop: &AtomicBool, written: &AtomicU64) -> Vec<Poll> {
        let mut polls = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let written = written.load(Ordering::Relaxed);
            polls.push(Poll { at: Instant::now(), word: self.word(), written });
            std::thread::sleep(POLL);
        }
        polls
    }
}

/// The longest unbroken time for which the status said RUNNING while rows were written and nothing came through.
pub fn longest_lie(polls: &[Poll]) -> Duration {
    let Some(first) = polls.first() else { return Duration::ZERO };
    let (mut acknowledged, mut written) = (first.word.acknowledged, first.written);
    let (mut waiting, mut running, mut longest) = (None, None::<Instant>, Duration::ZERO);
    for poll in polls {
        if poll.word.acknowledged != acknowledged {
            (acknowledged, waiting) = (poll.word.acknowledged, None);
        }
        if poll.written != written {
            written = poll.written;
            waiting.get_or_insert(poll.at);
        }
        let says_running = poll.word.state == "RUNNING";
        running = if says_running { running.or(Some(poll.at)) } else { None };
        if let (Some(waiting), Some(running)) = (waiting, running) {
            longest = longest.max(poll.at.saturating_duration_since(running.max(waiting)));
        }
    }
    longest
}

/// Whether REST has given no answer for longer than a busy machine explains.
pub fn was_mute(polls: &[Poll]) -> bool {
    let mut silent_since = None;
    polls.iter().any(|poll| {
        let since = *silent_since.get_or_insert(poll.at);
        if !poll.word.state.is_empty() {
            silent_since = None;
        }
        poll.at.saturating_duration_since(since) > MUTE
    })
}
