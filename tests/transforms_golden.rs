//! Promises: for every record in `tests/golden/transforms/cases.jsonl`, our transforms make what Kafka Connect 4.3.1's own
//! classes made of it: topic, partition, time, headers, key and value with their schemas, byte for byte as its
//! `JsonConverter` writes them, or an error where it gave one. `Oracle.java` beside the cases fills in what Connect makes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use headwater::model::record::{Header, Record, Typed};
use headwater::model::schema::{Field, Kind, Schema};
use headwater::model::value::{Arena, Value};
use headwater::serialize::{Role, build};
use headwater::transform::{self, TransformError, predicate};
use headwater::util::class_options::Options;
use serde_json::{Value as Json, json};

/// Class, option and value that are refused here and not by Connect: none of them can do any good.
const DIFFERENT: &[(&str, &str, &str)] = &[("RegexRouter", "replacement", "")];

#[test]
fn records_come_out_as_connects_transforms_make_them() {
    let text = std::fs::read_to_string("tests/golden/transforms/cases.jsonl").unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (number, line) in text.lines().enumerate() {
        let case: Json = serde_json::from_str(line).unwrap();
        count += 1;
        let made = check(&case);
        if made != case["out"] && !(is_known(&case) && made == "error") {
            let (class, options) = (&case["class"], &case["options"]);
            wrong.push(format!(
                "line {}: {class} {options}\n  connect: {}\n  ours:    {made}",
                number + 1,
                case["out"]
            ));
        }
    }
    assert!(count > 900, "{count} cases");
    assert!(wrong.is_empty(), "{} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}

fn is_known(case: &Json) -> bool {
    let class = case["class"].as_str().unwrap();
    DIFFERENT.iter().any(|(name, option, value)| class.ends_with(name) && case["options"][option] == *value)
}

/// What a case gives: a record, null, true or false, or `"error"`.
fn check(case: &Json) -> Json {
    match run(case) {
        Ok(made) => made,
        Err(_) => json!("error"),
    }
}

fn run(case: &Json) -> Result<Json, TransformError> {
    let options: BTreeMap<String, String> =
        case["options"].as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned())).collect();
    let class = case["class"].as_str().unwrap();
    let arena = Arena::new();
    let topic: Arc<str> = case["topic"].as_str().unwrap_or("s.db.t").into();
    let (key, value) = (read(&case["key"]), read(&case["value"]));
    let headers: Vec<(String, Part)> = case["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| (header[0].as_str().unwrap().to_owned(), read(&header[1])))
        .collect();
    let headers: Vec<Header<'_>> =
        headers.iter().map(|(name, part)| Header { name, value: part.borrow(&arena) }).collect();
    let record = Record {
        topic: &topic,
        partition: case["partition"].as_i64().map(|partition| partition as i32),
        key: key.borrow(&arena),
        value: value.borrow(&arena),
        headers: &headers,
        context_headers: false,
        timestamp: case["timestamp"].as_i64(),
    };
    if class.contains(".predicates.") {
        let asked = (predicate::find(class).unwrap().build)(&Options::new(&options))?;
        return Ok(json!(asked.test(&record)?));
    }
    let (spec, target) = transform::find(class).unwrap();
    let made = (spec.build)(&Options::new(&options), target)?;
    let Some(record) = made.apply(record, &arena)? else { return Ok(Json::Null) };
    let written: Vec<Json> = record
        .headers
        .iter()
        .map(|header| Ok(json!([header.name, write(&header.value, &arena)?])))
        .collect::<Result<_, TransformError>>()?;
    Ok(json!({
        "topic": &**record.topic,
        "partition": record.partition,
        "timestamp": record.timestamp,
        "key": write(&record.key, &arena)?,
        "value": write(&record.value, &arena)?,
        "headers": written,
    }))
}

/// As `JsonConverter` writes it; what it cannot write is an error, as in Connect.
fn write(part: &Typed<'_>, arena: &Arena) -> Result<Json, TransformError> {
    if part.schema.is_none() && matches!(part.value, headwater::model::value::ValueRef::Null) {
        return Ok(Json::Null);
    }
    let config = BTreeMap::from([
        ("schemas.enable".to_owned(), "true".to_owned()),
        ("replace.null.with.default".to_owned(), "false".to_owned()),
    ]);
    let unwritten = |error: &dyn std::fmt::Display| TransformError::Record { reason: error.to_string() };
    let plan = build(&config, "JsonConverter", Role::Value, &Arc::new(AtomicBool::new(false))).unwrap();
    let plan = plan.prepare("t", part.schema).map_err(|error| unwritten(&error))?;
    let mut out = Vec::new();
    let some = plan.write(&part.value, arena, &mut out).map_err(|error| unwritten(&error))?;
    Ok(if some { json!(String::from_utf8(out).unwrap()) } else { Json::Null })
}

/// A key, value or header, owned.
struct Part {
    schema: Option<Arc<Schema>>,
    value: Value,
}

impl Part {
    fn borrow<'a>(&'a self, arena: &'a Arena) -> Typed<'a> {
        Typed { schema: self.schema.as_ref(), value: self.value.borrow(arena) }
    }
}

fn read(json: &Json) -> Part {
    if json.is_null() {
        return Part { schema: None, value: Value::Null };
    }
    let schema = schema(&json["schema"]);
    let value = value(&schema, &json["payload"]);
    Part { schema: Some(Arc::new(schema)), value }
}

/// Reads a schema as `JsonConverter.asConnectSchema` does.
fn schema(json: &Json) -> Schema {
    let inner = |name: &str| Arc::new(schema(&json[name]));
    let kind = match json["type"].as_str().unwrap() {
        "boolean" => Kind::Boolean,
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "float" => Kind::Float32,
        "double" => Kind::Float64,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "array" => Kind::Array(inner("items")),
        "map" => Kind::Map(inner("keys"), inner("values")),
        "struct" => {
            let fields = json["fields"].as_array().unwrap();
            Kind::Struct(
                fields.iter().map(|field| Field::new(field["field"].as_str().unwrap(), schema(field))).collect(),
            )
        }
        other => panic!("type {other}"),
    };
    let mut made = Schema::new(kind);
    made.optional = json["optional"].as_bool().unwrap_or(false);
    made.name = json["name"].as_str().map(Arc::from);
    made.version = json["version"].as_i64().map(|version| version as i32);
    made.doc = json["doc"].as_str().map(Arc::from);
    for (name, value) in json["parameters"].as_object().into_iter().flatten() {
        made = made.parameter(name, value.as_str().unwrap());
    }
    made.default = json.get("default").map(|default| value(&made, default));
    made
}

fn value(schema: &Schema, json: &Json) -> Value {
    if json.is_null() {
        return Value::Null;
    }
    match &schema.kind {
        Kind::Boolean => Value::Boolean(json.as_bool().unwrap()),
        Kind::Int8 => Value::Int8(json.as_i64().unwrap() as i8),
        Kind::Int16 => Value::Int16(json.as_i64().unwrap() as i16),
        Kind::Int32 => Value::Int32(json.as_i64().unwrap() as i32),
        Kind::Int64 => Value::Int64(json.as_i64().unwrap()),
        Kind::Float32 => Value::Float32(json.to_string().parse().unwrap()),
        Kind::Float64 => Value::Float64(json.as_f64().unwrap()),
        Kind::String => Value::text(json.as_str().unwrap()),
        Kind::Bytes => {
            Value::Bytes(base64::engine::general_purpose::STANDARD.decode(json.as_str().unwrap()).unwrap().into())
        }
        Kind::Array(items) => Value::Array(json.as_array().unwrap().iter().map(|item| value(items, item)).collect()),
        Kind::Map(keys, values) => Value::Map(match json {
            Json::Object(members) => {
                members.iter().map(|(key, item)| (Value::text(key), value(values, item))).collect()
            }
            pairs => {
                pairs.as_array().unwrap().iter().map(|pair| (value(keys, &pair[0]), value(values, &pair[1]))).collect()
            }
        }),
        Kind::Struct(fields) => {
            Value::Struct(fields.iter().map(|field| value(&field.schema, &json[&*field.name])).collect())
        }
    }
}
