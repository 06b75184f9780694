//! Kafka Connect's status topic: what connectors do is said there, and what they wrote to before is found there.
//!
//! In: the connectors that run here, looked at; what the topic holds. Out: the topic, which says the same a moment later, in
//! Connect's own records; the topics that a connector wrote to before this process ran it. Promised: nothing waits for it and
//! nothing is decided by it: what the REST API says of a connector comes from the connector. A topic that cannot be read or
//! written is tried again, and why is logged once. Of a connector only the worker writes that runs it. What was written
//! survives a crash: for another worker, or for a Connect cluster that takes over again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::connector::{Connector, Ended};
use super::{Handle, Phase, Worker};
use crate::error::{Coded, Failure};
use crate::pipeline::status::State;
use crate::pipeline::thread;
use crate::store::StoreError;
use crate::store::status::kafka::KafkaStatusStore;
use crate::store::status::{Key, Status, Statuses, active_topic};
use crate::util::backoff::Backoff;
use crate::util::clock;
use crate::util::stop::Stop;

/// How often the connectors are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// The longest wait before a topic that failed is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often somebody who ends looks whether the connectors have.
const END_INTERVAL: Duration = Duration::from_millis(20);

/// How long who ends may wait until that is said.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The longest text of a failure that is written, in characters: a record is not refused for it.
const TRACE_CHARS: usize = 65_536;

/// Keeps the topic as the connectors are, on a thread of its own.
pub(super) fn keep(worker: &Handle, store: Option<KafkaStatusStore>) -> Result<(), Failure> {
    let told = Ended(worker.told.clone());
    let Some(store) = store else { return Ok(()) };
    let keeper = Keeper {
        worker: worker.clone(),
        store,
        held: None,
        known: BTreeSet::new(),
        led: false,
        trouble: None,
        backoff: Backoff::new(INTERVAL, LONGEST_WAIT),
    };
    let run = move || {
        let _told = told;
        keeper.run();
    };
    thread::spawn("statuses", run).map(drop)
}

impl Worker {
    /// Waits, where the worker has ended, until that is said in the status topic; not for long.
    pub fn last_words(&self) {
        self.told.wait(LAST_WORDS);
    }

    /// Whether the stored connectors are known and run here.
    fn leads(&self) -> bool {
        self.barred().is_none() && matches!(self.phase(), Phase::Ready)
    }
}

struct Keeper {
    worker: Handle,
    store: KafkaStatusStore,
    /// What the topic holds; `None` while that is to be read.
    held: Option<Statuses>,
    /// The names of the connectors that it speaks for: those that ran here since the lead came or went.
    known: BTreeSet<String>,
    led: bool,
    /// What failed last.
    trouble: Option<String>,
    backoff: Backoff,
}

impl Keeper {
    fn run(mut self) {
        let patience = Stop::new();
        let stopping = self.worker.stopping.clone();
        loop {
            if !stopping.is_set() {
                let outcome = self.look(false);
                stopping.wait(self.pause(outcome));
            } else if self.worker.connectors_have_ended() {
                let outcome = self.look(true);
                self.pause(outcome);
                return;
            } else {
                patience.wait(END_INTERVAL);
            }
        }
    }

    /// How long until the next look.
    fn pause(&mut self, outcome: Result<(), StoreError>) -> Duration {
        let topic = self.store.topic();
        match outcome {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    tracing::info!(topic, "what connectors do is kept in the status topic again");
                }
                self.backoff.reset();
                INTERVAL
            }
            Err(error) => {
                // What was written of it is not known.
                self.held = None;
                let (code, reason) = (error.code(), error.to_string());
                if self.trouble.replace(reason.clone()).is_none_or(|before| before != reason) {
                    tracing::warn!(topic, %code, reason, hint = code.hint, "what connectors do is not kept in the status topic; it is tried again");
                }
                self.backoff.next_delay()
            }
        }
    }

    /// Makes the topic say what is. `last`: of connectors that have ended with their worker.
    fn look(&mut self, last: bool) -> Result<(), StoreError> {
        let led = self.worker.leads();
        if led != self.led {
            // Another one may have written, or will.
            (self.led, self.held) = (led, None);
            self.known.clear();
        }
        let mut connectors = self.worker.connectors();
        connectors.retain(|connector| led || connector.is_of_file());
        self.known.extend(connectors.iter().map(|connector| connector.name().to_owned()));
        if self.known.is_empty() {
            return Ok(());
        }
        let held = match &mut self.held {
            Some(held) => held,
            None => self.held.insert(self.store.read()?),
        };
        let tracks = self.worker.config().topic_tracking;
        let mut wanted = Statuses::new();
        for connector in &connectors {
            if tracks {
                connector.recall_topics(|| topics(held, connector.name()));
            }
            wanted.extend(statuses(connector, self.worker.worker_id(), last, tracks));
        }
        let changes = changes(held, &wanted, &self.known, tracks);
        if !changes.is_empty() {
            self.store.write(&changes)?;
        }
        for (key, value) in changes {
            match value {
                Some(value) => drop(held.insert(key, value)),
                None => drop(held.remove(&key)),
            }
        }
        Ok(())
    }
}

