//! A place in PostgreSQL's log: what is stored, and from where to go on.
//!
//! The fields are Debezium's. Transactions come in the order of their commits, so what is needed to go on is the end of
//! the last one that was delivered whole (`lsn_commit`), and how much of the next one was. Changes of one transaction come
//! in the order of their places in the log, and several may share one: `lsn` and `lsn_proc` are the last place of which
//! every change was delivered, so that a Debezium that goes on from here skips nothing. What was delivered beyond it stands
//! in fields of ours (`open_lsn`, `open_lsn_events`, `open_txId`), so that we repeat nothing. A place means something on its
//! timeline only, which stands in another field of ours (`timeline`).

use super::connection::Lsn;
use super::error::PostgresError;
use crate::model::position::{OffsetField, OffsetMap, ResumePoint, StoredOffset};

/// The place of the last changes that were delivered, where more may share it.
const OPEN_LSN: &str = "open_lsn";
/// How many changes of that place were delivered.
const OPEN_LSN_EVENTS: &str = "open_lsn_events";
/// The transaction that those changes belong to.
const OPEN_TRANSACTION: &str = "open_txId";
/// The timeline of the server's log; ours.
const TIMELINE: &str = "timeline";
/// How many changes of the place `lsn` were delivered; Debezium's, since 3.7.
const LSN_EVENTS_PROCESSED: &str = "lsn_events_processed";

/// What the last message was, in the words of Debezium's `messageType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A transaction began.
    Begin,
    /// A transaction ended.
    Commit,
    /// A row was inserted.
    Insert,
    /// A row was updated.
    Update,
    /// A row was deleted.
    Delete,
    /// A table was emptied.
    Truncate,
    /// A logical message.
    Message,
}

impl MessageKind {
    fn word(self) -> &'static str {
        match self {
            MessageKind::Begin => "BEGIN",
            MessageKind::Commit => "COMMIT",
            MessageKind::Insert => "INSERT",
            MessageKind::Update => "UPDATE",
            MessageKind::Delete => "DELETE",
            MessageKind::Truncate => "TRUNCATE",
            MessageKind::Message => "MESSAGE",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        use MessageKind as K;
        [K::Begin, K::Commit, K::Insert, K::Update, K::Delete, K::Truncate, K::Message]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// How much of a transaction was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The transaction.
    pub transaction_id: u32,
    /// Everything of it at this place and before was.
    pub through: Option<Lsn>,
    /// At this place so many changes were.
    pub at: Option<(Lsn, u64)>,
}

impl Delivered {
    /// Whether the `number`th change (from 1) at a place was delivered.
    pub fn covers(&self, lsn: Lsn, number: u64) -> bool {
        self.through.is_some_and(|through| lsn <= through)
            || self.at.is_some_and(|(at, events)| lsn < at || (lsn == at && number <= events))
    }
}

/// A place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresPosition {
    /// The end of the last transaction that was delivered whole; `None` before the first.
    pub commit_lsn: Option<Lsn>,
    /// The place of the last message of which everything was delivered, the beginning at first.
    pub lsn: Lsn,
    /// What that message was.
    pub kind: Option<MessageKind>,
    /// Its transaction.
    pub transaction_id: Option<u32>,
    /// When that was committed, in microseconds since the epoch; 0 for unknown.
    pub timestamp_us: i64,
    /// What was delivered of the transaction behind `commit_lsn`.
    pub delivered: Option<Delivered>,
    /// The timeline of the log that it was read from; `None` where that is not known (Debezium's, a standby's).
    pub timeline: Option<u32>,
}

impl PostgresPosition {
    /// Where a stream begins that has no past.
    pub fn beginning(lsn: Lsn) -> Self {
        PostgresPosition {
            commit_lsn: None,
            lsn,
            kind: None,
            transaction_id: None,
            timestamp_us: 0,
            delivered: None,
            timeline: None,
        }
    }

    /// The last place of which something was delivered.
    pub fn furthest(&self) -> Lsn {
        let open = self.delivered.and_then(|delivered| delivered.at).map_or(Lsn::INVALID, |(at, _)| at);
        self.start().max(self.lsn).max(open)
    }

    /// Where the server is asked to begin: nothing that ended before this is needed any more.
    pub fn start(&self) -> Lsn {
        self.commit_lsn.unwrap_or(self.lsn)
    }

