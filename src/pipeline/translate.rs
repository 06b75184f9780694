//! From a checked configuration to what each room takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::tolerance::ErrorRules;
use crate::config::connector::database::ProtocolCompression;
use crate::config::connector::postgres::{ReplicaIdentity, SlotOptions as ConfigSlot};
use crate::config::connector::{
    ConnectorConfig, DatabaseOptions, HistoryStorage, PostgresOptions, RecordTooLarge, StartPosition,
    TopicCreation as CreationRules,
};
use crate::config::secret::Secret as ConfigSecret;
use crate::config::worker::{ConverterSetting, OffsetStorage, StorageTopic, WorkerConfig};
use crate::envelope::EnvelopeOptions;
use crate::envelope::naming::{NameAdjuster, TopicNames};
use crate::envelope::source_block::SourceConstants;
use crate::error::Failure;
use crate::model::modes::{ConnectorKind, EventProcessingFailureHandlingMode, PostgresSslMode, SnapshotMode, SslMode};
use crate::model::table::TableId;
use crate::sink::SinkError;
use crate::sink::kafka::creation::TopicCreation;
use crate::sink::kafka::{KafkaSinkOptions, TooLargePolicy};
use crate::source::binlog::connection::{
    Compression, ConnectOptions, Flavor, Secret, SslMode as WireSslMode, SslOptions, Store,
};
use crate::source::binlog::ddl;
use crate::source::binlog::options::{BinlogOptions, Past, StartAt};
use crate::source::binlog::tables::LayoutMaker;
use crate::source::postgres::connection as postgres;
use crate::source::postgres::options::{
    IdentityRule, PostgresOptions as SourceOptions, PublicationOptions, SlotOptions, StreamingOptions,
};
use crate::source::{TableFilter, TextFilter};
use crate::store::history::kafka::KafkaHistoryOptions;
use crate::store::incident::KafkaIncidents;
use crate::store::{CompactedTopic, KafkaStoreOptions};
use crate::util::java_regex::CompiledFilter;
use crate::util::kafka::admin::TopicSpecification;
use crate::util::stop::Stop;

/// Databases that belong to the server itself (`table.ignore.builtin`).
const BUILT_IN_DATABASES: [&str; 4] = ["mysql", "performance_schema", "sys", "information_schema"];

/// The type of the signals that are no more than markers.
const CANARY_SIGNAL: &str = "headwater-canary";

/// How long a question to the offset store may take beyond `offset.flush.timeout.ms`.
const STORE_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the topic of statuses may take, for which nothing waits.
const STATUS_TIMEOUT: Duration = Duration::from_secs(10);

/// Which server a connector reads.
pub fn flavor(kind: ConnectorKind) -> Flavor {
    match kind {
        ConnectorKind::MariaDb => Flavor::MariaDb,
        ConnectorKind::MySql | ConnectorKind::Postgres => Flavor::MySql,
    }
}

/// The name of Debezium's plugin, in source blocks and schema names.
pub fn plugin(kind: ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::MariaDb => "mariadb",
        ConnectorKind::MySql => "mysql",
        ConnectorKind::Postgres => "postgresql",
    }
}

