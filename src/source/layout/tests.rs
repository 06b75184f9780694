//! Which fields a layout has, and what masks do to them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::model::modes::HashVersion;
use crate::model::schema::Kind;
use crate::model::table::TableId;
use crate::model::value::{Arena, ValueError, ValueRef};
use crate::util::digest::Digest;

/// Gives the cell as text, `nothing` for null.
#[derive(Debug)]
struct Plain;

impl Codec for Plain {
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        std::str::from_utf8(cell).map(ValueRef::String).map_err(|_| ValueError::Shape)
    }

    fn null(&self) -> ValueRef<'_> {
        ValueRef::String("nothing")
    }
}

const VARCHAR: i32 = 12;
const INTEGER: i32 = 4;

fn table(columns: &[&str], key: &[&str]) -> Table {
    let column = |(index, name): (usize, &&str)| Column {
        name: (*name).into(),
        position: index as i32 + 1,
        jdbc_type: VARCHAR,
        type_name: "VARCHAR".into(),
        length: Some(100),
        ..Column::default()
    };
    Table {
        id: TableId::new("d", "t"),
        columns: columns.iter().enumerate().map(column).collect(),
        primary_key: key.iter().map(|name| (*name).into()).collect(),
        default_charset_name: None,
        comment: None,
    }
}

fn layout(table: &Table, options: &LayoutOptions) -> Result<(TableLayout, Vec<String>), LayoutError> {
    let mut asked = Vec::new();
    let layout = table_layout(table, options, |_, column| {
        asked.push(column.name.clone());
        let schema = Arc::new(Schema::new(Kind::String));
        Ok::<_, LayoutError>(Some(ColumnParts { schema, value: Arc::new(Plain), key: Arc::new(Plain), sql: None }))
    })?;
    Ok((layout, asked))
}

fn list(text: &str) -> RegexList {
    RegexList::parse(text).unwrap()
}

fn names(columns: &[ColumnLayout]) -> Vec<(&str, usize)> {
    columns.iter().map(|column| (&*column.name, column.cell)).collect()
}

#[test]
fn filters_leave_the_key_alone() {
    let check = |include: Option<&str>, exclude: Option<&str>, value: &[(&str, usize)], asked: &[&str]| {
        let columns = CompiledFilter { include: include.map(list), exclude: exclude.map(list) };
        let options = LayoutOptions { columns, ..LayoutOptions::default() };
        let (layout, found) = layout(&table(&["a", "b", "c"], &["b"]), &options).unwrap();
        assert_eq!((names(&layout.columns), names(&layout.key)), (value.to_vec(), vec![("b", 1)]));
        assert_eq!(found, asked);
        assert_eq!(layout.cells, 3);
    };
    check(None, None, &[("a", 0), ("b", 1), ("c", 2)], &["a", "b", "c"]);
    check(Some("d.t.(a|b)"), None, &[("a", 0), ("b", 1)], &["a", "b"]);
    check(None, Some("D[.]T[.]b"), &[("a", 0), ("c", 2)], &["a", "b", "c"]);
    check(Some("d.t.c"), None, &[("c", 2)], &["b", "c"]);
}

#[test]
fn keys_of_ones_own_choice() {
    let check = |expressions: &[&str], key: &[(&str, usize)]| {
        let key_columns = expressions.iter().map(|text| list(text)).collect();
        let options = LayoutOptions { key_columns, ..LayoutOptions::default() };
        let (layout, _) = layout(&table(&["a", "b", "c"], &["c", "a"]), &options).unwrap();
        assert_eq!(names(&layout.key), key);
    };
    check(&[], &[("c", 2), ("a", 0)]);
    check(&["d.t.b", "d.t.a", "d.t.b"], &[("b", 1), ("a", 0)]);
    check(&["d.other.b"], &[("c", 2), ("a", 0)]);
    check(&["d.t.[ab]"], &[("a", 0), ("b", 1)]);
}

#[test]
fn a_broken_key_or_a_name_taken_twice_is_an_error() {
    let error = layout(&table(&["a"], &["x"]), &LayoutOptions::default()).map(|_| ());
    assert!(matches!(error, Err(LayoutError::KeyColumn { .. })));
    let options = LayoutOptions { field_names: SchemaNameAdjustmentMode::Avro, ..LayoutOptions::default() };
    let error = layout(&table(&["a-b", "a b"], &[]), &options).map(|_| ());
    assert!(matches!(error, Err(LayoutError::DuplicateField { .. })));
}

#[test]
fn versions_are_never_used_again() {
    let table = table(&["a"], &[]);
    let version = || layout(&table, &LayoutOptions::default()).unwrap().0.version;
    let (first, second) = (version(), version());
    assert!(second > first && first > 0);
}

