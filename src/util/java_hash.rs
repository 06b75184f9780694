//! Java's hashes, and the order in which its hash maps and hash sets of texts give out their entries.
//!
//! Debezium keeps the tables of a transaction and of a statement in such collections, and writes them in that order.
//! Source: `java.util.HashMap` and `String.hashCode` of the JDK. Trees in crowded buckets are left out: they need
//! eight entries of one bucket.

/// Entries of a new map before it grows.
const FIRST_CAPACITY: usize = 16;

/// `String.hashCode`.
pub fn hash_code(text: &str) -> i32 {
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

/// The hash of Debezium's `MurmurHash3` (that of Infinispan, which is not the MurmurHash3 of others: bytes of the tail
/// are signed), with its seed of 9001. A text is hashed as its UTF-8 bytes, a number as four bytes, the least first.
pub fn murmur3(bytes: &[u8]) -> i32 {
    let mut state = Murmur {
        h: [0x9368_e53c_2f6a_f274 ^ 9001, 0x586d_cd20_8f7c_d3fd ^ 9001],
        c: [0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f],
    };
    let (blocks, tail) = bytes.as_chunks::<16>();
    for block in blocks {
        let whole = u128::from_le_bytes(*block);
        state.mix(whole as u64, (whole >> 64) as u64);
    }
    if !tail.is_empty() {
        let mut words = [0u64; 2];
        for (index, byte) in tail.iter().enumerate() {
            let signed = (i64::from(*byte as i8) as u64) << (index % 8 * 8);
            let [first, second] = &mut words;
            *(if index < 8 { first } else { second }) ^= signed;
        }
        let [first, second] = words;
        state.mix(first, second);
    }
    let [mut one, mut two] = state.h;
    two ^= bytes.len() as u64;
    one = one.wrapping_add(two);
    two = two.wrapping_add(one);
    (finished(one).wrapping_add(finished(two)) >> 32) as i32
}

struct Murmur {
    h: [u64; 2],
    c: [u64; 2],
}

impl Murmur {
    fn mix(&mut self, first: u64, second: u64) {
        let ([h1, h2], [c1, c2]) = (&mut self.h, &mut self.c);
        *h1 ^= first.wrapping_mul(*c1).rotate_left(23).wrapping_mul(*c2);
        *h1 = h1.wrapping_add(*h2);
        *h2 = h2.rotate_left(41);
        *h2 ^= second.wrapping_mul(*c2).rotate_left(23).wrapping_mul(*c1);
        *h2 = h2.wrapping_add(*h1);
        *h1 = h1.wrapping_mul(3).wrapping_add(0x52dc_e729);
        *h2 = h2.wrapping_mul(3).wrapping_add(0x3849_5ab5);
        *c1 = c1.wrapping_mul(5).wrapping_add(0x7b7d_159c);
        *c2 = c2.wrapping_mul(5).wrapping_add(0x6bce_6396);
    }
}

fn finished(mut k: u64) -> u64 {
    k = (k ^ (k >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    k = (k ^ (k >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ (k >> 33)
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

    #[test]
    fn bytes_hash_as_with_debezium() {
        // Values of MurmurHash3 of debezium-util 3.6.1.
        let cases: &[(&str, i32)] = &[
            ("hello", 1_671_093_224),
            ("", 89_125_410),
            ("Zürich 😀", 1_546_742_519),
            ("0123456789abcdef", 26_898_387),
            ("the quick brown fox jumped", 1_560_388_686),
            ("ééééééé1", 1_906_063_288),
            ("\u{1}bcdefghijklmnopqrst", -30_795_145),
        ];
        for (text, expected) in cases {
            assert_eq!(murmur3(text.as_bytes()), *expected, "{text}");
        }
        assert_eq!(murmur3(&[1, 0xfe, 3]), -637_758_913);
        assert_eq!(murmur3(&(-7i32).to_le_bytes()), -1_990_014_637);
    }
}
