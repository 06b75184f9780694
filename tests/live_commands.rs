//! The commands, as a person runs them: the binary against real servers.
//!
//! Servers: `HEADWATER_TEST_MYSQL_97` and `HEADWATER_TEST_MARIADB_118` (`host:port`) and `HEADWATER_TEST_KAFKA`, as
//! `tests/stack/stack.sh addresses` prints them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

use std::io::Write as _;
use std::process::{Command, Output};

/// What a variable names; a missing one is said aloud at the end of `make test`.
fn server(variable: &str, what: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none()
        && let Some(file) = std::env::var_os("HEADWATER_TEST_SKIPPED")
    {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
        writeln!(file, "{what}: {variable} is not set").unwrap();
    }
    found
}

fn headwater(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headwater")).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A connector on a real MySQL, with one property changed, and a word of the line that must come of it.
fn check(name: &str, changed: (&str, &str), expected_exit: i32, expected: &str) {
    let Some(database) = server("HEADWATER_TEST_MYSQL_97", "headwater check") else { return };
    let Some(kafka) = server("HEADWATER_TEST_KAFKA", "headwater check") else { return };
    let (host, port) = database.rsplit_once(':').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = std::collections::BTreeMap::from([
        ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
        ("database.hostname", host),
        ("database.port", port),
        ("database.user", "cdc"),
        ("database.password", "cdcpw"),
        ("database.server.id", "59901"),
        ("topic.prefix", name),
        ("snapshot.mode", "no_data"),
        ("schema.history.internal.kafka.bootstrap.servers", kafka.as_str()),
        ("schema.history.internal.kafka.topic", "commands.history"),
    ]);
    config.insert(changed.0, changed.1);
    let file = folder.path().join("connector.json");
    let json: Vec<String> = config.iter().map(|(name, value)| format!("\"{name}\": \"{value}\"")).collect();
    std::fs::write(&file, format!("{{\"name\": \"{name}\", \"config\": {{{}}}}}", json.join(","))).unwrap();
    let set = [
        format!("bootstrap.servers={kafka}"),
        "group.id=commands".to_owned(),
        "offset.storage.topic=commands-offsets".to_owned(),
        "offset.storage.replication.factor=1".to_owned(),
        "config.storage.topic=commands-configs".to_owned(),
        "status.storage.topic=commands-status".to_owned(),
        "key.converter=org.apache.kafka.connect.json.JsonConverter".to_owned(),
        "value.converter=org.apache.kafka.connect.json.JsonConverter".to_owned(),
    ];
    let mut arguments = vec!["check", file.to_str().unwrap()];
    arguments.extend(set.iter().flat_map(|pair| ["--set", pair]));
    let output = headwater(&arguments);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(expected_exit), "{changed:?}\n{said}");
    assert!(said.contains(expected), "{changed:?}: no {expected:?} in\n{said}");
    assert!(!said.contains("cdcpw") && !said.contains("replpw"), "a password is shown:\n{said}");
}

/// Each thing that keeps a connector from running is found before it runs, with what mends it.
#[test]
fn check_finds_what_would_not_run_and_says_what_mends_it() {
    check("commands1", ("topic.prefix", "commands1"), 0, "It would run");
    check("commands2", ("database.password", "wrong"), 1, "FAIL  database: HW0223");
    check("commands3", ("database.port", "1"), 1, "FAIL  database: HW0212");
    check("commands4", ("snapshot.mode", "initial"), 1, "FAIL  snapshot.mode: HW0457");
    check("commands5", ("value.converter", "com.example.OwnConverter"), 1, "FAIL  ");
    check("commands6", ("producer.override.bootstrap.servers", "127.0.0.1:1"), 1, "FAIL  brokers 127.0.0.1:1");
    check("commands7", ("tombstones.on.delet", "x"), 0, "warn  configuration: tombstones.on.delet");
    check("commands8", ("tombstones.on.delete", "perhaps"), 1, "FAIL  configuration: HW01");
}

/// The demo itself is a test: bytes stop while TCP lives, it is noticed, and nothing is lost.
#[test]
fn the_demo_notices_a_hanging_connection_and_loses_nothing() {
    for variable in ["HEADWATER_TEST_MARIADB_118", "HEADWATER_TEST_MYSQL_97"] {
        let Some(database) = server(variable, "headwater demo") else { continue };
        let (host, port) = database.rsplit_once(':').unwrap();
        let own = ["--database-hostname", host, "--database-port", port, "--database-user", "app"];
        let length = ["--database-password", "apppw", "--seconds", "6", "--hang-after", "2"];
        let output = headwater(&[["demo"].as_slice(), &own, &length].concat());
        let said = text(&output);
        assert!(output.status.success(), "{variable}\n{said}");
        for expected in ["HW0463", "missing 0", "reading went on", "Nothing lost."] {
            assert!(said.contains(expected), "{variable}: no {expected:?} in\n{said}");
        }
    }
}

