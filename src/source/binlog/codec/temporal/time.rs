//! TIME: a duration of -838:59:59 to 838:59:59.
//!
//! Connect's logical type and ISO text know only times of day; a duration beyond them cannot be converted there.

use super::super::plan::{Context, Decode, Fallback, Plan, exactly, text_in};
use super::super::{CodecError, default_value, wire_type};
use super::calendar::{Line, NANOS_PER_DAY, NANOS_PER_SECOND};
use super::{fraction_bytes, fraction_nanos, text, two_digits, unsupported};
use crate::model::modes::TimePrecisionMode;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// How a duration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Micros,
    Nanos,
    ConnectMillis,
    Iso,
}

const NOT_OF_DAY: ValueError = ValueError::Invalid {
    column_type: "TIME",
    reason: "outside 00:00:00 to 24:00:00, which this time.precision.mode needs",
};

impl Shape {
    fn of_day(nanos: i64) -> Result<i64, ValueError> {
        if (0..=NANOS_PER_DAY).contains(&nanos) { Ok(nanos) } else { Err(NOT_OF_DAY) }
    }

    fn line(nanos: i64) -> Line {
        let mut line = Line::new();
        line.time(nanos % NANOS_PER_DAY, None);
        line.push(b'Z');
        line
    }

    #[inline]
    fn write(self, nanos: i64, arena: &Arena) -> Result<ValueRef<'_>, ValueError> {
        match self {
            Shape::Micros => Ok(ValueRef::Int64(nanos / 1000)),
            Shape::Nanos => Ok(ValueRef::Int64(nanos)),
            Shape::ConnectMillis => Ok(ValueRef::Int32((Shape::of_day(nanos)? / 1_000_000) as i32)),
            Shape::Iso => text_in(arena, Shape::line(Shape::of_day(nanos)?).as_bytes()),
        }
    }

    fn owned(self, nanos: i64) -> Result<Value, &'static str> {
        let of_day = Shape::of_day(nanos).map_err(|_| "not a time of day");
        Ok(match self {
            Shape::Micros => Value::Int64(nanos / 1000),
            Shape::Nanos => Value::Int64(nanos),
            Shape::ConnectMillis => Value::Int32((of_day? / 1_000_000) as i32),
            Shape::Iso => Value::text(&String::from_utf8_lossy(Shape::line(of_day?).as_bytes())),
        })
    }
}

/// TIME since MySQL 5.6: sign, hours, minutes, seconds and the fraction as one number; a negative one is the
/// two's complement of the whole, the fraction included.
#[derive(Clone, Debug)]
struct Packed {
    shape: Shape,
    bytes: usize,
}

impl Decode for Packed {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if cell.len() != self.bytes {
            return Err(ValueError::Length { column_type: "TIME", expected: self.bytes, actual: cell.len() });
        }
        let packed = cell.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let bits = cell.len() * 8;
        let negative = packed >> (bits - 1) & 1 == 0;
        let magnitude = if negative { packed.wrapping_neg() } else { packed };
        let slice = |offset: usize, width: usize| (magnitude >> (bits - offset - width) & ((1 << width) - 1)) as i64;
        let seconds = slice(2, 10) * 3600 + slice(12, 6) * 60 + slice(18, 6);
        let fraction = magnitude.to_be_bytes();
        let fraction = fraction_nanos(fraction.get(8 - (cell.len() - 3)..).unwrap_or_default());
        let nanos = seconds * NANOS_PER_SECOND + fraction;
        self.shape.write(if negative { -nanos } else { nanos }, arena)
    }
}

/// TIME before MySQL 5.6: ±hhmmss as a decimal number in three bytes, least significant first.
#[derive(Clone, Debug)]
struct Old(Shape);

impl Decode for Old {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let [a, b, c] = exactly(cell, "TIME")?;
        let value = i64::from(i32::from_le_bytes([0, a, b, c]) >> 8);
        let mut rest = value.unsigned_abs();
        let (seconds, minutes) = (two_digits(&mut rest), two_digits(&mut rest));
        let seconds = rest as i64 * 3600 + i64::from(minutes) * 60 + i64::from(seconds);
        self.0.write(seconds * value.signum() * NANOS_PER_SECOND, arena)
    }
}

/// TIME(n).
pub(in super::super) fn time(context: &Context<'_>) -> Result<Plan, CodecError> {
    let mode = context.options.time_precision;
    let (schema, shape) = match mode {
        TimePrecisionMode::AdaptiveTimeMicroseconds | TimePrecisionMode::Microseconds => {
            (Schema::new(Kind::Int64).named("io.debezium.time.MicroTime"), Shape::Micros)
        }
        TimePrecisionMode::Nanoseconds => (Schema::new(Kind::Int64).named("io.debezium.time.NanoTime"), Shape::Nanos),
        TimePrecisionMode::Connect => {
            (Schema::new(Kind::Int32).named("org.apache.kafka.connect.data.Time"), Shape::ConnectMillis)
        }
        TimePrecisionMode::IsoString => (Schema::new(Kind::String).named("io.debezium.time.IsoTime"), Shape::Iso),
        TimePrecisionMode::Adaptive | TimePrecisionMode::Structured => return Err(unsupported(mode)),
    };
    let schema = schema.version(1);
    let fallback = Fallback::Scalar(shape.owned(0).unwrap_or(Value::Null));
    let default = move |text: &str| {
        let nanos = text::duration(default_value::trimmed(text)).ok_or("not a time")?;
        shape.owned(nanos).map(Some)
    };
    if context.wire.wire_type == wire_type::TIME {
        return Ok(Plan::new(schema, fallback, Old(shape), default));
    }
    let fraction = fraction_bytes(context.wire.metadata).ok_or_else(|| context.mismatch())?;
    if i32::from(context.wire.metadata) != context.column.length.unwrap_or(0).max(0) {
        return Err(context.mismatch());
    }
    Ok(Plan::new(schema, fallback, Packed { shape, bytes: 3 + fraction }, default))
}
