//! What is made once for the envelopes of one table version: places of fields, and the schemas that come out.

use std::sync::Arc;

use super::options::{Deletes, ExtractOptions, Reference};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};
use crate::transform::TransformError;
use crate::transform::debezium::structs::{Column, unusable, with_fields};

/// The field that says whether a row was deleted.
const DELETED_FIELD: &str = "__deleted";

/// A field of the envelope, and the schema that it is added with.
pub struct Added {
    pub name: Arc<str>,
    pub schema: Arc<Schema>,
    /// The struct that must be there for the field to have a value.
    structure: Option<Column>,
    /// Whether the field is in the envelope itself, although a struct was named.
    in_envelope: bool,
    field: Column,
}

impl Added {
    /// `None` when there is no such field, in the struct or in the envelope.
    fn find(envelope: &Schema, reference: &Reference) -> Result<Option<Added>, TransformError> {
        let structure = match &reference.structure {
            Some(name) => Some(
                Column::find(envelope, name)
                    .ok_or_else(|| unusable(format!("the envelope has no {name} to add {} of", reference.field)))?,
            ),
            None => None,
        };
        let parent = structure.as_ref().map_or(envelope, |column| &column.schema);
        let in_parent = Column::find(parent, &reference.field);
        let in_envelope = in_parent.is_none();
        let Some(field) = in_parent.or_else(|| Column::find(envelope, &reference.field)) else { return Ok(None) };
        let schema = Schema { optional: true, default: None, ..Schema::clone(&field.schema) };
        let name = reference.name.as_str().into();
        Ok(Some(Added { name, schema: schema.into(), structure, in_envelope, field }))
    }

    /// Its value, without default.
    ///
    /// # Errors
    /// When its bytes cannot be decoded.
    pub fn value<'a>(&'a self, envelope: &'a dyn StructView, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let Some(structure) = &self.structure else { return self.field.raw(envelope, arena) };
        let ValueRef::Struct(parent) = structure.raw(envelope, arena)? else { return Ok(ValueRef::Null) };
        self.field.raw(if self.in_envelope { envelope } else { parent }, arena)
    }
}

/// Rows of one image, before or after.
pub struct Image {
    /// Where it is in the envelope.
    pub column: Column,
    /// Its schema with all that is added.
    pub schema: Arc<Schema>,
    /// Its schema with the mark of deleted rows alone.
    pub marked: Arc<Schema>,
    /// The column that says the topic, or why there is none.
    pub route: Option<Result<Column, TransformError>>,
}

/// Envelopes of one schema.
pub struct Plan {
    pub before: Option<Image>,
    pub after: Image,
    pub headers: Vec<Added>,
    pub fields: Vec<Added>,
}

impl Plan {
    /// For envelopes of this schema.
    ///
    /// # Errors
    /// When a field is not there that must be, or would be there twice.
    pub fn of(envelope: &Schema, options: &ExtractOptions) -> Result<Plan, TransformError> {
        let find = |reference: &Reference| Added::find(envelope, reference).transpose();
        let headers: Vec<Added> = options.headers.iter().filter_map(find).collect::<Result<_, _>>()?;
        let fields: Vec<Added> = options.fields.iter().filter_map(find).collect::<Result<_, _>>()?;
        if let Some(added) = fields.iter().find(|added| matches!(added.schema.kind, Kind::Struct(_) | Kind::Map(_, _)))
        {
            return Err(unusable(format!("{} is a struct and cannot be added to the value", added.name)));
        }
        let image = |name: &str| {
            let Some(column) = Column::find(envelope, name) else { return Ok(None) };
            let marked = Arc::new(marked(&column.schema, options)?);
            let schema = Arc::new(appended(&marked, &fields)?);
            let route = options.route_by.as_ref().map(|name| Column::typed(&column.schema, name, &Kind::String));
            Ok::<_, TransformError>(Some(Image { column, schema, marked, route }))
        };
        let after = image("after")?.ok_or_else(|| unusable("unknown field: after".to_owned()))?;
        Ok(Plan { before: image("before")?, after, headers, fields })
    }

    /// A schema with what is added.
    ///
    /// # Errors
    /// When a field would be there twice.
    pub fn appended(&self, schema: &Schema) -> Result<Schema, TransformError> {
        appended(schema, &self.fields)
    }
}

/// The schema of rows, with the mark of deleted ones where rows are rewritten. Required, as Debezium makes it.
fn marked(rows: &Schema, options: &ExtractOptions) -> Result<Schema, TransformError> {
    let mark = Field::new(DELETED_FIELD, Schema::new(Kind::String).optional());
    let mark = (options.deletes == Deletes::Rewrite).then_some(mark);
    with_fields(rows, rows.fields().iter().cloned().chain(mark).collect())
}

fn appended(schema: &Schema, added: &[Added]) -> Result<Schema, TransformError> {
    let added = added.iter().map(|added| Field { name: added.name.clone(), schema: added.schema.clone() });
    with_fields(schema, schema.fields().iter().cloned().chain(added).collect())
}
