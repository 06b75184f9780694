#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use super::*;
use crate::config::provider::Environment;
use crate::model::modes::{
    DecimalHandlingMode, HashVersion, LsnFlushMode, PublicationAutocreateMode, SkippedOperations, SslMode,
    TimePrecisionMode,
};
use proptest::prelude::*;

/// The least that a MySQL connector needs today.
const LEAST: &[(&str, &str)] = &[
    ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
    ("database.hostname", "db"),
    ("database.user", "me"),
    ("database.password", "hunter2"),
    ("database.server.id", "184054"),
    ("topic.prefix", "shop"),
    ("schema.history.internal.kafka.topic", "history"),
    ("schema.history.internal.kafka.bootstrap.servers", "kafka:9092"),
];

fn own(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// The least with more over it; a value of `-` takes a property out.
fn with(more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut properties = own(LEAST);
    for (name, value) in more {
        match *value {
            "-" => _ = properties.remove(*name),
            value => _ = properties.insert(name.to_string(), value.to_owned()),
        }
    }
    properties
}

fn worker(properties: &[(&str, &str)]) -> WorkerConfig {
    let environment = Environment::new(own(&[("SECRET", "hunter2"), ("PORT", "3307")]));
    WorkerConfig::from_map(&own(properties), environment).unwrap_or_else(|errors| panic!("{errors:?}")).0
}

fn load(properties: BTreeMap<String, String>) -> (ConnectorConfig, Vec<String>) {
    match ConnectorConfig::from_map("orders", properties, &worker(&[])) {
        Ok((config, warnings)) => (config, warnings.iter().map(ToString::to_string).collect()),
        Err(errors) => panic!("{errors:#?}"),
    }
}

fn good(more: &[(&str, &str)]) -> ConnectorConfig {
    let (config, warnings) = load(with(more));
    assert_eq!(warnings, Vec::<String>::new());
    config
}

/// These properties are refused with exactly these findings.
fn refused(more: &[(&str, &str)], expected: &[&str]) {
    let errors = ConnectorConfig::from_map("orders", with(more), &worker(&[])).expect_err("it is refused");
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for words in expected {
        assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:#?}");
    }
    assert!(!format!("{said:?}{errors:?}").contains("hunter2"), "{said:?}");
}

/// These properties are taken with exactly these warnings.
fn warned(more: &[(&str, &str)], expected: &[&str]) -> ConnectorConfig {
    let (config, said) = load(with(more));
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for words in expected {
        assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:#?}");
    }
    config
}

#[test]
fn the_least_connector_has_debeziums_defaults() {
    let config = good(&[]);
    assert_eq!((config.name.as_str(), config.kind), ("orders", ConnectorKind::MySql));
    assert_eq!((config.database.port, config.database.tls.mode), (3306, SslMode::Preferred));
    assert_eq!(config.database.password.as_ref().unwrap().expose(), "hunter2");
    assert_eq!(config.stream.binlog.server_id, 184_054);
    assert_eq!(config.stream.binlog.start, StartPosition::Latest);
    assert_eq!(config.events.decimal, DecimalHandlingMode::Precise);
    assert_eq!(config.events.time, TimePrecisionMode::AdaptiveTimeMicroseconds);
    assert!(config.events.tombstones && config.events.schema_changes && config.events.context_headers);
    assert!(!config.events.transaction_metadata && config.capture.ignore_builtin);
    assert_eq!(config.topics.heartbeat, "__debezium-heartbeat.shop");
    assert_eq!(config.topics.transaction, "shop.transaction");
    assert_eq!(config.snapshot_mode, SnapshotMode::Initial);
    assert_eq!(config.capture.skipped_operations, SkippedOperations { truncate: true, ..Default::default() });
    assert_eq!((config.errors.max_retries, config.heartbeat.interval), (None, None));
    assert_eq!(config.limits.queue_bytes, delivery::DEFAULT_QUEUE_BYTES);
    assert_eq!(config.topic_creation, None);
    assert_eq!(config.value_converter.class, "org.apache.kafka.connect.json.JsonConverter");
    assert_eq!(config.stream.heartbeat_period, Duration::from_secs(1));
    let maria = good(&[("connector.class", "io.debezium.connector.mariadb.MariaDbConnector")]);
    assert_eq!((maria.kind, maria.database.tls.mode), (ConnectorKind::MariaDb, SslMode::Disabled));
}

/// The file of Debezium 1.3 that a platform of 2020 still registers by script.
#[test]
fn the_file_of_2020_loads_with_a_warning_a_name() {
    let file = own(&[
        ("connector.class", "io.debezium.connector.mysql.MySqlConnector"),
        ("tasks.max", "1"),
        ("snapshot.mode", "initial"),
        ("snapshot.locking.mode", "minimal"),
        ("snapshot.new.tables", "parallel"),
        ("database.hostname", "db"),
        ("database.port", "3306"),
        ("database.user", "me"),
        ("database.password", "hunter2"),
        ("database.server.name", "cdc-data.test"),
        ("database.history.kafka.bootstrap.servers", "kafka:9092"),
        ("database.history.kafka.topic", "cdc-schema.test"),
        ("max.batch.size", "20480"),
        ("max.queue.size", "81920"),
        ("poll.interval.ms", "100"),
        ("producer.override.acks", "-1"),
        ("producer.override.max.in.flight.requests.per.connection", "1"),
        ("producer.override.compression.type", "snappy"),
        ("producer.override.linger.ms", "50"),
        ("producer.override.batch.size", "327680"),
        ("errors.tolerance", "all"),
        ("errors.log.enable", "true"),
        ("errors.log.include.messages", "true"),
        ("topic.creation.default.replication.factor", "2"),
        ("topic.creation.default.partitions", "11"),
    ]);
    let (config, warnings) = load(file);
    assert_eq!(config.topics.prefix, "cdc-data.test");
    assert!((5400..6400).contains(&config.stream.binlog.server_id));
    assert_eq!(config.producer.get("compression.type"), Some("snappy"));
    let HistoryStorage::Kafka { topic, producer, .. } = &config.history.storage else { panic!() };
    assert_eq!((topic.as_str(), producer.get("bootstrap.servers")), ("cdc-schema.test", Some("kafka:9092")));
    let group = config.topic_creation.as_ref().unwrap().group("cdc-data.test.shop.orders").unwrap().unwrap();
    assert_eq!((group.partitions, group.replication_factor), (11, 2));
    let said = |words: &str| {
        assert_eq!(warnings.iter().filter(|said| said.contains(words)).count(), 1, "{words} {warnings:#?}")
    };
    said("database.server.name: is called topic.prefix since Debezium 2.0");
    said("database.history.kafka.topic: is called schema.history.internal.kafka.topic");
    said("database.history.kafka.bootstrap.servers: is called");
    said("skipped.operations: is not set");
    said("schema.name.adjustment.mode: is not set");
    said("database.server.id: is not set");
    said("snapshot.new.tables: changes nothing");
    // Beside these, only what changes nothing: three of the queue, one of the log.
    assert_eq!(warnings.len(), 11, "{warnings:#?}");
}

/// The files in `config/` are what a newcomer starts from.
#[test]
fn the_sample_files_load_without_a_word() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let environment = Environment::new(own(&[("MYSQL_PASSWORD", "hunter2")]));
    let (worker, said) =
        WorkerConfig::load(Some(&folder.join("worker.properties")), environment, &BTreeMap::new()).unwrap();
    assert_eq!(said, []);
    let file = crate::config::source_file::read_connector(&folder.join("orders.json")).unwrap();
    assert_eq!(file.warnings, []);
    let (config, said) = ConnectorConfig::from_map(&file.name, file.config, &worker).unwrap();
    assert_eq!(said, []);
    assert_eq!((config.name.as_str(), config.snapshot_mode), ("orders", SnapshotMode::NoData));
    assert_eq!(config.database.password.unwrap().expose(), "hunter2");
}

