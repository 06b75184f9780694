//! What can be wrong with a server's log as a whole, beside its bytes and its connection.

use crate::error::{Code, Coded, Disposition};

/// An error of the binlog source.
#[derive(Debug, thiserror::Error)]
pub enum BinlogError {
    /// The server's settings do not allow it.
    #[error("{variable} is {actual}, and must be {required}")]
    Setting {
        /// The server variable.
        variable: &'static str,
        /// What it is.
        actual: String,
        /// What it must be.
        required: &'static str,
    },
    /// The binlog is off.
    #[error("the server writes no binlog (log_bin is OFF)")]
    NoBinlog,
    /// The stored offset is not a position.
    #[error("the stored offset cannot be used: {0}")]
    Offset(&'static str),
    /// The stored offset lies in the middle of a snapshot.
    #[error("the stored offset was written in the middle of {0} that did not end")]
    OffsetInSnapshot(&'static str),
    /// The stored offset counts more of a transaction than there is.
    #[error(
        "the stored offset says that {more} more {of} of the transaction in {file} at {position} were delivered than there are"
    )]
    OffsetBeyondTransaction {
        /// The file.
        file: String,
        /// Where the transaction begins.
        position: u64,
        /// How many are missing.
        more: u64,
        /// Of what.
        of: &'static str,
    },
    /// The binlog that is needed has been removed.
    #[error("the binlog is needed from {needed}, and the server has removed it: {detail}")]
    Purged {
        /// The position.
        needed: String,
        /// What the server still has.
        detail: String,
    },
    /// The server knows fewer transactions than were read already.
    #[error("transactions {missing} were read already, and this server does not know them")]
    OtherHistory {
        /// The GTIDs.
        missing: String,
    },
    /// There is a stored offset and no schema history for it.
    #[error("there is a stored offset, but the schema history holds no table for it")]
    NoHistory,
    /// There is a stored offset, and a schema history of others.
    #[error(
        "there is a stored offset of server {ours:?}, but all {records} records of the schema history are of others, such as {theirs:?}"
    )]
    HistoryOfOthers {
        /// The connector's `topic.prefix`.
        ours: String,
        /// One that the history knows.
        theirs: String,
        /// How many records there are.
        records: u64,
    },
    /// A mode that takes a snapshot of data.
    #[error("snapshot.mode={0} takes a snapshot of data, which this version does not do")]
    DataSnapshot(&'static str),
    /// A row event names a table number that no table map gave.
    #[error("row event for table number {table_id}, for which no table map came, in {file} at {position}")]
    UnmappedTable {
        /// The number.
        table_id: u64,
        /// The file.
        file: String,
        /// Where the event begins.
        position: u64,
    },
    /// A captured table is not in the schema history.
    #[error("table {table} has rows in {file} at {position}, and its structure at that place is not known")]
    UnknownTable {
        /// The table.
        table: String,
        /// The file.
        file: String,
        /// Where the event begins.
        position: u64,
    },
    /// The tracked table and the log disagree.
    #[error("table {table} in {file} at {position} is not as tracked: {difference}")]
    InconsistentTable {
        /// The table.
        table: String,
        /// The file.
        file: String,
        /// Where the event begins.
        position: u64,
        /// What differs.
        difference: String,
    },
    /// A statement could not be understood.
    #[error("a statement in {file} at {position} could not be read: {reason}")]
    Statement {
        /// The file.
        file: String,
        /// Where the event begins.
        position: u64,
        /// Why.
        reason: String,
    },
    /// The server says that its log misses something.
    #[error("the server reports an incident in {file} at {position}: {message}")]
    Incident {
        /// The file.
        file: String,
        /// Where the event begins.
        position: u64,
        /// The server's words.
        message: String,
    },
    /// Nothing came, not even a heartbeat.
    #[error("no byte came from the server for {silent_ms} ms, not even its own heartbeat (one each {period_ms} ms)")]
    Silent {
        /// For how long.
        silent_ms: u128,
        /// The heartbeat's period.
        period_ms: u128,
    },
    /// The server ended the stream.
    #[error("the server ended the stream")]
    Ended,
    /// Rows were changed by statements that the log does not resolve to rows.
    #[error(
        "a statement that changes rows is in the log as a statement, in {file} at {position}: its rows are not in the log"
    )]
    StatementFormat {
        /// The file.
        file: String,
        /// Where the event begins.
        position: u64,
    },
    /// An event that cannot be decoded, with its place.
    #[error("in {file} at {position}: {error}")]
    Event {
        /// The file.
        file: String,
        /// Where the event begins.
        position: u64,
        /// What is wrong.
        error: super::event::EventError,
    },
    /// More tables than `guardrail.collections.max` allows.
    #[error("{count} tables would be kept track of ({}), and guardrail.collections.max is {most}", if *all { "all tables, because schema.history.internal.store.only.captured.tables.ddl is false" } else { "the captured ones" })]
    TooManyTables {
        /// How many there are.
        count: usize,
        /// How many may be.
        most: u32,
        /// Whether tables count that are not captured.
        all: bool,
    },
    /// A transaction that has come cannot be seen by others.
    #[error("transaction {gtid} is in the log and not yet visible to other sessions of the server")]
    NotVisible {
        /// The transaction.
        gtid: String,
    },
    /// A row cannot be asked for, or its values are of other types now.
    #[error(
        "a row of {table} cannot be read again: its key is of a type that cannot be asked for, or its columns have other types now"
    )]
    ReadAgain {
        /// The table.
        table: String,
    },
    /// A batch's block has grown beyond what its ranges can say.
    #[error("a transaction's unpacked events take more than 4 GiB in {file} at {position}")]
    TooLarge {
        /// The file.
        file: String,
        /// Where the event begins.
        position: u64,
    },
}

