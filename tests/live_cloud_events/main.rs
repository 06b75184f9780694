//! CloudEvents in Avro, from a server's rows to a consumer that knows a registry and nothing else.
//!
//! The program writes events of rows, and of an outbox whose headers name them, as Avro within Avro. Each is read with the
//! schema that its bytes name; its data with the schema at the address in `dataschema`. Another implementation of Avro
//! reads both. What the converter could not read is refused before the server is asked for anything.
//!
//! Needs `HEADWATER_TEST_KAFKA` and `HEADWATER_TEST_REGISTRY`; starts servers of its own.

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

use std::time::Duration;

use apache_avro::types::Value;
use support::fault_proxy::FaultProxy;
use support::program::Connector;
use support::server::Server;
use support::topic;

/// Long: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

const CONVERTER: [(&str, &str); 4] = [
    ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
    ("value.converter", "io.debezium.converters.CloudEventsConverter"),
    ("value.converter.serializer.type", "avro"),
    ("value.converter.data.serializer.type", "avro"),
];

fn addresses() -> Option<(String, String)> {
    let broker = support::address("HEADWATER_TEST_KAFKA", "live_cloud_events")?;
    let registry = support::address("HEADWATER_TEST_REGISTRY", "live_cloud_events")?;
    Some((broker, registry))
}

/// What lies at an address of the registry, as an Avro schema.
fn schema_at(address: &str) -> apache_avro::Schema {
    let mut answer = ureq::get(address).call().unwrap_or_else(|error| panic!("{address}: {error}"));
    let body: serde_json::Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    apache_avro::Schema::parse_str(body["schema"].as_str().unwrap()).unwrap()
}

/// A record, read with the schema that its bytes name; and that schema's id.
fn decode(registry: &str, bytes: &[u8]) -> (Value, u32) {
    assert_eq!(bytes.first(), Some(&0), "the magic byte");
    let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
    let schema = schema_at(&format!("{registry}/schemas/ids/{id}"));
    let mut body = &bytes[5..];
    let value = apache_avro::reader::datum::GenericDatumReader::builder(&schema)
        .build()
        .and_then(|reader| reader.read_value(&mut body))
        .unwrap();
    assert!(body.is_empty(), "bytes are left over");
    (value, id)
}

/// A field of a record, without the union around it.
fn field<'v>(record: &'v Value, name: &str) -> &'v Value {
    let Value::Record(fields) = record else { panic!("{record:?} is no record") };
    let names: Vec<&String> = fields.iter().map(|(known, _)| known).collect();
    let value = &fields.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} in {names:?}")).1;
    if let Value::Union(_, value) = value { value } else { value }
}

fn text<'v>(record: &'v Value, name: &str) -> &'v str {
    if let Value::String(text) = field(record, name) { text } else { panic!("{name} in {record:?} is no text") }
}

/// An event's data, read with the schema at the address that the event gives.
fn data(registry: &str, event: &Value) -> Value {
    let Value::Bytes(bytes) = field(event, "data") else { panic!("data of {event:?}") };
    let (data, id) = decode(registry, bytes);
    assert_eq!(text(event, "dataschema"), format!("{registry}/schemas/ids/{id}"));
    schema_at(text(event, "dataschema"));
    data
}

fn events(connector: &Connector, registry: &str, topic: &str) -> Vec<(Value, Value)> {
    let read = |record: topic::Record| {
        let event = decode(registry, &record.value.unwrap()).0;
        let data = data(registry, &event);
        (event, data)
    };
    topic::read_all(&connector.broker, topic).into_iter().map(read).collect()
}

#[test]
fn events_of_mysql_are_read_with_the_registry() {
    check_rows("mysql-9.7", "mysql");
}

#[test]
fn events_of_mariadb_are_read_with_the_registry() {
    check_rows("mariadb-11.8", "mariadb");
}

