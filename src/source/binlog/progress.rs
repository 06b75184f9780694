//! How far the log has been read: files and positions, transactions begun and ended.
//!
//! Pure: events go in one by one, and at any moment the position comes out from which reading must begin again
//! so that nothing is left out and what was handed over is not sent twice.

use std::sync::Arc;

use super::event::gtid::{MariadbGtid, Tag, Uuid};
use super::position::{BinlogPosition, GtidSet};
use crate::model::change::Gtid;
use crate::model::table::TableId;
use crate::source::counts::EventCounts;

/// Events and rows of the first transaction that were delivered before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skip {
    /// Events, the transaction's BEGIN included.
    pub events: u64,
    /// Rows of the event after them.
    pub rows: u64,
}

/// A transaction that has begun and not ended.
#[derive(Clone, Debug)]
pub struct OpenTransaction {
    /// Where it begins.
    pub file: Arc<str>,
    /// Where in the file.
    pub start: u64,
    /// Events read since it began, its BEGIN included.
    events: u64,
    /// What was delivered of it before and has not yet been passed over.
    pub skip: Skip,
    /// Whether a position may lie inside it: Debezium counts the events of what begins with BEGIN or with MariaDB's GTID,
    /// and would take what is said of another one (MySQL's XA) for the next that it counts.
    counted: bool,
    /// The connection that wrote it.
    pub thread: Option<u32>,
    /// Debezium's transaction id, where it is asked for.
    pub id: Option<Arc<str>>,
    /// Events given out so far, in all and for each table in the order of its first.
    pub counts: EventCounts<TableId>,
}

/// A GTID as it counts in a set of them.
#[derive(Clone, Debug)]
enum Identity {
    MySql(Uuid, Tag, u64),
    MariaDb(MariadbGtid),
}

/// How far the log has been read.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The file that is read.
    pub file: Arc<str>,
    /// Behind the last event.
    pub position: u64,
    /// Where the last event begins that says where it is; MariaDB 11 does not say it of a transaction's inner
    /// events, and Debezium gives them all the place of the one before.
    pub event_start: u64,
    /// The server that wrote the last event.
    pub server_id: u32,
    /// When the last event was written, in microseconds since the epoch.
    pub timestamp_us: i64,
    /// The commit time that the last GTID event gave, in microseconds since the epoch.
    pub commit_us: Option<i64>,
    /// The GTID of what is being read.
    pub gtid: Option<Gtid>,
    /// The open transaction.
    pub open: Option<OpenTransaction>,
    gtids: GtidSet,
    identity: Option<Identity>,
    /// What to skip in the first transaction, and the position that says so; until it has begun, that stays
    /// the position.
    resumed: Option<(Skip, BinlogPosition)>,
    server_uuid: Option<Arc<str>>,
}

impl Progress {
    /// Reading begins at `position`, on the server with this UUID.
    ///
    /// What the position says of delivered events counts only on the server that numbered them, if it says
    /// which: another one may have cut the transaction's rows into other events.
    pub fn at(position: &BinlogPosition, server_uuid: Option<Arc<str>>) -> Self {
        let skip = Skip { events: position.events, rows: position.rows };
        let same_server = position.server_uuid.is_none() || position.server_uuid == server_uuid;
        let resumed = (skip != Skip::default() && same_server).then(|| (skip, position.clone()));
        if skip != Skip::default() && !same_server {
            tracing::warn!(
                events = skip.events,
                "another server than the one that was read: its transaction is read again from the start"
            );
        }
        Progress {
            file: position.file.clone(),
            position: position.position,
            event_start: position.position,
            server_id: position.server_id,
            timestamp_us: position.timestamp_s.saturating_mul(1_000_000),
            commit_us: None,
            gtid: None,
            open: None,
            gtids: position.gtids.clone(),
            identity: None,
            resumed,
            server_uuid,
        }
    }

    /// The transactions that were read to their end.
    pub fn gtids(&self) -> &GtidSet {
        &self.gtids
    }

    /// From where to begin again.
    pub fn resume_point(&self) -> BinlogPosition {
        if let Some((_, position)) = &self.resumed {
            return position.clone();
        }
        let (file, position, events, rows) = match &self.open {
            None => (self.file.clone(), self.position, 0, 0),
            Some(open) if !open.counted => (open.file.clone(), open.start, 0, 0),
            Some(open) => (open.file.clone(), open.start, open.events + open.skip.events, open.skip.rows),
        };
        BinlogPosition {
            file,
            position,
            gtids: self.gtids.clone(),
            events,
            rows,
            server_id: self.server_id,
            timestamp_s: self.timestamp_us.div_euclid(1_000_000),
            server_uuid: self.server_uuid.clone().filter(|_| events > 0),
        }
    }

