//! What the scenes share: a server, a broker, a table, a load, and the comparison at the end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::support::fault_proxy::FaultProxy;
use crate::support::number;
use crate::support::program::{Connector, Running};
use crate::support::server::Server;
use crate::support::state::{self, Folded};

/// How long a scene may take to have everything on the topics.
pub const CATCH_UP: Duration = Duration::from_secs(120);

/// A server of the test's own, and the broker.
pub struct World {
    pub server: Server,
    pub broker: String,
}

impl World {
    pub fn start(server: &str, options: &str, broker: &str) -> Self {
        World { server: Server::start(server, options), broker: broker.to_owned() }
    }

    /// A database with the table `t`, and a connector that reaches the server through a proxy.
    pub fn scene<'w>(&'w self, database: &str) -> Scene<'w> {
        self.scene_on(database, &self.broker)
    }

    /// The same with another broker.
    pub fn scene_on<'w>(&'w self, database: &str, broker: &str) -> Scene<'w> {
        self.server.sql(&[
            &format!("DROP DATABASE IF EXISTS {database}"),
            &format!("CREATE DATABASE {database}"),
            &format!("CREATE TABLE {database}.t (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, label VARCHAR(64))"),
        ]);
        let proxy = FaultProxy::start(&self.server.address());
        let connector = Connector::new(&self.server, broker, database)
            .with(&[("database.port", &proxy.port.to_string()), ("connect.timeout.ms", "2000")]);
        Scene { server: &self.server, proxy, connector, database: database.to_owned() }
    }
}

/// One database, one connector, one proxy.
pub struct Scene<'w> {
    pub server: &'w Server,
    pub proxy: FaultProxy,
    pub connector: Connector,
    pub database: String,
}

impl Scene<'_> {
    pub fn with(mut self, settings: &[(&str, &str)]) -> Self {
        self.connector = self.connector.with(settings);
        self
    }

    /// `database.t`.
    pub fn table(&self) -> String {
        format!("{}.t", self.database)
    }

    /// Runs statements in this scene's database.
    pub fn sql(&self, statements: &[&str]) {
        let mut session = self.server.session();
        session.query_drop(&format!("USE {}", self.database)).unwrap();
        for statement in statements {
            session.query_drop(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    /// Waits until all is on the topics, and asserts that it is what the table is.
    pub fn check(&self, running: &Running) -> Folded {
        self.connector.catch_up(running, self.server, CATCH_UP);
        let folded = state::fold(&self.connector.broker, &self.connector.topic(&self.table()));
        let expected = state::table(self.server, &self.table(), "id", "id,version,label");
        state::assert_same(&self.database, &expected, &folded.rows);
        println!(
            "  {} rows, {} records, {} of them twice, {} jumps back",
            expected.len(),
            folded.records,
            folded.duplicates,
            folded.jumps_back
        );
        folded
    }

    /// Writes single rows until asked to stop, `per_second` at most, each a transaction. Gives how many. A server that
    /// is away is waited for.
    pub fn write_until(&self, stop: &AtomicBool, written: &AtomicU64, per_second: u64) {
        let mut session = self.server.session();
        while !stop.load(Ordering::Relaxed) {
            let id = written.load(Ordering::Relaxed) + 1;
            let statement = format!("REPLACE INTO {} VALUES ({id}, {id}, 'written')", self.table());
            match session.query_drop(&statement) {
                Ok(()) => written.store(id, Ordering::Relaxed),
                Err(_) => {
                    // The server has gone: it is back when a session can be had.
                    std::thread::sleep(Duration::from_millis(300));
                    if let Ok(again) = self.server.try_session() {
                        session = again;
                    }
                }
            }
            std::thread::sleep(Duration::from_micros(1_000_000 / per_second));
        }
    }

    /// Runs `during` while rows are written; gives how many were.
    pub fn under_load(&self, per_second: u64, during: impl FnOnce(&AtomicU64)) -> u64 {
        let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| self.write_until(&stop, &written, per_second));
            // A load that goes on after a failed assertion would never end.
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| during(&written)));
            stop.store(true, Ordering::Relaxed);
            if let Err(panic) = result {
                std::panic::resume_unwind(panic);
            }
        });
        written.load(Ordering::Relaxed)
    }

    /// Waits for more rows to be written.
    pub fn wait_for_more(written: &AtomicU64, more: u64) {
        let goal = written.load(Ordering::Relaxed) + more;
        crate::support::eventually("rows are written", Duration::from_secs(60), || {
            (written.load(Ordering::Relaxed) >= goal).then_some(())
        });
    }

    /// One transaction that inserts `rows` rows with ids from `first` on, after `settings` for its session.
    pub fn insert_many(&self, first: u64, rows: u64, settings: &[&str]) {
        let limit = match self.server.flavor {
            headwater::source::binlog::connection::Flavor::MySql => "SET SESSION cte_max_recursion_depth = 10000000",
            headwater::source::binlog::connection::Flavor::MariaDb => "SET SESSION max_recursive_iterations = 10000000",
        };
        let last = first + rows - 1;
        let insert = format!(
            "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) \
             SELECT i, i * 2, CONCAT('row ', i) FROM n"
        );
        let mut statements = vec![limit];
        statements.extend(settings);
        statements.push(&insert);
        self.sql(&statements);
    }
}

/// Rows in a large transaction.
pub fn large_rows() -> u64 {
    number("HEADWATER_LOSS_ROWS", 300_000)
}
