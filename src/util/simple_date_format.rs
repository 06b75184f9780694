//! `java.text.SimpleDateFormat` in UTC and English, for the transforms that name topics and fields by the time.
//!
//! In: a pattern; then milliseconds since the epoch, or text. Out: text, or milliseconds. Promised: what Java writes, in
//! its hybrid calendar (Julian before 15 October 1582), and what Java reads leniently: fields out of range roll over,
//! text behind what the pattern takes is left alone. A pattern that Java refuses is refused. Letters that only say
//! where in a week a day lies (`G`, `Y`, `w`, `W`, `F`, `u`) are written and not read.
//!
//! Source: the class's page in the JDK's API documentation; names are those of the locale `en_US`, weeks begin on
//! Sunday.

use std::fmt::Write as _;

use crate::util::clock;

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{pattern}' is not a pattern of SimpleDateFormat: {reason}")]
pub struct PatternError {
    /// As written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Longest run of one letter; Java's limit is far beyond what anyone means.
const LONGEST_RUN: usize = 64;

/// The first day of the Gregorian calendar, 15 October 1582, in milliseconds since the epoch.
const CUTOVER_MS: i64 = -12_219_292_800_000;

const DAY_MS: i64 = 86_400_000;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A letter and how often it stands there.
    Field(char, usize),
    /// Text as it is.
    Text(String),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct SimpleDateFormat {
    parts: Vec<Part>,
    /// The year from which on years of two digits are read: 80 years before the pattern was made.
    century_from: i64,
}

impl SimpleDateFormat {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When Java refuses it.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let refused = |reason: String| PatternError { pattern: pattern.to_owned(), reason };
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(letter) = rest.next() {
            if letter == '\'' {
                quoted(&mut rest, &mut parts).map_err(|reason| refused(reason.to_owned()))?;
            } else if letter.is_ascii_alphabetic() {
                if !"GyYMLwWDdFEuaHkKhmsSzZX".contains(letter) {
                    return Err(refused(format!("the letter {letter} means nothing")));
                }
                let mut count = 1;
                while rest.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                if count > LONGEST_RUN || (letter == 'X' && count > 3) {
                    return Err(refused(format!("{count} times {letter}")));
                }
                parts.push(Part::Field(letter, count));
            } else {
                push_text(&mut parts, letter);
            }
        }
        let century_from = Calendar::of(clock::now_ms()).year - 80;
        Ok(SimpleDateFormat { parts, century_from })
    }

    /// Appends the text of a time.
    pub fn format(&self, millis: i64, out: &mut impl std::fmt::Write) {
        let at = Calendar::of(millis);
        for part in &self.parts {
            // Writing to text in memory cannot fail.
            let _ = match part {
                Part::Text(text) => out.write_str(text),
                Part::Field(letter, count) => at.write(*letter, *count, out),
            };
        }
    }

    /// The time that the beginning of a text says; none where it does not match.
    pub fn parse(&self, text: &str) -> Option<i64> {
        let (mut read, mut rest) = (Read::default(), text);
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Text(expected) => rest = rest.strip_prefix(expected.as_str())?,
                Part::Field(letter, count) => {
                    let whole = rest;
                    rest = rest.trim_start_matches([' ', '\t']);
                    let adjoins = matches!(self.parts.get(index + 1), Some(Part::Field(..)));
                    // Where digits of two fields adjoin, the first takes as many as its letters, blanks among them.
                    let width = adjoins.then(|| count.saturating_sub(whole.len() - rest.len()));
                    rest = read.take(*letter, *count, rest, width, self.century_from)?;
                }
            }
        }
        read.millis()
    }
}

fn push_text(parts: &mut Vec<Part>, letter: char) {
    if let Some(Part::Text(text)) = parts.last_mut() {
        text.push(letter);
    } else {
        parts.push(Part::Text(letter.into()));
    }
}

