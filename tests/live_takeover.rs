//! Stored positions and histories that cannot be taken over: damaged, half done, another server's, not whole. Each is
//! refused with its page and what to do, leaves what is stored as it is, and what can be taken over is.
//!
//! Needs `HEADWATER_TEST_KAFKA` and `HEADWATER_TEST_MYSQL_97`; without them it says SKIPPED, and fails where `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "support/mod.rs"]
mod support;

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use support::program::Connector;
use support::server::Server;
use support::{address, topic};

const WITHIN: Duration = Duration::from_secs(60);

fn put(broker: &str, topic: &str, key: Option<&str>, value: &str) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", broker).create().unwrap();
    let mut record: BaseRecord<'_, str, str> = BaseRecord::to(topic).payload(value).partition(0);
    record.key = key;
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(WITHIN).unwrap();
}

/// Removes every record of a topic before `offset`, as retention does.
fn remove_before(broker: &str, topic: &str, offset: Offset) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", broker).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, offset).unwrap();
    futures_executor::block_on(admin.delete_records(&list, &AdminOptions::new())).unwrap();
}

/// One connector, with what it stored when it ended in an orderly way.
struct Scene {
    connector: Connector,
    /// The position that it stored.
    stored: Value,
    rows: usize,
}

impl Scene {
    fn start(server: &Server, broker: &str) -> Self {
        server.sql(&["CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)"]);
        let connector = Connector::new(server, broker, "shop");
        let running = connector.start_streaming();
        server.sql(&["INSERT INTO shop.t VALUES (1, 1)"]);
        connector.catch_up(&running, server, WITHIN);
        assert!(running.terminate(WITHIN).success());
        let stored = connector.stored_offset().unwrap();
        Scene { connector, stored, rows: 1 }
    }

    fn history(&self) -> &str {
        &self.connector.config["schema.history.internal.kafka.topic"]
    }

    fn store(&self, offset: &str) {
        let key = json!([self.connector.name, { "server": self.connector.name }]).to_string();
        put(&self.connector.broker, &self.connector.worker["offset.storage.topic"], Some(&key), offset);
    }

    /// The stored position with other fields.
    fn with(&self, fields: &Value) -> String {
        let mut offset = self.stored.clone();
        offset.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        offset.to_string()
    }

    /// Starting with what is stored now fails with this page and these words, and changes nothing.
    fn refused(&self, what: &str, code: &str, words: &[&str]) {
        let before = self.last_stored();
        let running = self.connector.start();
        let trace = running.wait_for_state("FAILED", WITHIN);
        running.kill();
        assert!(trace.contains(code), "{what}: {trace}");
        for word in words {
            assert!(trace.contains(word), "{what}: no {word:?} in {trace}");
        }
        assert_eq!(self.last_stored(), before, "{what}: a refused position was replaced");
    }

    /// What is stored now, readable or not.
    fn last_stored(&self) -> Result<Value, Vec<u8>> {
        let mut last = Vec::new();
        let offsets = &self.connector.worker["offset.storage.topic"];
        topic::read(&self.connector.broker, offsets, |record| last = record.value.unwrap());
        serde_json::from_slice(&last).map_err(|_| last)
    }

    /// Starting with what is stored now goes on; gives what it logged.
    fn accepted(&mut self, what: &str, server: &Server) -> String {
        let running = self.connector.start_streaming();
        self.rows += 1;
        server.sql(&[&format!("INSERT INTO shop.t VALUES ({0}, {0})", self.rows)]);
        self.connector.catch_up(&running, server, WITHIN);
        let log = running.log();
        assert!(running.terminate(WITHIN).success(), "{what}");
        let mut ids = Vec::new();
        topic::read(&self.connector.broker, &self.connector.topic("shop.t"), |record| {
            let value: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
            assert_eq!(value["after"], json!({ "id": value["after"]["id"], "v": value["after"]["id"] }), "{what}");
            ids.push(value["after"]["id"].as_u64().unwrap());
        });
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids, (1..=self.rows as u64).collect::<Vec<_>>(), "{what}");
        self.stored = self.connector.stored_offset().unwrap();
        log
    }
}

fn positions(scene: &mut Scene, server: &Server) {
    let other = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";
    let snapshot = |kind: &str| scene.with(&json!({ "snapshot": kind }));
    let cases = [
        ("no JSON", "{\"file\":".to_owned(), "HW0809", vec!["same key", "no JSON"]),
        ("no object", "[1]".to_owned(), "HW0809", vec!["no JSON object"]),
        ("nested", scene.with(&json!({ "pos": {} })), "HW0809", vec!["pos"]),
        ("nothing in it", "{}".to_owned(), "HW0452", vec!["neither a file nor a GTID set"]),
        ("a text for a number", scene.with(&json!({ "event": "two" })), "HW0452", vec!["another type"]),
        ("a number for a text", scene.with(&json!({ "gtids": 5 })), "HW0452", vec!["another type"]),
        ("negative", scene.with(&json!({ "pos": -1 })), "HW0452", vec!["negative"]),
        // Inside an XA transaction Debezium counts rows of an event that lies before `pos`.
        ("rows without events", scene.with(&json!({ "gtids": null, "row": 3 })), "HW0452", vec!["XA", "leave out row"]),
        ("no GTIDs", scene.with(&json!({ "gtids": "nonsense" })), "HW0452", vec!["GTID set"]),
        ("another server", scene.with(&json!({ "gtids": other })), "HW0455", vec!["3e11fa47"]),
        ("initial snapshot", snapshot("INITIAL"), "HW0453", vec!["snapshot of data", "snapshot.mode=no_data"]),
        ("old snapshot", scene.with(&json!({ "snapshot": true })), "HW0453", vec!["snapshot of data"]),
        ("blocking snapshot", snapshot("BLOCKING"), "HW0453", vec!["snapshot of data"]),
        (
            "incremental snapshot",
            scene.with(
                &json!({ "snapshot": "INCREMENTAL", "incremental_snapshot_collections": "[{\"id\":\"shop.t\"}]" }),
            ),
            "HW0453",
            vec!["incremental snapshot", "stop-snapshot"],
        ),
    ];
    for (what, offset, code, words) in cases {
        scene.store(&offset);
        scene.refused(what, code, &words);
    }
    scene.store(&scene.with(&json!({ "snapshot": "INCREMENTAL" })));
    scene.accepted("an incremental snapshot that has ended", server);
}

