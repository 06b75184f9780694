//! The binary as it is measured: processes, what they cost, and topics.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

/// No step of a bench may hang for longer than this.
pub const DEADLINE: Duration = Duration::from_secs(600);
/// How often it is asked whether what is waited for can still come: seldom, for the answer is part of what is measured.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Clock ticks a second in `/proc/PID/stat`: `USER_HZ`, 100 on every Linux that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// Connectors between a server and a broker.
pub struct Runner {
    /// What they read: those of one server know nothing of another's positions.
    server: &'static str,
    pub kafka: String,
    pub registry: String,
    binary: PathBuf,
    pub folder: tempfile::TempDir,
}

/// A variable of `make bench`.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(format!("HEADWATER_BENCH_{name}")).ok()
}

/// A number of the caller's.
pub fn number(name: &str, otherwise: u64) -> u64 {
    variable(name).map_or(otherwise, |text| text.parse().expect(name))
}

impl Runner {
    /// `None` without the servers of `make bench`.
    pub fn new(server: &'static str) -> Option<Runner> {
        let (kafka, registry, binary) = (variable("KAFKA")?, variable("REGISTRY")?, variable("BINARY")?);
        Some(Runner { server, kafka, registry, binary: binary.into(), folder: tempfile::tempdir().unwrap() })
    }

    /// Writes a connector's files; `settings` is the inside of a JSON object.
    pub fn write_connector(&self, name: &str, avro: bool, settings: &str) {
        let converter = if avro {
            format!(
                "\"key.converter\":\"io.confluent.connect.avro.AvroConverter\",\"key.converter.schema.registry.url\":\"{0}\",
                 \"value.converter\":\"io.confluent.connect.avro.AvroConverter\",\"value.converter.schema.registry.url\":\"{0}\",",
                self.registry
            )
        } else {
            "\"key.converter\":\"org.apache.kafka.connect.json.JsonConverter\",\"key.converter.schemas.enable\":\"false\",
             \"value.converter\":\"org.apache.kafka.connect.json.JsonConverter\",\"value.converter.schemas.enable\":\"false\","
                .to_owned()
        };
        let text = format!(
            "{{\"name\":\"{name}\",\"config\":{{\"tasks.max\":\"1\",\"topic.prefix\":\"{name}\",\"snapshot.mode\":\"no_data\",{converter}{settings}}}}}"
        );
        std::fs::write(self.file(name, "json"), text).unwrap();
        let group = format!("bench-{}-{name}", self.server);
        let worker = format!(
            "bootstrap.servers={}\ngroup.id={group}\noffset.storage.topic={group}-offsets\noffset.storage.replication.factor=1\n\
             config.storage.topic={group}-configs\nconfig.storage.replication.factor=1\nstatus.storage.topic={group}-status\n\
             status.storage.replication.factor=1\nlisteners=http://127.0.0.1:{}\n",
            self.kafka,
            free_port()
        );
        std::fs::write(self.file(name, "properties"), worker).unwrap();
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.{extension}"))
    }

    pub fn spawn(&self, name: &str) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.file(name, "log")).unwrap();
        Command::new(&self.binary)
            .arg("run")
            .arg(self.file(name, "json"))
            .arg("--worker")
            .arg(self.file(name, "properties"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// What the connector says of itself; empty where nobody answers.
    fn status(&self, name: &str) -> String {
        let properties = std::fs::read_to_string(self.file(name, "properties")).unwrap();
        let listener = properties.lines().find_map(|line| line.strip_prefix("listeners=")).unwrap();
        let answer = ureq::get(format!("{listener}/connectors/{name}/status")).call();
        answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok()).unwrap_or_default()
    }

    /// Panics where nothing more will come: the process has ended, or the connector has failed.
    pub fn assert_alive(&self, name: &str, child: &mut Child) {
        assert!(child.try_wait().unwrap().is_none(), "headwater has ended");
        let status = self.status(name);
        assert!(!status.contains("\"FAILED\""), "{status}");
    }

    /// Starts the connector and waits until its status says that it runs.
    pub fn start(&self, name: &str) -> Child {
        let mut child = self.spawn(name);
        let begun = Instant::now();
        loop {
            let answer = self.status(name);
            if answer.matches("\"RUNNING\"").count() >= 2 {
                return child;
            }
            let ended = child.try_wait().unwrap();
            if ended.is_some() || begun.elapsed() > Duration::from_secs(60) {
                let log = std::fs::read_to_string(self.file(name, "log")).unwrap_or_default();
                panic!("{name} does not run ({ended:?}): {answer}\n{log}");
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    pub fn stop(&self, mut child: Child, name: &str) {
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{name} does not stop");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn wait_for_records(&self, name: &str, topic: &str, wanted: u64, child: &mut Child) {
        let (consumer, begun) = (self.consumer(), Instant::now());
        let mut looked = begun;
        loop {
            let arrived =
                consumer.fetch_watermarks(topic, 0, Duration::from_secs(5)).map_or(0, |(low, high)| high - low);
            if arrived >= wanted as i64 {
                assert_eq!(arrived, wanted as i64, "{topic} holds more records than rows were written");
                return;
            }
            assert!(begun.elapsed() < DEADLINE, "{topic} holds {arrived} of {wanted} records");
            if looked.elapsed() > LOOK_INTERVAL {
                looked = Instant::now();
                self.assert_alive(name, child);
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Starts a connector on its backlog, and reports what it cost until everything is on its topic; gives rows per second.
    pub fn catch_up(&self, name: &str, topic: &str, rows: u64) -> f64 {
        let begun = Instant::now();
        let mut child = self.spawn(name);
        self.wait_for_records(name, topic, rows, &mut child);
        let (seconds, cpu, peak) = (begun.elapsed().as_secs_f64(), cpu_seconds(child.id()), peak_megabytes(child.id()));
        self.stop(child, name);
        report(&format!("headwater {name}"), rows, seconds, cpu, Some(peak));
        rows as f64 / seconds
    }

    pub fn consumer(&self) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", &self.kafka)
            .set("group.id", "bench")
            .set("fetch.wait.max.ms", "100")
            .set("allow.auto.create.topics", "true")
            .create()
            .unwrap()
    }
}

/// One line of the table.
pub fn report(what: &str, rows: u64, seconds: f64, cpu: f64, peak: Option<u64>) {
    let (rate, cost) = (rows as f64 / seconds, cpu * 1e6 / rows as f64);
    let peak = peak.map_or_else(|| "-".into(), |megabytes| megabytes.to_string());
    println!("{what:<22} {seconds:>8.2} {rate:>12.0} {cost:>16.2} {peak:>10}");
}

/// User and system time of a running process, from the two fields after the thirteenth of `/proc/PID/stat` (proc(5)).
pub fn cpu_seconds(process: u32) -> f64 {
    stat_ticks(&PathBuf::from(format!("/proc/{process}/stat")), 11) / TICKS_PER_SECOND
}

/// The same of all children of this process that were waited for.
pub fn children_cpu_seconds() -> f64 {
    stat_ticks(Path::new("/proc/self/stat"), 13) / TICKS_PER_SECOND
}

/// Sum of two neighbouring fields, counted from the state, which follows the name in brackets.
fn stat_ticks(file: &Path, field: usize) -> f64 {
    let text = std::fs::read_to_string(file).unwrap();
    let fields: Vec<&str> = text[text.rfind(')').unwrap() + 2..].split(' ').collect();
    fields[field].parse::<f64>().unwrap() + fields[field + 1].parse::<f64>().unwrap()
}

/// The most memory that a process has ever had resident (`VmHWM`).
pub fn peak_megabytes(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1000
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
