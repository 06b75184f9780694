//! Where the server's binlog ends, and how far the stream is behind it.
//!
//! In: `SHOW BINARY LOG STATUS` (`SHOW MASTER STATUS` before MySQL 8.2 and on MariaDB), on a connection of its own; and
//! where the stream stands. Out: the end, and the bytes between. Promised: only places of one server's log are compared.
//! The server's heartbeats tell the stream where the dump thread is, also where it passes over events; so a stream that
//! gets on reaches the head, whatever is in between.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::connection::{Connection, ResultSet};
use super::error::BinlogError;
use super::options::BinlogOptions;
use super::start;
use crate::error::Failure;
use crate::source::{HeadProbe, HeadReading, KeptLog};
use crate::util::{clock, stop::Stop};

/// How long connecting and one question may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long a MySQL server without GTIDs may take to sync its log before it is said to keep back what is in it.
const UNSYNCED_LIMIT: Duration = Duration::from_secs(30);

/// ER_PARSE_ERROR: a server that knows the statement under its old name only.
const PARSE_ERROR: u16 = 1064;

/// The server is asked for how long it keeps its log with each so many questions: once a minute.
const KEPT_QUESTIONS: u32 = 60;

/// Where the stream stands, for those who are not its thread.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// `None` while there is no stream.
    place: Mutex<Option<Place>>,
    /// What was handed over reaches to here.
    handed_over: Mutex<Option<Place>>,
    /// Bytes that have come.
    pub heard: Arc<AtomicU64>,
}

/// A place in the log of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// As [`start::identity`] has it.
    server: Option<Arc<str>>,
    file: Arc<str>,
    position: u64,
}

/// The number of a file: they are numbered in the order they are written.
pub(super) fn file_number(file: &str) -> Option<u64> {
    file.rsplit('.').next()?.parse().ok()
}

impl Place {
    /// Its file's number and where in it.
    fn order(&self) -> Option<(u64, u64)> {
        Some((file_number(&self.file)?, self.position))
    }

    fn is_beyond(&self, other: &Place) -> bool {
        self.server.is_some() && self.server == other.server && self.order() >= other.order()
    }
}

impl Reached {
    /// Once a batch.
    pub(super) fn set(&self, server: Option<&Arc<str>>, file: &Arc<str>, position: u64) {
        let place = Place { server: server.cloned(), file: file.clone(), position };
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// What was read is handed over.
    pub(super) fn hand_over(&self) {
        *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner) = self.get();
    }

    /// Whether the stream comes from another server than the one that this place is of. Where it is not known who they
    /// are, or there is no stream, it is not said.
    pub(super) fn is_elsewhere(&self, place: &Place) -> bool {
        let reached = self.get().and_then(|reached| reached.server);
        matches!((&reached, &place.server), (Some(reached), Some(server)) if reached != server)
    }

    /// There is no stream.
    pub(super) fn clear(&self) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.hand_over();
    }

    /// Whether all up to this place is handed over.
    pub(super) fn is_beyond(&self, place: &Place) -> bool {
        let handed_over = self.handed_over.lock().unwrap_or_else(PoisonError::into_inner);
        handed_over.as_ref().is_some_and(|reached| reached.is_beyond(place))
    }

    fn get(&self) -> Option<Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The bytes between a place and the end of a log whose files are `files`, in their order, with their sizes; negative
/// where the end lies before the place.
fn between(files: &[(String, u64)], from: (&str, u64), to: (&str, u64)) -> Option<i64> {
    let index = |file: &str| files.iter().position(|(name, _)| name == file);
    let (first, last) = (index(from.0)?, index(to.0)?);
    if first >= last {
        return Some(if first == last { difference(from.1, to.1) } else { -1 });
    }
    let size = |index: usize| files.get(index).map_or(0, |(_, size)| *size);
    let whole: u64 = (first + 1..last).map(size).sum();
    let bytes = size(first).saturating_sub(from.1).saturating_add(whole).saturating_add(to.1);
    Some(i64::try_from(bytes).unwrap_or(i64::MAX))
}

