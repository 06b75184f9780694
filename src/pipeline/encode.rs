//! Encode workers: changes in, bytes out.
//!
//! One worker takes one batch at a time and does everything to it on one core: finds the rows, shapes the
//! records, serializes them. Workers share nothing but the converters; the order of batches is restored
//! behind them. A row costs no allocation, no lock, no look-up: what belongs to a table version (its shape)
//! is looked up once for a row event, and a plan is found by comparing two pointers with those of the
//! record before.

use std::collections::HashMap;
use std::sync::Arc;

use flume::{Receiver, Sender};
use prefetch_index::prefetch_index;

use super::produce::Delivery;
use super::reselect::Reselector;
use super::status::StatusBoard;
use super::topic_keys::TopicKeys;
use super::turns::Turns;
use super::write::{Processing, Writer};
use crate::envelope::data::{RowEvent, TransactionView, unchanged};
use crate::envelope::source_block::{SourceView, SourceWritten};
use crate::envelope::{Envelope, TableShape};
use crate::error::Failure;
use crate::model::change::{Batch, Change, Operation, RowsChange, SchemaChange, SnapshotRecord, TransactionOrder};
use crate::model::encoded::{EncodedBatch, Step};
use crate::model::modes::EventProcessingFailureHandlingMode;
use crate::model::row::{Row, RowCells, TableLayout};
use crate::model::table::TableId;
use crate::model::ticket::Ticket;
use crate::model::value::{Arena, Written, WrittenFor};
use crate::observe::lags::LagRun;
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::Activity;
use crate::serialize::Converter;
use crate::util::{clock, stop::Stop};

/// An arena that has grown beyond this is given back after its batch: one huge value must not stay.
const ARENA_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// A block or buffer that has grown beyond this is not used again.
const BUFFER_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// How many changes ahead of their turn the rows of one are asked for, and how much of them: short ones whole.
const AHEAD: usize = 2;
const LINES: usize = 3;
const CACHE_LINE_BYTES: usize = 64;

/// Tables whose shapes and plans a worker keeps; beyond it all are made again as they are needed. A table has a new
/// version after each statement that altered one and with each log file, and only its last is kept.
const TABLES_MAXIMUM: usize = 16 * 1024;

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
    /// What becomes of records before the converters.
    pub processing: Processing,
    /// `event.processing.failure.handling.mode`.
    pub failure_mode: EventProcessingFailureHandlingMode,
    /// The connector's numbers.
    pub metrics: Arc<ConnectorMetrics>,
    /// Where a worker says that it waits for the registry.
    pub board: Arc<StatusBoard>,
    /// Who may register schemas.
    pub turns: Turns,
    /// What the keys of each topic are.
    pub topic_keys: TopicKeys,
    /// Set when the pipeline is given up.
    pub abort: Stop,
}

/// One worker.
pub struct Encoder {
    encoding: Arc<Encoding>,
    arena: Arena,
    cells: RowCells,
    /// Of the source block of the event at hand.
    written: Written,
    lags: LagRun,
    counts: RowCounts,
    tables: Tables,
    /// Mostly none.
    reselectors: Vec<Reselector>,
    writer: Writer,
}

impl Encoder {
    /// A worker.
    ///
    /// # Errors
    /// When a transform cannot be made.
    pub fn new(encoding: Arc<Encoding>) -> Result<Self, Failure> {
        Ok(Encoder {
            writer: Writer::new(&encoding.processing)?,
            reselectors: encoding.processing.reselections.iter().map(Reselector::new).collect(),
            encoding,
            arena: Arena::new(),
            cells: RowCells::default(),
            written: Written::default(),
            lags: LagRun::default(),
            counts: RowCounts::default(),
            tables: Tables::default(),
        })
    }

