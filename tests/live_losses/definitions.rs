//! What rows mean: tables that change while nobody reads, statements without rows, types that are not known.

use std::time::Duration;

use serde_json::{Value, json};

use super::scene::{CATCH_UP, Scene, World};
use crate::support::program::Running;
use crate::support::topic;

const WITHIN: Duration = Duration::from_secs(60);

fn values(scene: &Scene<'_>, table: &str) -> Vec<Value> {
    let name = scene.connector.topic(&format!("{}.{table}", scene.database));
    let records = topic::read_all(&scene.connector.broker, &name);
    records.iter().filter_map(|record| Some(serde_json::from_slice(record.value.as_deref()?).unwrap())).collect()
}

/// The `after` images of a table's topic, in order.
fn images(scene: &Scene<'_>, table: &str) -> Vec<Value> {
    values(scene, table).into_iter().map(|value| value["after"].clone()).collect()
}

fn finish(scene: &Scene<'_>, running: Running) {
    scene.connector.catch_up(&running, scene.server, CATCH_UP);
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// Starts, reads one row, stops; then come the statements; then it starts again.
fn with_backlog<'w>(world: &'w World, database: &str, statements: &[&str]) -> Scene<'w> {
    let scene = world.scene(database);
    scene.sql(&["CREATE TABLE a (id INT PRIMARY KEY, x INT)", "CREATE TABLE b (id INT PRIMARY KEY, y VARCHAR(9))"]);
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO a VALUES (0, 0)"]);
    finish(&scene, running);
    scene.sql(statements);
    finish(&scene, scene.connector.start());
    scene
}

const CHANGES: &[&str] = &[
    "INSERT INTO a VALUES (1, 10)",
    "ALTER TABLE a ADD COLUMN z INT DEFAULT 7 FIRST",
    "INSERT INTO a VALUES (1, 2, 20)",
    "ALTER TABLE a RENAME COLUMN x TO renamed",
    "INSERT INTO a VALUES (2, 3, 30)",
    "ALTER TABLE a DROP COLUMN z, MODIFY renamed BIGINT",
    "INSERT INTO a VALUES (4, 40)",
    "ALTER TABLE a ADD COLUMN text VARCHAR(10) CHARACTER SET latin1",
    "INSERT INTO a VALUES (5, 50, 'fünf')",
];

fn check_names(world: &World, database: &str) {
    let scene = with_backlog(world, database, CHANGES);
    assert_eq!(
        images(&scene, "a"),
        [
            json!({"id": 0, "x": 0}),
            json!({"id": 1, "x": 10}),
            json!({"z": 1, "id": 2, "x": 20}),
            json!({"z": 2, "id": 3, "renamed": 30}),
            json!({"id": 4, "renamed": 40}),
            json!({"id": 5, "renamed": 50, "text": "fünf"}),
        ]
    );
}

/// Old rows have the names of their time.
pub fn backlog(world: &World) {
    check_names(world, "backlog");
}

/// The same when the log does not carry names: the schema history decides.
pub fn backlog_without_names(world: &World) {
    world.server.sql(&["SET GLOBAL binlog_row_metadata = 'MINIMAL'"]);
    check_names(world, "backlog_minimal");
    world.server.sql(&["SET GLOBAL binlog_row_metadata = 'FULL'"]);
}

/// Two tables change their names with each other.
pub fn swap(world: &World) {
    let scene = with_backlog(
        world,
        "swapped",
        &[
            "INSERT INTO a VALUES (1, 1)",
            "INSERT INTO b VALUES (1, 'one')",
            "RENAME TABLE a TO between_them, b TO a, between_them TO b",
            "INSERT INTO a VALUES (2, 'two')",
            "INSERT INTO b VALUES (2, 2)",
        ],
    );
    let rows = [json!({"id": 0, "x": 0}), json!({"id": 1, "x": 1}), json!({"id": 2, "y": "two"})];
    assert_eq!(images(&scene, "a"), rows);
    assert_eq!(images(&scene, "b"), [json!({"id": 1, "y": "one"}), json!({"id": 2, "x": 2})]);
}

/// A type that no connector knows, in tables that nobody asked for, in the same transactions.
pub fn vector(world: &World) {
    let scene = world.scene("vectors").with(&[("table.exclude.list", "vectors.excluded")]);
    world.server.sql(&["CREATE DATABASE IF NOT EXISTS vectors_elsewhere"]);
    let running = scene.connector.start_streaming();
    scene.sql(&[
        "CREATE TABLE vectors_elsewhere.v (id INT PRIMARY KEY, v VECTOR(3))",
        "CREATE TABLE excluded (id INT PRIMARY KEY, v VECTOR(3), g GEOMETRY)",
        "BEGIN",
        "INSERT INTO t VALUES (1, 1, 'first')",
        "INSERT INTO vectors_elsewhere.v VALUES (1, TO_VECTOR('[1,2,3]'))",
        "INSERT INTO excluded VALUES (1, TO_VECTOR('[1,2,3]'), POINT(1, 2))",
        "INSERT INTO t VALUES (2, 2, 'second')",
        "COMMIT",
    ]);
    let folded = scene.check(&running);
    assert_eq!((folded.rows.len(), folded.duplicates), (2, 0));
    assert_eq!(running.metric("debezium_metrics_NumberOfDisconnects"), Some(0.0));
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// A session that writes statements and not rows: said and stopped at, or said and passed over.
pub fn statement_format(world: &World) {
    let scene = world.scene("statements");
    let mut running = scene.connector.start_streaming();
    scene.sql(&[
        "INSERT INTO t VALUES (1, 1, 'a row')",
        "SET SESSION binlog_format = 'STATEMENT'",
        "UPDATE t SET version = 2 WHERE id = 1",
        "SET SESSION binlog_format = 'ROW'",
        "INSERT INTO t VALUES (2, 1, 'another')",
    ]);
    let trace = running.wait_for_failure(WITHIN);
    assert!(trace.contains("HW0465") && trace.contains("binlog_format"), "{trace}");
    running.kill();
    let scene = scene.with(&[("event.processing.failure.handling.mode", "warn")]);
    finish(&scene, scene.connector.start());
    let images = images(&scene, "t");
    let row = |id: i64, label: &str| json!({"id": id, "version": 1, "label": label});
    assert_eq!(images, [row(1, "a row"), row(2, "another")]);
}

/// TRUNCATE is a record where it is asked for, also as the first thing that happens to a table.
pub fn truncate(world: &World) {
    let scene = world.scene("truncated").with(&[("skipped.operations", "none")]);
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO t VALUES (1, 1, 'gone')", "TRUNCATE TABLE t", "INSERT INTO t VALUES (2, 2, 'there')"]);
    scene.check(&running);
    assert!(running.terminate(Duration::from_secs(20)).success());
    scene.sql(&["TRUNCATE t"]);
    finish(&scene, scene.connector.start());
    let operations: Vec<_> = values(&scene, "t").into_iter().map(|value| value["op"].clone()).collect();
    assert_eq!(operations, ["c", "t", "c", "t"]);
}
