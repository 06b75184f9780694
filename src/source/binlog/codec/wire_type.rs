//! The numbers of MySQL's and MariaDB's wire types, with their names for messages.

pub(super) use super::super::event::column_type::*;

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
