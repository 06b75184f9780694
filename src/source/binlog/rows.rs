//! Table maps and row events.

use std::sync::Arc;

use super::connection::Flavor;
use super::error::BinlogError;
use super::event::rows_event::{Rows, RowsKind};
use super::event::{TableMap, body_of};
use super::reader::{BinlogSource, Context, Place};
use super::tables::{self, Captured, Mapped};
use crate::error::{Coded, Failure};
use crate::model::change::{Batch, Change, Operation, RowsChange, TransactionOrder};
use crate::model::modes::InconsistentSchemaHandlingMode;
use crate::model::row::{Row, RowWalk, TableLayout};
use crate::model::table::TableId;

impl BinlogSource {
    /// A table gets a number, by a table map that is not the one that came before.
    pub(super) fn table_map(&mut self, context: &Context<'_>, map: &TableMap<'_>) -> Result<(), Failure> {
        let bytes = context.block.get(context.range.clone()).unwrap_or_default();
        let body = body_of(bytes, self.format_of(context.unpacked)).unwrap_or_default();
        let id = tables::table_id(map);
        let mapped = if (self.options.captured)(&id) && !self.schema.is_sequence(&id) {
            self.captured(&id, map, context.place)?
        } else {
            Mapped::NotCaptured
        };
        self.maps.insert(map.table_id, body, mapped);
        Ok(())
    }

    fn captured(&mut self, id: &TableId, map: &TableMap<'_>, place: Place) -> Result<Mapped, Failure> {
        let (file, position) = (self.progress.file.to_string(), place.start);
        let columns = self.located(map.metadata().and_then(|metadata| metadata.columns()), position)?;
        let failure: Failure = match self.schema.table(id) {
            None => BinlogError::UnknownTable { table: id.to_string(), file, position }.into(),
            Some(table) => match tables::difference(table, &columns, self.options.flavor == Flavor::MariaDb) {
                Some(difference) => {
                    BinlogError::InconsistentTable { table: id.to_string(), file, position, difference }.into()
                }
                None => match self.options.layouts.layout(table, &columns) {
                    Ok(layout) => return Ok(Mapped::Captured(Captured::new(map, Arc::new(layout)))),
                    Err(failure) => failure,
                },
            },
        };
        match self.options.inconsistent {
            InconsistentSchemaHandlingMode::Fail => return Err(failure),
            InconsistentSchemaHandlingMode::Warn => {
                tracing::warn!(code = %failure.code, reason = %failure.message, "rows of this table are passed over, as inconsistent.schema.handling.mode says");
            }
            InconsistentSchemaHandlingMode::Skip => {
                tracing::debug!(code = %failure.code, reason = %failure.message, "rows of this table are passed over");
            }
        }
        Ok(Mapped::PassedOver)
    }

    /// Rows of one table.
    pub(super) fn rows(&mut self, batch: &mut Batch, context: &Context<'_>, rows: &Rows<'_>) -> Result<(), Failure> {
        let skipping = self.progress.is_skipping();
        // What was delivered before still counts for the places of what follows it in the transaction.
        if skipping && self.progress.open.as_ref().is_none_or(|open| open.id.is_none()) {
            return Ok(());
        }
        let skip_rows = if skipping { 0 } else { self.progress.take_row_skip() };
        let operation = match rows.kind {
            RowsKind::Write => Operation::Create,
            RowsKind::Update | RowsKind::PartialUpdate => Operation::Update,
            RowsKind::Delete => Operation::Delete,
        };
        if self.filtered_gtid || self.is_skipped(operation) {
            return Ok(());
        }
        let place = context.place;
        let (layout, walk) = match self.maps.get_mut(rows.table_id) {
            None => {
                let file = self.progress.file.to_string();
                return Err(BinlogError::UnmappedTable { table_id: rows.table_id, file, position: place.start }.into());
            }
            Some(Mapped::NotCaptured) => {
                self.report.filtered += 1;
                return Ok(());
            }
            Some(Mapped::PassedOver) => {
                self.report.passed_over += 1;
                return Ok(());
            }
            Some(Mapped::Captured(captured)) => (captured.layout.clone(), captured.walk(rows)),
        };
        let walk = self.located(walk, place.start)?;
        let body = self.body(context, rows)?;
        self.report.last_change_ms = place.timestamp_us / 1_000;
        self.check_skip(context, &body, &*walk, skip_rows)?;
        let order = self.order(context, &body, &layout, &*walk, operation)?;
        if skipping {
            return Ok(());
        }
        let origin = self.origin(context);
        let skip_rows = u32::try_from(skip_rows).unwrap_or(u32::MAX);
        batch.changes.push(Change::Rows(RowsChange { layout, operation, body, walk, origin, skip_rows, order }));
        Ok(())
    }

