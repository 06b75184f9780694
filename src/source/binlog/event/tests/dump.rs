//! An event as a line of text, so that what a capture decodes to can be read and compared.

use std::collections::HashMap;
use std::fmt::Write;

use super::super::*;

/// A table map's bytes by table number.
#[derive(Default)]
pub struct Tables(HashMap<u64, Vec<u8>>);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().to_string()
}

pub fn dump(bytes: &[u8], format: &Format, tables: &mut Tables) -> String {
    let header = EventHeader::of(bytes).unwrap();
    let mut scratch = Vec::new();
    match decode(bytes, format).unwrap() {
        Event::FormatDescription(format) => format!("format {} {:?}\n", format.server_version, format.checksum),
        Event::Rotate(rotate) => format!("rotate {} {}\n", rotate.file, rotate.position),
        Event::Gtid(gtid) => dump_gtid("gtid", &gtid),
        Event::AnonymousGtid(gtid) => dump_gtid("anonymous", &gtid),
        Event::PreviousGtids(previous) => format!("previous {}\n", previous.set().unwrap()),
        Event::MariadbGtid(event) => format!(
            "gtid {} flags {:02x} commit {:?} xid {:?} extra {:02x} alter {:?}\n",
            event.gtid,
            event.flags,
            event.commit_id,
            event.xid.map(|xid| (xid.format_id, text(xid.gtrid), text(xid.bqual))),
            event.flags_extra,
            event.start_alter_sequence
        ),
        Event::MariadbGtidList(list) => {
            format!("list {}\n", list.iter().map(|gtid| gtid.to_string()).collect::<Vec<_>>().join(","))
        }
        Event::Query(query) => dump_query(&query),
        Event::RowsQuery(statement) => format!("statement {}\n", text(statement)),
        Event::TableMap(map) => {
            tables.0.insert(map.table_id, bytes.to_vec());
            dump_table(&map)
        }
        Event::Rows(rows) => {
            let map = tables.0.get(&rows.table_id).expect("a table map").clone();
            let Event::TableMap(map) = decode(&map, format).unwrap() else { panic!("not a table map") };
            dump_rows(&rows, rows.body(&mut scratch).unwrap(), &map)
        }
        Event::Xid(xid) => format!("xid {}\n", if xid > 0 { "of the engine" } else { "0" }),
        Event::XaPrepare(prepare) => format!(
            "prepare one phase {} {} {} {}\n",
            prepare.one_phase,
            prepare.xid.format_id,
            text(prepare.xid.gtrid),
            text(prepare.xid.bqual)
        ),
        Event::TransactionPayload(payload) => {
            format!("payload {:?} of {} bytes\n", payload.compression, payload.uncompressed_size)
        }
        Event::UserVar(variable) => format!("variable {} {:02x?}\n", text(variable.name), variable.value),
        Event::Rand(_) => "rand\n".to_string(),
        other => format!("{other:?} flags {:04x}\n", header.flags),
    }
}

fn dump_gtid(name: &str, gtid: &Gtid<'_>) -> String {
    let times = gtid.immediate_commit_timestamp_us.zip(gtid.original_commit_timestamp_us);
    let (immediate, original) = times.expect("a commit time");
    assert!(immediate > 1_700_000_000_000_000 && immediate == original, "{immediate} {original}");
    assert!(gtid.transaction_length > 0);
    format!(
        "{name} tag {:?} gno {} flags {} clock {} {} version {} {}\n",
        gtid.tag,
        gtid.gno,
        gtid.flags,
        gtid.last_committed,
        gtid.sequence_number,
        gtid.immediate_server_version,
        gtid.original_server_version
    )
}

fn dump_query(query: &Query<'_>) -> String {
    let mut scratch = Vec::new();
    let statement = text(query.statement(&mut scratch).unwrap());
    let session = query.session().unwrap();
    format!(
        "query {:?} {statement}\n  sql_mode {:x?} client {:?} connection {:?} server {:?} database {:?} zone {:?} unknown {:?}\n",
        text(query.schema),
        session.sql_mode,
        session.client_collation,
        session.connection_collation,
        session.server_collation,
        session.database_collation,
        session.time_zone.map(text),
        session.unknown_code
    )
}

