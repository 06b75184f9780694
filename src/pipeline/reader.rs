//! The reader: one blocking thread that takes batches from the source, enters them at the desk and hands
//! them to the encoders.
//!
//! A connection that fails is dropped and made again here, after the last batch that was handed over: what
//! is under way to the broker is not disturbed, so nothing comes twice. Everything else ends the pipeline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flume::{Receiver, SendTimeoutError, Sender};

use super::desk::Desk;
use super::encode::Job;
use super::inline::{Inline, Sent};
use super::orders::Orders;
use super::status::{Part, StatusBoard};
use crate::error::{Disposition, Failure};
use crate::model::change::{Batch, Change};
use crate::model::position::Printed;
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::Activity;
use crate::source::{Read, Source};
use crate::util::backoff::Backoff;
use crate::util::{clock, stop::Stop};

/// How often a reader whose encoders are busy looks whether it should stop.
const STOP_POLL: Duration = Duration::from_millis(100);

/// How often the source's report is taken over into the metrics.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What a batch costs the budget beside its bytes: its changes and the encoder's descriptors.
const BATCH_OVERHEAD_BYTES: u64 = 4 * 1024;

/// While changes come in small batches, the next is read so long after the last: meanwhile more come, and cost no more than one.
/// On the short way it is so on average, in whole milliseconds. At 2,000 small transactions a second 1 ms took 0.13 core with a
/// median of 1.1 ms from commit to consumer, 1.5 ms took 0.09 with 1.4 ms.
const PACE: Duration = Duration::from_micros(1_400);

/// Larger batches are a backlog, which is read as fast as it comes.
const PACED_BYTES: usize = 64 * 1024;

/// A connection that lived this long was a good one.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Beyond so many times twice its age a connection that brings nothing is made anew all the same.
const MOST_DOUBLINGS: u32 = 10;

/// How the reader behaves.
#[derive(Clone, Debug)]
pub struct ReaderOptions {
    /// Time between records on the heartbeat topic; `None` for none.
    pub heartbeat_interval: Option<Duration>,
    /// The wait after the first attempt that failed.
    pub reconnect_first: Duration,
    /// The longest wait between two connection attempts.
    pub reconnect_limit: Duration,
    /// After how many failed attempts in a row to give up; `None` for never.
    pub reconnect_attempts: Option<u32>,
    /// The age at which a connection that works is made anew; `None` for never.
    pub renew_after: Option<Duration>,
}

/// A batch is handed over.
struct Handed {
    /// The next one.
    empty: Batch,
    /// It went the short way.
    short: bool,
}

/// The reader's side of the pipeline.
pub struct Reader {
    /// How it behaves.
    pub options: ReaderOptions,
    /// Where its batches are entered.
    pub desk: Arc<Desk>,
    /// Where its batches go.
    pub jobs: Sender<Job>,
    /// The short way for small ones; `None` where all go the long one.
    pub inline: Option<Inline>,
    /// Batches to use again.
    pub spare: Receiver<Batch>,
    /// Its numbers.
    pub metrics: Arc<ConnectorMetrics>,
    /// Where it says how it is.
    pub board: Arc<StatusBoard>,
    /// What the watchdog asks of it.
    pub orders: Arc<Orders>,
    /// Set when it should stop.
    pub stop: Stop,
}

impl Reader {
    /// Reads until asked to stop.
    ///
    /// # Errors
    /// What a new connection does not mend.
    pub fn run(mut self, mut source: Box<dyn Source>) -> Result<(), Failure> {
        let result = self.read_on(&mut *source);
        self.metrics.reader.set(Activity::Stopped);
        self.metrics.connected.store(false, std::sync::atomic::Ordering::Relaxed);
        result
    }

