//! Layouts of MySQL and MariaDB tables, as the configuration asks for them.

use std::sync::Arc;

use crate::config::connector::{ColumnMask, ConnectorConfig};
use crate::error::Failure;
use crate::model::modes::EventConvertingFailureHandlingMode;
use crate::model::row::TableLayout;
use crate::model::table::Table;
use crate::model::value::ValueError;
use crate::source::binlog::codec::{self, CodecOptions, ConversionFailures, WireColumn};
use crate::source::binlog::event::table_metadata::ColumnMetadata;
use crate::source::binlog::tables::LayoutMaker;
use crate::source::layout::{ColumnParts, ColumnRule, Digest, LayoutOptions, Mask, table_layout};

/// Makes layouts.
pub struct BinlogLayouts {
    codec: CodecOptions,
    layout: LayoutOptions,
    failure_mode: EventConvertingFailureHandlingMode,
    failures: Arc<ConversionFailures>,
}

impl BinlogLayouts {
    /// The layouts that a connector asks for.
    pub fn new(config: &ConnectorConfig) -> Self {
        let (events, capture) = (&config.events, &config.capture);
        let rules = capture
            .column_rules
            .iter()
            .filter_map(|rule| Some(ColumnRule { columns: rule.columns.clone(), mask: mask(&rule.mask)? }));
        BinlogLayouts {
            codec: CodecOptions {
                decimal: events.decimal,
                time_precision: events.time,
                binary: events.binary,
                bigint_unsigned: events.bigint_unsigned,
                enable_time_adjuster: events.adjust_two_digit_years,
                include_schema_comments: super::translate::keeps_comments(config),
                invalid_dates: config.errors.event_processing,
                converting_failure: events.converting_failure,
                ..CodecOptions::default()
            },
            layout: LayoutOptions {
                columns: capture.columns.clone(),
                key_columns: capture.key_columns.clone(),
                rules: rules.collect(),
                propagate_columns: capture.propagate_columns.clone(),
                propagate_types: capture.propagate_types.clone(),
                field_names: events.field_names,
            },
            failure_mode: events.converting_failure,
            failures: Arc::default(),
        }
    }
}

/// The mask of a rule. The configuration has checked that its digest is one that every JDK has.
fn mask(mask: &ColumnMask) -> Option<Mask> {
    Some(match mask {
        ColumnMask::Truncate(length) => Mask::Truncate(*length),
        ColumnMask::Asterisks(length) => Mask::Asterisks(*length),
        ColumnMask::Hash { algorithm, salt, version } => {
            Mask::Hash { digest: Digest::named(algorithm)?, salt: salt.expose().as_bytes().into(), version: *version }
        }
    })
}

/// Debezium keeps comments only where `include.schema.comments` says so, and nothing made of a table shows them else.
fn without_comments(table: &Table) -> Table {
    let mut table = table.clone();
    table.comment = None;
    for column in &mut table.columns {
        column.comment = None;
    }
    table
}

impl LayoutMaker for BinlogLayouts {
    fn layout(&self, table: &Table, columns: &[ColumnMetadata<'_>]) -> Result<TableLayout, Failure> {
        let uncommented = (!self.codec.include_schema_comments).then(|| without_comments(table));
        let table = uncommented.as_ref().unwrap_or(table);
        table_layout(table, &self.layout, |index, column| -> Result<ColumnParts, Failure> {
            let wire = match columns.get(index) {
                Some(metadata) => WireColumn {
                    wire_type: metadata.column_type.real,
                    metadata: metadata.column_type.metadata,
                    unsigned: metadata.unsigned,
                    collation: metadata.collation.and_then(|number| u16::try_from(number).ok()),
                },
                None if columns.is_empty() => WireColumn::tracked(column),
                None => return Err(ValueError::Shape.into()),
            };
            let parts = codec::column_codec(&table.id, column, wire, &self.codec)?;
            let guard = |key| codec::guarded(&table.id, &column.name, &parts, self.failure_mode, key, &self.failures);
            Ok(ColumnParts { schema: parts.schema.clone(), value: guard(false), key: guard(true) })
        })
    }
}
