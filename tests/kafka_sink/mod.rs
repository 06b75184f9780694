//! What the tests of the Kafka sink share: batches to send, a record of what was settled, a way to read back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater::model::encoded::{EncodedBatch, EncodedHeader, EncodedRecord, Step};
use headwater::model::ticket::{Settlements, Ticket};
use headwater::sink::kafka::{KafkaSink, KafkaSinkOptions};
use headwater::sink::{SinkCounters, SinkError};
use headwater::util::stop::Stop;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

/// What was reported: ordinal and whether the batch was settled.
#[derive(Default)]
pub struct Seen(Mutex<Vec<(u64, bool)>>);

impl Settlements for Seen {
    fn settled(&self, ordinal: u64) {
        self.0.lock().unwrap().push((ordinal, true));
    }
    fn abandoned(&self, ordinal: u64) {
        self.0.lock().unwrap().push((ordinal, false));
    }
}

impl Seen {
    pub fn all(&self) -> Vec<(u64, bool)> {
        let mut all = self.0.lock().unwrap().clone();
        all.sort_unstable();
        all
    }
}

/// One record to be sent.
#[derive(Clone, Default)]
pub struct Wanted<'a> {
    pub topic: &'a str,
    pub partition: Option<i32>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    pub context_headers: bool,
    pub timestamp: Option<i64>,
}

pub fn batch(ordinal: u64, seen: &Arc<Seen>, records: &[Wanted<'_>]) -> EncodedBatch {
    let mut out = EncodedBatch::default();
    fn put(out: &mut EncodedBatch, bytes: &[u8]) -> std::ops::Range<u32> {
        let start = out.buffer.len() as u32;
        out.buffer.extend(bytes);
        start..out.buffer.len() as u32
    }
    for wanted in records {
        let topic = match out.topics.iter().position(|topic| &**topic == wanted.topic) {
            Some(at) => at,
            None => {
                out.topics.push(wanted.topic.into());
                out.topics.len() - 1
            }
        };
        let key = wanted.key.map(|bytes| put(&mut out, bytes));
        let value = wanted.value.map(|bytes| put(&mut out, bytes));
        let first = out.headers.len() as u32;
        for (name, value) in wanted.headers {
            let value = value.map(|bytes| put(&mut out, bytes));
            out.headers.push(EncodedHeader { name: (*name).into(), value });
        }
        out.records.push(EncodedRecord {
            topic: topic as u32,
            partition: wanted.partition,
            key,
            value,
            headers: first..out.headers.len() as u32,
            context_headers: wanted.context_headers,
            timestamp: wanted.timestamp,
        });
    }
    out.steps.push(Step::Send(0..records.len() as u32));
    out.ticket = Some(Ticket::new(ordinal, seen.clone()));
    out
}

/// Sends a whole batch and settles its ticket, as the pipeline does.
pub fn send(sink: &mut KafkaSink, batch: &mut EncodedBatch) -> Result<(), SinkError> {
    sink.send(batch, 0..batch.records.len() as u32)?;
    batch.ticket.take().unwrap().settle();
    Ok(())
}

pub fn options(servers: &str, client: &[(&str, &str)]) -> KafkaSinkOptions {
    let mut properties = BTreeMap::from([("bootstrap.servers".to_owned(), servers.to_owned())]);
    for (name, value) in client {
        properties.insert((*name).to_owned(), (*value).to_owned());
    }
    KafkaSinkOptions { connector: "test".to_owned(), client: properties, ..KafkaSinkOptions::default() }
}

pub fn sink(options: &KafkaSinkOptions, counters: &Arc<SinkCounters>) -> KafkaSink {
    KafkaSink::new(options.clone(), counters.clone(), Stop::new()).unwrap()
}

/// One record that was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub timestamp: Option<i64>,
}

/// Everything on a topic, in the order of each partition.
pub fn read_back(servers: &str, topic: &str) -> Vec<Got> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("group.id", "hw-test").set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.set("enable.auto.commit", "false").create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    let partitions = metadata.topics()[0].partitions().len() as i32;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut ended, mut out) = (0, Vec::new());
    let began = Instant::now();
    while ended < partitions {
        assert!(began.elapsed() < Duration::from_secs(60), "{topic} is not read within a minute");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                let headers = message.headers().map(|headers| {
                    headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
                });
                out.push(Got {
                    partition: message.partition(),
                    key: message.key().map(<[u8]>::to_vec),
                    value: message.payload().map(<[u8]>::to_vec),
                    headers: headers.unwrap_or_default(),
                    timestamp: message.timestamp().to_millis(),
                });
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    out
}
