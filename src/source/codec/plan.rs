//! What a family of column types gives back for one column, and how it becomes a codec.
//!
//! A family knows its values; what a null, a default and an absent column become is the same for all of them
//! and is decided here, once.

use std::fmt;
use std::sync::Arc;

use super::failure::Guard;
use crate::model::row::Codec;
use crate::model::schema::Schema;
use crate::model::value::{Arena, StructView, Value, ValueError, ValueRef};

/// Turns the bytes of a cell into a value; [`ValueRef::Null`] for bytes that the server means as no value (a
/// zero date).
pub(crate) trait Decode: Clone + Send + Sync + fmt::Debug + 'static {
    /// The value of a cell.
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError>;
}

/// What stands for a null in a column that cannot be null, where no default is declared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fallback {
    /// Null.
    Null,
    /// A value without parts.
    Scalar(Value),
    /// A list without entries.
    EmptyArray,
    /// A map without entries.
    EmptyMap,
    /// An empty geometry collection, as the fields of a struct: `wkb` is the field with this index.
    EmptyGeometry(EmptyGeometry),
    /// A struct that is always the same.
    Constant(Constant),
}

/// An empty geometry collection as a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EmptyGeometry {
    /// The index of the field `wkb`.
    pub wkb_field: usize,
}

/// `GEOMETRYCOLLECTION EMPTY`, little-endian well-known binary.
static EMPTY_COLLECTION: [u8; 9] = [1, 7, 0, 0, 0, 0, 0, 0, 0];

impl StructView for EmptyGeometry {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(if index == self.wkb_field { ValueRef::Bytes(&EMPTY_COLLECTION) } else { ValueRef::Null })
    }
}

/// Structs that are always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Constant {
    /// The point (0, 0).
    Origin,
    /// The number 0 as a `VariableScaleDecimal`.
    VariableZero,
}

/// `POINT(0 0)`, little-endian well-known binary.
static ORIGIN: [u8; 21] = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

impl StructView for Constant {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match (self, index) {
            (Constant::Origin, 0 | 1) => ValueRef::Float64(0.0),
            (Constant::Origin, 2) => ValueRef::Bytes(&ORIGIN),
            (Constant::VariableZero, 0) => ValueRef::Int32(0),
            (Constant::VariableZero, 1) => ValueRef::Bytes(&[0]),
            (Constant::Origin | Constant::VariableZero, _) => ValueRef::Null,
        })
    }
}

impl Fallback {
    fn borrow(&self) -> ValueRef<'_> {
        match self {
            Fallback::Null => ValueRef::Null,
            Fallback::Scalar(value) => borrow_scalar(value),
            Fallback::EmptyArray => ValueRef::Array(&[]),
            Fallback::EmptyMap => ValueRef::Map(&[]),
            Fallback::Constant(constant) => ValueRef::Struct(constant),
            Fallback::EmptyGeometry(empty) => ValueRef::Struct(empty),
        }
    }

    /// Also a list or a map that is not empty.
    fn borrow_in<'a>(&'a self, arena: &'a Arena) -> ValueRef<'a> {
        match self {
            Fallback::Scalar(value @ (Value::Array(_) | Value::Map(_) | Value::Struct(_))) => value.borrow(arena),
            Fallback::Null
            | Fallback::Scalar(_)
            | Fallback::EmptyArray
            | Fallback::EmptyMap
            | Fallback::EmptyGeometry(_)
            | Fallback::Constant(_) => self.borrow(),
        }
    }
}

/// Borrows a value that has no parts; lists, maps and structs are never a default here.
fn borrow_scalar(value: &Value) -> ValueRef<'_> {
    match value {
        Value::Boolean(v) => ValueRef::Boolean(*v),
        Value::Int8(v) => ValueRef::Int8(*v),
        Value::Int16(v) => ValueRef::Int16(*v),
        Value::Int32(v) => ValueRef::Int32(*v),
        Value::Int64(v) => ValueRef::Int64(*v),
        Value::Float32(v) => ValueRef::Float32(*v),
        Value::Float64(v) => ValueRef::Float64(*v),
        Value::String(v) => ValueRef::String(v),
        Value::Bytes(v) => ValueRef::Bytes(v),
        Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => ValueRef::Null,
    }
}

/// The conversion of a declared default: `None` when it means no value.
pub(crate) type DefaultConversion = Box<dyn FnOnce(&str) -> Result<Option<Value>, &'static str>>;

/// What stands for null and absent cells.
#[derive(Clone, Debug)]
pub(crate) struct Stand {
    null: Fallback,
    absent: Fallback,
}

/// The conversion of the placeholder of unavailable values.
pub(crate) type PlaceholderConversion = Box<dyn FnOnce(&str) -> Value>;

