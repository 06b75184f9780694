//! The crash campaign: the binary is killed with SIGKILL at random moments while several tables change.
//!
//! Promised, and checked at the end:
//! - every committed version of every row is on the topics, at least once;
//! - for each key, records come in the order of the commits; only a restart goes back, and then without a gap;
//! - the topics, folded, are the tables;
//! - a stored position was never ahead: when the process died, every row of every transaction that the stored
//!   position counts as done was on the topics.
//!
//! `HEADWATER_CRASH_ROUNDS` (10) kills; `HEADWATER_CRASH_SEED` repeats a run's moments and statements.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::load::{self, Death, TABLES, verify, writer};
use support::program::Connector;
use support::server::Server;
use support::{SetWhenDropped, address, number, topic};

/// Connections that write at the same time, each to rows of its own.
const WRITERS: u64 = 2;

/// Pauses between their transactions are shorter than this.
const PAUSE_MS: u64 = 20;

fn campaign(server: &Server, broker: &str, rounds: u64, seed: u64) {
    load::create_tables(server);
    let connector = Connector::new(server, broker, "shop").with(&[
        ("table.include.list", "shop.orders,shop.lines,shop.notes"),
        ("topic.creation.default.partitions", "3"),
        ("topic.creation.default.replication.factor", "1"),
    ]);
    let connector = connector.with_worker(&[("topic.creation.enable", "true"), ("offset.flush.interval.ms", "100")]);
    let mut random = fastrand::Rng::with_seed(seed);
    // The first start stores where reading begins; what is written before that is not asked for.
    let mut running = connector.start_streaming();
    let stop = AtomicBool::new(false);
    let (transactions, deaths, running) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (stop, seed) = (&stop, random.u64(..));
                scope.spawn(move || writer::write(server, number, seed, PAUSE_MS, stop))
            })
            .collect();
        // Writers that go on after a failed assertion would never end.
        let _guard = SetWhenDropped(&stop);
        let mut deaths = Vec::new();
        for _ in 0..rounds {
            // Some die before they have begun to read.
            let life = if random.u8(..10) == 0 { random.u64(10..300) } else { random.u64(300..2_200) };
            std::thread::sleep(Duration::from_millis(life));
            assert!(running.ended().is_none(), "it ended by itself\n{}", running.log_tail(60));
            running.kill();
            // The offset first: what it claims must have been there before it.
            let stored = connector.stored_offset().unwrap();
            let ends = TABLES.iter().map(|(table, _, _)| topic::ends(broker, &connector.topic(table))).collect();
            deaths.push(Death { stored, ends });
            running = connector.start();
        }
        stop.store(true, Ordering::Relaxed);
        let transactions: Vec<_> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        (transactions, deaths, running)
    });
    connector.catch_up(&running, server, Duration::from_secs(120));
    assert!(running.terminate(Duration::from_secs(20)).success());
    verify::verify("crash campaign", server, &connector, &transactions, &deaths);
}

#[test]
fn killed_at_random_moments_nothing_is_lost() {
    let Some(broker) = address("HEADWATER_TEST_KAFKA", "crash campaign") else { return };
    if address("HEADWATER_TEST_MYSQL_97", "crash campaign").is_none() {
        return;
    }
    let rounds = number("HEADWATER_CRASH_ROUNDS", 10);
    let seed = number("HEADWATER_CRASH_SEED", fastrand::u64(..1_000_000_000));
    println!("crash campaign: HEADWATER_CRASH_ROUNDS={rounds} HEADWATER_CRASH_SEED={seed}");
    let began = Instant::now();
    let server = Server::start("mysql-9.7", "");
    campaign(&server, &broker, rounds, seed);
    println!("crash campaign: {rounds} kills survived in {:.1?}", began.elapsed());
}
