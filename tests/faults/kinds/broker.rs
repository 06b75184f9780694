//! What happens to a broker, and to a registry.

use std::process::Command;

use super::Record::{May, Must, Never};
use super::{Fault, Kind, Struck, wait, wait_for};
use crate::brokers::Brokers;
use crate::scene::Scene;
use crate::support::broker::Broker;
use crate::support::topic;

fn brokers(scene: &Scene) -> Result<&Brokers, String> {
    scene.brokers.as_ref().ok_or("no brokers".to_owned())
}

fn freeze(broker: &Broker, scene: &Scene, random: &mut fastrand::Rng) -> Fault {
    broker.freeze();
    std::thread::sleep(scene.long(random));
    broker.thaw();
    Ok(Struck::default())
}

fn kill(broker: &Broker, scene: &Scene, random: &mut fastrand::Rng) -> Fault {
    broker.kill();
    std::thread::sleep(scene.long(random));
    broker.start_again();
    Ok(Struck::default())
}

/// A process that may write nothing more to any file sees what it would see of a full disk: an error from each write.
fn fill_disk(broker: &Broker, scene: &Scene, random: &mut fastrand::Rng) -> Fault {
    let process = broker.process();
    let limited = Command::new("prlimit").args(["--pid", &process.to_string(), "--fsize=0"]).status();
    if !limited.is_ok_and(|status| status.success()) {
        return Err("prlimit is not allowed".to_owned());
    }
    std::thread::sleep(scene.long(random));
    // It has ended by itself, as it does when none of its folders can be written; or it stands there and refuses.
    broker.kill_if_alive();
    broker.start_again();
    Ok(Struck::default())
}

/// The topic of a table is deleted while rows of it are written: it comes back, with what is written from then on.
fn delete_topic(scene: &Scene) -> Fault {
    let brokers = brokers(scene)?;
    let name = scene.connector.topic(&scene.database().table(&scene.schema, "gone"));
    let count = || topic::ends(&brokers.direct(), &name).iter().sum::<i64>();
    let write = || {
        let id = fastrand::u32(..);
        let mut session = scene.database().session(&scene.schema)?;
        session.run(&format!("INSERT INTO gone VALUES ({id}, {id})"))
    };
    write()?;
    wait_for("the topic has a record", || (count() > 0).then_some(()))?;
    brokers.delete(&name);
    wait_for("the topic is back, with a record", || {
        // One that was on its way to the old topic has gone with it.
        write().ok()?;
        (count() > 0).then_some(())
    })?;
    Ok(Struck::default())
}

pub fn kinds(scene: &Scene) -> Vec<Kind> {
    let mut kinds = vec![
        Kind::new("broker is frozen", Must, |scene, random| freeze(&brokers(scene)?.first, scene, random)).short(),
        Kind::new("broker is killed", Must, |scene, random| kill(&brokers(scene)?.first, scene, random)),
        Kind::new("broker's disk is full", Must, |scene, random| fill_disk(&brokers(scene)?.first, scene, random)),
        Kind::new("broker pauses shortly", Never, |scene, random| {
            let brokers = brokers(scene)?;
            brokers.first.freeze();
            wait(random, 200..1_200);
            brokers.first.thaw();
            Ok(Struck::default())
        })
        .short(),
        Kind::new("topic is deleted", May, |scene, _| delete_topic(scene)),
    ];
    if scene.brokers.as_ref().is_some_and(|brokers| brokers.second.is_some()) {
        kinds.push(Kind::new("a partition's only broker is killed, others go on", Must, |scene, random| {
            kill(brokers(scene)?.second.as_ref().ok_or("no second")?, scene, random)
        }));
        kinds.push(Kind::new("a partition's only broker is frozen, others go on", Must, |scene, random| {
            freeze(brokers(scene)?.second.as_ref().ok_or("no second")?, scene, random)
        }));
    }
    kinds
}

pub fn registry_kinds() -> Vec<Kind> {
    vec![Kind::new("registry is frozen", Must, |scene, random| {
        let registry = scene.registry.as_ref().ok_or("no registry")?;
        registry.freeze();
        scene.provoke()?;
        std::thread::sleep(scene.long(random));
        registry.thaw();
        Ok(Struck::default())
    })]
}
