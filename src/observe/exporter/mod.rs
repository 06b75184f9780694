//! Names on `/metrics`: rules of the Prometheus JMX exporter, the user's or ours, make series of beans' attributes.
//!
//! ```text
//!  beans ─▶ debezium.mysql<type=connector-metrics, context=streaming, server=shop><>Connected: 1 ─▶ rules ─▶ series
//! ```
//!
//! In: beans. Out: families of series. Promised: rules are tried in their order, for each attribute the first one that
//! matches counts, and an attribute that none matches is not shown, as in the exporter: dashboards and alerts that a team has
//! built over the years find what they query. Nothing here survives a crash.

mod object_name;
mod rules;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

pub use rules::{LONGEST_FILE, RulesError};

use super::mbean::{Attribute, MBean, Reading};
use super::series::{Family, Kind, Label, Series};
use rules::{Rule, Rules};

/// Our rules.
const NAMES: &str = include_str!("names.yaml");

/// The label whose value is a list of properties, each of which becomes a label.
const FURTHER: &str = "*";

/// How our rules write names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// As in Debezium's example: `debezium_metrics_MilliSecondsBehindSource`.
    Debezium,
    /// `debezium_metrics_millisecondsbehindsource`.
    Lowercase,
    /// `debezium_metrics_milli_seconds_behind_source`.
    SnakeCase,
}

/// Rules, ready to use.
#[derive(Clone, Debug)]
pub struct Exporter(Rules);

impl Exporter {
    /// With the rules of a file.
    ///
    /// # Errors
    /// When it cannot be used; with the place in it.
    pub fn parse(text: &str) -> Result<Exporter, RulesError> {
        Rules::parse(text).map(Exporter)
    }

    /// With our own rules.
    ///
    /// # Errors
    /// Never, as a test holds.
    pub fn with_names(names: Names) -> Result<Exporter, RulesError> {
        let mut rules = Rules::parse(NAMES)?;
        rules.lowercase_name = names == Names::Lowercase;
        for rule in rules.rules.iter_mut().chain(&mut rules.also) {
            rule.snake_case = names == Names::SnakeCase;
        }
        Ok(Exporter(rules))
    }

    /// The series of these beans.
    pub fn families(&self, beans: &[MBean]) -> Vec<Family> {
        let mut found = Vec::new();
        for bean in beans.iter().filter(|bean| self.is_shown(bean)) {
            for attribute in bean.attributes.iter().filter(|attribute| self.has_attribute(bean, &attribute.name)) {
                match &attribute.value {
                    Reading::Keyed(values) => {
                        for (key, value) in values {
                            let mut keyed = MBean { attributes: Vec::new(), ..bean.clone() };
                            keyed.properties.push((Cow::Borrowed("key"), key.clone()));
                            let value = Reading::Whole(*value);
                            found.extend(self.named(&keyed, &Attribute { value, ..attribute.clone() }));
                        }
                    }
                    Reading::Whole(_) | Reading::Decimal(_) | Reading::Flag(_) | Reading::Text(_) => {
                        found.extend(self.named(bean, attribute));
                    }
                }
            }
        }
        families(found)
    }

    fn is_shown(&self, bean: &MBean) -> bool {
        let rules = &self.0;
        (rules.include.is_empty() || rules.include.iter().any(|pattern| pattern.is_of(bean)))
            && !rules.exclude.iter().any(|pattern| pattern.is_of(bean))
    }

    fn has_attribute(&self, bean: &MBean, name: &str) -> bool {
        let mut named = self.0.include_attributes.iter().filter(|(pattern, _)| pattern.is_of(bean)).peekable();
        let included = named.peek().is_none() || named.any(|(_, names)| names.iter().any(|known| known == name));
        let of_bean = |(pattern, names): &(object_name::ObjectPattern, Vec<String>)| {
            pattern.is_of(bean) && names.iter().any(|known| known == name)
        };
        included && !self.0.exclude_attributes.iter().any(of_bean)
    }

    /// The series of one attribute: none, one, or two where it has a second name.
    fn named(&self, bean: &MBean, attribute: &Attribute) -> Vec<Found> {
        let (prefix, snake) = (prefix(bean), snake_case(&attribute.name));
        let shown = text_of(&attribute.value);
        let mut found = Vec::new();
        for rules in [&self.0.rules, &self.0.also] {
            for rule in rules {
                let name = if rule.snake_case { snake.as_str() } else { &attribute.name };
                let matched = format!("{prefix}{name}: {shown}");
                // An expression that needs too many steps matches nothing; the same line is tried at each scrape.
                if rule.pattern.as_ref().is_some_and(|pattern| !pattern.matches(&matched).unwrap_or(false)) {
                    continue;
                }
                found.extend(self.series(rule, &matched, bean, attribute, name));
                break;
            }
        }
        found
    }

