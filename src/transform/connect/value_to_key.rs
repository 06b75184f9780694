//! `ValueToKey`: a key of fields of the value.

use std::collections::HashSet;
use std::sync::Arc;

use super::{
    Pick, REPLACE_NULL, Shape, Target, TransformSpec, WHOLE, replaces_null, required_list, struct_of, with_fields,
};
use crate::model::record::Record;
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::Arena;
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ValueToKey",
    aliases: &["org.apache.kafka.connect.transforms.ValueToKey"],
    about: "Makes the key of fields of the value",
    targets: WHOLE,
    options: &[&[ClassOption::new("fields", "", "The fields' names, in the order of the key; required"), REPLACE_NULL]],
    build,
};

struct ValueToKey {
    fields: Vec<String>,
    replaces_null: bool,
    shapes: SchemaMemo<Shape>,
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let (mut fields, replaces_null) = (required_list(options, "fields")?, replaces_null(options)?);
    // Connect takes a name that stands there twice once.
    let mut seen = HashSet::new();
    fields.retain(|field| seen.insert(field.clone()));
    Ok(Box::new(ValueToKey { fields, replaces_null, shapes: SchemaMemo::default() }))
}

impl ValueToKey {
    fn shape(&self, schema: &Schema) -> Result<Shape, TransformError> {
        let (mut fields, mut picks) = (Vec::new(), Vec::new());
        for name in &self.fields {
            let index = schema.field_index(name);
            let Some((index, field)) = index.and_then(|index| Some((index, schema.fields().get(index)?))) else {
                return Err(TransformError::Record { reason: format!("field does not exist: {name}") });
            };
            fields.push(Field { name: field.name.clone(), schema: field.schema.clone() });
            picks.push(Pick::of(index, field, self.replaces_null));
        }
        Ok(Shape { schema: Arc::new(with_fields(&Schema::new(Kind::Struct(Vec::new())), fields)?), picks })
    }
}

impl Transform for ValueToKey {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let whole = struct_of(&record.value, "copying fields from value to key")?;
        let shape = self.shapes.get(whole.schema, || self.shape(whole.schema))?;
        record.key = shape.view(&whole, &[], arena);
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}
