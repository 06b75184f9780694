//! TINYINT to BIGINT, signed and unsigned, and BOOLEAN.
//!
//! In: 1, 2, 3, 4 or 8 bytes, least significant first. Out: the Connect integer that holds every value of the
//! type, as Debezium chooses it. BIGINT UNSIGNED is an int64 that wraps, or a Decimal.
//!
//! A signed TINYINT is an int16 for a table that Debezium 3.6 defined, and an int8 for one that 3.7 did: which of them it
//! was stands in the column's JDBC type, in the schema history as well, and Debezium of either generation goes by it.

use super::decimal::{self, decimal_schema};
use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan, exactly};
use super::{CodecError, wire_type};
use crate::model::modes::BigIntUnsignedHandlingMode;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// `java.sql.Types.TINYINT`.
const JDBC_TINYINT: i32 = -6;

/// Digits of the largest BIGINT UNSIGNED.
const BIGINT_UNSIGNED_PRECISION: i32 = 20;

macro_rules! decoder {
    ($(#[$doc:meta])* $name:ident, $column_type:literal, $bytes:ident => $value:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        struct $name;

        impl Decode for $name {
            #[inline]
            fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
                let $bytes = exactly(cell, $column_type)?;
                Ok($value)
            }
        }
    };
}

decoder!(Boolean, "BOOLEAN", b => { let [b]: [u8; 1] = b; ValueRef::Boolean(b != 0) });
decoder!(Byte, "TINYINT", b => ValueRef::Int8(i8::from_le_bytes(b)));
decoder!(Tiny, "TINYINT", b => ValueRef::Int16(i8::from_le_bytes(b).into()));
decoder!(TinyUnsigned, "TINYINT", b => ValueRef::Int16(u8::from_le_bytes(b).into()));
decoder!(Small, "SMALLINT", b => ValueRef::Int16(i16::from_le_bytes(b)));
decoder!(SmallUnsigned, "SMALLINT", b => ValueRef::Int32(u16::from_le_bytes(b).into()));
decoder!(
    /// The sign is extended by shifting through the top byte.
    Medium, "MEDIUMINT", b => { let [a, b, c] = b; ValueRef::Int32(i32::from_le_bytes([0, a, b, c]) >> 8) }
);
decoder!(MediumUnsigned, "MEDIUMINT", b => { let [a, b, c] = b; ValueRef::Int32(i32::from_le_bytes([a, b, c, 0])) });
decoder!(Int, "INT", b => ValueRef::Int32(i32::from_le_bytes(b)));
decoder!(IntUnsigned, "INT", b => ValueRef::Int64(u32::from_le_bytes(b).into()));
decoder!(Big, "BIGINT", b => ValueRef::Int64(i64::from_le_bytes(b)));

/// BIGINT UNSIGNED as an unscaled Decimal.
#[derive(Clone, Debug)]
struct BigPrecise;

impl Decode for BigPrecise {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let value = u64::from_le_bytes(exactly(cell, "BIGINT")?);
        Ok(decimal::unscaled_bytes(i128::from(value), arena))
    }
}

/// Which Connect integer a default becomes.
#[derive(Clone, Copy)]
enum Width {
    Eight,
    Sixteen,
    ThirtyTwo,
    SixtyFour,
}

/// A declared default as Debezium reads it: a floating point number, rounded, and cut to the width. `correction`
/// is what Debezium adds to negative numbers of unsigned columns.
fn integer_default(text: &str, width: Width, correction: i64) -> Result<Option<Value>, &'static str> {
    let text = default_value::trimmed(text);
    let rounded = match default_value::truth(text) {
        Some(truth) => i64::from(truth),
        None => default_value::java_round(default_value::java_double(text).ok_or("not a number")?),
    };
    let correct = |value: i64| if value < 0 { value + correction } else { value };
    Ok(Some(match width {
        Width::Eight => Value::Int8(correct((rounded as i8).into()) as i8),
        Width::Sixteen => Value::Int16(correct((rounded as i16).into()) as i16),
        Width::ThirtyTwo => Value::Int32(correct((rounded as i32).into()) as i32),
        Width::SixtyFour => Value::Int64(correct(rounded)),
    }))
}

