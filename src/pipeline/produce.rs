//! The producer: puts encoded batches back into the order of the stream and sends them.
//!
//! A schema change is made durable before anything that follows it is sent, so no position beyond it can
//! be stored before it. Delivery reports are served here too, under the same lock, so that settling a
//! record needs no lock of its own. The lock is the producer thread's; a reader that has one small batch and nothing
//! before it takes it for a moment ([`super::inline`]).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flume::{Receiver, RecvTimeoutError, Sender};

use super::encode::emptied;
use super::status::{Part, StatusBoard};
use crate::error::{Disposition, Failure};
use crate::model::change::SchemaChange;
use crate::model::encoded::{EncodedBatch, Step};
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::Activity;
use crate::util::backoff::Backoff;
use crate::util::{clock, stop::Stop};

/// How long to wait for a batch while delivery reports are expected.
const REPORT_POLL: Duration = Duration::from_millis(5);

/// How long to wait for a batch while nothing is under way.
const IDLE_POLL: Duration = Duration::from_millis(100);

/// Where records leave: what the pipeline asks of a sink.
pub trait Sink: Send {
    /// Sends records of a batch in order, each with a share of the batch's ticket. Waits while the sink is full.
    ///
    /// # Errors
    /// When a record was not taken: the pipeline is then built again from the stored position.
    fn send(&mut self, batch: &EncodedBatch, records: Range<u32>) -> Result<(), Failure>;

    /// Serves delivery reports for at most `wait`.
    ///
    /// # Errors
    /// When a record was not delivered.
    fn poll(&mut self, wait: Duration) -> Result<(), Failure>;

    /// Waits so long on average, and has what was sent leave meanwhile without company; says whether it did.
    ///
    /// # Errors
    /// When a record was not delivered.
    fn hurry(&mut self, wait: Duration) -> Result<bool, Failure>;

    /// Records sent and not yet acknowledged.
    fn in_flight(&self) -> usize;

    /// Whether more can leave before those are acknowledged.
    fn takes_more(&self) -> bool;
}

/// Where schema changes are made durable.
pub trait HistoryWriter: Send {
    /// Makes schema changes durable, in their order; all are when this returns.
    ///
    /// # Errors
    /// When they could not be made durable; some may be then.
    fn append(&mut self, changes: &[&SchemaChange]) -> Result<(), Failure>;
}

/// What comes to the producer's thread.
pub enum Delivery {
    /// A batch, whenever it was done.
    Batch(EncodedBatch),
    /// Nothing; reports are to be looked for, as a batch was sent inline.
    Reports,
}

/// The producer's side of the pipeline.
pub struct Producer {
    /// Where records go.
    pub sink: Box<dyn Sink>,
    /// Where schema changes go.
    pub history: Box<dyn HistoryWriter>,
    /// Its numbers.
    pub metrics: Arc<ConnectorMetrics>,
    /// Where it says that it waits for the history store.
    pub board: Arc<StatusBoard>,
    /// Set when the pipeline is given up.
    pub abort: Stop,
    /// The ordinal of the batch whose turn it is.
    pub next: u64,
    /// The thread waits for batches only, as no report was expected.
    pub rests: bool,
}

/// A producer for those who have a batch whose turn it is. Whoever panicked with it in his hands has ended the pipeline.
pub struct SharedProducer(Mutex<Producer>);

impl SharedProducer {
    /// Waits for it.
    pub fn lock(&self) -> MutexGuard<'_, Producer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A producer whose first batch is still to come.
    pub fn new(
        sink: Box<dyn Sink>,
        history: Box<dyn HistoryWriter>,
        (metrics, board): (&Arc<ConnectorMetrics>, &Arc<StatusBoard>),
        abort: &Stop,
    ) -> Arc<Self> {
        let (metrics, board, abort) = (metrics.clone(), board.clone(), abort.clone());
        let producer = Producer { sink, history, metrics, board, abort, next: 0, rests: false };
        Arc::new(SharedProducer(Mutex::new(producer)))
    }

