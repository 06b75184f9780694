//! The clock: the one place that asks the machine what time it is.

#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the epoch; 0 for a clock set before it.
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Milliseconds since the epoch.
pub fn now_ms() -> i64 {
    now_ns() / 1_000_000
}

/// A moment that only goes forward, for deadlines and durations.
pub fn moment() -> Instant {
    Instant::now()
}

/// What is left until `deadline`; `None` when it has passed.
pub fn left_until(deadline: Instant) -> Option<Duration> {
    deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}
