//! SQL by the simple query protocol.

use headwater::error::Coded;
use headwater::source::postgres::connection::{Connection, ConnectionError, Purpose, SslMode};

use crate::server::{Server, going};

fn text(value: &Option<Vec<u8>>) -> &str {
    value.as_deref().map_or("NULL", |bytes| std::str::from_utf8(bytes).unwrap())
}

/// Values, no values, many values, several statements, errors that leave the session usable.
pub fn answers_and_errors(server: &Server) {
    for (purpose, mode) in [
        (Purpose::Sql, SslMode::Disable),
        (Purpose::Sql, SslMode::Require),
        (Purpose::Replication, SslMode::Disable),
        (Purpose::Replication, SslMode::Require),
    ] {
        let mut options = server.options("app", "apppw");
        options.ssl.mode = mode;
        let mut session = Connection::connect(&options, purpose, &going()).unwrap();
        assert!(server.name.ends_with(&(session.server_version_num() / 10_000).to_string()));

        let result = session.query("SELECT 1 AS a, NULL AS b, '' AS c, 'ü' AS d").unwrap();
        assert_eq!(result.rows[0].iter().map(text).collect::<Vec<_>>(), ["1", "NULL", "", "ü"]);
        assert_eq!((result.first("d").unwrap(), result.columns[0].type_oid), ("ü".to_owned(), 23));
        assert!(session.query("SELECT 1 WHERE false").unwrap().rows.is_empty());
        assert!(session.query("").unwrap().columns.is_empty());
        assert_eq!(session.query("SELECT").unwrap().rows, [Vec::new()]);

        let mut rows = 0_u64;
        let statement = "SELECT n, repeat('x', 1000) FROM generate_series(1, 50000) n";
        session
            .query_each(statement, |row| {
                rows += 1;
                assert_eq!(row.get(0).unwrap(), rows.to_string().as_bytes());
                assert_eq!((row.get(1).unwrap().len(), row.get(2)), (1000, None));
                Ok::<(), ConnectionError>(())
            })
            .unwrap();
        assert_eq!(rows, 50_000);
        let large = session.query("SELECT repeat('x', 50000000) AS x").unwrap();
        assert_eq!(large.rows[0][0].as_ref().unwrap().len(), 50_000_000);

        for (statement, sql_state, code) in [
            ("SELEKT 1", "42601", 1217),
            ("SELECT * FROM no_such_table", "42P01", 1217),
            ("SELECT 1/0", "22012", 1217),
            ("SET statement_timeout = 50; SELECT pg_sleep(60)", "57014", 1216),
        ] {
            let error = session.query(statement).unwrap_err();
            assert_eq!((error.sql_state(), error.code().number), (Some(sql_state), code), "{error}");
        }
        session.query_drop("SET statement_timeout = 0").unwrap();
        assert_eq!(session.query("SELECT 'again' AS a").unwrap().first("a").unwrap(), "again");
        assert!(session.query("SELECT '\0'").is_err());
        assert_eq!(session.query("SELECT 'again' AS a").unwrap().first("a").unwrap(), "again");
        // Nothing here copies by COPY: the server's wish for data ends the connection.
        assert!(session.query("COPY pg_class TO STDOUT").is_err());
        assert!(matches!(session.query("SELECT 1"), Err(ConnectionError::GivenUp)));
    }
    let mut session = server.connect(&server.options("cdc", "cdcpw")).unwrap();
    let error = session.query("CREATE TABLE pg_catalog.x (a int)").unwrap_err();
    assert_eq!((error.sql_state(), error.code().number), (Some("42501"), 1215), "{error}");
}

/// The settings that text depends on win over those of database and role.
pub fn settings(server: &Server) {
    server.sql("ALTER ROLE cdc SET DateStyle = 'SQL, DMY'");
    server.sql("ALTER ROLE cdc SET IntervalStyle = 'sql_standard'");
    server.sql("ALTER ROLE cdc SET bytea_output = 'escape'");
    server.sql("ALTER ROLE cdc SET TimeZone = 'Asia/Tokyo'");
    server.sql("ALTER ROLE cdc SET extra_float_digits = 0");
    let mut options = server.options("cdc", "cdcpw");
    options.options = Some("-c geqo=off".to_owned());
    options.application_name = "the test's own".to_owned();
    for purpose in [Purpose::Sql, Purpose::Replication] {
        let mut session = Connection::connect(&options, purpose, &going()).unwrap();
        let statement = "SELECT '2024-02-01 03:04:05+00'::timestamptz::text AS t, '1 day 2 hours'::interval::text AS i, \
                         '\\x00ff'::bytea::text AS b, (0.1::float8 + 0.2)::text AS f, current_setting('geqo') AS g, \
                         current_setting('application_name') AS n";
        let result = session.query(statement).unwrap();
        for (column, value) in [
            ("t", "2024-02-01 03:04:05+00"),
            ("i", "1 day 02:00:00"),
            ("b", "\\x00ff"),
            ("f", "0.30000000000000004"),
            ("g", "off"),
            ("n", "the test's own"),
        ] {
            assert_eq!(result.first(column).as_deref(), Some(value));
        }
        assert_eq!(session.parameter("TimeZone"), Some("UTC"));
    }
    server.sql("ALTER ROLE cdc RESET ALL");
}
