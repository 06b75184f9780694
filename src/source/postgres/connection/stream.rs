//! Reading the replication stream: blocks of messages of the output plugin, with few calls of the kernel and no
//! allocation a message.
//!
//! In: `CopyData` behind `START_REPLICATION`. Out: a block of bytes and where the whole messages lie in it. Promised: bytes
//! go from the kernel straight into the caller's block (only the incomplete message at its end is copied, to the front of
//! the next one); a block is given as soon as the line has run dry and it holds a message; a message longer than a block
//! gets a block of its own, which grows with the bytes that come, up to 1 GiB; what the server says last comes after the
//! messages before it. Nothing survives a crash.
//!
//! A walsender flushes each row. To be woken by each costs more than to read it, and costs the walsender as much, so
//! behind a few wakes in quick succession the reader lets bytes gather for a moment. A single transaction on a quiet
//! database never looks like that, so it leaves at once.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::wire::{Keepalive, Split, WalMessage, parse_error, split_copy_data};
use super::conversation::{Conversation, notice};
use super::login::unexpected;
use super::status::Reporter;
use super::{ConfirmedLsn, ConnectionError, Doing, Lsn, ReplicationRefusal, ReplicationRequest, StopFlag};
use crate::source::line::{Deadline, LineError, Readiness, Received, StreamCounters, pause, wait};
use crate::util::clock::moment;

/// Bounds of a block.
const BLOCK_BYTES_MIN: usize = 4 * 1024;
const BLOCK_BYTES_MAX: usize = 8 << 20;
/// A wait shorter than this is one among the rows of a backlog.
const QUICK: Duration = Duration::from_micros(100);
/// So many quick waits one after the other are a backlog.
const QUICK_WAITS: u32 = 4;
/// How long bytes may gather in a backlog.
const GATHER: Duration = Duration::from_millis(1);
/// A gathering that brings less than this was none.
const GATHERED_BYTES: usize = 1024;
/// The longest wait before the line is looked at again, ready or not, and the reporter's failure is seen.
const LOOK: Duration = Duration::from_secs(1);

/// The function of pgoutput that warns of a publication which does not exist at this point of the log. Its SQLSTATE (55000) is
/// also that of the warning that the stream waits for a standby.
const LOADS_PUBLICATIONS: &str = "LoadPublications";

/// How a call of [`ReplicationStream::read_block`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// The block holds at least one message.
    Messages,
    /// The server is alive and had nothing to send; [`ReplicationStream::keepalive_end`] may have moved.
    Keepalive,
    /// Not one byte came for this long: the caller drops the stream and connects anew, unless it knows better.
    Silent(Duration),
    /// The server has ended the stream: it shuts down.
    End,
    /// The stop flag was set.
    Stopped,
}

/// Why the inner functions stop early.
enum Interrupt {
    Outcome(ReadOutcome),
    Error(ConnectionError),
}

impl<E: Into<ConnectionError>> From<E> for Interrupt {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Where the stream stands.
#[derive(Debug)]
enum Phase {
    /// Messages come.
    Open,
    /// This comes next, and then nothing.
    Last(Result<ReadOutcome, ConnectionError>),
    /// Everything has been said.
    Over,
}

/// A stream of messages of the output plugin.
#[derive(Debug)]
pub struct ReplicationStream {
    reporter: Reporter,
    socket: TcpStream,
    stop: StopFlag,
    user: String,
    carried: Vec<u8>,
    block_bytes: usize,
    silence: Duration,
    drained: bool,
    quick_waits: u32,
    server_end: Lsn,
    keepalive_end: Lsn,
    phase: Phase,
    counters: StreamCounters,
    counted: Arc<AtomicU64>,
    /// The server's last warning.
    warned: String,
}

impl ReplicationStream {
    pub(super) fn new(
        conversation: Conversation,
        user: String,
        request: &ReplicationRequest,
        status_interval: Duration,
        confirmed: Arc<ConfirmedLsn>,
    ) -> Result<Self, ConnectionError> {
        let (line, stop, carried) = conversation.into_parts();
        let broken = |error| ConnectionError::Line(LineError::Io { doing: Doing::START_REPLICATION, error });
        let socket = line.socket().try_clone().map_err(broken)?;
        let theirs = line.socket().try_clone().map_err(broken)?;
        Ok(Self {
            reporter: Reporter::start(line, theirs, confirmed, status_interval)?,
            socket,
            stop,
            user,
            carried,
            block_bytes: request.block_bytes.clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX),
            silence: request.silence,
            drained: false,
            quick_waits: 0,
            server_end: Lsn::INVALID,
            keepalive_end: Lsn::INVALID,
            phase: Phase::Open,
            counters: StreamCounters::default(),
            counted: Arc::default(),
            warned: String::new(),
        })
    }

