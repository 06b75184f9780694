//! Columns of a row read again, as they are now (`ReselectColumnsPostProcessor`).
//!
//! In: a row of the stream, of which columns are missing or null. Out: their values in the stream's own form: SQL answers in
//! text, as the plugin does, and on a session with the same settings. Promised: a connection of its own, made when it is
//! needed, and an answer or an error within [`LIMIT`]. Nothing here survives a crash.

use std::time::Duration;

use super::catalog::Catalog;
use super::connection::{ConnectOptions, quote_identifier, quote_literal};
use super::error::PostgresError;
use crate::error::Failure;
use crate::model::row::{Row, TableLayout};
use crate::model::table::TableId;
use crate::source::Reselect;
use crate::util::stop::Stop;

/// How long a question may take. Rows wait for it, and a lock on their table (`ALTER TABLE`) may hold it up.
const LIMIT: Duration = Duration::from_secs(10);

/// Reads rows again.
pub struct PostgresReselect {
    catalog: Catalog,
}

impl PostgresReselect {
    /// On a connection like these.
    pub fn new(options: ConnectOptions, initial_statements: Vec<String>, stop: Stop) -> Self {
        PostgresReselect { catalog: Catalog::within(options, initial_statements, stop, LIMIT) }
    }
}

impl Reselect for PostgresReselect {
    fn reselect(
        &mut self,
        row: &Row<'_>,
        key: &[usize],
        wanted: &[usize],
    ) -> Result<Option<Vec<Option<Vec<u8>>>>, Failure> {
        let sql = statement(row, key, wanted).ok_or(PostgresError::Catalog("a row that is read again"))?;
        let mut rows = self.catalog.query(&sql)?.rows;
        if rows.len() > 1 {
            tracing::warn!(table = %row.layout.id, "several rows have the key of one that is read again: the first one counts");
            rows.truncate(1);
        }
        Ok(rows.pop())
    }
}

/// Asks for columns of the row with a row's key. `None` where the row has no such columns, or not as text.
fn statement(row: &Row<'_>, key: &[usize], wanted: &[usize]) -> Option<String> {
    let TableLayout { id: TableId { schema, table, .. }, names, .. } = row.layout;
    let name = |place: &usize| names.columns.get(*place).map(|name| quote_identifier(name));
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
    Some(format!("SELECT {columns} FROM {schema}.{} WHERE {conditions} LIMIT 2", quote_identifier(table)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::row::{Cell, TableNames};

    #[test]
    fn names_and_values_never_become_sql() {
        let layout = TableLayout {
            id: TableId { catalog: "db".into(), schema: Some("s\"1".into()), table: "t".into() },
            version: 1,
            cells: 3,
            columns: Box::default(),
            key: Box::default(),
            names: TableNames { columns: ["a".into(), "b\"".into(), "c".into()].into(), primary_key: [0].into() },
        };
        let cells = [Cell { offset: 0, length: 5 }, Cell::NULL, Cell::ABSENT];
        let row = |bytes| Row { layout: &layout, bytes, cells: &cells };
        assert_eq!(
            statement(&row(b"it's'"), &[0], &[1, 2]).unwrap(),
            "SELECT \"b\"\"\", \"c\" FROM \"s\"\"1\".\"t\" WHERE \"a\" = 'it''s''' LIMIT 2"
        );
        assert_eq!(
            statement(&row(b"\\'; x"), &[0, 1], &[2]).unwrap(),
            "SELECT \"c\" FROM \"s\"\"1\".\"t\" WHERE \"a\" = E'\\\\''; x' AND \"b\"\"\" = NULL LIMIT 2"
        );
        assert_eq!(statement(&row(b"\xff\xff\xff\xff\xff"), &[0], &[2]), None);
        assert_eq!(statement(&row(b"12345"), &[0], &[3]), None);
    }
}
