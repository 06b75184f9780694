//! Topics: created, looked at, described, each within a deadline.
//!
//! In: librdkafka's properties, a topic's name and settings. Out: the cluster's answer. Promised: no call
//! outlives its deadline; the broker's own words reach the error. What was created survives a crash.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::groups::{GroupInfo, GroupList};
use rdkafka::types::RDKafkaErrorCode;

use super::properties::ClientProperties;

/// A request that the cluster, or the way to it, refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{action} {subject}: {text}")]
pub struct AdminError {
    /// What was asked: `create topic`.
    pub action: &'static str,
    /// Of what.
    pub subject: String,
    /// librdkafka's or the broker's code, where there was one.
    pub code: Option<RDKafkaErrorCode>,
    /// In words.
    pub text: String,
}

impl AdminError {
    /// Whether the same request may succeed later, without a person's doing.
    pub fn retriable(&self) -> bool {
        self.code.is_some_and(|code| {
            matches!(
                code,
                RDKafkaErrorCode::OperationTimedOut
                    | RDKafkaErrorCode::RequestTimedOut
                    | RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::NotController
                    | RDKafkaErrorCode::BrokerNotAvailable
                    | RDKafkaErrorCode::LeaderNotAvailable
                    | RDKafkaErrorCode::NetworkException
                    | RDKafkaErrorCode::Resolve
                    | RDKafkaErrorCode::WaitingForCoordinator
                    | RDKafkaErrorCode::ThrottlingQuotaExceeded
            )
        })
    }

    /// Whether the brokers do not know such a request.
    pub fn unsupported(&self) -> bool {
        self.code.is_some_and(|code| {
            matches!(code, RDKafkaErrorCode::UnsupportedVersion | RDKafkaErrorCode::UnsupportedFeature)
        })
    }

    /// Whether the client has no right to be in the group.
    pub fn may_not_join(&self) -> bool {
        self.code == Some(RDKafkaErrorCode::GroupAuthorizationFailed)
    }

    /// Whether the client lacks a right.
    pub fn unauthorized(&self) -> bool {
        self.code.is_some_and(|code| {
            matches!(
                code,
                RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::ClusterAuthorizationFailed
                    | RDKafkaErrorCode::GroupAuthorizationFailed
                    | RDKafkaErrorCode::Authentication
                    | RDKafkaErrorCode::SaslAuthenticationFailed
            )
        })
    }
}

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpecification {
    /// Its name.
    pub name: String,
    /// Partitions; −1 leaves them to the broker (Kafka 2.4 and later).
    pub partitions: i32,
    /// Copies of each; −1 leaves them to the broker (Kafka 2.4 and later).
    pub replication_factor: i32,
    /// Settings of the topic: `cleanup.policy` and the like.
    pub settings: BTreeMap<String, String>,
}

/// What became of a request to create a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It is new.
    Created,
    /// It was there.
    Existed,
}

/// A topic as the cluster's metadata show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicShape {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: usize,
}

/// Asks a cluster about topics. Holds connections: make one for a task and drop it.
pub struct Admin {
    client: AdminClient<DefaultClientContext>,
    timeout: Duration,
}