fn difference(from: u64, to: u64) -> i64 {
    i64::try_from(i128::from(to) - i128::from(from)).unwrap_or(i64::MAX)
}

/// What of the log no stream may have yet. With `sync_binlog=1` MySQL's log ends, for who asks, where it is written; its
/// dump thread sends what is synced (`MYSQL_BIN_LOG::ordered_commit`). While a disk takes its time, both differ. What is
/// committed is synced before it is among the executed GTIDs, so a log that is ahead without a new GTID is not synced.
/// MariaDB does not answer while it syncs.
#[derive(Debug, Default)]
struct Unsynced {
    /// The executed GTIDs when the stream was last where the log ends.
    level: Option<String>,
    /// Without GTIDs: since when the log is ahead.
    ahead: Option<Instant>,
}

impl Unsynced {
    /// Whether the server may still hold back what the stream has not. `executed`: as it says; `None` on MariaDB, and
    /// empty where it writes no GTIDs.
    fn look(&mut self, behind: Option<u64>, executed: Option<String>, now: Instant) -> bool {
        let Some(executed) = executed else { return false };
        if behind.is_none_or(|bytes| bytes == 0) {
            (self.level, self.ahead) = (behind.map(|_| executed), None);
            return false;
        }
        let ahead = *self.ahead.get_or_insert(now);
        // A server that once wrote GTIDs and does not any more tells some that stay as they are.
        let limit = if executed.is_empty() { UNSYNCED_LIMIT } else { UNSYNCED_LIMIT * 10 };
        let level = executed.is_empty() || self.level.as_ref() == Some(&executed);
        level && now.saturating_duration_since(ahead) < limit
    }
}

/// Asks a MySQL or MariaDB server.
pub(super) struct BinlogHeadProbe {
    options: BinlogOptions,
    reached: Arc<Reached>,
    stop: Stop,
    connection: Option<Connection>,
    before: Option<Place>,
    /// The server that the connection leads to.
    server: Option<Arc<str>>,
    /// It knows the question under its old name only.
    old_name: bool,
    unsynced: Unsynced,
    /// Questions until it is asked again for how long it keeps its log.
    until_kept: u32,
    kept: KeptLog,
}

impl BinlogHeadProbe {
    pub(super) fn new(options: &BinlogOptions, reached: Arc<Reached>, stop: Stop) -> Self {
        let mut options = options.clone();
        (options.connect.connect_timeout, options.connect.query_timeout) = (DEADLINE, Some(DEADLINE));
        BinlogHeadProbe {
            options,
            reached,
            stop,
            connection: None,
            before: None,
            server: None,
            old_name: false,
            unsynced: Unsynced::default(),
            until_kept: 0,
            kept: KeptLog::default(),
        }
    }

    /// For how long it keeps its log, asked now and then: it can be set at any time.
    fn kept(&mut self, connection: &mut Connection) -> Result<KeptLog, Failure> {
        if self.until_kept == 0 {
            // Asked anew in a minute, whatever comes of it: what is said of the head does not depend on it.
            self.until_kept = KEPT_QUESTIONS;
            let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN \
                       ('binlog_expire_logs_seconds', 'binlog_expire_logs_auto_purge', 'expire_logs_days')";
            self.kept.time = match connection.query(sql) {
                Ok(answer) => {
                    let variable = |row| Some((answer.text(row, "Variable_name")?, answer.text(row, "Value")?));
                    kept_time(&answer.rows.iter().filter_map(variable).collect::<Vec<_>>())
                }
                // Of a proxy that lets through what it knows.
                Err(error) if error.server_error().is_some() => None,
                Err(error) => return Err(error.into()),
            };
        }
        self.until_kept -= 1;
        Ok(self.kept)
    }

    fn status(&mut self, connection: &mut Connection) -> Result<ResultSet, Failure> {
        if !self.old_name {
            match connection.query("SHOW BINARY LOG STATUS") {
                Err(error) if error.server_error().is_some_and(|error| error.number == PARSE_ERROR) => {
                    self.old_name = true;
                }
                answered => return Ok(answered?),
            }
        }
        Ok(connection.query("SHOW MASTER STATUS")?)
    }

