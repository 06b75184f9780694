//! DATETIME: a date and time without zone, written as if it were UTC.

use super::super::plan::{Context, Decode, Fallback, Plan, exactly, text_in};
use super::super::{CodecError, default_value, wire_type};
use super::calendar::{Day, EPOCH, Line, NANOS_PER_DAY, NANOS_PER_SECOND, SECONDS_PER_DAY};
use super::text::{self, Parsed};
use super::{fraction_bytes, fraction_nanos, not_in_the_calendar, two_digits, unsupported};
use crate::model::modes::{EventProcessingFailureHandlingMode, TimePrecisionMode};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// How a date and time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Millis,
    Micros,
    Nanos,
    Iso,
}

/// A date and a time of day.
#[derive(Clone, Copy, Debug)]
struct Moment {
    day: Day,
    nanos_of_day: i64,
}

const MIDNIGHT_OF_EPOCH: Moment = Moment { day: EPOCH, nanos_of_day: 0 };

#[derive(Clone, Copy, Debug)]
struct DateTime {
    shape: Shape,
    adjust: bool,
    strict: bool,
}

impl DateTime {
    /// What the fields of a cell mean: nothing for a zero date, an error or the epoch for one that is none.
    #[inline]
    fn moment(self, day: Day, time: [u32; 3], nanos: i64) -> Result<Option<Moment>, ValueError> {
        if day.year == 0 || day.month == 0 || day.day == 0 {
            return Ok(None);
        }
        let [hour, minute, second] = time;
        let exists = day.exists() && hour < 24 && minute < 60 && second < 60 && nanos < NANOS_PER_SECOND;
        match (exists, self.strict) {
            (true, _) => {
                let seconds = i64::from(hour * 3600 + minute * 60 + second);
                Ok(Some(Moment { day, nanos_of_day: seconds * NANOS_PER_SECOND + nanos }))
            }
            (false, false) => Ok(Some(MIDNIGHT_OF_EPOCH)),
            (false, true) => Err(not_in_the_calendar("DATETIME")),
        }
    }

    fn adjusted(self, moment: Moment) -> Moment {
        if self.adjust { Moment { day: moment.day.adjusted(), ..moment } } else { moment }
    }

    fn line(moment: Moment) -> Line {
        let mut line = Line::new();
        line.day(moment.day);
        line.push(b'T');
        line.time(moment.nanos_of_day, None);
        line.push(b'Z');
        line
    }

    /// The number, or `None` for text and for what 64 bits cannot hold.
    #[inline]
    fn number(self, moment: Moment) -> Option<i64> {
        let days = i64::from(moment.day.since_epoch());
        match self.shape {
            Shape::Millis => Some(days * SECONDS_PER_DAY * 1000 + moment.nanos_of_day / 1_000_000),
            Shape::Micros => Some(days * SECONDS_PER_DAY * 1_000_000 + moment.nanos_of_day / 1000),
            Shape::Nanos => days.checked_mul(NANOS_PER_DAY)?.checked_add(moment.nanos_of_day),
            Shape::Iso => None,
        }
    }

    #[inline]
    fn write(self, moment: Option<Moment>, arena: &Arena) -> Result<ValueRef<'_>, ValueError> {
        let Some(moment) = moment else { return Ok(ValueRef::Null) };
        let moment = self.adjusted(moment);
        if self.shape == Shape::Iso {
            return text_in(arena, DateTime::line(moment).as_bytes());
        }
        self.number(moment).map(ValueRef::Int64).ok_or(ValueError::Invalid {
            column_type: "DATETIME",
            reason: "outside the years 1677 to 2262, which time.precision.mode=nanoseconds needs",
        })
    }

    fn owned(self, moment: Moment) -> Result<Value, &'static str> {
        if self.shape == Shape::Iso {
            return Ok(Value::text(&String::from_utf8_lossy(DateTime::line(moment).as_bytes())));
        }
        self.number(moment).map(Value::Int64).ok_or("outside what 64 bits of nanoseconds hold")
    }

    fn default(self, text: &str, optional: bool) -> Result<Option<Value>, &'static str> {
        let parsed = if text::zero_timestamp(text) || text == "0" { None } else { Parsed::read(text) };
        let moment = match (parsed, optional) {
            (Some(Parsed { day, nanos_of_day }), _) => self.adjusted(Moment { day, nanos_of_day }),
            (None, true) => return Ok(None),
            (None, false) => MIDNIGHT_OF_EPOCH,
        };
        self.owned(moment).map(Some)
    }
}

