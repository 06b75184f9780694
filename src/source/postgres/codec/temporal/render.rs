//! ISO 8601 text as Java's formatters write it.

use super::MICROS_PER_SECOND;
use crate::source::codec::calendar::{Day, Line};

/// A year of four digits or more, with a sign where it has more or is before the year 0.
fn year(line: &mut Line, year: i32) {
    match year {
        ..0 => line.push(b'-'),
        0..=9_999 => {}
        10_000.. => line.push(b'+'),
    }
    let digits = year.unsigned_abs();
    let width = (digits.checked_ilog10().unwrap_or(0) as usize + 1).max(4);
    line.digits(digits, width);
}

/// `2024-01-31`.
pub(super) fn day(line: &mut Line, days: i64) {
    let day = Day::at(days);
    year(line, day.year);
    line.push(b'-');
    line.digits(day.month, 2);
    line.push(b'-');
    line.digits(day.day, 2);
}

/// `10:11:12.5`: with so many digits behind the second, or as many as are needed.
pub(super) fn time(line: &mut Line, micros: i64, fraction: Option<usize>) {
    let seconds = (micros / MICROS_PER_SECOND) as u32;
    line.digits(seconds / 3600 % 24, 2);
    line.push(b':');
    line.digits(seconds / 60 % 60, 2);
    line.push(b':');
    line.digits(seconds % 60, 2);
    let mut rest = (micros % MICROS_PER_SECOND) as u32;
    let width = match fraction {
        Some(width) => width.min(9),
        None if rest == 0 => return,
        None => 6,
    };
    line.push(b'.');
    match fraction {
        Some(width) if width >= 6 => {
            line.digits(rest, 6);
            line.digits(0, width - 6);
        }
        Some(width) => line.digits(rest / 10_u32.pow(6 - width as u32), width),
        None => {
            let mut width = width;
            while rest.is_multiple_of(10) {
                rest /= 10;
                width -= 1;
            }
            line.digits(rest, width);
        }
    }
}
