//! What becomes of envelopes and tombstones: one table of cases, one `check`.
#![allow(clippy::unwrap_used)]

use super::super::testing::*;
use crate::model::schema::{Kind, Schema};
use crate::model::value::Value;

const KEY: &str = "key {id string}(srv.shop.outbox.Key) {'k1'}";
const TOPIC: &str = "topic srv.shop.outbox";

#[track_caller]
fn check(options: &[(&str, &str)], samples: &[Sample], expected: &str) {
    let class = "io.debezium.transforms.ExtractNewRecordState";
    let mut config =
        vec![("transforms".to_owned(), "u".to_owned()), ("transforms.u.type".to_owned(), class.to_owned())];
    config.extend(options.iter().map(|(name, value)| (format!("transforms.u.{name}"), (*value).to_owned())));
    let config: Vec<(&str, &str)> = config.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(run(&config, samples).trim_end(), expected.join("\n"));
}

fn row(id: i32) -> Vec<Cell> {
    let defaulted = text().optional().default_value(t("none"));
    vec![("id", int(), Value::Int32(id)), ("name", text(), t("anna")), ("note", defaulted, Value::Null)]
}

/// The schema of the row as it comes out, with more fields.
fn unwrapped(more: &str) -> String {
    format!("{{id int32, name string, note string?='none'{more}}}(srv.shop.outbox.Value)")
}

/// A record as it comes out, with this value.
fn out(value: &str) -> String {
    format!("{TOPIC}\n{KEY}\nvalue {value}\n")
}

fn create() -> Sample {
    Change::create(row(1)).sample()
}

fn update() -> Sample {
    Change::update(row(1), row(2)).sample()
}

fn delete() -> Sample {
    Change::delete(row(1)).sample()
}

fn truncate() -> Sample {
    let none: [Option<Vec<Cell>>; 2] = [None, None];
    let [before, after] = none;
    Change { operation: "t", before, after, transaction: false }.sample()
}

/// The null of a delete, with the schema of rows.
fn null() -> String {
    out("{id int32, name string, note string?='none'}?(srv.shop.outbox.Value) null")
}

const MODE: &str = "delete.tombstone.handling.mode";

#[test]
fn the_row_is_the_value() {
    check(&[], &[create()], &out(&format!("{} {{1, 'anna', null}}", unwrapped(""))));
    check(&[], &[update()], &out(&format!("{} {{2, 'anna', null}}", unwrapped(""))));
    let read = Change { operation: "r", ..Change::create(row(3)) };
    check(&[], &[read.sample()], &out(&format!("{} {{3, 'anna', null}}", unwrapped(""))));
    let with_header = create().header("h", long(), Value::Int64(1));
    check(&[], &[with_header], &out(&format!("{} {{1, 'anna', null}}\nheader h int64 1", unwrapped(""))));
}

#[test]
fn what_is_no_envelope_passes() {
    let (schema, value) = structure(&[("ts_ms", long(), Value::Int64(1))]);
    check(&[], &[Sample::of(schema.clone().named("io.debezium.connector.common.Heartbeat"), value.clone())], "passed");
    check(
        &[("add.headers", "op")],
        &[Sample::of(schema.clone().named("a.SchemaChangeValue"), value.clone())],
        "passed",
    );
    check(&[], &[Sample::of(schema.clone(), value.clone())], "passed");
    check(&[], &[Sample::of(schema.named("x.Envelope"), value)], "HW1003 transform u: unknown field: after");
}

