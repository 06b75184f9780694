//! What JavaScript's operators mean: truth, equality, order, addition.
//!
//! Source: ECMA-262 section 7, and what GraalJS makes of Java's objects: a decimal is an object whose primitive is its text.
//! Dates and bytes can be compared with null; anything else that is done with them fails the record and is never guessed.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::operand::{Operand, Width, utf16_compare};
use super::syntax::Operator;
use crate::model::value::Arena;

/// Beyond it two whole numbers may become the same `Number`.
const SAFE: u64 = 1 << 53;

fn refused(operand: &Operand<'_>) -> String {
    format!("{} is not computed with in JavaScript here", operand.class())
}

/// `Boolean(operand)`
pub fn truth(operand: &Operand<'_>) -> Result<bool, String> {
    match operand {
        Operand::Null | Operand::Undefined => Ok(false),
        Operand::Boolean(value) => Ok(*value),
        Operand::Integer(value, _) => Ok(*value != 0),
        Operand::Float(value) => Ok(*value != 0.0 && !value.is_nan()),
        Operand::Double(value) => Ok(*value != 0.0 && !value.is_nan()),
        Operand::Text(text) | Operand::Template(text) => Ok(!text.is_empty()),
        Operand::Struct(_, _)
        | Operand::Hollow
        | Operand::List(_, _)
        | Operand::Map(_)
        | Operand::Headers
        | Operand::Header(_)
        | Operand::Schema(_)
        | Operand::Field
        | Operand::Decimal(_) => Ok(true),
        Operand::Date(_) | Operand::Bytes(_) => Err(refused(operand)),
    }
}

/// What is already a `Number`.
fn number(operand: &Operand<'_>) -> Result<Option<f64>, String> {
    if matches!(operand, Operand::Integer(value, _) if value.unsigned_abs() > SAFE) {
        return Err(refused(operand));
    }
    Ok(operand.double().filter(|_| !matches!(operand, Operand::Decimal(_))))
}

/// `Number(operand)` of a primitive.
fn to_number(operand: &Operand<'_>) -> Result<f64, String> {
    if let Some(number) = number(operand)? {
        return Ok(number);
    }
    match (operand, operand.text()) {
        (_, Some(text)) => text_to_number(text),
        (Operand::Null, _) => Ok(0.0),
        (Operand::Undefined, _) => Ok(f64::NAN),
        (Operand::Boolean(value), _) => Ok(f64::from(u8::from(*value))),
        (Operand::Decimal(value), _) => Ok(value.double()),
        _ => Err(refused(operand)),
    }
}

fn text_to_number(text: &str) -> Result<f64, String> {
    // What JavaScript takes for space: the mark of the byte order too, and not U+0085.
    let text = text.trim_matches(|c: char| c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}'));
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text.is_empty() {
        return Ok(0.0);
    }
    if digits.starts_with("0x") || digits.starts_with("0o") || digits.starts_with("0b") || digits == "Infinity" {
        return Err("text with such a number is not computed with here".to_owned());
    }
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    Ok(if decimal { text.parse().unwrap_or(f64::NAN) } else { f64::NAN })
}

/// `left === right`
pub fn same(left: &Operand<'_>, right: &Operand<'_>) -> Result<bool, String> {
    match (left, right) {
        (Operand::Null, Operand::Null) | (Operand::Undefined, Operand::Undefined) => return Ok(true),
        (left, right) if left.is_null() || right.is_null() => return Ok(false),
        (Operand::Boolean(left), Operand::Boolean(right)) => return Ok(left == right),
        _ => {}
    }
    if let (Some(left), Some(right)) = (left.text(), right.text()) {
        return Ok(left == right);
    }
    let primitive = |operand: &Operand<'_>| operand.text().is_some() || matches!(operand, Operand::Boolean(_));
    match (number(left)?, number(right)?) {
        (Some(left), Some(right)) => Ok(left == right),
        (Some(_), None) if primitive(right) => Ok(false),
        (None, Some(_)) if primitive(left) => Ok(false),
        (None, None) if primitive(left) && primitive(right) => Ok(false),
        (_, None) if !primitive(right) => Err(refused(right)),
        _ => Err(refused(left)),
    }
}

