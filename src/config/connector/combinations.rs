//! Rules between options: what Debezium and Connect check across properties.

use super::Findings;
use crate::config::ConfigError;
use crate::config::option::{self, Applies};
use crate::config::settings::Settings;
use crate::config::worker::{OverridePolicy, WorkerConfig};

/// Checks what no option can check by itself.
pub(super) fn check(settings: &Settings<'_>, worker: &WorkerConfig, findings: &mut Findings) {
    exclusive_lists(settings, &mut findings.errors);
    queue(settings, &mut findings.errors);
    exactly_once(settings, &mut findings.errors);
    overrides(settings, worker, &mut findings.errors);
    advice(settings, findings);
}

/// Of an include list and an exclude list one may be set.
fn exclusive_lists(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) {
    const PAIRS: &[(&str, &str)] = &[
        ("database.include.list", "database.exclude.list"),
        ("schema.include.list", "schema.exclude.list"),
        ("table.include.list", "table.exclude.list"),
        ("column.include.list", "column.exclude.list"),
        ("gtid.source.includes", "gtid.source.excludes"),
    ];
    for (include, exclude) in PAIRS {
        if settings.is_set(include) && settings.is_set(exclude) {
            errors.push(ConfigError::Conflict {
                property: (*exclude).to_owned(),
                other: (*include).to_owned(),
                reason: "what is not included is excluded already".to_owned(),
            });
        }
    }
}

/// Debezium refuses a queue that a batch does not fit into, and so would the next migration back.
fn queue(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) {
    let (batch, queue) = (settings.number("max.batch.size"), settings.number("max.queue.size"));
    if queue <= batch {
        let expected = format!("more than max.batch.size, which is {batch}");
        errors.push(settings.invalid("max.queue.size", &queue.to_string(), expected));
    }
}

fn exactly_once(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) {
    const PROPERTY: &str = "exactly.once.support";
    if settings.text(PROPERTY).is_some_and(|level| level.eq_ignore_ascii_case("required")) {
        errors.push(ConfigError::Refused {
            property: PROPERTY.to_owned(),
            value: settings.masking.show(PROPERTY, "required"),
            reason: "delivery is at least once: records and positions are not written in one transaction yet"
                .to_owned(),
        });
    }
}

/// The worker's `connector.client.config.override.policy`.
fn overrides(settings: &Settings<'_>, worker: &WorkerConfig, errors: &mut Vec<ConfigError>) {
    const PRINCIPAL: &[&str] = &["sasl.jaas.config", "sasl.mechanism", "security.protocol"];
    for prefix in ["producer.override.", "consumer.override.", "admin.override."] {
        for (name, value) in settings.under(prefix).iter() {
            let allowed = match worker.override_policy {
                OverridePolicy::All => true,
                OverridePolicy::None => false,
                OverridePolicy::Principal => PRINCIPAL.contains(&name),
            };
            if !allowed {
                let property = format!("{prefix}{name}");
                let value = settings.masking.show(&property, value);
                let reason = "connector.client.config.override.policy of the worker does not allow it".to_owned();
                errors.push(ConfigError::Refused { property, value, reason });
            }
        }
    }
}

/// Usable, and probably not what was meant.
fn advice(settings: &Settings<'_>, findings: &mut Findings) {
    if settings.number("tasks.max") > 1 {
        findings.advise("tasks.max", "the log is read by one task, whatever stands here");
    }
    for property in ["table.include.list", "table.exclude.list"] {
        let list = settings.text(property).map(|list| option::parse_list(&list)).unwrap_or_default();
        // Only letters: it can match no name that has a dot in it.
        if let Some(bare) = list.iter().find(|part| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
            let place = if settings.place.meets(Applies::POSTGRES) { "schema" } else { "database" };
            findings.advise(property, format!("'{bare}' matches nothing: tables are matched as {place}.table"));
        }
    }
    if settings.place.meets(Applies::POSTGRES) {
        return;
    }
    if settings.is_set("database.ssl.truststore.password") && !settings.is_set("database.ssl.truststore") {
        findings.advise("database.ssl.truststore.password", "changes nothing without database.ssl.truststore");
    }
    if settings.is_set("database.ssl.keystore.password") && !settings.is_set("database.ssl.keystore") {
        findings.advise("database.ssl.keystore.password", "changes nothing without database.ssl.keystore");
    }
}