#[test]
fn deletes_tombstones_and_truncates_are_treated_as_the_mode_says() {
    let rewritten = |id: i32, deleted: &str| {
        out(&format!("{} {{{id}, 'anna', 'none', '{deleted}'}}", unwrapped(", __deleted string?")))
    };
    let passed = "passed\n".to_owned();
    let dropped = "dropped\n".to_owned();
    for (mode, of_delete, of_tombstone, of_create) in [
        ("drop", dropped.clone(), dropped.clone(), None),
        ("tombstone", null(), dropped.clone(), None),
        ("Tombstone", null(), dropped.clone(), None),
        ("delete-to-tombstone", out("- null"), dropped.clone(), None),
        ("rewrite", rewritten(1, "true"), dropped.clone(), Some(rewritten(1, "false"))),
        ("rewrite-with-tombstone", rewritten(1, "true"), passed.clone(), Some(rewritten(1, "false"))),
    ] {
        let of_create = of_create.unwrap_or_else(|| out(&format!("{} {{1, 'anna', null}}", unwrapped(""))));
        let expected = [of_create, of_delete, of_tombstone, dropped.clone()].concat();
        check(&[(MODE, mode)], &[create(), delete(), Sample::tombstone(), truncate()], &expected);
    }
    check(&[], &[delete(), Sample::tombstone(), truncate()], &[null(), dropped.clone(), dropped].concat());
    for mode in ["none", "invalid"] {
        let takes = "drop, tombstone, rewrite, rewrite-with-tombstone or delete-to-tombstone";
        check(&[(MODE, mode)], &[], &format!("refused: transform u: {MODE}={mode} is not {takes}"));
    }
}

#[test]
fn options_of_debezium_2_mean_what_they_meant() {
    let rewritten = || out(&format!("{} {{1, 'anna', 'none', 'true'}}", unwrapped(", __deleted string?")));
    let (passed, dropped) = ("passed\n".to_owned(), "dropped\n".to_owned());
    for (options, of_delete, of_tombstone) in [
        (vec![("drop.tombstones", "true")], dropped.clone(), dropped.clone()),
        (vec![("drop.tombstones", "false")], dropped.clone(), passed.clone()),
        (vec![("delete.handling.mode", "none")], null(), dropped.clone()),
        (vec![("delete.handling.mode", "none"), ("drop.tombstones", "false")], null(), passed.clone()),
        (vec![("delete.handling.mode", "drop"), ("drop.tombstones", "false")], dropped.clone(), passed.clone()),
        (vec![("delete.handling.mode", "rewrite")], rewritten(), dropped.clone()),
        (vec![("delete.handling.mode", "REWRITE"), ("drop.tombstones", "false")], rewritten(), passed.clone()),
        // Today's name counts more.
        (
            vec![("delete.handling.mode", "none"), ("drop.tombstones", "false"), (MODE, "drop")],
            dropped.clone(),
            dropped,
        ),
    ] {
        check(&options, &[delete(), Sample::tombstone()], &[of_delete, of_tombstone].concat());
    }
    check(
        &[("delete.handling.mode", "no")],
        &[],
        "refused: transform u: delete.handling.mode=no is not drop, none or rewrite",
    );
}

#[test]
fn defaults_stand_for_null_where_rows_are_rewritten() {
    let rewritten = |note: &str| out(&format!("{} {{1, 'anna', {note}, 'false'}}", unwrapped(", __deleted string?")));
    check(&[(MODE, "rewrite")], &[create()], &rewritten("'none'"));
    check(&[(MODE, "rewrite"), ("replace.null.with.default", "false")], &[create()], &rewritten("null"));
    check(
        &[("replace.null.with.default", "true")],
        &[create()],
        &out(&format!("{} {{1, 'anna', null}}", unwrapped(""))),
    );
}

