//! `io.debezium.transforms.VectorToJsonConverter`: vectors as JSON.
//!
//! In: records whose value is a struct. Out: the same with every vector (`FloatVector`, `DoubleVector`,
//! `SparseDoubleVector` of `io.debezium.data`), in structs of any depth, as a text of `io.debezium.data.Json`. Promised:
//! schemas and texts of Debezium 3.6, with numbers as Java writes them since its version 19
//! (before, some have a digit more than they need). Tombstones pass; a value that is no struct is an error.
//! Nothing here survives a crash.

use std::sync::Arc;

use super::overlaid::Overlaid;
use super::structs::{Column, unusable, with_fields};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::Options;
use crate::util::java_text::{write_f32, write_f64};

/// The transform that writes vectors as JSON.
pub static SPEC: TransformSpec = TransformSpec {
    name: "VectorToJsonConverter",
    aliases: &["io.debezium.transforms.VectorToJsonConverter"],
    about: "Writes vectors as JSON",
    targets: &[Target::Record],
    options: &[],
    build,
};

fn build(_: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(VectorToJsonConverter { levels: SchemaMemo::default() }))
}

struct VectorToJsonConverter {
    levels: SchemaMemo<Level>,
}

/// A struct, and which of its fields are made anew.
struct Level {
    schema: Arc<Schema>,
    old: Arc<Schema>,
    made: Vec<(Column, Made)>,
}

enum Made {
    /// A list of numbers.
    Dense,
    /// Places of `dimensions` and `vector`.
    Sparse(Column, Column),
    /// A struct within.
    Inner(Level),
}

impl Level {
    fn of(old: &Arc<Schema>) -> Result<Level, TransformError> {
        let (mut fields, mut made) = (old.fields().to_vec(), Vec::new());
        for (index, field) in fields.iter_mut().enumerate() {
            let name = field.schema.name.as_deref().and_then(|name| name.strip_prefix("io.debezium.data."));
            let what = match (name, &field.schema.kind) {
                (Some("FloatVector" | "DoubleVector"), Kind::Array(_)) => Made::Dense,
                (Some("SparseDoubleVector"), Kind::Struct(_)) => {
                    let dimensions = Column::typed(&field.schema, "dimensions", &Kind::Int16)?;
                    Made::Sparse(dimensions, Column::of(&field.schema, "vector")?)
                }
                (_, Kind::Struct(_)) => Made::Inner(Level::of(&field.schema)?),
                _ => continue,
            };
            let column = Column { index, schema: field.schema.clone() };
            let schema = match &what {
                Made::Inner(level) => level.schema.clone(),
                Made::Dense | Made::Sparse(_, _) => {
                    let json = Schema::new(Kind::String).named("io.debezium.data.Json").version(1);
                    Arc::new(Schema { optional: field.schema.optional, ..json })
                }
            };
            *field = Field { name: field.name.clone(), schema };
            made.push((column, what));
        }
        // Unlike Connect's own copies of schemas, these stay optional.
        let schema = Arc::new(Schema { optional: old.optional, ..with_fields(old, fields)? });
        Ok(Level { schema, old: old.clone(), made })
    }

    fn view<'a>(&'a self, base: &'a dyn StructView, arena: &'a Arena) -> Result<ValueRef<'a>, TransformError> {
        let mut over = bumpalo::collections::Vec::with_capacity_in(self.made.len(), arena);
        for (column, made) in &self.made {
            let value = match (made, column.get(base, arena)?) {
                (_, ValueRef::Null) => ValueRef::Null,
                (Made::Dense, ValueRef::Array(items)) => ValueRef::String(dense(items, arena)?),
                (Made::Sparse(dimensions, vector), ValueRef::Struct(view)) => {
                    ValueRef::String(sparse(dimensions, vector, view, arena)?)
                }
                (Made::Inner(level), ValueRef::Struct(view)) => level.view(view, arena)?,
                _ => return Err(ValueError::Shape.into()),
            };
            over.push((column.index, value));
        }
        let over = over.into_bump_slice();
        Ok(ValueRef::Struct(arena.alloc(Overlaid { base, defaults: Some(&self.old), over })))
    }
}

/// A number as `String.valueOf` writes it.
fn write_number(value: &ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueError> {
    if let ValueRef::Float32(number) = value {
        write_f32(*number, out);
    } else if let ValueRef::Float64(number) = value {
        write_f64(*number, out);
    } else if let ValueRef::Null = value {
        out.extend_from_slice(b"null");
    } else {
        return Err(ValueError::Shape);
    }
    Ok(())
}

fn text<'a>(out: &[u8], arena: &'a Arena) -> Result<&'a str, TransformError> {
    let text = std::str::from_utf8(out).map_err(|_| ValueError::Shape)?;
    Ok(arena.alloc_str(text))
}

fn dense<'a>(items: &[ValueRef<'_>], arena: &'a Arena) -> Result<&'a str, TransformError> {
    let mut out = b"{ \"values\": [".to_vec();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        write_number(item, &mut out)?;
    }
    out.extend_from_slice(b"] }");
    text(&out, arena)
}

