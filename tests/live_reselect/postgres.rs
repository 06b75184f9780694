//! PostgreSQL: a commit is sent before other sessions see it.

use crate::support::address;
use crate::support::instance::Instance;
use crate::support::postgres::{Database, LONG};
use crate::support::program::Running;
use crate::{AGAIN, eventually};

/// Commits a row whose text is null, and then is not, while commits wait for a standby that is not there; `meanwhile` runs
/// when the row has been sent, and afterwards the commit waits no more.
fn committed_late(scene: &Database, running: &Running, id: i32, meanwhile: impl FnOnce()) {
    let standby = |name: &str| {
        scene.run(&[&format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'"), "SELECT pg_reload_conf()"]);
        eventually("the setting counts", LONG, || {
            (scene.ask("SHOW synchronous_standby_names").unwrap() == name).then_some(())
        });
    };
    standby("nobody");
    std::thread::scope(|scope| {
        let insert = format!("INSERT INTO t VALUES ({id}, NULL)");
        let update = format!("UPDATE t SET text = 'set later' WHERE id = {id}");
        let writer = scope.spawn(move || scene.run(&["BEGIN", &insert, &update, "COMMIT"]));
        eventually("the commit waits", LONG, || {
            scene.ask("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        });
        let name = &scene.name;
        eventually(&format!("the commit is sent\n{}", running.log_tail(20)), LONG, || {
            scene.ask(&format!(
                "SELECT 1 FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid \
                 WHERE s.slot_name = '{name}' AND r.sent_lsn >= pg_current_wal_flush_lsn()"
            ))
        });
        meanwhile();
        standby("");
        writer.join().unwrap();
    });
}

#[test]
fn a_row_is_not_read_again_before_its_transaction_is_visible() {
    let test = "a_row_is_not_read_again_before_its_transaction_is_visible";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    if address("HEADWATER_TEST_POSTGRES_17", test).is_none() {
        return;
    }
    let server = Instance::start("postgres-17", "");
    let scene = Database::at(server.port, broker, &["CREATE TABLE t (id int PRIMARY KEY, text text)"]);
    let connector = scene.connector().with(&AGAIN);
    let running = connector.start_streaming();
    // Nobody sees it within the limit: the row goes out as it came, and the log says why.
    committed_late(&scene, &running, 1, || running.wait_for_log("HW1419", LONG));
    // One that is seen at once, so that the next is waited for as long as any.
    scene.run(&["INSERT INTO t VALUES (3, NULL)", "UPDATE t SET text = 'at once' WHERE id = 3"]);
    scene.wait_for(&connector, &running, "t", 4);
    // It is seen a little later than it is sent.
    committed_late(&scene, &running, 2, || {});
    let landed = scene.wait_for(&connector, &running, "t", 6);
    let texts: Vec<_> =
        landed.iter().filter(|(_, row)| row["id"] != 3).map(|(op, row)| (op.as_str(), row["text"].as_str())).collect();
    let later = Some("set later");
    assert_eq!(texts, [("c", None), ("u", later), ("c", later), ("u", later)], "{}", running.log_tail(30));
    assert!(!running.log().contains("HW0906"), "{}", running.log_tail(30));
}
