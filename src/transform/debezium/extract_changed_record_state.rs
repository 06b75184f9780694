//! `io.debezium.transforms.ExtractChangedRecordState`: which columns an update changed, as headers.
//!
//! In: envelopes. Out: the same with one or two headers, lists of columns that differ before and after, and of those that do
//! not; inserts and deletes have empty lists. Promised: Debezium's lists, in the order of the columns. Values are compared
//! as Java compares the objects that Debezium has for them: doubles by their bits, and columns of bits (BIT of more than one
//! bit, arrays in Java) always as changed unless both are null. A tombstone has the empty lists of the delete before it, because in
//! Debezium the two have one and the same headers. Other records pass. Nothing here survives a crash.

use std::sync::Arc;

use super::structs::{Column, is_envelope};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueError, ValueRef};
use crate::transform::chain::with_header;
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{ClassOption, Options};

/// The transform that says what changed.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ExtractChangedRecordState",
    aliases: &["io.debezium.transforms.ExtractChangedRecordState"],
    about: "Adds headers that list the columns an update changed, and those it did not",
    targets: &[Target::Record],
    options: &[&[
        ClassOption::new("header.changed.name", "", "the header of changed columns; empty: none"),
        ClassOption::new("header.unchanged.name", "", "the header of columns that did not change; empty: none"),
    ]],
    build,
};

struct ExtractChangedRecordState {
    changed: Option<List>,
    unchanged: Option<List>,
    /// `None` for schemas that are no envelope's.
    images: SchemaMemo<Option<Images>>,
}

/// A header that lists columns.
struct List {
    name: String,
    schema: Arc<Schema>,
}

struct Images {
    before: Column,
    after: Column,
    /// For each column after: where it is before.
    columns: Vec<Column>,
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let list = |option| {
        let name: &str = options.text(option)?;
        let schema = Schema::new(Kind::Array(Schema::new(Kind::String).optional().into())).optional().named(name);
        Some(List { name: name.to_owned(), schema: schema.into() })
    };
    let (changed, unchanged) = (list("header.changed.name"), list("header.unchanged.name"));
    Ok(Box::new(ExtractChangedRecordState { changed, unchanged, images: SchemaMemo::default() }))
}

impl Images {
    fn of(envelope: &Schema) -> Result<Images, TransformError> {
        let (before, after) = (Column::of(envelope, "before")?, Column::of(envelope, "after")?);
        let column = |field: &crate::model::schema::Field| Column::of(&before.schema, &field.name);
        let columns = after.schema.fields().iter().map(column).collect::<Result<_, _>>()?;
        Ok(Images { before, after, columns })
    }
}

