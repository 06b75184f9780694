//! `Cast`: fields, or the whole key or value, in another type.
//!
//! Numbers narrow as Java narrows them: integers keep their lowest bits, floats are cut and clamped. A field that is
//! cast loses the name and parameters of its schema; a whole value that is cast keeps them, as in Connect.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::number::{self, Decimal};
use super::{
    KEY_AND_VALUE, Pick, REPLACE_NULL, Shape, Target, TransformSpec, part, replaces_null, required_list, struct_of,
    value_of, with_fields, with_part,
};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Value, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{BadOption, ClassOption, Options};
use crate::util::java_text::{self, Logical};
use crate::util::simple_date_format::SimpleDateFormat;

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "Cast",
    aliases: &["org.apache.kafka.connect.transforms.Cast"],
    about: "Gives fields, or the whole key or value, another type",
    targets: KEY_AND_VALUE,
    options: &[&[
        ClassOption::new(
            "spec",
            "",
            "Pairs field:type, or one type for the whole; types are int8, int16, int32, int64, float32, float64, boolean, string. Required",
        ),
        REPLACE_NULL,
    ]],
    build,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
}

impl To {
    fn parse(word: &str) -> Option<To> {
        Some(match word.to_ascii_lowercase().as_str() {
            "int8" => To::Int8,
            "int16" => To::Int16,
            "int32" => To::Int32,
            "int64" => To::Int64,
            "float32" => To::Float32,
            "float64" => To::Float64,
            "boolean" => To::Boolean,
            "string" => To::String,
            _ => return None,
        })
    }

    fn kind(self) -> Kind {
        match self {
            To::Int8 => Kind::Int8,
            To::Int16 => Kind::Int16,
            To::Int32 => Kind::Int32,
            To::Int64 => Kind::Int64,
            To::Float32 => Kind::Float32,
            To::Float64 => Kind::Float64,
            To::Boolean => Kind::Boolean,
            To::String => Kind::String,
        }
    }
}

struct Cast {
    target: Target,
    whole: Option<To>,
    fields: HashMap<String, To>,
    replaces_null: bool,
    casts: SchemaMemo<Casts>,
    dates: DateTexts,
}

/// The new schema, and which fields of the old one are cast.
struct Casts {
    shape: Shape,
    fields: Vec<(usize, To)>,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let expected = "a type, or pairs field:type of int8, int16, int32, int64, float32, float64, boolean and string";
    let entries = required_list(options, "spec")?;
    let (mut whole, mut fields) = (None, HashMap::new());
    for entry in &entries {
        let bad = || BadOption { option: "spec", value: entry.clone(), expected };
        match entry.trim_end_matches(':').split(':').collect::<Vec<_>>()[..] {
            [to] => whole = Some(To::parse(to.trim()).ok_or_else(bad)?),
            [name, to] => _ = fields.insert(name.trim().to_owned(), To::parse(to.trim()).ok_or_else(bad)?),
            _ => return Err(bad().into()),
        }
    }
    if whole.is_some() && entries.len() > 1 {
        let reason = "spec has a type for the whole and other entries beside it".to_owned();
        return Err(TransformError::Options { reason });
    }
    let (replaces_null, casts) = (replaces_null(options)?, SchemaMemo::default());
    Ok(Box::new(Cast { target, whole, fields, replaces_null, casts, dates: DateTexts::new()? }))
}

impl Cast {
    fn of_fields(&self, schema: &Schema) -> Result<Casts, TransformError> {
        let (mut fields, mut picks, mut casts) = (Vec::new(), Vec::new(), Vec::new());
        for (index, field) in schema.fields().iter().enumerate() {
            let Some(to) = self.fields.get(&*field.name) else {
                fields.push(field.clone());
                picks.push(Pick::of(index, field, self.replaces_null));
                continue;
            };
            let mut cast = Schema::new(to.kind());
            cast.optional = field.schema.optional;
            cast.default = self.default(&field.schema, *to)?;
            fields.push(Field { name: field.name.clone(), schema: Arc::new(cast) });
            picks.push(Pick::Made(casts.len()));
            casts.push((index, *to));
        }
        let mut whole = with_fields(schema, fields)?;
        whole.optional = schema.optional;
        Ok(Casts { shape: Shape { schema: Arc::new(whole), picks }, fields: casts })
    }

