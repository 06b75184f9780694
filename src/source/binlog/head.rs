//! Where the server's binlog ends, and how far the stream is behind it.
//!
//! In: `SHOW BINARY LOG STATUS` (`SHOW MASTER STATUS` before MySQL 8.2 and on MariaDB), on a connection of its own; and
//! where the stream stands. Out: the end, and the bytes between. Promised: only places of one server's log are compared.
//! The server's heartbeats tell the stream where the dump thread is, also where it passes over events; so a stream that
//! gets on reaches the head, whatever is in between.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::connection::{Connection, ResultSet};
use super::error::BinlogError;
use super::options::BinlogOptions;
use super::start;
use crate::error::Failure;
use crate::source::{HeadProbe, HeadReading};
use crate::util::stop::Stop;

/// How long connecting and one question may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// ER_PARSE_ERROR: a server that knows the statement under its old name only.
const PARSE_ERROR: u16 = 1064;

/// ER_UNKNOWN_SYSTEM_VARIABLE: MariaDB has no UUID.
const UNKNOWN_SYSTEM_VARIABLE: u16 = 1193;

/// Where the stream stands, for those who are not its thread.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// `None` while there is no stream.
    place: Mutex<Option<Place>>,
    /// Bytes that have come.
    pub heard: Arc<AtomicU64>,
}

/// A place in the log of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    server_uuid: Option<Arc<str>>,
    file: Arc<str>,
    position: u64,
}

impl Reached {
    /// Once a batch.
    pub(super) fn set(&self, server_uuid: Option<&Arc<str>>, file: &Arc<str>, position: u64) {
        let place = Place { server_uuid: server_uuid.cloned(), file: file.clone(), position };
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// There is no stream.
    pub(super) fn clear(&self) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn get(&self) -> Option<Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The bytes between a place and the end of a log whose files are `files`, in their order, with their sizes.
fn between(files: &[(String, u64)], from: (&str, u64), to: (&str, u64)) -> Option<u64> {
    let index = |file: &str| files.iter().position(|(name, _)| name == file);
    let (first, last) = (index(from.0)?, index(to.0)?);
    if first >= last {
        return Some(if first == last { to.1.saturating_sub(from.1) } else { 0 });
    }
    let size = |index: usize| files.get(index).map_or(0, |(_, size)| *size);
    let whole: u64 = (first + 1..last).map(size).sum();
    Some(size(first).saturating_sub(from.1) + whole + to.1)
}

/// Asks a MySQL or MariaDB server.
pub(super) struct BinlogHeadProbe {
    options: BinlogOptions,
    reached: Arc<Reached>,
    stop: Stop,
    connection: Option<Connection>,
    before: Option<Place>,
    /// The server that the connection leads to.
    server_uuid: Option<Arc<str>>,
}

impl BinlogHeadProbe {
    pub(super) fn new(options: &BinlogOptions, reached: Arc<Reached>, stop: Stop) -> Self {
        let mut options = options.clone();
        (options.connect.connect_timeout, options.connect.query_timeout) = (DEADLINE, Some(DEADLINE));
        BinlogHeadProbe { options, reached, stop, connection: None, before: None, server_uuid: None }
    }

    fn ask_on(&mut self, connection: &mut Connection) -> Result<HeadReading, Failure> {
        let status = match connection.query("SHOW BINARY LOG STATUS") {
            Ok(status) => status,
            Err(error) if error.server_error().is_some_and(|error| error.number == PARSE_ERROR) => {
                connection.query("SHOW MASTER STATUS")?
            }
            Err(error) => return Err(error.into()),
        };
        let file = status.first("File").ok_or(BinlogError::NoBinlog)?;
        let position: u64 = status.first("Position").and_then(|text| text.parse().ok()).unwrap_or(4);
        let place = self.reached.get();
        let moved = place != self.before;
        self.before.clone_from(&place);
        let behind_bytes = match &place {
            Some(place) if place.server_uuid == self.server_uuid => {
                if *place.file == *file {
                    Some(position.saturating_sub(place.position))
                } else {
                    let files = files(&connection.query("SHOW BINARY LOGS")?);
                    between(&files, (&place.file, place.position), (&file, position))
                }
            }
            Some(_) | None => None,
        };
        Ok(HeadReading { head: format!("{file}:{position}"), behind_bytes, moved, busy: false })
    }
}

fn files(answer: &ResultSet) -> Vec<(String, u64)> {
    let size = |text: String| text.parse().unwrap_or(0);
    let named = answer
        .rows
        .iter()
        .filter_map(|row| Some((answer.text(row, "Log_name")?, answer.text(row, "File_size").map_or(0, size))));
    named.collect()
}

fn server_uuid(connection: &mut Connection) -> Result<Option<Arc<str>>, Failure> {
    match connection.query("SELECT @@global.server_uuid AS uuid") {
        Ok(answer) => Ok(answer.first("uuid").map(Arc::from)),
        Err(error) if error.server_error().is_some_and(|error| error.number == UNKNOWN_SYSTEM_VARIABLE) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl HeadProbe for BinlogHeadProbe {
    fn ask(&mut self) -> Result<HeadReading, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let mut connection = start::connect(&self.options, &self.stop)?;
                self.server_uuid = server_uuid(&mut connection)?;
                connection
            }
        };
        let reading = self.ask_on(&mut connection)?;
        self.connection = Some(connection);
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_compared_over_files() {
        let files: Vec<(String, u64)> =
            [("b.1", 100), ("b.2", 200), ("b.3", 300)].map(|(name, size)| (name.to_owned(), size)).to_vec();
        let check = |from: (&str, u64), to: (&str, u64), expected| {
            assert_eq!(between(&files, from, to), expected, "{from:?} {to:?}");
        };
        check(("b.1", 40), ("b.1", 90), Some(50));
        check(("b.1", 90), ("b.1", 40), Some(0));
        check(("b.1", 40), ("b.2", 10), Some(70));
        check(("b.1", 40), ("b.3", 10), Some(270));
        check(("b.3", 4), ("b.1", 90), Some(0));
        check(("b.0", 4), ("b.1", 90), None);
        check(("b.1", 4), ("b.9", 90), None);
    }
}
