//! Topics as stores: read from their beginning to their end, appended to with the broker's acknowledgement.
//!
//! In: properties of Kafka's Java clients. Out: records, and appends that are durable on return. Promised: a
//! read ends at the end that read_committed consumers see (gaps of compaction and transaction markers
//! included), or with an error when nothing comes for the time allowed; an append that was not acknowledged
//! is an error, and its producer is thrown away, so that nothing of it arrives behind a later one. Many records are
//! sent together and waited for together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, DeliveryResult};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::StoreError;
use crate::util::clock;
use crate::util::kafka::admin::Admin;
use crate::util::kafka::properties::{self, ClientProperties, Role};
use crate::util::stop::Stop;

/// The Kafka clients of a store.
#[derive(Clone, Debug)]
pub struct KafkaStoreOptions {
    /// Java properties of the producer, `bootstrap.servers` among them.
    pub producer: BTreeMap<String, String>,
    /// Java properties of the consumer, `bootstrap.servers` among them.
    pub consumer: BTreeMap<String, String>,
    /// How long a write, or a request about a topic, may take.
    pub request_timeout: Duration,
    /// How long a read may go without anything coming.
    pub read_timeout: Duration,
    /// Set when the pipeline has failed: a write without an answer is then soon given up.
    pub abandoned: Stop,
}

/// A topic, read and written.
pub(super) struct TopicStore {
    pub(super) topic: String,
    options: KafkaStoreOptions,
    writer: Option<BaseProducer<Outcome>>,
    /// Number of the next record: reports name records by their numbers.
    next: usize,
}

/// A record to write.
pub(super) struct Written<'a> {
    pub(super) key: Option<&'a [u8]>,
    /// `None` removes what is there under the key.
    pub(super) value: Option<&'a [u8]>,
}

impl Written<'_> {
    fn size(&self) -> usize {
        self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len)
    }
}

/// What came back of the records that are waited for.
#[derive(Clone, Copy, Default)]
struct Report {
    /// Number of the first of them.
    first: usize,
    /// How many have no report yet.
    waiting: usize,
    /// The first that was refused, and why.
    refused: Option<(usize, RDKafkaErrorCode)>,
}

struct Outcome {
    report: Mutex<Report>,
}

/// How long a store that does not answer is still waited for once its pipeline has failed: enough for a broker that
/// is there, and for a connection to it.
const ABANDONED_AFTER: Duration = Duration::from_secs(1);

/// How long a write is waited for: its time, or what is left of it when the pipeline is given up.
struct Patience<'a> {
    abandoned: &'a Stop,
    deadline: Instant,
    cut: bool,
    pause: Duration,
}

impl<'a> Patience<'a> {
    fn new(options: &'a KafkaStoreOptions) -> Self {
        let deadline = clock::moment() + options.request_timeout;
        Patience { abandoned: &options.abandoned, deadline, cut: false, pause: FIRST_PAUSE }
    }

    /// Waits before the next look into the client's queue.
    fn wait(&mut self, topic: &str) -> Result<(), StoreError> {
        if !self.cut && self.abandoned.is_set() {
            self.cut = true;
            self.deadline = self.deadline.min(clock::moment() + ABANDONED_AFTER);
        }
        if clock::left_until(self.deadline).is_some() {
            std::thread::park_timeout(self.pause);
            self.pause = (self.pause * 5 / 4).min(LONGEST_PAUSE);
            return Ok(());
        }
        let text = match self.cut {
            true => "given up with the pipeline".to_owned(),
            false => RDKafkaErrorCode::MessageTimedOut.to_string(),
        };
        Err(StoreError::Unanswered { action: "writing to", topic: topic.to_owned(), text })
    }
}

impl ClientContext for Outcome {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        quietly(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        trouble(&error, reason);
    }
}

/// A reading client's words.
struct Reading;

impl ClientContext for Reading {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        quietly(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        trouble(&error, reason);
    }
}

impl ConsumerContext for Reading {}

/// A client's error that belongs to no read or write. A broker that is away is one for each attempt to connect, and
/// what that means is said once by the read or write that fails; the end of a partition is what a read waits for.
fn trouble(error: &KafkaError, reason: &str) {
    use RDKafkaErrorCode as E;
    if matches!(code_of(error), E::PartitionEOF | E::BrokerTransportFailure | E::AllBrokersDown | E::Resolve) {
        tracing::debug!(%error, "store: {reason}");
    } else {
        tracing::warn!(%error, "store: {reason}");
    }
}

