//! What can be wrong with a PostgreSQL server's stream as a whole, beside its bytes and its connection.

use std::path::PathBuf;

use super::connection::Lsn;
use crate::error::{Code, Coded, Disposition};

/// An error of the PostgreSQL source.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The server's settings do not allow it.
    #[error("{setting} is {actual}, and must be {required}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What it is.
        actual: String,
        /// What it must be.
        required: &'static str,
    },
    /// The stored offset is not a position.
    #[error("the stored offset cannot be used: {0}")]
    Offset(&'static str),
    /// The stored offset lies in the middle of a snapshot.
    #[error("the stored offset was written in the middle of a snapshot that did not end")]
    OffsetInSnapshot,
    /// There is a stored offset, and no slot.
    #[error("there is a stored offset at {offset}, but replication slot {slot:?} does not exist")]
    SlotMissing {
        /// The slot.
        slot: String,
        /// Where reading would go on.
        offset: Lsn,
    },
    /// The server has given the slot up.
    #[error("replication slot {slot:?} is lost: {reason}. To drop it: SELECT pg_drop_replication_slot('{slot}');")]
    SlotLost {
        /// The slot.
        slot: String,
        /// Why, as the server says it.
        reason: String,
    },
    /// The slot is of another database or plugin.
    #[error("replication slot {slot:?} has {what} {actual:?}, and {required:?} is needed")]
    SlotOfOthers {
        /// The slot.
        slot: String,
        /// What differs.
        what: &'static str,
        /// What it has.
        actual: String,
        /// What it must have.
        required: String,
    },
    /// Somebody reads from the slot.
    #[error("replication slot {slot:?} is in use by process {pid} of the server ({client})")]
    SlotActive {
        /// The slot.
        slot: String,
        /// The server's process.
        pid: String,
        /// Who is behind it.
        client: String,
    },
    /// The slot was confirmed beyond what is stored.
    #[error("replication slot {slot:?} was confirmed up to {confirmed}, and only what comes before {offset} is stored")]
    SlotAhead {
        /// The slot.
        slot: String,
        /// What was confirmed.
        confirmed: Lsn,
        /// What is stored.
        offset: Lsn,
    },
    /// The stored offset lies beyond the end of the server's log.
    #[error("the stored offset is {offset}, and the server's log ends at {end}")]
    OffsetAhead {
        /// What is stored.
        offset: Lsn,
        /// Where the log ends.
        end: Lsn,
    },
    /// The server's log left the one that was read before the position.
    #[error(
        "the server is on timeline {timeline}, which left the log that was read at {left}; the stored offset is {offset}"
    )]
    Diverged {
        /// The server's timeline.
        timeline: u32,
        /// Where the two part; 0/0 where they never met.
        left: Lsn,
        /// What is stored.
        offset: Lsn,
    },
    /// A standby has not yet replayed what was read already.
    #[error("the stored offset is {offset}, and the standby has replayed up to {end}")]
    StandbyBehind {
        /// What is stored.
        offset: Lsn,
        /// What was replayed.
        end: Lsn,
    },
    /// The publication is not there, and is not to be made.
    #[error("publication {0:?} does not exist, and publication.autocreate.mode=disabled")]
    NoPublication(String),
    /// The publication is for all tables and cannot be cut down.
    #[error("publication {0:?} is for all tables, and publication.autocreate.mode=filtered would cut it down")]
    PublicationForAll(String),
    /// No table is captured, so that a filtered publication would be empty.
    #[error("no table of the database passes the filters, so publication {0:?} cannot be made for them")]
    NothingToPublish(String),
    /// A column's name differs from another's only in case.
    #[error("table {table} has columns whose names differ only in case: {column:?}")]
    NamesAlike {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A change of a table that the stream has not described.
    #[error("the stream has a change of relation {0} and has not said what that is")]
    UnknownRelation(u32),
    /// A message at a place where it cannot be.
    #[error("the stream has {what} at {lsn}, where it cannot be")]
    OutOfPlace {
        /// What.
        what: &'static str,
        /// Where.
        lsn: Lsn,
    },
    /// Nothing came for a while.
    #[error("not a byte came for {0} ms")]
    Silent(u128),
    /// The server ended the stream.
    #[error("the server ended the stream")]
    Ended,
    /// A streamed transaction that cannot be delivered as if it had come whole.
    #[error("an open transaction cannot be received in parts, at {lsn}: {why}")]
    MustComeWhole {
        /// Why.
        why: &'static str,
        /// Where.
        lsn: Lsn,
    },
    /// What is held of open transactions cannot be written to a file, or read back.
    #[error(
        "open transactions beyond {limit_bytes} bytes cannot be held in folder {}: {error}",
        folder.display()
    )]
    Spill {
        /// Where the files are.
        folder: PathBuf,
        /// What may be held in memory.
        limit_bytes: u64,
        /// Why.
        error: std::io::Error,
    },
    /// The slot sends transactions when they are prepared.
    #[error("replication slot {slot:?} sends transactions when they are prepared (two_phase), at {lsn}")]
    TwoPhase {
        /// The slot.
        slot: String,
        /// Where.
        lsn: Lsn,
    },
    /// A transaction that has come cannot be seen by others.
    #[error("transaction {transaction} was committed and is not yet visible to other sessions of the server")]
    NotVisible {
        /// The transaction.
        transaction: u32,
    },
    /// The server's answer to a question about its catalog is not what was asked for.
    #[error("the server's answer about {0} cannot be read")]
    Catalog(&'static str),
}

