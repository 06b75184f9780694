//! Values as Java's management beans: what Debezium and Kafka Connect publish, and rules of exporters are written for.
//!
//! In: a domain, properties in the order in which Debezium and Connect register them, attributes. Out: the same, and the
//! text that a rule's pattern is searched in. A name on `/metrics` is made of that by rules ([`super::exporter`]).

use std::borrow::Cow;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A whole number.
    Whole(i64),
    /// Another number; what was never measured is NaN, as in Kafka's metrics.
    Decimal(f64),
    /// 1 or 0.
    Flag(bool),
    /// A text: shown only by a rule that gives it a value.
    Text(String),
    /// A map: each of its keys stands as the property `key` of a bean of its own.
    Keyed(Vec<(String, Reading)>),
    /// Not known yet, Java's null: there is no such attribute until it is.
    Unknown,
}

impl From<u64> for Reading {
    fn from(count: u64) -> Self {
        Reading::Whole(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// One attribute of a bean.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name, as Debezium or Connect writes it.
    pub name: Cow<'static, str>,
    /// What it says, in a line.
    pub about: &'static str,
    /// Its value.
    pub value: Reading,
}

/// A bean.
#[derive(Clone, Debug, PartialEq)]
pub struct MBean {
    /// `debezium.mysql`.
    pub domain: Cow<'static, str>,
    /// `type`, `context`, … and their values, quoted where Java quotes them.
    pub properties: Vec<(Cow<'static, str>, String)>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

impl MBean {
    /// A bean without attributes; values are quoted where they must be.
    pub fn new(domain: impl Into<Cow<'static, str>>, properties: &[(&'static str, &str)]) -> MBean {
        let properties = properties.iter().map(|(key, value)| (Cow::Borrowed(*key), quoted(value))).collect();
        MBean { domain: domain.into(), properties, attributes: Vec::new() }
    }

    /// Adds an attribute, if it is known.
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>, about: &'static str, value: Reading) {
        if value == Reading::Unknown {
            return;
        }
        self.attributes.push(Attribute { name: name.into(), about, value });
    }
}

/// A property's value as Kafka's `Sanitizer.jmxSanitize` writes it: in quotes when it holds more than letters of ASCII,
/// digits, `_`, `-`, `%`, `.`, spaces and tabs.
pub fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '%' | '.' | ' ' | '\t');
    if value.chars().all(plain) {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '"' | '\\' | '*' | '?' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_as_java_does_it() {
        for (value, expected) in
            [("inventory", "inventory"), ("a b-c.d_1", "a b-c.d_1"), ("a,b", "\"a,b\""), ("x*\"", "\"x\\*\\\"\"")]
        {
            assert_eq!(quoted(value), expected);
        }
    }
}
