//! What Groovy's operators mean: truth, equality, order, addition.
//!
//! Source: Groovy 4's `DefaultTypeTransformation`, `ScriptBytecodeAdapter`, `DefaultGroovyMethods`, `NumberMath`. What
//! has no meaning that is told here (dates as text, arithmetic with decimals) fails the record and is never guessed.

use std::cmp::Ordering;

use super::operand::{Operand, Width, java_compare, java_equals, utf16_compare, write_text};
use super::syntax::Operator;
use crate::model::value::{Arena, ValueError};

/// `asBoolean()`
pub fn truth(operand: &Operand<'_>) -> bool {
    match operand {
        Operand::Null | Operand::Undefined => false,
        Operand::Boolean(value) => *value,
        Operand::Integer(value, _) => *value != 0,
        Operand::Float(value) => *value != 0.0,
        Operand::Double(value) => *value != 0.0,
        Operand::Decimal(value) => !value.is_zero(),
        Operand::Text(text) | Operand::Template(text) => !text.is_empty(),
        Operand::List(_, items) => !items.is_empty(),
        Operand::Map(entries) => *entries > 0,
        Operand::Date(_)
        | Operand::Bytes(_)
        | Operand::Struct(_, _)
        | Operand::Hollow
        | Operand::Headers
        | Operand::Header(_)
        | Operand::Schema(_)
        | Operand::Field => true,
    }
}

/// Text of one unit of UTF-16, which Groovy compares with a number as its code.
fn code_of(operand: &Operand<'_>) -> Option<i64> {
    let mut units = operand.text()?.encode_utf16();
    let unit = units.next()?;
    units.next().is_none().then_some(i64::from(unit))
}

/// `NumberMath.compareTo` of two numbers; none where one is not a number.
fn compare_numbers(left: &Operand<'_>, right: &Operand<'_>) -> Option<Ordering> {
    let fraction = |operand: &Operand<'_>| matches!(operand, Operand::Float(_) | Operand::Double(_));
    match (left, right) {
        (Operand::Integer(left, _), Operand::Integer(right, _)) => Some(left.cmp(right)),
        (left, right) if fraction(left) || fraction(right) => Some(java_compare(left.double()?, right.double()?)),
        (Operand::Decimal(left), Operand::Decimal(right)) => left.compare(*right),
        (Operand::Decimal(left), Operand::Integer(right, _)) => left.compare(whole(&right.to_be_bytes())),
        (Operand::Integer(left, _), Operand::Decimal(right)) => whole(&left.to_be_bytes()).compare(*right),
        _ => None,
    }
}

fn whole(unscaled: &[u8]) -> super::decimal::DecimalRef<'_> {
    super::decimal::DecimalRef { unscaled, scale: 0 }
}

/// The order that both kinds of comparison have in common; none where Groovy knows none.
fn order(left: &Operand<'_>, right: &Operand<'_>) -> Option<Ordering> {
    if let Some(order) = compare_numbers(left, right) {
        return Some(order);
    }
    let code = |code: i64| Operand::Integer(code, Width::Int);
    match (left, right) {
        (Operand::Boolean(left), Operand::Boolean(right)) => Some(left.cmp(right)),
        (Operand::Date(left), Operand::Date(right)) => Some(left.cmp(right)),
        (Operand::Bytes(left), Operand::Bytes(right)) => {
            // Java's bytes have a sign.
            let signed = |bytes: &[u8]| bytes.iter().map(|byte| *byte as i8).collect::<Vec<_>>();
            Some(if left == right { Ordering::Equal } else { signed(left).cmp(&signed(right)) })
        }
        (left, right) => match (left.text(), right.text()) {
            (Some(left), Some(right)) => Some(utf16_compare(left, right)),
            (Some(_), None) => right.double().and_then(|_| compare_numbers(&code(code_of(left)?), right)),
            (None, Some(_)) => left.double().and_then(|_| compare_numbers(left, &code(code_of(right)?))),
            (None, None) => None,
        },
    }
}

/// `left == right`
pub fn equal(left: &Operand<'_>, right: &Operand<'_>, arena: &Arena) -> Result<bool, ValueError> {
    match (left, right) {
        // Two of one class are compared as they are: 0.0 equals -0.0, and what is not a number equals nothing.
        (Operand::Double(left), Operand::Double(right)) => Ok(left == right),
        (Operand::Float(left), Operand::Float(right)) => Ok(left == right),
        (left, right) if left.is_null() || right.is_null() => Ok(left.is_null() && right.is_null()),
        (left, right) => match order(left, right) {
            Some(order) => Ok(order == Ordering::Equal),
            None => java_equals(left, right, arena),
        },
    }
}

/// `left <=> right`, for `<` and its like: null lies below all else. None where Groovy knows no order.
pub fn compare(left: &Operand<'_>, right: &Operand<'_>) -> Option<Ordering> {
    match (left.is_null(), right.is_null()) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => order(left, right),
    }
}

/// `left + right` and its like; what is wrong where it is not translated or fails.
pub fn arithmetic<'a>(
    operator: Operator,
    left: Operand<'a>,
    right: Operand<'a>,
    arena: &'a Arena,
) -> Result<Operand<'a>, String> {
    let refused = || Err(format!("{} and {} are not computed with here", left.class(), right.class()));
    match (operator, left, right) {
        (_, Operand::Integer(left, one), Operand::Integer(right, other)) => {
            whole_numbers(operator, (left, one), (right, other))
        }
        (
            _,
            Operand::Float(_) | Operand::Double(_) | Operand::Integer(_, _),
            Operand::Float(_) | Operand::Double(_),
        )
        | (_, Operand::Float(_) | Operand::Double(_), Operand::Integer(_, _)) => {
            let (Some(left), Some(right)) = (left.double(), right.double()) else { return refused() };
            Ok(Operand::Double(operator.of_doubles(left, right)))
        }
        (Operator::Plus, Operand::Text(_) | Operand::Template(_), _)
        | (
            Operator::Plus,
            Operand::Null | Operand::Integer(_, _) | Operand::Float(_) | Operand::Double(_) | Operand::Decimal(_),
            Operand::Text(_),
        ) => {
            let mut text = String::new();
            let written = write_text(&left, &mut text).and_then(|()| write_text(&right, &mut text));
            if written.is_none() {
                return refused();
            }
            let text = arena.alloc_str(&text);
            let both = matches!((left, right), (Operand::Template(_), Operand::Text(_) | Operand::Template(_)));
            Ok(if both { Operand::Template(text) } else { Operand::Text(text) })
        }
        (_, Operand::Null, _) => Err("Cannot invoke an operator on null object".to_owned()),
        _ => refused(),
    }
}

fn whole_numbers<'a>(operator: Operator, left: (i64, Width), right: (i64, Width)) -> Result<Operand<'a>, String> {
    let long = left.1 == Width::Long || right.1 == Width::Long;
    let computed = match operator {
        Operator::Plus => left.0.wrapping_add(right.0),
        Operator::Minus => left.0.wrapping_sub(right.0),
        Operator::Times => left.0.wrapping_mul(right.0),
        Operator::Remainder if right.0 == 0 => return Err("Division by zero".to_owned()),
        Operator::Remainder => left.0.wrapping_rem(right.0),
    };
    Ok(if long {
        Operand::Integer(computed, Width::Long)
    } else {
        Operand::Integer(i64::from(computed as i32), Width::Int)
    })
}
