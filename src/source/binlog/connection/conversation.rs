//! Packets over a line: one command, its answers, in sequence.
//!
//! In: payloads to send. Out: payloads received, joined where they were continued. Promised: each packet's number
//! is asserted, its length is limited, and each wait has a deadline.

use super::super::super::line::{Deadline, Line, LineError, Received, StopFlag};
use super::super::wire::compressed::Algorithm;
use super::super::wire::packet::{
    FULL_PAYLOAD_BYTES, HEADER_BYTES, PAYLOAD_LIMIT_BYTES, PacketHeader, Sequence, put_packet,
};
use super::super::wire::{WireError, capability};
use super::ConnectionError;
use super::transport::Transport;

/// Bytes asked of the line at once.
const INBOX_BYTES: usize = 64 * 1024;

/// A line with its packet numbers and the bytes that have arrived.
#[derive(Debug)]
pub struct Conversation {
    transport: Transport,
    stop: StopFlag,
    inbox: Box<[u8]>,
    at: usize,
    end: usize,
    sequence: u8,
    deprecate_eof: bool,
}

impl Conversation {
    /// Begins with the server's first word.
    pub fn new(line: Line, stop: StopFlag) -> Self {
        Self {
            transport: Transport::new(line),
            stop,
            inbox: vec![0; INBOX_BYTES].into_boxed_slice(),
            at: 0,
            end: 0,
            sequence: 0,
            deprecate_eof: false,
        }
    }

    /// Results end with OK packets, and no EOF packet stands between columns and rows.
    pub fn deprecate_eof(&self) -> bool {
        self.deprecate_eof
    }

    /// What was agreed in the handshake.
    pub fn agree(&mut self, capabilities: u32) {
        self.deprecate_eof = capabilities & capability::DEPRECATE_EOF != 0;
    }

    /// Goes on over another line (TLS over the socket of the first). Bytes that came before would be
    /// readable ones that somebody slipped in.
    pub fn encrypt(self, begin: impl FnOnce(Line) -> Result<Line, ConnectionError>) -> Result<Self, ConnectionError> {
        if self.at < self.end {
            let reason = "the server speaks on before TLS has begun";
            return Err(WireError::Malformed { message: "server greeting", reason }.into());
        }
        let line = begin(self.transport.into_line())?;
        Ok(Self { transport: Transport::new(line), ..self })
    }

    /// Begins the compressed protocol.
    pub fn compress(&mut self, algorithm: Algorithm) {
        self.transport.compress(algorithm);
    }

    /// The stop flag.
    pub fn stop_flag(&self) -> StopFlag {
        self.stop.clone()
    }

    /// Sends the first packet of a command.
    pub fn command(&mut self, payload: &[u8], deadline: &Deadline) -> Result<(), ConnectionError> {
        self.sequence = 0;
        self.transport.begin_command();
        self.send(payload, deadline)
    }

    /// Sends a packet.
    pub fn send(&mut self, payload: &[u8], deadline: &Deadline) -> Result<(), ConnectionError> {
        let mut out = Vec::with_capacity(payload.len() + HEADER_BYTES);
        put_packet(&mut out, payload, &mut self.sequence);
        self.transport.write_all(&out, deadline, &self.stop)
    }

    /// Receives a packet into `payload`, replacing what it held.
    pub fn receive(&mut self, payload: &mut Vec<u8>, deadline: &Deadline) -> Result<(), ConnectionError> {
        payload.clear();
        loop {
            let mut header = [0; HEADER_BYTES];
            self.read_exact(&mut header, deadline)?;
            let header = PacketHeader::parse(header);
            let mut expected = self.expected();
            expected.check(header.sequence)?;
            self.sequence = header.sequence.wrapping_add(1);
            let length = payload.len() + header.length;
            if length > PAYLOAD_LIMIT_BYTES {
                let (length, limit) = (length as u64, PAYLOAD_LIMIT_BYTES as u64);
                return Err(WireError::TooLong { length, limit }.into());
            }
            self.append(payload, header.length, deadline)?;
            if header.length < FULL_PAYLOAD_BYTES {
                return Ok(());
            }
        }
    }

    fn expected(&self) -> Sequence {
        if self.transport.compressed() { Sequence::Unchecked } else { Sequence::Next(self.sequence) }
    }

    /// The parts, for a reader that goes on by itself: the line, the packet number that is due, and the bytes that
    /// have already come.
    pub fn into_parts(self) -> (Transport, StopFlag, Sequence, Vec<u8>) {
        let expected = self.expected();
        let arrived = self.inbox.get(self.at..self.end).unwrap_or_default().to_vec();
        (self.transport, self.stop, expected, arrived)
    }

    fn read_exact(&mut self, mut out: &mut [u8], deadline: &Deadline) -> Result<(), ConnectionError> {
        while !out.is_empty() {
            let ready = self.fill(deadline)?;
            let count = ready.min(out.len());
            let (now, later) = std::mem::take(&mut out).split_at_mut(count);
            now.copy_from_slice(self.inbox.get(self.at..self.at + count).unwrap_or_default());
            self.at += count;
            out = later;
        }
        Ok(())
    }

    fn append(&mut self, out: &mut Vec<u8>, mut count: usize, deadline: &Deadline) -> Result<(), ConnectionError> {
        while count > 0 {
            let part = self.fill(deadline)?.min(count);
            out.extend_from_slice(self.inbox.get(self.at..self.at + part).unwrap_or_default());
            self.at += part;
            count -= part;
        }
        Ok(())
    }

    /// Waits until the inbox holds something; says how much.
    fn fill(&mut self, deadline: &Deadline) -> Result<usize, ConnectionError> {
        while self.at == self.end {
            match self.transport.read(&mut self.inbox, deadline.doing)? {
                Received::Bytes { count, .. } => (self.at, self.end) = (0, count),
                Received::Dry => self.transport.wait_readable(deadline, &self.stop)?,
                Received::Closed => return Err(LineError::Closed(deadline.doing).into()),
            }
        }
        Ok(self.end - self.at)
    }
}
