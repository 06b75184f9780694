//! Headwater: change data capture that knows when it has stopped.
//!
//! One room per module, listed in the order in which data flows. `docs/architecture.md` says what each
//! room takes in, gives out and may import; `tests/tidy.rs` holds them to it.

pub mod model;

pub mod source;

pub mod envelope;

pub mod transform;

pub mod serialize;

pub mod sink;

pub mod ack;

pub mod store;

pub mod pipeline;

pub mod watchdog;

pub mod observe;

pub mod worker;

pub mod signal;

pub mod admin;

pub mod config;

pub mod cli;

pub mod error;

pub mod util;
