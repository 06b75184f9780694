//! `heartbeat.action.query` on MySQL and MariaDB, and whether the stream has come to what it wrote.
//!
//! In: the query. Out: the place where the log ended behind it, which the stream passes. Promised: only places of one
//! server's log are compared; a query that writes to another server never comes.

use std::sync::Arc;

use super::head::{BinlogHeadProbe, Place, Reached};
use super::options::BinlogOptions;
use crate::error::Failure;
use crate::source::Marker;
use crate::util::stop::Stop;

/// Runs the query.
pub(super) struct BinlogMarker {
    query: String,
    probe: BinlogHeadProbe,
    reached: Arc<Reached>,
    first: Option<Place>,
    last: Option<Place>,
}

impl BinlogMarker {
    pub(super) fn new(query: &str, options: &BinlogOptions, reached: Arc<Reached>, stop: Stop) -> Self {
        let probe = BinlogHeadProbe::new(options, reached.clone(), stop);
        BinlogMarker { query: query.to_owned(), probe, reached, first: None, last: None }
    }
}

impl Marker for BinlogMarker {
    fn write(&mut self, first: bool) -> Result<bool, Failure> {
        self.last = self.probe.run(&self.query)?;
        if first {
            self.first.clone_from(&self.last);
        }
        Ok(self.last.is_some())
    }

    fn has_come(&self) -> bool {
        [&self.first, &self.last].into_iter().flatten().any(|place| self.reached.is_beyond(place))
    }
}