    /// From what is stored, whoever stored it.
    ///
    /// # Errors
    /// When it is no position, or one in a snapshot.
    pub fn from_stored(stored: &StoredOffset) -> Result<Self, PostgresError> {
        let unfinished = ["true", "initial", "blocking"];
        let completed = stored.0.iter().any(|(name, field)| {
            ["snapshot_completed", "last_snapshot_record"].contains(&name.as_str())
                && *field == OffsetField::Boolean(true)
        });
        let in_snapshot = match stored.0.iter().find(|(name, _)| name == "snapshot") {
            Some((_, OffsetField::Boolean(snapshot))) => *snapshot,
            Some((_, OffsetField::Text(text))) => unfinished.contains(&text.to_lowercase().as_str()),
            Some((_, OffsetField::Null | OffsetField::Integer(_))) | None => false,
        };
        if in_snapshot && !completed {
            return Err(PostgresError::OffsetInSnapshot);
        }
        let lsn = |name: &str| stored.integer(name).map(|number| Lsn(number.cast_unsigned()));
        let processed = lsn("lsn_proc");
        let place = processed.or(lsn("lsn")).ok_or(PostgresError::Offset("it has no lsn"))?;
        if place == Lsn::INVALID {
            return Err(PostgresError::Offset("its lsn is 0"));
        }
        let kind = stored.text("messageType").and_then(MessageKind::parse);
        let transaction_id = stored.integer("txId").and_then(|number| u32::try_from(number).ok());
        let commit_lsn = lsn("lsn_commit").or(processed.filter(|_| kind != Some(MessageKind::Begin)));
        let position = PostgresPosition {
            commit_lsn,
            lsn: place,
            kind,
            transaction_id,
            timestamp_us: stored.integer("ts_usec").unwrap_or(0),
            delivered: None,
            timeline: stored.integer(TIMELINE).and_then(|number| u32::try_from(number).ok()),
        };
        let delivered = position.delivered_of(stored);
        Ok(PostgresPosition { delivered, ..position })
    }

    /// How much of the transaction behind `commit_lsn` a stored offset says was delivered.
    fn delivered_of(&self, stored: &StoredOffset) -> Option<Delivered> {
        let events = |name: &str| stored.integer(name).and_then(|number| u64::try_from(number).ok());
        let open = stored.integer(OPEN_LSN).map(|number| Lsn(number.cast_unsigned()));
        if let (Some(at), Some(events)) = (open, events(OPEN_LSN_EVENTS)) {
            let id = stored.integer(OPEN_TRANSACTION).and_then(|number| u32::try_from(number).ok())?;
            return Some(Delivered {
                transaction_id: id,
                through: self.inside().then_some(self.lsn).filter(|lsn| *lsn < at),
                at: Some((at, events)),
            });
        }
        // `lsn_proc` may be the end of the transaction before (`TRUNCATE a, b`): it is a place of this one only where it is the
        // event's own.
        let own = stored.integer("lsn").map(|number| Lsn(number.cast_unsigned())) == Some(self.lsn);
        if !self.inside() || !own || self.commit_lsn == Some(self.lsn) {
            return None;
        }
        // Debezium's. It does not say (before 3.7) how many of the changes at `lsn` were delivered: they come again.
        let events = events(LSN_EVENTS_PROCESSED).unwrap_or(0);
        Some(Delivered { transaction_id: self.transaction_id?, through: None, at: Some((self.lsn, events)) })
    }

    /// Whether `lsn` is the place of a change inside the transaction behind `commit_lsn`.
    fn inside(&self) -> bool {
        match self.kind {
            // Between transactions, or at the beginning of one.
            None | Some(MessageKind::Commit | MessageKind::Begin) => false,
            // A message outside of transactions is stored as an end.
            Some(MessageKind::Message) => self.commit_lsn != Some(self.lsn),
            Some(MessageKind::Insert | MessageKind::Update | MessageKind::Delete | MessageKind::Truncate) => true,
        }
    }
}