#[test]
fn old_names_of_every_kind() {
    let config = warned(
        &[
            ("table.whitelist", "shop\\..*"),
            ("transaction.topic", "tx"),
            ("heartbeat.topics.prefix", "hb"),
            ("sanitize.field.names", "true"),
            ("event.deserialization.failure.handling.mode", "warn"),
            ("database.history.store.only.monitored.tables.ddl", "true"),
            ("database.history.producer.security.protocol", "SSL"),
            ("skipped.operations", "none"),
            ("schema.name.adjustment.mode", "avro"),
            ("snapshot.mode", "schema_only"),
        ],
        &[
            "table.whitelist: is called table.include.list since Debezium 1.3",
            "transaction.topic: is called topic.transaction",
            "heartbeat.topics.prefix: is called topic.heartbeat.prefix",
            "sanitize.field.names: is called field.name.adjustment.mode",
            "is called event.processing.failure.handling.mode",
            "is called schema.history.internal.store.only.captured.tables.ddl",
            "is called schema.history.internal.producer.security.protocol",
            "snapshot.mode: 'schema_only' is called 'no_data' today",
        ],
    );
    assert_eq!(config.topics.transaction, "shop.tx");
    assert_eq!(config.topics.heartbeat, "hb.shop");
    assert_eq!(config.events.field_names, crate::model::modes::SchemaNameAdjustmentMode::Avro);
    assert!(config.history.only_captured_tables);
    assert_eq!(config.snapshot_mode, SnapshotMode::NoData);
    let HistoryStorage::Kafka { producer, consumer, .. } = &config.history.storage else { panic!() };
    assert_eq!((producer.get("security.protocol"), consumer.get("security.protocol")), (Some("SSL"), None));
    let file = [
        ("database.history", "io.debezium.relational.history.FileDatabaseHistory"),
        ("database.history.file.filename", "/h"),
        ("schema.history.internal.kafka.topic", "-"),
        ("schema.history.internal.kafka.bootstrap.servers", "-"),
        ("skipped.operations", "t"),
        ("schema.name.adjustment.mode", "none"),
    ];
    let config = warned(
        &file,
        &[
            "database.history: is called schema.history.internal",
            "FileDatabaseHistory is called io.debezium.storage.file.history.FileSchemaHistory",
            "database.history.file.filename: is called",
        ],
    );
    assert_eq!(config.history.storage, HistoryStorage::File("/h".into()));
}

