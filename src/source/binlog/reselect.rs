//! Columns of a row read again, as they are now (`ReselectColumnsPostProcessor`), on MySQL and MariaDB.
//!
//! In: a row of the log, of which columns are missing or null. Out: their values as the cells that the log would have.
//! Promised: a connection of its own, made when it is needed; an answer or an error within [`LIMIT`] and the time of one
//! question; never a row as it was before the transaction that it is read for, wherever the server tells. Nothing here
//! survives a crash.
//!
//! A transaction is in the log, and is sent, before its engine commits and others see it: much before where the commit waits
//! for a semi-synchronous replica. MySQL adds a GTID to those executed when the engine has committed. MariaDB tells with a
//! consistent snapshot how far into the log that one sees (`binlog_snapshot_position`). A MySQL server without GTIDs tells
//! neither, which is said once; nor does anybody tell it of XA, whose rows come when they are prepared.

use std::time::{Duration, Instant};

use super::codec::in_sql::SESSION;
use super::connection::{Connection, Flavor, ResultSet};
use super::ddl::quote;
use super::error::BinlogError;
use super::head::file_number;
use super::options::BinlogOptions;
use super::start;
use crate::error::{Disposition, Failure};
use crate::model::change::{BinlogOrigin, Gtid, Origin};
use crate::model::row::{Row, TableLayout};
use crate::source::visible::{LIMIT, Visibility};
use crate::source::{Reselect, only_row};
use crate::util::{clock, stop::Stop};

/// A connection that was not used for this long may have been forgotten by something on the way.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// What of the log other sessions see.
#[derive(Debug)]
enum Seen {
    /// This transaction.
    Transaction(Gtid),
    /// Everything that begins before this place: the file's number, and where in it.
    Before((u64, u64)),
}

/// Reads rows again.
pub struct BinlogReselect {
    session: Session,
    visibility: Visibility<Gtid>,
    /// It was said that the server does not tell what others see.
    said_blind: bool,
}

/// A connection for questions, made when it is needed.
struct Session {
    options: BinlogOptions,
    stop: Stop,
    connection: Option<Connection>,
    /// When it was used last.
    used: Instant,
    /// On this connection.
    seen: Option<Seen>,
}

impl BinlogReselect {
    /// On a connection like that of a source.
    pub fn new(options: &BinlogOptions, stop: Stop) -> Self {
        let mut options = options.clone();
        (options.connect.connect_timeout, options.connect.query_timeout) = (LIMIT, Some(LIMIT));
        // The server ends what takes too long: it does not notice that nobody waits for it any more.
        let seconds = LIMIT.as_secs() / 2;
        let limit = match options.flavor {
            Flavor::MySql => format!("max_execution_time = {}", seconds * 1_000),
            Flavor::MariaDb => format!("max_statement_time = {seconds}"),
        };
        options.initial_statements.push(format!("{SESSION}, lock_wait_timeout = {seconds}, {limit}"));
        options.initial_statements.push("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ".to_owned());
        let visibility = Visibility::new(stop.clone());
        let session = Session { options, stop, connection: None, used: clock::moment(), seen: None };
        BinlogReselect { session, visibility, said_blind: false }
    }

    fn wait_until_seen(&mut self, origin: &BinlogOrigin) -> Result<(), Failure> {
        let Some(gtid) = &origin.gtid else {
            if !std::mem::replace(&mut self.said_blind, true) {
                tracing::warn!(
                    "the server has no GTIDs to tell which transactions others see: a row that is read again at once may come as it was before (gtid_mode=ON ends that)"
                );
            }
            return Ok(());
        };
        let session = &mut self.session;
        let seen = self.visibility.wait(gtid, || Ok(session.sees(origin, gtid)?.then_some(())))?;
        seen.ok_or_else(|| BinlogError::NotVisible { gtid: gtid.to_string() }.into())
    }
}

impl Session {
    /// Asks, on a new connection where there is none that works.
    fn query(&mut self, sql: &str) -> Result<ResultSet, Failure> {
        let fresh = self.connection.is_none();
        match self.query_once(sql) {
            Err(failure) if !fresh && failure.code.disposition == Disposition::Retry => self.query_once(sql),
            answered => answered,
        }
    }

    fn query_once(&mut self, sql: &str) -> Result<ResultSet, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) if self.used.elapsed() < IDLE_LIMIT => connection,
            Some(_) | None => {
                // The next one may lead to another server.
                self.seen = None;
                start::connect(&self.options, &self.stop)?
            }
        };
        let answer = connection.query(sql);
        self.used = clock::moment();
        if answer.as_ref().err().is_none_or(|error| error.server_error().is_some()) {
            self.connection = Some(connection);
        }
        Ok(answer?)
    }

    /// Whether other sessions see the transaction of a row.
    fn sees(&mut self, origin: &BinlogOrigin, gtid: &Gtid) -> Result<bool, Failure> {
        let place = file_number(&origin.file).map(|number| (number, origin.position));
        let known = |seen: &Option<Seen>| match seen {
            Some(Seen::Transaction(seen)) => seen == gtid,
            Some(Seen::Before(before)) => Some(*before) > place,
            None => false,
        };
        if !known(&self.seen) {
            self.seen = match gtid {
                Gtid::MySql { .. } => {
                    let answer = self.query(&format!("SELECT GTID_SUBSET('{gtid}', @@GLOBAL.gtid_executed)"))?;
                    let executed = answer.rows.first().and_then(|row| row.first()?.as_deref()) == Some(b"1");
                    executed.then(|| Seen::Transaction(gtid.clone()))
                }
                Gtid::MariaDb { .. } => self.snapshot()?.map(Seen::Before),
            };
        }
        Ok(known(&self.seen))
    }

    /// How far into MariaDB's log a snapshot sees.
    fn snapshot(&mut self) -> Result<Option<(u64, u64)>, Failure> {
        self.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
        let answer = self.query_once("SHOW STATUS LIKE 'binlog_snapshot_%'");
        self.query_once("ROLLBACK")?;
        let answer = answer?;
        let value = |name: &str| {
            let row = answer.rows.iter().find(|row| {
                let found = answer.text(row, "Variable_name");
                found.is_some_and(|found| found.eq_ignore_ascii_case(name))
            })?;
            answer.text(row, "Value")
        };
        let place = value("Binlog_snapshot_file").zip(value("Binlog_snapshot_position"));
        Ok(place.and_then(|(file, position)| Some((file_number(&file)?, position.parse().ok()?))))
    }
}

