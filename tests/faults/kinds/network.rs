//! What a network does, before the database, the broker or the registry.

use std::time::Duration;

use super::Record::{May, Must, Never};
use super::{Fault, Kind, Record, SILENCE, STUCK, Struck, wait, wait_for};
use crate::scene::{Scene, Victim};
use crate::watch::Moment;

const NOW: Fault = Ok(Struck { began: None, noticed: None });

/// Bytes that come next are cut off or turned over; whoever needs none does not see it.
fn in_the_next_bytes(scene: &Scene, has_happened: impl Fn() -> bool) -> Fault {
    scene.provoke()?;
    wait_for("bytes come", || has_happened().then_some(())).map(|()| Struck::default())
}

fn hang(scene: &Scene, random: &mut fastrand::Rng) -> Result<(), String> {
    scene.line().blackhole();
    scene.provoke()?;
    std::thread::sleep(scene.long(random));
    Ok(())
}

/// A broker's clients have several connections, and what one of them still brings says nothing of the others.
fn let_it_be_felt(scene: &Scene) {
    if scene.victim == Victim::Broker {
        std::thread::sleep(Duration::from_secs(7));
    }
}

/// Connections that exist are of no use any more.
fn lasting(victim: Victim) -> Vec<Kind> {
    // Nobody knows whether a client of a registry or a broker has a connection just now, or is about to make one.
    let held = if matches!(victim, Victim::Registry | Victim::Broker) { May } else { Must };
    vec![
        Kind::new("connections hang, new ones work", held, |scene, _| {
            scene.line().freeze();
            scene.provoke()?;
            let_it_be_felt(scene);
            NOW
        }),
        Kind::new("connections have lost the server, new ones work", held, |scene, _| {
            scene.line().lose_server();
            scene.provoke()?;
            let_it_be_felt(scene);
            NOW
        }),
        Kind::new("network hangs, connections stay dead", Must, |scene, random| {
            hang(scene, random)?;
            scene.line().freeze();
            NOW
        }),
        Kind::new("network hangs, then goes on", Must, |scene, random| {
            hang(scene, random)?;
            scene.line().pass();
            NOW
        }),
        Kind::new("connections are refused", Must, |scene, random| {
            scene.line().refuse();
            scene.provoke()?;
            std::thread::sleep(scene.long(random));
            scene.line().pass();
            NOW
        }),
    ]
}

fn at_once(victim: Victim) -> Vec<Kind> {
    // A broker's client and a registry's connect again so fast that nothing has waited.
    let broken = if victim == Victim::Database { Must } else { May };
    vec![
        Kind::new("connections are reset", broken, |scene, _| {
            scene.line().reset();
            scene.provoke()?;
            NOW
        }),
        Kind::new("cut inside of a message", broken, |scene, random| {
            scene.line().reset_after(random.u64(1..if scene.victim == Victim::Registry { 100 } else { 4_000 }));
            in_the_next_bytes(scene, || scene.line().has_reset())
        }),
        Kind::new("bytes are garbage", broken, |scene, _| {
            let began = Moment::now();
            let mut struck = NOW;
            for _ in 0..5 {
                scene.line().corrupt();
                struck = in_the_next_bytes(scene, || scene.line().has_corrupted());
                // They may have been the answer to the prober, which asks again on another connection.
                std::thread::sleep(Duration::from_millis(300));
                if scene.victim != Victim::Database || scene.rest.noticed_since(began).is_some() {
                    break;
                }
            }
            struck
        }),
    ]
}

/// Nothing that anybody has to be told of.
fn weather(victim: Victim) -> Vec<Kind> {
    let late: Record = if victim == Victim::Database { Never } else { May };
    vec![
        Kind::new("short pause", Never, |scene, random| {
            scene.line().blackhole();
            scene.provoke()?;
            wait(random, 200..1_200);
            scene.line().pass();
            NOW
        }),
        Kind::new("line is slow", May, |scene, random| {
            scene.line().slow(random.u64(3_000..20_000));
            scene.provoke()?;
            wait(random, 1_000..4_000);
            scene.line().pass();
            NOW
        }),
        Kind::new("line is late, each time differently", late, |scene, random| {
            scene.line().delay(Duration::from_millis(random.u64(50..500)));
            scene.provoke()?;
            wait(random, 1_000..4_000);
            scene.line().pass();
            NOW
        }),
    ]
}

pub fn kinds(victim: Victim) -> Vec<Kind> {
    let mut kinds = lasting(victim);
    kinds.extend(at_once(victim));
    kinds.extend(weather(victim));
    let within = if victim == Victim::Database { SILENCE } else { STUCK };
    // A broker that is lost to its client costs tens of seconds, which a test has not.
    let is_short = |kind: &Kind| victim == Victim::Database || kind.record != Must;
    kinds.into_iter().map(|kind| if is_short(&kind) { kind.short() } else { kind }.within(within)).collect()
}