#[test]
fn both_generations_must_agree() {
    refused(&[("database.server.name", "other")], &["database.server.name is the old name of topic.prefix"]);
    refused(
        &[("table.whitelist", "a.b"), ("table.include.list", "a.c")],
        &["table.whitelist is the old name of table.include.list"],
    );
    let same = [("database.server.name", "shop"), ("skipped.operations", "t"), ("schema.name.adjustment.mode", "none")];
    warned(&same, &["database.server.name: is called topic.prefix"]);
}

#[test]
fn everything_wrong_is_said_at_once() {
    refused(
        &[
            ("database.hostname", "-"),
            ("databse.hostname", "db"),
            ("topic.prefix", "a b"),
            ("database.port", "0"),
            ("decimal.handling.mode", "exact"),
            ("time.precision.mode", "adaptive"),
            ("tombstones.on.delete", "yes"),
            ("table.include.list", "shop.(orders"),
            ("database.include.list", "shop"),
            ("database.exclude.list", "test"),
            ("max.queue.size", "100"),
            ("message.key.columns", "shop.orders"),
            ("headwater.start.position", "yesterday"),
            ("skipped.operations", "none,c"),
        ],
        &[
            "database.hostname is required: Name or address of the server (found 'databse.hostname': a typo?)",
            "topic.prefix: 'a b' is not letters",
            "database.port: '0' is not a whole number from 1 to 65535",
            "decimal.handling.mode: 'exact' is not one of precise, string, double",
            "time.precision.mode: 'adaptive' is not one of adaptive_time_microseconds",
            "tombstones.on.delete: 'yes' is not true or false",
            "table.include.list: a group is not closed at character 13",
            "database.exclude.list and database.include.list cannot both be set",
            "max.queue.size: '100' is not more than max.batch.size, which is 2048",
            "message.key.columns: 'shop.orders' is not of the form",
            "headwater.start.position: 'yesterday' is not latest, earliest",
            "skipped.operations: 'none,c' is not one of",
        ],
    );
    let empty = ConnectorConfig::from_map("orders", BTreeMap::new(), &worker(&[])).unwrap_err();
    let said: Vec<String> = empty.iter().map(ToString::to_string).collect();
    for required in ["connector.class", "database.hostname", "database.user", "database.server.id", "topic.prefix"] {
        assert!(said.iter().any(|said| said.starts_with(&format!("{required} is required"))), "{said:#?}");
    }
}

/// `transforms` of one name each: its options beneath it.
fn transforms<'p>(rows: &[(&'p str, &'p str)]) -> Vec<(&'p str, &'p str)> {
    let declared = [("transforms", "a"), ("predicates", "p"), ("predicates.p.type", "RecordIsTombstone")];
    declared.into_iter().chain(rows.iter().copied()).collect()
}