#[test]
fn fields_of_the_envelope_are_added_to_the_value() {
    let added = |fields: &str, values: &str| out(&format!("{} {{1, 'anna', null{values}}}", unwrapped(fields)));
    let in_transaction = || Change { transaction: true, ..Change::create(row(1)) }.sample();
    for (list, fields, values) in [
        ("op", ", __op string?", ", 'c'"),
        ("ts_ms", ", __ts_ms int64?", ", 1000"),
        ("ts_us,ts_ns", ", __ts_us int64?, __ts_ns int64?", ", 1000001, 1000001002"),
        ("op , table,connector", ", __op string?, __table string?, __connector string?", ", 'c', 'outbox', 'mysql'"),
        ("source.ts_ms", ", __source_ts_ms int64?", ", 900"),
        ("op:OP,source.ts_ms:AT", ", __OP string?, __AT int64?", ", 'c', 900"),
        // Without its default.
        ("snapshot", ", __snapshot string?(io.debezium.data.Enum)", ", null"),
        ("query", ", __query string?", ", null"),
        ("nowhere,source.nothing,op", ", __op string?", ", 'c'"),
        ("id,total_order", ", __id string?, __total_order int64?", ", null, null"),
        ("transaction.id", ", __transaction_id string?", ", null"),
        ("", "", ""),
    ] {
        check(&[("add.fields", list)], &[create()], &added(fields, values));
    }
    check(
        &[("add.fields", "id,transaction.total_order,data_collection_order")],
        &[in_transaction()],
        &added(", __id string?, __transaction_total_order int64?, __data_collection_order int64?", ", 'tx-1', 7, 3"),
    );
    check(&[("add.fields", "op"), ("add.fields.prefix", "")], &[create()], &added(", op string?", ", 'c'"));
    check(&[("add.fields", "op:x"), ("add.fields.prefix", "my.")], &[create()], &added(", my.x string?", ", 'c'"));
    let refused = |list: &str| format!("refused: transform u: add.fields: unexpected field name {list}");
    check(&[("add.fields", "a:b:c")], &[], &refused("a:b:c"));
    for (list, reason) in [
        ("nosuch.field", "the envelope has no nosuch to add field of"),
        ("op,op", "cannot create field __op twice in one struct"),
        ("transaction", "__transaction is a struct and cannot be added to the value"),
    ] {
        check(&[("add.fields", list)], &[create()], &format!("HW1003 transform u: {reason}"));
    }
    // Rows of any operation get them, and the null of a delete does not.
    let row = |id: i32, op: &str| out(&format!("{} {{{id}, 'anna', null, '{op}'}}", unwrapped(", __op string?")));
    check(&[("add.fields", "op")], &[create(), update(), delete()], &[row(1, "c"), row(2, "u"), null()].concat());
}

#[test]
fn fields_are_added_to_rewritten_deletes() {
    let added = |fields: &str, values: &str| {
        out(&format!("{} {{1, 'anna', 'none', 'true'{values}}}", unwrapped(&format!(", __deleted string?{fields}"))))
    };
    for (list, fields, values) in [
        ("op", ", __op string?", ", 'd'"),
        ("op,table,source.ts_ms", ", __op string?, __table string?, __source_ts_ms int64?", ", 'd', 'outbox', 900"),
    ] {
        check(&[("add.fields", list), (MODE, "rewrite")], &[delete()], &added(fields, values));
    }
    let both = [added(", __op string?", ", 'd'"), "passed\n".to_owned()].concat();
    check(&[("add.fields", "op"), (MODE, "rewrite-with-tombstone")], &[delete(), Sample::tombstone()], &both);
}

#[test]
fn fields_of_the_envelope_are_added_as_headers() {
    let plain = || out(&format!("{} {{1, 'anna', null}}", unwrapped("")));
    let with = |headers: &str| format!("{}{headers}", plain());
    for (list, headers) in [
        ("op", "header __op string? 'c'"),
        ("op,source.ts_ms:AT", "header __op string? 'c'\nheader __AT int64? 900"),
        ("id", "header __id string? null"),
        ("nowhere", ""),
        ("op,op", "header __op string? 'c'\nheader __op string? 'c'"),
    ] {
        check(&[("add.headers", list)], &[create()], &with(headers));
    }
    check(&[("add.headers", "op"), ("add.headers.prefix", "x-")], &[create()], &with("header x-op string? 'c'"));
    let before = create().header("h", text(), t("first"));
    check(&[("add.headers", "op")], &[before], &with("header h string 'first'\nheader __op string? 'c'"));
    check(&[("add.headers", "op")], &[delete()], &format!("{}header __op string? 'd'", null()));
    // Of a tombstone only the operation is known.
    let tombstone = out("- null\nheader __op string 'd'");
    check(&[("add.headers", "table,op"), (MODE, "rewrite-with-tombstone")], &[Sample::tombstone()], &tombstone);
    check(&[("add.headers", "table,op")], &[Sample::tombstone()], "dropped");
}

