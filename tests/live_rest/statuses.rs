//! The status topic, as Kafka Connect keeps it: what is written there, by whom it is read, and what becomes of connectors
//! when it is broken.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::SOON;
use crate::process::{Place, Process, place};
use crate::support::connect::Worker;
use crate::support::server::Server;
use crate::support::{address, eventually, skip, stack_script, topic, unique};

/// A topic of statuses.
struct Statuses<'a> {
    kafka: &'a str,
    topic: String,
    connector: &'a str,
}

impl Statuses<'_> {
    /// The last record under each key; removed ones are not there.
    fn held(&self) -> BTreeMap<String, Value> {
        let mut held = BTreeMap::new();
        topic::read(self.kafka, &self.topic, |record| {
            let key = String::from_utf8(record.key.unwrap()).unwrap();
            match record.value {
                Some(value) => drop(held.insert(key, serde_json::from_slice(&value).unwrap())),
                None => drop(held.remove(&key)),
            }
        });
        held
    }

    /// Waits until it says this of the connector and of its task, by this worker.
    fn wait_for(&self, process: &Process, state: &str, task: Option<&str>) {
        let expected = (json!(state), json!(task), json!(format!("127.0.0.1:{}", process.port)));
        let what = format!("the topic says {state} and {task:?}\n{}", process.log_tail());
        eventually(&what, SOON, || {
            let held = self.held();
            let part = |key: String, field: &str| held.get(&key).map_or(Value::Null, |value| value[field].clone());
            let connector = format!("status-connector-{}", self.connector);
            let task = part(format!("status-task-{}-0", self.connector), "state");
            let found = (part(connector.clone(), "state"), task, part(connector, "worker_id"));
            (found == expected).then_some(())
        });
    }

    /// Waits until it holds these topics of the connector.
    fn wait_for_topics(&self, topics: &[String]) {
        eventually(&format!("it holds {topics:?}"), SOON, || {
            let held = self.held();
            let key = |topic: &String| format!("status-topic-{topic}:connector-{}", self.connector);
            topics
                .iter()
                .all(|topic| held.get(&key(topic)).is_some_and(|value| value["topic"]["name"] == **topic))
                .then_some(())
        });
    }
}

/// The topics that a connector has written to, in order.
fn active(process: &Process) -> Vec<String> {
    let name = &process.name;
    let answer = process.ask("GET", &format!("/connectors/{name}/topics"), None).1;
    serde_json::from_value(answer[name]["topics"].clone()).unwrap_or_default()
}

fn wait_for_active(process: &Process, topics: &[String]) {
    eventually(&format!("{topics:?} are shown\n{}", process.log_tail()), SOON, || {
        (active(process) == topics).then_some(())
    });
}

/// Writes a row into a table of its own; gives the topics that it makes active.
fn write(server: &Server, name: &str, table: &str) -> [String; 2] {
    server.sql(&[
        &format!("CREATE DATABASE IF NOT EXISTS {name}_db"),
        &format!("CREATE TABLE {name}_db.{table} (id INT PRIMARY KEY)"),
        &format!("INSERT INTO {name}_db.{table} VALUES (1)"),
    ]);
    [name.to_owned(), format!("{name}.{name}_db.{table}")]
}

/// What a connector does is said in the topic, and what it wrote to is remembered: over a kill and a take-over, until it is
/// reset or the connector is deleted.
#[test]
fn the_status_topic_remembers() {
    let Some(kafka) = address("HEADWATER_TEST_KAFKA", "the status topic") else { return };
    let server = Server::start("mysql-9.7", "");
    let settings = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "1000")];
    let mut first = Process::start(&Place::at(&server, &kafka), "rest_statuses", &settings);
    let name = first.name.clone();
    let statuses = Statuses { kafka: &kafka, topic: format!("{name}.status"), connector: &name };
    assert_eq!(first.put_config(&name, &first.config()).0, 201);
    first.wait_for(&name, "RUNNING", SOON);
    let topics = write(&server, &name, "t");
    wait_for_active(&first, &topics);
    statuses.wait_for(&first, "RUNNING", Some("RUNNING"));
    statuses.wait_for_topics(&topics);

    first.kill_and_start();
    first.wait_for(&name, "RUNNING", SOON);
    wait_for_active(&first, &topics);
    let mut second = first.start_beside();
    first.signal("TERM");
    first.wait();
    second.wait_for(&name, "RUNNING", SOON);
    wait_for_active(&second, &topics);
    statuses.wait_for(&second, "RUNNING", Some("RUNNING"));

    assert_eq!(second.ask("PUT", &format!("/connectors/{name}/topics/reset"), None).0, 202);
    assert!(active(&second).is_empty());
    assert_eq!(second.ask("PUT", &format!("/connectors/{name}/stop"), None).0, 204);
    statuses.wait_for(&second, "STOPPED", None);
    second.kill_and_start();
    second.wait_for(&name, "STOPPED", SOON);
    assert!(active(&second).is_empty());
    assert_eq!(second.ask("PUT", &format!("/connectors/{name}/resume"), None).0, 202);
    statuses.wait_for(&second, "RUNNING", Some("RUNNING"));
    second.signal("TERM");
    second.wait();
    statuses.wait_for(&second, "UNASSIGNED", Some("UNASSIGNED"));
    second.start_again();
    second.wait_for(&name, "RUNNING", SOON);
    assert_eq!(second.ask("DELETE", &format!("/connectors/{name}"), None).0, 204);
    eventually("nothing is said of a deleted connector", SOON, || statuses.held().is_empty().then_some(()));
}

