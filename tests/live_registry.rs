//! Promises: a real schema registry takes our schemas, gives the same id for the same text, refuses what is not compatible
//! with its own words, and knows what it was given.
//!
//! `HEADWATER_TEST_REGISTRY` is the URL of a registry's Confluent API (Apicurio: `http://host:port/apis/ccompat/v7`).
//! Without it this is skipped, aloud; with `CI=true` it must be there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use headwater::error::Coded as _;
use headwater::model::schema::{Field, Kind, Schema};
use headwater::model::value::{Arena, Value};
use headwater::serialize::{Role, SerializeError, avro, build};

fn registry() -> Option<String> {
    if let Ok(url) = std::env::var("HEADWATER_TEST_REGISTRY") {
        return Some(url.trim_end_matches('/').to_owned());
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "HEADWATER_TEST_REGISTRY must be set where CI=true");
    let line = "live_registry: HEADWATER_TEST_REGISTRY is not set";
    println!("SKIPPED {line}");
    if let Ok(path) = std::env::var("HEADWATER_TEST_SKIPPED") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        writeln!(file.unwrap(), "{line}").unwrap();
    }
    None
}

/// A topic of its own for each run, so that runs do not meet.
fn topic() -> String {
    format!("live-{}.shop/orders é", uuid::Uuid::new_v4())
}

fn value_schema(fields: Vec<Field>) -> Arc<Schema> {
    Arc::new(Schema::new(Kind::Struct(fields)).named("live.shop.orders.Value"))
}

fn first() -> Arc<Schema> {
    let amount = Schema::new(Kind::Bytes)
        .optional()
        .named("org.apache.kafka.connect.data.Decimal")
        .version(1)
        .parameter("scale", "2")
        .parameter("connect.decimal.precision", "12");
    value_schema(vec![Field::new("id", Schema::new(Kind::Int64)), Field::new("amount", amount)])
}

/// The id that a record of `schema` carries, or the error of getting it.
fn id(url: &str, topic: &str, schema: &Arc<Schema>, settings: &[(&str, &str)]) -> Result<u32, SerializeError> {
    let mut config: BTreeMap<String, String> = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    config.insert("schema.registry.url".into(), url.into());
    let stop = Arc::new(AtomicBool::new(false));
    let converter = build(&config, "io.confluent.connect.avro.AvroConverter", Role::Value, &stop)?;
    let plan = converter.prepare(topic, Some(schema))?;
    let (arena, mut out) = (Arena::new(), Vec::new());
    let value = |field: &Field| if field.schema.kind == Kind::Int64 { Value::Int64(1) } else { Value::Null };
    let fields = schema.fields().iter().map(value);
    assert!(plan.write(&Value::Struct(fields.collect()).borrow(&arena), &arena, &mut out)?);
    assert_eq!(out[0], 0);
    Ok(u32::from_be_bytes(out[1..5].try_into().unwrap()))
}

fn get(url: &str) -> serde_json::Value {
    ureq::get(url).call().unwrap().body_mut().read_json().unwrap()
}

#[test]
fn a_real_registry_takes_and_keeps_our_schemas() {
    let Some(url) = registry() else { return };
    let (topic, schema) = (topic(), first());
    let lookup = [("auto.register.schemas", "false")];
    let latest = [("auto.register.schemas", "false"), ("use.latest.version", "true")];

    let missing = id(&url, &topic, &schema, &lookup).unwrap_err();
    assert_eq!(missing.code().number, 648, "{missing}");

    let registered = id(&url, &topic, &schema, &[]).unwrap();
    assert_eq!(id(&url, &topic, &schema, &[]).unwrap(), registered, "the same text has the same id");
    assert_eq!(id(&url, &topic, &schema, &lookup).unwrap(), registered);
    assert_eq!(id(&url, &topic, &schema, &latest).unwrap(), registered);
    let stored = get(&format!("{url}/schemas/ids/{registered}"));
    assert_eq!(stored["schema"].as_str().unwrap(), avro::schema_text(&schema).unwrap(), "kept as it was sent");

    let added = Field::new("added", Schema::new(Kind::String).optional());
    let wider = value_schema(schema.fields().iter().cloned().chain([added]).collect());
    let differs = id(&url, &topic, &wider, &latest).unwrap_err();
    assert_eq!(differs.code().number, 649, "{differs}");
    assert_ne!(id(&url, &topic, &wider, &[]).unwrap(), registered, "a compatible change is a new version");
}

#[test]
fn an_incompatible_schema_is_refused_with_the_difference() {
    let Some(url) = registry() else { return };
    let (topic, schema) = (topic(), first());
    id(&url, &topic, &schema, &[]).unwrap();
    let subject: String = format!("{topic}-value").bytes().map(|byte| format!("%{byte:02X}")).collect();
    let level =
        ureq::put(format!("{url}/config/{subject}")).send_json(serde_json::json!({"compatibility": "BACKWARD"}));
    level.unwrap();
    let changed = value_schema(vec![
        Field::new("id", Schema::new(Kind::Int64)),
        Field::new("amount", Schema::new(Kind::Boolean)),
    ]);
    let error = id(&url, &topic, &changed, &[]).unwrap_err();
    assert_eq!(error.code().number, 647, "{error}");
    assert!(error.to_string().contains(&format!("{topic}-value")), "{error}");
    println!("{error}");
}
