//! The `source` block: where a change comes from.

use bumpalo::collections::String as ArenaString;
use std::sync::Arc;

use crate::model::change::{BinlogOrigin, Origin, PostgresOrigin, SnapshotRecord};
use crate::model::table::TableId;
use crate::model::value::{Arena, Repeated, StructView, ValueError, ValueRef, Written, WrittenFor};

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
const ROW: u32 = 14;

/// The fields, a bit for each, that are not the same in the first rows of all events of one table in a file of one server's
/// binlog: times, `gtid`, `pos`, `thread`; and the statement, where there is one.
const BINLOG_VARYING: u64 = bits(&[3, 7, 8, 11, 13, 15]);
const QUERY: u64 = bits(&[16]);

/// The same for one table of PostgreSQL: times, `sequence`, `txId`, `lsn`; and where there are such, `xmin`, and `origin` with
/// `origin_lsn`.
const POSTGRES_VARYING: u64 = bits(&[3, 6, 7, 8, 11, 12]);
const XMIN: u64 = bits(&[13]);
const REPLICATION_ORIGIN: u64 = bits(&[14, 15]);

const fn bits(places: &[u32]) -> u64 {
    match places {
        [] => 0,
        [place, rest @ ..] => 1 << *place | bits(rest),
    }
}

/// What serializers have written of the blocks of one table's changes: those of one server's binlog file, named here, or of
/// PostgreSQL. A worker keeps one for each version of a table.
pub type SourceWritten = WrittenFor<Option<(Arc<str>, u32)>>;

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
    /// Of the table, and of the event.
    written: Option<(&'s Written, &'s Written)>,
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

    /// The same block, for all rows of one event of this table: what was written before serves again where it is the same,
    /// for its first row what is of the table's other changes, for the others what is of this `event`.
    pub fn for_rows(self, table: &'s mut SourceWritten, event: &'s mut Written) -> Self {
        event.forget();
        let table = match &self.place {
            Place::Postgres { .. } => table.of(Option::is_none, || None),
            Place::Binlog { origin: BinlogOrigin { file, server_id, .. }, .. } => table.of(
                |key| key.as_ref().is_some_and(|(other, id)| Arc::ptr_eq(other, file) && id == server_id),
                || Some((file.clone(), *server_id)),
            ),
        };
        SourceView { written: Some((table, event)), ..self }
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
                14 => ValueRef::Int32(self.row),
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

/// These fields, a bit for each, where they are not null.
#[inline]
pub(super) fn only(are_there: bool, fields: u64) -> u64 {
    if are_there { fields } else { 0 }
}

fn binlog_place<'s>(origin: &'s BinlogOrigin, block: &'s [u8], arena: &'s Arena) -> Place<'s> {
    let gtid = origin.gtid.as_ref().map(|gtid| {
        let mut text = ArenaString::with_capacity_in(64, arena);
        let Ok(()) = gtid.text(|part| {
            text.push_str(part);
            Ok::<(), std::convert::Infallible>(())
        });
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
        let (table, event) = self.written?;
        let (written, varying) = match self.place {
            Place::Binlog { .. } if self.row > 0 => (event, 1 << ROW),
            Place::Binlog { query, .. } => (table, BINLOG_VARYING | only(query.is_some(), QUERY)),
            Place::Postgres { origin, .. } => {
                let own = only(origin.xmin.is_some(), XMIN);
                let elsewhere = only(origin.replication_origin.is_some(), REPLICATION_ORIGIN);
                (table, POSTGRES_VARYING | own | elsewhere)
            }
        };
        Some(Repeated { written, kind: 0, varying })
    }
}

/// Of the first event of a binlog.
#[cfg(test)]
pub(super) fn first_origin() -> BinlogOrigin {
    BinlogOrigin {
        file: "binlog.000001".into(),
        position: 4,
        server_id: 1,
        gtid: None,
        thread: None,
        timestamp_us: 1_000_000,
        query: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::change::{Gtid, ReplicationOrigin};
    use crate::model::value::text_of;

    /// Writes the rows of each event in order, and compares each with what is written of it alone.
    fn compare(origins: &[Origin], fields: usize) {
        let constants = SourceConstants { version: "3.6".to_owned(), plugin: "mysql", logical_name: "shop".to_owned() };
        let subject = Subject { database: "inventory", schema: Some("public"), table: Some("orders") };
        let (arena, block) = (Arena::new(), b"INSERT 1; INSERT 2");
        let (mut table, mut event) = (SourceWritten::default(), Written::default());
        for (number, origin) in origins.iter().enumerate() {
            let mut alone = SourceView::new(&constants, subject, origin, block, &arena);
            let mut kept = alone.for_rows(&mut table, &mut event);
            for row in 0..i32::try_from(number % 4).unwrap() + 1 {
                (alone.row, kept.row) = (row, row);
                assert_eq!(text_of(&kept, fields), text_of(&alone, fields), "row {row} of event {number}");
            }
        }
    }

    #[test]
    fn a_block_is_the_same_whatever_was_written_before_it() {
        let (first, next_file): (_, Arc<str>) = (first_origin(), "binlog.000002".into());
        let gtid = |number| Some(Gtid::MySql { uuid: [7; 16], tag: None, number });
        let binlog = [
            first.clone(),
            BinlogOrigin { position: 5, ..first.clone() },
            BinlogOrigin { gtid: gtid(1), ..first.clone() },
            BinlogOrigin { gtid: gtid(2), thread: Some(8), ..first.clone() },
            BinlogOrigin { timestamp_us: 1_234_567, ..first.clone() },
            BinlogOrigin { query: Some(0..8), ..first.clone() },
            BinlogOrigin { query: Some(10..18), ..first.clone() },
            BinlogOrigin { file: next_file.clone(), ..first.clone() },
            BinlogOrigin { file: next_file, server_id: 2, ..first.clone() },
            BinlogOrigin { server_id: 2, ..first.clone() },
            first,
        ];
        compare(&binlog.map(Origin::Binlog), 17);
        let first = PostgresOrigin {
            lsn: 100,
            last_commit_lsn: None,
            transaction_id: None,
            xmin: None,
            timestamp_us: 1_000_000,
            replication_origin: None,
        };
        let elsewhere = ReplicationOrigin { name: "elsewhere".to_owned(), lsn: 5 };
        let postgres = [
            first.clone(),
            PostgresOrigin { lsn: 101, last_commit_lsn: Some(99), ..first.clone() },
            PostgresOrigin { transaction_id: Some(3), xmin: Some(2), ..first.clone() },
            PostgresOrigin { timestamp_us: 1_234_567, ..first.clone() },
            PostgresOrigin { replication_origin: Some(Arc::new(elsewhere)), ..first.clone() },
            first,
        ];
        compare(&postgres.map(Origin::Postgres), 16);
    }
}
