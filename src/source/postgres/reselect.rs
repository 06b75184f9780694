//! Columns of a row read again, as they are now (`ReselectColumnsPostProcessor`).
//!
//! In: a row of the stream, of which columns are missing or null. Out: their values in the stream's own form: SQL answers in
//! text, as the plugin does, and on a session with the same settings. Promised: a connection of its own, made when it is
//! needed; an answer or an error within [`LIMIT`]; never a row as it was before the transaction that it is read for. Nothing
//! here survives a crash.
//!
//! A commit is sent as soon as it is in the log, and other sessions see it a little later: much later where the commit waits for
//! a synchronous standby. So each answer comes with the snapshot that it was made under, and counts when that one sees the
//! transaction. A standby has replayed what it sends.

use super::catalog::{Catalog, text};
use super::connection::{ConnectOptions, quote_identifier, quote_literal};
use super::error::PostgresError;
use crate::error::Failure;
use crate::model::change::Origin;
use crate::model::row::{Row, TableLayout};
use crate::model::table::TableId;
use crate::source::visible::{LIMIT, Visibility};
use crate::source::{Reselect, only_row};
use crate::util::stop::Stop;

/// Reads rows again.
pub struct PostgresReselect {
    catalog: Catalog,
    visibility: Visibility<u32>,
}

impl PostgresReselect {
    /// On a connection like these.
    pub fn new(options: ConnectOptions, initial_statements: Vec<String>, stop: Stop) -> Self {
        let catalog = Catalog::within(options, initial_statements, stop.clone(), LIMIT);
        PostgresReselect { catalog, visibility: Visibility::new(stop) }
    }

    /// The rows that a statement finds, when it sees a transaction.
    fn ask(&mut self, sql: &str, transaction: Option<u32>) -> Result<Vec<super::connection::Row>, Failure> {
        let catalog = &mut self.catalog;
        let mut ask = || {
            let mut rows = catalog.query(sql)?.rows;
            let snapshot = rows.first().and_then(|row| text(row, 0));
            let seen = snapshot
                .and_then(|snapshot| transaction.map_or(Some(true), |transaction| sees(&snapshot, transaction)));
            // The second column says whether there is a row.
            rows.retain(|row| row.get(1).is_some_and(Option::is_some));
            let seen = seen.ok_or(PostgresError::Catalog("a row that is read again"))?;
            Ok::<_, Failure>(seen.then_some(rows))
        };
        let transaction = transaction.unwrap_or_default();
        self.visibility.wait(&transaction, &mut ask)?.ok_or(PostgresError::NotVisible { transaction }.into())
    }
}

impl Reselect for PostgresReselect {
    fn reselect(
        &mut self,
        row: &Row<'_>,
        origin: &Origin,
        key: &[usize],
        wanted: &[usize],
    ) -> Result<Option<Vec<Option<Vec<u8>>>>, Failure> {
        let sql = statement(row, key, wanted).ok_or(PostgresError::Catalog("a row that is read again"))?;
        let transaction = match origin {
            Origin::Postgres(origin) => origin.transaction_id,
            Origin::Binlog(_) => None,
        };
        let found = only_row(&row.layout.id, self.ask(&sql, transaction)?);
        Ok(found.map(|found| found.into_iter().skip(LEADING).collect()))
    }
}

/// Whether a snapshot (`xmin:xmax:xip,…`, numbers of 64 bits) sees what a transaction wrote, if that was committed.
fn sees(snapshot: &str, transaction: u32) -> Option<bool> {
    let mut parts = snapshot.splitn(3, ':');
    // The numbers of transactions go round; no two that matter are half a round apart.
    let from = |number: &str| Some(transaction.wrapping_sub(number.parse::<u64>().ok()? as u32).cast_signed());
    let (from_first, from_next, open) = (from(parts.next()?)?, from(parts.next()?)?, parts.next()?);
    if from_first < 0 {
        return Some(true);
    }
    let open: Vec<i32> = open.split(',').filter(|number| !number.is_empty()).map(from).collect::<Option<_>>()?;
    Some(from_next < 0 && !open.contains(&0))
}

/// The columns of an answer before those of the row: the snapshot, and whether there is a row.
const LEADING: usize = 2;

