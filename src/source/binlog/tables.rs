//! Table maps: from a number in the log to how the rows of that table are read.
//!
//! A table map stands before every statement's rows, so the one that came before is the one that comes again:
//! its bytes are compared, and nothing is made anew while they are the same. A table that is not captured costs
//! that comparison and no more: what its columns are is never asked.

use std::collections::HashMap;
use std::sync::Arc;

use super::event::event_type::TABLE_MAP_EVENT;
use super::event::rows::ImagePlan;
use super::event::rows_event::{Rows, RowsKind};
use super::event::table_metadata::ColumnMetadata;
use super::event::{EventError, Format, TableMap, body_of};
use super::walk::BinlogWalk;
use crate::error::Failure;
use crate::model::row::{RowWalk, TableLayout};
use crate::model::table::{Table, TableId};

/// Table numbers kept at once; beyond it all are forgotten, and come again with their next table map.
const TABLES_MAXIMUM: usize = 16 * 1024;

/// Ways of laying out rows kept for one table number: one for each kind of event and set of columns.
const WALKS_MAXIMUM: usize = 64;

/// Makes the layout of a table: column types, handling modes, filters and masks.
pub trait LayoutMaker: Send + Sync {
    /// The layout of a tracked table whose columns the log describes like this.
    ///
    /// Without any columns: the layout as far as it follows from the tracked table, for a statement about it. Rows
    /// must not be read with that.
    ///
    /// # Errors
    /// When a column's type is not known, or the two disagree.
    fn layout(&self, table: &Table, columns: &[ColumnMetadata<'_>]) -> Result<TableLayout, Failure>;
}

/// What is known of a table number.
pub enum Mapped {
    /// Its rows are not asked for.
    NotCaptured,
    /// Its rows are passed over, because a setting says so of inconsistent tables.
    PassedOver,
    /// Its rows are read like this.
    Captured(Captured),
}

/// How the rows of a captured table are read.
pub struct Captured {
    /// Its layout.
    pub layout: Arc<TableLayout>,
    column_types: Box<[u8]>,
    column_metadata: Box<[u8]>,
    walks: Vec<Walk>,
}

/// The way through rows of one kind with these columns before and after.
type Walk = (RowsKind, Box<[u8]>, Box<[u8]>, Arc<dyn RowWalk>);

impl Captured {
    /// The table map's part in it, and the layout.
    pub fn new(map: &TableMap<'_>, layout: Arc<TableLayout>) -> Self {
        Captured {
            layout,
            column_types: map.column_types.into(),
            column_metadata: map.column_metadata.into(),
            walks: Vec::new(),
        }
    }

    /// How the rows of this event lie.
    ///
    /// # Errors
    /// When a column's wire type is not known, or the event has another number of columns than its table map.
    pub fn walk(&mut self, rows: &Rows<'_>) -> Result<Arc<dyn RowWalk>, EventError> {
        let (before, after) = (rows.before_columns, rows.after_columns);
        let known = self
            .walks
            .iter()
            .find(|(kind, first, second, _)| *kind == rows.kind && same(first, before) && same(second, after));
        if let Some((_, _, _, walk)) = known {
            return Ok(walk.clone());
        }
        if rows.columns != self.column_types.len() {
            return Err(EventError::Invalid {
                what: "rows event",
                reason: "another number of columns than its table map",
            });
        }
        let plan = |present: &[u8]| ImagePlan::new(&self.column_types, &self.column_metadata, present);
        let walk: Arc<dyn RowWalk> = Arc::new(match rows.kind {
            RowsKind::Write => BinlogWalk::new(rows.kind, plan(after)?, None),
            RowsKind::Delete => BinlogWalk::new(rows.kind, plan(before)?, None),
            RowsKind::Update | RowsKind::PartialUpdate => BinlogWalk::new(rows.kind, plan(before)?, Some(plan(after)?)),
        });
        if self.walks.len() >= WALKS_MAXIMUM {
            self.walks.clear();
        }
        self.walks.push((rows.kind, before.into(), after.into(), walk.clone()));
        Ok(walk)
    }
}

/// Whether two bitmaps are equal. Most kinds of events have only one, and comparing two empty ones as slices reads, masked,
/// from an address that is not there: 150 ns on processors with AVX-512.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other)
}

struct Entry {
    /// The table map's body, to see whether it is the same again.
    body: Box<[u8]>,
    mapped: Mapped,
}

/// The table numbers of the file that is being read.
#[derive(Default)]
pub struct TableMaps {
    entries: HashMap<u64, Entry, foldhash::fast::RandomState>,
    /// The last layout of each captured table.
    layouts: HashMap<TableId, Arc<TableLayout>>,
}

impl TableMaps {
    /// Whether this table map is the one that is known under its number. Its header and its checksum are others each time;
    /// what lies between is compared before anything of it is read.
    pub fn is_known(&self, event: &[u8], format: &Format) -> bool {
        let Some(body) = body_of(event, format) else { return false };
        let table_id = TableMap::table_id_of(body, format.post_header_length(TABLE_MAP_EVENT));
        table_id.and_then(|table_id| self.entries.get(&table_id)).is_some_and(|entry| *entry.body == *body)
    }

