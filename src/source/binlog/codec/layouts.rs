//! Layouts of tables: the tracked table, the table map and the options put together.
//!
//! In: a tracked table and what the log says about its columns. Out: a layout whose codecs are guarded by
//! `event.converting.failure.handling.mode`. Made anew for each version of a table, never for a row.

use std::sync::Arc;

use super::super::event::ColumnMetadata;
use super::super::tables::LayoutMaker;
use super::in_sql::in_sql;
use super::{CodecOptions, ConversionFailures, WireColumn, column_codec, guarded};
use crate::error::Failure;
use crate::model::row::TableLayout;
use crate::model::table::Table;
use crate::model::value::ValueError;
use crate::source::layout::{ColumnParts, LayoutOptions, table_layout};

/// Makes the layouts of a connector's tables.
#[derive(Debug, Default)]
pub struct Layouts {
    /// What values look like.
    pub codecs: CodecOptions,
    /// Which columns there are, and what is done to them.
    pub columns: LayoutOptions,
    /// Where values that cannot be converted are counted.
    pub failures: Arc<ConversionFailures>,
}

impl WireColumn {
    /// From what a table map says.
    pub fn of(column: &ColumnMetadata<'_>) -> WireColumn {
        WireColumn {
            wire_type: column.column_type.real,
            metadata: column.column_type.metadata,
            unsigned: column.unsigned,
            collation: column.collation.and_then(|collation| u16::try_from(collation).ok()),
        }
    }
}

impl LayoutMaker for Layouts {
    fn layout(&self, table: &Table, columns: &[ColumnMetadata<'_>]) -> Result<TableLayout, Failure> {
        let mode = self.codecs.converting_failure;
        let uncommented = (!self.codecs.include_schema_comments).then(|| without_comments(table));
        let table = uncommented.as_ref().unwrap_or(table);
        table_layout(table, &self.columns, |place, column| {
            let wire = match columns.get(place) {
                Some(metadata) => WireColumn::of(metadata),
                None if columns.is_empty() => WireColumn::tracked(column),
                // The caller has compared the numbers of columns.
                None => return Err(ValueError::Shape.into()),
            };
            let parts = column_codec(&table.id, column, wire, &self.codecs)?;
            let guard = |key| guarded(&table.id, &column.name, &parts, mode, key, &self.failures);
            let (value, key) = (guard(false), guard(true));
            Ok::<_, Failure>(Some(ColumnParts { value, key, schema: parts.schema.clone(), sql: in_sql(column, wire) }))
        })
    }
}

/// Debezium does not track comments unless it is asked to, so nothing made of a table may show them.
fn without_comments(table: &Table) -> Table {
    let mut table = table.clone();
    table.comment = None;
    for column in &mut table.columns {
        column.comment = None;
    }
    table
}
