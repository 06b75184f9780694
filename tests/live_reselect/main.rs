//! Rows that are read again (`ReselectColumnsPostProcessor`): never as they were before the transaction that they are read
//! for, and with what the log has not.
//!
//! Needs `HEADWATER_TEST_KAFKA`, and for each server its own variable; a commit that waits for nobody's word is made on a
//! server of the test's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

mod binlog;
mod postgres;
#[path = "../support/mod.rs"]
mod support;

use support::eventually;

/// What makes a connector read rows again.
const AGAIN: [(&str, &str); 2] = [
    ("post.processors", "again"),
    ("post.processors.again.type", "io.debezium.processors.reselect.ReselectColumnsPostProcessor"),
];
