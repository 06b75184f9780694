//! The load: transactions of inserts, updates, deletes and changed keys, and a record of what was committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater::source::binlog::connection::Connection;

use super::TABLES;
use crate::support::server::Server;

/// Rows in a statement of a large transaction.
const LARGE_INSERT: usize = 1_000;

/// What a record of the topic says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `c`.
    Create,
    /// `u`.
    Update,
    /// `d`: it carries the version that was deleted.
    Delete,
}

/// One record that must come.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Which of the tables.
    pub table: usize,
    /// The key's JSON.
    pub key: String,
    /// What happened.
    pub operation: Operation,
    /// The row's version; unique for the key and operation.
    pub version: u64,
}

/// A transaction that was committed.
pub type Committed = Vec<Expected>;

/// A row's key, in SQL and in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    table: usize,
    number: u64,
}

impl Key {
    fn json(self) -> String {
        match self.table {
            0 => format!("{{\"id\":{}}}", self.number),
            1 => format!("{{\"order_id\":{},\"line\":{}}}", self.number / 5, self.number % 5),
            _ => format!("{{\"code\":\"note ü {}\"}}", self.number),
        }
    }

    fn columns(self) -> &'static str {
        ["id", "order_id, line", "code"][self.table]
    }

    fn values(self) -> String {
        match self.table {
            0 => self.number.to_string(),
            1 => format!("{}, {}", self.number / 5, self.number % 5),
            _ => format!("'note ü {}'", self.number),
        }
    }

    fn assignments(self, between: &str) -> String {
        match self.table {
            0 => format!("id = {}", self.number),
            1 => format!("order_id = {}{between}line = {}", self.number / 5, self.number % 5),
            _ => format!("code = 'note ü {}'", self.number),
        }
    }

    fn name(self) -> &'static str {
        TABLES[self.table].0
    }
}

/// Writes rows of its own, one transaction after the other.
pub struct Writer {
    random: fastrand::Rng,
    /// Rows that exist, with their versions.
    rows: BTreeMap<Key, u64>,
    /// Keys that were deleted, to be used again.
    free: Vec<Key>,
    next: [u64; 3],
    first: u64,
    version: u64,
    transaction: u64,
    statements: Vec<String>,
    expected: Committed,
}

impl Writer {
    /// A writer whose keys and versions nobody else has: `number` tells writers apart, `seed` says what it does.
    pub fn new(number: u64, seed: u64) -> Self {
        let first = number * 1_000_000_000;
        Writer {
            random: fastrand::Rng::with_seed(seed),
            rows: BTreeMap::new(),
            free: Vec::new(),
            next: [0; 3],
            first,
            version: first,
            transaction: first,
            statements: Vec::new(),
            expected: Vec::new(),
        }
    }

    fn new_key(&mut self) -> Key {
        if self.random.u8(..4) == 0
            && let Some(key) = self.free.pop()
        {
            return key;
        }
        let table = self.random.usize(..3);
        self.next[table] += 1;
        Key { table, number: self.first + self.next[table] }
    }

    fn any_row(&mut self) -> Option<(Key, u64)> {
        let from = Key { table: self.random.usize(..3), number: self.first + self.random.u64(..self.next[0] + 1) };
        let found = self.rows.range(from..).next().or_else(|| self.rows.iter().next());
        found.map(|(key, version)| (*key, *version))
    }

    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    fn label(&mut self) -> String {
        "row ".repeat(self.random.usize(1..30))
    }

    fn expect(&mut self, key: Key, operation: Operation, version: u64) {
        self.expected.push(Expected { table: key.table, key: key.json(), operation, version });
    }

