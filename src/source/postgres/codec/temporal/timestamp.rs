//! TIMESTAMP and TIMESTAMP WITH TIME ZONE.

use super::parse::{self, Moment};
use super::{MICROS_PER_DAY, MICROS_PER_SECOND, Unit, render, semantic};
use crate::model::modes::DebeziumGeneration;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::calendar::Line;
use crate::source::codec::plan::{Decode, Fallback, Plan, text_in};
use crate::source::postgres::codec::Context;
use crate::source::postgres::codec::default_value::{self, Kind as DefaultKind};

/// The JDBC driver's infinities in milliseconds, which Debezium takes for microseconds.
const INFINITY_MICROS: i64 = 9_223_372_036_825_200_000;
const NEGATIVE_INFINITY_MICROS: i64 = -9_223_372_036_832_400_000;

/// The same as Debezium 3.7 has them: milliseconds; what microseconds cannot tell is the greatest or least of them.
fn infinity_of(moment: Moment, unit: Unit, generation: DebeziumGeneration) -> Moment {
    let millis = match (moment, unit, generation) {
        (Moment::At { .. }, _, _) | (_, Unit::Nanos, _) | (_, _, DebeziumGeneration::V3_6) => return moment,
        (Moment::Infinity, _, DebeziumGeneration::V3_7) => INFINITY_MICROS,
        (Moment::NegativeInfinity, _, DebeziumGeneration::V3_7) => NEGATIVE_INFINITY_MICROS,
    };
    let day = MICROS_PER_DAY / 1000;
    Moment::At { days: millis.div_euclid(day), micros: millis.rem_euclid(day) * 1000 }
}

fn split(micros: i64) -> (i64, i64) {
    (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY))
}

/// A TIMESTAMP in a unit.
#[inline]
fn value(unit: Unit, moment: Moment, arena: &Arena) -> Result<ValueRef<'_>, ValueError> {
    let (days, micros) = match (moment, unit) {
        (Moment::At { days, micros }, _) => (days, micros),
        (Moment::Infinity, Unit::Nanos) => return Ok(ValueRef::Int64(i64::MAX)),
        (Moment::NegativeInfinity, Unit::Nanos) => return Ok(ValueRef::Int64(i64::MIN)),
        (Moment::Infinity, _) => split(INFINITY_MICROS),
        (Moment::NegativeInfinity, _) => split(NEGATIVE_INFINITY_MICROS),
    };
    Ok(match unit {
        Unit::Millis | Unit::Connect => {
            // The least of all ends a day whose beginning 64 bits do not hold.
            ValueRef::Int64(days.wrapping_mul(MICROS_PER_DAY / 1000).wrapping_add(micros.div_euclid(1000)))
        }
        // Behind the year 294,246 Java's seconds stay at the greatest number of microseconds, and the rest wraps.
        Unit::Micros => {
            let seconds = days * 86_400 + micros / MICROS_PER_SECOND;
            ValueRef::Int64(seconds.saturating_mul(MICROS_PER_SECOND).wrapping_add(micros % MICROS_PER_SECOND))
        }
        Unit::Nanos => {
            let nanos = days.checked_mul(MICROS_PER_DAY * 1000).and_then(|nanos| nanos.checked_add(micros * 1000));
            let reason = "outside the years 1677 to 2262, which nanoseconds can tell";
            ValueRef::Int64(nanos.ok_or(ValueError::Invalid { column_type: "timestamp", reason })?)
        }
        Unit::Iso => return written(days, micros, None, arena),
    })
}

fn written<'a>(days: i64, micros: i64, fraction: Option<usize>, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
    let mut line = Line::new();
    render::day(&mut line, days);
    line.push(b'T');
    render::time(&mut line, micros, fraction);
    line.push(b'Z');
    text_in(arena, line.as_bytes())
}

/// A TIMESTAMP in a unit, owned.
pub(in super::super) fn timestamp_value(unit: Unit, moment: Moment) -> Option<Value> {
    let arena = Arena::new();
    value(unit, moment, &arena).ok()?.to_owned(&schema(unit), &arena).ok()
}

#[derive(Clone, Debug)]
struct Timestamp(Unit, DebeziumGeneration);

impl Decode for Timestamp {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        value(self.0, infinity_of(parse::timestamp(cell)?, self.0, self.1), arena)
    }
}

