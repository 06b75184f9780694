//! The watchdog's series on `/metrics`: the verdict, the ladder, the incidents.

use std::sync::Arc;

use super::exposition::{family, label, metric};
use crate::observe::flow::Flow;
use crate::observe::markers::Markers;
use crate::observe::series::Family;
use crate::util::clock;
use crate::worker::Connector;

/// One number of a connector.
type Read = fn(&Flow) -> f64;

const SERIES: &[(&str, &str, Read)] = &[
    ("headwater_flow_proven", "1 while changes flow, or would if there were any", |flow| {
        f64::from(u8::from(flow.proven))
    }),
    ("headwater_stalled_seconds", "For how long nothing has flowed that should; 0 when all flows", |flow| {
        flow.stalled_ms as f64 / 1000.0
    }),
    (
        "headwater_head_behind_bytes",
        "Bytes of the log between the stream and the server's head; -1 when not known",
        |flow| flow.head_behind_bytes as f64,
    ),
    (
        "headwater_head_unknown_seconds",
        "For how long it has not been known where the server's log ends; 0 while it is",
        |flow| match flow.head_unknown_since_ms {
            0 => 0.0,
            since => (clock::now_ms() - since).max(0) as f64 / 1000.0,
        },
    ),
    ("headwater_incidents_total", "Incidents that have begun since the process started", |flow| flow.incidents as f64),
];

/// One number of the canary.
type ReadMarkers = fn(&Markers) -> f64;

const CANARY: &[(&str, &str, ReadMarkers)] = &[
    (
        "headwater_canary_round_trip_seconds",
        "From the canary's last marker that came to the acknowledgement of all that came with it; -1 before it",
        |markers| match markers.round_trip_ms.get() {
            ..0 => -1.0,
            time => time as f64 / 1000.0,
        },
    ),
    ("headwater_canary_returned_timestamp_seconds", "When that was; 0 before it", |markers| {
        markers.returned_ms.get() as f64 / 1000.0
    }),
    (
        "headwater_canary_end_to_end_seconds",
        "From the canary's last marker whose record was read back from its topic to that moment; -1 before it",
        |markers| match markers.end_to_end_ms.get() {
            ..0 => -1.0,
            time => time as f64 / 1000.0,
        },
    ),
    ("headwater_canary_read_back_total", "Markers of the canary whose record was read back", |markers| {
        markers.read_back.get() as f64
    }),
    (
        "headwater_canary_unread",
        "1 while what came last is proven by the broker's acknowledgement only, as it could not be read back",
        |markers| f64::from(u8::from(!markers.unread.get().is_empty())),
    ),
    (
        "headwater_canary_written_total",
        "Markers that the canary has written: runs of heartbeat.action.query, rows of the signal table",
        |markers| markers.written.get() as f64,
    ),
    ("headwater_canary_failures_total", "Markers of the canary that could not be written", |markers| {
        markers.failures.get() as f64
    }),
];

/// The series of the connectors that have one.
fn canary(connectors: &[Arc<Connector>]) -> Vec<Family> {
    let metrics: Vec<_> = connectors.iter().map(|connector| (connector.name(), connector.metrics())).collect();
    let has_one = |markers: &Markers| markers.written.get() + markers.failures.get() > 0;
    let series = |read: &ReadMarkers| {
        let of = metrics.iter().filter(|(_, metrics)| has_one(&metrics.canary));
        of.map(|(connector, metrics)| metric(vec![label("connector", connector)], read(&metrics.canary))).collect()
    };
    CANARY.iter().map(|(name, help, read)| family(name, help, series(read))).collect()
}

/// The series of every connector.
pub(super) fn families(connectors: &[Arc<Connector>]) -> Vec<Family> {
    let flows: Vec<(&str, Flow)> =
        connectors.iter().map(|connector| (connector.name(), connector.metrics().flow.read())).collect();
    let mut families = Vec::new();
    for (name, help, read) in SERIES {
        let series = flows.iter().map(|(connector, flow)| metric(vec![label("connector", connector)], read(flow)));
        families.push(family(name, help, series.collect()));
    }
    let verdicts = flows.iter().filter(|(_, flow)| !flow.verdict.is_empty());
    let verdicts = verdicts
        .map(|(connector, flow)| metric(vec![label("connector", connector), label("verdict", flow.verdict)], 1.0));
    families.push(family("headwater_verdict", "The watchdog's verdict, as a label", verdicts.collect()));
    let (mut counts, mut waiting, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    for (connector, flow) in &flows {
        for hop in &flow.hops {
            let labels = |unit| vec![label("connector", connector), label("hop", hop.name), label("unit", unit)];
            counts.push(metric(labels(hop.unit), hop.count as f64));
            waiting.extend(hop.waiting.map(|count| metric(labels(hop.waiting_unit), count as f64)));
            let labels = vec![label("connector", connector), label("hop", hop.name)];
            behind.push(metric(labels, hop.behind_ms as f64 / 1000.0));
        }
    }
    families.push(family("headwater_hop_total", "What has come through each hop of the ladder", counts));
    families.push(family("headwater_hop_waiting", "What waits before each hop", waiting));
    families.push(family("headwater_hop_behind_seconds", "For how long the oldest of it has waited", behind));
    families.extend(canary(connectors));
    families
}
