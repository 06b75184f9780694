//! What becomes of each property of a connector, for those who decide whether to run it here.
//!
//! In: properties as written, and the worker. Out: a [`Judgement`]: the configuration where it can be run, and one
//! [`Verdict`] for each property, and for each thing that is said of none in particular. Promised: errors and warnings
//! are those of [`ConnectorConfig::examine`], word for word, so that `migrate`, `check` and `run` never disagree; no
//! value of a secret stands in a sentence. Nothing here survives a crash.

use std::collections::{BTreeMap, BTreeSet};

use super::connector::{ConnectorConfig, Examined};
use super::error::{ConfigError, Warning, WarningKind};
use super::option::{self, Applies, Status};
use super::secret::shown_name;
use super::worker::WorkerConfig;
use crate::error::{Code, Coded};

/// What becomes of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does what Debezium's manual says.
    Works,
    /// It is accepted, and there is nothing here that it could change.
    Meaningless,
    /// It can be used, and somebody should know how: an old name, another default, advice.
    Differs,
    /// No option has this name. Connect passes over it, and so does Headwater.
    Unknown,
    /// It is still to be built; where that would change the events, the connector is refused.
    Planned,
    /// The connector cannot be run with it.
    Refused,
}

/// What is said of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its name as it may be shown.
    pub property: String,
    /// What becomes of it.
    pub standing: Standing,
    /// The sentence; empty where there is nothing to say.
    pub text: String,
    /// The page of the error that keeps the connector from running; `None` when nothing does.
    pub refusal: Option<&'static Code>,
}

/// All that can be said of a connector before it runs.
#[derive(Debug)]
pub struct Judgement {
    /// What can be run; `None` when a verdict refuses it.
    pub config: Option<ConnectorConfig>,
    /// Errors first, then what is worth saying, then what simply works, each by name.
    pub verdicts: Vec<Verdict>,
}

/// Judges the properties of a connector, as `run` would take them.
pub fn judge(name: &str, written: &BTreeMap<String, String>, worker: &WorkerConfig) -> Judgement {
    let Examined { config, warnings, errors } = ConnectorConfig::examine(name, written.clone(), worker);
    let mut verdicts: Vec<Verdict> = errors.iter().map(of_error).collect();
    verdicts.extend(warnings.iter().map(of_warning));
    let spoken_of: BTreeSet<String> = verdicts.iter().map(|verdict| verdict.property.clone()).collect();
    let place = config.as_ref().map_or(Applies::BINLOG, |config| Applies::of(config.kind));
    for property in written.keys() {
        let shown = shown_name(property);
        if !spoken_of.contains(&shown) {
            verdicts.push(in_silence(property, shown, place));
        }
    }
    verdicts.sort_by(|a, b| (b.standing, &a.property).cmp(&(a.standing, &b.property)));
    Judgement { config, verdicts }
}

/// A property of which the parser said nothing.
fn in_silence(property: &str, shown: String, place: Applies) -> Verdict {
    let (standing, text) = match option::find(property, place).map(|option| (option.status, option.quiet)) {
        Some((Status::NoEffect(because), true)) => (Standing::Meaningless, because),
        // What is refused or meaningless otherwise is left at its default, or at a blank.
        Some((Status::Works | Status::NoEffect(_) | Status::Refused(_), _)) | None => (Standing::Works, ""),
    };
    Verdict { property: shown, standing, text: text.to_owned(), refusal: None }
}

fn of_warning(warning: &Warning) -> Verdict {
    let standing = match warning.kind {
        WarningKind::Unknown => Standing::Unknown,
        WarningKind::NoEffect if option::is_planned(&warning.text) => Standing::Planned,
        WarningKind::NoEffect => Standing::Meaningless,
        WarningKind::OldName | WarningKind::ChangedDefault | WarningKind::Duplicate | WarningKind::Advice => {
            Standing::Differs
        }
    };
    Verdict { property: warning.property.clone(), standing, text: warning.text.clone(), refusal: None }
}

