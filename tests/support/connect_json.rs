//! Records that are written as Connect's `JsonConverter` writes them, read as Connect reads them.
// Each test takes what it needs.
#![allow(dead_code)]

use std::sync::Arc;

use base64::Engine as _;
use headwater::model::record::Typed;
use headwater::model::schema::{Field, Kind, Schema};
use headwater::model::value::{Arena, Value};
use serde_json::Value as Json;

/// A key, value or header, owned.
pub struct Part {
    schema: Option<Arc<Schema>>,
    value: Value,
}

impl Part {
    pub fn borrow<'a>(&'a self, arena: &'a Arena) -> Typed<'a> {
        Typed { schema: self.schema.as_ref(), value: self.value.borrow(arena) }
    }
}

/// Reads a schema with its payload, as `JsonConverter` writes them.
pub fn read(json: &Json) -> Part {
    if json.is_null() {
        return Part { schema: None, value: Value::Null };
    }
    let schema = schema(&json["schema"]);
    let value = value(&schema, &json["payload"], false);
    Part { schema: Some(Arc::new(schema)), value }
}

/// Reads a schema as `JsonConverter.asConnectSchema` does.
pub fn schema(json: &Json) -> Schema {
    let inner = |name: &str| Arc::new(schema(&json[name]));
    let kind = match json["type"].as_str().unwrap() {
        "boolean" => Kind::Boolean,
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "float" => Kind::Float32,
        "double" => Kind::Float64,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "array" => Kind::Array(inner("items")),
        "map" => Kind::Map(inner("keys"), inner("values")),
        "struct" => {
            let fields = json["fields"].as_array().unwrap();
            Kind::Struct(
                fields.iter().map(|field| Field::new(field["field"].as_str().unwrap(), schema(field))).collect(),
            )
        }
        other => panic!("type {other}"),
    };
    let mut made = Schema::new(kind);
    made.optional = json["optional"].as_bool().unwrap_or(false);
    made.name = json["name"].as_str().map(Arc::from);
    made.version = json["version"].as_i64().map(|version| version as i32);
    made.doc = json["doc"].as_str().map(Arc::from);
    for (name, value) in json["parameters"].as_object().into_iter().flatten() {
        made = made.parameter(name, value.as_str().unwrap());
    }
    made.default = json.get("default").map(|default| value(&made, default, false));
    made
}

/// Reads a value of a schema; `defaults`: a null is the schema's default where it has one.
pub fn value(schema: &Schema, json: &Json, defaults: bool) -> Value {
    if json.is_null() {
        return schema.default.clone().filter(|_| defaults).unwrap_or(Value::Null);
    }
    match &schema.kind {
        Kind::Boolean => Value::Boolean(json.as_bool().unwrap()),
        Kind::Int8 => Value::Int8(json.as_i64().unwrap() as i8),
        Kind::Int16 => Value::Int16(json.as_i64().unwrap() as i16),
        Kind::Int32 => Value::Int32(json.as_i64().unwrap() as i32),
        Kind::Int64 => Value::Int64(json.as_i64().unwrap()),
        Kind::Float32 => Value::Float32(json.to_string().parse().unwrap()),
        Kind::Float64 => Value::Float64(json.as_f64().unwrap()),
        Kind::String => Value::text(json.as_str().unwrap()),
        Kind::Bytes => {
            Value::Bytes(base64::engine::general_purpose::STANDARD.decode(json.as_str().unwrap()).unwrap().into())
        }
        Kind::Array(items) => {
            Value::Array(json.as_array().unwrap().iter().map(|item| value(items, item, defaults)).collect())
        }
        Kind::Map(keys, values) => Value::Map(match json {
            Json::Object(members) => {
                members.iter().map(|(key, item)| (Value::text(key), value(values, item, defaults))).collect()
            }
            pairs => pairs
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| (value(keys, &pair[0], defaults), value(values, &pair[1], defaults)))
                .collect(),
        }),
        Kind::Struct(fields) => {
            Value::Struct(fields.iter().map(|field| value(&field.schema, &json[&*field.name], defaults)).collect())
        }
    }
}
