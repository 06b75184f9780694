//! The files that a move leaves behind.
//!
//! In: connectors as Connect gave them, the worker's file. Out: `NAME.json` for each, in Connect's `{"name", "config"}`
//! form, and `worker.properties`. Promised: what is there is not overwritten unasked, and then nothing at all is written; files are
//! readable by their owner only, because Connect gives passwords in clear; no name leads out of the folder. A file is
//! whole or not there, whenever the process is killed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::cluster::Connector;
use super::error::MigrateError;
use crate::util::percent::encode_segment;

/// The file of the worker.
pub(super) const WORKER_FILE: &str = "worker.properties";

/// Readable by the owner only.
const MODE: u32 = 0o600;

/// One file that is to be written.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Planned {
    pub path: PathBuf,
    pub content: Vec<u8>,
}

/// The file of a connector: what a path does not allow is escaped, so that `../x` stays in the folder.
pub(super) fn of_connector(folder: &Path, connector: &Connector) -> Planned {
    let value = json!({ "name": connector.name, "config": Value::Object(without_nothing(&connector.config)) });
    // A value of serde_json can always be written.
    let mut content = serde_json::to_vec_pretty(&value).unwrap_or_default();
    content.push(b'\n');
    Planned { path: folder.join(format!("{}.json", encode_segment(&connector.name))), content }
}

/// The properties without those that are null, which Connect takes as not set.
pub(super) fn without_nothing(config: &Map<String, Value>) -> Map<String, Value> {
    config.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Writes all of them, or none when one exists and may not be replaced.
pub(super) fn write(folder: &Path, planned: &[Planned], force: bool) -> Result<(), MigrateError> {
    let failed = |path: &Path, error: &io::Error| MigrateError::FileWrite {
        path: path.to_owned(),
        reason: error.kind().to_string(),
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    if !force && let Some(file) = planned.iter().find(|file| fs::symlink_metadata(&file.path).is_ok()) {
        return Err(MigrateError::FileExists { path: file.path.clone() });
    }
    for file in planned {
        let mut name = file.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = file.path.with_file_name(name);
        let written = write_new(&part, &file.content).and_then(|()| fs::rename(&part, &file.path));
        if let Err(error) = written {
            let _ = fs::remove_file(&part);
            return Err(failed(&file.path, &error));
        }
    }
    Ok(())
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn connector(name: &str) -> Connector {
        let config = json!({"connector.class": "a.B", "z": "1", "a": null, "database.password": "hunter2"});
        Connector {
            name: name.to_owned(),
            config: config.as_object().cloned().unwrap_or_default(),
            state: "RUNNING".to_owned(),
            tasks: Vec::new(),
            version: None,
        }
    }

    #[test]
    fn names_stay_in_the_folder() {
        let check = |name: &str, expected: &str| {
            assert_eq!(of_connector(Path::new("/x"), &connector(name)).path, Path::new("/x").join(expected));
        };
        check("orders", "orders.json");
        check("../orders", "..%2Forders.json");
        check("a b", "a%20b.json");
        check("/etc/passwd", "%2Fetc%2Fpasswd.json");
        check(".", "..json");
    }

    #[test]
    fn a_configuration_is_written_as_connect_gave_it() {
        let text = String::from_utf8(of_connector(Path::new("."), &connector("n")).content).unwrap();
        assert_eq!(
            text,
            "{\n  \"name\": \"n\",\n  \"config\": {\n    \"connector.class\": \"a.B\",\n    \"z\": \"1\",\n    \"database.password\": \"hunter2\"\n  }\n}\n"
        );
    }

    #[test]
    fn nothing_is_overwritten_unasked_and_nobody_else_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new");
        let files: Vec<Planned> = ["a", "b"].iter().map(|name| of_connector(&folder, &connector(name))).collect();
        write(&folder, &files[1..], false).unwrap();
        let refused = write(&folder, &files, false);
        assert_eq!(refused, Err(MigrateError::FileExists { path: folder.join("b.json") }));
        assert!(!folder.join("a.json").exists(), "half was written");
        fs::write(folder.join("b.json"), "old").unwrap();
        write(&folder, &files, true).unwrap();
        for file in &files {
            assert_eq!(fs::read(&file.path).unwrap(), file.content);
            assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, MODE);
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "something is left over");
        let beneath_a_file = folder.join("a.json").join("x");
        let failed = write(&beneath_a_file, &[of_connector(&beneath_a_file, &connector("c"))], false);
        assert!(matches!(failed, Err(MigrateError::FileWrite { .. })), "{failed:?}");
    }
}