fn sparse<'a>(
    dimensions: &Column,
    vector: &Column,
    view: &dyn StructView,
    arena: &'a Arena,
) -> Result<&'a str, TransformError> {
    let count = dimensions.raw(view, arena)?;
    let count = if let ValueRef::Int16(count) = count { count.to_string() } else { "null".to_owned() };
    let ValueRef::Map(entries) = vector.raw(view, arena)? else {
        return Err(unusable("a sparse vector without its numbers".to_owned()));
    };
    let mut sorted = std::collections::BTreeMap::new();
    for (key, value) in entries {
        let ValueRef::Int16(key) = key else { return Err(ValueError::Shape.into()) };
        sorted.insert(*key, value);
    }
    let mut out = format!("{{ \"dimensions\": {count}, \"vector\": {{ ").into_bytes();
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        out.extend_from_slice(format!("{comma}\"{key}\": ").as_bytes());
        write_number(value, &mut out)?;
    }
    out.extend_from_slice(b" } }");
    text(&out, arena)
}

impl Transform for VectorToJsonConverter {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (schema, view) = match (record.value.schema, record.value.value) {
            (_, ValueRef::Null) => return Ok(Some(record)),
            (Some(schema), ValueRef::Struct(view)) => (schema, view),
            (_, value) => return Err(unusable(format!("the value must be a struct, and this is a {value:?}"))),
        };
        let level = self.levels.get(schema, || Level::of(schema))?;
        record.value = Typed { schema: Some(&level.schema), value: level.view(view, arena)? };
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.levels.rest();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::testing::*;
    use crate::model::schema::{Kind, Schema};
    use crate::model::value::Value;

    /// The schema and the value that come out, or the error.
    #[track_caller]
    fn check(sample: Sample, expected: &str) {
        let config = [("transforms", "v"), ("transforms.v.type", "io.debezium.transforms.VectorToJsonConverter")];
        let out = run(&config, &[sample]);
        let value = out.lines().find_map(|line| line.strip_prefix("value "));
        assert_eq!(value.unwrap_or(out.trim_end()), expected);
    }

    fn vector(kind: Kind, name: &str) -> Schema {
        Schema::new(Kind::Array(Schema::new(kind).into())).named(&format!("io.debezium.data.{name}")).version(1)
    }

    fn one(schema: Schema, value: Value) -> Sample {
        let (schema, value) = structure(&[("id", int(), Value::Int32(1)), ("v", schema, value)]);
        Sample::of(schema.optional().named("a.Value").version(2), value)
    }

    #[test]
    fn vectors_become_json() {
        let floats = || vector(Kind::Float32, "FloatVector");
        let numbers = Value::Array([1.0, -2.5, 1e-7].map(Value::Float32).to_vec());
        check(
            one(floats(), numbers.clone()),
            "{id int32, v string(io.debezium.data.Json v1)}?(a.Value v2) {1, '{ \"values\": [1.0, -2.5, 1.0E-7] }'}",
        );
        let json = "{id int32, v string?(io.debezium.data.Json v1)}?(a.Value v2)";
        check(one(floats().optional(), Value::Null), &format!("{json} {{1, null}}"));
        let doubles = vector(Kind::Float64, "DoubleVector").optional();
        check(one(doubles, Value::Array(vec![])), &format!("{json} {{1, '{{ \"values\": [] }}'}}"));
        let row = one(floats(), numbers);
        let (row_schema, row_value) = row.value.unwrap();
        let row_schema = Schema::clone(&row_schema);
        let (schema, value) =
            structure(&[("before", row_schema.clone(), Value::Null), ("after", row_schema, row_value)]);
        let inner = "{id int32, v string(io.debezium.data.Json v1)}?(a.Value v2)";
        check(
            Sample::of(schema.named("a.Envelope"), value),
            &format!(
                "{{before {inner}, after {inner}}}(a.Envelope) {{null, {{1, '{{ \"values\": [1.0, -2.5, 1.0E-7] }}'}}}}"
            ),
        );
    }

    #[test]
    fn sparse_vectors_are_written_in_the_order_of_their_places() {
        let map = Schema::new(Kind::Map(Schema::new(Kind::Int16).into(), Schema::new(Kind::Float64).into()));
        let entries = Value::Map(vec![(Value::Int16(9), Value::Float64(0.5)), (Value::Int16(-1), Value::Float64(2.0))]);
        let (schema, value) =
            structure(&[("dimensions", Schema::new(Kind::Int16), Value::Int16(25)), ("vector", map, entries)]);
        let json = "'{ \"dimensions\": 25, \"vector\": { \"-1\": 2.0, \"9\": 0.5 } }'";
        check(
            one(schema.named("io.debezium.data.SparseDoubleVector"), value),
            &format!("{{id int32, v string(io.debezium.data.Json v1)}}?(a.Value v2) {{1, {json}}}"),
        );
    }

    #[test]
    fn tombstones_pass_and_scalars_are_an_error() {
        check(Sample::tombstone(), "passed");
        let error = "HW1003 transform v: the value must be a struct, and this is a string";
        check(Sample::of(text(), t("x")), error);
    }
}
