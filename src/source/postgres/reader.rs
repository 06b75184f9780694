//! The reader: from blocks of the plugin's messages to batches of changes.
//!
//! Rows are not looked at: a message's relation gives the layout, its kind the way to walk, and the bytes stay where they
//! are. A message is one change of one row. A transaction that comes in blocks while it is open is held until its commit
//! (`streamed`, `spill`), and then handed over like any other (`replay`).

mod replay;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::catalog::Catalog;
use super::confirm::Confirmation;
use super::connection::{Lsn, ReadOutcome, ReplicationStream, WalMessage};
use super::error::PostgresError;
use super::head::{PostgresHeadProbe, Reached};
use super::marker::PostgresMarker;
use super::options::PostgresOptions;
use super::pgoutput::{Begin, Commit, LogicalMessage as WireMessage, Message, PgOutputError};
use super::position::MessageKind;
use super::progress::Progress;
use super::relations::{Captured, Relations};
use super::start::{self, Started, Wish};
use super::streamed::Streamed;
use super::walk::PostgresWalk;
use crate::error::Failure;
use crate::model::change::{Batch, Change, LogicalMessage, Operation, Origin, ReplicationOrigin, RowsChange};
use crate::model::modes::LsnFlushMode;
use crate::model::position::Position;
use crate::model::row::{Row, RowCells, RowWalk};
use crate::source::{Beginning, HeadProbe, Marker, Read, Report, Source};
use crate::util::{clock, stop::Stop};
use replay::{Asked, Streaming};

/// How long `heartbeat.action.query` may take, and the question whether the server is alive.
const ACTION_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a walsender that is there may say nothing: twice the usual `wal_sender_timeout`, after half of which it looks at
/// what it is asked even while it decodes.
const BUSY_LIMIT: Duration = Duration::from_secs(120);

/// What Debezium counts logical messages under.
const MESSAGES: &str = "LOGICAL_DECODING_MESSAGE";

/// A stream of changes from one database.
pub struct PostgresSource {
    options: Arc<PostgresOptions>,
    stop: Stop,
    catalog: Catalog,
    /// For what must not keep the stream waiting: whether the server is alive.
    action: Catalog,
    progress: Progress,
    relations: Relations,
    streaming: Streaming,
    /// Whether the server tells transactions of which nothing is published.
    tells_empty: bool,
    stream: Option<ReplicationStream>,
    /// The server's process of the stream, or of the last one.
    walsender: String,
    confirmation: Confirmation,
    beginning: Option<Beginning>,
    report: Report,
    messages: Vec<WalMessage>,
    cells: RowCells,
    walks: [Arc<dyn RowWalk>; 3],
    database: Arc<str>,
    message_part: Arc<str>,
    /// The slot's `xmin`, and when it was asked for.
    xmin: Option<(Option<i64>, Instant)>,
    /// A failure that came after changes: handed over first, reported then.
    failed: Option<Failure>,
    /// For how long not a byte has come.
    silent: Duration,
    /// Where the stream stands, for the head's prober.
    reached: Arc<Reached>,
}

/// One message of the stream, on its way into a batch.
struct Context<'b> {
    block: &'b [u8],
    lsn: Lsn,
    range: Range<u32>,
    /// It was received while its transaction was open, and has the number of its part.
    streamed: bool,
}

impl<'b> Context<'b> {
    fn body(&self) -> &'b [u8] {
        self.block.get(self.range.start as usize..self.range.end as usize).unwrap_or_default()
    }
}

impl PostgresSource {
    pub(super) fn new(
        options: Arc<PostgresOptions>,
        stop: Stop,
        catalog: Catalog,
        Started { mut stream, position, walsender, tells_empty }: Started,
        beginning: Option<Beginning>,
    ) -> Self {
        let progress = Progress::from(position, options.transaction_metadata);
        let reached = Arc::new(Reached::default());
        stream.count_into(reached.heard.clone());
        let confirmation = Confirmation::default();
        confirmation.attach(stream.confirmed());
        let asked = if options.streaming.is_some() { Asked::Open } else { Asked::Whole };
        let streaming = Streaming::new(asked, Streamed::new(options.streaming.clone().unwrap_or_default()));
        PostgresSource {
            action: hasty(&options, &stop),
            database: options.connect.database.as_str().into(),
            options,
            stop,
            catalog,
            progress,
            relations: Relations::default(),
            streaming,
            tells_empty,
            stream: Some(stream),
            walsender,
            confirmation,
            beginning,
            report: Report::default(),
            messages: Vec::new(),
            cells: RowCells::default(),
            walks: [Arc::new(PostgresWalk::Insert), Arc::new(PostgresWalk::Update), Arc::new(PostgresWalk::Delete)],
            message_part: MESSAGES.into(),
            xmin: None,
            failed: None,
            silent: Duration::ZERO,
            reached,
        }
    }