    /// The producer, unless somebody has it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, Producer>> {
        self.0.try_lock().ok()
    }

    /// Sends batches until there are no more, and waits for what is under way.
    ///
    /// # Errors
    /// What the sink or the history store fails with; what a batch failed with while it was encoded, once all before that
    /// is delivered.
    pub fn run(&self, encoded: &Receiver<Delivery>, spare: &Sender<EncodedBatch>) -> Result<(), Failure> {
        let mut early: BTreeMap<u64, EncodedBatch> = BTreeMap::new();
        loop {
            let rests = {
                let mut producer = self.lock();
                if producer.abort.is_set() {
                    return Ok(());
                }
                producer.rests = producer.sink.in_flight() == 0;
                producer.rests
            };
            let delivery = encoded.recv_timeout(if rests { IDLE_POLL } else { REPORT_POLL });
            let mut producer = self.lock();
            match delivery {
                Ok(Delivery::Batch(batch)) => {
                    let ordinal = batch.ticket.as_ref().map_or(producer.next, crate::model::ticket::Ticket::ordinal);
                    early.insert(ordinal, batch);
                    while let Some(mut batch) = early.remove(&producer.next) {
                        producer.deliver(&mut batch)?;
                        drop(spare.try_send(emptied(batch)));
                    }
                }
                Ok(Delivery::Reports) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    producer.drain()?;
                    producer.metrics.producer.set(Activity::Stopped);
                    return Ok(());
                }
            }
            producer.serve(Duration::ZERO)?;
        }
    }
}

impl Producer {
    /// Waits for what is under way.
    fn drain(&mut self) -> Result<(), Failure> {
        while self.sink.in_flight() > 0 && !self.abort.is_set() {
            self.serve(REPORT_POLL)?;
        }
        Ok(())
    }

    fn serve(&mut self, wait: Duration) -> Result<(), Failure> {
        self.sink.poll(wait)?;
        self.show();
        Ok(())
    }

    /// Shows what it waits for.
    pub fn show(&self) {
        let activity = if self.sink.in_flight() > 0 { Activity::BlockedOnBroker } else { Activity::Idle };
        self.metrics.producer.set(activity);
    }

    /// Does the steps of the batch whose turn it is, and settles its ticket.
    ///
    /// # Errors
    /// As [`SharedProducer::run`].
    pub fn deliver(&mut self, batch: &mut EncodedBatch) -> Result<(), Failure> {
        self.metrics.producer.set(Activity::Working);
        for index in 0..batch.steps.len() {
            match batch.steps.get(index) {
                Some(Step::Send(records)) => {
                    let records = records.clone();
                    self.sink.send(batch, records)?;
                }
                Some(Step::Schema(change)) => {
                    let change = change.clone();
                    self.remember(&change)?;
                }
                None => break,
            }
        }
        if let Some(failure) = batch.failure.take() {
            self.drain()?;
            return Err(failure);
        }
        let records = batch.records.len() as u64;
        if let Some(ticket) = batch.ticket.take() {
            match records {
                0 => ticket.settle_bare(),
                _ => ticket.settle(),
            }
        }
        self.next += 1;
        self.metrics.ladder.produced.add(1);
        self.metrics.producer.progress(1, records, clock::now_ns());
        Ok(())
    }

    fn remember(&mut self, change: &SchemaChange) -> Result<(), Failure> {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        self.metrics.producer.set(Activity::BlockedOnStore);
        loop {
            let failure = match self.history.append(&[change]) {
                Ok(()) => break,
                Err(failure) => failure,
            };
            if failure.code.disposition != Disposition::Retry {
                return Err(failure);
            }
            let delay = backoff.next_delay();
            tracing::warn!(code = %failure.code, reason = %failure.message, "a schema change could not be stored; nothing is sent until it is");
            self.board.restarting(Part::History, failure.clone(), backoff.attempts(), delay);
            if self.abort.wait(delay) {
                return Err(failure);
            }
        }
        if backoff.attempts() > 0 {
            self.board.recovered(Part::History);
        }
        Ok(())
    }
}