    fn read_on(&mut self, source: &mut dyn Source) -> Result<(), Failure> {
        let mut running = false;
        let mut connections = Connections {
            backoff: Backoff::new(self.options.reconnect_first, self.options.reconnect_limit),
            made_at: clock::moment(),
            lost_at: String::new(),
            renewed_at: String::new(),
            renewed_in_vain: 0,
        };
        let mut next_report = clock::moment();
        let mut next_heartbeat = self.options.heartbeat_interval.map(|interval| clock::moment() + interval);
        let mut batch = self.empty(source);
        while !self.stop.is_set() {
            // Looked at between batches: what was read and not handed over would be passed over by a new connection.
            if let Some(order) = self.orders.renew_source.take() {
                self.reconnect(source, order, true, &mut connections)?;
                running = false;
                continue;
            }
            if self.options.renew_after.is_some_and(|age| connections.made_at.elapsed() >= connections.age(age)) {
                running &= self.renew(source, &mut connections)?;
                continue;
            }
            self.metrics.reader.set(Activity::BlockedOnSource);
            let read = match source.read(&mut batch) {
                Ok(read) => read,
                Err(failure) => {
                    self.reconnect(source, failure, false, &mut connections)?;
                    // A new connection proves nothing before the server is heard on it.
                    running = false;
                    continue;
                }
            };
            let read_at = clock::moment();
            self.metrics.ladder.turns.add(1);
            self.metrics.connected.store(true, std::sync::atomic::Ordering::Relaxed);
            if !running {
                running = true;
                self.board.heard();
            }
            if heartbeat_is_due(&mut Some(next_report), Some(REPORT_INTERVAL)) {
                next_report = clock::moment() + REPORT_INTERVAL;
                self.report(source);
            }
            self.metrics.ladder.changes.add(batch.changes.len() as u64);
            if heartbeat_is_due(&mut next_heartbeat, self.options.heartbeat_interval) {
                batch.changes.push(Change::Heartbeat);
                batch.position = source.position();
                batch.received_ns = clock::now_ns();
            } else if read == Read::Idle {
                continue;
            }
            let gathers = !batch.changes.is_empty() && batch.bytes <= PACED_BYTES;
            let Some(handed) = self.hand_over(batch, source)? else { break };
            batch = handed.empty;
            if gathers {
                self.gather(read_at, handed.short)?;
            }
        }
        Ok(())
    }

