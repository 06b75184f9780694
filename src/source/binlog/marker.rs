//! The canary's statements on MySQL and MariaDB, and whether the stream has come to what they wrote.
//!
//! In: statements. Out: the place where the log ended behind it, which the stream passes. Promised: only places of one
//! server's log are compared; what goes to another server again and again never comes.

use std::sync::Arc;

use super::head::{BinlogHeadProbe, Place, Reached};
use super::options::BinlogOptions;
use crate::error::Failure;
use crate::source::Marker;
use crate::util::stop::Stop;

/// Markers in a row that may go to another server than the stream's, each on a new connection, before they are missed: an
/// address may lead to several servers, or may have moved for good.
const ELSEWHERE_LIMIT: u32 = 3;

/// Runs the statements.
pub(super) struct BinlogMarker {
    statements: Vec<String>,
    probe: BinlogHeadProbe,
    reached: Arc<Reached>,
    /// Markers in a row that went to another server.
    elsewhere: u32,
    first: Option<Place>,
    last: Option<Place>,
}

impl BinlogMarker {
    pub(super) fn new(options: &BinlogOptions, reached: Arc<Reached>, stop: Stop) -> Self {
        let probe = BinlogHeadProbe::new(options, reached.clone(), stop);
        BinlogMarker { statements: options.marker.clone(), probe, reached, elsewhere: 0, first: None, last: None }
    }
}

impl Marker for BinlogMarker {
    fn write(&mut self, first: bool) -> Result<bool, Failure> {
        self.last = self.probe.run(&self.statements)?;
        if self.last.as_ref().is_some_and(|place| self.reached.is_elsewhere(place)) {
            self.probe.disconnect();
            self.elsewhere = self.elsewhere.saturating_add(1);
            if self.elsewhere <= ELSEWHERE_LIMIT {
                return Ok(false);
            }
        } else {
            self.elsewhere = 0;
        }
        if first {
            self.first.clone_from(&self.last);
        }
        Ok(self.last.is_some())
    }

    fn has_come(&self) -> bool {
        [&self.first, &self.last].into_iter().flatten().any(|place| self.reached.is_beyond(place))
    }
}
