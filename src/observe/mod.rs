//! What can be seen from outside: pulses, counters, logs, and their text on `/metrics`.
//!
//! In: numbers that stages set. Out: readings, at any time and without waiting for a stage. Promised:
//! setting a number is one store to memory, so that it may stand beside the row path; a reading never
//! blocks a stage. Nothing here survives a crash.

pub mod exporter;
pub mod flow;
pub mod incident;
pub mod ladder;
pub mod lags;
pub mod log;
pub mod markers;
pub mod mbean;
pub mod metrics;
pub mod pulse;
#[cfg(debug_assertions)]
mod sabotage;
pub mod series;
