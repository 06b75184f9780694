//! Rates, shares and means of the last half minute, as Kafka's metrics have them.
//!
//! In: every connector's counters, looked at every few seconds. Out: what has changed between the oldest look and the newest.
//! Nobody but `/metrics` has anything of it, so the threads of the connectors only count.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::observe::metrics::ConnectorMetrics;
use crate::pipeline::status::State;
use crate::util::clock;
use crate::worker::{Connector, Handle};

/// How often is looked.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Looks that are kept: half a minute, which is what Kafka's metrics look back on.
const LOOKS: usize = 7;

/// What was seen at one look.
#[derive(Clone, Debug)]
struct Look {
    at: Instant,
    state: State,
    polled: u64,
    written: u64,
    retried: u64,
    failed: u64,
    bytes: u64,
    received: u64,
    batches: u64,
    active: u64,
    commits: u64,
    commit_failures: u64,
    commit_ms: u64,
    /// The longest one since the look before.
    commit_max_ms: u64,
}

impl Look {
    fn of(connector: &Connector, metrics: &ConnectorMetrics) -> Look {
        let producer = &metrics.sent;
        Look {
            at: clock::moment(),
            state: connector.status().state,
            polled: polled(metrics),
            written: metrics.records_acknowledged.get(),
            retried: producer.request_retries.get(),
            failed: producer.records_failed.get(),
            bytes: producer.request_bytes.get(),
            received: producer.response_bytes.get(),
            batches: metrics.ladder.produced.get(),
            active: metrics.records_in_flight.get(),
            commits: metrics.commits.get(),
            commit_failures: metrics.commit_failures.get(),
            commit_ms: metrics.commit_times.total_ms(),
            commit_max_ms: metrics.commit_times.take_longest_ms(),
        }
    }
}

/// Records that came out of the source, whatever became of them.
pub(super) fn polled(metrics: &ConnectorMetrics) -> u64 {
    metrics.records_sent.get() + metrics.records_filtered.get() + metrics.records_skipped.get()
}

/// What the last half minute was like. A share or a mean of nothing is NaN, as Kafka has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    /// Records a second that came out of the source.
    pub(super) poll_rate: f64,
    /// Records a second that the broker has acknowledged.
    pub(super) write_rate: f64,
    /// Requests a second that were tried again.
    pub(super) retry_rate: f64,
    /// Records a second that failed.
    pub(super) error_rate: f64,
    /// Bytes a second on the wire to the brokers.
    pub(super) byte_rate: f64,
    /// Bytes a second on the wire from them.
    pub(super) response_rate: f64,
    /// Records in a batch.
    pub(super) batch_mean: f64,
    /// Share of the time that the connector ran.
    pub(super) running: f64,
    /// Share of the time that it was paused.
    pub(super) paused: f64,
    /// Records under way: the most, and the mean.
    pub(super) active: (f64, f64),
    /// Milliseconds to store a position: the most, and the mean.
    pub(super) commit_ms: (f64, f64),
    /// Share of the attempts to store a position that succeeded; 1 where there was none: where there is nothing new to store,
    /// Connect counts that as done.
    pub(super) commit_success: f64,
    /// Share of those that failed.
    pub(super) commit_failure: f64,
}

/// The looks at every connector.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<BTreeMap<String, VecDeque<Look>>>);

impl Windows {
    /// Looks at every connector, and forgets those that are gone.
    pub(super) fn look(&self, worker: &Handle) {
        let connectors = worker.connectors();
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.retain(|name, _| connectors.iter().any(|connector| connector.name() == name));
        for connector in &connectors {
            let look = Look::of(connector, &connector.metrics());
            let looks = windows.entry(connector.name().to_owned()).or_default();
            // A connector that was configured anew counts from nothing.
            if looks.back().is_some_and(|last| last.polled > look.polled || last.commits > look.commits) {
                looks.clear();
            }
            looks.push_back(look);
            while looks.len() > LOOKS {
                looks.pop_front();
            }
        }
    }

    /// The window of a connector; `None` before the first look.
    pub(super) fn of(&self, connector: &str) -> Option<Window> {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        window(windows.get(connector)?)
    }
}

fn window(looks: &VecDeque<Look>) -> Option<Window> {
    let (first, last) = (looks.front()?, looks.back()?);
    let seconds = last.at.saturating_duration_since(first.at).as_secs_f64();
    let grown = |count: fn(&Look) -> u64| count(last).saturating_sub(count(first)) as f64;
    let rate = |count: fn(&Look) -> u64| if seconds > 0.0 { grown(count) / seconds } else { 0.0 };
    let share = |state: State| looks.iter().filter(|look| look.state == state).count() as f64 / looks.len() as f64;
    let most = |count: fn(&Look) -> u64| looks.iter().map(count).max().unwrap_or(0) as f64;
    let (commits, failures) = (grown(|look| look.commits), grown(|look| look.commit_failures));
    let commit_failure = if failures > 0.0 { failures / (commits + failures) } else { 0.0 };
    let active = looks.iter().map(|look| look.active as f64).sum::<f64>() / looks.len() as f64;
    Some(Window {
        poll_rate: rate(|look| look.polled),
        write_rate: rate(|look| look.written),
        retry_rate: rate(|look| look.retried),
        error_rate: rate(|look| look.failed),
        byte_rate: rate(|look| look.bytes),
        response_rate: rate(|look| look.received),
        batch_mean: grown(|look| look.polled) / grown(|look| look.batches),
        running: share(State::Running),
        paused: share(State::Paused),
        active: (most(|look| look.active), active),
        commit_ms: match commits > 0.0 {
            true => (most(|look| look.commit_max_ms), grown(|look| look.commit_ms) / commits),
            false => (f64::NAN, f64::NAN),
        },
        commit_success: 1.0 - commit_failure,
        commit_failure,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_window_is_what_changed_between_its_ends() {
        let begin = clock::moment();
        let look = |seconds: u64, state, written: u64, commits: u64, commit_failures: u64| Look {
            at: begin + Duration::from_secs(seconds),
            state,
            polled: written * 2,
            written,
            retried: 0,
            failed: 0,
            bytes: 0,
            received: 0,
            batches: seconds,
            active: written,
            commits,
            commit_failures,
            commit_ms: commits * 7,
            commit_max_ms: seconds,
        };
        let looks = VecDeque::from([look(0, State::Restarting, 0, 0, 0), look(10, State::Running, 50, 3, 1)]);
        let found = window(&looks).unwrap();
        assert_eq!((found.poll_rate, found.write_rate, found.batch_mean), (10.0, 5.0, 10.0));
        assert_eq!((found.running, found.paused, found.active), (0.5, 0.0, (50.0, 25.0)));
        assert_eq!((found.commit_ms, found.commit_success, found.commit_failure), ((10.0, 7.0), 0.75, 0.25));
        let alone = window(&VecDeque::from([look(0, State::Paused, 5, 1, 0)])).unwrap();
        assert_eq!((alone.write_rate, alone.paused, alone.commit_success), (0.0, 1.0, 1.0));
        assert!(alone.commit_ms.1.is_nan());
        assert_eq!(window(&VecDeque::new()), None);
    }
}
