//! SQL by the simple query protocol: values come as text.
//!
//! In: a statement. Out: its rows, all at once or one by one. Promised: a statement that fails by the server's refusal
//! leaves the connection usable; any other failure gives it up, and every later call says so.

use std::time::Duration;

use super::super::wire::{self, Column, MESSAGE_LIMIT_BYTES, ValueRange, parse_columns, parse_error, parse_row};
use super::conversation::Conversation;
use super::login::{log_in, unexpected};
use super::{ConnectOptions, ConnectionError, Doing, Purpose, StopFlag};
use crate::source::line::{Deadline, beginning};

/// The most row bytes that [`Connection::query`] keeps; larger results are for [`Connection::query_each`].
const RESULT_LIMIT_BYTES: usize = 512 << 20;

/// A row: its values as text, `None` for NULL.
pub type Row = Vec<Option<Vec<u8>>>;

/// A whole result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultSet {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows, in the server's order.
    pub rows: Vec<Row>,
}

impl ResultSet {
    /// The value of the first row in the column of that name; `None` for no row, no such column, or NULL.
    pub fn first(&self, column: &str) -> Option<String> {
        self.rows.first().and_then(|row| self.text(row, column))
    }

    /// The value of one of this result's rows, by the column's name.
    pub fn text(&self, row: &Row, column: &str) -> Option<String> {
        let index = self.columns.iter().position(|candidate| candidate.name == column)?;
        let value = row.get(index)?.as_deref()?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// A row while it lies in the connection's buffer.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    body: &'a [u8],
    values: &'a [ValueRange],
}

impl<'a> RowRef<'a> {
    /// Values in the row.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True for a row of no columns: `SELECT FROM t`.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A value; `None` for NULL or for an index past the last column.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let (start, end) = (*self.values.get(index)?)?;
        self.body.get(start as usize..end as usize)
    }

    /// A copy.
    pub fn to_row(&self) -> Row {
        (0..self.len()).map(|index| self.get(index).map(<[u8]>::to_vec)).collect()
    }
}

/// A name in a statement: in double quotes, those inside it doubled.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in a statement. One with a backslash is written as `E'…'`, which means the same whatever
/// `standard_conforming_strings` says.
pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Ready for a statement.
    Ready,
    /// In the middle of an answer, or worse: never usable again.
    GivenUp,
}

/// A session with the server.
#[derive(Debug)]
pub struct Connection {
    conversation: Conversation,
    user: String,
    query_timeout: Option<Duration>,
    state: State,
    body: Vec<u8>,
}

impl Connection {
    /// Connects and logs in.
    ///
    /// # Errors
    /// When the server cannot be reached, trusted or persuaded, each with its own page.
    pub fn connect(options: &ConnectOptions, purpose: Purpose, stop: &StopFlag) -> Result<Self, ConnectionError> {
        let conversation = log_in(options, purpose, stop)?;
        let (user, query_timeout) = (options.user.clone(), options.query_timeout);
        Ok(Self { conversation, user, query_timeout, state: State::Ready, body: Vec::new() })
    }

    /// The server's version as `server_version_num` has it: 150014 for 15.14, 180000 for 18beta1.
    pub fn server_version_num(&self) -> u32 {
        version_number(self.parameter("server_version").unwrap_or_default())
    }

