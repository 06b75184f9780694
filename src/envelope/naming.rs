//! Names of topics and schemas.
//!
//! Source: Debezium's topic naming strategies, and its `schema.name.adjustment.mode`.

use std::sync::Arc;

use crate::model::modes::SchemaNameAdjustmentMode;
use crate::model::table::TableId;
use crate::util::avro_name::{Named, adjusted};

/// Kafka's longest topic name, in characters.
const TOPIC_NAME_MAXIMUM_LENGTH: usize = 249;

/// Makes schema names fit for Avro, where asked to.
#[derive(Clone, Debug)]
pub struct NameAdjuster {
    mode: SchemaNameAdjustmentMode,
}

impl NameAdjuster {
    /// An adjuster of the given mode.
    pub fn new(mode: SchemaNameAdjustmentMode) -> Self {
        NameAdjuster { mode }
    }

    /// A full name (`server.db.table.Value`), adjusted. A dot is legal anywhere but in the first place.
    pub fn name(&self, name: &str) -> String {
        adjusted(name, self.mode, Named::Schema)
    }
}

/// The names of a connector's topics.
#[derive(Clone, Debug)]
pub struct TopicNames {
    /// `topic.prefix`: also the schema-change topic.
    pub prefix: Arc<str>,
    /// `topic.delimiter`.
    pub delimiter: String,
    /// The heartbeat topic.
    pub heartbeat: Arc<str>,
    /// The transaction topic.
    pub transaction: Arc<str>,
}

impl TopicNames {
    /// The topic of a table's changes, with what Kafka does not allow in names replaced by `_`.
    pub fn table(&self, id: &TableId) -> String {
        let first = id.schema.as_ref().unwrap_or(&id.catalog);
        let parts = [&*self.prefix, &**first, &*id.table];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
        sanitized(&parts.join(&self.delimiter))
    }
}

/// A name with every character that Kafka does not allow replaced by `_`.
pub fn sanitized(name: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    // Java counts UTF-16 units: a character outside the basic plane becomes two underscores.
    let mut sanitized = String::with_capacity(name.len());
    for c in name.chars() {
        if legal(c) {
            sanitized.push(c);
        } else {
            sanitized.extend(std::iter::repeat_n('_', c.len_utf16()));
        }
    }
    sanitized.truncate(TOPIC_NAME_MAXIMUM_LENGTH);
    match sanitized.as_str() {
        "." => "_".to_owned(),
        ".." => "__".to_owned(),
        _ => sanitized,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mode: SchemaNameAdjustmentMode, name: &str, expected: &str) {
        assert_eq!(NameAdjuster::new(mode).name(name), expected);
    }

    #[test]
    fn names_are_adjusted_as_the_mode_says() {
        check(SchemaNameAdjustmentMode::None, "a-b.9c.Value", "a-b.9c.Value");
        check(SchemaNameAdjustmentMode::Avro, "a-b.9c.Value", "a_b.9c.Value");
        check(SchemaNameAdjustmentMode::Avro, "9a.b", "_9a.b");
        check(SchemaNameAdjustmentMode::AvroUnicode, "a-b_c.d", "a_u002db_u005fc.d");
    }

    #[test]
    fn topic_names_hold_only_what_kafka_allows() {
        for (name, expected) in [("a.b.c", "a.b.c"), ("a.b.ü c", "a.b.__c"), ("..", "__"), ("a.😀", "a.__")] {
            assert_eq!(sanitized(name), expected);
        }
        assert_eq!(sanitized(&"x".repeat(300)).len(), 249);
    }
}
