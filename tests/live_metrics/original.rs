//! The numbers of Debezium on Kafka Connect, as the Prometheus JMX exporter sees them, and ours.
//!
//! What rules of an exporter are tried on is a line for each attribute, `domain<properties><path>attribute: value`. `lines.txt` holds
//! those of real connectors for MySQL and PostgreSQL after a little traffic, `series-….txt` the series that both generations of
//! the exporter made of them with the rules in `example.yaml`. A connector of Headwater's with the same traffic must have the
//! same lines, and Headwater's own exporter must make the same series of Debezium's. With Java (`HEADWATER_TEST_CONNECT`), the
//! real ones are asked anew; `HEADWATER_METRICS_RECORD=1` keeps what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use headwater::observe::exporter::Exporter;
use headwater::observe::mbean::{MBean, Reading};
use headwater::observe::series;

use super::support::connect::Worker;
use super::support::postgres::Database;
use super::support::program::{Connector, Running};
use super::support::server::Server;
use super::support::{self, eventually, free_port, unique};

/// How long anything may take on a slow machine.
const LONG: Duration = Duration::from_secs(180);

/// The generations of the exporter: the last of the first one, and one of the second.
const EXPORTERS: &[&str] = &["0.20.0", "1.0.1"];

/// Attributes that are not there, by the beginnings of bean and attribute. The page says so.
const NOT_THERE: &[(&str, &str)] = &[
    ("debezium.", "LastEvent"),
    ("debezium.", "LastRecoveredChange"),
    ("debezium.", "LastAppliedChange"),
    ("debezium.mysql", "LastTransactionId"),
    ("kafka.connect<type=connect-metrics", ""),
    ("kafka.producer<type=producer-metrics", ""),
];

/// Attributes that only Headwater has. The page says so too.
const OURS: &[(&str, &str)] = &[
    ("debezium.", "NumberOfEventsSkipped"),
    ("debezium.", "NumberOfFailedRecords"),
    ("debezium.mysql", "SecondsBehindMaster"),
    ("debezium.mysql", "SecondsSinceLastEvent"),
    ("kafka.connect<type=source-task-metrics", "transaction-size-"),
];

/// Attributes of Debezium's with other values: times and places that no two runs share, and what the page explains.
const OTHER_VALUES: &[(&str, &str)] = &[
    ("debezium.", "MilliSeconds"),
    ("debezium.", "Binlog"),
    ("debezium.", "GtidSet"),
    ("debezium.", "SourceEventPosition"),
    ("debezium.", "LastTransactionId"),
    ("debezium.", "SnapshotDurationInSeconds"),
    ("debezium.", "MaxQueueSizeInBytes"),
    ("debezium.", "CurrentQueueSizeInBytes"),
    ("debezium.", "QueueRemainingCapacity"),
    // Events of the log: heartbeats come at other times, and a schema that is read brings others.
    ("debezium.mysql<type=connector-metrics, context=streaming", "TotalNumberOfEventsSeen"),
    // 0 there without binlog.buffer.size.
    ("debezium.mysql", "NumberOfCommittedTransactions"),
    // Statements that stand for the tables when the stream begins: here those of captured tables only.
    ("debezium.mysql", "ChangesApplied"),
];

/// Attributes of Connect's with the same values; what the others measure depends on the moment.
const SAME_VALUES: &[&str] = &[
    "status",
    "connector-class",
    "connector-type",
    "task-class",
    "key-converter-class",
    "value-converter-class",
    "header-converter-class",
    "connector-total-task-count",
    "connector-running-task-count",
    "connector-paused-task-count",
    "connector-failed-task-count",
    "connector-unassigned-task-count",
    "connector-restarting-task-count",
    "connector-destroyed-task-count",
    "total-record-failures",
    "total-record-errors",
    "total-records-skipped",
    "total-retries",
    "total-errors-logged",
    "deadletterqueue-produce-requests",
    "deadletterqueue-produce-failures",
    "last-error-timestamp",
    "rebalancing",
];

