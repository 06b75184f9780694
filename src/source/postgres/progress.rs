//! Where the stream stands: which transaction is open, and what of it was delivered before.

use std::sync::Arc;

use super::connection::Lsn;
use super::pgoutput::{Begin, Commit};
use super::position::{Delivered, MessageKind, PostgresPosition};
use super::wire::EPOCH_2000_US;
use crate::model::change::{PostgresOrigin, ReplicationOrigin, TransactionBoundary, TransactionOrder};
use crate::source::counts::EventCounts;

/// A transaction that has begun and not ended.
#[derive(Debug)]
struct Open {
    transaction_id: u32,
    /// When it was committed, in microseconds since the epoch.
    timestamp_us: i64,
    replication_origin: Option<Arc<ReplicationOrigin>>,
    /// Where it begins.
    lsn: Lsn,
    counts: EventCounts<Arc<str>>,
    /// The place of the last change, how many changes at that place were read, and what the last one was.
    place: Option<(Lsn, u64, MessageKind)>,
    /// The place before, of which all were read, and what the last one was.
    through: Option<(Lsn, MessageKind)>,
    /// What was delivered of it before.
    delivered: Option<Delivered>,
}

/// Where the stream stands.
#[derive(Debug)]
pub struct Progress {
    /// The position between transactions.
    between: PostgresPosition,
    /// The end of the last transaction, which the place between transactions may be far behind of.
    last_commit: Option<Lsn>,
    open: Option<Open>,
    /// The position that the stream went on from, until something new was read.
    resumed: Option<PostgresPosition>,
    transaction_metadata: bool,
}

/// A transaction's id in its metadata: Debezium adds the place of the message, so that it is another for each event.
fn metadata_id(transaction_id: u32, lsn: Lsn) -> Arc<str> {
    format!("{transaction_id}:{}", lsn.0.cast_signed()).into()
}

impl Progress {
    /// A stream that goes on from a position.
    pub fn from(position: PostgresPosition, transaction_metadata: bool) -> Self {
        // What was delivered inside a transaction is `resumed`'s to say: between transactions nothing is inside one.
        let between = match position.delivered {
            None => position.clone(),
            Some(_) => PostgresPosition {
                lsn: position.start(),
                kind: Some(MessageKind::Commit),
                transaction_id: None,
                delivered: None,
                ..position.clone()
            },
        };
        let resumed = position.delivered.is_some().then_some(position);
        let last_commit = between.commit_lsn;
        Progress { between, last_commit, open: None, resumed, transaction_metadata }
    }

    /// The same on a new connection, behind a position. The last commit that was seen stays the last one: the position may
    /// have got beyond it by what the server said of its log, and may lie before it where it was told to go back.
    pub fn go_on(&mut self, position: PostgresPosition) {
        let last_commit = self.last_commit;
        *self = Progress::from(position, self.transaction_metadata);
        if last_commit.is_none_or(|commit| commit <= self.between.start()) {
            self.last_commit = last_commit;
        }
    }

    /// The position: everything before it was read.
    pub fn position(&self) -> PostgresPosition {
        if let Some(resumed) = &self.resumed {
            return resumed.clone();
        }
        let Some(Open { place: Some((at, events, _)), through, transaction_id, timestamp_us, .. }) = &self.open else {
            return self.between.clone();
        };
        let delivered = Some(Delivered {
            transaction_id: *transaction_id,
            through: through.map(|(lsn, _)| lsn),
            at: Some((*at, *events)),
        });
        match through {
            Some((lsn, kind)) => PostgresPosition {
                commit_lsn: self.between.commit_lsn,
                lsn: *lsn,
                kind: Some(*kind),
                transaction_id: Some(*transaction_id),
                timestamp_us: *timestamp_us,
                delivered,
                timeline: self.between.timeline,
            },
            None => PostgresPosition { delivered, ..self.between.clone() },
        }
    }

    /// Whether a transaction is open.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The beginning of the open transaction, where transaction metadata is asked for.
    pub fn boundary(&self) -> Option<TransactionBoundary> {
        let open = self.open.as_ref().filter(|_| self.transaction_metadata)?;
        let id = metadata_id(open.transaction_id, open.lsn);
        Some(TransactionBoundary { id, collections: None, timestamp_us: open.timestamp_us })
    }

