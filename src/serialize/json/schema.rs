//! A Connect schema as the JSON converter writes it into the envelope.
//!
//! In: a schema. Out: its JSON text, keys in the order of `JsonConverter.asJsonSchema`. Made once per plan.

use super::DecimalFormat;
use super::escape::write_string;
use super::plan::Node;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value};
use crate::serialize::error::SerializeError;

/// The text of a schema; `{"type":…}`.
///
/// # Errors
/// When a default does not fit its schema.
pub fn text(schema: &Schema, format: DecimalFormat) -> Result<Vec<u8>, SerializeError> {
    let mut out = Vec::new();
    write(schema, None, format, &mut out)?;
    Ok(out)
}

fn write(schema: &Schema, field: Option<&str>, format: DecimalFormat, out: &mut Vec<u8>) -> Result<(), SerializeError> {
    out.extend_from_slice(b"{\"type\":");
    write_string(schema.type_name(), out);
    write_shape(&schema.kind, format, out)?;
    out.extend_from_slice(if schema.optional { b",\"optional\":true" } else { b",\"optional\":false" });
    if let Some(name) = &schema.name {
        write_member("name", name, out);
    }
    if let Some(version) = schema.version {
        out.extend_from_slice(b",\"version\":");
        out.extend_from_slice(itoa::Buffer::new().format(version).as_bytes());
    }
    if let Some(doc) = &schema.doc {
        write_member("doc", doc, out);
    }
    if !schema.parameters.is_empty() {
        out.extend_from_slice(b",\"parameters\":{");
        for (index, (name, value)) in schema.parameters.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(name, out);
            out.push(b':');
            write_string(value, out);
        }
        out.push(b'}');
    }
    if let Some(default) = schema.default.as_ref().filter(|default| **default != Value::Null) {
        out.extend_from_slice(b",\"default\":");
        let arena = Arena::new();
        Node::compile(schema, format, true)?
            .write(&default.borrow(&arena), &arena, out)
            .map_err(|fault| fault.into_error())?;
    }
    if let Some(field) = field {
        write_member("field", field, out);
    }
    out.push(b'}');
    Ok(())
}

fn write_shape(kind: &Kind, format: DecimalFormat, out: &mut Vec<u8>) -> Result<(), SerializeError> {
    match kind {
        Kind::Array(items) => {
            out.extend_from_slice(b",\"items\":");
            write(items, None, format, out)?;
        }
        Kind::Map(keys, values) => {
            out.extend_from_slice(b",\"keys\":");
            write(keys, None, format, out)?;
            out.extend_from_slice(b",\"values\":");
            write(values, None, format, out)?;
        }
        Kind::Struct(fields) => {
            out.extend_from_slice(b",\"fields\":[");
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(&field.schema, Some(&field.name), format, out)?;
            }
            out.push(b']');
        }
        Kind::Int8
        | Kind::Int16
        | Kind::Int32
        | Kind::Int64
        | Kind::Float32
        | Kind::Float64
        | Kind::Boolean
        | Kind::String
        | Kind::Bytes => {}
    }
    Ok(())
}

fn write_member(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b',');
    write_string(name, out);
    out.push(b':');
    write_string(value, out);
}
