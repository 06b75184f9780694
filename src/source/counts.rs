//! Events of a transaction, counted in all and for each table (`provide.transaction.metadata`).

use std::fmt::Display;

/// How many events each part of a transaction has had so far. `K` names a part: a table.
#[derive(Clone, Debug)]
pub struct EventCounts<K>(Vec<(K, i64)>);

impl<K> Default for EventCounts<K> {
    fn default() -> Self {
        EventCounts(Vec::new())
    }
}

impl<K: Clone + PartialEq + Display> EventCounts<K> {
    /// Counts events of a part. Gives the places of the first of them, from 1: in the transaction, and in its part.
    pub fn add(&mut self, part: &K, events: i64) -> (i64, i64) {
        let total: i64 = self.0.iter().map(|(_, count)| count).sum();
        for (known, count) in &mut self.0 {
            if known == part {
                let place = *count + 1;
                *count += events;
                return (total + 1, place);
            }
        }
        self.0.push((part.clone(), events));
        (total + 1, 1)
    }

    /// The counts by the parts' names, in the order of their first event.
    pub fn by_name(&self) -> Vec<(String, i64)> {
        self.0.iter().map(|(part, count)| (part.to_string(), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_a_place_in_the_transaction_and_in_their_table() {
        let mut counts = EventCounts::default();
        assert_eq!(counts.add(&"a", 2), (1, 1));
        assert_eq!(counts.add(&"b", 1), (3, 1));
        assert_eq!(counts.add(&"a", 1), (4, 3));
        assert_eq!(counts.by_name(), [("a".to_owned(), 3), ("b".to_owned(), 1)]);
    }
}
