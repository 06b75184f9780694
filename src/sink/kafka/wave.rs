//! When to hand librdkafka more, and when to wait for the broker first.
//!
//! In: how many records are in flight, and over how many partitions they spread. Out: whether the next one waits.
//! Promised: while the broker works on a request, little that could leave lies in librdkafka's queue; a trickle is never
//! held back.
//!
//! Why: an idempotent librdkafka sends a partition no further request while more than a few of its records are in
//! flight, and a record that has waited out `linger.ms` behind them keeps its broker thread polling without pause until
//! the answer comes: under a backlog that was half of the CPU of the whole program. So records go in waves: one is
//! handed over in less than `linger.ms` and is one request for a partition ([`BATCH_RECORDS`]); the next begins
//! when the one before is acknowledged. What waits, waits in our own queues, encoded once and bounded. Where answers take
//! long, waves grow, for then the broker's distance costs more than the thread's polling.

use std::time::{Duration, Instant};

use crate::util::clock;
use crate::util::kafka::properties::ClientProperties;

/// The records of a wave for each partition: also `batch.num.messages`, so that a whole wave leaves at once and does not
/// wait out `linger.ms`. Measured on a real broker, 256 to 700 are alike in CPU and speed.
pub(super) const BATCH_RECORDS: usize = 400;

/// librdkafka sends on while fewer records than this are in flight in a partition (its window of requests, counted in
/// records): a trickle is never held back.
pub(super) const TRICKLE: usize = 5;

/// Records between two looks at the clock.
const LOOK_EVERY: u32 = 32;

/// A wave lasts at least this long, also where `linger.ms` is 0.
const SHORTEST: Duration = Duration::from_micros(400);

/// An answer that takes longer lets waves grow, one that takes less than half of it lets them shrink.
const SLOW_ANSWER: Duration = Duration::from_millis(25);

/// The most that waves grow, in waves.
const GROWTH_MAXIMUM: u32 = 6;

/// Partitions beyond which a wave does not get larger: with 12 of them, waves of 1, 2, 4 and 12 took 2.9, 2.2, 2.1 and
/// 2.9 s of CPU for a million records.
const SPREAD_MAXIMUM: usize = 4;

/// The records that are handed over without waiting for the broker.
pub(super) struct Wave {
    length: Duration,
    growth: u32,
    /// When the wave under way began: when the last record was handed over that librdkafka could send on at once.
    began: Instant,
    /// How many records it has.
    records: usize,
    ended: Option<Instant>,
    until_look: u32,
}

impl Wave {
    /// Waves a little shorter than the client's `linger.ms`.
    pub(super) fn new(properties: &ClientProperties) -> Self {
        let linger = properties.native.get("linger.ms").and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let length = Duration::try_from_secs_f64(linger * 0.8 / 1000.0).unwrap_or(SHORTEST);
        let (length, began) = (length.max(SHORTEST), clock::moment());
        Wave { length, growth: 1, began, records: 0, ended: None, until_look: LOOK_EVERY }
    }

    /// A batch begins: the clock is looked at, for small batches come slowly.
    pub(super) fn look(&mut self) {
        self.until_look = 1;
    }

    /// Whether the next record has to wait for reports; asked before each record, and again after reports.
    pub(super) fn is_over(&mut self, in_flight: usize, spread: usize) -> bool {
        if in_flight < TRICKLE {
            self.answered();
            (self.began, self.records, self.until_look) = (clock::moment(), in_flight + 1, LOOK_EVERY);
            return false;
        }
        if self.ended.is_some() {
            return true;
        }
        self.records += 1;
        let size = spread.clamp(1, SPREAD_MAXIMUM) * self.growth as usize;
        let mut over = self.records > BATCH_RECORDS * size;
        self.until_look = self.until_look.saturating_sub(1);
        if self.until_look == 0 {
            self.until_look = LOOK_EVERY;
            over |= self.began.elapsed() >= self.length * u32::try_from(size).unwrap_or(1);
        }
        if over {
            self.ended = Some(clock::moment());
        }
        over
    }

    /// The wave before is acknowledged, if there was one.
    fn answered(&mut self) {
        let Some(ended) = self.ended.take() else { return };
        let answer = ended.elapsed();
        if answer > SLOW_ANSWER {
            self.growth = (self.growth * 2).min(GROWTH_MAXIMUM);
        } else if answer < SLOW_ANSWER / 2 {
            self.growth = (self.growth / 2).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave() -> Wave {
        Wave::new(&ClientProperties::default())
    }

    #[test]
    fn a_trickle_is_never_held_back() {
        let mut wave = wave();
        assert!((0..10_000).all(|number| !wave.is_over(number % TRICKLE, 1)));
    }

    #[test]
    fn a_wave_ends_and_the_next_begins_when_it_is_acknowledged() {
        for spread in [1, 3] {
            let mut wave = wave();
            wave.length = Duration::from_secs(60);
            let sent = (0..100_000).find(|sent| wave.is_over(*sent, spread)).unwrap_or_default();
            assert_eq!(sent, BATCH_RECORDS * spread, "one request for each partition");
            assert!(wave.is_over(sent, spread) && wave.is_over(TRICKLE, spread), "as long as it is under way");
            assert!(!wave.is_over(0, spread) && !wave.is_over(TRICKLE, spread), "and then the next one begins");
        }
    }

    #[test]
    fn what_comes_after_a_small_wave_has_left_waits_until_it_is_acknowledged() {
        let mut wave = wave();
        assert!((0..TRICKLE).all(|sent| !wave.is_over(sent, 1)), "each could leave at once");
        wave.began = wave.began.checked_sub(wave.length).unwrap_or(wave.began);
        wave.look();
        assert!(wave.is_over(TRICKLE, 1), "it would lie in the queue, and the thread would poll without pause");
        assert!(!wave.is_over(TRICKLE - 1, 1));
    }

    #[test]
    fn slow_answers_make_waves_grow_up_to_a_bound() {
        let mut wave = wave();
        for _ in 0..10 {
            wave.ended = clock::moment().checked_sub(SLOW_ANSWER * 2);
            assert!(!wave.is_over(0, 1));
        }
        assert_eq!(wave.growth, GROWTH_MAXIMUM);
        for _ in 0..10 {
            wave.ended = Some(clock::moment());
            assert!(!wave.is_over(0, 1));
        }
        assert_eq!(wave.growth, 1);
    }
}
