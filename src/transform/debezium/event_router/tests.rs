//! What the router makes of records: one table of cases, one `check`.
#![allow(clippy::unwrap_used)]

use super::super::testing::*;
use crate::model::schema::{Kind, Schema};
use crate::model::value::Value;

const ROUTER: (&str, &str) = ("transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter");

/// The lines that stand for the usual row: those of the key and the header.
const KEY: &str = "key string '10711fa5'";
const ID: &str = "header id string 'da8d6de6'";

#[track_caller]
fn check(options: &[(&str, &str)], samples: &[Sample], expected: &str) {
    let mut config = vec![("transforms".to_owned(), "outbox".to_owned()), (ROUTER.0.to_owned(), ROUTER.1.to_owned())];
    config.extend(options.iter().map(|(name, value)| (format!("transforms.outbox.{name}"), (*value).to_owned())));
    let config: Vec<(&str, &str)> = config.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is = run(&config, samples);
    assert_eq!(is.trim_end(), expected.join("\n"));
}

/// The usual columns with this payload.
fn columns(payload: Value) -> Vec<Cell> {
    vec![
        ("id", text(), t("da8d6de6")),
        ("aggregatetype", text(), t("User")),
        ("aggregateid", text(), t("10711fa5")),
        ("type", text(), t("UserCreated")),
        ("payload", text().optional(), payload),
    ]
}

fn row(payload: &str) -> Sample {
    Change::create(columns(t(payload))).sample()
}

/// The usual row with other columns: those of the same name are replaced.
fn with(cells: Vec<Cell>) -> Sample {
    let mut columns = columns(t("{}"));
    for cell in cells {
        match columns.iter_mut().find(|column| column.0 == cell.0) {
            Some(column) => *column = cell,
            None => columns.push(cell),
        }
    }
    Change::create(columns).sample()
}

fn without(name: &str) -> Sample {
    Change::create(columns(t("{}")).into_iter().filter(|column| column.0 != name).collect()).sample()
}

fn changed(operation: &'static str, before: bool, after: bool) -> Sample {
    let image = |present: bool| present.then(|| columns(t("{}")));
    Change { operation, before: image(before), after: image(after), transaction: false }.sample()
}

/// The usual row as it comes out, with this value.
fn out(value: &str) -> String {
    format!("topic outbox.event.User at 1000\n{KEY}\nvalue {value}\n{ID}")
}

#[test]
fn what_is_no_insert_ends_or_passes() {
    let heartbeat = |schema: Schema| Sample::of(schema, Value::Struct(vec![Value::Int64(1)]));
    let unnamed = structure(&[("ts_ms", long(), Value::Int64(1))]).0;
    check(&[], &[Sample::tombstone()], "dropped");
    check(&[], &[changed("d", true, false)], "dropped");
    let poor = Change::delete(vec![("id", text(), t("x"))]).sample();
    check(&[], &[poor], "dropped");
    check(&[], &[heartbeat(unnamed.clone())], "passed");
    check(&[], &[heartbeat(unnamed.clone().named("io.debezium.connector.common.Heartbeat"))], "passed");
    check(&[], &[heartbeat(unnamed.clone().named("srv.EnvelopeX"))], "passed");
    let schemaless = Sample { value: None, ..row("{}") };
    check(&[], &[schemaless], "dropped");
    check(
        &[],
        &[heartbeat(unnamed.named("io.debezium.Heartbeat.Envelope"))],
        "HW1003 transform outbox: op is not a valid field name",
    );
    check(&[], &[changed("r", false, true)], &out("string? '{}'"));
    check(
        &[],
        &[changed("t", false, false)],
        "HW1003 transform outbox: the outbox event has no row in `after`, as with a truncated table",
    );
}

