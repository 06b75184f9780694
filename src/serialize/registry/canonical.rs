//! Whether two Avro schemas describe the same bytes.
//!
//! Both are reduced to what binary encoding depends on (Avro specification, "Parsing Canonical Form": names in
//! full, fields, types, symbols, sizes; no documentation, defaults, aliases or other properties), and the first place
//! where they differ is named.

use serde_json::Value as Json;

/// Schemas deeper than this are taken as different.
const DEPTH_LIMIT: usize = 64;

/// The first difference; none when the same bytes can be read with either.
pub(super) fn difference(ours: &Json, theirs: &Json) -> Option<String> {
    let (ours, theirs) = (canonical(ours, "", 0), canonical(theirs, "", 0));
    if ours == theirs { None } else { Some(describe(&ours, &theirs, "")) }
}

fn canonical(schema: &Json, namespace: &str, depth: usize) -> Json {
    if depth > DEPTH_LIMIT {
        return Json::Null;
    }
    match schema {
        Json::String(name) => Json::String(full_name(name, namespace)),
        Json::Array(branches) => {
            Json::Array(branches.iter().map(|branch| canonical(branch, namespace, depth + 1)).collect())
        }
        Json::Object(members) => {
            let Some(kind) = members.get("type") else { return Json::Null };
            match kind.as_str() {
                Some("array") => {
                    serde_json::json!({"type": "array", "items": inner(members.get("items"), namespace, depth)})
                }
                Some("map") => {
                    serde_json::json!({"type": "map", "values": inner(members.get("values"), namespace, depth)})
                }
                Some("record" | "error") => record(members, namespace, depth),
                Some(named @ ("enum" | "fixed")) => {
                    let (name, _) = declared_name(members, namespace);
                    serde_json::json!({"type": named, "name": name, "symbols": members.get("symbols"), "size": members.get("size")})
                }
                Some(name) => Json::String(full_name(name, namespace)),
                None => canonical(kind, namespace, depth + 1),
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => Json::Null,
    }
}

fn inner(schema: Option<&Json>, namespace: &str, depth: usize) -> Json {
    canonical(schema.unwrap_or(&Json::Null), namespace, depth + 1)
}

fn record(members: &serde_json::Map<String, Json>, namespace: &str, depth: usize) -> Json {
    let (name, own) = declared_name(members, namespace);
    let fields = members.get("fields").and_then(Json::as_array).into_iter().flatten();
    let fields: Vec<Json> = fields
        .map(|field| serde_json::json!({"name": field.get("name"), "type": inner(field.get("type"), &own, depth)}))
        .collect();
    serde_json::json!({"type": "record", "name": name, "fields": fields})
}

fn declared_name(members: &serde_json::Map<String, Json>, enclosing: &str) -> (String, String) {
    let name = members.get("name").and_then(Json::as_str).unwrap_or_default();
    let namespace = members.get("namespace").and_then(Json::as_str).unwrap_or(enclosing);
    let full = if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") };
    let own = full.rsplit_once('.').map_or(String::new(), |(namespace, _)| namespace.to_owned());
    (full, own)
}

fn full_name(name: &str, namespace: &str) -> String {
    const PRIMITIVES: &[&str] = &["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    if PRIMITIVES.contains(&name) || name.contains('.') || namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}

fn describe(ours: &Json, theirs: &Json, path: &str) -> String {
    match (ours, theirs) {
        (Json::Object(left), Json::Object(right)) => {
            if let (Some(left), Some(right)) = (names(ours), names(theirs))
                && left != right
            {
                let missing: Vec<&str> = left.iter().filter(|name| !right.contains(name)).copied().collect();
                let added: Vec<&str> = right.iter().filter(|name| !left.contains(name)).copied().collect();
                return format!(
                    "{path}: it lacks the fields [{}] and has the fields [{}] besides, or another order",
                    missing.join(", "),
                    added.join(", ")
                );
            }
            let differing = left.iter().find(|(key, value)| right.get(*key) != Some(value));
            match differing {
                Some((key, value)) => {
                    let name = left.get("name").and_then(Json::as_str).unwrap_or(key);
                    describe(value, right.get(key).unwrap_or(&Json::Null), &format!("{path}/{name}"))
                }
                None => format!("{path}: it has more members"),
            }
        }
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => {
            match left.iter().zip(right).find(|(left, right)| left != right) {
                Some((left, right)) => describe(left, right, path),
                None => format!("{path}: no difference"),
            }
        }
        _ => format!("{path}: {} here, {} there", short(ours), short(theirs)),
    }
}

fn names(record: &Json) -> Option<Vec<&str>> {
    Some(record.get("fields")?.as_array()?.iter().filter_map(|field| field.get("name")?.as_str()).collect())
}

fn short(schema: &Json) -> String {
    super::answer::clean(&schema.to_string(), 120)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn check(ours: &str, theirs: &str, expected: Option<&str>) {
        let found = difference(&serde_json::from_str(ours).unwrap(), &serde_json::from_str(theirs).unwrap());
        match expected {
            None => assert_eq!(found, None),
            Some(part) => assert!(found.as_ref().is_some_and(|found| found.contains(part)), "{found:?}"),
        }
    }

    #[test]
    fn only_what_the_bytes_depend_on_is_compared() {
        let ours = r#"{"type":"record","name":"V","namespace":"a.b","fields":[{"name":"id","type":"int"},{"name":"n","type":["null",{"type":"string","connect.name":"x"}],"default":null}]}"#;
        check(
            ours,
            r#"{"doc":"d","type":"record","name":"a.b.V","fields":[{"name":"id","type":{"type":"int"},"doc":"e"},{"name":"n","type":["null","string"]}]}"#,
            None,
        );
        check(
            ours,
            r#"{"type":"record","name":"a.b.V","fields":[{"name":"id","type":"int"}]}"#,
            Some("lacks the fields [n]"),
        );
        check(
            ours,
            r#"{"type":"record","name":"a.b.V","fields":[{"name":"id","type":"long"},{"name":"n","type":["null","string"]}]}"#,
            Some("/id"),
        );
        check(
            ours,
            r#"{"type":"record","name":"a.b.V","fields":[{"name":"id","type":"int"},{"name":"n","type":["string","null"]}]}"#,
            Some("/n"),
        );
        check(ours, r#"{"type":"record","name":"W","fields":[]}"#, Some(""));
        check(ours, "7", Some("here"));
    }
}
