//! Which connectors are wanted: configurations and target states, in Kafka Connect's own records.
//!
//! In: a connector's properties, whether it shall run, pause or stop. Out: the same after a restart, by this program or by
//! a Kafka Connect cluster. Promised: what a `write` has accepted is durable when it returns; a record that cannot be
//! read costs its own connector and no other, and is said. The store does not know what a property means.

pub mod file;
pub mod kafka;
mod record;

use std::collections::BTreeMap;

use super::StoreError;

/// A connector's properties as they were written, variables unresolved.
pub type Properties = BTreeMap<String, String>;

/// What a person wants of a connector. The names are Kafka Connect's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetState {
    /// It shall run.
    #[default]
    Started,
    /// It shall wait, with its tasks.
    Paused,
    /// It shall wait, without tasks: its offsets may be changed.
    Stopped,
}

impl TargetState {
    /// Connect's name.
    pub fn name(self) -> &'static str {
        match self {
            TargetState::Started => "STARTED",
            TargetState::Paused => "PAUSED",
            TargetState::Stopped => "STOPPED",
        }
    }

    fn parse(name: &str) -> Option<TargetState> {
        [TargetState::Started, TargetState::Paused, TargetState::Stopped].into_iter().find(|state| state.name() == name)
    }
}

/// A connector that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConnector {
    /// Its properties.
    pub properties: Properties,
    /// What is wanted of it.
    pub target: TargetState,
}

/// All that is stored.
#[derive(Debug, Default)]
pub struct Stored {
    /// Connectors by name.
    pub connectors: BTreeMap<String, StoredConnector>,
    /// Connectors of which a record cannot be read. What it said is not known.
    pub broken: BTreeMap<String, StoreError>,
    /// Whether nothing was ever written there.
    pub is_new: bool,
}

/// Something to be made durable.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// A connector is wanted, or wanted otherwise; without a target it keeps the one it has.
    Connector(&'a str, &'a Properties, Option<TargetState>),
    /// Something else is wanted of a connector.
    Target(&'a str, TargetState),
    /// What its tasks are to be made of, for a Kafka Connect cluster that takes over.
    Tasks(&'a str, &'a [Properties]),
    /// A connector is not wanted any more.
    Removed(&'a str),
}

/// Keeps what is wanted.
pub trait ConfigStore: Send {
    /// Makes the place where it is missing.
    ///
    /// # Errors
    /// When it cannot be made, or would lose what is written to it.
    fn prepare(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    /// All that is stored, in a place that is made where it is missing.
    ///
    /// # Errors
    /// When the place cannot be read to its end, or would lose what is written to it.
    fn read(&mut self) -> Result<Stored, StoreError>;
    /// Makes changes durable, in order.
    ///
    /// # Errors
    /// When they may not be: some of them may have been.
    fn write(&mut self, changes: &[Change<'_>]) -> Result<(), StoreError>;
    /// Where it is, for people.
    fn place(&self) -> String;
}
