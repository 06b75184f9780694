//! The metrics' text.
//!
//! Names and labels of Debezium's attributes are those of its own example rules for the JMX exporter
//! (`debezium_metrics_<Attribute>{plugin,name,context}`); what Debezium lacks has the prefix `headwater_`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus::proto::{Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder, TextEncoder};

use crate::model::modes::ConnectorKind;
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::{Activity, Pulse};
use crate::pipeline::status::State;
use crate::pipeline::translate::plugin;
use crate::worker::{Connector, Handle};

/// One series of one connector.
type Read = fn(&ConnectorMetrics) -> f64;

/// Attribute of Debezium's streaming MBean, and where its value is.
const DEBEZIUM: &[(&str, &str, Read)] = &[
    ("Connected", "1 while the connection to the database stands", |m| {
        f64::from(u8::from(m.connected.load(Ordering::Relaxed)))
    }),
    ("MilliSecondsBehindSource", "Between a change and its receipt, in milliseconds; -1 before the first", |m| {
        m.behind_source_now_ms() as f64
    }),
    (
        "MilliSecondsSinceLastEvent",
        "Since the last change was received, in milliseconds; -1 before the first",
        since_last_event,
    ),
    ("TotalNumberOfEventsSeen", "Rows inserted, updated and deleted", |m| {
        (m.creates.get() + m.updates.get() + m.deletes.get()) as f64
    }),
    ("TotalNumberOfCreateEventsSeen", "Rows inserted", |m| m.creates.get() as f64),
    ("TotalNumberOfUpdateEventsSeen", "Rows updated", |m| m.updates.get() as f64),
    ("TotalNumberOfDeleteEventsSeen", "Rows deleted", |m| m.deletes.get() as f64),
    ("NumberOfEventsFiltered", "Row events of tables that are not captured", |m| m.filtered.get() as f64),
    ("NumberOfErroneousEvents", "Events passed over because a setting says so", |m| {
        (m.erroneous.get() + m.passed_over.get()) as f64
    }),
    ("NumberOfCommittedTransactions", "Transactions read to their end", |m| m.transactions.get() as f64),
    ("NumberOfDisconnects", "Connections to the database that were lost or dropped", |m| m.disconnects.get() as f64),
    ("MaxQueueSizeInBytes", "Bound of the bytes between source and acknowledgement", |m| m.budget_bytes.get() as f64),
    ("CurrentQueueSizeInBytes", "Bytes between source and acknowledgement", |m| m.outstanding_bytes.get() as f64),
];

/// What only the connectors of MySQL and MariaDB have.
const BINLOG: &[(&str, &str, Read)] =
    &[("BinlogPosition", "Where in the binlog file reading is", |m| m.binlog_position.get() as f64)];

/// What only PostgreSQL's has. Debezium's position is a map, of which the number comes out under its key.
const POSTGRES: &[(&str, &str, Read)] = &[
    ("SourceEventPosition", "Where in the server's log reading is", |m| m.binlog_position.get() as f64),
    ("LastTransactionId", "The last transaction that was read to its end; 0 before the first", |m| {
        m.last_transaction.get() as f64
    }),
];

/// What Debezium has no attribute for.
const HEADWATER: &[(&str, &str, Read)] = &[
    ("headwater_events_read_total", "Events of the stream", |m| m.events_read.get() as f64),
    ("headwater_bytes_read_total", "Bytes of the stream", |m| m.bytes_read.get() as f64),
    ("headwater_records_sent_total", "Records handed to the producer", |m| m.records_sent.get() as f64),
    ("headwater_records_acknowledged_total", "Records that the broker has acknowledged", |m| {
        m.records_acknowledged.get() as f64
    }),
    ("headwater_records_skipped_total", "Records left out because a setting says so", |m| {
        m.records_skipped.get() as f64
    }),
    ("headwater_records_filtered_total", "Records that a transform left out", |m| m.records_filtered.get() as f64),
    ("headwater_commits_total", "Positions stored", |m| m.commits.get() as f64),
    ("headwater_commit_failures_total", "Positions that could not be stored", |m| m.commit_failures.get() as f64),
    ("headwater_last_commit_timestamp_seconds", "When the last position was stored", |m| {
        m.last_commit_ms.get() as f64 / 1000.0
    }),
    ("headwater_pipeline_restarts_total", "Times that the whole pipeline was built again", |m| {
        m.pipeline_restarts.get() as f64
    }),
    ("headwater_outstanding_batches", "Batches between source and acknowledgement", |m| {
        m.outstanding_batches.get() as f64
    }),
];

