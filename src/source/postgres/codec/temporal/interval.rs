//! INTERVAL.
//!
//! In: the text of `IntervalStyle` postgres (`1 year 2 mons 3 days 04:05:06.789`), postgres_verbose or iso_8601. Out, by
//! `interval.handling.mode`: microseconds with months of 365.25 / 12 days, computed in doubles as Debezium does, or
//! `P1Y2M3DT4H5M6.789S`.

use super::{MICROS_PER_SECOND, semantic};
use crate::model::modes::IntervalHandlingMode;
use crate::model::schema::Kind;
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::plan::{Decode, Fallback, Plan};
use crate::source::postgres::codec::Context;
use crate::source::postgres::codec::default_value::{self, Kind as DefaultKind};

/// Days of a month, as Debezium's `MicroDuration.DAYS_PER_MONTH_AVG`.
const DAYS_PER_MONTH: f64 = 365.25 / 12.0;

/// An interval's parts, each with a sign of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Interval {
    years: i32,
    months: i32,
    days: i32,
    hours: i32,
    minutes: i32,
    /// Seconds in microseconds.
    micros: i64,
}

fn invalid() -> ValueError {
    ValueError::Invalid { column_type: "interval", reason: "not an interval of a style that is known" }
}

/// A number with a fraction of up to six digits, in millionths.
fn millionths(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let known = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 6 || !known(whole) || !known(fraction) {
        return None;
    }
    let micros: i64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let micros = micros * 10_i64.pow(6 - fraction.len() as u32);
    let total = whole.parse::<i64>().ok()?.checked_mul(MICROS_PER_SECOND)?.checked_add(micros)?;
    Some(if negative { -total } else { total })
}

impl Interval {
    /// Reads any of the three styles.
    pub fn read(text: &str) -> Option<Interval> {
        match text.strip_prefix('P') {
            Some(iso) => Interval::read_iso(iso),
            None => Interval::read_postgres(text),
        }
    }

    fn read_iso(text: &str) -> Option<Interval> {
        let mut out = Interval::default();
        let (mut rest, mut timed) = (text, false);
        while !rest.is_empty() {
            if let Some(behind) = rest.strip_prefix('T') {
                (rest, timed) = (behind, true);
                continue;
            }
            let unit = rest.find(|c: char| c.is_ascii_alphabetic())?;
            let (number, behind) = rest.split_at_checked(unit)?;
            let mut letters = behind.chars();
            match (letters.next()?, timed) {
                ('Y', false) => out.years = number.parse().ok()?,
                ('M', false) => out.months = number.parse().ok()?,
                ('W', false) => out.days = number.parse::<i32>().ok()?.checked_mul(7)?,
                ('D', false) => out.days = number.parse().ok()?,
                ('H', true) => out.hours = number.parse().ok()?,
                ('M', true) => out.minutes = number.parse().ok()?,
                ('S', true) => out.micros = millionths(number)?,
                _ => return None,
            }
            rest = letters.as_str();
        }
        Some(out)
    }

    fn read_postgres(text: &str) -> Option<Interval> {
        let mut out = Interval::default();
        let mut words = text.trim_start_matches('@').split_ascii_whitespace();
        let mut ago = false;
        while let Some(word) = words.next() {
            if word == "ago" {
                ago = true;
                continue;
            }
            if word.contains(':') {
                out.read_clock(word)?;
                continue;
            }
            let number = || word.parse::<i32>().ok();
            match words.next() {
                Some("year" | "years") => out.years = number()?,
                Some("mon" | "mons" | "month" | "months") => out.months = number()?,
                Some("week" | "weeks") => out.days = number()?.checked_mul(7)?,
                Some("day" | "days") => out.days = out.days.checked_add(number()?)?,
                Some("hour" | "hours") => out.hours = number()?,
                Some("min" | "mins" | "minute" | "minutes") => out.minutes = number()?,
                Some("sec" | "secs" | "second" | "seconds") => out.micros = millionths(word)?,
                // `0`, of the verbose style.
                None if word == "0" => {}
                Some(_) | None => return None,
            }
        }
        if ago { out.negated() } else { Some(out) }
    }

