//! `io.debezium.transforms.ByLogicalTableRouter`: one topic for many tables of the same shape (shards, partitions).
//!
//! In: any record. Out: where the topic matches `topic.regex` as a whole, the record on the new topic: key, row and
//! envelope have schemas named after it, and the key one more field that says which table it came from. Promised: topics,
//! schemas and keys of Debezium 3.6; a topic is looked at once and a schema made once, the rows stay where they lie. Records
//! that are no envelopes get the topic and the key alone. Nothing here survives a crash.

use std::cell::Cell;
use std::sync::Arc;

use super::overlaid::Overlaid;
use super::seldom::Seldom;
use super::structs::{adjustment_mode, is_envelope, unusable, with_fields};
use crate::model::modes::SchemaNameAdjustmentMode;
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Value, ValueRef};
use crate::transform::memo::{SchemaMemo, TopicMemo};
use crate::transform::{Target, Transform, TransformError, TransformSpec, required};
use crate::util::avro_name::{Named, adjusted};
use crate::util::class_options::{ClassOption, Options};
use crate::util::java_regex::{JavaReplacement, TooCostly};

/// The transform that routes tables to a logical one.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ByLogicalTableRouter",
    aliases: &["io.debezium.transforms.ByLogicalTableRouter"],
    about: "Routes tables of the same shape to one topic",
    targets: &[Target::Record],
    options: &[&[
        ClassOption::new("topic.regex", "", "a Java regular expression that the whole topic must match; required"),
        ClassOption::new("topic.replacement", "", "the new topic, with $1 and ${name} for groups; required"),
        ClassOption::new("key.enforce.uniqueness", "true", "whether keys get a field that says the table"),
        ClassOption::new("key.field.name", "__dbz__physicalTableIdentifier", "the name of that field"),
        ClassOption::new("key.field.regex", "", "an expression for its value; otherwise that is the old topic"),
        ClassOption::new("key.field.replacement", "", "its value where the whole old topic matches key.field.regex"),
        ClassOption::new(
            "schema.name.adjustment.mode",
            "none",
            "how schema names are made legal: none, avro, avro_unicode",
        ),
        ClassOption::new("logical.table.cache.size", "16", "accepted; what is made for a topic is kept without it"),
    ]],
    build,
};

/// Schemas that are kept beyond a batch.
const SCHEMAS_MAXIMUM: usize = 4096;

struct ByLogicalTableRouter {
    topic: JavaReplacement,
    /// The name of the key's field; `None`: keys get none.
    field: Option<Arc<str>>,
    identifier: Option<JavaReplacement>,
    mode: SchemaNameAdjustmentMode,
    /// `None` for topics that do not match.
    routes: TopicMemo<Option<Route>>,
    made: Cell<usize>,
    without_name: Seldom,
}

/// What becomes of the records of one topic.
struct Route {
    topic: Arc<str>,
    identifier: String,
    keys: SchemaMemo<Arc<Schema>>,
    /// `None` for schemas that are no envelope's.
    envelopes: SchemaMemo<Option<Envelope>>,
}

struct Envelope {
    schema: Arc<Schema>,
    /// Whether null can stand for a default.
    has_defaults: bool,
}

fn build(options: &Options<'_>, _target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let replacement = |regex, replacement| {
        JavaReplacement::parse(required(options, regex)?, required(options, replacement)?)
            .map_err(|error| TransformError::Options { reason: format!("{regex} and {replacement}: {error}") })
    };
    let mode = adjustment_mode(options, "schema.name.adjustment.mode")?;
    let field = options.text("key.field.name").unwrap_or("__dbz__physicalTableIdentifier");
    let identified = options.text("key.field.regex").is_some();
    Ok(Box::new(ByLogicalTableRouter {
        topic: replacement("topic.regex", "topic.replacement")?,
        field: options.flag("key.enforce.uniqueness", true)?.then(|| field.into()),
        identifier: identified.then(|| replacement("key.field.regex", "key.field.replacement")).transpose()?,
        mode,
        routes: TopicMemo::default(),
        made: Cell::default(),
        without_name: Seldom::default(),
    }))
}

impl ByLogicalTableRouter {
    fn route(&self, topic: &str) -> Result<Option<Route>, TooCostly> {
        let Some(new) = self.topic.replace_first(topic)? else { return Ok(None) };
        let identifier = match &self.identifier {
            Some(identifier) => identifier.replace_first(topic)?,
            None => None,
        };
        Ok(Some(Route {
            topic: new.into(),
            identifier: identifier.unwrap_or_else(|| topic.to_owned()),
            keys: SchemaMemo::default(),
            envelopes: SchemaMemo::default(),
        }))
    }

