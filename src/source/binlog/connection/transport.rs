//! The line to the server, compressed or not, behind one non-blocking read and one write.
//!
//! In: bytes of the socket. Out: plain protocol bytes. Promised: a read never blocks; it says when the line has
//! run dry. Bytes go from the kernel straight to the caller's memory on a plain line; TLS and compression
//! cost one copy more.

use std::sync::atomic::AtomicBool;

use super::super::super::line::{Deadline, Doing, Line, READ_AHEAD_BYTES, Readiness, Received, wait};
use super::super::wire::compressed::{self, Algorithm};
use super::ConnectionError;

/// The compressed protocol's state.
#[derive(Debug)]
struct Packing {
    algorithm: Algorithm,
    sequence: u8,
    raw: Vec<u8>,
    plain: Vec<u8>,
    at: usize,
}

/// The whole line.
#[derive(Debug)]
pub struct Transport {
    line: Line,
    packing: Option<Packing>,
}

impl Transport {
    /// A line without compression.
    pub fn new(line: Line) -> Self {
        Self { line, packing: None }
    }

    /// Begins compression: with the first byte behind the login.
    pub fn compress(&mut self, algorithm: Algorithm) {
        self.packing = Some(Packing { algorithm, sequence: 0, raw: Vec::new(), plain: Vec::new(), at: 0 });
    }

    /// True when the packets are inside compressed frames.
    pub fn compressed(&self) -> bool {
        self.packing.is_some()
    }

    /// Takes the plain socket out, to begin TLS on it.
    pub fn into_line(self) -> Line {
        self.line
    }

    /// A new command begins: frame numbers start at zero.
    pub fn begin_command(&mut self) {
        if let Some(packing) = &mut self.packing {
            packing.sequence = 0;
        }
    }

    /// Waits for bytes to read.
    pub fn wait_readable(&self, deadline: &Deadline, stop: &AtomicBool) -> Result<(), ConnectionError> {
        Ok(wait(self.line.socket(), Readiness::Read, deadline, stop)?)
    }

    /// Reads what is there, without waiting.
    pub fn read(&mut self, out: &mut [u8], doing: Doing) -> Result<Received, ConnectionError> {
        let Some(packing) = &mut self.packing else {
            return Ok(self.line.read(out, doing)?);
        };
        loop {
            let ready = packing.plain.get(packing.at..).unwrap_or_default();
            if !ready.is_empty() {
                let count = ready.len().min(out.len());
                if let (Some(to), Some(from)) = (out.get_mut(..count), ready.get(..count)) {
                    to.copy_from_slice(from);
                }
                packing.at += count;
                return Ok(Received::Bytes { count, drained: false });
            }
            packing.plain.clear();
            packing.at = 0;
            let held = packing.raw.len();
            packing.raw.resize(held + READ_AHEAD_BYTES, 0);
            let received = self.line.read(packing.raw.get_mut(held..).unwrap_or_default(), doing)?;
            let Received::Bytes { count, .. } = received else {
                packing.raw.truncate(held);
                return Ok(received);
            };
            packing.raw.truncate(held + count);
            let used = compressed::unpack(packing.algorithm, &packing.raw, &mut packing.sequence, &mut packing.plain)?;
            packing.raw.drain(..used);
        }
    }

    /// Writes everything, before the deadline.
    pub fn write_all(&mut self, bytes: &[u8], deadline: &Deadline, stop: &AtomicBool) -> Result<(), ConnectionError> {
        let packed;
        let mut rest = match &mut self.packing {
            None => bytes,
            Some(packing) => {
                let mut out = Vec::with_capacity(bytes.len());
                compressed::pack(packing.algorithm, bytes, &mut packing.sequence, &mut out)?;
                packed = out;
                packed.as_slice()
            }
        };
        while !rest.is_empty() {
            let written = self.line.write(rest, deadline.doing)?;
            rest = rest.get(written..).unwrap_or_default();
            if written == 0 {
                wait(self.line.socket(), Readiness::Write, deadline, stop)?;
            }
        }
        Ok(())
    }
}
