//! The wire types of columns and their metadata in a table map.
//!
//! In: the type bytes and the packed metadata of a table map. Out: one [`ColumnType`] a column. Promise: the
//! metadata is used up exactly; a type byte without known metadata is an error only for who asks for it
//! ([`ColumnType::cell`] in `rows`), because tables that nobody captures may hold anything.
//!
//! Source: MySQL `field_types.h` and `rpl_utility.cc` (`read_field_metadata`); MariaDB for 140 and 141.

#![allow(missing_docs)]

use super::error::EventError;
use super::format_description::Flavor;
use super::reader::Reader;

pub const DECIMAL: u8 = 0;
pub const TINY: u8 = 1;
pub const SHORT: u8 = 2;
pub const LONG: u8 = 3;
pub const FLOAT: u8 = 4;
pub const DOUBLE: u8 = 5;
pub const NULL: u8 = 6;
pub const TIMESTAMP: u8 = 7;
pub const LONGLONG: u8 = 8;
pub const INT24: u8 = 9;
pub const DATE: u8 = 10;
pub const TIME: u8 = 11;
pub const DATETIME: u8 = 12;
pub const YEAR: u8 = 13;
pub const NEWDATE: u8 = 14;
pub const VARCHAR: u8 = 15;
pub const BIT: u8 = 16;
pub const TIMESTAMP2: u8 = 17;
pub const DATETIME2: u8 = 18;
pub const TIME2: u8 = 19;
pub const TYPED_ARRAY: u8 = 20;
pub const BLOB_COMPRESSED: u8 = 140;
pub const VARCHAR_COMPRESSED: u8 = 141;
pub const VECTOR: u8 = 242;
pub const JSON: u8 = 245;
pub const NEWDECIMAL: u8 = 246;
pub const ENUM: u8 = 247;
pub const SET: u8 = 248;
pub const TINY_BLOB: u8 = 249;
pub const MEDIUM_BLOB: u8 = 250;
pub const LONG_BLOB: u8 = 251;
pub const BLOB: u8 = 252;
pub const VAR_STRING: u8 = 253;
pub const STRING: u8 = 254;
pub const GEOMETRY: u8 = 255;

/// A column's wire type, with the metadata unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnType {
    /// The type byte as it stands in the table map.
    pub wire: u8,
    /// The type byte, but [`ENUM`] and [`SET`] where the wire says [`STRING`] and means those.
    pub real: u8,
    /// Bytes for [`STRING`], [`VARCHAR`], [`ENUM`] and [`SET`]; length bytes for BLOBs, [`JSON`], [`GEOMETRY`]
    /// and [`VECTOR`]; bytes for [`FLOAT`] and [`DOUBLE`]; precision × 256 + scale for [`NEWDECIMAL`]; bits for
    /// [`BIT`]; digits of the second's fraction for temporal types; 0 for all others.
    pub metadata: u16,
}

impl ColumnType {
    /// Whether the table map's signedness has a bit for the column.
    pub fn is_numeric(self) -> bool {
        matches!(self.wire, TINY | SHORT | INT24 | LONG | LONGLONG | NEWDECIMAL | FLOAT | DOUBLE | YEAR)
    }

    /// Whether the table map's character sets have an entry for the column: MySQL counts VECTOR in, MariaDB
    /// GEOMETRY.
    pub fn is_character(self, flavor: Flavor) -> bool {
        let own = match flavor {
            Flavor::MySql => VECTOR,
            Flavor::MariaDb => GEOMETRY,
        };
        self.real == own
            || matches!(
                self.real,
                STRING
                    | VAR_STRING
                    | VARCHAR
                    | TINY_BLOB
                    | MEDIUM_BLOB
                    | LONG_BLOB
                    | BLOB
                    | BLOB_COMPRESSED
                    | VARCHAR_COMPRESSED
            )
    }

    /// Whether the column is an ENUM or a SET.
    pub fn is_enum_or_set(self) -> bool {
        matches!(self.real, ENUM | SET)
    }

    fn read(wire: u8, reader: &mut Reader<'_>) -> Result<Self, EventError> {
        let (real, metadata) = match wire {
            FLOAT | DOUBLE | TINY_BLOB | MEDIUM_BLOB | LONG_BLOB | BLOB | BLOB_COMPRESSED | JSON | GEOMETRY
            | VECTOR | TIMESTAMP2 | DATETIME2 | TIME2 => (wire, u16::from(reader.u8()?)),
            VARCHAR | VARCHAR_COMPRESSED | VAR_STRING => (wire, reader.u16()?),
            BIT => {
                let (bits, bytes) = (reader.u8()?, reader.u8()?);
                (wire, u16::from(bytes) * 8 + u16::from(bits))
            }
            NEWDECIMAL => (wire, u16::from_be_bytes(reader.array()?)),
            STRING | ENUM | SET => string(reader.u8()?, reader.u8()?),
            TYPED_ARRAY => {
                let element = reader.u8()?;
                if element == VARCHAR {
                    reader.take(3)?;
                } else {
                    ColumnType::read(element, reader)?;
                }
                (wire, 0)
            }
            _ => (wire, 0),
        };
        Ok(ColumnType { wire, real, metadata })
    }
}

/// A length over 255 lends two bits from the type byte, whose own are always set: 0x30 turned over.
fn string(kind: u8, length: u8) -> (u8, u16) {
    if kind & 0x30 != 0x30 {
        let high = u16::from(kind & 0x30 ^ 0x30) << 4;
        (kind | 0x30, high | u16::from(length))
    } else {
        (kind, u16::from(length))
    }
}

/// Goes through the columns of a table map in order.
#[derive(Clone, Debug)]
pub struct ColumnTypes<'a> {
    types: std::slice::Iter<'a, u8>,
    metadata: Reader<'a>,
}

impl<'a> ColumnTypes<'a> {
    /// From the fields of a table map.
    pub fn new(types: &'a [u8], metadata: &'a [u8]) -> Self {
        ColumnTypes { types: types.iter(), metadata: Reader::new(metadata, "table map's column metadata") }
    }
}

impl Iterator for ColumnTypes<'_> {
    type Item = Result<ColumnType, EventError>;

    fn next(&mut self) -> Option<Self::Item> {
        let wire = *self.types.next()?;
        Some(ColumnType::read(wire, &mut self.metadata))
    }
}
