//! The status, polled all along, and whether it was true.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::Running;

/// How often.
const POLL: Duration = Duration::from_millis(50);

/// The longest that rows may be written and none come through while the status says RUNNING: the longest of the deadlines
/// in force (three heartbeats of a second and the source's five seconds on top, the broker's five), and what a busy
/// machine takes on top.
const LIE: Duration = Duration::from_secs(8 + 4);

/// What `/connectors/{name}/flow` said.
#[derive(Clone, Debug, Default)]
pub struct Word {
    pub state: String,
    pub proven: bool,
    pub acknowledged: u64,
    pub incidents: u64,
}

pub fn flow(running: &Running) -> Word {
    let value = running.connector_answer("flow");
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let rungs = value["ladder"].as_array().cloned().unwrap_or_default();
    let acknowledged = rungs.iter().find(|hop| hop["hop"] == "acknowledged");
    let (state, verdict) = (text("state"), text("verdict"));
    Word {
        proven: state == "RUNNING" && matches!(verdict.as_str(), "flowing" | "idle") && value["stalled_ms"] == 0,
        state,
        acknowledged: acknowledged.and_then(|hop| hop["count"].as_u64()).unwrap_or_default(),
        incidents: value["incidents"].as_u64().unwrap_or_default(),
    }
}

/// Polls until asked to stop.
pub fn until(running: &Running, stop: &AtomicBool) -> Vec<(Instant, Word)> {
    let mut polls = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        polls.push((Instant::now(), flow(running)));
        std::thread::sleep(POLL);
    }
    polls
}

/// At no poll does it say RUNNING while nothing has come through for too long; and it always answers.
pub fn is_true(kind: &str, polls: &[(Instant, Word)], running: &Running) {
    let Some((mut moved_at, first)) = polls.first().map(|(at, word)| (*at, word)) else { return };
    let mut acknowledged = first.acknowledged;
    for (at, word) in polls {
        assert!(!word.state.is_empty(), "{kind}: the status did not answer\n{}", running.log_tail(40));
        if word.acknowledged != acknowledged {
            (acknowledged, moved_at) = (word.acknowledged, *at);
        }
        let still = at.saturating_duration_since(moved_at);
        assert!(
            word.state != "RUNNING" || still < LIE,
            "{kind}: {word:?} although nothing came through for {still:.1?}\n{}",
            running.log_tail(40)
        );
    }
}

/// When the first incident since a moment was noticed, in milliseconds since the epoch.
pub fn noticed_ms(running: &Running, since_ms: i64) -> i64 {
    let incidents = running.connector_answer("incidents");
    let noticed = |incident: &Value| {
        incident["began_ms"].as_i64().unwrap_or_default() + incident["noticed_after_ms"].as_i64().unwrap_or_default()
    };
    let all = incidents.as_array().cloned().unwrap_or_default();
    // Both clocks are this machine's; the program rounds down.
    let first = all.iter().map(noticed).filter(|at| *at >= since_ms - 5).min();
    first.unwrap_or_else(|| panic!("no incident since {since_ms}: {incidents}\n{}", running.log_tail(40)))
}
