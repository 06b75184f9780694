//! One connector, and the thread that keeps it as it is wanted.
//!
//! In: a wish: this configuration, running, paused or stopped, or gone. Out: a pipeline that is so. Promised: the wish
//! that came last counts; a pipeline is asked to drain and has ended before the next one of the same name begins, so that
//! two never read with one server id or slot or write one offset; a failure or panic here reaches no other connector.
//! Nothing here survives a crash: wishes are in the store.
//!
//! ```text
//!  wish (any thread) ──▶ keeper (one thread a connector): end what runs ─▶ begin what is wanted ─▶ settled
//! ```

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::{CANNOT_START, NOT_ENDED, PANICKED};
use super::{Properties, Start, TargetState};
use crate::config::connector::ConnectorConfig;
use crate::config::error::ConfigError;
use crate::config::secret;
use crate::config::worker::WorkerConfig;
use crate::error::Failure;
use crate::model::modes::ConnectorKind;
use crate::observe::metrics::ConnectorMetrics;
use crate::pipeline::status::{State, Status, StatusBoard};
use crate::pipeline::supervise::Handle as PipelineHandle;
use crate::util::clock;
use crate::util::stop::Stop;

/// How often a keeper looks whether its pipeline has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// How long beyond its own deadline a pipeline may take to end before somebody reads about it.
const END_GRACE: Duration = Duration::from_secs(10);

/// Where a connector comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file of the command line.
    File(PathBuf),
    /// The store: registered by REST, here or in a Kafka Connect cluster.
    Store,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Store => f.write_str("the store"),
        }
    }
}

/// A connector's configuration: as written, and as it is run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) written: Properties,
    /// What keeps it from running, where something does.
    pub(super) checked: Result<Arc<ConnectorConfig>, Failure>,
}

impl Plan {
    /// What is written, checked.
    pub(super) fn of(name: &str, written: Properties, worker: &WorkerConfig) -> Plan {
        let checked = checked(name, &written, worker).map_err(|errors| cannot_start(&errors));
        Plan { written, checked }
    }

    /// The same, checked once more: what variables stand for may be another thing by now. What was never read stays as it
    /// is.
    fn again(&self, name: &str, worker: &WorkerConfig) -> Plan {
        if self.written.is_empty() {
            return self.clone();
        }
        let checked = ConnectorConfig::from_map(name, self.written.clone(), worker);
        let checked = checked.map(|(config, _)| Arc::new(config)).map_err(|errors| cannot_start(&errors));
        Plan { written: self.written.clone(), checked }
    }
}

/// A configuration as it is run, or all that keeps it from that. Warnings are logged.
pub(super) fn checked(
    name: &str,
    written: &Properties,
    worker: &WorkerConfig,
) -> Result<Arc<ConnectorConfig>, Vec<ConfigError>> {
    let (config, warnings) = ConnectorConfig::from_map(name, written.clone(), worker)?;
    for warning in warnings {
        tracing::warn!(connector = name, "{warning}");
    }
    Ok(Arc::new(config))
}

fn cannot_start(errors: &[ConfigError]) -> Failure {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Failure { code: &CANNOT_START, message: texts.join("; ") }
}

/// What is wanted.
#[derive(Clone, Debug)]
struct Wish {
    plan: Arc<Plan>,
    target: TargetState,
    /// Why it may not run here whatever is wanted: another worker has the lead.
    barred: Option<Failure>,
    gone: bool,
    /// Why it is to be gone, in a sentence.
    why: &'static str,
    /// Counts what a pipeline has to end for.
    number: u64,
}

impl Wish {
    /// Why what runs is ended for it.
    fn end(&self) -> &'static str {
        match self.target {
            _ if self.gone => self.why,
            _ if self.barred.is_some() => {
                "this worker has lost the group's lead; another one has the connector, or will"
            }
            TargetState::Paused => "the connector was paused",
            TargetState::Stopped => "the connector was stopped",
            TargetState::Started => "the connector was begun anew, as it was asked for",
        }
    }
}

