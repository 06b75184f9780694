//! A binlog of every type, and what Debezium made of it.
//!
//! `tests/golden/types/<server>.binlog` is a server's binlog file as it is; `<server>.<n>.json` holds, for each
//! table, the schemas and rows that Debezium wrote to Kafka while it was made, in the variant `n` of [`VARIANTS`].
//! Here the same file goes through our decoder, our DDL tracker and our codecs, and every schema and every value
//! has to come out the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use super::super::ddl::{Flavor, NameCase, Schema as Tracked, StatementContext};
use super::super::event::{self, Event, Format, Rows, TableMap};
use super::super::tables::{Captured, LayoutMaker, table_id};
use super::*;
use crate::model::modes::{HashVersion, SchemaNameAdjustmentMode};
use crate::model::row::{ColumnLayout, Row, RowCells};
use crate::model::value::{Arena, StructView};
use crate::source::codec::as_json::{same, schema_json, value_json};
use crate::source::layout::{ColumnRule, Mask};
use crate::util::digest::Digest;
use crate::util::java_regex::{CompiledFilter, RegexList};

/// The settings of each variant, as its Debezium connector had them.
fn variant(number: &str) -> Layouts {
    let list = |text: &str| RegexList::parse(text).unwrap();
    let mut layouts = Layouts::default();
    let (codecs, columns) = (&mut layouts.codecs, &mut layouts.columns);
    codecs.invalid_dates = EventProcessingFailureHandlingMode::Warn;
    match number {
        "1" => {}
        "2" => {
            codecs.decimal = DecimalHandlingMode::String;
            codecs.time_precision = TimePrecisionMode::IsoString;
            codecs.binary = BinaryHandlingMode::Base64;
            codecs.bigint_unsigned = BigIntUnsignedHandlingMode::Precise;
            codecs.include_schema_comments = true;
        }
        "3" => {
            codecs.decimal = DecimalHandlingMode::Double;
            codecs.time_precision = TimePrecisionMode::Connect;
            codecs.binary = BinaryHandlingMode::Hex;
            codecs.enable_time_adjuster = false;
        }
        "4" => {
            codecs.time_precision = TimePrecisionMode::Microseconds;
            codecs.binary = BinaryHandlingMode::Base64UrlSafe;
            columns.propagate_columns = Some(list(".*"));
            columns.field_names = SchemaNameAdjustmentMode::Avro;
        }
        "5" => {
            codecs.time_precision = TimePrecisionMode::Nanoseconds;
            columns.propagate_types = Some(list(r".*\.(INT|VARCHAR)"));
            let hash = |digest: &str, salt: &str, version| Mask::Hash {
                digest: Digest::named(digest).unwrap(),
                salt: salt.as_bytes().into(),
                version,
            };
            columns.rules = vec![
                rule("types.texts.(v|t|vb),types.bytes.(vb|bl)", Mask::Truncate(2)),
                rule("types.texts.(c|e|l1|lt)", Mask::Asterisks(3)),
                rule("types.texts.(cn|nv|tt|s)", hash("SHA-256", "CzQMA0cB5K", HashVersion::V1)),
                rule("types.texts.(vn|u16|tn|en)", hash("MD5", "abc", HashVersion::V2)),
            ];
            columns.key_columns =
                ["types.texts.c", "types.texts.en", "types.bytes.id", "types.bytes.vbn"].map(list).into();
            columns.columns =
                CompiledFilter { include: None, exclude: Some(list("types.reals.(d10|f),types.defaults.id")) };
        }
        _ => panic!("no variant {number}"),
    }
    layouts
}

fn rule(columns: &str, mask: Mask) -> ColumnRule {
    ColumnRule { columns: RegexList::parse(columns).unwrap(), mask }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/types")
}

/// A table as Debezium's JSON has it.
#[derive(Default)]
struct Made {
    key: Json,
    value: Json,
    rows: Vec<(Json, Json)>,
}

