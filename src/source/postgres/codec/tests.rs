//! What the recording cannot say: other styles of text, hostile cells, and the speed of nothing allocated.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::model::value::{Arena, Value};

fn table() -> TableId {
    TableId { catalog: "d".into(), schema: Some("s".into()), table: "t".into() }
}

/// The types that a test needs: PostgreSQL's own, and some of a user.
fn types() -> Types {
    let own = [
        (oid::BOOL, "bool"),
        (oid::BYTEA, "bytea"),
        (oid::INT8, "int8"),
        (oid::INT2, "int2"),
        (oid::INT4, "int4"),
        (oid::TEXT, "text"),
        (oid::OID, "oid"),
        (oid::POINT, "point"),
        (oid::BOX, "box"),
        (oid::FLOAT4, "float4"),
        (oid::FLOAT8, "float8"),
        (oid::MONEY, "money"),
        (oid::DATE, "date"),
        (oid::TIME, "time"),
        (oid::TIMESTAMP, "timestamp"),
        (oid::TIMESTAMPTZ, "timestamptz"),
        (oid::INTERVAL, "interval"),
        (oid::TIMETZ, "timetz"),
        (oid::BIT, "bit"),
        (oid::VARBIT, "varbit"),
        (oid::NUMERIC, "numeric"),
        (oid::UUID, "uuid"),
        (oid::JSONB, "jsonb"),
        (20_000, "hstore"),
        (20_001, "geometry"),
        (20_002, "vector"),
        (20_003, "halfvec"),
        (20_004, "sparsevec"),
        (20_005, "ltree"),
        (20_006, "mystery"),
    ];
    let arrays =
        [(oid::INT4_ARRAY, "_int4", oid::INT4, b','), (1020, "_box", oid::BOX, b';'), (1009, "_text", oid::TEXT, b',')];
    let mut all: Vec<_> = own.iter().map(|(oid, name)| PgType::base(*oid, name)).collect();
    for (oid, name, element, delimiter) in arrays {
        all.push(PgType { element: Some(element), delimiter, ..PgType::base(oid, name) });
    }
    let mood = TypeKind::Enum { labels: vec!["sad".into(), "ok".into()] };
    all.push(PgType { kind: mood, ..PgType::base(30_000, "mood") });
    all.push(PgType { kind: TypeKind::Domain { base: 30_000, type_modifier: -1 }, ..PgType::base(30_001, "feeling") });
    all.push(PgType { kind: TypeKind::Domain { base: 30_003, type_modifier: -1 }, ..PgType::base(30_002, "a") });
    all.push(PgType { kind: TypeKind::Domain { base: 30_002, type_modifier: -1 }, ..PgType::base(30_003, "b") });
    all.push(PgType { element: Some(30_004), ..PgType::base(30_004, "_itself") });
    Types::new(all)
}

fn codec(type_oid: u32, type_modifier: i32, options: &CodecOptions) -> Result<Option<ColumnCodec>, CodecError> {
    let (types, pg) = (types(), PgColumn { type_oid, type_modifier });
    let column = Column { name: "c".into(), optional: true, ..describe(&types, pg) };
    column_codec(&table(), &column, pg, &types, options)
}

fn read(type_oid: u32, type_modifier: i32, options: &CodecOptions, cell: &str) -> Option<Value> {
    let codec = codec(type_oid, type_modifier, options).unwrap().unwrap();
    let arena = Arena::new();
    let value = codec.codec.decode(cell.as_bytes(), &arena).ok()?;
    Some(value.to_owned(&codec.schema, &arena).unwrap())
}

#[test]
fn bytes_are_read_in_both_forms() {
    let check = |cell: &str, expected: Option<&[u8]>| {
        let expected = expected.map(|bytes| Value::Bytes(bytes.into()));
        assert_eq!(read(oid::BYTEA, -1, &CodecOptions::default(), cell), expected, "{cell}");
    };
    check("\\xDEad", Some(&[0xde, 0xad]));
    check("a\\\\b\\001\\377", Some(&[b'a', b'\\', b'b', 1, 255]));
    check("", Some(&[]));
    check("\\x1", None);
    check("\\xzz", None);
    check("\\400", None);
    check("a\\", None);
}

#[test]
fn intervals_are_read_in_three_styles() {
    let options = CodecOptions { interval: IntervalHandlingMode::String, ..CodecOptions::default() };
    let check = |cell: &str, expected: Option<&str>| {
        assert_eq!(read(oid::INTERVAL, -1, &options, cell), expected.map(Value::text), "{cell}");
    };
    check("1 year -2 mons +3 days -04:05:06.7", Some("P1Y-2M3DT-4H-5M-6.7S"));
    check("@ 1 year 2 mons 3 days 4 hours 5 mins 6.7 secs ago", Some("P-1Y-2M-3DT-4H-5M-6.7S"));
    check("@ 0", Some("P0Y0M0DT0H0M0S"));
    check("P1Y-2M3DT4H5M-6.700001S", Some("P1Y-2M3DT4H5M-6.700001S"));
    check("PT0S", Some("P0Y0M0DT0H0M0S"));
    check("1-2 +3 4:05:06", None);
    check("1 fortnight", None);
    check("99999999999 days", None);
    check("01:02:03:04", None);
}

