//! Columns and options in, schemas, values and defaults out, as Debezium 3.6's converters have them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

use std::collections::BTreeMap;

use super::*;
use crate::model::modes::{BigIntUnsignedHandlingMode, DebeziumGeneration, EventConvertingFailureHandlingMode};
use crate::model::schema::{Kind, Schema};
use crate::model::table::{Column, TableId};
use crate::model::value::{Arena, Value, ValueRef};
use crate::source::binlog::codec::wire_type as w;
use crate::source::binlog::codec::{CodecOptions, ColumnCodec, WireColumn, column_codec};

const TINY_INT: &str = "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter";
const JDBC_SINK: &str = "io.debezium.connector.mysql.converters.JdbcSinkDataTypesConverter";

fn build(class: &str, options: &[(&str, &str)]) -> Result<Arc<dyn ColumnConverter>, BadConverter> {
    let options: BTreeMap<String, String> =
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    (find(class).expect(class).build)(&Options::new(&options))
}

fn with(class: &str, options: &[(&str, &str)]) -> CodecOptions {
    CodecOptions { converters: Arc::new([build(class, options).unwrap()]), ..CodecOptions::default() }
}

/// A column `d.t.c` that cannot be null, without default.
fn column(type_name: &str, length: Option<i32>) -> Column {
    Column { name: "c".into(), position: 1, type_name: type_name.into(), length, ..Column::default() }
}

fn codec(column: &Column, wire_type: u8, options: &CodecOptions) -> Result<ColumnCodec, CodecError> {
    let wire = WireColumn { wire_type, metadata: 0, unsigned: None, collation: None };
    column_codec(&TableId::new("d", "t"), column, wire, options)
}

fn read(codec: &ColumnCodec, cell: &[u8]) -> Value {
    let arena = Arena::new();
    codec.codec.decode(cell, &arena).unwrap().to_owned(&codec.schema, &arena).unwrap()
}

#[test]
fn a_converter_takes_the_columns_of_its_types_and_selectors() {
    let check = |class: &str, options: &[(&str, &str)], type_name: &str, length: Option<i32>, expected: Kind| {
        let wire_type = match type_name.split(' ').next().unwrap() {
            "INT" => w::LONG,
            "REAL" => w::DOUBLE,
            _ => w::TINY,
        };
        let made = codec(&column(type_name, length), wire_type, &with(class, options)).expect(type_name);
        assert_eq!(made.schema.kind, expected, "{type_name} {length:?} {options:?}");
    };
    check(TINY_INT, &[], "TINYINT", Some(1), Kind::Boolean);
    check(TINY_INT, &[], "tinyint unsigned", Some(1), Kind::Boolean);
    check(TINY_INT, &[], "TINYINT", None, Kind::Int16);
    check(TINY_INT, &[], "TINYINT", Some(4), Kind::Int16);
    check(TINY_INT, &[], "TINYINT UNSIGNED ZEROFILL", Some(1), Kind::Int16);
    check(TINY_INT, &[], "INT", Some(1), Kind::Int32);
    check(TINY_INT, &[("length.checker", "FALSE")], "TINYINT", None, Kind::Boolean);
    check(TINY_INT, &[("selector", "x.y.z, D\\.T\\..*")], "TINYINT", Some(1), Kind::Boolean);
    check(TINY_INT, &[("selector", "d.t")], "TINYINT", Some(1), Kind::Int16);
    check(TINY_INT, &[("selector", ".*")], "INT", Some(1), Kind::Int32);
    check(JDBC_SINK, &[], "REAL", None, Kind::Float32);
    check(JDBC_SINK, &[("selector.real", "d.t.c")], "REAL", None, Kind::Float64);
    check(JDBC_SINK, &[("selector.real", "d.t.c"), ("treat.real.as.double", "false")], "INT", None, Kind::Float32);
    check(JDBC_SINK, &[("selector.real", ".*"), ("selector.boolean", "d.t.c")], "INT", None, Kind::Int16);
    check(JDBC_SINK, &[("selector.boolean", "d.t.other")], "BOOLEAN", None, Kind::Boolean);
}

