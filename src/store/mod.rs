//! What survives a crash: positions, schema history, which connectors are wanted, and what was last said of them.
//!
//! In: an offset for a connector's partition, a record of schema history, a connector's configuration. Out: the same, after a restart, by
//! this program or by Debezium on Kafka Connect: formats and keys are theirs. Promised: what a `write` or an
//! `append` has accepted is durable when it returns; a store that holds what cannot be read says so and where,
//! and never begins afresh instead; every call has a deadline. The store does not know what a position means.

mod compacted;
pub mod config;
mod error;
mod file;
pub mod history;
pub mod incident;
mod json;
mod kafka;
pub mod offset;
pub mod status;

pub use compacted::CompactedTopic;
pub use error::{CODES, StoreError};
pub use kafka::KafkaStoreOptions;
