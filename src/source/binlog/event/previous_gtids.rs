//! PREVIOUS_GTIDS: the GTIDs of all files before this one. Source: MySQL `rpl_gtid_set.cc`, `add_gtid_encoding`.

use super::error::EventError;
use super::gtid::MysqlGtidSet;

/// The body, decoded on demand: it can be large and comes once in each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousGtids<'a> {
    /// The encoded set.
    pub encoded: &'a [u8],
}

impl PreviousGtids<'_> {
    /// Decodes the set.
    pub fn set(&self) -> Result<MysqlGtidSet, EventError> {
        MysqlGtidSet::decode(self.encoded)
    }
}
