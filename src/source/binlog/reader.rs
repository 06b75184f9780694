//! The reader: from blocks of events to batches of changes.
//!
//! Rows are not looked at: an event's table number gives the layout, its column bitmaps the way to walk, and
//! the bytes stay where they are. What is packed (compressed events, transaction payloads) is unpacked behind
//! the block's own bytes; a payload that would take too much is unpacked over several batches.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::connection::{BinlogStream, ConnectionError, PacketRange, ReadOutcome};
use super::ddl::Schema;
use super::error::BinlogError;
use super::event::event_type::{
    ANONYMOUS_GTID_EVENT, FORMAT_DESCRIPTION_EVENT, HEARTBEAT_EVENT, HEARTBEAT_EVENT_V2, ROTATE_EVENT, TABLE_MAP_EVENT,
};
use super::event::gtid::Tag;
use super::event::transaction_payload::{PayloadDecoder, Suspended};
use super::event::{
    ChecksumAlgorithm, Event, EventError, EventHeader, Format, PayloadEvents, TransactionPayload, decode_after,
    verify_checksum,
};
use super::head::{BinlogHeadProbe, Reached};
use super::marker::BinlogMarker;
use super::options::BinlogOptions;
use super::progress::Progress;
use super::start::{self, Server};
use super::tables::TableMaps;
use crate::error::{Coded, Failure};
use crate::model::change::{Batch, BinlogOrigin, Change, Origin, SchemaChange, TransactionBoundary};
use crate::model::position::{Position, Printed};
use crate::model::row::RowCells;
use crate::source::{Beginning, HeadProbe, Marker, Read, Report, Source};
use crate::util::{clock, stop::Stop};

/// Bytes that unpacked events may add to a batch before it is handed over.
const UNPACKED_LIMIT_BYTES: usize = 256 * 1024;

/// A transaction payload may unpack to this much: MySQL's own limit for a transaction in its binlog cache is
/// far below (`max_binlog_cache_size` recommends 4 GiB).
const PAYLOAD_LIMIT_BYTES: u64 = 16 << 30;

/// The rest of a block, kept while a large payload in it is unpacked.
struct Held {
    block: Vec<u8>,
    packets: Vec<Range<usize>>,
    next: usize,
    payload: Option<Suspended>,
}

/// A stream of changes from one MySQL or MariaDB server.
pub struct BinlogSource {
    pub(super) options: Arc<BinlogOptions>,
    pub(super) stop: Stop,
    pub(super) server: Server,
    pub(super) schema: Schema,
    pub(super) progress: Progress,
    pub(super) beginning: Option<Beginning>,
    /// What the beginning announces, until it is given out.
    announcements: Vec<SchemaChange>,
    pub(super) report: Report,
    stream: Option<BinlogStream>,
    pub(super) maps: TableMaps,
    packets: Vec<PacketRange>,
    spans: Vec<Range<usize>>,
    pub(super) format: Format,
    payloads: PayloadDecoder,
    held: Option<Held>,
    inner_format: Format,
    /// What is added behind the block after the event that is being read.
    pub(super) tail: Vec<u8>,
    /// The inner events of a small payload, in the block.
    unpacked: Vec<Range<usize>>,
    /// And its place. Not in [`Step`]: to hand that back for every event would cost more than to read one.
    unpacked_from: Option<Place>,
    pub(super) cells: RowCells,
    /// The statement behind the rows that follow (`include.query`), and where this batch has it.
    query: Vec<u8>,
    query_range: Option<Range<u32>>,
    /// A failure that came after changes: handed over first, reported then.
    failed: Option<Failure>,
    /// The transaction that is read comes from a server whose rows are not wanted.
    pub(super) filtered_gtid: bool,
    /// Where the stream stands, for the head's prober.
    reached: Arc<Reached>,
}

/// What to do after an event, for the loop over events.
enum Flow {
    Next,
    /// Its payload is too large for this batch, which is handed over first.
    HandOver,
}

/// What became of an event.
enum Step {
    Done,
    HandOver,
    /// Its inner events lie behind the block; they are read next, and then it is done.
    Unpacked,
}

/// The event that is being read.
pub(super) struct Context<'b> {
    /// The block that it lies in.
    pub block: &'b [u8],
    /// Where in the block.
    pub range: Range<usize>,
    /// Where in the log.
    pub place: Place,
    /// Whether it was unpacked from a payload, and has no checksum.
    pub unpacked: bool,
}