/// Asks for columns of the row with a row's key. `None` where the row has no such columns, or not as text.
fn statement(row: &Row<'_>, key: &[usize], wanted: &[usize]) -> Option<String> {
    let TableLayout { id: TableId { schema, table, .. }, names, .. } = row.layout;
    let name = |place: &usize| names.columns.get(*place).map(|column| quote_identifier(&column.name));
    let columns: Vec<String> = wanted.iter().map(name).collect::<Option<_>>()?;
    let equal = |place: &usize| {
        let value = match row.raw(*place) {
            Some(bytes) => quote_literal(std::str::from_utf8(bytes).ok()?),
            // As in Debezium: such a row is not found.
            None => "NULL".to_owned(),
        };
        Some(format!("{} = {value}", name(place)?))
    };
    let conditions: Vec<String> = key.iter().map(equal).collect::<Option<_>>()?;
    let schema = quote_identifier(schema.as_deref().unwrap_or("public"));
    let (columns, conditions) = (columns.join(", "), conditions.join(" AND "));
    let table = quote_identifier(table);
    Some(format!(
        "SELECT s, r.* FROM pg_catalog.pg_current_snapshot() AS s LEFT JOIN \
         (SELECT true, {columns} FROM {schema}.{table} WHERE {conditions} LIMIT 2) AS r ON true"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::{Cell, ColumnName, TableNames};

    #[test]
    fn names_and_values_never_become_sql() {
        let layout = TableLayout {
            id: TableId { catalog: "db".into(), schema: Some("s\"1".into()), table: "t".into() },
            version: 1,
            cells: 3,
            columns: Box::default(),
            key: Box::default(),
            names: TableNames {
                columns: ["a", "b\"", "c"].map(|name| ColumnName { name: name.into(), sql: None }).into(),
                primary_key: [0].into(),
            },
        };
        let cells = [Cell { offset: 0, length: 5 }, Cell::NULL, Cell::ABSENT];
        let asks = |row: &str| {
            Some(format!(
                "SELECT s, r.* FROM pg_catalog.pg_current_snapshot() AS s LEFT JOIN (SELECT true, {row}) AS r ON true"
            ))
        };
        let row = |bytes| Row { layout: &layout, bytes, cells: &cells };
        assert_eq!(
            statement(&row(b"it's'"), &[0], &[1, 2]),
            asks("\"b\"\"\", \"c\" FROM \"s\"\"1\".\"t\" WHERE \"a\" = 'it''s''' LIMIT 2")
        );
        assert_eq!(
            statement(&row(b"\\'; x"), &[0, 1], &[2]),
            asks("\"c\" FROM \"s\"\"1\".\"t\" WHERE \"a\" = E'\\\\''; x' AND \"b\"\"\" = NULL LIMIT 2")
        );
        assert_eq!(statement(&row(b"\xff\xff\xff\xff\xff"), &[0], &[2]), None);
        assert_eq!(statement(&row(b"12345"), &[0], &[3]), None);
    }

    #[test]
    fn a_snapshot_sees_what_was_committed_before_it() {
        const ROUND: u64 = 1 << 32;
        for (snapshot, transaction, expected) in [
            ("100:100:", 99, Some(true)),
            ("100:100:", 100, Some(false)),
            ("100:104:100,102", 100, Some(false)),
            ("100:104:100,102", 101, Some(true)),
            ("100:104:100,102", 102, Some(false)),
            ("100:104:100,102", 103, Some(true)),
            ("100:104:100,102", 104, Some(false)),
            (&format!("{0}:{0}:", ROUND + 2), u32::MAX, Some(true)),
            (&format!("{}:{}:{},{}", ROUND - 2, ROUND + 2, ROUND - 2, ROUND), 0, Some(false)),
            (&format!("{}:{}:{},{}", ROUND - 2, ROUND + 2, ROUND - 2, ROUND), 1, Some(true)),
            (&format!("{0}:{0}:", 7 * ROUND - 5), 3, Some(false)),
            ("", 1, None),
            ("1:2", 1, None),
            ("1:3:x", 1, None),
            ("-1:3:", 1, None),
        ] {
            assert_eq!(sees(snapshot, transaction), expected, "{transaction} in {snapshot}");
        }
    }
}