#[test]
fn updates_are_left_out_or_stop_the_connector() {
    let update = || changed("u", true, true);
    check(&[], &[update()], "dropped");
    check(&[("table.op.invalid.behavior", "warn")], &[update(), update()], "dropped\ndropped");
    check(&[("table.op.invalid.behavior", "ERROR")], &[update()], "dropped");
    check(
        &[("table.op.invalid.behavior", "fatal")],
        &[update(), row("{}")],
        &format!(
            "HW1004 transform outbox: an update of a row of the outbox table, on topic srv.shop.outbox\n{}",
            out("string? '{}'")
        ),
    );
    check(
        &[("table.op.invalid.behavior", "invalidOption")],
        &[],
        "refused: transform outbox: table.op.invalid.behavior=invalidoption is not warn, error or fatal",
    );
}

#[test]
fn the_payload_is_the_value_with_its_own_schema() {
    check(&[], &[row("{}")], &out("string? '{}'"));
    check(&[], &[row("{\"a\": [1]}")], &out("string? '{\"a\": [1]}'"));
    let json = text().optional().named("io.debezium.data.Json").version(1);
    check(&[], &[with(vec![("payload", json, t("[]"))])], &out("string?(io.debezium.data.Json v1) '[]'"));
    check(&[], &[with(vec![("payload", bytes(), b(b"a binary"))])], &out("bytes 0x612062696e617279"));
    check(&[], &[with(vec![("payload", long(), Value::Int64(5))])], &out("int64 5"));
    let (schema, value) = structure(&[("x", int(), Value::Int32(1))]);
    check(&[], &[with(vec![("payload", schema, value)])], &out("{x int32} {1}"));
    let kept = text().optional().default_value(t("none"));
    check(&[], &[with(vec![("payload", kept, Value::Null)])], &out("string?='none' 'none'"));
    check(&[("table.field.event.payload", "body")], &[with(vec![("body", bytes(), b(&[0]))])], &out("bytes 0x00"));
    let error = "HW1003 transform outbox: unable to find payload field payload in event";
    check(&[], &[without("payload")], error);
}

#[test]
fn the_key_is_a_column() {
    let keyed = |key: &str| format!("topic outbox.event.User at 1000\nkey {key}\nvalue string? '{{}}'\n{ID}");
    check(&[("table.field.event.key", "type")], &[row("{}")], &keyed("string 'UserCreated'"));
    check(&[], &[with(vec![("aggregateid", int(), Value::Int32(54321))])], &keyed("int32 54321"));
    check(&[], &[with(vec![("aggregateid", bytes(), b(b"k"))])], &keyed("bytes 0x6b"));
    check(&[], &[with(vec![("aggregateid", text().optional(), Value::Null)])], &keyed("string? null"));
    let defaulted = int().optional().default_value(Value::Int32(9));
    check(&[], &[with(vec![("aggregateid", defaulted, Value::Null)])], &keyed("int32?=9 9"));
    let uuid = text().named("io.debezium.data.Uuid").version(1);
    check(&[], &[with(vec![("aggregateid", uuid, t("u"))])], &keyed("string(io.debezium.data.Uuid v1) 'u'"));
    check(
        &[("table.field.event.key", "fakefield")],
        &[row("{}")],
        "HW1003 transform outbox: fakefield is not a valid field name",
    );
    check(&[], &[without("aggregateid")], "HW1003 transform outbox: aggregateid is not a valid field name");
}

#[test]
fn the_id_is_a_header_behind_those_that_were_there() {
    let with_id = |id: &str| format!("topic outbox.event.User at 1000\n{KEY}\nvalue string? '{{}}'\nheader id {id}");
    check(&[], &[with(vec![("id", int(), Value::Int32(2))])], &with_id("int32 2"));
    let uuid = text().named("io.debezium.data.Uuid").version(1);
    check(&[], &[with(vec![("id", uuid, t("u"))])], &with_id("string(io.debezium.data.Uuid v1) 'u'"));
    check(&[("table.field.event.id", "type")], &[row("{}")], &with_id("string 'UserCreated'"));
    let before = row("{}").header("trace", long(), Value::Int64(1)).header("id", text(), t("old"));
    let expected = format!(
        "topic outbox.event.User at 1000\n{KEY}\nvalue string? '{{}}'\nheader trace int64 1\nheader id string 'old'\n{ID}"
    );
    check(&[], &[before], &expected);
    check(&[], &[without("id")], "HW1003 transform outbox: unable to find event-id field id in event");
}

