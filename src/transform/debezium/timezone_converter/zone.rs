//! A time zone as Java's `ZoneRules` answers for it: which offset holds at an instant, and at a date and time of the
//! zone's own clocks.
//!
//! In: the zone's name or offset, once; then seconds. Out: seconds east of UTC. Promised: where clocks are set and a
//! time comes twice or never, the offset from before; years that the library does not know have the rules of the same
//! year in an earlier cycle of 400 years, which is the same calendar. The rules are IANA's, built in: what a machine has
//! installed plays no part.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

/// Seconds of the 400 years after which the Gregorian calendar repeats, weekdays included.
const CYCLE: i64 = 146_097 * 86_400;
/// 9999-01-01T00:00:00Z: from here on the same moment of an earlier cycle is asked for.
const LATE: i64 = 253_370_764_800;
/// How far an offset may be from UTC: Java's `ZoneOffset.MAX`.
const OFFSET_MAXIMUM: i32 = 18 * 3_600;

/// A zone.
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of this name (`Europe/Paris`), or of this offset (`+05:30`, `-06:00:30`); names in IANA's own letters.
    pub fn parse(text: &str) -> Option<Zone> {
        if let Some(seconds) = offset(text) {
            let offset = Offset::from_seconds(seconds).ok().filter(|_| seconds.abs() <= OFFSET_MAXIMUM)?;
            return Some(Zone(TimeZone::fixed(offset)));
        }
        let zone = TimeZoneDatabase::bundled().get(text).ok()?;
        (zone.iana_name() == Some(text)).then_some(Zone(zone))
    }

    /// The offset at an instant, in seconds since the epoch.
    pub fn at(&self, instant: i64) -> i32 {
        self.0.to_offset(known(instant)).seconds()
    }

    /// The offset at a date and time of this zone's clocks, in seconds as if the clocks showed UTC.
    pub fn at_local(&self, local: i64) -> i32 {
        self.at_clock(Offset::UTC.to_datetime(known(local))).seconds()
    }

    fn at_clock(&self, clock: DateTime) -> Offset {
        match self.0.to_ambiguous_timestamp(clock).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
        }
    }

    /// An ISO 8601 date and time with offset, as this zone's clocks show it. The offset is the one that holds when
    /// they show the text's own date and time, as Debezium has it, though that is another moment.
    pub fn date_time(&self, text: &str) -> Option<String> {
        let pieces = Pieces::parse(text).ok()?;
        let clock = DateTime::from_parts(pieces.date(), pieces.time()?);
        let instant = pieces.to_numeric_offset()?.to_timestamp(clock).ok()?;
        let offset = self.at_clock(clock);
        Some(format!("{}{}", offset.to_datetime(instant), Suffix(offset)))
    }

    /// An ISO 8601 time with offset, as this zone's clocks show it at an instant.
    pub fn time(&self, text: &str, instant: i64) -> Option<String> {
        let day = format!("1970-01-01T{text}");
        let pieces = Pieces::parse(&day).ok()?;
        let time: Time = pieces.time()?;
        let offset = self.0.to_offset(known(instant));
        let apart = i64::from(offset.seconds()) - i64::from(pieces.to_numeric_offset()?.seconds());
        let shown = time.wrapping_add(jiff::SignedDuration::from_secs(apart));
        Some(format!("{shown}{}", Suffix(offset)))
    }
}

/// The same moment, or one of an earlier cycle, within what the library knows.
fn known(seconds: i64) -> Timestamp {
    let seconds = if seconds < LATE { seconds } else { LATE - CYCLE + (seconds - LATE) % CYCLE };
    let earliest = Date::constant(-9998, 1, 1).to_datetime(Time::midnight());
    let earliest = Offset::UTC.to_timestamp(earliest).unwrap_or(Timestamp::UNIX_EPOCH);
    Timestamp::from_second(seconds).unwrap_or(earliest).max(earliest)
}

/// `+05:30` in seconds; none where the text is no offset at all.
fn offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let mut seconds = 0;
    let parts: Vec<&str> = rest.split(':').collect();
    for (part, worth) in parts.iter().zip([3_600, 60, 1]) {
        let number: i32 = part.parse().ok().filter(|_| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))?;
        if worth < 3_600 && number > 59 {
            return None;
        }
        seconds += number * worth;
    }
    matches!(parts.len(), 2 | 3).then_some(sign * seconds)
}