#[test]
fn transforms_are_read_with_their_predicates() {
    const FILTER: &str = "org.apache.kafka.connect.transforms.Filter";
    let config = good(&transforms(&[
        ("transforms.a.type", FILTER),
        ("transforms.a.predicate", "p"),
        ("transforms.a.negate", "true"),
    ]));
    assert_eq!(format!("{:?}", config.transforms), "{\"a\": \"Filter\"}");
    let refuse = |rows: &[(&str, &str)], expected: &[&str]| refused(&transforms(rows), expected);
    refuse(
        &[("transforms.a.type", "org.apache.kafka.connect.transforms.RegexRoute")],
        &["did you mean org.apache.kafka.connect.transforms.RegexRouter?"],
    );
    refuse(
        &[("transforms.a.type", FILTER), ("transforms.a.predicate", "q")],
        &["transforms.a: transforms.a.predicate names 'q', which is not in predicates"],
    );
    refuse(
        &[("transforms.a.type", FILTER), ("transforms.a.negate", "false")],
        &["transforms.a: negate is set, and there is no predicate"],
    );
    refuse(
        &[("transforms.a.type", "org.apache.kafka.connect.transforms.Cast$Value"), ("transforms.a.spec", "x:int3")],
        &["transforms.a.spec: 'x:int3' is not a type"],
    );
    refuse(
        &[("transforms.a.type", FILTER), ("predicates.p.type", "TopicNameMatches"), ("predicates.p.pattern", "a(")],
        &["predicates.p: pattern: "],
    );
    refuse(&[("transforms.a.type", FILTER), ("transforms", "a,a")], &["transforms.a: transforms names it twice"]);
    // A class with $Key and $Value is not one without, nor the other way round.
    refuse(&[("transforms.a.type", "org.apache.kafka.connect.transforms.Flatten")], &["which is not built in"]);
    warned(
        &transforms(&[
            ("transforms.a.type", "org.apache.kafka.connect.transforms.ReplaceField$Value"),
            ("transforms.a.exclud", "x"),
            ("transforms.b.type", FILTER),
            ("predicates.p.something", "x"),
        ]),
        &[
            "transforms.a.exclud: its class has no option of this name; did you mean exclude?",
            "transforms.b.type: is ignored, because transforms does not name b",
            "predicates.p.something: its class has no option of this name",
        ],
    );
}

#[test]
fn dead_letters_go_where_a_record_may_be_left_out() {
    const TOPIC: (&str, &str) = ("errors.deadletterqueue.topic.name", "dead");
    let letters = good(&[TOPIC, ("errors.tolerance", "all")]).errors.dead_letters.unwrap();
    assert_eq!((letters.topic.as_str(), letters.replication_factor), ("dead", -1));
    warned(&[TOPIC], &["errors.deadletterqueue.topic.name: is never written"]);
    good(&[TOPIC, ("event.processing.failure.handling.mode", "warn")]);
    assert_eq!(good(&[]).errors.retry_timeout, None);
    assert_eq!(good(&[("errors.retry.timeout", "-1")]).errors.retry_timeout, None);
    assert_eq!(good(&[("errors.retry.timeout", "0")]).errors.retry_timeout, Some(Duration::ZERO));
}

#[test]
fn converters_of_columns_are_made_in_the_order_of_the_list() {
    let read = good(&[
        ("converters", "sink, bool"),
        ("bool.type", "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter"),
        ("bool.selector", "shop.*"),
        ("sink.type", "io.debezium.connector.mysql.converters.JdbcSinkDataTypesConverter"),
        ("sink.selector.boolean", "shop.*"),
    ]);
    let made = read.column_converters.iter().map(|converter| format!("{converter:?}")).collect::<Vec<_>>();
    assert!(matches!(&made[..], [sink, bool] if sink.contains("JdbcSink") && bool.contains("TinyInt")), "{made:?}");
    assert!(good(&[]).column_converters.is_empty());
}

