//! GTID and ANONYMOUS_GTID: the first event of each MySQL transaction.
//!
//! Source: MySQL `control_events.h`, `Gtid_event`. MySQL 5.7 ends after the logical timestamps; 8.0 added commit
//! timestamps, transaction length and server versions; 8.4 the commit group ticket.

use super::error::EventError;
use super::gtid::Uuid;
use super::reader::Reader;

/// The flag that says the transaction may contain statements.
pub const FLAG_MAY_HAVE_STATEMENTS: u8 = 1;

const LOGICAL_TIMESTAMP_TYPE: u8 = 2;
const TIMESTAMP_LENGTH: usize = 7;
const TIMESTAMP_BOTH: u64 = 1 << 55;
const VERSION_BOTH: u32 = 1 << 31;
const TICKET_LENGTH: usize = 8;

/// What begins a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gtid<'a> {
    /// The server where the transaction was first committed; all zero when anonymous.
    pub uuid: Uuid,
    /// The tag (MySQL 8.3 and later); empty when there is none.
    pub tag: &'a str,
    /// The number; 0 when anonymous.
    pub gno: u64,
    /// `FLAG_*`.
    pub flags: u8,
    /// Logical clock: the last transaction that had committed when this one prepared.
    pub last_committed: i64,
    /// Logical clock: this transaction.
    pub sequence_number: i64,
    /// Commit time on the server we read from, in microseconds since 1970; `None` before MySQL 8.0.
    pub immediate_commit_timestamp_us: Option<u64>,
    /// Commit time on the server of `uuid`, in microseconds since 1970; `None` before MySQL 8.0.
    pub original_commit_timestamp_us: Option<u64>,
    /// Bytes of the transaction in the binlog, with this event; 0 when not said.
    pub transaction_length: u64,
    /// Version of the server we read from, as 80045; 0 when not said.
    pub immediate_server_version: u32,
    /// Version of the server of `uuid`, as 80045; 0 when not said.
    pub original_server_version: u32,
}

impl Gtid<'_> {
    /// One without anything but zeros.
    pub(super) const EMPTY: Gtid<'static> = Gtid {
        uuid: Uuid([0; 16]),
        tag: "",
        gno: 0,
        flags: 0,
        last_committed: 0,
        sequence_number: 0,
        immediate_commit_timestamp_us: None,
        original_commit_timestamp_us: None,
        transaction_length: 0,
        immediate_server_version: 0,
        original_server_version: 0,
    };

    /// Reads the body of either event.
    pub fn parse(body: &[u8], anonymous: bool) -> Result<Gtid<'static>, EventError> {
        let mut reader = Reader::new(body, "GTID event");
        let mut gtid = Gtid { flags: reader.u8()?, uuid: Uuid(reader.array()?), gno: reader.u64()?, ..Gtid::EMPTY };
        let gno_fits = if anonymous { gtid.gno == 0 } else { super::gtid::mysql::is_gno(gtid.gno) };
        if !gno_fits {
            return Err(reader.invalid("a transaction number out of range"));
        }
        if reader.is_empty() || reader.u8()? != LOGICAL_TIMESTAMP_TYPE {
            return Ok(gtid);
        }
        gtid.last_committed = reader.u64()? as i64;
        gtid.sequence_number = reader.u64()? as i64;
        if reader.remaining() >= TIMESTAMP_LENGTH {
            gtid.read_commit(&mut reader)?;
        }
        Ok(gtid)
    }

    fn read_commit(&mut self, reader: &mut Reader<'_>) -> Result<(), EventError> {
        let immediate = reader.uint(TIMESTAMP_LENGTH)?;
        let both = immediate & TIMESTAMP_BOTH != 0;
        let immediate = immediate & !TIMESTAMP_BOTH;
        let original = if both { reader.uint(TIMESTAMP_LENGTH)? } else { immediate };
        self.immediate_commit_timestamp_us = Some(immediate);
        self.original_commit_timestamp_us = Some(original);
        if !reader.is_empty() {
            self.transaction_length = reader.packed()?;
        }
        if reader.remaining() >= 4 {
            let immediate = reader.u32()?;
            let both = immediate & VERSION_BOTH != 0;
            self.immediate_server_version = immediate & !VERSION_BOTH;
            self.original_server_version = if both { reader.u32()? } else { immediate };
        }
        if reader.remaining() >= TICKET_LENGTH {
            reader.take(TICKET_LENGTH)?;
        }
        Ok(())
    }
}
