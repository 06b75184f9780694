//! `headwater check`: what would keep a connector from running is said before it runs, and what is said mends it.

use crate::eventually;
use crate::support::address;
use crate::support::instance::Instance;
use crate::support::postgres::{Database, LONG};
use crate::support::program::Connector;

/// The line about a subject that begins so; with what stands behind its dash.
fn line(said: &str, begins: &str) -> (String, String) {
    let line = said.lines().find(|line| line.starts_with(begins));
    let line = line.unwrap_or_else(|| panic!("no line begins with {begins:?} in\n{said}"));
    let (text, mend) = line.split_once(" — ").unwrap_or((line, ""));
    (text.to_owned(), mend.to_owned())
}

/// The first line's words, and the SQL behind them; run as it stands, statement by statement, the line becomes the second.
fn mended(scene: &Database, connector: &Connector, begins: &str, afterwards: &str) {
    let (text, mend) = line(&connector.check(), begins);
    let sql = ["ALTER ", "GRANT ", "CREATE ", "SELECT "].iter().filter_map(|word| mend.find(word)).min();
    let sql = sql.unwrap_or_else(|| panic!("no statement in {mend:?} of {text:?}"));
    let end = mend.rfind(';').unwrap_or_else(|| panic!("no whole statement in {mend:?} of {text:?}"));
    let mut session = scene.sql();
    for statement in mend[sql..end].split("; ") {
        session.query_drop(statement).unwrap_or_else(|error| panic!("{text} — {mend}: {error}"));
    }
    // A reloaded setting counts a moment later.
    eventually(&format!("{afterwards:?} after {mend:?}:\n{}", connector.check()), LONG, || {
        connector.check().lines().any(|line| line.starts_with(afterwards)).then_some(())
    });
}

/// An account that may do nothing yet, and tables that are not its own.
fn scene(server: &Instance, broker: &str) -> Database {
    let scene = Database::at(
        server.port,
        broker.to_owned(),
        &[
            "CREATE ROLE plain LOGIN PASSWORD 'plainpw'",
            "CREATE TABLE keyed (id int PRIMARY KEY)",
            "CREATE TABLE whole (id int)",
            "ALTER TABLE whole REPLICA IDENTITY FULL",
        ],
    );
    scene.run(&[&format!("REVOKE ALL ON DATABASE {} FROM PUBLIC", scene.name)]);
    scene.run(&[&format!("GRANT CONNECT ON DATABASE {} TO plain", scene.name)]);
    scene
}

#[test]
fn what_check_says_mends_what_it_found() {
    let test = "what_check_says_mends_what_it_found";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    if address("HEADWATER_TEST_POSTGRES_18", test).is_none() {
        return;
    }
    let mut server = Instance::start("postgres-18", "--wal-level=replica");
    let scene = scene(&server, &broker);
    let plain = scene.connector().with(&[("database.user", "plain"), ("database.password", "plainpw")]);
    assert!(
        line(&plain.check(), "FAIL  wal_level: ").1.starts_with("ALTER SYSTEM SET wal_level = 'logical'; and restart")
    );
    server.restart_with("--max-replication-slots=2");

    mended(&scene, &plain, "FAIL  replication: ", "ok    replication: ");
    mended(&scene, &plain, "warn  SELECT: not on 2 of the captured tables", "ok    SELECT: ");
    mended(&scene, &plain, "FAIL  publication: ", "FAIL  publication: ");
    mended(&scene, &plain, "FAIL  publication: ", "ok    publication: ");
    let all = scene.connector().with(&[("publication.autocreate.mode", "disabled"), ("publication.name", "other")]);
    mended(&scene, &all, "FAIL  publication: ", "ok    publication: ");

    // The table is not in the publication: its changes would not come, and nobody would notice.
    scene.run(&["CREATE TABLE more (id int)", "GRANT SELECT ON more TO plain"]);
    mended(&scene, &all, "warn  publication: \"other\" lacks 1 captured tables: public.more", "ok    publication: ");
    mended(&scene, &plain, "FAIL  publication: ", "ok    publication: ");
    scene.run(&["CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)"]);
    scene.run(&["CREATE TABLE part PARTITION OF parts FOR VALUES FROM (1) TO (9)"]);
    scene.run(&["ALTER PUBLICATION other ADD TABLE part"]);
    assert_eq!(
        line(&all.check(), "ok    publication: ").0,
        "ok    publication: \"other\" publishes every captured table"
    );
    mended(&scene, &all, "warn  replica identity: 1 captured tables have no key", "ok    replica identity: ");
    assert!(!all.check().contains("warn  replica identity"));
    scene.run(&["ALTER PUBLICATION other SET (publish = 'insert')"]);
    let text = line(&all.check(), "warn  publication: ").0;
    assert_eq!(text, "warn  publication: it does not publish: update, delete");
    mended(&scene, &all, "warn  publication: it does not publish", "ok    publication: ");
    assert!(!all.check().contains("does not publish"));

    scene.run(&["ALTER SYSTEM SET wal_sender_timeout = 0", "ALTER SYSTEM SET idle_replication_slot_timeout = '1d'"]);
    scene.run(&["SELECT pg_reload_conf()"]);
    mended(&scene, &all, "warn  wal_sender_timeout: ", "ok    wal_sender_timeout: ");
    mended(&scene, &all, "warn  idle_replication_slot_timeout: ", "ok    idle_replication_slot_timeout: ");

    scene.run(&[
        "SELECT pg_create_physical_replication_slot('one')",
        "SELECT pg_create_physical_replication_slot('two')",
    ]);
    let (text, mend) = line(&all.check(), "FAIL  max_replication_slots: ");
    assert_eq!(text, "FAIL  max_replication_slots: 2 of 2 in use");
    assert!(mend.contains("nobody reads from (one, two)"), "{mend}");
    scene.run(&["SELECT pg_drop_replication_slot('one'), pg_drop_replication_slot('two')"]);
    assert!(all.check().contains("It would run"), "{}", all.check());
    slots(&scene, &all);
}

/// The slot, from its making to its loss.
fn slots(scene: &Database, connector: &Connector) {
    let running = connector.start_streaming();
    let text = line(&connector.check(), "warn  slot: ").0;
    assert!(text.contains("is in use by process") && text.contains("user app, application \"headwater\""), "{text}");
    assert!(running.terminate(LONG).success());
    scene.wait_until_free();
    assert!(line(&connector.check(), "ok    slot: ").0.contains("is confirmed up to"));
    // Less than what the slot needs is kept, and it is lost.
    scene.run(&["ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "ALTER SYSTEM SET wal_keep_size = 0"]);
    scene.run(&["SELECT pg_reload_conf()"]);
    let lost = format!("SELECT 1 FROM pg_replication_slots WHERE slot_name = '{}' AND wal_status = 'lost'", scene.name);
    eventually("the slot is lost", LONG, || {
        scene.run(&["SELECT pg_switch_wal(), pg_logical_emit_message(false, '', 'x')", "CHECKPOINT"]);
        scene.ask(&lost)
    });
    let text = line(&connector.check(), "FAIL  slot: HW1404").0;
    let drop = format!("SELECT pg_drop_replication_slot('{}');", scene.name);
    assert!(text.contains(&drop), "{text}");
    let failure = connector.start().wait_for_failure(LONG);
    assert!(failure.contains("HW1404") && failure.contains(&drop), "{failure}");
    scene.run(&[&drop]);
    // There is a stored offset: a new slot would pass over what happened since.
    line(&connector.check(), "FAIL  slot: HW1403");
}
