//! `/metrics`, as dashboards, alerts and exporter rules of teams ask for it: the binary against real servers.
//!
//! Servers: `HEADWATER_TEST_KAFKA`, and `HEADWATER_TEST_MYSQL_97`, `…_MARIADB_118` and `…_POSTGRES_17`, of which each has servers of
//! the test's own in its place.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

mod original;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use support::postgres::Database;
use support::program::{Connector, Running};
use support::server::Server;

const SOON: Duration = Duration::from_secs(60);

/// What the two dashboards of Debezium's monitoring example ask for: the series, and in which context it is with us.
const OF_ALL: &[(&str, &str)] = &[
    ("Connected", "streaming"),
    ("MilliSecondsSinceLastEvent", "streaming"),
    ("NumberOfEventsSkipped", "snapshot"),
    ("NumberOfEventsSkipped", "streaming"),
    ("RemainingTableCount", "snapshot"),
    ("SnapshotAborted", "snapshot"),
    ("SnapshotCompleted", "snapshot"),
    ("SnapshotRunning", "snapshot"),
    ("TotalNumberOfEventsSeen", "snapshot"),
    ("TotalNumberOfEventsSeen", "streaming"),
    ("TotalTableCount", "snapshot"),
];

/// What the second of them asks for in addition; it is made for MySQL. `RowsScanned` is asked for by both, and PostgreSQL has it only
/// where rows are read, there as here.
const OF_BINLOG: &[(&str, &str)] = &[
    ("BinlogPosition", "streaming"),
    ("ChangesApplied", "schema-history"),
    ("ChangesRecovered", "schema-history"),
    ("HoldingGlobalLock", "snapshot"),
    ("IsGtidModeEnabled", "streaming"),
    ("MilliSecondsBehindSource", "streaming"),
    ("MilliSecondsSinceLastAppliedChange", "schema-history"),
    ("MilliSecondsSinceLastRecoveredChange", "schema-history"),
    ("NumberOfCommittedTransactions", "streaming"),
    ("NumberOfDisconnects", "streaming"),
    ("NumberOfErroneousEvents", "streaming"),
    ("NumberOfEventsFiltered", "streaming"),
    ("NumberOfLargeTransactions", "streaming"),
    ("NumberOfNotWellFormedTransactions", "streaming"),
    ("NumberOfRolledBackTransactions", "streaming"),
    ("NumberOfSkippedEvents", "streaming"),
    ("QueueRemainingCapacity", "streaming"),
    ("QueueTotalCapacity", "streaming"),
    ("RecoveryStartTime", "schema-history"),
    ("RowsScanned", "snapshot"),
    ("SecondsBehindMaster", "streaming"),
    ("SecondsSinceLastEvent", "streaming"),
    ("SnapshotDurationInSeconds", "snapshot"),
];

/// Series of Connect that exporter files of Strimzi and others make, and that alerts ask for.
const OF_CONNECT: &[&str] = &[
    "kafka_connect_worker_connector_count ",
    "kafka_connect_worker_metrics_connector_count ",
    "kafka_connect_worker_task_count ",
    "kafka_connect_worker_connector_count{connector=\"{}\",state=\"failed\"}",
    "kafka_connect_worker_connector_failed_task_count{connector=\"{}\"}",
    "kafka_connect_worker_rebalance_rebalancing ",
    "kafka_connect_connector_status{connector=\"{}\",status=\"running\",task=\"0\"}",
    "kafka_connect_connector_task_offset_commit_success_percentage{connector=\"{}\",task=\"0\"}",
    "kafka_connect_connector_task_running_ratio{connector=\"{}\",task=\"0\"}",
    "kafka_connect_source_task_source_record_write_total{connector=\"{}\",task=\"0\"}",
    "kafka_connect_source_task_source_record_active_count{connector=\"{}\",task=\"0\"}",
    "kafka_connect_task_error_total_record_errors{connector=\"{}\",task=\"0\"}",
    "kafka_connect_metrics_outgoing_byte_rate{client=\"",
    "kafka_connect_metrics_incoming_byte_rate{client=\"",
    "kafka_producer_record_send_total{clientId=\"connector-producer-{}-0\"}",
    "kafka_producer_request_latency_avg{clientId=\"connector-producer-{}-0\"}",
];

