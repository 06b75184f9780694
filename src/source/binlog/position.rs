//! A place in a binlog: what is stored, what is asked of the server, and which of two comes first.
//!
//! The fields are Debezium's. `file` and `pos` are where the open transaction begins, or where the next event
//! does between transactions; `gtids` are the transactions that were read to their end; `event` and `row` say
//! how many events of the open transaction, its BEGIN included, and how many rows of the next one were
//! delivered. A position inside a transaction also says which server counted those events (`server_uuid`,
//! ours): another server may cut the same rows into other events, and then the transaction is read whole.

use std::sync::Arc;

use super::event::gtid::{MariadbGtidSet, MysqlGtidSet};
use crate::model::position::{OffsetField, OffsetMap, ResumePoint, StoredOffset};

/// The name of the field that says which server counted the events of an open transaction.
const SERVER_UUID_FIELD: &str = "server_uuid";

/// What Debezium stores only while an incremental snapshot is taken.
const INCREMENTAL_FIELDS: [&str; 3] =
    ["incremental_snapshot_primary_key", "incremental_snapshot_maximum_key", "incremental_snapshot_collections"];

/// The transactions that were read to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GtidSet {
    /// The server numbers no transactions, or they are not used.
    None,
    /// MySQL's.
    MySql(MysqlGtidSet),
    /// MariaDB's.
    MariaDb(MariadbGtidSet),
}

impl GtidSet {
    /// The set as it is stored and printed; `None` for none.
    pub fn text(&self) -> Option<String> {
        match self {
            GtidSet::None => None,
            GtidSet::MySql(set) => Some(set.to_string()),
            GtidSet::MariaDb(set) => Some(set.to_string()),
        }
        .filter(|text| !text.is_empty())
    }
}

/// A place in a binlog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinlogPosition {
    /// The binlog file.
    pub file: Arc<str>,
    /// Where in it.
    pub position: u64,
    /// The transactions that were read to their end.
    pub gtids: GtidSet,
    /// Events of the open transaction that were delivered, its BEGIN included; 0 between transactions.
    pub events: u64,
    /// Rows of the next event that were delivered.
    pub rows: u64,
    /// The server that wrote the last event; 0 for unknown.
    pub server_id: u32,
    /// When the last event was written, in seconds since the epoch; 0 for unknown.
    pub timestamp_s: i64,
    /// Which server counted `events`.
    pub server_uuid: Option<Arc<str>>,
}

impl ResumePoint for BinlogPosition {
    fn offset(&self) -> OffsetMap {
        let integer = |number: u64| OffsetField::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let mut fields = OffsetMap::new();
        let mut put = |name: &str, field: OffsetField| fields.push((name.to_owned(), field));
        if self.timestamp_s != 0 {
            put("ts_sec", OffsetField::Integer(self.timestamp_s));
        }
        put("file", OffsetField::Text(self.file.to_string()));
        put("pos", integer(self.position));
        if let Some(gtids) = self.gtids.text() {
            put("gtids", OffsetField::Text(gtids));
        }
        if self.rows != 0 {
            put("row", integer(self.rows));
        }
        if self.server_id != 0 {
            put("server_id", integer(u64::from(self.server_id)));
        }
        if self.events != 0 {
            put("event", integer(self.events));
            if let Some(uuid) = &self.server_uuid {
                put(SERVER_UUID_FIELD, OffsetField::Text(uuid.to_string()));
            }
        }
        fields
    }
}

/// Why a stored offset cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetProblem {
    /// There is neither a file nor a GTID set in it.
    NoPosition,
    /// Its GTID set is not one.
    BadGtids,
    /// A field is not of its type, or a number is negative.
    BadField,
    /// It was written in the middle of a snapshot of data.
    InSnapshot,
    /// It was written in the middle of an incremental snapshot.
    InIncrementalSnapshot,
}

fn field_of<'s>(stored: &'s StoredOffset, name: &str) -> Option<&'s OffsetField> {
    stored.0.iter().find(|(known, _)| known == name).map(|(_, field)| field)
}

fn text_of<'s>(stored: &'s StoredOffset, name: &str) -> Result<Option<&'s str>, OffsetProblem> {
    match field_of(stored, name) {
        None | Some(OffsetField::Null) => Ok(None),
        Some(OffsetField::Text(text)) => Ok(Some(text)),
        Some(OffsetField::Boolean(_) | OffsetField::Integer(_)) => Err(OffsetProblem::BadField),
    }
}

