//! Names on `/metrics`: rules of the Prometheus JMX exporter, the user's or ours, make series of beans' attributes.
//!
//! ```text
//!  beans ─▶ debezium.mysql<type=connector-metrics, context=streaming, server=shop><>Connected: 1 ─▶ rules ─▶ series
//! ```
//!
//! In: beans. Out: families of series. Promised: rules are tried in their order, for each attribute the first one that
//! matches counts, and an attribute that none matches is not shown, as in the exporter: dashboards and alerts that a team has
//! built over the years find what they query. Nothing here survives a crash.
//! The exporter's generations differ in one thing: before 1.0 a name kept a `_total` at its end, since then only that of a
//! counter does (OpenMetrics). Nobody says which of them a team's dashboards were built with, so both names are there.

mod object_name;
mod rules;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

pub use rules::{LONGEST_FILE, RulesError};

use super::mbean::{Attribute, MBean, Reading};
use super::series::{Family, Kind, Label, Series};
use crate::model::modes::MetricNames;
use rules::{Rule, Rules};

/// Our rules.
const NAMES: &str = include_str!("names.yaml");

/// What a counter's name ends with.
const TOTAL: &str = "_total";

/// The label whose value is a list of properties, each of which becomes a label.
const FURTHER: &str = "*";

/// Rules, ready to use.
#[derive(Debug)]
pub struct Exporter {
    rules: Rules,
    /// That an expression takes too long is said once: it does so at each scrape.
    said: AtomicBool,
}

/// What a rule is tried on.
struct Subject<'b> {
    bean: &'b MBean,
    /// `debezium.mysql<type=connector-metrics, context=streaming><>`.
    prefix: &'b str,
    attribute: &'b Attribute,
    value: &'b Reading,
}

impl Exporter {
    /// With the rules of a file.
    ///
    /// # Errors
    /// When it cannot be used; with the place in it.
    pub fn parse(text: &str) -> Result<Exporter, RulesError> {
        Ok(Exporter { rules: Rules::parse(text)?, said: AtomicBool::new(false) })
    }

    /// With our own rules.
    ///
    /// # Errors
    /// Never, as a test holds.
    pub fn with_names(names: MetricNames) -> Result<Exporter, RulesError> {
        let mut exporter = Exporter::parse(NAMES)?;
        let rules = &mut exporter.rules;
        rules.lowercase_name = names == MetricNames::Lowercase;
        for rule in rules.rules.iter_mut().chain(&mut rules.also) {
            rule.snake_case = names == MetricNames::SnakeCase;
        }
        Ok(exporter)
    }

    /// The series of these beans.
    pub fn families(&self, beans: &[MBean]) -> Vec<Family> {
        let mut found = Vec::new();
        for bean in beans.iter().filter(|bean| self.is_shown(bean)) {
            let prefix = prefix(bean);
            for attribute in bean.attributes.iter().filter(|attribute| self.has_attribute(bean, &attribute.name)) {
                let Reading::Keyed(values) = &attribute.value else {
                    self.name(&Subject { bean, prefix: &prefix, attribute, value: &attribute.value }, &mut found);
                    continue;
                };
                for (key, value) in values {
                    let mut bean = MBean { attributes: Vec::new(), ..bean.clone() };
                    bean.properties.push((Cow::Borrowed("key"), key.clone()));
                    let prefix = self::prefix(&bean);
                    self.name(&Subject { bean: &bean, prefix: &prefix, attribute, value }, &mut found);
                }
            }
        }
        families(found)
    }

    fn is_shown(&self, bean: &MBean) -> bool {
        let rules = &self.rules;
        (rules.include.is_empty() || rules.include.iter().any(|pattern| pattern.is_of(bean)))
            && !rules.exclude.iter().any(|pattern| pattern.is_of(bean))
    }

    fn has_attribute(&self, bean: &MBean, name: &str) -> bool {
        let mut named = self.rules.include_attributes.iter().filter(|(pattern, _)| pattern.is_of(bean)).peekable();
        let included = named.peek().is_none() || named.any(|(_, names)| names.iter().any(|known| known == name));
        let of_bean = |(pattern, names): &(object_name::ObjectPattern, Vec<String>)| {
            pattern.is_of(bean) && names.iter().any(|known| known == name)
        };
        included && !self.rules.exclude_attributes.iter().any(of_bean)
    }

