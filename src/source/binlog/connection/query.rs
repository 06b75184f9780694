//! SQL in the text protocol.
//!
//! In: a statement. Out: its rows, all at once or one by one. Promised: a statement that fails by the server's
//! refusal leaves the connection usable; any other failure gives it up, and every later call says so.

use super::super::super::line::{Deadline, Doing, StopFlag, beginning};
use super::super::wire::command;
use super::super::wire::response::{MORE_RESULTS, parse_eof, parse_error, parse_ok};
use super::super::wire::result_set::{
    Answer, Column, ValueRange, is_end_of_rows, parse_answer, parse_column, parse_row,
};
use super::conversation::Conversation;
use super::{ConnectOptions, ConnectionError, ServerInfo, login};
use std::time::Duration;

/// The most row bytes that [`Connection::query`] keeps; larger results are for [`Connection::query_each`].
const RESULT_LIMIT_BYTES: usize = 512 << 20;

/// A row: its values as text (or bytes), `None` for NULL.
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
    /// The value of the first row in the column of that name (in any case); `None` for no row, no such
    /// column, or NULL. Bytes that are not UTF-8 are shown with replacement characters.
    pub fn first(&self, column: &str) -> Option<String> {
        self.rows.first().and_then(|row| self.text(row, column))
    }

    /// The value of one of this result's rows, by the column's name in any case.
    pub fn text(&self, row: &Row, column: &str) -> Option<String> {
        let index = self.columns.iter().position(|candidate| candidate.name.eq_ignore_ascii_case(column))?;
        let value = row.get(index)?.as_deref()?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// A row while it lies in the connection's buffer.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    payload: &'a [u8],
    values: &'a [ValueRange],
}

impl<'a> RowRef<'a> {
    /// Values in the row.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True for a row without values; no server sends one.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A value; `None` for NULL or for an index past the last column.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let (start, end) = (*self.values.get(index)?)?;
        self.payload.get(start as usize..end as usize)
    }

    /// A copy.
    pub fn to_row(&self) -> Row {
        (0..self.len()).map(|index| self.get(index).map(<[u8]>::to_vec)).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Ready for a command.
    Ready,
    /// In the middle of an answer, or worse: never usable again.
    GivenUp,
}

/// A session with the server.
#[derive(Debug)]
pub struct Connection {
    conversation: Conversation,
    server: ServerInfo,
    user: String,
    query_timeout: Option<Duration>,
    state: State,
    payload: Vec<u8>,
}

impl Connection {
    /// Connects and logs in.
    pub fn connect(options: &ConnectOptions, stop: &StopFlag) -> Result<Self, ConnectionError> {
        let (conversation, server) = login::log_in(options, stop)?;
        let mut session = Self {
            conversation,
            server,
            user: options.user.clone(),
            query_timeout: options.query_timeout,
            state: State::Ready,
            payload: Vec::new(),
        };
        // The handshake asks for utf8mb4 too, but a server may be told to ignore that
        // (character_set_client_handshake=OFF), and init_connect may change it.
        session.query_drop("SET NAMES utf8mb4")?;
        Ok(session)
    }

    /// Who answers.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// COM_PING: the server is there and answers.
    pub fn ping(&mut self) -> Result<(), ConnectionError> {
        let deadline = Deadline::after(Doing::PING, self.query_timeout);
        self.command(&command::ping(), &deadline)?;
        self.receive(&deadline)?;
        if self.payload.first() == Some(&0xff) {
            let error = parse_error(&self.payload)?;
            self.state = State::Ready;
            return Err(self.refused(error, Doing::PING, "ping"));
        }
        parse_ok(&self.payload)?;
        self.state = State::Ready;
        Ok(())
    }

    /// Runs a statement and keeps its rows (at most 512 MiB of them).
    pub fn query(&mut self, sql: &str) -> Result<ResultSet, ConnectionError> {
        let mut result = ResultSet::default();
        let mut kept = 0;
        self.query_each(sql, |columns, row| {
            if result.columns.is_empty() {
                result.columns = columns.to_vec();
            }
            kept += row.payload.len();
            if kept > RESULT_LIMIT_BYTES {
                let statement = beginning(sql);
                return Err(ConnectionError::ResultTooLarge { limit: RESULT_LIMIT_BYTES, statement });
            }
            result.rows.push(row.to_row());
            Ok(())
        })?;
        Ok(result)
    }

    /// Runs a statement and throws its rows away.
    pub fn query_drop(&mut self, sql: &str) -> Result<(), ConnectionError> {
        self.query_each(sql, |_, _| Ok(()))
    }

