//! Encode workers: changes in, bytes out.
//!
//! One worker takes one batch at a time and does everything to it on one core: finds the rows, shapes the
//! records, serializes them. Workers share nothing but the converters; the order of batches is restored
//! behind them. A row costs no allocation, no lock, no look-up: what belongs to a table version (its shape)
//! is looked up once for a row event, and a plan is found by comparing two pointers with those of the
//! record before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use super::status::{Part, StatusBoard};
use super::turns::Turns;
use crate::envelope::data::{RowEvent, TransactionView};
use crate::envelope::source_block::SourceView;
use crate::envelope::{Envelope, TableShape};
use crate::error::{Disposition, Failure};
use crate::model::change::{Batch, Change, Operation, RowsChange, SnapshotRecord, TransactionOrder};
use crate::model::encoded::{EncodedBatch, EncodedHeader, EncodedRecord, Step};
use crate::model::modes::EventProcessingFailureHandlingMode;
use crate::model::record::{Record, Typed};
use crate::model::row::{Row, RowCells};
use crate::model::schema::Schema;
use crate::model::table::TableId;
use crate::model::ticket::Ticket;
use crate::model::value::{Arena, ValueRef};
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::Activity;
use crate::serialize::{Converter, Plan};
use crate::util::backoff::Backoff;
use crate::util::{clock, stop::Stop};

/// An arena that has grown beyond this is given back after its batch: one huge value must not stay.
const ARENA_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// A block or buffer that has grown beyond this is not used again.
const BUFFER_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Tables whose shapes and plans a worker keeps; beyond it all are made again as they are needed. A table has a new
/// version after each statement that altered one and with each log file, and only its last is kept.
const SHAPES_MAXIMUM: usize = 16 * 1024;

/// A batch and its claim.
pub struct Job {
    /// The changes.
    pub batch: Batch,
    /// What holds the position back until they are delivered.
    pub ticket: Ticket,
}

/// What all encode workers of a connector share.
pub struct Encoding {
    /// Makes records of changes.
    pub envelope: Arc<Envelope>,
    /// `key.converter`.
    pub key: Arc<dyn Converter>,
    /// `value.converter`.
    pub value: Arc<dyn Converter>,
    /// `header.converter`.
    pub header: Arc<dyn Converter>,
    /// `event.processing.failure.handling.mode`.
    pub failure_mode: EventProcessingFailureHandlingMode,
    /// The connector's numbers.
    pub metrics: Arc<ConnectorMetrics>,
    /// Where a worker says that it waits for the registry.
    pub board: Arc<StatusBoard>,
    /// Who may register schemas.
    pub turns: Turns,
    /// Set when the pipeline is given up.
    pub abort: Stop,
}

struct Planned {
    topic: Arc<str>,
    schema: Option<Arc<Schema>>,
    plan: Arc<dyn Plan>,
}

impl Planned {
    fn is_for(&self, topic: &Arc<str>, schema: Option<&Arc<Schema>>) -> bool {
        let same_schema = match (&self.schema, schema) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (None, None) => true,
            _ => false,
        };
        same_schema && Arc::ptr_eq(&self.topic, topic)
    }
}

/// The plans of one role. The last one used is found without a look-up.
#[derive(Default)]
struct Plans {
    /// The batch that is being encoded.
    ordinal: u64,
    last: Option<Planned>,
    /// By the addresses of topic and schema, which the entry itself keeps alive.
    all: HashMap<(usize, usize), Planned>,
}

impl Plans {
    fn find(
        &mut self,
        encoding: &Encoding,
        converter: &Arc<dyn Converter>,
        topic: &Arc<str>,
        schema: Option<&Arc<Schema>>,
    ) -> Result<&Arc<dyn Plan>, Failure> {
        if !self.last.as_ref().is_some_and(|last| last.is_for(topic, schema)) {
            let schema_address = schema.map_or(0, |schema| Arc::as_ptr(schema) as usize);
            let key = (Arc::as_ptr(topic).cast::<u8>() as usize, schema_address);
            let planned = match self.all.get(&key) {
                Some(planned) => planned.plan.clone(),
                None => {
                    // A registry gives versions in the order of registering, so they must come in that of the stream.
                    encoding.turns.wait(self.ordinal, &encoding.abort);
                    let plan = prepare(encoding, converter, topic, schema)?;
                    let planned = Planned { topic: topic.clone(), schema: schema.cloned(), plan: plan.clone() };
                    self.all.insert(key, planned);
                    plan
                }
            };
            self.last = Some(Planned { topic: topic.clone(), schema: schema.cloned(), plan: planned });
        }
        self.last.as_ref().map(|last| &last.plan).ok_or_else(|| crate::model::value::ValueError::Shape.into())
    }
}

