//! Debezium's shapes: the one room that knows them.
//!
//! In: changes of rows, transactions and tables, with the times they carry. Out: records, borrowed, in the
//! order in which Debezium 3.6 writes them: an update of a key is a delete and a create, a delete is
//! followed by its tombstone. Promised: no input or output, no clock; a row is never copied, its envelope is
//! a view that a serializer reads field by field. Nothing here survives a crash.

pub mod data;
pub mod naming;
pub mod schemas;
pub mod side;
pub mod source_block;

use std::sync::Arc;

use crate::model::modes::BinaryHandlingMode;
use crate::model::row::{ColumnLayout, TableLayout};
use crate::model::schema::{Field, Schema};
use naming::{NameAdjuster, TopicNames};
use source_block::SourceConstants;

/// What the configuration says about envelopes.
#[derive(Clone, Debug)]
pub struct EnvelopeOptions {
    /// What is the same in every source block.
    pub source: SourceConstants,
    /// The names of the topics.
    pub topics: TopicNames,
    /// `schema.name.adjustment.mode`.
    pub adjust: NameAdjuster,
    /// `tombstones.on.delete`.
    pub tombstones: bool,
    /// `skip.messages.without.change`.
    pub skip_unchanged: bool,
    /// `extended.headers.enabled`.
    pub context_headers: bool,
    /// `binary.handling.mode`, for messages in PostgreSQL's log.
    pub binary: BinaryHandlingMode,
}

/// Makes records of changes. One for a connector, shared by its workers.
#[derive(Debug)]
pub struct Envelope {
    options: EnvelopeOptions,
    source: Arc<Schema>,
    transaction: Arc<Schema>,
    side: side::SideTopics,
}

/// The topic and the schemas of one version of one table. Made once, kept by a worker under the layout's version.
#[derive(Clone, Debug)]
pub struct TableShape {
    /// The topic of its changes.
    pub topic: Arc<str>,
    /// The key's schema; `None` for a table without key.
    pub key: Option<Arc<Schema>>,
    /// The schema of `before` and `after`.
    pub value: Arc<Schema>,
    /// The envelope's schema.
    pub envelope: Arc<Schema>,
}

impl Envelope {
    /// An envelope room with these options.
    pub fn new(options: EnvelopeOptions) -> Self {
        let source = Arc::new(schemas::source(options.source.plugin));
        let transaction = Arc::new(schemas::transaction_block());
        let side = side::SideTopics::new(&options, &source, &transaction);
        Envelope { source, transaction, side, options }
    }

    /// The shape of a table's records.
    pub fn shape(&self, layout: &TableLayout) -> TableShape {
        let topic = self.options.topics.table(&layout.id);
        let name = |suffix: &str| self.options.adjust.name(&format!("{topic}.{suffix}"));
        let fields = |columns: &[ColumnLayout]| -> Vec<Field> {
            columns.iter().map(|column| Field { name: column.name.clone(), schema: column.schema.clone() }).collect()
        };
        let value = Arc::new(schemas::structure(fields(&layout.columns)).optional().named(&name("Value")));
        let key =
            (!layout.key.is_empty()).then(|| Arc::new(schemas::structure(fields(&layout.key)).named(&name("Key"))));
        let envelope = schemas::data_envelope(&name("Envelope"), &value, &self.source, &self.transaction);
        TableShape { topic: topic.into(), key, value, envelope: Arc::new(envelope) }
    }

    /// What the configuration says.
    pub fn options(&self) -> &EnvelopeOptions {
        &self.options
    }

    /// The records of side topics.
    pub fn side(&self) -> &side::SideTopics {
        &self.side
    }
}
