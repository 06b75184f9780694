//! A record on its way to a topic: Kafka Connect's `SourceRecord`, borrowed.

use std::sync::Arc;

use super::schema::Schema;
use super::value::ValueRef;

/// A value and the schema it has; no schema means schemaless, and a null value with none is a tombstone.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// The schema.
    pub schema: Option<&'a Arc<Schema>>,
    /// The value.
    pub value: ValueRef<'a>,
}

impl Typed<'_> {
    /// Null without a schema.
    pub const NULL: Typed<'static> = Typed { schema: None, value: ValueRef::Null };
}

/// One header of a record.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: Typed<'a>,
}

/// A record, before its key and value are bytes.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The topic's name.
    pub topic: &'a Arc<str>,
    /// The partition, where the record says so; otherwise the partitioner chooses by key.
    pub partition: Option<i32>,
    /// The key.
    pub key: Typed<'a>,
    /// The value.
    pub value: Typed<'a>,
    /// Headers beside those that every record of the connector has.
    pub headers: &'a [Header<'a>],
    /// Whether the headers that every record of the connector has are added (`extended.headers.enabled`).
    pub context_headers: bool,
    /// Milliseconds since the epoch; `None` leaves the stamp to the producer.
    pub timestamp: Option<i64>,
}
