//! A connector for PostgreSQL that changes hands while rows are written, and the account of its rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headwater::source::postgres::connection::Lsn;
use serde_json::Value;

use crate::World;
use crate::chain::{CHAIN, End, Who};
use crate::support::fault_proxy::FaultProxy;
use crate::support::instance::Instance;
use crate::support::postgres::{Database, LONG};
use crate::support::program::{Connector, Running};
use crate::support::{SetWhenDropped, eventually, topic};

/// Connections that write at the same time, each to rows of its own.
const WRITERS: i64 = 2;

/// Rows of a large transaction, and how fast its holder gets them.
const LARGE_ROWS: i64 = 20_000;
const BYTES_A_SECOND: u64 = 400_000;

/// So many of its rows are on the topic when its holder is ended.
const INSIDE_RECORDS: i64 = 2_000;

/// A committed transaction: the versions that it gave to rows, and a place in the log behind its end.
struct Committed {
    versions: Vec<(i64, i64)>,
    behind: Lsn,
}

/// What was stored when a holder had ended, and how far the topic was then.
struct Death {
    stored: Value,
    end: i64,
}

enum Holder {
    Debezium,
    Headwater(Running),
}

/// Writes transactions that interleave with those of others, until asked to stop.
fn write(database: &Database, number: i64, seed: u64, stop: &AtomicBool) -> Vec<Committed> {
    let (mut session, mut random) = (database.sql(), fastrand::Rng::with_seed(seed));
    let (mut rows, mut committed) = (BTreeMap::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let mut versions = Vec::new();
        session.query_drop("BEGIN").unwrap();
        for _ in 0..random.usize(1..12) {
            let known = rows.len() as i64;
            let id = number * 1_000_000_000 + if random.bool() { known } else { random.i64(0..=known) };
            let version = rows.get(&id).map_or(1, |version| version + 1);
            let statement = match version {
                1 => format!("INSERT INTO item VALUES ({id}, 1)"),
                _ => format!("UPDATE item SET version = {version} WHERE id = {id}"),
            };
            session.query_drop(&statement).unwrap();
            rows.insert(id, version);
            versions.push((id, version));
            std::thread::sleep(Duration::from_millis(random.u64(..8)));
        }
        session.query_drop("COMMIT").unwrap();
        committed.push(Committed { versions, behind: end_of_log(database) });
        std::thread::sleep(Duration::from_millis(random.u64(..60)));
    }
    committed
}

fn end_of_log(database: &Database) -> Lsn {
    database.ask("SELECT pg_current_wal_insert_lsn()").unwrap().parse().unwrap()
}

struct Scene<'w> {
    world: &'w World,
    database: &'w Database,
    proxy: FaultProxy,
    connector: Connector,
    marks: i64,
    large: i64,
    committed: Vec<Committed>,
    deaths: Vec<Death>,
}

/// The chain of ends, on the server whose large transactions are sent behind their commit.
pub fn chain(world: &World) {
    let server = Instance::start("postgres-17", "");
    let tables = ["CREATE TABLE item (id bigint PRIMARY KEY, version bigint NOT NULL)"];
    let database = Database::at(server.port, world.broker.clone(), &tables);
    let mut scene = Scene::new(world, &database);
    let mut random = fastrand::Rng::with_seed(world.seed);
    let stop = AtomicBool::new(false);
    let last = std::thread::scope(|scope| {
        let _guard = SetWhenDropped(&stop);
        // What is written before somebody holds the connector is not asked for.
        let mut holder = scene.take_over(Who::Debezium);
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (database, stop, seed) = (&database, &stop, random.u64(..));
                scope.spawn(move || write(database, number + 1, seed, stop))
            })
            .collect();
        for (who, end) in CHAIN {
            scene.end_inside_a_transaction(holder, end);
            let next = if who == Who::Debezium { Who::Headwater } else { Who::Debezium };
            holder = scene.take_over(next);
        }
        stop.store(true, Ordering::Relaxed);
        scene.committed.extend(writers.into_iter().flat_map(|writer| writer.join().unwrap()));
        holder
    });
    scene.mark(&last);
    scene.end(last, End::Asked);
    scene.account();
}

impl<'w> Scene<'w> {
    fn new(world: &'w World, database: &'w Database) -> Self {
        let proxy = FaultProxy::start(&format!("127.0.0.1:{}", database.port));
        let connector = database
            .connector()
            .with(&[
                ("database.port", &proxy.port.to_string()),
                ("heartbeat.interval.ms", "500"),
                ("poll.interval.ms", "50"),
                ("slot.max.retries", "60"),
                ("topic.creation.default.partitions", "1"),
                ("topic.creation.default.replication.factor", "1"),
            ])
            .with_worker(&[
                ("topic.creation.enable", "true"),
                ("offset.storage.topic", &world.worker.connect.offsets),
                ("offset.storage.partitions", "5"),
            ]);
        let (committed, deaths) = (Vec::new(), Vec::new());
        Scene { world, database, proxy, connector, marks: 0, large: 0, committed, deaths }
    }

