//! What a Kafka sink is made from.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Waker;
use super::creation::TopicCreation;
use super::wave::BATCH_RECORDS;
use super::witness::Witness;
use crate::sink::SinkError;
use crate::util::clock;
use crate::util::kafka::properties::{self, ClientProperties, Role};

/// What to do with a record that producer, broker or topic find too large (`record.too.large.policy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TooLargePolicy {
    /// The connector stops and names the record: topic, length of the key, size.
    #[default]
    Fail,
    /// The record is left out, with a log line and a counter.
    Skip,
}

/// The largest batch that the brokers are known to take, in bytes; learned when one is refused. Shared by the
/// producers that a connector makes one after the other.
#[derive(Clone, Debug, Default)]
pub struct BatchLimit(Arc<AtomicUsize>);

impl BatchLimit {
    /// The limit; `None` while no batch was refused.
    pub fn get(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
    }

    pub(super) fn lower_to(&self, limit: usize) {
        let lowest = self.get().map_or(limit, |known| known.min(limit));
        self.0.store(lowest.max(1), Ordering::Relaxed);
    }
}

/// How long it is remembered that a topic was missed.
const MISSED: Duration = Duration::from_secs(300);

/// Topics that were missed, and when. Shared by the producers that a connector makes one after the other.
#[derive(Clone, Debug, Default)]
pub struct MissedTopics(Arc<Mutex<HashMap<String, Instant>>>);

impl MissedTopics {
    /// Notes that a topic is missed. Says whether it is for the first time in a while.
    pub(super) fn miss(&self, topic: &str) -> bool {
        let now = clock::moment();
        let mut missed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        missed.retain(|_, at| now.saturating_duration_since(*at) < MISSED);
        missed.insert(topic.to_owned(), now).is_none()
    }
}

/// Everything that a producer needs. A pipeline keeps one and clones it for each new producer.
#[derive(Clone, Debug, Default)]
pub struct KafkaSinkOptions {
    /// The connector's name, for the log and for `client.id`.
    pub connector: String,
    /// Java producer properties, merged: `bootstrap.servers`, the worker's `producer.*` without the prefix, over
    /// them the connector's `producer.override.*`.
    pub client: BTreeMap<String, String>,
    /// Headers of every record that asks for them, in order.
    pub context_headers: Vec<(String, Vec<u8>)>,
    /// Rules for creating topics; `None` leaves it to the broker.
    pub topic_creation: Option<TopicCreation>,
    /// What to do with a record that is too large.
    pub too_large: TooLargePolicy,
    /// Learned from refused batches; keep the default.
    pub batch_limit: BatchLimit,
    /// Learned from refused records; keep the default.
    pub missed_topics: MissedTopics,
    /// Interrupts [`poll`](super::KafkaSink::poll); keep a clone to wake the thread that owns the sink.
    pub waker: Waker,
    /// Notes which record was acknowledged last; keep a clone to ask it.
    pub witness: Witness,
}

/// How long a record waits for company before it leaves, where neither worker nor connector say. Measured with
/// `benches/sink.rs` at 2,000 records/s on a busy machine of two cores, from hand-over to acknowledgement: 0 ms gives
/// p50 0.2 ms and a request for each record (0.16 to 0.27 core), 0.5 ms gives 0.8 ms (0.12 core), 1 ms gives 1.0 ms,
/// 5 ms (librdkafka's own and Java's default) gives 3.6 ms (0.09 core). Under a backlog batches fill without it.
pub const DEFAULT_LINGER_MS: &str = "0.5";

/// Requests to a broker that are under way at once, where neither worker nor connector say: the most that idempotence
/// allows. Java's client has all partitions of a broker in one request, so Connect can do with one; librdkafka has one
/// partition in each.
const REQUESTS_IN_FLIGHT: &str = "5";

/// How often the client reports statistics.
const STATISTICS_INTERVAL_MS: &str = "5000";

impl KafkaSinkOptions {
    /// librdkafka's properties, with this sink's defaults.
    pub fn client_properties(&self) -> Result<ClientProperties, SinkError> {
        let mut out = properties::translate(Role::Producer, &self.client)?;
        out.default_to("linger.ms", DEFAULT_LINGER_MS);
        out.default_to("max.in.flight", REQUESTS_IN_FLIGHT);
        out.default_to("batch.num.messages", &BATCH_RECORDS.to_string());
        out.default_to("client.id", &format!("connector-producer-{}-0", self.connector));
        out.default_to("statistics.interval.ms", STATISTICS_INTERVAL_MS);
        if let Some(limit) = self.batch_limit.get() {
            let wanted = out.native.get("batch.size").and_then(|text| text.parse::<usize>().ok()).unwrap_or(usize::MAX);
            out.set("batch.size", limit.min(wanted).to_string());
        }
        Ok(out)
    }

    /// Whether an acknowledgement that does not say where the record lies proves nothing.
    ///
    /// With several requests in flight, the first one to a partition that the broker is just making may be refused and the
    /// second taken: a broker that knows nothing of a producer takes any sequence number. It calls the retry of the first a
    /// duplicate, or librdkafka takes it for delivered because a later one was; its records are nowhere. Both
    /// have no offset. Without idempotence nothing is taken for a duplicate, and with `acks=0` no broker gives an offset.
    pub(super) fn offsets_prove(properties: &ClientProperties) -> bool {
        let native = |name: &str| properties.native.get(name).map(String::as_str);
        native("enable.idempotence") == Some("true") && native("max.in.flight") != Some("1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_missed_for_the_first_time_once_in_all_producers() {
        let topics = MissedTopics::default();
        let next = topics.clone();
        assert!(topics.miss("a"));
        assert!(!next.miss("a"));
        assert!(next.miss("b"));
    }
}
