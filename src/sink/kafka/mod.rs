//! The Kafka sink: one producer, owned by one thread.
//!
//! In: batches, in the order of the stream. Out: records, acknowledged one by one. Promised: a share is settled
//! by the broker's acknowledgement and by nothing else (or by `record.too.large.policy=skip`, with a log line and
//! a counter); after the first failure nothing more is sent, so that the pipeline can go back to the resume
//! point with a new producer. Nothing survives a crash.
//!
//! ```text
//!  EncodedBatch ──send──▶ claims (a Share each) ──produce──▶ librdkafka ──▶ broker
//!                            ▲                                              │
//!                            └───────────── serve: report, settle ◀─────────┘
//! ```
//!
//! The thread that owns the sink calls `send`, `poll` and `flush`; delivery reports are served inside them, so
//! that claims need no lock. A wave under way blocks `send`: that is the back pressure of the whole flow, and
//! `delivery.timeout.ms` bounds it.

pub mod check;
mod claims;
pub mod creation;
mod delivery;
pub mod embedded;
mod native;
pub mod options;
pub mod read_back;
mod statistics;
mod wave;
pub mod witness;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode;

use crate::model::encoded::{EncodedBatch, EncodedRecord};
use crate::sink::{SinkCounters, SinkError};
use crate::util::clock;
use crate::util::stop::Stop;
use creation::TopicCreator;
use delivery::Deliveries;
pub use native::Waker;
use native::{HeaderList, Headers, NativeProducer, Outgoing, TopicIndex};
pub use options::{BatchLimit, KafkaSinkOptions, TooLargePolicy};
use wave::Wave;

/// How long `send` waits for reports before it looks at the stop flag again.
const FULL_BUFFER_WAIT: Duration = Duration::from_millis(50);

/// Connected brokers beyond which records wait out `linger.ms`: to let some leave at once wakes a thread for each broker.
const HURRIED_BROKERS: u64 = 8;

/// A producer and the claims of what it has in flight.
pub struct KafkaSink {
    producer: NativeProducer,
    deliveries: Deliveries,
    topics: HashMap<Arc<str>, TopicIndex>,
    /// For each topic of the batch at hand, where it was opened: looked up once a batch, not once a record.
    batch_topics: Vec<Option<TopicIndex>>,
    wave: Wave,
    context_headers: Vec<(String, Vec<u8>)>,
    creator: Option<TopicCreator>,
    counters: Arc<SinkCounters>,
    waits: Box<dyn FnMut(bool) + Send>,
    /// When what is handed over now is made, for records without a time of their own: milliseconds since the epoch.
    now_ms: i64,
    /// `linger.ms` is left to us.
    hurries: bool,
    /// What hurried waits were short of: librdkafka waits for whole milliseconds.
    owed: Duration,
    stop: Stop,
}

impl KafkaSink {
    /// Makes the producer. It connects when the first record comes: a broker that is away shows as
    /// [`SinkError::DeliveryTimedOut`], and in the counters before.
    pub fn new(options: KafkaSinkOptions, counters: Arc<SinkCounters>, stop: Stop) -> Result<Self, SinkError> {
        let properties = options.client_properties()?;
        for note in &properties.notes {
            tracing::warn!(connector = %options.connector, property = %note.property, "producer property {}", note.text);
        }
        let hurries = !options.client.contains_key("linger.ms");
        let context = (!options.context_headers.is_empty()).then(|| header_list(&options.context_headers));
        let producer = NativeProducer::new(&properties.client_config(), options.waker.clone(), context)
            .map_err(|error| SinkError::Configuration(error.to_string()))?;
        counters.producers.add(1);
        let creator = options.topic_creation.clone().map(|rules| TopicCreator::new(rules, properties.clone()));
        let wave = Wave::new(&properties);
        let deliveries = Deliveries::new(&options, properties, counters.clone());
        let context_headers = options.context_headers;
        let (topics, batch_topics) = (HashMap::new(), Vec::new());
        Ok(KafkaSink {
            producer,
            deliveries,
            topics,
            batch_topics,
            wave,
            context_headers,
            creator,
            counters,
            waits: Box::new(|_| {}),
            now_ms: 0,
            hurries,
            owed: Duration::ZERO,
            stop,
        })
    }

    /// Whom to tell, inside `send`, that it waits for the broker (true, again and again while it does) and that it goes
    /// on.
    pub fn on_wait(&mut self, waits: impl FnMut(bool) + Send + 'static) {
        self.waits = Box::new(waits);
    }