/// Goes through a binlog file and gives what our codecs make of it, table by table.
fn replay(server: &str, flavor: Flavor, layouts: &Layouts) -> HashMap<String, Made> {
    let file = std::fs::read(folder().join(format!("{server}.binlog"))).unwrap();
    let mut rest = file.strip_prefix(b"\xfebin").expect("a binlog file");
    let mut format = Format::initial(event::ChecksumAlgorithm::None);
    let mut tracked = Tracked::new(NameCase::default());
    tracked.set_database_charset("types", "utf8mb4");
    let mut tables: HashMap<u64, Captured> = HashMap::new();
    let mut made: HashMap<String, Made> = HashMap::new();
    while rest.len() >= event::HEADER_LENGTH {
        let size = u32::from_le_bytes(rest[9..13].try_into().unwrap()) as usize;
        let (one, behind) = rest.split_at(size);
        rest = behind;
        match event::decode(one, &format).unwrap() {
            Event::FormatDescription(found) => format = *found,
            Event::Query(query) => {
                let database = std::str::from_utf8(query.schema).unwrap();
                let context = StatementContext { database, flavor, ..StatementContext::default() };
                tracked.apply(query.statement(&mut Vec::new()).unwrap(), &context).unwrap();
            }
            Event::TableMap(map) => {
                if let Some(captured) = captured(&map, &tracked, layouts, &mut made) {
                    tables.insert(map.table_id, captured);
                }
            }
            Event::Rows(rows) => {
                if let Some(captured) = tables.get_mut(&rows.table_id) {
                    read_rows(captured, &rows, &mut made);
                }
            }
            _ => {}
        }
    }
    made
}

fn captured(
    map: &TableMap<'_>,
    tracked: &Tracked,
    layouts: &Layouts,
    made: &mut HashMap<String, Made>,
) -> Option<Captured> {
    let id = table_id(map);
    if &*id.catalog != "types" {
        return None;
    }
    let table = tracked.table(&id).unwrap_or_else(|| panic!("{id} is not tracked"));
    let columns = map.metadata().unwrap().columns().unwrap();
    let layout = layouts.layout(table, &columns).unwrap_or_else(|failure| panic!("{failure}"));
    let fields = |columns: &[ColumnLayout]| {
        let fields = columns.iter().map(|column| {
            let mut schema = schema_json(&column.schema);
            schema["field"] = json!(&*column.name);
            schema
        });
        Json::Array(fields.collect())
    };
    let entry = made.entry(id.table.to_string()).or_default();
    entry.value = fields(&layout.columns);
    entry.key = if layout.key.is_empty() { Json::Null } else { fields(&layout.key) };
    Some(Captured::new(map, Arc::new(layout)))
}

fn read_rows(captured: &mut Captured, rows: &Rows<'_>, made: &mut HashMap<String, Made>) {
    let walk = captured.walk(rows).unwrap();
    let mut scratch = Vec::new();
    let body = rows.body(&mut scratch).unwrap();
    let (mut cells, mut at) = (RowCells::default(), 0);
    let entry = made.get_mut(&*captured.layout.id.table).unwrap();
    while let Some(next) = walk.next_row(body, at, &mut cells).unwrap() {
        let row = Row { layout: &captured.layout, bytes: body, cells: &cells.after };
        let key =
            if captured.layout.key.is_empty() { Ok(Json::Null) } else { struct_json(&row.key(), &captured.layout.key) };
        // A value that null cannot stand for stops Debezium's event, and ours.
        if let (Ok(key), Ok(value)) = (key, struct_json(&row, &captured.layout.columns)) {
            entry.rows.push((key, value));
        }
        at = next;
    }
}

fn struct_json(view: &dyn StructView, columns: &[ColumnLayout]) -> Result<Json, crate::model::value::ValueError> {
    let arena = Arena::new();
    let mut fields = Map::new();
    for (index, column) in columns.iter().enumerate() {
        let value = view.field(index, &arena)?.to_owned(&column.schema, &arena)?;
        fields.insert(column.name.to_string(), value_json(&value, &column.schema));
    }
    Ok(Json::Object(fields))
}

