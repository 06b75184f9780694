//! Stores against a real Kafka: what is written is durable, what others wrote is read.
//!
//! Needs `HEADWATER_TEST_KAFKA` (host:port of a broker with `auto.create.topics.enable=true`). Without it each
//! test says SKIPPED and passes, or fails where `CI=true`. Topics carry a random name and are left behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use headwater::config::provider::Environment;
use headwater::config::worker::WorkerConfig;
use headwater::error::Coded;
use headwater::model::position::{OffsetField, OffsetMap, StoredOffset};
use headwater::pipeline::translate::offset_options;
use headwater::store::history::kafka::{KafkaHistoryOptions, KafkaSchemaHistory};
use headwater::store::history::{HistoryRecord, SchemaHistoryStore};
use headwater::store::offset::kafka::KafkaOffsetStore;
use headwater::store::offset::{OffsetKey, OffsetStore};
use headwater::store::{CompactedTopic, KafkaStoreOptions, StoreError};
use headwater::util::kafka::admin::{Admin, TopicSpecification};
use headwater::util::kafka::properties::{Role, translate};
use headwater::util::stop::Stop;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// The broker's address; `None` where the test is to be skipped.
fn broker(test: &str) -> Option<String> {
    support::address("HEADWATER_TEST_KAFKA", test)
}

fn unique(what: &str) -> String {
    format!("hw-test-{what}-{}", uuid::Uuid::new_v4())
}

fn servers(address: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("bootstrap.servers".to_owned(), address.to_owned())])
}

/// The topic of offsets, as a worker's settings describe it.
fn offsets(address: &str, topic: &str) -> CompactedTopic {
    let mut settings = servers(address);
    for (name, value) in [
        ("offset.storage.topic", topic),
        ("offset.storage.partitions", "5"),
        ("offset.storage.replication.factor", "1"),
        ("offset.storage.segment.ms", "60000"),
        ("offset.flush.timeout.ms", "30000"),
        ("group.id", "connect"),
        ("listeners", "http://127.0.0.1:8083"),
    ] {
        settings.insert(name.to_owned(), value.to_owned());
    }
    let (worker, _) = WorkerConfig::from_map(&settings, Environment::default()).unwrap();
    offset_options(None, &worker).unwrap()
}

fn create(address: &str, name: &str, partitions: i32, settings: &[(&str, &str)]) {
    let admin = Admin::new(&translate(Role::Producer, &servers(address)).unwrap(), Duration::from_secs(20)).unwrap();
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let topic = TopicSpecification { name: name.to_owned(), partitions, replication_factor: 1, settings };
    admin.create_topic(&topic, false).unwrap();
}

/// Writes a record as some other program would.
fn put(address: &str, topic: &str, partition: Option<i32>, key: Option<&str>, value: Option<&str>) {
    let producer: BaseProducer =
        translate(Role::Producer, &servers(address)).unwrap().client_config().create().unwrap();
    let mut record: BaseRecord<'_, str, str> = BaseRecord::to(topic);
    record.partition = partition;
    record.key = key;
    record.payload = value;
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(10)).unwrap();
}

fn key(connector: &str) -> OffsetKey {
    OffsetKey { connector: connector.to_owned(), server: "shop".to_owned() }
}

fn position(number: i64) -> OffsetMap {
    vec![("file".to_owned(), OffsetField::Text("b.1".to_owned())), ("pos".to_owned(), OffsetField::Integer(number))]
}

