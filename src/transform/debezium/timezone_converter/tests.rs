//! Times in, times out, as Debezium 3.6's converter has them.
#![allow(clippy::unwrap_used)]

use super::super::testing::*;
use crate::model::schema::Schema;
use crate::model::value::Value;

/// Settings beneath `transforms.z.`, a record, and its value's times behind the conversion.
#[track_caller]
fn check(options: &[(&str, &str)], sample: Sample, expected: &str) {
    let names: Vec<String> = options.iter().map(|(name, _)| format!("transforms.z.{name}")).collect();
    let mut config = vec![("transforms", "z"), ("transforms.z.type", "io.debezium.transforms.TimezoneConverter")];
    config.extend(names.iter().zip(options).map(|(name, (_, value))| (name.as_str(), *value)));
    let out = run(&config, &[sample]);
    let value = out.lines().find(|line| line.starts_with("value ")).unwrap_or(out.trim());
    let value = value.rsplit_once("v2) ").map_or(value, |(_, value)| value);
    assert_eq!(value, expected, "{options:?}");
}

/// What is said of a record in which nothing changes.
const SAME: &str = "passed";

fn time(schema: Schema, name: &str) -> Schema {
    schema.named(name).version(1)
}

fn zoned() -> Schema {
    time(text(), "io.debezium.time.ZonedTimestamp")
}

/// A row of the table `outbox` on the topic `srv.shop.outbox`.
fn row() -> Vec<Cell> {
    vec![
        ("a", zoned(), t("2018-01-02T11:15:30.12Z")),
        ("b", time(long(), "io.debezium.time.Timestamp").optional(), Value::Int64(1_514_908_810_123)),
    ]
}

/// What is around the row.
fn around(row: &str) -> String {
    format!(
        "{{null, {row}, {{'3.6.1.Final', 'mysql', 900, null, 'outbox', null}}, null, 'c', 1000, 1000001, 1000001002}}"
    )
}

const CHANGED: &str = "{'2018-01-02T16:45:30.12+05:30', 1514889010123}";
const OWN: &str = "{'2018-01-02T11:15:30.12Z', 1514908810123}";

#[test]
fn every_kind_of_time_is_converted() {
    let all = vec![
        ("s", zoned(), t("2018-01-02T11:15:30.123456789+00:00")),
        ("t", time(text(), "io.debezium.time.ZonedTime"), t("11:15:30.123456789+00:00")),
        ("milli", time(long(), "io.debezium.time.Timestamp"), Value::Int64(1_514_908_810_123)),
        ("micro", time(long(), "io.debezium.time.MicroTimestamp"), Value::Int64(1_529_507_596_945_104)),
        ("nano", time(long(), "io.debezium.time.NanoTimestamp"), Value::Int64(1_531_481_025_340_000_104)),
        ("before_1970", time(long(), "io.debezium.time.MicroTimestamp"), Value::Int64(-1)),
        ("connect", time(long(), "org.apache.kafka.connect.data.Timestamp"), Value::Int64(1_522_116_000_000)),
        ("date", time(int(), "io.debezium.time.Date"), Value::Int32(17_000)),
        ("clock", time(long(), "io.debezium.time.MicroTime"), Value::Int64(1)),
        ("number", long(), Value::Int64(5)),
        ("null", zoned().optional(), Value::Null),
        ("default", zoned().optional().default_value(t("2018-01-02T00:00:00Z")), Value::Null),
    ];
    let converted = "{'2018-01-02T16:45:30.123456789+05:30', '16:45:30.123456789+05:30', 1514889010123, \
                     1529487796945104, 1531461225340000104, -19800000001, 1522096200000, 17000, 1, 5, null, \
                     '2018-01-02T05:30:00+05:30'}";
    check(&[("converted.timezone", "+05:30")], Change::create(all).sample(), &around(converted));
}

#[test]
fn rows_before_and_after_are_converted() {
    let expected = around(CHANGED).replacen("null", CHANGED, 1).replace("'c'", "'u'");
    check(&[("converted.timezone", "Asia/Kolkata")], Change::update(row(), row()).sample(), &expected);
    let expected = around("null").replacen("null", CHANGED, 1).replace("'c'", "'d'");
    check(&[("converted.timezone", "Asia/Kolkata")], Change::delete(row()).sample(), &expected);
}

