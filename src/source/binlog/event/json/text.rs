//! Binary JSON to text, byte for byte as Debezium's stream has it.
//!
//! Keys in stored order, no spaces; doubles as Java prints them, but with all digits instead of an exponent;
//! decimals plainly; dates and times as quoted texts; other opaque values as base64. Reference:
//! `JsonBinary` and `JsonStringFormatter` of the mysql-binlog-connector-java library that Debezium uses.
//!
//! Two kinds of values differ on purpose, because the library's text is wrong: unsigned integers from 2^31 to 2^32-1
//! (it writes a negative number, or in a large object or array, for any unsigned integer of 32 bits, nothing at
//! all) and negative times (it writes `03:0-31:0-15` for `-02:30:15`). `tests/corpus/mysql-9.7/json_wrong` has them.

use std::io::Write;

use super::super::column_type;
use super::super::error::EventError;
use super::document::{Budget, DEPTH_LIMIT, Members, Value, kind};
use base64::Engine;

/// Appends the text of a document.
///
/// Errors: [`EventError::Json`]; `out` may then end with a part of the text.
pub fn write_text(document: &[u8], out: &mut Vec<u8>) -> Result<(), EventError> {
    let mut budget = Budget::new(document.len().saturating_add(1));
    write_value(&Value::of_document(document), 0, &mut budget, out)
}

/// Appends the text of a value that lies `depth` objects and arrays deep.
pub(super) fn write_value(
    value: &Value<'_>,
    depth: usize,
    budget: &mut Budget,
    out: &mut Vec<u8>,
) -> Result<(), EventError> {
    let Some(members) = Members::of(value, budget)? else {
        return write_scalar(value, budget, out);
    };
    if depth >= DEPTH_LIMIT {
        return Err(value.error("more than 100 levels"));
    }
    out.push(if members.is_object { b'{' } else { b'[' });
    for index in 0..members.count {
        if index > 0 {
            out.push(b',');
        }
        if members.is_object {
            write_string(members.key(index, budget)?, out);
            out.push(b':');
        }
        write_value(&members.value(index)?, depth + 1, budget, out)?;
    }
    out.push(if members.is_object { b'}' } else { b']' });
    Ok(())
}

fn write_scalar(value: &Value<'_>, budget: &mut Budget, out: &mut Vec<u8>) -> Result<(), EventError> {
    let mut integer = itoa::Buffer::new();
    match value.kind {
        kind::LITERAL => {
            let literal = match value.array::<1>()?[0] {
                0 => "null",
                1 => "true",
                2 => "false",
                _ => return Err(value.error("a literal that is not null, true or false")),
            };
            out.extend_from_slice(literal.as_bytes());
        }
        kind::INT16 => out.extend_from_slice(integer.format(i16::from_le_bytes(value.array()?)).as_bytes()),
        kind::UINT16 => out.extend_from_slice(integer.format(u16::from_le_bytes(value.array()?)).as_bytes()),
        kind::INT32 => out.extend_from_slice(integer.format(i32::from_le_bytes(value.array()?)).as_bytes()),
        kind::UINT32 => out.extend_from_slice(integer.format(u32::from_le_bytes(value.array()?)).as_bytes()),
        kind::INT64 => out.extend_from_slice(integer.format(i64::from_le_bytes(value.array()?)).as_bytes()),
        kind::UINT64 => out.extend_from_slice(integer.format(u64::from_le_bytes(value.array()?)).as_bytes()),
        kind::DOUBLE => {
            budget.pay(8, value.at)?;
            write_double(f64::from_le_bytes(value.array()?), value, out)?;
        }
        kind::STRING => {
            let text = value.sized(0)?;
            budget.pay(text.len(), value.at)?;
            let text = std::str::from_utf8(text).map_err(|_| value.error("a text that is not UTF-8"))?;
            write_string(text, out);
        }
        kind::OPAQUE => write_opaque(value, budget, out)?,
        _ => return Err(value.error("a type that is not known")),
    }
    Ok(())
}

/// Appends a quoted string with Debezium's escapes: quote, backslash and what lies below the space.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(place) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        let (plain, from) = rest.split_at(place);
        out.extend_from_slice(plain);
        let Some((byte, behind)) = from.split_first() else {
            break;
        };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            control => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 0x0f)]);
            }
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Java prints the shortest digits that give the same double back, with a point, between 10^-3 and 10^7; outside
/// it would use an exponent, and the reference then writes out every digit of the exact value instead.
fn write_double(double: f64, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), EventError> {
    if !double.is_finite() {
        return Err(value.error("a double that is no number"));
    }
    let size = double.abs();
    let written = if size == 0.0 || (1e-3..1e7).contains(&size) {
        write!(out, "{double:?}")
    } else {
        write!(out, "{double:.*}", exact_fraction_digits(double))
    };
    written.map_err(|_| value.error("a double that cannot be written"))
}

/// A double is a whole number times a power of two; below one, it has as many decimal as binary places.
fn exact_fraction_digits(double: f64) -> usize {
    let bits = double.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i64, bits & ((1 << 52) - 1));
    let (whole, power) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    let places = -(power + i64::from(whole.trailing_zeros()));
    usize::try_from(places).unwrap_or(0)
}