    /// A schema under another name and with other fields; unlike `with_fields` it stays optional.
    fn renamed(&self, schema: &Schema, name: &str, fields: Vec<Field>) -> Result<Schema, TransformError> {
        self.made.set(self.made.get().saturating_add(1));
        let name = adjusted(name, self.mode, Named::Schema);
        Ok(Schema { optional: schema.optional, ..with_fields(schema, fields)?.named(&name) })
    }

    fn key_schema(&self, schema: &Schema, route: &Route) -> Result<Arc<Schema>, TransformError> {
        let more = self.field.iter().map(|name| Field { name: name.clone(), schema: Schema::new(Kind::String).into() });
        let fields = schema.fields().iter().cloned().chain(more).collect();
        Ok(Arc::new(self.renamed(schema, &format!("{}.Key", route.topic), fields)?))
    }

    fn envelope(&self, schema: &Schema, route: &Route) -> Result<Envelope, TransformError> {
        let fields = schema.fields();
        let is_image = |field: &&Field| matches!(&*field.name, "before" | "after");
        // The schema of `before` serves both, and that of `after` where there is no other.
        let image = fields.iter().find(|field| &*field.name == "before").or(fields.iter().find(is_image));
        let row = match image {
            Some(Field { schema: row, .. }) => {
                Some(Arc::new(self.renamed(row, &format!("{}.Value", route.topic), row.fields().to_vec())?))
            }
            None => None,
        };
        let field = |field: &Field| match &row {
            Some(row) if is_image(&field) => Field { name: field.name.clone(), schema: row.clone() },
            _ => field.clone(),
        };
        let has_defaults = fields.iter().any(|field| field.schema.default.as_ref().is_some_and(|d| *d != Value::Null));
        let renamed = self.renamed(schema, &format!("{}.Envelope", route.topic), fields.iter().map(field).collect())?;
        Ok(Envelope { schema: Arc::new(renamed), has_defaults })
    }

    fn key<'a>(&'a self, route: &'a Route, key: Typed<'a>, arena: &'a Arena) -> Result<Typed<'a>, TransformError> {
        let (schema, view) = match (key.schema, key.value) {
            (_, ValueRef::Null) => return Ok(Typed::NULL),
            (Some(schema), ValueRef::Struct(view)) => (schema, view),
            (_, value) => {
                return Err(unusable(format!("a key must be a struct to be routed, and this is a {value:?}")));
            }
        };
        let new = route.keys.get(schema, || self.key_schema(schema, route))?;
        let over = arena.alloc_slice_copy(&[(schema.fields().len(), ValueRef::String(&route.identifier))]);
        let view = if self.field.is_some() { arena.alloc(Overlaid { base: view, defaults: None, over }) } else { view };
        Ok(Typed { schema: Some(new), value: ValueRef::Struct(view) })
    }
}

impl Transform for ByLogicalTableRouter {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let route = self.routes.get(record.topic, || self.route(record.topic));
        let Some(route) = route.map_err(|error| unusable(error.to_string()))? else { return Ok(Some(record)) };
        if route.topic.is_empty() {
            if let Some(times) = self.without_name.count() {
                tracing::warn!(
                    topic = &**record.topic,
                    times,
                    "topic.replacement gives an empty topic; the record stays on its own"
                );
            }
            return Ok(Some(record));
        }
        record.topic = &route.topic;
        record.key = self.key(route, record.key, arena)?;
        let (Some(schema), value) = (record.value.schema, record.value.value) else { return Ok(Some(record)) };
        if matches!(value, ValueRef::Null) {
            return Ok(Some(record));
        }
        let of = || is_envelope(schema).then(|| self.envelope(schema, route)).transpose();
        let Some(envelope) = route.envelopes.get(schema, of)? else { return Ok(Some(record)) };
        let ValueRef::Struct(view) = value else {
            return Err(unusable("an envelope that is not a struct".to_owned()));
        };
        record.value.schema = Some(&envelope.schema);
        if envelope.has_defaults {
            record.value.value =
                ValueRef::Struct(arena.alloc(Overlaid { base: view, defaults: Some(schema), over: &[] }));
        }
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.routes.rest();
        if self.made.get() > SCHEMAS_MAXIMUM {
            self.made.set(0);
            self.routes = TopicMemo::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const TO_SHARD: [(&str, &str); 2] =
        [("topic.regex", r"(.*)shop\.outbox"), ("topic.replacement", "$1all_shards.customers")];

    #[track_caller]
    fn check(options: &[(&str, &str)], samples: &[Sample], expected: &str) {
        let mut config = vec![("transforms".to_owned(), "r".to_owned())];
        config.push(("transforms.r.type".to_owned(), "io.debezium.transforms.ByLogicalTableRouter".to_owned()));
        config.extend(options.iter().map(|(name, value)| (format!("transforms.r.{name}"), (*value).to_owned())));
        let config: Vec<(&str, &str)> = config.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(run(&config, samples).trim_end(), expected);
    }

    fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        TO_SHARD.iter().copied().chain(more.iter().copied()).collect()
    }