    fn report(&self, source: &dyn Source) {
        let report = source.report();
        let metrics = &self.metrics;
        if report.events_read != metrics.events_read.get() {
            metrics.last_event_ms.set(clock::now_ms());
        }
        metrics.events_read.set(report.events_read);
        metrics.bytes_read.set(report.bytes_read);
        metrics.transactions.set(report.transactions);
        metrics.filtered.set(report.filtered);
        metrics.passed_over.set(report.passed_over);
        metrics.binlog_file.set(report.file);
        metrics.binlog_position.set(i64::try_from(report.position).unwrap_or(i64::MAX));
        metrics.last_transaction.set(report.last_transaction.unwrap_or(0));
        metrics.unread_bytes.set(report.unread_bytes.map_or(0, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)));
        metrics.gtid_set.set(report.gtids.unwrap_or_default());
        metrics.captured_tables.set(report.captured_tables.join(","));
        if report.last_change_ms != 0 {
            metrics.last_source_ms.set(report.last_change_ms);
            metrics.behind_source_ms.set((metrics.last_received_ms.get() - report.last_change_ms).max(0));
        }
    }

    fn empty(&self, source: &dyn Source) -> Batch {
        let Ok(mut batch) = self.spare.try_recv() else {
            let (block, changes) = (Vec::new(), Vec::new());
            return Batch { block, bytes: 0, changes, position: source.position(), received_ns: 0 };
        };
        batch.clear();
        batch
    }

    /// Enters a batch and hands it over; `None` when asked to stop before that.
    fn hand_over(&mut self, batch: Batch, source: &dyn Source) -> Result<Option<Handed>, Failure> {
        let bytes = batch.bytes as u64 + BATCH_OVERHEAD_BYTES;
        if self.desk.is_full(bytes) {
            self.metrics.reader.set(Activity::BlockedOnBudget);
        }
        let Some(ticket) = self.desk.enter(batch.position.clone(), bytes, &self.stop) else { return Ok(None) };
        let items = batch.changes.len() as u64;
        if items > 0 {
            self.metrics.last_received_ms.set(batch.received_ns / 1_000_000);
        }
        self.metrics.reader.set(Activity::BlockedOnNextStage);
        let job = Job { batch, ticket };
        let sent = match &mut self.inline {
            Some(inline) => inline.send(job)?,
            None => Sent::Long(job),
        };
        let handed = match sent {
            Sent::Short(empty) => Handed { empty, short: true },
            Sent::Long(job) => match self.queue(job) {
                true => Handed { empty: self.empty(source), short: false },
                false => return Ok(None),
            },
            Sent::Aborted => return Ok(None),
        };
        self.metrics.reader.progress(items, items, clock::now_ns());
        Ok(Some(handed))
    }

    /// Lets more changes come before the next are read.
    fn gather(&mut self, read_at: Instant, short: bool) -> Result<(), Failure> {
        self.metrics.reader.set(Activity::BlockedOnSource);
        let waited = match &mut self.inline {
            Some(inline) if short => inline.gather(PACE)?,
            Some(_) | None => false,
        };
        if !waited {
            self.stop.wait(PACE.saturating_sub(read_at.elapsed()));
        }
        Ok(())
    }

    /// Gives a job to the encoders; `false` when asked to stop before that.
    fn queue(&self, mut job: Job) -> bool {
        loop {
            match self.jobs.send_timeout(job, STOP_POLL) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) if !self.stop.is_set() => job = back,
                Err(_) => return false,
            }
        }
    }

    /// Makes a connection that works anew, because it is old: nothing has failed, and nobody is told. Says whether that
    /// went well at once. It counts as listening meanwhile, so that the watchdog sees one that takes too long.
    fn renew(&self, source: &mut dyn Source, connections: &mut Connections) -> Result<bool, Failure> {
        let at_the_head = self.metrics.ladder.head.behind_bytes.get() == 0;
        connections.renewed(Printed(&*source.position()).to_string(), at_the_head);
        self.metrics.ladder.renewals.add(1);
        let renewed = source.reconnect();
        connections.made_at = clock::moment();
        match renewed {
            Ok(()) => {
                tracing::info!(position = %Printed(&*source.position()), "the connection to the database was made anew, as it was old");
                Ok(true)
            }
            Err(failure) => self.reconnect(source, failure, false, connections).map(|()| false),
        }
    }

    /// Drops the connection and makes a new one. `ordered`: because the watchdog asks for it, which is none of the
    /// attempts that `errors.max.retries` allows.
    fn reconnect(
        &self,
        source: &mut dyn Source,
        mut failure: Failure,
        mut ordered: bool,
        connections: &mut Connections,
    ) -> Result<(), Failure> {
        let lost_at = clock::moment();
        let mut at_once = connections.lost(Printed(&*source.position()).to_string());
        let backoff = &mut connections.backoff;
        self.metrics.connected.store(false, std::sync::atomic::Ordering::Relaxed);
        loop {
            if self.stop.is_set() {
                return Ok(());
            }
            if failure.code.disposition != Disposition::Retry {
                return Err(failure);
            }
            let ordered = std::mem::take(&mut ordered);
            if !ordered && self.options.reconnect_attempts.is_some_and(|limit| backoff.attempts() >= limit) {
                return Err(failure);
            }
            self.metrics.disconnects.add(1);
            let delay = if ordered { Duration::ZERO } else { backoff.next_delay() };
            let delay = if std::mem::take(&mut at_once) { Duration::ZERO } else { delay };
            tracing::warn!(
                code = %failure.code,
                reason = %failure.message,
                attempt = backoff.attempts(),
                delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                "connection to the database lost: dropping it and connecting again"
            );
            self.board.restarting(Part::Source, failure, backoff.attempts().max(1), delay);
            if self.stop.wait(delay) {
                return Ok(());
            }
            self.metrics.ladder.renewals.add(1);
            match source.reconnect() {
                Ok(()) => break,
                Err(again) => failure = again,
            }
        }
        connections.made_at = clock::moment();
        tracing::info!(
            after_ms = u64::try_from(lost_at.elapsed().as_millis()).unwrap_or(u64::MAX),
            position = %Printed(&*source.position()),
            "connected to the database again; nothing was lost"
        );
        Ok(())
    }
}

