//! Sources that move: a standby that is promoted, with the slot and without; a standby that is read from.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::eventually;
use crate::support::fault_proxy::FaultProxy;
use crate::support::instance::Instance;
use crate::support::postgres::{Database, LONG};
use crate::support::program::{Connector, Running};
use crate::support::{SetWhenDropped, address};

/// A primary, its standby, and a connector that reaches whichever is behind one address.
struct Pair {
    // Dropped in this order: the standby is wiped while its primary can still be told.
    scene: Database,
    connector: Connector,
    proxy: FaultProxy,
    standby: Instance,
    primary: Instance,
}

fn pair(test: &str, settings: &[(&str, &str)]) -> Option<Pair> {
    let broker = address("HEADWATER_TEST_KAFKA", test)?;
    address("HEADWATER_TEST_POSTGRES_17_STANDBY", test)?;
    let primary = Instance::start("postgres-17", "");
    let standby = primary.start_follower("");
    let scene = Database::at(primary.port, broker, &["CREATE TABLE t (id bigint PRIMARY KEY)"]);
    let proxy = FaultProxy::start(&format!("127.0.0.1:{}", primary.port));
    let port = proxy.port.to_string();
    let connector = scene.connector().with(&[("database.port", &port)]).with(settings);
    Some(Pair { scene, connector, proxy, standby, primary })
}

impl Pair {
    /// The same database on another server.
    fn on(&self, server: &Instance) -> Database {
        Database { port: server.port, broker: self.scene.broker.clone(), name: self.scene.name.clone() }
    }

    /// Waits until the standby has a lasting copy of the slot. That takes a stream that moves, and a record of what runs.
    fn wait_until_synced(&self) {
        let standby = self.on(&self.standby);
        let name = &self.scene.name;
        eventually("the slot is on the standby", LONG, || {
            self.scene.run(&["SELECT pg_log_standby_snapshot()"]);
            standby.ask(&format!(
                "SELECT 1 FROM pg_replication_slots WHERE slot_name = '{name}' AND synced AND NOT temporary"
            ))
        });
        std::mem::forget(standby);
    }

    /// The primary dies, the standby takes its place behind the address.
    fn fail_over(&self) {
        self.primary.run("kill");
        self.standby.run("promote");
        self.proxy.switch(&format!("127.0.0.1:{}", self.standby.port));
    }

    /// A line of `headwater check` begins so.
    fn says(&self, begins: &str) {
        let said = self.connector.check();
        assert!(said.lines().any(|line| line.starts_with(begins)), "no line begins with {begins:?} in\n{said}");
    }

    /// What is in the table must be on the topic, and nothing else, each row once or more.
    fn reconcile(&self, scene: &Database, running: &Running) {
        let rows = scene.sql().query("SELECT id FROM t").unwrap().rows;
        let id = |cell: &Option<Vec<u8>>| String::from_utf8(cell.clone().unwrap()).unwrap().parse::<i64>().unwrap();
        let table: BTreeSet<i64> = rows.iter().map(|row| id(&row[0])).collect();
        let topic = || -> BTreeSet<i64> {
            scene.landed(&self.connector, "t").iter().map(|(_, row)| row["id"].as_i64().unwrap()).collect()
        };
        eventually(&format!("{} rows\n{}", table.len(), running.log_tail(30)), LONG, || {
            table.is_subset(&topic()).then_some(())
        });
        let extra: Vec<i64> = topic().difference(&table).copied().collect();
        assert!(extra.is_empty(), "on the topic, and not in the database: {extra:?}\n{}", running.log_tail(30));
        println!("PostgreSQL: {} rows behind a failover", table.len());
    }
}

#[test]
fn a_failover_to_a_standby_with_the_slot_loses_nothing() {
    let test = "a_failover_to_a_standby_with_the_slot_loses_nothing";
    let Some(pair) = pair(test, &[("slot.failover", "true")]) else { return };
    let running = pair.connector.start_streaming();
    pair.scene.run(&["INSERT INTO t VALUES (0)"]);
    pair.wait_until_synced();
    pair.says("ok    synchronized_standby_slots: standby_");
    let there = Connector::postgres(pair.standby.port, &pair.scene.broker, &pair.scene.name);
    assert!(there.check().contains("cannot be read on this standby"), "{}", there.check());
    let (stop, next) = (AtomicBool::new(false), AtomicI64::new(1));
    std::thread::scope(|scope| {
        let _stop = SetWhenDropped(&stop);
        for _ in 0..2 {
            scope.spawn(|| {
                let mut session = pair.scene.sql();
                while !stop.load(Ordering::Relaxed) {
                    let id = next.fetch_add(3, Ordering::Relaxed);
                    // The server is killed under the writers' hands.
                    if session.query_drop(&format!("INSERT INTO t VALUES ({id}), ({id} + 1), ({id} + 2)")).is_err() {
                        return;
                    }
                }
            });
        }
        pair.scene.wait_for(&pair.connector, &running, "t", 500);
        pair.fail_over();
    });
    let promoted = pair.on(&pair.standby);
    let first = next.load(Ordering::Relaxed) + 1_000;
    promoted.run(&[&format!("INSERT INTO t SELECT generate_series({first}, {first} + 500)")]);
    pair.reconcile(&promoted, &running);
    // The offset names the new timeline, and a new process goes on from it.
    assert!(running.terminate(LONG).success());
    assert_eq!(pair.connector.stored_offset().unwrap()["timeline"], 2);
    promoted.wait_until_free();
    let running = pair.connector.start_streaming();
    promoted.run(&["INSERT INTO t VALUES (-1)"]);
    pair.reconcile(&promoted, &running);
    std::mem::forget(promoted);
}

