//! Options of the classes that a connector's configuration names: converters, transforms, predicates.
//!
//! In: the settings beneath `value.converter.`, `transforms.route.` and their like, without that prefix. Out: checked
//! values, read with the rules of Kafka's `ConfigDef`, or an error that names the setting and what it takes. Settings
//! that no class declares are ignored, as Connect ignores them; the `config` room warns of them.

use std::collections::BTreeMap;

/// A setting whose value is not one that it takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}={value} is not {expected}")]
pub struct BadOption {
    /// The setting, without the prefix of its class.
    pub option: &'static str,
    /// Its value; never given for secrets.
    pub value: String,
    /// What it takes.
    pub expected: &'static str,
}

/// One setting of a class.
#[derive(Debug)]
pub struct ClassOption {
    /// Its name, beneath the class's prefix.
    pub name: &'static str,
    /// What holds when it is not set; empty: nothing.
    pub default: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
}

impl ClassOption {
    /// A setting whose value may be shown.
    pub const fn new(name: &'static str, default: &'static str, about: &'static str) -> Self {
        ClassOption { name, default, about, secret: false }
    }

    /// A setting whose value must never be shown.
    pub const fn secret(name: &'static str, about: &'static str) -> Self {
        ClassOption { name, default: "", about, secret: true }
    }
}

/// The settings of one class.
pub struct Options<'c> {
    config: &'c BTreeMap<String, String>,
}

impl<'c> Options<'c> {
    /// Over settings without their prefix.
    pub fn new(config: &'c BTreeMap<String, String>) -> Self {
        Options { config }
    }

    /// The value of a setting, trimmed; none when unset or empty.
    pub fn text(&self, name: &str) -> Option<&'c str> {
        self.config.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of the first of several names that is set.
    pub fn any(&self, names: &[&str]) -> Option<&'c str> {
        names.iter().find_map(|name| self.text(name))
    }

    /// Every setting.
    pub fn all(&self) -> impl Iterator<Item = (&'c str, &'c str)> {
        self.config.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `true` or `false`, in any case, as `ConfigDef` reads them.
    ///
    /// # Errors
    /// When the value is neither.
    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, BadOption> {
        match self.text(name) {
            None => Ok(default),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(value) => Err(BadOption { option: name, value: value.into(), expected: "true or false" }),
        }
    }

    /// A whole number of at least `least`.
    ///
    /// # Errors
    /// When the value is no number, or less.
    pub fn number(&self, name: &'static str, default: i64, least: i64) -> Result<i64, BadOption> {
        match self.text(name) {
            None => Ok(default),
            Some(value) => value.parse().ok().filter(|number| *number >= least).ok_or_else(|| BadOption {
                option: name,
                value: value.into(),
                expected: "a whole number in range",
            }),
        }
    }

    /// A comma-separated list; empty entries are left out.
    pub fn list(&self, name: &str) -> Vec<&'c str> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()
    }
}
