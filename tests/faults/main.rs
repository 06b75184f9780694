//! The fault campaign: connectors under load, and everything around them that can fail, failing at random.
//!
//! Promised, and checked for each fault:
//! - it is noticed in time: an incident stands on record that begins with it; and none where there was nothing to notice;
//! - the status is true all along: at no poll does it say RUNNING while rows are written and none has come through for
//!   longer than the deadlines allow;
//! - it is healed without a person when the fault is over, but for the faults that are a person's;
//!
//! and at the end: every version of every row is on its topic, and each row's are in their order.
//!
//! Several scenes (a database, a connector, what fails) play at once, each fault as soon as the one before it is healed.
//! `HEADWATER_FAULTS` is how many faults strike in all scenes together (none: in three scenes some of the short kinds),
//! `HEADWATER_FAULTS_SECONDS` the time after which no new one begins, `HEADWATER_FAULTS_SEED` repeats the choices of a run,
//! `HEADWATER_FAULTS_PAGE` is the file that the tables are written to (`make faults`: docs/reliability.md).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

mod brokers;
mod database;
mod kinds;
mod native;
mod quiet;
mod registry;
mod scene;
mod side_by_side;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod watch;

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use brokers::Brokers;
use database::Database;
use kinds::{Fault, Kind, Record};
use native::Native;
use registry::Registry;
use scene::{Plan, Scene, Victim};
use support::{SetWhenDropped, address, eventually, number, skip};
use table::Outcome;
use watch::Moment;

/// How long it may take until changes flow again after a fault is over: a broker that was killed starts for seconds, and a
/// pipeline that was built over and over waits longer each time.
pub const HEALED_WITHIN: Duration = Duration::from_secs(120);

/// The campaign and the comparison would measure each other.
pub static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::new(());

/// Faults of a scene, where nobody gave a number for all of them.
const FEW: u64 = 5;

/// How many faults are left, for all scenes, and when the last may begin.
struct Budget {
    left: AtomicI64,
    until: Instant,
    is_full: bool,
}