    /// Adds the series of one attribute: none, one, or two where it has a second name.
    fn name(&self, subject: &Subject<'_>, found: &mut Vec<Found>) {
        let (snake, shown) = (snake_case(&subject.attribute.name), text_of(subject.value));
        let line = |name: &str| format!("{}{name}: {shown}", subject.prefix);
        let lines = (line(&subject.attribute.name), line(&snake));
        for rules in [&self.rules.rules, &self.rules.also] {
            for rule in rules {
                let (name, line) = match rule.snake_case {
                    true => (snake.as_str(), &lines.1),
                    false => (&*subject.attribute.name, &lines.0),
                };
                let matched = match rule.pattern.as_ref().map(|pattern| pattern.find(line)) {
                    None => None,
                    Some(Ok(Some(matched))) => Some(matched),
                    Some(Ok(None)) => continue,
                    Some(Err(costly)) => {
                        if !self.said.swap(true, Ordering::Relaxed) {
                            tracing::warn!(reason = %costly, line, "a rule of the series on /metrics is taken for one that does not match; it is not said again");
                        }
                        continue;
                    }
                };
                let expand = |template: &str| match &matched {
                    Some(matched) => matched.expand(template),
                    None => template.to_owned(),
                };
                found.extend(self.series(rule, subject, name, expand));
                break;
            }
        }
    }

    /// The series that a rule makes of an attribute that it matches.
    fn series(
        &self,
        rule: &Rule,
        subject: &Subject<'_>,
        shown: &str,
        expand: impl Fn(&str) -> String,
    ) -> Option<Found> {
        let value = match &rule.value {
            Some(template) => expand(template).trim().parse::<f64>().ok()?,
            None => number(subject.value)?,
        } * rule.value_factor.unwrap_or(1.0);
        let (mut name, mut labels) = match &rule.name {
            Some(template) => (safe_name(&expand(template)), rule_labels(rule, &expand)),
            None => default_name(subject.bean, shown),
        };
        if name.is_empty() {
            return None;
        }
        if self.rules.lowercase_name {
            name = name.to_lowercase();
        }
        if self.rules.lowercase_labels {
            labels.iter_mut().for_each(|(name, _)| *name = name.to_lowercase());
        }
        let kind = rule.kind.unwrap_or(Kind::Untyped);
        if kind == Kind::Counter && !name.ends_with(TOTAL) {
            name.push_str(TOTAL);
        }
        let help = rule.help.as_deref().map_or_else(|| subject.attribute.about.to_owned(), expand);
        let object = format!("{}{}", subject.prefix, subject.attribute.name);
        Some(Found { name, help, kind, object, series: Series { labels, value } })
    }
}

/// A series, and the attribute that it was made of.
#[derive(Clone)]
struct Found {
    name: String,
    help: String,
    kind: Kind,
    object: String,
    series: Series,
}

/// What is no counter and has a `_total` at its end, under its name without it too, where nothing else has that name.
fn without_total(found: &[Found]) -> Vec<Found> {
    let names: HashSet<&str> = found.iter().map(|found| found.name.as_str()).collect();
    let second = |found: &Found| {
        let name = found.name.strip_suffix(TOTAL).filter(|name| !name.is_empty() && !names.contains(name))?;
        (found.kind != Kind::Counter).then(|| Found { name: name.to_owned(), ..found.clone() })
    };
    found.iter().filter_map(second).collect()
}

/// Families of one name each. Series of a family that have the same labels are told apart as the exporter does it, by
/// the attribute's own name.
fn families(mut found: Vec<Found>) -> Vec<Family> {
    found.extend(without_total(&found));
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
        Reading::Keyed(_) | Reading::Unknown => String::new(),
    }
}

fn number(value: &Reading) -> Option<f64> {
    match value {
        Reading::Whole(number) => Some(*number as f64),
        Reading::Decimal(number) => Some(*number),
        Reading::Flag(flag) => Some(f64::from(u8::from(*flag))),
        Reading::Text(_) | Reading::Keyed(_) | Reading::Unknown => None,
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