/// Series of the alert rules that are there only where they mean something, and for which database.
const NOT_EVERYWHERE: &[(&str, &[&str])] = &[
    ("headwater_log_retained_bytes", &["postgres"]),
    ("headwater_log_retained_room_bytes", &["postgres"]),
    ("headwater_log_kept_seconds", &["mysql", "mariadb"]),
    ("headwater_log_purge_seconds", &["mysql", "mariadb"]),
    ("debezium_metrics_NumberOfDisconnects", &["mysql", "mariadb"]),
];

/// Names of the series in the alert rules.
fn asked_for() -> BTreeSet<String> {
    let file =
        |name: &str| std::fs::read_to_string(format!("{}/config/alerts/{name}.rules.yaml", env!("CARGO_MANIFEST_DIR")));
    let rules = ["headwater", "debezium"].map(|name| file(name).unwrap()).concat();
    let mut names = BTreeSet::new();
    let expressions = rules.lines().filter(|line| {
        let line = line.trim_start();
        let others = ["#", "summary:", "runbook:", "- "];
        !others.iter().any(|other| line.starts_with(other))
    });
    for word in expressions.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')) {
        if ["headwater_", "debezium_metrics_", "kafka_connect_"].iter().any(|ours| word.starts_with(ours)) {
            names.insert(word.to_owned());
        }
    }
    assert!(names.len() > 20, "{names:?}");
    names
}

/// The values of the series whose name and labels begin so.
fn values(text: &str, beginning: &str) -> Vec<f64> {
    let lines = text.lines().filter(|line| line.starts_with(beginning));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect()
}

/// One series of Debezium's, with the labels that dashboards select by.
fn debezium(text: &str, plugin: &str, name: &str, (attribute, context): (&str, &str)) -> Vec<f64> {
    values(text, &format!("debezium_metrics_{attribute}{{context=\"{context}\",name=\"{name}\",plugin=\"{plugin}\""))
}