    /// Where stored positions are told to; `None` where somebody else moves the slot.
    pub fn confirmation(&self) -> Option<Confirmation> {
        (self.options.slot.flush != LsnFlushMode::Manual).then(|| self.confirmation.clone())
    }

    fn read_batch(&mut self, batch: &mut Batch) -> Result<Read, Failure> {
        batch.clear();
        self.reached.handed_over.store(self.progress.position().start().0, Ordering::Relaxed);
        let moved = self.replay(batch)? || self.read_rest(batch)? || self.read_stream(batch)?;
        // The slot advances on a quiet database, too: what was sent and is stored is not needed any more.
        let end = self.stream.as_ref().map_or(Lsn::INVALID, ReplicationStream::keepalive_end);
        let caught_up = self.failed.is_none() && self.streaming.is_caught_up();
        let quiet = caught_up && self.progress.nothing_before(end);
        if !moved && !quiet {
            return Ok(Read::Idle);
        }
        batch.received_ns = clock::now_ns();
        batch.position = self.position();
        Ok(Read::Batch)
    }

    /// Reads what stood behind a streamed transaction that has been handed over.
    fn read_rest(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
        if !self.streaming.rest.take(&mut batch.block, &mut self.messages) {
            return Ok(false);
        }
        self.messages_read(batch)?;
        Ok(true)
    }

    /// Reads from the stream. Says whether there was anything but parts of open transactions.
    fn read_stream(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
        let Some(stream) = &mut self.stream else { return Err(PostgresError::Ended.into()) };
        let outcome = stream.read_block(&mut batch.block, &mut self.messages)?;
        self.reached.end.store(stream.server_end().0, Ordering::Relaxed);
        match outcome {
            ReadOutcome::Messages => {
                self.silent = Duration::ZERO;
                self.report.bytes_read += self.messages.last().map_or(0, |last| u64::from(last.range.end));
                self.messages_read(batch)
            }
            ReadOutcome::Keepalive => {
                self.silent = Duration::ZERO;
                Ok(false)
            }
            ReadOutcome::Stopped => Ok(false),
            ReadOutcome::End => Err(PostgresError::Ended.into()),
            ReadOutcome::Silent(time) => {
                self.silent += time;
                if self.silent < BUSY_LIMIT && self.is_busy() {
                    return Ok(false);
                }
                Err(PostgresError::Silent(self.silent.as_millis()).into())
            }
        }
    }

    /// Whether the server says that its walsender is there. It answers no questions while it decodes what is not for us (a
    /// large transaction of other tables, one that was spilled to disk), and would have to begin anew on a new connection.
    fn is_busy(&mut self) -> bool {
        let slot = super::connection::quote_literal(&self.options.slot.name);
        // One that waits for the network is not busy: it has nothing for us, or cannot reach us. Others' waits are not shown.
        let sql = format!(
            "SELECT s.active AND a.wait_event_type IS DISTINCT FROM 'Activity' AND a.wait_event_type IS DISTINCT FROM 'Client' \
             AS active FROM pg_catalog.pg_replication_slots s LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid \
             WHERE s.slot_name = {slot}"
        );
        match self.action.query_once(&sql) {
            Ok(answer) => answer.first("active").as_deref() == Some("t"),
            Err(_) => false,
        }
    }

    /// Reads the messages of a block, up to the commit of a streamed transaction. Says whether there was anything but
    /// parts of open transactions.
    fn messages_read(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
        let messages = std::mem::take(&mut self.messages);
        batch.bytes = messages.last().map_or(0, |last| last.range.end as usize);
        let block = std::mem::take(&mut batch.block);
        let (mut result, mut moved) = (Ok(()), false);
        for (message, number) in messages.iter().zip(1..) {
            let context =
                Context { block: &block, lsn: message.start_lsn, range: message.range.clone(), streamed: false };
            self.report.events_read += 1;
            if self.streaming.streamed.is_receiving() {
                result = self.hold(&context, context.body());
            } else {
                moved = true;
                result = self.message(batch, &context);
            }
            if result.is_err() {
                break;
            }
            if self.streaming.replaying.is_some() {
                self.streaming.rest.keep(&block, messages.get(number..).unwrap_or_default());
                break;
            }
        }
        if result.is_ok() {
            result = self.keep_limit();
        }
        batch.block = block;
        self.messages = messages;
        self.keep_failure(batch, result)?;
        Ok(moved)
    }

