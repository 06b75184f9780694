//! INCIDENT: the server knows that its binlog misses something. Source: MySQL `control_events.h`.

use super::error::EventError;
use super::reader::Reader;

/// An incident on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident<'a> {
    /// 1 is LOST_EVENTS, the only one.
    pub number: u16,
    /// What the server says about it.
    pub message: &'a [u8],
}

impl<'a> Incident<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "incident event");
        let number = reader.u16()?;
        let length = if reader.is_empty() { 0 } else { usize::from(reader.u8()?) };
        Ok(Incident { number, message: reader.take(length)? })
    }
}