    /// The log goes on in another file.
    pub fn rotate(&mut self, file: &str, position: u64) {
        if *self.file != *file {
            self.file = file.into();
        }
        self.position = position;
    }

    /// A MySQL GTID event; `number` 0 for an anonymous one.
    pub fn mysql_gtid(&mut self, uuid: Uuid, tag: Tag, number: u64, commit_us: Option<i64>) {
        self.commit_us = commit_us;
        if number == 0 {
            (self.gtid, self.identity) = (None, None);
            return;
        }
        let tag_text = (!tag.is_empty()).then(|| tag.as_str().into());
        self.gtid = Some(Gtid::MySql { uuid: uuid.0, tag: tag_text, number });
        self.identity = Some(Identity::MySql(uuid, tag, number));
    }

    /// A MariaDB GTID event.
    pub fn mariadb_gtid(&mut self, gtid: MariadbGtid) {
        self.gtid = Some(Gtid::MariaDb { domain: gtid.domain_id, server_id: gtid.server_id, sequence: gtid.sequence });
        self.identity = Some(Identity::MariaDb(gtid));
    }

    /// A transaction begins with the event at `start`; `counted` when positions may lie inside it.
    pub fn begin(&mut self, start: u64, thread: Option<u32>, with_id: bool, counted: bool) {
        let skip = self.delivered_before(start);
        let id = with_id.then(|| match &self.gtid {
            Some(gtid) => gtid.to_string().into(),
            None => format!("file={},pos={start}", self.file).into(),
        });
        let file = self.file.clone();
        self.open =
            Some(OpenTransaction { file, start, events: 0, skip, counted, thread, id, counts: EventCounts::default() });
    }

    /// What to skip of a transaction that begins at `start`: what the position says, if it speaks of this place. The
    /// server may have left out the transaction that was open (`gtid.source.includes`, another MariaDB); what comes
    /// instead was never delivered.
    fn delivered_before(&mut self, start: u64) -> Skip {
        match self.resumed.take() {
            Some((skip, position)) if position.file == self.file && position.position == start => skip,
            Some((skip, position)) => {
                tracing::warn!(
                    events = skip.events,
                    expected_file = %position.file,
                    expected_position = position.position,
                    file = %self.file,
                    position = start,
                    "reading begins with another transaction than the one that was open: it is read from its start"
                );
                Skip::default()
            }
            None => Skip::default(),
        }
    }

    /// The server is alive and has nothing to say up to `end`. No event of the log: it never counts.
    pub fn heartbeat(&mut self, end: Option<u64>) {
        if let (Some(end), None) = (end, &self.open) {
            self.position = end;
        }
    }

    /// An event was read; in a transaction it counts. `end` is the position behind it, where it has one.
    pub fn event_read(&mut self, end: Option<u64>) {
        if let Some(end) = end {
            self.position = end;
        }
        if let Some(open) = &mut self.open {
            open.events += 1;
            open.skip.events = open.skip.events.saturating_sub(1);
        }
    }

