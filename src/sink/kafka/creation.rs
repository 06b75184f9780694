//! Topics created before their first record, as KIP-158 has it.
//!
//! In: `topic.creation.*` of the connector, a topic's name. Out: the topic exists, or an error that names it.
//! Promised: a topic that is there is left as it is; groups are tried in the order of `topic.creation.groups`,
//! the default last; `include` and `exclude` are regular expressions that must match the whole name.
//!
//! Source: Kafka Connect's `TopicCreationGroup`, `AbstractWorkerSourceTask.maybeCreateTopic`.

use std::collections::BTreeMap;
use std::time::Duration;

use fancy_regex::Regex;

use crate::sink::SinkError;
use crate::util::kafka::admin::{Admin, AdminError, Creation, TopicSpecification};
use crate::util::kafka::properties::{ClientProperties, PropertyError};

/// How long a cluster may take to answer a request about a topic. Two of them are made in a row, deaf to everything else,
/// and both must be over before the watchdog takes a pipeline that was given up for one that does not end.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The rules of one connector.
#[derive(Clone, Debug)]
pub struct TopicCreation {
    groups: Vec<Group>,
    /// Topics that are created as they are said to be, whatever the groups say.
    alone: Vec<TopicSpecification>,
}

#[derive(Clone, Debug)]
struct Group {
    include: Regex,
    exclude: Regex,
    partitions: i32,
    replication_factor: i32,
    settings: BTreeMap<String, String>,
}

const DEFAULT_GROUP: &str = "default";

impl TopicCreation {
    /// Reads `topic.creation.*` of a connector. `None` when the connector has no
    /// `topic.creation.default.replication.factor`: then the broker decides, as under Connect.
    pub fn read(connector: &BTreeMap<String, String>) -> Result<Option<Self>, PropertyError> {
        if !connector.keys().any(|name| name.starts_with("topic.creation.")) {
            return Ok(None);
        }
        let names = connector.get("topic.creation.groups").map_or("", String::as_str);
        let mut groups = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != DEFAULT_GROUP) {
            groups.push(group(connector, name)?);
        }
        groups.push(group(connector, DEFAULT_GROUP)?);
        Ok(Some(TopicCreation { groups, alone: Vec::new() }))
    }

    /// The rules with one for a topic alone. Without other rules, other topics are left to the broker.
    #[must_use]
    pub fn with_topic(rules: Option<Self>, topic: TopicSpecification) -> Self {
        let mut rules = rules.unwrap_or(TopicCreation { groups: Vec::new(), alone: Vec::new() });
        rules.alone.push(topic);
        rules
    }

    /// What a topic of this name is created with; `None` leaves it to the broker.
    pub fn specification(&self, topic: &str) -> Option<TopicSpecification> {
        if let Some(alone) = self.alone.iter().find(|alone| alone.name == topic) {
            return Some(alone.clone());
        }
        // A pattern that gives up on this name (back-tracking limit) does not match it.
        let matches = |pattern: &Regex| pattern.is_match(topic).unwrap_or(false);
        let last = self.groups.len().checked_sub(1)?;
        let mut chosen = self.groups.iter().enumerate();
        let (_, group) =
            chosen.find(|(at, group)| *at == last || (!matches(&group.exclude) && matches(&group.include)))?;
        Some(TopicSpecification {
            name: topic.to_owned(),
            partitions: group.partitions,
            replication_factor: group.replication_factor,
            settings: group.settings.clone(),
        })
    }
}

fn group(connector: &BTreeMap<String, String>, name: &str) -> Result<Group, PropertyError> {
    let prefix = format!("topic.creation.{name}.");
    let mut group = Group {
        include: pattern(&format!("{prefix}include"), connector)?,
        exclude: pattern(&format!("{prefix}exclude"), connector)?,
        partitions: number(connector, name, "partitions")?,
        replication_factor: number(connector, name, "replication.factor")?,
        settings: BTreeMap::new(),
    };
    for (property, value) in connector {
        match property.strip_prefix(&prefix) {
            None | Some("include" | "exclude" | "partitions" | "replication.factor") => {}
            Some(setting) => {
                group.settings.insert(setting.to_owned(), value.trim().to_owned());
            }
        }
    }
    Ok(group)
}

/// A list of Java regular expressions, any of which must match the whole name; an empty list matches nothing.
fn pattern(property: &str, connector: &BTreeMap<String, String>) -> Result<Regex, PropertyError> {
    let list = connector.get(property).map_or("", |text| text.trim());
    let alternatives: Vec<&str> = list.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    let text =
        if alternatives.is_empty() { r"\A(?!)".to_owned() } else { format!(r"\A(?:{})\z", alternatives.join("|")) };
    Regex::new(&text)
        .map_err(|error| PropertyError::new(property, format!("`{list}` is not a regular expression: {error}")))
}