    /// Gives the connector to somebody, and waits until a row written now is on the topic.
    fn take_over(&mut self, who: Who) -> Holder {
        let began = Instant::now();
        let connect = &self.world.worker.connect;
        let holder = match who {
            Who::Debezium => {
                connect.start(&self.connector.name, &self.connector.config).unwrap();
                Holder::Debezium
            }
            Who::Headwater => Holder::Headwater(self.connector.start_streaming()),
        };
        if self.world.worker.is_killed() {
            // It comes back while another holds the connector.
            self.world.worker.start_again();
        }
        self.mark(&holder);
        println!("  {who:?} reads after {:.1?}", began.elapsed());
        holder
    }

    /// Writes rows until one is on the topic: before the first holder reads the log, its rows do not come.
    fn mark(&mut self, holder: &Holder) {
        let trouble = || {
            let (state, why) = match holder {
                Holder::Debezium => self.world.worker.connect.state(&self.connector.name),
                Holder::Headwater(running) => running.state(),
            };
            (state == "FAILED").then_some(why)
        };
        let (first, deadline) = (self.marks, Instant::now() + LONG);
        loop {
            self.marks += 1;
            self.database.run(&[&format!("INSERT INTO item VALUES (-{}, 1)", self.marks)]);
            let looked = Instant::now();
            while looked.elapsed() < Duration::from_secs(2) {
                let landed = self.database.landed(&self.connector, "item");
                if landed.iter().any(|(_, row)| row["id"].as_i64().is_some_and(|id| id < -first)) {
                    return;
                }
                assert!(Instant::now() < deadline, "row -{} does not come", self.marks);
                if let Some(why) = trouble() {
                    panic!("row -{} does not come: {why}", self.marks);
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }

    /// Ends the holder while it reads a large transaction, and notes what was stored and there then.
    fn end_inside_a_transaction(&mut self, holder: Holder, end: End) {
        let first = 10_000_000_000 + self.large * LARGE_ROWS;
        self.large += 1;
        let (last, topic) = (first + LARGE_ROWS - 1, self.connector.topic("public.item"));
        let before: i64 = topic::ends(&self.connector.broker, &topic).iter().sum();
        let mut session = self.database.sql();
        session.query_drop("BEGIN").unwrap();
        session.query_drop(&format!("INSERT INTO item SELECT g, 1 FROM generate_series({first}, {last}) g")).unwrap();
        session.query_drop(&format!("UPDATE item SET version = 2 WHERE id BETWEEN {first} AND {last}")).unwrap();
        self.proxy.slow(BYTES_A_SECOND);
        session.query_drop("COMMIT").unwrap();
        let versions = (1..=2).flat_map(|version| (first..=last).map(move |id| (id, version))).collect();
        self.committed.push(Committed { versions, behind: end_of_log(self.database) });
        eventually("some of the large transaction is on the topic", LONG, || {
            (topic::ends(&self.connector.broker, &topic).iter().sum::<i64>() > before + INSIDE_RECORDS).then_some(())
        });
        let began = Instant::now();
        self.end(holder, end);
        // The offset first: what it claims must have been there before it.
        let stored = self.connector.stored_offset().unwrap();
        let end = topic::ends(&self.connector.broker, &topic).iter().sum();
        println!("  ended after {:.1?}: {stored}", began.elapsed());
        self.deaths.push(Death { stored, end });
        self.proxy.pass();
    }

    fn end(&self, holder: Holder, end: End) {
        let worker = &self.world.worker;
        match (holder, end) {
            (Holder::Debezium, End::Asked) => {
                // It says STOPPED when the task has stored its last offset.
                worker.connect.stop(std::slice::from_ref(&self.connector.name));
                worker.connect.remove(&self.connector.name);
            }
            (Holder::Debezium, End::Killed) => worker.kill(),
            (Holder::Headwater(running), End::Asked) => assert!(running.terminate(LONG).success()),
            (Holder::Headwater(running), End::Killed) => running.kill(),
        }
    }

    /// Every version of every row is there, in its order; and no stored position was ahead of the topic.
    fn account(&self) {
        let first_mark = self.database.landed(&self.connector, "item")[0].1["id"].clone();
        // The rows before the first one that came were written when nobody read.
        self.database.run(&[&format!("DELETE FROM item WHERE id < 0 AND id > {first_mark}")]);
        let (rows, records) = self.database.reconcile_versions(&self.connector, "item");
        let mut firsts: HashMap<(i64, i64), i64> = HashMap::new();
        topic::read(&self.connector.broker, &self.connector.topic("public.item"), |record| {
            let value: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
            let cell = |name: &str| value["after"][name].as_i64().unwrap();
            firsts.entry((cell("id"), cell("version"))).or_insert(record.offset);
        });
        let mut inside = 0;
        for (number, Death { stored, end }) in self.deaths.iter().enumerate() {
            inside += usize::from(matches!(stored["messageType"].as_str(), Some("INSERT" | "UPDATE")));
            let position = Lsn(stored["lsn_commit"].as_u64().unwrap());
            for Committed { versions, behind } in self.committed.iter().filter(|done| done.behind <= position) {
                for version in versions {
                    let offset = firsts[version];
                    assert!(
                        offset < *end,
                        "death {number}: {stored} is ahead of {version:?}, committed before {behind}"
                    );
                }
            }
        }
        assert!(inside > 0, "no end fell inside a transaction");
        println!(
            "switch-over on PostgreSQL: {} transactions, {rows} rows, {records} records, {} of them twice; {inside} of {} \
             stored positions were inside a transaction",
            self.committed.len(),
            records - firsts.len(),
            self.deaths.len()
        );
    }
}
