//! What the topics must say, given what was committed and what was stored when the process died.

use std::collections::HashMap;

use serde_json::Value;

use super::writer::{Committed, Expected, Operation};
use super::{Death, TABLES};
use crate::support::program::Connector;
use crate::support::server::Server;
use crate::support::{state, topic};

/// What must come for one key, in order.
#[derive(Default)]
struct History {
    places: HashMap<(Operation, u64), usize>,
    operations: Vec<Operation>,
}

/// What has come for one key.
struct Seen {
    partition: i32,
    /// Place in the history of the last record.
    last: usize,
    /// The last record was this delete's tombstone.
    tombstone: bool,
    jumps_back: usize,
    furthest: usize,
}

/// Where a record first stands, and where in the log it says that it comes from.
struct First {
    partition: i32,
    offset: i64,
    /// Empty where the server numbers no transactions.
    gtid: String,
    file: String,
    position: u64,
}

type Firsts = HashMap<(usize, String, Operation, u64), First>;

fn histories(transactions: &[Committed]) -> HashMap<(usize, &str), History> {
    let mut histories: HashMap<(usize, &str), History> = HashMap::new();
    for Expected { table, key, operation, version } in transactions.iter().flatten() {
        let history = histories.entry((*table, key)).or_default();
        let known = history.places.insert((*operation, *version), history.operations.len());
        assert_eq!(known, None, "the load must not repeat a version");
        history.operations.push(*operation);
    }
    histories
}

fn parse(value: &Value) -> (Operation, u64) {
    let (operation, side) = match value["op"].as_str().unwrap() {
        "c" => (Operation::Create, "after"),
        "u" => (Operation::Update, "after"),
        "d" => (Operation::Delete, "before"),
        other => panic!("operation {other}"),
    };
    (operation, value[side]["version"].as_u64().unwrap())
}

/// Reads a table's topic; checks each key's order; notes where each record first stands.
fn read_table(
    connector: &Connector,
    table: usize,
    histories: &HashMap<(usize, &str), History>,
    deaths: usize,
    firsts: &mut Firsts,
) -> usize {
    let name = TABLES[table].0;
    let mut seen: HashMap<String, Seen> = HashMap::new();
    let mut records = 0;
    topic::read(&connector.broker, &connector.topic(name), |record| {
        records += 1;
        let key = String::from_utf8(record.key.unwrap()).unwrap();
        let history = histories.get(&(table, &*key)).unwrap_or_else(|| panic!("{name}: nobody wrote {key}"));
        let Some(value) = record.value else {
            let seen = seen.get_mut(&key).unwrap_or_else(|| panic!("{name}: {key} begins with a tombstone"));
            let follows = history.operations[seen.last] == Operation::Delete && !seen.tombstone;
            assert!(follows, "{name}: {key}: a tombstone that follows no delete");
            seen.tombstone = true;
            return;
        };
        let value: Value = serde_json::from_slice(&value).unwrap();
        let (operation, version) = parse(&value);
        let place = history.places.get(&(operation, version));
        let place =
            *place.unwrap_or_else(|| panic!("{name}: {key}: {operation:?} of version {version} never happened"));
        let source = &value["source"];
        let text = |field: &str| source[field].as_str().unwrap_or_default().to_owned();
        let (gtid, file, position) = (text("gtid"), text("file"), source["pos"].as_u64().unwrap());
        let first = First { partition: record.partition, offset: record.offset, gtid, file, position };
        firsts.entry((table, key.clone(), operation, version)).or_insert(first);
        let Some(seen) = seen.get_mut(&key) else {
            assert_eq!(place, 0, "{name}: {key} begins with its record {place}");
            let new = Seen { partition: record.partition, last: 0, tombstone: false, jumps_back: 0, furthest: 0 };
            seen.insert(key, new);
            return;
        };
        assert_eq!(seen.partition, record.partition, "{name}: {key} is in two partitions");
        assert!(place <= seen.last + 1, "{name}: {key}: record {place} follows record {}", seen.last);
        if place == seen.last + 1 {
            let whole = history.operations[seen.last] != Operation::Delete || seen.tombstone;
            assert!(whole, "{name}: {key}: no tombstone after delete {}", seen.last);
        } else {
            seen.jumps_back += 1;
            assert!(seen.jumps_back <= deaths, "{name}: {key} goes back more often than the process died");
        }
        (seen.last, seen.tombstone, seen.furthest) = (place, false, seen.furthest.max(place));
    });
    for ((_, key), history) in histories.iter().filter(|((of, _), _)| *of == table) {
        let last = seen.get(*key).unwrap_or_else(|| panic!("{name}: {key} is not on the topic"));
        assert_eq!(last.last + 1, history.operations.len(), "{name}: {key}: its last records are missing");
    }
    records
}

