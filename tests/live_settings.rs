//! Settings that only a server shows the effect of: locks, guardrails, filters of statements, a beginning with many
//! tables.
//!
//! The binary runs as a child process against a MySQL server of the test's own and the broker at
//! `HEADWATER_TEST_KAFKA`. `HEADWATER_TEST_MYSQL_97` says that the server's programs are there.
//! `HEADWATER_BEGINNING_TABLES` (300) tables stand in the database of the beginning. `HEADWATER_SETTINGS_SCENE` runs
//! only scenes whose name contains it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::program::Connector;
use support::server::Server;
use support::{address, eventually, number, topic};

const WITHIN: Duration = Duration::from_secs(60);

/// A database of the name with three tables, and a connector for it.
fn connector(server: &Server, broker: &str, database: &str, settings: &[(&str, &str)]) -> Connector {
    server.sql(&[
        &format!("CREATE DATABASE {database}"),
        &format!("CREATE TABLE {database}.a (id INT PRIMARY KEY)"),
        &format!("CREATE TABLE {database}.b (id INT PRIMARY KEY)"),
        &format!("CREATE TABLE {database}.c (id INT PRIMARY KEY)"),
    ]);
    Connector::new(server, broker, database).with(settings)
}

/// The DDL of the schema history.
fn history(connector: &Connector) -> Vec<String> {
    let records = topic::read_all(&connector.broker, &format!("{}.history", connector.name));
    let text = |record: &topic::Record| {
        let record: serde_json::Value = serde_json::from_slice(record.value.as_deref()?).unwrap();
        record["ddl"].as_str().map(str::to_owned)
    };
    records.iter().filter_map(text).collect()
}

fn guardrails(server: &Server, broker: &str) {
    const FAIL: (&str, &str) = ("guardrail.collections.limit.action", "fail");
    const CAPTURED: (&str, &str) = ("schema.history.internal.store.only.captured.tables.ddl", "true");
    const MOST: &str = "guardrail.collections.max";
    let scene = connector(server, broker, "guarded", &[(MOST, "2"), FAIL, CAPTURED]);
    let trace = scene.start().wait_for_failure(WITHIN);
    assert!(trace.contains("HW0468") && trace.contains("3 tables"), "{trace}");
    // Three captured tables are three; without the setting, tables that are not captured count too.
    let scene = scene.with(&[(MOST, "3")]);
    drop(scene.start_streaming());
    server.sql(&["CREATE DATABASE other", "CREATE TABLE other.d (id INT PRIMARY KEY)"]);
    let scene = scene.with(&[("schema.history.internal.store.only.captured.tables.ddl", "false")]);
    let trace = scene.start().wait_for_failure(WITHIN);
    assert!(trace.contains("HW0468") && trace.contains("all tables"), "{trace}");
    let scene = scene.with(&[("guardrail.collections.limit.action", "warn")]);
    let running = scene.start_streaming();
    running.wait_for_log("guardrail.collections.max is 3", WITHIN);
}

fn locks(server: &Server, broker: &str) {
    const REFUSED: &str = "tables cannot be locked";
    let mut root = server.root();
    root.query_drop("CREATE USER nolock IDENTIFIED BY 'nolockpw'").unwrap();
    root.query_drop("GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO nolock").unwrap();
    let login = [("database.user", "nolock"), ("database.password", "nolockpw")];
    for (database, mode, refused) in
        [("minimal", "minimal", true), ("nothing", "none", false), ("percona", "minimal_percona", true)]
    {
        let scene = connector(server, broker, database, &login).with(&[("snapshot.locking.mode", mode)]);
        let running = scene.start_streaming();
        assert_eq!(running.log().contains(REFUSED), refused, "{mode}: {}", running.log_tail(20));
        let tables = history(&scene).iter().filter(|ddl| ddl.starts_with("CREATE TABLE")).count();
        assert!(tables >= 3, "{mode}");
    }
}

fn filtered_statements(server: &Server, broker: &str) {
    let filter = ("internal.schema.history.internal.ddl.filter", "CREATE TABLE scratch.*,DROP TABLE `?scratch.*");
    let scene = connector(server, broker, "filtered", &[filter]);
    let running = scene.start_streaming();
    server.sql(&[
        "USE filtered",
        "CREATE TABLE scratch_1 (\n id INT PRIMARY KEY)",
        "DROP TABLE scratch_1",
        "CREATE TABLE kept (id INT PRIMARY KEY)",
        "INSERT INTO kept VALUES (1)",
    ]);
    scene.catch_up(&running, server, WITHIN);
    let history = history(&scene);
    assert!(history.iter().any(|ddl| ddl.contains("kept")), "{history:?}");
    assert!(!history.iter().any(|ddl| ddl.contains("scratch")), "{history:?}");
    assert_eq!(topic::read_all(broker, &scene.topic("filtered.kept")).len(), 1);
}

