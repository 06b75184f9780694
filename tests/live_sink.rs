//! The Kafka sink against a real Kafka.
//!
//! Needs `HEADWATER_TEST_KAFKA` (host:port). Without it each test says SKIPPED and passes, or fails where
//! `CI=true`. Topics carry a random name and are left behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

mod kafka_sink;

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::error::Coded;
use headwater::sink::kafka::check::{FindingState, check_broker};
use headwater::sink::kafka::creation::TopicCreation;
use headwater::sink::kafka::{KafkaSinkOptions, TooLargePolicy};
use headwater::sink::{SinkCounters, SinkError};
use headwater::util::kafka::admin::{Admin, TopicSpecification};
use headwater::util::kafka::properties::{Role, translate};
use kafka_sink::{Seen, Wanted, batch, options, read_back, send, sink};

const SECONDS: Duration = Duration::from_secs(20);

/// The broker's address; `None` where the test is to be skipped.
fn broker(test: &str) -> Option<String> {
    support::address("HEADWATER_TEST_KAFKA", test)
}

fn unique(what: &str) -> String {
    format!("hw-test-{what}-{}", uuid::Uuid::new_v4())
}

fn admin(address: &str) -> Admin {
    let properties = BTreeMap::from([("bootstrap.servers".to_owned(), address.to_owned())]);
    Admin::new(&translate(Role::Producer, &properties).unwrap(), SECONDS).unwrap()
}

fn create(address: &str, name: &str, partitions: i32, settings: &[(&str, &str)]) {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let topic = TopicSpecification { name: name.to_owned(), partitions, replication_factor: 1, settings };
    admin(address).create_topic(&topic, false).unwrap();
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// `tests/golden/partitions/java-murmur2.txt`: key in hexadecimal digits, `Utils.murmur2` of Kafka 4.3.1's Java
/// client, and `Utils.toPositive(murmur2) % 7`, the partition among seven.
#[test]
fn keys_go_to_the_partitions_of_kafkas_java_client() {
    let Some(address) = broker("live_sink partitions") else { return };
    let topic = unique("murmur2");
    create(&address, &topic, 7, &[]);
    let lines = include_str!("golden/partitions/java-murmur2.txt");
    let vectors: Vec<(Vec<u8>, i32)> = lines
        .lines()
        .map(|line| {
            let mut fields = line.split('\t');
            (bytes(fields.next().unwrap()), fields.nth(1).unwrap().parse().unwrap())
        })
        .collect();
    assert_eq!(vectors.len(), 58);
    let records: Vec<Wanted<'_>> = vectors
        .iter()
        .map(|(key, _)| Wanted { topic: &topic, key: Some(key), value: Some(b"x"), ..Wanted::default() })
        .collect();
    let seen = Arc::new(Seen::default());
    let mut sink = sink(&options(&address, &[]), &Arc::default());
    send(&mut sink, &mut batch(0, &seen, &records)).unwrap();
    sink.flush(SECONDS).unwrap();
    let got: BTreeMap<Vec<u8>, i32> =
        read_back(&address, &topic).into_iter().map(|got| (got.key.unwrap(), got.partition)).collect();
    for (key, partition) in &vectors {
        assert_eq!(got.get(key), Some(partition), "key {key:02x?}");
    }
}

#[test]
fn keys_values_headers_stamps_and_partitions_arrive_as_they_were_sent() {
    let Some(address) = broker("live_sink records") else { return };
    let topic = unique("records");
    create(&address, &topic, 3, &[]);
    let mut options = options(&address, &[]);
    options.context_headers = vec![("ctx.a".into(), b"\"1\"".to_vec()), ("ctx.b".into(), Vec::new())];
    let own: &[(&str, Option<&[u8]>)] = &[("own", Some(b"\x00\xff")), ("nothing", None), ("empty", Some(b""))];
    let base = Wanted { topic: &topic, partition: Some(2), timestamp: Some(1_700_000_000_123), ..Wanted::default() };
    let records = [
        Wanted { key: Some(b"k"), value: Some(b"v"), context_headers: true, ..base.clone() },
        Wanted { key: Some(b"k"), value: None, ..base.clone() },
        Wanted { key: None, value: Some(b""), headers: own, context_headers: true, ..base.clone() },
        Wanted { key: Some(b""), value: Some(b"v"), headers: own, ..base.clone() },
    ];
    let seen = Arc::new(Seen::default());
    let mut sink = sink(&options, &Arc::default());
    send(&mut sink, &mut batch(0, &seen, &records)).unwrap();
    sink.flush(SECONDS).unwrap();
    let got = read_back(&address, &topic);
    assert_eq!(got.len(), records.len());
    for (got, sent) in got.iter().zip(&records) {
        assert_eq!((got.partition, got.timestamp), (2, Some(1_700_000_000_123)));
        assert_eq!((got.key.as_deref(), got.value.as_deref()), (sent.key, sent.value));
        let mut headers: Vec<(String, Option<Vec<u8>>)> =
            sent.headers.iter().map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec))).collect();
        if sent.context_headers {
            headers.extend(options.context_headers.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        }
        assert_eq!(got.headers, headers);
    }
}