/// Whether a GTID (`uuid:number`, or MariaDB's `domain-server-number`) is in a set (`uuid:1-5:7,uuid:…`, `0-1-9,…`).
fn contains(set: &str, gtid: &str) -> bool {
    let Some((uuid, number)) = gtid.split_once(':') else {
        let parts = |gtid: &str| gtid.split('-').map(|part| part.trim().parse().unwrap()).collect::<Vec<u64>>();
        let wanted = parts(gtid);
        return set.split(',').map(parts).any(|last| last[0] == wanted[0] && wanted[2] <= last[2]);
    };
    let number: u64 = number.parse().unwrap();
    set.split(',').filter_map(|part| part.trim().split_once(':')).filter(|(of, _)| *of == uuid).any(|(_, ranges)| {
        ranges.split(':').any(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            (from.parse().unwrap()..=to.parse().unwrap()).contains(&number)
        })
    })
}

/// Whether a stored position counts the transaction of a record as done.
fn counts(stored: &Value, first: &First) -> bool {
    match stored["gtids"].as_str() {
        Some(gtids) => contains(gtids, &first.gtid),
        // Files have numbers of six digits in a test, so that their names are in the order of the log.
        None => (&*first.file, first.position) < (stored["file"].as_str().unwrap(), stored["pos"].as_u64().unwrap()),
    }
}

/// When the process died, every row of what the stored position counts as done was on the topics.
fn verify_positions(transactions: &[Committed], deaths: &[Death], firsts: &Firsts) -> usize {
    let mut inside = 0;
    for (number, death) in deaths.iter().enumerate() {
        inside += usize::from(death.stored["event"].as_u64().unwrap_or(0) > 0);
        for expected in transactions.iter().flatten() {
            let Expected { table, key, operation, version } = expected;
            let first = &firsts[&(*table, key.clone(), *operation, *version)];
            if counts(&death.stored, first) {
                let end = death.ends[*table].get(usize::try_from(first.partition).unwrap()).copied().unwrap_or(0);
                assert!(
                    first.offset < end,
                    "death {number}: the stored position {} is ahead: {expected:?} of {} was not yet on the topic",
                    death.stored,
                    first.gtid
                );
            }
        }
    }
    inside
}

/// Verifies all of it; `what` begins the line that sums it up. Gives how many stored positions were inside a transaction.
pub fn verify(
    what: &str,
    server: &Server,
    connector: &Connector,
    transactions: &[Committed],
    deaths: &[Death],
) -> usize {
    let histories = histories(transactions);
    let mut firsts = Firsts::new();
    let (mut records, mut rows) = (0, 0);
    for (index, (table, key, row)) in TABLES.iter().enumerate() {
        records += read_table(connector, index, &histories, deaths.len(), &mut firsts);
        let expected = state::table(server, table, key, row);
        rows += expected.len();
        let folded = state::fold_columns(&connector.broker, &connector.topic(table), row);
        state::assert_same(table, &expected, &folded.rows);
    }
    let inside = verify_positions(transactions, deaths, &firsts);
    let deletes = transactions.iter().flatten().filter(|expected| expected.operation == Operation::Delete).count();
    let wanted = transactions.iter().map(Vec::len).sum::<usize>() + deletes;
    println!(
        "{what}: {} transactions, {wanted} records, {rows} rows at the end; {} records came twice; \
         {inside} of {} stored positions were inside a transaction",
        transactions.len(),
        records - wanted,
        deaths.len()
    );
    inside
}
