//! From a table and its columns' codecs to the layout of its rows: what is the same for every source.
//!
//! In: a tracked table, a way to ask for the schema and codec of a column, and the options about columns. Out: a
//! [`TableLayout`] with the fields of the value and of the key, in the order of the table and of the key, as
//! Debezium's `TableSchemaBuilder` makes them. Promised: a column that is left out is never asked for, so that a
//! type nobody knows harms only who wants it; the key keeps its columns whatever is filtered, and never masked;
//! layouts have versions that no other layout of the process has. Nothing here survives a crash.

mod error;
mod mask;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use error::{CODES, LayoutError};
pub use mask::Mask;

use crate::model::modes::SchemaNameAdjustmentMode;
use crate::model::row::{Codec, ColumnLayout, ColumnName, InSql, TableLayout, TableNames};
use crate::model::schema::Schema;
use crate::model::table::{Column, Table};
use crate::util::avro_name::{Named, adjusted};
use crate::util::java_regex::{CompiledFilter, RegexList};

/// What a source knows about a column: how it is read.
#[derive(Debug)]
pub struct ColumnParts {
    /// Its schema, with optionality, documentation and default.
    pub schema: Arc<Schema>,
    /// Reads a cell for the value struct.
    pub value: Arc<dyn Codec>,
    /// Reads a cell for the key struct.
    pub key: Arc<dyn Codec>,
    /// Its values in statements, where they are not the bytes of a cell.
    pub sql: Option<Box<dyn InSql>>,
}

/// What is done to some columns of the value struct.
#[derive(Clone, Debug)]
pub struct ColumnRule {
    /// Matched against `database.table.column`.
    pub columns: RegexList,
    /// What is done.
    pub mask: Mask,
}

/// The options about columns.
#[derive(Clone, Debug)]
pub struct LayoutOptions {
    /// `column.include.list` and `column.exclude.list`.
    pub columns: CompiledFilter,
    /// `message.key.columns`: each is matched against `database.table.column`.
    pub key_columns: Vec<RegexList>,
    /// Masks, in the order in which they are tried: the first whose columns match is the one.
    pub rules: Vec<ColumnRule>,
    /// `column.propagate.source.type`, matched against `database.table.column`.
    pub propagate_columns: Option<RegexList>,
    /// `datatype.propagate.source.type`, matched against `database.table.TYPE`.
    pub propagate_types: Option<RegexList>,
    /// `field.name.adjustment.mode`.
    pub field_names: SchemaNameAdjustmentMode,
}

impl Default for LayoutOptions {
    fn default() -> Self {
        LayoutOptions {
            columns: CompiledFilter::default(),
            key_columns: Vec::new(),
            rules: Vec::new(),
            propagate_columns: None,
            propagate_types: None,
            field_names: SchemaNameAdjustmentMode::None,
        }
    }
}

static NEXT_VERSION: AtomicU64 = AtomicU64::new(1);

/// Makes the layout of a table. `parts` is asked once for each column that is wanted, by its place in the table; a column
/// for which it has none is left out.
///
/// # Errors
/// What `parts` gives; [`LayoutError`] when an expression is too costly to match, or two fields have one name.
pub fn table_layout<E: From<LayoutError>, P: Into<Option<ColumnParts>>>(
    table: &Table,
    options: &LayoutOptions,
    mut parts: impl FnMut(usize, &Column) -> Result<P, E>,
) -> Result<TableLayout, E> {
    let key_places = key_places(table, options)?;
    let mut columns = Vec::with_capacity(table.columns.len());
    let mut key: Vec<Option<ColumnLayout>> = vec![None; key_places.len()];
    let mut names = names(table);
    for (cell, column) in table.columns.iter().enumerate() {
        let name = format!("{}.{}", table.id, column.name);
        let wanted = options.columns.accepts(&name).map_err(|_| LayoutError::regex(&name))?;
        let key_place = key_places.iter().position(|place| *place == cell);
        if !wanted && key_place.is_none() {
            continue;
        }
        let Some(found) = parts(cell, column)?.into() else { continue };
        if let Some(name) = names.columns.get_mut(cell) {
            name.sql = found.sql;
        }
        let field: Arc<str> = adjusted(&column.name, options.field_names, Named::Field).into();
        if let Some(slot) = key_place.and_then(|place| key.get_mut(place)) {
            let (name, schema) = (field.clone(), found.schema.clone());
            *slot = Some(ColumnLayout { name, schema, cell, codec: found.key });
        }
        if wanted {
            let (schema, codec) = mapped(table, column, &name, options, found.schema, found.value)?;
            columns.push(ColumnLayout { name: field, schema, cell, codec });
        }
    }
    let key: Vec<ColumnLayout> = key.into_iter().flatten().collect();
    unique(table, &columns)?;
    unique(table, &key)?;
    Ok(TableLayout {
        id: table.id.clone(),
        version: NEXT_VERSION.fetch_add(1, Ordering::Relaxed),
        cells: table.columns.len(),
        columns: columns.into(),
        key: key.into(),
        names,
    })
}

