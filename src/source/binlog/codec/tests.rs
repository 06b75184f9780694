//! Cells in, values out: the bytes are the servers' own, the values Debezium's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// A tracked column of a type such as `DECIMAL(10,2) UNSIGNED`; optional, without default.
fn column(declared: &str) -> Column {
    let (head, rest) = declared.split_once('(').unwrap_or((declared, ""));
    let (arguments, tail) = rest.split_once(')').unwrap_or(("", ""));
    let mut column = Column {
        name: "c".into(),
        position: 1,
        type_name: format!("{head}{tail}"),
        optional: true,
        ..Column::default()
    };
    if head == "ENUM" || head == "SET" {
        column.enum_values = arguments.split(',').map(|label| label.replace(';', ",")).collect();
    } else {
        let mut numbers = arguments.split(',').filter_map(|number| number.parse().ok());
        column.length = numbers.next();
        column.scale = numbers.next();
    }
    column
}

fn wire(wire_type: u8, metadata: u16) -> WireColumn {
    WireColumn { wire_type, metadata, unsigned: None, collation: None }
}

fn make(column: &Column, wire: WireColumn, options: &CodecOptions) -> Result<ColumnCodec, CodecError> {
    column_codec(&TableId::new("d", "t"), column, wire, options)
}

fn read(codec: &ColumnCodec, cell: &[u8]) -> Result<Value, ValueError> {
    let arena = Arena::new();
    codec.codec.decode(cell, &arena)?.to_owned(&codec.schema, &arena)
}

