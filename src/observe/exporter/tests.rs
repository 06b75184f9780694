#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::observe::series::text;

fn beans() -> Vec<MBean> {
    let place = |context| [("type", "connector-metrics"), ("context", context), ("server", "shop")];
    let mut stream = MBean::new("debezium.mysql", &place("streaming"));
    stream.add("MilliSecondsBehindSource", "lag", Reading::Whole(5));
    stream.add("Connected", "connected", Reading::Flag(true));
    stream.add("GtidSet", "gtids", Reading::Text("a:1-5".to_owned()));
    let mut snapshot = MBean::new("debezium.mysql", &place("snapshot"));
    snapshot.add(
        "RowsScanned",
        "rows",
        Reading::Keyed(vec![("db.a".to_owned(), Reading::Whole(1)), ("db.b".to_owned(), Reading::Whole(2))]),
    );
    let mut worker = MBean::new("kafka.connect", &[("type", "connect-worker-metrics")]);
    worker.add("connector-count", "connectors", Reading::Whole(1));
    let mut own = MBean::new("kafka.connect", &[("type", "connect-worker-metrics"), ("connector", "orders")]);
    own.add("connector-failed-task-count", "failed", Reading::Whole(0));
    let place = [("type", "connector-task-metrics"), ("connector", "orders"), ("task", "0")];
    let mut task = MBean::new("kafka.connect", &place);
    task.add("status", "status", Reading::Text("running".to_owned()));
    task.add("running-ratio", "ratio", Reading::Decimal(0.5));
    vec![stream, snapshot, worker, own, task]
}