/// An event's place in the log, for errors and origins.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Where the event begins.
    pub start: u64,
    /// Where it ends in its file; `None` for one that is in no file or does not say.
    end: Option<u64>,
    /// When it was written, in microseconds since the epoch.
    pub timestamp_us: i64,
    /// The same as its header says it, in seconds; 0 when it does not.
    written_s: u32,
    /// The server that wrote it.
    pub server_id: u32,
}

impl BinlogSource {
    /// A source that reads from `stream`, which begins at `progress`.
    pub(super) fn new(
        options: Arc<BinlogOptions>,
        stop: Stop,
        server: Server,
        schema: Schema,
        progress: Progress,
        mut stream: BinlogStream,
    ) -> Self {
        let reached = Arc::new(Reached::default());
        stream.count_into(reached.heard.clone());
        let format = Format::initial(server.checksum);
        BinlogSource {
            options,
            stop,
            server,
            schema,
            progress,
            beginning: None,
            announcements: Vec::new(),
            report: Report::default(),
            stream: Some(stream),
            maps: TableMaps::default(),
            packets: Vec::new(),
            spans: Vec::new(),
            inner_format: format.inside_payload(),
            format,
            payloads: PayloadDecoder::new(PAYLOAD_LIMIT_BYTES),
            held: None,
            tail: Vec::new(),
            unpacked: Vec::new(),
            unpacked_from: None,
            cells: RowCells::default(),
            query: Vec::new(),
            query_range: None,
            failed: None,
            filtered_gtid: false,
            reached,
        }
    }

    /// Notes which captured tables are tracked, for metrics.
    pub(super) fn report_tables(&mut self) {
        let captured = self.schema.tables().filter(|table| (self.options.captured)(&table.id));
        self.report.captured_tables = captured.map(|table| table.id.to_string()).collect();
    }

    /// Reads blocks until there is something to hand over.
    fn read_batch(&mut self, batch: &mut Batch) -> Result<Read, Failure> {
        batch.clear();
        self.reached.hand_over();
        self.query_range = None;
        let before = (self.progress.file.clone(), self.progress.position, self.progress.open.is_some());
        let result = match self.held.take() {
            Some(held) => self.read_held(batch, held),
            None => self.read_block(batch),
        };
        if let Err(failure) = result {
            if batch.changes.is_empty() {
                return Err(failure);
            }
            self.failed = Some(failure);
        }
        self.reached.set(self.server.identity.as_ref(), &self.progress.file, self.progress.position);
        let moved = before != (self.progress.file.clone(), self.progress.position, self.progress.open.is_some());
        if batch.changes.is_empty() && !moved {
            return Ok(Read::Idle);
        }
        batch.received_ns = clock::now_ns();
        batch.position = self.position();
        Ok(Read::Batch)
    }

    fn read_block(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let Some(stream) = &mut self.stream else { return Err(BinlogError::Ended.into()) };
        let mut packets = std::mem::take(&mut self.packets);
        let outcome = stream.read_block(&mut batch.block, &mut packets);
        let result = match outcome {
            Ok(ReadOutcome::Events) => {
                let end = packets.last().map_or(0, |last| last.end as usize);
                batch.bytes = end;
                self.report.bytes_read += end as u64;
                {
                    let spans = packets.iter().map(|packet| packet.start as usize..packet.end as usize);
                    self.spans.clear();
                    self.spans.extend(spans);
                    let spans = std::mem::take(&mut self.spans);
                    let read = self.events(batch, &spans, 0);
                    self.spans = spans;
                    read
                }
            }
            Ok(ReadOutcome::Stopped) => Ok(()),
            Ok(ReadOutcome::End) => Err(BinlogError::Ended.into()),
            Ok(ReadOutcome::Silent(time)) => Err(BinlogError::Silent {
                silent_ms: time.as_millis(),
                period_ms: self.options.heartbeat_period.as_millis(),
            }
            .into()),
            Err(error) => Err(refused(error, &self.progress)),
        };
        self.packets = packets;
        result
    }

    /// Reads the events of a block from `first` on.
    fn events(&mut self, batch: &mut Batch, packets: &[Range<usize>], first: usize) -> Result<(), Failure> {
        let mut block = std::mem::take(&mut batch.block);
        let read = self.events_in(batch, &mut block, packets, first);
        batch.block = block;
        read
    }

