//! How records reach the broker: topics that are made, heartbeats, failures, bounds.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::{Findings, capture};
use crate::config::ConfigError;
use crate::config::option::{self, Applies};
use crate::config::secret::ClientProperties;
use crate::config::settings::Settings;
use crate::config::worker::WorkerConfig;
use crate::model::modes::{ErrorsTolerance, EventProcessingFailureHandlingMode, InconsistentSchemaHandlingMode};
use crate::util::java_regex::{JavaRegex, TooCostly};

/// Bytes under way when `max.queue.size.in.bytes` does not say: a third of the memory that the whole process
/// is allowed to take, and several times what a broker's round trip needs.
pub const DEFAULT_QUEUE_BYTES: u64 = 32 * 1024 * 1024;

/// How the topics of one group are made.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicGroup {
    /// The group's name.
    pub name: String,
    /// Topics that belong to it.
    pub include: Vec<JavaRegex>,
    /// Topics that do not.
    pub exclude: Vec<JavaRegex>,
    /// Partitions; -1 leaves it to the broker.
    pub partitions: i32,
    /// Copies; -1 leaves it to the broker.
    pub replication_factor: i16,
    /// Further settings of a topic.
    pub settings: ClientProperties,
}

/// How topics are made.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicCreation {
    /// The groups, in the order in which they are asked; `default` is last and takes every topic.
    pub groups: Vec<TopicGroup>,
}

impl TopicCreation {
    /// The group of a topic.
    pub fn group(&self, topic: &str) -> Result<Option<&TopicGroup>, TooCostly> {
        let any = |expressions: &[JavaRegex]| -> Result<bool, TooCostly> {
            for expression in expressions {
                if expression.matches(topic)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        for group in &self.groups {
            if any(&group.include)? && !any(&group.exclude)? {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }
}

/// Heartbeat records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatOptions {
    /// How often; `None` is never.
    pub interval: Option<Duration>,
    /// SQL to run with each.
    pub action_query: Option<String>,
}

/// What becomes of a record that the broker refuses as too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordTooLarge {
    /// The connector stops.
    Fail,
    /// It is left out, logged and counted.
    Skip,
}

/// Where records go that are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterOptions {
    /// `errors.deadletterqueue.topic.name`.
    pub topic: String,
    /// `errors.deadletterqueue.topic.replication.factor`; -1 leaves it to the broker.
    pub replication_factor: i32,
}

/// What becomes of failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorOptions {
    /// `errors.max.retries`; `None` is without limit.
    pub max_retries: Option<u32>,
    /// `retriable.restart.connector.wait.ms`.
    pub restart_wait: Duration,
    /// `event.processing.failure.handling.mode`.
    pub event_processing: EventProcessingFailureHandlingMode,
    /// `inconsistent.schema.handling.mode`.
    pub inconsistent_schema: InconsistentSchemaHandlingMode,
    /// `errors.tolerance`.
    pub tolerance: ErrorsTolerance,
    /// `errors.retry.timeout`; `None` is for ever.
    pub retry_timeout: Option<Duration>,
    /// `errors.retry.delay.max.ms`.
    pub retry_delay_max: Duration,
    /// `errors.log.enable`.
    pub log: bool,
    /// `errors.deadletterqueue.*`
    pub dead_letters: Option<DeadLetterOptions>,
    /// `headwater.record.too.large`.
    pub record_too_large: RecordTooLarge,
}

/// Bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitOptions {
    /// Bytes from the server's socket to the broker's acknowledgement.
    pub queue_bytes: u64,
    /// `max.queue.size`, for the metric of that name.
    pub queue_records: i64,
    /// Threads that turn rows into records; `None` is one a core.
    pub encode_threads: Option<NonZeroUsize>,
}

pub(super) fn heartbeat(settings: &Settings<'_>) -> HeartbeatOptions {
    HeartbeatOptions {
        interval: Some(settings.millis("heartbeat.interval.ms")).filter(|interval| !interval.is_zero()),
        action_query: settings.text("heartbeat.action.query"),
    }
}

pub(super) fn errors(settings: &Settings<'_>, findings: &mut Findings) -> ErrorOptions {
    let errors = read_errors(settings);
    let stops = errors.tolerance == ErrorsTolerance::None
        && errors.event_processing == EventProcessingFailureHandlingMode::Fail;
    if errors.dead_letters.is_some() && stops {
        let text = "is never written: errors.tolerance=none stops the connector at a record that fails";
        findings.advise("errors.deadletterqueue.topic.name", text);
    }
    errors
}

