//! Any bytes in, a message or an error out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_body(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_error(&body);
        let _ = parse_columns(&body);
        let _ = parse_parameter(&body);
        let _ = Authentication::parse(&body);
        let mut values = Vec::new();
        if parse_row(&body, &mut values).is_ok() {
            prop_assert!(values.iter().flatten().all(|(start, end)| start <= end && *end as usize <= body.len()));
        }
        let mut scram = Scram::new(b"secret", ChannelBinding::Unsupported, "nonce");
        let _ = scram.answer(&body);
        prop_assert!(scram.finish(&body).is_err());
    }

    #[test]
    fn any_stream(
        frames in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..6),
        length_off in 0_u32..3,
        tail in proptest::collection::vec(any::<u8>(), 0..12),
    ) {
        let mut bytes = Vec::new();
        for (kind, body) in &frames {
            bytes.push([b'd', b'd', b'd', *kind][usize::from(*kind) % 4]);
            bytes.extend((body.len() as u32 + 4 + length_off / 2).to_be_bytes());
            bytes.extend(body);
        }
        bytes.extend(tail);
        let (mut at, mut messages, mut keepalive) = (0, Vec::new(), None);
        loop {
            let before = at;
            match split_copy_data(&bytes, &mut at, &mut messages, &mut keepalive) {
                Ok(Split::Partial { needed }) => {
                    prop_assert!(at + needed > bytes.len());
                    break;
                }
                Ok(Split::Other { body, .. }) => {
                    prop_assert!(at > before && body.end == at);
                }
                Err(_) => break,
            }
        }
        prop_assert!(messages.iter().all(|message| message.payload(&bytes).is_some()));
    }
}

#[test]
fn rows_and_columns_of_a_server() {
    let row = b"\0\x03\0\0\0\x01a\xff\xff\xff\xff\0\0\0\0";
    let mut values = Vec::new();
    parse_row(row, &mut values).unwrap();
    assert_eq!(values, [Some((6, 7)), None, Some((15, 15))]);
    for length in 0..row.len() {
        assert!(parse_row(&row[..length], &mut values).is_err());
    }
    assert!(parse_row(b"\0\x01\xff\xff\xff\xfe", &mut values).is_err());
    assert!(parse_row(b"\0\0x", &mut values).is_err());
    let columns = parse_columns(b"\0\x01id\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0").unwrap();
    assert_eq!(columns, [Column { name: "id".to_owned(), type_oid: 23 }]);
    let error = parse_error(b"SFEHLER\0VERROR\0C42P01\0Mno table\0Dsome detail\0Hcreate it\0P15\0\0").unwrap();
    assert_eq!(error.to_string(), "ERROR 42P01: no table (some detail) Hint: create it");
}
