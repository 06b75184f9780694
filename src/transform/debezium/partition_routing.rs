//! `io.debezium.transforms.partitions.PartitionRouting`: the partition by the values of fields instead of the key.
//!
//! In: envelopes. Out: the same with the partition that the sum of the fields' hashes gives. Promised: Debezium's
//! partitions, bit for bit, with `hashCode` of the Java types that Debezium has for the values and with its murmur.
//! Fields that are not there or null do not count; where none counts the record passes, as do truncates, messages and
//! what is no envelope. A struct on the way to a field that is null is an error, as in Debezium. Nothing here survives
//! a crash.
//!
//! The hash of structs (geometries, decimals of variable scale) and of bits changes with each start of Java; here it is that of
//! their contents.

use super::structs::{Column, is_envelope, unusable};
use crate::model::record::Record;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec, required};
use crate::util::class_options::{BadOption, ClassOption, Options};
use crate::util::java_hash::{hash_code, murmur3};
use crate::util::java_text::Logical;

/// The transform that chooses partitions.
pub static SPEC: TransformSpec = TransformSpec {
    name: "PartitionRouting",
    aliases: &["io.debezium.transforms.partitions.PartitionRouting"],
    about: "Chooses the partition by fields of the envelope",
    targets: &[Target::Record],
    options: &[&[
        ClassOption::new(
            "partition.payload.fields",
            "",
            "paths of fields, such as change.region: of after, or of before where a row is deleted; required",
        ),
        ClassOption::new("partition.topic.num", "", "how many partitions the topic has; required"),
        ClassOption::new("partition.hash.function", "java", "java or murmur; what is neither means java"),
    ]],
    build,
};

struct PartitionRouting {
    paths: Vec<Vec<String>>,
    partitions: i32,
    murmur: bool,
    /// `None` for schemas that are no envelope's.
    plans: SchemaMemo<Option<Plan>>,
}

/// Where the fields of an envelope are.
struct Plan {
    operation: Option<Column>,
    /// Of rows that are there, and of those that were deleted.
    present: Vec<Path>,
    deleted: Vec<Path>,
}

/// The structs on the way, and the field; `None` where one of them is not there.
struct Path {
    structs: Vec<Column>,
    leaf: Option<Column>,
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let path = |path: &str| path.trim_end_matches('.').split('.').map(|part| part.trim().to_owned()).collect();
    let paths: Vec<Vec<String>> = options.list("partition.payload.fields").into_iter().map(path).collect();
    if paths.is_empty() {
        return Err(TransformError::unset("partition.payload.fields"));
    }
    let count = required(options, "partition.topic.num")?;
    let partitions = count.parse::<i32>().ok().filter(|count| *count > 0).ok_or_else(|| BadOption {
        option: "partition.topic.num",
        value: count.to_owned(),
        expected: "a whole number from 1 to 2147483647",
    })?;
    let function = options.text("partition.hash.function").unwrap_or("java");
    let murmur = function.eq_ignore_ascii_case("murmur");
    if !murmur && !function.eq_ignore_ascii_case("java") {
        tracing::warn!(function, "partition.hash.function is neither java nor murmur; as in Debezium that means java");
    }
    Ok(Box::new(PartitionRouting { paths, partitions, murmur, plans: SchemaMemo::default() }))
}

impl Path {
    fn of(envelope: &Schema, names: &[String], image: &str) -> Path {
        let mut path = Path { structs: Vec::new(), leaf: None };
        let Some((last, structs)) = names.split_last() else { return path };
        for name in structs {
            let parent = path.structs.last().map_or(envelope, |column| &column.schema);
            let name = if name == "change" { image } else { name };
            match Column::find(parent, name).filter(|column| matches!(column.schema.kind, Kind::Struct(_))) {
                Some(column) => path.structs.push(column),
                None => return path,
            }
        }
        path.leaf = Column::find(path.structs.last().map_or(envelope, |column| &column.schema), last);
        path
    }

    /// The value, or null where the field is not there.
    fn value<'a>(&'a self, envelope: &'a dyn StructView, arena: &'a Arena) -> Result<ValueRef<'a>, TransformError> {
        let mut view = envelope;
        for column in &self.structs {
            let ValueRef::Struct(inner) = column.raw(view, arena)? else {
                return Err(unusable("a struct on the way to a field of partition.payload.fields is null".to_owned()));
            };
            view = inner;
        }
        Ok(match &self.leaf {
            Some(leaf) => leaf.get(view, arena)?,
            None => ValueRef::Null,
        })
    }
}

