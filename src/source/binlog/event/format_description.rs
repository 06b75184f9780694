//! FORMAT_DESCRIPTION: what the events after it look like.
//!
//! In: the event. Out: [`Format`], which every other decoder is given. Promise: the checksum rule of a file is
//! taken from the file, never guessed from the server's version alone. Nothing survives a crash.
//!
//! Source: MySQL internals manual, "FORMAT_DESCRIPTION_EVENT": version (2), server version (50), created (4),
//! header length (1), a post-header length for each event type from 1, then the checksum algorithm (1) and room
//! for a checksum (4), which is there whatever the algorithm says (MySQL 5.6.1, MariaDB 5.3).

pub use super::super::flavor::Flavor;
use super::error::EventError;
use super::event_type::*;
use super::header::{CHECKSUM_LENGTH, ChecksumAlgorithm, HEADER_LENGTH};
use super::reader::Reader;

const WHAT: &str = "format description event";
const SERVER_VERSION_LENGTH: usize = 50;
const BINLOG_VERSION: u16 = 4;

/// How the events of one binlog file are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// What stands behind each event.
    pub checksum: ChecksumAlgorithm,
    /// The server's version as it prints it, for example `8.0.45` or `11.8.6-MariaDB-log`.
    pub server_version: String,
    /// Who wrote the file.
    pub flavor: Flavor,
    /// When the file was begun, in seconds since 1970; 0 unless the server was started with it.
    pub created: u32,
    post_header_lengths: [u8; 256],
}

impl Format {
    /// The format to assume until the first format description event: everything as a current server has it,
    /// with the checksum that was agreed on with `@master_binlog_checksum`.
    pub fn initial(checksum: ChecksumAlgorithm) -> Self {
        let mut post_header_lengths = [0; 256];
        let current = [
            (QUERY_EVENT, 13),
            (ROTATE_EVENT, 8),
            (FORMAT_DESCRIPTION_EVENT, 84),
            (BEGIN_LOAD_QUERY_EVENT, 4),
            (EXECUTE_LOAD_QUERY_EVENT, 26),
            (TABLE_MAP_EVENT, 8),
            (WRITE_ROWS_EVENT_V1, 8),
            (UPDATE_ROWS_EVENT_V1, 8),
            (DELETE_ROWS_EVENT_V1, 8),
            (INCIDENT_EVENT, 2),
            (WRITE_ROWS_EVENT, 10),
            (UPDATE_ROWS_EVENT, 10),
            (DELETE_ROWS_EVENT, 10),
            (GTID_EVENT, 42),
            (ANONYMOUS_GTID_EVENT, 42),
            (TRANSACTION_CONTEXT_EVENT, 18),
            (VIEW_CHANGE_EVENT, 52),
            (PARTIAL_UPDATE_ROWS_EVENT, 10),
            (MARIADB_GTID_EVENT, 19),
            (MARIADB_GTID_LIST_EVENT, 4),
            (MARIADB_BINLOG_CHECKPOINT_EVENT, 4),
            (MARIADB_QUERY_COMPRESSED_EVENT, 13),
            (MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1, 8),
            (MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1, 8),
            (MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1, 8),
            (MARIADB_WRITE_ROWS_COMPRESSED_EVENT, 10),
            (MARIADB_UPDATE_ROWS_COMPRESSED_EVENT, 10),
            (MARIADB_DELETE_ROWS_COMPRESSED_EVENT, 10),
        ];
        for (event_type, length) in current {
            post_header_lengths[usize::from(event_type)] = length;
        }
        let flavor = Flavor::default();
        Format { checksum, server_version: String::new(), flavor, created: 0, post_header_lengths }
    }

    /// Bytes between the header and the variable part of events of this type.
    pub fn post_header_length(&self, event_type: u8) -> usize {
        usize::from(self.post_header_lengths[usize::from(event_type)])
    }

    /// The format of the events inside a transaction payload: the same, without checksums.
    pub fn inside_payload(&self) -> Format {
        Format { checksum: ChecksumAlgorithm::None, ..self.clone() }
    }

    /// Reads a format description event from its header to its checksum.
    ///
    /// Errors: [`EventError::FormatVersion`], [`EventError::ChecksumAlgorithm`], or a truncated event.
    pub fn parse(event: &[u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(event.get(HEADER_LENGTH..).unwrap_or_default(), WHAT);
        let version = reader.u16()?;
        let name = reader.take(SERVER_VERSION_LENGTH)?;
        let created = reader.u32()?;
        let header_length = reader.u8()?;
        if version != BINLOG_VERSION || usize::from(header_length) != HEADER_LENGTH {
            return Err(EventError::FormatVersion { version, header_length });
        }
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let Some(types) = reader.remaining().checked_sub(1 + CHECKSUM_LENGTH) else {
            return Err(reader.invalid("no room for the checksum algorithm: a server older than MySQL 5.6"));
        };
        let lengths = reader.take(types)?;
        let checksum = ChecksumAlgorithm::from_byte(reader.u8()?)?;
        let mut post_header_lengths = [0; 256];
        for (slot, length) in post_header_lengths.iter_mut().skip(1).zip(lengths) {
            *slot = *length;
        }
        let server_version = String::from_utf8_lossy(name).into_owned();
        // MariaDB's own event types begin at 160, and only MariaDB lists so many.
        let is_mariadb = types >= usize::from(MARIADB_ANNOTATE_ROWS_EVENT) || server_version.contains("MariaDB");
        let flavor = if is_mariadb { Flavor::MariaDb } else { Flavor::MySql };
        Ok(Format { checksum, server_version, flavor, created, post_header_lengths })
    }
}
