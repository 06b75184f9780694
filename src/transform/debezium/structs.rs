//! Fields as Connect's `Struct` gives them, and what makes a record an envelope.
//!
//! In: schemas and views. Out: places of fields and their values. Promised: a field that is not there is an error
//! that names it, as `Struct.get` has it; nothing is copied. Source: `org.apache.kafka.connect.data.Struct`,
//! `io.debezium.data.Envelope`.

use std::sync::Arc;

use crate::model::modes::SchemaNameAdjustmentMode;
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};
use crate::transform::TransformError;
use crate::util::class_options::{BadOption, Options};

/// Whether records of this schema are envelopes: by its name, as Debezium decides it.
pub fn is_envelope(schema: &Schema) -> bool {
    schema.name.as_ref().is_some_and(|name| name.ends_with(".Envelope"))
}

/// A record that a transform cannot work on.
pub fn unusable(reason: String) -> TransformError {
    TransformError::Record { reason }
}

/// How names are made legal: the value of an option.
///
/// # Errors
/// When it is none of `none`, `avro` and `avro_unicode`.
pub fn adjustment_mode(options: &Options<'_>, option: &'static str) -> Result<SchemaNameAdjustmentMode, BadOption> {
    let value = options.text(option).unwrap_or("none");
    let bad = || BadOption { option, value: value.to_owned(), expected: "none, avro or avro_unicode" };
    SchemaNameAdjustmentMode::parse(value).ok_or_else(bad)
}

/// One field of a struct: where it is and what it holds.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its place.
    pub index: usize,
    /// Its schema.
    pub schema: Arc<Schema>,
}

impl Column {
    /// The field of this name, where there is one.
    pub fn find(schema: &Schema, name: &str) -> Option<Column> {
        let index = schema.field_index(name)?;
        let Field { schema, .. } = schema.fields().get(index)?;
        Some(Column { index, schema: schema.clone() })
    }

    /// The field of this name.
    ///
    /// # Errors
    /// When the struct has none.
    pub fn of(schema: &Schema, name: &str) -> Result<Column, TransformError> {
        Column::find(schema, name).ok_or_else(|| unusable(format!("{name} is not a valid field name")))
    }

    /// The field of this name, which must be of one type (`Struct.getString` and its like).
    ///
    /// # Errors
    /// When the struct has none, or one of another type.
    pub fn typed(schema: &Schema, name: &str, kind: &Kind) -> Result<Column, TransformError> {
        let column = Column::of(schema, name)?;
        if column.schema.kind != *kind {
            let (wanted, is) = (Schema::new(kind.clone()), column.schema.type_name());
            return Err(unusable(format!("field '{name}' is not of type {} but {is}", wanted.type_name())));
        }
        Ok(column)
    }

    /// The value as it is (`Struct.getWithoutDefault`).
    ///
    /// # Errors
    /// When its bytes cannot be decoded.
    #[inline]
    pub fn raw<'a>(&'a self, view: &'a dyn StructView, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        view.field(self.index, arena)
    }

    /// The text that it holds, without default (`Struct.getString`); none for null.
    ///
    /// # Errors
    /// When its bytes cannot be decoded.
    #[inline]
    pub fn text<'a>(&'a self, view: &'a dyn StructView, arena: &'a Arena) -> Result<Option<&'a str>, ValueError> {
        let value = self.raw(view, arena)?;
        Ok(if let ValueRef::String(text) = value { Some(text) } else { None })
    }

    /// The int32 that it holds, without default (`Struct.getInt32`); none for null.
    ///
    /// # Errors
    /// When its bytes cannot be decoded.
    pub fn int32(&self, view: &dyn StructView, arena: &Arena) -> Result<Option<i32>, ValueError> {
        let value = self.raw(view, arena)?;
        Ok(if let ValueRef::Int32(number) = value { Some(number) } else { None })
    }

    /// The int64 that it holds, without default (`Struct.getInt64`); none for null.
    ///
    /// # Errors
    /// When its bytes cannot be decoded.
    pub fn int64(&self, view: &dyn StructView, arena: &Arena) -> Result<Option<i64>, ValueError> {
        let value = self.raw(view, arena)?;
        Ok(if let ValueRef::Int64(number) = value { Some(number) } else { None })
    }

    /// The value, or the default that the schema has for null (`Struct.get`).
    ///
    /// # Errors
    /// When its bytes cannot be decoded.
    #[inline]
    pub fn get<'a>(&'a self, view: &'a dyn StructView, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(view.field(self.index, arena)?.or_default(&self.schema, arena))
    }
}

/// `SchemaUtil.copySchemaBasics` for structs: name, version, documentation and parameters stay, with other fields; the
/// new schema is required and has no default.
pub fn with_fields(schema: &Schema, fields: Vec<Field>) -> Result<Schema, TransformError> {
    for (index, field) in fields.iter().enumerate() {
        if fields.iter().take(index).any(|before| before.name == field.name) {
            return Err(unusable(format!("cannot create field {} twice in one struct", field.name)));
        }
    }
    Ok(Schema { kind: Kind::Struct(fields), optional: false, default: None, ..schema.clone() })
}
