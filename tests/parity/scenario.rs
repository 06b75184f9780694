//! A scenario: a folder with what is set up, what happens, and how the connector is configured.
//!
//! `setup.sql` makes the tables before the connectors start, `traffic.sql` is what they see. `connector.json` holds the
//! settings that the scenario is about; the harness adds the address, the names and `snapshot.mode=no_data` where they
//! are not given. `worker.properties` is optional; connectors with the same share a process of Headwater, so what Headwater
//! refuses to start has one of its own. `server` (optional) names another server of the stack than the usual
//! one, with options of its own: `mysql-9.7 --binlog-row-metadata=MINIMAL`. `same-as` (optional) names another folder that
//! the missing files are taken from, and may say what it shows instead: `../times-adaptive -- The same in Avro`. `known-differences` (optional) has lines `WORDS -- WHY`: a difference that contains the
//! words is known, for that reason; every other one is not. `? WORDS` need not be there each time.
//!
//! In every file `${DATABASE}`, `${PREFIX}`, `${HOST}`, `${PORT}`, `${USER}`, `${PASSWORD}`, `${SERVER_ID}`, `${KAFKA}` and
//! `${REGISTRY}` are replaced. In SQL a statement ends with `;` at the end of a line (`DELIMITER //` changes that, as in
//! the mysql client), and these comments are steps:
//!
//! * `-- wait: TABLE COUNT` waits until the table's topic has so many records;
//! * `-- wait: topic NAME COUNT` waits for a topic by its own name;
//! * `-- session NAME` continues in another session, which is opened when first named.
//!
//! Where the last step is no wait, a row is written to the table `finish` at the end, and waited for: a scenario that
//! captures a list of tables must capture `finish` too.
//!
//! PostgreSQL: each run has a database of its own, named `${DATABASE}`, and each side a slot and a publication with the name of its
//! prefix. A `TABLE` that is waited for is in the schema `public`, or named with its schema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One scenario, as it lies in its folder.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// `mysql/types-integer`.
    pub name: String,
    /// `mysql`, `mariadb` or `postgres`.
    pub source: String,
    /// The first comment of `traffic.sql`: what it shows.
    pub about: String,
    /// The server of the stack.
    pub server: String,
    /// Options of its own that the server needs.
    pub server_options: String,
    /// Words of differences that are known, and why they are.
    pub known: Vec<(String, String)>,
    /// Its folder.
    pub folder: PathBuf,
    setup: String,
    traffic: String,
    connector: String,
    worker: String,
}

/// One step of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A statement.
    Sql(String),
    /// Wait until a topic has so many records.
    Wait(String, i64),
    /// Continue in the session of this name.
    Session(String),
}

/// Every scenario below a folder, by name.
pub fn all(root: &Path) -> Vec<Scenario> {
    let mut found = Vec::new();
    collect(root, root, &mut found);
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Scenario>) {
    if folder.join("connector.json").exists() || folder.join("same-as").exists() {
        found.push(read(root, folder));
        return;
    }
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        }
    }
}

/// The folder that `same-as` names, and what it says that the scenario shows.
fn same_as(folder: &Path) -> Option<(PathBuf, Option<String>)> {
    let text = std::fs::read_to_string(folder.join("same-as")).ok()?;
    let (other, shows) = text.trim().split_once(" -- ").unwrap_or((text.trim(), ""));
    Some((folder.join(other), (!shows.is_empty()).then(|| shows.to_owned())))
}

/// What the nearest `same-as` says that it shows.
fn shows(folder: &Path) -> Option<String> {
    let (other, shows) = same_as(folder)?;
    if folder.join("traffic.sql").exists() { None } else { shows.or_else(|| self::shows(&other)) }
}

/// A scenario's own file, or that of the one it is like.
fn lookup(folder: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.join(name)).ok().or_else(|| lookup(&same_as(folder)?.0, name))
}

