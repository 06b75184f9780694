//! An outbox, from an application's transactions to the topics of its aggregates.
//!
//! Rows are inserted and deleted in one transaction, as applications do, into three outbox tables whose payloads are
//! JSON, text and bytes. The program is killed in the middle. Every event must be on the topic of its aggregate type,
//! under the key of its aggregate, with its id as a header and its payload as it was; those of one aggregate in their
//! order, some of them twice; and nothing else anywhere.
//!
//! Needs `HEADWATER_TEST_KAFKA`; starts servers of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::program::Connector;
use support::server::Server;
use support::topic;

const AGGREGATES: u64 = 7;
const EVENTS: u64 = 1_500;
const KINDS: [(&str, &str); 3] = [("Json", "JSON"), ("Text", "MEDIUMTEXT"), ("Binary", "BLOB")];

#[test]
fn mysql_outbox_survives_a_kill() {
    check("mysql-9.7");
}

#[test]
fn mariadb_outbox_survives_a_kill() {
    check("mariadb-11.8");
}

fn check(server: &str) {
    let Some(broker) = support::address("HEADWATER_TEST_KAFKA", "live_outbox") else { return };
    let server = Server::start(server, "");
    server.sql(&["CREATE DATABASE shop"]);
    for (kind, column) in KINDS {
        server.sql(&[&format!(
            "CREATE TABLE shop.outbox_{kind} (id CHAR(36) PRIMARY KEY, aggregatetype VARCHAR(50) NOT NULL, \
             aggregateid VARCHAR(50) NOT NULL, type VARCHAR(50) NOT NULL, payload {column})"
        )]);
    }
    let connector = connector(&server, &broker);
    let running = connector.start_streaming();
    write(&server, 1, EVENTS / 3);
    // Killed while it delivers.
    support::eventually("the first events are on their topic", Duration::from_secs(60), || {
        topic::ends(&broker, &route(&connector, "Json")).iter().any(|end| *end > 0).then_some(())
    });
    write(&server, EVENTS / 3 + 1, EVENTS / 2);
    running.kill();
    write(&server, EVENTS / 2 + 1, EVENTS * 2 / 3);
    // An update is not what an outbox is for: it is left out, and nothing stops.
    server.sql(&[
        "INSERT INTO shop.outbox_Text VALUES ('kept', 'Text', 'kept', 'Created', 'first')",
        "UPDATE shop.outbox_Text SET payload = 'second' WHERE id = 'kept'",
    ]);
    let running = connector.start_streaming();
    write(&server, EVENTS * 2 / 3 + 1, EVENTS);
    connector.catch_up(&running, &server, Duration::from_secs(120));
    for (kind, _) in KINDS {
        let records = topic::read_all(&broker, &route(&connector, kind));
        let (kept, events): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| record.key.as_deref() == Some(b"kept"));
        accounted_for(kind, &events);
        let values = kept.iter().map(|record| record.value.as_deref().unwrap());
        assert!(values.clone().all(|value| value == b"first") && (values.count() > 0) == (kind == "Text"));
        assert_eq!(topic::ends(&broker, &connector.topic(&format!("shop.outbox_{kind}"))), [] as [i64; 0]);
    }
    running.terminate(Duration::from_secs(30));
}

fn route(connector: &Connector, kind: &str) -> String {
    format!("{}.events.{kind}", connector.name)
}

fn connector(server: &Server, broker: &str) -> Connector {
    let connector = Connector::new(server, broker, "shop").with(&[
        ("transforms", "outbox"),
        ("transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter"),
        ("transforms.outbox.table.fields.additional.placement", "type:header:eventType"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "io.debezium.converters.BinaryDataConverter"),
        ("value.converter.delegate.converter.type", "org.apache.kafka.connect.storage.StringConverter"),
    ]);
    let replacement = format!("{}.events.${{routedByValue}}", connector.name);
    connector.with(&[("transforms.outbox.route.topic.replacement", &replacement)])
}

/// Events `first` to `last`, each a row of one of the tables that is deleted in the transaction that inserts it; for
/// each kind every aggregate gets its events in the order of their numbers.
fn write(server: &Server, first: u64, last: u64) {
    let mut session = server.session();
    for number in first..=last {
        let aggregate = number % AGGREGATES;
        session.query_drop("BEGIN").unwrap();
        for (kind, _) in KINDS {
            let id = format!("{kind}-{number}");
            let payload = payload(kind, number);
            let literal: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
            let literal =
                if kind == "Binary" { format!("x'{literal}'") } else { format!("CONVERT(x'{literal}' USING utf8mb4)") };
            session
                .query_drop(&format!(
                    "INSERT INTO shop.outbox_{kind} VALUES ('{id}', '{kind}', 'a{aggregate}', 'Changed', {literal})"
                ))
                .unwrap();
            session.query_drop(&format!("DELETE FROM shop.outbox_{kind} WHERE id = '{id}'")).unwrap();
        }
        session.query_drop("COMMIT").unwrap();
    }
}

/// What an event of this number carries. JSON is as MySQL's binlog has it: shorter names first, no spaces.
fn payload(kind: &str, number: u64) -> Vec<u8> {
    match kind {
        "Json" => format!("{{\"text\":\"grüße\",\"number\":{number}}}").into_bytes(),
        "Text" => format!("number {number}, with \"quotes\" and ümlauts").into_bytes(),
        _ => [&[0, 0xff, 0xfe][..], &number.to_be_bytes()[..]].concat(),
    }
}

/// Every event of a kind is there, as it was written, and those of each aggregate in their order.
fn accounted_for(kind: &str, records: &[topic::Record]) {
    let header = |record: &topic::Record, name: &str| {
        let values = record.headers.iter().filter(|(known, _)| known == name);
        let values: Vec<String> = values.map(|(_, value)| String::from_utf8(value.clone().unwrap()).unwrap()).collect();
        assert_eq!(values.len(), 1, "{name} of {:?}", record.headers);
        values[0].clone()
    };
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in records {
        let id = header(record, "id");
        let number: u64 = id.strip_prefix(&format!("{kind}-")).unwrap().parse().unwrap();
        let key = String::from_utf8(record.key.clone().unwrap()).unwrap();
        assert_eq!(key, format!("a{}", number % AGGREGATES));
        assert_eq!(header(record, "eventType"), "Changed");
        assert_eq!(record.value.as_deref(), Some(&payload(kind, number)[..]), "{kind} {number}");
        assert!(record.timestamp.is_some_and(|timestamp| timestamp > 1_600_000_000_000));
        seen.entry(key).or_default().push(number);
    }
    let mut twice = 0;
    for (key, numbers) in &seen {
        // What comes again comes as a whole from some event on: each new one is the next.
        let mut newest = 0;
        for number in numbers {
            if *number > newest {
                let next = if newest == 0 { *numbers.first().unwrap() } else { newest + AGGREGATES };
                assert_eq!(*number, next, "{kind} {key}: an event was left out or came too early");
                newest = *number;
            } else {
                twice += 1;
            }
        }
    }
    let distinct: std::collections::BTreeSet<u64> = seen.into_values().flatten().collect();
    assert_eq!(distinct.len() as u64, EVENTS, "{kind}: events are missing");
    println!("  {kind}: {EVENTS} events, {twice} of them twice");
}
