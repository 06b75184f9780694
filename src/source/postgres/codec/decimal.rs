//! NUMERIC and MONEY.
//!
//! In: plain decimal text, `NaN`, `Infinity`, `-Infinity`; money with a currency sign, commas and parentheses or a minus.
//! Out, by `decimal.handling.mode`: the unscaled number as big-endian two's complement, beside its scale where the column
//! has none; plain text; the nearest float64. Numbers of any length are read; up to 38 digits without a loop over limbs.

use super::Context;
use super::default_value::{self, Kind as DefaultKind};
use super::describe::VARIABLE_SCALE_LENGTH;
use crate::model::modes::DecimalHandlingMode;
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, Value, ValueError, ValueRef};
use crate::source::codec::decimal::{Decimal, decimal_schema, shortest};
use crate::source::codec::plan::{Constant, Decode, Fallback, Plan};

/// Digits that a limb takes at once.
const LIMB_DIGITS: usize = 9;

fn invalid(reason: &'static str) -> ValueError {
    ValueError::Invalid { column_type: "numeric", reason }
}

/// A number as the server writes it, taken apart.
#[derive(Clone, Copy, Debug)]
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Parts<'a> {
    #[inline]
    fn read(cell: &'a [u8]) -> Result<Parts<'a>, ValueError> {
        let (negative, rest) = match cell {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (whole, fraction) = match rest.iter().position(|byte| *byte == b'.') {
            Some(point) => (rest.get(..point).unwrap_or_default(), rest.get(point + 1..).unwrap_or_default()),
            None => (rest, &[][..]),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid("no digits"));
        }
        Ok(Parts { negative, whole, fraction })
    }

    /// With no more digits behind the point than a scale has; those that are cut must be zeros.
    fn within(self, scale: usize) -> Result<Parts<'a>, ValueError> {
        match self.fraction.split_at_checked(scale) {
            Some((kept, cut)) if cut.iter().all(|digit| *digit == b'0') => Ok(Parts { fraction: kept, ..self }),
            Some(_) => Err(invalid("more digits behind the point than the column has")),
            None => Ok(self),
        }
    }

    /// Without zeros at the end of the fraction.
    fn stripped(self) -> Parts<'a> {
        let kept = self.fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        Parts { fraction: self.fraction.get(..kept).unwrap_or_default(), ..self }
    }

    /// The unscaled number at a scale that has room for the fraction.
    #[inline]
    fn unscaled(self, scale: usize, arena: &Arena) -> Result<&[u8], ValueError> {
        let zeros = scale.saturating_sub(self.fraction.len());
        let digits = self.whole.len() + self.fraction.len() + zeros;
        if digits <= 18 {
            let value = self.fold(zeros, 0_i64, |sum, digit| sum * 10 + i64::from(digit))?;
            let value = if self.negative { -value } else { value };
            return Ok(arena.alloc_slice_copy(shortest(&value.to_be_bytes())));
        }
        if digits <= 38 {
            let value = self.fold(zeros, 0_i128, |sum, digit| sum * 10 + i128::from(digit))?;
            let value = if self.negative { -value } else { value };
            return Ok(arena.alloc_slice_copy(shortest(&value.to_be_bytes())));
        }
        self.long(zeros, digits, arena)
    }

    /// Takes every digit, most significant first, and so many zeros behind them.
    #[inline]
    fn fold<S>(self, zeros: usize, start: S, step: impl Fn(S, u8) -> S) -> Result<S, ValueError> {
        let mut sum = start;
        for byte in self.whole.iter().chain(self.fraction) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(invalid("not a digit"));
            }
            sum = step(sum, digit);
        }
        for _ in 0..zeros {
            sum = step(sum, 0);
        }
        Ok(sum)
    }

    /// Any number of digits, by limbs, least significant first. Nine digits need 30 bits, so a limb for each nine holds
    /// all, and one bit is left for the sign.
    fn long(self, zeros: usize, digits: usize, arena: &Arena) -> Result<&[u8], ValueError> {
        let limbs = arena.alloc_slice_fill_copy(digits.div_ceil(LIMB_DIGITS) + 1, 0_u32);
        let mut used = 0;
        let (mut group, mut factor) = (0_u32, 1_u32);
        let zeros = std::iter::repeat_n(&b'0', zeros);
        for byte in self.whole.iter().chain(self.fraction).chain(zeros) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(invalid("not a digit"));
            }
            group = group * 10 + u32::from(digit);
            factor *= 10;
            if factor == 1_000_000_000 {
                used = multiply_add(limbs, used, factor, group);
                (group, factor) = (0, 1);
            }
        }
        multiply_add(limbs, used, factor, group);
        let out = arena.alloc_slice_fill_copy(limbs.len() * 4, 0_u8);
        let mut carry = self.negative;
        for (chunk, limb) in out.rchunks_exact_mut(4).zip(limbs.iter()) {
            let (value, overflow) = match self.negative {
                true => (!*limb).overflowing_add(u32::from(carry)),
                false => (*limb, false),
            };
            carry = overflow;
            chunk.copy_from_slice(&value.to_be_bytes());
        }
        Ok(shortest(out))
    }
}

