//! From the server's socket to the producer, a row costs no allocation.
//!
//! Two backlogs that differ by a known number of rows are read from a real MySQL into a real Kafka, in this
//! process, and every allocation of ours is counted. What a batch costs (its position, its place in a queue) is
//! allowed; a row must cost less than a hundredth of an allocation. librdkafka's own memory is not counted.
//!
//! Needs `HEADWATER_TEST_MYSQL_97` and `HEADWATER_TEST_KAFKA`; without them it says SKIPPED, and fails where `CI=true`.

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
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater::config::connector::ConnectorConfig;
use headwater::config::provider::Environment;
use headwater::config::worker::WorkerConfig;
use headwater::source::binlog::connection::{ConnectOptions, Connection, Secret};

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

/// The addresses of MySQL and Kafka; `None` where the test is to be skipped.
fn servers() -> Option<(String, String)> {
    let address = |name: &str| std::env::var(name).ok().filter(|address| !address.is_empty());
    match (address("HEADWATER_TEST_MYSQL_97"), address("HEADWATER_TEST_KAFKA")) {
        (Some(mysql), Some(kafka)) => Some((mysql, kafka)),
        _ => {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "HEADWATER_TEST_MYSQL_97 or _KAFKA is not set");
            println!("SKIPPED allocations: HEADWATER_TEST_MYSQL_97 or HEADWATER_TEST_KAFKA is not set");
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
fn allocations(mysql: &str, kafka: &str, database: &str, start: &str, rows: u32, more: &[(&str, &str)]) -> (u64, u64) {
    let (host, port) = mysql.rsplit_once(':').unwrap();
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
    let connector: BTreeMap<String, String> = [
        ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
        ("database.hostname", host),
        ("database.port", port),
        ("database.user", "cdc"),
        ("database.password", "cdcpw"),
        ("database.server.id", "57001"),
        ("topic.prefix", database),
        ("database.include.list", database),
        ("snapshot.mode", "no_data"),
        ("headwater.start.position", start),
        ("schema.history.internal", "io.debezium.storage.file.history.FileSchemaHistory"),
        ("schema.history.internal.file.filename", &file("history")),
    ]
    .into_iter()
    .chain(more.iter().copied())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let (config, _) = ConnectorConfig::from_map(database, connector, &worker).unwrap();
    let mut pipeline = headwater::cli::run::start_connector(&config, &Arc::new(worker)).unwrap();
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

#[test]
fn a_row_costs_no_allocation() {
    let Some((mysql, kafka)) = servers() else { return };
    let mut connection = connect(&mysql);
    let status = connection.query("SHOW BINARY LOG STATUS").unwrap();
    let start = format!("{}:{}", status.first("File").unwrap(), status.first("Position").unwrap());
    let unique = std::process::id();
    let (small, large) = (2_000, 12_000);
    let names = [(format!("alloc_small_{unique}"), small), (format!("alloc_large_{unique}"), large)];
    for (name, rows) in &names {
        fill(&mut connection, name, *rows);
    }
    let mut failed = Vec::new();
    for (what, more) in [("the envelope", &[][..]), ("unwrapping", UNWRAP), ("an outbox", OUTBOX)] {
        // Timers allocate, too, and a busy machine has more of them in the same rows: the quietest of three runs counts.
        let mut each = f64::MAX;
        for _ in 0..3 {
            let count = |(name, rows): &(String, u32)| allocations(&mysql, &kafka, name, &start, *rows, more);
            let counts: Vec<(u64, u64)> = names.iter().map(count).collect();
            let more = |of: fn(&(u64, u64)) -> u64| of(&counts[1]) as f64 - of(&counts[0]) as f64;
            let (made, batches) = (more(|count| count.0), more(|count| count.1));
            let this = (made - batches * A_BATCH) / (f64::from(large - small) * 0.9);
            println!("{what}: {counts:?} for {small} and {large} rows: {this:.4} a row");
            each = each.min(this);
            if each < ALLOWED {
                break;
            }
        }
        if each >= ALLOWED {
            failed.push(format!("{what}: {each} allocations a row"));
        }
    }
    for (name, _) in &names {
        connection.query_drop(&format!("DROP DATABASE {name}")).unwrap();
    }
    assert_eq!(failed, [] as [String; 0]);
}