/// A client's log lines: what matters in them comes as an error too.
fn quietly(level: RDKafkaLogLevel, facility: &str, text: &str) {
    tracing::debug!(?level, facility, "store: {text}");
}

impl ProducerContext for Outcome {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let Ok(mut report) = self.report.lock() else { return };
        if number < report.first {
            return;
        }
        report.waiting = report.waiting.saturating_sub(1);
        if let Err((error, _)) = result {
            report.refused.get_or_insert((number, code_of(error)));
        }
    }
}

fn code_of(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)
}

/// Bytes that are sent to a partition at a time, as Debezium's `KafkaSchemaHistory` sets it.
const BATCH_BYTES: &str = "32768";

/// The pause between two looks into the client's queue, which becomes longer while nothing comes. Not a look that lasts
/// so long: the library spends what is left of a millisecond asking again, and a broker that is away would cost a core.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// What a read waits for at a time.
const READ_POLL: Duration = Duration::from_millis(100);

impl TopicStore {
    /// Set when the pipeline has failed and waits for nothing any more.
    pub fn abandoned(&self) -> &Stop {
        &self.options.abandoned
    }

    pub(super) fn new(topic: String, options: KafkaStoreOptions) -> Self {
        TopicStore { topic, options, writer: None, next: 1 }
    }

    fn producer_properties(&self) -> Result<ClientProperties, StoreError> {
        let mut out = properties::translate(Role::Producer, &self.options.producer)?;
        // What is written is waited for: company would only make it wait longer.
        out.set("linger.ms", "0");
        // Nothing that is refused may be overtaken by what comes after it, also while the topic is being made.
        out.set("max.in.flight", "1");
        // Many small records must not become one batch that the topic's max.message.bytes refuses.
        out.default_to("batch.size", BATCH_BYTES);
        out.set("message.timeout.ms", self.options.request_timeout.as_millis().max(1).to_string());
        Ok(out)
    }

    pub(super) fn admin(&self) -> Result<Admin, StoreError> {
        let properties = self.producer_properties()?;
        Admin::new(&properties, self.options.request_timeout).map_err(|error| StoreError::Configuration(error.text))
    }

    /// Says once what becomes of properties without effect.
    pub(super) fn log_notes(&self) -> Result<(), StoreError> {
        let notes = [(Role::Producer, &self.options.producer), (Role::Consumer, &self.options.consumer)];
        for (role, java) in notes {
            for note in properties::translate(role, java)?.notes {
                tracing::warn!(topic = %self.topic, ?role, property = %note.property, "store's property {}", note.text);
            }
        }
        Ok(())
    }