    /// Whether the rows of the event that is being read were delivered before.
    pub fn is_skipping(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.skip.events > 0)
    }

    /// How many rows of this row event were delivered before; asked once, for the first event that is not skipped.
    pub fn take_row_skip(&mut self) -> u64 {
        self.open.as_mut().map_or(0, |open| std::mem::take(&mut open.skip.rows))
    }

    /// The open transaction ends with what Debezium takes for no end: behind it, it goes on counting heartbeats and other
    /// events until the next one begins. What it counted too much was no row.
    pub fn ends_uncounted(&mut self) {
        if let Some(open) = &mut self.open {
            open.skip.events = 0;
        }
    }

    /// The transaction, or the statement that stands alone, has ended. Gives the transaction back.
    pub fn commit(&mut self) -> Option<OpenTransaction> {
        match (self.identity.take(), &mut self.gtids) {
            (Some(Identity::MySql(uuid, tag, number)), GtidSet::MySql(set)) => set.add(uuid, tag, number),
            (Some(Identity::MariaDb(gtid)), GtidSet::MariaDb(set)) => set.update(gtid),
            _ => {}
        }
        self.gtid = None;
        self.commit_us = None;
        // Something else has ended: the transaction that was open did not come again.
        self.resumed = None;
        self.open.take()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const UUID: Uuid = Uuid([7; 16]);

    fn start() -> BinlogPosition {
        BinlogPosition {
            file: "binlog.000001".into(),
            position: 4,
            gtids: GtidSet::MySql("".parse().unwrap()),
            events: 0,
            rows: 0,
            server_id: 1,
            timestamp_s: 0,
            server_uuid: None,
        }
    }

    /// One transaction: GTID, BEGIN, and then table map and rows, each event 100 bytes long.
    fn read_until(progress: &mut Progress, events: u64) {
        progress.mysql_gtid(UUID, Tag::NONE, 1, None);
        progress.event_read(Some(104));
        for event in 0..events {
            if event == 0 {
                progress.begin(104, None, false, true);
            }
            progress.event_read(Some(204 + 100 * event));
        }
    }

    #[test]
    fn a_transaction_counts_as_read_only_when_it_has_ended() {
        let mut progress = Progress::at(&start(), None);
        read_until(&mut progress, 3);
        let inside = progress.resume_point();
        assert_eq!((inside.position, inside.events, inside.gtids.text()), (104, 3, None));
        progress.commit();
        progress.event_read(Some(504));
        let after = progress.resume_point();
        assert_eq!((after.position, after.events), (504, 0));
        assert!(after.gtids.text().unwrap().ends_with(":1"));
    }

    #[test]
    fn a_position_inside_a_transaction_does_not_go_back_while_it_is_reached_again() {
        let inside = BinlogPosition { position: 104, events: 3, rows: 2, ..start() };
        let mut progress = Progress::at(&inside, None);
        for events in 0..=3 {
            let mut progress = progress.clone();
            read_until(&mut progress, events);
            let point = progress.resume_point();
            assert_eq!((point.events, point.rows), (3, 2), "after {events} events");
            assert_eq!(progress.is_skipping(), (1..3).contains(&events), "after {events} events");
        }
        read_until(&mut progress, 3);
        assert_eq!(progress.take_row_skip(), 2);
        assert_eq!(progress.take_row_skip(), 0);
    }

    #[test]
    fn a_position_never_lies_inside_what_debezium_does_not_count() {
        let mut progress = Progress::at(&start(), None);
        progress.mysql_gtid(UUID, Tag::NONE, 1, None);
        progress.event_read(Some(104));
        progress.begin(104, None, false, false);
        progress.event_read(Some(204));
        progress.event_read(Some(304));
        let inside = progress.resume_point();
        assert_eq!((inside.position, inside.events, inside.gtids.text()), (104, 0, None));
        progress.commit();
        progress.event_read(Some(404));
        assert_eq!(progress.resume_point().position, 404);
    }

    #[test]
    fn what_is_left_to_skip_at_the_end_is_told() {
        let inside = BinlogPosition { position: 104, events: 9, ..start() };
        let mut progress = Progress::at(&inside, None);
        read_until(&mut progress, 4);
        assert_eq!(progress.commit().map(|open| open.skip.events), Some(5));
    }

    #[test]
    fn behind_an_end_that_debezium_passes_over_it_goes_on_counting() {
        let inside = BinlogPosition { position: 104, events: 9, ..start() };
        let mut progress = Progress::at(&inside, None);
        read_until(&mut progress, 4);
        assert!(progress.is_skipping());
        progress.ends_uncounted();
        assert_eq!(progress.commit().map(|open| open.skip.events), Some(0));
    }

    #[test]
    fn another_transaction_than_the_one_that_was_open_is_read_whole() {
        for (file, position, skips) in
            [("binlog.000001", 104, true), ("binlog.000001", 99, false), ("binlog.000002", 104, false)]
        {
            let inside = BinlogPosition { file: file.into(), position, events: 3, rows: 2, ..start() };
            let mut progress = Progress::at(&inside, None);
            progress.rotate("binlog.000001", 4);
            read_until(&mut progress, 1);
            assert_eq!(progress.is_skipping(), skips, "{file} {position}");
            assert_eq!(progress.take_row_skip(), if skips { 2 } else { 0 });
        }
    }

    #[test]
    fn a_statement_in_the_place_of_the_open_transaction_ends_the_waiting_for_it() {
        let inside = BinlogPosition { position: 104, events: 3, ..start() };
        let mut progress = Progress::at(&inside, None);
        progress.mysql_gtid(UUID, Tag::NONE, 9, None);
        progress.event_read(Some(304));
        progress.commit();
        progress.event_read(Some(404));
        let point = progress.resume_point();
        assert_eq!((point.position, point.events), (404, 0));
        assert!(point.gtids.text().unwrap().ends_with(":9"));
    }

    #[test]
    fn heartbeats_do_not_count_as_events() {
        let mut progress = Progress::at(&start(), None);
        progress.heartbeat(Some(54));
        assert_eq!(progress.resume_point().position, 54);
        read_until(&mut progress, 2);
        progress.heartbeat(Some(900));
        assert_eq!((progress.resume_point().events, progress.position), (2, 304));
    }

    #[test]
    fn events_that_another_server_counted_are_not_skipped() {
        let inside = BinlogPosition { position: 104, events: 3, rows: 2, server_uuid: Some("one".into()), ..start() };
        for (uuid, skips) in [("one", true), ("other", false)] {
            let mut progress = Progress::at(&inside, Some(uuid.into()));
            read_until(&mut progress, 1);
            assert_eq!(progress.is_skipping(), skips, "{uuid}");
        }
    }
}