    /// `-04:05:06.789`: the sign is that of every part.
    fn read_clock(&mut self, word: &str) -> Option<()> {
        let (negative, word) = match word.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, word.strip_prefix('+').unwrap_or(word)),
        };
        let mut parts = word.split(':');
        let (hours, minutes): (i32, i32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let micros = parts.next().map_or(Some(0), millionths)?;
        if parts.next().is_some() || hours < 0 || minutes < 0 || micros < 0 {
            return None;
        }
        let sign = if negative { -1 } else { 1 };
        (self.hours, self.minutes, self.micros) = (hours * sign, minutes * sign, micros * i64::from(sign));
        Some(())
    }

    fn negated(self) -> Option<Interval> {
        Some(Interval {
            years: self.years.checked_neg()?,
            months: self.months.checked_neg()?,
            days: self.days.checked_neg()?,
            hours: self.hours.checked_neg()?,
            minutes: self.minutes.checked_neg()?,
            micros: self.micros.checked_neg()?,
        })
    }

    /// Microseconds, held inside 64 bits.
    fn total_micros(self) -> i64 {
        let months = self.years.wrapping_mul(12).wrapping_add(self.months);
        let days = f64::from(months) * DAYS_PER_MONTH + f64::from(self.days);
        let minutes = (days * 24.0 + f64::from(self.hours)) * 60.0 + f64::from(self.minutes);
        let seconds = (self.micros / MICROS_PER_SECOND) as f64 + (self.micros % MICROS_PER_SECOND) as f64 / 1_000_000.0;
        ((minutes * 60.0 + seconds) * 1e6) as i64
    }

    /// `P1Y2M3DT4H5M6.789S`.
    fn write(self, out: &mut impl std::fmt::Write) -> std::fmt::Result {
        let Interval { years, months, days, hours, minutes, micros } = self;
        write!(out, "P{years}Y{months}M{days}DT{hours}H{minutes}M")?;
        let sign = if micros < 0 { "-" } else { "" };
        let (whole, mut rest) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
        if rest == 0 {
            return write!(out, "{sign}{whole}S");
        }
        let mut width = 6;
        while rest.is_multiple_of(10) {
            rest /= 10;
            width -= 1;
        }
        write!(out, "{sign}{whole}.{rest:0width$}S")
    }
}

#[derive(Clone, Debug)]
struct Duration;

fn read(cell: &[u8]) -> Result<Interval, ValueError> {
    let text = std::str::from_utf8(cell).map_err(|_| invalid())?;
    Interval::read(text).ok_or(invalid())
}

impl Decode for Duration {
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(ValueRef::Int64(read(cell)?.total_micros()))
    }
}

#[derive(Clone, Debug)]
struct Written;

impl Decode for Written {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut text = bumpalo::collections::String::new_in(arena);
        read(cell)?.write(&mut text).map_err(|_| ValueError::Shape)?;
        Ok(ValueRef::String(text.into_bump_str()))
    }
}

/// An interval by a mode, owned.
pub(in super::super) fn interval_value(mode: IntervalHandlingMode, interval: Interval) -> Option<Value> {
    match mode {
        IntervalHandlingMode::Numeric => Some(Value::Int64(interval.total_micros())),
        IntervalHandlingMode::String => {
            let mut text = String::new();
            interval.write(&mut text).ok()?;
            Some(Value::text(&text))
        }
    }
}

/// INTERVAL.
pub(in super::super) fn interval(context: &Context<'_>) -> Plan {
    let mode = context.options.interval;
    let default = move |text: &str| default_value::parse(DefaultKind::Interval(mode), text);
    match mode {
        IntervalHandlingMode::Numeric => {
            let schema = semantic(Kind::Int64, "io.debezium.time.MicroDuration");
            Plan::new(schema, Fallback::Scalar(Value::Int64(0)), Duration, default)
        }
        IntervalHandlingMode::String => {
            let schema = semantic(Kind::String, "io.debezium.time.Interval");
            Plan::new(schema, Fallback::Scalar(Value::text("P0Y0M0DT0H0M0S")), Written, default)
        }
    }
}
