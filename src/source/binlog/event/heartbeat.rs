//! HEARTBEAT v1 and v2: the server is there, and has nothing to send beyond this position.
//!
//! v1 has the position in its header, where it wraps at 4 GiB; v2 (MySQL 8.0.26, only on request) carries it in
//! 64 bits. Source: MySQL `control_events.h` and `codecs/binary.cpp`, `Heartbeat_event_v2`.

use super::error::EventError;
use super::reader::Reader;

/// A sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// The binlog file being read.
    pub file: &'a [u8],
    /// The position in it; of 32 bits in v1.
    pub position: u64,
}

mod field {
    pub const END: u64 = 0;
    pub const FILE: u64 = 1;
    pub const POSITION: u64 = 2;
}

impl<'a> Heartbeat<'a> {
    /// Reads a v1 body; the position is that of the header.
    pub fn parse_v1(body: &'a [u8], next_position: u32) -> Result<Self, EventError> {
        if body.is_empty() {
            return Err(EventError::Invalid { what: "heartbeat event", reason: "no file name" });
        }
        Ok(Heartbeat { file: body, position: u64::from(next_position) })
    }

    /// Reads a v2 body: fields of type, length and value.
    pub fn parse_v2(body: &'a [u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "heartbeat event v2");
        let mut heartbeat = Heartbeat { file: &[], position: 0 };
        while !reader.is_empty() {
            let number = reader.packed()?;
            if number == field::END {
                break;
            }
            let value = reader.packed_bytes()?;
            match number {
                field::FILE => heartbeat.file = value,
                field::POSITION => heartbeat.position = Reader::new(value, "heartbeat event v2").packed()?,
                _ => {}
            }
        }
        Ok(heartbeat)
    }
}