/// The lines that rules make of the beans, without comments.
fn lines(exporter: &Exporter) -> Vec<String> {
    let text = text(&exporter.families(&beans()));
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn check(rules: &str, expected: &[&str]) {
    assert_eq!(lines(&Exporter::parse(rules).unwrap()), expected, "{rules}");
}

#[test]
fn our_names_are_those_that_dashboards_ask_for() {
    let check = |names, expected: &[&str]| {
        let found = lines(&Exporter::with_names(names).unwrap());
        assert_eq!(found, expected, "{names:?}");
    };
    let connect = [
        "kafka_connect_worker_connector_count 1",
        "kafka_connect_worker_connector_count{connector=\"orders\",state=\"failed\"} 0",
        "kafka_connect_worker_metrics_connector_count 1",
        "kafka_connect_worker_connector_failed_task_count{connector=\"orders\"} 0",
        "kafka_connect_connector_status{connector=\"orders\",status=\"running\",task=\"0\"} 1",
        "kafka_connect_connector_task_running_ratio{connector=\"orders\",task=\"0\"} 0.5",
    ];
    let debezium = |lag: &str, connected: &str, rows: &str| {
        let of = |name: &str, context: &str, table: &str, value: i32| {
            format!("debezium_metrics_{name}{{context=\"{context}\",name=\"shop\",plugin=\"mysql\"{table}}} {value}")
        };
        vec![
            of(lag, "streaming", "", 5),
            of(connected, "streaming", "", 1),
            of(rows, "snapshot", ",table=\"db.a\"", 1),
            of(rows, "snapshot", ",table=\"db.b\"", 2),
        ]
    };
    for (names, series) in [
        (MetricNames::Debezium, debezium("MilliSecondsBehindSource", "Connected", "RowsScanned")),
        (MetricNames::Lowercase, debezium("millisecondsbehindsource", "connected", "rowsscanned")),
        (MetricNames::SnakeCase, debezium("milli_seconds_behind_source", "connected", "rows_scanned")),
    ] {
        let all: Vec<&str> = series.iter().map(String::as_str).chain(connect).collect();
        check(names, &all);
    }
}

#[test]
fn tags_are_labels_of_their_own_and_come_once() {
    let mut bean = MBean::new("debezium.mysql", &[("type", "connector-metrics"), ("context", "streaming")]);
    for (key, value) in [("server", "shop"), ("team", "a b"), ("k8s.zone", "z"), ("1st", "x"), ("name", "other")] {
        bean.properties.push((Cow::Borrowed(key), value.to_owned()));
    }
    bean.add("Connected", "connected", Reading::Flag(false));
    let families = Exporter::with_names(MetricNames::Debezium).unwrap().families(&[bean]);
    let labels: Vec<String> =
        families[0].series[0].labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(labels, ["context=streaming", "name=shop", "plugin=mysql", "team=a b", "k8s_zone=z", "_1st=x"]);
}

#[test]
fn the_rules_of_a_team_of_2020_are_served_unchanged() {
    let rules = r#"
startDelaySeconds: 0
ssl: false
rules:
- pattern: "kafka.connect<type=connect-worker-metrics>([^:]+):"
  name: "cdc_kafka_connect_connect_worker_metrics_$1"
- pattern: "kafka.connect<type=connector-task-metrics, connector=([^,]+), task=([^>]+)><>([^:]+)"
  name: "cdc_kafka_connect_connect_task_metrics_$3"
  labels:
    connector: "$1"
    task: "$2"
- pattern: "debezium.([^:]+)<type=connector-metrics, context=([^,]+), server=([^,]+), key=([^>]+)><>RowsScanned"
  name: "cdc_debezium_metrics_RowsScanned"
  labels: {plugin: "$1", name: "$3", context: "$2", table: "$4"}
- pattern: "debezium.([^:]+)<type=connector-metrics, context=([^,]+), server=([^>]+)>([^:]+)"
  name: "cdc_debezium_metrics_$4"
  labels: {plugin: "$1", name: "$3", context: "$2"}
"#;
    check(
        rules,
        &[
            "cdc_debezium_metrics_MilliSecondsBehindSource{context=\"streaming\",name=\"shop\",plugin=\"mysql\"} 5",
            "cdc_debezium_metrics_Connected{context=\"streaming\",name=\"shop\",plugin=\"mysql\"} 1",
            "cdc_debezium_metrics_RowsScanned{context=\"snapshot\",name=\"shop\",plugin=\"mysql\",table=\"db.a\"} 1",
            "cdc_debezium_metrics_RowsScanned{context=\"snapshot\",name=\"shop\",plugin=\"mysql\",table=\"db.b\"} 2",
            "cdc_kafka_connect_connect_worker_metrics_connector_count 1",
            "cdc_kafka_connect_connect_task_metrics_running_ratio{connector=\"orders\",task=\"0\"} 0.5",
        ],
    );
}

#[test]
fn rules_mean_what_they_mean_to_the_exporter() {
    // The first match counts; an empty name, and what is no number, are not shown.
    check(
        "rules: [{pattern: 'Behind', name: ''}, {pattern: 'context=streaming.*><>(.+):', name: 'x $1-y'}]",
        &["x_Connected_y 1"],
    );
    // A value of the rule's own, factors, kinds, snake case, labels with templates for names, and empty ones.
    check(
        "rules: [{pattern: 'milli_(.+): (\\d+)', name: $1, value: '$2', valueFactor: 0.001, type: COUNTER, attrNameSnakeCase: true}]",
        &["seconds_behind_source_total 0.005"],
    );
    check(
        "lowercaseOutputName: true\nlowercaseOutputLabelNames: true\nrules: [{pattern: 'status: (r.+)', name: S, value: 1, labels: {T$1: $1, none: ''}}]",
        &["s{trunning=\"running\"} 1"],
    );
    // Without a name, the default one; only these beans and attributes.
    check(
        "includeObjectNames: ['debezium.mysql:context=streaming,*']\nexcludeObjectNameAttributes: {'debezium.mysql:*': [Connected]}\nrules: [{pattern: .*}]",
        &["debezium_mysql_connector_metrics_MilliSecondsBehindSource{context=\"streaming\",server=\"shop\"} 5"],
    );
    check("blacklistObjectNames: ['*:*']", &[]);
    // Both generations' names, but for a counter's.
    check("rules: [{pattern: Behind, name: lag_total}]", &["lag_total 5", "lag 5"]);
    check("rules: [{pattern: Behind, name: lag_total, type: COUNTER}]", &["lag_total 5"]);
    // Two attributes under one name are told apart.
    check(
        "rules: [{pattern: 'streaming.*(Behind|Connected)', name: both}]",
        &[
            "both{_objectname=\"debezium.mysql<type=connector-metrics, context=streaming, server=shop><>MilliSecondsBehindSource\"} 5",
            "both{_objectname=\"debezium.mysql<type=connector-metrics, context=streaming, server=shop><>Connected\"} 1",
        ],
    );
    check(
        "",
        &lines(&Exporter::parse("rules: [{pattern: '.*'}]").unwrap()).iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

#[test]
fn an_expression_that_takes_too_long_matches_nothing() {
    let rules = "rules: [{pattern: '(?:(a+)+)\\1c', name: never, value: 1}, {pattern: status, name: s, value: 1}]";
    let exporter = Exporter::parse(rules).unwrap();
    let mut bean = MBean::new("d", &[("type", "t")]);
    bean.add("status", "status", Reading::Text("a".repeat(64)));
    let families = exporter.families(&[bean]);
    assert_eq!(families.iter().map(|family| family.name.as_str()).collect::<Vec<_>>(), ["s"]);
    assert!(exporter.said.load(Ordering::Relaxed));
}

#[test]
fn a_file_that_cannot_be_used_names_the_place() {
    let check = |rules: &str, place: &str| {
        let error = Exporter::parse(rules).map(|_| ()).expect_err(rules);
        assert!(error.to_string().starts_with(place), "{rules}: {error}");
    };
    check("rules: [", "the file");
    check("- a", "the file");
    check("rules: 5", "rules");
    check("rules: [a]", "rules[0]");
    check("rules: [{pattern: '(', name: a}]", "rules[0].pattern");
    check("rules: [{name: a}]", "rules[0]");
    check("rules: [{pattern: a, labels: {b: c}}]", "rules[0]");
    check("rules: [{pattern: a, name: $1}]", "rules[0]");
    check("rules: [{pattern: a, name: b, type: HISTOGRAM}]", "rules[0].type");
    check("rules: [{pattern: a, name: b, valueFactor: x}]", "rules[0].valueFactor");
    check("lowercaseOutputName: maybe", "lowercaseOutputName");
    check("whitelistObjectNames: [nothing]", "whitelistObjectNames");
    check("excludeObjectNameAttributes: {'a:*': b}", "excludeObjectNameAttributes");
}
