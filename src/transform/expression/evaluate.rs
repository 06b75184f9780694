//! Computes an expression for a record.
//!
//! In: a tree and a record where it lies. Out: what the expression gives, borrowed. Promised: a field is decoded when the
//! expression asks for it and not before; comparisons allocate nothing; where Java or JavaScript throw, this fails, with
//! the place of the text to blame and never with a value.

use std::cmp::Ordering;

use super::operand::{Operand, Width, java_equals};
use super::syntax::{Call, Comparison, Constant, Method, Node, Property, Variable};
use super::{Dialect, groovy, javascript, operand};
use crate::model::record::Record;
use crate::model::value::{Arena, ValueError};
use crate::transform::debezium::structs::Column;

/// Why there is no result.
pub enum Fault {
    /// JavaScript's `?.` met null: the chain around it is `undefined`.
    Ends,
    /// The record cannot be computed with.
    Failed {
        /// Where in the expression, in bytes.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// A field's bytes cannot be decoded.
    Value(ValueError),
}

impl From<ValueError> for Fault {
    fn from(error: ValueError) -> Fault {
        Fault::Value(error)
    }
}

/// Properties of JavaScript's `Object.prototype`.
const INHERITED: &[&str] = &[
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

type Computed<'a> = Result<Operand<'a>, Fault>;

fn failed<T>(at: usize, reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Failed { at, reason: reason.into() })
}

/// A record that is computed with.
pub struct Scope<'s, 'a> {
    /// The record.
    pub record: &'s Record<'a>,
    /// Where text that is made lies.
    pub arena: &'a Arena,
    /// Whose rules hold.
    pub dialect: Dialect,
}

impl<'a> Scope<'_, 'a> {
    /// What a part of the expression gives.
    pub fn compute(&self, node: &'a Node) -> Computed<'a> {
        match node {
            Node::Constant(constant) => Ok(self.constant(constant)),
            Node::Variable(variable) => Ok(self.variable(*variable)),
            Node::Property(property) => self.property(property),
            Node::Call(call) => self.call(call),
            Node::Not(node) => Ok(Operand::Boolean(!self.truth(node)?)),
            Node::Negative(node, at) => self.negative(node, *at),
            Node::And(both) => self.either(both, false),
            Node::Or(both) => self.either(both, true),
            Node::Compare(comparison, both, at) => self.compare(*comparison, both, *at).map(Operand::Boolean),
            Node::In(item, list) => self.contained(item, list).map(Operand::Boolean),
            Node::Matches(text, pattern, at) => {
                let text = self.compute(text)?;
                match (text.text(), pattern.matches(text.text().unwrap_or_default())) {
                    (Some(_), Ok(matches)) => Ok(Operand::Boolean(matches)),
                    (Some(_), Err(error)) => failed(*at, error.to_string()),
                    (None, _) if text.is_null() => Ok(Operand::Boolean(false)),
                    (None, _) => failed(*at, "==~ is translated for text"),
                }
            }
            Node::Choice(three) => {
                let (condition, yes, no) = &**three;
                self.compute(if self.truth(condition)? { yes } else { no })
            }
            Node::Otherwise(both) => {
                let left = self.compute(&both.0)?;
                let holds = match self.dialect {
                    Dialect::Groovy => groovy::truth(&left),
                    Dialect::JavaScript => !left.is_null(),
                };
                if holds { Ok(left) } else { self.compute(&both.1) }
            }
            Node::Arithmetic(operator, both, at) => {
                let (left, right) = (self.compute(&both.0)?, self.compute(&both.1)?);
                let computed = match self.dialect {
                    Dialect::Groovy => groovy::arithmetic(*operator, left, right, self.arena),
                    Dialect::JavaScript => javascript::arithmetic(*operator, left, right, self.arena),
                };
                computed.or_else(|reason| failed(*at, reason))
            }
            Node::Template(nodes, at) => self.template(nodes, *at),
            Node::Chain(node) => match self.compute(node) {
                Err(Fault::Ends) => Ok(Operand::Undefined),
                computed => computed,
            },
        }
    }

    fn constant(&self, constant: &'a Constant) -> Operand<'a> {
        match constant {
            Constant::Null => Operand::Null,
            Constant::Undefined => Operand::Undefined,
            Constant::Boolean(value) => Operand::Boolean(*value),
            Constant::Int(value) => Operand::Integer(i64::from(*value), Width::Int),
            Constant::Long(value) => Operand::Integer(*value, Width::Long),
            Constant::Float(value) => Operand::Float(*value),
            Constant::Double(value) => Operand::Double(*value),
            Constant::Decimal(value) => Operand::Decimal(value.borrow()),
            Constant::Text(text) => Operand::Text(text),
        }
    }

    fn variable(&self, variable: Variable) -> Operand<'a> {
        let schema = |schema: Option<&'a _>| schema.map_or(Operand::Null, Operand::Schema);
        let part = |part| {
            let part = Operand::typed(part);
            // Debezium wraps even what is null, and the wrapping fails when it is asked.
            let hollow = self.dialect == Dialect::JavaScript && matches!(part, Operand::Null);
            if hollow { Operand::Hollow } else { part }
        };
        match variable {
            Variable::Key => part(self.record.key),
            Variable::Value => part(self.record.value),
            Variable::KeySchema => schema(self.record.key.schema),
            Variable::ValueSchema => schema(self.record.value.schema),
            Variable::Topic => Operand::Text(self.record.topic),
            Variable::Header => Operand::Headers,
        }
    }

    fn truth(&self, node: &'a Node) -> Result<bool, Fault> {
        let value = self.compute(node)?;
        match self.dialect {
            Dialect::Groovy => Ok(groovy::truth(&value)),
            Dialect::JavaScript => javascript::truth(&value).or_else(|reason| failed(0, reason)),
        }
    }

    /// `&&` and `||`: Groovy gives true or false, JavaScript the side that decided.
    fn either(&self, both: &'a (Node, Node), stops_at: bool) -> Computed<'a> {
        match self.dialect {
            Dialect::Groovy if self.truth(&both.0)? == stops_at => Ok(Operand::Boolean(stops_at)),
            Dialect::Groovy => Ok(Operand::Boolean(self.truth(&both.1)?)),
            Dialect::JavaScript => {
                let left = self.compute(&both.0)?;
                let decides = javascript::truth(&left).or_else(|reason| failed(0, reason))? == stops_at;
                if decides { Ok(left) } else { self.compute(&both.1) }
            }
        }
    }

    fn negative(&self, node: &'a Node, at: usize) -> Computed<'a> {
        match (self.compute(node)?, self.dialect) {
            (Operand::Integer(value, Width::Long), Dialect::Groovy) => {
                Ok(Operand::Integer(value.wrapping_neg(), Width::Long))
            }
            (Operand::Integer(value, _), Dialect::Groovy) => {
                Ok(Operand::Integer(i64::from((value as i32).wrapping_neg()), Width::Int))
            }
            (Operand::Integer(value, _), Dialect::JavaScript) => Ok(Operand::Double(-(value as f64))),
            (Operand::Float(value), _) => Ok(Operand::Double(-f64::from(value))),
            (Operand::Double(value), _) => Ok(Operand::Double(-value)),
            (other, _) => failed(at, format!("- of {} is not translated", other.class())),
        }
    }

    fn compare(&self, comparison: Comparison, both: &'a (Node, Node), at: usize) -> Result<bool, Fault> {
        let (left, right) = (self.compute(&both.0)?, self.compute(&both.1)?);
        let javascript = self.dialect == Dialect::JavaScript;
        let equal = || match javascript {
            true => javascript::equal(&left, &right).or_else(|reason| failed(at, reason)),
            false => Ok(groovy::equal(&left, &right, self.arena)?),
        };
        let same = || javascript::same(&left, &right).or_else(|reason| failed(at, reason));
        let order = |holds: fn(Ordering) -> bool| {
            let order = match javascript {
                true => javascript::compare(&left, &right).or_else(|reason| failed(at, reason))?,
                false => match groovy::compare(&left, &right) {
                    None => return failed(at, format!("Cannot compare {} and {}", left.class(), right.class())),
                    order => order,
                },
            };
            Ok(order.is_some_and(holds))
        };
        match comparison {
            Comparison::Equal => equal(),
            Comparison::NotEqual => Ok(!equal()?),
            Comparison::Same => same(),
            Comparison::NotSame => Ok(!same()?),
            Comparison::Less => order(Ordering::is_lt),
            Comparison::LessOrEqual => order(Ordering::is_le),
            Comparison::Greater => order(Ordering::is_gt),
            Comparison::GreaterOrEqual => order(Ordering::is_ge),
        }
    }

    /// Groovy asks Java's `equals`, by which the `Long` 1 is not the `Integer` 1.
    fn contained(&self, item: &'a Node, list: &'a [Node]) -> Result<bool, Fault> {
        let item = self.compute(item)?;
        let mut found = false;
        for member in list {
            // Java makes the whole list before it looks: a member that fails does so even behind the one found.
            let member = self.compute(member)?;
            found = found
                || match self.dialect {
                    Dialect::Groovy => java_equals(&item, &member, self.arena)?,
                    Dialect::JavaScript => javascript::same(&item, &member).or_else(|reason| failed(0, reason))?,
                };
        }
        Ok(found)
    }

    fn template(&self, nodes: &'a [Node], at: usize) -> Computed<'a> {
        let mut text = bumpalo::collections::String::new_in(self.arena);
        let mut part = String::new();
        for node in nodes {
            let value = self.compute(node)?;
            part.clear();
            let written = match self.dialect {
                Dialect::Groovy => operand::write_text(&value, &mut part)
                    .ok_or_else(|| format!("{} is not written as text here", value.class())),
                Dialect::JavaScript => javascript::write_text(&value, &mut part),
            };
            written.or_else(|reason| failed(at, reason))?;
            text.push_str(&part);
        }
        let text = text.into_bump_str();
        Ok(if self.dialect == Dialect::Groovy { Operand::Template(text) } else { Operand::Text(text) })
    }

    fn property(&self, property: &'a Property) -> Computed<'a> {
        let Property { name, at, .. } = property;
        let of = self.compute(&property.of)?;
        match (of, &**name) {
            (Operand::Struct(schema, view), _) => {
                let find = || Ok::<_, ValueError>(Column::find(schema, name));
                match property.fields.get(schema, find)? {
                    Some(column) => Ok(Operand::of(Some(&column.schema), column.get(view, self.arena)?)),
                    None if self.dialect == Dialect::JavaScript => self.missing(name, *at),
                    None => failed(*at, format!("{name} is not a valid field name")),
                }
            }
            (Operand::Null | Operand::Undefined, _) if property.safe => self.ended(),
            (Operand::Null | Operand::Undefined, _) => {
                failed(*at, format!("Cannot get property '{name}' on null object"))
            }
            (Operand::Headers, _) => {
                let found = self.record.headers.iter().rev().find(|header| *header.name == **name);
                match found {
                    Some(header) => Ok(Operand::Header(header)),
                    None if self.dialect == Dialect::JavaScript => self.missing(name, *at),
                    None => Ok(Operand::Null),
                }
            }
            (Operand::Header(header), "value") => Ok(Operand::typed(header.value)),
            (Operand::Schema(schema), "name") => Ok(schema.name.as_deref().map_or(Operand::Null, Operand::Text)),
            (Operand::Text(text), "length") if self.dialect == Dialect::JavaScript => Ok(length(text)),
            (other, _) => failed(*at, format!("{} has no property {name} that is translated", other.class())),
        }
    }

    /// What a JavaScript object has not of its own: every object has some properties all the same.
    fn missing(&self, name: &str, at: usize) -> Computed<'a> {
        if INHERITED.contains(&name) {
            return failed(at, format!("{name} is a property of every object in JavaScript and not a column here"));
        }
        Ok(Operand::Undefined)
    }

    fn ended(&self) -> Computed<'a> {
        if self.dialect == Dialect::JavaScript { Err(Fault::Ends) } else { Ok(Operand::Null) }
    }

    fn call(&self, call: &'a Call) -> Computed<'a> {
        let of = self.compute(&call.of)?;
        if of.is_null() && call.safe {
            if self.dialect == Dialect::Groovy && matches!(call.method, Method::Split(..)) {
                return failed(call.at, "Cannot get an element of a null list");
            }
            return self.ended();
        }
        match (&call.method, of) {
            (Method::ToString, Operand::Null) if self.dialect == Dialect::Groovy => Ok(Operand::Text("null")),
            (Method::Equals, Operand::Null) => Ok(Operand::Boolean(self.argument(call, 0)?.is_null())),
            (_, Operand::Null | Operand::Undefined) => failed(call.at, "Cannot invoke a method on null object"),
            (Method::Equals, of) => {
                let other = self.argument(call, 0)?;
                Ok(Operand::Boolean(java_equals(&of, &other, self.arena)?))
            }
            (Method::ToString, of) => {
                let mut text = String::new();
                let written = match self.dialect {
                    Dialect::Groovy => operand::write_text(&of, &mut text).ok_or_else(|| of.class().to_owned()),
                    Dialect::JavaScript => javascript::write_text(&of, &mut text),
                };
                match written {
                    Ok(()) => Ok(Operand::Text(self.arena.alloc_str(&text))),
                    Err(what) => failed(call.at, format!("toString() is not translated here: {what}")),
                }
            }
            (Method::ContainsKey(name), Operand::Headers) => {
                Ok(Operand::Boolean(self.record.headers.iter().any(|header| *header.name == **name)))
            }
            (Method::Contains, Operand::List(schema, items)) if self.dialect == Dialect::Groovy => {
                let item = self.argument(call, 0)?;
                let mut found = false;
                for one in items {
                    found |= java_equals(&item, &Operand::of(Some(schema), *one), self.arena)?;
                }
                Ok(Operand::Boolean(found))
            }
            (Method::Schema, Operand::Struct(schema, _)) => Ok(Operand::Schema(schema)),
            (Method::Name, Operand::Schema(schema)) => Ok(schema.name.as_deref().map_or(Operand::Null, Operand::Text)),
            (Method::Field(name), Operand::Schema(schema)) => {
                let there = schema.field_index(name).is_some();
                Ok(if there { Operand::Field } else { Operand::Null })
            }
            (_, of) => match of.text() {
                Some(text) => self.text_method(call, text),
                None => failed(call.at, format!("this method is not translated for {}", of.class())),
            },
        }
    }

    fn argument(&self, call: &'a Call, index: usize) -> Computed<'a> {
        match call.arguments.get(index) {
            Some(node) => self.compute(node),
            None => failed(call.at, "an argument is missing"),
        }
    }

    fn text_argument(&self, call: &'a Call, index: usize) -> Result<&'a str, Fault> {
        let argument = self.argument(call, index)?;
        match argument.text() {
            Some(text) => Ok(text),
            None => failed(call.at, format!("the argument must be text and is {}", argument.class())),
        }
    }

    /// By units of UTF-16. Java refuses places outside the text, JavaScript moves them to its ends.
    fn substring(&self, call: &'a Call, text: &'a str) -> Computed<'a> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut places = [0, units.len()];
        for (index, place) in places.iter_mut().enumerate().take(call.arguments.len()) {
            let argument = self.argument(call, index)?;
            let (Some(number), true) =
                (argument.double(), self.dialect == Dialect::JavaScript || matches!(argument, Operand::Integer(_, _)))
            else {
                return failed(call.at, format!("the argument must be a number and is {}", argument.class()));
            };
            let inside = number >= 0.0 && number <= units.len() as f64;
            if !inside && self.dialect == Dialect::Groovy {
                return failed(call.at, "a place outside the text");
            }
            *place = if number.is_nan() { 0 } else { number.clamp(0.0, units.len() as f64) as usize };
        }
        if places[0] > places[1] {
            if self.dialect == Dialect::Groovy {
                return failed(call.at, "the end lies before the beginning");
            }
            places.swap(0, 1);
        }
        match String::from_utf16(units.get(places[0]..places[1]).unwrap_or_default()) {
            Ok(part) => Ok(Operand::Text(self.arena.alloc_str(&part))),
            Err(_) => failed(call.at, "a character would be cut in two"),
        }
    }

    fn text_method(&self, call: &'a Call, text: &'a str) -> Computed<'a> {
        let owned = |text: String| Ok(Operand::Text(self.arena.alloc_str(&text)));
        match &call.method {
            Method::StartsWith => Ok(Operand::Boolean(text.starts_with(self.text_argument(call, 0)?))),
            Method::EndsWith => Ok(Operand::Boolean(text.ends_with(self.text_argument(call, 0)?))),
            Method::Contains => Ok(Operand::Boolean(text.contains(self.text_argument(call, 0)?))),
            Method::EqualsIgnoreCase => Ok(Operand::Boolean(equals_ignoring_case(text, self.text_argument(call, 0)?))),
            Method::ToLowerCase => owned(text.to_lowercase()),
            Method::ToUpperCase => owned(text.to_uppercase()),
            Method::Trim => Ok(Operand::Text(text.trim_matches(|c| c <= ' '))),
            Method::Length => Ok(length(text)),
            Method::IsEmpty => Ok(Operand::Boolean(text.is_empty())),
            Method::Replace => {
                let (old, new) = (self.text_argument(call, 0)?, self.text_argument(call, 1)?);
                if self.dialect == Dialect::JavaScript && new.contains('$') {
                    return failed(
                        call.at,
                        "a $ in the replacement stands for a part of the text and is not translated",
                    );
                }
                let times = if self.dialect == Dialect::Groovy { usize::MAX } else { 1 };
                owned(text.replacen(old, new, times))
            }
            Method::Substring => self.substring(call, text),
            Method::Split(separator, index) => {
                let mut parts: Vec<&'a str> = text.split(&**separator).collect();
                // Java leaves out empty parts at the end, but for text without the separator.
                while self.dialect == Dialect::Groovy
                    && parts.len() > 1
                    && parts.last().is_some_and(|part| part.is_empty())
                {
                    parts.pop();
                }
                if self.dialect == Dialect::Groovy
                    && text.bytes().all(|byte| separator.as_bytes() == [byte])
                    && !text.is_empty()
                {
                    parts.clear();
                }
                match parts.get(*index) {
                    Some(part) => Ok(Operand::Text(part)),
                    None if self.dialect == Dialect::JavaScript => Ok(Operand::Undefined),
                    None => failed(call.at, format!("the text has no part {index}")),
                }
            }
            Method::Matches(pattern) => match pattern.matches(text) {
                Ok(matches) => Ok(Operand::Boolean(matches)),
                Err(error) => failed(call.at, error.to_string()),
            },
            Method::ContainsKey(_)
            | Method::Schema
            | Method::Name
            | Method::Field(_)
            | Method::Equals
            | Method::ToString => failed(call.at, "text has no such method"),
        }
    }
}

/// `String.equalsIgnoreCase`: letter by letter, and no letter is two (the German sharp s is not SS).
fn equals_ignoring_case(left: &str, right: &str) -> bool {
    let same = |left: char, right: char| {
        let (left, right) = (simple_uppercase(left), simple_uppercase(right));
        left == right || simple_lowercase(left) == simple_lowercase(right)
    };
    let mut others = right.chars();
    left.chars().all(|left| others.next().is_some_and(|right| left == right || same(left, right)))
        && others.next().is_none()
}

/// `Character.toUpperCase`: of letters whose capital is two, some Greek ones have one of their own, the others none.
fn simple_uppercase(c: char) -> char {
    let mut capital = c.to_uppercase();
    match (capital.next(), capital.next()) {
        (Some(capital), None) => capital,
        _ => {
            let apart = match u32::from(c) {
                0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => 8,
                0x1fb3 | 0x1fc3 | 0x1ff3 => 9,
                _ => 0,
            };
            char::from_u32(u32::from(c) + apart).unwrap_or(c)
        }
    }
}

/// `Character.toLowerCase`: of the one letter whose small letter is two, the first of them.
fn simple_lowercase(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Units of UTF-16.
fn length<'a>(text: &str) -> Operand<'a> {
    Operand::Integer(text.encode_utf16().count() as i64, Width::Int)
}
