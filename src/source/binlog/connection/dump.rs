//! From a session to the binlog: the session's variables, the registration, the dump command.
//!
//! In: where to begin, and as whom. Out: a [`BinlogStream`]. Promised: the server sends heartbeats at the
//! period asked for, and checksums as it writes them. Source: MySQL manual, "Replication"; `sql/rpl_source.cc`;
//! MariaDB knowledge base, "Replication Protocol".

use std::time::Duration;

use super::super::super::line::Doing;
use super::super::wire::{WireError, command};
use super::{BinlogStream, Connection, ConnectionError, Flavor};

/// Where the stream begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpFrom {
    /// In a file, at a position. An empty file name and position 4 is the oldest that the server has.
    File {
        /// Name without folder, such as `binlog.000002`.
        file: String,
        /// Byte in the file; the first event is at 4.
        position: u64,
    },
    /// Behind a set of transactions of MySQL.
    MySqlGtid {
        /// The set in the server's encoding (`Gtid_set::encode`), tagged GTIDs included.
        set: Vec<u8>,
    },
    /// Behind the last transactions of MariaDB.
    MariaDbGtid {
        /// One `domain-server-sequence` a domain, with commas between.
        connect_state: String,
        /// `@slave_gtid_strict_mode`: the server refuses a position that is not exactly in its binlog.
        strict_mode: bool,
    },
}

/// A request for the binlog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpRequest {
    /// Where to begin.
    pub from: DumpFrom,
    /// `database.server.id`: no other replica of this server may have it.
    pub server_id: u32,
    /// The UUID under which MySQL knows the client; a newcomer with the same one ends the older stream.
    pub replica_uuid: Option<String>,
    /// The server's heartbeat when it has nothing to send; at least a millisecond.
    pub heartbeat_period: Duration,
    /// Silence longer than this ends in [`super::ReadOutcome::Silent`]: some heartbeats.
    pub silence: Duration,
    /// `binlog.net.write.timeout` in seconds; `None` keeps the server's.
    pub net_write_timeout_s: Option<u32>,
    /// `binlog.net.read.timeout` in seconds; `None` keeps the server's.
    pub net_read_timeout_s: Option<u32>,
    /// MariaDB: also send the statements behind row events.
    pub annotate_rows: bool,
    /// End the stream instead of waiting when everything has been sent.
    pub non_block: bool,
    /// Bytes of a block; events longer than that get a block of their own.
    pub block_bytes: usize,
}

impl DumpRequest {
    /// Bytes of a block, unless asked otherwise.
    pub const BLOCK_BYTES: usize = 128 * 1024;

    /// A request with a heartbeat of ten seconds and a silence of three of them.
    pub fn new(from: DumpFrom, server_id: u32) -> Self {
        Self {
            from,
            server_id,
            replica_uuid: None,
            heartbeat_period: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            net_write_timeout_s: None,
            net_read_timeout_s: None,
            annotate_rows: true,
            non_block: false,
            block_bytes: Self::BLOCK_BYTES,
        }
    }
}

/// ER_UNKNOWN_SYSTEM_VARIABLE: a server before 5.6 has no checksums.
const UNKNOWN_SYSTEM_VARIABLE: u16 = 1193;

impl Connection {
    /// Asks for the binlog. Events of the stream carry a checksum when `@@global.binlog_checksum` says so;
    /// the first format description event of the stream tells.
    pub fn into_binlog_stream(mut self, request: DumpRequest) -> Result<BinlogStream, ConnectionError> {
        let flavor = self.server().flavor;
        self.negotiate_checksum()?;
        for statement in session_statements(&request, flavor)? {
            self.query_drop(&statement)?;
        }
        let register = command::register_slave(request.server_id, &this_host(), 0);
        self.acknowledged(&register, Doing::DUMP)?;
        let dump = dump_command(&request, flavor)?;
        let deadline = self.dump_deadline();
        self.command(&dump, &deadline)?;
        let (conversation, server, user) = self.into_parts();
        Ok(BinlogStream::new(conversation, server, user, &request))
    }

    /// Tells the server that we understand checksums: without this it strips or refuses them.
    fn negotiate_checksum(&mut self) -> Result<(), ConnectionError> {
        let statement = "SET @master_binlog_checksum = @@global.binlog_checksum, \
                         @source_binlog_checksum = @@global.binlog_checksum";
        match self.query_drop(statement) {
            Err(ConnectionError::Sql { error, .. }) if error.number == UNKNOWN_SYSTEM_VARIABLE => Ok(()),
            other => other,
        }
    }
}

