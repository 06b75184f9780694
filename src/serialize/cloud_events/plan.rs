//! How the records of one schema on one topic become events.
//!
//! In: a record's value and headers. Out: the event's bytes. Promised: what a registry must be asked for is asked for
//! once for what decides it, and kept. What decides it is in the record: the schema of `source`, its server and database
//! (they name the event's schema), and a header that names data's schema. Nothing here survives a crash.
//!
//! ```text
//!  record ─▶ facts ─▶ known variant? ─no─▶ prepare data, then the event (a registry gives ids in this order)
//!                         └─yes─▶ data ─▶ [dataschema] ─▶ attributes ─▶ event
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use super::attributes::{self, Connector, Places};
use super::facts::{Facts, Read, no_event, unreadable};
use super::{Data, Settings};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, StructView, ValueRef, field_or_default};
use crate::serialize::error::SerializeError;
use crate::serialize::{Outcome, Plan, RecordPart, RecordPlan};

/// Variants that a plan keeps; beyond it all are made again as they are needed, because a header may name any schema.
/// Confluent's client keeps as many schemas of a subject (`max.schemas.per.subject`).
const VARIANTS_MAXIMUM: usize = 1_000;

/// What is no event is a record without a value.
pub(super) struct NoEvent;

impl Plan for NoEvent {
    fn write(&self, _: &ValueRef<'_>, _: &Arena, _: &mut Vec<u8>) -> Result<bool, SerializeError> {
        Ok(false)
    }
}

/// The plan for one schema of values on one topic.
pub(super) struct EventPlan {
    settings: Arc<Settings>,
    topic: String,
    schema: Arc<Schema>,
    /// The one used last stands first. Each worker has a plan of its own: nobody waits for the lock.
    variants: Mutex<Vec<Arc<Variant>>>,
}

/// What decides the schemas of an event and of its data.
struct Key<'k> {
    connector: &'static Connector,
    source: &'k Arc<Schema>,
    /// Server and database, where the event's schema is named after them.
    named_after: Option<[&'k str; 2]>,
    data_name: Option<Option<&'k str>>,
}

struct Variant {
    connector: &'static Connector,
    source: Arc<Schema>,
    named_after: Option<[String; 2]>,
    data_name: Option<Option<String>>,
    places: Places,
    /// Fields of the value that data has.
    copied: Vec<usize>,
    event: Arc<dyn Plan>,
    /// Where data is not written with the event.
    data: Option<Arc<dyn Plan>>,
}

impl Variant {
    fn is_for(&self, key: &Key<'_>) -> bool {
        let same_name = match (&self.named_after, key.named_after) {
            (Some([server, database]), Some(names)) => names == [server.as_str(), database.as_str()],
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_name
            && std::ptr::eq(self.connector, key.connector)
            && self.data_name.as_ref().map(Option::as_deref) == key.data_name
            && (Arc::ptr_eq(&self.source, key.source) || self.source == *key.source)
    }
}

impl EventPlan {
    pub(super) fn new(settings: Arc<Settings>, topic: &str, schema: &Arc<Schema>) -> EventPlan {
        EventPlan { settings, topic: topic.to_owned(), schema: schema.clone(), variants: Mutex::default() }
    }

    fn key<'r>(&self, facts: &Facts<'r>, arena: &'r Arena) -> Result<Key<'r>, SerializeError> {
        let is_named_after = self.settings.event_is_avro && self.settings.event_name.is_none();
        let names = || attributes::server_and_database(facts, arena);
        Ok(Key {
            connector: facts.connector,
            source: facts.schema,
            named_after: is_named_after.then(names).transpose()?,
            data_name: facts.data_name,
        })
    }

    fn known(&self, key: &Key<'_>) -> Option<Arc<Variant>> {
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        let place = variants.iter().position(|variant| variant.is_for(key))?;
        variants.swap(0, place);
        variants.first().cloned()
    }

    fn keep(&self, variant: Arc<Variant>) {
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        if variants.len() >= VARIANTS_MAXIMUM {
            variants.clear();
        }
        variants.push(variant);
    }

    fn variant(&self, key: &Key<'_>) -> Result<Variant, SerializeError> {
        let settings = &self.settings;
        let fields = self.schema.fields();
        let copied: Vec<usize> = if settings.metadata.all_in_headers || key.connector.data.is_empty() {
            (0..fields.len()).collect()
        } else {
            let place = |name: &&str| {
                let missing = || no_event(format!("the envelope has no {name}"));
                self.schema.field_index(name).ok_or_else(missing)
            };
            key.connector.data.iter().map(place).collect::<Result<_, _>>()?
        };
        let places = Places::find(key.connector, key.source)?;
        let data_schema =
            self.data_schema(key, copied.iter().filter_map(|index| fields.get(*index).cloned()).collect());
        let (inline, data) = match &settings.data {
            Data::Inline => (data_schema, None),
            Data::Json(converter) => {
                let data = converter.prepare(&self.topic, Some(&Arc::new(data_schema)))?;
                (Schema::new(Kind::Struct(Vec::new())), Some(data))
            }
            Data::Avro { converter, .. } => {
                // Beside an event in Avro, data needs a subject of its own.
                let suffix = if settings.event_is_avro { "-data" } else { "" };
                let topic = format!("{}{suffix}", self.topic);
                (Schema::new(Kind::Bytes), Some(converter.prepare(&topic, Some(&Arc::new(data_schema)))?))
            }
        };
        let name = settings.event_name.clone().or_else(|| {
            let [server, database] = key.named_after?;
            let name = format!("{server}.{database}.CloudEvents.Envelope");
            Some(attributes::adjusted_name(&name, settings.names))
        });
        let event = attributes::event_schema(settings, name, key.source, inline)?;
        Ok(Variant {
            connector: key.connector,
            source: key.source.clone(),
            named_after: key.named_after.map(|names| names.map(str::to_owned)),
            data_name: key.data_name.map(|name| name.map(str::to_owned)),
            places,
            copied,
            event: settings.event.prepare(&self.topic, Some(&Arc::new(event)))?,
            data,
        })
    }

