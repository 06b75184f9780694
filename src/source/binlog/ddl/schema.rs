//! The tables of a server at one moment of its log.
//!
//! **In:** statements, and tables read from elsewhere (a schema history, a server). **Out:** tables by name, and the
//! records of what each statement changed. **Promised:** [`Schema::apply`] changes everything or nothing.
//! **Survives a crash:** nothing; whoever owns a schema writes its records to the schema history first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::alter;
use super::classify::{SkippedKind, classify};
use super::error::DdlError;
use super::parse::{ParsedText, parse};
use super::parse_column::normalize_quotes;
use super::statement::{
    CharsetClause, CreateBody, CreateTable, DatabaseOptions, DropTable, Flavor, RenamePair, Span, Statement,
    StatementContext, TableName,
};
use super::token::{Token, decode};
use crate::model::table::{Table, TableChange, TableChangeKind, TableId};

/// How the server compares names of databases and tables: its `lower_case_table_names`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameCase {
    /// 0: as written, and `T` is not `t`.
    #[default]
    Sensitive,
    /// 1: stored in lower case.
    Lower,
    /// 2: stored as written, but `T` is `t`.
    Insensitive,
}

impl NameCase {
    /// From the server variable; `None` for a value that does not exist.
    pub fn from_variable(lower_case_table_names: u8) -> Option<Self> {
        match lower_case_table_names {
            0 => Some(NameCase::Sensitive),
            1 => Some(NameCase::Lower),
            2 => Some(NameCase::Insensitive),
            _ => None,
        }
    }
}

/// What a statement came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to do and nothing to record.
    Skipped(SkippedKind),
    /// What to record, in order: Debezium writes one schema change record for each table of the statement.
    Recorded {
        /// At least one record.
        records: Vec<SchemaRecord>,
        /// Tables that the statement changes or copies and that are not tracked; nothing was done about them.
        /// Usual where only captured tables are in the history.
        unknown: Vec<TableId>,
    },
}

/// One schema change record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRecord {
    /// What it is about.
    pub kind: RecordKind,
    /// The record's `databaseName`: the table's database, or the database created, altered or dropped, or else
    /// the default database of the event; may be empty.
    pub database: String,
    /// The record's `ddl`: the statement, cut down to this table where it names several.
    pub ddl: String,
    /// The table concerned, under its new name; `None` for [`RecordKind::Database`] and [`RecordKind::Text`].
    pub table_id: Option<TableId>,
    /// The entry of the record's `tableChanges`; `None` where Debezium leaves the list empty.
    pub change: Option<TableChange>,
}

/// What a [`SchemaRecord`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A table was created.
    Create,
    /// A table was altered or renamed, or got a key.
    Alter,
    /// A table was dropped.
    Drop,
    /// A table was emptied: not a schema change, but an event of the table (`op` is `t`).
    Truncate,
    /// A database was created or dropped, or the server's variables were set.
    Database,
    /// Any other statement that Debezium records with its text only.
    Text,
}

/// All tables and databases that are tracked. A clone is cheap: tables are shared.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// By folded name: see [`Schema::key`].
    tables: BTreeMap<TableId, Arc<Table>>,
    /// Default character sets by folded database name.
    databases: BTreeMap<String, String>,
    /// By folded name.
    sequences: BTreeSet<TableId>,
    server_charset: Option<String>,
    name_case: NameCase,
}

impl Schema {
    /// No tables.
    pub fn new(name_case: NameCase) -> Self {
        Schema { name_case, ..Schema::default() }
    }

    /// The table of that name, compared as the server compares.
    pub fn table(&self, id: &TableId) -> Option<&Arc<Table>> {
        self.tables.get(&self.key(id))
    }

    /// Sets a table, in place of one of the same name.
    pub fn insert(&mut self, table: Table) {
        let _ = self.tables.insert(self.key(&table.id), Arc::new(table));
    }

    /// Forgets a table, and gives it if it was there.
    pub fn remove(&mut self, id: &TableId) -> Option<Arc<Table>> {
        self.tables.remove(&self.key(id))
    }

    /// All tables in the order of their names.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// Whether the name is a MariaDB sequence, whose rows are in the log like a table's and are no table's.
    pub fn is_sequence(&self, id: &TableId) -> bool {
        self.sequences.contains(&self.key(id))
    }

    /// Makes a sequence known, as one read from a server.
    pub fn insert_sequence(&mut self, id: &TableId) {
        let _ = self.sequences.insert(self.key(id));
    }