impl Admin {
    /// A client with these properties; every request may take `timeout`.
    pub fn new(properties: &ClientProperties, timeout: Duration) -> Result<Self, AdminError> {
        let mut config = properties.client_config();
        // Requests about topics write no records: what only producers and consumers know would be warned about.
        for name in PRODUCER_ONLY {
            config.remove(name);
        }
        let client =
            AdminClient::from_config(&config).map_err(|error| failed("connect as", "administrator", &error))?;
        Ok(Admin { client, timeout })
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.timeout)).operation_timeout(Some(self.timeout))
    }

    /// Creates a topic, or only asks whether it could be created.
    pub fn create_topic(&self, topic: &TopicSpecification, validate_only: bool) -> Result<Creation, AdminError> {
        let mut new = NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(topic.replication_factor));
        for (name, value) in &topic.settings {
            new = new.set(name, value);
        }
        let options = self.options().validate_only(validate_only);
        let action = "create topic";
        let results = block_on(self.client.create_topics([&new], &options))
            .map_err(|error| failed(action, &topic.name, &error))?;
        match results.into_iter().next() {
            Some(Ok(_)) => Ok(Creation::Created),
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(Creation::Existed),
            Some(Err((_, code))) => {
                Err(AdminError { action, subject: topic.name.clone(), code: Some(code), text: code.to_string() })
            }
            None => Err(AdminError {
                action,
                subject: topic.name.clone(),
                code: None,
                text: "the broker gave no answer".into(),
            }),
        }
    }

    /// The topic, or `None` when the cluster has none of that name or hides it. Never creates it: only a
    /// request for all topics is sure not to, whatever the broker's `auto.create.topics.enable` says.
    pub fn find_topic(&self, name: &str) -> Result<Option<TopicShape>, AdminError> {
        let metadata = self
            .client
            .inner()
            .fetch_metadata(None, self.timeout)
            .map_err(|error| failed("list topics for", name, &error))?;
        let found = metadata.topics().iter().find(|topic| topic.name() == name && !topic.partitions().is_empty());
        Ok(found.map(|topic| TopicShape { name: topic.name().to_owned(), partitions: topic.partitions().len() }))
    }

    /// How many brokers answer for the cluster.
    pub fn broker_count(&self) -> Result<usize, AdminError> {
        let metadata = self
            .client
            .inner()
            .fetch_metadata(None, self.timeout)
            .map_err(|error| failed("reach", "brokers", &error))?;
        Ok(metadata.brokers().len())
    }

    /// The cluster's own id; `None` when it does not tell.
    pub fn cluster_id(&self) -> Option<String> {
        self.client.inner().fetch_cluster_id(self.timeout)
    }

    /// How many workers of Kafka Connect are in a group: 0 where it is empty, or of another kind. All brokers are asked;
    /// where one does not answer, that is an error. A broker leaves out what this client may not see.
    pub fn connect_workers(&self, group: &str) -> Result<usize, AdminError> {
        let groups = self.describe_group(group)?;
        // A coordinator that gives an error for the group says nothing of its state.
        if groups.groups().iter().any(|found| found.name() == group && found.state().is_empty()) {
            let text = "its coordinator gave no state".to_owned();
            return Err(AdminError { action: "describe group", subject: group.to_owned(), code: None, text });
        }
        let of_connect = groups.groups().iter().filter(|found| found.protocol_type() == "connect");
        Ok(of_connect.map(|found| found.members().len()).sum())
    }

    fn describe_group(&self, group: &str) -> Result<GroupList, AdminError> {
        let asked = self.client.inner().fetch_group_list(Some(group), self.timeout);
        asked.map_err(|error| failed("describe group", group, &error))
    }

    /// The client id of the member of a consumer group that owns partitions of a topic; `None` where none does.
    pub fn owner(&self, group: &str, topic: &str) -> Result<Option<String>, AdminError> {
        let groups = self.describe_group(group)?;
        let members = groups.groups().iter().filter(|found| found.protocol_type() == "consumer");
        let mut members = members.flat_map(GroupInfo::members);
        let owner = members.find(|member| member.assignment().is_some_and(|assignment| names(assignment, topic)));
        Ok(owner.map(|member| member.client_id().to_owned()))
    }

    /// A topic's settings in force, by name.
    pub fn topic_settings(&self, name: &str) -> Result<BTreeMap<String, String>, AdminError> {
        let resource = ResourceSpecifier::Topic(name);
        let action = "describe topic";
        let results = block_on(self.client.describe_configs([&resource], &self.options()))
            .map_err(|error| failed(action, name, &error))?;
        for result in results {
            match result {
                Ok(found) if found.specifier == OwnedResourceSpecifier::Topic(name.to_owned()) => {
                    let entries = found.entries.into_iter();
                    return Ok(entries.filter_map(|entry| entry.value.map(|value| (entry.name, value))).collect());
                }
                Ok(_) => {}
                Err(code) => {
                    return Err(AdminError {
                        action,
                        subject: name.to_owned(),
                        code: Some(code),
                        text: code.to_string(),
                    });
                }
            }
        }
        Err(AdminError { action, subject: name.to_owned(), code: None, text: "the broker gave no answer".into() })
    }
}

/// Whether an assignment names a topic: its version (2 bytes), the number of its topics (4), for each the length of its name
/// (2), the name and its partitions (Kafka's `ConsumerProtocolAssignment`).
fn names(assignment: &[u8], topic: &str) -> bool {
    let Ok(length) = u16::try_from(topic.len()) else { return false };
    let wanted = [&length.to_be_bytes(), topic.as_bytes()].concat();
    assignment.get(6..).is_some_and(|topics| topics.windows(wanted.len()).any(|found| found == wanted))
}

/// librdkafka's producer properties that an administrator's client has no use for. Its client *is* a producer
/// to librdkafka, so others do no harm; idempotence would make it ask for a producer id.
const PRODUCER_ONLY: &[&str] = &["enable.idempotence", "statistics.interval.ms", "max.in.flight"];

pub(super) fn failed(action: &'static str, subject: &str, error: &KafkaError) -> AdminError {
    let code = error.rdkafka_error_code();
    let text = code.map_or_else(|| error.to_string(), |code| code.to_string());
    AdminError { action, subject: subject.to_owned(), code, text }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn an_assignment_names_whole_topics() {
        let assignment = b"\0\x03\0\0\0\x01\0\x07configs\0\0\0\x01\0\0\0\0\xff\xff\xff\xff";
        for (topic, named) in [("configs", true), ("config", false), ("onfigs", false), ("others", false)] {
            assert_eq!(names(assignment, topic), named, "{topic}");
        }
        assert!(!names(b"", "configs") && !names(b"\0\x03\0\0\0\0", "configs"));
    }
}
