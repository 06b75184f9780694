//! From SQL to the stream: `START_REPLICATION`.

use std::sync::Arc;
use std::time::Duration;

use super::super::wire::parse_error;
use super::login::unexpected;
use super::{
    ConfirmedLsn, Connection, ConnectionError, Doing, Lsn, ReplicationStream, quote_identifier, quote_literal,
};
use crate::source::line::Deadline;

/// Which stream is wanted, and how it is read (manual, "Logical Streaming Replication Parameters").
#[derive(Clone, Debug)]
pub struct ReplicationRequest {
    /// The slot.
    pub slot: String,
    /// Where to begin; the server begins no earlier than at what was confirmed to the slot. [`Lsn::INVALID`]: there.
    pub start_lsn: Lsn,
    /// `proto_version`: 1 to 4.
    pub protocol_version: u8,
    /// `publication_names`.
    pub publications: Vec<String>,
    /// `streaming`: large transactions come while they are open (protocol 2).
    pub streaming: bool,
    /// `binary`: values come in their types' binary format.
    pub binary: bool,
    /// `messages`: what `pg_logical_emit_message` writes comes too.
    pub messages: bool,
    /// `origin`: `none` or `any` (16 and later).
    pub origin: Option<String>,
    /// More options, after all others.
    pub more_options: Vec<(String, String)>,
    /// What is confirmed is reported this often; more often where `wal_sender_timeout` or `silence` want it.
    pub status_interval: Duration,
    /// The longest time without a byte. The server is asked for a sign of life often enough that a healthy one is never
    /// silent that long.
    pub silence: Duration,
    /// How large a block is.
    pub block_bytes: usize,
}

impl ReplicationRequest {
    /// The usual size of a block.
    pub const BLOCK_BYTES: usize = 256 * 1024;

    /// A request with the defaults: protocol 1, text, no messages; a report every 10 s, silence after 60 s.
    pub fn new(slot: impl Into<String>, publications: Vec<String>) -> Self {
        Self {
            slot: slot.into(),
            start_lsn: Lsn::INVALID,
            protocol_version: 1,
            publications,
            streaming: false,
            binary: false,
            messages: false,
            origin: None,
            more_options: Vec::new(),
            status_interval: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            block_bytes: Self::BLOCK_BYTES,
        }
    }

    fn statement(&self) -> String {
        let publications: Vec<String> = self.publications.iter().map(|name| quote_identifier(name)).collect();
        let mut options =
            vec![("proto_version", self.protocol_version.to_string()), ("publication_names", publications.join(","))];
        for (name, wanted) in [("streaming", self.streaming), ("binary", self.binary), ("messages", self.messages)] {
            if wanted {
                options.push((name, "on".to_owned()));
            }
        }
        if let Some(origin) = &self.origin {
            options.push(("origin", origin.clone()));
        }
        options.extend(self.more_options.iter().map(|(name, value)| (name.as_str(), value.clone())));
        // The replication grammar knows no E'…': a backslash stands for itself.
        let literal = |value: &str| format!("'{}'", value.replace('\'', "''"));
        let options: Vec<String> =
            options.iter().map(|(name, value)| format!("{} {}", quote_identifier(name), literal(value))).collect();
        let slot = quote_identifier(&self.slot);
        format!("START_REPLICATION SLOT {slot} LOGICAL {} ({})", self.start_lsn, options.join(", "))
    }
}

/// Times that a report fits into the allowance it has to keep.
const REPORTS_IN_ALLOWANCE: u32 = 3;
/// The shortest time between two reports.
const STATUS_INTERVAL_MIN: Duration = Duration::from_millis(50);

impl Connection {
    /// Starts the stream; the connection must be one for [`Purpose::Replication`](super::Purpose::Replication).
    ///
    /// # Errors
    /// [`ConnectionError::Replication`] with the reason, where the server refuses.
    pub fn start_replication(mut self, request: &ReplicationRequest) -> Result<ReplicationStream, ConnectionError> {
        let interval = self.status_interval(request)?;
        let deadline = Deadline::after(Doing::START_REPLICATION, self.query_timeout());
        self.begin(&request.statement(), &deadline)?;
        match self.receive(&deadline)? {
            b'W' => {}
            b'E' => {
                let error = parse_error(self.body())?;
                return Err(ConnectionError::refused(error, Doing::START_REPLICATION, self.user(), ""));
            }
            other => return Err(unexpected(other, "the start of the stream")),
        }
        let user = self.user().to_owned();
        let confirmed = Arc::new(ConfirmedLsn::default());
        ReplicationStream::new(self.into_conversation(), user, request, interval, confirmed)
    }

    /// How often the server hears from us: as asked, and often enough for its own limit and for our read deadline.
    fn status_interval(&mut self, request: &ReplicationRequest) -> Result<Duration, ConnectionError> {
        let setting = quote_literal("wal_sender_timeout");
        let result = self.query(&format!("SELECT setting FROM pg_catalog.pg_settings WHERE name = {setting}"))?;
        // In milliseconds; 0 is no limit.
        let limit = result.first("setting").and_then(|text| text.parse().ok()).filter(|limit| *limit > 0);
        let limit = limit.map_or(Duration::MAX, Duration::from_millis).min(request.silence) / REPORTS_IN_ALLOWANCE;
        Ok(request.status_interval.min(limit).max(STATUS_INTERVAL_MIN))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn names_and_options_are_quoted() {
        let mut request = ReplicationRequest::new("sl\"ot", vec!["a".to_owned(), "B'\"c".to_owned()]);
        request.start_lsn = Lsn(0x16_0000_00ff);
        request.messages = true;
        request.more_options.push(("x".to_owned(), "it's".to_owned()));
        assert_eq!(
            request.statement(),
            "START_REPLICATION SLOT \"sl\"\"ot\" LOGICAL 16/FF (\"proto_version\" '1', \"publication_names\" \
             '\"a\",\"B''\"\"c\"', \"messages\" 'on', \"x\" 'it''s')"
        );
    }
}