    /// Sets the default character set of a database.
    pub fn set_database_charset(&mut self, database: &str, charset: &str) {
        let _ = self.databases.insert(self.fold(database), charset.to_owned());
    }

    /// The default character set of a database, where known.
    pub fn database_charset(&self, database: &str) -> Option<&str> {
        self.databases.get(&self.fold(database)).map(String::as_str)
    }

    /// Sets `character_set_server`, which databases of unknown default take.
    pub fn set_server_charset(&mut self, charset: &str) {
        self.server_charset = Some(charset.to_owned());
    }

    /// Applies a statement: the tables become what they are behind it.
    ///
    /// # Errors
    /// When the statement shapes tables and cannot be read, or contradicts the tracked table. Nothing has changed then.
    pub fn apply(&mut self, sql: &[u8], context: &StatementContext<'_>) -> Result<Outcome, DdlError> {
        if let Some(kind) = classify(sql) {
            return Ok(Outcome::Skipped(kind));
        }
        let text = decode(sql, context.client_charset);
        let parsed = parse(&text, context)?;
        let mut edit = Edit {
            schema: self,
            context,
            text: &text,
            tokens: &parsed.tokens,
            start: parsed.start,
            records: Vec::new(),
            unknown: Vec::new(),
        };
        edit.statement(&parsed)?;
        let Edit { mut records, unknown, .. } = edit;
        if records.is_empty() {
            records.push(SchemaRecord {
                kind: RecordKind::Text,
                database: context.database.to_owned(),
                ddl: text.trim().to_owned(),
                table_id: None,
                change: None,
            });
        }
        Ok(Outcome::Recorded { records, unknown })
    }

    fn fold(&self, name: &str) -> String {
        match self.name_case {
            NameCase::Sensitive => name.to_owned(),
            NameCase::Lower | NameCase::Insensitive => name.to_lowercase(),
        }
    }

    /// The name under which a table is kept.
    fn key(&self, id: &TableId) -> TableId {
        match self.name_case {
            NameCase::Sensitive => id.clone(),
            NameCase::Lower | NameCase::Insensitive => {
                TableId::new(&id.catalog.to_lowercase(), &id.table.to_lowercase())
            }
        }
    }

    /// The name as the server stores it.
    fn stored(&self, name: &str) -> String {
        if self.name_case == NameCase::Lower { name.to_lowercase() } else { name.to_owned() }
    }
}

/// One statement at work. Whatever can fail comes before the first change to the schema.
pub(super) struct Edit<'a> {
    schema: &'a mut Schema,
    context: &'a StatementContext<'a>,
    text: &'a str,
    tokens: &'a [Token<'a>],
    start: usize,
    records: Vec<SchemaRecord>,
    unknown: Vec<TableId>,
}

