//! `io.debezium.converters.CloudEventsConverter`: change events as CloudEvents 1.0 in JSON.
//!
//! In: envelopes of Debezium's MySQL and MariaDB connectors. Out: one JSON object: the attributes that CloudEvents asks
//! for, the fields of `source` and `transaction` as extensions, and the row beneath `data`, with its schema or without.
//! What is no envelope becomes a record without a value, as Debezium makes it. Promised: the bytes of Debezium 3.6 with
//! `serializer.type=json` and `data.serializer.type=json`; Avro and metadata from headers are refused. Nothing here
//! survives a crash.
//!
//! This is the one converter that knows the shape of an envelope: it is Debezium's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::{Fault, SerializeError};
use super::{Converter, ConverterSpec, Plan, Role};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, StructView, ValueError, ValueRef, field_or_default};
use crate::util::class_options::{BadOption, ClassOption, Options};
use crate::util::java_text::Instant;

const METADATA: &str = "value,id:generate,type:generate,traceparent:header,dataSchemaName:generate";

/// The converter.
pub static SPEC: ConverterSpec = ConverterSpec {
    name: "cloudevents",
    aliases: &["io.debezium.converters.CloudEventsConverter"],
    about: "CloudEvents 1.0 in JSON, as Debezium writes them",
    options: &[OPTIONS],
    build,
};

static OPTIONS: &[ClassOption] = &[
    ClassOption::new("serializer.type", "json", "how the event is written: json; avro is refused"),
    ClassOption::new("data.serializer.type", "json", "how data is written: json; avro is refused"),
    ClassOption::new("extension.attributes.enable", "true", "whether source and transaction become attributes"),
    ClassOption::new("json.schemas.enable", "true", "whether data carries its schema"),
    ClassOption::new("json.decimal.format", "BASE64", "as the JSON converter's decimal.format"),
    ClassOption::new("json.replace.null.with.default", "true", "as the JSON converter's replace.null.with.default"),
    ClassOption::new("json.schemas.cache.size", "1000", "taken and not needed: plans are kept by table"),
    ClassOption::new("metadata.source", METADATA, "where attributes come from; from headers is refused"),
    ClassOption::new("opentelemetry.tracing.attributes.enable", "false", "true is refused"),
    ClassOption::new(
        "schema.data.name.source.header.enable",
        "false",
        "accepted; it means something with headers only",
    ),
    ClassOption::new("schema.name.adjustment.mode", "avro", "accepted; JSON events carry no schema name"),
    ClassOption::new("schema.cloudevents.name", "", "accepted; JSON events carry no schema name"),
];

struct CloudEventsConverter {
    extensions: bool,
    event: Arc<dyn Converter>,
    /// Where data carries its schema.
    data: Option<Arc<dyn Converter>>,
}

fn build(options: &Options<'_>, role: Role, stop: &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError> {
    for option in ["serializer.type", "data.serializer.type"] {
        match options.text(option) {
            None => {}
            Some(value) if value.eq_ignore_ascii_case("json") => {}
            Some(value) if value.eq_ignore_ascii_case("avro") => {
                return Err(unsupported(format!("{option}=avro"), "CloudEvents are written with json and json"));
            }
            Some(value) => {
                return Err(BadOption { option, value: value.to_owned(), expected: "json or avro" }.into());
            }
        }
    }
    check_metadata(options)?;
    let own = |(name, value): (&str, &str)| Some((name.strip_prefix("json.")?.to_owned(), value.to_owned()));
    let config: BTreeMap<String, String> = options.all().filter_map(own).collect();
    let mut plain = config.clone();
    plain.insert("schemas.enable".to_owned(), "false".to_owned());
    let schemas = Options::new(&config).flag("schemas.enable", true)?;
    Ok(Arc::new(CloudEventsConverter {
        extensions: options.flag("extension.attributes.enable", true)?,
        event: super::build(&plain, "JsonConverter", role, stop)?,
        data: if schemas { Some(super::build(&config, "JsonConverter", role, stop)?) } else { None },
    }))
}

