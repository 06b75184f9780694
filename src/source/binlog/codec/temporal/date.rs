//! DATE: days since the epoch, or ISO 8601 text.

use super::super::plan::{Context, Decode, Fallback, Plan, exactly, text_in};
use super::super::{CodecError, default_value};
use super::calendar::{Day, EPOCH, Line};
use super::text::{self, Parsed};
use super::{not_in_the_calendar, unsupported};
use crate::model::modes::{EventProcessingFailureHandlingMode, TimePrecisionMode};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

#[derive(Clone, Copy, Debug)]
struct Date {
    iso: bool,
    adjust: bool,
    strict: bool,
}

impl Date {
    #[inline]
    fn day(self, packed: u32) -> Result<Option<Day>, ValueError> {
        let day = Day { year: (packed >> 9) as i32, month: packed >> 5 & 15, day: packed & 31 };
        if day.year == 0 || day.month == 0 || day.day == 0 {
            return Ok(None);
        }
        match (day.exists(), self.strict) {
            (true, _) => Ok(Some(day)),
            (false, false) => Ok(Some(EPOCH)),
            (false, true) => Err(not_in_the_calendar("DATE")),
        }
    }

    fn adjusted(self, day: Day) -> Day {
        if self.adjust { day.adjusted() } else { day }
    }

    fn line(day: Day) -> Line {
        let mut line = Line::new();
        line.day(day);
        line.push(b'Z');
        line
    }

    fn default(self, text: &str, optional: bool) -> Option<Value> {
        let day = match text::zero_date(text) || text::zero_timestamp(text) || text == "0" {
            true => None,
            false => Parsed::read(text).map(|parsed| parsed.day),
        };
        let day = match (day, optional) {
            (Some(day), _) => self.adjusted(day),
            (None, true) => return None,
            (None, false) => EPOCH,
        };
        Some(if self.iso {
            Value::text(&String::from_utf8_lossy(Date::line(day).as_bytes()))
        } else {
            Value::Int32(day.since_epoch())
        })
    }
}

impl Decode for Date {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let [a, b, c] = exactly(cell, "DATE")?;
        let Some(day) = self.day(u32::from_le_bytes([a, b, c, 0]))? else { return Ok(ValueRef::Null) };
        let day = self.adjusted(day);
        if self.iso {
            return text_in(arena, Date::line(day).as_bytes());
        }
        Ok(ValueRef::Int32(day.since_epoch()))
    }
}

/// DATE.
pub(in super::super) fn date(context: &Context<'_>) -> Result<Plan, CodecError> {
    let options = context.options;
    let (schema, iso) = match options.time_precision {
        TimePrecisionMode::AdaptiveTimeMicroseconds
        | TimePrecisionMode::Microseconds
        | TimePrecisionMode::Nanoseconds => (Schema::new(Kind::Int32).named("io.debezium.time.Date"), false),
        TimePrecisionMode::Connect => (Schema::new(Kind::Int32).named("org.apache.kafka.connect.data.Date"), false),
        TimePrecisionMode::IsoString => (Schema::new(Kind::String).named("io.debezium.time.IsoDate"), true),
        TimePrecisionMode::Adaptive | TimePrecisionMode::Structured => return Err(unsupported(options.time_precision)),
    };
    let strict = options.invalid_dates == EventProcessingFailureHandlingMode::Fail;
    let decoder = Date { iso, adjust: options.enable_time_adjuster, strict };
    let optional = context.column.optional;
    let fallback = if iso { Value::text("1970-01-01Z") } else { Value::Int32(0) };
    let default = move |text: &str| Ok(decoder.default(default_value::trimmed(text), optional));
    Ok(Plan::new(schema.version(1), Fallback::Scalar(fallback), decoder, default))
}
