//! The events of the binlog: bytes in, borrowed values out, without I/O.
//!
//! ```text
//!  one whole event ──▶ verify_checksum ──▶ decode ──▶ Event<'_> ──▶ ImagePlan::walk ──▶ Cell per column
//!  (19-byte header       (header.rs)      (mod.rs)   (a file each)      (rows.rs)         │
//!   … CRC32)                                                                              ├─▶ json::write_text
//!                                                                                         └─▶ decompress_column
//! ```
//!
//! In: one event as MySQL or MariaDB sends it, header and checksum included, and the [`Format`] of its file.
//! Out: an [`Event`] that borrows from those bytes. Promise: every function is total (any bytes give a value or
//! an [`EventError`], in time and memory bounded by their number); table maps, rows, GTIDs and XIDs are decoded
//! and rows walked without allocating; an event that is not known is skipped only if its flags allow it.
//! Survives a crash: nothing; what must, is made of these values by others.

pub mod binlog_checkpoint;
pub mod column_type;
pub mod compressed;
pub mod compressed_column;
pub mod error;
pub mod event_type;
pub mod format_description;
pub mod gtid;
pub mod header;
pub mod heartbeat;
pub mod incident;
pub mod json;
pub mod mariadb_gtid;
pub mod mariadb_gtid_list;
pub mod mysql_gtid;
pub mod partial_row_data;
pub mod previous_gtids;
pub mod query;
pub mod reader;
pub mod rotate;
pub mod rows;
pub mod rows_event;
pub mod rows_query;
pub mod statement_context;
pub mod table_map;
pub mod table_metadata;
pub mod tagged_gtid;
pub mod transaction_payload;
pub mod xa_prepare;

#[cfg(test)]
mod tests;

pub use compressed_column::decompress_column;
pub use error::{CODES, EventError};
pub use format_description::{Flavor, Format};
pub use gtid::{MariadbGtid, MariadbGtidSet, MysqlGtidSet, Tag, Uuid};
pub use header::{ChecksumAlgorithm, EventHeader, HEADER_LENGTH, verify_checksum};
pub use heartbeat::Heartbeat;
pub use incident::Incident;
pub use mariadb_gtid::MariadbGtidEvent;
pub use mariadb_gtid_list::MariadbGtidList;
pub use mysql_gtid::Gtid;
pub use partial_row_data::PartialRowData;
pub use previous_gtids::PreviousGtids;
pub use query::{Query, Session};
pub use rotate::Rotate;
pub use rows::{Cell, CellFormat, ImagePlan, PartialColumns};
pub use rows_event::{Rows, RowsKind};
pub use statement_context::{IntVar, Rand, UserVar};
pub use table_map::TableMap;
pub use table_metadata::{ColumnMetadata, TableMetadata};
pub use transaction_payload::{PayloadDecoder, PayloadEvents, TransactionPayload};
pub use xa_prepare::{XaPrepare, Xid};

use event_type::*;

