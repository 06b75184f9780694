//! `InsertField`: further fields of the key or value: the topic, the partition, the time, a text of one's own.
//!
//! A record of a source has no offset yet (a class with `offset.field` fails on every record, as in Connect), and
//! Debezium's have a partition in few cases and no time: these fields are then null.

use std::sync::Arc;

use super::{
    KEY_AND_VALUE, Pick, REPLACE_NULL, Shape, Target, TransformSpec, part, replaces_null, struct_of, with_fields,
    with_part,
};
use crate::model::record::Record;
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "InsertField",
    aliases: &["org.apache.kafka.connect.transforms.InsertField"],
    about: "Adds fields with the topic, the partition, the time or a fixed text. A name's suffix ! makes its field required, ? optional",
    targets: KEY_AND_VALUE,
    options: &[&[
        ClassOption::new("topic.field", "", "Name of a field for the topic"),
        ClassOption::new("partition.field", "", "Name of a field for the partition, where the record has one"),
        ClassOption::new("offset.field", "", "For sinks only: each record fails"),
        ClassOption::new("timestamp.field", "", "Name of a field for the record's time, where it has one"),
        ClassOption::new("static.field", "", "Name of a field for a text"),
        ClassOption::new("static.value", "", "That text"),
        REPLACE_NULL,
    ]],
    build,
};

/// What a new field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Static,
}

struct Inserted {
    content: Content,
    name: String,
    optional: bool,
}

struct InsertField {
    target: Target,
    inserted: Vec<Inserted>,
    text: String,
    replaces_null: bool,
    shapes: SchemaMemo<Shape>,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let wrong = |reason: &str| Err(TransformError::Options { reason: reason.to_owned() });
    let contents = [
        ("topic.field", Content::Topic),
        ("partition.field", Content::Partition),
        ("offset.field", Content::Offset),
        ("timestamp.field", Content::Timestamp),
        ("static.field", Content::Static),
    ];
    let inserted = contents.into_iter().filter_map(|(option, content)| {
        let name = options.text(option)?;
        let optional = !name.ends_with('!');
        Some(Inserted { content, name: name.strip_suffix(['!', '?']).unwrap_or(name).to_owned(), optional })
    });
    let inserted: Vec<Inserted> = inserted.collect();
    // A text of nothing is a text.
    let text = options.all().find(|(name, _)| *name == "static.value").map(|(_, text)| text.trim().to_owned());
    if inserted.is_empty() {
        return wrong("no field is configured");
    }
    if text.is_none() && inserted.iter().any(|inserted| inserted.content == Content::Static) {
        return wrong("static.field is set, and static.value is not");
    }
    let (text, replaces_null) = (text.unwrap_or_default(), replaces_null(options)?);
    Ok(Box::new(InsertField { target, inserted, text, replaces_null, shapes: SchemaMemo::default() }))
}

impl InsertField {
    fn shape(&self, schema: &Schema) -> Result<Shape, TransformError> {
        let fields = schema.fields().iter().enumerate();
        let picks = fields.map(|(index, field)| Pick::of(index, field, self.replaces_null));
        let picks = picks.chain((0..self.inserted.len()).map(Pick::Made)).collect();
        let mut fields = schema.fields().to_vec();
        for inserted in &self.inserted {
            let made = match inserted.content {
                Content::Topic | Content::Static => Schema::new(Kind::String),
                Content::Partition => Schema::new(Kind::Int32),
                Content::Offset => Schema::new(Kind::Int64),
                Content::Timestamp => {
                    Schema::new(Kind::Int64).named("org.apache.kafka.connect.data.Timestamp").version(1)
                }
            };
            fields.push(Field::new(&inserted.name, if inserted.optional { made.optional() } else { made }));
        }
        Ok(Shape { schema: Arc::new(with_fields(schema, fields)?), picks })
    }
}

impl Transform for InsertField {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let old = part(&record, self.target);
        if matches!(old.value, ValueRef::Null) {
            return Ok(Some(record));
        }
        let whole = struct_of(&old, "field insertion")?;
        let shape = self.shapes.get(whole.schema, || self.shape(whole.schema))?;
        if self.inserted.iter().any(|inserted| inserted.content == Content::Offset) {
            let reason = "offset.field is for sinks: a record of a source has no offset yet".to_owned();
            return Err(TransformError::Record { reason });
        }
        let made = arena.alloc_slice_fill_iter(self.inserted.iter().map(|inserted| match inserted.content {
            Content::Topic => ValueRef::String(record.topic),
            Content::Partition => record.partition.map_or(ValueRef::Null, ValueRef::Int32),
            Content::Offset => ValueRef::Null,
            Content::Timestamp => record.timestamp.map_or(ValueRef::Null, ValueRef::Int64),
            Content::Static => ValueRef::String(&self.text),
        }));
        Ok(Some(with_part(record, self.target, shape.view(&whole, made, arena))))
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}
