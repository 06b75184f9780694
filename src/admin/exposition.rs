//! The metrics' text.
//!
//! In: what the connectors count. Out: series. What Debezium and Kafka Connect have goes through rules that give it the names
//! that a team's dashboards and alerts ask for (`mbeans`, [`crate::observe::exporter`]); what they lack has the prefix
//! `headwater_` and stands beside it, whatever the rules are.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::error::AdminError;
use super::mbeans;
use super::windows::{LOOK_INTERVAL, Windows};
use crate::config::worker::WorkerConfig;
use crate::observe::exporter::{Exporter, LONGEST_FILE};
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::{Activity, Pulse};
use crate::observe::series::{Family, Kind, Label, Series, joined, text};
use crate::pipeline::status::State;
use crate::worker::{Connector, Handle};

/// One series of one connector.
type Read = fn(&ConnectorMetrics) -> f64;

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

/// Names and numbers of `/metrics`.
#[derive(Debug)]
pub(super) struct Exposition {
    exporter: Exporter,
    windows: Windows,
}

impl Exposition {
    /// With the rules that the worker's settings name.
    pub(super) fn new(config: &WorkerConfig) -> Result<Exposition, AdminError> {
        let refused = |place: &str, reason: String| AdminError::Rules { place: place.to_owned(), reason };
        let exporter = match &config.metrics_rules {
            Some(path) => {
                let place = path.display().to_string();
                let text = read(path).map_err(|error| refused(&place, error.to_string()))?;
                Exporter::parse(&text).map_err(|error| refused(&place, error.to_string()))?
            }
            None => Exporter::with_names(config.metrics_names)
                .map_err(|error| refused("headwater.metrics.names", error.to_string()))?,
        };
        Ok(Exposition { exporter, windows: Windows::default() })
    }

    /// Looks at the connectors now and then, for rates and means. Never ends.
    pub(super) async fn look_on(&self, worker: &Handle) {
        let mut interval = tokio::time::interval(LOOK_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            self.windows.look(worker);
        }
    }

    /// Every series of every connector that this worker is there for.
    pub(super) fn text(&self, worker: &Handle) -> String {
        let connectors = shown(worker);
        let mut families = self.exporter.families(&mbeans::of(worker, &connectors, &self.windows));
        families.extend(own_families(&connectors));
        text(&joined(families))
    }
}

/// The connectors that are shown: what another worker of the group runs now is shown by that one.
fn shown(worker: &Handle) -> Vec<Arc<Connector>> {
    let mut connectors = worker.connectors();
    if worker.leader().is_some() {
        connectors.retain(|connector| connector.is_of_file());
    }
    connectors
}

/// A file of rules. What is longer than any is a mistake.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(std::io::Error::other(format!("it is longer than {LONGEST_FILE} bytes")));
    }
    Ok(text)
}

pub(super) fn label(name: &str, value: &str) -> Label {
    (name.to_owned(), value.to_owned())
}

pub(super) fn metric(labels: Vec<Label>, value: f64) -> Series {
    Series { labels, value }
}

pub(super) fn family(name: &str, help: &str, series: Vec<Series>) -> Family {
    Family { name: name.to_owned(), help: help.to_owned(), kind: Kind::Gauge, series }
}

fn pulses(metrics: &ConnectorMetrics) -> [(&'static str, &Pulse); 4] {
    [
        ("reader", &metrics.reader),
        ("encoders", &metrics.encoders),
        ("producer", &metrics.producer),
        ("committer", &metrics.committer),
    ]
}

/// What Debezium and Connect lack.
fn own_families(connectors: &[Arc<Connector>]) -> Vec<Family> {
    let own = |connector: &Arc<Connector>| label("connector", connector.name());
    let mut families = Vec::new();
    for (name, help, read) in HEADWATER {
        let series = connectors.iter().map(|connector| metric(vec![own(connector)], read(&connector.metrics())));
        families.push(family(name, help, series.collect()));
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
    families.extend(pulse_families(connectors));
    families.extend(super::flow_series::families(connectors));
    families.extend(super::retention_series::families(connectors));
    families
}

fn pulse_families(connectors: &[Arc<Connector>]) -> Vec<Family> {
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