/// An offset behind a time: `Z`, `+01:00`, `-04:56:02`.
struct Suffix(Offset);

impl std::fmt::Display for Suffix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.seconds();
        let (sign, whole) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
        match (whole, whole % 60) {
            (0, _) => f.write_str("Z"),
            (_, 0) => write!(f, "{sign}{:02}:{:02}", whole / 3_600, whole / 60 % 60),
            (_, odd) => write!(f, "{sign}{:02}:{:02}:{odd:02}", whole / 3_600, whole / 60 % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn zones_have_names_or_offsets() {
        let check = |text: &str, known: bool| assert_eq!(Zone::parse(text).is_some(), known, "{text}");
        for text in ["Europe/Paris", "UTC", "Etc/GMT+8", "Asia/Calcutta", "+00:00", "-18:00", "+08:00:00"] {
            check(text, true);
        }
        for text in ["Asia", "europe/paris", "", "+8:00", "+18:01", "+05:60", "+05", "05:30", "PST", "+05:30:00:00"] {
            check(text, false);
        }
    }

    #[test]
    fn offsets_are_those_of_java() {
        let check = |zone: &str, local: &str, seconds: i32| {
            let clock: DateTime = local.parse().unwrap();
            let local_seconds = Offset::UTC.to_timestamp(clock).unwrap().as_second();
            assert_eq!(Zone::parse(zone).unwrap().at_local(local_seconds), seconds, "{zone} {local}");
        };
        check("Europe/Paris", "2014-06-22T10:15:30", 7_200);
        check("Europe/Paris", "2014-12-22T10:15:30", 3_600);
        // Clocks are set forward: 02:30 does not come. Back: 02:30 comes twice. Before the change is what counts.
        check("Europe/Paris", "2024-03-31T02:30:00", 3_600);
        check("Europe/Paris", "2024-10-27T02:30:00", 7_200);
        check("America/New_York", "1800-01-01T00:00:00", -(4 * 3_600 + 56 * 60 + 2));
        check("Europe/Moscow", "2012-01-01T00:00:00", 4 * 3_600);
        let paris = Zone::parse("Europe/Paris").unwrap();
        // 9999-07-01 and 12024-07-01: summer; the least that 64 bits hold: before any rule.
        for (seconds, expected) in [(253_386_403_200, 7_200), (317_290_000_000, 7_200), (i64::MIN, 561)] {
            assert_eq!(paris.at_local(seconds), expected, "{seconds}");
        }
        assert_eq!(paris.at(1_711_846_799), 3_600);
        assert_eq!(paris.at(1_711_846_800), 7_200);
    }

    #[test]
    fn texts_are_written_as_java_writes_them() {
        let date_time = |zone: &str, text: &str, expected: Option<&str>| {
            assert_eq!(Zone::parse(zone).unwrap().date_time(text).as_deref(), expected, "{zone} {text}");
        };
        date_time("+05:30", "2018-01-02T11:15:30.123456789+00:00", Some("2018-01-02T16:45:30.123456789+05:30"));
        date_time("Pacific/Easter", "2011-01-11T16:40:30.120Z", Some("2011-01-11T11:40:30.12-05:00"));
        date_time("UTC", "2020-05-01T11:55:00+02:00", Some("2020-05-01T09:55:00Z"));
        date_time("Europe/Paris", "2024-03-31T01:30:00Z", Some("2024-03-31T02:30:00+01:00"));
        date_time("UTC", "2020-05-01T11:55:00", None);
        date_time("UTC", "2020-05-01", None);
        date_time("UTC", "soon", None);
        let time = |zone: &str, text: &str, expected: Option<&str>| {
            assert_eq!(Zone::parse(zone).unwrap().time(text, 1_700_000_000).as_deref(), expected, "{zone} {text}");
        };
        time("+05:30", "11:15:30.123456789+00:00", Some("16:45:30.123456789+05:30"));
        time("Asia/Kolkata", "23:55:30Z", Some("05:25:30+05:30"));
        time("Europe/Paris", "12:00:00+01:00", Some("12:00:00+01:00"));
        time("UTC", "12:00:00", None);
    }
}
