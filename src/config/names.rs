//! Names of earlier generations, turned into today's.
//!
//! In: the properties of a file of any year. Out: the same under today's names, one warning a name, and
//! whether the file is of the old time. Promised: where both generations are set, they must agree; a default
//! that changed since is said aloud when an old name shows the file's age. The old names stand in the option
//! table; what also changes the value is here.
//! Source: the release notes of Debezium 0.10 to 3.2.

use std::collections::BTreeMap;

use super::error::{ConfigError, Warning, WarningKind};
use super::option::{self, Applies};
use super::secret::shown_name;

/// Properties under today's names.
pub(super) struct Renamed {
    /// Today's names and values.
    pub values: BTreeMap<String, String>,
    /// Whether a name shows that the file was written for Debezium 1.x.
    pub old_generation: bool,
}

/// Renames what has an old name.
pub(super) fn rename(
    written: BTreeMap<String, String>,
    place: Applies,
    warnings: &mut Vec<Warning>,
    errors: &mut Vec<ConfigError>,
) -> Renamed {
    let mut renamed = Renamed { values: BTreeMap::new(), old_generation: false };
    let mut old = Vec::new();
    for (property, value) in written {
        // A name that an option has today is no old name, even if a family of old names covers it.
        match option::find(&property, place).filter(|option| option.name == property) {
            Some(_) => _ = renamed.values.insert(property, value),
            None => match todays(&property, &value, place) {
                Some(today) => old.push((property, today)),
                None => _ = renamed.values.insert(property, value),
            },
        }
    }
    for (property, today) in old {
        renamed.old_generation |= today.until == "2.0";
        let text = format!("is called {} since Debezium {}", shown_name(&today.name), today.until);
        warnings.push(Warning::new(WarningKind::OldName, &property, text));
        let Some(value) = today.value else { continue };
        match renamed.values.get(&today.name) {
            Some(present) if *present != value => {
                errors.push(ConfigError::OldAndNew { old: shown_name(&property), new: shown_name(&today.name) })
            }
            _ => _ = renamed.values.insert(today.name, value),
        }
    }
    old_values(&mut renamed.values, place, warnings);
    renamed
}

/// Today's name and value of an old property.
struct Today {
    name: String,
    /// Today's value; `None` when today's way to say it is to say nothing.
    value: Option<String>,
    until: &'static str,
}

fn todays(property: &str, value: &str, place: Applies) -> Option<Today> {
    if property == "sanitize.field.names" {
        let value = (option::parse_bool(value) == Some(true)).then(|| "avro".to_owned());
        return Some(Today { name: "field.name.adjustment.mode".to_owned(), value, until: "2.0" });
    }
    let (name, old) = option::find_old(property, place)?;
    Some(Today { name, value: Some(value.to_owned()), until: old.until })
}

/// Classes and words that are called otherwise today.
fn old_values(values: &mut BTreeMap<String, String>, place: Applies, warnings: &mut Vec<Warning>) {
    const CLASSES: &[(&str, &str)] = &[
        ("io.debezium.relational.history.KafkaDatabaseHistory", "io.debezium.storage.kafka.history.KafkaSchemaHistory"),
        ("io.debezium.relational.history.FileDatabaseHistory", "io.debezium.storage.file.history.FileSchemaHistory"),
        ("io.debezium.relational.history.MemoryDatabaseHistory", "io.debezium.relational.history.MemorySchemaHistory"),
        ("io.debezium.connector.mysql.legacy.MySqlConnector", "io.debezium.connector.mysql.MySqlConnector"),
    ];
    for (property, value) in values.iter_mut() {
        if let Some((_, today)) = CLASSES.iter().find(|(old, _)| *old == value.trim()) {
            let text = format!("{} is called {today} since Debezium 2.0", value.trim());
            warnings.push(Warning::new(WarningKind::OldName, property, text));
            *value = (*today).to_owned();
            continue;
        }
        let Some(option) = option::find(property, place) else { continue };
        if let option::Kind::Word(words, todays) = option.kind
            && let Some(today) = todays(value)
            && words.contains(&today)
            && !words.iter().any(|word| word.eq_ignore_ascii_case(value.trim()))
        {
            let text = format!("'{}' is called '{today}' today", value.trim());
            warnings.push(Warning::new(WarningKind::OldName, property, text));
        }
    }
}

/// What is another way today where the file says nothing.
pub(super) fn changed_defaults(values: &BTreeMap<String, String>, warnings: &mut Vec<Warning>) {
    const CHANGED: &[(&str, &str)] = &[
        (
            "skipped.operations",
            "is not set: Debezium 1.x wrote events for truncated tables, and since 2.0 they are skipped (t); set it to none for the old way",
        ),
        (
            "schema.name.adjustment.mode",
            "is not set: it was avro in Debezium 1.x and is none since 2.0; set it to avro if names of schemas have characters that Avro does not allow",
        ),
    ];
    for (property, text) in CHANGED {
        if !values.contains_key(*property) {
            warnings.push(Warning::new(WarningKind::ChangedDefault, property, *text));
        }
    }
}