fn masked(mask: Mask, jdbc_type: i32, length: Option<i32>) -> ColumnLayout {
    let mut table = table(&["a"], &["a"]);
    table.columns[0].jdbc_type = jdbc_type;
    table.columns[0].length = length;
    let rules = vec![ColumnRule { columns: list("d.t.a"), mask }];
    let (layout, _) = layout(&table, &LayoutOptions { rules, ..LayoutOptions::default() }).unwrap();
    assert!(layout.key[0].schema.parameters.is_empty(), "a key is never masked");
    layout.columns[0].clone()
}

fn check(mask: Mask, length: Option<i32>, cell: &str, parameter: Option<(&str, &str)>, expected: &str) {
    let column = masked(mask, VARCHAR, length);
    let arena = Arena::new();
    let value = column.codec.decode(cell.as_bytes(), &arena);
    assert!(matches!(value, Ok(ValueRef::String(text)) if text == expected), "{cell}: not {expected}");
    let parameters = column.schema.parameters.iter().map(|(name, value)| (&**name, &**value)).next();
    assert_eq!(parameters, parameter);
}

#[test]
fn truncation_counts_as_java_does() {
    let parameter = Some(("truncateLength", "2"));
    check(Mask::Truncate(2), Some(100), "abc", parameter, "ab");
    check(Mask::Truncate(2), Some(100), "äöü", parameter, "äö");
    check(Mask::Truncate(2), Some(100), "😀x", parameter, "😀");
    check(Mask::Truncate(2), Some(100), "x😀", parameter, "x?");
    check(Mask::Truncate(2), None, "abc", parameter, "ab");
    check(Mask::Truncate(2), Some(2), "ab", None, "ab");
    assert!(matches!(masked(Mask::Truncate(2), VARCHAR, None).codec.null(), ValueRef::String("no")));
}

#[test]
fn asterisks_cover_text_and_only_text() {
    let parameter = Some(("masked", "true"));
    check(Mask::Asterisks(3), Some(100), "secret", parameter, "***");
    assert!(matches!(masked(Mask::Asterisks(2), VARCHAR, None).codec.null(), ValueRef::String("**")));
    let number = masked(Mask::Asterisks(2), INTEGER, None);
    assert_eq!(number.schema.parameter_value("masked"), Some("true"));
    assert!(matches!(number.codec.decode(b"7", &Arena::new()), Ok(ValueRef::String("7"))));
}

#[test]
fn hashes_are_javas() {
    let parameter = Some(("masked", "true"));
    let hash = |name: &str, version| Mask::Hash {
        digest: Digest::named(name).unwrap(),
        salt: b"abc".as_slice().into(),
        version,
    };
    // md5("abc" + "n"), and what Debezium wrote for the same.
    check(hash("MD5", HashVersion::V2), Some(100), "n", parameter, "8e8a199de744bfeb5dff2a8f2f02ec54");
    check(hash("md5", HashVersion::V2), Some(4), "n", parameter, "8e8a");
    // Java's serialization of "n\0ä": U+0000 has two bytes there.
    let serialized = b"abc\xac\xed\x00\x05\x74\x00\x05n\xc0\x80\xc3\xa4";
    let digest = openssl::hash::hash(openssl::hash::MessageDigest::sha256(), serialized).unwrap();
    let expected: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mask = hash("SHA-256", HashVersion::V1);
    check(mask.clone(), None, "n\0ä", parameter, &expected[..]);
    for name in Digest::names() {
        let column = masked(hash(name, HashVersion::V2), VARCHAR, None);
        let arena = Arena::new();
        assert!(matches!(column.codec.decode(b"x", &arena), Ok(ValueRef::String(text)) if text.len() >= 32), "{name}");
    }
    assert!(!format!("{mask:?}").contains("abc"), "a salt is a secret");
}

#[test]
fn propagated_types() {
    let check = |columns: Option<&str>, types: Option<&str>, expected: &[(&str, &str)]| {
        let options = LayoutOptions {
            propagate_columns: columns.map(list),
            propagate_types: types.map(list),
            ..LayoutOptions::default()
        };
        let mut table = table(&["a"], &["a"]);
        table.columns[0].scale = Some(2);
        table.columns[0].comment = Some("why".into());
        let (layout, _) = layout(&table, &options).unwrap();
        let parameters = layout.columns[0].schema.parameters.iter();
        let found: Vec<(String, String)> = parameters
            .map(|(name, value)| (name.trim_start_matches("__debezium.source.column.").into(), value.to_string()))
            .collect();
        let expected: Vec<(String, String)> = expected.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
        assert_eq!(found, expected);
        assert!(layout.key[0].schema.parameters.is_empty());
    };
    let all = [("type", "VARCHAR"), ("length", "100"), ("scale", "2"), ("comment", "why"), ("name", "a")];
    check(Some("d.t.a"), None, &all);
    check(None, Some("d.t.varchar"), &all);
    check(Some("d.t.b"), Some("d.t.INT"), &[]);
}
