//! What cannot be told apart in an open transaction is asked for again, whole.

use super::STREAMING;
use super::support::instance::Instance;
use super::support::postgres::{Database, LONG};
use super::support::{address, topic};

fn fill(table: &str, first: i64, last: i64) -> String {
    format!("INSERT INTO {table} SELECT g, md5(g::text) FROM generate_series({first}, {last}) g")
}

#[test]
fn a_message_of_a_part_that_was_rolled_back_does_not_come() {
    let Some(scene) = Database::new("HEADWATER_TEST_POSTGRES_17", "a_message_of_a_part_that_was_rolled_back", &[])
    else {
        return;
    };
    scene.run(&["CREATE TABLE t (id bigint PRIMARY KEY, t text)"]);
    // To ask for it anew is none of the attempts that are allowed to fail.
    let connector = scene.connector_beside(&STREAMING).with(&[("errors.max.retries", "0")]);
    let running = connector.start_streaming();
    scene.run(&[
        "BEGIN",
        &fill("t", 1, 3_000),
        "SAVEPOINT s",
        "SELECT pg_logical_emit_message(true, 'rolled back', 'x')",
        &fill("t", 3_001, 6_000),
        "ROLLBACK TO s",
        "SELECT pg_logical_emit_message(true, 'committed', 'x')",
        &fill("t", 3_001, 4_000),
        "COMMIT",
    ]);
    scene.wait_for_records(&connector, &running, "t", 4_000);
    assert!(running.log().contains("HW1430"), "{}", running.log_tail(30));
    let mut prefixes = Vec::new();
    topic::read(&scene.broker, &connector.topic("message"), |record| {
        let value: serde_json::Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
        prefixes.push(value["message"]["prefix"].as_str().unwrap().to_owned());
    });
    assert_eq!(prefixes, ["committed"]);
    let ids: Vec<i64> = scene.landed(&connector, "t").iter().map(|(_, row)| row["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=4_000).collect::<Vec<i64>>());
}

/// Holds that the rows of a transaction of another server, which begins with a statement, say where it was committed first.
fn check_origin(first: &str) {
    let Some(broker) = address("HEADWATER_TEST_KAFKA", "a_transaction_of_another_server") else { return };
    // Where an origin is known, others' transactions are in doubt: on a server of its own it disturbs nobody.
    let server = Instance::start("postgres-17", "");
    let scene = Database::at(server.port, broker, &["CREATE TABLE t (id bigint PRIMARY KEY, t text)"]);
    let connector = scene.connector_beside(&STREAMING);
    let running = connector.start_streaming();
    let origin = &scene.name;
    scene.run(&[
        &format!("SELECT pg_replication_origin_create('{origin}')"),
        &format!("SELECT pg_replication_origin_session_setup('{origin}')"),
        "BEGIN",
        "SELECT pg_replication_origin_xact_setup('0/12345', now())",
        first,
        &fill("t", 1, 4_000),
        "COMMIT",
    ]);
    scene.wait_for_records(&connector, &running, "t", 4_000);
    let mut origins = std::collections::BTreeSet::new();
    topic::read(&scene.broker, &connector.topic("public.t"), |record| {
        let value: serde_json::Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
        origins.insert((value["source"]["origin"].to_string(), value["source"]["origin_lsn"].as_i64()));
    });
    assert_eq!(origins, [(format!("\"{origin}\""), Some(0x12345))].into(), "{first}");
}

#[test]
fn a_transaction_of_another_server_says_where_it_was_committed() {
    check_origin("SELECT 1");
}

#[test]
fn a_transaction_of_another_server_that_begins_with_a_message_says_it_too() {
    check_origin("SELECT pg_logical_emit_message(true, 'first', 'x')");
}

#[test]
fn a_transaction_of_another_server_that_begins_with_a_table_says_it_too() {
    check_origin("CREATE TABLE other (id int)");
}

#[test]
fn a_slot_that_sends_prepared_transactions_is_refused() {
    let Some(scene) = Database::new("HEADWATER_TEST_POSTGRES_17", "a_slot_that_sends_prepared_transactions", &[])
    else {
        return;
    };
    scene.run(&["CREATE TABLE t (id bigint PRIMARY KEY, t text)"]);
    let connector = scene.connector_beside(&[]);
    let slot = connector.config["slot.name"].clone();
    scene.run(&[&format!("SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput', twophase => true)")]);
    let mut running = connector.start_streaming();
    let gid = &scene.name;
    scene.run(&["BEGIN", "INSERT INTO t VALUES (1, 'x')", &format!("PREPARE TRANSACTION '{gid}'")]);
    let failure = running.wait_for_failure(LONG);
    scene.run(&[&format!("ROLLBACK PREPARED '{gid}'")]);
    assert!(failure.contains("HW1432"), "{failure}");
    drop(running);
    scene.wait_until_free();
}
