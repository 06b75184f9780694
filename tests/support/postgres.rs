//! A database of a test's own on a PostgreSQL server, and what a connector made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use headwater::source::postgres::connection::{ConnectOptions, Connection, ConnectionError, Lsn, Purpose, Secret};
use serde_json::Value;

use super::program::{Connector, Running};
use super::{address, eventually, topic, unique};

/// How long anything may take on a slow machine.
pub const LONG: Duration = Duration::from_secs(120);

/// A session that may do everything, in a database of a server of this machine, if it is there.
pub fn try_session(port: u16, database: &str) -> Result<Connection, ConnectionError> {
    let options = ConnectOptions {
        host: "127.0.0.1".to_owned(),
        port,
        user: "app".to_owned(),
        password: Some(Secret::new("apppw")),
        database: database.to_owned(),
        ..ConnectOptions::default()
    };
    Connection::connect(&options, Purpose::Sql, &Arc::default())
}

/// A database; removed with its slots when dropped.
pub struct Database {
    /// The server's port on 127.0.0.1.
    pub port: u16,
    /// host:port of Kafka.
    pub broker: String,
    /// Its name.
    pub name: String,
}

impl Database {
    /// One on the server whose address a variable has, with these statements run in it; `None` where there is none.
    pub fn new(variable: &str, test: &str, statements: &[&str]) -> Option<Database> {
        let (server, broker) = (address(variable, test)?, address("HEADWATER_TEST_KAFKA", test)?);
        Some(Database::at(server.rsplit(':').next().unwrap().parse().unwrap(), broker, statements))
    }

    /// One on a server of this machine.
    pub fn at(port: u16, broker: String, statements: &[&str]) -> Database {
        let database = Database { port, broker, name: unique("scene") };
        let create = format!("CREATE DATABASE {}", database.name);
        database.try_session("postgres").unwrap().query_drop(&create).unwrap();
        database.run(statements);
        database
    }

    /// A session in a database of the server, if it is there.
    pub fn try_session(&self, database: &str) -> Result<Connection, ConnectionError> {
        try_session(self.port, database)
    }

    /// A session in the database.
    pub fn sql(&self) -> Connection {
        self.try_session(&self.name).unwrap()
    }

    /// Runs statements in a session of their own.
    pub fn run(&self, statements: &[&str]) {
        let mut session = self.sql();
        for statement in statements {
            session.query_drop(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    /// The first value of the first row.
    pub fn ask(&self, sql: &str) -> Option<String> {
        let answer = self.sql().query(sql).unwrap();
        answer.rows.first()?.first()?.as_ref().map(|bytes| String::from_utf8(bytes.clone()).unwrap())
    }

    /// A connector whose slot and publication have the database's name.
    pub fn connector(&self) -> Connector {
        Connector::postgres(self.port, &self.broker, &self.name)
    }

    /// A connector with a slot and a publication of its own, beside others.
    pub fn connector_beside(&self, settings: &[(&str, &str)]) -> Connector {
        let own = unique("slot");
        self.connector().with(&[("slot.name", &own), ("publication.name", &own)]).with(settings)
    }

    /// What was confirmed to the slot that has the database's name.
    pub fn confirmed(&self) -> Option<Lsn> {
        let slot = &self.name;
        let sql = format!("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{slot}'");
        self.ask(&sql).map(|lsn| lsn.parse().unwrap())
    }

    /// Bytes of a slot's transactions that were sent while they were open.
    pub fn streamed_bytes(&self, connector: &Connector) -> u64 {
        let slot = &connector.config["slot.name"];
        let sql = format!("SELECT stream_bytes FROM pg_stat_replication_slots WHERE slot_name = '{slot}'");
        self.ask(&sql).unwrap().parse().unwrap()
    }

    /// Waits until nobody reads from any slot of the database.
    pub fn wait_until_free(&self) {
        let sql = format!("SELECT 1 FROM pg_replication_slots WHERE database = '{}' AND active", self.name);
        eventually("the slot is free", LONG, || self.ask(&sql).is_none().then_some(()));
    }

    /// Everything of a table on its topic: for each record the operation and the row.
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

    /// Waits until a table's topic has so many records, and gives them.
    pub fn wait_for(
        &self,
        connector: &Connector,
        running: &Running,
        table: &str,
        count: usize,
    ) -> Vec<(String, Value)> {
        self.wait_for_records(connector, running, table, count);
        self.landed(connector, table)
    }

    /// Waits until a table's topic has so many records, which are not read.
    pub fn wait_for_records(&self, connector: &Connector, running: &Running, table: &str, count: usize) {
        let topic = connector.topic(&format!("public.{table}"));
        let deadline = std::time::Instant::now() + LONG;
        while (topic::ends(&self.broker, &topic).iter().sum::<i64>() as usize) < count {
            let what = || format!("{count} records of {table}\n{}", running.log_tail(30));
            assert!(std::time::Instant::now() < deadline, "{}", what());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Holds that the topic has every version (1, 2, …) of each row of `table (id, version)`, the last one last, and nothing of
    /// rows that are not in it. Gives the rows and their records.
    pub fn reconcile_versions(&self, connector: &Connector, table: &str) -> (usize, usize) {
        let mut versions: BTreeMap<i64, (BTreeSet<i64>, i64)> = BTreeMap::new();
        let landed = self.landed(connector, table);
        let records = landed.len();
        for (_, row) in landed {
            let entry = versions.entry(row["id"].as_i64().unwrap()).or_default();
            let version = row["version"].as_i64().unwrap();
            assert!(
                version <= entry.0.last().copied().unwrap_or(0) + 1,
                "row {}: version {version} comes before those before it",
                row["id"]
            );
            entry.1 = version;
            entry.0.insert(entry.1);
        }
        let rows = self.sql().query(&format!("SELECT id, version FROM {table}")).unwrap().rows;
        for row in &rows {
            let cell = |at: usize| String::from_utf8(row[at].clone().unwrap()).unwrap().parse::<i64>().unwrap();
            let (id, version) = (cell(0), cell(1));
            let (seen, last) = versions.remove(&id).unwrap_or_else(|| panic!("row {id} is lost"));
            assert_eq!((seen, last), ((1..=version).collect(), version), "the versions of row {id}");
        }
        assert!(versions.is_empty(), "rows that were rolled back: {:?}", versions.keys().take(20).collect::<Vec<_>>());
        (rows.len(), records)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        let slots = format!("FROM pg_replication_slots WHERE database = '{name}'");
        let Ok(mut session) = self.try_session("postgres") else { return };
        // What cannot be removed must not hide why a test has failed.
        let _ = session.query_drop(&format!("SELECT pg_terminate_backend(active_pid) {slots} AND active"));
        for _ in 0..100 {
            let _ = session.query_drop(&format!("SELECT pg_drop_replication_slot(slot_name) {slots} AND NOT active"));
            if session.query_drop(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
