//! Values: borrowed from the bytes they came in, or owned where a tree is truly needed.
//!
//! Connect's logical types are carried as their wire shapes: a Decimal is the big-endian two's complement of
//! its unscaled value in [`ValueRef::Bytes`] (its scale stands in the schema), a Date is days in
//! [`ValueRef::Int32`], a Time milliseconds in [`ValueRef::Int32`], a Timestamp milliseconds in [`ValueRef::Int64`].

use std::fmt;
use std::sync::Arc;

use super::schema::Schema;
use crate::error::{Code, Coded, Disposition};

/// Memory for what codecs make on the way; reset after each batch, so steady state allocates nothing.
pub type Arena = bumpalo::Bump;

/// A value that borrows from a row, a layout or the arena. Copying it copies a reference.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// One byte.
    Int8(i8),
    /// Two bytes.
    Int16(i16),
    /// Four bytes.
    Int32(i32),
    /// Eight bytes.
    Int64(i64),
    /// A float.
    Float32(f32),
    /// A double.
    Float64(f64),
    /// Text.
    String(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list.
    Array(&'a [ValueRef<'a>]),
    /// A map, in the order of its entries.
    Map(&'a [(ValueRef<'a>, ValueRef<'a>)]),
    /// A struct, read field by field.
    Struct(&'a (dyn StructView + 'a)),
}

/// Something with fields in the order of a struct schema, decoded when asked for.
pub trait StructView {
    /// The value of the field at `index` of the schema. An index beyond the schema's is [`ValueRef::Null`].
    ///
    /// # Errors
    /// When the bytes of the field are not what its type allows.
    fn field<'a>(&'a self, index: usize, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError>;
}

impl StructView for [ValueRef<'_>] {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(self.get(index).copied().unwrap_or(ValueRef::Null))
    }
}

/// Fields made beforehand, as a struct: `ValueRef::Struct(arena.alloc(Fields(slice)))`.
pub struct Fields<'f>(pub &'f [ValueRef<'f>]);

impl StructView for Fields<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(self.0.get(index).copied().unwrap_or(ValueRef::Null))
    }
}

impl fmt::Debug for ValueRef<'_> {
    /// Says the shape and never the content: a value must not get into a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ValueRef::Null => "null",
            ValueRef::Boolean(_) => "boolean",
            ValueRef::Int8(_) => "int8",
            ValueRef::Int16(_) => "int16",
            ValueRef::Int32(_) => "int32",
            ValueRef::Int64(_) => "int64",
            ValueRef::Float32(_) => "float32",
            ValueRef::Float64(_) => "float64",
            ValueRef::String(_) => "string",
            ValueRef::Bytes(_) => "bytes",
            ValueRef::Array(_) => "array",
            ValueRef::Map(_) => "map",
            ValueRef::Struct(_) => "struct",
        })
    }
}

/// An owned value: defaults of schemas, records that a transform rebuilt, side topics.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// One byte.
    Int8(i8),
    /// Two bytes.
    Int16(i16),
    /// Four bytes.
    Int32(i32),
    /// Eight bytes.
    Int64(i64),
    /// A float.
    Float32(f32),
    /// A double.
    Float64(f64),
    /// Text.
    String(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list.
    Array(Vec<Value>),
    /// A map, in the order of its entries.
    Map(Vec<(Value, Value)>),
    /// A struct's fields in the order of its schema.
    Struct(Vec<Value>),
}

impl Value {
    /// Text.
    pub fn text(text: &str) -> Self {
        Value::String(text.into())
    }

    /// This value, borrowed. Lists and maps need the arena for their entries' references.
    pub fn borrow<'a>(&'a self, arena: &'a Arena) -> ValueRef<'a> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Boolean(v) => ValueRef::Boolean(*v),
            Value::Int8(v) => ValueRef::Int8(*v),
            Value::Int16(v) => ValueRef::Int16(*v),
            Value::Int32(v) => ValueRef::Int32(*v),
            Value::Int64(v) => ValueRef::Int64(*v),
            Value::Float32(v) => ValueRef::Float32(*v),
            Value::Float64(v) => ValueRef::Float64(*v),
            Value::String(v) => ValueRef::String(v),
            Value::Bytes(v) => ValueRef::Bytes(v),
            Value::Array(items) => ValueRef::Array(arena.alloc_slice_fill_iter(items.iter().map(|v| v.borrow(arena)))),
            Value::Map(entries) => ValueRef::Map(
                arena.alloc_slice_fill_iter(entries.iter().map(|(k, v)| (k.borrow(arena), v.borrow(arena)))),
            ),
            Value::Struct(fields) => {
                let fields = arena.alloc_slice_fill_iter(fields.iter().map(|v| v.borrow(arena)));
                ValueRef::Struct(arena.alloc(Fields(fields)))
            }
        }
    }
}

