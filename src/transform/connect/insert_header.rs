//! `InsertHeader`: a header with a literal value.
//!
//! The literal is read as `Values.parseString` reads it: `null`, `true`, `false`, a date or time, a number in the
//! smallest type that holds it, else text. Lists and maps are refused at start.

use std::sync::Arc;

use super::number::Decimal;
use super::{Target, TransformSpec, WHOLE, required};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value};
use crate::transform::chain::with_header;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};
use crate::util::simple_date_format::SimpleDateFormat;

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "InsertHeader",
    aliases: &["org.apache.kafka.connect.transforms.InsertHeader"],
    about: "Adds a header with a literal value",
    targets: WHOLE,
    options: &[&[
        ClassOption::new("header", "", "The header's name; required"),
        ClassOption::new("value.literal", "", "Its value: text, a number, true, false, null, a date or time; required"),
    ]],
    build,
};

struct InsertHeader {
    name: String,
    schema: Option<Arc<Schema>>,
    value: Value,
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let name = required(options, "header")?.to_owned();
    let literal = options.all().find(|(name, _)| *name == "value.literal").map(|(_, value)| value.trim());
    let Some(literal) = literal else {
        return Err(TransformError::unset("value.literal"));
    };
    let (schema, value) = match parse(literal)? {
        Some((schema, value)) => (Some(Arc::new(schema)), value),
        None => (None, Value::Null),
    };
    Ok(Box::new(InsertHeader { name, schema, value }))
}

/// `Values.parseString`, of a text without blanks around it. `None` is null.
fn parse(literal: &str) -> Result<Option<(Schema, Value)>, TransformError> {
    let text = || Ok(Some((Schema::new(Kind::String), Value::text(literal))));
    let Some(first) = literal.chars().next() else { return text() };
    match literal {
        "null" => return Ok(None),
        "true" | "false" => return Ok(Some((Schema::new(Kind::Boolean), Value::Boolean(literal == "true")))),
        _ => {}
    }
    if matches!(first, '[' | '{') {
        let reason = "value.literal begins like a list or map, which cannot be read here".to_owned();
        return Err(TransformError::Options { reason });
    }
    // Java reads what stands before the first of these, and forgets the rest of a number; a time holds two colons.
    let delimiters = [':', ',', '{', '}', '[', ']', '"'];
    let token = literal.split(delimiters).next().unwrap_or(literal).trim();
    if first.is_ascii_digit() {
        for text in [literal, token] {
            if let Some(temporal) = temporal(text)? {
                return Ok(Some(temporal));
            }
        }
    }
    if !(first.is_ascii_digit() || matches!(first, '+' | '-')) {
        return text();
    }
    match Decimal::parse(token) {
        Some(decimal) => Ok(Some(number(&decimal)?)),
        None => text(),
    }
}

fn temporal(text: &str) -> Result<Option<(Schema, Value)>, TransformError> {
    let read = |pattern: &str| {
        let format = SimpleDateFormat::new(pattern).map_err(|e| TransformError::Options { reason: e.to_string() })?;
        Ok::<_, TransformError>(format.parse(text))
    };
    let named = |kind, name: &str| Schema::new(kind).named(&format!("org.apache.kafka.connect.data.{name}")).version(1);
    let days = |millis: i64| Value::Int32(i32::try_from(millis.div_euclid(86_400_000)).unwrap_or(0));
    let time = |millis: i64| Value::Int32(i32::try_from(millis).unwrap_or(0));
    Ok(match text.len() {
        10 => read("yyyy-MM-dd")?.map(|millis| (named(Kind::Int32, "Date"), days(millis))),
        13 => read("HH:mm:ss.SSS'Z'")?.map(|millis| (named(Kind::Int32, "Time"), time(millis))),
        24 => {
            read("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")?.map(|millis| (named(Kind::Int64, "Timestamp"), Value::Int64(millis)))
        }
        _ => None,
    })
}

/// The smallest type that holds a number: whole ones in 8 to 64 bits, others as a float, a double, a Decimal.
fn number(decimal: &Decimal) -> Result<(Schema, Value), TransformError> {
    if decimal.is_whole()
        && let Some(long) = decimal.whole().and_then(|whole| i64::try_from(whole).ok())
    {
        return Ok(if let Ok(v) = i8::try_from(long) {
            (Schema::new(Kind::Int8), Value::Int8(v))
        } else if let Ok(v) = i16::try_from(long) {
            (Schema::new(Kind::Int16), Value::Int16(v))
        } else if let Ok(v) = i32::try_from(long) {
            (Schema::new(Kind::Int32), Value::Int32(v))
        } else {
            (Schema::new(Kind::Int64), Value::Int64(long))
        });
    }
    if decimal.scale != 0 && decimal.float().is_finite() {
        return Ok((Schema::new(Kind::Float32), Value::Float32(decimal.float())));
    }
    if decimal.scale != 0 && decimal.double().is_finite() {
        return Ok((Schema::new(Kind::Float64), Value::Float64(decimal.double())));
    }
    let reason = "value.literal is a number of more than 38 digits".to_owned();
    let unscaled = decimal.unscaled().ok_or(TransformError::Options { reason })?;
    let schema = Schema::new(Kind::Bytes).named("org.apache.kafka.connect.data.Decimal").version(1);
    Ok((schema.parameter("scale", &decimal.scale.to_string()), Value::Bytes(unscaled.into())))
}

impl Transform for InsertHeader {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let value = Typed { schema: self.schema.as_ref(), value: self.value.borrow(arena) };
        record.headers = with_header(record.headers, Header { name: &self.name, value }, arena);
        Ok(Some(record))
    }
}
