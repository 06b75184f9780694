//! Deadlines: what is being done, and until when.

use std::fmt;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::LineError;
use crate::util::clock::moment;

/// Set to true to make every operation of a connection end within 100 ms.
pub type StopFlag = Arc<AtomicBool>;

/// The longest wait between two looks at the stop flag.
const STOP_POLL: Duration = Duration::from_millis(100);

/// What a connection is doing; named in its errors. Each source adds what only its protocol does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doing(&'static str);

impl Doing {
    /// Finding the address of the host's name.
    pub const RESOLVE: Self = Self::named("looking up the host name");
    /// Opening the TCP connection.
    pub const CONNECT: Self = Self::named("opening the TCP connection");
    /// The TLS handshake.
    pub const TLS: Self = Self::named("the TLS handshake");
    /// The login.
    pub const LOGIN: Self = Self::named("the login");
    /// A statement.
    pub const QUERY: Self = Self::named("a statement");

    /// Something else, as it stands behind "during" and before "took longer than".
    pub const fn named(words: &'static str) -> Self {
        Self(words)
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Until when something may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// What is being done.
    pub doing: Doing,
    allowed: Option<Duration>,
    at: Option<Instant>,
}

impl Deadline {
    /// `allowed` from now; `None` waits for ever (but heeds the stop flag).
    pub fn after(doing: Doing, allowed: Option<Duration>) -> Self {
        // An instant too far away to be represented is no deadline.
        let at = allowed.and_then(|allowed| moment().checked_add(allowed));
        Self { doing, allowed, at }
    }

    /// The same instant, for the next step.
    pub fn step(self, doing: Doing) -> Self {
        Self { doing, ..self }
    }

    /// The same allowance, from now.
    pub fn again(self) -> Self {
        Self::after(self.doing, self.allowed)
    }

    /// What is left; zero when it has passed, `None` when there is no deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.at.map(|at| at.saturating_duration_since(moment()))
    }

    /// The error of a deadline that has passed.
    pub fn passed(&self) -> LineError {
        LineError::Deadline { doing: self.doing, allowed: self.allowed.unwrap_or_default() }
    }
}

/// Which readiness is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Bytes can be read (or the peer has closed).
    Read,
    /// Bytes can be written.
    Write,
}

/// Waits until the socket is ready, at most until the deadline.
pub fn wait(socket: &impl AsFd, readiness: Readiness, deadline: &Deadline, stop: &AtomicBool) -> Result<(), LineError> {
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(LineError::Stopped);
        }
        let slice = match deadline.remaining() {
            Some(Duration::ZERO) => return Err(deadline.passed()),
            Some(remaining) => remaining.min(STOP_POLL),
            None => STOP_POLL,
        };
        if ready_within(socket, readiness, slice).map_err(|error| LineError::Io { doing: deadline.doing, error })? {
            return Ok(());
        }
    }
}

/// One poll of at most `slice`.
fn ready_within(socket: &impl AsFd, readiness: Readiness, slice: Duration) -> std::io::Result<bool> {
    let flags = match readiness {
        Readiness::Read => PollFlags::IN,
        Readiness::Write => PollFlags::OUT,
    };
    let mut sockets = [PollFd::new(socket, flags)];
    match poll(&mut sockets, Some(&timespec(slice))) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Lets bytes gather in the socket's buffer for a moment, without being woken by each of them.
pub fn pause(moment: Duration) {
    // A poll of nothing: an interrupted or refused pause only makes the next read smaller.
    let _ = poll(&mut [], Some(&timespec(moment)));
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}
