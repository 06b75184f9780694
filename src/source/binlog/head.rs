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
    /// As [`start::identity`] has it.
    server: Option<Arc<str>>,
    file: Arc<str>,
    position: u64,
}

impl Reached {
    /// Once a batch.
    pub(super) fn set(&self, server: Option<&Arc<str>>, file: &Arc<str>, position: u64) {
        let place = Place { server: server.cloned(), file: file.clone(), position };
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
}

impl BinlogHeadProbe {
    pub(super) fn new(options: &BinlogOptions, reached: Arc<Reached>, stop: Stop) -> Self {
        let mut options = options.clone();
        (options.connect.connect_timeout, options.connect.query_timeout) = (DEADLINE, Some(DEADLINE));
        BinlogHeadProbe { options, reached, stop, connection: None, before: None, server: None, old_name: false }
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

    fn ask_on(&mut self, connection: &mut Connection) -> Result<HeadReading, Failure> {
        let status = self.status(connection)?;
        let file = status.first("File").ok_or(BinlogError::NoBinlog)?;
        let position: u64 = status.first("Position").and_then(|text| text.parse().ok()).unwrap_or(4);
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

impl HeadProbe for BinlogHeadProbe {
    fn ask(&mut self) -> Result<HeadReading, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let mut connection = start::connect(&self.options, &self.stop)?;
                self.server = start::identity(&mut connection)?;
                self.old_name = false;
                connection
            }
        };
        let reading = self.ask_on(&mut connection)?;
        // Behind an address that now leads elsewhere, the next connection leads to where the stream comes from.
        let elsewhere = self.before.as_ref().is_some_and(|place| !self.is_at(place));
        self.connection = Some(connection).filter(|_| !elsewhere);
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
        check(("b.1", 90), ("b.1", 40), Some(-50));
        check(("b.1", 40), ("b.2", 10), Some(70));
        check(("b.1", 40), ("b.3", 10), Some(270));
        check(("b.3", 4), ("b.1", 90), Some(-1));
        check(("b.0", 4), ("b.1", 90), None);
        check(("b.1", 4), ("b.9", 90), None);
    }
}
