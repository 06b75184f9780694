//! Which subject of the registry a schema belongs to: Confluent's subject name strategies.

use super::schema::{AvroKind, AvroType};
use crate::serialize::error::SerializeError;
use crate::util::class_options::Options;

/// `key.subject.name.strategy`, `value.subject.name.strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    /// `<topic>-key`, `<topic>-value`
    Topic,
    /// The record's full name.
    Record,
    /// `<topic>-<record's full name>`
    TopicRecord,
}

impl Strategy {
    pub(super) fn read(options: &Options<'_>, is_key: bool) -> Result<Self, SerializeError> {
        let option = if is_key { "key.subject.name.strategy" } else { "value.subject.name.strategy" };
        let value = options.text(option).unwrap_or("TopicNameStrategy");
        match value.rsplit('.').next().unwrap_or(value) {
            "TopicNameStrategy" => Ok(Strategy::Topic),
            "RecordNameStrategy" => Ok(Strategy::Record),
            "TopicRecordNameStrategy" => Ok(Strategy::TopicRecord),
            _ => {
                let expected = "TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy (of io.confluent.kafka.serializers.subject)";
                Err(crate::util::class_options::BadOption { option, value: value.into(), expected }.into())
            }
        }
    }

    pub(super) fn subject(self, topic: &str, is_key: bool, schema: &AvroType) -> Result<String, SerializeError> {
        let record = || match &schema.kind {
            AvroKind::Record(record) => Ok(record.name.full()),
            AvroKind::Primitive(_) | AvroKind::Array(_) | AvroKind::Map(_) | AvroKind::Union(_) => {
                let reason = "RecordNameStrategy and TopicRecordNameStrategy need a struct that is not optional".into();
                Err(SerializeError::AvroSchema { reason })
            }
        };
        match self {
            Strategy::Topic => Ok(format!("{topic}-{}", if is_key { "key" } else { "value" })),
            Strategy::Record => record(),
            Strategy::TopicRecord => Ok(format!("{topic}-{}", record()?)),
        }
    }
}
