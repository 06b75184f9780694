//! Moving from Debezium to Headwater and back, under load: the real Debezium on a real Kafka Connect, and the binary.
//!
//! One connector, with one name, one `topic.prefix`, one offset and one schema history, changes hands while rows are
//! written and tables are altered. Each holder of it is ended inside a large transaction: Debezium by `PUT
//! /connectors/…/stop` and by SIGKILL of its worker, Headwater by SIGTERM and by SIGKILL.
//!
//! Promised of every chain of such ends:
//! - every committed version of every row is on the topics, in the order of its key; only an end goes back, without a gap;
//! - a stored position was never ahead of the topics;
//! - tables that were altered before, between and after are read with the right names, by both;
//! - the offset stays under Connect's key in one partition, where both find it.
//!
//! The worker is the test's own (`tests/stack/connect.sh`). It needs `HEADWATER_TEST_CONNECT=installed`, which says that
//! Debezium may be fetched and started here; without it, and where the worker does not start, the test is skipped aloud.
//! `HEADWATER_SWITCH_SCENE` runs only scenes whose name contains it; `HEADWATER_SWITCH_SEED` repeats a run's statements.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod migrate;
mod postgres;
mod shape;
mod snapshot;

use support::connect::Worker;
use support::{address, number, skip};

/// What the scenes share.
pub struct World {
    broker: String,
    worker: Worker,
    seed: u64,
}

/// The worker; `None`, said aloud, where there cannot be one.
fn start_worker(broker: &str) -> Option<Worker> {
    let test = "switch-over between Debezium and Headwater";
    if std::env::var("HEADWATER_TEST_CONNECT").as_deref() != Ok("installed") {
        skip(test, "HEADWATER_TEST_CONNECT does not say that Debezium is installed");
        return None;
    }
    match Worker::start(broker) {
        Ok(worker) => Some(worker),
        Err(said) => {
            skip(test, &format!("Kafka Connect does not start here: {said}"));
            None
        }
    }
}

#[test]
fn a_connector_changes_hands_and_loses_nothing() {
    let test = "switch_over";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    let databases = ["HEADWATER_TEST_MYSQL_97", "HEADWATER_TEST_MARIADB_118", "HEADWATER_TEST_POSTGRES_17"];
    if databases.iter().any(|database| address(database, test).is_none()) {
        return;
    }
    let Some(worker) = start_worker(&broker) else { return };
    let seed = number("HEADWATER_SWITCH_SEED", fastrand::u64(..1_000_000_000));
    println!("switch-over: HEADWATER_SWITCH_SEED={seed}");
    let world = World { broker, worker, seed };
    type Scene = (&'static str, fn(&World));
    let scenes: [Scene; 6] = [
        ("the steps that migrate prints", migrate::by_its_own_steps),
        ("MySQL with GTIDs", chain::mysql_gtids),
        ("MySQL without GTIDs", chain::mysql_files),
        ("MariaDB", chain::mariadb),
        ("half-done snapshot", snapshot::half_done),
        ("PostgreSQL", postgres::chain),
    ];
    let only = std::env::var("HEADWATER_SWITCH_SCENE").unwrap_or_default();
    for (name, scene) in scenes.iter().filter(|(name, _)| name.contains(&only)) {
        let began = std::time::Instant::now();
        println!("{name} …");
        scene(&world);
        println!("{name}: ok, {:.1?}", began.elapsed());
    }
}
