//! The numbers of MySQL's and MariaDB's wire types (`MYSQL_TYPE_*` of `field_types.h`), and their names.

#![allow(missing_docs)]

pub(super) const TINY: u8 = 1;
pub(super) const SHORT: u8 = 2;
pub(super) const LONG: u8 = 3;
pub(super) const FLOAT: u8 = 4;
pub(super) const DOUBLE: u8 = 5;
pub(super) const TIMESTAMP: u8 = 7;
pub(super) const LONGLONG: u8 = 8;
pub(super) const INT24: u8 = 9;
pub(super) const DATE: u8 = 10;
pub(super) const TIME: u8 = 11;
pub(super) const DATETIME: u8 = 12;
pub(super) const YEAR: u8 = 13;
pub(super) const NEWDATE: u8 = 14;
pub(super) const VARCHAR: u8 = 15;
pub(super) const BIT: u8 = 16;
pub(super) const TIMESTAMP2: u8 = 17;
pub(super) const DATETIME2: u8 = 18;
pub(super) const TIME2: u8 = 19;
/// MariaDB.
pub(super) const BLOB_COMPRESSED: u8 = 140;
/// MariaDB.
pub(super) const VARCHAR_COMPRESSED: u8 = 141;
pub(super) const VECTOR: u8 = 242;
pub(super) const JSON: u8 = 245;
pub(super) const NEWDECIMAL: u8 = 246;
pub(super) const ENUM: u8 = 247;
pub(super) const SET: u8 = 248;
pub(super) const TINY_BLOB: u8 = 249;
pub(super) const MEDIUM_BLOB: u8 = 250;
pub(super) const LONG_BLOB: u8 = 251;
pub(super) const BLOB: u8 = 252;
pub(super) const VAR_STRING: u8 = 253;
pub(super) const STRING: u8 = 254;
pub(super) const GEOMETRY: u8 = 255;

/// The name of a wire type, for messages.
pub(super) fn name(wire_type: u8) -> &'static str {
    match wire_type {
        TINY => "TINY",
        SHORT => "SHORT",
        LONG => "LONG",
        FLOAT => "FLOAT",
        DOUBLE => "DOUBLE",
        TIMESTAMP => "TIMESTAMP",
        LONGLONG => "LONGLONG",
        INT24 => "INT24",
        DATE => "DATE",
        TIME => "TIME",
        DATETIME => "DATETIME",
        YEAR => "YEAR",
        NEWDATE => "NEWDATE",
        VARCHAR => "VARCHAR",
        BIT => "BIT",
        TIMESTAMP2 => "TIMESTAMP2",
        DATETIME2 => "DATETIME2",
        TIME2 => "TIME2",
        BLOB_COMPRESSED => "BLOB_COMPRESSED",
        VARCHAR_COMPRESSED => "VARCHAR_COMPRESSED",
        VECTOR => "VECTOR",
        JSON => "JSON",
        NEWDECIMAL => "NEWDECIMAL",
        ENUM => "ENUM",
        SET => "SET",
        TINY_BLOB => "TINY_BLOB",
        MEDIUM_BLOB => "MEDIUM_BLOB",
        LONG_BLOB => "LONG_BLOB",
        BLOB => "BLOB",
        VAR_STRING => "VAR_STRING",
        STRING => "STRING",
        GEOMETRY => "GEOMETRY",
        _ => "an unknown type",
    }
}
