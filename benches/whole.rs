//! How fast the whole is: the release binary, between a real server and a real broker.
//!
//! In: the servers of `make bench` (`HEADWATER_BENCH_*`; without them this says so and ends). Out: a table on standard output.
//! 1. Catch-up: connectors are started so that they store where they begin, and stopped; a backlog of a million rows of twelve
//!    columns is written; each connector catches up alone, on a machine that has come to rest, as JSON without schemas and as Avro.
//!    Rows per second, CPU seconds of the process per million rows, and its peak memory. The clock runs from the start of the
//!    process to the last record on the topic.
//!    Where `make bench` has started it, Debezium too: 3.6 for MySQL on Kafka Connect with a heap of 2 GiB, set up by hand for what
//!    is measured. Its worker runs already when its clock begins. All of it in rounds: in the first the Java machines of the
//!    broker and of Debezium are cold, and what they do slowly costs others, too.
//! 2. Beside it, in each round, `mysqlbinlog --read-from-remote-server --raw` on the same backlog: what it costs only to fetch the bytes.
//! 3. Latency at a steady rate with our default settings, from the commit that the server wrote into the binlog (`source.ts_us`)
//!    to a consumer, both on this machine's clock.
//!
//! `HEADWATER_BENCH_ROWS` (1000000), `HEADWATER_BENCH_TRANSACTION` rows a transaction (1000), `HEADWATER_BENCH_ROUNDS` (2),
//! `HEADWATER_BENCH_RATE` rows a second (2000; 0 leaves the latency out), `HEADWATER_BENCH_SECONDS` (30).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm
)]

#[path = "measure/mod.rs"]
mod measure;

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use measure::{
    Connector, DEADLINE, Runner, Running, TURN_DEADLINE, children_cpu_seconds, number, report, variable, wait_for_quiet,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};

/// Seconds of the steady rate that are written before the delays count: a broker that has just started compiles itself.
const WARM_UP_SECONDS: u64 = 30;

const TABLE: &str = "CREATE DATABASE IF NOT EXISTS bench;
CREATE TABLE bench.orders (
  id BIGINT NOT NULL PRIMARY KEY, customer INT NOT NULL, product VARCHAR(40) NOT NULL, quantity SMALLINT NOT NULL,
  price DECIMAL(10,2) NOT NULL, discount DOUBLE NULL, paid TINYINT(1) NOT NULL, state ENUM('new','paid','sent') NOT NULL,
  note VARCHAR(120) NULL, ordered DATE NOT NULL, created DATETIME(6) NOT NULL, changed TIMESTAMP(3) NOT NULL);
CREATE TABLE bench.started (id INT NOT NULL PRIMARY KEY AUTO_INCREMENT);
CREATE TABLE bench.steady (id BIGINT NOT NULL PRIMARY KEY, text VARCHAR(80) NOT NULL);";

/// Debezium as an expert sets it up for a backlog.
const FOR_LOAD: &str = ",\"max.queue.size\":\"32768\",\"max.batch.size\":\"8192\",\"poll.interval.ms\":\"10\",\"producer.override.linger.ms\":\"10\",\"producer.override.batch.size\":\"524288\"";

/// And for few rows at a time.
const FOR_LATENCY: &str = ",\"poll.interval.ms\":\"1\",\"producer.override.linger.ms\":\"0\"";

struct Bench {
    server: String,
    port: String,
    programs: PathBuf,
    runner: Runner,
    /// Made so far: each reads under a server id of its own.
    connectors: Cell<u32>,
}

fn main() {
    let (Some(mysql), Some(programs), Some(runner)) = (variable("MYSQL"), variable("PROGRAMS"), Runner::new("mysql"))
    else {
        println!("whole: not run, it needs the servers that `make bench` starts");
        return;
    };
    let (server, port) = mysql.split_once(':').expect("HEADWATER_BENCH_MYSQL is host:port");
    let (programs, connectors) = (programs.into(), Cell::new(0));
    let bench = Bench { server: server.into(), port: port.into(), programs, runner, connectors };
    let rows = number("ROWS", 1_000_000);
    bench.catch_up(rows, number("TRANSACTION", 1_000));
    let rate = number("RATE", 2_000);
    if rate > 0 {
        for debezium in contenders(FOR_LATENCY) {
            bench.latency(debezium, rate, number("SECONDS", 30));
        }
    }
}

