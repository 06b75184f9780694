//! The tracked tables against those of real servers: the statements of `tests/golden/ddl` run on each server, those
//! that it takes are tracked, and what `information_schema` says then must be what the tracker says.
//!
//! Servers: `HEADWATER_TEST_MYSQL_97`, `HEADWATER_TEST_MYSQL_80`, `HEADWATER_TEST_MARIADB_1011` and
//! `HEADWATER_TEST_MARIADB_118`, each `host:port`, as `tests/stack/stack.sh addresses` prints them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use headwater::model::table::{Column, Table};
use headwater::source::binlog::connection::{ConnectOptions, Connection, Secret, SslMode};
use headwater::source::binlog::ddl::{Flavor, Schema, StatementContext, is_same_charset};

#[test]
fn mysql_9_7_has_the_tracked_tables() {
    check("HEADWATER_TEST_MYSQL_97", Flavor::MySql, "mysql.txt", 100);
}

#[test]
fn mysql_8_0_has_the_tracked_tables() {
    check("HEADWATER_TEST_MYSQL_80", Flavor::MySql, "mysql.txt", 100);
}

#[test]
fn mariadb_10_11_has_the_tracked_tables() {
    check("HEADWATER_TEST_MARIADB_1011", Flavor::MariaDb, "mariadb.txt", 100);
}

#[test]
fn mariadb_11_8_has_the_tracked_tables() {
    check("HEADWATER_TEST_MARIADB_118", Flavor::MariaDb, "mariadb.txt", 100);
}

/// Runs the statements of a file on the server in a database of its own and compares. `at_least` of them must be
/// taken, so that the test cannot pass by being refused.
fn check(variable: &str, flavor: Flavor, file: &str, at_least: usize) {
    let Ok(address) = std::env::var(variable) else { return skip(variable) };
    let mut server = connect(&address);
    let database = format!("ddl_{}_{}", std::process::id(), variable.to_lowercase());
    server.query_drop(&format!("CREATE DATABASE {database}")).unwrap();
    server.query_drop(&format!("USE {database}")).unwrap();
    server.query_drop("SET sql_mode = ''").unwrap();
    let charset = server.query("SELECT @@character_set_server AS name").unwrap().first("name").unwrap();
    let context = StatementContext {
        database: &database,
        flavor,
        default_charset: Some(&charset),
        ..StatementContext::default()
    };
    let mut schema = Schema::default();
    let mut taken = 0;
    for sql in statements(file, &database) {
        if server.query_drop(&sql).is_ok() {
            schema.apply(sql.as_bytes(), &context).unwrap_or_else(|error| panic!("{variable}: {sql}: {error}"));
            taken += 1;
        }
    }
    assert!(taken >= at_least, "{variable}: {taken} statements taken");
    let actual = tables_of(&mut server, &database);
    let keys = keys_of(&mut server, &database);
    server.query_drop(&format!("DROP DATABASE {database}")).unwrap();
    let tracked: Vec<&str> = schema.tables().map(|table| &*table.id.table).collect();
    assert_eq!(tracked, actual.keys().map(String::as_str).collect::<Vec<_>>(), "{variable}");
    for table in schema.tables() {
        compare(variable, table, &actual[&*table.id.table], keys.get(&*table.id.table));
    }
}

/// What `information_schema` knows of a column.
struct ServerColumn {
    name: String,
    declared: String,
    charset: Option<String>,
    can_be_null: bool,
}

fn compare(variable: &str, table: &Table, columns: &[ServerColumn], key: Option<&Vec<String>>) {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let server_names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, server_names, "{variable}: {}", table.id);
    if let Some(key) = key {
        assert_eq!(&table.primary_key, key, "{variable}: {}", table.id);
    }
    for (tracked, actual) in table.columns.iter().zip(columns) {
        let place = format!("{variable}: {}.{}: {}", table.id, tracked.name, actual.declared);
        assert!(tracked.optional || !actual.can_be_null, "{place}");
        assert_eq!(tracked.type_name.contains("UNSIGNED"), actual.declared.contains("unsigned"), "{place}");
        // MariaDB's JSON is text, and Debezium says JSON.
        if tracked.type_name != "JSON" {
            let same = match (&tracked.charset_name, &actual.charset) {
                (Some(left), Some(right)) => is_same_charset(left, right),
                (left, right) => left.is_none() && right.is_none(),
            };
            assert!(same, "{place}: {:?} and {:?}", tracked.charset_name, actual.charset);
        }
        compare_values(tracked, actual, &place);
    }
}