/// Reads a cell given in hexadecimal digits.
fn check(declared: &str, wire_type: u8, metadata: u16, options: &CodecOptions, cell: &str, expected: Value) {
    let codec = make(&column(declared), wire(wire_type, metadata), options).expect(declared);
    assert_eq!(read(&codec, &hex(cell)), Ok(expected), "{declared} {cell}");
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn bytes(digits: &str) -> Value {
    Value::Bytes(hex(digits).into())
}

fn decimal(mode: DecimalHandlingMode) -> CodecOptions {
    CodecOptions { decimal: mode, ..CodecOptions::default() }
}

fn time(mode: TimePrecisionMode) -> CodecOptions {
    CodecOptions { time_precision: mode, ..CodecOptions::default() }
}

#[test]
fn integers_have_debeziums_widths() {
    let default = CodecOptions::default();
    let check = |declared: &str, wire_type: u8, cell: &str, expected: Value| {
        check(declared, wire_type, 0, &default, cell, expected);
    };
    check("BOOLEAN", w::TINY, "01", Value::Boolean(true));
    check("TINYINT", w::TINY, "80", Value::Int16(-128));
    check("TINYINT UNSIGNED", w::TINY, "ff", Value::Int16(255));
    check("SMALLINT", w::SHORT, "0080", Value::Int16(-32768));
    check("SMALLINT UNSIGNED ZEROFILL", w::SHORT, "ffff", Value::Int32(65535));
    check("MEDIUMINT", w::INT24, "000080", Value::Int32(-8_388_608));
    check("MEDIUMINT UNSIGNED", w::INT24, "ffffff", Value::Int32(16_777_215));
    check("INTEGER", w::LONG, "00000080", Value::Int32(i32::MIN));
    check("INT UNSIGNED", w::LONG, "ffffffff", Value::Int64(4_294_967_295));
    check("BIGINT", w::LONGLONG, "0000000000000080", Value::Int64(i64::MIN));
    check("BIGINT UNSIGNED", w::LONGLONG, "ffffffffffffffff", Value::Int64(-1));
    check("YEAR", w::YEAR, "7c", Value::Int32(2024));
}

#[test]
fn wide_unsigned_numbers_can_be_decimals() {
    let precise = CodecOptions { bigint_unsigned: BigIntUnsignedHandlingMode::Precise, ..CodecOptions::default() };
    let check = |cell: &str, expected: &str| {
        check("BIGINT UNSIGNED", w::LONGLONG, 0, &precise, cell, bytes(expected));
    };
    check("ffffffffffffffff", "00ffffffffffffffff");
    check("0000000000000000", "00");
    check("8000000000000000", "0080");
}

#[test]
fn bits_come_out_least_significant_first() {
    let default = CodecOptions::default();
    check("BIT", w::BIT, 1, &default, "01", Value::Boolean(true));
    check("BIT(1)", w::BIT, 1, &default, "00", Value::Boolean(false));
    check("BIT(10)", w::BIT, 10, &default, "0201", bytes("0102"));
    check("BIT(64)", w::BIT, 64, &default, "8000000000000001", bytes("0100000000000080"));
}

#[test]
fn decimals_in_every_mode() {
    let check = |declared: &str, metadata: u16, cell: &str, precise: &str, text: &str| {
        check(declared, w::NEWDECIMAL, metadata, &decimal(DecimalHandlingMode::Precise), cell, bytes(precise));
        check(declared, w::NEWDECIMAL, metadata, &decimal(DecimalHandlingMode::String), cell, Value::text(text));
        let double = Value::Float64(text.parse().unwrap());
        check(declared, w::NEWDECIMAL, metadata, &decimal(DecimalHandlingMode::Double), cell, double);
    };
    check("DECIMAL(10,2)", 0x0a02, "80 00 00 01 17", "7b", "1.23");
    check("DECIMAL(10,2)", 0x0a02, "7f ff ff fe e8", "85", "-1.23");
    check("DECIMAL(10,2)", 0x0a02, "80 00 00 00 00", "00", "0.00");
    // The example of the server's source: 1234567890.1234 and its negative as DECIMAL(14,4).
    check("DECIMAL(14,4)", 0x0e04, "81 0d fb 38 d2 04 d2", "0b3a73ce2ff2", "1234567890.1234");
    check("DECIMAL(14,4)", 0x0e04, "7e f2 04 c7 2d fb 2d", "f4c58c31d00e", "-1234567890.1234");
    check("DECIMAL(4)", 0x0400, "a7 0f", "270f", "9999");
    check("DECIMAL(2,2)", 0x0202, "e3", "63", "0.99");
}

#[test]
fn the_longest_decimal() {
    // 65 nines: 30 before the point and 35 behind it.
    let cell = format!("{:08x}{}{}{}", 999 | 0x8000, "3b9ac9ff".repeat(3), "3b9ac9ff".repeat(3), "05f5e0ff");
    let cell = &cell[4..];
    let text = format!("{}.{}", "9".repeat(30), "9".repeat(35));
    check("DECIMAL(65,35)", w::NEWDECIMAL, 0x4123, &decimal(DecimalHandlingMode::String), cell, Value::text(&text));
    let column = column("DECIMAL(65,35)");
    let codec = make(&column, wire(w::NEWDECIMAL, 0x4123), &CodecOptions::default()).unwrap();
    let expected = default_value::Decimal::parse(&text).unwrap().unscaled(35).unwrap();
    assert_eq!(read(&codec, &hex(cell)), Ok(Value::Bytes(expected.into())));
    let negative: Vec<u8> = hex(cell).iter().map(|byte| byte ^ 0xff).collect();
    let expected = default_value::Decimal::parse(&format!("-{text}")).unwrap().unscaled(35).unwrap();
    assert_eq!(read(&codec, &negative), Ok(Value::Bytes(expected.into())));
}

#[test]
fn dates_and_times_in_every_mode() {
    use TimePrecisionMode::{AdaptiveTimeMicroseconds, Connect, IsoString, Microseconds, Nanoseconds};
    let check = |declared: &str, wire_type: u8, metadata: u16, cell: &str, expected: [Value; 5]| {
        let modes = [AdaptiveTimeMicroseconds, Connect, IsoString, Microseconds, Nanoseconds];
        for (mode, expected) in modes.into_iter().zip(expected) {
            check(declared, wire_type, metadata, &time(mode), cell, expected);
        }
    };
    let (i32, i64, text) = (Value::Int32, Value::Int64, Value::text);
    // 2024-02-29
    let days = 19_782;
    check("DATE", w::DATE, 0, "5dd00f", [i32(days), i32(days), text("2024-02-29Z"), i32(days), i32(days)]);
    // 10:11:12
    let micros = 36_672_000_000;
    let expected = [i64(micros), i32(36_672_000), text("10:11:12Z"), i64(micros), i64(micros * 1000)];
    check("TIME", w::TIME2, 0, "80a2cc", expected.clone());
    check("TIME", w::TIME, 0, "f88a01", expected);
    // 10:11:12.5 and 2024-02-29 10:11:12.5
    let micros = micros + 500_000;
    let expected = [i64(micros), i32(36_672_500), text("10:11:12.5Z"), i64(micros), i64(micros * 1000)];
    check("TIME(1)", w::TIME2, 1, "80a2cc32", expected);
    let micros = i64::from(days) * 86_400_000_000 + micros;
    let millis = i64(micros / 1000);
    let iso = text("2024-02-29T10:11:12.5Z");
    let expected = [millis.clone(), millis.clone(), iso.clone(), i64(micros), i64(micros * 1000)];
    check("DATETIME(3)", w::DATETIME2, 3, "99b2baa2cc1388", expected);
    let expected = [i64(micros), millis, iso, i64(micros), i64(micros * 1000)];
    check("DATETIME(6)", w::DATETIME2, 6, "99b2baa2cc07a120", expected);
    let iso = [(); 5].map(|()| text("2024-02-29T10:11:12.500Z"));
    check("TIMESTAMP(3)", w::TIMESTAMP2, 3, "65e058401388", iso);
    let iso = [(); 5].map(|()| text("2024-02-29T10:11:12Z"));
    check("TIMESTAMP", w::TIMESTAMP2, 0, "65e05840", iso.clone());
    check("TIMESTAMP", w::TIMESTAMP, 0, "4058e065", iso);
}

#[test]
fn durations_beyond_a_day() {
    let default = CodecOptions::default();
    let check = |declared: &str, metadata: u16, cell: &str, micros: i64| {
        check(declared, w::TIME2, metadata, &default, cell, Value::Int64(micros));
    };
    check("TIME", 0, "b46efb", 3_020_399_000_000);
    check("TIME", 0, "4b9105", -3_020_399_000_000);
    check("TIME(6)", 6, "7ffffffffff6", -10);
    check("TIME(1)", 1, "7fffffce", -500_000);
    let connect = time(TimePrecisionMode::Connect);
    let codec = make(&column("TIME"), wire(w::TIME2, 0), &connect).unwrap();
    assert!(matches!(read(&codec, &hex("b46efb")), Err(ValueError::Invalid { .. })));
    assert!(matches!(read(&codec, &hex("7fffff")), Err(ValueError::Invalid { .. })));
}

#[test]
fn zero_dates_are_null_or_the_epoch() {
    let check = |declared: &str, wire_type: u8, metadata: u16, cell: &str, required: Value| {
        let mut column = column(declared);
        let codec = make(&column, wire(wire_type, metadata), &CodecOptions::default()).unwrap();
        assert_eq!(read(&codec, &hex(cell)), Ok(Value::Null), "{declared}");
        column.optional = false;
        let codec = make(&column, wire(wire_type, metadata), &CodecOptions::default()).unwrap();
        assert_eq!(read(&codec, &hex(cell)), Ok(required.clone()), "{declared}");
        let arena = Arena::new();
        assert_eq!(codec.codec.null().to_owned(&codec.schema, &arena), Ok(required.clone()));
        assert_eq!(codec.codec.absent().to_owned(&codec.schema, &arena), Ok(required));
    };
    check("DATE", w::DATE, 0, "000000", Value::Int32(0));
    check("DATE", w::DATE, 0, "20d00f", Value::Int32(0));
    check("DATETIME", w::DATETIME2, 0, "8000000000", Value::Int64(0));
    check("TIMESTAMP(6)", w::TIMESTAMP2, 6, "00000000000000", Value::text("1970-01-01T00:00:00Z"));
}

#[test]
fn days_that_are_not_in_the_calendar_ask_another_option() {
    // 2023-02-30, possible with sql_mode ALLOW_INVALID_DATES.
    let cell = hex("5ece0f");
    let codec = make(&column("DATE"), wire(w::DATE, 0), &CodecOptions::default()).unwrap();
    let failures = Arc::new(ConversionFailures::default());
    let id = TableId::new("d", "t");
    let warn = guarded(&id, "c", &codec, EventConvertingFailureHandlingMode::Warn, false, &failures);
    assert!(warn.decode(&cell, &Arena::new()).is_err());
    let lenient = CodecOptions { invalid_dates: EventProcessingFailureHandlingMode::Warn, ..CodecOptions::default() };
    let codec = make(&column("DATE"), wire(w::DATE, 0), &lenient).unwrap();
    assert_eq!(read(&codec, &cell), Ok(Value::Int32(0)));
}

#[test]
fn years_of_two_digits_are_adjusted() {
    let check = |adjust: bool, cell: &str, expected: i32| {
        let options = CodecOptions { enable_time_adjuster: adjust, ..CodecOptions::default() };
        check("DATE", w::DATE, 0, &options, cell, Value::Int32(expected));
    };
    // 0069-01-01 and 0070-01-01
    check(true, "218a00", 36_160);
    check(true, "218c00", 0);
    check(false, "218c00", -693_960);
}

#[test]
fn text_in_many_character_sets() {
    let check = |charset: &str, cell: &str, expected: &str| {
        let column = Column { charset_name: Some(charset.into()), ..column("VARCHAR(20)") };
        let codec = make(&column, wire(w::VARCHAR, 80), &CodecOptions::default()).expect(charset);
        assert_eq!(read(&codec, &hex(cell)), Ok(Value::text(expected)), "{charset}");
    };
    check("utf8mb4", "f09f9880", "😀");
    check("utf8", "c3a4", "ä");
    check("latin1", "80e49d", "€ä\u{9d}");
    check("LATIN1", "616263", "abc");
    check("ascii", "616263", "abc");
    check("binary", "80ff", "\u{80}ÿ");
    check("swe7", "405b5c5d7b", "ÉÄÖÅä");
    check("koi8u", "a4", "є");
    check("koi8r", "c1", "а");
    check("cp850", "84", "ä");
    check("greek", "e1", "α");
    check("tis620", "a1", "ก");
    check("sjis", "82a0", "あ");
    check("cp932", "82a0", "あ");
    check("ujis", "a4a2", "あ");
    check("gbk", "c4e3", "你");
    check("gb2312", "c4e3", "你");
    check("gb18030", "c4e3", "你");
    check("big5", "a741", "你");
    check("euckr", "b0a1", "가");
    // Where Java and the Encoding Standard differ, Java's character is the one Debezium writes.
    check("sjis", "82a08160b1", "あ\u{301c}ｱ");
    check("cp932", "8160", "\u{ff5e}");
    check("ujis", "a1c18fa2b78eb1a4a2", "\u{301c}\u{ff5e}ｱあ");
    check("eucjpms", "8ff4aea4a2", "\u{70bb}あ");
    check("big5", "a741a145", "你\u{2022}");
    check("gb18030", "9439fc3661", "😀a");
    check("ucs2", "00e40041", "äA");
    check("utf16", "d83dde00", "😀");
    check("utf16le", "3dd800de", "😀");
    check("utf32", "0001f600", "😀");
}

#[test]
fn the_servers_character_set_is_the_newer_word() {
    let tracked = Column { charset_name: Some("latin1".into()), ..column("CHAR(5)") };
    let utf8 = WireColumn { collation: Some(255), ..wire(w::STRING, 20) };
    let codec = make(&tracked, utf8, &CodecOptions::default()).unwrap();
    assert_eq!(read(&codec, "ä".as_bytes()), Ok(Value::text("ä")));
    let bytes = WireColumn { collation: Some(63), ..wire(w::STRING, 20) };
    assert!(matches!(make(&tracked, bytes, &CodecOptions::default()), Err(CodecError::TypeMismatch { .. })));
    assert!(matches!(make(&column("BINARY(5)"), utf8, &CodecOptions::default()), Err(CodecError::TypeMismatch { .. })));
}

#[test]
fn bad_text_is_mended_aloud() {
    let check = |charset: &str, cell: &str, at: usize, mended: &str| {
        let column = Column { charset_name: Some(charset.into()), ..column("TEXT") };
        let codec = make(&column, wire(w::BLOB, 2), &CodecOptions::default()).unwrap();
        let cell = hex(cell);
        assert!(matches!(read(&codec, &cell), Err(ValueError::Charset { at: found, .. }) if found == at), "{charset}");
        let failures = Arc::new(ConversionFailures::default());
        let id = TableId::new("d", "t");
        for (key, mode) in
            [(false, EventConvertingFailureHandlingMode::Warn), (true, EventConvertingFailureHandlingMode::Skip)]
        {
            let codec = guarded(&id, "c", &codec, mode, key, &failures);
            let arena = Arena::new();
            assert!(matches!(codec.decode(&cell, &arena), Ok(ValueRef::String(text)) if text == mended), "{charset}");
        }
        assert_eq!((failures.replaced(), failures.nulls()), (2, 0));
    };
    check("utf8mb4", "61ff62", 1, "a\u{fffd}b");
    check("ascii", "618062", 1, "a\u{fffd}b");
    check("cp1251", "6198", 1, "a\u{fffd}");
    check("utf16", "0061d800", 2, "a\u{fffd}");
    check("utf16", "006100", 2, "a\u{fffd}");
    check("utf32", "00110000", 0, "\u{fffd}");
    check("sjis", "6181", 1, "a\u{fffd}");
    check("sjis", "816061ff81", 3, "\u{301c}a\u{fffd}\u{fffd}");
}

#[test]
fn what_cannot_be_converted_becomes_null_only_where_null_is_a_value() {
    let check = |column: &Column, key: bool, expected: Option<Value>| {
        let codec = make(column, wire(w::ENUM, 1), &CodecOptions::default()).unwrap();
        let failures = Arc::new(ConversionFailures::default());
        let mode = EventConvertingFailureHandlingMode::Warn;
        let guarded = guarded(&TableId::new("d", "t"), "c", &codec, mode, key, &failures);
        let arena = Arena::new();
        let value = guarded.decode(&[9], &arena).ok();
        assert_eq!(value.map(|value| value.to_owned(&codec.schema, &arena).unwrap()), expected);
        assert_eq!(failures.nulls(), u64::from(expected.is_some()));
    };
    let optional = column("ENUM(a,b)");
    let required = Column { optional: false, ..optional.clone() };
    let with_default =
        Column { has_default_value: true, default_value_expression: Some("b".into()), ..required.clone() };
    check(&optional, false, Some(Value::Null));
    check(&optional, true, None);
    check(&required, false, None);
    check(&with_default, false, Some(Value::text("b")));
}

#[test]
fn binary_in_every_mode() {
    let check = |mode: BinaryHandlingMode, declared: &str, cell: &str, expected: Value| {
        let options = CodecOptions { binary: mode, ..CodecOptions::default() };
        check(declared, w::STRING, 4, &options, cell, expected);
    };
    check(BinaryHandlingMode::Bytes, "BINARY(4)", "fffe", bytes("fffe0000"));
    check(BinaryHandlingMode::Bytes, "VARBINARY(4)", "fffe", bytes("fffe"));
    check(BinaryHandlingMode::Base64, "BINARY(4)", "fffe", Value::text("//4AAA=="));
    check(BinaryHandlingMode::Base64UrlSafe, "BINARY(4)", "fffe", Value::text("__4AAA=="));
    check(BinaryHandlingMode::Hex, "VARBINARY(4)", "0aff", Value::text("0aff"));
    check(BinaryHandlingMode::Hex, "BLOB", "", Value::text(""));
}

#[test]
fn labels_of_enum_and_set() {
    let default = CodecOptions::default();
    let check = |declared: &str, wire_type: u8, cell: &str, expected: &str| {
        check(declared, wire_type, 1, &default, cell, Value::text(expected));
    };
    check("ENUM(a,b;c)", w::ENUM, "01", "a");
    check("ENUM(a,b;c)", w::ENUM, "02", "b\\,c");
    check("ENUM(a,b)", w::ENUM, "00", "");
    check("SET(a,b,c)", w::SET, "05", "a,c");
    check("SET(a,b,c)", w::SET, "02", "b");
    check("SET(a,b,c)", w::SET, "00", "");
    let codec = make(&column("ENUM(a,b;c)"), wire(w::ENUM, 1), &default).unwrap();
    assert_eq!(codec.schema.parameter_value("allowed"), Some("a,b\\,c"));
    assert!(read(&codec, &[3]).is_err());
    let codec = make(&column("SET(a)"), wire(w::SET, 1), &default).unwrap();
    assert!(read(&codec, &[2]).is_err());
}

#[test]
fn geometry_vectors_and_addresses() {
    let default = CodecOptions::default();
    let point = "0101000000000000000000f03f0000000000000040";
    let cell = format!("e6100000{point}");
    let expected = Value::Struct(vec![bytes(point), Value::Int32(4326)]);
    check("GEOMETRY", w::GEOMETRY, 4, &default, &cell, expected);
    let expected = Value::Struct(vec![Value::Float64(1.0), Value::Float64(2.0), bytes(point), Value::Null]);
    check("POINT", w::GEOMETRY, 4, &default, &format!("00000000{point}"), expected);
    let expected = Value::Array(vec![Value::Float32(1.0), Value::Float32(-2.0)]);
    check("VECTOR(2)", w::VECTOR, 4, &default, "0000803f000000c0", expected);
    let check = |declared: &str, cell: &str, expected: &str| {
        check(declared, w::STRING, 16, &default, cell, Value::text(expected));
    };
    check("INET4", "c0a80001", "192.168.0.1");
    check("INET6", "20010db8000000000000000000000001", "2001:db8::1");
    check("INET6", "00000000000000000000ffffc0a80001", "::ffff:192.168.0.1");
    check("INET6", "000000000000000000000000c0a80001", "::192.168.0.1");
    check("INET6", "", "::");
    check("UUID", "123e4567e89b12d3a456426655440000", "123e4567-e89b-12d3-a456-426655440000");
}

#[test]
fn compressed_columns() {
    let stored = format!("00{}", "61".repeat(3));
    let stored = hex(&stored);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut zlib, &[b'x'; 300]).unwrap();
    let mut packed = vec![0x82, 0x01, 0x2c];
    packed.extend(zlib.finish().unwrap());
    let codec = make(&column("TEXT"), wire(w::BLOB_COMPRESSED, 2), &CodecOptions::default()).unwrap();
    assert_eq!(read(&codec, &stored), Ok(Value::text("aaa")));
    assert_eq!(read(&codec, &packed), Ok(Value::text(&"x".repeat(300))));
    assert_eq!(read(&codec, &[]), Ok(Value::text("")));
    let mut lie = packed.clone();
    lie[1] = 0xff;
    assert!(read(&codec, &lie).is_err());
    assert!(read(&codec, &packed[..packed.len() - 1]).is_err());
}

