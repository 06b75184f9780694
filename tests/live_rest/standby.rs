//! Workers with one `group.id`: one runs what is stored, the others wait and pass requests on, and one of them takes over
//! whatever becomes of the first.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::SOON;
use crate::process::{self, Place, Process, place};
use crate::support::server::Server;
use crate::support::{address, eventually, scratch, topic};

/// A table that is written to, and the topic that it must reach.
pub struct Table<'s> {
    server: &'s Server,
    kafka: String,
    name: String,
    written: std::cell::Cell<u32>,
}

impl Table<'_> {
    pub fn new<'s>(server: &'s Server, process: &Process) -> Table<'s> {
        let name = process.name.clone();
        server.sql(&[&format!("CREATE DATABASE {name}_db"), &format!("CREATE TABLE {name}_db.t (id INT PRIMARY KEY)")]);
        Table { server, kafka: process.kafka.clone(), name, written: std::cell::Cell::new(0) }
    }

    pub fn write(&self) {
        let from = self.written.get();
        self.written.set(from + 10);
        let rows: Vec<String> = (from..from + 10).map(|id| format!("({id})")).collect();
        self.server.sql(&[&format!("INSERT INTO {}_db.t VALUES {}", self.name, rows.join(","))]);
    }

    /// Writes rows, and waits until each row so far is there, be it twice.
    pub fn arrive(&self, log: impl Fn() -> String) {
        let topic = format!("{0}.{0}_db.t", self.name);
        let expected: BTreeSet<i64> = (0..i64::from(self.written.get())).collect();
        let mut found = BTreeSet::new();
        let deadline = std::time::Instant::now() + SOON;
        while found != expected {
            assert!(std::time::Instant::now() < deadline, "{found:?}, not {expected:?}\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
            for record in topic::read_all(&self.kafka, &topic) {
                let key: Value = serde_json::from_slice(&record.key.unwrap()).unwrap();
                found.insert(key["payload"]["id"].as_i64().unwrap());
            }
        }
    }
}

/// Waits until a worker is a standby, or is none.
fn wait_for_standby(process: &Process, wanted: bool) {
    eventually(&format!("standby: {wanted}\n{}", process.log_tail()), SOON, || {
        let (code, health) = process.ask("GET", "/health", None);
        let found = health["message"].as_str().unwrap().contains("standby");
        (code == 200 && found == wanted).then_some(())
    });
}

/// Waits until a worker itself runs the connector.
fn wait_until_it_runs(process: &Process) {
    wait_for_standby(process, false);
    process.wait_for(&process.name, "RUNNING", SOON);
    let status = process.ask("GET", &format!("/connectors/{}/status", process.name), None).1;
    assert_eq!(status["connector"]["worker_id"], format!("127.0.0.1:{}", process.port));
}

/// Holds which of two workers shows the connector on `/metrics`: who runs it. Both say who that is.
fn hold_metrics(runs: &Process, waits: &Process) {
    let text = |process: &Process| process.ask("GET", "/metrics", None).1.as_str().unwrap().to_owned();
    let leader =
        format!("kafka_connect_worker_rebalance_leader_name{{leader_name=\"http://127.0.0.1:{}/\"}} 1", runs.port);
    for (process, wanted) in [(runs, true), (waits, false)] {
        let text = text(process);
        assert!(text.contains(&leader), "{leader}\n{text}");
        let own = ["headwater_connector_state", "debezium_metrics_Connected", "kafka_connect_connector_status"];
        let found = own.map(|series| text.contains(&format!("\n{series}{{")));
        assert_eq!(found, [wanted; 3], "{text}");
    }
}

fn start(what: &str, settings: &[(&str, &str)]) -> Option<(Server, Process)> {
    let kafka = address("HEADWATER_TEST_KAFKA", what)?;
    let server = Server::start("mysql-9.7", "");
    let process = Process::start(&Place::at(&server, &kafka), "rest_standby", settings);
    Some((server, process))
}

