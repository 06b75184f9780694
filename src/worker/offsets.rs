//! A connector's offsets, for those who look at them and change them.
//!
//! In: a connector's name, and offsets as Connect's REST API shows them. Out: what is stored, or what was changed.
//! Promised: the same store and keys as the pipeline's own; nothing is changed while a pipeline of that name is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::change::Turn;
use super::{Connector, Properties, TargetState, Worker, WorkerError};
use crate::error::Failure;
use crate::model::position::OffsetMap;
use crate::pipeline::assembly;
pub use crate::store::offset::PartitionOffset;
use crate::store::offset::{self, OffsetKey, OffsetStore};
use crate::util::stop::Stop;

/// How long a connector that is ending is waited for.
const ENDING_WAIT: Duration = Duration::from_secs(20);

/// A change of offsets that was checked: what is stored for each partition, `None` to remove it.
type Alterations = Vec<(OffsetKey, Option<OffsetMap>)>;

/// What became of a request to change offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Altered {
    /// They are changed.
    Altered,
    /// They are removed.
    Reset,
}

impl Worker {
    fn offset_store(&self, connector: &Connector) -> Result<Box<dyn OffsetStore>, WorkerError> {
        let topic = match connector.config() {
            Some(config) => config.offsets_topic.clone(),
            None => written_topic(&connector.written())?,
        };
        Ok(assembly::offset_store(topic, &self.config, &Stop::new())?)
    }

    /// The offsets of a connector.
    ///
    /// # Errors
    /// When there is none, or its store cannot be read.
    pub fn offsets(&self, name: &str) -> Result<Vec<PartitionOffset>, WorkerError> {
        self.ready()?;
        let connector = self.connector(name).ok_or_else(|| WorkerError::NotFound(name.to_owned()))?;
        Ok(self.offset_store(&connector)?.of_connector(name).map_err(Failure::from)?)
    }

    /// Changes offsets; a partition with a null offset is removed.
    ///
    /// # Errors
    /// When there is no such connector, it is not stopped, or an offset is none.
    pub fn alter_offsets(
        self: &Arc<Self>,
        name: &str,
        wanted: &[(Value, Value)],
        until: Instant,
    ) -> Result<Altered, WorkerError> {
        let (connector, _turn) = self.stopped(name, until)?;
        let mut alterations = Alterations::new();
        for (partition, offset) in wanted {
            let key = OffsetKey { connector: name.to_owned(), server: server(partition)? };
            let refused =
                |problem: String| WorkerError::Refused(format!("The offset of a partition cannot be used: {problem}"));
            let offset = offset::from_json(offset.clone()).map_err(refused)?.map(|stored| stored.0);
            alterations.push((key, offset));
        }
        let mut store = self.offset_store(&connector)?;
        for (key, offset) in &alterations {
            match offset {
                Some(offset) => store.write(key, offset),
                None => store.remove(key),
            }
            .map_err(Failure::from)?;
        }
        Ok(Altered::Altered)
    }

    /// Removes all offsets of a connector.
    ///
    /// # Errors
    /// When there is none, it is not stopped, or its store does not take it.
    pub fn reset_offsets(self: &Arc<Self>, name: &str, until: Instant) -> Result<Altered, WorkerError> {
        let (connector, _turn) = self.stopped(name, until)?;
        let mut store = self.offset_store(&connector)?;
        for found in store.of_connector(name).map_err(Failure::from)? {
            let key = OffsetKey { connector: name.to_owned(), server: server(&found.partition)? };
            store.remove(&key).map_err(Failure::from)?;
        }
        Ok(Altered::Reset)
    }

    /// The connector, when nothing of it runs, and the turn: while it is held, nobody resumes or deletes it.
    fn stopped(self: &Arc<Self>, name: &str, until: Instant) -> Result<(Arc<Connector>, Turn<'_>), WorkerError> {
        self.ready()?;
        let find = || {
            let connector = self.connector(name).ok_or_else(|| WorkerError::NotFound(name.to_owned()))?;
            match connector.target() {
                TargetState::Stopped => Ok(connector),
                TargetState::Started | TargetState::Paused => Err(WorkerError::NotStopped(name.to_owned())),
            }
        };
        // Outside of the turn: others need not wait for this one's end.
        self.settled_within(&*find()?, ENDING_WAIT);
        let turn = self.turn(until)?;
        let connector = find()?;
        if connector.is_settled() { Ok((connector, turn)) } else { Err(WorkerError::StillEnding(name.to_owned())) }
    }
}

/// The offsets topic of a connector that cannot be run: as it is written, or the worker's.
fn written_topic(written: &Properties) -> Result<Option<String>, WorkerError> {
    let topic = written.get("offsets.storage.topic").map(|topic| topic.trim()).filter(|topic| !topic.is_empty());
    match topic {
        Some(topic) if topic.contains("${") => Err(WorkerError::Refused(
            "offsets.storage.topic has a variable, and the connector's configuration cannot be resolved: which topic holds the offsets is not known"
                .to_owned(),
        )),
        topic => Ok(topic.map(str::to_owned)),
    }
}

/// Debezium's partition is its `topic.prefix` alone.
fn server(partition: &Value) -> Result<String, WorkerError> {
    let fields = partition.as_object();
    match (fields.map(serde_json::Map::len), fields.and_then(|fields| fields.get("server")).and_then(Value::as_str)) {
        (Some(1), Some(server)) => Ok(server.to_owned()),
        _ => Err(WorkerError::Refused("A partition of this connector is {\"server\": \"<topic.prefix>\"}".to_owned())),
    }
}
