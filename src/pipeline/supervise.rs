//! The supervisor: builds a pipeline, watches its threads, and builds it again when it fails.
//!
//! ```text
//!  assemble ─▶ make the beginning durable ─▶ run ─▶ all ended well: stopped
//!     ▲                                       │
//!     └── wait (RESTARTING, back-off) ◀─ retry ┴─ stop ─▶ FAILED, until a person comes
//! ```
//!
//! Whatever happens, what was acknowledged by then is committed, and nothing else is.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flume::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::canary;
use super::commit::{Committer, Discipline};
use super::desk::Desk;
use super::encode::{Encoder, Encoding};
use super::error::PipelineError;
use super::head;
use super::inline::Inline;
use super::orders::Orders;
use super::produce::{HistoryWriter, SharedProducer, Sink};
use super::reader::{Reader, ReaderOptions};
use super::status::{Part, State, StatusBoard};
use super::thread::spawn;
use super::topic_keys::TopicKeys;
use super::turns::Turns;
use super::write::Processing;
use crate::envelope::Envelope;
use crate::error::{Disposition, Failure};
use crate::model::modes::EventProcessingFailureHandlingMode;
use crate::observe::metrics::ConnectorMetrics;
use crate::serialize::Converter;
use crate::source::Source;
use crate::util::backoff::Backoff;
use crate::util::{clock, stop::Stop};

/// Batches that may wait between two stages, for each encode worker. Small: bytes are bounded by the budget,
/// and a longer queue only adds latency.
const QUEUE_LENGTH: usize = 2;

/// How often the supervisor looks whether it was asked to stop.
const STOP_POLL: Duration = Duration::from_millis(50);

/// Schema changes of a beginning that are sent before they are waited for: Debezium's
/// `schema.history.internal.kafka.buffer.batch.size`.
const HISTORY_BATCH: usize = 1024;

/// The wait before the first new attempt.
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// A pipeline that has run this long is taken to have recovered: the next failure is a first one again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// What one attempt is made of.
pub struct Parts {
    /// The stream.
    pub source: Box<dyn Source>,
    /// Where records go.
    pub sink: Box<dyn Sink>,
    /// Where schema changes go.
    pub history: Box<dyn HistoryWriter>,
    /// How positions become durable.
    pub discipline: Box<dyn Discipline>,
    /// Makes records of changes.
    pub envelope: Arc<Envelope>,
    /// `key.converter`.
    pub key: Arc<dyn Converter>,
    /// `value.converter`.
    pub value: Arc<dyn Converter>,
    /// `header.converter`.
    pub header: Arc<dyn Converter>,
    /// What becomes of records before the converters.
    pub processing: Processing,
    /// Reads back what came with a marker; `None` where nothing is to be read.
    pub read_back: Option<Box<dyn canary::ReadBack>>,
}

/// What ends an attempt, for those of its parts that wait.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    /// Nothing more is read; what was read goes on to the broker.
    pub intake: Stop,
    /// All is given up.
    pub abort: Stop,
    /// The pipeline has failed: stores that do not answer are soon waited for no more. Not set when a request to stop
    /// takes too long: the last position is worth its time then.
    pub abandoned: Stop,
}

/// Builds the parts of an attempt: connects, checks, reads what is stored.
pub trait Assembly: Send {
    /// The parts, from the position that is stored now.
    ///
    /// # Errors
    /// With the disposition that decides whether another attempt is made.
    fn assemble(&mut self, stops: &Stops) -> Result<Parts, Failure>;
}

/// How a pipeline behaves.
#[derive(Clone, Debug)]
pub struct PipelineOptions {
    /// The connector's name.
    pub connector: String,
    /// `encode.threads`.
    pub encode_threads: usize,
    /// `max.queue.size.in.bytes`, of the stream's bytes.
    pub budget_bytes: u64,
    /// `offset.flush.interval.ms`.
    pub flush_interval: Duration,
    /// `task.shutdown.graceful.timeout.ms`.
    pub shutdown_timeout: Duration,
    /// `retriable.restart.connector.wait.ms`: the longest wait between two attempts.
    pub restart_limit: Duration,
    /// `errors.max.retries`; `None` for without end.
    pub max_retries: Option<u32>,
    /// `event.processing.failure.handling.mode`.
    pub failure_mode: EventProcessingFailureHandlingMode,
    /// How often the server is asked where its log ends; `None` for never.
    pub head_interval: Option<Duration>,
    /// How often a marker is written; `None` for never.
    pub marker_interval: Option<Duration>,
    /// How the reader behaves.
    pub reader: ReaderOptions,
}