#[test]
fn a_failover_to_a_standby_without_the_slot_is_refused() {
    let test = "a_failover_to_a_standby_without_the_slot_is_refused";
    let Some(pair) = pair(test, &[]) else { return };
    let mut running = pair.connector.start_streaming();
    pair.scene.run(&["INSERT INTO t VALUES (1)"]);
    pair.scene.wait_for(&pair.connector, &running, "t", 1);
    let standby = pair.on(&pair.standby);
    eventually("the standby has the row", LONG, || standby.ask("SELECT 1 FROM t"));
    pair.says("warn  slot.failover: the slot is not on the standbys (standby_");
    pair.fail_over();
    let failure = running.wait_for_failure(LONG);
    assert!(failure.contains("HW1403"), "{failure}");
    standby.run(&["INSERT INTO t VALUES (2)"]);
    assert_eq!(standby.landed(&pair.connector, "t").len(), 1);
    std::mem::forget(standby);
}

/// The standby lacks what was delivered, and writes something else at the same places.
#[test]
fn a_standby_that_lacks_what_was_delivered_is_refused() {
    let test = "a_standby_that_lacks_what_was_delivered_is_refused";
    let Some(mut pair) = pair(test, &[("slot.failover", "true")]) else { return };
    let running = pair.connector.start_streaming();
    pair.scene.run(&["INSERT INTO t VALUES (1)"]);
    pair.scene.wait_for(&pair.connector, &running, "t", 1);
    pair.wait_until_synced();
    // Nobody waits for the standby any more, and it hangs.
    pair.scene.run(&["ALTER SYSTEM SET synchronized_standby_slots = ''", "SELECT pg_reload_conf()"]);
    pair.says("warn  synchronized_standby_slots: none");
    pair.standby.run("pause");
    pair.scene.run(&["INSERT INTO t SELECT generate_series(2, 2000)"]);
    pair.scene.wait_for(&pair.connector, &running, "t", 2000);
    assert!(running.terminate(LONG).success());
    pair.primary.run("kill");
    pair.standby.run("resume");
    pair.standby.run("promote");
    pair.proxy.switch(&format!("127.0.0.1:{}", pair.standby.port));
    let promoted = pair.on(&pair.standby);
    // Its log is soon longer than the old one was.
    promoted.run(&["INSERT INTO t SELECT generate_series(10001, 15000)"]);
    let failure = pair.connector.start().wait_for_failure(LONG);
    assert!(failure.contains("HW1440"), "{failure}");
    assert!(pair.connector.check().contains("FAIL  slot: HW1440"), "{}", pair.connector.check());
    // By the slot's own position everything of the new log comes.
    promoted.wait_until_free();
    pair.connector.config.insert("offset.mismatch.strategy".to_owned(), "trust_slot".to_owned());
    let running = pair.connector.start_streaming();
    let landed = promoted.wait_for(&pair.connector, &running, "t", 2000 + 5000);
    let ids: BTreeSet<i64> = landed.iter().map(|(_, row)| row["id"].as_i64().unwrap()).collect();
    assert!((10001..=15000).all(|id| ids.contains(&id)));
    std::mem::forget(promoted);
}

#[test]
fn a_standby_is_read_from_and_read_on_when_it_is_promoted() {
    let test = "a_standby_is_read_from_and_read_on_when_it_is_promoted";
    let Some(pair) = pair(test, &[]) else { return };
    let name = &pair.scene.name;
    let standby = pair.on(&pair.standby);
    pair.proxy.switch(&format!("127.0.0.1:{}", pair.standby.port));
    // A standby cannot make a publication, and says so.
    eventually("the standby has the database", LONG, || standby.try_session(&standby.name).ok());
    let failure = pair.connector.start().wait_for_failure(LONG);
    assert!(failure.contains("HW1408"), "{failure}");
    assert!(pair.connector.check().contains("a standby cannot make it — on the primary: CREATE PUBLICATION"));
    pair.says("ok    hot_standby_feedback: on");
    pair.scene.run(&[&format!("CREATE PUBLICATION {name} FOR TABLE t")]);
    let running = pair.connector.start();
    // A slot on a standby begins at a record of what runs on the primary.
    let made = format!("SELECT 1 FROM pg_replication_slots WHERE slot_name = '{name}' AND active");
    eventually(&format!("the slot on the standby\n{}", running.log_tail(20)), LONG, || {
        pair.scene.run(&["SELECT pg_log_standby_snapshot()"]);
        standby.ask(&made)
    });
    running.wait_for_state("RUNNING", LONG);
    pair.scene.run(&["INSERT INTO t SELECT generate_series(1, 500)"]);
    pair.scene.wait_for(&pair.connector, &running, "t", 500);
    pair.scene.run(&["INSERT INTO t SELECT generate_series(501, 1000)"]);
    eventually("the standby has replayed it", LONG, || standby.ask("SELECT 1 FROM t WHERE id = 1000"));
    pair.primary.run("kill");
    pair.standby.run("promote");
    standby.run(&["INSERT INTO t SELECT generate_series(1001, 1500)"]);
    pair.reconcile(&standby, &running);
    assert!(running.terminate(LONG).success());
    standby.wait_until_free();
    let running = pair.connector.start_streaming();
    standby.run(&["INSERT INTO t VALUES (1501)"]);
    pair.reconcile(&standby, &running);
    std::mem::forget(standby);
}
