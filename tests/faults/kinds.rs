//! The kinds of faults, as data: what happens, whether it is an incident, and how soon it must be noticed.

use std::time::Duration;

use crate::scene::Scene;
use crate::support::broker::Broker;

/// Three heartbeats of a second, and what a busy machine takes on top.
const SILENCE: Duration = Duration::from_millis(3_000 + 2_000);

/// The watchdog's deadline for acknowledgements, and what a busy machine takes on top.
const ACKNOWLEDGEMENT: Duration = Duration::from_millis(5_000 + 3_000);

/// Where a fault strikes.
pub struct Place<'s> {
    pub scene: &'s Scene<'s>,
    pub broker: Option<&'s Broker>,
}

/// One kind.
pub struct Kind {
    pub name: &'static str,
    /// Whether it must be on record.
    pub is_incident: bool,
    pub noticed_within: Duration,
    /// Returns when the fault is over.
    pub strike: fn(&Place<'_>, &mut fastrand::Rng),
}

fn wait(random: &mut fastrand::Rng, millis: std::ops::Range<u64>) {
    std::thread::sleep(Duration::from_millis(random.u64(millis)));
}

pub const DATABASE: &[Kind] = &[
    Kind {
        name: "connection hangs",
        is_incident: true,
        noticed_within: SILENCE,
        strike: |place, _| {
            place.scene.proxy.blackhole();
            place.scene.proxy.freeze();
        },
    },
    Kind {
        name: "connection is reset",
        is_incident: true,
        noticed_within: SILENCE,
        strike: |place, _| place.scene.proxy.reset(),
    },
    Kind {
        name: "network hangs, old and new",
        is_incident: true,
        noticed_within: SILENCE,
        strike: |place, random| {
            place.scene.proxy.blackhole();
            wait(random, 4_500..7_000);
            place.scene.proxy.freeze();
        },
    },
    Kind {
        name: "cut inside of an event",
        is_incident: true,
        noticed_within: SILENCE,
        strike: |place, random| {
            place.scene.proxy.reset_after(random.u64(1..4_000));
            crate::support::eventually("the cut", Duration::from_secs(60), || {
                place.scene.proxy.has_reset().then_some(())
            });
        },
    },
    Kind {
        name: "bytes are corrupted",
        is_incident: true,
        noticed_within: SILENCE,
        strike: |place, _| {
            place.scene.proxy.corrupt();
            crate::support::eventually("the corruption", Duration::from_secs(60), || {
                place.scene.proxy.has_corrupted().then_some(())
            });
        },
    },
    Kind {
        name: "server is killed",
        is_incident: true,
        noticed_within: SILENCE,
        strike: |place, _| {
            place.scene.server.kill();
            place.scene.server.start_again();
        },
    },
    Kind {
        name: "server is frozen",
        is_incident: true,
        noticed_within: SILENCE,
        strike: |place, random| {
            place.scene.server.freeze();
            wait(random, 4_500..7_000);
            place.scene.server.thaw();
        },
    },
    Kind {
        name: "line is slow",
        is_incident: false,
        noticed_within: SILENCE,
        strike: |place, random| {
            place.scene.proxy.slow(random.u64(3_000..20_000));
            wait(random, 1_000..4_000);
            place.scene.proxy.pass();
        },
    },
];

pub const BROKER: &[Kind] = &[
    Kind {
        name: "broker is frozen",
        is_incident: true,
        noticed_within: ACKNOWLEDGEMENT,
        strike: |place, random| {
            let Some(broker) = place.broker else { return };
            broker.freeze();
            wait(random, 8_500..12_000);
            broker.thaw();
        },
    },
    Kind {
        name: "broker pauses shortly",
        is_incident: false,
        noticed_within: ACKNOWLEDGEMENT,
        strike: |place, random| {
            let Some(broker) = place.broker else { return };
            broker.freeze();
            wait(random, 200..1_500);
            broker.thaw();
        },
    },
    Kind {
        name: "broker is killed",
        is_incident: true,
        noticed_within: ACKNOWLEDGEMENT,
        strike: |place, random| {
            let Some(broker) = place.broker else { return };
            broker.kill();
            wait(random, 8_500..10_000);
            broker.start_again();
        },
    },
];
