//! Topics: which there are, how much is in them, and what.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message as _};
use rdkafka::{Offset, TopicPartitionList};

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One record, as it lies in Kafka.
#[derive(Clone, Debug)]
pub struct Message {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Headers in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds, of the kind that the producer sets.
    pub timestamp: Option<i64>,
}

/// A broker to look into.
pub struct Broker {
    /// host:port.
    pub address: String,
    config: ClientConfig,
    consumer: BaseConsumer,
}

impl Broker {
    /// The one at this address.
    pub fn new(address: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", address).set("group.id", "headwater-parity").set("enable.auto.commit", "false");
        config.set("fetch.wait.max.ms", "50").set("log_level", "2").set("enable.partition.eof", "false");
        let consumer = config.create().unwrap();
        Broker { address: address.to_owned(), config, consumer }
    }

    /// Every topic's name.
    pub fn topics(&self) -> Vec<String> {
        let metadata = self.consumer.fetch_metadata(None, TIMEOUT).unwrap();
        metadata.topics().iter().map(|topic| topic.name().to_owned()).collect()
    }

    fn ends(&self, topic: &str) -> Vec<(i32, i64)> {
        let Ok(metadata) = self.consumer.fetch_metadata(Some(topic), TIMEOUT) else { return Vec::new() };
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions().iter().map(|part| part.id()));
        let end = |partition| {
            let (low, high) = self.consumer.fetch_watermarks(topic, partition, TIMEOUT).ok()?;
            (high > low).then_some((partition, high))
        };
        partitions.filter_map(end).collect()
    }

    /// How many records a topic has; none where there is no such topic.
    pub fn count(&self, topic: &str) -> i64 {
        self.ends(topic).iter().map(|(_, end)| end).sum()
    }

    /// Every record of some topics, by topic and partition, each partition in its order.
    pub fn read(&self, topics: &[String]) -> Vec<Message> {
        let mut assignment = TopicPartitionList::new();
        let mut remaining = BTreeMap::new();
        for topic in topics {
            for (partition, end) in self.ends(topic) {
                assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
                remaining.insert((topic.clone(), partition), end);
            }
        }
        let mut found: BTreeMap<(String, i32), Vec<Message>> = BTreeMap::new();
        if remaining.is_empty() {
            return Vec::new();
        }
        let consumer: BaseConsumer = self.config.create().unwrap();
        consumer.assign(&assignment).unwrap();
        let mut deadline = Instant::now() + TIMEOUT;
        while !remaining.is_empty() {
            assert!(Instant::now() < deadline, "nothing more comes, still missing up to {remaining:?}");
            let Some(message) = consumer.poll(Duration::from_millis(200)) else { continue };
            let message = message.unwrap();
            deadline = Instant::now() + TIMEOUT;
            let place = (message.topic().to_owned(), message.partition());
            let Some(end) = remaining.get(&place).copied() else { continue };
            if message.offset() < end {
                found.entry(place.clone()).or_default().push(copy(&message));
            }
            if message.offset() + 1 >= end {
                remaining.remove(&place);
            }
        }
        found.into_values().flatten().collect()
    }

    /// Removes topics.
    pub fn delete(&self, topics: &[String]) {
        let admin: AdminClient<DefaultClientContext> = self.config.create().unwrap();
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        if !names.is_empty() {
            let _ = futures_executor::block_on(admin.delete_topics(&names, &AdminOptions::new()));
        }
    }
}

fn copy(message: &rdkafka::message::BorrowedMessage<'_>) -> Message {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    Message {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect(),
        timestamp: message.timestamp().to_millis(),
    }
}
