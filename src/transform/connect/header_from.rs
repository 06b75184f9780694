//! `HeaderFrom`: fields of the key or value as headers, moved there or copied.

use std::sync::Arc;

use super::{
    KEY_AND_VALUE, Pick, REPLACE_NULL, Shape, Target, TransformSpec, part, replaces_null, required, required_list,
    struct_of, value_of, with_fields, with_part,
};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Field, Schema};
use crate::model::value::Arena;
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{BadOption, ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "HeaderFrom",
    aliases: &["org.apache.kafka.connect.transforms.HeaderFrom"],
    about: "Moves or copies fields to headers",
    targets: KEY_AND_VALUE,
    options: &[&[
        ClassOption::new("fields", "", "The fields' names; required"),
        ClassOption::new("headers", "", "The headers' names, as many; required"),
        ClassOption::new("operation", "", "move takes the fields out, copy leaves them there; required"),
        REPLACE_NULL,
    ]],
    build,
};

struct HeaderFrom {
    target: Target,
    fields: Vec<String>,
    headers: Vec<String>,
    moves: bool,
    replaces_null: bool,
    shapes: SchemaMemo<Found>,
}

/// Where the fields are in a schema, and what is left of it.
struct Found {
    places: Vec<usize>,
    rest: Shape,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let (fields, headers) = (required_list(options, "fields")?, required_list(options, "headers")?);
    if fields.len() != headers.len() {
        let reason = format!("fields has {} names, and headers {}", fields.len(), headers.len());
        return Err(TransformError::Options { reason });
    }
    let moves = match required(options, "operation")? {
        "move" => true,
        "copy" => false,
        other => {
            let value = other.to_owned();
            return Err(BadOption { option: "operation", value, expected: "move or copy" }.into());
        }
    };
    let (replaces_null, shapes) = (replaces_null(options)?, SchemaMemo::default());
    Ok(Box::new(HeaderFrom { target, fields, headers, moves, replaces_null, shapes }))
}

impl HeaderFrom {
    fn found(&self, schema: &Schema) -> Result<Found, TransformError> {
        let place = |name: &String| {
            let missing = || TransformError::Record { reason: format!("there is no field {name}") };
            schema.field_index(name).ok_or_else(missing)
        };
        let places = self.fields.iter().map(place).collect::<Result<_, _>>()?;
        let kept =
            schema.fields().iter().enumerate().filter(|(_, field)| !self.fields.iter().any(|f| **f == *field.name));
        let (picks, fields): (Vec<Pick>, Vec<Field>) =
            kept.map(|(index, field)| (Pick::of(index, field, self.replaces_null), field.clone())).unzip();
        Ok(Found { places, rest: Shape { schema: Arc::new(with_fields(schema, fields)?), picks } })
    }
}

impl Transform for HeaderFrom {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let old = part(&record, self.target);
        let whole = struct_of(&old, if self.moves { "header move" } else { "header copy" })?;
        let found = self.shapes.get(whole.schema, || self.found(whole.schema))?;
        let capacity = record.headers.len() + found.places.len();
        let mut headers = bumpalo::collections::Vec::with_capacity_in(capacity, arena);
        headers.extend_from_slice(record.headers);
        for (name, place) in self.headers.iter().zip(&found.places) {
            let schema = whole.schema.fields().get(*place).map(|field| &field.schema);
            let value = value_of(&whole, *place, self.replaces_null, arena)?;
            headers.push(Header { name, value: Typed { schema, value } });
        }
        record.headers = headers.into_bump_slice();
        if self.moves {
            record = with_part(record, self.target, found.rest.view(&whole, &[], arena));
        }
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}
