//! A connector's parts, built from its configuration and what is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::canary;
use super::commit::Discipline;
use super::layouts::{Layouts, layouts};
use super::produce::{HistoryWriter, Sink};
use super::reader::ReaderOptions;
use super::reselect::Reselection;
use super::supervise::{Assembly, Parts, PipelineOptions, Stops};
use super::translate;
use super::write::Processing;
use crate::config::connector::{ConnectorConfig, HistoryStorage, ReselectOptions};
use crate::config::worker::{ConverterSetting, OffsetStorage, WorkerConfig};
use crate::envelope::Envelope;
use crate::error::Failure;
use crate::model::change::{PastChange, SchemaChange};
use crate::model::encoded::EncodedBatch;
use crate::model::modes::SnapshotMode;
use crate::model::position::{OffsetField, OffsetMap, StoredOffset};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::observe::metrics::{Beginning, ConnectorMetrics};
use crate::observe::pulse::Activity;
use crate::serialize::{self, Converter, Role};
use crate::sink::SinkCounters;
use crate::sink::kafka::read_back::ReadBack;
use crate::sink::kafka::witness::Witness;
use crate::sink::kafka::{KafkaSink, KafkaSinkOptions};
use crate::source::binlog::BinlogReselect;
use crate::source::binlog::error::BinlogError;
use crate::source::binlog::options::Past;
use crate::source::binlog::start;
use crate::source::postgres::slot::DroppedSlot;
use crate::source::postgres::{self, Confirmation};
use crate::source::{Reselect, Source};
use crate::store::history::file::FileSchemaHistory;
use crate::store::history::kafka::KafkaSchemaHistory;
use crate::store::history::memory::MemorySchemaHistory;
use crate::store::history::{HistoryRecord, SchemaHistoryStore};
use crate::store::offset::file::FileOffsetStore;
use crate::store::offset::kafka::KafkaOffsetStore;
use crate::store::offset::{OffsetKey, OffsetStore};
use crate::util::{clock, stop::Stop};

/// Builds the parts of one connector, again for each attempt.
pub struct ConnectorAssembly {
    config: ConnectorConfig,
    worker: Arc<WorkerConfig>,
    layouts: Layouts,
    sink: KafkaSinkOptions,
    counters: Arc<SinkCounters>,
    metrics: Arc<ConnectorMetrics>,
    /// Whether this process has committed: its past is then its own.
    committed: Arc<AtomicBool>,
    /// History that is kept in memory outlives a pipeline that is built again.
    memory: MemorySchemaHistory,
}

/// The pipeline's own options, from a connector's and its worker's.
pub fn pipeline_options(config: &ConnectorConfig, worker: &WorkerConfig) -> PipelineOptions {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    PipelineOptions {
        connector: config.name.clone(),
        encode_threads: config.limits.encode_threads.map_or(cores, std::num::NonZeroUsize::get),
        budget_bytes: config.limits.queue_bytes,
        flush_interval: worker.offset_flush_interval,
        shutdown_timeout: worker.shutdown_timeout,
        restart_limit: config.errors.restart_wait,
        max_retries: config.errors.max_retries,
        failure_mode: config.errors.event_processing,
        head_interval: config.watchdog.head_interval,
        marker_interval: config.heartbeat.interval.or(config.watchdog.canary_interval),
        reader: ReaderOptions {
            heartbeat_interval: config.heartbeat.interval,
            reconnect_first: config.stream.reconnect_backoff,
            reconnect_limit: config.stream.reconnect_backoff_max,
            reconnect_attempts: config.errors.max_retries,
            renew_after: config.watchdog.renew_after,
        },
    }
}

/// The store of a worker's positions, or a connector's own topic of them.
///
/// # Errors
/// When there is no such place, or it would lose them.
pub fn offset_store(
    topic: Option<String>,
    worker: &WorkerConfig,
    abandoned: &Stop,
) -> Result<Box<dyn OffsetStore>, Failure> {
    if let Some(mut options) = translate::offset_options(topic, worker) {
        options.clients.abandoned = abandoned.clone();
        return Ok(Box::new(KafkaOffsetStore::open(options)?));
    }
    match &worker.offsets {
        OffsetStorage::File(path) => Ok(Box::new(FileOffsetStore::new(path))),
        OffsetStorage::Topic(_) => Err(BinlogError::Offset("no place to store it").into()),
    }
}

