//! PostgreSQL, from transactions to topics: killed, cut off, altered behind its back, and left alone.
//!
//! Needs `HEADWATER_TEST_POSTGRES_17` and `HEADWATER_TEST_KAFKA`. Each test has a database, a slot and a publication of its
//! own on that server, which are removed at its end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

mod check;
mod failover;
mod faults;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use headwater::source::postgres::connection::Lsn;
use serde_json::Value;
use support::postgres::{Database, LONG};
use support::{SetWhenDropped, eventually, number, topic};

/// The server whose databases the tests use.
const SERVER: &str = "HEADWATER_TEST_POSTGRES_17";

/// Writes transactions that interleave with those of others: rows are inserted and updated some time before the commit.
fn write(scene: &Database, writer: i64, next: &AtomicI64, stop: &AtomicBool, random: &mut fastrand::Rng) {
    let mut session = scene.sql();
    while !stop.load(Ordering::Relaxed) {
        session.query_drop("BEGIN").unwrap();
        let count = random.i64(1..40);
        let first = next.fetch_add(count, Ordering::Relaxed);
        for id in first..first + count {
            session.query_drop(&format!("INSERT INTO item VALUES ({id}, {writer}, 1)")).unwrap();
        }
        session
            .query_drop(&format!("UPDATE item SET version = 2 WHERE id >= {first} AND id < {}", first + count / 2))
            .unwrap();
        // The rows of a COPY share places in the log.
        session.query_drop(&format!("COPY copied FROM PROGRAM 'seq {first} {}'", first + count - 1)).unwrap();
        if random.u8(..4) == 0 {
            session.query_drop("SAVEPOINT s").unwrap();
            session.query_drop(&format!("INSERT INTO item VALUES (-{first}, {writer}, 1)")).unwrap();
            session.query_drop("ROLLBACK TO s").unwrap();
        }
        session.query_drop("COMMIT").unwrap();
    }
}

