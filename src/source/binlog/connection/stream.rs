//! Reading the binlog: blocks of raw events, with few calls of the kernel and no allocation an event.
//!
//! In: the stream of packets behind a dump command. Out: a block of bytes and the ranges of the whole events in
//! it. Promised: bytes go from the kernel straight into the caller's block (only the incomplete event at its
//! end is copied, to the front of the next one); a block is given as soon as the line has run dry and it holds
//! an event; an event longer than a block gets a block of its own, up to 1 GiB; what the server says last (ERR,
//! EOF, a closed line) comes after the events before it. Nothing survives a crash.
//!
//! ```text
//!  block   | carried tail | read … read … read        | room |
//!  events        [ event ]  [ event ] [ event ] [ incom|                 ranges skip the packets' headers
//! ```
//!
//! In a backlog a server writes 16 KiB at a time. To be woken by each write costs more than to read it, so behind
//! a read that looks like a backlog the reader lets bytes gather for a moment. Single transactions never look
//! like one, so they leave at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::super::line::{Deadline, Doing, LineError, Received, StopFlag, StreamCounters, pause};
use super::super::wire::WireError;
use super::super::wire::packet::{
    Control, FULL_PAYLOAD_BYTES, HEADER_BYTES, PAYLOAD_LIMIT_BYTES, PacketHeader, PacketRange, Sequence, Split,
    parse_control, split_events,
};
use super::super::wire::response::parse_error;
use super::conversation::Conversation;
use super::transport::Transport;
use super::{ConnectionError, DumpRequest, ServerInfo};

/// A block holds at least the longest packet header and at most less than one continued packet.
const BLOCK_BYTES_MIN: usize = 4 * 1024;
const BLOCK_BYTES_MAX: usize = 8 << 20;
/// A wake-up that brings this much looks like a backlog: servers flush at `net_buffer_length`, 16 KiB.
const BACKLOG_BYTES: usize = 12 * 1024;
/// How long bytes may gather in a backlog.
const GATHER: Duration = Duration::from_micros(150);

/// How a call of [`BinlogStream::read_block`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// The block holds at least one event.
    Events,
    /// Not one byte came for this long: the caller drops the stream and connects anew.
    Silent(Duration),
    /// The server has sent everything; only behind a request with `non_block`, or when the server shuts down.
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
    /// Events come.
    Open,
    /// This comes next, and then nothing.
    Last(Result<ReadOutcome, ConnectionError>),
    /// Everything has been said.
    Over,
}

/// A stream of binlog events.
#[derive(Debug)]
pub struct BinlogStream {
    transport: Transport,
    stop: StopFlag,
    server: ServerInfo,
    user: String,
    sequence: Sequence,
    carried: Vec<u8>,
    block_bytes: usize,
    silence: Duration,
    drained: bool,
    phase: Phase,
    counters: StreamCounters,
    heard: Arc<AtomicU64>,
}

