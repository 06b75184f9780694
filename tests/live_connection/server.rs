//! A server of our own, from the scripts in `tests/stack`.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use headwater::source::binlog::connection::{
    ConnectOptions, Connection, ConnectionError, Flavor, ResultSet, Secret, SslMode, StopFlag,
};

use crate::authorities::Authorities;

/// Says aloud that a server was not tested; not allowed where `CI=true`.
pub fn skip(what: &str, why: &str) {
    skip_part(what, why);
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{what}: {why}");
}

/// Says aloud which part of a server was not tested, because its build lacks it.
pub fn skip_part(what: &str, why: &str) {
    println!("SKIPPED: connection to {what}: {why}");
    if let Some(file) = std::env::var_os("HEADWATER_TEST_SKIPPED") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
        writeln!(file, "connection to {what}: {why}").unwrap();
    }
}

/// A running server; ended and removed when dropped.
pub struct Server {
    /// Name in the stack, such as `mysql-9.7`.
    pub name: String,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Product.
    pub flavor: Flavor,
    /// Certificates that the server and its clients use.
    pub authorities: Authorities,
    folder: PathBuf,
    _scratch: tempfile::TempDir,
}

impl Server {
    /// Starts one, with certificates of ours.
    pub fn start(name: &str) -> Self {
        let base = std::env::var_os("HEADWATER_TEST_SCRATCH").map(PathBuf::from).unwrap_or_else(std::env::temp_dir);
        let scratch = tempfile::Builder::new().prefix("connection-").tempdir_in(base).unwrap();
        let authorities = Authorities::create(&scratch.path().join("certificates"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let flavor = if name.starts_with("mysql") { Flavor::MySql } else { Flavor::MariaDb };
        let folder = scratch.path().join("server");
        let server = Self { name: name.to_owned(), port, flavor, authorities, folder, _scratch: scratch };
        server.script("start");
        server
    }

    fn script(&self, command: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/database.sh");
        let mut options = format!(
            "--max-allowed-packet=1G --sync-binlog=0 --innodb-flush-log-at-trx-commit=0 {}",
            self.authorities.server_options()
        );
        if self.flavor == Flavor::MySql {
            // Logins beyond the limit would block this machine in the midst of the refusals.
            options += " --max-connect-errors=100000";
        }
        let status = Command::new(script)
            .args([command, &self.name, "connection"])
            .env("DATABASE_PORT", self.port.to_string())
            .env("DATABASE_DATA", &self.folder)
            .env("DATABASE_OPTIONS", options)
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{} {command}", self.name);
    }

    /// SIGSTOP.
    pub fn freeze(&self) {
        self.script("pause");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.script("resume");
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.script("kill");
    }

    /// After [`Server::kill`].
    pub fn start_again(&self) {
        self.script("start");
    }

    /// Where the binlog files lie.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// How to reach it, as a user, without TLS.
    pub fn options(&self, user: &str, password: &str) -> ConnectOptions {
        let mut options = ConnectOptions {
            hostname: "127.0.0.1".to_owned(),
            port: self.port,
            user: user.to_owned(),
            password: Secret::new(password),
            connect_timeout: Duration::from_secs(20),
            query_timeout: Some(Duration::from_secs(60)),
            ..ConnectOptions::default()
        };
        options.ssl.mode = SslMode::Disabled;
        options
    }

    /// A session that may do everything.
    pub fn root(&self) -> Connection {
        Connection::connect(&self.options("app", "apppw"), &going()).unwrap()
    }

    /// Runs a statement as root.
    pub fn sql(&self, statement: &str) -> ResultSet {
        self.root().query(statement).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Connects.
    pub fn connect(&self, options: &ConnectOptions) -> Result<Connection, ConnectionError> {
        Connection::connect(options, &going())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL first: nobody needs this data, and an orderly end costs seconds. A frozen server hears it too.
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/database.sh");
        for command in ["kill", "wipe"] {
            let _ = Command::new(&script)
                .args([command, &self.name, "connection"])
                .env("DATABASE_PORT", self.port.to_string())
                .env("DATABASE_DATA", &self.folder)
                .stdout(std::process::Stdio::null())
                .status();
        }
    }
}

/// A stop flag that is not set.
pub fn going() -> StopFlag {
    Arc::new(AtomicBool::new(false))
}
