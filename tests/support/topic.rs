//! Topics, read from their first record to the last that is there now.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Headers, Message};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

/// How long a broker may take to answer.
const BROKER_TIMEOUT: Duration = Duration::from_secs(30);

/// One record.
#[derive(Clone, Debug)]
pub struct Record {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// Names and values of the headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
}

/// A consumer that is told what to read.
pub fn consumer(broker: &str) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker).set("group.id", "headwater-test").set("enable.auto.commit", "false");
    config.set("fetch.wait.max.ms", "50").set("log_level", "2");
    config.create().unwrap()
}

/// A broker's answer, asked again while it gives none: a topic that was made just now has no leader for a moment.
fn answer<T>(what: &str, mut ask: impl FnMut() -> KafkaResult<T>) -> T {
    let deadline = Instant::now() + BROKER_TIMEOUT;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < deadline, "{what}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The offsets of the first record of a partition and behind its last.
fn watermarks(consumer: &BaseConsumer, topic: &str, partition: i32) -> (i64, i64) {
    answer(topic, || consumer.fetch_watermarks(topic, partition, BROKER_TIMEOUT))
}

/// Every topic's name.
pub fn names(consumer: &BaseConsumer) -> Vec<String> {
    let metadata = answer("topics", || consumer.fetch_metadata(None, BROKER_TIMEOUT));
    metadata.topics().iter().map(|topic| topic.name().to_owned()).collect()
}

/// Each partition of a topic, where its first record is, and where its next one will be; none for a topic that does not exist.
pub fn partitions(consumer: &BaseConsumer, topic: &str) -> Vec<(i32, i64, i64)> {
    let metadata = answer(topic, || {
        let metadata = consumer.fetch_metadata(Some(topic), BROKER_TIMEOUT)?;
        let error = metadata.topics().first().and_then(|found| found.error()).map(RDKafkaErrorCode::from);
        match error {
            None | Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(metadata),
            Some(code) => Err(KafkaError::MetadataFetch(code)),
        }
    });
    let partitions =
        metadata.topics().iter().flat_map(|topic| topic.partitions().iter().map(|partition| partition.id()));
    let with_ends = |partition| {
        let (low, high) = watermarks(consumer, topic, partition);
        (partition, low, high)
    };
    partitions.map(with_ends).collect()
}

/// The offset behind the last record of each partition; empty for a topic that does not exist.
pub fn ends(broker: &str, topic: &str) -> Vec<i64> {
    partitions(&consumer(broker), topic).into_iter().map(|(_, _, high)| high).collect()
}

/// Shows every record of a topic to `each`, each partition in its order. A topic that does not exist has none.
pub fn read(broker: &str, topic: &str, each: impl FnMut(Record)) {
    read_topics(broker, &[topic.to_owned()], each);
}

/// Shows every record of some topics to `each`, each partition in its order.
pub fn read_topics(broker: &str, topics: &[String], mut each: impl FnMut(Record)) {
    let consumer = consumer(broker);
    let mut assignment = TopicPartitionList::new();
    let mut remaining = BTreeMap::new();
    for topic in topics {
        for (partition, low, high) in partitions(&consumer, topic) {
            if high > low {
                assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
                remaining.insert((topic.clone(), partition), high);
            }
        }
    }
    consumer.assign(&assignment).unwrap();
    let (mut deadline, mut trouble) = (Instant::now() + BROKER_TIMEOUT, None);
    while !remaining.is_empty() {
        assert!(Instant::now() < deadline, "nothing more comes ({trouble:?}), still missing up to {remaining:?}");
        let message = match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                trouble = Some(error);
                continue;
            }
            None => continue,
        };
        deadline = Instant::now() + BROKER_TIMEOUT;
        let (place, offset) = ((message.topic().to_owned(), message.partition()), message.offset());
        let Some(high) = remaining.get(&place).copied() else { continue };
        if offset + 1 >= high {
            remaining.remove(&place);
        }
        if offset < high {
            let (topic, partition) = place;
            let (key, value) = (message.key().map(<[u8]>::to_vec), message.payload().map(<[u8]>::to_vec));
            let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
            let headers = headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect();
            let timestamp = message.timestamp().to_millis();
            each(Record { topic, partition, offset, key, value, headers, timestamp });
        }
    }
}

/// Every record of a topic.
pub fn read_all(broker: &str, topic: &str) -> Vec<Record> {
    let mut records = Vec::new();
    read(broker, topic, |record| records.push(record));
    records
}