#[test]
fn a_stale_definition_is_an_error_when_the_table_is_first_seen() {
    let check = |declared: &str, wire: WireColumn| {
        let error = make(&column(declared), wire, &CodecOptions::default()).expect_err(declared);
        assert!(matches!(error, CodecError::TypeMismatch { .. }), "{declared}: {error}");
        let text = error.to_string();
        assert!(text.contains("d.t.c") && text.contains(declared.split('(').next().unwrap()), "{text}");
    };
    check("INT", wire(w::VARCHAR, 40));
    check("INT", wire(w::LONGLONG, 0));
    check("INT", WireColumn { unsigned: Some(true), ..wire(w::LONG, 0) });
    check("VARCHAR(10)", wire(w::LONG, 0));
    check("DECIMAL(10,2)", wire(w::NEWDECIMAL, 0x0a03));
    check("DATETIME(3)", wire(w::DATETIME2, 6));
    check("TIME", wire(w::TIME2, 3));
    check("TIMESTAMP(3)", wire(w::TIMESTAMP2, 0));
    check("BIT(3)", wire(w::BIT, 4));
    check("FLOAT", wire(w::DOUBLE, 8));
    check("ENUM(a)", wire(w::SET, 1));
}

#[test]
fn unknown_types_and_character_sets_are_errors() {
    let error = make(&column("XMLTYPE"), wire(w::BLOB, 4), &CodecOptions::default());
    assert!(matches!(error, Err(CodecError::UnknownType { .. })));
    let column = Column { charset_name: Some("ebcdic".into()), ..column("TEXT") };
    let error = make(&column, wire(w::BLOB, 4), &CodecOptions::default());
    assert!(matches!(error, Err(CodecError::UnknownCharset { .. })));
    let structured = time(TimePrecisionMode::Structured);
    let error = make(&super::tests::column("DATE"), wire(w::DATE, 0), &structured);
    assert!(matches!(error, Err(CodecError::UnsupportedTimePrecision { .. })));
}

