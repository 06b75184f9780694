//! `RecordIsTombstone`: yes to a record whose value is null, with a schema or without.

use crate::model::record::Record;
use crate::model::value::ValueRef;
use crate::transform::TransformError;
use crate::transform::predicate::{Predicate, PredicateSpec};
use crate::util::class_options::Options;

/// The predicate.
pub static SPEC: PredicateSpec = PredicateSpec {
    name: "RecordIsTombstone",
    aliases: &["org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"],
    about: "Whether the value is null",
    options: &[],
    build,
};

struct RecordIsTombstone;

fn build(_: &Options<'_>) -> Result<Box<dyn Predicate>, TransformError> {
    Ok(Box::new(RecordIsTombstone))
}

impl Predicate for RecordIsTombstone {
    fn test(&self, record: &Record<'_>) -> Result<bool, TransformError> {
        Ok(matches!(record.value.value, ValueRef::Null))
    }
}