fn of_error(error: &ConfigError) -> Verdict {
    let (property, standing) = match error {
        ConfigError::Refused { property, reason, .. } if option::is_planned(reason) => {
            (property.clone(), Standing::Planned)
        }
        ConfigError::Unresolved { property, .. }
        | ConfigError::Missing { property, .. }
        | ConfigError::Invalid { property, .. }
        | ConfigError::Regex { property, .. }
        | ConfigError::Conflict { property, .. }
        | ConfigError::Refused { property, .. }
        | ConfigError::TransformOptions { property, .. }
        | ConfigError::JavaClass { property, .. } => (property.clone(), Standing::Refused),
        ConfigError::OldAndNew { old, .. } => (old.clone(), Standing::Refused),
        ConfigError::UnknownProvider { name, .. } => (format!("config.providers.{name}.class"), Standing::Refused),
        ConfigError::Transform { place, name, .. } => (format!("{place}.{name}.type"), Standing::Refused),
        ConfigError::UnknownConnector { .. } => ("connector.class".to_owned(), Standing::Refused),
        ConfigError::NameMissing { .. } => ("name".to_owned(), Standing::Refused),
        ConfigError::Unreadable { .. } | ConfigError::Syntax { .. } | ConfigError::DuplicateKey { .. } => {
            (String::new(), Standing::Refused)
        }
    };
    let text = error.to_string();
    let text = text.strip_prefix(&format!("{property}: ")).map_or(text.clone(), str::to_owned);
    Verdict { property, standing, text, refusal: Some(error.code()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::provider::Environment;

    fn worker() -> WorkerConfig {
        let properties = [
            ("bootstrap.servers", "127.0.0.1:9092"),
            ("group.id", "g"),
            ("offset.storage.topic", "o"),
            ("config.storage.topic", "c"),
            ("status.storage.topic", "s"),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ];
        let map = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        WorkerConfig::from_map(&map, Environment::default()).unwrap().0
    }

    /// One property added to a connector that runs: what is said of it, and whether the connector can be run.
    fn check(added: &[(&str, &str)], about: &str, standing: Standing, word: &str, runs: bool) {
        let mut written: BTreeMap<String, String> = [
            ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
            ("database.hostname", "db"),
            ("database.user", "cdc"),
            ("database.password", "hunter2"),
            ("database.server.id", "5500"),
            ("topic.prefix", "p"),
            ("schema.history.internal.kafka.bootstrap.servers", "127.0.0.1:9092"),
            ("schema.history.internal.kafka.topic", "h"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        written.extend(added.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let judgement = judge("n", &written, &worker());
        let found: Vec<&Verdict> = judgement.verdicts.iter().filter(|verdict| verdict.property == about).collect();
        assert!(
            found.iter().any(|verdict| verdict.standing == standing && verdict.text.contains(word)),
            "{added:?}: {found:?}"
        );
        assert_eq!(judgement.config.is_some(), runs, "{added:?}: {:?}", judgement.verdicts);
        assert_eq!(judgement.verdicts.iter().any(|verdict| verdict.refusal.is_some()), !runs);
        assert!(!format!("{:?}", judgement.verdicts).contains("hunter2"));
        // Nothing that was written goes without a word, but what has another name today.
        for property in written.keys() {
            assert!(judgement.verdicts.iter().any(|verdict| verdict.property == shown_name(property)), "{property}");
        }
    }

    #[test]
    fn every_property_is_judged() {
        use Standing::{Differs, Meaningless, Planned, Refused, Unknown, Works};
        check(&[], "topic.prefix", Works, "", true);
        check(&[("decimal.handling.mode", "string")], "decimal.handling.mode", Works, "", true);
        check(&[("tasks.max", "1")], "tasks.max", Works, "", true);
        check(&[("max.batch.size", "5")], "max.batch.size", Meaningless, "changes nothing", true);
        check(&[("snapshot.fetch.size", "5")], "snapshot.fetch.size", Planned, "yet", true);
        check(&[("snapshot.mode", "always")], "snapshot.mode", Planned, "yet", false);
        check(&[("tabel.include.list", "x")], "tabel.include.list", Unknown, "table.include.list?", true);
        check(&[("table.whitelist", "x")], "table.whitelist", Differs, "table.include.list", true);
        check(
            &[("database.password", "${file:/none:hunter}")],
            "database.password",
            Refused,
            "cannot be resolved",
            false,
        );
        check(&[("decimal.handling.mode", "perhaps")], "decimal.handling.mode", Refused, "one of", false);
        check(&[("converters", "c"), ("c.type", "com.example.C")], "c.type", Refused, "Java class", false);
        check(
            &[("transforms", "t"), ("transforms.t.type", "com.example.T")],
            "transforms.t.type",
            Refused,
            "not built in",
            false,
        );
        check(
            &[("predicates", "t"), ("predicates.t.type", "com.example.T")],
            "predicates.t.type",
            Refused,
            "not built in",
            false,
        );
        check(&[("value.converter", "com.example.C")], "value.converter", Works, "", true);
    }
}
