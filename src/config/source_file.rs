//! Connector files, in every form that people keep them.
//!
//! In: a path. Out: the connector's name and its properties, all of them text. Promised: the three formats
//! give the same map for the same connector; what is wrong is reported with file, line and column, and no
//! part of a value is repeated in a message. Nothing is resolved or checked here.
//!
//! ```text
//!  {"name": N, "config": {…}}   {"name": N, …}   name=N …   name: N …
//!            └──────────────┬──────────┴────────────┴─────────┘
//!                     ConnectorFile { name, config }
//! ```

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, Warning, WarningKind};
use super::json_file::{self, Document, Fault};
use super::secret::Shown;
use super::{properties, yaml_file};

/// Largest file read, in bytes: a connector with ten thousand tables by name stays below a tenth of it.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Most properties in one file; real ones have some dozens.
pub(super) const MOST_PROPERTIES: usize = 100_000;

/// One connector as a file gives it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectorFile {
    /// Where it came from.
    pub path: PathBuf,
    /// The connector's name.
    pub name: String,
    /// Its properties, `name` among them, as Connect hands them to a connector.
    pub config: BTreeMap<String, String>,
    /// What is worth saying about the file itself.
    pub warnings: Vec<Warning>,
}

impl std::fmt::Debug for ConnectorFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let config = super::secret::ClientProperties::new(self.config.clone());
        f.debug_struct("ConnectorFile").field("path", &self.path).field("config", &config).finish()
    }
}

/// The format of a connector file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json,
    /// Java's properties.
    Properties,
    /// A YAML map.
    Yaml,
}

impl Format {
    /// By the ending; a file with another ending is JSON when it starts with `{`, and properties otherwise.
    fn of(path: &Path, text: &str) -> Format {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
        match ending.as_str() {
            "json" => Format::Json,
            "yaml" | "yml" => Format::Yaml,
            "properties" => Format::Properties,
            _ if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') => Format::Json,
            _ => Format::Properties,
        }
    }
}

/// Reads one connector file.
pub fn read_connector(path: &Path) -> Result<ConnectorFile, ConfigError> {
    let bytes = read(path)?;
    parse_connector(path, &bytes)
}

/// Reads one connector from bytes; `path` decides the format and stands in messages.
pub fn parse_connector(path: &Path, bytes: &[u8]) -> Result<ConnectorFile, ConfigError> {
    let text = properties::decode(bytes);
    let mut warnings = Vec::new();
    let document = match Format::of(path, &text) {
        Format::Json => json_file::parse(&text).map_err(|fault| placed(path, fault))?,
        Format::Yaml => yaml_file::parse(&text).map_err(|fault| placed(path, fault))?,
        Format::Properties => Document { pairs: parse_properties(path, bytes, &mut warnings)?, config: None },
    };
    connector(path, document, warnings)
}

/// Reads a worker's properties file.
pub fn read_worker(path: &Path) -> Result<(BTreeMap<String, String>, Vec<Warning>), ConfigError> {
    let mut warnings = Vec::new();
    let pairs = parse_properties(path, &read(path)?, &mut warnings)?;
    Ok((pairs.into_iter().collect(), warnings))
}

/// The name and the map, from either form.
fn connector(path: &Path, document: Document, mut warnings: Vec<Warning>) -> Result<ConnectorFile, ConfigError> {
    let mut outer: BTreeMap<String, String> = document.pairs.into_iter().collect();
    let outer_name = outer.get("name").cloned();
    let mut config = match document.config {
        None => std::mem::take(&mut outer),
        Some(config) => {
            for key in outer.keys().filter(|key| !matches!(key.as_str(), "name" | "initial_state")) {
                let text = "stands beside 'config' and not in it, and is ignored, as Connect does";
                warnings.push(Warning::new(WarningKind::Unknown, key, text));
            }
            config.into_iter().collect()
        }
    };
    let inner_name = config.get("name").cloned();
    if let (Some(outer), Some(inner)) = (&outer_name, &inner_name)
        && outer != inner
    {
        return Err(ConfigError::Invalid {
            property: "name".to_owned(),
            value: Shown::plain(inner),
            expected: format!("the name beside 'config', which is '{outer}'"),
        });
    }
    let name = inner_name.or(outer_name).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let Some(name) = name else {
        return Err(ConfigError::NameMissing { path: path.to_owned() });
    };
    config.insert("name".to_owned(), name.clone());
    Ok(ConnectorFile { path: path.to_owned(), name, config, warnings })
}

/// A doubled key is legal in Java's format, where the last one counts; it is said.
fn parse_properties(
    path: &Path,
    bytes: &[u8],
    warnings: &mut Vec<Warning>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let entries = properties::parse(bytes).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        line: error.line,
        column: error.column,
        reason: error.reason.to_owned(),
    })?;
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &entries {
        if let Some(before) = lines.insert(&entry.key, entry.line) {
            let text = format!("stands twice in {}: line {} overrides line {before}", path.display(), entry.line);
            warnings.push(Warning::new(WarningKind::Duplicate, &entry.key, text));
        }
    }
    Ok(entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
}

fn placed(path: &Path, fault: Fault) -> ConfigError {
    let Fault { line, column, reason, twice } = fault;
    let path = path.to_owned();
    match twice {
        Some(key) => ConfigError::DuplicateKey { path, line, column, key },
        None => ConfigError::Syntax { path, line, column, reason },
    }
}