/// A codec that can be put under a guard.
pub trait Guardable: Codec {
    /// The same codec, which asks `guard` when it cannot read a cell.
    fn guarded(&self, guard: Guard) -> Arc<dyn Codec>;
}

type Finish = Box<dyn FnOnce(&Stand) -> Arc<dyn Guardable>>;

/// A column's schema and decoder, before optionality and default are known.
pub(crate) struct Plan {
    /// The schema without `optional`, `doc` and default.
    pub schema: Schema,
    /// What stands for a null in a column that cannot be null.
    pub fallback: Fallback,
    /// What a declared default becomes.
    pub default: DefaultConversion,
    /// What the placeholder of unavailable values becomes, where this type shows it for an absent column.
    pub placeholder: Option<PlaceholderConversion>,
    /// What an absent column is, where the source says so.
    pub absent: Option<Fallback>,
    /// What a null is, where a converter says so, whether the column can be null or not.
    pub null: Option<Fallback>,
    finish: Finish,
    finish_lossy: Option<Finish>,
}

/// Puts a decoder and what stands for null and absent together.
fn finish(decoder: impl Decode) -> Finish {
    Box::new(move |stand| Arc::new(ColumnCodec { decoder, stand: stand.clone(), guard: None }))
}

impl Plan {
    /// A plan.
    pub fn new(
        schema: Schema,
        fallback: Fallback,
        decoder: impl Decode,
        default: impl FnOnce(&str) -> Result<Option<Value>, &'static str> + 'static,
    ) -> Plan {
        Plan {
            schema,
            fallback,
            default: Box::new(default),
            placeholder: None,
            absent: None,
            null: None,
            finish: finish(decoder),
            finish_lossy: None,
        }
    }

    /// The same plan for a column that may show the placeholder of unavailable values.
    pub fn with_placeholder(mut self, convert: impl FnOnce(&str) -> Value + 'static) -> Plan {
        self.placeholder = Some(Box::new(convert));
        self
    }

    /// The same plan with a decoder that replaces what it cannot read.
    pub fn with_lossy(mut self, decoder: impl Decode) -> Plan {
        self.finish_lossy = Some(finish(decoder));
        self
    }

    /// Whether its values are text in a character set.
    pub fn is_text(&self) -> bool {
        self.finish_lossy.is_some()
    }

    /// The codec, and the one that replaces what it cannot read, with what stands for null and for absent.
    pub fn finish(self, null: Fallback, absent: Fallback) -> (Arc<dyn Guardable>, Option<Arc<dyn Codec>>) {
        let stand = Stand { null, absent };
        ((self.finish)(&stand), self.finish_lossy.map(|finish| finish(&stand) as Arc<dyn Codec>))
    }
}

/// A decoder with what stands for null and absent, and for what it cannot read.
#[derive(Debug)]
struct ColumnCodec<D> {
    decoder: D,
    stand: Stand,
    guard: Option<Guard>,
}

impl<D: Decode> Guardable for ColumnCodec<D> {
    fn guarded(&self, guard: Guard) -> Arc<dyn Codec> {
        Arc::new(ColumnCodec { decoder: self.decoder.clone(), stand: self.stand.clone(), guard: Some(guard) })
    }
}

impl<D: Decode> ColumnCodec<D> {
    #[cold]
    fn refused<'a>(&'a self, cell: &'a [u8], arena: &'a Arena, error: ValueError) -> Result<ValueRef<'a>, ValueError> {
        match &self.guard {
            Some(guard) => guard.mend(cell, arena, error, self.null()),
            None => Err(error),
        }
    }
}

impl<D: Decode> Codec for ColumnCodec<D> {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        // What was read is looked at where it was put, and goes on from there without a move.
        let decoded = self.decoder.decode(cell, arena);
        match &decoded {
            Ok(ValueRef::Null) => Ok(self.null()),
            Ok(_) => decoded,
            Err(error) => self.refused(cell, arena, error.clone()),
        }
    }

    fn null(&self) -> ValueRef<'_> {
        self.stand.null.borrow()
    }

    fn absent(&self) -> ValueRef<'_> {
        self.stand.absent.borrow()
    }

    fn absent_in<'a>(&'a self, arena: &'a Arena) -> ValueRef<'a> {
        self.stand.absent.borrow_in(arena)
    }
}

/// Copies text that was made on the stack into the arena.
#[inline]
pub(crate) fn text_in<'a>(arena: &'a Arena, bytes: &[u8]) -> Result<ValueRef<'a>, ValueError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ValueError::Shape)?;
    Ok(ValueRef::String(arena.alloc_str(text)))
}

/// The first `N` bytes of a cell that must have exactly as many.
#[inline]
pub(crate) fn exactly<const N: usize>(cell: &[u8], column_type: &'static str) -> Result<[u8; N], ValueError> {
    <[u8; N]>::try_from(cell).map_err(|_| ValueError::Length { column_type, expected: N, actual: cell.len() })
}
