//! HSTORE.
//!
//! In: `"key"=>"value", "other"=>NULL`. Out, by `hstore.handling.mode`: JSON text, or a map from text to text that may be
//! null; the entries in the order of Java's hash map, which Debezium puts them into.

use super::Context;
use super::default_value;
use super::hash_order::{grown_capacity, sort_by_bucket};
use crate::model::modes::HstoreHandlingMode;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::plan::{Decode, Fallback, Plan};
use crate::util::java_hash::hash_code;

fn invalid() -> ValueError {
    ValueError::Invalid { column_type: "hstore", reason: "not pairs as hstore writes them" }
}

/// What stands in double quotes at the front, and what is behind.
fn quoted<'a>(text: &'a str, arena: &'a Arena) -> Result<(&'a str, &'a str), ValueError> {
    let inner = text.strip_prefix('"').ok_or(invalid())?;
    let bytes = inner.as_bytes();
    let (mut at, mut escaped) = (0, false);
    loop {
        match bytes.get(at) {
            Some(b'"') => break,
            Some(b'\\') => {
                escaped = true;
                at += 2;
            }
            Some(_) => at += 1,
            None => return Err(invalid()),
        }
    }
    let (found, behind) = (inner.get(..at).ok_or(invalid())?, inner.get(at + 1..).ok_or(invalid())?);
    if !escaped {
        return Ok((found, behind));
    }
    let mut plain = bumpalo::collections::String::with_capacity_in(found.len(), arena);
    let mut characters = found.chars();
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { characters.next().ok_or(invalid())? } else { character });
    }
    Ok((plain.into_bump_str(), behind))
}

type Entry<'a> = (&'a str, Option<&'a str>);

/// The entries in the order of Java's map.
fn entries<'a>(cell: &'a [u8], arena: &'a Arena) -> Result<&'a [Entry<'a>], ValueError> {
    let mut rest = simdutf8::basic::from_utf8(cell).map_err(|_| invalid())?;
    let mut out = bumpalo::collections::Vec::new_in(arena);
    while !rest.is_empty() {
        let (key, behind) = quoted(rest, arena)?;
        let behind = behind.strip_prefix("=>").ok_or(invalid())?;
        let (value, behind) = match behind.strip_prefix("NULL") {
            Some(behind) => (None, behind),
            None => quoted(behind, arena).map(|(value, behind)| (Some(value), behind))?,
        };
        out.push((hash_code(key), (key, value)));
        rest = match behind.strip_prefix(", ") {
            Some(more) if !more.is_empty() => more,
            Some(_) => return Err(invalid()),
            None if behind.is_empty() => behind,
            None => return Err(invalid()),
        };
    }
    Ok(sort_by_bucket(&mut out, grown_capacity, arena))
}

/// Writes a text in quotes as Jackson does.
fn json_text(out: &mut bumpalo::collections::String<'_>, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control @ '\0'..='\x1f' => {
                let digits = b"0123456789ABCDEF";
                let digit = |place: u32| digits.get(place as usize & 15).copied().map_or('0', char::from);
                out.push_str("\\u00");
                out.push(digit(u32::from(control) >> 4));
                out.push(digit(u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn json<'a>(entries: &[Entry<'_>], arena: &'a Arena) -> &'a str {
    let mut out = bumpalo::collections::String::new_in(arena);
    out.push('{');
    for (place, (key, value)) in entries.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        json_text(&mut out, key);
        out.push(':');
        match value {
            Some(value) => json_text(&mut out, value),
            None => out.push_str("null"),
        }
    }
    out.push('}');
    out.into_bump_str()
}

#[derive(Clone, Debug)]
struct Json;

impl Decode for Json {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(ValueRef::String(json(entries(cell, arena)?, arena)))
    }
}

#[derive(Clone, Debug)]
struct Map;

impl Decode for Map {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let entries = entries(cell, arena)?.iter();
        let text = |text: Option<&'a str>| text.map_or(ValueRef::Null, ValueRef::String);
        let entries = entries.map(|(key, value)| (ValueRef::String(key), text(*value)));
        Ok(ValueRef::Map(arena.alloc_slice_fill_iter(entries)))
    }
}

/// HSTORE. Only a column of the type itself shows the placeholder as an entry; one of a domain shows it as text.
pub(super) fn hstore(context: &Context<'_>) -> Plan {
    let itself = context.type_name == "hstore" && !context.element;
    match context.options.hstore {
        HstoreHandlingMode::Json => {
            let schema = Schema::new(Kind::String).named("io.debezium.data.Json").version(1);
            let plan = Plan::new(schema, Fallback::Scalar(Value::text("{}")), Json, default_value::none);
            plan.with_placeholder(move |text| {
                let arena = Arena::new();
                Value::text(if itself { json(&[(text, Some(text))], &arena) } else { text })
            })
        }
        HstoreHandlingMode::Map => {
            let text = Schema::new(Kind::String);
            let schema = Schema::new(Kind::Map(text.clone().into(), text.optional().into()));
            let plan = Plan::new(schema, Fallback::EmptyMap, Map, default_value::none);
            match itself {
                true => plan.with_placeholder(|text| Value::Map(vec![(Value::text(text), Value::text(text))])),
                false => plan,
            }
        }
    }
}
