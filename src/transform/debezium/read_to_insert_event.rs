//! `io.debezium.connector.mysql.transforms.ReadToInsertEvent`: rows of a snapshot as if they were inserts.
//!
//! In: envelopes. Out: those with operation `r` have `c`; all else passes. Promised: the envelope stays where it lies.
//! Nothing here survives a crash.

use super::overlaid::Overlaid;
use super::structs::{Column, is_envelope, unusable};
use crate::model::record::Record;
use crate::model::schema::Kind;
use crate::model::value::{Arena, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::Options;

/// The transform that makes inserts of reads.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ReadToInsertEvent",
    aliases: &["io.debezium.connector.mysql.transforms.ReadToInsertEvent"],
    about: "Gives rows of snapshots the operation of inserts",
    targets: &[Target::Record],
    options: &[],
    build,
};

fn build(_: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(ReadToInsertEvent { operations: SchemaMemo::default() }))
}

struct ReadToInsertEvent {
    /// `None` for schemas that are no envelope's.
    operations: SchemaMemo<Option<Column>>,
}

impl Transform for ReadToInsertEvent {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (Some(schema), ValueRef::Struct(view)) = (record.value.schema, record.value.value) else {
            return Ok(Some(record));
        };
        let find = || is_envelope(schema).then(|| Column::typed(schema, "op", &Kind::String)).transpose();
        let Some(operation) = self.operations.get(schema, find)? else { return Ok(Some(record)) };
        match operation.text(view, arena)? {
            Some("r") => {
                let over = arena.alloc_slice_copy(&[(operation.index, ValueRef::String("c"))]);
                record.value.value = ValueRef::Struct(arena.alloc(Overlaid { base: view, defaults: None, over }));
                Ok(Some(record))
            }
            Some(_) => Ok(Some(record)),
            None => Err(unusable("an envelope without operation".to_owned())),
        }
    }

    fn rest(&mut self) {
        self.operations.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::model::value::Value;

    fn envelope(name: &str, operation: Value) -> Sample {
        let (schema, value) = structure(&[("op", text().optional(), operation), ("n", int(), Value::Int32(1))]);
        Sample::of(schema.named(name), value)
    }

    /// The operation of what comes out.
    #[track_caller]
    fn check(sample: Sample, expected: &str) {
        let class = ("transforms.r.type", "io.debezium.connector.mysql.transforms.ReadToInsertEvent");
        // A header more lets what comes out be shown even where the transform changes no schema.
        let config = [
            ("transforms", "r,h"),
            class,
            ("transforms.h.type", "org.apache.kafka.connect.transforms.InsertHeader"),
            ("transforms.h.header", "h"),
            ("transforms.h.value.literal", "x"),
        ];
        let out = run(&config, &[sample]);
        let value = out.lines().find(|line| line.starts_with("value ")).unwrap_or(out.trim_end());
        assert_eq!(value.rsplit_once(") ").map_or(value, |(_, value)| value), expected);
    }

    #[test]
    fn a_read_becomes_an_insert_and_all_else_passes() {
        check(envelope("a.Envelope", t("r")), "{'c', 1}");
        check(envelope("a.Envelope", t("c")), "{'c', 1}");
        check(envelope("a.Envelope", t("d")), "{'d', 1}");
        check(envelope("a.Value", t("r")), "{'r', 1}");
        check(envelope("a.Envelope", Value::Null), "HW1003 transform r: an envelope without operation");
        check(Sample::tombstone(), "value - null");
        check(
            Change { operation: "r", before: None, after: None, transaction: false }.sample(),
            "{null, null, {'3.6.1.Final', 'mysql', 900, null, 'outbox', null}, null, 'c', 1000, 1000001, 1000001002}",
        );
    }
}
