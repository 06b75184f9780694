//! Promise: whatever the bytes, each decoder gives a value or an error; none panics or runs away.

use proptest::prelude::*;

use super::super::*;
use super::capture::{captures, events};

/// Decodes an event and everything in it that is decoded later, as a consumer would.
pub fn decode_all(event: &[u8], format: &Format) -> Result<(), EventError> {
    let mut scratch = Vec::new();
    match decode(event, format)? {
        Event::PreviousGtids(previous) => drop(previous.set()?),
        Event::MariadbGtidList(list) => assert!(list.iter().count() < 1 << 28),
        Event::Query(query) => {
            query.session()?;
            query.statement(&mut scratch)?;
        }
        Event::TableMap(map) => {
            for flavor in [Flavor::MySql, Flavor::MariaDb] {
                for column in (TableMap { flavor, ..map }).metadata()?.columns()? {
                    let _ = column.values.iter().flat_map(|values| values.iter()).count();
                }
            }
            ImagePlan::new(map.column_types, map.column_metadata, &[0xff; 512])?;
        }
        Event::Rows(rows) => drop(rows.body(&mut scratch)?),
        Event::TransactionPayload(payload) => {
            let mut decoder = PayloadDecoder::new(1 << 20);
            let mut inner = decoder.begin(&payload)?;
            while inner.next_into(&mut scratch)?.is_some() {
                decode_all(&scratch, &format.inside_payload())?;
                scratch.clear();
            }
        }
        _ => {}
    }
    Ok(())
}

/// Gives an event another body of any length, with a header that agrees.
fn resized(event: &[u8], length: usize) -> Vec<u8> {
    let mut short = event[..length].to_vec();
    if length >= HEADER_LENGTH {
        short[9..13].copy_from_slice(&(length as u32).to_le_bytes());
    }
    short
}

/// Every beginning of every captured event, with the old length in the header and with the right one.
#[test]
fn truncated_events_are_values_or_errors() {
    for path in captures() {
        for (event, format) in events(&path) {
            for length in 0..event.len().min(3000) {
                assert!(decode(&event[..length], &format).is_err());
                assert!(verify_checksum(&event[..length], ChecksumAlgorithm::Crc32).is_err());
                let short = resized(&event, length);
                let _ = decode_all(&short, &format);
                let _ = decode_all(&short, &format.inside_payload());
            }
        }
    }
}

/// Every byte of every captured event turned over: the checksum notices, and the decoders survive.
#[test]
fn flipped_bytes_are_noticed() {
    for path in captures() {
        for (mut event, format) in events(&path) {
            for place in 0..event.len().min(1500) {
                event[place] ^= 0xff;
                let _ = decode_all(&event, &format);
                if format.checksum == ChecksumAlgorithm::Crc32 && event.len() < 1000 {
                    assert!(verify_checksum(&event, ChecksumAlgorithm::Crc32).is_err());
                }
                event[place] ^= 0xff;
            }
        }
    }
}

/// The rows of every captured rows event, cut off anywhere: the walk ends with an error or inside the rows.
#[test]
fn truncated_rows_are_values_or_errors() {
    for path in captures() {
        let mut maps = std::collections::HashMap::new();
        for (event, format) in events(&path) {
            match decode(&event, &format).unwrap() {
                Event::TableMap(map) => drop(maps.insert(map.table_id, (event.clone(), format.clone()))),
                Event::Rows(rows) => {
                    let (map, map_format) = &maps[&rows.table_id];
                    let Event::TableMap(map) = decode(map, map_format).unwrap() else { panic!() };
                    let mut scratch = Vec::new();
                    let body = rows.body(&mut scratch).unwrap();
                    let present = if rows.after_columns.is_empty() { rows.before_columns } else { rows.after_columns };
                    let plan = ImagePlan::new(map.column_types, map.column_metadata, present).unwrap();
                    for length in 0..body.len().min(2000) {
                        walk_all(&plan, &body[..length]);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Walks rows, and reads every cell as each thing that a cell can be.
pub fn walk_all(plan: &ImagePlan, body: &[u8]) {
    let mut cells = vec![Cell::ABSENT; plan.columns()];
    let mut at = 0;
    let mut rows = 0;
    while at < body.len() && rows < 10_000 {
        match plan.walk(body, at, &mut cells) {
            Ok(end) => {
                assert!(end <= body.len() && end >= at);
                if end == at {
                    break;
                }
                at = end;
            }
            Err(error) => {
                assert!(matches!(error, EventError::Row { .. }), "{error}");
                break;
            }
        }
        rows += 1;
        for cell in &cells {
            if let Some(value) = cell.bytes(body) {
                assert_eq!(value.len(), cell.length as usize);
            } else {
                assert!(cell.is_null() || cell.is_absent());
            }
        }
    }
    let _ = plan.walk_partial(body, 0, &mut cells);
}

/// An event of any type around arbitrary bytes.
fn event_of(event_type: u8, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut event = vec![0; HEADER_LENGTH];
    event[4] = event_type;
    event[9..13].copy_from_slice(&((HEADER_LENGTH + body.len()) as u32).to_le_bytes());
    event[17..19].copy_from_slice(&flags.to_le_bytes());
    event.extend_from_slice(body);
    event
}

fn bytes(length: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..length)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn any_event(event_type in 0_u8..180, flags in any::<u16>(), body in bytes(300)) {
        let event = event_of(event_type, flags, &body);
        let format = Format::initial(ChecksumAlgorithm::None);
        let _ = decode_all(&event, &format);
        let _ = decode_all(&event, &Format::initial(ChecksumAlgorithm::Crc32));
    }

    #[test]
    fn any_bytes(bytes in bytes(64)) {
        let _ = decode_all(&bytes, &Format::initial(ChecksumAlgorithm::Crc32));
        let _ = verify_checksum(&bytes, ChecksumAlgorithm::Crc32);
        let _ = MysqlGtidSet::decode(&bytes);
        let _ = decompress_column(&bytes);
        let _ = json::write_updated(&bytes, &bytes, &mut Vec::new());
    }

    #[test]
    fn any_json(kind in 0_u8..16, document in bytes(400)) {
        let mut whole = vec![kind];
        whole.extend_from_slice(&document);
        let mut out = Vec::new();
        let result = json::write_text(&whole, &mut out);
        prop_assert!(std::str::from_utf8(&out).is_ok());
        if result.is_ok() && document.len() < 200 {
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&out).is_ok());
        }
        let _ = json::write_updated(&whole, &document, &mut out);
    }

    #[test]
    fn any_rows(types in bytes(20), metadata in bytes(60), present in bytes(4), body in bytes(200)) {
        if let Ok(plan) = ImagePlan::new(&types, &metadata, &present) {
            walk_all(&plan, &body);
        }
    }

    #[test]
    fn any_text(text in "[0-9a-f:, -]{0,80}|\\PC{0,40}") {
        if let Ok(set) = text.parse::<MysqlGtidSet>() {
            prop_assert_eq!(set.to_string().parse::<MysqlGtidSet>().unwrap(), set);
        }
        if let Ok(set) = text.parse::<MariadbGtidSet>() {
            prop_assert_eq!(set.to_string().parse::<MariadbGtidSet>().unwrap(), set);
        }
    }
}