    /// A setting that the server tells by itself: `server_version`, `server_encoding`, `TimeZone`, `is_superuser`,
    /// `in_hot_standby` (14 and later), and others.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.conversation.parameter(name)
    }

    /// Runs a statement and keeps its rows (at most 512 MiB of them). Of several statements the last result is kept.
    ///
    /// # Errors
    /// [`ConnectionError::Sql`] and its kin for the server's refusal; all others end the connection.
    pub fn query(&mut self, sql: &str) -> Result<ResultSet, ConnectionError> {
        let mut result = ResultSet::default();
        let mut kept = 0;
        let columns = self.query_each(sql, |row| {
            kept += row.body.len();
            if kept > RESULT_LIMIT_BYTES {
                return Err(ConnectionError::ResultTooLarge { limit: RESULT_LIMIT_BYTES, statement: beginning(sql) });
            }
            result.rows.push(row.to_row());
            Ok(())
        })?;
        result.columns = columns;
        Ok(result)
    }

    /// Runs a statement and drops its rows.
    ///
    /// # Errors
    /// As [`Connection::query`].
    pub fn query_drop(&mut self, sql: &str) -> Result<(), ConnectionError> {
        self.query_each(sql, |_| Ok::<(), ConnectionError>(())).map(|_| ())
    }

    /// Runs a statement and gives each row out while it lies in the buffer; then the columns.
    ///
    /// # Errors
    /// As [`Connection::query`]; an error of `each` ends the connection too, and comes back as it is.
    pub fn query_each<E: From<ConnectionError>>(
        &mut self,
        sql: &str,
        mut each: impl FnMut(RowRef<'_>) -> Result<(), E>,
    ) -> Result<Vec<Column>, E> {
        let deadline = Deadline::after(Doing::QUERY, self.query_timeout);
        self.begin(sql, &deadline)?;
        let (mut columns, mut refusal, mut values) = (Vec::new(), None, Vec::new());
        loop {
            // A long result may take long: only the wait for its next part is limited.
            match self.receive(&deadline.again())? {
                b'T' => columns = parse_columns(&self.body).map_err(ConnectionError::from)?,
                b'D' => {
                    parse_row(&self.body, &mut values).map_err(ConnectionError::from)?;
                    each(RowRef { body: &self.body, values: &values })?;
                }
                b'E' => refusal = Some(parse_error(&self.body).map_err(ConnectionError::from)?),
                b'C' | b'I' => {}
                b'Z' => break,
                other => return Err(unexpected(other, "a statement").into()),
            }
        }
        self.state = State::Ready;
        match refusal {
            Some(error) => Err(ConnectionError::refused(error, Doing::QUERY, &self.user, sql).into()),
            None => Ok(columns),
        }
    }

    /// Sends a statement. Until its answer has been read whole the connection counts as given up.
    pub(super) fn begin(&mut self, sql: &str, deadline: &Deadline) -> Result<(), ConnectionError> {
        if self.state == State::GivenUp {
            return Err(ConnectionError::GivenUp);
        }
        let message = wire::query(sql)?;
        self.state = State::GivenUp;
        self.conversation.send(&message, deadline)
    }

    /// The next message of an answer; its body is in [`Connection::body`].
    pub(super) fn receive(&mut self, deadline: &Deadline) -> Result<u8, ConnectionError> {
        self.conversation.receive_answer(&mut self.body, MESSAGE_LIMIT_BYTES, deadline)
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn query_timeout(&self) -> Option<Duration> {
        self.query_timeout
    }

    /// Taken apart, to read the stream.
    pub(super) fn into_conversation(self) -> Conversation {
        self.conversation
    }

    /// Says goodbye, so that the server does not log a lost connection. Never waits for an answer.
    pub fn close(mut self) {
        if self.state == State::Ready {
            let deadline = Deadline::after(Doing::QUERY, Some(Duration::from_millis(100)));
            // The connection ends either way.
            let _ = self.conversation.send(&wire::terminate(), &deadline);
        }
    }
}

/// 15.14 (Debian 15.14-0+deb12u1) is 150014; 18beta1 and 19devel have no minor number.
fn version_number(text: &str) -> u32 {
    let numbers_end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    let mut numbers = text.get(..numbers_end).unwrap_or_default().split('.').map(|part| part.parse().unwrap_or(0_u32));
    let major = numbers.next().unwrap_or(0).min(10_000);
    major * 10_000 + numbers.next().unwrap_or(0).min(9_999)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn versions_are_read_as_the_server_numbers_them() {
        for (text, number) in [
            ("15.14 (Debian 15.14-0+deb12u1)", 150_014),
            ("18beta1", 180_000),
            ("19devel", 190_000),
            ("17.2", 170_002),
            ("14.99999999", 149_999),
            ("99999999999", 0),
            ("", 0),
        ] {
            assert_eq!(version_number(text), number, "{text}");
        }
    }

    #[test]
    fn text_never_becomes_sql() {
        assert_eq!(quote_identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(quote_literal("it's"), "'it''s'");
        assert_eq!(quote_literal("\\'; DROP TABLE x; --"), "E'\\\\''; DROP TABLE x; --'");
    }
}
