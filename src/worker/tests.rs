//! The worker without pipelines: what is stored, wished for and resolved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::mpsc;
use std::time::Instant;

use super::error::CANNOT_START;
use super::*;
use crate::config::provider::Environment;
use crate::store::StoreError;
use crate::store::config::{Change, Stored, StoredConnector};

/// A store in memory, whose writes fail after they were done as long as it is told to.
#[derive(Clone, Default)]
struct Memory {
    stored: Arc<Mutex<BTreeMap<String, StoredConnector>>>,
    fails: Arc<Mutex<bool>>,
    broken: Arc<Mutex<bool>>,
}

fn failure() -> StoreError {
    StoreError::TopicUnsafe { topic: "t".to_owned(), problem: "for a test".to_owned() }
}

impl ConfigStore for Memory {
    fn read(&mut self) -> Result<Stored, StoreError> {
        if *self.fails.lock().unwrap() {
            return Err(failure());
        }
        let mut stored = Stored { connectors: self.stored.lock().unwrap().clone(), ..Stored::default() };
        if *self.broken.lock().unwrap() {
            stored.broken.insert("broken".to_owned(), failure());
        }
        Ok(stored)
    }

    fn write(&mut self, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let mut stored = self.stored.lock().unwrap();
        for change in changes {
            match change {
                Change::Connector(name, properties, target) => {
                    let target = target.or(stored.get(*name).map(|known| known.target)).unwrap_or_default();
                    let properties = (*properties).clone();
                    drop(stored.insert((*name).to_owned(), StoredConnector { properties, target }));
                }
                Change::Target(name, target) => {
                    if let Some(known) = stored.get_mut(*name) {
                        known.target = *target;
                    }
                }
                Change::Tasks(..) => {}
                Change::Removed(name) => drop(stored.remove(*name)),
            }
        }
        if *self.fails.lock().unwrap() { Err(failure()) } else { Ok(()) }
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

fn properties(pairs: &[(&str, &str)]) -> Properties {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn mysql(more: &[(&str, &str)]) -> Properties {
    let mut all = properties(&[
        ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
        ("database.hostname", "db"),
        ("database.user", "cdc"),
        ("database.password", "hunter2"),
        ("database.server.id", "5500"),
        ("topic.prefix", "p"),
        ("schema.history.internal.kafka.bootstrap.servers", "127.0.0.1:9"),
        ("schema.history.internal.kafka.topic", "h"),
    ]);
    all.extend(properties(more));
    all
}

/// A worker, and the `custom.metric.tags` of every connector that it began. None of them runs.
fn worker(store: &Memory) -> (Handle, mpsc::Receiver<String>) {
    let settings = properties(&[
        ("bootstrap.servers", "127.0.0.1:9"),
        ("group.id", "g"),
        ("offset.storage.file.filename", "/nowhere/offsets"),
        ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("config.providers", "dir"),
        ("config.providers.dir.class", "DirectoryConfigProvider"),
    ]);
    let config = Arc::new(WorkerConfig::from_map(&settings, Environment::default()).unwrap().0);
    let (begun, seen) = mpsc::channel();
    let start: Box<Start> = Box::new({
        let begun = Mutex::new(begun);
        move |config, _| {
            let tag = config.metric_tags.first().map(|(_, value)| value.clone()).unwrap_or_default();
            begun.lock().unwrap().send(tag).unwrap();
            Err(Failure { code: &CANNOT_START, message: "this is a test".to_owned() })
        }
    });
    let stores = Stores { configs: Some(Box::new(store.clone())), statuses: None };
    let worker = Worker::start(Vec::new(), &config, "host", stores, start).unwrap();
    eventually("the store is read", || worker.ready().is_ok());
    (worker, seen)
}

fn eventually(what: &str, is: impl Fn() -> bool) {
    let (deadline, patience) = (clock::moment() + Duration::from_secs(60), Stop::new());
    while !is() {
        assert!(clock::left_until(deadline).is_some(), "{what}");
        patience.wait(Duration::from_millis(5));
    }
}

fn soon() -> Instant {
    clock::moment() + Duration::from_secs(60)
}

const PATIENCE: Duration = Duration::from_secs(60);

/// A password that is changed in its file counts from the next restart on, as in Connect.
#[test]
fn variables_are_resolved_at_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tag");
    std::fs::write(&file, "old").unwrap();
    let (worker, begun) = worker(&Memory::default());
    let written = mysql(&[("custom.metric.tags", &format!("t=${{dir:{}:tag}}", folder.path().display()))]);
    worker.register("a", written.clone(), None, true, soon()).unwrap();
    assert_eq!(begun.recv_timeout(PATIENCE).unwrap(), "old");
    std::fs::write(&file, "new").unwrap();
    worker.restart("a", Restart { include_tasks: false, only_failed: false }).unwrap();
    assert_eq!(begun.recv_timeout(PATIENCE).unwrap(), "new");
    // The same configuration begins nothing, unless what is there cannot be run.
    std::fs::remove_file(&file).unwrap();
    worker.restart("a", Restart { include_tasks: false, only_failed: false }).unwrap();
    eventually("the missing file is seen", || worker.connector("a").unwrap().config().is_none());
    std::fs::write(&file, "back").unwrap();
    worker.register("a", written, None, true, soon()).unwrap();
    assert_eq!(begun.recv_timeout(PATIENCE).unwrap(), "back");
    worker.stop();
}

/// What is asked for too late, or of a worker that stops, is not done.
#[test]
fn nothing_is_changed_for_those_who_do_not_wait() {
    let store = Memory::default();
    let (worker, _begun) = worker(&store);
    let late = worker.register("a", mysql(&[]), None, true, clock::moment());
    assert!(matches!(late, Err(WorkerError::TooLate)));
    worker.stop();
    assert!(matches!(worker.register("a", mysql(&[]), None, true, soon()), Err(WorkerError::Stopping)));
    assert!(store.stored.lock().unwrap().is_empty() && worker.connectors().is_empty());
}

/// A write that failed may have been done: the connectors follow what is stored.
#[test]
fn connectors_follow_the_store_after_a_write_that_failed() {
    let store = Memory::default();
    let (worker, _begun) = worker(&store);
    worker.register("a", mysql(&[]), None, false, soon()).unwrap();
    worker.register("b", mysql(&[]), None, false, soon()).unwrap();
    *store.fails.lock().unwrap() = true;
    assert!(matches!(worker.delete("a", soon()), Err(WorkerError::Failed(_))));
    // While it is not known what is stored, nothing is changed.
    assert!(matches!(worker.aim("b", TargetState::Paused, soon()), Err(WorkerError::InDoubt(_))));
    assert!(worker.connector("a").is_some());
    *store.fails.lock().unwrap() = false;
    eventually("the deleted one is gone", || worker.connector("a").is_none());
    assert_eq!(worker.connector("b").unwrap().target(), TargetState::Started);
    worker.stop();
}

/// A record that cannot be read is a failed connector with its reason, and another configuration mends it.
#[test]
fn a_stored_connector_that_cannot_be_read_is_shown() {
    let store = Memory::default();
    *store.broken.lock().unwrap() = true;
    let (worker, begun) = worker(&store);
    let connector = worker.connector("broken").unwrap();
    eventually("it has failed", || connector.is_settled());
    assert!(connector.status().failure.unwrap().message.contains("for a test"));
    assert!(begun.try_recv().is_err());
    worker.register("broken", mysql(&[]), None, true, soon()).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    worker.stop();
}

/// Only a value that is one variable and nothing else is shown where a secret may stand.
#[test]
fn secrets_that_look_like_variables_are_masked() {
    let check = |value: &str, shown: bool| {
        let found = connector::shown(&properties(&[("database.password", value)]));
        assert_eq!(found["database.password"] == value, shown, "{value}");
    };
    check("${file:/secrets/db:password}", true);
    check("${env:PASSWORD}", true);
    check("hunter${2", false);
    check("${hunter2}", false);
    check("a${env:X}", false);
    check("${env:X}${env:Y}", false);
    check("hunter2", false);
}
