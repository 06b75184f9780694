//! `org.apache.kafka.connect.storage.SimpleHeaderConverter`: Connect's default for headers.
//!
//! In: values and schemas. Out: text as `Values.convertToString` writes it: a string as it is, bytes in base64, structs,
//! lists and maps like JSON with strings quoted (only `"` and `\` escaped). Dates are written in UTC.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::{Fault, SerializeError};
use super::java_text::{self, Instant, Logical};
use super::{Converter, ConverterSpec, Plan, Role};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueRef, field_or_default};
use crate::util::class_options::Options;

/// The simple header converter.
pub static SPEC: ConverterSpec = ConverterSpec {
    name: "simple",
    aliases: &["org.apache.kafka.connect.storage.SimpleHeaderConverter"],
    about: "header values as text; Connect's default for headers",
    options: &[],
    build,
};

struct SimpleHeaderConverter;

fn build(_: &Options<'_>, role: Role, _: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
    if role != Role::Header {
        return Err(SerializeError::Unsupported {
            what: "SimpleHeaderConverter for keys or values".into(),
            reason: "it converts headers only, in Kafka Connect too; use StringConverter".into(),
        });
    }
    Ok(Arc::new(SimpleHeaderConverter))
}

impl Converter for SimpleHeaderConverter {
    fn prepare(&self, _topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
        Ok(Arc::new(SimplePlan { schema: schema.cloned() }))
    }
}

struct SimplePlan {
    schema: Option<Arc<Schema>>,
}

impl Plan for SimplePlan {
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        if matches!(value, ValueRef::Null) {
            return Ok(false);
        }
        let start = out.len();
        write(self.schema.as_deref(), value, false, arena, out).map_err(|fault| {
            out.truncate(start);
            fault.into_error()
        })?;
        Ok(true)
    }
}

fn write(
    schema: Option<&Schema>,
    value: &ValueRef<'_>,
    embedded: bool,
    arena: &Arena,
    out: &mut Vec<u8>,
) -> Result<(), Box<Fault>> {
    if let Some(logical) = schema.and_then(|schema| Logical::read(schema, value)) {
        match logical {
            Logical::Decimal(unscaled, scale) => java_text::write_decimal(unscaled, scale, out),
            Logical::Instant(millis) => write_date(millis, out),
        }
        return Ok(());
    }
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Boolean(v) => out.extend_from_slice(if *v { b"true" } else { b"false" }),
        ValueRef::Int8(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        ValueRef::Int16(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        ValueRef::Int32(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        ValueRef::Int64(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        ValueRef::Float32(v) => java_text::write_f32(*v, out),
        ValueRef::Float64(v) => java_text::write_f64(*v, out),
        ValueRef::String(v) if embedded => write_quoted(v, out),
        ValueRef::String(v) => out.extend_from_slice(v.as_bytes()),
        ValueRef::Bytes(v) => {
            let text = STANDARD.encode(v);
            if embedded { write_quoted(&text, out) } else { out.extend_from_slice(text.as_bytes()) }
        }
        ValueRef::Array(items) => {
            let item_schema =
                schema.and_then(|schema| if let Kind::Array(items) = &schema.kind { Some(&**items) } else { None });
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write(item_schema, item, true, arena, out)?;
            }
            out.push(b']');
        }
        ValueRef::Map(entries) => {
            let inner =
                schema.and_then(|schema| if let Kind::Map(k, v) = &schema.kind { Some((&**k, &**v)) } else { None });
            out.push(b'{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write(inner.map(|(keys, _)| keys), key, true, arena, out)?;
                out.push(b':');
                write(inner.map(|(_, values)| values), value, true, arena, out)?;
            }
            out.push(b'}');
        }
        ValueRef::Struct(view) => match schema {
            Some(schema) => write_struct(schema, *view, arena, out)?,
            None => return Err(Fault::shape("a value with a schema", value)),
        },
    }
    Ok(())
}

fn write_struct(schema: &Schema, view: &dyn StructView, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
    out.push(b'{');
    for (index, field) in schema.fields().iter().enumerate() {
        out.extend_from_slice(if index > 0 { b"," } else { b"" });
        write_quoted(&field.name, out);
        out.push(b':');
        let value = field_or_default(view, schema, index, arena);
        let value = value.map_err(|source| Fault::value(source).within(&field.name))?;
        write(Some(&field.schema), &value, true, arena, out).map_err(|fault| fault.within(&field.name))?;
    }
    out.push(b'}');
    Ok(())
}

fn write_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// `Values.dateFormatFor`: a time of the first day, a date at midnight, else both.
fn write_date(millis: i64, out: &mut Vec<u8>) {
    const MILLIS_PER_DAY: i64 = 86_400_000;
    let at = Instant::from_millis(millis);
    let date = |out: &mut Vec<u8>| write!(out, "{:04}-{:02}-{:02}", at.year, at.month, at.day);
    let time =
        |out: &mut Vec<u8>| write!(out, "{:02}:{:02}:{:02}.{:03}Z", at.hour, at.minute, at.second, at.millisecond);
    // Writing to a Vec cannot fail.
    let _ = if millis < MILLIS_PER_DAY {
        time(out)
    } else if millis % MILLIS_PER_DAY == 0 {
        date(out)
    } else {
        date(out).and_then(|()| write!(out, "T")).and_then(|()| time(out))
    };
}
