//! `org.apache.kafka.connect.storage.StringConverter`: what Java's `toString` makes of a value.
//!
//! In: values and schemas. Out: UTF-8 text: a string as it is, numbers as Java writes them, a struct as
//! `Struct{id=1,name=a}` (fields that are null are left out), a list as `[a, b]`, a map as `{k=v}`. Bytes are
//! what Java's `ByteBuffer` calls itself, without their content, as Debezium's bytes come out of this converter.
//! Dates are written in UTC, as a JVM without a time zone of its own writes them.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::{Fault, SerializeError};
use super::java_text::{self, Instant, Logical};
use super::{Converter, ConverterSpec, Plan, Role};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::util::class_options::{ClassOption, Options};

/// The string converter.
pub static SPEC: ConverterSpec = ConverterSpec {
    name: "string",
    aliases: &["org.apache.kafka.connect.storage.StringConverter"],
    about: "text: a string as it is, other values as Java's toString writes them",
    options: &[&[ClassOption::new("converter.encoding", "UTF-8", "the character set; only UTF-8 is supported")]],
    build,
};

struct StringConverter;

fn build(options: &Options<'_>, _role: Role, _stop: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
    let encoding = options.text("converter.encoding").unwrap_or("UTF-8");
    if !["utf-8", "utf8"].contains(&encoding.to_ascii_lowercase().as_str()) {
        let (option, expected) = ("converter.encoding", "UTF-8, the only one that is supported");
        return Err(crate::util::class_options::BadOption { option, value: encoding.into(), expected }.into());
    }
    Ok(Arc::new(StringConverter))
}

impl Converter for StringConverter {
    fn prepare(&self, _topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
        Ok(Arc::new(StringPlan { schema: schema.cloned() }))
    }
}

struct StringPlan {
    schema: Option<Arc<Schema>>,
}

impl Plan for StringPlan {
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        if matches!(value, ValueRef::Null) {
            return Ok(false);
        }
        let start = out.len();
        write(self.schema.as_deref(), value, arena, out).map_err(|fault| {
            out.truncate(start);
            fault.into_error()
        })?;
        Ok(true)
    }
}

fn write(schema: Option<&Schema>, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
    if let Some(logical) = schema.and_then(|schema| Logical::read(schema, value)) {
        match logical {
            Logical::Decimal(unscaled, scale) => java_text::write_decimal(unscaled, scale, out),
            Logical::Instant(millis) => write_date(Instant::from_millis(millis), out),
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
        ValueRef::String(v) => out.extend_from_slice(v.as_bytes()),
        ValueRef::Bytes(v) => {
            // Writing to a Vec cannot fail.
            let length = v.len();
            let _ = write!(out, "java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]");
        }
        ValueRef::Array(items) => {
            let item_schema =
                schema.and_then(|schema| if let Kind::Array(items) = &schema.kind { Some(&**items) } else { None });
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b", " } else { b"" });
                write(item_schema, item, arena, out)?;
            }
            out.push(b']');
        }
        ValueRef::Map(entries) => {
            let inner =
                schema.and_then(|schema| if let Kind::Map(k, v) = &schema.kind { Some((&**k, &**v)) } else { None });
            out.push(b'{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b", " } else { b"" });
                write(inner.map(|(keys, _)| keys), key, arena, out)?;
                out.push(b'=');
                write(inner.map(|(_, values)| values), value, arena, out)?;
            }
            out.push(b'}');
        }
        ValueRef::Struct(view) => {
            let Some(schema) = schema else { return Err(Fault::shape("a value with a schema", value)) };
            out.extend_from_slice(b"Struct{");
            let mut first = true;
            for (index, field) in schema.fields().iter().enumerate() {
                let value = view.field(index, arena).map_err(|source| Fault::value(source).within(&field.name))?;
                if matches!(value, ValueRef::Null) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                out.extend_from_slice(field.name.as_bytes());
                out.push(b'=');
                write(Some(&field.schema), &value, arena, out).map_err(|fault| fault.within(&field.name))?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// `java.util.Date.toString`: `Thu Jan 01 00:00:00 UTC 1970`.
fn write_date(at: Instant, out: &mut Vec<u8>) {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let day = DAYS.get(at.weekday as usize).copied().unwrap_or_default();
    let month = MONTHS.get((at.month - 1) as usize).copied().unwrap_or_default();
    let _ =
        write!(out, "{day} {month} {:02} {:02}:{:02}:{:02} UTC {:04}", at.day, at.hour, at.minute, at.second, at.year);
}
