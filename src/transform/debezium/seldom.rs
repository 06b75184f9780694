//! Log lines about single rows, without one line a row.

use std::cell::Cell;

/// Counts what happens, and says when it is worth a line: the first time, and each time the count has doubled.
#[derive(Debug, Default)]
pub struct Seldom(Cell<u64>);

impl Seldom {
    /// Counts one more; the count, where a line is due.
    pub fn count(&self) -> Option<u64> {
        let count = self.0.get().saturating_add(1);
        self.0.set(count);
        count.is_power_of_two().then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_fewer() {
        let seldom = Seldom::default();
        let due: Vec<u64> = (0..20).filter_map(|_| seldom.count()).collect();
        assert_eq!(due, [1, 2, 4, 8, 16]);
    }
}
