//! `io.debezium.transforms.EnforceRecordSize`: long texts and bytes cut, so that a record is not larger than it may be.
//!
//! In: any record. Out: where the record's estimated size is above `max.bytes`, the texts and bytes of the rows before and
//! after that are longer than `min.field.size` are cut, each by its share of what is too much. Promised: the estimate and the
//! cuts of Debezium 3.6. The estimate is of Java's objects, not of what is sent, and a row without long fields stays too
//! large. Other records pass. Nothing here survives a crash.
//!
//! Differences: Debezium fails at a record that is too large where a row has a DECIMAL or a BIT of several bits; here those
//! are left alone. Of the record's source offset, which Debezium counts by its entries, what is not to be seen in the record
//! is taken for what is usual: a row within a transaction, of one table.

use super::overlaid::Overlaid;
use super::structs::{Column, unusable};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec, required};
use crate::util::class_options::{BadOption, ClassOption, Options};

/// The transform that cuts what is too long.
pub static SPEC: TransformSpec = TransformSpec {
    name: "EnforceRecordSize",
    aliases: &["io.debezium.transforms.EnforceRecordSize"],
    about: "Cuts long texts and bytes so that a record is not too large",
    targets: &[Target::Record],
    options: &[&[
        ClassOption::new("max.bytes", "", "how large a record may be, in bytes; required"),
        ClassOption::new("compression.ratio", "1.0", "what the estimated size is multiplied by before it is compared"),
        ClassOption::new("min.field.size", "25000", "fields up to this many bytes are not cut"),
    ]],
    build,
};

// What Java's objects are taken to weigh (`ApproximateStructSizeCalculator`), in bytes.
const STRUCT: i64 = 56;
const STRING: i64 = 56;
const BYTES: i64 = 24;
const ARRAY: i64 = 64;
const MAP: i64 = 88;
const PRIMITIVE: i64 = 24;
const REFERENCE: i64 = 8;
/// An entry of the source partition, of the source offset, or of the headers.
const ENTRY: i64 = 100;
const TIMESTAMP: i64 = 8;
/// One of the partition (`server`); six of the offset (`server_id`, `file`, `pos`, `event`, `row`, `ts_sec`).
const ENTRIES: i64 = 1 + 6;

struct EnforceRecordSize {
    maximum: i64,
    ratio: f64,
    least: i64,
    shapes: SchemaMemo<Shape>,
}

/// Where the rows and what tells of the offset are; nothing in what is no envelope.
struct Shape {
    rows: Vec<(Column, Vec<Column>)>,
    source: Option<(Column, Column)>,
    transaction: Option<Column>,
}

/// A field that may be cut.
struct Long<'a> {
    column: &'a Column,
    content: Content<'a>,
    size: i64,
}

#[derive(Clone, Copy)]
enum Content<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    const BOUND: i64 = i32::MAX as i64;
    let number = |option: &'static str, default: i64, least: i64, expected: &'static str| match options.text(option) {
        None => Ok(default),
        Some(value) => {
            let bad = || BadOption { option, value: value.to_owned(), expected };
            value.parse::<i64>().ok().filter(|number| (least..=BOUND).contains(number)).ok_or_else(bad)
        }
    };
    required(options, "max.bytes")?;
    let maximum = number("max.bytes", 0, 1, "a whole number from 1 to 2147483647")?;
    let least = number("min.field.size", 25_000, 0, "a whole number from 0 to 2147483647")?;
    let ratio = match options.text("compression.ratio") {
        None => 1.0,
        Some(value) => {
            let bad =
                || BadOption { option: "compression.ratio", value: value.to_owned(), expected: "a number above 0" };
            value.parse::<f64>().ok().filter(|ratio| ratio.is_finite() && *ratio > 0.0).ok_or_else(bad)?
        }
    };
    Ok(Box::new(EnforceRecordSize { maximum, ratio, least, shapes: SchemaMemo::default() }))
}

