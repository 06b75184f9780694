//! Query events: transactions' ends, and statements that shape tables.

use super::connection::Flavor;
use super::ddl::{self, Outcome, RecordKind, SchemaRecord, SkippedKind, SqlMode, StatementContext, classify};
use super::error::BinlogError;
use super::event::Query;
use super::options::BinlogOptions;
use super::reader::{BinlogSource, Context};
use super::rows::passed_over;
use crate::error::Failure;
use crate::model::change::{Batch, Change, PastChange, SchemaChange, SnapshotRecord};
use crate::model::position::ResumePoint;
use crate::model::table::{TableChange, TableChangeKind, TableId};
use crate::source::TextFilter;

impl BinlogSource {
    /// A statement.
    pub(super) fn query(&mut self, batch: &mut Batch, context: &Context<'_>, query: &Query<'_>) -> Result<(), Failure> {
        let mut unpacked = Vec::new();
        let statement = self.located(query.statement(&mut unpacked), context.place.start)?;
        let kind = classify(statement);
        if is_filtered(self.options.ddl_filter.as_ref(), kind, statement) {
            tracing::debug!(file = %self.progress.file, position = context.place.start, "a statement is passed over, because internal.schema.history.internal.ddl.filter says so");
            return self.commit_alone(batch, context);
        }
        match kind {
            Some(begin @ (SkippedKind::Begin | SkippedKind::XaStart)) => {
                // MariaDB's transactions begin with their GTID event; a BEGIN after it begins nothing.
                if self.progress.open.is_none() {
                    self.begin(batch, context.place, self.thread(query), begin == SkippedKind::Begin);
                }
            }
            Some(SkippedKind::Commit) => self.commit(batch, context.place)?,
            Some(SkippedKind::Rollback) => {
                tracing::warn!(file = %self.progress.file, position = context.place.start, "a transaction with changes to tables without transactions was rolled back; its rows are in the log and were given out");
                self.progress.ends_uncounted();
                self.commit(batch, context.place)?;
            }
            Some(SkippedKind::Savepoint | SkippedKind::XaEnd | SkippedKind::XaPrepare) => {}
            Some(SkippedKind::Dml) => {
                self.changing_statement(context, query, statement)?;
                self.commit_alone(batch, context)?;
            }
            Some(
                SkippedKind::XaCommit
                | SkippedKind::XaRollback
                | SkippedKind::Account
                | SkippedKind::View
                | SkippedKind::Routine
                | SkippedKind::Maintenance
                | SkippedKind::Temporary
                | SkippedKind::Empty,
            ) => self.commit_alone(batch, context)?,
            None => {
                self.definition(batch, context, query, statement)?;
                self.commit_alone(batch, context)?;
            }
        }
        Ok(())
    }

    fn thread(&self, query: &Query<'_>) -> Option<u32> {
        (self.options.flavor == Flavor::MySql).then_some(query.thread_id)
    }

    /// A statement outside of BEGIN and COMMIT is a transaction of its own; inside, it ends nothing. MariaDB's
    /// group of a single statement has no BEGIN that could tell: it is open only when it is not standalone.
    fn commit_alone(&mut self, batch: &mut Batch, context: &Context<'_>) -> Result<(), Failure> {
        if self.progress.open.is_some() {
            return Ok(());
        }
        self.commit(batch, context.place)
    }

    /// Rows changed by a statement in the log: they are not in it. It matters only for a captured table.
    fn changing_statement(
        &mut self,
        context: &Context<'_>,
        query: &Query<'_>,
        statement: &[u8],
    ) -> Result<(), Failure> {
        let database = String::from_utf8_lossy(query.schema);
        let captured = match changed_table(&String::from_utf8_lossy(statement)) {
            Some((named, table)) => {
                (self.options.captured)(&TableId::new(named.as_deref().unwrap_or(&database), &table))
            }
            None => (self.options.captured_database)(&database),
        };
        if !captured {
            return Ok(());
        }
        let error =
            BinlogError::StatementFormat { file: self.progress.file.to_string(), position: context.place.start };
        if !self.options.pass_over_failures {
            return Err(error.into());
        }
        self.report.passed_over += 1;
        passed_over(&error);
        Ok(())
    }

