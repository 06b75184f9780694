//! The binary as a child process, with a connector of the test's own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use headwater::source::binlog::connection::Flavor;
use serde_json::{Value, json};

use super::server::Server;
use super::{eventually, free_port, scratch, topic, unique};

/// Server ids of the tests' connectors; each process of tests begins somewhere else.
static NEXT_SERVER_ID: AtomicU32 = AtomicU32::new(0);

/// One connector: its files, topics and stored offset. The process runs in [`Running`].
pub struct Connector {
    /// Name of the connector, and its `topic.prefix`.
    pub name: String,
    /// host:port of the broker.
    pub broker: String,
    /// The connector's settings.
    pub config: BTreeMap<String, String>,
    /// The worker's.
    pub worker: BTreeMap<String, String>,
    /// Which binlog it reads; `None` for PostgreSQL.
    flavor: Option<Flavor>,
    port: u16,
    folder: tempfile::TempDir,
    starts: AtomicU32,
}

impl Connector {
    /// A connector that captures one database of a server, with settings that make waiting short.
    pub fn new(server: &Server, broker: &str, database: &str) -> Self {
        let name = unique(database);
        let first = fastrand::u32(100_000..2_000_000_000);
        let _ = NEXT_SERVER_ID.compare_exchange(0, first, Ordering::Relaxed, Ordering::Relaxed);
        let server_id = NEXT_SERVER_ID.fetch_add(1, Ordering::Relaxed);
        let class = match server.flavor {
            Flavor::MySql => "io.debezium.connector.mysql.MySqlConnector",
            Flavor::MariaDb => "io.debezium.connector.mariadb.MariaDbConnector",
        };
        let config = [
            ("connector.class", class.to_owned()),
            ("database.port", server.port.to_string()),
            ("database.user", "cdc".to_owned()),
            ("database.password", "cdcpw".to_owned()),
            ("database.server.id", server_id.to_string()),
            ("database.include.list", database.to_owned()),
            ("include.schema.changes", "false".to_owned()),
            ("schema.history.internal.kafka.bootstrap.servers", broker.to_owned()),
            ("schema.history.internal.kafka.topic", format!("{name}.history")),
        ];
        Self::of(name, broker, Some(server.flavor), &config)
    }

    /// A connector that captures a database of a PostgreSQL server, through a slot and a publication of the database's name.
    pub fn postgres(port: u16, broker: &str, database: &str) -> Self {
        let config = [
            ("connector.class", "io.debezium.connector.postgresql.PostgresConnector".to_owned()),
            ("database.port", port.to_string()),
            ("database.user", "app".to_owned()),
            ("database.password", "apppw".to_owned()),
            ("database.dbname", database.to_owned()),
            ("plugin.name", "pgoutput".to_owned()),
            ("slot.name", database.to_owned()),
            ("publication.name", database.to_owned()),
            ("publication.autocreate.mode", "filtered".to_owned()),
            ("table.include.list", "public[.].*".to_owned()),
            ("status.update.interval.ms", "200".to_owned()),
            ("slot.retry.delay.ms", "1000".to_owned()),
        ];
        Self::of(unique(database), broker, None, &config)
    }

