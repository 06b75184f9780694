//! `io.debezium.transforms.SchemaChangeEventFilter`: leaves out records of the schema change topic by what was done.
//!
//! In: any record. Out: all but schema changes whose first table change is of a type that is listed; one without table
//! changes counts as `DATABASE`, and one whose table changes are null is left out. Promised: the choice of Debezium 3.6.
//! Nothing here survives a crash.

use super::structs::{Column, unusable};
use crate::model::record::Record;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{BadOption, ClassOption, Options};

const EXCLUDED: &str = "schema.change.event.exclude.list";

/// The transform that leaves out schema changes.
pub static SPEC: TransformSpec = TransformSpec {
    name: "SchemaChangeEventFilter",
    aliases: &["io.debezium.transforms.SchemaChangeEventFilter"],
    about: "Leaves out records of the schema change topic by their type",
    targets: &[Target::Record],
    options: &[&[ClassOption::new(EXCLUDED, "", "of CREATE, ALTER, DROP, TRUNCATE and DATABASE; required")]],
    build,
};

/// The types there are.
const TYPES: [&str; 5] = ["CREATE", "ALTER", "DROP", "TRUNCATE", "DATABASE"];

struct SchemaChangeEventFilter {
    excluded: Vec<&'static str>,
    /// `None` for schemas that are no schema change's.
    places: SchemaMemo<Option<Places>>,
}

struct Places {
    changes: Column,
    kind: Column,
}

fn named(text: &str) -> Option<&'static str> {
    TYPES.into_iter().find(|known| *known == text)
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let read = |entry: &str| {
        let bad = || BadOption {
            option: EXCLUDED,
            value: entry.to_owned(),
            expected: "a list of CREATE, ALTER, DROP, TRUNCATE and DATABASE",
        };
        named(entry).ok_or_else(bad)
    };
    let excluded = options.list(EXCLUDED).into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if excluded.is_empty() {
        return Err(TransformError::unset(EXCLUDED));
    }
    Ok(Box::new(SchemaChangeEventFilter { excluded, places: SchemaMemo::default() }))
}

impl Places {
    fn of(schema: &Schema) -> Result<Places, TransformError> {
        let changes = Column::of(schema, "tableChanges")?;
        let Kind::Array(change) = &changes.schema.kind else {
            return Err(unusable("field 'tableChanges' is not of type array".to_owned()));
        };
        let kind = Column::typed(change, "type", &Kind::String)?;
        Ok(Places { changes, kind })
    }
}

impl Transform for SchemaChangeEventFilter {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (Some(schema), ValueRef::Struct(view)) = (record.value.schema, record.value.value) else {
            return Ok(Some(record));
        };
        let is_change = || schema.name.as_deref().is_some_and(|name| name.ends_with(".SchemaChangeValue"));
        let Some(places) = self.places.get(schema, || is_change().then(|| Places::of(schema)).transpose())? else {
            return Ok(Some(record));
        };
        let ValueRef::Array(changes) = places.changes.raw(view, arena)? else { return Ok(None) };
        let kind = match changes.first() {
            Some(ValueRef::Struct(first)) => {
                let kind = places.kind.text(*first, arena)?.unwrap_or_default();
                named(kind).ok_or_else(|| unusable("a table change of a type that is not known".to_owned()))?
            }
            Some(_) => return Err(unusable("a table change that is null".to_owned())),
            None => "DATABASE",
        };
        Ok(Some(record).filter(|_| !self.excluded.contains(&kind)))
    }

    fn rest(&mut self) {
        self.places.rest();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::*;
    use super::*;
    use crate::model::value::Value;

    #[track_caller]
    fn check(excluded: &str, samples: &[Sample], expected: &str) {
        let config = [
            ("transforms", "f"),
            ("transforms.f.type", "io.debezium.transforms.SchemaChangeEventFilter"),
            ("transforms.f.schema.change.event.exclude.list", excluded),
        ];
        assert_eq!(run(&config, samples).trim_end(), expected);
    }

    fn change(kinds: Option<&[&str]>) -> Sample {
        let (change, _) = structure(&[("type", text(), Value::Null), ("id", text(), Value::Null)]);
        let one = |kind: &&str| Value::Struct(vec![t(kind), t("a.b")]);
        let changes = kinds.map_or(Value::Null, |kinds| Value::Array(kinds.iter().map(one).collect()));
        let list = Schema::new(Kind::Array(Arc::new(change))).optional();
        let (schema, value) = structure(&[("ddl", text(), t("x")), ("tableChanges", list, changes)]);
        Sample::of(schema.named("io.debezium.connector.mysql.SchemaChangeValue"), value)
    }

    #[test]
    fn the_first_table_change_decides() {
        let all =
            [change(Some(&["CREATE"])), change(Some(&["DROP", "CREATE"])), change(Some(&["ALTER"])), change(Some(&[]))];
        check("CREATE", &all, "dropped\npassed\npassed\npassed");
        check("DROP, ALTER", &all, "passed\ndropped\ndropped\npassed");
        check("DATABASE,TRUNCATE", &all, "passed\npassed\npassed\ndropped");
        check("CREATE", &[change(None)], "dropped");
        check("CREATE", &[change(Some(&["RENAME"]))], "HW1003 transform f: a table change of a type that is not known");
    }

    #[test]
    fn other_records_pass() {
        check("CREATE", &[Sample::tombstone(), Change::create(vec![]).sample()], "passed\npassed");
    }

    #[test]
    fn lists_that_cannot_be_used_are_refused() {
        check("", &[], "refused: transform f: schema.change.event.exclude.list is not set");
        let expected = "is not a list of CREATE, ALTER, DROP, TRUNCATE and DATABASE";
        check("create", &[], &format!("refused: transform f: schema.change.event.exclude.list=create {expected}"));
    }
}
