//! What the watchdog finds that nobody else does, each broken on purpose: a server that does not say where its log ends, a
//! marker that goes to another server, an attempt that never comes back.
//!
//! Promised of each: it is said, by its name and with its reason; the connector is not RUNNING where nothing comes, and is
//! RUNNING where nothing is wrong; it is over when what was missing comes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

mod canary;
mod hung;
#[path = "../live_losses/scene.rs"]
#[allow(dead_code)]
mod scene;

use std::time::Duration;

use scene::World;
use serde_json::Value;
use support::program::Running;
use support::{address, eventually};

const WITHIN: Duration = Duration::from_secs(90);
const ACKNOWLEDGED: &str = "headwater_records_acknowledged_total";

/// A server of the test's own, and the shared broker.
fn world(test: &str) -> Option<World> {
    let broker = address("HEADWATER_TEST_KAFKA", test)?;
    address("HEADWATER_TEST_MYSQL_97", test)?;
    Some(World::start("mysql-9.7", "", &broker))
}

/// Waits until the watchdog says so; gives what it says.
fn wait_for_verdict(running: &Running, verdict: &str) -> Value {
    eventually(&format!("{verdict}\n{}", running.log_tail(30)), WITHIN, || {
        Some(running.connector_answer("flow")).filter(|flow| flow["verdict"] == verdict)
    })
}

/// Ends the connections that ask, and leaves the stream.
fn kill_askers(world: &World) {
    let asking = "SELECT id FROM information_schema.processlist WHERE user = 'cdc' AND command = 'Sleep'";
    let mut session = world.server.session();
    let answer = session.query(asking).unwrap();
    for row in &answer.rows {
        let id = answer.text(row, "id").or_else(|| answer.text(row, "ID")).unwrap();
        // One that has gone by itself cannot be killed.
        let _ = session.query_drop(&format!("KILL {id}"));
    }
}

/// The stream lives, and nobody says where the log ends: said as it is, and no alarm.
#[test]
fn a_head_that_is_not_known_is_not_called_idle() {
    let Some(world) = world("watchdog: head") else { return };
    let scene = world.scene("headless");
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO t VALUES (1, 1, 'before')"]);
    assert!(wait_for_verdict(&running, "idle")["head"]["unknown_since_ms"].is_null());
    scene.proxy.lead_to("127.0.0.1:1");
    kill_askers(&world);
    let flow = wait_for_verdict(&running, "quiet");
    assert_eq!((flow["state"].as_str(), flow["incidents"].as_u64()), (Some("RUNNING"), Some(0)), "{flow}");
    assert!(flow["head"]["unknown_since_ms"].as_i64().is_some_and(|since| since > 0), "{flow}");
    assert!(flow["head"]["behind_bytes"].is_null(), "{flow}");
    assert!(flow["because"].as_str().unwrap().contains("has not been known for"), "{flow}");
    running.wait_for_metric("headwater_head_unknown_seconds", 0.1, WITHIN);
    // The stream goes on all the same.
    scene.sql(&["INSERT INTO t VALUES (2, 2, 'meanwhile')"]);
    running.wait_for_metric(ACKNOWLEDGED, 2.0, WITHIN);
    scene.proxy.lead_to(&world.server.address());
    assert!(wait_for_verdict(&running, "idle")["head"]["unknown_since_ms"].is_null());
    scene.check(&running);
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// Connections that work are made anew at an age: nothing comes twice, and nobody is alarmed.
#[test]
fn connections_are_renewed_at_an_age() {
    let Some(world) = world("watchdog: age") else { return };
    let scene = world.scene("aged").with(&[("headwater.connection.max.age.ms", "1000")]);
    let running = scene.connector.start_streaming();
    scene.under_load(200, |_| {
        eventually("the connection is made anew", WITHIN, || {
            (running.log().matches("was made anew").count() >= 3).then_some(())
        });
    });
    assert_eq!(scene.check(&running).duplicates, 0);
    assert_eq!(running.metric("debezium_metrics_NumberOfDisconnects"), Some(0.0));
    assert_eq!(running.connector_answer("flow")["incidents"], 0, "{}", running.log_tail(30));
    assert!(running.terminate(Duration::from_secs(20)).success());
}
