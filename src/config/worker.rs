//! The worker's configuration: brokers, where positions are stored, converters, listeners, clients.
//!
//! In: a Connect worker's properties file, the environment of a Connect container image, and what the command
//! line says; the command line is over the environment, and the environment over the file. Out: a
//! [`WorkerConfig`]. Promised: what Connect's distributed and standalone workers take is taken; all findings
//! at once; secrets are in [`ClientProperties`] and never printed.

use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::environment;
use super::error::{ConfigError, Warning, WarningKind};
use super::option::Applies;
use super::provider::{Environment, Providers};
use super::rest_access::{RestAccess, rest_access};
use super::secret::{ClientProperties, Masking, Secret};
use super::settings::Settings;
use super::source_file;
use crate::model::modes::MetricNames;

/// A topic that Connect keeps something in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageTopic {
    /// Its name.
    pub topic: String,
    /// Partitions when it has to be made; -1 leaves it to the broker.
    pub partitions: i32,
    /// Copies when it has to be made; -1 leaves it to the broker.
    pub replication_factor: i16,
    /// Further settings of the topic, such as `min.insync.replicas`.
    pub settings: ClientProperties,
}

/// Where positions are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OffsetStorage {
    /// In a compacted topic, as a distributed worker does.
    Topic(StorageTopic),
    /// In a file, as a standalone worker does.
    File(PathBuf),
}

/// A converter as a worker or connector names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConverterSetting {
    /// The Java class, or the short name that Connect allows for it.
    pub class: String,
    /// Its options, without the prefix.
    pub options: ClientProperties,
}

/// One address of the worker's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Name or address of the interface; `None` is all of them.
    pub host: Option<String>,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// `https`.
    pub tls: bool,
}

impl Listener {
    /// The name or address that it listens at alone; `None` where it listens at all of them.
    pub fn named_host(&self) -> Option<&str> {
        self.host.as_deref().filter(names_one)
    }
}

/// Whether a host is one, and not all addresses of a machine.
fn names_one(host: &&str) -> bool {
    !matches!(*host, "" | "0.0.0.0" | "::")
}

/// `http://host:port`, or https.
pub fn http_url(is_tls: bool, host: &str, port: u16) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    if host.contains(':') { format!("{scheme}://[{host}]:{port}") } else { format!("{scheme}://{host}:{port}") }
}

/// `connector.client.config.override.policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverridePolicy {
    /// A connector may set everything.
    All,
    /// A connector may set nothing.
    None,
    /// A connector may say who it is: `sasl.jaas.config`, `sasl.mechanism`, `security.protocol`.
    Principal,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A worker, checked.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Addresses of brokers, `host:port`.
    pub bootstrap_servers: Vec<String>,
    /// `group.id`, where there is one.
    pub group_id: Option<String>,
    /// After what silence the group gives a worker up.
    pub session_timeout: Duration,
    /// How often the group hears of a worker.
    pub heartbeat_interval: Duration,
    /// Where positions are stored.
    pub offsets: OffsetStorage,
    /// Where configurations are stored.
    pub config_storage: StorageTopic,
    /// Where states are stored.
    pub status_storage: StorageTopic,
    /// How keys are written where a connector does not say.
    pub key_converter: ConverterSetting,
    /// How values are written where a connector does not say.
    pub value_converter: ConverterSetting,
    /// How headers are written where a connector does not say.
    pub header_converter: ConverterSetting,
    /// Addresses of the server.
    pub listeners: Vec<Listener>,
    /// TLS of the listeners with https: Kafka's `ssl.*`, without a prefix.
    pub listeners_tls: ClientProperties,
    /// Who may use the REST API.
    pub rest_access: RestAccess,
    /// Whether the topics that a connector writes to are remembered.
    pub topic_tracking: bool,
    /// Whether that memory may be cleared.
    pub topic_tracking_reset: bool,
    /// The name other machines use for it.
    pub advertised_host: Option<String>,
    /// The port other machines use for it.
    pub advertised_port: Option<u16>,
    /// How often positions are stored.
    pub offset_flush_interval: Duration,
    /// How long storing them may take.
    pub offset_flush_timeout: Duration,
    /// How long stopping may take.
    pub shutdown_timeout: Duration,
    /// Whether connectors may have topics made.
    pub topic_creation_enabled: bool,
    /// What a connector may set of its clients.
    pub override_policy: OverridePolicy,
    /// Rules that name the series on `/metrics`; our own when there are none.
    pub metrics_rules: Option<PathBuf>,
    /// How they are called then.
    pub metrics_names: MetricNames,
    /// A file that incidents are appended to.
    pub incidents_file: Option<PathBuf>,
    /// A topic that incidents are sent to.
    pub incidents_topic: Option<String>,
    /// Addresses that are told of incidents: they are passwords themselves.
    pub notice_urls: Secret,
    /// How long an incident must last before anybody is told.
    pub notices_after: Duration,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_level: String,
    /// What resolves variables in connectors.
    pub providers: Providers,
    /// Settings for every client: `security.*`, `sasl.*`, `ssl.*`, `client.*`.
    clients: ClientProperties,
    producer: ClientProperties,
    consumer: ClientProperties,
    admin: ClientProperties,
}

