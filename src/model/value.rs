//! Values: borrowed from the bytes they came in, or owned where a tree is truly needed.
//!
//! Connect's logical types are carried as their wire shapes: a Decimal is the big-endian two's complement of
//! its unscaled value in [`ValueRef::Bytes`] (its scale stands in the schema), a Date is days in
//! [`ValueRef::Int32`], a Time milliseconds in [`ValueRef::Int32`], a Timestamp milliseconds in [`ValueRef::Int64`].

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

    /// For a struct of which most fields stay as they are from record to record: which ones change, and where serializers
    /// keep what they have written of the others.
    fn repeated(&self) -> Option<Repeated<'_>> {
        None
    }
}

impl StructView for [ValueRef<'_>] {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(self.get(index).copied().unwrap_or(ValueRef::Null))
    }
}

/// What serializers have written of a struct whose fields repeat. It is kept by a worker, which empties it when they change.
#[derive(Default)]
pub struct Written(RefCell<Vec<Kept>>);

/// What is kept at once of one struct: that of so many writers, kinds and sets of fields that change.
const KEPT_MAXIMUM: usize = 16;

/// What a writer has written that is larger is given back when it is forgotten.
const KEPT_BYTES_MAXIMUM: usize = 64 * 1024;

/// What one serializer has written.
#[derive(Default)]
struct Kept {
    /// Who wrote; 0 is nobody.
    writer: u64,
    kind: u8,
    varying: u64,
    /// The fields that stay, one behind the other.
    bytes: Vec<u8>,
    /// Each field that changes, and where in `bytes` it stands.
    gaps: Vec<(usize, usize)>,
}

/// What serializers have written of structs that are alike as long as a key is the same.
#[derive(Default)]
pub struct WrittenFor<K> {
    key: Option<K>,
    written: Written,
}

impl<K> WrittenFor<K> {
    /// What serves structs of this key; what was written of those of another is forgotten.
    pub fn of(&mut self, is_same: impl FnOnce(&K) -> bool, key: impl FnOnce() -> K) -> &Written {
        if !self.key.as_ref().is_some_and(is_same) {
            self.written.forget();
            self.key = Some(key());
        }
        &self.written
    }
}

impl<K: PartialEq + Copy> WrittenFor<K> {
    /// The same for a key that costs nothing to make.
    pub fn at(&mut self, key: K) -> &Written {
        self.of(|kept| *kept == key, || key)
    }
}

/// A struct that is written again with some fields changed.
pub struct Repeated<'v> {
    /// What was written of it before.
    pub written: &'v Written,
    /// The fields that stay are the same in all structs of this kind, where the same fields change.
    pub kind: u8,
    /// The fields that change, a bit for each; those beyond the 64th stay.
    pub varying: u64,
}