/// Asks the converter for a plan, again and again while only the weather is against it.
fn prepare(
    encoding: &Encoding,
    converter: &Arc<dyn Converter>,
    topic: &str,
    schema: Option<&Arc<Schema>>,
) -> Result<Arc<dyn Plan>, Failure> {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
    encoding.metrics.encoders.set(Activity::BlockedOnRegistry);
    loop {
        let failure: Failure = match converter.prepare(topic, schema) {
            Ok(plan) => {
                if backoff.attempts() > 0 {
                    tracing::info!(topic, attempts = backoff.attempts(), "the schema registry answers again");
                    encoding.board.recovered(Part::Registry);
                }
                encoding.metrics.encoders.set(Activity::Working);
                return Ok(plan);
            }
            Err(error) => error.into(),
        };
        if failure.code.disposition != Disposition::Retry {
            return Err(failure);
        }
        let delay = backoff.next_delay();
        tracing::warn!(code = %failure.code, reason = %failure.message, topic, attempt = backoff.attempts(), "the schema registry does not answer; nothing flows until it does");
        encoding.board.restarting(Part::Registry, failure.clone(), backoff.attempts(), delay);
        if encoding.abort.wait(delay) {
            return Err(failure);
        }
    }
}

/// One worker.
pub struct Encoder {
    encoding: Arc<Encoding>,
    arena: Arena,
    cells: RowCells,
    /// By the versions of layouts.
    shapes: HashMap<u64, Arc<TableShape>>,
    /// The last version of each table, so that those before it are forgotten.
    versions: HashMap<TableId, u64>,
    writer: Writer,
}

/// What a record is written with; apart from the arena, which records borrow from while it writes.
#[derive(Default)]
struct Writer {
    keys: Plans,
    values: Plans,
    headers: Plans,
    /// The topic of the last record and its index in the batch.
    topic: Option<(Arc<str>, u32)>,
    sent: u32,
}

impl Encoder {
    /// A worker.
    pub fn new(encoding: Arc<Encoding>) -> Self {
        Encoder {
            encoding,
            arena: Arena::new(),
            cells: RowCells::default(),
            shapes: HashMap::new(),
            versions: HashMap::new(),
            writer: Writer::default(),
        }
    }

    /// Encodes batches until there are no more.
    ///
    /// # Errors
    /// What ends the connector.
    pub fn run(
        &mut self,
        jobs: &Receiver<Job>,
        spare_batches: &Sender<Batch>,
        encoded: &Sender<EncodedBatch>,
        spare_buffers: &Receiver<EncodedBatch>,
    ) -> Result<(), Failure> {
        for job in jobs {
            if self.encoding.abort.is_set() {
                return Ok(());
            }
            self.encoding.metrics.encoders.set(Activity::Working);
            let Job { mut batch, ticket } = job;
            let mut out = spare_buffers.try_recv().unwrap_or_default();
            out.clear();
            self.writer.begin(ticket.ordinal());
            self.encode(&mut batch, &mut out)?;
            self.encoding.turns.done(ticket.ordinal());
            out.ticket = Some(ticket);
            let (items_in, items_out) = (batch.changes.len() as u64, out.records.len() as u64);
            recycle(batch, spare_batches);
            self.encoding.metrics.encoders.set(Activity::BlockedOnNextStage);
            if encoded.send(out).is_err() {
                return Ok(());
            }
            self.encoding.metrics.encoders.progress(items_in, items_out, clock::now_ns());
            self.encoding.metrics.encoders.set(Activity::Idle);
        }
        Ok(())
    }

