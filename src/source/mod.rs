//! Server bytes in, batches of changes out.
//!
//! In: what the database's stream says. Out: [`Batch`]es in the order of the stream, cut when the socket has
//! run dry or the block is full, and never by a timer. Promised: a source keeps no state that must survive a
//! crash; it is told its past, and says where it stands with every batch. It does not retry by itself: its
//! errors say whether a new connection may help, and `pipeline` decides.

pub mod binlog;
pub mod codec;
pub mod counts;
pub mod layout;
pub mod line;
pub mod postgres;
mod visible;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use crate::error::Failure;
use crate::model::change::{Batch, Origin, SchemaChange};
use crate::model::position::Position;
use crate::model::row::Row;
use crate::model::table::TableId;

/// Decides by name.
pub type TableFilter = Arc<dyn Fn(&TableId) -> bool + Send + Sync>;

/// Decides by a text.
pub type TextFilter = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What reading gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The batch holds changes, or a position that has moved.
    Batch,
    /// The server is alive and had nothing to say.
    Idle,
}

/// Where a stream begins that has no past: to be made durable before the first change is read.
#[derive(Debug)]
pub struct Beginning {
    /// The position of the first change.
    pub position: Position,
    /// The tables as they were at that position.
    pub schema: Vec<SchemaChange>,
}

/// What a source has read so far, for metrics.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Events of the stream.
    pub events_read: u64,
    /// Bytes of the stream.
    pub bytes_read: u64,
    /// Transactions read to their end.
    pub transactions: u64,
    /// Row events of tables that are not captured.
    pub filtered: u64,
    /// Row events and statements passed over because a setting says so.
    pub passed_over: u64,
    /// The log file that is read.
    pub file: String,
    /// Where in it.
    pub position: u64,
    /// The transactions that were read to their end.
    pub gtids: Option<String>,
    /// When the last change happened, in milliseconds since the epoch; 0 before the first.
    pub last_change_ms: i64,
    /// The id of the last transaction that was read to its end, where ids are numbers.
    pub last_transaction: Option<i64>,
    /// Bytes of the server's log beyond what was read, where the server says so.
    pub unread_bytes: Option<u64>,
    /// Tables that are captured and tracked.
    pub captured_tables: Vec<String>,
}

/// What a server says of the end of its log, beside what the stream has read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadReading {
    /// The end of the log, printed.
    pub head: String,
    /// Bytes of the log between where the stream stands and that end; `None` where they cannot be compared: in logs of
    /// two servers, or while the stream is not open.
    pub behind_bytes: Option<u64>,
    /// Whether the stream has got on since the question before this one.
    pub moved: bool,
    /// Whether the server says that it works on what the stream waits for.
    pub busy: bool,
    /// Whether what comes of an event is no more than the bytes that it takes in the log.
    pub sent_as_kept: bool,
    /// What the server keeps of its log.
    pub kept: KeptLog,
}

/// What a server keeps of its log; `None` where it is not known or without bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptLog {
    /// Bytes that it keeps for this stream.
    pub retained_bytes: Option<u64>,
    /// Bytes that may yet be written before it keeps them no longer.
    pub room_bytes: Option<u64>,
    /// For how long it keeps a file that is written no more, whoever has read it.
    pub time: Option<Duration>,
}

impl HeadReading {
    /// The bytes that a stream is behind an end which lies so far ahead of it; negative: it is beyond that end. A stream
    /// that has `moved` was read from after the question. One that has not stands in another log: of a server that was
    /// restored or whose log was reset.
    pub fn behind(bytes: i64, moved: bool) -> Option<u64> {
        match u64::try_from(bytes) {
            Ok(bytes) => Some(bytes),
            Err(_) if moved => Some(0),
            Err(_) => None,
        }
    }
}

/// Asks the server where its log ends, on a connection of its own with deadlines of its own.
pub trait HeadProbe: Send {
    /// Asks once.
    ///
    /// # Errors
    /// *Retry* when it may be answered later; anything else when the server will never answer it.
    fn ask(&mut self) -> Result<HeadReading, Failure>;
}

/// Writes what the canary waits for, on a connection of its own with deadlines of its own.
pub trait Marker: Send {
    /// Runs it once. `first`: it is the first that is awaited. Says whether it is known where the log ended behind it; where
    /// the server does not say that, nobody knows what has come.
    ///
    /// # Errors
    /// When it could not be run.
    fn write(&mut self, first: bool) -> Result<bool, Failure>;

    /// Whether all is handed over that was in the log when the first that is awaited had been run; or the last: the stream
    /// may by now come from the server that the first did not go to.
    fn has_come(&self) -> bool;
}

/// Reads columns of rows that a change did not bring, as they are now, on a connection of its own with deadlines of its own.
pub trait Reselect: Send {
    /// The values of the columns at `wanted` of the row whose columns at `key` are as in `row`, each with the bytes that a cell
    /// of the stream would have, `None` for null. No values: there is no such row any more. Places are those of cells. What
    /// is read is no older than the row's transaction, which `origin` tells.
    ///
    /// # Errors
    /// *Retry* when the server does not answer now; anything else when it will not answer.
    fn reselect(
        &mut self,
        row: &Row<'_>,
        origin: &Origin,
        key: &[usize],
        wanted: &[usize],
    ) -> Result<Option<Vec<Option<Vec<u8>>>>, Failure>;
}

/// The row that has a key. Where several have it, which is logged, the first one counts.
fn only_row<R>(table: &TableId, rows: impl IntoIterator<Item = R>) -> Option<R> {
    let mut rows = rows.into_iter();
    let found = rows.next();
    if rows.next().is_some() {
        tracing::warn!(%table, "several rows have the key of one that is read again: the first one counts");
    }
    found
}

/// A stream of changes from one server.
pub trait Source: Send {
    /// Who asks the server for the end of its log; `None` where nobody can.
    fn head_probe(&self) -> Option<Box<dyn HeadProbe>> {
        None
    }

    /// Who writes what the canary waits for and sees whether it comes; `None` where nothing is to be written.
    fn marker(&self) -> Option<Box<dyn Marker>> {
        None
    }

    /// Bytes that have come from the server so far, counted on the socket; `None` where they are not.
    fn heard(&self) -> Option<Arc<AtomicU64>> {
        None
    }

    /// Set while it asks the server something inside [`Source::read`] and so does not listen to the stream; where there
    /// is no such flag, it never does for long.
    fn asks(&self) -> Option<Arc<AtomicBool>> {
        None
    }

    /// What must be durable before the first [`Source::read`]; `None` for a stream that continues.
    fn beginning(&mut self) -> Option<Beginning>;

    /// Reads until there is something to hand over, or the server has shown that it is alive.
    ///
    /// # Errors
    /// With a disposition: *retry* means that [`Source::reconnect`] may help.
    fn read(&mut self, batch: &mut Batch) -> Result<Read, Failure>;

    /// Drops the connection and goes on, on a new one, after the last batch that was handed over.
    ///
    /// # Errors
    /// As [`Source::read`].
    fn reconnect(&mut self) -> Result<(), Failure>;

    /// Where the stream stands: after the last batch that was handed over.
    fn position(&self) -> Position;

    /// What was read so far. Costs a few allocations: asked once a second, not once a batch.
    fn report(&self) -> Report;
}
