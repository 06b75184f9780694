//! Storing positions: the seam between two disciplines.
//!
//! *After ack*, here: the position is written to the offset store once everything before it is acknowledged
//! (at least once). *In transaction*, later: the offset record travels in the same Kafka transaction as the
//! data (exactly once). Neither the sink nor the store knows which is in force; the pipeline asks a
//! [`Discipline`] to commit, and the discipline knows how.

use std::sync::Arc;
use std::time::Duration;

use super::desk::Desk;
use crate::error::Failure;
use crate::model::position::{self, OffsetMap, Position, Printed};
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::Activity;
use crate::util::backoff::Backoff;
use crate::util::{clock, stop::Stop};

/// The wait before a store that did not take a position is asked again for the first time.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// How a position becomes durable.
pub trait Discipline: Send {
    /// Makes the position durable; it is when this returns.
    ///
    /// # Errors
    /// When it could not be made durable; the old one is then still in force.
    fn commit(&mut self, offset: &OffsetMap) -> Result<(), Failure>;

    /// The connector has stopped because it was asked to, and everything that was read is delivered and stored.
    fn stopped(&mut self) {}
}

/// Commits what the desk says is delivered, at an interval and once more at the end.
pub struct Committer {
    /// The connector's name, for the log line that people count.
    connector: String,
    /// Where the resume point comes from.
    desk: Arc<Desk>,
    /// How it becomes durable.
    discipline: Box<dyn Discipline>,
    /// `offset.flush.interval.ms`.
    interval: Duration,
    /// Its numbers.
    metrics: Arc<ConnectorMetrics>,
    /// Whether the last position could not be stored.
    unanswered: bool,
}

impl Committer {
    /// A committer that has committed nothing yet. `connector` is for the log line that people count.
    pub fn new(
        connector: String,
        desk: Arc<Desk>,
        discipline: Box<dyn Discipline>,
        interval: Duration,
        metrics: Arc<ConnectorMetrics>,
    ) -> Self {
        Committer { connector, desk, discipline, interval, metrics, unanswered: false }
    }

    /// Whether the store did not take the last position that it was given.
    pub fn is_unanswered(&self) -> bool {
        self.unanswered
    }

    /// Commits at every interval until asked to stop. The last commit is [`Committer::finish`]'s.
    ///
    /// # Errors
    /// When the store refuses for a reason that waiting does not mend.
    pub fn run(&mut self, stop: &Stop) -> Result<(), Failure> {
        let mut seen = 0;
        let mut acknowledged = self.metrics.records_acknowledged.get();
        // A store that did not take a position is asked again soon, and not at the next interval.
        let mut backoff = Backoff::new(FIRST_RETRY.min(self.interval), self.interval);
        let mut wait = self.interval;
        while !stop.wait(wait) {
            wait = self.interval;
            let Err(failure) = self.commit(&mut seen, &mut acknowledged) else {
                backoff.reset();
                continue;
            };
            self.metrics.commit_failures.add(1);
            tracing::warn!(code = %failure.code, reason = %failure.message, "the position could not be stored; the old one stays in force");
            if failure.code.disposition != crate::error::Disposition::Retry {
                return Err(failure);
            }
            wait = backoff.next_delay();
        }
        Ok(())
    }

    /// Commits what is delivered by now.
    ///
    /// # Errors
    /// When it could not be made durable.
    pub fn finish(&mut self) -> Result<(), Failure> {
        let (mut seen, mut acknowledged) = (0, 0);
        let result = self.commit(&mut seen, &mut acknowledged);
        self.metrics.committer.set(Activity::Stopped);
        result
    }

    /// Tells the discipline that the connector has stopped in order.
    pub fn stopped(&mut self) {
        self.discipline.stopped();
    }

    fn commit(&mut self, seen: &mut u64, acknowledged: &mut u64) -> Result<(), Failure> {
        let at = self.metrics.ladder.settled.get();
        let (position, delivered): (Option<Position>, u64) = self.desk.resume_point();
        let Some(position) = position else { return Ok(()) };
        // What was settled behind a batch that is not does not move the position.
        if delivered == *seen {
            self.metrics.ladder.stored.set(at);
            self.metrics.committer.set(Activity::Idle);
            return Ok(());
        }
        let count = self.metrics.records_acknowledged.get();
        self.metrics.committer.set(Activity::BlockedOnStore);
        let (offset, begun) = (position.offset(), clock::moment());
        let committed = self.discipline.commit(&offset);
        self.metrics.commit_times.note(begun.elapsed());
        self.unanswered = committed.is_err();
        // Of one that refused, nothing is awaited until it is asked again.
        self.metrics.committer.set(Activity::Idle);
        committed?;
        self.metrics.committer.progress(1, 1, clock::now_ns());
        self.metrics.ladder.stored.set(at);
        self.metrics.commits.add(1);
        self.metrics.last_commit_ms.set(clock::now_ms());
        self.metrics.stored_source_ms.set(position::time_ms(&offset).unwrap_or(0));
        self.metrics.stored_position.set(Printed(&*position).to_string());
        if count > *acknowledged {
            // People count this phrase of Kafka Connect's.
            tracing::info!(
                "WorkerSourceTask{{id={}-0}} Committing offsets for {} acknowledged messages",
                self.connector,
                count - *acknowledged
            );
        }
        (*seen, *acknowledged) = (delivered, count);
        Ok(())
    }
}
