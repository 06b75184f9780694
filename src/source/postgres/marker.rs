//! The canary's statements on PostgreSQL, and whether the stream has come to what they wrote.
//!
//! In: statements, which may be a table's change or `pg_logical_emit_message`. Out: the place where the log ended behind it,
//! which the stream passes; where no publication is about what was written, the walsender's keep-alives pass it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::catalog::Catalog;
use super::connection::Lsn;
use super::head::Reached;
use crate::error::Failure;
use crate::source::Marker;

/// A page of the log (`XLOG_BLCKSZ`), as nearly everybody builds it.
const PAGE_BYTES: u64 = 8192;

/// Runs the statements.
pub(super) struct PostgresMarker {
    statements: Vec<String>,
    catalog: Catalog,
    reached: Arc<Reached>,
    first: Option<Lsn>,
    last: Option<Lsn>,
}

impl PostgresMarker {
    pub(super) fn new(statements: Vec<String>, catalog: Catalog, reached: Arc<Reached>) -> Self {
        PostgresMarker { statements, catalog, reached, first: None, last: None }
    }
}

/// The end of the last record, of where the next one may begin. Behind a record that fills its page that is behind the next
/// page's header (`SizeOfXLogShortPHD`, or `SizeOfXLogLongPHD` where a file begins), but the record ends before it.
fn end_of_record(insert: Lsn) -> Lsn {
    match insert.0 % PAGE_BYTES {
        header @ (24 | 40) => Lsn(insert.0 - header),
        _ => insert,
    }
}

impl Marker for PostgresMarker {
    fn write(&mut self, first: bool) -> Result<bool, Failure> {
        for statement in &self.statements {
            self.catalog.query_once(statement)?;
        }
        // Not where it was flushed: with synchronous_commit=off that lies before it for a moment.
        let end = self.catalog.query_once("SELECT pg_catalog.pg_current_wal_insert_lsn() AS head").ok();
        self.last = end.and_then(|end| end.first("head")?.parse().ok()).map(end_of_record);
        if first {
            self.first = self.last;
        }
        Ok(self.last.is_some())
    }

    fn has_come(&self) -> bool {
        let handed_over = self.reached.handed_over.load(Ordering::Relaxed);
        [self.first, self.last].into_iter().flatten().any(|end| handed_over >= end.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_an_empty_page_is_no_record() {
        for (insert, end) in [(8191, 8191), (8192 + 24, 8192), (16 * 8192 + 40, 16 * 8192), (8192 + 48, 8192 + 48)] {
            assert_eq!(end_of_record(Lsn(insert)), Lsn(end));
        }
    }
}