/// The topics that a connector is said to write to.
fn topics(held: &Statuses, name: &str) -> Vec<Arc<str>> {
    let topic = |key: &Key| match key {
        Key::Topic { connector, topic } if connector == name => Some(Arc::from(topic.as_str())),
        Key::Topic { .. } | Key::Connector(_) | Key::Task(..) => None,
    };
    held.keys().filter_map(topic).collect()
}

/// What is to be said of a connector. What changes from moment to moment is left out, for each would be a record: attempts, their
/// times, and the words of what is tried again, which have seconds and bytes in them.
fn statuses(connector: &Connector, worker_id: &str, last: bool, tracks: bool) -> Statuses {
    let (name, status) = (connector.name(), connector.status());
    let (state, failure) = match (last, status.state) {
        (_, State::Failed) | (false, _) => (status.state, status.failure),
        (true, _) => (State::Unassigned, None),
    };
    let trace = failure.map(|failure| match state {
        State::Failed => format!("{failure}\n{}", failure.code.hint),
        State::Unassigned | State::Running | State::Restarting | State::Paused | State::Stopped => {
            format!("{}: {}\n{}", failure.code, failure.code.title, failure.code.hint)
        }
    });
    let trace: Option<String> = trace.map(|trace| trace.chars().take(TRACE_CHARS).collect());
    let version = env!("CARGO_PKG_VERSION");
    let value = Status { state: state.name(), trace: trace.as_deref(), worker_id, version }.value();
    let mut statuses = Statuses::from([(Key::Connector(name.to_owned()), value.clone())]);
    if connector.has_task() {
        statuses.insert(Key::Task(name.to_owned(), 0), value);
    }
    for topic in connector.topics().iter().filter(|_| tracks) {
        let key = Key::Topic { connector: name.to_owned(), topic: topic.to_string() };
        statuses.insert(key, active_topic(name, topic, clock::now_ms()));
    }
    statuses
}

/// What is to be written where this is held and that is wanted; what is held of connectors that nobody here knows stays.
fn changes(held: &Statuses, wanted: &Statuses, known: &BTreeSet<String>, tracks: bool) -> Vec<(Key, Option<Vec<u8>>)> {
    let is_topic = |key: &Key| matches!(key, Key::Topic { .. });
    // Since when a topic is written to is said once.
    let says = |key: &Key, value: &Vec<u8>| held.get(key).is_some_and(|held| is_topic(key) || held == value);
    let new = wanted.iter().filter(|(key, value)| !says(key, value));
    let new = new.map(|(key, value)| (key.clone(), Some(value.clone())));
    let is_over =
        |key: &&Key| known.contains(key.connector()) && !wanted.contains_key(key) && (tracks || !is_topic(key));
    let over = held.keys().filter(is_over).map(|key| (key.clone(), None));
    new.chain(over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is held and wanted, and the keys that are written (`+`) and removed (`-`).
    fn check(held: &[(&Key, &str)], wanted: &[(&Key, &str)], known: &[&str], tracks: bool, expected: &[(&Key, bool)]) {
        let statuses = |all: &[(&Key, &str)]| -> Statuses {
            all.iter().map(|(key, value)| ((*key).clone(), value.as_bytes().to_vec())).collect()
        };
        let known = known.iter().map(|name| (*name).to_owned()).collect();
        let found = changes(&statuses(held), &statuses(wanted), &known, tracks);
        let found: Vec<(&Key, bool)> = found.iter().map(|(key, value)| (key, value.is_some())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn only_what_is_not_said_yet_is_written() {
        let (connector, other) = (&Key::Connector("a".to_owned()), &Key::Connector("b".to_owned()));
        let (task, second) = (&Key::Task("a".to_owned(), 0), &Key::Task("a".to_owned(), 1));
        let topic = &Key::Topic { connector: "a".to_owned(), topic: "t".to_owned() };
        check(&[], &[(connector, "1"), (topic, "1")], &["a"], true, &[(connector, true), (topic, true)]);
        check(&[(connector, "1"), (topic, "0")], &[(connector, "1"), (topic, "1")], &["a"], true, &[]);
        check(&[(connector, "0")], &[(connector, "1")], &["a"], true, &[(connector, true)]);
        // Deleted, stopped, reset; what others say of theirs stays.
        check(
            &[(connector, "1"), (other, "1"), (task, "1"), (second, "1"), (topic, "1")],
            &[(connector, "1")],
            &["a"],
            true,
            &[(task, false), (second, false), (topic, false)],
        );
        check(&[(connector, "1"), (topic, "1")], &[], &["a"], false, &[(connector, false)]);
    }

    #[test]
    fn topics_are_found_by_their_connector() {
        let of = |connector: &str, topic: &str| Key::Topic { connector: connector.to_owned(), topic: topic.to_owned() };
        let held: Statuses = [of("a", "t"), of("a", "u"), of("b", "v"), Key::Connector("a".to_owned())]
            .into_iter()
            .map(|key| (key, Vec::new()))
            .collect();
        assert_eq!(topics(&held, "a"), [Arc::from("t"), Arc::from("u")]);
    }
}
