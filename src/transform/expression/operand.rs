//! What an expression computes with: the values that Java or JavaScript would have in their place, borrowed.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::sync::Arc;

use super::decimal::DecimalRef;
use crate::model::record::{Header, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};
use crate::util::java_text::{Logical, write_f32, write_f64};

/// A value on its way through an expression.
#[derive(Clone, Copy)]
pub enum Operand<'a> {
    /// `null`
    Null,
    /// JavaScript's `undefined`.
    Undefined,
    /// `Boolean`
    Boolean(bool),
    /// `Byte`, `Short`, `Integer`, `Long`
    Integer(i64, Width),
    /// `Float`
    Float(f32),
    /// `Double`; every number of JavaScript that it computed itself.
    Double(f64),
    /// `BigDecimal`
    Decimal(DecimalRef<'a>),
    /// `java.util.Date`, in milliseconds since the epoch.
    Date(i64),
    /// `String`
    Text(&'a str),
    /// Groovy's `GString`, which is no `String`.
    Template(&'a str),
    /// `ByteBuffer`
    Bytes(&'a [u8]),
    /// A `Struct`, with its schema.
    Struct(&'a Arc<Schema>, &'a dyn StructView),
    /// A list, with its items' schema.
    List(&'a Arc<Schema>, &'a [ValueRef<'a>]),
    /// A map.
    Map(usize),
    /// The headers.
    Headers,
    /// One header.
    Header(&'a Header<'a>),
    /// A schema.
    Schema(&'a Arc<Schema>),
    /// A field of a schema.
    Field,
    /// What Debezium gives JavaScript for a struct that is null: an object of which nothing can be read.
    Hollow,
}

/// Which of Java's whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// `Byte`
    Byte,
    /// `Short`
    Short,
    /// `Integer`
    Int,
    /// `Long`
    Long,
}

impl<'a> Operand<'a> {
    /// What a part of a record is to Java.
    pub fn of(schema: Option<&'a Arc<Schema>>, value: ValueRef<'a>) -> Operand<'a> {
        match schema.and_then(|schema| Logical::read(schema, &value)) {
            Some(Logical::Decimal(unscaled, scale)) => return Operand::Decimal(DecimalRef { unscaled, scale }),
            Some(Logical::Instant(millis)) => return Operand::Date(millis),
            None => {}
        }
        match value {
            ValueRef::Null => Operand::Null,
            ValueRef::Boolean(value) => Operand::Boolean(value),
            ValueRef::Int8(value) => Operand::Integer(i64::from(value), Width::Byte),
            ValueRef::Int16(value) => Operand::Integer(i64::from(value), Width::Short),
            ValueRef::Int32(value) => Operand::Integer(i64::from(value), Width::Int),
            ValueRef::Int64(value) => Operand::Integer(value, Width::Long),
            ValueRef::Float32(value) => Operand::Float(value),
            ValueRef::Float64(value) => Operand::Double(value),
            ValueRef::String(value) => Operand::Text(value),
            ValueRef::Bytes(value) => Operand::Bytes(value),
            ValueRef::Array(items) => match schema.map(|schema| &schema.kind) {
                Some(Kind::Array(item)) => Operand::List(item, items),
                Some(_) | None => Operand::Map(items.len()),
            },
            ValueRef::Map(entries) => Operand::Map(entries.len()),
            ValueRef::Struct(view) => match schema {
                Some(schema) => Operand::Struct(schema, view),
                None => Operand::Null,
            },
        }
    }

    /// A key, value or header.
    pub fn typed(part: Typed<'a>) -> Operand<'a> {
        Operand::of(part.schema, part.value)
    }

    /// Its class, for messages.
    pub fn class(&self) -> &'static str {
        match self {
            Operand::Null => "null",
            Operand::Undefined => "undefined",
            Operand::Boolean(_) => "a Boolean",
            Operand::Integer(_, Width::Byte) => "a Byte",
            Operand::Integer(_, Width::Short) => "a Short",
            Operand::Integer(_, Width::Int) => "an Integer",
            Operand::Integer(_, Width::Long) => "a Long",
            Operand::Float(_) => "a Float",
            Operand::Double(_) => "a Double",
            Operand::Decimal(_) => "a BigDecimal",
            Operand::Date(_) => "a Date",
            Operand::Text(_) => "a String",
            Operand::Template(_) => "a GString",
            Operand::Bytes(_) => "bytes",
            Operand::Struct(_, _) | Operand::Hollow => "a Struct",
            Operand::List(_, _) => "a List",
            Operand::Map(_) => "a Map",
            Operand::Headers => "the headers",
            Operand::Header(_) => "a header",
            Operand::Schema(_) => "a Schema",
            Operand::Field => "a Field",
        }
    }

    /// Whether it is `null` or `undefined`.
    pub fn is_null(&self) -> bool {
        matches!(self, Operand::Null | Operand::Undefined)
    }

    /// The text of a `String` or a `GString`.
    pub fn text(&self) -> Option<&'a str> {
        if let Operand::Text(text) | Operand::Template(text) = self { Some(text) } else { None }
    }

    /// The number as Java's `doubleValue`.
    pub fn double(&self) -> Option<f64> {
        match self {
            Operand::Integer(value, _) => Some(*value as f64),
            Operand::Float(value) => Some(f64::from(*value)),
            Operand::Double(value) => Some(*value),
            Operand::Decimal(value) => Some(value.double()),
            Operand::Null
            | Operand::Undefined
            | Operand::Boolean(_)
            | Operand::Date(_)
            | Operand::Text(_)
            | Operand::Template(_)
            | Operand::Bytes(_)
            | Operand::Struct(_, _)
            | Operand::List(_, _)
            | Operand::Map(_)
            | Operand::Headers
            | Operand::Header(_)
            | Operand::Schema(_)
            | Operand::Field
            | Operand::Hollow => None,
        }
    }
}

/// `Double.compare`: what is not a number is the largest of all, and -0.0 lies below 0.0.
pub fn java_compare(left: f64, right: f64) -> Ordering {
    match left.partial_cmp(&right) {
        Some(Ordering::Equal) if left == 0.0 => right.is_sign_negative().cmp(&left.is_sign_negative()),
        Some(order) => order,
        None => left.is_nan().cmp(&right.is_nan()),
    }
}

/// `String.compareTo`: by units of UTF-16, which differs from bytes beyond U+FFFF only.
pub fn utf16_compare(left: &str, right: &str) -> Ordering {
    if left == right { Ordering::Equal } else { left.encode_utf16().cmp(right.encode_utf16()) }
}

/// `Objects.equals` of two values as Connect holds them.
pub fn java_equals(left: &Operand<'_>, right: &Operand<'_>, arena: &Arena) -> Result<bool, ValueError> {
    Ok(match (left, right) {
        (Operand::Null | Operand::Undefined, other) => other.is_null(),
        (Operand::Boolean(left), Operand::Boolean(right)) => left == right,
        (Operand::Integer(left, width), Operand::Integer(right, other)) => left == right && width == other,
        (Operand::Float(left), Operand::Float(right)) => same_double(f64::from(*left), f64::from(*right)),
        (Operand::Double(left), Operand::Double(right)) => same_double(*left, *right),
        (Operand::Decimal(left), Operand::Decimal(right)) => left.equals(*right),
        (Operand::Date(left), Operand::Date(right)) => left == right,
        (Operand::Text(left), Operand::Text(right)) | (Operand::Template(left), Operand::Template(right)) => {
            left == right
        }
        (Operand::Bytes(left), Operand::Bytes(right)) => left == right,
        (Operand::Struct(left, one), Operand::Struct(right, other)) => {
            if !Arc::ptr_eq(left, right) && left != right {
                return Ok(false);
            }
            for (index, field) in left.fields().iter().enumerate() {
                let (one, other) = (one.field(index, arena)?, other.field(index, arena)?);
                let (one, other) = (Operand::of(Some(&field.schema), one), Operand::of(Some(&field.schema), other));
                if !java_equals(&one, &other, arena)? {
                    return Ok(false);
                }
            }
            true
        }
        (Operand::List(_, left), Operand::List(_, right)) if left.is_empty() || right.is_empty() => {
            left.len() == right.len()
        }
        // Items of lists have no schema of their own that is shared; two lists are compared where they are equal as
        // they lie.
        (Operand::List(schema, left), Operand::List(other, right)) => {
            schema == other && {
                let own = |items: &[ValueRef<'_>]| {
                    items.iter().map(|item| item.to_owned(schema, arena)).collect::<Result<Vec<_>, _>>()
                };
                own(left)? == own(right)?
            }
        }
        (Operand::Schema(left), Operand::Schema(right)) => left == right,
        (Operand::Map(0), Operand::Map(0)) => true,
        (Operand::Map(left), Operand::Map(right)) if left == right => {
            return Err(ValueError::Invalid { column_type: "map", reason: "two maps are not compared here" });
        }
        _ => false,
    })
}

fn same_double(left: f64, right: f64) -> bool {
    java_compare(left, right) == Ordering::Equal
}

/// `String.valueOf` of what has one text wherever the program runs; none of dates (their text has a time zone), bytes
/// and structs.
pub fn write_text(operand: &Operand<'_>, out: &mut String) -> Option<()> {
    let mut bytes = Vec::new();
    match operand {
        Operand::Null => out.push_str("null"),
        Operand::Undefined => out.push_str("undefined"),
        Operand::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Operand::Integer(value, _) => write!(out, "{value}").ok()?,
        Operand::Float(value) => write_f32(*value, &mut bytes),
        Operand::Double(value) => write_f64(*value, &mut bytes),
        Operand::Decimal(value) => bytes = value.text(),
        Operand::Text(text) | Operand::Template(text) => out.push_str(text),
        Operand::Date(_)
        | Operand::Bytes(_)
        | Operand::Struct(_, _)
        | Operand::Hollow
        | Operand::List(_, _)
        | Operand::Map(_)
        | Operand::Headers
        | Operand::Header(_)
        | Operand::Schema(_)
        | Operand::Field => return None,
    }
    out.push_str(std::str::from_utf8(&bytes).ok()?);
    Some(())
}
