//! Transactions: begin, commit, origin.

use super::super::wire::{Lsn, Reader};
use super::PgOutputError;

/// A transaction begins; its rows come in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Where its commit record stands.
    pub final_lsn: Lsn,
    /// When it was committed: microseconds since 2000-01-01.
    pub commit_time_us: i64,
    /// Its number.
    pub xid: u32,
}

impl Begin {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, PgOutputError> {
        Ok(Self {
            final_lsn: Lsn(reader.u64("final position")?),
            commit_time_us: reader.i64("commit time")?,
            xid: reader.u32("transaction")?,
        })
    }
}

/// A transaction was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Where its commit record stands.
    pub commit_lsn: Lsn,
    /// Where the commit record ends: when this is confirmed, the transaction does not come again.
    pub end_lsn: Lsn,
    /// When it was committed: microseconds since 2000-01-01.
    pub commit_time_us: i64,
}

impl Commit {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, PgOutputError> {
        // Flags, unused so far.
        reader.u8("flags")?;
        Ok(Self {
            commit_lsn: Lsn(reader.u64("commit position")?),
            end_lsn: Lsn(reader.u64("end position")?),
            commit_time_us: reader.i64("commit time")?,
        })
    }
}

/// The transaction came from another server by replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Where it was committed there.
    pub commit_lsn: Lsn,
    /// The replication origin's name.
    pub name: &'a str,
}

impl<'a> Origin<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, PgOutputError> {
        Ok(Self { commit_lsn: Lsn(reader.u64("commit position")?), name: reader.text("name")? })
    }
}
