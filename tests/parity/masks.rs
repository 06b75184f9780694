//! What must differ between two connectors that see the same traffic, and why. Nothing else is left out of the comparison.
//!
//! A field is named from the record: `value.source.pos`; the `schema`/`payload` pair of converters with schemas is stepped
//! over. What is masked is still compared for being there and for not being null, except where `?` stands behind its name.

use super::json::Node;

/// What a record is, told by its place and its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A row's event, or whatever a transform made of it.
    Data,
    /// A row's event as a CloudEvent.
    CloudEvent,
    /// BEGIN and END of transactions.
    Transaction,
    /// A heartbeat.
    Heartbeat,
    /// A record of the topic of schema changes.
    SchemaChange,
    /// A record of the schema history.
    History,
    /// The stored offset.
    Offset,
}

/// When a mask applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always: two connectors beside each other cannot agree on it.
    Always,
    /// In records of the snapshot of definitions.
    Snapshot,
    /// In records of MariaDB.
    MariaDb,
    /// Only against golden files: another run of the same traffic on another server cannot agree on it.
    Recorded,
}

/// One field that must differ.
pub struct Mask {
    /// In these records.
    pub on: &'static [Kind],
    /// These fields.
    pub fields: &'static [&'static str],
    /// Then.
    pub when: When,
    /// For this reason.
    pub because: &'static str,
}

const EVENTS: &[Kind] = &[Kind::Data, Kind::SchemaChange];

