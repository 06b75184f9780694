//! A connector that changes hands while rows are written, and the account of its rows.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headwater::source::binlog::connection::Flavor;
use serde_json::{Value, json};

use crate::World;
use crate::shape::Shape;
use crate::support::connect::Connect;
use crate::support::fault_proxy::FaultProxy;
use crate::support::load::writer::{self, Committed, Writer};
use crate::support::load::{self, Death, TABLES, verify};
use crate::support::program::{Connector, Running};
use crate::support::server::Server;
use crate::support::{SetWhenDropped, eventually, topic};

/// How long anything may take that happens.
const WITHIN: Duration = Duration::from_secs(180);

/// Connections that write at the same time, each to rows of its own.
const WRITERS: u64 = 2;

/// Pauses between their transactions are shorter than this.
const PAUSE_MS: u64 = 120;

/// Rows of a large transaction, some 2.5 MB of log, and how fast its holder gets them, so that its end falls inside it
/// however fast it is.
const LARGE_ROWS: usize = 20_000;
const BYTES_A_SECOND: u64 = 600_000;

/// More events than the other transactions have: the large one is being read.
const INSIDE_EVENTS: u64 = 40;

/// How long a position inside it is waited for: a compressed one may be over before one is stored.
const INSIDE_WITHIN: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Debezium,
    Headwater,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `PUT /connectors/…/stop`, or SIGTERM.
    Asked,
    /// SIGKILL.
    Killed,
}

/// The four switch-overs: each of the two ended in each way, and the other one behind it.
pub const CHAIN: [(Who, End); 4] = [
    (Who::Debezium, End::Asked),
    (Who::Headwater, End::Asked),
    (Who::Debezium, End::Killed),
    (Who::Headwater, End::Killed),
];

/// Whoever captures the tables now.
enum Holder {
    Debezium,
    Headwater(Running),
}

struct Scene<'w> {
    world: &'w World,
    server: &'w Server,
    proxy: FaultProxy,
    connector: Connector,
    shape: Shape,
    large: Writer,
    /// What the large transactions committed.
    committed: Vec<Committed>,
    deaths: Vec<Death>,
}

/// MySQL that numbers its transactions.
pub fn mysql_gtids(world: &World) {
    play(world, "mysql-9.7", "");
}

/// MySQL with places in files only.
pub fn mysql_files(world: &World) {
    play(world, "mysql-9.7", "--gtid-mode=OFF --enforce-gtid-consistency=OFF");
}

/// MariaDB.
pub fn mariadb(world: &World) {
    play(world, "mariadb-11.8", "");
}

fn play(world: &World, server: &str, options: &str) {
    let what = format!("switch-over on {server} {options}");
    let server = Server::start(server, options);
    load::create_tables(&server);
    let mut scene = Scene::new(world, &server);
    let mut random = fastrand::Rng::with_seed(world.seed);
    let stop = AtomicBool::new(false);
    let (mut transactions, last) = std::thread::scope(|scope| {
        let _guard = SetWhenDropped(&stop);
        let mut first = Some(scene.begin());
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (stop, server, seed) = (&stop, &server, random.u64(..));
                scope.spawn(move || writer::write(server, number, seed, PAUSE_MS, stop))
            })
            .collect();
        for (who, end) in CHAIN {
            let holder = first.take().unwrap_or_else(|| scene.take_over(who));
            scene.end_inside_a_transaction(holder, end);
        }
        let last = scene.take_over(Who::Debezium);
        stop.store(true, Ordering::Relaxed);
        (writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>(), last)
    });
    scene.finish(last);
    transactions.append(&mut scene.committed);
    scene.account(&what, &transactions);
}

