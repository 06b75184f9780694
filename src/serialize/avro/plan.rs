//! Values as Avro's binary form, by a plan made once per schema.
//!
//! In: a value, lazily decoded. Out: its body (Avro specification, "Binary Encoding"): zigzag varints, lengths before
//! text and bytes, the branch number before a union's value. Union branches and the bytes of defaults are
//! known when the plan is made. In a struct, null in a field with a default becomes the default, as Connect's
//! `Struct.get` gives it to AvroData, unless `ignore.default.for.nullables` is set.

use super::AvroOptions;
use super::schema::value_of_default;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueRef};
use crate::serialize::error::{Fault, SerializeError};

/// One place in the schema.
pub(super) struct Node {
    shape: Shape,
    optional: Optional,
}

/// How null is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Optional {
    /// Not at all: there is no union.
    Never,
    /// `["null", T]`
    NullFirst,
    /// `[T, "null"]`
    NullLast,
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
    Bytes,
    Array(Box<Node>),
    /// A map with text as keys.
    Map(Box<Node>),
    /// Any other map: an array of records of key and value.
    Pairs(Box<(Node, Node)>),
    Struct(Box<[Member]>),
}

struct Member {
    node: Node,
    /// What is written for null instead, branch number included.
    default: Option<Box<[u8]>>,
    name: Box<str>,
}

impl Node {
    /// Makes the plan.
    pub(super) fn compile(schema: &Schema, options: &AvroOptions) -> Result<Node, SerializeError> {
        let shape = match &schema.kind {
            Kind::Boolean => Shape::Boolean,
            Kind::Int8 => Shape::Int8,
            Kind::Int16 => Shape::Int16,
            Kind::Int32 => Shape::Int32,
            Kind::Int64 => Shape::Int64,
            Kind::Float32 => Shape::Float32,
            Kind::Float64 => Shape::Float64,
            Kind::String => Shape::String,
            Kind::Bytes => Shape::Bytes,
            Kind::Array(items) => Shape::Array(Box::new(Node::compile(items, options)?)),
            Kind::Map(keys, values) if options.is_avro_map(keys) => {
                Shape::Map(Box::new(Node::compile(values, options)?))
            }
            Kind::Map(keys, values) => {
                Shape::Pairs(Box::new((Node::compile(keys, options)?, Node::compile(values, options)?)))
            }
            Kind::Struct(fields) => {
                let mut members = Vec::with_capacity(fields.len());
                for field in fields {
                    let node = Node::compile(&field.schema, options)?;
                    let default = default_bytes(&field.schema, &node, options)?;
                    members.push(Member { node, default, name: (*field.name).into() });
                }
                Shape::Struct(members.into())
            }
        };
        let optional = match (schema.optional, &schema.kind, value_of_default(schema)) {
            (false, _, _) => Optional::Never,
            (true, Kind::Struct(_), _) | (true, _, None) => Optional::NullFirst,
            (true, _, Some(_)) => Optional::NullLast,
        };
        Ok(Node { shape, optional })
    }

    /// Whether the value's bytes are the record's bytes: Confluent's serializer writes no length there.
    pub(super) fn is_bare_bytes(&self) -> bool {
        matches!(self.shape, Shape::Bytes) && self.optional == Optional::Never
    }

    /// Whether null is a value.
    pub(super) fn is_optional(&self) -> bool {
        self.optional != Optional::Never
    }

    /// Appends a value.
    #[inline]
    pub(super) fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        let null = matches!(value, ValueRef::Null);
        match self.optional {
            Optional::Never if null => return Err(Fault::null()),
            Optional::Never => {}
            Optional::NullFirst => out.push(if null { 0 } else { 2 }),
            Optional::NullLast => out.push(if null { 2 } else { 0 }),
        }
        if null { Ok(()) } else { self.shape.write(value, arena, out) }
    }
}

