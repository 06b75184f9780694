//! The worker that the connectors would have here.
//!
//! In: Connect's worker properties, or the environment of a Connect container; Connect's REST API tells neither. Out: a
//! [`Worker`], and the `worker.properties` to write. Promised: without a file, what only a person knows is left to be
//! filled in, in lines that Headwater refuses to start with: a wrong topic of offsets would begin a connector anew
//! and lose what lies between.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::cluster::{Cluster, Connector};
use super::http::printable;
use crate::cli::check::{Outcome, Report};
use crate::config::provider::Environment;
use crate::config::worker::{Listener, OffsetStorage, WorkerConfig};
use crate::config::{ConfigError, Warning};
use crate::util::kafka::admin::Admin;
use crate::util::kafka::properties::{self, Role};

/// Requests to the brokers are answered within this time or count as unanswered.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// How many ports above Connect's are tried for Headwater's own.
const PORTS_TRIED: u16 = 20;

/// Variables of the Connect container images of Debezium and Confluent, and the option they set, that make a worker whole.
const IN_ENVIRONMENT: &[&str] = &["OFFSET_STORAGE_TOPIC", "CONNECT_OFFSET_STORAGE_TOPIC"];

/// Where the worker's settings come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From `--worker`.
    File(PathBuf),
    /// From variables such as `CONNECT_OFFSET_STORAGE_TOPIC`.
    Environment,
    /// From nowhere: a stand-in, with which properties of connectors can be judged and nothing else.
    Unknown,
}

/// A worker, and how much of it is known.
pub(super) struct Worker {
    pub config: Arc<WorkerConfig>,
    pub origin: Origin,
    pub warnings: Vec<Warning>,
}

/// Reads the worker's file, or else the environment, or else stands in.
pub(super) fn read(file: Option<&Path>, cluster: &Cluster) -> Result<Worker, Vec<ConfigError>> {
    let environment = Environment::of_this_process();
    let in_environment = IN_ENVIRONMENT.iter().any(|name| environment.get(name).is_some());
    let (loaded, origin) = match file {
        Some(path) => (WorkerConfig::load(Some(path), environment, &BTreeMap::new())?, Origin::File(path.to_owned())),
        None if in_environment => (WorkerConfig::load(None, environment, &BTreeMap::new())?, Origin::Environment),
        None => (stand_in(cluster, environment)?, Origin::Unknown),
    };
    Ok(Worker { config: Arc::new(loaded.0), origin, warnings: loaded.1 })
}

/// A worker whose brokers are those of some connector's schema history.
fn stand_in(cluster: &Cluster, environment: Environment) -> Result<(WorkerConfig, Vec<Warning>), Vec<ConfigError>> {
    let mut properties = BTreeMap::new();
    if let Some(servers) = history_servers(&cluster.connectors) {
        properties.insert("bootstrap.servers".to_owned(), servers);
    }
    match WorkerConfig::from_map(&properties, environment.clone()) {
        Ok(worker) => Ok(worker),
        Err(_) => WorkerConfig::from_map(&BTreeMap::new(), environment),
    }
}

fn history_servers(connectors: &[Connector]) -> Option<String> {
    let servers = |connector: &Connector| {
        let text = connector.config.get("schema.history.internal.kafka.bootstrap.servers")?.as_str()?;
        (!text.contains("${")).then(|| text.trim().to_owned())
    };
    connectors.iter().find_map(servers)
}

/// Looks at the worker's brokers and topics: are they those of this cluster?
pub(super) fn check(worker: &Worker, cluster: &Cluster, report: &mut Report) {
    for warning in &worker.warnings {
        report.add(Outcome::Warning, "worker", &warning.to_string());
    }
    let origin = match &worker.origin {
        Origin::File(path) => path.display().to_string(),
        Origin::Environment => "the environment".to_owned(),
        Origin::Unknown => {
            report.warn(
                "worker",
                "Connect's REST API does not tell its worker's settings: neither the topic that positions are stored in nor the converters can be checked",
                "run this again with --worker connect-distributed.properties, or fill in the lines of worker.properties that say so",
            );
            return;
        }
    };
    let config = &worker.config;
    let group = config.group_id.as_deref().unwrap_or("none");
    let offsets = match &config.offsets {
        OffsetStorage::Topic(topic) => format!("offset.storage.topic={}", topic.topic),
        OffsetStorage::File(path) => format!("offset.storage.file.filename={}", path.display()),
    };
    report.good("worker", &format!("{origin}: group.id={group}, {offsets}"));
    converters(config, report);
    brokers(config, cluster, report);
}

