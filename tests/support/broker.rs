//! A broker of the test's own, to freeze and to kill, from `tests/stack/kafka.sh`.

use super::{free_port, scratch, stack_script, try_stack_script};

/// A running broker; ended and removed when dropped.
pub struct Broker {
    script: &'static str,
    /// Port on 127.0.0.1.
    pub port: u16,
    environment: Vec<(&'static str, String)>,
    _scratch: tempfile::TempDir,
}

impl Broker {
    /// Starts a Kafka broker.
    pub fn start() -> Self {
        Self::start_with(free_port(), "")
    }

    /// Starts one on this port with more lines of `server.properties`.
    pub fn start_with(port: u16, options: &str) -> Self {
        let scratch = scratch("broker-");
        let folder = scratch.path().join("kafka").display().to_string();
        let environment = vec![
            ("KAFKA_PORT", port.to_string()),
            ("KAFKA_DATA", folder),
            ("KAFKA_HEAP", "256m".to_owned()),
            ("KAFKA_OPTIONS", options.to_owned()),
        ];
        let broker = Broker { script: "kafka.sh", port, environment, _scratch: scratch };
        broker.run("start");
        broker
    }

    fn run(&self, command: &str) {
        stack_script(self.script, &[command, "losses"], &self.environment);
    }

    /// Runs one of Kafka's own tools.
    pub fn tool(&self, arguments: &[&str]) {
        stack_script(self.script, &[&["tool"], arguments].concat(), &self.environment);
    }

    /// host:port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// SIGSTOP.
    pub fn freeze(&self) {
        self.run("pause");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.run("resume");
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.run("kill");
    }

    /// SIGKILL, to one that may have ended by itself.
    pub fn kill_if_alive(&self) {
        let _ = try_stack_script(self.script, &["kill", "losses"], &self.environment);
    }

    /// The process's id.
    pub fn process(&self) -> u32 {
        let (_, folder) = self.environment.iter().find(|(name, _)| *name == "KAFKA_DATA").unwrap();
        std::fs::read_to_string(format!("{folder}/pid")).unwrap().trim().parse().unwrap()
    }

    /// After [`Broker::kill`].
    pub fn start_again(&self) {
        self.run("start");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        for command in ["kill", "wipe"] {
            // One that the test has killed already cannot be killed.
            let _ = try_stack_script(self.script, &[command, "losses"], &self.environment);
        }
    }
}
