//! What a Kafka Connect cluster says of itself and its connectors.
//!
//! In: answers of its REST API. Out: a [`Cluster`] with every connector that it lists. Promised: half an answer is an
//! error and never an empty list; configurations are kept in the order and the form in which Connect gave them.
//! Source: Kafka's manual, "Connect REST API"; KIP-465 (expand), KIP-769 (plugins), KIP-875 (offsets, stop).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::MigrateError;
use super::http::Client;
use crate::util::percent::encode_segment;

/// Most connectors of one cluster; the largest that are known have some thousands.
const MOST_CONNECTORS: usize = 100_000;

/// A cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    /// Connect's version.
    pub version: String,
    /// The Kafka cluster that it stores its state in.
    pub kafka_cluster_id: String,
    /// The connectors, by name.
    pub connectors: Vec<Connector>,
}

/// One connector.
pub(super) struct Connector {
    pub name: String,
    /// As Connect gave it: variables unresolved, secrets in clear.
    pub config: Map<String, Value>,
    /// The connector's own state: RUNNING, PAUSED, STOPPED, FAILED …
    pub state: String,
    /// Those of its tasks.
    pub tasks: Vec<String>,
    /// The version of its class, where the cluster tells.
    pub version: Option<String>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("name", &self.name).field("state", &self.state).finish_non_exhaustive()
    }
}

/// What a cluster says of a connector's position.
#[derive(Debug, PartialEq)]
pub(super) enum Offsets {
    /// Connect before 3.5 has no such call, and no `stop` either.
    NotTold,
    /// Partition and offset of each.
    Stored(Vec<(Value, Value)>),
}

impl Connector {
    /// The class, as written.
    pub(super) fn class(&self) -> &str {
        self.config.get("connector.class").and_then(Value::as_str).unwrap_or_default().trim()
    }
}

/// Reads a cluster.
pub(super) fn read(client: &Client) -> Result<Cluster, MigrateError> {
    let (version, kafka_cluster_id) = identity(client)?;
    let plugins = plugins(client)?;
    let mut connectors = Vec::new();
    for (name, entry) in listed(client)? {
        connectors.push(connector(client, name, entry, &plugins)?);
    }
    connectors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Cluster { version, kafka_cluster_id, connectors })
}

fn answer(client: &Client, path: &str, problem: impl Into<String>) -> MigrateError {
    MigrateError::Answer { url: format!("{}{path}", client.base()), problem: problem.into() }
}

/// Connect's version and its Kafka cluster.
fn identity(client: &Client) -> Result<(String, String), MigrateError> {
    let not_connect = |why: &str| MigrateError::NotConnect { url: format!("{}/", client.base()), why: why.to_owned() };
    let root = client.get("/")?.ok_or_else(|| not_connect("it has nothing at /"))?;
    let text = |field: &str| root.get(field).and_then(Value::as_str).map(str::to_owned);
    match (text("version"), text("kafka_cluster_id"), root.get("kafka_cluster_id")) {
        (Some(version), Some(cluster), _) => Ok((version, cluster)),
        (Some(_), None, Some(Value::Null)) => {
            Err(not_connect("it answers as a worker of Headwater does, which names no Kafka cluster"))
        }
        _ => Err(not_connect("its answer names neither a version nor a Kafka cluster")),
    }
}

/// The version of each class; of several versions the last, which Connect takes too.
fn plugins(client: &Client) -> Result<BTreeMap<String, String>, MigrateError> {
    const PATH: &str = "/connector-plugins";
    // Clusters hide the list for safety; then versions are not known.
    let Some(listed) = client.get(PATH)? else { return Ok(BTreeMap::new()) };
    let Value::Array(listed) = listed else { return Err(answer(client, PATH, "it is no list")) };
    let pair = |plugin: &Value| {
        let text = |field: &str| plugin.get(field).and_then(Value::as_str).map(str::to_owned);
        Some((text("class")?, text("version")?))
    };
    Ok(listed.iter().filter_map(pair).collect())
}

/// Names, each with what the list itself says of it.
fn listed(client: &Client) -> Result<Vec<(String, Value)>, MigrateError> {
    const EXPANDED: &str = "/connectors?expand=info&expand=status";
    const NAMES: &str = "/connectors";
    let missing = |path| answer(client, path, "there is no list of connectors");
    let names = client.get(NAMES)?.ok_or_else(|| missing(NAMES))?;
    let Value::Array(names) = names else { return Err(answer(client, NAMES, "it is no list")) };
    if names.len() > MOST_CONNECTORS {
        return Err(answer(client, NAMES, format!("it lists more than {MOST_CONNECTORS} connectors")));
    }
    // Connect before 2.3 answers with names alone, and leaves out of the expanded list what it cannot read at the moment.
    let mut expanded = match client.get(EXPANDED)?.ok_or_else(|| missing(EXPANDED))? {
        Value::Object(expanded) => expanded,
        Value::Array(_) => Map::new(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(answer(client, EXPANDED, "it is neither an object nor a list"));
        }
    };
    let mut all = Vec::new();
    for name in names {
        let Value::String(name) = name else { return Err(answer(client, NAMES, "a name is no text")) };
        let entry = expanded.remove(&name).unwrap_or(Value::Null);
        all.push((name, entry));
    }
    all.extend(expanded);
    Ok(all)
}

fn connector(
    client: &Client,
    name: String,
    mut entry: Value,
    plugins: &BTreeMap<String, String>,
) -> Result<Connector, MigrateError> {
    let path = format!("/connectors/{}", encode_segment(&name));
    let gone = |path: &str| answer(client, path, "the connector is not there (any more)");
    let mut config = entry.pointer_mut("/info/config").map(Value::take).unwrap_or_default();
    if config.is_null() {
        let path = format!("{path}/config");
        config = client.get(&path)?.ok_or_else(|| gone(&path))?;
    }
    let Value::Object(config) = config else { return Err(answer(client, &path, "its config is no object")) };
    let mut status = entry.get_mut("status").map(Value::take).unwrap_or_default();
    if status.is_null() {
        // A connector made a moment ago has no status yet.
        status = client.get(&format!("{path}/status"))?.unwrap_or_default();
    }
    let state = |value: Option<&Value>| {
        value.and_then(|value| value.get("state")).and_then(Value::as_str).unwrap_or("UNASSIGNED").to_owned()
    };
    let tasks = status.get("tasks").and_then(Value::as_array);
    let class = config.get("connector.class").and_then(Value::as_str).unwrap_or_default().trim();
    Ok(Connector {
        state: state(status.get("connector")),
        tasks: tasks.into_iter().flatten().map(|task| state(Some(task))).collect(),
        version: plugins.get(class).cloned(),
        name,
        config,
    })
}

/// Where a connector stands, as the cluster has it.
pub(super) fn offsets(client: &Client, name: &str) -> Result<Offsets, MigrateError> {
    let path = format!("/connectors/{}/offsets", encode_segment(name));
    let Some(found) = client.get(&path)? else { return Ok(Offsets::NotTold) };
    let listed = found.get("offsets").and_then(Value::as_array);
    let Some(listed) = listed else { return Err(answer(client, &path, "it has no list of offsets")) };
    let pair = |entry: &Value| match (entry.get("partition"), entry.get("offset")) {
        (Some(partition @ Value::Object(_)), Some(offset)) => Ok((partition.clone(), offset.clone())),
        _ => Err(answer(client, &path, "an offset has no partition")),
    };
    Ok(Offsets::Stored(listed.iter().map(pair).collect::<Result<_, _>>()?))
}