/// A pipeline that runs by itself.
pub struct Handle {
    stop: Stop,
    board: Arc<StatusBoard>,
    metrics: Arc<ConnectorMetrics>,
    orders: Arc<Orders>,
    ended: Stop,
    released: Stop,
    thread: Option<JoinHandle<()>>,
    name: String,
}

impl Drop for Handle {
    /// A pipeline that nobody holds any more stops: it must never run beside its successor. It is not waited for, because
    /// a thread that hangs would hang who drops it.
    fn drop(&mut self) {
        self.stop.set();
        self.released.set();
    }
}

impl Handle {
    /// Asks it to stop: drain, commit, leave.
    pub fn stop(&self) {
        self.stop.set();
    }

    /// The same, and why, in a sentence: for who is told of an incident that does not outlast it.
    pub fn stop_because(&self, why: &'static str) {
        // The first reason counts.
        self.orders.end.get_or_init(|| why);
        self.stop();
    }

    /// Waits until it has stopped.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }

    /// Whether its supervisor has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// What it is doing.
    pub fn board(&self) -> &Arc<StatusBoard> {
        &self.board
    }

    /// Its numbers.
    pub fn metrics(&self) -> &Arc<ConnectorMetrics> {
        &self.metrics
    }

    /// What may be asked of it.
    pub fn orders(&self) -> &Arc<Orders> {
        &self.orders
    }

    /// Set when its supervisor has ended, for those who do not hold the handle.
    pub fn ended(&self) -> &Stop {
        &self.ended
    }

    /// Set when nobody holds the handle any more: a failed pipeline is not looked at any longer.
    pub fn released(&self) -> &Stop {
        &self.released
    }

    /// The connector's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Starts a pipeline.
///
/// # Errors
/// When its first thread cannot be started.
pub fn start(
    assembly: Box<dyn Assembly>,
    options: PipelineOptions,
    metrics: Arc<ConnectorMetrics>,
) -> Result<Handle, Failure> {
    let (stop, board) = (Stop::new(), Arc::new(StatusBoard::new()));
    let (orders, ended) = (Arc::new(Orders::default()), Stop::new());
    let name = options.connector.clone();
    let supervisor = Supervisor {
        assembly,
        options,
        metrics: metrics.clone(),
        board: board.clone(),
        orders: orders.clone(),
        stop: stop.clone(),
        ordered: Cell::new(false),
    };
    let at_end = ended.clone();
    let run = move || {
        supervisor.run();
        at_end.set();
    };
    let thread = spawn(&format!("connector-{name}"), run)?;
    Ok(Handle { stop, board, metrics, orders, ended, released: Stop::new(), thread: Some(thread), name })
}

struct Supervisor {
    assembly: Box<dyn Assembly>,
    options: PipelineOptions,
    metrics: Arc<ConnectorMetrics>,
    board: Arc<StatusBoard>,
    orders: Arc<Orders>,
    stop: Stop,
    /// The attempt was given up because the watchdog asked for it.
    ordered: Cell<bool>,
}

impl Supervisor {
    fn run(mut self) {
        let mut backoff = Backoff::new(FIRST_DELAY, self.options.restart_limit);
        loop {
            let started = clock::moment();
            let ended = guarded("supervisor", || self.attempt());
            // All of its threads have ended.
            self.metrics.ladder.ended.set(self.metrics.ladder.ending.get());
            let failure = match ended {
                Ok(()) => {
                    self.board.set(State::Stopped);
                    return;
                }
                Err(failure) => failure,
            };
            if started.elapsed() > HEALTHY_AFTER {
                backoff.reset();
            }
            // A suspicion is none of the attempts that `errors.max.retries` allows; the watchdog bounds its own.
            let ordered = self.ordered.take();
            let gives_up = !ordered && self.options.max_retries.is_some_and(|limit| backoff.attempts() >= limit);
            if failure.code.disposition != Disposition::Retry || gives_up {
                tracing::error!(connector = self.options.connector, code = %failure.code, reason = %failure.message, hint = failure.code.hint, "connector failed");
                self.board.failed(failure);
                return;
            }
            let delay = if ordered { FIRST_DELAY } else { backoff.next_delay() };
            tracing::warn!(connector = self.options.connector, code = %failure.code, reason = %failure.message, attempt = backoff.attempts(), delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), "pipeline failed: building it again from the stored position");
            self.metrics.pipeline_restarts.add(1);
            self.board.restarting(Part::Pipeline, failure, backoff.attempts(), delay);
            if self.stop.wait(delay) {
                self.board.set(State::Stopped);
                return;
            }
        }
    }

