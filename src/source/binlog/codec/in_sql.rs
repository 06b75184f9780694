//! A column's values in statements, and the answers to them as cells of the log.
//!
//! In: what the table map and the tracked table say of a column; an answer of the text protocol, in a session of
//! [`SESSION`]. Out: the bytes that a row image would have, so that a value that was read again goes through the same
//! codec, modes and masks as one of the log; and a key's cell as a literal that finds its row. Promised: an answer that the
//! column of the log cannot hold (the column was altered since) is an error and never another value. Nothing here
//! survives a crash.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::walk::JSON_TEXT_MARKER;
use super::charset::{self, Charset};
use super::decimal::Shape;
use super::temporal::fraction_bytes;
use super::{WireColumn, type_name::TypeName, wire_type as w};
use crate::model::row::InSql;
use crate::model::table::Column;
use crate::model::value::ValueError;
use crate::source::codec::calendar::{Day, SECONDS_PER_DAY};

/// What a session must be like: text comes in the column's own character set, moments in UTC, CHAR as the log has it, and
/// times that are zero may be asked for.
pub(crate) const SESSION: &str =
    "SET SESSION sql_mode = '', time_zone = '+00:00', autocommit = 1, character_set_results = NULL";

/// The forms of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Least significant byte first.
    Integer {
        bytes: usize,
        unsigned: bool,
    },
    /// The number of a label, or a bit for each.
    Choice {
        bytes: usize,
    },
    /// Bits, most significant byte first.
    Bits,
    Float,
    Double,
    Decimal(Shape),
    Year,
    Date,
    /// With so many digits of the second's fraction; `None` for the form before MySQL 5.6. So are the next two.
    Time(Option<u32>),
    DateTime(Option<u32>),
    Timestamp(Option<u32>),
    /// Text in a character set.
    Text(&'static str),
    /// Bytes, of which the log leaves out the zeros at the end of so many.
    Bytes {
        length: usize,
    },
    /// As they are; there are no literals.
    Opaque,
    /// Behind a byte that says they are not compressed.
    Stored,
    /// MySQL's JSON, as text behind its marker.
    Json,
    Uuid,
    Inet4,
    Inet6,
}

/// How a column's values are asked for and written.
#[derive(Debug)]
struct Sql {
    form: Form,
    column_type: &'static str,
}

/// How a column's values are asked for and written; `None` for wire types that are not known.
pub(super) fn in_sql(column: &Column, wire: WireColumn) -> Option<Box<dyn InSql>> {
    let form = form(column, wire)?;
    Some(Box::new(Sql { form, column_type: w::name(wire.wire_type) }))
}

fn form(column: &Column, wire: WireColumn) -> Option<Form> {
    let name = TypeName::parse(&column.type_name);
    let unsigned = name.unsigned || name.base == "SERIAL";
    let integer = |bytes| Some(Form::Integer { bytes, unsigned });
    let (digits, metadata) = (Some(u32::from(wire.metadata)), usize::from(wire.metadata));
    match wire.wire_type {
        w::TINY => integer(1),
        w::SHORT => integer(2),
        w::INT24 => integer(3),
        w::LONG => integer(4),
        w::LONGLONG => integer(8),
        w::ENUM | w::SET => Some(Form::Choice { bytes: metadata.min(8) }),
        w::BIT => Some(Form::Bits),
        w::FLOAT => Some(Form::Float),
        w::DOUBLE => Some(Form::Double),
        w::NEWDECIMAL => {
            let [precision, scale] = wire.metadata.to_be_bytes();
            Shape::new(precision.into(), scale.into()).map(Form::Decimal)
        }
        w::YEAR => Some(Form::Year),
        w::DATE | w::NEWDATE => Some(Form::Date),
        w::TIME => Some(Form::Time(None)),
        w::DATETIME => Some(Form::DateTime(None)),
        w::TIMESTAMP => Some(Form::Timestamp(None)),
        w::TIME2 => Some(Form::Time(digits)),
        w::DATETIME2 => Some(Form::DateTime(digits)),
        w::TIMESTAMP2 => Some(Form::Timestamp(digits)),
        w::JSON => Some(Form::Json),
        w::VARCHAR_COMPRESSED | w::BLOB_COMPRESSED => Some(Form::Stored),
        w::GEOMETRY | w::VECTOR => Some(Form::Opaque),
        w::STRING | w::VARCHAR | w::VAR_STRING | w::TINY_BLOB | w::MEDIUM_BLOB | w::LONG_BLOB | w::BLOB => {
            Some(match name.base.as_str() {
                "UUID" => Form::Uuid,
                "INET4" => Form::Inet4,
                "INET6" => Form::Inet6,
                "BINARY" | "CHAR BYTE" => Form::Bytes { length: metadata },
                _ => match wire.collation.and_then(charset::name_of_collation) {
                    Some("binary") => Form::Bytes { length: 0 },
                    Some(name) => Form::Text(name),
                    // Older servers do not tell; the tracked table does, where there are characters.
                    None => match column.charset_name.as_deref().and_then(|name| Charset::named(name, false)) {
                        Some(charset) => Form::Text(charset.name()),
                        None => Form::Bytes { length: 0 },
                    },
                },
            })
        }
        _ => None,
    }
}

