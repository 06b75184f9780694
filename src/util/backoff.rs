//! Waiting longer after each failure, with jitter, so that many clients do not come back at once.

use std::time::Duration;

/// Doubles from a first delay up to a limit; each delay is drawn from its upper half.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    limit: Duration,
    attempts: u32,
}

impl Backoff {
    /// A back-off that has seen no failure.
    pub fn new(first: Duration, limit: Duration) -> Self {
        Backoff { first, limit, attempts: 0 }
    }

    /// How many failures there were in a row.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Notes a failure and says how long to wait.
    pub fn next_delay(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1u32.checked_shl(self.attempts.min(20)).unwrap_or(u32::MAX));
        self.attempts = self.attempts.saturating_add(1);
        doubled.min(self.limit).mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Notes a success.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_limit_and_begin_again_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        for expected in [100, 200, 400, 800, 1000, 1000] {
            let delay = backoff.next_delay().as_secs_f64() * 1000.0;
            assert!(delay >= f64::from(expected) / 2.0 && delay <= f64::from(expected), "{delay} for {expected}");
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(100));
    }
}
