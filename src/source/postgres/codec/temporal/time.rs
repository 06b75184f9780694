//! TIME and TIME WITH TIME ZONE.

use super::parse::{is_end_of_day_utc, time_micros, time_utc_micros};
use super::{Unit, render, semantic};
use crate::model::modes::DebeziumGeneration;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::calendar::Line;
use crate::source::codec::plan::{Decode, Fallback, Plan, text_in};
use crate::source::postgres::codec::Context;
use crate::source::postgres::codec::default_value::{self, Kind as DefaultKind};

#[derive(Clone, Debug)]
struct Time(Unit);

fn written<'a>(micros: i64, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
    let mut line = Line::new();
    render::time(&mut line, micros, None);
    line.push(b'Z');
    text_in(arena, line.as_bytes())
}

/// A time of day in a unit.
#[inline]
fn value(unit: Unit, micros: i64, arena: &Arena) -> Result<ValueRef<'_>, ValueError> {
    Ok(match unit {
        Unit::Millis | Unit::Connect => ValueRef::Int32((micros / 1000) as i32),
        Unit::Micros => ValueRef::Int64(micros),
        Unit::Nanos => ValueRef::Int64(micros * 1000),
        Unit::Iso => return written(micros, arena),
    })
}

/// A time of day in a unit, owned.
pub(in super::super) fn time_value(unit: Unit, micros: i64) -> Option<Value> {
    let arena = Arena::new();
    value(unit, micros, &arena).ok()?.to_owned(&schema(unit), &arena).ok()
}

impl Decode for Time {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        value(self.0, time_micros(cell)?, arena)
    }
}

fn schema(unit: Unit) -> Schema {
    match unit {
        Unit::Millis => semantic(Kind::Int32, "io.debezium.time.Time"),
        Unit::Connect => semantic(Kind::Int32, "org.apache.kafka.connect.data.Time"),
        Unit::Micros => semantic(Kind::Int64, "io.debezium.time.MicroTime"),
        Unit::Nanos => semantic(Kind::Int64, "io.debezium.time.NanoTime"),
        Unit::Iso => semantic(Kind::String, "io.debezium.time.IsoTime"),
    }
}

/// TIME.
pub(in super::super) fn time(context: &Context<'_>) -> Plan {
    let unit = Unit::of_time(context.options.time_precision, context.scale);
    let fallback = match unit {
        Unit::Millis | Unit::Connect => Value::Int32(0),
        Unit::Micros | Unit::Nanos => Value::Int64(0),
        Unit::Iso => Value::text("00:00:00Z"),
    };
    Plan::new(schema(unit), Fallback::Scalar(fallback), Time(unit), move |text| {
        default_value::parse(DefaultKind::Time(unit), text)
    })
}

#[derive(Clone, Debug)]
struct Zoned(DebeziumGeneration);

impl Decode for Zoned {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if self.0 == DebeziumGeneration::V3_7 && is_end_of_day_utc(cell) {
            return Ok(ValueRef::String("24:00:00Z"));
        }
        written(time_utc_micros(cell)?, arena)
    }
}

/// TIME WITH TIME ZONE.
pub(in super::super) fn time_with_zone(context: &Context<'_>) -> Plan {
    let schema = semantic(Kind::String, "io.debezium.time.ZonedTime");
    Plan::new(
        schema,
        Fallback::Scalar(Value::text("00:00:00Z")),
        Zoned(context.options.generation),
        default_value::none,
    )
}
