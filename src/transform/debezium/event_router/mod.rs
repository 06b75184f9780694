//! `io.debezium.transforms.outbox.EventRouter`: rows of an outbox table become messages.
//!
//! In: envelopes of an outbox table. Out: for each inserted row one record: the payload column as the value (or a
//! struct with it), the key column as the key, the topic made of the route column, the id column as a header. Promised:
//! the order of work and the results of Debezium 3.6; key, payload, topic and headers are taken from the row where it
//! lies, and a row costs no allocation once its topic and schemas have been seen. Records that are no envelopes pass;
//! deletes and tombstones end here, because applications delete a row in the transaction that inserted it. Nothing
//! here survives a crash.
//!
//! Two things differ on purpose. The schema of a value with more than the payload is named after the record's own
//! route; Debezium keeps the name of whichever route came first after its start. And where JSON cannot be expanded
//! although a schema was found, the text goes out with its own schema; Debezium sends the text with the other
//! schema, at which converters fail.

use std::sync::Arc;

use self::columns::{Columns, EnvelopeFields};
use self::options::{EventRouterOptions, InvalidOperation};
use super::json_data::{JsonData, Unexpanded};
use super::seldom::Seldom;
use super::structs::{Column, is_envelope, unusable};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::Schema;
use crate::model::value::{Arena, Fields, StructView, ValueRef};
use crate::transform::memo::{Memo, SchemaMemo};
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::Options;

mod columns;
mod options;

/// The outbox event router.
pub static SPEC: TransformSpec = TransformSpec {
    name: "EventRouter",
    aliases: &["io.debezium.transforms.outbox.EventRouter"],
    about: "Makes messages of rows of an outbox table: topic, key, value and headers come from its columns",
    targets: &[Target::Record],
    options: &[options::OPTIONS],
    build,
};

fn build(options: &Options<'_>, _target: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(EventRouter::new(EventRouterOptions::read(options)?)))
}

struct EventRouter {
    json: Option<JsonData>,
    /// `None` for schemas that are no envelope's.
    envelopes: SchemaMemo<Option<EnvelopeFields>>,
    /// By the schema of the row.
    tables: SchemaMemo<Columns>,
    /// By the value of the route column.
    topics: Memo<String, Arc<str>>,
    values: Memo<String, ValueSchema>,
    updates: Seldom,
    unexpanded: Seldom,
    options: EventRouterOptions,
}

/// The schema of a value with more than the payload, and the schema of rows that it was made of: kept, so that no other
/// schema can have the address which the entry is found by. The payload's is in the schema itself.
struct ValueSchema {
    schema: Arc<Schema>,
    _rows: Arc<Schema>,
}

/// A row of the outbox table.
struct Event<'a> {
    columns: &'a Columns,
    /// The schema of the row.
    schema: &'a Arc<Schema>,
    row: &'a dyn StructView,
    route: &'a str,
    payload: Typed<'a>,
}

impl Transform for EventRouter {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        if matches!(record.value.value, ValueRef::Null) {
            return Ok(None);
        }
        let Some(schema) = record.value.schema else { return Ok(Some(record)) };
        let of = || is_envelope(schema).then(|| EnvelopeFields::of(schema)).transpose();
        let Some(fields) = self.envelopes.get(schema, of)? else { return Ok(Some(record)) };
        let ValueRef::Struct(envelope) = record.value.value else {
            return Err(unusable("an envelope that is not a struct".to_owned()));
        };
        match fields.operation.text(envelope, arena)? {
            Some("d") => return Ok(None),
            Some("u") => return self.update(&record),
            Some(_) => {}
            None => return Err(unusable("an envelope without an operation".to_owned())),
        }
        let after = fields.after.as_ref().ok_or_else(|| unusable("unknown field: after".to_owned()))?;
        let ValueRef::Struct(row) = after.raw(envelope, arena)? else {
            return Err(unusable("the outbox event has no row in `after`, as with a truncated table".to_owned()));
        };
        let columns = self.tables.get(&after.schema, || Columns::of(&after.schema, &self.options))?;
        let timestamp = timestamp(fields, columns, envelope, row, arena)?;
        let payload = Typed { schema: Some(&columns.payload.schema), value: columns.payload.get(row, arena)? };
        let payload = match &self.json {
            Some(json) => self.expanded(json, payload, arena),
            None => payload,
        };
        let route = columns.route.text(row, arena)?;
        let route = route.ok_or_else(|| unusable("the field that says the topic is null".to_owned()))?;
        let event = Event { columns, schema: &after.schema, row, route, payload };
        Ok(Some(Record {
            topic: self.topics.get(route, || self.topic(route))?,
            partition: event.partition(arena)?,
            key: event.typed(&columns.key, arena)?,
            value: self.value(&event, arena)?,
            headers: event.headers(record.headers, arena)?,
            timestamp,
            ..record
        }))
    }

    fn rest(&mut self) {
        self.envelopes.rest();
        self.tables.rest();
        self.topics.rest();
        self.values.rest();
        if let Some(json) = &mut self.json {
            json.rest();
        }
    }
}

