//! Declared defaults: the text of `pg_get_expr` as Debezium's `PostgresDefaultValueConverter` reads it.
//!
//! In: `'abc'::character varying`, `1`, `now()`. Out: a value of the column's schema; for a call or the current time what
//! Debezium has in its place (zero, the epoch, an empty text); nothing for what is no literal, which Debezium does not
//! compute either. Runs once for a column and table version, so it may allocate.

use super::binary::bits_value;
use super::temporal::{self, Interval, Moment, Unit};
use crate::model::modes::{DecimalHandlingMode, IntervalHandlingMode};
use crate::model::value::Value;
use crate::source::codec::decimal::Decimal;

/// What a default is read as.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A boolean.
    Boolean,
    /// Two bytes.
    Int16,
    /// Four bytes.
    Int32,
    /// Eight bytes.
    Int64,
    /// A float.
    Float32,
    /// A double.
    Float64,
    /// A number of a column with a scale, or without.
    Numeric { mode: DecimalHandlingMode, scale: Option<usize> },
    /// Text; that which stands for a call.
    Text(&'static str),
    /// A UUID.
    Uuid,
    /// A label of the enumeration of this name.
    Enum { type_name: String },
    /// Binary digits; of one bit.
    Bits { varying: bool, one: bool },
    /// A day; as ISO text.
    Date { iso: bool },
    /// A time of day.
    Time(Unit),
    /// A timestamp.
    Timestamp(Unit),
    /// A timestamp in UTC with so many digits behind the second.
    ZonedTimestamp { scale: i32 },
    /// An interval.
    Interval(IntervalHandlingMode),
}

type Parsed = Result<Option<Value>, &'static str>;

/// For types of which Debezium reads no default.
pub(super) fn none(_text: &str) -> Parsed {
    Ok(None)
}

/// The words that stand for the current time.
const CURRENT: &[&str] = &["current_timestamp", "current_time", "current_date", "localtime", "localtimestamp"];

/// Whether a text begins with a call: `^[(]?[A-Za-z0-9_.]+\\((?:.+(?:, ?.+)*)?\\)`, in one line.
fn is_call(text: &str) -> bool {
    let line = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).next().unwrap_or_default();
    let rest = line.strip_prefix('(').unwrap_or(line);
    let name = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')).count();
    let Some((name, rest)) = rest.split_at_checked(name) else { return false };
    !name.is_empty() && rest.strip_prefix('(').is_some_and(|arguments| arguments.contains(')'))
}

/// What is in the first pair of quotes, with doubled quotes made one.
fn literal(text: &str) -> Result<String, &'static str> {
    let mut rest = text.split_once('\'').map(|(_, rest)| rest).ok_or("no quotes")?;
    let mut out = String::new();
    loop {
        let (part, behind) = rest.split_once('\'').ok_or("a quote that does not end")?;
        out.push_str(part);
        match behind.strip_prefix('\'') {
            Some(behind) => {
                out.push('\'');
                rest = behind;
            }
            None => return Ok(out),
        }
    }
}

/// The literal of a default; `None` for NULL.
fn extract(text: &str, generated: &str) -> Result<Option<String>, &'static str> {
    if is_call(text) || CURRENT.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(Some(generated.to_owned()));
    }
    match text.contains('\'') {
        true => literal(text).map(Some),
        false => Ok((!text.starts_with("NULL::")).then(|| text.to_owned())),
    }
}

/// Reads a default.
pub(super) fn parse(kind: Kind, text: &str) -> Parsed {
    let generated = match &kind {
        Kind::Boolean => "false",
        Kind::Int16 | Kind::Int32 | Kind::Int64 => "0",
        Kind::Float32 | Kind::Float64 | Kind::Numeric { .. } => "0.0",
        Kind::Text(generated) => generated,
        Kind::Uuid => "00000000-0000-0000-0000-000000000000",
        Kind::Enum { type_name } => return Ok(label(text, type_name)),
        Kind::Bits { varying: false, .. } => "00",
        Kind::Bits { varying: true, .. } => "0",
        Kind::Date { .. } | Kind::Timestamp(_) | Kind::ZonedTimestamp { .. } => "1970-01-01",
        Kind::Time(_) => "00:00",
        Kind::Interval(_) => "0",
    };
    let nullable =
        matches!(kind, Kind::Boolean | Kind::Int16 | Kind::Int32 | Kind::Int64 | Kind::Float32 | Kind::Float64)
            || matches!(kind, Kind::Numeric { .. });
    if nullable && text.starts_with("NULL::") {
        return Ok(None);
    }
    let text = if matches!(kind, Kind::Text(_)) { text } else { text.trim_matches(|c: char| c <= ' ') };
    match extract(text, generated)? {
        Some(literal) => Ok(Some(value(kind, &literal)?)),
        None => Ok(None),
    }
}

