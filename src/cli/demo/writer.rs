//! The application of the demo: orders are placed, paid, shipped and now and then cancelled.
//!
//! Each change has a number of its own, so that what is on the topic can be compared with what was written one by
//! one, and the time at which it was written, so that it can be said how long it took.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;

use crate::source::binlog::connection::{ConnectOptions, Connection, ConnectionError};
use crate::util::clock;
use crate::util::stop::Stop;

/// The columns of the table.
pub(super) const COLUMNS: &str = "id BIGINT UNSIGNED PRIMARY KEY, customer VARCHAR(40) NOT NULL, \
     item VARCHAR(40) NOT NULL, quantity INT NOT NULL, price DECIMAL(10,2) NOT NULL, \
     status ENUM('placed','paid','shipped') NOT NULL DEFAULT 'placed', \
     change_number BIGINT NOT NULL, written_at_ms BIGINT NOT NULL";

/// How often rows are written.
const TICK: Duration = Duration::from_millis(20);

/// At most so many rows go into one statement.
const MOST_ROWS: u64 = 200;

const CUSTOMERS: &[&str] = &["Ada", "Blaise", "Carl", "Dorothy", "Emmy", "Fritz", "Grace", "Hedy", "Zoë", "李娜"];
const ITEMS: &[&str] = &["kettle", "lamp", "chair", "bicycle", "radio", "scarf", "teapot", "clock"];

/// What is written, by a thread of its own.
pub(super) struct Writer {
    stop: Stop,
    written: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
    thread: std::sync::Mutex<Option<JoinHandle<Result<(), ConnectionError>>>>,
}

impl Writer {
    /// Starts to write.
    pub(super) fn start(server: ConnectOptions, database: &str, rows_per_second: u64) -> anyhow::Result<Self> {
        let (stop, written, failed) = (Stop::new(), Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let table = format!("{database}.orders");
        let mine = (stop.clone(), written.clone(), failed.clone());
        let write = move || {
            let (stop, written, failed) = mine;
            let result = write(&server, &table, rows_per_second, &stop, &written);
            failed.store(result.is_err(), Ordering::SeqCst);
            result
        };
        let thread = std::thread::Builder::new().name("demo-writer".to_owned()).spawn(write)?;
        Ok(Writer { stop, written, failed, thread: std::sync::Mutex::new(Some(thread)) })
    }

    /// Changes of rows that the server has confirmed.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// Whether writing ended by an error.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    /// Ends the writing, and says how many changes there are.
    pub(super) fn finish(&self) -> anyhow::Result<u64> {
        self.stop.set();
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(Ok(result)) = thread.map(JoinHandle::join) {
            result.context("writing to the database failed")?;
        }
        Ok(self.written())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.set();
    }
}

fn write(
    server: &ConnectOptions,
    table: &str,
    rows_per_second: u64,
    stop: &Stop,
    written: &AtomicU64,
) -> Result<(), ConnectionError> {
    // A flag of its own, which nobody sets: a transaction that is under way when writing ends comes to its end and is counted.
    let mut connection = Connection::connect(server, &Stop::new().flag())?;
    let began = clock::moment();
    let mut placed = 0u64;
    while !stop.wait(TICK) {
        let due = u64::try_from(began.elapsed().as_millis()).unwrap_or(0) * rows_per_second / 1_000;
        let mut number = written.load(Ordering::SeqCst);
        let rows = due.saturating_sub(number).min(MOST_ROWS);
        if rows == 0 {
            continue;
        }
        // Three in four changes place an order; the others move one on.
        let inserts = (rows * 3).div_ceil(4);
        connection.query_drop("START TRANSACTION")?;
        connection.query_drop(&insert(table, placed, number, inserts))?;
        (placed, number) = (placed + inserts, number + inserts);
        for _ in inserts..rows {
            let now_ms = clock::now_ms();
            let id = fastrand::u64(1..=placed);
            connection.query_drop(&format!(
                "UPDATE {table} SET status = IF(status = 'placed', 'paid', 'shipped'), change_number = {number}, written_at_ms = {now_ms} WHERE id = {id}"
            ))?;
            number += 1;
        }
        connection.query_drop("COMMIT")?;
        written.store(number, Ordering::SeqCst);
    }
    connection.close();
    Ok(())
}

fn insert(table: &str, placed: u64, first_number: u64, rows: u64) -> String {
    let pick = |names: &[&'static str]| names.get(fastrand::usize(..names.len())).copied().unwrap_or_default();
    let now_ms = clock::now_ms();
    let row = |row: u64| {
        let (id, number) = (placed + row + 1, first_number + row);
        let (customer, item) = (pick(CUSTOMERS), pick(ITEMS));
        let (quantity, price) = (fastrand::u8(1..=9), fastrand::u32(100..=99_999));
        format!("({id}, '{customer}', '{item}', {quantity}, {}.{:02}, {number}, {now_ms})", price / 100, price % 100)
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO {table} (id, customer, item, quantity, price, change_number, written_at_ms) VALUES {}",
        rows.join(", ")
    )
}