    fn of_whole(&self, schema: &Schema, to: To) -> Result<Casts, TransformError> {
        let name = schema.name.as_deref().and_then(|name| name.strip_prefix("org.apache.kafka.connect.data."));
        if let Some(name @ ("Date" | "Decimal" | "Time" | "Timestamp")) = name {
            // The new schema keeps the name, and no converter of Connect takes what is cast for what it says.
            return Err(TransformError::Record { reason: format!("a whole {name} cannot be cast") });
        }
        let default = self.default(schema, to)?;
        let schema = Schema { kind: to.kind(), default, ..schema.clone() };
        Ok(Casts { shape: Shape { schema: Arc::new(schema), picks: Vec::new() }, fields: Vec::new() })
    }

    fn default(&self, schema: &Schema, to: To) -> Result<Option<Value>, TransformError> {
        let arena = Arena::new();
        let Some(default) = schema.default.as_ref().filter(|default| **default != Value::Null) else { return Ok(None) };
        let cast = self.cast(schema, default.borrow(&arena), to, &arena)?;
        Ok(Some(cast.to_owned(&Schema::new(to.kind()), &arena)?))
    }

    fn cast<'a>(
        &self,
        schema: &Schema,
        value: ValueRef<'a>,
        to: To,
        arena: &'a Arena,
    ) -> Result<ValueRef<'a>, TransformError> {
        if matches!(value, ValueRef::Null) {
            return Ok(value);
        }
        if to == To::String {
            return self.text(schema, value, arena);
        }
        let number = Number::of(schema, &value, to)?;
        Ok(match to {
            To::Int8 => ValueRef::Int8(number.int() as i8),
            To::Int16 => ValueRef::Int16(number.int() as i16),
            To::Int32 => ValueRef::Int32(number.int()),
            To::Int64 => ValueRef::Int64(number.long()),
            To::Float32 => ValueRef::Float32(number.float()),
            To::Float64 => ValueRef::Float64(number.double()),
            To::Boolean | To::String => ValueRef::Boolean(number.long() != 0),
        })
    }

    /// `castToString`: dates as Connect writes them in headers, bytes in base64, all else by `toString`.
    fn text<'a>(&self, schema: &Schema, value: ValueRef<'a>, arena: &'a Arena) -> Result<ValueRef<'a>, TransformError> {
        if let ValueRef::String(_) = value {
            return Ok(value);
        }
        let mut out = Vec::new();
        match (Logical::read(schema, &value), value) {
            (Some(Logical::Decimal(unscaled, scale)), _) => java_text::write_decimal(unscaled, scale, &mut out),
            (Some(Logical::Instant(millis)), _) => out = self.dates.text(millis).into_bytes(),
            (None, ValueRef::Bytes(bytes)) => out = STANDARD.encode(bytes).into_bytes(),
            (None, ValueRef::Boolean(v)) => out.extend_from_slice(if v { b"true" } else { b"false" }),
            (None, ValueRef::Int8(v)) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
            (None, ValueRef::Int16(v)) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
            (None, ValueRef::Int32(v)) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
            (None, ValueRef::Int64(v)) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
            (None, ValueRef::Float32(v)) => java_text::write_f32(v, &mut out),
            (None, ValueRef::Float64(v)) => java_text::write_f64(v, &mut out),
            (
                None,
                other @ (ValueRef::Null
                | ValueRef::String(_)
                | ValueRef::Array(_)
                | ValueRef::Map(_)
                | ValueRef::Struct(_)),
            ) => return Err(not_castable(&other)),
        }
        // Every branch writes ASCII.
        Ok(ValueRef::String(arena.alloc_str(&String::from_utf8_lossy(&out))))
    }
}

fn not_castable(value: &ValueRef<'_>) -> TransformError {
    TransformError::Record { reason: format!("a {value:?} cannot be cast to the type that spec says") }
}

/// A value on its way to a number.
enum Number {
    Long(i64),
    Double(f64),
    Decimal(Decimal),
    /// Of a text, which Java reads in the type that is wanted.
    Float(f32),
}

impl Number {
    fn of(schema: &Schema, value: &ValueRef<'_>, to: To) -> Result<Number, TransformError> {
        Ok(match value {
            ValueRef::Boolean(v) => Number::Long(i64::from(*v)),
            ValueRef::Int8(v) => Number::Long(i64::from(*v)),
            ValueRef::Int16(v) => Number::Long(i64::from(*v)),
            ValueRef::Int32(v) => Number::Long(i64::from(*v)),
            ValueRef::Int64(v) => Number::Long(*v),
            ValueRef::Float32(v) => Number::Double(f64::from(*v)),
            ValueRef::Float64(v) => Number::Double(*v),
            ValueRef::String(text) => of_text(text, to).ok_or_else(|| TransformError::Record {
                reason: "a string is no number in the range of the type that spec says".to_owned(),
            })?,
            ValueRef::Bytes(_) => match Logical::read(schema, value) {
                Some(Logical::Decimal(unscaled, scale)) => {
                    let mut text = Vec::new();
                    java_text::write_decimal(unscaled, 0, &mut text);
                    let text = String::from_utf8_lossy(&text);
                    let digits = text.strip_prefix('-');
                    Number::Decimal(Decimal {
                        negative: digits.is_some(),
                        digits: digits.unwrap_or(&text).to_owned(),
                        scale: i64::from(scale),
                    })
                }
                _ => return Err(not_castable(value)),
            },
            ValueRef::Null | ValueRef::Array(_) | ValueRef::Map(_) | ValueRef::Struct(_) => {
                return Err(not_castable(value));
            }
        })
    }

