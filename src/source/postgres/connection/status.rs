//! Standby status updates, on a clock of their own.
//!
//! In: [`ConfirmedLsn`], set by whoever knows what is safe. Out: status updates over the line that the stream is read
//! from. Promised: the server hears from us at the interval, and soon when it asks, also while nobody reads the stream,
//! so that `wal_sender_timeout` does not end a stream whose consumer is slow; never is more confirmed than
//! [`ConfirmedLsn`] says; a failure to write reaches the reader. The thread ends with the stream.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::super::wire::{self, EPOCH_2000_US, standby_status_update};
use super::{ConfirmedLsn, ConnectionError, Doing, Lsn};
use crate::source::line::{Deadline, Line, LineError, Readiness, wait};
use crate::util::clock::now_ns;

#[derive(Debug, Default)]
struct Wish {
    /// The server wants to hear from us now.
    reply: bool,
    /// The stream is over.
    ended: bool,
}

/// What reader and reporter share.
#[derive(Debug)]
pub struct Shared {
    /// The line: locked for one read or write that does not block.
    line: Mutex<Line>,
    /// Everything before this has been received.
    pub received: AtomicU64,
    /// Set by others.
    pub confirmed: Arc<ConfirmedLsn>,
    wish: Mutex<Wish>,
    changed: Condvar,
    /// Ends waits for the line when the stream is over.
    ended: AtomicBool,
    /// Why the reporter has ended.
    failure: Mutex<Option<ConnectionError>>,
}

impl Shared {
    /// The line, for one read or write.
    pub fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, reply: bool) -> Vec<u8> {
        let written = Lsn(self.received.load(Ordering::Acquire));
        standby_status_update(written, self.confirmed.get(), now_ns() / 1_000 - EPOCH_2000_US, reply)
    }
}

/// The thread that reports.
#[derive(Debug)]
pub struct Reporter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<bool>>,
}

impl Reporter {
    /// Reports at once, and then at the interval. `socket` is that of the line.
    pub fn start(
        line: Line,
        socket: TcpStream,
        confirmed: Arc<ConfirmedLsn>,
        interval: Duration,
    ) -> Result<Self, ConnectionError> {
        let shared = Arc::new(Shared {
            line: Mutex::new(line),
            received: AtomicU64::new(0),
            confirmed,
            wish: Mutex::new(Wish::default()),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
            failure: Mutex::new(None),
        });
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("standby-status".to_owned())
            .spawn(move || report(&theirs, &socket, interval))
            .map_err(|error| ConnectionError::Line(LineError::Io { doing: Doing::STATUS, error }))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What is shared with the reader.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Has the server's question answered now.
    pub fn reply(&self) {
        self.shared.wish().reply = true;
        self.shared.changed.notify_all();
    }

    /// Why reporting has ended, once.
    pub fn failure(&self) -> Option<ConnectionError> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends the thread, and reports a last time if the line takes it at once.
    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.wish().ended = true;
        self.shared.ended.store(true, Ordering::Release);
        self.shared.changed.notify_all();
        if thread.join().unwrap_or(false) {
            let farewell = [self.shared.update(false), wire::copy_done(), wire::terminate()].concat();
            // The connection ends either way.
            let _ = self.shared.line().write(&farewell, Doing::STATUS);
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reports until the stream is over. True when the last report was written whole.
fn report(shared: &Shared, socket: &TcpStream, interval: Duration) -> bool {
    loop {
        // The answer that each report asks for is a sign of life of a server that has nothing to send.
        match write(shared, socket, &shared.update(true)) {
            Ok(()) => {}
            Err(LineError::Stopped) => return false,
            Err(error) => {
                *shared.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.into());
                return false;
            }
        }
        let wish = shared.wish();
        let idle = |wish: &mut Wish| !wish.reply && !wish.ended;
        let waited = shared.changed.wait_timeout_while(wish, interval, idle);
        let mut wish = waited.unwrap_or_else(PoisonError::into_inner).0;
        if wish.ended {
            return true;
        }
        wish.reply = false;
    }
}

/// Writes everything, without holding the line while it takes nothing.
fn write(shared: &Shared, socket: &TcpStream, mut bytes: &[u8]) -> Result<(), LineError> {
    // A server that reads nothing is ended by the limit for unacknowledged bytes of the socket, and found silent.
    let deadline = Deadline::after(Doing::STATUS, None);
    while !bytes.is_empty() {
        let written = shared.line().write(bytes, Doing::STATUS)?;
        bytes = bytes.get(written..).unwrap_or_default();
        if written == 0 {
            wait(socket, Readiness::Write, &deadline, &shared.ended)?;
        }
    }
    Ok(())
}
