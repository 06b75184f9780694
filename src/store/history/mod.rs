//! Schema history: every statement that shaped tables, in Debezium's own records.
//!
//! In: one [`HistoryRecord`] for each statement, before any position behind it is stored. Out: all of them, in
//! order, after a restart. Promised: durable when `append` returns; a record that cannot be read is an error
//! with its place, never left out.

pub mod file;
pub mod kafka;
pub mod memory;
mod record;
mod table;

pub use record::HistoryRecord;

use super::StoreError;

/// Keeps schema history.
pub trait SchemaHistoryStore: Send {
    /// Makes the topic or file if it is missing, and looks whether it keeps what is written to it.
    fn prepare(&mut self) -> Result<(), StoreError>;
    /// Whether there is any record.
    fn exists(&mut self) -> Result<bool, StoreError>;
    /// Gives every record to `each`, in the order in which they were written, and returns how many. An error
    /// of `each` (the text says what is wrong with the record) ends the reading and is reported with the
    /// record's place.
    fn read(&mut self, each: &mut dyn FnMut(HistoryRecord) -> Result<(), String>) -> Result<u64, StoreError>;
    /// Writes records in their order; all are durable when this returns. After an error some may be written: a
    /// history in which a change stands twice means the same.
    fn append_all(&mut self, records: &[HistoryRecord]) -> Result<(), StoreError>;
    /// Writes a record; durable when this returns.
    fn append(&mut self, record: &HistoryRecord) -> Result<(), StoreError> {
        self.append_all(std::slice::from_ref(record))
    }
}