    /// Keeps what a table number means.
    pub fn insert(&mut self, table_id: u64, body: &[u8], mapped: Mapped) {
        if self.entries.len() >= TABLES_MAXIMUM {
            self.entries.clear();
        }
        if let Mapped::Captured(captured) = &mapped {
            self.layouts.insert(captured.layout.id.clone(), captured.layout.clone());
        }
        self.entries.insert(table_id, Entry { body: body.into(), mapped });
    }

    /// The last layout of a table, while it was not altered since.
    pub fn layout(&self, id: &TableId) -> Option<Arc<TableLayout>> {
        self.layouts.get(id).cloned()
    }

    /// A table was altered: its layout, and every number, are made anew.
    pub fn altered(&mut self, id: &TableId) {
        self.layouts.remove(id);
        self.entries.clear();
    }

    /// What a table number means.
    pub fn get_mut(&mut self, table_id: u64) -> Option<&mut Mapped> {
        self.entries.get_mut(&table_id).map(|entry| &mut entry.mapped)
    }

    /// Forgets all numbers: another file, or another connection.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

/// The table that a table map names.
pub fn table_id(map: &TableMap<'_>) -> TableId {
    TableId::new(&String::from_utf8_lossy(map.schema), &String::from_utf8_lossy(map.table))
}

/// What of the log's description contradicts the tracked table: the number of columns, and their names where the
/// log has them (`binlog_row_metadata=FULL`). Types are compared when codecs are made.
///
/// MariaDB adds columns behind a table's own that no statement shows (system versioning, hashes of long unique
/// keys): a surplus at the end is theirs, unless the log names it and shows it to everyone.
pub fn difference(table: &Table, columns: &[ColumnMetadata<'_>], hidden_allowed: bool) -> Option<String> {
    let surplus = columns.get(table.columns.len()..).unwrap_or_default();
    let hidden = hidden_allowed && surplus.iter().all(|column| column.visible != Some(true) || column.name.is_none());
    if columns.len() < table.columns.len() || !(surplus.is_empty() || hidden) {
        return Some(format!("{} columns are tracked, the log has {}", table.columns.len(), columns.len()));
    }
    table.columns.iter().zip(columns).enumerate().find_map(|(index, (tracked, logged))| {
        let name = std::str::from_utf8(logged.name?).ok()?;
        let same = name == tracked.name || name.to_lowercase() == tracked.name.to_lowercase();
        (!same).then(|| format!("column {} is tracked as {}, the log says {name}", index + 1, tracked.name))
    })
}

#[cfg(test)]
mod tests {
    use super::super::event::{ChecksumAlgorithm, HEADER_LENGTH};
    use super::*;

    /// A table map with this number, behind a header and before a checksum that begin with `marks`.
    fn event(table_id: u8, rest: &[u8], marks: u8) -> Vec<u8> {
        let mut bytes = vec![marks; HEADER_LENGTH];
        bytes.extend_from_slice(&[table_id, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(rest);
        bytes.extend_from_slice(&[marks; 4]);
        bytes
    }

    #[test]
    fn a_table_map_is_known_while_nothing_of_it_changes() {
        let format = Format::initial(ChecksumAlgorithm::Crc32);
        let mut maps = TableMaps::default();
        let first = event(7, b"shop.orders, an int", 1);
        assert!(!maps.is_known(&first, &format));
        if let Some(body) = body_of(&first, &format) {
            maps.insert(7, body, Mapped::NotCaptured);
        }
        assert!(maps.is_known(&first, &format));
        // It comes again at another place and time.
        assert!(maps.is_known(&event(7, b"shop.orders, an int", 2), &format));
        assert!(!maps.is_known(&event(7, b"shop.orders, a text", 1), &format), "altered");
        assert!(!maps.is_known(&event(7, b"shop.orders, an int, a text", 1), &format), "one column more");
        assert!(!maps.is_known(&event(8, b"shop.orders, an int", 1), &format), "another number");
        assert!(!maps.is_known(&first, &format.inside_payload()), "without a checksum its last bytes count");
        assert!((0..first.len()).all(|length| !maps.is_known(first.get(..length).unwrap_or_default(), &format)));
        maps.clear();
        assert!(!maps.is_known(&first, &format));
    }
}
