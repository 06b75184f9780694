//! How late changes come: minimum, maximum, mean and quantiles of the time between a change and its receipt.
//!
//! In: lags in milliseconds, each with the number of changes that have it. Out: what Debezium's `StreamingStatisticsMXBean` has.
//! Promised: noting takes a few additions, whoever reads; a quantile is within one percent of a lag that was noted, as
//! Debezium's sketch (`DDSketches.unboundedDense(0.01)`) has it, and like there it is over everything since the start.
//!
//! Lags are counted in buckets: each millisecond below 64 has its own, and from there on each doubling is parted in 64, so that
//! the middle of a bucket is at most 1/128 away from any lag in it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A doubling is parted into this power of two.
const PARTS_LOG2: u32 = 6;

/// Buckets of a doubling, and of the milliseconds below the first one.
const PARTS: u64 = 1 << PARTS_LOG2;

/// The longest lag that is told from longer ones, in milliseconds: 69 years, longer than timestamps of logs go back.
const LONGEST_MS: u64 = (1 << 41) - 1;

/// Buckets, of 8 bytes each.
const BUCKETS: usize = bucket(LONGEST_MS) + 1;

const fn bucket(millis: u64) -> usize {
    if millis < PARTS {
        return millis as usize;
    }
    let doublings = 63 - millis.leading_zeros() - PARTS_LOG2;
    ((doublings as u64 + 1) * PARTS + ((millis >> doublings) - PARTS)) as usize
}

/// The middle of a bucket, in milliseconds.
fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket as f64;
    }
    let (doublings, part) = (bucket / PARTS - 1, bucket % PARTS + PARTS);
    let width = (1_u64 << doublings) as f64;
    part as f64 * width + (width - 1.0) / 2.0
}

/// The lags of one connector's changes.
#[derive(Debug)]
pub struct Lags {
    changes: AtomicU64,
    total_ms: AtomicU64,
    shortest_ms: AtomicU64,
    longest_ms: AtomicU64,
    /// Not there where nobody wants quantiles.
    buckets: OnceLock<Box<[AtomicU64]>>,
}

impl Default for Lags {
    fn default() -> Self {
        Lags {
            changes: AtomicU64::new(0),
            total_ms: AtomicU64::new(0),
            shortest_ms: AtomicU64::new(u64::MAX),
            longest_ms: AtomicU64::new(0),
            buckets: OnceLock::new(),
        }
    }
}

impl Lags {
    /// From now on quantiles are kept too.
    pub fn keep_quantiles(&self) {
        let _ = self.buckets.get_or_init(|| std::iter::repeat_with(AtomicU64::default).take(BUCKETS).collect());
    }

    /// Notes changes that came so late.
    fn note(&self, millis: u64, changes: u64) {
        self.shortest_ms.fetch_min(millis, Ordering::Relaxed);
        self.longest_ms.fetch_max(millis, Ordering::Relaxed);
        self.total_ms.fetch_add(millis.saturating_mul(changes), Ordering::Relaxed);
        if let Some(count) = self.buckets.get().and_then(|all| all.get(bucket(millis.min(LONGEST_MS)))) {
            count.fetch_add(changes, Ordering::Relaxed);
        }
        // Last, so that who sees one change sees its numbers.
        self.changes.fetch_add(changes, Ordering::Release);
    }

    /// What is known of them; `None` before the first.
    pub fn summary(&self) -> Option<Summary> {
        let changes = self.changes.load(Ordering::Acquire);
        (changes > 0).then(|| Summary {
            shortest_ms: self.shortest_ms.load(Ordering::Relaxed),
            longest_ms: self.longest_ms.load(Ordering::Relaxed),
            mean_ms: self.total_ms.load(Ordering::Relaxed) as f64 / changes as f64,
        })
    }

    /// The lag that such a share of the changes does not exceed, in milliseconds; `None` before the first, and where quantiles
    /// are not kept.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let counts: Vec<u64> = self.buckets.get()?.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let rank = share * counts.iter().sum::<u64>().checked_sub(1)? as f64;
        let mut before = 0;
        let reached = |count: &u64| {
            before += count;
            before as f64 > rank
        };
        counts.iter().position(reached).map(middle)
    }
}

/// What is known of lags, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The shortest.
    pub shortest_ms: u64,
    /// The longest.
    pub longest_ms: u64,
    /// Their mean.
    pub mean_ms: f64,
}

/// Changes of one thread that came equally late, one after the other: those of a transaction have one time, so that they are
/// noted together.
#[derive(Debug, Default)]
pub struct LagRun {
    millis: u64,
    changes: u64,
}

impl LagRun {
    /// More changes.
    pub fn add(&mut self, lags: &Lags, millis: u64, changes: u64) {
        if millis != self.millis {
            self.end(lags);
            self.millis = millis;
        }
        self.changes += changes;
    }

    /// Notes what has come.
    pub fn end(&mut self, lags: &Lags) {
        if self.changes > 0 {
            lags.note(self.millis, self.changes);
            self.changes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_lag_is_within_one_percent_of_its_bucket() {
        let mut last = 0;
        for power in 0..41 {
            for millis in [1 << power, (1 << power) + 1, (1 << power) * 5 / 4, (2 << power) - 1] {
                let found = middle(bucket(millis));
                assert!((found - millis as f64).abs() <= millis as f64 / 100.0, "{millis}: {found}");
                assert!(bucket(millis) >= last, "{millis}");
            }
            last = bucket(1 << power);
        }
        assert_eq!((bucket(0), bucket(63), bucket(64), bucket(LONGEST_MS)), (0, 63, 64, BUCKETS - 1));
    }

    #[test]
    fn quantiles_are_debeziums() {
        let lags = Lags::default();
        lags.note(7, 1);
        assert_eq!((lags.summary().map(|all| all.longest_ms), lags.quantile(0.5)), (Some(7), None));
        let lags = Lags::default();
        lags.keep_quantiles();
        assert_eq!((lags.summary(), lags.quantile(0.5)), (None, None));
        let mut run = LagRun::default();
        // One row of 300 ms, 97 of 40 in two parts, two of 10.
        for (millis, changes) in [(300, 1), (40, 90), (40, 7), (10, 2)] {
            run.add(&lags, millis, changes);
        }
        run.end(&lags);
        run.end(&lags);
        let summary = lags.summary().unwrap();
        assert_eq!((summary.shortest_ms, summary.longest_ms), (10, 300));
        assert!((summary.mean_ms - (300.0 + 97.0 * 40.0 + 20.0) / 100.0).abs() < 1e-9);
        let quantiles = [0.0, 0.5, 0.95, 0.99].map(|share| lags.quantile(share).unwrap());
        // The 99th of a hundred is the last but one: the sketch's rank is of one less.
        assert_eq!(quantiles, [10.0, 40.0, 40.0, 40.0]);
        assert!((lags.quantile(1.0).unwrap() - 300.0).abs() <= 3.0);
        // A clock that is wrong by ages harms nobody.
        lags.note(u64::MAX, 1);
        assert_eq!(lags.summary().unwrap().longest_ms, u64::MAX);
    }
}