impl InSql for Sql {
    fn asked(&self, name: &str) -> String {
        match self.form {
            // The text of a FLOAT has six digits only, and of a choice its labels.
            Form::Float | Form::Double => format!("{name} + 0e0"),
            Form::Choice { .. } => format!("{name} + 0"),
            Form::Integer { .. }
            | Form::Bits
            | Form::Decimal(_)
            | Form::Year
            | Form::Date
            | Form::Time(_)
            | Form::DateTime(_)
            | Form::Timestamp(_)
            | Form::Text(_)
            | Form::Bytes { .. }
            | Form::Opaque
            | Form::Stored
            | Form::Json
            | Form::Uuid
            | Form::Inet4
            | Form::Inet6 => name.to_owned(),
        }
    }

    fn cell(&self, answer: &[u8]) -> Result<Vec<u8>, ValueError> {
        let bad = || ValueError::Invalid { column_type: self.column_type, reason: "an answer of another type" };
        match self.form {
            Form::Bits | Form::Text(_) | Form::Bytes { .. } | Form::Opaque => return Ok(answer.to_vec()),
            Form::Stored => return Ok([&[0], answer].concat()),
            Form::Json => return Ok([&[JSON_TEXT_MARKER], answer].concat()),
            Form::Integer { .. }
            | Form::Choice { .. }
            | Form::Float
            | Form::Double
            | Form::Decimal(_)
            | Form::Year
            | Form::Date
            | Form::Time(_)
            | Form::DateTime(_)
            | Form::Timestamp(_)
            | Form::Uuid
            | Form::Inet4
            | Form::Inet6 => {}
        }
        let text = std::str::from_utf8(answer).map_err(|_| bad())?;
        self.form.packed(text).ok_or_else(bad)
    }

    fn literal(&self, cell: &[u8]) -> Option<String> {
        self.form.literal(cell)
    }
}

impl Form {
    /// The cell of a value that is written in digits.
    fn packed(self, text: &str) -> Option<Vec<u8>> {
        Some(match self {
            Form::Integer { bytes, unsigned } => little(text.parse().ok()?, bytes, unsigned)?,
            Form::Choice { bytes } => little(text.parse().ok()?, bytes, true)?,
            Form::Float => (text.parse::<f64>().ok()? as f32).to_le_bytes().to_vec(),
            Form::Double => text.parse::<f64>().ok()?.to_le_bytes().to_vec(),
            Form::Decimal(shape) => shape.pack(text)?,
            Form::Year => match text.parse::<i128>().ok()? {
                0 => vec![0],
                year => little(year - 1900, 1, true)?,
            },
            Form::Date => {
                let Moment { year, month, day, .. } = Moment::read(text)?;
                little((year << 9 | month << 5 | day).into(), 3, true)?
            }
            Form::Time(digits) => time(text, digits)?,
            Form::DateTime(digits) => Moment::read(text)?.date_time(digits)?,
            Form::Timestamp(digits) => Moment::read(text)?.timestamp(digits)?,
            Form::Uuid => uuid::Uuid::parse_str(text).ok()?.as_bytes().to_vec(),
            Form::Inet4 => text.parse::<Ipv4Addr>().ok()?.octets().to_vec(),
            Form::Inet6 => text.parse::<Ipv6Addr>().ok()?.octets().to_vec(),
            Form::Bits | Form::Text(_) | Form::Bytes { .. } | Form::Opaque | Form::Stored | Form::Json => return None,
        })
    }