/// BOOLEAN and BOOL, which are other names of TINYINT(1).
pub(super) fn boolean(_context: &Context<'_>) -> Result<Plan, CodecError> {
    let default = |text: &str| {
        let text = default_value::trimmed(text);
        Ok(Some(Value::Boolean(match text.parse::<i32>() {
            Ok(number) => number != 0,
            Err(_) => text.eq_ignore_ascii_case("true"),
        })))
    };
    Ok(Plan::new(Schema::new(Kind::Boolean), Fallback::Scalar(Value::Boolean(false)), Boolean, default))
}

/// All integer types: the wire type says the width, the tracked name whether it is unsigned.
pub(super) fn integer(context: &Context<'_>) -> Result<Plan, CodecError> {
    let unsigned = context.type_name.unsigned || context.type_name.base == "SERIAL";
    if context.wire.unsigned.is_some_and(|wire| wire != unsigned) {
        return Err(context.mismatch());
    }
    let plan = match (context.wire.wire_type, unsigned) {
        (wire_type::TINY, false) if context.column.jdbc_type == JDBC_TINYINT => eight(),
        (wire_type::TINY, false) => sixteen(Tiny, 0),
        (wire_type::TINY, true) => sixteen(TinyUnsigned, 1 << 8),
        (wire_type::SHORT, false) => sixteen(Small, 0),
        (wire_type::SHORT, true) => thirty_two(SmallUnsigned, 1 << 16),
        (wire_type::INT24, false) => thirty_two(Medium, 0),
        (wire_type::INT24, true) => thirty_two(MediumUnsigned, 1 << 24),
        (wire_type::LONG, false) => thirty_two(Int, 0),
        (wire_type::LONG, true) => sixty_four(IntUnsigned, 1 << 32),
        (wire_type::LONGLONG, false) => sixty_four(Big, 0),
        (wire_type::LONGLONG, true) => match context.options.bigint_unsigned {
            BigIntUnsignedHandlingMode::Long => sixty_four(Big, 0),
            BigIntUnsignedHandlingMode::Precise => precise(),
        },
        _ => return Err(context.mismatch()),
    };
    Ok(plan)
}

fn eight() -> Plan {
    let default = |text: &str| integer_default(text, Width::Eight, 0);
    Plan::new(Schema::new(Kind::Int8), Fallback::Scalar(Value::Int8(0)), Byte, default)
}

fn sixteen<D: Decode>(decoder: D, correction: i64) -> Plan {
    let default = move |text: &str| integer_default(text, Width::Sixteen, correction);
    Plan::new(Schema::new(Kind::Int16), Fallback::Scalar(Value::Int16(0)), decoder, default)
}

fn thirty_two<D: Decode>(decoder: D, correction: i64) -> Plan {
    let default = move |text: &str| integer_default(text, Width::ThirtyTwo, correction);
    Plan::new(Schema::new(Kind::Int32), Fallback::Scalar(Value::Int32(0)), decoder, default)
}

fn sixty_four<D: Decode>(decoder: D, correction: i64) -> Plan {
    let default = move |text: &str| integer_default(text, Width::SixtyFour, correction);
    Plan::new(Schema::new(Kind::Int64), Fallback::Scalar(Value::Int64(0)), decoder, default)
}

fn precise() -> Plan {
    let default = |text: &str| {
        let number = default_value::Decimal::parse(default_value::trimmed(text)).ok_or("not a number")?;
        Ok(Some(Value::Bytes(number.unscaled(0).ok_or("more digits than a DECIMAL has")?.into())))
    };
    // Debezium's own fallback here is a plain 0 that its schema does not allow; an unscaled zero is what it means.
    let zero = Fallback::Scalar(Value::Bytes([0_u8].as_slice().into()));
    Plan::new(decimal_schema(BIGINT_UNSIGNED_PRECISION, 0), zero, BigPrecise, default)
}