    /// A failure behind changes is kept until they were handed over.
    fn keep_failure(&mut self, batch: &Batch, result: Result<(), Failure>) -> Result<(), Failure> {
        match result {
            Err(failure) if !batch.changes.is_empty() => {
                self.failed = Some(failure);
                Ok(())
            }
            result => result,
        }
    }

    fn message(&mut self, batch: &mut Batch, context: &Context<'_>) -> Result<(), Failure> {
        let body = context.body();
        match Message::parse(body, context.streamed).map_err(|error| located(error, context.lsn))? {
            Message::Begin(begin) => {
                self.outside("a beginning inside a transaction", context)?;
                self.begin(batch, &begin, context.lsn);
            }
            Message::Commit(commit) => {
                self.inside("an end outside of a transaction", context)?;
                self.commit(batch, &commit);
            }
            Message::Origin(origin) => {
                let lsn = origin.commit_lsn.0;
                self.progress.replicated_from(ReplicationOrigin { name: origin.name.to_owned(), lsn });
            }
            Message::Relation(relation) => {
                let heard = self.relations.hear();
                self.relations.describe(&relation, heard, &self.options, &mut self.catalog)?;
            }
            // The catalog is asked for types when a relation has one that is not known.
            Message::Type(_) => {}
            Message::Insert(insert) => {
                self.row(batch, context, insert.relation, insert.images_at, MessageKind::Insert)?;
            }
            Message::Update(update) => {
                self.row(batch, context, update.relation, update.images_at, MessageKind::Update)?;
            }
            Message::Delete(delete) => {
                self.row(batch, context, delete.relation, delete.images_at, MessageKind::Delete)?;
            }
            Message::Truncate(truncate) => self.truncate(batch, context, &truncate.relations)?,
            Message::Message(message) => self.logical_message(batch, context, body, &message)?,
            Message::StreamStart(start) => self.stream_start(&start, context)?,
            Message::StreamAbort(abort) => self.stream_abort(&abort, context)?,
            Message::StreamCommit(commit) => self.stream_commit(&commit, context)?,
            Message::StreamStop => {
                let what = "the end of a block that has not begun";
                return Err(PostgresError::OutOfPlace { what, lsn: context.lsn }.into());
            }
            Message::BeginPrepare(_)
            | Message::Prepare(_)
            | Message::CommitPrepared(_)
            | Message::RollbackPrepared(_)
            | Message::StreamPrepare(_) => {
                return Err(PostgresError::TwoPhase { slot: self.options.slot.name.clone(), lsn: context.lsn }.into());
            }
        }
        Ok(())
    }

    /// A transaction begins.
    fn begin(&mut self, batch: &mut Batch, begin: &Begin, lsn: Lsn) {
        self.progress.begin(begin, lsn);
        self.fetch_xmin();
        if !self.progress.continues() {
            batch.changes.extend(self.progress.boundary().map(Change::Begin));
        }
    }

    /// A transaction ends.
    fn commit(&mut self, batch: &mut Batch, commit: &Commit) {
        self.report.transactions += 1;
        batch.changes.extend(self.progress.commit(commit).map(Change::End));
    }

    /// What stands between transactions only must not be in one.
    fn outside(&self, what: &'static str, context: &Context<'_>) -> Result<(), PostgresError> {
        if self.progress.is_open() { Err(PostgresError::OutOfPlace { what, lsn: context.lsn }) } else { Ok(()) }
    }

    /// What stands in transactions only must be in one.
    fn inside(&self, what: &'static str, context: &Context<'_>) -> Result<(), PostgresError> {
        if self.progress.is_open() { Ok(()) } else { Err(PostgresError::OutOfPlace { what, lsn: context.lsn }) }
    }