#[test]
fn explain_and_config_answer_without_a_server() {
    for (arguments, expected) in
        [(["explain", "hw454"].as_slice(), "HW0454: "), (&["explain"], "HW0463  "), (&["config"], "# Configuration")]
    {
        let output = headwater(arguments);
        assert!(output.status.success() && text(&output).contains(expected), "{arguments:?}\n{}", text(&output));
    }
    assert!(!headwater(&["healthcheck", "--url", "http://127.0.0.1:1"]).status.success());
}

/// Answers `GET` requests as a Kafka Connect 4.3 with Debezium 3.6 did, with one word changed; ends with the process.
fn recorded_connect(changed: (&str, &str)) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let read = |name: &str| {
        let path = format!("{}/tests/golden/connect/{name}.json", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap().replace(changed.0, changed.1)
    };
    let answers = [
        ("/", read("root")),
        ("/connectors", read("names")),
        ("/connectors?expand=info&expand=status", read("expanded")),
        ("/connector-plugins", read("plugins")),
        ("/connectors/migrate-one/offsets", read("offsets")),
    ];
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
            while std::io::BufRead::read_line(&mut reader, &mut head).unwrap() > 0 && !head.ends_with("\r\n\r\n") {}
            let path = head.split(' ').nth(1).unwrap();
            let body = answers.iter().find(|(known, _)| *known == path).map(|(_, body)| body.as_str());
            let (status, body) = body.map_or((404, "{\"error_code\":404}"), |body| (200, body));
            let length = body.len();
            let kind = "content-type: application/json\r\nconnection: close";
            write!(stream, "HTTP/1.1 {status} X\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        }
    });
    url
}

/// A connector of a recorded Connect, with one word changed; what must be said, and not be said.
fn check_migrate(changed: (&str, &str), expected_exit: i32, expected: &[&str]) {
    let url = recorded_connect(changed);
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("files");
    let arguments = ["migrate", "--from-connect", &url, "--output", output.to_str().unwrap()];
    let run = headwater(&arguments);
    let said = text(&run);
    assert_eq!(run.status.code(), Some(expected_exit), "{changed:?}\n{said}");
    for expected in expected {
        assert!(said.contains(expected), "{changed:?}: no {expected:?} in\n{said}");
    }
    assert!(!said.contains("cdcpw") && !said.contains("hunter2"), "a password is shown:\n{said}");
    if !said.contains("Written") {
        return;
    }
    // What was written is what `run` takes, once the worker's lines are filled in.
    let files = ["migrate-one.json", "worker.properties"].map(|name| output.join(name));
    let refused = text(&headwater(&["check", files[0].to_str().unwrap(), "--worker", files[1].to_str().unwrap()]));
    assert!(refused.contains("offset.storage.topic: '<fill in"), "{refused}");
    let again = headwater(&arguments);
    assert!(again.status.code() == Some(1) && text(&again).contains("HW1119"), "{}", text(&again));
    assert!(!text(&headwater(&[&arguments[..], &["--force"]].concat())).contains("HW1119"));
}

/// What cannot move is said property by property, before anything is asked of a database.
#[test]
fn migrate_says_what_would_not_run() {
    let transforms = "\"transforms\":\"t\",\"transforms.t.type\":\"com.example.T\",\"tabel.include.list\"";
    check_migrate(
        ("\"tabel.include.list\"", transforms),
        1,
        &[
            "FAIL  transforms.t.type: HW0116",
            "warn  tabel.include.list: no option has this name, and it is ignored; did you mean",
            "warn  snapshot.fetch.size: a later version",
            "ok    works as in Debezium: connector.class,",
            "warn  value.converter: is not the connector's own",
            "0 of 1 connector of Debezium can move.",
        ],
    );
    check_migrate(("\"cdcpw\"", "\"${file:/nowhere:password}\""), 1, &["FAIL  database.password: HW0104"]);
    check_migrate(
        ("io.debezium.connector.mysql.MySqlConnector", "io.debezium.connector.sqlserver.SqlServerConnector"),
        1,
        &["migrate-one: io.debezium.connector.sqlserver.SqlServerConnector: Debezium's for a database that a later"],
    );
    check_migrate(
        ("io.debezium.connector.mysql.MySqlConnector", "com.example.Source"),
        0,
        &["migrate-one: com.example.Source: not Debezium's", "nothing to move"],
    );
    check_migrate(("\"kafka_cluster_id\"", "\"x\""), 1, &["HW1114"]);
    check_migrate(("33306", "1"), 1, &["FAIL  database: HW0212"]);
}
