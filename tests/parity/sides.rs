//! The two that are compared: Debezium on a running Kafka Connect, and Headwater as a child process.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::{eventually, free_port, scratch};

/// A connector's settings.
pub type Settings = BTreeMap<String, String>;

/// How long REST may take.
const ANSWER: Duration = Duration::from_secs(90);

fn ask(method: &str, url: &str, body: Option<&Value>) -> Result<Value, String> {
    let request = ureq::http::Request::builder().method(method).uri(url).header("Content-Type", "application/json");
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(ANSWER)).http_status_as_error(false).build().into();
    let request = request.body(body.map(Value::to_string).unwrap_or_default()).unwrap();
    let mut answer = agent.run(request).map_err(|error| error.to_string())?;
    let status = answer.status();
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    if status.is_success() {
        Ok(serde_json::from_str(&text).unwrap_or_default())
    } else {
        Err(format!("{status}: {text}"))
    }
}

/// RUNNING, FAILED or what else Connect's status says, and the failure's words.
fn state(base: &str, name: &str) -> (String, String) {
    let Ok(status) = ask("GET", &format!("{base}/connectors/{name}/status"), None) else {
        return ("UNKNOWN".to_owned(), String::new());
    };
    let mut said = vec![&status["connector"]];
    said.extend(status["tasks"].as_array().into_iter().flatten());
    let text = |part: &Value, field: &str| part[field].as_str().unwrap_or_default().to_owned();
    let failed = said.iter().find(|part| part["state"] == "FAILED");
    match (failed, said.last()) {
        (Some(part), _) | (None, Some(part)) => (text(part, "state"), text(part, "trace")),
        (None, None) => ("UNKNOWN".to_owned(), String::new()),
    }
}

/// A Kafka Connect cluster with Debezium.
pub struct Connect {
    /// Its REST address.
    pub url: String,
    /// The topic of its offsets.
    pub offsets: String,
}

impl Connect {
    /// Starts a connector.
    pub fn start(&self, name: &str, settings: &Settings) -> Result<(), String> {
        let url = format!("{}/connectors/{name}/config", self.url);
        // While Connect puts its tasks in order anew it answers 409.
        let deadline = Instant::now() + ANSWER;
        loop {
            match ask("PUT", &url, Some(&json!(settings))) {
                Err(said) if said.starts_with("409") && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(200));
                }
                said => return said.map(drop),
            }
        }
    }

    /// Its state.
    pub fn state(&self, name: &str) -> (String, String) {
        state(&self.url, name)
    }

    /// Asks connectors to stop, and waits until each has stored its offset.
    pub fn stop(&self, names: &[String]) {
        for name in names {
            let _ = ask("PUT", &format!("{}/connectors/{name}/stop", self.url), None);
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

/// A process of Headwater with some connectors.
pub struct Headwater {
    child: Child,
    url: String,
    /// The topic of its offsets.
    pub offsets: String,
    folder: tempfile::TempDir,
}

impl Headwater {
    /// Starts one. The connectors have their `topic.prefix` for a name.
    pub fn start(broker: &str, worker: &Settings, connectors: &[Settings]) -> Self {
        let (folder, port) = (scratch("parity-"), free_port());
        let id = format!("parity{port}x{}", fastrand::u32(..));
        let mut settings = Settings::new();
        for (name, value) in [
            ("bootstrap.servers", broker),
            ("group.id", &id),
            ("offset.storage.topic", &format!("{id}-offsets")),
            ("offset.storage.replication.factor", "1"),
            ("offset.storage.partitions", "1"),
            ("config.storage.topic", &format!("{id}-configs")),
            ("status.storage.topic", &format!("{id}-status")),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("key.converter.schemas.enable", "false"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter.schemas.enable", "false"),
            ("listeners", &format!("http://127.0.0.1:{port}")),
            ("offset.flush.interval.ms", "500"),
        ] {
            settings.insert(name.to_owned(), value.to_owned());
        }
        settings.extend(worker.clone());
        let lines: String = settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        std::fs::write(folder.path().join("worker.properties"), lines).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.current_dir(folder.path()).arg("run");
        for connector in connectors {
            let file = format!("{}.json", connector["topic.prefix"]);
            let text = json!({ "name": connector["topic.prefix"], "config": connector });
            std::fs::write(folder.path().join(&file), text.to_string()).unwrap();
            command.arg(&file);
        }
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        command.args(["--worker", "worker.properties"]).env("NO_COLOR", "1");
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Headwater {
            child,
            url: format!("http://127.0.0.1:{port}"),
            offsets: settings["offset.storage.topic"].clone(),
            folder,
        }
    }

    /// A connector's state.
    pub fn state(&self, name: &str) -> (String, String) {
        state(&self.url, name)
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let skip = log.lines().count().saturating_sub(12);
        log.lines().skip(skip).collect::<Vec<_>>().join(" | ")
    }

    /// An orderly end.
    pub fn stop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        eventually("Headwater ends after SIGTERM", Duration::from_secs(60), || self.child.try_wait().unwrap());
    }
}

impl Drop for Headwater {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
