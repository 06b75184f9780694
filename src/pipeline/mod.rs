//! The pipeline: the one room that knows all the others, and the only one that spawns.
//!
//! ```text
//!          ┌────────┐ Job  ┌──────────┐ EncodedBatch ┌──────────┐ records
//!  source ▶│ reader │─────▶│ encode-N │─────────────▶│ producer │────────▶ broker
//!          └───┬────┘      └──────────┘   (ordered)  └────┬─────┘
//!        enter │ ticket                                   │ delivery reports settle shares
//!          ┌───▼──────────────────────────────────────────▼───┐ resume point ┌───────────┐
//!          │                      desk                        │─────────────▶│ committer │──▶ offset store
//!          └──────────────────────────────────────────────────┘              └───────────┘
//! ```
//!
//! A small batch with nothing before it skips the encoders' threads ([`inline`]).
//!
//! In: the parts that an [`supervise::Assembly`] builds. Out: records at the broker, positions in the store.
//! Promised: a position is stored only when everything before it was acknowledged; a stage that fails ends
//! the attempt, and the next begins at the stored position. What survives a crash is in the stores.

pub mod assembly;
pub mod canary;
pub mod commit;
pub mod desk;
pub mod encode;
pub mod error;
mod head;
mod inline;
pub mod layouts;
pub mod orders;
pub mod plans;
pub mod produce;
pub mod reader;
pub mod reselect;
pub mod status;
pub mod supervise;
pub mod thread;
pub mod tolerance;
mod topic_keys;
pub mod translate;
pub mod turns;
pub mod write;
