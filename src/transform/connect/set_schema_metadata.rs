//! `SetSchemaMetadata`: another name or version for the schema of the key or value.

use std::sync::Arc;

use super::{KEY_AND_VALUE, Pick, REPLACE_NULL, Shape, Target, TransformSpec, Whole, part, replaces_null, with_part};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{BadOption, ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "SetSchemaMetadata",
    aliases: &["org.apache.kafka.connect.transforms.SetSchemaMetadata"],
    about: "Sets name and version of the schema",
    targets: KEY_AND_VALUE,
    options: &[&[
        ClassOption::new("schema.name", "", "The schema's name; this or the version is required"),
        ClassOption::new("schema.version", "", "The schema's version"),
        REPLACE_NULL,
    ]],
    build,
};

struct SetSchemaMetadata {
    target: Target,
    name: Option<Arc<str>>,
    version: Option<i32>,
    replaces_null: bool,
    shapes: SchemaMemo<Shape>,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let name = options.text("schema.name").map(Arc::from);
    let version = match options.text("schema.version") {
        None => None,
        Some(version) => Some(version.parse().map_err(|_| BadOption {
            option: "schema.version",
            value: version.to_owned(),
            expected: "a whole number",
        })?),
    };
    if name.is_none() && version.is_none() {
        let reason = "neither schema.name nor schema.version is set".to_owned();
        return Err(TransformError::Options { reason });
    }
    let (replaces_null, shapes) = (replaces_null(options)?, SchemaMemo::default());
    Ok(Box::new(SetSchemaMetadata { target, name, version, replaces_null, shapes }))
}

impl SetSchemaMetadata {
    fn shape(&self, schema: &Schema) -> Result<Shape, TransformError> {
        if !matches!(schema.kind, Kind::Struct(_)) {
            // Connect asks any schema for its fields, and only a struct answers.
            let reason = format!("updating schema metadata needs a struct, and this is a {}", schema.type_name());
            return Err(TransformError::Record { reason });
        }
        let fields = schema.fields().iter().enumerate();
        let picks = fields.map(|(index, field)| Pick::of(index, field, self.replaces_null)).collect();
        let mut named = schema.clone();
        named.name = self.name.clone().or(named.name);
        named.version = self.version.or(named.version);
        Ok(Shape { schema: Arc::new(named), picks })
    }
}

impl Transform for SetSchemaMetadata {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let Typed { schema, value } = part(&record, self.target);
        let Some(schema) = schema else {
            if matches!(value, ValueRef::Null) {
                return Ok(Some(record));
            }
            let reason = format!("updating schema metadata needs a schema, and this {value:?} has none");
            return Err(TransformError::Record { reason });
        };
        let shape = self.shapes.get(schema, || self.shape(schema))?;
        let updated = if let ValueRef::Struct(view) = value {
            shape.view(&Whole { schema, view }, &[], arena)
        } else {
            Typed { schema: Some(&shape.schema), value }
        };
        Ok(Some(with_part(record, self.target, updated)))
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}