/// Connect's `task-error-metrics`, under the names that the usual rules for the JMX exporter give them.
const TASK_ERRORS: &[(&str, &str, Read)] = &[
    ("kafka_connect_task_error_total_record_failures", "Tries of transforms and converters that failed", |m| {
        m.task_errors.failures.get() as f64
    }),
    ("kafka_connect_task_error_total_record_errors", "Records that transforms or converters failed at", |m| {
        m.task_errors.errors.get() as f64
    }),
    ("kafka_connect_task_error_total_records_skipped", "Records left out because they failed", |m| {
        m.task_errors.skipped.get() as f64
    }),
    ("kafka_connect_task_error_total_retries", "Tries after the first", |m| m.task_errors.retries.get() as f64),
    ("kafka_connect_task_error_total_errors_logged", "Failures that were logged", |m| {
        m.task_errors.logged.get() as f64
    }),
    ("kafka_connect_task_error_deadletterqueue_produce_requests", "Records for the dead letter topic", |m| {
        m.task_errors.dead_letters.get() as f64
    }),
    ("kafka_connect_task_error_last_error_timestamp", "When a record failed last, in milliseconds; 0 before", |m| {
        m.task_errors.last_ms.get() as f64
    }),
];

fn since_last_event(metrics: &ConnectorMetrics) -> f64 {
    match metrics.last_received_ms.get() {
        0 => -1.0,
        last => (crate::util::clock::now_ms() - last).max(0) as f64,
    }
}

pub(super) fn label(name: &str, value: &str) -> LabelPair {
    let mut label = LabelPair::default();
    label.set_name(name.to_owned());
    label.set_value(value.to_owned());
    label
}

pub(super) fn metric(labels: Vec<LabelPair>, value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let mut metric = Metric::default();
    metric.set_label(labels);
    metric.set_gauge(gauge);
    metric
}

pub(super) fn family(name: &str, help: &str, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(MetricType::GAUGE);
    family.set_metric(metrics);
    family
}

/// What follows `debezium.` in the names of the connector's MBeans; PostgreSQL's is not the plugin's name in its records.
fn domain(kind: ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::Postgres => "postgres",
        ConnectorKind::MySql | ConnectorKind::MariaDb => plugin(kind),
    }
}

fn debezium_labels(connector: &Connector) -> Vec<LabelPair> {
    let mut labels = vec![
        label("context", "streaming"),
        label("name", connector.config().as_ref().map_or("", |config| &config.topics.prefix)),
        label("plugin", connector.kind().map_or("", domain)),
    ];
    labels.extend(connector.config().map(|config| tag_labels(&config.metric_tags)).unwrap_or_default());
    labels
}

/// `custom.metric.tags` as labels: what no label's name may have becomes `_`, and the names that the series have
/// already are not given twice.
fn tag_labels(tags: &[(String, String)]) -> Vec<LabelPair> {
    let mut seen = vec!["context".to_owned(), "name".to_owned(), "plugin".to_owned()];
    let mut labels = Vec::new();
    for (name, value) in tags {
        let legal = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
        let mut name: String = name.chars().map(legal).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            name.insert(0, '_');
        }
        if !seen.contains(&name) {
            labels.push(label(&name, value));
            seen.push(name);
        }
    }
    labels
}

