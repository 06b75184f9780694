//! Tables that were emptied.

use super::super::wire::Reader;
use super::PgOutputError;
use super::message::read_xid;

/// `TRUNCATE` of one or more tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncate {
    /// The transaction, in a streamed block.
    pub xid: Option<u32>,
    /// `CASCADE`.
    pub cascade: bool,
    /// `RESTART IDENTITY`.
    pub restart_identity: bool,
    /// Their OIDs.
    pub relations: Vec<u32>,
}

impl Truncate {
    pub(super) fn read(reader: &mut Reader<'_>, streamed: bool) -> Result<Self, PgOutputError> {
        let xid = read_xid(reader, streamed)?;
        let count = reader.u32("number of relations")?;
        let options = reader.u8("options")?;
        let mut relations = Vec::new();
        for _ in 0..count {
            relations.push(reader.u32("relation")?);
        }
        Ok(Self { xid, cascade: options & 1 != 0, restart_identity: options & 2 != 0, relations })
    }
}
