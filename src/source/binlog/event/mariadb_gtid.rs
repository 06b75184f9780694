//! MariaDB's GTID: the first event of each event group. Source: MariaDB `log_event.cc`, `Gtid_log_event`.

use super::error::EventError;
use super::gtid::MariadbGtid;
use super::reader::Reader;
use super::xa_prepare::Xid;

/// `FL_STANDALONE`: no COMMIT or XID ends the group; the next event is all of it (DDL).
pub const FLAG_STANDALONE: u8 = 0x01;
/// `FL_GROUP_COMMIT_ID`: a commit number follows.
pub const FLAG_GROUP_COMMIT_ID: u8 = 0x02;
/// `FL_TRANSACTIONAL`: the group can be rolled back.
pub const FLAG_TRANSACTIONAL: u8 = 0x04;
/// `FL_DDL`: the group holds DDL.
pub const FLAG_DDL: u8 = 0x20;
/// `FL_PREPARED_XA`: the group is the first half of a distributed transaction.
pub const FLAG_PREPARED_XA: u8 = 0x40;
/// `FL_COMPLETED_XA`: the group commits or rolls back a distributed transaction.
pub const FLAG_COMPLETED_XA: u8 = 0x80;

/// `FL_EXTRA_MULTI_ENGINE_E1`: a byte with a number of engines follows.
const EXTRA_MULTI_ENGINE: u8 = 0x01;
/// `FL_START_ALTER_E1`: the group starts an ALTER TABLE that a later group commits or rolls back.
pub const EXTRA_START_ALTER: u8 = 0x02;
/// `FL_COMMIT_ALTER_E1`.
pub const EXTRA_COMMIT_ALTER: u8 = 0x04;
/// `FL_ROLLBACK_ALTER_E1`.
pub const EXTRA_ROLLBACK_ALTER: u8 = 0x08;
/// `FL_EXTRA_THREAD_ID` (MariaDB 12): four bytes with the session's number follow.
const EXTRA_THREAD_ID: u8 = 0x10;

/// What begins an event group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MariadbGtidEvent<'a> {
    /// Domain and number from the body, server from the header.
    pub gtid: MariadbGtid,
    /// `FLAG_*`.
    pub flags: u8,
    /// The same for groups that were committed together.
    pub commit_id: Option<u64>,
    /// The distributed transaction, with either XA flag.
    pub xid: Option<Xid<'a>>,
    /// `EXTRA_*`.
    pub flags_extra: u8,
    /// For the end of an ALTER in two halves: the number of the group that started it.
    pub start_alter_sequence: Option<u64>,
    /// The session's number, where it is said.
    pub thread_id: Option<u32>,
}

impl<'a> MariadbGtidEvent<'a> {
    /// Reads the body; `server_id` is that of the header. Short events are filled up with zero bytes.
    pub fn parse(body: &'a [u8], server_id: u32) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "MariaDB GTID event");
        let sequence = reader.u64()?;
        let domain_id = reader.u32()?;
        let flags = reader.u8()?;
        let mut event = MariadbGtidEvent {
            gtid: MariadbGtid { domain_id, server_id, sequence },
            flags,
            commit_id: None,
            xid: None,
            flags_extra: 0,
            start_alter_sequence: None,
            thread_id: None,
        };
        if flags & FLAG_GROUP_COMMIT_ID != 0 {
            event.commit_id = Some(reader.u64()?);
        }
        if flags & (FLAG_PREPARED_XA | FLAG_COMPLETED_XA) != 0 {
            event.xid = Some(xid(&mut reader)?);
        }
        if !reader.is_empty() {
            event.read_extra(&mut reader)?;
        }
        Ok(event)
    }

    fn read_extra(&mut self, reader: &mut Reader<'_>) -> Result<(), EventError> {
        self.flags_extra = reader.u8()?;
        if self.flags_extra & EXTRA_MULTI_ENGINE != 0 {
            reader.u8()?;
        }
        if self.flags_extra & (EXTRA_COMMIT_ALTER | EXTRA_ROLLBACK_ALTER) != 0 {
            self.start_alter_sequence = Some(reader.u64()?);
        }
        if self.flags_extra & EXTRA_THREAD_ID != 0 {
            self.thread_id = Some(reader.u32()?);
        }
        Ok(())
    }

    /// Whether the group is one event without an end of its own.
    pub fn is_standalone(&self) -> bool {
        self.flags & FLAG_STANDALONE != 0
    }
}

fn xid<'a>(reader: &mut Reader<'a>) -> Result<Xid<'a>, EventError> {
    let format_id = reader.u32()?;
    let (gtrid, bqual) = (usize::from(reader.u8()?), usize::from(reader.u8()?));
    Ok(Xid { format_id, gtrid: reader.take(gtrid)?, bqual: reader.take(bqual)? })
}
