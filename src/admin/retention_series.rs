//! Series of what a server keeps for a connector, and of how old that is which is stored.
//!
//! In: what the prober heard of the server's log, and when the stored position was written there. Out: series. One that is not
//! known, or has no meaning for a database, is not there.

use std::sync::Arc;

use super::exposition::{family, label, metric};
use crate::model::modes::ConnectorKind;
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::series::Family;
use crate::util::clock;
use crate::worker::Connector;

/// The class of the transform that makes a connector an outbox.
const EVENT_ROUTER: &str = ".EventRouter";

/// One connector.
struct Scene {
    metrics: Arc<ConnectorMetrics>,
    kind: ConnectorKind,
    outbox: bool,
}

/// A number of a connector, where it has one.
type Read = fn(&Scene) -> Option<f64>;

const SERIES: &[(&str, &str, Read)] = &[
    (
        "headwater_behind_source_seconds",
        "As MilliSecondsBehindSource: it grows while nothing flows that should",
        |scene| {
            let behind = scene.metrics.behind_source_now_ms();
            (behind >= 0).then_some(behind as f64 / 1000.0)
        },
    ),
    (
        "headwater_stored_age_seconds",
        "Since the database wrote what the stored position stands behind; no more than the time between two questions when it has written nothing since",
        stored_age,
    ),
    ("headwater_unread_bytes", "Bytes of the server's log beyond what was read", |scene| {
        (scene.kind == ConnectorKind::Postgres).then_some(scene.metrics.unread_bytes.get() as f64)
    }),
    ("headwater_log_retained_bytes", "Bytes of the log that the server keeps for the slot", |scene| {
        known(scene.metrics.ladder.head.retained_bytes.get())
    }),
    (
        "headwater_log_retained_room_bytes",
        "Bytes that may yet be written before the server gives the slot up (max_slot_wal_keep_size)",
        |scene| known(scene.metrics.ladder.head.room_bytes.get()),
    ),
    ("headwater_log_kept_seconds", "For how long the server keeps its log (binlog_expire_logs_seconds)", |scene| {
        known(scene.metrics.ladder.head.kept_seconds.get())
    }),
    (
        "headwater_log_purge_seconds",
        "Until the server may purge the log behind the stored position, at the earliest; below 0 it may have",
        |scene| Some(known(scene.metrics.ladder.head.kept_seconds.get())? - stored_age(scene)?),
    ),
    ("headwater_outbox_backlog_bytes", "Bytes of the log that the outbox is behind", |scene| {
        let unread = known(scene.metrics.ladder.head.behind_bytes.get())?;
        scene.outbox.then_some(unread + scene.metrics.outstanding_bytes.get() as f64)
    }),
    (
        "headwater_outbox_oldest_seconds",
        "Age of the oldest event of the outbox that is not delivered, at most",
        |scene| oldest_undelivered(scene).filter(|_| scene.outbox),
    ),
];

/// -1 stands for what is not known.
fn known(number: i64) -> Option<f64> {
    (number >= 0).then_some(number as f64)
}

fn stored_age(scene: &Scene) -> Option<f64> {
    let head = &scene.metrics.ladder.head;
    let stored = scene.metrics.stored_source_ms.get().max(head.covered_ms.get());
    // Where nobody asks the server for its head, an idle database cannot be told from one that was not read.
    let asked = head.answers.get() > 0;
    (asked && stored > 0).then(|| (clock::now_ms() - stored).max(0) as f64 / 1000.0)
}

/// No more than the time since all was delivered, and no more than the lag with what waits for acknowledgement.
fn oldest_undelivered(scene: &Scene) -> Option<f64> {
    let (delivered, behind) = (scene.metrics.ladder.head.delivered_ms.get(), scene.metrics.behind_source_now_ms());
    let hops = scene.metrics.flow.read().hops;
    let waits = hops.iter().find(|hop| hop.name == "acknowledged").map_or(0, |hop| hop.behind_ms);
    let since = (delivered > 0).then(|| (clock::now_ms() - delivered).max(0));
    let lag = (behind >= 0).then_some(behind.saturating_add(waits));
    Some([since, lag].into_iter().flatten().min()? as f64 / 1000.0)
}

/// The series of every connector.
pub(super) fn families(connectors: &[Arc<Connector>]) -> Vec<Family> {
    let scene = |connector: &Arc<Connector>| {
        let config = connector.config()?;
        let outbox =
            config.original.iter().any(|(name, value)| name.ends_with(".type") && value.ends_with(EVENT_ROUTER));
        Some((connector.name().to_owned(), Scene { metrics: connector.metrics(), kind: config.kind, outbox }))
    };
    let scenes: Vec<(String, Scene)> = connectors.iter().filter_map(scene).collect();
    let series = |(name, help, read): &(&str, &str, Read)| {
        let series = scenes
            .iter()
            .filter_map(|(connector, scene)| Some(metric(vec![label("connector", connector)], read(scene)?)));
        family(name, help, series.collect())
    };
    SERIES.iter().map(series).collect()
}