impl ConnectorAssembly {
    /// An assembly for a checked configuration.
    ///
    /// # Errors
    /// When a part cannot be made from it, whatever the servers say.
    pub fn new(
        config: ConnectorConfig,
        worker: Arc<WorkerConfig>,
        metrics: Arc<ConnectorMetrics>,
    ) -> Result<Self, Failure> {
        let counters = Arc::new(SinkCounters::default());
        if config.lag_quantiles {
            metrics.lags.keep_quantiles();
        }
        let layouts = layouts(&config);
        let run_id = uuid::Uuid::new_v4().to_string();
        let sink = translate::sink_options(&config, &run_id)?;
        Ok(ConnectorAssembly {
            config,
            committed: Arc::default(),
            worker,
            layouts,
            sink,
            counters,
            metrics,
            memory: MemorySchemaHistory::default(),
        })
    }

    fn offsets(&self, abandoned: &Stop) -> Result<Box<dyn OffsetStore>, Failure> {
        offset_store(self.config.offsets_topic.clone(), &self.worker, abandoned)
    }

    fn history(&self, abandoned: &Stop) -> Result<Box<dyn SchemaHistoryStore>, Failure> {
        let mut store: Box<dyn SchemaHistoryStore> = match &self.config.history.storage {
            HistoryStorage::File(path) => Box::new(FileSchemaHistory::new(path)),
            HistoryStorage::Memory => Box::new(self.memory.clone()),
            HistoryStorage::Kafka { .. } => match translate::history_options(&self.config) {
                Some(mut options) => {
                    options.clients.abandoned = abandoned.clone();
                    Box::new(KafkaSchemaHistory::new(options))
                }
                None => Box::new(self.memory.clone()),
            },
        };
        store.prepare()?;
        Ok(store)
    }

    /// The stream, and who tells its server what was stored.
    fn source(
        &self,
        stored: Option<&StoredOffset>,
        history: &mut dyn SchemaHistoryStore,
        server: &OffsetMap,
        stops: &Stops,
    ) -> Result<(Box<dyn Source>, Option<Confirmation>), Failure> {
        match &self.layouts {
            Layouts::Binlog(layouts) => {
                let mut options = translate::binlog_options(&self.config, layouts.clone());
                options.steps = self.metrics.ladder.steps.clone();
                if self.committed.load(Ordering::Relaxed) {
                    // Recovery is for the start of the process: the history that it wrote is whole from then on, and the
                    // server's tables may be newer than the rows that are read again.
                    options.past = Past::Required;
                }
                let (steps, numbers) = (&self.metrics.ladder.steps, &self.metrics.history);
                let mut past = |each: &mut dyn FnMut(PastChange)| {
                    numbers.recovery_began_ms.set(clock::now_ms());
                    let mut counted = |change| {
                        steps.fetch_add(1, Ordering::Relaxed);
                        numbers.recovered.add(1);
                        numbers.applied.add(1);
                        numbers.last_recovered_ms.set(clock::now_ms());
                        numbers.last_applied_ms.set(clock::now_ms());
                        each(change);
                    };
                    read_past(history, server, &mut counted)
                };
                Ok((Box::new(start::open(options, stored, &mut past, &stops.intake)?), None))
            }
            Layouts::Postgres(config, layouts) => {
                let mut options = translate::postgres_options(&self.config, config, layouts.clone());
                options.steps = self.metrics.ladder.steps.clone();
                let source = postgres::start::open(options, stored, &stops.intake)?;
                let confirmation = source.confirmation();
                Ok((Box::new(source), confirmation))
            }
        }
    }

    fn dropped_slot(&self) -> Option<DroppedSlot> {
        let Layouts::Postgres(config, layouts) = &self.layouts else { return None };
        let options = translate::postgres_options(&self.config, config, layouts.clone());
        options.slot.drop_on_stop.then(|| DroppedSlot::of(&options))
    }

    fn converter(&self, setting: &ConverterSetting, role: Role, abort: &Stop) -> Result<Arc<dyn Converter>, Failure> {
        Ok(serialize::build(setting.options.as_map(), &setting.class, role, &abort.flag())?)
    }

