//! Debezium's `BinaryDataConverter` and `ByteArrayConverter`: bytes as they are, everything else by another converter.
//!
//! In: values and schemas. Out: for bytes the bytes; for other schemas what the converter `delegate.converter.type`
//! writes, whose options stand beneath that name (`delegate.converter.type.schemas.enable`). Promised: as Debezium,
//! which is made for payloads of an outbox that an application has serialized, while heartbeats and transaction
//! records on the same connector need a converter of their own. A schema that is not bytes without a delegate is an
//! error that names the option. Bytes of a Decimal are not bytes to Java and go to the delegate.
//!
//! They differ in one thing: Debezium's row bytes are `ByteBuffer`s, which `ByteArrayConverter` hands to its delegate
//! under the schema of bytes and `BinaryDataConverter` writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::{Fault, SerializeError};
use super::{Converter, ConverterSpec, Plan, Role};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::util::class_options::{ClassOption, Options};

/// Writes every kind of bytes.
pub static BINARY_DATA: ConverterSpec = ConverterSpec {
    name: "binary-data",
    aliases: &["io.debezium.converters.BinaryDataConverter", "io.debezium.converters.ByteBufferConverter"],
    about: "bytes as they are, and other values by delegate.converter.type; for payloads that are serialized already",
    options: &[OPTIONS],
    build: |options, role, stop| build(options, role, stop, false),
};

/// Hands bytes of rows to its delegate.
pub static BYTE_ARRAY: ConverterSpec = ConverterSpec {
    name: "debezium-bytes",
    aliases: &["io.debezium.converters.ByteArrayConverter"],
    about: "Debezium's converter of byte arrays: like BinaryDataConverter, but a delegate also gets the bytes of rows",
    options: &[OPTIONS],
    build: |options, role, stop| build(options, role, stop, true),
};

static OPTIONS: &[ClassOption] = &[
    ClassOption::new("delegate.converter.type", "", "the converter of everything that is not bytes"),
    ClassOption::new("delegate.converter.type.*", "", "its options"),
];

const DELEGATE: &str = "delegate.converter.type";

struct BinaryConverter {
    class: &'static str,
    delegate: Option<Arc<dyn Converter>>,
    delegates_row_bytes: bool,
}

fn build(
    options: &Options<'_>,
    role: Role,
    stop: &Arc<AtomicBool>,
    delegates_row_bytes: bool,
) -> Result<Arc<dyn Converter>, SerializeError> {
    let class = if delegates_row_bytes { "ByteArrayConverter" } else { "BinaryDataConverter" };
    // Connect configures header converters in another way, by which this one gets no delegate.
    let delegate = match options.text(DELEGATE).filter(|_| role != Role::Header) {
        Some(delegate) => {
            let own = |(name, value): (&str, &str)| {
                let name = name.strip_prefix(DELEGATE)?.strip_prefix('.')?;
                Some((name.to_owned(), value.to_owned()))
            };
            let config: BTreeMap<String, String> = options.all().filter_map(own).collect();
            Some(super::build(&config, delegate, role, stop)?)
        }
        None => None,
    };
    Ok(Arc::new(BinaryConverter { class, delegate, delegates_row_bytes }))
}

impl BinaryConverter {
    fn delegated(&self, topic: &str, schema: &Arc<Schema>) -> Result<Arc<dyn Plan>, SerializeError> {
        match &self.delegate {
            Some(delegate) => delegate.prepare(topic, Some(schema)),
            None => Err(SerializeError::Unsupported {
                what: format!("a {} with {}", schema.type_name(), self.class),
                reason: "it takes bytes only; for everything else set delegate.converter.type beneath the converter"
                    .into(),
            }),
        }
    }
}

impl Converter for BinaryConverter {
    fn prepare(&self, topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
        let Some(schema) = schema else {
            let delegate = self.delegate.as_ref().map(|delegate| delegate.prepare(topic, None)).transpose()?;
            return Ok(Arc::new(BytesPlan { delegate }));
        };
        // What Java has for a value of this schema: BigDecimal, byte[] or ByteBuffer.
        let name = schema.name.as_deref();
        let is_decimal = name == Some("org.apache.kafka.connect.data.Decimal");
        let is_array = name == Some("io.debezium.data.Bits");
        if schema.kind != Kind::Bytes || is_decimal {
            return self.delegated(topic, schema);
        }
        if self.delegates_row_bytes && !is_array && self.delegate.is_some() {
            return self.delegated(topic, schema);
        }
        Ok(Arc::new(BytesPlan { delegate: None }))
    }
}

