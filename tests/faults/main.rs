//! The fault campaign: a connector under load, and everything around it that can fail, failing at random.
//!
//! Promised, and checked for each fault:
//! - it is noticed in time: an incident stands on record that begins with it;
//! - the status is true all along: at no poll does it say RUNNING while rows are written and none has come through for
//!   longer than the deadlines allow;
//! - it is healed without a person when the fault is over;
//!
//! and at the end: no row is lost, and the records of each key are in order.
//!
//! `HEADWATER_FAULTS` (6 and 2) faults for each of the two campaigns, `HEADWATER_FAULTS_SEED` repeats a run,
//! `HEADWATER_FAULTS_PAGE` is the file that the table is written to (`make faults`: docs/reliability.md).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

mod kinds;
#[path = "../live_losses/scene.rs"]
#[allow(dead_code)]
mod scene;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod watch;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use kinds::{Kind, Place};
use scene::{CATCH_UP, Scene, World};
use support::broker::Broker;
use support::program::Running;
use support::{SetWhenDropped, address, eventually, number};
use table::Outcome;

/// Rows written in a second, at most.
const ROWS_PER_SECOND: u64 = 100;

/// How long it may take until changes flow again after a fault is over: a broker that was killed starts for seconds.
const HEALED_WITHIN: Duration = Duration::from_secs(90);

/// Campaigns wait for each other: two at once would measure each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// One fault, from its beginning to its end.
fn strike(kind: &'static Kind, place: &Place<'_>, running: &Running, random: &mut fastrand::Rng) -> Outcome {
    let (began, began_ms) = (Instant::now(), now_ms());
    let before = watch::flow(running);
    let stop = AtomicBool::new(false);
    let (cleared, polls) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch::until(running, &stop));
        let _guard = SetWhenDropped(&stop);
        (kind.strike)(place, random);
        let cleared = Instant::now();
        // Whatever it was, changes flow again, and say so.
        eventually(&format!("{} is healed\n{}", kind.name, running.log_tail(40)), HEALED_WITHIN, || {
            let now = watch::flow(running);
            let noticed = !kind.is_incident || now.incidents > before.incidents;
            (noticed && now.proven && now.acknowledged > before.acknowledged).then_some(())
        });
        let healed = Instant::now();
        stop.store(true, Ordering::Relaxed);
        (healed.saturating_duration_since(cleared), watcher.join().unwrap())
    });
    watch::is_true(kind.name, &polls, running);
    let noticed = kind.is_incident.then(|| {
        let at = watch::noticed_ms(running, began_ms);
        Duration::from_millis(u64::try_from(at - began_ms).unwrap_or(0))
    });
    if let Some(noticed) = noticed {
        assert!(noticed <= kind.noticed_within, "{}: noticed after {noticed:.2?}\n{}", kind.name, running.log_tail(40));
    }
    println!(
        "  {:24} noticed after {noticed:.2?}, flows {cleared:.2?} after its end, {:.1?} in all",
        kind.name,
        began.elapsed()
    );
    Outcome { kind: kind.name, noticed, healed: cleared }
}

fn campaign(
    scene: &Scene<'_>,
    broker: Option<&Broker>,
    kinds: &'static [Kind],
    rounds: u64,
    seed: u64,
) -> Vec<Outcome> {
    let mut random = fastrand::Rng::with_seed(seed);
    let running = scene.connector.start_streaming();
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut outcomes = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| scene.write_until(&stop, &written, ROWS_PER_SECOND));
        let _guard = SetWhenDropped(&stop);
        running.wait_for_metric("headwater_records_acknowledged_total", 20.0, Duration::from_secs(30));
        for round in 0..rounds {
            // Every kind before any comes again.
            let kind = &kinds[usize::try_from(round).unwrap() % kinds.len()];
            outcomes.push(strike(kind, &Place { scene, broker }, &running, &mut random));
            Scene::wait_for_more(&written, 20);
        }
    });
    scene.connector.catch_up(&running, scene.server, CATCH_UP);
    scene.check(&running);
    assert!(running.terminate(Duration::from_secs(30)).success());
    outcomes
}

fn run(test: &str, kinds: &'static [Kind], with_broker: bool, share: u64) {
    let Some(shared) = address("HEADWATER_TEST_KAFKA", test) else { return };
    if address("HEADWATER_TEST_MYSQL_97", test).is_none() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Where not asked for more, so few that it takes a minute.
    let rounds = number("HEADWATER_FAULTS", share);
    let seed = number("HEADWATER_FAULTS_SEED", fastrand::u64(..1_000_000_000));
    println!("{test}: HEADWATER_FAULTS={rounds} HEADWATER_FAULTS_SEED={seed}");
    // What is killed must come back with all that it committed, or it is the server that has lost rows.
    let world = World::start("mysql-9.7", "--sync-binlog=1 --innodb-flush-log-at-trx-commit=1", &shared);
    let broker = with_broker.then(Broker::start);
    let scene = match &broker {
        Some(broker) => world.scene_on("faults", &broker.address()),
        None => world.scene("faults"),
    };
    // The defaults are what is measured.
    let scene = scene.with(&[("headwater.heartbeat.period.ms", "1000"), ("headwater.silence.heartbeats", "3")]);
    let outcomes = campaign(&scene, broker.as_ref(), kinds, rounds, seed);
    table::write(test, &outcomes);
}

#[test]
fn faults_of_the_database_are_noticed_and_healed() {
    run("faults of the database", kinds::DATABASE, false, 6);
}

#[test]
fn faults_of_the_broker_are_noticed_and_healed() {
    run("faults of the broker", kinds::BROKER, true, 2);
}
