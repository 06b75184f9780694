//! Envelope to bytes through a chain of one transform, on one core, with the plain envelope beside it.
//!
//! Budgets: a row of an outbox table in 200 ns, with text and with bytes as payload; an unwrapped row in 60 ns more than
//! the plain envelope, as Avro and as JSON. The row is found in its cells as in a batch of the binlog, and nothing
//! is decoded before a converter asks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use criterion::{Criterion, criterion_group, criterion_main};
use headwater::model::record::{Record, Typed};
use headwater::model::row::{Cell, Codec, ColumnLayout, Row, TableLayout};
use headwater::model::schema::{Field, Kind, Schema};
use headwater::model::table::TableId;
use headwater::model::value::{Arena, StructView, Value, ValueError, ValueRef};
use headwater::serialize::{Plan, Role, avro, build};
use headwater::transform::Setup;

/// Rows between two resets of the arena, as in a batch.
const ROWS: usize = 1_000;

#[derive(Debug)]
struct Text;

impl Codec for Text {
    fn decode<'a>(&'a self, cell: &'a [u8], _: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(ValueRef::String(std::str::from_utf8(cell).map_err(|_| ValueError::Shape)?))
    }
}

#[derive(Debug)]
struct Blob;

impl Codec for Blob {
    fn decode<'a>(&'a self, cell: &'a [u8], _: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(ValueRef::Bytes(cell))
    }
}

#[derive(Debug)]
struct Long;

impl Codec for Long {
    fn decode<'a>(&'a self, cell: &'a [u8], _: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(ValueRef::Int64(i64::from_le_bytes(cell.try_into().map_err(|_| ValueError::Shape)?)))
    }
}

/// A table with its one row.
struct Table {
    layout: TableLayout,
    bytes: Vec<u8>,
    cells: Vec<Cell>,
}

/// Name, schema, codec and cell.
type Part<'a> = (&'a str, Schema, Arc<dyn Codec>, &'a [u8]);

fn table(columns: Vec<Part<'_>>) -> Table {
    let (mut bytes, mut cells, mut layouts) = (Vec::new(), Vec::new(), Vec::new());
    for (cell, (name, schema, codec, value)) in columns.into_iter().enumerate() {
        cells.push(Cell { offset: bytes.len() as u32, length: value.len() as u32 });
        bytes.extend_from_slice(value);
        layouts.push(ColumnLayout { name: name.into(), schema: Arc::new(schema), cell, codec });
    }
    let id = TableId { catalog: "shop".into(), schema: None, table: "outbox".into() };
    let layout = TableLayout {
        id,
        version: 1,
        cells: cells.len(),
        columns: layouts.into(),
        key: Box::default(),
        names: Default::default(),
    };
    Table { layout, bytes, cells }
}

fn outbox(binary: bool) -> Table {
    let text = || Schema::new(Kind::String);
    let payload: (Schema, Arc<dyn Codec>) = if binary {
        (Schema::new(Kind::Bytes).optional(), Arc::new(Blob))
    } else {
        (text().optional().named("io.debezium.data.Json").version(1), Arc::new(Text))
    };
    let body =
        br#"{"orderId":12345,"customerId":678,"status":"SHIPPED","items":[{"sku":"A-1","count":2}],"total":59.9}"#;
    table(vec![
        ("id", text(), Arc::new(Text), b"406c07f3-26f0-4eea-a50c-109940064b8f"),
        ("aggregatetype", text(), Arc::new(Text), b"Order"),
        ("aggregateid", text(), Arc::new(Text), b"10711fa5"),
        ("type", text(), Arc::new(Text), b"OrderShipped"),
        ("payload", payload.0, payload.1, body),
    ])
}

