//! Layouts of MySQL and MariaDB tables, as the configuration asks for them.

use std::sync::Arc;

use crate::error::Failure;
use crate::model::modes::EventConvertingFailureHandlingMode;
use crate::model::row::{ColumnLayout, TableLayout};
use crate::model::table::{Column, Table};
use crate::source::binlog::codec::{self, CodecOptions, ConversionFailures, WireColumn};
use crate::source::binlog::event::table_metadata::ColumnMetadata;
use crate::source::binlog::tables::LayoutMaker;

/// Makes layouts.
pub struct BinlogLayouts {
    /// What values look like.
    pub codec: CodecOptions,
    /// `event.converting.failure.handling.mode`.
    pub failure_mode: EventConvertingFailureHandlingMode,
    /// Counts values that could not be converted.
    pub failures: Arc<ConversionFailures>,
}

impl BinlogLayouts {
    fn column(
        &self,
        table: &Table,
        index: usize,
        metadata: &ColumnMetadata<'_>,
        key: bool,
    ) -> Result<ColumnLayout, Failure> {
        let column: &Column = table.columns.get(index).ok_or(crate::model::value::ValueError::Shape)?;
        let wire = WireColumn {
            wire_type: metadata.column_type.real,
            metadata: metadata.column_type.metadata,
            unsigned: metadata.unsigned,
            collation: metadata.collation.and_then(|number| u16::try_from(number).ok()),
        };
        let parts = codec::column_codec(&table.id, column, wire, &self.codec)?;
        let guarded = codec::guarded(&table.id, &column.name, &parts, self.failure_mode, key, &self.failures);
        Ok(ColumnLayout { name: column.name.as_str().into(), schema: parts.schema, cell: index, codec: guarded })
    }
}

impl LayoutMaker for BinlogLayouts {
    fn layout(&self, table: &Table, columns: &[ColumnMetadata<'_>]) -> Result<TableLayout, Failure> {
        let all: Vec<ColumnLayout> = columns
            .iter()
            // What the log has beyond the table's own columns, the server keeps for itself.
            .take(table.columns.len())
            .enumerate()
            .map(|(index, metadata)| self.column(table, index, metadata, false))
            .collect::<Result<_, _>>()?;
        let mut key = Vec::new();
        for name in &table.primary_key {
            let found = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            if let Some((index, metadata)) =
                found.and_then(|index| columns.get(index).map(|metadata| (index, metadata)))
            {
                key.push(self.column(table, index, metadata, true)?);
            }
        }
        static VERSION: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let version = VERSION.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(TableLayout { id: table.id.clone(), version, cells: columns.len(), columns: all.into(), key: key.into() })
    }
}
