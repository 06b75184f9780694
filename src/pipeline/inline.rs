//! The short way: one small batch, with nothing before it, is encoded and sent by the thread that read it.
//!
//! In: a job and the producer. Out: its records are with the producer, or the job comes back and goes the long way, through
//! the encoders' threads. Promised: the order of the stream, as the producer's turn is asked for first; what must be made
//! durable, and versions of tables that are seen for the first time, and so may need a schema or a topic, go the long way. Only
//! where a transform finds a new topic in a row's values does the reader wait for one to be made, as an encoder would.
//!
//! Why: at a few thousand small transactions a second the threads did little but wake each other, three for each batch; that
//! was two thirds of the CPU. Nothing of it shows under load: batches are larger then, and there is always one before.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use flume::Sender;

use super::encode::{Encoder, Encoding, Job, emptied};
use super::produce::{Delivery, SharedProducer};
use crate::error::Failure;
use crate::model::change::{Batch, Change};
use crate::model::encoded::EncodedBatch;
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::Activity;
use crate::util::clock;

/// Larger batches are worth a thread of their own, and a request to the broker that waits for more of them.
const SMALL_BYTES: usize = 8 * 1024;

/// How many times more, at most as long each, a broker is waited for before batches go the long way, which waits for it
/// beside the reader.
const PATIENCE: u32 = 4;

/// What has gone the long way is remembered for so many versions of tables.
const KNOWN_MAXIMUM: usize = 16 * 1024;

/// What records are made of: each needs a schema and a topic the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Made {
    /// Rows of this version of a table.
    Rows(u64),
    Truncate(u64),
    Message,
    Boundary,
    Heartbeat,
}

/// The short way through the pipeline.
pub struct Inline {
    encoder: Encoder,
    producer: Arc<SharedProducer>,
    /// To the producer's thread, which then looks for reports.
    deliveries: Sender<Delivery>,
    metrics: Arc<ConnectorMetrics>,
    spare: EncodedBatch,
    known: HashSet<Made>,
}

/// What became of a job.
pub enum Sent {
    /// Its records are with the producer; the batch can be used again.
    Short(Batch),
    /// It has to go the long way.
    Long(Job),
    /// The pipeline is given up.
    Aborted,
}

impl Inline {
    /// A short way beside the long one; `None` where columns are read again, which waits for the database.
    ///
    /// # Errors
    /// When a transform cannot be made.
    pub fn beside(
        encoding: &Arc<Encoding>,
        producer: Arc<SharedProducer>,
        deliveries: Sender<Delivery>,
    ) -> Result<Option<Self>, Failure> {
        if !encoding.processing.reselections.is_empty() {
            return Ok(None);
        }
        let (encoder, metrics) = (Encoder::new(encoding.clone())?, encoding.metrics.clone());
        let (spare, known) = (EncodedBatch::default(), HashSet::new());
        Ok(Some(Inline { encoder, producer, deliveries, metrics, spare, known }))
    }

    /// Encodes and sends a small batch whose turn it is.
    ///
    /// # Errors
    /// What the sink fails with, and what the batch failed with when it was encoded.
    pub fn send(&mut self, job: Job) -> Result<Sent, Failure> {
        if !self.takes(&job) {
            return Ok(Sent::Long(job));
        }
        let Some((mut batch, mut out)) = self.encoder.work(job, std::mem::take(&mut self.spare)) else {
            return Ok(Sent::Aborted);
        };
        let (items_in, items_out) = (batch.changes.len() as u64, out.records.len() as u64);
        let encoders = &self.metrics.encoders;
        encoders.progress(items_in, items_out, clock::now_ns());
        encoders.set(Activity::Idle);
        self.producer.lock().deliver(&mut out)?;
        self.spare = emptied(out);
        batch.clear();
        Ok(Sent::Short(batch))
    }

