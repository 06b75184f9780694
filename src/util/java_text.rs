//! Numbers as Java writes them: `Double.toString`, `Float.toString`, `BigDecimal.toString`.
//!
//! In: numbers. Out: ASCII appended to a buffer, without allocation. Since JDK 19 Java writes the shortest decimal that
//! reads back as the same number (JDK-4511638). JDK 17 and older write other digits for some: `2.5E22` came out as
//! `2.4999999999999998E22`, the same double. The newer text is written here.

use std::fmt::Write as _;

use crate::model::schema::Schema;
use crate::model::value::ValueRef;

/// `Double.toString`; NaN and the infinities by Java's names, without quotes.
pub fn write_f64(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(not_finite(value.is_nan(), value > 0.0));
        return;
    }
    let mut buffer = ryu::Buffer::new();
    let mut digits = Digits::read(buffer.format_finite(value));
    if digits.length == 1 {
        // Java takes the closest of the decimals with two digits where one would do: 4.9E-324, not 5E-324.
        let mut text = Scratch::default();
        if write!(text, "{value:.1e}").is_ok() && text.as_str().parse::<f64>() == Ok(value) {
            digits = Digits::read(text.as_str());
        }
    }
    digits.write(value.is_sign_negative(), out);
}

/// `Float.toString`; NaN and the infinities by Java's names, without quotes.
pub fn write_f32(value: f32, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(not_finite(value.is_nan(), value > 0.0));
        return;
    }
    let mut buffer = ryu::Buffer::new();
    let mut digits = Digits::read(buffer.format_finite(value));
    if digits.length == 1 {
        let mut text = Scratch::default();
        if write!(text, "{value:.1e}").is_ok() && text.as_str().parse::<f32>() == Ok(value) {
            digits = Digits::read(text.as_str());
        }
    }
    digits.write(value.is_sign_negative(), out);
}

fn not_finite(nan: bool, positive: bool) -> &'static [u8] {
    match (nan, positive) {
        (true, _) => b"NaN",
        (false, true) => b"Infinity",
        (false, false) => b"-Infinity",
    }
}

/// A few characters on the stack, to write a number into.
#[derive(Default)]
struct Scratch {
    bytes: [u8; 32],
    length: usize,
}

impl Scratch {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for Scratch {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// The significant digits of a number and the power of ten of the first one.
struct Digits {
    bytes: [u8; 24],
    length: usize,
    exponent: i32,
}

impl Digits {
    /// Reads `123.45`, `1.5e-7`, `-0.001`: what Rust's formatters write.
    fn read(text: &str) -> Digits {
        let text = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, power) = match text.split_once('e') {
            Some((mantissa, power)) => (mantissa, power.parse().unwrap_or(0)),
            None => (text, 0),
        };
        let (mut bytes, mut length, mut exponent) = ([b'0'; 24], 0usize, -1i32);
        let mut after_point = false;
        let mut zeros = 0i32;
        for byte in mantissa.bytes() {
            if byte == b'.' {
                after_point = true;
                continue;
            }
            if length == 0 && byte == b'0' {
                zeros += i32::from(after_point);
                continue;
            }
            if !after_point {
                exponent += 1;
            }
            if let Some(place) = bytes.get_mut(length) {
                *place = byte;
                length += 1;
            }
        }
        if exponent < 0 {
            exponent = -1 - zeros;
        }
        while length > 1 && bytes.get(length - 1) == Some(&b'0') {
            length -= 1;
        }
        if length == 0 {
            return Digits { bytes, length: 1, exponent: 0 };
        }
        Digits { bytes, length, exponent: exponent + power }
    }

