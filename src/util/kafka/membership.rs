//! A place in a consumer group of which one member at a time owns the only partition of a topic.
//!
//! In: librdkafka's properties, a group, a topic. Out: whether this member owns the partition, as soon as that changes.
//! Promised: the group's coordinator gives it to one member, and to another only when that one has left or was not heard
//! of for the session's time; who joins takes nothing from who owns. A process that stood still for so long is told before
//! the coordinator is asked. Nothing is committed. What survives a crash is the coordinator's memory of the member, for the
//! session's time.
//!
//! The partition is assigned by librdkafka's cooperative-sticky assignor, because all others may move it when somebody joins.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::admin::{AdminError, failed};
use super::properties::ClientProperties;
use crate::util::clock;

/// What a member says of itself, and for how long the group waits for it.
#[derive(Clone, Debug)]
pub struct Joining {
    /// The group.
    pub group: String,
    /// The topic; it has one partition.
    pub topic: String,
    /// What the other members read of this one.
    pub client_id: String,
    /// After what silence the group gives a member up.
    pub session_timeout: Duration,
    /// How often a member is heard of.
    pub heartbeat_interval: Duration,
}

/// How long a member may be busy with something else than this group. Being asked for each 100 ms, it is never.
const LONGEST_AWAY: Duration = Duration::from_secs(60);

/// What librdkafka's threads have found out.
#[derive(Default)]
struct Ownership {
    owns: AtomicBool,
}

impl ClientContext for Ownership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        tracing::debug!(?level, facility, "group: {text}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, "group: {reason}");
    }
}

impl ConsumerContext for Ownership {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, change: &Rebalance<'_>) {
        match change {
            Rebalance::Revoke(partitions) if partitions.count() == 0 => {}
            Rebalance::Revoke(_) | Rebalance::Error(_) => self.owns.store(false, Ordering::Release),
            Rebalance::Assign(_) => {}
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, change: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = change
            && partitions.count() > 0
        {
            self.owns.store(true, Ordering::Release);
        }
    }
}

/// A member; it leaves when it is dropped.
pub struct Membership {
    consumer: BaseConsumer<Ownership>,
    group: String,
    /// For how long the process may stand still and still be sure that nobody else was given what it owns.
    stillness: Duration,
}

impl Membership {
    /// Joins. `properties` are those of a consumer.
    ///
    /// # Errors
    /// When they are none.
    pub fn join(mut properties: ClientProperties, joining: &Joining) -> Result<Self, AdminError> {
        let millis = |time: Duration| time.as_millis().max(1).to_string();
        properties.set("group.id", &joining.group);
        properties.set("client.id", &joining.client_id);
        properties.set("session.timeout.ms", millis(joining.session_timeout));
        properties.set("heartbeat.interval.ms", millis(joining.heartbeat_interval));
        properties.set("max.poll.interval.ms", millis(joining.session_timeout.max(LONGEST_AWAY)));
        properties.set("partition.assignment.strategy", "cooperative-sticky");
        // What is in the topic is read by others; this one stands at its end.
        properties.set("auto.offset.reset", "latest");
        let action = "join group";
        let consumer: BaseConsumer<Ownership> = properties
            .client_config()
            .create_with_context(Ownership::default())
            .map_err(|error| failed(action, &joining.group, &error))?;
        consumer.subscribe(&[&joining.topic]).map_err(|error| failed(action, &joining.group, &error))?;
        let half = joining.session_timeout / 2;
        let stillness = joining.session_timeout.saturating_sub(joining.heartbeat_interval).max(half);
        Ok(Membership { consumer, group: joining.group.clone(), stillness })
    }

    /// Whether it owns the partition, after having waited for news for so long.
    ///
    /// # Errors
    /// When the group does not take it, or may have given it up without its knowing: join again.
    pub fn owns(&self, wait: Duration) -> Result<bool, AdminError> {
        let begun = clock::moment();
        let news = self.consumer.poll(wait);
        let still = begun.elapsed();
        if still > wait + self.stillness {
            let text = format!("this process stood still for {:.1} s", still.as_secs_f64());
            return Err(AdminError { action: "stay in group", subject: self.group.clone(), code: None, text });
        }
        match news {
            Some(Err(error)) if error.rdkafka_error_code().is_some_and(is_final) => {
                Err(failed("join group", &self.group, &error))
            }
            // A broker that is away: librdkafka tries again, and says so when the session is over.
            Some(Err(error)) => {
                tracing::debug!(%error, group = %self.group, "group");
                Ok(self.owns_now())
            }
            Some(Ok(_)) | None => Ok(self.owns_now()),
        }
    }

    fn owns_now(&self) -> bool {
        self.consumer.context().owns.load(Ordering::Acquire)
    }
}

/// What the client does not mend by itself.
fn is_final(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as E;
    matches!(
        code,
        E::InconsistentGroupProtocol
            | E::GroupAuthorizationFailed
            | E::TopicAuthorizationFailed
            | E::ClusterAuthorizationFailed
            | E::SaslAuthenticationFailed
            | E::Authentication
            | E::InvalidSessionTimeout
            | E::InvalidGroupId
            | E::UnsupportedVersion
            | E::UnknownTopicOrPartition
            | E::UnknownTopic
            | E::Fatal
    )
}
