//! The two that are compared: Debezium on a running Kafka Connect, and Headwater as a child process.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use super::scenario::Values;
use super::support::connect_rest::state;
use super::support::{eventually, free_port, scratch};

/// A connector's settings.
pub type Settings = BTreeMap<String, String>;

/// What every connector needs and no scenario is about.
pub fn needed_settings(source: &str, values: &Values) -> Settings {
    let class = match source {
        "postgres" => "io.debezium.connector.postgresql.PostgresConnector",
        "mariadb" => "io.debezium.connector.mariadb.MariaDbConnector",
        _ => "io.debezium.connector.mysql.MySqlConnector",
    };
    let mut settings = Settings::new();
    let mut set = |name: &str, value: &str| drop(settings.insert(name.to_owned(), value.to_owned()));
    set("connector.class", class);
    set("tasks.max", "1");
    set("database.hostname", &values["HOST"]);
    set("database.port", &values["PORT"]);
    set("database.user", &values["USER"]);
    set("database.password", &values["PASSWORD"]);
    set("topic.prefix", &values["PREFIX"]);
    set("snapshot.mode", "no_data");
    if source == "postgres" {
        set("database.dbname", &values["DATABASE"]);
        set("plugin.name", "pgoutput");
        set("slot.name", &values["PREFIX"]);
        set("publication.name", &values["PREFIX"]);
    } else {
        set("database.server.id", &values["SERVER_ID"]);
        set("database.include.list", &values["DATABASE"]);
        set("schema.history.internal.kafka.bootstrap.servers", &values["KAFKA"]);
        set("schema.history.internal.kafka.topic", &format!("{}.history", values["PREFIX"]));
        // The servers of the stack hold other databases too, which differ from run to run.
        set("schema.history.internal.store.only.captured.databases.ddl", "true");
    }
    settings
}

/// A process of Headwater with some connectors.
pub struct Headwater {
    child: Mutex<Child>,
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
            child: Mutex::new(child),
            url: format!("http://127.0.0.1:{port}"),
            offsets: settings["offset.storage.topic"].clone(),
            folder,
        }
    }

    /// A connector's state. A process that has ended by itself has refused what it was given: a connector that Connect takes,
    /// and whose task fails.
    pub fn state(&self, name: &str) -> (String, String) {
        match self.child.lock().unwrap().try_wait() {
            Ok(Some(_)) => ("FAILED".to_owned(), self.log_tail()),
            _ => state(&self.url, name),
        }
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let skip = log.lines().count().saturating_sub(12);
        log.lines().skip(skip).collect::<Vec<_>>().join(" | ")
    }

    /// An orderly end.
    pub fn stop(&mut self) {
        let child = self.child.get_mut().unwrap();
        if child.try_wait().unwrap().is_some() {
            return;
        }
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        eventually("Headwater ends after SIGTERM", Duration::from_secs(60), || child.try_wait().unwrap());
    }
}

impl Drop for Headwater {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
