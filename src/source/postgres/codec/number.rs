//! BOOLEAN, SMALLINT, INTEGER, BIGINT, OID, REAL and DOUBLE PRECISION.
//!
//! In: `t` and `f`; decimal digits; the shortest text that reads back as the same float, `NaN`, `Infinity`. Out: the
//! number.

use super::Context;
use super::default_value::{self, Kind as DefaultKind};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::plan::{Decode, Fallback, Plan};

fn invalid(column_type: &'static str) -> ValueError {
    ValueError::Invalid { column_type, reason: "not a number of the type" }
}

/// A decimal integer: the digits of eight bytes are not worth a table.
#[inline]
pub(super) fn integer(cell: &[u8], column_type: &'static str) -> Result<i64, ValueError> {
    let (negative, digits) = match cell {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 19 {
        return Err(invalid(column_type));
    }
    let mut value = 0_u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return Err(invalid(column_type));
        }
        value = value * 10 + u64::from(digit);
    }
    let limit = i64::MAX as u64 + u64::from(negative);
    if value > limit {
        return Err(invalid(column_type));
    }
    Ok(if negative { (value as i64).wrapping_neg() } else { value as i64 })
}

#[derive(Clone, Debug)]
struct Boolean;

impl Decode for Boolean {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match cell {
            b"t" => Ok(ValueRef::Boolean(true)),
            b"f" => Ok(ValueRef::Boolean(false)),
            _ => Err(ValueError::Invalid { column_type: "boolean", reason: "neither t nor f" }),
        }
    }
}

/// BOOLEAN.
pub(super) fn boolean(_context: &Context<'_>) -> Plan {
    let fallback = Fallback::Scalar(Value::Boolean(false));
    Plan::new(Schema::new(Kind::Boolean), fallback, Boolean, |text| default_value::parse(DefaultKind::Boolean, text))
}

#[derive(Clone, Debug)]
struct SmallInt;

impl Decode for SmallInt {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let value = integer(cell, "smallint")?;
        i16::try_from(value).map(ValueRef::Int16).map_err(|_| invalid("smallint"))
    }
}

/// SMALLINT.
pub(super) fn small_int(_context: &Context<'_>) -> Plan {
    let fallback = Fallback::Scalar(Value::Int16(0));
    Plan::new(Schema::new(Kind::Int16), fallback, SmallInt, |text| default_value::parse(DefaultKind::Int16, text))
}

#[derive(Clone, Debug)]
struct Integer;

impl Decode for Integer {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let value = integer(cell, "integer")?;
        i32::try_from(value).map(ValueRef::Int32).map_err(|_| invalid("integer"))
    }
}

/// INTEGER.
pub(super) fn int(_context: &Context<'_>) -> Plan {
    let fallback = Fallback::Scalar(Value::Int32(0));
    Plan::new(Schema::new(Kind::Int32), fallback, Integer, |text| default_value::parse(DefaultKind::Int32, text))
}

#[derive(Clone, Debug)]
struct BigInt;

impl Decode for BigInt {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        integer(cell, "bigint").map(ValueRef::Int64)
    }
}

/// BIGINT.
pub(super) fn big_int(_context: &Context<'_>) -> Plan {
    let fallback = Fallback::Scalar(Value::Int64(0));
    Plan::new(Schema::new(Kind::Int64), fallback, BigInt, |text| default_value::parse(DefaultKind::Int64, text))
}

/// OID, of which Debezium reads no default.
pub(super) fn oid(_context: &Context<'_>) -> Plan {
    Plan::new(Schema::new(Kind::Int64), Fallback::Scalar(Value::Int64(0)), BigInt, default_value::none)
}

/// A float as the server writes it. Rust reads more words than the server writes; those are refused.
#[inline]
fn float_text<'a>(cell: &'a [u8], column_type: &'static str) -> Result<&'a str, ValueError> {
    let written = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    if cell.iter().all(written) || matches!(cell, b"NaN" | b"Infinity" | b"-Infinity") {
        return std::str::from_utf8(cell).map_err(|_| invalid(column_type));
    }
    Err(invalid(column_type))
}

/// A double as the server writes it.
#[inline]
pub(super) fn double_of(cell: &[u8], column_type: &'static str) -> Result<f64, ValueError> {
    float_text(cell, column_type)?.parse().map_err(|_| invalid(column_type))
}

/// A float as the server writes it.
#[inline]
pub(super) fn float_of(cell: &[u8], column_type: &'static str) -> Result<f32, ValueError> {
    float_text(cell, column_type)?.parse().map_err(|_| invalid(column_type))
}

#[derive(Clone, Debug)]
struct Real;

impl Decode for Real {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        float_of(cell, "real").map(ValueRef::Float32)
    }
}

/// REAL.
pub(super) fn real(_context: &Context<'_>) -> Plan {
    let fallback = Fallback::Scalar(Value::Float32(0.0));
    Plan::new(Schema::new(Kind::Float32), fallback, Real, |text| default_value::parse(DefaultKind::Float32, text))
}

#[derive(Clone, Debug)]
struct Double;

impl Decode for Double {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        double_of(cell, "double precision").map(ValueRef::Float64)
    }
}

/// DOUBLE PRECISION.
pub(super) fn double(_context: &Context<'_>) -> Plan {
    let fallback = Fallback::Scalar(Value::Float64(0.0));
    Plan::new(Schema::new(Kind::Float64), fallback, Double, |text| default_value::parse(DefaultKind::Float64, text))
}
