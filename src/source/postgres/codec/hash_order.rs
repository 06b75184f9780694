//! The order in which a `java.util.HashMap` gives out its entries, for maps that Debezium makes of a value.

use crate::model::value::Arena;

/// Entries of a new map before it grows.
const FIRST_CAPACITY: usize = 16;

/// The buckets of `new HashMap()` with so many entries in it.
pub(super) fn grown_capacity(entries: usize) -> usize {
    let mut capacity = FIRST_CAPACITY;
    while entries > capacity / 4 * 3 {
        capacity *= 2;
    }
    capacity
}

/// Entries with their keys' hash codes, in the order of their insertion, put into the order of the map.
pub(super) fn sort_by_bucket<'a, T: Copy>(
    entries: &mut [(i32, T)],
    capacity: fn(usize) -> usize,
    arena: &'a Arena,
) -> &'a [T] {
    let mask = capacity(entries.len()) - 1;
    let order = arena.alloc_slice_fill_with(entries.len(), |place| {
        let hash = entries.get(place).map_or(0, |(hash, _)| hash.cast_unsigned());
        ((hash ^ (hash >> 16)) as usize & mask, place)
    });
    order.sort_unstable();
    let sorted = order.iter().filter_map(|(_, place)| entries.get(*place).map(|(_, entry)| *entry));
    let mut out = bumpalo::collections::Vec::with_capacity_in(entries.len(), arena);
    out.extend(sorted);
    out.into_bump_slice()
}