impl BinlogStream {
    pub(super) fn new(conversation: Conversation, server: ServerInfo, user: String, request: &DumpRequest) -> Self {
        let (transport, stop, sequence, carried) = conversation.into_parts();
        Self {
            transport,
            stop,
            server,
            user,
            sequence,
            carried,
            block_bytes: request.block_bytes.clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX),
            silence: request.silence,
            drained: false,
            phase: Phase::Open,
            counters: StreamCounters::default(),
            heard: Arc::default(),
        }
    }

    /// Counts every byte that comes into `heard` too, for those who are not this stream's thread.
    pub fn count_into(&mut self, heard: Arc<AtomicU64>) {
        self.heard = heard;
    }

    /// Who sends.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// What it has cost.
    pub fn counters(&self) -> StreamCounters {
        self.counters
    }

    /// Waits for events and gives as many whole ones as are there, up to a block.
    ///
    /// `packets` is replaced by the ranges of the events' bytes in `block`; what lies between them has no
    /// meaning. `block` is best a used one, as it is: its length is kept so that it need not be zeroed again.
    /// After any other outcome than [`ReadOutcome::Events`], and after an error, the stream is over.
    pub fn read_block(
        &mut self,
        block: &mut Vec<u8>,
        packets: &mut Vec<PacketRange>,
    ) -> Result<ReadOutcome, ConnectionError> {
        packets.clear();
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Open => {}
            Phase::Last(last) => return last,
            Phase::Over => return Err(ConnectionError::GivenUp),
        }
        match self.read_open(block, packets) {
            Ok(()) => {
                self.phase = Phase::Open;
                Ok(ReadOutcome::Events)
            }
            Err(interrupt) => {
                let last = match interrupt {
                    Interrupt::Outcome(outcome) => Ok(outcome),
                    Interrupt::Error(ConnectionError::Line(LineError::Stopped)) => Ok(ReadOutcome::Stopped),
                    Interrupt::Error(error) => Err(error),
                };
                if packets.is_empty() {
                    return last;
                }
                self.phase = Phase::Last(last);
                Ok(ReadOutcome::Events)
            }
        }
    }

    fn read_open(&mut self, block: &mut Vec<u8>, packets: &mut Vec<PacketRange>) -> Result<(), Interrupt> {
        // Under steady traffic the stream never waits, so the flag is looked at here too.
        if self.stop.load(Ordering::Relaxed) {
            return Err(LineError::Stopped.into());
        }
        let mut filled = self.prepare(block);
        let (mut at, mut woken_for) = (0, 0);
        loop {
            let arrived = block.get(..filled).unwrap_or_default();
            let needed = match split_events(arrived, &mut at, &mut self.sequence, packets)? {
                Split::Partial { needed } => at + needed,
                Split::Control(range) => {
                    return Err(self.control(range.of(arrived).unwrap_or_default()));
                }
                Split::Continued if packets.is_empty() => {
                    return self.read_continued(block, filled, packets);
                }
                Split::Continued => break,
            };
            if needed > block.len() {
                if !packets.is_empty() {
                    break;
                }
                block.resize(needed, 0);
            }
            let room = block.get_mut(filled..).unwrap_or_default();
            if room.is_empty() {
                break;
            }
            match self.receive(room)? {
                0 if packets.is_empty() => self.wait()?,
                0 if woken_for >= BACKLOG_BYTES => {
                    woken_for = 0;
                    self.gather();
                }
                0 => break,
                count => {
                    filled += count;
                    woken_for += count;
                }
            }
        }
        self.carried.clear();
        self.carried.extend_from_slice(block.get(at..filled).unwrap_or_default());
        Ok(())
    }

    /// Makes the block as long as it should be and puts the carried bytes to its front.
    fn prepare(&mut self, block: &mut Vec<u8>) -> usize {
        let length = self.block_bytes.max(self.carried.len());
        if block.capacity() > 4 * length {
            // A block that once held a giant event must not keep its memory.
            block.truncate(length);
            block.shrink_to(length);
        }
        block.resize(length, 0);
        if let Some(front) = block.get_mut(..self.carried.len()) {
            front.copy_from_slice(&self.carried);
        }
        self.carried.len()
    }

    /// Reads what is there; 0 when there is nothing.
    fn receive(&mut self, room: &mut [u8]) -> Result<usize, Interrupt> {
        // Until something was waited for, asking again would only be told so.
        if self.drained {
            return Ok(0);
        }
        self.counters.reads += 1;
        match self.transport.read(room, Doing::STREAM)? {
            Received::Bytes { count, drained } => {
                self.counters.bytes += count as u64;
                self.heard.fetch_add(count as u64, Ordering::Relaxed);
                self.drained = drained;
                Ok(count)
            }
            Received::Dry => Ok(0),
            Received::Closed => Err(LineError::Closed(Doing::STREAM).into()),
        }
    }

    /// Waits for the next byte, and measures silence. The clock is read only here, when the line is dry.
    fn wait(&mut self) -> Result<(), Interrupt> {
        self.counters.waits += 1;
        self.drained = false;
        let deadline = Deadline::after(Doing::STREAM, Some(self.silence));
        match self.transport.wait_readable(&deadline, &self.stop) {
            Ok(()) => Ok(()),
            Err(ConnectionError::Line(LineError::Deadline { .. })) => {
                Err(Interrupt::Outcome(ReadOutcome::Silent(self.silence)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn gather(&mut self) {
        self.counters.pauses += 1;
        self.drained = false;
        pause(GATHER);
    }

    /// The event of a packet that is continued in others: joined in a block of its own. The block begins with
    /// the first packet's header.
    fn read_continued(
        &mut self,
        block: &mut Vec<u8>,
        mut filled: usize,
        packets: &mut Vec<PacketRange>,
    ) -> Result<(), Interrupt> {
        self.carried.clear();
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(block.get(..HEADER_BYTES).unwrap_or(&[0; HEADER_BYTES]));
        let mut end = HEADER_BYTES;
        loop {
            let packet = PacketHeader::parse(header);
            self.sequence.check(packet.sequence)?;
            end += packet.length;
            if end > PAYLOAD_LIMIT_BYTES {
                return Err(WireError::TooLong { length: end as u64, limit: PAYLOAD_LIMIT_BYTES as u64 }.into());
            }
            block.resize(end, 0);
            self.read_exact(block.get_mut(filled..).unwrap_or_default())?;
            filled = end;
            if packet.length < FULL_PAYLOAD_BYTES {
                break;
            }
            self.read_exact(&mut header)?;
        }
        if block.get(HEADER_BYTES) != Some(&0) {
            let reason = "a continued packet is no event";
            return Err(WireError::Malformed { message: "binlog packet", reason }.into());
        }
        packets.push(PacketRange { start: HEADER_BYTES as u32 + 1, end: end as u32 });
        Ok(())
    }

    fn read_exact(&mut self, mut out: &mut [u8]) -> Result<(), Interrupt> {
        while !out.is_empty() {
            match self.receive(out)? {
                0 => self.wait()?,
                count => out = out.get_mut(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// The server's last word.
    fn control(&self, payload: &[u8]) -> Interrupt {
        let error = match parse_control(payload) {
            Ok(Control::End) => return Interrupt::Outcome(ReadOutcome::End),
            Ok(Control::Error(error)) => error,
            Err(error) => return error.into(),
        };
        match parse_error(error) {
            Ok(error) => ConnectionError::refused(error, Doing::STREAM, &self.user, "").into(),
            Err(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
