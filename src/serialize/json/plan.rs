//! Values as JSON, by a plan made once per schema.
//!
//! In: a value, lazily decoded. Out: the text that `JsonConverter.convertToJson` and Jackson make of it. Field
//! names are escaped when the plan is made, and so is what stands for null.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DecimalFormat;
use super::escape::write_string;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, Value, ValueRef, Written};
use crate::serialize::error::{Fault, SerializeError};
use crate::serialize::java_text;

/// One place in the schema.
pub(super) struct Node {
    shape: Shape,
    /// What is written for null: `null`, or the default; none where null is not allowed.
    null: Option<Box<[u8]>>,
}

enum Shape {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    String,
    Base64,
    /// `decimal.format=NUMERIC`, with the scale.
    Decimal(i32),
    Array(Box<Node>),
    /// A map with text as keys: an object.
    Object(Box<Node>),
    /// Any other map: an array of pairs.
    Pairs(Box<(Node, Node)>),
    Struct(Members),
}

/// The fields of a struct, and the number under which what they wrote is kept.
struct Members {
    all: Box<[Member]>,
    writer: u64,
}

struct Member {
    /// `{"name":` or `,"name":`.
    key: Box<[u8]>,
    node: Node,
    name: Box<str>,
}

impl Node {
    /// Makes the plan. `replace_null` is `replace.null.with.default`.
    pub(super) fn compile(schema: &Schema, format: DecimalFormat, replace_null: bool) -> Result<Node, SerializeError> {
        let shape = match &schema.kind {
            Kind::Boolean => Shape::Boolean,
            Kind::Int8 => Shape::Int8,
            Kind::Int16 => Shape::Int16,
            Kind::Int32 => Shape::Int32,
            Kind::Int64 => Shape::Int64,
            Kind::Float32 => Shape::Float32,
            Kind::Float64 => Shape::Float64,
            Kind::String => Shape::String,
            Kind::Bytes => match (format, decimal_scale(schema)?) {
                (DecimalFormat::Numeric, Some(scale)) => Shape::Decimal(scale),
                (DecimalFormat::Numeric, None) | (DecimalFormat::Base64, _) => Shape::Base64,
            },
            Kind::Array(items) => Shape::Array(Box::new(Node::compile(items, format, replace_null)?)),
            Kind::Map(keys, values) => {
                let value = Node::compile(values, format, replace_null)?;
                if keys.kind == Kind::String {
                    Shape::Object(Box::new(value))
                } else {
                    Shape::Pairs(Box::new((Node::compile(keys, format, replace_null)?, value)))
                }
            }
            Kind::Struct(fields) => {
                let mut members = Vec::with_capacity(fields.len());
                for (index, field) in fields.iter().enumerate() {
                    let mut key = vec![if index == 0 { b'{' } else { b',' }];
                    write_string(&field.name, &mut key);
                    key.push(b':');
                    let node = Node::compile(&field.schema, format, replace_null)?;
                    members.push(Member { key: key.into(), node, name: (*field.name).into() });
                }
                Shape::Struct(Members { all: members.into(), writer: Written::writer() })
            }
        };
        let mut node = Node { shape, null: schema.optional.then(|| b"null".as_slice().into()) };
        if let Some(default) = schema.default.as_ref().filter(|default| replace_null && **default != Value::Null) {
            let (arena, mut text) = (Arena::new(), Vec::new());
            node.write(&default.borrow(&arena), &arena, &mut text).map_err(|fault| fault.into_error())?;
            node.null = Some(text.into());
        }
        Ok(node)
    }

    /// Appends a value.
    pub(super) fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        match (&self.shape, value) {
            (Shape::Int64, ValueRef::Int64(v)) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
            (Shape::Int32, ValueRef::Int32(v)) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
            (Shape::Int16, ValueRef::Int16(v)) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
            (Shape::Int8, ValueRef::Int8(v)) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
            (Shape::String, ValueRef::String(v)) => write_string(v, out),
            (Shape::Boolean, ValueRef::Boolean(v)) => out.extend_from_slice(if *v { b"true" } else { b"false" }),
            (Shape::Float64, ValueRef::Float64(v)) => write_double(*v, out),
            (Shape::Float32, ValueRef::Float32(v)) => write_float(*v, out),
            (Shape::Base64, ValueRef::Bytes(v)) => write_base64(v, out),
            (Shape::Decimal(scale), ValueRef::Bytes(v)) => java_text::write_decimal(v, *scale, out),
            (_, ValueRef::Null) => match &self.null {
                Some(null) => out.extend_from_slice(null),
                None => return Err(Fault::null()),
            },
            (Shape::Struct(members), ValueRef::Struct(view)) => members.write(*view, arena, out)?,
            (Shape::Array(node), ValueRef::Array(items)) => {
                write_list(items, out, |item, out| node.write(item, arena, out))?;
            }
            (Shape::Object(node), ValueRef::Map(entries)) => {
                write_object(entries, out, |value, out| node.write(value, arena, out))?;
            }
            (Shape::Pairs(nodes), ValueRef::Map(entries)) => write_list(entries, out, |(key, value), out| {
                out.push(b'[');
                nodes.0.write(key, arena, out)?;
                out.push(b',');
                nodes.1.write(value, arena, out)?;
                out.push(b']');
                Ok(())
            })?,
            (shape, value) => return Err(Fault::shape(shape.name(), value)),
        }
        Ok(())
    }
}

