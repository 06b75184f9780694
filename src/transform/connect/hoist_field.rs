//! `HoistField`: the key or value as the only field of a struct; without a schema, of a map.

use std::sync::Arc;

use super::{KEY_AND_VALUE, Target, TransformSpec, part, required, with_part};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "HoistField",
    aliases: &["org.apache.kafka.connect.transforms.HoistField"],
    about: "Wraps the key or value into a struct of one field",
    targets: KEY_AND_VALUE,
    options: &[&[ClassOption::new("field", "", "The field's name; required")]],
    build,
};

struct HoistField {
    target: Target,
    field: String,
    schemas: SchemaMemo<Arc<Schema>>,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let field = required(options, "field")?.to_owned();
    Ok(Box::new(HoistField { target, field, schemas: SchemaMemo::default() }))
}

impl Transform for HoistField {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let Typed { schema, value } = part(&record, self.target);
        let hoisted = match schema {
            None => {
                let entries = arena.alloc_slice_copy(&[(ValueRef::String(&self.field), value)]);
                Typed { schema: None, value: ValueRef::Map(entries) }
            }
            Some(schema) => {
                let make = || {
                    let field = Field { name: self.field.as_str().into(), schema: schema.clone() };
                    Ok::<_, TransformError>(Arc::new(Schema::new(Kind::Struct(vec![field]))))
                };
                let fields = arena.alloc(Fields(arena.alloc_slice_copy(&[value])));
                Typed { schema: Some(self.schemas.get(schema, make)?), value: ValueRef::Struct(fields) }
            }
        };
        Ok(Some(with_part(record, self.target, hoisted)))
    }

    fn rest(&mut self) {
        self.schemas.rest();
    }
}
