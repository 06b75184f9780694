//! `headwater run`: runs connectors until asked to stop.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};

use super::Context;
use crate::config::connector::ConnectorConfig;
use crate::config::provider::Environment;
use crate::config::worker::{OffsetStorage, WorkerConfig};
use crate::config::{ConfigError, Warning, source_file};
use crate::error::{Coded, Failure};
use crate::observe::incident::Incident;
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::{flow, log};
use crate::pipeline::status::State;
use crate::pipeline::{assembly, supervise, translate};
use crate::store::StoreError;
use crate::store::config::ConfigStore;
use crate::store::config::file::FileConfigStore;
use crate::store::config::kafka::KafkaConfigStore;
use crate::store::status::kafka::KafkaStatusStore;
use crate::util::stop::Stop;
use crate::watchdog::{self, Recorder};
use crate::worker::{self, FileConnector, Phase, Stores, Worker};

/// How often the process looks whether it was asked to stop.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// How long connectors may take to stop beyond their own deadline.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// How long the last incidents may take to be written down and told.
const FLUSH_GRACE: Duration = Duration::from_secs(3);

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Connector files: Kafka Connect's {"name", "config"} JSON, .properties or YAML. Without any: the connectors of
    /// config.storage.topic, as a distributed worker of Kafka Connect runs them, and those that are registered by REST.
    pub connectors: Vec<PathBuf>,
    /// With files: run the stored connectors too. A file wins over a stored connector of the same name.
    #[arg(long)]
    pub stored: bool,
    /// The worker's file: Kafka Connect's worker properties. The environment of the Connect container images is read too.
    #[arg(long)]
    pub worker: Option<PathBuf>,
    /// A property of the worker, over its file and the environment: --set listeners=http://127.0.0.1:8083
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// What a command line's files say, checked.
pub struct Loaded {
    /// The worker.
    pub worker: Arc<WorkerConfig>,
    /// The connectors.
    pub connectors: Vec<ConnectorConfig>,
    /// What is worth saying.
    pub warnings: Vec<Warning>,
}

