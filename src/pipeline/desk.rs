//! The desk where batches are entered and settled: the ledger, the byte budget, and who waits for either.
//!
//! ```text
//!  reader ──enter (waits for budget)──▶ ┌──────┐ ◀──settled── shares dropped by delivery reports
//!                                       │ desk │
//!  committer ◀──resume point── ─────────└──────┘
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ack::Ledger;
use crate::model::position::Position;
use crate::model::ticket::{Settlements, Ticket};
use crate::observe::metrics::ConnectorMetrics;
use crate::util::stop::Stop;

/// How often a waiting reader looks whether it should stop.
const STOP_POLL: Duration = Duration::from_millis(100);

/// The desk of one pipeline.
pub struct Desk {
    ledger: Mutex<Ledger>,
    changed: Condvar,
    /// Who waits for the condition; changed under the lock. To notify nobody is a call of the kernel for each batch.
    waiting: AtomicUsize,
    budget_bytes: u64,
    /// Batches that were entered at the desks before: ordinals begin anew with each attempt, the ladder's counts go on.
    entered_before: u64,
    metrics: Arc<ConnectorMetrics>,
}

impl Desk {
    /// A desk with a budget in bytes of the stream.
    pub fn new(budget_bytes: u64, metrics: Arc<ConnectorMetrics>) -> Arc<Self> {
        metrics.budget_bytes.set(i64::try_from(budget_bytes).unwrap_or(i64::MAX));
        Arc::new(Desk {
            ledger: Mutex::new(Ledger::new()),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            budget_bytes,
            entered_before: metrics.ladder.entered.get(),
            metrics,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the budget has room, enters a batch and gives it its ticket. A batch larger than the
    /// whole budget enters when it is alone. `None` when asked to stop.
    pub fn enter(self: &Arc<Self>, position: Position, bytes: u64, stop: &Stop) -> Option<Ticket> {
        let mut ledger = self.lock();
        while ledger.outstanding_bytes() > 0 && ledger.outstanding_bytes() + bytes > self.budget_bytes {
            if stop.is_set() {
                return None;
            }
            ledger = self.wait(ledger, STOP_POLL);
        }
        let ordinal = ledger.enter(position, bytes);
        self.metrics.ladder.entered.add(1);
        self.show(&ledger);
        Some(Ticket::new(ordinal, self.clone()))
    }

    /// Whether entering a batch of this size would wait.
    pub fn is_full(&self, bytes: u64) -> bool {
        let ledger = self.lock();
        ledger.outstanding_bytes() > 0 && ledger.outstanding_bytes() + bytes > self.budget_bytes
    }

    /// The position before which everything is delivered, and the number of batches before it.
    pub fn resume_point(&self) -> (Option<Position>, u64) {
        let ledger = self.lock();
        (ledger.resume_point().cloned(), ledger.front())
    }

    /// Waits until nothing is outstanding, or the deadline has passed; says whether nothing is.
    pub fn drained(&self, deadline: Instant) -> bool {
        let mut ledger = self.lock();
        while ledger.outstanding() > 0 {
            let Some(left) = crate::util::clock::left_until(deadline) else { return false };
            ledger = self.wait(ledger, left);
        }
        true
    }

    fn wait<'l>(&'l self, ledger: MutexGuard<'l, Ledger>, time: Duration) -> MutexGuard<'l, Ledger> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let ledger = self.changed.wait_timeout(ledger, time).unwrap_or_else(PoisonError::into_inner).0;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        ledger
    }

    fn settle(&self, ledger: &mut Ledger, ordinal: u64) {
        let before = ledger.front();
        ledger.settle(ordinal);
        let (ladder, moved) = (&self.metrics.ladder, ledger.front() - before);
        ladder.settled.add(moved);
        ladder.delivered.add(moved);
        self.show(ledger);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.changed.notify_all();
        }
    }

    fn show(&self, ledger: &Ledger) {
        self.metrics.outstanding_bytes.set(i64::try_from(ledger.outstanding_bytes()).unwrap_or(i64::MAX));
        self.metrics.outstanding_batches.set(i64::try_from(ledger.outstanding()).unwrap_or(i64::MAX));
    }
}

impl Settlements for Desk {
    fn settled(&self, ordinal: u64) {
        let furthest = &self.metrics.ladder.furthest;
        let mut ledger = self.lock();
        furthest.set(furthest.get().max(self.entered_before + ordinal + 1));
        self.settle(&mut ledger, ordinal);
    }

    /// That the broker acknowledges what comes later is not to be seen by it.
    fn passed(&self, ordinal: u64) {
        self.settle(&mut self.lock(), ordinal);
    }

    fn abandoned(&self, ordinal: u64) {
        self.lock().abandon(ordinal);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::position::StoredOffset;

    #[test]
    fn what_is_settled_behind_a_hole_is_not_on_its_way_to_the_store() {
        let metrics = Arc::new(ConnectorMetrics::new());
        let position: Position = Arc::new(StoredOffset(Vec::new()));
        // A second attempt: its ordinals begin anew, the ladder's counts do not.
        for attempt in 0..2 {
            let (desk, stop) = (Desk::new(1 << 20, metrics.clone()), Stop::new());
            metrics.ladder.begin(None);
            let mut tickets: Vec<_> = (0..3).map(|_| Some(desk.enter(position.clone(), 10, &stop).unwrap())).collect();
            let mut check = |ticket: usize, settled: u64, furthest: u64| {
                tickets[ticket].take().unwrap().settle();
                let ladder = &metrics.ladder;
                assert_eq!(
                    (ladder.settled.get(), ladder.furthest.get()),
                    (3 * attempt + settled, 3 * attempt + furthest)
                );
                assert_eq!(desk.resume_point().1, settled);
            };
            check(1, 0, 2);
            check(2, 0, 3);
            check(0, 3, 3);
        }
        assert_eq!(metrics.ladder.delivered.get(), 6);
    }

    #[test]
    fn a_batch_without_records_is_no_acknowledgement() {
        let metrics = Arc::new(ConnectorMetrics::new());
        let position: Position = Arc::new(StoredOffset(Vec::new()));
        let (desk, stop) = (Desk::new(1 << 20, metrics.clone()), Stop::new());
        let [first, bare, last] = [(); 3].map(|()| desk.enter(position.clone(), 10, &stop).unwrap());
        let check = |settled, furthest| {
            assert_eq!((metrics.ladder.settled.get(), metrics.ladder.furthest.get()), (settled, furthest));
        };
        bare.settle_bare();
        check(0, 0);
        first.settle();
        check(2, 1);
        last.settle();
        check(3, 3);
    }
}
