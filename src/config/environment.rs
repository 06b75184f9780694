//! The environment of the Connect container images, as worker properties.
//!
//! In: environment variables. Out: worker properties. Promised: the names of Debezium's image
//! (`BOOTSTRAP_SERVERS`, `GROUP_ID`, `OFFSET_STORAGE_TOPIC` …) and the rule of Debezium's and Confluent's
//! images for `CONNECT_…`: small letters, `_` is `.`, `__` is `-`, `___` is `_`. A short name is over its
//! `CONNECT_` form, as in Debezium's entry point. Where the names are those of Debezium's image, so are the
//! defaults. Variables about Java or the log are left alone.
//! Source: `docker-entrypoint.sh` of Debezium's connect-base image; `connect-distributed.properties` of Kafka;
//! `env_to_props` of Confluent's images.

use std::collections::BTreeMap;

use super::provider::Environment;

/// Variables of Debezium's image and the properties that its entry point makes of them.
const SHORT: &[(&str, &str)] = &[
    ("BOOTSTRAP_SERVERS", "bootstrap.servers"),
    ("GROUP_ID", "group.id"),
    ("CONFIG_STORAGE_TOPIC", "config.storage.topic"),
    ("OFFSET_STORAGE_TOPIC", "offset.storage.topic"),
    ("STATUS_STORAGE_TOPIC", "status.storage.topic"),
    ("KEY_CONVERTER", "key.converter"),
    ("VALUE_CONVERTER", "value.converter"),
    ("OFFSET_FLUSH_INTERVAL_MS", "offset.flush.interval.ms"),
    ("OFFSET_FLUSH_TIMEOUT_MS", "offset.flush.timeout.ms"),
    ("SHUTDOWN_TIMEOUT", "task.shutdown.graceful.timeout.ms"),
    ("REST_HOST_NAME", "rest.host.name"),
    ("REST_PORT", "rest.port"),
    ("ADVERTISED_HOST_NAME", "rest.advertised.host.name"),
    ("ADVERTISED_PORT", "rest.advertised.port"),
];

/// The variables by which a deployment shows that it was made for Debezium's image.
const DEBEZIUM_IMAGE: &[&str] = &["CONFIG_STORAGE_TOPIC", "OFFSET_STORAGE_TOPIC", "STATUS_STORAGE_TOPIC"];

/// What Debezium's image sets when nothing is said: its entry point, and Kafka's `connect-distributed.properties` that it
/// fills in. With Connect's own default of three copies no worker could make its topics on a single broker.
const IMAGE_DEFAULTS: &[(&str, &str)] = &[
    ("group.id", "1"),
    ("task.shutdown.graceful.timeout.ms", "10000"),
    ("config.storage.replication.factor", "1"),
    ("offset.storage.replication.factor", "1"),
    ("status.storage.replication.factor", "1"),
];

/// `CONNECT_` variables that configure the image and not the worker.
const NOT_PROPERTIES: &[&str] = &["CONNECT_LOG4J", "CONNECT_PLUGIN_PATH", "CONNECT_CUB", "CONNECT_HOME"];

/// The worker properties that the environment sets.
pub(super) fn properties(environment: &Environment) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    for (name, value) in environment.iter() {
        let Some(rest) = name.strip_prefix("CONNECT_") else { continue };
        if !rest.is_empty() && !value.is_empty() && !NOT_PROPERTIES.iter().any(|other| name.starts_with(other)) {
            properties.insert(property(rest), value.to_owned());
        }
    }
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    for (variable, property) in SHORT {
        if let Some(value) = set(variable) {
            properties.insert((*property).to_owned(), value.to_owned());
        }
    }
    properties
}

/// What holds where neither the environment nor the worker's file says anything.
pub(super) fn defaults(environment: &Environment) -> BTreeMap<String, String> {
    let is_set = |name: &&str| environment.get(name).is_some_and(|value| !value.is_empty());
    if !DEBEZIUM_IMAGE.iter().any(is_set) {
        return BTreeMap::new();
    }
    IMAGE_DEFAULTS.iter().map(|(property, value)| ((*property).to_owned(), (*value).to_owned())).collect()
}

/// The property that `CONNECT_<rest>` names.
fn property(rest: &str) -> String {
    let mut name = String::with_capacity(rest.len());
    let mut underscores = 0_usize;
    for c in rest.chars().map(Some).chain([None]) {
        if c == Some('_') {
            underscores += 1;
            continue;
        }
        match underscores {
            0 => {}
            1 => name.push('.'),
            2 => name.push('-'),
            3 => name.push('_'),
            more => name.extend(std::iter::repeat_n('_', more)),
        }
        underscores = 0;
        name.extend(c.map(|c| c.to_ascii_lowercase()));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These variables set these properties.
    fn check(variables: &[(&str, &str)], expected: &[(&str, &str)]) {
        let own = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
        };
        let environment = Environment::new(own(variables));
        let mut found = defaults(&environment);
        found.extend(properties(&environment));
        assert_eq!(found, own(expected));
    }

    #[test]
    fn debeziums_image() {
        check(
            &[
                ("BOOTSTRAP_SERVERS", "kafka:9092"),
                ("GROUP_ID", "7"),
                ("CONFIG_STORAGE_TOPIC", "c"),
                ("OFFSET_STORAGE_TOPIC", "o"),
                ("STATUS_STORAGE_TOPIC", ""),
                ("SHUTDOWN_TIMEOUT", "3000"),
                ("CONNECT_PRODUCER_MAX_REQUEST_SIZE", "5"),
                ("CONNECT_LOG4J_LOGGERS", "INFO"),
                ("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR", "2"),
                ("KAFKA_HEAP_OPTS", "-Xmx1g"),
                ("PATH", "/bin"),
            ],
            &[
                ("bootstrap.servers", "kafka:9092"),
                ("group.id", "7"),
                ("config.storage.topic", "c"),
                ("config.storage.replication.factor", "1"),
                ("offset.storage.topic", "o"),
                ("offset.storage.replication.factor", "2"),
                ("status.storage.replication.factor", "1"),
                ("task.shutdown.graceful.timeout.ms", "3000"),
                ("producer.max.request.size", "5"),
            ],
        );
        check(
            &[("OFFSET_STORAGE_TOPIC", "o")],
            &[
                ("offset.storage.topic", "o"),
                ("group.id", "1"),
                ("task.shutdown.graceful.timeout.ms", "10000"),
                ("config.storage.replication.factor", "1"),
                ("offset.storage.replication.factor", "1"),
                ("status.storage.replication.factor", "1"),
            ],
        );
        check(
            &[("BOOTSTRAP_SERVERS", "short"), ("CONNECT_BOOTSTRAP_SERVERS", "long")],
            &[("bootstrap.servers", "short")],
        );
    }

    #[test]
    fn confluents_image() {
        check(
            &[
                ("CONNECT_BOOTSTRAP_SERVERS", "kafka:9092"),
                ("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL", "http://sr:8081"),
                ("CONNECT_REST_ADVERTISED_HOST_NAME", "connect"),
                ("CONNECT_A__B", "dash"),
                ("CONNECT_A___B", "underscore"),
                ("CONNECT_", "nothing"),
            ],
            &[
                ("bootstrap.servers", "kafka:9092"),
                ("value.converter.schema.registry.url", "http://sr:8081"),
                ("rest.advertised.host.name", "connect"),
                ("a-b", "dash"),
                ("a_b", "underscore"),
            ],
        );
    }
}