/// 0 for none; a text that is a number counts, as in Debezium.
fn number_of(stored: &StoredOffset, name: &str) -> Result<i64, OffsetProblem> {
    match field_of(stored, name) {
        None | Some(OffsetField::Null) => Ok(0),
        Some(OffsetField::Integer(number)) => Ok(*number),
        Some(OffsetField::Text(text)) => text.trim().parse().map_err(|_| OffsetProblem::BadField),
        Some(OffsetField::Boolean(_)) => Err(OffsetProblem::BadField),
    }
}

/// Debezium's words: `snapshot` is INITIAL or BLOCKING while one is taken (`true` in old versions), and INCREMENTAL from
/// an incremental one's begin on; only the fields beneath say whether that goes on.
fn refuse_snapshot(stored: &StoredOffset) -> Result<(), OffsetProblem> {
    let is_true = |field: Option<&OffsetField>| match field {
        Some(OffsetField::Boolean(value)) => *value,
        Some(OffsetField::Text(text)) => text == "true",
        None | Some(OffsetField::Null | OffsetField::Integer(_)) => false,
    };
    let is_set = |name: &str| !matches!(field_of(stored, name), None | Some(OffsetField::Null));
    match field_of(stored, "snapshot") {
        None | Some(OffsetField::Null | OffsetField::Boolean(false)) => {}
        Some(OffsetField::Text(kind)) if kind == "INCREMENTAL" => {}
        Some(_) if is_true(field_of(stored, "snapshot_completed")) => {}
        Some(_) => return Err(OffsetProblem::InSnapshot),
    }
    if INCREMENTAL_FIELDS.iter().any(|name| is_set(name)) {
        return Err(OffsetProblem::InIncrementalSnapshot);
    }
    Ok(())
}

/// Which kind of GTID a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GtidKind {
    /// None.
    None,
    /// MySQL's sets of intervals.
    MySql,
    /// MariaDB's last sequence for each domain.
    MariaDb,
}

impl BinlogPosition {
    /// Reads a stored offset, of ours or of Debezium's.
    ///
    /// # Errors
    /// When it is not a position to go on from.
    pub fn parse(stored: &StoredOffset, kind: GtidKind) -> Result<Self, OffsetProblem> {
        refuse_snapshot(stored)?;
        let text = |name: &str| text_of(stored, name);
        let number = |name: &str| u64::try_from(number_of(stored, name)?).map_err(|_| OffsetProblem::BadField);
        let gtids = match (kind, text("gtids")?.map(str::trim).filter(|text| !text.is_empty())) {
            (_, None) | (GtidKind::None, Some(_)) => GtidSet::None,
            (GtidKind::MySql, Some(text)) => {
                GtidSet::MySql(text.replace(['\n', '\r'], "").parse().map_err(|_| OffsetProblem::BadGtids)?)
            }
            (GtidKind::MariaDb, Some(text)) => GtidSet::MariaDb(text.parse().map_err(|_| OffsetProblem::BadGtids)?),
        };
        let file = text("file")?.unwrap_or_default();
        if file.is_empty() && gtids == GtidSet::None {
            return Err(OffsetProblem::NoPosition);
        }
        Ok(BinlogPosition {
            file: file.into(),
            position: number("pos")?,
            gtids,
            events: number("event")?,
            rows: number("row")?,
            server_id: u32::try_from(number("server_id")?).unwrap_or(0),
            timestamp_s: number_of(stored, "ts_sec")?,
            server_uuid: text(SERVER_UUID_FIELD)?.map(Into::into),
        })
    }

