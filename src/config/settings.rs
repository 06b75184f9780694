//! Checked properties, read by type.
//!
//! In: resolved properties under today's names. Out: what is wrong with them, all of it; then values by
//! type. Promised: the option table decides what is known, what is taken and what is the default; a value
//! that did not pass the check reads as the default, which is never used, because the check's errors stop
//! the configuration.

use std::collections::BTreeMap;

use super::error::{ConfigError, Warning, WarningKind};
use super::option::{self, Applies, ConfigOption, Kind, Mismatch, Status};
use super::secret::{ClientProperties, Masking, Secret, shown_name};
use super::suggest;
use crate::util::java_regex::RegexList;

/// Properties of one place.
pub(super) struct Settings<'a> {
    pub values: &'a BTreeMap<String, String>,
    pub place: Applies,
    pub masking: &'a Masking,
}

impl Settings<'_> {
    /// Checks every property by itself. `owned` are prefixes of names that the file itself declares, such as
    /// those of transforms.
    pub(super) fn check(&self, owned: &[String], warnings: &mut Vec<Warning>, errors: &mut Vec<ConfigError>) {
        for (property, value) in self.values.iter().filter(|(property, _)| self.masking.is_resolved(property)) {
            match option::find(property, self.place) {
                Some(option) => self.check_known(option, property, value, warnings, errors),
                None if owned.iter().any(|prefix| property.starts_with(prefix.as_str())) => {}
                None => self.unknown(property, warnings),
            }
        }
        self.check_required(errors);
    }

    fn check_known(
        &self,
        option: &ConfigOption,
        property: &str,
        value: &str,
        warnings: &mut Vec<Warning>,
        errors: &mut Vec<ConfigError>,
    ) {
        // A family that swallows everything must not swallow a typo in a name of its neighbours.
        if option.is_family()
            && matches!(option.status, Status::NoEffect(_))
            && suggest::closest(property, self.place).is_some()
        {
            return self.unknown(property, warnings);
        }
        // Blank is not set, to Debezium and to us, but where text may well be blank.
        let blank = value.trim().is_empty();
        if !blank && let Err(mismatch) = option.check(value) {
            errors.push(self.mismatch(property, value, mismatch));
        }
        let default = option.default.is_some_and(|default| default.eq_ignore_ascii_case(value.trim()));
        match option.status {
            Status::NoEffect(because) if !default && !blank && !option.quiet => {
                let text = format!("changes nothing here: {because}");
                warnings.push(Warning::new(WarningKind::NoEffect, property, text));
            }
            Status::Refused(reason) if !default && !blank => {
                let value = self.masking.show(property, value);
                errors.push(ConfigError::Refused { property: shown_name(property), value, reason: reason.to_owned() });
            }
            Status::Works | Status::NoEffect(_) | Status::Refused(_) => {}
        }
    }

    /// An error about one value.
    pub(super) fn invalid(&self, property: &str, value: &str, expected: impl Into<String>) -> ConfigError {
        ConfigError::Invalid {
            property: shown_name(property),
            value: self.masking.show(property, value),
            expected: expected.into(),
        }
    }

    /// An error about a value that an option does not take.
    pub(super) fn mismatch(&self, property: &str, value: &str, mismatch: Mismatch) -> ConfigError {
        match mismatch {
            Mismatch::Expected(expected) => self.invalid(property, value, expected),
            Mismatch::Regex(_) if self.masking.hides(property) => {
                self.invalid(property, value, "a regular expression that can be used")
            }
            Mismatch::Regex(error) => ConfigError::Regex { property: shown_name(property), error },
        }
    }

    fn unknown(&self, property: &str, warnings: &mut Vec<Warning>) {
        let text = match suggest::closest(property, self.place) {
            Some(meant) => format!("no option has this name, and it is ignored; did you mean {meant}?"),
            None => "no option has this name, and it is ignored".to_owned(),
        };
        warnings.push(Warning::new(WarningKind::Unknown, property, text));
    }

    fn check_required(&self, errors: &mut Vec<ConfigError>) {
        for option in option::all().filter(|option| option.required && option.applies.meets(self.place)) {
            if self.text(option.name).is_none() {
                errors.push(self.missing(option));
            }
        }
    }

    /// An error about a property that is not there.
    pub(super) fn missing(&self, option: &ConfigOption) -> ConfigError {
        let unknown = self.values.keys().filter(|property| {
            option::find(property, self.place).is_none_or(|found| found.is_family() && !option.is_family())
        });
        let suggestion = unknown.into_iter().find(|property| suggest::alike(property, option.name)).cloned();
        ConfigError::Missing { property: option.name.to_owned(), about: option.about.to_owned(), suggestion }
    }

    /// What is written, or else the default.
    fn written(&self, property: &str) -> Option<&str> {
        let written = self.values.get(property).map(String::as_str).filter(|value| !value.trim().is_empty());
        written.or_else(|| self.option(property).and_then(|option| option.default))
    }

    fn option(&self, property: &str) -> Option<&'static ConfigOption> {
        let option = option::find(property, self.place);
        debug_assert!(option.is_some(), "{property} is read and not declared");
        option
    }

    /// Whether the property is set to anything but blanks.
    pub(super) fn is_set(&self, property: &str) -> bool {
        self.values.get(property).is_some_and(|value| !value.trim().is_empty())
    }

    /// A text without blanks around it; a blank one is none.
    pub(super) fn text(&self, property: &str) -> Option<String> {
        self.written(property).map(|text| text.trim().to_owned())
    }

    /// A password, blanks and all.
    pub(super) fn secret(&self, property: &str) -> Option<Secret> {
        self.values.get(property).map(|text| Secret::new(text.as_str()))
    }

    /// A whole number.
    pub(super) fn number(&self, property: &str) -> i64 {
        self.optional_number(property).unwrap_or_else(|| {
            self.option(property).and_then(|option| option.default).and_then(option::parse_number).unwrap_or(0)
        })
    }

    /// A whole number that may be missing.
    pub(super) fn optional_number(&self, property: &str) -> Option<i64> {
        let number = self.written(property).and_then(option::parse_number)?;
        match self.option(property).map(|option| option.kind) {
            Some(Kind::Number(least, most)) => (least..=most).contains(&number).then_some(number),
            _ => Some(number),
        }
    }

    /// A number of milliseconds.
    pub(super) fn millis(&self, property: &str) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.number(property)).unwrap_or(0))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, property: &str) -> bool {
        self.written(property).and_then(option::parse_bool).unwrap_or(false)
    }

    /// One of the words of an enum.
    pub(super) fn word<T>(&self, property: &str, parse: fn(&str) -> Option<T>, otherwise: T) -> T {
        self.written(property).and_then(parse).unwrap_or(otherwise)
    }

    /// A comma-separated list.
    pub(super) fn list(&self, property: &str) -> Vec<String> {
        self.written(property).map(option::parse_list).unwrap_or_default()
    }

    /// Regular expressions; none when blank.
    pub(super) fn regexes(&self, property: &str) -> Option<RegexList> {
        self.written(property).and_then(|list| RegexList::parse(list).ok()).filter(|list| !list.is_empty())
    }

    /// Everything behind a prefix.
    pub(super) fn under(&self, prefix: &str) -> ClientProperties {
        ClientProperties::new(self.values.clone()).under(prefix)
    }
}
