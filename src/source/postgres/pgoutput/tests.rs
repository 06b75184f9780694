//! The decoder on every kind of message, cut everywhere, and on random bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::super::wire::Lsn;
use super::*;
use crate::model::row::Cell;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Reads a message whole, and then every beginning of it, which must be an error.
fn check(text: &str, streamed: bool, expected: Message<'_>) {
    let body = hex(text);
    assert_eq!(Message::parse(&body, streamed), Ok(expected));
    for length in 0..body.len() {
        assert!(Message::parse(&body[..length], streamed).is_err(), "cut at {length}");
    }
}

#[test]
fn transactions() {
    check(
        "42 0000000001532F58 0002F5A1B2C3D4E5 000002F1",
        false,
        Message::Begin(Begin { final_lsn: Lsn(0x153_2F58), commit_time_us: 0x2_F5A1_B2C3_D4E5, xid: 0x2F1 }),
    );
    check(
        "43 00 0000000001532F58 0000000001532F88 0002F5A1B2C3D4E5",
        false,
        Message::Commit(Commit {
            commit_lsn: Lsn(0x153_2F58),
            end_lsn: Lsn(0x153_2F88),
            commit_time_us: 0x2_F5A1_B2C3_D4E5,
        }),
    );
    check("4F 0000000000000007 6F7200", false, Message::Origin(Origin { commit_lsn: Lsn(7), name: "or" }));
}

#[test]
fn relations_and_types() {
    let columns = vec![
        RelationColumn { is_key: true, name: "id", type_oid: 23, type_modifier: -1 },
        RelationColumn { is_key: false, name: "t", type_oid: 1043, type_modifier: 14 },
    ];
    check(
        "52 00004001 7075626C696300 7400 64 0002 01 696400 00000017 FFFFFFFF 00 7400 00000413 0000000E",
        false,
        Message::Relation(Relation {
            xid: None,
            id: 0x4001,
            schema: "public",
            name: "t",
            replica_identity: ReplicaIdentity::Default,
            columns,
        }),
    );
    check(
        "59 00000005 00004002 00 6D6F6F6400",
        true,
        Message::Type(TypeName { xid: Some(5), oid: 0x4002, schema: "pg_catalog", name: "mood" }),
    );
}

#[test]
fn streamed_transactions() {
    check("53 000002F1 01", false, Message::StreamStart(StreamStart { xid: 0x2F1, first: true }));
    check("45", false, Message::StreamStop);
    check(
        "63 000002F1 00 0000000000000001 0000000000000002 0000000000000003",
        false,
        Message::StreamCommit(StreamCommit { xid: 0x2F1, commit_lsn: Lsn(1), end_lsn: Lsn(2), commit_time_us: 3 }),
    );
    let abort = StreamAbort { xid: 0x2F1, subxid: 0x2F2, abort: None };
    check("41 000002F1 000002F2", false, Message::StreamAbort(abort));
    let long = hex("41 000002F1 000002F2 0000000000000001 0000000000000002");
    let expected = StreamAbort { abort: Some((Lsn(1), 2)), ..abort };
    assert_eq!(Message::parse(&long, false), Ok(Message::StreamAbort(expected)));
}

#[test]
fn prepared_transactions() {
    let prepare = Prepare { prepare_lsn: Lsn(1), end_lsn: Lsn(2), prepare_time_us: 3, xid: 4, gid: "g" };
    let fields = "0000000000000001 0000000000000002 0000000000000003 00000004 6700";
    let begin = BeginPrepare { prepare_lsn: Lsn(1), end_lsn: Lsn(2), prepare_time_us: 3, xid: 4, gid: "g" };
    check(&format!("62 {fields}"), false, Message::BeginPrepare(begin));
    check(&format!("50 00 {fields}"), false, Message::Prepare(prepare));
    check(&format!("70 00 {fields}"), false, Message::StreamPrepare(prepare));
    let commit = CommitPrepared { commit_lsn: Lsn(1), end_lsn: Lsn(2), commit_time_us: 3, xid: 4, gid: "g" };
    check(&format!("4B 00 {fields}"), false, Message::CommitPrepared(commit));
    check(
        "72 00 0000000000000001 0000000000000002 0000000000000003 0000000000000004 00000005 6700",
        false,
        Message::RollbackPrepared(RollbackPrepared {
            prepare_end_lsn: Lsn(1),
            rollback_end_lsn: Lsn(2),
            prepare_time_us: 3,
            rollback_time_us: 4,
            xid: 5,
            gid: "g",
        }),
    );
}

