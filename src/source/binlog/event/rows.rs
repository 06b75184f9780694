//! Walking a row: where each column's bytes lie.
//!
//! In: the rows of a rows event and a plan made once for each table map. Out: a [`Cell`] a column, offsets into
//! the rows. Promise: nothing is copied or allocated for a row; a cell never reaches outside the rows; a wire
//! type without known row format is an error when the plan is made, never a guess in the middle of a row.
//! Nothing survives a crash.
//!
//! A row image is a bitmap (one bit for each column that the image has, set when it is null), then the values
//! one after the other. An after image of PARTIAL_UPDATE_ROWS has, before that, options and a bitmap of the JSON
//! columns that are written as differences. Source: MySQL `rows_event.h` and `rpl_record.cc` (`unpack_row`).

pub use crate::model::row::Cell;

use super::column_type::*;
use super::error::EventError;
use super::reader::{Reader, bit, bitmap_length, count_bits};

/// How a column's value begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellFormat {
    /// Not in this image.
    Absent,
    /// That many bytes.
    Fixed(u16),
    /// One byte of length before the value.
    Length1,
    /// Two bytes of length, least significant first.
    Length2,
    /// Three bytes of length.
    Length3,
    /// Four bytes of length.
    Length4,
}

/// Bytes of 0 to 9 decimal digits.
const DIGIT_BYTES: [u16; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// Bytes of a DECIMAL: nine digits in four bytes, before and after the point, and what is left over.
fn decimal_length(precision: u16, scale: u16) -> Option<u16> {
    let whole = precision.checked_sub(scale)?;
    let part = |digits: u16| Some(digits / 9 * 4 + DIGIT_BYTES.get(usize::from(digits % 9))?);
    Some(part(whole)? + part(scale)?)
}

/// Bytes of a second's fraction of 0 to 6 digits.
fn fraction_length(digits: u16) -> Option<u16> {
    (digits <= 6).then_some(digits.div_ceil(2))
}

impl ColumnType {
    /// How values of this type are delimited in a row; `None` when that is not known.
    pub fn cell(self) -> Option<CellFormat> {
        let fixed = |bytes: u16| Some(CellFormat::Fixed(bytes));
        match self.real {
            NULL => fixed(0),
            TINY | YEAR => fixed(1),
            SHORT => fixed(2),
            INT24 | DATE | NEWDATE | TIME => fixed(3),
            LONG | TIMESTAMP | FLOAT => fixed(4),
            LONGLONG | DOUBLE | DATETIME => fixed(8),
            TIMESTAMP2 => fixed(4 + fraction_length(self.metadata)?),
            DATETIME2 => fixed(5 + fraction_length(self.metadata)?),
            TIME2 => fixed(3 + fraction_length(self.metadata)?),
            NEWDECIMAL => fixed(decimal_length(self.metadata >> 8, self.metadata & 0xff)?),
            BIT => fixed(self.metadata.div_ceil(8)),
            ENUM | SET => fixed(self.metadata & 0xff),
            STRING | VAR_STRING | VARCHAR | VARCHAR_COMPRESSED => {
                Some(if self.metadata > 255 { CellFormat::Length2 } else { CellFormat::Length1 })
            }
            TINY_BLOB | MEDIUM_BLOB | LONG_BLOB | BLOB | BLOB_COMPRESSED | JSON | GEOMETRY | VECTOR => {
                match self.metadata {
                    1 => Some(CellFormat::Length1),
                    2 => Some(CellFormat::Length2),
                    3 => Some(CellFormat::Length3),
                    4 => Some(CellFormat::Length4),
                    _ => None,
                }
            }
            TYPED_ARRAY => Some(CellFormat::Length4),
            _ => None,
        }
    }
}

/// A [`CellFormat`] as the walk wants it: all lengths are loaded by the same few instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// Bytes of a fixed value, else 0.
    fixed: u32,
    /// What of the next four bytes is length: as many low bytes as there are length bytes.
    mask: u32,
    /// Length bytes.
    prefix: u8,
    absent: bool,
}

impl Step {
    fn new(format: CellFormat) -> Self {
        let sized = |prefix: u8, mask| Step { fixed: 0, mask, prefix, absent: false };
        match format {
            CellFormat::Absent => Step { fixed: 0, mask: 0, prefix: 0, absent: true },
            CellFormat::Fixed(bytes) => Step { fixed: u32::from(bytes), mask: 0, prefix: 0, absent: false },
            CellFormat::Length1 => sized(1, 0xff),
            CellFormat::Length2 => sized(2, 0xffff),
            CellFormat::Length3 => sized(3, 0xff_ffff),
            CellFormat::Length4 => sized(4, 0xffff_ffff),
        }
    }

    /// The length at the start of `rest`; `None` when it is not all there.
    #[inline]
    fn length(self, rest: &[u8]) -> Option<u32> {
        let next = match rest.first_chunk() {
            Some(next) => u32::from_le_bytes(*next),
            None => last_length(rest.get(..usize::from(self.prefix))?),
        };
        Some(next & self.mask)
    }
}

/// Fewer than four bytes are left, so none are read that may not be there.
#[cold]
fn last_length(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// Fixed values are not checked one by one: the end of the last one tells whether all fit. Offsets cannot
/// wrap, because each column adds at most four gigabytes.
#[inline]
fn walk_values(steps: &[Step], body: &[u8], mut at: usize, nulls: &[u8], cells: &mut [Cell]) -> Option<usize> {
    let mut nulls = nulls.iter();
    let mut mask = 0_u32; // the null bits still to come, under a guard bit
    for (step, cell) in steps.iter().zip(cells) {
        if step.absent {
            *cell = Cell::ABSENT;
            continue;
        }
        if mask <= 1 {
            mask = 0x100 | u32::from(*nulls.next()?);
        }
        let null = mask & 1 == 1;
        mask >>= 1;
        if null {
            *cell = Cell::NULL;
            continue;
        }
        // The branch is foreseen and lets the next columns begin before a length has been loaded.
        let length = if step.prefix == 0 { step.fixed } else { step.length(body.get(at..)?)? };
        at += usize::from(step.prefix);
        *cell = Cell { offset: at as u32, length };
        at += length as usize;
    }
    Some(at)
}

/// Which JSON columns of one after image are written as differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartialColumns<'b> {
    /// One bit for each JSON column of the table, in the image or not.
    bitmap: &'b [u8],
}

