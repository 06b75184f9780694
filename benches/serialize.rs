//! Row to bytes, on one core: the budgets are 150 ns for Avro and 600 ns for JSON.
//!
//! The row has 12 columns (key, four ints, tinyint, decimal(12,2), two varchars of 24 and 64 characters, datetime(6),
//! timestamp, null text) and stands in Debezium's envelope with MySQL's source block. Its fields are ready to be
//! taken, so that what is measured is writing, and not decoding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use criterion::{Criterion, criterion_group, criterion_main};
use headwater::model::schema::{Field, Kind, Schema};
use headwater::model::value::{Arena, StructView, Value, ValueError, ValueRef};
use headwater::serialize::{Plan, Role, avro, build};

/// Fields that answer as a row does: by index, borrowed.
struct Row<'r> {
    cells: Vec<ValueRef<'r>>,
}

impl StructView for Row<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(self.cells.get(index).copied().unwrap_or(ValueRef::Null))
    }
}

fn columns() -> Schema {
    let optional = |kind| Schema::new(kind).optional();
    let decimal = optional(Kind::Bytes)
        .named("org.apache.kafka.connect.data.Decimal")
        .version(1)
        .parameter("scale", "2")
        .parameter("connect.decimal.precision", "12");
    Schema::new(Kind::Struct(vec![
        Field::new("id", Schema::new(Kind::Int64)),
        Field::new("customer_id", optional(Kind::Int32)),
        Field::new("product_id", optional(Kind::Int32)),
        Field::new("warehouse_id", optional(Kind::Int32)),
        Field::new("quantity", optional(Kind::Int32)),
        Field::new("status", optional(Kind::Int16)),
        Field::new("amount", decimal),
        Field::new("reference", optional(Kind::String)),
        Field::new("note", optional(Kind::String)),
        Field::new("created_at", optional(Kind::Int64).named("io.debezium.time.MicroTimestamp").version(1)),
        Field::new("updated_at", optional(Kind::String).named("io.debezium.time.ZonedTimestamp").version(1)),
        Field::new("remark", optional(Kind::String)),
    ]))
    .optional()
    .named("server.shop.orders.Value")
}

fn source() -> Schema {
    let snapshot = Schema::new(Kind::String)
        .optional()
        .named("io.debezium.data.Enum")
        .version(1)
        .parameter("allowed", "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental")
        .default_value(Value::text("false"));
    let optional = |kind| Schema::new(kind).optional();
    Schema::new(Kind::Struct(vec![
        Field::new("version", Schema::new(Kind::String)),
        Field::new("connector", Schema::new(Kind::String)),
        Field::new("name", Schema::new(Kind::String)),
        Field::new("ts_ms", Schema::new(Kind::Int64)),
        Field::new("snapshot", snapshot),
        Field::new("db", Schema::new(Kind::String)),
        Field::new("sequence", optional(Kind::String)),
        Field::new("ts_us", optional(Kind::Int64)),
        Field::new("ts_ns", optional(Kind::Int64)),
        Field::new("table", optional(Kind::String)),
        Field::new("server_id", Schema::new(Kind::Int64)),
        Field::new("gtid", optional(Kind::String)),
        Field::new("file", Schema::new(Kind::String)),
        Field::new("pos", Schema::new(Kind::Int64)),
        Field::new("row", Schema::new(Kind::Int32)),
        Field::new("thread", optional(Kind::Int64)),
        Field::new("query", optional(Kind::String)),
    ]))
    .named("io.debezium.connector.mysql.Source")
    .version(1)
}

fn envelope() -> Schema {
    let optional = |kind| Schema::new(kind).optional();
    let block = vec![
        Field::new("id", Schema::new(Kind::String)),
        Field::new("total_order", Schema::new(Kind::Int64)),
        Field::new("data_collection_order", Schema::new(Kind::Int64)),
    ];
    let row = Arc::new(columns());
    Schema::new(Kind::Struct(vec![
        Field::new("before", row.clone()),
        Field::new("after", row),
        Field::new("source", source()),
        Field::new("transaction", optional(Kind::Struct(block)).named("event.block").version(1)),
        Field::new("op", Schema::new(Kind::String)),
        Field::new("ts_ms", optional(Kind::Int64)),
        Field::new("ts_us", optional(Kind::Int64)),
        Field::new("ts_ns", optional(Kind::Int64)),
    ]))
    .named("server.shop.orders.Envelope")
    .version(2)
}

fn after() -> Row<'static> {
    Row {
        cells: vec![
            ValueRef::Int64(123_456_789),
            ValueRef::Int32(48_211),
            ValueRef::Int32(977),
            ValueRef::Int32(12),
            ValueRef::Int32(3),
            ValueRef::Int16(1),
            ValueRef::Bytes(&[0x12, 0xd6, 0x87]),
            ValueRef::String("ORD-2026-000000123456789"),
            ValueRef::String("Leave the parcel with the neighbours at number 17, second floor."),
            ValueRef::Int64(1_795_248_798_123_456),
            ValueRef::String("2026-11-21T08:13:18Z"),
            ValueRef::Null,
        ],
    }
}

fn source_cells() -> Row<'static> {
    Row {
        cells: vec![
            ValueRef::String("3.6.1.Final"),
            ValueRef::String("mysql"),
            ValueRef::String("server"),
            ValueRef::Int64(1_795_248_798_000),
            ValueRef::String("false"),
            ValueRef::String("shop"),
            ValueRef::Null,
            ValueRef::Int64(1_795_248_798_123_456),
            ValueRef::Int64(1_795_248_798_123_456_000),
            ValueRef::String("orders"),
            ValueRef::Int64(1),
            ValueRef::String("3e11fa47-71ca-11e1-9e33-c80aa9429562:1234567"),
            ValueRef::String("binlog.000042"),
            ValueRef::Int64(987_654_321),
            ValueRef::Int32(0),
            ValueRef::Int64(77),
            ValueRef::Null,
        ],
    }
}

fn measure(criterion: &mut Criterion, name: &str, plan: &dyn Plan) {
    let (row, source, arena) = (after(), source_cells(), Arena::new());
    let record = Row {
        cells: vec![
            ValueRef::Null,
            ValueRef::Struct(&row),
            ValueRef::Struct(&source),
            ValueRef::Null,
            ValueRef::String("c"),
            ValueRef::Int64(1_795_248_798_715),
            ValueRef::Int64(1_795_248_798_715_565),
            ValueRef::Int64(1_795_248_798_715_565_358),
        ],
    };
    let mut out = Vec::with_capacity(1 << 20);
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            if out.len() > 1 << 19 {
                out.clear();
            }
            plan.write(black_box(&ValueRef::Struct(&record)), &arena, &mut out).unwrap()
        });
    });
}

fn benches(criterion: &mut Criterion) {
    let schema = Arc::new(envelope());
    measure(criterion, "row to avro envelope", &*avro::plan_with_id(&schema, 7).unwrap());
    let config = BTreeMap::from([("schemas.enable".to_owned(), "false".to_owned())]);
    let json = build(&config, "JsonConverter", Role::Value, &Arc::new(AtomicBool::new(false))).unwrap();
    measure(criterion, "row to json envelope", &*json.prepare("topic", Some(&schema)).unwrap());
}

criterion_group!(serialize, benches);
criterion_main!(serialize);