/// Debezium's converters see a number as its binlog client reads it: signed.
#[test]
fn numbers_become_what_java_makes_of_them() {
    let check = |class: &str, option: &str, type_name: &str, wire_type: u8, cell: &[u8], expected: Value| {
        let options = with(class, &[(option, ".*")]);
        let made = codec(&column(type_name, Some(1)), wire_type, &options).expect(type_name);
        assert_eq!(read(&made, cell), expected, "{class} {type_name} {cell:?}");
    };
    for (cell, expected) in [(0_u8, false), (1, true), (127, true), (0xff, false), (0x80, false)] {
        check(TINY_INT, "selector", "TINYINT", w::TINY, &[cell], Value::Boolean(expected));
        check(TINY_INT, "selector", "TINYINT UNSIGNED", w::TINY, &[cell], Value::Boolean(expected));
        let one_or_zero = Value::Int16(expected.into());
        check(JDBC_SINK, "selector.boolean", "BOOLEAN", w::TINY, &[cell], one_or_zero);
    }
    let sink = |option: &str, type_name: &str, wire_type: u8, cell: &[u8], expected: Value| {
        check(JDBC_SINK, option, type_name, wire_type, cell, expected);
    };
    sink("selector.boolean", "SMALLINT", w::SHORT, &[0, 1], Value::Int16(1));
    sink("selector.boolean", "MEDIUMINT", w::INT24, &[0, 0, 0x80], Value::Int16(0));
    sink("selector.boolean", "BIGINT", w::LONGLONG, &(1_i64 << 32).to_le_bytes(), Value::Int16(0));
    sink("selector.boolean", "FLOAT", w::FLOAT, &0.9_f32.to_le_bytes(), Value::Int16(0));
    sink("selector.boolean", "DOUBLE", w::DOUBLE, &1e300_f64.to_le_bytes(), Value::Int16(1));
    sink("selector.real", "REAL", w::DOUBLE, &1.1_f64.to_le_bytes(), Value::Float64(1.1));
    sink("selector.real", "REAL", w::FLOAT, &1.1_f32.to_le_bytes(), Value::Float64(1.1_f32.into()));
    sink("selector.real", "MEDIUMINT", w::INT24, &[0xff, 0xff, 0xff], Value::Float64(-1.0));
    sink("selector.real", "BIGINT UNSIGNED", w::LONGLONG, &[0xff; 8], Value::Float64(-1.0));
}

#[test]
fn defaults_and_nulls_are_converted_too() {
    let check = |class: &str, option: &str, type_name: &str, wire_type: u8, default: &str, expected: Value| {
        let options =
            CodecOptions { bigint_unsigned: BigIntUnsignedHandlingMode::Precise, ..with(class, &[(option, ".*")]) };
        let mut column = column(type_name, Some(1));
        column.has_default_value = true;
        column.default_value_expression = Some(default.into());
        let made = codec(&column, wire_type, &options).expect(type_name);
        assert_eq!(made.schema.default.as_ref(), Some(&expected), "{class} {type_name} {default}");
        assert_eq!(made.codec.null().to_owned(&made.schema, &Arena::new()), Ok(expected), "{type_name} {default}");
        column.optional = true;
        let made = codec(&column, wire_type, &options).expect(type_name);
        assert!(made.schema.optional && matches!(made.codec.null(), ValueRef::Null), "{type_name}");
    };
    check(TINY_INT, "selector", "TINYINT", w::TINY, "1", Value::Boolean(true));
    check(TINY_INT, "selector", "TINYINT", w::TINY, "0", Value::Boolean(false));
    check(TINY_INT, "selector", "TINYINT", w::TINY, "-1", Value::Boolean(false));
    check(TINY_INT, "selector", "TINYINT UNSIGNED", w::TINY, "200", Value::Boolean(true));
    check(TINY_INT, "selector", "TINYINT", w::TINY, "TRUE", Value::Boolean(true));
    check(JDBC_SINK, "selector.boolean", "BOOLEAN", w::TINY, "true", Value::Int16(1));
    check(JDBC_SINK, "selector.boolean", "BIGINT UNSIGNED", w::LONGLONG, "7", Value::Int16(1));
    check(JDBC_SINK, "selector.real", "REAL", w::DOUBLE, "1.1", Value::Float64(1.1_f32.into()));
    check(JDBC_SINK, "selector.string", "VARCHAR", w::VARCHAR, "a", Value::text("a"));

    for (class, option, fallback) in [
        (TINY_INT, "selector", Value::Boolean(false)),
        (JDBC_SINK, "selector.boolean", Value::Int16(0)),
        (JDBC_SINK, "selector.real", Value::Float64(0.0)),
    ] {
        let made = codec(&column("TINYINT", Some(1)), w::TINY, &with(class, &[(option, ".*")])).unwrap();
        assert_eq!(made.schema.default, None, "{option}");
        assert_eq!(made.codec.null().to_owned(&made.schema, &Arena::new()), Ok(fallback), "{option}");
    }
}

#[test]
fn a_default_that_cannot_be_converted_is_left_out_or_stops() {
    let options = CodecOptions {
        bigint_unsigned: BigIntUnsignedHandlingMode::Precise,
        ..with(JDBC_SINK, &[("selector.real", ".*")])
    };
    let mut column = column("BIGINT UNSIGNED", None);
    column.has_default_value = true;
    column.default_value_expression = Some("18446744073709551615".into());
    assert_eq!(codec(&column, w::LONGLONG, &options).unwrap().schema.default, None);
    let fail = CodecOptions { converting_failure: EventConvertingFailureHandlingMode::Fail, ..options };
    assert!(matches!(codec(&column, w::LONGLONG, &fail), Err(CodecError::DefaultValue { .. })));
}