    /// Encodes batches until there are no more, or one of them ends the connector: what came before that in the batch is
    /// handed on with the failure, whose turn comes when all before it is delivered.
    pub fn run(
        &mut self,
        jobs: &Receiver<Job>,
        spare_batches: &Sender<Batch>,
        encoded: &Sender<Delivery>,
        spare_buffers: &Receiver<EncodedBatch>,
    ) {
        for job in jobs {
            if self.encoding.abort.is_set() {
                return;
            }
            let Some((batch, out)) = self.work(job, spare_buffers.try_recv().unwrap_or_default()) else { return };
            let (items_in, items_out) = (batch.changes.len() as u64, out.records.len() as u64);
            let failed = out.failure.is_some();
            recycle(batch, spare_batches);
            self.encoding.metrics.encoders.set(Activity::BlockedOnNextStage);
            // A producer that is gone has failed itself, and says so.
            if encoded.send(Delivery::Batch(out)).is_err() || failed {
                return;
            }
            self.encoding.metrics.encoders.progress(items_in, items_out, clock::now_ns());
            self.encoding.metrics.encoders.set(Activity::Idle);
        }
    }

    /// Encodes the batch of a job, whatever comes of it: a failure is in the encoded batch. `None` under an abort: what was
    /// read again then is not to be believed, and the rows come again.
    pub fn work(&mut self, job: Job, mut out: EncodedBatch) -> Option<(Batch, EncodedBatch)> {
        self.encoding.metrics.encoders.set(Activity::Working);
        let Job { batch, ticket } = job;
        let ordinal = ticket.ordinal();
        out.clear();
        self.writer.begin(ordinal);
        let failed = self.encode(&batch, &mut out).err();
        self.lags.end(&self.encoding.metrics.lags);
        if self.encoding.abort.is_set() {
            return None;
        }
        out.ticket = Some(ticket);
        if let Some(failure) = failed {
            // Said now: what came before it may take long to deliver, and may fail for another reason.
            tracing::error!(
                code = %failure.code,
                reason = %failure.message,
                "a record failed; the connector ends when what came before it is delivered"
            );
            self.writer.flush(&mut out);
            out.failure = Some(failure);
        } else {
            // Counted in the order of the stream: the producer is not to be blamed for a batch that is not its turn.
            let in_turn = self.encoding.turns.done(ordinal);
            self.encoding.metrics.ladder.encoded.add(in_turn);
        }
        Some((batch, out))
    }

    /// Encodes one batch.
    ///
    /// # Errors
    /// What ends the connector.
    pub fn encode(&mut self, batch: &Batch, out: &mut EncodedBatch) -> Result<(), Failure> {
        self.arena.reset();
        if self.arena.allocated_bytes() > ARENA_LIMIT_BYTES {
            self.arena = Arena::new();
        }
        self.writer.rest();
        let mut ahead = batch.changes.iter().skip(AHEAD);
        let encoded = batch.changes.iter().try_for_each(|change| {
            if let Some(Change::Rows(rows)) = ahead.next() {
                fetch(&batch.block, rows.body.start);
            }
            self.change(batch, change, out)
        });
        self.counts.end(&self.encoding.metrics);
        encoded?;
        self.writer.flush(out);
        Ok(())
    }

