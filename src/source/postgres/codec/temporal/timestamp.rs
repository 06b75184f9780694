//! TIMESTAMP and TIMESTAMP WITH TIME ZONE.

use super::parse::{self, Moment};
use super::{MICROS_PER_DAY, MICROS_PER_SECOND, Unit, render, semantic};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::calendar::Line;
use crate::source::codec::plan::{Decode, Fallback, Plan, text_in};
use crate::source::postgres::codec::Context;
use crate::source::postgres::codec::default_value::{self, Kind as DefaultKind};

/// The JDBC driver's infinities in milliseconds, which Debezium takes for microseconds.
const INFINITY_MICROS: i64 = 9_223_372_036_825_200_000;
const NEGATIVE_INFINITY_MICROS: i64 = -9_223_372_036_832_400_000;

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
        Unit::Millis | Unit::Connect => ValueRef::Int64(days * (MICROS_PER_DAY / 1000) + micros.div_euclid(1000)),
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

#[derive(Debug)]
struct Timestamp(Unit);

impl Decode for Timestamp {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        value(self.0, parse::timestamp(cell)?, arena)
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
    Plan::new(schema(unit), Fallback::Scalar(fallback), Timestamp(unit), move |text| {
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