impl EventRouter {
    fn new(options: EventRouterOptions) -> Self {
        EventRouter {
            json: options.expand.map(JsonData::new),
            envelopes: SchemaMemo::default(),
            tables: SchemaMemo::default(),
            topics: Memo::default(),
            values: Memo::default(),
            updates: Seldom::default(),
            unexpanded: Seldom::default(),
            options,
        }
    }

    /// An outbox is only inserted into and deleted from.
    fn update<'a>(&self, record: &Record<'_>) -> Result<Option<Record<'a>>, TransformError> {
        if self.options.invalid_operation == InvalidOperation::Fatal {
            return Err(TransformError::Fatal {
                reason: format!("an update of a row of the outbox table, on topic {}", record.topic),
            });
        }
        if let Some(count) = self.updates.count() {
            let is_error = self.options.invalid_operation == InvalidOperation::Error;
            let topic: &str = record.topic;
            if is_error {
                tracing::error!(topic, count, "an unexpected update of a row of the outbox table is left out");
            } else {
                tracing::warn!(topic, count, "an unexpected update of a row of the outbox table is left out");
            }
        }
        Ok(None)
    }

    /// Kafka Connect's RegexRouter over the value of the route column.
    fn topic(&self, route: &str) -> Result<Arc<str>, TransformError> {
        let replaced = self.options.topic.replace_first(route);
        let replaced = replaced.map_err(|error| unusable(format!("route.topic.regex: {error}")))?;
        Ok(replaced.map_or_else(|| route.into(), Into::into))
    }

    /// The payload as structured data, where it is JSON.
    fn expanded<'a>(&'a self, json: &'a JsonData, payload: Typed<'a>, arena: &'a Arena) -> Typed<'a> {
        if matches!(payload.value, ValueRef::Null) {
            return payload;
        }
        let expanded = if let ValueRef::String(text) = payload.value {
            json.expand(Some(&self.options.payload), text, arena)
        } else {
            Err(Unexpanded::NoSchema("it is not a string"))
        };
        let reason = match expanded {
            Ok((schema, value)) => return Typed { schema: Some(schema), value },
            Err(Unexpanded::NoSchema(reason) | Unexpanded::Unfit(reason)) => reason,
            Err(Unexpanded::Nothing) => "it is an empty list",
        };
        if let Some(count) = self.unexpanded.count() {
            tracing::warn!(reason, count, "a payload is not expanded as JSON and goes out as it is");
        }
        match expanded {
            // An empty list has no schema, and Debezium sends the text without one.
            Err(Unexpanded::Nothing) => Typed { schema: None, ..payload },
            _ => payload,
        }
    }

    fn value<'a>(&'a self, event: &Event<'a>, arena: &'a Arena) -> Result<Typed<'a>, TransformError> {
        let columns = event.columns;
        let is_empty = if let ValueRef::String(text) = event.payload.value {
            // Java's trim.
            text.bytes().all(|byte| byte <= b' ')
        } else {
            matches!(event.payload.value, ValueRef::Null)
        };
        if is_empty && self.options.tombstones {
            return Ok(Typed::NULL);
        }
        if !columns.wraps {
            return Ok(event.payload);
        }
        let mut values = bumpalo::collections::Vec::with_capacity_in(1 + columns.envelope.len(), arena);
        values.push(event.payload.value);
        for placed in &columns.envelope {
            values.push(placed.column.get(event.row, arena)?);
        }
        let fields = arena.alloc(Fields(values.into_bump_slice()));
        Ok(Typed { schema: Some(self.value_schema(event, arena)?), value: ValueRef::Struct(fields) })
    }

    fn value_schema<'a>(&'a self, event: &Event<'a>, arena: &'a Arena) -> Result<&'a Arc<Schema>, TransformError> {
        let Event { columns, schema: rows, route, .. } = event;
        let payload = event.payload.schema.ok_or_else(|| unusable("a payload without a schema".to_owned()))?;
        let version = match &columns.version {
            Some(column) => column.int32(event.row, arena)?,
            None => None,
        };
        let (payload_address, rows_address) = (Arc::as_ptr(payload) as usize, Arc::as_ptr(rows) as usize);
        let key = bumpalo::format!(in arena, "{:x} {:x} {:?} {}", payload_address, rows_address, version, route);
        let made = self.values.get(key.as_str(), || {
            let schema = columns.value_schema(payload, rows, route, version)?;
            Ok::<_, TransformError>(ValueSchema { schema: Arc::new(schema), _rows: (*rows).clone() })
        });
        made.map(|made| &made.schema)
    }
}