    /// What stands for a cell in a condition; nothing for types that no key has.
    fn literal(self, cell: &[u8]) -> Option<String> {
        Some(match self {
            Form::Integer { bytes, unsigned: false } => {
                let shift = 64_u32.checked_sub(u32::try_from(bytes).ok()? * 8)?;
                ((number(cell.iter().rev())? << shift).cast_signed() >> shift).to_string()
            }
            Form::Integer { .. } | Form::Choice { .. } => number(cell.iter().rev())?.to_string(),
            Form::Bits => number(cell.iter())?.to_string(),
            Form::Float => format!("{:e}", f64::from(f32::from_le_bytes(cell.try_into().ok()?))),
            Form::Double => format!("{:e}", f64::from_le_bytes(cell.try_into().ok()?)),
            Form::Decimal(shape) => shape.unpack(cell)?,
            Form::Year => match cell {
                [0] => "0".to_owned(),
                [years] => (1900 + u32::from(*years)).to_string(),
                _ => return None,
            },
            Form::Date => {
                let packed = number(cell.iter().rev())?;
                format!("'{:04}-{:02}-{:02}'", packed >> 9, packed >> 5 & 15, packed & 31)
            }
            Form::DateTime(Some(_)) => date_time_literal(cell)?,
            Form::Timestamp(Some(_)) => {
                let (seconds, fraction) = cell.split_first_chunk()?;
                let seconds = i64::from(u32::from_be_bytes(*seconds));
                let (day, seconds) = (Day::at(seconds / SECONDS_PER_DAY), seconds % SECONDS_PER_DAY);
                let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                let fraction = micros(fraction)?;
                let Day { year, month, day } = day;
                format!("'{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:06}'")
            }
            Form::Text(charset) => format!("_{charset} x'{}'", hex(cell)),
            Form::Bytes { length } => {
                let zeros = length.saturating_sub(cell.len());
                format!("x'{}{}'", hex(cell), "00".repeat(zeros))
            }
            Form::Uuid => format!("'{}'", uuid::Uuid::from_bytes(padded(cell)?)),
            Form::Inet4 => format!("'{}'", Ipv4Addr::from(padded::<4>(cell)?)),
            Form::Inet6 => format!("'{}'", Ipv6Addr::from(padded::<16>(cell)?)),
            Form::Time(_) | Form::DateTime(None) | Form::Timestamp(None) => return None,
            Form::Opaque | Form::Stored | Form::Json => return None,
        })
    }
}

/// A number of up to eight bytes, least significant first; `None` where it does not fit.
fn little(value: i128, bytes: usize, unsigned: bool) -> Option<Vec<u8>> {
    let bits = u32::try_from(bytes).ok()? * 8;
    let fits = match unsigned {
        true => (0..1_i128 << bits).contains(&value),
        false => (-(1_i128 << (bits - 1))..1_i128 << (bits - 1)).contains(&value),
    };
    if fits { value.to_le_bytes().get(..bytes).map(<[u8]>::to_vec) } else { None }
}

/// The last bytes of a number, most significant first.
fn big(value: u64, bytes: usize) -> Option<Vec<u8>> {
    value.to_be_bytes().get(8_usize.checked_sub(bytes)?..).map(<[u8]>::to_vec)
}

