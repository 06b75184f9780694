//! The records of Connect's status topic.
//!
//! In: a connector's state and its topics; keys and values, by whoever written. Out: keys and values as Connect's workers
//! write and read them; what a key is about. Promised: total; what is no key of theirs is none. Source: Kafka's
//! `KafkaStatusBackingStore`; values are JSON without schemas, in the order of its fields.

use serde_json::{Value, json};

use crate::store::json;

const CONNECTOR: &str = "status-connector-";
const TASK: &str = "status-task-";
const TOPIC: &str = "status-topic-";
const OF_CONNECTOR: &str = ":connector-";

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A connector of this name.
    Connector(String),
    /// The task of a connector with this number.
    Task(String, u32),
    /// A topic that a connector writes to.
    Topic {
        /// The connector.
        connector: String,
        /// The topic, in whose name there is no colon.
        topic: String,
    },
}

impl Key {
    /// The connector that it is about.
    pub fn connector(&self) -> &str {
        match self {
            Key::Connector(connector) | Key::Task(connector, _) | Key::Topic { connector, .. } => connector,
        }
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        match self {
            Key::Connector(connector) => format!("{CONNECTOR}{connector}"),
            Key::Task(connector, task) => format!("{TASK}{connector}-{task}"),
            Key::Topic { connector, topic } => format!("{TOPIC}{topic}{OF_CONNECTOR}{connector}"),
        }
    }

    /// What was written; `None` where it is no key of a status.
    pub(super) fn read(key: &[u8]) -> Option<Key> {
        let key = std::str::from_utf8(key).ok()?;
        if let Some(name) = key.strip_prefix(CONNECTOR) {
            return (!name.is_empty()).then(|| Key::Connector(name.to_owned()));
        }
        if let Some(task) = key.strip_prefix(TASK) {
            let (name, number) = task.rsplit_once('-')?;
            return Some(Key::Task(name.to_owned(), number.parse().ok()?));
        }
        let (topic, connector) = key.strip_prefix(TOPIC)?.split_once(OF_CONNECTOR)?;
        let both = !topic.is_empty() && !connector.is_empty();
        both.then(|| Key::Topic { connector: connector.to_owned(), topic: topic.to_owned() })
    }
}

/// The state of a connector or of its task.
#[derive(Clone, Copy, Debug)]
pub struct Status<'a> {
    /// Connect's name of it.
    pub state: &'a str,
    /// What has failed.
    pub trace: Option<&'a str>,
    /// `host:port` of the worker that says it.
    pub worker_id: &'a str,
    /// Of the connector.
    pub version: &'a str,
}

impl Status<'_> {
    /// The record's value. The generation is Connect's count of rebalances, of which workers there keep the later word: with 0,
    /// as its standalone worker has it, they take any of their own for later.
    pub fn value(&self) -> Vec<u8> {
        let Status { state, trace, worker_id, version } = self;
        json::write(&json!({
            "state": state, "trace": trace, "worker_id": worker_id, "generation": 0, "version": version
        }))
    }
}

/// The value of a record that says that a connector writes to a topic, since when in milliseconds since the epoch.
pub fn active_topic(connector: &str, topic: &str, since_ms: i64) -> Vec<u8> {
    json::write(&json!({
        "topic": { "name": topic, "connector": connector, "task": 0, "discoverTimestamp": since_ms }
    }))
}

/// Whether a value says what its key says; of one that does not, Connect takes no notice.
pub(super) fn is_valid(key: &Key, value: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(value) else { return false };
    match key {
        Key::Connector(_) | Key::Task(..) => value["state"].is_string(),
        Key::Topic { .. } => value["topic"]["name"].is_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    /// Records as a Kafka Connect 4.3 wrote them.
    #[test]
    fn records_are_connects() {
        let check = |key: Key, text: &str, value: Vec<u8>, recorded: &str| {
            assert_eq!(key.text(), text);
            assert_eq!(Key::read(text.as_bytes()), Some(key.clone()));
            assert_eq!(String::from_utf8(value).unwrap(), recorded);
            assert!(is_valid(&key, recorded.as_bytes()));
        };
        let status = Status { state: "RUNNING", trace: None, worker_id: "127.0.0.1:28260", version: "3.6.1.Final" };
        let recorded =
            r#"{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:28260","generation":0,"version":"3.6.1.Final"}"#;
        check(Key::Connector("shop-1".into()), "status-connector-shop-1", status.value(), recorded);
        check(Key::Task("shop-1".into(), 0), "status-task-shop-1-0", status.value(), recorded);
        check(
            Key::Topic { connector: "shop-1".into(), topic: "shop.t".into() },
            "status-topic-shop.t:connector-shop-1",
            active_topic("shop-1", "shop.t", 1_795_316_268_165),
            r#"{"topic":{"name":"shop.t","connector":"shop-1","task":0,"discoverTimestamp":1795316268165}}"#,
        );
    }

    #[test]
    fn what_is_no_status_is_none() {
        for key in [
            "connector-a",
            "status-connector-",
            "status-task-a",
            "status-task-a-b",
            "status-topic-a",
            "status-topic-:connector-a",
            "status-topic-a:connector-",
        ] {
            assert_eq!(Key::read(key.as_bytes()), None, "{key}");
        }
        assert_eq!(Key::read(b"status-connector-\xff"), None);
        let topic = Key::Topic { connector: "c".into(), topic: "t".into() };
        for (key, value) in [(&Key::Connector("a".into()), "{}"), (&topic, "[]"), (&topic, r#"{"topic":{"name":1}}"#)] {
            assert!(!is_valid(key, value.as_bytes()), "{value}");
        }
    }
}
