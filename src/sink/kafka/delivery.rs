//! What becomes of a record: the one place that settles shares.
//!
//! In: librdkafka's events. Out: settled shares, counters, and one verdict: the sink goes on, or why not.
//! Promised: without an acknowledgement no share is settled, save under `record.too.large.policy=skip`; the
//! first failure stays the verdict. Nothing survives a crash.

use std::ffi::CStr;
use std::sync::Arc;

use rdkafka::types::RDKafkaErrorCode;

use super::claims::Claims;
use super::native::Event;
use super::options::{BatchLimit, KafkaSinkOptions, MissedTopics, TooLargePolicy};
use super::statistics;
use super::witness::Witness;
use crate::model::ticket::Share;
use crate::sink::{SinkCounters, SinkError};
use crate::util::kafka::admin::Admin;
use crate::util::kafka::properties::ClientProperties;

/// Claims and verdict of one producer.
pub(super) struct Deliveries {
    claims: Claims,
    /// The most partitions that a topic was seen to have.
    partitions: usize,
    /// An acknowledgement without an offset proves nothing.
    offsets_prove: bool,
    verdict: Option<SinkError>,
    purge_due: bool,
    acknowledged: u64,
    failed: u64,
    skipped: u64,
    published: (u64, u64, u64),
    too_large: TooLargePolicy,
    batch_limit: BatchLimit,
    missed_topics: MissedTopics,
    /// `batch.size` of this producer, once a batch was refused: a record of that size has no neighbours, and a
    /// smaller one shares a batch of at most that size.
    batch_size: Option<usize>,
    properties: ClientProperties,
    connector: String,
    counters: Arc<SinkCounters>,
    witness: Witness,
}

/// A record that was not delivered.
struct Failed<'a> {
    topic: &'a str,
    key_length: usize,
    size: usize,
    code: RDKafkaErrorCode,
}

impl Deliveries {
    pub(super) fn new(options: &KafkaSinkOptions, properties: ClientProperties, counters: Arc<SinkCounters>) -> Self {
        Deliveries {
            claims: Claims::default(),
            partitions: 1,
            offsets_prove: KafkaSinkOptions::offsets_prove(&properties),
            verdict: None,
            purge_due: false,
            acknowledged: 0,
            failed: 0,
            skipped: 0,
            published: (0, 0, 0),
            too_large: options.too_large,
            batch_limit: options.batch_limit.clone(),
            missed_topics: options.missed_topics.clone(),
            batch_size: options.batch_limit.get().map(|limit| batch_size(&properties).unwrap_or(limit)),
            properties,
            connector: options.connector.clone(),
            counters,
            witness: options.witness.clone(),
        }
    }

    pub(super) fn claim(&mut self, share: Share) -> usize {
        self.claims.insert(share)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.claims.len()
    }

    /// The most partitions that a topic was seen to have; 1 in the beginning.
    pub(super) fn partitions(&self) -> usize {
        self.partitions
    }

    /// Reports that were served so far.
    pub(super) fn served(&self) -> usize {
        usize::try_from(self.acknowledged + self.failed).unwrap_or(usize::MAX)
    }

    /// Goes on, or says why not; the same error every time.
    pub(super) fn verdict(&self) -> Result<(), SinkError> {
        self.verdict.clone().map_or(Ok(()), Err)
    }

    /// True once, after the verdict was given.
    pub(super) fn failed_just_now(&mut self) -> bool {
        std::mem::take(&mut self.purge_due)
    }

    /// Adds what came since the last call to the shared counters.
    pub(super) fn publish(&mut self) {
        let (acknowledged, failed, skipped) = self.published;
        self.counters.records_acknowledged.add(self.acknowledged - acknowledged);
        self.counters.records_failed.add(self.failed - failed);
        self.counters.records_skipped.add(self.skipped - skipped);
        self.published = (self.acknowledged, self.failed, self.skipped);
        self.counters.records_in_flight.set(self.claims.len() as u64);
    }

