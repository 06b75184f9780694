//! What DDL statements make of tables, as data: `tests/golden/ddl/*.txt`.
//!
//! A line `! name value` sets the circumstances of the statements behind it; `! new` forgets all tables. Lines that
//! begin with `> ` are one statement; the lines behind it, up to a blank one, are what it comes to. The values were
//! compared with those of Debezium 3.6.1 for the same statements, and the tables with `information_schema` of MySQL 8.0
//! and 9.7, MariaDB 10.11 and 11.8; `server.txt` holds the statements where Debezium is not followed.
//!
//! `HEADWATER_BLESS=1 cargo test --test golden_ddl` writes the files anew: read the difference before committing it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use headwater::error::Coded;
use headwater::model::table::{Column, Table};
use headwater::source::binlog::ddl::{
    DdlError, Flavor, NameCase, Outcome, RecordKind, Schema, SchemaRecord, SqlMode, StatementContext,
};

#[test]
fn statements_shape_tables_as_recorded() {
    let mut files = golden_files();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        check(&file);
    }
}

/// No beginning of a statement panics, however it is cut, and none is applied by half.
#[test]
fn every_truncated_statement_is_answered() {
    for file in golden_files() {
        let mut world = World::new();
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            match (line.strip_prefix("! "), line.strip_prefix("> ")) {
                (Some(setting), _) => world.set(setting),
                (_, Some(sql)) => {
                    for end in 0..sql.len() {
                        let mut schema = world.schema.clone();
                        let before: Vec<_> = schema.tables().cloned().collect();
                        if schema.apply(&sql.as_bytes()[..end], &world.context()).is_err() {
                            assert!(schema.tables().eq(before.iter()), "{sql} cut at {end}");
                        }
                    }
                    let _ = world.schema.clone().apply(sql.as_bytes(), &world.context());
                }
                _ => {}
            }
        }
    }
}

fn golden_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ddl");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Compares a file with what its statements come to now.
fn check(file: &Path) {
    let expected = std::fs::read_to_string(file).unwrap();
    let actual = replay(&expected);
    if std::env::var_os("HEADWATER_BLESS").is_some() {
        std::fs::write(file, actual).unwrap();
        return;
    }
    for (number, (left, right)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(left, right, "{}:{}", file.display(), number + 1);
    }
    assert_eq!(expected.lines().count(), actual.lines().count(), "{}", file.display());
}

/// The file with the answers of today.
fn replay(text: &str) -> String {
    let mut world = World::new();
    let mut output = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(output, "{line}").unwrap();
        if let Some(setting) = line.strip_prefix("! ") {
            world.set(setting);
        }
        let Some(first) = line.strip_prefix("> ") else { continue };
        let mut sql = first.to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
            writeln!(output, "{more}").unwrap();
            sql.push('\n');
            sql.push_str(&more[2..]);
        }
        while lines.next_if(|line| !line.is_empty()).is_some() {}
        output.push_str(&world.apply(&sql));
    }
    output
}

/// The tables and the circumstances.
struct World {
    schema: Schema,
    flavor: Flavor,
    sql_mode: SqlMode,
    server_version: u32,
    name_case: NameCase,
}

impl World {
    fn new() -> Self {
        let mut world = World {
            schema: Schema::default(),
            flavor: Flavor::MySql,
            sql_mode: SqlMode::default(),
            server_version: 0,
            name_case: NameCase::Sensitive,
        };
        world.renew();
        world
    }

    fn renew(&mut self) {
        self.schema = Schema::new(self.name_case);
        self.schema.set_server_charset("utf8mb4");
    }