/// How to reach the database.
pub fn connect_options(database: &DatabaseOptions) -> ConnectOptions {
    let reveal = |secret: &Option<ConfigSecret>| Secret::new(secret.as_ref().map_or("", ConfigSecret::expose));
    let store = |path: &Option<std::path::PathBuf>, password: &Option<ConfigSecret>| {
        path.as_ref().map(|path| Store { path: path.clone(), password: password.as_ref().map(|_| reveal(password)) })
    };
    let tls = &database.tls;
    ConnectOptions {
        hostname: database.host.clone(),
        port: database.port,
        user: database.user.clone(),
        password: reveal(&database.password),
        connect_timeout: database.connect_timeout,
        query_timeout: Some(database.query_timeout).filter(|timeout| !timeout.is_zero()),
        ssl: SslOptions {
            mode: match tls.mode {
                SslMode::Disabled => WireSslMode::Disabled,
                SslMode::Preferred => WireSslMode::Preferred,
                SslMode::Required => WireSslMode::Required,
                SslMode::VerifyCa => WireSslMode::VerifyCa,
                SslMode::VerifyIdentity => WireSslMode::VerifyIdentity,
            },
            truststore: store(&tls.truststore, &tls.truststore_password),
            keystore: store(&tls.keystore, &tls.keystore_password),
        },
        compression: match database.compression {
            ProtocolCompression::None => Compression::None,
            ProtocolCompression::Zlib => Compression::Zlib,
            ProtocolCompression::Zstd => Compression::Zstd,
        },
        keep_alive: true,
    }
}

/// A filter that answers, and stops the connector when it cannot: a match that is too costly counts as captured,
/// so that no table is left out by it.
fn accepts(filter: &CompiledFilter, name: &str) -> bool {
    filter.accepts(name).unwrap_or_else(|error| {
        tracing::error!(name, reason = %error, "filter too costly for this name; it is taken as captured");
        true
    })
}

/// Which tables are captured.
pub fn captured_tables(config: &ConnectorConfig) -> TableFilter {
    let (databases, tables) = (config.capture.databases.clone(), config.capture.tables.clone());
    let ignore_builtin = config.capture.ignore_builtin;
    Arc::new(move |id: &TableId| {
        let built_in = BUILT_IN_DATABASES.iter().any(|name| id.catalog.eq_ignore_ascii_case(name));
        !(ignore_builtin && built_in) && accepts(&databases, &id.catalog) && accepts(&tables, &id.to_string())
    })
}

/// Which databases are captured.
pub fn captured_databases(config: &ConnectorConfig) -> TextFilter {
    let databases = config.capture.databases.clone();
    Arc::new(move |name: &str| accepts(&databases, name))
}

fn gtid_source(config: &ConnectorConfig) -> Option<TextFilter> {
    let gtids = config.stream.binlog.gtids.clone();
    if gtids.includes.is_none() && gtids.excludes.is_none() {
        return None;
    }
    Some(Arc::new(move |source: &str| {
        let any = |list: &Option<Vec<crate::util::java_regex::JavaRegex>>| {
            list.as_ref().map(|list| list.iter().any(|regex| regex.matches(source).unwrap_or(true)))
        };
        any(&gtids.includes).unwrap_or(true) && !any(&gtids.excludes).unwrap_or(false)
    }))
}

/// Whether comments of tables and columns are kept. Debezium's connector for MariaDB asks `include.schema.changes`
/// where that for MySQL asks `include.schema.comments`. Source: their `createDdlParser`.
pub fn keeps_comments(config: &ConnectorConfig) -> bool {
    match config.kind {
        ConnectorKind::MariaDb => config.events.schema_changes,
        ConnectorKind::MySql | ConnectorKind::Postgres => config.events.schema_comments,
    }
}

/// What is run with each marker: what the user asks for with each heartbeat, and a row of the signal table, where those
/// that were written before are deleted. Debezium passes over signals of a type that it does not know
/// (`SignalProcessor.processSignal`), and over the end of a window that it has not opened
/// (`AbstractIncrementalSnapshotContext.closeWindow`), which is what a deleted signal can be to it.
pub fn marker_statements(config: &ConnectorConfig) -> Vec<String> {
    // Without heartbeats nobody runs the query, whatever else has a marker written.
    let query = config.heartbeat.action_query.iter().filter(|_| config.heartbeat.interval.is_some());
    let mut statements: Vec<String> = query.cloned().collect();
    if let Some(table) = &config.watchdog.signal_table {
        let (quote, id): (fn(&str) -> String, &str) = match config.kind {
            ConnectorKind::MySql | ConnectorKind::MariaDb => (ddl::quote, "UUID()"),
            // The oldest versions have no other function for it without an extension.
            ConnectorKind::Postgres => (postgres::quote_identifier, "md5(random()::text || clock_timestamp()::text)"),
        };
        let table = table.split('.').map(quote).collect::<Vec<_>>().join(".");
        statements.push(format!("DELETE FROM {table} WHERE type = '{CANARY_SIGNAL}'"));
        statements.push(format!("INSERT INTO {table} (id, type, data) VALUES ({id}, '{CANARY_SIGNAL}', '{{}}')"));
    }
    statements
}