impl Shape {
    fn of(schema: &Schema) -> Shape {
        let rows = ["before", "after"].iter().filter_map(|name| {
            let row = Column::find(schema, name)?;
            let columns = row.schema.fields().iter().enumerate();
            let long = columns.filter(|(_, field)| is_cut(&field.schema));
            let long = long.map(|(index, field)| Column { index, schema: field.schema.clone() }).collect();
            Some((row, long))
        });
        let source = Column::find(schema, "source").and_then(|source| {
            let gtid = Column::find(&source.schema, "gtid")?;
            Some((source, gtid))
        });
        Shape { rows: rows.collect(), source, transaction: Column::find(schema, "transaction") }
    }

    /// Entries of the source offset that not every offset has.
    fn entries(&self, view: &dyn StructView, arena: &Arena) -> Result<i64, ValueError> {
        let mut entries = 0;
        if let Some((source, gtid)) = &self.source
            && let ValueRef::Struct(source) = source.raw(view, arena)?
            && !matches!(gtid.raw(source, arena)?, ValueRef::Null)
        {
            entries += 1;
        }
        if let Some(transaction) = &self.transaction
            && !matches!(transaction.raw(view, arena)?, ValueRef::Null)
        {
            // Its id, and the count of a table.
            entries += 2;
        }
        Ok(entries)
    }
}

/// Whether values of a schema are text or bytes, in Java too: a decimal is a number there, and bits are an array.
fn is_cut(schema: &Schema) -> bool {
    let name = schema.name.as_deref().unwrap_or_default();
    match schema.kind {
        Kind::String => true,
        Kind::Bytes => !matches!(name, "org.apache.kafka.connect.data.Decimal" | "io.debezium.data.Bits"),
        Kind::Boolean | Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 | Kind::Float32 | Kind::Float64 => false,
        Kind::Array(_) | Kind::Map(_, _) | Kind::Struct(_) => false,
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// What a value is taken to weigh in Java.
fn weight(schema: &Schema, value: &ValueRef<'_>, arena: &Arena) -> Result<i64, ValueError> {
    Ok(match (&schema.kind, value) {
        (Kind::Boolean | Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 | Kind::Float32 | Kind::Float64, _) => {
            PRIMITIVE
        }
        (_, ValueRef::Null) => 0,
        (Kind::String, ValueRef::String(text)) => STRING + count(text.len()),
        (Kind::Bytes, ValueRef::Bytes(bytes)) => BYTES + count(bytes.len()),
        (Kind::Struct(fields), ValueRef::Struct(view)) => {
            let mut sum = STRUCT;
            for (index, field) in fields.iter().enumerate() {
                sum += REFERENCE + weight(&field.schema, &view.field(index, arena)?, arena)?;
            }
            sum
        }
        (Kind::Array(items), ValueRef::Array(values)) => {
            let mut sum = ARRAY;
            for value in values.iter() {
                sum += REFERENCE + weight(items, value, arena)?;
            }
            sum
        }
        (Kind::Map(keys, values), ValueRef::Map(entries)) => {
            let mut sum = MAP;
            for (key, value) in entries.iter() {
                sum += 2 * REFERENCE + weight(keys, key, arena)? + weight(values, value, arena)?;
            }
            sum
        }
        _ => return Err(ValueError::Shape),
    })
}

fn typed_weight(typed: &Typed<'_>, arena: &Arena) -> Result<i64, TransformError> {
    match (typed.schema, &typed.value) {
        (_, ValueRef::Null) => Ok(0),
        (Some(schema), ValueRef::Struct(_)) => Ok(weight(schema, &typed.value, arena)?),
        _ => Err(unusable("a key that is not a struct, whose size cannot be estimated".to_owned())),
    }
}

/// A text up to so many of Java's 16-bit characters. Half of a character beyond U+FFFF is written as `?`.
fn cut<'a>(text: &'a str, units: i64, arena: &'a Arena) -> &'a str {
    let mut left = usize::try_from(units).unwrap_or(0);
    for (place, letter) in text.char_indices() {
        let width = letter.len_utf16();
        if width > left {
            let whole = text.get(..place).unwrap_or_default();
            return if left == 0 { whole } else { bumpalo::format!(in arena, "{}?", whole).into_bump_str() };
        }
        left -= width;
    }
    text
}

/// A share of a number, rounded up as Java does.
fn share(part: i64, whole: i64, of: i64) -> i64 {
    (part as f64 / whole as f64 * of as f64).ceil() as i64
}

impl EnforceRecordSize {
    fn excess(
        &self,
        record: &Record<'_>,
        shape: &Shape,
        view: &dyn StructView,
        arena: &Arena,
    ) -> Result<i64, TransformError> {
        let entries = ENTRIES + shape.entries(view, arena)? + count(record.headers.len());
        let size = entries * ENTRY + TIMESTAMP + count(record.topic.len());
        let size = size + typed_weight(&record.key, arena)? + typed_weight(&record.value, arena)?;
        Ok((size as f64 * self.ratio).ceil() as i64 - self.maximum)
    }

    fn long<'a>(
        &self,
        row: &'a dyn StructView,
        columns: &'a [Column],
        arena: &'a Arena,
    ) -> Result<bumpalo::collections::Vec<'a, Long<'a>>, ValueError> {
        let mut long = bumpalo::collections::Vec::new_in(arena);
        for column in columns {
            let value = column.get(row, arena)?;
            let (content, size) = if let ValueRef::String(text) = value {
                (Content::Text(text), count(text.encode_utf16().count()))
            } else if let ValueRef::Bytes(bytes) = value {
                (Content::Bytes(bytes), count(bytes.len()))
            } else {
                continue;
            };
            if size > self.least {
                long.push(Long { column, content, size });
            }
        }
        Ok(long)
    }
}

/// A row with its long fields cut by so much in all.
fn shortened<'a>(
    row: &'a dyn StructView,
    long: &[Long<'a>],
    bytes: i64,
    excess: i64,
    arena: &'a Arena,
) -> ValueRef<'a> {
    let mut over = bumpalo::collections::Vec::with_capacity_in(long.len(), arena);
    for field in long {
        let left = (field.size - share(field.size, bytes, excess).min(i32::MAX.into())).max(0);
        let value = match field.content {
            Content::Text(text) => ValueRef::String(cut(text, left, arena)),
            Content::Bytes(bytes) => {
                ValueRef::Bytes(usize::try_from(left).ok().and_then(|left| bytes.get(..left)).unwrap_or(bytes))
            }
        };
        over.push((field.column.index, value));
    }
    ValueRef::Struct(arena.alloc(Overlaid { base: row, defaults: None, over: over.into_bump_slice() }))
}