impl Reselect for BinlogReselect {
    fn reselect(
        &mut self,
        row: &Row<'_>,
        origin: &Origin,
        key: &[usize],
        wanted: &[usize],
    ) -> Result<Option<Vec<Option<Vec<u8>>>>, Failure> {
        if let Origin::Binlog(origin) = origin {
            self.wait_until_seen(origin)?;
        }
        let unlike = || BinlogError::ReadAgain { table: row.layout.id.to_string() };
        let sql = statement(row, key, wanted).ok_or_else(unlike)?;
        let Some(found) = only_row(&row.layout.id, self.session.query(&sql)?.rows) else { return Ok(None) };
        let columns = &row.layout.names.columns;
        let mut values = Vec::with_capacity(wanted.len());
        for (place, answer) in wanted.iter().zip(found) {
            let sql = columns.get(*place).and_then(|column| column.sql.as_deref()).ok_or_else(unlike)?;
            values.push(answer.map(|answer| sql.cell(&answer)).transpose().map_err(|_| unlike())?);
        }
        Ok(Some(values))
    }
}

/// Asks for columns of the row with a row's key. `None` where the row has no such columns, or they are of types that no key
/// has.
fn statement(row: &Row<'_>, key: &[usize], wanted: &[usize]) -> Option<String> {
    let TableLayout { id, names, .. } = row.layout;
    let asked = |place: &usize| {
        let column = names.columns.get(*place)?;
        Some(column.sql.as_ref()?.asked(&quote(&column.name)))
    };
    let columns: Vec<String> = wanted.iter().map(asked).collect::<Option<_>>()?;
    let equal = |place: &usize| {
        let column = names.columns.get(*place)?;
        let value = match row.raw(*place) {
            Some(cell) => column.sql.as_ref()?.literal(cell)?,
            // As in Debezium: such a row is not found.
            None => "NULL".to_owned(),
        };
        Some(format!("{} = {value}", quote(&column.name)))
    };
    let conditions: Vec<String> = key.iter().map(equal).collect::<Option<_>>()?;
    let (columns, conditions) = (columns.join(", "), conditions.join(" AND "));
    Some(format!("SELECT {columns} FROM {}.{} WHERE {conditions} LIMIT 2", quote(&id.catalog), quote(&id.table)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::{Cell, ColumnName, InSql, TableNames};
    use crate::model::table::TableId;
    use crate::model::value::ValueError;

    #[derive(Debug)]
    struct Quoted;

    impl InSql for Quoted {
        fn asked(&self, name: &str) -> String {
            format!("{name} + 0")
        }
        fn cell(&self, answer: &[u8]) -> Result<Vec<u8>, ValueError> {
            Ok(answer.to_vec())
        }
        fn literal(&self, cell: &[u8]) -> Option<String> {
            (cell != b"none").then(|| format!("<{}>", cell.escape_ascii()))
        }
    }

    #[test]
    fn a_row_is_asked_for_by_its_key() {
        let column = |name: &str, known| ColumnName {
            name: name.into(),
            sql: if known { Some(Box::new(Quoted)) } else { None },
        };
        let layout = TableLayout {
            id: TableId { catalog: "d`b".into(), schema: None, table: "t".into() },
            version: 1,
            cells: 3,
            columns: Box::default(),
            key: Box::default(),
            names: TableNames {
                columns: [column("a", true), column("b`", true), column("c", false)].into(),
                primary_key: [0].into(),
            },
        };
        let check = |bytes: &[u8], key: &[usize], wanted: &[usize], expected: Option<&str>| {
            let cells = [Cell { offset: 0, length: 4 }, Cell::NULL, Cell::ABSENT];
            let row = Row { layout: &layout, bytes, cells: &cells };
            assert_eq!(statement(&row, key, wanted).as_deref(), expected);
        };
        check(b"it's", &[0], &[1, 0], Some("SELECT `b``` + 0, `a` + 0 FROM `d``b`.`t` WHERE `a` = <it\\'s> LIMIT 2"));
        check(
            b"1234",
            &[0, 1],
            &[0],
            Some("SELECT `a` + 0 FROM `d``b`.`t` WHERE `a` = <1234> AND `b``` = NULL LIMIT 2"),
        );
        check(b"1234", &[0], &[2], None);
        check(b"1234", &[0], &[3], None);
        check(b"none", &[0], &[1], None);
    }
}
