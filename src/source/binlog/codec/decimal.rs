//! DECIMAL and NUMERIC, up to 65 digits.
//!
//! In: MySQL's packed form (`decimal2bin` of `strings/decimal.cc`): nine digits in four bytes, most significant
//! first, what is left over in fewer; the digits before the point, then those behind it; the sign is the top
//! bit, and a negative number has all bits turned over. Out, by `decimal.handling.mode`: the unscaled number as
//! big-endian two's complement, plain text with every digit of the scale, or the nearest float64. What is made
//! lies in the arena.

use super::CodecError;
use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan, text_in};
use crate::model::modes::DecimalHandlingMode;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
pub(super) use crate::source::codec::decimal::decimal_schema;
use crate::source::codec::decimal::shortest;

/// Digits of the longest DECIMAL.
const MAX_DIGITS: usize = 65;
/// Digits in a full group of four bytes.
const GROUP_DIGITS: usize = 9;
/// Bytes of a group with so many digits.
const GROUP_BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
/// Bytes of 10^65, and one for the sign.
const MAX_UNSCALED_BYTES: usize = 32;

/// The shortest big-endian two's complement of a number: Java's `BigInteger.toByteArray`.
#[inline]
pub(super) fn unscaled_bytes(value: i128, arena: &Arena) -> ValueRef<'_> {
    let bytes = value.to_be_bytes();
    ValueRef::Bytes(arena.alloc_slice_copy(shortest(&bytes)))
}

/// The shape of a column: how its bytes are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    whole: usize,
    scale: usize,
    bytes: usize,
}

fn group_bytes(digits: usize) -> usize {
    digits / GROUP_DIGITS * 4 + GROUP_BYTES.get(digits % GROUP_DIGITS).copied().unwrap_or(0)
}

impl Shape {
    pub fn new(precision: usize, scale: usize) -> Option<Shape> {
        let whole = precision.checked_sub(scale)?;
        if precision == 0 || precision > MAX_DIGITS {
            return None;
        }
        Some(Shape { whole, scale, bytes: group_bytes(whole) + group_bytes(scale) })
    }

    /// The digits of each group, most significant first.
    #[inline]
    fn layout(self) -> impl Iterator<Item = usize> {
        let leading = self.whole % GROUP_DIGITS;
        let trailing = self.scale % GROUP_DIGITS;
        let full = self.whole / GROUP_DIGITS + self.scale / GROUP_DIGITS;
        let layout = std::iter::once(leading).chain(std::iter::repeat_n(GROUP_DIGITS, full)).chain([trailing]);
        layout.filter(|digits| *digits > 0)
    }