/// A topic that would lose what is written to it is not written to; the connector runs, and its status is what is.
#[test]
fn a_broken_status_topic_breaks_nothing() {
    let Some(place) = place("a broken status topic") else { return };
    let status = unique("rest_broken_status");
    let create = ["--create", "--topic", &status, "--config", "cleanup.policy=delete"];
    let tool = ["tool", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", place.kafka()];
    stack_script("kafka.sh", &[&tool[..], &create[..]].concat(), &[]);
    let process = Process::start(&place, "rest_broken", &[("status.storage.topic", &status)]);
    let name = process.name.clone();
    assert_eq!(process.put_config(&name, &process.config()).0, 201);
    process.wait_for(&name, "RUNNING", SOON);
    let said = "is not kept in the status topic";
    eventually("why is logged", SOON, || (process.log_count(said) > 0).then_some(()));
    assert_eq!(process.ask("PUT", &format!("/connectors/{name}/pause"), None).0, 202);
    process.wait_for(&name, "PAUSED", SOON);
    assert_eq!(topic::ends(&process.kafka, &status).iter().sum::<i64>(), 0);
    assert_eq!(process.log_count(said), 1, "{}", process.log_tail());
}

/// A Connect cluster is taken over from, and takes over again: each finds what the other wrote.
#[test]
fn kafka_connect_and_headwater_read_each_other() {
    let test = "the status topic beside Kafka Connect";
    let Some(kafka) = address("HEADWATER_TEST_KAFKA", test) else { return };
    let server = Server::start("mysql-9.7", "");
    let connect = match Worker::start(&kafka) {
        Ok(worker) => worker,
        Err(said) => return skip(test, &said),
    };
    let group = connect.group();
    let status = format!("{group}-status");
    let configs = format!("{group}-configs");
    let settings = [
        ("group.id", group.as_str()),
        ("config.storage.topic", &configs),
        ("status.storage.topic", &status),
        ("offset.storage.topic", &connect.connect.offsets),
    ];
    let mut process = Process::prepare(&Place::at(&server, &kafka), "rest_connect", &settings);
    let name = process.name.clone();
    let statuses = Statuses { kafka: &kafka, topic: status.clone(), connector: &name };
    // Before Debezium starts: it reads which tables there are before the place in the log, and never learns of one that is made
    // in between.
    let topics = write(&server, &name, "t");
    connect.connect.start(&name, &serde_json::from_value(process.config()).unwrap()).unwrap();
    let has_state = |state: &str| {
        eventually(&format!("Connect says {state}"), SOON, || (connect.connect.state(&name).0 == state).then_some(()));
    };
    let shows = |topics: &[String]| {
        let shown = || connect.connect.topics(&name);
        eventually(&format!("Connect shows {topics:?}"), SOON, || (shown() == topics).then_some(()));
    };
    has_state("RUNNING");
    // Connect says RUNNING before Debezium reads: what was written then does not come.
    let mut row = 1;
    eventually(&format!("Connect shows {topics:?}"), SOON, || {
        row += 1;
        server.sql(&[&format!("INSERT INTO {name}_db.t VALUES ({row})")]);
        (connect.connect.topics(&name) == topics).then_some(())
    });
    connect.end();

    // Nothing is written now: what is shown comes from Connect's records.
    process.start_again();
    process.wait_for(&name, "RUNNING", SOON);
    wait_for_active(&process, &topics);
    statuses.wait_for(&process, "RUNNING", Some("RUNNING"));
    let all = [&topics[..], &write(&server, &name, "u")[1..]].concat();
    wait_for_active(&process, &all);
    statuses.wait_for_topics(&all);
    assert_eq!(process.ask("PUT", &format!("/connectors/{name}/stop"), None).0, 204);
    statuses.wait_for(&process, "STOPPED", None);
    process.signal("TERM");
    process.wait();

    connect.begin();
    shows(&all);
    has_state("STOPPED");
    connect.connect.remove(&name);
}
