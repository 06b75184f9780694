//! One record of schema history, to and from Debezium's JSON.
//!
//! In: a JSON document of any Debezium since 1.0. Out: the same document, field for field in Debezium's order.
//! Promised: what cannot be read is an error in words; unknown fields are passed over, missing ones stay missing.
//!
//! Source: Debezium's `HistoryRecord`, `JsonTableChangeSerializer`, `TableIdParser`.

use serde_json::{Map, Value};

use super::table;
use crate::model::position::OffsetMap;
use crate::model::table::TableChange;
use crate::store::json;

/// One statement that shaped tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryRecord {
    /// Debezium's partition: `server` = `topic.prefix`.
    pub source: OffsetMap,
    /// The position at which the statement stands.
    pub position: OffsetMap,
    /// When it was recorded, in milliseconds since the epoch; old versions of Debezium have none.
    pub timestamp_ms: Option<i64>,
    /// The database that the statement belongs to.
    pub database: Option<String>,
    /// The schema inside it, where the server has them.
    pub schema: Option<String>,
    /// The statement.
    pub ddl: Option<String>,
    /// What it changed; `None` in records of old versions, which have the statement only.
    pub changes: Option<Vec<TableChange>>,
}

impl HistoryRecord {
    /// The record as Debezium writes it to a file: on one line.
    pub fn to_line(&self) -> Vec<u8> {
        json::write(&self.document())
    }

    /// The record as Debezium writes it to a topic: over several lines.
    pub fn to_text(&self) -> Vec<u8> {
        json::write_pretty(&self.document())
    }

    fn document(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("source".into(), json::from_offset(&self.source));
        fields.insert("position".into(), json::from_offset(&self.position));
        if let Some(timestamp) = self.timestamp_ms {
            fields.insert("ts_ms".into(), timestamp.into());
        }
        for (name, text) in [("databaseName", &self.database), ("schemaName", &self.schema), ("ddl", &self.ddl)] {
            if let Some(text) = text {
                fields.insert(name.into(), Value::String(text.clone()));
            }
        }
        if let Some(changes) = &self.changes {
            fields.insert("tableChanges".into(), Value::Array(changes.iter().map(table::change_to_json).collect()));
        }
        Value::Object(fields)
    }

    /// Reads a record; the error is in words.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
        let Value::Object(mut fields) = value else {
            return Err("it is no JSON object".to_owned());
        };
        let source = offset(&mut fields, "source")?;
        let position = offset(&mut fields, "position")?;
        let timestamp_ms = match fields.get("ts_ms") {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_i64().ok_or("ts_ms is no whole number")?),
        };
        let changes = match fields.get("tableChanges") {
            None | Some(Value::Null) => None,
            Some(Value::Array(changes)) => Some(changes.iter().map(table::change_from_json).collect::<Result<_, _>>()?),
            Some(_) => return Err("tableChanges is no array".to_owned()),
        };
        let database = text(&mut fields, "databaseName")?;
        let schema = text(&mut fields, "schemaName")?;
        let ddl = text(&mut fields, "ddl")?;
        Ok(HistoryRecord { source, position, timestamp_ms, database, schema, ddl, changes })
    }
}

