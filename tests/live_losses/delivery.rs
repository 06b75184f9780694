//! A broker or a registry that is away: nothing is given up, and flow returns by itself.

use std::time::{Duration, Instant};

use super::scene::World;
use crate::support::address;
use crate::support::broker::Broker;
use crate::support::fault_proxy::FaultProxy;
use crate::support::{eventually, topic};

const WITHIN: Duration = Duration::from_secs(60);
const ACKNOWLEDGED: &str = "headwater_records_acknowledged_total";

/// The broker hangs, rows are read, the program is killed: what was read and not acknowledged comes again.
pub fn broker_frozen(world: &World) {
    let broker = Broker::start();
    let scene = world.scene_on("frozen", &broker.address());
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO t VALUES (0, 0, 'before')"]);
    running.wait_for_metric(ACKNOWLEDGED, 1.0, WITHIN);
    broker.freeze();
    scene.insert_many(1, 20_010, &[]);
    // The first wave is under way, and the rest waits behind it in the program.
    running.wait_for_metric("headwater_records_sent_total", 20.0, WITHIN);
    running.kill();
    broker.thaw();
    let running = scene.connector.start();
    scene.check(&running);
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// The broker is away longer than `delivery.timeout.ms`.
pub fn broker_away(world: &World) {
    let broker = Broker::start();
    let scene = world.scene_on("away", &broker.address()).with(&[
        ("producer.override.delivery.timeout.ms", "3000"),
        ("producer.override.request.timeout.ms", "1000"),
        ("producer.override.linger.ms", "0"),
    ]);
    let worker = [("connector.client.config.override.policy", "All")];
    let scene = super::scene::Scene { connector: scene.connector.with_worker(&worker), ..scene };
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO t VALUES (0, 0, 'before')"]);
    running.wait_for_metric(ACKNOWLEDGED, 1.0, WITHIN);
    broker.kill();
    scene.insert_many(1, 5_000, &[]);
    let began = Instant::now();
    running.wait_for_reason("HW07", WITHIN);
    println!("  the status said so after {:.1?}", began.elapsed());
    let failed = Instant::now();
    running.wait_for_log("building it again from the stored position", WITHIN);
    println!("  its threads had ended {:.1?} later", failed.elapsed());
    assert!(failed.elapsed() < Duration::from_secs(3), "the stores were waited for: {:?}", failed.elapsed());
    // Well beyond the timeout: it goes on trying.
    std::thread::sleep(Duration::from_secs(4));
    let (state, trace) = running.state();
    assert_eq!(state, "RESTARTING", "{trace}");
    broker.start_again();
    let back = Instant::now();
    scene.check(&running);
    println!("  all there {:.1?} after the broker was", back.elapsed());
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// The schema registry is away while a table appears; its rows wait.
pub fn registry_away(world: &World) {
    let Some(registry) = address("HEADWATER_TEST_REGISTRY", "losses: registry") else { return };
    let (host, path) = registry.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let proxy = FaultProxy::start(host);
    let url = format!("http://127.0.0.1:{}/{path}", proxy.port);
    let scene = world.scene("registry").with(&[
        ("key.converter", "io.confluent.connect.avro.AvroConverter"),
        ("key.converter.schema.registry.url", &url),
        ("value.converter", "io.confluent.connect.avro.AvroConverter"),
        ("value.converter.schema.registry.url", &url),
    ]);
    let running = scene.connector.start_streaming();
    scene.sql(&["INSERT INTO t VALUES (1, 1, 'before')"]);
    running.wait_for_metric(ACKNOWLEDGED, 1.0, WITHIN);
    proxy.switch("127.0.0.1:1");
    scene.sql(&["CREATE TABLE born (id INT PRIMARY KEY, a INT)", "INSERT INTO born VALUES (1, 1), (2, 2), (3, 3)"]);
    running.wait_for_reason("HW06", WITHIN);
    proxy.blackhole();
    std::thread::sleep(Duration::from_secs(2));
    let (state, trace) = running.state();
    assert_eq!(state, "RESTARTING", "{trace}");
    proxy.switch(host);
    proxy.freeze();
    scene.sql(&["INSERT INTO born VALUES (4, 4)"]);
    eventually("flow returns", Duration::from_secs(90), || (running.metric(ACKNOWLEDGED) >= Some(5.0)).then_some(()));
    running.wait_for_state("RUNNING", WITHIN);
    let records = topic::read_all(&world.broker, &scene.connector.topic("registry.born"));
    assert_eq!(records.len(), 4, "all rows of the new table, once");
    assert!(records.iter().all(|record| record.value.as_ref().unwrap()[0] == 0), "in the registry's framing");
    assert!(running.terminate(Duration::from_secs(20)).success());
}
