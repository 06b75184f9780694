//! One connector's configuration: every option that changes what it does, typed and checked.
//!
//! In: the properties of a connector as a file or a REST call gives them, of any generation of Debezium, and
//! the worker. Out: a [`ConnectorConfig`] and what is worth saying about it. Promised: either all of it can
//! be obeyed, or everything that cannot is reported at once; nothing that would change the events is passed
//! over. Values that came from a config provider never stand in a message.
//!
//! ```text
//!  properties ─names─▶ today's names ─provider─▶ resolved ─settings─▶ checked one by one
//!                                                                          │
//!        ConnectorConfig ◀──combinations── database capture events history delivery
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{ConfigError, Warning, WarningKind};
use super::names;
use super::option::{self, Applies};
use super::secret::{ClientProperties, Masking};
use super::settings::Settings;
use super::worker::{ConverterSetting, WorkerConfig};
use crate::model::modes::{ConnectorKind, SnapshotMode};
use crate::source::binlog::codec::converter::ColumnConverter;
use crate::transform::Setup;
use crate::util::java_regex::JavaRegex;

pub mod capture;
mod combinations;
mod converters;
pub mod database;
pub mod delivery;
pub mod events;
pub mod history;
pub mod post_processors;
pub mod postgres;
mod transforms;
mod watchdog;

pub use capture::{CaptureOptions, ColumnMask, ColumnRule};
pub use database::{DatabaseOptions, StartPosition, StreamOptions, TlsOptions};
pub use delivery::{
    DeadLetterOptions, ErrorOptions, HeartbeatOptions, LimitOptions, RecordTooLarge, TopicCreation, TopicGroup,
};
pub use events::{EventOptions, TopicOptions};
pub use history::{HistoryStorage, SchemaHistoryOptions};
pub use post_processors::ReselectOptions;
pub use postgres::PostgresOptions;
pub use watchdog::WatchdogOptions;

/// A connector, checked.
#[derive(Clone, Debug)]
pub struct ConnectorConfig {
    /// The connector's name: the first part of the key of its stored offset.
    pub name: String,
    /// Which database it reads.
    pub kind: ConnectorKind,
    /// The class as written, for the REST API.
    pub class: String,
    /// Reaching the server.
    pub database: DatabaseOptions,
    /// Where the stream starts and how it is watched.
    pub stream: StreamOptions,
    /// What only PostgreSQL has; `None` for the others.
    pub postgres: Option<PostgresOptions>,
    /// What is captured.
    pub capture: CaptureOptions,
    /// What events look like.
    pub events: EventOptions,
    /// Names of topics.
    pub topics: TopicOptions,
    /// `snapshot.mode`. `Initial` and `WhenNeeded` can run only where an offset is stored; that is for the
    /// pipeline to find out.
    pub snapshot_mode: SnapshotMode,
    /// `snapshot.locking.mode`, for reading the tables' definitions.
    pub snapshot_locking_mode: crate::model::modes::SnapshotLockingMode,
    /// `snapshot.lock.timeout.ms`.
    pub snapshot_lock_timeout: std::time::Duration,
    /// Where the schema history is kept, and what goes into it.
    pub history: SchemaHistoryOptions,
    /// How keys are written.
    pub key_converter: ConverterSetting,
    /// How values are written.
    pub value_converter: ConverterSetting,
    /// How headers are written.
    pub header_converter: ConverterSetting,
    /// What the producer gets: the worker's settings with this connector's over them.
    pub producer: ClientProperties,
    /// `consumer.override.*`: for the client that reads back what the canary wrote.
    pub consumer_overrides: ClientProperties,
    /// What the client that makes topics gets.
    pub admin: ClientProperties,
    /// How topics are made; `None` when the broker makes them or they are there.
    pub topic_creation: Option<TopicCreation>,
    /// A topic of its own for its offsets.
    pub offsets_topic: Option<String>,
    /// `converters`: which columns are read otherwise, and how.
    pub column_converters: Arc<[Arc<dyn ColumnConverter>]>,
    /// `post.processors`: what is read again of rows, in their order.
    pub post_processors: Vec<ReselectOptions>,
    /// `transforms` and `predicates`.
    pub transforms: Setup,
    /// Heartbeat records.
    pub heartbeat: HeartbeatOptions,
    /// What becomes of failures.
    pub errors: ErrorOptions,
    /// Bounds.
    pub limits: LimitOptions,
    /// When something counts as stuck.
    pub watchdog: WatchdogOptions,
    /// `statistics.metrics.enabled`.
    pub lag_quantiles: bool,
    /// `custom.metric.tags`, in the order written.
    pub metric_tags: Vec<(String, String)>,
    /// The properties as written, for the REST API, which shows variables unresolved as Connect does.
    pub original: ClientProperties,
}

