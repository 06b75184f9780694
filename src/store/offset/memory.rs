//! Offsets that die with the process (`MemoryOffsetBackingStore`): for tests and trials.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{OffsetKey, OffsetStore, PartitionOffset};
use crate::model::position::{OffsetMap, StoredOffset};
use crate::store::StoreError;

/// Offsets in memory. Clones share them, so that a restarted pipeline in the same process goes on.
#[derive(Clone, Debug, Default)]
pub struct MemoryOffsetStore {
    offsets: Arc<Mutex<HashMap<OffsetKey, OffsetMap>>>,
}

impl OffsetStore for MemoryOffsetStore {
    fn read(&mut self, key: &OffsetKey) -> Result<Option<StoredOffset>, StoreError> {
        let offsets = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(offsets.get(key).cloned().map(StoredOffset))
    }

    fn write(&mut self, key: &OffsetKey, offset: &OffsetMap) -> Result<(), StoreError> {
        let mut offsets = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        offsets.insert(key.clone(), offset.clone());
        Ok(())
    }

    fn remove(&mut self, key: &OffsetKey) -> Result<(), StoreError> {
        self.offsets.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        Ok(())
    }

    fn of_connector(&mut self, connector: &str) -> Result<Vec<PartitionOffset>, StoreError> {
        let offsets = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        let own = offsets.iter().filter(|(key, _)| key.connector == connector);
        let shown = |(key, offset): (&OffsetKey, &OffsetMap)| PartitionOffset {
            partition: serde_json::json!({ "server": key.server }),
            offset: super::to_json(offset),
        };
        Ok(own.map(shown).collect())
    }
}
