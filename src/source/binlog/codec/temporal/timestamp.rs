//! TIMESTAMP: a moment, written as ISO 8601 text in UTC in every `time.precision.mode`.

use super::super::plan::{Context, Decode, Fallback, Plan, exactly, text_in};
use super::super::{CodecError, default_value, wire_type};
use super::calendar::{Day, Line, NANOS_PER_SECOND, SECONDS_PER_DAY};
use super::text::{self, Parsed};
use super::{fraction_bytes, fraction_nanos, not_in_the_calendar};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

const EPOCH_TEXT: &str = "1970-01-01T00:00:00Z";

/// How many digits of the second's fraction are written: exactly the column's, none for a column without.
fn line(day: Day, nanos_of_day: i64, digits: usize) -> Line {
    let mut line = Line::new();
    line.day(day);
    line.push(b'T');
    line.time(nanos_of_day, (digits > 0).then_some(digits));
    line.push(b'Z');
    line
}

/// TIMESTAMP since MySQL 5.6 (seconds most significant byte first, then the fraction) and before (least first).
#[derive(Clone, Debug)]
struct Timestamp {
    old: bool,
    bytes: usize,
    digits: usize,
}

impl Decode for Timestamp {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let (Some(seconds), true) = (cell.get(..4), cell.len() == self.bytes) else {
            return Err(ValueError::Length { column_type: "TIMESTAMP", expected: self.bytes, actual: cell.len() });
        };
        let seconds = exactly(seconds, "TIMESTAMP")?;
        let seconds = i64::from(if self.old { u32::from_le_bytes(seconds) } else { u32::from_be_bytes(seconds) });
        let nanos = fraction_nanos(cell.get(4..).unwrap_or_default());
        if seconds == 0 && nanos == 0 {
            return Ok(ValueRef::Null);
        }
        if nanos >= NANOS_PER_SECOND {
            return Err(not_in_the_calendar("TIMESTAMP"));
        }
        let day = Day::at(seconds / SECONDS_PER_DAY);
        let line = line(day, seconds % SECONDS_PER_DAY * NANOS_PER_SECOND + nanos, self.digits);
        text_in(arena, line.as_bytes())
    }
}

fn default(text: &str, optional: bool, adjust: bool, digits: usize) -> Result<Option<Value>, &'static str> {
    if text::zero_timestamp(text) || text == "0" || text == "1970-01-01 00:00:00" {
        // What CURRENT_TIMESTAMP is tracked as, too.
        return Ok((!optional).then(|| Value::text(EPOCH_TEXT)));
    }
    let Parsed { day, nanos_of_day } = Parsed::read_loosely(text).ok_or("not a timestamp")?;
    let day = if adjust { day.adjusted() } else { day };
    Ok(Some(Value::text(&String::from_utf8_lossy(line(day, nanos_of_day, digits).as_bytes()))))
}

/// TIMESTAMP(n).
pub(in super::super) fn timestamp(context: &Context<'_>) -> Result<Plan, CodecError> {
    let digits = context.column.length.unwrap_or(0).clamp(0, 6);
    plan(context, usize::try_from(digits).unwrap_or(0))
}

/// TIMESTAMP(n), with only as many digits of the second's fraction as are needed.
pub(in super::super) fn short_timestamp(context: &Context<'_>) -> Result<Plan, CodecError> {
    plan(context, 0)
}

fn plan(context: &Context<'_>, digits: usize) -> Result<Plan, CodecError> {
    let length = context.column.length.unwrap_or(0).max(0);
    let old = context.wire.wire_type == wire_type::TIMESTAMP;
    let fraction = fraction_bytes(context.wire.metadata).ok_or_else(|| context.mismatch())?;
    if !old && i32::from(context.wire.metadata) != length {
        return Err(context.mismatch());
    }
    let schema = Schema::new(Kind::String).named("io.debezium.time.ZonedTimestamp").version(1);
    let bytes = if old { 4 } else { 4 + fraction };
    let (optional, adjust) = (context.column.optional, context.options.enable_time_adjuster);
    Ok(Plan::new(schema, Fallback::Scalar(Value::text(EPOCH_TEXT)), Timestamp { old, bytes, digits }, move |text| {
        default(default_value::trimmed(text), optional, adjust, digits)
    }))
}
