//! One event, and all of it that is decoded later.

use headwater::source::binlog::event::{
    ChecksumAlgorithm, Event, EventError, Flavor, Format, ImagePlan, PayloadDecoder, TableMap, decode, verify_checksum,
};

/// More than any payload of the corpus unpacks to.
const PAYLOAD_LIMIT: u64 = 1 << 20;

/// The bytes as an event with and without a checksum.
pub fn check(bytes: &[u8]) {
    for checksum in [ChecksumAlgorithm::None, ChecksumAlgorithm::Crc32] {
        let _ = verify_checksum(bytes, checksum);
        let _ = decode_all(bytes, &Format::initial(checksum));
    }
}

fn decode_all(bytes: &[u8], format: &Format) -> Result<(), EventError> {
    let mut scratch = Vec::new();
    match decode(bytes, format)? {
        Event::PreviousGtids(previous) => assert_eq!(previous.set()?.to_string().parse(), previous.set()),
        Event::MariadbGtidList(list) => list.iter().for_each(drop),
        Event::Query(query) => {
            query.session()?;
            query.statement(&mut scratch)?;
        }
        Event::TableMap(map) => {
            for flavor in [Flavor::MySql, Flavor::MariaDb] {
                for column in (TableMap { flavor, ..map }).metadata()?.columns()? {
                    column.values.iter().for_each(|values| assert_eq!(values.iter().count(), values.len()));
                }
            }
            ImagePlan::new(map.column_types, map.column_metadata, &[0xff; 512])?;
        }
        Event::Rows(rows) => {
            rows.body(&mut scratch)?;
        }
        Event::TransactionPayload(payload) => {
            let mut decoder = PayloadDecoder::new(PAYLOAD_LIMIT);
            let mut inner = decoder.begin(&payload)?;
            while inner.next_into(&mut scratch)?.is_some() {
                scratch.clear();
            }
        }
        Event::PartialRowData(piece) => drop(piece.append_to(&mut scratch, 0)?),
        Event::FormatDescription(_)
        | Event::Rotate(_)
        | Event::Gtid(_)
        | Event::AnonymousGtid(_)
        | Event::MariadbGtid(_)
        | Event::RowsQuery(_)
        | Event::Xid(_)
        | Event::XaPrepare(_)
        | Event::Heartbeat(_)
        | Event::Incident(_)
        | Event::Stop
        | Event::IntVar(_)
        | Event::Rand(_)
        | Event::UserVar(_)
        | Event::Irrelevant(_)
        | Event::Ignorable(_) => {}
    }
    Ok(())
}