#[test]
fn every_column_can_have_another_name() {
    let sample = Change::create(vec![
        ("event_id", text(), t("da8d6de6")),
        ("payload_id", text(), t("10711fa5")),
        ("event_type", text(), t("UserCreated")),
        ("payload_body", text(), t("{}")),
    ]);
    check(
        &[
            ("table.field.event.id", "event_id"),
            ("table.field.event.key", "payload_id"),
            ("table.field.event.type", "event_type"),
            ("table.field.event.payload", " payload_body "),
            ("route.by.field", "payload_id"),
        ],
        &[sample.sample()],
        &format!("topic outbox.event.10711fa5 at 1000\n{KEY}\nvalue string '{{}}'\n{ID}"),
    );
}

#[test]
fn the_topic_is_made_of_a_column() {
    let routed = |kind: &str| with(vec![("aggregatetype", text(), t(kind))]);
    let to = |topic: &str| format!("topic {topic} at 1000\n{KEY}\nvalue string? '{{}}'\n{ID}\n");
    check(
        &[],
        &[routed("User"), routed("Address"), routed("User")],
        &[to("outbox.event.User"), to("outbox.event.Address"), to("outbox.event.User")].concat(),
    );
    check(&[("route.by.field", "type")], &[row("{}")], &to("outbox.event.UserCreated"));
    check(&[("route.topic.replacement", "events")], &[row("{}")], &to("events"));
    check(&[("route.topic.replacement", "${routedByValue}.v1")], &[row("{}")], &to("User.v1"));
    let regex = [("route.topic.regex", "(.)(.*)"), ("route.topic.replacement", "$2-$1")];
    check(&regex, &[row("{}")], &to("ser-U"));
    // What does not match is the topic itself.
    check(&[("route.topic.regex", "(?<routedByValue>[a-z]+)")], &[row("{}")], &to("User"));
    // The first match within what matches as a whole is replaced: here `U`.
    check(&[("route.topic.regex", "(?<routedByValue>U|User)")], &[row("{}")], &to("outbox.event.User"));
    check(&[], &[routed("")], &to("outbox.event."));
    check(
        &[],
        &[with(vec![("aggregatetype", text().optional(), Value::Null)])],
        "HW1003 transform outbox: the field that says the topic is null",
    );
    check(
        &[],
        &[with(vec![("aggregatetype", int(), Value::Int32(1))])],
        "HW1003 transform outbox: field 'aggregatetype' is not of type string but int32",
    );
    check(&[], &[without("aggregatetype")], "HW1003 transform outbox: aggregatetype is not a valid field name");
}

#[test]
fn expressions_and_lists_that_are_wrong_are_refused() {
    let refused = run(&[("transforms", "outbox"), ROUTER, ("transforms.outbox.route.topic.regex", " [[a-z]")], &[]);
    assert!(
        refused.starts_with("refused: transform outbox: route.topic.regex and route.topic.replacement: "),
        "{refused}"
    );
    // The usual replacement names a group that this expression does not have.
    let no_group = run(&[("transforms", "outbox"), ROUTER, ("transforms.outbox.route.topic.regex", "(.*)")], &[]);
    assert!(no_group.contains("${»r«outedByValue}") || no_group.contains("routedByValue"), "{no_group}");
    assert!(no_group.starts_with("refused: "), "{no_group}");
    for list in ["type", "", "a:b:c:d", "type:heder", "type:header,", ":"] {
        let expected = format!(
            "refused: transform outbox: table.fields.additional.placement={list} is not a list of column:placement or column:placement:alias, with header, envelope or partition"
        );
        check(&[("table.fields.additional.placement", list)], &[], &expected);
    }
    for (option, value, takes) in [
        ("table.field.additional.missing", "drop", "error or ignore"),
        ("table.json.payload.null.behavior", "keep", "ignore or optional_bytes"),
        ("table.json.payload.empty.array.behavior", "keep", "ignore or optional_string"),
        ("table.expand.json.payload", "yes", "true or false"),
        ("route.tombstone.on.empty.payload", "1", "true or false"),
        ("field.name.adjustment.mode", "latin", "none, avro or avro_unicode"),
    ] {
        check(&[(option, value)], &[], &format!("refused: transform outbox: {option}={value} is not {takes}"));
    }
}

