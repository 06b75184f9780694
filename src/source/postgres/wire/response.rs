//! Answers to statements: columns, rows, errors and notices, settings of the session.

use std::fmt;

use super::{Reader, WireError};

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type's OID.
    pub type_oid: u32,
}

/// Where a value lies in its row's body; `None` for NULL.
pub type ValueRange = Option<(u32, u32)>;

/// The server's words when it refuses something: `ErrorResponse`, `NoticeResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// ERROR, FATAL, PANIC, or a notice's: not translated.
    pub severity: String,
    /// The five characters of SQLSTATE (manual, "PostgreSQL Error Codes").
    pub sql_state: String,
    /// What happened.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do, in the server's opinion.
    pub hint: Option<String>,
    /// The function of the server's source that says so: tells apart what has one SQLSTATE, in every language.
    pub routine: String,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity, self.sql_state, self.message)?;
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " Hint: {hint}")?;
        }
        Ok(())
    }
}

/// The body of `ErrorResponse` or `NoticeResponse`. Texts come in the server's language and encoding: before the
/// session's encoding is set they may not be UTF-8, so they are read leniently.
pub fn parse_error(body: &[u8]) -> Result<ServerError, WireError> {
    let mut reader = Reader::new("ErrorResponse", body);
    let mut error = ServerError::default();
    loop {
        let field = reader.u8("field type")?;
        if field == 0 {
            return Ok(error);
        }
        let text = String::from_utf8_lossy(reader.until_nul("field")?).into_owned();
        match field {
            b'V' => error.severity = text,
            // The translated severity, for servers before 9.6 that send no other.
            b'S' if error.severity.is_empty() => error.severity = text,
            b'C' => error.sql_state = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            b'R' => error.routine = text,
            _ => {}
        }
    }
}

/// The body of `RowDescription`.
pub fn parse_columns(body: &[u8]) -> Result<Vec<Column>, WireError> {
    let mut reader = Reader::new("RowDescription", body);
    let count = reader.u16("number of columns")?;
    let mut columns = Vec::with_capacity(usize::from(count).min(body.len() / 19 + 1));
    for _ in 0..count {
        let name = String::from_utf8_lossy(reader.until_nul("column name")?).into_owned();
        // The table's OID and the column's number in it.
        reader.take(6, "table")?;
        let type_oid = reader.u32("type")?;
        // Length, modifier and format: every value comes as text.
        reader.take(8, "format")?;
        columns.push(Column { name, type_oid });
    }
    Ok(columns)
}

/// The body of `DataRow`: replaces `values`.
pub fn parse_row(body: &[u8], values: &mut Vec<ValueRange>) -> Result<(), WireError> {
    values.clear();
    let mut reader = Reader::new("DataRow", body);
    for _ in 0..reader.u16("number of values")? {
        let length = reader.i32("length")?;
        if length == -1 {
            values.push(None);
            continue;
        }
        let length = usize::try_from(length).map_err(|_| reader.malformed("a value has a negative length"))?;
        let start = body.len() - reader.rest().len();
        reader.take(length, "value")?;
        values.push(Some((start as u32, (start + length) as u32)));
    }
    if reader.is_empty() { Ok(()) } else { Err(reader.malformed("bytes behind the last value")) }
}

/// The body of `ParameterStatus`: a setting of the session and its value.
pub fn parse_parameter(body: &[u8]) -> Result<(String, String), WireError> {
    let mut reader = Reader::new("ParameterStatus", body);
    let name = String::from_utf8_lossy(reader.until_nul("name")?).into_owned();
    let value = String::from_utf8_lossy(reader.until_nul("value")?).into_owned();
    Ok((name, value))
}
