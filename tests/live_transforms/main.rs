//! Transforms, `errors.tolerance` and the dead letter topic against a real MySQL and a real Kafka: every row is on the
//! topic that the transforms chose or on the dead letter topic, through a kill -9 in mid-stream too.
//!
//! Needs `HEADWATER_TEST_KAFKA`; without it it says SKIPPED, and fails where `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use support::program::Connector;
use support::server::Server;
use support::topic::{self, Record};
use support::{address, unique};

const CAST: &str = "org.apache.kafka.connect.transforms.Cast";

/// A chain that routes, unwraps, casts a text to a number (which fails for some rows), and adds and drops fields.
const CHAIN: &[(&str, &str)] = &[
    ("transforms", "route,unwrap,number,trim,site,drop"),
    ("transforms.route.type", "org.apache.kafka.connect.transforms.RegexRouter"),
    ("transforms.route.regex", "(.*)\\.orders"),
    ("transforms.route.replacement", "$1.routed"),
    ("transforms.unwrap.type", "org.apache.kafka.connect.transforms.ExtractField$Value"),
    ("transforms.unwrap.field", "after"),
    ("transforms.number.type", "org.apache.kafka.connect.transforms.Cast$Value"),
    ("transforms.number.spec", "quantity:int32"),
    ("transforms.number.predicate", "notes"),
    ("transforms.number.negate", "true"),
    ("transforms.trim.type", "org.apache.kafka.connect.transforms.ReplaceField$Value"),
    ("transforms.trim.exclude", "secret"),
    ("transforms.trim.renames", "quantity:amount"),
    ("transforms.site.type", "org.apache.kafka.connect.transforms.InsertField$Value"),
    ("transforms.site.static.field", "site"),
    ("transforms.site.static.value", "here"),
    ("transforms.site.topic.field", "topic"),
    ("transforms.drop.type", "org.apache.kafka.connect.transforms.DropHeaders"),
    ("transforms.drop.headers", "__debezium.context.taskId"),
    ("predicates", "notes"),
    ("predicates.notes.type", "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"),
    ("predicates.notes.pattern", ".*\\.notes"),
];

/// A server with two tables of one shape.
fn server(database: &str) -> Server {
    let server = Server::start("mysql-9.7", "");
    let columns = "id INT PRIMARY KEY, quantity VARCHAR(20) NOT NULL, secret VARCHAR(20)";
    server.sql(&[
        &format!("CREATE DATABASE {database}"),
        &format!("CREATE TABLE {database}.orders ({columns})"),
        &format!("CREATE TABLE {database}.notes ({columns})"),
    ]);
    server
}

/// Whether the row's quantity is a text that is no number.
fn is_bad(id: u32) -> bool {
    id.is_multiple_of(7)
}

/// Rows with these ids, a few in a transaction.
fn insert(server: &Server, table: &str, ids: std::ops::Range<u32>) {
    for id in ids {
        let quantity = if is_bad(id) { "'many'".to_owned() } else { format!("'{}'", id * 2) };
        server.sql(&[&format!("INSERT INTO {table} VALUES ({id}, {quantity}, 'hidden')")]);
    }
}

fn text(bytes: Option<&Vec<u8>>) -> String {
    String::from_utf8(bytes.cloned().unwrap_or_default()).unwrap()
}

fn parsed(bytes: Option<&Vec<u8>>) -> Value {
    serde_json::from_slice(bytes.unwrap()).unwrap()
}

fn header(record: &Record, name: &str) -> String {
    let found = record.headers.iter().find(|(known, _)| known == name);
    text(found.unwrap_or_else(|| panic!("no header {name} in {:?}", record.headers)).1.as_ref())
}

/// The last value of each key.
fn by_id(records: &[Record]) -> BTreeMap<u32, Value> {
    let id = |record: &Record| u32::try_from(parsed(record.key.as_ref())["id"].as_u64().unwrap()).unwrap();
    records.iter().map(|record| (id(record), record.value.as_ref().map_or(Value::Null, |v| parsed(Some(v))))).collect()
}