fn read(root: &Path, folder: &Path) -> Scenario {
    let file = |name: &str| lookup(folder, name);
    let name = folder.strip_prefix(root).unwrap().display().to_string();
    let name = if name.is_empty() { folder.file_name().unwrap().to_string_lossy().into_owned() } else { name };
    let connector = file("connector.json").unwrap_or_else(|| "{}".to_owned());
    let is_mariadb = connector.contains("mariadb.MariaDb") || folder.iter().any(|part| part == "mariadb");
    let is_postgres = connector.contains("postgresql.Postgres") || folder.iter().any(|part| part == "postgres");
    let (source, usual) = match (is_mariadb, is_postgres) {
        (true, _) => ("mariadb", "mariadb-11.8"),
        (_, true) => ("postgres", "postgres-17"),
        _ => ("mysql", "mysql-9.7"),
    };
    let server = std::fs::read_to_string(folder.join("server")).unwrap_or_else(|_| usual.to_owned());
    let (server, options) = server.trim().split_once(' ').unwrap_or((server.trim(), ""));
    let traffic = file("traffic.sql").unwrap_or_else(|| panic!("{name}: no traffic.sql"));
    let about =
        shows(folder).or_else(|| Some(traffic.lines().next()?.strip_prefix("-- ")?.to_owned())).unwrap_or_default();
    Scenario {
        source: source.to_owned(),
        about,
        server: server.to_owned(),
        server_options: options.to_owned(),
        known: known(&std::fs::read_to_string(folder.join("known-differences")).unwrap_or_default()),
        folder: folder.to_owned(),
        setup: file("setup.sql").unwrap_or_default(),
        connector,
        worker: file("worker.properties").unwrap_or_default(),
        traffic,
        name,
    }
}

fn known(text: &str) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let (words, why) = line.split_once("-- ").unwrap_or_else(|| panic!("no reason: {line}"));
        (words.trim().to_owned(), why.trim().to_owned())
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(pair).collect()
}

/// The values of the placeholders.
pub type Values = BTreeMap<&'static str, String>;

fn fill(text: &str, values: &Values) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

impl Scenario {
    /// The statements before the connectors start.
    pub fn setup(&self, values: &Values) -> Vec<Step> {
        steps(&fill(&self.setup, values))
    }

    /// What the connectors see.
    pub fn traffic(&self, values: &Values) -> Vec<Step> {
        steps(&fill(&self.traffic, values))
    }

    /// The settings that the scenario gives.
    pub fn connector(&self, values: &Values) -> BTreeMap<String, String> {
        let parsed: serde_json::Value = serde_json::from_str(&fill(&self.connector, values))
            .unwrap_or_else(|error| panic!("{}: connector.json: {error}", self.name));
        // What users have is Connect's {"name", "config"}, or the settings alone.
        let settings = if parsed["config"].is_object() { &parsed["config"] } else { &parsed };
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        settings.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// The worker's settings that the scenario gives.
    pub fn worker(&self, values: &Values) -> BTreeMap<String, String> {
        let lines = fill(&self.worker, values);
        let pairs = lines.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
    }

    /// Whether Headwater can play it by now.
    pub fn is_for_headwater(&self) -> bool {
        super::HEADWATER_READS_POSTGRES || self.source != "postgres"
    }

    /// Whether these connectors (their classes and versions) can play it: one that is about another generation of Debezium
    /// (`debezium.compat.version`) is compared with that one alone.
    pub fn is_of(&self, connectors: &[(String, String)]) -> bool {
        let settings: Value = serde_json::from_str(&self.connector).unwrap();
        let Some(generation) = settings["debezium.compat.version"].as_str() else { return true };
        let class = match self.source.as_str() {
            "postgres" => "Postgres",
            "mariadb" => "MariaDb",
            _ => "MySql",
        };
        connectors.iter().any(|(name, version)| name.contains(class) && version.starts_with(generation))
    }

    /// Where the golden file lies.
    pub fn golden(&self) -> PathBuf {
        self.folder.join("expected").join("landed.jsonl")
    }

    /// Whether it needs a server of its own.
    pub fn needs_own_server(&self) -> bool {
        !self.server_options.is_empty()
    }
}

/// The steps of a script.
pub fn steps(text: &str) -> Vec<Step> {
    let (mut steps, mut statement, mut delimiter) = (Vec::new(), String::new(), ";".to_owned());
    for line in text.lines() {
        if statement.is_empty() {
            if let Some(step) = directive(line) {
                steps.push(step);
                continue;
            }
            if let Some(new) = line.strip_prefix("DELIMITER ") {
                delimiter = new.trim().to_owned();
                continue;
            }
            if line.trim().is_empty() || line.starts_with("-- ") {
                continue;
            }
        }
        statement.push_str(line);
        if let Some(complete) = statement.trim_end().strip_suffix(&*delimiter) {
            steps.push(Step::Sql(complete.to_owned()));
            statement.clear();
        } else {
            statement.push('\n');
        }
    }
    assert!(statement.trim().is_empty(), "a statement without its end: {statement}");
    steps
}

fn directive(line: &str) -> Option<Step> {
    if let Some(name) = line.strip_prefix("-- session ") {
        return Some(Step::Session(name.trim().to_owned()));
    }
    let wait = line.strip_prefix("-- wait: ")?.trim();
    let (topic, count) = wait.rsplit_once(' ').unwrap_or_else(|| panic!("no count: {line}"));
    Some(Step::Wait(topic.to_owned(), count.parse().unwrap_or_else(|_| panic!("no count: {line}"))))
}