    fn write(&self, negative: bool, out: &mut Vec<u8>) {
        let digits = self.bytes.get(..self.length).unwrap_or(b"0");
        if negative {
            out.push(b'-');
        }
        let exponent = self.exponent;
        if (-3..7).contains(&exponent) {
            if exponent < 0 {
                out.extend_from_slice(b"0.");
                out.extend(std::iter::repeat_n(b'0', (-1 - exponent) as usize));
                out.extend_from_slice(digits);
                return;
            }
            let whole = exponent as usize + 1;
            let (left, right) = digits.split_at_checked(whole).unwrap_or((digits, &[]));
            out.extend_from_slice(left);
            out.extend(std::iter::repeat_n(b'0', whole - left.len()));
            out.push(b'.');
            out.extend_from_slice(if right.is_empty() { b"0" } else { right });
            return;
        }
        let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, &[]));
        out.extend_from_slice(first);
        out.push(b'.');
        out.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
        out.push(b'E');
        out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
    }
}

/// A value of one of Connect's logical types, which Java holds as `BigDecimal` or `java.util.Date`.
pub enum Logical<'v> {
    /// Unscaled value (big-endian two's complement) and scale.
    Decimal(&'v [u8], i32),
    /// Milliseconds since the epoch.
    Instant(i64),
}

impl<'v> Logical<'v> {
    /// The logical value; none where the schema has no logical type or the value another shape.
    pub fn read(schema: &Schema, value: &ValueRef<'v>) -> Option<Logical<'v>> {
        let name = schema.name.as_deref()?.strip_prefix("org.apache.kafka.connect.data.")?;
        match (name, value) {
            ("Decimal", ValueRef::Bytes(unscaled)) => {
                Some(Logical::Decimal(unscaled, schema.parameter_value("scale")?.parse().ok()?))
            }
            ("Date", ValueRef::Int32(days)) => Some(Logical::Instant(i64::from(*days) * 86_400_000)),
            ("Time", ValueRef::Int32(millis)) => Some(Logical::Instant(i64::from(*millis))),
            ("Timestamp", ValueRef::Int64(millis)) => Some(Logical::Instant(*millis)),
            _ => None,
        }
    }
}

/// A point in time in UTC, in the calendar's parts (proleptic Gregorian).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 (Sunday) to 6.
    pub weekday: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 to 999.
    pub millisecond: u32,
}

impl Instant {
    /// From milliseconds since the epoch.
    pub fn from_millis(millis: i64) -> Instant {
        let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000) as u32);
        // Counting from 1 March of year 0 puts the leap day at a year's end ("days from civil", reversed).
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Instant {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u32,
            day: day as u32,
            weekday: (days + 4).rem_euclid(7) as u32,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1_000 % 60,
            millisecond: rest % 1_000,
        }
    }
}

/// `new BigDecimal(new BigInteger(unscaled), scale).toString()`; `unscaled` is big-endian two's complement.
pub fn write_decimal(unscaled: &[u8], scale: i32, out: &mut Vec<u8>) {
    let negative = unscaled.first().is_some_and(|byte| byte & 0x80 != 0);
    if negative {
        out.push(b'-');
    }
    if unscaled.len() <= 16 {
        let mut magnitude: u128 = if negative { u128::MAX } else { 0 };
        for byte in unscaled {
            magnitude = magnitude << 8 | u128::from(*byte);
        }
        let magnitude = if negative { magnitude.wrapping_neg() } else { magnitude };
        place_point(itoa::Buffer::new().format(magnitude).as_bytes(), scale, out);
    } else {
        place_point(&long_magnitude(unscaled, negative), scale, out);
    }
}

/// The decimal digits of a magnitude of more than 16 bytes (more than 38 digits): rare enough to allocate.
fn long_magnitude(unscaled: &[u8], negative: bool) -> Vec<u8> {
    let mut magnitude: Vec<u8> = unscaled.to_vec();
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (sum, over) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (sum, over);
        }
    }
    let mut groups: Vec<u32> = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut remainder = 0u64;
        for byte in &mut magnitude {
            let current = remainder << 8 | u64::from(*byte);
            *byte = (current / 1_000_000_000) as u8;
            remainder = current % 1_000_000_000;
        }
        groups.push(remainder as u32);
    }
    let mut text = String::new();
    for (index, group) in groups.iter().rev().enumerate() {
        let _ = if index == 0 { write!(text, "{group}") } else { write!(text, "{group:09}") };
    }
    if text.is_empty() {
        text.push('0');
    }
    text.into_bytes()
}