    fn change(&mut self, batch: &Batch, change: &Change, out: &mut EncodedBatch) -> Result<(), Failure> {
        match change {
            Change::Rows(rows) => self.rows(batch, rows, out),
            Change::Truncate { layout, origin, order } => {
                let (encoding, writer, arena) = (&self.encoding, &mut self.writer, &self.arena);
                let shape = &self.tables.get(layout, encoding, writer).shape;
                let envelope = &encoding.envelope;
                let constants = &envelope.options().source;
                let source = SourceView::new(constants, (&layout.id).into(), origin, &batch.block, arena)
                    .of_schema_change(SnapshotRecord::No);
                let event = RowEvent {
                    operation: Operation::Truncate,
                    before: None,
                    after: None,
                    source: &source,
                    transaction: view(order.as_ref()),
                    processed_ns: batch.received_ns,
                    written: None,
                };
                envelope.truncate(shape, &event, &mut |record| writer.write(encoding, record, arena, out))
            }
            Change::Message(message) => {
                let (encoding, writer, arena) = (&self.encoding, &mut self.writer, &self.arena);
                let side = encoding.envelope.side();
                let record = side.message(message, &batch.block, batch.received_ns / 1_000_000, arena)?;
                record.emit(arena, &mut |record| writer.write(encoding, record, arena, out))
            }
            Change::Begin(boundary) => self.side(out, |side| side.begin(boundary)),
            Change::End(boundary) => self.side(out, |side| side.end(boundary)),
            Change::Heartbeat => self.side(out, |side| side.heartbeat(batch.received_ns / 1_000_000)),
            Change::Schema(change) => self.schema_change(&batch.block, batch.received_ns, change, out),
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
        change: &SchemaChange,
        out: &mut EncodedBatch,
    ) -> Result<(), Failure> {
        self.writer.flush(out);
        if change.stored {
            out.steps.push(Step::Schema(Box::new(change.clone())));
        }
        if !change.announced {
            return Ok(());
        }
        let (encoding, writer, arena) = (&self.encoding, &mut self.writer, &self.arena);
        let record = encoding.envelope.side().schema_change(change, block, received_ns / 1_000_000, arena)?;
        record.emit(arena, &mut |record| writer.write(encoding, record, arena, out))
    }

    fn rows(&mut self, batch: &Batch, change: &RowsChange, out: &mut EncodedBatch) -> Result<(), Failure> {
        let (encoding, writer, arena, cells) = (&self.encoding, &mut self.writer, &self.arena, &mut self.cells);
        let Table { shape, source: of_table, envelope } = self.tables.get(&change.layout, encoding, writer);
        let of_batch = envelope.at(batch.received_ns);
        let (envelope, reselectors) = (&encoding.envelope, &mut self.reselectors);
        let subject = (&change.layout.id).into();
        let constants = &envelope.options().source;
        let mut source = SourceView::new(constants, subject, &change.origin, &batch.block, arena)
            .for_rows(of_table, &mut self.written);
        let body = batch.block.get(change.body.start as usize..change.body.end as usize).unwrap_or_default();
        let mut transaction = view(change.order.as_ref());
        let (mut rows, mut unchanged) = (0u32, 0u64);
        let mut at = 0;
        while let Some(next) = change.walk.next_row(body, at, cells)? {
            at = next;
            let number = rows;
            rows += 1;
            source.row = i32::try_from(number).unwrap_or(i32::MAX);
            if !reselectors.is_empty() && number >= change.skip_rows {
                read_again(reselectors, envelope, change, body, cells)?;
                encoding.metrics.ladder.steps.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            let after_bytes: &[u8] = if cells.patched { &cells.patch } else { body };
            let before = Row { layout: &change.layout, bytes: body, cells: &cells.before };
            let after = Row { layout: &change.layout, bytes: after_bytes, cells: &cells.after };
            let has_before = matches!(change.operation, Operation::Update | Operation::Delete) && !cells.no_before;
            let event = RowEvent {
                operation: change.operation,
                before: has_before.then_some(&before),
                after: (change.operation != Operation::Delete).then_some(&after),
                source: &source,
                transaction,
                processed_ns: batch.received_ns,
                written: Some(of_batch),
            };
            let count = if transaction.is_some() { event.count() } else { 0 };
            if number >= change.skip_rows {
                let mut given = false;
                envelope.row(shape, &event, &mut |record| {
                    given = true;
                    writer.write(encoding, record, arena, out)
                })?;
                unchanged += u64::from(!given);
            }
            if let Some(block) = &mut transaction {
                block.total_order += count;
                block.data_collection_order += count;
            }
        }
        let rows = u64::from(rows.saturating_sub(change.skip_rows));
        self.counts.add(change.operation, rows, unchanged);
        let late_ms = (batch.received_ns / 1_000_000).saturating_sub(change.origin.timestamp_us() / 1000);
        self.lags.add(&encoding.metrics.lags, u64::try_from(late_ms).unwrap_or(0), rows);
        Ok(())
    }
}

/// What a worker knows of tables, by the versions of their layouts.
#[derive(Default)]
struct Tables {
    all: HashMap<u64, Table, foldhash::fast::RandomState>,
    /// The last version of each table, so that those before it are forgotten.
    versions: HashMap<TableId, u64>,
}

/// One version of a table.
struct Table {
    shape: TableShape,
    source: SourceWritten,
    /// What serializers have written of its envelopes of one batch, named by the time at which it was processed.
    envelope: WrittenFor<i64>,
}

impl Tables {
    /// The table of this layout; made where it is not known.
    fn get(&mut self, layout: &TableLayout, encoding: &Encoding, writer: &mut Writer) -> &mut Table {
        if !self.all.contains_key(&layout.version) {
            self.forget_before(layout, encoding, writer);
        }
        self.all.entry(layout.version).or_insert_with(|| Table {
            shape: encoding.envelope.shape(layout),
            source: SourceWritten::default(),
            envelope: WrittenFor::default(),
        })
    }

    /// Forgets the table's version before this one; all tables, where there are too many.
    #[cold]
    fn forget_before(&mut self, layout: &TableLayout, encoding: &Encoding, writer: &mut Writer) {
        if self.all.len() >= TABLES_MAXIMUM {
            self.all.clear();
            self.versions.clear();
            writer.forget(|_| true);
        }
        let before = self.versions.insert(layout.id.clone(), layout.version);
        if let Some(old) = before.and_then(|version| self.all.remove(&version)) {
            writer.forget(|topic| Arc::ptr_eq(topic, &old.shape.topic));
            encoding.topic_keys.forget(&old.shape.topic);
        }
    }
}

/// Fills what the image after a change lacks, where a record comes of it. Rows of a snapshot have just been read.
#[cold]
fn read_again(
    reselectors: &mut [Reselector],
    envelope: &Envelope,
    change: &RowsChange,
    body: &[u8],
    cells: &mut RowCells,
) -> Result<(), Failure> {
    let layout = &*change.layout;
    match change.operation {
        Operation::Read | Operation::Delete | Operation::Truncate => return Ok(()),
        Operation::Update if envelope.options().skip_unchanged && !cells.no_before => {
            let after_bytes: &[u8] = if cells.patched { &cells.patch } else { body };
            let before = Row { layout, bytes: body, cells: &cells.before };
            let after = Row { layout, bytes: after_bytes, cells: &cells.after };
            if unchanged(&before, &after) {
                return Ok(());
            }
        }
        Operation::Update | Operation::Create => {}
    }
    reselectors.iter_mut().try_for_each(|reselector| reselector.fill(layout, &change.origin, body, cells))
}

fn view(order: Option<&TransactionOrder>) -> Option<TransactionView<'_>> {
    let TransactionOrder { id, total_order, data_collection_order } = order?;
    Some(TransactionView { id, total_order: *total_order, data_collection_order: *data_collection_order })
}

/// The rows of one batch, counted for all workers at its end.
#[derive(Default)]
struct RowCounts {
    creates: u64,
    updates: u64,
    deletes: u64,
    unchanged: u64,
}

impl RowCounts {
    fn add(&mut self, operation: Operation, rows: u64, unchanged: u64) {
        match operation {
            Operation::Create | Operation::Read => self.creates += rows,
            Operation::Update => self.updates += rows,
            Operation::Delete => self.deletes += rows,
            Operation::Truncate => {}
        }
        self.unchanged += unchanged;
    }

