//! A move by the lines that `headwater migrate` prints, each run in a shell as it stands, and back again.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::World;
use crate::support::program::Connector;
use crate::support::server::Server;
use crate::support::{eventually, scratch, topic};

const WITHIN: Duration = Duration::from_secs(180);

fn migrate(world: &World, worker: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["migrate", "--from-connect", &world.worker.connect.url, "--worker"])
        .arg(worker)
        .args(more)
        .output()
        .unwrap();
    (output.status.code(), said(&output))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The commands below a heading of the printed steps, in their order.
fn commands(text: &str, from: &str, to: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !line.starts_with(from)).take_while(|line| !line.starts_with(to));
    lines.filter_map(|line| line.strip_prefix("       ")).map(str::to_owned).collect()
}

fn shell(command: &str) -> Output {
    Command::new("sh").args(["-c", command]).stdin(Stdio::null()).output().unwrap()
}

fn succeed(command: &str) -> String {
    let output = shell(command);
    assert!(output.status.success(), "{command}\n{}", said(&output));
    said(&output)
}

/// A process that ends with the test.
struct Ended(Child);

impl Ended {
    fn start(command: &str) -> Self {
        let command = format!("exec {command}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ended(shell.spawn().unwrap())
    }

    /// What a person does with Ctrl-C.
    fn interrupt(mut self) {
        assert!(Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap().success());
        let status = eventually("Headwater ends after SIGINT", WITHIN, || self.0.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The ids on the topic, in the order in which they first came: what was not yet stored at an end may come again.
fn ids(world: &World, connector: &Connector) -> Vec<i64> {
    let mut ids = Vec::new();
    topic::read(&world.broker, &connector.topic("moved.t"), |record| {
        let value: Value = serde_json::from_slice(&record.value.unwrap_or_default()).unwrap_or_default();
        ids.extend(value["after"]["id"].as_i64().filter(|id| !ids.contains(id)));
    });
    ids
}

pub fn by_its_own_steps(world: &World) {
    let server = Server::start("mysql-9.7", "");
    server.sql(&["CREATE DATABASE moved", "CREATE TABLE moved.t (id INT PRIMARY KEY)"]);
    server.sql(&["CREATE TABLE moved.beat (id INT PRIMARY KEY AUTO_INCREMENT)"]);
    // What only Headwater reads says where each holder of the connector stores its position.
    let connector = Connector::new(&server, &world.broker, "moved")
        .with_worker(&[("offset.storage.topic", &world.worker.connect.offsets), ("offset.storage.partitions", "5")]);
    let insert = |id: i64| server.sql(&[&format!("INSERT INTO moved.t VALUES ({id})")]);
    let wait_for = |id: i64| {
        let is_there = || ids(world, &connector).contains(&id).then_some(());
        eventually(&format!("row {id} on the topic"), WITHIN, is_there);
    };
    let connect = &world.worker.connect;
    connect.start(&connector.name, &connector.config).unwrap();
    // Debezium stores a position with the first event that it reads.
    eventually("Debezium streams", WITHIN, || {
        server.sql(&["INSERT INTO moved.beat VALUES ()"]);
        connector.stored_offset()
    });
    insert(1);
    wait_for(1);

    let folder = scratch("migrate-");
    let output = folder.path().join("its files");
    let output = output.to_str().unwrap();
    let properties = world.worker.properties();
    let named = ["--connector", connector.name.as_str(), "--output", output];
    let (code, text) = migrate(world, &properties, &[&named[..], &["--dry-run"]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(!Path::new(output).exists(), "--dry-run has written: {text}");
    refuse_other_offsets(world, &connector, folder.path());
    let (code, text) = migrate(world, &properties, &named);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("the server still has what comes behind it"), "{text}");
    assert!(!text.contains("cdcpw"), "a password is shown: {text}");
    let (again, refusal) = migrate(world, &properties, &named);
    assert!(again == Some(1) && refusal.contains("HW1119"), "{refusal}");

    let steps = commands(&text, "To switch:", "The way back");
    let [stop, wait, check, run, status] = steps.as_slice() else { panic!("{steps:?}\n{text}") };
    for step in [stop, wait, check] {
        succeed(step);
    }
    insert(2);
    let headwater = Ended::start(run);
    eventually("Headwater runs", WITHIN, || shell(status).status.success().then_some(()));
    wait_for(2);
    insert(3);
    wait_for(3);

    let back = commands(&text, "The way back", "\u{0}");
    let [resume, status] = back.as_slice() else { panic!("{back:?}\n{text}") };
    headwater.interrupt();
    insert(4);
    succeed(resume);
    eventually("Debezium runs", WITHIN, || (succeed(status).matches("\"RUNNING\"").count() == 2).then_some(()));
    wait_for(4);
    insert(5);
    wait_for(5);
    assert_eq!(ids(world, &connector), [1, 2, 3, 4, 5]);
    connect.remove(&connector.name);
}

/// A worker's file that names another topic of offsets would begin the connector anew.
fn refuse_other_offsets(world: &World, connector: &Connector, folder: &Path) {
    let other = folder.join("other.properties");
    let text = std::fs::read_to_string(world.worker.properties()).unwrap();
    std::fs::write(&other, text.replace(&world.worker.connect.offsets, &format!("{}.other", connector.name))).unwrap();
    let (code, text) = migrate(world, &other, &["--connector", &connector.name, "--dry-run"]);
    assert!(code == Some(1) && text.contains("FAIL  stored offset: HW1121"), "{text}");
    assert!(!text.contains("To switch:"), "{text}");
}
