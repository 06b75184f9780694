//! A client that asks for anything, valid and hostile, and holds every answer to the published description.

use serde_json::{Value, json};

use super::process::{Process, place};
use super::support;

fn description() -> Value {
    let text = std::fs::read_to_string(format!("{}/docs/reference/openapi.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What is wrong with a value; the few words of JSON Schema that the description uses.
fn wrong(value: &Value, schema: &Value, all: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return wrong(value, &all["components"]["schemas"][name], all);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let misses: Vec<String> = choices.iter().map_while(|choice| wrong(value, choice, all)).collect();
        return (misses.len() == choices.len()).then(|| misses.join(" and "));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = match &schema["type"] {
        Value::String(wanted) => wanted == kind,
        Value::Array(wanted) => wanted.iter().any(|wanted| wanted == kind),
        _ => true,
    };
    if !is_kind || schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Some(format!("{value} is not {schema}"));
    }
    if let Some(items) = value.as_array() {
        return items.iter().find_map(|item| wrong(item, &schema["items"], all));
    }
    let fields = value.as_object()?;
    let required = schema["required"].as_array().into_iter().flatten();
    if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(name.as_str().unwrap())) {
        return Some(format!("{missing} is missing in {value}"));
    }
    fields.iter().find_map(|(name, field)| match (schema["properties"].get(name), &schema["additionalProperties"]) {
        (Some(property), _) => wrong(field, property, all),
        (None, Value::Bool(true)) => None,
        (None, Value::Object(_)) => wrong(field, &schema["additionalProperties"], all),
        (None, _) => Some(format!("{name} is not described")),
    })
}

/// A name in a path; an empty one would make another path.
fn name(random: &mut fastrand::Rng, process: &Process) -> String {
    Some(text(random, process)).filter(|name| !name.is_empty()).unwrap_or_else(|| "nope".to_owned())
}

/// A text that somebody might send.
fn text(random: &mut fastrand::Rng, process: &Process) -> String {
    let known = [
        process.name.as_str(),
        "nope",
        "",
        "0",
        "-1",
        "99999999999999999999",
        "io.debezium.connector.mysql.MySqlConnector",
        "MySql",
        "DEBUG",
        "root",
        "****",
        "${env:HOME}",
        "../../etc/passwd",
        "a b",
        "ü\u{0}\u{1}\r\n",
        "%",
        "'\"<>&;",
    ];
    match random.u8(0..8) {
        // Three of them, encoded, are as much as a URL may hold.
        0 => (0..random.usize(0..1_500)).map(|_| random.char(..)).collect(),
        _ => known[random.usize(0..known.len())].to_owned(),
    }
}

fn value(random: &mut fastrand::Rng, process: &Process, depth: u8) -> Value {
    match random.u8(0..if depth == 0 { 5 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(..)),
        3 => json!(random.f64()),
        4 => json!(text(random, process)),
        5 => (0..random.usize(0..4)).map(|_| value(random, process, depth - 1)).collect(),
        _ => {
            let names = [
                "name",
                "config",
                "offsets",
                "partition",
                "offset",
                "level",
                "server",
                "connector.class",
                "database.port",
                "initial_state",
            ];
            let field = |random: &mut fastrand::Rng| match random.u8(0..5) {
                0 => text(random, process),
                _ => names[random.usize(0..names.len())].to_owned(),
            };
            Value::Object((0..random.usize(0..6)).map(|_| (field(random), value(random, process, depth - 1))).collect())
        }
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A body: often what belongs there, with something else in it.
fn body(random: &mut fastrand::Rng, process: &Process) -> String {
    let mut config = process.config();
    if random.bool() {
        config[text(random, process)] = value(random, process, 1);
    }
    match random.u8(0..10) {
        0 => text(random, process),
        1 => "[".repeat(random.usize(1..5_000)),
        2 => json!({ "name": text(random, process), "config": config, "initial_state": "STOPPED" }).to_string(),
        3 => config.to_string(),
        4 => json!({ "offsets": [{ "partition": { "server": text(random, process) }, "offset": value(random, process, 1) }] }).to_string(),
        _ => value(random, process, 3).to_string(),
    }
}

#[test]
fn every_answer_is_described_whatever_is_asked() {
    let Some(place) = place("a client that asks for anything") else { return };
    let seed = std::env::var("HEADWATER_REST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("HEADWATER_REST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let process = Process::start(&place, "rest_described", &[]);
    // What is registered here never runs: a database that is asked nothing cannot be at fault.
    let create = json!({ "name": process.name, "config": process.config(), "initial_state": "STOPPED" }).to_string();
    assert_eq!(process.ask("POST", "/connectors", Some(&create)).0, 201);
    let all = description();
    let paths = all["paths"].as_object().unwrap();
    let routes: Vec<(&String, &String, &Value)> = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().iter().map(move |(method, call)| (path, method, call)))
        .filter(|(path, method, _)| {
            !(path.ends_with("/resume")
                || path.ends_with("/pause")
                || *path == "/connectors/{connector}" && *method == "delete")
        })
        .collect();
    let rounds = support::number("HEADWATER_REST_ROUNDS", 400);
    for round in 0..rounds {
        let (path, method, call) = routes[random.usize(0..routes.len())];
        let filled: Vec<String> = path
            .split('/')
            .map(|part| match part.strip_prefix('{') {
                Some("task}") => random.u8(0..3).to_string(),
                // One that is registered under another name would run.
                Some(_) => encode(&if method == "put" && path.ends_with("/config") || random.bool() {
                    process.name.clone()
                } else {
                    name(&mut random, &process)
                }),
                None => part.to_owned(),
            })
            .collect();
        let mut target = filled.join("/");
        if random.u8(0..4) == 0 {
            target.push_str(&format!(
                "?{}={}",
                encode(&text(&mut random, &process)),
                encode(&text(&mut random, &process))
            ));
        }
        let sent = (call.get("requestBody").is_some() || random.u8(0..8) == 0).then(|| body(&mut random, &process));
        let (status, answer) = process.ask(&method.to_uppercase(), &target, sent.as_deref());
        let asked = format!("round {round}: {method} {target} {}", sent.as_deref().unwrap_or_default());
        let response = &call["responses"][status.to_string()];
        // A name that is empty makes another path.
        let another =
            matches!(status, 404 | 405) && answer["message"].as_str().is_some_and(|text| text.starts_with("HTTP "));
        assert!(response.is_object() || another, "{asked}\n{status} is not described: {answer}");
        if let Some(schema) = response["content"]["application/json"].get("schema") {
            assert_eq!(wrong(&answer, schema, &all), None, "{asked}\n{status}: {answer}");
        }
        assert!(!answer.to_string().contains("cdcpw"), "{asked}\na password is shown: {answer}");
    }
    let (status, _) = process.ask("GET", &format!("/connectors/{}/status", process.name), None);
    assert!(matches!(status, 200), "the worker answers after all that: {status}");
    assert_eq!(process.log_count("panicked"), 0, "{}", process.log_tail());
}