impl Members {
    fn write(&self, view: &dyn StructView, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        match view.repeated() {
            Some(repeated) => repeated.write(self.writer, self.all.len(), out, |index, out| {
                self.all.get(index).map_or(Ok(()), |member| member.write(view, index, arena, out))
            })?,
            None => {
                let mut all = self.all.iter().enumerate();
                all.try_for_each(|(index, member)| member.write(view, index, arena, out))?;
            }
        }
        out.extend_from_slice(if self.all.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }
}

impl Member {
    fn write(&self, view: &dyn StructView, index: usize, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        out.extend_from_slice(&self.key);
        // Looked at where it was put: moving it first costs more than most values take to write.
        let written = match &view.field(index, arena) {
            Ok(value) => self.node.write(value, arena, out),
            Err(source) => Err(Fault::value(source.clone())),
        };
        written.map_err(|fault| fault.within(&self.name))
    }
}

impl Shape {
    fn name(&self) -> &'static str {
        match self {
            Shape::Boolean => "boolean",
            Shape::Int8 => "int8",
            Shape::Int16 => "int16",
            Shape::Int32 => "int32",
            Shape::Int64 => "int64",
            Shape::Float32 => "float32",
            Shape::Float64 => "float64",
            Shape::String => "string",
            Shape::Base64 | Shape::Decimal(_) => "bytes",
            Shape::Array(_) => "array",
            Shape::Object(_) | Shape::Pairs(_) => "map",
            Shape::Struct(_) => "struct",
        }
    }
}

/// The scale of Connect's Decimal; none for other bytes.
fn decimal_scale(schema: &Schema) -> Result<Option<i32>, SerializeError> {
    if schema.name.as_deref() != Some("org.apache.kafka.connect.data.Decimal") {
        return Ok(None);
    }
    match schema.parameter_value("scale").and_then(|scale| scale.parse().ok()) {
        Some(scale) => Ok(Some(scale)),
        None => Err(SerializeError::Shape {
            field: "a Decimal".into(),
            expected: "one with the parameter scale",
            found: "without".into(),
        }),
    }
}

/// A value without a schema: its own shape decides, as in Connect.
pub(super) fn write_schemaless(value: &ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Boolean(v) => out.extend_from_slice(if *v { b"true" } else { b"false" }),
        ValueRef::Int8(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        ValueRef::Int16(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        ValueRef::Int32(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        ValueRef::Int64(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        ValueRef::Float32(v) => write_float(*v, out),
        ValueRef::Float64(v) => write_double(*v, out),
        ValueRef::String(v) => write_string(v, out),
        ValueRef::Bytes(v) => write_base64(v, out),
        ValueRef::Array(items) => write_list(items, out, write_schemaless)?,
        ValueRef::Map(entries) if entries.iter().all(|(key, _)| matches!(key, ValueRef::String(_))) => {
            write_object(entries, out, write_schemaless)?;
        }
        ValueRef::Map(entries) => write_list(entries, out, |(key, value), out| {
            out.push(b'[');
            write_schemaless(key, out)?;
            out.push(b',');
            write_schemaless(value, out)?;
            out.push(b']');
            Ok(())
        })?,
        ValueRef::Struct(_) => return Err(Fault::shape("a value without a schema", value)),
    }
    Ok(())
}

fn write_list<T>(
    items: &[T],
    out: &mut Vec<u8>,
    mut write: impl FnMut(&T, &mut Vec<u8>) -> Result<(), Box<Fault>>,
) -> Result<(), Box<Fault>> {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_object(
    entries: &[(ValueRef<'_>, ValueRef<'_>)],
    out: &mut Vec<u8>,
    mut write: impl FnMut(&ValueRef<'_>, &mut Vec<u8>) -> Result<(), Box<Fault>>,
) -> Result<(), Box<Fault>> {
    out.push(b'{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let ValueRef::String(name) = key else { return Err(Fault::shape("string", key)) };
        write_string(name, out);
        out.push(b':');
        write(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Jackson puts quotes around what JSON has no number for (`QUOTE_NON_NUMERIC_NUMBERS`).
fn write_double(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        java_text::write_f64(value, out);
    } else {
        out.push(b'"');
        java_text::write_f64(value, out);
        out.push(b'"');
    }
}

fn write_float(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        java_text::write_f32(value, out);
    } else {
        out.push(b'"');
        java_text::write_f32(value, out);
        out.push(b'"');
    }
}

/// Base64 with padding, without line breaks (Jackson's `MIME_NO_LINEFEEDS`).
fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    let length = bytes.len().div_ceil(3) * 4;
    out.resize(start + length, 0);
    if let Some(place) = out.get_mut(start..) {
        // The place is exactly as long as the text: this cannot fail.
        let written = STANDARD.encode_slice(bytes, place).unwrap_or(0);
        debug_assert_eq!(written, length);
    }
    out.push(b'"');
}
