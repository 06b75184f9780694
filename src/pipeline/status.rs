//! What a connector is doing, as Kafka Connect names it, and why.

use std::sync::{Mutex, PoisonError};

use crate::error::Failure;

/// A connector's state. The names are Kafka Connect's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Being built; nothing has flowed yet.
    Unassigned,
    /// Reading, and the server was heard within the deadline.
    Running,
    /// Something failed and is being tried again.
    Restarting,
    /// Something failed that only a person can mend.
    Failed,
    /// Asked to stop, and stopped.
    Stopped,
}

impl State {
    /// Kafka Connect's name.
    pub fn name(self) -> &'static str {
        match self {
            State::Unassigned => "UNASSIGNED",
            State::Running => "RUNNING",
            State::Restarting => "RESTARTING",
            State::Failed => "FAILED",
            State::Stopped => "STOPPED",
        }
    }
}

/// A state, since when, and why.
#[derive(Clone, Debug)]
pub struct Status {
    /// The state.
    pub state: State,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: i64,
    /// The failure behind RESTARTING or FAILED.
    pub failure: Option<Failure>,
    /// Which attempt this is, from 1, while RESTARTING.
    pub attempt: u32,
    /// When the next attempt is made, in milliseconds since the epoch, while RESTARTING.
    pub next_attempt_ms: i64,
}

/// Where a pipeline's threads say how it is.
#[derive(Debug)]
pub struct StatusBoard {
    status: Mutex<Status>,
}

impl Default for StatusBoard {
    fn default() -> Self {
        StatusBoard::new()
    }
}

impl StatusBoard {
    /// A board that says UNASSIGNED.
    pub fn new() -> Self {
        let since_ms = crate::util::clock::now_ms();
        let status = Status { state: State::Unassigned, since_ms, failure: None, attempt: 0, next_attempt_ms: 0 };
        StatusBoard { status: Mutex::new(status) }
    }

    /// What it says now.
    pub fn read(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says a state that needs no reason. A stopped or failed pipeline does not come back to RUNNING by this.
    pub fn set(&self, state: State) {
        self.write(state, None, 0, 0);
    }

    /// Says that a failure is being tried again.
    pub fn restarting(&self, failure: Failure, attempt: u32, delay: std::time::Duration) {
        let next = crate::util::clock::now_ms() + i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        self.write(State::Restarting, Some(failure), attempt, next);
    }

    /// Says that a person must come.
    pub fn failed(&self, failure: Failure) {
        self.write(State::Failed, Some(failure), 0, 0);
    }

    fn write(&self, state: State, failure: Option<Failure>, attempt: u32, next_attempt_ms: i64) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if status.state != state {
            status.since_ms = crate::util::clock::now_ms();
        }
        status.state = state;
        status.failure = failure;
        status.attempt = attempt;
        status.next_attempt_ms = next_attempt_ms;
    }
}
