//! ENUM and SET: numbers on the wire, labels in the schema and in the value.

use std::sync::Arc;

use super::CodecError;
use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan};
use crate::model::modes::DebeziumGeneration;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// The most members a SET can have.
const MAX_MEMBERS: usize = 64;

/// Labels as Debezium shows them in the value: escaped as `SHOW CREATE TABLE` does; before 3.7 with a backslash before each
/// comma.
fn labels(context: &Context<'_>) -> Box<[Arc<str>]> {
    let generation = context.options.generation;
    context.column.enum_values.iter().map(|label| escaped(label, generation).into()).collect()
}

fn escaped(label: &str, generation: DebeziumGeneration) -> String {
    let mut text = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            ',' if generation == DebeziumGeneration::V3_6 => text.push_str("\\,"),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\0' => text.push_str("\\0"),
            _ => text.push(character),
        }
    }
    text
}

/// The labels, separated by commas. Since 3.7 what is a comma or a backslash in a label is told from what is not
/// (`EnumeratedValues.toCommaSeparatedString`).
fn schema(name: &str, labels: &[Arc<str>], generation: DebeziumGeneration) -> Schema {
    let listed = |label: &Arc<str>| match generation {
        DebeziumGeneration::V3_6 => label.to_string(),
        DebeziumGeneration::V3_7 => label.replace('\\', "\\\\").replace(',', "\\,"),
    };
    let allowed = labels.iter().map(listed).collect::<Vec<_>>().join(",");
    Schema::new(Kind::String).named(name).version(1).parameter("allowed", &allowed)
}

fn default(text: &str) -> Result<Option<Value>, &'static str> {
    Ok(Some(Value::text(default_value::without_introducer(text))))
}

/// A number of up to eight bytes, least significant first.
#[inline]
fn number(cell: &[u8], column_type: &'static str, most: usize) -> Result<u64, ValueError> {
    if cell.is_empty() || cell.len() > most {
        return Err(ValueError::Length { column_type, expected: most, actual: cell.len() });
    }
    Ok(cell.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[derive(Clone, Debug)]
struct Enum {
    labels: Box<[Arc<str>]>,
}

impl Decode for Enum {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match number(cell, "ENUM", 2)? {
            // What MySQL stores for a value that the list does not have.
            0 => Ok(ValueRef::String("")),
            index => match self.labels.get(index as usize - 1) {
                Some(label) => Ok(ValueRef::String(label)),
                None => Err(ValueError::Invalid { column_type: "ENUM", reason: "an index beyond the labels" }),
            },
        }
    }
}

/// ENUM.
pub(super) fn enumeration(context: &Context<'_>) -> Result<Plan, CodecError> {
    let labels = labels(context);
    let schema = schema("io.debezium.data.Enum", &labels, context.options.generation);
    Ok(Plan::new(schema, Fallback::Scalar(Value::text("")), Enum { labels }, default))
}

#[derive(Clone, Debug)]
struct Set {
    labels: Box<[Arc<str>]>,
}

impl Decode for Set {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let bits = number(cell, "SET", 8)?;
        let known = self.labels.len().min(MAX_MEMBERS) as u32;
        if bits.checked_shr(known).unwrap_or(0) != 0 {
            return Err(ValueError::Invalid { column_type: "SET", reason: "a member beyond the labels" });
        }
        let mut chosen = self.labels.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
        let Some((_, first)) = chosen.next() else { return Ok(ValueRef::String("")) };
        if bits.count_ones() == 1 {
            return Ok(ValueRef::String(first));
        }
        let mut text = bumpalo::collections::String::from_str_in(first, arena);
        for (_, label) in chosen {
            text.push(',');
            text.push_str(label);
        }
        Ok(ValueRef::String(text.into_bump_str()))
    }
}

/// SET.
pub(super) fn set(context: &Context<'_>) -> Result<Plan, CodecError> {
    let labels = labels(context);
    let schema = schema("io.debezium.data.EnumSet", &labels, context.options.generation);
    Ok(Plan::new(schema, Fallback::Scalar(Value::text("")), Set { labels }, default))
}
