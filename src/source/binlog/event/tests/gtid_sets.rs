//! Promise: GTID sets read, print, encode and compare as the servers' own do.

use proptest::prelude::*;

use super::super::*;

const A: &str = "11111111-1111-1111-1111-111111111111";
const B: &str = "22222222-2222-2222-2222-222222222222";

fn set(text: &str) -> MysqlGtidSet {
    text.replace('A', A).replace('B', B).parse().unwrap()
}

#[track_caller]
fn check_text(text: &str, expected: &str) {
    let parsed = set(text);
    assert_eq!(parsed.to_string(), expected.replace('A', A).replace('B', B));
    let mut encoded = Vec::new();
    parsed.encode(&mut encoded);
    assert_eq!(MysqlGtidSet::decode(&encoded).unwrap(), parsed);
}

#[test]
fn mysql_text() {
    check_text("", "");
    check_text(" \n", "");
    check_text("A:1", "A:1");
    check_text("A:1-1", "A:1");
    check_text("A:1-5", "A:1-5");
    check_text("A:1-5:6-9", "A:1-9");
    check_text("A:7:1-3:5", "A:1-3:5:7");
    check_text("A:1-5:3-9:20", "A:1-9:20");
    check_text("B:1,A:2", "A:2,B:1");
    check_text("A:1-5,\nB:1-3,\n", "A:1-5,B:1-3");
    check_text(" A : 1 - 5 : 7 , B:1", "A:1-5:7,B:1");
    check_text("A:1,A:2", "A:1-2");
    check_text("A:tag:1-3", "A:tag:1-3");
    check_text("A:1-5:Tag:1-3:7:_other:2", "A:1-5:_other:2:tag:1-3:7");
    check_text("A:tag:1:1-5", "A:tag:1-5");
    check_text("A:9223372036854775806", "A:9223372036854775806");
    let upper: MysqlGtidSet = "ABCDEF00-1111-1111-1111-11111111111F:1".parse().unwrap();
    assert_eq!(upper.to_string(), "abcdef00-1111-1111-1111-11111111111f:1");
    let dashless: MysqlGtidSet = "abcdef0011111111111111111111111f:1".parse().unwrap();
    assert_eq!(upper, dashless);
}

#[test]
fn what_is_no_mysql_text() {
    for text in [
        "A",
        "A:",
        "A:x y:1",
        "A:0",
        "A:5-1",
        "A:1-",
        "A:-1",
        "A:9223372036854775807",
        "1-2-3",
        "A:tag",
        "A1:1",
        "A:1;B:1",
        "A:a_tag_that_is_longer_than_thirty_two_characters:1",
    ] {
        let text = text.replace('A', A).replace('B', B);
        assert!(matches!(text.parse::<MysqlGtidSet>(), Err(EventError::GtidText { .. })), "{text}");
    }
}

/// From `Gtid_set::encode`: number of servers, then for each UUID, number of intervals, start and end beyond.
#[test]
fn mysql_encoding() {
    let mut encoded = Vec::new();
    set("A:1-5:7").encode(&mut encoded);
    let mut expected = vec![1, 0, 0, 0, 0, 0, 0, 0];
    expected.extend([0x11; 16]);
    for number in [2_u64, 1, 6, 7, 8] {
        expected.extend(number.to_le_bytes());
    }
    assert_eq!(encoded, expected);
    encoded.clear();
    set("A:tag:1").encode(&mut encoded);
    let mut expected = vec![1, 1, 0, 0, 0, 0, 0, 1];
    expected.extend([0x11; 16]);
    expected.extend([6, b't', b'a', b'g']);
    for number in [1_u64, 1, 2] {
        expected.extend(number.to_le_bytes());
    }
    assert_eq!(encoded, expected);
}

