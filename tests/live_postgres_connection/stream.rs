//! The replication stream and the messages in it.

use std::time::{Duration, Instant};

use headwater::error::Coded;
use headwater::model::row::Cell;
use headwater::source::postgres::connection::{
    Connection, Lsn, Purpose, ReadOutcome, ReplicationRequest, ReplicationStream, WalMessage,
};
use headwater::source::postgres::pgoutput::{
    Binary, Message, OldImage, ReplicaIdentity, walk_delete, walk_insert, walk_update,
};

use crate::server::{Server, going};
use crate::support::eventually;

/// What a test waits for may take this long.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Reads on until `each` says that it has seen enough.
pub fn read_until(stream: &mut ReplicationStream, mut each: impl FnMut(&WalMessage, &[u8]) -> bool) {
    let (mut block, mut messages) = (Vec::new(), Vec::new());
    let deadline = Instant::now() + PATIENCE;
    let mut enough = false;
    while !enough {
        assert!(Instant::now() < deadline, "the stream does not bring what it should");
        match stream.read_block(&mut block, &mut messages).unwrap() {
            ReadOutcome::Messages => assert!(!messages.is_empty()),
            ReadOutcome::Keepalive => assert!(messages.is_empty()),
            other => panic!("{other:?}"),
        }
        for message in &messages {
            enough |= each(message, message.payload(&block).unwrap());
        }
    }
}

fn first_text(body: &[u8], cells: &[Cell]) -> u64 {
    std::str::from_utf8(cells[0].bytes(body).unwrap()).unwrap().parse().unwrap()
}

/// 100,000 rows in many transactions come in order, and the slot moves as far as is confirmed and no further.
pub fn rows_in_order(server: &Server) {
    let mut request = server.table("rows_in_order");
    request.status_interval = Duration::from_millis(200);
    let before = server.ask("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'rows_in_order'");
    server.sql("INSERT INTO rows_in_order SELECT n, 'row ' || n FROM generate_series(1, 50000) n");
    let mut statement = "DO $$ BEGIN FOR i IN 0..499 LOOP INSERT INTO rows_in_order ".to_owned();
    statement +=
        "SELECT n, 'row ' || n FROM generate_series(50001 + 100 * i, 50100 + 100 * i) n; COMMIT; END LOOP; END $$";
    server.sql(&statement);
    let mut stream = server.stream(&request).unwrap();
    let (mut rows, mut transactions, mut end, mut cells) = (0, 0, Lsn::INVALID, Vec::new());
    read_until(&mut stream, |wal, body| {
        match Message::parse(body, false).unwrap() {
            Message::Insert(insert) => {
                let walked = walk_insert(body, insert.images_at as usize, Binary::Refused, &mut cells).unwrap();
                assert_eq!((walked, cells.len()), (body.len(), 2));
                rows += 1;
                assert_eq!(first_text(body, &cells), rows);
            }
            Message::Commit(commit) => {
                transactions += 1;
                end = commit.end_lsn;
                assert!(commit.end_lsn > commit.commit_lsn);
            }
            Message::Relation(relation) => {
                assert_eq!((relation.schema, relation.name, relation.columns.len()), ("public", "rows_in_order", 2));
                assert_eq!((relation.replica_identity, relation.columns[0].is_key), (ReplicaIdentity::Default, true));
            }
            Message::Begin(begin) => assert!(begin.final_lsn >= wal.start_lsn),
            other => panic!("{other:?}"),
        }
        rows == 100_000 && transactions == 501
    });
    assert!(stream.server_end() >= end);
    println!("  {:?}", stream.counters());

    // Several reports have gone out, and nothing was confirmed.
    let sent = "SELECT count(*) FROM pg_stat_replication WHERE write_lsn >= '0/1' AND application_name = 'headwater'";
    eventually("reports", PATIENCE, || (server.ask(sent) == "1").then_some(()));
    let confirmed = "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'rows_in_order'";
    assert_eq!(server.ask(confirmed), before);
    stream.confirmed().advance(end);
    eventually("the slot moves", PATIENCE, || (server.ask(confirmed) == end.to_string()).then_some(()));
    stream.confirmed().advance(Lsn(1));
    assert_eq!(stream.confirmed().get(), end);
    drop(stream);

    // What was confirmed does not come again; what is confirmed at last is reported when the stream is dropped.
    server.sql("INSERT INTO rows_in_order VALUES (100001, 'last')");
    request.status_interval = Duration::from_secs(3_600);
    let mut stream = eventually("the slot is free", PATIENCE, || server.stream(&request).ok());
    read_until(&mut stream, |_, body| {
        match Message::parse(body, false).unwrap() {
            Message::Insert(insert) => {
                walk_insert(body, insert.images_at as usize, Binary::Refused, &mut cells).unwrap();
                assert_eq!(first_text(body, &cells), 100_001);
            }
            Message::Commit(commit) => {
                end = commit.end_lsn;
                return true;
            }
            _ => {}
        }
        false
    });
    stream.confirmed().advance(end);
    drop(stream);
    eventually("the slot moves", PATIENCE, || (server.ask(confirmed) == end.to_string()).then_some(()));
    server.drop_table("rows_in_order");
}

