#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn own(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn load(file: &str, variables: &[(&str, &str)], overrides: &[(&str, &str)]) -> (WorkerConfig, Vec<Warning>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.properties");
    std::fs::write(&path, file).unwrap();
    let environment = Environment::new(own(variables));
    WorkerConfig::load(Some(&path), environment, &own(overrides)).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[test]
fn the_command_line_is_over_the_environment_and_that_over_the_file() {
    let file = "bootstrap.servers=file:1\ngroup.id=file\noffset.flush.interval.ms=100\n";
    let variables = [("CONNECT_BOOTSTRAP_SERVERS", "environment:1"), ("GROUP_ID", "environment")];
    let (worker, warnings) = load(file, &variables, &[("bootstrap.servers", "line:1,line:2")]);
    assert_eq!(worker.bootstrap_servers, ["line:1", "line:2"]);
    assert_eq!(worker.group_id.as_deref(), Some("environment"));
    assert_eq!(worker.offset_flush_interval, Duration::from_millis(100));
    assert_eq!(warnings, []);
}

#[test]
fn defaults_are_connects() {
    let (worker, warnings) = load("", &[], &[]);
    assert_eq!(warnings, []);
    assert_eq!(worker.bootstrap_servers, ["localhost:9092"]);
    assert_eq!(worker.listeners, [Listener { host: None, port: 8083, tls: false }]);
    assert_eq!(worker.offset_flush_interval, Duration::from_secs(60));
    assert_eq!(worker.offset_flush_timeout, Duration::from_secs(5));
    assert_eq!(worker.shutdown_timeout, Duration::from_secs(5));
    assert!(worker.topic_creation_enabled);
    assert_eq!(worker.key_converter.class, "org.apache.kafka.connect.json.JsonConverter");
    let OffsetStorage::Topic(offsets) = worker.offsets else { panic!("{:?}", worker.offsets) };
    assert_eq!((offsets.topic.as_str(), offsets.partitions, offsets.replication_factor), ("connect-offsets", 25, 3));
}

#[test]
fn kafkas_sample_files_load() {
    let distributed = "bootstrap.servers=localhost:9092\ngroup.id=connect-cluster\n\
        key.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter=org.apache.kafka.connect.json.JsonConverter\n\
        key.converter.schemas.enable=true\nvalue.converter.schemas.enable=true\n\
        offset.storage.topic=connect-offsets\noffset.storage.replication.factor=1\n#offset.storage.partitions=25\n\
        config.storage.topic=connect-configs\nconfig.storage.replication.factor=1\n\
        status.storage.topic=connect-status\nstatus.storage.replication.factor=1\n\
        offset.flush.interval.ms=10000\n#listeners=HTTP://:8083\nplugin.path=\n";
    let (worker, warnings) = load(distributed, &[], &[]);
    assert_eq!(warnings, []);
    assert_eq!(worker.value_converter.options.get("schemas.enable"), Some("true"));
    let (worker, warnings) =
        load("bootstrap.servers=a:1\noffset.storage.file.filename=/tmp/connect.offsets\n", &[], &[]);
    assert_eq!(warnings, []);
    assert_eq!(worker.offsets, OffsetStorage::File("/tmp/connect.offsets".into()));
}

#[test]
fn the_file_is_over_the_defaults_of_an_image() {
    let variables = [("OFFSET_STORAGE_TOPIC", "offsets")];
    let (worker, _) = load("group.id=file\noffset.storage.replication.factor=3\n", &variables, &[]);
    assert_eq!(worker.group_id.as_deref(), Some("file"));
    assert_eq!(worker.config_storage.replication_factor, 1);
    let OffsetStorage::Topic(topic) = &worker.offsets else { panic!("{:?}", worker.offsets) };
    assert_eq!((topic.topic.as_str(), topic.replication_factor), ("offsets", 3));
}