#[test]
fn arrays_keep_to_their_delimiter_bounds_and_quotes() {
    let text = |items: &[&str]| Some(Value::Array(items.iter().map(|item| Value::text(item)).collect()));
    let options =
        CodecOptions { binary: BinaryHandlingMode::Hex, include_unknown_datatypes: true, ..CodecOptions::default() };
    let check =
        |oid: u32, cell: &str, expected: Option<Value>| assert_eq!(read(oid, -1, &options, cell), expected, "{cell}");
    check(1009, "[-1:0]={a,\"b\\\"},{\"}", text(&["a", "b\"},{"]));
    check(1009, "{{a,\"}\"},{c,d}}", text(&["{a,\"}\"}", "{c,d}"]));
    check(1009, "{}", text(&[]));
    check(oid::INT4_ARRAY, "{{1,2},{3,4}}", Some(Value::Array(vec![Value::Null, Value::Null])));
    check(
        1020,
        "{(1,2),(0,0);(3,4),(1e30,0)}",
        text(&["28312e302c322e30292c28302e302c302e3029", "28332e302c342e30292c28312e304533302c302e3029"]),
    );
    for damaged in ["", "{", "}", "{a", "{a,", "{a,}", "{,a}", "{\"a}", "{\"a\"b}", "{{a}", "[0:1]", "{a}}", "{\"a\\"] {
        check(1009, damaged, None);
    }
    check(oid::INT4_ARRAY, "{1,x}", None);
}

#[test]
fn numbers_of_any_length_are_exact() {
    let digits = "7".repeat(20_000);
    let precise = read(oid::NUMERIC, -1, &CodecOptions::default(), &digits);
    let Some(Value::Struct(fields)) = precise else { panic!("no struct") };
    let Value::Bytes(bytes) = &fields[1] else { panic!("no bytes") };
    // The decimal digits again, by division.
    let mut limbs: Vec<u8> = bytes.to_vec();
    let mut back = String::new();
    while limbs.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u32;
        for byte in &mut limbs {
            let value = rest << 8 | u32::from(*byte);
            *byte = (value / 10) as u8;
            rest = value % 10;
        }
        back.push(char::from(b'0' + rest as u8));
    }
    assert_eq!(back, digits);
    let check = |modifier: i32, cell: &str, expected: Option<&[u8]>| {
        let expected = expected.map(|bytes| Value::Bytes(bytes.into()));
        assert_eq!(read(oid::NUMERIC, modifier, &CodecOptions::default(), cell), expected, "{cell}");
    };
    let ten_two = (10 << 16 | 2) + 4;
    check(ten_two, "1.28", Some(&[0, 128]));
    check(ten_two, "-1.28", Some(&[128]));
    check(ten_two, "1.280", Some(&[0, 128]));
    for wrong in ["1.281", "", "-", ".", "1e5", "1.2.3", "NaN", "+1", "1 "] {
        check(ten_two, wrong, None);
    }
    check((19 << 16) + 4, "-9223372036854775808", Some(&[0x80, 0, 0, 0, 0, 0, 0, 0]));
    check((39 << 16) + 4, "340282366920938463463374607431768211455", Some(&[&[0_u8][..], &[0xff; 16]].concat()));
}

#[test]
fn types_that_nobody_knows_are_errors_and_those_debezium_does_not_know_are_left_out() {
    let options = CodecOptions::default();
    assert!(matches!(codec(999_999, -1, &options), Err(CodecError::UnknownType { oid: 999_999, .. })));
    assert!(matches!(codec(30_002, -1, &options), Err(CodecError::UnknownType { .. })), "domains in a circle");
    assert!(codec(20_006, -1, &options).unwrap().is_none());
    assert!(codec(oid::BOX, -1, &options).unwrap().is_none());
    let structured = CodecOptions { time_precision: TimePrecisionMode::Structured, ..options.clone() };
    assert!(matches!(codec(oid::INT4, -1, &structured), Err(CodecError::UnsupportedTimePrecision { .. })));
    // A domain over an enumeration, of which Debezium 3.6.3 does not even start.
    assert_eq!(read(30_001, -1, &options, "ok"), Some(Value::text("ok")));
}

#[test]
fn rows_of_the_catalog_that_are_damaged_are_errors() {
    let check = |row: TypeRow<'_>, fine: bool| assert_eq!(Types::from_rows([row]).is_ok(), fine, "{row:?}");
    let good =
        [Some("1"), Some("s"), Some("t"), Some("e"), Some("0"), Some(","), Some("0"), Some("-1"), Some("{a,\"b c\"}")];
    check(good, true);
    for (place, bad) in [(0, None), (0, Some("x")), (1, None), (2, None), (3, Some("?")), (4, None), (8, Some("{a"))] {
        let mut row = good;
        row[place] = bad;
        check(row, false);
    }
}