/// The broker refuses whole batches; only the record that is too large by itself may be left out.
#[test]
fn a_record_over_the_topics_limit_is_told_from_its_neighbours() {
    let Some(address) = broker("live_sink too large") else { return };
    let topic = unique("large");
    create(&address, &topic, 1, &[("max.message.bytes", "20000")]);
    let (small, large) = (vec![1; 1_000], vec![2; 60_000]);
    let mut records = vec![Wanted { topic: &topic, key: Some(b"k"), value: Some(&small), ..Wanted::default() }; 100];
    records[57].value = Some(&large);
    let (counters, seen) = (Arc::new(SinkCounters::default()), Arc::new(Seen::default()));
    let mut options = options(&address, &[]);
    options.too_large = TooLargePolicy::Skip;
    let run = |options: &KafkaSinkOptions, ordinal| -> Result<(), SinkError> {
        let mut sink = sink(options, &counters);
        send(&mut sink, &mut batch(ordinal, &seen, &records))?;
        sink.flush(SECONDS)
    };
    let error = run(&options, 0).unwrap_err();
    assert_eq!(error, SinkError::BatchTooLarge { topic: topic.clone(), limit: 20_000 - 128 });
    assert_eq!(counters.records_skipped.get(), 0, "a neighbour was left out");
    run(&options, 1).unwrap();
    assert_eq!(counters.records_skipped.get(), 1);
    assert!(seen.all().contains(&(1, true)) && !seen.all().contains(&(0, true)));
    assert!(read_back(&address, &topic).len() >= 99);
    options.too_large = TooLargePolicy::Fail;
    let error = run(&options, 2).unwrap_err();
    assert_eq!(error.code().number, 710, "{error}");
    assert!(error.to_string().contains("60001 bytes") && error.to_string().contains(&topic), "{error}");
}

fn creation(settings: &[(&str, &str)]) -> Option<TopicCreation> {
    let map = settings.iter().map(|(name, value)| (format!("topic.creation.{name}"), (*value).to_owned())).collect();
    TopicCreation::read(&map).unwrap()
}

#[test]
fn topics_are_created_by_their_group_or_refused_by_name() {
    let Some(address) = broker("live_sink creation") else { return };
    let (compact, other) = (unique("compact"), unique("other"));
    let mut options = options(&address, &[]);
    options.topic_creation = creation(&[
        ("groups", "c"),
        ("c.include", "hw-test-compact-.*"),
        ("c.partitions", "4"),
        ("c.cleanup.policy", "compact"),
        ("default.partitions", "2"),
        ("default.replication.factor", "1"),
    ]);
    let (counters, seen) = (Arc::new(SinkCounters::default()), Arc::new(Seen::default()));
    for round in 0..2 {
        let mut sink = sink(&options, &counters);
        let records =
            [&compact, &other].map(|topic| Wanted { topic, key: Some(b"k"), value: Some(b"v"), ..Wanted::default() });
        send(&mut sink, &mut batch(round, &seen, &records)).unwrap();
        sink.flush(SECONDS).unwrap();
    }
    assert_eq!(counters.topics_created.get(), 2);
    let admin = admin(&address);
    assert_eq!(admin.find_topic(&compact).unwrap().unwrap().partitions, 4);
    assert_eq!(admin.topic_settings(&compact).unwrap().get("cleanup.policy").map(String::as_str), Some("compact"));
    assert_eq!(admin.find_topic(&other).unwrap().unwrap().partitions, 2);
    // One broker cannot hold nine copies.
    let refused = unique("refused");
    options.topic_creation = creation(&[("default.partitions", "1"), ("default.replication.factor", "9")]);
    let record = [Wanted { topic: &refused, key: Some(b"k"), value: Some(b"v"), ..Wanted::default() }];
    let error = send(&mut sink(&options, &counters), &mut batch(9, &seen, &record)).unwrap_err();
    assert!(matches!(&error, SinkError::CreationRefused { topic, .. } if *topic == refused), "{error}");
}

#[test]
fn a_compacted_topic_refuses_a_record_without_key() {
    let Some(address) = broker("live_sink refused record") else { return };
    let topic = unique("keyless");
    create(&address, &topic, 1, &[("cleanup.policy", "compact")]);
    let seen = Arc::new(Seen::default());
    let mut sink = sink(&options(&address, &[]), &Arc::default());
    let record = [Wanted { topic: &topic, value: Some(b"v"), ..Wanted::default() }];
    let outcome = send(&mut sink, &mut batch(0, &seen, &record)).and_then(|()| sink.flush(SECONDS));
    assert_eq!(outcome.unwrap_err().code().number, 714);
}

#[test]
fn the_check_says_what_would_go_wrong() {
    let Some(address) = broker("live_sink check") else { return };
    let (there, small, missing) = (unique("there"), unique("small"), unique("missing"));
    create(&address, &there, 1, &[]);
    create(&address, &small, 1, &[("max.message.bytes", "1000")]);
    let mut options = options(&address, &[("lingr.ms", "1")]);
    options.topic_creation = creation(&[("default.partitions", "1"), ("default.replication.factor", "1")]);
    let names = [there.clone(), small, missing.clone(), "not legal".to_owned()];
    let states: Vec<FindingState> = check_broker(&options, &names).iter().map(|finding| finding.state).collect();
    use FindingState::{Bad, Good, Warning};
    assert_eq!(states, [Warning, Good, Good, Warning, Good, Bad]);
    assert!(admin(&address).find_topic(&missing).unwrap().is_none(), "the check created a topic");
    options.client.insert("bootstrap.servers".to_owned(), "127.0.0.1:9".to_owned());
    assert_eq!(check_broker(&options, &names).last().unwrap().state, Bad);
}
