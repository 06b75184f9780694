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

#[path = "support/connect_json.rs"]
mod connect_json;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use connect_json::{Part, read};
use headwater::model::record::{Header, Record, Typed};
use headwater::model::value::Arena;
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
