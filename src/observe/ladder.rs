//! The ladder: how far changes have come, rung by rung, as counters that only grow.
//!
//! ```text
//!  server's head ▶ received ▶ entered ▶ encoded ▶ produced ▶ acknowledged ▶ stored
//! ```
//!
//! In: one addition for a batch at each rung, and what the head's prober heard. Out: counts that the watchdog compares.
//! Nobody writes a time here: the watchdog notes when it saw a count move, so that a clock that jumps says nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::metrics::{Counter, Gauge, Text};

/// The rungs of one connector.
#[derive(Debug, Default)]
pub struct Ladder {
    /// Times that reading came back: with changes, or with a sign of life.
    pub turns: Counter,
    /// Changes that were read, heartbeats not counted.
    pub changes: Counter,
    /// Connections that were made anew, or tried to be: what had come of an event comes again.
    pub renewals: Counter,
    /// Batches that were entered at the desk.
    pub entered: Counter,
    /// Batches that were encoded, and all before them.
    pub encoded: Counter,
    /// Batches that were handed to the producer whole.
    pub produced: Counter,
    /// Batches of which all is acknowledged, and of all before them: the resume point lies behind them.
    pub settled: Counter,
    /// Those of them that lay before the position when it was last stored.
    pub stored: Counter,
    /// The furthest batch of which all is acknowledged, whatever those before it wait for.
    pub furthest: Counter,
    /// Batches settled in order, as [`Ladder::settled`]; what was given up with an attempt is never among them.
    pub delivered: Counter,
    /// What is done to build an attempt and can take long: records of the history and definitions of tables that are read.
    pub steps: Arc<AtomicU64>,
    /// Records that were handed to the producer and given up with their pipeline: they come again.
    pub given_up: Counter,
    /// Attempts that were told to end before their time.
    pub ending: Counter,
    /// Attempts of those whose threads have all ended.
    pub ended: Counter,
    /// What the server says of the end of its log.
    pub head: HeadCell,
    heard: Mutex<Option<Arc<AtomicU64>>>,
    asks: Mutex<Option<Arc<AtomicBool>>>,
}

impl Ladder {
    /// A new attempt begins: what was between the rungs was given up.
    pub fn begin(&self, heard: Option<Arc<AtomicU64>>) {
        let entered = self.entered.get();
        for rung in [&self.encoded, &self.produced, &self.settled, &self.stored, &self.furthest] {
            rung.set(entered);
        }
        self.head.forget();
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = heard;
    }

    /// The flag that says whether the reader asks the server something inside a read.
    pub fn ask_with(&self, asks: Option<Arc<AtomicBool>>) {
        *self.asks.lock().unwrap_or_else(PoisonError::into_inner) = asks;
    }

    /// Whether the reader asks the server something, and so does not listen to the stream.
    pub fn asks(&self) -> bool {
        let asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        asks.as_ref().is_some_and(|asks| asks.load(Ordering::Relaxed))
    }

    /// Bytes that came from the server, as the source counts them on its socket.
    pub fn heard(&self) -> u64 {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.as_ref().map_or(0, |heard| heard.load(Ordering::Relaxed))
    }
}

/// What the prober heard of the server's head.
#[derive(Debug, Default)]
pub struct HeadCell {
    /// Answers of the server.
    pub answers: Counter,
    /// Answers behind which the stream was where the head is, had moved, or was said to be busy.
    pub alive: Counter,
    /// Milliseconds between two questions; 0 while none was asked.
    pub interval_ms: Gauge,
    /// Questions that were not answered.
    pub failures: Counter,
    /// Bytes of the log between the stream and the head; -1 while that is not known.
    pub behind_bytes: Gauge,
    /// The head, printed.
    pub position: Text,
    /// Whether what comes of an event is no more than the bytes that it takes in the log.
    pub sent_as_kept: AtomicBool,
    /// Bytes of the log that the server keeps for the connector; -1 while that is not known.
    pub retained_bytes: Gauge,
    /// Bytes that may yet be written before it keeps them no longer; -1 when that is not known or without bound.
    pub room_bytes: Gauge,
    /// For how long the server keeps its log, in seconds; -1 when that is not known or without bound. What was known of it
    /// stays while the server does not answer.
    pub kept_seconds: Gauge,
    /// When last the stream was where the head is and all was stored, in milliseconds since the epoch; 0 before.
    pub covered_ms: Gauge,
    /// The same, for what was acknowledged, be it stored or not.
    pub delivered_ms: Gauge,
}

impl HeadCell {
    /// Nothing is known any more.
    pub fn forget(&self) {
        self.behind_bytes.set(-1);
        self.retained_bytes.set(-1);
        self.room_bytes.set(-1);
        self.position.set(String::new());
    }
}
