//! What an event and a row cost before anything is made of them, on one core.
//!
//! Budgets: `walk a row` 40 ns; `crc and framing` 30 ns a row at 60 rows an event.
//! The input is the row of the comparisons: 12 columns, about 120 bytes, 60 rows an event, CRC32.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headwater::source::binlog::event::{
    Cell, ChecksumAlgorithm, Event, Format, HEADER_LENGTH, ImagePlan, column_type, decode, verify_checksum,
};

const ROWS: usize = 60;
const COLUMNS: usize = 12;

/// bigint, four int, tinyint, decimal(12,2), varchar(24), varchar(64), datetime(6), timestamp, text.
const TYPES: [u8; COLUMNS] = [
    column_type::LONGLONG,
    column_type::LONG,
    column_type::LONG,
    column_type::LONG,
    column_type::LONG,
    column_type::TINY,
    column_type::NEWDECIMAL,
    column_type::VARCHAR,
    column_type::VARCHAR,
    column_type::DATETIME2,
    column_type::TIMESTAMP2,
    column_type::BLOB,
];

/// Precision and scale, two lengths of four bytes a character, digits of fractions, length bytes of the text.
const METADATA: [u8; 9] = [12, 2, 96, 0, 0, 1, 6, 0, 2];

fn row(number: usize, out: &mut Vec<u8>) {
    let has_text = number.is_multiple_of(4);
    out.extend_from_slice(&[0x00, if has_text { 0x00 } else { 0x08 }]);
    out.extend_from_slice(&(number as u64).to_le_bytes());
    for integer in 0..4 {
        out.extend_from_slice(&(number as u32 * 7 + integer).to_le_bytes());
    }
    out.push(number as u8);
    out.extend_from_slice(&[0x80, 0, 0, 0x0c, 0x22, 50]);
    out.push(24);
    out.extend_from_slice(&[b'a' + (number % 26) as u8; 24]);
    out.extend_from_slice(&[36, 0]);
    out.extend_from_slice(&[b'b' + (number % 25) as u8; 36]);
    out.extend_from_slice(&[0x99, 0xbb, 0x6a, 0x80, 0x01, 0x01, 0xe2, 0x40]);
    out.extend_from_slice(&[0x6b, 0x01, 0x4f, 0x81]);
    if has_text {
        out.extend_from_slice(&[20, 0]);
        out.extend_from_slice(&[b't'; 20]);
    }
}

/// A WRITE_ROWS event with its checksum.
fn event() -> Vec<u8> {
    let mut event = vec![0; HEADER_LENGTH];
    event[4] = 30;
    event.extend_from_slice(&[1, 0, 0, 0, 0, 0, 1, 0, 2, 0, COLUMNS as u8, 0xff, 0x0f]);
    for number in 0..ROWS {
        row(number, &mut event);
    }
    let size = event.len() as u32 + 4;
    event[9..13].copy_from_slice(&size.to_le_bytes());
    let checksum = crc32fast::hash(&event);
    event.extend_from_slice(&checksum.to_le_bytes());
    event
}

fn benches(criterion: &mut Criterion) {
    let event = event();
    let format = Format::initial(ChecksumAlgorithm::Crc32);
    let Ok(Event::Rows(rows)) = decode(&event, &format) else { return };
    let Some(body) = rows.plain_body() else { return };
    let Ok(plan) = ImagePlan::new(&TYPES, &METADATA, rows.after_columns) else { return };

    let mut group = criterion.benchmark_group("event");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("walk a row", |bencher| {
        let mut cells = [Cell::ABSENT; COLUMNS];
        bencher.iter(|| {
            let (mut at, mut walked) = (0, 0);
            while let Ok(end) = plan.walk(black_box(body), at, &mut cells) {
                black_box(&cells);
                (at, walked) = (end, walked + 1);
                if at == body.len() {
                    break;
                }
            }
            assert_eq!(walked, ROWS);
        });
    });
    group.bench_function("crc and framing", |bencher| {
        bencher.iter(|| {
            let event = black_box(event.as_slice());
            assert!(verify_checksum(event, format.checksum).is_ok());
            black_box(decode(event, &format)).is_ok()
        });
    });
    group.finish();
}

criterion_group!(stages, benches);
criterion_main!(stages);
