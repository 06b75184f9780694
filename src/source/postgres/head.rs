//! Where the server's write-ahead log ends, and how far the stream is behind it.
//!
//! In: the end of the log that was flushed (of what was replayed, on a standby) and what the slot's walsender does, on a
//! connection of its own; and how far the stream was told to be. Out: the end, and the bytes between. The log also grows
//! by what no publication is about: other databases, unlogged tables, the server's own records. The walsender reads all
//! of it and says in keep-alives how far it is, so that a stream that gets on reaches the head. While it decodes, it says
//! nothing; so the stream is called stuck only where the walsender waits, although there is log to be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::catalog::Catalog;
use super::connection::{Lsn, quote_literal};
use super::error::PostgresError;
use super::options::PostgresOptions;
use crate::error::Failure;
use crate::source::{HeadProbe, HeadReading, KeptLog};
use crate::util::stop::Stop;

/// How long connecting and one question may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// What a walsender waits for that has nothing to decode, or is held back (manual, "Wait Events"): new log, under the names
/// of several versions; the connection, which has its own verdict; from PostgreSQL 17 on, a standby.
const WAITS: [&str; 4] = ["WalSenderMain", "WalSenderWaitForWAL", "WalSenderWaitForWal", "WaitForStandbyConfirmation"];

/// Waiting for new log, as `WAITS` has it.
const WAITS_FOR_LOG: [&str; 2] = ["WalSenderWaitForWAL", "WalSenderWaitForWal"];

/// A walsender that waits for log may be so far behind what is flushed without being stuck: of an open transaction the
/// server flushes whole pages, and the end of the last record is then not among them.
const UNFINISHED_RECORD_BYTES: u64 = 1 << 20;

/// Whether a walsender with this wait event, so far behind the head, does what it should.
fn is_at_work(waits: Option<&str>, behind_bytes: Option<u64>) -> bool {
    let Some(event) = waits else { return true };
    let unfinished = behind_bytes.is_none_or(|bytes| bytes <= UNFINISHED_RECORD_BYTES);
    !WAITS.contains(&event) || (WAITS_FOR_LOG.contains(&event) && unfinished)
}

/// Where the stream stands, for those who are not its thread.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// The newest place that the server has told; 0 while there is no stream.
    pub end: AtomicU64,
    /// All that was committed before this is handed over; 0 while there is no stream.
    pub handed_over: AtomicU64,
    /// Bytes that have come.
    pub heard: Arc<AtomicU64>,
}

/// Asks a PostgreSQL server.
pub(super) struct PostgresHeadProbe {
    catalog: Catalog,
    sql: String,
    reached: Arc<Reached>,
    before: u64,
}

impl PostgresHeadProbe {
    pub(super) fn new(options: &PostgresOptions, reached: Arc<Reached>, stop: Stop) -> Self {
        let mut connect = options.connect.clone();
        (connect.connect_timeout, connect.query_timeout) = (DEADLINE, Some(DEADLINE));
        let mut statements = options.initial_statements.clone();
        statements.push(format!("SET statement_timeout = {}", DEADLINE.as_millis()));
        let slot = quote_literal(&options.slot.name);
        let sql = format!(
            "SELECT e.head, a.wait_event AS waits, e.head - s.restart_lsn AS retained, \
             pg_catalog.to_jsonb(s) ->> 'safe_wal_size' AS room \
             FROM (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
             ELSE pg_catalog.pg_current_wal_flush_lsn() END AS head) AS e \
             LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.slot_name = {slot} \
             LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = s.active_pid"
        );
        PostgresHeadProbe { catalog: Catalog::new(connect, statements, stop), sql, reached, before: 0 }
    }
}

impl HeadProbe for PostgresHeadProbe {
    fn ask(&mut self) -> Result<HeadReading, Failure> {
        let answer = self.catalog.query_once(&self.sql)?;
        let head = answer.first("head").and_then(|text| text.parse::<Lsn>().ok());
        let head = head.ok_or(PostgresError::Catalog("the end of the log"))?;
        let waits = answer.first("waits");
        // Read behind the answer: what has come meanwhile counts.
        let reached = self.reached.end.load(Ordering::Relaxed);
        let moved = reached != self.before;
        self.before = reached;
        let ahead = i64::try_from(i128::from(head.0) - i128::from(reached)).unwrap_or(i64::MAX);
        let behind_bytes = HeadReading::behind(ahead, moved).filter(|_| reached != 0);
        let busy = is_at_work(waits.as_deref(), behind_bytes);
        let bytes = |field: &str| answer.first(field).and_then(|text| text.parse::<i64>().ok());
        let kept = KeptLog {
            retained_bytes: bytes("retained").map(|bytes| u64::try_from(bytes).unwrap_or(0)),
            room_bytes: bytes("room").map(|bytes| u64::try_from(bytes).unwrap_or(0)),
            time: None,
        };
        // Values are sent as text, and unpacked.
        Ok(HeadReading { head: head.to_string(), behind_bytes, moved, busy, sent_as_kept: false, kept })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walsender_that_waits_for_the_rest_of_a_record_is_not_stuck() {
        for (waits, behind, at_work) in [
            (None, Some(1 << 30), true),
            (Some("WalSenderWriteData"), Some(1 << 30), true),
            (Some("WalSenderWaitForWAL"), Some(8_000), true),
            (Some("WalSenderWaitForWal"), Some(8_000), true),
            (Some("WalSenderWaitForWAL"), Some(1 << 30), false),
            (Some("WalSenderMain"), Some(8_000), false),
            (Some("WaitForStandbyConfirmation"), Some(8_000), false),
        ] {
            assert_eq!(is_at_work(waits, behind), at_work, "{waits:?} {behind:?}");
        }
    }
}