/// A number of up to eight bytes, most significant first.
fn number<'a>(bytes: impl ExactSizeIterator<Item = &'a u8>) -> Option<u64> {
    (1..=8).contains(&bytes.len()).then(|| bytes.fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn padded<const N: usize>(cell: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    bytes.get_mut(..cell.len())?.copy_from_slice(cell);
    Some(bytes)
}

/// The microseconds of a fraction in 0 to 3 bytes, each of two digits.
fn micros(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return Some(0);
    }
    Some(number(bytes.iter())? * 100_u64.checked_pow(3 - u32::try_from(bytes.len()).ok()?)?)
}

/// Microseconds as the fraction of a cell with so many digits: its bytes, and their number.
fn fraction(micros: u32, digits: u32) -> Option<(usize, u64)> {
    let bytes = fraction_bytes(u16::try_from(digits).ok()?)?;
    Some((bytes, u64::from(micros / 100_u32.checked_pow(3 - u32::try_from(bytes).ok()?)?)))
}

/// Numbers between anything else, and the microseconds behind a point.
fn numbers<const N: usize>(text: &str) -> Option<([u32; N], u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(|c: char| !c.is_ascii_digit());
    let mut numbers = [0; N];
    for number in &mut numbers {
        // A date has no time behind it.
        *number = parts.next().map_or(Some(0), |part| part.parse().ok())?;
    }
    if parts.next().is_some() || fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((numbers, format!("{fraction:0<6}").parse().ok()?))
}

/// `838:59:59.000000`, with a sign.
fn time(text: &str, digits: Option<u32>) -> Option<Vec<u8>> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let ([hour, minute, second], micros) = numbers(text)?;
    if hour > 838 || minute > 59 || second > 59 {
        return None;
    }
    let Some(digits) = digits else {
        let value = i128::from(hour * 10_000 + minute * 100 + second);
        return little(if negative { -value } else { value }, 3, false);
    };
    let (bytes, fraction) = fraction(micros, digits)?;
    let magnitude = u64::from(hour << 12 | minute << 6 | second) << (8 * bytes) | fraction;
    let middle = 1_u64 << (8 * bytes + 23);
    big(if negative { middle - magnitude } else { middle + magnitude }, 3 + bytes)
}

/// A date and a time of day, as the server writes them. Parts may be zero, and a day may not exist.
struct Moment {
    year: u32,
    month: u32,
    day: u32,
    time: [u32; 3],
    micros: u32,
}

impl Moment {
    fn read(text: &str) -> Option<Moment> {
        let ([year, month, day, time @ ..], micros): ([u32; 6], u32) = numbers(text)?;
        let [hour, minute, second] = time;
        let fits = year <= 9999 && month <= 12 && day <= 31 && hour <= 23 && minute <= 59 && second <= 59;
        fits.then_some(Moment { year, month, day, time, micros })
    }

    fn date_time(&self, digits: Option<u32>) -> Option<Vec<u8>> {
        let Moment { year, month, day, time: [hour, minute, second], micros } = *self;
        let Some(digits) = digits else {
            let date = u64::from(year) * 10_000 + u64::from(month * 100 + day);
            let time = u64::from(hour * 10_000 + minute * 100 + second);
            return little((date * 1_000_000 + time).into(), 8, true);
        };
        let (bytes, fraction) = fraction(micros, digits)?;
        let date = u64::from((year * 13 + month) << 5 | day);
        let packed = date << 17 | u64::from(hour << 12 | minute << 6 | second) | 1 << 39;
        big(packed << (8 * bytes) | fraction, 5 + bytes)
    }

    fn timestamp(&self, digits: Option<u32>) -> Option<Vec<u8>> {
        let Moment { year, month, day, time: [hour, minute, second], micros } = *self;
        let seconds = match (year, month, day) {
            (0, 0, 0) => 0,
            _ => {
                let day = Day { year: i32::try_from(year).ok()?, month, day };
                if !day.exists() {
                    return None;
                }
                let seconds = i64::from(day.since_epoch()) * SECONDS_PER_DAY;
                u32::try_from(seconds + i64::from(hour * 3600 + minute * 60 + second)).ok()?
            }
        };
        let Some(digits) = digits else { return Some(seconds.to_le_bytes().to_vec()) };
        let (bytes, fraction) = fraction(micros, digits)?;
        big(u64::from(seconds) << (8 * bytes) | fraction, 4 + bytes)
    }
}