#[test]
fn declared_defaults() {
    let check = |declared: &str, wire_type: u8, metadata: u16, text: &str, expected: Option<Value>| {
        let column = Column {
            optional: false,
            has_default_value: true,
            default_value_expression: Some(text.into()),
            ..column(declared)
        };
        let codec = make(&column, wire(wire_type, metadata), &CodecOptions::default()).unwrap();
        assert_eq!(codec.schema.default, expected, "{declared} {text}");
    };
    check("INT", w::LONG, 0, " 5 ", Some(Value::Int32(5)));
    check("INT", w::LONG, 0, "1.5", Some(Value::Int32(2)));
    check("INT", w::LONG, 0, "TRUE", Some(Value::Int32(1)));
    check("INT", w::LONG, 0, "x", None);
    check("TINYINT UNSIGNED", w::TINY, 0, "200", Some(Value::Int16(200)));
    check("BIGINT", w::LONGLONG, 0, "9007199254740993", Some(Value::Int64(9_007_199_254_740_992)));
    check("BOOLEAN", w::TINY, 0, "0", Some(Value::Boolean(false)));
    check("BIT(1)", w::BIT, 1, "1", Some(Value::Boolean(true)));
    check("BIT(10)", w::BIT, 10, "1000000001", Some(bytes("0102")));
    check("FLOAT", w::FLOAT, 4, "1.1", Some(Value::Float32(1.1)));
    check("DECIMAL(5,2)", w::NEWDECIMAL, 0x0502, "1.005", Some(bytes("65")));
    check("DATE", w::DATE, 0, "2024-02-29", Some(Value::Int32(19_782)));
    check("DATE", w::DATE, 0, "0000-00-00", Some(Value::Int32(0)));
    check("TIME", w::TIME2, 0, "-01:00:00", Some(Value::Int64(-3_600_000_000)));
    check("DATETIME", w::DATETIME2, 0, "1970-01-01 00:00:00", Some(Value::Int64(0)));
    check("DATETIME(6)", w::DATETIME2, 6, "1970-01-01 00:00:01.5", Some(Value::Int64(1_500_000)));
    check("TIMESTAMP", w::TIMESTAMP2, 0, "0000-00-00 00:00:00", Some(Value::text("1970-01-01T00:00:00Z")));
    check("TIMESTAMP(3)", w::TIMESTAMP2, 3, "2024-02-29 10:11:12.5", Some(Value::text("2024-02-29T10:11:12.500Z")));
    check("YEAR", w::YEAR, 0, "70", Some(Value::Int32(1970)));
    check("VARCHAR(10)", w::VARCHAR, 40, "_utf8mb4'a b '", Some(Value::text("a b ")));
    check("BINARY(4)", w::STRING, 4, "ab", Some(bytes("6162")));
    check("ENUM(a,b)", w::ENUM, 1, "b", Some(Value::text("b")));
}