/// Where we differ on purpose: the table, the column, and why.
type Exception = (&'static str, &'static str, &'static str);

fn check(server: &str, flavor: Flavor, number: &str, exceptions: &[Exception]) -> Result<usize, String> {
    let text = std::fs::read_to_string(folder().join(format!("{server}.{number}.json"))).unwrap();
    let golden: Map<String, Json> = serde_json::from_str(&text).unwrap();
    let made = replay(server, flavor, &variant(number));
    let mut differences = Vec::new();
    let mut compared = 0;
    let mut compare = |place: String, ours: &Json, theirs: &Json| {
        compared += 1;
        let known = |(table, column, _): &Exception| place.starts_with(table) && place.ends_with(column);
        if !same(ours, theirs) && !exceptions.iter().any(known) {
            differences.push(format!("{place}\n  ours   {ours}\n  theirs {theirs}"));
        }
    };
    for (table, golden) in &golden {
        let made = made.get(table).unwrap_or_else(|| panic!("no table {table}"));
        for part in ["key", "value"] {
            let (ours, theirs) = (if part == "key" { &made.key } else { &made.value }, &golden[part]);
            let count = ours.as_array().map_or(0, Vec::len).max(theirs.as_array().map_or(0, Vec::len));
            for index in 0..count {
                let name = theirs[index]["field"].as_str().unwrap_or("?");
                compare(format!("{table} {part} schema {name}"), &ours[index], &theirs[index]);
            }
        }
        let theirs = golden["rows"].as_array().unwrap();
        compare(format!("{table} rows"), &json!(made.rows.len()), &json!(theirs.len()));
        for (row, theirs) in theirs.iter().enumerate() {
            // Debezium's rows stand in the order of the key; ours in that of the log.
            let found =
                made.rows.iter().find(|(_, value)| value["id"] == theirs[1]["id"] && !theirs[1]["id"].is_null());
            let Some((key, value)) = found.or_else(|| made.rows.get(row)) else { continue };
            compare(format!("{table} row {row} key"), key, &theirs[0]);
            for (name, theirs) in theirs[1].as_object().unwrap() {
                compare(format!("{table} row {row} {name}"), &value[name], theirs);
            }
        }
    }
    if differences.is_empty() {
        return Ok(compared);
    }
    Err(format!("{server}.{number}: {} of {compared} differ\n{}\n", differences.len(), differences.join("\n")))
}

fn check_all(server: &str, flavor: Flavor, exceptions: &[Exception]) {
    let results: Vec<_> = ["1", "2", "3", "4", "5"].map(|number| check(server, flavor, number, exceptions)).into();
    let errors: String = results.iter().filter_map(|result| result.as_ref().err()).cloned().collect();
    assert!(errors.is_empty(), "{errors}");
    assert!(results.into_iter().flatten().all(|compared| compared > 500), "too little was compared");
}

#[test]
fn mysql_9_7_as_debezium_writes_it() {
    let exceptions = [
        ("bytes", " cby", "CHAR BYTE is BINARY, which Debezium reads as text"),
        ("texts", " cb", "CHAR CHARACTER SET binary is BINARY, which Debezium reads as text"),
        ("texts", " vn", "Debezium drops a hash where the source type is propagated, and writes the clear text"),
        ("texts", " u16", "the same"),
    ];
    check_all("mysql-9.7", Flavor::MySql, &exceptions);
}

#[test]
fn mariadb_11_8_as_debezium_writes_it() {
    let exceptions = [
        // The newest Debezium for MariaDB that could be had was 3.5.0; 3.6.1 has mended the first two.
        ("integers", " i4", "INTEGER UNSIGNED was not known as INT UNSIGNED"),
        ("times row 3", "", "a zero TIMESTAMP was the epoch, and not no value"),
        ("charsets", " cp932", "its character set was not known, and the text was lost"),
        ("texts", " cb", "CHAR CHARACTER SET binary is BINARY, which Debezium reads as text"),
        ("marias row 0", " u", "Debezium puts zero bytes that the server took off the end of a UUID at its front"),
        ("texts", " vn", "Debezium drops a hash where the source type is propagated, and writes the clear text"),
        ("texts", " u16", "the same"),
    ];
    check_all("mariadb-11.8", Flavor::MariaDb, &exceptions);
}
