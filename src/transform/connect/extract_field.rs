//! `ExtractField`: a field of the key or value in place of the whole.
//!
//! `field.syntax.version=V2` takes a path with dots, and names with dots between backticks. Source: `SingleFieldPath`.

use std::sync::Arc;

use super::{
    KEY_AND_VALUE, REPLACE_NULL, Target, TransformSpec, Whole, part, replaces_null, required, value_of, with_part,
};
use crate::model::record::{Record, Typed};
use crate::model::schema::Schema;
use crate::model::value::{Arena, ValueRef};
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{BadOption, ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ExtractField",
    aliases: &["org.apache.kafka.connect.transforms.ExtractField"],
    about: "Puts a field in place of the whole key or value",
    targets: KEY_AND_VALUE,
    options: &[&[
        ClassOption::new("field", "", "The field's name, or its path; required"),
        ClassOption::new("field.syntax.version", "V1", "V1: a name. V2: a path such as after.id or `a.b`.c"),
        REPLACE_NULL,
    ]],
    build,
};

struct ExtractField {
    target: Target,
    path: Vec<String>,
    written: String,
    replaces_null: bool,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let written = required(options, "field")?.to_owned();
    let path = match options.text("field.syntax.version") {
        None => vec![written.clone()],
        Some(version) if version.eq_ignore_ascii_case("V1") => vec![written.clone()],
        Some(version) if version.eq_ignore_ascii_case("V2") => steps(&written)?,
        Some(version) => {
            let (option, value) = ("field.syntax.version", version.to_owned());
            return Err(BadOption { option, value, expected: "V1 or V2" }.into());
        }
    };
    Ok(Box::new(ExtractField { target, path, written, replaces_null: replaces_null(options)? }))
}

/// The names of a path.
fn steps(path: &str) -> Result<Vec<String>, TransformError> {
    let unclosed = || TransformError::Options { reason: format!("field: a backtick is not closed in {path}") };
    let (mut steps, mut rest) = (Vec::new(), path);
    while !rest.is_empty() {
        let Some(mut quoted) = rest.strip_prefix('`') else {
            let (step, behind) = rest.split_once('.').unwrap_or((rest, ""));
            steps.push(step.to_owned());
            rest = behind;
            continue;
        };
        let mut step = String::new();
        let mut from = 0;
        loop {
            // A backtick ends the name where a dot or nothing follows it, and no backslash stands before it.
            let at = from + quoted.get(from..).and_then(|text| text.find('`')).ok_or_else(unclosed)?;
            let (before, behind) = (quoted.get(..at).unwrap_or(""), quoted.get(at + 1..).unwrap_or(""));
            let escaped = before.ends_with('\\');
            match (behind.strip_prefix('.'), escaped) {
                _ if behind.is_empty() && escaped => return Err(unclosed()),
                _ if behind.is_empty() => {
                    step.push_str(before);
                    rest = "";
                    break;
                }
                (None, _) => from = at + 1,
                (Some(_), true) => {
                    step.push_str(before.strip_suffix('\\').unwrap_or(before));
                    step.push('`');
                    quoted = behind;
                    from = 0;
                }
                (Some(behind), false) => {
                    step.push_str(before);
                    rest = behind;
                    break;
                }
            }
        }
        steps.push(step);
    }
    if path.ends_with('.') {
        steps.push(String::new());
    }
    Ok(steps)
}

impl Transform for ExtractField {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let whole = part(&record, self.target);
        let extracted = match (whole.schema, whole.value) {
            (None, ValueRef::Null) => whole,
            (None, value) => {
                let reason = format!("field extraction needs a schema, and this {value:?} has none");
                return Err(TransformError::Record { reason });
            }
            (Some(schema), value) => self.extract(schema, value, arena)?,
        };
        Ok(Some(with_part(record, self.target, extracted)))
    }
}

impl ExtractField {
    fn extract<'a>(
        &'a self,
        schema: &'a Arc<Schema>,
        value: ValueRef<'a>,
        arena: &'a Arena,
    ) -> Result<Typed<'a>, TransformError> {
        let wrong = |reason: String| Err(TransformError::Record { reason });
        let (mut schema, mut value) = (schema, value);
        for (number, step) in self.path.iter().enumerate() {
            let Some(index) = schema.field_index(step) else {
                return wrong(format!("there is no field {}", self.written));
            };
            let is_last = number + 1 == self.path.len();
            if let ValueRef::Struct(view) = value {
                value = value_of(&Whole { schema, view }, index, self.replaces_null || !is_last, arena)?;
            } else if !matches!(value, ValueRef::Null) {
                return wrong(format!("field extraction needs a struct, and this is a {value:?}"));
            }
            let Some(field) = schema.fields().get(index) else { return wrong(format!("there is no field {step}")) };
            schema = &field.schema;
        }
        Ok(Typed { schema: Some(schema), value })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// As Kafka 4.3.1's `SingleFieldPath` splits them.
    #[test]
    fn paths_are_split_as_connect_splits_them() {
        let check = |path: &str, expected: &[&str]| assert_eq!(steps(path).unwrap(), expected, "{path}");
        check("foo.bar.baz", &["foo", "bar", "baz"]);
        check("`foo.bar`.baz", &["foo.bar", "baz"]);
        check("foo.`bar.baz`", &["foo", "bar.baz"]);
        check("`fo`o`.bar", &["fo`o", "bar"]);
        check("`foo\\`.bar`.baz", &["foo`.bar", "baz"]);
        check("foo.", &["foo", ""]);
        check(".foo", &["", "foo"]);
        check("fo`o.b`ar", &["fo`o", "b`ar"]);
        for path in ["`foo", "`foo\\`", "a.`b"] {
            assert!(steps(path).is_err(), "{path}");
        }
    }
}
