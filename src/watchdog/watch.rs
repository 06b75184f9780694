//! The watchdog's thread: looks, judges, speaks, acts; ten times a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::action::{self, Action, Bounds, Done};
use super::error::WatchdogError;
use super::observer::{Ages, Observer};
use super::recorder::Recorder;
use super::verdict::{Deadlines, Observations, Verdict};
use super::words;
use crate::error::Failure;
use crate::observe::flow::{self, Flow, Hop};
use crate::observe::incident::Incident;
use crate::observe::metrics::ConnectorMetrics;
use crate::pipeline::orders::Orders;
use crate::pipeline::status::{Part, StatusBoard};
use crate::pipeline::supervise::Handle;
use crate::util::{clock, stop::Stop};

/// How often it looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How long a good verdict must last before an incident is over, where nothing has flowed that would prove it.
const PROOF: Duration = Duration::from_secs(1);

/// Lines of evidence and of actions that an incident may have.
const LINES: usize = 40;

/// What one watchdog is told.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// When something counts as stuck.
    pub deadlines: Deadlines,
    /// What is done then.
    pub bounds: Bounds,
}

/// Starts the watchdog of a pipeline. It ends with the pipeline's supervisor.
///
/// # Errors
/// When its thread cannot be started.
pub fn watch(pipeline: &Handle, options: WatchOptions, recorder: Recorder) -> Result<(), Failure> {
    let mut watchdog = Watchdog {
        name: pipeline.name().to_owned(),
        metrics: pipeline.metrics().clone(),
        board: pipeline.board().clone(),
        orders: pipeline.orders().clone(),
        options,
        recorder,
        observer: Observer::new(clock::moment()),
        verdict: Verdict::Starting,
        since: clock::moment(),
        since_ms: clock::now_ms(),
        unheard: Duration::ZERO,
        lost: 0,
        open: None,
        count: 0,
    };
    let ended = pipeline.ended().clone();
    let run = move || watchdog.run(&ended);
    let spawned = std::thread::Builder::new().name(format!("watchdog-{}", pipeline.name())).spawn(run);
    spawned.map(drop).map_err(|error| {
        let thread = "watchdog".to_owned();
        crate::pipeline::error::PipelineError::Spawn { thread, message: error.to_string() }.into()
    })
}

/// An incident that is not over.
struct Open {
    incident: Incident,
    began: Instant,
    /// When it was noticed or something was done about it.
    last: Instant,
    done: Done,
    /// Changes that were read and records acknowledged when the verdict was bad the last time.
    proof: (u64, u64),
    given_up_before: u64,
    said: Verdict,
    said_code: String,
}

struct Watchdog {
    name: String,
    metrics: Arc<ConnectorMetrics>,
    board: Arc<StatusBoard>,
    orders: Arc<Orders>,
    options: WatchOptions,
    recorder: Recorder,
    observer: Observer,
    verdict: Verdict,
    since: Instant,
    since_ms: i64,
    /// For how long the server had not been heard at the look before.
    unheard: Duration,
    /// Connections that had been lost at the look before.
    lost: u64,
    open: Option<Open>,
    count: u64,
}

impl Watchdog {
    fn run(&mut self, ended: &Stop) {
        while !ended.wait(LOOK_INTERVAL) {
            self.look();
        }
        // What it ended as: stopped, or refused.
        self.look();
    }

    fn look(&mut self) {
        let now = clock::moment();
        let (seen, ages) = self.observer.look(&self.metrics, &self.board, now);
        let verdict = seen.verdict(&self.options.deadlines);
        if std::mem::discriminant(&verdict) != std::mem::discriminant(&self.verdict) {
            (self.since, self.since_ms) = (now, clock::now_ms());
        }
        self.verdict = verdict;
        let because = words::because(&seen, verdict, self.metrics.ladder.head.behind_bytes.get());
        let lost = self.metrics.disconnects.get();
        if lost != std::mem::replace(&mut self.lost, lost) && verdict.is_good() && self.open.is_none() {
            // It was mended between two looks, and still it was.
            let words = "the connection to the database was lost, and made again in a moment";
            self.goes_on(&seen, Verdict::Recovering(Part::Source), words, now);
        }
        if verdict.is_incident() {
            self.goes_on(&seen, verdict, &because, now);
        } else if self.open.is_some() {
            self.may_be_over(verdict, now);
        }
        self.unheard = seen.unheard;
        self.say(&seen, ages, verdict, because, now);
    }

