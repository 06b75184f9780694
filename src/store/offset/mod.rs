//! Positions, under Kafka Connect's keys and in its formats.
//!
//! In: a connector, its partition (`topic.prefix`) and an offset. Out: the last one written, by us, by a
//! Debezium on Kafka Connect or by a person. Promised: durable when `write` returns.

pub mod file;
pub mod kafka;
pub mod memory;
mod serialized_map;

use serde_json::{Value, json};

use super::{StoreError, json as text};
use crate::model::position::{OffsetMap, StoredOffset};

/// Under what an offset is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetKey {
    /// The connector's name.
    pub connector: String,
    /// Debezium's partition: the `topic.prefix`.
    pub server: String,
}

impl OffsetKey {
    /// The bytes that Connect's JSON converter writes: `["<connector>",{"server":"<prefix>"}]`.
    pub fn bytes(&self) -> Vec<u8> {
        text::write(&json!([self.connector, { "server": self.server }]))
    }

    /// Whether these bytes, by whoever written, mean this key: spaces and escapes do not matter.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let Ok(Value::Array(parts)) = serde_json::from_slice(bytes) else {
            return false;
        };
        let [Value::String(connector), Value::Object(partition)] = parts.as_slice() else {
            return false;
        };
        *connector == self.connector
            && partition.len() == 1
            && partition.get("server").and_then(Value::as_str) == Some(self.server.as_str())
    }

    fn printed(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Reads the bytes stored under this key; `None` for a JSON null, as Connect.
    fn offset(&self, bytes: &[u8], place: &dyn Fn() -> String) -> Result<Option<StoredOffset>, StoreError> {
        let broken = |problem: String| StoreError::Offset { key: self.printed(), place: place(), problem };
        let value: Value = serde_json::from_slice(bytes).map_err(|error| broken(format!("it is no JSON: {error}")))?;
        if value.is_null() {
            return Ok(None);
        }
        text::to_offset(value).map(|offset| Some(StoredOffset(offset))).map_err(broken)
    }
}

/// A map of primitives as JSON, in the order of its fields.
pub fn to_json(offset: &OffsetMap) -> Value {
    text::from_offset(offset)
}

/// An offset as Connect's REST API shows it: an object of primitives, or null where there is none.
///
/// # Errors
/// In words, without values.
pub fn from_json(value: Value) -> Result<Option<StoredOffset>, String> {
    if value.is_null() { Ok(None) } else { text::to_offset(value).map(|offset| Some(StoredOffset(offset))) }
}

/// Keeps offsets.
pub trait OffsetStore: Send {
    /// The offset stored last; `None` when there is none.
    fn read(&mut self, key: &OffsetKey) -> Result<Option<StoredOffset>, StoreError>;
    /// Stores an offset; durable when this returns.
    fn write(&mut self, key: &OffsetKey, offset: &OffsetMap) -> Result<(), StoreError>;
    /// Removes what is stored under a key; durable when this returns.
    fn remove(&mut self, key: &OffsetKey) -> Result<(), StoreError>;
    /// Every offset of a connector, whatever its partitions are called.
    fn of_connector(&mut self, connector: &str) -> Result<Vec<PartitionOffset>, StoreError>;
}

/// A partition as Connect's REST API shows it, and its offset.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionOffset {
    /// Debezium's is `{"server": "<topic.prefix>"}`.
    pub partition: Value,
    /// The offset, as it is stored.
    pub offset: Value,
}

/// A stored pair, when it is an offset of this connector. What is no JSON belongs to nobody.
fn of(connector: &str, key: &[u8], value: Option<&[u8]>) -> Option<PartitionOffset> {
    let Ok(Value::Array(parts)) = serde_json::from_slice(key) else { return None };
    let [Value::String(name), partition @ Value::Object(_)] = parts.as_slice() else { return None };
    let offset = serde_json::from_slice(value?).unwrap_or(Value::Null);
    (name == connector && !offset.is_null()).then(|| PartitionOffset { partition: partition.clone(), offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_connects_and_are_recognised_however_they_are_written() {
        let key = OffsetKey { connector: "inventory \"x\"".into(), server: "dbé".into() };
        assert_eq!(key.bytes(), r#"["inventory \"x\"",{"server":"dbé"}]"#.as_bytes());
        for (bytes, same) in [
            (r#"["inventory \"x\"",{"server":"dbé"}]"#, true),
            (" [ \"inventory \\u0022x\\u0022\" , { \"server\" : \"db\\u00e9\" } ] ", true),
            (r#"["inventory",{"server":"dbé"}]"#, false),
            (r#"["inventory \"x\"",{"server":"db"}]"#, false),
            (r#"["inventory \"x\"",{"server":"dbé","database":"a"}]"#, false),
            (r#"{"schema":null}"#, false),
            ("", false),
        ] {
            assert_eq!(key.matches(bytes.as_bytes()), same, "{bytes}");
        }
    }
}