impl Edit<'_> {
    fn statement(&mut self, parsed: &ParsedText<'_>) -> Result<(), DdlError> {
        match &parsed.statement {
            Statement::CreateTable(create) => self.create_table(create)?,
            Statement::AlterTable(statement) => self.alter_table(statement)?,
            Statement::DropTable(statement) => self.drop_tables(statement),
            Statement::RenameTable(pairs) => self.rename_tables(pairs),
            Statement::TruncateTable(name) => {
                let id = self.id(name);
                self.record(RecordKind::Truncate, id, self.whole_text(), None);
            }
            Statement::CreateDatabase(options) => self.database(options, true),
            Statement::AlterDatabase(options) => self.database(options, false),
            Statement::DropDatabase(name) => self.drop_database(name),
            Statement::CreateUniqueIndex { table, columns, text } => self.unique_index(table, columns, *text),
            Statement::DropPrimaryIndex(name) => self.drop_primary_index(name),
            Statement::CreateSequence(name) => {
                let id = self.id(name);
                self.schema.insert_sequence(&id);
            }
            Statement::DropSequence(names) => {
                for name in names {
                    let id = self.id(name);
                    self.forget_sequence(&id);
                }
            }
            Statement::Set(variables) => self.set_variables(variables),
            Statement::Other => {}
        }
        Ok(())
    }

    pub(super) fn id(&self, name: &TableName) -> TableId {
        let database = name.database.as_deref().unwrap_or(self.context.database);
        TableId::new(&self.schema.stored(database), &self.schema.stored(&name.table))
    }

    /// The character set of a table that names none.
    pub(super) fn charset_for(&self, database: &str) -> Option<String> {
        let known = self.schema.database_charset(database).or(self.context.default_charset);
        known.map(str::to_owned).or_else(|| self.schema.server_charset.clone())
    }

    fn create_table(&mut self, create: &CreateTable) -> Result<(), DdlError> {
        let id = self.id(&create.name);
        // The server logs the statement also when IF NOT EXISTS made it do nothing. Without it, a table that we
        // know is one whose end we missed.
        if create.temporary || create.if_not_exists && self.schema.table(&id).is_some() {
            return Ok(());
        }
        let table = match &create.body {
            CreateBody::Like(original) => {
                let original = self.id(original);
                match self.schema.table(&original) {
                    Some(table) => Table { id: id.clone(), comment: None, ..Table::clone(table) },
                    None => {
                        self.schema.remove(&id);
                        self.unknown.push(original);
                        return Ok(());
                    }
                }
            }
            CreateBody::Elements { elements, options } => {
                let charset = options.charset.resolve().or_else(|| self.charset_for(&id.catalog));
                alter::create(&id, elements, options.comment.clone(), charset)?
            }
        };
        self.schema.insert(table);
        self.record(RecordKind::Create, id, self.whole_text(), None);
        Ok(())
    }

    fn alter_table(&mut self, statement: &super::statement::AlterTable) -> Result<(), DdlError> {
        let id = self.id(&statement.name);
        let Some(table) = self.schema.table(&id) else {
            self.unknown.push(id);
            return Ok(());
        };
        let altered = alter::alter(Table::clone(table), &statement.actions, self)?;
        let new_id = altered.table.id.clone();
        self.schema.remove(&id);
        self.schema.insert(altered.table);
        for table in altered.created {
            self.schema.insert(table);
        }
        for id in altered.dropped {
            self.schema.remove(&id);
        }
        self.record(RecordKind::Alter, new_id, self.whole_text(), None);
        Ok(())
    }

    fn forget_sequence(&mut self, id: &TableId) -> bool {
        let key = self.schema.key(id);
        self.schema.sequences.remove(&key)
    }

    fn drop_tables(&mut self, statement: &DropTable) {
        if statement.temporary {
            return;
        }
        let prefix = self.text_of(statement.prefix);
        let behavior = statement.behavior.as_deref().map(|word| format!(" {word}")).unwrap_or_default();
        for name in &statement.tables {
            let id = self.id(name);
            self.schema.remove(&id);
            self.forget_sequence(&id);
            let ddl = format!("{prefix}{}{behavior}", quoted(&id));
            self.record(RecordKind::Drop, id, ddl, None);
        }
    }

    fn rename_tables(&mut self, pairs: &[RenamePair]) {
        let mut renamed = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let (old, new) = (self.id(&pair.old), self.id(&pair.new));
            match self.schema.remove(&old) {
                Some(table) => self.schema.insert(Table { id: new.clone(), ..Table::clone(&table) }),
                None if self.forget_sequence(&old) => {
                    self.schema.insert_sequence(&new);
                    continue;
                }
                None => {
                    // What we knew under the new name cannot be there any more.
                    self.schema.remove(&new);
                    self.unknown.push(old.clone());
                }
            }
            let ddl = format!("{}{}", self.text_of(pair.prefix), self.text_of(pair.text));
            renamed.push((old, new, ddl));
        }
        // The records show the tables behind the whole statement: a name used only on the way has none.
        for (old, new, ddl) in renamed {
            self.record(RecordKind::Alter, new, ddl, Some(old));
        }
    }

    fn database(&mut self, options: &DatabaseOptions, is_new: bool) {
        let name = self.schema.stored(options.name.as_deref().unwrap_or(self.context.database));
        let says_default = options.charset.charset.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("default"));
        let charset = options.charset.resolve().or_else(|| {
            let server = self.context.default_charset.map(str::to_owned).or_else(|| self.schema.server_charset.clone());
            if is_new || says_default { server } else { None }
        });
        if let Some(charset) = charset {
            self.schema.set_database_charset(&name, &charset);
        }
        if is_new {
            self.record_database(name);
        }
    }

    fn drop_database(&mut self, name: &str) {
        let name = self.schema.stored(name);
        let folded = self.schema.fold(&name);
        self.schema.tables.retain(|key, _| *key.catalog != *folded);
        self.schema.sequences.retain(|key| *key.catalog != *folded);
        let _ = self.schema.databases.remove(&folded);
        self.record_database(name);
    }

    fn record_database(&mut self, database: String) {
        let ddl = self.whole_text();
        self.records.push(SchemaRecord { kind: RecordKind::Database, database, ddl, table_id: None, change: None });
    }

    fn unique_index(&mut self, name: &TableName, columns: &[super::statement::KeyPart], text: Span) {
        let id = self.id(name);
        let Some(table) = self.schema.table(&id) else {
            self.unknown.push(id);
            return;
        };
        let mut table = Table::clone(table);
        if alter::unique_key(&mut table, columns) {
            self.schema.insert(table);
            self.record(RecordKind::Alter, id, self.text_of(text), None);
        }
    }

    fn drop_primary_index(&mut self, name: &TableName) {
        let id = self.id(name);
        if let Some(table) = self.schema.table(&id) {
            let table = Table { primary_key: Vec::new(), ..Table::clone(table) };
            self.schema.insert(table);
            self.record(RecordKind::Alter, id, self.whole_text(), None);
        }
    }

    /// A schema history begins with the character sets of the server, as `SET` statements.
    fn set_variables(&mut self, variables: &[(String, String)]) {
        for (name, value) in variables {
            match name.as_str() {
                "character_set_server" => self.schema.set_server_charset(value),
                "character_set_database" if !self.context.database.is_empty() => {
                    self.schema.set_database_charset(self.context.database, value);
                }
                _ => {}
            }
        }
    }

    /// Adds a record with the table as it is now.
    fn record(&mut self, kind: RecordKind, id: TableId, ddl: String, previous_id: Option<TableId>) {
        let table = self.schema.table(&id).map(|table| Table::clone(table));
        let change = match kind {
            RecordKind::Create => table.map(|table| change(TableChangeKind::Create, &id, previous_id, Some(table))),
            RecordKind::Alter => table.map(|table| change(TableChangeKind::Alter, &id, previous_id, Some(table))),
            RecordKind::Drop => Some(change(TableChangeKind::Drop, &id, previous_id, None)),
            RecordKind::Truncate | RecordKind::Database | RecordKind::Text => None,
        };
        self.records.push(SchemaRecord { kind, database: id.catalog.to_string(), ddl, table_id: Some(id), change });
    }

    /// The statement without a trailing semicolon or comment.
    fn whole_text(&self) -> String {
        let last = self.tokens.iter().rev().find(|token| !token.text.is_empty() && !token.is_symbol(b';'));
        let start = self.start;
        self.text_of(Span { start, end: last.map_or(start, Token::end) })
    }

    /// A stretch of the statement, as Debezium's parser keeps it.
    fn text_of(&self, span: Span) -> String {
        let mut text = String::new();
        let mut from = span.start;
        if self.context.flavor == Flavor::MySql && !self.context.sql_mode.ansi_quotes {
            let inside = self.tokens.iter().filter(|token| token.start >= span.start && token.end() <= span.end);
            for token in inside.filter(|token| token.text.starts_with('"')) {
                text.push_str(self.text.get(from..token.start).unwrap_or_default());
                text.push_str(&normalize_quotes(token, self.context.flavor));
                from = token.end();
            }
        }
        text.push_str(self.text.get(from..span.end).unwrap_or_default());
        text
    }

    /// Whose SQL it is.
    pub(super) fn flavor(&self) -> Flavor {
        self.context.flavor
    }

    /// The character set that `CONVERT TO` asks for.
    pub(super) fn converted(&self, clause: &CharsetClause, table: &TableId) -> Option<String> {
        clause.resolve().or_else(|| self.charset_for(&table.catalog))
    }
}