    /// Writes records to one partition, in order; the broker has acknowledged all of them when this returns. After
    /// an error some may be there: whoever writes them again must not mind.
    pub(super) fn write(&mut self, partition: Option<i32>, records: &[Written<'_>]) -> Result<(), StoreError> {
        let outcome = self.try_write(partition, records);
        if outcome.is_err() {
            self.writer = None;
        }
        outcome
    }

    fn try_write(&mut self, partition: Option<i32>, records: &[Written<'_>]) -> Result<(), StoreError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.make_writer()?,
        };
        let first = self.next;
        self.next += records.len();
        if let Ok(mut report) = writer.context().report.lock() {
            *report = Report { first, waiting: records.len(), refused: None };
        }
        let mut patience = Patience::new(&self.options);
        for (number, written) in (first..).zip(records) {
            let mut record = BaseRecord::with_opaque_to(&self.topic, number);
            record.payload = written.value;
            record.key = written.key;
            record.partition = partition;
            while let Err((error, back)) = writer.send(record) {
                let code = code_of(&error);
                if code != RDKafkaErrorCode::QueueFull {
                    return Err(self.refused(code, written.size()));
                }
                record = back;
                writer.poll(Duration::ZERO);
                patience.wait(&self.topic)?;
            }
        }
        loop {
            writer.poll(Duration::ZERO);
            let (waiting, refused) =
                writer.context().report.lock().map(|report| (report.waiting, report.refused)).unwrap_or_default();
            if let Some((number, code)) = refused {
                let size = number.checked_sub(first).and_then(|index| records.get(index)).map_or(0, Written::size);
                return Err(self.refused(code, size));
            }
            if waiting == 0 {
                break;
            }
            patience.wait(&self.topic)?;
        }
        self.writer = Some(writer);
        Ok(())
    }

    fn make_writer(&self) -> Result<BaseProducer<Outcome>, StoreError> {
        let context = Outcome { report: Mutex::default() };
        let config = self.producer_properties()?.client_config();
        config.create_with_context(context).map_err(|error| StoreError::Configuration(error.to_string()))
    }

    fn refused(&self, code: RDKafkaErrorCode, size: usize) -> StoreError {
        use RDKafkaErrorCode as E;
        let (action, topic, text) = ("writing to", self.topic.clone(), code.to_string());
        if is_authorization(code) {
            StoreError::NotAuthorized { action, topic, text }
        } else if matches!(
            code,
            E::MessageSizeTooLarge
                | E::InvalidMessageSize
                | E::MessageBatchTooLarge
                | E::InvalidRecord
                | E::PolicyViolation
                | E::InvalidTimestamp
        ) {
            StoreError::RecordRefused { topic, size, text }
        } else {
            StoreError::Unanswered { action, topic, text }
        }
    }

    fn consumer(&self) -> Result<BaseConsumer<Reading>, StoreError> {
        let mut out = properties::translate(Role::Consumer, &self.options.consumer)?;
        // librdkafka wants a group's name even where nothing is committed.
        out.default_to("group.id", &format!("{}-reader", self.topic));
        out.default_to("isolation.level", "read_committed");
        out.set("enable.partition.eof", "true");
        out.set("auto.offset.reset", "error");
        let consumer = out.client_config().create_with_context(Reading);
        consumer.map_err(|error| StoreError::Configuration(error.to_string()))
    }

    fn unread(&self, error: &KafkaError) -> StoreError {
        let code = code_of(error);
        let (action, topic, text) = ("reading", self.topic.clone(), code.to_string());
        if is_authorization(code) {
            StoreError::NotAuthorized { action, topic, text }
        } else {
            StoreError::Unanswered { action, topic, text }
        }
    }

    /// The offsets of the first record of partition 0 and behind its last.
    pub(super) fn bounds(&self) -> Result<(i64, i64), StoreError> {
        let watermarks = self.consumer()?.fetch_watermarks(&self.topic, 0, self.options.request_timeout);
        watermarks.map_err(|error| self.unread(&error))
    }

    /// Gives every record of these partitions (all, when `only` is `None`) to `each`.
    pub(super) fn read(
        &self,
        only: Option<i32>,
        each: &mut dyn FnMut(&BorrowedMessage<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let consumer = self.consumer()?;
        let mut unfinished = self.assign(&consumer, only)?;
        let mut last_seen = clock::moment();
        while !unfinished.is_empty() {
            match consumer.poll(READ_POLL) {
                Some(Ok(message)) => {
                    each(&message)?;
                    last_seen = clock::moment();
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    unfinished.remove(&partition);
                    last_seen = clock::moment();
                }
                Some(Err(error)) if is_final(code_of(&error)) => return Err(self.unread(&error)),
                // The client goes on trying by itself; the time allowed bounds it.
                Some(Err(error)) => tracing::warn!(topic = %self.topic, %error, "store: reading"),
                None => {}
            }
            if last_seen.elapsed() > self.options.read_timeout {
                let text = format!(
                    "nothing came for {:?}; {} partitions are not read to their end",
                    self.options.read_timeout,
                    unfinished.len()
                );
                return Err(StoreError::Unanswered { action: "reading", topic: self.topic.clone(), text });
            }
        }
        Ok(())
    }

    fn assign(&self, consumer: &BaseConsumer<Reading>, only: Option<i32>) -> Result<BTreeSet<i32>, StoreError> {
        let metadata = consumer
            .fetch_metadata(Some(&self.topic), self.options.request_timeout)
            .map_err(|error| self.unread(&error))?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        let partitions =
            topic.map(|topic| topic.partitions().iter().map(|partition| partition.id()).collect::<BTreeSet<i32>>());
        let mut partitions = partitions.unwrap_or_default();
        partitions.retain(|partition| only.is_none_or(|only| only == *partition));
        if partitions.is_empty() {
            let text = "the topic does not exist, or may not be seen".to_owned();
            return Err(StoreError::Unanswered { action: "reading", topic: self.topic.clone(), text });
        }
        let mut list = TopicPartitionList::new();
        for partition in &partitions {
            list.add_partition_offset(&self.topic, *partition, Offset::Beginning)
                .map_err(|error| self.unread(&error))?;
        }
        consumer.assign(&list).map_err(|error| self.unread(&error))?;
        Ok(partitions)
    }
}

fn is_authorization(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
    )
}

/// Errors of a reading consumer that waiting does not mend.
fn is_final(code: RDKafkaErrorCode) -> bool {
    is_authorization(code)
        || matches!(
            code,
            RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::AutoOffsetReset
                | RDKafkaErrorCode::BadMessage
                | RDKafkaErrorCode::Fatal
        )
}