/// All of them.
pub const MASKS: &[Mask] = &[
    Mask {
        on: &[Kind::Data, Kind::SchemaChange, Kind::History, Kind::Heartbeat],
        fields: &["value.ts_ms", "value.ts_us", "value.ts_ns", "value.__ts_ms", "value.__ts_us", "value.__ts_ns"],
        when: When::Always,
        because: "the moment at which the connector's process handled the event",
    },
    Mask {
        on: &[Kind::Data, Kind::CloudEvent, Kind::SchemaChange, Kind::Transaction, Kind::Heartbeat],
        fields: &["headers.__debezium.context.runId"],
        when: When::Always,
        because: "a random id of the connector's run",
    },
    Mask {
        on: EVENTS,
        fields: &["value.source.ts_ms", "value.source.ts_us", "value.source.ts_ns", "value.source.file"],
        when: When::Snapshot,
        because: "each connector reads the definitions at a moment and position of its own",
    },
    Mask {
        on: &[Kind::SchemaChange],
        fields: &["value.source.pos", "value.source.gtid"],
        when: When::Snapshot,
        because: "each connector reads the definitions at a moment and position of its own",
    },
    Mask {
        on: &[Kind::History],
        fields: &["value.position.ts_sec", "value.position.file", "value.position.pos", "value.position.gtids"],
        when: When::Snapshot,
        because: "each connector reads the definitions at a moment and position of its own",
    },
    Mask {
        on: EVENTS,
        fields: &[
            "value.source.ts_ms",
            "value.source.ts_us",
            "value.source.ts_ns",
            "value.__source_ts_ms",
            "value.__source_ts_us",
            "value.__source_ts_ns",
        ],
        when: When::Recorded,
        because: "the server's clock when the statement ran",
    },
    Mask {
        on: EVENTS,
        fields: &[
            "value.source.server_id",
            "value.source.file",
            "value.source.pos",
            "value.source.gtid",
            "value.source.thread",
            "value.transaction.id",
        ],
        when: When::Recorded,
        because: "the server's own name for itself, its log, its sessions and its transactions",
    },
    Mask {
        on: EVENTS,
        fields: &[
            "value.source.lsn",
            "value.source.sequence",
            "value.source.txId",
            "value.source.xmin",
            "value.__lsn",
            "value.__source_lsn",
            "value.__source_sequence",
            "value.__source_txId",
            "value.__source_xmin",
        ],
        when: When::Recorded,
        because: "the places in the server's write-ahead log, and its numbers for its transactions; two connectors beside each other \
                  read the same log and must agree on them",
    },
    Mask {
        on: &[Kind::CloudEvent],
        fields: &["value.data.ts_ms", "value.data.ts_us", "value.data.ts_ns"],
        when: When::Always,
        because: "the moment at which the connector's process handled the event",
    },
    Mask {
        on: &[Kind::CloudEvent],
        fields: &["value.dataschema"],
        when: When::Always,
        because: "ends with the registry's number for the schema, whose names hold the prefix; the schema is compared by itself",
    },
    Mask {
        on: &[Kind::CloudEvent],
        fields: &[
            "value.id",
            "value.time",
            "value.iodebeziumtsms",
            "value.iodebeziumtsus",
            "value.iodebeziumtsns",
            "value.iodebeziumserverid",
            "value.iodebeziumfile",
            "value.iodebeziumpos",
            "value.iodebeziumgtid",
            "value.iodebeziumthread",
            "value.iodebeziumtxid",
            "value.data.source.ts_ms",
            "value.data.source.ts_us",
            "value.data.source.ts_ns",
            "value.data.source.server_id",
            "value.data.source.file",
            "value.data.source.pos",
            "value.data.source.gtid",
            "value.data.source.thread",
            "value.data.transaction.id",
        ],
        when: When::Recorded,
        because: "the server's clock, its name for itself, its log, its sessions and its transactions",
    },
    Mask {
        on: &[Kind::Data, Kind::CloudEvent],
        fields: &[
            "headers.source.ts_ms",
            "headers.source.ts_us",
            "headers.source.ts_ns",
            "headers.source.server_id",
            "headers.source.file",
            "headers.source.pos",
            "headers.source.gtid",
            "headers.source.thread",
            "headers.transaction.id",
        ],
        when: When::Recorded,
        because: "the same where a transform has put it into headers",
    },
    Mask {
        on: &[Kind::CloudEvent],
        fields: &["value.iodebeziumversion", "value.data.source.version"],
        when: When::MariaDb,
        because: "the newest MariaDB connector of Debezium to compare with is 3.5.0; Headwater says 3.6.1 for both",
    },
    Mask {
        on: &[Kind::Data, Kind::CloudEvent],
        fields: &["headers.source.version"],
        when: When::MariaDb,
        because: "the same where a transform has put it into headers",
    },
    Mask {
        on: &[Kind::Transaction],
        fields: &["key.id", "value.id", "value.ts_ms"],
        when: When::Recorded,
        because: "the server's name for the transaction, and its clock",
    },
    Mask {
        on: &[Kind::Transaction],
        fields: &["value.data_collections[order]"],
        when: When::Recorded,
        because: "the order of a Java hash map, whose keys hold the name of the database, which each run chooses anew",
    },
    Mask {
        on: &[Kind::History],
        fields: &[
            "value.position.ts_sec",
            "value.position.file",
            "value.position.pos",
            "value.position.gtids",
            "value.position.server_id",
            "value.position.transaction_id",
        ],
        when: When::Recorded,
        because: "the server's log and clock",
    },
    Mask {
        on: &[Kind::History],
        fields: &["value.position.pos", "value.position.event?", "value.position.transaction_id?"],
        when: When::MariaDb,
        because: "Debezium's MariaDB connector takes a statement's GTID for the beginning of a transaction, and gives its \
                  place with one event of it done; Headwater gives the place behind the statement, as for MySQL",
    },
    Mask {
        on: &[Kind::History],
        fields: &["value.position.server_uuid?"],
        when: When::Always,
        because: "a field of Headwater's own: which server counted the events of the open transaction",
    },
    Mask {
        on: &[Kind::Offset],
        fields: &["value.timeline?"],
        when: When::Always,
        because: "a field of Headwater's own: the timeline of PostgreSQL's log that the position lies on",
    },
    Mask {
        on: &[Kind::Offset],
        fields: &["value.server_id"],
        when: When::Recorded,
        because: "the server's own name for itself",
    },
    Mask {
        on: &[Kind::Offset],
        fields: &[
            "value.ts_sec",
            "value.file",
            "value.pos",
            "value.gtids",
            "value.event?",
            "value.row?",
            "value.server_uuid?",
            "value.transaction_id?",
            "value.transaction_data_collection_order_*?",
            "value.lsn",
            "value.lsn_proc",
            "value.lsn_commit",
            "value.messageType",
            "value.txId",
            "value.ts_usec",
        ],
        when: When::Always,
        because: "Headwater also stores the position behind a commit, and behind what others write, where nothing of a \
                  transaction is left to be counted; Debezium only that of its last record",
    },
    Mask {
        on: EVENTS,
        fields: &["value.source.version"],
        when: When::MariaDb,
        because: "the newest MariaDB connector of Debezium to compare with is 3.5.0; Headwater says 3.6.1 for both",
    },
];

/// Tells what a record is.
pub fn kind(place: &str, record: &Node) -> Kind {
    let names = record.get("value").map(payload).map(Node::names).unwrap_or_default();
    let has = |name: &str| names.contains(&name);
    if place == "offset" {
        Kind::Offset
    } else if has("position") && has("databaseName") {
        Kind::History
    } else if has("databaseName") && has("ddl") && has("tableChanges") {
        Kind::SchemaChange
    } else if has("event_count") && has("status") && has("data_collections") {
        Kind::Transaction
    } else if names == ["ts_ms"] {
        Kind::Heartbeat
    } else if record.get("value").map(payload).is_some_and(is_cloud_event) {
        Kind::CloudEvent
    } else {
        Kind::Data
    }
}

/// What stands in a converter's `schema`/`payload` pair, or the node itself.
pub fn payload(node: &Node) -> &Node {
    if node.names() == ["schema", "payload"] { node.get("payload").unwrap_or(node) } else { node }
}