    fn attempt(&mut self) -> Result<(), Failure> {
        let stops = Stops::default();
        self.orders.begin();
        let watcher = AbortOnStop::new(self, stops.clone());
        let prepared = watcher.during(|| self.prepare(&stops));
        let parts = match (prepared, watcher.given_up()) {
            (Err(_), _) if self.stop.is_set() => return Ok(()),
            (_, Some(order)) => {
                self.ordered.set(true);
                return Err(order);
            }
            (prepared, None) => prepared?,
        };
        Run::start(self, parts, stops)?.supervise(self)
    }

    /// Builds the parts, and makes durable what must be before anything is read.
    fn prepare(&mut self, stops: &Stops) -> Result<Parts, Failure> {
        let mut parts = self.assembly.assemble(stops)?;
        self.metrics.ladder.steps.fetch_add(1, Ordering::Relaxed);
        if let Some(beginning) = parts.source.beginning() {
            let stored: Vec<_> = beginning.schema.iter().filter(|change| change.stored).collect();
            for changes in stored.chunks(HISTORY_BATCH) {
                parts.history.append(changes)?;
                self.metrics.ladder.steps.fetch_add(1, Ordering::Relaxed);
            }
            let offset = beginning.position.offset();
            parts.discipline.commit(&offset)?;
            let printed = crate::model::position::Printed(&*beginning.position).to_string();
            tracing::info!(
                connector = self.options.connector,
                position = printed,
                tables = beginning.schema.len(),
                "beginning stored; streaming starts there"
            );
            self.metrics.stored_position.set(printed);
        }
        Ok(parts)
    }
}

/// While something is assembled, a request to stop and an order to begin again must end its waiting.
struct AbortOnStop {
    stop: Stop,
    stops: Stops,
    orders: Arc<Orders>,
    metrics: Arc<ConnectorMetrics>,
    board: Arc<StatusBoard>,
    given_up: Mutex<Option<Failure>>,
}

impl AbortOnStop {
    fn new(supervisor: &Supervisor, stops: Stops) -> Self {
        let Supervisor { stop, orders, metrics, board, .. } = supervisor;
        let (stop, orders, metrics, board) = (stop.clone(), orders.clone(), metrics.clone(), board.clone());
        AbortOnStop { stop, stops, orders, metrics, board, given_up: Mutex::default() }
    }

    /// Why it was given up, where the watchdog asked for that.
    fn given_up(self) -> Option<Failure> {
        self.given_up.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> bool {
        let order = self.orders.restart.take();
        if let Some(order) = &order {
            self.metrics.ladder.ending.add(1);
            self.board.restarting(Part::Pipeline, order.clone(), 1, Duration::ZERO);
            *self.given_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(order.clone());
        }
        if order.is_some() {
            self.stops.abandoned.set();
        }
        let ends = order.is_some() || self.stop.is_set();
        if ends {
            self.stops.intake.set();
            self.stops.abort.set();
        }
        ends
    }

    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = Stop::new();
        std::thread::scope(|scope| {
            scope.spawn(|| while !done.wait(STOP_POLL) && !self.look() {});
            let result = work();
            done.set();
            result
        })
    }
}

