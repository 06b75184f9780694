//! Offsets in the file of Connect's standalone worker (`offset.storage.file.filename`).
//!
//! In: what Connect, or this program, left there. Out: the same file, whole after a crash at any moment, for
//! either to go on with. Entries of other connectors stay as they are.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::serialized_map::{self, Pairs};
use super::{OffsetKey, OffsetStore, PartitionOffset};
use crate::model::position::{OffsetMap, StoredOffset};
use crate::store::{StoreError, file, json};

/// An offset file holds a few hundred bytes a connector; a longer one is something else.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Whose turn it is, for each file. All stores of a file in this process take turns, whoever makes them: a store
/// writes the whole file, and would write back an old offset of its neighbour.
static TURNS: LazyLock<Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>> = LazyLock::new(Mutex::default);

/// Offsets in a file. Several in one process may share it.
#[derive(Clone, Debug)]
pub struct FileOffsetStore {
    path: PathBuf,
    turn: Arc<Mutex<()>>,
}

impl FileOffsetStore {
    /// Offsets in this file, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().clone();
        FileOffsetStore { path, turn }
    }

    fn load(&self) -> Result<Pairs, StoreError> {
        // Connect takes a file that was cut off for a new one, and begins from the start; only an empty file is new.
        let bytes = file::read(&self.path, MAX_FILE_BYTES)?.unwrap_or_default();
        if bytes.is_empty() {
            return Ok(Pairs::new());
        }
        serialized_map::read(&bytes).map_err(|broken| StoreError::OffsetFile {
            path: self.path.display().to_string(),
            problem: broken.problem,
            at: broken.at,
        })
    }
}

fn is_of(key: &OffsetKey, stored: &Option<Vec<u8>>) -> bool {
    stored.as_deref().is_some_and(|bytes| key.matches(bytes))
}

impl OffsetStore for FileOffsetStore {
    fn read(&mut self, key: &OffsetKey) -> Result<Option<StoredOffset>, StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = self.load()?;
        let exact = key.bytes();
        // The exact key first: Connect would find no other.
        let found = pairs.iter().find(|(stored, _)| stored.as_deref() == Some(&exact));
        match found.or_else(|| pairs.iter().find(|(stored, _)| is_of(key, stored))) {
            Some((_, Some(value))) => key.offset(value, &|| self.path.display().to_string()),
            Some((_, None)) | None => Ok(None),
        }
    }

    fn write(&mut self, key: &OffsetKey, offset: &OffsetMap) -> Result<(), StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pairs = self.load()?;
        pairs.retain(|(stored, _)| !is_of(key, stored));
        pairs.push((Some(key.bytes()), Some(json::write(&json::from_offset(offset)))));
        file::create_if_missing(&self.path)?;
        file::replace(&self.path, &serialized_map::write(&pairs))
    }

    fn remove(&mut self, key: &OffsetKey) -> Result<(), StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pairs = self.load()?;
        let before = pairs.len();
        pairs.retain(|(stored, _)| !is_of(key, stored));
        if pairs.len() == before { Ok(()) } else { file::replace(&self.path, &serialized_map::write(&pairs)) }
    }

    fn of_connector(&mut self, connector: &str) -> Result<Vec<PartitionOffset>, StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = self.load()?;
        let of =
            |(key, value): &(Option<Vec<u8>>, Option<Vec<u8>>)| super::of(connector, key.as_deref()?, value.as_deref());
        Ok(pairs.iter().filter_map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::model::position::OffsetField;

    fn key(connector: &str) -> OffsetKey {
        OffsetKey { connector: connector.into(), server: "s".into() }
    }

    fn offset(position: i64) -> OffsetMap {
        vec![("file".into(), OffsetField::Text("b.1".into())), ("pos".into(), OffsetField::Integer(position))]
    }

    #[test]
    fn offsets_survive_and_connectors_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/connect.offsets");
        let mut store = FileOffsetStore::new(&path);
        assert_eq!(store.read(&key("a")).unwrap(), None);
        for position in 0..3 {
            store.write(&key("a"), &offset(position)).unwrap();
            store.write(&key("b"), &offset(position + 10)).unwrap();
        }
        let mut again = FileOffsetStore::new(&path);
        assert_eq!(again.read(&key("a")).unwrap(), Some(StoredOffset(offset(2))));
        assert_eq!(again.read(&key("b")).unwrap(), Some(StoredOffset(offset(12))));
        assert_eq!(again.read(&key("c")).unwrap(), None);
    }

    #[test]
    fn connectors_that_write_at_once_lose_nothing_of_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connect.offsets");
        std::thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let mut store = FileOffsetStore::new(&path);
                scope.spawn(move || {
                    for position in 0..10 {
                        store.write(&key(name), &offset(position)).unwrap();
                    }
                });
            }
        });
        let mut store = FileOffsetStore::new(&path);
        for name in ["a", "b", "c", "d"] {
            assert_eq!(store.read(&key(name)).unwrap(), Some(StoredOffset(offset(9))), "{name}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_not_a_new_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connect.offsets");
        let mut store = FileOffsetStore::new(&path);
        store.write(&key("a"), &offset(1)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(matches!(store.read(&key("a")), Err(StoreError::OffsetFile { .. })));
        assert!(matches!(store.write(&key("a"), &offset(2)), Err(StoreError::OffsetFile { .. })));
        std::fs::write(&path, b"").unwrap();
        assert_eq!(store.read(&key("a")).unwrap(), None);
    }
}
