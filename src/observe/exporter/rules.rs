//! Reading the rules.
//!
//! In: a configuration of the Prometheus JMX exporter, in YAML. Out: rules. Promised: every expression is compiled and every
//! `$1` names a group before the first value is shown; what belongs to the exporter's own server and its way to a JVM
//! (`hostPort`, `ssl`, `startDelaySeconds`, …) is accepted and does nothing. Source: the exporter's README.

use serde_json::{Map, Value};

use super::object_name::ObjectPattern;
use crate::observe::series::Kind;
use crate::util::java_regex::JavaRegex;

/// The longest file that is read, in bytes. A team's file has a few kilobytes.
pub const LONGEST_FILE: u64 = 1 << 20;

/// What cannot be used in a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct RulesError {
    /// `rules[3].pattern`.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

fn wrong<T>(place: &str, reason: impl Into<String>) -> Result<T, RulesError> {
    Err(RulesError { place: place.to_owned(), reason: reason.into() })
}

/// One rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub(super) pattern: Option<JavaRegex>,
    pub(super) name: Option<String>,
    pub(super) value: Option<String>,
    pub(super) value_factor: Option<f64>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) help: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) snake_case: bool,
}

/// A file of rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) lowercase_name: bool,
    pub(super) lowercase_labels: bool,
    pub(super) include: Vec<ObjectPattern>,
    pub(super) exclude: Vec<ObjectPattern>,
    pub(super) include_attributes: Vec<(ObjectPattern, Vec<String>)>,
    pub(super) exclude_attributes: Vec<(ObjectPattern, Vec<String>)>,
    pub(super) rules: Vec<Rule>,
    /// Ours: rules that give a series a second name.
    pub(super) also: Vec<Rule>,
}

impl Rules {
    /// Reads a file's text.
    pub(super) fn parse(text: &str) -> Result<Rules, RulesError> {
        let text = text.trim_start_matches('\u{feff}');
        // A file of comments alone is one without rules.
        let is_empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let options = serde_saphyr::options! { with_snippet: false };
        let file = match is_empty {
            true => Value::Null,
            false => serde_saphyr::from_str_with_options(text, options)
                .or_else(|error| wrong("the file", error.to_string().lines().next().unwrap_or_default()))?,
        };
        let empty = Map::new();
        let file = match &file {
            Value::Object(file) => file,
            Value::Null => &empty,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return wrong("the file", "it holds no map of settings");
            }
        };
        let either = |name: &'static str, old: &'static str| if file.contains_key(name) { name } else { old };
        Ok(Rules {
            lowercase_name: flag(file, "", "lowercaseOutputName")?,
            lowercase_labels: flag(file, "", "lowercaseOutputLabelNames")?,
            include: patterns(file, either("includeObjectNames", "whitelistObjectNames"))?,
            exclude: patterns(file, either("excludeObjectNames", "blacklistObjectNames"))?,
            include_attributes: attributes(file, "includeObjectNameAttributes")?,
            exclude_attributes: attributes(file, "excludeObjectNameAttributes")?,
            // Without rules, everything is shown under the default names.
            rules: rules(file, "rules")?.unwrap_or_else(|| vec![Rule::default()]),
            also: rules(file, "also")?.unwrap_or_default(),
        })
    }
}

fn rules(file: &Map<String, Value>, name: &str) -> Result<Option<Vec<Rule>>, RulesError> {
    let list = match file.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(_) => return wrong(name, "it is no list"),
    };
    let read = |(index, value): (usize, &Value)| {
        let place = format!("{name}[{index}]");
        value.as_object().map_or_else(|| wrong(&place, "it is no map"), |fields| rule(fields, &place))
    };
    list.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>().map(Some)
}