#[test]
fn the_timestamp_is_of_processing_or_a_column() {
    let at = |name: Option<&str>, value: Value| {
        let schema = long().optional();
        let schema = name.map_or(schema.clone(), |name| schema.named(name).version(1));
        with(vec![("at", schema, value)])
    };
    let stamped = |ms: i64| format!("topic outbox.event.User at {ms}\n{KEY}\nvalue string? '{{}}'\n{ID}");
    let option = [("table.field.event.timestamp", "at")];
    for (name, value, expected) in [
        ("io.debezium.time.Timestamp", 14_222_264_625_338, 14_222_264_625_338),
        ("io.debezium.time.MicroTimestamp", 14_222_264_625_338_999, 14_222_264_625_338),
        ("io.debezium.time.NanoTimestamp", 1_422_226_462_533_899_999, 1_422_226_462_533),
    ] {
        check(&option, &[at(Some(name), Value::Int64(value))], &stamped(expected));
    }
    check(&option, &[at(Some("io.debezium.time.Timestamp"), Value::Null)], &stamped(1000));
    check(&option, &[at(None, Value::Null)], &stamped(1000));
    check(&[], &[at(Some("io.debezium.time.Timestamp"), Value::Int64(5))], &stamped(1000));
    let unsupported =
        |name: &str| format!("HW1003 transform outbox: unsupported field type {name} for event timestamp");
    check(&option, &[at(None, Value::Int64(1))], &unsupported("int64 without a name"));
    let connect = "org.apache.kafka.connect.data.Timestamp";
    check(&option, &[at(Some(connect), Value::Int64(1))], &unsupported(connect));
    let zoned = with(vec![("at", text().named("io.debezium.time.ZonedTimestamp"), t("2020"))]);
    check(&option, &[zoned], "HW1003 transform outbox: field 'at' is not of type int64 but string");
    check(&option, &[row("{}")], "HW1003 transform outbox: unable to find timestamp field at in event");
    check(
        &option,
        &[at(Some("io.debezium.time.Timestamp"), Value::Int64(-1))],
        "HW1004 transform outbox: the event's timestamp is before 1970, which Kafka does not take",
    );
}

#[test]
fn other_columns_are_placed_in_headers() {
    let option = "table.fields.additional.placement";
    let headers = |lines: &str| format!("{}\n{lines}", out("string? '{}'"));
    check(&[(option, "type:header")], &[row("{}")], &headers("header type string 'UserCreated'"));
    check(&[(option, " type : HEADER : eventType ")], &[row("{}")], &headers("header eventType string 'UserCreated'"));
    check(
        &[(option, "type:header,aggregatetype:header:kind,type:header:again")],
        &[row("{}")],
        &headers("header type string 'UserCreated'\nheader kind string 'User'\nheader again string 'UserCreated'"),
    );
    let tenant = with(vec![("tenant", int().optional().default_value(Value::Int32(4)), Value::Null)]);
    check(&[(option, "tenant:header")], &[tenant], &headers("header tenant int32?=4 4"));
    let missing = "HW1003 transform outbox: unable to find field nowhere in event";
    check(&[(option, "nowhere:header")], &[row("{}")], missing);
    let ignore = ("table.field.additional.missing", "ignore");
    check(
        &[(option, "nowhere:header,type:header"), ignore],
        &[row("{}")],
        &headers("header type string 'UserCreated'"),
    );
}

