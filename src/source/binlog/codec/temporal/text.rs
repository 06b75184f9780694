//! The text of temporal defaults.

use super::calendar::{Day, NANOS_PER_SECOND, days_in_month};

/// A date with the time of day behind it, if there was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The day.
    pub day: Day,
    /// The time of day.
    pub nanos_of_day: i64,
}

/// Takes digits off the front: at least `min` and at most `max`.
fn digits(text: &str, min: usize, max: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if count < min {
        return None;
    }
    let (number, rest) = text.split_at_checked(count)?;
    Some((number.parse().ok()?, rest))
}

/// Whether a text is `dddd-dd-dd` with a part that is zero: Debezium's equivalent of the epoch.
pub(super) fn zero_date(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else { return false };
    let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-") && text.len() == 10;
    dashes && (day == "00" || month == "00" || year == "0000")
}

/// Whether a text is a zero date with midnight behind it.
pub(super) fn zero_timestamp(text: &str) -> bool {
    let Some((date, time)) = text.split_once(' ') else { return false };
    let midnight = match time.strip_prefix("00:00:00") {
        Some("") => true,
        Some(fraction) => fraction
            .strip_prefix('.')
            .is_some_and(|digits| matches!(digits.len(), 1..=6) && digits.bytes().all(|b| b.is_ascii_digit())),
        None => false,
    };
    midnight && zero_date(date)
}

impl Parsed {
    /// Reads `2024-01-31`, `2024-01-31 10:11`, `2024-01-31 10:11:12.123456`. A day behind the end of its month
    /// is the last one, as Java's smart resolver has it.
    pub fn read(text: &str) -> Option<Parsed> {
        let (year, rest) = digits(text, 4, 4)?;
        let (month, rest) = digits(rest.strip_prefix('-')?, 2, 2)?;
        let (day, rest) = digits(rest.strip_prefix('-')?, 2, 2)?;
        let last = days_in_month(year as i32, month);
        if last == 0 || !(1..=31).contains(&day) || year == 0 {
            return None;
        }
        let day = Day { year: year as i32, month, day: day.min(last) };
        let nanos_of_day = match rest {
            "" => 0,
            rest => time_of_day(rest.strip_prefix(' ')?)?,
        };
        Some(Parsed { day, nanos_of_day })
    }

    /// Reads a timestamp whose separators may be any characters, as Debezium cleans them.
    pub fn read_loosely(text: &str) -> Option<Parsed> {
        let mut rest = text;
        let mut numbers = [0_u32; 6];
        let mut found = 0;
        for number in &mut numbers {
            let (value, behind) = match digits(rest, 1, 9) {
                Some(read) => read,
                None if rest.is_empty() => break,
                None => return None,
            };
            *number = value;
            found += 1;
            rest = behind;
            if found < 6 {
                rest = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
            }
        }
        let [year, month, day, hour, minute, second] = numbers;
        let day = Day { year: i32::try_from(year).ok()?, month, day };
        let fraction = match rest.strip_prefix('.') {
            Some(digits) => fraction(digits)?,
            None => 0,
        };
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let whole = hour < 24 && minute < 60 && second < 60;
        (found >= 3 && whole && day.exists() && year <= 9999)
            .then_some(Parsed { day, nanos_of_day: seconds * NANOS_PER_SECOND + fraction })
    }
}

/// Up to nine digits of a second's fraction, as nanoseconds.
fn fraction(text: &str) -> Option<i64> {
    let (number, rest) = if text.is_empty() { (0, "") } else { digits(text, 1, 9)? };
    let width = text.len() - rest.len();
    rest.is_empty().then(|| i64::from(number) * 10_i64.pow(9 - width.min(9) as u32))
}

/// `10:11`, `10:11:12` or `10:11:12.123456789`.
fn time_of_day(text: &str) -> Option<i64> {
    let (hour, rest) = digits(text, 2, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2, 2)?,
        None => (0, rest),
    };
    let nanos = match rest.strip_prefix('.') {
        Some(digits) => fraction(digits)?,
        None if rest.is_empty() => 0,
        None => return None,
    };
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    (hour < 24 && minute < 60 && second < 60).then_some(seconds * NANOS_PER_SECOND + nanos)
}

/// A TIME: `-838:59:59.000000`, `10:11`, also behind a date. In nanoseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let text = match text.split_once(' ') {
        Some((date, time)) if date.bytes().filter(|b| *b == b'-').count() == 2 => time,
        Some(_) | None => text,
    };
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (hours, rest) = digits(rest, 1, 9)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 1, 9)?;
    let (seconds, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 1, 9)?,
        None => (0, rest),
    };
    let nanos = match rest.strip_prefix('.') {
        Some(digits) => fraction(digits)?,
        None if rest.is_empty() => 0,
        None => return None,
    };
    let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds);
    let total = seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos)?;
    Some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dates_of_defaults() {
        let check = |text: &str, expected: Option<(i32, u32, u32, i64)>| {
            let read = Parsed::read(text).map(|p| (p.day.year, p.day.month, p.day.day, p.nanos_of_day));
            assert_eq!(read, expected, "{text}");
        };
        check("2024-01-31", Some((2024, 1, 31, 0)));
        check("2024-02-31", Some((2024, 2, 29, 0)));
        check("2024-01-31 10:11:12.5", Some((2024, 1, 31, 36_672_500_000_000)));
        check("2024-01-31 10:11", Some((2024, 1, 31, 36_660_000_000_000)));
        check("2024-1-31", None);
        check("0000-01-01", None);
        check("2024-01-31 24:00:00", None);
        check("2024-01-31 10:11:12x", None);
        assert_eq!(Parsed::read_loosely("2024/1/31 10.11.12").unwrap().nanos_of_day, 36_672_000_000_000);
        assert_eq!(Parsed::read_loosely("2024-01-31").unwrap().day.day, 31);
        assert_eq!(Parsed::read_loosely("20240131"), None);
    }

    #[test]
    fn zeros_of_defaults() {
        assert!(zero_date("0000-00-00") && zero_date("2024-00-01") && zero_date("2024-01-00"));
        assert!(!zero_date("2024-01-01") && !zero_date("0000-00-00 "));
        assert!(zero_timestamp("0000-00-00 00:00:00") && zero_timestamp("0000-00-00 00:00:00.000"));
        assert!(!zero_timestamp("0000-00-00 00:00:01") && !zero_timestamp("0000-00-00"));
    }

    #[test]
    fn durations_of_defaults() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(duration(text), expected, "{text}");
        check("-00:00:01", Some(-1_000_000_000));
        check("838:59:59", Some(3_020_399_000_000_000));
        check("00:00:00.5", Some(500_000_000));
        check("2000-01-01 00:00:01", Some(1_000_000_000));
        check("0", None);
    }
}