#[test]
fn comments_and_placeholders_are_asked_for() {
    let column = Column { comment: Some("what it is".into()), ..column("TEXT") };
    let codec = make(&column, wire(w::BLOB, 2), &CodecOptions::default()).unwrap();
    assert_eq!(codec.schema.doc, None);
    assert!(matches!(codec.codec.absent(), ValueRef::Null));
    let options = CodecOptions {
        include_schema_comments: true,
        unavailable_value_placeholder: Some("__gone".into()),
        ..CodecOptions::default()
    };
    let codec = make(&column, wire(w::BLOB, 2), &options).unwrap();
    assert_eq!(codec.schema.doc.as_deref(), Some("what it is"));
    assert!(matches!(codec.codec.absent(), ValueRef::String("__gone")));
    assert!(matches!(codec.codec.null(), ValueRef::Null));
}

/// What Debezium 3.7 reads and shows otherwise than 3.6. Source: Debezium's `BinlogValueConverters` and
/// `EnumeratedValues` at v3.7.0.Alpha2.
#[test]
fn generations_differ_where_debeziums_do() {
    let of = |generation| CodecOptions {
        generation,
        unavailable_value_placeholder: Some("__gone".into()),
        ..CodecOptions::default()
    };
    let (old, new) = (of(DebeziumGeneration::V3_6), of(DebeziumGeneration::V3_7));
    let check = |declared: &str, wire_type: u8, metadata: u16, cell: &str, [in_old, in_new]: [Value; 2]| {
        for (options, expected) in [(&old, in_old), (&new, in_new)] {
            let codec = make(&column(declared), wire(wire_type, metadata), options).expect(declared);
            assert_eq!(read(&codec, &hex(cell)), Ok(expected), "{declared} {cell}");
        }
    };
    let same = |value: Value| [value.clone(), value];
    // A semicolon stands for a comma within a label.
    check("ENUM(a;b,c)", w::ENUM, 1, "01", [Value::text("a\\,b"), Value::text("a,b")]);
    check("ENUM(a\\b)", w::ENUM, 1, "01", same(Value::text("a\\\\b")));
    check("SET(a;b,c)", w::SET, 1, "03", [Value::text("a\\,b,c"), Value::text("a,b,c")]);
    let allowed = |declared: &str, options: &CodecOptions| {
        let codec = make(&column(declared), wire(w::ENUM, 1), options).unwrap();
        codec.schema.parameters.iter().find(|(name, _)| &**name == "allowed").unwrap().1.to_string()
    };
    assert_eq!((allowed("ENUM(a;b,c)", &old).as_str(), allowed("ENUM(a;b,c)", &new).as_str()), ("a\\,b,c", "a\\,b,c"));
    assert_eq!((allowed("ENUM(a\\b)", &old).as_str(), allowed("ENUM(a\\b)", &new).as_str()), ("a\\\\b", "a\\\\\\\\b"));
    // Only what NOBLOB leaves out is ever said to be unavailable.
    for (declared, wire_type, expected) in [
        ("MEDIUMTEXT", w::BLOB, ValueRef::String("__gone")),
        ("BLOB", w::BLOB, ValueRef::Bytes(b"__gone")),
        ("VARCHAR(9)", w::VARCHAR, ValueRef::Null),
        ("VARBINARY(9)", w::VARCHAR, ValueRef::Null),
    ] {
        let codec = make(&column(declared), wire(wire_type, 2), &new).expect(declared);
        assert_eq!(format!("{:?}", codec.codec.absent()), format!("{expected:?}"), "{declared}");
    }
}