#[test]
fn other_columns_are_placed_beside_the_payload() {
    let option = "table.fields.additional.placement";
    let wrapped = |fields: &str, values: &str| {
        out(&format!("{{payload string?{fields}}}(srv.shop.outbox.User.Value) {{'{{}}'{values}}}"))
    };
    check(&[(option, "type:envelope")], &[row("{}")], &wrapped(", type string", ", 'UserCreated'"));
    check(&[(option, "type:envelope:eventType")], &[row("{}")], &wrapped(", eventType string", ", 'UserCreated'"));
    check(
        &[(option, "type:envelope:payloadType, aggregateid:envelope:payloadId,type:header:payloadType")],
        &[row("{}")],
        &format!(
            "{}\nheader payloadType string 'UserCreated'",
            wrapped(", payloadType string, payloadId string", ", 'UserCreated', '10711fa5'")
        ),
    );
    let deleted = ("is_deleted", boolean().optional(), Value::Boolean(true));
    check(&[(option, "is_deleted:envelope:deleted")], &[with(vec![deleted])], &wrapped(", deleted boolean?", ", true"));
    check(
        &[(option, "nowhere:envelope:alias")],
        &[row("{}")],
        "HW1003 transform outbox: unable to find field nowhere in event",
    );
    let ignore = ("table.field.additional.missing", "ignore");
    check(&[(option, "nowhere:envelope:alias"), ignore], &[row("{}")], &wrapped("", ""));
    check(
        &[(option, "type:envelope:payload")],
        &[row("{}")],
        "HW1003 transform outbox: cannot create field payload twice in one struct",
    );
    // Each route has a schema of its own, and keeps it.
    let address = with(vec![("aggregatetype", text(), t("Address"))]);
    let expected = wrapped(", type string", ", 'UserCreated'");
    check(
        &[(option, "type:envelope")],
        &[row("{}"), address, row("{}")],
        &[
            expected.clone(),
            expected.replace("User.Value", "Address.Value").replace("event.User", "event.Address"),
            expected,
        ]
        .join("\n"),
    );
}

#[test]
fn the_partition_is_a_column() {
    let option = ("table.fields.additional.placement", "p:partition");
    let partition = |value: Value| with(vec![("p", int().optional(), value)]);
    let at = |partition: &str| format!("topic outbox.event.User{partition} at 1000\n{KEY}\nvalue string? '{{}}'\n{ID}");
    check(&[option], &[partition(Value::Int32(123))], &at(" partition 123"));
    check(&[option], &[partition(Value::Int32(0))], &at(" partition 0"));
    check(&[option], &[partition(Value::Null)], &at(""));
    check(&[option, ("table.field.additional.missing", "ignore")], &[row("{}")], &at(""));
    check(&[option], &[row("{}")], "HW1003 transform outbox: unable to find field p in event");
    check(
        &[option],
        &[with(vec![("p", long(), Value::Int64(1))])],
        "HW1003 transform outbox: the field that says the partition is not of type int32",
    );
    check(
        &[option],
        &[partition(Value::Int32(-1))],
        "HW1004 transform outbox: the field that says the partition is negative",
    );
}

#[test]
fn the_schema_has_a_version_where_more_than_the_payload_is_the_value() {
    let versioned = |version: Value| with(vec![("version", int().optional(), version)]);
    let option = ("table.field.event.schema.version", "version");
    let place = ("table.fields.additional.placement", "type:envelope:eventType");
    let value = |version: &str| {
        out(&format!(
            "{{payload string?, eventType string}}(srv.shop.outbox.User.Value{version}) {{'{{}}', 'UserCreated'}}"
        ))
    };
    check(
        &[option, place],
        &[1, 3, 1].map(|version| versioned(Value::Int32(version))),
        &[value(" v1"), value(" v3"), value(" v1")].join("\n"),
    );
    check(&[option, place], &[versioned(Value::Null)], &value(""));
    check(&[place], &[versioned(Value::Int32(1))], &value(""));
    // Otherwise the column is not looked at, and need not be there.
    check(&[option], &[versioned(Value::Int32(1)), row("{}")], &[out("string? '{}'"), out("string? '{}'")].join("\n"));
    check(&[option, place], &[row("{}")], "HW1003 transform outbox: version is not a valid field name");
    check(
        &[option, place],
        &[with(vec![("version", text(), t("1"))])],
        "HW1003 transform outbox: field 'version' is not of type int32 but string",
    );
}

