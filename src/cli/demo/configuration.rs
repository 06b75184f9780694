//! The demo's connector and worker: the properties that a person would write, and the pipeline they give.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::Names;
use crate::config::ConfigError;
use crate::config::connector::ConnectorConfig;
use crate::config::provider::Environment;
use crate::config::worker::WorkerConfig;
use crate::error::Coded;
use crate::pipeline::supervise::Handle;
use crate::source::binlog::connection::{ConnectOptions, Flavor};

/// Shorter than the default of a second, so that the demo need not last longer.
pub(super) const HEARTBEAT_PERIOD_MS: u32 = 500;

/// Periods of silence after which a connection is dropped: the default.
pub(super) const SILENCE_HEARTBEATS: u32 = 3;

/// Where the demo's parts are.
pub(super) struct Place<'a> {
    pub(super) flavor: Flavor,
    pub(super) proxy: SocketAddr,
    pub(super) server: &'a ConnectOptions,
    pub(super) servers: &'a str,
    pub(super) names: &'a Names,
    pub(super) folder: &'a Path,
}

/// Starts the connector.
pub(super) fn start(place: &Place<'_>, set: &[String]) -> anyhow::Result<Handle> {
    let worker = WorkerConfig::from_map(&worker(place), Environment::of_this_process());
    let (worker, _) = worker.map_err(|errors| wrong(&errors))?;
    let mut properties = connector(place);
    for pair in set {
        let (name, value) = pair.split_once('=').ok_or_else(|| anyhow::anyhow!("--set {pair}: not NAME=VALUE"))?;
        properties.insert(name.trim().to_owned(), value.to_owned());
    }
    let config = ConnectorConfig::from_map("demo", properties, &worker);
    let (config, _) = config.map_err(|errors| wrong(&errors))?;
    crate::cli::run::start_connector(&config, &Arc::new(worker), &crate::watchdog::Recorder::none())
        .map_err(|failure| anyhow::anyhow!("{failure}"))
}

fn wrong(errors: &[ConfigError]) -> anyhow::Error {
    let lines: Vec<String> = errors.iter().map(|error| format!("{}: {error}", error.code())).collect();
    anyhow::anyhow!(lines.join("\n"))
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn worker(place: &Place<'_>) -> BTreeMap<String, String> {
    let offsets = place.folder.join("offsets").display().to_string();
    map(&[
        ("bootstrap.servers", place.servers),
        // The embedded broker keeps no compacted topics: positions lie in a file, as with a standalone worker.
        ("offset.storage.file.filename", &offsets),
        ("offset.flush.interval.ms", "500"),
        ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("key.converter.schemas.enable", "false"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
    ])
}

fn connector(place: &Place<'_>) -> BTreeMap<String, String> {
    let class = match place.flavor {
        Flavor::MySql => "io.debezium.connector.mysql.MySqlConnector",
        Flavor::MariaDb => "io.debezium.connector.mariadb.MariaDbConnector",
    };
    let history = place.folder.join("schema-history").display().to_string();
    map(&[
        ("connector.class", class),
        ("database.hostname", &place.proxy.ip().to_string()),
        ("database.port", &place.proxy.port().to_string()),
        ("database.user", &place.server.user),
        ("database.password", place.server.password.expose()),
        // Somewhere where replicas rarely have theirs.
        ("database.server.id", &fastrand::u32(1_000_000_000..2_000_000_000).to_string()),
        ("database.include.list", &place.names.database),
        ("topic.prefix", &place.names.prefix),
        ("snapshot.mode", "no_data"),
        ("include.schema.changes", "false"),
        ("schema.history.internal", "io.debezium.storage.file.history.FileSchemaHistory"),
        ("schema.history.internal.file.filename", &history),
        ("headwater.heartbeat.period.ms", &HEARTBEAT_PERIOD_MS.to_string()),
        ("headwater.silence.heartbeats", &SILENCE_HEARTBEATS.to_string()),
    ])
}
