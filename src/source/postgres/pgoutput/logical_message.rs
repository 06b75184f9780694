//! What `pg_logical_emit_message` wrote into the log.

use super::super::wire::{Lsn, Reader};
use super::PgOutputError;
use super::message::read_xid;

/// A message of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogicalMessage<'a> {
    /// The transaction, in a streamed block; 0 there for one that belongs to none.
    pub xid: Option<u32>,
    /// It belongs to a transaction, and comes between its begin and its commit.
    pub transactional: bool,
    /// Where it stands in the log.
    pub lsn: Lsn,
    /// The user's prefix.
    pub prefix: &'a str,
    /// The user's content.
    pub content: &'a [u8],
}

impl<'a> LogicalMessage<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, streamed: bool) -> Result<Self, PgOutputError> {
        let xid = read_xid(reader, streamed)?;
        let transactional = reader.u8("flags")? & 1 != 0;
        let lsn = Lsn(reader.u64("position")?);
        let prefix = reader.text("prefix")?;
        let length = reader.u32("length")?;
        // A length that does not fit in usize does not fit in the message either.
        let content = reader.take(usize::try_from(length).unwrap_or(usize::MAX), "content")?;
        Ok(Self { xid, transactional, lsn, prefix, content })
    }
}
