//! Dates and times out of the server's text, in whatever length it has.

use super::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::model::modes::DebeziumGeneration;
use crate::model::value::ValueError;
use crate::source::codec::calendar::{Day, days_in_month};

/// Digits of the longest year that is read: PostgreSQL's end in the year 5,874,897.
const YEAR_DIGITS: usize = 7;

/// A point in time without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Moment {
    /// Days since the epoch, and microseconds of the day.
    At {
        /// Days since the epoch.
        days: i64,
        /// Microseconds of the day, less than a day's.
        micros: i64,
    },
    /// Later than all.
    Infinity,
    /// Earlier than all.
    NegativeInfinity,
}

fn invalid(column_type: &'static str) -> ValueError {
    ValueError::Invalid { column_type, reason: "not a date or time as DateStyle ISO has it" }
}

/// Two digits.
#[inline]
fn two(high: u8, low: u8) -> Option<u32> {
    let (high, low) = (high.wrapping_sub(b'0'), low.wrapping_sub(b'0'));
    (high <= 9 && low <= 9).then(|| u32::from(high) * 10 + u32::from(low))
}

/// The year, month and day at the front, with the year as it is written.
#[inline]
fn day(text: &[u8]) -> Option<(Day, &[u8])> {
    // Nearly all years have four digits.
    if let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = text {
        let year = (two(*y1, *y2)? * 100 + two(*y3, *y4)?) as i32;
        return Some((Day { year, month: two(*m1, *m2)?, day: two(*d1, *d2)? }, rest));
    }
    let digits = text.iter().take(YEAR_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if !(4..=YEAR_DIGITS).contains(&digits) {
        return None;
    }
    let (year, rest) = text.split_at_checked(digits)?;
    let year = year.iter().fold(0_i32, |year, digit| year * 10 + i32::from(digit - b'0'));
    let [b'-', m1, m2, b'-', d1, d2, rest @ ..] = rest else { return None };
    Some((Day { year, month: two(*m1, *m2)?, day: two(*d1, *d2)? }, rest))
}

/// The years before Christ counted on: 1 BC is the year 0.
fn before_christ(day: Day) -> Day {
    Day { year: 1 - day.year, ..day }
}

#[inline]
fn existing(day: Day) -> Option<i64> {
    (day.exists() && day.day <= days_in_month(day.year, day.month)).then(|| i64::from(day.since_epoch()))
}

/// The time of day at the front, in microseconds; up to 24:00:00.
#[inline]
fn time(text: &[u8]) -> Option<(i64, &[u8])> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
    let (seconds, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two(*s1, *s2)?, rest),
        rest => (0, rest),
    };
    let (fraction, rest) = match rest {
        [b'.', b1, b2, b3, b4, b5, b6, rest @ ..]
            if [b1, b2, b3, b4, b5, b6].iter().all(|byte| byte.is_ascii_digit())
                && !rest.first().is_some_and(u8::is_ascii_digit) =>
        {
            let micros = two(*b1, *b2)? * 10_000 + two(*b3, *b4)? * 100 + two(*b5, *b6)?;
            (i64::from(micros), rest)
        }
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=6).contains(&digits) {
                return None;
            }
            let (fraction, rest) = rest.split_at_checked(digits)?;
            let value = fraction.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            (value * 10_i64.pow(6 - digits as u32), rest)
        }
        rest => (0, rest),
    };
    let micros = i64::from(hours * 3600 + minutes * 60 + seconds) * MICROS_PER_SECOND + fraction;
    (minutes < 60 && seconds <= 60 && micros <= MICROS_PER_DAY).then_some((micros, rest))
}

/// The offset at the front, in seconds east of UTC.
#[inline]
fn offset(text: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, rest) = match text {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        [b'Z', rest @ ..] => return Some((0, rest)),
        _ => return None,
    };
    let [h1, h2, rest @ ..] = rest else { return None };
    let hours = two(*h1, *h2)?;
    let (minutes, rest) = match rest {
        [b':', m1, m2, rest @ ..] => (two(*m1, *m2)?, rest),
        rest => (0, rest),
    };
    let (seconds, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two(*s1, *s2)?, rest),
        rest => (0, rest),
    };
    Some((sign * i64::from(hours * 3600 + minutes * 60 + seconds), rest))
}

/// The day of a text with ` BC` behind it or without.
#[inline]
fn day_of(day: Day, behind: &[u8]) -> Option<i64> {
    match behind {
        b"" => existing(day),
        b" BC" => existing(before_christ(day)),
        _ => None,
    }
}

