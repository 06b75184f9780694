//! The schemas of envelopes and side topics, field by field as Debezium 3.6 registers them.
//!
//! Source: Debezium's documentation of each event, and what its connectors register (`SchemaFactory`).

use std::sync::Arc;

use super::naming::NameAdjuster;
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::Value;

/// Every value of `source.snapshot`, as the enum's parameter lists them.
const SNAPSHOT_VALUES: &str = "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental";

fn required(kind: Kind) -> Schema {
    Schema::new(kind)
}

fn optional(kind: Kind) -> Schema {
    Schema::new(kind).optional()
}

/// A struct schema with these fields.
pub fn structure(fields: Vec<Field>) -> Schema {
    Schema::new(Kind::Struct(fields))
}

/// The fields that every server's `source` block begins with.
fn source_fields() -> Vec<Field> {
    let snapshot = optional(Kind::String)
        .named("io.debezium.data.Enum")
        .version(1)
        .parameter("allowed", SNAPSHOT_VALUES)
        .default_value(Value::text("false"));
    vec![
        Field::new("version", required(Kind::String)),
        Field::new("connector", required(Kind::String)),
        Field::new("name", required(Kind::String)),
        Field::new("ts_ms", required(Kind::Int64)),
        Field::new("snapshot", snapshot),
        Field::new("db", required(Kind::String)),
        Field::new("sequence", optional(Kind::String)),
        Field::new("ts_us", optional(Kind::Int64)),
        Field::new("ts_ns", optional(Kind::Int64)),
    ]
}

/// The `source` block of a connector (`plugin` is `mysql`, `mariadb` or `postgresql`).
pub fn source(plugin: &str) -> Schema {
    let mut fields = source_fields();
    fields.extend(match plugin {
        "postgresql" => vec![
            Field::new("schema", required(Kind::String)),
            Field::new("table", required(Kind::String)),
            Field::new("txId", optional(Kind::Int64)),
            Field::new("lsn", optional(Kind::Int64)),
            Field::new("xmin", optional(Kind::Int64)),
            Field::new("origin", optional(Kind::String)),
            Field::new("origin_lsn", optional(Kind::Int64)),
        ],
        _ => vec![
            Field::new("table", optional(Kind::String)),
            Field::new("server_id", required(Kind::Int64)),
            Field::new("gtid", optional(Kind::String)),
            Field::new("file", required(Kind::String)),
            Field::new("pos", required(Kind::Int64)),
            Field::new("row", required(Kind::Int32)),
            Field::new("thread", optional(Kind::Int64)),
            Field::new("query", optional(Kind::String)),
        ],
    });
    structure(fields).named(&format!("io.debezium.connector.{plugin}.Source")).version(1)
}

/// The key of the topic of messages in PostgreSQL's log.
pub fn message_key(adjust: &NameAdjuster) -> Schema {
    structure(vec![Field::new("prefix", optional(Kind::String))])
        .named(&adjust.name("io.debezium.connector.postgresql.MessageKey"))
        .version(1)
}

/// The value of the topic of messages in PostgreSQL's log. `content` is the schema of its content.
pub fn message_value(content: Kind, source: &Arc<Schema>, transaction: &Arc<Schema>, adjust: &NameAdjuster) -> Schema {
    let message =
        structure(vec![Field::new("prefix", optional(Kind::String)), Field::new("content", optional(content))])
            .named(&adjust.name("io.debezium.connector.postgresql.Message"))
            .version(1);
    structure(vec![
        Field::new("op", required(Kind::String)),
        Field::new("ts_ms", optional(Kind::Int64)),
        Field::new("source", source.clone()),
        Field::new("transaction", transaction.clone()),
        Field::new("message", message),
    ])
    .named(&adjust.name("io.debezium.connector.postgresql.MessageValue"))
    .version(1)
}

/// The `transaction` block of a data change.
pub fn transaction_block() -> Schema {
    structure(vec![
        Field::new("id", required(Kind::String)),
        Field::new("total_order", required(Kind::Int64)),
        Field::new("data_collection_order", required(Kind::Int64)),
    ])
    .optional()
    .named("event.block")
    .version(1)
}

/// The envelope of a table's data changes.
pub fn data_envelope(name: &str, value: &Arc<Schema>, source: &Arc<Schema>, transaction: &Arc<Schema>) -> Schema {
    structure(vec![
        Field::new("before", value.clone()),
        Field::new("after", value.clone()),
        Field::new("source", source.clone()),
        Field::new("transaction", transaction.clone()),
        Field::new("op", required(Kind::String)),
        Field::new("ts_ms", optional(Kind::Int64)),
        Field::new("ts_us", optional(Kind::Int64)),
        Field::new("ts_ns", optional(Kind::Int64)),
    ])
    .named(name)
    .version(2)
}