/// What the binlog source takes.
pub fn binlog_options(config: &ConnectorConfig, layouts: Arc<dyn LayoutMaker>) -> BinlogOptions {
    let seconds = |seconds: Option<u64>| seconds.and_then(|seconds| u32::try_from(seconds).ok());
    let (stream, skipped) = (&config.stream, config.capture.skipped_operations);
    BinlogOptions {
        connect: connect_options(&config.database),
        steps: Arc::default(),
        flavor: flavor(config.kind),
        generation: config.events.generation,
        server_id: stream.binlog.server_id,
        initial_statements: config.database.initial_statements.clone(),
        marker: marker_statements(config),
        // A heartbeat record is written when the server shows that it is alive, so it must do so often enough.
        heartbeat_period: config
            .heartbeat
            .interval
            .map_or(stream.heartbeat_period, |interval| interval.min(stream.heartbeat_period)),
        silence_heartbeats: stream.silence_heartbeats,
        net_write_timeout_s: seconds(config.database.net_write_timeout_s),
        net_read_timeout_s: seconds(config.database.net_read_timeout_s),
        start_at: match &stream.binlog.start {
            StartPosition::Latest => StartAt::Latest,
            StartPosition::Earliest => StartAt::Earliest,
            StartPosition::File { file, position } => StartAt::File(file.clone(), *position),
            StartPosition::Gtids(gtids) => StartAt::Gtids(gtids.clone()),
        },
        past: if config.snapshot_mode == SnapshotMode::Recovery { Past::Recovered } else { Past::Required },
        captured: captured_tables(config),
        captured_database: captured_databases(config),
        layouts,
        inconsistent: config.errors.inconsistent_schema,
        pass_over_failures: config.errors.event_processing != EventProcessingFailureHandlingMode::Fail,
        skip_unparseable_ddl: config.history.skip_unparseable_ddl,
        store_only_captured_tables: config.history.only_captured_tables,
        store_only_captured_databases: config.history.only_captured_databases,
        ddl_filter: config.history.ddl_filter.clone().map(|list| -> TextFilter {
            // A statement that cannot be decided about is read, not left out.
            Arc::new(move |statement: &str| list.matches(statement).unwrap_or(false))
        }),
        prefer_ddl: config.history.prefer_ddl,
        guardrail: config.capture.guardrail,
        locking: config.snapshot_locking_mode,
        lock_timeout: config.snapshot_lock_timeout,
        announce_schema_changes: config.events.schema_changes,
        schema_comments: keeps_comments(config),
        include_query: stream.binlog.include_query,
        skip_creates: skipped.create,
        skip_updates: skipped.update,
        skip_deletes: skipped.delete,
        skip_truncates: skipped.truncate,
        transaction_metadata: config.events.transaction_metadata,
        gtid_source: gtid_source(config),
        gtid_filter_dml: stream.binlog.gtids.filter_events,
        gtid_ignore_on_recovery: stream.binlog.ignore_gtids_on_recovery,
        block_bytes: crate::source::binlog::connection::DumpRequest::BLOCK_BYTES,
    }
}