/// What stands between quotes; two of them are one, inside and outside.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, parts: &mut Vec<Part>) -> Result<(), &'static str> {
    if rest.next_if_eq(&'\'').is_some() {
        push_text(parts, '\'');
        return Ok(());
    }
    loop {
        match rest.next() {
            Some('\'') if rest.next_if_eq(&'\'').is_some() => push_text(parts, '\''),
            Some('\'') => return Ok(()),
            Some(letter) => push_text(parts, letter),
            None => return Err("a quote is not closed"),
        }
    }
}

/// A time in the parts of Java's hybrid calendar, in UTC.
struct Calendar {
    /// Astronomical: 0 is 1 BC.
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    /// 0 is Sunday.
    weekday: i64,
    millis_of_day: i64,
    julian: bool,
}

impl Calendar {
    fn of(millis: i64) -> Calendar {
        let (days, millis_of_day) = (millis.div_euclid(DAY_MS), millis.rem_euclid(DAY_MS));
        let julian = millis < CUTOVER_MS;
        let (year, month, day) = civil(days, julian);
        Calendar {
            year,
            month,
            day,
            day_of_year: days - days_from(year, 1, 1, julian) + 1,
            weekday: (days + 4).rem_euclid(7),
            millis_of_day,
            julian,
        }
    }

    /// The week of the year, and the year that the week belongs to. Week 1 holds 1 January.
    fn week(&self) -> (i64, i64) {
        let first = (self.weekday - (self.day_of_year - 1)).rem_euclid(7);
        let next_first = days_from(self.year + 1, 1, 1, self.julian) - days_from(self.year, 1, 1, self.julian);
        let days_left = next_first - self.day_of_year;
        if days_left < 6 - self.weekday {
            return (1, self.year + 1);
        }
        ((self.day_of_year - 1 + first) / 7 + 1, self.year)
    }

    fn write(&self, letter: char, count: usize, out: &mut impl std::fmt::Write) -> std::fmt::Result {
        let name = |names: &[&'static str], index: i64, short: bool| {
            let name = usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
            if short { name.get(..3).unwrap_or(name) } else { name }
        };
        let of_era = |year: i64| if year > 0 { year } else { 1 - year };
        let hour = self.millis_of_day / 3_600_000;
        let number = match letter {
            'G' => return out.write_str(if self.year > 0 { "AD" } else { "BC" }),
            'y' | 'Y' => {
                let year = if letter == 'y' { of_era(self.year) } else { self.week().1 };
                return if count == 2 { write!(out, "{:02}", year % 100) } else { write!(out, "{year:0count$}") };
            }
            'M' | 'L' if count >= 3 => return out.write_str(name(&MONTHS, self.month - 1, count == 3)),
            'M' | 'L' => self.month,
            'w' => self.week().0,
            'W' => (self.day - 1 + (self.weekday - (self.day - 1)).rem_euclid(7)) / 7 + 1,
            'D' => self.day_of_year,
            'd' => self.day,
            'F' => (self.day - 1) / 7 + 1,
            'E' => return out.write_str(name(&WEEKDAYS, self.weekday, count < 4)),
            'u' => (self.weekday + 6) % 7 + 1,
            'a' => return out.write_str(if hour < 12 { "AM" } else { "PM" }),
            'H' => hour,
            'k' => (hour + 23) % 24 + 1,
            'K' => hour % 12,
            'h' => (hour + 11) % 12 + 1,
            'm' => self.millis_of_day / 60_000 % 60,
            's' => self.millis_of_day / 1_000 % 60,
            'S' => self.millis_of_day % 1_000,
            'z' => return out.write_str(if count < 4 { "UTC" } else { "Coordinated Universal Time" }),
            'Z' => return out.write_str("+0000"),
            _ => return out.write_str("Z"),
        };
        write!(out, "{number:0count$}")
    }
}

