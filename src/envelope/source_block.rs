//! The `source` block: where a change comes from.

use bumpalo::collections::String as ArenaString;
use std::fmt::Write;

use crate::model::change::{BinlogOrigin, Origin, PostgresOrigin, SnapshotRecord};
use crate::model::table::TableId;
use crate::model::value::{Arena, Repeated, StructView, ValueError, ValueRef, Written};

/// What is the same in every source block of a connector.
#[derive(Clone, Debug)]
pub struct SourceConstants {
    /// The Debezium version that consumers read.
    pub version: String,
    /// `mysql`, `mariadb` or `postgresql`.
    pub plugin: &'static str,
    /// `topic.prefix`.
    pub logical_name: String,
}

/// What a change is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// The database.
    pub database: &'s str,
    /// The schema, where the server has schemas.
    pub schema: Option<&'s str>,
    /// The table, or the names of several; `None` where it is about none.
    pub table: Option<&'s str>,
}

impl<'s> From<&'s TableId> for Subject<'s> {
    fn from(id: &'s TableId) -> Self {
        Subject { database: &id.catalog, schema: id.schema.as_deref(), table: Some(&id.table) }
    }
}

/// The place of the field `row` in a binlog's block: all others are the same for all rows of an event.
const ROW: usize = 14;

/// What only one kind of server has in its block, made text once for all rows of an event.
#[derive(Clone, Copy)]
enum Place<'s> {
    Binlog { origin: &'s BinlogOrigin, gtid: Option<&'s str>, query: Option<&'s str> },
    Postgres { origin: &'s PostgresOrigin, sequence: &'s str },
}

/// The source block of one row, made of the facts of its event. Lies on the stack.
#[derive(Clone, Copy)]
pub struct SourceView<'s> {
    constants: &'s SourceConstants,
    subject: Subject<'s>,
    place: Place<'s>,
    snapshot: SnapshotRecord,
    timestamp_us: i64,
    written: Option<&'s Written>,
    /// The row's number in its event, from 0.
    pub row: i32,
}

impl<'s> SourceView<'s> {
    /// The source block of an event's first row.
    pub fn new(
        constants: &'s SourceConstants,
        subject: Subject<'s>,
        origin: &'s Origin,
        block: &'s [u8],
        arena: &'s Arena,
    ) -> Self {
        let timestamp_us = origin.timestamp_us();
        let place = match origin {
            Origin::Binlog(origin) => binlog_place(origin, block, arena),
            Origin::Postgres(origin) => Place::Postgres { origin, sequence: sequence(origin, arena) },
        };
        SourceView { constants, subject, place, snapshot: SnapshotRecord::No, timestamp_us, written: None, row: 0 }
    }

    /// The same block, for all rows of one event: what was written of it for the first row serves the others.
    pub fn for_rows(self, written: &'s mut Written) -> Self {
        written.forget();
        SourceView { written: Some(written), ..self }
    }

    /// The source block of what a statement did to a whole table: of a binlog without the statement, and in whole
    /// milliseconds.
    pub fn of_schema_change(self, snapshot: SnapshotRecord) -> Self {
        match self.place {
            Place::Binlog { origin, gtid, .. } => {
                let timestamp_us = self.timestamp_us.div_euclid(1_000) * 1_000;
                SourceView { place: Place::Binlog { origin, gtid, query: None }, snapshot, timestamp_us, ..self }
            }
            Place::Postgres { .. } => SourceView { snapshot, ..self },
        }
    }

    /// The fields behind those that all servers have.
    fn placed(&self, index: usize) -> ValueRef<'_> {
        match &self.place {
            Place::Binlog { origin, gtid, query } => match index {
                9 => text_or_null(self.subject.table),
                10 => ValueRef::Int64(i64::from(origin.server_id)),
                11 => text_or_null(*gtid),
                12 => ValueRef::String(&origin.file),
                13 => ValueRef::Int64(i64::try_from(origin.position).unwrap_or(i64::MAX)),
                ROW => ValueRef::Int32(self.row),
                15 => origin.thread.map_or(ValueRef::Null, |thread| ValueRef::Int64(i64::from(thread))),
                16 => text_or_null(*query),
                _ => ValueRef::Null,
            },
            Place::Postgres { origin, .. } => match index {
                9 => ValueRef::String(self.subject.schema.unwrap_or_default()),
                10 => ValueRef::String(self.subject.table.unwrap_or_default()),
                11 => origin.transaction_id.map_or(ValueRef::Null, |id| ValueRef::Int64(i64::from(id))),
                12 => ValueRef::Int64(origin.lsn.cast_signed()),
                13 => origin.xmin.map_or(ValueRef::Null, ValueRef::Int64),
                14 => text_or_null(origin.replication_origin.as_ref().map(|first| first.name.as_str())),
                15 => match &origin.replication_origin {
                    Some(first) => ValueRef::Int64(first.lsn.cast_signed()),
                    None => ValueRef::Null,
                },
                _ => ValueRef::Null,
            },
        }
    }
}

fn binlog_place<'s>(origin: &'s BinlogOrigin, block: &'s [u8], arena: &'s Arena) -> Place<'s> {
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
    Place::Binlog { origin, gtid, query }
}

/// The two places that order changes across transactions, as a JSON list: `["24023128","24023200"]`.
fn sequence<'s>(origin: &PostgresOrigin, arena: &'s Arena) -> &'s str {
    let mut text = ArenaString::with_capacity_in(48, arena);
    let mut number = itoa::Buffer::new();
    text.push('[');
    match origin.last_commit_lsn {
        Some(lsn) => {
            text.push('"');
            text.push_str(number.format(lsn.cast_signed()));
            text.push('"');
        }
        None => text.push_str("null"),
    }
    text.push_str(",\"");
    text.push_str(number.format(origin.lsn.cast_signed()));
    text.push_str("\"]");
    text.into_bump_str()
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
            5 => ValueRef::String(self.subject.database),
            6 => match &self.place {
                Place::Binlog { .. } => ValueRef::Null,
                Place::Postgres { sequence, .. } => ValueRef::String(sequence),
            },
            7 => ValueRef::Int64(self.timestamp_us),
            8 => ValueRef::Int64(self.timestamp_us.saturating_mul(1_000)),
            _ => self.placed(index),
        })
    }

    fn repeated(&self) -> Option<Repeated<'_>> {
        match self.place {
            Place::Binlog { .. } => Some(Repeated { written: self.written?, varying: ROW }),
            // Each change is a row of its own.
            Place::Postgres { .. } => None,
        }
    }
}