fn unsupported(what: String, reason: &str) -> SerializeError {
    SerializeError::Unsupported { what: format!("CloudEventsConverter with {what}"), reason: reason.to_owned() }
}

/// `metadata.source`: the value for all, and `generate` for each that can be told apart.
fn check_metadata(options: &Options<'_>) -> Result<(), SerializeError> {
    let headers = "attributes are taken from the value and generated; leave the option out";
    let tracing = options.flag("opentelemetry.tracing.attributes.enable", false)?;
    if tracing {
        return Err(unsupported("opentelemetry.tracing.attributes.enable=true".to_owned(), headers));
    }
    options.flag("schema.data.name.source.header.enable", false)?;
    let text = options.text("metadata.source").unwrap_or(METADATA);
    for (index, entry) in text.split(',').map(str::trim).enumerate() {
        // Without tracing, traceparent does not count wherever it comes from; the name of data's schema neither.
        let (field, source) = entry.split_once(':').unwrap_or(("", entry));
        let source = source.trim().to_ascii_lowercase();
        match (index, field.trim(), source.as_str()) {
            (0, "", "value") | (1.., "id" | "type", "generate") => {}
            (1.., "traceparent" | "dataSchemaName", "generate" | "header") => {}
            (0, "", "header") | (1.., "id" | "type", "header") => {
                return Err(unsupported(format!("metadata.source={text}"), headers));
            }
            _ => {
                let expected = "value or header, then id, type, traceparent, dataSchemaName with :generate or :header";
                return Err(BadOption { option: "metadata.source", value: text.to_owned(), expected }.into());
            }
        }
    }
    Ok(())
}

impl Converter for CloudEventsConverter {
    fn prepare(&self, topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError> {
        let envelope = |schema: &&Arc<Schema>| schema.name.as_deref().is_some_and(|name| name.ends_with(".Envelope"));
        match schema.filter(envelope) {
            Some(schema) => Ok(Arc::new(self.plan(topic, schema)?)),
            None => Ok(Arc::new(NoEvent)),
        }
    }
}

/// What is no envelope has no event.
struct NoEvent;

impl Plan for NoEvent {
    fn write(&self, _: &ValueRef<'_>, _: &Arena, _: &mut Vec<u8>) -> Result<bool, SerializeError> {
        Ok(false)
    }
}

/// The block of an envelope that tells of the transaction; its schema is the same for every connector.
const TRANSACTION: [&str; 3] = ["id", "total_order", "data_collection_order"];

/// Where what an event needs is in an envelope.
struct EventPlan {
    connector: &'static str,
    envelope: Arc<Schema>,
    source: usize,
    operation: usize,
    transaction: Option<usize>,
    /// `name`, `file`, `pos`, `ts_ms` of the source.
    named: [usize; 4],
    extensions: bool,
    /// Fields of the envelope that data has.
    copied: Vec<usize>,
    event: Arc<dyn Plan>,
    /// Where data carries its schema.
    data: Option<Arc<dyn Plan>>,
}

/// CloudEvents allows letters and digits in names.
fn extension_name(prefix: &str, name: &str) -> String {
    let mut made = format!("iodebezium{prefix}");
    made.extend(name.chars().filter(char::is_ascii_alphanumeric));
    made
}

/// The schema that a field of the source has as an attribute: CloudEvents has no whole numbers beyond 32 bits.
fn extension_schema(field: &Field) -> Result<Schema, SerializeError> {
    let kind = match &field.schema.kind {
        Kind::Boolean => Kind::Boolean,
        Kind::Int8 | Kind::Int16 | Kind::Int32 => Kind::Int32,
        Kind::String | Kind::Int64 => Kind::String,
        Kind::Float32 | Kind::Float64 | Kind::Bytes | Kind::Array(_) | Kind::Map(_, _) | Kind::Struct(_) => {
            let what = format!("a field {} of type {} in source", field.name, field.schema.type_name());
            return Err(unsupported(what, "it cannot be an attribute of a CloudEvent"));
        }
    };
    Ok(Schema { optional: field.schema.optional, ..Schema::new(kind) })
}

impl CloudEventsConverter {
    fn plan(&self, topic: &str, envelope: &Arc<Schema>) -> Result<EventPlan, SerializeError> {
        let missing = |name: &str| unsupported(format!("a record without {name}"), "it is no event of a connector");
        let place = |schema: &Schema, name: &str| schema.field_index(name).ok_or_else(|| missing(name));
        let source = place(envelope, "source")?;
        let source_schema = &envelope.fields().get(source).ok_or_else(|| missing("source"))?.schema;
        let connector = match source_schema.name.as_deref() {
            Some("io.debezium.connector.mysql.Source") => "mysql",
            Some("io.debezium.connector.mariadb.Source") => "mariadb",
            _ => return Err(unsupported("this source".to_owned(), "events of MySQL and MariaDB are written")),
        };
        let copied: Vec<usize> = match connector {
            "mysql" => vec![place(envelope, "before")?, place(envelope, "after")?],
            _ => (0..envelope.fields().len()).collect(),
        };
        let fields = copied.iter().filter_map(|index| envelope.fields().get(*index).cloned()).collect();
        let data_schema = Schema::new(Kind::Struct(fields)).named(&format!("io.debezium.connector.{connector}.Data"));
        let inline = if self.data.is_some() { Schema::new(Kind::Struct(Vec::new())) } else { data_schema.clone() };
        let event_schema = Arc::new(self.event_schema(source_schema, inline)?);
        let data = self.data.as_ref().map(|data| data.prepare(topic, Some(&Arc::new(data_schema)))).transpose()?;
        let named = [
            place(source_schema, "name")?,
            place(source_schema, "file")?,
            place(source_schema, "pos")?,
            place(source_schema, "ts_ms")?,
        ];
        Ok(EventPlan {
            connector,
            envelope: envelope.clone(),
            source,
            operation: place(envelope, "op")?,
            transaction: envelope.field_index("transaction"),
            named,
            extensions: self.extensions,
            copied,
            event: self.event.prepare(topic, Some(&event_schema))?,
            data,
        })
    }

