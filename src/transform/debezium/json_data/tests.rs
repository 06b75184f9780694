//! The schemas and values that JSON suggests: one table of cases, one `check`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use super::super::testing::schema_text;
use super::*;
use crate::serialize::{Role, build};

const PLAIN: JsonOptions =
    JsonOptions { null_is_bytes: false, empty_list_is_strings: false, names: SchemaNameAdjustmentMode::None };

fn expand(options: JsonOptions, root: Option<&str>, text: &str) -> String {
    let (data, arena) = (JsonData::new(options), Arena::new());
    match data.expand(root, text, &arena) {
        Ok((schema, value)) => {
            let config = [("schemas.enable".to_owned(), "false".to_owned())].into();
            let json = build(&config, "JsonConverter", Role::Value, &Arc::default()).unwrap();
            let mut out = Vec::new();
            json.prepare("t", Some(schema)).unwrap().write(&value, &arena, &mut out).unwrap();
            format!("{} {}", schema_text(schema), String::from_utf8(out).unwrap())
        }
        Err(reason) => format!("{reason:?}"),
    }
}

#[track_caller]
fn check(options: JsonOptions, text: &str, expected: &str) {
    assert_eq!(expand(options, Some("p"), text), expected, "{text}");
}

#[test]
fn values_say_their_schema() {
    for (text, expected) in [
        ("{}", "{}?(p) {}"),
        (r#"{"a":"x","b":true}"#, r#"{a string?, b boolean?}?(p) {"a":"x","b":true}"#),
        (r#"{"a":2147483647,"b":2147483648}"#, r#"{a int32?, b int64?}?(p) {"a":2147483647,"b":2147483648}"#),
        (r#"{"a":1.0,"b":1e2}"#, r#"{a double?, b double?}?(p) {"a":1.0,"b":100.0}"#),
        (r#"{"a":null,"b":[],"c":1}"#, r#"{c int32?}?(p) {"c":1}"#),
        (r#"{"a":{"b":{"c":1}}}"#, r#"{a {b {c int32?}?(p.a.b)}?(p.a)}?(p) {"a":{"b":{"c":1}}}"#),
        (r#"{"a":[1,null,2]}"#, r#"{a [int32?]?}?(p) {"a":[1,null,2]}"#),
        (r#"{"a":[null,"x"]}"#, r#"{a [string?]?}?(p) {"a":[null,"x"]}"#),
        (r#"{"a":[{"b":1},{"b":2}]}"#, r#"{a [{b int32?}?(p.a)]?}?(p) {"a":[{"b":1},{"b":2}]}"#),
        (r#"{"a":[{"b":1},null]}"#, r#"{a [{b int32?}?(p.a)]?}?(p) {"a":[{"b":1},null]}"#),
        (r#"{"a":[[1],[2,3]]}"#, r#"{a [[int32?]?]?}?(p) {"a":[[1],[2,3]]}"#),
        (r#"{"a":[[{"b":{"c":1}}]]}"#, r#"{a [[{b {c int32?}?(b)}?]?]?}?(p) {"a":[[{"b":{"c":1}}]]}"#),
        (r#"{"a":{"":1}}"#, r#"{a { int32?}?(p.a)}?(p) {"a":{"":1}}"#),
        (r#"{"a":1,"b":2,"a":"z"}"#, r#"{a string?, b int32?}?(p) {"a":"z","b":2}"#),
    ] {
        check(PLAIN, text, expected);
    }
}

#[test]
fn unlike_elements_of_a_list_are_merged() {
    for (text, expected) in [
        (
            r#"{"a":[{"t":"dog","c":[]},{"t":"cat","c":[{"n":"white"}]}]}"#,
            r#"{a [{t string?, c [{n string?}?(p.a.c)]?}(p.a)]?}?(p) {"a":[{"t":"dog","c":[]},{"t":"cat","c":[{"n":"white"}]}]}"#,
        ),
        (
            r#"{"a":[{"x":1},{"y":"s"},{"x":2,"z":true}]}"#,
            r#"{a [{x int32?, y string?, z boolean?}(p.a)]?}?(p) {"a":[{"x":1,"y":null,"z":null},{"x":null,"y":"s","z":null},{"x":2,"y":null,"z":true}]}"#,
        ),
        (r#"{"a":[{"x":1},{"x":"s"}]}"#, r#"Unfit("elements of a list have fields of one name and different types")"#),
        (r#"{"a":[{"x":1},null,{"y":1}]}"#, r#"Unfit("a null among unlike elements of a list")"#),
        (r#"{"a":[[1],["x"]]}"#, r#"Unfit("elements of a list have fields of one name and different types")"#),
    ] {
        check(PLAIN, text, expected);
    }
    let bytes = JsonOptions { null_is_bytes: true, ..PLAIN };
    check(bytes, r#"{"a":[{"x":null},{"x":1}]}"#, r#"{a [{x int32?}(p.a)]?}?(p) {"a":[{"x":null},{"x":1}]}"#);
}

#[test]
fn what_has_no_schema_is_not_expanded() {
    for (text, expected) in [
        ("", r#"NoSchema("it begins with neither a brace nor a bracket")"#),
        ("x", r#"NoSchema("it begins with neither a brace nor a bracket")"#),
        ("{", r#"NoSchema("a name does not begin with a quote")"#),
        ("[]", "Nothing"),
        ("[1]", r#"Unfit("a list cannot be the whole of it")"#),
        (r#"{"a":[1,"x"]}"#, r#"NoSchema("a list holds values of different types")"#),
        (r#"{"a":[1,2147483648]}"#, r#"NoSchema("a list holds values of different types")"#),
        (r#"{"a":[1,1.5]}"#, r#"NoSchema("a list holds values of different types")"#),
        (r#"{"a":[null]}"#, r#"NoSchema("a list of what has no schema")"#),
        (r#"{"a":[[]]}"#, r#"NoSchema("a list of what has no schema")"#),
        (r#"{"a":12345678901234567890}"#, r#"Unfit("a whole number of more than 64 bits")"#),
    ] {
        check(PLAIN, text, expected);
    }
}

#[test]
fn nulls_and_empty_lists_are_kept_where_that_is_asked_for() {
    let bytes = JsonOptions { null_is_bytes: true, ..PLAIN };
    check(bytes, r#"{"a":null,"b":[null]}"#, r#"{a bytes?, b [bytes?]?}?(p) {"a":null,"b":[null]}"#);
    let strings = JsonOptions { empty_list_is_strings: true, ..PLAIN };
    check(strings, r#"{"a":[],"b":[[]]}"#, r#"{a [string?]?, b [[string?]?]?}?(p) {"a":[],"b":[[]]}"#);
}

#[test]
fn names_are_adjusted_and_keep_their_values() {
    let avro = JsonOptions { names: SchemaNameAdjustmentMode::Avro, ..PLAIN };
    let text = r#"{"a-b":{"c.d":1},"9x":2,"_y":3,"é":4}"#;
    let expected =
        r#"{a_b {c_d int32?}?(p.a_b), _9x int32?, _y int32?, _ int32?}?(p) {"a_b":{"c_d":1},"_9x":2,"_y":3,"_":4}"#;
    check(avro, text, expected);
    check(avro, r#"{"a-b":1,"a.b":"x"}"#, r#"{a_b int32?}?(p) {"a_b":1}"#);
    let unicode = JsonOptions { names: SchemaNameAdjustmentMode::AvroUnicode, ..PLAIN };
    check(
        unicode,
        r#"{"a-b_c":1,"😀":2}"#,
        r#"{a_u002db_u005fc int32?, _ud83d_ude00 int32?}?(p) {"a_u002db_u005fc":1,"_ud83d_ude00":2}"#,
    );
    // As Debezium pads: two zeros before one or two digits, none before three. A number that is no digit is not kept.
    check(unicode, "{\"a\u{151}\":1}", r#"{a_u151 int32?}?(p) {"a_u151":1}"#);
    check(avro, "{\"\u{b2}x\":1}", r#"{_x int32?}?(p) {"_x":1}"#);
}

#[test]
fn without_a_root_the_whole_has_no_name() {
    assert_eq!(expand(PLAIN, None, r#"{"a":{"b":1}}"#), r#"{a {b int32?}?(a)}? {"a":{"b":1}}"#);
}

#[test]
fn texts_of_one_shape_share_a_schema() {
    let (data, arena) = (JsonData::new(PLAIN), Arena::new());
    let schema = |text| data.expand(Some("p"), text, &arena).unwrap().0;
    assert!(Arc::ptr_eq(schema(r#"{"a":1,"b":"x"}"#), schema(r#"{ "a":2, "b":"" }"#)));
    for other in [r#"{"b":"x","a":1}"#, r#"{"a":1.5,"b":"x"}"#, r#"{"a":1}"#, r#"{"a":1,"b":"x","c":[]}"#] {
        let same = Arc::ptr_eq(schema(r#"{"a":1,"b":"x"}"#), schema(other));
        assert_eq!(same, other.contains("\"c\""), "{other}");
    }
}

/// Neither deep nor wide texts exhaust stack or memory, or take long.
#[test]
fn hostile_texts_are_bounded() {
    let deep = "{\"a\":".repeat(DEPTH_MAXIMUM - 1) + "{}" + &"}".repeat(DEPTH_MAXIMUM - 1);
    let deeper = "[".repeat(500_000);
    let unlike = |elements: usize, names: usize| {
        let element = |n: usize| {
            let names: Vec<String> = (0..names).map(|m| format!("\"k{n}_{m}\":1")).collect();
            format!("{{{}}}", names.join(","))
        };
        format!("{{\"a\":[{}]}}", (0..elements).map(element).collect::<Vec<_>>().join(","))
    };
    let (wide, too_wide) = (unlike(50, 50), unlike(400, 400));
    let run = move || {
        let started = std::time::Instant::now();
        assert!(expand(PLAIN, Some("p"), &deep).starts_with("{a {a "));
        let (data, arena) = (JsonData::new(PLAIN), Arena::new());
        let (schema, value) = data.expand(Some("p"), &deep, &arena).unwrap();
        let avro = crate::serialize::avro::plan_with_id(schema, 1).unwrap();
        assert!(crate::serialize::avro::schema_text(schema).unwrap().contains("\"p\""));
        assert!(avro.write(&value, &arena, &mut Vec::new()).unwrap());
        assert!(expand(PLAIN, Some("p"), &deeper).starts_with("NoSchema"));
        assert!(expand(PLAIN, Some("p"), &wide).starts_with("{a [{k0_0 int32?"));
        assert!(expand(PLAIN, Some("p"), &too_wide).starts_with("Unfit"));
        assert!(started.elapsed().as_secs() < 30);
    };
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(run).unwrap().join().unwrap();
}