#[test]
fn no_cell_makes_a_codec_panic() {
    let seed = 0x005e_ed0f_c0de_u64;
    println!("seed {seed}");
    let mut state = seed;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let alphabet = b"0123456789-+.:,;{}[]()<>=\"\\ eEaBCDPTNULLx/Z\xff\x00";
    let samples = [
        "2024-01-31 10:11:12.5+02",
        "{1,\"a\"}",
        "1 year 2 mons",
        "\"a\"=>\"b\", \"c\"=>NULL",
        "{1:1}/3",
        "(1,2)",
        "$1,234.50",
    ];
    let oids = [
        16, 17, 20, 21, 23, 25, 26, 600, 603, 700, 701, 790, 1082, 1083, 1114, 1184, 1186, 1266, 1560, 1562, 1700,
        2950, 1007, 1020, 1009, 20_000, 20_001, 20_002, 20_003, 20_004, 20_005, 20_006, 30_000,
    ];
    let mut arena = Arena::new();
    for mode in TimePrecisionMode::ALL.iter().filter(|mode| **mode != TimePrecisionMode::Structured) {
        let options =
            CodecOptions { time_precision: *mode, include_unknown_datatypes: true, ..CodecOptions::default() };
        for oid in oids {
            for modifier in [-1, 0, 6, (10 << 16 | 2) + 4, i32::MIN, i32::MAX] {
                let codec = codec(oid, modifier, &options).unwrap().unwrap();
                for _ in 0..40 {
                    let mut cell = samples[random() as usize % samples.len()].as_bytes().to_vec();
                    for _ in 0..random() % 6 {
                        let byte = alphabet[random() as usize % alphabet.len()];
                        match random() as usize % (cell.len() + 1) {
                            at if random() % 2 == 0 => cell.insert(at, byte),
                            at => cell.truncate(at),
                        }
                    }
                    if let Ok(value) = codec.codec.decode(&cell, &arena) {
                        value.to_owned(&codec.schema, &arena).unwrap();
                    }
                    arena.reset();
                }
            }
        }
    }
}

#[test]
fn no_default_makes_a_plan_panic() {
    let mut state = 0x00de_fa17_u64;
    println!("seed {state}");
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let samples = [
        "'abc'::character varying",
        "nextval('s'::regclass)",
        "'1 day'::interval",
        "-1.5e3",
        "1e400",
        "'2024-01-31 10:11:12+02'::timestamp with time zone",
        "B'101'::\"bit\"",
        "'ok'::s.mood",
        "'é'::\"s\".\"mo\"\"od\"",
        "'infinity'::date",
        "NULL::int",
        "now()",
    ];
    let types = types();
    for _ in 0..400 {
        let mut text: Vec<char> = samples[random() % samples.len()].chars().collect();
        for _ in 0..random() % 5 {
            let at = random() % (text.len() + 1);
            match random() % 3 {
                0 => text.insert(at, ['\'', '9', ':', '"', '(', 'é', ' ', '.', '-'][random() % 9]),
                1 => text.truncate(at.max(1)),
                _ => text.retain(|c| *c != '\''),
            }
        }
        let text: String = text.into_iter().collect();
        for oid in [16, 20, 21, 23, 25, 700, 701, 1082, 1083, 1114, 1184, 1186, 1560, 1562, 1700, 2950, 3802, 30_000] {
            for time_precision in
                [TimePrecisionMode::Adaptive, TimePrecisionMode::Nanoseconds, TimePrecisionMode::IsoString]
            {
                let skip = EventConvertingFailureHandlingMode::Skip;
                let options = CodecOptions { time_precision, converting_failure: skip, ..CodecOptions::default() };
                let pg = PgColumn { type_oid: oid, type_modifier: -1 };
                let column = Column {
                    has_default_value: true,
                    default_value_expression: Some(text.clone()),
                    ..describe(&types, pg)
                };
                assert!(column_codec(&table(), &column, pg, &types, &options).is_ok(), "{text}");
            }
        }
    }
}

#[test]
fn a_layout_leaves_out_what_debezium_leaves_out() {
    let types = types();
    let columns = [oid::INT4, 20_006, oid::TEXT].map(|type_oid| PgColumn { type_oid, type_modifier: -1 });
    let made =
        columns.iter().zip(["id", "my", "t"]).map(|(pg, name)| Column { name: name.into(), ..describe(&types, *pg) });
    let table = crate::model::table::Table {
        id: table(),
        columns: made.collect(),
        primary_key: vec!["id".into()],
        default_charset_name: None,
        comment: None,
    };
    let layout = Layouts::default().layout(&table, &columns, &types).unwrap();
    let fields: Vec<_> = layout.columns.iter().map(|column| (&*column.name, column.cell)).collect();
    assert_eq!(fields, [("id", 0), ("t", 2)], "the cells keep their places on the wire");
    assert_eq!((layout.cells, layout.key.len()), (3, 1));
}