    /// Those for keys, values and headers.
    fn converters(&self, abort: &Stop) -> Result<[Arc<dyn Converter>; 3], Failure> {
        let key = self.converter(&self.config.key_converter, Role::Key, abort)?;
        let value = self.converter(&self.config.value_converter, Role::Value, abort)?;
        let setting = &self.config.header_converter;
        serialize::check_header_converter(&[&key, &value], &setting.class, setting.options.as_map())?;
        Ok([key, value, self.converter(setting, Role::Header, abort)?])
    }

    /// What reads columns again for each worker, on a connection of its own.
    fn reselections(&self, abort: &Stop) -> Vec<Reselection> {
        let abort = abort.clone();
        let open: Arc<dyn Fn() -> Box<dyn Reselect> + Send + Sync> = match &self.layouts {
            Layouts::Postgres(postgres, _) => {
                let connect = translate::postgres_connect_options(&self.config, postgres);
                let statements = self.config.database.initial_statements.clone();
                Arc::new(move || {
                    Box::new(postgres::PostgresReselect::new(connect.clone(), statements.clone(), abort.clone()))
                })
            }
            Layouts::Binlog(layouts) => {
                let options = translate::binlog_options(&self.config, layouts.clone());
                Arc::new(move || Box::new(BinlogReselect::new(&options, abort.clone())))
            }
        };
        let reselection =
            |options: &ReselectOptions| Reselection { options: Arc::new(options.clone()), open: open.clone() };
        self.config.post_processors.iter().map(reselection).collect()
    }

    fn processing(&self, abort: &Stop) -> Processing {
        let header = |(name, value): &(String, Vec<u8>)| (name.clone(), String::from_utf8_lossy(value).into_owned());
        Processing {
            transforms: self.config.transforms.clone(),
            context_headers: self.sink.context_headers.iter().map(header).collect(),
            errors: translate::error_rules(&self.config),
            reselections: self.reselections(abort),
        }
    }

    /// What reads from its topic what the witness has noted.
    fn read_back(&self, witness: Witness) -> Option<Box<dyn canary::ReadBack>> {
        let config = &self.config;
        let (producer, overrides) = (config.producer.as_map(), config.consumer_overrides.as_map());
        let read_back = || ReadBack::new(&config.name, producer, overrides, witness);
        config.watchdog.canary_read_back.then(|| Box::new(read_back()) as Box<dyn canary::ReadBack>)
    }

    /// A mode that would read the rows that are there needs an offset to go on from instead.
    fn check_snapshot_mode(&self, stored: bool) -> Result<(), Failure> {
        let mode = self.config.snapshot_mode;
        match mode {
            SnapshotMode::NoData | SnapshotMode::Recovery | SnapshotMode::Never => Ok(()),
            SnapshotMode::Initial
            | SnapshotMode::WhenNeeded
            | SnapshotMode::Always
            | SnapshotMode::InitialOnly
            | SnapshotMode::ConfigurationBased
            | SnapshotMode::Custom
                if stored =>
            {
                Ok(())
            }
            SnapshotMode::Initial
            | SnapshotMode::WhenNeeded
            | SnapshotMode::Always
            | SnapshotMode::InitialOnly
            | SnapshotMode::ConfigurationBased
            | SnapshotMode::Custom => Err(BinlogError::DataSnapshot(mode.as_str()).into()),
        }
    }
}