    /// Encodes one batch.
    ///
    /// # Errors
    /// What ends the connector.
    pub fn encode(&mut self, batch: &mut Batch, out: &mut EncodedBatch) -> Result<(), Failure> {
        self.arena.reset();
        if self.arena.allocated_bytes() > ARENA_LIMIT_BYTES {
            self.arena = Arena::new();
        }
        self.writer.topic = None;
        self.writer.sent = 0;
        for index in 0..batch.changes.len() {
            let Some(change) = batch.changes.get_mut(index) else { break };
            if let Change::Schema(change) = change {
                let change = change.clone();
                self.schema_change(&batch.block, batch.received_ns, change, out)?;
                continue;
            }
            let change = std::mem::replace(change, Change::Heartbeat);
            self.change(batch, &change, out)?;
        }
        self.writer.flush(out);
        Ok(())
    }

    fn change(&mut self, batch: &Batch, change: &Change, out: &mut EncodedBatch) -> Result<(), Failure> {
        match change {
            Change::Rows(rows) => self.rows(batch, rows, out),
            Change::Truncate { layout, origin, order } => {
                let shape = self.shape(layout);
                let (encoding, writer, arena) = (&self.encoding, &mut self.writer, &self.arena);
                let envelope = &encoding.envelope;
                let constants = &envelope.options().source;
                let id = &layout.id;
                let source = SourceView::new(constants, &id.catalog, Some(&id.table), origin, &batch.block, arena)
                    .of_schema_change(SnapshotRecord::No);
                let event = RowEvent {
                    operation: Operation::Truncate,
                    before: None,
                    after: None,
                    source: &source,
                    transaction: view(order.as_ref()),
                    processed_ns: batch.received_ns,
                };
                envelope.truncate(&shape, &event, &mut |record| writer.write(encoding, record, arena, out))
            }
            Change::Begin(boundary) => self.side(out, |side| side.begin(boundary)),
            Change::End(boundary) => self.side(out, |side| side.end(boundary)),
            Change::Heartbeat => self.side(out, |side| side.heartbeat(batch.received_ns / 1_000_000)),
            Change::Schema(_) => Ok(()),
        }
    }

    fn side<'s>(
        &'s mut self,
        out: &mut EncodedBatch,
        record: impl FnOnce(&'s crate::envelope::side::SideTopics) -> crate::envelope::side::SideRecord<'s>,
    ) -> Result<(), Failure> {
        let (encoding, writer, arena) = (&self.encoding, &mut self.writer, &self.arena);
        record(encoding.envelope.side()).emit(arena, &mut |record| writer.write(encoding, record, arena, out))
    }

    fn schema_change(
        &mut self,
        block: &[u8],
        received_ns: i64,
        change: Box<crate::model::change::SchemaChange>,
        out: &mut EncodedBatch,
    ) -> Result<(), Failure> {
        self.writer.flush(out);
        let announced = change.announced;
        if change.stored {
            out.steps.push(Step::Schema(change.clone()));
        }
        if !announced {
            return Ok(());
        }
        let (encoding, writer, arena) = (&self.encoding, &mut self.writer, &self.arena);
        let record = encoding.envelope.side().schema_change(&change, block, received_ns / 1_000_000, arena)?;
        record.emit(arena, &mut |record| writer.write(encoding, record, arena, out))
    }

    fn shape(&mut self, layout: &crate::model::row::TableLayout) -> Arc<TableShape> {
        if let Some(shape) = self.shapes.get(&layout.version) {
            return shape.clone();
        }
        if self.shapes.len() >= SHAPES_MAXIMUM {
            self.shapes.clear();
            self.versions.clear();
            self.writer.forget(|_| true);
        }
        let shape = Arc::new(self.encoding.envelope.shape(layout));
        self.shapes.insert(layout.version, shape.clone());
        let before = self.versions.insert(layout.id.clone(), layout.version);
        if let Some(old) = before.and_then(|version| self.shapes.remove(&version)) {
            self.writer.forget(|topic| Arc::ptr_eq(topic, &old.topic));
        }
        shape
    }