/// Whether it has what every CloudEvent has.
pub fn is_cloud_event(node: &Node) -> bool {
    ["specversion", "id", "type", "source", "data"].iter().all(|name| node.get(name).is_some())
}

/// The same, to change it.
pub fn payload_mut(node: &mut Node) -> &mut Node {
    if node.names() == ["schema", "payload"] { node.get_mut("payload").unwrap() } else { node }
}

fn is_of_snapshot(record: &Node) -> bool {
    let Some(value) = record.get("value").map(payload) else { return false };
    let words = [value.get("source"), value.get("position")].map(|block| block.and_then(|block| block.get("snapshot")));
    words.into_iter().flatten().any(|word| !matches!(word, Node::Scalar(text) if text == "\"false\"" || text == "null"))
}

fn is_of_mariadb(record: &Node) -> bool {
    let value = record.get("value").map(payload);
    let source = value.and_then(|value| value.get("source"));
    let connector = source.and_then(|source| source.get("connector")).and_then(Node::text);
    let of_event = source.and_then(Node::text).is_some_and(|source| source.starts_with("/debezium/mariadb/"));
    // MariaDB's GTIDs are three numbers, MySQL's begin with a UUID; history records say nothing else.
    let gtids = value.and_then(|value| value.get("position")?.get("gtids")).and_then(Node::text);
    let is_triple = |gtids: &str| gtids.split([',', '-']).all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let header = record.get("headers").and_then(|headers| headers.get("source")).map(payload);
    let of_header = header.and_then(|source| source.get("connector")).and_then(Node::text);
    let named = [connector, of_header].into_iter().flatten().any(|name| name == "mariadb");
    named || of_event || gtids.is_some_and(|gtids| is_triple(&gtids))
}

/// Records as Java prints them: `Struct{source=Struct{ts_ms=1,…},…}`. Every time is hidden, whichever it is.
fn hide_in_struct(record: &mut Node, recorded: bool) {
    let Some(Node::Scalar(text)) =
        record.get_mut("value").filter(|value| matches!(value, Node::Scalar(text) if text.starts_with("\"Struct{")))
    else {
        return;
    };
    let always = ["ts_ms", "ts_us", "ts_ns"];
    let server = ["server_id", "gtid", "file", "pos", "thread", "lsn", "sequence", "txId"];
    let in_snapshot = text.contains("snapshot=true") || text.contains("snapshot=last");
    let hidden = always.iter().chain(server.iter().filter(|_| recorded || in_snapshot));
    for name in hidden {
        let parts: Vec<String> = text.split(&format!("{name}=")).map(str::to_owned).collect();
        let rest = |part: &String| part.find([',', '}']).map_or_else(String::new, |end| part[end..].to_owned());
        let tail: Vec<String> = parts[1..].iter().map(|part| format!("{name}=*{}", rest(part))).collect();
        *text = parts[0].clone() + &tail.concat();
    }
}

/// Hides what must differ in a record.
pub fn apply(place: &str, record: &mut Node, recorded: bool) {
    let kind = kind(place, record);
    let (snapshot, mariadb) = (is_of_snapshot(record), is_of_mariadb(record));
    hide_in_struct(record, recorded);
    for mask in MASKS.iter().filter(|mask| mask.on.contains(&kind)) {
        let applies = match mask.when {
            When::Always => true,
            When::Snapshot => snapshot,
            When::MariaDb => mariadb,
            When::Recorded => recorded,
        };
        if applies {
            mask.fields.iter().for_each(|field| hide(record, field));
        }
    }
}

fn hide(record: &mut Node, field: &str) {
    if let Some(field) = field.strip_suffix("[order]") {
        let list = field.split('.').try_fold(record, |node, part| payload_mut(node).get_mut(part));
        if let Some(Node::List(items)) = list {
            items.sort_by_key(Node::print);
        }
        return;
    }
    let (field, optional) = field.strip_suffix('?').map_or((field, false), |field| (field, true));
    let Some((part, path)) = field.split_once('.') else { return };
    let Some(mut node) = record.get_mut(part).map(payload_mut) else { return };
    let mut rest = path;
    // Names of headers have dots of their own: the whole rest is tried first.
    while node.get(rest).is_none() && (rest.contains('.') || !optional) && !rest.contains('*') {
        let Some((first, behind)) = rest.split_once('.') else { return };
        let Some(inner) = node.get_mut(first) else { return };
        (node, rest) = (payload_mut(inner), behind);
    }
    if let (true, Node::Object(members)) = (optional, &mut *node) {
        members.retain(|(name, _)| match rest.strip_suffix('*') {
            Some(stem) => !name.starts_with(stem),
            None => name != rest,
        });
    }
    if let Some(found) = node.get_mut(rest).filter(|found| **found != Node::null()) {
        *found = Node::string("*");
    }
}
