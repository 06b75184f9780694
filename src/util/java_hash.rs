//! The order in which Java's hash maps and hash sets of texts give out their entries.
//!
//! Debezium keeps the tables of a transaction and of a statement in such collections, and writes them in that order.
//! Source: `java.util.HashMap` and `String.hashCode` of the JDK. Trees in crowded buckets are left out: they need
//! eight entries of one bucket.

/// Entries of a new map before it grows.
const FIRST_CAPACITY: usize = 16;

/// `String.hashCode`.
fn hash_code(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// Puts distinct items, given in the order of their insertion, into the order of a hash map by their texts.
pub fn sort_as_hash_map<T>(items: &mut [T], text: impl Fn(&T) -> String) {
    let mut capacity = FIRST_CAPACITY;
    while items.len() > capacity / 4 * 3 {
        capacity *= 2;
    }
    items.sort_by_cached_key(|item| {
        let hash = hash_code(&text(item)) as u32;
        (hash ^ (hash >> 16)) as usize & (capacity - 1)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inserted: &[&str], expected: &[&str]) {
        let mut items = inserted.to_vec();
        sort_as_hash_map(&mut items, |item| (*item).to_owned());
        assert_eq!(items, expected);
    }

    #[test]
    fn texts_come_in_the_order_of_java() {
        assert_eq!(hash_code("hello"), 99_162_322);
        // As Debezium 3.6.1 wrote them.
        check(&["par1.p_tmp", "par1.upper_b", "par1.parent"], &["par1.upper_b", "par1.parent", "par1.p_tmp"]);
        check(&["par1.afterdb", "par1.part"], &["par1.part", "par1.afterdb"]);
        check(&["par1.parent", "par1.gone"], &["par1.gone", "par1.parent"]);
        check(&["par1.keyed", "par1.nokey"], &["par1.nokey", "par1.keyed"]);
        check(&["par1.child", "par1.parent"], &["par1.parent", "par1.child"]);
    }
}
