//! `TopicNameMatches`: yes to a record whose topic an expression matches as a whole. Asked once for a topic.

use super::required;
use crate::model::record::Record;
use crate::transform::TransformError;
use crate::transform::memo::TopicMemo;
use crate::transform::predicate::{Predicate, PredicateSpec};
use crate::util::class_options::{ClassOption, Options};
use crate::util::java_regex::JavaRegex;

/// The predicate.
pub static SPEC: PredicateSpec = PredicateSpec {
    name: "TopicNameMatches",
    aliases: &["org.apache.kafka.connect.transforms.predicates.TopicNameMatches"],
    about: "Whether the topic's whole name matches",
    options: &[&[ClassOption::new("pattern", "", "A Java regular expression; required")]],
    build,
};

struct TopicNameMatches {
    pattern: JavaRegex,
    topics: TopicMemo<bool>,
}

fn build(options: &Options<'_>) -> Result<Box<dyn Predicate>, TransformError> {
    let pattern = JavaRegex::parse_case_sensitive(required(options, "pattern")?)
        .map_err(|error| TransformError::Options { reason: format!("pattern: {error}") })?;
    Ok(Box::new(TopicNameMatches { pattern, topics: TopicMemo::default() }))
}

impl Predicate for TopicNameMatches {
    fn test(&self, record: &Record<'_>) -> Result<bool, TransformError> {
        let matches = || self.pattern.matches(record.topic);
        self.topics
            .get(record.topic, matches)
            .copied()
            .map_err(|error| TransformError::Record { reason: error.to_string() })
    }

    fn rest(&mut self) {
        self.topics.rest();
    }
}
