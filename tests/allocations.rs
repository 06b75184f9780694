//! From the server's socket to the producer, a row costs no allocation.
//!
//! Two backlogs that differ by a known number of rows are read from a real MySQL or PostgreSQL into a real Kafka, in this
//! process, and every allocation of ours is counted. What a batch costs (its position, its place in a queue) is
//! allowed; a row must cost less than a hundredth of an allocation. librdkafka's own memory is not counted.
//!
//! Needs `HEADWATER_TEST_MYSQL_97`, `HEADWATER_TEST_POSTGRES_17` and `HEADWATER_TEST_KAFKA`; without them it says SKIPPED, and
//! fails where `CI=true`.

#![allow(
    unsafe_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater::config::connector::ConnectorConfig;
use headwater::config::provider::Environment;
use headwater::config::worker::WorkerConfig;
use headwater::source::binlog::connection::{ConnectOptions, Connection, Secret};

#[path = "support/mod.rs"]
mod support;
use support::postgres::Database;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on to the system's allocator unchanged; only a number is added to.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Every allocation of the process is counted, so only one test may run.
static ALONE: Mutex<()> = Mutex::new(());

/// The addresses of a database and Kafka; `None` where the test is to be skipped.
fn servers(database: &str) -> Option<(String, String)> {
    let address = |name: &str| std::env::var(name).ok().filter(|address| !address.is_empty());
    match (address(database), address("HEADWATER_TEST_KAFKA")) {
        (Some(database), Some(kafka)) => Some((database, kafka)),
        _ => {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{database} or HEADWATER_TEST_KAFKA is not set");
            println!("SKIPPED allocations: {database} or HEADWATER_TEST_KAFKA is not set");
            None
        }
    }
}

fn connect(address: &str) -> Connection {
    let (host, port) = address.rsplit_once(':').unwrap();
    let options = ConnectOptions {
        hostname: host.to_owned(),
        port: port.parse().unwrap(),
        user: "app".to_owned(),
        password: Secret::new("apppw"),
        ..ConnectOptions::default()
    };
    Connection::connect(&options, &Arc::default()).unwrap()
}

/// A database with a table of twelve columns, and its rows: half in large transactions, half in one each.
fn fill(connection: &mut Connection, database: &str, rows: u32) {
    connection.query_drop(&format!("CREATE DATABASE {database}")).unwrap();
    connection.query_drop(&format!("USE {database}")).unwrap();
    connection
        .query_drop(
            "CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, a INT, b INT UNSIGNED, c INT, d INT, e TINYINT, \
             price DECIMAL(12,2), short VARCHAR(24), long_text VARCHAR(64), at DATETIME(6), stamp TIMESTAMP, note TEXT)",
        )
        .unwrap();
    let row = "(1,2,3,4,5,12345.67,'twenty-four characters..','sixty-four characters of text, more or less, and some to fill up','2026-01-02 03:04:05.678901','2026-01-02 03:04:05',NULL)";
    let columns = "(a,b,c,d,e,price,short,long_text,at,stamp,note)";
    let many = vec![row; 500].join(",");
    for _ in 0..rows / 1000 {
        connection.query_drop(&format!("INSERT INTO t {columns} VALUES {many}")).unwrap();
    }
    connection.query_drop("SET autocommit=1").unwrap();
    for _ in 0..rows / 2 {
        connection.query_drop(&format!("INSERT INTO t {columns} VALUES {row}")).unwrap();
    }
}