/// Year, month and day of a number of days since the epoch. Years are counted from 1 March, so that the leap day is last.
fn civil(days: i64, julian: bool) -> (i64, i64, i64) {
    let (years, day_of_year) = if julian {
        // 1 March of year 0 lies two days earlier in the Julian calendar.
        let shifted = days + 719_470;
        let (cycle, day) = (shifted.div_euclid(1_461), shifted.rem_euclid(1_461));
        let year = (day - day / 1_460) / 365;
        (cycle * 4 + year, day - year * 365)
    } else {
        let shifted = days + 719_468;
        let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        (era * 400 + year, day - (365 * year + year / 4 - year / 100))
    };
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (years + i64::from(month <= 2), month, day)
}

/// Days since the epoch. The day may be any number.
fn days_from(year: i64, month: i64, day: i64, julian: bool) -> i64 {
    let year = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let leap_days =
        if julian { year.div_euclid(4) - 2 } else { year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) };
    year * 365 + leap_days + day_of_year + day - 1 - 719_468
}

/// What was read of a text.
#[derive(Default)]
struct Read {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    afternoon: bool,
    hour: Option<i64>,
    half_hour: Option<i64>,
    minute: i64,
    second: i64,
    millisecond: i64,
    zone_ms: i64,
}

impl Read {
    /// Takes a field off the front of a text and gives the rest.
    fn take<'t>(
        &mut self,
        letter: char,
        count: usize,
        text: &'t str,
        width: Option<usize>,
        century_from: i64,
    ) -> Option<&'t str> {
        match letter {
            'M' | 'L' if count >= 3 => {
                let (index, rest) = one_of(&MONTHS, text)?;
                self.month = Some(index + 1);
                return Some(rest);
            }
            // A day of the week yields to a day of the month; without one Java would look for it in this week.
            'E' => return one_of(&WEEKDAYS, text).map(|(_, rest)| rest),
            'a' => {
                let half = text.get(..2)?;
                self.afternoon = half.eq_ignore_ascii_case("PM");
                return (self.afternoon || half.eq_ignore_ascii_case("AM")).then(|| text.get(2..))?;
            }
            'z' | 'Z' | 'X' => {
                let (zone_ms, rest) = zone(letter, count, text)?;
                self.zone_ms = zone_ms;
                return Some(rest);
            }
            'G' | 'Y' | 'w' | 'W' | 'F' | 'u' => return None,
            _ => {}
        }
        let digits = text.bytes().take(width.unwrap_or(usize::MAX)).take_while(u8::is_ascii_digit).count();
        // Nine digits are more than any field needs, and cannot overflow what is reckoned from them.
        let (number, rest) = text.split_at_checked(digits).filter(|(digits, _)| (1..=9).contains(&digits.len()))?;
        let number: i64 = number.parse().ok()?;
        match letter {
            'y' if count <= 2 && digits == 2 => {
                let (century, within) = (century_from.div_euclid(100) * 100, century_from.rem_euclid(100));
                self.year = Some(number + century + if number < within { 100 } else { 0 });
            }
            'y' => self.year = Some(number),
            'M' | 'L' => self.month = Some(number),
            'd' => self.day = Some(number),
            'D' => self.day_of_year = Some(number),
            'H' => self.hour = Some(number),
            'k' => self.hour = Some(number % 24),
            'K' => self.half_hour = Some(number),
            'h' => self.half_hour = Some(number % 12),
            'm' => self.minute = number,
            's' => self.second = number,
            _ => self.millisecond = number,
        }
        Some(rest)
    }

    fn millis(&self) -> Option<i64> {
        let half = self.half_hour.unwrap_or(0) + if self.afternoon { 12 } else { 0 };
        let time =
            self.hour.unwrap_or(half) * 3_600_000 + self.minute * 60_000 + self.second * 1_000 + self.millisecond
                - self.zone_ms;
        let year = self.year.unwrap_or(1970);
        let at = |julian: bool| match (self.day_of_year, self.month, self.day) {
            (Some(day), None, None) => days_from(year, 1, day, julian),
            (_, month, day) => {
                let month = month.unwrap_or(1) - 1;
                days_from(year + month.div_euclid(12), month.rem_euclid(12) + 1, day.unwrap_or(1), julian)
            }
        };
        let gregorian = at(false).checked_mul(DAY_MS)?.checked_add(time)?;
        if gregorian >= CUTOVER_MS { Some(gregorian) } else { at(true).checked_mul(DAY_MS)?.checked_add(time) }
    }
}