/// `limbs × factor + addend`, of which so many limbs are used; gives back how many are then.
fn multiply_add(limbs: &mut [u32], used: usize, factor: u32, addend: u32) -> usize {
    let mut carry = u64::from(addend);
    for limb in limbs.iter_mut().take(used) {
        let product = u64::from(*limb) * u64::from(factor) + carry;
        *limb = product as u32;
        carry = product >> 32;
    }
    match limbs.get_mut(used) {
        Some(limb) if carry != 0 => {
            *limb = carry as u32;
            used + 1
        }
        Some(_) | None => used,
    }
}

/// What Debezium calls the numbers that are none.
fn special(cell: &[u8]) -> Option<(&'static str, f64)> {
    match cell {
        b"NaN" => Some(("NAN", f64::NAN)),
        b"Infinity" => Some(("POSITIVE_INFINITY", f64::INFINITY)),
        b"-Infinity" => Some(("NEGATIVE_INFINITY", f64::NEG_INFINITY)),
        _ => None,
    }
}

const NO_NUMBER: &str = "NaN and Infinity are no Decimal: decimal.handling.mode string or double has them";

/// A column with a scale, as bytes.
#[derive(Clone, Debug)]
struct Precise {
    scale: usize,
}

impl Decode for Precise {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if special(cell).is_some() {
            return Err(invalid(NO_NUMBER));
        }
        let parts = Parts::read(cell)?.within(self.scale)?;
        parts.unscaled(self.scale, arena).map(ValueRef::Bytes)
    }
}

struct VariableValue<'a> {
    scale: i32,
    unscaled: &'a [u8],
}

impl StructView for VariableValue<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => ValueRef::Int32(self.scale),
            1 => ValueRef::Bytes(self.unscaled),
            _ => ValueRef::Null,
        })
    }
}

/// A column without a scale, as a struct.
#[derive(Clone, Debug)]
struct Variable;

impl Decode for Variable {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if special(cell).is_some() {
            return Err(invalid(NO_NUMBER));
        }
        let parts = Parts::read(cell)?.stripped();
        let unscaled = parts.unscaled(parts.fraction.len(), arena)?;
        let scale = i32::try_from(parts.fraction.len()).map_err(|_| invalid("more digits than a number has"))?;
        Ok(ValueRef::Struct(arena.alloc(VariableValue { scale, unscaled })))
    }
}

/// Plain text with every digit of the scale; `None` leaves what the server wrote.
#[derive(Clone, Debug)]
struct Plain {
    scale: Option<usize>,
}

impl Decode for Plain {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if let Some((name, _)) = special(cell) {
            return Ok(ValueRef::String(name));
        }
        let mut parts = Parts::read(cell)?;
        parts.fold(0, (), |(), _| ())?;
        if let Some(scale) = self.scale {
            parts = parts.within(scale)?;
        }
        let missing = self.scale.unwrap_or(0).saturating_sub(parts.fraction.len());
        let kept = usize::from(parts.negative) + parts.whole.len() + usize::from(!parts.fraction.is_empty());
        let text = cell.get(..kept + parts.fraction.len()).unwrap_or(cell);
        let text = std::str::from_utf8(text).map_err(|_| ValueError::Shape)?;
        if missing == 0 {
            return Ok(ValueRef::String(text));
        }
        let mut padded = bumpalo::collections::String::with_capacity_in(text.len() + missing + 1, arena);
        padded.push_str(text);
        if parts.fraction.is_empty() {
            padded.push('.');
        }
        padded.extend(std::iter::repeat_n('0', missing));
        Ok(ValueRef::String(padded.into_bump_str()))
    }
}

#[derive(Clone, Debug)]
struct Double;

impl Decode for Double {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if let Some((_, value)) = special(cell) {
            return Ok(ValueRef::Float64(value));
        }
        Parts::read(cell)?.fold(0, (), |(), _| ())?;
        let text = std::str::from_utf8(cell).map_err(|_| ValueError::Shape)?;
        text.parse().map(ValueRef::Float64).map_err(|_| ValueError::Shape)
    }
}

