//! A database of the campaign's own, of any product, and what can be done to it.

use std::sync::Arc;

use headwater::source::binlog::connection::{self as binlog, Flavor};
use headwater::source::postgres::connection as postgres;

use crate::support::instance::Instance;
use crate::support::postgres::try_session;
use crate::support::program::Connector;
use crate::support::server::Server;

/// A commit is in the log when it is acknowledged, and survives a process that is killed; no disk is waited for.
const BINLOG_OPTIONS: &str = "--innodb-flush-log-at-trx-commit=2";

/// A running server; ended and removed when dropped.
pub enum Database {
    Binlog(Server),
    Postgres(Instance),
}

/// A session that may do everything.
pub enum Session {
    Binlog(binlog::Connection),
    Postgres(postgres::Connection),
}

impl Session {
    pub fn run(&mut self, statement: &str) -> Result<(), String> {
        match self {
            Session::Binlog(session) => session.query_drop(statement).map_err(|error| error.to_string()),
            Session::Postgres(session) => session.query_drop(statement).map_err(|error| error.to_string()),
        }
    }

    /// The first value of a statement's answer.
    pub fn ask(&mut self, statement: &str) -> Result<Option<String>, String> {
        let rows = match self {
            Session::Binlog(session) => session.query(statement).map_err(|error| error.to_string())?.rows,
            Session::Postgres(session) => session.query(statement).map_err(|error| error.to_string())?.rows,
        };
        let cell = rows.first().and_then(|row| row.first().cloned()).flatten();
        Ok(cell.map(|cell| String::from_utf8_lossy(&cell).into_owned()))
    }
}

impl Database {
    /// Starts one of the servers of `tests/stack/database.sh`.
    pub fn start(name: &str) -> Arc<Database> {
        Arc::new(match name.starts_with("postgres") {
            true => Database::Postgres(Instance::start(name, "")),
            false => Database::Binlog(Server::start(name, BINLOG_OPTIONS)),
        })
    }

    /// Starts a replica of it.
    pub fn start_replica(&self) -> Arc<Database> {
        let Database::Binlog(server) = self else { panic!("no replica is made of PostgreSQL") };
        Arc::new(Database::Binlog(Server::start_replica_of(server, BINLOG_OPTIONS)))
    }

    pub fn port(&self) -> u16 {
        match self {
            Database::Binlog(server) => server.port,
            Database::Postgres(server) => server.port,
        }
    }

    pub fn is_mysql(&self) -> bool {
        matches!(self, Database::Binlog(server) if server.flavor == Flavor::MySql)
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, Database::Postgres(_))
    }

    /// A connector that captures `schema`, a database of this server.
    pub fn connector(&self, broker: &str, schema: &str) -> Connector {
        match self {
            Database::Binlog(server) => Connector::new(server, broker, schema)
                .with(&[("table.include.list", &format!("{schema}.t,{schema}.gone"))]),
            // A user of its own, whose password can be changed without shutting out the load.
            Database::Postgres(server) => Connector::postgres(server.port, broker, schema).with(&[
                ("database.user", "capture"),
                ("database.password", "capturepw"),
                ("table.include.list", "public[.](t|gone)"),
            ]),
        }
    }

    /// The captured table's name in the name of its topic.
    pub fn table(&self, schema: &str, table: &str) -> String {
        format!("{}.{table}", if self.is_postgres() { "public" } else { schema })
    }

    /// A session in `schema`.
    pub fn session(&self, schema: &str) -> Result<Session, String> {
        match self {
            Database::Binlog(server) => {
                let mut session = Session::Binlog(server.try_session().map_err(|error| error.to_string())?);
                if !schema.is_empty() {
                    session.run(&format!("USE {schema}"))?;
                }
                Ok(session)
            }
            Database::Postgres(server) => {
                let session = try_session(server.port, if schema.is_empty() { "postgres" } else { schema });
                Ok(Session::Postgres(session.map_err(|error| error.to_string())?))
            }
        }
    }

    /// Makes `schema` with the table that is accounted for, the one whose topic is deleted, and one that nobody captures.
    pub fn create(&self, schema: &str) {
        let run = |schema: &str, statements: &[&str]| {
            let mut session = self.session(schema).unwrap();
            statements.iter().for_each(|statement| session.run(statement).unwrap());
        };
        run("", &[&format!("CREATE DATABASE {schema}")]);
        if self.is_postgres() {
            // Another scene on this server may have made the user before.
            let _ = self.session("").unwrap().run("CREATE ROLE capture LOGIN SUPERUSER REPLICATION");
            run("", &["ALTER ROLE capture PASSWORD 'capturepw'"]);
        }
        run(
            schema,
            &[
                "CREATE TABLE t (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, label VARCHAR(64))",
                "CREATE TABLE gone (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)",
                "CREATE TABLE unseen (id BIGINT PRIMARY KEY)",
            ],
        );
    }

    /// A statement that gives the row `id` of table `t` a version, whether the row is there or not; again, it changes nothing
    /// or writes the same again.
    pub fn put(&self, id: u64, version: u64) -> String {
        let insert = format!("INSERT INTO t (id, version, label) VALUES ({id}, {version}, 'written')");
        match self {
            Database::Binlog(_) => format!("{insert} ON DUPLICATE KEY UPDATE version = {version}"),
            Database::Postgres(_) => format!("{insert} ON CONFLICT (id) DO UPDATE SET version = excluded.version"),
        }
    }

    fn script(&self, command: &str) {
        match (self, command) {
            (Database::Postgres(server), _) => server.run(command),
            (Database::Binlog(server), "kill") => server.kill(),
            (Database::Binlog(server), "pause") => server.freeze(),
            (Database::Binlog(server), "resume") => server.thaw(),
            (Database::Binlog(server), "stop") => server.stop(),
            (Database::Binlog(server), _) => server.start_again(),
        }
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.script("kill");
    }

    /// SIGSTOP.
    pub fn freeze(&self) {
        self.script("pause");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.script("resume");
    }

    /// An orderly end.
    pub fn stop(&self) {
        self.script("stop");
    }

    pub fn start_again(&self) {
        self.script("start");
    }
}