fn names(table: &Table) -> TableNames {
    let place = |name: &String| table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    TableNames {
        columns: table
            .columns
            .iter()
            .map(|column| ColumnName { name: column.name.as_str().into(), sql: None })
            .collect(),
        primary_key: table.primary_key.iter().filter_map(place).collect(),
    }
}

/// The places of the key's columns in the table, in key order: those of `message.key.columns`, in the order of
/// its expressions, or the table's own key where none matches.
fn key_places(table: &Table, options: &LayoutOptions) -> Result<Vec<usize>, LayoutError> {
    let mut places = Vec::new();
    for expression in &options.key_columns {
        for (place, column) in table.columns.iter().enumerate() {
            let name = format!("{}.{}", table.id, column.name);
            if expression.matches(&name).map_err(|_| LayoutError::regex(&name))? && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    if places.is_empty() {
        let place = |name: &String| {
            let found = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            found.ok_or_else(|| LayoutError::KeyColumn { table: table.id.to_string(), column: name.clone() })
        };
        return table.primary_key.iter().map(place).collect();
    }
    Ok(places)
}

/// Applies the first rule that matches a column, or propagates its source type. Debezium tries propagation before
/// hashes, so that a column with both is written in the clear; here a mask always wins.
fn mapped(
    table: &Table,
    column: &Column,
    name: &str,
    options: &LayoutOptions,
    schema: Arc<Schema>,
    codec: Arc<dyn Codec>,
) -> Result<(Arc<Schema>, Arc<dyn Codec>), LayoutError> {
    let matches = |list: &RegexList, text: &str| list.matches(text).map_err(|_| LayoutError::regex(text));
    for rule in &options.rules {
        if matches(&rule.columns, name)? {
            return Ok(rule.mask.apply(column, schema, codec));
        }
    }
    let mut propagate = match &options.propagate_columns {
        Some(list) => matches(list, name)?,
        None => false,
    };
    if let (false, Some(list)) = (propagate, &options.propagate_types) {
        propagate = matches(list, &format!("{}.{}", table.id, column.type_name))?;
    }
    if !propagate {
        return Ok((schema, codec));
    }
    Ok((source_type(column, &schema).into(), codec))
}

/// The schema with the parameters that tell the column's type in the source.
fn source_type(column: &Column, schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    let mut add = |name: &str, value: &str| {
        let name = format!("__debezium.source.column.{name}");
        schema.parameters.push((name.into(), value.into()));
    };
    add("type", &column.type_name.to_uppercase());
    if let Some(length) = column.length.filter(|length| *length != -1) {
        add("length", &length.to_string());
    }
    if let Some(scale) = column.scale {
        add("scale", &scale.to_string());
    }
    if let Some(comment) = column.comment.as_deref().filter(|comment| !comment.is_empty()) {
        add("comment", comment);
    }
    add("name", &column.name);
    schema
}

fn unique(table: &Table, fields: &[ColumnLayout]) -> Result<(), LayoutError> {
    for (index, field) in fields.iter().enumerate() {
        if fields.iter().take(index).any(|other| other.name == field.name) {
            return Err(LayoutError::DuplicateField { table: table.id.to_string(), field: field.name.to_string() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
