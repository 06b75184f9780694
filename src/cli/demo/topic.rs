//! The topic, as a consumer sees it.
//!
//! In: the brokers. Out: which changes have arrived, how long they took, and the last of them. What is compared at
//! the end is what a consumer has read, and not what Headwater says of itself.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use serde_json::Value;

use crate::util::clock;
use crate::util::kafka::admin::{Admin, TopicSpecification};
use crate::util::kafka::properties::{self, Role};
use crate::util::stop::Stop;

/// Partitions of the demo's topic.
pub(super) const PARTITIONS: i32 = 3;

/// How many events are shown.
const SHOWN: usize = 5;

/// How long a request to the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What has arrived.
#[derive(Debug, Default)]
struct Arrived {
    changes: HashSet<u64>,
    repeated: u64,
    /// Time from the statement to here, of the last change.
    latency_ms: i64,
    /// When the last change that arrived had been written.
    last_written_ms: i64,
    last: VecDeque<String>,
}

/// What had arrived at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Different changes.
    pub(super) distinct: u64,
    /// Changes that came once more.
    pub(super) repeated: u64,
}

/// The topic, and a thread that reads it.
pub(super) struct Topic {
    arrived: Arc<Mutex<Arrived>>,
    stop: Stop,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The brokers and the topic, where it was made here and is to be removed.
    made: Option<(String, String)>,
}

impl Topic {
    /// Makes the topic if asked to, and begins to read it.
    pub(super) fn open(servers: &str, name: &str, make: bool) -> anyhow::Result<Self> {
        if make {
            create(servers, name)?;
        }
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", servers).set("group.id", name).set("enable.auto.commit", "false");
        config.set("fetch.wait.max.ms", "20");
        let consumer: BaseConsumer = config.create().context("the reader of the topic could not be started")?;
        let mut partitions = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            partitions.add_partition_offset(name, partition, Offset::Beginning)?;
        }
        consumer.assign(&partitions)?;
        let (arrived, stop) = (Arc::new(Mutex::new(Arrived::default())), Stop::new());
        let (seen, ends) = (arrived.clone(), stop.clone());
        let thread =
            std::thread::Builder::new().name("demo-topic".to_owned()).spawn(move || read(&consumer, &seen, &ends))?;
        let made = make.then(|| (servers.to_owned(), name.to_owned()));
        Ok(Topic { arrived, stop, thread: Mutex::new(Some(thread)), made })
    }

    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Different changes that have arrived.
    pub(super) fn seen(&self) -> u64 {
        self.arrived().changes.len() as u64
    }

    /// Milliseconds that the last change took; while others are on their way, at least since when nothing came.
    pub(super) fn lag_ms(&self, written: u64) -> i64 {
        let arrived = self.arrived();
        let waited_ms = clock::now_ms() - arrived.last_written_ms;
        let behind = (arrived.changes.len() as u64) < written && arrived.last_written_ms > 0;
        // Rows are written every few milliseconds: only what is longer than that is waiting.
        if behind && waited_ms > 250 { waited_ms } else { arrived.latency_ms }
    }

    /// The last events, the newest first.
    pub(super) fn last_events(&self) -> Vec<String> {
        self.arrived().last.iter().cloned().collect()
    }

    /// Ends the reading, and removes the topic if it was made here.
    pub(super) fn finish(&self) -> Seen {
        self.end();
        let arrived = self.arrived();
        Seen { distinct: arrived.changes.len() as u64, repeated: arrived.repeated }
    }

    fn end(&self) {
        self.stop.set();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        drop(thread.join());
        if let Some((servers, name)) = &self.made
            && let Err(error) = delete(servers, name)
        {
            eprintln!("the topic {name} could not be removed: {error:#}");
        }
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        self.end();
    }
}

fn create(servers: &str, name: &str) -> anyhow::Result<()> {
    let java = [("bootstrap.servers".to_owned(), servers.to_owned())].into();
    let admin = properties::translate(Role::Producer, &java).map_err(|error| anyhow::anyhow!("{error}"));
    let admin = Admin::new(&admin?, TIMEOUT).map_err(|error| anyhow::anyhow!("{error}"))?;
    let wanted = TopicSpecification {
        name: name.to_owned(),
        partitions: PARTITIONS,
        replication_factor: -1,
        settings: Default::default(),
    };
    admin.create_topic(&wanted, false).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(())
}

fn delete(servers: &str, name: &str) -> anyhow::Result<()> {
    let mut config = ClientConfig::new();
    let admin: AdminClient<DefaultClientContext> = config.set("bootstrap.servers", servers).create()?;
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT));
    let results = futures_executor::block_on(admin.delete_topics(&[name], &options))?;
    for result in results {
        result.map_err(|(name, code)| anyhow::anyhow!("{name}: {code}"))?;
    }
    Ok(())
}

fn read(consumer: &BaseConsumer, arrived: &Mutex<Arrived>, stop: &Stop) {
    while !stop.is_set() {
        // Errors pass or come again; what does not arrive is missing in the count.
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) else { continue };
        let Some(event) = message.payload().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok()) else {
            continue;
        };
        let mut arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
        take(&mut arrived, &event, clock::now_ms());
    }
}

fn take(arrived: &mut Arrived, event: &Value, now_ms: i64) {
    let (Some(after), Some(op)) = (event.get("after"), event.get("op").and_then(Value::as_str)) else { return };
    let number = |name: &str| after.get(name).and_then(Value::as_i64);
    let (Some(change), Some(written_ms)) = (number("change_number"), number("written_at_ms")) else { return };
    if !arrived.changes.insert(u64::try_from(change).unwrap_or(0)) {
        arrived.repeated += 1;
    }
    arrived.latency_ms = (now_ms - written_ms).max(0);
    arrived.last_written_ms = written_ms;
    let text = |name: &str| after.get(name).and_then(Value::as_str).unwrap_or_default();
    let what = if op == "c" { "create" } else { "update" };
    let (order, quantity) = (number("id").unwrap_or(0), number("quantity").unwrap_or(0));
    let line = format!(
        "{what}  order {order:<6} {:8} {quantity} × {:8} for {}",
        text("status"),
        text("item"),
        text("customer")
    );
    arrived.last.push_front(line);
    arrived.last.truncate(SHOWN);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_are_told_apart_and_repetitions_counted() {
        let mut arrived = Arrived::default();
        let event = |number: i64| json!({"op": "c", "after": {"id": 7, "change_number": number, "written_at_ms": 1_000, "status": "paid"}});
        for number in [0, 1, 1, 2] {
            take(&mut arrived, &event(number), 1_004);
        }
        take(&mut arrived, &json!({"op": "d", "after": null}), 1_004);
        assert_eq!((arrived.changes.len(), arrived.repeated, arrived.latency_ms), (3, 1, 4));
    }
}
