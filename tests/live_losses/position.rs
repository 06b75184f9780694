//! Positions that a server does not have, and positions on another server.

use std::time::Duration;

use super::scene::{CATCH_UP, World};
use crate::support::fault_proxy::FaultProxy;
use crate::support::program::Connector;
use crate::support::server::Server;
use crate::support::{eventually, state};

const WITHIN: Duration = Duration::from_secs(60);

fn refused(scene: &super::scene::Scene<'_>, code: &str, hint: &str) {
    let mut running = scene.connector.start();
    let trace = running.wait_for_failure(WITHIN);
    assert!(trace.contains(code) && trace.contains(hint), "{trace}");
    running.kill();
}

fn leave_behind(world: &World, database: &str) {
    let scene = world.scene(database);
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO t VALUES (1, 1, 'read')"]);
    scene.check(&running);
    assert!(running.terminate(Duration::from_secs(20)).success());
    scene.sql(&["INSERT INTO t VALUES (2, 1, 'purged')", "FLUSH BINARY LOGS"]);
    let (file, _) = world.server.log_position();
    scene.sql(&[&format!("PURGE BINARY LOGS TO '{file}'"), "INSERT INTO t VALUES (3, 1, 'there')"]);
    refused(&scene, "HW0454", "binlog_expire_logs_seconds");
}

/// The log that is needed was removed.
pub fn purged(world: &World) {
    leave_behind(world, "purged");
}

/// The same without GTIDs.
pub fn purged_file(world: &World) {
    leave_behind(world, "purged_file");
}

/// The server knows fewer transactions than were read: restored from a backup.
pub fn other_history(world: &World) {
    let scene = world.scene("history");
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO t VALUES (1, 1, 'read')"]);
    scene.check(&running);
    assert!(running.terminate(Duration::from_secs(20)).success());
    scene.sql(&["RESET BINARY LOGS AND GTIDS", "INSERT INTO t VALUES (2, 1, 'of another history')"]);
    refused(&scene, "HW0455", "backup");
}

/// A statement that was recorded on the server that took over, and whose position was not stored any more, is applied
/// once: tables that change names with each other must not change them back.
pub fn failover_before_a_statement(broker: &str) {
    let primary = Server::start("mysql-9.7", "");
    let replica = Server::start_replica_of(&primary, "");
    primary.sql(&[
        "CREATE DATABASE swapped",
        "CREATE TABLE swapped.a (id BIGINT PRIMARY KEY, x INT)",
        "CREATE TABLE swapped.b (id BIGINT PRIMARY KEY, y VARCHAR(9))",
        // The primary's files have greater numbers than the replica's.
        "FLUSH BINARY LOGS",
        "FLUSH BINARY LOGS",
        "FLUSH BINARY LOGS",
    ]);
    let proxy = FaultProxy::start(&primary.address());
    let connector = Connector::new(&primary, broker, "swapped").with(&[("database.port", &proxy.port.to_string())]);
    let running = connector.start_streaming();
    primary.sql(&["INSERT INTO swapped.a VALUES (1, 1)"]);
    connector.catch_up(&running, &primary, CATCH_UP);
    assert!(running.terminate(Duration::from_secs(20)).success());
    let executed = primary.gtids();
    eventually("the replica has everything", CATCH_UP, || {
        (replica.ask(&format!("SELECT GTID_SUBSET('{executed}', @@global.gtid_executed)")) == "1").then_some(())
    });
    primary.kill();
    replica.sql(&["STOP REPLICA", "SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"]);
    proxy.switch(&replica.address());
    // Nothing is stored from here on: what was recorded comes again.
    let connector = connector.with_worker(&[("offset.flush.interval.ms", "600000")]);
    let running = connector.start_streaming();
    replica.sql(&[
        "RENAME TABLE swapped.a TO swapped.z, swapped.b TO swapped.a, swapped.z TO swapped.b",
        "INSERT INTO swapped.a VALUES (2, 'two')",
    ]);
    running.wait_for_metric("headwater_records_acknowledged_total", 1.0, WITHIN);
    running.kill();
    let connector = connector.with_worker(&[("offset.flush.interval.ms", "200")]);
    let running = connector.start();
    replica.sql(&["INSERT INTO swapped.a VALUES (3, 'three')", "INSERT INTO swapped.b VALUES (4, 4)"]);
    connector.catch_up(&running, &replica, CATCH_UP);
    for (table, row) in [("swapped.a", "id,y"), ("swapped.b", "id,x")] {
        let records = crate::support::topic::read_all(broker, &connector.topic(table));
        let last: serde_json::Value =
            serde_json::from_slice(records.last().unwrap().value.as_deref().unwrap()).unwrap();
        let names: Vec<&str> = last["after"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names.join(","), row, "{table}");
    }
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// A replica takes over, in the middle of what is read.
pub fn failover(broker: &str) {
    let primary = Server::start("mysql-9.7", "");
    let replica = Server::start_replica_of(&primary, "");
    let rows = super::scene::large_rows() / 5;
    primary.sql(&[
        "CREATE DATABASE failover",
        "CREATE TABLE failover.t (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, label VARCHAR(64))",
    ]);
    let proxy = FaultProxy::start(&primary.address());
    let connector = Connector::new(&primary, broker, "failover").with(&[("database.port", &proxy.port.to_string())]);
    let running = connector.start_streaming();
    primary.sql(&[
        "SET SESSION cte_max_recursion_depth = 10000000",
        &format!(
            "INSERT INTO failover.t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
             SELECT i, i, 'of the primary' FROM n"
        ),
    ]);
    running.wait_for_metric("headwater_records_acknowledged_total", rows as f64 / 10.0, WITHIN);
    running.kill();
    let stored = connector.stored_offset().unwrap();
    let executed = primary.gtids();
    eventually("the replica has everything", CATCH_UP, || {
        (replica.ask(&format!("SELECT GTID_SUBSET('{executed}', @@global.gtid_executed)")) == "1").then_some(())
    });
    primary.kill();
    replica.sql(&["STOP REPLICA", "SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"]);
    proxy.switch(&replica.address());
    replica.sql(&["UPDATE failover.t SET version = 0, label = 'of the replica' WHERE id % 100 = 0"]);
    let running = connector.start();
    connector.catch_up(&running, &replica, CATCH_UP);
    let folded = state::fold(broker, &connector.topic("failover.t"));
    state::assert_same("failover", &state::table(&replica, "failover.t", "id", "id,version,label"), &folded.rows);
    println!("failover: stored {stored}; {} records for {rows} rows", folded.records);
    assert!(running.terminate(Duration::from_secs(20)).success());
}
