//! `TimestampConverter`: a time as text, as a number since the epoch, or as one of Connect's types.
//!
//! All goes through milliseconds, so that finer parts are lost, as in Connect. A field of 64 bits is taken as a number
//! since the epoch in `unix.precision`, whatever the name of its schema.

use std::sync::Arc;

use super::{
    KEY_AND_VALUE, Pick, REPLACE_NULL, Shape, Target, TransformSpec, part, replaces_null, required, struct_of,
    value_of, with_fields, with_part,
};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{BadOption, ClassOption, Options};
use crate::util::simple_date_format::SimpleDateFormat;

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "TimestampConverter",
    aliases: &["org.apache.kafka.connect.transforms.TimestampConverter"],
    about: "Converts times between text, numbers since the epoch and Connect's types",
    targets: KEY_AND_VALUE,
    options: &[&[
        ClassOption::new("field", "", "The field's name; empty: the whole key or value is the time"),
        ClassOption::new("target.type", "", "string, unix, Date, Time or Timestamp; required"),
        ClassOption::new("format", "", "A pattern of Java's SimpleDateFormat, in UTC, for text"),
        ClassOption::new(
            "unix.precision",
            "milliseconds",
            "seconds, milliseconds, microseconds or nanoseconds, for numbers",
        ),
        REPLACE_NULL,
    ]],
    build,
};

const DAY_MS: i64 = 86_400_000;

/// What a time is, or is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Unix,
    Date,
    Time,
    Timestamp,
}

impl Form {
    /// The form that a schema says.
    fn of(schema: &Schema) -> Result<Form, TransformError> {
        let name = schema.name.as_deref().and_then(|name| name.strip_prefix("org.apache.kafka.connect.data."));
        match (name, &schema.kind) {
            (Some("Timestamp"), _) => Ok(Form::Timestamp),
            (Some("Date"), _) => Ok(Form::Date),
            (Some("Time"), _) => Ok(Form::Time),
            (_, Kind::String) => Ok(Form::Text),
            (_, Kind::Int64) => Ok(Form::Unix),
            _ => {
                let named = schema.name.as_deref().unwrap_or_else(|| schema.type_name());
                Err(TransformError::Record { reason: format!("{named} is no form of a time that Connect knows") })
            }
        }
    }