    /// Whether a schema change recorded at `self` had happened when reading stood at `reached`.
    ///
    /// GTIDs decide where both have them: a server that took over has other files. Where the sets are the same, it
    /// is about the one transaction that is in neither: the statement's own. Reading begins again before it, so that
    /// a statement that stands alone comes again, and must not be taken over as well; within an open transaction,
    /// and where there are no GTIDs, places in files decide.
    pub fn is_at_or_before(&self, reached: &BinlogPosition, recorded: Recorded) -> bool {
        // A statement in the group of events that was open then: reading begins before the group, so it comes again,
        // however many of the group's events were delivered. Debezium counts MariaDB's statements like that.
        let same_group =
            (&self.file, self.position) == (&reached.file, reached.position) && self.gtids == reached.gtids;
        if same_group && self.events > 0 && recorded == Recorded::InStream {
            return false;
        }
        let contained = match (&self.gtids, &reached.gtids) {
            (GtidSet::MySql(mine), GtidSet::MySql(theirs)) if mine != theirs => Some(mine.is_subset_of(theirs)),
            (GtidSet::MariaDb(mine), GtidSet::MariaDb(theirs)) if mine != theirs => Some(mine.is_subset_of(theirs)),
            (GtidSet::MySql(_), GtidSet::MySql(_)) | (GtidSet::MariaDb(_), GtidSet::MariaDb(_)) => match recorded {
                Recorded::InSnapshot => Some(true),
                Recorded::InStream => (self.events == 0).then_some(false),
                Recorded::InFilteredStream => None,
            },
            // GTIDs are switched on and hardly ever off: what has none is older than what has.
            (GtidSet::None, GtidSet::MySql(_) | GtidSet::MariaDb(_)) => Some(true),
            (GtidSet::MySql(_) | GtidSet::MariaDb(_), GtidSet::None) => Some(false),
            (GtidSet::None, GtidSet::None)
            | (GtidSet::MySql(_), GtidSet::MariaDb(_))
            | (GtidSet::MariaDb(_), GtidSet::MySql(_)) => None,
        };
        contained.unwrap_or_else(|| {
            // Files of another name are of another log: their numbers say nothing. A statement too many does less harm
            // than a table too few, and Debezium decides like that.
            if is_another_log(&self.file, &reached.file) {
                return true;
            }
            let mine = (file_number(&self.file), self.position, self.events, self.rows);
            let theirs = (file_number(&reached.file), reached.position, reached.events, reached.rows);
            mine <= theirs
        })
    }
}

/// How a schema change came to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// As what the server's tables were at the position.
    InSnapshot,
    /// As a statement of the log; the position's GTIDs are those before it.
    InStream,
    /// The same where some GTID sources are not followed: what they have done is not read again.
    InFilteredStream,
}

/// Whether files are named otherwise than by their numbers: after a restore, or with another `log_bin`.
fn is_another_log(file: &str, other: &str) -> bool {
    match (file.rsplit_once('.'), other.rsplit_once('.')) {
        (Some((name, _)), Some((other, _))) => name != other,
        _ => false,
    }
}