impl WorkerConfig {
    /// Reads the worker's file (if any), the environment and `overrides` of the command line.
    pub fn load(
        file: Option<&Path>,
        environment: Environment,
        overrides: &BTreeMap<String, String>,
    ) -> Result<(WorkerConfig, Vec<Warning>), Vec<ConfigError>> {
        let (written, mut warnings) = match file {
            Some(path) => source_file::read_worker(path).map_err(|error| vec![error])?,
            None => (BTreeMap::new(), Vec::new()),
        };
        let mut properties = environment::defaults(&environment);
        properties.extend(written);
        properties.extend(environment::properties(&environment));
        properties.extend(overrides.iter().map(|(name, value)| (name.clone(), value.clone())));
        let (worker, more) = WorkerConfig::from_map(&properties, environment)?;
        warnings.extend(more);
        Ok((worker, warnings))
    }

    /// Checks a worker's properties.
    pub fn from_map(
        properties: &BTreeMap<String, String>,
        environment: Environment,
    ) -> Result<(WorkerConfig, Vec<Warning>), Vec<ConfigError>> {
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        let providers = Providers::of_worker(properties, environment.clone(), &mut errors);
        let mut masking = Masking::default();
        let values = providers.resolve(properties, &mut masking, &mut warnings, &mut errors);
        let settings = Settings { values: &values, place: Applies::WORKER, masking: &masking };
        settings.check(&[], &mut warnings, &mut errors);
        let access = rest_access(&settings, &environment, &mut errors);
        let worker = worker(&settings, providers, access, &mut warnings, &mut errors);
        match worker.filter(|_| errors.is_empty()) {
            Some(worker) => Ok((worker, warnings)),
            None => Err(errors),
        }
    }

    /// What every client of the worker itself gets (storage topics, history): the brokers and the settings
    /// without a prefix.
    pub fn client_properties(&self) -> ClientProperties {
        let mut properties = self.clients.clone();
        properties.set("bootstrap.servers", &self.bootstrap_servers.join(","));
        properties
    }

    /// What a connector's producer gets: the brokers, `producer.*`, and over them its `producer.override.*`.
    ///
    /// Connect gives a producer none of the settings without a prefix. Where a worker encrypts or logs in and
    /// its `producer.*` says nothing of either, a producer could only fail at the same brokers; here it gets
    /// them.
    pub fn producer_properties(&self, overrides: &ClientProperties) -> ClientProperties {
        self.prefixed(&self.producer).overridden_by(overrides)
    }

    /// The same for consumers.
    pub fn consumer_properties(&self) -> ClientProperties {
        self.prefixed(&self.consumer)
    }

    /// What the client that makes topics gets.
    pub fn admin_properties(&self, overrides: &ClientProperties) -> ClientProperties {
        self.client_properties().overridden_by(&self.admin).overridden_by(overrides)
    }

    fn prefixed(&self, own: &ClientProperties) -> ClientProperties {
        let mut properties = ClientProperties::default();
        if !own.iter().any(|(name, _)| is_security(name)) {
            for (name, value) in self.clients.iter().filter(|(name, _)| is_security(name)) {
                properties.set(name, value);
            }
        }
        properties.set("bootstrap.servers", &self.bootstrap_servers.join(","));
        properties.overridden_by(own)
    }

    /// `host:port` as it stands in `worker_id`.
    pub fn worker_id(&self, host_name: &str) -> String {
        let listener = self.listeners.first();
        let host = self.advertised_host.as_deref().or(listener.and_then(|listener| listener.host.as_deref()));
        let port = self.advertised_port.or(listener.map(|listener| listener.port)).unwrap_or(8083);
        format!("{}:{port}", host.unwrap_or(host_name))
    }

