//! MariaDB's GTID_LIST: the last GTID of each domain and server in the files before this one; also sent,
//! artificially, when a position by GTID has been reached. Source: MariaDB, "GTID_LIST_EVENT".

use super::error::EventError;
use super::gtid::MariadbGtid;
use super::reader::Reader;

const COUNT_MASK: u32 = (1 << 28) - 1;
const GTID_LENGTH: usize = 16;

/// The list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MariadbGtidList<'a> {
    /// `FLAG_*` of the upper four bits: 1 the position of START SLAVE UNTIL was reached, 2 ignored GTIDs.
    pub flags: u8,
    entries: &'a [u8],
}

impl<'a> MariadbGtidList<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "MariaDB GTID list event");
        let head = reader.u32()?;
        let count = (head & COUNT_MASK) as usize;
        Ok(MariadbGtidList { flags: (head >> 28) as u8, entries: reader.take(count * GTID_LENGTH)? })
    }

    /// The GTIDs as they stand.
    pub fn iter(&self) -> impl Iterator<Item = MariadbGtid> + use<'a> {
        self.entries.chunks_exact(GTID_LENGTH).filter_map(|entry| {
            let mut reader = Reader::new(entry, "MariaDB GTID");
            let (domain_id, server_id) = (reader.u32().ok()?, reader.u32().ok()?);
            Some(MariadbGtid { domain_id, server_id, sequence: reader.u64().ok()? })
        })
    }
}
