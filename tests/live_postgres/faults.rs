//! What goes wrong around the stream: the broker, the network, the slot, the publication, and the tables themselves.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater::source::postgres::connection::{ConnectOptions, Connection, Lsn, Purpose, ReplicationRequest, Secret};
use serde_json::Value;

use crate::support::broker::Broker;
use crate::support::fault_proxy::FaultProxy;
use crate::support::postgres::{Database, LONG};
use crate::support::program::Connector;
use crate::support::{SetWhenDropped, address, topic};
use crate::{SERVER, eventually};

/// The ids of a table's rows on its topic.
fn ids(scene: &Database, connector: &Connector, table: &str) -> BTreeSet<i64> {
    scene.landed(connector, table).iter().map(|(_, row)| row["id"].as_i64().unwrap()).collect()
}

/// What was confirmed to the slot is on the broker's disk, whatever happens to it.
#[test]
fn a_broker_that_is_frozen_and_killed_has_everything_that_was_confirmed() {
    let test = "a_broker_that_is_frozen_and_killed_has_everything_that_was_confirmed";
    let Some(mut scene) = Database::new(SERVER, test, &["CREATE TABLE item (id bigint PRIMARY KEY, filler text)"])
    else {
        return;
    };
    // The walsender of this database gives up on a client that says nothing for this long.
    scene.run(&[&format!("ALTER DATABASE {} SET wal_sender_timeout = '2s'", scene.name)]);
    let broker = Broker::start();
    // So little may be on the way that a frozen broker soon blocks the reader too.
    let connector = Connector::postgres(scene.port, &broker.address(), &scene.name)
        .with(&[("max.queue.size.in.bytes", "200000"), ("table.include.list", "public[.]item")]);
    let running = connector.start_streaming();
    scene.broker = broker.address();
    let (stop, committed) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let (before, confirmed) = std::thread::scope(|scope| {
        let _stop = SetWhenDropped(&stop);
        let (writer, stop, committed) = (&scene, &stop, &committed);
        scope.spawn(move || {
            let mut session = writer.sql();
            for id in 1_i64.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                session.query_drop(&format!("INSERT INTO item VALUES ({id}, repeat('x', 1000))")).unwrap();
                let end = session.query("SELECT pg_current_wal_insert_lsn() AS lsn").unwrap().first("lsn").unwrap();
                committed.lock().unwrap().push((id, end.parse::<Lsn>().unwrap()));
            }
        });
        scene.wait_for(&connector, &running, "item", 50);
        broker.freeze();
        let pid = format!("SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{}'", scene.name);
        let walsender = scene.ask(&pid);
        let frozen_at = committed.lock().unwrap().len();
        // Three times what the server waits for: whoever reads no further must go on answering.
        std::thread::sleep(Duration::from_secs(6));
        eventually("more is written than may be on the way", LONG, || {
            (committed.lock().unwrap().len() > frozen_at + 400).then_some(())
        });
        assert!(walsender.is_some() && scene.ask(&pid) == walsender, "{}", running.log_tail(20));
        broker.kill();
        running.kill();
        (committed.lock().unwrap().clone(), scene.confirmed().unwrap())
    });
    broker.start_again();
    let landed = ids(&scene, &connector, "item");
    let mut counted = 0;
    for (id, end) in before.iter().filter(|(_, end)| *end <= confirmed) {
        assert!(landed.contains(id), "row {id}, committed before {end}, is lost: {confirmed} was confirmed");
        counted += 1;
    }
    let running = connector.start_streaming();
    let written: BTreeSet<i64> = committed.into_inner().unwrap().into_iter().map(|(id, _)| id).collect();
    eventually(&format!("every row\n{}", running.log_tail(20)), LONG, || {
        (ids(&scene, &connector, "item") == written).then_some(())
    });
    println!("PostgreSQL: {counted} rows were confirmed when the broker was killed, {} written", written.len());
}

