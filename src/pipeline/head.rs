//! The prober: asks the server now and then where its log ends, and notes what it says on the ladder.
//!
//! It has a thread of its own, because a server that hangs holds it up. Nobody waits for it: it shares counters with
//! the rest, sees by its flag that its attempt is over, and a question that hangs then ends by its own deadline.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::thread;
use crate::error::Disposition;
use crate::observe::ladder::Ladder;
use crate::observe::metrics::ConnectorMetrics;
use crate::source::{HeadProbe, KeptLog};
use crate::util::clock;
use crate::util::stop::Stop;

/// After so many questions without an answer they are asked less often: a server in trouble is not to be asked for a
/// connection each second by everyone.
const PATIENT_FAILURES: u32 = 5;

/// The longest pause between two questions; a server that is held up may keep a process for each that nobody waits for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The pause before the next question.
fn pause(failures: u32, interval: Duration) -> Duration {
    let doublings = failures.saturating_sub(PATIENT_FAILURES).min(16);
    interval.saturating_mul(1 << doublings).min(LONGEST_PAUSE.max(interval))
}

/// Notes what the server keeps, and whether all that it had was delivered, and stored.
fn note_kept(ladder: &Ladder, behind: Option<i64>, kept: KeptLog) {
    let known = |number: Option<u64>| number.map_or(-1, |number| i64::try_from(number).unwrap_or(i64::MAX));
    let head = &ladder.head;
    head.retained_bytes.set(known(kept.retained_bytes));
    head.room_bytes.set(known(kept.room_bytes));
    head.kept_seconds.set(known(kept.time.map(|time| time.as_secs())));
    let entered = ladder.entered.get();
    for (rung, covered) in [(&ladder.settled, &head.delivered_ms), (&ladder.stored, &head.covered_ms)] {
        if behind == Some(0) && rung.get() >= entered {
            covered.set(clock::now_ms());
        }
    }
}

/// Asks until it is stopped, or the server says that it will never answer.
pub(super) fn ask_until(stop: &Stop, mut probe: Box<dyn HeadProbe>, interval: Duration, metrics: &ConnectorMetrics) {
    let head = &metrics.ladder.head;
    let mut failures = 0u32;
    loop {
        if stop.wait(pause(failures, interval)) {
            return;
        }
        match probe.ask() {
            // The answer of an attempt that is over says nothing about the one that is not.
            Ok(_) if stop.is_set() => return,
            Ok(reading) => {
                failures = 0;
                let behind = reading.behind_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
                head.position.set(reading.head);
                head.sent_as_kept.store(reading.sent_as_kept, Ordering::Relaxed);
                head.behind_bytes.set(behind.unwrap_or(-1));
                if reading.moved || reading.busy || behind.is_none_or(|bytes| bytes == 0) {
                    head.alive.add(1);
                }
                note_kept(&metrics.ladder, behind, reading.kept);
                head.answers.add(1);
            }
            Err(failure) if stop.is_set() => drop(failure),
            Err(failure) if failure.code.disposition == Disposition::Retry => {
                failures = failures.saturating_add(1);
                // What it said last is known for a while; the watchdog sees that no answer comes.
                head.failures.add(1);
                tracing::debug!(code = %failure.code, reason = %failure.message, "the server did not say where its log ends");
            }
            Err(failure) => {
                head.failures.add(1);
                head.forget();
                tracing::warn!(
                    code = %failure.code,
                    reason = %failure.message,
                    "the server does not say where its log ends; a stream that stands still is only noticed when the server is silent too"
                );
                return;
            }
        }
    }
}

/// Starts the thread; `None` when there is nothing to ask or no thread to be had, which takes nothing from the stream.
pub(super) fn spawn(
    probe: Option<Box<dyn HeadProbe>>,
    interval: Option<Duration>,
    stop: &Stop,
    metrics: &Arc<ConnectorMetrics>,
) {
    let (Some(probe), Some(interval)) = (probe, interval) else { return };
    metrics.ladder.head.interval_ms.set(i64::try_from(interval.as_millis()).unwrap_or(i64::MAX));
    let (stop, metrics) = (stop.clone(), metrics.clone());
    if let Err(failure) = thread::spawn("head", move || ask_until(&stop, probe, interval, &metrics)) {
        tracing::warn!(reason = %failure.message, "no thread to ask the server where its log ends");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_does_not_answer_is_asked_less_and_less_often() {
        for (failures, seconds) in [(0, 1), (5, 1), (6, 2), (8, 8), (11, 60), (u32::MAX, 60)] {
            assert_eq!(pause(failures, Duration::from_secs(1)), Duration::from_secs(seconds), "{failures}");
        }
        assert_eq!(pause(9, Duration::from_secs(300)), Duration::from_secs(300));
    }
}