    /// Counts every byte that comes into `counted` too, for those who are not this stream's thread.
    pub fn count_into(&mut self, counted: Arc<AtomicU64>) {
        self.counted = counted;
    }

    /// The newest place in the log that the server has told, by messages and keep-alives.
    pub fn server_end(&self) -> Lsn {
        self.server_end
    }

    /// The newest place that a keep-alive has told: every transaction that was committed before it, and that the
    /// publications are about, lies in the blocks up to and including the last one. When they are settled, this may be
    /// confirmed.
    pub fn keepalive_end(&self) -> Lsn {
        self.keepalive_end
    }

    /// What is confirmed to the server; shared with who knows what is safe.
    pub fn confirmed(&self) -> Arc<ConfirmedLsn> {
        self.reporter.shared().confirmed.clone()
    }

    /// What it has cost.
    pub fn counters(&self) -> StreamCounters {
        self.counters
    }

    /// Reports what is confirmed now, not only at the next interval.
    pub fn report_now(&self) {
        self.reporter.reply();
    }

    /// Waits for messages and gives as many whole ones as are there, up to a block; or says that the server is alive.
    ///
    /// `messages` is replaced; their ranges lie in `block`, and what lies between them has no meaning. `block` is best a
    /// used one, as it is: its length is kept so that it need not be zeroed again. After any other outcome than
    /// [`ReadOutcome::Messages`], [`ReadOutcome::Keepalive`] and [`ReadOutcome::Silent`], and after an error, the stream is over.
    ///
    /// # Errors
    /// When the connection breaks or the server ends the stream by an error; after the messages before it.
    pub fn read_block(
        &mut self,
        block: &mut Vec<u8>,
        messages: &mut Vec<WalMessage>,
    ) -> Result<ReadOutcome, ConnectionError> {
        messages.clear();
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Open => {}
            Phase::Last(last) => return last,
            Phase::Over => return Err(ConnectionError::GivenUp),
        }
        match self.read_open(block, messages) {
            Ok(outcome) => {
                self.phase = Phase::Open;
                Ok(outcome)
            }
            Err(interrupt) => {
                let last = match interrupt {
                    Interrupt::Outcome(outcome) => Ok(outcome),
                    Interrupt::Error(ConnectionError::Line(LineError::Stopped)) => Ok(ReadOutcome::Stopped),
                    Interrupt::Error(error) => Err(error),
                };
                if messages.is_empty() {
                    return last;
                }
                self.received(messages);
                self.phase = Phase::Last(last);
                Ok(ReadOutcome::Messages)
            }
        }
    }

    fn read_open(&mut self, block: &mut Vec<u8>, messages: &mut Vec<WalMessage>) -> Result<ReadOutcome, Interrupt> {
        // Under steady traffic the stream never waits, so the flag is looked at here too.
        if self.stop.load(Ordering::Relaxed) {
            return Err(LineError::Stopped.into());
        }
        let mut filled = self.prepare(block);
        let (mut at, mut keepalive, mut alive) = (0, None, false);
        loop {
            let arrived = block.get(..filled).unwrap_or_default();
            let split = split_copy_data(arrived, &mut at, messages, &mut keepalive);
            if let Some(keepalive) = keepalive.take() {
                alive = true;
                self.heard(keepalive, messages);
            }
            let needed = match split? {
                Split::Partial { needed } => at + needed,
                Split::Other { kind, body } => {
                    self.other(kind, arrived.get(body).unwrap_or_default())?;
                    continue;
                }
            };
            if filled == block.len() || needed > block.len() {
                if !messages.is_empty() {
                    break;
                }
                if filled == block.len() {
                    // The length is the word of five bytes: memory follows what has come.
                    block.resize(needed.min(2 * filled), 0);
                }
            }
            let room = block.get_mut(filled..).unwrap_or_default();
            match self.receive(room)? {
                0 if alive || !messages.is_empty() => break,
                0 => match self.wait() {
                    Err(Interrupt::Outcome(silent @ ReadOutcome::Silent(_))) => {
                        // Whoever knows that the server is only busy asks again.
                        self.carried.clear();
                        self.carried.extend_from_slice(block.get(at..filled).unwrap_or_default());
                        return Ok(silent);
                    }
                    waited => waited?,
                },
                count => filled += count,
            }
        }
        self.carried.clear();
        self.carried.extend_from_slice(block.get(at..filled).unwrap_or_default());
        self.received(messages);
        Ok(if messages.is_empty() { ReadOutcome::Keepalive } else { ReadOutcome::Messages })
    }

    /// Makes the block as long as it should be and puts the carried bytes to its front.
    fn prepare(&mut self, block: &mut Vec<u8>) -> usize {
        let length = self.block_bytes.max(self.carried.len());
        if block.capacity() > 4 * length {
            // A block that once held a giant message must not keep its memory.
            block.truncate(length);
            block.shrink_to(length);
        }
        block.resize(length, 0);
        if let Some(front) = block.get_mut(..self.carried.len()) {
            front.copy_from_slice(&self.carried);
        }
        self.carried.len()
    }

    /// Notes what keep-alives have said, behind the messages so far.
    fn heard(&mut self, keepalive: Keepalive, messages: &[WalMessage]) {
        self.keepalive_end = self.keepalive_end.max(keepalive.end_lsn);
        self.server_end = self.server_end.max(keepalive.end_lsn);
        self.received(messages);
        if keepalive.reply_requested {
            self.reporter.reply();
        }
    }

    /// Notes how far the stream has been received.
    fn received(&mut self, messages: &[WalMessage]) {
        if let Some(last) = messages.last() {
            self.server_end = self.server_end.max(last.end_lsn).max(last.start_lsn);
        }
        self.reporter.shared().received.fetch_max(self.server_end.0, Ordering::AcqRel);
    }

    /// A message that is none of the log.
    fn other(&mut self, kind: u8, body: &[u8]) -> Result<(), Interrupt> {
        match kind {
            b'N' => {
                notice(body);
                match parse_error(body) {
                    // From 18 on a publication that is not there is warned of, and what it is about is passed over in silence.
                    Ok(error) if error.routine == LOADS_PUBLICATIONS => {
                        let refusal = ReplicationRefusal::PublicationMissing;
                        Err(ConnectionError::Replication { refusal, error: Box::new(error) }.into())
                    }
                    // Such as that the stream waits for a standby; the server says it again and again.
                    Ok(error) if error.severity == "WARNING" && error.message != self.warned => {
                        tracing::warn!(sql_state = error.sql_state, "the server warns: {error}");
                        self.warned = error.message;
                        Ok(())
                    }
                    Ok(_) | Err(_) => Ok(()),
                }
            }
            b'S' | b'A' => Ok(()),
            // CopyDone, CommandComplete: the server shuts down, and everything has been sent.
            b'c' | b'C' | b'Z' => Err(Interrupt::Outcome(ReadOutcome::End)),
            b'E' => {
                let error = parse_error(body)?;
                Err(ConnectionError::refused(error, Doing::REPLICATION, &self.user, "").into())
            }
            other => Err(unexpected(other, "the replication stream").into()),
        }
    }

    /// Reads what is there; 0 when there is nothing.
    fn receive(&mut self, room: &mut [u8]) -> Result<usize, Interrupt> {
        // Until something was waited for, asking again would only be told so.
        if self.drained {
            return Ok(0);
        }
        self.counters.reads += 1;
        let received = self.reporter.shared().line().read(room, Doing::REPLICATION)?;
        match received {
            Received::Bytes { count, drained } => {
                self.counters.bytes += count as u64;
                self.counted.fetch_add(count as u64, Ordering::Relaxed);
                self.drained = drained;
                if self.quick_waits >= QUICK_WAITS && drained && count < GATHERED_BYTES {
                    self.quick_waits = 0;
                }
                Ok(count)
            }
            Received::Dry => Ok(0),
            Received::Closed => Err(LineError::Closed(Doing::REPLICATION).into()),
        }
    }

    /// Waits for the next byte, and measures silence. The clock is read only here, when the line is dry.
    fn wait(&mut self) -> Result<(), Interrupt> {
        self.counters.waits += 1;
        self.drained = false;
        let began = moment();
        let mut now = began;
        loop {
            if let Some(failure) = self.reporter.failure() {
                return Err(failure.into());
            }
            let left = self.silence.saturating_sub(now.saturating_duration_since(began));
            if left.is_zero() {
                return Err(Interrupt::Outcome(ReadOutcome::Silent(self.silence)));
            }
            let deadline = Deadline::after(Doing::REPLICATION, Some(left.min(LOOK)));
            let ready = wait(&self.socket, Readiness::Read, &deadline, &self.stop);
            now = moment();
            match ready {
                Ok(()) => break,
                Err(LineError::Deadline { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if now.saturating_duration_since(began) < QUICK {
            self.quick_waits = self.quick_waits.saturating_add(1);
        } else {
            self.quick_waits = 0;
        }
        if self.quick_waits >= QUICK_WAITS {
            self.counters.pauses += 1;
            pause(GATHER);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
