//! What only the server's catalog knows of its tables and types, read on a connection beside the stream.
//!
//! In: OIDs that the stream names. Out: nullability, defaults, keys, and types. Promised: the catalog says how a table
//! is now, and the stream how it was; so the stream's word counts wherever both have one, and what has vanished since is
//! not an error. Nothing here survives a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::codec::{TYPES_COLUMNS, TYPES_QUERY, Types};
use super::connection::{ConnectOptions, Connection, Purpose, ResultSet, Row, quote_literal};
use super::error::PostgresError;
use crate::error::{Disposition, Failure};
use crate::model::table::TableId;
use crate::util::{clock, stop::Stop};

/// A connection that was not used for this long may have been forgotten by something on the way, which is not noticed
/// before a question's deadline. To make a new one takes milliseconds.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// A column as the catalog has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogColumn {
    /// Its name.
    pub name: String,
    /// Whether it can be null.
    pub optional: bool,
    /// Its default, as SQL.
    pub default: Option<String>,
    /// Whether the server numbers its rows (`GENERATED … AS IDENTITY`, or a sequence as default).
    pub auto_incremented: bool,
    /// Whether the server computes it.
    pub generated: bool,
    /// Its comment.
    pub comment: Option<String>,
}

/// A table as the catalog has it now; empty for one that is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogTable {
    /// Its columns.
    pub columns: Vec<CatalogColumn>,
    /// The columns of its primary key, in the key's order.
    pub primary_key: Vec<String>,
    /// The columns of the first of its unique indexes, by name.
    pub unique_index: Vec<String>,
    /// Its comment.
    pub comment: Option<String>,
}

/// A connection for questions, made when it is needed.
pub struct Catalog {
    options: ConnectOptions,
    initial_statements: Vec<String>,
    stop: Stop,
    connection: Option<Connection>,
    /// When it was used last.
    used: Instant,
    /// The types of the database.
    pub types: Types,
    asks: Arc<AtomicBool>,
}