impl ValueRef<'_> {
    /// This value as an owned tree; `schema` says how many fields a struct has.
    ///
    /// # Errors
    /// When a field cannot be decoded.
    pub fn to_owned(&self, schema: &Schema, arena: &Arena) -> Result<Value, ValueError> {
        Ok(match self {
            ValueRef::Null => Value::Null,
            ValueRef::Boolean(v) => Value::Boolean(*v),
            ValueRef::Int8(v) => Value::Int8(*v),
            ValueRef::Int16(v) => Value::Int16(*v),
            ValueRef::Int32(v) => Value::Int32(*v),
            ValueRef::Int64(v) => Value::Int64(*v),
            ValueRef::Float32(v) => Value::Float32(*v),
            ValueRef::Float64(v) => Value::Float64(*v),
            ValueRef::String(v) => Value::String((*v).into()),
            ValueRef::Bytes(v) => Value::Bytes((*v).into()),
            ValueRef::Array(items) => {
                let item = if let super::schema::Kind::Array(item) = &schema.kind {
                    item
                } else {
                    return Err(ValueError::Shape);
                };
                Value::Array(items.iter().map(|v| v.to_owned(item, arena)).collect::<Result<_, _>>()?)
            }
            ValueRef::Map(entries) => {
                let super::schema::Kind::Map(key, value) = &schema.kind else { return Err(ValueError::Shape) };
                let own = |(k, v): &(ValueRef, ValueRef)| Ok((k.to_owned(key, arena)?, v.to_owned(value, arena)?));
                Value::Map(entries.iter().map(own).collect::<Result<_, ValueError>>()?)
            }
            ValueRef::Struct(view) => {
                let own = |(index, field): (usize, &super::schema::Field)| {
                    view.field(index, arena)?.to_owned(&field.schema, arena)
                };
                Value::Struct(schema.fields().iter().enumerate().map(own).collect::<Result<_, ValueError>>()?)
            }
        })
    }
}

/// Why a value could not be read. Never holds the value itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A cell is shorter or longer than its type.
    #[error("a cell of {actual} bytes where the type {column_type} needs {expected}")]
    Length {
        /// The column type.
        column_type: &'static str,
        /// Bytes that the type needs.
        expected: usize,
        /// Bytes that are there.
        actual: usize,
    },
    /// The bytes are not a value of the type.
    #[error("not a valid {column_type}: {reason}")]
    Invalid {
        /// The column type.
        column_type: &'static str,
        /// What is wrong, without the value.
        reason: &'static str,
    },
    /// The bytes are not text in the column's character set.
    #[error("not valid text in character set {charset}, at byte {at}")]
    Charset {
        /// The character set.
        charset: &'static str,
        /// The offset of the first bad byte.
        at: usize,
    },
    /// The row ends before its columns do.
    #[error("a cell lies outside its row")]
    OutsideRow,
    /// A value does not have the shape of its schema.
    #[error("a value does not have the shape that its schema says")]
    Shape,
}

static LENGTH: Code = Code {
    number: 1,
    disposition: Disposition::Reject,
    title: "a cell of a row is not as long as its column type",
    hint: "The tracked table and the row disagree, or the event is damaged. Compare SHOW CREATE TABLE with the schema history; run `headwater check`.",
};
static INVALID: Code = Code {
    number: 2,
    disposition: Disposition::Reject,
    title: "a cell of a row is not a value of its column type",
    hint: "event.converting.failure.handling.mode says what becomes of such values: fail (nothing is written), warn or skip.",
};
static CHARSET: Code = Code {
    number: 3,
    disposition: Disposition::Reject,
    title: "text that is not valid in its column's character set",
    hint: "Find the row by the position in the log; the server accepted bytes that its own character set does not know. event.converting.failure.handling.mode=warn writes null instead.",
};
static OUTSIDE_ROW: Code = Code {
    number: 4,
    disposition: Disposition::Stop,
    title: "a row ends before its columns do",
    hint: "The event is damaged or the table map is another table's. Nothing was stored beyond it; report the position.",
};
static SHAPE: Code = Code {
    number: 5,
    disposition: Disposition::Stop,
    title: "a value does not have the shape of its schema",
    hint: "This is a fault of Headwater. Nothing was stored beyond it; report the table's definition.",
};

/// Every page of this room.
pub static CODES: &[&Code] = &[&LENGTH, &INVALID, &CHARSET, &OUTSIDE_ROW, &SHAPE];

impl Coded for ValueError {
    fn code(&self) -> &'static Code {
        match self {
            ValueError::Length { .. } => &LENGTH,
            ValueError::Invalid { .. } => &INVALID,
            ValueError::Charset { .. } => &CHARSET,
            ValueError::OutsideRow => &OUTSIDE_ROW,
            ValueError::Shape => &SHAPE,
        }
    }
}