/// Bytes stop while TCP lives: no error comes from anywhere, and still it is noticed.
#[test]
fn a_silent_connection_is_noticed_and_nothing_is_lost() {
    let test = "a_silent_connection_is_noticed_and_nothing_is_lost";
    let Some(scene) = Database::new(SERVER, test, &["CREATE TABLE t (id bigint PRIMARY KEY)"]) else { return };
    let proxy = FaultProxy::start(&format!("127.0.0.1:{}", scene.port));
    let connector = scene.connector().with(&[("database.port", &proxy.port.to_string())]);
    let running = connector.start_streaming();
    scene.run(&["INSERT INTO t VALUES (1)"]);
    scene.wait_for(&connector, &running, "t", 1);
    proxy.freeze();
    scene.run(&["INSERT INTO t VALUES (2)"]);
    scene.wait_for(&connector, &running, "t", 2);
    // Nothing passes for a while, and new connections do not either.
    proxy.blackhole();
    scene.run(&["INSERT INTO t VALUES (3)"]);
    running.wait_for_state("RESTARTING", LONG);
    proxy.pass();
    let rows = scene.wait_for(&connector, &running, "t", 3);
    let ids: Vec<i64> = rows.iter().map(|(_, row)| row["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3], "{}", running.log_tail(20));
}

/// Another client reads from the slot: it is waited for and named; and what it has confirmed away is told.
#[test]
fn a_slot_that_is_stolen_is_waited_for_and_what_it_lost_is_told() {
    let test = "a_slot_that_is_stolen_is_waited_for_and_what_it_lost_is_told";
    let Some(scene) = Database::new(SERVER, test, &["CREATE TABLE t (id bigint PRIMARY KEY)"]) else { return };
    let connector = scene.connector().with(&[("slot.retry.delay.ms", "300"), ("slot.max.retries", "1000")]);
    let mut running = connector.start_streaming();
    scene.run(&["INSERT INTO t VALUES (1)"]);
    scene.wait_for(&connector, &running, "t", 1);
    let thief = || {
        let options = ConnectOptions {
            host: "127.0.0.1".to_owned(),
            port: scene.port,
            user: "cdc".to_owned(),
            password: Some(Secret::new("cdcpw")),
            database: scene.name.clone(),
            application_name: "thief".to_owned(),
            ..ConnectOptions::default()
        };
        let end = format!(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{}' AND active",
            scene.name
        );
        let mut request = ReplicationRequest::new(scene.name.clone(), vec![scene.name.clone()]);
        request.status_interval = Duration::from_millis(100);
        eventually("the slot is stolen", LONG, || {
            scene.run(&[&end]);
            let connection = Connection::connect(&options, Purpose::Replication, &std::sync::Arc::default()).unwrap();
            connection.start_replication(&request).ok()
        })
    };
    let stolen = thief();
    running.wait_for_log("application \"thief\", from 127.0.0.1", LONG);
    scene.run(&["INSERT INTO t VALUES (2)"]);
    drop(stolen);
    scene.wait_for(&connector, &running, "t", 2);
    let stolen = thief();
    scene.run(&["INSERT INTO t VALUES (3)"]);
    let written: Lsn = scene.ask("SELECT pg_current_wal_lsn()").unwrap().parse().unwrap();
    stolen.confirmed().advance(written);
    stolen.report_now();
    eventually("the thief has confirmed", LONG, || scene.confirmed().filter(|lsn| *lsn >= written));
    drop(stolen);
    let failure = running.wait_for_failure(LONG);
    assert!(failure.contains("HW1407"), "{failure}");
    assert_eq!(ids(&scene, &connector, "t"), BTreeSet::from([1, 2]));
}

/// What is taken away behind a running connector's back makes it fail, and says what is gone.
#[test]
fn a_slot_or_publication_that_is_dropped_is_told() {
    for variable in ["HEADWATER_TEST_POSTGRES_17", "HEADWATER_TEST_POSTGRES_18"] {
        let test = "a_slot_or_publication_that_is_dropped_is_told";
        let (Some(server), Some(broker)) = (address(variable, test), address("HEADWATER_TEST_KAFKA", test)) else {
            return;
        };
        let port = server.rsplit(':').next().unwrap().parse().unwrap();
        let scene = Database::at(port, broker, &["CREATE TABLE t (id bigint PRIMARY KEY)"]);
        let name = scene.name.clone();
        let connector = scene.connector();
        let mut running = connector.start_streaming();
        scene.run(&["INSERT INTO t VALUES (1)"]);
        scene.wait_for(&connector, &running, "t", 1);
        scene.run(&[&format!("DROP PUBLICATION {name}"), "INSERT INTO t VALUES (2)"]);
        let failure = running.wait_for_failure(LONG);
        assert!(failure.contains("HW1224") && failure.contains(&name), "{variable}: {failure}");
        drop(running);
        // Made again, it is none at the place of what was written without it.
        scene.wait_until_free();
        let failure = connector.start().wait_for_failure(LONG);
        assert!(failure.contains("HW1224"), "{variable}: {failure}");
        scene.wait_until_free();
        // As the page says, where what was written in between is not needed.
        scene.run(&[&format!("SELECT pg_replication_slot_advance('{name}', pg_current_wal_lsn())")]);
        let connector = connector.with(&[("offset.mismatch.strategy", "trust_greater_lsn")]);
        let running = connector.start_streaming();
        scene.run(&["INSERT INTO t VALUES (3)"]);
        scene.wait_for(&connector, &running, "t", 2);
        assert!(running.terminate(LONG).success());
        scene.wait_until_free();
        scene.run(&[&format!("SELECT pg_drop_replication_slot('{name}')")]);
        let failure = connector.start().wait_for_failure(LONG);
        assert!(failure.contains("HW1403"), "{variable}: {failure}");
        assert_eq!(ids(&scene, &connector, "t"), BTreeSet::from([1, 3]));
    }
}

/// Tables and types change under a running stream, and in its past; each row comes as it was written.
#[test]
fn tables_and_types_that_change_in_mid_stream_lose_no_row() {
    let test = "tables_and_types_that_change_in_mid_stream_lose_no_row";
    let tables = ["CREATE TYPE mood AS ENUM ('sad')", "CREATE TABLE t (id int PRIMARY KEY, n int, mood mood)"];
    let changes = [
        "INSERT INTO t VALUES (1, 2, 'sad')",
        "ALTER TABLE t ALTER n TYPE bigint",
        "INSERT INTO t VALUES (2, 3000000000, 'sad')",
        "ALTER TYPE mood ADD VALUE 'glad'",
        "INSERT INTO t VALUES (3, 4, 'glad')",
        "ALTER TABLE t ALTER n TYPE text",
        "INSERT INTO t VALUES (4, 'five', 'glad')",
        "DROP TABLE t",
        "CREATE TABLE t (id int PRIMARY KEY, other text[])",
        "INSERT INTO t VALUES (5, '{a,NULL}')",
    ];
    let expected = [
        r#"{"id":1,"n":2,"mood":"sad"}"#,
        r#"{"id":2,"n":3000000000,"mood":"sad"}"#,
        r#"{"id":3,"n":4,"mood":"glad"}"#,
        r#"{"id":4,"n":"five","mood":"glad"}"#,
        r#"{"id":5,"other":["a",null]}"#,
    ];
    for live in [true, false] {
        let Some(scene) = Database::new(SERVER, test, &tables) else { return };
        let connector = scene.connector().with(&[("publication.autocreate.mode", "all_tables")]);
        let mut running = connector.start_streaming();
        if !live {
            assert!(running.terminate(LONG).success());
            running = {
                scene.run(&changes);
                connector.start_streaming()
            };
        } else {
            // Each change is read before the next is made, as on a quiet database.
            let mut written = 0;
            for change in changes {
                scene.run(&[change]);
                if change.starts_with("INSERT") {
                    written += 1;
                    scene.wait_for(&connector, &running, "t", written);
                }
            }
        }
        let rows: Vec<String> =
            scene.wait_for(&connector, &running, "t", expected.len()).iter().map(|(_, row)| row.to_string()).collect();
        assert_eq!(rows, expected, "live: {live}");
        assert!(running.terminate(LONG).success());
    }
}

/// Other databases of the server write, ours is idle: the slot keeps none of their log.
#[test]
fn traffic_of_other_databases_does_not_pile_up_behind_the_slot() {
    let test = "traffic_of_other_databases_does_not_pile_up_behind_the_slot";
    let Some(scene) = Database::new(SERVER, test, &["CREATE TABLE t (id bigint PRIMARY KEY)"]) else { return };
    let Some(other) = Database::new(SERVER, test, &["CREATE TABLE noise (id bigint)"]) else { return };
    let connector = scene.connector();
    let running = connector.start_streaming();
    for _ in 0..3 {
        other.run(&["INSERT INTO noise SELECT generate_series(1, 5000)"]);
        let written: Lsn = other.ask("SELECT pg_current_wal_lsn()").unwrap().parse().unwrap();
        let what = format!("the slot has passed what others wrote\n{}", running.log_tail(20));
        eventually(&what, LONG, || scene.confirmed().filter(|lsn| *lsn >= written));
    }
    scene.run(&["INSERT INTO t VALUES (1)"]);
    scene.wait_for(&connector, &running, "t", 1);
    let mut values: Vec<Value> = Vec::new();
    topic::read(&scene.broker, &connector.topic("public.noise"), |_| values.push(Value::Null));
    assert!(values.is_empty(), "another database's rows");
}

/// A predecessor that hangs is ended where the setting says so, and only then; and a slot is dropped on a clean stop where
/// that is asked for.
#[test]
fn a_slot_is_taken_over_and_dropped_only_where_settings_say_so() {
    let test = "a_slot_is_taken_over_and_dropped_only_where_settings_say_so";
    let Some(scene) = Database::new(SERVER, test, &["CREATE TABLE t (id bigint PRIMARY KEY)"]) else { return };
    let first = scene.connector();
    let old = first.start_streaming();
    let connector = scene.connector().with(&[
        ("headwater.slot.takeover", "true"),
        ("slot.retry.delay.ms", "300"),
        ("slot.drop.on.stop", "true"),
    ]);
    let running = connector.start_streaming();
    drop(old);
    assert!(running.log().contains("headwater.slot.takeover"), "{}", running.log_tail(20));
    running.wait_for_state("RUNNING", LONG);
    scene.run(&["INSERT INTO t VALUES (1)"]);
    scene.wait_for(&connector, &running, "t", 1);
    let slot = format!("SELECT 1 FROM pg_replication_slots WHERE slot_name = '{}'", scene.name);
    assert!(running.terminate(LONG).success());
    assert_eq!(scene.ask(&slot), None);
    // The next start says what it passes over, and begins with a slot of its own.
    scene.run(&["INSERT INTO t VALUES (2)"]);
    let running = connector.start_streaming();
    assert!(running.log().contains("slot.drop.on.stop"), "{}", running.log_tail(20));
    scene.run(&["INSERT INTO t VALUES (3)"]);
    scene.wait_for(&connector, &running, "t", 2);
    assert_eq!(ids(&scene, &connector, "t"), BTreeSet::from([1, 3]));
    running.kill();
    assert!(scene.ask(&slot).is_some(), "a process that was killed has dropped nothing");
}
