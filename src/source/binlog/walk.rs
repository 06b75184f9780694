//! Finding the rows in a row event's body.

use super::event::json::partial;
use super::event::rows::{ImagePlan, PartialColumns};
use super::event::rows_event::RowsKind;
use crate::model::row::{Cell, RowCells, RowWalk};
use crate::model::value::ValueError;

/// Marks a JSON cell that holds text already: the document after a partial update was applied. No binary JSON
/// document begins with this byte.
pub const JSON_TEXT_MARKER: u8 = 0xf0;

/// How the rows of one kind of row event lie, for one table map and one pair of column bitmaps.
#[derive(Debug)]
pub struct BinlogWalk {
    kind: RowsKind,
    before: Option<ImagePlan>,
    after: Option<ImagePlan>,
}

impl BinlogWalk {
    /// A walk for an event of this kind: its first image, and for updates its second.
    pub fn new(kind: RowsKind, first: ImagePlan, second: Option<ImagePlan>) -> Self {
        match kind {
            RowsKind::Write => BinlogWalk { kind, before: None, after: Some(first) },
            RowsKind::Delete => BinlogWalk { kind, before: Some(first), after: None },
            RowsKind::Update | RowsKind::PartialUpdate => BinlogWalk { kind, before: Some(first), after: second },
        }
    }
}

fn image(plan: Option<&ImagePlan>, body: &[u8], at: usize, cells: &mut Vec<Cell>) -> Result<usize, ValueError> {
    let Some(plan) = plan else { return Ok(at) };
    cells.resize(plan.columns(), Cell::ABSENT);
    plan.walk(body, at, cells).map_err(|_| ValueError::OutsideRow)
}

impl RowWalk for BinlogWalk {
    #[inline]
    fn next_row(&self, body: &[u8], at: usize, cells: &mut RowCells) -> Result<Option<usize>, ValueError> {
        if at >= body.len() {
            return Ok(None);
        }
        cells.patched = false;
        let middle = image(self.before.as_ref(), body, at, &mut cells.before)?;
        let end = match (self.kind, &self.after) {
            (RowsKind::PartialUpdate, Some(plan)) => partial_image(plan, body, middle, cells)?,
            _ => image(self.after.as_ref(), body, middle, &mut cells.after)?,
        };
        // A row takes at least a byte; without progress this would never end.
        if end <= at { Err(ValueError::OutsideRow) } else { Ok(Some(end)) }
    }
}

/// The after image of a partial update: JSON columns written as differences are applied to the image before,
/// and the whole image is put together in `patch`.
fn partial_image(plan: &ImagePlan, body: &[u8], at: usize, cells: &mut RowCells) -> Result<usize, ValueError> {
    cells.after.resize(plan.columns(), Cell::ABSENT);
    let (end, columns) = plan.walk_partial(body, at, &mut cells.after).map_err(|_| ValueError::OutsideRow)?;
    let any = (0..plan.columns()).any(|column| plan.is_partial(columns, column));
    if any {
        patch(plan, columns, body, cells)?;
    }
    Ok(end)
}

fn patch(plan: &ImagePlan, columns: PartialColumns<'_>, body: &[u8], cells: &mut RowCells) -> Result<(), ValueError> {
    let invalid = |reason| ValueError::Invalid { column_type: "JSON", reason };
    cells.patch.clear();
    for column in 0..plan.columns() {
        let Some(cell) = cells.after.get_mut(column) else { break };
        let Some(bytes) = cell.bytes(body) else { continue };
        let start = cells.patch.len();
        if plan.is_partial(columns, column) {
            let before = cells.before.get(column).and_then(|cell| cell.bytes(body));
            let before =
                before.ok_or_else(|| invalid("a partial update of a document that is not in the image before"))?;
            cells.patch.push(JSON_TEXT_MARKER);
            partial::write_updated(before, bytes, &mut cells.patch)
                .map_err(|_| invalid("the differences of a partial update do not fit the document"))?;
        } else {
            cells.patch.extend_from_slice(bytes);
        }
        let place = |number: usize| u32::try_from(number).map_err(|_| invalid("a row of more than 4 GiB"));
        *cell = Cell { offset: place(start)?, length: place(cells.patch.len() - start)? };
    }
    cells.patched = true;
    Ok(())
}