/// A table goes by the JDBC type that it was defined with, whatever generation is asked for now: so does Debezium
/// when it finds it in the schema history.
#[test]
fn a_tinyint_is_as_wide_as_its_definition_says() {
    const SMALLINT: i32 = 5;
    const TINYINT: i32 = -6;
    let check = |declared: &str, jdbc_type: i32, default: &str, cell: &str, expected: [Value; 2]| {
        let column = Column {
            jdbc_type,
            optional: false,
            has_default_value: true,
            default_value_expression: Some(default.into()),
            ..column(declared)
        };
        let codec = make(&column, wire(w::TINY, 0), &CodecOptions::default()).unwrap();
        let [value, default_value] = expected;
        assert_eq!(read(&codec, &hex(cell)), Ok(value), "{declared} {jdbc_type}");
        assert_eq!(codec.schema.default, Some(default_value), "{declared} {jdbc_type}");
    };
    check("TINYINT", SMALLINT, "-5", "80", [Value::Int16(-128), Value::Int16(-5)]);
    check("TINYINT", TINYINT, "-5", "80", [Value::Int8(-128), Value::Int8(-5)]);
    check("TINYINT", TINYINT, "1.5", "7f", [Value::Int8(127), Value::Int8(2)]);
    check("TINYINT UNSIGNED", TINYINT, "200", "ff", [Value::Int16(255), Value::Int16(200)]);
}

