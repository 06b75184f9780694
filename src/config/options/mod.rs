//! The tables of options, one file a group.
//!
//! In: nothing. Out: rows. Promised: every property of section 1.2 of Debezium's manual pages for MySQL,
//! MariaDB and PostgreSQL has a row, and every property of Connect that a source connector or its worker
//! can carry. Names, defaults and values are Debezium's and Kafka's; the sentences are ours.

use super::option::{ConfigOption, OldName};

mod connection;
mod events;
mod filters;
mod framework;
mod history;
mod lifecycle;
mod metrics;
mod postgres;
mod signals;
mod snapshot;
mod streaming;
mod topics;
mod watchdog;
mod worker;
mod worker_rest;

/// All tables, in the order of the reference.
pub(super) const TABLES: &[&[ConfigOption]] = &[
    framework::OPTIONS,
    connection::OPTIONS,
    streaming::OPTIONS,
    postgres::OPTIONS,
    topics::OPTIONS,
    filters::OPTIONS,
    events::OPTIONS,
    snapshot::OPTIONS,
    signals::OPTIONS,
    lifecycle::OPTIONS,
    watchdog::OPTIONS,
    history::OPTIONS,
    metrics::OPTIONS,
    worker::OPTIONS,
    worker_rest::OPTIONS,
];

/// Shorthand for one old name.
const fn old(name: &'static str, until: &'static str) -> OldName {
    OldName { name, until }
}

/// Numbers that Java reads as a positive int.
const POSITIVE: (i64, i64) = (1, i32::MAX as i64);
/// Numbers that Java reads as an int from zero.
const FROM_ZERO: (i64, i64) = (0, i32::MAX as i64);

/// Said of everything that only a data snapshot reads.
const NO_SNAPSHOT: &str = "rows that are already there are not read yet; only the stream is";
/// Said of everything that only signals read.
const NO_SIGNALS: &str = "signals are not read yet";