    /// Whether the stream comes from the server that is asked.
    fn is_at(&self, place: &Place) -> bool {
        place.server.is_some() && place.server == self.server
    }

    /// Where the log ends.
    fn end(&mut self, connection: &mut Connection) -> Result<(String, u64, ResultSet), Failure> {
        let status = self.status(connection)?;
        let file = status.first("File").ok_or(BinlogError::NoBinlog)?;
        let position = status.first("Position").and_then(|text| text.parse().ok()).unwrap_or(4);
        Ok((file, position, status))
    }

    /// Lets go of the connection: the next one may lead to another server.
    pub(super) fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Runs statements; where the log ends behind them, if the server says so.
    pub(super) fn run(&mut self, statements: &[String]) -> Result<Option<Place>, Failure> {
        let end = self.on_connection(|probe, connection| {
            for statement in statements {
                connection.query_drop(statement)?;
            }
            Ok(probe.end(connection))
        })?;
        if end.is_err() {
            self.connection = None;
        }
        let place = |(file, position, _): (String, u64, ResultSet)| Place {
            server: self.server.clone(),
            file: file.into(),
            position,
        };
        Ok(end.ok().map(place))
    }

    /// Asks on a connection that is kept where that went well.
    fn on_connection<T>(
        &mut self,
        ask: impl FnOnce(&mut Self, &mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let mut connection = start::connect(&self.options, &self.stop)?;
                self.server = start::identity(&mut connection)?;
                self.old_name = false;
                connection
            }
        };
        let answer = ask(self, &mut connection)?;
        self.connection = Some(connection);
        Ok(answer)
    }

    fn ask_on(&mut self, connection: &mut Connection) -> Result<HeadReading, Failure> {
        let (file, position, status) = self.end(connection)?;
        let place = self.reached.get();
        let moved = place != self.before;
        self.before.clone_from(&place);
        let behind_bytes = match &place {
            Some(place) if self.is_at(place) => {
                let bytes = if *place.file == *file {
                    Some(difference(place.position, position))
                } else {
                    let files = files(&connection.query("SHOW BINARY LOGS")?);
                    between(&files, (&place.file, place.position), (&file, position))
                };
                bytes.and_then(|bytes| HeadReading::behind(bytes, moved))
            }
            Some(_) | None => None,
        };
        let busy = self.unsynced.look(behind_bytes, status.first("Executed_Gtid_Set"), clock::moment());
        let kept = self.kept(connection)?;
        Ok(HeadReading { head: format!("{file}:{position}"), behind_bytes, moved, busy, sent_as_kept: true, kept })
    }
}

