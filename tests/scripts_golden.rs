//! Promises: what Debezium 3.6's Filter and ContentBasedRouter make of the records in `tests/golden/scripts/records.jsonl`
//! with Groovy 4.0.17 and GraalJS 25, ours make of them: kept, left out, sent to the same topic, or failed. An expression
//! that is not translated is refused at start or fails the record, and is marked so in `cases.jsonl`; no other does.
//! `Oracle.java` beside the cases fills in what Debezium makes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

#[path = "support/connect_json.rs"]
mod connect_json;

use std::collections::BTreeMap;
use std::sync::Arc;

use connect_json::{Part, read};
use headwater::error::Coded;
use headwater::model::record::{Header, Record};
use headwater::model::value::Arena;
use headwater::transform::{self, Target, Transform};
use headwater::util::class_options::Options;
use serde_json::{Value as Json, json};

struct Sample {
    topic: Arc<str>,
    key: Part,
    value: Part,
    headers: Vec<(String, Part)>,
}

fn lines(file: &str) -> Vec<Json> {
    let text = std::fs::read_to_string(format!("tests/golden/scripts/{file}")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn scripts_give_what_debezium_gives() {
    let samples: BTreeMap<String, Sample> = lines("records.jsonl").iter().map(sample).collect();
    let (mut wrong, mut refused, mut count) = (Vec::new(), 0, 0);
    for case in lines("cases.jsonl") {
        let made = match build(&case) {
            Ok(transform) => check(&*transform, &case, &samples),
            Err(1011) => {
                refused += 1;
                json!("refused")
            }
            Err(code) => json!(format!("refused with code {code}")),
        };
        count += 1;
        let equal = match (case["refused"] == true, case["failed"] == true) {
            (true, _) => made == "refused",
            (false, true) => only_fails(&made, &case["out"]),
            // What fails with every record may as well be refused.
            (false, false) => made == case["out"] || made == "refused" && only_fails(&case["out"], &json!({})),
        };
        if !equal {
            wrong.push(format!("{case}\n  ours: {made}"));
        }
    }
    assert!(count > 750 && refused < 260, "{count} cases, {refused} refused");
    assert!(wrong.is_empty(), "{} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether each record gives the same or fails.
fn only_fails(made: &Json, debezium: &Json) -> bool {
    made.as_object().is_some_and(|made| made.iter().all(|(name, out)| out == "error" || *out == debezium[name]))
}

fn sample(json: &Json) -> (String, Sample) {
    let header = |header: &Json| (header[0].as_str().unwrap().to_owned(), read(&header[1]));
    let sample = Sample {
        topic: json["topic"].as_str().unwrap().into(),
        key: read(&json["key"]),
        value: read(&json["value"]),
        headers: json["headers"].as_array().unwrap().iter().map(header).collect(),
    };
    (json["name"].as_str().unwrap().to_owned(), sample)
}

fn build(case: &Json) -> Result<Box<dyn Transform>, u16> {
    let filter = case["filter"].is_string();
    let (class, option, expression) = if filter {
        ("Filter", "condition", &case["filter"])
    } else {
        ("ContentBasedRouter", "topic.expression", &case["route"])
    };
    let mut options = BTreeMap::from([
        ("language".to_owned(), case["language"].as_str().unwrap().to_owned()),
        (option.to_owned(), expression.as_str().unwrap().to_owned()),
    ]);
    if let Some(nulls) = case["nulls"].as_str() {
        options.insert("null.handling.mode".to_owned(), nulls.to_owned());
    }
    let (spec, _) = transform::find(&format!("io.debezium.transforms.{class}")).unwrap();
    (spec.build)(&Options::new(&options), Target::Record).map_err(|error| error.code().number)
}

fn check(transform: &dyn Transform, case: &Json, samples: &BTreeMap<String, Sample>) -> Json {
    let filter = case["filter"].is_string();
    let mut out = serde_json::Map::new();
    for name in case["out"].as_object().unwrap().keys() {
        let (sample, arena) = (&samples[name], Arena::new());
        let headers: Vec<Header<'_>> =
            sample.headers.iter().map(|(name, part)| Header { name, value: part.borrow(&arena) }).collect();
        let record = Record {
            topic: &sample.topic,
            partition: None,
            key: sample.key.borrow(&arena),
            value: sample.value.borrow(&arena),
            headers: &headers,
            context_headers: false,
            timestamp: None,
        };
        let made = match transform.apply(record, &arena) {
            Err(_) => json!("error"),
            Ok(made) if filter => json!(made.is_some()),
            Ok(Some(record)) => json!(format!("to {}", record.topic)),
            Ok(None) => Json::Null,
        };
        out.insert(name.clone(), made);
    }
    Json::Object(out)
}