    /// Whether the beginning of the open transaction was delivered before.
    pub fn continues(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.delivered.is_some())
    }

    /// A transaction begins; `lsn` is the message's.
    pub fn begin(&mut self, begin: &Begin, lsn: Lsn) {
        let delivered = self.resumed.as_ref().and_then(|position| position.delivered);
        self.open = Some(Open {
            transaction_id: begin.xid,
            timestamp_us: begin.commit_time_us.saturating_add(EPOCH_2000_US),
            replication_origin: None,
            lsn,
            counts: EventCounts::default(),
            place: None,
            through: None,
            delivered: delivered.filter(|delivered| delivered.transaction_id == begin.xid),
        });
    }

    /// The open transaction came from another server.
    pub fn replicated_from(&mut self, origin: ReplicationOrigin) {
        if let Some(open) = &mut self.open {
            open.replication_origin = Some(Arc::new(origin));
        }
    }

    /// A change of the open transaction at `lsn` was read. Says whether it is to be delivered.
    pub fn change(&mut self, lsn: Lsn, kind: MessageKind) -> bool {
        let Some(open) = self.open.as_mut() else { return true };
        let number = match open.place {
            Some((at, number, _)) if at == lsn => number + 1,
            Some((at, _, last)) => {
                open.through = Some((at, last));
                1
            }
            None => 1,
        };
        open.place = Some((lsn, number, kind));
        if open.delivered.is_some_and(|delivered| delivered.covers(lsn, number)) {
            return false;
        }
        if let Some(resumed) = self.resumed.take()
            && open.delivered.is_none()
        {
            tracing::warn!(
                expected = resumed.delivered.map(|delivered| delivered.transaction_id),
                found = open.transaction_id,
                "the stored position lies in a transaction that the server does not send first: this one is delivered whole"
            );
        }
        true
    }

    /// Where the last change that was read comes from.
    pub fn origin(&self, lsn: Lsn, xmin: Option<i64>) -> PostgresOrigin {
        let open = self.open.as_ref();
        PostgresOrigin {
            lsn: lsn.0,
            last_commit_lsn: self.last_commit.map(|lsn| lsn.0),
            transaction_id: open.map(|open| open.transaction_id),
            xmin,
            timestamp_us: open.map_or(self.between.timestamp_us, |open| open.timestamp_us),
            replication_origin: open.and_then(|open| open.replication_origin.clone()),
        }
    }

    /// Counts events of a part of the open transaction, where transaction metadata is asked for.
    pub fn order(&mut self, part: &Arc<str>, events: i64) -> Option<TransactionOrder> {
        let open = self.open.as_mut().filter(|_| self.transaction_metadata)?;
        let id = metadata_id(open.transaction_id, open.place.map_or(open.lsn, |(lsn, ..)| lsn));
        let (total_order, data_collection_order) = open.counts.add(part, events);
        Some(TransactionOrder { id, total_order, data_collection_order })
    }

    /// The open transaction ends; gives its end, where transaction metadata is asked for.
    pub fn commit(&mut self, commit: &Commit) -> Option<TransactionBoundary> {
        let open = self.open.take()?;
        self.resumed = None;
        self.last_commit = Some(commit.end_lsn);
        self.between = PostgresPosition {
            commit_lsn: Some(commit.end_lsn),
            lsn: commit.end_lsn,
            kind: Some(MessageKind::Commit),
            transaction_id: Some(open.transaction_id),
            timestamp_us: open.timestamp_us,
            delivered: None,
            timeline: self.between.timeline,
        };
        if !self.transaction_metadata {
            return None;
        }
        let (id, collections) = (metadata_id(open.transaction_id, commit.end_lsn), Some(open.counts.by_name()));
        Some(TransactionBoundary { id, collections, timestamp_us: open.timestamp_us })
    }

    /// A message outside of transactions was read. Says whether it is to be delivered.
    pub fn message(&mut self, lsn: Lsn) -> bool {
        let between = &mut self.between;
        // The server begins at this very place when it is asked to go on from it.
        if between.kind == Some(MessageKind::Message) && between.commit_lsn == Some(lsn) {
            return false;
        }
        // In the middle of a transaction the message says nothing of where that one stands.
        if self.open.is_none() && self.resumed.is_none() {
            between.commit_lsn = Some(lsn);
            self.last_commit = Some(lsn);
            between.lsn = lsn;
            between.kind = Some(MessageKind::Message);
            between.transaction_id = None;
        }
        true
    }

    /// The server has sent everything that was committed before `lsn`. Says whether the position has moved.
    pub fn nothing_before(&mut self, lsn: Lsn) -> bool {
        if self.open.is_some() || self.resumed.is_some() || self.between.start() >= lsn {
            return false;
        }
        self.between.commit_lsn = Some(lsn);
        self.between.lsn = lsn;
        if self.between.kind == Some(MessageKind::Message) {
            self.between.kind = Some(MessageKind::Commit);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::position::{OffsetField, ResumePoint, StoredOffset};

    const BEGIN: Begin = Begin { final_lsn: Lsn(200), commit_time_us: 0, xid: 8 };

    /// A stream that goes on from what a stored position says.
    fn reload(stored: Vec<(String, OffsetField)>) -> Progress {
        Progress::from(PostgresPosition::from_stored(&StoredOffset(stored)).unwrap(), false)
    }

    fn number(name: &str, number: i64) -> (String, OffsetField) {
        (name.to_owned(), OffsetField::Integer(number))
    }

    #[test]
    fn rows_that_share_a_place_with_a_stored_one_are_not_passed_over() {
        // Debezium's: a transaction of which changes at 70 were delivered; it does not say how many.
        let mut progress = reload(vec![
            number("lsn", 70),
            number("lsn_proc", 70),
            number("lsn_commit", 90),
            number("txId", 8),
            ("messageType".to_owned(), OffsetField::Text("INSERT".to_owned())),
        ]);
        progress.begin(&BEGIN, Lsn(60));
        assert!(!progress.change(Lsn(60), MessageKind::Insert));
        let delivered: Vec<bool> = (0..120).map(|_| progress.change(Lsn(70), MessageKind::Insert)).collect();
        assert!(delivered.iter().all(|delivered| *delivered));
        // Stopped in the middle of that place, and started again.
        let mut progress = reload(progress.position().offset());
        progress.begin(&BEGIN, Lsn(60));
        assert!(!progress.change(Lsn(60), MessageKind::Insert));
        let delivered = (0..200).filter(|_| progress.change(Lsn(70), MessageKind::Insert)).count();
        assert_eq!(delivered, 80);
        assert!(progress.change(Lsn(71), MessageKind::Insert));
    }

    #[test]
    fn another_transaction_than_the_stored_one_is_delivered_whole() {
        let mut first = Progress::from(PostgresPosition::beginning(Lsn(50)), false);
        first.begin(&Begin { xid: 7, ..BEGIN }, Lsn(100));
        for lsn in [100, 500, 600] {
            assert!(first.change(Lsn(lsn), MessageKind::Insert));
        }
        let mut second = reload(first.position().offset());
        second.begin(&BEGIN, Lsn(100));
        assert!(second.change(Lsn(200), MessageKind::Insert));
        let mut third = reload(second.position().offset());
        third.begin(&BEGIN, Lsn(100));
        let delivered: Vec<bool> = [200, 201, 500].map(|lsn| third.change(Lsn(lsn), MessageKind::Insert)).into();
        assert_eq!(delivered, [false, true, true]);
    }

    #[test]
    fn what_the_server_says_of_its_log_is_no_commit() {
        let mut progress = Progress::from(PostgresPosition::beginning(Lsn(50)), false);
        let last_commit = |progress: &Progress| progress.origin(Lsn(500), None).last_commit_lsn;
        assert!(progress.nothing_before(Lsn(90)));
        assert_eq!((progress.position().start(), last_commit(&progress)), (Lsn(90), None));
        progress.begin(&BEGIN, Lsn(100));
        let _ = progress.commit(&Commit { commit_lsn: Lsn(190), end_lsn: Lsn(200), commit_time_us: 0 });
        assert!(progress.nothing_before(Lsn(300)));
        assert_eq!((progress.position().start(), last_commit(&progress)), (Lsn(300), Some(200)));
        // Nor is it one on the next connection, unless that goes back.
        progress.go_on(progress.position());
        assert_eq!((progress.position().start(), last_commit(&progress)), (Lsn(300), Some(200)));
        let back = PostgresPosition { commit_lsn: Some(Lsn(150)), ..PostgresPosition::beginning(Lsn(150)) };
        let mut earlier = Progress::from(progress.position(), false);
        earlier.go_on(back);
        assert_eq!(last_commit(&earlier), Some(150));
        assert!(progress.message(Lsn(400)));
        assert_eq!(last_commit(&progress), Some(400));
    }
}
