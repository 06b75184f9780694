//! Topics, read from their first record to the last that is there now.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

/// How long a broker may take to answer.
const BROKER_TIMEOUT: Duration = Duration::from_secs(30);

/// One record.
#[derive(Clone, Debug)]
pub struct Record {
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

fn consumer(broker: &str) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker).set("group.id", "headwater-test").set("enable.auto.commit", "false");
    config.set("fetch.wait.max.ms", "50").set("log_level", "2");
    config.create().unwrap()
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Vec<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), BROKER_TIMEOUT).unwrap();
    metadata.topics().iter().flat_map(|topic| topic.partitions().iter().map(|partition| partition.id())).collect()
}

/// The offset behind the last record of each partition; empty for a topic that does not exist.
pub fn ends(broker: &str, topic: &str) -> Vec<i64> {
    let consumer = consumer(broker);
    let end = |partition| consumer.fetch_watermarks(topic, partition, BROKER_TIMEOUT).unwrap().1;
    partitions(&consumer, topic).into_iter().map(end).collect()
}

/// Shows every record of a topic to `each`, each partition in its order. A topic that does not exist has none.
pub fn read(broker: &str, topic: &str, mut each: impl FnMut(Record)) {
    let consumer = consumer(broker);
    let mut assignment = TopicPartitionList::new();
    let mut remaining = std::collections::BTreeMap::new();
    for partition in partitions(&consumer, topic) {
        let (low, high) = consumer.fetch_watermarks(topic, partition, BROKER_TIMEOUT).unwrap();
        if high > low {
            assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
            remaining.insert(partition, high);
        }
    }
    consumer.assign(&assignment).unwrap();
    let mut deadline = Instant::now() + BROKER_TIMEOUT;
    while !remaining.is_empty() {
        assert!(Instant::now() < deadline, "{topic}: nothing more comes, still missing up to {remaining:?}");
        let Some(message) = consumer.poll(Duration::from_millis(200)) else { continue };
        let message = message.unwrap();
        deadline = Instant::now() + BROKER_TIMEOUT;
        let (partition, offset) = (message.partition(), message.offset());
        let Some(high) = remaining.get(&partition).copied() else { continue };
        if offset < high {
            let (key, value) = (message.key().map(<[u8]>::to_vec), message.payload().map(<[u8]>::to_vec));
            let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
            let headers = headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect();
            let timestamp = message.timestamp().to_millis();
            each(Record { partition, offset, key, value, headers, timestamp });
        }
        if offset + 1 >= high {
            remaining.remove(&partition);
        }
    }
}

/// Every record of a topic.
pub fn read_all(broker: &str, topic: &str) -> Vec<Record> {
    let mut records = Vec::new();
    read(broker, topic, |record| records.push(record));
    records
}
