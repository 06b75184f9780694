//! `ReplaceField`: the fields of the key or value, some left out, some renamed. Values are not touched: a view.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{
    KEY_AND_VALUE, Pick, REPLACE_NULL, Shape, Target, TransformSpec, part, replaces_null, struct_of, with_fields,
    with_part,
};
use crate::model::record::Record;
use crate::model::schema::{Field, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Transform, TransformError};
use crate::util::class_options::{BadOption, ClassOption, Options};

/// The transform.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ReplaceField",
    aliases: &["org.apache.kafka.connect.transforms.ReplaceField"],
    about: "Leaves fields out and renames fields",
    targets: KEY_AND_VALUE,
    options: &[&[
        ClassOption::new("exclude", "", "Fields to leave out; over include. Its old name blacklist is taken too"),
        ClassOption::new("include", "", "Fields to keep, where only some are. Its old name whitelist is taken too"),
        ClassOption::new("renames", "", "Pairs old:new"),
        REPLACE_NULL,
        ClassOption::new("blacklist", "", "exclude, before Kafka 2.6"),
        ClassOption::new("whitelist", "", "include, before Kafka 2.6"),
    ]],
    build,
};

struct ReplaceField {
    target: Target,
    exclude: HashSet<String>,
    include: HashSet<String>,
    renames: HashMap<String, String>,
    /// New name to old.
    reverse: HashMap<String, String>,
    replaces_null: bool,
    shapes: SchemaMemo<Shape>,
}

fn build(options: &Options<'_>, target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let set = |name: &str, old: &str| -> HashSet<String> {
        let name = if options.text(name).is_some() { name } else { old };
        options.list(name).into_iter().map(str::to_owned).collect()
    };
    let pair = |pair: &str| {
        let mut parts: Vec<&str> = pair.split(':').collect();
        // Java's split leaves out what is empty at the end.
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        match parts[..] {
            [old, new] => Ok((old.to_owned(), new.to_owned())),
            _ => Err(BadOption { option: "renames", value: pair.to_owned(), expected: "a pair old:new" }),
        }
    };
    let pairs: Vec<(String, String)> = options.list("renames").into_iter().map(pair).collect::<Result<_, _>>()?;
    Ok(Box::new(ReplaceField {
        target,
        exclude: set("exclude", "blacklist"),
        include: set("include", "whitelist"),
        reverse: pairs.iter().map(|(old, new)| (new.clone(), old.clone())).collect(),
        renames: pairs.into_iter().collect(),
        replaces_null: replaces_null(options)?,
        shapes: SchemaMemo::default(),
    }))
}

impl ReplaceField {
    fn shape(&self, schema: &Schema) -> Result<Shape, TransformError> {
        let is_kept =
            |name: &str| !self.exclude.contains(name) && (self.include.is_empty() || self.include.contains(name));
        let (mut fields, mut picks) = (Vec::new(), Vec::new());
        for field in schema.fields().iter().filter(|field| is_kept(&field.name)) {
            let name = self.renames.get(&*field.name).map_or(&*field.name, String::as_str);
            fields.push(Field { name: name.into(), schema: field.schema.clone() });
            // Connect looks for the value under the old name of the new name, whatever field that is.
            let old = self.reverse.get(name).map_or(name, String::as_str);
            let Some(index) = schema.field_index(old) else {
                return Err(TransformError::Record { reason: format!("{old} is not a valid field name") });
            };
            let Some(from) = schema.fields().get(index) else { continue };
            if from.schema.kind != field.schema.kind || from.schema.name != field.schema.name {
                let reason = format!("field {name} would have the type of {} and the value of {old}", field.name);
                return Err(TransformError::Record { reason });
            }
            picks.push(Pick::of(index, from, self.replaces_null));
        }
        Ok(Shape { schema: Arc::new(with_fields(schema, fields)?), picks })
    }
}

impl Transform for ReplaceField {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let old = part(&record, self.target);
        if matches!(old.value, ValueRef::Null) {
            return Ok(Some(record));
        }
        let whole = struct_of(&old, "field replacement")?;
        let shape = self.shapes.get(whole.schema, || self.shape(whole.schema))?;
        Ok(Some(with_part(record, self.target, shape.view(&whole, &[], arena))))
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}
