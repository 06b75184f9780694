//! `MaskField`: fields with nothing in place of what they say: 0, false, an empty text, or a replacement.

use std::sync::Arc;

use super::number::Decimal;
use super::{
    KEY_AND_VALUE, Pick, REPLACE_NULL, Shape, Target, TransformSpec, part, replaces_null, required_list, struct_of,
    value_of, with_part,
};
use crate::model::record::Record;
use crate::model::schema::Schema;
use crate::model::value::{Arena, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};
use crate::util::java_text::Logical;

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "MaskField",
    aliases: &["org.apache.kafka.connect.transforms.MaskField"],
    about: "Puts nothing, or a replacement, in place of what fields say",
    targets: KEY_AND_VALUE,
    options: &[&[
        ClassOption::new("fields", "", "The fields' names; required"),
        ClassOption::new("replacement", "", "What stands there instead, for numbers and texts"),
        REPLACE_NULL,
    ]],
    build,
};

struct MaskField {
    target: Target,
    fields: Vec<String>,
    replacement: Option<Replacement>,
    replaces_null: bool,
    masks: SchemaMemo<Masks>,
}

struct Replacement {
    text: String,
    /// Where it is a number.
    number: Option<Decimal>,
    /// The number's unscaled bytes; none beyond 128 bits.
    unscaled: Vec<u8>,
}

struct Masks {
    shape: Shape,
    fields: Vec<usize>,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let (fields, replaces_null) = (required_list(options, "fields")?, replaces_null(options)?);
    let replacement = options.text("replacement").map(|text| {
        let number = Decimal::parse(text);
        let unscaled = number.as_ref().and_then(Decimal::unscaled).unwrap_or_default();
        Replacement { text: text.to_owned(), number, unscaled }
    });
    Ok(Box::new(MaskField { target, fields, replacement, replaces_null, masks: SchemaMemo::default() }))
}

fn wrong<'a>(reason: String) -> Result<ValueRef<'a>, TransformError> {
    Err(TransformError::Record { reason })
}

impl MaskField {
    fn masks(&self, schema: &Arc<Schema>) -> Masks {
        let (mut picks, mut fields) = (Vec::new(), Vec::new());
        for (index, field) in schema.fields().iter().enumerate() {
            if self.fields.iter().any(|masked| **masked == *field.name) {
                picks.push(Pick::Made(fields.len()));
                fields.push(index);
            } else {
                picks.push(Pick::of(index, field, self.replaces_null));
            }
        }
        Masks { shape: Shape { schema: schema.clone(), picks }, fields }
    }
}

/// What stands for nothing in each type.
fn nothing<'a>(schema: &Schema, value: ValueRef<'a>) -> Result<ValueRef<'a>, TransformError> {
    Ok(match (value, Logical::read(schema, &value)) {
        // Java puts a zero without a scale there, which no converter takes for a Decimal that has one.
        (_, Some(Logical::Decimal(_, 0))) => ValueRef::Bytes(&[0]),
        (_, Some(Logical::Decimal(_, scale))) => {
            return wrong(format!("the mask has scale 0 and the Decimal scale {scale}: set replacement"));
        }
        (ValueRef::Null, _) => ValueRef::Null,
        (ValueRef::Boolean(_), _) => ValueRef::Boolean(false),
        (ValueRef::Int8(_), _) => ValueRef::Int8(0),
        (ValueRef::Int16(_), _) => ValueRef::Int16(0),
        (ValueRef::Int32(_), _) => ValueRef::Int32(0),
        (ValueRef::Int64(_), _) => ValueRef::Int64(0),
        (ValueRef::Float32(_), _) => ValueRef::Float32(0.0),
        (ValueRef::Float64(_), _) => ValueRef::Float64(0.0),
        (ValueRef::String(_), _) => ValueRef::String(""),
        (ValueRef::Array(_), _) => ValueRef::Array(&[]),
        (ValueRef::Map(_), _) => ValueRef::Map(&[]),
        (ValueRef::Bytes(_) | ValueRef::Struct(_), _) => return wrong(format!("a {value:?} cannot be masked")),
    })
}

impl Replacement {
    fn of<'a>(&'a self, schema: &Schema, value: ValueRef<'a>) -> Result<ValueRef<'a>, TransformError> {
        let number = || {
            let reason = "replacement is no number, and the field is".to_owned();
            self.number.as_ref().ok_or(TransformError::Record { reason })
        };
        Ok(match (value, Logical::read(schema, &value)) {
            (_, Some(Logical::Decimal(_, scale))) => {
                if number()?.scale != i64::from(scale) || self.unscaled.is_empty() {
                    return wrong(format!("replacement needs {scale} digits behind its point, as the Decimal has"));
                }
                ValueRef::Bytes(&self.unscaled)
            }
            (_, Some(Logical::Instant(_))) => return wrong("a date takes no replacement".to_owned()),
            (ValueRef::Null, _) => ValueRef::Null,
            (ValueRef::Int8(_), _) => ValueRef::Int8(number()?.long() as i8),
            (ValueRef::Int16(_), _) => ValueRef::Int16(number()?.long() as i16),
            (ValueRef::Int32(_), _) => ValueRef::Int32(number()?.long() as i32),
            (ValueRef::Int64(_), _) => ValueRef::Int64(number()?.long()),
            (ValueRef::Float32(_), _) => ValueRef::Float32(number()?.double() as f32),
            (ValueRef::Float64(_), _) => ValueRef::Float64(number()?.double()),
            (ValueRef::String(_), _) => ValueRef::String(&self.text),
            (
                ValueRef::Boolean(_) | ValueRef::Bytes(_) | ValueRef::Array(_) | ValueRef::Map(_) | ValueRef::Struct(_),
                _,
            ) => return wrong(format!("a {value:?} takes no replacement")),
        })
    }
}

impl Transform for MaskField {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let old = part(&record, self.target);
        let whole = struct_of(&old, "mask fields")?;
        let masks = self.masks.get(whole.schema, || Ok::<_, TransformError>(self.masks(whole.schema)))?;
        let mut made = bumpalo::collections::Vec::with_capacity_in(masks.fields.len(), arena);
        for index in &masks.fields {
            let Some(field) = whole.schema.fields().get(*index) else { continue };
            let value = value_of(&whole, *index, self.replaces_null, arena)?;
            let masked = match &self.replacement {
                Some(replacement) => replacement.of(&field.schema, value),
                None => nothing(&field.schema, value),
            };
            made.push(masked.map_err(|error| error.of_field(&field.name))?);
        }
        Ok(Some(with_part(record, self.target, masks.shape.view(&whole, made.into_bump_slice(), arena))))
    }

    fn rest(&mut self) {
        self.masks.rest();
    }
}