type Outcome = (String, Result<(), Failure>);

/// The threads of one attempt.
struct Run {
    intake: Stop,
    abort: Stop,
    abandoned: Stop,
    committing: Stop,
    outcomes: Receiver<Outcome>,
    threads: Vec<JoinHandle<()>>,
    committer: JoinHandle<Committer>,
    desk: Arc<Desk>,
}

impl Run {
    fn start(supervisor: &Supervisor, parts: Parts, stops: Stops) -> Result<Run, Failure> {
        let committing = Stop::new();
        let started = Run::spawn(supervisor, parts, stops.clone(), committing.clone());
        if started.is_err() {
            // Those threads that were started already have nobody to end them.
            for stop in [&stops.intake, &stops.abort, &stops.abandoned, &committing] {
                stop.set();
            }
        }
        started
    }

    fn spawn(supervisor: &Supervisor, parts: Parts, stops: Stops, committing: Stop) -> Result<Run, Failure> {
        let Stops { intake, abort, abandoned } = stops;
        let options = &supervisor.options;
        let workers = options.encode_threads.max(1);
        let (jobs_in, jobs) = bounded(QUEUE_LENGTH * workers);
        let (encoded_in, encoded) = bounded(QUEUE_LENGTH * workers);
        let (spare_batches_in, spare_batches) = bounded(QUEUE_LENGTH * workers);
        let (spare_buffers_in, spare_buffers) = bounded(QUEUE_LENGTH * workers);
        // Unbounded, and holds one message a thread.
        let (outcomes_in, outcomes) = unbounded();
        let (metrics, board) = (&supervisor.metrics, &supervisor.board);
        let desk = Desk::new(options.budget_bytes, metrics.clone());
        let mut threads = Vec::new();
        metrics.ladder.begin(parts.source.heard());
        metrics.ladder.ask_with(parts.source.asks());

        let (name, interval) = (options.connector.clone(), options.flush_interval);
        let committer = Committer::new(name, desk.clone(), parts.discipline, interval, metrics.clone());
        let committer = spawn_committer(committer, &committing, &outcomes_in)?;

        let producer = SharedProducer::new(parts.sink, parts.history, (metrics, board), &abort);
        let of_thread = producer.clone();
        let run_producer = move || of_thread.run(&encoded, &spare_buffers_in);
        threads.push(spawn_watched("producer", &outcomes_in, run_producer)?);

        let encoding = Arc::new(Encoding {
            envelope: parts.envelope,
            key: parts.key,
            value: parts.value,
            header: parts.header,
            processing: parts.processing,
            failure_mode: options.failure_mode,
            metrics: metrics.clone(),
            board: board.clone(),
            turns: Turns::default(),
            topic_keys: TopicKeys::default(),
            abort: abort.clone(),
        });
        for number in 0..workers {
            let mut encoder = Encoder::new(encoding.clone())?;
            let (jobs, spare_batches) = (jobs.clone(), spare_batches_in.clone());
            let (encoded, spare_buffers) = (encoded_in.clone(), spare_buffers.clone());
            let run_encoder = move || {
                encoder.run(&jobs, &spare_batches, &encoded, &spare_buffers);
                Ok(())
            };
            threads.push(spawn_watched(&format!("encode-{number}"), &outcomes_in, run_encoder)?);
        }

        let inline = Inline::beside(&encoding, producer, encoded_in)?;
        let reader = Reader {
            options: options.reader.clone(),
            desk: desk.clone(),
            jobs: jobs_in,
            inline,
            spare: spare_batches,
            metrics: metrics.clone(),
            board: board.clone(),
            orders: supervisor.orders.clone(),
            stop: intake.clone(),
        };
        let source = parts.source;
        head::spawn(source.head_probe(), options.head_interval, &intake, metrics);
        canary::spawn(source.marker(), parts.read_back, options.marker_interval, &intake, metrics);
        threads.push(spawn_watched("reader", &outcomes_in, move || reader.run(source))?);
        Ok(Run { intake, abort, abandoned, committing, outcomes, threads, committer, desk })
    }

