//! `GET /connectors/{connector}/flow` and `/connectors/{connector}/incidents`: what the watchdog says of a connector.

use serde_json::{Value, json};

use super::answer::{Answer, Result};
use super::connectors::find;
use super::rest::Asked;
use crate::observe::flow::Hop;
use crate::observe::incident::Incident;
use crate::observe::markers::{Markers, Stage};
use crate::worker::{Connector, Handle};

fn hop(hop: &Hop) -> Value {
    json!({
        "hop": hop.name,
        "count": hop.count,
        "unit": hop.unit,
        "waiting": hop.waiting,
        "waiting_unit": hop.waiting_unit,
        "behind_ms": hop.behind_ms,
    })
}

/// What the canary wrote, and how it came; null where nothing was.
fn canary(markers: &Markers) -> Value {
    let (written, failures) = (markers.written.get(), markers.failures.get());
    if written + failures == 0 {
        return Value::Null;
    }
    json!({
        "written": written,
        "failures": failures,
        "returned": markers.returned.get(),
        "under_way": markers.stage.get() != Stage::Home,
        "round_trip_ms": Some(markers.round_trip_ms.get()).filter(|time| *time >= 0),
        "read_back": markers.read_back.get(),
        "end_to_end_ms": Some(markers.end_to_end_ms.get()).filter(|time| *time >= 0),
        "not_read_back": Some(markers.unread.get()).filter(|reason| !reason.is_empty()),
        "returned_ms": Some(markers.returned_ms.get()).filter(|time| *time > 0),
    })
}

/// The verdict, on what it rests, the ladder, the last incident.
fn flow_of(connector: &Connector) -> Value {
    let (status, metrics) = (connector.status(), connector.metrics());
    let flow = metrics.flow.read();
    let behind = Some(flow.head_behind_bytes).filter(|bytes| *bytes >= 0);
    let unknown_since = Some(flow.head_unknown_since_ms).filter(|since| *since > 0);
    let head = Some(flow.head).filter(|head| !head.is_empty());
    json!({
        "name": connector.name(),
        "state": status.state.name(),
        "verdict": flow.verdict,
        "because": flow.because,
        "since_ms": flow.since_ms,
        "stalled_ms": flow.stalled_ms,
        "failure": status.failure.map(|failure| failure.to_string()),
        "attempt": status.attempt,
        "next_attempt_ms": status.next_attempt_ms,
        "head": { "position": head, "behind_bytes": behind, "unknown_since_ms": unknown_since },
        "canary": canary(&metrics.canary),
        "stored_position": metrics.stored_position.get(),
        "milliseconds_behind_source": metrics.behind_source_now_ms(),
        "ladder": flow.hops.iter().map(hop).collect::<Vec<_>>(),
        "incidents": flow.incidents,
        "last_incident": metrics.flow.incidents().first().map(Incident::json),
    })
}

/// How changes flow through one connector.
pub(super) fn flow(worker: &Handle, asked: &Asked) -> Result {
    Ok(Answer::ok(flow_of(&*find(worker, asked.name())?)))
}

/// Its incidents, the last one first.
pub(super) fn incidents(worker: &Handle, asked: &Asked) -> Result {
    let incidents = find(worker, asked.name())?.metrics().flow.incidents();
    Ok(Answer::ok(incidents.iter().map(Incident::json).collect()))
}