    fn rows(&mut self, batch: &Batch, change: &RowsChange, out: &mut EncodedBatch) -> Result<(), Failure> {
        let shape = self.shape(&change.layout);
        let (encoding, writer, arena, cells) = (&self.encoding, &mut self.writer, &self.arena, &mut self.cells);
        let envelope = &encoding.envelope;
        let id = &change.layout.id;
        let constants = &envelope.options().source;
        let mut source = SourceView::new(constants, &id.catalog, Some(&id.table), &change.origin, &batch.block, arena);
        let body = batch.block.get(change.body.start as usize..change.body.end as usize).unwrap_or_default();
        let mut transaction = view(change.order.as_ref());
        let mut rows = 0u32;
        let mut at = 0;
        while let Some(next) = change.walk.next_row(body, at, cells)? {
            at = next;
            let number = rows;
            rows += 1;
            source.row = i32::try_from(number).unwrap_or(i32::MAX);
            let after_bytes: &[u8] = if cells.patched { &cells.patch } else { body };
            let before = Row { layout: &change.layout, bytes: body, cells: &cells.before };
            let after = Row { layout: &change.layout, bytes: after_bytes, cells: &cells.after };
            let has_before = matches!(change.operation, Operation::Update | Operation::Delete);
            let event = RowEvent {
                operation: change.operation,
                before: has_before.then_some(&before),
                after: (change.operation != Operation::Delete).then_some(&after),
                source: &source,
                transaction,
                processed_ns: batch.received_ns,
            };
            let count = if transaction.is_some() { event.count() } else { 0 };
            if number >= change.skip_rows {
                envelope.row(&shape, &event, &mut |record| writer.write(encoding, record, arena, out))?;
            }
            if let Some(block) = &mut transaction {
                block.total_order += count;
                block.data_collection_order += count;
            }
        }
        count_rows(&encoding.metrics, change.operation, u64::from(rows.saturating_sub(change.skip_rows)));
        Ok(())
    }
}

fn view(order: Option<&TransactionOrder>) -> Option<TransactionView<'_>> {
    let TransactionOrder { id, total_order, data_collection_order } = order?;
    Some(TransactionView { id, total_order: *total_order, data_collection_order: *data_collection_order })
}

fn count_rows(metrics: &ConnectorMetrics, operation: Operation, rows: u64) {
    match operation {
        Operation::Create | Operation::Read => metrics.creates.add(rows),
        Operation::Update => metrics.updates.add(rows),
        Operation::Delete => metrics.deletes.add(rows),
        Operation::Truncate => {}
    }
}

fn recycle(mut batch: Batch, spare: &Sender<Batch>) {
    batch.changes.clear();
    batch.bytes = 0;
    if batch.block.capacity() > BUFFER_LIMIT_BYTES {
        batch.block = Vec::new();
    }
    // No room among the spare ones: this one is given back to the allocator.
    drop(spare.try_send(batch));
}

/// Makes an encoded batch ready for use again, and its memory small.
pub fn recycle_encoded(mut encoded: EncodedBatch, spare: &Sender<EncodedBatch>) {
    encoded.clear();
    if encoded.buffer.capacity() > BUFFER_LIMIT_BYTES {
        encoded.buffer = Vec::new();
    }
    drop(spare.try_send(encoded));
}

impl Writer {
    /// Forgets the plans of some topics: those of a table's old version.
    fn forget(&mut self, is_old: impl Fn(&Arc<str>) -> bool) {
        for plans in [&mut self.keys, &mut self.values, &mut self.headers] {
            plans.all.retain(|_, planned| !is_old(&planned.topic));
        }
    }

    /// The batch with this ordinal is encoded next.
    fn begin(&mut self, ordinal: u64) {
        for plans in [&mut self.keys, &mut self.values, &mut self.headers] {
            plans.ordinal = ordinal;
        }
    }

    /// Closes the run of records since the last step.
    fn flush(&mut self, out: &mut EncodedBatch) {
        let end = u32::try_from(out.records.len()).unwrap_or(u32::MAX);
        if end > self.sent {
            out.steps.push(Step::Send(self.sent..end));
            self.sent = end;
        }
    }

