//! The losses that change data capture is known for, each a test of the whole program against real servers.
//!
//! Each server of the stack is tested on an instance of its own, because it is stopped, purged and reset here. The
//! binary runs as a child process, behind a proxy that fails on command, and writes to a real broker. Every scene ends
//! in the same way: what the topics say, folded, is what the tables are.
//!
//! Promised of every scene: nothing is lost, and while something is wrong the status says so.
//!
//! `HEADWATER_LOSS_ROWS` (300000) rows stand in the large transactions. `HEADWATER_LOSS_SCENE` runs only scenes whose
//! name contains it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

mod definitions;
mod delivery;
mod large;
mod position;
mod scene;
mod server_life;
mod silence;

use scene::World;
use support::address;

/// A scene: a database, a connector and a fault.
type Play = fn(&World);

/// Runs scenes, one after the other, on one server.
fn play(server: &str, options: &str, variable: &str, scenes: &[(&str, Play)]) {
    let test = format!("losses on {server}");
    let Some(broker) = address("HEADWATER_TEST_KAFKA", &test) else { return };
    if address(variable, &test).is_none() {
        return;
    }
    let only = std::env::var("HEADWATER_LOSS_SCENE").unwrap_or_default();
    let scenes: Vec<_> = scenes.iter().filter(|(name, _)| name.contains(&only)).collect();
    if scenes.is_empty() {
        return;
    }
    let world = World::start(server, options, &broker);
    for (name, scene) in scenes {
        let began = std::time::Instant::now();
        println!("{server}: {name} …");
        scene(&world);
        println!("{server}: {name}: ok, {:.1?}", began.elapsed());
    }
}

#[test]
fn mysql_97_network() {
    play(
        "mysql-9.7",
        "",
        "HEADWATER_TEST_MYSQL_97",
        &[
            ("silence: new connections work", silence::new_connections_work),
            ("silence: new connections work later", silence::new_connections_work_later),
            ("large transaction: reset", large::reset),
            ("large transaction: killed", large::killed),
            ("large compressed transaction: reset", large::compressed_reset),
            ("large compressed transaction: killed", large::compressed_killed),
            ("compressed small transactions", large::compressed_small),
            ("server id taken", server_life::server_id_taken),
            ("log flushed in mid traffic", server_life::flushed_log),
            ("server restart", server_life::restart),
            ("server killed", server_life::crash),
            ("purged log", position::purged),
            ("smaller GTID set", position::other_history),
        ],
    );
}

#[test]
fn mysql_97_meaning() {
    play(
        "mysql-9.7",
        "",
        "HEADWATER_TEST_MYSQL_97",
        &[
            ("definitions in a backlog", definitions::backlog),
            ("definitions in a backlog, names not in the log", definitions::backlog_without_names),
            ("table swap in a backlog", definitions::swap),
            ("vector column in a table that is not captured", definitions::vector),
            ("statement format", definitions::statement_format),
            ("truncate", definitions::truncate),
            ("registry away while a table appears", delivery::registry_away),
            ("broker frozen, program killed", delivery::broker_frozen),
            ("broker away longer than the delivery timeout", delivery::broker_away),
        ],
    );
}

#[test]
fn mysql_97_without_gtids() {
    play(
        "mysql-9.7",
        "--gtid-mode=OFF --enforce-gtid-consistency=OFF",
        "HEADWATER_TEST_MYSQL_97",
        &[
            ("file and position only: reset", large::reset),
            ("file and position only: killed", large::killed),
            ("file and position only: compressed, killed", large::compressed_killed),
            ("file and position only: server restart", server_life::restart),
            ("file and position only: definitions", definitions::backlog_without_names),
            ("file and position only: purged log", position::purged_file),
        ],
    );
}

#[test]
fn mysql_97_failover() {
    let Some(broker) = address("HEADWATER_TEST_KAFKA", "failover") else { return };
    if address("HEADWATER_TEST_MYSQL_97_REPLICA", "failover").is_some() {
        position::failover(&broker);
        position::failover_before_a_statement(&broker);
    }
}

fn mariadb(server: &str, variable: &str) {
    play(
        server,
        "--binlog-annotate-row-events=ON",
        variable,
        &[
            ("large transaction: reset", large::reset),
            ("large transaction: killed", large::killed),
            ("large compressed transaction: killed", large::mariadb_compressed_killed),
            ("file and position only: killed", large::killed_without_gtids),
            ("definitions in a backlog", definitions::backlog),
            ("log flushed in mid traffic", server_life::flushed_log),
            ("server restart", server_life::restart),
        ],
    );
}

#[test]
fn mariadb_1011() {
    mariadb("mariadb-10.11", "HEADWATER_TEST_MARIADB_1011");
}

#[test]
fn mariadb_118() {
    mariadb("mariadb-11.8", "HEADWATER_TEST_MARIADB_118");
}