#[test]
fn messages_and_truncations() {
    check(
        "4D 01 0000000000000009 707200 00000003 616263",
        false,
        Message::Message(LogicalMessage { xid: None, transactional: true, lsn: Lsn(9), prefix: "pr", content: b"abc" }),
    );
    check(
        "54 00000002 03 00004001 00004002",
        false,
        Message::Truncate(Truncate {
            xid: None,
            cascade: true,
            restart_identity: true,
            relations: vec![0x4001, 0x4002],
        }),
    );
}

fn texts<'a>(body: &'a [u8], cells: &[Cell]) -> Vec<&'a str> {
    let text = |cell: &Cell| match cell.bytes(body) {
        Some(bytes) => std::str::from_utf8(bytes).unwrap(),
        None if cell.is_null() => "NULL",
        None => "ABSENT",
    };
    cells.iter().map(text).collect()
}

#[test]
fn rows() {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let insert = hex("49 00004001 4E 0003 74 00000001 31 6E 74 00000000");
    let Ok(Message::Insert(change)) = Message::parse(&insert, false) else { panic!() };
    assert_eq!((change.relation, change.xid), (0x4001, None));
    let end = walk_insert(&insert, change.images_at as usize, Binary::Refused, &mut after).unwrap();
    assert_eq!((texts(&insert, &after), end), (vec!["1", "NULL", ""], insert.len()));

    let update = hex("55 00000009 00004001 4B 0002 74 00000001 31 6E 4E 0002 74 00000001 32 75");
    let Ok(Message::Update(change)) = Message::parse(&update, true) else { panic!() };
    assert_eq!((change.relation, change.xid), (0x4001, Some(9)));
    let at = change.images_at as usize;
    let walked = walk_update(&update, at, Binary::Refused, &mut before, &mut after).unwrap();
    assert_eq!(walked, (OldImage::Key, update.len()));
    assert_eq!((texts(&update, &before), texts(&update, &after)), (vec!["1", "NULL"], vec!["2", "ABSENT"]));
    for length in 0..update.len() {
        assert!(
            walk_update(&update[..length], at, Binary::Refused, &mut before, &mut after).is_err(),
            "cut at {length}"
        );
    }

    let update = hex("55 00004001 4E 0001 6E");
    let walked = walk_update(&update, 5, Binary::Refused, &mut before, &mut after).unwrap();
    assert_eq!((walked, before.len()), ((OldImage::Nothing, update.len()), 0));

    let delete = hex("44 00004001 4F 0001 62 00000001 31");
    assert!(walk_delete(&delete, 5, Binary::Refused, &mut before).is_err());
    let walked = walk_delete(&delete, 5, Binary::Allowed, &mut before).unwrap();
    assert_eq!((walked, texts(&delete, &before)), ((OldImage::Full, delete.len()), vec!["1"]));
}

#[test]
fn what_is_no_message_is_an_error() {
    assert_eq!(Message::parse(b"Z", false), Err(PgOutputError::UnknownType('Z')));
    assert!(Message::parse(b"", false).is_err());
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for tuple in ["4E FFFF 6E", "4E 0001 74 FFFFFFFF", "4E 0001 74 7FFFFFFF 00", "4E 0001 78", "58 0000", "4E 00", ""] {
        let body = hex(tuple);
        assert!(walk_insert(&body, 0, Binary::Allowed, &mut after).is_err(), "{tuple}");
    }
    assert!(walk_delete(&hex("4E 0000"), 0, Binary::Allowed, &mut before).is_err());
    assert!(walk_insert(b"", usize::MAX - 1, Binary::Allowed, &mut after).is_err());
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..120), kind: u8, streamed: bool, at in 0_usize..130) {
        let mut body = bytes;
        body.insert(0, b"BCOMRYIUDTSEcAbPKrp"[usize::from(kind) % 19]);
        let _ = Message::parse(&body, streamed);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for binary in [Binary::Refused, Binary::Allowed] {
            if let Ok((_, end)) = walk_update(&body, at, binary, &mut before, &mut after) {
                prop_assert!(end <= body.len());
                let known = |cell: &Cell| cell.bytes(&body).is_some() || cell.is_null() || cell.is_absent();
                prop_assert!(before.iter().chain(&after).all(known));
            }
            let _ = walk_delete(&body, at, binary, &mut before);
        }
    }
}

