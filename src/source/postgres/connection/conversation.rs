//! Messages over a line.
//!
//! In: bytes to send. Out: messages received, one after the other. Promised: a length is limited, memory grows only with
//! bytes that have come, and each wait has a deadline. Notices are logged, settings of the session kept.

use std::collections::BTreeMap;

use super::super::wire::{FRAME_HEADER_BYTES, FrameHeader, WireError, parse_error, parse_frame, parse_parameter};
use super::{ConnectionError, StopFlag};
use crate::source::line::{Deadline, Line, LineError, Readiness, Received, wait};

/// Bytes asked of the line at once.
const INBOX_BYTES: usize = 64 * 1024;

/// A line with the bytes that have arrived.
#[derive(Debug)]
pub struct Conversation {
    line: Line,
    stop: StopFlag,
    inbox: Box<[u8]>,
    at: usize,
    end: usize,
    parameters: BTreeMap<String, String>,
}

impl Conversation {
    /// Begins with the first byte.
    pub fn new(line: Line, stop: StopFlag) -> Self {
        let inbox = vec![0; INBOX_BYTES].into_boxed_slice();
        Self { line, stop, inbox, at: 0, end: 0, parameters: BTreeMap::new() }
    }

    /// A setting that the server has told (`ParameterStatus`).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Goes on over another line (TLS over the socket of the first). Bytes that came before are readable ones that
    /// somebody slipped in (CVE-2021-23222).
    pub fn encrypt(self, begin: impl FnOnce(Line) -> Result<Line, ConnectionError>) -> Result<Self, ConnectionError> {
        if self.at < self.end {
            let reason = "the server speaks on before TLS has begun";
            return Err(WireError::Malformed { message: "answer to SSLRequest", reason }.into());
        }
        Ok(Self { line: begin(self.line)?, ..self })
    }

    /// The line.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Sends everything.
    pub fn send(&mut self, mut bytes: &[u8], deadline: &Deadline) -> Result<(), ConnectionError> {
        while !bytes.is_empty() {
            let written = self.line.write(bytes, deadline.doing)?;
            bytes = bytes.get(written..).unwrap_or_default();
            if written == 0 {
                wait(self.line.socket(), Readiness::Write, deadline, &self.stop)?;
            }
        }
        Ok(())
    }

    /// The single byte that answers `SSLRequest`.
    pub fn receive_byte(&mut self, deadline: &Deadline) -> Result<u8, ConnectionError> {
        let mut byte = [0];
        self.read_exact(&mut byte, deadline)?;
        Ok(byte[0])
    }

    /// Receives a message into `body`, replacing what it held, and gives its type.
    pub fn receive(&mut self, body: &mut Vec<u8>, limit: usize, deadline: &Deadline) -> Result<u8, ConnectionError> {
        let mut header = [0; FRAME_HEADER_BYTES];
        self.read_exact(&mut header, deadline)?;
        self.receive_rest(header, body, limit, deadline)
    }

    /// [`Conversation::receive`], when the type's byte has been read.
    pub fn receive_behind(
        &mut self,
        kind: u8,
        body: &mut Vec<u8>,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<u8, ConnectionError> {
        let mut header = [kind; FRAME_HEADER_BYTES];
        if let Some(length) = header.get_mut(1..) {
            self.read_exact(length, deadline)?;
        }
        self.receive_rest(header, body, limit, deadline)
    }

    fn receive_rest(
        &mut self,
        header: [u8; FRAME_HEADER_BYTES],
        body: &mut Vec<u8>,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<u8, ConnectionError> {
        let FrameHeader { kind, length } = parse_frame(header, limit)?;
        body.clear();
        let mut missing = length;
        while missing > 0 {
            let part = self.fill(deadline)?.min(missing);
            body.extend_from_slice(self.inbox.get(self.at..self.at + part).unwrap_or_default());
            self.at += part;
            missing -= part;
        }
        Ok(kind)
    }

    /// As [`Conversation::receive`]; what may come at any time is dealt with here: notices, settings, notifications.
    pub fn receive_answer(
        &mut self,
        body: &mut Vec<u8>,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<u8, ConnectionError> {
        loop {
            match self.receive(body, limit, deadline)? {
                b'N' => notice(body),
                b'S' => {
                    let (name, value) = parse_parameter(body)?;
                    self.parameters.insert(name, value);
                }
                b'A' => {}
                kind => return Ok(kind),
            }
        }
    }

    /// The parts, for a reader that goes on by itself: the line, and the bytes that have already come.
    pub fn into_parts(self) -> (Line, StopFlag, Vec<u8>) {
        let arrived = self.inbox.get(self.at..self.end).unwrap_or_default().to_vec();
        (self.line, self.stop, arrived)
    }

    fn read_exact(&mut self, mut out: &mut [u8], deadline: &Deadline) -> Result<(), ConnectionError> {
        while !out.is_empty() {
            let count = self.fill(deadline)?.min(out.len());
            let (now, later) = std::mem::take(&mut out).split_at_mut(count);
            now.copy_from_slice(self.inbox.get(self.at..self.at + count).unwrap_or_default());
            self.at += count;
            out = later;
        }
        Ok(())
    }

    /// Waits until the inbox holds something; says how much.
    fn fill(&mut self, deadline: &Deadline) -> Result<usize, ConnectionError> {
        while self.at == self.end {
            match self.line.read(&mut self.inbox, deadline.doing)? {
                Received::Bytes { count, .. } => (self.at, self.end) = (0, count),
                Received::Dry => wait(self.line.socket(), Readiness::Read, deadline, &self.stop)?,
                Received::Closed => return Err(LineError::Closed(deadline.doing).into()),
            }
        }
        Ok(self.end - self.at)
    }
}

/// Logs a notice of the server.
pub fn notice(body: &[u8]) {
    if let Ok(notice) = parse_error(body) {
        tracing::debug!(
            severity = notice.severity,
            sql_state = notice.sql_state,
            "the server says: {}",
            notice.message
        );
    }
}