/// A name or its first three letters, in any case; the longest is taken.
fn one_of<'t>(names: &[&str], text: &'t str) -> Option<(i64, &'t str)> {
    let begins = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    for (index, name) in names.iter().enumerate() {
        let short = name.get(..3).unwrap_or(name);
        if begins(short) {
            let taken = if begins(name) { name } else { short };
            return Some((i64::try_from(index).ok()?, text.get(taken.len()..)?));
        }
    }
    None
}

/// An offset from UTC in milliseconds. `X` takes `Z` or `+hh`, `XX` `+hhmm`, `XXX` `+hh:mm`; `z` and `Z` take `+hhmm`,
/// `UTC`, `GMT`, `GMT+hh:mm`.
fn zone(letter: char, count: usize, text: &str) -> Option<(i64, &str)> {
    if letter == 'X' {
        return match text.strip_prefix('Z') {
            Some(rest) => Some((0, rest)),
            None => offset(text, count > 1, count > 2),
        };
    }
    match text.get(..3) {
        Some(name) if name.eq_ignore_ascii_case("GMT") || name.eq_ignore_ascii_case("UTC") => {
            let rest = text.get(3..)?;
            offset(rest, true, true).or(Some((0, rest)))
        }
        _ => offset(text, true, false),
    }
}

fn offset(text: &str, with_minutes: bool, with_colon: bool) -> Option<(i64, &str)> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let two = |text: &str| text.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_digit()))?.parse::<i64>().ok();
    let (hours, mut rest) = (two(rest)?, rest.get(2..)?);
    let mut minutes = 0;
    if with_minutes {
        rest = if with_colon { rest.strip_prefix(':')? } else { rest };
        (minutes, rest) = (two(rest)?, rest.get(2..)?);
    }
    (hours < 24 && minutes < 60).then_some((sign * (hours * 60 + minutes) * 60_000, rest))
}

