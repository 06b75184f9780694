//! What `headwater check` asks the brokers.
//!
//! In: the sink's options and the topics it will write. Out: one finding a check. Promised: nothing is written
//! and nothing created; each request has a deadline.

use std::time::Duration;

use super::KafkaSinkOptions;
use super::creation::is_legal_name;
use crate::util::kafka::admin::{Admin, TopicSpecification};
use crate::util::kafka::trouble::why_unreachable;

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// How it stands.
    pub state: FindingState,
    /// In words; for a failure also what mends it.
    pub text: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingState {
    /// As it should be.
    Good,
    /// Works, but somebody should know.
    Warning,
    /// The connector would not run.
    Bad,
}

/// Requests of a check are answered within this time or count as unanswered.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to look for the reason when they do not.
const REASON_TIMEOUT: Duration = Duration::from_secs(3);

/// Asks whether the brokers answer, and whether each topic exists or could be created.
pub fn check_broker(options: &KafkaSinkOptions, topics: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let properties = match options.client_properties() {
        Ok(properties) => properties,
        Err(error) => return vec![finding("producer properties", FindingState::Bad, error.to_string())],
    };
    for note in &properties.notes {
        findings.push(finding(&note.property, FindingState::Warning, note.text.clone()));
    }
    let servers = properties.native.get("bootstrap.servers").cloned().unwrap_or_default();
    let reached =
        Admin::new(&properties, CHECK_TIMEOUT).and_then(|admin| admin.broker_count().map(|count| (admin, count)));
    let (admin, count) = match reached {
        Ok(reached) => reached,
        Err(error) => {
            let why = why_unreachable(&properties, REASON_TIMEOUT).unwrap_or_else(|| error.to_string());
            let text = format!("{why}. Look at bootstrap.servers, security.protocol, sasl.*, ssl.* and at firewalls");
            findings.push(finding(&format!("brokers {servers}"), FindingState::Bad, text));
            return findings;
        }
    };
    findings.push(finding(&format!("brokers {servers}"), FindingState::Good, format!("{count} brokers")));
    let limit = properties.native.get("message.max.bytes").and_then(|text| text.parse().ok()).unwrap_or(0);
    for topic in topics {
        findings.push(check_topic(&admin, options, topic, limit));
    }
    findings
}

fn finding(subject: &str, state: FindingState, text: String) -> Finding {
    Finding { subject: subject.to_owned(), state, text }
}

fn check_topic(admin: &Admin, options: &KafkaSinkOptions, topic: &str, limit: usize) -> Finding {
    let subject = format!("topic {topic}");
    if !is_legal_name(topic) {
        return finding(&subject, FindingState::Bad, "Kafka cannot have a topic of this name".to_owned());
    }
    match admin.find_topic(topic) {
        Err(error) => finding(&subject, FindingState::Bad, error.to_string()),
        Ok(Some(shape)) => check_limit(admin, &subject, topic, shape.partitions, limit),
        Ok(None) => check_creation(admin, options, &subject, topic),
    }
}

fn check_limit(admin: &Admin, subject: &str, topic: &str, partitions: usize, limit: usize) -> Finding {
    let Ok(settings) = admin.topic_settings(topic) else {
        let text = format!("exists with {partitions} partitions; its settings may not be read (DESCRIBE_CONFIGS)");
        return finding(subject, FindingState::Warning, text);
    };
    match settings.get("max.message.bytes").and_then(|text| text.parse::<usize>().ok()) {
        // A batch's header adds a few bytes, and the default of both is the same to within those.
        Some(allowed) if allowed + 1024 < limit => {
            let text = format!(
                "takes records up to max.message.bytes={allowed}, the producer sends up to max.request.size={limit}"
            );
            finding(subject, FindingState::Warning, text)
        }
        _ => finding(subject, FindingState::Good, format!("exists with {partitions} partitions")),
    }
}

fn check_creation(admin: &Admin, options: &KafkaSinkOptions, subject: &str, topic: &str) -> Finding {
    let rules = options.topic_creation.as_ref().and_then(|rules| rules.specification(topic));
    let configured = rules.is_some();
    let asked = rules.unwrap_or_else(|| TopicSpecification {
        name: topic.to_owned(),
        partitions: -1,
        replication_factor: -1,
        settings: Default::default(),
    });
    match admin.create_topic(&asked, true) {
        Ok(_) if configured => finding(subject, FindingState::Good, "will be created by topic.creation.*".to_owned()),
        Ok(_) => {
            let text =
                "does not exist: set topic.creation.default.*, or rely on the broker's auto.create.topics.enable"
                    .to_owned();
            finding(subject, FindingState::Warning, text)
        }
        Err(error) if error.unauthorized() => {
            let text = format!("does not exist and may not be created: {}. Grant CREATE or create it", error.text);
            finding(subject, FindingState::Bad, text)
        }
        Err(error) => finding(subject, FindingState::Bad, error.to_string()),
    }
}