impl Transform for EnforceRecordSize {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (Some(schema), ValueRef::Struct(view)) = (record.value.schema, record.value.value) else {
            return Ok(Some(record));
        };
        let shape = self.shapes.get(schema, || Ok::<_, TransformError>(Shape::of(schema)))?;
        let excess = self.excess(&record, shape, view, arena)?;
        if excess <= 0 {
            return Ok(Some(record));
        }
        let mut rows = bumpalo::collections::Vec::with_capacity_in(2, arena);
        for (column, columns) in &shape.rows {
            if let ValueRef::Struct(row) = column.get(view, arena)? {
                let long = self.long(row, columns, arena)?;
                let bytes: i64 = long.iter().map(|field| field.size).sum();
                rows.push((column.index, row, long, bytes));
            }
        }
        let all: i64 = rows.iter().map(|(.., bytes)| bytes).sum();
        let mut over = bumpalo::collections::Vec::with_capacity_in(2, arena);
        for (index, row, long, bytes) in rows {
            if bytes > 0 {
                over.push((index, shortened(row, &long, bytes, share(bytes, all, excess), arena)));
            }
        }
        if !over.is_empty() {
            let over = over.into_bump_slice();
            record.value.value = ValueRef::Struct(arena.alloc(Overlaid { base: view, defaults: None, over }));
        }
        Ok(Some(record))
    }

    /// All of them: they count.
    fn wants_header(&self, _name: &str) -> bool {
        true
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::model::value::Value;

    /// Settings and a row, and what comes out: the row after, or what is said.
    #[track_caller]
    fn check(maximum: &str, least: &str, ratio: &str, sample: Sample, expected: &str) {
        let config = [
            ("transforms", "s"),
            ("transforms.s.type", "io.debezium.transforms.EnforceRecordSize"),
            ("transforms.s.max.bytes", maximum),
            ("transforms.s.min.field.size", least),
            ("transforms.s.compression.ratio", ratio),
        ];
        let out = run(&config, &[sample]);
        let value = out.lines().find(|line| line.starts_with("value ")).unwrap_or(out.trim());
        let value = value.rsplit_once("v2) ").map_or(value, |(_, value)| value);
        let value = value.rsplit_once(", {'3.6.1.Final'").map_or(value, |(rows, _)| rows);
        assert_eq!(value, expected, "{maximum} {least} {ratio}");
    }

    /// Weighs 1,660 bytes and what is in its two texts and its bytes, each counted once.
    fn row(texts: [&str; 2], bytes: usize) -> Vec<Cell> {
        vec![
            ("one", text().optional(), t(texts[0])),
            ("two", text().optional(), t(texts[1])),
            ("raw", raw(), b(&vec![0xab; bytes])),
            ("id", int(), Value::Int32(1)),
        ]
    }

    fn raw() -> crate::model::schema::Schema {
        bytes().optional()
    }

    const EMPTY: i64 = 1_660;

    #[test]
    fn long_fields_lose_their_share() {
        let cut = |over: i64, sample: Sample, length: i64, expected: &str| {
            check(&(EMPTY + length - over).to_string(), "0", "1.0", sample, expected);
        };
        let create = |texts, bytes| Change::create(row(texts, bytes)).sample();
        cut(0, create(["aaaa", "bb"], 2), 8, "passed");
        cut(1, create(["aaaa", "bb"], 2), 8, "{null, {'aaa', 'b', 0xab, 1}");
        cut(4, create(["aaaa", "bb"], 2), 8, "{null, {'aa', 'b', 0xab, 1}");
        cut(100, create(["aaaa", "bb"], 2), 8, "{null, {'', '', 0x, 1}");
        // Texts weigh their bytes, and are cut by 16-bit characters.
        cut(2, create(["äöü", ""], 0), 6, "{null, {'ä', '', 0x, 1}");
        cut(1, create(["😀😀", ""], 0), 8, "{null, {'😀?', '', 0x, 1}");
    }

    #[test]
    fn short_fields_stay() {
        let sample = || Change::create(row(["aaaa", "bb"], 0)).sample();
        check("100", "2", "1", sample(), "{null, {'', 'bb', 0x, 1}");
        check("100", "4", "1", sample(), "passed");
        check("100", "", "1", sample(), "passed");
        check(&(EMPTY + 6).to_string(), "0", "0.5", sample(), "passed");
        check(&(EMPTY + 6).to_string(), "0", "1.001", sample(), "{null, {'aa', 'b', 0x, 1}");
    }

    #[test]
    fn rows_before_and_after_share_the_loss() {
        let update = Change::update(row(["aaaaaa", ""], 0), row(["bbb", ""], 0)).sample();
        // The row before adds 56 + 4 * 8 + 2 * 56 + 24 + 24 bytes, and its text.
        let size = EMPTY + 248 + 9;
        check(&(size - 3).to_string(), "0", "1", update, "{{'aaaa', '', 0x, 1}, {'bb', '', 0x, 1}");
    }

    #[test]
    fn what_is_no_text_in_java_stays() {
        let decimal = bytes().named("org.apache.kafka.connect.data.Decimal").parameter("scale", "0");
        let cells = vec![("d", decimal, b(&[1; 20])), ("bits", bytes().named("io.debezium.data.Bits"), b(&[1; 20]))];
        check("1", "0", "1", Change::create(cells).sample(), "passed");
        check("1", "0", "1", Sample::tombstone(), "passed");
        check("1", "0", "1", Sample::of(text(), t("x")), "passed");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let refused = |reason: &str| format!("refused: transform s: {reason}");
        check("", "", "", Sample::tombstone(), &refused("max.bytes is not set"));
        check("0", "", "", Sample::tombstone(), &refused("max.bytes=0 is not a whole number from 1 to 2147483647"));
        check(
            "9",
            "-1",
            "",
            Sample::tombstone(),
            &refused("min.field.size=-1 is not a whole number from 0 to 2147483647"),
        );
        check("9", "", "0", Sample::tombstone(), &refused("compression.ratio=0 is not a number above 0"));
        check("9", "", "NaN", Sample::tombstone(), &refused("compression.ratio=NaN is not a number above 0"));
    }
}