#[test]
fn listeners_and_worker_ids() {
    let check = |properties: &[(&str, &str)], id: &str| {
        assert_eq!(load("", &[], properties).0.worker_id("box"), id, "{properties:?}");
    };
    check(&[], "box:8083");
    check(&[("listeners", "http://10.0.0.1:9000, http://:1")], "10.0.0.1:9000");
    check(&[("listeners", "HTTP://0.0.0.0:9000")], "box:9000");
    check(&[("listeners", "http://[::1]:9000")], "::1:9000");
    check(&[("rest.port", "9001")], "box:9001");
    check(&[("rest.advertised.host.name", "out"), ("rest.advertised.port", "80")], "out:80");
}

#[test]
fn other_workers_find_this_one_where_somebody_listens() {
    let check = |properties: &[(&str, &str)], url: &str| {
        // A name of the machine that only leads back to itself is all there is then.
        assert_eq!(load("", &[], properties).0.url("localhost"), url, "{properties:?}");
    };
    check(&[], "http://localhost:8083");
    check(&[("listeners", "https://10.0.0.1:9000")], "https://10.0.0.1:9000");
    check(&[("listeners", "http://[fe80::1]:9000")], "http://[fe80::1]:9000");
    check(&[("rest.port", "9001"), ("rest.host.name", "0.0.0.0")], "http://localhost:9001");
    check(&[("rest.advertised.host.name", "out"), ("rest.advertised.port", "80")], "http://out:80");
}

#[test]
fn clients_get_what_connect_gives_them() {
    let file = "bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\nsasl.jaas.config=hunter2\n\
        admin.request.timeout.ms=7\nadmin.listeners=http://:1\nconsumer.security.protocol=PLAINTEXT\nproducer.linger.ms=5\n";
    let (worker, _) = load(file, &[], &[]);
    let overrides = ClientProperties::new(own(&[("linger.ms", "9")]));
    let producer = worker.producer_properties(&overrides);
    let check = |properties: &ClientProperties, name: &str, value: Option<&str>| {
        assert_eq!(properties.get(name), value, "{name} of {properties:?}");
    };
    check(&producer, "bootstrap.servers", Some("a:1"));
    check(&producer, "linger.ms", Some("9"));
    check(&producer, "sasl.jaas.config", Some("hunter2"));
    check(&worker.consumer_properties(), "security.protocol", Some("PLAINTEXT"));
    check(&worker.consumer_properties(), "sasl.jaas.config", None);
    check(&worker.admin_properties(&ClientProperties::default()), "request.timeout.ms", Some("7"));
    check(&worker.admin_properties(&ClientProperties::default()), "listeners", None);
    assert!(!format!("{worker:?}").contains("hunter2"));
}

/// These properties are refused with these words, all of them at once.
fn refused(properties: &[(&str, &str)], expected: &[&str]) {
    let errors = WorkerConfig::from_map(&own(properties), Environment::default()).unwrap_err();
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for words in expected {
        assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:?}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    refused(
        &[
            ("bootstrap.servers", "a"),
            ("offset.flush.interval.ms", "soon"),
            ("listeners", "ftp://:8443"),
            ("offset.storage.topic", "a b"),
            ("producer.sasl.jaas.config", "${env:NOBODY}"),
            ("topic.creation.enable", "yes"),
        ],
        &[
            "bootstrap.servers: 'a' is not a list of host:port",
            "offset.flush.interval.ms: 'soon' is not a whole number of at least 1",
            "listeners: 'ftp://:8443' is not",
            "offset.storage.topic: 'a b' is not letters",
            "${env:NOBODY} cannot be resolved",
            "topic.creation.enable: 'yes' is not true or false",
        ],
    );
    refused(&[("offset.flush.timeout.ms", "${env:X}")], &["offset.flush.timeout.ms: ${env:X} cannot be resolved"]);
}

#[test]
fn typos_are_said_and_not_refused() {
    let (_, warnings) = load("offset.flush.intervall.ms=5\nsome.thing=1\n", &[], &[]);
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("did you mean offset.flush.interval.ms?"), "{said:?}");
    assert!(said[1].starts_with("some.thing: no option has this name"), "{said:?}");
}
