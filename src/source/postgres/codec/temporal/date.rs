//! DATE.

use super::parse::date_days_of;
use super::{render, semantic};
use crate::model::modes::{DebeziumGeneration, TimePrecisionMode};
use crate::model::schema::Kind;
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::calendar::Line;
use crate::source::codec::plan::{Decode, Fallback, Plan, text_in};
use crate::source::postgres::codec::Context;
use crate::source::postgres::codec::default_value::{self, Kind as DefaultKind};

#[derive(Clone, Debug)]
struct Days(DebeziumGeneration);

impl Decode for Days {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(ValueRef::Int32(date_days_of(cell, self.0)? as i32))
    }
}

#[derive(Clone, Debug)]
struct Iso(DebeziumGeneration);

impl Decode for Iso {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut line = Line::new();
        render::day(&mut line, date_days_of(cell, self.0)?);
        line.push(b'Z');
        text_in(arena, line.as_bytes())
    }
}

/// A day as text, owned.
pub(in super::super) fn iso_date(days: i64) -> Option<Value> {
    let mut line = Line::new();
    render::day(&mut line, days);
    line.push(b'Z');
    std::str::from_utf8(line.as_bytes()).ok().map(Value::text)
}

/// DATE.
pub(in super::super) fn date(context: &Context<'_>) -> Plan {
    let mode = context.options.time_precision;
    let name = match mode {
        TimePrecisionMode::IsoString => {
            let schema = semantic(Kind::String, "io.debezium.time.IsoDate");
            let fallback = Fallback::Scalar(Value::text("1970-01-01Z"));
            return Plan::new(schema, fallback, Iso(context.options.generation), |text| {
                default_value::parse(DefaultKind::Date { iso: true }, text)
            });
        }
        TimePrecisionMode::Connect => "org.apache.kafka.connect.data.Date",
        TimePrecisionMode::Adaptive
        | TimePrecisionMode::AdaptiveTimeMicroseconds
        | TimePrecisionMode::Microseconds
        | TimePrecisionMode::Nanoseconds
        | TimePrecisionMode::Structured => "io.debezium.time.Date",
    };
    Plan::new(
        semantic(Kind::Int32, name),
        Fallback::Scalar(Value::Int32(0)),
        Days(context.options.generation),
        |text| default_value::parse(DefaultKind::Date { iso: false }, text),
    )
}
