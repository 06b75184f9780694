//! Records as Debezium's connectors make them, sent through a chain, and what comes out as text: for tests.
//!
//! A record is shown in lines (`topic`, `key`, `value`, `header`), a schema as its type with `?` where it is optional,
//! its name in parentheses and its default behind `=`.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, dead_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Coded;
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Value, ValueRef};
use crate::transform::Setup;

/// A field with its schema and value.
pub type Cell = (&'static str, Schema, Value);

pub fn text() -> Schema {
    Schema::new(Kind::String)
}

pub fn int() -> Schema {
    Schema::new(Kind::Int32)
}

pub fn long() -> Schema {
    Schema::new(Kind::Int64)
}

pub fn bytes() -> Schema {
    Schema::new(Kind::Bytes)
}

pub fn boolean() -> Schema {
    Schema::new(Kind::Boolean)
}

pub fn t(value: &str) -> Value {
    Value::text(value)
}

pub fn b(value: &[u8]) -> Value {
    Value::Bytes(value.into())
}

/// A record, owned.
#[derive(Clone)]
pub struct Sample {
    pub key: Option<(Arc<Schema>, Value)>,
    pub value: Option<(Arc<Schema>, Value)>,
    pub headers: Vec<(&'static str, Schema, Value)>,
}

/// The parts of an envelope.
pub struct Change {
    pub operation: &'static str,
    pub before: Option<Vec<Cell>>,
    pub after: Option<Vec<Cell>>,
    pub transaction: bool,
}

pub fn structure(cells: &[Cell]) -> (Schema, Value) {
    let fields = cells.iter().map(|(name, schema, _)| Field::new(name, schema.clone())).collect();
    (Schema::new(Kind::Struct(fields)), Value::Struct(cells.iter().map(|(_, _, value)| value.clone()).collect()))
}

impl Change {
    pub fn create(after: Vec<Cell>) -> Change {
        Change { operation: "c", before: None, after: Some(after), transaction: false }
    }

    pub fn delete(before: Vec<Cell>) -> Change {
        Change { operation: "d", before: Some(before), after: None, transaction: false }
    }

    pub fn update(before: Vec<Cell>, after: Vec<Cell>) -> Change {
        Change { operation: "u", before: Some(before), after: Some(after), transaction: false }
    }

    /// Its envelope.
    pub fn sample(self) -> Sample {
        let row = self.after.as_ref().or(self.before.as_ref()).map(|cells| structure(cells).0);
        let row = row.unwrap_or_else(|| structure(&[]).0).optional().named("srv.shop.outbox.Value");
        let image = |cells: &Option<Vec<Cell>>| cells.as_ref().map_or(Value::Null, |cells| structure(cells).1);
        let snapshot = text().optional().named("io.debezium.data.Enum").default_value(t("false"));
        let (source, source_value) = structure(&[
            ("version", text(), t("3.6.1.Final")),
            ("connector", text(), t("mysql")),
            ("ts_ms", long(), Value::Int64(900)),
            ("snapshot", snapshot, Value::Null),
            ("table", text().optional(), t("outbox")),
            ("query", text().optional(), Value::Null),
        ]);
        let (block, block_value) = structure(&[
            ("id", text(), t("tx-1")),
            ("total_order", long(), Value::Int64(7)),
            ("data_collection_order", long(), Value::Int64(3)),
        ]);
        let (schema, value) = structure(&[
            ("before", row.clone(), image(&self.before)),
            ("after", row, image(&self.after)),
            ("source", source.named("io.debezium.connector.mysql.Source"), source_value),
            ("transaction", block.optional(), if self.transaction { block_value } else { Value::Null }),
            ("op", text(), t(self.operation)),
            ("ts_ms", long().optional(), Value::Int64(1000)),
            ("ts_us", long().optional(), Value::Int64(1_000_001)),
            ("ts_ns", long().optional(), Value::Int64(1_000_001_002)),
        ]);
        Sample::of(schema.named("srv.shop.outbox.Envelope").version(2), value)
    }
}

impl Sample {
    /// A record with this value, and a key.
    pub fn of(schema: Schema, value: Value) -> Sample {
        let (key, key_value) = structure(&[("id", text(), t("k1"))]);
        let key = Some((Arc::new(key.named("srv.shop.outbox.Key")), key_value));
        Sample { key, value: Some((Arc::new(schema), value)), headers: Vec::new() }
    }

    /// A tombstone.
    pub fn tombstone() -> Sample {
        Sample { value: None, ..Sample::of(text(), Value::Null) }
    }

    pub fn header(mut self, name: &'static str, schema: Schema, value: Value) -> Sample {
        self.headers.push((name, schema, value));
        self
    }
}

/// What a chain makes of records, one after the other: each record's lines, `dropped`, or the error.
pub fn run(config: &[(&str, &str)], samples: &[Sample]) -> String {
    let config: BTreeMap<String, String> = config.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let setup = match Setup::of(&config) {
        Ok(setup) => setup,
        Err(errors) => return errors.iter().map(|error| format!("refused: {error}\n")).collect(),
    };
    let (chain, topic) = (setup.chain().unwrap(), "srv.shop.outbox".into());
    let mut out = String::new();
    for sample in samples {
        let arena = Arena::new();
        let typed = |part: &'_ Option<(Arc<Schema>, Value)>| match part {
            Some((schema, value)) => (Some(schema.clone()), value.clone()),
            None => (None, Value::Null),
        };
        let (key_schema, key) = typed(&sample.key);
        let (value_schema, value) = typed(&sample.value);
        let header_schemas: Vec<Arc<Schema>> =
            sample.headers.iter().map(|(_, schema, _)| Arc::new(schema.clone())).collect();
        let headers: Vec<Header<'_>> = sample
            .headers
            .iter()
            .zip(&header_schemas)
            .map(|((name, _, value), schema)| Header {
                name,
                value: Typed { schema: Some(schema), value: value.borrow(&arena) },
            })
            .collect();
        let record = Record {
            topic: &topic,
            partition: None,
            key: Typed { schema: key_schema.as_ref(), value: key.borrow(&arena) },
            value: Typed { schema: value_schema.as_ref(), value: value.borrow(&arena) },
            headers: &headers,
            context_headers: true,
            timestamp: None,
        };
        match chain.apply(record, &arena) {
            Ok(Some(after)) if same(&record, &after, &arena) => out.push_str("passed\n"),
            Ok(Some(after)) => show(&after, &arena, &mut out),
            Ok(None) => out.push_str("dropped\n"),
            Err(error) => out.push_str(&format!("{} {error}\n", error.code())),
        }
    }
    out
}

fn same(before: &Record<'_>, after: &Record<'_>, arena: &Arena) -> bool {
    let pointer = |schema: Option<&Arc<Schema>>| schema.map(Arc::as_ptr);
    Arc::ptr_eq(before.topic, after.topic)
        && pointer(before.value.schema) == pointer(after.value.schema)
        && pointer(before.key.schema) == pointer(after.key.schema)
        && before.headers.len() == after.headers.len()
        && before.timestamp == after.timestamp
        && typed_text(&before.value, arena) == typed_text(&after.value, arena)
}

fn show(record: &Record<'_>, arena: &Arena, out: &mut String) {
    out.push_str(&format!("topic {}", record.topic));
    if let Some(partition) = record.partition {
        out.push_str(&format!(" partition {partition}"));
    }
    if let Some(timestamp) = record.timestamp {
        out.push_str(&format!(" at {timestamp}"));
    }
    for (what, typed) in [("key", &record.key), ("value", &record.value)] {
        out.push_str(&format!("\n{what} {}", typed_text(typed, arena)));
    }
    for header in record.headers {
        out.push_str(&format!("\nheader {} {}", header.name, typed_text(&header.value, arena)));
    }
    out.push('\n');
}

fn typed_text(typed: &Typed<'_>, arena: &Arena) -> String {
    let Some(schema) = typed.schema else { return format!("- {}", value_text(&typed.value, None, arena)) };
    format!("{} {}", schema_text(schema), value_text(&typed.value, Some(schema), arena))
}

pub fn schema_text(schema: &Schema) -> String {
    let mut out = match &schema.kind {
        Kind::Array(items) => format!("[{}]", schema_text(items)),
        Kind::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{} {}", field.name, schema_text(&field.schema))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        _ => schema.type_name().to_owned(),
    };
    if schema.optional {
        out.push('?');
    }
    if let Some(name) = &schema.name {
        out.push_str(&format!("({name}"));
        out.push_str(&schema.version.map_or(")".to_owned(), |version| format!(" v{version})")));
    }
    if let Some(default) = &schema.default {
        let arena = Arena::new();
        out.push_str(&format!("={}", value_text(&default.borrow(&arena), Some(schema), &arena)));
    }
    out
}

fn value_text(value: &ValueRef<'_>, schema: Option<&Schema>, arena: &Arena) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Boolean(v) => v.to_string(),
        ValueRef::Int8(v) => v.to_string(),
        ValueRef::Int16(v) => v.to_string(),
        ValueRef::Int32(v) => v.to_string(),
        ValueRef::Int64(v) => v.to_string(),
        ValueRef::Float32(v) => format!("{v:?}"),
        ValueRef::Float64(v) => format!("{v:?}"),
        ValueRef::String(v) => format!("'{v}'"),
        ValueRef::Bytes(v) => format!("0x{}", v.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        ValueRef::Array(items) => {
            let inner = schema.and_then(|schema| match &schema.kind {
                Kind::Array(items) => Some(items.as_ref()),
                _ => None,
            });
            let items: Vec<String> = items.iter().map(|item| value_text(item, inner, arena)).collect();
            format!("[{}]", items.join(", "))
        }
        ValueRef::Map(_) => "map".to_owned(),
        ValueRef::Struct(view) => {
            let fields = schema.map(Schema::fields).unwrap_or_default().iter().enumerate();
            let fields: Vec<String> = fields
                .map(|(index, field)| value_text(&view.field(index, arena).unwrap(), Some(&field.schema), arena))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}