    /// The series that a rule makes of an attribute that it matches.
    fn series(&self, rule: &Rule, matched: &str, bean: &MBean, attribute: &Attribute, shown: &str) -> Option<Found> {
        let expand = |template: &str| match &rule.pattern {
            Some(pattern) => pattern.replace(matched, template).ok().flatten().unwrap_or_default(),
            None => template.to_owned(),
        };
        let value = match &rule.value {
            Some(template) => expand(template).trim().parse::<f64>().ok()?,
            None => number(&attribute.value)?,
        } * rule.value_factor.unwrap_or(1.0);
        let (mut name, mut labels) = match &rule.name {
            Some(template) => (safe_name(&expand(template)), rule_labels(rule, expand)),
            None => default_name(bean, shown),
        };
        if name.is_empty() {
            return None;
        }
        if self.0.lowercase_name {
            name = name.to_lowercase();
        }
        if self.0.lowercase_labels {
            labels.iter_mut().for_each(|(name, _)| *name = name.to_lowercase());
        }
        let kind = rule.kind.unwrap_or(Kind::Gauge);
        if kind == Kind::Counter && !name.ends_with("_total") {
            name.push_str("_total");
        }
        let help = rule.help.as_deref().map_or_else(|| attribute.about.to_owned(), expand);
        let object = format!("{}{}", prefix(bean), attribute.name);
        Some(Found { name, help, kind, object, series: Series { labels, value } })
    }
}

/// A series, and the attribute that it was made of.
struct Found {
    name: String,
    help: String,
    kind: Kind,
    object: String,
    series: Series,
}

/// Families of one name each. Series of a family that have the same labels are told apart as the exporter does it, by
/// the attribute's own name.
fn families(found: Vec<Found>) -> Vec<Family> {
    let mut seen: HashSet<(String, Vec<Label>)> = HashSet::new();
    let mut ambiguous: HashSet<String> = HashSet::new();
    for Found { name, series, .. } in &found {
        let mut labels = series.labels.clone();
        labels.sort();
        if !seen.insert((name.clone(), labels)) {
            ambiguous.insert(name.clone());
        }
    }
    let family = |found: Found| {
        let Found { name, help, kind, object, mut series } = found;
        if ambiguous.contains(&name) {
            series.labels.push(("_objectname".to_owned(), object));
        }
        Family { name, help, kind, series: vec![series] }
    };
    super::series::joined(found.into_iter().map(family).collect())
}

/// `debezium.mysql<type=connector-metrics, context=streaming><>`.
fn prefix(bean: &MBean) -> String {
    let properties: Vec<String> = bean.properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{}<{}><>", bean.domain, properties.join(", "))
}

fn text_of(value: &Reading) -> String {
    match value {
        Reading::Whole(number) => number.to_string(),
        // As Java prints it.
        Reading::Decimal(number) => format!("{number:?}"),
        Reading::Flag(flag) => flag.to_string(),
        Reading::Text(text) => text.clone(),
        Reading::Keyed(_) => String::new(),
    }
}

fn number(value: &Reading) -> Option<f64> {
    match value {
        Reading::Whole(number) => Some(*number as f64),
        Reading::Decimal(number) => Some(*number),
        Reading::Flag(flag) => Some(f64::from(u8::from(*flag))),
        Reading::Text(_) | Reading::Keyed(_) => None,
    }
}

/// `MilliSecondsBehindSource` is `milli_seconds_behind_source`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
        before = c;
    }
    out
}

/// A name that Prometheus takes: what it may not have is `_`, and of several `_` one stays.
fn safe_name(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' };
        if c != '_' || !out.ends_with('_') {
            out.push(c);
        }
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

/// A label's name: what a series' may have but `:`.
fn safe_label(text: &str) -> String {
    safe_name(&text.replace(':', "_"))
}

fn rule_labels(rule: &Rule, expand: impl Fn(&str) -> String) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::with_capacity(rule.labels.len());
    let mut push = |name: String, value: String| {
        if !name.is_empty() && !value.is_empty() && labels.iter().all(|(known, _)| *known != name) {
            labels.push((name, value));
        }
    };
    for (name, value) in rule.labels.iter().filter(|(name, _)| name != FURTHER) {
        push(safe_label(&expand(name)), expand(value));
    }
    for (_, value) in rule.labels.iter().filter(|(name, _)| name == FURTHER) {
        for (key, value) in expand(value).split(", ").filter_map(|property| property.split_once('=')) {
            push(safe_label(key), value.to_owned());
        }
    }
    labels
}

/// The name of an attribute for which a rule without a name counts: the domain, the first property, the attribute.
fn default_name(bean: &MBean, attribute: &str) -> (String, Vec<Label>) {
    let mut properties = bean.properties.iter();
    let first = properties.next().map(|(_, value)| format!("_{value}")).unwrap_or_default();
    let labels = properties.map(|(key, value)| (safe_label(key), value.clone())).collect();
    (safe_name(&format!("{}{first}_{attribute}", bean.domain)), labels)
}