#[test]
fn what_cannot_be_obeyed_is_refused_by_name() {
    refused(
        &[("transforms", "mine,route"), ("transforms.mine.type", "com.example.Mine")],
        &["'mine' asks for 'com.example.Mine', which is not built in; built in are: ", "'route' asks for 'no class'"],
    );
    refused(
        &[("converters", "bool"), ("bool.type", "com.example.MyConverter"), ("bool.selector", ".*")],
        &[
            "bool.type: the Java class 'com.example.MyConverter' is not built in; built in are: io.debezium.connector.binlog",
        ],
    );
    refused(&[("converters", "bool")], &["bool.type: the Java class 'no class' is not built in"]);
    let tiny = ("bool.type", "io.debezium.connector.mysql.converters.TinyIntOneToBooleanConverter");
    refused(&[("converters", "bool"), tiny, ("bool.length.checker", "si")], &["bool.length.checker"]);
    refused(&[("converters", "bool"), tiny, ("bool.selector", "a(")], &["bool.selector"]);
    refused(
        &[("topic.naming.strategy", "com.example.Names")],
        &["topic.naming.strategy: the Java class 'com.example.Names'"],
    );
    refused(
        &[("topic.naming.strategy", "io.debezium.schema.DefaultRegexTopicNamingStrategy")],
        &["topic.naming.strategy: 'io.debezium.schema.DefaultRegexTopicNamingStrategy' is not supported"],
    );
    refused(
        &[("schema.history.internal", "io.debezium.storage.s3.history.S3SchemaHistory")],
        &["S3SchemaHistory' is not built in; built in are: "],
    );
    refused(&[("exactly.once.support", "required")], &["exactly.once.support: 'required' is not supported"]);
    refused(
        &[("connector.class", "io.confluent.connect.jdbc.JdbcSinkConnector")],
        &["is not a connector of this program"],
    );
    for mode in ["always", "initial_only", "configuration_based", "custom"] {
        refused(&[("snapshot.mode", mode)], &[&format!("snapshot.mode: '{mode}' is not supported")]);
    }
    for mode in ["initial", "when_needed", "no_data", "recovery", "never"] {
        assert_eq!(good(&[("snapshot.mode", mode)]).snapshot_mode.as_str(), mode);
    }
    let none = worker(&[("connector.client.config.override.policy", "None")]);
    let overriding = with(&[("producer.override.linger.ms", "5")]);
    let errors = ConnectorConfig::from_map("orders", overriding, &none).unwrap_err();
    assert!(errors[0].to_string().contains("override.policy"), "{errors:?}");
}

#[test]
fn unknown_names_are_warned_of() {
    warned(
        &[
            ("decimal.handling.mod", "string"),
            ("my.own.note", "x"),
            ("database.hostnames", "x"),
            ("database.connectionTimeZone", "UTC"),
            ("database.jdbc.driver", "x"),
        ],
        &[
            "decimal.handling.mod: no option has this name, and it is ignored; did you mean decimal.handling.mode?",
            "my.own.note: no option has this name, and it is ignored",
            "did you mean database.hostname?",
            "database.connectionTimeZone: changes nothing here: there is no JDBC driver",
            "database.jdbc.driver: changes nothing here",
        ],
    );
    warned(
        &[("table.include.list", "orders,shop.items"), ("tasks.max", "3")],
        &["'orders' matches nothing", "tasks.max: the log is read by one task"],
    );
}

#[test]
fn filters_of_statements_reach_over_lines() {
    let config = good(&[("internal.schema.history.internal.ddl.filter", "CREATE TABLE tmp_.*, ANALYZE .*")]);
    let filter = config.history.ddl_filter.unwrap();
    assert!(filter.matches("create table tmp_1\n(a INT)").unwrap());
    assert!(!filter.matches("CREATE TABLE t (a INT)").unwrap());
}