    /// `intValue()`, of which `byteValue()` and `shortValue()` keep the lowest bits.
    fn int(&self) -> i32 {
        match self {
            Number::Long(v) => *v as i32,
            Number::Double(v) => *v as i32,
            Number::Float(v) => *v as i32,
            Number::Decimal(v) => v.long() as i32,
        }
    }

    fn long(&self) -> i64 {
        match self {
            Number::Long(v) => *v,
            Number::Double(v) => *v as i64,
            Number::Float(v) => *v as i64,
            Number::Decimal(v) => v.long(),
        }
    }

    fn float(&self) -> f32 {
        match self {
            Number::Long(v) => *v as f32,
            Number::Double(v) => *v as f32,
            Number::Float(v) => *v,
            Number::Decimal(v) => v.float(),
        }
    }

    fn double(&self) -> f64 {
        match self {
            Number::Long(v) => *v as f64,
            Number::Double(v) => *v,
            Number::Float(v) => f64::from(*v),
            Number::Decimal(v) => v.double(),
        }
    }
}

/// A text in the type that is wanted, within its range.
fn of_text(text: &str, to: To) -> Option<Number> {
    Some(match to {
        To::Int8 => Number::Long(i64::from(text.parse::<i8>().ok()?)),
        To::Int16 => Number::Long(i64::from(text.parse::<i16>().ok()?)),
        To::Int32 => Number::Long(i64::from(text.parse::<i32>().ok()?)),
        To::Int64 => Number::Long(text.parse().ok()?),
        To::Float32 => Number::Float(number::floating(text)?.parse().ok()?),
        To::Float64 => Number::Double(number::floating(text)?.parse().ok()?),
        To::Boolean | To::String => Number::Long(i64::from(text.eq_ignore_ascii_case("true"))),
    })
}

/// `Values.dateFormatFor`: a time before the second day, a date at midnight, else both.
struct DateTexts {
    time: SimpleDateFormat,
    date: SimpleDateFormat,
    both: SimpleDateFormat,
}

impl DateTexts {
    fn new() -> Result<DateTexts, TransformError> {
        let format = |pattern: &str| {
            SimpleDateFormat::new(pattern).map_err(|error| TransformError::Options { reason: error.to_string() })
        };
        Ok(DateTexts {
            time: format("HH:mm:ss.SSS'Z'")?,
            date: format("yyyy-MM-dd")?,
            both: format("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")?,
        })
    }

    fn text(&self, millis: i64) -> String {
        const DAY_MS: i64 = 86_400_000;
        let mut text = String::new();
        let format = match millis {
            millis if millis < DAY_MS => &self.time,
            millis if millis % DAY_MS == 0 => &self.date,
            _ => &self.both,
        };
        format.format(millis, &mut text);
        text
    }
}

impl Transform for Cast {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let old = part(&record, self.target);
        if matches!(old.value, ValueRef::Null) {
            return Ok(Some(record));
        }
        let new = match (self.whole, old.schema) {
            (Some(to), Some(schema)) => {
                let casts = self.casts.get(schema, || self.of_whole(schema, to))?;
                Typed { schema: Some(&casts.shape.schema), value: self.cast(schema, old.value, to, arena)? }
            }
            _ => {
                let whole = struct_of(&old, "casting types")?;
                let casts = self.casts.get(whole.schema, || self.of_fields(whole.schema))?;
                let mut made = bumpalo::collections::Vec::with_capacity_in(casts.fields.len(), arena);
                for (index, to) in &casts.fields {
                    let Some(field) = whole.schema.fields().get(*index) else { continue };
                    let value = value_of(&whole, *index, self.replaces_null, arena)?;
                    let cast = self.cast(&field.schema, value, *to, arena);
                    made.push(cast.map_err(|error| error.of_field(&field.name))?);
                }
                casts.shape.view(&whole, made.into_bump_slice(), arena)
            }
        };
        Ok(Some(with_part(record, self.target, new)))
    }

    fn rest(&mut self) {
        self.casts.rest();
    }
}
