//! What the configuration says about a PostgreSQL source.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::codec::Layouts;
use super::connection::ConnectOptions;
use crate::model::modes::{LsnFlushMode, OffsetMismatchStrategy, PublicationAutocreateMode};
use crate::model::table::TableId;
use crate::source::{TableFilter, TextFilter};

/// The `REPLICA IDENTITY` clause that a table is given; `None` for a table that keeps its own.
pub type IdentityRule = Arc<dyn Fn(&TableId) -> Option<String> + Send + Sync>;

/// The replication slot.
#[derive(Clone, Debug)]
pub struct SlotOptions {
    /// `slot.name`.
    pub name: String,
    /// `slot.drop.on.stop`.
    pub drop_on_stop: bool,
    /// `slot.failover`.
    pub failover: bool,
    /// `headwater.slot.takeover`.
    pub takeover: bool,
    /// `slot.stream.params`.
    pub stream_parameters: Vec<(String, String)>,
    /// `slot.max.retries`.
    pub max_retries: u32,
    /// `slot.retry.delay.ms`.
    pub retry_delay: Duration,
    /// `internal.create.slot.command.timeout`.
    pub create_timeout: Duration,
    /// `offset.mismatch.strategy`, where it is set.
    pub mismatch: Option<OffsetMismatchStrategy>,
    /// `lsn.flush.mode`.
    pub flush: LsnFlushMode,
    /// `status.update.interval.ms`.
    pub status_interval: Duration,
    /// `xmin.fetch.interval.ms`.
    pub xmin_interval: Option<Duration>,
}

/// The publication.
#[derive(Clone, Debug)]
pub struct PublicationOptions {
    /// `publication.name`.
    pub name: String,
    /// `publication.autocreate.mode`.
    pub autocreate: PublicationAutocreateMode,
    /// `publish.via.partition.root`.
    pub via_partition_root: bool,
    /// What it publishes; `None` for everything.
    pub publish: Option<String>,
}

/// Large transactions that are received while they are open.
#[derive(Clone, Debug)]
pub struct StreamingOptions {
    /// `headwater.transaction.memory.bytes`: what all of them may hold in memory.
    pub memory_bytes: u64,
    /// `headwater.transaction.folder`: where the files are that hold the rest.
    pub folder: PathBuf,
    /// `headwater.transaction.folder.bytes`: what all of them may take together; `None` for what the folder has.
    pub folder_bytes: Option<u64>,
}

impl Default for StreamingOptions {
    fn default() -> Self {
        StreamingOptions { memory_bytes: 32 << 20, folder: std::env::temp_dir(), folder_bytes: None }
    }
}

/// What the configuration says.
#[derive(Clone)]
pub struct PostgresOptions {
    /// How to connect.
    pub connect: ConnectOptions,
    /// `database.initial.statements`.
    pub initial_statements: Vec<String>,
    /// What is run now and then so that it is seen whether it comes: `heartbeat.action.query`, a row of the signal table.
    pub marker: Vec<String>,
    /// Counts what takes long while a stream is opened, for who watches.
    pub steps: Arc<AtomicU64>,
    /// The slot.
    pub slot: SlotOptions,
    /// The publication.
    pub publication: PublicationOptions,
    /// `headwater.transaction.streaming`; `None` where the server holds open transactions.
    pub streaming: Option<StreamingOptions>,
    /// `replica.identity.autoset.values`; `None` where it is not set.
    pub identities: Option<IdentityRule>,
    /// Silence of this long is a dead connection.
    pub silence: Duration,
    /// Which tables are captured.
    pub captured: TableFilter,
    /// Which logical messages are captured, by their prefix.
    pub captured_message: TextFilter,
    /// Makes layouts.
    pub layouts: Arc<Layouts>,
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
}