fn check_rows(server: &str, kind: &str) {
    let Some((broker, registry)) = addresses() else { return };
    let server = Server::start(server, "");
    server.sql(&["CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(20))"]);
    let connector = Connector::new(&server, &broker, "shop")
        .with(&CONVERTER)
        .with(&[("value.converter.avro.schema.registry.url", &registry), ("tombstones.on.delete", "false")]);
    assert!(connector.check().contains(&format!("{registry} answers")), "{}", connector.check());
    let running = connector.start_streaming();
    server.sql(&[
        "INSERT INTO shop.orders VALUES (1, 'grün')",
        "UPDATE shop.orders SET note = NULL",
        "ALTER TABLE shop.orders ADD COLUMN more INT DEFAULT 7",
        "INSERT INTO shop.orders VALUES (2, 'two', 8)",
        "DELETE FROM shop.orders WHERE id = 1",
    ]);
    connector.catch_up(&running, &server, PATIENCE);
    running.terminate(PATIENCE);
    let events = events(&connector, &registry, &connector.topic("shop.orders"));
    let row = |data: &Value, side: &str| match field(data, side) {
        Value::Null => None,
        row => {
            let Value::Record(fields) = row else { panic!("{row:?}") };
            Some(fields.iter().map(|(name, value)| format!("{name}={value:?} ")).collect::<String>())
        }
    };
    let operations: Vec<&str> = events.iter().map(|(event, _)| text(event, "iodebeziumop")).collect();
    assert_eq!(operations, ["c", "u", "c", "d"]);
    for (event, data) in &events {
        let Value::Record(fields) = event else { panic!("{event:?}") };
        let names: Vec<&str> = fields.iter().take(7).map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["id", "source", "specversion", "type", "time", "datacontenttype", "dataschema"]);
        assert_eq!(text(event, "type"), format!("io.debezium.connector.{kind}.DataChangeEvent"));
        assert_eq!(text(event, "source"), format!("/debezium/{kind}/{}", connector.name));
        assert_eq!(text(event, "datacontenttype"), "application/avro");
        assert_eq!(text(event, "iodebeziumtable"), "orders");
        let Value::Record(fields) = data else { panic!("{data:?}") };
        // MariaDB's data is the whole envelope; MySQL's has both sides of the row.
        assert_eq!(fields.len() == 2, kind == "mysql", "{data:?}");
    }
    let after: Vec<Option<String>> = events.iter().map(|(_, data)| row(data, "after")).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(after[0], some("id=Int(1) note=Union(1, String(\"grün\")) "));
    assert_eq!(after[1], some("id=Int(1) note=Union(0, Null) "));
    assert!(after[2].as_ref().unwrap().starts_with("id=Int(2) note=Union(1, String(\"two\")) more="), "{after:?}");
    assert!(after[2].as_ref().unwrap().ends_with("Int(8)) "), "{after:?}");
    assert_eq!(after[3], None);
    let before = row(&events[3].1, "before").unwrap();
    assert!(before.starts_with("id=Int(1) ") && before.ends_with("Int(7)) "), "{before}");
}

