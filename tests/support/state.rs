//! What a table is, and what its topic says it is.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::server::Server;
use super::topic;

/// Rows by their key's JSON; each row as JSON without white space.
pub type Rows = BTreeMap<String, String>;

/// A topic folded to its final state, and what was seen on the way.
#[derive(Debug, Default)]
pub struct Folded {
    /// The last value of each key.
    pub rows: Rows,
    /// Records, tombstones included.
    pub records: usize,
    /// Records that stand in the log where an earlier record of the topic stands too.
    pub duplicates: usize,
    /// How often a key's records go back in the log.
    pub jumps_back: usize,
    /// Values without a before image, with their operation.
    pub operations: BTreeMap<String, usize>,
}

/// A record's place in the log: file, position, row.
fn place(source: &Value) -> (u64, u64, u64) {
    let file = source["file"].as_str().unwrap_or_default();
    let number = file.rsplit('.').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    (number, source["pos"].as_u64().unwrap_or(0), source["row"].as_u64().unwrap_or(0))
}

/// Folds a topic of JSON envelopes without schemas, and checks the order of each key: in one partition, and in the order
/// of the log except where a restart went back.
pub fn fold(broker: &str, topic_name: &str) -> Folded {
    fold_rows(broker, topic_name, &Value::to_string)
}

/// The same with these columns of each row only: a list as for [`table`].
pub fn fold_columns(broker: &str, topic_name: &str, columns: &str) -> Folded {
    fold_rows(broker, topic_name, &|row| ordered(row, columns))
}

/// The members of an object that a list of columns names, in its order.
fn ordered(value: &Value, columns: &str) -> String {
    let member = |name: &str| (name.trim().to_owned(), value[name.trim()].clone());
    Value::Object(columns.split(',').map(member).collect()).to_string()
}

fn fold_rows(broker: &str, topic_name: &str, text: &dyn Fn(&Value) -> String) -> Folded {
    let mut folded = Folded::default();
    let mut last: HashMap<String, (i32, (u64, u64, u64))> = HashMap::new();
    let mut seen: std::collections::HashSet<(u64, u64, u64, String, String)> = std::collections::HashSet::new();
    topic::read(broker, topic_name, |record| {
        folded.records += 1;
        let Some(key) = record.key.as_deref().map(|key| String::from_utf8(key.to_vec()).unwrap()) else {
            // TRUNCATE: the table is empty.
            let value: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
            assert_eq!(value["op"], "t", "{topic_name}: a record without a key: {value}");
            *folded.operations.entry("t".to_owned()).or_default() += 1;
            folded.rows.clear();
            return;
        };
        let Some(value) = record.value else {
            assert!(!folded.rows.contains_key(&key), "{topic_name}: a tombstone for {key}, which was not deleted");
            return;
        };
        let value: Value = serde_json::from_slice(&value).unwrap();
        let op = value["op"].as_str().unwrap().to_owned();
        let at = place(&value["source"]);
        if let Some((partition, before)) = last.insert(key.clone(), (record.partition, at)) {
            assert_eq!(partition, record.partition, "{topic_name}: {key} is in two partitions");
            folded.jumps_back += usize::from(at < before);
        }
        folded.duplicates += usize::from(!seen.insert((at.0, at.1, at.2, op.clone(), key.clone())));
        *folded.operations.entry(op).or_default() += 1;
        match &value["after"] {
            Value::Null => drop(folded.rows.remove(&key)),
            after => drop(folded.rows.insert(key, text(after))),
        }
    });
    folded
}

/// The rows of a table by their keys, from the server: `key` and `row` are lists of columns for JSON_OBJECT.
pub fn table(server: &Server, table: &str, key: &str, row: &str) -> Rows {
    let columns = |list: &str| {
        let pair = |column: &str| format!("'{column}',{column}");
        list.split(',').map(|column| pair(column.trim())).collect::<Vec<_>>().join(",")
    };
    let statement =
        format!("SELECT JSON_OBJECT({}) AS k, JSON_OBJECT({}) AS v FROM {table}", columns(key), columns(row));
    let result = server.session().query(&statement).unwrap();
    let text = |cell: &Option<Vec<u8>>| {
        let value: Value = serde_json::from_slice(cell.as_deref().unwrap()).unwrap();
        value
    };
    // The server orders members by length and name; topics have them in the order of the columns.
    result.rows.iter().map(|cells| (ordered(&text(&cells[0]), key), ordered(&text(&cells[1]), row))).collect()
}

/// Asserts that a topic's final state is the table, and says how many differ otherwise.
pub fn assert_same(what: &str, table: &Rows, topic: &Rows) {
    let missing: Vec<&String> = table.keys().filter(|key| !topic.contains_key(*key)).collect();
    let extra: Vec<&String> = topic.keys().filter(|key| !table.contains_key(*key)).collect();
    let other: Vec<_> = table
        .iter()
        .filter_map(|(key, row)| topic.get(key).filter(|found| *found != row).map(|found| (row, found)))
        .collect();
    assert!(
        missing.is_empty() && extra.is_empty() && other.is_empty(),
        "{what}: {} rows are missing on the topic {:?}, {} are too many {:?}, {} differ {:?}",
        missing.len(),
        missing.first(),
        extra.len(),
        extra.first(),
        other.len(),
        other.first()
    );
}
