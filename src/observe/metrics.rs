//! The numbers of one connector, kept for Debezium's and Kafka Connect's attributes and for Headwater's own.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::flow::FlowBoard;
use super::ladder::Ladder;
use super::lags::Lags;
use super::markers::Markers;
use super::pulse::Pulse;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Takes over a count that is kept elsewhere.
    pub fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that is set.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A text that is set now and then.
#[derive(Debug, Default)]
pub struct Text(Mutex<String>);

impl Text {
    /// Sets it.
    pub fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Its value.
    pub fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Names that come up one after the other.
#[derive(Debug, Default)]
pub struct Names(Mutex<BTreeSet<Arc<str>>>);

impl Names {
    /// Notes a name.
    pub fn add(&self, name: &Arc<str>) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.contains(name) {
            names.insert(name.clone());
        }
    }

    /// Every name, in order.
    pub fn all(&self) -> BTreeSet<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins anew.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// How long something takes, each time that it is done.
#[derive(Debug, Default)]
pub struct Durations {
    total_us: AtomicU64,
    longest_us: AtomicU64,
}

impl Durations {
    /// Notes one.
    pub fn note(&self, time: std::time::Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.total_us.fetch_add(micros, Ordering::Relaxed);
        self.longest_us.fetch_max(micros, Ordering::Relaxed);
    }

    /// All of them together, in milliseconds.
    pub fn total_ms(&self) -> u64 {
        self.total_us.load(Ordering::Relaxed) / 1000
    }

    /// The longest since this was asked last, in milliseconds.
    pub fn take_longest_ms(&self) -> u64 {
        self.longest_us.swap(0, Ordering::Relaxed) / 1000
    }
}

/// How a connector's stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// It has not begun yet.
    Unknown,
    /// At a stored position.
    Stored,
    /// Where the server was, with the tables as they were there.
    New,
}

/// Where a [`Beginning`] is left.
#[derive(Debug, Default)]
pub struct BeginningCell(AtomicI64);

