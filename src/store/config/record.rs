//! The records of Connect's configuration topic.
//!
//! In: keys and values, by whoever written. Out: what they say of a connector. Promised: total; a value that is not what
//! its key says is an error in words without values of properties; what belongs to a Connect cluster's own business
//! (tasks, session keys, restarts, loggers) is passed over. Source: Kafka's `KafkaConfigBackingStore`.

use serde_json::{Map, Value, json};

use super::{Change, Properties, TargetState};
use crate::store::json;

/// Key and value of a record; without a value it removes.
pub(super) type Pair = (String, Option<Vec<u8>>);

/// What a record says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A connector's properties; `None`: it is removed.
    Connector(String, Option<Properties>),
    /// What is wanted of a connector; `None`: nothing but the default.
    Target(String, Option<TargetState>),
    /// Nothing that matters here.
    Other,
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    Some(json::write(value))
}

/// The order of the keys, as Connect's worker writes them.
pub(super) fn pairs(change: &Change<'_>) -> Vec<Pair> {
    let properties = |properties: &Properties| bytes(&json!({ "properties": properties }));
    let target = |name: &str, state: TargetState| {
        // Workers before Connect 3.5 know no STOPPED.
        let old = if state == TargetState::Stopped { TargetState::Paused } else { state };
        (format!("target-state-{name}"), bytes(&json!({ "state": old.name(), "state.v2": state.name() })))
    };
    match change {
        Change::Connector(name, config, state) => {
            let mut pairs: Vec<Pair> = state.map(|state| target(name, state)).into_iter().collect();
            pairs.push((format!("connector-{name}"), properties(config)));
            pairs
        }
        Change::Target(name, state) => vec![target(name, *state)],
        Change::Tasks(name, tasks) => {
            let task = |(number, config): (usize, &Properties)| (format!("task-{name}-{number}"), properties(config));
            let mut pairs: Vec<Pair> = tasks.iter().enumerate().map(task).collect();
            pairs.push((format!("commit-{name}"), bytes(&json!({ "tasks": tasks.len() }))));
            pairs
        }
        Change::Removed(name) => vec![(format!("connector-{name}"), None), (format!("target-state-{name}"), None)],
    }
}

/// Reads one record.
///
/// # Errors
/// In words.
pub(super) fn read(key: &[u8], value: Option<&[u8]>) -> Result<Said, String> {
    let Ok(key) = std::str::from_utf8(key) else { return Ok(Said::Other) };
    if let Some(name) = key.strip_prefix("target-state-") {
        return Ok(Said::Target(name.to_owned(), value.map(target).transpose()?));
    }
    match key.strip_prefix("connector-") {
        Some(name) => Ok(Said::Connector(name.to_owned(), value.map(properties).transpose()?)),
        None => Ok(Said::Other),
    }
}

fn object(value: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(value) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("it is no JSON object".to_owned()),
        // The parser's words would hold a part of the text.
        Err(error) => Err(format!("it is no JSON: line {} column {}", error.line(), error.column())),
    }
}

fn target(value: &[u8]) -> Result<TargetState, String> {
    let fields = object(value)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let name = text("state.v2").or(text("state")).ok_or("it has no text `state`")?;
    TargetState::parse(name).ok_or_else(|| format!("`{}` is no target state", name.escape_debug()))
}

fn properties(value: &[u8]) -> Result<Properties, String> {
    let mut fields = object(value)?;
    let Some(Value::Object(map)) = fields.remove("properties") else {
        return Err("it has no object `properties`".to_owned());
    };
    let mut properties = Properties::new();
    for (name, value) in map {
        match value {
            Value::String(value) => drop(properties.insert(name, value)),
            // A property without a value is as good as none.
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                return Err(format!("the property {} is no text", name.escape_debug()));
            }
        }
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn one(name: &str, value: &str) -> Properties {
        Properties::from([(name.to_owned(), value.to_owned())])
    }

    /// Records as a Kafka Connect 4.3 wrote them.
    #[test]
    fn records_are_connects_and_are_read_again() {
        let config = one("connector.class", "io.debezium.connector.mysql.MySqlConnector");
        let text = r#"{"properties":{"connector.class":"io.debezium.connector.mysql.MySqlConnector"}}"#;
        let check = |change: Change<'_>, expected: &[(&str, Option<&str>)]| {
            let written = pairs(&change);
            let written: Vec<(&str, Option<&str>)> = written
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_deref().map(|value| std::str::from_utf8(value).unwrap())))
                .collect();
            assert_eq!(written, expected);
        };
        check(Change::Connector("a", &config, None), &[("connector-a", Some(text))]);
        check(
            Change::Connector("a", &config, Some(TargetState::Stopped)),
            &[("target-state-a", Some(r#"{"state":"PAUSED","state.v2":"STOPPED"}"#)), ("connector-a", Some(text))],
        );
        check(
            Change::Target("a", TargetState::Started),
            &[("target-state-a", Some(r#"{"state":"STARTED","state.v2":"STARTED"}"#))],
        );
        check(
            Change::Tasks("a", std::slice::from_ref(&config)),
            &[("task-a-0", Some(text)), ("commit-a", Some(r#"{"tasks":1}"#))],
        );
        check(Change::Tasks("a", &[]), &[("commit-a", Some(r#"{"tasks":0}"#))]);
        check(Change::Removed("a"), &[("connector-a", None), ("target-state-a", None)]);
        assert_eq!(read(b"connector-a", Some(text.as_bytes())), Ok(Said::Connector("a".into(), Some(config))));
    }

    #[test]
    fn what_is_read_is_believed_only_as_far_as_it_goes() {
        let check = |key: &str, value: Option<&str>, expected: Result<Said, &str>| {
            let found = read(key.as_bytes(), value.map(str::as_bytes));
            match (found, expected) {
                (Err(problem), Err(part)) => assert!(problem.contains(part), "{problem}"),
                (found, expected) => assert_eq!(found.map_err(|_| ""), expected, "{key}"),
            }
        };
        let target = |state| Ok(Said::Target("a-b".into(), state));
        check("target-state-a-b", Some(r#"{"state":"PAUSED"}"#), target(Some(TargetState::Paused)));
        check("target-state-a-b", Some(r#"{"state":"PAUSED","state.v2":null}"#), target(Some(TargetState::Paused)));
        check(
            "target-state-a-b",
            Some(r#"{"state":"PAUSED","state.v2":"STOPPED"}"#),
            target(Some(TargetState::Stopped)),
        );
        check("target-state-a-b", None, target(None));
        check("target-state-a", Some("{}"), Err("state"));
        check("target-state-a", Some(r#"{"state":"LOUD"}"#), Err("LOUD"));
        check("connector-a", None, Ok(Said::Connector("a".into(), None)));
        check("connector-a", Some("{"), Err("line 1"));
        check("connector-a", Some("[]"), Err("object"));
        check("connector-a", Some(r#"{"properties":3}"#), Err("properties"));
        check("connector-a", Some(r#"{"properties":{"p":{"secret":1}}}"#), Err("property p"));
        check(
            "connector-a",
            Some(r#"{"properties":{"a":"b","c":null}}"#),
            Ok(Said::Connector("a".into(), Some(one("a", "b")))),
        );
        for other in
            ["task-a-0", "commit-a", "session-key", "restart-connector-a", "tasks-fencing-a", "logger-cluster-x"]
        {
            check(other, Some("{"), Ok(Said::Other));
        }
        assert_eq!(read(b"\xff", None), Ok(Said::Other));
    }
}