/// One event, borrowing from the bytes it was decoded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// How the following events are laid out.
    FormatDescription(Box<Format>),
    /// The next file.
    Rotate(Rotate<'a>),
    /// Begins a MySQL transaction.
    Gtid(Gtid<'a>),
    /// Begins a MySQL transaction without GTID; carries its commit time all the same.
    AnonymousGtid(Gtid<'a>),
    /// The GTIDs before this file.
    PreviousGtids(PreviousGtids<'a>),
    /// Begins a MariaDB event group.
    MariadbGtid(MariadbGtidEvent<'a>),
    /// The GTIDs before this file (MariaDB).
    MariadbGtidList(MariadbGtidList<'a>),
    /// A statement.
    Query(Query<'a>),
    /// The statement behind the rows that follow.
    RowsQuery(&'a [u8]),
    /// Numbers a table.
    TableMap(TableMap<'a>),
    /// Rows of one table.
    Rows(Rows<'a>),
    /// A piece of a rows event (MariaDB 12.3).
    PartialRowData(PartialRowData<'a>),
    /// Commits a transaction.
    Xid(u64),
    /// Ends the first half of a distributed transaction.
    XaPrepare(XaPrepare<'a>),
    /// A transaction's events, packed.
    TransactionPayload(TransactionPayload<'a>),
    /// The server is there.
    Heartbeat(Heartbeat<'a>),
    /// The server's binlog misses something.
    Incident(Incident<'a>),
    /// The server stopped, or the file ends here.
    Stop,
    /// A value of the statement that follows.
    IntVar(IntVar),
    /// The seeds of the statement that follows.
    Rand(Rand),
    /// A variable of the statement that follows.
    UserVar(UserVar<'a>),
    /// Known, and of no use for reading changes: group replication's, LOAD DATA's in statement format,
    /// MariaDB's checkpoint. The type byte.
    Irrelevant(u8),
    /// Not known, and marked as one that may be skipped. The type byte.
    Ignorable(u8),
}

/// Decodes one whole event, header and checksum included. The checksum is cut off, not checked: that is
/// [`verify_checksum`], which an event inside a transaction payload must not go through.
///
/// Errors: the bytes are not one event; a field is not as its format demands; [`EventError::UnknownEvent`]
/// when the type is neither known nor ignorable; [`EventError::Encrypted`].
pub fn decode<'a>(event: &'a [u8], format: &Format) -> Result<Event<'a>, EventError> {
    decode_after(&EventHeader::of(event)?, event, format)
}

/// The same for who has read the header.
#[inline]
pub fn decode_after<'a>(header: &EventHeader, event: &'a [u8], format: &Format) -> Result<Event<'a>, EventError> {
    if header.event_type == FORMAT_DESCRIPTION_EVENT {
        return Ok(Event::FormatDescription(Box::new(Format::parse(event)?)));
    }
    let Some(body) = body_of(event, format) else {
        let (event_type, declared, actual) = (header.event_type, header.event_size, event.len());
        return Err(EventError::Length { event_type, declared, actual });
    };
    decode_body(header, body, format)
}

/// What lies between the header and the checksum; `None` where there is no room for both.
#[inline]
pub fn body_of<'a>(event: &'a [u8], format: &Format) -> Option<&'a [u8]> {
    event.get(HEADER_LENGTH..event.len().checked_sub(format.checksum.length())?)
}

/// Decodes what lies between the header and the checksum.
fn decode_body<'a>(header: &EventHeader, body: &'a [u8], format: &Format) -> Result<Event<'a>, EventError> {
    let post_header = format.post_header_length(header.event_type);
    Ok(match header.event_type {
        TABLE_MAP_EVENT => Event::TableMap(TableMap::parse(body, format.flavor, post_header)?),
        WRITE_ROWS_EVENT..=DELETE_ROWS_EVENT
        | WRITE_ROWS_EVENT_V1..=DELETE_ROWS_EVENT_V1
        | PARTIAL_UPDATE_ROWS_EVENT
        | MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1..=MARIADB_DELETE_ROWS_COMPRESSED_EVENT => {
            Event::Rows(decode_rows(header, body, post_header)?)
        }
        GTID_EVENT => Event::Gtid(Gtid::parse(body, false)?),
        ANONYMOUS_GTID_EVENT => Event::AnonymousGtid(Gtid::parse(body, true)?),
        GTID_TAGGED_EVENT => Event::Gtid(tagged_gtid::parse(body)?),
        MARIADB_GTID_EVENT => Event::MariadbGtid(MariadbGtidEvent::parse(body, header.server_id)?),
        XID_EVENT => Event::Xid(reader::Reader::new(body, "XID event").u64()?),
        QUERY_EVENT => Event::Query(Query::parse(body, post_header, false)?),
        MARIADB_QUERY_COMPRESSED_EVENT => Event::Query(Query::parse(body, post_header, true)?),
        EXECUTE_LOAD_QUERY_EVENT => Event::Query(Query::parse(body, post_header, false)?),
        TRANSACTION_PAYLOAD_EVENT => Event::TransactionPayload(TransactionPayload::parse(body)?),
        ROTATE_EVENT => Event::Rotate(Rotate::parse(body)?),
        HEARTBEAT_EVENT => Event::Heartbeat(Heartbeat::parse_v1(body, header.next_position)?),
        HEARTBEAT_EVENT_V2 => Event::Heartbeat(Heartbeat::parse_v2(body)?),
        ROWS_QUERY_EVENT => Event::RowsQuery(rows_query::parse_rows_query(body)?),
        MARIADB_ANNOTATE_ROWS_EVENT => Event::RowsQuery(body),
        PREVIOUS_GTIDS_EVENT => Event::PreviousGtids(PreviousGtids { encoded: body }),
        MARIADB_GTID_LIST_EVENT => Event::MariadbGtidList(MariadbGtidList::parse(body)?),
        MARIADB_PARTIAL_ROW_DATA_EVENT => Event::PartialRowData(PartialRowData::parse(body)?),
        MARIADB_START_ENCRYPTION_EVENT => {
            return Err(EventError::Encrypted { scheme: body.first().copied().unwrap_or_default() });
        }
        XA_PREPARE_EVENT => Event::XaPrepare(XaPrepare::parse(body)?),
        INCIDENT_EVENT => Event::Incident(Incident::parse(body)?),
        STOP_EVENT => Event::Stop,
        INTVAR_EVENT => Event::IntVar(IntVar::parse(body)?),
        RAND_EVENT => Event::Rand(Rand::parse(body)?),
        USER_VAR_EVENT => Event::UserVar(UserVar::parse(body)?),
        TRANSACTION_CONTEXT_EVENT
        | VIEW_CHANGE_EVENT
        | BEGIN_LOAD_QUERY_EVENT
        | APPEND_BLOCK_EVENT
        | DELETE_FILE_EVENT
        | MARIADB_BINLOG_CHECKPOINT_EVENT => Event::Irrelevant(header.event_type),
        IGNORABLE_EVENT => Event::Ignorable(header.event_type),
        event_type if header.is_ignorable() => Event::Ignorable(event_type),
        event_type => {
            return Err(EventError::UnknownEvent { event_type, next_position: header.next_position });
        }
    })
}

/// The type bytes of rows events follow each other as write, update, delete.
fn decode_rows<'a>(header: &EventHeader, body: &'a [u8], post_header: usize) -> Result<Rows<'a>, EventError> {
    use RowsKind::{Delete, PartialUpdate, Update, Write};
    let (kind, version, compressed) = match header.event_type {
        WRITE_ROWS_EVENT => (Write, 2, false),
        UPDATE_ROWS_EVENT => (Update, 2, false),
        DELETE_ROWS_EVENT => (Delete, 2, false),
        PARTIAL_UPDATE_ROWS_EVENT => (PartialUpdate, 2, false),
        WRITE_ROWS_EVENT_V1 => (Write, 1, false),
        UPDATE_ROWS_EVENT_V1 => (Update, 1, false),
        DELETE_ROWS_EVENT_V1 => (Delete, 1, false),
        MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1 => (Write, 1, true),
        MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1 => (Update, 1, true),
        MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1 => (Delete, 1, true),
        MARIADB_WRITE_ROWS_COMPRESSED_EVENT => (Write, 2, true),
        MARIADB_UPDATE_ROWS_COMPRESSED_EVENT => (Update, 2, true),
        MARIADB_DELETE_ROWS_COMPRESSED_EVENT => (Delete, 2, true),
        event_type => {
            return Err(EventError::UnknownEvent { event_type, next_position: header.next_position });
        }
    };
    Rows::parse(body, kind, version, post_header, compressed)
}