/// A number of a group; other groups inherit the default's.
fn number(connector: &BTreeMap<String, String>, group: &str, what: &str) -> Result<i32, PropertyError> {
    let property = format!("topic.creation.{group}.{what}");
    let fallback = format!("topic.creation.{DEFAULT_GROUP}.{what}");
    let Some(text) = connector.get(&property).or_else(|| connector.get(&fallback)) else {
        return Err(PropertyError::new(&fallback, "is missing: it is required as soon as topics are created"));
    };
    match text.trim().parse::<i32>() {
        Ok(number) if number == -1 || number > 0 => Ok(number),
        _ => Err(PropertyError::new(
            &property,
            format!("`{text}` is neither a positive number nor -1 (the broker's default)"),
        )),
    }
}

/// Whether Kafka accepts the name (`org.apache.kafka.common.internals.Topic`).
pub fn is_legal_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= 249 && name != "." && name != ".." && name.bytes().all(legal)
}

/// Creates topics of one connector.
pub(super) struct TopicCreator {
    rules: TopicCreation,
    properties: ClientProperties,
}

impl TopicCreator {
    pub(super) fn new(rules: TopicCreation, properties: ClientProperties) -> Self {
        TopicCreator { rules, properties }
    }

    /// Makes sure that a topic exists; true when it had to be created.
    pub(super) fn ensure(&mut self, topic: &str) -> Result<bool, SinkError> {
        let Some(specification) = self.rules.specification(topic) else {
            return Ok(false);
        };
        let admin =
            Admin::new(&self.properties, REQUEST_TIMEOUT).map_err(|error| SinkError::Configuration(error.text))?;
        if admin.find_topic(topic).map_err(|error| refused(topic, &error))?.is_some() {
            return Ok(false);
        }
        match admin.create_topic(&specification, false) {
            Ok(Creation::Created) => {
                tracing::info!(
                    topic,
                    partitions = specification.partitions,
                    replication_factor = specification.replication_factor,
                    "topic created"
                );
                Ok(true)
            }
            Ok(Creation::Existed) => Ok(false),
            Err(error) => Err(refused(topic, &error)),
        }
    }
}

fn refused(topic: &str, error: &AdminError) -> SinkError {
    let (topic, text) = (topic.to_owned(), error.text.clone());
    if error.retriable() {
        SinkError::CreationUnanswered { topic, text }
    } else {
        SinkError::CreationRefused { topic, text }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn rules(connector: &[(&str, &str)]) -> Result<Option<TopicCreation>, PropertyError> {
        let map = connector.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        TopicCreation::read(&map)
    }

    const GROUPS: &[(&str, &str)] = &[
        ("topic.creation.groups", "hot, logs"),
        ("topic.creation.default.partitions", "3"),
        ("topic.creation.default.replication.factor", "-1"),
        ("topic.creation.default.cleanup.policy", "compact"),
        ("topic.creation.hot.include", r"shop\.(?!audit).*, other"),
        ("topic.creation.hot.partitions", "12"),
        ("topic.creation.logs.include", r".*\.log"),
        ("topic.creation.logs.exclude", r"private\..*"),
        ("topic.creation.logs.retention.ms", "1000"),
    ];

    fn check(topic: &str, partitions: i32, settings: &[(&str, &str)]) {
        let found = rules(GROUPS).unwrap().unwrap().specification(topic).unwrap();
        let settings: BTreeMap<String, String> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!((found.partitions, found.replication_factor, found.settings), (partitions, -1, settings), "{topic}");
    }

    #[test]
    fn the_first_group_that_matches_the_whole_name_decides() {
        check("shop.orders", 12, &[]);
        check("other", 12, &[]);
        check("another", 3, &[("cleanup.policy", "compact")]);
        check("shop.audit.log", 3, &[("retention.ms", "1000")]);
        check("private.log", 3, &[("cleanup.policy", "compact")]);
    }

    #[test]
    fn what_cannot_be_read_names_its_property() {
        assert!(rules(&[("name", "x")]).unwrap().is_none());
        let missing = rules(&[("topic.creation.default.partitions", "1")]).unwrap_err();
        assert_eq!(missing.property, "topic.creation.default.replication.factor");
        let zero =
            rules(&[("topic.creation.default.partitions", "0"), ("topic.creation.default.replication.factor", "1")])
                .unwrap_err();
        assert_eq!(zero.property, "topic.creation.default.partitions");
        let pattern = rules(&[("topic.creation.groups", "a"), ("topic.creation.a.include", "(")]).unwrap_err();
        assert_eq!(pattern.property, "topic.creation.a.include");
    }

    #[test]
    fn names_are_legal_as_in_kafka() {
        for (name, legal) in [
            ("a.b-c_D9", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a b", false),
            ("ä", false),
            (&"x".repeat(250), false),
        ] {
            assert_eq!(is_legal_name(name), legal, "{name}");
        }
    }
}
