//! The watchdog: knows when changes have ceased to flow, says so, and does something about it.
//!
//! ```text
//!  counters, pulses ──▶ observer ──▶ Observations ──▶ verdict (pure) ──▶ action (pure) ──▶ orders to the pipeline
//!  the server's head        (how long each stood still)      │                │
//!                                                            ▼                ▼
//!                                                     status, /flow      incident: log, file, topic, REST, notices
//! ```
//!
//! In: numbers that the pipeline's threads count, and what the server says of its head. Out: a verdict a few times a
//! second, orders to the pipeline, and a record of every incident. Promised: an OS thread of its own for each connector,
//! which shares counters with the data plane and waits for none of its threads, nor for the disk or a network; idle and
//! stuck are never taken for each other; RUNNING is said only under a verdict under which changes flow, or would. What
//! survives a crash is the incident file and topic.

pub mod action;
pub mod error;
mod notice;
pub mod observer;
pub mod recorder;
mod topic;
pub mod verdict;
mod watch;
mod words;

pub use error::CODES;
pub use recorder::{Recorder, RecorderOptions};
pub use watch::{WatchOptions, watch};