#[test]
fn offsets_are_kept_by_key_and_the_last_one_counts() {
    let Some(address) = broker("live_store offsets") else { return };
    let topic = unique("offsets");
    let options = offsets(&address, &topic);
    let mut store = KafkaOffsetStore::open(options.clone()).unwrap();
    assert_eq!(store.read(&key("a")).unwrap(), None);
    for number in 0..5 {
        store.write(&key("a"), &position(number)).unwrap();
        store.write(&key("b"), &position(number + 100)).unwrap();
    }
    let mut again = KafkaOffsetStore::open(options).unwrap();
    assert_eq!(again.read(&key("a")).unwrap(), Some(StoredOffset(position(4))));
    assert_eq!(again.read(&key("b")).unwrap(), Some(StoredOffset(position(104))));
    // What a person writes under the same key, spelled differently and wherever it lands, is where we start.
    put(
        &address,
        &topic,
        Some(3),
        Some("[ \"a\", {\"server\": \"shop\"} ]"),
        Some("{ \"file\": \"b.1\", \"pos\": 9 }"),
    );
    assert_eq!(again.read(&key("a")).unwrap(), Some(StoredOffset(position(9))));
    again.write(&key("a"), &position(10)).unwrap();
    assert_eq!(again.read(&key("a")).unwrap(), Some(StoredOffset(position(10))));
    // A tombstone takes an offset away, as Connect's REST API does it.
    put(&address, &topic, None, Some(r#"["b",{"server":"shop"}]"#), None);
    assert_eq!(again.read(&key("b")).unwrap(), None);
    put(&address, &topic, None, Some(r#"["b",{"server":"shop"}]"#), Some("{broken"));
    let error = again.read(&key("b")).unwrap_err();
    assert_eq!(error.code().number, 809, "{error}");
}

#[test]
fn an_offset_topic_that_would_forget_is_refused() {
    let Some(address) = broker("live_store compaction") else { return };
    let topic = unique("not-compacted");
    create(&address, &topic, 1, &[("cleanup.policy", "delete")]);
    let options = offsets(&address, &topic);
    let error = KafkaOffsetStore::open(options).map(|_| ()).unwrap_err();
    assert!(matches!(error, StoreError::TopicUnsafe { .. }), "{error}");
}

#[test]
fn offsets_of_a_real_debezium_are_read() {
    let Some(address) = broker("live_store debezium offsets") else { return };
    let topic = unique("debezium-offsets");
    let mut store = KafkaOffsetStore::open(offsets(&address, &topic)).unwrap();
    let lines = include_str!("golden/offsets/debezium.txt");
    for line in lines.lines() {
        let (key, value) = line.split_once('\t').unwrap();
        put(&address, &topic, None, Some(key), Some(value));
    }
    let stored = store.read(&OffsetKey { connector: "sinkmy".into(), server: "sinkmy".into() }).unwrap().unwrap();
    assert_eq!(
        (stored.text("file"), stored.integer("pos"), stored.integer("event")),
        (Some("binlog.000001"), Some(85603), Some(2))
    );
    let stored = store.read(&OffsetKey { connector: "sinkma".into(), server: "sinkma".into() }).unwrap().unwrap();
    assert_eq!(stored.text("gtids"), Some("0-11-238"));
}

fn history(address: &str, topic: &str) -> KafkaHistoryOptions {
    let connector = [
        ("schema.history.internal.kafka.topic", topic),
        ("schema.history.internal.kafka.bootstrap.servers", address),
        ("schema.history.internal.producer.client.id", "history"),
        ("schema.history.internal.consumer.fetch.max.wait.ms", "100"),
    ];
    let connector = connector.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    KafkaHistoryOptions::from_connector(&connector).unwrap()
}

fn statements(store: &mut KafkaSchemaHistory) -> Result<Vec<String>, StoreError> {
    let mut seen = Vec::new();
    store.read(&mut |record| {
        seen.push(record.ddl.unwrap_or_default());
        Ok(())
    })?;
    Ok(seen)
}

#[test]
fn history_is_kept_in_order_and_debeziums_is_continued() {
    let Some(address) = broker("live_store history") else { return };
    let topic = unique("history");
    let mut store = KafkaSchemaHistory::new(history(&address, &topic));
    assert!(!store.exists().unwrap());
    store.prepare().unwrap();
    assert!(!store.exists().unwrap());
    assert_eq!(statements(&mut store).unwrap(), Vec::<String>::new());
    let golden = include_str!("golden/history/debezium-mysql-3.6.1.txt");
    let mut expected = Vec::new();
    for text in golden.trim_end().split("\n\n") {
        put(&address, &topic, Some(0), None, Some(text));
        expected.push(HistoryRecord::from_json(text.as_bytes()).unwrap().ddl.unwrap());
    }
    put(&address, &topic, Some(0), None, None);
    for number in 0..20 {
        let ddl = format!("CREATE TABLE t{number} (a INT)");
        let record = HistoryRecord {
            source: vec![("server".into(), OffsetField::Text("s".into()))],
            position: position(number),
            ddl: Some(ddl.clone()),
            ..HistoryRecord::default()
        };
        store.append(&record).unwrap();
        expected.push(ddl);
    }
    let mut again = KafkaSchemaHistory::new(history(&address, &topic));
    again.prepare().unwrap();
    assert!(again.exists().unwrap());
    assert_eq!(statements(&mut again).unwrap(), expected);
    put(&address, &topic, Some(0), None, Some("{\"source\":"));
    let error = statements(&mut again).unwrap_err();
    assert_eq!(error.code().number, 810);
    assert!(error.to_string().contains(&format!("{topic} offset 35")), "{error}");
}

#[test]
fn a_compacted_history_topic_is_refused() {
    let Some(address) = broker("live_store compacted history") else { return };
    let topic = unique("compacted-history");
    create(&address, &topic, 1, &[("cleanup.policy", "compact")]);
    let error = KafkaSchemaHistory::new(history(&address, &topic)).prepare().unwrap_err();
    assert!(matches!(error, StoreError::TopicUnsafe { .. }), "{error}");
}

#[test]
fn many_records_of_the_history_are_kept_in_order_or_refused() {
    let Some(address) = broker("live_store many records") else { return };
    let topic = unique("many");
    create(&address, &topic, 1, &[("max.message.bytes", "40000")]);
    let mut store = KafkaSchemaHistory::new(history(&address, &topic));
    store.prepare().unwrap();
    let record = |ddl: String| HistoryRecord { ddl: Some(ddl), ..HistoryRecord::default() };
    let many: Vec<HistoryRecord> = (0..5_000).map(|number| record(number.to_string())).collect();
    store.append_all(&many).unwrap();
    store.append_all(&[]).unwrap();
    let expected: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
    assert_eq!(statements(&mut store).unwrap(), expected);
    // One among many that the broker refuses is an error, and the store goes on after it.
    let mixed = [record("before".into()), record("x".repeat(60_000)), record("after".into())];
    let error = store.append_all(&mixed).unwrap_err();
    assert!(matches!(error, StoreError::RecordRefused { size, .. } if size > 60_000), "{error}");
    store.append(&record("last".into())).unwrap();
    assert_eq!(statements(&mut store).unwrap().last().map(String::as_str), Some("last"));
}

#[test]
fn a_broker_that_does_not_answer_is_abandoned_with_the_pipeline() {
    // It takes connections and says nothing, as a frozen broker does.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let abandoned = Stop::new();
    let clients = KafkaStoreOptions {
        producer: servers(&address),
        consumer: servers(&address),
        request_timeout: Duration::from_secs(30),
        read_timeout: Duration::from_secs(30),
        abandoned: abandoned.clone(),
    };
    let store = std::thread::spawn(move || {
        let mut store = KafkaSchemaHistory::new(KafkaHistoryOptions { topic: "t".into(), clients });
        store.append(&HistoryRecord::default()).unwrap_err()
    });
    let (_connection, _) = silent.accept().unwrap();
    assert!(!store.is_finished(), "it was given up without being abandoned");
    let began = std::time::Instant::now();
    abandoned.set();
    let error = store.join().unwrap();
    assert!(error.to_string().contains("given up with the pipeline"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3), "took {:?}", began.elapsed());
}

#[test]
fn a_broker_that_is_not_there_is_an_error_in_time() {
    // Needs no broker: nothing listens on this port.
    let clients = KafkaStoreOptions {
        producer: servers("127.0.0.1:9"),
        consumer: servers("127.0.0.1:9"),
        request_timeout: Duration::from_millis(1_500),
        read_timeout: Duration::from_millis(1_500),
        abandoned: Stop::new(),
    };
    let began = std::time::Instant::now();
    let mut store = KafkaSchemaHistory::new(KafkaHistoryOptions { topic: "t".into(), clients });
    for error in [
        store.prepare().unwrap_err(),
        store.exists().map(|_| ()).unwrap_err(),
        store.append(&HistoryRecord::default()).unwrap_err(),
        statements(&mut store).map(|_| ()).unwrap_err(),
    ] {
        assert_eq!(error.code().number, 804, "{error}");
    }
    assert!(began.elapsed() < Duration::from_secs(30), "took {:?}", began.elapsed());
}
