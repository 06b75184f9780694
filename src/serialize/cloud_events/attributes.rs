//! The attributes of an event: their schema and values.
//!
//! In: the facts of a record. Out: Connect schemas and values in the order in which Debezium's class puts them.
//! Promised: what comes of one schema of `source` is the same for every record. Nothing here survives a crash.

use super::facts::{Facts, no_event, unreadable};
use super::{Data, Settings};
use crate::model::modes::SchemaNameAdjustmentMode;
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, ValueError, ValueRef, field_or_default};
use crate::serialize::error::SerializeError;
use crate::util::avro_name::{Named, adjusted};
use crate::util::java_text::Instant;

/// The block of an envelope that tells of the transaction; its schema is the same for every connector.
const TRANSACTION: [&str; 3] = ["id", "total_order", "data_collection_order"];

/// What differs from connector to connector.
#[derive(Debug)]
pub(super) struct Connector {
    pub name: &'static str,
    /// What `id` is made of: what stands before a field of `source`, and the field.
    id: &'static [(&'static str, &'static str)],
    /// The fields of an envelope that data has; none: all of them.
    pub data: &'static [&'static str],
}

const BINLOG_ID: &[(&str, &str)] = &[("name:", "name"), (";file:", "file"), (";pos:", "pos")];
const POSTGRES_ID: &[(&str, &str)] =
    &[("name:", "name"), (";lsn:", "lsn"), (";txId:", "txId"), (";sequence:", "sequence")];

static CONNECTORS: &[Connector] = &[
    Connector { name: "mysql", id: BINLOG_ID, data: &["before", "after"] },
    Connector { name: "mariadb", id: BINLOG_ID, data: &[] },
    Connector { name: "postgresql", id: POSTGRES_ID, data: &["before", "after"] },
];

impl Connector {
    /// By its name in `source`.
    pub(super) fn find(name: &str) -> Result<&'static Connector, SerializeError> {
        let unknown = || no_event("source.connector is none of mysql, mariadb and postgresql".to_owned());
        CONNECTORS.iter().find(|connector| connector.name == name).ok_or_else(unknown)
    }
}

/// The name of the event's schema, made legal.
pub(super) fn adjusted_name(name: &str, mode: SchemaNameAdjustmentMode) -> String {
    adjusted(name, mode, Named::Schema)
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
            let (name, type_name) = (&field.name, field.schema.type_name());
            return Err(no_event(format!("{name} of type {type_name} in source cannot be an attribute")));
        }
    };
    Ok(Schema { optional: field.schema.optional, ..Schema::new(kind) })
}

/// The schema of an event.
pub(super) fn event_schema(
    settings: &Settings,
    name: Option<String>,
    source: &Schema,
    data: Schema,
) -> Result<Schema, SerializeError> {
    let text = || Schema::new(Kind::String);
    let attributes = ["id", "source", "specversion", "type", "time", "datacontenttype"];
    let mut fields: Vec<Field> = attributes.iter().map(|name| Field::new(name, text())).collect();
    if matches!(settings.data, Data::Avro { .. }) {
        fields.push(Field::new("dataschema", text()));
    }
    if settings.tracing {
        fields.push(Field::new("traceparent", text()));
    }
    if settings.extensions {
        fields.push(Field::new(&extension_name("", "op"), text()));
        for field in source.fields() {
            fields.push(Field::new(&extension_name("", &field.name), extension_schema(field)?));
        }
        fields.extend(TRANSACTION.map(|name| Field::new(&extension_name("tx", name), text().optional())));
    }
    fields.push(Field::new("data", data));
    let schema = Schema::new(Kind::Struct(fields));
    Ok(Schema { name: name.map(Into::into), ..schema })
}