#[test]
fn the_schema_of_text_names_its_character_set() {
    let mut column = column("VARCHAR", Some(10));
    column.charset_name = Some("latin1".into());
    let made = codec(&column, w::VARCHAR, &with(JDBC_SINK, &[("selector.string", "d.t.c")])).unwrap();
    let expected = Schema::new(Kind::String).parameter("__debezium.source.column.character_set", "latin1");
    assert_eq!(*made.schema, expected);
    assert_eq!(read(&made, &[0xe9]), Value::text("é"));
}

#[test]
fn a_column_that_would_become_a_constant_stops_the_connector() {
    let check = |option: &str, type_name: &str, wire_type: u8| {
        let made = codec(&column(type_name, None), wire_type, &with(JDBC_SINK, &[(option, ".*")]));
        assert!(matches!(made, Err(CodecError::Converter { .. })), "{option} {type_name}: {made:?}");
    };
    for option in ["selector.boolean", "selector.real", "selector.string"] {
        check(option, "DATE", w::DATE);
        check(option, "ENUM", w::ENUM);
        check(option, "BLOB", w::BLOB);
    }
    check("selector.string", "INT", w::LONG);
    check("selector.boolean", "VARCHAR", w::VARCHAR);
    check("selector.real", "YEAR", w::YEAR);
}

#[test]
fn the_first_converter_that_claims_a_column_is_the_one() {
    let tiny = build(TINY_INT, &[]).unwrap();
    let sink = build(JDBC_SINK, &[("selector.boolean", ".*")]).unwrap();
    for (converters, expected) in [([tiny.clone(), sink.clone()], Kind::Boolean), ([sink, tiny], Kind::Int16)] {
        let options = CodecOptions { converters: Arc::new(converters), ..CodecOptions::default() };
        assert_eq!(codec(&column("TINYINT", Some(1)), w::TINY, &options).unwrap().schema.kind, expected);
    }
}

#[test]
fn options_that_cannot_be_obeyed_are_errors() {
    let check = |class: &str, option: &'static str, value: &str| {
        let error = build(class, &[(option, value)]).expect_err(option);
        match error {
            BadConverter::Option(bad) => assert_eq!((bad.option, bad.value.as_str()), (option, value)),
            BadConverter::Regex { option: named, .. } => assert_eq!(named, option),
        }
    };
    check(TINY_INT, "length.checker", "yes");
    check(TINY_INT, "selector", "(");
    check(JDBC_SINK, "selector.string", "a.b.c, [");
    check(JDBC_SINK, "treat.real.as.double", "1");
}

const ZERO_DATE: &str = "io.debezium.connector.binlog.converters.ZeroDateFallbackConverter";

/// The wire type of a temporal type, and its cells of zeros and of a day or time that is one.
fn temporal_cells(type_name: &str) -> (u8, Vec<u8>, Vec<u8>) {
    match type_name {
        "DATE" => (w::DATE, vec![0; 3], (2024_u32 << 9 | 2 << 5 | 29).to_le_bytes()[..3].to_vec()),
        "DATETIME" => {
            let packed = 1_u64 << 39 | (2024 * 13 + 2) << 22 | 29 << 17 | 12 << 12;
            (w::DATETIME2, vec![0x80, 0, 0, 0, 0], packed.to_be_bytes()[3..].to_vec())
        }
        _ => (w::TIMESTAMP2, vec![0; 4], 1_709_208_000_u32.to_be_bytes().to_vec()),
    }
}