    fn proof(&self) -> (u64, u64) {
        (self.metrics.ladder.changes.get(), self.metrics.records_acknowledged.get())
    }

    /// An incident begins, or goes on.
    fn goes_on(&mut self, seen: &Observations, verdict: Verdict, because: &str, now: Instant) {
        let found = match WatchdogError::of(verdict, because) {
            Some(error) => Some(Failure::from(error)),
            None => self.board.read().failure,
        };
        let code = found.as_ref().map(|failure| failure.code.to_string()).unwrap_or_default();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin(seen, verdict, &code, now),
        };
        open.proof = self.proof();
        if verdict != open.said || code != open.said_code {
            let after = now.saturating_duration_since(open.began).as_secs_f64();
            let words = match (&found, WatchdogError::of(verdict, "")) {
                (Some(failure), None) => failure.to_string(),
                (Some(_) | None, _) => because.to_owned(),
            };
            add_line(&mut open.incident.evidence, format!("+{after:.1} s {}: {words}", verdict.name()));
            let first = open.said == Verdict::Starting;
            (open.said, open.said_code) = (verdict, code);
            if first {
                self.announce(&open.incident);
            } else {
                self.metrics.flow.note(&open.incident);
            }
        }
        open.done.since_last = now.saturating_duration_since(open.last);
        let next = action::next(verdict, open.done, &self.options.bounds);
        if let Some((action, Duration::ZERO)) = next {
            self.act(action, &mut open, found.as_ref(), now);
        }
        if let (Some(failure), Some(_)) = (found, WatchdogError::of(verdict, "")) {
            let attempt = open.done.renewals + open.done.restarts;
            let delay = next.map_or(Duration::ZERO, |(_, delay)| delay);
            self.board.watched(Some((failure, attempt.max(1), delay)));
        }
        self.open = Some(open);
    }

    fn begin(&mut self, seen: &Observations, verdict: Verdict, code: &str, now: Instant) -> Open {
        self.count += 1;
        let onset = if matches!(verdict, Verdict::Recovering(_)) {
            // The reader noticed it by itself, by a silence that had lasted when we looked before.
            self.unheard
        } else {
            words::onset(seen, verdict)
        };
        let millis = i64::try_from(onset.as_millis()).unwrap_or(i64::MAX);
        let began_ms = clock::now_ms().saturating_sub(millis);
        let incident = Incident {
            id: format!("{}-{began_ms}-{}", self.name, self.count),
            connector: self.name.clone(),
            verdict: verdict.name().to_owned(),
            code: code.to_owned(),
            evidence: Vec::new(),
            began_ms,
            noticed_after_ms: millis,
            lasted_ms: None,
            stored_before: self.metrics.stored_position.get(),
            stored_after: String::new(),
            actions: Vec::new(),
            replayed: 0,
        };
        Open {
            incident,
            began: now.checked_sub(onset).unwrap_or(now),
            last: now,
            done: Done::default(),
            proof: (0, 0),
            given_up_before: self.metrics.ladder.given_up.get(),
            said: Verdict::Starting,
            said_code: String::new(),
        }
    }

    fn announce(&self, incident: &Incident) {
        tracing::warn!(
            connector = self.name,
            incident = incident.id,
            verdict = incident.verdict,
            code = incident.code,
            evidence = incident.evidence.first().map(String::as_str).unwrap_or_default(),
            noticed_after_ms = incident.noticed_after_ms,
            stored_position = incident.stored_before,
            "incident: changes do not flow"
        );
        self.metrics.flow.note(incident);
        self.recorder.record(incident);
    }

    fn act(&self, action: Action, open: &mut Open, because: Option<&Failure>, now: Instant) {
        let Some(because) = because else { return };
        let after = now.saturating_duration_since(open.began).as_secs_f64();
        add_line(&mut open.incident.actions, format!("+{after:.1} s {}", action.words()));
        open.last = now;
        match action {
            Action::RenewSource => {
                open.done.renewals += 1;
                self.orders.renew_source.give(because.clone());
            }
            Action::RestartPipeline => {
                open.done.restarts += 1;
                self.orders.restart.give(because.clone());
            }
            Action::GiveUp => {
                open.done.given_up = true;
                flow::give_up();
                self.recorder.record(&open.incident);
            }
        }
        tracing::warn!(connector = self.name, incident = open.incident.id, reason = %because, action = action.words(), "watchdog acts");
        self.metrics.flow.note(&open.incident);
    }

    /// The verdict is not one of an incident. It is over when changes were seen to flow since, or when it stays so.
    fn may_be_over(&mut self, verdict: Verdict, now: Instant) {
        let Some(mut open) = self.open.take() else { return };
        let ended = verdict == Verdict::Stopped;
        let proven = self.proof() != open.proof || now.saturating_duration_since(self.since) >= PROOF;
        let over = ended || (verdict.is_good() && proven);
        if !over {
            self.open = Some(open);
            return;
        }
        self.board.watched(None);
        let lasted = now.saturating_duration_since(open.began);
        let incident = &mut open.incident;
        incident.lasted_ms = Some(i64::try_from(lasted.as_millis()).unwrap_or(i64::MAX));
        incident.stored_after = self.metrics.stored_position.get();
        incident.replayed = self.metrics.ladder.given_up.get().saturating_sub(open.given_up_before);
        let end = if ended { "the connector was stopped" } else { "changes flow again" };
        add_line(&mut incident.evidence, format!("+{:.1} s {}: {end}", lasted.as_secs_f64(), verdict.name()));
        tracing::info!(
            connector = self.name,
            incident = incident.id,
            verdict = incident.verdict,
            lasted_ms = incident.lasted_ms,
            actions = incident.actions.len(),
            records_replayed = incident.replayed,
            stored_position = incident.stored_after,
            "incident over: {end}"
        );
        self.metrics.flow.note(incident);
        self.recorder.record(incident);
    }

    fn say(&self, seen: &Observations, ages: Ages, verdict: Verdict, because: String, now: Instant) {
        let stalled = self.open.as_ref().map_or(Duration::ZERO, |open| now.saturating_duration_since(open.began));
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let head = &self.metrics.ladder.head;
        self.metrics.flow.say(Flow {
            verdict: verdict.name(),
            proven: verdict.is_good() && self.open.is_none(),
            since_ms: self.since_ms,
            because,
            stalled_ms: millis(stalled),
            hops: hops(&self.metrics, seen, ages),
            head: head.position.get(),
            head_behind_bytes: head.behind_bytes.get(),
            incidents: self.count,
        });
    }
}

