//! The canary: what is written to the database so that it comes back, and how long that takes.
//!
//! In: the thread that runs `heartbeat.action.query` says when something was written, when the stream has come to it and
//! when all that came with it is acknowledged, and read back. Out: numbers for the watchdog and for people. Promised: nothing is counted
//! that was not seen to come. Nothing here survives a crash.

use std::sync::atomic::{AtomicU8, Ordering};

use super::metrics::{Counter, Gauge, Text};

/// How far the last marker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// None is under way.
    Home = 0,
    /// It was written, and the stream has not come to it.
    InTheLog = 1,
    /// The stream has come to it, and what came with it is not acknowledged.
    UnderWay = 2,
    /// All that came with it is acknowledged, and was not read back from its topic, where that was once possible.
    Unread = 3,
}

/// A stage that one thread says and others read.
#[derive(Debug, Default)]
pub struct StageCell(AtomicU8);

impl StageCell {
    /// Says it.
    pub fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    /// What was said.
    pub fn get(&self) -> Stage {
        match self.0.load(Ordering::Relaxed) {
            1 => Stage::InTheLog,
            2 => Stage::UnderWay,
            3 => Stage::Unread,
            _ => Stage::Home,
        }
    }
}

/// The markers of one connector.
#[derive(Debug, Default)]
pub struct Markers {
    /// How far the one has come that is waited for.
    pub stage: StageCell,
    /// Markers that were written.
    pub written: Counter,
    /// Those of them that were waited for and came.
    pub returned: Counter,
    /// Markers that could not be written.
    pub failures: Counter,
    /// Milliseconds from the writing of the last that came to the acknowledgement of all that came with it; -1 before it.
    pub round_trip_ms: Gauge,
    /// When it was acknowledged, in milliseconds since the epoch; 0 before it.
    pub returned_ms: Gauge,
    /// Markers of which a record that came with them was read back from its topic.
    pub read_back: Counter,
    /// Milliseconds from the writing of the last of those to that moment; -1 before it.
    pub end_to_end_ms: Gauge,
    /// Why the last that came was not read back; empty where it was, or nothing is.
    pub unread: Text,
}
