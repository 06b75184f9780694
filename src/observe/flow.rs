//! What the watchdog says, for everyone who asks: the verdict, the ladder, the incidents.
//!
//! In: the watchdog's word, a few times a second. Out: copies of it. Nothing here survives a crash; the incident file
//! and topic do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::incident::Incident;
use crate::util::clock;

/// Incidents of a connector that are kept in memory.
pub const INCIDENTS_KEPT: usize = 100;

/// How long a word counts. It is said ten times a second.
const WORD_LASTS: Duration = Duration::from_secs(3);

static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// A thread does not end and this process has to: said once, by a watchdog.
pub fn give_up() {
    GIVEN_UP.store(true, Ordering::SeqCst);
}

/// Whether a watchdog has given up mending this process from inside.
pub fn has_given_up() -> bool {
    GIVEN_UP.load(Ordering::SeqCst)
}

/// One hop of the ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// Its end: `received`, `encoded`, …
    pub name: &'static str,
    /// What has come that far.
    pub count: u64,
    /// In what it is counted.
    pub unit: &'static str,
    /// What waits before it; `None` where that is not known.
    pub waiting: Option<u64>,
    /// In what that is counted.
    pub waiting_unit: &'static str,
    /// For how long the oldest of it has waited, in milliseconds.
    pub behind_ms: i64,
}

/// What the watchdog says now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The verdict's name; empty before the first.
    pub verdict: &'static str,
    /// Whether it is one of those under which changes flow, or would.
    pub proven: bool,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: i64,
    /// In a sentence: on what the verdict rests.
    pub because: String,
    /// For how long nothing has flowed that should, in milliseconds; 0 when all flows.
    pub stalled_ms: i64,
    /// The rungs.
    pub hops: Vec<Hop>,
    /// The server's head, printed; empty when it is not known.
    pub head: String,
    /// Bytes of the log between the stream and the head; -1 when that is not known.
    pub head_behind_bytes: i64,
    /// Since when it is not known where the server's log ends, in milliseconds since the epoch; 0 while it is known.
    pub head_unknown_since_ms: i64,
    /// Incidents that have begun since the process started.
    pub incidents: u64,
    /// When it was said; `None` before the first word.
    pub said: Option<Instant>,
}

impl Flow {
    /// The word as it is worth at `now`: a watchdog that has said nothing for a while proves nothing. One that has said
    /// that the connector was stopped has left.
    fn at(mut self, now: Instant) -> Flow {
        let age = self.said.map_or(Duration::ZERO, |said| now.saturating_duration_since(said));
        if age > WORD_LASTS && self.verdict != "stopped" {
            let millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            self.proven = false;
            self.stalled_ms = self.stalled_ms.saturating_add(millis);
            let seconds = age.as_secs_f64();
            self.because = format!("the watchdog has said nothing for {seconds:.1} s; its last word: {}", self.because);
        }
        self
    }
}

#[derive(Debug, Default)]
struct Kept {
    flow: Flow,
    incidents: VecDeque<Incident>,
}

/// Where the watchdog's word is left.
#[derive(Debug, Default)]
pub struct FlowBoard {
    kept: Mutex<Kept>,
}

impl FlowBoard {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last word, as it is worth now.
    pub fn read(&self) -> Flow {
        let flow = self.lock().flow.clone();
        flow.at(clock::moment())
    }

    /// Says it.
    pub fn say(&self, flow: Flow) {
        self.lock().flow = flow;
    }

    /// For how long nothing has flowed that should, in milliseconds.
    pub fn stalled_ms(&self) -> i64 {
        self.read().stalled_ms
    }

    /// The incidents, the last one first.
    pub fn incidents(&self) -> Vec<Incident> {
        self.lock().incidents.iter().rev().cloned().collect()
    }

    /// Notes an incident, or what has become of it.
    pub fn note(&self, incident: &Incident) {
        let mut kept = self.lock();
        match kept.incidents.iter_mut().find(|known| known.id == incident.id) {
            Some(known) => *known = incident.clone(),
            None => {
                if kept.incidents.len() >= INCIDENTS_KEPT {
                    kept.incidents.pop_front();
                }
                kept.incidents.push_back(incident.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_word_proves_nothing() {
        let said = clock::moment();
        let word = |verdict| Flow { verdict, proven: verdict != "stopped", said: Some(said), ..Flow::default() };
        let later = said + Duration::from_secs(10);
        assert!(word("flowing").at(said + WORD_LASTS).proven);
        let old = word("flowing").at(later);
        assert_eq!((old.proven, old.stalled_ms), (false, 10_000));
        assert_eq!(word("stopped").at(later), word("stopped"));
    }
}