impl Assembly for ConnectorAssembly {
    fn assemble(&mut self, stops: &Stops) -> Result<Parts, Failure> {
        let abort = &stops.abort;
        let [key_converter, value_converter, header_converter] = self.converters(abort)?;
        let key = OffsetKey { connector: self.config.name.clone(), server: self.config.topics.prefix.clone() };
        let mut offsets = self.offsets(&stops.abandoned)?;
        let stored = offsets.read(&key)?;
        self.check_snapshot_mode(stored.is_some())?;
        let mut history = self.history(&stops.abandoned)?;
        let server = vec![("server".to_owned(), OffsetField::Text(self.config.topics.prefix.clone()))];
        let (source, confirmation) = self.source(stored.as_ref(), history.as_mut(), &server, stops)?;
        self.metrics.beginning.set(if stored.is_some() { Beginning::Stored } else { Beginning::New });
        self.metrics.history.ready_ms.set(clock::now_ms());
        let context_headers = written_headers(&self.sink.context_headers, &header_converter)?;
        let topics = &self.config.topics;
        // One for each attempt: the reports of one that was given up are not of this one's batches.
        let witness = Witness::passing_over(vec![topics.heartbeat.clone(), topics.transaction.clone()]);
        let sink_options = KafkaSinkOptions { context_headers, witness: witness.clone(), ..self.sink.clone() };
        let mut sink = KafkaSink::new(sink_options, self.counters.clone(), abort.clone())?;
        let (counters, metrics) = (self.counters.clone(), self.metrics.clone());
        sink.on_wait(move |waits| {
            count(&counters, &metrics);
            metrics.producer.set(if waits { Activity::BlockedOnBroker } else { Activity::Working });
        });
        Ok(Parts {
            source,
            sink: Box::new(CountedSink { sink, counters: self.counters.clone(), metrics: self.metrics.clone() }),
            history: Box::new(StoredHistory { store: history, source: server, metrics: self.metrics.clone() }),
            discipline: Box::new(AfterAck {
                store: offsets,
                key,
                committed: self.committed.clone(),
                confirmation,
                dropped_slot: self.dropped_slot(),
            }),
            envelope: Arc::new(Envelope::new(translate::envelope_options(&self.config))),
            key: key_converter,
            value: value_converter,
            header: header_converter,
            processing: self.processing(abort),
            read_back: self.read_back(witness),
        })
    }
}

/// The context headers, whose values are text, as `header.converter` writes them.
fn written_headers(
    headers: &[(String, Vec<u8>)],
    converter: &Arc<dyn Converter>,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let (arena, mut written) = (Arena::new(), Vec::with_capacity(headers.len()));
    if headers.is_empty() {
        return Ok(written);
    }
    let plan = converter.prepare("", Some(&Arc::new(Schema::new(Kind::String))))?;
    for (name, value) in headers {
        let (text, mut bytes) = (String::from_utf8_lossy(value), Vec::new());
        plan.write(&ValueRef::String(&text), &arena, &mut bytes)?;
        written.push((name.clone(), bytes));
    }
    Ok(written)
}

/// Reads what a history says of one server's tables. Several connectors may share a topic; what the others did to tables
/// of the same names is not ours, and Debezium passes over it too.
fn read_past(
    history: &mut dyn SchemaHistoryStore,
    server: &OffsetMap,
    each: &mut dyn FnMut(PastChange),
) -> Result<(), Failure> {
    let (mut ours, mut of_others, mut other) = (0u64, 0u64, None);
    history.read(&mut |record| {
        if record.source == *server {
            ours += 1;
            each(past_change(record));
        } else {
            of_others += 1;
            other = Some(record.source);
        }
        Ok(())
    })?;
    if let Some(other) = other {
        let name = |source: OffsetMap| StoredOffset(source).text("server").unwrap_or_default().to_owned();
        let theirs = name(other);
        if ours == 0 {
            let (ours, records) = (name(server.clone()), of_others);
            return Err(BinlogError::HistoryOfOthers { ours, theirs, records }.into());
        }
        tracing::warn!(
            records = of_others,
            server = theirs,
            "the schema history holds records of other connectors, which are passed over"
        );
    }
    Ok(())
}

fn past_change(record: HistoryRecord) -> PastChange {
    PastChange {
        position: record.position,
        database: record.database.unwrap_or_default(),
        ddl: record.ddl.unwrap_or_default(),
        tables: record.changes.unwrap_or_default(),
    }
}

/// At least once: the position is written to the offset store after everything before it was acknowledged.
struct AfterAck {
    store: Box<dyn OffsetStore>,
    key: OffsetKey,
    /// Set with the first commit.
    committed: Arc<AtomicBool>,
    /// Who is told what the server may forget.
    confirmation: Option<Confirmation>,
    /// The slot that `slot.drop.on.stop` is about.
    dropped_slot: Option<DroppedSlot>,
}

impl Discipline for AfterAck {
    fn commit(&mut self, offset: &OffsetMap) -> Result<(), Failure> {
        self.store.write(&self.key, offset)?;
        self.committed.store(true, Ordering::Relaxed);
        if let Some(confirmation) = &self.confirmation {
            confirmation.stored(offset);
        }
        Ok(())
    }

