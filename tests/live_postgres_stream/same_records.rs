//! Two connectors read the same log, one that receives large transactions while they are open and one that does not: what
//! lands is the same, byte for byte but for the times of processing and the connectors' names.

use headwater::source::postgres::connection::Connection;

use super::STREAMING;
use super::support::postgres::{Database, LONG};
use super::support::program::Connector;
use super::support::topic;

const TABLES: [&str; 7] = [
    "CREATE SCHEMA private",
    "CREATE TABLE private.other (id int)",
    "CREATE TABLE one (id bigint PRIMARY KEY, n int, t text)",
    "CREATE TABLE two (id bigint PRIMARY KEY, n int, t text)",
    "ALTER TABLE two REPLICA IDENTITY FULL",
    "CREATE TABLE three (id bigint PRIMARY KEY, t text)",
    "CREATE TABLE done (id int PRIMARY KEY)",
];

fn rows(table: &str, first: i64, last: i64) -> String {
    format!("INSERT INTO {table} SELECT g, g % 7, repeat(md5(g::text), 2) FROM generate_series({first}, {last}) g")
}

fn run(session: &mut Connection, statements: &[&str]) {
    for statement in statements {
        session.query_drop(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// Parts that are rolled back, one in the other, and transactions that interleave.
fn parts_and_neighbours(scene: &Database) {
    let (mut a, mut b) = (scene.sql(), scene.sql());
    run(&mut a, &["BEGIN", &rows("one", 1, 4_000)]);
    run(&mut b, &["BEGIN", &rows("two", 1, 4_000)]);
    run(&mut a, &["SAVEPOINT x", &rows("one", 4_001, 8_000), "UPDATE one SET n = -1 WHERE id < 2000"]);
    scene.run(&["INSERT INTO three VALUES (1, 'small')", "UPDATE three SET t = 'between' WHERE id = 1"]);
    run(&mut a, &["ROLLBACK TO x", &rows("one", 5_001, 7_000), "SAVEPOINT y", &rows("one", 8_001, 9_000)]);
    run(&mut a, &["SAVEPOINT z", &rows("one", 9_001, 11_000), "RELEASE z", "ROLLBACK TO y"]);
    run(&mut b, &["DELETE FROM two WHERE id % 2 = 0", "SAVEPOINT p", &rows("two", 5_001, 8_000), "RELEASE p"]);
    run(&mut a, &[&rows("one", 9_001, 9_500), "UPDATE one SET t = 'short' WHERE id > 6000"]);
    run(&mut b, &["COMMIT"]);
    run(&mut a, &["COMMIT"]);
    // Large, and rolled back whole.
    run(&mut a, &["BEGIN", &rows("one", 100_001, 104_000), "SAVEPOINT x", &rows("one", 104_001, 106_000), "ROLLBACK"]);
    // The same with a message, which does not say to which of the parts that end one by one it belongs.
    run(&mut a, &["BEGIN", "SELECT pg_logical_emit_message(true, 'never', 'x')", &rows("one", 100_001, 103_000)]);
    run(&mut a, &["SAVEPOINT x", &rows("one", 104_001, 106_000), "ROLLBACK"]);
}

/// Transactions that do something else before their first change that is captured, and that have none.
fn late_and_empty(scene: &Database) {
    let mut a = scene.sql();
    run(&mut a, &["BEGIN", "CREATE TABLE private.late (id int)", "INSERT INTO private.late VALUES (1)"]);
    run(&mut a, &[&rows("one", 200_001, 203_000), "COMMIT"]);
    // What remains is nothing: of another schema, or rolled back.
    run(&mut a, &["INSERT INTO private.other SELECT g FROM generate_series(1, 20000) g"]);
    run(&mut a, &["BEGIN", "SAVEPOINT x", &rows("one", 300_001, 303_000), "ROLLBACK TO x", "COMMIT"]);
    run(&mut a, &["BEGIN", "SAVEPOINT x", &rows("one", 300_001, 303_000), "ROLLBACK TO x"]);
    run(&mut a, &[&rows("two", 300_001, 303_000), "COMMIT"]);
}

/// Tables are altered inside of transactions, some of which never were.
fn altered(scene: &Database) {
    let (mut a, mut b) = (scene.sql(), scene.sql());
    run(&mut a, &["BEGIN", &rows("one", 20_001, 22_000)]);
    run(&mut b, &["BEGIN", &rows("two", 20_001, 22_000), "ALTER TABLE two ADD COLUMN more int DEFAULT 5"]);
    run(&mut b, &["UPDATE two SET n = 9 WHERE id > 20000"]);
    // In a part that is rolled back: a column, and a column of a type, that never were.
    run(&mut b, &["SAVEPOINT s", "ALTER TABLE two DROP COLUMN n", "CREATE TYPE mood AS ENUM ('sad')"]);
    run(&mut b, &["ALTER TABLE two ADD COLUMN mood mood DEFAULT 'sad'", "UPDATE two SET t = 'never' WHERE id > 20000"]);
    run(&mut b, &["ROLLBACK TO s", "UPDATE two SET t = 'after' WHERE id > 20000"]);
    run(
        &mut a,
        &["CREATE TABLE made (id bigint PRIMARY KEY, n int, t text)", &rows("made", 1, 2_000), "DROP TABLE made"],
    );
    run(&mut a, &["SAVEPOINT s", "INSERT INTO three SELECT g, 'x' FROM generate_series(100, 3000) g", "ROLLBACK TO s"]);
    // The server has described the table in the part that was rolled back, and does not do it again.
    run(&mut a, &["INSERT INTO three SELECT g, 'y' FROM generate_series(100, 3000) g", "COMMIT"]);
    run(&mut b, &["COMMIT"]);
    scene.run(&["INSERT INTO two (id, n, t) VALUES (30001, 1, 'behind')", "INSERT INTO three VALUES (4000, 'behind')"]);
    // Altered, and rolled back whole.
    run(&mut a, &["BEGIN", "ALTER TABLE one ADD COLUMN never int DEFAULT 1", &rows("one", 40_001, 43_000), "ROLLBACK"]);
    run(&mut a, &["INSERT INTO one VALUES (40001, 1, 'behind')", "ALTER TABLE one DROP COLUMN n"]);
    run(
        &mut a,
        &["BEGIN", "UPDATE one SET t = 'q'", "TRUNCATE three, two", "INSERT INTO three VALUES (1, 'new')", "COMMIT"],
    );
}

/// Values that are out of line, keys that change, and messages.
fn values_and_messages(scene: &Database) {
    let mut a = scene.sql();
    let long = "INSERT INTO three SELECT g, (SELECT string_agg(md5(i::text || g), '') FROM generate_series(1, 200) i) \
                FROM generate_series(5001, 5200) g";
    run(&mut a, &["BEGIN", long, "UPDATE three SET id = id + 10000 WHERE id > 5000"]);
    run(&mut a, &["SELECT pg_logical_emit_message(true, 'in', 'content')"]);
    scene.run(&["SELECT pg_logical_emit_message(false, 'between', 'content')"]);
    run(&mut a, &["DELETE FROM three WHERE id > 15100", "COMMIT"]);
}

/// A record without what differs by its nature.
fn plain(connector: &Connector, bytes: Option<Vec<u8>>) -> String {
    let Some(bytes) = bytes else { return "none".to_owned() };
    let text = String::from_utf8(bytes).unwrap().replace(&connector.name, "NAME");
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    if let Some(fields) = value.as_object_mut() {
        for time in ["ts_ms", "ts_us", "ts_ns"] {
            fields.remove(time);
        }
    }
    value.to_string()
}

fn records(scene: &Database, connector: &Connector, name: &str) -> Vec<(String, String)> {
    let mut records = Vec::new();
    topic::read(&scene.broker, &connector.topic(name), |record| {
        records.push((plain(connector, record.key), plain(connector, record.value)));
    });
    records
}

/// Runs transactions, and compares what two connectors make of them; gives how many records there are.
fn check(variable: &str, settings: &[(&str, &str)], topics: &[&str], transactions: &[fn(&Database)]) -> usize {
    let Some(scene) = Database::new(variable, "same_records", &[]) else { return 0 };
    scene.run(&TABLES);
    let folder = super::support::scratch("held-");
    let held = [STREAMING.as_slice(), settings, &[("headwater.transaction.folder", folder.path().to_str().unwrap())]];
    let whole = scene.connector_beside(settings);
    let parts = scene.connector_beside(&held.concat());
    let (running_whole, running_parts) = (whole.start_streaming(), parts.start_streaming());
    transactions.iter().for_each(|transaction| transaction(&scene));
    scene.run(&["INSERT INTO done VALUES (1)"]);
    scene.wait_for_records(&whole, &running_whole, "done", 1);
    scene.wait_for_records(&parts, &running_parts, "done", 1);
    assert_eq!(scene.streamed_bytes(&whole), 0);
    assert!(scene.streamed_bytes(&parts) > 100_000, "nothing was streamed");
    let mut count = 0;
    for name in topics {
        let (whole, parts) = (records(&scene, &whole, name), records(&scene, &parts, name));
        for (at, (whole, parts)) in whole.iter().zip(&parts).enumerate() {
            assert_eq!(whole, parts, "{variable}: record {at} of {name}");
        }
        assert_eq!(whole.len(), parts.len(), "{variable}: {name}");
        assert!(!whole.is_empty(), "{variable}: {name}");
        count += whole.len();
    }
    assert!(running_parts.log().contains("an open transaction goes to a file"), "{}", running_parts.log_tail(30));
    assert!(!running_parts.log().contains("HW14"), "{}", running_parts.log_tail(30));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files are left");
    // What is stored is the same place, too.
    assert!(running_whole.terminate(LONG).success() && running_parts.terminate(LONG).success());
    count
}

fn check_all(variable: &str) {
    let topics = ["public.one", "public.two", "public.three", "message"];
    let transactions: [fn(&Database); 3] = [parts_and_neighbours, altered, values_and_messages];
    println!("{variable}: {} records are the same", check(variable, &[], &topics, &transactions));
}

#[test]
fn postgres_15() {
    check_all("HEADWATER_TEST_POSTGRES_15");
}

#[test]
fn postgres_17() {
    check_all("HEADWATER_TEST_POSTGRES_17");
}

#[test]
fn postgres_18() {
    check_all("HEADWATER_TEST_POSTGRES_18");
}

#[test]
fn transaction_metadata() {
    let settings = [("provide.transaction.metadata", "true")];
    let topics = ["public.one", "public.two", "transaction"];
    // Where nobody makes origins: one that may have been told is asked for.
    let transactions: [fn(&Database); 2] = [parts_and_neighbours, late_and_empty];
    let count = check("HEADWATER_TEST_POSTGRES_18", &settings, &topics, &transactions);
    println!("transaction metadata: {count} records are the same");
}
