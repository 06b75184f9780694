//! The canary: something is written to the database now and then, and it is seen whether it comes.
//!
//! ```text
//!  heartbeat.action.query ──▶ database ──▶ stream ──▶ handed over ──▶ acknowledged
//!          │                                              │               │
//!          └──────── InTheLog ───────────────────────────▶└─ UnderWay ───▶└─ Home: the round trip
//! ```
//!
//! In: a query that the user has put into the configuration to be run with each heartbeat. Out: what became of it.
//! Promised: nothing is written that was not asked for, and no record is made for it; it has a thread and a connection of
//! its own, so that a table that is locked holds up no stream. It has come when the stream has passed the place where the
//! server's log ended behind it, and the broker has acknowledged all that was handed over by then: the row itself where
//! its table is captured. Nothing here survives a crash.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::thread;
use crate::observe::markers::Stage;
use crate::observe::metrics::ConnectorMetrics;
use crate::source::Marker;
use crate::util::{clock, stop::Stop};

/// How often it is looked whether it has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// And how often once it has not come for this long.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_millis(100);

/// One that is waited for.
struct Round {
    written: Instant,
    /// Batches that were handed over when the stream had passed it.
    entered: Option<u64>,
}

struct Canary<'m> {
    marker: Box<dyn Marker>,
    metrics: &'m ConnectorMetrics,
    round: Option<Round>,
}

impl Canary<'_> {
    /// Writes one. While another is waited for, its time is the one that counts.
    fn write(&mut self) {
        let (canary, written) = (&self.metrics.canary, clock::moment());
        let first = self.round.is_none();
        match self.marker.write(first) {
            Ok(known) => {
                canary.written.add(1);
                if first && known {
                    self.round = Some(Round { written, entered: None });
                    canary.stage.set(Stage::InTheLog);
                }
            }
            Err(failure) => {
                canary.failures.add(1);
                tracing::warn!(code = %failure.code, reason = %failure.message, "heartbeat.action.query failed");
            }
        }
    }

    /// Looks how far it has come.
    fn look(&mut self) {
        let (canary, ladder) = (&self.metrics.canary, &self.metrics.ladder);
        let Some(round) = &mut self.round else { return };
        if round.entered.is_none() && self.marker.has_come() {
            round.entered = Some(ladder.entered.get());
            canary.stage.set(Stage::UnderWay);
        }
        if round.entered.is_some_and(|entered| ladder.settled.get() >= entered) {
            canary.round_trip_ms.set(i64::try_from(round.written.elapsed().as_millis()).unwrap_or(i64::MAX));
            canary.returned_ms.set(clock::now_ms());
            canary.returned.add(1);
            canary.stage.set(Stage::Home);
            self.round = None;
        }
    }

    /// Until it is to be looked again, or to be written.
    fn pause(&self, next: Instant) -> Duration {
        let until = clock::left_until(next).unwrap_or_default();
        match &self.round {
            Some(round) if round.written.elapsed() < SOON => until.min(LOOK_INTERVAL),
            Some(_) => until.min(LATER),
            None => until,
        }
    }
}

fn run(stop: &Stop, marker: Box<dyn Marker>, interval: Duration, metrics: &ConnectorMetrics) {
    let mut canary = Canary { marker, metrics, round: None };
    let mut next = clock::moment() + interval;
    while !stop.wait(canary.pause(next)) {
        if clock::left_until(next).is_none() {
            // What could not be written in time is not written twice as soon.
            next = clock::moment() + interval;
            canary.write();
        }
        if stop.is_set() {
            break;
        }
        canary.look();
    }
    metrics.canary.stage.set(Stage::Home);
}

/// Starts the thread, where there is something to be written.
pub(super) fn spawn(
    marker: Option<Box<dyn Marker>>,
    interval: Option<Duration>,
    stop: &Stop,
    metrics: &Arc<ConnectorMetrics>,
) {
    let (Some(marker), Some(interval)) = (marker, interval) else { return };
    let (stop, metrics) = (stop.clone(), metrics.clone());
    if let Err(failure) = thread::spawn("canary", move || run(&stop, marker, interval, &metrics)) {
        tracing::warn!(reason = %failure.message, "no thread to run heartbeat.action.query");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::error::Failure;
    use crate::pipeline::error::PipelineError;

    struct Scripted {
        fails: Arc<AtomicBool>,
        has_come: Arc<AtomicBool>,
    }

    impl Marker for Scripted {
        fn write(&mut self, _: bool) -> Result<bool, Failure> {
            match self.fails.load(Ordering::Relaxed) {
                true => Err(PipelineError::Abandoned { batches: 1 }.into()),
                false => Ok(true),
            }
        }

        fn has_come(&self) -> bool {
            self.has_come.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_marker_is_home_when_all_that_came_with_it_is_acknowledged() {
        let (metrics, fails, has_come) = (ConnectorMetrics::new(), Arc::default(), Arc::new(AtomicBool::new(false)));
        let marker = Scripted { fails: Arc::clone(&fails), has_come: has_come.clone() };
        let mut canary = Canary { marker: Box::new(marker), metrics: &metrics, round: None };
        let seen = |stage, written, returned, failures| {
            let markers = &metrics.canary;
            let counts = (markers.written.get(), markers.returned.get(), markers.failures.get());
            assert_eq!((markers.stage.get(), counts), (stage, (written, returned, failures)));
        };
        fails.store(true, Ordering::Relaxed);
        canary.write();
        canary.look();
        seen(Stage::Home, 0, 0, 1);
        fails.store(false, Ordering::Relaxed);
        canary.write();
        canary.look();
        seen(Stage::InTheLog, 1, 0, 1);
        // The next is written, and the first is waited for.
        canary.write();
        metrics.ladder.entered.add(5);
        has_come.store(true, Ordering::Relaxed);
        canary.look();
        seen(Stage::UnderWay, 2, 0, 1);
        assert_eq!(metrics.canary.round_trip_ms.get(), -1);
        metrics.ladder.entered.add(5);
        metrics.ladder.settled.add(5);
        canary.look();
        seen(Stage::Home, 2, 1, 1);
        assert!(metrics.canary.round_trip_ms.get() >= 0);
    }
}