/// The connections made so far, as far as the wait before the next one depends on them.
struct Connections {
    backoff: Backoff,
    /// When the last one was made.
    made_at: Instant,
    /// Where the one before it was lost; empty before the first loss.
    lost_at: String,
    /// Where the last one was made anew that was old.
    renewed_at: String,
    /// How many of those in a row had not got on, although there was something to read.
    renewed_in_vain: u32,
}

impl Connections {
    /// One that is old is made anew at this position.
    fn renewed(&mut self, position: String, at_the_head: bool) {
        let in_vain = !at_the_head && position == self.renewed_at;
        self.renewed_in_vain = if in_vain { self.renewed_in_vain + 1 } else { 0 };
        self.renewed_at = position;
    }

    /// The age at which the next one is: twice as long each time that one did not get to the end of what it read. A
    /// transaction that takes longer to come is sent from its beginning by each.
    fn age(&self, age: Duration) -> Duration {
        age.saturating_mul(1 << self.renewed_in_vain.min(MOST_DOUBLINGS))
    }

    /// One was lost at this position. Says whether the next is made at once: after one that had lived for long, for
    /// then the usual cause is a connection, not a server, that is gone. After a short one that had brought something
    /// comes the first wait; each that brought nothing makes the wait longer, so that an event that cannot be read,
    /// or two clients under one server id, does not become a loop without pause.
    fn lost(&mut self, position: String) -> bool {
        let good = self.lost_at.is_empty() || self.made_at.elapsed() > HEALTHY_AFTER;
        if good || position != self.lost_at {
            self.backoff.reset();
        }
        self.lost_at = position;
        good
    }
}

fn heartbeat_is_due(next: &mut Option<Instant>, interval: Option<Duration>) -> bool {
    let (Some(due), Some(interval)) = (*next, interval) else { return false };
    let now = clock::moment();
    if now < due {
        return false;
    }
    *next = Some(now + interval);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(backoff: Backoff) -> Connections {
        let (lost_at, renewed_at) = (String::new(), String::new());
        Connections { backoff, made_at: clock::moment(), lost_at, renewed_at, renewed_in_vain: 0 }
    }

    #[test]
    fn a_transaction_that_takes_longer_than_a_connection_lives_gets_through() {
        let mut connections = connections(Backoff::new(Duration::from_millis(100), Duration::from_secs(10)));
        let age = Duration::from_secs(60);
        for (position, at_the_head, factor) in
            [("a", false, 1), ("a", false, 2), ("a", false, 4), ("b", false, 1), ("b", true, 1), ("b", false, 2)]
        {
            connections.renewed(position.to_owned(), at_the_head);
            assert_eq!(connections.age(age), age * factor, "{position}");
        }
    }

    #[test]
    fn connections_that_bring_nothing_are_made_less_and_less_often() {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        let mut connections = connections(backoff);
        // Where it was lost, whether the next comes at once, and the longest wait before it otherwise.
        for (position, at_once, longest_ms) in
            [("a", true, 100), ("a", false, 200), ("a", false, 400), ("b", false, 100), ("b", false, 200)]
        {
            assert_eq!(connections.lost(position.to_owned()), at_once, "{position}");
            assert!(connections.backoff.next_delay() <= Duration::from_millis(longest_ms), "{position}");
        }
        assert_eq!(connections.backoff.attempts(), 2);
    }
}