    /// Where other workers find this one. Without a name of its own it is this machine's address, because the names of many
    /// containers are known to nobody else; with TLS it is the machine's name, which is what a certificate has.
    pub fn url(&self, host_name: &str) -> String {
        let listener = self.listeners.first();
        let is_tls = listener.is_some_and(|listener| listener.tls);
        let port = self.advertised_port.or(listener.map(|listener| listener.port)).unwrap_or(8083);
        let advertised = self.advertised_host.as_deref().filter(names_one);
        let own = advertised.or(listener.and_then(Listener::named_host)).map(str::to_owned);
        let address = || {
            let mut addresses = (host_name, port).to_socket_addrs().ok().filter(|_| !is_tls)?;
            addresses.find(|address| !address.ip().is_loopback()).map(|address| address.ip().to_string())
        };
        http_url(is_tls, &own.or_else(address).unwrap_or_else(|| host_name.to_owned()), port)
    }
}

fn is_security(name: &str) -> bool {
    name.starts_with("security.") || name.starts_with("sasl.") || name.starts_with("ssl.")
}

/// The typed worker; `None` when something is so wrong that no value stands for it.
fn worker(
    settings: &Settings<'_>,
    providers: Providers,
    rest_access: RestAccess,
    warnings: &mut Vec<Warning>,
    errors: &mut Vec<ConfigError>,
) -> Option<WorkerConfig> {
    if settings.text("exactly.once.source.support").as_deref().is_some_and(|word| word.eq_ignore_ascii_case("enabled"))
    {
        let text = "delivery is at least once: records and positions are not written in one transaction yet";
        warnings.push(Warning::new(WarningKind::Advice, "exactly.once.source.support", text));
    }
    let bootstrap_servers = settings.list("bootstrap.servers");
    for server in bootstrap_servers.iter().filter(|server| !is_address(server)) {
        errors.push(settings.invalid("bootstrap.servers", server, "a list of host:port"));
    }
    let number = |property: &str| settings.number(property);
    Some(WorkerConfig {
        bootstrap_servers,
        group_id: settings.text("group.id"),
        session_timeout: settings.millis("session.timeout.ms"),
        heartbeat_interval: settings.millis("heartbeat.interval.ms"),
        offsets: offsets(settings, warnings),
        config_storage: storage(settings, "config.storage", 1),
        status_storage: storage(settings, "status.storage", number("status.storage.partitions")),
        key_converter: converter(settings, "key.converter")?,
        value_converter: converter(settings, "value.converter")?,
        header_converter: converter(settings, "header.converter")?,
        listeners: listeners(settings, errors),
        listeners_tls: listeners_tls(settings),
        rest_access,
        topic_tracking: settings.flag("topic.tracking.enable"),
        topic_tracking_reset: settings.flag("topic.tracking.allow.reset"),
        advertised_host: settings.text("rest.advertised.host.name"),
        advertised_port: settings.optional_number("rest.advertised.port").and_then(|port| u16::try_from(port).ok()),
        offset_flush_interval: settings.millis("offset.flush.interval.ms"),
        offset_flush_timeout: settings.millis("offset.flush.timeout.ms"),
        shutdown_timeout: settings.millis("task.shutdown.graceful.timeout.ms"),
        topic_creation_enabled: settings.flag("topic.creation.enable"),
        override_policy: override_policy(settings, errors),
        metrics_rules: settings.text("metrics.jmx.exporter.config").map(PathBuf::from),
        metrics_names: settings.word("headwater.metrics.names", MetricNames::parse, MetricNames::Debezium),
        incidents_file: settings.text("headwater.incidents.file").map(PathBuf::from),
        incidents_topic: settings.text("headwater.incidents.topic"),
        notice_urls: Secret::new(settings.text("headwater.notices.urls").unwrap_or_default()),
        notices_after: settings.millis("headwater.notices.after.ms"),
        log_format: match settings.text("headwater.log.format") {
            Some(word) if word.eq_ignore_ascii_case("json") => LogFormat::Json,
            _ => LogFormat::Text,
        },
        log_level: settings.text("headwater.log.level").unwrap_or_else(|| "info".to_owned()),
        providers,
        clients: clients(settings),
        producer: settings.under("producer."),
        consumer: settings.under("consumer."),
        admin: admin(settings),
    })
}