    fn schema(self, optional: bool) -> Schema {
        let named =
            |kind, name: &str| Schema::new(kind).named(&format!("org.apache.kafka.connect.data.{name}")).version(1);
        let schema = match self {
            Form::Text => Schema::new(Kind::String),
            Form::Unix => Schema::new(Kind::Int64),
            Form::Date => named(Kind::Int32, "Date"),
            Form::Time => named(Kind::Int32, "Time"),
            Form::Timestamp => named(Kind::Int64, "Timestamp"),
        };
        if optional { schema.optional() } else { schema }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

struct TimestampConverter {
    target: Target,
    field: Option<String>,
    to: Form,
    format: Option<SimpleDateFormat>,
    precision: Precision,
    replaces_null: bool,
    shapes: SchemaMemo<Converted>,
}

struct Converted {
    shape: Shape,
    /// The field's place in the old schema and its form there.
    field: Option<(usize, Form)>,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let bad = |option, value: &str, expected| Err(BadOption { option, value: value.to_owned(), expected }.into());
    let to = match required(options, "target.type")? {
        "string" => Form::Text,
        "unix" => Form::Unix,
        "Date" => Form::Date,
        "Time" => Form::Time,
        "Timestamp" => Form::Timestamp,
        other => return bad("target.type", other, "string, unix, Date, Time or Timestamp"),
    };
    let precision = match options.text("unix.precision") {
        None | Some("milliseconds") => Precision::Milliseconds,
        Some("seconds") => Precision::Seconds,
        Some("microseconds") => Precision::Microseconds,
        Some("nanoseconds") => Precision::Nanoseconds,
        Some(other) => return bad("unix.precision", other, "seconds, milliseconds, microseconds or nanoseconds"),
    };
    let format = options.text("format").map(SimpleDateFormat::new).transpose();
    let format = format.map_err(|error| TransformError::Options { reason: format!("format: {error}") })?;
    if to == Form::Text && format.is_none() {
        return Err(TransformError::Options { reason: "target.type=string needs format".to_owned() });
    }
    let (field, replaces_null) = (options.text("field").map(str::to_owned), replaces_null(options)?);
    let shapes = SchemaMemo::default();
    Ok(Box::new(TimestampConverter { target, field, to, format, precision, replaces_null, shapes }))
}

impl TimestampConverter {
    fn converted(&self, schema: &Schema, name: &str) -> Result<Converted, TransformError> {
        let place = schema.field_index(name);
        let (mut fields, mut picks, mut form) = (Vec::new(), Vec::new(), None);
        for (index, field) in schema.fields().iter().enumerate() {
            if place == Some(index) {
                form = Some((index, Form::of(&field.schema)?));
                let converted = self.to.schema(field.schema.optional);
                fields.push(Field { name: field.name.clone(), schema: Arc::new(converted) });
                picks.push(Pick::Made(0));
            } else {
                fields.push(field.clone());
                picks.push(Pick::of(index, field, self.replaces_null));
            }
        }
        if schema.default.as_ref().is_some_and(|default| *default != Value::Null) {
            let reason = "a struct with a default cannot be converted".to_owned();
            return Err(TransformError::Record { reason });
        }
        let mut whole = with_fields(schema, fields)?;
        whole.optional = schema.optional;
        Ok(Converted { shape: Shape { schema: Arc::new(whole), picks }, field: form })
    }

    /// Milliseconds since the epoch.
    fn raw(&self, form: Form, value: &ValueRef<'_>) -> Result<i64, TransformError> {
        Ok(match (form, value) {
            (Form::Date, ValueRef::Int32(days)) => i64::from(*days) * DAY_MS,
            (Form::Time, ValueRef::Int32(millis)) => i64::from(*millis),
            (Form::Timestamp, ValueRef::Int64(millis)) => *millis,
            (Form::Unix, ValueRef::Int64(unix)) => match self.precision {
                Precision::Seconds => unix.saturating_mul(1_000),
                Precision::Milliseconds => *unix,
                Precision::Microseconds => unix / 1_000,
                Precision::Nanoseconds => unix / 1_000_000,
            },
            (Form::Text, ValueRef::String(text)) => {
                let Some(format) = &self.format else {
                    return Err(TransformError::Record { reason: "a text needs format to be read".to_owned() });
                };
                let reason = || format!("a text does not match the format {format}");
                format.parse(text).ok_or_else(|| TransformError::Record { reason: reason() })?
            }
            _ => return Err(ValueError::Shape.into()),
        })
    }

    fn convert<'a>(&self, form: Form, value: ValueRef<'a>, arena: &'a Arena) -> Result<ValueRef<'a>, TransformError> {
        if matches!(value, ValueRef::Null) {
            return Ok(value);
        }
        let millis = self.raw(form, &value)?;
        Ok(match self.to {
            Form::Timestamp => ValueRef::Int64(millis),
            Form::Unix => ValueRef::Int64(match self.precision {
                Precision::Seconds => millis / 1_000,
                Precision::Milliseconds => millis,
                Precision::Microseconds => millis.saturating_mul(1_000),
                Precision::Nanoseconds => millis.saturating_mul(1_000_000),
            }),
            Form::Date => {
                let days = i32::try_from(millis.div_euclid(DAY_MS));
                let reason = "a time is too far from the epoch for a Date".to_owned();
                ValueRef::Int32(days.map_err(|_| TransformError::Record { reason })?)
            }
            Form::Time => ValueRef::Int32(millis.rem_euclid(DAY_MS) as i32),
            Form::Text => {
                let mut text = bumpalo::collections::String::new_in(arena);
                if let Some(format) = &self.format {
                    format.format(millis, &mut text);
                }
                ValueRef::String(text.into_bump_str())
            }
        })
    }

    /// A field of a struct.
    fn field<'a>(
        &'a self,
        schema: &'a Arc<Schema>,
        value: ValueRef<'a>,
        name: &str,
        arena: &'a Arena,
    ) -> Result<Typed<'a>, TransformError> {
        let converted = self.shapes.get(schema, || self.converted(schema, name))?;
        if matches!(value, ValueRef::Null) {
            return Ok(Typed { schema: Some(&converted.shape.schema), value });
        }
        let whole = struct_of(&Typed { schema: Some(schema), value }, "converting timestamp formats")?;
        let mut made = ValueRef::Null;
        if let Some((index, form)) = converted.field {
            let value = value_of(&whole, index, self.replaces_null, arena)?;
            made = self.convert(form, value, arena).map_err(|error| error.of_field(name))?;
        }
        Ok(converted.shape.view(&whole, arena.alloc_slice_copy(&[made]), arena))
    }
}

impl Transform for TimestampConverter {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let Typed { schema, value } = part(&record, self.target);
        let new = match (schema, &self.field) {
            (None, _) if matches!(value, ValueRef::Null) => return Ok(Some(record)),
            (None, _) => {
                let reason = format!("converting timestamp formats needs a schema, and this {value:?} has none");
                return Err(TransformError::Record { reason });
            }
            (Some(schema), None) => {
                let make = || {
                    let shape = Shape { schema: Arc::new(self.to.schema(schema.optional)), picks: Vec::new() };
                    Ok::<_, TransformError>(Converted { shape, field: Some((0, Form::of(schema)?)) })
                };
                let converted = self.shapes.get(schema, make)?;
                let form = converted.field.map_or(self.to, |(_, form)| form);
                Typed { schema: Some(&converted.shape.schema), value: self.convert(form, value, arena)? }
            }
            (Some(schema), Some(field)) => self.field(schema, value, field, arena)?,
        };
        Ok(Some(with_part(record, self.target, new)))
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}
