//! ROWS_QUERY (MySQL) and ANNOTATE_ROWS (MariaDB): the statement that the rows events after it come from.
//!
//! MySQL repeats the length in one byte, which is useless above 255; both go on to the end of the event.
//! Source: MySQL `rows_event.h`, `Rows_query_event`; MariaDB, "ANNOTATE_ROWS_EVENT".

use super::error::EventError;
use super::reader::Reader;

/// Reads the body of ROWS_QUERY; gives the statement.
pub fn parse_rows_query(body: &[u8]) -> Result<&[u8], EventError> {
    let mut reader = Reader::new(body, "rows query event");
    reader.u8()?;
    Ok(reader.rest())
}
