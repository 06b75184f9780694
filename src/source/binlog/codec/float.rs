//! FLOAT, DOUBLE and REAL.
//!
//! In: IEEE 754, four or eight bytes, least significant first. Out: float32 for FLOAT of up to 24 bits without
//! scale and for REAL, float64 for all else, whatever the wire has: Debezium widens and narrows, and so do we.

use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan, exactly};
use super::{CodecError, wire_type};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// Bits of precision up to which FLOAT(p) has four bytes.
const FLOAT_BITS: i32 = 24;

macro_rules! decoder {
    ($name:ident, $column_type:literal, $from:ty, $value:ident => $out:expr) => {
        #[derive(Clone, Debug)]
        struct $name;

        impl Decode for $name {
            #[inline]
            fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
                let $value = <$from>::from_le_bytes(exactly(cell, $column_type)?);
                Ok($out)
            }
        }
    };
}

decoder!(Float, "FLOAT", f32, v => ValueRef::Float32(v));
decoder!(FloatWidened, "FLOAT", f32, v => ValueRef::Float64(v.into()));
decoder!(Double, "DOUBLE", f64, v => ValueRef::Float64(v));
decoder!(DoubleNarrowed, "REAL", f64, v => ValueRef::Float32(v as f32));

fn number(text: &str) -> Result<f64, &'static str> {
    let text = default_value::trimmed(text);
    match default_value::truth(text) {
        Some(truth) => Ok(f64::from(u8::from(truth))),
        None => default_value::java_double(text).ok_or("not a number"),
    }
}

fn single<D: Decode>(decoder: D) -> Plan {
    let default = |text: &str| Ok(Some(Value::Float32(number(text)? as f32)));
    Plan::new(Schema::new(Kind::Float32), Fallback::Scalar(Value::Float32(0.0)), decoder, default)
}

fn double<D: Decode>(decoder: D) -> Plan {
    let default = |text: &str| Ok(Some(Value::Float64(number(text)?)));
    Plan::new(Schema::new(Kind::Float64), Fallback::Scalar(Value::Float64(0.0)), decoder, default)
}

/// FLOAT, FLOAT(p) and FLOAT(m,d).
pub(super) fn float(context: &Context<'_>) -> Result<Plan, CodecError> {
    let short = context.column.scale.is_none() && context.column.length.unwrap_or(-1) <= FLOAT_BITS;
    match (context.wire.wire_type, short) {
        (wire_type::FLOAT, true) => Ok(single(Float)),
        (wire_type::FLOAT, false) if context.column.scale.is_some() => Ok(double(FloatWidened)),
        (wire_type::DOUBLE, false) => Ok(double(Double)),
        _ => Err(context.mismatch()),
    }
}

/// DOUBLE, with or without (m,d).
pub(super) fn double_precision(_context: &Context<'_>) -> Result<Plan, CodecError> {
    Ok(double(Double))
}

/// REAL, which the server stores as DOUBLE unless `sql_mode` has REAL_AS_FLOAT.
pub(super) fn real(context: &Context<'_>) -> Result<Plan, CodecError> {
    Ok(if context.wire.wire_type == wire_type::FLOAT { single(Float) } else { single(DoubleNarrowed) })
}