/// A message far longer than a block.
pub fn large_row(server: &Server) {
    let request = server.table("large_row");
    server.sql("ALTER TABLE large_row ADD COLUMN bytes bytea");
    server.sql("INSERT INTO large_row SELECT 1, 'small', convert_to(repeat('abcdefgh', 13107200), 'UTF8')");
    server.sql("INSERT INTO large_row VALUES (2, 'behind it')");
    for mode in [
        headwater::source::postgres::connection::SslMode::Disable,
        headwater::source::postgres::connection::SslMode::Require,
    ] {
        let mut options = server.options("cdc", "cdcpw");
        options.ssl.mode = mode;
        let mut stream = eventually("the slot is free", PATIENCE, || server.stream_with(&options, &request).ok());
        let mut cells = Vec::new();
        let mut lengths = Vec::new();
        read_until(&mut stream, |_, body| {
            if let Message::Insert(insert) = Message::parse(body, false).unwrap() {
                walk_insert(body, insert.images_at as usize, Binary::Refused, &mut cells).unwrap();
                let value = cells[2].bytes(body).unwrap_or_default();
                assert!(value.iter().skip(2).step_by(1_000_001).all(u8::is_ascii_hexdigit));
                lengths.push(value.len());
            }
            lengths.len() == 2
        });
        assert_eq!(lengths, [2 + 2 * 104_857_600, 0]);
    }
    server.drop_table("large_row");
}

/// A large transaction comes in blocks while it is open, and a second one is rolled back.
pub fn open_transaction(server: &Server) {
    let mut request = server.table("open_transaction");
    (request.protocol_version, request.streaming) = (2, true);
    let mut writer = server.connect(&server.options("app", "apppw")).unwrap();
    writer.query_drop("BEGIN; INSERT INTO open_transaction SELECT n, 'kept' FROM generate_series(1, 20000) n").unwrap();
    writer
        .query_drop(
            "SAVEPOINT s; INSERT INTO open_transaction SELECT n, 'dropped' FROM generate_series(20001, 40000) n",
        )
        .unwrap();
    let mut stream = server.stream(&request).unwrap();
    let (mut rows, mut streamed, mut xid) = (0, false, 0);
    // Rows come while the transaction is open.
    read_until(&mut stream, |_, body| {
        match Message::parse(body, streamed).unwrap() {
            Message::StreamStart(start) => (streamed, xid) = (true, start.xid),
            Message::StreamStop => streamed = false,
            Message::Insert(insert) => {
                assert!(insert.xid.is_some());
                rows += 1;
            }
            _ => {}
        }
        rows >= 20_000 && !streamed
    });
    writer.query_drop("ROLLBACK TO s; COMMIT").unwrap();
    let mut aborted = false;
    read_until(&mut stream, |_, body| match Message::parse(body, streamed).unwrap() {
        Message::StreamStart(start) => {
            assert_eq!(start.xid, xid);
            streamed = true;
            false
        }
        Message::StreamStop => {
            streamed = false;
            false
        }
        Message::StreamAbort(abort) => {
            assert_eq!((abort.xid, abort.abort), (xid, None));
            assert_ne!(abort.subxid, xid);
            aborted = true;
            false
        }
        Message::StreamCommit(commit) => {
            assert_eq!(commit.xid, xid);
            true
        }
        _ => false,
    });
    assert!(aborted);
    drop(stream);
    server.drop_table("open_transaction");
}

