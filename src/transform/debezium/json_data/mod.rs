//! JSON text as Connect data: a schema that the text itself suggests, and the value under it.
//!
//! In: text. Out: a schema and a value in the arena. Promised: the schemas that Debezium's `JsonSchemaData` makes: whole
//! numbers are int32 or int64, others float64, everything is optional, a struct is named after its path; the schema
//! of a shape is made once and kept, so that texts of the same shape share it. What Debezium cannot convert is not
//! converted. Nothing here survives a crash.
//!
//! One thing differs on purpose: a field whose name `field.name.adjustment.mode` has changed keeps its value, where
//! Debezium looks for the changed name in the text and gives null.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use crate::model::modes::SchemaNameAdjustmentMode;
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, ValueRef};
use crate::transform::memo::Memo;
use crate::util::avro_name::{Named, adjusted};

mod parse;

pub use parse::{DEPTH_MAXIMUM, NODES_MAXIMUM, Refusal};
use parse::{Node, Object};

/// Values of one text. Where elements of a list are unlike, each gets the fields of all, null where it has none.
const VALUES_MAXIMUM: usize = 1_000_000;

/// What stands in a schema for values that do not say what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonOptions {
    /// Null is optional bytes; otherwise its field is left out.
    pub null_is_bytes: bool,
    /// An empty list is a list of optional strings; otherwise its field is left out.
    pub empty_list_is_strings: bool,
    /// What becomes of names.
    pub names: SchemaNameAdjustmentMode,
}

/// A field's name as `field.name.adjustment.mode` has it.
fn adjusted_name<'a>(name: &'a str, mode: SchemaNameAdjustmentMode, arena: &'a Arena) -> &'a str {
    if mode == SchemaNameAdjustmentMode::None {
        return name;
    }
    let made = adjusted(name, mode, Named::Field);
    if made == name { name } else { arena.alloc_str(&made) }
}

/// What a text suggests about its schema.
#[derive(Clone, Copy, PartialEq)]
enum Shape<'a> {
    Boolean,
    Int32,
    Int64,
    Float64,
    String,
    Bytes,
    Array(&'a Shape<'a>),
    Struct(StructShape<'a>),
}

#[derive(Clone, Copy, PartialEq)]
struct StructShape<'a> {
    name: Option<&'a str>,
    fields: &'a [FieldShape<'a>],
    /// What several unlike elements of a list have in common is required, in Debezium too.
    optional: bool,
}

#[derive(Clone, Copy, PartialEq)]
struct FieldShape<'a> {
    /// In the schema.
    name: &'a str,
    /// In the text.
    key: &'a str,
    shape: Shape<'a>,
}

/// Why a text is no Connect data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexpanded {
    /// It is not JSON, or lists in it hold unlike things: there is no schema for it.
    NoSchema(Refusal),
    /// It is an empty list, which has no schema, and none is missed.
    Nothing,
    /// There is a schema, but the values do not keep to it, or it is a list, which cannot be a value.
    Unfit(Refusal),
}

/// Makes Connect data of JSON. Keeps the schemas of the shapes it has seen.
pub struct JsonData {
    options: JsonOptions,
    schemas: Memo<String, Arc<Schema>>,
}

impl JsonData {
    /// With no schemas yet.
    pub fn new(options: JsonOptions) -> Self {
        JsonData { options, schemas: Memo::default() }
    }

    /// Between batches: gives back memory that has grown.
    pub fn rest(&mut self) {
        self.schemas.rest();
    }

