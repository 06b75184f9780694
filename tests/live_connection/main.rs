//! The connection against real servers: every login plugin, TLS mode, compression, dump and refusal, a frozen
//! server, a killed session, a long packet.
//!
//! Each server of the stack is tested on an instance of its own, because it is frozen, killed and purged here.
//! The addresses `HEADWATER_TEST_MYSQL_97`, `…_MYSQL_80`, `…_MARIADB_1011`, `…_MARIADB_118` say which servers are
//! installed; a missing one is skipped aloud, and fails where `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm
)]

mod authorities;
mod binlog;
mod faults;
mod login;
mod server;
mod sql;
mod tls;

use server::Server;

/// What is checked, by name.
type Check = (&'static str, fn(&Server));

/// Everything, on one server.
fn check(variable: &str, name: &str) {
    if std::env::var_os(variable).is_none() {
        return server::skip(name, &format!("{variable} is not set"));
    }
    let server = Server::start(name);
    let checks: &[Check] = &[
        ("sql: answers and errors", sql::answers_and_errors),
        ("sql: packets over 16 MiB", sql::long_packets),
        ("sql: compression", sql::compression),
        ("login: plugins", login::plugins),
        ("login: refusals", login::refusals),
        ("tls: modes", tls::modes),
        ("tls: client certificates", tls::client_certificates),
        ("tls: stores", tls::stores),
        ("binlog: bytes as in the file", binlog::bytes_as_in_the_file),
        ("binlog: by GTID", binlog::by_gtid),
        ("binlog: tail and heartbeat", binlog::tail_and_heartbeat),
        ("binlog: refusals", binlog::refusals),
        ("faults: killed session", faults::killed_session),
        ("faults: stop flag", faults::stop_flag),
        ("faults: frozen server", faults::frozen_server),
        ("faults: crashed server", faults::crashed_server),
    ];
    for (what, check) in checks {
        let started = std::time::Instant::now();
        println!("{name}: {what} …");
        check(&server);
        println!("{name}: {what}: ok, {:.1?}", started.elapsed());
    }
}

#[test]
fn mysql_97() {
    check("HEADWATER_TEST_MYSQL_97", "mysql-9.7");
}

#[test]
fn mysql_80() {
    check("HEADWATER_TEST_MYSQL_80", "mysql-8.0");
}

#[test]
fn mariadb_1011() {
    check("HEADWATER_TEST_MARIADB_1011", "mariadb-10.11");
}

#[test]
fn mariadb_118() {
    check("HEADWATER_TEST_MARIADB_118", "mariadb-11.8");
}
