//! SQL: values, errors, long packets, compression.

use headwater::source::binlog::connection::{Compression, ConnectionError, Flavor, SslMode};

use crate::server::Server;

/// Values arrive as they are; a refused statement leaves the connection usable; a broken-off result does not.
pub fn answers_and_errors(server: &Server) {
    let mut session = server.root();
    assert_eq!(session.server().flavor, server.flavor);
    assert!(session.server().version.0 >= 8);
    let result =
        session.query("SELECT 1 AS one, NULL AS nothing, '' AS blank, 'ä😀' AS text, x'00ff' AS bytes").unwrap();
    let names: Vec<_> = result.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["one", "nothing", "blank", "text", "bytes"]);
    let row: Vec<Option<&[u8]>> = result.rows[0].iter().map(Option::as_deref).collect();
    assert_eq!(row, [Some(&b"1"[..]), None, Some(b""), Some("ä😀".as_bytes()), Some(b"\0\xff")]);
    assert_eq!(result.first("TEXT").as_deref(), Some("ä😀"));

    let error = session.query("SELEC 1").unwrap_err();
    assert!(matches!(&error, ConnectionError::Sql { error, .. } if error.number == 1064), "{error}");
    session.ping().unwrap();
    assert!(session.query("SELECT 1 FROM dual WHERE 1 = 0").unwrap().rows.is_empty());
    session.query_drop("SET @a = 1").unwrap();

    // An error in the midst of rows.
    let error = session.query("SELECT seq, (SELECT 1 UNION SELECT 2) FROM (SELECT 1 AS seq) AS one").unwrap_err();
    assert!(matches!(&error, ConnectionError::Sql { error, .. } if error.number == 1242), "{error}");

    let mut count = 0;
    let rows =
        "SELECT a.column_name FROM information_schema.columns AS a, information_schema.columns AS b LIMIT 100000";
    session
        .query_each(rows, |_, row| {
            assert_eq!(row.len(), 1);
            count += 1;
            Ok::<(), ConnectionError>(())
        })
        .unwrap();
    assert_eq!(count, 100_000);
    session.query_each(rows, |_, _| Err(ConnectionError::BadRequest("enough"))).unwrap_err();
    assert!(matches!(session.ping(), Err(ConnectionError::GivenUp)));

    // LOAD DATA LOCAL is never answered: the server does not even ask, because it was not offered.
    let mut session = server.root();
    session.query_drop("CREATE DATABASE IF NOT EXISTS connection").unwrap();
    session.query_drop("CREATE TABLE IF NOT EXISTS connection.loaded (a text)").unwrap();
    session.query_drop("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE connection.loaded").unwrap_err();
    session.close();
}

/// Statements and rows around and over the 16 MiB of one packet, both ways.
pub fn long_packets(server: &Server) {
    let mut session = server.root();
    for length in [0xff_ffff - 30, 0xff_ffff - 5, 0xff_ffff - 4, 0xff_ffff - 3, 0xff_ffff, 0x100_0000, 40 << 20] {
        let statement = format!("SELECT '{}' AS text, 'behind' AS last", "x".repeat(length));
        let result = session.query(&statement).unwrap();
        assert_eq!(result.rows[0][0].as_ref().unwrap().len(), length);
        assert_eq!(result.first("last").as_deref(), Some("behind"));
        let result = session.query(&format!("SELECT REPEAT('y', {length}) AS text")).unwrap();
        assert_eq!(result.rows[0][0].as_ref().unwrap().len(), length);
    }
    // COM_QUERY's byte and the statement fill a packet exactly: an empty one must follow.
    let frame = "SELECT LENGTH('')";
    let statement = format!("SELECT LENGTH('{}')", "x".repeat(0xff_ffff - 1 - frame.len()));
    assert_eq!(session.query(&statement).unwrap().rows[0][0], Some((0xff_ffff - 1 - frame.len()).to_string().into()));
}

/// Compressed where offered, with TLS and without, in both directions; plain where not.
pub fn compression(server: &Server) {
    for (compression, offered) in
        [(Compression::Zlib, true), (Compression::Zstd, server.flavor == Flavor::MySql), (Compression::None, false)]
    {
        for mode in [SslMode::Disabled, SslMode::Required] {
            let mut options = server.options("app", "apppw");
            options.compression = compression;
            options.ssl.mode = mode;
            let mut session = server.connect(&options).unwrap();
            assert_eq!(session.server().compressed, offered, "{compression:?}");
            let status = session.query("SHOW STATUS LIKE 'Compression'").unwrap();
            assert_eq!(status.first("Value").as_deref(), Some(if offered { "ON" } else { "OFF" }));
            for length in [1, 49, 50, 70_000, 0x100_0000, 20 << 20] {
                let result = session.query(&format!("SELECT '{}' AS text", "z".repeat(length))).unwrap();
                assert_eq!(result.rows[0][0].as_ref().unwrap().len(), length);
            }
            for _ in 0..300 {
                session.ping().unwrap();
            }
        }
    }
}