    /// A row was changed.
    fn row(
        &mut self,
        batch: &mut Batch,
        context: &Context<'_>,
        relation: u32,
        images_at: u32,
        kind: MessageKind,
    ) -> Result<(), Failure> {
        self.inside("a row outside of a transaction", context)?;
        // What may fail comes before the progress is told: a position says that everything before it was read.
        let Some(captured) = self.relations.get(relation, &self.options, &mut self.catalog)? else {
            self.progress.change(context.lsn, kind);
            self.report.filtered += 1;
            return Ok(());
        };
        let (operation, walk, skipped) = match kind {
            MessageKind::Update => (Operation::Update, 1, self.options.skip_updates),
            MessageKind::Delete => (Operation::Delete, 2, self.options.skip_deletes),
            MessageKind::Insert
            | MessageKind::Begin
            | MessageKind::Commit
            | MessageKind::Truncate
            | MessageKind::Message => (Operation::Create, 0, self.options.skip_creates),
        };
        let body = context.range.start + images_at..context.range.end;
        let Some(walk) = self.walks.get(walk).filter(|_| !skipped).cloned() else {
            self.progress.change(context.lsn, kind);
            return Ok(());
        };
        let captured = self.with_labels(context, captured, relation, &body, walk.as_ref(), operation)?;
        let events = self.events(context, &captured, &body, walk.as_ref(), operation)?;
        let wanted = self.progress.change(context.lsn, kind);
        // What was delivered before counts for the places of what follows it.
        let order = self.progress.order(&captured.name, events);
        if wanted {
            let origin = self.origin(context.lsn);
            self.report.last_change_ms = origin.timestamp_us().div_euclid(1_000);
            let layout = captured.layout;
            batch.changes.push(Change::Rows(RowsChange { layout, operation, body, walk, origin, skip_rows: 0, order }));
        }
        Ok(())
    }

    /// How a row's table is read that may have labels which its enumerations had not.
    fn with_labels(
        &mut self,
        context: &Context<'_>,
        captured: Captured,
        relation: u32,
        body: &Range<u32>,
        walk: &dyn RowWalk,
        operation: Operation,
    ) -> Result<Captured, Failure> {
        if captured.labels.is_empty() || operation == Operation::Delete {
            return Ok(captured);
        }
        let bytes = context.block.get(body.start as usize..body.end as usize).unwrap_or_default();
        walk.next_row(bytes, 0, &mut self.cells)?;
        match captured.new_labels(&self.cells.after, bytes) {
            labels if labels.is_empty() => Ok(captured),
            labels => self.relations.learn(relation, captured, labels, &self.options, &mut self.catalog),
        }
    }

    /// How many events of its transaction a row is; asked for only where transaction metadata is.
    fn events(
        &mut self,
        context: &Context<'_>,
        captured: &Captured,
        body: &Range<u32>,
        walk: &dyn RowWalk,
        operation: Operation,
    ) -> Result<i64, Failure> {
        if !self.options.transaction_metadata || operation != Operation::Update {
            return Ok(1);
        }
        let bytes = context.block.get(body.start as usize..body.end as usize).unwrap_or_default();
        walk.next_row(bytes, 0, &mut self.cells)?;
        let before = Row { layout: &captured.layout, bytes, cells: &self.cells.before };
        let after = Row { layout: &captured.layout, bytes, cells: &self.cells.after };
        // An update of a key is a delete and a create.
        Ok(if self.cells.no_before || before.same_key(&after) { 1 } else { 2 })
    }

    fn truncate(&mut self, batch: &mut Batch, context: &Context<'_>, relations: &[u32]) -> Result<(), Failure> {
        self.inside("a truncation outside of a transaction", context)?;
        let mut captured = Vec::with_capacity(relations.len());
        for relation in relations {
            captured.extend(self.relations.get(*relation, &self.options, &mut self.catalog)?);
        }
        let wanted = self.progress.change(context.lsn, MessageKind::Truncate);
        if self.options.skip_truncates {
            return Ok(());
        }
        for captured in captured {
            let order = self.progress.order(&captured.name, 1);
            if wanted {
                let origin = self.origin(context.lsn);
                batch.changes.push(Change::Truncate { layout: captured.layout, origin, order });
            }
        }
        Ok(())
    }

    fn logical_message(
        &mut self,
        batch: &mut Batch,
        context: &Context<'_>,
        body: &[u8],
        message: &WireMessage<'_>,
    ) -> Result<(), Failure> {
        let wanted = if message.transactional {
            self.inside("a message of a transaction outside of one", context)?;
            self.progress.change(context.lsn, MessageKind::Message)
        } else {
            self.progress.message(context.lsn)
        };
        if !(self.options.captured_message)(message.prefix) {
            return Ok(());
        }
        let part = self.message_part.clone();
        let order = if message.transactional { self.progress.order(&part, 1) } else { None };
        if wanted {
            // The content stands at the end of the message.
            let start = context.range.start + u32::try_from(body.len() - message.content.len()).unwrap_or(0);
            batch.changes.push(Change::Message(Box::new(LogicalMessage {
                database: self.database.clone(),
                prefix: message.prefix.to_owned(),
                content: start..context.range.end,
                origin: self.message_origin(context.lsn, message.transactional),
                order,
            })));
        }
        Ok(())
    }