/// The variables that the dump thread reads from its session. MySQL knows them by two names since 8.0.26.
fn session_statements(request: &DumpRequest, flavor: Flavor) -> Result<Vec<String>, ConnectionError> {
    // The server reads nanoseconds; zero would switch the heartbeat off, and with it the read deadline.
    let heartbeat = request.heartbeat_period.max(Duration::from_millis(1)).as_nanos().min(u128::from(u64::MAX));
    let mut statements =
        vec![format!("SET @master_heartbeat_period = {heartbeat}, @source_heartbeat_period = {heartbeat}")];
    if let Some(uuid) = &request.replica_uuid {
        if !uuid.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            return Err(ConnectionError::BadRequest("the replica's UUID is not one"));
        }
        statements.push(format!("SET @slave_uuid = '{uuid}', @replica_uuid = '{uuid}'"));
    }
    if let Some(seconds) = request.net_write_timeout_s {
        statements.push(format!("SET SESSION net_write_timeout = {seconds}"));
    }
    if let Some(seconds) = request.net_read_timeout_s {
        statements.push(format!("SET SESSION net_read_timeout = {seconds}"));
    }
    if flavor == Flavor::MariaDb {
        // 4: the client understands MariaDB's GTID events.
        statements.push("SET @mariadb_slave_capability = 4".to_owned());
    }
    if let DumpFrom::MariaDbGtid { connect_state, strict_mode } = &request.from {
        if !connect_state.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ',' | ' ')) {
            return Err(ConnectionError::BadRequest("the GTID position is not MariaDB's"));
        }
        statements.push(format!(
            "SET @slave_connect_state = '{connect_state}', @slave_gtid_strict_mode = {}, \
             @slave_gtid_ignore_duplicates = 0",
            u8::from(*strict_mode)
        ));
    }
    Ok(statements)
}

fn dump_command(request: &DumpRequest, flavor: Flavor) -> Result<Vec<u8>, ConnectionError> {
    let mut flags = 0;
    if request.non_block {
        flags |= command::DUMP_NON_BLOCK;
    }
    // The same bit asks MySQL for heartbeats of version 2.
    if request.annotate_rows && flavor == Flavor::MariaDb {
        flags |= command::DUMP_ANNOTATE_ROWS;
    }
    let server_id = request.server_id;
    match (&request.from, flavor) {
        (DumpFrom::File { file, position }, _) => {
            let position = *position;
            command::binlog_dump(server_id, flags, file, position.max(command::FIRST_POSITION))
                .map_err(|_: WireError| ConnectionError::PositionTooLarge { file: file.clone(), position })
        }
        (DumpFrom::MySqlGtid { set }, Flavor::MySql) => Ok(command::binlog_dump_gtid(server_id, flags, set)?),
        (DumpFrom::MariaDbGtid { .. }, Flavor::MariaDb) => {
            Ok(command::binlog_dump(server_id, flags, "", command::FIRST_POSITION)?)
        }
        (DumpFrom::MySqlGtid { .. }, Flavor::MariaDb) => {
            Err(ConnectionError::BadRequest("the position is a GTID set of MySQL, and the server is MariaDB"))
        }
        (DumpFrom::MariaDbGtid { .. }, Flavor::MySql) => {
            Err(ConnectionError::BadRequest("the position is a GTID of MariaDB, and the server is MySQL"))
        }
    }
}

/// The name under which SHOW REPLICAS lists the client.
fn this_host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn file(position: u64) -> DumpRequest {
        DumpRequest::new(DumpFrom::File { file: "binlog.000001".to_owned(), position }, 7)
    }

    #[test]
    fn stored_text_is_never_taken_for_sql() {
        let state = "0-1-5'; DROP TABLE x; --".to_owned();
        let request = DumpRequest::new(DumpFrom::MariaDbGtid { connect_state: state, strict_mode: true }, 7);
        assert!(matches!(session_statements(&request, Flavor::MariaDb), Err(ConnectionError::BadRequest(_))));
        let mut request = file(4);
        request.replica_uuid = Some("x'".to_owned());
        assert!(matches!(session_statements(&request, Flavor::MySql), Err(ConnectionError::BadRequest(_))));
    }

    #[test]
    fn a_position_of_the_other_product_is_refused() {
        let mysql = DumpRequest::new(DumpFrom::MySqlGtid { set: vec![0; 8] }, 7);
        assert!(dump_command(&mysql, Flavor::MySql).is_ok());
        assert!(matches!(dump_command(&mysql, Flavor::MariaDb), Err(ConnectionError::BadRequest(_))));
        assert!(matches!(
            dump_command(&file(1 << 33), Flavor::MySql),
            Err(ConnectionError::PositionTooLarge { position: 0x2_0000_0000, .. })
        ));
    }

    #[test]
    fn the_heartbeat_is_never_switched_off() {
        let mut request = file(4);
        request.heartbeat_period = Duration::ZERO;
        let statements = session_statements(&request, Flavor::MySql).unwrap();
        assert_eq!(statements, ["SET @master_heartbeat_period = 1000000, @source_heartbeat_period = 1000000"]);
    }
}