impl std::fmt::Display for SimpleDateFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in &self.parts {
            match part {
                Part::Field(letter, count) => (0..*count).try_for_each(|_| f.write_char(*letter))?,
                Part::Text(text) => write!(f, "'{text}'")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn formats(pattern: &str, millis: i64, expected: &str) {
        let mut text = String::new();
        SimpleDateFormat::new(pattern).unwrap().format(millis, &mut text);
        assert_eq!(text, expected, "{pattern} {millis}");
    }

    /// As a JDK 17 wrote them.
    #[test]
    fn times_are_written_as_java_writes_them() {
        let rows = [
            ("G", ["AD", "AD", "AD"]),
            ("yy", ["23", "01", "58"]),
            ("yyyy", ["2023", "0001", "1558"]),
            ("y", ["2023", "1", "1558"]),
            ("yyyyy", ["02023", "00001", "01558"]),
            ("M", ["11", "1", "1"]),
            ("MM", ["11", "01", "01"]),
            ("MMM", ["Nov", "Jan", "Jan"]),
            ("MMMM", ["November", "January", "January"]),
            ("LLL", ["Nov", "Jan", "Jan"]),
            ("d", ["14", "3", "8"]),
            ("DDD", ["318", "003", "008"]),
            ("F", ["2", "1", "2"]),
            ("E", ["Tue", "Mon", "Sat"]),
            ("EEEE", ["Tuesday", "Monday", "Saturday"]),
            ("u", ["2", "1", "6"]),
            ("a", ["PM", "AM", "AM"]),
            ("H k K h", ["22 22 10 10", "0 24 0 12", "0 24 0 12"]),
            ("m s S", ["13 20 123", "0 0 0", "53 19 999"]),
            ("SSSSSS", ["000123", "000000", "000999"]),
            ("z zzzz Z X", ["UTC Coordinated Universal Time +0000 Z"; 3]),
            ("w W", ["46 3", "2 2", "2 2"]),
            ("Y YY", ["2023 23", "1 01", "1558 58"]),
            (
                "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
                ["2023-11-14T22:13:20.123Z", "0001-01-03T00:00:00.000Z", "1558-01-08T00:53:19.999Z"],
            ),
            ("''yyyy 'o''clock'", ["'2023 o'clock", "'0001 o'clock", "'1558 o'clock"]),
        ];
        for (pattern, expected) in rows {
            for (millis, expected) in [1_700_000_000_123, -62_135_596_800_000, -13_000_000_000_001].iter().zip(expected)
            {
                formats(pattern, *millis, expected);
            }
        }
        formats("yyyy-MM-dd", CUTOVER_MS, "1582-10-15");
        formats("yyyy-MM-dd", CUTOVER_MS - 1, "1582-10-04");
    }

    #[test]
    fn texts_are_read_as_java_reads_them() {
        let check = |pattern: &str, text: &str, expected: Option<i64>| {
            assert_eq!(SimpleDateFormat::new(pattern).unwrap().parse(text), expected, "{pattern} {text}");
        };
        check("yyyy-MM-dd HH:mm:ss.SSS", "2023-11-14 22:13:20.123", Some(1_700_000_000_123));
        check("yyyy-MM-dd'T'HH:mm:ssX", "2023-11-14T23:13:20+01:00 and more", Some(1_700_000_000_000));
        check("yyyyMMddHHmmss", "20231114221320", Some(1_700_000_000_000));
        check("yyyy-MM-dd", "2023-14-45", Some(1_710_547_200_000));
        check("d MMM yyyy", "14 nov 2023", Some(1_699_920_000_000));
        check("EEE, d MMMM yyyy h:mm a z", "Tue, 14 November 2023 10:13 PM GMT", Some(1_699_999_980_000));
        check("yyyy-MM-dd", "0001-01-03", Some(-62_135_596_800_000));
        check("MM/dd/yy", "01/02/24", Some(1_704_153_600_000));
        check("yyyy-MM-dd", "2023/11/14", None);
        check("yyyy", "x", None);
        check("HH:mm", "25:61", Some(93_660_000));
        check("yyyy-MM-dd HH:mm:ss.SSSSSS", "2023-11-14 22:13:20.123456", Some(1_700_000_123_456));
        check("yyyy-MM-dd HH:mm:ssz", "2023-11-14 22:13:20+0100", Some(1_699_996_400_000));
        check("yyyy-MM-dd HH:mm:ssX", "2023-11-14 22:13:20+0130", Some(1_699_996_400_000));
        check("yyyy-MM-dd HH:mm:ssXXX", "2023-11-14 22:13:20+01", None);
        check("yyyy-MM-dd HH:mm:ssZ", "2023-11-14 22:13:20+01:30", None);
        check("D yyyy", "45 2020", Some(1_581_638_400_000));
        check("yyyy MM", "2020   05", Some(1_588_291_200_000));
        check("HHmm", " 930", Some(34_200_000));
        check("yyyy-MM-dd", "2023-1-1", Some(1_672_531_200_000));
        check("hh:mm", "12:30", Some(1_800_000));
        check("KK:mm a", "11:30 pm", Some(84_600_000));
    }

    #[test]
    fn patterns_that_java_refuses_are_refused() {
        for pattern in ["yyyy-MM-ddT", "b", "'open", "XXXX"] {
            assert!(SimpleDateFormat::new(pattern).is_err(), "{pattern}");
        }
    }
}
