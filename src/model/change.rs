//! What a source gives out: batches of changes, in the order of its stream.
//!
//! A change of rows is a whole row event: its bytes, its layout and how to find the rows in it. The reader
//! looks at no row; the worker that encodes the batch walks them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::position::{OffsetMap, Position};
use super::row::{RowWalk, TableLayout};
use super::table::{TableChange, TableId};

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Read by a snapshot: `r`.
    Read,
    /// Inserted: `c`.
    Create,
    /// Updated: `u`.
    Update,
    /// Deleted: `d`.
    Delete,
    /// The whole table was emptied: `t`.
    Truncate,
}

impl Operation {
    /// Debezium's letter.
    pub fn letter(self) -> &'static str {
        match self {
            Operation::Read => "r",
            Operation::Create => "c",
            Operation::Update => "u",
            Operation::Delete => "d",
            Operation::Truncate => "t",
        }
    }
}

/// A transaction's global identifier, printed when it is written and not before.
#[derive(Clone, PartialEq, Eq)]
pub enum Gtid {
    /// MySQL: `uuid:number`, or `uuid:tag:number`.
    MySql {
        /// The sixteen bytes of the server's UUID.
        uuid: [u8; 16],
        /// The tag; `None` for an untagged one.
        tag: Option<Arc<str>>,
        /// The transaction's number.
        number: u64,
    },
    /// MariaDB: `domain-server-sequence`.
    MariaDb {
        /// The replication domain.
        domain: u32,
        /// The server that wrote it.
        server_id: u32,
        /// The sequence number.
        sequence: u64,
    },
}

impl Gtid {
    /// Gives its text, part by part. A transaction of one row has one written for each row: no formatting byte by byte.
    ///
    /// # Errors
    /// What `put` fails with.
    pub fn text<E>(&self, mut put: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        let mut digits = itoa::Buffer::new();
        match self {
            Gtid::MySql { uuid, tag, number } => {
                put(uuid::Uuid::from_bytes(*uuid).hyphenated().encode_lower(&mut [0; 36]))?;
                if let Some(tag) = tag {
                    put(":")?;
                    put(tag)?;
                }
                put(":")?;
                put(digits.format(*number))
            }
            Gtid::MariaDb { domain, server_id, sequence } => {
                put(digits.format(*domain))?;
                put("-")?;
                put(digits.format(*server_id))?;
                put("-")?;
                put(digits.format(*sequence))
            }
        }
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(|part| f.write_str(part))
    }
}

impl fmt::Debug for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a change stands in a MySQL or MariaDB binlog: the facts of Debezium's `source` block.
#[derive(Clone, Debug)]
pub struct BinlogOrigin {
    /// The binlog file.
    pub file: Arc<str>,
    /// Where the event begins in the file.
    pub position: u64,
    /// The server that first wrote it.
    pub server_id: u32,
    /// Its transaction's global identifier, where the server has them.
    pub gtid: Option<Gtid>,
    /// The connection that wrote it.
    pub thread: Option<u32>,
    /// When it happened, in microseconds since the epoch; whole seconds where the server gives no more.
    pub timestamp_us: i64,
    /// The statement (`include.query`), as a range of the batch's block.
    pub query: Option<Range<u32>>,
}

/// The server that a replicated transaction was first committed on (a replication origin of PostgreSQL).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationOrigin {
    /// The origin's name.
    pub name: String,
    /// The commit's place in the origin's log.
    pub lsn: u64,
}

/// Where a change stands in PostgreSQL's write-ahead log: the facts of Debezium's `source` block.
#[derive(Clone, Debug)]
pub struct PostgresOrigin {
    /// The change's own place in the log.
    pub lsn: u64,
    /// Behind the commit before its transaction; `None` before the first one is known.
    pub last_commit_lsn: Option<u64>,
    /// Its transaction; `None` for a message outside of one.
    pub transaction_id: Option<u32>,
    /// The slot's `xmin`, where it is asked for.
    pub xmin: Option<i64>,
    /// When its transaction was committed, in microseconds since the epoch.
    pub timestamp_us: i64,
    /// Where its transaction was first committed, if elsewhere.
    pub replication_origin: Option<Arc<ReplicationOrigin>>,
}

/// Where a change comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A binlog.
    Binlog(BinlogOrigin),
    /// PostgreSQL's write-ahead log.
    Postgres(PostgresOrigin),
}

impl Origin {
    /// When it happened, in microseconds since the epoch.
    pub fn timestamp_us(&self) -> i64 {
        match self {
            Origin::Binlog(origin) => origin.timestamp_us,
            Origin::Postgres(origin) => origin.timestamp_us,
        }
    }
}