/// The definitions of many tables are durable before the position is, and soon.
fn beginning(server: &Server, broker: &str) {
    let count = number("HEADWATER_BEGINNING_TABLES", 300);
    server.sql(&["CREATE DATABASE many"]);
    let mut session = server.session();
    for table in 0..count {
        let columns = "id INT PRIMARY KEY, a VARCHAR(30), b DECIMAL(10,2), c DATETIME, d TEXT, e INT, f INT, g INT";
        session.query_drop(&format!("CREATE TABLE many.t{table} ({columns})")).unwrap();
    }
    drop(session);
    let scene = Connector::new(server, broker, "many");
    let began = Instant::now();
    let running = scene.start_streaming();
    let took = began.elapsed();
    println!("a beginning with {count} tables took {took:.1?}");
    let tables = |history: &[String]| history.iter().filter(|ddl| ddl.starts_with("CREATE TABLE `t")).count() as u64;
    let first = history(&scene);
    assert_eq!(tables(&first), count);
    // Each table is dropped before it is made, and in the order of the records.
    let dropped = first.iter().position(|ddl| ddl == "DROP TABLE IF EXISTS `many`.`t0`").unwrap();
    let made = first.iter().position(|ddl| ddl.starts_with("CREATE TABLE `t0`")).unwrap();
    assert!(dropped < made, "{dropped} {made}");
    // What was stored is enough to go on from.
    running.kill();
    let running = scene.start_streaming();
    server.sql(&["INSERT INTO many.t1 (id) VALUES (1)"]);
    scene.catch_up(&running, server, WITHIN);
    assert_eq!(topic::read_all(broker, &scene.topic("many.t1")).len(), 1);
    assert_eq!(history(&scene).len(), first.len(), "the history was written twice");
}

/// `check` asks a MariaDB what it still has, and does not guess.
#[test]
fn check_knows_what_a_mariadb_still_has() {
    let test = "live_settings: check on MariaDB";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    if address("HEADWATER_TEST_MARIADB_118", test).is_none() {
        return;
    }
    let server = Server::start("mariadb-11.8", "");
    let scene = connector(&server, &broker, "kept", &[]);
    let running = scene.start_streaming();
    server.sql(&["INSERT INTO kept.a VALUES (1)"]);
    scene.catch_up(&running, &server, WITHIN);
    assert!(running.terminate(WITHIN).success());
    let says = |expected: &str| {
        let said = scene.check();
        let line = said.lines().find(|line| line.contains("stored offset")).unwrap_or(&said);
        assert!(line.contains(expected), "no {expected:?} in {said}");
    };
    says("the server still has what comes behind it");
    let purge = || {
        server.sql(&["FLUSH BINARY LOGS"]);
        let (file, _) = server.log_position();
        // The server keeps a file for a moment for its crash recovery.
        eventually("the logs are purged", WITHIN, || {
            server.sql(&[&format!("PURGE BINARY LOGS TO '{file}'")]);
            (server.ask("SHOW BINARY LOGS") == file).then_some(())
        });
    };
    // The position stands exactly where the oldest file begins.
    purge();
    says("the server still has what comes behind it");
    server.sql(&["INSERT INTO kept.a VALUES (2)"]);
    purge();
    says("HW0454");
    server.sql(&["RESET MASTER", "INSERT INTO kept.a VALUES (3)"]);
    says("HW0455");
    // One who may not see the logs is not told, and does not say that all is well.
    let scene = scene.with(&[("database.user", "repl"), ("database.password", "replpw")]);
    let said = scene.check();
    assert!(said.contains("is not known"), "{said}");
}

#[test]
fn settings_do_what_they_say() {
    let test = "live_settings";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    if address("HEADWATER_TEST_MYSQL_97", test).is_none() {
        return;
    }
    let server = Server::start("mysql-9.7", "");
    let only = std::env::var("HEADWATER_SETTINGS_SCENE").unwrap_or_default();
    for (name, scene) in [
        ("guardrails", guardrails as fn(&Server, &str)),
        ("locks", locks),
        ("filtered statements", filtered_statements),
        ("beginning", beginning),
    ]
    .into_iter()
    .filter(|(name, _)| name.contains(&only))
    {
        let began = Instant::now();
        scene(&server, &broker);
        println!("{name}: ok, {:.1?}", began.elapsed());
    }
}