/// One column of every type and some charsets, with every wire type that it accepts.
fn every_column() -> Vec<(Column, WireColumn)> {
    let metadata = |declared: &str| match declared {
        "BIT(10)" => 10,
        "BIT" | "BIT(1)" => 1,
        "DECIMAL(10,2)" => 0x0a02,
        "DECIMAL(30,9)" => 0x1e09,
        "DECIMAL(65,30)" => 0x411e,
        "TIME(5)" | "DATETIME(5)" | "TIMESTAMP(5)" => 5,
        _ => 0,
    };
    let declared = [
        "BIT(10)",
        "DECIMAL(10,2)",
        "DECIMAL(30,9)",
        "DECIMAL(65,30)",
        "TIME(5)",
        "DATETIME(5)",
        "TIMESTAMP(5)",
        "ENUM(a,b,c)",
        "SET(a,b,c)",
        "BINARY(7)",
        "FLOAT(30)",
        "FLOAT(7,3)",
        "BIGINT UNSIGNED",
    ];
    let names = FAMILIES.iter().filter_map(|family| family.names.first().copied());
    let mut columns: Vec<(Column, WireColumn)> = names
        .chain(declared)
        .flat_map(|declared| (0..=255).map(move |wire_type| (column(declared), wire(wire_type, metadata(declared)))))
        .collect();
    for charset in ["latin1", "ujis", "utf16", "utf32", "swe7", "ascii"] {
        columns.push((Column { charset_name: Some(charset.into()), ..column("TEXT") }, wire(w::BLOB, 2)));
    }
    columns.retain(|(column, wire)| make(column, *wire, &CodecOptions::default()).is_ok());
    columns
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_cell_makes_a_codec_panic(cell in proptest::collection::vec(any::<u8>(), 0..40)) {
        static CODECS: LazyLock<Vec<ColumnCodec>> = LazyLock::new(|| {
            let columns = every_column();
            columns.iter().map(|(column, wire)| make(column, *wire, &CodecOptions::default()).unwrap()).collect()
        });
        for codec in CODECS.iter() {
            let arena = Arena::new();
            for length in [0, 1, 2, 3, 4, 5, 7, 8, 14, cell.len()] {
                let cell = &cell[..length.min(cell.len())];
                let readers = [Some(&*codec.codec as &dyn crate::model::row::Codec), codec.lossy.as_deref()];
                for reader in readers.into_iter().flatten() {
                    if let Ok(value) = reader.decode(cell, &arena) {
                        let _ = value.to_owned(&codec.schema, &arena);
                    }
                }
            }
        }
    }

    #[test]
    fn no_default_makes_a_plan_panic(text in "[-+0-9a-zA-Z:. '_/\\PC]{0,40}") {
        static COLUMNS: LazyLock<Vec<(Column, WireColumn)>> = LazyLock::new(every_column);
        let skip = CodecOptions {
            converting_failure: EventConvertingFailureHandlingMode::Skip,
            ..CodecOptions::default()
        };
        for (column, wire) in COLUMNS.iter() {
            let column = Column {
                has_default_value: true,
                default_value_expression: Some(text.clone()),
                optional: false,
                ..column.clone()
            };
            prop_assert!(make(&column, *wire, &skip).is_ok());
        }
    }
}