struct BytesPlan {
    /// For values without a schema that are not bytes.
    delegate: Option<Arc<dyn Plan>>,
}

impl Plan for BytesPlan {
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        if matches!(value, ValueRef::Null) {
            return Ok(false);
        }
        if let ValueRef::Bytes(bytes) = value {
            out.extend_from_slice(bytes);
            return Ok(true);
        }
        match &self.delegate {
            Some(delegate) => delegate.write(value, arena, out),
            None => Err(Fault::shape("bytes", value).into_error()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const BINARY: &str = "io.debezium.converters.BinaryDataConverter";
    const ARRAY: &str = "io.debezium.converters.ByteArrayConverter";
    const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
    const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

    fn write(class: &str, role: Role, options: &[(&str, &str)], schema: Option<Schema>, value: ValueRef<'_>) -> String {
        let config = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let converter = match super::super::build(&config, class, role, &Arc::default()) {
            Ok(converter) => converter,
            Err(error) => return error.to_string(),
        };
        let mut out = Vec::new();
        let written = converter
            .prepare("topic", schema.map(Arc::new).as_ref())
            .and_then(|plan| plan.write(&value, &Arena::new(), &mut out));
        match written {
            Ok(true) => String::from_utf8(out).unwrap(),
            Ok(false) => "tombstone".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn check(class: &str, options: &[(&str, &str)], schema: Option<Schema>, value: ValueRef<'_>, expected: &str) {
        assert_eq!(write(class, Role::Value, options, schema, value), expected);
    }

    fn schema(kind: Kind) -> Option<Schema> {
        Some(Schema::new(kind))
    }

    #[test]
    fn bytes_are_written_as_they_are() {
        let json = [("delegate.converter.type", JSON), ("delegate.converter.type.schemas.enable", "false")];
        let bits = || Some(Schema::new(Kind::Bytes).named("io.debezium.data.Bits"));
        for (class, options) in [(BINARY, &json[..]), (BINARY, &[]), (ARRAY, &[])] {
            check(class, options, schema(Kind::Bytes), ValueRef::Bytes(b"avro"), "avro");
            check(class, options, schema(Kind::Bytes), ValueRef::Null, "tombstone");
            check(class, options, None, ValueRef::Bytes(b"avro"), "avro");
            check(class, options, None, ValueRef::Null, "tombstone");
        }
        check(ARRAY, &json, bits(), ValueRef::Bytes(b"avro"), "avro");
        check(ARRAY, &json, schema(Kind::Bytes), ValueRef::Bytes(b"avro"), "\"YXZybw==\"");
    }

    #[test]
    fn everything_else_goes_to_the_delegate() {
        let json = [("delegate.converter.type", JSON), ("delegate.converter.type.schemas.enable", "false")];
        for class in [BINARY, ARRAY] {
            check(class, &json, schema(Kind::String), ValueRef::String("a"), "\"a\"");
            check(class, &json, schema(Kind::Int32), ValueRef::Int32(5), "5");
            check(class, &json, None, ValueRef::String("a"), "\"a\"");
            let with_schema = r#"{"schema":{"type":"string","optional":false},"payload":"a"}"#;
            check(
                class,
                &[("delegate.converter.type", JSON)],
                schema(Kind::String),
                ValueRef::String("a"),
                with_schema,
            );
            check(class, &[("delegate.converter.type", STRING)], schema(Kind::String), ValueRef::String("a"), "a");
            let decimal =
                Schema::new(Kind::Bytes).named("org.apache.kafka.connect.data.Decimal").parameter("scale", "1");
            check(class, &[("delegate.converter.type", STRING)], Some(decimal), ValueRef::Bytes(&[15]), "1.5");
        }
    }

    #[test]
    fn what_is_not_bytes_needs_a_delegate() {
        let needs = |what: &str, class: &str| {
            format!(
                "a {what} with {class} is not supported: it takes bytes only; for everything else set delegate.converter.type beneath the converter"
            )
        };
        check(BINARY, &[], schema(Kind::String), ValueRef::String("a"), &needs("string", "BinaryDataConverter"));
        check(ARRAY, &[], schema(Kind::Int32), ValueRef::Null, &needs("int32", "ByteArrayConverter"));
        check(BINARY, &[("delegate.converter.type", "no.Such")], None, ValueRef::Null, "there is no converter no.Such");
        let header =
            write(BINARY, Role::Header, &[("delegate.converter.type", JSON)], schema(Kind::String), ValueRef::Null);
        assert_eq!(header, needs("string", "BinaryDataConverter"));
    }
}