    /// The packed form of plain text; `None` for what is no number, or has more digits than there is room for.
    pub fn pack(self, text: &str) -> Option<Vec<u8>> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > self.whole || fraction.len() > self.scale {
            return None;
        }
        let digits = format!("{whole:0>0$}{fraction:0<1$}", self.whole, self.scale);
        let (mut rest, mut packed) = (digits.as_str(), Vec::with_capacity(self.bytes));
        for digits in self.layout() {
            let (group, behind) = rest.split_at_checked(digits)?;
            rest = behind;
            let bytes = group.parse::<u32>().ok()?.to_be_bytes();
            packed.extend_from_slice(bytes.get(4 - GROUP_BYTES.get(digits)?..)?);
        }
        *packed.first_mut()? ^= 0x80;
        if negative {
            packed.iter_mut().for_each(|byte| *byte = !*byte);
        }
        Some(packed)
    }

    /// The plain text of a packed number.
    pub fn unpack(self, cell: &[u8]) -> Option<String> {
        let mut text = [0_u8; MAX_DIGITS + 3];
        let length = self.text(cell, &mut text).ok()?;
        String::from_utf8(text.get(..length)?.to_vec()).ok()
    }

    /// Calls `each` with every group's digits and value, most significant first. Gives back the sign.
    #[inline]
    fn groups(self, cell: &[u8], mut each: impl FnMut(usize, u32)) -> Result<bool, ValueError> {
        if cell.len() != self.bytes {
            return Err(ValueError::Length { column_type: "DECIMAL", expected: self.bytes, actual: cell.len() });
        }
        let mut packed = [0_u8; MAX_UNSCALED_BYTES];
        let Some(packed) = packed.get_mut(..cell.len()) else {
            return Err(ValueError::Length { column_type: "DECIMAL", expected: self.bytes, actual: cell.len() });
        };
        let negative = cell.first().is_some_and(|byte| byte & 0x80 == 0);
        let mask = if negative { 0xff } else { 0 };
        for (to, from) in packed.iter_mut().zip(cell) {
            *to = from ^ mask;
        }
        if let Some(first) = packed.first_mut() {
            *first ^= 0x80;
        }
        let mut rest: &[u8] = packed;
        for digits in self.layout() {
            let length = GROUP_BYTES.get(digits).copied().unwrap_or(0);
            let (group, behind) = rest.split_at_checked(length).ok_or(ValueError::Shape)?;
            rest = behind;
            let value = group.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
            if value >= 10_u32.pow(digits as u32) {
                return Err(ValueError::Invalid { column_type: "DECIMAL", reason: "more digits than a group has" });
            }
            each(digits, value);
        }
        Ok(negative)
    }

    /// Writes the plain text and gives its length.
    fn text(self, cell: &[u8], out: &mut [u8; MAX_DIGITS + 3]) -> Result<usize, ValueError> {
        // Digits first, at fixed places behind the room for a sign and a zero.
        let mut digits = [b'0'; MAX_DIGITS];
        let mut at = 0;
        let negative = self.groups(cell, |count, mut value| {
            for index in (at..at + count).rev() {
                if let Some(digit) = digits.get_mut(index) {
                    *digit = b'0' + (value % 10) as u8;
                }
                value /= 10;
            }
            at += count;
        })?;
        let digits = digits.get(..self.whole + self.scale).unwrap_or_default();
        let (whole, fraction) = digits.split_at_checked(self.whole).unwrap_or_default();
        let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
        let whole = whole.get(zeros..).unwrap_or_default();
        let nonzero = !whole.is_empty() || fraction.iter().any(|digit| *digit != b'0');
        let sign: &[u8] = if negative && nonzero { b"-" } else { b"" };
        let whole = if whole.is_empty() { b"0" } else { whole };
        let point: &[u8] = if fraction.is_empty() { b"" } else { b"." };
        let mut length = 0;
        for byte in sign.iter().chain(whole).chain(point).chain(fraction) {
            if let Some(place) = out.get_mut(length) {
                *place = *byte;
                length += 1;
            }
        }
        Ok(length)
    }
}

/// Up to 18 digits: the unscaled number fits 64 bits.
#[derive(Clone, Debug)]
struct Short(Shape);

impl Decode for Short {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut unscaled = 0_u64;
        let negative = self.0.groups(cell, |digits, value| {
            unscaled = unscaled * 10_u64.pow(digits as u32) + u64::from(value);
        })?;
        let value = if negative { -(unscaled as i64) } else { unscaled as i64 };
        Ok(ValueRef::Bytes(arena.alloc_slice_copy(shortest(&value.to_be_bytes()))))
    }
}

/// Up to 38 digits: the unscaled number fits 128 bits.
#[derive(Clone, Debug)]
struct Medium(Shape);

impl Decode for Medium {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut unscaled = 0_u128;
        let negative = self.0.groups(cell, |digits, value| {
            unscaled = unscaled * 10_u128.pow(digits as u32) + u128::from(value);
        })?;
        let value = if negative { -(unscaled as i128) } else { unscaled as i128 };
        Ok(unscaled_bytes(value, arena))
    }
}

/// Up to 65 digits: 256 bits, as eight limbs, least significant first.
#[derive(Clone, Debug)]
struct Long(Shape);

impl Decode for Long {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut limbs = [0_u32; MAX_UNSCALED_BYTES / 4];
        let negative =
            self.0.groups(cell, |digits, value| multiply_add(&mut limbs, 10_u32.pow(digits as u32), value))?;
        Ok(ValueRef::Bytes(arena.alloc_slice_copy(shortest(&big_endian(limbs, negative)))))
    }
}

