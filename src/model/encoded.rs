//! Records as bytes, a batch at a time: what serializers write and the sink sends.

use std::ops::Range;
use std::sync::Arc;

use super::change::SchemaChange;
use super::ticket::Ticket;
use crate::error::Failure;

/// One record, as ranges of its batch's buffer.
#[derive(Clone, Debug)]
pub struct EncodedRecord {
    /// Index into [`EncodedBatch::topics`].
    pub topic: u32,
    /// The partition, where the record says so.
    pub partition: Option<i32>,
    /// The key's bytes; `None` for a null key.
    pub key: Option<Range<u32>>,
    /// The value's bytes; `None` for a tombstone.
    pub value: Option<Range<u32>>,
    /// Index range into [`EncodedBatch::headers`].
    pub headers: Range<u32>,
    /// Whether the connector's own headers are added.
    pub context_headers: bool,
    /// Milliseconds since the epoch; `None` leaves the stamp to the producer.
    pub timestamp: Option<i64>,
}

/// One header, as a range of its batch's buffer.
#[derive(Clone, Debug)]
pub struct EncodedHeader {
    /// Its name.
    pub name: Arc<str>,
    /// Its bytes; `None` for null.
    pub value: Option<Range<u32>>,
}

/// A step in the order of the stream.
#[derive(Debug)]
pub enum Step {
    /// Send the records with these indexes.
    Send(Range<u32>),
    /// Make this schema change durable before anything that follows.
    Schema(Box<SchemaChange>),
}

/// The records of one batch, in the order of the stream.
#[derive(Default)]
pub struct EncodedBatch {
    /// The bytes of keys, values and headers.
    pub buffer: Vec<u8>,
    /// The topics' names that records refer to.
    pub topics: Vec<Arc<str>>,
    /// The records.
    pub records: Vec<EncodedRecord>,
    /// The headers that records refer to.
    pub headers: Vec<EncodedHeader>,
    /// What to do, in order. Empty: nothing to send, settle the ticket.
    pub steps: Vec<Step>,
    /// The batch's claim; `None` only in a batch that is not in use.
    pub ticket: Option<Ticket>,
    /// What ends the connector behind these steps. They are done first: a record that fails must not hold back those
    /// that came before it.
    pub failure: Option<Failure>,
}

impl EncodedBatch {
    /// Makes it empty and keeps its memory.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.topics.clear();
        self.records.clear();
        self.headers.clear();
        self.steps.clear();
        self.ticket = None;
        self.failure = None;
    }

    /// The bytes of a range.
    pub fn bytes(&self, range: &Range<u32>) -> &[u8] {
        self.buffer.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}
