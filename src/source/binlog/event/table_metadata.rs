//! The optional metadata of a TABLE_MAP: names, signs, character sets, keys.
//!
//! In: the table map's last bytes. Out: [`ColumnMetadata`] for each column. How much is there depends on
//! `binlog_row_metadata`: MINIMAL gives signs and character sets, FULL all; MySQL 5.7 gives nothing.
//! Read when a table is new, not for each event.
//!
//! Source: MySQL `rows_event.h`, `Optional_metadata_field_type`.

use super::column_type::{ColumnType, ColumnTypes, ENUM, GEOMETRY, SET, VECTOR};
use super::error::EventError;
use super::format_description::Flavor;
use super::reader::Reader;

const WHAT: &str = "table map's optional metadata";

/// The fields of the optional metadata, as slices of the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableMetadata<'a> {
    flavor: Flavor,
    column_types: &'a [u8],
    column_metadata: &'a [u8],
    fields: [Option<&'a [u8]>; FIELDS],
}

/// One more than the highest known field.
const FIELDS: usize = 14;

mod field {
    pub const SIGNEDNESS: usize = 1;
    pub const DEFAULT_CHARSET: usize = 2;
    pub const COLUMN_CHARSET: usize = 3;
    pub const COLUMN_NAME: usize = 4;
    pub const SET_STR_VALUE: usize = 5;
    pub const ENUM_STR_VALUE: usize = 6;
    pub const GEOMETRY_TYPE: usize = 7;
    pub const SIMPLE_PRIMARY_KEY: usize = 8;
    pub const PRIMARY_KEY_WITH_PREFIX: usize = 9;
    pub const ENUM_AND_SET_DEFAULT_CHARSET: usize = 10;
    pub const ENUM_AND_SET_COLUMN_CHARSET: usize = 11;
    pub const COLUMN_VISIBILITY: usize = 12;
    pub const VECTOR_DIMENSIONALITY: usize = 13;
}

/// All that a table map says about one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnMetadata<'a> {
    /// How the column is written in rows.
    pub column_type: ColumnType,
    /// The name, UTF-8.
    pub name: Option<&'a [u8]>,
    /// For numbers: whether it is UNSIGNED.
    pub unsigned: Option<bool>,
    /// For texts, ENUM and SET: the number of its collation; 63 is binary.
    pub collation: Option<u32>,
    /// For ENUM and SET: the values in order, in the column's character set.
    pub values: Option<Texts<'a>>,
    /// For GEOMETRY: 0 any, 1 POINT, 2 LINESTRING, 3 POLYGON, 4 to 6 their MULTIs, 7 GEOMETRYCOLLECTION.
    pub geometry_type: Option<u32>,
    /// For VECTOR: its dimensions.
    pub vector_dimensions: Option<u32>,
    /// Whether `SELECT *` shows it.
    pub visible: Option<bool>,
    /// Place in the primary key, from 1.
    pub key_position: Option<usize>,
    /// Characters of the key's prefix; 0 for the whole column.
    pub key_prefix: u32,
}

/// Length-prefixed texts in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Texts<'a> {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut reader = Reader::new(self.bytes, WHAT);
        // Walked through once when it was made, so no text can be missing here.
        (0..self.count).map_while(move |_| reader.packed_bytes().ok())
    }
}

impl<'a> TableMetadata<'a> {
    /// Finds the fields. One whose number is not known is passed over, as servers do.
    pub fn parse(
        flavor: Flavor,
        column_types: &'a [u8],
        column_metadata: &'a [u8],
        optional: &'a [u8],
    ) -> Result<Self, EventError> {
        let mut metadata = TableMetadata { flavor, column_types, column_metadata, fields: [None; FIELDS] };
        let mut reader = Reader::new(optional, WHAT);
        while !reader.is_empty() {
            let number = usize::from(reader.u8()?);
            let value = reader.packed_bytes()?;
            if let Some(slot) = metadata.fields.get_mut(number) {
                *slot = Some(value);
            }
        }
        Ok(metadata)
    }

    /// Whether the column names are there (`binlog_row_metadata=FULL`).
    pub fn has_names(&self) -> bool {
        self.fields[field::COLUMN_NAME].is_some()
    }

    /// Whether there is nothing at all (MySQL 5.7, MariaDB's NO_LOG).
    pub fn is_empty(&self) -> bool {
        self.fields.iter().all(Option::is_none)
    }