    /// The struct that a text is, and its schema, which is named `root` where that is given.
    ///
    /// # Errors
    /// When the text is not a JSON object, or is one that no schema fits.
    pub fn expand<'a>(
        &'a self,
        root: Option<&'a str>,
        text: &'a str,
        arena: &'a Arena,
    ) -> Result<(&'a Arc<Schema>, ValueRef<'a>), Unexpanded> {
        if !text.starts_with(['{', '[']) {
            return Err(Unexpanded::NoSchema("it begins with neither a brace nor a bracket"));
        }
        let node = parse::parse(text, arena).map_err(Unexpanded::NoSchema)?;
        let shape = self.infer(root, &node, arena).map_err(Unexpanded::NoSchema)?.ok_or(Unexpanded::Nothing)?;
        let value = match (&shape, &node) {
            (Shape::Struct(shape), Node::Object(object)) => {
                convert_struct(shape, object, &Cell::new(VALUES_MAXIMUM), arena)
            }
            _ => Err("a list cannot be the whole of it"),
        };
        let value = value.map_err(Unexpanded::Unfit)?;
        let mut signature = bumpalo::collections::String::new_in(arena);
        signature.push_str(root.unwrap_or_default());
        sign(&shape, &mut signature);
        let made = self.schemas.get(signature.as_str(), || Ok::<_, Infallible>(Arc::new(schema_of(&shape))));
        let schema = made.unwrap_or_else(|never| match never {});
        Ok((schema, value))
    }

    /// `toConnectSchema`; `None` is left out.
    fn infer<'a>(&self, key: Option<&'a str>, node: &Node<'a>, arena: &'a Arena) -> Result<Option<Shape<'a>>, Refusal> {
        Ok(Some(match node {
            Node::Null if self.options.null_is_bytes => Shape::Bytes,
            Node::Null => return Ok(None),
            Node::Boolean(_) => Shape::Boolean,
            Node::Int(_) => Shape::Int32,
            Node::Long(_) => Shape::Int64,
            Node::Big | Node::Double(_) => Shape::Float64,
            Node::Text(_) => Shape::String,
            Node::Array([]) if self.options.empty_list_is_strings => Shape::Array(&Shape::String),
            Node::Array([]) => return Ok(None),
            Node::Array(items) => Shape::Array(arena.alloc(self.infer_items(key, items, arena)?)),
            Node::Object(object) => Shape::Struct(self.infer_struct(key, object, arena)?),
        }))
    }

    fn infer_struct<'a>(
        &self,
        key: Option<&'a str>,
        object: &Object<'a>,
        arena: &'a Arena,
    ) -> Result<StructShape<'a>, Refusal> {
        let mut fields = bumpalo::collections::Vec::with_capacity_in(object.entries.len(), arena);
        let mut taken = HashSet::new();
        for (entry, value) in object.entries {
            let name = adjusted_name(entry, self.options.names, arena);
            let path: &'a str = match key.filter(|key| !key.trim().is_empty()) {
                Some(key) => bumpalo::format!(in arena, "{}.{}", key, name).into_bump_str(),
                None => name,
            };
            let shape = self.infer(Some(path), value, arena)?;
            // Only adjusting makes one name of two; the first one keeps it.
            let is_first =
                self.options.names == SchemaNameAdjustmentMode::None || (shape.is_some() && taken.insert(name));
            if let (Some(shape), true) = (shape, is_first) {
                fields.push(FieldShape { name, key: entry, shape });
            }
        }
        Ok(StructShape { name: key, fields: fields.into_bump_slice(), optional: true })
    }

    /// `toConnectSchemaWithCycles`: the schema of a list's elements.
    fn infer_items<'a>(
        &self,
        key: Option<&'a str>,
        items: &'a [Node<'a>],
        arena: &'a Arena,
    ) -> Result<Shape<'a>, Refusal> {
        let sample = homogenous(items)?;
        if !matches!(sample, Node::Object(_)) {
            return self.infer(None, sample, arena)?.ok_or("a list of what has no schema");
        }
        let mut merged: Option<Merged<'a>> = None;
        let mut first = None;
        for item in items {
            let Node::Object(object) = item else { continue };
            let shape = self.infer_struct(key, object, arena)?;
            match first {
                None => first = Some(shape),
                Some(first) if first == shape && merged.is_none() => {}
                Some(first) => merged.get_or_insert_with(|| Merged::new(&first)).add(&shape),
            }
        }
        match (merged, first) {
            (Some(merged), _) => {
                let fields = arena.alloc_slice_copy(&merged.fields);
                Ok(Shape::Struct(StructShape { name: key, fields, optional: false }))
            }
            (None, Some(first)) => Ok(Shape::Struct(first)),
            (None, None) => Err("a list of what has no schema"),
        }
    }
}

/// The first element of a list that is not null; all others must be of its type (`getFirstArrayElement`).
fn homogenous<'a>(items: &'a [Node<'a>]) -> Result<&'a Node<'a>, Refusal> {
    let type_of = |node: &Node<'_>| match node {
        Node::Null => 0,
        Node::Boolean(_) => 1,
        Node::Int(_) => 2,
        Node::Long(_) => 3,
        Node::Big | Node::Double(_) => 4,
        Node::Text(_) => 5,
        Node::Array(_) => 6,
        Node::Object(_) => 7,
    };
    let mut others = items.iter().filter(|item| !matches!(item, Node::Null));
    let Some(first) = others.next() else { return Ok(&Node::Null) };
    let wanted = type_of(first);
    if others.any(|item| type_of(item) != wanted) {
        return Err("a list holds values of different types");
    }
    Ok(first)
}

