//! `Filter`: leaves every record out; a predicate chooses which it sees.

use super::{Target, TransformSpec, WHOLE};
use crate::model::record::Record;
use crate::model::value::Arena;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::Options;

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "Filter",
    aliases: &["org.apache.kafka.connect.transforms.Filter"],
    about: "Leaves every record out that it sees; a predicate chooses which",
    targets: WHOLE,
    options: &[],
    build,
};

struct Filter;

fn build(_: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(Filter))
}

impl Transform for Filter {
    fn apply<'a>(&'a self, _: Record<'a>, _: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        Ok(None)
    }
}
