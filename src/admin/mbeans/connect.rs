//! The beans of Kafka Connect and of the producer of its source connectors.
//!
//! Sources: Kafka's manual, "Connect Monitoring" and "Producer monitoring", and its `ConnectMetricsRegistry`. A connector is one
//! task here. Where a number belongs to something that there is none of (transactions, polls), it is NaN, as it is in
//! Connect before it was measured.

use std::sync::Arc;

use crate::config::connector::ConnectorConfig;
use crate::observe::mbean::{MBean, Reading};
use crate::observe::metrics::ConnectorMetrics;
use crate::pipeline::status::State;
use crate::worker::{Connector, Handle};

use super::super::windows::{Window, Windows, polled};

/// An attribute of one connector: its name, what it says, where its value is.
type Row = (&'static str, &'static str, fn(&Scene<'_>) -> Reading);

/// One connector.
struct Scene<'c> {
    config: Option<&'c ConnectorConfig>,
    metrics: &'c ConnectorMetrics,
    state: State,
    window: Option<Window>,
}

/// A number of the last half minute; NaN before the first look.
fn of_window(scene: &Scene<'_>, read: fn(&Window) -> f64) -> Reading {
    Reading::Decimal(scene.window.as_ref().map_or(f64::NAN, read))
}

const NEVER: Reading = Reading::Decimal(f64::NAN);

/// A count that Kafka's metrics keep as a decimal number: rules may look at how it is written.
fn total(count: u64) -> Reading {
    Reading::Decimal(count as f64)
}

/// The connector's settings, as a text; empty while they cannot be run.
fn of_config(scene: &Scene<'_>, read: fn(&ConnectorConfig) -> String) -> Reading {
    Reading::Text(scene.config.map(read).unwrap_or_default())
}

fn version() -> Reading {
    Reading::Text(env!("CARGO_PKG_VERSION").to_owned())
}

/// `connector-task-metrics`.
const TASK: &[Row] = &[
    ("status", "The task's state", |scene| Reading::Text(scene.state.name().to_ascii_lowercase())),
    ("running-ratio", "Share of the last half minute that the task ran", |scene| of_window(scene, |w| w.running)),
    ("pause-ratio", "Share of it that it was paused", |scene| of_window(scene, |w| w.paused)),
    ("offset-commit-max-time-ms", "Longest time to store a position", |scene| of_window(scene, |w| w.commit_ms.0)),
    ("offset-commit-avg-time-ms", "Mean time to store a position", |scene| of_window(scene, |w| w.commit_ms.1)),
    ("offset-commit-success-percentage", "Share of the attempts to store a position that succeeded", |scene| {
        of_window(scene, |w| w.commit_success)
    }),
    ("offset-commit-failure-percentage", "Share of them that failed", |scene| of_window(scene, |w| w.commit_failure)),
    ("batch-size-max", "Records in the largest batch so far", |scene| total(scene.metrics.reader.largest_in())),
    ("batch-size-avg", "Records in a batch", |scene| of_window(scene, |w| w.batch_mean)),
    ("connector-class", "The connector's class", |scene| of_config(scene, |config| config.class.clone())),
    ("connector-type", "source", |_| Reading::Text("source".to_owned())),
    ("connector-version", "This program's version", |_| version()),
    ("task-class", "The class of its task there", |scene| of_config(scene, |config| format!("{}Task", config.class))),
    ("task-version", "This program's version", |_| version()),
    ("key-converter-class", "key.converter", |scene| of_config(scene, |config| config.key_converter.class.clone())),
    ("key-converter-version", "This program's version", |_| version()),
    ("value-converter-class", "value.converter", |scene| {
        of_config(scene, |config| config.value_converter.class.clone())
    }),
    ("value-converter-version", "This program's version", |_| version()),
    ("header-converter-class", "header.converter", |scene| {
        of_config(scene, |config| config.header_converter.class.clone())
    }),
    ("header-converter-version", "This program's version", |_| version()),
];

/// `source-task-metrics`.
const SOURCE_TASK: &[Row] = &[
    ("source-record-poll-total", "Records that came out of the source", |scene| total(polled(scene.metrics))),
    ("source-record-poll-rate", "The same, a second", |scene| of_window(scene, |w| w.poll_rate)),
    ("source-record-write-total", "Records that the broker has acknowledged", |scene| {
        total(scene.metrics.records_acknowledged.get())
    }),
    ("source-record-write-rate", "The same, a second", |scene| of_window(scene, |w| w.write_rate)),
    ("source-record-active-count", "Records sent and not yet acknowledged", |scene| {
        total(scene.metrics.records_in_flight.get())
    }),
    ("source-record-active-count-max", "The most of them", |scene| of_window(scene, |w| w.active.0)),
    ("source-record-active-count-avg", "Their mean", |scene| of_window(scene, |w| w.active.1)),
    ("poll-batch-max-time-ms", "Nothing is polled: the source is read as it sends", |_| NEVER),
    ("poll-batch-avg-time-ms", "Nothing is polled: the source is read as it sends", |_| NEVER),
    ("transaction-size-min", "There are no transactions of Kafka", |_| NEVER),
    ("transaction-size-max", "There are no transactions of Kafka", |_| NEVER),
    ("transaction-size-avg", "There are no transactions of Kafka", |_| NEVER),
];

/// `task-error-metrics`.
const TASK_ERROR: &[Row] = &[
    ("total-record-failures", "Tries of transforms and converters that failed", |scene| {
        total(scene.metrics.task_errors.failures.get())
    }),
    ("total-record-errors", "Records that transforms or converters failed at", |scene| {
        total(scene.metrics.task_errors.errors.get())
    }),
    ("total-records-skipped", "Records left out because they failed", |scene| {
        total(scene.metrics.task_errors.skipped.get())
    }),
    ("total-retries", "Tries after the first", |scene| total(scene.metrics.task_errors.retries.get())),
    ("total-errors-logged", "Failures that were logged", |scene| total(scene.metrics.task_errors.logged.get())),
    ("deadletterqueue-produce-requests", "Records for the dead letter topic", |scene| {
        total(scene.metrics.task_errors.dead_letters.get())
    }),
    ("deadletterqueue-produce-failures", "0: such a record stops the connector", |_| total(0)),
    ("last-error-timestamp", "When a record failed last, in milliseconds; 0 before", |scene| {
        Reading::Whole(scene.metrics.task_errors.last_ms.get())
    }),
];

/// `producer-metrics`: what librdkafka's statistics say of it.
const PRODUCER: &[Row] = &[
    ("record-send-total", "Records handed to the producer", |scene| total(scene.metrics.records_sent.get())),
    ("record-send-rate", "The same, a second", |scene| of_window(scene, |w| w.poll_rate)),
    ("record-error-total", "Records that came back with an error", |scene| {
        total(scene.metrics.sent.records_failed.get())
    }),
    ("record-error-rate", "The same, a second", |scene| of_window(scene, |w| w.error_rate)),
    ("record-retry-total", "Requests that were tried again", |scene| total(scene.metrics.sent.request_retries.get())),
    ("record-retry-rate", "The same, a second", |scene| of_window(scene, |w| w.retry_rate)),
    ("request-total", "Requests sent to brokers", |scene| total(scene.metrics.sent.requests.get())),
    ("outgoing-byte-total", "Bytes sent to brokers", |scene| total(scene.metrics.sent.request_bytes.get())),
    ("outgoing-byte-rate", "The same, a second", |scene| of_window(scene, |w| w.byte_rate)),
    ("request-latency-avg", "Mean round trip to a broker, in milliseconds", |scene| {
        Reading::Decimal(scene.metrics.sent.request_latency_us.get() as f64 / 1000.0)
    }),
    ("batch-size-avg", "Mean size of a batch of records, in bytes", |scene| {
        total(scene.metrics.sent.batch_size_bytes.get())
    }),
];

/// Connect's words for the states of a connector's tasks.
const COUNTED: &[(&str, Option<State>)] = &[
    ("connector-total-task-count", None),
    ("connector-running-task-count", Some(State::Running)),
    ("connector-paused-task-count", Some(State::Paused)),
    ("connector-failed-task-count", Some(State::Failed)),
    ("connector-unassigned-task-count", Some(State::Unassigned)),
    ("connector-restarting-task-count", Some(State::Restarting)),
];

fn bean(kind: &'static str, name: &str, rows: &[Row], scene: &Scene<'_>) -> MBean {
    let mut bean = MBean::new("kafka.connect", &[("type", kind), ("connector", name), ("task", "0")]);
    rows.iter().for_each(|(name, about, read)| bean.add(*name, about, read(scene)));
    bean
}

/// The beans of one connector.
pub(super) fn of(connector: &Connector, windows: &Windows) -> Vec<MBean> {
    let (name, metrics, state) = (connector.name(), connector.metrics(), connector.status().state);
    let config = connector.config();
    let scene = Scene { config: config.as_deref(), metrics: &metrics, state, window: windows.of(name) };
    let mut whole = MBean::new("kafka.connect", &[("type", "connector-metrics"), ("connector", name)]);
    whole.add("connector-class", "The connector's class", of_config(&scene, |config| config.class.clone()));
    whole.add("connector-type", "source", Reading::Text("source".to_owned()));
    whole.add("connector-version", "This program's version", version());
    whole.add("status", "The connector's state", Reading::Text(state.name().to_ascii_lowercase()));
    let mut tasks = MBean::new("kafka.connect", &[("type", "connect-worker-metrics"), ("connector", name)]);
    // A connector that is stopped has no tasks.
    let exists = state != State::Stopped;
    for (name, counted) in COUNTED {
        let counts = exists && counted.is_none_or(|counted| counted == state);
        tasks.add(*name, "Tasks of the connector in that state", Reading::Whole(i64::from(counts)));
    }
    tasks.add("connector-destroyed-task-count", "Tasks of the connector in that state", Reading::Whole(0));
    let client = format!("connector-producer-{name}-0");
    let mut producer = MBean::new("kafka.producer", &[("type", "producer-metrics"), ("client-id", &client)]);
    PRODUCER.iter().for_each(|(name, about, read)| producer.add(*name, about, read(&scene)));
    vec![
        whole,
        tasks,
        bean("connector-task-metrics", name, TASK, &scene),
        bean("source-task-metrics", name, SOURCE_TASK, &scene),
        bean("task-error-metrics", name, TASK_ERROR, &scene),
        producer,
    ]
}

/// The beans of the worker.
pub(super) fn of_worker(worker: &Handle, connectors: &[Arc<Connector>], windows: &Windows) -> Vec<MBean> {
    let failed = connectors.iter().filter(|connector| connector.status().state == State::Failed).count() as u64;
    let running = connectors.iter().filter(|connector| connector.status().state != State::Stopped).count() as u64;
    let count = connectors.len() as u64;
    let share = |part: u64| Reading::Decimal(if count == 0 { 0.0 } else { part as f64 / count as f64 });
    let mut own = MBean::new("kafka.connect", &[("type", "connect-worker-metrics")]);
    own.add("connector-count", "Connectors of this worker", total(count));
    own.add("task-count", "Tasks of this worker", total(running));
    for (attempts, success, successes, failure, failures) in [
        (
            "connector-startup-attempts-total",
            "connector-startup-success-total",
            "connector-startup-success-percentage",
            "connector-startup-failure-total",
            "connector-startup-failure-percentage",
        ),
        (
            "task-startup-attempts-total",
            "task-startup-success-total",
            "task-startup-success-percentage",
            "task-startup-failure-total",
            "task-startup-failure-percentage",
        ),
    ] {
        own.add(attempts, "Connectors that were to start", total(count));
        own.add(success, "Those that are not FAILED now", total(count - failed));
        own.add(successes, "Their share", share(count - failed));
        own.add(failure, "Those that are FAILED now", total(failed));
        own.add(failures, "Their share", share(failed));
    }
    let mut group = MBean::new("kafka.connect", &[("type", "connect-worker-rebalance-metrics")]);
    let leader = worker.leader().unwrap_or_else(|| worker.url().to_owned());
    group.add(
        "leader-name",
        "Where the worker listens that runs the stored connectors",
        Reading::Text(format!("{leader}/")),
    );
    // They stay where they are for as long as that worker lives.
    group.add("connect-protocol", "How workers share connectors", Reading::Text("none".to_owned()));
    group.add("epoch", "Generation of the group", total(0));
    group.add("completed-rebalances-total", "Times that connectors were moved", total(0));
    group.add("rebalancing", "1 while connectors are moved", total(0));
    group.add("rebalance-max-time-ms", "Longest move", NEVER);
    group.add("rebalance-avg-time-ms", "Mean move", NEVER);
    group.add("time-since-last-rebalance-ms", "Since the last move", NEVER);
    vec![own, group, network(worker, connectors, windows)]
}

/// `connect-metrics`: the worker's traffic with the brokers, which is that of its producers.
fn network(worker: &Handle, connectors: &[Arc<Connector>], windows: &Windows) -> MBean {
    let client = format!("connect-{}", worker.worker_id());
    let mut bean = MBean::new("kafka.connect", &[("type", "connect-metrics"), ("client-id", &client)]);
    let total = |count: fn(&ConnectorMetrics) -> u64| {
        total(connectors.iter().map(|connector| count(&connector.metrics())).sum::<u64>())
    };
    let rate = |read: fn(&Window) -> f64| {
        Reading::Decimal(connectors.iter().filter_map(|connector| windows.of(connector.name())).map(|w| read(&w)).sum())
    };
    bean.add("outgoing-byte-total", "Bytes sent to brokers", total(|metrics| metrics.sent.request_bytes.get()));
    bean.add("outgoing-byte-rate", "The same, a second", rate(|window| window.byte_rate));
    bean.add("incoming-byte-total", "Bytes received from brokers", total(|metrics| metrics.sent.response_bytes.get()));
    bean.add("incoming-byte-rate", "The same, a second", rate(|window| window.response_rate));
    bean.add("request-total", "Requests sent to brokers", total(|metrics| metrics.sent.requests.get()));
    bean
}