fn write_opaque(value: &Value<'_>, budget: &mut Budget, out: &mut Vec<u8>) -> Result<(), EventError> {
    let column_type = value.array::<1>()?[0];
    let bytes = value.sized(1)?;
    budget.pay(bytes.len(), value.at)?;
    let packed = || match bytes.first_chunk() {
        Some(packed) if bytes.len() == 8 => Ok(i64::from_le_bytes(*packed)),
        Some(_) | None => Err(value.error("a date or time that is not of eight bytes")),
    };
    let written = match column_type {
        column_type::DECIMAL | column_type::NEWDECIMAL => return write_decimal(bytes, value, out),
        column_type::DATE | column_type::NEWDATE => write_date(packed()?, out),
        column_type::TIME | column_type::TIME2 => write_time(packed()?, out),
        column_type::DATETIME | column_type::DATETIME2 | column_type::TIMESTAMP | column_type::TIMESTAMP2 => {
            write_datetime(packed()?, out)
        }
        _ => {
            let text = base64::engine::general_purpose::STANDARD.encode(bytes);
            write!(out, "\"{text}\"")
        }
    };
    written.map_err(|_| value.error("an opaque value that cannot be written"))
}

/// Packed: (year × 13 + month), 5 bits of day, 5 of hour, 6 of minute, 6 of second, 24 of microsecond.
fn write_date(packed: i64, out: &mut Vec<u8>) -> std::io::Result<()> {
    let (year, month, day) = date(packed);
    write!(out, "\"{year:04}-{month:02}-{day:02}\"")
}

fn date(packed: i64) -> (i64, i64, i64) {
    let year_month = packed >> 46 & 0x1_ffff;
    (year_month / 13, year_month % 13, packed >> 41 & 0x1f)
}

fn write_datetime(packed: i64, out: &mut Vec<u8>) -> std::io::Result<()> {
    let (year, month, day) = date(packed);
    let (hour, minute, second) = (packed >> 36 & 0x1f, packed >> 30 & 0x3f, packed >> 24 & 0x3f);
    write!(out, "\"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
    write_fraction(packed & 0xff_ffff, out)
}

/// Packed: 10 bits of hour, 6 of minute, 6 of second, 24 of microsecond; negative as a whole.
fn write_time(packed: i64, out: &mut Vec<u8>) -> std::io::Result<()> {
    let sign = if packed < 0 { "-" } else { "" };
    let packed = packed.unsigned_abs() as i64;
    let (hour, minute, second) = (packed >> 36 & 0x3ff, packed >> 30 & 0x3f, packed >> 24 & 0x3f);
    write!(out, "\"{sign}{hour:02}:{minute:02}:{second:02}")?;
    write_fraction(packed & 0xff_ffff, out)
}

/// The point and the microseconds without the zeros at their end, if there are any; and the closing quote.
fn write_fraction(microseconds: i64, out: &mut Vec<u8>) -> std::io::Result<()> {
    if microseconds != 0 {
        write!(out, ".{microseconds:06}")?;
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    out.push(b'"');
    Ok(())
}

/// Nine groups of nine: what the server can hold; it writes 66 digits for a DECIMAL(65, 30) it has rounded up.
const DIGITS_LIMIT: usize = 81;
/// Decimal digits of a group by its bytes.
const GROUP_DIGITS: [usize; 5] = [0, 2, 4, 6, 9];
const DIGIT_BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// Precision, scale, then the number as in a DECIMAL column: groups of nine digits in four bytes, most
/// significant first, the first bit turned over, all bits turned over when negative.
fn write_decimal(bytes: &[u8], value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), EventError> {
    let early = || value.error("a decimal that ends early");
    let ([precision, scale], number) = bytes.split_first_chunk().ok_or_else(early)?;
    let (precision, scale) = (usize::from(*precision), usize::from(*scale));
    let Some(whole) = precision.checked_sub(scale).filter(|_| precision <= DIGITS_LIMIT) else {
        return Err(value.error("a decimal with more places than digits"));
    };
    let whole_bytes = whole / 9 * 4 + DIGIT_BYTES[whole % 9];
    let length = whole_bytes + scale / 9 * 4 + DIGIT_BYTES[scale % 9];
    let mut number: Vec<u8> = number.get(..length).filter(|number| !number.is_empty()).ok_or_else(early)?.to_vec();
    let negative = number.first().is_some_and(|first| first & 0x80 == 0);
    if negative {
        number.iter_mut().for_each(|byte| *byte = !*byte);
    }
    if let Some(first) = number.first_mut() {
        *first ^= 0x80;
    }
    let (whole_part, fraction) = number.split_at(whole_bytes);
    let mut digits = Vec::new();
    write_groups(whole_part, whole % 9, false, &mut digits);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let shown = digits.get(zeros..).filter(|rest| !rest.is_empty()).unwrap_or(b"0");
    let mut fraction_digits = Vec::new();
    write_groups(fraction, scale % 9, true, &mut fraction_digits);
    let is_zero = zeros == digits.len() && fraction_digits.iter().all(|digit| *digit == b'0');
    if negative && !is_zero {
        out.push(b'-');
    }
    out.extend_from_slice(shown);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(&fraction_digits);
    }
    Ok(())
}

/// Appends the digits of groups; the one with `odd` digits is the first, or of a fraction the last.
fn write_groups(mut bytes: &[u8], odd: usize, fraction: bool, digits: &mut Vec<u8>) {
    while !bytes.is_empty() {
        let is_first = digits.is_empty() && !fraction;
        let is_odd = odd > 0 && (is_first || fraction && bytes.len() == DIGIT_BYTES[odd]);
        let length = if is_odd { DIGIT_BYTES[odd] } else { 4 }.min(bytes.len());
        let (group, rest) = bytes.split_at(length);
        let number = group.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let count = if is_odd { odd } else { GROUP_DIGITS[length] };
        digits.extend_from_slice(format!("{number:0count$}").as_bytes());
        bytes = rest;
    }
}
