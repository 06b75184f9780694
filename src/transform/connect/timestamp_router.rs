//! `TimestampRouter`: a topic that is named by the record's time.
//!
//! Debezium gives its records no time of their own, and nor do we: unless a transform before this one sets it, each
//! record fails, as it does in Connect.

use std::sync::Arc;

use super::{Target, TransformSpec, WHOLE};
use crate::model::record::Record;
use crate::model::value::Arena;
use crate::transform::memo::Memo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};
use crate::util::simple_date_format::SimpleDateFormat;

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "TimestampRouter",
    aliases: &["org.apache.kafka.connect.transforms.TimestampRouter"],
    about: "Names topics by the time of the record, which Debezium's records do not have",
    targets: WHOLE,
    options: &[&[
        ClassOption::new("topic.format", "${topic}-${timestamp}", "The new topic, with ${topic} and ${timestamp}"),
        ClassOption::new("timestamp.format", "yyyyMMdd", "A pattern of Java's SimpleDateFormat, in UTC"),
    ]],
    build,
};

struct TimestampRouter {
    topic: String,
    timestamp: SimpleDateFormat,
    topics: Memo<String, Arc<str>>,
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let timestamp = SimpleDateFormat::new(options.text("timestamp.format").unwrap_or("yyyyMMdd"))
        .map_err(|error| TransformError::Options { reason: format!("timestamp.format: {error}") })?;
    let topic = options.text("topic.format").unwrap_or("${topic}-${timestamp}").to_owned();
    Ok(Box::new(TimestampRouter { topic, timestamp, topics: Memo::default() }))
}

impl Transform for TimestampRouter {
    fn apply<'a>(&'a self, mut record: Record<'a>, _: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let Some(timestamp) = record.timestamp else {
            return Err(TransformError::Record { reason: "the record has no timestamp".to_owned() });
        };
        let mut text = String::new();
        self.timestamp.format(timestamp, &mut text);
        // One after the other, so that a topic may hold the second placeholder, as in Connect.
        let topic = self.topic.replace("${topic}", record.topic).replace("${timestamp}", &text);
        record.topic = self.topics.get(topic.as_str(), || Ok::<_, TransformError>(topic.as_str().into()))?;
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.topics.rest();
    }
}
