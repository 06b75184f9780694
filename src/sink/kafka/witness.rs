//! The witness: notes which record was acknowledged last, so that it can be looked for on its topic.
//!
//! In: each acknowledgement, while somebody wants to know. Out: where the broker put the last one, and a sum of its bytes.
//! Promised: while nobody asks it costs one look at a number for a record. Nothing survives a crash.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The ordinal from which records are noted while nobody asks.
const NOBODY_ASKS: u64 = u64::MAX;

/// So many batches are looked at one by one; of those behind them, one of so many.
const ALL_OF: u64 = 64;

/// A record as the broker acknowledged it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Where in the partition.
    pub offset: i64,
    /// As [`sign`] makes it of the bytes that were sent.
    pub sign: u32,
}

/// What tells a record from another one at the same place: a sum of its key and its value.
pub fn sign(key: Option<&[u8]>, value: Option<&[u8]>) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for part in [key, value] {
        // Null is not empty, and what ends one part does not begin the other.
        sum.update(&part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
        sum.update(part.unwrap_or_default());
    }
    sum.finalize()
}

/// Notes acknowledgements; clones share what they noted.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    noted: Arc<Noted>,
}

#[derive(Debug)]
struct Noted {
    /// Records of batches with this ordinal or a later one are noted.
    from: AtomicU64,
    last: Mutex<Acknowledged>,
    /// Topics whose records tell nothing of a change.
    passed_over: Vec<String>,
}

impl Default for Noted {
    fn default() -> Self {
        Noted { from: AtomicU64::new(NOBODY_ASKS), last: Mutex::default(), passed_over: Vec::new() }
    }
}

impl Witness {
    /// One that passes over the records of these topics.
    pub fn passing_over(topics: Vec<String>) -> Self {
        Witness { noted: Arc::new(Noted { passed_over: topics, ..Noted::default() }) }
    }

    /// From now on, records of batches with this ordinal or a later one are noted; `None`: none is any more.
    pub fn watch(&self, from: Option<u64>) {
        *self.noted.last.lock().unwrap_or_else(PoisonError::into_inner) = Acknowledged::default();
        self.noted.from.store(from.unwrap_or(NOBODY_ASKS), Ordering::Relaxed);
    }

    /// The last that was noted; no more are. `None` where there was none, or the broker does not say where it lies.
    pub fn take(&self) -> Option<Acknowledged> {
        self.noted.from.store(NOBODY_ASKS, Ordering::Relaxed);
        let mut last = self.noted.last.lock().unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::take(&mut *last)).filter(|last| !last.topic.is_empty() && last.offset >= 0)
    }

    /// Whether a record of this batch is to be noted. Of a stream that has long to go until the marker comes, some are enough.
    pub(super) fn wants(&self, ordinal: u64) -> bool {
        let since = ordinal.checked_sub(self.noted.from.load(Ordering::Relaxed));
        since.is_some_and(|since| since < ALL_OF || since.is_multiple_of(ALL_OF))
    }

    /// Notes a record.
    pub(super) fn note(
        &self,
        topic: &str,
        partition: usize,
        offset: i64,
        (key, value): (Option<&[u8]>, Option<&[u8]>),
    ) {
        if self.noted.passed_over.iter().any(|name| name == topic) {
            return;
        }
        let sign = sign(key, value);
        let mut last = self.noted.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.topic.clear();
        last.topic.push_str(topic);
        (last.partition, last.offset, last.sign) = (i32::try_from(partition).unwrap_or(i32::MAX), offset, sign);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_is_noted_while_somebody_asks() {
        let witness = Witness::passing_over(vec!["heartbeats".to_owned()]);
        let note = |ordinal, topic: &str, offset| {
            if witness.wants(ordinal) {
                witness.note(topic, 2, offset, (None, Some(b"v")));
            }
        };
        let check = |expected: Option<(&str, i64)>| {
            let taken = witness.take().map(|record| (record.topic, record.offset));
            assert_eq!(taken, expected.map(|(topic, offset)| (topic.to_owned(), offset)));
        };
        note(7, "t", 70);
        check(None);
        witness.watch(Some(5));
        for (ordinal, topic, offset) in [(4, "t", 40), (5, "t", 50), (6, "u", 60), (7, "heartbeats", 9)] {
            note(ordinal, topic, offset);
        }
        check(Some(("u", 60)));
        note(8, "t", 80);
        check(None);
        witness.watch(Some(0));
        note(8, "t", 80);
        witness.watch(None);
        check(None);
        // What nobody confirms lies nowhere.
        witness.watch(Some(0));
        note(8, "t", -1001);
        check(None);
    }

    #[test]
    fn records_of_other_bytes_have_other_signs() {
        let records = [
            (None, None),
            (Some(""), None),
            (None, Some("")),
            (Some("ab"), Some("c")),
            (Some("a"), Some("bc")),
            (None, Some("abc")),
        ];
        let of = |(key, value): (Option<&str>, Option<&str>)| sign(key.map(str::as_bytes), value.map(str::as_bytes));
        let signs: std::collections::BTreeSet<u32> = records.map(of).into_iter().collect();
        assert_eq!(signs.len(), records.len());
    }
}