    /// Runs a statement and shows each row as it comes. An error of `each` gives the connection up: the rest of the
    /// rows is still on its way.
    pub fn query_each<E: From<ConnectionError>>(
        &mut self,
        sql: &str,
        mut each: impl FnMut(&[Column], RowRef<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let deadline = Deadline::after(Doing::QUERY, self.query_timeout);
        self.command(&command::query(sql), &deadline)?;
        loop {
            self.receive(&deadline)?;
            let count = match parse_answer(&self.payload).map_err(ConnectionError::from)? {
                Answer::Ok => {
                    let ok = parse_ok(&self.payload).map_err(ConnectionError::from)?;
                    if ok.status & MORE_RESULTS != 0 {
                        continue;
                    }
                    break;
                }
                Answer::Error => return Err(self.statement_refused(sql).into()),
                Answer::LocalInfile => return Err(ConnectionError::LocalInfile.into()),
                Answer::Columns(count) => count,
            };
            let columns = self.receive_columns(count, &deadline)?;
            if !self.receive_rows(sql, &columns, &deadline, &mut each)? {
                break;
            }
        }
        self.state = State::Ready;
        Ok(())
    }

    fn receive_columns(&mut self, count: usize, deadline: &Deadline) -> Result<Vec<Column>, ConnectionError> {
        let mut columns = Vec::new();
        for _ in 0..count {
            self.receive(deadline)?;
            columns.push(parse_column(&self.payload)?);
        }
        Ok(columns)
    }

    /// True when another result follows.
    fn receive_rows<E: From<ConnectionError>>(
        &mut self,
        sql: &str,
        columns: &[Column],
        deadline: &Deadline,
        each: &mut impl FnMut(&[Column], RowRef<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut values = Vec::with_capacity(columns.len());
        // Without DEPRECATE_EOF an EOF packet stands between the columns and the rows, and another behind them.
        let mut eof_between = !self.conversation.deprecate_eof();
        loop {
            // A long result may take long: only the wait for its next part is limited.
            self.receive(&deadline.again())?;
            match self.payload.first() {
                Some(0xff) => return Err(self.statement_refused(sql).into()),
                Some(0xfe) if is_end_of_rows(&self.payload) => {
                    if std::mem::take(&mut eof_between) {
                        continue;
                    }
                    let status = if self.conversation.deprecate_eof() {
                        parse_ok(&self.payload).map(|ok| ok.status)
                    } else {
                        parse_eof(&self.payload)
                    };
                    return Ok(status.map_err(ConnectionError::from)? & MORE_RESULTS != 0);
                }
                Some(_) | None => {}
            }
            parse_row(&self.payload, columns.len(), &mut values).map_err(ConnectionError::from)?;
            each(columns, RowRef { payload: &self.payload, values: &values })?;
        }
    }

    /// The server's refusal of a statement: the conversation is whole again.
    fn statement_refused(&mut self, sql: &str) -> ConnectionError {
        match parse_error(&self.payload) {
            Ok(error) => {
                self.state = State::Ready;
                self.refused(error, Doing::QUERY, sql)
            }
            Err(error) => error.into(),
        }
    }

    fn refused(&self, error: super::ServerError, doing: Doing, statement: &str) -> ConnectionError {
        ConnectionError::refused(error, doing, &self.user, statement)
    }

    /// Sends a command. Until its answer has been read whole the connection counts as given up.
    pub(super) fn command(&mut self, payload: &[u8], deadline: &Deadline) -> Result<(), ConnectionError> {
        if self.state == State::GivenUp {
            return Err(ConnectionError::GivenUp);
        }
        self.state = State::GivenUp;
        self.conversation.command(payload, deadline)
    }

    fn receive(&mut self, deadline: &Deadline) -> Result<(), ConnectionError> {
        self.conversation.receive(&mut self.payload, deadline)
    }

    /// Sends a command whose answer is one OK packet.
    pub(super) fn acknowledged(&mut self, payload: &[u8], doing: Doing) -> Result<(), ConnectionError> {
        let deadline = Deadline::after(doing, self.query_timeout);
        self.command(payload, &deadline)?;
        self.receive(&deadline)?;
        if self.payload.first() == Some(&0xff) {
            let error = parse_error(&self.payload)?;
            self.state = State::Ready;
            return Err(self.refused(error, doing, ""));
        }
        parse_ok(&self.payload)?;
        self.state = State::Ready;
        Ok(())
    }

    /// The deadline of a command of the dump.
    pub(super) fn dump_deadline(&self) -> Deadline {
        Deadline::after(Doing::DUMP, self.query_timeout)
    }

    /// Taken apart, to read the binlog.
    pub(super) fn into_parts(self) -> (Conversation, ServerInfo, String) {
        (self.conversation, self.server, self.user)
    }

    /// Says goodbye, so that the server does not count an aborted client. Never waits.
    pub fn close(mut self) {
        if self.state == State::Ready {
            let deadline = Deadline::after(Doing::PING, Some(Duration::from_millis(100)));
            // The connection ends either way.
            let _ = self.command(&command::quit(), &deadline);
        }
    }
}
