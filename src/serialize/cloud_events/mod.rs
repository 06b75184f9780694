//! `io.debezium.converters.CloudEventsConverter`: change events as CloudEvents 1.0 in structured mode.
//!
//! In: envelopes of Debezium's connectors, or structs whose record says in headers what its envelope said. Out: the
//! attributes that CloudEvents asks for, the fields of `source` and `transaction` as extensions, and the row beneath
//! `data`. What is no envelope becomes a record without a value, as Debezium makes it. Promised: the bytes of Debezium
//! 3.6, and what its Avro converter registers; what that class fails at for every record is refused at start. Nothing
//! here survives a crash.
//!
//! | `serializer.type` | `data.serializer.type` | event | data |
//! |---|---|---|---|
//! | json | json | JSON without schema | JSON, with its schema unless `json.schemas.enable=false` |
//! | json | avro | JSON without schema | Base64 of Avro in the registry's format; subject `TOPIC-value` |
//! | avro | avro | Avro; subject `TOPIC-value` | bytes of Avro in the registry's format; subject `TOPIC-data-value` |
//!
//! This is the one converter that knows the shape of an envelope: it is Debezium's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::SerializeError;
use super::{Converter, ConverterSpec, Plan, Role, avro};
use crate::model::modes::SchemaNameAdjustmentMode;
use crate::model::schema::Schema;
use crate::util::class_options::{BadOption, ClassOption, Options};
use metadata::Metadata;
use plan::EventPlan;

mod attributes;
mod facts;
mod metadata;
mod plan;

/// The converter.
pub static SPEC: ConverterSpec = ConverterSpec {
    name: "cloudevents",
    aliases: &["io.debezium.converters.CloudEventsConverter"],
    about: "CloudEvents 1.0 in JSON or Avro, as Debezium writes them",
    options: &[OPTIONS],
    build,
};

static OPTIONS: &[ClassOption] = &[
    ClassOption::new("serializer.type", "json", "how the event is written: json or avro"),
    ClassOption::new("data.serializer.type", "json", "how data is written: json or avro; avro where the event is Avro"),
    ClassOption::new("extension.attributes.enable", "true", "whether source and transaction become attributes"),
    ClassOption::new("json.schemas.enable", "true", "whether data in JSON carries its schema"),
    ClassOption::new("json.decimal.format", "BASE64", "as the JSON converter's decimal.format"),
    ClassOption::new("json.replace.null.with.default", "true", "as the JSON converter's replace.null.with.default"),
    ClassOption::new("json.schemas.cache.size", "1000", "taken and not needed: plans are kept by table"),
    ClassOption::new("avro.schema.registry.url", "", "the registries' URLs; also what dataschema begins with"),
    ClassOption::new("avro.*", "", "options of the Avro converter and of the registry's client"),
    ClassOption::new(
        "metadata.source",
        metadata::DEFAULT,
        "where attributes come from: value or header for all, then id, type, traceparent, dataSchemaName with :generate or :header; headers need header.converter=JsonConverter with schemas",
    ),
    ClassOption::new(
        "opentelemetry.tracing.attributes.enable",
        "false",
        "whether the header traceparent becomes an attribute, which every record then must have",
    ),
    ClassOption::new(
        "schema.data.name.source.header.enable",
        "false",
        "whether dataSchemaName:header counts: the name of data's schema comes from the header dataSchemaName",
    ),
    ClassOption::new(
        "schema.name.adjustment.mode",
        "avro",
        "how the name of the event's schema is made legal: none, avro, avro_unicode",
    ),
    ClassOption::new(
        "schema.cloudevents.name",
        "SERVER.DATABASE.CloudEvents.Envelope",
        "the name of the event's schema in the registry",
    ),
];

/// What all plans of a converter have in common.
struct Settings {
    extensions: bool,
    tracing: bool,
    metadata: Metadata,
    /// `schema.cloudevents.name`, adjusted.
    event_name: Option<String>,
    names: SchemaNameAdjustmentMode,
    /// Writes the event.
    event: Arc<dyn Converter>,
    event_is_avro: bool,
    data: Data,
}

/// How data is written.
enum Data {
    /// With the event, without a schema.
    Inline,
    /// As JSON with its schema.
    Json(Arc<dyn Converter>),
    /// As Avro; the schema lies beneath this address.
    Avro { converter: Arc<dyn Converter>, registry: String },
}

struct CloudEventsConverter(Arc<Settings>);