/// What is.
struct Settled {
    /// The number of the wish that is fulfilled.
    number: u64,
    /// Whether a pipeline is there, be it a failed one.
    has_pipeline: bool,
    /// Of the pipeline that was begun last.
    board: Arc<StatusBoard>,
    metrics: Arc<ConnectorMetrics>,
    /// Topics that pipelines before that one wrote to.
    topics: BTreeSet<Arc<str>>,
    /// Whether those that the status topic has are still to be added.
    recalls: bool,
    since_ms: i64,
    /// Set while what ran has not ended in time.
    hangs: Option<Failure>,
}

struct Inner {
    wish: Wish,
    settled: Settled,
}

/// One connector of the worker.
pub struct Connector {
    name: String,
    origin: Origin,
    inner: Mutex<Inner>,
    wake: Condvar,
    /// Set when its keeper has ended.
    ended: Stop,
}

impl Connector {
    pub(super) fn new(name: &str, origin: Origin, plan: Plan, target: TargetState) -> Connector {
        let wish = Wish { plan: Arc::new(plan), target, barred: None, gone: false, why: "", number: 1 };
        let settled = Settled {
            number: 0,
            has_pipeline: false,
            board: Arc::new(StatusBoard::new()),
            metrics: Arc::new(ConnectorMetrics::new()),
            topics: BTreeSet::new(),
            recalls: true,
            since_ms: clock::now_ms(),
            hangs: None,
        };
        Connector {
            name: name.to_owned(),
            origin,
            inner: Mutex::new(Inner { wish, settled }),
            wake: Condvar::new(),
            ended: Stop::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether a file of the command line declares it; the store keeps all others.
    pub fn is_of_file(&self) -> bool {
        matches!(self.origin, Origin::File(_))
    }

    /// What is run; `None` where its configuration cannot be.
    pub fn config(&self) -> Option<Arc<ConnectorConfig>> {
        self.lock().wish.plan.checked.clone().ok()
    }

    /// Which database it reads; `None` where its configuration cannot be run.
    pub fn kind(&self) -> Option<ConnectorKind> {
        self.config().map(|config| config.kind)
    }

    /// Its configuration as written, secrets and all: for the store, not for other eyes.
    pub(super) fn written(&self) -> Properties {
        self.lock().wish.plan.written.clone()
    }

    /// Its configuration as written, with secrets masked.
    pub fn shown_config(&self) -> Properties {
        shown(&self.lock().wish.plan.written)
    }

    /// What a person wants of it.
    pub fn target(&self) -> TargetState {
        self.lock().wish.target
    }

    /// What it is doing.
    pub fn status(&self) -> Status {
        let inner = self.lock();
        let (wish, settled) = (&inner.wish, &inner.settled);
        let hangs = &settled.hangs;
        let plain = |state| {
            let since_ms = settled.since_ms;
            Status { state, since_ms, failure: hangs.clone(), attempt: 0, next_attempt_ms: 0 }
        };
        if wish.gone {
            return settled.board.read();
        }
        match (wish.number == settled.number, wish.target) {
            (true, TargetState::Started) if wish.barred.is_some() => {
                Status { failure: wish.barred.clone(), ..plain(State::Unassigned) }
            }
            (true, TargetState::Paused) => plain(State::Paused),
            (true, TargetState::Stopped) => plain(State::Stopped),
            (true, TargetState::Started) => settled.board.read(),
            // What ran is ending.
            (false, TargetState::Started) if wish.barred.is_some() => {
                Status { failure: hangs.clone().or(wish.barred.clone()), ..plain(State::Unassigned) }
            }
            // The same, to begin again.
            (false, TargetState::Started) if settled.number > 0 => plain(State::Restarting),
            (false, TargetState::Paused | TargetState::Stopped) if settled.has_pipeline => {
                let status = settled.board.read();
                Status { failure: hangs.clone().or(status.failure), ..status }
            }
            (false, _) => plain(State::Unassigned),
        }
    }

    /// Its numbers, of the pipeline that was begun last.
    pub fn metrics(&self) -> Arc<ConnectorMetrics> {
        self.lock().settled.metrics.clone()
    }

    /// The same, made anew: what one of its name wrote to before is nothing to it.
    pub(super) fn without_past(self) -> Connector {
        self.lock().settled.recalls = false;
        self
    }

    /// Adds the topics that it wrote to before this worker ran it, once.
    pub(super) fn recall_topics(&self, topics: impl FnOnce() -> Vec<Arc<str>>) {
        let settled = &mut self.lock().settled;
        if settled.recalls {
            settled.recalls = false;
            settled.topics.extend(topics());
        }
    }

    /// The topics that it has written to since they were forgotten, or, where there is no status topic, since this process
    /// runs it.
    pub fn topics(&self) -> BTreeSet<Arc<str>> {
        let inner = self.lock();
        let mut topics = inner.settled.topics.clone();
        topics.extend(inner.settled.metrics.active_topics.all());
        topics
    }

    /// Forgets them.
    pub fn forget_topics(&self) {
        let mut inner = self.lock();
        inner.settled.topics.clear();
        inner.settled.recalls = false;
        inner.settled.metrics.active_topics.clear();
    }

    /// Whether it is as it is wanted: what was to end has ended.
    pub fn is_settled(&self) -> bool {
        let inner = self.lock();
        inner.wish.number == inner.settled.number
    }

    /// Wants it otherwise; what runs is ended and begun again.
    fn wish(&self, change: impl FnOnce(&mut Wish)) {
        let mut inner = self.lock();
        change(&mut inner.wish);
        inner.wish.number += 1;
        self.wake.notify_all();
    }

    /// Another configuration. The same one changes nothing, and what runs goes on, as in Connect; unless it could not be
    /// run, and may be by now.
    pub(super) fn reconfigure(&self, plan: Plan, target: Option<TargetState>) {
        let same = {
            let inner = self.lock();
            inner.wish.plan.written == plan.written
                && inner.wish.plan.checked.is_ok()
                && target.is_none_or(|target| target == inner.wish.target)
        };
        if !same {
            self.wish(|wish| {
                wish.plan = Arc::new(plan);
                wish.target = target.unwrap_or(wish.target);
            });
        }
    }

    /// Another target. The same one changes nothing.
    pub(super) fn aim(&self, target: TargetState) {
        if self.target() != target {
            self.wish(|wish| wish.target = target);
        }
    }

    /// Ends what runs, for a reason that has nothing to do with what is wanted, or lets it run again.
    pub(super) fn bar(&self, reason: Option<Failure>) {
        let mut inner = self.lock();
        let moves = inner.wish.barred.is_some() != reason.is_some();
        inner.wish.barred = reason;
        if moves && inner.wish.barred.is_some() {
            // Who runs it meanwhile knows better.
            inner.settled.topics.clear();
            inner.settled.recalls = true;
        }
        if moves && !inner.wish.gone {
            inner.wish.number += 1;
            self.wake.notify_all();
        }
    }

    /// Begins again from the stored position. What is not to run is not begun.
    pub(super) fn restart(&self) {
        if self.target() == TargetState::Started {
            self.wish(|_| {});
        }
    }

    /// Ends for good; why, in a sentence.
    pub(super) fn leave(&self, why: &'static str) {
        self.wish(|wish| (wish.gone, wish.why) = (true, why));
    }

    /// Set when nothing of it runs any more.
    pub(super) fn ended(&self) -> &Stop {
        &self.ended
    }

    /// Waits for a wish that is not fulfilled.
    fn next_wish(&self) -> Wish {
        let mut inner = self.lock();
        while inner.wish.number == inner.settled.number {
            inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        inner.wish.clone()
    }

    /// What is to be run, checked as it is now, as Connect does at each start: a password may have been changed, or have
    /// come, since it was looked at last.
    fn check(&self, wish: &Wish, worker: &WorkerConfig) -> Result<Arc<ConnectorConfig>, Failure> {
        let plan = Arc::new(wish.plan.again(&self.name, worker));
        let mut inner = self.lock();
        if Arc::ptr_eq(&inner.wish.plan, &wish.plan) {
            inner.wish.plan = plan.clone();
        }
        plan.checked.clone()
    }

    /// Notes what was made of a wish. A later one is seen at once.
    fn settle(&self, number: u64, pipeline: Option<&PipelineHandle>, failure: Option<Failure>) {
        let mut inner = self.lock();
        let settled = &mut inner.settled;
        settled.number = number;
        settled.since_ms = clock::now_ms();
        settled.hangs = None;
        settled.has_pipeline = pipeline.is_some();
        match (pipeline, failure) {
            (Some(pipeline), _) => {
                settled.board = pipeline.board().clone();
                settled.topics.extend(settled.metrics.active_topics.all());
                settled.metrics = pipeline.metrics().clone();
            }
            (None, Some(failure)) => {
                settled.board = Arc::new(StatusBoard::new());
                settled.board.failed(failure);
            }
            (None, None) => settled.board = Arc::new(StatusBoard::new()),
        }
    }
}

/// A configuration for other eyes: variables unresolved, as Connect shows them, and secrets masked.
pub(super) fn shown(written: &Properties) -> Properties {
    let show = |(name, value): (&String, &String)| {
        let hidden = secret::is_sensitive(name) && !is_variable(value);
        (name.clone(), if hidden { secret::MASK.to_owned() } else { value.clone() })
    };
    written.iter().map(show).collect()
}

/// Whether a value is one variable and nothing else: `${provider:path:key}`. A password may hold the same letters.
fn is_variable(value: &str) -> bool {
    let inside = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| inside.contains(':') && !inside.contains(['{', '}']))
}

/// Says that a thread has ended, however it ended.
pub(super) struct Ended(pub(super) Stop);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// The thread of a connector: until it is gone. `before`: one of the same name that may not have ended yet.
pub(super) fn keep(connector: &Connector, before: Option<Arc<Connector>>, start: &Start, worker: &Arc<WorkerConfig>) {
    let _ended = Ended(connector.ended.clone());
    if let Some(before) = before {
        while !before.ended.wait(Duration::from_secs(1)) {}
    }
    let mut pipeline: Option<PipelineHandle> = None;
    loop {
        let wish = connector.next_wish();
        if let Some(running) = pipeline.take() {
            end(connector, running, wish.end(), worker);
        }
        // It took a while, and another wish may have come meanwhile.
        if connector.lock().wish.number != wish.number {
            continue;
        }
        if wish.gone {
            return;
        }
        let began = match (&wish.barred, wish.target) {
            (Some(_), _) | (None, TargetState::Paused | TargetState::Stopped) => Ok(None),
            (None, TargetState::Started) => begin(connector, &wish, start, worker).map(Some),
        };
        let failure = match began {
            Ok(handle) => {
                pipeline = handle;
                None
            }
            Err(failure) => {
                tracing::error!(connector = connector.name, code = %failure.code, reason = %failure.message, hint = failure.code.hint, "connector could not be started");
                Some(failure)
            }
        };
        connector.settle(wish.number, pipeline.as_ref(), failure);
    }
}

fn begin(
    connector: &Connector,
    wish: &Wish,
    start: &Start,
    worker: &Arc<WorkerConfig>,
) -> Result<PipelineHandle, Failure> {
    let begun = || start(&*connector.check(wish, worker)?, worker);
    std::panic::catch_unwind(AssertUnwindSafe(begun)).unwrap_or_else(|_| {
        Err(Failure { code: &PANICKED, message: "building the connector panicked; the log says where".to_owned() })
    })
}

/// Drains and ends a pipeline, however long it takes: nothing may begin beside it.
fn end(connector: &Connector, mut pipeline: PipelineHandle, why: &'static str, worker: &WorkerConfig) {
    pipeline.stop_because(why);
    let patience = Stop::new();
    let deadline = clock::moment() + worker.shutdown_timeout + END_GRACE;
    let mut said = false;
    while !pipeline.is_finished() {
        patience.wait(LOOK_INTERVAL);
        if !said && clock::left_until(deadline).is_none() {
            said = true;
            let message = "was asked to end and has not; it is not begun again before it has".to_owned();
            tracing::error!(connector = pipeline.name(), code = %NOT_ENDED, "{message}");
            connector.lock().settled.hangs = Some(Failure { code: &NOT_ENDED, message });
        }
    }
    pipeline.join();
}