/// Twelve columns, as in the other benches.
fn orders() -> Table {
    let long = || Schema::new(Kind::Int64).optional();
    let text = || Schema::new(Kind::String).optional();
    let mut columns: Vec<Part<'_>> = vec![("id", Schema::new(Kind::Int64), Arc::new(Long), &[1, 2, 3, 4, 0, 0, 0, 0])];
    for name in ["customer_id", "product_id", "warehouse_id", "quantity", "status", "created_at", "updated_at"] {
        columns.push((name, long(), Arc::new(Long), &[9, 8, 7, 0, 0, 0, 0, 0]));
    }
    columns.push(("reference", text(), Arc::new(Text), b"ORD-2026-000000123456789"));
    columns.push(("note", text(), Arc::new(Text), b"Leave the parcel with the neighbours at number 17, second floor."));
    columns.push(("amount", Schema::new(Kind::Bytes).optional(), Arc::new(Blob), &[0x12, 0xd6, 0x87]));
    columns.push(("remark", text(), Arc::new(Text), b""));
    table(columns)
}

struct Source;

impl StructView for Source {
    fn field<'a>(&'a self, index: usize, _: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => ValueRef::String("3.6.1.Final"),
            1 => ValueRef::String("mysql"),
            2 => ValueRef::String("server"),
            3 => ValueRef::Int64(1_795_248_798_000),
            4 => ValueRef::String("false"),
            5 => ValueRef::String("shop"),
            6 => ValueRef::String("binlog.000042"),
            7 => ValueRef::Int64(987_654_321),
            _ => ValueRef::Null,
        })
    }
}

struct Envelope<'r> {
    after: &'r Row<'r>,
}

impl StructView for Envelope<'_> {
    fn field<'a>(&'a self, index: usize, _: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            1 => ValueRef::Struct(self.after),
            2 => ValueRef::Struct(&Source),
            4 => ValueRef::String("c"),
            5 => ValueRef::Int64(1_795_248_798_715),
            6 => ValueRef::Int64(1_795_248_798_715_565),
            7 => ValueRef::Int64(1_795_248_798_715_565_358),
            _ => ValueRef::Null,
        })
    }
}

fn envelope(table: &Table) -> Schema {
    let text = || Schema::new(Kind::String);
    let long = || Schema::new(Kind::Int64);
    let field = |column: &ColumnLayout| Field { name: column.name.clone(), schema: column.schema.clone() };
    let row = Schema::new(Kind::Struct(table.layout.columns.iter().map(field).collect()));
    let row = Arc::new(row.optional().named("server.shop.outbox.Value"));
    let source = Schema::new(Kind::Struct(vec![
        Field::new("version", text()),
        Field::new("connector", text()),
        Field::new("name", text()),
        Field::new("ts_ms", long()),
        Field::new("snapshot", text().optional().default_value(Value::text("false"))),
        Field::new("db", text()),
        Field::new("file", text()),
        Field::new("pos", long()),
    ]));
    let block = Schema::new(Kind::Struct(vec![Field::new("id", text())])).optional().named("event.block");
    Schema::new(Kind::Struct(vec![
        Field::new("before", row.clone()),
        Field::new("after", row),
        Field::new("source", source.named("io.debezium.connector.mysql.Source")),
        Field::new("transaction", block),
        Field::new("op", text()),
        Field::new("ts_ms", long().optional()),
        Field::new("ts_us", long().optional()),
        Field::new("ts_ns", long().optional()),
    ]))
    .named("server.shop.outbox.Envelope")
    .version(2)
}

type Prepare<'p> = &'p dyn Fn(Option<&Arc<Schema>>) -> Arc<dyn Plan>;

/// A plan and the schema that it is for, kept as an encode worker keeps it.
#[derive(Default)]
struct Planned(Option<(usize, Arc<dyn Plan>)>);

impl Planned {
    fn write(&mut self, part: &Typed<'_>, prepare: Prepare<'_>, arena: &Arena, out: &mut Vec<u8>) {
        if part.schema.is_none() && matches!(part.value, ValueRef::Null) {
            return;
        }
        let address = part.schema.map_or(0, |schema| Arc::as_ptr(schema) as usize);
        if self.0.as_ref().is_none_or(|(known, _)| *known != address) {
            self.0 = Some((address, prepare(part.schema)));
        }
        let (_, plan) = self.0.as_ref().unwrap();
        plan.write(&part.value, arena, out).unwrap();
    }
}

