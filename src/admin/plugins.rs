//! The calls about plugins: which there are, what they can be told, and whether that would do.
//!
//! In: a class, a configuration. Out: Connect's `ConfigKeyInfo` and `ConfigInfos`. Promised: what is found wrong is what
//! would be found at registration, property by property; a secret's value is not repeated.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::{Answer, Result, bad};
use super::connectors;
use super::rest::Asked;
use crate::config::connector::CLASSES;
use crate::config::judgement;
use crate::config::option::{self, Applies, ConfigOption, Importance, Kind, Status};
use crate::config::secret;
use crate::model::modes::ConnectorKind;
use crate::worker::{Handle, Properties};

/// What Connect shows of a password.
const HIDDEN: &str = "[hidden]";

/// `GET /connector-plugins`. There are connectors, and nothing else that a class could be loaded for.
pub(super) fn list() -> Answer {
    let plugin =
        |(class, _): (&str, _)| json!({ "class": class, "type": "source", "version": env!("CARGO_PKG_VERSION") });
    Answer::ok(Value::Array(CLASSES.map(plugin).to_vec()))
}

/// The class that a full or short name means, as Connect finds it: `MySqlConnector`, `MySql`.
fn class_of(name: &str) -> Option<(&'static str, ConnectorKind)> {
    let short = |class: &'static str| class.rsplit('.').next().unwrap_or(class);
    CLASSES.into_iter().find(|(class, _)| {
        *class == name || short(class) == name || short(class).strip_suffix("Connector") == Some(name)
    })
}

/// `GET /connector-plugins/{plugin}/config` (KIP-769).
pub(super) fn config(asked: &Asked) -> Result {
    let Some((_, kind)) = class_of(asked.name()) else {
        let text = format!(
            "Invalid plugin class {}. Valid types are sink, source, converter, header_converter, transformation, predicate.",
            asked.name()
        );
        return Err(bad(text));
    };
    let shown = |(order, option): (usize, &ConfigOption)| definition(option, option.name, order);
    Ok(Answer::ok(Value::Array(options(kind).enumerate().map(shown).collect())))
}

fn options(kind: ConnectorKind) -> impl Iterator<Item = &'static ConfigOption> {
    let place = Applies::of(kind);
    let shown = |option: &&ConfigOption| !option.is_family() && !matches!(option.status, Status::Refused(_));
    option::all().filter(move |option| option.applies.meets(place)).filter(shown)
}

fn definition(option: &ConfigOption, name: &str, order: usize) -> Value {
    let (kind, width) = match option.kind {
        Kind::Text | Kind::Word(..) | Kind::Regex | Kind::TopicName | Kind::Pairs => ("STRING", "MEDIUM"),
        Kind::Password => ("PASSWORD", "MEDIUM"),
        Kind::List | Kind::Regexes => ("LIST", "LONG"),
        Kind::Bool => ("BOOLEAN", "SHORT"),
        Kind::Number(_, most) if most > i64::from(i32::MAX) => ("LONG", "SHORT"),
        Kind::Number(..) => ("INT", "SHORT"),
        Kind::Class => ("CLASS", "LONG"),
    };
    let importance = match option.importance {
        Importance::High => "HIGH",
        Importance::Medium => "MEDIUM",
        Importance::Low => "LOW",
    };
    json!({
        "name": name,
        "type": kind,
        "required": option.required,
        "default_value": option.default,
        "importance": importance,
        "documentation": format!("{}.", option.about),
        "group": option.group.title(),
        "order_in_group": order + 1,
        "width": width,
        "display_name": name,
        "dependents": [],
    })
}

/// `PUT /connector-plugins/{plugin}/config/validate`.
pub(super) fn validate(worker: &Handle, asked: &Asked) -> Result {
    let written = connectors::properties(asked.json()?)?;
    let class = written.get("connector.class").map(|class| class.trim()).unwrap_or_default();
    if class.is_empty() {
        return Err(bad("Connector config contains no connector type"));
    }
    let named = class_of(class);
    if asked.name() != class && (named.is_none() || class_of(asked.name()) != named) {
        return Err(bad(format!("Included connector type {class} does not match request type {}", asked.name())));
    }
    let Some((full, kind)) = named else {
        let known = CLASSES.map(|(class, _)| class).join(", ");
        return Err(bad(format!(
            "Failed to find any class that implements Connector and which name matches {class}, available connectors are: {known}"
        )));
    };
    let written = worker.unmasked(written)?;
    Ok(Answer::ok(infos(worker, full, kind, &written)))
}

/// Connect's `ConfigInfos`.
fn infos(worker: &Handle, class: &str, kind: ConnectorKind, written: &Properties) -> Value {
    let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if !written.contains_key("name") {
        let text = "Missing required configuration \"name\" which has no default value.".to_owned();
        errors.entry("name".to_owned()).or_default().push(text);
    }
    let name = written.get("name").cloned().unwrap_or_else(|| "validated".to_owned());
    for verdict in judgement::judge(&name, written, worker.stored_config()).verdicts {
        if verdict.refusal.is_some() {
            errors.entry(verdict.property).or_default().push(verdict.text);
        }
    }
    let error_count: usize = errors.values().map(Vec::len).sum();
    let (mut groups, mut configs) = (Vec::new(), Vec::new());
    for (order, option) in options(kind).enumerate() {
        if !groups.contains(&option.group.title()) {
            groups.push(option.group.title());
        }
        let value = written.get(option.name).map(String::as_str).or(option.default);
        let found = errors.remove(option.name).unwrap_or_default();
        configs.push(info(definition(option, option.name, order), option.name, Some(option), value, &found));
    }
    // What is wrong with properties that stand under a family, or under no option at all.
    for (property, found) in errors {
        let option = option::find(&property, Applies::of(kind));
        let definition = option.map_or(Value::Null, |option| definition(option, &property, configs.len()));
        configs.push(info(definition, &property, option, written.get(&property).map(String::as_str), &found));
    }
    json!({ "name": class, "error_count": error_count, "groups": groups, "configs": configs })
}

fn info(
    definition: Value,
    property: &str,
    option: Option<&ConfigOption>,
    value: Option<&str>,
    errors: &[String],
) -> Value {
    let is_password = option.is_some_and(|option| matches!(option.kind, Kind::Password));
    let shown = value.map(|value| match is_password || secret::is_sensitive(property) {
        true => HIDDEN,
        false => value,
    });
    let recommended: &[&str] = match option.map(|option| option.kind) {
        Some(Kind::Word(words, _)) => words,
        Some(_) | None => &[],
    };
    json!({
        "definition": definition,
        "value": {
            "name": property,
            "value": shown,
            "recommended_values": recommended,
            "errors": errors,
            "visible": true,
        },
    })
}