/// `BigDecimal`'s canonical form: plain while the exponent allows, else scientific.
fn place_point(digits: &[u8], scale: i32, out: &mut Vec<u8>) {
    if scale == 0 {
        out.extend_from_slice(digits);
        return;
    }
    let adjusted = digits.len() as i64 - 1 - i64::from(scale);
    if scale > 0 && adjusted >= -6 {
        let whole = digits.len() as i64 - i64::from(scale);
        if whole <= 0 {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', whole.unsigned_abs() as usize));
            out.extend_from_slice(digits);
        } else {
            let (left, right) = digits.split_at_checked(whole as usize).unwrap_or((digits, &[]));
            out.extend_from_slice(left);
            out.push(b'.');
            out.extend_from_slice(right);
        }
        return;
    }
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, &[]));
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
    if adjusted != 0 {
        out.extend_from_slice(if adjusted > 0 { b"E+" } else { b"E" });
        out.extend_from_slice(itoa::Buffer::new().format(adjusted).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn check(write: impl Fn(&mut Vec<u8>), expected: &str) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn doubles_are_written_as_java_19_and_later_write_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (123456.789, "123456.789"),
            (9999999.0, "9999999.0"),
            (1.0e7, "1.0E7"),
            (12345678.9, "1.23456789E7"),
            (0.001, "0.001"),
            (0.00123, "0.00123"),
            (0.00099, "9.9E-4"),
            (2.0e-3, "0.002"),
            (1.0e23, "1.0E23"),
            (2.0e23, "2.0E23"),
            (5e-324, "4.9E-324"),
            (1.5e-323, "1.5E-323"),
            (2e-323, "2.0E-323"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            check(|out| write_f64(value, out), expected);
        }
    }

    #[test]
    fn floats_are_written_as_java_19_and_later_write_them() {
        for (value, expected) in [
            (1.1f32, "1.1"),
            (3.4e38, "3.4E38"),
            (1.4e-45, "1.4E-45"),
            (16777216.0, "1.6777216E7"),
            (0.1, "0.1"),
            (1.0e10, "1.0E10"),
            (f32::NAN, "NaN"),
        ] {
            check(|out| write_f32(value, out), expected);
        }
    }

    #[test]
    fn decimals_are_written_as_big_decimal_writes_them() {
        let long = {
            // 10^40 + 1: 17 bytes.
            let mut bytes = vec![0u8; 17];
            let high = 10u128.pow(20);
            let square_low = high.wrapping_mul(high);
            // 10^40 = 0x1d6329f1c35ca4bfabb9f5610000000000 (17 bytes)
            bytes[0] = 0x1d;
            bytes[1..].copy_from_slice(&(square_low + 1).to_be_bytes());
            bytes
        };
        for (unscaled, scale, expected) in [
            (&[0u8][..], 0, "0"),
            (&[0x30, 0x39], 2, "123.45"),
            (&[0xcf, 0xc7], 2, "-123.45"),
            (&[1], 2, "0.01"),
            (&[1], 6, "0.000001"),
            (&[1], 7, "1E-7"),
            (&[12], 8, "1.2E-7"),
            (&[0], 2, "0.00"),
            (&[0], 10, "0E-10"),
            (&[5], -3, "5E+3"),
            (&[], 2, "0.00"),
            (&[0x80; 1], 0, "-128"),
            (&long, 0, "10000000000000000000000000000000000000001"),
        ] {
            check(|out| write_decimal(unscaled, scale, out), expected);
        }
    }
}