/// A value of a row, as text.
pub(super) fn text(row: &Row, index: usize) -> Option<String> {
    let bytes = row.get(index)?.as_deref()?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

fn flag(row: &Row, index: usize) -> bool {
    text(row, index).is_some_and(|text| text == "t")
}

impl Catalog {
    /// A catalog that has not been asked anything.
    pub fn new(options: ConnectOptions, initial_statements: Vec<String>, stop: Stop) -> Self {
        Catalog {
            options,
            initial_statements,
            stop,
            connection: None,
            used: clock::moment(),
            types: Types::default(),
            asks: Arc::default(),
        }
    }

    /// One that connects and answers within a limit. The server ends what takes too long, at half of it: it does not notice that
    /// nobody waits for it any more.
    pub fn within(mut options: ConnectOptions, mut statements: Vec<String>, stop: Stop, limit: Duration) -> Self {
        (options.connect_timeout, options.query_timeout) = (limit, Some(limit));
        statements.push(format!("SET statement_timeout = {}", limit.as_millis() / 2));
        Catalog::new(options, statements, stop)
    }

    /// Set while [`Catalog::query`] waits for an answer.
    pub fn asks(&self) -> Arc<AtomicBool> {
        self.asks.clone()
    }

    /// Runs a statement, on a new connection where there is none that works.
    ///
    /// # Errors
    /// The server's refusal, or what keeps it from answering.
    pub fn query(&mut self, sql: &str) -> Result<ResultSet, Failure> {
        let fresh = self.connection.is_none();
        self.asks.store(true, Ordering::Relaxed);
        let answer = match self.query_once(sql) {
            Err(failure) if !fresh && failure.code.disposition == Disposition::Retry => {
                // An old connection may have died unnoticed.
                self.connection = None;
                self.query_once(sql)
            }
            answered => answered,
        };
        self.asks.store(false, Ordering::Relaxed);
        answer
    }

    /// The same, without a second attempt where an old connection has died.
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub fn query_once(&mut self, sql: &str) -> Result<ResultSet, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) if self.used.elapsed() < IDLE_LIMIT => connection,
            Some(_) | None => {
                let mut connection = Connection::connect(&self.options, Purpose::Sql, &self.stop.flag())?;
                for statement in &self.initial_statements {
                    connection.query_drop(statement)?;
                }
                connection
            }
        };
        let answer = connection.query(sql);
        self.used = clock::moment();
        let broken = answer.as_ref().is_err_and(|error| error.server_error().is_none());
        if !broken {
            self.connection = Some(connection);
        }
        Ok(answer?)
    }

    /// Lets go of the connection: where another one to the same server has died, this one is no better.
    pub fn disconnect(&mut self) {
        self.connection = None;
    }

    /// The first value of the first row, as text.
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub fn value(&mut self, sql: &str) -> Result<Option<String>, Failure> {
        Ok(self.query(sql)?.rows.first().and_then(|row| text(row, 0)))
    }

    /// Reads the types again.
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub fn refresh_types(&mut self) -> Result<(), Failure> {
        let answer = self.query(TYPES_QUERY)?;
        let mut rows = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            let mut columns = [None; TYPES_COLUMNS];
            for (column, value) in columns.iter_mut().zip(row) {
                let value = value.as_deref().map(std::str::from_utf8).transpose();
                *column = value.map_err(|_| PostgresError::Catalog("types"))?;
            }
            rows.push(columns);
        }
        self.types = Types::from_rows(rows)?;
        Ok(())
    }

    /// What the catalog says now of the table with an OID.
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub fn table(&mut self, oid: u32) -> Result<CatalogTable, Failure> {
        let columns = self.query(&format!(
            "SELECT a.attname, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)), \
             pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '', a.attgenerated <> '', \
             pg_catalog.col_description(a.attrelid, a.attnum) \
             FROM pg_catalog.pg_attribute a \
             JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
             LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        ))?;
        let column = |row: &Row| {
            let (default, identity, generated) = (text(row, 2), flag(row, 3), flag(row, 4));
            let numbered = identity || default.as_deref().is_some_and(|default| default.starts_with("nextval("));
            Some(CatalogColumn {
                name: text(row, 0)?,
                optional: flag(row, 1),
                default,
                auto_incremented: numbered,
                generated,
                comment: text(row, 5),
            })
        };
        let columns = columns.rows.iter().filter_map(column).collect();
        let comment = self.value(&format!("SELECT pg_catalog.obj_description({oid}, 'pg_class')"))?;
        let (primary_key, unique_index) = self.keys(oid)?;
        Ok(CatalogTable { columns, primary_key, unique_index, comment })
    }

    /// The columns of the primary key, and of the first unique index by name, as the JDBC driver lists them. An index
    /// over an expression is passed over.
    fn keys(&mut self, oid: u32) -> Result<(Vec<String>, Vec<String>), Failure> {
        let answer = self.query(&format!(
            "SELECT c.relname, i.indisprimary, a.attname \
             FROM pg_catalog.pg_index i \
             JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
             CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k(place) \
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place] \
             WHERE i.indrelid = {oid} AND i.indisunique AND i.indisvalid \
             ORDER BY i.indisprimary DESC, c.relname, k.place"
        ))?;
        let (mut primary, mut unique) = (Vec::new(), Vec::new());
        let mut indexes: Vec<(String, Option<Vec<String>>)> = Vec::new();
        for row in &answer.rows {
            let column = text(row, 2);
            if flag(row, 1) {
                primary.extend(column);
                continue;
            }
            let name = text(row, 0).unwrap_or_default();
            if indexes.last().is_none_or(|(last, _)| *last != name) {
                indexes.push((name, Some(Vec::new())));
            }
            if let Some((_, columns)) = indexes.last_mut() {
                match (columns.as_mut(), column) {
                    (Some(columns), Some(column)) => columns.push(column),
                    _ => *columns = None,
                }
            }
        }
        if let Some(columns) = indexes.into_iter().find_map(|(_, columns)| columns) {
            unique = columns;
        }
        Ok((primary, unique))
    }

    /// The tables of the database that logical replication can publish, with their replica identity as a statement says it.
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub fn tables(&mut self, database: &str) -> Result<Vec<(TableId, String)>, Failure> {
        let answer = self.query(
            "SELECT n.nspname, c.relname, CASE c.relreplident WHEN 'd' THEN 'DEFAULT' WHEN 'f' THEN 'FULL' \
             WHEN 'n' THEN 'NOTHING' ELSE 'USING INDEX ' || (SELECT '\"' || pg_catalog.replace(i.relname, '\"', '\"\"') || '\"' \
             FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid \
             WHERE x.indrelid = c.oid AND x.indisreplident) END \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' \
             AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast' \
             ORDER BY 1, 2",
        )?;
        let table = |row: &Row| {
            let id =
                TableId { catalog: database.into(), schema: Some(text(row, 0)?.into()), table: text(row, 1)?.into() };
            Some((id, text(row, 2).unwrap_or_default()))
        };
        Ok(answer.rows.iter().filter_map(table).collect())
    }

    /// Whether the server knows any other from which transactions come (`pg_replication_origin`).
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub fn has_origins(&mut self) -> Result<bool, Failure> {
        let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_origin)";
        Ok(self.value(sql)?.as_deref() == Some("t"))
    }

    /// The slot's `xmin`, or the one of its catalog.
    ///
    /// # Errors
    /// As [`Catalog::query`].
    pub fn slot_xmin(&mut self, slot: &str) -> Result<Option<i64>, Failure> {
        let slot = quote_literal(slot);
        let sql = format!("SELECT catalog_xmin FROM pg_catalog.pg_replication_slots WHERE slot_name = {slot}");
        Ok(self.value(&sql)?.and_then(|text| text.parse().ok()))
    }
}
