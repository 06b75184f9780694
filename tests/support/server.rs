//! A database server of the test's own, from `tests/stack/database.sh`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use headwater::source::binlog::connection::{ConnectOptions, Connection, ConnectionError, Flavor, Secret, SslMode};

use super::{free_port, scratch, stack_script, try_stack_script};

/// A running server; ended and removed when dropped.
pub struct Server {
    /// Its name in the stack: `mysql-9.7`.
    pub name: String,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Product.
    pub flavor: Flavor,
    folder: PathBuf,
    options: String,
    follows: Option<u16>,
    _scratch: tempfile::TempDir,
}

impl Server {
    /// Starts one with more options of `mysqld` or `mariadbd`.
    pub fn start(name: &str, options: &str) -> Self {
        Self::start_as(name, options, None)
    }

    /// Starts a replica of another.
    pub fn start_replica_of(primary: &Server, options: &str) -> Self {
        Self::start_as(&primary.name, options, Some(primary.port))
    }

    fn start_as(name: &str, options: &str, follows: Option<u16>) -> Self {
        let scratch = scratch("losses-");
        let flavor = if name.starts_with("mysql") { Flavor::MySql } else { Flavor::MariaDb };
        let options = format!("--sync-binlog=0 --innodb-flush-log-at-trx-commit=0 {options}");
        let folder = scratch.path().join("server");
        let server =
            Server { name: name.to_owned(), port: free_port(), flavor, folder, options, follows, _scratch: scratch };
        server.script("start");
        server
    }

    fn script(&self, command: &str) {
        let mut environment = vec![
            ("DATABASE_PORT", self.port.to_string()),
            ("DATABASE_DATA", self.folder.display().to_string()),
            ("DATABASE_OPTIONS", self.options.clone()),
        ];
        if let Some(port) = self.follows {
            environment.push(("DATABASE_FOLLOWS", port.to_string()));
        }
        stack_script("database.sh", &[command, &self.name, "losses"], &environment);
    }

    /// An orderly end; the data stays.
    pub fn stop(&self) {
        self.script("stop");
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

    /// After [`Server::stop`] or [`Server::kill`].
    pub fn start_again(&self) {
        self.script("start");
    }

    /// host:port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A session that may do everything.
    pub fn session(&self) -> Connection {
        self.try_session().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// A session of the server's root, who may grant.
    pub fn root(&self) -> Connection {
        self.log_in("root", "rootpw").unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// A session, if the server is there.
    pub fn try_session(&self) -> Result<Connection, ConnectionError> {
        self.log_in("app", "apppw")
    }

    fn log_in(&self, user: &str, password: &str) -> Result<Connection, ConnectionError> {
        let mut options = ConnectOptions {
            hostname: "127.0.0.1".to_owned(),
            port: self.port,
            user: user.to_owned(),
            password: Secret::new(password),
            connect_timeout: Duration::from_secs(20),
            query_timeout: Some(Duration::from_secs(120)),
            ..ConnectOptions::default()
        };
        options.ssl.mode = SslMode::Disabled;
        Connection::connect(&options, &Arc::new(AtomicBool::new(false)))
    }

    /// Runs statements, one after the other, in one session.
    pub fn sql(&self, statements: &[&str]) {
        let mut session = self.session();
        for statement in statements {
            session.query_drop(statement).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
    }

    /// The first value of a statement's answer.
    pub fn ask(&self, statement: &str) -> String {
        let answer = self.session().query(statement).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let cell = answer.rows.first().and_then(|row| row.first().cloned()).flatten();
        String::from_utf8(cell.unwrap_or_default()).unwrap()
    }

    /// The current binlog file and the position behind its last event.
    pub fn log_position(&self) -> (String, u64) {
        let statement = if self.name == "mysql-9.7" { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" };
        let status = self.session().query(statement).unwrap();
        (status.first("File").unwrap(), status.first("Position").unwrap().parse().unwrap())
    }

    /// The transactions that it has in its log; empty where it numbers none.
    pub fn gtids(&self) -> String {
        let variable = match self.flavor {
            Flavor::MySql => "@@global.gtid_executed",
            Flavor::MariaDb => "@@global.gtid_binlog_pos",
        };
        self.ask(&format!("SELECT {variable}")).replace('\n', "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL first: nobody needs this data, and an orderly end costs seconds. A frozen server hears it too.
        for command in ["kill", "wipe"] {
            let environment =
                [("DATABASE_PORT", self.port.to_string()), ("DATABASE_DATA", self.folder.display().to_string())];
            // A server that the test has stopped already cannot be killed.
            let _ = try_stack_script("database.sh", &[command, &self.name, "losses"], &environment);
        }
    }
}
