//! What a sink counts: the numbers behind Connect's and the Java producer's metrics.
//!
//! In: one addition for each served batch of delivery reports, not for each record. Out: numbers that any
//! thread may read. Promised: monotonic but for the gauges. They begin at zero with the process.

use std::sync::atomic::{AtomicU64, Ordering};

/// One number that any thread may read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, count: u64) {
        if count > 0 {
            self.0.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Replaces: for gauges.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one connector's sink. They outlive a producer, so that a new one counts on.
#[derive(Debug, Default)]
pub struct SinkCounters {
    /// Records handed to the client.
    pub records_sent: Counter,
    /// Bytes of keys and values handed to the client.
    pub bytes_sent: Counter,
    /// Records that the broker has acknowledged.
    pub records_acknowledged: Counter,
    /// Records that came back with an error.
    pub records_failed: Counter,
    /// Records left out because `record.too.large.policy` says so.
    pub records_skipped: Counter,
    /// Gauge: records handed over and neither acknowledged nor failed.
    pub records_in_flight: Counter,
    /// Gauge: brokers that the client is connected to.
    pub brokers_connected: Counter,
    /// How often the client's buffer was full and the source had to wait.
    pub buffer_full_waits: Counter,
    /// Troubles between client and brokers that the client retries by itself.
    pub broker_errors: Counter,
    /// Producers made, the first included.
    pub producers: Counter,
    /// Topics created.
    pub topics_created: Counter,
    /// Requests sent, from the client's statistics.
    pub requests: Counter,
    /// Bytes sent on the wire, from the client's statistics.
    pub request_bytes: Counter,
    /// Bytes received on the wire, from the client's statistics.
    pub response_bytes: Counter,
    /// Requests tried again, from the client's statistics.
    pub request_retries: Counter,
    /// Gauge: mean round trip to a broker in the last interval, in microseconds.
    pub request_latency_us: Counter,
    /// Gauge: mean size of a batch in the last interval, in bytes.
    pub batch_size_bytes: Counter,
    /// Gauge: bytes in the client's buffer at the last statistics.
    pub buffered_bytes: Counter,
}