/// Attributes that are texts although a number stands in them: no series without a rule that gives it a value.
const TEXTS: &[&str] = &["SourceEventPosition", "LastTransactionId"];

/// Kafka's clients and its JVM have many more beans. These are compared.
const COMPARED: &[&str] = &[
    "debezium.",
    "kafka.connect<type=connect-metrics,",
    "kafka.connect<type=connect-worker-metrics",
    "kafka.connect<type=connect-worker-rebalance-metrics>",
    "kafka.connect<type=connector-metrics,",
    "kafka.connect<type=connector-task-metrics,",
    "kafka.connect<type=source-task-metrics,",
    "kafka.connect<type=task-error-metrics,",
    "kafka.producer<type=producer-metrics, client-id=connector-producer-",
];

/// By bean (`domain<properties>`) and attribute, the value.
type Lines = BTreeMap<(String, String), String>;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/metrics").join(name)
}

fn read_golden(name: &str) -> String {
    std::fs::read_to_string(golden(name)).unwrap()
}

fn is_among(table: &[(&str, &str)], bean: &str, attribute: &str) -> bool {
    table.iter().any(|(beans, attributes)| bean.starts_with(beans) && attribute.starts_with(attributes))
}

/// The lines in an answer to rules that give each a series, with words for what is called otherwise in each run.
fn lines(text: &str, names: &[(&str, &str)]) -> Lines {
    let series = text.lines().filter_map(|line| line.strip_prefix("line{line=\""));
    let unescaped = series.filter_map(|line| {
        let line = line.split_once("\"} ").or_else(|| line.split_once("\",} "))?.0;
        Some(line.replace("\\\"", "\"").replace("\\\\", "\\"))
    });
    let renamed = unescaped.map(|line| names.iter().fold(line, |line, (name, word)| line.replace(name, word)));
    parse(renamed)
}

fn parse(lines: impl Iterator<Item = impl AsRef<str>>) -> Lines {
    let parts = |line: &str| {
        let (bean, attribute) = line.split_once("><>")?;
        let (attribute, value) = attribute.split_once(':')?;
        Some(((format!("{bean}>"), attribute.to_owned()), value.trim_start().to_owned()))
    };
    let all = lines.filter_map(|line| parts(line.as_ref()));
    all.filter(|((bean, _), _)| COMPARED.iter().any(|beans| bean.starts_with(beans))).collect()
}

/// How a value is written, which rules may look at.
fn form(value: &str) -> &'static str {
    match value {
        "true" | "false" => "flag",
        "NaN" => "decimal",
        _ if value.parse::<i64>().is_ok() => "whole",
        _ if value.parse::<f64>().is_ok() => "decimal",
        _ => "text",
    }
}

/// How ours differ from the original's: those of one connector and of the worker.
fn differences(original: &Lines, ours: &Lines) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((bean, attribute), value) in original {
        let Some(own) = ours.get(&(bean.clone(), attribute.clone())) else {
            if !is_among(NOT_THERE, bean, attribute) {
                wrong.push(format!("not there: {bean} {attribute}: {value}"));
            }
            continue;
        };
        if form(value) != form(own) {
            wrong.push(format!("written otherwise: {bean} {attribute}: {value}, and here {own}"));
        }
        let same = match bean.starts_with("debezium.") {
            true => !is_among(OTHER_VALUES, bean, attribute),
            false => SAME_VALUES.contains(&attribute.as_str()),
        };
        if same && value != own {
            wrong.push(format!("another value: {bean} {attribute}: {value}, and here {own}"));
        }
    }
    let invented = ours.keys().filter(|key| !original.contains_key(*key) && !is_among(OURS, &key.0, &key.1));
    wrong.extend(invented.map(|(bean, attribute)| format!("only here: {bean} {attribute}")));
    wrong
}

