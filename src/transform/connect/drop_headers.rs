//! `DropHeaders`: a record without the headers of some names.

use super::{Target, TransformSpec, WHOLE, required_list};
use crate::model::record::Record;
use crate::model::value::Arena;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "DropHeaders",
    aliases: &["org.apache.kafka.connect.transforms.DropHeaders"],
    about: "Takes headers off",
    targets: WHOLE,
    options: &[&[ClassOption::new("headers", "", "The headers' names; required")]],
    build,
};

struct DropHeaders {
    names: Vec<String>,
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(DropHeaders { names: required_list(options, "headers")? }))
}

impl Transform for DropHeaders {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let dropped = |name: &str| self.names.iter().any(|dropped| dropped == name);
        if record.headers.iter().any(|header| dropped(header.name)) {
            let kept = record.headers.iter().copied().filter(|header| !dropped(header.name));
            record.headers = bumpalo::collections::Vec::from_iter_in(kept, arena).into_bump_slice();
        }
        Ok(Some(record))
    }

    fn wants_header(&self, name: &str) -> bool {
        self.names.iter().any(|dropped| dropped == name)
    }
}
