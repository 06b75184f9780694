//! Records of the side topics: heartbeats, transactions, schema changes.
//!
//! They are rare, so they are owned trees; the serializers take them like any other value.

use std::sync::Arc;

use super::naming::TopicNames;
use super::source_block::{SourceConstants, SourceView, Subject};
use super::{EnvelopeOptions, schemas};
use crate::model::change::{LogicalMessage, SchemaChange, SnapshotRecord, TransactionBoundary, TransactionOrder};
use crate::model::modes::BinaryHandlingMode;
use crate::model::record::{Record, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::table::{Column, Table, TableChange, TableChangeKind, TableId};
use crate::model::value::{Arena, StructView, Value, ValueError, ValueRef};
use crate::util::java_hash::sort_as_hash_map;

/// Makes the records of side topics.
#[derive(Debug)]
pub struct SideTopics {
    topics: TopicNames,
    constants: SourceConstants,
    context_headers: bool,
    source: Arc<Schema>,
    heartbeat: (Arc<Schema>, Arc<Schema>),
    transaction: (Arc<Schema>, Arc<Schema>),
    schema_change: (Arc<Schema>, Arc<Schema>),
    message: (Arc<Schema>, Arc<Schema>),
    message_topic: Arc<str>,
    binary: BinaryHandlingMode,
}

/// A record of a side topic, owned.
#[derive(Clone, Debug)]
pub struct SideRecord<'s> {
    topic: &'s Arc<str>,
    partition: Option<i32>,
    key: (&'s Arc<Schema>, Value),
    value: (&'s Arc<Schema>, Value),
    context_headers: bool,
}

impl SideRecord<'_> {
    /// Gives out the record.
    ///
    /// # Errors
    /// What `emit` fails with.
    pub fn emit<E>(&self, arena: &Arena, emit: &mut impl FnMut(&Record<'_>) -> Result<(), E>) -> Result<(), E> {
        emit(&Record {
            topic: self.topic,
            partition: self.partition,
            key: Typed { schema: Some(self.key.0), value: self.key.1.borrow(arena) },
            value: Typed { schema: Some(self.value.0), value: self.value.1.borrow(arena) },
            headers: &[],
            context_headers: self.context_headers,
            timestamp: None,
        })
    }
}

fn optional_text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}

fn optional_int(number: Option<i32>) -> Value {
    number.map_or(Value::Null, Value::Int32)
}

impl SideTopics {
    pub(super) fn new(options: &EnvelopeOptions, source: &Arc<Schema>, transaction: &Arc<Schema>) -> Self {
        let (adjust, plugin) = (&options.adjust, options.source.plugin);
        let content = match options.binary {
            BinaryHandlingMode::Bytes => Kind::Bytes,
            BinaryHandlingMode::Base64 | BinaryHandlingMode::Base64UrlSafe | BinaryHandlingMode::Hex => Kind::String,
        };
        SideTopics {
            topics: options.topics.clone(),
            constants: options.source.clone(),
            context_headers: options.context_headers,
            source: source.clone(),
            heartbeat: (Arc::new(schemas::heartbeat_key(adjust)), Arc::new(schemas::heartbeat_value(adjust))),
            transaction: (Arc::new(schemas::transaction_key(adjust)), Arc::new(schemas::transaction_value(adjust))),
            schema_change: (
                Arc::new(schemas::schema_change_key(plugin, adjust)),
                Arc::new(schemas::schema_change_value(plugin, source, adjust)),
            ),
            message: (
                Arc::new(schemas::message_key(adjust)),
                Arc::new(schemas::message_value(content, source, transaction, adjust)),
            ),
            message_topic: format!("{}.message", options.topics.prefix).into(),
            binary: options.binary,
        }
    }

    /// A heartbeat at a time, in milliseconds since the epoch.
    pub fn heartbeat(&self, time_ms: i64) -> SideRecord<'_> {
        SideRecord {
            topic: &self.topics.heartbeat,
            partition: Some(0),
            key: (&self.heartbeat.0, Value::Struct(vec![Value::text(&self.topics.prefix)])),
            value: (&self.heartbeat.1, Value::Struct(vec![Value::Int64(time_ms)])),
            context_headers: false,
        }
    }

    /// The beginning of a transaction.
    pub fn begin(&self, boundary: &TransactionBoundary) -> SideRecord<'_> {
        self.boundary("BEGIN", boundary)
    }

    /// The end of a transaction.
    pub fn end(&self, boundary: &TransactionBoundary) -> SideRecord<'_> {
        self.boundary("END", boundary)
    }

    fn boundary(&self, status: &str, boundary: &TransactionBoundary) -> SideRecord<'_> {
        let (count, collections) = match &boundary.collections {
            None => (Value::Null, Value::Null),
            Some(collections) => {
                let mut collections = collections.clone();
                sort_as_hash_map(&mut collections, |(name, _)| name.clone());
                let collection =
                    |(name, count): &(String, i64)| Value::Struct(vec![Value::text(name), Value::Int64(*count)]);
                let total = collections.iter().map(|(_, count)| count).sum();
                (Value::Int64(total), Value::Array(collections.iter().map(collection).collect()))
            }
        };
        let time_ms = Value::Int64(boundary.timestamp_us.div_euclid(1_000));
        let id = Value::text(&boundary.id);
        SideRecord {
            topic: &self.topics.transaction,
            partition: None,
            key: (&self.transaction.0, Value::Struct(vec![id.clone()])),
            value: (&self.transaction.1, Value::Struct(vec![Value::text(status), id, count, collections, time_ms])),
            context_headers: false,
        }
    }

    fn source(&self, source: SourceView<'_>, arena: &Arena) -> Result<Value, ValueError> {
        let view: &dyn StructView = &source;
        ValueRef::Struct(view).to_owned(&self.source, arena)
    }

    /// A message in PostgreSQL's log.
    ///
    /// # Errors
    /// When its source block cannot be read.
    pub fn message(
        &self,
        message: &LogicalMessage,
        block: &[u8],
        time_ms: i64,
        arena: &Arena,
    ) -> Result<SideRecord<'_>, ValueError> {
        let subject = Subject { database: &message.database, schema: None, table: None };
        let source = SourceView::new(&self.constants, subject, &message.origin, block, arena);
        let range = message.content.start as usize..message.content.end as usize;
        let content = block.get(range).ok_or(ValueError::OutsideRow)?;
        let content = match self.binary.text(content) {
            Some(text) => Value::text(&text),
            None => Value::Bytes(content.into()),
        };
        let value = vec![
            Value::text("m"),
            Value::Int64(time_ms),
            self.source(source.of_schema_change(SnapshotRecord::No), arena)?,
            message.order.as_ref().map_or(Value::Null, transaction_block),
            Value::Struct(vec![Value::text(&message.prefix), content]),
        ];
        Ok(SideRecord {
            topic: &self.message_topic,
            partition: None,
            key: (&self.message.0, Value::Struct(vec![Value::text(&message.prefix)])),
            value: (&self.message.1, Value::Struct(value)),
            context_headers: false,
        })
    }

    /// A schema change, for the topic that has the name of the prefix.
    ///
    /// # Errors
    /// When its source block cannot be read.
    pub fn schema_change(
        &self,
        change: &SchemaChange,
        block: &[u8],
        time_ms: i64,
        arena: &Arena,
    ) -> Result<SideRecord<'_>, ValueError> {
        let names = change.named.as_ref().map(|named| table_names(named));
        let subject = Subject { database: &change.database, schema: None, table: names.as_deref() };
        let source = SourceView::new(&self.constants, subject, &change.origin, block, arena);
        let source = self.source(source.of_schema_change(change.snapshot), arena)?;
        let value = vec![
            source,
            Value::Int64(time_ms),
            Value::text(&change.database),
            Value::Null,
            Value::text(&change.ddl),
            Value::Array(change.tables.iter().map(table_change).collect()),
        ];
        Ok(SideRecord {
            topic: &self.topics.prefix,
            partition: Some(0),
            key: (&self.schema_change.0, Value::Struct(vec![Value::text(&change.database)])),
            value: (&self.schema_change.1, Value::Struct(value)),
            context_headers: self.context_headers,
        })
    }
}

