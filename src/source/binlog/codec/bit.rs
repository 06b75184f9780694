//! BIT: one bit is a boolean, more are bytes, least significant first.
//!
//! In: the bits, most significant byte first, in as few bytes as hold them. Out: a boolean for BIT(1), else
//! `io.debezium.data.Bits` with its length.

use super::CodecError;
use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// BIT(64) is the longest.
const MAX_BITS: i32 = 64;

#[derive(Clone, Debug)]
struct OneBit;

impl Decode for OneBit {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match cell {
            [bits] => Ok(ValueRef::Boolean(bits & 1 == 1)),
            _ => Err(ValueError::Length { column_type: "BIT", expected: 1, actual: cell.len() }),
        }
    }
}

#[derive(Clone, Debug)]
struct Bits {
    bytes: usize,
}

impl Decode for Bits {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if cell.len() != self.bytes {
            return Err(ValueError::Length { column_type: "BIT", expected: self.bytes, actual: cell.len() });
        }
        Ok(ValueRef::Bytes(arena.alloc_slice_fill_iter(cell.iter().rev().copied())))
    }
}

/// BIT(n).
pub(super) fn bit(context: &Context<'_>) -> Result<Plan, CodecError> {
    let length = context.column.length.unwrap_or(1).clamp(1, MAX_BITS);
    if i32::from(context.wire.metadata) != length {
        return Err(context.mismatch());
    }
    if length == 1 {
        let fallback = Fallback::Scalar(Value::Boolean(false));
        return Ok(Plan::new(Schema::new(Kind::Boolean), fallback, OneBit, one_bit_default));
    }
    let bytes = (length as usize).div_ceil(8);
    let schema =
        Schema::new(Kind::Bytes).named("io.debezium.data.Bits").version(1).parameter("length", &length.to_string());
    let fallback = Fallback::Scalar(Value::Bytes([].as_slice().into()));
    Ok(Plan::new(schema, fallback, Bits { bytes }, move |text| bits_default(text, bytes)))
}

fn one_bit_default(text: &str) -> Result<Option<Value>, &'static str> {
    let text = default_value::trimmed(text);
    Ok(Some(Value::Boolean(match text.parse::<i16>() {
        Ok(number) => number != 0,
        Err(_) => text.eq_ignore_ascii_case("true"),
    })))
}

/// Binary digits, the last one least significant.
fn bits_default(text: &str, bytes: usize) -> Result<Option<Value>, &'static str> {
    let digits = default_value::trimmed(text).as_bytes();
    let mut value = vec![0_u8; bytes.max(digits.len().div_ceil(8))];
    for (index, digit) in digits.iter().rev().enumerate() {
        match (digit, value.get_mut(index / 8)) {
            (b'0', _) => {}
            (b'1', Some(byte)) => *byte |= 1 << (index % 8),
            _ => return Err("not binary digits"),
        }
    }
    Ok(Some(Value::Bytes(value.into())))
}
