//! Promises: for random schemas and values, the Avro that is written is read back by another implementation as the same
//! value, the schema text is valid JSON and Avro, and the JSON that is written is JSON with the same content.
//!
//! Set `HEADWATER_TEST_SEED` to replay a seed that a failure printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use apache_avro::types::Value as Avro;
use headwater::model::schema::{Field, Kind, Schema};
use headwater::model::value::{Arena, Value};
use headwater::serialize::{Role, avro, build};

const CASES: u64 = 2_000;

#[test]
fn what_is_written_is_read_back_as_the_same() {
    let given = std::env::var("HEADWATER_TEST_SEED").ok().map(|seed| seed.parse::<u64>().expect("a seed is a number"));
    let first = given.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let count = if given.is_some() { 1 } else { CASES };
    for seed in first..first + count {
        let outcome = std::panic::catch_unwind(|| check(seed));
        assert!(outcome.is_ok(), "HEADWATER_TEST_SEED={seed}");
    }
}

fn check(seed: u64) {
    let mut random = Random { source: fastrand::Rng::with_seed(seed), names: 0 };
    let schema = Arc::new(random.structure(3));
    let value = random.value(&schema);
    let arena = Arena::new();

    let text = avro::schema_text(&schema).unwrap();
    let parsed = apache_avro::Schema::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut bytes = Vec::new();
    assert!(avro::plan_with_id(&schema, 258).unwrap().write(&value.borrow(&arena), &arena, &mut bytes).unwrap());
    assert_eq!(bytes[..5], [0, 0, 0, 1, 2]);
    let mut body = &bytes[5..];
    let reader = apache_avro::reader::datum::GenericDatumReader::builder(&parsed).build().unwrap();
    let read = reader.read_value(&mut body).unwrap();
    assert!(body.is_empty(), "bytes are left over");
    same(&schema, &value, &read, false);

    let config = BTreeMap::from([("schemas.enable".to_owned(), "true".to_owned())]);
    let converter = build(&config, "JsonConverter", Role::Value, &Arc::new(AtomicBool::new(false))).unwrap();
    let mut json = Vec::new();
    assert!(converter.prepare("t", Some(&schema)).unwrap().write(&value.borrow(&arena), &arena, &mut json).unwrap());
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["schema"]["fields"].as_array().unwrap().len(), schema.fields().len());
    assert_eq!(json["payload"].as_object().unwrap().len(), schema.fields().len());
}

/// Compares what was written with what was read; in a struct, null in a field with a default became the default.
fn same(schema: &Schema, written: &Value, read: &Avro, in_struct: bool) {
    let read = if let Avro::Union(_, inner) = read { inner } else { read };
    let default = schema.default.as_ref().filter(|_| in_struct && *written == Value::Null);
    match (default.unwrap_or(written), read) {
        (Value::Null, Avro::Null) => {}
        (Value::Boolean(a), Avro::Boolean(b)) => assert_eq!(a, b),
        (Value::Int8(a), Avro::Int(b)) => assert_eq!(i32::from(*a), *b),
        (Value::Int16(a), Avro::Int(b)) => assert_eq!(i32::from(*a), *b),
        (Value::Int32(a), Avro::Int(b) | Avro::Date(b)) => assert_eq!(a, b),
        (Value::Int64(a), Avro::Long(b) | Avro::TimestampMillis(b)) => assert_eq!(a, b),
        (Value::Float32(a), Avro::Float(b)) => assert_eq!(a.to_bits(), b.to_bits()),
        (Value::Float64(a), Avro::Double(b)) => assert_eq!(a.to_bits(), b.to_bits()),
        (Value::String(a), Avro::String(b)) => assert_eq!(**a, **b),
        (Value::Bytes(a), Avro::Bytes(b)) => assert_eq!(**a, **b),
        (Value::Array(a), Avro::Array(b)) => {
            let Kind::Array(items) = &schema.kind else { panic!("not an array") };
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| same(items, a, b, false));
        }
        (Value::Map(a), Avro::Map(b)) => {
            let Kind::Map(_, values) = &schema.kind else { panic!("not a map") };
            assert_eq!(a.len(), b.len());
            for (key, item) in a {
                let Value::String(key) = key else { panic!("not text") };
                same(values, item, &b[&**key], false);
            }
        }
        (Value::Map(a), Avro::Array(b)) => {
            let Kind::Map(keys, values) = &schema.kind else { panic!("not a map") };
            assert_eq!(a.len(), b.len());
            for ((key, item), pair) in a.iter().zip(b) {
                let Avro::Record(pair) = pair else { panic!("not a pair") };
                same(keys, key, &pair[0].1, false);
                same(values, item, &pair[1].1, false);
            }
        }
        (Value::Struct(a), Avro::Record(b)) => {
            for ((field, a), (name, b)) in schema.fields().iter().zip(a).zip(b) {
                assert_eq!(&*field.name, name);
                same(&field.schema, a, b, true);
            }
        }
        (a, b) => panic!("{a:?} was read as {b:?}"),
    }
}