/// The number at the end of a binlog file's name (`binlog.000042`), so that 1000000 comes after 999999.
pub fn file_number(file: &str) -> u64 {
    file.rsplit('.').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stored(fields: &[(&str, OffsetField)]) -> StoredOffset {
        StoredOffset(fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect())
    }

    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    #[test]
    fn an_offset_of_debezium_is_read_and_written_back() {
        let gtids = format!("{UUID}:1-99");
        let offset = stored(&[
            ("ts_sec", OffsetField::Integer(1_700_000_000)),
            ("file", OffsetField::Text("mysql-bin.000003".to_owned())),
            ("pos", OffsetField::Integer(1234)),
            ("gtids", OffsetField::Text(gtids.clone())),
            ("row", OffsetField::Integer(1)),
            ("server_id", OffsetField::Integer(1)),
            ("event", OffsetField::Integer(2)),
        ]);
        let position = BinlogPosition::parse(&offset, GtidKind::MySql).unwrap();
        assert_eq!((position.position, position.events, position.rows), (1234, 2, 1));
        assert_eq!(position.gtids.text(), Some(gtids));
        assert_eq!(position.offset(), offset.0);
    }

    #[test]
    fn an_offset_that_is_no_position_is_refused() {
        let text = |text: &str| OffsetField::Text(text.to_owned());
        let file = ("file", text("b.1"));
        let cases: &[(&[(&str, OffsetField)], OffsetProblem)] = &[
            (&[], OffsetProblem::NoPosition),
            (&[file.clone(), ("pos", OffsetField::Integer(-4))], OffsetProblem::BadField),
            (&[file.clone(), ("pos", text("four"))], OffsetProblem::BadField),
            (&[file.clone(), ("event", OffsetField::Boolean(true))], OffsetProblem::BadField),
            (&[("file", OffsetField::Integer(1))], OffsetProblem::BadField),
            (&[file.clone(), ("gtids", OffsetField::Integer(1))], OffsetProblem::BadField),
            (&[file.clone(), ("gtids", OffsetField::Text("nonsense".to_owned()))], OffsetProblem::BadGtids),
            (&[file.clone(), ("snapshot", OffsetField::Text("INITIAL".to_owned()))], OffsetProblem::InSnapshot),
            (&[file.clone(), ("snapshot", OffsetField::Boolean(true))], OffsetProblem::InSnapshot),
            (&[file.clone(), ("snapshot", text("true"))], OffsetProblem::InSnapshot),
            (&[file.clone(), ("snapshot", text("BLOCKING"))], OffsetProblem::InSnapshot),
            (
                &[file, ("snapshot", text("INCREMENTAL")), ("incremental_snapshot_collections", text("[{}]"))],
                OffsetProblem::InIncrementalSnapshot,
            ),
        ];
        for (fields, problem) in cases {
            assert_eq!(BinlogPosition::parse(&stored(fields), GtidKind::MySql), Err(*problem));
        }
    }

    #[test]
    fn a_snapshot_that_has_ended_is_no_obstacle() {
        let text = |text: &str| OffsetField::Text(text.to_owned());
        let ended: [&[(&str, OffsetField)]; 4] = [
            &[("snapshot", OffsetField::Null), ("incremental_snapshot_collections", OffsetField::Null)],
            &[("snapshot", OffsetField::Boolean(false))],
            &[("snapshot", text("INCREMENTAL"))],
            &[("snapshot", text("INITIAL")), ("snapshot_completed", OffsetField::Boolean(true))],
        ];
        for fields in ended {
            let fields = [&[("file", text("b.1")), ("pos", text("123"))], fields].concat();
            let position = BinlogPosition::parse(&stored(&fields), GtidKind::MySql).unwrap();
            assert_eq!((&*position.file, position.position), ("b.1", 123), "{fields:?}");
        }
    }

    fn at(file: &str, position: u64, gtids: &str) -> BinlogPosition {
        let offset = stored(&[
            ("file", OffsetField::Text(file.to_owned())),
            ("pos", OffsetField::Integer(position.cast_signed())),
            ("gtids", OffsetField::Text(gtids.to_owned())),
        ]);
        BinlogPosition::parse(&offset, GtidKind::MySql).unwrap()
    }

    #[test]
    fn a_schema_change_is_replayed_only_when_reading_had_passed_it() {
        let (to_5, to_9) = (format!("{UUID}:1-5"), format!("{UUID}:1-9"));
        let cases = [
            (at("b.000001", 500, &to_5), at("b.000001", 900, &to_9), true),
            (at("b.000001", 500, &to_9), at("b.000001", 900, &to_5), false),
            // The change itself had not been passed: reading stood before it, with the same transactions done, on the
            // same server or on another one with files of its own.
            (at("b.000001", 500, &to_5), at("b.000001", 400, &to_5), false),
            (at("b.000001", 500, &to_5), at("b.000007", 900, &to_5), false),
            (at("b.000001", 500, ""), at("b.000001", 400, &to_5), true),
            (at("b.000001", 500, &to_5), at("b.000001", 900, ""), false),
            (at("b.999999", 500, ""), at("b.1000000", 4, ""), true),
            (at("b.000002", 4, ""), at("b.000001", 900, ""), false),
            (at("old.000500", 4, ""), at("new.000003", 900, ""), true),
        ];
        for (change, reached, expected) in cases {
            assert_eq!(change.is_at_or_before(&reached, Recorded::InStream), expected, "{change:?} and {reached:?}");
        }
        // What a server's tables were counts from there on, whatever the files of the next server are called.
        for file in ["b.000001", "b.000007"] {
            let recorded = at("b.000003", 500, &to_5);
            assert!(recorded.is_at_or_before(&at(file, 300, &to_5), Recorded::InSnapshot));
            assert!(!recorded.is_at_or_before(&at(file, 300, &format!("{UUID}:1-4")), Recorded::InSnapshot));
        }
        // A statement within a transaction (CREATE TABLE … SELECT) comes again with it, and so does a statement that
        // Debezium counts as the second event of a MariaDB transaction.
        for gtids in [&*to_5, ""] {
            let within = |events| BinlogPosition { events, ..at("b.000001", 400, gtids) };
            for (recorded, reached) in [(2, 3), (2, 1), (1, 1), (1, 2)] {
                assert!(!within(recorded).is_at_or_before(&within(reached), Recorded::InStream));
            }
        }
        // Where a source is not followed, its statements do not come again: places decide.
        let filtered =
            |file| at("b.000003", 500, &to_5).is_at_or_before(&at(file, 4, &to_5), Recorded::InFilteredStream);
        assert!(filtered("b.000004") && !filtered("b.000003"));
    }
}
