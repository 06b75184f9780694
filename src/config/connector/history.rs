//! Where the schema history is kept, and what goes into it.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::ConfigError;
use crate::config::option::{self, Applies};
use crate::config::secret::ClientProperties;
use crate::config::settings::Settings;
use crate::config::worker::WorkerConfig;
use crate::util::java_regex::RegexList;

/// Where the history is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryStorage {
    /// In a topic of one partition.
    Kafka {
        /// The topic.
        topic: String,
        /// What the client that writes gets, `bootstrap.servers` among it.
        producer: ClientProperties,
        /// What the client that reads gets, `bootstrap.servers` among it.
        consumer: ClientProperties,
        /// Deadline for making the topic.
        create_timeout: Duration,
        /// How long one poll waits while the history is read.
        recovery_poll_interval: Duration,
        /// Polls without an answer before reading it is given up.
        recovery_attempts: u32,
    },
    /// In a file, one JSON document a line.
    File(PathBuf),
    /// Nowhere: for tests, and lost at the end of the process.
    Memory,
}

/// The schema history.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaHistoryOptions {
    /// Where it is kept.
    pub storage: HistoryStorage,
    /// Whether DDL that cannot be read is passed over.
    pub skip_unparseable_ddl: bool,
    /// Whether only DDL of captured tables is kept.
    pub only_captured_tables: bool,
    /// Whether only DDL of captured databases is kept.
    pub only_captured_databases: bool,
    /// Statements that are neither read nor kept; `None` is the built-in list.
    pub ddl_filter: Option<RegexList>,
    /// Whether DDL is replayed rather than the tables beside it.
    pub prefer_ddl: bool,
}

impl SchemaHistoryOptions {
    /// PostgreSQL's stream tells the shape of every table, so there is nothing to keep.
    const NONE: SchemaHistoryOptions = SchemaHistoryOptions {
        storage: HistoryStorage::Memory,
        skip_unparseable_ddl: false,
        only_captured_tables: true,
        only_captured_databases: true,
        ddl_filter: None,
        prefer_ddl: false,
    };
}

const CLASS: &str = "schema.history.internal";
const STOCK: &[&str] = &[
    "io.debezium.storage.kafka.history.KafkaSchemaHistory",
    "io.debezium.storage.file.history.FileSchemaHistory",
    "io.debezium.relational.history.MemorySchemaHistory",
];

pub(super) fn history(
    settings: &Settings<'_>,
    worker: &WorkerConfig,
    errors: &mut Vec<ConfigError>,
) -> SchemaHistoryOptions {
    if !settings.place.meets(Applies::BINLOG) {
        return SchemaHistoryOptions::NONE;
    }
    SchemaHistoryOptions {
        storage: storage(settings, worker, errors),
        skip_unparseable_ddl: settings.flag("schema.history.internal.skip.unparseable.ddl"),
        only_captured_tables: settings.flag("schema.history.internal.store.only.captured.tables.ddl"),
        only_captured_databases: settings.flag("schema.history.internal.store.only.captured.databases.ddl"),
        ddl_filter: settings
            .regexes("internal.schema.history.internal.ddl.filter")
            .map(|list| list.over_lines())
            .transpose()
            .unwrap_or_default(),
        prefer_ddl: settings.flag("internal.schema.history.internal.prefer.ddl"),
    }
}

fn storage(settings: &Settings<'_>, worker: &WorkerConfig, errors: &mut Vec<ConfigError>) -> HistoryStorage {
    let class = settings.text(CLASS).unwrap_or_default();
    match class.rsplit('.').next().unwrap_or(&class) {
        "KafkaSchemaHistory" => kafka(settings, worker, errors),
        "FileSchemaHistory" => {
            HistoryStorage::File(PathBuf::from(needed(settings, "schema.history.internal.file.filename", errors)))
        }
        "MemorySchemaHistory" => HistoryStorage::Memory,
        _ => {
            let class = settings.masking.show(CLASS, &class);
            errors.push(ConfigError::JavaClass { property: CLASS.to_owned(), class, stock: STOCK.to_vec() });
            HistoryStorage::Memory
        }
    }
}

fn kafka(settings: &Settings<'_>, worker: &WorkerConfig, errors: &mut Vec<ConfigError>) -> HistoryStorage {
    let servers = needed(settings, "schema.history.internal.kafka.bootstrap.servers", errors);
    let client = |prefix: &str| {
        let own = settings.under(prefix);
        // Debezium gives these clients nothing of the worker's. Where the brokers are the worker's own, and
        // nothing is said of TLS or logging in, its settings are the only ones that can work.
        let mut base = ClientProperties::default();
        let silent =
            !own.iter().any(|(name, _)| ["security.", "sasl.", "ssl."].iter().any(|part| name.starts_with(part)));
        if silent && servers == worker.bootstrap_servers.join(",") {
            base = worker.client_properties();
        }
        base.set("bootstrap.servers", &servers);
        if let Some(name) = settings.text("schema.history.internal.name") {
            base.set("client.id", &name);
        }
        base.overridden_by(&own)
    };
    HistoryStorage::Kafka {
        topic: needed(settings, "schema.history.internal.kafka.topic", errors),
        producer: client("schema.history.internal.producer."),
        consumer: client("schema.history.internal.consumer."),
        create_timeout: settings.millis("schema.history.internal.kafka.create.timeout.ms"),
        recovery_poll_interval: settings.millis("schema.history.internal.kafka.recovery.poll.interval.ms"),
        recovery_attempts: u32::try_from(settings.number("schema.history.internal.kafka.recovery.attempts"))
            .unwrap_or(0),
    }
}

/// The text of a property that this place to keep the history cannot do without.
fn needed(settings: &Settings<'_>, property: &str, errors: &mut Vec<ConfigError>) -> String {
    settings.text(property).unwrap_or_else(|| {
        if let Some(option) = option::find(property, settings.place) {
            errors.push(settings.missing(option));
        }
        String::new()
    })
}