/// What of the original concerns one connector.
fn of_connector(lines: &Lines, word: &str) -> Lines {
    let others: Vec<&str> = ["MYSQL", "POSTGRES"].into_iter().filter(|other| *other != word).collect();
    let keep = |bean: &str| !others.iter().any(|other| bean.contains(other));
    lines.iter().filter(|((bean, _), _)| keep(bean)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

const TABLES: &[&str] =
    &["CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(50))", "CREATE TABLE untouched (id INT PRIMARY KEY)"];

const TRAFFIC: &[&str] = &[
    "INSERT INTO orders VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO orders VALUES (3, 'c')",
    "UPDATE orders SET note = 'd' WHERE id = 1",
    "DELETE FROM orders WHERE id = 3",
];

/// The databases, of which connectors of both read.
struct Databases {
    broker: String,
    mysql: Server,
    postgres: Database,
}

impl Databases {
    fn new() -> Option<Databases> {
        let test = "metrics of the original";
        let broker = support::address("HEADWATER_TEST_KAFKA", test)?;
        support::address("HEADWATER_TEST_MYSQL_97", test)?;
        let postgres = Database::new("HEADWATER_TEST_POSTGRES_17", test, TABLES)?;
        let mysql = Server::start("mysql-9.7", "");
        mysql.sql(&["CREATE DATABASE original", "USE original"]);
        let databases = Databases { broker, mysql, postgres };
        databases.write_mysql(TABLES);
        Some(databases)
    }

    fn write_mysql(&self, statements: &[&str]) {
        self.mysql.sql(&[&["USE original"][..], statements].concat());
    }

    fn write(&self) {
        self.write_mysql(TRAFFIC);
        self.postgres.run(TRAFFIC);
    }

    /// A connector for each.
    fn connectors(&self) -> [(&'static str, Connector); 2] {
        let slot = unique("original");
        let own = [("slot.name", slot.as_str()), ("publication.name", slot.as_str())];
        [
            ("MYSQL", Connector::new(&self.mysql, &self.broker, "original")),
            ("POSTGRES", self.postgres.connector().with(&own)),
        ]
    }
}

/// Whether everything that was written was seen, and what was seen.
fn has_seen(lines: &Lines, word: &str) -> bool {
    let seen = |attribute: &str, count: &str| {
        lines.iter().any(|((bean, name), value)| {
            bean.contains("context=streaming") && bean.contains(word) && name == attribute && value == count
        })
    };
    seen("TotalNumberOfCreateEventsSeen", "3") && seen("TotalNumberOfDeleteEventsSeen", "1")
}

/// Headwater with these connectors, a process for each.
struct Headwater(Vec<(&'static str, Connector, Running)>);

impl Headwater {
    fn start(databases: &Databases) -> Headwater {
        let rules = golden("lines.yaml");
        let start = |(word, connector): (&'static str, Connector)| {
            let connector = connector.with_worker(&[("metrics.jmx.exporter.config", rules.to_str().unwrap())]);
            let running = connector.start_streaming();
            (word, connector, running)
        };
        Headwater(databases.connectors().map(start).into())
    }

    /// Holds that each connector comes to say what the original says.
    fn hold_to(&self, what: &str, original: &Lines) {
        for (word, connector, running) in &self.0 {
            let original = of_connector(original, word);
            let address = connector.worker["listeners"].trim_start_matches("http://");
            let names = [(connector.name.as_str(), *word), (address, "ADDRESS:PORT")];
            let deadline = Instant::now() + LONG;
            loop {
                let ours = lines(&running.metrics(), &names);
                let wrong = differences(&original, &ours);
                if has_seen(&ours, word) && wrong.is_empty() {
                    break;
                }
                let said = || format!("{what}, {word}: differs from the original:\n{}", wrong.join("\n"));
                assert!(Instant::now() < deadline, "{}", said());
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }
}

#[test]
fn every_attribute_of_the_original_is_there() {
    let Some(databases) = Databases::new() else { return };
    let original = parse(read_golden("lines.txt").lines());
    assert!(original.len() > 200, "{}", original.len());
    let headwater = Headwater::start(&databases);
    databases.write();
    headwater.hold_to("as recorded", &original);
}

/// Names and labels of the series in an answer, without those of the exporter and its JVM.
fn series_in(text: &str, names: &[(&str, &str)]) -> BTreeSet<String> {
    let ours = text.lines().filter(|line| line.starts_with("debezium_") || line.starts_with("kafka_"));
    let series = ours.filter_map(|line| Some(line.rsplit_once(' ')?.0.replace(",}", "}")));
    series.map(|line| names.iter().fold(line, |line, (name, word)| line.replace(name, word))).map(sorted).collect()
}

/// With its labels in order.
fn sorted(series: String) -> String {
    let Some((name, labels)) = series.strip_suffix('}').and_then(|series| series.split_once('{')) else {
        return series;
    };
    let mut labels: Vec<&str> = labels.split(',').collect();
    labels.sort_unstable();
    format!("{name}{{{}}}", labels.join(","))
}

/// What our exporter makes of lines.
fn exported(lines: &Lines) -> BTreeSet<String> {
    let mut beans: BTreeMap<&str, MBean> = BTreeMap::new();
    for ((name, attribute), value) in lines {
        let bean = beans.entry(name).or_insert_with(|| {
            let (domain, properties) = name.trim_end_matches('>').split_once('<').unwrap();
            let mut bean = MBean::new(domain.to_owned(), &[]);
            bean.properties = properties
                .split(", ")
                .map(|property| property.split_once('=').unwrap())
                .map(|(key, value)| (key.to_owned().into(), value.to_owned()))
                .collect();
            bean
        });
        let reading = match form(value) {
            _ if TEXTS.contains(&attribute.as_str()) => Reading::Text(value.clone()),
            "whole" => Reading::Whole(value.parse().unwrap()),
            "decimal" => Reading::Decimal(value.parse().unwrap()),
            "flag" => Reading::Flag(value == "true"),
            _ => Reading::Text(value.clone()),
        };
        bean.add(attribute.clone(), "", reading);
    }
    let exporter = Exporter::parse(&read_golden("example.yaml")).unwrap();
    let beans: Vec<MBean> = beans.into_values().collect();
    series_in(&series::text(&exporter.families(&beans)), &[])
}

#[test]
fn the_exporter_makes_the_series_of_both_generations() {
    let made = exported(&parse(read_golden("lines.txt").lines()));
    let recorded = |version: &&str| -> BTreeSet<String> {
        read_golden(&format!("series-{version}.txt")).lines().map(str::to_owned).collect()
    };
    let original: BTreeSet<String> = EXPORTERS.iter().flat_map(recorded).collect();
    assert!(original.len() > 150, "{}", original.len());
    let lost: Vec<_> = original.difference(&made).collect();
    let invented: Vec<_> = made.difference(&original).collect();
    assert!(lost.is_empty() && invented.is_empty(), "lost: {lost:#?}\ninvented: {invented:#?}");
}

#[test]
fn the_page_says_what_is_not_there() {
    let page = std::fs::read_to_string(format!("{}/docs/reference/metrics.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let names = NOT_THERE.iter().chain(OURS).map(|(bean, attribute)| match attribute.is_empty() {
        true => bean.split_once('<').unwrap().1,
        false => *attribute,
    });
    let unsaid: Vec<&str> = names.filter(|name| !page.contains(&format!("`{name}"))).collect();
    assert!(
        unsaid.is_empty(),
        "docs/reference/metrics.md does not say that these are not there, or only here: {unsaid:?}"
    );
}

/// Debezium on a worker of its own, with an exporter beside it.
struct Original {
    worker: Worker,
    port: u16,
    rules: tempfile::NamedTempFile,
}

impl Original {
    fn start(broker: &str, exporters: &str, version: &str) -> Original {
        let rules = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        std::fs::copy(golden("lines.yaml"), rules.path()).unwrap();
        let port = free_port();
        let (archive, file) = (format!("{exporters}/jmx_prometheus_javaagent-{version}.jar"), rules.path().display());
        let worker = Worker::start_with(broker, &format!("-javaagent:{archive}=127.0.0.1:{port}:{file}")).unwrap();
        Original { worker, port, rules }
    }

    fn scrape(&self) -> String {
        let url = format!("http://127.0.0.1:{}/metrics", self.port);
        let answer = ureq::get(&url).config().timeout_global(Some(Duration::from_secs(30))).build().call();
        answer.unwrap().body_mut().with_config().limit(64 << 20).read_to_string().unwrap()
    }

    /// Its own settings, not those that only Headwater has.
    fn run(&self, connector: &Connector) {
        let settings = connector.config.iter().filter(|(name, _)| !name.starts_with("headwater."));
        let settings = settings.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.worker.connect.start(&connector.name, &settings).unwrap();
    }

    fn is_streaming(&self, connector: &Connector, word: &str) -> Option<()> {
        let (state, trace) = self.worker.connect.state(&connector.name);
        assert_ne!(state, "FAILED", "{word}: {trace}");
        let all = lines(&self.scrape(), &[(&connector.name, word)]);
        let streams = |((bean, name), value): (&(String, String), &String)| {
            bean.contains("context=streaming") && bean.contains(word) && name == "Connected" && value == "true"
        };
        all.iter().any(streams).then_some(())
    }
}

/// The original, asked anew: what is recorded is what it says, and ours is the same.
#[test]
fn the_original_says_the_same() {
    if support::address("HEADWATER_TEST_CONNECT", "metrics beside Debezium").is_none() {
        return;
    }
    let Some(databases) = Databases::new() else { return };
    let exporters = match installed() {
        Ok(folder) => folder,
        Err(said) => {
            return support::skip("metrics beside Debezium", &format!("the JMX exporter could not be fetched: {said}"));
        }
    };
    let headwater = Headwater::start(&databases);
    let originals: Vec<_> = EXPORTERS
        .iter()
        .map(|version| {
            let original = Original::start(&databases.broker, &exporters, version);
            let connectors = databases.connectors();
            connectors.iter().for_each(|(_, connector)| original.run(connector));
            for (word, connector) in &connectors {
                eventually(&format!("Debezium streams from {word}"), LONG, || original.is_streaming(connector, word));
            }
            (*version, original, connectors)
        })
        .collect();
    databases.write();
    for (version, original, connectors) in &originals {
        let address = original.worker.connect.url.trim_start_matches("http://");
        let names: Vec<(&str, &str)> = connectors
            .iter()
            .map(|(word, connector)| (connector.name.as_str(), *word))
            .chain([(address, "ADDRESS:PORT")])
            .collect();
        let said = eventually("Debezium has seen all", LONG, || {
            let said = lines(&original.scrape(), &names);
            connectors.iter().all(|(word, _)| has_seen(&said, word)).then_some(said)
        });
        // The exporter reads its file anew when that has changed.
        std::fs::copy(golden("example.yaml"), original.rules.path()).unwrap();
        let series = eventually("the exporter has read its rules", LONG, || {
            let text = original.scrape();
            text.contains("debezium_metrics_Connected").then(|| series_in(&text, &names))
        });
        record(version, &said, &series);
        headwater.hold_to(&format!("exporter {version}"), &said);
        let lost: Vec<_> = series.difference(&exported(&said)).cloned().collect();
        assert!(lost.is_empty(), "exporter {version}: {lost:#?}");
    }
}

/// The folder of the exporters' archives.
fn installed() -> Result<String, String> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stack/java.sh");
    let output = std::process::Command::new(script).args(["install", "exporter"]).output().unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn record(version: &str, said: &Lines, series: &BTreeSet<String>) {
    if std::env::var_os("HEADWATER_METRICS_RECORD").is_none() {
        return;
    }
    let series: Vec<&str> = series.iter().map(String::as_str).collect();
    std::fs::write(golden(&format!("series-{version}.txt")), series.join("\n") + "\n").unwrap();
    let said: Vec<String> =
        said.iter().map(|((bean, attribute), value)| format!("{bean}<>{attribute}: {value}")).collect();
    std::fs::write(golden("lines.txt"), said.join("\n") + "\n").unwrap();
}
