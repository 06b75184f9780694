//! `io.debezium.transforms.ExtractSchemaToNewRecord`: the columns of the table, as a field of each envelope.
//!
//! In: envelopes whose row has the names and types of its columns in its schema (`column.propagate.source.type` or
//! `datatype.propagate.source.type`). Out: the same with `sourceSchema` behind all else: the table's name and for each
//! column its name, type, length, scale and comment. Promised: fields and schemas of Debezium 3.6; what is said of the columns
//! is made once for a version of the table. Envelopes without a row and other records pass. Nothing here survives a crash.

use std::sync::Arc;

use super::overlaid::Overlaid;
use super::structs::{Column, is_envelope, unusable, with_fields};
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, Value, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{ClassOption, Options};

/// The transform that adds the table's columns.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ExtractSchemaToNewRecord",
    aliases: &["io.debezium.transforms.ExtractSchemaToNewRecord"],
    about: "Adds the names and types of the table's columns to each envelope",
    targets: &[Target::Record],
    options: &[&[ClassOption::new(
        "schema.name.adjustment.mode",
        "none",
        "accepted; the schema names that are added are legal in every mode",
    )]],
    build,
};

fn build(_: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(ExtractSchemaToNewRecord { plans: SchemaMemo::default() }))
}

struct ExtractSchemaToNewRecord {
    /// `None` for schemas that are no envelope's.
    plans: SchemaMemo<Option<Plan>>,
}

struct Plan {
    before: Column,
    after: Column,
    /// What is made for envelopes with a row, or why it cannot be.
    added: Result<Added, TransformError>,
}

struct Added {
    source: Column,
    table: Column,
    /// The envelope's schema with the new field, which stands at `place`.
    schema: Arc<Schema>,
    place: usize,
    /// The table's columns, as a value of the new field.
    columns: Value,
}

impl Plan {
    fn of(envelope: &Schema) -> Result<Plan, TransformError> {
        let (before, after) = (Column::of(envelope, "before")?, Column::of(envelope, "after")?);
        let added = Added::of(envelope, &after.schema);
        Ok(Plan { before, after, added })
    }
}

impl Added {
    fn of(envelope: &Schema, row: &Schema) -> Result<Added, TransformError> {
        let source = Column::of(envelope, "source")?;
        let table = Column::typed(&source.schema, "table", &Kind::String)?;
        let columns = row.fields().iter().map(column).collect::<Result<_, _>>()?;
        let place = envelope.fields().len();
        let more = Field::new("sourceSchema", source_schema());
        let fields = envelope.fields().iter().cloned().chain([more]).collect();
        let schema = Arc::new(Schema { optional: envelope.optional, ..with_fields(envelope, fields)? });
        Ok(Added { source, table, schema, place, columns: Value::Array(columns) })
    }
}

/// What is said of a column.
fn column(field: &Field) -> Result<Value, TransformError> {
    let parameter = |name: &str| field.schema.parameter_value(&format!("__debezium.source.column.{name}"));
    let text = |name| parameter(name).map(Value::text);
    let (Some(name), Some(kind)) = (text("name"), text("type")) else {
        let reason = format!(
            "column {} has no source type: column.propagate.source.type or datatype.propagate.source.type must be '.*'",
            field.name
        );
        return Err(unusable(reason));
    };
    let number = |name| match parameter(name) {
        None => Ok(Value::Null),
        Some(number) => {
            let number = number.parse().map(Value::Int32);
            number.map_err(|_| unusable(format!("the {name} of column {} is not a number", field.name)))
        }
    };
    let comment = text("comment").unwrap_or(Value::Null);
    Ok(Value::Struct(vec![name, kind, number("length")?, number("scale")?, comment]))
}

/// The schema of the new field.
fn source_schema() -> Schema {
    let named = |fields, name: &str| {
        Schema::new(Kind::Struct(fields)).named(&format!("io.debezium.connector.source.{name}")).version(1)
    };
    let (text, int) = (|| Schema::new(Kind::String), || Schema::new(Kind::Int32).optional());
    let fields = vec![
        Field::new("name", text()),
        Field::new("typeName", text()),
        Field::new("length", int()),
        Field::new("scale", int()),
        Field::new("comment", text().optional()),
    ];
    let columns = Schema::new(Kind::Array(named(fields, "schema.Column").into()));
    let table = named(vec![Field::new("columns", columns)], "schema.Table");
    named(vec![Field::new("id", text()), Field::new("table", table)], "Schema")
}

