//! Promises: for every record in `tests/golden/avro`, our converters write what Kafka Connect's and Confluent's wrote,
//! byte for byte: JSON with and without schema, Avro schema text and body, strings, headers.
//!
//! A record is read from its JSON envelope (which holds schema and value), so new cases are new lines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "support/connect_json.rs"]
mod connect_json;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use connect_json::{schema, value};
use headwater::model::schema::{Kind, Schema};
use headwater::model::value::{Arena, Value};
use headwater::serialize::{Plan, Role, avro, build};
use serde_json::Value as Json;

#[test]
fn cases_made_by_hand_are_written_as_connect_writes_them() {
    check_file("tests/golden/avro/cases.tsv", 88);
}

#[test]
fn debeziums_records_are_written_as_connect_writes_them() {
    check_file("tests/golden/avro/debezium.tsv", 32);
}

/// The Avro bytes are also read back by another implementation, with our schema text.
#[test]
fn another_implementation_reads_the_avro() {
    for path in ["tests/golden/avro/cases.tsv", "tests/golden/avro/debezium.tsv"] {
        for case in cases(path) {
            if case.avro_schema.contains("Wört") {
                continue; // Java takes letters beyond ASCII in names; the specification, and apache-avro, do not.
            }
            let schema = apache_avro::Schema::parse_str(&case.avro_schema)
                .unwrap_or_else(|error| panic!("{path}:{}: {error}", case.line));
            let Some(bytes) = write(&*avro::plan_with_id(&case.schema, 1).unwrap(), &case.value) else { continue };
            if matches!(schema, apache_avro::Schema::Bytes | apache_avro::Schema::Decimal(_)) {
                continue; // Confluent writes such values without their length.
            }
            let mut body = bytes.get(5..).unwrap();
            apache_avro::reader::datum::GenericDatumReader::builder(&schema)
                .build()
                .and_then(|reader| reader.read_value(&mut body))
                .unwrap_or_else(|error| panic!("{path}:{}: {error}", case.line));
            assert!(body.is_empty(), "{path}:{}: bytes are left over", case.line);
        }
    }
}

struct Case {
    line: usize,
    schema: Arc<Schema>,
    value: Value,
    /// With defaults in place of nulls, as `JsonConverter` reads values.
    as_read: Value,
    envelope: String,
    plain: String,
    numeric: String,
    avro_schema: String,
    avro: Vec<u8>,
    string: Vec<u8>,
    header: Vec<u8>,
}

fn cases(path: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [read, envelope, plain, numeric, avro_schema, avro, string, header] = columns[..] else {
                panic!("{path}:{}: {} columns", number + 1, columns.len());
            };
            let json: Json = serde_json::from_str(if read.is_empty() { envelope } else { read }).unwrap();
            let schema = Arc::new(schema(&json["schema"]));
            Case {
                line: number + 1,
                value: value(&schema, &json["payload"], false),
                as_read: value(&schema, &json["payload"], true),
                schema,
                envelope: envelope.into(),
                plain: plain.into(),
                numeric: numeric.into(),
                avro_schema: avro_schema.into(),
                avro: unhex(avro),
                string: unhex(string),
                header: unhex(header),
            }
        })
        .collect()
}

fn check_file(path: &str, count: usize) {
    let cases = cases(path);
    assert_eq!(cases.len(), count, "{path}");
    for case in cases {
        let place = format!("{path}:{}", case.line);
        let json = |settings| text(write(&*plan("JsonConverter", settings, Role::Value, &case.schema), &case.value));
        assert_eq!(json(&[("schemas.enable", "false")]), case.plain, "{place}: without schema");
        assert_eq!(json(&[]), case.envelope, "{place}: with schema");
        let settings = &[("schemas.enable", "false"), ("decimal.format", "numeric")];
        assert_eq!(json(settings), case.numeric, "{place}: numeric decimals");

        assert_eq!(avro::schema_text(&case.schema).unwrap(), case.avro_schema, "{place}: Avro schema");
        let bytes = write(&*avro::plan_with_id(&case.schema, 0x0102_0304).unwrap(), &case.value);
        if let Some(bytes) = bytes {
            let mut expected = vec![0, 1, 2, 3, 4];
            // Confluent's serializer writes a record value that is plain bytes without its length.
            let bare = case.schema.kind == Kind::Bytes && !case.schema.optional;
            expected.extend_from_slice(if bare { &case.avro[1..] } else { &case.avro });
            assert_eq!(hex(&bytes), hex(&expected), "{place}: Avro");
        } else {
            assert_eq!(case.value, Value::Null, "{place}: Avro wrote nothing");
        }

        let string = write(&*plan("StringConverter", &[], Role::Value, &case.schema), &case.as_read);
        assert_eq!(text(string), text(Some(case.string)), "{place}: StringConverter");
        let header = write(&*plan("SimpleHeaderConverter", &[], Role::Header, &case.schema), &case.as_read);
        assert_eq!(text(header), text(Some(case.header)), "{place}: SimpleHeaderConverter");
    }
}

fn plan(class: &str, settings: &[(&str, &str)], role: Role, schema: &Arc<Schema>) -> Arc<dyn Plan> {
    let config: BTreeMap<String, String> = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let stop = Arc::new(AtomicBool::new(false));
    build(&config, class, role, &stop).unwrap().prepare("topic", Some(schema)).unwrap()
}

fn write(plan: &dyn Plan, value: &Value) -> Option<Vec<u8>> {
    let (arena, mut out) = (Arena::new(), Vec::new());
    plan.write(&value.borrow(&arena), &arena, &mut out).unwrap().then_some(out)
}

fn text(bytes: Option<Vec<u8>>) -> String {
    String::from_utf8(bytes.unwrap_or_default()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
