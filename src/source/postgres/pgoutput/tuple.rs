//! The image of a row: for each published column nothing, an unchanged TOAST value, or bytes.

use crate::model::row::Cell;
use crate::model::value::ValueError;

/// Whether values may come in their types' binary format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// The stream was asked for text: a binary value would be read as text, so it is an error.
    Refused,
    /// The stream was asked for binary. What a type has no binary format for still comes as text.
    Allowed,
}

/// Finds the cells of the tuple at `at` and returns where it ends. `cells` is replaced: NULL is [`Cell::NULL`], an
/// unchanged TOAST value [`Cell::ABSENT`]; offsets count from the start of `body`.
///
/// # Errors
/// When the body ends inside the tuple, or a column is of no known kind.
#[inline]
pub fn walk_tuple(body: &[u8], at: usize, binary: Binary, cells: &mut Vec<Cell>) -> Result<usize, ValueError> {
    cells.clear();
    let mut rest = body.get(at..).ok_or(ValueError::OutsideRow)?;
    let (count, behind) = rest.split_first_chunk::<2>().ok_or(ValueError::OutsideRow)?;
    rest = behind;
    let count = usize::from(u16::from_be_bytes(*count));
    // A column takes at least one byte.
    if count > rest.len() {
        return Err(ValueError::OutsideRow);
    }
    cells.reserve(count);
    for _ in 0..count {
        let (kind, behind) = rest.split_first().ok_or(ValueError::OutsideRow)?;
        rest = behind;
        match kind {
            b't' => {}
            b'n' => {
                cells.push(Cell::NULL);
                continue;
            }
            b'u' => {
                cells.push(Cell::ABSENT);
                continue;
            }
            b'b' if binary == Binary::Allowed => {}
            _ => return Err(ValueError::Invalid { column_type: "tuple", reason: "an unknown kind of column" }),
        }
        let (length, behind) = rest.split_first_chunk::<4>().ok_or(ValueError::OutsideRow)?;
        let length = u32::from_be_bytes(*length);
        // A message is at most 1 GiB long, so offsets fit and lie below those that stand for NULL and absent.
        let offset = (body.len() - behind.len()) as u32;
        rest = behind.get(length as usize..).ok_or(ValueError::OutsideRow)?;
        cells.push(Cell { offset, length });
    }
    Ok(body.len() - rest.len())
}
