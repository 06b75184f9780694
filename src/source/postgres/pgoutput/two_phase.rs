//! Prepared transactions (protocol 3 and later), which the server only sends where the slot was created for them.

use super::super::wire::{Lsn, Reader};
use super::PgOutputError;

/// A prepared transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeginPrepare<'a> {
    /// Where its prepare record stands.
    pub prepare_lsn: Lsn,
    /// Where that ends.
    pub end_lsn: Lsn,
    /// When: microseconds since 2000-01-01.
    pub prepare_time_us: i64,
    /// The transaction.
    pub xid: u32,
    /// The user's name of it.
    pub gid: &'a str,
}

impl<'a> BeginPrepare<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, PgOutputError> {
        Ok(Self {
            prepare_lsn: Lsn(reader.u64("prepare position")?),
            end_lsn: Lsn(reader.u64("end position")?),
            prepare_time_us: reader.i64("prepare time")?,
            xid: reader.u32("transaction")?,
            gid: reader.text("global name")?,
        })
    }
}

/// A transaction, streamed or not, was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepare<'a> {
    /// Where its prepare record stands.
    pub prepare_lsn: Lsn,
    /// Where that ends.
    pub end_lsn: Lsn,
    /// When: microseconds since 2000-01-01.
    pub prepare_time_us: i64,
    /// The transaction.
    pub xid: u32,
    /// The user's name of it.
    pub gid: &'a str,
}

impl<'a> Prepare<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, PgOutputError> {
        // Flags, unused so far.
        reader.u8("flags")?;
        let BeginPrepare { prepare_lsn, end_lsn, prepare_time_us, xid, gid } = BeginPrepare::read(reader)?;
        Ok(Self { prepare_lsn, end_lsn, prepare_time_us, xid, gid })
    }
}

/// `COMMIT PREPARED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitPrepared<'a> {
    /// Where its commit record stands.
    pub commit_lsn: Lsn,
    /// Where that ends.
    pub end_lsn: Lsn,
    /// When: microseconds since 2000-01-01.
    pub commit_time_us: i64,
    /// The transaction.
    pub xid: u32,
    /// The user's name of it.
    pub gid: &'a str,
}

impl<'a> CommitPrepared<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, PgOutputError> {
        reader.u8("flags")?;
        Ok(Self {
            commit_lsn: Lsn(reader.u64("commit position")?),
            end_lsn: Lsn(reader.u64("end position")?),
            commit_time_us: reader.i64("commit time")?,
            xid: reader.u32("transaction")?,
            gid: reader.text("global name")?,
        })
    }
}

/// `ROLLBACK PREPARED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollbackPrepared<'a> {
    /// Where the prepare record ends.
    pub prepare_end_lsn: Lsn,
    /// Where the rollback record ends.
    pub rollback_end_lsn: Lsn,
    /// When it was prepared: microseconds since 2000-01-01.
    pub prepare_time_us: i64,
    /// When it was rolled back: microseconds since 2000-01-01.
    pub rollback_time_us: i64,
    /// The transaction.
    pub xid: u32,
    /// The user's name of it.
    pub gid: &'a str,
}

impl<'a> RollbackPrepared<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, PgOutputError> {
        reader.u8("flags")?;
        Ok(Self {
            prepare_end_lsn: Lsn(reader.u64("end of the prepare record")?),
            rollback_end_lsn: Lsn(reader.u64("end of the rollback record")?),
            prepare_time_us: reader.i64("prepare time")?,
            rollback_time_us: reader.i64("rollback time")?,
            xid: reader.u32("transaction")?,
            gid: reader.text("global name")?,
        })
    }
}
