//! Taking over from a Debezium whose snapshot is half done.

use std::time::Duration;

use serde_json::Value;

use crate::World;
use crate::support::fault_proxy::FaultProxy;
use crate::support::program::Connector;
use crate::support::server::Server;
use crate::support::{eventually, topic};

const WITHIN: Duration = Duration::from_secs(180);

/// Rows of the table, and how fast Debezium gets them: its snapshot takes half a minute if nobody ends it.
const ROWS: u64 = 100_000;
const BYTES_A_SECOND: u64 = 300_000;

/// The offset of a snapshot that is not complete is refused, with the choices that there are, and stays as it is.
pub fn half_done(world: &World) {
    let server = Server::start("mysql-9.7", "");
    server.sql(&["CREATE DATABASE half", "CREATE TABLE half.t (id INT PRIMARY KEY, label VARCHAR(100))"]);
    let mut session = server.session();
    session.query_drop("SET SESSION cte_max_recursion_depth = 10000000").unwrap();
    let rows = format!(
        "INSERT INTO half.t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) \
         SELECT i, REPEAT('x', 90) FROM n"
    );
    session.query_drop(&rows).unwrap();
    let proxy = FaultProxy::start(&server.address());
    let connector = Connector::new(&server, &world.broker, "half")
        .with(&[("database.port", &proxy.port.to_string()), ("snapshot.mode", "initial"), ("poll.interval.ms", "50")])
        .with_worker(&[("offset.storage.topic", &world.worker.connect.offsets), ("offset.storage.partitions", "5")]);
    let connect = &world.worker.connect;
    proxy.slow(BYTES_A_SECOND);
    connect.start(&connector.name, &connector.config).unwrap();
    eventually("Debezium has stored an offset in its snapshot", WITHIN, || connector.stored_offset());
    connect.stop(std::slice::from_ref(&connector.name));
    connect.remove(&connector.name);
    proxy.pass();
    let stored = connector.stored_offset().unwrap();
    println!("  stored: {stored}");
    assert_eq!(stored["snapshot"], Value::from("INITIAL"), "Debezium's snapshot was not half done: {stored}");
    assert!(topic::ends(&world.broker, &connector.topic("half.t")).iter().sum::<i64>() < ROWS as i64);

    let mut running = connector.start();
    let trace = running.wait_for_failure(WITHIN);
    assert!(trace.contains("HW0453") && trace.contains("snapshot.mode=no_data"), "{trace}");
    running.kill();
    assert_eq!(connector.stored_offset(), Some(stored), "a refused offset must stay as it is");
}