fn check_series(running: &Running, name: &str, plugin: &str) {
    // The reader tells once a second.
    support::eventually("the lag is known", SOON, || running.metric("headwater_behind_source_seconds"));
    let text = running.metrics();
    let wanted = OF_ALL.iter().chain(if plugin == "postgres" { &[][..] } else { OF_BINLOG });
    let lost: Vec<_> = wanted.filter(|series| debezium(&text, plugin, name, **series).is_empty()).collect();
    assert!(lost.is_empty(), "{plugin}: {lost:?}\n{text}");
    let lost: Vec<String> = OF_CONNECT.iter().map(|series| series.replace("{}", name)).collect();
    let lost: Vec<&String> = lost.iter().filter(|series| values(&text, series).is_empty()).collect();
    assert!(lost.is_empty(), "{plugin}: {lost:?}\n{text}");
    let page = std::fs::read_to_string(format!("{}/docs/reference/metrics.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let own = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let lost: Vec<&str> = own.filter(|own| own.starts_with("headwater_") && !page.contains(own)).collect();
    assert!(lost.is_empty(), "docs/reference/metrics.md does not say what these are: {lost:?}");
    let known: BTreeMap<&str, &[&str]> = NOT_EVERYWHERE.iter().copied().collect();
    for series in asked_for() {
        let found = match series.starts_with("debezium_") {
            true => values(&text, &format!("{series}{{")),
            false => values(&text, &format!("{series}{{connector=\"{name}\"")),
        };
        let expected = known.get(series.as_str()).is_none_or(|plugins| plugins.contains(&plugin));
        assert_eq!(!found.is_empty(), expected, "{plugin}: {series}\n{text}");
    }
}

const OUTBOX: &str = "CREATE TABLE outbox (id VARCHAR(36) PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL, \
                      aggregateid VARCHAR(255) NOT NULL, type VARCHAR(255) NOT NULL, payload VARCHAR(255) NOT NULL)";

fn as_outbox(connector: Connector) -> Connector {
    connector.with(&[
        ("transforms", "outbox"),
        ("transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter"),
        ("custom.metric.tags", "team=orders"),
    ])
}

fn rows(count: usize) -> Vec<String> {
    let row = |number| format!("INSERT INTO outbox VALUES ('{number}', 'order', '{number}', 'made', 'x')");
    (0..count).map(row).collect()
}

/// A database of the test's own on a server of its own.
fn binlog_server(name: &str, options: &str, database: &str) -> Server {
    let server = Server::start(name, options);
    server.sql(&[&format!("CREATE DATABASE {database}"), &format!("USE {database}"), OUTBOX]);
    server
}

fn write(server: &Server, database: &str, statements: &[String]) {
    let using = format!("USE {database}");
    let all: Vec<&str> = std::iter::once(using.as_str()).chain(statements.iter().map(String::as_str)).collect();
    server.sql(&all);
}

fn binlog_series(name: &str, variable: &str, plugin: &str) {
    let Some(broker) = support::address("HEADWATER_TEST_KAFKA", "metrics") else { return };
    if support::address(variable, "metrics").is_none() {
        return;
    }
    let server = binlog_server(name, "--binlog-expire-logs-seconds=86400", "watched");
    let connector = as_outbox(Connector::new(&server, &broker, "watched"));
    let running = connector.start_streaming();
    write(&server, "watched", &rows(7));
    running.wait_for_metric("headwater_records_acknowledged_total", 7.0, SOON);
    running.wait_for_metric("headwater_log_kept_seconds", 86_400.0, SOON);
    running.wait_for_metric("headwater_commits_total", 1.0, SOON);
    support::eventually("everything is stored", SOON, || {
        running.metric("headwater_log_purge_seconds").filter(|left| *left > 86_300.0)
    });
    running.wait_for_metric("headwater_outbox_backlog_bytes", 0.0, SOON);
    // Events of the log, as in Debezium: several for each row.
    running.wait_for_metric("debezium_metrics_TotalNumberOfEventsSeen", 7.0 * 3.0, SOON);
    check_series(&running, &connector.name, plugin);
    let text = running.metrics();
    let of = |series| debezium(&text, plugin, &connector.name, series).iter().sum::<f64>();
    assert_eq!(of(("TotalNumberOfCreateEventsSeen", "streaming")), 7.0);
    let quantile = of(("MilliSecondsBehindSourceP99", "streaming"));
    assert!(of(("MilliSecondsBehindSourceMinValue", "streaming")) <= quantile * 1.01, "{text}");
    assert_eq!(of(("TotalTableCount", "snapshot")), 1.0);
    assert_eq!(of(("SnapshotCompleted", "snapshot")), 1.0, "{text}");
    let remaining = of(("QueueRemainingCapacity", "streaming"));
    assert!(of(("QueueTotalCapacity", "streaming")) == 8192.0 && remaining > 8000.0 && remaining <= 8192.0, "{text}");
    assert!(text.contains("table=\"watched.outbox\",team=\"orders\"} 0"), "{text}");
    drop(running);
    // The same on a position that is stored, under a team's own names.
    let rules = support::scratch("rules-");
    let file = rules.path().join("exporter.yaml");
    std::fs::write(
        &file,
        "lowercaseOutputName: true\nrules:\n- pattern: 'debezium.([^:]+)<type=connector-metrics, context=([^,]+), server=([^,>]+).*><>(\\w+):'\n  name: cdc_$1_$2_$4\n  labels: {s: $3}\n",
    )
    .unwrap();
    let connector = connector.with_worker(&[("metrics.jmx.exporter.config", file.to_str().unwrap())]);
    let running = connector.start_streaming();
    let text = running.metrics();
    let skipped = format!("cdc_{plugin}_snapshot_snapshotskipped{{s=\"{}\"}}", connector.name);
    assert_eq!(values(&text, &skipped), [1.0], "{text}");
    assert!(!text.contains("debezium_metrics") && !text.contains("kafka_connect"), "{text}");
    assert_eq!(values(&text, "headwater_flow_proven").len(), 1, "{text}");
    assert!(!text.contains("rowsscanned"), "as in Debezium, where nothing was read before the stream began: {text}");
}

#[test]
fn mysql_has_every_series_that_is_asked_for() {
    binlog_series("mysql-9.7", "HEADWATER_TEST_MYSQL_97", "mysql");
}

#[test]
fn mariadb_has_every_series_that_is_asked_for() {
    binlog_series("mariadb-11.8", "HEADWATER_TEST_MARIADB_118", "mariadb");
}

/// What Debezium does not do: its lag stands still when its stream does.
#[test]
fn the_lag_of_a_stalled_stream_grows() {
    let Some(broker) = support::address("HEADWATER_TEST_KAFKA", "metrics") else { return };
    if support::address("HEADWATER_TEST_MYSQL_97", "metrics").is_none() {
        return;
    }
    let server = binlog_server("mysql-9.7", "", "stalled");
    let connector = as_outbox(Connector::new(&server, &broker, "stalled"))
        .with_worker(&[("headwater.metrics.names", "snake_case")]);
    let running = connector.start_streaming();
    write(&server, "stalled", &rows(3));
    running.wait_for_metric("headwater_records_acknowledged_total", 3.0, SOON);
    running.wait_for_metric("headwater_log_purge_seconds", 1.0, SOON);
    server.freeze();
    running.wait_for_metric("headwater_stalled_seconds", 3.0, SOON);
    running.wait_for_metric("debezium_metrics_milli_seconds_behind_source", 6_000.0, SOON);
    running.wait_for_metric("headwater_outbox_oldest_seconds", 3.0, SOON);
    // How long is left grows shorter although the server says nothing.
    let left = running.metric("headwater_log_purge_seconds").unwrap();
    assert!(left < 2_592_000.0 - 5.0, "{left}");
    server.thaw();
    running.wait_for_state("RUNNING", SOON);
    support::eventually("no stall", SOON, || {
        running.metric("headwater_stalled_seconds").filter(|stalled| *stalled == 0.0)
    });
    write(&server, "stalled", &["DELETE FROM outbox".to_owned()]);
    support::eventually("the lag is small again", SOON, || {
        running.metric("debezium_metrics_milli_seconds_behind_source").filter(|lag| *lag < 3_000.0)
    });
}

#[test]
fn postgresql_has_every_series_that_is_asked_for() {
    let Some(database) = Database::new("HEADWATER_TEST_POSTGRES_17", "metrics", &[OUTBOX]) else { return };
    let connector = as_outbox(database.connector());
    let running = connector.start_streaming();
    database.run(&rows(7).iter().map(String::as_str).collect::<Vec<_>>());
    running.wait_for_metric("headwater_records_acknowledged_total", 7.0, SOON);
    running.wait_for_metric("headwater_commits_total", 1.0, SOON);
    running.wait_for_metric("headwater_log_retained_room_bytes", 1.0, SOON);
    running.wait_for_metric("headwater_outbox_backlog_bytes", 0.0, SOON);
    check_series(&running, &connector.name, "postgres");
    let text = running.metrics();
    assert_eq!(debezium(&text, "postgres", &connector.name, ("TotalNumberOfEventsSeen", "streaming")), [7.0]);
    drop(running);
}