fn build(options: &Options<'_>, role: Role, stop: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
    if role == Role::Header {
        let reason = "it is no header converter in Kafka Connect either; use SimpleHeaderConverter or JsonConverter";
        return Err(unsupported("header.converter", reason));
    }
    let event_is_avro = is_avro(options, "serializer.type")?;
    let data_is_avro = is_avro(options, "data.serializer.type")?;
    if event_is_avro && !data_is_avro {
        let reason = "data in JSON cannot stand in an event in Avro; set data.serializer.type=avro too";
        return Err(unsupported("serializer.type=avro", reason));
    }
    let metadata = Metadata::read(options)?;
    let names = name_adjustment(options)?;
    let json = |schemas: Option<bool>| {
        let mut config = under(options, "json.");
        if let Some(schemas) = schemas {
            config.insert("schemas.enable".to_owned(), schemas.to_string());
        }
        super::build(&config, "JsonConverter", role, stop)
    };
    let data = if data_is_avro {
        // Debezium's class tells its Avro converter that it writes values, whatever it writes itself.
        let (converter, registry) = avro_converter(options, stop)?;
        Data::Avro { converter, registry }
    } else if Options::new(&under(options, "json.")).flag("schemas.enable", true)? {
        Data::Json(json(None)?)
    } else {
        Data::Inline
    };
    let event = match &data {
        Data::Avro { converter, .. } if event_is_avro => converter.clone(),
        Data::Avro { .. } | Data::Json(_) | Data::Inline => json(Some(false))?,
    };
    let adjusted = |name: &str| attributes::adjusted_name(name, names);
    Ok(Arc::new(CloudEventsConverter(Arc::new(Settings {
        extensions: options.flag("extension.attributes.enable", true)?,
        tracing: options.flag("opentelemetry.tracing.attributes.enable", false)?,
        metadata,
        event_name: options.text("schema.cloudevents.name").map(adjusted),
        names,
        event,
        event_is_avro,
        data,
    }))))
}

fn unsupported(what: &str, reason: &str) -> SerializeError {
    SerializeError::Unsupported { what: format!("CloudEventsConverter with {what}"), reason: reason.to_owned() }
}

fn is_avro(options: &Options<'_>, option: &'static str) -> Result<bool, SerializeError> {
    match options.text(option) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("json") => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("avro") => Ok(true),
        Some(value) => Err(BadOption { option, value: value.to_owned(), expected: "json or avro" }.into()),
    }
}

fn name_adjustment(options: &Options<'_>) -> Result<SchemaNameAdjustmentMode, BadOption> {
    let option = "schema.name.adjustment.mode";
    let Some(value) = options.text(option) else { return Ok(SchemaNameAdjustmentMode::Avro) };
    SchemaNameAdjustmentMode::parse(value).ok_or_else(|| BadOption {
        option,
        value: value.to_owned(),
        expected: "none, avro or avro_unicode",
    })
}

/// The options beneath a prefix.
fn under(options: &Options<'_>, prefix: &str) -> BTreeMap<String, String> {
    let own = |(name, value): (&str, &str)| Some((name.strip_prefix(prefix)?.to_owned(), value.to_owned()));
    options.all().filter_map(own).collect()
}

/// The Avro converter, and what `dataschema` begins with.
fn avro_converter(
    options: &Options<'_>,
    stop: &Arc<AtomicBool>,
) -> Result<(Arc<dyn Converter>, String), SerializeError> {
    let config = under(options, "avro.");
    if config.contains_key("apicurio.registry.url") {
        // Debezium's class then takes Apicurio's converter.
        return Err(avro::apicurio_refusal());
    }
    let Some(url) = config.get("schema.registry.url").filter(|url| !url.trim().is_empty()) else {
        let (option, value) = ("avro.schema.registry.url", String::new());
        return Err(BadOption { option, value, expected: "URLs of schema registries, http:// or https://" }.into());
    };
    if url.contains('@') {
        tracing::warn!(
            "avro.schema.registry.url has a user and a password, and dataschema of every event repeats them, as with Debezium; use avro.basic.auth.user.info instead"
        );
    }
    // The URLs are split and joined again, and Java's split leaves out empty ones at the end.
    let registry = url.trim_end_matches(',').to_owned();
    let converter = super::build(&config, "io.confluent.connect.avro.AvroConverter", Role::Value, stop)?;
    Ok((converter, registry))
}

impl Converter for CloudEventsConverter {
    fn prepare(&self, topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
        let Some(schema) = schema else { return Ok(Arc::new(plan::NoEvent)) };
        let envelope = schema.name.as_deref().is_some_and(|name| name.ends_with(".Envelope"));
        if !envelope && !self.0.metadata.all_in_headers {
            return Ok(Arc::new(plan::NoEvent));
        }
        Ok(Arc::new(EventPlan::new(self.0.clone(), topic, schema)))
    }

    fn reads_headers(&self) -> bool {
        self.0.metadata.reads_headers()
    }
}
