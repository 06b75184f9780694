//! A server of MySQL or MariaDB of the test's own, and sessions with it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use headwater::source::binlog::connection::{ConnectOptions, Connection, ConnectionError, Flavor, Secret, SslMode};

use super::instance::Instance;

/// A running server of MySQL or MariaDB; ended and removed when dropped.
pub struct Server {
    instance: Instance,
    /// Product.
    pub flavor: Flavor,
}

impl std::ops::Deref for Server {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

/// Nobody needs the data when the machine dies.
fn careless(options: &str) -> String {
    format!("--sync-binlog=0 --innodb-flush-log-at-trx-commit=0 {options}")
}

impl Server {
    /// Starts one with more options of `mysqld` or `mariadbd`.
    pub fn start(name: &str, options: &str) -> Self {
        let flavor = if name.starts_with("mysql") { Flavor::MySql } else { Flavor::MariaDb };
        Server { instance: Instance::start(name, &careless(options)), flavor }
    }

    /// Starts a replica of another.
    pub fn start_replica_of(primary: &Server, options: &str) -> Self {
        Server { instance: primary.start_follower(&careless(options)), flavor: primary.flavor }
    }

    /// An orderly end; the data stays.
    pub fn stop(&self) {
        self.run("stop");
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.run("kill");
    }

    /// SIGSTOP.
    pub fn freeze(&self) {
        self.run("pause");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.run("resume");
    }

    /// After [`Server::stop`] or [`Server::kill`].
    pub fn start_again(&self) {
        self.run("start");
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
