//! DATE, TIME, TIMESTAMP, with and without time zone, and INTERVAL.
//!
//! In: the text of `DateStyle` ISO: years of any length, ` BC` behind, `infinity`, offsets to the second. Out: what
//! `time.precision.mode` asks for; times with a zone in UTC. The calendar is proleptic, as PostgreSQL's is.

mod date;
mod interval;
mod parse;
mod render;
mod time;
mod timestamp;

pub(super) use date::{date, iso_date};
pub(super) use interval::{Interval, interval, interval_value};
pub(super) use parse::{Moment, date_days, time_micros, timestamp as parse_timestamp, timestamp_utc};
pub(super) use time::{time, time_value, time_with_zone};
pub(super) use timestamp::{timestamp, timestamp_value, timestamp_with_zone, zoned_text};

use crate::model::modes::TimePrecisionMode;
use crate::model::schema::{Kind, Schema};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// How a number or text stands for a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Milliseconds, of Debezium's semantic types.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
    /// Milliseconds, of Connect's logical types.
    Connect,
    /// ISO 8601 text.
    Iso,
}

impl Unit {
    /// The unit of times of day of so many digits behind the second.
    pub fn of_time(mode: TimePrecisionMode, digits: i32) -> Unit {
        match mode {
            TimePrecisionMode::Adaptive if digits <= 3 => Unit::Millis,
            // Structured is refused before any column is asked for.
            TimePrecisionMode::Adaptive
            | TimePrecisionMode::AdaptiveTimeMicroseconds
            | TimePrecisionMode::Microseconds
            | TimePrecisionMode::Structured => Unit::Micros,
            TimePrecisionMode::Nanoseconds => Unit::Nanos,
            TimePrecisionMode::Connect => Unit::Connect,
            TimePrecisionMode::IsoString => Unit::Iso,
        }
    }

    /// The unit of timestamps of so many digits behind the second.
    pub fn of_timestamp(mode: TimePrecisionMode, digits: i32) -> Unit {
        match mode {
            TimePrecisionMode::AdaptiveTimeMicroseconds if digits <= 3 => Unit::Millis,
            TimePrecisionMode::Adaptive
            | TimePrecisionMode::AdaptiveTimeMicroseconds
            | TimePrecisionMode::Microseconds
            | TimePrecisionMode::Nanoseconds
            | TimePrecisionMode::Connect
            | TimePrecisionMode::IsoString
            | TimePrecisionMode::Structured => Unit::of_time(mode, digits),
        }
    }
}

fn semantic(kind: Kind, name: &str) -> Schema {
    Schema::new(kind).named(name).version(1)
}