    fn stopped(&mut self) {
        if let Some(slot) = self.dropped_slot.take()
            && let Err(failure) = slot.drop_now()
        {
            tracing::error!(code = %failure.code, reason = %failure.message, "the slot could not be dropped (slot.drop.on.stop)");
        }
    }
}

struct StoredHistory {
    store: Box<dyn SchemaHistoryStore>,
    /// Debezium's partition.
    source: OffsetMap,
    metrics: Arc<ConnectorMetrics>,
}

impl HistoryWriter for StoredHistory {
    fn append(&mut self, changes: &[&SchemaChange]) -> Result<(), Failure> {
        let record = |change: &&SchemaChange| HistoryRecord {
            source: self.source.clone(),
            position: change.position.clone(),
            timestamp_ms: Some(clock::now_ms()),
            database: Some(change.database.to_string()),
            schema: None,
            ddl: Some(change.ddl.clone()),
            changes: Some(change.tables.clone()),
        };
        let records: Vec<HistoryRecord> = changes.iter().map(record).collect();
        self.store.append_all(&records)?;
        self.metrics.history.applied.add(records.len() as u64);
        self.metrics.history.last_applied_ms.set(clock::now_ms());
        Ok(())
    }
}

/// The Kafka sink, with its counters carried over to the connector's.
struct CountedSink {
    sink: KafkaSink,
    counters: Arc<SinkCounters>,
    metrics: Arc<ConnectorMetrics>,
}

fn count(counters: &SinkCounters, metrics: &ConnectorMetrics) {
    metrics.records_sent.set(counters.records_sent.get());
    metrics.records_acknowledged.set(counters.records_acknowledged.get());
    metrics.records_in_flight.set(counters.records_in_flight.get());
    let sent = &metrics.sent;
    for (to, from) in [
        (&sent.records_failed, &counters.records_failed),
        (&sent.requests, &counters.requests),
        (&sent.request_bytes, &counters.request_bytes),
        (&sent.response_bytes, &counters.response_bytes),
        (&sent.request_retries, &counters.request_retries),
        (&sent.request_latency_us, &counters.request_latency_us),
        (&sent.batch_size_bytes, &counters.batch_size_bytes),
    ] {
        to.set(from.get());
    }
}

impl Sink for CountedSink {
    fn send(&mut self, batch: &EncodedBatch, records: std::ops::Range<u32>) -> Result<(), Failure> {
        batch.topics.iter().for_each(|topic| self.metrics.active_topics.add(topic));
        let result = self.sink.send(batch, records);
        count(&self.counters, &self.metrics);
        Ok(result?)
    }

    fn poll(&mut self, wait: std::time::Duration) -> Result<(), Failure> {
        let result = self.sink.poll(wait);
        count(&self.counters, &self.metrics);
        result?;
        Ok(())
    }

    fn hurry(&mut self, wait: std::time::Duration) -> Result<bool, Failure> {
        let result = self.sink.hurry(wait);
        count(&self.counters, &self.metrics);
        Ok(result?)
    }

    fn in_flight(&self) -> usize {
        self.sink.in_flight()
    }

    fn takes_more(&self) -> bool {
        self.sink.takes_more()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeMap;

    use super::*;

    /// What a converter makes of the context header `0`.
    fn check(class: &str, settings: &[(&str, &str)], expected: Option<&str>) {
        let config: BTreeMap<String, String> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let converter = serialize::build(&config, class, Role::Header, &Arc::default()).unwrap();
        let headers = [("__debezium.context.taskId".to_owned(), b"0".to_vec())];
        let written = written_headers(&headers, &converter).ok();
        let text = written.map(|headers| String::from_utf8(headers[0].1.clone()).unwrap());
        assert_eq!(text.as_deref(), expected, "{class}");
        assert!(written_headers(&[], &converter).unwrap().is_empty());
    }

    #[test]
    fn context_headers_are_written_as_the_header_converter_writes_text() {
        check("SimpleHeaderConverter", &[], Some("0"));
        check("StringConverter", &[], Some("0"));
        check("JsonConverter", &[("schemas.enable", "false")], Some("\"0\""));
        check("JsonConverter", &[], Some("{\"schema\":{\"type\":\"string\",\"optional\":false},\"payload\":\"0\"}"));
        check("ByteArrayConverter", &[], None);
    }
}
