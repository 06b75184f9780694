//! Sessions on the server of a scenario: what sets up and makes traffic. MySQL and MariaDB are spoken to by Headwater's own
//! client, PostgreSQL by its program psql.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use headwater::source::binlog::connection::{ConnectOptions, Connection, Secret, SslMode};

use super::scenario::{Scenario, Values};

/// How long a statement may take.
const STATEMENT: Duration = Duration::from_secs(120);

/// What psql prints behind the answer to a statement.
const DONE: &str = "headwater: the statement has run";

/// A session of a user who may do everything.
pub enum Session {
    /// MySQL or MariaDB.
    MySql(Box<Connection>),
    /// PostgreSQL.
    Postgres(Psql),
}

impl Session {
    /// Opens one; in the scenario's database, or where that can be made and removed.
    pub fn open(scenario: &Scenario, values: &Values, in_database: bool) -> Result<Self, String> {
        if scenario.source == "postgres" {
            let database = if in_database { &values["DATABASE"] } else { "postgres" };
            return Ok(Session::Postgres(Psql::start(&scenario.server, &values["PORT"], database)));
        }
        let mut options = ConnectOptions {
            hostname: values["HOST"].clone(),
            port: values["PORT"].parse().unwrap(),
            user: "app".to_owned(),
            password: Secret::new("apppw"),
            connect_timeout: Duration::from_secs(20),
            query_timeout: Some(STATEMENT),
            ..ConnectOptions::default()
        };
        options.ssl.mode = SslMode::Disabled;
        let connection =
            Connection::connect(&options, &Arc::new(AtomicBool::new(false))).map_err(|error| error.to_string())?;
        let mut session = Session::MySql(Box::new(connection));
        session.run("SET NAMES utf8mb4")?;
        if in_database {
            session.run(&format!("USE `{}`", values["DATABASE"]))?;
        }
        Ok(session)
    }

    /// Runs a statement.
    pub fn run(&mut self, statement: &str) -> Result<(), String> {
        let said = match self {
            Session::MySql(connection) => connection.query_drop(statement).map_err(|error| error.to_string()),
            Session::Postgres(psql) => psql.run(statement).map(drop),
        };
        said.map_err(|error| format!("{statement}: {error}"))
    }

    /// Makes the scenario's database.
    pub fn create_database(&mut self, name: &str) -> Result<(), String> {
        match self {
            Session::MySql(_) => {
                self.run(&format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"))
            }
            Session::Postgres(_) => self.run(&format!("CREATE DATABASE {name} TEMPLATE template0")),
        }
    }

    /// Removes the scenario's database, and what read from it.
    pub fn drop_database(&mut self, name: &str) {
        let _ = match self {
            Session::MySql(_) => self.run(&format!("DROP DATABASE IF EXISTS `{name}`")),
            Session::Postgres(psql) => psql
                .drop_slots(name)
                .and_then(|()| psql.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).map(drop)),
        };
    }

    /// Whether somebody reads from a replication slot of this name; PostgreSQL only.
    pub fn slot_is_read(&mut self, slot: &str) -> bool {
        let Session::Postgres(psql) = self else { return false };
        let question = format!("SELECT 1 FROM pg_replication_slots WHERE slot_name = '{slot}' AND active");
        psql.run(&question).is_ok_and(|rows| !rows.is_empty())
    }
}

/// psql as a child process: a statement goes in, and the next one waits until it has run.
pub struct Psql {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Psql {
    fn start(server: &str, port: &str, database: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/database.sh");
        let mut child = Command::new(script)
            .args(["sql", server, "primary", "-At", "-d", database])
            .env("DATABASE_PORT", port)
            .env("PGOPTIONS", format!("-c client_min_messages=error -c statement_timeout={}", STATEMENT.as_millis()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Psql { child, input, output: BufReader::new(output) }
    }

    /// The rows of its answer, one line each.
    fn run(&mut self, statement: &str) -> Result<Vec<String>, String> {
        // It ends at an error; why is read below.
        let _ = writeln!(self.input, "{statement};\n\\echo {DONE}").and_then(|()| self.input.flush());
        let mut rows = Vec::new();
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                let mut said = String::new();
                let _ = self.child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
                return Err(format!("psql has ended: {}", said.trim()));
            }
            if line.trim_end() == DONE {
                return Ok(rows);
            }
            rows.push(line.trim_end().to_owned());
        }
    }

    /// A database with replication slots cannot be removed, and a slot that is read from neither.
    fn drop_slots(&mut self, database: &str) -> Result<(), String> {
        let slots = format!("FROM pg_replication_slots WHERE database = '{database}'");
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            self.run(&format!("SELECT pg_terminate_backend(active_pid) {slots} AND active"))?;
            self.run(&format!("SELECT pg_drop_replication_slot(slot_name) {slots} AND NOT active"))?;
            if self.run(&format!("SELECT slot_name {slots}"))?.is_empty() || std::time::Instant::now() > deadline {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        // The script that started it would outlive a signal to the script's own process: it is asked by words.
        let _ = writeln!(self.input, "\n\\q").and_then(|()| self.input.flush());
        let _ = self.child.wait();
    }
}
