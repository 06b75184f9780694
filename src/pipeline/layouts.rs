//! From a checked configuration to the layouts of tables.

use std::sync::Arc;

use crate::config::connector::{ColumnMask, ConnectorConfig, PostgresOptions};
use crate::source::binlog::codec as binlog;
use crate::source::binlog::tables::LayoutMaker;
use crate::source::layout::{ColumnRule, LayoutOptions, Mask};

use crate::source::postgres;

/// What makes the layouts that a connector asks for.
pub enum Layouts {
    /// Those of MySQL and MariaDB.
    Binlog(Arc<dyn LayoutMaker>),
    /// Those of PostgreSQL, with what its configuration says.
    Postgres(Box<PostgresOptions>, Arc<postgres::codec::Layouts>),
}

/// What makes the layouts that a connector asks for.
pub fn layouts(config: &ConnectorConfig) -> Layouts {
    match &config.postgres {
        None => Layouts::Binlog(Arc::new(binlog_layouts(config))),
        Some(options) => Layouts::Postgres(Box::new(options.clone()), Arc::new(postgres_layouts(config, options))),
    }
}

/// What is done to columns, whatever their types.
fn columns(config: &ConnectorConfig) -> LayoutOptions {
    let (events, capture) = (&config.events, &config.capture);
    let rules =
        capture.column_rules.iter().map(|rule| ColumnRule { columns: rule.columns.clone(), mask: mask(&rule.mask) });
    LayoutOptions {
        columns: capture.columns.clone(),
        key_columns: capture.key_columns.clone(),
        rules: rules.collect(),
        propagate_columns: capture.propagate_columns.clone(),
        propagate_types: capture.propagate_types.clone(),
        field_names: events.field_names,
    }
}

fn postgres_layouts(config: &ConnectorConfig, options: &PostgresOptions) -> postgres::codec::Layouts {
    let events = &config.events;
    postgres::codec::Layouts {
        codecs: postgres::codec::CodecOptions {
            decimal: events.decimal,
            time_precision: events.time,
            binary: events.binary,
            interval: options.types.interval,
            hstore: options.types.hstore,
            money_fraction_digits: options.types.money_fraction_digits,
            include_unknown_datatypes: options.types.include_unknown,
            unavailable_value_placeholder: events.unavailable_value.clone().unwrap_or_default(),
            include_schema_comments: events.schema_comments,
            converting_failure: events.converting_failure,
            generation: events.generation,
        },
        columns: columns(config),
        failures: Arc::default(),
    }
}

/// The layouts of MySQL and MariaDB tables.
pub fn binlog_layouts(config: &ConnectorConfig) -> binlog::Layouts {
    let events = &config.events;
    binlog::Layouts {
        codecs: binlog::CodecOptions {
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
            ..binlog::CodecOptions::default()
        },
        columns: columns(config),
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
        let masks = columns(&config).rules.iter().map(|rule| format!("{:?}", rule.mask)).collect::<Vec<_>>();
        assert_eq!(masks.len(), 2 + 2 * Digest::names().count(), "{masks:?}");
        for digest in Digest::names() {
            for version in ["v1", "v2"] {
                assert!(masks.contains(&format!("Hash({digest}, {version})")), "{digest} {version} {masks:?}");
            }
        }
    }
}