impl PartitionRouting {
    fn plan(&self, envelope: &Schema) -> Plan {
        let paths = |image: &str| self.paths.iter().map(|names| Path::of(envelope, names, image)).collect();
        let operation = Column::find(envelope, "op").filter(|column| column.schema.kind == Kind::String);
        Plan { operation, present: paths("after"), deleted: paths("before") }
    }

    fn hash(&self, column: &Column, value: &ValueRef<'_>, arena: &Arena) -> Result<i32, TransformError> {
        if !self.murmur {
            return java_hash(&column.schema, value, arena);
        }
        if let ValueRef::String(text) = value {
            return Ok(murmur3(text.as_bytes()));
        }
        if let (ValueRef::Bytes(bytes), Some("io.debezium.data.Bits")) = (value, column.schema.name.as_deref()) {
            return Ok(murmur3(bytes));
        }
        Ok(murmur3(&java_hash(&column.schema, value, arena)?.to_le_bytes()))
    }
}

/// `Object.hashCode` of what Debezium has for a value.
fn java_hash(schema: &Schema, value: &ValueRef<'_>, arena: &Arena) -> Result<i32, TransformError> {
    match Logical::read(schema, value) {
        Some(Logical::Decimal(unscaled, scale)) => return Ok(decimal_hash(unscaled, scale)),
        Some(Logical::Instant(millis)) => return Ok(long_hash(millis)),
        None => {}
    }
    let fold = |hash: i32, next: i32| hash.wrapping_mul(31).wrapping_add(next);
    Ok(match value {
        ValueRef::Null => 0,
        ValueRef::Boolean(value) => {
            if *value {
                1231
            } else {
                1237
            }
        }
        ValueRef::Int8(value) => i32::from(*value),
        ValueRef::Int16(value) => i32::from(*value),
        ValueRef::Int32(value) => *value,
        ValueRef::Int64(value) => long_hash(*value),
        // Java has one bit pattern for all that is not a number.
        ValueRef::Float32(value) => (if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() }) as i32,
        ValueRef::Float64(value) => {
            long_hash((if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() }) as i64)
        }
        ValueRef::String(text) => hash_code(text),
        // `ByteBuffer.hashCode` begins at the end.
        ValueRef::Bytes(bytes) => bytes.iter().rev().fold(1, |hash, byte| fold(hash, i32::from(*byte as i8))),
        ValueRef::Array(items) => {
            let Kind::Array(item) = &schema.kind else { return Ok(0) };
            let mut hash = 1;
            for value in *items {
                hash = fold(hash, java_hash(item, value, arena)?);
            }
            hash
        }
        ValueRef::Map(entries) => {
            let Kind::Map(keys, values) = &schema.kind else { return Ok(0) };
            let mut hash = 0i32;
            for (key, value) in *entries {
                hash = hash.wrapping_add(java_hash(keys, key, arena)? ^ java_hash(values, value, arena)?);
            }
            hash
        }
        ValueRef::Struct(view) => {
            let mut hash = 1;
            for (index, field) in schema.fields().iter().enumerate() {
                hash = fold(hash, java_hash(&field.schema, &view.field(index, arena)?, arena)?);
            }
            hash
        }
    })
}

/// `Long.hashCode`, and `Date.hashCode` of milliseconds.
fn long_hash(value: i64) -> i32 {
    (value ^ ((value as u64) >> 32) as i64) as i32
}

/// `BigDecimal.hashCode` of an unscaled value (big-endian two's complement) and a scale.
fn decimal_hash(unscaled: &[u8], scale: i32) -> i32 {
    let negative = unscaled.first().is_some_and(|first| *first >= 0x80);
    // The magnitude in words of 32 bits, the highest first; words of zero before it do not count in the sum.
    let (mut hash, mut borrow_stops) = (0i32, unscaled.len());
    if negative {
        // The last byte that is not zero ends the run of carries in a two's complement.
        borrow_stops = unscaled.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    }
    let magnitude = |index: usize, byte: u8| match (negative, index.cmp(&borrow_stops)) {
        (true, std::cmp::Ordering::Less) => !byte,
        (true, std::cmp::Ordering::Equal) => byte.wrapping_neg(),
        (true, std::cmp::Ordering::Greater) | (false, _) => byte,
    };
    let mut word = 0u32;
    for (index, byte) in unscaled.iter().enumerate() {
        word = (word << 8) | u32::from(magnitude(index, *byte));
        if (unscaled.len() - index - 1).is_multiple_of(4) {
            hash = hash.wrapping_mul(31).wrapping_add(word as i32);
            word = 0;
        }
    }
    let hash = if negative { hash.wrapping_neg() } else { hash };
    hash.wrapping_mul(31).wrapping_add(scale)
}