    fn origin(&self, lsn: Lsn) -> Origin {
        Origin::Postgres(self.progress.origin(lsn, self.xmin.and_then(|(xmin, _)| xmin)))
    }

    fn message_origin(&self, lsn: Lsn, transactional: bool) -> Origin {
        let mut origin = self.progress.origin(lsn, self.xmin.and_then(|(xmin, _)| xmin));
        if !transactional {
            origin.transaction_id = None;
        }
        Origin::Postgres(origin)
    }

    /// Asks for the slot's `xmin`, where that is wanted and it is time.
    fn fetch_xmin(&mut self) {
        let Some(interval) = self.options.slot.xmin_interval else { return };
        if self.xmin.is_some_and(|(_, read)| read.elapsed() < interval) {
            return;
        }
        match self.catalog.slot_xmin(&self.options.slot.name) {
            Ok(xmin) => self.xmin = Some((xmin, clock::moment())),
            Err(failure) => {
                tracing::warn!(reason = %failure, "the slot's xmin could not be read");
                self.xmin = Some((self.xmin.and_then(|(xmin, _)| xmin), clock::moment()));
            }
        }
    }
}

/// A connection for what must not take long.
fn hasty(options: &PostgresOptions, stop: &Stop) -> Catalog {
    let (connect, statements) = (options.connect.clone(), options.initial_statements.clone());
    Catalog::within(connect, statements, stop.clone(), ACTION_TIMEOUT)
}

#[cold]
fn located(error: PgOutputError, lsn: Lsn) -> Failure {
    let failure = Failure::from(error);
    Failure { message: format!("at {lsn}: {}", failure.message), ..failure }
}

impl Source for PostgresSource {
    fn head_probe(&self) -> Option<Box<dyn HeadProbe>> {
        Some(Box::new(PostgresHeadProbe::new(&self.options, self.reached.clone(), self.stop.clone())))
    }

    fn marker(&self) -> Option<Box<dyn Marker>> {
        let statements = self.options.marker.clone();
        let marker =
            |statements| PostgresMarker::new(statements, hasty(&self.options, &self.stop), self.reached.clone());
        (!statements.is_empty()).then(|| Box::new(marker(statements)) as Box<dyn Marker>)
    }

    fn heard(&self) -> Option<Arc<AtomicU64>> {
        Some(self.reached.heard.clone())
    }

    fn asks(&self) -> Option<Arc<AtomicBool>> {
        Some(self.catalog.asks())
    }

    fn beginning(&mut self) -> Option<Beginning> {
        self.beginning.take()
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Read, Failure> {
        let read = match self.failed.take() {
            Some(failure) => Err(failure),
            None => self.read_batch(batch),
        };
        match read {
            // Nothing is wrong with the server: a new connection to ask for something else is none of the attempts to mend one.
            Err(failure) if self.streaming.asked == Asked::GivenUp => {
                tracing::warn!(
                    code = %failure.code,
                    reason = %failure.message,
                    "large transactions are left to the server until the connector is started anew: connecting again to ask for them whole"
                );
                self.reconnect()?;
                // What of it was put there comes again with the rest.
                batch.changes.clear();
                Ok(Read::Idle)
            }
            read => read,
        }
    }

    fn reconnect(&mut self) -> Result<(), Failure> {
        self.stream = None;
        self.reached.end.store(0, Ordering::Relaxed);
        self.reached.handed_over.store(0, Ordering::Relaxed);
        self.failed = None;
        self.relations.clear();
        self.streaming.clear();
        self.silent = Duration::ZERO;
        let position = self.progress.position();
        let streaming = self.streaming.asked == Asked::Open;
        let wish = Wish { streaming, previous: Some(&self.walsender), begins: false };
        let Started { mut stream, position, walsender, tells_empty } =
            start::go_on(&self.options, &mut self.catalog, position, wish, &self.stop)?;
        self.walsender = walsender;
        self.tells_empty = tells_empty;
        self.confirmation.attach(stream.confirmed());
        stream.count_into(self.reached.heard.clone());
        self.stream = Some(stream);
        self.progress.go_on(position);
        Ok(())
    }

    fn position(&self) -> Position {
        Arc::new(self.progress.position())
    }

    fn report(&self) -> Report {
        let position = self.progress.position();
        let end = self.stream.as_ref().map(ReplicationStream::server_end);
        Report {
            position: position.lsn.0,
            last_transaction: position.transaction_id.map(i64::from),
            unread_bytes: end.map(|end| end.0.saturating_sub(position.furthest().0)),
            captured_tables: self.relations.captured(),
            ..self.report.clone()
        }
    }
}
