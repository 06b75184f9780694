//! Whether a server's log goes on from the log that was read.
//!
//! A standby that is promoted begins a new timeline: its log goes on from what it had replayed by then. What the old
//! primary had written beyond that is not in it; what the new one writes instead gets the same places. A connector that
//! had read further goes on behind changes that it has never seen, and nothing in the stream would say so. So a position
//! names its timeline, and the server's history file says where each timeline ended (manual, "Timelines";
//! "Streaming Replication Protocol", `TIMELINE_HISTORY`).

use super::connection::{Connection, ConnectionError, Lsn};
use super::error::PostgresError;
use super::position::PostgresPosition;
use crate::error::Failure;

/// The timeline that a server writes, and where those before it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Its number.
    pub id: u32,
    /// Those that it goes on from, with the place that each ended at.
    ancestors: Vec<(u32, Lsn)>,
}

impl Timeline {
    /// Asks a walsender.
    ///
    /// # Errors
    /// When it does not answer as the manual says.
    pub fn read(connection: &mut Connection) -> Result<Timeline, Failure> {
        let unreadable = || PostgresError::Catalog("the server's timeline");
        let system = connection.query("IDENTIFY_SYSTEM")?;
        let id = system.first("timeline").and_then(|text| text.parse().ok()).ok_or_else(unreadable)?;
        if id <= 1 {
            return Ok(Timeline { id, ancestors: Vec::new() });
        }
        let history = match connection.query(&format!("TIMELINE_HISTORY {id}")) {
            Ok(history) => history.first("content").ok_or_else(unreadable)?,
            Err(error) if is_missing(&error) => {
                tracing::warn!(
                    timeline = id,
                    "the server does not have the history of its timeline: it is not looked at"
                );
                String::new()
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Timeline { id, ancestors: parse(&history).ok_or_else(unreadable)? })
    }

    /// Whether everything that was read up to a position is in this server's log. `confirmed` is what was confirmed to the
    /// slot here: beyond the end of a timeline only this server can have heard it.
    ///
    /// # Errors
    /// When the server's log left the one that was read before the position.
    pub fn check(&self, position: &PostgresPosition, confirmed: Lsn) -> Result<(), PostgresError> {
        let offset = position.furthest();
        let left = match position.timeline {
            Some(timeline) if timeline == self.id => None,
            // No history: nothing can be said.
            Some(_) if self.ancestors.is_empty() && self.id > 1 => None,
            Some(timeline) => {
                let ended = self.ancestors.iter().find(|(id, _)| *id == timeline).map(|(_, end)| *end);
                // One that it does not go on from at all shares nothing that could be relied on.
                Some(ended.unwrap_or(Lsn::INVALID)).filter(|end| *end < offset)
            }
            // Debezium's position, or a standby's: what this server was told itself was read from it.
            None => self.ancestors.iter().map(|(_, end)| *end).find(|end| confirmed <= *end && *end < offset),
        };
        match left {
            Some(left) => Err(PostgresError::Diverged { timeline: self.id, left, offset }),
            None => Ok(()),
        }
    }
}

fn is_missing(error: &ConnectionError) -> bool {
    // undefined_file, insufficient_privilege of an emulation
    matches!(error.sql_state(), Some("58P01" | "42501" | "42601" | "0A000"))
}

/// `number TAB place TAB reason`, a line for each timeline before; `None` for what is none.
fn parse(history: &str) -> Option<Vec<(u32, Lsn)>> {
    let lines = history.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const HISTORY: &str = "1\t0/50\tno recovery target specified\n\n2\t0/70\tbefore 2026-01-01\n";

    #[test]
    fn a_history_is_read_or_refused() {
        assert_eq!(parse(HISTORY), Some(vec![(1, Lsn(0x50)), (2, Lsn(0x70))]));
        assert_eq!(parse(""), Some(vec![]));
        assert_eq!(parse("# a comment\n"), Some(vec![]));
        for broken in ["x", "1", "1\tx", "99999999999\t0/1", "1 0/"] {
            assert_eq!(parse(broken), None, "{broken:?}");
        }
    }

    /// Which position, on which timeline, with which confirmed place, is refused on the third timeline of the history above.
    #[test]
    fn a_position_beyond_the_end_of_its_timeline_is_refused() {
        let timeline = Timeline { id: 3, ancestors: parse(HISTORY).unwrap() };
        for (on, offset, confirmed, refused) in [
            (Some(3), 0x90, 0x10, false),
            (Some(2), 0x70, 0x10, false),
            (Some(2), 0x71, 0x10, true),
            (Some(1), 0x50, 0x10, false),
            (Some(1), 0x51, 0x60, true),
            (Some(4), 0x10, 0x10, true),
            (None, 0x50, 0x10, false),
            (None, 0x51, 0x50, true),
            (None, 0x71, 0x60, true),
            (None, 0x90, 0x71, false),
        ] {
            let position = PostgresPosition { timeline: on, ..PostgresPosition::beginning(Lsn(offset)) };
            assert_eq!(timeline.check(&position, Lsn(confirmed)).is_err(), refused, "{on:?} {offset:x} {confirmed:x}");
        }
        let position = PostgresPosition { timeline: Some(1), ..PostgresPosition::beginning(Lsn(0x90)) };
        assert!(Timeline { id: 1, ancestors: vec![] }.check(&position, Lsn(0)).is_ok());
        assert!(Timeline { id: 3, ancestors: vec![] }.check(&position, Lsn(0)).is_ok());
    }
}
