//! What the watchdog says, for everyone who asks: the verdict, the ladder, the incidents.
//!
//! In: the watchdog's word, a few times a second. Out: copies of it. Nothing here survives a crash; the incident file
//! and topic do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::incident::Incident;

/// Incidents of a connector that are kept in memory.
pub const INCIDENTS_KEPT: usize = 100;

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
    /// Incidents that have begun since the process started.
    pub incidents: u64,
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

    /// The last word.
    pub fn read(&self) -> Flow {
        self.lock().flow.clone()
    }

    /// Says it.
    pub fn say(&self, flow: Flow) {
        self.lock().flow = flow;
    }

    /// For how long nothing has flowed that should, in milliseconds.
    pub fn stalled_ms(&self) -> i64 {
        self.lock().flow.stalled_ms
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
