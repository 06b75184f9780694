//! Incidents in a topic, with a broker that is there and one that was away.

use serde_json::{Value, json};

use crate::SOON;
use crate::process::{Place, Process};
use crate::support::broker::Broker;
use crate::support::server::Server;
use crate::support::{address, eventually, topic};

/// The incidents of a topic, each as it was sent last, and whether all are under the connector's name.
fn sent(process: &Process, topic: &str) -> Vec<Value> {
    let mut incidents: Vec<Value> = Vec::new();
    topic::read(&process.kafka, topic, |record| {
        assert_eq!(record.key.as_deref(), Some(process.name.as_bytes()));
        let incident: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
        match incidents.iter_mut().find(|known| known["id"] == incident["id"]) {
            Some(known) => *known = incident,
            None => incidents.push(incident),
        }
    });
    incidents
}

/// The incidents that REST shows, the oldest first.
fn shown(process: &Process) -> Vec<Value> {
    let answer = process.ask("GET", &format!("/connectors/{}/incidents", process.name), None).1;
    let mut incidents = answer.as_array().cloned().unwrap_or_default();
    incidents.sort_by_key(|incident| incident["began_ms"].as_i64());
    incidents
}

/// A server that is silent makes an incident, which is over when it speaks again.
fn make_incident(process: &Process, server: &Server) {
    let before = shown(process).len();
    let open = |incident: &Value| incident["state"] == "open";
    server.freeze();
    eventually(&format!("an incident begins\n{}", process.log_tail()), SOON, || {
        shown(process).get(before..).is_some_and(|new| new.iter().any(open)).then_some(())
    });
    server.thaw();
}

fn wait_until_over(process: &Process) {
    eventually(&format!("it is over\n{}", process.log_tail()), SOON, || {
        let incidents = shown(process);
        (!incidents.is_empty() && incidents.iter().all(|incident| incident["state"] == "over")).then_some(())
    });
}

/// Every incident comes to the topic as REST shows it; those that happen while no broker is there come when it is.
#[test]
fn incidents_are_sent_to_a_topic_sooner_or_later() {
    let test = "incidents in a topic";
    if address("HEADWATER_TEST_KAFKA", test).is_none() {
        return;
    }
    let (server, broker) = (Server::start("mysql-9.7", ""), Broker::start());
    // The worker keeps its lead while the broker is away.
    let settings = [("headwater.incidents.topic", "headwater-incidents"), ("session.timeout.ms", "120000")];
    let process = Process::start(&Place::at(&server, &broker.address()), "rest_incidents", &settings);
    let name = process.name.clone();
    let mut config = process.config();
    config["headwater.heartbeat.period.ms"] = json!("500");
    config["headwater.reconnect.backoff.max.ms"] = json!("1000");
    config["retriable.restart.connector.wait.ms"] = json!("1000");
    assert_eq!(process.put_config(&name, &config).0, 201);
    process.wait_for(&name, "RUNNING", SOON);
    let all_are_sent = || {
        eventually(&format!("what is shown is sent\n{}", process.log_tail()), SOON, || {
            let shown = shown(&process);
            let sent = sent(&process, "headwater-incidents");
            (sent.iter().all(|incident| shown.contains(incident)) && sent.len() == shown.len()).then_some(())
        });
    };
    make_incident(&process, &server);
    wait_until_over(&process);
    all_are_sent();

    let before = shown(&process).len();
    broker.kill();
    make_incident(&process, &server);
    broker.start_again();
    wait_until_over(&process);
    assert!(shown(&process).len() > before);
    all_are_sent();
}