/// Messages that real servers sent, by file name; the first byte of each says in which way (`fuzz/checks/pgoutput.rs`).
fn captured(name: &str) -> (bool, Binary, Vec<u8>) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/pgoutput");
    let bytes = std::fs::read(folder.join(name)).unwrap();
    let binary = if bytes[0] & 2 != 0 { Binary::Allowed } else { Binary::Refused };
    (bytes[0] & 1 != 0, binary, bytes[1..].to_vec())
}

#[test]
fn what_real_servers_sent_is_read_to_its_end() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/pgoutput");
    let (mut before, mut after, mut read) = (Vec::new(), Vec::new(), 0);
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if !name.starts_with("postgres-") {
            continue;
        }
        read += 1;
        let (streamed, binary, body) = captured(&name);
        let message = Message::parse(&body, streamed).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (kind, end) = match &message {
            Message::Begin(_) => ("begin", None),
            Message::Commit(_) => ("commit", None),
            Message::Origin(_) => ("origin", None),
            Message::Message(_) => ("message", None),
            Message::Relation(_) => ("relation", None),
            Message::Type(_) => ("type", None),
            Message::Insert(row) => {
                ("insert", Some(walk_insert(&body, row.images_at as usize, binary, &mut after).unwrap()))
            }
            Message::Update(row) => {
                let walked = walk_update(&body, row.images_at as usize, binary, &mut before, &mut after).unwrap();
                ("update", Some(walked.1))
            }
            Message::Delete(row) => {
                ("delete", Some(walk_delete(&body, row.images_at as usize, binary, &mut before).unwrap().1))
            }
            Message::Truncate(_) => ("truncate", None),
            Message::StreamStart(_) => ("stream-start", None),
            Message::StreamStop => ("stream-stop", None),
            Message::StreamCommit(_) => ("stream-commit", None),
            Message::StreamAbort(abort) => {
                // With parallel streaming, which version 15 does not have.
                assert_eq!(abort.abort.is_some(), !name.contains("-15-"), "{name}");
                ("stream-abort", None)
            }
            Message::BeginPrepare(_) => ("begin-prepare", None),
            Message::Prepare(_) => ("prepare", None),
            Message::CommitPrepared(_) => ("commit-prepared", None),
            Message::RollbackPrepared(_) => ("rollback-prepared", None),
            Message::StreamPrepare(_) => ("stream-prepare", None),
        };
        assert!(name.contains(&format!("-{kind}-")), "{name} is read as {kind}");
        assert_eq!(end.unwrap_or(body.len()), body.len(), "{name}");
    }
    assert!(read >= 100, "only {read} messages");
}

#[test]
fn a_table_of_a_real_server_and_its_rows() {
    let (streamed, _, body) = captured("postgres-18-relation-0");
    let Ok(Message::Relation(relation)) = Message::parse(&body, streamed) else { panic!() };
    assert_eq!((relation.id, relation.schema, relation.name), (0x4008, "public", "t"));
    let columns: Vec<(&str, bool, u32, i32)> =
        relation.columns.iter().map(|c| (c.name, c.is_key, c.type_oid, c.type_modifier)).collect();
    assert_eq!(
        columns,
        [
            ("id", true, 23, -1),
            ("n", false, 1700, -1),
            ("t", false, 1043, 14),
            ("m", false, 0x4001, -1),
            ("d", false, 0x4006, -1),
            ("a", false, 1007, -1),
            ("b", false, 17, -1),
            ("j", false, 3802, -1),
            ("ts", false, 1184, -1),
            ("big", false, 25, -1),
        ]
    );
    let (_, binary, body) = captured("postgres-18-update-1");
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let walked = walk_update(&body, 5, binary, &mut before, &mut after).unwrap();
    assert_eq!(walked, (OldImage::Key, body.len()));
    assert_eq!(texts(&body, &before)[..2], ["1", "NULL"]);
    assert_eq!(
        texts(&body, &after),
        ["2", "NaN", "ü", "happy", "1", "{1,NULL}", "\\x00ff", "{\"a\": 1}", "2024-02-01 00:00:00+00", "ABSENT"]
    );
}