fn schema(unit: Unit) -> Schema {
    match unit {
        Unit::Millis => semantic(Kind::Int64, "io.debezium.time.Timestamp"),
        Unit::Connect => semantic(Kind::Int64, "org.apache.kafka.connect.data.Timestamp"),
        Unit::Micros => semantic(Kind::Int64, "io.debezium.time.MicroTimestamp"),
        Unit::Nanos => semantic(Kind::Int64, "io.debezium.time.NanoTimestamp"),
        Unit::Iso => semantic(Kind::String, "io.debezium.time.IsoTimestamp"),
    }
}

/// TIMESTAMP.
pub(in super::super) fn timestamp(context: &Context<'_>) -> Plan {
    let unit = Unit::of_timestamp(context.options.time_precision, context.scale);
    let fallback = match unit {
        Unit::Iso => Value::text("1970-01-01T00:00:00Z"),
        Unit::Millis | Unit::Micros | Unit::Nanos | Unit::Connect => Value::Int64(0),
    };
    Plan::new(schema(unit), Fallback::Scalar(fallback), Timestamp(unit, context.options.generation), move |text| {
        default_value::parse(DefaultKind::Timestamp(unit), text)
    })
}

/// How many digits Debezium writes behind the second of a column: as many as it has, or as are needed for none.
#[derive(Clone, Copy, Debug)]
struct Zoned {
    fraction: Option<usize>,
}

impl Decode for Zoned {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if let Some((day, time)) = parse::in_utc(cell, self.fraction) {
            let mut line = Line::new();
            line.write(day);
            line.push(b'T');
            line.write(time);
            line.push(b'Z');
            return text_in(arena, line.as_bytes());
        }
        match parse::timestamp_utc(cell)? {
            Moment::At { days, micros } => written(days, micros, self.fraction, arena),
            Moment::Infinity => Ok(ValueRef::String("infinity")),
            Moment::NegativeInfinity => Ok(ValueRef::String("-infinity")),
        }
    }
}

fn fraction(scale: i32) -> Option<usize> {
    usize::try_from(scale).ok().filter(|scale| (1..=9).contains(scale))
}

/// A moment in UTC as the text of a column with so many digits behind the second.
pub(in super::super) fn zoned_text(scale: i32, moment: Moment) -> Option<Value> {
    let Moment::At { days, micros } = moment else { return None };
    let arena = Arena::new();
    let schema = Schema::new(Kind::String);
    written(days, micros, fraction(scale), &arena).ok()?.to_owned(&schema, &arena).ok()
}

/// TIMESTAMP WITH TIME ZONE.
pub(in super::super) fn timestamp_with_zone(context: &Context<'_>) -> Plan {
    let schema = semantic(Kind::String, "io.debezium.time.ZonedTimestamp");
    let fallback = Fallback::Scalar(Value::text("1970-01-01T00:00:00Z"));
    let scale = context.scale;
    Plan::new(schema, fallback, Zoned { fraction: fraction(scale) }, move |text| {
        default_value::parse(DefaultKind::ZonedTimestamp { scale }, text)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What is copied must be what would be written.
    fn check(text: &str, copied: bool) {
        for fraction in [None, Some(1), Some(3), Some(6)] {
            let (arena, other) = (Arena::new(), Arena::new());
            let codec = Zoned { fraction };
            let zoned = codec.decode(text.as_bytes(), &arena).unwrap();
            let Moment::At { days, micros } = parse::timestamp_utc(text.as_bytes()).unwrap() else { return };
            let expected = written(days, micros, fraction, &other).unwrap();
            assert_eq!(format!("{zoned:?}"), format!("{expected:?}"), "{text} {fraction:?}");
        }
        assert_eq!(parse::in_utc(text.as_bytes(), None).is_some(), copied, "{text}");
    }

    #[test]
    fn a_moment_in_utc_is_written_as_it_came() {
        check("2024-02-29 13:14:15+00", true);
        check("2024-02-29 13:14:15.1+00", true);
        check("2024-02-29 13:14:15.123+00", true);
        check("2024-02-29 13:14:15.123456+00", true);
        check("0001-01-01 00:00:00+00", true);
        check("2024-02-29 13:14:00.100000+00", false);
        check("2024-02-29 13:14:15.10+00", false);
        check("2024-02-29 13:14:15.123456+01", false);
        check("2024-02-29 13:14:15.123456+05:30", false);
        check("2024-02-29 24:00:00+00", false);
        check("2024-02-29 23:59:60+00", false);
        check("2024-02-28 13:14:15+00 BC", false);
        check("12024-02-29 13:14:15+00", false);
        check("2024-02-29 13:14:15.5+00:30", false);
        check("infinity", false);
        assert!(parse::in_utc(b"2023-02-29 13:14:15+00", None).is_none());
        assert!(parse::in_utc(b"2023-02-28 13:14+00", None).is_none());
    }
}