    /// Sends the records with these indexes, in order, each with a share of the batch's ticket. The ticket
    /// itself stays with the caller, to be settled when the batch's last step is done. Blocks while a
    /// wave is under way ([`wave`]) and while the client's buffer is full. An error means that this sink is at its
    /// end: drop it, and what was not acknowledged stays unsettled.
    pub fn send(&mut self, batch: &EncodedBatch, records: Range<u32>) -> Result<(), SinkError> {
        self.deliveries.verdict()?;
        let sending = batch.records.get(records.start as usize..records.end as usize);
        let sending = sending.ok_or(SinkError::Batch("a step names records that are not there"))?;
        self.batch_topics.clear();
        self.batch_topics.resize(batch.topics.len(), None);
        let (mut sent, mut bytes) = (0, 0);
        let spread = batch.topics.len() * self.deliveries.partitions();
        self.wave.look();
        self.now_ms = clock::now_ms();
        for record in sending {
            if self.wave.is_over(self.deliveries.in_flight(), spread) {
                self.counters.records_sent.add(std::mem::take(&mut sent));
                (self.waits)(true);
                while self.wave.is_over(self.deliveries.in_flight(), spread) {
                    self.wait_for_reports()?;
                    // Again: acknowledgements that come meanwhile are to be seen, however long the wait is.
                    (self.waits)(true);
                }
                (self.waits)(false);
            }
            let topic = self.topic_of(batch, record)?;
            bytes += self.send_one(batch, record, topic)?;
            sent += 1;
        }
        self.counters.records_sent.add(sent);
        self.counters.bytes_sent.add(bytes as u64);
        self.serve(Duration::ZERO);
        self.deliveries.verdict()
    }

    /// Serves delivery reports and returns how many; waits up to `wait` (milliseconds count) for the first, or
    /// for the [`Waker`].
    pub fn poll(&mut self, wait: Duration) -> Result<usize, SinkError> {
        let served = self.serve(wait);
        self.deliveries.verdict()?;
        Ok(served)
    }

    /// Records handed over and neither acknowledged nor failed.
    pub fn in_flight(&self) -> usize {
        self.deliveries.in_flight()
    }

    /// Waits so long (a millisecond at least), and has what was sent leave meanwhile without company. librdkafka waits for whole
    /// milliseconds: so long on average. Does neither, and says so, where `linger.ms` was set, and where many brokers would be
    /// woken for one.
    pub fn hurry(&mut self, wait: Duration) -> Result<bool, SinkError> {
        if !self.hurries || self.counters.brokers_connected.get() > HURRIED_BROKERS {
            return Ok(false);
        }
        self.producer.hurry(whole_milliseconds(wait, &mut self.owed));
        self.serve(Duration::ZERO);
        self.deliveries.verdict()?;
        Ok(true)
    }

    /// Whether more records can leave before those that are in flight are acknowledged.
    pub fn takes_more(&self) -> bool {
        self.deliveries.in_flight() < wave::TRICKLE
    }

    /// Waits until all is acknowledged.
    pub fn flush(&mut self, wait: Duration) -> Result<(), SinkError> {
        let deadline = clock::moment() + wait;
        while self.deliveries.in_flight() > 0 {
            let Some(left) = clock::left_until(deadline) else {
                return Err(SinkError::FlushTimedOut { remaining: self.deliveries.in_flight(), waited: wait });
            };
            self.producer.hurry(Duration::ZERO);
            self.serve(left.clamp(Duration::from_millis(1), FULL_BUFFER_WAIT));
            self.deliveries.verdict()?;
        }
        self.deliveries.verdict()
    }

    fn serve(&mut self, wait: Duration) -> usize {
        let deliveries = &mut self.deliveries;
        let before = deliveries.served();
        self.producer.serve(wait, &mut |event| deliveries.take(event));
        deliveries.publish();
        if deliveries.failed_just_now() {
            // Later records must not arrive before the ones that are about to come again.
            self.producer.purge_unsent();
        }
        deliveries.served() - before
    }

    /// Serves delivery reports while nothing more may be handed over; time has passed then.
    fn wait_for_reports(&mut self) -> Result<(), SinkError> {
        let deliveries = &mut self.deliveries;
        self.producer.serve(FULL_BUFFER_WAIT, &mut |event| deliveries.take(event));
        deliveries.publish();
        self.now_ms = clock::now_ms();
        self.deliveries.verdict()?;
        if self.stop.is_set() { Err(SinkError::Stopped) } else { Ok(()) }
    }

    fn topic_of(&mut self, batch: &EncodedBatch, record: &EncodedRecord) -> Result<TopicIndex, SinkError> {
        let index = record.topic as usize;
        if let Some(Some(topic)) = self.batch_topics.get(index) {
            return Ok(*topic);
        }
        let name = batch.topics.get(index).ok_or(SinkError::Batch("a record names a topic that is not there"))?;
        let topic = match self.topics.get(name) {
            Some(topic) => *topic,
            None => self.open_topic(name)?,
        };
        if let Some(slot) = self.batch_topics.get_mut(index) {
            *slot = Some(topic);
        }
        Ok(topic)
    }