    fn event_schema(&self, source: &Schema, data: Schema) -> Result<Schema, SerializeError> {
        let text = || Schema::new(Kind::String);
        let attributes = ["id", "source", "specversion", "type", "time", "datacontenttype"];
        let mut fields: Vec<Field> = attributes.iter().map(|name| Field::new(name, text())).collect();
        if self.extensions {
            fields.push(Field::new(&extension_name("", "op"), text()));
            for field in source.fields() {
                fields.push(Field::new(&extension_name("", &field.name), extension_schema(field)?));
            }
            fields.extend(TRANSACTION.map(|name| Field::new(&extension_name("tx", name), text().optional())));
        }
        fields.push(Field::new("data", data));
        Ok(Schema::new(Kind::Struct(fields)))
    }
}

/// `String.valueOf` of text, whole numbers and null.
fn push_text(value: &ValueRef<'_>, out: &mut bumpalo::collections::String<'_>) {
    let _ = if let ValueRef::String(text) = value {
        out.write_str(text)
    } else if let ValueRef::Int64(number) = value {
        write!(out, "{number}")
    } else {
        out.write_str("null")
    };
}

/// A value as an attribute: whole numbers of 64 bits become text.
fn attribute<'a>(value: ValueRef<'a>, arena: &'a Arena) -> ValueRef<'a> {
    if let ValueRef::Int64(number) = value {
        return ValueRef::String(bumpalo::format!(in arena, "{}", number).into_bump_str());
    }
    if let ValueRef::Int8(number) = value {
        return ValueRef::Int32(i32::from(number));
    }
    if let ValueRef::Int16(number) = value {
        return ValueRef::Int32(i32::from(number));
    }
    value
}

impl EventPlan {
    /// The attributes that every event has.
    fn attributes<'a>(
        &'a self,
        source_schema: &'a Schema,
        source: &'a dyn StructView,
        arena: &'a Arena,
    ) -> Result<[ValueRef<'a>; 6], ValueError> {
        let [name, file, position, time] = self.named;
        let name = field_or_default(source, source_schema, name, arena)?;
        let mut id = bumpalo::collections::String::from_str_in("name:", arena);
        push_text(&name, &mut id);
        id.push_str(";file:");
        push_text(&field_or_default(source, source_schema, file, arena)?, &mut id);
        id.push_str(";pos:");
        push_text(&field_or_default(source, source_schema, position, arena)?, &mut id);
        let mut origin = bumpalo::format!(in arena, "/debezium/{}/", self.connector);
        push_text(&name, &mut origin);
        let time = field_or_default(source, source_schema, time, arena)?;
        let ValueRef::Int64(millis) = time else { return Err(ValueError::Shape) };
        let at = Instant::from_millis(millis);
        let time = bumpalo::format!(in arena, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year, at.month, at.day, at.hour, at.minute, at.second, at.millisecond);
        let kind = bumpalo::format!(in arena, "io.debezium.connector.{}.DataChangeEvent", self.connector);
        Ok([
            ValueRef::String(id.into_bump_str()),
            ValueRef::String(origin.into_bump_str()),
            ValueRef::String("1.0"),
            ValueRef::String(kind.into_bump_str()),
            ValueRef::String(time.into_bump_str()),
            ValueRef::String("application/json"),
        ])
    }