    /// Waits so long for more to come from the source, while what was sent is on its way; somewhat longer for a broker that
    /// takes its time. Says whether it waited.
    ///
    /// # Errors
    /// What the sink fails with.
    pub fn gather(&mut self, wait: Duration) -> Result<bool, Failure> {
        let Some(mut producer) = self.producer.try_lock() else { return Ok(false) };
        if producer.sink.in_flight() == 0 {
            // A batch without records: a hurried wait for nothing returns at once.
            return Ok(false);
        }
        let waited = producer.sink.hurry(wait)?;
        for _ in 0..PATIENCE {
            if !waited || producer.sink.takes_more() {
                break;
            }
            producer.sink.poll(wait)?;
        }
        producer.show();
        if producer.rests && producer.sink.in_flight() > 0 {
            // The next batch may be long in coming.
            producer.rests = false;
            drop(self.deliveries.try_send(Delivery::Reports));
        }
        Ok(waited)
    }

    fn takes(&mut self, job: &Job) -> bool {
        if job.batch.bytes > SMALL_BYTES || !self.knows(&job.batch.changes) {
            return false;
        }
        let Some(producer) = self.producer.try_lock() else { return false };
        producer.next == job.ticket.ordinal() && producer.sink.takes_more()
    }

    /// Whether all of it has gone the long way before. It has also arrived when the turn of what follows has come.
    fn knows(&mut self, changes: &[Change]) -> bool {
        if self.known.len() >= KNOWN_MAXIMUM {
            self.known.clear();
        }
        let mut known = true;
        for change in changes {
            let made = match change {
                Change::Rows(rows) => Made::Rows(rows.layout.version),
                Change::Truncate { layout, .. } => Made::Truncate(layout.version),
                Change::Message(_) => Made::Message,
                Change::Begin(_) | Change::End(_) => Made::Boundary,
                Change::Heartbeat => Made::Heartbeat,
                Change::Schema(_) => {
                    known = false;
                    continue;
                }
            };
            known &= !self.known.insert(made);
        }
        known
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::collections::BTreeMap;
    use std::ops::Range;
    use std::sync::Mutex;

    use super::super::desk::Desk;
    use super::super::produce::{HistoryWriter, Sink};
    use super::super::status::StatusBoard;
    use super::super::topic_keys::TopicKeys;
    use super::super::turns::Turns;
    use super::super::write::Processing;
    use super::*;
    use crate::config::connector::ConnectorConfig;
    use crate::config::provider::Environment;
    use crate::config::worker::WorkerConfig;
    use crate::envelope::Envelope;
    use crate::model::change::SchemaChange;
    use crate::model::position::StoredOffset;
    use crate::pipeline::translate;
    use crate::serialize::{Role, build};
    use crate::util::stop::Stop;

    /// What was sent: the ordinal of each batch, and how many records it had. Nothing is acknowledged.
    #[derive(Clone, Default)]
    struct Topic(Arc<Mutex<Vec<(u64, usize)>>>);

    impl Sink for Topic {
        fn send(&mut self, batch: &EncodedBatch, records: Range<u32>) -> Result<(), Failure> {
            self.0.lock().unwrap().push((batch.ticket.as_ref().unwrap().ordinal(), records.len()));
            Ok(())
        }
        fn poll(&mut self, _: Duration) -> Result<(), Failure> {
            Ok(())
        }
        fn hurry(&mut self, _: Duration) -> Result<bool, Failure> {
            Ok(true)
        }
        fn in_flight(&self) -> usize {
            self.0.lock().unwrap().len()
        }
        fn takes_more(&self) -> bool {
            self.in_flight() < 3
        }
    }

    impl HistoryWriter for Topic {
        fn append(&mut self, _: &[&SchemaChange]) -> Result<(), Failure> {
            Ok(())
        }
    }

    fn encoding(metrics: &Arc<ConnectorMetrics>) -> Arc<Encoding> {
        let worker = WorkerConfig::from_map(&BTreeMap::new(), Environment::default()).unwrap().0;
        let properties = [
            ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
            ("database.hostname", "db"),
            ("database.user", "cdc"),
            ("database.server.id", "1"),
            ("topic.prefix", "shop"),
            ("schema.history.internal.kafka.topic", "history"),
            ("schema.history.internal.kafka.bootstrap.servers", "kafka:9092"),
        ];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = ConnectorConfig::from_map("orders", properties.into(), &worker).unwrap().0;
        let json = |role| {
            build(&BTreeMap::new(), "org.apache.kafka.connect.json.JsonConverter", role, &Stop::new().flag()).unwrap()
        };
        Arc::new(Encoding {
            envelope: Arc::new(Envelope::new(translate::envelope_options(&config))),
            key: json(Role::Key),
            value: json(Role::Value),
            header: json(Role::Header),
            processing: Processing {
                transforms: config.transforms.clone(),
                context_headers: Vec::new(),
                errors: translate::error_rules(&config),
                reselections: Vec::new(),
            },
            failure_mode: config.errors.event_processing,
            metrics: metrics.clone(),
            board: Arc::new(StatusBoard::new()),
            turns: Turns::default(),
            topic_keys: TopicKeys::default(),
            abort: Stop::new(),
        })
    }

    fn batch(bytes: usize, changes: Vec<Change>) -> Batch {
        let position = Arc::new(StoredOffset(Vec::new()));
        Batch { block: vec![0; bytes], bytes, changes, position, received_ns: 0 }
    }

    #[test]
    fn only_what_is_small_known_and_next_goes_the_short_way() {
        let (metrics, sent) = (Arc::new(ConnectorMetrics::new()), Topic::default());
        let (desk, stop) = (Desk::new(1 << 20, metrics.clone()), Stop::new());
        let encoding = encoding(&metrics);
        let (sink, history) = (Box::new(sent.clone()), Box::new(sent.clone()));
        let producer = SharedProducer::new(sink, history, (&metrics, &encoding.board), &Stop::new());
        producer.lock().rests = true;
        let (deliveries, asked) = flume::bounded(4);
        let mut worker = Encoder::new(encoding.clone()).unwrap();
        let mut inline = Inline::beside(&encoding, producer.clone(), deliveries).unwrap().unwrap();
        // Gives the job where it has to go the long way.
        let mut send = |batch: Batch| {
            let ticket = desk.enter(batch.position.clone(), batch.bytes as u64, &stop).unwrap();
            match inline.send(Job { batch, ticket }).unwrap() {
                Sent::Short(empty) => {
                    assert!(empty.changes.is_empty() && empty.bytes == 0);
                    None
                }
                Sent::Long(job) => Some(job),
                Sent::Aborted => panic!("nobody has given it up"),
            }
        };
        let mut go_long = |job: Option<Job>| {
            let (_, mut out) = worker.work(job.unwrap(), EncodedBatch::default()).unwrap();
            producer.lock().deliver(&mut out).unwrap();
        };
        let beats = |count| (0..count).map(|_| Change::Heartbeat).collect::<Vec<_>>();
        // A schema and a topic may have to be made for it.
        let first = send(batch(1, beats(1)));
        // It is not sent yet, and what comes behind must not overtake it.
        let second = send(batch(1, beats(2)));
        go_long(first);
        go_long(second);
        assert!(send(batch(1, beats(3))).is_none());
        assert_eq!(*sent.0.lock().unwrap(), [(0, 1), (1, 2), (2, 3)]);
        // The broker is behind.
        let behind = send(batch(1, beats(4)));
        sent.0.lock().unwrap().clear();
        go_long(behind);
        let large = send(batch(SMALL_BYTES + 1, beats(5)));
        go_long(large);
        assert_eq!(*sent.0.lock().unwrap(), [(3, 4), (4, 5)]);
        let ladder = &metrics.ladder;
        assert_eq!((ladder.encoded.get(), ladder.produced.get(), ladder.settled.get()), (5, 5, 5));
        // The thread that looks for reports rested, and is asked once.
        assert!(inline.gather(Duration::ZERO).unwrap() && inline.gather(Duration::ZERO).unwrap());
        assert!(matches!(asked.try_recv(), Ok(Delivery::Reports)) && asked.is_empty());
    }
}