macro_rules! code {
    ($name:ident, $number:literal, $disposition:ident, $title:literal, $hint:literal) => {
        static $name: Code =
            Code { number: $number, disposition: Disposition::$disposition, title: $title, hint: $hint };
    };
}

code!(
    SETTING,
    450,
    Stop,
    "a server setting does not allow change data capture",
    "Set it in the server's configuration and with SET GLOBAL (or SET PERSIST on MySQL 8), then let the application reconnect: SET GLOBAL binlog_format='ROW'; SET GLOBAL binlog_row_image='FULL';"
);
code!(
    NO_BINLOG,
    451,
    Stop,
    "the server writes no binlog",
    "Start the server with --log-bin (MySQL 8 does by default; RDS: turn on automated backups; MariaDB: log_bin in my.cnf), with binlog_format=ROW."
);
code!(
    OFFSET,
    452,
    Stop,
    "the stored offset is not a position",
    "Look at the record under the connector's key in offset.storage.topic. Write a good one, or a null value to begin anew, while the connector is stopped."
);
code!(
    OFFSET_IN_SNAPSHOT,
    453,
    Stop,
    "the stored offset lies in an unfinished snapshot",
    "Let the Debezium that began the snapshot finish it and write one more change or heartbeat (an incremental one can also be ended by the signal stop-snapshot); or give up its rows: write a null value under the connector's key in offset.storage.topic, with DELETE /connectors/NAME/offsets while it is stopped, and start with snapshot.mode=no_data."
);
code!(
    PURGED,
    454,
    Stop,
    "the binlog that is needed has been removed",
    "The changes in between are gone. Raise binlog_expire_logs_seconds (MariaDB: expire_logs_days; RDS: CALL mysql.rds_set_configuration('binlog retention hours', 72)). Then reset the connector's offset and start with snapshot.mode=no_data, and take a new copy of the data."
);
code!(
    OTHER_HISTORY,
    455,
    Stop,
    "the server knows fewer transactions than were read",
    "It was restored from a backup, or is another server, or a replica that lags. Compare SELECT @@global.gtid_executed with the stored gtids. If it only lags, point the connector to it later; otherwise reset the offset."
);
code!(
    NO_HISTORY,
    456,
    Stop,
    "a stored offset without schema history",
    "If no table was altered since that offset, start once with snapshot.mode=recovery: the tables are then read from the server. Otherwise reset the offset."
);
code!(
    DATA_SNAPSHOT,
    457,
    Stop,
    "snapshots of data are not part of this version",
    "Use snapshot.mode=no_data to stream from now on, or let Debezium take the snapshot and hand over after it: the stored offset is continued from."
);
code!(
    UNMAPPED_TABLE,
    458,
    Retry,
    "a row event without its table map",
    "The stream was damaged or cut. Reading goes on from the stored position on a new connection; if it happens again, run mysqlbinlog on that file and report it."
);
code!(
    UNKNOWN_TABLE,
    459,
    Stop,
    "rows of a table whose structure is not known",
    "The schema history misses its CREATE TABLE. Start once with snapshot.mode=recovery if the table was not altered since, or exclude it (table.exclude.list), or choose inconsistent.schema.handling.mode=warn to pass over its rows."
);
code!(
    INCONSISTENT_TABLE,
    460,
    Stop,
    "a table is not as tracked",
    "A statement altered it in a way that the log does not show (another engine, sql_log_bin=0, a lost schema history). Start once with snapshot.mode=recovery, or choose inconsistent.schema.handling.mode=warn to pass over its rows. Nothing was written under wrong names."
);
code!(
    STATEMENT,
    461,
    Stop,
    "a statement that changes tables could not be read",
    "Report the statement. schema.history.internal.skip.unparseable.ddl=true passes over it; rows of the tables it changed are then checked against the log before they are written."
);
code!(
    INCIDENT,
    462,
    Stop,
    "the server's log misses something",
    "The server says so itself: events were lost before they reached the log. Take a new copy of the data, reset the offset and start anew."
);
code!(
    SILENT,
    463,
    Retry,
    "the connection has gone silent",
    "The bytes stopped while the connection lives: a firewall or NAT dropped it, or the server hangs. It is dropped and made again by itself. headwater.heartbeat.period.ms and headwater.silence.heartbeats say how soon."
);
code!(
    ENDED,
    464,
    Retry,
    "the server ended the stream",
    "It shuts down, or another replica took the same server id. If it happens again and again, give the connector a database.server.id of its own."
);
code!(
    STATEMENT_FORMAT,
    465,
    Stop,
    "rows changed by statements are not in the log",
    "A session runs with binlog_format=STATEMENT or MIXED. Set binlog_format=ROW globally and let sessions reconnect; event.processing.failure.handling.mode=warn passes over such statements."
);
code!(
    EVENT,
    466,
    Retry,
    "an event of the log cannot be decoded",
    "Reading begins again from the stored position on a new connection, which mends damage on the way. If it stops at the same place, the file is damaged on the server, or the event is of a kind that is not known: run mysqlbinlog on it."
);
code!(
    TOO_LARGE,
    467,
    Stop,
    "a transaction is larger than a batch can hold",
    "A single compressed transaction unpacks to more than 4 GiB in one event. Split it on the application's side."
);