fn transaction_block(order: &TransactionOrder) -> Value {
    let TransactionOrder { id, total_order, data_collection_order } = order;
    Value::Struct(vec![Value::text(id), Value::Int64(*total_order), Value::Int64(*data_collection_order)])
}

fn table_change(change: &TableChange) -> Value {
    let kind = match change.kind {
        TableChangeKind::Create => "CREATE",
        TableChangeKind::Alter => "ALTER",
        TableChangeKind::Drop => "DROP",
    };
    let table = change.table.as_ref().map_or(Value::Null, table_value);
    Value::Struct(vec![Value::text(kind), Value::text(&quoted(&change.id)), table])
}

/// The names of tables in the order in which Debezium writes them.
fn table_names(named: &[TableId]) -> String {
    let mut named: Vec<&TableId> = named.iter().collect();
    sort_as_hash_map(&mut named, |id| id.to_string());
    let names: Vec<&str> = named.iter().map(|id| &*id.table).collect();
    names.join(",")
}

/// A value of ENUM or SET as it stands in the table's definition, which is how Debezium keeps it.
fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

/// A table's name as Debezium quotes it: `"db"."table"`.
fn quoted(id: &TableId) -> String {
    let quote = |part: &str| format!("\"{}\"", part.replace('"', "\"\""));
    let mut parts = vec![quote(&id.catalog)];
    parts.extend(id.schema.as_ref().map(|schema| quote(schema)));
    parts.push(quote(&id.table));
    parts.join(".")
}

fn table_value(table: &Table) -> Value {
    let texts = |texts: &[String]| Value::Array(texts.iter().map(|text| Value::text(text)).collect());
    Value::Struct(vec![
        optional_text(table.default_charset_name.as_deref()),
        texts(&table.primary_key),
        Value::Array(table.columns.iter().map(column_value).collect()),
        optional_text(table.comment.as_deref()),
    ])
}

fn column_value(column: &Column) -> Value {
    let enum_values = match column.enum_values.as_slice() {
        [] => Value::Null,
        values => Value::Array(values.iter().map(|value| Value::text(&literal(value))).collect()),
    };
    Value::Struct(vec![
        Value::text(&column.name),
        Value::Int32(column.jdbc_type),
        optional_int(column.native_type),
        Value::text(&column.type_name),
        optional_text(column.type_expression.as_deref()),
        optional_text(column.charset_name.as_deref()),
        optional_int(column.length),
        optional_int(column.scale),
        Value::Int32(column.position),
        Value::Boolean(column.optional),
        Value::Boolean(column.auto_incremented),
        Value::Boolean(column.generated),
        optional_text(column.comment.as_deref()),
        optional_text(column.default_value_expression.as_deref()),
        enum_values,
    ])
}