fn clients(settings: &Settings<'_>) -> ClientProperties {
    let mut clients = ClientProperties::default();
    for (name, value) in settings.values.iter().filter(|(name, _)| is_security(name) || name.starts_with("client.")) {
        clients.set(name, value);
    }
    clients
}

/// `admin.*` without `admin.listeners`, which belongs to the server.
fn admin(settings: &Settings<'_>) -> ClientProperties {
    let mut admin = ClientProperties::default();
    for (name, value) in settings.under("admin.").iter().filter(|(name, _)| !name.starts_with("listeners")) {
        admin.set(name, value);
    }
    admin
}

fn is_address(server: &str) -> bool {
    // A listener's name in front (`PLAINTEXT://host:9092`) is what Java's client takes as well.
    let server = server.rsplit("://").next().unwrap_or(server);
    server
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn storage(settings: &Settings<'_>, prefix: &str, partitions: i64) -> StorageTopic {
    let own = ["topic", "partitions", "replication.factor", "file.filename"];
    let mut further = ClientProperties::default();
    for (name, value) in settings.under(&format!("{prefix}.")).iter().filter(|(name, _)| !own.contains(name)) {
        further.set(name, value);
    }
    StorageTopic {
        topic: settings.text(&format!("{prefix}.topic")).unwrap_or_default(),
        partitions: i32::try_from(partitions).unwrap_or(-1),
        replication_factor: i16::try_from(settings.number(&format!("{prefix}.replication.factor"))).unwrap_or(-1),
        settings: further,
    }
}

fn offsets(settings: &Settings<'_>, warnings: &mut Vec<Warning>) -> OffsetStorage {
    let file = settings.text("offset.storage.file.filename").map(PathBuf::from);
    match file {
        Some(file) if !settings.is_set("offset.storage.topic") => OffsetStorage::File(file),
        Some(_) => {
            let text = "is ignored, because offset.storage.topic is set too: positions go to the topic";
            warnings.push(Warning::new(WarningKind::Advice, "offset.storage.file.filename", text));
            OffsetStorage::Topic(storage(settings, "offset.storage", settings.number("offset.storage.partitions")))
        }
        None => OffsetStorage::Topic(storage(settings, "offset.storage", settings.number("offset.storage.partitions"))),
    }
}

fn converter(settings: &Settings<'_>, property: &str) -> Option<ConverterSetting> {
    Some(ConverterSetting { class: settings.text(property)?, options: settings.under(&format!("{property}.")) })
}

fn override_policy(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> OverridePolicy {
    let policy = settings.text("connector.client.config.override.policy").unwrap_or_default();
    let name = policy.rsplit('.').next().unwrap_or(&policy).to_ascii_lowercase();
    match name.trim_end_matches("connectorclientconfigoverridepolicy") {
        "all" => OverridePolicy::All,
        "none" => OverridePolicy::None,
        "principal" => OverridePolicy::Principal,
        _ => {
            errors.push(ConfigError::JavaClass {
                property: "connector.client.config.override.policy".to_owned(),
                class: settings.masking.show("connector.client.config.override.policy", &policy),
                stock: vec!["All", "None", "Principal"],
            });
            OverridePolicy::None
        }
    }
}

/// `http://host:port`, where the host may be missing; the old pair of host and port where there is no list.
fn listeners(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> Vec<Listener> {
    if !settings.is_set("listeners")
        && let Some(port) = settings.optional_number("rest.port").and_then(|port| u16::try_from(port).ok())
    {
        let host = settings.text("rest.host.name").map(|host| unbracketed(&host).to_owned());
        return vec![Listener { host, port, tls: false }];
    }
    let mut listeners = Vec::new();
    for address in settings.list("listeners") {
        match listener(&address) {
            Some(listener) => listeners.push(listener),
            None => {
                errors.push(settings.invalid("listeners", &address, "an address such as http://:8083 or https://:8443"))
            }
        }
    }
    listeners
}

/// An IPv6 address stands in brackets where a port comes behind it.
fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn listener(address: &str) -> Option<Listener> {
    let (scheme, rest) = address.split_once("://")?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
    let host = unbracketed(host);
    let host = (!host.is_empty() && host != "0.0.0.0").then(|| host.to_owned());
    Some(Listener { host, port: port.parse().ok()?, tls })
}

/// As in Connect: those with the prefix, or, where there is none, the worker's own.
fn listeners_tls(settings: &Settings<'_>) -> ClientProperties {
    let own = settings.under("listeners.https.");
    if own.is_empty() { clients(settings) } else { own }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
