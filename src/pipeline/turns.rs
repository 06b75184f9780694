//! Turns: what workers do side by side and must be done in the order of the stream.
//!
//! A worker that is about to register a schema waits until every batch before its own is encoded. It happens once for
//! a version of a table, so that nobody waits for a row.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::util::stop::Stop;

/// How often one that waits looks whether the pipeline is given up.
const STOP_POLL: Duration = Duration::from_millis(100);

/// The batches that are encoded.
#[derive(Debug, Default)]
pub struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Every batch before this one is encoded.
    next: u64,
    /// Those behind it that are.
    early: BTreeSet<u64>,
    /// How many wait: to notify nobody is a call of the kernel for each batch.
    waiting: usize,
}

impl Turns {
    /// Waits until every batch before this one is encoded, or the pipeline is given up.
    pub fn wait(&self, ordinal: u64, abort: &Stop) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.next < ordinal && !abort.is_set() {
            state.waiting += 1;
            state = self.changed.wait_timeout(state, STOP_POLL).unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
        }
    }

    /// This batch is encoded. Says how many more can now be handed on in the order of the stream.
    pub fn done(&self, ordinal: u64) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.next;
        state.early.insert(ordinal);
        while state.early.first() == Some(&state.next) {
            let _ = state.early.pop_first();
            state.next += 1;
        }
        if state.waiting > 0 {
            self.changed.notify_all();
        }
        state.next - before
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_turn_comes_when_all_before_it_are_done() {
        let turns = Arc::new(Turns::default());
        turns.wait(0, &Stop::new());
        assert_eq!(turns.done(1), 0);
        let (sender, receiver) = channel();
        let waiting = turns.clone();
        let thread = std::thread::spawn(move || {
            waiting.wait(2, &Stop::new());
            sender.send(()).unwrap_or_default();
        });
        assert!(receiver.try_recv().is_err());
        assert_eq!(turns.done(0), 2);
        assert!(receiver.recv().is_ok());
        assert!(thread.join().is_ok());
        let given_up = Stop::new();
        given_up.set();
        turns.wait(9, &given_up);
    }
}
