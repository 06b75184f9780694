//! `org.apache.kafka.connect.converters.ByteArrayConverter`: bytes as they are.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::{Fault, SerializeError};
use super::{Converter, ConverterSpec, Plan, Role};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::util::class_options::Options;

/// The byte array converter.
pub static SPEC: ConverterSpec = ConverterSpec {
    name: "bytes",
    aliases: &["org.apache.kafka.connect.converters.ByteArrayConverter"],
    about: "bytes as they are, for values that are bytes already",
    options: &[],
    build,
};

struct ByteArrayConverter;

fn build(_: &Options<'_>, _: Role, _: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
    Ok(Arc::new(ByteArrayConverter))
}

impl Converter for ByteArrayConverter {
    fn prepare(&self, _topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
        match schema {
            Some(schema) if schema.kind != Kind::Bytes => Err(SerializeError::Unsupported {
                what: format!("a {} with ByteArrayConverter", schema.type_name()),
                reason: "it takes bytes only; use JsonConverter or AvroConverter for change events".into(),
            }),
            Some(_) | None => Ok(Arc::new(Bytes)),
        }
    }
}

struct Bytes;

impl Plan for Bytes {
    fn write(&self, value: &ValueRef<'_>, _arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        if matches!(value, ValueRef::Null) {
            return Ok(false);
        }
        let ValueRef::Bytes(bytes) = value else { return Err(Fault::shape("bytes", value).into_error()) };
        out.extend_from_slice(bytes);
        Ok(true)
    }
}