    pub(super) fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Delivery { claim, error: None, topic, offset, .. } if self.offsets_prove && offset < 0 => {
                // Only the first of a batch shows it. Those behind it come later in the stream, so it holds them back too.
                self.failed += 1;
                drop(self.claims.take(claim));
                if self.verdict.is_none() {
                    self.fail(SinkError::Unproven { topic: text(topic).to_owned() });
                }
            }
            Event::Delivery { claim, error: None, partition, topic, offset, key, value } => {
                self.acknowledged += 1;
                self.partitions = self.partitions.max(partition.saturating_add(1));
                if let Some(share) = self.claims.take(claim) {
                    if self.witness.wants(share.ordinal()) {
                        self.witness.note(text(topic), partition, offset, (key, value));
                    }
                    share.settle();
                }
            }
            Event::Delivery { claim, error: Some(code), topic, key, value, .. } => {
                self.failed += 1;
                let share = self.claims.take(claim);
                let key_length = key.map_or(0, <[u8]>::len);
                let size = key_length + value.map_or(0, <[u8]>::len);
                let failed = Failed { topic: text(topic), key_length, size, code };
                self.not_delivered(share, &failed, "the broker");
            }
            Event::Error { code, fatal, text } => self.trouble(code, fatal, text),
            Event::Statistics(json) => statistics::read(json, &self.counters),
            Event::Log { level, facility, text } => log(&self.connector, level, &facility, &text),
        }
    }

    /// `produce` refused a record at once.
    pub(super) fn not_taken(
        &mut self,
        claim: usize,
        code: RDKafkaErrorCode,
        topic: &str,
        key_length: usize,
        size: usize,
        partition: Option<i32>,
    ) {
        let share = self.claims.take(claim);
        if code == RDKafkaErrorCode::UnknownPartition {
            self.fail(SinkError::UnknownPartition { topic: topic.to_owned(), partition: partition.unwrap_or(-1) });
            return;
        }
        self.not_delivered(share, &Failed { topic, key_length, size, code }, "the producer");
    }

    fn not_delivered(&mut self, share: Option<Share>, failed: &Failed<'_>, refused_by: &'static str) {
        if matches!(
            failed.code,
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidMessageSize
                | RDKafkaErrorCode::MessageBatchTooLarge
        ) {
            self.too_large(share, failed, refused_by);
        } else if self.verdict.is_none() {
            let mut error = verdict_of(failed.code, failed.topic);
            // Deleted under a producer that has delivered: a new one has it made again, if anybody makes topics here.
            if let SinkError::UnknownTopic { topic } = &error
                && self.acknowledged > 0
                && self.missed_topics.miss(topic)
            {
                error = SinkError::TopicGone { topic: topic.clone() };
            }
            self.fail(error);
        }
    }

    /// The broker's limit is for a whole batch, and librdkafka does not split one that was refused, as Java's
    /// client does. So the innocent neighbours of a large record come back with the same error; only one that fills
    /// a batch by itself is known to be too large. Topics have limits of their own: a smaller record that is refused
    /// says that its topic's is lower than the one in force.
    fn too_large(&mut self, share: Option<Share>, failed: &Failed<'_>, refused_by: &'static str) {
        let topic = failed.topic.to_owned();
        let alone = self.batch_size.is_some_and(|batch_size| failed.size >= batch_size);
        if refused_by == "the broker" && !alone {
            if self.verdict.is_none() {
                let answer = self.topic_limit(failed.topic);
                // An answer that explains nothing leaves one way to tell: each record alone.
                let limit = if self.batch_size.is_some_and(|in_force| answer >= in_force) { 1 } else { answer };
                self.batch_limit.lower_to(limit);
                self.fail(SinkError::BatchTooLarge { topic, limit });
            }
            return;
        }
        let limit = self.properties.native.get("message.max.bytes").and_then(|text| text.parse().ok()).unwrap_or(0);
        let error = SinkError::TooLarge { topic, key_length: failed.key_length, size: failed.size, limit, refused_by };
        match self.too_large {
            TooLargePolicy::Fail => {
                if self.verdict.is_none() {
                    self.fail(error);
                }
            }
            TooLargePolicy::Skip => {
                tracing::error!(connector = %self.connector, code = %crate::error::Coded::code(&error), "record left out by record.too.large.policy=skip: {error}");
                self.skipped += 1;
                if let Some(share) = share {
                    share.settle();
                }
            }
        }
    }

    /// The topic's `max.message.bytes`; 1, each record alone, where the broker does not say.
    fn topic_limit(&self, topic: &str) -> usize {
        let settings = Admin::new(&self.properties, LIMIT_TIMEOUT).and_then(|admin| admin.topic_settings(topic));
        let limit = settings
            .ok()
            .and_then(|settings| settings.get("max.message.bytes").and_then(|text| text.parse::<usize>().ok()));
        // librdkafka counts a batch's records without the batch's own 61 bytes of header.
        limit.map_or(1, |limit| limit.saturating_sub(BATCH_OVERHEAD_BYTES).max(1))
    }

    fn fail(&mut self, error: SinkError) {
        self.verdict = Some(error);
        self.purge_due = true;
    }

    fn trouble(&mut self, code: RDKafkaErrorCode, fatal: bool, text: String) {
        self.counters.broker_errors.add(1);
        let refused = matches!(code, RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed);
        if self.verdict.is_none() && (fatal || code == RDKafkaErrorCode::Fatal) {
            self.fail(SinkError::ProducerFailed { text });
        } else if self.verdict.is_none() && refused {
            self.fail(SinkError::Authentication { text });
        } else {
            tracing::warn!(connector = %self.connector, broker_error = %code, "{text}");
        }
    }
}

