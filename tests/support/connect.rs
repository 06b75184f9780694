//! Kafka Connect with Debezium: the original, spoken to by REST, and a worker of the test's own, to kill.
//!
//! A worker that was killed comes back under another group and with other topics for configurations and states, and with
//! the same topic for offsets: it knows no connector until it is told of one, as after an operator's clean-up, and need
//! not wait until its dead predecessor has timed out of the group.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::{Value, json};

use super::connect_rest::{ANSWER, ask, put, state};
use super::{eventually, free_port, scratch, stack_script, try_stack_script, unique};

/// A Kafka Connect cluster with Debezium.
pub struct Connect {
    /// Its REST address.
    pub url: String,
    /// The topic of its offsets.
    pub offsets: String,
}

impl Connect {
    /// The classes of its connectors, with their versions.
    pub fn versions(&self) -> Vec<(String, String)> {
        let plugins = ask("GET", &format!("{}/connector-plugins", self.url), None).unwrap_or_default();
        let text = |plugin: &Value, field: &str| plugin[field].as_str().unwrap_or_default().to_owned();
        plugins
            .as_array()
            .into_iter()
            .flatten()
            .map(|plugin| (text(plugin, "class"), text(plugin, "version")))
            .collect()
    }

    /// Starts a connector.
    pub fn start(&self, name: &str, settings: &BTreeMap<String, String>) -> Result<(), String> {
        put(&self.url, name, "config", Some(&json!(settings)))
    }

    /// Its state.
    pub fn state(&self, name: &str) -> (String, String) {
        state(&self.url, name)
    }

    /// The topics that a connector has written to, in order.
    pub fn topics(&self, name: &str) -> Vec<String> {
        let answer = ask("GET", &format!("{}/connectors/{name}/topics", self.url), None).unwrap_or_default();
        let mut topics: Vec<String> = serde_json::from_value(answer[name]["topics"].clone()).unwrap_or_default();
        topics.sort_unstable();
        topics
    }

    /// Asks connectors to stop, and waits until each has stored its offset.
    pub fn stop(&self, names: &[String]) {
        for name in names {
            let _ = put(&self.url, name, "stop", None);
        }
        for name in names {
            let has_stopped = || {
                let (state, _) = self.state(name);
                matches!(&*state, "STOPPED" | "FAILED" | "UNKNOWN").then_some(())
            };
            eventually(&format!("Debezium's {name} stops"), ANSWER, has_stopped);
        }
    }

    /// Removes a connector.
    pub fn remove(&self, name: &str) {
        let _ = ask("DELETE", &format!("{}/connectors/{name}", self.url), None);
    }
}

/// A worker of the test's own; ended and removed when dropped.
pub struct Worker {
    /// Its REST address and its topic of offsets.
    pub connect: Connect,
    broker: String,
    java: String,
    port: u16,
    lives: AtomicU32,
    killed: AtomicBool,
    scratch: tempfile::TempDir,
}

impl Worker {
    /// Starts one; what it has said is the error.
    pub fn start(broker: &str) -> Result<Self, String> {
        Self::start_with(broker, "")
    }

    /// Starts one with an option of Java's.
    pub fn start_with(broker: &str, java: &str) -> Result<Self, String> {
        let port = free_port();
        let connect =
            Connect { url: format!("http://127.0.0.1:{port}"), offsets: format!("{}.offsets", unique("connect")) };
        let worker = Worker {
            connect,
            broker: broker.to_owned(),
            java: java.to_owned(),
            port,
            lives: AtomicU32::new(0),
            killed: AtomicBool::new(false),
            scratch: scratch("connect-"),
        };
        try_stack_script("connect.sh", &["start"], &worker.environment())?;
        Ok(worker)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let options = [
            format!("offset.storage.topic={}", self.connect.offsets),
            "offset.flush.interval.ms=200".to_owned(),
            "scheduled.rebalance.max.delay.ms=0".to_owned(),
        ];
        vec![
            ("CONNECT_PORT", self.port.to_string()),
            ("CONNECT_DATA", self.scratch.path().join("connect").display().to_string()),
            ("CONNECT_BOOTSTRAP", self.broker.clone()),
            ("CONNECT_GROUP", self.group()),
            ("CONNECT_HEAP", "512m".to_owned()),
            ("CONNECT_JAVA", self.java.clone()),
            ("CONNECT_OPTIONS", options.join("\n")),
        ]
    }

    /// Its group, and the prefix of its topics of configurations and states.
    pub fn group(&self) -> String {
        format!("{}.{}", self.connect.offsets, self.lives.load(Ordering::Relaxed))
    }

    /// Ends it in order: it leaves its group.
    pub fn end(&self) {
        stack_script("connect.sh", &["stop"], &self.environment());
    }

    /// After [`Worker::end`]; it knows all that it knew.
    pub fn begin(&self) {
        stack_script("connect.sh", &["start"], &self.environment());
    }

    /// SIGKILL.
    pub fn kill(&self) {
        stack_script("connect.sh", &["kill"], &self.environment());
        self.killed.store(true, Ordering::Relaxed);
    }

    /// Whether it is dead.
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// After [`Worker::kill`]; it has forgotten its connectors, not their offsets.
    pub fn start_again(&self) {
        self.lives.fetch_add(1, Ordering::Relaxed);
        self.killed.store(false, Ordering::Relaxed);
        stack_script("connect.sh", &["start"], &self.environment());
    }

    /// Its properties, as it was started with them.
    pub fn properties(&self) -> std::path::PathBuf {
        self.scratch.path().join("connect/worker.properties")
    }

    /// The last lines of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = std::fs::read(self.scratch.path().join("connect/output.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let skip = log.lines().count().saturating_sub(lines);
        log.lines().skip(skip).map(|line| format!("  | {line}\n")).collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("log of Kafka Connect:\n{}", self.log_tail(60));
        }
        for command in ["kill", "wipe"] {
            // One that the test has killed already cannot be killed.
            let _ = try_stack_script("connect.sh", &[command], &self.environment());
        }
    }
}