#[test]
fn every_row_is_routed_or_a_dead_letter() {
    let Some(broker) = address("HEADWATER_TEST_KAFKA", "live_transforms") else { return };
    let database = unique("smt");
    let server = server(&database);
    let dead = unique("dead");
    let connector = Connector::new(&server, &broker, &database).with(CHAIN).with(&[
        ("errors.tolerance", "all"),
        ("errors.log.enable", "true"),
        ("errors.deadletterqueue.topic.name", &dead),
    ]);
    let running = connector.start_streaming();
    insert(&server, &format!("{database}.orders"), 1..150);
    connector.catch_up(&running, &server, Duration::from_secs(60));
    insert(&server, &format!("{database}.orders"), 150..200);
    running.kill();
    insert(&server, &format!("{database}.orders"), 200..300);
    insert(&server, &format!("{database}.notes"), 1..20);
    let running = connector.start_streaming();
    server.sql(&[&format!("DELETE FROM {database}.orders WHERE id = 5")]);
    connector.catch_up(&running, &server, Duration::from_secs(60));

    let routed_topic = connector.topic(&format!("{database}.routed"));
    let routed = topic::read_all(&broker, &routed_topic);
    let rows = by_id(&routed);
    let good: BTreeSet<u32> = (1..300).filter(|id| !is_bad(*id)).collect();
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), good);
    assert_eq!(rows[&1], json!({"id": 1, "amount": 2, "site": "here", "topic": routed_topic}));
    assert_eq!(rows[&5], Value::Null, "a deleted row ends with null");
    let names: Vec<&str> = routed[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"__debezium.context.connectorName"), "{names:?}");
    assert!(!names.contains(&"__debezium.context.taskId"), "{names:?}");
    let notes = by_id(&topic::read_all(&broker, &connector.topic(&format!("{database}.notes"))));
    assert_eq!(notes.len(), 19, "a predicate keeps the cast from notes");
    assert_eq!(notes[&7]["amount"], "many");
    assert!(topic::read_all(&broker, &connector.topic(&format!("{database}.orders"))).is_empty());

    let letters = topic::read_all(&broker, &dead);
    let bad: BTreeSet<u32> = (1..300).filter(|id| is_bad(*id)).collect();
    let envelopes = by_id(&letters);
    assert_eq!(envelopes.keys().copied().collect::<BTreeSet<_>>(), bad);
    assert_eq!(envelopes[&7]["after"], json!({"id": 7, "quantity": "many", "secret": "hidden"}));
    for letter in &letters {
        assert_eq!(header(letter, "__headwater.errors.code"), "HW1003");
        assert_eq!(header(letter, "__connect.errors.stage"), "TRANSFORMATION");
        assert_eq!(header(letter, "__connect.errors.class.name"), CAST);
        assert_eq!(header(letter, "__connect.errors.topic"), connector.topic(&format!("{database}.orders")));
        assert_eq!(header(letter, "__connect.errors.connector.name"), connector.name);
        assert!(!header(letter, "__connect.errors.exception.message").contains("many"), "a value in a message");
        let position: Value = serde_json::from_str(&header(letter, "__headwater.errors.position")).unwrap();
        assert!(position["file"].is_string() && position["pos"].is_u64(), "{position}");
    }
    let failed = bad.iter().filter(|id| **id >= 200).count() as f64;
    running.wait_for_metric("kafka_connect_task_error_total_records_skipped", failed, Duration::from_secs(10));
    running.wait_for_metric("kafka_connect_task_error_total_errors_logged", failed, Duration::from_secs(10));
    let log = running.log();
    assert!(log.contains("HW1003") && !log.contains("many") && !log.contains("hidden"), "{}", running.log_tail(20));
    running.terminate(Duration::from_secs(20));
}