#[test]
fn a_column_can_say_the_topic() {
    let route = ("route.by.field", "name");
    let routed = |sample: Vec<Cell>, mode: &str, expected: &str| {
        check(&[route, (MODE, mode)], &[Change::create(sample).sample()], expected)
    };
    let to = |topic: &str, lines: String| lines.replace("srv.shop.outbox\n", &format!("{topic}\n"));
    let plain = |id: i32| out(&format!("{} {{{id}, 'anna', null}}", unwrapped("")));
    routed(row(1), "tombstone", &to("anna", plain(1)));
    check(&[route], &[update()], &to("anna", plain(2)));
    check(&[route], &[delete()], &to("anna", null()));
    check(&[route, (MODE, "delete-to-tombstone")], &[delete()], &to("anna", out("- null")));
    check(&[route, (MODE, "drop")], &[delete()], "dropped");
    // Null and blank leave the topic, and a default counts only where rows are rewritten.
    check(&[("route.by.field", "note")], &[create()], &plain(1));
    let rewritten = out(&format!("{} {{1, 'anna', 'none', 'false'}}", unwrapped(", __deleted string?")));
    check(&[("route.by.field", "note"), (MODE, "rewrite")], &[create()], &to("none", rewritten));
    let mut blank = row(1);
    blank[1].2 = t(" ");
    routed(blank, "tombstone", &plain(1).replace("'anna'", "' '"));
    check(&[("route.by.field", "nowhere")], &[create()], "HW1003 transform u: nowhere is not a valid field name");
    check(&[("route.by.field", "id")], &[create()], "HW1003 transform u: field 'id' is not of type string but int32");
}

fn listed(sample: Sample, names: &[&str]) -> Sample {
    let list = Schema::new(Kind::Array(text().into()));
    sample.header("drop", list, Value::Array(names.iter().map(|name| t(name)).collect()))
}

#[test]
fn fields_in_a_header_are_dropped() {
    let header = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        format!("header drop [string] [{}]\n", names.join(", "))
    };
    let by = ("drop.fields.header.name", "drop");
    let record =
        |key: &str, value: &str, names: &[&str]| format!("{TOPIC}\nkey {key}\nvalue {value}\n{}", header(names));
    let key = "{id string}(srv.shop.outbox.Key) {'k1'}";
    // Only optional fields, with the schema as it must be for others to read it.
    let names = ["id", "note", "nowhere"];
    let short = "{id int32, name string}(srv.shop.outbox.Value) {1, 'anna'}";
    check(&[by], &[listed(create(), &names)], &record(key, short, &names));
    let whole = format!("{} {{1, 'anna', null}}", unwrapped(""));
    check(&[by], &[listed(create(), &["id"])], &record(key, &whole, &["id"]));
    check(&[by, ("drop.fields.from.key", "true")], &[listed(create(), &["id"])], &record(key, &whole, &["id"]));
    check(&[by], &[listed(create(), &[])], &record(key, &whole, &[]));
    check(&[by], &[create()], &out(&whole));
    check(&[], &[listed(create(), &names)], &record(key, &whole, &names));
    // All that are listed.
    let free = ("drop.fields.keep.schema.compatible", "false");
    let shorter = "{name string}(srv.shop.outbox.Value) {'anna'}";
    check(&[by, free], &[listed(create(), &names)], &record(key, shorter, &names));
    let no_key = "{}(srv.shop.outbox.Key) {}";
    check(&[by, free, ("drop.fields.from.key", "true")], &[listed(create(), &names)], &record(no_key, shorter, &names));
    // Nothing to drop: made anew all the same, with defaults.
    let anew = format!("{} {{1, 'anna', 'none'}}", unwrapped(""));
    check(&[by, free], &[listed(create(), &["nowhere"])], &record(key, &anew, &["nowhere"]));
    // What is added to an insert can be dropped, too; what is added to a delete cannot.
    let added = ("add.fields", "op");
    let list = ["note", "__op"];
    check(&[by, added], &[listed(create(), &list)], &record(key, short, &list));
    let deleted =
        "{id int32, name string, __deleted string?, __op string?}(srv.shop.outbox.Value) {1, 'anna', 'true', 'd'}";
    check(&[by, added, (MODE, "rewrite")], &[listed(delete(), &list)], &record(key, deleted, &list));
    check(
        &[by, free, ("drop.fields.from.key", "true")],
        &[listed(delete(), &["id"])],
        &record(no_key, "{id int32, name string, note string?='none'}?(srv.shop.outbox.Value) null", &["id"]),
    );
    let wrong = create().header("drop", text(), t("id"));
    check(&[by], &[wrong], "HW1003 transform u: the header drop is not a list of fields");
    let null = create().header("drop", text().optional(), Value::Null);
    check(&[by], &[null], &format!("{}header drop string? null", out(&whole)));
}