fn variable_schema() -> Schema {
    let fields = vec![Field::new("scale", Schema::new(Kind::Int32)), Field::new("value", Schema::new(Kind::Bytes))];
    let schema = Schema::new(Kind::Struct(fields)).named("io.debezium.data.VariableScaleDecimal");
    schema.version(1).doc("Variable scaled decimal")
}

/// NUMERIC.
pub(super) fn numeric(context: &Context<'_>) -> Plan {
    let variable = matches!(context.length, 0 | VARIABLE_SCALE_LENGTH) && context.scale == 0;
    let scale = usize::try_from(context.scale).unwrap_or(0);
    let kept = (!variable).then_some(scale);
    let default = move |mode| move |text: &str| default_value::parse(DefaultKind::Numeric { mode, scale: kept }, text);
    match context.options.decimal {
        DecimalHandlingMode::Precise if variable => {
            Plan::new(variable_schema(), Fallback::Constant(Constant::VariableZero), Variable, default_value::none)
        }
        DecimalHandlingMode::Precise => {
            let zero = Fallback::Scalar(Value::Bytes([0_u8].as_slice().into()));
            let schema = decimal_schema(context.length, context.scale);
            Plan::new(schema, zero, Precise { scale }, default(DecimalHandlingMode::Precise))
        }
        DecimalHandlingMode::String => {
            let zero = Fallback::Scalar(Value::text(&Decimal::zero(scale).plain()));
            let plan =
                Plan::new(Schema::new(Kind::String), zero, Plain { scale: kept }, default(DecimalHandlingMode::String));
            plan.with_placeholder(Value::text)
        }
        DecimalHandlingMode::Double => {
            let zero = Fallback::Scalar(Value::Float64(0.0));
            Plan::new(Schema::new(Kind::Float64), zero, Double, default(DecimalHandlingMode::Double))
        }
    }
}

/// Takes the currency and the commas off money.
fn amount<'a>(cell: &[u8], arena: &'a Arena) -> Result<&'a [u8], ValueError> {
    let invalid = ValueError::Invalid { column_type: "money", reason: "not an amount" };
    let negative = cell.iter().any(|byte| matches!(byte, b'-' | b'('));
    let mut out = bumpalo::collections::Vec::with_capacity_in(cell.len() + 1, arena);
    if negative {
        out.push(b'-');
    }
    out.extend(cell.iter().copied().filter(|byte| byte.is_ascii_digit() || *byte == b'.'));
    if !out.iter().any(u8::is_ascii_digit) {
        return Err(invalid);
    }
    Ok(out.into_bump_slice())
}

/// MONEY, by a numeric decoder.
#[derive(Clone, Debug)]
struct Money<D>(D);

impl<D: Decode> Decode for Money<D> {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        self.0.decode(amount(cell, arena)?, arena)
    }
}

/// An amount rounded half up to `money.fraction.digits`.
#[derive(Clone, Debug)]
struct Rounded {
    scale: usize,
}

impl Decode for Rounded {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let parts = Parts::read(cell)?;
        if parts.fraction.len() <= self.scale {
            return parts.unscaled(self.scale, arena).map(ValueRef::Bytes);
        }
        let text = std::str::from_utf8(cell).map_err(|_| ValueError::Shape)?;
        let unscaled = Decimal::parse(text).and_then(|number| number.unscaled(self.scale));
        let unscaled = unscaled.ok_or(invalid("more digits than money has"))?;
        Ok(ValueRef::Bytes(arena.alloc_slice_copy(&unscaled)))
    }
}

/// MONEY. The server's `lc_monetary` decides on its text; a point and commas are understood, as by Debezium.
pub(super) fn money(context: &Context<'_>) -> Plan {
    let digits = context.options.money_fraction_digits;
    let scale = usize::try_from(digits).unwrap_or(0);
    match context.options.decimal {
        DecimalHandlingMode::Precise => {
            let schema = Schema::new(Kind::Bytes)
                .named("org.apache.kafka.connect.data.Decimal")
                .version(1)
                .parameter("scale", &digits.to_string());
            let zero = Fallback::Scalar(Value::Bytes([0_u8].as_slice().into()));
            Plan::new(schema, zero, Money(Rounded { scale }), default_value::none)
        }
        DecimalHandlingMode::String => {
            let zero = Fallback::Scalar(Value::text(&Decimal::zero(scale).plain()));
            Plan::new(Schema::new(Kind::String), zero, Money(Plain { scale: None }), default_value::none)
        }
        DecimalHandlingMode::Double => {
            let zero = Fallback::Scalar(Value::Float64(0.0));
            Plan::new(Schema::new(Kind::Float64), zero, Money(Double), default_value::none)
        }
    }
}