/// The outbox's transforms as Debezium's manual has them for CloudEvents.
const OUTBOX: [(&str, &str); 13] = [
    ("transforms", "facts,outbox"),
    ("transforms.facts.type", "org.apache.kafka.connect.transforms.HeaderFrom$Value"),
    ("transforms.facts.fields", "source,op,transaction"),
    ("transforms.facts.headers", "source,op,transaction"),
    ("transforms.facts.operation", "copy"),
    ("transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter"),
    ("transforms.outbox.table.expand.json.payload", "true"),
    (
        "transforms.outbox.table.fields.additional.placement",
        "type:header,dataschemaname:header:dataSchemaName,trace:header:traceparent",
    ),
    ("header.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ("header.converter.schemas.enable", "true"),
    ("value.converter.metadata.source", "header,traceparent:header,dataSchemaName:header"),
    ("value.converter.schema.data.name.source.header.enable", "true"),
    ("value.converter.opentelemetry.tracing.attributes.enable", "true"),
];

#[test]
fn an_outbox_names_its_events_in_headers() {
    let Some((broker, registry)) = addresses() else { return };
    let server = Server::start("mysql-9.7", "");
    server.sql(&[
        "CREATE DATABASE shop",
        "CREATE TABLE shop.outbox (id CHAR(36) PRIMARY KEY, aggregatetype VARCHAR(50) NOT NULL, \
         aggregateid VARCHAR(50) NOT NULL, type VARCHAR(50) NOT NULL, dataschemaname VARCHAR(50) NOT NULL, \
         trace VARCHAR(60) NOT NULL, payload JSON)",
    ]);
    let connector = Connector::new(&server, &broker, "shop").with(&CONVERTER).with(&OUTBOX).with(&[
        ("value.converter.avro.schema.registry.url", &registry),
        ("value.converter.schema.cloudevents.name", "shop.Event"),
    ]);
    let replacement = format!("{}.events.${{routedByValue}}", connector.name);
    let connector = connector.with(&[("transforms.outbox.route.topic.replacement", &replacement)]);
    let running = connector.start_streaming();
    server.sql(&[
        r#"INSERT INTO shop.outbox VALUES ('e-1', 'order', 'o-1', 'order.created', 'shop.Created', '00-aa-bb-01', '{"total": 77}')"#,
        r#"INSERT INTO shop.outbox VALUES ('e-2', 'order', 'o-1', 'order.paid', 'shop.Paid', '00-aa-cc-01', '{"total": 78}')"#,
        r#"INSERT INTO shop.outbox VALUES ('e-3', 'order', 'o-2', 'order.created', 'shop.Created', '00-aa-dd-01', '{"total": 79}')"#,
    ]);
    connector.catch_up(&running, &server, PATIENCE);
    running.terminate(PATIENCE);
    let events = events(&connector, &registry, &format!("{}.events.order", connector.name));
    let facts: Vec<_> = events
        .iter()
        .map(|(event, data)| {
            let Value::Int(total) = field(data, "total") else { panic!("{data:?}") };
            (text(event, "id"), text(event, "type"), text(event, "traceparent"), *total)
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("e-1", "order.created", "00-aa-bb-01", 77),
            ("e-2", "order.paid", "00-aa-cc-01", 78),
            ("e-3", "order.created", "00-aa-dd-01", 79)
        ]
    );
    let named = |event: &Value| schema_at(text(event, "dataschema")).name().unwrap().to_string();
    assert_eq!(
        events.iter().map(|(event, _)| named(event)).collect::<Vec<_>>(),
        ["shop.Created", "shop.Paid", "shop.Created"]
    );
    assert!(
        events.iter().all(|(event, _)| text(event, "iodebeziumdb") == "shop" && text(event, "iodebeziumop") == "c")
    );
}

#[test]
fn headers_that_cannot_be_read_are_refused_at_start() {
    let Some((broker, registry)) = addresses() else { return };
    let server = Server::start("mariadb-11.8", "");
    let connector = Connector::new(&server, &broker, "shop").with(&CONVERTER).with(&[
        ("value.converter.avro.schema.registry.url", &registry),
        ("value.converter.metadata.source", "value,id:header,type:generate"),
    ]);
    let words = "set header.converter=org.apache.kafka.connect.json.JsonConverter";
    assert!(connector.check().contains(words), "{}", connector.check());
    let failure = connector.start().wait_for_failure(PATIENCE);
    assert!(failure.contains("HW0601") && failure.contains(words), "{failure}");
    let connector = connector.with(&[("header.converter", "JsonConverter")]);
    connector.start_streaming().terminate(PATIENCE);
}

/// A schema that a record asks for waits for the registry, as one that a table asks for does.
#[test]
fn events_wait_for_a_registry_that_is_away() {
    let Some((broker, registry)) = addresses() else { return };
    let (host, path) = registry.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let proxy = FaultProxy::start(host);
    let url = format!("http://127.0.0.1:{}/{path}", proxy.port);
    let server = Server::start("mariadb-11.8", "");
    server.sql(&["CREATE DATABASE shop", "CREATE TABLE shop.first (id INT PRIMARY KEY)"]);
    let connector = Connector::new(&server, &broker, "shop")
        .with(&CONVERTER)
        .with(&[("value.converter.avro.schema.registry.url", &url)]);
    let running = connector.start_streaming();
    server.sql(&["INSERT INTO shop.first VALUES (1)"]);
    connector.catch_up(&running, &server, PATIENCE);
    proxy.switch("127.0.0.1:1");
    server.sql(&["CREATE TABLE shop.second (id INT PRIMARY KEY)", "INSERT INTO shop.second VALUES (1), (2)"]);
    running.wait_for_reason("HW06", PATIENCE);
    proxy.switch(host);
    server.sql(&["INSERT INTO shop.second VALUES (3)"]);
    connector.catch_up(&running, &server, PATIENCE);
    running.wait_for_state("RUNNING", PATIENCE);
    for (table, rows) in [("first", vec![1]), ("second", vec![1, 2, 3])] {
        let events = events(&connector, &url, &connector.topic(&format!("shop.{table}")));
        let ids = events.iter().map(|(_, data)| field(field(data, "after"), "id").clone());
        assert_eq!(ids.collect::<Vec<_>>(), rows.into_iter().map(Value::Int).collect::<Vec<_>>());
    }
    running.terminate(PATIENCE);
}
