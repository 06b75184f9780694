//! A byte that says under which circumstances, then a statement of the log, applied to tables that are there.

use headwater::source::binlog::ddl::{
    Flavor, NameCase, Outcome, Schema, SqlMode, StatementContext, classify, is_same_charset,
};

/// What stands before the statement comes.
const BEFORE: &[&str] = &[
    "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a VARCHAR(10) DEFAULT 'x', b ENUM('p','q'), KEY k (a))",
    "CREATE TABLE other.u (x BIGINT UNSIGNED, y DECIMAL(10,2), UNIQUE (x))",
];

/// The rest of the bytes as a statement: it changes all or nothing, and says what it changed.
pub fn check(bytes: &[u8]) {
    let Some((circumstances, statement)) = bytes.split_first() else { return };
    let bit = |number: u8| circumstances & (1 << number) != 0;
    let (flavor, name_case) = (
        if bit(0) { Flavor::MariaDb } else { Flavor::MySql },
        if bit(1) { NameCase::Lower } else { NameCase::Sensitive },
    );
    // ANSI_QUOTES and NO_BACKSLASH_ESCAPES, as Q_SQL_MODE_CODE has them.
    let modes = [(2, 1 << 2), (3, 1 << 20)].into_iter().filter(|(number, _)| bit(*number)).map(|(_, mode)| mode);
    let context = StatementContext {
        database: "d",
        flavor,
        sql_mode: SqlMode::from_bits(modes.sum()),
        server_version: if bit(4) { 101_100 } else { 80_400 },
        ..StatementContext::default()
    };
    let mut schema = Schema::new(name_case);
    for ddl in BEFORE {
        let plain = StatementContext { database: "d", ..StatementContext::default() };
        assert!(schema.apply(ddl.as_bytes(), &plain).is_ok());
    }
    let _ = classify(statement);
    let before = schema.clone();
    match schema.apply(statement, &context) {
        Err(error) => {
            assert!(schema.tables().eq(before.tables()), "an error leaves everything as it was");
            let _ = error.to_string();
        }
        Ok(Outcome::Skipped(_)) => assert!(schema.tables().eq(before.tables())),
        Ok(Outcome::Recorded { records, .. }) => {
            assert!(!records.is_empty());
            for change in records.iter().filter_map(|record| record.change.as_ref()) {
                if let Some(table) = &change.table {
                    assert_eq!(table.id, change.id);
                }
            }
        }
    }
    // A server would refuse some of what comes of random text (a name twice, a key of no column); whoever makes a layout of
    // such a table answers with an error.
    for charset in schema.tables().flat_map(|table| &table.columns).filter_map(|column| column.charset_name.as_deref())
    {
        let _ = is_same_charset(charset, "utf8mb4");
    }
}
