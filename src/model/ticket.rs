//! Tickets: what holds the stored position back until the broker has acknowledged.
//!
//! A batch has one [`Ticket`]; each record that goes to the broker takes a [`Share`] of it. When the ticket
//! and all its shares have been settled, the batch's ordinal is reported to the ledger, once. Dropping
//! either unsettled reports nothing, for ever: unsettled means undelivered, and the position stays where it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where settled ordinals are reported; called from any thread, must not block.
pub trait Settlements: Send + Sync {
    /// The batch with this ordinal has been delivered wholly.
    fn settled(&self, ordinal: u64);
    /// The batch with this ordinal had nothing to deliver.
    fn passed(&self, ordinal: u64) {
        self.settled(ordinal);
    }
    /// The batch with this ordinal will never be: a part of it was dropped unsettled.
    fn abandoned(&self, ordinal: u64);
}

struct Stub {
    ordinal: u64,
    abandoned: AtomicBool,
    /// It has no records.
    bare: AtomicBool,
    settlements: Arc<dyn Settlements>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        // Relaxed is enough: the reference count of the Arc around it orders every holder before this drop.
        if self.abandoned.load(Ordering::Relaxed) {
            self.settlements.abandoned(self.ordinal);
        } else if self.bare.load(Ordering::Relaxed) {
            self.settlements.passed(self.ordinal);
        } else {
            self.settlements.settled(self.ordinal);
        }
    }
}

/// The claim of a whole batch. Cannot be cloned.
#[must_use = "a ticket that is dropped unsettled holds the position back"]
pub struct Ticket {
    stub: Option<Arc<Stub>>,
}

/// The claim of one record of a batch. Cannot be cloned.
#[must_use = "a share that is dropped unsettled holds the position back"]
pub struct Share {
    stub: Option<Arc<Stub>>,
}

impl Ticket {
    /// A ticket for the batch with this ordinal.
    pub fn new(ordinal: u64, settlements: Arc<dyn Settlements>) -> Self {
        let (abandoned, bare) = (AtomicBool::new(false), AtomicBool::new(false));
        Ticket { stub: Some(Arc::new(Stub { ordinal, abandoned, bare, settlements })) }
    }

    /// The place of the batch in the stream.
    pub fn ordinal(&self) -> u64 {
        self.stub.as_ref().map_or(0, |stub| stub.ordinal)
    }

    /// A share for one record.
    pub fn share(&self) -> Share {
        Share { stub: self.stub.clone() }
    }

    /// Every record of the batch has its share (or there was none to send).
    pub fn settle(mut self) {
        self.stub.take();
    }

    /// The same for a batch that has no records: nobody acknowledges anything of it.
    pub fn settle_bare(self) {
        if let Some(stub) = &self.stub {
            stub.bare.store(true, Ordering::Relaxed);
        }
        self.settle();
    }
}

impl Share {
    /// The broker has acknowledged the record.
    pub fn settle(mut self) {
        self.stub.take();
    }

    /// The place of the batch in the stream.
    pub fn ordinal(&self) -> u64 {
        self.stub.as_ref().map_or(0, |stub| stub.ordinal)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(stub) = &self.stub {
            stub.abandoned.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(stub) = &self.stub {
            stub.abandoned.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<(u64, bool)>>);

    impl Settlements for Seen {
        fn settled(&self, ordinal: u64) {
            if let Ok(mut seen) = self.0.lock() {
                seen.push((ordinal, true));
            }
        }
        fn abandoned(&self, ordinal: u64) {
            if let Ok(mut seen) = self.0.lock() {
                seen.push((ordinal, false));
            }
        }
    }

    fn check(settle_ticket: bool, settle_shares: [bool; 2], expected: &[(u64, bool)]) {
        let seen = Arc::new(Seen::default());
        let ticket = Ticket::new(7, seen.clone());
        let shares = [ticket.share(), ticket.share()];
        if settle_ticket {
            ticket.settle();
        } else {
            drop(ticket);
        }
        for (share, settle) in shares.into_iter().zip(settle_shares) {
            assert!(seen.0.lock().is_ok_and(|seen| seen.is_empty()), "reported before the last share");
            if settle {
                share.settle();
            }
        }
        assert_eq!(seen.0.lock().map(|seen| seen.clone()).unwrap_or_default(), expected);
    }

    #[test]
    fn a_batch_is_settled_only_when_ticket_and_every_share_are() {
        check(true, [true, true], &[(7, true)]);
        check(true, [true, false], &[(7, false)]);
        check(true, [false, true], &[(7, false)]);
        check(false, [true, true], &[(7, false)]);
    }
}