    fn simple() -> Sample {
        let row = Schema::new(Kind::Struct(vec![Field::new("id", int())])).optional().named("srv.shop.outbox.Value");
        let (schema, value) = structure(&[
            ("before", row.clone(), Value::Null),
            ("after", row, Value::Struct(vec![Value::Int32(1)])),
            ("op", text(), t("c")),
        ]);
        Sample::of(schema.named("srv.shop.outbox.Envelope").version(2), value)
    }

    fn key(topic: &str, field: &str, identifier: &str) -> String {
        format!("topic {topic}\nkey {{id string, {field} string}}({topic}.Key) {{'k1', '{identifier}'}}\nvalue ")
    }

    fn value(name: &str) -> String {
        let row = format!("{{id int32}}?({name}.Value)");
        format!("{{before {row}, after {row}, op string}}({name}.Envelope v2) {{null, {{1}}, 'c'}}")
    }

    const TOPIC: &str = "srv.all_shards.customers";
    const FIELD: &str = "__dbz__physicalTableIdentifier";

    #[test]
    fn an_envelope_gets_topic_key_and_names() {
        let own = key(TOPIC, FIELD, "srv.shop.outbox") + &value(TOPIC);
        check(&TO_SHARD, &[simple(), simple()], &format!("{own}\n{own}"));
        check(&[("topic.regex", "(other)"), TO_SHARD[1]], &[simple()], "passed");
        // Only a whole match counts.
        check(&[("topic.regex", "(shop)"), TO_SHARD[1]], &[simple()], "passed");
        check(
            &with(&[("key.field.name", "shard")]),
            &[simple()],
            &(key(TOPIC, "shard", "srv.shop.outbox") + &value(TOPIC)),
        );
    }

    #[test]
    fn the_identifier_is_made_of_the_old_topic() {
        let made = [("key.field.regex", r"srv\.(.*)\.outbox"), ("key.field.replacement", "shard-$1")];
        check(&with(&made), &[simple()], &(key(TOPIC, FIELD, "shard-shop") + &value(TOPIC)));
        let unmatched = [("key.field.regex", "nothing"), ("key.field.replacement", "x")];
        check(&with(&unmatched), &[simple()], &(key(TOPIC, FIELD, "srv.shop.outbox") + &value(TOPIC)));
        let none = format!("topic {TOPIC}\nkey {{id string}}({TOPIC}.Key) {{'k1'}}\nvalue {}", value(TOPIC));
        check(&with(&[("key.enforce.uniqueness", "false")]), &[simple()], &none);
    }

    #[test]
    fn other_values_stay_and_keys_are_routed_all_the_same() {
        check(&TO_SHARD, &[Sample::tombstone()], &(key(TOPIC, FIELD, "srv.shop.outbox") + "- null"));
        let other = Sample::of(text().named("a.SchemaChangeValue"), t("ddl"));
        check(&TO_SHARD, &[other], &(key(TOPIC, FIELD, "srv.shop.outbox") + "string(a.SchemaChangeValue) 'ddl'"));
        let no_key = Sample { key: None, ..simple() };
        check(&TO_SHARD, &[no_key], &format!("topic {TOPIC}\nkey - null\nvalue {}", value(TOPIC)));
        let text_key = Sample { key: Some((Arc::new(text()), t("k"))), ..simple() };
        check(&TO_SHARD, &[text_key], "HW1003 transform r: a key must be a struct to be routed, and this is a string");
        check(
            &with(&[("key.field.name", "id")]),
            &[simple()],
            "HW1003 transform r: cannot create field id twice in one struct",
        );
    }

    #[test]
    fn names_are_made_legal() {
        let to =
            [("topic.regex", "(.*)"), ("topic.replacement", "all-shards"), ("schema.name.adjustment.mode", "avro")];
        let expected = key("all-shards", FIELD, "srv.shop.outbox").replace("(all-shards.", "(all_shards.");
        check(&to, &[simple()], &(expected + &value("all_shards")));
    }

    #[test]
    fn an_empty_topic_lets_the_record_pass() {
        // The replacement must not be empty, but what it gives may be.
        check(&[("topic.regex", "srv.*(x?)"), ("topic.replacement", "$1")], &[simple()], "passed");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let refused = |reason: &str| format!("refused: transform r: {reason}");
        check(&[], &[], &refused("topic.regex is not set"));
        check(&[TO_SHARD[0]], &[], &refused("topic.replacement is not set"));
        check(&with(&[("key.field.regex", "a")]), &[], &refused("key.field.replacement is not set"));
        let mode = "schema.name.adjustment.mode=upper is not none, avro or avro_unicode";
        check(&with(&[("schema.name.adjustment.mode", "upper")]), &[], &refused(mode));
    }
}
