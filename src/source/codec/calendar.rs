//! The proleptic Gregorian calendar and ISO 8601 text, without allocation.

/// Seconds of a day.
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;
/// Nanoseconds of a second.
pub(crate) const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Nanoseconds of a day.
pub(crate) const NANOS_PER_DAY: i64 = SECONDS_PER_DAY * NANOS_PER_SECOND;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    pub year: i32,
    pub month: u32,
    pub day: u32,
}

/// 1970-01-01.
pub(crate) const EPOCH: Day = Day { year: 1970, month: 1, day: 1 };

fn leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days a month has; 0 for no month.
pub(crate) fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap(year)),
        _ => 0,
    }
}

impl Day {
    /// Whether there is such a day.
    #[inline]
    pub fn exists(self) -> bool {
        self.day >= 1
            && (self.day <= 28 && matches!(self.month, 1..=12) || self.day <= days_in_month(self.year, self.month))
    }

    /// Two-digit years as MySQL means them: 0 to 69 are of this century, 70 to 99 of the last.
    #[inline]
    pub fn adjusted(self) -> Day {
        let year = match self.year {
            0..=69 => self.year + 2000,
            70..=99 => self.year + 1900,
            _ => self.year,
        };
        Day { year, ..self }
    }

    /// Days since the epoch. Counts from 1 March, so that the leap day comes last (Howard Hinnant's
    /// `days_from_civil`).
    #[inline]
    pub fn since_epoch(self) -> i32 {
        let year = self.year - i32::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = (self.month as i32 + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + self.day as i32 - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The day so many days after the epoch.
    #[inline]
    pub fn at(days: i64) -> Day {
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * shifted + 2) / 5 + 1) as u32;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
        Day { year: (year_of_era + era * 400) as i32 + i32::from(month <= 2), month, day }
    }
}

/// Text that is made on the stack.
pub(crate) struct Line {
    bytes: [u8; 48],
    length: usize,
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Line { bytes: [0; 48], length: 0 }
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Writes one character of ASCII.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    /// Writes characters of ASCII, if they fit.
    #[inline]
    pub fn write(&mut self, text: &[u8]) {
        if let Some(places) = self.bytes.get_mut(self.length..self.length + text.len()) {
            places.copy_from_slice(text);
            self.length += text.len();
        }
    }

    /// Writes a number in exactly `width` digits, cutting what is above.
    #[inline]
    pub fn digits(&mut self, mut value: u32, width: usize) {
        if let Some(places) = self.bytes.get_mut(self.length..self.length + width) {
            for place in places.iter_mut().rev() {
                *place = b'0' + (value % 10) as u8;
                value /= 10;
            }
            self.length += width;
        }
    }

    /// `2024-01-31`.
    pub fn day(&mut self, day: Day) {
        self.digits(day.year as u32, 4);
        self.push(b'-');
        self.digits(day.month, 2);
        self.push(b'-');
        self.digits(day.day, 2);
    }

    /// `10:11:12`, and a fraction of `fraction` digits, or of as many as are needed.
    pub fn time(&mut self, nanos_of_day: i64, fraction: Option<usize>) {
        let seconds = (nanos_of_day / NANOS_PER_SECOND) as u32;
        let nanos = (nanos_of_day % NANOS_PER_SECOND) as u32;
        self.digits(seconds / 3600, 2);
        self.push(b':');
        self.digits(seconds / 60 % 60, 2);
        self.push(b':');
        self.digits(seconds % 60, 2);
        match fraction {
            Some(width) => {
                self.push(b'.');
                self.digits(nanos / 10_u32.pow(9_u32.saturating_sub(width as u32)), width);
            }
            None if nanos > 0 => {
                let mut nanos = nanos;
                let mut width = 9;
                while nanos.is_multiple_of(10) {
                    nanos /= 10;
                    width -= 1;
                }
                self.push(b'.');
                self.digits(nanos, width);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back() {
        for days in (-719_528..=2_932_896).step_by(13) {
            let day = Day::at(i64::from(days));
            assert!(day.exists(), "{day:?}");
            assert_eq!(day.since_epoch(), days, "{day:?}");
        }
        let check = |year: i32, month: u32, day: u32, days: i32| {
            assert_eq!(Day { year, month, day }.since_epoch(), days);
        };
        check(1970, 1, 1, 0);
        check(2000, 2, 29, 11_016);
        check(9999, 12, 31, 2_932_896);
        check(1, 1, 1, -719_162);
    }

    #[test]
    fn only_days_of_the_calendar_exist() {
        let check = |year: i32, month: u32, day: u32, exists: bool| {
            assert_eq!(Day { year, month, day }.exists(), exists, "{year}-{month}-{day}");
        };
        check(2024, 2, 29, true);
        check(2023, 2, 29, false);
        check(1900, 2, 29, false);
        check(2024, 4, 31, false);
        check(2024, 13, 1, false);
        check(2024, 0, 1, false);
        check(2024, 1, 0, false);
    }
}
