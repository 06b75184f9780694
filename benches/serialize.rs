//! Row to bytes, on one core: the budgets are 150 ns for Avro and 600 ns for JSON.
//!
//! The row has 12 columns (key, four ints, tinyint, decimal(12,2), two varchars of 24 and 64 characters, datetime(6),
//! timestamp, null text) and stands in Debezium's envelope with MySQL's source block. Its fields are ready to be
//! taken, so that what is measured is writing, and not decoding. An event has 60 rows, which share their source block.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use criterion::{Criterion, criterion_group, criterion_main};
use headwater::model::schema::{Field, Kind, Schema};
use headwater::model::value::{Arena, Repeated, StructView, Value, ValueError, ValueRef, Written};
use headwater::serialize::{Plan, Role, avro, build};

const ROWS_AN_EVENT: u32 = 60;

/// Makes a view that answers by index, each field from a place of its own, as rows and envelopes do.
macro_rules! view {
    ($name:ident { $($index:literal => $field:ident: $kind:ident($type:ty) = $value:expr,)* }) => {
        struct $name {
            $($field: $type,)*
        }

        impl $name {
            fn new() -> Self {
                $name { $($field: $value,)* }
            }
        }

        impl StructView for $name {
            fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
                Ok(match index {
                    $($index => ValueRef::$kind(self.$field),)*
                    _ => ValueRef::Null,
                })
            }
        }
    };
}

view!(After {
    0 => id: Int64(i64) = 123_456_789,
    1 => customer_id: Int32(i32) = 48_211,
    2 => product_id: Int32(i32) = 977,
    3 => warehouse_id: Int32(i32) = 12,
    4 => quantity: Int32(i32) = 3,
    5 => status: Int16(i16) = 1,
    6 => amount: Bytes(&'static [u8]) = &[0x12, 0xd6, 0x87],
    7 => reference: String(&'static str) = "ORD-2026-000000123456789",
    8 => note: String(&'static str) = "Leave the parcel with the neighbours at number 17, second floor.",
    9 => created_at: Int64(i64) = 1_795_248_798_123_456,
    10 => updated_at: String(&'static str) = "2026-11-21T08:13:18Z",
});

view!(Source {
    0 => version: String(&'static str) = "3.6.1.Final",
    1 => connector: String(&'static str) = "mysql",
    2 => name: String(&'static str) = "server",
    3 => ts_ms: Int64(i64) = 1_795_248_798_000,
    4 => snapshot: String(&'static str) = "false",
    5 => db: String(&'static str) = "shop",
    7 => ts_us: Int64(i64) = 1_795_248_798_123_456,
    8 => ts_ns: Int64(i64) = 1_795_248_798_123_456_000,
    9 => table: String(&'static str) = "orders",
    10 => server_id: Int64(i64) = 1,
    11 => gtid: String(&'static str) = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1234567",
    12 => file: String(&'static str) = "binlog.000042",
    13 => pos: Int64(i64) = 987_654_321,
    14 => row: Int32(i32) = 0,
    15 => thread: Int64(i64) = 77,
});

/// The source block of the rows of one event: all but `row` is the same in each.
struct EventSource {
    fields: Source,
    written: Written,
}

impl StructView for EventSource {
    fn field<'a>(&'a self, index: usize, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        self.fields.field(index, arena)
    }

    fn repeated(&self) -> Option<Repeated<'_>> {
        Some(Repeated { written: &self.written, kind: 0, varying: 1 << 14 })
    }
}

struct Envelope<'r> {
    after: &'r After,
    source: &'r EventSource,
    ts_ms: i64,
    ts_us: i64,
    ts_ns: i64,
}

impl StructView for Envelope<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            1 => ValueRef::Struct(self.after),
            2 => ValueRef::Struct(self.source),
            4 => ValueRef::String("c"),
            5 => ValueRef::Int64(self.ts_ms),
            6 => ValueRef::Int64(self.ts_us),
            7 => ValueRef::Int64(self.ts_ns),
            _ => ValueRef::Null,
        })
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

fn measure(criterion: &mut Criterion, name: &str, plan: &dyn Plan) {
    let (after, arena) = (After::new(), Arena::new());
    let mut source = EventSource { fields: Source::new(), written: Written::default() };
    let mut rows = 0;
    let mut out = Vec::with_capacity(1 << 20);
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            if out.len() > 1 << 19 {
                out.clear();
            }
            rows += 1;
            if rows % ROWS_AN_EVENT == 0 {
                source.written.forget();
            }
            let record = Envelope {
                after: &after,
                source: &source,
                ts_ms: 1_795_248_798_715,
                ts_us: 1_795_248_798_715_565,
                ts_ns: 1_795_248_798_715_565_358,
            };
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