/// ENUM and SET, whose values the server lists in quotes.
fn compare_values(tracked: &Column, actual: &ServerColumn, place: &str) {
    if tracked.enum_values.is_empty() {
        assert!(!actual.declared.starts_with("enum(") && !actual.declared.starts_with("set("), "{place}");
        return;
    }
    let quoted: Vec<String> =
        tracked.enum_values.iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
    assert_eq!(format!("{}({})", tracked.type_name.to_lowercase(), quoted.join(",")), actual.declared, "{place}");
}

/// The statements of a golden file, for that database. Left out: what the server writes into the log otherwise than
/// it was told (`CREATE TABLE … SELECT`), and a table that its session has to commit.
fn statements(file: &str, database: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ddl").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let mut statements = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("> ") else { continue };
        let mut sql = first.replace("`db`.", &format!("`{database}`."));
        while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
            sql.push('\n');
            sql.push_str(&more[2..]);
        }
        if !sql.contains("SELECT 1 AS") && !sql.contains("START TRANSACTION") {
            statements.push(sql);
        }
    }
    statements
}

fn tables_of(server: &mut Connection, database: &str) -> BTreeMap<String, Vec<ServerColumn>> {
    let sql = format!(
        "SELECT c.table_name AS t, c.column_name AS n, c.column_type AS d, c.character_set_name AS cs, \
         c.is_nullable AS o FROM information_schema.columns c \
         JOIN information_schema.tables b ON b.table_schema = c.table_schema AND b.table_name = c.table_name \
         WHERE c.table_schema = '{database}' AND b.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') \
         ORDER BY c.table_name, c.ordinal_position"
    );
    let result = server.query(&sql).unwrap();
    let mut tables: BTreeMap<String, Vec<ServerColumn>> = BTreeMap::new();
    for row in &result.rows {
        let text = |column| result.text(row, column);
        tables.entry(text("t").unwrap()).or_default().push(ServerColumn {
            name: text("n").unwrap(),
            declared: text("d").unwrap(),
            charset: text("cs"),
            can_be_null: text("o").unwrap() == "YES",
        });
    }
    tables
}

fn keys_of(server: &mut Connection, database: &str) -> BTreeMap<String, Vec<String>> {
    let sql = format!(
        "SELECT table_name AS t, column_name AS n FROM information_schema.statistics \
         WHERE table_schema = '{database}' AND index_name = 'PRIMARY' ORDER BY table_name, seq_in_index"
    );
    let result = server.query(&sql).unwrap();
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &result.rows {
        keys.entry(result.text(row, "t").unwrap()).or_default().push(result.text(row, "n").unwrap());
    }
    keys
}

fn connect(address: &str) -> Connection {
    let (host, port) = address.rsplit_once(':').unwrap();
    let mut options = ConnectOptions {
        hostname: host.to_owned(),
        port: port.parse().unwrap(),
        user: "app".to_owned(),
        password: Secret::new("apppw"),
        ..ConnectOptions::default()
    };
    options.ssl.mode = SslMode::Disabled;
    Connection::connect(&options, &Arc::new(AtomicBool::new(false))).unwrap()
}

/// Says aloud what was not tested.
fn skip(variable: &str) {
    println!("SKIPPED: schema tracking: {variable} is not set");
    if let Some(file) = std::env::var_os("HEADWATER_TEST_SKIPPED") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
        writeln!(file, "schema tracking: {variable} is not set").unwrap();
    }
}