#[test]
fn lists_choose_tables_topics_and_fields() {
    let list = |option: &'static str, value: &str, row: &str| {
        let expected = if row == SAME { row.to_owned() } else { around(row) };
        check(&[("converted.timezone", "+05:30"), (option, value)], Change::create(self::row()).sample(), &expected);
    };
    let first = "{'2018-01-02T16:45:30.12+05:30', 1514908810123}";
    let second = "{'2018-01-02T11:15:30.12Z', 1514889010123}";
    for (value, included, excluded) in [
        ("source:outbox", CHANGED, SAME),
        ("source:other", SAME, CHANGED),
        ("topic:srv.shop.outbox", CHANGED, SAME),
        ("topic:outbox", SAME, CHANGED),
        ("source:outbox:a", first, second),
        ("topic:srv.shop.outbox:a", first, second),
        ("outbox:a", first, second),
        ("srv.shop.outbox:b", second, first),
        ("source:outbox:after.b", second, first),
        ("source:outbox:before.b", SAME, CHANGED),
        // The prefix of the first entry holds for those behind it.
        ("source:other:a, outbox:b", second, first),
        ("source:other,outbox", CHANGED, SAME),
        ("topic:other,outbox", SAME, CHANGED),
        // A topic counts before a table.
        ("source:outbox:a,x:y", first, second),
        ("SOURCE:outbox", CHANGED, SAME),
    ] {
        list("include.list", value, included);
        list("exclude.list", value, excluded);
    }
}

#[test]
fn the_source_block_is_converted_where_it_is_named() {
    let check = |option: &'static str, value: &str, row: &str, ts_ms: &str| {
        let expected = if row == SAME { row.to_owned() } else { around(row).replace("900", ts_ms) };
        check(
            &[("converted.timezone", "Europe/Moscow"), (option, value)],
            Change::create(self::row()).sample(),
            &expected,
        );
    };
    check("include.list", "source:outbox:source.ts_ms", OWN, "10800900");
    check("include.list", "source:outbox:ts_ms", SAME, "900");
    let moscow = "{'2018-01-02T14:15:30.12+03:00', 1514898010123}";
    check("exclude.list", "source:outbox:source.ts_ms", moscow, "900");
    check("exclude.list", "source:outbox:source.version", moscow, "10800900");
}

#[test]
fn other_records_pass() {
    let zone = [("converted.timezone", "UTC")];
    check(&zone, Sample::tombstone(), "passed");
    let (schema, value) = structure(&row());
    check(&zone, Sample::of(schema.named("srv.shop.outbox.Value"), value), "passed");
}

#[test]
fn what_is_no_time_is_an_error() {
    let bad = vec![("a", zoned(), t("yesterday"))];
    let error = "HW1003 transform z: field io.debezium.time.ZonedTimestamp: not a time with an offset";
    check(&[("converted.timezone", "UTC")], Change::create(bad).sample(), error);
    let bad = vec![("a", time(long(), "io.debezium.time.NanoTimestamp"), Value::Int64(i64::MAX))];
    let error = "HW1003 transform z: field io.debezium.time.NanoTimestamp: a time beyond what 64 bits hold";
    check(&[("converted.timezone", "-05:00")], Change::create(bad).sample(), error);
}

#[test]
fn what_cannot_be_used_is_refused() {
    let sample = || Change::create(row()).sample();
    let refused = |reason: &str| format!("refused: transform z: {reason}");
    check(&[], sample(), &refused("converted.timezone is not set"));
    let zone = "is not a time zone of IANA's (Europe/Paris) or an offset (+05:30)";
    check(&[("converted.timezone", "Asia")], sample(), &refused(&format!("converted.timezone=Asia {zone}")));
    check(&[("converted.timezone", "+19:00")], sample(), &refused(&format!("converted.timezone=+19:00 {zone}")));
    let both = [("converted.timezone", "UTC"), ("include.list", "a:b"), ("exclude.list", "a:b")];
    check(&both, sample(), &refused("include.list and exclude.list are both set"));
    for list in ["outbox", "source:a:b,source:c:d", "topic:a-b", "a:", "source:a:b:c"] {
        let format = "include.list is no list of source:TABLE, source:TABLE:FIELD, topic:TOPIC, topic:TOPIC:FIELD or \
                      NAME:FIELD, of which only the first may have three parts";
        check(&[("converted.timezone", "UTC"), ("include.list", list)], sample(), &refused(format));
    }
}