    fn of(name: String, broker: &str, flavor: Option<Flavor>, own: &[(&str, String)]) -> Self {
        let port = free_port();
        let config = [
            ("tasks.max", "1".to_owned()),
            ("database.hostname", "127.0.0.1".to_owned()),
            ("topic.prefix", name.clone()),
            ("snapshot.mode", "no_data".to_owned()),
            ("headwater.heartbeat.period.ms", "500".to_owned()),
            ("headwater.reconnect.backoff.max.ms", "1000".to_owned()),
            ("retriable.restart.connector.wait.ms", "1000".to_owned()),
        ];
        let config = [own, &config].concat();
        let worker = [
            ("bootstrap.servers", broker.to_owned()),
            ("group.id", name.clone()),
            ("offset.storage.topic", format!("{name}.offsets")),
            ("offset.storage.replication.factor", "1".to_owned()),
            ("offset.storage.partitions", "1".to_owned()),
            ("config.storage.topic", format!("{name}.configs")),
            ("status.storage.topic", format!("{name}.status")),
            ("status.storage.replication.factor", "1".to_owned()),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter".to_owned()),
            ("key.converter.schemas.enable", "false".to_owned()),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter".to_owned()),
            ("value.converter.schemas.enable", "false".to_owned()),
            ("listeners", format!("http://127.0.0.1:{port}")),
            ("offset.flush.interval.ms", "200".to_owned()),
        ];
        let owned = |pairs: &[(&str, String)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        Connector {
            name,
            broker: broker.to_owned(),
            config: owned(&config),
            worker: owned(&worker),
            flavor,
            port,
            folder: scratch("connector-"),
            starts: AtomicU32::new(0),
        }
    }

    /// Changes settings of the connector.
    pub fn with(mut self, settings: &[(&str, &str)]) -> Self {
        self.config.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// Changes settings of the worker.
    pub fn with_worker(mut self, settings: &[(&str, &str)]) -> Self {
        self.worker.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// Takes back what makes waiting short, so that what is measured is what a user has.
    pub fn use_default_deadlines(&mut self) {
        for setting in [
            "headwater.heartbeat.period.ms",
            "headwater.reconnect.backoff.max.ms",
            "retriable.restart.connector.wait.ms",
            "slot.retry.delay.ms",
            "status.update.interval.ms",
        ] {
            self.config.remove(setting);
        }
    }

    /// The topic of `database.table`.
    pub fn topic(&self, table: &str) -> String {
        format!("{}.{table}", self.name)
    }

    /// The binary with the files of connector and worker, written anew.
    fn command(&self, name: &str) -> Command {
        let connector = self.folder.path().join("connector.json");
        std::fs::write(&connector, json!({ "name": self.name, "config": self.config }).to_string()).unwrap();
        let worker = self.folder.path().join("worker.properties");
        let lines = self.worker.iter().map(|(name, value)| format!("{name}={value}\n"));
        std::fs::write(&worker, lines.collect::<String>()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.arg(name).arg(&connector).arg("--worker").arg(&worker).env("NO_COLOR", "1");
        command
    }

    /// What `headwater check` says.
    pub fn check(&self) -> String {
        let output = self.command("check").output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    /// Starts the binary.
    pub fn start(&self) -> Running {
        self.start_as(self.command("run"))
    }

    /// Starts the binary behind statements of a shell, which may limit it.
    pub fn start_behind(&self, statements: &str) -> Running {
        let command = self.command("run");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{statements}; exec \"$0\" \"$@\"")).arg(command.get_program());
        shell.args(command.get_args()).env("NO_COLOR", "1");
        self.start_as(shell)
    }

    fn start_as(&self, mut command: Command) -> Running {
        let log = self.folder.path().join(format!("log-{:03}", self.starts.fetch_add(1, Ordering::Relaxed)));
        let file = std::fs::File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap();
        Running { child, name: self.name.clone(), port: self.port, log, quiet: false }
    }

    /// Starts the binary and waits until it streams.
    pub fn start_streaming(&self) -> Running {
        let running = self.start();
        running.wait_for_state("RUNNING", Duration::from_secs(60));
        running
    }

    /// The stored offset: the last record under the connector's key.
    pub fn stored_offset(&self) -> Option<Value> {
        let mut last = None;
        let key = json!([self.name, { "server": self.name }]).to_string().into_bytes();
        topic::read(&self.broker, &self.worker["offset.storage.topic"], |record| {
            if record.key.as_ref() == Some(&key) {
                last = record.value;
            }
        });
        last.map(|value| serde_json::from_slice(&value).unwrap())
    }

    /// Waits until everything that is in the server's log now is on the topics, and stored as such.
    pub fn catch_up(&self, running: &Running, server: &Server, within: Duration) {
        let (gtids, (file, position)) = (server.gtids(), server.log_position());
        let mut last = Value::Null;
        let deadline = std::time::Instant::now() + within;
        loop {
            if let Some(offset) = self.stored_offset() {
                let stored = offset["gtids"].as_str().unwrap_or_default();
                let done = match (stored.is_empty(), self.flavor) {
                    (false, Some(Flavor::MySql)) => {
                        server.ask(&format!("SELECT GTID_SUBSET('{gtids}','{stored}')")) == "1"
                    }
                    (false, Some(Flavor::MariaDb)) => stored == gtids,
                    (true, _) | (false, None) => {
                        let reached = (offset["file"].as_str().unwrap_or_default(), offset["pos"].as_u64());
                        reached >= (&*file, Some(position))
                    }
                };
                if done && offset["event"].is_null() {
                    return;
                }
                last = offset;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "{}: stored is {last}, the server has {gtids} in {file} at {position}; status {}\n{}",
                self.name,
                running.status(),
                running.log_tail(60)
            );
            std::thread::sleep(Duration::from_millis(150));
        }
    }
}

/// A process; killed when dropped.
pub struct Running {
    child: Child,
    name: String,
    port: u16,
    log: PathBuf,
    quiet: bool,
}

impl Running {
    /// SIGKILL, now.
    pub fn kill(mut self) {
        self.quiet = true;
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; it must end by itself in time.
    pub fn terminate(mut self, within: Duration) -> ExitStatus {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        let status = eventually("the end of the process after SIGTERM", within, || self.child.try_wait().unwrap());
        self.quiet = status.success();
        status
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has ever had resident, in bytes (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    fn get(&self, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = ureq::get(&url).config().timeout_global(Some(Duration::from_secs(5)));
        let mut answer = request.http_status_as_error(false).build().call().ok()?;
        answer.body_mut().read_to_string().ok()
    }

    /// What `/connectors/{name}/{what}` answers; null while there is no answer.
    pub fn connector_answer(&self, what: &str) -> Value {
        let text = self.get(&format!("/connectors/{}/{what}", self.name));
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null)
    }

    /// The connector's status as Kafka Connect's REST API has it; null while there is no answer.
    pub fn status(&self) -> Value {
        self.connector_answer("status")
    }

    /// The connector's state, and its failure's words.
    pub fn state(&self) -> (String, String) {
        let status = self.status();
        let text = |field: &str| status["connector"][field].as_str().unwrap_or_default().to_owned();
        (text("state"), text("trace"))
    }

    /// Waits for a state; gives the failure's words.
    pub fn wait_for_state(&self, wanted: &str, within: Duration) -> String {
        let what = format!("{} is {wanted}", self.name);
        let deadline = std::time::Instant::now() + within;
        loop {
            let (state, trace) = self.state();
            if state == wanted {
                return trace;
            }
            let is_late = std::time::Instant::now() > deadline || (state == "FAILED" && wanted != "FAILED");
            assert!(!is_late, "not within {within:?}: {what}; it is {state} {trace}\n{}", self.log_tail(40));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the connector is RESTARTING for a reason that says `words`: the watchdog may have said before, and in
    /// fewer words, who waits for whom.
    pub fn wait_for_reason(&self, words: &str, within: Duration) {
        let deadline = std::time::Instant::now() + within;
        while !self.wait_for_state("RESTARTING", within).contains(words) {
            assert!(std::time::Instant::now() < deadline, "not within {within:?}: {words}; it is {:?}", self.state());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the connector has failed, and holds that the process goes on saying so; gives the failure's words.
    pub fn wait_for_failure(&mut self, within: Duration) -> String {
        let trace = self.wait_for_state("FAILED", within);
        let until = std::time::Instant::now() + Duration::from_secs(1);
        while std::time::Instant::now() < until {
            assert_eq!((self.ended(), self.state().0), (None, "FAILED".to_owned()), "{}", self.log_tail(40));
            std::thread::sleep(Duration::from_millis(50));
        }
        trace
    }

    /// The text of `/metrics`; empty while there is no answer.
    pub fn metrics(&self) -> String {
        self.get("/metrics").unwrap_or_default()
    }

    /// A metric: the first series of that name.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics")?;
        let line =
            text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Waits until a metric has reached a value.
    pub fn wait_for_metric(&self, name: &str, at_least: f64, within: Duration) {
        eventually(&format!("{name} is at least {at_least}\n{}", self.log_tail(20)), within, || {
            self.metric(name).filter(|value| *value >= at_least)
        });
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits for words in the log.
    pub fn wait_for_log(&self, words: &str, within: Duration) {
        eventually(&format!("{words:?} in the log"), within, || self.log().contains(words).then_some(()));
    }

    /// The last lines of the log.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let skip = log.lines().count().saturating_sub(lines);
        log.lines().skip(skip).map(|line| format!("  | {line}\n")).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() && !self.quiet {
            println!("log of {}:\n{}", self.name, self.log_tail(80));
        }
    }
}