/// Reads and checks every file of a command line.
///
/// # Errors
/// Everything that is wrong with them, at once.
pub fn load(arguments: &Arguments) -> Result<Loaded, Vec<ConfigError>> {
    let overrides: BTreeMap<String, String> = arguments
        .set
        .iter()
        .filter_map(|pair| pair.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.to_owned())))
        .collect();
    let environment = Environment::of_this_process();
    let (worker, mut warnings) = WorkerConfig::load(arguments.worker.as_deref(), environment, &overrides)?;
    let (mut connectors, mut errors) = (Vec::new(), Vec::new());
    for path in &arguments.connectors {
        let file = match source_file::read_connector(path) {
            Ok(file) => file,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        warnings.extend(file.warnings);
        match ConnectorConfig::from_map(&file.name, file.config, &worker) {
            Ok((connector, more)) => {
                warnings.extend(more);
                connectors.push(connector);
            }
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(Loaded { worker: Arc::new(worker), connectors, warnings }) } else { Err(errors) }
}

/// Runs connectors until a signal asks to stop. A second signal ends the process at once.
///
/// A connector that failed is still there to be asked about, as in a worker of Kafka Connect: its status says
/// FAILED and why, its metrics can be read. The process does not end because of it.
pub fn run(arguments: &Arguments, context: &Context) -> anyhow::Result<ExitCode> {
    let loaded = match load(arguments) {
        Ok(loaded) => loaded,
        Err(errors) => return Ok(context.refuse(&errors)),
    };
    let format = match loaded.worker.log_format {
        crate::config::worker::LogFormat::Text => log::LogFormat::Text,
        crate::config::worker::LogFormat::Json => log::LogFormat::Json,
    };
    log::start(format, &loaded.worker.log_level);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let stop = stop_on_signals()?;
    let (worker, recorder) = match start(arguments, loaded) {
        Ok(started) => started,
        Err(failure) => return Ok(failed(&failure)),
    };
    let _server = match crate::admin::start(worker.config(), &worker) {
        Ok(server) => server,
        Err(failure) => {
            worker.stop();
            return Ok(failed(&failure));
        }
    };
    let mut refused = None;
    while !stop.wait(LOOK_INTERVAL) && !flow::has_given_up() {
        if let Phase::Failed(failure) = worker.phase() {
            refused = Some(failure);
            break;
        }
    }
    let has_failed = worker.connectors().iter().any(|connector| connector.status().state == State::Failed);
    worker.stop();
    let deadline = crate::util::clock::moment() + worker.config().shutdown_timeout + STOP_GRACE;
    let patience = Stop::new();
    while !worker.is_finished() && crate::util::clock::left_until(deadline).is_some() {
        patience.wait(Duration::from_millis(20));
    }
    if !flow::has_given_up() {
        worker.last_words();
    }
    recorder.flush(FLUSH_GRACE);
    if let Some(failure) = refused {
        return Ok(failed(&failure));
    }
    if flow::has_given_up() {
        // At once: what hangs here may hang whatever is waited for on the way out, too.
        signal_hook::low_level::exit(i32::from(super::EXIT_UNDEAD));
    }
    Ok(if has_failed { ExitCode::from(super::EXIT_FAILED) } else { ExitCode::SUCCESS })
}

fn failed(failure: &Failure) -> ExitCode {
    eprintln!("{failure}\n  {}", failure.code.hint);
    ExitCode::from(super::EXIT_FAILED)
}

/// Starts the worker: with the connectors of the files, and with the stored ones where there are no files or both are
/// wanted.
fn start(arguments: &Arguments, loaded: Loaded) -> Result<(worker::Handle, Recorder), Failure> {
    let Loaded { worker: config, connectors, .. } = loaded;
    let configs = (connectors.is_empty() || arguments.stored).then(|| config_store(&config));
    // A standalone worker keeps statuses in memory, as Connect's does. So does one that runs files only: the worker's settings
    // are often those of a Connect that lives, and whose own words its status topic has.
    let in_topic = matches!(config.offsets, OffsetStorage::Topic(_)) && configs.is_some();
    let statuses = in_topic.then(|| KafkaStatusStore::new(translate::status_options(&config)));
    let stores = Stores { configs, statuses };
    let files = arguments.connectors.iter().zip(connectors);
    let files = files.map(|(path, config)| FileConnector { path: path.clone(), config }).collect();
    let recorder = recorder(&config)?;
    let kept = recorder.clone();
    let start = move |config: &ConnectorConfig, worker: &Arc<WorkerConfig>| start_connector(config, worker, &recorder);
    Ok((Worker::start(files, &config, &super::host_name(), stores, Box::new(start))?, kept))
}

/// Where connectors are kept: in Connect's topic, or in a file beside the offsets of a standalone worker.
fn config_store(config: &WorkerConfig) -> Box<dyn ConfigStore> {
    match &config.offsets {
        OffsetStorage::Topic(_) => Box::new(KafkaConfigStore::new(translate::config_options(config))),
        OffsetStorage::File(offsets) => {
            let mut path = offsets.clone().into_os_string();
            path.push(".connectors.json");
            Box::new(FileConfigStore::new(path))
        }
    }
}

/// Where the worker's incidents go.
fn recorder(worker: &WorkerConfig) -> Result<Recorder, Failure> {
    let urls = worker.notice_urls.expose().split(',').map(str::trim).filter(|url| !url.is_empty());
    let recorder = Recorder::start(watchdog::RecorderOptions {
        file: worker.incidents_file.clone(),
        urls: urls.map(str::to_owned).collect(),
        after: worker.notices_after,
    })?;
    let Some(mut topic) = translate::incidents(worker) else { return Ok(recorder) };
    let send = move |incident: &Incident| -> Result<(), Failure> {
        match topic.append(&incident.connector, incident.json().to_string().as_bytes()) {
            // One that the topic does not take must not hold up those behind it.
            Err(error @ StoreError::RecordRefused { .. }) => {
                tracing::warn!(code = %error.code(), reason = %error, incident = incident.id, "an incident is not sent to its topic; the log has it");
                Ok(())
            }
            sent => Ok(sent?),
        }
    };
    recorder.with_topic(Box::new(send))
}

/// When the watchdog of a connector takes something for stuck, and what it does.
fn watch_options(config: &ConnectorConfig, worker: &WorkerConfig) -> watchdog::WatchOptions {
    let options = &config.watchdog;
    let (connect, query) = (config.database.connect_timeout, config.database.query_timeout);
    let ends = |time: &Duration| !time.is_zero();
    let attempt = options.exit_after.filter(|_| ends(&connect) && ends(&query)).map(|exit| connect + query + exit);
    watchdog::WatchOptions {
        deadlines: watchdog::verdict::Deadlines {
            silence: config.stream.heartbeat_period * config.stream.silence_heartbeats + options.source_deadline,
            source: options.source_deadline,
            pipeline: options.pipeline_deadline,
            broker: options.broker_deadline,
            commit: worker.offset_flush_interval + options.commit_deadline,
            store: options.commit_deadline,
            exit: options.exit_after,
            attempt,
            canary: options.canary_deadline,
        },
        bounds: watchdog::action::Bounds {
            restart_after: options.restart_after,
            may_restart_for_broker: config.errors.max_retries.is_none(),
        },
    }
}

/// Starts the pipeline of one connector, and its watchdog.
pub fn start_connector(
    config: &ConnectorConfig,
    worker: &Arc<WorkerConfig>,
    recorder: &Recorder,
) -> Result<supervise::Handle, Failure> {
    let metrics = Arc::new(ConnectorMetrics::new());
    let options = assembly::pipeline_options(config, worker);
    let assembly = assembly::ConnectorAssembly::new(config.clone(), worker.clone(), metrics.clone())?;
    let mut pipeline = supervise::start(Box::new(assembly), options, metrics)?;
    if let Err(failure) = watchdog::watch(&pipeline, watch_options(config, worker), recorder.clone()) {
        // A pipeline that nobody watches does not run, and has ended before another one is begun.
        pipeline.stop();
        pipeline.join();
        return Err(failure);
    }
    Ok(pipeline)
}

/// A flag that SIGTERM and SIGINT set; the second of them ends the process at once.
pub(super) fn stop_on_signals() -> anyhow::Result<Stop> {
    let stop = Stop::new();
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT])?;
    let flag = stop.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if flag.is_set() {
                signal_hook::low_level::exit(128 + signal);
            }
            tracing::info!(signal, "stopping: draining, committing, leaving; a second signal leaves at once");
            flag.set();
        }
    })?;
    Ok(stop)
}
