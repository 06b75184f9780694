//! Killed in the midst of open transactions: nothing is lost, and nothing comes that was rolled back.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::STREAMING;
use super::support::postgres::{Database, LONG};
use super::support::{SetWhenDropped, eventually, number};

/// Rows that a transaction of a writer has at most.
const ROWS: i64 = 3_000;

/// Writes transactions, some of which are large, rolled back in part, or whole.
fn write(scene: &Database, writer: i64, next: &AtomicI64, stop: &AtomicBool, random: &mut fastrand::Rng) {
    let mut session = scene.sql();
    while !stop.load(Ordering::Relaxed) {
        let count = if random.u8(..4) == 0 { random.i64(1..20) } else { random.i64(500..ROWS) };
        let first = next.fetch_add(count, Ordering::Relaxed);
        let rows = |sign: &str, from: i64, to: i64| {
            format!("INSERT INTO item SELECT {sign}g, {writer}, 1 FROM generate_series({from}, {to}) g")
        };
        let (half, last) = (first + count / 2, first + count - 1);
        session.query_drop("BEGIN").unwrap();
        session.query_drop(&rows("", first, half)).unwrap();
        session.query_drop("SAVEPOINT a").unwrap();
        session.query_drop(&rows("-", first, half)).unwrap();
        session.query_drop(&format!("UPDATE item SET version = 7 WHERE id BETWEEN {first} AND {half}")).unwrap();
        session.query_drop(if random.bool() { "ROLLBACK TO a" } else { "SAVEPOINT b; ROLLBACK TO a" }).unwrap();
        if half < last {
            session.query_drop(&rows("", half + 1, last)).unwrap();
        }
        session.query_drop(&format!("UPDATE item SET version = 2 WHERE id BETWEEN {first} AND {last}")).unwrap();
        session.query_drop(if random.u8(..5) == 0 { "ROLLBACK" } else { "COMMIT" }).unwrap();
    }
}

#[test]
fn killed_in_the_midst_of_open_transactions_nothing_is_lost() {
    let Some(scene) = Database::new("HEADWATER_TEST_POSTGRES_17", "killed_in_the_midst_of_open_transactions", &[])
    else {
        return;
    };
    scene.run(&["CREATE TABLE item (id bigint PRIMARY KEY, writer int NOT NULL, version int NOT NULL)"]);
    let seed = number("HEADWATER_CRASH_SEED", fastrand::u64(..1_000_000_000));
    println!("PostgreSQL, streamed transactions: HEADWATER_CRASH_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = super::support::scratch("held-");
    let settings =
        [STREAMING.as_slice(), &[("headwater.transaction.folder", folder.path().to_str().unwrap())]].concat();
    let connector = scene.connector_beside(&settings);
    let (next, stop) = (AtomicI64::new(1), AtomicBool::new(false));
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
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file is left");
        }
        connector.start()
    });
    scene.run(&["INSERT INTO item VALUES (-1000000000, 9, 1)"]);
    eventually(&format!("the last row\n{}", running.log_tail(20)), LONG, || {
        scene.landed(&connector, "item").last().is_some_and(|(_, row)| row["id"] == -1_000_000_000).then_some(())
    });
    let streamed = scene.streamed_bytes(&connector);
    assert!(streamed > 100_000, "nothing was streamed");
    assert!(running.terminate(LONG).success());
    let (rows, records) = scene.reconcile_versions(&connector, "item");
    println!("PostgreSQL, streamed transactions: {rows} rows, {records} records of them, {streamed} bytes streamed");
}

#[test]
fn a_stop_inside_of_a_held_transaction_repeats_and_loses_nothing() {
    let test = "a_stop_inside_of_a_held_transaction_repeats_and_loses_nothing";
    let Some(scene) = Database::new("HEADWATER_TEST_POSTGRES_17", test, &[]) else { return };
    scene.run(&["CREATE TABLE big (id bigint PRIMARY KEY)"]);
    let connector = scene.connector_beside(&STREAMING);
    connector.start_streaming().terminate(LONG);
    // Rows of one statement, and rows that share a place in the log.
    scene.run(&[
        "BEGIN",
        "INSERT INTO big SELECT g FROM generate_series(1, 100000) g",
        "COPY big FROM PROGRAM 'seq 100001 200000'",
        "COMMIT",
    ]);
    let mut inside = 0;
    for share in [1, 60_000, 120_000] {
        let running = connector.start_streaming();
        scene.wait_for_records(&connector, &running, "big", share);
        assert!(running.terminate(LONG).success());
        let stored = connector.stored_offset().unwrap();
        inside += usize::from(stored["open_lsn"].is_number());
        scene.wait_until_free();
    }
    let running = connector.start_streaming();
    scene.wait_for_records(&connector, &running, "big", 200_000);
    assert!(running.terminate(LONG).success());
    let ids: Vec<i64> = scene.landed(&connector, "big").iter().map(|(_, row)| row["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=200_000).collect::<Vec<i64>>());
    println!("a held transaction: stopped inside {inside} times of 3");
}