fn value(kind: Kind, text: &str) -> Result<Value, &'static str> {
    let number = "no literal of the type; expressions are not computed";
    match kind {
        Kind::Boolean => Ok(Value::Boolean(text.eq_ignore_ascii_case("true"))),
        Kind::Int16 => text.parse().map(Value::Int16).map_err(|_| number),
        Kind::Int32 => text.parse().map(Value::Int32).map_err(|_| number),
        Kind::Int64 => text.parse().map(Value::Int64).map_err(|_| number),
        Kind::Float32 => float(text)?.parse().map(Value::Float32).map_err(|_| number),
        Kind::Float64 => float(text)?.parse().map(Value::Float64).map_err(|_| number),
        Kind::Numeric { mode, scale } => numeric(mode, scale, text).ok_or(number),
        Kind::Text(_) | Kind::Uuid | Kind::Enum { .. } => Ok(Value::text(text)),
        Kind::Bits { one: true, .. } => Ok(Value::Boolean(text.bytes().any(|digit| digit == b'1'))),
        Kind::Bits { varying: false, .. } if text.len() == 1 => {
            Ok(Value::Bytes([u8::from(text == "1")].as_slice().into()))
        }
        Kind::Bits { .. } => bits_value(text).ok_or(number),
        Kind::Date { iso } => date(iso, text).ok_or(number),
        Kind::Time(unit) => {
            let micros = temporal::time_micros(text.as_bytes()).map_err(|_| number)?;
            temporal::time_value(unit, micros).ok_or(number)
        }
        Kind::Timestamp(unit) => timestamp(unit, text).ok_or(number),
        Kind::ZonedTimestamp { scale } => {
            moment(text).and_then(|moment| temporal::zoned_text(scale, moment)).ok_or(number)
        }
        Kind::Interval(mode) => {
            Interval::read(text).and_then(|read| temporal::interval_value(mode, read)).ok_or(number)
        }
    }
}

/// What Java reads as a float: no words but its own.
fn float(text: &str) -> Result<&str, &'static str> {
    let written = |byte: u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let word = matches!(text.trim_start_matches(['+', '-']), "NaN" | "Infinity");
    (word || text.bytes().all(written)).then_some(text).ok_or("not a float")
}

/// Exact: a number with more digits behind the point than the column has is no default.
fn numeric(mode: DecimalHandlingMode, scale: Option<usize>, text: &str) -> Option<Value> {
    let number = Decimal::parse(text)?;
    let exact = match scale {
        Some(scale) => {
            let rounded = number.clone().rounded(scale);
            let wider = scale + text.len();
            (rounded.clone().rounded(wider).plain() == number.rounded(wider).plain()).then_some(rounded)?
        }
        None => number,
    };
    match (mode, scale) {
        (DecimalHandlingMode::Precise, Some(scale)) => Some(Value::Bytes(exact.unscaled(scale)?.into())),
        // A struct cannot be a default in Connect (KAFKA-12694).
        (DecimalHandlingMode::Precise, None) => None,
        (DecimalHandlingMode::String, _) => Some(Value::text(&exact.plain())),
        (DecimalHandlingMode::Double, _) => exact.plain().parse().ok().map(Value::Float64),
    }
}

/// Days of `LocalDate.MAX` and `LocalDate.MIN`, which the JDBC driver has for the infinities.
const LAST_DAY: i64 = 365_241_780_471;
const FIRST_DAY: i64 = -365_243_219_162;

fn date(iso: bool, text: &str) -> Option<Value> {
    let days = match text {
        "infinity" if iso => return Some(Value::text("+999999999-12-31Z")),
        "-infinity" if iso => return Some(Value::text("-999999999-01-01Z")),
        "infinity" => LAST_DAY,
        "-infinity" => FIRST_DAY,
        text => temporal::date_days(text.get(..text.find(' ').unwrap_or(text.len()))?.as_bytes()).ok()?,
    };
    Some(if iso { temporal::iso_date(days)? } else { Value::Int32(days as i32) })
}

/// A timestamp with or without an offset and a time of day.
fn moment(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    temporal::timestamp_utc(bytes).or_else(|_| temporal::parse_timestamp(bytes)).ok().or_else(|| {
        let days = temporal::date_days(bytes).ok()?;
        Some(Moment::At { days, micros: 0 })
    })
}

fn timestamp(unit: Unit, text: &str) -> Option<Value> {
    match (moment(text)?, unit) {
        (found @ Moment::At { .. }, unit) => temporal::timestamp_value(unit, found),
        // What is left of Java's greatest time when its seconds do not fit microseconds.
        (Moment::Infinity, Unit::Micros) => Some(Value::Int64(i64::MAX.wrapping_add(999_999))),
        (Moment::NegativeInfinity, Unit::Micros) => Some(Value::Int64(i64::MIN)),
        (Moment::Infinity, Unit::Iso) => Some(Value::text("+999999999-12-31T23:59:59.999999999Z")),
        (Moment::NegativeInfinity, Unit::Iso) => Some(Value::text("-999999999-01-01T00:00:00Z")),
        (Moment::Infinity | Moment::NegativeInfinity, _) => None,
    }
}

/// The label of an enumeration's default, if the cast names that enumeration. Debezium leaves doubled quotes doubled.
fn label(text: &str, type_name: &str) -> Option<Value> {
    let (quoted, cast) = text.rsplit_once("::")?;
    if last_part(cast)? != type_name {
        return None;
    }
    quoted.strip_prefix('\'')?.strip_suffix('\'').map(Value::text)
}

/// The last part of a name with dots between its parts, some of them in double quotes.
fn last_part(name: &str) -> Option<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut characters) = (false, name.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                parts.last_mut()?.push('"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            character => parts.last_mut()?.push(character),
        }
    }
    parts.pop()
}
