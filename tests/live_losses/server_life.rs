//! A server that restarts, crashes, rotates its log, or takes another for the same reader.

use std::time::Duration;

use super::scene::{Scene, World};
use crate::support::program::Connector;

const WITHIN: Duration = Duration::from_secs(60);

fn away(world: &World, database: &str, end: fn(&World)) {
    let scene = world.scene(database);
    let running = scene.connector.start_streaming();
    scene.under_load(100, |written| {
        Scene::wait_for_more(written, 50);
        end(world);
        let trace = running.wait_for_state("RESTARTING", WITHIN);
        assert!(trace.contains("HW0"), "a code and a hint: {trace}");
        world.server.start_again();
        running.wait_for_state("RUNNING", WITHIN);
        Scene::wait_for_more(written, 50);
    });
    scene.check(&running);
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// An orderly restart under load.
pub fn restart(world: &World) {
    away(world, "restarted", |world| world.server.stop());
}

/// A crash of the server under load.
pub fn crash(world: &World) {
    // A server that does not write its logs at each commit may lose what it has sent to its readers.
    world.server.sql(&["SET GLOBAL sync_binlog = 1", "SET GLOBAL innodb_flush_log_at_trx_commit = 1"]);
    away(world, "crashed", |world| world.server.kill());
}

/// FLUSH BINARY LOGS under load.
pub fn flushed_log(world: &World) {
    let scene = world.scene("flushed");
    let running = scene.connector.start_streaming();
    scene.under_load(200, |written| {
        for _ in 0..10 {
            Scene::wait_for_more(written, 15);
            world.server.sql(&["FLUSH BINARY LOGS"]);
        }
    });
    let folded = scene.check(&running);
    assert_eq!(folded.duplicates, 0);
    assert_eq!(running.metric("debezium_metrics_NumberOfDisconnects"), Some(0.0));
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// Another reader with the same server id: the server sends the first one away, which says why and stays away, for the
/// two would push each other out for ever. When it is started again, nothing is lost.
pub fn server_id_taken(world: &World) {
    let scene = world.scene("taken");
    let mut running = scene.connector.start_streaming();
    let id = scene.connector.config["database.server.id"].clone();
    let other = Connector::new(&world.server, &world.broker, "taken").with(&[("database.server.id", &id)]);
    scene.under_load(100, |written| {
        Scene::wait_for_more(written, 50);
        let second = other.start();
        let trace = running.wait_for_failure(WITHIN);
        assert!(trace.contains("database.server.id"), "the cause and the setting are named: {trace}");
        Scene::wait_for_more(written, 50);
        second.kill();
    });
    running.kill();
    let running = scene.connector.start();
    scene.check(&running);
    assert!(running.terminate(Duration::from_secs(20)).success());
}