/// DATETIME since MySQL 5.6: 40 bits, most significant first, then the fraction.
#[derive(Clone, Debug)]
struct Packed {
    datetime: DateTime,
    bytes: usize,
}

impl Decode for Packed {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let (Some([a, b, c, d, e]), true) = (cell.first_chunk::<5>(), cell.len() == self.bytes) else {
            return Err(ValueError::Length { column_type: "DATETIME", expected: self.bytes, actual: cell.len() });
        };
        let packed = u64::from_be_bytes([0, 0, 0, *a, *b, *c, *d, *e]);
        let slice = |shift: u32, width: u32| (packed >> shift & ((1 << width) - 1)) as u32;
        let year_month = slice(22, 17);
        let day = Day { year: (year_month / 13) as i32, month: year_month % 13, day: slice(17, 5) };
        let nanos = fraction_nanos(cell.get(5..).unwrap_or_default());
        let moment = self.datetime.moment(day, [slice(12, 5), slice(6, 6), slice(0, 6)], nanos)?;
        self.datetime.write(moment, arena)
    }
}

/// DATETIME before MySQL 5.6: YYYYMMDDhhmmss as a decimal number in eight bytes, least significant first.
#[derive(Clone, Debug)]
struct Old(DateTime);

impl Decode for Old {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut rest = u64::from_le_bytes(exactly(cell, "DATETIME")?);
        let (second, minute, hour) = (two_digits(&mut rest), two_digits(&mut rest), two_digits(&mut rest));
        let (day, month) = (two_digits(&mut rest), two_digits(&mut rest));
        let year = i32::try_from(rest).ok().filter(|year| *year <= 9999);
        let year = year.ok_or_else(|| not_in_the_calendar("DATETIME"))?;
        self.0.write(self.0.moment(Day { year, month, day }, [hour, minute, second], 0)?, arena)
    }
}

/// DATETIME(n).
pub(in super::super) fn datetime(context: &Context<'_>) -> Result<Plan, CodecError> {
    let options = context.options;
    let int64 = |name: &str| Schema::new(Kind::Int64).named(name);
    let (schema, shape) = match options.time_precision {
        TimePrecisionMode::AdaptiveTimeMicroseconds if context.column.length.unwrap_or(-1) <= 3 => {
            (int64("io.debezium.time.Timestamp"), Shape::Millis)
        }
        TimePrecisionMode::AdaptiveTimeMicroseconds | TimePrecisionMode::Microseconds => {
            (int64("io.debezium.time.MicroTimestamp"), Shape::Micros)
        }
        TimePrecisionMode::Nanoseconds => (int64("io.debezium.time.NanoTimestamp"), Shape::Nanos),
        TimePrecisionMode::Connect => (int64("org.apache.kafka.connect.data.Timestamp"), Shape::Millis),
        TimePrecisionMode::IsoString => (Schema::new(Kind::String).named("io.debezium.time.IsoTimestamp"), Shape::Iso),
        TimePrecisionMode::Adaptive | TimePrecisionMode::Structured => return Err(unsupported(options.time_precision)),
    };
    let schema = schema.version(1);
    let strict = options.invalid_dates == EventProcessingFailureHandlingMode::Fail;
    let datetime = DateTime { shape, adjust: options.enable_time_adjuster, strict };
    let fallback = Fallback::Scalar(datetime.owned(MIDNIGHT_OF_EPOCH).unwrap_or(Value::Null));
    let optional = context.column.optional;
    let default = move |text: &str| datetime.default(default_value::trimmed(text), optional);
    if context.wire.wire_type == wire_type::DATETIME {
        return Ok(Plan::new(schema, fallback, Old(datetime), default));
    }
    let fraction = fraction_bytes(context.wire.metadata).ok_or_else(|| context.mismatch())?;
    if i32::from(context.wire.metadata) != context.column.length.unwrap_or(0).max(0) {
        return Err(context.mismatch());
    }
    Ok(Plan::new(schema, fallback, Packed { datetime, bytes: 5 + fraction }, default))
}