/// A change's place in its transaction (`provide.transaction.metadata`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionOrder {
    /// Debezium's transaction id: the GTID, `file=…,pos=…`, or PostgreSQL's number of the transaction.
    pub id: Arc<str>,
    /// Among all events of the transaction, from 1, of the first row of the change.
    pub total_order: i64,
    /// Among the events of the table in the transaction, from 1, of the first row of the change.
    pub data_collection_order: i64,
}

/// The rows of one row event.
#[derive(Debug)]
pub struct RowsChange {
    /// How the rows are read.
    pub layout: Arc<TableLayout>,
    /// What happened to them.
    pub operation: Operation,
    /// Where the rows lie in the batch's block.
    pub body: Range<u32>,
    /// How the rows are found in the body.
    pub walk: Arc<dyn RowWalk>,
    /// Where they come from.
    pub origin: Origin,
    /// Rows at the start of the body that were delivered before a restart and are not sent again.
    pub skip_rows: u32,
    /// Their place in the transaction, where it is asked for.
    pub order: Option<TransactionOrder>,
}

/// A transaction began or ended.
#[derive(Clone, Debug)]
pub struct TransactionBoundary {
    /// Debezium's transaction id: the GTID, `file=…,pos=…`, or PostgreSQL's number of the transaction.
    pub id: Arc<str>,
    /// For the end: how many events each table had, by its name, in the order of their first event.
    pub collections: Option<Vec<(String, i64)>>,
    /// When, in microseconds since the epoch.
    pub timestamp_us: i64,
}

/// The `snapshot` field of a source block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotRecord {
    /// The change was streamed.
    No,
    /// It was there when the stream began.
    Yes,
    /// The last of those.
    Last,
}

/// A statement that changed the shape of tables.
#[derive(Clone, Debug)]
pub struct SchemaChange {
    /// The database that the statement belongs to.
    pub database: Arc<str>,
    /// The statement.
    pub ddl: String,
    /// What it changed, table by table.
    pub tables: Vec<TableChange>,
    /// The tables that its statement names in this database, for the source block; empty where Debezium knows the
    /// statement by its text only, `None` for a statement about a whole database or the server.
    pub named: Option<Vec<TableId>>,
    /// Whether it tells what was there already when the stream began.
    pub snapshot: SnapshotRecord,
    /// Where it comes from.
    pub origin: Origin,
    /// The position under which it is written to the schema history.
    pub position: OffsetMap,
    /// Whether a record goes to the schema-change topic (`include.schema.changes` and the filters).
    pub announced: bool,
    /// Whether it is written to the schema history (`store.only.captured…`).
    pub stored: bool,
}

/// A schema change of the past, as the schema history has it.
#[derive(Clone, Debug)]
pub struct PastChange {
    /// The position under which it was written.
    pub position: OffsetMap,
    /// The database that the statement belongs to; may be empty.
    pub database: String,
    /// The statement; may be empty.
    pub ddl: String,
    /// What it changed, table by table; empty in records that have only the statement.
    pub tables: Vec<TableChange>,
}

/// A message that was written to the log with `pg_logical_emit_message`.
#[derive(Debug)]
pub struct LogicalMessage {
    /// The database whose log it is in.
    pub database: Arc<str>,
    /// Its prefix.
    pub prefix: String,
    /// Where its content lies in the batch's block.
    pub content: Range<u32>,
    /// Where it comes from.
    pub origin: Origin,
    /// Its place in the transaction, where it is asked for.
    pub order: Option<TransactionOrder>,
}

/// One thing that happened, in the order of the stream.
#[derive(Debug)]
pub enum Change {
    /// Rows of a table.
    Rows(RowsChange),
    /// A table was emptied.
    Truncate {
        /// The table.
        layout: Arc<TableLayout>,
        /// Where it comes from.
        origin: Origin,
        /// Its place in the transaction.
        order: Option<TransactionOrder>,
    },
    /// A message in the log.
    Message(Box<LogicalMessage>),
    /// A transaction began (`provide.transaction.metadata`).
    Begin(TransactionBoundary),
    /// A transaction ended (`provide.transaction.metadata`).
    End(TransactionBoundary),
    /// The shape of tables changed.
    Schema(Box<SchemaChange>),
    /// It is time for a record on the heartbeat topic.
    Heartbeat,
}

/// Changes that were read together.
#[derive(Debug)]
pub struct Batch {
    /// The bytes that changes point into. What lies behind [`Batch::bytes`] has no meaning: it is kept so that the
    /// block need not be zeroed before it is used again.
    pub block: Vec<u8>,
    /// How many bytes of the block are in use.
    pub bytes: usize,
    /// The changes, in the order of the stream.
    pub changes: Vec<Change>,
    /// From where to go on once every record of this batch is delivered.
    pub position: Position,
    /// When the bytes were received, in nanoseconds since the epoch: the envelope's `ts_ns`.
    pub received_ns: i64,
}

impl Batch {
    /// Makes it empty and keeps its memory.
    pub fn clear(&mut self) {
        self.changes.clear();
        self.bytes = 0;
    }
}
