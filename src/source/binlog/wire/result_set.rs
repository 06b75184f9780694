//! Results of COM_QUERY in the text protocol.
//!
//! In: the packets of a result, one at a time. Out: column definitions, and rows as ranges into their own
//! packet, so that a large result is read without an allocation a row. Promised: a row has exactly as many
//! values as there are columns, or it is an error.
//! Source: MySQL internals manual, "Text Resultset", "Column Definition".

use super::WireError;
use super::read::Reader;

/// The most columns a result may have: MySQL allows 4,096 in a table, expressions included.
pub const COLUMN_LIMIT: u64 = 65_535;

/// What the first packet of an answer announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An OK packet: the statement gives no rows.
    Ok,
    /// An ERR packet.
    Error,
    /// LOAD DATA LOCAL: the server asks for a file of this machine.
    LocalInfile,
    /// Rows of this many columns follow.
    Columns(usize),
}

/// Reads the first packet of an answer to COM_QUERY.
pub fn parse_answer(payload: &[u8]) -> Result<Answer, WireError> {
    match payload.first() {
        None => Err(WireError::Truncated { message: "answer to a query", field: "marker" }),
        Some(0x00) => Ok(Answer::Ok),
        Some(0xff) => Ok(Answer::Error),
        Some(0xfb) => Ok(Answer::LocalInfile),
        Some(_) => {
            let count = Reader::new("answer to a query", payload).length("column count")?;
            if count == 0 || count > COLUMN_LIMIT {
                return Err(WireError::Malformed { message: "answer to a query", reason: "absurd column count" });
            }
            Ok(Answer::Columns(count as usize))
        }
    }
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name or alias, in the session's character set (utf8mb4).
    pub name: String,
    /// The table it comes from; empty for an expression.
    pub table: String,
    /// Collation number of its text; 63 is binary.
    pub collation: u16,
    /// Longest value in bytes.
    pub length: u32,
    /// Type number of the protocol (`MYSQL_TYPE_…`).
    pub column_type: u8,
    /// Column flags (`NOT_NULL_FLAG` 1, `UNSIGNED_FLAG` 32, …).
    pub flags: u16,
    /// Digits behind the point.
    pub decimals: u8,
}

/// Reads a column definition.
pub fn parse_column(payload: &[u8]) -> Result<Column, WireError> {
    let mut reader = Reader::new("column definition", payload);
    reader.string("catalog")?;
    reader.string("schema")?;
    let table = String::from_utf8_lossy(reader.string("table")?).into_owned();
    reader.string("original table")?;
    let name = String::from_utf8_lossy(reader.string("name")?).into_owned();
    reader.string("original name")?;
    let mut fixed = Reader::new("column definition", reader.string("fixed fields")?);
    Ok(Column {
        name,
        table,
        collation: fixed.u16("collation")?,
        length: fixed.u32("length")?,
        column_type: fixed.u8("type")?,
        flags: fixed.u16("flags")?,
        decimals: fixed.u8("decimals")?,
    })
}

/// Where a value lies in its row's packet; `None` is NULL.
pub type ValueRange = Option<(u32, u32)>;

/// Reads a row of `columns` values; the ranges replace what `values` held.
pub fn parse_row(payload: &[u8], columns: usize, values: &mut Vec<ValueRange>) -> Result<(), WireError> {
    values.clear();
    let mut reader = Reader::new("row", payload);
    for _ in 0..columns {
        let value = reader.nullable_string("value")?;
        let end = payload.len() - reader.rest().len();
        values.push(value.map(|value| ((end - value.len()) as u32, end as u32)));
    }
    if !reader.is_empty() {
        return Err(WireError::Malformed { message: "row", reason: "it has more values than columns" });
    }
    Ok(())
}

/// True when `payload` ends the rows: an EOF packet, or (with DEPRECATE_EOF) an OK packet that begins with
/// 0xFE. A row can begin with 0xFE too, but only when its first value is 16 MiB long or more.
pub fn is_end_of_rows(payload: &[u8]) -> bool {
    payload.first() == Some(&0xfe) && payload.len() < super::packet::FULL_PAYLOAD_BYTES
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn rows_must_have_their_columns() {
        let mut values = Vec::new();
        parse_row(b"\x02ab\xfb\x00", 3, &mut values).unwrap();
        assert_eq!(values, [Some((1, 3)), None, Some((5, 5))]);
        for (bytes, columns) in [(&b"\x02a"[..], 1), (b"\x01a\x01b", 1), (b"\x01a", 2), (b"", 1), (b"\xff", 1)] {
            assert!(parse_row(bytes, columns, &mut values).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn answers_are_told_apart() {
        for (bytes, expected) in [
            (&b"\0"[..], Answer::Ok),
            (b"\xff\x10\x04x", Answer::Error),
            (b"\xfb/etc/passwd", Answer::LocalInfile),
            (b"\x03", Answer::Columns(3)),
            (b"\xfc\x00\x10", Answer::Columns(4096)),
        ] {
            assert_eq!(parse_answer(bytes).unwrap(), expected);
        }
        assert!(parse_answer(b"").is_err());
        assert!(parse_answer(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff").is_err());
    }

    #[test]
    fn a_column_as_mysql_sends_it() {
        // SELECT @@version_comment, captured from MySQL 8.0.
        let bytes = b"\x03def\0\0\0\x11@@version_comment\0\x0c\x2d\0\x70\0\0\0\xfd\0\0\x1f\0\0";
        let column = parse_column(bytes).unwrap();
        assert_eq!((column.name.as_str(), column.collation, column.column_type), ("@@version_comment", 45, 0xfd));
    }
}
