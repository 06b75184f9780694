//! A broker inside the process: librdkafka's mock cluster, for the demo and for tests.
//!
//! In: names of topics. Out: the address of a broker on loopback that real clients can use. Promised: it
//! listens on loopback only and ends when dropped. It keeps everything in memory, at most about 5 MB a
//! partition, knows no rights and no topic requests, and does not filter aborted transactions.

use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::sink::SinkError;

/// A running broker.
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl EmbeddedBroker {
    /// Starts one broker with these topics (name, partitions). Other topics are made when first used, with
    /// four partitions.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, SinkError> {
        let failed = |error: rdkafka::error::KafkaError| SinkError::Embedded(error.to_string());
        let cluster = MockCluster::new(1).map_err(failed)?;
        for (name, partitions) in topics {
            cluster.create_topic(name, *partitions, 1).map_err(failed)?;
        }
        Ok(EmbeddedBroker { cluster })
    }

    /// `host:port` of the broker.
    pub fn bootstrap_servers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Lets the broker answer the next produce requests with these errors, one each. For tests.
    pub fn fail_produce(&self, errors: &[RDKafkaRespErr]) {
        self.cluster.request_errors(RDKafkaApiKey::Produce, errors);
    }

    /// Takes the broker off the network, or back.
    pub fn set_reachable(&self, reachable: bool) -> Result<(), SinkError> {
        let outcome = if reachable { self.cluster.broker_up(1) } else { self.cluster.broker_down(1) };
        outcome.map_err(|error| SinkError::Embedded(error.to_string()))
    }

    /// Makes every answer take so long.
    pub fn set_round_trip(&self, delay: Duration) -> Result<(), SinkError> {
        self.cluster.broker_round_trip_time(1, delay).map_err(|error| SinkError::Embedded(error.to_string()))
    }
}
