//! A server of our own, from the scripts in `tests/stack`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use headwater::source::postgres::connection::{
    ConnectOptions, Connection, ConnectionError, Purpose, ReplicationRequest, ReplicationStream, ResultSet, Secret,
    SslMode, StopFlag,
};

use crate::support::{free_port, scratch, stack_script, try_stack_script};

/// A running server; ended and removed when dropped.
pub struct Server {
    /// Name in the stack, such as `postgres-15`.
    pub name: String,
    /// Port on 127.0.0.1.
    pub port: u16,
    folder: PathBuf,
    _scratch: tempfile::TempDir,
}

impl Server {
    /// Starts one.
    pub fn start(name: &str) -> Self {
        let scratch = scratch("postgres-");
        let folder = scratch.path().join("server");
        let server = Self { name: name.to_owned(), port: free_port(), folder, _scratch: scratch };
        server.script("start");
        server
    }

    fn environment(&self) -> [(&'static str, String); 2] {
        [("DATABASE_PORT", self.port.to_string()), ("DATABASE_DATA", self.folder.display().to_string())]
    }

    fn script(&self, command: &str) {
        stack_script("database.sh", &[command, &self.name, "wire"], &self.environment());
    }

    /// An orderly end.
    pub fn stop(&self) {
        self.script("stop");
    }

    /// After [`Server::stop`].
    pub fn start_again(&self) {
        self.script("start");
    }

    /// A file in the data folder: certificates and configuration.
    pub fn file(&self, name: &str) -> PathBuf {
        let folder = [self.folder.join("data"), self.folder.clone()];
        folder.iter().map(|folder| folder.join(name)).find(|path| path.exists()).unwrap_or_else(|| panic!("no {name}"))
    }

    /// How to reach it, as a user, without TLS.
    pub fn options(&self, user: &str, password: &str) -> ConnectOptions {
        let mut options = ConnectOptions {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: user.to_owned(),
            password: Some(Secret::new(password)),
            database: "postgres".to_owned(),
            connect_timeout: Duration::from_secs(30),
            query_timeout: Some(Duration::from_secs(120)),
            ..ConnectOptions::default()
        };
        options.ssl.mode = SslMode::Disable;
        options
    }

    /// Connects for SQL.
    pub fn connect(&self, options: &ConnectOptions) -> Result<Connection, ConnectionError> {
        Connection::connect(options, Purpose::Sql, &going())
    }

    /// Runs a statement as one who may do everything.
    pub fn sql(&self, statement: &str) -> ResultSet {
        let mut session = self.connect(&self.options("app", "apppw")).unwrap();
        let result = session.query(statement).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        session.close();
        result
    }

    /// The first value of a statement's answer; empty for none.
    pub fn ask(&self, statement: &str) -> String {
        let result = self.sql(statement);
        let value = result.rows.first().and_then(|row| row.first().cloned()).flatten().unwrap_or_default();
        String::from_utf8(value).unwrap()
    }

    /// A slot, a publication and a table `(id int primary key, text text)`, all of one name.
    pub fn table(&self, name: &str) -> ReplicationRequest {
        self.sql(&format!("CREATE TABLE {name} (id int PRIMARY KEY, text text)"));
        self.sql(&format!("CREATE PUBLICATION {name} FOR TABLE {name}"));
        self.sql(&format!("SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')"));
        ReplicationRequest::new(name, vec![name.to_owned()])
    }

    /// Removes what [`Server::table`] made, once the slot is free.
    pub fn drop_table(&self, name: &str) {
        crate::support::eventually("the slot is free", Duration::from_secs(60), || {
            let statement = format!("SELECT 1 FROM pg_replication_slots WHERE slot_name = '{name}' AND NOT active");
            (self.ask(&statement) == "1").then_some(())
        });
        self.sql(&format!("SELECT pg_drop_replication_slot('{name}')"));
        self.sql(&format!("DROP PUBLICATION {name}"));
        self.sql(&format!("DROP TABLE {name}"));
    }

    /// A stream.
    pub fn stream(&self, request: &ReplicationRequest) -> Result<ReplicationStream, ConnectionError> {
        self.stream_with(&self.options("cdc", "cdcpw"), request)
    }

    /// A stream, reached otherwise.
    pub fn stream_with(
        &self,
        options: &ConnectOptions,
        request: &ReplicationRequest,
    ) -> Result<ReplicationStream, ConnectionError> {
        Connection::connect(options, Purpose::Replication, &going())?.start_replication(request)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL first: nobody needs this data, and an orderly end costs seconds.
        for command in ["kill", "wipe"] {
            let _ = try_stack_script("database.sh", &[command, &self.name, "wire"], &self.environment());
        }
    }
}

/// A stop flag that is not set.
pub fn going() -> StopFlag {
    Arc::new(AtomicBool::new(false))
}