    fn is_skipped(&self, operation: Operation) -> bool {
        match operation {
            Operation::Create => self.options.skip_creates,
            Operation::Update => self.options.skip_updates,
            Operation::Delete => self.options.skip_deletes,
            Operation::Truncate => self.options.skip_truncates,
            Operation::Read => false,
        }
    }

    /// Where the rows lie in the batch's block: where they came, or unpacked behind it.
    fn body(&mut self, context: &Context<'_>, rows: &Rows<'_>) -> Result<std::ops::Range<u32>, Failure> {
        let (start, end) = match rows.plain_body() {
            Some(body) => {
                let end = context.range.end - self.format_of(context.unpacked).checksum.length();
                (end - body.len(), end)
            }
            None => {
                let start = context.block.len() + self.tail.len();
                let unpacked = rows.append_body(&mut self.tail);
                self.located(unpacked, context.place.start)?;
                (start, context.block.len() + self.tail.len())
            }
        };
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(start..end),
            _ => {
                let file = self.progress.file.to_string();
                Err(BinlogError::TooLarge { file, position: context.place.start }.into())
            }
        }
    }

    /// An event has at least as many rows as were delivered of it; else it is not the one that the position speaks of.
    fn check_skip(
        &mut self,
        context: &Context<'_>,
        body: &std::ops::Range<u32>,
        walk: &dyn RowWalk,
        skip_rows: u64,
    ) -> Result<(), Failure> {
        if skip_rows == 0 {
            return Ok(());
        }
        let bytes = unpacked_or_plain(context, &self.tail, body);
        let (mut rows, mut at) = (0, 0);
        while let Some(next) = walk.next_row(bytes, at, &mut self.cells)? {
            at = next;
            rows += 1;
        }
        if skip_rows <= rows {
            return Ok(());
        }
        let (file, position) = (self.progress.file.to_string(), context.place.start);
        Err(BinlogError::OffsetBeyondTransaction { file, position, more: skip_rows - rows, of: "rows" }.into())
    }

    /// The place of an event's rows in the transaction: they are counted here, and only when that is asked for.
    fn order(
        &mut self,
        context: &Context<'_>,
        body: &std::ops::Range<u32>,
        layout: &TableLayout,
        walk: &dyn RowWalk,
        operation: Operation,
    ) -> Result<Option<TransactionOrder>, Failure> {
        let Some(open) = &mut self.progress.open else { return Ok(None) };
        let Some(id) = open.id.clone() else { return Ok(None) };
        let bytes = unpacked_or_plain(context, &self.tail, body);
        let (mut events, mut at) = (0, 0);
        while let Some(next) = walk.next_row(bytes, at, &mut self.cells)? {
            at = next;
            let before = Row { layout, bytes, cells: &self.cells.before };
            let after = Row { layout, bytes, cells: &self.cells.after };
            // An update of a key is a delete and a create.
            let changes_key = operation == Operation::Update && !before.same_key(&after);
            events += if changes_key { 2 } else { 1 };
        }
        let (total_order, data_collection_order) = open.counts.add(&layout.id, events);
        Ok(Some(TransactionOrder { id, total_order, data_collection_order }))
    }

    /// A table was emptied.
    pub(super) fn truncate(&mut self, batch: &mut Batch, context: &Context<'_>, id: &TableId) -> Result<(), Failure> {
        if self.options.skip_truncates || !(self.options.captured)(id) {
            return Ok(());
        }
        // A statement has no table map; the layout that the table's rows had is its own.
        let layout = match (self.maps.layout(id), self.schema.table(id)) {
            (Some(layout), _) => layout,
            (None, Some(table)) => Arc::new(self.options.layouts.layout(table, &[])?),
            (None, None) => {
                self.report.passed_over += 1;
                tracing::warn!(table = %id, "TRUNCATE of a captured table that is not tracked: no record is written for it");
                return Ok(());
            }
        };
        let origin = self.origin(context);
        batch.changes.push(Change::Truncate { layout, origin, order: None });
        Ok(())
    }
}

/// The bytes of rows: in the block as they came, or behind it.
fn unpacked_or_plain<'b>(context: &Context<'b>, tail: &'b [u8], body: &std::ops::Range<u32>) -> &'b [u8] {
    let (start, end) = (body.start as usize, body.end as usize);
    let in_tail = |place: usize| place.saturating_sub(context.block.len());
    match context.block.get(start..end) {
        Some(bytes) => bytes,
        None => tail.get(in_tail(start)..in_tail(end)).unwrap_or_default(),
    }
}

/// Says that something is passed over because a setting says so.
pub(super) fn passed_over(error: &BinlogError) {
    tracing::warn!(code = %error.code(), reason = %error, "passed over, as the configuration says");
}
