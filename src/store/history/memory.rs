//! Schema history that dies with the process (Debezium's `MemorySchemaHistory`): for tests and trials.

use std::sync::{Arc, Mutex, PoisonError};

use super::{HistoryRecord, SchemaHistoryStore};
use crate::store::StoreError;

/// Records in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemorySchemaHistory {
    records: Arc<Mutex<Vec<HistoryRecord>>>,
}

impl SchemaHistoryStore for MemorySchemaHistory {
    fn prepare(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn exists(&mut self) -> Result<bool, StoreError> {
        Ok(!self.records.lock().unwrap_or_else(PoisonError::into_inner).is_empty())
    }

    fn read(&mut self, each: &mut dyn FnMut(HistoryRecord) -> Result<(), String>) -> Result<u64, StoreError> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (number, record) in (1u64..).zip(&records) {
            each(record.clone())
                .map_err(|problem| StoreError::History { place: format!("record {number}"), problem })?;
        }
        Ok(records.len() as u64)
    }

    fn append_all(&mut self, records: &[HistoryRecord]) -> Result<(), StoreError> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(records);
        Ok(())
    }
}