impl PostgresError {
    /// Whether the slot is in use by this process of the server.
    pub(super) fn is_process(&self, process: Option<&str>) -> bool {
        matches!(self, PostgresError::SlotActive { pid, .. } if process == Some(pid.as_str()))
    }
}

macro_rules! code {
    ($name:ident, $number:literal, $disposition:ident, $title:literal, $hint:literal) => {
        static $name: Code =
            Code { number: $number, disposition: Disposition::$disposition, title: $title, hint: $hint };
    };
}

code!(
    SETTING,
    1400,
    Stop,
    "a setting of the PostgreSQL server does not allow logical replication",
    "ALTER SYSTEM SET wal_level = 'logical'; and restart the server (RDS and Aurora: rds.logical_replication=1 in the parameter group; Cloud SQL: cloudsql.logical_decoding=on; Azure: azure.replication_support=logical)."
);
code!(
    OFFSET,
    1401,
    Stop,
    "the stored offset is not a position in PostgreSQL's log",
    "Look at the record under the connector's key in offset.storage.topic. Write a good one, or a null value to begin anew, while the connector is stopped."
);
code!(
    OFFSET_IN_SNAPSHOT,
    1402,
    Stop,
    "the stored offset lies in an unfinished snapshot",
    "Let the Debezium that began the snapshot finish it and write one more change; or give up its rows: write a null value under the connector's key in offset.storage.topic while it is stopped, and start with snapshot.mode=no_data."
);
code!(
    SLOT_MISSING,
    1403,
    Stop,
    "the replication slot is gone, and with it the changes since the stored offset",
    "Find out who dropped it (a failover to a standby without it, slot.drop.on.stop, a clean-up script). What happened since the stored offset cannot be read any more: read those tables again, then begin anew: write a null value under the connector's key in offset.storage.topic while the connector is stopped, and start with snapshot.mode=no_data, which makes a new slot."
);
code!(
    SLOT_LOST,
    1404,
    Stop,
    "the server has invalidated the replication slot",
    "The log that the slot needed is gone (max_slot_wal_keep_size, idle_replication_slot_timeout, a conflict on a standby). SELECT slot_name, wal_status, invalidation_reason FROM pg_replication_slots; then raise the limit, SELECT pg_drop_replication_slot('SLOT'); read the tables again, and begin anew with a null value under the connector's key in offset.storage.topic."
);
code!(
    SLOT_OF_OTHERS,
    1405,
    Stop,
    "the replication slot belongs to another database or plugin",
    "A slot keeps the database and the plugin that it was made with. Give slot.name another name, or drop the slot: SELECT pg_drop_replication_slot('SLOT');"
);
code!(
    SLOT_ACTIVE,
    1406,
    Retry,
    "somebody else reads from the replication slot",
    "Each connector needs a slot of its own (slot.name). If the reader is an old process of this connector, the server lets go of it within wal_sender_timeout; to end it at once: SELECT pg_terminate_backend(PID);"
);
code!(
    SLOT_AHEAD,
    1407,
    Stop,
    "the replication slot was moved beyond the stored offset",
    "Changes between the two may be lost: the slot was made anew, or someone called pg_replication_slot_advance, or another reader confirmed it. If they are not needed, or were delivered, set offset.mismatch.strategy=trust_greater_lsn (or trust_slot) and start again."
);
code!(
    NO_PUBLICATION,
    1408,
    Stop,
    "the publication does not exist",
    "CREATE PUBLICATION dbz_publication FOR TABLE schema.table; with the name of publication.name, as the tables' owner; or publication.autocreate.mode=filtered."
);
code!(
    PUBLICATION_FOR_ALL,
    1409,
    Stop,
    "a publication for all tables cannot be filtered",
    "Set publication.autocreate.mode=all_tables, or drop the publication so that it is made again for the captured tables only: DROP PUBLICATION dbz_publication;"
);
code!(
    NOTHING_TO_PUBLISH,
    1410,
    Stop,
    "no table passes the filters",
    "Look at schema.include.list and table.include.list: tables are matched as schema.table, in the database of database.dbname."
);
code!(
    NAMES_ALIKE,
    1411,
    Stop,
    "columns whose names differ only in case",
    "Debezium cannot tell them apart either. Rename one: ALTER TABLE t RENAME COLUMN \"A\" TO b; or leave the table out with table.exclude.list."
);
code!(
    UNKNOWN_RELATION,
    1412,
    Retry,
    "a change of a table that the stream has not described",
    "A new connection makes the server describe its tables again. If it comes back, report it with the server's version."
);
code!(
    OUT_OF_PLACE,
    1413,
    Retry,
    "a message of the stream stands where it cannot be",
    "A new connection reads it again. If it comes back, report it with the server's version and the options of slot.stream.params."
);
code!(
    SILENT,
    1414,
    Retry,
    "the server has gone silent",
    "The connection is dropped and made again. If this happens often: a firewall or NAT between here and the server forgets connections, or the server stalls; see headwater.heartbeat.period.ms and headwater.silence.heartbeats."
);
code!(
    ENDED,
    1415,
    Retry,
    "the server ended the stream",
    "It is shutting down, or someone ended its walsender. It is connected to again."
);
code!(
    CATALOG,
    1416,
    Retry,
    "an answer about the server's catalog cannot be read",
    "Something between here and the server answers in its place (a pooler in transaction mode, a proxy): connect to the server itself."
);