fn rule(fields: &Map<String, Value>, place: &str) -> Result<Rule, RulesError> {
    let text = |name: &str| scalar(fields, place, name);
    let pattern = match text("pattern")? {
        // As the exporter joins them: an alternative at the top of the pattern parts the dots from it.
        Some(pattern) => match JavaRegex::parse_case_sensitive(&format!("^.*{pattern}.*$")) {
            Ok(pattern) => Some(pattern),
            Err(error) => return wrong(&format!("{place}.pattern"), error.to_string()),
        },
        None => None,
    };
    let rule = Rule {
        pattern,
        name: text("name")?,
        value: text("value")?.filter(|value| !value.is_empty()),
        value_factor: match text("valueFactor")?.map(|factor| factor.parse::<f64>()) {
            Some(Ok(factor)) => Some(factor),
            Some(Err(_)) => return wrong(&format!("{place}.valueFactor"), "it is no number"),
            None => None,
        },
        labels: labels(fields, place)?,
        help: text("help")?,
        kind: match text("type")?.as_deref() {
            None => None,
            Some("GAUGE") => Some(Kind::Gauge),
            Some("COUNTER") => Some(Kind::Counter),
            Some("UNTYPED" | "UNKNOWN") => Some(Kind::Untyped),
            Some(other) => {
                return wrong(&format!("{place}.type"), format!("{other} is none of GAUGE, COUNTER, UNTYPED"));
            }
        },
        snake_case: flag(fields, place, "attrNameSnakeCase")?,
    };
    if rule.name.is_none() && (!rule.labels.is_empty() || rule.help.is_some()) {
        return wrong(place, "it has labels or a help text, but no name");
    }
    let Some(pattern) = &rule.pattern else {
        return match rule.name.is_some() || rule.value.is_some() {
            true => wrong(place, "it has a name or a value, but no pattern"),
            false => Ok(rule),
        };
    };
    let templates = rule.labels.iter().flat_map(|(name, value)| [name, value]);
    for template in [&rule.name, &rule.value, &rule.help].into_iter().flatten().chain(templates) {
        if let Err(error) = pattern.check_replacement(template) {
            return wrong(place, error.to_string());
        }
    }
    Ok(rule)
}

fn labels(fields: &Map<String, Value>, place: &str) -> Result<Vec<(String, String)>, RulesError> {
    let place = format!("{place}.labels");
    let labels = match fields.get("labels") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(labels)) => labels,
        Some(_) => return wrong(&place, "it is no map"),
    };
    let mut out = Vec::with_capacity(labels.len());
    for name in labels.keys() {
        out.push((name.clone(), scalar(labels, &place, name)?.unwrap_or_default()));
    }
    // In the exporter's order, so that of two labels that get one name the same one stays.
    out.sort();
    Ok(out)
}

/// A text, or what YAML takes for a number or a boolean.
fn scalar(fields: &Map<String, Value>, place: &str, name: &str) -> Result<Option<String>, RulesError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(flag)) => Ok(Some(flag.to_string())),
        Some(Value::Array(_) | Value::Object(_)) => wrong(&format!("{place}.{name}"), "it is no text"),
    }
}

fn flag(fields: &Map<String, Value>, place: &str, name: &str) -> Result<bool, RulesError> {
    match scalar(fields, place, name)?.as_deref() {
        None => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Some(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => wrong(format!("{place}.{name}").trim_start_matches('.'), "it is neither true nor false"),
    }
}

fn pattern(place: &str, text: &str) -> Result<ObjectPattern, RulesError> {
    ObjectPattern::parse(text).map_or_else(|| wrong(place, format!("'{text}' is no name of beans")), Ok)
}

fn patterns(file: &Map<String, Value>, name: &str) -> Result<Vec<ObjectPattern>, RulesError> {
    match file.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(|text| pattern(name, text.as_str().unwrap_or_default())).collect(),
        Some(_) => wrong(name, "it is no list"),
    }
}

fn attributes(file: &Map<String, Value>, name: &str) -> Result<Vec<(ObjectPattern, Vec<String>)>, RulesError> {
    let beans = match file.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(beans)) => beans,
        Some(_) => return wrong(name, "it is no map"),
    };
    let read = |(bean, list): (&String, &Value)| {
        let list = list.as_array().map_or_else(|| wrong(name, "its values are no lists"), Ok)?;
        let names = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok((pattern(name, bean)?, names))
    };
    beans.iter().map(read).collect()
}
