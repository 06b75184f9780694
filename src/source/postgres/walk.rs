//! Finding the row in a message of the plugin.

use super::pgoutput::{Binary, OldImage, walk_delete, walk_insert, walk_update};
use crate::model::row::{Cell, RowCells, RowWalk};
use crate::model::value::ValueError;

/// How the images of one kind of message lie. A body is the message behind its relation's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostgresWalk {
    /// The row after.
    Insert,
    /// Perhaps the row before or its key, and the row after.
    Update,
    /// The row before, or its key.
    Delete,
}

impl RowWalk for PostgresWalk {
    #[inline]
    fn next_row(&self, body: &[u8], at: usize, cells: &mut RowCells) -> Result<Option<usize>, ValueError> {
        if at >= body.len() {
            return Ok(None);
        }
        cells.patched = false;
        cells.no_before = false;
        let end = match self {
            PostgresWalk::Insert => walk_insert(body, at, Binary::Refused, &mut cells.after)?,
            PostgresWalk::Delete => walk_delete(body, at, Binary::Refused, &mut cells.before)?.1,
            PostgresWalk::Update => {
                let (old, end) = walk_update(body, at, Binary::Refused, &mut cells.before, &mut cells.after)?;
                cells.no_before = old == OldImage::Nothing;
                if old == OldImage::Full {
                    fill_unchanged(cells);
                }
                end
            }
        };
        Ok(Some(end))
    }
}

/// A value that was not sent because it has not changed is the one before, where that is known.
fn fill_unchanged(cells: &mut RowCells) {
    for (after, before) in cells.after.iter_mut().zip(&cells.before) {
        if *after == Cell::ABSENT && !before.is_null() {
            *after = *before;
        }
    }
}