#[test]
fn masks_keys_and_filters() {
    let config = good(&[
        ("column.mask.hash.v2.SHA-256.with.salt.sa.lt", "shop.users.mail"),
        ("column.mask.hash.MD5.with.salt.x", "shop.users.name"),
        ("column.mask.with.12.chars", "shop.users.card"),
        ("column.truncate.to.20.chars", "shop.users.note,shop.users.bio"),
        ("message.key.columns", "shop.orders:a, b; (.*).items:c"),
        ("table.include.list", "shop\\.(?!tmp_).*"),
    ]);
    let masks: Vec<&ColumnMask> = config.capture.column_rules.iter().map(|rule| &rule.mask).collect();
    assert_eq!(masks[..2], [&ColumnMask::Truncate(20), &ColumnMask::Asterisks(12)]);
    let ColumnMask::Hash { digest, salt, version } = masks[3] else { panic!("{masks:?}") };
    assert_eq!((digest.name(), salt.expose(), *version), ("SHA-256", "sa.lt", HashVersion::V2));
    assert!(config.capture.column_rules[0].columns.matches("shop.users.bio").unwrap());
    let key: Vec<bool> = ["shop.orders.b", "any.items.c", "shop.orders.c"]
        .map(|column| config.capture.key_columns.iter().any(|list| list.matches(column).unwrap()))
        .to_vec();
    assert_eq!(key, [true, true, false]);
    assert!(config.capture.tables.accepts("shop.orders").unwrap());
    assert!(!config.capture.tables.accepts("shop.tmp_1").unwrap());
    refused(&[("column.mask.hash.CRC.with.salt.hunter2", "a.b.c")], &["column.mask.hash.CRC.with.salt.****: "]);
    for typo in ["column.mask.hash.MD5", "column.mask.hash.MD5.with.salt.", "column.mask.3.chars", "column.truncate.3"]
    {
        refused(&[(typo, "a.b.c")], &["a property whose name is that of a mask"]);
    }
    refused(&[("column.mask.with.many.chars", "a.b.c")], &["a name with a number of characters in it"]);
}

#[test]
fn converters_come_with_their_own_options_or_the_workers() {
    let worker = worker(&[("value.converter", "AvroConverter"), ("value.converter.schema.registry.url", "http://w:1")]);
    let check = |more: &[(&str, &str)], class: &str, url: Option<&str>| {
        let (config, _) = ConnectorConfig::from_map("orders", with(more), &worker).unwrap();
        assert_eq!(config.value_converter.class, class);
        assert_eq!(config.value_converter.options.get("schema.registry.url"), url);
    };
    check(&[], "AvroConverter", Some("http://w:1"));
    check(&[("value.converter", "JsonConverter")], "JsonConverter", None);
    let own = [("value.converter", "AvroConverter"), ("value.converter.schema.registry.url", "http://c:1")];
    check(&own, "AvroConverter", Some("http://c:1"));
}

#[test]
fn groups_of_new_topics() {
    let config = good(&[
        ("topic.creation.groups", "compacted"),
        ("topic.creation.default.replication.factor", "-1"),
        ("topic.creation.default.partitions", "3"),
        ("topic.creation.default.retention.ms", "1000"),
        ("topic.creation.compacted.include", "shop\\.shop\\..*, other"),
        ("topic.creation.compacted.exclude", "shop\\.shop\\.log"),
        ("topic.creation.compacted.cleanup.policy", "compact"),
    ]);
    let creation = config.topic_creation.unwrap();
    let check = |topic: &str, name: &str, setting: &str, value: &str| {
        let group = creation.group(topic).unwrap().unwrap();
        assert_eq!((group.name.as_str(), group.settings.get(setting)), (name, Some(value)), "{topic}");
        assert_eq!((group.partitions, group.replication_factor), (3, -1));
    };
    check("shop.shop.orders", "compacted", "cleanup.policy", "compact");
    check("shop.shop.log", "default", "retention.ms", "1000");
    check("shop.Shop.orders", "default", "retention.ms", "1000");
    refused(
        &[("topic.creation.default.partitions", "0")],
        &["'0' is not a positive number", "topic.creation.default.replication.factor is required"],
    );
    let enough = [
        ("topic.creation.default.replication.factor", "1"),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.more.include", "a"),
    ];
    warned(&enough, &["topic.creation.groups does not name more"]);
}

#[test]
fn secrets_are_never_printed() {
    let config = good(&[
        ("database.password", "${env:SECRET}"),
        ("database.port", "${env:PORT}"),
        ("producer.override.sasl.jaas.config", "x password=\"hunter2\";"),
        ("value.converter", "AvroConverter"),
        ("value.converter.basic.auth.user.info", "me:hunter2"),
        ("value.converter.schema.registry.url", "http://me:hunter2@registry:8081"),
        ("schema.history.internal.producer.sasl.jaas.config", "hunter2"),
        ("column.mask.hash.v2.SHA-256.with.salt.hunter2", "a.b.c"),
        ("database.ssl.truststore", "/t"),
        ("database.ssl.truststore.password", "hunter2"),
        ("custom.sanitize.pattern", ".*mine"),
    ]);
    assert_eq!(config.database.port, 3307);
    assert_eq!(config.database.password.as_ref().unwrap().expose(), "hunter2");
    let printed = format!("{config:?} {config:#?}");
    assert!(!printed.contains("hunter2"), "{printed}");
    // What came out of a provider stays hidden, whatever the option, and so does what the pattern names.
    refused(&[("database.port", "${env:SECRET}")], &["database.port: **** is not a whole number"]);
    refused(
        &[("tombstones.on.delete", "hunter2"), ("custom.sanitize.pattern", "tomb.*")],
        &["tombstones.on.delete: **** is not"],
    );
    refused(&[("database.user", "${env:NOBODY}")], &["database.user: ${env:NOBODY} cannot be resolved"]);
    refused(&[("table.include.list", "${env:SECRET}(")], &["table.include.list: **** is not a regular expression"]);
    refused(
        &[("schema.history.internal", "x${env:SECRET}")],
        &["schema.history.internal: the Java class **** is not built in"],
    );
}