    fn events_in(
        &mut self,
        batch: &mut Batch,
        block: &mut Vec<u8>,
        packets: &[Range<usize>],
        first: usize,
    ) -> Result<(), Failure> {
        for (index, packet) in packets.iter().enumerate().skip(first) {
            match self.event(batch, block, packet.clone(), None)? {
                Flow::Next => {}
                Flow::HandOver => {
                    // A large payload is at `index`, or this was the end of one: the rest waits in its own block.
                    let rest = block.get(packet.start..batch.bytes).unwrap_or_default().to_vec();
                    let moved = |range: &Range<usize>| range.start - packet.start..range.end - packet.start;
                    let rest_packets: Vec<Range<usize>> = packets.iter().skip(index).map(moved).collect();
                    self.held = Some(Held { block: rest, packets: rest_packets, next: 0, payload: None });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Goes on with the rest of a block that begins with a large payload.
    fn read_held(&mut self, batch: &mut Batch, mut held: Held) -> Result<(), Failure> {
        batch.block.clear();
        let Some(packet) = held.packets.get(held.next).cloned() else { return Ok(()) };
        let event = held.block.get(packet.clone()).unwrap_or_default();
        let header = self.located(EventHeader::of(event), 0)?;
        let place = self.place(&header);
        let Ok(Event::TransactionPayload(payload)) = decode_after(&header, event, &self.format) else {
            // Not a payload: the rest of the block is read as any other.
            let (block, packets, next) = (held.block, held.packets, held.next);
            batch.bytes = block.len();
            batch.block = block;
            return self.events(batch, &packets, next);
        };
        let mut payloads = std::mem::replace(&mut self.payloads, PayloadDecoder::new(PAYLOAD_LIMIT_BYTES));
        let mut unpacking = match held.payload.take() {
            None => self.located(payloads.begin(&payload), place.start)?,
            Some(suspended) => payloads.resume(suspended, payload.payload),
        };
        let mut block = std::mem::take(&mut batch.block);
        let read = self.unpack(batch, &mut block, &mut unpacking, place);
        batch.block = block;
        if read? {
            self.finish_event(place);
            held.next += 1;
        } else {
            held.payload = Some(unpacking.suspend());
        }
        self.payloads = payloads;
        // The place in the log stands still inside a payload, and no byte comes: what is unpacked shows that it gets on.
        self.reached.heard.fetch_add(batch.block.len() as u64, Ordering::Relaxed);
        if held.next < held.packets.len() {
            self.held = Some(held);
        }
        Ok(())
    }

    /// Unpacks as much of the payload at `place` as a batch may have, and reads it; whether that was the rest of it.
    fn unpack(
        &mut self,
        batch: &mut Batch,
        block: &mut Vec<u8>,
        payload: &mut PayloadEvents<'_, '_>,
        place: Place,
    ) -> Result<bool, Failure> {
        while block.len() < UNPACKED_LIMIT_BYTES {
            let start = block.len();
            if self.located(payload.next_into(block), place.start)?.is_none() {
                return Ok(true);
            }
            batch.bytes = block.len();
            let _ = self.event(batch, block, start..batch.bytes, Some(place))?;
        }
        Ok(false)
    }

    /// What was read, or where in the log it could not be.
    #[inline(always)]
    pub(super) fn located<T>(&self, result: Result<T, EventError>, start: u64) -> Result<T, Failure> {
        match result {
            Ok(read) => Ok(read),
            Err(error) => Err(self.unreadable(error, start)),
        }
    }

    #[cold]
    fn unreadable(&self, error: EventError, position: u64) -> Failure {
        BinlogError::Event { file: self.progress.file.to_string(), position, error }.into()
    }

    /// Where an event begins, and when it was written.
    fn place(&self, header: &EventHeader) -> Place {
        let says = header.next_position != 0 && !header.is_artificial();
        let end = says.then(|| extended(self.progress.position, header.next_position));
        let start = match end {
            Some(end) => end.saturating_sub(u64::from(header.event_size)),
            None => self.progress.event_start,
        };
        let written_s = header.timestamp;
        let timestamp_us = self.progress.commit_us.unwrap_or_else(|| microseconds(written_s));
        Place { start, end, timestamp_us, written_s, server_id: header.server_id }
    }

    /// The event at `place` was read.
    fn finish_event(&mut self, place: Place) {
        self.progress.event_start = place.start;
        if place.written_s != 0 {
            self.progress.timestamp_us = self.progress.commit_us.unwrap_or_else(|| microseconds(place.written_s));
            self.progress.server_id = place.server_id;
        }
        self.progress.event_read(place.end);
    }

    /// Reads one event of the batch's block, which is set aside, so that the event may borrow from it while changes are
    /// added to the batch. `outer` is the place of the payload it was unpacked from.
    fn event(
        &mut self,
        batch: &mut Batch,
        block: &mut Vec<u8>,
        range: Range<usize>,
        outer: Option<Place>,
    ) -> Result<Flow, Failure> {
        let used = block.get(..batch.bytes).unwrap_or_default();
        let result = self.event_in(used, batch, range, outer);
        if !self.tail.is_empty() {
            block.truncate(batch.bytes);
            block.append(&mut self.tail);
            batch.bytes = block.len();
        }
        match result? {
            Step::Done => Ok(Flow::Next),
            Step::HandOver => Ok(Flow::HandOver),
            Step::Unpacked => {
                let Some(place) = self.unpacked_from.take() else { return Ok(Flow::Next) };
                let packets = std::mem::take(&mut self.unpacked);
                let mut inner = packets.iter();
                let read = inner.try_for_each(|inner| self.event(batch, block, inner.clone(), Some(place)).map(drop));
                self.unpacked = packets;
                self.unpacked.clear();
                read?;
                self.finish_event(place);
                Ok(Flow::Next)
            }
        }
    }

    fn event_in(
        &mut self,
        block: &[u8],
        batch: &mut Batch,
        range: Range<usize>,
        outer: Option<Place>,
    ) -> Result<Step, Failure> {
        let bytes = block.get(range.clone()).unwrap_or_default();
        let header = match EventHeader::of(bytes) {
            Ok(header) => header,
            Err(error) => return Err(self.unreadable(error, self.progress.position)),
        };
        let mut place = self.place(&header);
        if let Some(outer) = outer {
            place.start = outer.start;
        } else {
            self.located(verify_checksum(bytes, self.checksum_of(&header)), place.start)?;
        }
        self.report.events_read += 1;
        let format = self.format_of(outer.is_some());
        let step = if header.event_type == TABLE_MAP_EVENT && self.maps.is_known(bytes, format) {
            Step::Done
        } else {
            // The event is looked at where it was put: to move it costs as much as to read it.
            let decoded = decode_after(&header, bytes, format);
            let event = match &decoded {
                Ok(event) => event,
                Err(error) => return Err(self.unreadable(error.clone(), place.start)),
            };
            let context = Context { block, range, place, unpacked: outer.is_some() };
            self.dispatch(batch, &context, &header, event)?
        };
        if matches!(header.event_type, HEARTBEAT_EVENT | HEARTBEAT_EVENT_V2) {
            self.progress.heartbeat(place.end);
        } else if matches!(step, Step::Done) && header.event_type != ROTATE_EVENT {
            if outer.is_some() {
                self.progress.event_read(None);
            } else {
                self.finish_event(place);
            }
        }
        Ok(step)
    }

    /// How the event is laid out, which was unpacked from a payload or was not.
    #[inline]
    pub(super) fn format_of(&self, unpacked: bool) -> &Format {
        if unpacked { &self.inner_format } else { &self.format }
    }

    fn checksum_of(&self, header: &EventHeader) -> ChecksumAlgorithm {
        // A format description event says itself what stands behind it.
        if header.event_type == FORMAT_DESCRIPTION_EVENT { ChecksumAlgorithm::None } else { self.format.checksum }
    }

    fn dispatch(
        &mut self,
        batch: &mut Batch,
        context: &Context<'_>,
        header: &EventHeader,
        event: &Event<'_>,
    ) -> Result<Step, Failure> {
        match event {
            Event::Rows(rows) => self.rows(batch, context, rows)?,
            Event::TableMap(map) => self.table_map(context, map)?,
            Event::Gtid(gtid) | Event::AnonymousGtid(gtid) => {
                // Debezium does not look at anonymous ones: without GTIDs its times are those of the events' headers.
                let is_named = header.event_type != ANONYMOUS_GTID_EVENT;
                let commit = gtid.original_commit_timestamp_us.filter(|time| is_named && *time != 0);
                let tag = Tag::new(gtid.tag).unwrap_or(Tag::NONE);
                self.progress.mysql_gtid(gtid.uuid, tag, gtid.gno, commit.and_then(|time| i64::try_from(time).ok()));
                self.filtered_gtid = self.is_filtered(&gtid.uuid);
            }
            Event::MariadbGtid(gtid) => {
                self.progress.mariadb_gtid(gtid.gtid);
                self.filtered_gtid = self.is_filtered(&gtid.gtid.domain_id);
                if !gtid.is_standalone() {
                    self.begin(batch, context.place, None, true);
                }
            }
            Event::Query(query) => self.query(batch, context, query)?,
            Event::Xid(_) => self.commit(batch, context.place)?,
            Event::XaPrepare(_) => {
                self.progress.ends_uncounted();
                self.commit(batch, context.place)?;
            }
            Event::RowsQuery(statement) if self.options.include_query => {
                self.query.clear();
                self.query.extend_from_slice(statement);
                self.query_range = None;
            }
            Event::TransactionPayload(payload) => return self.payload(context, payload),
            Event::Rotate(rotate) => {
                self.maps.clear();
                self.progress.rotate(rotate.file, rotate.position);
            }
            Event::FormatDescription(format) => {
                self.inner_format = format.inside_payload();
                self.format = (**format).clone();
            }
            Event::Incident(incident) => self.incident(context.place, incident.message)?,
            Event::PartialRowData(_) => {
                let error =
                    EventError::UnknownEvent { event_type: header.event_type, next_position: header.next_position };
                return self.located(Err(error), context.place.start);
            }
            Event::RowsQuery(_)
            | Event::PreviousGtids(_)
            | Event::MariadbGtidList(_)
            | Event::Heartbeat(_)
            | Event::Stop
            | Event::IntVar(_)
            | Event::Rand(_)
            | Event::UserVar(_)
            | Event::Irrelevant(_)
            | Event::Ignorable(_) => {}
        }
        Ok(Step::Done)
    }

    /// Whether the rows of this source are not wanted. Its name is made text only where a filter is set: this is
    /// asked for every transaction.
    fn is_filtered(&self, source: &dyn std::fmt::Display) -> bool {
        match &self.options.gtid_source {
            Some(wanted) if self.options.gtid_filter_dml => !wanted(&source.to_string()),
            _ => false,
        }
    }

    fn incident(&self, place: Place, message: &[u8]) -> Result<(), Failure> {
        let message = String::from_utf8_lossy(message).into_owned();
        let error = BinlogError::Incident { file: self.progress.file.to_string(), position: place.start, message };
        if self.options.pass_over_failures {
            tracing::warn!(code = %error.code(), reason = %error, "passed over, as event.processing.failure.handling.mode says");
            return Ok(());
        }
        Err(error.into())
    }

    /// Unpacks a payload behind the block if it is small; a large one is handed over in parts.
    fn payload(&mut self, context: &Context<'_>, payload: &TransactionPayload<'_>) -> Result<Step, Failure> {
        if payload.uncompressed_size > UNPACKED_LIMIT_BYTES as u64 {
            return Ok(Step::HandOver);
        }
        let mut payloads = std::mem::replace(&mut self.payloads, PayloadDecoder::new(PAYLOAD_LIMIT_BYTES));
        let mut unpacking = self.located(payloads.begin(payload), context.place.start)?;
        self.unpacked.clear();
        loop {
            let start = context.block.len() + self.tail.len();
            let inner = unpacking.next_into(&mut self.tail);
            if self.located(inner, context.place.start)?.is_none() {
                break;
            }
            self.unpacked.push(start..context.block.len() + self.tail.len());
        }
        self.payloads = payloads;
        self.unpacked_from = Some(context.place);
        Ok(Step::Unpacked)
    }

    /// A transaction begins with the event at `place`; `counted` when positions may lie inside it.
    pub(super) fn begin(&mut self, batch: &mut Batch, place: Place, thread: Option<u32>, counted: bool) {
        self.query.clear();
        self.query_range = None;
        self.progress.begin(place.start, thread, self.options.transaction_metadata, counted);
        let id = self.progress.open.as_ref().and_then(|open| open.id.clone());
        if let Some(id) = id.filter(|_| !self.progress.is_skipping()) {
            let boundary = TransactionBoundary { id, collections: None, timestamp_us: place.timestamp_us };
            batch.changes.push(Change::Begin(boundary));
        }
    }

    /// The transaction, or the statement that stands alone, ends with the event at `place`.
    ///
    /// # Errors
    /// When the position that was read from counts more events than the transaction has: what it left out was not this.
    pub(super) fn commit(&mut self, batch: &mut Batch, place: Place) -> Result<(), Failure> {
        self.filtered_gtid = false;
        if let Some(open) = self.progress.open.as_ref().filter(|open| open.skip.events > 0) {
            let (file, position, more) = (open.file.to_string(), open.start, open.skip.events);
            return Err(BinlogError::OffsetBeyondTransaction { file, position, more, of: "events" }.into());
        }
        let Some(open) = self.progress.commit() else { return Ok(()) };
        self.report.transactions += 1;
        if let Some(id) = open.id {
            let collections = Some(open.counts.by_name());
            let boundary = TransactionBoundary { id, collections, timestamp_us: place.timestamp_us };
            batch.changes.push(Change::End(boundary));
        }
        Ok(())
    }

    /// The facts of the source block for an event.
    pub(super) fn origin(&mut self, context: &Context<'_>) -> Origin {
        let place = context.place;
        if self.query_range.is_none() && !self.query.is_empty() {
            let start = context.block.len() + self.tail.len();
            self.tail.extend_from_slice(&self.query);
            let end = start + self.query.len();
            self.query_range = u32::try_from(start).ok().zip(u32::try_from(end).ok()).map(|(start, end)| start..end);
        }
        Origin::Binlog(BinlogOrigin {
            file: self.progress.file.clone(),
            position: place.start,
            server_id: place.server_id,
            gtid: self.progress.gtid.clone(),
            thread: self.progress.open.as_ref().and_then(|open| open.thread),
            timestamp_us: place.timestamp_us,
            query: self.query_range.clone(),
        })
    }
}

fn microseconds(seconds: u32) -> i64 {
    i64::from(seconds) * 1_000_000
}

/// A position in a file of more than 4 GiB, whose events give only its lower 32 bits.
fn extended(current: u64, low: u32) -> u64 {
    let candidate = (current & !0xffff_ffff) | u64::from(low);
    // A file's positions only grow; far below the current one means that the lower bits have wrapped.
    if candidate + (1 << 31) < current { candidate + (1 << 32) } else { candidate }
}

/// What a refusal of the dump means for the position it was asked from.
fn refused(error: ConnectionError, progress: &Progress) -> Failure {
    let failure: Failure = error.into();
    let position = Printed(&progress.resume_point()).to_string();
    Failure { message: format!("{} (reading from {position})", failure.message), ..failure }
}

impl Source for BinlogSource {
    fn head_probe(&self) -> Option<Box<dyn HeadProbe>> {
        Some(Box::new(BinlogHeadProbe::new(&self.options, self.reached.clone(), self.stop.clone())))
    }

    fn marker(&self) -> Option<Box<dyn Marker>> {
        let marker = || BinlogMarker::new(&self.options, self.reached.clone(), self.stop.clone());
        (!self.options.marker.is_empty()).then(|| Box::new(marker()) as Box<dyn Marker>)
    }

    fn heard(&self) -> Option<Arc<AtomicU64>> {
        Some(self.reached.heard.clone())
    }

    fn beginning(&mut self) -> Option<Beginning> {
        let beginning = self.beginning.take()?;
        let announced = beginning.schema.iter().filter(|change| change.announced);
        self.announcements = announced.map(|change| SchemaChange { stored: false, ..change.clone() }).collect();
        Some(beginning)
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Read, Failure> {
        if !self.announcements.is_empty() {
            let announced = std::mem::take(&mut self.announcements);
            batch.changes.extend(announced.into_iter().map(|change| Change::Schema(Box::new(change))));
            batch.position = self.position();
            batch.received_ns = clock::now_ns();
            return Ok(Read::Batch);
        }
        match self.failed.take() {
            Some(failure) => Err(failure),
            None => self.read_batch(batch),
        }
    }

    fn reconnect(&mut self) -> Result<(), Failure> {
        self.stream = None;
        self.reached.clear();
        self.held = None;
        self.maps.clear();
        self.filtered_gtid = false;
        let position = self.progress.resume_point();
        let opened = start::open_stream(&self.options, &position, &self.stop)?;
        self.format = Format::initial(opened.server.checksum);
        self.inner_format = self.format.inside_payload();
        self.progress = Progress::at(&opened.position, opened.server.uuid.clone());
        self.server = opened.server;
        let mut stream = opened.stream;
        stream.count_into(self.reached.heard.clone());
        self.stream = Some(stream);
        Ok(())
    }

    fn position(&self) -> Position {
        Arc::new(self.progress.resume_point())
    }

    fn report(&self) -> Report {
        let mut report = self.report.clone();
        report.file = self.progress.file.to_string();
        report.position = self.progress.position;
        report.gtids = self.progress.gtids().text();
        report
    }
}