fn change(kind: TableChangeKind, id: &TableId, previous_id: Option<TableId>, table: Option<Table>) -> TableChange {
    TableChange { kind, id: id.clone(), previous_id, table }
}

/// A name in a statement: in backquotes, those inside it doubled.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `` `database`.`table` ``.
fn quoted(id: &TableId) -> String {
    if id.catalog.is_empty() { quote(&id.table) } else { format!("{}.{}", quote(&id.catalog), quote(&id.table)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;
    use crate::model::modes::DebeziumGeneration;

    /// Words that lead the parser deep into its clauses.
    const PIECES: &[&str] = &[
        "CREATE",
        "ALTER",
        "DROP",
        "RENAME",
        "TRUNCATE",
        "TABLE",
        "DATABASE",
        "UNIQUE",
        "INDEX",
        "PRIMARY",
        "KEY",
        "t",
        "a",
        "b",
        "`x`",
        "\"y\"",
        "'s'",
        "INT",
        "VARCHAR",
        "ENUM",
        "DECIMAL",
        "(",
        ")",
        ",",
        ";",
        ".",
        "10",
        "1.5",
        "-",
        "ADD",
        "CHANGE",
        "MODIFY",
        "COLUMN",
        "FIRST",
        "AFTER",
        "DEFAULT",
        "NULL",
        "NOT",
        "CHARACTER",
        "SET",
        "COLLATE",
        "AS",
        "SELECT",
        "LIKE",
        "TO",
        "ON",
        "UPDATE",
        "IF",
        "EXISTS",
        "CONSTRAINT",
        "CHECK",
        "REFERENCES",
        "PARTITION",
        "/*!",
        "*/",
        "/*",
        "--",
        "#",
        "\n",
        "PERIOD",
        "FOR",
        "CONVERT",
        "COMMENT",
        "=",
        "UNSIGNED",
        "SERIAL",
        "é",
        "\\",
        "SET STATEMENT",
        "SEQUENCE",
        "WITHOUT",
        "x'",
        "0x",
        "N'",
        "@",
        "CURRENT_TIMESTAMP",
        "GENERATED",
        "ALWAYS",
    ];

    fn context(flavor: Flavor) -> StatementContext<'static> {
        StatementContext { database: "db", flavor, ..StatementContext::default() }
    }

    /// Applies to a schema that has something to alter; what fails must change nothing.
    fn apply(sql: &[u8], flavor: Flavor) {
        let mut schema = Schema::default();
        schema.apply(b"CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(9))", &context(flavor)).unwrap();
        let before: Vec<Arc<Table>> = schema.tables().cloned().collect();
        match schema.apply(sql, &context(flavor)) {
            Ok(Outcome::Recorded { records, .. }) => assert!(!records.is_empty()),
            Ok(Outcome::Skipped(_)) | Err(_) => assert!(schema.tables().eq(&before)),
        }
        for table in schema.tables() {
            let positions: Vec<i32> = table.columns.iter().map(|column| column.position).collect();
            assert!(positions.iter().copied().eq(1..=positions.len() as i32), "{positions:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            apply(&bytes, Flavor::MySql);
            apply(&bytes, Flavor::MariaDb);
        }

        #[test]
        fn any_words_are_answered(words in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
            let text = words.join(" ");
            apply(text.as_bytes(), Flavor::MySql);
            apply(text.as_bytes(), Flavor::MariaDb);
            apply(format!("CREATE TABLE u ({text}").as_bytes(), Flavor::MySql);
            apply(format!("ALTER TABLE t {text}").as_bytes(), Flavor::MariaDb);
        }
    }

    /// `java.sql.Types` of Debezium's parsers at v3.6.1.Final and v3.7.0.Alpha2.
    #[test]
    fn the_generation_decides_on_the_jdbc_type_of_tinyint() {
        const SQL: &[u8] = b"CREATE TABLE t (a TINYINT, b TINYINT UNSIGNED, c INT1 ZEROFILL, d SMALLINT, e BOOL)";
        for flavor in [Flavor::MySql, Flavor::MariaDb] {
            for (generation, expected) in
                [(DebeziumGeneration::V3_6, [5, 5, 5, 5, 16]), (DebeziumGeneration::V3_7, [-6, -6, -6, 5, 16])]
            {
                let mut schema = Schema::default();
                schema.apply(SQL, &StatementContext { generation, ..context(flavor) }).unwrap();
                let table = schema.tables().next().unwrap();
                let types: Vec<i32> = table.columns.iter().map(|column| column.jdbc_type).collect();
                assert_eq!(types, expected, "{flavor:?} {generation}");
            }
        }
    }

    #[test]
    fn an_error_names_the_table() {
        let mut schema = Schema::default();
        let error = schema.apply(b"CREATE TABLE other.t (a WHATEVER)", &context(Flavor::MySql)).unwrap_err();
        assert_eq!(error.table(), Some(&TableId::new("other", "t")));
        let error = schema.apply(b"RENAME TABLE a b", &context(Flavor::MySql)).unwrap_err();
        assert_eq!(error.table(), None);
    }

    #[test]
    fn sequences_are_no_tables() {
        let mut schema = Schema::new(NameCase::Lower);
        for (sql, known) in [
            ("CREATE OR REPLACE SEQUENCE IF NOT EXISTS S START WITH 5", true),
            ("RENAME TABLE s TO r", false),
            ("RENAME TABLE r TO s", true),
            ("DROP SEQUENCE IF EXISTS q, s", false),
            ("CREATE SEQUENCE s", true),
            ("DROP DATABASE db", false),
        ] {
            schema.apply(sql.as_bytes(), &context(Flavor::MariaDb)).unwrap();
            assert_eq!(schema.is_sequence(&TableId::new("db", "S")), known, "{sql}");
        }
    }
}