code!(
    OFFSET_AHEAD,
    1417,
    Stop,
    "the stored offset lies beyond the end of the server's log",
    "This server has lost the end of its log (a failover to a standby that was behind, a restored backup) or is another one. What was delivered and is no longer in the database is on the topics; compare the tables, then begin anew: write a null value under the connector's key in offset.storage.topic while the connector is stopped, and start with snapshot.mode=no_data."
);
code!(
    STANDBY_BEHIND,
    1418,
    Retry,
    "the standby has not yet replayed what was read already",
    "It is asked again. If it stays behind, look at pg_stat_wal_receiver there."
);
code!(
    NOT_VISIBLE,
    1419,
    Retry,
    "a row cannot be read again, because the transaction that changed it is not yet visible",
    "The server sends a commit before other sessions see it, and shows it to nobody while it waits for a synchronous standby: SELECT pid, query FROM pg_stat_activity WHERE wait_event = 'SyncRep'; SELECT application_name, state, sync_state FROM pg_stat_replication; Bring the standby back, or take it out of synchronous_standby_names and reload."
);

code!(
    MUST_COME_WHOLE,
    1430,
    Retry,
    "a large transaction cannot be received while it is open",
    "Headwater connects again, which is none of the attempts of errors.max.retries, and leaves large transactions to the server until the connector is started anew; nothing is lost or repeated. If it happens often, set headwater.transaction.streaming=false."
);
code!(
    SPILL,
    1431,
    Retry,
    "what is held of open transactions cannot be kept in a file",
    "Make room in the folder (the files have no names there: lsof +L1 shows them), give headwater.transaction.folder a larger one, or raise headwater.transaction.memory.bytes; headwater.transaction.folder.bytes keeps room in it for others. Until the connector is started anew large transactions are left to the server, as with headwater.transaction.streaming=false; nothing is lost or confirmed."
);
code!(
    TWO_PHASE,
    1432,
    Stop,
    "the replication slot sends transactions before they are committed",
    "A transaction that is prepared may still be rolled back, and Debezium's topics have only what was committed. Make the slot without two_phase: with nothing prepared (SELECT * FROM pg_prepared_xacts;) and the connector stopped, SELECT pg_drop_replication_slot('SLOT'); SELECT pg_create_logical_replication_slot('SLOT', 'pgoutput'); on PostgreSQL 18 without dropping it: ALTER_REPLICATION_SLOT SLOT (TWO_PHASE false); on a replication connection. Transactions that are prepared then come when they are committed."
);