proptest! {
    /// Any properties are taken or refused; nothing panics.
    #[test]
    fn any_properties(
        more in proptest::collection::btree_map(
            prop_oneof![
                proptest::sample::select(option::all().map(|option| option.name).collect::<Vec<_>>()).prop_map(str::to_owned),
                "[a-z.*<>-]{0,20}",
            ],
            "[a-z0-9:;,.(){}$=\\\\ -]{0,12}",
            0..6,
        )
    ) {
        let mut properties = own(LEAST);
        properties.extend(more);
        let _ = ConnectorConfig::from_map("orders", properties.clone(), &worker(&[]));
        let _ = WorkerConfig::from_map(&properties, Environment::default());
    }
}

#[test]
fn generations_of_debezium_are_known_by_name() {
    use crate::model::modes::DebeziumGeneration;
    let check = |more: &[(&str, &str)], generation: DebeziumGeneration, version: &str, placeholder: Option<&str>| {
        let events = good(more).events;
        assert_eq!(events.generation, generation);
        assert_eq!((events.debezium_version.as_str(), events.unavailable_value.as_deref()), (version, placeholder));
    };
    let new = ("debezium.compat.version", "3.7");
    let placeholder = "unavailable.value.placeholder";
    check(&[], DebeziumGeneration::V3_6, "3.6.1.Final", None);
    check(&[("debezium.compat.version", "3.6")], DebeziumGeneration::V3_6, "3.6.1.Final", None);
    check(&[new], DebeziumGeneration::V3_7, "3.7.0.Alpha2", Some("__debezium_unavailable_value"));
    check(&[new, (placeholder, "gone")], DebeziumGeneration::V3_7, "3.7.0.Alpha2", Some("gone"));
    check(&[new, (placeholder, "hex:676f6e65")], DebeziumGeneration::V3_7, "3.7.0.Alpha2", Some("gone"));
    check(
        &[new, ("headwater.debezium.version", "3.7.1.Final")],
        DebeziumGeneration::V3_7,
        "3.7.1.Final",
        Some("__debezium_unavailable_value"),
    );
    warned(&[(placeholder, "gone")], &["unavailable.value.placeholder: changes nothing with"]);
    refused(&[("debezium.compat.version", "3.8")], &["debezium.compat.version: '3.8' is not one of 3.6, 3.7"]);
    refused(&[new, (placeholder, "hex:6")], &["unavailable.value.placeholder: 'hex:6' is not hex:"]);
    refused(&[new, (placeholder, "hex:ff")], &["unavailable.value.placeholder: 'hex:ff' is not hex:"]);
}

/// A PostgreSQL connector with this beside what it cannot do without.
fn postgres_config(more: &[(&str, &str)]) -> Result<ConnectorConfig, String> {
    let base = [
        ("connector.class", "io.debezium.connector.postgresql.PostgresConnector"),
        ("topic.prefix", "shop"),
        ("database.hostname", "localhost"),
        ("database.user", "cdc"),
        ("database.dbname", "shop"),
        ("plugin.name", "pgoutput"),
    ];
    let raw: BTreeMap<String, String> =
        base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let worker = WorkerConfig::from_map(&BTreeMap::new(), Environment::default()).unwrap().0;
    let examined = ConnectorConfig::examine("c", raw, &worker);
    let errors: Vec<String> = examined.errors.iter().map(ToString::to_string).collect();
    examined.config.ok_or_else(|| errors.join("; "))
}

