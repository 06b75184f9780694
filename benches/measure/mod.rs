//! The binary as it is measured: processes, what they cost, and topics.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::Value;

#[path = "../../tests/support/connect_rest.rs"]
mod connect_rest;

/// No step of a bench may hang for longer than this.
pub const DEADLINE: Duration = Duration::from_secs(600);
/// How often it is asked whether what is waited for can still come: seldom, for the answer is part of what is measured.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// How long a connector may take to start or to stop.
pub const TURN_DEADLINE: Duration = Duration::from_secs(60);
/// Servers that only wait take less than this.
const QUIET_CORES: f64 = 0.2;
/// How long it is waited for that.
const QUIET_DEADLINE: Duration = Duration::from_secs(60);
/// Clock ticks a second in `/proc/PID/stat`: `USER_HZ`, 100 on every Linux that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// A connector that is written down.
pub struct Connector {
    /// Its name, and its `topic.prefix`.
    pub name: String,
    /// Where its status is asked for.
    listener: String,
    config: Value,
    /// Connect's process, for Debezium; Headwater has one for each start.
    connect: Option<u32>,
}

/// One that runs.
pub struct Running<'c> {
    connector: &'c Connector,
    /// The process whose time and memory count.
    process: u32,
    child: Option<Child>,
    looked: Instant,
}