impl Written {
    /// A number for a plan that writes structs, unlike that of any other.
    pub fn writer() -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(0);
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The fields have changed. Keeps its memory, unless a huge value (a statement's text) lay in it.
    pub fn forget(&mut self) {
        for kept in self.0.get_mut() {
            kept.writer = 0;
            if kept.bytes.capacity() > KEPT_BYTES_MAXIMUM {
                kept.bytes = Vec::new();
            }
        }
    }
}

impl Kept {
    fn is_by(&self, writer: u64, repeated: &Repeated<'_>) -> bool {
        (self.writer, self.kind, self.varying) == (writer, repeated.kind, repeated.varying)
    }
}

impl Repeated<'_> {
    /// Appends the struct's fields: those that stay from what `writer` wrote before, where it did.
    ///
    /// # Errors
    /// What `field` fails with; nothing is kept then.
    pub fn write<E>(
        &self,
        writer: u64,
        fields: usize,
        out: &mut Vec<u8>,
        mut field: impl FnMut(usize, &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Ok(mut all) = self.written.0.try_borrow_mut() else {
            return (0..fields).try_for_each(|index| field(index, out));
        };
        let Some(Kept { bytes, gaps, .. }) = all.iter().find(|kept| kept.is_by(writer, self)) else {
            return self.write_whole(writer, fields, &mut all, out, field);
        };
        let mut from = 0;
        for &(index, gap) in gaps {
            if from < gap {
                out.extend_from_slice(bytes.get(from..gap).unwrap_or_default());
                from = gap;
            }
            field(index, out)?;
        }
        out.extend_from_slice(bytes.get(from..).unwrap_or_default());
        Ok(())
    }

    fn write_whole<E>(
        &self,
        writer: u64,
        fields: usize,
        all: &mut Vec<Kept>,
        out: &mut Vec<u8>,
        mut field: impl FnMut(usize, &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let free = all.iter().position(|kept| kept.writer == 0).unwrap_or(all.len()).min(KEPT_MAXIMUM - 1);
        let mut kept = if free < all.len() { all.swap_remove(free) } else { Kept::default() };
        (kept.kind, kept.varying) = (self.kind, self.varying);
        kept.bytes.clear();
        kept.gaps.clear();
        for index in 0..fields {
            let begin = out.len();
            field(index, out)?;
            if index < 64 && self.varying >> index & 1 == 1 {
                kept.gaps.push((index, kept.bytes.len()));
            } else {
                kept.bytes.extend_from_slice(out.get(begin..).unwrap_or_default());
            }
        }
        kept.writer = writer;
        all.push(kept);
        Ok(())
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

/// A field as Connect's `Struct.get` gives it: for null the default that it has in the struct's schema. A field that the
/// schema does not have is as the view gives it.
///
/// # Errors
/// When its bytes cannot be decoded.
#[inline]
pub fn field_or_default<'a>(
    view: &'a dyn StructView,
    schema: &'a Schema,
    index: usize,
    arena: &'a Arena,
) -> Result<ValueRef<'a>, ValueError> {
    let value = view.field(index, arena)?;
    Ok(match schema.fields().get(index) {
        Some(field) => value.or_default(&field.schema, arena),
        None => value,
    })
}

impl<'a> ValueRef<'a> {
    /// The value, or for null the default of its schema.
    #[inline]
    #[must_use]
    pub fn or_default(self, schema: &'a Schema, arena: &'a Arena) -> ValueRef<'a> {
        match (self, &schema.default) {
            (ValueRef::Null, Some(default)) => default.borrow(arena),
            (value, _) => value,
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

/// A value as text; of a struct the first fields, none of which is from what was kept.
#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, clippy::panic)]
fn text(value: &ValueRef<'_>, arena: &Arena) -> Result<String, ValueError> {
    Ok(match value {
        ValueRef::Int32(number) => number.to_string(),
        ValueRef::Int64(number) => number.to_string(),
        ValueRef::String(text) => (*text).to_owned(),
        ValueRef::Null => "null".to_owned(),
        ValueRef::Struct(view) => {
            let fields = (0..20).map(|index| text(&view.field(index, arena)?, arena));
            format!("{:?}", fields.collect::<Result<Vec<_>, _>>()?)
        }
        other => panic!("{other:?}"),
    })
}

/// A struct's fields as `index=value;`, as a serializer writes them: what it has kept, and the others.
#[cfg(test)]
pub(crate) fn text_of(view: &dyn StructView, fields: usize) -> String {
    let (arena, mut out) = (Arena::new(), Vec::new());
    let field = |index: usize, out: &mut Vec<u8>| {
        let text = text(&view.field(index, &arena)?, &arena)?;
        out.extend_from_slice(format!("{index}={text};").as_bytes());
        Ok::<_, ValueError>(())
    };
    let written = match view.repeated() {
        Some(repeated) => repeated.write(7, fields, &mut out, field),
        None => (0..fields).try_for_each(|index| field(index, &mut out)),
    };
    assert_eq!(written.map_err(|error| error.to_string()), Ok(()));
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes fields as `index=value;`, and says how many it was asked for.
    fn write(written: &Written, writer: u64, values: &[u32], varying: u64) -> (String, usize) {
        write_kind(written, 0, writer, values, varying)
    }

    fn write_kind(written: &Written, kind: u8, writer: u64, values: &[u32], varying: u64) -> (String, usize) {
        let (mut out, mut asked) = (b"before ".to_vec(), 0);
        let repeated = Repeated { written, kind, varying };
        let result = repeated.write(writer, values.len(), &mut out, |index, out| {
            asked += 1;
            let value = values.get(index).ok_or("no such field")?;
            out.extend_from_slice(format!("{index}={value};").as_bytes());
            Ok::<_, &str>(())
        });
        assert_eq!(result, Ok(()));
        (String::from_utf8_lossy(&out).into_owned(), asked)
    }

    #[test]
    fn a_repeated_struct_is_written_whole_once_and_then_only_what_varies() {
        let (mut written, one, other) = (Written::default(), Written::writer(), Written::writer());
        for varying in 0..8u64 {
            written.forget();
            let mut values = [7, 8, 9];
            assert_eq!(write(&written, one, &values, varying), ("before 0=7;1=8;2=9;".to_owned(), 3));
            for (place, value) in values.iter_mut().enumerate().filter(|(place, _)| varying >> place & 1 == 1) {
                *value = 10 + place as u32;
            }
            let whole: String = values.iter().enumerate().map(|(at, value)| format!("{at}={value};")).collect();
            for _ in 0..2 {
                let asked = varying.count_ones() as usize;
                assert_eq!(write(&written, one, &values, varying), (format!("before {whole}"), asked));
            }
            assert_eq!(
                write(&written, other, &values, varying),
                (format!("before {whole}"), 3),
                "another plan's bytes"
            );
            written.forget();
            assert_eq!(write(&written, other, &[4, 5, 6], varying), ("before 0=4;1=5;2=6;".to_owned(), 3));
        }
    }

    #[test]
    fn kinds_and_sets_of_fields_that_change_share_nothing() {
        let mut written = Written::default();
        for values in [[1, 2, 3], [4, 5, 6]] {
            written.forget();
            // More than are kept, so that some are written whole again; each kind has another first field that stays.
            for round in 0..3 {
                for kind in 0..20u8 {
                    for varying in [0b010, 0b110] {
                        let own = [values[0] + u32::from(kind), values[1] + round, values[2]];
                        let whole = format!("before 0={};1={};2={};", own[0], own[1], own[2]);
                        assert_eq!(write_kind(&written, kind, 1, &own, varying).0, whole);
                        assert_eq!(
                            write_kind(&written, kind, 1, &own, varying),
                            (whole, varying.count_ones() as usize)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_failed_is_not_kept() {
        let written = Written::default();
        let repeated = Repeated { written: &written, kind: 0, varying: 1 };
        let failed = repeated.write(1, 2, &mut Vec::new(), |index, _| if index == 1 { Err(()) } else { Ok(()) });
        assert_eq!(failed, Err(()));
        assert_eq!(write(&written, 1, &[1, 2], 1).1, 2);
    }
}