    /// A statement that may shape tables.
    fn definition(
        &mut self,
        batch: &mut Batch,
        context: &Context<'_>,
        query: &Query<'_>,
        statement: &[u8],
    ) -> Result<(), Failure> {
        let database = String::from_utf8_lossy(query.schema).into_owned();
        let session = self.located(query.session(), context.place.start)?;
        let statement_context = StatementContext {
            database: &database,
            sql_mode: session.sql_mode.map(SqlMode::from_bits).unwrap_or_default(),
            default_charset: session.server_collation.and_then(|number| self.server.charset(number)),
            client_charset: session.client_collation.and_then(|number| self.server.charset(number)),
            flavor: self.options.flavor,
            server_version: self.server.version_number,
            generation: self.options.generation,
        };
        let (records, unknown) = match self.schema.apply(statement, &statement_context) {
            Ok(Outcome::Skipped(_)) => return Ok(()),
            Ok(Outcome::Recorded { records, unknown }) => (records, unknown),
            Err(error) => {
                let (file, position) = (self.progress.file.to_string(), context.place.start);
                let error = BinlogError::Statement { file, position, reason: error.to_string() };
                if !self.options.skip_unparseable_ddl {
                    return Err(error.into());
                }
                passed_over(&error);
                self.maps.clear();
                return Ok(());
            }
        };
        for id in unknown.iter().filter(|id| (self.options.captured)(id)) {
            tracing::warn!(table = %id, file = %self.progress.file, position = context.place.start, "a statement alters a captured table that is not tracked; its rows will be checked against the log before they are written");
        }
        let named = |database: &str| -> Vec<TableId> {
            let ids = records.iter().filter(|record| record.database == database);
            let mut ids: Vec<TableId> = ids.filter_map(|record| record.table_id.clone()).collect();
            let mut seen = std::collections::HashSet::new();
            ids.retain(|id| seen.insert(id.clone()));
            ids
        };
        let named: Vec<_> = records
            .iter()
            .map(|record| (record.kind != RecordKind::Database).then(|| named(&record.database)))
            .collect();
        for (record, named) in records.into_iter().zip(named) {
            self.record(batch, context, record, named)?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        batch: &mut Batch,
        context: &Context<'_>,
        record: SchemaRecord,
        named: Option<Vec<TableId>>,
    ) -> Result<(), Failure> {
        if record.kind == RecordKind::Truncate {
            return record.table_id.map_or(Ok(()), |id| self.truncate(batch, context, &id));
        }
        if let Some(id) = &record.table_id {
            self.maps.altered(id);
        }
        if let Some(previous) = record.change.as_ref().and_then(|change| change.previous_id.as_ref()) {
            self.maps.altered(previous);
        }
        let wanted = self.is_recorded(&record);
        let origin = self.origin(context);
        // The statement itself is behind this position, so that reading which stops before it does not know it.
        let mut position = self.progress.resume_point();
        if self.progress.open.is_none() {
            position.position = context.place.start + context.range.len() as u64;
        }
        batch.changes.push(Change::Schema(Box::new(SchemaChange {
            database: record.database.into(),
            ddl: record.ddl,
            tables: recorded(record.change, &self.options),
            named,
            snapshot: SnapshotRecord::No,
            origin,
            position: position.offset(),
            // With only captured tables Debezium forgets statements that it knows by their text only.
            announced: wanted
                && self.options.announce_schema_changes
                && !(self.options.store_only_captured_tables && record.kind == RecordKind::Text),
            stored: wanted,
        })));
        Ok(())
    }

    /// Whether a statement's record is written: of every table, unless only those of captured ones are asked for.
    fn is_recorded(&self, record: &SchemaRecord) -> bool {
        let captured = |id: &TableId| (self.options.captured)(id);
        let previous = record.change.as_ref().and_then(|change| change.previous_id.as_ref());
        let table = match &record.table_id {
            Some(id) => captured(id) || previous.is_some_and(captured),
            None => record.database.is_empty() || (self.options.captured_database)(&record.database),
        };
        let database = record.database.is_empty() || (self.options.captured_database)(&record.database);
        (table || !self.options.store_only_captured_tables) && (database || !self.options.store_only_captured_databases)
    }
}

/// Changes as they are recorded: Debezium keeps comments only where `include.schema.comments` says so.
pub(super) fn recorded(changes: impl IntoIterator<Item = TableChange>, options: &BinlogOptions) -> Vec<TableChange> {
    let mut changes: Vec<TableChange> = changes.into_iter().collect();
    if options.schema_comments {
        return changes;
    }
    for table in changes.iter_mut().filter_map(|change| change.table.as_mut()) {
        table.comment = None;
        for column in &mut table.columns {
            column.comment = None;
        }
    }
    changes
}

/// Takes over a schema change of the past. What it says of tables counts before its statement, so that one which
/// was recorded twice does no harm.
///
/// With `prefer.ddl` the statement counts; what is said of tables only where it cannot be read.
pub(super) fn remember(
    schema: &mut ddl::Schema,
    change: &PastChange,
    context: &StatementContext<'_>,
    prefer_ddl: bool,
    filter: Option<&TextFilter>,
) {
    if change.tables.is_empty() || (prefer_ddl && !change.ddl.is_empty()) {
        if is_filtered(filter, None, change.ddl.as_bytes()) {
            return;
        }
        match schema.apply(change.ddl.as_bytes(), context) {
            Ok(_) => return,
            Err(error) => tracing::debug!(reason = %error, "a statement of the schema history could not be read"),
        }
    }
    for table in &change.tables {
        if let Some(previous) = &table.previous_id {
            schema.remove(previous);
        }
        match (table.kind, &table.table) {
            (TableChangeKind::Drop, _) => {
                schema.remove(&table.id);
            }
            (TableChangeKind::Create | TableChangeKind::Alter, Some(shape)) => schema.insert(shape.clone()),
            (TableChangeKind::Create | TableChangeKind::Alter, None) => {}
        }
    }
}

/// Whether `ddl.filter` says that a statement is passed over. What ends or begins a transaction, and TRUNCATE, it
/// is not asked about, as in Debezium.
fn is_filtered(filter: Option<&TextFilter>, kind: Option<SkippedKind>, statement: &[u8]) -> bool {
    let Some(filter) = filter else { return false };
    let asked = matches!(
        kind,
        None | Some(
            SkippedKind::Dml
                | SkippedKind::Account
                | SkippedKind::View
                | SkippedKind::Routine
                | SkippedKind::Maintenance
                | SkippedKind::Temporary
        )
    );
    let text = String::from_utf8_lossy(statement);
    let truncates = text.trim_start().get(..8).is_some_and(|verb| verb.eq_ignore_ascii_case("TRUNCATE"));
    asked && !truncates && filter(&text)
}

/// The table that a statement changes, and its database where it is named: the first name after INTO, UPDATE or
/// FROM. `None` when it cannot be told; the caller then goes by the database alone.
fn changed_table(statement: &str) -> Option<(Option<String>, String)> {
    const BEFORE_NAME: [&str; 3] = ["INTO", "UPDATE", "FROM"];
    const AFTER_VERB: [&str; 5] = ["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "QUICK"];
    let is_any = |word: &str, words: &[&str]| words.iter().any(|other| word.eq_ignore_ascii_case(other));
    let mut words = statement.split_whitespace();
    words.find(|word| is_any(word, &BEFORE_NAME))?;
    let name = words.find(|word| !is_any(word, &AFTER_VERB))?;
    let name = name.split(['(', ',', ';']).next()?;
    let part = |text: &str| text.trim_matches(['`', '"']).to_owned();
    match name.split_once('.') {
        Some((database, table)) => Some((Some(part(database)), part(table))),
        None => Some((None, part(name))).filter(|(_, table)| !table.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::table::Table;

    #[test]
    fn the_past_is_remembered_by_tables_or_by_statements() {
        let id = TableId::new("d", "t");
        // The columns that are known after the past: from the record's table (none) or from its statement (one).
        let check = |ddl: &str, prefer_ddl: bool, filter: Option<TextFilter>, expected: Option<usize>| {
            let recorded = Table {
                id: id.clone(),
                columns: Vec::new(),
                primary_key: Vec::new(),
                default_charset_name: None,
                comment: None,
            };
            let change = PastChange {
                database: "d".to_owned(),
                ddl: ddl.to_owned(),
                tables: vec![TableChange {
                    kind: TableChangeKind::Create,
                    id: id.clone(),
                    previous_id: None,
                    table: Some(recorded),
                }],
                position: Vec::new(),
            };
            let mut schema = ddl::Schema::default();
            let context = StatementContext { database: "d", ..StatementContext::default() };
            remember(&mut schema, &change, &context, prefer_ddl, filter.as_ref());
            assert_eq!(schema.table(&id).map(|table| table.columns.len()), expected, "{ddl} {prefer_ddl}");
        };
        let filter = || -> Option<TextFilter> { Some(Arc::new(|statement| statement.contains("TABLE t"))) };
        check("CREATE TABLE t (a INT)", false, None, Some(0));
        check("CREATE TABLE t (a INT)", true, None, Some(1));
        check("CREATE TABLE t (a INT", true, None, Some(0));
        check("", true, None, Some(0));
        check("CREATE TABLE t (a INT)", false, filter(), Some(0));
        check("CREATE TABLE t (a INT)", true, filter(), None);
    }

    #[test]
    fn the_filter_is_not_asked_about_what_ends_transactions_or_empties_tables() {
        let all: TextFilter = Arc::new(|_| true);
        let check = |statement: &str, expected: bool| {
            let bytes = statement.as_bytes();
            assert_eq!(is_filtered(Some(&all), classify(bytes), bytes), expected, "{statement}");
            assert!(!is_filtered(None, classify(bytes), bytes), "{statement}");
        };
        check("CREATE TABLE t (a INT)", true);
        check("INSERT INTO t VALUES (1)", true);
        check("GRANT ALL ON *.* TO x", true);
        check("truncate table t", false);
        check("BEGIN", false);
        check("COMMIT", false);
        check("ROLLBACK", false);
        check("XA COMMIT 'x'", false);
    }

    #[test]
    fn the_changed_table_of_a_statement_is_found() {
        let cases = [
            ("INSERT INTO a.b (c) VALUES (1)", Some((Some("a"), "b"))),
            ("insert ignore into `a`.`b`(c) values (1)", Some((Some("a"), "b"))),
            ("REPLACE INTO t SELECT 1", Some((None, "t"))),
            ("UPDATE LOW_PRIORITY t SET a = 1", Some((None, "t"))),
            ("DELETE FROM `t` WHERE 1", Some((None, "t"))),
            ("DELETE", None),
            ("INSERT INTO", None),
        ];
        for (statement, expected) in cases {
            let expected = expected.map(|(database, table)| (database.map(str::to_owned), table.to_owned()));
            assert_eq!(changed_table(statement), expected, "{statement}");
        }
    }
}
