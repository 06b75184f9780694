//! Settlements in any order in, one resume point out.
//!
//! In: batches as they are born, in the order of the stream, and their settlements in whatever order the
//! broker's acknowledgements come. Out: the position up to which *everything* has been delivered. Promised:
//! the position never passes a batch that is not settled, and never goes back. Pure: no lock, no clock, no
//! input or output. Nothing here survives a crash; the store does.

use std::collections::VecDeque;

use crate::model::position::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Settled,
    Abandoned,
}

struct Entry {
    state: State,
    bytes: u64,
    position: Position,
}

/// The batches between the source and the broker.
#[derive(Default)]
pub struct Ledger {
    /// Ordinal of the first entry.
    first: u64,
    entries: VecDeque<Entry>,
    resume: Option<Position>,
    bytes: u64,
    abandoned: u64,
}

impl Ledger {
    /// An empty ledger; the first batch has ordinal 0.
    pub fn new() -> Self {
        Ledger::default()
    }

    /// Enters the next batch and gives it its ordinal.
    pub fn enter(&mut self, position: Position, bytes: u64) -> u64 {
        let ordinal = self.first + self.entries.len() as u64;
        self.entries.push_back(Entry { state: State::Pending, bytes, position });
        self.bytes += bytes;
        ordinal
    }

    /// Notes that the batch with this ordinal is delivered. Returns the bytes that it gave back: every batch
    /// gives its bytes back once, when it is settled, whatever its neighbours do.
    pub fn settle(&mut self, ordinal: u64) -> u64 {
        let Some(index) = ordinal.checked_sub(self.first).and_then(|index| usize::try_from(index).ok()) else {
            return 0;
        };
        let Some(entry) = self.entries.get_mut(index) else { return 0 };
        if entry.state != State::Pending {
            return 0;
        }
        entry.state = State::Settled;
        let freed = entry.bytes;
        self.bytes -= freed;
        while let Some(entry) = self.entries.front() {
            if entry.state != State::Settled {
                break;
            }
            self.resume = Some(entry.position.clone());
            self.entries.pop_front();
            self.first += 1;
        }
        freed
    }

    /// Notes that the batch with this ordinal will never be delivered: the position stays before it.
    pub fn abandon(&mut self, ordinal: u64) {
        let index = ordinal.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| self.entries.get_mut(index))
            && entry.state == State::Pending
        {
            entry.state = State::Abandoned;
            self.abandoned += 1;
        }
    }

    /// From where to go on: everything before it is delivered. `None` until the first batch is.
    pub fn resume_point(&self) -> Option<&Position> {
        self.resume.as_ref()
    }

    /// How many batches are not settled, or wait for one that is not.
    pub fn outstanding(&self) -> usize {
        self.entries.len()
    }

    /// The bytes of the batches that are not settled.
    pub fn outstanding_bytes(&self) -> u64 {
        self.bytes
    }

    /// How many batches were given up.
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// The ordinal of the oldest batch that holds the position back; of the next one where none does. All before it are
    /// settled.
    pub fn front(&self) -> u64 {
        self.first
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::position::{OffsetField, StoredOffset};

    fn position(number: usize) -> Position {
        Arc::new(StoredOffset(vec![("n".to_owned(), OffsetField::Integer(number as i64))]))
    }

    fn number(position: Option<&Position>) -> Option<i64> {
        position.map(|position| match position.offset().first() {
            Some((_, OffsetField::Integer(number))) => *number,
            _ => -1,
        })
    }

    #[test]
    fn an_abandoned_batch_holds_the_position_for_ever() {
        let mut ledger = Ledger::new();
        for n in 0..4 {
            assert_eq!(ledger.enter(position(n), 10), n as u64);
        }
        assert_eq!(ledger.settle(0), 10);
        ledger.abandon(1);
        ledger.settle(2);
        ledger.settle(3);
        ledger.settle(1);
        assert_eq!(number(ledger.resume_point()), Some(0));
        assert_eq!((ledger.outstanding(), ledger.outstanding_bytes(), ledger.abandoned()), (3, 10, 1));
    }

    #[test]
    fn unknown_and_repeated_settlements_change_nothing() {
        let mut ledger = Ledger::new();
        ledger.enter(position(0), 7);
        assert_eq!((ledger.settle(5), ledger.settle(u64::MAX)), (0, 0));
        assert_eq!((ledger.settle(0), ledger.settle(0)), (7, 0));
        assert_eq!(ledger.front(), 1);
    }

    proptest! {
        /// Whatever the order of settlements, the resume point is the last batch before the first unsettled one.
        #[test]
        fn the_resume_point_is_the_end_of_the_settled_prefix(order in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle()) {
            let mut ledger = Ledger::new();
            for n in 0..40 {
                ledger.enter(position(n), 1);
            }
            let mut settled = [false; 40];
            for n in order {
                ledger.settle(n as u64);
                settled[n] = true;
                let prefix = settled.iter().take_while(|settled| **settled).count();
                prop_assert_eq!(number(ledger.resume_point()), prefix.checked_sub(1).map(|n| n as i64));
                prop_assert_eq!((ledger.outstanding(), ledger.front()), (40 - prefix, prefix as u64));
            }
        }
    }
}
