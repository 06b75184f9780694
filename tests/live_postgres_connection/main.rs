//! The connection to PostgreSQL against real servers: every way to log in, every `sslmode`, SQL and its errors, the
//! replication stream with large rows, large transactions, a consumer that does not read, and a server that falls silent.
//!
//! Each version is tested on an instance of its own, because it is killed and configured here. `HEADWATER_TEST_POSTGRES_15`,
//! `…_17`, `…_18` say which versions are installed; a missing one is skipped aloud, and fails where `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm
)]

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod login;
mod server;
mod sql;
mod stream;

use server::Server;

type Check = (&'static str, fn(&Server));

const CHECKS: &[Check] = &[
    ("login: methods", login::methods),
    ("login: refusals", login::refusals),
    ("login: sslmodes", login::ssl_modes),
    ("login: client certificates", login::client_certificates),
    ("sql: answers and errors", sql::answers_and_errors),
    ("sql: a session's settings", sql::settings),
    ("stream: rows in order, and what is confirmed", stream::rows_in_order),
    ("stream: a row of 100 MB", stream::large_row),
    ("stream: an open transaction", stream::open_transaction),
    ("stream: every message", stream::every_message),
    ("stream: a quiet database", stream::quiet_database),
    ("stream: refusals", stream::refusals),
    ("faults: a consumer that does not read", faults::blocked_consumer),
    ("faults: a silent server", faults::silent_server),
    ("faults: the stop flag", faults::stop_flag),
    ("faults: ended sessions", faults::ended_sessions),
];

/// Everything, on one server.
fn check(variable: &str, name: &str) {
    if support::address(variable, &format!("connection to {name}")).is_none() {
        return;
    }
    let server = Server::start(name);
    for (what, check) in CHECKS {
        let started = std::time::Instant::now();
        println!("{name}: {what} …");
        check(&server);
        println!("{name}: {what}: ok, {:.1?}", started.elapsed());
    }
}

#[test]
fn postgres_15() {
    check("HEADWATER_TEST_POSTGRES_15", "postgres-15");
}

#[test]
fn postgres_17() {
    check("HEADWATER_TEST_POSTGRES_17", "postgres-17");
}

#[test]
fn postgres_18() {
    check("HEADWATER_TEST_POSTGRES_18", "postgres-18");
}