impl Shape {
    #[inline]
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        match (self, value) {
            (Shape::Int32, ValueRef::Int32(v)) => write_long(i64::from(*v), out),
            (Shape::Int64, ValueRef::Int64(v)) => write_long(*v, out),
            (Shape::Int16, ValueRef::Int16(v)) => write_long(i64::from(*v), out),
            (Shape::Int8, ValueRef::Int8(v)) => write_long(i64::from(*v), out),
            (Shape::String, ValueRef::String(v)) => write_bytes(v.as_bytes(), out),
            (Shape::Bytes, ValueRef::Bytes(v)) => write_bytes(v, out),
            (Shape::Boolean, ValueRef::Boolean(v)) => out.push(u8::from(*v)),
            (Shape::Float64, ValueRef::Float64(v)) => out.extend_from_slice(&v.to_le_bytes()),
            (Shape::Float32, ValueRef::Float32(v)) => out.extend_from_slice(&v.to_le_bytes()),
            (Shape::Struct(members), ValueRef::Struct(view)) => return write_struct(members, *view, arena, out),
            (Shape::Array(node), ValueRef::Array(items)) => {
                return write_blocks(items, out, |item, out| node.write(item, arena, out));
            }
            (Shape::Map(node), ValueRef::Map(entries)) => {
                return write_blocks(entries, out, |(key, value), out| {
                    let ValueRef::String(key) = key else { return Err(Fault::shape("string", key)) };
                    write_bytes(key.as_bytes(), out);
                    node.write(value, arena, out)
                });
            }
            (Shape::Pairs(nodes), ValueRef::Map(entries)) => {
                return write_blocks(entries, out, |(key, value), out| {
                    nodes.0.write(key, arena, out)?;
                    nodes.1.write(value, arena, out)
                });
            }
            (shape, value) => return Err(Fault::shape(shape.name(), value)),
        }
        Ok(())
    }

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
            Shape::Bytes => "bytes",
            Shape::Array(_) => "array",
            Shape::Map(_) | Shape::Pairs(_) => "map",
            Shape::Struct(_) => "struct",
        }
    }
}

fn default_bytes(schema: &Schema, node: &Node, options: &AvroOptions) -> Result<Option<Box<[u8]>>, SerializeError> {
    let Some(default) = value_of_default(schema).filter(|_| !options.ignore_default_for_nullables) else {
        return Ok(None);
    };
    let (arena, mut bytes) = (Arena::new(), Vec::new());
    node.write(&default.borrow(&arena), &arena, &mut bytes).map_err(|fault| fault.into_error())?;
    Ok(Some(bytes.into()))
}

fn write_struct(members: &[Member], view: &dyn StructView, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
    for (index, member) in members.iter().enumerate() {
        let value = match view.field(index, arena) {
            Ok(value) => value,
            Err(source) => return Err(Fault::value(source).within(&member.name)),
        };
        if let (ValueRef::Null, Some(default)) = (&value, &member.default) {
            out.extend_from_slice(default);
            continue;
        }
        if let Err(fault) = member.node.write(&value, arena, out) {
            return Err(fault.within(&member.name));
        }
    }
    Ok(())
}

/// Arrays and maps: one block with all items, then an empty one.
fn write_blocks<T>(
    items: &[T],
    out: &mut Vec<u8>,
    mut write: impl FnMut(&T, &mut Vec<u8>) -> Result<(), Box<Fault>>,
) -> Result<(), Box<Fault>> {
    if !items.is_empty() {
        write_long(items.len() as i64, out);
        for item in items {
            write(item, out)?;
        }
    }
    out.push(0);
    Ok(())
}

/// A zigzag varint.
#[inline]
pub(super) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    if rest < 0x80 {
        out.push(rest as u8);
        return;
    }
    let mut bytes = [0u8; 10];
    let mut length = 0;
    for place in &mut bytes {
        length += 1;
        if rest < 0x80 {
            *place = rest as u8;
            break;
        }
        *place = rest as u8 | 0x80;
        rest >>= 7;
    }
    out.extend_from_slice(bytes.get(..length).unwrap_or(&bytes));
}

#[inline]
fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}
