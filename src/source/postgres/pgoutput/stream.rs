//! Transactions that come while they are open (protocol 2 and later).

use super::super::wire::{Lsn, Reader};
use super::PgOutputError;

/// A block of an open transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamStart {
    /// The transaction.
    pub xid: u32,
    /// It is the transaction's first block.
    pub first: bool,
}

impl StreamStart {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, PgOutputError> {
        Ok(Self { xid: reader.u32("transaction")?, first: reader.u8("first block")? == 1 })
    }
}

/// A streamed transaction was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCommit {
    /// The transaction.
    pub xid: u32,
    /// Where its commit record stands.
    pub commit_lsn: Lsn,
    /// Where the commit record ends.
    pub end_lsn: Lsn,
    /// When it was committed: microseconds since 2000-01-01.
    pub commit_time_us: i64,
}

impl StreamCommit {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, PgOutputError> {
        let xid = reader.u32("transaction")?;
        // Flags, unused so far.
        reader.u8("flags")?;
        Ok(Self {
            xid,
            commit_lsn: Lsn(reader.u64("commit position")?),
            end_lsn: Lsn(reader.u64("end position")?),
            commit_time_us: reader.i64("commit time")?,
        })
    }
}

/// A streamed transaction (`subxid` = `xid`), or a subtransaction of it, was rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamAbort {
    /// The transaction.
    pub xid: u32,
    /// What was rolled back.
    pub subxid: u32,
    /// Where the abort record stands, and when it was written (microseconds since 2000-01-01); only with
    /// `streaming=parallel` of protocol 4.
    pub abort: Option<(Lsn, i64)>,
}

impl StreamAbort {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, PgOutputError> {
        let (xid, subxid) = (reader.u32("transaction")?, reader.u32("subtransaction")?);
        let abort = if reader.is_empty() {
            None
        } else {
            Some((Lsn(reader.u64("abort position")?), reader.i64("abort time")?))
        };
        Ok(Self { xid, subxid, abort })
    }
}
