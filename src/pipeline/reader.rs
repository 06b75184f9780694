//! The reader: one blocking thread that takes batches from the source, enters them at the desk and hands
//! them to the encoders.
//!
//! A connection that fails is dropped and made again here, after the last batch that was handed over: what
//! is under way to the broker is not disturbed, so nothing comes twice. Everything else ends the pipeline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendTimeoutError, Sender};

use super::desk::Desk;
use super::encode::Job;
use super::status::{State, StatusBoard};
use crate::error::{Disposition, Failure};
use crate::model::change::{Batch, Change};
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
}

/// The reader's side of the pipeline.
pub struct Reader {
    /// How it behaves.
    pub options: ReaderOptions,
    /// Where its batches are entered.
    pub desk: Arc<Desk>,
    /// Where its batches go.
    pub jobs: Sender<Job>,
    /// Batches to use again.
    pub spare: Receiver<Batch>,
    /// Its numbers.
    pub metrics: Arc<ConnectorMetrics>,
    /// Where it says how it is.
    pub board: Arc<StatusBoard>,
    /// Set when it should stop.
    pub stop: Stop,
}

impl Reader {
    /// Reads until asked to stop.
    ///
    /// # Errors
    /// What a new connection does not mend.
    pub fn run(self, mut source: Box<dyn Source>) -> Result<(), Failure> {
        let mut running = false;
        let mut next_report = clock::moment();
        let mut next_heartbeat = self.options.heartbeat_interval.map(|interval| clock::moment() + interval);
        let mut batch = self.empty(&*source);
        while !self.stop.is_set() {
            self.metrics.reader.set(Activity::BlockedOnSource);
            let read = match source.read(&mut batch) {
                Ok(read) => read,
                Err(failure) => {
                    self.reconnect(&mut *source, failure)?;
                    continue;
                }
            };
            self.metrics.connected.store(true, std::sync::atomic::Ordering::Relaxed);
            if !running {
                running = true;
                self.board.set(State::Running);
            }
            if heartbeat_is_due(&mut Some(next_report), Some(REPORT_INTERVAL)) {
                next_report = clock::moment() + REPORT_INTERVAL;
                self.report(&*source);
            }
            if heartbeat_is_due(&mut next_heartbeat, self.options.heartbeat_interval) {
                source.heartbeat();
                batch.changes.push(Change::Heartbeat);
                batch.position = source.position();
                batch.received_ns = clock::now_ns();
            } else if read == Read::Idle {
                continue;
            }
            let full = std::mem::replace(&mut batch, self.empty(&*source));
            if !self.hand_over(full) {
                break;
            }
        }
        self.metrics.reader.set(Activity::Stopped);
        self.metrics.connected.store(false, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    fn report(&self, source: &dyn Source) {
        let report = source.report();
        let metrics = &self.metrics;
        metrics.events_read.set(report.events_read);
        metrics.bytes_read.set(report.bytes_read);
        metrics.transactions.set(report.transactions);
        metrics.filtered.set(report.filtered);
        metrics.passed_over.set(report.passed_over);
        metrics.binlog_file.set(report.file);
        metrics.binlog_position.set(i64::try_from(report.position).unwrap_or(i64::MAX));
        metrics.gtid_set.set(report.gtids.unwrap_or_default());
        metrics.captured_tables.set(report.captured_tables.join(","));
        if report.last_change_ms != 0 {
            metrics.last_source_ms.set(report.last_change_ms);
            metrics.behind_source_ms.set((metrics.last_received_ms.get() - report.last_change_ms).max(0));
        }
    }

    fn empty(&self, source: &dyn Source) -> Batch {
        self.spare.try_recv().unwrap_or_else(|_| Batch {
            block: Vec::new(),
            bytes: 0,
            changes: Vec::new(),
            position: source.position(),
            received_ns: 0,
        })
    }

    /// Enters a batch and hands it over; `false` when asked to stop before that.
    fn hand_over(&self, batch: Batch) -> bool {
        let bytes = batch.bytes as u64 + BATCH_OVERHEAD_BYTES;
        if self.desk.is_full(bytes) {
            self.metrics.reader.set(Activity::BlockedOnBudget);
        }
        let Some(ticket) = self.desk.enter(batch.position.clone(), bytes, &self.stop) else { return false };
        let items = batch.changes.len() as u64;
        if items > 0 {
            self.metrics.last_received_ms.set(batch.received_ns / 1_000_000);
        }
        self.metrics.reader.set(Activity::BlockedOnNextStage);
        let mut job = Job { batch, ticket };
        loop {
            match self.jobs.send_timeout(job, STOP_POLL) {
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(back)) if !self.stop.is_set() => job = back,
                Err(_) => return false,
            }
        }
        self.metrics.reader.progress(items, items, clock::now_ns());
        true
    }

    fn reconnect(&self, source: &mut dyn Source, failure: Failure) -> Result<(), Failure> {
        let lost_at = clock::moment();
        let mut backoff = Backoff::new(self.options.reconnect_first, self.options.reconnect_limit);
        let mut failure = failure;
        self.metrics.connected.store(false, std::sync::atomic::Ordering::Relaxed);
        loop {
            if failure.code.disposition != Disposition::Retry {
                return Err(failure);
            }
            if self.options.reconnect_attempts.is_some_and(|limit| backoff.attempts() >= limit) {
                return Err(failure);
            }
            self.metrics.disconnects.add(1);
            // The first attempt is made at once: the usual cause is a connection, not a server, that is gone.
            let delay = if backoff.attempts() == 0 { Duration::ZERO } else { backoff.next_delay() };
            if backoff.attempts() == 0 {
                let _ = backoff.next_delay();
            }
            tracing::warn!(
                code = %failure.code,
                reason = %failure.message,
                attempt = backoff.attempts(),
                delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                "connection to the database lost: dropping it and connecting again"
            );
            self.board.restarting(failure, backoff.attempts(), delay);
            if self.stop.wait(delay) {
                return Ok(());
            }
            match source.reconnect() {
                Ok(()) => break,
                Err(again) => failure = again,
            }
        }
        self.board.set(State::Running);
        tracing::info!(
            after_ms = u64::try_from(lost_at.elapsed().as_millis()).unwrap_or(u64::MAX),
            position = %crate::model::position::Printed(&*source.position()),
            "connected to the database again; nothing was lost"
        );
        Ok(())
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