impl<'a> Event<'a> {
    fn typed(&self, column: &'a Column, arena: &'a Arena) -> Result<Typed<'a>, TransformError> {
        Ok(Typed { schema: Some(&column.schema), value: column.get(self.row, arena)? })
    }

    fn headers(&self, before: &'a [Header<'a>], arena: &'a Arena) -> Result<&'a [Header<'a>], TransformError> {
        let count = before.len() + 1 + self.columns.headers.len();
        let mut headers = bumpalo::collections::Vec::with_capacity_in(count, arena);
        headers.extend_from_slice(before);
        headers.push(Header { name: "id", value: self.typed(&self.columns.id, arena)? });
        for placed in &self.columns.headers {
            headers.push(Header { name: &placed.alias, value: self.typed(&placed.column, arena)? });
        }
        Ok(headers.into_bump_slice())
    }

    fn partition(&self, arena: &'a Arena) -> Result<Option<i32>, TransformError> {
        let Some(column) = &self.columns.partition else { return Ok(None) };
        let partition = column.int32(self.row, arena)?;
        if partition.is_some_and(|partition| partition < 0) {
            // Kafka's ProducerRecord does not take it, whatever errors.tolerance says.
            return Err(TransformError::Fatal { reason: "the field that says the partition is negative".to_owned() });
        }
        Ok(partition)
    }
}

/// The record's timestamp: of the column that is configured, otherwise the time of processing.
fn timestamp<'a>(
    fields: &'a EnvelopeFields,
    columns: &'a Columns,
    envelope: &'a dyn StructView,
    row: &'a dyn StructView,
    arena: &'a Arena,
) -> Result<Option<i64>, TransformError> {
    let of_row = match &columns.time {
        Some(time) => time.column.int64(row, arena)?.map(|units| time.milliseconds(units)).transpose()?,
        None => None,
    };
    let timestamp = match (of_row, &fields.time) {
        (Some(timestamp), _) => Some(timestamp),
        (None, Some(time)) => time.int64(envelope, arena)?,
        (None, None) => return Err(unusable("ts_ms is not a valid field name".to_owned())),
    };
    if timestamp.is_some_and(|timestamp| timestamp < 0) {
        let reason = "the event's timestamp is before 1970, which Kafka does not take".to_owned();
        return Err(TransformError::Fatal { reason });
    }
    Ok(timestamp)
}

#[cfg(test)]
mod tests;