    fn write(
        &mut self,
        encoding: &Arc<Encoding>,
        record: &Record<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
    ) -> Result<(), Failure> {
        let (bytes, headers) = (out.buffer.len(), out.headers.len());
        match self.append(encoding, record, arena, out) {
            Ok(()) => Ok(()),
            Err(failure) => {
                out.buffer.truncate(bytes);
                out.headers.truncate(headers);
                tolerate(encoding, record, failure)
            }
        }
    }

    fn append(
        &mut self,
        encoding: &Encoding,
        record: &Record<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
    ) -> Result<(), Failure> {
        let key =
            write_part(&mut self.keys, encoding, &encoding.key, record.topic, &record.key, arena, &mut out.buffer)?;
        let value = write_part(
            &mut self.values,
            encoding,
            &encoding.value,
            record.topic,
            &record.value,
            arena,
            &mut out.buffer,
        )?;
        let first_header = u32::try_from(out.headers.len()).unwrap_or(u32::MAX);
        for header in record.headers {
            let plans = &mut self.headers;
            let value =
                write_part(plans, encoding, &encoding.header, record.topic, &header.value, arena, &mut out.buffer)?;
            out.headers.push(EncodedHeader { name: header.name.into(), value });
        }
        let topic = self.topic_index(record.topic, out);
        out.records.push(EncodedRecord {
            topic,
            partition: record.partition,
            key,
            value,
            headers: first_header..u32::try_from(out.headers.len()).unwrap_or(u32::MAX),
            context_headers: record.context_headers,
            timestamp: record.timestamp,
        });
        Ok(())
    }

    fn topic_index(&mut self, topic: &Arc<str>, out: &mut EncodedBatch) -> u32 {
        if let Some((last, index)) = &self.topic
            && Arc::ptr_eq(last, topic)
        {
            return *index;
        }
        let known = out.topics.iter().position(|known| Arc::ptr_eq(known, topic));
        let index = known.unwrap_or_else(|| {
            out.topics.push(topic.clone());
            out.topics.len() - 1
        });
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.topic = Some((topic.clone(), index));
        index
    }
}

fn write_part(
    plans: &mut Plans,
    encoding: &Encoding,
    converter: &Arc<dyn Converter>,
    topic: &Arc<str>,
    part: &Typed<'_>,
    arena: &Arena,
    buffer: &mut Vec<u8>,
) -> Result<Option<std::ops::Range<u32>>, Failure> {
    if part.schema.is_none() && matches!(part.value, ValueRef::Null) {
        return Ok(None);
    }
    let plan = plans.find(encoding, converter, topic, part.schema)?;
    let start = buffer.len();
    if !plan.write(&part.value, arena, buffer)? {
        return Ok(None);
    }
    match (u32::try_from(start), u32::try_from(buffer.len())) {
        (Ok(start), Ok(end)) => Ok(Some(start..end)),
        _ => Err(super::error::PipelineError::BatchTooLarge { topic: topic.to_string(), bytes: buffer.len() }.into()),
    }
}

/// What becomes of a record that cannot be written, as `event.processing.failure.handling.mode` says.
fn tolerate(encoding: &Encoding, record: &Record<'_>, failure: Failure) -> Result<(), Failure> {
    let rejected = failure.code.disposition == Disposition::Reject;
    match encoding.failure_mode {
        EventProcessingFailureHandlingMode::Warn if rejected => {
            tracing::warn!(code = %failure.code, reason = %failure.message, topic = %record.topic, "a record could not be written and is left out, as event.processing.failure.handling.mode says");
        }
        EventProcessingFailureHandlingMode::Skip | EventProcessingFailureHandlingMode::Ignore if rejected => {
            tracing::debug!(code = %failure.code, reason = %failure.message, topic = %record.topic, "a record could not be written and is left out");
        }
        EventProcessingFailureHandlingMode::Fail
        | EventProcessingFailureHandlingMode::Warn
        | EventProcessingFailureHandlingMode::Skip
        | EventProcessingFailureHandlingMode::Ignore => return Err(failure),
    }
    encoding.metrics.erroneous.add(1);
    encoding.metrics.records_skipped.add(1);
    Ok(())
}
