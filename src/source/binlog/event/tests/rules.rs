//! Promise: what no captured server does is answered as the manuals say: unknown types, lying lengths, damaged
//! compression, documents that point at themselves, heartbeats, pieces of events.

use super::super::*;

/// An event of a type and flags around a body, without checksum.
fn event(event_type: u8, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut event = vec![0; HEADER_LENGTH];
    event[4] = event_type;
    event[9..13].copy_from_slice(&((HEADER_LENGTH + body.len()) as u32).to_le_bytes());
    event[13..17].copy_from_slice(&4711_u32.to_le_bytes());
    event[17..19].copy_from_slice(&flags.to_le_bytes());
    event.extend_from_slice(body);
    event
}

fn format() -> Format {
    Format::initial(ChecksumAlgorithm::None)
}

#[test]
fn an_unknown_event_is_skipped_only_when_its_flag_allows_it() {
    for event_type in [0, 6, 7, 8, 20, 43, 99, 159, 173, 255] {
        let error = decode(&event(event_type, 0, b"body"), &format()).unwrap_err();
        assert_eq!(error, EventError::UnknownEvent { event_type, next_position: 4711 });
        let flagged = event(event_type, header::FLAG_IGNORABLE, b"body");
        assert_eq!(decode(&flagged, &format()), Ok(Event::Ignorable(event_type)));
    }
    let encrypted = decode(&event(164, 0, &[1, 0, 0]), &format()).unwrap_err();
    assert_eq!(encrypted, EventError::Encrypted { scheme: 1 });
}

#[test]
fn lengths_and_checksums_are_checked() {
    let good = event(3, 0, b"");
    assert_eq!(decode(&good, &format()), Ok(Event::Stop));
    for declared in [0, 18, 20, u32::MAX] {
        let mut wrong = good.clone();
        wrong[9..13].copy_from_slice(&u32::to_le_bytes(declared));
        assert!(matches!(decode(&wrong, &format()), Err(EventError::Length { .. })));
    }
    // too short for the checksum it should have
    assert!(matches!(decode(&good, &Format::initial(ChecksumAlgorithm::Crc32)), Err(EventError::Length { .. })));
    assert!(verify_checksum(&good, ChecksumAlgorithm::Crc32).is_err());
    assert!(verify_checksum(&good, ChecksumAlgorithm::None).is_ok());
    assert_eq!(ChecksumAlgorithm::from_byte(2), Err(EventError::ChecksumAlgorithm(2)));
}

