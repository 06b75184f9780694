//! What the watchdog finds that nobody else does, each broken on purpose: a partition without a leader while others go on, a
//! server that does not say where its log ends, a marker that goes to another server, an attempt that never comes back.
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

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use scene::{Scene, World};
use serde_json::Value;
use support::broker::Broker;
use support::program::Running;
use support::{address, eventually, free_port, topic};

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

/// Makes a topic whose one partition lies on one broker.
fn make_topic_on(broker: i32, address: &str, name: &str) {
    let mut config = ClientConfig::new();
    let admin: AdminClient<DefaultClientContext> = config.set("bootstrap.servers", address).create().unwrap();
    let replicas = [broker];
    let assignment: [&[i32]; 1] = [&replicas];
    let topic = NewTopic::new(name, 1, TopicReplication::Variable(&assignment));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    eventually("the broker takes the topic", WITHIN, || {
        let made = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
        made.into_iter().all(|made| made.is_ok()).then_some(())
    });
}

/// A broker has gone, and with it the only replica of one topic: what others acknowledge is no sign that all is well.
#[test]
fn a_partition_without_a_leader_is_noticed_while_others_go_on() {
    let Some(world) = world("watchdog: hole") else { return };
    let first = Broker::start_with(free_port(), "broker.session.timeout.ms=4000");
    let scene = world.scene_on("hole", &first.address());
    scene.sql(&["CREATE TABLE other (id BIGINT PRIMARY KEY)"]);
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO t VALUES (0, 0, 'before')"]);
    running.wait_for_metric(ACKNOWLEDGED, 1.0, WITHIN);
    // Only now, so that nothing but the one topic lies on it.
    let port = free_port();
    let voter = first.port + 1;
    let options = format!(
        "process.roles=broker\nnode.id=2\nlisteners=PLAINTEXT://127.0.0.1:{port}\ncontroller.quorum.voters=1@127.0.0.1:{voter}"
    );
    let second = Broker::start_with(port, &options);
    let name = scene.connector.topic("hole.other");
    make_topic_on(2, &first.address(), &name);
    scene.sql(&["INSERT INTO other VALUES (0)"]);
    running.wait_for_metric(ACKNOWLEDGED, 2.0, WITHIN);
    second.kill();
    scene.under_load(100, |written| {
        scene.sql(&["INSERT INTO other VALUES (1)"]);
        let flow = wait_for_verdict(&running, "delivery_stuck");
        assert_eq!(flow["state"], "RESTARTING", "{flow}");
        assert!(running.state().1.contains("HW0959"), "{:?}", running.state());
        let (stored, acknowledged) = (scene.connector.stored_offset(), running.metric(ACKNOWLEDGED).unwrap());
        running.wait_for_metric(ACKNOWLEDGED, acknowledged + 100.0, WITHIN);
        assert_eq!(scene.connector.stored_offset(), stored, "the position stays before what is not delivered");
        second.start_again();
        running.wait_for_state("RUNNING", WITHIN);
        let incidents = running.connector_answer("incidents");
        let incident = |field: &str| incidents[0][field].as_str().unwrap_or_default().to_owned();
        assert_eq!((incident("verdict"), incident("state")), ("delivery_stuck".to_owned(), "over".to_owned()));
        Scene::wait_for_more(written, 50);
    });
    scene.check(&running);
    let ids: std::collections::BTreeSet<_> =
        topic::read_all(&first.address(), &name).into_iter().map(|record| record.key).collect();
    assert_eq!(ids.len(), 2);
    assert!(running.terminate(Duration::from_secs(20)).success());
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