/// How to reach PostgreSQL.
pub fn postgres_connect_options(config: &ConnectorConfig, options: &PostgresOptions) -> postgres::ConnectOptions {
    let secret = |secret: &ConfigSecret| Secret::new(secret.expose());
    let (database, tls) = (&config.database, &options.tls);
    postgres::ConnectOptions {
        host: database.host.clone(),
        port: database.port,
        user: database.user.clone(),
        password: database.password.as_ref().map(secret),
        database: options.database.clone(),
        ssl: postgres::SslOptions {
            mode: match tls.mode {
                PostgresSslMode::Disable => postgres::SslMode::Disable,
                PostgresSslMode::Allow => postgres::SslMode::Allow,
                PostgresSslMode::Prefer => postgres::SslMode::Prefer,
                PostgresSslMode::Require => postgres::SslMode::Require,
                PostgresSslMode::VerifyCa => postgres::SslMode::VerifyCa,
                PostgresSslMode::VerifyFull => postgres::SslMode::VerifyFull,
            },
            root_certificate: tls.root_certificate.clone(),
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
            key_password: tls.key_password.as_ref().map(secret),
        },
        connect_timeout: database.connect_timeout,
        query_timeout: Some(database.query_timeout).filter(|timeout| !timeout.is_zero()),
        tcp_keep_alive: options.keep_alive,
        ..postgres::ConnectOptions::default()
    }
}

/// The `REPLICA IDENTITY` of the first rule that a table matches.
pub fn postgres_identities(options: &PostgresOptions) -> Option<IdentityRule> {
    let rules = options.replica_identities.clone();
    if rules.is_empty() {
        return None;
    }
    Some(Arc::new(move |id: &TableId| {
        let name = id.to_string();
        let rule = rules.iter().find(|rule| rule.tables.matches(&name).unwrap_or(false))?;
        Some(match &rule.identity {
            ReplicaIdentity::Default => "DEFAULT".to_owned(),
            ReplicaIdentity::Full => "FULL".to_owned(),
            ReplicaIdentity::Nothing => "NOTHING".to_owned(),
            ReplicaIdentity::Index(index) => format!("USING INDEX {}", postgres::quote_identifier(index)),
        })
    }))
}

/// Which of PostgreSQL's tables are captured.
pub fn postgres_captured(config: &ConnectorConfig, options: &PostgresOptions) -> TableFilter {
    let (schemas, tables) = (options.schemas.clone(), config.capture.tables.clone());
    Arc::new(move |id: &TableId| {
        accepts(&schemas, id.schema.as_deref().unwrap_or_default()) && accepts(&tables, &id.to_string())
    })
}

/// The slot.
pub fn postgres_slot(slot: &ConfigSlot) -> SlotOptions {
    SlotOptions {
        name: slot.name.clone(),
        drop_on_stop: slot.drop_on_stop,
        failover: slot.failover,
        takeover: slot.takeover,
        stream_parameters: slot.stream_parameters.clone(),
        max_retries: slot.max_retries,
        retry_delay: slot.retry_delay,
        create_timeout: slot.create_timeout,
        mismatch: slot.mismatch,
        flush: slot.flush,
        status_interval: slot.status_interval,
        xmin_interval: slot.xmin_interval,
    }
}

/// What the PostgreSQL source takes.
pub fn postgres_options(
    config: &ConnectorConfig,
    options: &PostgresOptions,
    layouts: Arc<crate::source::postgres::codec::Layouts>,
) -> SourceOptions {
    let (stream, skipped) = (&config.stream, config.capture.skipped_operations);
    let messages = options.messages.clone();
    SourceOptions {
        connect: postgres_connect_options(config, options),
        initial_statements: config.database.initial_statements.clone(),
        marker: marker_statements(config),
        steps: Arc::default(),
        slot: postgres_slot(&options.slot),
        publication: PublicationOptions {
            name: options.publication.name.clone(),
            autocreate: options.publication.autocreate,
            via_partition_root: options.publication.via_partition_root,
            publish: options.publication.publish.clone(),
        },
        streaming: options.streaming.as_ref().map(|streaming| StreamingOptions {
            memory_bytes: streaming.memory_bytes,
            folder: streaming.folder.clone().unwrap_or_else(std::env::temp_dir),
            folder_bytes: streaming.folder_bytes,
        }),
        identities: postgres_identities(options),
        silence: stream.heartbeat_period.saturating_mul(stream.silence_heartbeats),
        captured: postgres_captured(config, options),
        captured_message: Arc::new(move |prefix: &str| accepts(&messages, prefix)),
        layouts,
        skip_creates: skipped.create,
        skip_updates: skipped.update,
        skip_deletes: skipped.delete,
        skip_truncates: skipped.truncate,
        transaction_metadata: config.events.transaction_metadata,
    }
}