/// GraalJS compares Java's `Long` with text as whole numbers without bounds: no fraction is ever equal, less or greater.
fn check_long(left: &Operand<'_>, right: &Operand<'_>) -> Result<(), String> {
    let ((Operand::Integer(_, Width::Long), other) | (other, Operand::Integer(_, Width::Long))) = (left, right) else {
        return Ok(());
    };
    let whole = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    // A decimal is its text.
    let comparable = other.text().is_none_or(whole) && !matches!(other, Operand::Decimal(value) if value.scale != 0);
    if comparable { Ok(()) } else { Err("a Long is compared with what is no whole number".to_owned()) }
}

/// `left == right`
pub fn equal(left: &Operand<'_>, right: &Operand<'_>) -> Result<bool, String> {
    if left.is_null() || right.is_null() {
        return Ok(left.is_null() && right.is_null());
    }
    check_long(left, right)?;
    match (left, right) {
        // Each time a struct is read JavaScript gets another object.
        (Operand::Struct(_, _), Operand::Struct(_, _)) => Ok(false),
        (Operand::Decimal(_), Operand::Decimal(_)) => Err(refused(left)),
        (Operand::Decimal(value), other) | (other, Operand::Decimal(value)) if other.text().is_some() => {
            Ok(other.text().map(str::as_bytes) == Some(&value.text()))
        }
        (Operand::Boolean(_), Operand::Boolean(_)) => same(left, right),
        _ if left.text().is_some() && right.text().is_some() => same(left, right),
        _ => Ok(to_number(left)? == to_number(right)?),
    }
}

/// The order for `<` and its like; none where a side is not a number, so that all of them are false.
pub fn compare(left: &Operand<'_>, right: &Operand<'_>) -> Result<Option<Ordering>, String> {
    let text = |operand: &Operand<'_>| operand.text().is_some() || matches!(operand, Operand::Decimal(_));
    if matches!((left, right), (Operand::Decimal(_), other) | (other, Operand::Decimal(_)) if text(other)) {
        return Err(refused(left));
    }
    if let (Some(left), Some(right)) = (left.text(), right.text()) {
        return Ok(Some(utf16_compare(left, right)));
    }
    check_long(left, right)?;
    Ok(to_number(left)?.partial_cmp(&to_number(right)?))
}

/// `String(operand)` of a primitive.
pub fn write_text(operand: &Operand<'_>, out: &mut String) -> Result<(), String> {
    if let Some(value) = number(operand)? {
        // Without an exponent both write the same digits.
        if value != 0.0 && !(1e-6..1e21).contains(&value.abs()) {
            return Err("a number so large or small is not written as text here".to_owned());
        }
        return write!(out, "{}", value + 0.0).map_err(|error| error.to_string());
    }
    let primitive =
        operand.is_null() || operand.text().is_some() || matches!(operand, Operand::Boolean(_) | Operand::Decimal(_));
    let written = if primitive { super::operand::write_text(operand, out) } else { None };
    written.ok_or_else(|| refused(operand))
}

/// `left + right` and its like.
pub fn arithmetic<'a>(
    operator: Operator,
    left: Operand<'a>,
    right: Operand<'a>,
    arena: &'a Arena,
) -> Result<Operand<'a>, String> {
    if operator == Operator::Plus && (left.text().is_some() || right.text().is_some()) {
        let mut text = String::new();
        write_text(&left, &mut text)?;
        write_text(&right, &mut text)?;
        return Ok(Operand::Text(arena.alloc_str(&text)));
    }
    if operator == Operator::Plus && matches!((left, right), (Operand::Decimal(_), _) | (_, Operand::Decimal(_))) {
        return Err(refused(&left));
    }
    Ok(Operand::Double(operator.of_doubles(to_number(&left)?, to_number(&right)?)))
}