/// Who is measured: we, and Debezium with these settings where it was asked for.
fn contenders(tuning: &'static str) -> Vec<Option<&'static str>> {
    if variable("CONNECT").is_some() { vec![None, Some(tuning)] } else { vec![None] }
}

impl Bench {
    fn catch_up(&self, rows: u64, transaction: u64) {
        self.sql(TABLE);
        let round = |round: u64| {
            let kinds = contenders(FOR_LOAD).into_iter().flat_map(|whose| [(whose, false), (whose, true)]);
            let connectors = kinds.map(|(debezium, avro)| {
                let name = format!("{}_{round}", if avro { "avro" } else { "json" });
                self.connector(&name, avro, "orders", debezium)
            });
            connectors.collect::<Vec<_>>()
        };
        let rounds: Vec<_> = (1..=number("ROUNDS", 2).max(1)).map(round).collect();
        for connector in rounds.iter().flatten() {
            self.start(connector).stop();
        }
        let first = self.binlog_file();
        let begun = Instant::now();
        self.backlog(rows, transaction);
        println!(
            "backlog: {rows} rows in transactions of {transaction}, written in {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        println!("{:<22} {:>8} {:>12} {:>16} {:>10}", "", "seconds", "rows/s", "CPU s/1M rows", "peak MB");
        for connectors in &rounds {
            for connector in connectors {
                self.runner.catch_up(connector, &format!("{}.bench.orders", connector.name), rows);
            }
            self.raw_copy(&first, rows);
        }
    }

    /// What it costs MySQL's own client to fetch the same bytes and write them to files.
    fn raw_copy(&self, first: &str, rows: u64) {
        wait_for_quiet();
        let (begun, before) = (Instant::now(), children_cpu_seconds());
        let status = Command::new(self.programs.join("mysqlbinlog"))
            .args(["--no-defaults", "--read-from-remote-server", "--raw", "--to-last-log", "-uroot", "-prootpw"])
            .args(["-h", &self.server, "-P", &self.port, "--get-server-public-key"])
            .arg(format!("--result-file={}/", self.runner.folder.path().display()))
            .arg(first)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "mysqlbinlog: {status}");
        report("mysqlbinlog --raw", rows, begun.elapsed().as_secs_f64(), children_cpu_seconds() - before, None);
    }

    fn latency(&self, debezium: Option<&str>, rate: u64, seconds: u64) {
        self.sql("TRUNCATE bench.steady");
        let connector = self.connector("steady", false, "steady", debezium);
        let mut running = self.start(&connector);
        let writer = self.steady_writer(rate, WARM_UP_SECONDS + seconds);
        let consumer = self.runner.consumer();
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(&format!("{}.bench.steady", connector.name), 0, Offset::Beginning).unwrap();
        consumer.assign(&assignment).unwrap();
        // In the first seconds the topic is created and the broker's machine code is: both take the cores from us.
        consume_delays(&consumer, rate * WARM_UP_SECONDS, &mut running);
        let (begun, before) = (Instant::now(), running.cpu_seconds());
        let mut micros = consume_delays(&consumer, rate * seconds, &mut running);
        let cores = (running.cpu_seconds() - before) / begun.elapsed().as_secs_f64();
        running.stop();
        writer.join().unwrap();
        micros.sort_unstable();
        let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
        println!(
            "{} at {rate} rows/s for {seconds} s after {WARM_UP_SECONDS} s of warming up, commit to consumer: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, {cores:.2} core",
            connector.label(),
            at(0.5),
            at(0.99),
            at(0.999)
        );
    }

    /// Writes one row a transaction, paced by the clock and not by the server's answers: a slow moment is caught up, not hidden.
    fn steady_writer(&self, rate: u64, seconds: u64) -> std::thread::JoinHandle<()> {
        let mut client = self.client().stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::spawn(move || {
            let mut input = client.stdin.take().unwrap();
            let begun = Instant::now();
            let mut written = 0;
            while written < rate * seconds {
                let due = ((begun.elapsed().as_secs_f64() * rate as f64) as u64 + 1).min(rate * seconds);
                let mut text = String::new();
                for id in written..due {
                    writeln!(text, "INSERT INTO bench.steady VALUES ({id}, 'a steady row with some text in it');")
                        .unwrap();
                }
                input.write_all(text.as_bytes()).unwrap();
                input.flush().unwrap();
                written = due;
                std::thread::park_timeout(Duration::from_micros(500));
            }
            drop(input);
            assert!(client.wait().unwrap().success());
        })
    }

    /// Rows that are alike in shape and different in every column; `sync_binlog` off, because the disk is not what is measured.
    fn backlog(&self, rows: u64, transaction: u64) {
        let mut text = String::from(
            "SET GLOBAL sync_binlog = 0; SET GLOBAL innodb_flush_log_at_trx_commit = 2; SET SESSION cte_max_recursion_depth = 4294967295;\n",
        );
        let mut next = 0;
        while next < rows {
            let end = (next + transaction).min(rows);
            writeln!(
                text,
                "INSERT INTO bench.orders WITH RECURSIVE n (i) AS (SELECT {next} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})
                 SELECT i, i % 50000, CONCAT('product number ', i % 997), 1 + i % 9, (i % 100000) / 100, IF(i % 5 = 0, NULL, (i % 30) / 100),
                 i % 2, 1 + i % 3, IF(i % 4 = 0, NULL, CONCAT('please leave it with the neighbours if nobody answers, order ', i)), DATE '2026-01-01' + INTERVAL i % 300 DAY,
                 TIMESTAMP '2026-01-01 00:00:00.000001' + INTERVAL i MICROSECOND, TIMESTAMP '2026-06-01 00:00:00' + INTERVAL i % 86400 SECOND FROM n;"
            )
            .unwrap();
            next = end;
        }
        self.sql(&text);
    }

    /// A connector of this name, Avro or JSON, that captures this table.
    fn connector(&self, name: &str, avro: bool, table: &str, debezium: Option<&str>) -> Connector {
        self.connectors.set(self.connectors.get() + 1);
        let settings = format!(
            "\"connector.class\":\"io.debezium.connector.mysql.MySqlConnector\",\"database.hostname\":\"{}\",\"database.port\":\"{}\",
             \"database.user\":\"cdc\",\"database.password\":\"cdcpw\",\"database.server.id\":\"{}\",\"table.include.list\":\"bench.{table},bench.started\",
             \"schema.history.internal.kafka.bootstrap.servers\":\"{}\",\"schema.history.internal.kafka.topic\":\"NAME.history\"",
            self.server,
            self.port,
            50_000 + self.connectors.get(),
            self.runner.kafka
        );
        self.runner.connector(name, avro, &settings, debezium)
    }

    /// Starts a connector and waits until a row of its own is on its topic: "RUNNING" is said before it reads, and a Debezium
    /// that is stopped before its first record begins anew, behind the backlog.
    fn start<'c>(&self, connector: &'c Connector) -> Running<'c> {
        let (running, begun) = (self.runner.start(connector), Instant::now());
        let (consumer, topic) = (self.runner.consumer(), format!("{}.bench.started", connector.name));
        while measure::records(&consumer, &topic) == 0 {
            assert!(begun.elapsed() < TURN_DEADLINE, "{} does not read", connector.name);
            self.sql("INSERT INTO bench.started () VALUES ()");
            std::thread::park_timeout(Duration::from_millis(100));
        }
        running
    }

    fn client(&self) -> Command {
        let mut command = Command::new(self.programs.join("mysql"));
        command.args([
            "--no-defaults",
            "-uroot",
            "-prootpw",
            "--get-server-public-key",
            "-N",
            "-h",
            &self.server,
            "-P",
            &self.port,
        ]);
        command.stderr(Stdio::null());
        command
    }

    fn sql(&self, text: &str) -> String {
        let mut client = self.client().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        client.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success(), "mysql: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    fn binlog_file(&self) -> String {
        self.sql("SHOW BINARY LOG STATUS").split('\t').next().unwrap().to_owned()
    }
}

/// Microseconds between `source.ts_us` of each record and its arrival here, in order of arrival.
fn consume_delays(consumer: &BaseConsumer, wanted: u64, running: &mut Running<'_>) -> Vec<u64> {
    let (begun, mut delays) = (Instant::now(), Vec::new());
    while (delays.len() as u64) < wanted {
        assert!(begun.elapsed() < DEADLINE, "only {} of {wanted} records arrived", delays.len());
        running.assert_alive();
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else { continue };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
        let value = std::str::from_utf8(message.payload().unwrap()).unwrap();
        let source = &value[value.find("\"source\"").unwrap()..];
        let digits = &source[source.find("\"ts_us\":").unwrap() + 8..];
        let commit: u64 = digits[..digits.find([',', '}']).unwrap()].parse().unwrap();
        delays.push(now.saturating_sub(commit));
    }
    delays
}
