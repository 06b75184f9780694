//! Columns of numbers as booleans, as 1 or 0, and as floating point numbers, whatever their width.
//!
//! In: the cell of an integer, FLOAT or DOUBLE column. Out: what Java's `Number.intValue`, `doubleValue` and
//! `floatValue` make of it. UNSIGNED is not looked at, because Debezium's binlog client does not know it: TINYINT
//! UNSIGNED from 128 up is negative to a converter, and so not true.

use super::refusal;
use crate::model::modes::DebeziumGeneration;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::binlog::codec::plan::{Context, Decode, Fallback, Plan, exactly};
use crate::source::binlog::codec::{CodecError, wire_type};

/// A number before it is converted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Whole(i64),
    Float(f32),
    Double(f64),
}

impl Number {
    /// A declared default, converted as the column's own type has it.
    fn of(value: &Value) -> Result<Number, &'static str> {
        Ok(match value {
            Value::Boolean(truth) => Number::Whole((*truth).into()),
            Value::Int8(number) => Number::Whole((*number).into()),
            Value::Int16(number) => Number::Whole((*number).into()),
            Value::Int32(number) => Number::Whole((*number).into()),
            Value::Int64(number) => Number::Whole(*number),
            Value::Float32(number) => Number::Float(*number),
            Value::Float64(number) => Number::Double(*number),
            Value::Bytes(unscaled) => Number::Whole(whole(unscaled)?),
            Value::Null | Value::String(_) | Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
                return Err("not a number");
            }
        })
    }

    /// Cut to 32 bits, or held inside them, as Java does.
    fn int(self) -> i32 {
        match self {
            Number::Whole(number) => number as i32,
            Number::Float(number) => number as i32,
            Number::Double(number) => number as i32,
        }
    }

    fn double(self) -> f64 {
        match self {
            Number::Whole(number) => number as f64,
            Number::Float(number) => number.into(),
            Number::Double(number) => number,
        }
    }

    fn float(self) -> f32 {
        match self {
            Number::Whole(number) => number as f32,
            Number::Float(number) => number,
            Number::Double(number) => number as f32,
        }
    }
}

/// The default of a BIGINT UNSIGNED that is a Decimal without digits behind the point.
fn whole(unscaled: &[u8]) -> Result<i64, &'static str> {
    let negative = unscaled.first().is_some_and(|byte| *byte >= 0x80);
    let start = if negative { -1_i128 } else { 0 };
    if unscaled.len() > size_of::<i128>() {
        return Err("a number of more than 64 bits");
    }
    let number = unscaled.iter().fold(start, |number, byte| (number << 8) | i128::from(*byte));
    i64::try_from(number).map_err(|_| "a number of more than 64 bits")
}

/// How the cells of a numeric column are read.
#[derive(Clone, Copy, Debug)]
enum Width {
    One,
    Two,
    Three,
    Four,
    Eight,
    Float,
    Double,
}

impl Width {
    fn of(wire_type: u8) -> Option<Width> {
        Some(match wire_type {
            wire_type::TINY => Width::One,
            wire_type::SHORT => Width::Two,
            wire_type::INT24 => Width::Three,
            wire_type::LONG => Width::Four,
            wire_type::LONGLONG => Width::Eight,
            wire_type::FLOAT => Width::Float,
            wire_type::DOUBLE => Width::Double,
            _ => return None,
        })
    }

    #[inline]
    fn read(self, cell: &[u8]) -> Result<Number, ValueError> {
        Ok(match self {
            Width::One => Number::Whole(i8::from_le_bytes(exactly(cell, "TINYINT")?).into()),
            Width::Two => Number::Whole(i16::from_le_bytes(exactly(cell, "SMALLINT")?).into()),
            Width::Three => {
                // The sign is extended by shifting through the top byte.
                let [a, b, c] = exactly(cell, "MEDIUMINT")?;
                Number::Whole((i32::from_le_bytes([0, a, b, c]) >> 8).into())
            }
            Width::Four => Number::Whole(i32::from_le_bytes(exactly(cell, "INT")?).into()),
            Width::Eight => Number::Whole(i64::from_le_bytes(exactly(cell, "BIGINT")?)),
            Width::Float => Number::Float(f32::from_le_bytes(exactly(cell, "FLOAT")?)),
            Width::Double => Number::Double(f64::from_le_bytes(exactly(cell, "DOUBLE")?)),
        })
    }
}

/// A cell and what is made of its number.
#[derive(Clone, Debug)]
struct Converted<T> {
    width: Width,
    target: T,
}

/// What is made of a number: a value without parts.
trait Target: Copy + Send + Sync + std::fmt::Debug + 'static {
    fn convert(self, number: Number) -> ValueRef<'static>;
    fn owned(self, number: Number) -> Value;
}

macro_rules! target {
    ($name:ident, $variant:ident, $number:ident => $convert:expr) => {
        #[derive(Clone, Copy, Debug)]
        struct $name;

        impl Target for $name {
            #[inline]
            fn convert(self, $number: Number) -> ValueRef<'static> {
                ValueRef::$variant($convert)
            }

            fn owned(self, $number: Number) -> Value {
                Value::$variant($convert)
            }
        }
    };
}

target!(Positive, Boolean, n => n.int() > 0);
target!(NotZero, Boolean, n => n.int() != 0);
target!(OneOrZero, Int16, n => (n.int() > 0).into());
target!(Double, Float64, n => n.double());
target!(Single, Float32, n => n.float());

impl<T: Target> Decode for Converted<T> {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(self.target.convert(self.width.read(cell)?))
    }
}

fn plan_of<T: Target>(context: &Context<'_>, own: Plan, kind: Kind, target: T) -> Result<Plan, CodecError> {
    const REASON: &str = "it takes TINYINT to BIGINT, FLOAT, DOUBLE and REAL";
    let width = Width::of(context.wire.wire_type).ok_or_else(|| refusal(context, REASON))?;
    let default = own.default;
    let default = move |text: &str| match default(text)? {
        Some(value) => Ok(Some(target.owned(Number::of(&value)?))),
        None => Ok(None),
    };
    let fallback = Fallback::Scalar(target.owned(Number::Whole(0)));
    Ok(Plan::new(Schema::new(kind), fallback, Converted { width, target }, default))
}

/// A boolean: true for positive numbers, and since 3.7 for negative ones as well.
pub(super) fn boolean(context: &Context<'_>, own: Plan) -> Result<Plan, CodecError> {
    match context.options.generation {
        DebeziumGeneration::V3_6 => plan_of(context, own, Kind::Boolean, Positive),
        DebeziumGeneration::V3_7 => plan_of(context, own, Kind::Boolean, NotZero),
    }
}

/// An int16, 1 or 0.
pub(super) fn one_or_zero(context: &Context<'_>, own: Plan) -> Result<Plan, CodecError> {
    plan_of(context, own, Kind::Int16, OneOrZero)
}

/// A float64.
pub(super) fn float64(context: &Context<'_>, own: Plan) -> Result<Plan, CodecError> {
    plan_of(context, own, Kind::Float64, Double)
}

/// A float32.
pub(super) fn float32(context: &Context<'_>, own: Plan) -> Result<Plan, CodecError> {
    plan_of(context, own, Kind::Float32, Single)
}
