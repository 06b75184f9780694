//! From a checked configuration to the layouts of MySQL and MariaDB tables.

use std::sync::Arc;

use crate::config::connector::{ColumnMask, ConnectorConfig};
use crate::source::binlog::codec::{CodecOptions, Layouts};
use crate::source::layout::{ColumnRule, Digest, LayoutOptions, Mask};

/// What makes the layouts that a connector asks for.
pub fn layouts(config: &ConnectorConfig) -> Layouts {
    let (events, capture) = (&config.events, &config.capture);
    let rules = capture
        .column_rules
        .iter()
        .filter_map(|rule| Some(ColumnRule { columns: rule.columns.clone(), mask: mask(&rule.mask)? }));
    Layouts {
        codecs: CodecOptions {
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
        columns: LayoutOptions {
            columns: capture.columns.clone(),
            key_columns: capture.key_columns.clone(),
            rules: rules.collect(),
            propagate_columns: capture.propagate_columns.clone(),
            propagate_types: capture.propagate_types.clone(),
            field_names: events.field_names,
        },
        failures: Arc::default(),
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