    fn data_schema(&self, key: &Key<'_>, fields: Vec<Field>) -> Schema {
        let schema = Schema::new(Kind::Struct(fields));
        match key.data_name {
            Some(None) => schema,
            Some(Some(name)) => schema.named(name),
            None => schema.named(&format!("io.debezium.connector.{}.Data", key.connector.name)),
        }
    }

    /// The value of data.
    fn data<'r>(
        &'r self,
        variant: &Variant,
        view: &'r dyn StructView,
        arena: &'r Arena,
    ) -> Result<ValueRef<'r>, SerializeError> {
        let mut copied = bumpalo::collections::Vec::with_capacity_in(variant.copied.len(), arena);
        for index in &variant.copied {
            copied.push(field_or_default(view, &self.schema, *index, arena).map_err(unreadable("data"))?);
        }
        Ok(ValueRef::Struct(arena.alloc(Fields(copied.into_bump_slice()))))
    }

    fn write_event(
        &self,
        facts: &Facts<'_>,
        variant: &Variant,
        view: &dyn StructView,
        arena: &Arena,
        out: &mut Vec<u8>,
    ) -> Result<(), SerializeError> {
        let data = self.data(variant, view, arena)?;
        let mut bytes: &[u8] = &[];
        if let (Data::Avro { .. }, Some(plan)) = (&self.settings.data, &variant.data) {
            let start = out.len();
            plan.write(&data, arena, out)?;
            bytes = arena.alloc_slice_copy(out.get(start..).unwrap_or_default());
            out.truncate(start);
        }
        let (inline, schema_id) = match &self.settings.data {
            Data::Inline => (data, None),
            Data::Json(_) => (ValueRef::Struct(arena.alloc(Fields(&[]))), None),
            Data::Avro { .. } => (ValueRef::Bytes(bytes), Some(schema_id(bytes)?)),
        };
        let mut values = attributes::values(&self.settings, facts, &variant.places, schema_id, arena)?;
        values.push(inline);
        let event = ValueRef::Struct(arena.alloc(Fields(values.into_bump_slice())));
        variant.event.write(&event, arena, out)?;
        if let (Data::Json(_), Some(plan)) = (&self.settings.data, &variant.data) {
            // The event ends in `"data":{}}`: what is between the last braces is data with its schema.
            out.truncate(out.len().saturating_sub(3));
            plan.write(&data, arena, out)?;
            out.push(b'}');
        }
        Ok(())
    }
}

/// The id that Avro's bytes begin with.
fn schema_id(bytes: &[u8]) -> Result<u32, SerializeError> {
    match bytes {
        // Debezium's class looks at a byte behind the id, too.
        [0, a, b, c, d, _, ..] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => Err(no_event("data has no fields".to_owned())),
    }
}

impl Plan for EventPlan {
    /// Without headers.
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError> {
        let written = self.write_record(&RecordPart { value, headers: &[] }, true, arena, out)?;
        Ok(matches!(written, Outcome::Written))
    }

    fn by_record(&self) -> Option<&dyn RecordPlan> {
        Some(self)
    }
}

impl RecordPlan for EventPlan {
    fn write_record(
        &self,
        record: &RecordPart<'_>,
        may_ask: bool,
        arena: &Arena,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, SerializeError> {
        if matches!(record.value, ValueRef::Null) {
            return Ok(Outcome::Null);
        }
        let nothing = Fields(&[]);
        let found: Option<&dyn StructView> = if let ValueRef::Struct(view) = record.value { Some(*view) } else { None };
        let value = found.unwrap_or(&nothing);
        let read = Read { settings: &self.settings, schema: &self.schema, value, headers: record.headers, arena };
        // As in Debezium's class: a record without the headers is no event, whatever its value is.
        let Some(facts) = read.facts()? else { return Ok(Outcome::Null) };
        let view = found.ok_or_else(|| no_event("its value is no struct".to_owned()))?;
        let key = self.key(&facts, arena)?;
        let variant = match self.known(&key) {
            Some(variant) => variant,
            None if !may_ask => return Ok(Outcome::Unprepared),
            None => {
                let variant = Arc::new(self.variant(&key)?);
                self.keep(variant.clone());
                variant
            }
        };
        let start = out.len();
        self.write_event(&facts, &variant, view, arena, out).inspect_err(|_| out.truncate(start))?;
        Ok(Outcome::Written)
    }
}