#[test]
fn heartbeats() {
    let v1 = event(27, 0, b"binlog.000007");
    let expected = Heartbeat { file: b"binlog.000007", position: 4711 };
    assert_eq!(decode(&v1, &format()), Ok(Event::Heartbeat(expected)));
    // file: type 1, 4 bytes; position: type 2, 9 bytes of a packed integer beyond 4 GiB; end
    let v2 = event(41, 0, &[1, 4, b'f', b'i', b'l', b'e', 2, 9, 254, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    let expected = Heartbeat { file: b"file", position: 1 << 32 };
    assert_eq!(decode(&v2, &format()), Ok(Event::Heartbeat(expected)));
}

/// MySQL 5.7: no times behind the logical clock; 5.6: no clock.
#[test]
fn old_gtids() {
    let mut body = vec![1];
    body.extend([0xab; 16]);
    body.extend(7_u64.to_le_bytes());
    let check = |body: &[u8], clock| {
        let event = event(33, 0, body);
        let Ok(Event::Gtid(gtid)) = decode(&event, &format()) else { panic!("no GTID") };
        assert_eq!((gtid.gno, gtid.last_committed, gtid.immediate_commit_timestamp_us), (7, clock, None));
    };
    check(&body, 0);
    body.push(2);
    body.extend(5_u64.to_le_bytes());
    body.extend(6_u64.to_le_bytes());
    check(&body, 5);
}

/// A transaction that was committed elsewhere carries both times and both versions.
#[test]
fn gtids_of_a_replica() {
    let mut body = vec![0];
    body.extend([0xab; 16]);
    body.extend(7_u64.to_le_bytes());
    body.push(2);
    body.extend([0; 16]);
    body.extend(&(2_000_000_u64 | 1 << 55).to_le_bytes()[..7]);
    body.extend(&1_000_000_u64.to_le_bytes()[..7]);
    body.extend([252, 0, 1]);
    body.extend((80400_u32 | 1 << 31).to_le_bytes());
    body.extend(50700_u32.to_le_bytes());
    let event = event(33, 0, &body);
    let Ok(Event::Gtid(gtid)) = decode(&event, &format()) else { panic!("no GTID") };
    assert_eq!(gtid.immediate_commit_timestamp_us, Some(2_000_000));
    assert_eq!(gtid.original_commit_timestamp_us, Some(1_000_000));
    assert_eq!((gtid.transaction_length, gtid.immediate_server_version), (256, 80400));
    assert_eq!(gtid.original_server_version, 50700);
}

fn payload(compression: u8, claimed: u64, packed: &[u8]) -> Vec<u8> {
    let mut body = vec![2, 1, compression];
    if compression == 255 {
        body = vec![2, 3, 252, 255, 0];
    }
    body.extend([1, 9, 254]);
    body.extend((packed.len() as u64).to_le_bytes());
    body.extend([3, 9, 254]);
    body.extend(claimed.to_le_bytes());
    body.push(0);
    body.extend_from_slice(packed);
    event(40, 0, &body)
}

fn unpack(event: &[u8]) -> Result<usize, EventError> {
    let Event::TransactionPayload(payload) = decode(event, &format())? else { panic!("no payload") };
    let mut decoder = PayloadDecoder::new(1 << 20);
    let mut inner = decoder.begin(&payload)?;
    let (mut out, mut events) = (Vec::new(), 0);
    while inner.next_into(&mut out)?.is_some() {
        events += 1;
    }
    Ok(events)
}

#[test]
fn payloads_are_unpacked_whole_or_not_at_all() {
    let mut plain = event(3, 0, &[7; 200]);
    plain.extend(event(3, 0, &[8; 300]));
    let size = plain.len() as u64;
    let packed = zstd::encode_all(plain.as_slice(), 3).unwrap();
    assert_eq!(unpack(&payload(0, size, &packed)), Ok(2));
    assert_eq!(unpack(&payload(255, size, &plain)), Ok(2));
    assert_eq!(unpack(&payload(0, 0, &zstd::encode_all(&b""[..], 3).unwrap())), Ok(0));
    for length in 0..packed.len() {
        assert!(unpack(&payload(0, size, &packed[..length])).is_err(), "cut off at {length}");
    }
    assert!(matches!(unpack(&payload(0, size - 1, &packed)), Err(EventError::Decompress { .. })));
    assert!(matches!(unpack(&payload(0, u64::MAX, &packed)), Err(EventError::Limit { .. })));
    assert!(unpack(&payload(7, size, &packed)).is_err());
    let nested = payload(0, size, &packed);
    assert!(matches!(unpack(&payload(255, nested.len() as u64, &nested)), Err(EventError::Invalid { .. })));
    let bomb = zstd::encode_all(event(3, 0, &vec![0; 2 << 20]).as_slice(), 3).unwrap();
    assert!(matches!(unpack(&payload(0, 100, &bomb)), Err(EventError::Limit { .. })));
    let cut_inside = zstd::encode_all(&plain[..100], 3).unwrap();
    assert!(matches!(unpack(&payload(0, 100, &cut_inside)), Err(EventError::Truncated { .. })));
}

#[test]
fn pieces_of_a_rows_event_are_put_together_in_order() {
    let piece = |number: u32, data: &[u8]| {
        let mut body = 2_u32.to_le_bytes().to_vec();
        body.extend(number.to_le_bytes());
        body.push(u8::from(number == 1));
        if number == 1 {
            body.extend(6_u64.to_le_bytes());
        }
        body.extend_from_slice(data);
        event(172, 0, &body)
    };
    let (first, second) = (piece(1, b"abc"), piece(2, b"def"));
    let append = |event: &[u8], whole: &mut Vec<u8>, before| match decode(event, &format()).unwrap() {
        Event::PartialRowData(piece) => piece.append_to(whole, before),
        other => panic!("{other:?}"),
    };
    let mut whole = Vec::new();
    assert_eq!(append(&first, &mut whole, 0), Ok(false));
    assert!(append(&first, &mut whole, 1).is_err());
    assert_eq!(append(&second, &mut whole, 1), Ok(true));
    assert_eq!(whole, b"abcdef");
    assert!(decode(&piece(3, b""), &format()).is_err());
}

#[track_caller]
fn check_json(document: &[u8], expected: Result<&str, &str>) {
    let mut text = Vec::new();
    match (json::write_text(document, &mut text), expected) {
        (Ok(()), Ok(expected)) => assert_eq!(String::from_utf8(text).unwrap(), expected),
        (Err(EventError::Json { reason, .. }), Err(expected)) => assert_eq!(reason, expected),
        (result, _) => panic!("{result:?} {}", String::from_utf8_lossy(&text)),
    }
}

#[test]
fn json_that_points_wrong() {
    check_json(&[], Ok("null"));
    check_json(&[4, 3], Err("a literal that is not null, true or false"));
    check_json(&[9, 1, 2], Err("a value ends early"));
    check_json(&[0x0d], Err("a type that is not known"));
    check_json(&[12, 5, b'a'], Err("a text or opaque value ends early"));
    check_json(&[12, 0xff, 0xff, 0xff, 0xff, 0xff, 0], Err("a length without end"));
    check_json(&[12, 1, 0xff], Err("a text that is not UTF-8"));
    check_json(&[2, 1, 0, 8, 0, 2, 0, 0], Err("an object or array is larger than what it lies in"));
    check_json(&[2, 9, 0, 7, 0, 2, 0, 0], Err("an object or array has more members than bytes"));
    // an array whose only element is the array itself
    check_json(&[2, 1, 0, 7, 0, 2, 0, 0], Err("its values overlap"));
    check_json(&[11, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f], Err("a double that is no number"));
}

/// Arrays in arrays, each with one element.
fn nested(depth: usize) -> Vec<u8> {
    let mut value = vec![0, 0, 4, 0];
    for _ in 1..depth {
        let mut outer = vec![1, 0];
        outer.extend(((7 + value.len()) as u16).to_le_bytes());
        outer.extend([2, 7, 0]);
        outer.extend(value);
        value = outer;
    }
    value.insert(0, 2);
    value
}

#[test]
fn json_is_read_to_a_depth_of_100() {
    check_json(&nested(100), Ok(&("[".repeat(100) + &"]".repeat(100))));
    check_json(&nested(101), Err("more than 100 levels"));
}

/// Sixteen elements that are all the same text: small bytes that would give a large text.
#[test]
fn json_does_not_grow_out_of_proportion() {
    let text = [&[100_u8][..], &[b'x'; 100]].concat();
    let size = 4 + 16 * 3 + text.len();
    let mut document = vec![2, 16, 0, size as u8, 0];
    for _ in 0..16 {
        document.extend([12, 52, 0]);
    }
    document.extend(text);
    check_json(&document, Err("its values overlap"));
}

#[test]
fn a_type_that_is_not_known_matters_only_where_it_is_read() {
    let types = [column_type::LONG, 200, column_type::TINY];
    let error = ImagePlan::new(&types, &[], &[0b111]).unwrap_err();
    assert_eq!(error, EventError::ColumnType { column: 2, wire_type: 200 });
    let plan = ImagePlan::new(&types, &[], &[0b101]).unwrap();
    let mut cells = [Cell::NULL; 3];
    assert_eq!(plan.walk(&[0, 1, 0, 0, 0, 5], 0, &mut cells), Ok(6));
    assert_eq!(cells[1], Cell::ABSENT);
    assert_eq!(cells[2].bytes(&[0, 1, 0, 0, 0, 5]), Some(&[5][..]));
    assert_eq!(plan.walk(&[0, 1, 0, 0, 0], 0, &mut cells), Err(EventError::Row { column: 3, at: 5, length: 5 }));
    assert_eq!(plan.walk(&[0, 1, 0], 0, &mut cells), Err(EventError::Row { column: 1, at: 1, length: 3 }));
    assert!(matches!(plan.walk(&[], 0, &mut cells), Err(EventError::Row { column: 0, .. })));
    assert!(matches!(plan.walk(&[0; 6], 0, &mut cells[..2]), Err(EventError::Invalid { .. })));
}