/// Connectors between a server and a broker.
pub struct Runner {
    /// What they read: those of one server know nothing of another's positions.
    server: &'static str,
    pub kafka: String,
    pub registry: String,
    binary: PathBuf,
    /// Where Connect listens, and its process.
    connect: Option<(String, u32)>,
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
        let connect = variable("CONNECT").map(|url| (url, number("CONNECT_PROCESS", 0) as u32));
        Some(Runner { server, kafka, registry, binary: binary.into(), connect, folder: tempfile::tempdir().unwrap() })
    }

    /// A connector of `name`, and its files. `settings` is the inside of a JSON object, in which NAME stands for its whole name.
    /// `debezium`: one on Connect, whose name says so, with these settings more, which begin with a comma.
    pub fn connector(&self, name: &str, avro: bool, settings: &str, debezium: Option<&str>) -> Connector {
        let converter = if avro {
            format!(
                "\"key.converter\":\"io.confluent.connect.avro.AvroConverter\",\"key.converter.schema.registry.url\":\"{0}\",
                 \"value.converter\":\"io.confluent.connect.avro.AvroConverter\",\"value.converter.schema.registry.url\":\"{0}\"",
                self.registry
            )
        } else {
            "\"key.converter\":\"org.apache.kafka.connect.json.JsonConverter\",\"key.converter.schemas.enable\":\"false\",
             \"value.converter\":\"org.apache.kafka.connect.json.JsonConverter\",\"value.converter.schemas.enable\":\"false\""
                .to_owned()
        };
        let (name, listener, connect) = match debezium {
            None => (name.to_owned(), format!("http://127.0.0.1:{}", free_port()), None),
            Some(_) => {
                let (url, process) = self.connect.as_ref().expect("HEADWATER_BENCH_CONNECT");
                (format!("debezium_{name}"), url.clone(), Some(*process))
            }
        };
        let tuning = debezium.unwrap_or_default();
        let settings = settings.replace("NAME", &name);
        let config = format!(
            "{{\"name\":\"{name}\",\"tasks.max\":\"1\",\"topic.prefix\":\"{name}\",\"snapshot.mode\":\"no_data\",{converter},{settings}{tuning}}}"
        );
        let config = serde_json::from_str(&config).unwrap();
        let connector = Connector { name, listener, config, connect };
        if connect.is_none() {
            self.write(&connector);
        }
        connector
    }

    fn write(&self, connector: &Connector) {
        let Connector { name, listener, config, .. } = connector;
        let text = format!("{{\"name\":\"{name}\",\"config\":{config}}}");
        std::fs::write(self.file(name, "json"), text).unwrap();
        let group = format!("bench-{}-{name}", self.server);
        let worker = format!(
            "bootstrap.servers={}\ngroup.id={group}\noffset.storage.topic={group}-offsets\noffset.storage.replication.factor=1\n\
             config.storage.topic={group}-configs\nconfig.storage.replication.factor=1\nstatus.storage.topic={group}-status\n\
             status.storage.replication.factor=1\nlisteners={listener}\n",
            self.kafka
        );
        std::fs::write(self.file(name, "properties"), worker).unwrap();
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.{extension}"))
    }

    /// Starts a connector, which Connect has been told of, and does not wait for it. The peak of memory is counted from here.
    fn spawn<'c>(&self, connector: &'c Connector) -> Running<'c> {
        let looked = Instant::now();
        if let Some(process) = connector.connect {
            std::fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
            connector.put("resume", None);
            return Running { connector, process, child: None, looked };
        }
        let name = &connector.name;
        let log = std::fs::File::options().create(true).append(true).open(self.file(name, "log")).unwrap();
        let child = Command::new(&self.binary)
            .arg("run")
            .arg(self.file(name, "json"))
            .arg("--worker")
            .arg(self.file(name, "properties"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Running { connector, process: child.id(), child: Some(child), looked }
    }

    /// Starts the connector and waits until its status says that it runs.
    pub fn start<'c>(&self, connector: &'c Connector) -> Running<'c> {
        if connector.connect.is_some() {
            connector.put("config", Some(&connector.config));
        }
        let mut running = self.spawn(connector);
        let begun = Instant::now();
        loop {
            let (state, trace) = connector.state();
            if state == "RUNNING" {
                return running;
            }
            let ended = running.child.as_mut().and_then(|child| child.try_wait().unwrap());
            if ended.is_some() || begun.elapsed() > TURN_DEADLINE {
                let log = std::fs::read_to_string(self.file(&connector.name, "log")).unwrap_or_default();
                panic!("{} does not run ({ended:?}): {state} {trace}\n{log}", connector.name);
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    fn wait_for_records(&self, running: &mut Running<'_>, topic: &str, wanted: u64) {
        let (consumer, begun) = (self.consumer(), Instant::now());
        loop {
            let arrived = records(&consumer, topic);
            if arrived >= wanted {
                assert_eq!(arrived, wanted, "{topic} holds more records than rows were written");
                return;
            }
            assert!(begun.elapsed() < DEADLINE, "{topic} holds {arrived} of {wanted} records");
            running.assert_alive();
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Starts a connector on its backlog, and reports what it cost until everything is on its topic; gives rows per second.
    pub fn catch_up(&self, connector: &Connector, topic: &str, rows: u64) -> f64 {
        wait_for_quiet();
        let begun = Instant::now();
        let idle = connector.connect.map_or(0.0, cpu_seconds);
        let mut running = self.spawn(connector);
        self.wait_for_records(&mut running, topic, rows);
        let (seconds, cpu, peak) =
            (begun.elapsed().as_secs_f64(), running.cpu_seconds() - idle, running.peak_megabytes());
        running.stop();
        report(&connector.label(), rows, seconds, cpu, Some(peak));
        rows as f64 / seconds
    }

    pub fn consumer(&self) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", &self.kafka)
            .set("group.id", "bench-consumer")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "100")
            .set("allow.auto.create.topics", "true")
            .create()
            .unwrap()
    }
}

impl Connector {
    /// Its name, and whose it is.
    pub fn label(&self) -> String {
        if self.connect.is_some() { self.name.clone() } else { format!("headwater {}", self.name) }
    }

    fn put(&self, what: &str, body: Option<&Value>) {
        connect_rest::put(&self.listener, &self.name, what, body)
            .unwrap_or_else(|said| panic!("{} {what}: {said}", self.name));
    }

    /// What it says of itself.
    fn state(&self) -> (String, String) {
        connect_rest::state(&self.listener, &self.name)
    }
}

impl Running<'_> {
    /// Panics where nothing more will come: the process has ended, or the connector has failed. Asks seldom, however often
    /// it is called.
    pub fn assert_alive(&mut self) {
        if self.looked.elapsed() < LOOK_INTERVAL {
            return;
        }
        self.looked = Instant::now();
        let ended = self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some());
        assert!(!ended && Path::new(&format!("/proc/{}", self.process)).exists(), "its process has ended");
        let (state, trace) = self.connector.state();
        assert!(state != "FAILED", "{trace}");
    }

    /// User and system time of its process.
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.process)
    }

    fn peak_megabytes(&self) -> u64 {
        peak_megabytes(self.process)
    }

    /// Stops it in order, so that where it is is stored.
    pub fn stop(mut self) {
        if self.child.is_some() {
            Command::new("kill").args(["-TERM", &self.process.to_string()]).status().unwrap();
        } else {
            self.connector.put("stop", None);
        }
        let begun = Instant::now();
        while !self.has_stopped() {
            assert!(begun.elapsed() < TURN_DEADLINE, "{} does not stop", self.connector.name);
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn has_stopped(&mut self) -> bool {
        match &mut self.child {
            Some(child) => child.try_wait().unwrap().is_some(),
            None => {
                let (state, _) = self.connector.state();
                state == "STOPPED"
            }
        }
    }
}

impl Drop for Running<'_> {
    /// Nothing stays behind a bench that panics.
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// How many records a topic of one partition holds.
pub fn records(consumer: &BaseConsumer, topic: &str) -> u64 {
    consumer.fetch_watermarks(topic, 0, Duration::from_secs(5)).map_or(0, |(low, high)| (high - low) as u64)
}

/// One line of the table.
pub fn report(what: &str, rows: u64, seconds: f64, cpu: f64, peak: Option<u64>) {
    let (rate, cost) = (rows as f64 / seconds, cpu * 1e6 / rows as f64);
    let peak = peak.map_or_else(|| "-".into(), |megabytes| megabytes.to_string());
    println!("{what:<22} {seconds:>8.2} {rate:>12.0} {cost:>16.2} {peak:>10}");
}

/// User and system time of a running process, from the two fields after the thirteenth of `/proc/PID/stat` (proc(5)).
fn cpu_seconds(process: u32) -> f64 {
    stat_ticks(&PathBuf::from(format!("/proc/{process}/stat")), 11) / TICKS_PER_SECOND
}

/// Waits until the machine has nothing else to do: a server that has just written a backlog goes on writing its pages, and what
/// is measured meanwhile takes longer. Not for ever: what is never quiet is measured all the same, and said so.
pub fn wait_for_quiet() {
    let begun = Instant::now();
    // What the turn before has left to the kernel to write, it would write during this one.
    assert!(Command::new("sync").status().unwrap().success());
    while busy_cores(Duration::from_secs(2)) > QUIET_CORES {
        if begun.elapsed() > QUIET_DEADLINE {
            println!("the machine is not quiet: what follows is too high");
            return;
        }
    }
}

/// How many cores were busy meanwhile, or waiting for a disk.
fn busy_cores(time: Duration) -> f64 {
    // Of all cores since the machine started: user, nice, system, idle, waiting for a disk, interrupts, stolen.
    let busy = || {
        let text = std::fs::read_to_string("/proc/stat").unwrap();
        let ticks: Vec<f64> =
            text.lines().next().unwrap().split_whitespace().skip(1).take(8).map(|text| text.parse().unwrap()).collect();
        ticks.iter().sum::<f64>() - ticks[3]
    };
    let (before, begun) = (busy(), Instant::now());
    std::thread::park_timeout(time);
    (busy() - before) / TICKS_PER_SECOND / begun.elapsed().as_secs_f64()
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
fn peak_megabytes(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1000
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