fn add_line(lines: &mut Vec<String>, line: String) {
    if lines.len() >= LINES {
        // The beginning and the end tell most.
        lines.remove(LINES / 2);
    }
    lines.push(line);
}

/// The rungs, from the server's head to what is stored.
fn hops(metrics: &ConnectorMetrics, seen: &Observations, ages: Ages) -> Vec<Hop> {
    let ladder = &metrics.ladder;
    let hop = |name, count, unit, waiting, waiting_unit, behind: Duration| {
        let behind_ms = i64::try_from(behind.as_millis()).unwrap_or(i64::MAX);
        Hop { name, count, unit, waiting, waiting_unit, behind_ms }
    };
    let unstored = ladder.settled.get().saturating_sub(ladder.stored.get());
    vec![
        hop(
            "received",
            metrics.bytes_read.get(),
            "bytes",
            u64::try_from(ladder.head.behind_bytes.get()).ok(),
            "bytes",
            ages.received,
        ),
        hop("decoded", ladder.changes.get(), "changes", Some(seen.reader.waiting), "batches", seen.reader.still),
        hop("encoded", metrics.encoders.items().1, "records", Some(seen.encoders.waiting), "batches", ages.encoded),
        hop("produced", metrics.records_sent.get(), "records", Some(seen.producer.waiting), "batches", ages.produced),
        hop(
            "acknowledged",
            metrics.records_acknowledged.get(),
            "records",
            Some(seen.in_flight),
            "records",
            ages.settled,
        ),
        hop("stored", metrics.commits.get(), "positions", Some(unstored), "batches", ages.stored),
    ]
}
