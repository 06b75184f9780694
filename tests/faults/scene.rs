//! A scene: a database under load, a connector, and what lies between it and everything that it needs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::brokers::Brokers;
use crate::database::Database;
use crate::native::Native;
use crate::registry::Registry;
use crate::support::fault_proxy::FaultProxy;
use crate::support::program::{Connector, Running};
use crate::support::{topic, unique};
use crate::watch::Rest;

/// Rows that are written again and again, each time with the next version.
const KEYS: u64 = 200;

/// Pause between two rows.
const PAUSE: Duration = Duration::from_millis(40);

/// What fails in a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    Database,
    Broker,
    Registry,
    Itself,
}

/// One scene. Everything in it is ended when it is dropped.
pub struct Scene {
    pub title: &'static str,
    pub victim: Victim,
    running: Mutex<Option<Running>>,
    pub rest: Rest,
    pub connector: Connector,
    /// The database's name on its server.
    pub schema: String,
    /// Before the database.
    pub proxy: FaultProxy,
    pub brokers: Option<Brokers>,
    pub registry: Option<Registry>,
    pub native: Option<Native>,
    database: Mutex<Arc<Database>>,
    /// The server that follows.
    pub replica: Mutex<Option<Arc<Database>>>,
    /// Held by whoever wants that nobody writes.
    gate: Mutex<()>,
    pub written: AtomicU64,
}