code!(
    TOO_MANY_TABLES,
    468,
    Stop,
    "more tables than the guardrail allows",
    "Raise guardrail.collections.max, capture fewer tables (table.include.list), or set schema.history.internal.store.only.captured.tables.ddl=true so that only captured tables count. guardrail.collections.limit.action=warn makes it a warning."
);
code!(
    OFFSET_BEYOND_TRANSACTION,
    469,
    Stop,
    "the stored offset does not fit the server's log",
    "It was written for another server's log, or is damaged. While the connector is stopped, write the offset again without its fields event and row (PATCH /connectors/NAME/offsets): the transaction is then read from its start, and some of its rows come twice."
);

code!(
    HISTORY_OF_OTHERS,
    470,
    Stop,
    "the schema history is of other servers",
    "The connector's topic.prefix was changed, or schema.history.internal.kafka.topic is another connector's: set it back. Where the change is wanted and no table was altered since the stored offset, start once with snapshot.mode=recovery: the tables are then read from the server."
);

code!(
    NOT_VISIBLE,
    471,
    Retry,
    "a row cannot be read again, because the transaction that changed it is not yet visible",
    "The server sends a transaction before its engine commits, and keeps it so while the commit waits for a semi-synchronous replica: SHOW PROCESSLIST; SHOW STATUS LIKE 'Rpl_semi_sync%'; Bring the replica back, or SET GLOBAL rpl_semi_sync_source_enabled = OFF (rpl_semi_sync_master_enabled on MariaDB and before MySQL 8.0.26)."
);
code!(
    READ_AGAIN,
    472,
    Stop,
    "a row cannot be read again",
    "Its table was altered after the change that is written now, or its key has a type that cannot be compared (TIME, JSON, a compressed column). Leave the table out with reselect.columns.exclude.list, or find its rows by other columns: message.key.columns with reselect.use.event.key=true."
);

