//! Two brokers of the campaign's own. The first has everything and is reached through a proxy; the second has one partition
//! of the captured table's topic.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;

use crate::support::broker::Broker;
use crate::support::fault_proxy::FaultProxy;
use crate::support::free_port;
use crate::support::program::Connector;

pub struct Brokers {
    pub first: Broker,
    pub second: Option<Broker>,
    pub proxy: FaultProxy,
    direct: u16,
}

impl Brokers {
    /// Starts the first, and the second if it is wanted.
    pub fn start(with_second: bool) -> Self {
        // Two listeners: who comes through the proxy is told to come back through it.
        let (port, proxied) = (free_port(), free_port());
        let proxy = FaultProxy::start(&format!("127.0.0.1:{proxied}"));
        let listeners = |clients: u16| {
            format!("PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{}", port + 1)
        };
        let options = [
            format!("listeners={}", listeners(proxied)),
            format!("advertised.listeners={}", listeners(proxy.port)),
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
        ];
        let first = Broker::start_with(port, &options.join("\n"));
        let second = with_second.then(|| {
            let (own, own_proxied) = (free_port(), free_port());
            let options = [
                "process.roles=broker".to_owned(),
                "node.id=2".to_owned(),
                format!("controller.quorum.voters=1@127.0.0.1:{}", port + 1),
                format!("listeners=PLAINTEXT://127.0.0.1:{own},PROXIED://127.0.0.1:{own_proxied}"),
                format!("advertised.listeners=PLAINTEXT://127.0.0.1:{own},PROXIED://127.0.0.1:{own_proxied}"),
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
            ];
            Broker::start_with(own, &options.join("\n"))
        });
        Brokers { first, second, proxy, direct: port }
    }

    /// Where the connector asks.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.proxy.port)
    }

    /// Where the campaign asks.
    pub fn direct(&self) -> String {
        format!("127.0.0.1:{}", self.direct)
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", self.direct()).set("log_level", "2").create().unwrap()
    }

    /// Makes the topics: what the connector itself needs and one partition of the data on the first broker, the other on the
    /// second.
    pub fn prepare(&self, connector: &Connector, data: &str) {
        if self.second.is_none() {
            return;
        }
        let mut topics = vec![NewTopic::new(data, 2, TopicReplication::Variable(&[&[1], &[2]]))];
        let own = ["offset.storage.topic", "config.storage.topic", "status.storage.topic"];
        let own = own.map(|setting| (connector.worker[setting].as_str(), "compact"));
        let history = connector.config.get("schema.history.internal.kafka.topic");
        for (name, policy) in own.into_iter().chain(history.map(|name| (name.as_str(), "delete"))) {
            let topic = NewTopic::new(name, 1, TopicReplication::Variable(&[&[1]]));
            topics.push(topic.set("cleanup.policy", policy));
        }
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
        for result in futures_executor::block_on(self.admin().create_topics(&topics, &options)).unwrap() {
            result.unwrap_or_else(|(topic, error)| panic!("{topic}: {error}"));
        }
    }

    /// Deletes a topic, if there is one.
    pub fn delete(&self, topic: &str) {
        let _ = futures_executor::block_on(self.admin().delete_topics(&[topic], &AdminOptions::new()));
    }
}