impl BeginningCell {
    /// Says it. The first word counts: a pipeline that is built again goes on where the first one was.
    pub fn set(&self, beginning: Beginning) {
        let _ = self.0.compare_exchange(0, beginning as i64, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What was said.
    pub fn get(&self) -> Beginning {
        let said = self.0.load(Ordering::Relaxed);
        let known = [Beginning::Stored, Beginning::New].into_iter().find(|known| *known as i64 == said);
        known.unwrap_or(Beginning::Unknown)
    }
}

/// Debezium's metrics of the schema history. Times are in milliseconds since the epoch; 0 before the first.
#[derive(Debug, Default)]
pub struct HistoryNumbers {
    /// When reading it began.
    pub recovery_began_ms: Gauge,
    /// When it was known.
    pub ready_ms: Gauge,
    /// Changes that were read from it.
    pub recovered: Counter,
    /// The same, and those that came since.
    pub applied: Counter,
    /// When the last one was read.
    pub last_recovered_ms: Gauge,
    /// When the last one came.
    pub last_applied_ms: Gauge,
}

/// What the producer says of itself.
#[derive(Debug, Default)]
pub struct ProducerNumbers {
    /// Records that came back with an error.
    pub records_failed: Counter,
    /// Requests to brokers.
    pub requests: Counter,
    /// Their bytes.
    pub request_bytes: Counter,
    /// Bytes of the answers.
    pub response_bytes: Counter,
    /// Requests that were tried again.
    pub request_retries: Counter,
    /// Gauge: mean round trip to a broker, in microseconds.
    pub request_latency_us: Counter,
    /// Gauge: mean size of a batch of records, in bytes.
    pub batch_size_bytes: Counter,
}

/// Connect's `task-error-metrics`.
#[derive(Debug, Default)]
pub struct TaskErrors {
    /// Tries that failed.
    pub failures: Counter,
    /// Records that failed.
    pub errors: Counter,
    /// Records that were left out for it.
    pub skipped: Counter,
    /// Tries after the first.
    pub retries: Counter,
    /// Failures that were logged because `errors.log.enable` says so.
    pub logged: Counter,
    /// Records for the dead letter topic.
    pub dead_letters: Counter,
    /// When a record failed last, in milliseconds since the epoch; 0 before the first.
    pub last_ms: Gauge,
}

/// The numbers of one connector. Never reset: a rebuilt pipeline goes on counting.
#[derive(Debug, Default)]
pub struct ConnectorMetrics {
    /// The connection to the database stands.
    pub connected: AtomicBool,
    /// Connections to the database that were lost or dropped.
    pub disconnects: Counter,
    /// Times that the whole pipeline was built again.
    pub pipeline_restarts: Counter,
    /// Events of the stream.
    pub events_read: Counter,
    /// Bytes of the stream.
    pub bytes_read: Counter,
    /// Rows inserted.
    pub creates: Counter,
    /// Rows updated.
    pub updates: Counter,
    /// Rows deleted.
    pub deletes: Counter,
    /// Row events of tables that are not captured.
    pub filtered: Counter,
    /// Events that could not be processed and were passed over because a setting says so.
    pub erroneous: Counter,
    /// Row events and statements passed over because a setting says so.
    pub passed_over: Counter,
    /// Values that could not be converted and became null because a setting says so.
    pub unconvertible: Counter,
    /// Updates that changed nothing, left out because a setting says so.
    pub unchanged: Counter,
    /// Transactions read to their end.
    pub transactions: Counter,
    /// Records handed to the producer.
    pub records_sent: Counter,
    /// Records that the broker has acknowledged.
    pub records_acknowledged: Counter,
    /// Gauge: records that were handed to the producer and of which no report has come, good or bad.
    pub records_in_flight: Counter,
    /// Records that were left out because a setting says so.
    pub records_skipped: Counter,
    /// Records that a transform left out.
    pub records_filtered: Counter,
    /// What transforms and converters failed at.
    pub task_errors: TaskErrors,
    /// Positions stored.
    pub commits: Counter,
    /// Positions that could not be stored.
    pub commit_failures: Counter,
    /// How long it takes to store one.
    pub commit_times: Durations,
    /// When the database wrote what the stored position stands behind, in milliseconds since the epoch; 0 when not known.
    pub stored_source_ms: Gauge,
    /// What the producer says of itself.
    pub sent: ProducerNumbers,
    /// The schema history.
    pub history: HistoryNumbers,
    /// How the stream begins.
    pub beginning: BeginningCell,
    /// Bytes between the source and the broker's acknowledgement.
    pub outstanding_bytes: Gauge,
    /// Batches between the source and the broker's acknowledgement.
    pub outstanding_batches: Gauge,
    /// The bound of those bytes.
    pub budget_bytes: Gauge,
    /// When the last change happened at the source, in milliseconds since the epoch; 0 before the first.
    pub last_source_ms: Gauge,
    /// When the last change was received, in milliseconds since the epoch; 0 before the first.
    pub last_received_ms: Gauge,
    /// When anything came of the stream last, the server's heartbeats included, in milliseconds since the epoch and to the second; 0
    /// before the first.
    pub last_event_ms: Gauge,
    /// How late the changes came.
    pub lags: Lags,
    /// Milliseconds between the last change at the source and its receipt; -1 before the first.
    pub behind_source_ms: Gauge,
    /// When the last position was stored, in milliseconds since the epoch; 0 before the first.
    pub last_commit_ms: Gauge,
    /// Topics that records were sent to.
    pub active_topics: Names,
    /// Tables captured.
    pub captured_tables: Text,
    /// The binlog file that is read.
    pub binlog_file: Text,
    /// Where in that file.
    pub binlog_position: Gauge,
    /// The transactions that were read to their end.
    pub gtid_set: Text,
    /// The number of the last transaction, where transactions have numbers.
    pub last_transaction: Gauge,
    /// Bytes of the server's log beyond what was read, where the server says so.
    pub unread_bytes: Gauge,
    /// The stored position, printed.
    pub stored_position: Text,
    /// How far changes have come.
    pub ladder: Ladder,
    /// The canary.
    pub canary: Markers,
    /// What the watchdog says of it.
    pub flow: FlowBoard,
    /// The reader's pulse.
    pub reader: Pulse,
    /// The encoders' pulse, for all of them.
    pub encoders: Pulse,
    /// The producer's pulse.
    pub producer: Pulse,
    /// The committer's pulse.
    pub committer: Pulse,
}

impl ConnectorMetrics {
    /// Metrics of a connector that has not started.
    pub fn new() -> Self {
        let metrics = ConnectorMetrics::default();
        metrics.behind_source_ms.set(-1);
        metrics.ladder.head.forget();
        metrics.canary.round_trip_ms.set(-1);
        metrics.canary.end_to_end_ms.set(-1);
        metrics.ladder.head.kept_seconds.set(-1);
        metrics
    }

    /// Milliseconds between the last change at the source and its receipt, and for as long as nothing flows that should,
    /// that time in addition: a lag that stands still while the stream does would be a lie. -1 before the first change.
    pub fn behind_source_now_ms(&self) -> i64 {
        match (self.behind_source_ms.get(), self.flow.stalled_ms()) {
            (behind, 0) => behind,
            (behind, stalled) => behind.max(0).saturating_add(stalled),
        }
    }
}