/// The client's `batch.size`.
fn batch_size(properties: &ClientProperties) -> Option<usize> {
    properties.native.get("batch.size").and_then(|text| text.parse().ok())
}

/// How long the question for a topic's limit may hold up the thread: without an answer each record goes alone.
const LIMIT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3);

/// Header of a record batch of format 2 (61 bytes), rounded up for the lengths that grow with its records.
const BATCH_OVERHEAD_BYTES: usize = 128;

/// The pages of librdkafka's codes. What is not named may pass: the connector begins again at the resume point.
fn verdict_of(code: RDKafkaErrorCode, topic: &str) -> SinkError {
    use RDKafkaErrorCode as E;
    let (topic, text) = (topic.to_owned(), code.to_string());
    if matches!(code, E::MessageTimedOut | E::OperationTimedOut | E::RequestTimedOut | E::TimedOutQueue) {
        SinkError::DeliveryTimedOut { topic }
    } else if matches!(code, E::UnknownTopic | E::UnknownTopicOrPartition | E::UnknownPartition) {
        SinkError::UnknownTopic { topic }
    } else if code == E::InvalidTopic {
        SinkError::TopicName { topic }
    } else if matches!(
        code,
        E::TopicAuthorizationFailed | E::ClusterAuthorizationFailed | E::TransactionalIdAuthorizationFailed
    ) {
        SinkError::NotAuthorized { topic, text }
    } else if matches!(code, E::Authentication | E::SaslAuthenticationFailed) {
        SinkError::Authentication { text }
    } else if matches!(
        code,
        E::Fatal
            | E::OutOfOrderSequenceNumber
            | E::UnknownProducerId
            | E::InvalidProducerEpoch
            | E::Fenced
            | E::ProducerFenced
    ) {
        SinkError::ProducerFailed { text }
    } else if matches!(
        code,
        E::InvalidRecord
            | E::PolicyViolation
            | E::InvalidTimestamp
            | E::InvalidRequiredAcks
            | E::UnsupportedCompressionType
            | E::UnsupportedForMessageFormat
            | E::InvalidMessage
    ) {
        SinkError::Refused { topic, text }
    } else {
        SinkError::Delivery { topic, text }
    }
}

/// A topic's name: Kafka allows letters, digits and `._-` only.
fn text(topic: &CStr) -> &str {
    topic.to_str().unwrap_or_default()
}

/// librdkafka's log lines; levels are syslog's.
fn log(connector: &str, level: i32, facility: &str, text: &str) {
    match level {
        // A connection that fails is an error event too, which is logged.
        _ if facility == "FAIL" => tracing::debug!(connector, facility, "librdkafka: {text}"),
        0..=4 => tracing::warn!(connector, facility, "librdkafka: {text}"),
        5 => tracing::info!(connector, facility, "librdkafka: {text}"),
        _ => tracing::debug!(connector, facility, "librdkafka: {text}"),
    }
}