/// A position within a transaction that has fewer events stands for another log: leaving out what it says would lose rows.
fn beyond_the_transaction(scene: &mut Scene, server: &Server) {
    let (file, _) = server.log_position();
    let before = scene.stored.clone();
    scene.rows += 1;
    server.sql(&[&format!("INSERT INTO shop.t VALUES ({0}, {0})", scene.rows)]);
    let begin = begin_of_last_transaction(server, &file, before["pos"].as_u64().unwrap());
    scene.store(&scene.with(&json!({ "pos": begin, "event": 1_000 })));
    scene.refused("more events than there are", "HW0469", &["event", "PATCH"]);
    scene.store(&scene.with(&json!({ "pos": begin, "event": 2, "row": 1_000 })));
    scene.refused("more rows than there are", "HW0469", &["999 more rows", "PATCH"]);
    scene.store(&scene.with(&json!({ "pos": begin, "event": 1 })));
    scene.accepted("the first event only", server);
}

fn begin_of_last_transaction(server: &Server, file: &str, from: u64) -> u64 {
    let events = server.session().query(&format!("SHOW BINLOG EVENTS IN '{file}' FROM {from}")).unwrap();
    let text = |row: &Vec<Option<Vec<u8>>>, name: &str| events.text(row, name).unwrap_or_default();
    let begins = events.rows.iter().filter(|row| text(row, "Info") == "BEGIN");
    begins.map(|row| text(row, "Pos").parse().unwrap()).next_back().unwrap()
}

fn histories(scene: &mut Scene, server: &Server) {
    let broker = scene.connector.broker.clone();
    let history = scene.history().to_owned();
    // Somebody else's statements in the same topic are not ours, whatever they do to tables of the same names.
    let column = json!({ "name": "other", "jdbcType": 4, "typeName": "INT", "typeExpression": "INT", "position": 1 });
    let others = json!({
        "source": { "server": "somebody_else" },
        "position": { "file": "binlog.000001", "pos": 4 },
        "ts_ms": 1,
        "databaseName": "shop",
        "ddl": "DROP TABLE t; CREATE TABLE t (other INT)",
        "tableChanges": [{ "type": "CREATE", "id": "\"shop\".\"t\"", "table": {
            "defaultCharsetName": "utf8mb4", "primaryKeyColumnNames": [], "columns": [column], "attributes": [] } }],
    });
    put(&broker, &history, None, &others.to_string());
    let log = scene.accepted("another connector's records", server);
    assert!(log.contains("records of other connectors") && log.contains("somebody_else"), "{log}");

    // The first record goes, as retention takes it: it is said, and what is known goes on.
    remove_before(&broker, &history, Offset::Offset(1));
    let log = scene.accepted("a history without its first record", server);
    assert!(log.contains("HW0811") && log.contains("retention.ms=-1"), "{log}");

    put(&broker, &history, None, "{\"source\":");
    scene.refused("a damaged record", "HW0810", &["no JSON", "recovery"]);
    remove_before(&broker, &history, Offset::End);
    scene.refused("an emptied history", "HW0811", &["all of it", "recovery"]);
    put(&broker, &history, None, &others.to_string());
    scene.refused("a history of others only", "HW0470", &["somebody_else", "topic.prefix", "recovery"]);
    scene.connector.config.insert("snapshot.mode".to_owned(), "recovery".to_owned());
    scene.accepted("recovery", server);
    scene.connector.config.insert("snapshot.mode".to_owned(), "no_data".to_owned());
    scene.accepted("after the recovery", server);
}

/// GTIDs that were switched off still say whose position it is.
fn without_gtids(scene: &mut Scene, server: &Server) {
    server.sql(&["SET GLOBAL gtid_mode=ON_PERMISSIVE"]);
    scene.store(&scene.with(&json!({ "gtids": "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5" })));
    scene.refused("another server that uses no GTIDs", "HW0455", &["3e11fa47"]);
    scene.store(&scene.with(&json!({})));
    scene.accepted("GTIDs switched off", server);
}

#[test]
fn what_cannot_be_taken_over_is_refused_with_a_way_out() {
    let test = "live_takeover";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    if address("HEADWATER_TEST_MYSQL_97", test).is_none() {
        return;
    }
    let server = Server::start("mysql-9.7", "");
    let mut scene = Scene::start(&server, &broker);
    positions(&mut scene, &server);
    beyond_the_transaction(&mut scene, &server);
    histories(&mut scene, &server);
    without_gtids(&mut scene, &server);
}
