//! What can be wrong with the bytes of an event, and the page of each error.
//!
//! In: nothing. Out: [`EventError`], small enough to travel in a register pair's worth of memory on the row
//! path, and its [`Code`]. Promise: no variant carries a row value. Nothing survives a crash.

use crate::error::{Code, Coded, Disposition};

/// An event, a row or a value inside one that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The bytes end inside a field.
    #[error("{what} ends early: {needed} bytes needed at offset {at}, {available} there")]
    Truncated {
        /// The event or value being read.
        what: &'static str,
        /// Offset in bytes from the start of the event's body, row body or document.
        at: usize,
        /// Bytes the field has.
        needed: usize,
        /// Bytes that are left.
        available: usize,
    },
    /// The header's length field does not fit the bytes that came.
    #[error("event of type {event_type} says it has {declared} bytes, {actual} came")]
    Length {
        /// The type byte of the header.
        event_type: u8,
        /// The header's `event_size`.
        declared: u32,
        /// The bytes at hand.
        actual: usize,
    },
    /// The CRC32 at the end of the event is another than that of its bytes.
    #[error(
        "event of type {event_type} ending at position {next_position} has CRC32 {computed:08x}, but says {stored:08x}"
    )]
    Checksum {
        /// The type byte of the header.
        event_type: u8,
        /// The header's `next_position`.
        next_position: u32,
        /// What the event carries.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// An event type that must not be skipped and is not known.
    #[error(
        "event type {event_type} (0x{event_type:02x}) ending at position {next_position} is not known and not ignorable"
    )]
    UnknownEvent {
        /// The type byte of the header.
        event_type: u8,
        /// The header's `next_position`.
        next_position: u32,
    },
    /// A checksum algorithm that is neither NONE nor CRC32.
    #[error("checksum algorithm {0} is not known")]
    ChecksumAlgorithm(u8),
    /// A binlog that is not of version 4, or whose headers are not 19 bytes.
    #[error("binlog format version {version} with headers of {header_length} bytes is not supported")]
    FormatVersion {
        /// The version in the format description event; 4 since MySQL 5.0.
        version: u16,
        /// Bytes in each event's header.
        header_length: u8,
    },
    /// A field holds what its manual page does not allow.
    #[error("{what}: {reason}")]
    Invalid {
        /// The event or value being read.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// MariaDB's binlog encryption reached us unopened.
    #[error("the binlog is encrypted (START_ENCRYPTION event, scheme {scheme})")]
    Encrypted {
        /// The scheme byte; 1 is MariaDB's only one.
        scheme: u8,
    },
    /// Compressed bytes that do not decompress.
    #[error("{what} does not decompress: {reason}")]
    Decompress {
        /// The event or value being read.
        what: &'static str,
        /// What the library said.
        reason: &'static str,
    },
    /// Something is larger than its limit.
    #[error("{what} has {size} bytes, more than the limit of {limit}")]
    Limit {
        /// The event or value being read.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A column whose type byte has no known row format.
    #[error("column {column} (counted from 1) has wire type {wire_type}, which has no known row format")]
    ColumnType {
        /// Place of the column in the table, from 1.
        column: usize,
        /// The type byte of the table map.
        wire_type: u8,
    },
    /// A row image that ends inside a column.
    #[error("row ends early in column {column} (counted from 1), at offset {at} of {length} bytes")]
    Row {
        /// Place of the column in the table, from 1; 0 is the null bitmap.
        column: usize,
        /// Where the column begins.
        at: usize,
        /// Bytes in the rows body.
        length: usize,
    },
    /// A JSON document in MySQL's binary format that contradicts itself.
    #[error("binary JSON is not well formed at offset {at}: {reason}")]
    Json {
        /// Offset in bytes from the start of the document.
        at: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A JSON diff that does not fit the document it is for.
    #[error("JSON diff cannot be applied: {reason}")]
    JsonDiff {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text that is not a GTID set.
    #[error("not a GTID set at character {at}: {reason}")]
    GtidText {
        /// Offset in bytes from the start of the text.
        at: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}

const fn stop(number: u16, title: &'static str, hint: &'static str) -> Code {
    Code { number, disposition: Disposition::Stop, title, hint }
}

const fn retry(number: u16, title: &'static str, hint: &'static str) -> Code {
    Code { number, disposition: Disposition::Retry, title, hint }
}

/// The pages of this room, in order of their numbers.
pub static CODES: &[Code] = &[
    retry(
        300,
        "a binlog event ends early",
        "The event is fetched again from the last stored position. If it stays, the binlog file is damaged: run `mysqlbinlog --verify-binlog-checksum` on it, then restart from a good position or a new snapshot.",
    ),
    retry(
        301,
        "a binlog event's length does not fit what came",
        "The event is fetched again from the last stored position. If it stays, a proxy between Headwater and the server alters packets, or the file is damaged: run `mysqlbinlog --verify-binlog-checksum` on it.",
    ),
    retry(
        302,
        "a binlog event fails its CRC32",
        "The event is fetched again from the last stored position. If it stays, the file is damaged on the server: run `mysqlbinlog --verify-binlog-checksum`, and check disk and memory of the server.",
    ),
    stop(
        303,
        "a binlog event type is not known",
        "The server is newer than this Headwater, or uses a replication feature that Headwater does not know. Nothing was skipped. Update Headwater, or switch the feature off and restart from a position behind the event.",
    ),
    stop(
        304,
        "the checksum algorithm is not known",
        "Set `binlog_checksum` to CRC32 or NONE on the server: SET GLOBAL binlog_checksum = 'CRC32'.",
    ),
    stop(
        305,
        "the binlog format version is not supported",
        "Headwater reads version 4 (MySQL 5.0 and later, MariaDB). Check that the address is that of a database server and not of a proxy that writes binlogs of its own.",
    ),
    stop(
        306,
        "a binlog event holds what its format does not allow",
        "Nothing was skipped. Run `mysqlbinlog` on the same file and position: if it fails too, the file is damaged; if not, report this with the event type and position.",
    ),
    stop(
        307,
        "the binlog is encrypted",
        "MariaDB sends encrypted events only when it cannot decrypt its own file. Check the server's key management plugin and error log.",
    ),
    stop(
        308,
        "compressed bytes do not decompress",
        "Nothing was skipped. Run `mysqlbinlog` on the same file and position: if it fails too, the file is damaged. To go on without compression: SET GLOBAL binlog_transaction_compression = OFF (MySQL), log_bin_compress = OFF (MariaDB), and restart from a position behind the event.",
    ),
    stop(
        309,
        "an event or value is larger than its limit",
        "A length this large is a sign of damage. If the data really is that large, report it with the event type and position.",
    ),
    stop(
        310,
        "a column's wire type is not known",
        "The table is captured and has a column of a type that this Headwater cannot read. Exclude the table (`table.exclude.list`), or update Headwater.",
    ),
    stop(
        311,
        "a row ends early",
        "The rows do not fit their table map. Nothing was skipped. Run `mysqlbinlog -vv` on the same file and position: if it fails too, the file is damaged.",
    ),
    stop(
        312,
        "a binary JSON document is not well formed",
        "Nothing was skipped. Check the row on the server with `SELECT JSON_VALID(column)`; if it is valid there, report this with table and position.",
    ),
    stop(
        313,
        "a JSON diff does not fit its document",
        "A partial JSON update needs the whole value before it. Set `binlog_row_value_options = ''` on the server: SET GLOBAL binlog_row_value_options = ''.",
    ),
    stop(
        314,
        "a GTID set cannot be read",
        "Write it as the server prints it: `SELECT @@global.gtid_executed` (MySQL) or `SELECT @@global.gtid_current_pos` (MariaDB).",
    ),
];

impl Coded for EventError {
    fn code(&self) -> &'static Code {
        let index = match self {
            EventError::Truncated { .. } => 0,
            EventError::Length { .. } => 1,
            EventError::Checksum { .. } => 2,
            EventError::UnknownEvent { .. } => 3,
            EventError::ChecksumAlgorithm(_) => 4,
            EventError::FormatVersion { .. } => 5,
            EventError::Invalid { .. } => 6,
            EventError::Encrypted { .. } => 7,
            EventError::Decompress { .. } => 8,
            EventError::Limit { .. } => 9,
            EventError::ColumnType { .. } => 10,
            EventError::Row { .. } => 11,
            EventError::Json { .. } => 12,
            EventError::JsonDiff { .. } => 13,
            EventError::GtidText { .. } => 14,
        };
        &CODES[index]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// The numbers are part of the interface: page n of this room is HW0300 + n.
    #[test]
    fn codes_count_up_from_300() {
        for (index, code) in CODES.iter().enumerate() {
            assert_eq!(code.number as usize, 300 + index);
            assert!(!code.hint.is_empty());
        }
        let error = EventError::GtidText { at: 0, reason: "" };
        assert_eq!(error.code().number, 314);
        assert_eq!(EventError::Truncated { what: "", at: 0, needed: 0, available: 0 }.code().number, 300);
        assert!(std::mem::size_of::<EventError>() <= 48);
    }
}
