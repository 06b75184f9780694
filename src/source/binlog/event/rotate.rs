//! ROTATE: the name of the next binlog file.
//!
//! The server also sends one that is in no file before everything else and after each real one: it is marked
//! artificial and has neither timestamp nor position. Source: MySQL internals manual, "ROTATE_EVENT".

use super::error::EventError;
use super::reader::Reader;

/// A rotation to another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotate<'a> {
    /// Position of the first event in the next file; 4 behind the magic bytes.
    pub position: u64,
    /// The next file's name, without directories.
    pub file: &'a str,
}

impl<'a> Rotate<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "rotate event");
        let position = reader.u64()?;
        let name = reader.rest();
        if name.is_empty() || name.contains(&0) {
            return Err(reader.invalid("no file name, or one with a zero byte"));
        }
        let file = std::str::from_utf8(name).map_err(|_| reader.invalid("a file name that is not UTF-8"))?;
        Ok(Rotate { position, file })
    }
}
