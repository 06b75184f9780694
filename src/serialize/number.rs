//! Kafka Connect's converters of single numbers: big-endian, as `kafka-clients`' serializers write them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::{Fault, SerializeError};
use super::{Converter, ConverterSpec, Plan, Role};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::util::class_options::Options;

macro_rules! number_converter {
    ($spec:ident, $plan:ident, $name:literal, $class:literal, $kind:ident, $bytes:expr) => {
        #[doc = concat!("`", $class, "`")]
        pub static $spec: ConverterSpec = ConverterSpec {
            name: $name,
            aliases: &[$class],
            about: concat!("a single ", $name, ", big-endian"),
            options: &[],
            build: $plan::build,
        };

        struct $plan;

        impl $plan {
            fn build(_: &Options<'_>, _: Role, _: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
                Ok(Arc::new($plan))
            }
        }

        impl Converter for $plan {
            fn prepare(&self, _: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
                check(schema, &Kind::$kind, $class)?;
                Ok(Arc::new($plan))
            }
        }

        impl Plan for $plan {
            fn write(&self, value: &ValueRef<'_>, _: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
                if matches!(value, ValueRef::Null) {
                    return Ok(false);
                }
                let ValueRef::$kind(number) = value else { return Err(Fault::shape($name, value).into_error()) };
                out.extend_from_slice(&$bytes(*number));
                Ok(true)
            }
        }
    };
}

number_converter!(
    SHORT,
    ShortConverter,
    "short",
    "org.apache.kafka.connect.converters.ShortConverter",
    Int16,
    i16::to_be_bytes
);
number_converter!(
    INTEGER,
    IntegerConverter,
    "integer",
    "org.apache.kafka.connect.converters.IntegerConverter",
    Int32,
    i32::to_be_bytes
);
number_converter!(
    LONG,
    LongConverter,
    "long",
    "org.apache.kafka.connect.converters.LongConverter",
    Int64,
    i64::to_be_bytes
);
number_converter!(
    FLOAT,
    FloatConverter,
    "float",
    "org.apache.kafka.connect.converters.FloatConverter",
    Float32,
    f32::to_be_bytes
);
number_converter!(
    DOUBLE,
    DoubleConverter,
    "double",
    "org.apache.kafka.connect.converters.DoubleConverter",
    Float64,
    f64::to_be_bytes
);
number_converter!(
    BOOLEAN,
    BooleanConverter,
    "boolean",
    "org.apache.kafka.connect.converters.BooleanConverter",
    Boolean,
    |value: bool| [u8::from(value)]
);

fn check(schema: Option<&Arc<Schema>>, kind: &Kind, class: &str) -> Result<(), SerializeError> {
    match schema {
        Some(schema) if schema.kind != *kind => Err(SerializeError::Unsupported {
            what: format!("a {} with {class}", schema.type_name()),
            reason: "it takes one number only; use JsonConverter or AvroConverter for change events".into(),
        }),
        Some(_) | None => Ok(()),
    }
}
