//! Values as Avro's binary form, by a plan made once per schema.
//!
//! In: a value, lazily decoded. Out: its body (Avro specification, "Binary Encoding"): zigzag varints, lengths before
//! text and bytes, the branch number before a union's value. Union branches and the bytes of defaults are
//! known when the plan is made. In a struct, null in a field with a default becomes the default, as Connect's
//! `Struct.get` gives it to AvroData, unless `ignore.default.for.nullables` is set.

use super::AvroOptions;
use super::schema::value_of_default;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueRef, Written};
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
    Struct(Members),
}

/// The fields of a struct, and the number under which what they wrote is kept.
struct Members {
    all: Box<[Member]>,
    writer: u64,
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
                Shape::Struct(Members { all: members.into(), writer: Written::writer() })
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
        if matches!(value, ValueRef::Null) {
            return self.write_null(out);
        }
        self.write_branch(out);
        self.shape.write(value, arena, out)
    }

    fn write_null(&self, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        match self.optional {
            Optional::Never => return Err(Fault::null()),
            Optional::NullFirst => out.push(0),
            Optional::NullLast => out.push(2),
        }
        Ok(())
    }

    /// The branch of the union for what is not null.
    #[inline]
    fn write_branch(&self, out: &mut Vec<u8>) {
        match self.optional {
            Optional::Never => {}
            Optional::NullFirst => out.push(2),
            Optional::NullLast => out.push(0),
        }
    }
}

impl Member {
    #[inline(always)]
    fn write(&self, view: &dyn StructView, index: usize, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        // The value is looked at where it was put: moving it first costs more than writing it (the processor
        // cannot forward the separate stores of its parts to one wide load).
        let written = match &view.field(index, arena) {
            Ok(ValueRef::Null) => self.write_null(out),
            Ok(value) => {
                self.node.write_branch(out);
                self.node.shape.write(value, arena, out)
            }
            Err(source) => Err(Fault::value(source.clone())),
        };
        written.map_err(|fault| fault.within(&self.name))
    }

    #[inline]
    fn write_null(&self, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        match &self.default {
            Some(default) => out.extend_from_slice(default),
            None => return self.node.write_null(out),
        }
        Ok(())
    }
}

impl Shape {
    #[inline(always)]
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
            _ => return self.write_container(value, arena, out),
        }
        Ok(())
    }

    /// Apart from the simple shapes, so that these need few registers and no call.
    #[inline(never)]
    fn write_container(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        match (self, value) {
            (Shape::Struct(members), ValueRef::Struct(view)) => write_struct(members, *view, arena, out),
            (Shape::Array(node), ValueRef::Array(items)) => {
                write_blocks(items, out, |item, out| node.write(item, arena, out))
            }
            (Shape::Map(node), ValueRef::Map(entries)) => write_blocks(entries, out, |(key, value), out| {
                let ValueRef::String(key) = key else { return Err(Fault::shape("string", key)) };
                write_bytes(key.as_bytes(), out);
                node.write(value, arena, out)
            }),
            (Shape::Pairs(nodes), ValueRef::Map(entries)) => write_blocks(entries, out, |(key, value), out| {
                nodes.0.write(key, arena, out)?;
                nodes.1.write(value, arena, out)
            }),
            (shape, value) => Err(Fault::shape(shape.name(), value)),
        }
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

fn write_struct(members: &Members, view: &dyn StructView, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
    if let Some(repeated) = view.repeated() {
        return repeated.write(members.writer, members.all.len(), out, |index, out| {
            members.all.get(index).map_or(Ok(()), |member| member.write(view, index, arena, out))
        });
    }
    members.all.iter().enumerate().try_for_each(|(index, member)| member.write(view, index, arena, out))
}

/// Arrays and maps: one block with all items, then an empty one.
pub(super) fn write_blocks<T>(
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

/// A zigzag varint: seven bits a byte, lowest first, the highest bit set in all bytes but the last.
#[inline]
pub(super) fn write_long(value: i64, out: &mut Vec<u8>) {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    if zigzag < 0x80 {
        out.push(zigzag as u8);
    } else {
        write_varint(zigzag, out);
    }
}

/// Spreads the groups of seven bits over eight bytes at once, and writes all eight before it cuts: a copy of known
/// length is one store, one of unknown length is a call.
fn write_varint(zigzag: u64, out: &mut Vec<u8>) {
    const CONTINUE: u64 = 0x8080_8080_8080_8080;
    let x = zigzag & 0x00ff_ffff_ffff_ffff;
    let x = (x & 0x0000_0000_0fff_ffff) | ((x & 0x00ff_ffff_f000_0000) << 4);
    let x = (x & 0x0000_3fff_0000_3fff) | ((x & 0x0fff_c000_0fff_c000) << 2);
    let x = (x & 0x007f_007f_007f_007f) | ((x & 0x3f80_3f80_3f80_3f80) << 1);
    let high = (zigzag >> 56) as u8;
    if high == 0 {
        let length = (zigzag | 1).ilog2() / 7 + 1;
        let end = out.len() + length as usize;
        out.extend_from_slice(&(x | CONTINUE & ((1 << (8 * (length - 1))) - 1)).to_le_bytes());
        out.truncate(end);
        return;
    }
    out.extend_from_slice(&(x | CONTINUE).to_le_bytes());
    if high < 0x80 { out.push(high) } else { out.extend_from_slice(&[high, 1]) }
}

#[inline]
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn numbers_are_zigzag_varints_of_every_length() {
        let mut values = vec![0, -1, 1, i64::MAX, i64::MIN];
        for shift in 0..63 {
            values.extend([1i64 << shift, (1 << shift) - 1, -(1 << shift), -(1 << shift) - 1]);
        }
        for value in values {
            let mut out = vec![7];
            write_long(value, &mut out);
            let mut rest = ((value << 1) ^ (value >> 63)) as u64;
            let mut expected = vec![7];
            while rest >= 0x80 {
                expected.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            expected.push(rest as u8);
            assert_eq!(out, expected, "{value}");
        }
    }
}