impl Transform for PartitionRouting {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (Some(schema), ValueRef::Struct(view)) = (record.value.schema, record.value.value) else {
            return Ok(Some(record));
        };
        let plan = || Ok::<_, TransformError>(is_envelope(schema).then(|| self.plan(schema)));
        let Some(plan) = self.plans.get(schema, plan)? else { return Ok(Some(record)) };
        let operation = match &plan.operation {
            Some(column) => column.text(view, arena)?,
            None => None,
        };
        let paths = match operation {
            Some("t" | "m") => return Ok(Some(record)),
            Some("d") => &plan.deleted,
            _ => &plan.present,
        };
        let (mut sum, mut found) = (0i32, false);
        for path in paths {
            let value = path.value(view, arena)?;
            if let (Some(leaf), false) = (&path.leaf, matches!(value, ValueRef::Null)) {
                sum = sum.wrapping_add(self.hash(leaf, &value, arena)?);
                found = true;
            }
        }
        if found {
            let sum = sum & i32::MAX;
            record.partition = Some(if sum == i32::MAX { 0 } else { sum % self.partitions });
        }
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.plans.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::model::value::Value;

    /// Sends a row with one column `v` through, and gives the partition that comes out.
    #[track_caller]
    fn check(options: &[(&str, &str)], sample: &Sample, expected: &str) {
        let mut config = vec![
            ("transforms".to_owned(), "p,h".to_owned()),
            ("transforms.p.type".to_owned(), "io.debezium.transforms.partitions.PartitionRouting".to_owned()),
            ("transforms.h.type".to_owned(), "org.apache.kafka.connect.transforms.InsertHeader".to_owned()),
            ("transforms.h.header".to_owned(), "h".to_owned()),
            ("transforms.h.value.literal".to_owned(), "x".to_owned()),
        ];
        config.extend(
            options.iter().map(|(name, value)| (format!("transforms.p.partition.{name}"), (*value).to_owned())),
        );
        let config: Vec<(&str, &str)> = config.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let out = run(&config, std::slice::from_ref(sample));
        let line = out.lines().next().unwrap_or_default();
        assert_eq!(line.strip_prefix("topic srv.shop.outbox").map_or(line, str::trim), expected);
    }

    fn row(schema: Schema, value: Value) -> Sample {
        Change::create(vec![("v", schema, value)]).sample()
    }

    const LARGE: &str = "2147483647";

    /// The hashes of a value, which a number of partitions without end shows but for the sign.
    #[track_caller]
    fn hashes(schema: Schema, value: Value, java: i32, murmur: i32) {
        let sample = row(schema, value);
        for (function, hash) in [("java", java), ("murmur", murmur)] {
            let options = [("payload.fields", "after.v"), ("topic.num", LARGE), ("hash.function", function)];
            check(&options, &sample, &format!("partition {}", hash & i32::MAX));
        }
    }

    fn decimal(scale: &str) -> Schema {
        bytes().named("org.apache.kafka.connect.data.Decimal").parameter("scale", scale)
    }