fn date_time_literal(cell: &[u8]) -> Option<String> {
    let ([a, b, c, d, e], fraction) = cell.split_first_chunk()?;
    let packed = u64::from_be_bytes([0, 0, 0, *a, *b, *c, *d, *e]);
    let part = |shift: u32, width: u32| packed >> shift & ((1 << width) - 1);
    let (year_month, day, hour, minute, second) = (part(22, 17), part(17, 5), part(12, 5), part(6, 6), part(0, 6));
    let (year, month, micros) = (year_month / 13, year_month % 13, micros(fraction)?);
    Some(format!("'{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}'"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn column(type_name: &str) -> Column {
        Column { type_name: type_name.to_owned(), ..Column::default() }
    }

    fn sql(type_name: &str, wire_type: u8, metadata: u16, collation: Option<u16>) -> Box<dyn InSql> {
        in_sql(&column(type_name), WireColumn { wire_type, metadata, unsigned: None, collation }).unwrap()
    }

    /// What the server answers becomes the cell, and the cell a literal; `None` where there is none.
    #[test]
    fn answers_become_the_cells_of_the_log() {
        let check = |type_name: &str, wire: (u8, u16), answer: &str, cell: &str, literal: Option<&str>| {
            let sql = sql(type_name, wire.0, wire.1, None);
            let packed = sql.cell(answer.as_bytes()).map(|cell| hex(&cell)).unwrap_or_else(|_| "bad".to_owned());
            assert_eq!(packed, cell, "{type_name}: {answer}");
            if packed != "bad" {
                let written = sql.literal(&sql.cell(answer.as_bytes()).unwrap());
                assert_eq!(written.as_deref(), literal, "{type_name}: {answer}");
            }
        };
        check("TINYINT", (w::TINY, 0), "-128", "80", Some("-128"));
        check("TINYINT", (w::TINY, 0), "128", "bad", None);
        check("TINYINT UNSIGNED", (w::TINY, 0), "255", "ff", Some("255"));
        check("MEDIUMINT", (w::INT24, 0), "-2", "feffff", Some("-2"));
        check("INT UNSIGNED ZEROFILL", (w::LONG, 0), "0000000007", "07000000", Some("7"));
        check("INT", (w::LONG, 0), "5000000000", "bad", None);
        check(
            "BIGINT UNSIGNED",
            (w::LONGLONG, 0),
            "18446744073709551615",
            "ffffffffffffffff",
            Some("18446744073709551615"),
        );
        check("BIGINT", (w::LONGLONG, 0), "-9223372036854775808", "0000000000000080", Some("-9223372036854775808"));
        check("ENUM", (w::ENUM, 1), "3", "03", Some("3"));
        check("SET", (w::SET, 8), "9223372036854775809", "0100000000000080", Some("9223372036854775809"));
        check("FLOAT", (w::FLOAT, 4), "1.100000023841858", "cdcc8c3f", Some("1.100000023841858e0"));
        check("DOUBLE", (w::DOUBLE, 8), "-1e-300", "59f3f8c21f6ea581", Some("-1e-300"));
        check("YEAR", (w::YEAR, 0), "2024", "7c", Some("2024"));
        check("YEAR", (w::YEAR, 0), "0000", "00", Some("0"));
        check("DATE", (w::DATE, 0), "2024-01-31", "3fd00f", Some("'2024-01-31'"));
        check("DATE", (w::DATE, 0), "0000-00-00", "000000", Some("'0000-00-00'"));
        check("TIME", (w::TIME2, 0), "-00:00:01", "7fffff", None);
        check("TIME", (w::TIME2, 0), "838:59:59", "b46efb", None);
        check("TIME", (w::TIME2, 3), "00:00:01.500", "8000011388", None);
        check("TIME", (w::TIME2, 1), "-00:00:00.1", "7ffffff6", None);
        check("TIME", (w::TIME, 0), "-12:34:56", "c01dfe", None);
        check("DATETIME", (w::DATETIME2, 0), "2024-01-31 10:11:12", "99b27ea2cc", Some("'2024-01-31 10:11:12.000000'"));
        check(
            "DATETIME",
            (w::DATETIME2, 6),
            "2024-01-31 10:11:12.5",
            "99b27ea2cc07a120",
            Some("'2024-01-31 10:11:12.500000'"),
        );
        check("DATETIME", (w::DATETIME, 0), "2024-01-31 10:11:12", "b811d38568120000", None);
        check(
            "TIMESTAMP",
            (w::TIMESTAMP2, 2),
            "1970-01-02 00:00:01.25",
            "0001518119",
            Some("'1970-01-02 00:00:01.250000'"),
        );
        check("TIMESTAMP", (w::TIMESTAMP2, 0), "0000-00-00 00:00:00", "00000000", Some("'1970-01-01 00:00:00.000000'"));
        check("TIMESTAMP", (w::TIMESTAMP, 0), "1970-01-01 00:00:02", "02000000", None);
        check("JSON", (w::JSON, 4), "{\"a\": 1}", "f07b2261223a20317d", None);
        check("TEXT", (w::BLOB_COMPRESSED, 2), "a", "0061", None);
        check(
            "UUID",
            (w::STRING, 16),
            "01020304-0506-0708-090a-0b0c0d0e0f00",
            "0102030405060708090a0b0c0d0e0f00",
            Some("'01020304-0506-0708-090a-0b0c0d0e0f00'"),
        );
        check("INET6", (w::STRING, 16), "::1", "00000000000000000000000000000001", Some("'::1'"));
        check("INET4", (w::STRING, 4), "10.0.0.1", "0a000001", Some("'10.0.0.1'"));
        check("INT", (w::LONG, 0), "seven", "bad", None);
        check("DATE", (w::DATE, 0), "2024-01-31-01-01-01-01", "bad", None);
        check("TIMESTAMP", (w::TIMESTAMP2, 0), "2024-02-31 00:00:00", "bad", None);
    }

    #[test]
    fn decimals_become_the_cells_of_the_log() {
        for (precision, scale, text, cell) in [
            (10, 2, "1.50", "8000000132"),
            (10, 2, "-1.50", "7ffffffecd"),
            (20, 10, "-1234567890.1234567890", "7ef204c72df8a432eaff"),
            (4, 4, "0.0001", "8001"),
            (5, 0, "-99999", "7e7960"),
            (5, 0, "100000", "bad"),
            (4, 1, "1.25", "bad"),
            (4, 1, "1.x", "bad"),
        ] {
            let wire = WireColumn {
                wire_type: w::NEWDECIMAL,
                metadata: precision << 8 | scale,
                unsigned: None,
                collation: None,
            };
            let sql = in_sql(&column("DECIMAL"), wire).unwrap();
            let packed = sql.cell(text.as_bytes()).ok();
            assert_eq!(packed.as_deref().map_or("bad".to_owned(), hex), cell, "DECIMAL({precision},{scale}): {text}");
            if let Some(packed) = packed {
                assert_eq!(sql.literal(&packed).as_deref(), Some(text), "DECIMAL({precision},{scale})");
            }
        }
    }

    #[test]
    fn names_and_bytes_of_keys_never_become_sql() {
        let latin1 = sql("VARCHAR", w::VARCHAR, 40, Some(8));
        assert_eq!(latin1.literal(b"it's\xe9").as_deref(), Some("_latin1 x'69742773e9'"));
        assert_eq!(sql("CHAR", w::STRING, 16, Some(255)).literal(b"").as_deref(), Some("_utf8mb4 x''"));
        assert_eq!(sql("BINARY", w::STRING, 4, Some(63)).literal(b"a").as_deref(), Some("x'61000000'"));
        assert_eq!(sql("VARBINARY", w::VARCHAR, 4, Some(63)).literal(b"a").as_deref(), Some("x'61'"));
        assert_eq!(sql("FLOAT", w::FLOAT, 4, None).asked("`f`"), "`f` + 0e0");
        assert_eq!(sql("ENUM", w::ENUM, 1, None).asked("`e`"), "`e` + 0");
        assert_eq!(sql("INT", w::LONG, 0, None).asked("`i`"), "`i`");
    }
}