/// The bytes of a file of sane size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let unreadable = |reason: String| ConfigError::Unreadable { path: path.to_owned(), reason };
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(unreadable(format!("it is larger than {LARGEST_FILE} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn parse(path: &str, text: &str) -> Result<ConnectorFile, ConfigError> {
        parse_connector(Path::new(path), text.as_bytes())
    }

    /// The file names this connector with these properties besides the name.
    fn check(path: &str, text: &str, name: &str, expected: &[(&str, &str)]) {
        let file = parse(path, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.name, name, "{text}");
        let mut config = file.config;
        assert_eq!(config.remove("name").as_deref(), Some(name));
        let expected: BTreeMap<String, String> =
            expected.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        assert_eq!(config, expected, "{text}");
    }

    #[test]
    fn every_form_gives_the_same_map() {
        let expected = [("tasks.max", "1"), ("tombstones.on.delete", "false"), ("topic.prefix", "shop")];
        let body = r#""tasks.max": 1, "tombstones.on.delete": false, "topic.prefix": "shop""#;
        check("a.json", &format!(r#"{{"name": "orders", "config": {{{body}}}}}"#), "orders", &expected);
        check("a.json", &format!(r#"{{"name": "orders", {body}}}"#), "orders", &expected);
        check("a.json", &format!(r#"{{"config": {{"name": "orders", {body}}}}}"#), "orders", &expected);
        check("a", &format!("\u{feff} {{\"name\": \"orders\", {body}}}"), "orders", &expected);
        let lines = "tasks.max: 1\ntombstones.on.delete: false\ntopic.prefix: shop\n";
        check("a.yaml", &format!("name: orders\n{lines}"), "orders", &expected);
        let nested = lines.replace('\n', "\n  ");
        check("a.yml", &format!("name: orders\nconfig:\n  {nested}"), "orders", &expected);
        check("a.properties", &format!("name=orders\n{lines}"), "orders", &expected);
    }

    #[test]
    fn values_stay_as_written() {
        let expected = [("a", "1.50"), ("b", "1e3"), ("c", "null "), ("d", "é\n"), ("e", "00012345678901234567890")];
        check(
            "a.json",
            r#"{"name":"n","a":1.50,"b":1e3,"c":"null ","d":"\u00e9\n","e":"00012345678901234567890","f":null}"#,
            "n",
            &expected,
        );
        check(
            "a.yaml",
            "name: n\na: 1.50\nb: 1e3\nc: 'null '\nd: \"é\\n\"\ne: 00012345678901234567890\nf:\n",
            "n",
            &expected,
        );
        check(
            "a.yaml",
            "name: n\na: yes\nb: 0x1F\nc: ${env:X}\n",
            "n",
            &[("a", "yes"), ("b", "0x1F"), ("c", "${env:X}")],
        );
    }

    #[test]
    fn faults_name_file_line_and_column() {
        let check = |path: &str, text: &str, expected: &str| {
            let error = parse(path, text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        check("a.json", "{\n  \"name\": \"n\",\n  \"a\": }", "a.json:3:8: ");
        check("a.json", "{\n \"name\": \"n\",\n \"config\": {\n  \"a\": [1]}}", "a.json:4:8: 'a' must be text");
        check("a.json", "{\n \"config\": {\n  \"a\": \"é\", \"a\": 2}}", "a.json:3:18: 'a' stands there twice");
        check("a.json", "{\"config\": {\n \"a\" 1}}", "a.json:2:6: ");
        check("a.json", "[]", "a.json:1:1: ");
        check("a.json", "{} x", "a.json:1:4: ");
        check("a.json", "", "a.json:1:1: ");
        check("a.yaml", "name: n\na: 1\na: 2\n", "a.yaml:3:1: ");
        check("a.yaml", "name: n\na: [1]\n", "a.yaml:2:");
        check("a.yaml", "- a\n", "a.yaml:1:");
        check("a.yaml", "name: 'n\n", "a.yaml:2:");
        check("a.properties", "name=n\na=\\uXY\n", "a.properties:2:3: ");
        check("a.json", "{}", "a.json: the connector has no 'name'");
        check("a.json", r#"{"name":"a","config":{"name":"b"}}"#, "name: 'b' is not the name beside 'config'");
        check("/nowhere/at/all.json", "", "/nowhere/at/all.json:1:1");
        let missing = read_connector(Path::new("/nowhere/at/all.json")).unwrap_err();
        assert!(missing.to_string().starts_with("/nowhere/at/all.json: "), "{missing}");
    }

    #[test]
    fn doubled_lines_of_properties_are_said_without_their_values() {
        let file = parse("a.properties", "name=n\npw=hunter1\npw=hunter2\n").unwrap();
        assert_eq!(file.config.get("pw").map(String::as_str), Some("hunter2"));
        let said = format!("{:?}", file.warnings);
        assert!(said.contains("line 3 overrides line 2") && !said.contains("hunter"), "{said}");
    }

    #[test]
    fn messages_do_not_repeat_values() {
        for text in [
            "{\"name\":\"n\",\"database.password\":\"hunter2}",
            "name: n\ndatabase.password: \"hunter2\nx: [\n",
            "name: n\ndatabase.password: [hunter2]\n",
            "name: n\nconfig: hunter2\n",
            "name: n\ndatabase.password: !!binary hunter2\n",
            "name: n\n? [hunter2]\n: 1\n",
        ] {
            let path = if text.starts_with('{') { "a.json" } else { "a.yaml" };
            let said = parse(path, text).unwrap_err().to_string();
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    proptest! {
        /// Any text in any format is read or refused, and never panics.
        #[test]
        fn any_text(text in "[{}\\[\\]\":,a1é\\\\\n &*#|>!%'-]{0,40}") {
            for path in ["a.json", "a.yaml", "a.properties", "a"] {
                let _ = parse(path, &text);
            }
        }
    }
}
