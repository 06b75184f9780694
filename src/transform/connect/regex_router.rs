//! `RegexRouter`: another topic for a record whose topic an expression matches.
//!
//! Connect asks whether the whole name matches and then replaces the first match within it. Asked once for a topic.

use std::sync::Arc;

use super::{Target, TransformSpec, WHOLE, required};
use crate::model::record::Record;
use crate::model::value::Arena;
use crate::transform::memo::TopicMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};
use crate::util::java_regex::{JavaReplacement, TooCostly};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "RegexRouter",
    aliases: &["org.apache.kafka.connect.transforms.RegexRouter"],
    about: "Renames topics by a regular expression",
    targets: WHOLE,
    options: &[&[
        ClassOption::new("regex", "", "A Java regular expression that the whole topic must match; required"),
        ClassOption::new("replacement", "", "The new topic, with $1 and ${name} for groups; required"),
    ]],
    build,
};

struct RegexRouter {
    replacement: JavaReplacement,
    topics: TopicMemo<Option<Arc<str>>>,
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let replacement = JavaReplacement::parse(required(options, "regex")?, required(options, "replacement")?)
        .map_err(|error| TransformError::Options { reason: format!("regex and replacement: {error}") })?;
    Ok(Box::new(RegexRouter { replacement, topics: TopicMemo::default() }))
}

impl Transform for RegexRouter {
    fn apply<'a>(&'a self, mut record: Record<'a>, _: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let make = || Ok(self.replacement.replace_first(record.topic)?.map(Arc::from));
        let topic = self.topics.get(record.topic, make);
        let topic = topic.map_err(|error: TooCostly| TransformError::Record { reason: error.to_string() })?;
        record.topic = topic.as_ref().unwrap_or(record.topic);
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.topics.rest();
    }
}