    /// The first record of a topic: creates the topic where that is asked for.
    fn open_topic(&mut self, name: &Arc<str>) -> Result<TopicIndex, SinkError> {
        if !creation::is_legal_name(name) {
            return Err(SinkError::TopicName { topic: name.to_string() });
        }
        if let Some(creator) = &mut self.creator
            && creator.ensure(name)?
        {
            self.counters.topics_created.add(1);
        }
        let topic = self.producer.open_topic(name).ok_or_else(|| SinkError::TopicName { topic: name.to_string() })?;
        self.topics.insert(name.clone(), topic);
        // The broker may have taken its time.
        self.now_ms = clock::now_ms();
        Ok(topic)
    }

    /// Hands one record over and returns its bytes.
    fn send_one(
        &mut self,
        batch: &EncodedBatch,
        record: &EncodedRecord,
        topic: TopicIndex,
    ) -> Result<usize, SinkError> {
        let ticket = batch.ticket.as_ref().ok_or(SinkError::Batch("it has no ticket"))?;
        let (key, value) = (slice(batch, record.key.as_ref())?, slice(batch, record.value.as_ref())?);
        let size = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
        let claim = self.deliveries.claim(ticket.share());
        let mut outgoing = Outgoing {
            topic,
            partition: record.partition,
            key,
            value,
            timestamp: record.timestamp.unwrap_or(self.now_ms),
            headers: headers_of(&self.context_headers, batch, record)?,
            claim,
        };
        loop {
            let code = match self.producer.produce(&outgoing) {
                Ok(()) => return Ok(size),
                Err(code) => code,
            };
            if code != RDKafkaErrorCode::QueueFull {
                let name = batch.topics.get(record.topic as usize).map_or("", |name| name);
                self.deliveries.not_taken(claim, code, name, key.map_or(0, <[u8]>::len), size, record.partition);
                self.deliveries.verdict()?;
                return Ok(size);
            }
            self.counters.buffer_full_waits.add(1);
            (self.waits)(true);
            self.wait_for_reports()?;
            (self.waits)(false);
            outgoing.timestamp = record.timestamp.unwrap_or(self.now_ms);
        }
    }
}

impl Drop for KafkaSink {
    fn drop(&mut self) {
        let waiting = self.producer.waiting();
        if waiting > 0 {
            tracing::info!(
                waiting,
                "producer dropped before all was acknowledged: it comes again from the resume point"
            );
        }
        self.counters.records_in_flight.set(0);
    }
}

/// The headers of one record. Few have any of their own (changed keys, the outbox); Debezium adds the
/// connector's after them.
fn headers_of(
    context: &[(String, Vec<u8>)],
    batch: &EncodedBatch,
    record: &EncodedRecord,
) -> Result<Headers, SinkError> {
    let own = batch.headers.get(record.headers.start as usize..record.headers.end as usize);
    let own = own.ok_or(SinkError::Batch("a record names headers that are not there"))?;
    if own.is_empty() {
        let has_shared = record.context_headers && !context.is_empty();
        return Ok(if has_shared { Headers::Shared } else { Headers::None });
    }
    let own = own.iter().map(|header| (&*header.name, header.value.as_ref().map(|range| batch.bytes(range))));
    let context = context.iter().filter(|_| record.context_headers);
    let context = context.map(|(name, value)| (name.as_str(), Some(value.as_slice())));
    Ok(Headers::Own(HeaderList::new(own.chain(context))))
}

/// Whole milliseconds of a wait and of what those before it were short of; what it is short of itself is `owed`.
fn whole_milliseconds(wait: Duration, owed: &mut Duration) -> Duration {
    let due = wait + *owed;
    *owed = Duration::from_nanos(u64::from(due.subsec_nanos() % 1_000_000));
    due - *owed
}

fn header_list(headers: &[(String, Vec<u8>)]) -> HeaderList {
    HeaderList::new(headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_slice()))))
}

fn slice<'a>(batch: &'a EncodedBatch, range: Option<&Range<u32>>) -> Result<Option<&'a [u8]>, SinkError> {
    match range {
        None => Ok(None),
        Some(range) => match batch.buffer.get(range.start as usize..range.end as usize) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(SinkError::Batch("a record lies outside its buffer")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_as_long_as_asked_on_average() {
        let (mut owed, mut waited) = (Duration::ZERO, Duration::ZERO);
        for number in 1..=20 {
            let wait = whole_milliseconds(Duration::from_micros(1_300), &mut owed);
            assert_eq!(wait.subsec_nanos() % 1_000_000, 0, "librdkafka waits for no less");
            waited += wait;
            let asked = Duration::from_micros(1_300) * number;
            assert!(waited <= asked && asked - waited < Duration::from_millis(1), "{waited:?} of {asked:?}");
        }
    }
}
