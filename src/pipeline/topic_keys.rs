//! Whether the records of one topic have keys with the same fields.
//!
//! In: topic and schema of keys, when a worker meets them first. Out: an error that is said and not returned: Debezium mixes
//! such keys without a word. Promised: all workers of a connector compare with the same; a row never comes here. Nothing here
//! survives a crash.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::error::PipelineError;
use crate::model::schema::Schema;

/// Topics whose keys are compared.
const TOPICS_MAXIMUM: usize = 4 * 1024;

/// What the keys of each topic were first.
#[derive(Default)]
pub struct TopicKeys(Mutex<HashMap<Arc<str>, Arc<Schema>>>);

impl TopicKeys {
    /// Compares a schema with what the keys of its topic were before.
    pub(super) fn compare(&self, topic: &Arc<str>, schema: &Arc<Schema>) -> Option<PipelineError> {
        let mut known = self.0.lock().ok()?;
        let Some(first) = known.get(topic) else {
            if known.len() < TOPICS_MAXIMUM {
                known.insert(topic.clone(), schema.clone());
            }
            return None;
        };
        let fields = |schema: &Schema| schema.fields().iter().map(|field| &*field.name).collect::<Vec<_>>().join(", ");
        (first.kind != schema.kind).then(|| PipelineError::KeysDiffer {
            topic: topic.to_string(),
            one: fields(first),
            other: fields(schema),
        })
    }

    /// A table was altered: the keys of its topic may be others from now on.
    pub(super) fn forget(&self, topic: &str) {
        if let Ok(mut known) = self.0.lock() {
            known.remove(topic);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::schema::{Field, Kind};

    fn key(name: &str, fields: &[&str]) -> Arc<Schema> {
        let field = |name: &&str| Field { name: (*name).into(), schema: Schema::new(Kind::Int32).into() };
        Arc::new(Schema::new(Kind::Struct(fields.iter().map(field).collect())).named(name))
    }

    #[test]
    fn keys_of_one_topic_with_other_fields_are_told() {
        let keys = TopicKeys::default();
        let told = |topic: &str, schema| keys.compare(&topic.into(), &schema).map(|error| error.to_string());
        assert_eq!(told("orders", key("a.Key", &["id"])), None);
        assert_eq!(told("orders", key("b.Key", &["id"])), None, "a table's name does not matter");
        assert_eq!(told("lines", key("c.Key", &["order_id", "line"])), None);
        let said = told("orders", key("c.Key", &["order_id", "line"])).unwrap();
        assert!(said.contains("orders") && said.contains("(id) and (order_id, line)"), "{said}");
        keys.forget("orders");
        assert_eq!(told("orders", key("a.Key", &["number"])), None, "an altered table's key is another one");
    }
}
