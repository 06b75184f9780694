//! What is stored: the offset that a start would go on from, and the schema history that it needs.

use std::path::Path;
use std::time::Duration;

use super::Report;
use crate::config::connector::{ConnectorConfig, HistoryStorage};
use crate::config::worker::{OffsetStorage, WorkerConfig};
use crate::error::Failure;
use crate::model::modes::SnapshotMode;
use crate::model::position::{Printed, StoredOffset};
use crate::pipeline::translate;
use crate::source::binlog::connection::Connection;
use crate::source::binlog::error::BinlogError;
use crate::source::binlog::options::BinlogOptions;
use crate::source::binlog::start::{self, Kept};
use crate::store::history::SchemaHistoryStore;
use crate::store::history::file::FileSchemaHistory;
use crate::store::history::kafka::KafkaSchemaHistory;
use crate::store::offset::file::FileOffsetStore;
use crate::store::offset::kafka::KafkaOffsetStore;
use crate::store::offset::{OffsetKey, OffsetStore};
use crate::util::kafka::admin::{Admin, TopicSpecification};
use crate::util::kafka::properties::{self, Role};

/// Requests about topics are answered within this time or count as unanswered.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// History is kept for ever; a topic that forgets within five years is warned about, as by Debezium.
const RETENTION_WARNED_MS: i64 = 5 * 365 * 24 * 3_600_000;

/// Looks at offset and history, and whether the server still has what comes behind the offset.
pub(in crate::cli) fn check(
    config: &ConnectorConfig,
    worker: &WorkerConfig,
    server: Option<(&mut Connection, &BinlogOptions)>,
    report: &mut Report,
) {
    let Some(stored) = offset(config, worker, report) else { return };
    check_offset(config, stored, server, report);
}

/// Looks at the offset of a connector that keeps no history; gives it, unless it could not be read.
pub(in crate::cli) fn check_position(
    config: &ConnectorConfig,
    worker: &WorkerConfig,
    report: &mut Report,
) -> Option<Option<StoredOffset>> {
    let stored = offset(config, worker, report)?;
    match &stored {
        Some(stored) => report.good("stored offset", &format!("goes on from {}", Printed(stored))),
        None if begins_without_rows(config.snapshot_mode) => {
            let mode = config.snapshot_mode.as_str();
            report.good("stored offset", &format!("none: snapshot.mode={mode} begins with the slot"));
        }
        None => {
            let mode = config.snapshot_mode.as_str();
            report.failure("snapshot.mode", &Failure::from(BinlogError::DataSnapshot(mode)));
        }
    }
    Some(stored)
}

/// Whether a start without an offset reads no rows.
fn begins_without_rows(mode: SnapshotMode) -> bool {
    matches!(mode, SnapshotMode::NoData | SnapshotMode::Recovery | SnapshotMode::Never)
}

/// Looks at a stored offset, wherever it was read, and at the history that belongs to it.
pub(in crate::cli) fn check_offset(
    config: &ConnectorConfig,
    stored: Option<StoredOffset>,
    server: Option<(&mut Connection, &BinlogOptions)>,
    report: &mut Report,
) {
    let Some(has_history) = history(config, report) else { return };
    let mode = config.snapshot_mode;
    let Some(stored) = stored else {
        if begins_without_rows(mode) {
            report.good(
                "stored offset",
                &format!("none: snapshot.mode={} begins now, at the end of the binlog", mode.as_str()),
            );
        } else {
            report.failure("snapshot.mode", &Failure::from(BinlogError::DataSnapshot(mode.as_str())));
        }
        return;
    };
    if !has_history && mode != SnapshotMode::Recovery {
        report.failure("schema history", &Failure::from(BinlogError::NoHistory));
    }
    let text = format!("goes on from {}", Printed(&stored));
    match server {
        None => report.good("stored offset", &text),
        Some((connection, options)) => match start::check_stored(connection, options, &stored) {
            Ok(Kept::Yes) => {
                report.good("stored offset", &format!("{text}; the server still has what comes behind it"))
            }
            Ok(Kept::Unknown) => report.warn(
                "stored offset",
                &format!("{text}; whether the server still has what comes behind it is not known"),
                "GRANT REPLICATION CLIENT ON *.* (MariaDB: BINLOG MONITOR) lets the server say which binlogs it has",
            ),
            Err(failure) => report.failure("stored offset", &failure),
        },
    }
}

/// The stored offset; `None` when that cannot be found out.
pub(in crate::cli) fn offset(
    config: &ConnectorConfig,
    worker: &WorkerConfig,
    report: &mut Report,
) -> Option<Option<StoredOffset>> {
    let key = OffsetKey { connector: config.name.clone(), server: config.topics.prefix.clone() };
    let mut store: Box<dyn OffsetStore> =
        match (translate::offset_options(config.offsets_topic.clone(), worker), &worker.offsets) {
            (Some(options), _) => {
                if !topic_exists("offset.storage.topic", &options.clients.producer, &options.topic, "compact", report)?
                {
                    return Some(None);
                }
                match KafkaOffsetStore::open(options) {
                    Ok(store) => Box::new(store),
                    Err(error) => {
                        report.failure("offset.storage.topic", &Failure::from(error));
                        return None;
                    }
                }
            }
            (None, OffsetStorage::File(path)) => {
                file("offset.storage.file.filename", path, report);
                Box::new(FileOffsetStore::new(path))
            }
            (None, OffsetStorage::Topic(_)) => return None,
        };
    match store.read(&key) {
        Ok(stored) => Some(stored),
        Err(error) => {
            report.failure("stored offset", &Failure::from(error));
            None
        }
    }
}

