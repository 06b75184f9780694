//! `HasHeaderKey`: yes to a record with a header of a name.

use super::required;
use crate::model::record::Record;
use crate::transform::TransformError;
use crate::transform::predicate::{Predicate, PredicateSpec};
use crate::util::class_options::{ClassOption, Options};

/// The predicate.
pub static SPEC: PredicateSpec = PredicateSpec {
    name: "HasHeaderKey",
    aliases: &["org.apache.kafka.connect.transforms.predicates.HasHeaderKey"],
    about: "Whether there is a header of the name",
    options: &[&[ClassOption::new("name", "", "The header's name; required")]],
    build,
};

struct HasHeaderKey {
    name: String,
}

fn build(options: &Options<'_>) -> Result<Box<dyn Predicate>, TransformError> {
    Ok(Box::new(HasHeaderKey { name: required(options, "name")?.to_owned() }))
}

impl Predicate for HasHeaderKey {
    fn test(&self, record: &Record<'_>) -> Result<bool, TransformError> {
        Ok(record.headers.iter().any(|header| header.name == self.name))
    }

    fn wants_header(&self, name: &str) -> bool {
        name == self.name
    }
}