/// `limbs × factor + addend`. 10^65 needs 216 bits, so nothing is carried out of 256.
fn multiply_add(limbs: &mut [u32], factor: u32, addend: u32) {
    let mut carry = u64::from(addend);
    for limb in limbs {
        let product = u64::from(*limb) * u64::from(factor) + carry;
        *limb = product as u32;
        carry = product >> 32;
    }
}

/// The two's complement of a magnitude, most significant byte first.
fn big_endian(mut limbs: [u32; MAX_UNSCALED_BYTES / 4], negative: bool) -> [u8; MAX_UNSCALED_BYTES] {
    if negative {
        let mut carry = true;
        for limb in &mut limbs {
            let (value, overflow) = (!*limb).overflowing_add(u32::from(carry));
            *limb = value;
            carry = overflow;
        }
    }
    let mut bytes = [0_u8; MAX_UNSCALED_BYTES];
    for (chunk, limb) in bytes.chunks_exact_mut(4).zip(limbs.iter().rev()) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

#[derive(Clone, Debug)]
struct Text(Shape);

impl Decode for Text {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut text = [0_u8; MAX_DIGITS + 3];
        let length = self.0.text(cell, &mut text)?;
        text_in(arena, text.get(..length).unwrap_or_default())
    }
}

#[derive(Clone, Debug)]
struct Double(Shape);

impl Decode for Double {
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut text = [0_u8; MAX_DIGITS + 3];
        let length = self.0.text(cell, &mut text)?;
        let text = std::str::from_utf8(text.get(..length).unwrap_or_default()).map_err(|_| ValueError::Shape)?;
        // Both Java's BigDecimal.doubleValue and this give the nearest double.
        text.parse().map(ValueRef::Float64).map_err(|_| ValueError::Shape)
    }
}

/// DECIMAL(precision, scale).
pub(super) fn decimal(context: &Context<'_>) -> Result<Plan, CodecError> {
    let precision = context.column.length.unwrap_or(10);
    let scale = context.column.scale.unwrap_or(0);
    let shape = usize::try_from(precision).ok().zip(usize::try_from(scale).ok());
    let shape = shape.and_then(|(precision, scale)| Shape::new(precision, scale));
    let packed = i32::from(context.wire.metadata >> 8) == precision && i32::from(context.wire.metadata & 0xff) == scale;
    let Some(shape) = shape.filter(|_| packed) else { return Err(context.mismatch()) };
    Ok(match context.options.decimal {
        DecimalHandlingMode::Precise => precise(shape, precision, scale),
        DecimalHandlingMode::String => {
            let zero = default_value::Decimal::zero(shape.scale).plain();
            let default = move |text: &str| Ok(Some(Value::text(&parse(text, shape.scale)?.plain())));
            Plan::new(Schema::new(Kind::String), Fallback::Scalar(Value::text(&zero)), Text(shape), default)
        }
        DecimalHandlingMode::Double => {
            let default = move |text: &str| {
                let plain = parse(text, shape.scale)?.plain();
                Ok(Some(Value::Float64(plain.parse().map_err(|_| "not a number")?)))
            };
            Plan::new(Schema::new(Kind::Float64), Fallback::Scalar(Value::Float64(0.0)), Double(shape), default)
        }
    })
}

fn precise(shape: Shape, precision: i32, scale: i32) -> Plan {
    let schema = decimal_schema(precision, scale);
    let zero = Fallback::Scalar(Value::Bytes([0_u8].as_slice().into()));
    let default = move |text: &str| {
        let unscaled = parse(text, shape.scale)?.unscaled(shape.scale).ok_or("more digits than a DECIMAL has")?;
        Ok(Some(Value::Bytes(unscaled.into())))
    };
    match shape.whole + shape.scale {
        0..=18 => Plan::new(schema, zero, Short(shape), default),
        19..=38 => Plan::new(schema, zero, Medium(shape), default),
        _ => Plan::new(schema, zero, Long(shape), default),
    }
}

/// A declared default, rounded half up to the scale.
fn parse(text: &str, scale: usize) -> Result<default_value::Decimal, &'static str> {
    let text = default_value::trimmed(text);
    let text = match default_value::truth(text) {
        Some(true) => "1",
        Some(false) => "0",
        None => text,
    };
    default_value::Decimal::parse(text).map(|number| number.rounded(scale)).ok_or("not a number")
}