/// For how long a server with these variables keeps a file of its log; `None`: until somebody purges it. MariaDB has both
/// names for one thing.
fn kept_time(variables: &[(String, String)]) -> Option<Duration> {
    let value = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if value("binlog_expire_logs_auto_purge").is_some_and(|word| word.eq_ignore_ascii_case("off")) {
        return None;
    }
    let number = |name: &str| value(name).and_then(|text| text.parse::<f64>().ok()).filter(|number| *number > 0.0);
    let seconds = number("binlog_expire_logs_seconds").or_else(|| Some(number("expire_logs_days")? * 86_400.0))?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn files(answer: &ResultSet) -> Vec<(String, u64)> {
    let size = |text: String| text.parse().unwrap_or(0);
    let named = answer
        .rows
        .iter()
        .filter_map(|row| Some((answer.text(row, "Log_name")?, answer.text(row, "File_size").map_or(0, size))));
    named.collect()
}

impl HeadProbe for BinlogHeadProbe {
    fn ask(&mut self) -> Result<HeadReading, Failure> {
        let reading = self.on_connection(Self::ask_on)?;
        // Behind an address that now leads elsewhere, the next connection leads to where the stream comes from.
        if self.before.as_ref().is_some_and(|place| !self.is_at(place)) {
            self.connection = None;
        }
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_server_keeps_its_log_stands_in_several_variables() {
        let check = |variables: &[(&str, &str)], expected: Option<u64>| {
            let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(kept_time(&owned.collect::<Vec<_>>()), expected.map(Duration::from_secs), "{variables:?}");
        };
        check(&[("binlog_expire_logs_seconds", "2592000"), ("binlog_expire_logs_auto_purge", "ON")], Some(2_592_000));
        check(&[("binlog_expire_logs_seconds", "2592000"), ("binlog_expire_logs_auto_purge", "OFF")], None);
        check(&[("binlog_expire_logs_seconds", "0"), ("expire_logs_days", "0.000000")], None);
        check(&[("expire_logs_days", "1.500000")], Some(129_600));
        check(&[], None);
    }

    #[test]
    fn places_are_compared_over_files() {
        let files: Vec<(String, u64)> =
            [("b.1", 100), ("b.2", 200), ("b.3", 300)].map(|(name, size)| (name.to_owned(), size)).to_vec();
        let check = |from: (&str, u64), to: (&str, u64), expected| {
            assert_eq!(between(&files, from, to), expected, "{from:?} {to:?}");
        };
        check(("b.1", 40), ("b.1", 90), Some(50));
        check(("b.1", 90), ("b.1", 40), Some(-50));
        check(("b.1", 40), ("b.2", 10), Some(70));
        check(("b.1", 40), ("b.3", 10), Some(270));
        check(("b.3", 4), ("b.1", 90), Some(-1));
        check(("b.0", 4), ("b.1", 90), None);
        check(("b.1", 4), ("b.9", 90), None);
    }

    #[test]
    fn what_is_not_synced_yet_is_not_kept_back() {
        let (start, mut unsynced) = (clock::moment(), Unsynced::default());
        let mut check = |seconds: u64, behind, executed: Option<&str>, expected| {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(unsynced.look(behind, executed.map(str::to_owned), now), expected, "{seconds} s {executed:?}");
        };
        check(0, Some(0), Some("a:1-5"), false);
        check(1, Some(90), Some("a:1-5"), true);
        check(60, Some(90), Some("a:1-5"), true);
        check(61, Some(90), Some("a:1-6"), false);
        check(62, Some(0), Some("a:1-6"), false);
        check(63, Some(90), Some("a:1-7"), false);
        // Another log: nothing is known of it before the stream has been at its end.
        check(64, None, Some("b:1"), false);
        check(65, Some(90), Some("b:1"), false);
        // Without GTIDs it has a time.
        check(70, Some(0), Some(""), false);
        check(71, Some(90), Some(""), true);
        check(100, Some(90), Some(""), true);
        check(101, Some(90), Some(""), false);
        // MariaDB.
        check(110, Some(90), None, false);
    }

    #[test]
    fn a_place_of_another_server_is_known() {
        let reached = Reached::default();
        let check = |server: Option<&str>, expected| {
            let place = Place { server: server.map(Into::into), file: "b.1".into(), position: 4 };
            assert_eq!(reached.is_elsewhere(&place), expected, "{place:?}");
        };
        check(Some("a"), false);
        reached.set(Some(&"a".into()), &"b.1".into(), 4);
        check(Some("a"), false);
        check(Some("b"), true);
        check(None, false);
        reached.set(None, &"b.1".into(), 4);
        check(Some("b"), false);
    }

    #[test]
    fn files_are_in_the_order_of_their_numbers() {
        let place = |server: Option<&str>, file: &str, position| Place {
            server: server.map(Into::into),
            file: file.into(),
            position,
        };
        let check = |reached: Place, marker: Place, expected| {
            assert_eq!(reached.is_beyond(&marker), expected, "{reached:?} {marker:?}");
        };
        let marker = || place(Some("a"), "binlog.000009", 500);
        check(place(Some("a"), "binlog.000009", 499), marker(), false);
        check(place(Some("a"), "binlog.000009", 500), marker(), true);
        check(place(Some("a"), "binlog.000010", 4), marker(), true);
        check(place(Some("a"), "binlog.1000000", 4), marker(), true);
        check(place(Some("a"), "binlog.000008", 900), marker(), false);
        check(place(Some("b"), "binlog.000010", 900), marker(), false);
        check(place(None, "binlog.000010", 900), place(None, "binlog.000009", 4), false);
    }
}