/// The fields that unlike elements of a list have together (`mergeSchema`).
struct Merged<'a> {
    fields: Vec<FieldShape<'a>>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Merged<'a> {
    fn new(first: &StructShape<'a>) -> Self {
        let mut merged = Merged { fields: Vec::new(), places: HashMap::new() };
        merged.add(first);
        merged
    }

    fn add(&mut self, other: &StructShape<'a>) {
        for field in other.fields {
            let known = self.places.get(field.name).and_then(|place| self.fields.get_mut(*place));
            match known {
                // Bytes stand for a null that nothing was known about.
                Some(known) if known.shape == Shape::Bytes => known.shape = field.shape,
                Some(_) => {}
                None => {
                    self.places.insert(field.name, self.fields.len());
                    self.fields.push(*field);
                }
            }
        }
    }
}

/// Writes a shape so that equal texts mean equal schemas.
fn sign(shape: &Shape<'_>, out: &mut bumpalo::collections::String<'_>) {
    match shape {
        Shape::Boolean => out.push('b'),
        Shape::Int32 => out.push('i'),
        Shape::Int64 => out.push('l'),
        Shape::Float64 => out.push('d'),
        Shape::String => out.push('s'),
        Shape::Bytes => out.push('y'),
        Shape::Array(items) => {
            out.push('[');
            sign(items, out);
        }
        Shape::Struct(shape) => {
            out.push(if shape.optional { '{' } else { '<' });
            for field in shape.fields {
                out.push_str(itoa::Buffer::new().format(field.name.len()));
                out.push(':');
                out.push_str(field.name);
                sign(&field.shape, out);
            }
            out.push('}');
        }
    }
}

fn schema_of(shape: &Shape<'_>) -> Schema {
    let schema = |kind| Schema::new(kind).optional();
    match shape {
        Shape::Boolean => schema(Kind::Boolean),
        Shape::Int32 => schema(Kind::Int32),
        Shape::Int64 => schema(Kind::Int64),
        Shape::Float64 => schema(Kind::Float64),
        Shape::String => schema(Kind::String),
        Shape::Bytes => schema(Kind::Bytes),
        Shape::Array(items) => schema(Kind::Array(Arc::new(schema_of(items)))),
        Shape::Struct(StructShape { name, fields, optional }) => {
            let fields = fields.iter().map(|field| Field::new(field.name, schema_of(&field.shape))).collect();
            let named = Schema { name: name.map(Into::into), ..Schema::new(Kind::Struct(fields)) };
            Schema { optional: *optional, ..named }
        }
    }
}

/// `getStructFieldValue`, with the check that `Struct.put` makes.
fn convert<'a>(
    shape: &Shape<'a>,
    node: &Node<'a>,
    budget: &Cell<usize>,
    arena: &'a Arena,
) -> Result<ValueRef<'a>, Refusal> {
    Ok(match (shape, node) {
        (Shape::Struct(StructShape { optional: false, .. }), Node::Null) => {
            return Err("a null among unlike elements of a list");
        }
        (_, Node::Null) => ValueRef::Null,
        (Shape::Boolean, Node::Boolean(v)) => ValueRef::Boolean(*v),
        (Shape::Int32, Node::Int(v)) => ValueRef::Int32(*v),
        (Shape::Int64, Node::Long(v)) => ValueRef::Int64(*v),
        (Shape::Float64, Node::Double(v)) => ValueRef::Float64(*v),
        (Shape::Float64, Node::Big) => return Err("a whole number of more than 64 bits"),
        (Shape::String, Node::Text(v)) => ValueRef::String(v),
        (Shape::Array(shape), Node::Array(items)) => {
            let mut values = bumpalo::collections::Vec::with_capacity_in(items.len(), arena);
            for item in *items {
                values.push(convert(shape, item, budget, arena)?);
            }
            ValueRef::Array(values.into_bump_slice())
        }
        (Shape::Struct(shape), Node::Object(object)) => convert_struct(shape, object, budget, arena)?,
        _ => return Err("elements of a list have fields of one name and different types"),
    })
}

fn convert_struct<'a>(
    shape: &StructShape<'a>,
    object: &Object<'a>,
    budget: &Cell<usize>,
    arena: &'a Arena,
) -> Result<ValueRef<'a>, Refusal> {
    let left = budget
        .get()
        .checked_sub(shape.fields.len())
        .ok_or("unlike elements of a list have too many fields together")?;
    budget.set(left);
    let mut values = bumpalo::collections::Vec::with_capacity_in(shape.fields.len(), arena);
    let mut entries = object.entries.iter();
    for field in shape.fields {
        // Nearly always the fields stand in the order of the text.
        let next = entries.next().filter(|(name, _)| *name == field.name).map(|(_, value)| value);
        let found = next.or_else(|| object.get(field.name)).or_else(|| object.get(field.key));
        values.push(match found {
            Some(node) => convert(&field.shape, node, budget, arena)?,
            None => ValueRef::Null,
        });
    }
    Ok(ValueRef::Struct(arena.alloc(Fields(values.into_bump_slice()))))
}

#[cfg(test)]
mod tests;