impl ConnectorConfig {
    /// Checks one connector's properties. `raw` are the properties as written, with or without `name`.
    pub fn from_map(
        name: &str,
        raw: BTreeMap<String, String>,
        worker: &WorkerConfig,
    ) -> Result<(ConnectorConfig, Vec<Warning>), Vec<ConfigError>> {
        let examined = ConnectorConfig::examine(name, raw, worker);
        match examined.config {
            Some(config) => Ok((config, examined.warnings)),
            None => Err(examined.errors),
        }
    }

    /// The same for those who want to hear everything: what is worth saying of a configuration that cannot be used,
    /// too.
    pub fn examine(name: &str, mut raw: BTreeMap<String, String>, worker: &WorkerConfig) -> Examined {
        raw.insert("name".to_owned(), name.to_owned());
        let original = ClientProperties::new(raw.clone());
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        let class = raw.get("connector.class").map(|class| class.trim().to_owned()).unwrap_or_default();
        let kind = match kind(&class) {
            Ok(kind) => kind,
            Err(error) => return Examined { config: None, warnings, errors: vec![error] },
        };
        let place = Applies::of(kind);
        let renamed = names::rename(raw, place, &mut warnings, &mut errors);
        let mut values = renamed.values;
        if renamed.old_generation {
            names::changed_defaults(&values, &mut warnings);
            if kind != ConnectorKind::Postgres {
                draw_server_id(&mut values, &mut warnings);
            }
        }
        let mut masking = Masking::default();
        let values = worker.providers.resolve(&values, &mut masking, &mut warnings, &mut errors);
        if let Some(pattern) = values.get("custom.sanitize.pattern")
            && let Ok(pattern) = JavaRegex::parse(pattern)
        {
            masking.add(pattern);
        }
        let settings = Settings { values: &values, place, masking: &masking };
        settings.check(&declared_prefixes(&settings), &mut warnings, &mut errors);
        let mut findings = Findings { warnings, errors };
        transforms::say_unknown(&settings, &mut findings);
        combinations::check(&settings, worker, &mut findings);
        let config = read(name, class, kind, &settings, worker, original, &mut findings);
        let Findings { warnings, errors } = findings;
        Examined { config: Some(config).filter(|_| errors.is_empty()), warnings, errors }
    }
}

/// A configuration that was looked through to its end.
pub struct Examined {
    /// What can be run; `None` when there are errors.
    pub config: Option<ConnectorConfig>,
    /// What is worth saying.
    pub warnings: Vec<Warning>,
    /// What keeps it from running.
    pub errors: Vec<ConfigError>,
}

/// What was found so far.
pub(super) struct Findings {
    pub(super) warnings: Vec<Warning>,
    pub(super) errors: Vec<ConfigError>,
}

impl Findings {
    pub(super) fn advise(&mut self, property: &str, text: impl Into<String>) {
        self.warnings.push(Warning::new(WarningKind::Advice, property, text));
    }
}

/// The classes that `connector.class` may name in full, in the order of their names.
pub const CLASSES: [(&str, ConnectorKind); 3] = [
    ("io.debezium.connector.mariadb.MariaDbConnector", ConnectorKind::MariaDb),
    ("io.debezium.connector.mysql.MySqlConnector", ConnectorKind::MySql),
    ("io.debezium.connector.postgresql.PostgresConnector", ConnectorKind::Postgres),
];

/// The database that a class reads. Where that cannot be told, no rule applies, and nothing more is said.
fn kind(class: &str) -> Result<ConnectorKind, ConfigError> {
    match class.rsplit('.').next().unwrap_or(class) {
        "MySqlConnector" | "MySql" => Ok(ConnectorKind::MySql),
        "MariaDbConnector" | "MariaDb" => Ok(ConnectorKind::MariaDb),
        // Missing is reported with the other required ones.
        "" => Ok(ConnectorKind::MySql),
        "PostgresConnector" | "Postgres" => Ok(ConnectorKind::Postgres),
        _ => Err(ConfigError::UnknownConnector { class: class.to_owned() }),
    }
}

