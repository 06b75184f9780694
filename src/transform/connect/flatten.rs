//! `Flatten`: the fields of nested structs as fields of one, their names joined.
//!
//! A field is optional where any struct above it is, and has its own default or that of the struct above it. Lists are
//! left as they are; maps are refused, as in Connect.

use std::sync::Arc;

use super::{KEY_AND_VALUE, Target, TransformSpec, Whole, part, struct_of, value_of, with_fields, with_part};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, Value, ValueError, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "Flatten",
    aliases: &["org.apache.kafka.connect.transforms.Flatten"],
    about: "Makes one struct of nested ones",
    targets: KEY_AND_VALUE,
    options: &[&[ClassOption::new("delimiter", ".", "What joins the names")]],
    build,
};

struct Flatten {
    target: Target,
    delimiter: String,
    schemas: SchemaMemo<Arc<Schema>>,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let written = options.all().find(|(name, _)| *name == "delimiter").map(|(_, text)| text.trim().to_owned());
    let delimiter = written.unwrap_or_else(|| ".".to_owned());
    Ok(Box::new(Flatten { target, delimiter, schemas: SchemaMemo::default() }))
}

/// What the structs above a field hand down to it.
struct Above<'s> {
    prefix: String,
    optional: bool,
    default: Option<&'s [Value]>,
}

impl Flatten {
    fn schema(&self, schema: &Schema) -> Result<Schema, TransformError> {
        let mut fields = Vec::new();
        let above =
            Above { prefix: String::new(), optional: schema.optional, default: of_struct(schema.default.as_ref()) };
        self.collect(schema, &above, &mut fields)?;
        with_fields(schema, fields)
    }

    fn collect(&self, schema: &Schema, above: &Above<'_>, fields: &mut Vec<Field>) -> Result<(), TransformError> {
        for (index, field) in schema.fields().iter().enumerate() {
            let name = match above.prefix.as_str() {
                "" => field.name.to_string(),
                prefix => format!("{prefix}{}{}", self.delimiter, field.name),
            };
            let optional = above.optional || field.schema.optional;
            let own = field.schema.default.as_ref().filter(|default| **default != Value::Null);
            let handed = above.default.and_then(|values| values.get(index)).filter(|value| **value != Value::Null);
            let default = own.or(handed);
            if matches!(field.schema.kind, Kind::Struct(_)) {
                let below = Above { prefix: name, optional, default: of_struct(default) };
                self.collect(&field.schema, &below, fields)?;
            } else if matches!(field.schema.kind, Kind::Map(..)) {
                return Err(TransformError::Record { reason: format!("flattening does not take the map {name}") });
            } else {
                let flat = Schema { optional, default: default.cloned(), ..(*field.schema).clone() };
                fields.push(Field::new(&name, flat));
            }
        }
        Ok(())
    }
}

fn of_struct(default: Option<&Value>) -> Option<&[Value]> {
    if let Some(Value::Struct(fields)) = default { Some(fields) } else { None }
}

/// The values beneath a struct, in order; nulls for one that is null.
fn values<'a>(
    schema: &'a Arc<Schema>,
    value: ValueRef<'a>,
    arena: &'a Arena,
    out: &mut bumpalo::collections::Vec<'a, ValueRef<'a>>,
) -> Result<(), ValueError> {
    for (index, field) in schema.fields().iter().enumerate() {
        let value = if let ValueRef::Struct(view) = value {
            value_of(&Whole { schema, view }, index, true, arena)?
        } else if matches!(value, ValueRef::Null) {
            ValueRef::Null
        } else {
            return Err(ValueError::Shape);
        };
        if matches!(field.schema.kind, Kind::Struct(_)) {
            values(&field.schema, value, arena, out)?;
        } else {
            out.push(value);
        }
    }
    Ok(())
}

impl Transform for Flatten {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let old = part(&record, self.target);
        if matches!(old.value, ValueRef::Null) {
            return Ok(Some(record));
        }
        let whole = struct_of(&old, "flattening")?;
        let schema =
            self.schemas.get(whole.schema, || Ok::<_, TransformError>(Arc::new(self.schema(whole.schema)?)))?;
        let mut flat = bumpalo::collections::Vec::with_capacity_in(schema.fields().len(), arena);
        values(whole.schema, old.value, arena, &mut flat)?;
        let value = ValueRef::Struct(arena.alloc(Fields(flat.into_bump_slice())));
        Ok(Some(with_part(record, self.target, Typed { schema: Some(schema), value })))
    }

    fn rest(&mut self) {
        self.schemas.rest();
    }
}