    /// Reads everything, column by column.
    ///
    /// Errors: a field that ends early, or names a column that the table does not have.
    pub fn columns(&self) -> Result<Vec<ColumnMetadata<'a>>, EventError> {
        let mut columns = Vec::with_capacity(self.column_types.len());
        for column_type in ColumnTypes::new(self.column_types, self.column_metadata) {
            columns.push(ColumnMetadata {
                column_type: column_type?,
                name: None,
                unsigned: None,
                collation: None,
                values: None,
                geometry_type: None,
                vector_dimensions: None,
                visible: None,
                key_position: None,
                key_prefix: 0,
            });
        }
        self.read_bits(&mut columns)?;
        self.read_charsets(&mut columns)?;
        self.read_texts(&mut columns)?;
        self.read_integers(&mut columns)?;
        self.read_key(&mut columns)?;
        Ok(columns)
    }

    fn reader(&self, number: usize) -> Option<Reader<'a>> {
        self.fields.get(number).copied().flatten().map(|bytes| Reader::new(bytes, WHAT))
    }

    fn read_bits(&self, columns: &mut [ColumnMetadata<'a>]) -> Result<(), EventError> {
        if let Some(bits) = self.fields[field::SIGNEDNESS] {
            let numeric = columns.iter_mut().filter(|column| column.column_type.is_numeric());
            for (index, column) in numeric.enumerate() {
                column.unsigned = Some(high_bit(bits, index)?);
            }
        }
        if let Some(bits) = self.fields[field::COLUMN_VISIBILITY] {
            for (index, column) in columns.iter_mut().enumerate() {
                column.visible = Some(high_bit(bits, index)?);
            }
        }
        Ok(())
    }

    fn read_charsets(&self, columns: &mut [ColumnMetadata<'a>]) -> Result<(), EventError> {
        let text = |column: &ColumnMetadata<'_>| column.column_type.is_character(self.flavor);
        let choice = |column: &ColumnMetadata<'_>| column.column_type.is_enum_or_set();
        self.read_default_charset(field::DEFAULT_CHARSET, columns, text)?;
        self.read_column_charsets(field::COLUMN_CHARSET, columns, text)?;
        self.read_default_charset(field::ENUM_AND_SET_DEFAULT_CHARSET, columns, choice)?;
        self.read_column_charsets(field::ENUM_AND_SET_COLUMN_CHARSET, columns, choice)
    }

    /// The most frequent collation, then pairs of place and collation for the columns that have another.
    fn read_default_charset(
        &self,
        number: usize,
        columns: &mut [ColumnMetadata<'a>],
        chosen: impl Fn(&ColumnMetadata<'_>) -> bool,
    ) -> Result<(), EventError> {
        let Some(mut reader) = self.reader(number) else {
            return Ok(());
        };
        let default = collation(&mut reader)?;
        for column in columns.iter_mut().filter(|column| chosen(column)) {
            column.collation = Some(default);
        }
        while !reader.is_empty() {
            let place = reader.packed_length()?;
            let other = collation(&mut reader)?;
            match columns.iter_mut().filter(|column| chosen(column)).nth(place) {
                Some(column) => column.collation = Some(other),
                None => {
                    return Err(reader.invalid("a character set for a column that is not there"));
                }
            }
        }
        Ok(())
    }

    fn read_column_charsets(
        &self,
        number: usize,
        columns: &mut [ColumnMetadata<'a>],
        chosen: impl Fn(&ColumnMetadata<'_>) -> bool,
    ) -> Result<(), EventError> {
        let Some(mut reader) = self.reader(number) else {
            return Ok(());
        };
        for column in columns.iter_mut().filter(|column| chosen(column)) {
            column.collation = Some(collation(&mut reader)?);
        }
        if reader.is_empty() { Ok(()) } else { Err(reader.invalid("a character set for a column that is not there")) }
    }

    fn read_texts(&self, columns: &mut [ColumnMetadata<'a>]) -> Result<(), EventError> {
        if let Some(mut reader) = self.reader(field::COLUMN_NAME) {
            for column in columns.iter_mut() {
                column.name = Some(reader.packed_bytes()?);
            }
        }
        for (number, real) in [(field::ENUM_STR_VALUE, ENUM), (field::SET_STR_VALUE, SET)] {
            let Some(mut reader) = self.reader(number) else {
                continue;
            };
            for column in columns.iter_mut().filter(|column| column.column_type.real == real) {
                column.values = Some(texts(&mut reader)?);
            }
        }
        Ok(())
    }

    fn read_integers(&self, columns: &mut [ColumnMetadata<'a>]) -> Result<(), EventError> {
        if let Some(mut reader) = self.reader(field::GEOMETRY_TYPE) {
            for column in columns.iter_mut().filter(|column| column.column_type.real == GEOMETRY) {
                column.geometry_type = Some(collation(&mut reader)?);
            }
        }
        if let Some(mut reader) = self.reader(field::VECTOR_DIMENSIONALITY) {
            for column in columns.iter_mut().filter(|column| column.column_type.real == VECTOR) {
                column.vector_dimensions = Some(collation(&mut reader)?);
            }
        }
        Ok(())
    }

    fn read_key(&self, columns: &mut [ColumnMetadata<'a>]) -> Result<(), EventError> {
        for (number, with_prefix) in [(field::SIMPLE_PRIMARY_KEY, false), (field::PRIMARY_KEY_WITH_PREFIX, true)] {
            let Some(mut reader) = self.reader(number) else {
                continue;
            };
            let mut position = 0;
            while !reader.is_empty() {
                let place = reader.packed_length()?;
                let prefix = if with_prefix { collation(&mut reader)? } else { 0 };
                position += 1;
                match columns.get_mut(place) {
                    Some(column) => {
                        column.key_position = Some(position);
                        column.key_prefix = prefix;
                    }
                    None => return Err(reader.invalid("a key column that is not there")),
                }
            }
        }
        Ok(())
    }
}

/// Bit `index` of a bitmap whose first bit is the most significant of the first byte.
fn high_bit(bits: &[u8], index: usize) -> Result<bool, EventError> {
    match bits.get(index / 8) {
        Some(byte) => Ok(byte << (index % 8) & 0x80 != 0),
        None => Err(EventError::Invalid { what: WHAT, reason: "a bitmap with fewer bits than columns" }),
    }
}

/// A packed integer that fits 32 bits: a collation, a geometry type, a dimension or a prefix.
fn collation(reader: &mut Reader<'_>) -> Result<u32, EventError> {
    let number = reader.packed()?;
    u32::try_from(number).map_err(|_| reader.invalid("a number of more than 32 bits"))
}

/// A count and that many length-prefixed texts, all of which must be there.
fn texts<'a>(reader: &mut Reader<'a>) -> Result<Texts<'a>, EventError> {
    let count = reader.packed_length()?;
    let bytes = reader.clone().rest();
    let start = reader.at();
    for _ in 0..count {
        reader.packed_bytes()?;
    }
    let length = reader.at() - start;
    Ok(Texts { bytes: bytes.get(..length).unwrap_or_default(), count })
}
