//! XA_PREPARE: ends the first half of a distributed transaction, in MySQL and MariaDB alike.
//!
//! Source: MySQL `control_events.h`, `XA_prepare_event`.

use super::error::EventError;
use super::reader::Reader;

/// `MAXGTRIDSIZE` and `MAXBQUALSIZE`.
const PART_LIMIT: u32 = 64;

/// The name of a distributed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xid<'a> {
    /// The format number of the transaction manager; 1 by default.
    pub format_id: u32,
    /// The global part.
    pub gtrid: &'a [u8],
    /// The branch.
    pub bqual: &'a [u8],
}

/// The end of a prepared (or one-phase committed) transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XaPrepare<'a> {
    /// `XA COMMIT … ONE PHASE`: the transaction is committed, not only prepared.
    pub one_phase: bool,
    /// Which transaction.
    pub xid: Xid<'a>,
}

impl<'a> XaPrepare<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "XA prepare event");
        let one_phase = reader.u8()? != 0;
        let format_id = reader.u32()?;
        let (gtrid, bqual) = (reader.u32()?, reader.u32()?);
        if gtrid > PART_LIMIT || bqual > PART_LIMIT {
            return Err(reader.invalid("a transaction name of more than 64 bytes"));
        }
        let gtrid = reader.take(gtrid as usize)?;
        let bqual = reader.take(bqual as usize)?;
        Ok(XaPrepare { one_phase, xid: Xid { format_id, gtrid, bqual } })
    }
}
