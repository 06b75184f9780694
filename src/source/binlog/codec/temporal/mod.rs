//! DATE, TIME, DATETIME, TIMESTAMP and YEAR.
//!
//! In: the packed forms of MySQL 5.6 and later, and those before. Out: what `time.precision.mode` asks for. Zero
//! dates (a year, month or day of zero) are no value: null in a column that can be null, else the default or the
//! epoch. A day that is not in the calendar (`sql_mode` ALLOW_INVALID_DATES) is an error, or the epoch where
//! `event.processing.failure.handling.mode` is not `fail`: that is the option Debezium asks there.

mod date;
mod datetime;
mod text;
mod time;
mod timestamp;
mod year;

pub(super) use date::date;
pub(super) use datetime::datetime;
pub(super) use time::time;
pub(super) use timestamp::{short_timestamp, timestamp};
pub(super) use year::year;

use super::CodecError;
use crate::model::modes::TimePrecisionMode;
use crate::model::value::ValueError;
use crate::source::codec::calendar;
use crate::source::codec::failure::NOT_IN_THE_CALENDAR;

fn not_in_the_calendar(column_type: &'static str) -> ValueError {
    ValueError::Invalid { column_type, reason: NOT_IN_THE_CALENDAR }
}

fn unsupported(mode: TimePrecisionMode) -> CodecError {
    CodecError::UnsupportedTimePrecision { mode: mode.as_str() }
}

/// Nanoseconds of a second's fraction in 0 to 3 bytes, each of two decimal digits, most significant first.
///
/// Debezium divides by a binary fraction of ten and cuts, which loses a nanosecond of some values and with it a
/// microsecond; the same division gives the same numbers.
#[inline]
fn fraction_nanos(bytes: &[u8]) -> i64 {
    let fraction = bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let unit = match bytes.len() {
        0 => return 0,
        1 => 0.000_000_1,
        2 => 0.000_000_1 * 100.0,
        _ => 0.000_000_1 * 10_000.0,
    };
    (f64::from(fraction) / unit) as i64
}

/// Bytes of a second's fraction of so many digits; `None` for more than six.
pub(super) fn fraction_bytes(digits: u16) -> Option<usize> {
    (digits <= 6).then_some(usize::from(digits).div_ceil(2))
}

/// The number of two decimal digits cut off a decimal number.
#[inline]
fn two_digits(value: &mut u64) -> u32 {
    let digits = *value % 100;
    *value /= 100;
    digits as u32
}

/// The days since the epoch of `2024-01-31`; none for what is not in the calendar.
pub(super) fn date_number(text: &str) -> Option<i32> {
    let parsed = text::Parsed::read(text).filter(|_| text.len() == "2024-01-31".len())?;
    let mut line = calendar::Line::new();
    line.day(parsed.day);
    // A day behind the end of its month would be taken for the last one.
    (line.as_bytes() == text.as_bytes()).then(|| parsed.day.since_epoch())
}

/// The microseconds since the epoch of `2024-01-31 10:11:12`, as if in UTC.
pub(super) fn date_time_micros(text: &str) -> Option<i64> {
    let parsed = text::Parsed::read(text).filter(|_| text.len() == "2024-01-31 10:11:12".len())?;
    Some(i64::from(parsed.day.since_epoch()) * calendar::SECONDS_PER_DAY * 1_000_000 + parsed.nanos_of_day / 1_000)
}