/// `Objects.equals` of what Debezium has for two values of a schema. `inner`: within a struct, whose arrays of bytes
/// are compared by content.
fn equal(
    schema: &Schema,
    one: &ValueRef<'_>,
    other: &ValueRef<'_>,
    inner: bool,
    arena: &Arena,
) -> Result<bool, ValueError> {
    Ok(match (one, other) {
        (ValueRef::Null, ValueRef::Null) => true,
        (ValueRef::Boolean(one), ValueRef::Boolean(other)) => one == other,
        (ValueRef::Int8(one), ValueRef::Int8(other)) => one == other,
        (ValueRef::Int16(one), ValueRef::Int16(other)) => one == other,
        (ValueRef::Int32(one), ValueRef::Int32(other)) => one == other,
        (ValueRef::Int64(one), ValueRef::Int64(other)) => one == other,
        (ValueRef::Float32(one), ValueRef::Float32(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (ValueRef::Float64(one), ValueRef::Float64(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (ValueRef::String(one), ValueRef::String(other)) => one == other,
        (ValueRef::Bytes(one), ValueRef::Bytes(other)) => {
            let is_array = schema.name.as_deref() == Some("io.debezium.data.Bits") && !inner;
            !is_array && one == other
        }
        (ValueRef::Array(ones), ValueRef::Array(others)) => {
            let Kind::Array(item) = &schema.kind else { return Err(ValueError::Shape) };
            let mut same = ones.len() == others.len();
            for (one, other) in ones.iter().zip(*others) {
                same = same && equal(item, one, other, inner, arena)?;
            }
            same
        }
        (ValueRef::Map(ones), ValueRef::Map(others)) => {
            let Kind::Map(keys, values) = &schema.kind else { return Err(ValueError::Shape) };
            let mut same = ones.len() == others.len();
            // Entries have no order; those of two versions of a row stand mostly in the same one.
            for (key, value) in *ones {
                let mut found = false;
                for (other_key, other) in *others {
                    found = found
                        || (equal(keys, key, other_key, inner, arena)? && equal(values, value, other, inner, arena)?);
                }
                same = same && found;
            }
            same
        }
        (ValueRef::Struct(one), ValueRef::Struct(other)) => {
            let mut same = true;
            for (index, field) in schema.fields().iter().enumerate() {
                let (one, other) = (one.field(index, arena)?, other.field(index, arena)?);
                same = same && equal(&field.schema, &one, &other, true, arena)?;
            }
            same
        }
        _ => false,
    })
}

impl ExtractChangedRecordState {
    /// The record with the lists behind its headers: of what changed, and of what did not.
    fn with_lists<'a>(
        &'a self,
        mut record: Record<'a>,
        [changed, unchanged]: [&'a [ValueRef<'a>]; 2],
        arena: &'a Arena,
    ) -> Record<'a> {
        for (header, columns) in [(&self.changed, changed), (&self.unchanged, unchanged)] {
            if let Some(List { name, schema }) = header {
                let value = Typed { schema: Some(schema), value: ValueRef::Array(columns) };
                record.headers = with_header(record.headers, Header { name, value }, arena);
            }
        }
        record
    }
}

impl Transform for ExtractChangedRecordState {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (schema, view) = match (record.value.schema, record.value.value) {
            (Some(schema), ValueRef::Struct(view)) => (schema, view),
            (None, ValueRef::Null) => return Ok(Some(self.with_lists(record, [&[], &[]], arena))),
            _ => return Ok(Some(record)),
        };
        let of = || is_envelope(schema).then(|| Images::of(schema)).transpose();
        let Some(images) = self.images.get(schema, of)? else { return Ok(Some(record)) };
        let (mut changed, mut unchanged) =
            (bumpalo::collections::Vec::new_in(arena), bumpalo::collections::Vec::new_in(arena));
        if let (ValueRef::Struct(before), ValueRef::Struct(after)) =
            (images.before.raw(view, arena)?, images.after.raw(view, arena)?)
        {
            let fields = images.after.schema.fields();
            for (index, (column, field)) in images.columns.iter().zip(fields).enumerate() {
                let (old, new) = (column.raw(before, arena)?, after.field(index, arena)?);
                let same = equal(&field.schema, &old, &new, false, arena)?;
                let list = if same { &mut unchanged } else { &mut changed };
                list.push(ValueRef::String(&field.name));
            }
        }
        let lists = [changed.into_bump_slice(), unchanged.into_bump_slice()];
        Ok(Some(self.with_lists(record, lists, arena)))
    }

    fn rest(&mut self) {
        self.images.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::model::value::Value;

    const BOTH: [(&str, &str); 2] =
        [("transforms.c.header.changed.name", "changed"), ("transforms.c.header.unchanged.name", "same")];

    /// The headers of what comes out.
    #[track_caller]
    fn check(options: &[(&str, &str)], sample: Sample, expected: &[&str]) {
        let mut config =
            vec![("transforms", "c"), ("transforms.c.type", "io.debezium.transforms.ExtractChangedRecordState")];
        config.extend_from_slice(options);
        let out = run(&config, &[sample]);
        let lines: Vec<&str> = if out.starts_with("topic") {
            out.lines().filter_map(|line| line.strip_prefix("header ")).collect()
        } else {
            out.lines().collect()
        };
        assert_eq!(lines, expected);
    }

    fn list(name: &str, columns: &str) -> String {
        format!("{name} [string?]?({name}) [{columns}]")
    }

    /// An update of one column `v`, and whether it counts as changed.
    #[track_caller]
    fn changes(schema: Schema, before: Value, after: Value, changed: bool) {
        let sample = Change::update(vec![("v", schema.clone(), before)], vec![("v", schema, after)]).sample();
        let (with, without) = ("'v'", "");
        let (changed, same) = if changed { (with, without) } else { (without, with) };
        check(&BOTH, sample, &[&list("changed", changed), &list("same", same)]);
    }

    #[test]
    fn columns_are_listed() {
        let row = |name: &str, note| {
            vec![("id", int(), Value::Int32(1)), ("name", text(), t(name)), ("note", text().optional(), note)]
        };
        let update = || Change::update(row("anna", Value::Null), row("bert", Value::Null)).sample();
        check(&BOTH, update(), &[&list("changed", "'name'"), &list("same", "'id', 'note'")]);
        check(&BOTH[..1], update(), &[&list("changed", "'name'")]);
        check(&BOTH[1..], update(), &[&list("same", "'id', 'note'")]);
        check(&[], update(), &["passed"]);
        let earlier = update().header("h", text(), t("x"));
        check(&BOTH[..1], earlier, &["h string 'x'", &list("changed", "'name'")]);
        // Inserts and deletes have lists, too.
        let empty = [list("changed", ""), list("same", "")];
        let empty: Vec<&str> = empty.iter().map(String::as_str).collect();
        check(&BOTH, Change::create(row("anna", Value::Null)).sample(), &empty);
        check(&BOTH, Change::delete(row("anna", Value::Null)).sample(), &empty);
        check(&BOTH, Sample::tombstone(), &empty);
    }

    #[test]
    fn values_are_compared_as_in_java() {
        let double = || Schema::new(Kind::Float64);
        changes(text().optional(), Value::Null, t("a"), true);
        changes(text().optional(), t("a"), t("a"), false);
        changes(long(), Value::Int64(1), Value::Int64(2), true);
        changes(double(), Value::Float64(f64::NAN), Value::Float64(f64::NAN), false);
        changes(double(), Value::Float64(0.0), Value::Float64(-0.0), true);
        changes(bytes(), b(&[1, 2]), b(&[1, 2]), false);
        let bits = || bytes().optional().named("io.debezium.data.Bits");
        changes(bits(), b(&[1]), b(&[1]), true);
        changes(bits(), Value::Null, Value::Null, false);
        let within = Schema::new(Kind::Struct(vec![crate::model::schema::Field::new("b", bits())]));
        changes(within.clone(), Value::Struct(vec![b(&[1])]), Value::Struct(vec![b(&[1])]), false);
        changes(within, Value::Struct(vec![b(&[1])]), Value::Struct(vec![b(&[2])]), true);
        let list = || Schema::new(Kind::Array(int().into()));
        let items = |items: &[i32]| Value::Array(items.iter().map(|item| Value::Int32(*item)).collect());
        changes(list(), items(&[1, 2]), items(&[1, 2]), false);
        changes(list(), items(&[1, 2]), items(&[2, 1]), true);
        changes(list(), items(&[1, 2]), items(&[1]), true);
        let map = || Schema::new(Kind::Map(text().into(), text().into()));
        let entries = |entries: &[(&str, &str)]| Value::Map(entries.iter().map(|(k, v)| (t(k), t(v))).collect());
        changes(map(), entries(&[("a", "1"), ("b", "2")]), entries(&[("b", "2"), ("a", "1")]), false);
        changes(map(), entries(&[("a", "1")]), entries(&[("a", "2")]), true);
    }

    #[test]
    fn what_is_no_envelope_passes() {
        check(&BOTH, Sample::of(text().named("a.Value"), t("x")), &["passed"]);
        let (schema, value) = structure(&[("op", text(), t("c"))]);
        let bare = Sample::of(schema.named("a.Envelope"), value);
        check(&BOTH, bare, &["HW1003 transform c: before is not a valid field name"]);
    }
}