impl Budget {
    fn take(&self) -> bool {
        Instant::now() < self.until && self.left.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

/// Waits until changes flow and the status says so; what it said instead is the error.
fn wait_until_healed(scene: &Scene, kind: &Kind, began: Moment, fault: &Fault) -> Result<Duration, String> {
    let cleared = Instant::now();
    let at_clear = scene.rest.word().acknowledged;
    let is_known = kind.record != Record::Must || fault.as_ref().is_ok_and(|struck| struck.noticed.is_some());
    loop {
        let word = scene.rest.word();
        // A process or pipeline that is new has counted anew.
        let flows = word.acknowledged > at_clear || (word.acknowledged < at_clear && word.acknowledged > 0);
        if word.proven && flows && (is_known || scene.rest.noticed_since(began).is_some()) {
            return Ok(cleared.elapsed());
        }
        if cleared.elapsed() > HEALED_WITHIN {
            return Err(format!("not healed: {} {} {}", word.state, word.verdict, word.trace));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What was not as promised.
fn judge(kind: &Kind, noticed: Option<Duration>, lie: Duration, is_mute: bool) -> Option<String> {
    match (kind.record, noticed) {
        (Record::Must, None) => return Some("no incident".to_owned()),
        (Record::Never, Some(_)) => return Some("an incident where there was none".to_owned()),
        (Record::Must, Some(time)) if time > kind.noticed_within => return Some(format!("noticed after {time:.1?}")),
        (Record::Must | Record::May | Record::Never, _) => {}
    }
    if lie > watch::LIE {
        return Some(format!("RUNNING while nothing came through for {lie:.1?}"));
    }
    (is_mute && !kind.is_mute).then(|| "REST did not answer".to_owned())
}

/// One fault, from its beginning to its end.
fn strike(scene: &Scene, kind: &Kind, random: &mut fastrand::Rng) -> Outcome {
    let began = Moment::now();
    let stop = AtomicBool::new(false);
    let (fault, healed, polls) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| scene.rest.poll_until(&stop, &scene.written));
        let _guard = SetWhenDropped(&stop);
        let struck = std::panic::catch_unwind(AssertUnwindSafe(|| (kind.strike)(scene, random)));
        let fault = struck.unwrap_or_else(|_| Err("the fault itself panicked".to_owned()));
        let began = fault.as_ref().ok().and_then(|struck| struck.began).unwrap_or(began);
        let healed = wait_until_healed(scene, kind, began, &fault);
        stop.store(true, Ordering::Relaxed);
        (fault, healed, watcher.join().unwrap())
    });
    scene.line().bury_the_dead();
    let struck = fault.as_ref().copied().unwrap_or_default();
    let noticed = struck.noticed.or_else(|| scene.rest.noticed_since(struck.began.unwrap_or(began)));
    let (lie, is_mute) = (watch::longest_lie(&polls), watch::was_mute(&polls));
    let trouble = fault.as_ref().err().or(healed.as_ref().err()).cloned();
    let trouble = trouble.or_else(|| judge(kind, noticed, lie, is_mute));
    let (all, healed) = (began.at.elapsed(), healed.unwrap_or(HEALED_WITHIN));
    println!(
        "  {} / {}: noticed {noticed:.1?}, flows {healed:.1?} after its end, {all:.1?} in all{}",
        scene.title,
        kind.name,
        trouble.as_ref().map(|trouble| format!(" !! {trouble}\n{}", scene.log())).unwrap_or_default()
    );
    Outcome { scene: scene.title, kind: kind.name, needs_person: kind.needs_person, noticed, healed, lie, trouble }
}

/// Plays a scene until there is no fault left; and accounts for all that was written.
fn play(scene: &Scene, budget: &Budget, mut random: fastrand::Rng) -> (Vec<Outcome>, Result<String, String>) {
    let mut kinds = kinds::of(scene);
    kinds.retain(|kind| budget.is_full || kind.is_short);
    let stop = AtomicBool::new(false);
    let outcomes = std::thread::scope(|scope| {
        let mut outcomes = Vec::new();
        scope.spawn(|| scene.write_until(&stop));
        let _guard = SetWhenDropped(&stop);
        eventually("rows flow", HEALED_WITHIN, || (scene.rest.word().acknowledged > 20).then_some(()));
        'all: loop {
            // Every kind before any comes again.
            random.shuffle(&mut kinds);
            for kind in &kinds {
                if !budget.take() {
                    break 'all;
                }
                let outcome = strike(scene, kind, &mut random);
                let is_lost = outcome.healed >= HEALED_WITHIN;
                outcomes.push(outcome);
                if is_lost {
                    // What it does not heal by itself must not hide what comes behind it.
                    scene.line().pass();
                    scene.kill();
                    scene.start();
                }
            }
        }
        outcomes
    });
    let deadline = Instant::now() + HEALED_WITHIN;
    let account = loop {
        match scene.account() {
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_secs(1)),
            account => break account,
        }
    };
    (outcomes, account)
}

/// What opens a scene.
type Opening = Box<dyn FnOnce() -> Scene + Send>;

/// The scenes of a campaign: all of them, or those that begin in a moment.
fn scenes(is_full: bool, broker: &str) -> Vec<Opening> {
    let broker = broker.to_owned();
    let on = move |plan: Plan| Scene::open(plan, &broker);
    let bystander = Database::start("mariadb-11.8");
    let postgres = {
        let on = on.clone();
        move || {
            let database = Database::start("postgres-17");
            let Database::Postgres(server) = &*database else { panic!("PostgreSQL") };
            let authority = server.folder.join("data").join("ca.pem").display().to_string();
            let mut plan = Plan::new("PostgreSQL", Victim::Database, &database);
            plan.settings = vec![("database.sslmode", "verify-full".to_owned()), ("database.sslrootcert", authority)];
            on(plan)
        }
    };
    let mysql = {
        let on = on.clone();
        move || {
            let database = Database::start("mysql-9.7");
            let replica = is_full.then(|| database.start_replica());
            let scene = on(Plan::new("MySQL", Victim::Database, &database));
            *scene::lock(&scene.replica) = replica;
            scene
        }
    };
    let broken = {
        let (on, database) = (on.clone(), bystander.clone());
        move || {
            let mut plan = Plan::new("broker", Victim::Broker, &database);
            plan.brokers = Some(Brokers::start(is_full));
            on(plan)
        }
    };
    let itself = {
        let (on, database) = (on.clone(), bystander.clone());
        move || {
            let mut plan = Plan::new("Headwater itself", Victim::Itself, &database);
            if is_full {
                plan.native = Native::build().inspect_err(|why| skip("threads, names and clocks", why)).ok();
            }
            if plan.native.is_some() {
                plan.settings = vec![("database.hostname", native::HOST.to_owned())];
            }
            on(plan)
        }
    };
    let mut scenes: Vec<Opening> = vec![Box::new(mysql), Box::new(postgres), Box::new(broken)];
    if is_full {
        scenes.push(Box::new(itself));
        let (on_mariadb, on_postgres) = (on.clone(), on.clone());
        scenes.push(Box::new(move || {
            on_mariadb(Plan::new("MariaDB", Victim::Database, &Database::start("mariadb-11.8")))
        }));
        scenes.push(Box::new(move || {
            let mut plan = Plan::new("broker", Victim::Broker, &Database::start("postgres-17"));
            plan.brokers = Some(Brokers::start(false));
            on_postgres(plan)
        }));
        scenes.push(Box::new(move || {
            let mut plan = Plan::new("registry", Victim::Registry, &bystander);
            plan.registry = Some(Registry::start());
            on(plan)
        }));
    }
    scenes
}

