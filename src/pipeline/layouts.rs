//! From a checked configuration to the layouts of MySQL and MariaDB tables.

use std::sync::Arc;

use crate::config::connector::{ColumnMask, ConnectorConfig};
use crate::source::binlog::codec::{CodecOptions, Layouts};
use crate::source::layout::{ColumnRule, LayoutOptions, Mask};

/// What makes the layouts that a connector asks for.
pub fn layouts(config: &ConnectorConfig) -> Layouts {
    let (events, capture) = (&config.events, &config.capture);
    let rules =
        capture.column_rules.iter().map(|rule| ColumnRule { columns: rule.columns.clone(), mask: mask(&rule.mask) });
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
            generation: events.generation,
            unavailable_value_placeholder: events.unavailable_value.clone(),
            converters: config.column_converters.clone(),
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

/// The mask of a rule. Every rule has one: a rule that were left out would send the column in clear text.
fn mask(mask: &ColumnMask) -> Mask {
    match mask {
        ColumnMask::Truncate(length) => Mask::Truncate(*length),
        ColumnMask::Asterisks(length) => Mask::Asterisks(*length),
        ColumnMask::Hash { digest, salt, version } => {
            Mask::Hash { digest: *digest, salt: salt.expose().as_bytes().into(), version: *version }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;
    use crate::util::digest::Digest;

    /// The masks of a configuration reach the layouts, one for one, whatever digest they name.
    #[test]
    fn no_mask_is_left_out_on_the_way() {
        let mut raw: BTreeMap<String, String> = [
            ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
            ("topic.prefix", "shop"),
            ("database.hostname", "localhost"),
            ("database.user", "cdc"),
            ("database.server.id", "5401"),
            ("schema.history.internal", "io.debezium.relational.history.MemorySchemaHistory"),
            ("column.truncate.to.3.chars", "a.b.c"),
            ("column.mask.with.3.chars", "a.b.d"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for digest in Digest::names() {
            raw.insert(format!("column.mask.hash.{digest}.with.salt.x"), format!("a.b.{digest}"));
            raw.insert(format!("column.mask.hash.v2.{}.with.salt.y", digest.to_lowercase()), format!("a.c.{digest}"));
        }
        let environment = crate::config::provider::Environment::default();
        let worker = crate::config::worker::WorkerConfig::from_map(&BTreeMap::new(), environment).unwrap().0;
        let config = ConnectorConfig::from_map("c", raw, &worker).unwrap().0;
        let masks = layouts(&config).columns.rules.iter().map(|rule| format!("{:?}", rule.mask)).collect::<Vec<_>>();
        assert_eq!(masks.len(), 2 + 2 * Digest::names().count(), "{masks:?}");
        for digest in Digest::names() {
            for version in ["v1", "v2"] {
                assert!(masks.contains(&format!("Hash({digest}, {version})")), "{digest} {version} {masks:?}");
            }
        }
    }
}
