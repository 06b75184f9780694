//! Secrets, and the rule for what is one.
//!
//! In: property names and values. Out: text that may be printed. Promised: what this room lets out through
//! `Debug`, `Display`, an error or a warning carries no password, token or salt. The rule is Debezium's
//! (`Configuration.PASSWORD_PATTERN`) and wider; `custom.sanitize.pattern` adds to it and never narrows it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::util::java_regex::JavaRegex;

/// What is printed in place of a secret.
pub const MASK: &str = "****";

/// Parts of property names that make the value a secret, in lower case.
const SENSITIVE: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "jaas.config",
    "user.info",
    "credential",
    "private.key",
    "keystore.key",
    "sslkey",
    "access.key",
    "api.key",
    "connectionstring",
    "connection.string",
];

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one place that must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// A value as it may be shown in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// A value that was already found harmless, such as a default of our own.
    pub fn plain(value: &str) -> Shown {
        Shown(quote(value))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Longest value that a message repeats, in characters.
const LONGEST_SHOWN: usize = 120;

fn quote(value: &str) -> String {
    let mut shown: String = value.chars().take(LONGEST_SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().nth(LONGEST_SHOWN).is_some() {
        shown.push('…');
    }
    format!("'{}'", without_user_info(&shown))
}

/// `scheme://user:password@host` without the part before the `@`.
fn without_user_info(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let authority = after.split(['/', ',', ' ', '\'']).next().unwrap_or(after);
        rest = match authority.rfind('@') {
            Some(at) => {
                out.push_str(MASK);
                after.get(at..).unwrap_or("")
            }
            None => after,
        };
    }
    out.push_str(rest);
    out
}

/// A property's name as it may be shown: the salt of `column.mask.hash.…with.salt.<salt>` is in the name.
pub fn shown_name(property: &str) -> String {
    const SALT: &str = ".with.salt.";
    match property.find(SALT) {
        Some(at) => format!("{}{SALT}{MASK}", property.get(..at).unwrap_or("")),
        None => property.chars().take(200).flat_map(char::escape_debug).collect(),
    }
}

/// Decides which values are secret.
#[derive(Clone, Debug, Default)]
pub struct Masking {
    custom: Option<JavaRegex>,
    /// Properties whose value came out of a config provider: people keep their secrets there.
    provided: BTreeSet<String>,
    /// Those of them whose variable has no value; that is the one error to report about them.
    unresolved: BTreeSet<String>,
}

impl Masking {
    /// The built-in rule, and `custom.sanitize.pattern` where there is one.
    pub fn new(custom: Option<JavaRegex>) -> Masking {
        Masking { custom, ..Masking::default() }
    }

    /// Marks the value of a property as one that came out of a config provider.
    pub fn provided(&mut self, property: &str) {
        self.provided.insert(property.to_owned());
    }

    /// Notes that the value of a property could not be had.
    pub fn unresolved(&mut self, property: &str) {
        self.unresolved.insert(property.to_owned());
    }

    /// Whether the value of a property could be had.
    pub fn is_resolved(&self, property: &str) -> bool {
        !self.unresolved.contains(property)
    }

    /// Adds `custom.sanitize.pattern`.
    pub fn add(&mut self, custom: JavaRegex) {
        self.custom = Some(custom);
    }

    /// Whether the value of this property must not be printed.
    pub fn hides(&self, property: &str) -> bool {
        // An expression that costs too much hides too: rather one value too many.
        is_sensitive(property)
            || self.provided.contains(property)
            || self.custom.as_ref().is_some_and(|custom| custom.matches(property).unwrap_or(true))
    }

    /// The value as it may be shown.
    pub fn show(&self, property: &str, value: &str) -> Shown {
        if self.hides(property) { Shown(MASK.to_owned()) } else { Shown(quote(value)) }
    }
}

/// Whether the name alone says that the value is a secret.
pub fn is_sensitive(property: &str) -> bool {
    let name = property.to_ascii_lowercase();
    SENSITIVE.iter().any(|part| name.contains(part))
}

/// Properties handed on to a client (Kafka, registry, JDBC) under their own names. Printing shows the names
/// and the harmless values.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ClientProperties(BTreeMap<String, String>);

impl ClientProperties {
    /// Takes over a map.
    pub fn new(properties: BTreeMap<String, String>) -> ClientProperties {
        ClientProperties(properties)
    }

    /// The value of one property.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The map itself, for a client that takes one.
    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets one property, over a value that was there.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// These properties with `others` over them.
    pub fn overridden_by(&self, others: &ClientProperties) -> ClientProperties {
        let mut merged = self.0.clone();
        merged.extend(others.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        ClientProperties(merged)
    }

    /// The properties behind a prefix, without it.
    pub fn under(&self, prefix: &str) -> ClientProperties {
        ClientProperties(
            self.0
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone())))
                .filter(|(name, _)| !name.is_empty())
                .collect(),
        )
    }
}

impl fmt::Debug for ClientProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masking = Masking::default();
        let shown = |(name, value): (&String, &String)| (shown_name(name), masking.show(name, value).to_string());
        f.debug_map().entries(self.0.iter().map(shown)).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_say_what_is_secret() {
        let check = |name: &str, hidden: bool| assert_eq!(Masking::default().hides(name), hidden, "{name}");
        check("database.password", true);
        check("database.ssl.keystore.password", true);
        check("producer.override.sasl.jaas.config", true);
        check("value.converter.basic.auth.user.info", true);
        check("value.converter.schema.registry.basic.auth.user.info", true);
        check("value.converter.bearer.auth.token", true);
        check("PRODUCER.SSL.KEY.PASSWORD", true);
        check("transforms.x.client.secret", true);
        check("database.user", false);
        check("database.ssl.keystore", false);
        check("topic.prefix", false);
    }

    #[test]
    fn nothing_prints_a_secret() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "**** ****");
        let mut properties = ClientProperties::default();
        properties.set("sasl.jaas.config", "hunter2");
        properties.set("schema.registry.url", "https://me:hunter2@one:8081,https://two");
        properties.set("linger.ms", "5");
        let printed = format!("{properties:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("****@one:8081,https://two") && printed.contains("'5'"), "{printed}");
        let name = shown_name("column.mask.hash.v2.SHA-256.with.salt.hunter2");
        assert_eq!(name, "column.mask.hash.v2.SHA-256.with.salt.****");
    }

    #[test]
    fn a_custom_pattern_adds() {
        let masking = Masking::new(Some(JavaRegex::parse(".*\\.dsn").unwrap()));
        assert!(masking.hides("my.dsn") && masking.hides("database.password"));
        assert_eq!(masking.show("my.dsn", "hunter2").to_string(), MASK);
    }
}
