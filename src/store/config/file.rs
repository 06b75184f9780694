//! Configurations in a file of our own, beside the offsets of a standalone worker.
//!
//! Connect's standalone worker forgets what was registered by REST. In: what this program left there. Out: the same.
//! Promised: the file is whole after a crash at any moment and readable by its owner only, because passwords stand in it;
//! one that cannot be read is an error and never a new beginning.
//!
//! ```json
//! {"orders": {"config": {"connector.class": "…"}, "target_state": "PAUSED"}}
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Change, ConfigStore, Properties, Stored, StoredConnector, TargetState};
use crate::store::{StoreError, file};

/// Connectors' configurations are kilobytes; a longer file is something else.
const MAX_FILE_BYTES: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    config: Properties,
    target_state: String,
}

/// Configurations in a file.
pub struct FileConfigStore {
    path: PathBuf,
}

impl FileConfigStore {
    /// Configurations in this file, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        FileConfigStore { path: path.into() }
    }

    fn broken(&self, problem: String) -> StoreError {
        let place = self.path.display().to_string();
        StoreError::StoredConnector { key: "every connector".to_owned(), place, problem }
    }

    fn load(&self) -> Result<BTreeMap<String, Entry>, StoreError> {
        let bytes = file::read(&self.path, MAX_FILE_BYTES)?.unwrap_or_default();
        if bytes.is_empty() {
            return Ok(BTreeMap::new());
        }
        // The parser's words would hold a part of the text.
        let place = |error: serde_json::Error| format!("line {} column {}", error.line(), error.column());
        serde_json::from_slice(&bytes)
            .map_err(|error| self.broken(format!("it is not what this program writes: {}", place(error))))
    }
}

impl ConfigStore for FileConfigStore {
    fn read(&mut self) -> Result<Stored, StoreError> {
        let mut stored = Stored::default();
        for (name, entry) in self.load()? {
            let target = TargetState::parse(&entry.target_state)
                .ok_or_else(|| self.broken(format!("{} has no target state that is known", name.escape_debug())))?;
            drop(stored.connectors.insert(name, StoredConnector { properties: entry.config, target }));
        }
        Ok(stored)
    }

    fn write(&mut self, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let mut entries = self.load()?;
        for change in changes {
            match change {
                Change::Connector(name, properties, target) => {
                    let known = entries.get(*name).map(|entry| entry.target_state.clone());
                    let target_state = target.map(|target| target.name().to_owned()).or(known);
                    let target_state = target_state.unwrap_or_else(|| TargetState::Started.name().to_owned());
                    entries.insert((*name).to_owned(), Entry { config: (*properties).clone(), target_state });
                }
                Change::Target(name, target) => {
                    if let Some(entry) = entries.get_mut(*name) {
                        target.name().clone_into(&mut entry.target_state);
                    }
                }
                // Only a Kafka Connect cluster reads them, and it does not read this file.
                Change::Tasks(..) => {}
                Change::Removed(name) => drop(entries.remove(*name)),
            }
        }
        let text = serde_json::to_vec_pretty(&entries).map_err(|error| self.broken(error.to_string()))?;
        file::replace_private(&self.path, &text)
    }

    fn place(&self) -> String {
        format!("file {}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_wanted_survives_and_only_the_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connect.offsets.connectors.json");
        let properties = Properties::from([("database.password".to_owned(), "hunter2".to_owned())]);
        let mut store = FileConfigStore::new(&path);
        assert!(store.read().unwrap().connectors.is_empty());
        store.write(&[Change::Connector("a", &properties, Some(TargetState::Stopped))]).unwrap();
        store.write(&[Change::Connector("b", &properties, None), Change::Tasks("b", &[])]).unwrap();
        store.write(&[Change::Connector("a", &properties, None), Change::Target("b", TargetState::Paused)]).unwrap();
        let stored = FileConfigStore::new(&path).read().unwrap().connectors;
        let targets: Vec<(&str, TargetState)> = stored.iter().map(|(name, c)| (name.as_str(), c.target)).collect();
        assert_eq!(targets, [("a", TargetState::Stopped), ("b", TargetState::Paused)]);
        assert_eq!(stored["a"].properties, properties);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        store.write(&[Change::Removed("a")]).unwrap();
        assert_eq!(store.read().unwrap().connectors.len(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_new_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connectors.json");
        let mut store = FileConfigStore::new(&path);
        for text in ["{", "[]", r#"{"a":{}}"#, r#"{"a":{"config":{"password":1},"target_state":"STARTED"}}"#] {
            std::fs::write(&path, text).unwrap();
            let error = store.read().err().unwrap().to_string();
            assert!(!error.contains("password"), "{error}");
            assert!(store.write(&[Change::Removed("a")]).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
