//! Bytes stop while TCP lives: noticed within three heartbeat periods, and nothing is lost.

use std::time::{Duration, Instant};

use super::scene::{Scene, World};

const HEARTBEAT: Duration = Duration::from_millis(500);

/// Noticing may take three periods; the rest is the process being scheduled and asked.
const NOTICED_WITHIN: Duration = Duration::from_millis(3 * 500 + 400);

fn silent(world: &World, database: &str, works_again_after: Duration) {
    let scene = world.scene(database).with(&[("headwater.heartbeat.period.ms", &HEARTBEAT.as_millis().to_string())]);
    let running = scene.connector.start_streaming();
    scene.under_load(200, |written| {
        Scene::wait_for_more(written, 200);
        running.wait_for_metric("headwater_records_acknowledged_total", 100.0, Duration::from_secs(20));
        let stopped = Instant::now();
        scene.proxy.blackhole();
        if works_again_after.is_zero() {
            scene.proxy.freeze();
        }
        let log_before = running.log().matches("HW0463").count();
        while running.log().matches("HW0463").count() == log_before {
            assert!(stopped.elapsed() < Duration::from_secs(10), "silence was not noticed\n{}", running.log_tail(20));
            std::thread::sleep(Duration::from_millis(5));
        }
        let noticed = stopped.elapsed();
        assert!(noticed < NOTICED_WITHIN, "silence was noticed after {noticed:?}");
        if !works_again_after.is_zero() {
            // The status says so for as long as it lasts.
            while stopped.elapsed() < works_again_after {
                let (state, trace) = running.state();
                assert_eq!(state, "RESTARTING", "{trace}");
                assert!(trace.contains("HW0"), "a code and a hint: {trace}");
                std::thread::sleep(Duration::from_millis(50));
            }
            scene.proxy.freeze();
        }
        running.wait_for_state("RUNNING", Duration::from_secs(20));
        let flowing = stopped.elapsed();
        let acknowledged = running.metric("headwater_records_acknowledged_total").unwrap();
        running.wait_for_metric("headwater_records_acknowledged_total", acknowledged + 50.0, Duration::from_secs(20));
        println!("  silence noticed after {noticed:.2?}; connected again after {flowing:.2?}");
        Scene::wait_for_more(written, 100);
    });
    let folded = scene.check(&running);
    assert_eq!(folded.duplicates, 0, "a new connection goes on where the old one was");
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// The old connection is dead; a new one works.
pub fn new_connections_work(world: &World) {
    silent(world, "silent", Duration::ZERO);
}

/// New connections are silent too, for a while.
pub fn new_connections_work_later(world: &World) {
    silent(world, "silent_long", Duration::from_secs(5));
}