#[test]
fn everything_around_connectors_fails_and_they_notice_and_heal() {
    let test = "the fault campaign";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    for variable in ["HEADWATER_TEST_MYSQL_97", "HEADWATER_TEST_MARIADB_118", "HEADWATER_TEST_POSTGRES_17"] {
        if address(variable, test).is_none() {
            return;
        }
    }
    let _alone = scene::lock(&ONE_AFTER_THE_OTHER);
    let faults = number("HEADWATER_FAULTS", 0);
    let is_full = faults > 0;
    let seconds = number("HEADWATER_FAULTS_SECONDS", if is_full { 3_600 } else { 30 });
    let seed = number("HEADWATER_FAULTS_SEED", fastrand::u64(..1_000_000_000));
    println!("{test}: HEADWATER_FAULTS={faults} HEADWATER_FAULTS_SECONDS={seconds} HEADWATER_FAULTS_SEED={seed}");
    let scenes = scenes(is_full, &broker);
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let budget = |faults| Budget { left: AtomicI64::new(i64::try_from(faults).unwrap()), until, is_full };
    // The next fault is whosever scene has healed; but a short campaign is not the fastest scene's alone.
    let (shared, own) = (budget(faults), scenes.iter().map(|_| budget(FEW)).collect::<Vec<_>>());
    let played: Vec<_> = std::thread::scope(|scope| {
        let play = |(number, open): (usize, Opening)| {
            let random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
            let budget = if is_full { &shared } else { &own[number] };
            scope.spawn(move || {
                let scene = open();
                play(&scene, budget, random)
            })
        };
        let playing: Vec<_> = scenes.into_iter().enumerate().map(play).collect();
        playing.into_iter().map(|scene| scene.join()).collect()
    });
    let (mut outcomes, mut accounts, mut troubles) = (Vec::new(), String::new(), Vec::new());
    for scene in played {
        match scene {
            Ok((of_scene, account)) => {
                outcomes.extend(of_scene);
                match account {
                    Ok(account) => accounts.push_str(&format!("- {account}\n")),
                    Err(trouble) => troubles.push(trouble),
                }
            }
            Err(_) => troubles.push("a scene panicked".to_owned()),
        }
    }
    troubles.extend(outcomes.iter().filter_map(|outcome| {
        outcome.trouble.as_ref().map(|trouble| format!("{} / {}: {trouble}", outcome.scene, outcome.kind))
    }));
    write_page(&outcomes, &accounts, &troubles, seed, began.elapsed());
    assert!(troubles.is_empty(), "{} of {} faults:\n{}", troubles.len(), outcomes.len(), troubles.join("\n"));
}

fn write_page(outcomes: &[Outcome], accounts: &str, troubles: &[String], seed: u64, took: Duration) {
    let mut kinds: Vec<&str> = outcomes.iter().map(|outcome| outcome.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let not_so = match troubles {
        [] => "All of it was as promised.\n".to_owned(),
        troubles => {
            format!("Not as promised:\n\n{}\n", troubles.iter().map(|what| format!("- {what}\n")).collect::<String>())
        }
    };
    let text = format!(
        "{} faults of {} kinds in {} minutes (`HEADWATER_FAULTS_SEED={seed}`). {not_so}\n{accounts}\n{}",
        outcomes.len(),
        kinds.len(),
        took.as_secs().div_ceil(60),
        table::table(outcomes)
    );
    table::write("The campaign", &text);
}