#[test]
fn a_postgresql_connector_has_debeziums_defaults() {
    let config = postgres_config(&[]).unwrap();
    let options = config.postgres.unwrap();
    assert_eq!((options.slot.name.as_str(), options.publication.name.as_str()), ("debezium", "dbz_publication"));
    assert_eq!(options.publication.autocreate, PublicationAutocreateMode::AllTables);
    assert_eq!((options.slot.mismatch, options.slot.flush), (None, LsnFlushMode::Connector));
    assert_eq!(config.database.port, 5432);
    assert_eq!(config.events.unavailable_value.as_deref(), Some("__debezium_unavailable_value"));
    assert_eq!(
        (config.topics.heartbeat.as_str(), config.events.debezium_version.as_str()),
        ("__debezium-heartbeat.shop", "3.6.3.Final")
    );
}

#[test]
fn columns_are_read_again_as_either_way_of_writing_says() {
    let class = ("type", "io.debezium.processors.reselect.ReselectColumnsPostProcessor");
    let written = |prefix: &str, more: &[(&str, &str)]| {
        let beneath = [&[class], more].concat();
        let named: Vec<(String, &str)> =
            beneath.iter().map(|(name, value)| (format!("{prefix}.{name}"), *value)).collect();
        let all: Vec<(&str, &str)> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        postgres_config(&[&[("post.processors", "again")], all.as_slice()].concat())
            .map(|config| config.post_processors)
    };
    for prefix in ["again", "post.processors.again"] {
        let plain = &written(prefix, &[]).unwrap()[0];
        assert!(plain.nulls && plain.unavailable && !plain.by_event_key && !plain.fails, "{plain:?}");
        assert!(plain.columns.is_open());
        let more = [
            ("reselect.columns.include.list", "public.t:.*,S.u:b"),
            ("reselect.null.values", "false"),
            ("reselect.unavailable.values", "false"),
            ("reselect.use.event.key", "true"),
            ("reselect.error.handling.mode", "FAIL"),
        ];
        let set = &written(prefix, &more).unwrap()[0];
        assert!(!set.nulls && !set.unavailable && set.by_event_key && set.fails, "{set:?}");
        assert!(set.columns.accepts("s.u:B").unwrap() && !set.columns.accepts("s.u:bc").unwrap());
        for (option, value) in [
            ("reselect.null.values", "perhaps"),
            ("reselect.columns.exclude.list", "a("),
            ("reselect.error.handling.mode", "ignore"),
        ] {
            let said = written(prefix, &[(option, value)]).unwrap_err();
            assert!(said.contains(&format!("{prefix}.{option}")), "{said}");
        }
    }
}

#[test]
fn what_a_postgresql_connector_cannot_do_is_refused() {
    let refused = |more: &[(&str, &str)], expected: &str| {
        let said = postgres_config(more).map(|_| ()).unwrap_err();
        assert!(said.contains(expected), "{more:?}: {said}");
    };
    refused(&[("plugin.name", "decoderbufs")], "only pgoutput is read");
    refused(&[("slot.name", "Upper")], "lower-case letters");
    refused(
        &[("post.processors", "again"), ("again.type", "com.example.Mine")],
        "again.type: the Java class 'com.example.Mine' is not built in; built in are: io.debezium.processors.reselect",
    );
    refused(&[("slot.stream.params", "add-tables")], "name=value;name=value");
    refused(&[("replica.identity.autoset.values", "public.t:SOME")], "DEFAULT, FULL, NOTHING or INDEX");
    refused(&[("database.sslfactory", "org.example.Factory")], "names a Java class");
    refused(
        &[("topic.naming.strategy", "io.debezium.schema.DefaultTopicNamingStrategy")],
        "only io.debezium.schema.Schema",
    );
    let config = postgres_config(&[
        ("replica.identity.autoset.values", "public.a:FULL,public.b:INDEX b_key"),
        ("skipped.operations", "t,d"),
        ("slot.stream.params", "origin=none"),
    ]);
    let options = config.unwrap().postgres.unwrap();
    assert_eq!(options.publication.publish.as_deref(), Some("insert,update"));
    assert_eq!(options.slot.stream_parameters, [("origin".to_owned(), "none".to_owned())]);
    let identities: Vec<_> = options.replica_identities.iter().map(|rule| rule.identity.clone()).collect();
    assert_eq!(identities, [postgres::ReplicaIdentity::Full, postgres::ReplicaIdentity::Index("b_key".into())]);
}
