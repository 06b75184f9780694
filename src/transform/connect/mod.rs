//! Kafka Connect's own transforms and predicates, and what they have in common: the key or the value of a record, and
//! structs made of other structs' fields.
//!
//! In: a record's key or value as the transform before left it. Out: the same through a view, or in slices of the
//! batch's arena where values are computed. Promised: what `org.apache.kafka.connect.transforms` of Kafka 4 gives for
//! the same record, null and defaults included. Records of this program have schemas, but for tombstones; a value
//! without a schema is refused by the transforms that would read it.

use std::sync::Arc;

use super::error::TransformError;
use super::{Target, TransformSpec, required};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, Value, ValueError, ValueRef, field_or_default};
use crate::util::class_options::{BadOption, ClassOption, Options};

pub mod cast;
pub mod drop_headers;
pub mod extract_field;
pub mod filter;
pub mod flatten;
pub mod has_header_key;
pub mod header_from;
pub mod hoist_field;
pub mod insert_field;
pub mod insert_header;
pub mod mask_field;
mod number;
pub mod record_is_tombstone;
pub mod regex_router;
pub mod replace_field;
pub mod set_schema_metadata;
pub mod timestamp_converter;
pub mod timestamp_router;
pub mod topic_name_matches;
pub mod value_to_key;

/// Classes with `$Key` and `$Value`.
const KEY_AND_VALUE: &[Target] = &[Target::Key, Target::Value];

/// Classes that work on the whole record.
const WHOLE: &[Target] = &[Target::Record];

/// `replace.null.with.default`, which most classes have.
const REPLACE_NULL: ClassOption = ClassOption::new(
    "replace.null.with.default",
    "true",
    "Whether a null field with a default becomes the default; otherwise it stays null",
);

fn replaces_null(options: &Options<'_>) -> Result<bool, BadOption> {
    options.flag("replace.null.with.default", true)
}

/// The key or value that a class works on.
fn part<'a>(record: &Record<'a>, target: Target) -> Typed<'a> {
    match target {
        Target::Key => record.key,
        Target::Value | Target::Record => record.value,
    }
}

/// The record with another key or value.
fn with_part<'a>(mut record: Record<'a>, target: Target, part: Typed<'a>) -> Record<'a> {
    match target {
        Target::Key => record.key = part,
        Target::Value | Target::Record => record.value = part,
    }
    record
}

/// A struct of a record with its schema.
struct Whole<'a> {
    schema: &'a Arc<Schema>,
    view: &'a (dyn StructView + 'a),
}

/// What must be a struct.
fn struct_of<'a>(part: &Typed<'a>, purpose: &str) -> Result<Whole<'a>, TransformError> {
    match (part.schema, part.value) {
        (Some(schema), ValueRef::Struct(view)) => Ok(Whole { schema, view }),
        (None, ValueRef::Null) => {
            Err(TransformError::Record { reason: format!("{purpose} needs a struct, and this is null") })
        }
        (None, value) => {
            let reason = format!("{purpose} needs a schema, and this {value:?} has none");
            Err(TransformError::Record { reason })
        }
        (Some(_), value) => {
            Err(TransformError::Record { reason: format!("{purpose} needs a struct, and this is a {value:?}") })
        }
    }
}

/// The default of a field, where null becomes it. Connect's `Struct.get` gives it for null.
fn default_of(field: &Field, replaces: bool) -> Option<Value> {
    field.schema.default.clone().filter(|default| replaces && *default != Value::Null)
}

/// The value of a field, with its default in place of null where that is asked for.
fn value_of<'a>(whole: &Whole<'a>, index: usize, replaces: bool, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
    if replaces { field_or_default(whole.view, whole.schema, index, arena) } else { whole.view.field(index, arena) }
}

/// Where a field of a new struct comes from.
enum Pick {
    /// A field of the old one, by its place, and what null becomes.
    Field(usize, Option<Value>),
    /// What was made for this record, by its place.
    Made(usize),
}

impl Pick {
    /// A field as it is, but for null.
    fn of(index: usize, field: &Field, replaces: bool) -> Pick {
        Pick::Field(index, default_of(field, replaces))
    }
}

/// The schema of a new struct, and where its fields come from. Made once for the old schema.
struct Shape {
    schema: Arc<Schema>,
    picks: Vec<Pick>,
}

impl Shape {
    /// The new struct.
    fn view<'a>(&'a self, whole: &Whole<'a>, made: &'a [ValueRef<'a>], arena: &'a Arena) -> Typed<'a> {
        let picked = arena.alloc(Picked { of: whole.view, picks: &self.picks, made });
        Typed { schema: Some(&self.schema), value: ValueRef::Struct(picked) }
    }
}

/// A struct made of another's fields, which are decoded when they are asked for.
struct Picked<'p> {
    of: &'p (dyn StructView + 'p),
    picks: &'p [Pick],
    made: &'p [ValueRef<'p>],
}

impl StructView for Picked<'_> {
    fn field<'a>(&'a self, index: usize, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match self.picks.get(index) {
            Some(Pick::Field(index, default)) => Ok(match (self.of.field(*index, arena)?, default) {
                (ValueRef::Null, Some(default)) => default.borrow(arena),
                (value, _) => value,
            }),
            Some(Pick::Made(index)) => Ok(self.made.get(*index).copied().unwrap_or(ValueRef::Null)),
            None => Ok(ValueRef::Null),
        }
    }
}

/// `SchemaUtil.copySchemaBasics` with other fields: name, version, documentation and parameters; never optional, and
/// without a default.
///
/// # Errors
/// When two fields have one name, as `SchemaBuilder` refuses it.
fn with_fields(old: &Schema, fields: Vec<Field>) -> Result<Schema, TransformError> {
    let mut names = std::collections::HashSet::new();
    if let Some(twice) = fields.iter().find(|field| !names.insert(&*field.name)) {
        return Err(TransformError::Record { reason: format!("the schema would have the field {} twice", twice.name) });
    }
    Ok(Schema { kind: Kind::Struct(fields), optional: false, default: None, ..old.clone() })
}

/// A list that must have an entry.
fn required_list(options: &Options<'_>, name: &'static str) -> Result<Vec<String>, TransformError> {
    let list: Vec<String> = options.list(name).into_iter().map(str::to_owned).collect();
    if list.is_empty() { Err(TransformError::Options { reason: format!("{name} is empty") }) } else { Ok(list) }
}
