//! Every column type as Debezium 3.6.3 writes it, in six sets of options.
//!
//! Recorded with Debezium's embedded engine (`io.debezium:debezium-connector-postgres` and `debezium-embedded`
//! 3.6.3.Final, pgjdbc 42.7.13, Connect 4.3.0, Java 17) on PostgreSQL 15.18 with hstore, citext, ltree, isn and cube, and
//! stand-ins for PostGIS's and pgvector's types that have their names and text: `tables.sql` first, then the engines with
//! `snapshot.mode=no_data` and `plugin.name=pgoutput`, each with a slot of its own, then `rows.sql`, so that everything
//! came by the stream. `server.json` has the rows of [`TYPES_QUERY`], the columns of `pg_attribute`, and the cells as
//! `COPY TO` writes them, which is what pgoutput sends. `debezium.N.json` has for each table the schema and the rows
//! (operation, image). Engine 5 ran in the time zone America/New_York, the others in UTC.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use super::*;
use crate::model::value::Arena;
use crate::source::codec::as_json::{same, schema_json, value_json};

/// The options of each engine.
fn options(number: &str) -> CodecOptions {
    let mut options = CodecOptions::default();
    match number {
        "1" => {}
        "2" => {
            options.time_precision = TimePrecisionMode::AdaptiveTimeMicroseconds;
            options.decimal = DecimalHandlingMode::String;
            options.binary = BinaryHandlingMode::Base64;
            options.hstore = HstoreHandlingMode::Map;
            options.interval = IntervalHandlingMode::String;
            options.include_unknown_datatypes = true;
        }
        "3" => {
            options.time_precision = TimePrecisionMode::Connect;
            options.decimal = DecimalHandlingMode::Double;
            options.binary = BinaryHandlingMode::Hex;
            options.include_schema_comments = true;
            options.include_unknown_datatypes = true;
        }
        "4" => {
            options.time_precision = TimePrecisionMode::IsoString;
            options.binary = BinaryHandlingMode::Base64UrlSafe;
            options.include_unknown_datatypes = true;
            options.unavailable_value_placeholder = "gone".into();
            options.hstore = HstoreHandlingMode::Map;
        }
        "5" => {
            options.time_precision = TimePrecisionMode::Microseconds;
            options.money_fraction_digits = 4;
            options.include_unknown_datatypes = true;
        }
        "6" => {
            options.time_precision = TimePrecisionMode::Nanoseconds;
            options.converting_failure = EventConvertingFailureHandlingMode::Skip;
        }
        _ => panic!("no engine {number}"),
    }
    options
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/postgres_types")
}

