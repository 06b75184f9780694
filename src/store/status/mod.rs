//! What was last said of connectors: their states, and the topics that they write to, in Kafka Connect's own records.
//!
//! In: statuses under their keys. Out: the same after a restart, in another worker, or in a Kafka Connect cluster. Promised:
//! what a `write` has accepted is durable when it returns. Nobody depends on it: what a connector does is never asked of
//! here, and what cannot be read of it is as good as not said.

pub mod kafka;
mod record;

pub use record::{Key, Status, active_topic};

/// What is said, under its key: a value in Connect's form.
pub type Statuses = std::collections::BTreeMap<Key, Vec<u8>>;
