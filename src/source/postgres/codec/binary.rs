//! BYTEA, BIT, BIT VARYING, and types that Debezium does not know, which are bytes when they are asked for.
//!
//! In: `\\xdead`, or the older escape form, where a byte that is not shown is `\\ooo`; the digits of a bit string; any
//! text. Out: bytes by `binary.handling.mode`; `io.debezium.data.Bits`, least significant byte first and no longer than
//! the highest bit that is set, as Debezium has it.

use super::Context;
use super::default_value::{self, Kind as DefaultKind};
use crate::model::modes::BinaryHandlingMode;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::binary::{binary_schema, binary_value, encoded};
use crate::source::codec::plan::{Decode, Fallback, Plan};

/// The value of a hexadecimal digit.
#[inline]
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Bytes written as pairs of hexadecimal digits.
pub(super) fn from_hex<'a>(digits: &[u8], column_type: &'static str, arena: &'a Arena) -> Result<&'a [u8], ValueError> {
    let invalid = ValueError::Invalid { column_type, reason: "not pairs of hexadecimal digits" };
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(invalid);
    }
    let out = arena.alloc_slice_fill_copy(pairs.len(), 0_u8);
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(invalid) };
        *byte = high << 4 | low;
    }
    Ok(out)
}

/// Bytes in the older form (`bytea_output=escape`).
fn from_escapes<'a>(cell: &[u8], arena: &'a Arena) -> Result<&'a [u8], ValueError> {
    let invalid = ValueError::Invalid { column_type: "bytea", reason: "an escape that is none" };
    let mut out = bumpalo::collections::Vec::with_capacity_in(cell.len(), arena);
    let mut rest = cell;
    while let Some((first, behind)) = rest.split_first() {
        (rest, _) = match (first, behind) {
            (b'\\', [b'\\', behind @ ..]) => (behind, out.push(b'\\')),
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', behind @ ..]) => {
                (behind, out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0')))
            }
            (b'\\', _) => return Err(invalid),
            (byte, behind) => (behind, out.push(*byte)),
        };
    }
    Ok(out.into_bump_slice())
}

#[derive(Clone, Debug)]
struct Bytes(BinaryHandlingMode);

impl Decode for Bytes {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let bytes = match cell {
            [b'\\', b'x', digits @ ..] => from_hex(digits, "bytea", arena)?,
            escaped => from_escapes(escaped, arena)?,
        };
        binary_value(self.0, bytes, arena)
    }
}

/// The text itself, as bytes.
#[derive(Clone, Debug)]
struct Opaque(BinaryHandlingMode);

impl Decode for Opaque {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        binary_value(self.0, cell, arena)
    }
}

/// Debezium has no placeholder in base64: null stands there.
fn placed(plan: Plan, mode: BinaryHandlingMode) -> Plan {
    match mode {
        BinaryHandlingMode::Bytes => plan.with_placeholder(|placeholder| Value::Bytes(placeholder.as_bytes().into())),
        BinaryHandlingMode::Hex => plan.with_placeholder(Value::text),
        BinaryHandlingMode::Base64 | BinaryHandlingMode::Base64UrlSafe => plan,
    }
}

/// What stands for null in a column that cannot be null: Debezium writes one zero byte.
fn nothing(mode: BinaryHandlingMode) -> Fallback {
    Fallback::Scalar(encoded(mode, &[]))
}

/// BYTEA.
pub(super) fn bytes(context: &Context<'_>) -> Plan {
    let mode = context.options.binary;
    placed(Plan::new(binary_schema(mode), nothing(mode), Bytes(mode), default_value::none), mode)
}

/// A type that Debezium does not know, with `include.unknown.datatypes`.
pub(super) fn opaque(context: &Context<'_>) -> Plan {
    opaque_by(context, Opaque(context.options.binary))
}

/// The same, read by a decoder that makes bytes by the mode.
pub(super) fn opaque_by(context: &Context<'_>, decoder: impl Decode) -> Plan {
    let mode = context.options.binary;
    placed(Plan::new(binary_schema(mode), nothing(mode), decoder, default_value::none), mode)
}

/// The schema of a bit string of so many bits.
pub(super) fn bits_schema(length: i32) -> Schema {
    if length > 1 {
        Schema::new(Kind::Bytes).named("io.debezium.data.Bits").version(1).parameter("length", &length.to_string())
    } else {
        Schema::new(Kind::Boolean)
    }
}

#[derive(Clone, Debug)]
struct OneBit;

impl Decode for OneBit {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match cell {
            b"1" => Ok(ValueRef::Boolean(true)),
            b"0" => Ok(ValueRef::Boolean(false)),
            _ => Err(ValueError::Invalid { column_type: "bit", reason: "not one bit" }),
        }
    }
}

#[derive(Clone, Debug)]
struct Bits;

impl Decode for Bits {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let first = cell.iter().position(|digit| *digit != b'0').unwrap_or(cell.len());
        let digits = cell.get(first..).unwrap_or_default();
        let out = arena.alloc_slice_fill_copy(digits.len().div_ceil(8), 0_u8);
        for (byte, digits) in out.iter_mut().zip(digits.rchunks(8)) {
            for digit in digits {
                match digit {
                    b'0' | b'1' => *byte = *byte << 1 | (digit - b'0'),
                    _ => return Err(ValueError::Invalid { column_type: "bit", reason: "not binary digits" }),
                }
            }
        }
        Ok(ValueRef::Bytes(out))
    }
}

/// The bytes of binary digits, as a codec makes them.
pub(super) fn bits_value(digits: &str) -> Option<Value> {
    let arena = Arena::new();
    let decoded = Bits.decode(digits.as_bytes(), &arena).ok()?;
    decoded.to_owned(&bits_schema(2), &arena).ok()
}

/// BIT(n) and BIT VARYING(n); one bit is a boolean.
pub(super) fn bits(context: &Context<'_>) -> Plan {
    let schema = bits_schema(context.length);
    let varying = context.root.oid == super::oid::VARBIT;
    if context.length > 1 {
        let fallback = Fallback::Scalar(Value::Bytes([].as_slice().into()));
        return Plan::new(schema, fallback, Bits, move |text| {
            default_value::parse(DefaultKind::Bits { varying, one: false }, text)
        });
    }
    let fallback = Fallback::Scalar(Value::Boolean(false));
    Plan::new(schema, fallback, OneBit, move |text| {
        default_value::parse(DefaultKind::Bits { varying, one: true }, text)
    })
}
