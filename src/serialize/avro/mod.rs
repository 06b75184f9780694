//! `io.confluent.connect.avro.AvroConverter`: Avro through a schema registry, in Confluent's wire format.
//!
//! In: values and schemas. Out: a zero byte, the schema's id in four bytes (big-endian), the value's Avro body. Promised: the schema
//! *text* that is registered equals the text that Confluent's converter registers for the same Connect schema,
//! so that a topic taken over from Debezium gets no new version; writing a value never asks the registry.
//!
//! ```text
//!  Connect schema ─▶ schema (AvroType) ─▶ text ─▶ registry ─▶ id ─┐
//!               └──▶ plan (Node) ─────────────────────────────────┴▶ 0x00 id body
//! ```

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::{Fault, SerializeError};
use super::registry::{self, Registry};
use super::{Converter, ConverterSpec, Plan, Role};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::util::class_options::{ClassOption, Options};

mod anything;
mod default;
pub mod name;
mod plan;
mod schema;
mod subject;
mod text;

/// Confluent's Avro converter.
pub static SPEC: ConverterSpec = ConverterSpec {
    name: "avro",
    aliases: &["io.confluent.connect.avro.AvroConverter"],
    about: "Avro in Confluent's wire format, with schemas in a schema registry",
    options: &[OPTIONS, registry::OPTIONS],
    build,
};

/// Apicurio's Avro converter: another wire format, refused with what to use instead.
pub static APICURIO: ConverterSpec = ConverterSpec {
    name: "apicurio-avro",
    aliases: &["io.apicurio.registry.utils.converter.AvroConverter"],
    about: "refused: use io.confluent.connect.avro.AvroConverter with the registry's Confluent API",
    options: &[],
    build: refuse_apicurio,
};

static OPTIONS: &[ClassOption] = &[
    ClassOption::new(
        "connect.meta.data",
        "true",
        "whether names, versions and parameters of Connect schemas are kept as connect.* properties",
    ),
    ClassOption::new("scrub.invalid.names", "false", "whether characters that Avro names cannot have are replaced"),
    ClassOption::new("allow.optional.map.keys", "false", "whether a map with optional text keys is an Avro map"),
    ClassOption::new("discard.type.doc.default", "false", "whether documentation of fields is Avro's doc of the field"),
    ClassOption::new(
        "ignore.default.for.nullables",
        "false",
        "whether null stays null in an optional field with a default",
    ),
    ClassOption::new("enhanced.avro.schema.support", "false", "taken; Debezium's schemas do not use what it adds"),
    ClassOption::new("flatten.singleton.unions", "true", "taken; concerns readers only"),
    ClassOption::new("schemas.cache.config", "1000", "taken and not needed: plans are kept by table"),
    ClassOption::new(
        "key.subject.name.strategy",
        "TopicNameStrategy",
        "which subject a key's schema belongs to: TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy",
    ),
    ClassOption::new("value.subject.name.strategy", "TopicNameStrategy", "which subject a value's schema belongs to"),
];

/// The settings that change schemas and bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct AvroOptions {
    meta_data: bool,
    scrub_names: bool,
    optional_map_keys: bool,
    discard_type_doc_default: bool,
    ignore_default_for_nullables: bool,
}

impl AvroOptions {
    fn read(options: &Options<'_>) -> Result<Self, SerializeError> {
        Ok(AvroOptions {
            meta_data: options.flag("connect.meta.data", true)?,
            scrub_names: options.flag("scrub.invalid.names", false)?,
            optional_map_keys: options.flag("allow.optional.map.keys", false)?,
            discard_type_doc_default: options.flag("discard.type.doc.default", false)?,
            ignore_default_for_nullables: options.flag("ignore.default.for.nullables", false)?,
        })
    }

    /// Whether a map with such keys is Avro's map, and not an array of pairs.
    fn is_avro_map(&self, keys: &Schema) -> bool {
        keys.kind == Kind::String && (!keys.optional || self.optional_map_keys)
    }
}

struct AvroConverter {
    options: AvroOptions,
    strategy: subject::Strategy,
    is_key: bool,
    registry: Registry,
}

