//! What the configuration says about a binlog source.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::connection::{ConnectOptions, Flavor};
use super::tables::LayoutMaker;
use crate::model::modes::{DebeziumGeneration, GuardrailAction, InconsistentSchemaHandlingMode, SnapshotLockingMode};
use crate::source::{TableFilter, TextFilter};

/// Where a stream without a stored position begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StartAt {
    /// Now.
    #[default]
    Latest,
    /// With the oldest event that the server has.
    Earliest,
    /// In a file, at a position.
    File(String, u64),
    /// After these transactions, as the server prints them.
    Gtids(String),
}

/// What to do where the past is incomplete; the part of `snapshot.mode` that concerns the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Stop when there is an offset and no schema history.
    Required,
    /// Read the tables from the server when there is an offset and no schema history (`recovery`).
    Recovered,
}

/// What the configuration says.
#[derive(Clone)]
pub struct BinlogOptions {
    /// How to connect.
    pub connect: ConnectOptions,
    /// Counts what is read before a stream begins, for who watches whether that gets on.
    pub steps: Arc<AtomicU64>,
    /// Which server the connector class is for.
    pub flavor: Flavor,
    /// `debezium.compat.version`.
    pub generation: DebeziumGeneration,
    /// `database.server.id`.
    pub server_id: u32,
    /// `database.initial.statements`.
    pub initial_statements: Vec<String>,
    /// What is run now and then so that it is seen whether it comes: `heartbeat.action.query`, a row of the signal table.
    pub marker: Vec<String>,
    /// The period of the server's heartbeat.
    pub heartbeat_period: Duration,
    /// Silence of this many periods is a dead connection.
    pub silence_heartbeats: u32,
    /// `binlog.net.write.timeout`, in seconds.
    pub net_write_timeout_s: Option<u32>,
    /// `binlog.net.read.timeout`, in seconds.
    pub net_read_timeout_s: Option<u32>,
    /// Where to begin without a stored position.
    pub start_at: StartAt,
    /// What to do where the past is incomplete.
    pub past: Past,
    /// Which tables are captured (databases, tables, built-in ones).
    pub captured: TableFilter,
    /// Which databases are captured.
    pub captured_database: TextFilter,
    /// Makes the layouts.
    pub layouts: Arc<dyn LayoutMaker>,
    /// `inconsistent.schema.handling.mode`.
    pub inconsistent: InconsistentSchemaHandlingMode,
    /// Whether statements and events that cannot be processed are passed over with a warning
    /// (`event.processing.failure.handling.mode` is not `fail`).
    pub pass_over_failures: bool,
    /// `schema.history.internal.skip.unparseable.ddl`.
    pub skip_unparseable_ddl: bool,
    /// `schema.history.internal.store.only.captured.tables.ddl`.
    pub store_only_captured_tables: bool,
    /// `schema.history.internal.store.only.captured.databases.ddl`.
    pub store_only_captured_databases: bool,
    /// `internal.schema.history.internal.ddl.filter`: statements that are passed over, beside those that shape no
    /// tables anyway.
    pub ddl_filter: Option<TextFilter>,
    /// `internal.schema.history.internal.prefer.ddl`.
    pub prefer_ddl: bool,
    /// `guardrail.collections.max`, and what more tables are.
    pub guardrail: Option<(u32, GuardrailAction)>,
    /// `snapshot.locking.mode`, for the definitions of tables.
    pub locking: SnapshotLockingMode,
    /// `snapshot.lock.timeout.ms`.
    pub lock_timeout: Duration,
    /// `include.schema.changes`.
    pub announce_schema_changes: bool,
    /// `include.schema.comments`.
    pub schema_comments: bool,
    /// `include.query`.
    pub include_query: bool,
    /// Operations that are not wanted: `skipped.operations`.
    pub skip_creates: bool,
    /// The same.
    pub skip_updates: bool,
    /// The same.
    pub skip_deletes: bool,
    /// The same.
    pub skip_truncates: bool,
    /// `provide.transaction.metadata`.
    pub transaction_metadata: bool,
    /// `gtid.source.includes` and `.excludes`: by server UUID, or by MariaDB's domain.
    pub gtid_source: Option<TextFilter>,
    /// `gtid.source.filter.dml.events`.
    pub gtid_filter_dml: bool,
    /// `gtid.ignore.on.recovery`.
    pub gtid_ignore_on_recovery: bool,
    /// Bytes of a block.
    pub block_bytes: usize,
}
