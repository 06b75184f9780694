//! The watchdog's deadlines.

use std::time::Duration;

use crate::config::connector::Findings;
use crate::config::settings::Settings;

/// When something counts as stuck, and what is done then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchdogOptions {
    /// `headwater.watchdog.head.interval.ms`; `None` for never.
    pub head_interval: Option<Duration>,
    /// `headwater.watchdog.source.deadline.ms`.
    pub source_deadline: Duration,
    /// `headwater.watchdog.pipeline.deadline.ms`.
    pub pipeline_deadline: Duration,
    /// `headwater.watchdog.broker.deadline.ms`.
    pub broker_deadline: Duration,
    /// `headwater.watchdog.commit.deadline.ms`.
    pub commit_deadline: Duration,
    /// `headwater.watchdog.restart.after.ms`.
    pub restart_after: Duration,
    /// `headwater.watchdog.exit.after.ms`; `None` for never.
    pub exit_after: Option<Duration>,
    /// `headwater.canary.deadline.ms`; `None` for never.
    pub canary_deadline: Option<Duration>,
    /// `headwater.canary.read.back`.
    pub canary_read_back: bool,
    /// The table that signals are written to, where `headwater.canary.signal.table` lets the canary write to it.
    pub signal_table: Option<String>,
    /// `headwater.canary.interval.ms`; `None` where that is not so.
    pub canary_interval: Option<Duration>,
    /// `headwater.connection.max.age.ms`; `None` for never.
    pub renew_after: Option<Duration>,
}

pub(super) fn watchdog(settings: &Settings<'_>, findings: &mut Findings) -> WatchdogOptions {
    let signals = settings.flag("headwater.canary.signal.table");
    let signal_table = settings.list("signal.data.collection").into_iter().next().filter(|_| signals);
    if signals && signal_table.is_none() {
        findings.advise("headwater.canary.signal.table", "writes nothing: signal.data.collection names no table");
    }
    let millis = |name: &str| settings.millis(&format!("headwater.{name}.ms"));
    let unless_zero = |name: &str| Some(millis(name)).filter(|time| !time.is_zero());
    WatchdogOptions {
        head_interval: unless_zero("watchdog.head.interval"),
        source_deadline: millis("watchdog.source.deadline"),
        pipeline_deadline: millis("watchdog.pipeline.deadline"),
        broker_deadline: millis("watchdog.broker.deadline"),
        commit_deadline: millis("watchdog.commit.deadline"),
        restart_after: millis("watchdog.restart.after"),
        exit_after: unless_zero("watchdog.exit.after"),
        canary_deadline: unless_zero("canary.deadline"),
        canary_read_back: settings.flag("headwater.canary.read.back"),
        canary_interval: signal_table.is_some().then(|| millis("canary.interval")),
        signal_table,
        renew_after: unless_zero("connection.max.age"),
    }
}