    /// Hashes as OpenJDK 17 and Debezium 3.6.1 compute them.
    #[test]
    fn values_hash_as_in_java() {
        hashes(text(), t("hello"), 99_162_322, 1_671_093_224);
        hashes(text(), t("Zürich 😀"), -1_456_975_611, 1_546_742_519);
        hashes(int(), Value::Int32(-7), -7, -1_990_014_637);
        hashes(long(), Value::Int64(1_234_567_890_123), 1_912_276_436, 518_237_802);
        hashes(long(), Value::Int64(-1), 0, 1_805_505_889);
        hashes(Schema::new(Kind::Int16), Value::Int16(-3), -3, -1_765_749_021);
        hashes(Schema::new(Kind::Int8), Value::Int8(-3), -3, -1_765_749_021);
        hashes(boolean(), Value::Boolean(true), 1231, -1_891_831_265);
        hashes(boolean(), Value::Boolean(false), 1237, -682_375_457);
        hashes(Schema::new(Kind::Float32), Value::Float32(1.5), 1_069_547_520, 1_166_483_436);
        hashes(Schema::new(Kind::Float32), Value::Float32(-f32::NAN), 2_143_289_344, -831_917_046);
        hashes(Schema::new(Kind::Float64), Value::Float64(1.5), 1_073_217_536, -1_122_085_266);
        hashes(Schema::new(Kind::Float64), Value::Float64(-0.0), i32::MIN, -797_218_156);
        hashes(Schema::new(Kind::Float64), Value::Float64(-f64::NAN), 2_146_959_360, -1_249_978_784);
        hashes(bytes(), b(&[1, 0xfe, 3]), 32_613, -1_459_025_727);
        hashes(bytes().named("io.debezium.data.Bits"), b(&[1, 0xfe, 3]), 32_613, -637_758_913);
        let date = long().named("org.apache.kafka.connect.data.Timestamp");
        hashes(date, Value::Int64(1_700_000_000_123), -807_048_720, 942_063_065);
        let day = int().named("org.apache.kafka.connect.data.Date");
        hashes(day, Value::Int32(-1), 86_399_999, 913_866_341);
        let list = Schema::new(Kind::Array(text().optional().into()));
        hashes(list, Value::Array(vec![t("a"), Value::Null, t("b")]), 123_106, -1_162_672_804);
        let map = Schema::new(Kind::Map(text().into(), text().into()));
        hashes(map, Value::Map(vec![(t("a"), t("1")), (t("b"), t("2"))]), 160, -1_277_766_830);
    }

    #[test]
    fn decimals_hash_as_in_java() {
        let cases: &[(&str, &[u8], i32, i32)] = &[
            ("2", &[0x04, 0xd2], 38_256, -1_299_364_558),
            ("2", &[0xfb, 0x2e], -38_252, 2_048_110_607),
            ("2", &[0], 2, -351_805_952),
            ("0", &[0x80, 0, 0, 0, 0, 0, 0, 0], i32::MIN, -797_218_156),
        ];
        for (scale, unscaled, java, murmur) in cases {
            hashes(decimal(scale), b(unscaled), *java, *murmur);
        }
        // 123456789012345678901234567890.12 and -5000000000.5
        let large = 12_345_678_901_234_567_890_123_456_789_012i128.to_be_bytes();
        hashes(decimal("2"), b(&large), -1_747_325_893, -102_512_819);
        hashes(decimal("1"), b(&(-50_000_000_005i64).to_be_bytes()), 483_183_131, 724_834_059);
    }

    #[test]
    fn paths_are_followed_and_their_hashes_added() {
        let cells = |id| vec![("id", int(), Value::Int32(id)), ("n", int().optional(), Value::Null)];
        let three = |fields| [("payload.fields", fields), ("topic.num", "3")];
        let (create, delete) = (Change::create(cells(7)).sample(), Change::delete(cells(5)).sample());
        let update = Change::update(cells(7), cells(8)).sample();
        check(&three("after.id"), &create, "partition 1");
        check(&three("change.id"), &create, "partition 1");
        check(&three("change.id"), &delete, "partition 2");
        check(&three("change.id"), &update, "partition 2");
        check(&three("before.id , after.id"), &update, "partition 0");
        check(&three("ts_ms"), &create, "partition 1");
        check(&three("change.id,change.n,change.none,none,id.x,nothing.else"), &create, "partition 1");
        // No field that counts, and what is not routed.
        check(&three("change.n,none"), &create, "");
        check(&three("change.id"), &Sample::tombstone(), "");
        check(
            &three("change.id"),
            &Change { operation: "t", before: None, after: None, transaction: false }.sample(),
            "",
        );
        let null = "HW1003 transform p: a struct on the way to a field of partition.payload.fields is null";
        check(&three("after.id"), &delete, null);
        // The largest sum of all becomes 0.
        let largest = row(int(), Value::Int32(i32::MAX));
        check(&[("payload.fields", "after.v"), ("topic.num", "10")], &largest, "partition 0");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let sample = Sample::tombstone();
        check(&[], &sample, "refused: transform p: partition.payload.fields is not set");
        check(&[("payload.fields", "a")], &sample, "refused: transform p: partition.topic.num is not set");
        let bad = [("payload.fields", "a"), ("topic.num", "0")];
        check(&bad, &sample, "refused: transform p: partition.topic.num=0 is not a whole number from 1 to 2147483647");
        check(&[("payload.fields", "a"), ("topic.num", "2"), ("hash.function", "sha")], &sample, "");
    }
}