    fn set(&mut self, setting: &str) {
        match setting.split_once(' ').unwrap_or((setting, "")) {
            ("new", _) => self.renew(),
            ("flavor", "mysql") => self.flavor = Flavor::MySql,
            ("flavor", "mariadb") => self.flavor = Flavor::MariaDb,
            ("sql_mode", modes) => {
                self.sql_mode.ansi_quotes = modes.contains("ANSI_QUOTES");
                self.sql_mode.no_backslash_escapes = modes.contains("NO_BACKSLASH_ESCAPES");
            }
            ("version", version) => self.server_version = version.parse().unwrap(),
            ("lower_case_table_names", value) => {
                self.name_case = NameCase::from_variable(value.parse().unwrap()).unwrap();
                self.renew();
            }
            _ => panic!("no such setting: {setting}"),
        }
    }

    fn context(&self) -> StatementContext<'static> {
        StatementContext {
            database: "db",
            sql_mode: self.sql_mode,
            flavor: self.flavor,
            server_version: self.server_version,
            ..StatementContext::default()
        }
    }

    fn apply(&mut self, sql: &str) -> String {
        match self.schema.apply(sql.as_bytes(), &self.context()) {
            Ok(Outcome::Skipped(kind)) => format!("skipped {kind:?}\n"),
            Ok(Outcome::Recorded { records, unknown }) => {
                let mut output: String = records.iter().map(|record| describe(record, sql)).collect();
                for id in unknown {
                    writeln!(output, "unknown {id}").unwrap();
                }
                output
            }
            Err(error) => describe_error(&error),
        }
    }
}

fn describe_error(error: &DdlError) -> String {
    format!("error {} {error}\n", error.code())
}

fn describe(record: &SchemaRecord, sql: &str) -> String {
    let mut output = format!("{:?}", record.kind).to_lowercase();
    match &record.table_id {
        Some(id) => write!(output, " {id}").unwrap(),
        None => write!(output, " {:?}", record.database).unwrap(),
    }
    if let Some(previous) = record.change.as_ref().and_then(|change| change.previous_id.as_ref()) {
        write!(output, " was {previous}").unwrap();
    }
    if record.ddl != sql {
        write!(output, " by {:?}", record.ddl).unwrap();
    }
    output.push('\n');
    let table = record.change.as_ref().and_then(|change| change.table.as_ref());
    match table {
        Some(table) => output + &describe_table(table),
        None if matches!(record.kind, RecordKind::Create | RecordKind::Alter) => output + "  no table\n",
        None => output,
    }
}

fn describe_table(table: &Table) -> String {
    let mut output = format!("  key ({})", table.primary_key.join(", "));
    write!(output, " charset {}", table.default_charset_name.as_deref().unwrap_or("none")).unwrap();
    if let Some(comment) = &table.comment {
        write!(output, " comment {comment:?}").unwrap();
    }
    output.push('\n');
    output + &table.columns.iter().map(describe_column).collect::<String>()
}

fn describe_column(column: &Column) -> String {
    let mut output = format!("  {} {} {}", column.position, column.name, column.type_name);
    match (column.length, column.scale) {
        (Some(length), Some(scale)) => write!(output, "({length},{scale})").unwrap(),
        (Some(length), None) => write!(output, "({length})").unwrap(),
        (None, _) => {}
    }
    write!(output, " = {}", column.jdbc_type).unwrap();
    if let Some(charset) = &column.charset_name {
        write!(output, " charset {charset}").unwrap();
    }
    output.push_str(if column.optional { " null" } else { " not null" });
    match (column.has_default_value, &column.default_value_expression) {
        (true, Some(value)) => write!(output, " default {value:?}").unwrap(),
        (true, None) => output.push_str(" default null"),
        (false, _) => {}
    }
    for (flag, name) in [(column.auto_incremented, " auto"), (column.generated, " generated")] {
        output.push_str(if flag { name } else { "" });
    }
    if let Some(comment) = &column.comment {
        write!(output, " comment {comment:?}").unwrap();
    }
    if !column.enum_values.is_empty() {
        write!(output, " values {:?}", column.enum_values).unwrap();
    }
    assert_eq!(column.type_expression.as_ref(), Some(&column.type_name));
    output + "\n"
}
