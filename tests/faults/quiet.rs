//! Nothing happens, or next to nothing: and nobody says that anything is wrong.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::scene::{Plan, Scene, Victim};
use crate::support::{address, number};
use crate::{HEALED_WITHIN, table};

/// What one connector was seen to say.
#[derive(Default)]
struct Heard {
    looks: u64,
    bad: Vec<String>,
}

/// Watches a connector; `trickle`: a row is written now and then.
fn watch(scene: &Scene, trickle: bool, time: Duration) -> Heard {
    let (until, mut heard, mut next) = (Instant::now() + time, Heard::default(), Instant::now());
    let mut session = scene.database().session(&scene.schema).unwrap();
    while Instant::now() < until {
        if trickle && Instant::now() >= next {
            let version = scene.written.load(Ordering::Relaxed) + 1;
            session.run(&scene.database().put(version, version)).unwrap();
            scene.written.store(version, Ordering::Relaxed);
            next = Instant::now() + Duration::from_millis(fastrand::u64(3_000..20_000));
        }
        let word = scene.rest.word();
        heard.looks += 1;
        if !word.proven || word.incidents != 0 {
            heard.bad.push(format!("{word:?}"));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    heard
}

#[test]
fn idleness_and_a_trickle_are_no_incident() {
    let test = "quiet connectors";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    for variable in ["HEADWATER_TEST_MYSQL_97", "HEADWATER_TEST_MARIADB_118", "HEADWATER_TEST_POSTGRES_17"] {
        if address(variable, test).is_none() {
            return;
        }
    }
    let time = Duration::from_secs(number("HEADWATER_FAULTS_QUIET_SECONDS", 10));
    // A short one has the machine to itself; a long one is quiet beside the campaign.
    let _alone = (time < Duration::from_secs(60)).then(|| crate::scene::lock(&crate::ONE_AFTER_THE_OTHER));
    let mut scenes = Vec::new();
    for (name, idle, trickle) in [
        ("mysql-9.7", "MySQL, idle", "MySQL, a row now and then"),
        ("mariadb-11.8", "MariaDB, idle", "MariaDB, a row now and then"),
        ("postgres-17", "PostgreSQL, idle", "PostgreSQL, a row now and then"),
    ] {
        let database = Database::start(name);
        for (title, trickles) in [(idle, false), (trickle, true)] {
            let scene = Scene::open(Plan::new(title, Victim::Itself, &database), &broker);
            crate::support::eventually("a proof", HEALED_WITHIN, || scene.rest.word().proven.then_some(()));
            scenes.push((scene, trickles));
        }
    }
    let heard: Vec<Heard> = std::thread::scope(|scope| {
        let spawned: Vec<_> =
            scenes.iter().map(|(scene, trickles)| scope.spawn(move || watch(scene, *trickles, time))).collect();
        spawned.into_iter().map(|watching| watching.join().unwrap()).collect()
    });
    let mut lines = String::new();
    for ((scene, _), heard) in scenes.iter().zip(&heard) {
        let rows = scene.written.load(Ordering::Relaxed);
        lines.push_str(&format!("| {} | {rows} | {} | {} |\n", scene.title, heard.looks, heard.bad.len()));
    }
    let head = "| connector | rows | looks | looks that were not RUNNING and proven, or showed an incident |\n|---|---|---|---|\n";
    table::write("Quiet", &format!("{} seconds:\n\n{head}{lines}", time.as_secs()));
    for ((scene, _), heard) in scenes.iter().zip(&heard) {
        assert!(heard.bad.is_empty(), "{}: {:?}\n{}", scene.title, heard.bad.first(), scene.log());
        let account = crate::support::eventually("all rows", HEALED_WITHIN, || scene.account().ok());
        println!("{account}");
    }
}