#[test]
fn zero_dates_become_null_or_what_is_named() {
    let check =
        |options: &[(&str, &str)], type_name: &str, optional: bool, default: Option<&str>, expected: [&str; 4]| {
            let (wire_type, zero, real) = temporal_cells(type_name);
            let mut column = column(type_name, None);
            (column.optional, column.has_default_value) = (optional, default.is_some());
            column.default_value_expression = default.map(str::to_owned);
            let made = codec(&column, wire_type, &with(ZERO_DATE, options)).unwrap();
            let text = |value: Value| match value {
                Value::Null => "null".to_owned(),
                Value::Int32(number) => number.to_string(),
                Value::Int64(number) => number.to_string(),
                Value::String(text) => text.to_string(),
                other => format!("{other:?}"),
            };
            let schema = &made.schema;
            let is = [
                format!("{}{}", schema.name.as_deref().unwrap_or(""), if schema.optional { "?" } else { "" }),
                schema.default.clone().map_or("-".to_owned(), text),
                text(read(&made, &zero)),
                text(read(&made, &real)),
            ];
            assert_eq!(is, expected, "{options:?} {type_name} {optional} {default:?}");
            let null = made.codec.null().to_owned(&made.schema, &Arena::new()).unwrap();
            assert_eq!(text(null), expected[2], "{options:?} {type_name}");
        };
    const DATE: &str = "io.debezium.time.Date";
    const MILLIS: &str = "io.debezium.time.Timestamp";
    const ZONED: &str = "io.debezium.time.ZonedTimestamp";
    let [date, millis, zoned] = [DATE, MILLIS, ZONED].map(|name| format!("{name}?"));
    let (day, time, moment) = ("19782", "1709208000000", "2024-02-29T12:00:00Z");
    for optional in [false, true] {
        for default in [None, Some("0000-00-00"), Some("2020-01-01")] {
            check(&[], "DATE", optional, default, [&date, "-", "null", day]);
        }
        check(&[], "DATETIME", optional, None, [&millis, "-", "null", time]);
        check(&[("fallback.timestamp", "null")], "TIMESTAMP", optional, None, [&zoned, "-", "null", moment]);
    }
    let values = [
        ("fallback.date", "1970-01-02"),
        ("fallback.datetime", "1970-01-01 00:00:01"),
        ("fallback.timestamp", "1970-01-01T01:00:00.50+01:00"),
    ];
    check(&values, "DATE", false, None, [DATE, "-", "1", day]);
    check(&values, "DATE", false, Some("2020-01-01"), [DATE, "1", "1", day]);
    check(&values, "DATE", true, None, [&date, "-", "1", day]);
    check(&values, "DATETIME", false, Some("0000-00-00 00:00:00"), [MILLIS, "1000", "1000", time]);
    let half = "1970-01-01T00:00:00.5Z";
    check(&values, "TIMESTAMP", false, Some("1970-01-01 00:00:00"), [ZONED, half, half, moment]);
    let last = "9999-12-31T23:59:59Z";
    check(&[("fallback.timestamp", last)], "TIMESTAMP", false, None, [ZONED, "-", last, moment]);
    check(&[("fallback.timestamp", "9999-12-31T22:59:59-01:00")], "TIMESTAMP", false, None, [ZONED, "-", last, moment]);
    // The column before its type.
    let column = [("fallback.date", "1970-01-02"), ("column.d.t.c.fallback", "1970-01-03")];
    check(&column, "DATE", false, None, [DATE, "-", "2", day]);
    let null = [("fallback.date", "1970-01-02"), ("column.d.t.c.fallback", "NULL")];
    check(&null, "DATE", false, None, [&date, "-", "null", day]);
    // What is not chosen keeps its own conversion.
    check(&[("target.types", "datetime")], "DATE", false, None, [DATE, "-", "0", day]);
    check(&[("selector", "other")], "DATE", true, None, [&date, "-", "null", day]);
}

#[test]
fn values_for_zero_dates_that_are_none_are_errors() {
    let check = |option: &'static str, value: &str| {
        let error = build(ZERO_DATE, &[(option, value)]).expect_err(option);
        assert!(matches!(error, BadConverter::Option(bad) if bad.option == option), "{option}={value}");
    };
    check("fallback.date", "2024-02-30");
    check("fallback.date", "1970-01-01 00:00:00");
    check("fallback.datetime", "1970-01-01");
    check("fallback.datetime", "1970-01-01T00:00:00");
    check("fallback.timestamp", "1970-01-01 00:00:00");
    check("fallback.timestamp", "soon");
    check("fallback.timestamp", "1970-01-01T00:00:00");
    check("fallback.timestamp", "1970-01-01T00:00:00+01:00[Europe/Paris]");
    check("target.types", "DATE,TIME");
    let unfit = with(ZERO_DATE, &[("column.d.t.c.fallback", "1970-01-01T00:00:00Z")]);
    let made = codec(&column("DATE", None), w::DATE, &unfit);
    assert!(matches!(made, Err(CodecError::Converter { .. })), "{made:?}");
}

/// Debezium 3.6 takes negative numbers as false, 3.7 takes all but zero as true.
#[test]
fn what_is_true_depends_on_the_generation() {
    for (generation, expected) in [(DebeziumGeneration::V3_6, false), (DebeziumGeneration::V3_7, true)] {
        let options = CodecOptions { generation, ..with(TINY_INT, &[]) };
        let codec = codec(&column("TINYINT", Some(1)), w::TINY, &options).unwrap();
        assert_eq!(read(&codec, &[0xff]), Value::Boolean(expected), "{generation}");
        assert_eq!((read(&codec, &[1]), read(&codec, &[0])), (Value::Boolean(true), Value::Boolean(false)));
    }
}