/// Killed, or frozen for longer than its session and woken: another one goes on, nothing is lost, and who wakes sees that
/// it is not asked any more.
#[test]
fn another_worker_takes_over_from_one_that_is_killed_or_frozen() {
    let settings = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "1000")];
    let Some((server, mut first)) = start("workers that take over", &settings) else { return };
    let (name, table) = (first.name.clone(), Table::new(&server, &first));
    assert_eq!(first.put_config(&name, &first.config()).0, 201);
    wait_until_it_runs(&first);
    table.write();
    table.arrive(|| first.log_tail());

    let second = first.start_beside();
    wait_for_standby(&second, true);
    assert_eq!(second.ask("GET", "/health/ready", None).1["status"], "standby");
    // It does not matter which of them is asked.
    eventually("the standby knows who runs the connectors", SOON, || {
        (second.ask("GET", "/connectors", None) == (200, json!([name]))).then_some(())
    });
    assert_eq!(second.ask("PUT", &format!("/connectors/{name}/pause"), None).0, 202);
    first.wait_for(&name, "PAUSED", SOON);
    second.wait_for(&name, "PAUSED", SOON);
    assert_eq!(second.ask("PUT", &format!("/connectors/{name}/resume"), None).0, 202);
    assert_eq!(second.ask("PUT", "/connectors/nope/pause", None).0, 404);
    assert_eq!(second.ask("POST", "/connectors", Some("{")).0, 400);
    wait_until_it_runs(&first);
    assert_eq!(second.log_count("reading the binlog"), 0, "{}", second.log_tail());
    hold_metrics(&first, &second);

    first.kill();
    table.write();
    wait_until_it_runs(&second);
    table.arrive(|| second.log_tail());

    let third = second.start_beside();
    wait_for_standby(&third, true);
    second.signal("STOP");
    table.write();
    wait_until_it_runs(&third);
    table.arrive(|| third.log_tail());
    second.signal("CONT");
    wait_for_standby(&second, true);
    table.write();
    table.arrive(|| format!("{}{}", second.log_tail(), third.log_tail()));
    wait_until_it_runs(&third);
    hold_metrics(&third, &second);
    assert_eq!(second.log_count("the stored connectors end here"), 1, "{}", second.log_tail());
}

/// One that is asked to end hands over at once: its session would last for ten minutes.
#[test]
fn a_worker_that_ends_hands_over() {
    let Some((server, mut first)) = start("workers that hand over", &[("session.timeout.ms", "600000")]) else {
        return;
    };
    let (name, table) = (first.name.clone(), Table::new(&server, &first));
    assert_eq!(first.put_config(&name, &first.config()).0, 201);
    wait_until_it_runs(&first);
    let second = first.start_beside();
    wait_for_standby(&second, true);
    table.write();
    first.signal("TERM");
    first.wait();
    wait_until_it_runs(&second);
    table.write();
    table.arrive(|| second.log_tail());
}

/// With an authority of their own, and certificates of clients asked for, workers speak to each other as whoever asks them does.
#[test]
fn requests_are_passed_on_over_https() {
    let Some(place) = place("workers that speak https to each other") else { return };
    let folder = scratch("rest-https-");
    let (pem, certificate) = process::self_signed();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let (own, trusted) = (file("own.pem", &pem), file("trusted.pem", &certificate));
    let settings = [
        ("listeners.https.ssl.keystore.location", own.as_str()),
        ("listeners.https.ssl.truststore.location", trusted.as_str()),
        ("listeners.https.ssl.client.auth", "required"),
    ];
    let first = Process::start_https(&place, "rest_standby_https", &settings, &certificate, Some(&pem));
    assert_eq!(first.put_config(&first.name, &first.config()).0, 201);
    let second = first.start_beside();
    wait_for_standby(&second, true);
    assert_eq!(second.ask("GET", "/connectors", None), (200, json!([first.name])), "{}", second.log_tail());
    assert_eq!(second.ask("PUT", &format!("/connectors/{}/pause", first.name), None).0, 202);
    first.wait_for(&first.name, "PAUSED", SOON);
}
