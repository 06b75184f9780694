//! Values and schemas as Connect's JSON converter writes them, for comparing with what Debezium wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

use base64::Engine;
use serde_json::{Map, Value as Json, json};

use crate::model::schema::{Kind, Schema};
use crate::model::value::Value;

/// A value as Connect's JSON converter writes it.
pub(crate) fn value_json(value: &Value, schema: &Schema) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(v) => json!(v),
        Value::Int8(v) => json!(v),
        Value::Int16(v) => json!(v),
        Value::Int32(v) => json!(v),
        Value::Int64(v) => json!(v),
        // As Jackson writes what JSON has no number for.
        Value::Float32(v) if v.is_infinite() => json!(if *v > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::Float32(v) if v.is_nan() => json!("NaN"),
        Value::Float32(v) => json!(v),
        Value::Float64(v) if v.is_infinite() => json!(if *v > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::Float64(v) if v.is_nan() => json!("NaN"),
        Value::Float64(v) => json!(v),
        Value::String(v) => json!(&**v),
        Value::Bytes(v) => json!(base64::engine::general_purpose::STANDARD.encode(v)),
        Value::Array(items) => {
            let Kind::Array(item) = &schema.kind else { panic!("{schema:?}") };
            items.iter().map(|value| value_json(value, item)).collect()
        }
        Value::Map(entries) => {
            let Kind::Map(key, item) = &schema.kind else { panic!("{schema:?}") };
            let entries = entries.iter().map(|(k, v)| (value_json(k, key), value_json(v, item)));
            match key.kind {
                Kind::String => entries.map(|(k, v)| (k.as_str().unwrap().to_owned(), v)).collect::<Map<_, _>>().into(),
                _ => entries.map(|(k, v)| json!([k, v])).collect(),
            }
        }
        Value::Struct(values) => {
            let fields = schema.fields().iter().zip(values);
            fields
                .map(|(field, value)| (field.name.to_string(), value_json(value, &field.schema)))
                .collect::<Map<_, _>>()
                .into()
        }
    }
}

/// A schema as Connect's JSON converter writes it, without the field's name.
pub(crate) fn schema_json(schema: &Schema) -> Json {
    let mut out = json!({"type": schema.type_name(), "optional": schema.optional});
    match &schema.kind {
        Kind::Array(item) => out["items"] = schema_json(item),
        Kind::Map(key, item) => {
            out["keys"] = schema_json(key);
            out["values"] = schema_json(item);
        }
        Kind::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                let mut schema = schema_json(&field.schema);
                schema["field"] = json!(&*field.name);
                schema
            });
            out["fields"] = Json::Array(fields.collect());
        }
        _ => {}
    }
    if let Some(name) = &schema.name {
        out["name"] = json!(&**name);
    }
    if let Some(version) = schema.version {
        out["version"] = json!(version);
    }
    if let Some(doc) = &schema.doc {
        out["doc"] = json!(&**doc);
    }
    for (name, value) in &schema.parameters {
        out["parameters"][&**name] = json!(&**value);
    }
    if let Some(default) = &schema.default {
        out["default"] = value_json(default, schema);
    }
    out
}

/// Equal, but numbers of four bytes are compared as such: their decimal text differs between JVMs.
pub(crate) fn same(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Number(ours), Json::Number(theirs)) => {
            let single = |number: &serde_json::Number| number.as_f64().map(|number| (number as f32).to_bits());
            ours == theirs || (ours.is_f64() && single(ours) == single(theirs))
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Json::Object(ours), Json::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(name, value)| theirs.get(name).is_some_and(|theirs| same(value, theirs)))
        }
        _ => ours == theirs,
    }
}