#[test]
fn mysql_comparisons() {
    #[track_caller]
    fn check(left: &str, right: &str, subset: bool, rest: &str) {
        assert_eq!(set(left).is_subset_of(&set(right)), subset);
        assert_eq!(set(left).subtract(&set(right)), set(rest));
    }
    check("", "", true, "");
    check("", "A:1", true, "");
    check("A:1", "", false, "A:1");
    check("A:2-4", "A:1-9", true, "");
    check("A:1-9", "A:2-4", false, "A:1:5-9");
    check("A:1-9", "A:2:4:6-20", false, "A:1:3:5");
    check("A:1-9,B:1", "A:1-9", false, "B:1");
    check("A:tag:1", "A:1", false, "A:tag:1");
    let mut set = set("A:1-3");
    let uuid = Uuid::parse(A).unwrap();
    assert!(set.contains(uuid, Tag::NONE, 3) && !set.contains(uuid, Tag::NONE, 4));
    assert!(!set.contains(uuid, Tag::new("tag").unwrap(), 3));
    set.add(uuid, Tag::NONE, 4);
    set.add(uuid, Tag::NONE, 0);
    assert_eq!((set.to_string(), set.count()), (format!("{A}:1-4"), 4));
}

#[test]
fn mariadb_positions() {
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let parsed = text.parse::<MariadbGtidSet>();
        assert_eq!(parsed.ok().map(|set| set.to_string()).as_deref(), expected, "{text}");
    }
    check("", Some(""));
    check("0-1-24", Some("0-1-24"));
    check("1-2-3, 0-1-24,\n0-555555-9709", Some("0-555555-9709,1-2-3"));
    check("4294967295-4294967295-18446744073709551615", Some("4294967295-4294967295-18446744073709551615"));
    for wrong in
        ["0-1", "0-1-2-3", "a-1-2", "0-1-+2", "0--2", ",", "0-1-2,", "4294967296-1-1", "0-1-18446744073709551616"]
    {
        check(wrong, None);
    }
    let position: MariadbGtidSet = "0-1-24,1-2-3".parse().unwrap();
    let behind: MariadbGtidSet = "0-9-23".parse().unwrap();
    assert!(behind.is_subset_of(&position) && !position.is_subset_of(&behind));
    let mut moved = position.clone();
    moved.update(MariadbGtid { domain_id: 0, server_id: 7, sequence: 25 });
    moved.retain_domains(|domain| domain == 0);
    assert_eq!(moved.to_string(), "0-7-25");
    assert!(moved.contains(MariadbGtid { domain_id: 0, server_id: 1, sequence: 25 }));
}

proptest! {
    /// Against a plain set of numbers.
    #[test]
    fn mysql_sets_are_sets(left in numbers(), right in numbers()) {
        let (mut ours, other) = (of(&left), of(&right));
        let text = ours.to_string();
        prop_assert_eq!(&text.parse::<MysqlGtidSet>().unwrap(), &ours);
        let difference: std::collections::BTreeSet<_> = left.difference(&right).copied().collect();
        prop_assert_eq!(ours.subtract(&other), of(&difference));
        prop_assert_eq!(ours.is_subset_of(&other), left.is_subset(&right));
        prop_assert_eq!(ours.count(), left.len() as u64);
        ours.union(&other);
        let union: std::collections::BTreeSet<_> = left.union(&right).copied().collect();
        prop_assert_eq!(ours, of(&union));
    }
}

fn numbers() -> impl Strategy<Value = std::collections::BTreeSet<u64>> {
    proptest::collection::btree_set(1_u64..40, 0..25)
}

fn of(numbers: &std::collections::BTreeSet<u64>) -> MysqlGtidSet {
    let mut set = MysqlGtidSet::new();
    // from both ends, so that joining to the left, to the right and between is met
    let mut numbers: std::collections::VecDeque<_> = numbers.iter().copied().collect();
    while let Some(number) = numbers.pop_front() {
        set.add(Uuid::parse(A).unwrap(), Tag::NONE, number);
        if let Some(number) = numbers.pop_back() {
            set.add(Uuid::parse(A).unwrap(), Tag::NONE, number);
        }
    }
    set
}
