//! Large transactions of PostgreSQL, received while they are open: what lands is what lands when the server holds them.
//!
//! Needs `HEADWATER_TEST_POSTGRES_15`, `_17`, `_18` and `HEADWATER_TEST_KAFKA`. The servers of the stack stream a transaction
//! beyond 64 kB of changes (`logical_decoding_work_mem`). Each test has a database of its own on them, which is removed at
//! its end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

mod killed;
mod limits;
mod same_records;
mod unlike;

/// What makes a connector receive transactions while they are open, and hold next to nothing of them in memory.
const STREAMING: [(&str, &str); 2] =
    [("headwater.transaction.streaming", "true"), ("headwater.transaction.memory.bytes", "65536")];
