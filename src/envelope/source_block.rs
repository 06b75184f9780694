//! The `source` block: where a change comes from.

use bumpalo::collections::String as ArenaString;
use std::fmt::Write;

use crate::model::change::{BinlogOrigin, Origin, SnapshotRecord};
use crate::model::value::{Arena, Repeated, StructView, ValueError, ValueRef, Written};

/// What is the same in every source block of a connector.
#[derive(Clone, Debug)]
pub struct SourceConstants {
    /// The Debezium version that consumers read.
    pub version: String,
    /// `mysql` or `mariadb`.
    pub plugin: &'static str,
    /// `topic.prefix`.
    pub logical_name: String,
}

/// The place of the field `row`: all others are the same for all rows of an event.
const ROW: usize = 14;

/// The source block of one row, made of the facts of its event. Lies on the stack.
#[derive(Clone, Copy)]
pub struct SourceView<'s> {
    constants: &'s SourceConstants,
    database: &'s str,
    table: Option<&'s str>,
    origin: &'s BinlogOrigin,
    gtid: Option<&'s str>,
    query: Option<&'s str>,
    snapshot: SnapshotRecord,
    timestamp_us: i64,
    written: Option<&'s Written>,
    /// The row's number in its event, from 0.
    pub row: i32,
}

impl<'s> SourceView<'s> {
    /// The source block of an event's first row; the GTID and the statement are made text once for all its rows.
    pub fn new(
        constants: &'s SourceConstants,
        database: &'s str,
        table: Option<&'s str>,
        origin: &'s Origin,
        block: &'s [u8],
        arena: &'s Arena,
    ) -> Self {
        let Origin::Binlog(origin) = origin;
        let gtid = origin.gtid.as_ref().map(|gtid| {
            let mut text = ArenaString::with_capacity_in(64, arena);
            // Writing to a string cannot fail.
            let _ = write!(text, "{gtid}");
            text.into_bump_str()
        });
        let statement = |range: &std::ops::Range<u32>| block.get(range.start as usize..range.end as usize);
        let query = origin.query.as_ref().and_then(statement).map(|bytes| match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) => arena.alloc_str(&String::from_utf8_lossy(bytes)),
        });
        SourceView {
            constants,
            database,
            table,
            origin,
            gtid,
            query,
            snapshot: SnapshotRecord::No,
            timestamp_us: origin.timestamp_us,
            written: None,
            row: 0,
        }
    }

    /// The same block, for all rows of one event: what was written of it for the first row serves the others.
    pub fn for_rows(self, written: &'s mut Written) -> Self {
        written.forget();
        SourceView { written: Some(written), ..self }
    }

    /// The source block of what a statement did to a whole table: without the statement, and in whole milliseconds.
    pub fn of_schema_change(self, snapshot: SnapshotRecord) -> Self {
        let timestamp_us = self.timestamp_us.div_euclid(1_000) * 1_000;
        SourceView { query: None, snapshot, timestamp_us, ..self }
    }
}

fn text_or_null(text: Option<&str>) -> ValueRef<'_> {
    text.map_or(ValueRef::Null, ValueRef::String)
}

impl StructView for SourceView<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => ValueRef::String(&self.constants.version),
            1 => ValueRef::String(self.constants.plugin),
            2 => ValueRef::String(&self.constants.logical_name),
            3 => ValueRef::Int64(self.timestamp_us.div_euclid(1_000)),
            4 => match self.snapshot {
                // A streamed change sets none: converters write the schema's default, "false".
                SnapshotRecord::No => ValueRef::Null,
                SnapshotRecord::Yes => ValueRef::String("true"),
                SnapshotRecord::Last => ValueRef::String("last"),
            },
            5 => ValueRef::String(self.database),
            7 => ValueRef::Int64(self.timestamp_us),
            8 => ValueRef::Int64(self.timestamp_us.saturating_mul(1_000)),
            9 => text_or_null(self.table),
            10 => ValueRef::Int64(i64::from(self.origin.server_id)),
            11 => text_or_null(self.gtid),
            12 => ValueRef::String(&self.origin.file),
            13 => ValueRef::Int64(i64::try_from(self.origin.position).unwrap_or(i64::MAX)),
            ROW => ValueRef::Int32(self.row),
            15 => self.origin.thread.map_or(ValueRef::Null, |thread| ValueRef::Int64(i64::from(thread))),
            16 => text_or_null(self.query),
            _ => ValueRef::Null,
        })
    }

    fn repeated(&self) -> Option<Repeated<'_>> {
        Some(Repeated { written: self.written?, varying: ROW })
    }
}