#[test]
fn an_empty_payload_is_a_tombstone_where_that_is_asked_for() {
    let asked = ("route.tombstone.on.empty.payload", "true");
    let empty = |payload: Value| Change::create(columns(payload)).sample();
    for payload in [t(""), t("  "), t(" \n\t\u{1}"), Value::Null] {
        check(&[asked], &[empty(payload)], &out("- null"));
    }
    check(&[asked], &[row("{}")], &out("string? '{}'"));
    check(&[asked], &[row("\u{a0}")], &out("string? '\u{a0}'"));
    check(&[], &[row("")], &out("string? ''"));
    check(&[], &[empty(Value::Null)], &out("string? null"));
    check(&[asked], &[with(vec![("payload", bytes(), b(b""))])], &out("bytes 0x"));
    let place = ("table.fields.additional.placement", "type:envelope");
    check(&[asked, place], &[row("")], &out("- null"));
    check(&[place], &[row("")], &out("{payload string?, type string}(srv.shop.outbox.User.Value) {'', 'UserCreated'}"));
}

#[test]
fn json_becomes_structured_data_where_that_is_asked_for() {
    let expand = ("table.expand.json.payload", "true");
    let object = r#"{"fullName":"John Doe","enabled":true,"rating":4.9,"age":42}"#;
    check(&[], &[row(object)], &out(&format!("string? '{object}'")));
    let schema = "{fullName string?, enabled boolean?, rating double?, age int32?}?(payload)";
    let value = "{'John Doe', true, 4.9, 42}";
    check(
        &[expand],
        &[row(object), row(object)],
        &[out(&format!("{schema} {value}")), out(&format!("{schema} {value}"))].join("\n"),
    );
    check(
        &[expand, ("table.fields.additional.placement", "type:envelope")],
        &[row(object)],
        &out(&format!("{{payload {schema}, type string}}(srv.shop.outbox.User.Value) {{{value}, 'UserCreated'}}")),
    );
    let body = [expand, ("table.field.event.payload", "body")];
    check(&body, &[with(vec![("body", text(), t("{\"a\":{}}"))])], &out("{a {}?(body.a)}?(body) {{}}"));
    check(&[expand], &[Change::create(columns(Value::Null)).sample()], &out("string? null"));
    check(&[expand], &[with(vec![("payload", bytes(), b(b"{}"))])], &out("bytes 0x7b7d"));
    for text in ["", "null", "\"a\"", "{\"a\":", "[1,\"a\"]", " {}", "[{\"a\":1}]", "{\"a\":[1,2.5]}"] {
        check(&[expand], &[row(text)], &out(&format!("string? '{text}'")));
    }
    check(&[expand], &[row("[]")], &out("- '[]'"));
    let tombstones = ("route.tombstone.on.empty.payload", "true");
    check(&[expand, tombstones], &[row("")], &out("- null"));
    let nulls = ("table.json.payload.null.behavior", "optional_bytes");
    check(&[expand, nulls], &[row("{\"a\":null}")], &out("{a bytes?}?(payload) {null}"));
    let lists = ("table.json.payload.empty.array.behavior", "optional_string");
    check(&[expand, lists], &[row("{\"a\":[]}")], &out("{a [string?]?}?(payload) {[]}"));
    let names = ("field.name.adjustment.mode", "avro");
    check(&[expand, names], &[row("{\"a-b\":1}")], &out("{a_b int32?}?(payload) {1}"));
}

#[test]
fn tracing_options_are_taken_and_do_nothing() {
    let options = [
        ("tracing.span.context.field", "ctx"),
        ("tracing.operation.name", "op"),
        ("tracing.with.context.field.only", "true"),
    ];
    check(&options, &[row("{}")], &out("string? '{}'"));
}

#[test]
fn versions_of_a_table_are_told_apart() {
    let wider = with(vec![("payload", Schema::new(Kind::Int32), Value::Int32(1)), ("extra", int(), Value::Int32(0))]);
    check(&[], &[row("{}"), wider, row("{}")], &[out("string? '{}'"), out("int32 1"), out("string? '{}'")].join("\n"));
}
