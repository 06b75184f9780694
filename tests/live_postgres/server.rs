//! A server of the test's own, to be stopped, killed, followed and promoted.

use std::path::PathBuf;

use crate::support::{free_port, scratch, stack_script, try_stack_script};

/// A running server; ended and removed when dropped.
pub struct Server {
    name: String,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Where its data are.
    pub folder: PathBuf,
    options: String,
    follows: Option<u16>,
    _scratch: tempfile::TempDir,
}

impl Server {
    /// Starts one with more options of `postgres`.
    pub fn start(name: &str, options: &str) -> Self {
        Self::start_as(name, options, None)
    }

    /// Starts a standby of it.
    pub fn start_standby(&self, options: &str) -> Self {
        Self::start_as(&self.name, options, Some(self.port))
    }

    fn start_as(name: &str, options: &str, follows: Option<u16>) -> Self {
        let scratch = scratch("postgres-");
        let folder = scratch.path().join("server");
        let (name, options) = (name.to_owned(), options.to_owned());
        let server = Self { name, port: free_port(), folder, options, follows, _scratch: scratch };
        server.run("start");
        server
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("DATABASE_PORT", self.port.to_string()),
            ("DATABASE_DATA", self.folder.display().to_string()),
            ("DATABASE_OPTIONS", self.options.clone()),
        ];
        environment.extend(self.follows.map(|port| ("DATABASE_FOLLOWS", port.to_string())));
        environment
    }

    /// A command of `tests/stack/database.sh`: `stop`, `kill`, `pause`, `resume`, `start`, `promote`.
    pub fn run(&self, command: &str) {
        stack_script("database.sh", &[command, &self.name, "source"], &self.environment());
    }

    /// Ends it and starts it with other options.
    pub fn restart_with(&mut self, options: &str) {
        self.run("stop");
        self.options = options.to_owned();
        self.run("start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL first: nobody needs this data, and an orderly end costs seconds.
        for command in ["kill", "wipe"] {
            let _ = try_stack_script("database.sh", &[command, &self.name, "source"], &self.environment());
        }
    }
}