fn dump_table(map: &TableMap<'_>) -> String {
    let mut out = format!("table {}.{} flags {:x}\n", text(map.schema), text(map.table), map.flags);
    for (index, column) in map.metadata().unwrap().columns().unwrap().iter().enumerate() {
        let values: Vec<_> = column.values.iter().flat_map(|values| values.iter()).map(text).collect();
        writeln!(
            out,
            "  {:?} type {} {} {} null {} unsigned {:?} collation {:?} values {values:?} geometry {:?} vector {:?} visible {:?} key {:?} {}",
            column.name.map(text),
            column.column_type.wire,
            column.column_type.real,
            column.column_type.metadata,
            reader::bit(map.nullable, index),
            column.unsigned,
            column.collation,
            column.geometry_type,
            column.vector_dimensions,
            column.visible,
            column.key_position,
            column.key_prefix
        )
        .unwrap();
    }
    out
}

fn dump_rows(rows: &Rows<'_>, body: &[u8], map: &TableMap<'_>) -> String {
    let mut out = format!("{:?} end {} extra {:02x?}\n", rows.kind, rows.is_statement_end(), rows.extra);
    let plan = |present| ImagePlan::new(map.column_types, map.column_metadata, present).unwrap();
    let (before, after) = (plan(rows.before_columns), plan(rows.after_columns));
    let mut cells = vec![Cell::ABSENT; rows.columns];
    let mut at = 0;
    while at < body.len() {
        let mut before_cells = Vec::new();
        if rows.kind != RowsKind::Write {
            at = before.walk(body, at, &mut cells).unwrap();
            before_cells = cells.clone();
            dump_cells("-", body, &cells, map, None, &mut out);
        }
        match rows.kind {
            RowsKind::Write | RowsKind::Update => {
                at = after.walk(body, at, &mut cells).unwrap();
                dump_cells("+", body, &cells, map, None, &mut out);
            }
            RowsKind::PartialUpdate => {
                let (end, partial) = after.walk_partial(body, at, &mut cells).unwrap();
                at = end;
                let partial = |index| after.is_partial(partial, index).then(|| before_cells[index]);
                dump_cells("+", body, &cells, map, Some(&partial), &mut out);
            }
            RowsKind::Delete => {}
        }
    }
    assert_eq!(at, body.len());
    out
}

type BeforeOf<'a> = &'a dyn Fn(usize) -> Option<Cell>;

fn dump_cells(
    sign: &str,
    body: &[u8],
    cells: &[Cell],
    map: &TableMap<'_>,
    partial: Option<BeforeOf<'_>>,
    out: &mut String,
) {
    write!(out, "  {sign}").unwrap();
    let types = column_type::ColumnTypes::new(map.column_types, map.column_metadata);
    for (index, (cell, column)) in cells.iter().zip(types).enumerate() {
        let real = column.unwrap().real;
        if cell.is_absent() {
            write!(out, " ·").unwrap();
            continue;
        }
        let Some(value) = cell.bytes(body) else {
            write!(out, " null").unwrap();
            continue;
        };
        let mut json = Vec::new();
        match (real, partial.and_then(|before| before(index))) {
            (_, Some(before)) => {
                json::write_updated(before.bytes(body).unwrap(), value, &mut json).unwrap();
                write!(out, " partial {}", shortened(&text(&json))).unwrap();
            }
            (column_type::JSON, None) => {
                json::write_text(value, &mut json).unwrap_or_else(|error| panic!("{error} {value:02x?}"));
                write!(out, " {}", shortened(&String::from_utf8(json).unwrap())).unwrap();
            }
            (column_type::BLOB_COMPRESSED | column_type::VARCHAR_COMPRESSED, None) => {
                write!(out, " {}", shortened(&text(&decompress_column(value).unwrap()))).unwrap();
            }
            (column_type::VARCHAR | column_type::BLOB, None) if !value.contains(&0) => {
                write!(out, " {:?}", shortened(&text(value))).unwrap();
            }
            (_, None) => {
                let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
                write!(out, " {hex}").unwrap();
            }
        }
    }
    out.push('\n');
}

/// A run of one character is written as the character and its number.
fn shortened(text: &str) -> String {
    let mut out = String::new();
    let characters: Vec<char> = text.chars().collect();
    for run in characters.chunk_by(|a, b| a == b) {
        if run.len() > 20 {
            write!(out, "<{}×{}>", run[0], run.len()).unwrap();
        } else {
            out.extend(run);
        }
    }
    out
}
