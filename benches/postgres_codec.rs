//! What a row of PostgreSQL costs before anything is made of it, and what its values cost, on one core.
//!
//! Budget: `decode a row` 60 ns, without an allocation: from the message to its cells, which stay in their bytes. The row has 12
//! columns: bigint, integer, smallint, boolean, uuid, text, varchar(24), numeric(12,2), double precision, date, timestamp,
//! timestamptz.
//! Beside it `read a row`: all of its cells, which are text, as values; then each of them alone.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use headwater::model::table::{Column, TableId};
use headwater::model::value::Arena;
use headwater::source::postgres::codec::{CodecOptions, ColumnCodec, PgColumn, PgType, Types, column_codec, describe};
use headwater::source::postgres::pgoutput::{Binary, Message, walk_insert};

/// Name, OID, modifier and a cell.
const COLUMNS: [(&str, u32, i32, &[u8]); 12] = [
    ("int8", 20, -1, b"1234567"),
    ("int4", 23, -1, b"42"),
    ("int2", 21, -1, b"7"),
    ("bool", 16, -1, b"t"),
    ("uuid", 2950, -1, b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("text", 25, -1, b"a text of some forty letters, more or less"),
    ("varchar", 1043, 28, b"a name of some letters"),
    ("numeric", 1700, (12 << 16 | 2) + 4, b"12345.67"),
    ("float8", 701, -1, b"1234.5"),
    ("date", 1082, -1, b"2024-02-29"),
    ("timestamp", 1114, -1, b"2024-02-29 13:14:15.123456"),
    ("timestamptz", 1184, -1, b"2024-02-29 13:14:15.123456+00"),
];

fn codecs() -> Vec<(ColumnCodec, &'static [u8])> {
    let types = Types::new(COLUMNS.iter().map(|(name, oid, _, _)| PgType::base(*oid, name)));
    let table = TableId { catalog: "d".into(), schema: Some("s".into()), table: "t".into() };
    let options = CodecOptions::default();
    let mut made = Vec::new();
    for (name, type_oid, type_modifier, cell) in COLUMNS {
        let pg = PgColumn { type_oid, type_modifier };
        let column = Column { name: name.into(), optional: true, ..describe(&types, pg) };
        if let Ok(Some(codec)) = column_codec(&table, &column, pg, &types, &options) {
            made.push((codec, cell));
        }
    }
    assert_eq!(made.len(), COLUMNS.len());
    made
}

/// An Insert message of pgoutput (the manual's "Logical Replication Message Formats").
fn message() -> Vec<u8> {
    let mut message = vec![b'I'];
    message.extend_from_slice(&16_384_u32.to_be_bytes());
    message.push(b'N');
    message.extend_from_slice(&(COLUMNS.len() as u16).to_be_bytes());
    for (_, _, _, cell) in COLUMNS {
        message.push(b't');
        message.extend_from_slice(&(cell.len() as u32).to_be_bytes());
        message.extend_from_slice(cell);
    }
    message
}

fn decode(criterion: &mut Criterion) {
    let message = message();
    let mut cells = Vec::new();
    criterion.bench_function("postgres codec/decode a row", |bencher| {
        bencher.iter(|| {
            let Ok(Message::Insert(insert)) = Message::parse(black_box(&message), false) else { return false };
            let at = insert.images_at as usize;
            let end = walk_insert(black_box(&message), at, Binary::Refused, &mut cells);
            end == Ok(message.len()) && black_box(&cells).len() == COLUMNS.len()
        });
    });
    assert!(cells.iter().zip(COLUMNS).all(|(cell, (.., text))| cell.bytes(&message) == Some(text)));
}

fn read(criterion: &mut Criterion) {
    let codecs = codecs();
    let mut group = criterion.benchmark_group("postgres codec");
    let mut arena = Arena::new();
    group.bench_function("read a row", |bencher| {
        bencher.iter(|| {
            for (codec, cell) in &codecs {
                black_box(codec.codec.decode(black_box(cell), &arena).is_ok());
            }
            arena.reset();
        });
    });
    for ((codec, cell), (name, ..)) in codecs.iter().zip(COLUMNS) {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                black_box(codec.codec.decode(black_box(cell), &arena).is_ok());
                arena.reset();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode, read);
criterion_main!(benches);