fn pulses(metrics: &ConnectorMetrics) -> [(&'static str, &Pulse); 4] {
    [
        ("reader", &metrics.reader),
        ("encoders", &metrics.encoders),
        ("producer", &metrics.producer),
        ("committer", &metrics.committer),
    ]
}

/// Every series of every connector.
pub(super) fn text(worker: &Handle) -> prometheus::Result<String> {
    let connectors = worker.connectors();
    let mut families = Vec::new();
    if connectors.is_empty() {
        return Ok(String::new());
    }
    for (attribute, help, read) in DEBEZIUM {
        let named = connectors.iter().filter(|connector| connector.config().is_some());
        let series = named.map(|connector| metric(debezium_labels(connector), read(&connector.metrics())));
        families.push(family(&format!("debezium_metrics_{attribute}"), help, series.collect()));
    }
    families.extend(kind_families(&connectors));
    let own = |connector: &Arc<Connector>| label("connector", connector.name());
    for (name, help, read) in HEADWATER {
        let series = connectors.iter().map(|connector| metric(vec![own(connector)], read(&connector.metrics())));
        families.push(family(name, help, series.collect()));
    }
    for (name, help, read) in TASK_ERRORS {
        let of =
            |connector: &Arc<Connector>| metric(vec![own(connector), label("task", "0")], read(&connector.metrics()));
        families.push(family(name, help, connectors.iter().map(of).collect()));
    }
    let states = [State::Unassigned, State::Running, State::Restarting, State::Failed, State::Paused, State::Stopped];
    let series = connectors.iter().flat_map(|connector| {
        let now = connector.status().state;
        states.map(|state| {
            let labels = vec![own(connector), label("state", &state.name().to_ascii_lowercase())];
            metric(labels, f64::from(u8::from(state == now)))
        })
    });
    families.push(family("headwater_connector_state", "1 for the state that the connector is in", series.collect()));
    families.extend(pulse_families(&connectors));
    families.extend(super::flow_series::families(&connectors));
    let mut bytes = Vec::new();
    TextEncoder::new().encode(&families, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What one kind of connector has.
fn kind_families(connectors: &[Arc<Connector>]) -> Vec<MetricFamily> {
    let known = connectors.iter().filter(|connector| connector.kind().is_some());
    let (postgres, binlog): (Vec<&Arc<Connector>>, Vec<&Arc<Connector>>) =
        known.partition(|connector| connector.kind() == Some(ConnectorKind::Postgres));
    let mut families = Vec::new();
    for (of, attributes) in [(&binlog, BINLOG), (&postgres, POSTGRES)] {
        for (attribute, help, read) in attributes.iter().filter(|_| !of.is_empty()) {
            let series = of.iter().map(|connector| {
                let mut labels = debezium_labels(connector);
                if *attribute == "SourceEventPosition" {
                    labels.push(label("key", "lsn"));
                }
                metric(labels, read(&connector.metrics()))
            });
            families.push(family(&format!("debezium_metrics_{attribute}"), help, series.collect()));
        }
    }
    if !postgres.is_empty() {
        let of = |connector: &&Arc<Connector>| {
            metric(vec![label("connector", connector.name())], connector.metrics().unread_bytes.get() as f64)
        };
        let help = "Bytes of the server's log beyond what was read";
        families.push(family("headwater_unread_bytes", help, postgres.iter().map(of).collect()));
    }
    families
}

fn pulse_families(connectors: &[Arc<Connector>]) -> Vec<MetricFamily> {
    let (mut activities, mut progress, mut taken, mut given) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for connector in connectors {
        for (stage, pulse) in pulses(&connector.metrics()) {
            let labels = || vec![label("connector", connector.name()), label("stage", stage)];
            for activity in Activity::ALL {
                let mut with_activity = labels();
                with_activity.push(label("activity", activity.name()));
                activities.push(metric(with_activity, f64::from(u8::from(activity == pulse.activity()))));
            }
            progress.push(metric(labels(), pulse.last_progress_ns() as f64 / 1e9));
            let (items_in, items_out) = pulse.items();
            taken.push(metric(labels(), items_in as f64));
            given.push(metric(labels(), items_out as f64));
        }
    }
    vec![
        family("headwater_stage_activity", "1 for what the stage is doing", activities),
        family("headwater_stage_last_progress_timestamp_seconds", "When the stage last got on", progress),
        family("headwater_stage_items_in_total", "Items that the stage has taken", taken),
        family("headwater_stage_items_out_total", "Items that the stage has given out", given),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_labels_that_are_legal_and_come_once() {
        let tags = [("team", "a b"), ("k8s.zone", "z"), ("1st", "x"), ("name", "other"), ("team", "again")];
        let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let labels = tag_labels(&tags);
        let found: Vec<(&str, &str)> = labels.iter().map(|label| (label.name(), label.value())).collect();
        assert_eq!(found, [("team", "a b"), ("k8s_zone", "z"), ("_1st", "x")]);
    }
}