fn build(options: &Options<'_>, role: Role, stop: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
    let is_key = match role {
        Role::Key => true,
        Role::Value => false,
        Role::Header => {
            let what = "header.converter=io.confluent.connect.avro.AvroConverter".into();
            let reason =
                "it is no header converter in Kafka Connect either; use SimpleHeaderConverter or JsonConverter".into();
            return Err(SerializeError::Unsupported { what, reason });
        }
    };
    Ok(Arc::new(AvroConverter {
        options: AvroOptions::read(options)?,
        strategy: subject::Strategy::read(options, is_key)?,
        is_key,
        registry: Registry::open(options, stop)?,
    }))
}

fn refuse_apicurio(_: &Options<'_>, _: Role, _: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
    Err(apicurio_refusal())
}

/// Why Apicurio's converter is not there, and what is.
pub(super) fn apicurio_refusal() -> SerializeError {
    SerializeError::Unsupported {
        what: "io.apicurio.registry.utils.converter.AvroConverter".into(),
        reason: "it writes ids of 8 bytes (4 with apicurio.registry.as-confluent=true); use io.confluent.connect.avro.AvroConverter with schema.registry.url=http://REGISTRY/apis/ccompat/v7, whose records Apicurio's readers take with as-confluent=true".into(),
    }
}

impl Converter for AvroConverter {
    fn is_tombstone(&self, schema: &Schema) -> bool {
        schema.optional && schema.default.is_none()
    }

    fn prepare(&self, topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
        let Some(schema) = schema else {
            let subject = self.strategy.subject(topic, self.is_key, &anything::record())?;
            return Ok(Arc::new(AnythingPlan { header: header(self.registry.id(&subject, anything::TEXT)?) }));
        };
        let node = plan::Node::compile(schema, &self.options)?;
        let avro = schema::convert(schema, &self.options)?;
        let subject = self.strategy.subject(topic, self.is_key, &avro)?;
        let id = self.registry.id(&subject, &text::text(&avro))?;
        Ok(Arc::new(AvroPlan { header: header(id), bare_bytes: node.is_bare_bytes(), node }))
    }
}

/// The text of the Avro schema that is registered for a Connect schema, with the default options.
///
/// # Errors
/// When the schema cannot be written as Avro.
pub fn schema_text(schema: &Schema) -> Result<String, SerializeError> {
    let options = AvroOptions {
        meta_data: true,
        scrub_names: false,
        optional_map_keys: false,
        discard_type_doc_default: false,
        ignore_default_for_nullables: false,
    };
    Ok(text::text(&*schema::convert(schema, &options)?))
}

/// A plan with a known schema id, and default options: for benches and tests, which have no registry.
///
/// # Errors
/// When the schema cannot be written as Avro.
pub fn plan_with_id(schema: &Schema, id: u32) -> Result<Arc<dyn Plan>, SerializeError> {
    let config = std::collections::BTreeMap::new();
    let node = plan::Node::compile(schema, &AvroOptions::read(&Options::new(&config))?)?;
    Ok(Arc::new(AvroPlan { header: header(id), bare_bytes: node.is_bare_bytes(), node }))
}

/// What stands before every value: a zero and the schema's id.
fn header(id: u32) -> [u8; 5] {
    let [a, b, c, d] = id.to_be_bytes();
    [0, a, b, c, d]
}

struct AvroPlan {
    /// The magic byte and the schema id.
    header: [u8; 5],
    bare_bytes: bool,
    node: plan::Node,
}

impl Plan for AvroPlan {
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        if matches!(value, ValueRef::Null) {
            return if self.node.is_optional() { Ok(false) } else { Err(Fault::null().into_error()) };
        }
        let start = out.len();
        out.extend_from_slice(&self.header);
        if let (true, ValueRef::Bytes(bytes)) = (self.bare_bytes, value) {
            out.extend_from_slice(bytes);
            return Ok(true);
        }
        match self.node.write(value, arena, out) {
            Ok(()) => Ok(true),
            Err(fault) => {
                out.truncate(start);
                Err(fault.into_error())
            }
        }
    }
}

/// For values without a schema.
struct AnythingPlan {
    header: [u8; 5],
}

impl Plan for AnythingPlan {
    fn write(&self, value: &ValueRef<'_>, _arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        if matches!(value, ValueRef::Null) {
            return Ok(false);
        }
        let start = out.len();
        out.extend_from_slice(&self.header);
        anything::write(value, out).map_err(|fault| {
            out.truncate(start);
            fault.into_error()
        })?;
        Ok(true)
    }
}