/// Whether there is any history; `None` when that cannot be found out.
fn history(config: &ConnectorConfig, report: &mut Report) -> Option<bool> {
    let mut store: Box<dyn SchemaHistoryStore> = match (translate::history_options(config), &config.history.storage) {
        (Some(options), _) => {
            let wanted = TopicSpecification {
                name: options.topic.clone(),
                partitions: 1,
                replication_factor: -1,
                settings: [("cleanup.policy".to_owned(), "delete".to_owned())].into(),
            };
            if !topic_exists("schema history topic", &options.clients.producer, &wanted, "delete", report)? {
                return Some(false);
            }
            Box::new(KafkaSchemaHistory::new(options))
        }
        (None, HistoryStorage::File(path)) => {
            file("schema history file", path, report);
            Box::new(FileSchemaHistory::new(path))
        }
        (None, HistoryStorage::Memory | HistoryStorage::Kafka { .. }) => {
            report.warn(
                "schema history",
                "it is kept in memory and lost at each end",
                "set schema.history.internal to KafkaSchemaHistory",
            );
            return Some(false);
        }
    };
    match store.exists() {
        Ok(exists) => Some(exists),
        Err(error) => {
            report.failure("schema history", &Failure::from(error));
            None
        }
    }
}

fn file(name: &str, path: &Path, report: &mut Report) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if path.exists() {
        report.good(name, &format!("{} exists", path.display()));
    } else if folder.is_none_or(Path::is_dir) {
        report.good(name, &format!("{} will be created", path.display()));
    } else {
        report.warn(
            name,
            &format!("the folder of {} does not exist", path.display()),
            "it will be created if that is allowed",
        );
    }
}

/// Whether a topic that something is kept in exists, keeps what is written to it, or could be created. `None`
/// when it cannot be used.
fn topic_exists(
    name: &str,
    java: &std::collections::BTreeMap<String, String>,
    wanted: &TopicSpecification,
    policy: &str,
    report: &mut Report,
) -> Option<bool> {
    let topic = &wanted.name;
    let native = match properties::translate(Role::Producer, java) {
        Ok(native) => native,
        Err(error) => {
            report.bad(name, &error.to_string(), "correct the setting");
            return None;
        }
    };
    let asked = Admin::new(&native, ASK_TIMEOUT).and_then(|admin| admin.find_topic(topic).map(|found| (admin, found)));
    let (admin, found) = match asked {
        Ok(asked) => asked,
        Err(error) => {
            report.bad(name, &error.to_string(), "look at bootstrap.servers, security.protocol and at firewalls");
            return None;
        }
    };
    let Some(shape) = found else { return could_be_created(name, &admin, wanted, report) };
    let Ok(settings) = admin.topic_settings(topic) else {
        report.warn(name, &format!("{topic} exists; its settings may not be read"), "allow DESCRIBE_CONFIGS on it");
        return Some(true);
    };
    let alter = |setting: &str| {
        format!(
            "kafka-configs.sh --bootstrap-server … --alter --entity-type topics --entity-name {topic} --add-config {setting}"
        )
    };
    let actual = settings.get("cleanup.policy").map_or("delete", String::as_str);
    if actual != policy {
        report.bad(
            name,
            &format!("{topic} has cleanup.policy={actual}, and would lose what is kept in it"),
            &alter(&format!("cleanup.policy={policy}")),
        );
        return None;
    }
    let forgets = settings
        .get("retention.ms")
        .and_then(|text| text.parse::<i64>().ok())
        .filter(|ms| policy == "delete" && *ms != -1 && *ms < RETENTION_WARNED_MS);
    if let Some(ms) = forgets {
        report.warn(
            name,
            &format!("{topic} forgets after {} hours (retention.ms={ms})", ms / 3_600_000),
            &alter("retention.ms=-1"),
        );
    } else {
        report.good(name, &format!("{topic} exists with {} partitions, cleanup.policy={policy}", shape.partitions));
    }
    Some(true)
}

/// Asks whether a topic could be created: `Some(false)` for one that will be, `None` when it cannot.
fn could_be_created(name: &str, admin: &Admin, wanted: &TopicSpecification, report: &mut Report) -> Option<bool> {
    let topic = &wanted.name;
    match admin.create_topic(wanted, true) {
        Ok(_) => {
            report.good(name, &format!("{topic} will be created"));
            Some(false)
        }
        Err(error) => {
            let mend = if error.unauthorized() {
                format!(
                    "create it, or let this user create topics: kafka-acls.sh --add --operation Create --topic {topic} …"
                )
            } else {
                format!(
                    "create it, or set {name}'s partitions and replication factor to what the cluster has (-1: the broker's default)"
                )
            };
            report.bad(name, &format!("{topic} does not exist and cannot be created: {}", error.text), &mend);
            None
        }
    }
}