#[test]
fn killed_at_any_moment_nothing_is_lost() {
    let tables = [
        "CREATE TABLE item (id bigint PRIMARY KEY, writer int NOT NULL, version int NOT NULL)",
        "CREATE TABLE copied (id bigint PRIMARY KEY)",
    ];
    let Some(scene) = Database::new(SERVER, "killed_at_any_moment_nothing_is_lost", &tables) else { return };
    let seed = number("HEADWATER_CRASH_SEED", fastrand::u64(..1_000_000_000));
    println!("PostgreSQL: HEADWATER_CRASH_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let connector = scene.connector();
    let (next, stop) = (AtomicI64::new(1), AtomicBool::new(false));
    // The beginning is stored before anything is written, so that all of it must come.
    connector.start_streaming().terminate(LONG);
    let running = std::thread::scope(|scope| {
        let _stop = SetWhenDropped(&stop);
        for writer in 0..3 {
            let (scene, next, stop, mut random) = (&scene, &next, &stop, random.fork());
            scope.spawn(move || write(scene, writer, next, stop, &mut random));
        }
        for _ in 0..number("HEADWATER_CRASH_ROUNDS", 10) {
            let running = connector.start();
            running.wait_for_state("RUNNING", LONG);
            std::thread::sleep(Duration::from_millis(random.u64(0..900)));
            running.kill();
        }
        connector.start()
    });
    let mark = -1_000_000_000;
    scene.run(&[&format!("INSERT INTO item VALUES ({mark}, 9, 1)")]);
    let is_mark = |(_, row): &(String, Value)| row["id"] == mark;
    eventually(&format!("the last row\n{}", running.log_tail(20)), LONG, || {
        scene.landed(&connector, "item").iter().any(is_mark).then_some(())
    });
    assert!(running.terminate(LONG).success());
    let (rows, records) = scene.reconcile_versions(&connector, "item");
    let copied: BTreeSet<i64> =
        scene.landed(&connector, "copied").iter().map(|(_, row)| row["id"].as_i64().unwrap()).collect();
    let expected = scene.ask("SELECT count(*) FROM copied").unwrap().parse::<usize>().unwrap();
    assert_eq!(copied.len(), expected, "rows that share a place in the log");
    println!("PostgreSQL: {rows} rows, {records} records of them, {expected} copied rows");
}

#[test]
fn a_connection_that_is_cut_inside_a_transaction_repeats_and_loses_nothing() {
    let test = "a_connection_that_is_cut_inside_a_transaction_repeats_and_loses_nothing";
    let Some(scene) = Database::new(SERVER, test, &["CREATE TABLE big (id int PRIMARY KEY)"]) else { return };
    let connector = scene.connector();
    let running = connector.start_streaming();
    scene.run(&["INSERT INTO big SELECT g FROM generate_series(1, 100000) g"]);
    let cut = format!(
        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{}' AND active",
        scene.name
    );
    for share in [1, 20_000, 50_000] {
        scene.wait_for(&connector, &running, "big", share);
        scene.run(&[&cut]);
    }
    let ids: Vec<i64> = scene
        .wait_for(&connector, &running, "big", 100_000)
        .iter()
        .map(|(_, row)| row["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, (1..=100_000).collect::<Vec<i64>>());
}

#[test]
fn the_slot_advances_while_nothing_is_captured() {
    let test = "the_slot_advances_while_nothing_is_captured";
    let Some(scene) = Database::new(
        SERVER,
        test,
        &["CREATE TABLE seen (id int)", "CREATE SCHEMA other", "CREATE TABLE other.t (id int)"],
    ) else {
        return;
    };
    let connector = scene.connector();
    let running = connector.start_streaming();
    for _ in 0..3 {
        scene.run(&["INSERT INTO other.t SELECT generate_series(1, 1000)"]);
        let written: Lsn = scene.ask("SELECT pg_current_wal_lsn()").unwrap().parse().unwrap();
        eventually("the slot has passed what was written", LONG, || scene.confirmed().filter(|lsn| *lsn >= written));
    }
    assert!(running.terminate(LONG).success());
    // What was confirmed was stored before.
    let stored = connector.stored_offset().unwrap()["lsn_commit"].as_u64().unwrap();
    assert!(scene.confirmed().unwrap().0 <= stored, "confirmed is {:?}, stored {stored}", scene.confirmed());
}

#[test]
fn a_slot_that_was_moved_or_is_gone_is_told() {
    let test = "a_slot_that_was_moved_or_is_gone_is_told";
    let Some(scene) = Database::new(SERVER, test, &["CREATE TABLE t (id int PRIMARY KEY)"]) else { return };
    let connector = scene.connector();
    let running = connector.start_streaming();
    scene.run(&["INSERT INTO t VALUES (1)"]);
    scene.wait_for(&connector, &running, "t", 1);
    assert!(running.terminate(LONG).success());
    scene.wait_until_free();
    scene.run(&["INSERT INTO t VALUES (2)"]);
    let slot = &scene.name;
    scene.run(&[&format!("SELECT pg_replication_slot_advance('{slot}', pg_current_wal_lsn())")]);
    let failure = connector.start().wait_for_failure(LONG);
    assert!(failure.contains("HW1407"), "{failure}");
    scene.wait_until_free();
    let connector = connector.with(&[("offset.mismatch.strategy", "trust_greater_lsn")]);
    let running = connector.start_streaming();
    scene.run(&["INSERT INTO t VALUES (3)"]);
    scene.wait_for(&connector, &running, "t", 2);
    assert!(running.terminate(LONG).success());
    scene.wait_until_free();
    scene.run(&[&format!("SELECT pg_drop_replication_slot('{slot}')")]);
    let failure = connector.start().wait_for_failure(LONG);
    assert!(failure.contains("HW1403"), "{failure}");
}

#[test]
fn rows_have_the_columns_that_they_were_written_with() {
    let test = "rows_have_the_columns_that_they_were_written_with";
    let Some(scene) = Database::new(SERVER, test, &["CREATE TABLE t (a int, b int NOT NULL, PRIMARY KEY (a, b))"])
    else {
        return;
    };
    let connector = scene.connector();
    connector.start_streaming().terminate(LONG);
    // All of it is history by the time it is read.
    scene.run(&[
        "INSERT INTO t VALUES (1, 2)",
        "ALTER TABLE t RENAME COLUMN a TO c",
        "INSERT INTO t VALUES (3, 4)",
        "ALTER TABLE t DROP CONSTRAINT t_pkey",
        "ALTER TABLE t DROP COLUMN b, ADD COLUMN d text, ADD PRIMARY KEY (c)",
        "INSERT INTO t VALUES (5, 'six')",
        "DROP TABLE t",
    ]);
    let running = connector.start_streaming();
    let rows: Vec<String> =
        scene.wait_for(&connector, &running, "t", 3).iter().map(|(_, row)| row.to_string()).collect();
    assert_eq!(rows, [r#"{"a":1,"b":2}"#, r#"{"c":3,"b":4}"#, r#"{"c":5,"d":"six"}"#]);
    let mut keys = Vec::new();
    topic::read(&scene.broker, &connector.topic("public.t"), |record| {
        keys.push(record.key.map(|key| String::from_utf8(key).unwrap()).unwrap_or_default());
    });
    assert_eq!(keys, [r#"{"a":1,"b":2}"#, r#"{"c":3,"b":4}"#, r#"{"c":5}"#]);
}
