//! What happens to the program itself, and to the machine that it runs on.

use std::process::Command;
use std::time::Duration;

use super::Record::{May, Must, Never};
use super::{Fault, Kind, SILENCE, Struck, wait, wait_for};
use crate::native::Native;
use crate::scene::Scene;
use crate::watch::Moment;

/// The exit code of a process that cannot mend itself.
const GIVEN_UP: i32 = 75;

fn native(scene: &Scene) -> Result<&Native, String> {
    scene.native.as_ref().ok_or("no tools".to_owned())
}

fn hold(scene: &Scene, thread: &str, time: Duration) -> Fault {
    let held = native(scene)?.hold(scene.process(), thread)?;
    let began = Moment::now();
    std::thread::sleep(time);
    drop(held);
    Ok(Struck { began: Some(began), noticed: None })
}

/// A thread panics where it says what it does.
fn panic_in(scene: &Scene, thread: &str) -> Fault {
    let native = native(scene)?;
    let began = Moment::now();
    native.sabotage(thread, "panic");
    wait_for("it panics", || (!native.is_sabotage_open()).then_some(()))?;
    Ok(Struck { began: Some(began), noticed: None })
}

/// A thread spins, and does nothing else.
fn spin_in(scene: &Scene, thread: &str, time: Duration) -> Fault {
    let began = Moment::now();
    native(scene)?.sabotage(thread, "spin");
    std::thread::sleep(time);
    native(scene)?.end_sabotage();
    Ok(Struck { began: Some(began), noticed: None })
}

/// A thread that never goes on: the process says so, ends with its own exit code, and is started by whoever supervises it.
fn never_ends(scene: &Scene, _: &mut fastrand::Rng) -> Fault {
    // What was done about earlier incidents makes the next attempt wait longer: that is not what is measured.
    scene.kill();
    scene.start();
    wait_for("rows flow", || (scene.rest.word().acknowledged > 0).then_some(()))?;
    let began = Moment::now();
    let held = native(scene)?.hold(scene.process(), "producer")?;
    let noticed = wait_for("an incident", || scene.rest.noticed_since(began))?;
    // Its parent is told only when the last of its threads is gone, and one is in the tool's hands.
    let process = scene.process();
    let ended = wait_for("the process ends", || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|rest| rest.is_empty() || rest.starts_with(" Z")).then_some(())
    });
    drop(held);
    ended?;
    let code = wait_for("its exit code", || scene.exit_code())?;
    scene.start();
    if code != GIVEN_UP {
        return Err(format!("the process ended with {code}"));
    }
    Ok(Struck { began: Some(began), noticed: Some(noticed) })
}

fn signal(process: u32, signal: &str) -> Result<(), String> {
    let status = Command::new("kill").args([signal, &process.to_string()]).status();
    if status.is_ok_and(|status| status.success()) { Ok(()) } else { Err(format!("kill {signal}")) }
}

pub fn kinds(scene: &Scene) -> Vec<Kind> {
    let mut kinds = vec![
        Kind::new("process is killed and started", May, |scene, _| {
            scene.kill();
            scene.start();
            Ok(Struck::default())
        })
        .mute()
        .short(),
        // Nothing was wrong but the time.
        Kind::new("machine sleeps", May, |scene, random| {
            let process = scene.process();
            signal(process, "-STOP")?;
            wait(random, 4_000..12_000);
            signal(process, "-CONT")?;
            Ok(Struck::default())
        })
        .mute(),
    ];
    if scene.native.is_none() {
        return kinds;
    }
    // The reader is believed while its own deadline and the watchdog's have not passed.
    let reader = Kind::new("reader stands still", Must, |scene, random| {
        hold(scene, "reader", Duration::from_millis(random.u64(10_000..16_000)))
    });
    kinds.push(reader.within(Duration::from_secs(8 + 5)));
    // The longer ones last until the pipeline is given up and built again. There are two encoders: while one that has
    // nothing to do stands still, the other does everything.
    kinds.push(Kind::new("encoder stands still", May, |scene, random| {
        hold(scene, "encode-0", Duration::from_millis(random.u64(8_000..26_000)))
    }));
    kinds.push(Kind::new("producer stands still", Must, |scene, random| {
        hold(scene, "producer", Duration::from_millis(random.u64(8_000..26_000)))
    }));
    kinds.push(Kind::new("committer stands still", Must, |scene, random| {
        hold(scene, "committer", Duration::from_millis(random.u64(8_000..12_000)))
    }));
    kinds.push(Kind::new("producer never goes on: the process ends", Must, never_ends).mute());
    kinds.push(Kind::new("reader panics", Must, |scene, _| panic_in(scene, "reader")).short());
    kinds.push(Kind::new("encoder panics", Must, |scene, _| panic_in(scene, "encode-0")).short());
    kinds.push(Kind::new("producer panics", Must, |scene, _| panic_in(scene, "producer")).short());
    kinds.push(Kind::new("committer panics", Must, |scene, _| panic_in(scene, "committer")).short());
    kinds.push(Kind::new("encoder spins", May, |scene, random| {
        spin_in(scene, "encode-0", Duration::from_millis(random.u64(8_000..26_000)))
    }));
    kinds.push(Kind::new("producer spins", Must, |scene, random| {
        spin_in(scene, "producer", Duration::from_millis(random.u64(8_000..26_000)))
    }));
    let unknown = Kind::new("the database's name is unknown", Must, |scene, random| {
        native(scene)?.resolve(false);
        scene.proxy.reset();
        wait(random, 4_000..8_000);
        native(scene)?.resolve(true);
        Ok(Struck::default())
    });
    kinds.push(unknown.within(SILENCE).short());
    let clock = Kind::new("wall clock jumps half an hour, and back", Never, |scene, random| {
        let ahead = if random.bool() { 1_800 } else { -1_800 };
        for seconds in [ahead, 0] {
            native(scene)?.jump_clock(seconds);
            wait(random, 2_000..4_000);
        }
        Ok(Struck::default())
    });
    kinds.push(clock.short());
    kinds
}