/// Reads a database's backlog to its end, and gives the allocations of the stream itself, and its batches.
fn allocations(address: &str, kafka: &str, database: &str, rows: u32, own: &[(&str, &str)]) -> (u64, u64) {
    let (host, port) = address.rsplit_once(':').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let worker = BTreeMap::from([
        ("bootstrap.servers".to_owned(), kafka.to_owned()),
        ("offset.storage.file.filename".to_owned(), file("offsets")),
        ("key.converter".to_owned(), CONVERTER.to_owned()),
        ("value.converter".to_owned(), CONVERTER.to_owned()),
        ("key.converter.schemas.enable".to_owned(), "false".to_owned()),
        ("value.converter.schemas.enable".to_owned(), "false".to_owned()),
    ]);
    let (worker, _) = WorkerConfig::from_map(&worker, Environment::new([])).unwrap();
    let history = file("history");
    let connector: BTreeMap<String, String> = [
        ("database.hostname", host),
        ("database.port", port),
        ("topic.prefix", database),
        ("snapshot.mode", "no_data"),
        ("schema.history.internal", "io.debezium.storage.file.history.FileSchemaHistory"),
        ("schema.history.internal.file.filename", &history),
    ]
    .into_iter()
    .filter(|(name, _)| !name.starts_with("schema.") || own.iter().any(|(name, _)| *name == "database.server.id"))
    .chain(own.iter().copied())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let (config, _) = ConnectorConfig::from_map(database, connector, &worker).unwrap();
    let mut pipeline =
        headwater::cli::run::start_connector(&config, &Arc::new(worker), &headwater::watchdog::Recorder::none())
            .unwrap();
    let metrics = pipeline.metrics().clone();
    let deadline = Instant::now() + Duration::from_secs(60);
    let wait_for = |count: u64| {
        while metrics.records_acknowledged.get() < count {
            assert!(
                Instant::now() < deadline,
                "{:?} after {}",
                pipeline.board().read(),
                metrics.records_acknowledged.get()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        (ALLOCATIONS.load(Ordering::Relaxed), metrics.producer.items().0)
    };
    // The first records pay for plans, topics and buffers.
    let before = wait_for(u64::from(rows) / 10);
    let after = wait_for(u64::from(rows));
    pipeline.stop();
    pipeline.join();
    (after.0 - before.0, after.1 - before.1)
}

const CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";

const UNWRAP: &[(&str, &str)] = &[
    ("transforms", "unwrap"),
    ("transforms.unwrap.type", "io.debezium.transforms.ExtractNewRecordState"),
    ("transforms.unwrap.add.fields", "op,source.ts_ms"),
];

/// The columns of the table as those of an outbox.
const OUTBOX: &[(&str, &str)] = &[
    ("transforms", "outbox"),
    ("transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter"),
    ("transforms.outbox.table.field.event.key", "a"),
    ("transforms.outbox.table.field.event.payload", "long_text"),
    ("transforms.outbox.table.fields.additional.placement", "e:header,b:envelope"),
    ("transforms.outbox.route.by.field", "short"),
    ("transforms.outbox.route.topic.regex", ".*"),
    ("transforms.outbox.route.topic.replacement", "headwater.test.allocations"),
];

/// What a batch may cost. A machine so busy that the server sends one row at a time has as many batches as rows.
const A_BATCH: f64 = 20.0;

/// A hundredth of an allocation would be noise of batches; a row that allocates costs one or more.
const ALLOWED: f64 = 0.05;

/// How many rows the two backlogs have.
const SIZES: (u32, u32) = (2_000, 12_000);

/// Counts what a row costs between two backlogs, and holds that it is nothing. `count` reads a small or a large one.
fn check(what: &str, mut count: impl FnMut(u32) -> (u64, u64)) -> Option<String> {
    let (small, large) = SIZES;
    // Timers allocate, too, and a busy machine has more of them in the same rows: the quietest of three runs counts.
    let mut each = f64::MAX;
    for _ in 0..3 {
        let counts = [count(small), count(large)];
        let more = |of: fn(&(u64, u64)) -> u64| of(&counts[1]) as f64 - of(&counts[0]) as f64;
        let (made, batches) = (more(|count| count.0), more(|count| count.1));
        let this = (made - batches * A_BATCH) / (f64::from(large - small) * 0.9);
        println!("{what}: {counts:?} for {small} and {large} rows: {this:.4} a row");
        each = each.min(this);
        if each < ALLOWED {
            return None;
        }
    }
    Some(format!("{what}: {each} allocations a row"))
}

#[test]
fn a_row_costs_no_allocation() {
    let Some((mysql, kafka)) = servers("HEADWATER_TEST_MYSQL_97") else { return };
    let _alone = ALONE.lock();
    let mut connection = connect(&mysql);
    let status = connection.query("SHOW BINARY LOG STATUS").unwrap();
    let start = format!("{}:{}", status.first("File").unwrap(), status.first("Position").unwrap());
    let name = |rows: u32| format!("alloc_{}_{rows}", std::process::id());
    for rows in [SIZES.0, SIZES.1] {
        fill(&mut connection, &name(rows), rows);
    }
    let mut failed = Vec::new();
    for (what, more) in [("the envelope", &[][..]), ("unwrapping", UNWRAP), ("an outbox", OUTBOX)] {
        failed.extend(check(what, |rows| {
            let database = name(rows);
            let own = [
                ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
                ("database.user", "cdc"),
                ("database.password", "cdcpw"),
                ("database.server.id", "57001"),
                ("database.include.list", &database),
                ("headwater.start.position", &start),
            ];
            allocations(&mysql, &kafka, &database, rows, &[&own, more].concat())
        }));
    }
    for rows in [SIZES.0, SIZES.1] {
        connection.query_drop(&format!("DROP DATABASE {}", name(rows))).unwrap();
    }
    assert_eq!(failed, [] as [String; 0]);
}

/// A database with a table of twelve columns, a slot, and rows: half in large transactions, half in one each.
fn fill_postgres(port: u16, kafka: &str, rows: u32) -> Database {
    let insert = "INSERT INTO t SELECT nextval('s'), 1, 2, 3.5, true, 12345.67, 'twenty-four characters..', \
                  'sixty-four characters of text, more or less, and some to fill up', '2026-01-02 03:04:05.678901', \
                  '2026-01-02 03:04:05Z', '2026-01-02', NULL FROM generate_series(1, ";
    let database = Database::at(port, kafka.to_owned(), &[]);
    database.run(&[
        "CREATE SEQUENCE s",
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b smallint, c float8, d boolean, price numeric(12,2), \
         short varchar(24), long_text text, at timestamp, stamp timestamptz, day date, note text)",
        "CREATE PUBLICATION p FOR TABLE t",
        &format!("SELECT pg_create_logical_replication_slot('{}', 'pgoutput')", database.name),
        &format!("DO $$ BEGIN FOR i IN 1..{} LOOP {insert}500); COMMIT; END LOOP; END $$", rows / 1000),
        &format!("DO $$ BEGIN FOR i IN 1..{} LOOP {insert}1); COMMIT; END LOOP; END $$", rows / 2),
    ]);
    database
}

#[test]
fn a_row_of_postgres_costs_no_allocation() {
    let Some((postgres, kafka)) = servers("HEADWATER_TEST_POSTGRES_17") else { return };
    let _alone = ALONE.lock();
    let port = postgres.rsplit(':').next().unwrap().parse().unwrap();
    let databases = [SIZES.0, SIZES.1].map(|rows| (rows, fill_postgres(port, &kafka, rows)));
    let mut runs = 0;
    let mut failed = Vec::new();
    // Transactions that are received while they are open cost allocations for each of the server's blocks, some hundred rows.
    for (what, more) in [("the envelope", &[][..]), ("unwrapping", UNWRAP)] {
        failed.extend(check(&format!("PostgreSQL, {what}"), |rows| {
            let (_, scene) = databases.iter().find(|(of, _)| *of == rows).unwrap();
            let database = &scene.name;
            runs += 1;
            // The slot moves with what is read from it.
            let slot = format!("{database}_{runs}");
            scene.run(&[&format!("SELECT pg_copy_logical_replication_slot('{database}', '{slot}')")]);
            let own = [
                ("connector.class", "io.debezium.connector.postgresql.PostgresConnector"),
                ("plugin.name", "pgoutput"),
                ("database.user", "app"),
                ("database.password", "apppw"),
                ("database.dbname", database),
                ("slot.name", &slot),
                ("publication.name", "p"),
                ("publication.autocreate.mode", "disabled"),
            ];
            allocations(&postgres, &kafka, database, rows, &[&own, more].concat())
        }));
    }
    assert_eq!(failed, [] as [String; 0]);
}