/// The key of the heartbeat topic.
pub fn heartbeat_key(adjust: &NameAdjuster) -> Schema {
    structure(vec![Field::new("serverName", required(Kind::String))])
        .named(&adjust.name("io.debezium.connector.common.ServerNameKey"))
        .version(1)
}

/// The value of the heartbeat topic.
pub fn heartbeat_value(adjust: &NameAdjuster) -> Schema {
    structure(vec![Field::new("ts_ms", required(Kind::Int64))])
        .named(&adjust.name("io.debezium.connector.common.Heartbeat"))
        .version(1)
}

/// The key of the transaction topic.
pub fn transaction_key(adjust: &NameAdjuster) -> Schema {
    structure(vec![Field::new("id", required(Kind::String))])
        .named(&adjust.name("io.debezium.connector.common.TransactionMetadataKey"))
        .version(1)
}

/// The value of the transaction topic.
pub fn transaction_value(adjust: &NameAdjuster) -> Schema {
    let collection = structure(vec![
        Field::new("data_collection", required(Kind::String)),
        Field::new("event_count", required(Kind::Int64)),
    ])
    .optional()
    .named("event.collection")
    .version(1);
    structure(vec![
        Field::new("status", required(Kind::String)),
        Field::new("id", required(Kind::String)),
        Field::new("event_count", optional(Kind::Int64)),
        Field::new("data_collections", optional(Kind::Array(collection.into()))),
        Field::new("ts_ms", required(Kind::Int64)),
    ])
    .named(&adjust.name("io.debezium.connector.common.TransactionMetadataValue"))
    .version(1)
}

/// The key of the schema-change topic.
pub fn schema_change_key(plugin: &str, adjust: &NameAdjuster) -> Schema {
    structure(vec![Field::new("databaseName", required(Kind::String))])
        .named(&adjust.name(&format!("io.debezium.connector.{plugin}.SchemaChangeKey")))
        .version(1)
}

fn schema_change_column(adjust: &NameAdjuster) -> Schema {
    structure(vec![
        Field::new("name", required(Kind::String)),
        Field::new("jdbcType", required(Kind::Int32)),
        Field::new("nativeType", optional(Kind::Int32)),
        Field::new("typeName", required(Kind::String)),
        Field::new("typeExpression", optional(Kind::String)),
        Field::new("charsetName", optional(Kind::String)),
        Field::new("length", optional(Kind::Int32)),
        Field::new("scale", optional(Kind::Int32)),
        Field::new("position", required(Kind::Int32)),
        Field::new("optional", optional(Kind::Boolean)),
        Field::new("autoIncremented", optional(Kind::Boolean)),
        Field::new("generated", optional(Kind::Boolean)),
        Field::new("comment", optional(Kind::String)),
        Field::new("defaultValueExpression", optional(Kind::String)),
        Field::new("enumValues", optional(Kind::Array(required(Kind::String).into()))),
    ])
    .named(&adjust.name("io.debezium.connector.schema.Column"))
    .version(1)
}

/// The value of the schema-change topic.
pub fn schema_change_value(plugin: &str, source: &Arc<Schema>, adjust: &NameAdjuster) -> Schema {
    let table = structure(vec![
        Field::new("defaultCharsetName", optional(Kind::String)),
        Field::new("primaryKeyColumnNames", optional(Kind::Array(required(Kind::String).into()))),
        Field::new("columns", required(Kind::Array(schema_change_column(adjust).into()))),
        Field::new("comment", optional(Kind::String)),
    ])
    .optional()
    .named(&adjust.name("io.debezium.connector.schema.Table"))
    .version(1);
    let change = structure(vec![
        Field::new("type", required(Kind::String)),
        Field::new("id", required(Kind::String)),
        Field::new("table", table),
    ])
    .named(&adjust.name("io.debezium.connector.schema.Change"))
    .version(1);
    structure(vec![
        Field::new("source", source.clone()),
        Field::new("ts_ms", required(Kind::Int64)),
        Field::new("databaseName", optional(Kind::String)),
        Field::new("schemaName", optional(Kind::String)),
        Field::new("ddl", optional(Kind::String)),
        Field::new("tableChanges", required(Kind::Array(change.into()))),
    ])
    .named(&adjust.name(&format!("io.debezium.connector.{plugin}.SchemaChangeValue")))
    .version(1)
}