    /// One statement that inserts rows into the table of the first key.
    fn insert(&mut self, count: usize) {
        let first = self.new_key();
        let mut keys = vec![first];
        for _ in 1..count {
            self.next[first.table] += 1;
            keys.push(Key { table: first.table, number: self.first + self.next[first.table] });
        }
        let mut values = Vec::new();
        for key in keys {
            let (version, label) = (self.next_version(), self.label());
            values.push(format!("({}, {version}, {}, '{label}')", key.values(), self.transaction));
            self.rows.insert(key, version);
            self.expect(key, Operation::Create, version);
        }
        let columns = format!("{}, version, transaction, label", first.columns());
        self.statements.push(format!("INSERT INTO {} ({columns}) VALUES {}", first.name(), values.join(",")));
    }

    fn update(&mut self) {
        let Some((key, _)) = self.any_row() else { return };
        let (version, label) = (self.next_version(), self.label());
        self.statements.push(format!(
            "UPDATE {} SET version = {version}, transaction = {}, label = '{label}' WHERE {}",
            key.name(),
            self.transaction,
            key.assignments(" AND ")
        ));
        self.rows.insert(key, version);
        self.expect(key, Operation::Update, version);
    }

    fn delete(&mut self) {
        let Some((key, version)) = self.any_row() else { return };
        self.statements.push(format!("DELETE FROM {} WHERE {}", key.name(), key.assignments(" AND ")));
        self.rows.remove(&key);
        self.free.push(key);
        self.expect(key, Operation::Delete, version);
    }

    fn change_key(&mut self) {
        let Some((old, old_version)) = self.any_row() else { return };
        self.next[old.table] += 1;
        let key = Key { table: old.table, number: self.first + self.next[old.table] };
        let version = self.next_version();
        self.statements.push(format!(
            "UPDATE {} SET {}, version = {version}, transaction = {} WHERE {}",
            old.name(),
            key.assignments(", "),
            self.transaction,
            old.assignments(" AND ")
        ));
        self.rows.remove(&old);
        self.free.push(old);
        self.rows.insert(key, version);
        self.expect(old, Operation::Delete, old_version);
        self.expect(key, Operation::Create, version);
    }

    /// One transaction, committed.
    fn transaction(&mut self, session: &mut Connection) -> Committed {
        self.transaction += 1;
        let large = self.random.u8(..50) == 0;
        let statements = if large { 3 } else { self.random.usize(1..12) };
        for _ in 0..statements {
            match self.random.u8(..20) {
                0..8 => {
                    let rows = if large { self.random.usize(300..900) } else { self.random.usize(1..8) };
                    self.insert(rows);
                }
                8..14 => self.update(),
                14..17 => self.delete(),
                _ => self.change_key(),
            }
        }
        self.commit(session, || {})
    }

    /// One transaction that inserts so many rows and updates some of them. The log has nothing of it before it is
    /// committed, and `before` runs then.
    pub fn large_transaction(&mut self, session: &mut Connection, rows: usize, before: impl FnOnce()) -> Committed {
        self.transaction += 1;
        for _ in 0..rows.div_ceil(LARGE_INSERT) {
            self.insert(LARGE_INSERT);
            self.update();
        }
        self.commit(session, before)
    }

    fn commit(&mut self, session: &mut Connection, before: impl FnOnce()) -> Committed {
        self.statements.push("INSERT INTO shop.rest (v) VALUES (1)".to_owned());
        session.query_drop("BEGIN").unwrap();
        for statement in self.statements.drain(..) {
            session.query_drop(&statement).unwrap();
        }
        before();
        session.query_drop("COMMIT").unwrap();
        std::mem::take(&mut self.expected)
    }
}

/// Writes until asked to stop, with pauses shorter than `pause_ms`. Gives the transactions in the order of their commits.
pub fn write(server: &Server, number: u64, seed: u64, pause_ms: u64, stop: &AtomicBool) -> Vec<Committed> {
    let mut session = server.session();
    let mut writer = Writer::new(number, seed);
    let mut committed = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        committed.push(writer.transaction(&mut session));
        // The machine is shared with the server, the broker and the program that is tested.
        std::thread::sleep(Duration::from_millis(writer.random.u64(..pause_ms)));
    }
    committed
}