    /// The values of an event, and the one of data by itself.
    fn values<'a>(
        &'a self,
        view: &'a dyn StructView,
        arena: &'a Arena,
    ) -> Result<(ValueRef<'a>, ValueRef<'a>), ValueError> {
        let source_schema = &self.envelope.fields().get(self.source).ok_or(ValueError::Shape)?.schema;
        let ValueRef::Struct(source) = view.field(self.source, arena)? else { return Err(ValueError::Shape) };
        let mut values = bumpalo::collections::Vec::new_in(arena);
        values.extend_from_slice(&self.attributes(source_schema, source, arena)?);
        if self.extensions {
            values.push(view.field(self.operation, arena)?);
            for index in 0..source_schema.fields().len() {
                values.push(attribute(field_or_default(source, source_schema, index, arena)?, arena));
            }
            let block = match self.transaction {
                Some(index) => view.field(index, arena)?,
                None => ValueRef::Null,
            };
            for index in 0..TRANSACTION.len() {
                values.push(if let ValueRef::Struct(block) = block {
                    attribute(block.field(index, arena)?, arena)
                } else {
                    ValueRef::Null
                });
            }
        }
        let mut copied = bumpalo::collections::Vec::new_in(arena);
        for index in &self.copied {
            copied.push(field_or_default(view, &self.envelope, *index, arena)?);
        }
        let data = ValueRef::Struct(arena.alloc(Fields(copied.into_bump_slice())));
        values.push(if self.data.is_some() { ValueRef::Struct(arena.alloc(Fields(&[]))) } else { data });
        Ok((ValueRef::Struct(arena.alloc(Fields(values.into_bump_slice()))), data))
    }
}

impl Plan for EventPlan {
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        if matches!(value, ValueRef::Null) {
            return Ok(false);
        }
        let ValueRef::Struct(view) = value else { return Err(Fault::shape("struct", value).into_error()) };
        let wrong = |source| SerializeError::Value { field: "source".to_owned(), source };
        let (event, data) = self.values(*view, arena).map_err(wrong)?;
        let start = out.len();
        self.event.write(&event, arena, out)?;
        let Some(plan) = &self.data else { return Ok(true) };
        // The event ends in `"data":{}}`: what is between the last braces is data with its schema.
        out.truncate(out.len().saturating_sub(3));
        if let Err(error) = plan.write(&data, arena, out) {
            out.truncate(start);
            return Err(error);
        }
        out.push(b'}');
        Ok(true)
    }
}