/// What is built before a connector is started.
pub struct Plan {
    pub title: &'static str,
    pub victim: Victim,
    pub database: Arc<Database>,
    pub brokers: Option<Brokers>,
    pub registry: Option<Registry>,
    pub native: Option<Native>,
    pub settings: Vec<(&'static str, String)>,
}

impl Plan {
    pub fn new(title: &'static str, victim: Victim, database: &Arc<Database>) -> Self {
        let database = database.clone();
        Plan { title, victim, database, brokers: None, registry: None, native: None, settings: Vec::new() }
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scene {
    /// Builds it, and waits until the connector streams.
    pub fn open(plan: Plan, shared_broker: &str) -> Scene {
        let schema = unique("faults");
        plan.database.create(&schema);
        let proxy = FaultProxy::start(&format!("127.0.0.1:{}", plan.database.port()));
        let broker = plan.brokers.as_ref().map_or(shared_broker.to_owned(), Brokers::address);
        let mut connector = plan
            .database
            .connector(&broker, &schema)
            .with(&[("database.port", &proxy.port.to_string()), ("connect.timeout.ms", "2000")]);
        connector.use_default_deadlines();
        for (name, value) in &plan.settings {
            connector = connector.with(&[(*name, value.as_str())]);
        }
        if let Some(registry) = &plan.registry {
            connector = connector.with(&registry.converter());
        }
        if let Some(brokers) = &plan.brokers {
            brokers.prepare(&connector, &connector.topic(&plan.database.table(&schema, "t")));
        }
        let scene = Scene {
            title: plan.title,
            victim: plan.victim,
            running: Mutex::new(None),
            rest: Rest::of(&connector),
            connector,
            schema,
            proxy,
            brokers: plan.brokers,
            registry: plan.registry,
            native: plan.native,
            database: Mutex::new(plan.database),
            replica: Mutex::new(None),
            gate: Mutex::new(()),
            written: AtomicU64::new(0),
        };
        scene.start();
        scene
    }

    /// Starts the process, and waits until it streams.
    pub fn start(&self) {
        let running = match &self.native {
            Some(native) => self.connector.start_behind(&native.statements()),
            None => self.connector.start(),
        };
        *lock(&self.running) = Some(running);
        crate::support::eventually(&format!("{} streams\n{}", self.title, self.log()), crate::HEALED_WITHIN, || {
            (self.rest.word().state == "RUNNING").then_some(())
        });
    }

    /// SIGKILL.
    pub fn kill(&self) {
        if let Some(running) = lock(&self.running).take() {
            running.kill();
        }
    }

    /// The exit code of a process that has ended by itself.
    pub fn exit_code(&self) -> Option<i32> {
        lock(&self.running).as_mut().and_then(Running::ended).and_then(|status| status.code())
    }

    pub fn process(&self) -> u32 {
        lock(&self.running).as_ref().map(Running::id).unwrap_or_default()
    }

    pub fn log(&self) -> String {
        lock(&self.running).as_ref().map(|running| running.log_tail(40)).unwrap_or_default()
    }

    /// The server that is written to.
    pub fn database(&self) -> Arc<Database> {
        lock(&self.database).clone()
    }

    /// From now on another server is written to, and the one before is its replica.
    pub fn swap_servers(&self) {
        let (mut database, mut replica) = (lock(&self.database), lock(&self.replica));
        if let Some(next) = replica.take() {
            *replica = Some(std::mem::replace(&mut *database, next));
        }
    }

    /// Nobody writes until this is dropped.
    pub fn pause_load(&self) -> MutexGuard<'_, ()> {
        lock(&self.gate)
    }

    /// The proxy before what fails.
    pub fn line(&self) -> &FaultProxy {
        match self.victim {
            Victim::Database | Victim::Itself => &self.proxy,
            Victim::Broker => &self.brokers.as_ref().unwrap().proxy,
            Victim::Registry => &self.registry.as_ref().unwrap().proxy,
        }
    }

    /// So long that it must be noticed.
    pub fn long(&self, random: &mut fastrand::Rng) -> Duration {
        Duration::from_millis(match self.victim {
            // PostgreSQL sends no heartbeats: it is asked, and the answer waited for.
            Victim::Database if self.database().is_postgres() => random.u64(6_500..9_000),
            Victim::Database | Victim::Itself => random.u64(4_500..7_000),
            Victim::Broker | Victim::Registry => random.u64(8_000..10_000),
        })
    }

    /// Makes the connector need what fails: a registry is asked only for a schema that is new.
    pub fn provoke(&self) -> Result<(), String> {
        let Some(registry) = &self.registry else { return Ok(()) };
        let _alone = self.pause_load();
        self.database().session(&self.schema)?.run(&registry.next_schema())
    }

    /// Writes rows until asked to stop. A server that is away is waited for, and its row written again: nobody knows whether
    /// it was committed.
    pub fn write_until(&self, stop: &AtomicBool) {
        let (mut session, mut of) = (None, 0);
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(PAUSE);
            let _open = lock(&self.gate);
            let database = self.database();
            if of != database.port() {
                (session, of) = (None, database.port());
            }
            if session.is_none() {
                session = database.session(&self.schema).ok();
            }
            let next = self.written.load(Ordering::Relaxed) + 1;
            match session.as_mut().map(|session| session.run(&database.put(next % KEYS, next))) {
                Some(Ok(())) => self.written.store(next, Ordering::Relaxed),
                Some(Err(_)) => session = None,
                None => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    /// Reads the topic, and holds it to what was written: every version of every row, and each row's in their order.
    pub fn account(&self) -> Result<String, String> {
        let written = self.written.load(Ordering::Relaxed);
        let name = self.connector.topic(&self.database().table(&self.schema, "t"));
        let (mut rows, mut records, mut jumps) = (HashMap::<u64, (i32, u64, u64)>::new(), 0_usize, 0_usize);
        let mut trouble = None;
        let broker = self.brokers.as_ref().map_or(self.connector.broker.clone(), Brokers::direct);
        topic::read(&broker, &name, |record| {
            let Some(value) = record.value.as_deref() else { return };
            records += 1;
            let (id, version) = match &self.registry {
                Some(registry) => registry.read(value),
                None => {
                    let value: serde_json::Value = serde_json::from_slice(value).unwrap();
                    (value["after"]["id"].as_u64().unwrap(), value["after"]["version"].as_u64().unwrap())
                }
            };
            let first = if id == 0 { KEYS } else { id };
            let (partition, last, furthest) =
                rows.get(&id).copied().unwrap_or((record.partition, first - KEYS.min(first), 0));
            let expected = if furthest == 0 { first } else { last + KEYS };
            if version > expected || partition != record.partition {
                trouble.get_or_insert(format!("row {id}: version {version} follows {last} in partition {partition}"));
            }
            jumps += usize::from(version < last);
            rows.insert(id, (record.partition, version, furthest.max(version)));
        });
        if let Some(trouble) = trouble {
            return Err(format!("{}: {trouble}", self.title));
        }
        for version in written.saturating_sub(KEYS - 1).max(1)..=written {
            let furthest = rows.get(&(version % KEYS)).map_or(0, |(_, _, furthest)| *furthest);
            if furthest < version {
                return Err(format!("{}: row {} is at {furthest} and not at {version}", self.title, version % KEYS));
            }
        }
        let again = u64::try_from(records).unwrap().saturating_sub(written);
        Ok(format!(
            "{}: {written} versions of {} rows, none lost, each row's in order; {again} records came twice, {jumps} jumps back",
            self.title,
            rows.len()
        ))
    }
}
