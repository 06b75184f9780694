//! MariaDB's BINLOG_CHECKPOINT: the oldest file its crash recovery needs. Of no use here, but known.
//! Source: MariaDB, "BINLOG_CHECKPOINT_EVENT".

use super::error::EventError;
use super::reader::Reader;

/// Reads the body; gives the file's name.
pub fn parse(body: &[u8]) -> Result<&[u8], EventError> {
    let mut reader = Reader::new(body, "binlog checkpoint event");
    let length = reader.u32()? as usize;
    reader.take(length)
}
