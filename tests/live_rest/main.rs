//! The REST API, as scripts, Terraform and Kafka UIs use it: the binary against real servers.
//!
//! `tests/golden/rest/connect-4.3.json` is what a Kafka Connect 4.3.1 with Debezium 3.6 answered to a sequence of requests;
//! where Headwater answers otherwise on purpose, the line says what (`here`) and why. Servers: `HEADWATER_TEST_MYSQL_97`
//! and `HEADWATER_TEST_KAFKA`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

mod apart;
mod described;
mod incidents;
mod process;
mod scripts;
mod standby;
mod statuses;

use std::time::Duration;

use process::{Process, place};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// What stands in the place of what another run has otherwise.
fn filled(text: &str, process: &Process) -> String {
    [
        ("{name}", process.name.as_str()),
        ("{port}", &process.database_port),
        ("{kafka}", &process.kafka),
        ("{server_id}", &process.server_id.to_string()),
        ("{worker}", &format!("127.0.0.1:{}", process.port)),
        ("{version}", env!("CARGO_PKG_VERSION")),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Whether an answer is the recorded one; `"*"` stands for anything, `…` at the end of a text for any rest.
fn is_like(found: &Value, recorded: &Value) -> bool {
    match (found, recorded) {
        (_, Value::String(any)) if any == "*" => true,
        (Value::String(found), Value::String(recorded)) => match recorded.strip_suffix('…') {
            Some(beginning) => found.starts_with(beginning),
            None => found == recorded,
        },
        (Value::Object(found), Value::Object(recorded)) => {
            // Connect does not know a task's version before it has run.
            let skips = |name: &String| name == "version";
            found.keys().filter(|name| !skips(name)).eq_by_name(recorded.keys().filter(|name| !skips(name)))
                && recorded.iter().all(|(name, value)| skips(name) || is_like(&found[name], value))
        }
        (Value::Array(found), Value::Array(recorded)) => {
            found.len() == recorded.len()
                && found.iter().zip(recorded).all(|(found, recorded)| is_like(found, recorded))
        }
        (found, recorded) => found == recorded,
    }
}

/// The same names, in whatever order.
trait EqByName<'a>: Iterator<Item = &'a String> + Sized {
    fn eq_by_name(self, other: impl Iterator<Item = &'a String>) -> bool {
        let names = self.collect::<std::collections::BTreeSet<_>>();
        names == other.collect::<std::collections::BTreeSet<_>>()
    }
}

impl<'a, I: Iterator<Item = &'a String>> EqByName<'a> for I {}

#[test]
fn answers_are_those_of_kafka_connect() {
    let Some(place) = place("the REST API beside Kafka Connect's answers") else { return };
    let process = Process::start(&place, "rest_recorded", &[]);
    let text = std::fs::read_to_string(format!("{}/tests/golden/rest/connect-4.3.json", env!("CARGO_MANIFEST_DIR")));
    let cases: Vec<Value> = serde_json::from_str(&text.unwrap()).unwrap();
    let (mut findings, mut compared) = (Vec::new(), 0);
    for case in &cases {
        if let Some(state) = case["wait"].as_str() {
            process.wait_for(&process.name, state, SOON);
            continue;
        }
        let request = filled(case["request"].as_str().unwrap(), &process);
        let (method, path) = request.split_once(' ').unwrap();
        let body = match (&case["raw"], &case["body"]) {
            (Value::String(raw), _) => Some(raw.clone()),
            (_, Value::Null) => None,
            // Passwords are not masked on the way in.
            (_, body) => Some(filled(&body.to_string(), &process).replace("{password}", "cdcpw")),
        };
        let (status, answer) = process.ask_as(method, path, body.as_deref(), case["type"].as_str());
        let wanted = case["here"].as_u64().or(case["status"].as_u64()).unwrap();
        if u64::from(status) != wanted {
            findings.push(format!("{request}: {status}, not {wanted}: {answer}"));
        }
        if let Some(recorded) = case.get("answer") {
            let recorded = filled(&recorded.to_string(), &process).replace("{password}", "****");
            let recorded: Value = serde_json::from_str(&recorded).unwrap();
            compared += 1;
            if !is_like(&answer, &recorded) {
                findings.push(format!("{request}: {answer}\n    recorded: {recorded}"));
            }
        }
        assert!(!answer.to_string().contains("cdcpw"), "{request} shows a password: {answer}");
    }
    println!("{} requests, {compared} answers compared", cases.len());
    assert!(findings.is_empty(), "{}\n{}", findings.join("\n"), process.log_tail());
}

#[test]
fn what_was_registered_survives_and_continues() {
    let Some(place) = place("connectors that survive a restart") else { return };
    let mut process = Process::start(&place, "rest_survives", &[]);
    let name = process.name.clone();
    let config = process.config();
    assert_eq!(process.put_config(&name, &config).0, 201);
    process.wait_for(&name, "RUNNING", SOON);
    let paused = format!("{name}_paused");
    let (status, _) = process.ask(
        "POST",
        "/connectors",
        Some(&json!({ "name": paused, "config": config, "initial_state": "PAUSED" }).to_string()),
    );
    assert_eq!(status, 201);
    // A script reads a configuration, and writes it back: nothing changes, and no mask becomes a password.
    let (_, shown) = process.ask("GET", &format!("/connectors/{name}/config"), None);
    assert_eq!(shown["database.password"], "****");
    assert_eq!(process.put_config(&name, &shown).0, 200);
    assert_eq!(process.put_config(&name, &config).0, 200);
    assert_eq!(process.log_count("reading the binlog"), 1, "the same configuration restarts nothing");
    let mut fresh = shown.clone();
    fresh["topic.prefix"] = json!("another");
    let (status, answer) = process.put_config(
        &format!("{name}_new"),
        &json!(
            fresh
                .as_object()
                .unwrap()
                .iter()
                .filter(|(key, _)| *key != "name")
                .collect::<std::collections::BTreeMap<_, _>>()
        ),
    );
    assert_eq!(status, 400, "a mask without a secret behind it: {answer}");

    process.kill_and_start();
    process.wait_for(&name, "RUNNING", SOON);
    process.wait_for(&paused, "PAUSED", SOON);
    let (_, again) = process.ask("GET", &format!("/connectors/{name}/config"), None);
    assert_eq!(again, shown);
    let (_, offsets) = process.ask("GET", &format!("/connectors/{name}/offsets"), None);
    assert_eq!(offsets["offsets"].as_array().map(Vec::len), Some(1), "{offsets}");

    // Healed from outside: deleted and at once created from a stored file.
    assert_eq!(process.ask("DELETE", &format!("/connectors/{name}"), None).0, 204);
    assert_eq!(process.put_config(&name, &config).0, 201);
    process.wait_for(&name, "RUNNING", SOON);
    let (_, kept) = process.ask("GET", &format!("/connectors/{name}/offsets"), None);
    assert_eq!(kept["offsets"][0]["offset"]["file"], offsets["offsets"][0]["offset"]["file"]);
    for name in [&name, &paused] {
        assert_eq!(process.ask("DELETE", &format!("/connectors/{name}"), None).0, 204);
    }
    process.kill_and_start();
    assert_eq!(process.ask("GET", "/connectors", None).1, json!([]));
}

#[test]
fn one_connector_does_not_touch_another() {
    let Some(place) = place("connectors of one process") else { return };
    let process = Process::start(&place, "rest_apart", &[]);
    let (good, bad) = (process.name.clone(), format!("{}_bad", process.name));
    assert_eq!(process.put_config(&good, &process.config()).0, 201);
    process.wait_for(&good, "RUNNING", SOON);
    let mut config = process.config();
    config["database.password"] = json!("wrong");
    config["topic.prefix"] = json!(bad);
    config["database.server.id"] = json!((process.server_id + 1).to_string());
    assert_eq!(process.put_config(&bad, &config).0, 201);
    process.wait_for(&bad, "FAILED", SOON);
    let (_, status) = process.ask("GET", &format!("/connectors/{bad}/status"), None);
    assert!(status["tasks"][0]["trace"].as_str().unwrap().contains("HW0223"), "{status}");
    // What a cron job does, and then what mends it.
    assert_eq!(process.ask("POST", &format!("/connectors/{bad}/tasks/0/restart"), None).0, 204);
    assert_eq!(
        process.ask("PATCH", &format!("/connectors/{bad}/config"), Some(r#"{"database.password":"cdcpw"}"#)).0,
        200
    );
    process.wait_for(&bad, "RUNNING", SOON);
    assert_eq!(process.ask("DELETE", &format!("/connectors/{bad}"), None).0, 204);
    process.wait_for(&good, "RUNNING", SOON);
    assert_eq!(process.ask("DELETE", &format!("/connectors/{good}"), None).0, 204);
}

#[test]
fn passwords_and_tokens_guard_the_api() {
    let Some(place) = place("passwords and tokens of the REST API") else { return };
    let folder = support::scratch("rest-access-");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let passwords = file("passwords", "me=secret one\n");
    let module = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
    let login = file("login.conf", &format!("KafkaConnect {{ {module} required file=\"{passwords}\"; }};"));
    let tokens = file("tokens", "looker=read looks\nterraform=write writes\n");
    let settings = [
        ("rest.extension.classes", "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"),
        ("headwater.rest.login.config", login.as_str()),
        ("headwater.rest.tokens.file", tokens.as_str()),
    ];
    let process = Process::start(&place, "rest_access", &settings);
    let check = |method: &str, path: &str, authorization: &str, expected: u16| {
        let (status, answer) = process.ask_with(method, path, None, &[("Authorization", authorization)]);
        assert_eq!(status, expected, "{method} {path} {authorization}: {answer}");
    };
    let basic = "Basic bWU6c2VjcmV0IG9uZQ==";
    check("GET", "/connectors", "", 401);
    check("GET", "/connectors", "Basic bWU6d3Jvbmc=", 401);
    check("GET", "/connectors", basic, 200);
    check("PUT", "/connectors/nope/pause", basic, 404);
    check("GET", "/connectors", "Bearer looks", 200);
    check("PUT", "/connectors/nope/pause", "Bearer looks", 403);
    check("PUT", "/connectors/nope/pause", "Bearer writes", 404);
    check("GET", "/health/live", "", 200);
    check("GET", "/metrics", "", 200);
}

#[test]
fn https_is_spoken_with_the_keystore_of_the_listeners() {
    let Some(place) = place("TLS of the REST API") else { return };
    let folder = support::scratch("rest-tls-");
    let (pem, certificate) = process::self_signed();
    let path = folder.path().join("server.pem");
    std::fs::write(&path, pem).unwrap();
    let path = path.display().to_string();
    let settings =
        [("listeners.https.ssl.keystore.location", path.as_str()), ("listeners.https.ssl.keystore.type", "PEM")];
    let process = Process::start_https(&place, "rest_tls", &settings, &certificate, None);
    assert_eq!(process.ask("GET", "/connectors", None), (200, json!([])));
    // Plain text and silence cost themselves alone.
    let mut plain = std::net::TcpStream::connect(("127.0.0.1", process.port)).unwrap();
    std::io::Write::write_all(&mut plain, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _silent = std::net::TcpStream::connect(("127.0.0.1", process.port)).unwrap();
    assert_eq!(process.ask("GET", "/connectors", None), (200, json!([])));
    // A container's health check knows only the environment.
    let healthcheck = std::process::Command::new(env!("CARGO_BIN_EXE_headwater"))
        .arg("healthcheck")
        .env("CONNECT_LISTENERS", format!("https://:{}", process.port))
        .output()
        .unwrap();
    assert!(healthcheck.status.success(), "{}", String::from_utf8_lossy(&healthcheck.stderr));
}
