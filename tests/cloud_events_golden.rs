//! Promises: for every record in `tests/golden/cloud_events/cases.jsonl`, our CloudEventsConverter writes the bytes that
//! Debezium's writes (3.6.1 with MySQL's connector, 3.5.0 with MariaDB's), a record without a value where it does, or fails
//! where it does. `Oracle.java` beside the cases fills in what Debezium writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

#[path = "support/connect_json.rs"]
mod connect_json;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use connect_json::read;
use headwater::model::value::Arena;
use headwater::serialize::{Role, SerializeError, build};
use serde_json::{Value as Json, json};

const CLASS: &str = "io.debezium.converters.CloudEventsConverter";

#[test]
fn events_are_written_as_debezium_writes_them() {
    let text = std::fs::read_to_string("tests/golden/cloud_events/cases.jsonl").unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in text.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        count += 1;
        let made = check(&case);
        if made != case["out"] {
            wrong.push(format!("{}\n  debezium: {}\n  ours:     {made}", case["options"], case["out"]));
        }
    }
    assert!(count >= 60, "{count} cases");
    assert!(wrong.is_empty(), "{} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}

fn options(json: &Json) -> BTreeMap<String, String> {
    let option = |(name, value): (&String, &Json)| (name.clone(), value.as_str().unwrap().to_owned());
    json.as_object().unwrap().iter().map(option).collect()
}

fn check(case: &Json) -> Json {
    let (arena, part, mut out) = (Arena::new(), read(&case["value"]), Vec::new());
    let value = part.borrow(&arena);
    let written = build(&options(&case["options"]), CLASS, Role::Value, &Arc::new(AtomicBool::new(false)))
        .and_then(|converter| converter.prepare("srv.db.t", value.schema))
        .and_then(|plan| plan.write(&value.value, &arena, &mut out));
    match written {
        Ok(true) => json!(String::from_utf8(out).unwrap()),
        Ok(false) => Json::Null,
        Err(_) => json!("error"),
    }
}

#[test]
fn what_is_not_written_here_is_refused() {
    let refused = |name: &str, value: &str| {
        let config = options(&json!({ name: value }));
        match build(&config, CLASS, Role::Value, &Arc::new(AtomicBool::new(false))) {
            Ok(_) => panic!("{name}={value} is taken"),
            Err(error @ (SerializeError::Unsupported { .. } | SerializeError::BadOption(_))) => error.to_string(),
            Err(other) => panic!("{other}"),
        }
    };
    let avro =
        "CloudEventsConverter with serializer.type=avro is not supported: CloudEvents are written with json and json";
    assert_eq!(refused("serializer.type", "avro"), avro);
    assert!(refused("data.serializer.type", "Avro").contains("data.serializer.type=avro"));
    assert!(refused("serializer.type", "xml").ends_with("is not json or avro"));
    for source in ["header", "value,id:header", "value,type:HEADER"] {
        assert!(refused("metadata.source", source).contains("is not supported"), "{source}");
    }
    for source in ["generate", "value,id", "value,id:value", "value,time:generate", "value,"] {
        assert!(refused("metadata.source", source).contains("is not value or header"), "{source}");
    }
    assert!(refused("opentelemetry.tracing.attributes.enable", "true").contains("is not supported"));
}