/// Where the attributes of an event lie in a schema of `source`.
#[derive(Debug)]
pub(super) struct Places {
    name: usize,
    time: usize,
    id: Vec<(&'static str, usize)>,
}

impl Places {
    /// Finds them.
    pub(super) fn find(connector: &Connector, source: &Schema) -> Result<Places, SerializeError> {
        let missing = |name: &str| no_event(format!("source has no field {name}"));
        let place = |name: &str| source.field_index(name).ok_or_else(|| missing(name));
        let id = connector.id.iter().map(|(before, field)| Ok((*before, place(field)?)));
        Ok(Places { name: place("name")?, time: place("ts_ms")?, id: id.collect::<Result<_, SerializeError>>()? })
    }
}

/// A field of `source`, as `Struct.get` gives it.
fn field<'r>(facts: &Facts<'r>, index: usize, arena: &'r Arena) -> Result<ValueRef<'r>, SerializeError> {
    field_or_default(facts.source, facts.schema, index, arena).map_err(unreadable("source"))
}

/// Appends `String.valueOf` of text, whole numbers and null.
fn push_text(value: &ValueRef<'_>, out: &mut bumpalo::collections::String<'_>) {
    use std::fmt::Write as _;
    let _ = if let ValueRef::String(text) = value {
        out.write_str(text)
    } else if let ValueRef::Int64(number) = value {
        write!(out, "{number}")
    } else {
        out.write_str("null")
    };
}

/// `String.valueOf`.
fn text_of<'r>(value: &ValueRef<'r>, arena: &'r Arena) -> &'r str {
    if let ValueRef::String(text) = value {
        return text;
    }
    let mut text = bumpalo::collections::String::new_in(arena);
    push_text(value, &mut text);
    text.into_bump_str()
}

/// The logical name of the server and the database of a record, which name the schema of its event.
pub(super) fn server_and_database<'r>(facts: &Facts<'r>, arena: &'r Arena) -> Result<[&'r str; 2], SerializeError> {
    let text = |name: &str| {
        let missing = || no_event(format!("source has no field {name}"));
        let index = facts.schema.field_index(name).ok_or_else(missing)?;
        Ok::<_, SerializeError>(text_of(&field(facts, index, arena)?, arena))
    };
    Ok([text("name")?, text("db")?])
}

/// A value as an attribute: whole numbers of 64 bits become text.
fn attribute<'r>(value: ValueRef<'r>, arena: &'r Arena) -> ValueRef<'r> {
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

/// The `time` of an event.
fn time(millis: i64, arena: &Arena) -> &str {
    let at = Instant::from_millis(millis);
    bumpalo::format!(in arena, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year, at.month, at.day, at.hour, at.minute, at.second, at.millisecond)
    .into_bump_str()
}

/// The values of an event's fields, but for data. `data_schema` is the id of data's schema in the registry.
pub(super) fn values<'r>(
    settings: &'r Settings,
    facts: &Facts<'r>,
    places: &Places,
    data_schema: Option<u32>,
    arena: &'r Arena,
) -> Result<bumpalo::collections::Vec<'r, ValueRef<'r>>, SerializeError> {
    let connector = facts.connector.name;
    let generated_id = || {
        let mut id = bumpalo::collections::String::new_in(arena);
        for (before, index) in &places.id {
            id.push_str(before);
            push_text(&field(facts, *index, arena)?, &mut id);
        }
        Ok::<_, SerializeError>(ValueRef::String(id.into_bump_str()))
    };
    let generated_kind = || {
        let kind = bumpalo::format!(in arena, "io.debezium.connector.{}.DataChangeEvent", connector);
        ValueRef::String(kind.into_bump_str())
    };
    let server = text_of(&field(facts, places.name, arena)?, arena);
    let origin = bumpalo::format!(in arena, "/debezium/{}/{}", connector, server).into_bump_str();
    let ValueRef::Int64(millis) = field(facts, places.time, arena)? else {
        return Err(unreadable("source.ts_ms")(ValueError::Shape));
    };
    let mut values = bumpalo::collections::Vec::new_in(arena);
    values.push(facts.id.map_or_else(generated_id, Ok)?);
    values.push(ValueRef::String(origin));
    values.push(ValueRef::String("1.0"));
    values.push(facts.kind.unwrap_or_else(generated_kind));
    values.push(ValueRef::String(time(millis, arena)));
    match (&settings.data, data_schema) {
        (Data::Avro { registry, .. }, Some(id)) => {
            values.push(ValueRef::String("application/avro"));
            let address = bumpalo::format!(in arena, "{}/schemas/ids/{}", registry, id);
            values.push(ValueRef::String(address.into_bump_str()));
        }
        _ => values.push(ValueRef::String("application/json")),
    }
    values.extend(facts.trace_parent);
    if settings.extensions {
        extensions(facts, &mut values, arena)?;
    }
    Ok(values)
}

fn extensions<'r>(
    facts: &Facts<'r>,
    values: &mut bumpalo::collections::Vec<'r, ValueRef<'r>>,
    arena: &'r Arena,
) -> Result<(), SerializeError> {
    values.push(facts.operation);
    for index in 0..facts.schema.fields().len() {
        values.push(attribute(field(facts, index, arena)?, arena));
    }
    for index in 0..TRANSACTION.len() {
        values.push(if let ValueRef::Struct(block) = facts.transaction {
            attribute(block.field(index, arena).map_err(unreadable("transaction"))?, arena)
        } else {
            ValueRef::Null
        });
    }
    Ok(())
}