/// A DATE as [`date_days`] has it, in the words of a generation: before 3.7 what is later than all is before all others.
#[inline]
pub(super) fn date_days_of(text: &[u8], generation: DebeziumGeneration) -> Result<i64, ValueError> {
    match (text, generation) {
        (b"infinity", DebeziumGeneration::V3_7) => Ok(2_146_033_979),
        (text, DebeziumGeneration::V3_6 | DebeziumGeneration::V3_7) => date_days(text),
    }
}

/// A DATE as a day since the epoch; the infinities are the days that Debezium has for them.
#[inline]
pub(in super::super) fn date_days(text: &[u8]) -> Result<i64, ValueError> {
    match text {
        b"infinity" => Ok(-2_147_472_692),
        b"-infinity" => Ok(-2_147_472_691),
        text => day(text).and_then(|(day, rest)| day_of(day, rest)).ok_or(invalid("date")),
    }
}

/// A TIME in microseconds, up to 24:00:00.
#[inline]
pub(in super::super) fn time_micros(text: &[u8]) -> Result<i64, ValueError> {
    match time(text) {
        Some((micros, [])) => Ok(micros),
        Some(_) | None => Err(invalid("time")),
    }
}

/// A TIME WITH TIME ZONE as microseconds of the day in UTC.
pub(super) fn time_utc_micros(text: &[u8]) -> Result<i64, ValueError> {
    let read = time(text).and_then(|(micros, rest)| match offset(rest)? {
        (seconds, []) => Some((micros - seconds * MICROS_PER_SECOND).rem_euclid(MICROS_PER_DAY)),
        _ => None,
    });
    read.ok_or(invalid("timetz"))
}

/// Whether a TIME WITH TIME ZONE is the end of a day in UTC, which no other time of day is equal to.
pub(super) fn is_end_of_day_utc(text: &[u8]) -> bool {
    time(text).is_some_and(|(micros, rest)| micros == MICROS_PER_DAY && offset(rest) == Some((0, b"".as_slice())))
}

fn infinite(text: &[u8]) -> Option<Moment> {
    match text {
        b"infinity" => Some(Moment::Infinity),
        b"-infinity" => Some(Moment::NegativeInfinity),
        _ => None,
    }
}

/// A day and microseconds that may be before or after it.
fn moment(days: i64, micros: i64) -> Moment {
    Moment::At { days: days + micros.div_euclid(MICROS_PER_DAY), micros: micros.rem_euclid(MICROS_PER_DAY) }
}

fn finite(text: &[u8], zoned: bool) -> Option<Moment> {
    let (day, rest) = day(text)?;
    let (micros, rest) = time(rest.strip_prefix(b" ")?)?;
    let (seconds, rest) = if zoned { offset(rest)? } else { (0, rest) };
    Some(moment(day_of(day, rest)?, micros - seconds * MICROS_PER_SECOND))
}

/// A TIMESTAMP WITH TIME ZONE that is in UTC already, and written as ISO 8601 has it with so many digits behind the second, or
/// as many as are needed: its day and its time of day.
#[inline]
pub(super) fn in_utc(text: &[u8], fraction: Option<usize>) -> Option<(&[u8], &[u8])> {
    let text = text.strip_suffix(b"+00")?;
    let (date, rest) = day(text)?;
    let (day_text, time_text) = text.split_at_checked(10)?;
    let (time_text, rest) = (time_text.strip_prefix(b" ")?, rest.strip_prefix(b" ")?);
    let (micros, behind) = time(time_text)?;
    // Years of more digits have signs, and 24:00:00 and 23:59:60 are of the next day.
    let plain = rest.len() == time_text.len() && behind.is_empty() && micros < MICROS_PER_DAY;
    let digits = match (time_text.get(6..8)?, time_text.get(8..)?) {
        ([b'0'..=b'5', _], []) => 0,
        ([b'0'..=b'5', _], [b'.', digits @ ..]) if fraction.is_some() || digits.last() != Some(&b'0') => digits.len(),
        _ => return None,
    };
    let exists = date.exists() && date.day <= days_in_month(date.year, date.month);
    (plain && exists && fraction.is_none_or(|fraction| fraction == digits)).then_some((day_text, time_text))
}

/// A TIMESTAMP.
#[inline]
pub(in super::super) fn timestamp(text: &[u8]) -> Result<Moment, ValueError> {
    finite(text, false).or_else(|| infinite(text)).ok_or(invalid("timestamp"))
}

/// A TIMESTAMP WITH TIME ZONE, in UTC.
#[inline]
pub(in super::super) fn timestamp_utc(text: &[u8]) -> Result<Moment, ValueError> {
    finite(text, true).or_else(|| infinite(text)).ok_or(invalid("timestamptz"))
}
