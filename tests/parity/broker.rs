//! Topics: which there are, how much is in them, and what.

use std::collections::BTreeMap;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::BaseConsumer;

use super::support::topic::{self, Record};

/// A broker to look into.
pub struct Broker {
    /// host:port.
    pub address: String,
    consumer: BaseConsumer,
}

impl Broker {
    /// The one at this address.
    pub fn new(address: &str) -> Self {
        Broker { address: address.to_owned(), consumer: topic::consumer(address) }
    }

    /// Every topic's name.
    pub fn topics(&self) -> Vec<String> {
        topic::names(&self.consumer)
    }

    /// How many records a topic has; none where there is no such topic.
    pub fn count(&self, topic: &str) -> i64 {
        topic::partitions(&self.consumer, topic).iter().map(|(_, _, end)| end).sum()
    }

    /// Every record of some topics, by topic and partition, each partition in its order.
    pub fn read(&self, topics: &[String]) -> Vec<Record> {
        let mut found: BTreeMap<(String, i32), Vec<Record>> = BTreeMap::new();
        topic::read_topics(&self.address, topics, |record| {
            found.entry((record.topic.clone(), record.partition)).or_default().push(record);
        });
        found.into_values().flatten().collect()
    }

    /// Removes topics.
    pub fn delete(&self, topics: &[String]) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.address).create().unwrap();
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        if !names.is_empty() {
            let _ = futures_executor::block_on(admin.delete_topics(&names, &AdminOptions::new()));
        }
    }
}
