//! Two sides, place by place, record by record, field by field.

use super::json::Node;
use super::landed::Landed;
use super::masks;

/// Differences of one place that are printed before the rest is only counted.
const SHOWN: usize = 12;

/// Longest text of a value in a difference.
const WIDEST: usize = 300;

/// Every difference as a line; none means equal.
pub fn differences(debezium: &Landed, headwater: &Landed, recorded: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut places: Vec<&String> = debezium.keys().chain(headwater.keys()).collect();
    places.sort();
    places.dedup();
    for place in places {
        let (one, other) = (masked(place, debezium, recorded), masked(place, headwater, recorded));
        let mut here = Vec::new();
        match (one, other) {
            (Some(one), Some(other)) => records(&one, &other, &mut here),
            (one, other) => {
                let count = |side: Option<Vec<Node>>| {
                    side.map_or("nothing".to_owned(), |side| format!("{} records", side.len()))
                };
                here.push(format!(": Debezium has {}, Headwater has {}", count(one), count(other)));
            }
        }
        let more = here.len().saturating_sub(SHOWN);
        found.extend(here.into_iter().take(SHOWN).map(|line| format!("{place}{line}")));
        if more > 0 {
            found.push(format!("{place}: and {more} more"));
        }
    }
    found
}

fn masked(place: &str, side: &Landed, recorded: bool) -> Option<Vec<Node>> {
    let mut records = side.get(place)?.clone();
    records.iter_mut().for_each(|record| masks::apply(place, record, recorded));
    Some(records)
}

fn records(debezium: &[Node], headwater: &[Node], found: &mut Vec<String>) {
    if debezium.len() != headwater.len() {
        found.push(format!(": Debezium has {} records, Headwater has {}", debezium.len(), headwater.len()));
    }
    for (index, (one, other)) in debezium.iter().zip(headwater).enumerate() {
        fields(one, other, &format!("[{index}]"), found);
    }
}

fn fields(debezium: &Node, headwater: &Node, path: &str, found: &mut Vec<String>) {
    match (debezium, headwater) {
        (Node::Object(_), Node::Object(_)) => {
            let (one, other) = (debezium.names(), headwater.names());
            if one != other {
                found.push(format!(" {path}: the members are {one:?} | {other:?}"));
            }
            for name in one {
                if let (Some(one), Some(other)) = (debezium.get(name), headwater.get(name)) {
                    fields(one, other, &format!("{path}.{name}"), found);
                }
            }
        }
        (Node::List(one), Node::List(other)) => {
            if one.len() != other.len() {
                found.push(format!(" {path}: {} items | {} items", one.len(), other.len()));
            }
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                fields(one, other, &format!("{path}[{index}]"), found);
            }
        }
        (one, other) if one != other => found.push(format!(" {path}: {} | {}", short(one), short(other))),
        _ => {}
    }
}

fn short(node: &Node) -> String {
    let text = node.print();
    match text.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text,
    }
}
