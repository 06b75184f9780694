//! Faults inside one large transaction: it counts as done only when it is.

use std::time::Duration;

use headwater::source::binlog::connection::Flavor;

use super::scene::{Scene, World, large_rows};

const ACKNOWLEDGED: &str = "headwater_records_acknowledged_total";

/// All of them where the server has MySQL's GTIDs; a fifth elsewhere, because time is short.
fn rows_of(scene: &Scene<'_>) -> u64 {
    let whole = scene.server.flavor == Flavor::MySql && !scene.server.gtids().is_empty();
    if whole { large_rows() } else { large_rows() / 5 }
}

/// The connection is reset in the middle, twice.
fn reset_inside(scene: &Scene<'_>, settings: &[&str], bytes_a_row: u64) {
    let running = scene.connector.start_streaming();
    let rows = rows_of(scene);
    let bytes = rows * bytes_a_row;
    scene.proxy.reset_after(bytes);
    scene.insert_many(1, rows, settings);
    crate::support::eventually("the reset", Duration::from_secs(60), || scene.proxy.has_reset().then_some(()));
    scene.proxy.reset_after(bytes);
    crate::support::eventually("the second reset", Duration::from_secs(60), || scene.proxy.has_reset().then_some(()));
    scene.sql(&["UPDATE t SET version = version + 1 WHERE id < 1000"]);
    let folded = scene.check(&running);
    assert_eq!(folded.operations["c"] as u64 - folded.duplicates as u64, rows);
    assert_eq!(folded.duplicates, 0, "a new connection goes on where the old one was");
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// The program is killed in the middle, twice; the stored position must not count the transaction as done.
fn killed_inside(scene: &Scene<'_>, settings: &[&str]) {
    let running = scene.connector.start_streaming();
    let rows = rows_of(scene);
    scene.insert_many(1, rows, settings);
    running.wait_for_metric(ACKNOWLEDGED, rows as f64 / 10.0, Duration::from_secs(60));
    running.kill();
    let first = scene.connector.stored_offset().unwrap();
    let running = scene.connector.start();
    running.wait_for_metric(ACKNOWLEDGED, rows as f64 / 3.0, Duration::from_secs(60));
    running.kill();
    let second = scene.connector.stored_offset().unwrap();
    println!("  stored when killed: {first} and {second}");
    scene.sql(&["UPDATE t SET version = version + 1 WHERE id < 1000"]);
    let running = scene.connector.start();
    let folded = scene.check(&running);
    assert_eq!(folded.operations["c"] as u64 - folded.duplicates as u64, rows);
    assert!(running.terminate(Duration::from_secs(20)).success());
}

pub fn reset(world: &World) {
    // A row takes about 30 bytes in the log.
    reset_inside(&world.scene("large_reset"), &[], 10);
}

pub fn killed(world: &World) {
    killed_inside(&world.scene("large_killed"), &[]);
}

pub fn killed_without_gtids(world: &World) {
    killed_inside(&world.scene("large_file").with(&[("gtid.ignore.on.recovery", "true")]), &[]);
}

const COMPRESSED: &str = "SET SESSION binlog_transaction_compression = ON";

pub fn compressed_reset(world: &World) {
    reset_inside(&world.scene("compressed_reset"), &[COMPRESSED], 1);
}

pub fn compressed_killed(world: &World) {
    killed_inside(&world.scene("compressed_killed"), &[COMPRESSED]);
}

/// Many compressed transactions, and others between them, with a kill.
pub fn compressed_small(world: &World) {
    let scene = world.scene("compressed_small");
    let running = scene.connector.start_streaming();
    for round in 0..40_u64 {
        let first = round * 1_000;
        let compression = format!("SET SESSION binlog_transaction_compression = {}", round % 4 != 3);
        let rows = format!("({first}, 1, 'one'), ({}, 2, 'two'), ({}, 3, NULL)", first + 1, first + 2);
        scene.sql(&[
            &compression,
            "BEGIN",
            &format!("INSERT INTO t VALUES {rows}"),
            &format!("UPDATE t SET version = version + 10, label = REPEAT('long ', 10) WHERE id >= {first}"),
            &format!("DELETE FROM t WHERE id = {}", first + 1),
            "COMMIT",
        ]);
    }
    running.wait_for_metric(ACKNOWLEDGED, 40.0, Duration::from_secs(30));
    running.kill();
    let running = scene.connector.start();
    let folded = scene.check(&running);
    assert_eq!(folded.rows.len(), 80);
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// MariaDB compresses events, and says which statement stands behind rows.
pub fn mariadb_compressed_killed(world: &World) {
    world.server.sql(&["SET GLOBAL log_bin_compress = ON", "SET GLOBAL log_bin_compress_min_len = 10"]);
    let scene = world.scene("compressed_killed").with(&[("include.query", "true")]);
    killed_inside(&scene, &["SET SESSION binlog_annotate_row_events = ON"]);
    world.server.sql(&["SET GLOBAL log_bin_compress = OFF"]);
}