fn read(name: &str) -> Map<String, Json> {
    serde_json::from_str(&std::fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

fn types(server: &Map<String, Json>) -> Types {
    let row = |row: &'_ Json| -> Vec<Option<String>> {
        row.as_array().unwrap().iter().map(|field| field.as_str().map(str::to_owned)).collect()
    };
    let rows: Vec<_> = server["types"].as_array().unwrap().iter().map(row).collect();
    Types::from_rows(rows.iter().map(|row| std::array::from_fn(|place| row[place].as_deref()))).unwrap()
}

/// A column of a table, and how it is read where Debezium shows it.
struct Made {
    column: Column,
    codec: Option<ColumnCodec>,
}

fn columns(table: &str, server: &Map<String, Json>, types: &Types, options: &CodecOptions) -> Vec<Made> {
    let id = TableId { catalog: "postgres".into(), schema: Some("types".into()), table: table.into() };
    let make = |found: &Json| {
        let oid = u32::try_from(found["oid"].as_u64().unwrap()).unwrap();
        let modifier = i32::try_from(found["modifier"].as_i64().unwrap()).unwrap();
        let pg = PgColumn { type_oid: oid, type_modifier: modifier };
        let mut column = describe(types, pg);
        column.name = found["name"].as_str().unwrap().to_owned();
        column.optional = found["optional"].as_bool().unwrap();
        column.default_value_expression = found["default"].as_str().map(str::to_owned);
        column.has_default_value = column.default_value_expression.is_some();
        column.comment = Some("a comment".into());
        let codec = column_codec(&id, &column, pg, types, options).unwrap();
        Made { column, codec }
    };
    server["tables"][table]["columns"].as_array().unwrap().iter().map(make).collect()
}

/// What a cell becomes; `None` for a value that cannot be converted, where Debezium has null or no event.
fn field(codec: &ColumnCodec, cell: &Json) -> Option<Json> {
    let arena = Arena::new();
    let value = match cell.as_str() {
        Some("\u{1}absent") => codec.codec.absent_in(&arena),
        Some(text) => codec.codec.decode(text.as_bytes(), &arena).ok()?,
        None => codec.codec.null(),
    };
    // Connect's JSON converter writes a null as the default that its schema has.
    let value = value.or_default(&codec.schema, &arena);
    Some(value_json(&value.to_owned(&codec.schema, &arena).unwrap(), &codec.schema))
}

/// Where we differ on purpose: table, column, row, and why.
type Exception = (&'static str, &'static str, Option<u64>, &'static str);

const EXCEPTIONS: &[Exception] = &[
    ("plain", "n", None, "Debezium has null for NAME, unless include.unknown.datatypes is set"),
    ("defaults", "nm", None, "the same"),
    ("nets", "iv", None, "Debezium has an empty list for INT2VECTOR"),
    ("nets", "ov", None, "Debezium has an empty list for OIDVECTOR"),
    ("arrays", "tm", None, "Debezium cuts elements of TIME arrays to milliseconds"),
    ("r_atime", "v", None, "the same, and takes 24:00:00 for 00:00:00"),
    ("r_atime", "z", None, "Debezium cuts elements of TIMETZ arrays to seconds"),
    ("arrays", "tz", None, "the same"),
    ("r_adate", "v", None, "Debezium reads elements of DATE arrays in the Julian calendar, and loses the era"),
    ("r_ats", "v", None, "the same for TIMESTAMP, and shifts those that the time zone skips"),
    ("r_atstz", "v", None, "the same for TIMESTAMPTZ, and the infinities are no longer such"),
    (
        "r_anum",
        "v",
        Some(1),
        "Debezium has null for an array with NaN, also where decimal.handling.mode has a value for it",
    ),
    ("r_anum", "v", Some(4), "the same for Infinity"),
    ("r_anum", "w", Some(2), "the same"),
    ("r_alt", "v", Some(1), "Debezium has null for an array of LTREE that has a NULL"),
    ("r_tdims", "v", Some(1), "Debezium writes the address of a Java object for a list in a list"),
    ("r_jdims", "v", Some(1), "the same"),
];

/// Columns of one engine whose schema, too, differs on purpose: engine, table, column, and why.
const OTHER_ZONE: &[(&str, &str, &str, &str)] =
    &[("5", "defaults", "ts7", "Debezium takes a default with an offset into the time zone of its own process")];

#[derive(Default)]
struct Comparison {
    compared: usize,
    differences: Vec<String>,
}

impl Comparison {
    fn check(&mut self, table: &str, column: &str, row: Option<u64>, ours: &Json, theirs: &Json) {
        self.compared += 1;
        let known = |(of, name, at, _): &Exception| *of == table && *name == column && (at.is_none() || *at == row);
        let excused = row.is_some() && EXCEPTIONS.iter().any(known);
        if !(excused || same(ours, theirs)) {
            self.differences.push(format!("{table}.{column} row {row:?}\n  ours   {ours}\n  theirs {theirs}"));
        }
    }
}

fn compare_schema(comparison: &mut Comparison, table: &str, made: &[Made], theirs: &Json, number: &str) {
    let names = |fields: Vec<Json>| Json::Array(fields);
    let ours: Vec<_> = made.iter().filter(|made| made.codec.is_some()).collect();
    let theirs = theirs.as_array().unwrap();
    let ours_names = names(ours.iter().map(|made| json!(made.column.name)).collect());
    comparison.check(
        table,
        "*",
        None,
        &ours_names,
        &names(theirs.iter().map(|field| field["field"].clone()).collect()),
    );
    for (made, theirs) in ours.iter().zip(theirs) {
        let (Some(codec), column) = (&made.codec, &made.column) else { continue };
        let mut ours = schema_json(&codec.schema);
        ours["field"] = json!(column.name);
        if number == "2" {
            // The engine propagated the source's types, which `source/layout` does; here they hold `describe` to it.
            let parameters = [
                ("type", column.type_name.to_uppercase()),
                ("length", column.length.unwrap().to_string()),
                ("scale", column.scale.unwrap().to_string()),
                ("name", column.name.clone()),
            ];
            for (name, value) in parameters {
                ours["parameters"][format!("__debezium.source.column.{name}")] = json!(value);
            }
        }
        if !OTHER_ZONE.iter().any(|(of, at, name, _)| *of == number && *at == table && *name == column.name) {
            comparison.check(table, &column.name, None, &ours, theirs);
        }
    }
}

/// The cells of a row: of an inserted one what was inserted, of a deleted one the key, of an updated one what the server
/// sends when nothing but `n` has changed.
fn cells(table: &Json, operation: &str, id: &Json, columns: usize, in_new_york: bool) -> Vec<Json> {
    let first = json!(id.to_string());
    if operation == "d" {
        return std::iter::once(first).chain(std::iter::repeat_n(Json::Null, columns - 1)).collect();
    }
    if table["unchanged"] == json!(true) {
        let rest = if *id == json!(1) { json!("\u{1}absent") } else { Json::Null };
        let mut cells = vec![first, json!("2")];
        cells.resize(columns, rest);
        if *id == json!(2) {
            let end = cells.len();
            (cells[end - 2], cells[end - 1]) = (json!("{}"), json!(""));
        }
        return cells;
    }
    let rows = if in_new_york && !table["rows_in_new_york"].is_null() { "rows_in_new_york" } else { "rows" };
    let rows = table[rows].as_array().unwrap();
    rows.iter().find(|row| row[0] == first).unwrap().as_array().unwrap().clone()
}

fn check(number: &str) {
    let server = read("server.json");
    let types = types(&server);
    let options = options(number);
    let mut comparison = Comparison::default();
    for (table, theirs) in &read(&format!("debezium.{number}.json")) {
        let made = columns(table, &server, &types, &options);
        compare_schema(&mut comparison, table, &made, &theirs["schema"], number);
        for row in theirs["rows"].as_array().unwrap() {
            let (operation, image) = (row[0].as_str().unwrap(), &row[1]);
            let other = |made: &&Made| {
                !OTHER_ZONE.iter().any(|(of, at, name, _)| *of == number && at == table && *name == made.column.name)
            };
            let cells = cells(&server["tables"][table], operation, &image["id"], made.len(), number == "5");
            for (made, cell) in made.iter().zip(&cells).filter(|(made, _)| other(made)) {
                let Some(codec) = made.codec.as_ref().filter(|_| *cell != json!("\u{1}volatile")) else { continue };
                let ours = field(codec, cell).unwrap_or(Json::Null);
                comparison.check(table, &made.column.name, image["id"].as_u64(), &ours, &image[&made.column.name]);
            }
        }
    }
    let Comparison { compared, differences } = comparison;
    assert!(differences.is_empty(), "{} of {compared} differ\n{}", differences.len(), differences.join("\n"));
    assert!(compared > 1_000, "too little was compared: {compared}");
}

#[test]
fn as_debezium_writes_them_by_default() {
    check("1");
}

#[test]
fn as_debezium_writes_them_as_text_and_with_unknown_types() {
    check("2");
}

#[test]
fn as_debezium_writes_them_in_connects_types_and_hex() {
    check("3");
}

#[test]
fn as_debezium_writes_them_as_iso_8601() {
    check("4");
}

#[test]
fn as_debezium_writes_them_in_microseconds_and_another_time_zone() {
    check("5");
}

#[test]
fn as_debezium_writes_them_in_nanoseconds() {
    check("6");
}