impl<'w> Scene<'w> {
    fn new(world: &'w World, server: &'w Server) -> Self {
        let shape = Shape::create(server);
        let proxy = FaultProxy::start(&server.address());
        let connector = Connector::new(server, &world.broker, "shop").with(&[
            ("database.port", &proxy.port.to_string()),
            ("table.include.list", "shop.orders,shop.lines,shop.notes,shop.shape"),
            ("include.schema.changes", "true"),
            ("heartbeat.interval.ms", "500"),
            ("poll.interval.ms", "50"),
            ("topic.creation.default.partitions", "3"),
            ("topic.creation.default.replication.factor", "1"),
        ]);
        let connector = connector.with_worker(&[
            ("topic.creation.enable", "true"),
            ("offset.storage.topic", &world.worker.connect.offsets),
            ("offset.storage.partitions", "5"),
        ]);
        let large = Writer::new(WRITERS, world.seed);
        let (committed, deaths) = (Vec::new(), Vec::new());
        Scene { world, server, proxy, connector, shape, large, committed, deaths }
    }

    fn connect(&self) -> &'w Connect {
        &self.world.worker.connect
    }

    /// Debezium is the first to hold the connector: what is written before it reads the log is not asked for.
    fn begin(&mut self) -> Holder {
        self.connect().start(&self.connector.name, &self.connector.config).unwrap();
        let trouble = trouble(self.connect(), &self.connector.name);
        self.shape.wait_for_first(self.server, &self.connector, &trouble);
        Holder::Debezium
    }

    /// Gives the connector to somebody, and waits until it has read what was altered before it came and now.
    fn take_over(&mut self, who: Who) -> Holder {
        let began = Instant::now();
        let holder = self.start(who);
        let row = self.alter();
        self.wait_for(&holder, row);
        println!("  {who:?} reads after {:.1?}", began.elapsed());
        holder
    }

    fn start(&self, who: Who) -> Holder {
        let holder = match who {
            Who::Debezium => {
                self.connect().start(&self.connector.name, &self.connector.config).unwrap();
                Holder::Debezium
            }
            Who::Headwater => Holder::Headwater(self.connector.start_streaming()),
        };
        if self.world.worker.is_killed() {
            // It comes back while another holds the connector.
            self.world.worker.start_again();
        }
        holder
    }

    /// Waits until a row of `shop.shape` is on the topic.
    fn wait_for(&self, holder: &Holder, row: u64) {
        let said = trouble(self.connect(), &self.connector.name);
        let failure =
            |running: &Running| Some(running.state()).filter(|(state, _)| state == "FAILED").map(|(_, why)| why);
        let trouble = || match holder {
            Holder::Debezium => said(),
            Holder::Headwater(running) => failure(running),
        };
        self.shape.wait_for(&self.connector, row, WITHIN, &trouble);
    }

    /// Alters two tables, and writes a row to one of them; gives its id.
    fn alter(&mut self) -> u64 {
        self.shape.alter(self.server);
        let column = format!("extra_{}", self.shape.alterations());
        self.server.sql(&[&format!("ALTER TABLE shop.orders ADD COLUMN {column} INT DEFAULT 7 FIRST")]);
        self.shape.insert(self.server)
    }

    /// Ends the holder while it reads a large transaction, and notes what was stored and there then.
    fn end_inside_a_transaction(&mut self, holder: Holder, end: End) {
        let mut session = self.server.session();
        if matches!(holder, Holder::Debezium) && end == End::Killed && self.server.flavor == Flavor::MySql {
            // One event, which comes whole and is counted as what is packed in it.
            session.query_drop("SET SESSION binlog_transaction_compression = ON").unwrap();
        }
        let committed = self.large.large_transaction(&mut session, LARGE_ROWS, || self.proxy.slow(BYTES_A_SECOND));
        self.committed.push(committed);
        let events = || self.connector.stored_offset().and_then(|offset| offset["event"].as_u64()).unwrap_or(0);
        let began = Instant::now();
        while events() <= INSIDE_EVENTS && began.elapsed() < INSIDE_WITHIN {
            std::thread::sleep(Duration::from_millis(20));
        }
        let began = Instant::now();
        let who = self.end(holder, end);
        self.note_death();
        println!("  {who:?} {end:?}: {} after {:.1?}", self.deaths.last().unwrap().stored, began.elapsed());
        self.proxy.pass();
        // Whoever comes next finds a table that was altered while nobody read it.
        self.alter();
    }

    /// Asks the holder to end when the last of the log is a statement that it has announced, and gives the connector to
    /// somebody else, who must know that statement and know it once.
    fn hand_over_behind_a_statement(&mut self, holder: Holder, next: Who) -> Holder {
        let column = self.shape.alter(self.server);
        let is_announced = || {
            let records = topic::read_all(&self.connector.broker, &self.connector.name);
            let says = |value: &[u8]| String::from_utf8_lossy(value).contains(&format!(" {column} "));
            records.iter().any(|record| record.value.as_deref().is_some_and(says)).then_some(())
        };
        eventually("the statement is announced", WITHIN, is_announced);
        let who = self.end(holder, End::Asked);
        self.note_death();
        println!("  {who:?} behind a statement: {}", self.deaths.last().unwrap().stored);
        let holder = self.start(next);
        let row = self.shape.insert(self.server);
        self.wait_for(&holder, row);
        holder
    }

    fn end(&self, holder: Holder, end: End) -> Who {
        match (holder, end) {
            (Holder::Debezium, End::Asked) => {
                self.stop_debezium();
                Who::Debezium
            }
            (Holder::Debezium, End::Killed) => {
                self.world.worker.kill();
                Who::Debezium
            }
            (Holder::Headwater(running), End::Asked) => {
                assert!(running.terminate(WITHIN).success());
                Who::Headwater
            }
            (Holder::Headwater(running), End::Killed) => {
                running.kill();
                Who::Headwater
            }
        }
    }

    /// Asks Connect, which says STOPPED when the task has stored its last offset.
    fn stop_debezium(&self) {
        self.connect().stop(std::slice::from_ref(&self.connector.name));
        self.connect().remove(&self.connector.name);
    }

    fn note_death(&mut self) {
        // The offset first: what it claims must have been there before it.
        let stored = self.connector.stored_offset().unwrap();
        let end =
            |(table, _, _): &(&str, &str, &str)| topic::ends(&self.connector.broker, &self.connector.topic(table));
        self.deaths.push(Death { stored, ends: TABLES.iter().map(end).collect() });
    }

    /// Debezium gets to the end of the log, and the connector goes round once more.
    fn finish(&mut self, holder: Holder) {
        let row = self.alter();
        self.wait_for(&holder, row);
        let holder = self.hand_over_behind_a_statement(holder, Who::Headwater);
        let holder = self.hand_over_behind_a_statement(holder, Who::Debezium);
        self.end(holder, End::Asked);
    }

    fn account(&self, what: &str, transactions: &[Committed]) {
        let inside = verify::verify(what, self.server, &self.connector, transactions, &self.deaths);
        assert!(inside > 0, "no end fell inside a transaction");
        let mut places = BTreeSet::new();
        let key = json!([self.connector.name, { "server": self.connector.name }]).to_string().into_bytes();
        topic::read(&self.connector.broker, &self.connect().offsets, |record| {
            if record.key.as_ref() == Some(&key) {
                places.insert(record.partition);
            }
        });
        assert_eq!(places.len(), 1, "the offset is in several partitions");
        let history = &self.connector.config["schema.history.internal.kafka.topic"];
        for record in topic::read_all(&self.connector.broker, history) {
            let value: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
            assert_eq!(value["source"], json!({ "server": self.connector.name }), "{value}");
        }
    }
}

/// Why Debezium has failed, if it has.
fn trouble(connect: &Connect, name: &str) -> impl Fn() -> Option<String> {
    move || Some(connect.state(name)).filter(|(state, _)| state == "FAILED").map(|(_, why)| why)
}