impl ResumePoint for PostgresPosition {
    fn offset(&self) -> OffsetMap {
        let number = |lsn: Lsn| OffsetField::Integer(lsn.0.cast_signed());
        let mut fields = Vec::with_capacity(10);
        let mut add = |name: &str, field: OffsetField| fields.push((name.to_owned(), field));
        // In the order of Debezium's map, so that whoever compares the texts sees the same.
        add("lsn_proc", number(self.lsn));
        if let Some(kind) = self.kind {
            add("messageType", OffsetField::Text(kind.word().to_owned()));
        }
        if let Some(commit_lsn) = self.commit_lsn {
            add("lsn_commit", number(commit_lsn));
        }
        add("lsn", number(self.lsn));
        if let Some(id) = self.transaction_id {
            add("txId", OffsetField::Integer(i64::from(id)));
        }
        if self.timestamp_us != 0 {
            add("ts_usec", OffsetField::Integer(self.timestamp_us));
        }
        if let Some(Delivered { transaction_id, at: Some((at, events)), .. }) = self.delivered {
            add(OPEN_LSN, number(at));
            add(OPEN_LSN_EVENTS, OffsetField::Integer(i64::try_from(events).unwrap_or(i64::MAX)));
            add(OPEN_TRANSACTION, OffsetField::Integer(i64::from(transaction_id)));
        }
        if let Some(timeline) = self.timeline {
            add(TIMELINE, OffsetField::Integer(i64::from(timeline)));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    fn number(name: &str, number: i64) -> (String, OffsetField) {
        (name.to_owned(), OffsetField::Integer(number))
    }

    fn kind(word: &str) -> (String, OffsetField) {
        ("messageType".to_owned(), OffsetField::Text(word.to_owned()))
    }

    /// Of a transaction, for some changes (their place, and which one at it) whether they are passed over.
    type PassedOver<'p> = (u32, &'p [(u64, u64, bool)]);

    /// Where reading starts, and of which transaction which changes are passed over.
    fn check(fields: &[(String, OffsetField)], start: u64, passed_over: Option<PassedOver<'_>>) {
        let position = PostgresPosition::from_stored(&StoredOffset(fields.to_vec()));
        let Ok(position) = position else { panic!("{position:?}") };
        assert_eq!(position.start(), Lsn(start), "{fields:?}");
        match (passed_over, &position.delivered) {
            (None, None) => {}
            (Some((id, changes)), Some(delivered)) => {
                assert_eq!(delivered.transaction_id, id, "{fields:?}");
                for (lsn, nth, expected) in changes {
                    assert_eq!(delivered.covers(Lsn(*lsn), *nth), *expected, "{fields:?} {lsn} {nth}");
                }
            }
            (expected, found) => panic!("{fields:?}: {found:?} instead of {expected:?}"),
        }
        // What is written of it is read as the same.
        let again = PostgresPosition::from_stored(&StoredOffset(position.offset()));
        assert_eq!(again.ok().map(|again| again.start()), Some(position.start()));
    }

    #[test]
    fn debeziums_offsets_say_where_to_go_on() {
        let commit =
            [number("lsn", 90), number("lsn_proc", 90), number("lsn_commit", 90), number("txId", 7), kind("COMMIT")];
        check(&commit, 90, None);
        let inside =
            [number("lsn", 70), number("lsn_proc", 70), number("lsn_commit", 90), number("txId", 8), kind("INSERT")];
        check(&inside, 90, Some((8, &[(60, 5, true), (70, 1, false), (71, 1, false)])));
        let counted = [inside.as_slice(), &[number("lsn_events_processed", 2)]].concat();
        check(&counted, 90, Some((8, &[(70, 2, true), (70, 3, false)])));
        let message = [number("lsn", 95), number("lsn_proc", 95), number("lsn_commit", 95), kind("MESSAGE")];
        check(&message, 95, None);
        check(&[number("lsn", 95), number("txId", 8)], 95, None);
    }

    #[test]
    fn our_offsets_repeat_nothing() {
        let mut position = PostgresPosition::beginning(Lsn(50));
        position.commit_lsn = Some(Lsn(90));
        position.kind = Some(MessageKind::Commit);
        position.transaction_id = Some(7);
        position.delivered = Some(Delivered { transaction_id: 8, through: None, at: Some((Lsn(60), 3)) });
        check(&position.offset(), 90, Some((8, &[(55, 1, true), (60, 3, true), (60, 4, false)])));
        position.kind = Some(MessageKind::Insert);
        position.lsn = Lsn(58);
        check(&position.offset(), 90, Some((8, &[(58, 9, true), (60, 3, true), (60, 4, false), (61, 1, false)])));
    }

    #[test]
    fn what_is_no_position_is_refused() {
        let refused =
            |fields: &[(String, OffsetField)]| PostgresPosition::from_stored(&StoredOffset(fields.to_vec())).is_err();
        assert!(refused(&[]));
        assert!(refused(&[number("lsn", 0)]));
        assert!(refused(&[number("lsn", 5), ("snapshot".to_owned(), OffsetField::Text("INITIAL".to_owned()))]));
        assert!(!refused(&[
            number("lsn", 5),
            ("snapshot".to_owned(), OffsetField::Text("INITIAL".to_owned())),
            ("snapshot_completed".to_owned(), OffsetField::Boolean(true)),
        ]));
    }
}
