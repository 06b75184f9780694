//! Promises: for every record in `tests/golden/cloud_events/cases.jsonl`, our CloudEventsConverter writes the bytes that
//! Debezium's writes (3.6.1 with MySQL's connector, 3.5.0 with MariaDB's), a record without a value where it does, or fails
//! where it does. `Oracle.java` beside the cases fills in what Debezium writes. For the records of
//! `sequences.jsonl`, in Avro or with metadata from headers, the schemas and subjects that are registered are the same,
//! too; `SequenceOracle.java` made them (3.6.3 with PostgreSQL's connector).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

#[path = "support/connect_json.rs"]
mod connect_json;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use connect_json::read;
use headwater::model::record::Header;
use headwater::model::schema::Schema;
use headwater::model::value::Arena;
use headwater::serialize::{Converter, Outcome, Plan, RecordPart, Role, SerializeError, build, check_header_converter};
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

/// The registry's address in the recorded options; ours asks it through the test's proxy.
const REGISTRY: &str = "avro.schema.registry.url";

#[test]
fn avro_and_headers_are_written_as_debezium_writes_them() {
    let file = |name: &str| std::fs::read_to_string(format!("tests/golden/cloud_events/{name}")).unwrap();
    let records: Json = serde_json::from_str(&file("records.json")).unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (line, text) in file("sequences.jsonl").lines().enumerate() {
        let case: Json = serde_json::from_str(text).unwrap();
        count += case["records"].as_array().unwrap().len();
        if let Err(difference) = check_sequence(&case, &records) {
            wrong.push(format!("line {}: {}\n{difference}", line + 1, case["options"]));
        }
    }
    assert!(count >= 490, "{count} records");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Sends the records of a case through one converter, and compares what comes of each and what is registered.
fn check_sequence(case: &Json, records: &Json) -> Result<(), String> {
    let registry = FakeRegistry::start();
    let mut config = options(&case["options"]);
    if config.contains_key(REGISTRY) {
        config.insert("avro.proxy.host".to_owned(), "127.0.0.1".to_owned());
        config.insert("avro.proxy.port".to_owned(), registry.port.to_string());
    }
    let Ok(converter) = build(&config, CLASS, Role::Value, &Arc::new(AtomicBool::new(false))) else {
        // What is refused here, Debezium refuses or writes no event with.
        let nothing = |out: &Json| out.is_null() || out == "error";
        let agrees = case["out"] == "refused" || case["out"].as_array().unwrap().iter().all(nothing);
        return if agrees { Ok(()) } else { Err(format!("  refused; debezium: {}", case["out"])) };
    };
    if case["out"] == "refused" {
        return Err("  debezium refuses it".to_owned());
    }
    let mut plans = Vec::new();
    for (index, record) in case["records"].as_array().unwrap().iter().enumerate() {
        let (made, wanted) = (write(&converter, record, records, &mut plans), &case["out"][index]);
        if made != *wanted {
            return Err(format!("  record {index}\n  debezium: {wanted}\n  ours:     {made}"));
        }
    }
    let registered = json!(*registry.registered.lock().unwrap());
    if registered == case["registered"] {
        Ok(())
    } else {
        Err(format!("  registered\n  debezium: {}\n  ours:     {registered}", case["registered"]))
    }
}

type PlanOfSchema = (Option<Arc<Schema>>, Arc<dyn Plan>);

/// As the pipeline writes a record: a plan for each schema, and a registry is asked only when the plan says so.
fn write(converter: &Arc<dyn Converter>, record: &Json, records: &Json, plans: &mut Vec<PlanOfSchema>) -> Json {
    let part = |json: &Json| json.as_str().map_or_else(|| read(json), |name| read(&records[name]));
    let (arena, value) = (Arena::new(), part(&record["value"]));
    let headers = record["headers"].as_array().cloned().unwrap_or_default();
    let headers: Vec<_> = headers.iter().map(|header| (header[0].as_str().unwrap(), part(&header[1]))).collect();
    let value = value.borrow(&arena);
    let headers: Vec<_> = headers.iter().map(|(name, part)| Header { name, value: part.borrow(&arena) }).collect();
    if !plans.iter().any(|(schema, _)| schema.as_ref() == value.schema) {
        match converter.prepare("srv.db.t", value.schema) {
            Ok(plan) => plans.push((value.schema.cloned(), plan)),
            Err(_) => return json!("error"),
        }
    }
    let plan = &plans.iter().find(|(schema, _)| schema.as_ref() == value.schema).unwrap().1;
    let mut out = b"before".to_vec();
    let outcome = match plan.by_record() {
        None => {
            plan.write(&value.value, &arena, &mut out).map(|some| if some { Outcome::Written } else { Outcome::Null })
        }
        Some(plan) => {
            let part = RecordPart { value: &value.value, headers: &headers };
            match plan.write_record(&part, false, &arena, &mut out) {
                Ok(Outcome::Unprepared) => {
                    assert_eq!(out, b"before");
                    let outcome = plan.write_record(&part, true, &arena, &mut out);
                    let mut again = b"before".to_vec();
                    let known = plan.write_record(&part, false, &arena, &mut again);
                    assert!(outcome.is_err() || (outcome == known && out == again), "the second time it is known");
                    outcome
                }
                outcome => outcome,
            }
        }
    };
    let written = out.strip_prefix(b"before").unwrap();
    match outcome {
        Ok(Outcome::Written) if written.first() == Some(&0) => {
            json!({ "hex": written.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
        }
        Ok(Outcome::Written) => json!(std::str::from_utf8(written).unwrap()),
        Ok(Outcome::Null) => Json::Null,
        Ok(Outcome::Unprepared) => panic!("unprepared after it was prepared"),
        Err(_) => {
            assert!(written.is_empty(), "an error leaves the bytes before it");
            json!("error")
        }
    }
}

/// A registry behind a proxy: gives ids from 1 to texts, and keeps what was registered under which subject.
struct FakeRegistry {
    port: u16,
    registered: Arc<Mutex<Vec<Json>>>,
}

impl FakeRegistry {
    fn start() -> FakeRegistry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let registered = Arc::new(Mutex::new(Vec::new()));
        let kept = registered.clone();
        // Ends with the process.
        std::thread::spawn(move || {
            let mut ids: Vec<String> = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some((subject, text)) = request(&mut stream) else { continue };
                let place = ids.iter().position(|known| *known == text).unwrap_or_else(|| {
                    ids.push(text.clone());
                    ids.len() - 1
                });
                kept.lock().unwrap().push(json!([subject, text, place + 1]));
                let body = format!("{{\"id\":{}}}", place + 1);
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length";
                let _ = write!(stream, "{head}: {}\r\n\r\n{body}", body.len());
            }
        });
        FakeRegistry { port, registered }
    }
}

/// Subject and schema of a request to register.
fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if head.starts_with("CONNECT ") {
                // The client speaks to the registry itself through the proxy's connection.
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
                bytes.clear();
            } else if body.len() >= length.unwrap_or(0) {
                let subject = head.split("/subjects/").nth(1)?.split("/versions").next()?.to_owned();
                let body: Json = serde_json::from_str(body).ok()?;
                return Some((subject, body["schema"].as_str()?.to_owned()));
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

#[test]
fn what_debezium_cannot_do_is_refused() {
    let built = |settings: &[(&str, &str)], role| {
        let config = settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        build(&config, CLASS, role, &Arc::new(AtomicBool::new(false)))
    };
    let refused = |settings: &[(&str, &str)]| match built(settings, Role::Value) {
        Ok(_) => panic!("{settings:?} is taken"),
        Err(error @ (SerializeError::Unsupported { .. } | SerializeError::BadOption(_))) => error.to_string(),
        Err(other) => panic!("{other}"),
    };
    let data = "CloudEventsConverter with serializer.type=avro is not supported: data in JSON cannot stand in an event in Avro; set data.serializer.type=avro too";
    assert_eq!(refused(&[("serializer.type", "avro")]), data);
    assert!(refused(&[("serializer.type", "xml")]).ends_with("is not json or avro"));
    let avro = ("data.serializer.type", "Avro");
    assert!(refused(&[avro]).contains("avro.schema.registry.url"));
    assert!(refused(&[avro, ("avro.apicurio.registry.url", "http://r:1")]).contains("io.apicurio"));
    assert!(refused(&[avro, (REGISTRY, "ftp://r:1")]).contains("http://"));
    assert!(refused(&[("schema.name.adjustment.mode", "latin")]).ends_with("is not none, avro or avro_unicode"));
    for source in ["value", "value,id:generate", "value,type:HEADER"] {
        assert!(refused(&[("metadata.source", source)]).contains("can be had from a record's value"), "{source}");
    }
    for source in ["generate", "value,id", "value,id:value", "value,time:generate", "value,"] {
        assert!(refused(&[("metadata.source", source)]).contains("is not value or header"), "{source}");
    }
    let tracing = ("opentelemetry.tracing.attributes.enable", "true");
    let generated = ("metadata.source", "value,id:generate,type:generate,traceparent:generate");
    assert!(refused(&[tracing, generated]).contains("add traceparent:header"));
    assert!(built(&[], Role::Header).is_err());
}

#[test]
fn headers_are_read_only_as_json_with_schemas() {
    let converter = |settings: &[(&str, &str)]| {
        let config = settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        build(&config, CLASS, Role::Value, &Arc::new(AtomicBool::new(false))).unwrap()
    };
    let plain = converter(&[]);
    let with_headers = converter(&[("metadata.source", "value,id:header,type:generate")]);
    for (class, schemas, taken) in [
        ("org.apache.kafka.connect.json.JsonConverter", None, true),
        ("JsonConverter", Some("true"), true),
        ("JsonConverter", Some("false"), false),
        ("org.apache.kafka.connect.storage.SimpleHeaderConverter", None, false),
        ("StringConverter", Some("true"), false),
    ] {
        let config = schemas.map(|value| ("schemas.enable".to_owned(), value.to_owned())).into_iter().collect();
        assert!(check_header_converter(&[&plain, &plain], class, &config).is_ok(), "{class}");
        assert_eq!(
            check_header_converter(&[&plain, &with_headers], class, &config).is_ok(),
            taken,
            "{class} {schemas:?}"
        );
    }
}