    fn end(&mut self, metrics: &ConnectorMetrics) {
        let RowCounts { creates, updates, deletes, unchanged } = std::mem::take(self);
        metrics.creates.add(creates);
        metrics.updates.add(updates);
        metrics.deletes.add(deletes);
        metrics.unchanged.add(unchanged);
    }
}

/// Asks for bytes that are needed soon: another core has written them, and they come while there is other work.
#[inline]
fn fetch(block: &[u8], start: u32) {
    for line in 0..LINES {
        prefetch_index(block, start as usize + line * CACHE_LINE_BYTES);
    }
}

/// Gives a batch back as it is: what its changes share with others is given up by the reader, which shared it. Two threads
/// that count the holders of the same thing wait for each other at each change.
fn recycle(mut batch: Batch, spare: &Sender<Batch>) {
    if batch.block.capacity() > BUFFER_LIMIT_BYTES {
        batch.block = Vec::new();
    }
    // No room among the spare ones: this one is given back to the allocator.
    drop(spare.try_send(batch));
}

/// Makes an encoded batch ready for use again, and its memory small.
pub fn emptied(mut encoded: EncodedBatch) -> EncodedBatch {
    encoded.clear();
    if encoded.buffer.capacity() > BUFFER_LIMIT_BYTES {
        encoded.buffer = Vec::new();
    }
    encoded
}