/// `PARTIAL_JSON_UPDATES`, the only row value option there is.
const PARTIAL_JSON_UPDATES: u64 = 1;

/// How to walk the row images of one table under one bitmap of present columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePlan {
    formats: Vec<CellFormat>,
    steps: Vec<Step>,
    null_bitmap_length: usize,
    /// For each column its place among the JSON columns, or `NOT_JSON`.
    json_places: Vec<u16>,
    json_columns: usize,
}

const NOT_JSON: u16 = u16::MAX;

impl ImagePlan {
    /// Makes the plan from a table map's types and metadata, and the bitmap of a rows event.
    ///
    /// Errors: [`EventError::ColumnType`] with the column when its type has no known row format (columns that
    /// the image does not have may be of any type).
    pub fn new(column_types: &[u8], column_metadata: &[u8], present: &[u8]) -> Result<Self, EventError> {
        let mut formats = Vec::with_capacity(column_types.len());
        let mut json_places = Vec::with_capacity(column_types.len());
        let mut json_columns = 0;
        for (index, column_type) in ColumnTypes::new(column_types, column_metadata).enumerate() {
            let column_type = column_type?;
            let unknown = EventError::ColumnType { column: index + 1, wire_type: column_type.wire };
            let format = if bit(present, index) { column_type.cell().ok_or(unknown)? } else { CellFormat::Absent };
            formats.push(format);
            let is_json = column_type.real == JSON;
            json_places.push(if is_json { json_columns } else { NOT_JSON });
            json_columns += u16::from(is_json);
        }
        let null_bitmap_length = bitmap_length(count_bits(present, column_types.len()));
        let steps = formats.iter().copied().map(Step::new).collect();
        let json_columns = usize::from(json_columns);
        Ok(ImagePlan { formats, steps, null_bitmap_length, json_places, json_columns })
    }

    /// Number of columns of the table; what `cells` must hold.
    pub fn columns(&self) -> usize {
        self.steps.len()
    }

    /// The formats, column by column.
    pub fn formats(&self) -> &[CellFormat] {
        &self.formats
    }

    /// Fills `cells` from the row image that begins at offset `at` of `body`; gives the offset behind it.
    ///
    /// Errors: [`EventError::Row`] when the image does not end inside `body`; [`EventError::Invalid`] when
    /// `cells` is shorter than the table, or `body` longer than a cell can say.
    #[inline]
    pub fn walk(&self, body: &[u8], at: usize, cells: &mut [Cell]) -> Result<usize, EventError> {
        if cells.len() < self.steps.len() || body.len() >= Cell::ABSENT.offset as usize {
            return Err(EventError::Invalid { what: "row", reason: "more columns or bytes than there is room for" });
        }
        let values = at.saturating_add(self.null_bitmap_length);
        let Some(nulls) = body.get(at..values) else {
            return Err(EventError::Row { column: 0, at, length: body.len() });
        };
        match walk_values(&self.steps, body, values, nulls, cells) {
            Some(end) if end <= body.len() => Ok(end),
            Some(_) | None => Err(self.where_it_ends(body, values, nulls)),
        }
    }

    /// Walks again, slowly, to name the column that does not fit.
    #[cold]
    fn where_it_ends(&self, body: &[u8], values: usize, nulls: &[u8]) -> EventError {
        let mut cell = [Cell::ABSENT];
        let (mut at, mut place) = (values, 0);
        for (index, step) in self.steps.iter().enumerate() {
            if step.absent {
                continue;
            }
            let null = [u8::from(bit(nulls, place))];
            place += 1;
            match walk_values(std::slice::from_ref(step), body, at, &null, &mut cell) {
                Some(end) if end <= body.len() => at = end,
                Some(_) | None => {
                    return EventError::Row { column: index + 1, at, length: body.len() };
                }
            }
        }
        EventError::Row { column: self.steps.len(), at, length: body.len() }
    }

    /// As [`ImagePlan::walk`], for an after image of PARTIAL_UPDATE_ROWS. The cells of columns for which
    /// [`ImagePlan::is_partial`] holds are differences for `json::partial`.
    pub fn walk_partial<'b>(
        &self,
        body: &'b [u8],
        at: usize,
        cells: &mut [Cell],
    ) -> Result<(usize, PartialColumns<'b>), EventError> {
        let mut reader = Reader::new(body.get(at..).unwrap_or_default(), "row value options");
        let options = reader.packed()?;
        let partial = match options {
            0 => PartialColumns::default(),
            PARTIAL_JSON_UPDATES => PartialColumns { bitmap: reader.take(bitmap_length(self.json_columns))? },
            _ => return Err(reader.invalid("a row value option that is not known")),
        };
        let end = self.walk(body, at + reader.at(), cells)?;
        Ok((end, partial))
    }

    /// Whether `column` (from 0) is written as differences in an image with these partial columns.
    pub fn is_partial(&self, partial: PartialColumns<'_>, column: usize) -> bool {
        match self.json_places.get(column) {
            Some(&place) if place != NOT_JSON => bit(partial.bitmap, usize::from(place)),
            Some(_) | None => false,
        }
    }
}
