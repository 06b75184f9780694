//! Defaults in Avro schemas, as JSON text.
//!
//! A default stands in two places: at the field (Avro's own `default`) and in the type (`connect.default`). They
//! differ in one thing: on its way to the field a float passes through a Java double, and is printed as one.

use super::AvroOptions;
use super::name::scrub;
use super::schema::value_of_default;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Value, ValueRef};
use crate::serialize::error::SerializeError;
use crate::serialize::java_text;
use crate::serialize::json::escape::quoted;

/// Where a default stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `default` of a field.
    Field,
    /// `connect.default` of a type.
    Property,
}

/// The JSON text of a default; none where Avro would not take it as the default of a field.
pub(super) fn default_json(
    schema: &Schema,
    value: &Value,
    place: Place,
    options: &AvroOptions,
) -> Result<Option<String>, SerializeError> {
    let each = |schema: &Schema, value: &Value| default_json(schema, value, place, options);
    Ok(Some(match (&schema.kind, value) {
        (_, Value::Null) => "null".into(),
        (Kind::Int8, Value::Int8(v)) => v.to_string(),
        (Kind::Int16, Value::Int16(v)) => v.to_string(),
        (Kind::Int32, Value::Int32(v)) => v.to_string(),
        (Kind::Int64, Value::Int64(v)) => v.to_string(),
        (Kind::Float32, Value::Float32(v)) if place == Place::Property => {
            number(v.is_finite(), |out| java_text::write_f32(*v, out))
        }
        (Kind::Float32, Value::Float32(v)) => number(v.is_finite(), |out| java_text::write_f64(f64::from(*v), out)),
        (Kind::Float64, Value::Float64(v)) => number(v.is_finite(), |out| java_text::write_f64(*v, out)),
        (Kind::Boolean, Value::Boolean(v)) => v.to_string(),
        (Kind::String, Value::String(v)) => quoted(v),
        (Kind::Bytes, Value::Bytes(v)) => quoted(&v.iter().map(|byte| char::from(*byte)).collect::<String>()),
        (Kind::Array(items), Value::Array(values)) => {
            let texts = values.iter().map(|value| each(items, value)).collect::<Result<Option<Vec<_>>, _>>()?;
            let Some(texts) = texts else { return Ok(None) };
            format!("[{}]", texts.join(","))
        }
        (Kind::Map(keys, values), Value::Map(entries)) => match map(keys, values, entries, place, options)? {
            Some(text) => text,
            None => return Ok(None),
        },
        (Kind::Struct(fields), Value::Struct(values)) => {
            let mut texts = Vec::with_capacity(fields.len());
            for (field, value) in fields.iter().zip(values) {
                let value =
                    if *value == Value::Null { value_of_default(&field.schema).unwrap_or(value) } else { value };
                let Some(text) = each(&field.schema, value)? else { return Ok(None) };
                let name = if options.scrub_names { scrub(&field.name) } else { (*field.name).to_owned() };
                texts.push(format!("{}:{text}", quoted(&name)));
            }
            format!("{{{}}}", texts.join(","))
        }
        (_, other) => {
            let arena = crate::model::value::Arena::new();
            let found: ValueRef<'_> = other.borrow(&arena);
            return Err(SerializeError::Shape {
                field: "a default".into(),
                expected: schema.type_name(),
                found: format!("{found:?}"),
            });
        }
    }))
}

fn map(
    keys: &Schema,
    values: &Schema,
    entries: &[(Value, Value)],
    place: Place,
    options: &AvroOptions,
) -> Result<Option<String>, SerializeError> {
    let is_avro_map = options.is_avro_map(keys);
    if !is_avro_map && place == Place::Field && !entries.is_empty() {
        // Pairs are not what Avro takes for its records: AvroData drops such a default.
        return Ok(None);
    }
    let mut texts = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let (Some(key), Some(value)) =
            (default_json(keys, key, place, options)?, default_json(values, value, place, options)?)
        else {
            return Ok(None);
        };
        texts.push(if is_avro_map { format!("{key}:{value}") } else { format!("[{key},{value}]") });
    }
    let texts = texts.join(",");
    Ok(Some(if is_avro_map { format!("{{{texts}}}") } else { format!("[{texts}]") }))
}

/// A number's text; Jackson quotes what JSON has no number for.
fn number(finite: bool, write: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    let text = String::from_utf8(out).unwrap_or_default();
    if finite { text } else { quoted(&text) }
}
