//! The desk where batches are entered and settled: the ledger, the byte budget, and who waits for either.
//!
//! ```text
//!  reader ──enter (waits for budget)──▶ ┌──────┐ ◀──settled── shares dropped by delivery reports
//!                                       │ desk │
//!  committer ◀──resume point── ─────────└──────┘
//! ```

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::ack::Ledger;
use crate::model::position::Position;
use crate::model::ticket::{Settlements, Ticket};
use crate::observe::metrics::ConnectorMetrics;
use crate::util::stop::Stop;

/// How often a waiting reader looks whether it should stop.
const STOP_POLL: Duration = Duration::from_millis(100);

struct State {
    ledger: Ledger,
    /// When the resume point last moved or the last batch was settled: what "settled everything" waits for.
    settled: u64,
}

/// The desk of one pipeline.
pub struct Desk {
    state: Mutex<State>,
    changed: Condvar,
    budget_bytes: u64,
    metrics: Arc<ConnectorMetrics>,
}

impl Desk {
    /// A desk with a budget in bytes of the stream.
    pub fn new(budget_bytes: u64, metrics: Arc<ConnectorMetrics>) -> Arc<Self> {
        metrics.budget_bytes.set(i64::try_from(budget_bytes).unwrap_or(i64::MAX));
        Arc::new(Desk {
            state: Mutex::new(State { ledger: Ledger::new(), settled: 0 }),
            changed: Condvar::new(),
            budget_bytes,
            metrics,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the budget has room, enters a batch and gives it its ticket. A batch larger than the
    /// whole budget enters when it is alone. `None` when asked to stop.
    pub fn enter(self: &Arc<Self>, position: Position, bytes: u64, stop: &Stop) -> Option<Ticket> {
        let mut state = self.lock();
        while state.ledger.outstanding_bytes() > 0 && state.ledger.outstanding_bytes() + bytes > self.budget_bytes {
            if stop.is_set() {
                return None;
            }
            state = self.changed.wait_timeout(state, STOP_POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        let ordinal = state.ledger.enter(position, bytes);
        self.metrics.ladder.entered.add(1);
        self.show(&state);
        Some(Ticket::new(ordinal, self.clone()))
    }

    /// Whether entering a batch of this size would wait.
    pub fn is_full(&self, bytes: u64) -> bool {
        let state = self.lock();
        state.ledger.outstanding_bytes() > 0 && state.ledger.outstanding_bytes() + bytes > self.budget_bytes
    }

    /// The position before which everything is delivered, and how often anything was settled.
    pub fn resume_point(&self) -> (Option<Position>, u64) {
        let state = self.lock();
        (state.ledger.resume_point().cloned(), state.settled)
    }

    /// Waits until nothing is outstanding, or the deadline has passed; says whether nothing is.
    pub fn drained(&self, deadline: Instant) -> bool {
        let mut state = self.lock();
        while state.ledger.outstanding() > 0 {
            let Some(left) = crate::util::clock::left_until(deadline) else { return false };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn show(&self, state: &State) {
        self.metrics.outstanding_bytes.set(i64::try_from(state.ledger.outstanding_bytes()).unwrap_or(i64::MAX));
        self.metrics.outstanding_batches.set(i64::try_from(state.ledger.outstanding()).unwrap_or(i64::MAX));
    }
}

impl Settlements for Desk {
    fn settled(&self, ordinal: u64) {
        let mut state = self.lock();
        state.ledger.settle(ordinal);
        state.settled += 1;
        self.metrics.ladder.settled.add(1);
        self.show(&state);
        self.changed.notify_all();
    }

    fn abandoned(&self, ordinal: u64) {
        self.lock().ledger.abandon(ordinal);
    }
}