fn read_errors(settings: &Settings<'_>) -> ErrorOptions {
    let skip = settings.text("headwater.record.too.large").is_some_and(|word| word.eq_ignore_ascii_case("skip"));
    ErrorOptions {
        max_retries: u32::try_from(settings.number("errors.max.retries")).ok(),
        restart_wait: settings.millis("retriable.restart.connector.wait.ms"),
        event_processing: settings.word(
            "event.processing.failure.handling.mode",
            EventProcessingFailureHandlingMode::parse,
            EventProcessingFailureHandlingMode::Fail,
        ),
        // PostgreSQL's stream describes its tables itself.
        inconsistent_schema: match settings.place.meets(Applies::BINLOG) {
            true => settings.word(
                "inconsistent.schema.handling.mode",
                InconsistentSchemaHandlingMode::parse,
                InconsistentSchemaHandlingMode::Fail,
            ),
            false => InconsistentSchemaHandlingMode::Fail,
        },
        tolerance: settings.word("errors.tolerance", ErrorsTolerance::parse, ErrorsTolerance::None),
        retry_timeout: settings
            .optional_number("errors.retry.timeout")
            .and_then(|timeout| u64::try_from(timeout).ok())
            .map(Duration::from_millis),
        retry_delay_max: settings.millis("errors.retry.delay.max.ms"),
        log: settings.flag("errors.log.enable"),
        dead_letters: settings.text("errors.deadletterqueue.topic.name").map(|topic| DeadLetterOptions {
            topic,
            replication_factor: i32::try_from(settings.number("errors.deadletterqueue.topic.replication.factor"))
                .unwrap_or(-1),
        }),
        record_too_large: if skip { RecordTooLarge::Skip } else { RecordTooLarge::Fail },
    }
}

pub(super) fn limits(settings: &Settings<'_>) -> LimitOptions {
    let bytes = u64::try_from(settings.number("max.queue.size.in.bytes")).unwrap_or(0);
    let threads = settings.optional_number("encode.threads").and_then(|threads| usize::try_from(threads).ok());
    LimitOptions {
        queue_bytes: if bytes == 0 { DEFAULT_QUEUE_BYTES } else { bytes },
        queue_records: settings.number("max.queue.size"),
        encode_threads: threads.and_then(NonZeroUsize::new),
    }
}

const PREFIX: &str = "topic.creation.";

/// Groups by Connect's rules (KIP-158): topics are made when the group `default` has partitions and copies,
/// and it must have both as soon as anything about making topics is said.
pub(super) fn topic_creation(
    settings: &Settings<'_>,
    worker: &WorkerConfig,
    findings: &mut Findings,
) -> Option<TopicCreation> {
    let mentioned: BTreeSet<&str> = settings
        .values
        .keys()
        .filter_map(|property| property.strip_prefix(PREFIX)?.split_once('.').map(|(group, _)| group))
        .collect();
    let named = settings.list("topic.creation.groups");
    if mentioned.is_empty() && named.is_empty() {
        return None;
    }
    if !worker.topic_creation_enabled {
        findings.advise(
            "topic.creation.default.partitions",
            "changes nothing, because topic.creation.enable of the worker is false",
        );
        return None;
    }
    for group in mentioned.iter().filter(|group| **group != "default" && !named.iter().any(|named| named == *group)) {
        let property = format!("{PREFIX}{group}.include");
        findings.advise(&property, format!("changes nothing, because topic.creation.groups does not name {group}"));
    }
    let default = group(settings, "default", None, &mut findings.errors);
    let mut groups: Vec<TopicGroup> = named
        .iter()
        .filter(|name| *name != "default")
        .map(|name| group(settings, name, Some(&default), &mut findings.errors))
        .collect();
    groups.push(default);
    Some(TopicCreation { groups })
}

/// One group; what it does not say is the default group's, and the default group must say it.
fn group(
    settings: &Settings<'_>,
    name: &str,
    default: Option<&TopicGroup>,
    errors: &mut Vec<ConfigError>,
) -> TopicGroup {
    let property = |suffix: &str| format!("{PREFIX}{name}.{suffix}");
    let mut count = |suffix: &str, otherwise: Option<i64>| -> i64 {
        let property = property(suffix);
        match settings.optional_number(&property) {
            Some(0) => {
                errors.push(settings.invalid(&property, "0", "a positive number, or -1 for the broker's default"));
                -1
            }
            Some(count) => count,
            // What is not a number was reported with the others.
            None if otherwise.is_none() && !settings.is_set(&property) => {
                let about =
                    "topics are made only with it (topic.creation.default needs partitions and replication.factor)";
                errors.push(ConfigError::Missing { property, about: about.to_owned(), suggestion: None });
                -1
            }
            None => otherwise.unwrap_or(-1),
        }
    };
    let partitions = count("partitions", default.map(|default| i64::from(default.partitions)));
    let replication_factor = count("replication.factor", default.map(|default| i64::from(default.replication_factor)));
    let own = ["partitions", "replication.factor", "include", "exclude"];
    let mut further = ClientProperties::default();
    for (setting, value) in settings.under(&format!("{PREFIX}{name}.")).iter().filter(|(name, _)| !own.contains(name)) {
        further.set(setting, value);
    }
    let include = if name == "default" { Some(".*".to_owned()) } else { optional(settings, &property("include")) };
    TopicGroup {
        name: name.to_owned(),
        include: capture::case_sensitive(include),
        exclude: capture::case_sensitive(optional(settings, &property("exclude")).filter(|_| name != "default")),
        partitions: i32::try_from(partitions).unwrap_or(-1),
        replication_factor: i16::try_from(replication_factor).unwrap_or(-1),
        settings: further,
    }
}

fn optional(settings: &Settings<'_>, property: &str) -> Option<String> {
    option::find(property, settings.place).and_then(|_| settings.text(property))
}
