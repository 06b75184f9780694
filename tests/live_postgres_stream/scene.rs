//! A database of a test's own, and connectors that read it.

use std::time::Duration;

use headwater::source::postgres::connection::{ConnectOptions, Connection, Purpose, Secret};
use serde_json::Value;

use super::support::program::{Connector, Running};
use super::support::{address, eventually, topic, unique};

/// How long anything may take on a slow machine.
pub const LONG: Duration = Duration::from_secs(120);

/// What makes a connector receive transactions while they are open, and hold next to nothing of them in memory.
pub const STREAMING: [(&str, &str); 2] =
    [("headwater.transaction.streaming", "true"), ("headwater.transaction.memory.bytes", "65536")];

/// A database.
pub struct Scene {
    pub port: u16,
    pub broker: String,
    pub database: String,
}

impl Scene {
    /// One on the server whose address a variable has; `None` where there is none.
    pub fn new(variable: &str, test: &str) -> Option<Scene> {
        let (server, broker) = (address(variable, test)?, address("HEADWATER_TEST_KAFKA", test)?);
        Some(Scene::on(server.rsplit(':').next().unwrap().parse().unwrap(), broker))
    }

    /// One on a server of this machine.
    pub fn on(port: u16, broker: String) -> Scene {
        let scene = Scene { port, broker, database: unique("pgstream") };
        scene.session("postgres").query_drop(&format!("CREATE DATABASE {}", scene.database)).unwrap();
        scene
    }

    fn session(&self, database: &str) -> Connection {
        let options = ConnectOptions {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: "app".to_owned(),
            password: Some(Secret::new("apppw")),
            database: database.to_owned(),
            ..ConnectOptions::default()
        };
        Connection::connect(&options, Purpose::Sql, &std::sync::Arc::default()).unwrap()
    }

    /// A session in the database.
    pub fn sql(&self) -> Connection {
        self.session(&self.database)
    }

    /// Runs statements in a session of their own.
    pub fn run(&self, statements: &[&str]) {
        let mut session = self.sql();
        statements.iter().for_each(|statement| session.query_drop(statement).unwrap());
    }

    /// The first value of the first row.
    pub fn ask(&self, sql: &str) -> Option<String> {
        let answer = self.sql().query(sql).unwrap();
        answer.rows.first()?.first()?.as_ref().map(|bytes| String::from_utf8(bytes.clone()).unwrap())
    }

    /// A connector with a slot and a publication of its own.
    pub fn connector(&self, settings: &[(&str, &str)]) -> Connector {
        let connector = Connector::postgres(self.port, &self.broker, &self.database);
        let own = unique("slot");
        connector.with(&[("slot.name", &own), ("publication.name", &own)]).with(settings)
    }

    /// Bytes of a slot's transactions that were sent while they were open.
    pub fn streamed_bytes(&self, connector: &Connector) -> u64 {
        let slot = &connector.config["slot.name"];
        let sql = format!("SELECT stream_bytes FROM pg_stat_replication_slots WHERE slot_name = '{slot}'");
        self.ask(&sql).unwrap().parse().unwrap()
    }

    /// Waits until a table's topic has so many records.
    pub fn wait_for(&self, connector: &Connector, running: &Running, table: &str, count: i64) {
        let topic = connector.topic(&format!("public.{table}"));
        let what = || format!("{count} records of {table}\n{}", running.log_tail(30));
        let deadline = std::time::Instant::now() + LONG;
        while topic::ends(&self.broker, &topic).iter().sum::<i64>() < count {
            assert!(std::time::Instant::now() < deadline, "{}", what());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The rows of a table's records, in their order.
    pub fn landed(&self, connector: &Connector, table: &str) -> Vec<(String, Value)> {
        let mut landed = Vec::new();
        topic::read(&self.broker, &connector.topic(&format!("public.{table}")), |record| {
            if let Some(value) = record.value {
                let value: Value = serde_json::from_slice(&value).unwrap();
                landed.push((value["op"].as_str().unwrap().to_owned(), value["after"].clone()));
            }
        });
        landed
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let database = &self.database;
        let slots = format!("FROM pg_replication_slots WHERE database = '{database}'");
        let mut session = self.session("postgres");
        // What cannot be removed must not hide why a test has failed.
        let _ = session.query_drop(&format!("SELECT pg_terminate_backend(active_pid) {slots} AND active"));
        for _ in 0..100 {
            let _ = session.query_drop(&format!("SELECT pg_drop_replication_slot(slot_name) {slots} AND NOT active"));
            if session.query_drop(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Waits until nothing reads from a connector's slot.
pub fn wait_until_free(scene: &Scene, connector: &Connector) {
    let slot = &connector.config["slot.name"];
    let sql = format!("SELECT 1 FROM pg_replication_slots WHERE slot_name = '{slot}' AND active");
    eventually("the slot is free", LONG, || scene.ask(&sql).is_none().then_some(()));
}