fn offset(fields: &mut Map<String, Value>, name: &str) -> Result<OffsetMap, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Err(format!("{name} is missing")),
        Some(value) => json::to_offset(value).map_err(|problem| format!("{name}: {problem}")),
    }
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} is no text")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const COLUMN: &str = r#"{"name":"id","jdbcType":4,"typeName":"INT","typeExpression":"INT","charsetName":null,"position":1,"optional":false,"autoIncremented":true,"generated":true,"comment":null,"hasDefaultValue":false,"enumValues":[]}"#;

    /// `written` is what comes out again; `None`: the same text.
    fn check(text: &str, written: Option<&str>) {
        let record = HistoryRecord::from_json(text.as_bytes()).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(String::from_utf8(record.to_line()).unwrap(), written.unwrap_or(text));
    }

    fn refuse(text: &str, part: &str) {
        let problem = HistoryRecord::from_json(text.as_bytes()).unwrap_err();
        assert!(problem.contains(part), "{text}: {problem}");
    }

    fn with_changes(changes: &str) -> String {
        format!(
            r#"{{"source":{{"server":"s"}},"position":{{"file":"b.1","pos":4}},"ts_ms":5,"databaseName":"d","ddl":"x","tableChanges":{changes}}}"#
        )
    }

    #[test]
    fn records_go_through_unchanged() {
        let table = format!(
            r#"{{"defaultCharsetName":"utf8mb4","primaryKeyColumnNames":["id"],"columns":[{COLUMN}],"attributes":[]}}"#
        );
        check(&with_changes("[]"), None);
        check(
            &with_changes(&format!(r#"[{{"type":"CREATE","id":"\"d\".\"t\"","table":{table},"comment":null}}]"#)),
            None,
        );
        check(
            &with_changes(&format!(
                r#"[{{"type":"ALTER","id":"\"d\".\"t\"","previousId":"\"d\".\"o\"","table":{table},"comment":"c"}},{{"type":"DROP","id":"\"d\".\"x\""}}]"#
            )),
            None,
        );
    }

    /// Records of a real Debezium's topic, separated by empty lines, with all kinds of columns and statements.
    fn golden(text: &str, count: usize) {
        let records: Vec<&str> = text.trim_end().split("\n\n").collect();
        assert_eq!(records.len(), count);
        for text in records {
            let record =
                HistoryRecord::from_json(text.as_bytes()).unwrap_or_else(|problem| panic!("{text}: {problem}"));
            assert_eq!(String::from_utf8(record.to_text()).unwrap(), text);
            assert_eq!(HistoryRecord::from_json(&record.to_line()).unwrap(), record);
        }
    }

    #[test]
    fn records_of_a_real_debezium_come_out_byte_for_byte() {
        golden(include_str!("../../../tests/golden/history/debezium-mysql-3.6.1.txt"), 14);
        golden(include_str!("../../../tests/golden/history/debezium-mariadb-3.5.0.txt"), 14);
    }

    #[test]
    fn records_of_older_versions_are_read() {
        let old = r#"{"source":{"server":"s"},"position":{"file":"b.1","pos":4,"snapshot":true},"databaseName":null,"ddl":"x"}"#;
        check(old, Some(r#"{"source":{"server":"s"},"position":{"file":"b.1","pos":4,"snapshot":true},"ddl":"x"}"#));
        let bare = r#"[{"type":"CREATE","id":"\"d\".\"t\"","table":{"defaultCharsetName":null,"primaryKeyColumnNames":[],"columns":[{"name":"a","jdbcType":12,"typeName":"VARCHAR","length":9,"position":1,"unknown":{}}]}}]"#;
        let record = HistoryRecord::from_json(with_changes(bare).as_bytes()).unwrap();
        let changes = record.changes.unwrap();
        let columns = &changes[0].table.as_ref().unwrap().columns;
        assert_eq!((columns[0].length, columns[0].optional, columns[0].enum_values.len()), (Some(9), false, 0));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        refuse("x", "no JSON");
        refuse("[]", "no JSON object");
        refuse(r#"{"source":{}}"#, "position is missing");
        refuse(r#"{"source":{},"position":{"pos":1.5}}"#, "pos");
        refuse(&with_changes("{}"), "tableChanges");
        refuse(&with_changes(r#"[{"type":"MERGE","id":"a.b"}]"#), "MERGE");
        refuse(&with_changes(r#"[{"type":"ALTER","id":"a.b"}]"#), "no table");
        refuse(
            &with_changes(
                r#"[{"type":"CREATE","id":"a.b","table":{"columns":[{"name":"a","jdbcType":"4","typeName":"INT","position":1}]}}]"#,
            ),
            "jdbcType",
        );
        refuse(
            &with_changes(r#"[{"type":"CREATE","id":"a.b","table":{"columns":[{"name":"a"}]}}]"#),
            "column a: position",
        );
    }
}
