//! Layouts of tables: the table, what the relation message says of its columns, and the options put together.
//!
//! In: a table whose columns stand in the order of the relation message. Out: a layout whose codecs are guarded by
//! `event.converting.failure.handling.mode`. Made anew for each relation message, never for a row.

use std::sync::Arc;

use super::{CodecOptions, ConversionFailures, PgColumn, Types, column_codec, guarded};
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

impl Layouts {
    /// The layout of a table; `columns` has one for each of the table's, in the same order.
    ///
    /// # Errors
    /// A type that the catalog does not have, and what the layout's own options make impossible.
    pub fn layout(&self, table: &Table, columns: &[PgColumn], types: &Types) -> Result<TableLayout, Failure> {
        let mode = self.codecs.converting_failure;
        table_layout(table, &self.columns, |place, column| {
            let pg = columns.get(place).ok_or(ValueError::Shape)?;
            let Some(parts) = column_codec(&table.id, column, *pg, types, &self.codecs)? else {
                tracing::warn!(
                    table = %table.id,
                    column = column.name,
                    column_type = column.type_name,
                    "Debezium knows no such type: the column is left out unless include.unknown.datatypes is set"
                );
                return Ok(None);
            };
            let guard = |key| guarded(&table.id, &column.name, &parts, mode, key, &self.failures);
            let (value, key) = (guard(false), guard(true));
            // The log has text, as SQL has.
            Ok::<_, Failure>(Some(ColumnParts { value, key, schema: parts.schema.clone(), sql: None }))
        })
    }
}