/// Before Debezium 2.0 a server id was drawn between 5400 and 6400 where none was given. Here it is drawn
/// from the connector's identity, so that a restart does not leave the old connection's id behind.
fn draw_server_id(values: &mut BTreeMap<String, String>, warnings: &mut Vec<Warning>) {
    if values.contains_key("database.server.id") {
        return;
    }
    let identity = ["name", "topic.prefix"].map(|property| values.get(property).map_or("", String::as_str)).join("/");
    let drawn = 5400 + crc32fast::hash(identity.as_bytes()) % 1000;
    values.insert("database.server.id".to_owned(), drawn.to_string());
    let text = format!("is not set; {drawn} was drawn, as Debezium 1.x did. Set one that no other replica has");
    warnings.push(Warning::new(WarningKind::ChangedDefault, "database.server.id", text));
}

/// Prefixes of properties that belong to names which the file itself declares.
fn declared_prefixes(settings: &Settings<'_>) -> Vec<String> {
    let processors = settings.list("post.processors");
    let new = processors.iter().map(|name| format!("post.processors.{name}.")).collect::<Vec<_>>();
    let old = settings.list("converters").into_iter().chain(processors).map(|name| format!("{name}."));
    old.chain(new).collect()
}

fn read(
    name: &str,
    class: String,
    kind: ConnectorKind,
    settings: &Settings<'_>,
    worker: &WorkerConfig,
    original: ClientProperties,
    findings: &mut Findings,
) -> ConnectorConfig {
    use crate::model::modes::SnapshotLockingMode;
    let overrides = settings.under("producer.override.");
    ConnectorConfig {
        name: name.to_owned(),
        kind,
        class,
        database: database::database(settings),
        stream: database::stream(settings, findings),
        postgres: (kind == ConnectorKind::Postgres).then(|| postgres::postgres(settings, findings)),
        capture: capture::capture(settings, findings),
        events: events::events(settings, findings),
        topics: events::topics(settings, findings),
        snapshot_mode: snapshot_mode(settings, &mut findings.errors),
        snapshot_locking_mode: settings.word(
            "snapshot.locking.mode",
            SnapshotLockingMode::parse,
            SnapshotLockingMode::Minimal,
        ),
        snapshot_lock_timeout: settings.millis("snapshot.lock.timeout.ms"),
        history: history::history(settings, worker, &mut findings.errors),
        key_converter: converter(settings, "key.converter", &worker.key_converter),
        value_converter: converter(settings, "value.converter", &worker.value_converter),
        header_converter: converter(settings, "header.converter", &worker.header_converter),
        producer: worker.producer_properties(&overrides),
        consumer_overrides: settings.under("consumer.override."),
        admin: worker.admin_properties(&settings.under("admin.override.")),
        topic_creation: delivery::topic_creation(settings, worker, findings),
        offsets_topic: settings.text("offsets.storage.topic"),
        column_converters: converters::converters(settings, findings),
        post_processors: post_processors::post_processors(settings, findings),
        transforms: transforms::transforms(settings, &mut findings.errors),
        heartbeat: delivery::heartbeat(settings),
        errors: delivery::errors(settings, findings),
        limits: delivery::limits(settings),
        watchdog: watchdog::watchdog(settings, findings),
        lag_quantiles: settings.flag("statistics.metrics.enabled"),
        metric_tags: settings.text("custom.metric.tags").and_then(|tags| option::pairs(&tags)).unwrap_or_default(),
        original,
    }
}

/// A connector that names no converter has the worker's with the worker's options; one that does has none of
/// them, as in Connect.
fn converter(settings: &Settings<'_>, property: &str, worker: &ConverterSetting) -> ConverterSetting {
    match settings.text(property) {
        Some(class) => ConverterSetting { class, options: settings.under(&format!("{property}.")) },
        None => worker.clone(),
    }
}

/// The mode, unless it needs rows that are not read yet.
fn snapshot_mode(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> SnapshotMode {
    let mode = settings.word("snapshot.mode", SnapshotMode::parse, SnapshotMode::Initial);
    let reason = match mode {
        SnapshotMode::Initial
        | SnapshotMode::WhenNeeded
        | SnapshotMode::NoData
        | SnapshotMode::Recovery
        | SnapshotMode::Never => return mode,
        SnapshotMode::Always | SnapshotMode::InitialOnly | SnapshotMode::ConfigurationBased => {
            "rows that are already there are not read yet; no_data starts the stream from now, and initial goes on from a stored offset"
        }
        SnapshotMode::Custom => "it names a Java class",
    };
    errors.push(ConfigError::Refused {
        property: "snapshot.mode".to_owned(),
        value: settings.masking.show("snapshot.mode", mode.as_str()),
        reason: reason.to_owned(),
    });
    mode
}

#[cfg(test)]
#[path = "connector_tests.rs"]
mod tests;