#[test]
fn headers_of_transforms_stand_behind_those_of_the_connector() {
    let Some(broker) = address("HEADWATER_TEST_KAFKA", "live_transforms") else { return };
    let database = unique("smt");
    let server = server(&database);
    let connector = Connector::new(&server, &broker, &database).with(&[
        ("transforms", "mine"),
        ("transforms.mine.type", "org.apache.kafka.connect.transforms.InsertHeader"),
        ("transforms.mine.header", "mine"),
        ("transforms.mine.value.literal", "1.5"),
    ]);
    let running = connector.start_streaming();
    insert(&server, &format!("{database}.orders"), 1..2);
    server.sql(&[&format!("UPDATE {database}.orders SET id = 2 WHERE id = 1")]);
    connector.catch_up(&running, &server, Duration::from_secs(60));
    let records = topic::read_all(&broker, &connector.topic(&format!("{database}.orders")));
    let names = |record: &Record| -> Vec<String> {
        let short = |name: &str| name.trim_start_matches("__debezium.").to_owned();
        record.headers.iter().map(|(name, _)| short(name)).collect()
    };
    let context = ["context.connectorLogicalName", "context.taskId", "context.connectorName", "context.runId"];
    let with = |first: &[&'static str]| [first, &context[..], &["mine"]].concat();
    assert_eq!(names(&records[0]), with(&[]));
    assert_eq!(names(&records[1]), with(&["newkey"]), "the delete of a changed key");
    assert_eq!(header(&records[0], "mine"), "1.5");
    assert_eq!(header(&records[0], "__debezium.context.connectorLogicalName"), connector.name);
    running.terminate(Duration::from_secs(20));
}

/// Debezium mixes the keys of tables that are routed to one topic; so do we, and say it.
#[test]
fn tables_with_other_keys_on_one_topic_are_told() {
    let Some(broker) = address("HEADWATER_TEST_KAFKA", "live_transforms") else { return };
    let database = unique("smt");
    let server = server(&database);
    server.sql(&[&format!("CREATE TABLE {database}.lines (number INT PRIMARY KEY, quantity VARCHAR(20))")]);
    let connector = Connector::new(&server, &broker, &database).with(&[
        ("transforms", "route"),
        ("transforms.route.type", "io.debezium.transforms.ByLogicalTableRouter"),
        ("transforms.route.topic.regex", "(.*)\\.(orders|notes|lines)"),
        ("transforms.route.topic.replacement", "$1.all"),
    ]);
    let running = connector.start_streaming();
    insert(&server, &format!("{database}.orders"), 1..3);
    insert(&server, &format!("{database}.notes"), 1..3);
    connector.catch_up(&running, &server, Duration::from_secs(60));
    assert!(!running.log().contains("HW0905"), "{}", running.log_tail(20));
    server.sql(&[&format!("INSERT INTO {database}.lines VALUES (1, '1')")]);
    connector.catch_up(&running, &server, Duration::from_secs(60));
    running.wait_for_log("HW0905", Duration::from_secs(10));
    assert_eq!(topic::read_all(&broker, &connector.topic(&format!("{database}.all"))).len(), 5);
    running.terminate(Duration::from_secs(20));
}

#[test]
fn without_tolerance_the_connector_stops_before_the_row_and_goes_on_there() {
    let Some(broker) = address("HEADWATER_TEST_KAFKA", "live_transforms") else { return };
    let database = unique("smt");
    let server = server(&database);
    let connector = Connector::new(&server, &broker, &database).with(CHAIN);
    let mut running = connector.start_streaming();
    insert(&server, &format!("{database}.orders"), 1..20);
    let failure = running.wait_for_failure(Duration::from_secs(30));
    assert!(failure.contains("HW1003") && failure.contains("number"), "{failure}");
    drop(running);

    let routed = connector.topic(&format!("{database}.routed"));
    let before: BTreeSet<u32> = by_id(&topic::read_all(&broker, &routed)).into_keys().collect();
    assert!(before.iter().all(|id| *id < 7), "nothing passes the row that failed: {before:?}");
    // The same row, once its maker has mended it: nothing was lost, nothing passed it by.
    let connector = connector.with(&[("errors.tolerance", "all")]);
    let running = connector.start_streaming();
    connector.catch_up(&running, &server, Duration::from_secs(60));
    let after: BTreeSet<u32> = by_id(&topic::read_all(&broker, &routed)).into_keys().collect();
    assert_eq!(after, (1..20).filter(|id| !is_bad(*id)).collect());
    running.terminate(Duration::from_secs(20));
}

#[test]
fn a_registry_that_does_not_answer_is_asked_for_as_long_as_the_setting_says() {
    let Some(broker) = address("HEADWATER_TEST_KAFKA", "live_transforms") else { return };
    let database = unique("smt");
    let server = server(&database);
    let connector = Connector::new(&server, &broker, &database).with(&[
        ("value.converter", "io.confluent.connect.avro.AvroConverter"),
        // Nothing listens on the first port.
        ("value.converter.schema.registry.url", "http://127.0.0.1:1"),
        ("value.converter.registry.deadline.ms", "200"),
        ("errors.tolerance", "all"),
        ("errors.retry.timeout", "1500"),
        ("errors.retry.delay.max.ms", "400"),
    ]);
    let mut running = connector.start_streaming();
    insert(&server, &format!("{database}.orders"), 1..3);
    let failure = running.wait_for_failure(Duration::from_secs(30));
    assert!(failure.contains("HW0904") && failure.contains("1500 ms"), "{failure}");
    assert!(running.metric("kafka_connect_task_error_total_retries").unwrap() >= 2.0);
    assert_eq!(running.metric("headwater_records_skipped_total"), Some(0.0), "weather never leaves a record out");
}
