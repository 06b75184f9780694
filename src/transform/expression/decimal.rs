//! `java.math.BigDecimal` as far as comparisons need it.

use std::cmp::Ordering;

use crate::util::java_text::write_decimal;

/// Largest distance between two scales that is compared digit by digit. Databases have scales up to 30 (MySQL) or 1,000
/// (PostgreSQL); a number that names another is not lined up with zeros in memory.
const SCALES_APART: i64 = 20_000;

/// A decimal that stands in an expression.
pub struct Decimal {
    unscaled: Box<[u8]>,
    scale: i32,
}

/// A decimal where it lies: an unscaled value (big-endian two's complement) and a scale.
#[derive(Clone, Copy)]
pub struct DecimalRef<'d> {
    /// The unscaled value.
    pub unscaled: &'d [u8],
    /// Digits behind the point.
    pub scale: i32,
}

impl Decimal {
    /// `new BigDecimal("12.50")`, with an exponent or without; none beyond 38 digits.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        Some(Decimal { unscaled: Box::new(unscaled.to_be_bytes()), scale })
    }

    /// The decimal where it lies.
    pub fn borrow(&self) -> DecimalRef<'_> {
        DecimalRef { unscaled: &self.unscaled, scale: self.scale }
    }
}

impl DecimalRef<'_> {
    /// `BigDecimal.compareTo`: 1.0 and 1.00 are the same number. None where the scales are absurdly far apart.
    pub fn compare(self, other: DecimalRef<'_>) -> Option<Ordering> {
        let apart = i64::from(self.scale) - i64::from(other.scale);
        if let (Some(left), Some(right)) = (self.small(), other.small()) {
            let shift = |number: i128, zeros: i64| {
                let power = 10i128.checked_pow(u32::try_from(zeros.max(0)).ok()?)?;
                number.checked_mul(power)
            };
            if let (Some(left), Some(right)) = (shift(left, -apart), shift(right, apart)) {
                return Some(left.cmp(&right));
            }
        }
        if apart.abs() > SCALES_APART {
            return None;
        }
        let (left, right) = (self.digits(-apart), other.digits(apart));
        Some(match (left.0, right.0) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => (left.1.len(), &left.1).cmp(&(right.1.len(), &right.1)),
            (true, true) => (right.1.len(), &right.1).cmp(&(left.1.len(), &left.1)),
        })
    }

    /// `BigDecimal.equals`: the same number written with the same scale.
    pub fn equals(self, other: DecimalRef<'_>) -> bool {
        self.scale == other.scale && self.compare(other) == Some(Ordering::Equal)
    }

    /// `BigDecimal.doubleValue`.
    pub fn double(self) -> f64 {
        let text = self.text();
        std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
    }

    /// `BigDecimal.toString`.
    pub fn text(self) -> Vec<u8> {
        let mut out = Vec::new();
        write_decimal(self.unscaled, self.scale, &mut out);
        out
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.unscaled.iter().all(|byte| *byte == 0)
    }

    fn small(self) -> Option<i128> {
        let first = *self.unscaled.first()?;
        let mut bytes = [if first & 0x80 == 0 { 0 } else { 0xff }; 16];
        let start = bytes.len().checked_sub(self.unscaled.len())?;
        bytes.get_mut(start..)?.copy_from_slice(self.unscaled);
        Some(i128::from_be_bytes(bytes))
    }

    /// Whether it is negative, and its digits without leading zeros, with zeros behind them.
    fn digits(self, zeros: i64) -> (bool, Vec<u8>) {
        let mut out = Vec::new();
        write_decimal(self.unscaled, 0, &mut out);
        let negative = out.first() == Some(&b'-');
        out.retain(u8::is_ascii_digit);
        let leading = out.iter().take_while(|digit| **digit == b'0').count();
        out.drain(..leading);
        if !out.is_empty() {
            out.extend(std::iter::repeat_n(b'0', usize::try_from(zeros).unwrap_or(0)));
        }
        (negative, out)
    }
}
