//! A database server of the test's own, of any product, from `tests/stack/database.sh`.

use std::path::PathBuf;

use super::{free_port, scratch, stack_script, try_stack_script};

/// A running server; ended and removed when dropped.
pub struct Instance {
    /// Its name in the stack: `mysql-9.7`, `postgres-17`.
    pub name: String,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Where its data are.
    pub folder: PathBuf,
    options: String,
    follows: Option<u16>,
    _scratch: tempfile::TempDir,
}

impl Instance {
    /// Starts one with more options of the server's program.
    pub fn start(name: &str, options: &str) -> Self {
        Self::start_as(name, options, None)
    }

    /// Starts a replica or standby of it.
    pub fn start_follower(&self, options: &str) -> Self {
        Self::start_as(&self.name, options, Some(self.port))
    }

    fn start_as(name: &str, options: &str, follows: Option<u16>) -> Self {
        let scratch = scratch("database-");
        let folder = scratch.path().join("server");
        let (name, options) = (name.to_owned(), options.to_owned());
        let instance = Self { name, port: free_port(), folder, options, follows, _scratch: scratch };
        instance.run("start");
        instance
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

    /// A command of the script: `stop`, `kill`, `pause`, `resume`, `start`, `promote`.
    pub fn run(&self, command: &str) {
        stack_script("database.sh", &[command, &self.name, "source"], &self.environment());
    }

    /// Ends it and starts it with other options.
    pub fn restart_with(&mut self, options: &str) {
        self.run("stop");
        self.options = options.to_owned();
        self.run("start");
    }

    /// host:port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SIGKILL first: nobody needs this data, and an orderly end costs seconds. A frozen server hears it too; one that the
        // test has stopped already cannot be killed.
        for command in ["kill", "wipe"] {
            let _ = try_stack_script("database.sh", &[command, &self.name, "source"], &self.environment());
        }
    }
}