/// What the envelope takes.
pub fn envelope_options(config: &ConnectorConfig) -> EnvelopeOptions {
    let topics = &config.topics;
    EnvelopeOptions {
        source: SourceConstants {
            version: config.events.debezium_version.clone(),
            plugin: plugin(config.kind),
            logical_name: topics.prefix.clone(),
        },
        topics: TopicNames {
            prefix: topics.prefix.as_str().into(),
            delimiter: topics.delimiter.clone(),
            heartbeat: topics.heartbeat.as_str().into(),
            transaction: topics.transaction.as_str().into(),
        },
        adjust: NameAdjuster::new(config.events.schema_names),
        tombstones: config.events.tombstones,
        skip_unchanged: config.capture.skip_unchanged,
        context_headers: config.events.context_headers,
        binary: config.events.binary,
    }
}

/// Debezium's context headers: which connector and which run wrote a record.
pub fn context_headers(config: &ConnectorConfig, run_id: &str) -> Vec<(String, Vec<u8>)> {
    if !config.events.context_headers {
        return Vec::new();
    }
    let header = |name: &str, value: &str| (format!("__debezium.context.{name}"), value.as_bytes().to_vec());
    vec![
        header("connectorLogicalName", &config.topics.prefix),
        header("taskId", "0"),
        header("connectorName", plugin(config.kind)),
        header("runId", run_id),
    ]
}

/// What becomes of records that transforms and converters fail at.
pub fn error_rules(config: &ConnectorConfig) -> ErrorRules {
    let errors = &config.errors;
    let class = |setting: &ConverterSetting| setting.class.clone();
    ErrorRules {
        connector: config.name.clone(),
        tolerance: errors.tolerance,
        retry_timeout: errors.retry_timeout,
        retry_delay_max: errors.retry_delay_max,
        log: errors.log,
        dead_letters: errors.dead_letters.as_ref().map(|letters| letters.topic.as_str().into()),
        converters: [class(&config.key_converter), class(&config.value_converter), class(&config.header_converter)],
    }
}

/// What the sink takes.
///
/// # Errors
/// When the rules for creating topics cannot be used.
pub fn sink_options(config: &ConnectorConfig, run_id: &str) -> Result<KafkaSinkOptions, Failure> {
    let rules = config.topic_creation.as_ref().map(creation_properties);
    let topic_creation = match rules {
        Some(rules) => {
            TopicCreation::read(&rules).map_err(|error| Failure::from(SinkError::Configuration(error.to_string())))?
        }
        None => None,
    };
    let topic_creation = match &config.errors.dead_letters {
        Some(letters) => Some(TopicCreation::with_topic(
            topic_creation,
            TopicSpecification {
                name: letters.topic.clone(),
                partitions: 1,
                replication_factor: letters.replication_factor,
                settings: BTreeMap::new(),
            },
        )),
        None => topic_creation,
    };
    Ok(KafkaSinkOptions {
        connector: config.name.clone(),
        client: config.producer.as_map().clone(),
        context_headers: context_headers(config, run_id),
        topic_creation,
        too_large: match config.errors.record_too_large {
            RecordTooLarge::Fail => TooLargePolicy::Fail,
            RecordTooLarge::Skip => TooLargePolicy::Skip,
        },
        ..KafkaSinkOptions::default()
    })
}

