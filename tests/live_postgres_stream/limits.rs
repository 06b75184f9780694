//! Memory and disk have ends.

use super::STREAMING;
use super::support::postgres::{Database, LONG};

/// A transaction of two million rows (`HEADWATER_LARGE_TRANSACTION_ROWS`; fewer where nobody asks) takes no more than this of
/// us, whoever holds it.
const MEMORY_BYTES: u64 = 200 << 20;

/// Writes a large transaction, and holds that every row of it lands once within the memory.
fn check_memory(settings: &[(&str, &str)]) {
    let Some(scene) = Database::new("HEADWATER_TEST_POSTGRES_17", "a_large_transaction_fits_into_memory", &[]) else {
        return;
    };
    let rows = super::support::number("HEADWATER_LARGE_TRANSACTION_ROWS", 300_000) as i64;
    scene.run(&["CREATE TABLE big (id bigint PRIMARY KEY, n int, t text)"]);
    let connector = scene.connector_beside(settings);
    let running = connector.start_streaming();
    let fill = format!("INSERT INTO big SELECT g, g % 7, md5(g::text) FROM generate_series(1, {rows}) g");
    scene.run(&[&fill]);
    scene.wait_for_records(&connector, &running, "big", rows as usize);
    let peak = running.peak_memory();
    println!("{rows} rows in a transaction, {settings:?}: {} MB at most", peak >> 20);
    assert!(peak < MEMORY_BYTES, "{peak} bytes");
    assert!(running.terminate(LONG).success());
    let mut next = 1;
    super::support::topic::read(&scene.broker, &connector.topic("public.big"), |record| {
        let key: serde_json::Value = serde_json::from_slice(&record.key.unwrap()).unwrap();
        assert_eq!(key["id"].as_i64(), Some(next));
        next += 1;
    });
    assert_eq!(next, rows + 1);
}

#[test]
fn a_large_transaction_fits_into_memory_held_by_the_server() {
    check_memory(&[]);
}

#[test]
fn a_large_transaction_fits_into_memory_held_here() {
    check_memory(&[("headwater.transaction.streaming", "true")]);
}

#[test]
fn a_folder_that_is_not_there_is_told_at_the_start() {
    let Some(scene) = Database::new("HEADWATER_TEST_POSTGRES_17", "a_folder_that_is_not_there", &[]) else { return };
    scene.run(&["CREATE TABLE big (id bigint PRIMARY KEY, t text)"]);
    let missing = ("headwater.transaction.folder", "/nowhere/at/all");
    let connector = scene.connector_beside(&[STREAMING.as_slice(), &[missing]].concat());
    let running = connector.start_streaming();
    assert!(running.log().contains("HW1431"), "{}", running.log_tail(30));
    scene.run(&["INSERT INTO big SELECT g, md5(g::text) FROM generate_series(1, 3000) g"]);
    scene.wait_for_records(&connector, &running, "big", 3_000);
    assert_eq!(scene.streamed_bytes(&connector), 0);
    assert!(running.terminate(LONG).success());
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(scene) = Database::new("HEADWATER_TEST_POSTGRES_17", "a_full_disk_loses_nothing", &[]) else { return };
    scene.run(&["CREATE TABLE big (id bigint PRIMARY KEY, t text)"]);
    let connector = scene.connector_beside(&STREAMING);
    connector.start_streaming().terminate(LONG);
    // No file may be larger than this; what is open beyond it is like a disk that is full.
    // What it costs is none of the attempts that are allowed to fail.
    let connector = connector.with(&[("errors.max.retries", "0")]);
    let running = connector.start_behind("trap '' XFSZ; ulimit -f 2048");
    running.wait_for_state("RUNNING", LONG);
    let mut open = scene.sql();
    let rows = |first: i64, last: i64| {
        format!("INSERT INTO big SELECT g, md5(g::text) FROM generate_series({first}, {last}) g")
    };
    open.query_drop("BEGIN").unwrap();
    open.query_drop(&rows(1, 30_000)).unwrap();
    scene.run(&["INSERT INTO big VALUES (-1, 'before')"]);
    open.query_drop(&rows(30_001, 60_000)).unwrap();
    running.wait_for_log("HW1431", LONG);
    assert!(
        running.log().contains("headwater.transaction.folder") || running.log().contains("cannot be held in folder")
    );
    open.query_drop("COMMIT").unwrap();
    scene.wait_for_records(&connector, &running, "big", 60_001);
    let ids: Vec<i64> = scene.landed(&connector, "big").iter().map(|(_, row)| row["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, std::iter::once(-1).chain(1..=60_000).collect::<Vec<i64>>());
    assert!(running.terminate(LONG).success());
}