struct Random {
    source: fastrand::Rng,
    names: u32,
}

impl Random {
    fn name(&mut self) -> String {
        self.names += 1;
        format!("n{}", self.names)
    }

    fn structure(&mut self, depth: u32) -> Schema {
        let count = self.source.usize(0..8);
        let fields = (0..count).map(|_| Field::new(&self.name(), self.schema(depth))).collect();
        let name = format!("space{}.{}", self.source.u8(0..3), self.name());
        Schema::new(Kind::Struct(fields)).named(&name)
    }

    fn schema(&mut self, depth: u32) -> Schema {
        let kinds = if depth == 0 { 10 } else { 14 };
        let mut schema = match self.source.u8(0..kinds) {
            0 => Schema::new(Kind::Boolean),
            1 => Schema::new(Kind::Int8),
            2 => Schema::new(Kind::Int16),
            3 => Schema::new(Kind::Int32),
            4 => Schema::new(Kind::Int64),
            5 => Schema::new(Kind::Float32),
            6 => Schema::new(Kind::Float64),
            7 => Schema::new(Kind::String),
            8 => Schema::new(Kind::Bytes),
            9 => Schema::new(Kind::Int32).named("org.apache.kafka.connect.data.Date").version(1),
            10 => Schema::new(Kind::Array(Arc::new(self.schema(depth - 1)))),
            11 => Schema::new(Kind::Map(Arc::new(Schema::new(Kind::String)), Arc::new(self.schema(depth - 1)))),
            12 => Schema::new(Kind::Map(Arc::new(Schema::new(Kind::Int32)), Arc::new(self.schema(depth - 1))))
                .named(&format!("pairs.{}", self.name())),
            _ => self.structure(depth - 1),
        };
        schema.optional = self.source.bool();
        let plain = !matches!(schema.kind, Kind::Array(_) | Kind::Map(_, _) | Kind::Struct(_) | Kind::Float32);
        if plain && self.source.u8(0..3) == 0 {
            schema.optional = false;
            let default = self.value(&schema);
            let finite = !matches!(default, Value::Float64(v) if !v.is_finite());
            schema.default = finite.then_some(default);
            schema.optional = self.source.bool();
        }
        schema
    }

    fn value(&mut self, schema: &Schema) -> Value {
        if schema.optional && self.source.u8(0..3) == 0 {
            return Value::Null;
        }
        match &schema.kind {
            Kind::Boolean => Value::Boolean(self.source.bool()),
            Kind::Int8 => Value::Int8(self.source.i8(..)),
            Kind::Int16 => Value::Int16(self.source.i16(..)),
            Kind::Int32 => Value::Int32(self.source.i32(..) >> self.source.u8(0..32)),
            Kind::Int64 => Value::Int64(self.source.i64(..) >> self.source.u8(0..64)),
            Kind::Float32 => Value::Float32(f32::from_bits(self.source.u32(..))),
            Kind::Float64 => Value::Float64(f64::from_bits(self.source.u64(..))),
            Kind::String => {
                Value::text(&(0..self.source.usize(0..40)).map(|_| self.source.char(..)).collect::<String>())
            }
            Kind::Bytes => Value::Bytes((0..self.source.usize(0..40)).map(|_| self.source.u8(..)).collect()),
            Kind::Array(items) => Value::Array((0..self.source.usize(0..4)).map(|_| self.value(items)).collect()),
            Kind::Map(keys, values) => {
                let count = self.source.usize(0..4);
                let key = |number: usize| {
                    if keys.kind == Kind::String {
                        Value::text(&format!("k{number}"))
                    } else {
                        Value::Int32(number as i32)
                    }
                };
                Value::Map((0..count).map(|number| (key(number), self.value(values))).collect())
            }
            Kind::Struct(fields) => Value::Struct(fields.iter().map(|field| self.value(&field.schema)).collect()),
        }
    }
}