/// What decides the form of every record of a connector that names no converter.
fn converters(config: &WorkerConfig, report: &mut Report) {
    let shown = |setting: &crate::config::worker::ConverterSetting| {
        let schemas = setting.options.get("schemas.enable").map(|word| format!(" (schemas.enable={word})"));
        format!("{}{}", setting.class, schemas.unwrap_or_default())
    };
    let text = format!(
        "connectors that name none have its key.converter={} and value.converter={}",
        shown(&config.key_converter),
        shown(&config.value_converter)
    );
    report.good("worker", &text);
}

fn brokers(config: &WorkerConfig, cluster: &Cluster, report: &mut Report) {
    const NAME: &str = "kafka cluster";
    let properties = config.client_properties();
    let asked = properties::translate(Role::Producer, properties.as_map())
        .map_err(|error| error.to_string())
        .and_then(|native| Admin::new(&native, ASK_TIMEOUT).map_err(|error| error.to_string()))
        .and_then(|admin| admin.broker_count().map(|_| admin).map_err(|error| error.to_string()));
    let admin = match asked {
        Ok(admin) => admin,
        Err(reason) => {
            report.bad(NAME, &reason, "look at bootstrap.servers, security.protocol and at firewalls");
            return;
        }
    };
    match admin.cluster_id() {
        Some(id) if id == cluster.kafka_cluster_id => report.good(NAME, &format!("{id}, as Connect says")),
        Some(id) => report.bad(
            NAME,
            &format!("the worker's brokers are of cluster {id}, and Connect's of {}", cluster.kafka_cluster_id),
            "give the properties of a worker of this Connect cluster, or its bootstrap.servers as seen from here",
        ),
        None => report.warn(NAME, "the brokers do not tell their cluster's id", "compare bootstrap.servers by eye"),
    }
    let topic = &config.config_storage.topic;
    if matches!(config.offsets, OffsetStorage::File(_)) {
        return;
    }
    match admin.find_topic(topic) {
        Ok(Some(_)) => report.good("config.storage.topic", &format!("{topic} exists; Headwater leaves it alone")),
        Ok(None) => report.warn(
            "config.storage.topic",
            &format!("there is no topic {topic}"),
            "is this the file of a worker of this Connect cluster?",
        ),
        Err(error) => report.warn("config.storage.topic", &error.to_string(), "allow DESCRIBE on it"),
    }
}

/// An address for Headwater beside a Connect on this machine; `None` when the worker's own is free.
pub(super) fn free_listener(config: &WorkerConfig) -> Option<String> {
    let listener = config.listeners.first()?;
    if listener.port == 0 || is_free(listener, listener.port) {
        return None;
    }
    let port = (listener.port..).skip(1).take(usize::from(PORTS_TRIED)).find(|port| is_free(listener, *port))?;
    Some(format!("http://{}:{port}", listener.host.as_deref().unwrap_or("")))
}

/// Whether the port can be had. It is not kept: somebody else may have it by the time it is used, and then `run` says so.
fn is_free(listener: &Listener, port: u16) -> bool {
    let host = listener.host.as_deref().unwrap_or("0.0.0.0");
    match TcpListener::bind((host, port)) {
        Ok(_) => true,
        // An address that is not this machine's: Headwater will run elsewhere, and nothing is known of it.
        Err(error) => error.kind() != std::io::ErrorKind::AddrInUse,
    }
}

/// The file to write: a copy of the worker's own, or lines to fill in. `None` where the environment says it all.
///
/// # Errors
/// When the file cannot be read again, in words.
pub(super) fn file(worker: &Worker, cluster: &Cluster) -> Result<Option<Vec<u8>>, String> {
    match &worker.origin {
        Origin::File(path) => std::fs::read(path).map(Some).map_err(|error| error.kind().to_string()),
        Origin::Environment => Ok(None),
        Origin::Unknown => Ok(Some(to_fill_in(cluster).into_bytes())),
    }
}

/// The properties that have no value yet.
pub(super) const TO_FILL_IN: &[&str] =
    &["bootstrap.servers", "offset.storage.topic", "key.converter", "value.converter"];