/// One of every message that a server sends, and what is in it.
pub fn every_message(server: &Server) {
    let mut request = server.table("every_message");
    server.sql("CREATE TYPE mood AS ENUM ('sad', 'happy')");
    server.sql("ALTER TABLE every_message ADD COLUMN mood mood");
    server.sql("ALTER TABLE every_message ALTER COLUMN text SET STORAGE EXTERNAL");
    server.sql("SELECT pg_replication_origin_create('elsewhere')");
    request.messages = true;
    let two_phase = "SELECT pg_create_logical_replication_slot('every_message_2', 'pgoutput', false, true)";
    server.sql(two_phase);
    let mut writer = server.connect(&server.options("app", "apppw")).unwrap();
    for statement in [
        "SELECT pg_logical_emit_message(false, 'free', 'one')",
        "BEGIN; INSERT INTO every_message VALUES (1, repeat('x', 10000), 'sad'); SELECT pg_logical_emit_message(true, 'bound', 'two'); COMMIT",
        "UPDATE every_message SET mood = 'happy'",
        "UPDATE every_message SET id = 2",
        "ALTER TABLE every_message REPLICA IDENTITY FULL",
        "UPDATE every_message SET mood = NULL",
        "DELETE FROM every_message",
        "TRUNCATE every_message RESTART IDENTITY CASCADE",
        "SELECT pg_replication_origin_session_setup('elsewhere')",
        "BEGIN; SELECT pg_replication_origin_xact_setup('0/ABC', now()); INSERT INTO every_message VALUES (3); COMMIT",
        "SELECT pg_replication_origin_session_reset()",
        "BEGIN; INSERT INTO every_message VALUES (4); PREPARE TRANSACTION 'gid 4'",
        "COMMIT PREPARED 'gid 4'",
        "BEGIN; INSERT INTO every_message VALUES (5); PREPARE TRANSACTION 'gid 5'",
        "ROLLBACK PREPARED 'gid 5'",
        "INSERT INTO every_message VALUES (6)",
    ] {
        writer.query_drop(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    let mut stream = server.stream(&request).unwrap();
    let seen = summary(&mut stream);
    let commit = "commit";
    let expected = [
        "message free one false",
        "begin",
        "type mood",
        "relation d 3",
        "insert 1 x10000 sad",
        "message bound two true",
        commit,
        "begin",
        "update Nothing - : 1 ABSENT happy",
        commit,
        "begin",
        "update Key 1 NULL NULL : 2 ABSENT happy",
        commit,
        "begin",
        "type mood",
        "relation f 3",
        "update Full 2 x10000 happy : 2 ABSENT NULL",
        commit,
        "begin",
        "delete Full 2 x10000 NULL",
        commit,
        "begin",
        "truncate true true 1",
        commit,
        "begin",
        "origin elsewhere 0/ABC",
        "insert 3 NULL NULL",
        commit,
        "begin",
        "insert 4 NULL NULL",
        commit,
        "begin",
        "insert 6 NULL NULL",
        commit,
    ];
    assert_eq!(without_known(&seen), expected, "{seen:#?}");
    drop(stream);

    request.slot = "every_message_2".to_owned();
    request.protocol_version = 3;
    request.more_options = vec![("two_phase".to_owned(), "on".to_owned())];
    let mut stream = server.stream(&request).unwrap();
    let seen = summary(&mut stream);
    let prepared: Vec<&str> = seen.iter().map(String::as_str).filter(|text| text.contains("gid")).collect();
    assert_eq!(
        prepared,
        [
            "begin prepare gid 4",
            "prepare gid 4",
            "commit prepared gid 4",
            "begin prepare gid 5",
            "prepare gid 5",
            "rollback prepared gid 5"
        ]
    );
    drop(stream);
    eventually("the slot is free", PATIENCE, || {
        let free = "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'every_message_2' AND NOT active";
        (server.ask(free) == "1").then_some(())
    });
    server.sql("SELECT pg_drop_replication_slot('every_message_2')");
    server.drop_table("every_message");
    server.sql("DROP TYPE mood");
    server.sql("SELECT pg_replication_origin_drop('elsewhere')");
}

/// Relations and types may come again behind what invalidates the server's memory of what it has sent; only news count.
fn without_known(seen: &[String]) -> Vec<&str> {
    let mut known: Option<&str> = None;
    let mut kept: Vec<&str> = Vec::new();
    for text in seen {
        if text.starts_with("relation") {
            if known == Some(text) {
                // With the type before it.
                if kept.last() == Some(&"type mood") {
                    kept.pop();
                }
                continue;
            }
            known = Some(text);
        }
        kept.push(text);
    }
    kept
}

fn values(body: &[u8], cells: &[Cell]) -> String {
    let text = |cell: &Cell| match cell.bytes(body) {
        Some(bytes) if bytes.len() > 100 => format!("x{}", bytes.len()),
        Some(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        None if cell.is_null() => "NULL".to_owned(),
        None => "ABSENT".to_owned(),
    };
    let texts: Vec<String> = cells.iter().map(text).collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join(" ") }
}

/// Every message up to the commit behind the row 6, in words.
fn summary(stream: &mut ReplicationStream) -> Vec<String> {
    let mut seen = Vec::new();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    read_until(stream, |_, body| {
        let text = match Message::parse(body, false).unwrap() {
            Message::Begin(_) => "begin".to_owned(),
            Message::Commit(_) => "commit".to_owned(),
            Message::Origin(origin) => format!("origin {} {}", origin.name, origin.commit_lsn),
            Message::Message(message) => {
                let content = std::str::from_utf8(message.content).unwrap();
                format!("message {} {content} {}", message.prefix, message.transactional)
            }
            Message::Relation(relation) => {
                let identity = if relation.replica_identity == ReplicaIdentity::Full { "f" } else { "d" };
                format!("relation {identity} {}", relation.columns.len())
            }
            Message::Type(name) => format!("type {}", name.name),
            Message::Insert(insert) => {
                walk_insert(body, insert.images_at as usize, Binary::Refused, &mut after).unwrap();
                format!("insert {}", values(body, &after))
            }
            Message::Update(update) => {
                let at = update.images_at as usize;
                let (old, _) = walk_update(body, at, Binary::Refused, &mut before, &mut after).unwrap();
                assert_eq!(old == OldImage::Nothing, before.is_empty());
                format!("update {old:?} {} : {}", values(body, &before), values(body, &after))
            }
            Message::Delete(delete) => {
                let (old, _) = walk_delete(body, delete.images_at as usize, Binary::Refused, &mut before).unwrap();
                format!("delete {old:?} {}", values(body, &before))
            }
            Message::Truncate(truncate) => {
                format!("truncate {} {} {}", truncate.cascade, truncate.restart_identity, truncate.relations.len())
            }
            Message::BeginPrepare(begin) => format!("begin prepare {}", begin.gid),
            Message::Prepare(prepare) => format!("prepare {}", prepare.gid),
            Message::CommitPrepared(commit) => format!("commit prepared {}", commit.gid),
            Message::RollbackPrepared(rollback) => format!("rollback prepared {}", rollback.gid),
            other => panic!("{other:?}"),
        };
        let last = text == "commit" && seen.last().is_some_and(|before: &String| before.starts_with("insert 6"));
        seen.push(text);
        last
    });
    seen
}

/// Where nothing is captured, keep-alives say how far the log is, and what is confirmed by them moves the slot.
pub fn quiet_database(server: &Server) {
    let mut request = server.table("quiet_database");
    request.status_interval = Duration::from_millis(200);
    server.sql("CREATE TABLE elsewhere (text text)");
    let mut stream = server.stream(&request).unwrap();
    let (mut block, mut messages) = (Vec::new(), Vec::new());
    server.sql("INSERT INTO elsewhere SELECT repeat('x', 100) FROM generate_series(1, 10000)");
    let end: Lsn = server.ask("SELECT pg_current_wal_lsn()").parse().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while stream.keepalive_end() < end {
        assert!(Instant::now() < deadline, "keep-alives do not tell the end of the log");
        // A transaction without published rows may come as a begin and a commit, before version 15.
        let outcome = stream.read_block(&mut block, &mut messages).unwrap();
        assert!(matches!(outcome, ReadOutcome::Keepalive | ReadOutcome::Messages));
    }
    stream.confirmed().advance(stream.keepalive_end());
    eventually("the slot moves", PATIENCE, || {
        let moved = "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'quiet_database' AND confirmed_flush_lsn >= ";
        (server.ask(&format!("{moved}'{end}'")) == "1").then_some(())
    });
    drop(stream);
    server.sql("DROP TABLE elsewhere");
    server.drop_table("quiet_database");
}

fn refusal(server: &Server, request: &ReplicationRequest) -> u16 {
    let error = match server.stream(request) {
        Err(error) => error,
        Ok(mut stream) => {
            let (mut block, mut messages) = (Vec::new(), Vec::new());
            loop {
                match stream.read_block(&mut block, &mut messages) {
                    Ok(ReadOutcome::Messages | ReadOutcome::Keepalive) => {}
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => break error,
                }
            }
        }
    };
    println!("  {error}");
    error.code().number
}

/// What the server refuses, by its page.
pub fn refusals(server: &Server) {
    let request = server.table("refusals");
    let mut other = request.clone();
    other.slot = "no such slot".to_owned();
    assert_eq!(refusal(server, &other), 1221);
    other = request.clone();
    other.protocol_version = 9;
    assert_eq!(refusal(server, &other), 1226);
    other = request.clone();
    other.more_options = vec![("no_such_option".to_owned(), "1".to_owned())];
    assert!(refusal(server, &other) >= 1220);

    let stream = server.stream(&request).unwrap();
    assert_eq!(refusal(server, &request), 1220);
    drop(stream);

    server.sql("CREATE DATABASE another");
    let mut options = server.options("cdc", "cdcpw");
    options.database = "another".to_owned();
    let error = eventually("the slot is free", PATIENCE, || {
        let error = server.stream_with(&options, &request).map(|_| ()).unwrap_err();
        (error.code().number != 1220).then_some(error)
    });
    assert_eq!(error.code().number, 1222, "{error}");
    server.sql("DROP DATABASE another");

    let session = Connection::connect(&server.options("cdc", "cdcpw"), Purpose::Sql, &going()).unwrap();
    let error = session.start_replication(&request).map(|_| ()).unwrap_err();
    assert!(!error.is_weather(), "{error}");

    // The publication is looked for when the first change comes; 18 passes over one that does not exist.
    if server.name != "postgres-18" {
        other = request.clone();
        other.publications = vec!["no such publication".to_owned()];
        server.sql("INSERT INTO refusals VALUES (1)");
        assert_eq!(refusal(server, &other), 1224);
    }
    server.drop_table("refusals");
}