/// The rules as properties again: the form in which the sink takes them.
fn creation_properties(rules: &CreationRules) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    let mut names = Vec::new();
    for group in &rules.groups {
        let mut put = |suffix: &str, value: String| {
            properties.insert(format!("topic.creation.{}.{suffix}", group.name), value);
        };
        put("partitions", group.partitions.to_string());
        put("replication.factor", group.replication_factor.to_string());
        let join = |list: &[crate::util::java_regex::JavaRegex]| {
            list.iter().map(|regex| regex.as_str()).collect::<Vec<_>>().join(",")
        };
        if group.name != "default" {
            names.push(group.name.clone());
            put("include", join(&group.include));
            if !group.exclude.is_empty() {
                put("exclude", join(&group.exclude));
            }
        }
        for (name, value) in group.settings.iter() {
            put(name, value.to_owned());
        }
    }
    if !names.is_empty() {
        properties.insert("topic.creation.groups".to_owned(), names.join(","));
    }
    properties
}

/// Where offsets lie in Kafka; `None` for a worker that keeps them in a file.
pub fn offset_options(topic: Option<String>, worker: &WorkerConfig) -> Option<CompactedTopic> {
    let OffsetStorage::Topic(storage) = &worker.offsets else { return None };
    let flush_timeout = worker.offset_flush_timeout.max(Duration::from_secs(1));
    let mut kept = compacted(storage, worker, flush_timeout);
    if let Some(name) = topic {
        kept.topic.name = name;
    }
    Some(kept)
}

/// The topic that a distributed worker keeps configurations in.
pub fn config_options(worker: &WorkerConfig) -> CompactedTopic {
    compacted(&worker.config_storage, worker, STORE_READ_TIMEOUT)
}

/// The topic that a distributed worker keeps statuses in.
pub fn status_options(worker: &WorkerConfig) -> CompactedTopic {
    compacted(&worker.status_storage, worker, STATUS_TIMEOUT)
}

/// The topic that the worker's incidents are sent to, where there is one.
pub fn incidents(worker: &WorkerConfig) -> Option<KafkaIncidents> {
    let topic = worker.incidents_topic.as_deref()?;
    let CompactedTopic { topic: of_status, clients } = status_options(worker);
    Some(KafkaIncidents::new(topic, of_status.replication_factor, clients))
}

/// One of the worker's own topics, which keep the last record of each key, and the clients that reach it.
fn compacted(storage: &StorageTopic, worker: &WorkerConfig, request_timeout: Duration) -> CompactedTopic {
    let mut settings = storage.settings.as_map().clone();
    settings.insert("cleanup.policy".to_owned(), "compact".to_owned());
    let topic = TopicSpecification {
        name: storage.topic.clone(),
        partitions: storage.partitions,
        replication_factor: i32::from(storage.replication_factor),
        settings,
    };
    let clients = worker.client_properties().as_map().clone();
    let clients = KafkaStoreOptions {
        producer: clients.clone(),
        consumer: clients,
        request_timeout,
        read_timeout: STORE_READ_TIMEOUT,
        abandoned: Stop::new(),
    };
    CompactedTopic { topic, clients }
}

/// Where the schema history lies in Kafka; `None` for another place.
pub fn history_options(config: &ConnectorConfig) -> Option<KafkaHistoryOptions> {
    let HistoryStorage::Kafka {
        topic,
        producer,
        consumer,
        create_timeout,
        recovery_poll_interval,
        recovery_attempts,
        ..
    } = &config.history.storage
    else {
        return None;
    };
    Some(KafkaHistoryOptions {
        topic: topic.clone(),
        clients: KafkaStoreOptions {
            producer: producer.as_map().clone(),
            consumer: consumer.as_map().clone(),
            request_timeout: *create_timeout,
            read_timeout: (*recovery_poll_interval * *recovery_attempts).max(Duration::from_secs(1)),
            abandoned: Stop::new(),
        },
    })
}