fn to_fill_in(cluster: &Cluster) -> String {
    let mut out = String::from(
        "# The worker's settings. Kafka Connect's REST API does not tell them: take them from a worker of the cluster\n\
         # (connect-distributed.properties, or the CONNECT_… variables of its container), and replace each <…>.\n\
         # Headwater does not start before that.\n",
    );
    if let Some(servers) = history_servers(&cluster.connectors) {
        // On one line, whatever stands in it: what follows a line break would be a property of the worker.
        let servers = printable(&servers, 300);
        out.push_str(&format!("# The schema history of a connector is at {servers}: probably these.\n"));
    }
    for property in TO_FILL_IN {
        out.push_str(&format!("{property}=<fill in: {property} of the Connect worker>\n"));
    }
    out.push_str(
        "# With key.converter and value.converter belong the worker's lines that begin with these names and a dot:\n\
         # schemas.enable, schema.registry.url. They decide the form of every record of a connector that names none.\n\
         # Where the brokers want TLS or a password: security.protocol, sasl.*, ssl.*, also with producer. and consumer.\n",
    );
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::migrate::cluster::Connector;

    fn cluster(servers: &str) -> Cluster {
        let config = serde_json::json!({ "schema.history.internal.kafka.bootstrap.servers": servers });
        Cluster {
            version: "4.3.1".to_owned(),
            kafka_cluster_id: "id".to_owned(),
            connectors: vec![Connector {
                name: "n".to_owned(),
                config: config.as_object().cloned().unwrap_or_default(),
                state: "RUNNING".to_owned(),
                tasks: Vec::new(),
                version: None,
            }],
        }
    }

    /// A file whose lines were not filled in starts nothing.
    #[test]
    fn a_worker_that_is_not_filled_in_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.properties");
        let load = || WorkerConfig::load(Some(&path), Environment::default(), &BTreeMap::new());
        let text = to_fill_in(&cluster("a:1"));
        assert!(text.contains("probably these") && text.contains("a:1"), "{text}");
        std::fs::write(&path, &text).unwrap();
        let errors = load().unwrap_err();
        let said = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(said.contains("bootstrap.servers") && said.contains("offset.storage.topic"), "{said}");
        let filled = text
            .replace("<fill in: bootstrap.servers of the Connect worker>", "a:1")
            .replace("<fill in: offset.storage.topic of the Connect worker>", "offsets")
            .replace("<fill in: key.converter of the Connect worker>", "org.apache.kafka.connect.json.JsonConverter")
            .replace("<fill in: value.converter of the Connect worker>", "org.apache.kafka.connect.json.JsonConverter");
        std::fs::write(&path, filled).unwrap();
        assert_eq!(load().unwrap().1, []);
    }

    /// Who may write a connector's configuration does not write the worker's.
    #[test]
    fn a_line_break_in_a_connector_adds_no_property_to_the_worker() {
        for hostile in ["a:1\nplugin.path=/evil\n#", "a:1\r\nplugin.path=/evil", "a:1\rplugin.path=/evil"] {
            let text = to_fill_in(&cluster(hostile));
            let lines: Vec<&str> = text.split(['\n', '\r']).filter(|line| !line.starts_with('#')).collect();
            let names: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once('=')?.0)).collect();
            assert_eq!(names, TO_FILL_IN, "{text}");
        }
    }

    #[test]
    fn a_stand_in_takes_the_brokers_of_a_history() {
        let check = |servers: &str, expected: &str| {
            let (worker, _) = stand_in(&cluster(servers), Environment::default()).unwrap();
            assert_eq!(worker.bootstrap_servers.join(","), expected);
        };
        check("a:1,b:2", "a:1,b:2");
        check("${file:/x:y}", "localhost:9092");
        check("no address", "localhost:9092");
    }

    #[test]
    fn a_port_in_use_is_passed_by() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let worker = |port: u16| {
            let listeners = ("listeners".to_owned(), format!("http://127.0.0.1:{port}"));
            WorkerConfig::from_map(&BTreeMap::from([listeners]), Environment::default()).unwrap().0
        };
        let found = free_listener(&worker(port));
        assert!(found.as_ref().is_none_or(|found| !found.ends_with(&format!(":{port}"))), "{found:?}");
        drop(taken);
        assert_eq!(free_listener(&worker(0)), None);
    }
}