impl Coded for BinlogError {
    fn code(&self) -> &'static Code {
        match self {
            BinlogError::Setting { .. } => &SETTING,
            BinlogError::NoBinlog => &NO_BINLOG,
            BinlogError::Offset(_) => &OFFSET,
            BinlogError::OffsetInSnapshot(_) => &OFFSET_IN_SNAPSHOT,
            BinlogError::OffsetBeyondTransaction { .. } => &OFFSET_BEYOND_TRANSACTION,
            BinlogError::Purged { .. } => &PURGED,
            BinlogError::OtherHistory { .. } => &OTHER_HISTORY,
            BinlogError::NoHistory => &NO_HISTORY,
            BinlogError::HistoryOfOthers { .. } => &HISTORY_OF_OTHERS,
            BinlogError::DataSnapshot(_) => &DATA_SNAPSHOT,
            BinlogError::UnmappedTable { .. } => &UNMAPPED_TABLE,
            BinlogError::UnknownTable { .. } => &UNKNOWN_TABLE,
            BinlogError::InconsistentTable { .. } => &INCONSISTENT_TABLE,
            BinlogError::Statement { .. } => &STATEMENT,
            BinlogError::Incident { .. } => &INCIDENT,
            BinlogError::Silent { .. } => &SILENT,
            BinlogError::Ended => &ENDED,
            BinlogError::StatementFormat { .. } => &STATEMENT_FORMAT,
            BinlogError::Event { error, .. } => match error.code().disposition {
                // What another connection cannot mend keeps its own page.
                Disposition::Stop => error.code(),
                Disposition::Retry | Disposition::Reject => &EVENT,
            },
            BinlogError::NotVisible { .. } => &NOT_VISIBLE,
            BinlogError::ReadAgain { .. } => &READ_AGAIN,
            BinlogError::TooLarge { .. } => &TOO_LARGE,
            BinlogError::TooManyTables { .. } => &TOO_MANY_TABLES,
        }
    }
}

/// Every page of this room, for `headwater explain`.
pub static CODES: &[&Code] = &[
    &SETTING,
    &NO_BINLOG,
    &OFFSET,
    &OFFSET_IN_SNAPSHOT,
    &PURGED,
    &OTHER_HISTORY,
    &NO_HISTORY,
    &DATA_SNAPSHOT,
    &UNMAPPED_TABLE,
    &UNKNOWN_TABLE,
    &INCONSISTENT_TABLE,
    &STATEMENT,
    &INCIDENT,
    &SILENT,
    &ENDED,
    &STATEMENT_FORMAT,
    &EVENT,
    &TOO_LARGE,
    &TOO_MANY_TABLES,
    &OFFSET_BEYOND_TRANSACTION,
    &HISTORY_OF_OTHERS,
    &NOT_VISIBLE,
    &READ_AGAIN,
];
