//! `org.apache.kafka.connect.json.JsonConverter`, byte for byte.
//!
//! In: values and schemas. Out: JSON text; with `schemas.enable` an object of `schema` and `payload`, whose
//! schema is text made once per plan. Promised: the same bytes as Kafka Connect 4.x on a JDK of version 19 or later
//! (see [`java_text`](super::java_text) for the one difference that older ones show).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::{Fault, SerializeError};
use super::{Converter, ConverterSpec, Plan, Role};
use crate::model::schema::Schema;
use crate::model::value::{Arena, ValueRef};
use crate::util::class_options::{ClassOption, Options};

pub mod escape;
mod plan;
mod schema;

/// The JSON converter.
pub static SPEC: ConverterSpec = ConverterSpec {
    name: "json",
    aliases: &["org.apache.kafka.connect.json.JsonConverter"],
    about: "JSON as Kafka Connect writes it, with or without the schema in every record",
    options: &[OPTIONS],
    build,
};

static OPTIONS: &[ClassOption] = &[
    ClassOption::new("schemas.enable", "true", "whether every record carries its schema"),
    ClassOption::new("schemas.cache.size", "1000", "taken and not needed: plans are kept by table"),
    ClassOption::new("decimal.format", "BASE64", "how Connect's Decimal is written: BASE64 or NUMERIC"),
    ClassOption::new("replace.null.with.default", "true", "whether null becomes the field's default, where it has one"),
];

/// `decimal.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalFormat {
    /// The unscaled value's bytes in base64.
    Base64,
    /// A JSON number.
    Numeric,
}

struct JsonConverter {
    schemas: bool,
    format: DecimalFormat,
    replace_null: bool,
}

fn build(options: &Options<'_>, _role: Role, _stop: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
    let format = match options.text("decimal.format") {
        None => DecimalFormat::Base64,
        Some(value) if value.eq_ignore_ascii_case("base64") => DecimalFormat::Base64,
        Some(value) if value.eq_ignore_ascii_case("numeric") => DecimalFormat::Numeric,
        Some(value) => {
            let (option, expected) = ("decimal.format", "BASE64 or NUMERIC");
            return Err(crate::util::class_options::BadOption { option, value: value.into(), expected }.into());
        }
    };
    Ok(Arc::new(JsonConverter {
        schemas: options.flag("schemas.enable", true)?,
        format,
        replace_null: options.flag("replace.null.with.default", true)?,
    }))
}

impl Converter for JsonConverter {
    fn prepare(&self, _topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
        let mut prefix = Vec::new();
        if self.schemas {
            prefix.extend_from_slice(b"{\"schema\":");
            match schema {
                Some(schema) => prefix.extend_from_slice(&schema::text(schema, self.format)?),
                None => prefix.extend_from_slice(b"null"),
            }
            prefix.extend_from_slice(b",\"payload\":");
        }
        let node = schema.map(|schema| plan::Node::compile(schema, self.format, self.replace_null)).transpose()?;
        let suffix: &[u8] = if self.schemas { b"}" } else { b"" };
        Ok(Arc::new(JsonPlan { prefix: prefix.into(), node, suffix }))
    }
}

struct JsonPlan {
    prefix: Box<[u8]>,
    /// None for schemaless values.
    node: Option<plan::Node>,
    suffix: &'static [u8],
}

impl JsonPlan {
    fn write_parts(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
        out.extend_from_slice(&self.prefix);
        match &self.node {
            Some(node) => node.write(value, arena, out)?,
            None => plan::write_schemaless(value, out)?,
        }
        out.extend_from_slice(self.suffix);
        Ok(())
    }
}

impl Plan for JsonPlan {
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        if self.node.is_none() && matches!(value, ValueRef::Null) {
            return Ok(false);
        }
        let start = out.len();
        self.write_parts(value, arena, out).map_err(|fault| {
            out.truncate(start);
            fault.into_error()
        })?;
        Ok(true)
    }
}