code!(
    DIVERGED,
    1440,
    Stop,
    "the server's log is not the one that was read",
    "A standby was promoted that did not have everything that was delivered, so what it wrote instead would be passed over. The topics hold changes that the database has lost: compare the tables. Then, to read from the slot's own position and repeat what lies between, set offset.mismatch.strategy=trust_slot for one start; or begin anew with a null value under the connector's key in offset.storage.topic. slot.failover=true with synchronized_standby_slots keeps it from happening again."
);

impl Coded for PostgresError {
    fn code(&self) -> &'static Code {
        match self {
            PostgresError::Setting { .. } => &SETTING,
            PostgresError::Offset(_) => &OFFSET,
            PostgresError::OffsetInSnapshot => &OFFSET_IN_SNAPSHOT,
            PostgresError::SlotMissing { .. } => &SLOT_MISSING,
            PostgresError::SlotLost { .. } => &SLOT_LOST,
            PostgresError::SlotOfOthers { .. } => &SLOT_OF_OTHERS,
            PostgresError::SlotActive { .. } => &SLOT_ACTIVE,
            PostgresError::SlotAhead { .. } => &SLOT_AHEAD,
            PostgresError::OffsetAhead { .. } => &OFFSET_AHEAD,
            PostgresError::Diverged { .. } => &DIVERGED,
            PostgresError::StandbyBehind { .. } => &STANDBY_BEHIND,
            PostgresError::NoPublication(_) => &NO_PUBLICATION,
            PostgresError::PublicationForAll(_) => &PUBLICATION_FOR_ALL,
            PostgresError::NothingToPublish(_) => &NOTHING_TO_PUBLISH,
            PostgresError::NamesAlike { .. } => &NAMES_ALIKE,
            PostgresError::UnknownRelation(_) => &UNKNOWN_RELATION,
            PostgresError::OutOfPlace { .. } => &OUT_OF_PLACE,
            PostgresError::Silent(_) => &SILENT,
            PostgresError::Ended => &ENDED,
            PostgresError::Catalog(_) => &CATALOG,
            PostgresError::NotVisible { .. } => &NOT_VISIBLE,
            PostgresError::MustComeWhole { .. } => &MUST_COME_WHOLE,
            PostgresError::Spill { .. } => &SPILL,
            PostgresError::TwoPhase { .. } => &TWO_PHASE,
        }
    }
}

/// Every page of this room, for `headwater explain`.
pub static CODES: &[&Code] = &[
    &SETTING,
    &OFFSET,
    &OFFSET_IN_SNAPSHOT,
    &SLOT_MISSING,
    &SLOT_LOST,
    &SLOT_OF_OTHERS,
    &SLOT_ACTIVE,
    &SLOT_AHEAD,
    &NO_PUBLICATION,
    &PUBLICATION_FOR_ALL,
    &NOTHING_TO_PUBLISH,
    &NAMES_ALIKE,
    &UNKNOWN_RELATION,
    &OUT_OF_PLACE,
    &SILENT,
    &ENDED,
    &CATALOG,
    &OFFSET_AHEAD,
    &STANDBY_BEHIND,
    &NOT_VISIBLE,
    &MUST_COME_WHOLE,
    &SPILL,
    &TWO_PHASE,
    &DIVERGED,
];
