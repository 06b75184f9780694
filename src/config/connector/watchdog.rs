//! The watchdog's deadlines.

use std::time::Duration;

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
}

pub(super) fn watchdog(settings: &Settings<'_>) -> WatchdogOptions {
    let millis = |name: &str| settings.millis(&format!("headwater.watchdog.{name}.ms"));
    let unless_zero = |name: &str| Some(millis(name)).filter(|time| !time.is_zero());
    WatchdogOptions {
        head_interval: unless_zero("head.interval"),
        source_deadline: millis("source.deadline"),
        pipeline_deadline: millis("pipeline.deadline"),
        broker_deadline: millis("broker.deadline"),
        commit_deadline: millis("commit.deadline"),
        restart_after: millis("restart.after"),
        exit_after: unless_zero("exit.after"),
    }
}
