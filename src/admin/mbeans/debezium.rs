//! The beans of Debezium's connectors: `debezium.mysql:type=connector-metrics,context=streaming,server=shop`.
//!
//! Sources: Debezium's manual, "Monitoring" of each connector, and its interfaces `…MetricsMXBean`. There, the properties
//! of a bean are `type`, `context`, `server` and then `custom.metric.tags`.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use crate::config::connector::ConnectorConfig;
use crate::model::modes::ConnectorKind;
use crate::observe::lags::Summary;
use crate::observe::mbean::{MBean, Reading, quoted};
use crate::observe::metrics::{Beginning, ConnectorMetrics};
use crate::pipeline::status::State;
use crate::pipeline::translate::plugin;
use crate::util::clock;
use crate::worker::Connector;

/// One connector.
struct Scene<'c> {
    config: &'c ConnectorConfig,
    metrics: &'c ConnectorMetrics,
    state: State,
}

/// An attribute: its name, what it says, where its value is.
type Row = (&'static str, &'static str, fn(&Scene<'_>) -> Reading);

/// What the beans of snapshot and stream both have.
const COMMON: &[Row] = &[
    ("QueueTotalCapacity", "max.queue.size", |scene| Reading::Whole(capacity(scene))),
    (
        "QueueRemainingCapacity",
        "The share of max.queue.size that is as free as the bytes between source and acknowledgement are",
        |scene| Reading::Whole(remaining(scene)),
    ),
    ("MaxQueueSizeInBytes", "Bound of the bytes between source and acknowledgement", |scene| {
        Reading::Whole(scene.metrics.budget_bytes.get())
    }),
    ("CurrentQueueSizeInBytes", "Bytes between source and acknowledgement", |scene| {
        Reading::Whole(scene.metrics.outstanding_bytes.get())
    }),
];

/// Whole seconds; -1 stays.
fn seconds(millis: i64) -> i64 {
    if millis < 0 { -1 } else { millis / 1000 }
}

/// A lag's quantile; not known before the first change, and where `statistics.metrics.enabled` is false.
fn quantile(scene: &Scene<'_>, share: f64) -> Reading {
    scene.metrics.lags.quantile(share).map_or(Reading::Unknown, Reading::Decimal)
}

/// What is known of lags; nothing before the first change.
fn lags(scene: &Scene<'_>, read: fn(Summary) -> Reading) -> Reading {
    scene.metrics.lags.summary().map_or(Reading::Unknown, read)
}

fn rows(scene: &Scene<'_>) -> u64 {
    scene.metrics.creates.get() + scene.metrics.updates.get() + scene.metrics.deletes.get()
}

/// The stream.
const STREAMING: &[Row] = &[
    ("Connected", "1 while the connection to the database stands", |scene| {
        Reading::Flag(scene.metrics.connected.load(Ordering::Relaxed))
    }),
    (
        "MilliSecondsBehindSource",
        "Between a change and its receipt, and for as long as nothing flows that should, that time in addition; in milliseconds; -1 before the first",
        |scene| Reading::Whole(scene.metrics.behind_source_now_ms()),
    ),
    ("MilliSecondsBehindSourceMinValue", "The shortest such time since the start", |scene| {
        lags(scene, |lags| lags.shortest_ms.into())
    }),
    ("MilliSecondsBehindSourceMaxValue", "The longest such time since the start", |scene| {
        lags(scene, |lags| lags.longest_ms.into())
    }),
    ("MilliSecondsBehindSourceAverageValue", "The mean of these times, of all changes since the start", |scene| {
        lags(scene, |lags| Reading::Decimal(lags.mean_ms))
    }),
    ("MilliSecondsBehindSourceP50", "What half of the changes since the start did not exceed", |scene| {
        quantile(scene, 0.50)
    }),
    ("MilliSecondsBehindSourceP95", "What 95 percent of them did not exceed", |scene| quantile(scene, 0.95)),
    ("MilliSecondsBehindSourceP99", "What 99 percent of them did not exceed", |scene| quantile(scene, 0.99)),
    ("TotalNumberOfCreateEventsSeen", "Rows inserted", |scene| scene.metrics.creates.get().into()),
    ("TotalNumberOfUpdateEventsSeen", "Rows updated", |scene| scene.metrics.updates.get().into()),
    ("TotalNumberOfDeleteEventsSeen", "Rows deleted", |scene| scene.metrics.deletes.get().into()),
    ("NumberOfEventsFiltered", "Row events of tables that are not captured", |scene| {
        scene.metrics.filtered.get().into()
    }),
    ("NumberOfErroneousEvents", "Events passed over because a setting says so", |scene| erroneous(scene).into()),
    ("NumberOfEventsSkipped", "NumberOfEventsFiltered, under its name before 1.0", |scene| {
        scene.metrics.filtered.get().into()
    }),
    // No Debezium has it, and alerts ask for it.
    ("NumberOfFailedRecords", "The same, under the name that alerts ask for", |scene| erroneous(scene).into()),
    ("NumberOfCommittedTransactions", "Transactions read to their end", |scene| {
        scene.metrics.transactions.get().into()
    }),
    (
        "NumberOfUnchangedEventsSkipped",
        "Updates that changed nothing and were left out; -1 while skip.messages.without.change is false",
        |scene| match scene.config.capture.skip_unchanged {
            true => scene.metrics.unchanged.get().into(),
            false => Reading::Whole(-1),
        },
    ),
];

/// The stream of MySQL and MariaDB. There, an event is one of the log, the server's heartbeats included.
const BINLOG: &[Row] = &[
    ("MilliSecondsSinceLastEvent", "Since the last event of the log or heartbeat, in milliseconds", |scene| {
        Reading::Whole(since_last_event(scene))
    }),
    ("TotalNumberOfEventsSeen", "Events of the log", |scene| scene.metrics.events_read.get().into()),
    ("SourceEventPosition", "Where reading is", |scene| {
        let metrics = scene.metrics;
        Reading::Keyed(vec![
            ("filename".to_owned(), Reading::Text(metrics.binlog_file.get())),
            ("position".to_owned(), Reading::Text(metrics.binlog_position.get().to_string())),
            ("gtid".to_owned(), Reading::Text(metrics.gtid_set.get())),
        ])
    }),
    ("BinlogFilename", "The binlog file that is read", |scene| Reading::Text(scene.metrics.binlog_file.get())),
    ("BinlogPosition", "Where in the binlog file reading is", |scene| {
        Reading::Whole(scene.metrics.binlog_position.get())
    }),
    ("GtidSet", "The transactions that were read to their end", |scene| Reading::Text(scene.metrics.gtid_set.get())),
    ("IsGtidModeEnabled", "1 when positions are sets of GTIDs", |scene| {
        Reading::Flag(!scene.metrics.gtid_set.get().is_empty())
    }),
    ("NumberOfDisconnects", "Connections to the database that were lost or dropped", |scene| {
        scene.metrics.disconnects.get().into()
    }),
    (
        "NumberOfSkippedEvents",
        "Events that could not be read and were passed over because a setting says so",
        |scene| scene.metrics.passed_over.get().into(),
    ),
    ("NumberOfRolledBackTransactions", "0: a transaction that is rolled back is not read to its end", |_| {
        Reading::Whole(0)
    }),
    ("NumberOfNotWellFormedTransactions", "0: such a stream stops the connector", |_| Reading::Whole(0)),
    ("NumberOfLargeTransactions", "0: no transaction is held back in a buffer", |_| Reading::Whole(0)),
];

/// Names of Debezium 0.x that its example's dashboards still ask for.
const OLD_BINLOG: &[Row] = &[
    ("SecondsBehindMaster", "MilliSecondsBehindSource in seconds, under its name before 1.0", |scene| {
        Reading::Whole(seconds(scene.metrics.behind_source_now_ms()))
    }),
    ("SecondsSinceLastEvent", "MilliSecondsSinceLastEvent in seconds, under its name before 1.0", |scene| {
        Reading::Whole(seconds(since_last_event(scene)))
    }),
];

/// The stream of PostgreSQL. There, an event is a row's change.
const POSTGRES: &[Row] = &[
    (
        "MilliSecondsSinceLastEvent",
        "Since the last change was received, in milliseconds; -1 before the first",
        |scene| Reading::Whole(since(scene.metrics.last_received_ms.get())),
    ),
    ("TotalNumberOfEventsSeen", "Rows inserted, updated and deleted", |scene| rows(scene).into()),
    ("LastTransactionId", "The last transaction that was read to its end", |scene| {
        Reading::Text(scene.metrics.last_transaction.get().to_string())
    }),
    ("SourceEventPosition", "Where reading is", |scene| {
        let position = scene.metrics.binlog_position.get().to_string();
        Reading::Keyed(vec![("lsn".to_owned(), Reading::Text(position))])
    }),
];

/// The snapshot: of the tables' definitions, as rows that are there already are not read. PostgreSQL needs none.
const SNAPSHOT: &[Row] = &[
    ("TotalTableCount", "Tables whose definitions were read", |scene| (tables(scene).len() as u64).into()),
    ("RemainingTableCount", "Tables whose rows have not been read yet", |_| Reading::Whole(0)),
    ("SnapshotRunning", "1 while the tables are read", |scene| {
        Reading::Flag(scene.state == State::Unassigned && beginning(scene) == Beginning::Unknown)
    }),
    ("SnapshotPaused", "1 while that is paused", |_| Reading::Flag(false)),
    ("SnapshotAborted", "1 when the tables could not be read", |scene| {
        Reading::Flag(scene.state == State::Failed && beginning(scene) == Beginning::Unknown)
    }),
    ("SnapshotCompleted", "1 when the tables were read before the stream began", |scene| {
        Reading::Flag(beginning(scene) == Beginning::New)
    }),
    ("SnapshotSkipped", "1 when no table had to be read", |scene| Reading::Flag(beginning(scene) == Beginning::Stored)),
    ("SnapshotDurationInSeconds", "For how long rows were read", |_| Reading::Whole(0)),
    ("SnapshotPausedDurationInSeconds", "For how long that was paused", |_| Reading::Whole(0)),
    ("RowsScanned", "Rows read of each table", |scene| {
        Reading::Keyed(tables(scene).into_iter().map(|table| (table, Reading::Whole(0))).collect())
    }),
    ("TotalNumberOfEventsSeen", "Rows read", |_| Reading::Whole(0)),
    ("TotalNumberOfCreateEventsSeen", "Rows inserted while they were read", |_| Reading::Whole(0)),
    ("TotalNumberOfUpdateEventsSeen", "Rows updated while they were read", |_| Reading::Whole(0)),
    ("TotalNumberOfDeleteEventsSeen", "Rows deleted while they were read", |_| Reading::Whole(0)),
    ("NumberOfEventsFiltered", "Rows left out", |_| Reading::Whole(0)),
    ("NumberOfEventsSkipped", "The same, under its name before 1.0", |_| Reading::Whole(0)),
    ("NumberOfErroneousEvents", "Rows that could not be read", |_| Reading::Whole(0)),
    ("MilliSecondsSinceLastEvent", "Since the last row was read, in milliseconds; -1 before the first", |_| {
        Reading::Whole(-1)
    }),
];

/// The snapshot of MySQL and MariaDB.
const BINLOG_SNAPSHOT: &[Row] =
    &[("HoldingGlobalLock", "1 while the tables of the server are locked", |_| Reading::Flag(false))];

/// The schema history.
const HISTORY: &[Row] = &[
    ("Status", "STOPPED, RECOVERING or RUNNING", |scene| {
        let history = &scene.metrics.history;
        let word = match (history.recovery_began_ms.get(), history.ready_ms.get()) {
            (0, 0) => "STOPPED",
            (_, 0) => "RECOVERING",
            (_, _) => "RUNNING",
        };
        Reading::Text(word.to_owned())
    }),
    ("RecoveryStartTime", "When the history was read, in seconds since the epoch; -1 before", |scene| {
        // A connector that begins anew has nothing to read.
        Reading::Whole(match (beginning(scene), scene.metrics.history.recovery_began_ms.get()) {
            (Beginning::New, _) | (_, 0) => -1,
            (Beginning::Stored | Beginning::Unknown, at) => at / 1000,
        })
    }),
    ("ChangesRecovered", "Changes read when the connector began", |scene| scene.metrics.history.recovered.get().into()),
    ("ChangesApplied", "Changes read, and those that came since", |scene| scene.metrics.history.applied.get().into()),
    ("MilliSecondsSinceLastRecoveredChange", "Since the last one was read; -1 before", |scene| {
        Reading::Whole(since(scene.metrics.history.last_recovered_ms.get()))
    }),
    ("MilliSecondsSinceLastAppliedChange", "Since the last one came; -1 before", |scene| {
        Reading::Whole(since(scene.metrics.history.last_applied_ms.get()))
    }),
];

/// Milliseconds since a time; -1 when there was none.
fn since(at_ms: i64) -> i64 {
    if at_ms == 0 { -1 } else { (clock::now_ms() - at_ms).max(0) }
}

/// As Debezium has it of the binlog: in whole seconds, and 0 before the first.
fn since_last_event(scene: &Scene<'_>) -> i64 {
    since(scene.metrics.last_event_ms.get()).max(0) / 1000 * 1000
}

fn erroneous(scene: &Scene<'_>) -> u64 {
    scene.metrics.erroneous.get() + scene.metrics.passed_over.get()
}

fn capacity(scene: &Scene<'_>) -> i64 {
    scene.config.limits.queue_records
}

/// What is bounded here is bytes; dashboards and alerts compare these two numbers.
fn remaining(scene: &Scene<'_>) -> i64 {
    let (budget, taken) = (scene.metrics.budget_bytes.get(), scene.metrics.outstanding_bytes.get());
    if budget <= 0 {
        return capacity(scene);
    }
    let free = i128::from((budget - taken).clamp(0, budget));
    i64::try_from(i128::from(capacity(scene)) * free / i128::from(budget)).unwrap_or(0)
}

/// How the stream begins, as Debezium's snapshot has it: where the log brings the tables' definitions nothing is read before.
fn beginning(scene: &Scene<'_>) -> Beginning {
    match scene.config.kind {
        ConnectorKind::Postgres => Beginning::Stored,
        ConnectorKind::MySql | ConnectorKind::MariaDb => scene.metrics.beginning.get(),
    }
}

/// Tables whose definitions were read before the stream began.
fn tables(scene: &Scene<'_>) -> Vec<String> {
    if beginning(scene) != Beginning::New {
        return Vec::new();
    }
    let tables = scene.metrics.captured_tables.get();
    tables.split(',').filter(|table| !table.is_empty()).map(str::to_owned).collect()
}

/// What follows `debezium.` in the names of the connector's beans; PostgreSQL's is not the plugin's name in its records.
fn domain(kind: ConnectorKind) -> Cow<'static, str> {
    match kind {
        ConnectorKind::Postgres => Cow::Borrowed("debezium.postgres"),
        ConnectorKind::MySql | ConnectorKind::MariaDb => Cow::Owned(format!("debezium.{}", plugin(kind))),
    }
}

/// The beans of one connector; none while its configuration cannot be run.
pub(super) fn of(connector: &Connector) -> Vec<MBean> {
    let Some(config) = connector.config() else { return Vec::new() };
    let metrics = connector.metrics();
    let scene = Scene { config: &config, metrics: &metrics, state: connector.status().state };
    let bean = |context: &str, parts: &[&[Row]]| {
        let properties = [("type", "connector-metrics"), ("context", context), ("server", &config.topics.prefix)];
        let mut bean = MBean::new(domain(config.kind), &properties);
        let tags = config.metric_tags.iter().map(|(name, value)| (Cow::Owned(name.clone()), quoted(value)));
        bean.properties.extend(tags);
        for (name, about, read) in parts.iter().flat_map(|rows| rows.iter()) {
            bean.add(*name, about, read(&scene));
        }
        bean
    };
    match config.kind {
        ConnectorKind::Postgres => {
            vec![bean("streaming", &[STREAMING, COMMON, POSTGRES]), bean("snapshot", &[SNAPSHOT, COMMON])]
        }
        ConnectorKind::MySql | ConnectorKind::MariaDb => vec![
            bean("streaming", &[STREAMING, COMMON, BINLOG, OLD_BINLOG]),
            bean("snapshot", &[SNAPSHOT, COMMON, BINLOG_SNAPSHOT]),
            bean("schema-history", &[HISTORY]),
        ],
    }
}
