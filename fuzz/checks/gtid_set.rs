//! GTID sets, as text and as bytes.

use headwater::source::binlog::event::{MariadbGtidSet, MysqlGtidSet};

/// The bytes as each kind of set: what can be read is printed, encoded and read again unchanged.
pub fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(set) = text.parse::<MysqlGtidSet>() {
            again(&set);
        }
        if let Ok(set) = text.parse::<MariadbGtidSet>() {
            assert_eq!(set.to_string().parse::<MariadbGtidSet>(), Ok(set));
        }
    }
    if let Ok(set) = MysqlGtidSet::decode(bytes) {
        again(&set);
    }
}

fn again(set: &MysqlGtidSet) {
    assert_eq!(set.to_string().parse::<MysqlGtidSet>().as_ref(), Ok(set));
    let mut encoded = Vec::new();
    set.encode(&mut encoded);
    assert_eq!(MysqlGtidSet::decode(&encoded).as_ref(), Ok(set));
    assert!(set.is_subset_of(set) && set.subtract(set).is_empty());
}