impl Transform for ExtractSchemaToNewRecord {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (Some(schema), ValueRef::Struct(view)) = (record.value.schema, record.value.value) else {
            return Ok(Some(record));
        };
        let of = || is_envelope(schema).then(|| Plan::of(schema)).transpose();
        let Some(plan) = self.plans.get(schema, of)? else { return Ok(Some(record)) };
        if let (ValueRef::Null, ValueRef::Null) = (plan.before.raw(view, arena)?, plan.after.raw(view, arena)?) {
            return Ok(Some(record));
        }
        let added = plan.added.as_ref().map_err(Clone::clone)?;
        let ValueRef::Struct(source) = added.source.raw(view, arena)? else {
            return Err(unusable("an envelope without source".to_owned()));
        };
        let id = added.table.get(source, arena)?;
        if matches!(id, ValueRef::Null) {
            return Err(unusable("an envelope whose source names no table".to_owned()));
        }
        let columns = arena.alloc_slice_copy(&[added.columns.borrow(arena)]);
        let table = ValueRef::Struct(arena.alloc(Fields(columns)));
        let made = ValueRef::Struct(arena.alloc(Fields(arena.alloc_slice_copy(&[id, table]))));
        let over = arena.alloc_slice_copy(&[(added.place, made)]);
        let view = arena.alloc(Overlaid { base: view, defaults: Some(schema), over });
        record.value = Typed { schema: Some(&added.schema), value: ValueRef::Struct(view) };
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

    /// What the new field says; or all that came out where there is none.
    #[track_caller]
    fn check(samples: &[Sample], expected: &str) {
        let config = [("transforms", "s"), ("transforms.s.type", "io.debezium.transforms.ExtractSchemaToNewRecord")];
        let out = run(&config, samples);
        let values: Vec<&str> = out
            .lines()
            .filter(|line| !line.starts_with("topic ") && !line.starts_with("key "))
            .map(|line| line.rsplit_once("1000001002, ").map_or(line, |(_, added)| added))
            .collect();
        assert_eq!(values.join("\n"), expected);
    }

    fn typed(schema: Schema, more: &[(&str, &str)]) -> Schema {
        more.iter()
            .fold(schema, |schema, (name, value)| schema.parameter(&format!("__debezium.source.column.{name}"), value))
    }

    fn row() -> Vec<Cell> {
        let id = typed(int(), &[("type", "INT"), ("name", "id")]);
        let price = [("type", "DECIMAL"), ("length", "10"), ("scale", "2"), ("name", "price"), ("comment", "net")];
        vec![("id", id, Value::Int32(1)), ("price", typed(text(), &price), t("1.50"))]
    }

    const ADDED: &str = "{'outbox', {[{'id', 'INT', null, null, null}, {'price', 'DECIMAL', 10, 2, 'net'}]}}}";

    #[test]
    fn the_columns_are_added() {
        let samples = [Change::create(row()).sample(), Change::delete(row()).sample()];
        check(&samples, &format!("{ADDED}\n{ADDED}"));
        let column = "{name string, typeName string, length int32?, scale int32?, comment string?}(io.debezium.connector.source.schema.Column v1)";
        let expected = format!(
            "{{id string, table {{columns [{column}]}}(io.debezium.connector.source.schema.Table v1)}}(io.debezium.connector.source.Schema v1)"
        );
        assert_eq!(schema_text(&source_schema()), expected);
    }

    #[test]
    fn what_has_no_row_passes() {
        let truncate = Change { operation: "t", before: None, after: None, transaction: false }.sample();
        check(&[Sample::tombstone(), truncate, Sample::of(text(), t("x"))], "passed\npassed\npassed");
    }

    #[test]
    fn columns_without_their_types_are_an_error() {
        let options = "column.propagate.source.type or datatype.propagate.source.type must be '.*'";
        let bare = Change::create(vec![("id", int(), Value::Int32(1))]).sample();
        check(&[bare], &format!("HW1003 transform s: column id has no source type: {options}"));
        let wrong = typed(int(), &[("type", "INT"), ("name", "id"), ("length", "x")]);
        let wrong = Change::create(vec![("id", wrong, Value::Int32(1))]).sample();
        check(&[wrong], "HW1003 transform s: the length of column id is not a number");
    }
}