    /// Waits for the end of every thread, and commits what is delivered by then.
    fn supervise(mut self, supervisor: &Supervisor) -> Result<(), Failure> {
        let mut running = self.threads.len();
        let mut failure: Option<Failure> = None;
        let mut deadline: Option<Instant> = None;
        while running > 0 {
            match self.outcomes.recv_timeout(STOP_POLL) {
                Ok((thread, result)) => {
                    if thread != COMMITTER {
                        running -= 1;
                    }
                    if let Err(error) = result {
                        self.give_up(supervisor, &mut failure, error);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let Some(order) = supervisor.orders.restart.take() {
                supervisor.ordered.set(failure.is_none());
                self.give_up(supervisor, &mut failure, order);
            }
            if supervisor.stop.is_set() && deadline.is_none() {
                self.intake.set();
                deadline = Some(clock::moment() + supervisor.options.shutdown_timeout);
            }
            if deadline.is_some_and(|deadline| clock::left_until(deadline).is_none()) && !self.abort.is_set() {
                tracing::warn!(
                    connector = supervisor.options.connector,
                    "not everything was acknowledged within task.shutdown.graceful.timeout.ms; it comes again after the next start"
                );
                self.abort.set();
            }
        }
        let Run { threads, .. } = &mut self;
        for thread in threads.drain(..) {
            drop(thread.join());
        }
        self.committing.set();
        let finished = match self.committer.join() {
            // A store that has just not answered would be asked in vain.
            Ok(committer) if failure.is_some() && committer.is_unanswered() => Ok(()),
            Ok(mut committer) => {
                let finished = committer.finish();
                if failure.is_none()
                    && finished.is_ok()
                    && supervisor.stop.is_set()
                    && self.desk.drained(clock::moment())
                {
                    committer.stopped();
                }
                finished
            }
            Err(_) => Ok(()),
        };
        let metrics = &supervisor.metrics;
        metrics.ladder.given_up.set(metrics.records_sent.get().saturating_sub(metrics.records_acknowledged.get()));
        metrics.records_in_flight.set(0);
        if failure.is_none() && !supervisor.stop.is_set() && !self.desk.drained(clock::moment()) {
            failure = Some(PipelineError::Abandoned { batches: 1 }.into());
        }
        match failure {
            Some(failure) => Err(failure),
            None => finished,
        }
    }
}

impl Run {
    /// Ends this attempt for a failure; the first one counts.
    fn give_up(&self, supervisor: &Supervisor, failure: &mut Option<Failure>, error: Failure) {
        if failure.is_none() {
            supervisor.metrics.ladder.ending.add(1);
            if error.code.disposition == Disposition::Retry {
                // Now, and not when the threads have ended: a store that does not answer may hold one of them for as
                // long as its timeout.
                supervisor.board.restarting(Part::Pipeline, error.clone(), 1, Duration::ZERO);
            }
        }
        failure.get_or_insert(error);
        self.intake.set();
        self.abort.set();
        self.abandoned.set();
    }
}

const COMMITTER: &str = "committer";

fn spawn_committer(
    mut committer: Committer,
    stop: &Stop,
    outcomes: &Sender<Outcome>,
) -> Result<JoinHandle<Committer>, Failure> {
    let (stop, outcomes) = (stop.clone(), outcomes.clone());
    spawn(COMMITTER, move || {
        let result = guarded(COMMITTER, || committer.run(&stop));
        drop(outcomes.send((COMMITTER.to_owned(), result)));
        committer
    })
}

fn spawn_watched(
    name: &str,
    outcomes: &Sender<Outcome>,
    run: impl FnOnce() -> Result<(), Failure> + Send + 'static,
) -> Result<JoinHandle<()>, Failure> {
    let (outcomes, thread) = (outcomes.clone(), name.to_owned());
    spawn(name, move || {
        let result = guarded(&thread, run);
        drop(outcomes.send((thread, result)));
    })
}

/// Runs, and turns a panic into an error that says which thread it was.
fn guarded(thread: &str, run: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    match std::panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let message = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let message = message.unwrap_or_else(|| "no message".to_owned());
            Err(PipelineError::Panicked { thread: thread.to_owned(), message }.into())
        }
    }
}