/// Rows through the chain into bytes: key, value and headers.
fn measure(
    criterion: &mut Criterion,
    name: &str,
    config: &[(&str, &str)],
    table: &Table,
    key: Prepare<'_>,
    value: Prepare<'_>,
) {
    let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut chain = Setup::of(&config).unwrap().chain().unwrap();
    let schema = Arc::new(envelope(table));
    let topic: Arc<str> = "server.shop.outbox".into();
    let header = converter("org.apache.kafka.connect.storage.SimpleHeaderConverter", Role::Header, &[]);
    let (mut keys, mut values, mut headers) = (Planned::default(), Planned::default(), Planned::default());
    let (mut arena, mut out) = (Arena::new(), Vec::with_capacity(1 << 20));
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|rows| {
            let start = std::time::Instant::now();
            let mut left = rows;
            while left > 0 {
                let batch = left.min(ROWS as u64);
                arena.reset();
                chain.rest();
                out.clear();
                for _ in 0..batch {
                    let row = Row { layout: &table.layout, bytes: &table.bytes, cells: &table.cells };
                    let view = Envelope { after: &row };
                    let record = Record {
                        topic: &topic,
                        partition: None,
                        key: Typed::NULL,
                        value: Typed { schema: Some(&schema), value: ValueRef::Struct(&view) },
                        headers: &[],
                        context_headers: true,
                        timestamp: None,
                    };
                    let record = chain.apply(black_box(record), &arena).unwrap().unwrap();
                    keys.write(&record.key, key, &arena, &mut out);
                    values.write(&record.value, value, &arena, &mut out);
                    for each in record.headers {
                        headers.write(&each.value, &header, &arena, &mut out);
                    }
                }
                black_box(&out);
                left -= batch;
            }
            start.elapsed()
        });
    });
}

fn converter(class: &str, role: Role, options: &[(&str, &str)]) -> impl Fn(Option<&Arc<Schema>>) -> Arc<dyn Plan> {
    let config: BTreeMap<String, String> = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let converter = build(&config, class, role, &Arc::new(AtomicBool::new(false))).unwrap();
    move |schema| converter.prepare("topic", schema).unwrap()
}

fn benches(criterion: &mut Criterion) {
    let string = converter("org.apache.kafka.connect.storage.StringConverter", Role::Value, &[]);
    let binary = converter("io.debezium.converters.BinaryDataConverter", Role::Value, &[]);
    let json = converter("org.apache.kafka.connect.json.JsonConverter", Role::Value, &[("schemas.enable", "false")]);
    let avro = |schema: Option<&Arc<Schema>>| avro::plan_with_id(schema.unwrap(), 7).unwrap();
    let router = [("transforms", "o"), ("transforms.o.type", "io.debezium.transforms.outbox.EventRouter")];
    measure(criterion, "outbox row with text", &router, &outbox(false), &string, &string);
    measure(criterion, "outbox row with bytes", &router, &outbox(true), &string, &binary);
    let expand: Vec<_> = router.into_iter().chain([("transforms.o.table.expand.json.payload", "true")]).collect();
    measure(criterion, "outbox row expanded to json", &expand, &outbox(false), &string, &json);
    let unwrap = [("transforms", "u"), ("transforms.u.type", "io.debezium.transforms.ExtractNewRecordState")];
    let added: Vec<_> = unwrap.into_iter().chain([("transforms.u.add.fields", "op,source.ts_ms")]).collect();
    let orders = orders();
    for (format, plan) in [("avro", &avro as Prepare<'_>), ("json", &json)] {
        measure(criterion, &format!("plain envelope to {format}"), &[], &orders, &string, plan);
        measure(criterion, &format!("unwrapped row to {format}"), &unwrap, &orders, &string, plan);
        measure(criterion, &format!("unwrapped row with fields to {format}"), &added, &orders, &string, plan);
    }
}

criterion_group!(transform, benches);
criterion_main!(transform);
