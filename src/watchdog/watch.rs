//! The watchdog's thread: looks, judges, speaks, acts; ten times a second.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::action::{self, Action, Bounds, Done};
use super::error::WatchdogError;
use super::observer::{Ages, Observer};
use super::recorder::Recorder;
use super::verdict::{Deadlines, Head, Observations, Verdict};
use super::words;
use crate::error::Failure;
use crate::observe::flow::{self, Flow, Hop};
use crate::observe::incident::{FLOWS_AGAIN, Incident};
use crate::observe::metrics::ConnectorMetrics;
use crate::pipeline::orders::Orders;
use crate::pipeline::status::{Part, StatusBoard};
use crate::pipeline::supervise::Handle;
use crate::pipeline::thread;
use crate::util::{clock, stop::Stop};

/// How often it looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How long a good verdict must last before an incident is over that its own part has reported and taken back.
const PROOF: Duration = Duration::from_secs(1);

/// Deadlines of the verdict for which a good one must last where nothing comes that would prove it: what is stuck and has
/// work is noticed in one.
const UNPROVEN: u32 = 3;

/// For how long it is remembered what was done about a verdict, so that the next incident of it does not begin with what
/// did not help.
const REMEMBERED: Duration = Duration::from_secs(600);

/// How long it waits after a look that panicked, and between looks at a pipeline that has failed for good.
const LONG_INTERVAL: Duration = Duration::from_secs(1);

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
        remembered: None,
        late: Vec::new(),
        count: 0,
        head_unknown_since_ms: 0,
    };
    let (ended, released) = (pipeline.ended().clone(), pipeline.released().clone());
    let run = move || watchdog.run(&ended, &released);
    thread::spawn(&format!("watchdog-{}", pipeline.name()), run).map(drop)
}

/// An incident that is not over.
struct Open {
    incident: Incident,
    began: Instant,
    /// When it was noticed or something was done about it.
    last: Instant,
    done: Done,
    /// What was counted when the verdict was bad the last time.
    proof: Proof,
    /// When that was.
    bad_at: Instant,
    /// What the watchdog found itself, the last of it; `None` where a part has reported all of it.
    found: Option<Verdict>,
    given_up_before: u64,
    said: Verdict,
    said_code: String,
}

/// Counts whose growth proves that something flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Proof {
    changes: u64,
    turns: u64,
    acknowledged: u64,
    delivered: u64,
    commits: u64,
    markers: u64,
}

impl Proof {
    fn of(metrics: &ConnectorMetrics) -> Self {
        Proof {
            changes: metrics.ladder.changes.get(),
            turns: metrics.ladder.turns.get(),
            acknowledged: metrics.records_acknowledged.get(),
            delivered: metrics.ladder.delivered.get(),
            commits: metrics.commits.get(),
            markers: metrics.canary.returned.get(),
        }
    }
}

/// Whether an incident is over whose verdict has been good for `good`: only by what the verdict said was missing. A
/// pipeline that was built again reads again what was not acknowledged, so that changes prove nothing of the broker; and
/// comes again to where the stream stood, so that they prove something of the source only after a while.
fn is_over(
    found: Option<Verdict>,
    (before, after): (Proof, Proof),
    head: Head,
    good: Duration,
    deadlines: &Deadlines,
) -> bool {
    let Some(found) = found else { return before != after || good >= PROOF };
    let (proven, deadline) = match found {
        Verdict::BrokerStuck | Verdict::PipelineStuck(..) => {
            (after.acknowledged != before.acknowledged, deadlines.broker.max(deadlines.pipeline))
        }
        // Behind a pipeline that was built again the oldest batch may be another one, and come through.
        Verdict::DeliveryStuck => {
            let comes = after.delivered != before.delivered && good >= deadlines.broker.saturating_mul(2);
            (comes, deadlines.broker)
        }
        Verdict::CommitStuck => (after.commits != before.commits, deadlines.commit),
        Verdict::CanaryLost => (after.markers != before.markers, deadlines.canary.unwrap_or_default()),
        Verdict::SourceStuck => {
            let flows = after.changes != before.changes && good >= deadlines.source;
            (head == Head::Reached || flows, deadlines.source)
        }
        Verdict::SourceSilent => (after.turns != before.turns, deadlines.silence),
        Verdict::Starting
        | Verdict::Flowing
        | Verdict::Idle
        | Verdict::Quiet
        | Verdict::Stopped
        | Verdict::Recovering(_)
        | Verdict::Hung(_)
        | Verdict::Undead
        | Verdict::Refused => (before != after, PROOF),
    };
    proven || good >= deadline.saturating_mul(UNPROVEN)
}

/// What is logged of a look, after its word is said and its orders are given: a log that does not get on must hold up
/// neither.
enum Late {
    Began(Incident),
    Acted(String, Failure, Action),
    Over(Incident, Verdict),
}

impl Late {
    fn log(self, name: &str) {
        match self {
            Late::Began(incident) => tracing::warn!(
                connector = name,
                incident = incident.id,
                verdict = incident.verdict,
                code = incident.code,
                evidence = incident.evidence.first().map(String::as_str).unwrap_or_default(),
                noticed_after_ms = incident.noticed_after_ms,
                stored_position = incident.stored_before,
                "incident: changes do not flow"
            ),
            Late::Acted(incident, because, action) => {
                tracing::warn!(connector = name, incident, reason = %because, action = action.words(), "watchdog acts");
            }
            Late::Over(incident, verdict) => tracing::info!(
                connector = name,
                incident = incident.id,
                verdict = incident.verdict,
                now = verdict.name(),
                lasted_ms = incident.lasted_ms,
                actions = incident.actions.len(),
                records_replayed = incident.replayed,
                stored_position = incident.stored_after,
                "incident over: {}",
                incident.end
            ),
        }
    }
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
    /// What was done about a verdict in an incident that is over, and when that was.
    remembered: Option<(Verdict, Done, Instant)>,
    late: Vec<Late>,
    count: u64,
    /// Since when it is not known where the server's log ends, in milliseconds since the epoch; 0 while it is.
    head_unknown_since_ms: i64,
}

impl Watchdog {
    fn run(&mut self, ended: &Stop, released: &Stop) {
        while !ended.wait(LOOK_INTERVAL) {
            self.guarded(ended, Watchdog::look);
        }
        // What it ended as: stopped, or refused.
        self.guarded(released, Watchdog::look);
        // What was refused lasts until a person has it begun again or taken away.
        while self.open.is_some() && !released.wait(LONG_INTERVAL) {
            self.guarded(released, Watchdog::look);
        }
        self.guarded(released, Watchdog::leave);
    }

    /// A panic here must not leave a pipeline without its watchdog. Until it has looked again its last word grows old,
    /// and who reads it sees that.
    fn guarded(&mut self, end: &Stop, what: impl FnOnce(&mut Watchdog)) {
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
            what(self);
            for late in self.late.split_off(0) {
                late.log(&self.name);
            }
        }));
        if result.is_err() {
            end.wait(LONG_INTERVAL);
        }
    }

    /// The pipeline is taken away.
    fn leave(&mut self) {
        let Some(open) = self.open.take() else { return };
        let now = clock::moment();
        let end = self.orders.end.get().copied().unwrap_or("the failed connector was ended");
        self.close(open, Verdict::Stopped, end, now);
        (self.since, self.since_ms) = (now, clock::now_ms());
        let (seen, ages) = self.observer.look(&self.metrics, &self.board, now);
        let because = words::because(&seen, Verdict::Stopped, &self.metrics);
        self.say(&seen, ages, Verdict::Stopped, because, now);
    }

    fn look(&mut self) {
        let now = clock::moment();
        let (seen, ages) = self.observer.look(&self.metrics, &self.board, now);
        let verdict = seen.verdict(&self.options.deadlines);
        if std::mem::discriminant(&verdict) != std::mem::discriminant(&self.verdict) {
            (self.since, self.since_ms) = (now, clock::now_ms());
        }
        self.verdict = verdict;
        let because = words::because(&seen, verdict, &self.metrics);
        let lost = self.metrics.disconnects.get();
        if lost != std::mem::replace(&mut self.lost, lost) && verdict.is_good() && self.open.is_none() {
            // It was mended between two looks, and still it was.
            let words = "the connection to the database was lost, and made again in a moment";
            self.goes_on(&seen, Verdict::Recovering(Part::Source), words, now);
        }
        if verdict.is_incident() {
            self.goes_on(&seen, verdict, &because, now);
        } else if self.open.is_some() {
            self.may_be_over(verdict, seen.head, now);
        }
        self.unheard = seen.unheard;
        self.head_unknown_since_ms = match (seen.unknown.is_zero(), self.head_unknown_since_ms) {
            (true, _) => 0,
            (false, 0) => clock::now_ms(),
            (false, since) => since,
        };
        self.say(&seen, ages, verdict, because, now);
    }

    /// An incident begins, or goes on.
    fn goes_on(&mut self, seen: &Observations, verdict: Verdict, because: &str, now: Instant) {
        // What the watchdog finds itself, or what the part says that it has failed at.
        let own = WatchdogError::of(verdict, because).map(Failure::from);
        let is_own = own.is_some();
        let found = own.or_else(|| self.board.read().failure);
        let code = found.as_ref().map(|failure| failure.code.to_string()).unwrap_or_default();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin(seen, verdict, &code, now),
        };
        (open.proof, open.bad_at) = (Proof::of(&self.metrics), now);
        if is_own {
            self.recall(&mut open, verdict, now);
        }
        if verdict != open.said || code != open.said_code {
            let after = now.saturating_duration_since(open.began).as_secs_f64();
            let words = match &found {
                Some(failure) if !is_own => failure.to_string(),
                Some(_) | None => because.to_owned(),
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
        if let Some(failure) = found.filter(|_| is_own) {
            let attempt = open.done.renewals + open.done.restarts;
            let delay = next.map_or(Duration::ZERO, |(_, delay)| delay);
            self.board.watched(Some((failure, attempt.max(1), delay)));
        }
        self.open = Some(open);
    }

    /// The watchdog has found something itself. What was done about the same a while ago has not helped for long.
    fn recall(&self, open: &mut Open, verdict: Verdict, now: Instant) {
        let kind = std::mem::discriminant(&verdict);
        let is_new = open.found.is_none_or(|found| std::mem::discriminant(&found) != kind);
        open.found = Some(verdict);
        let untouched = open.done.renewals + open.done.restarts == 0;
        let Some((known, done, at)) = self.remembered.filter(|_| is_new && untouched) else { return };
        if std::mem::discriminant(&known) == kind && now.saturating_duration_since(at) < REMEMBERED {
            open.done = done;
        }
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
            end: "",
        };
        Open {
            incident,
            began: now.checked_sub(onset).unwrap_or(now),
            last: now,
            done: Done::default(),
            proof: Proof::default(),
            bad_at: now,
            found: None,
            given_up_before: self.metrics.ladder.given_up.get(),
            said: Verdict::Starting,
            said_code: String::new(),
        }
    }

    fn announce(&mut self, incident: &Incident) {
        self.metrics.flow.note(incident);
        self.recorder.record(incident);
        self.late.push(Late::Began(incident.clone()));
    }

    fn act(&mut self, action: Action, open: &mut Open, because: Option<&Failure>, now: Instant) {
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
        self.metrics.flow.note(&open.incident);
        self.late.push(Late::Acted(open.incident.id.clone(), because.clone(), action));
    }

    /// The verdict is not one of an incident. It is over when what was missing is proven to come.
    fn may_be_over(&mut self, verdict: Verdict, head: Head, now: Instant) {
        if verdict.is_good() {
            // An order that was not taken yet would drop a connection that works.
            self.orders.renew_source.take();
        }
        let Some(open) = self.open.take() else { return };
        let ended = verdict == Verdict::Stopped;
        let good = now.saturating_duration_since(open.bad_at);
        let proofs = (open.proof, Proof::of(&self.metrics));
        if ended || (verdict.is_good() && is_over(open.found, proofs, head, good, &self.options.deadlines)) {
            let asked = || self.orders.end.get().copied().unwrap_or("the connector was stopped");
            let end = if ended { asked() } else { FLOWS_AGAIN };
            self.close(open, verdict, end, now);
        } else {
            self.open = Some(open);
        }
    }

    fn close(&mut self, mut open: Open, verdict: Verdict, end: &'static str, now: Instant) {
        if let Some(found) = open.found.filter(|_| open.done.renewals + open.done.restarts > 0) {
            self.remembered = Some((found, open.done, now));
        }
        self.board.watched(None);
        let lasted = now.saturating_duration_since(open.began);
        let incident = &mut open.incident;
        incident.lasted_ms = Some(i64::try_from(lasted.as_millis()).unwrap_or(i64::MAX));
        incident.stored_after = self.metrics.stored_position.get();
        incident.replayed = self.metrics.ladder.given_up.get().saturating_sub(open.given_up_before);
        incident.end = end;
        add_line(&mut incident.evidence, format!("+{:.1} s {}: {end}", lasted.as_secs_f64(), verdict.name()));
        self.metrics.flow.note(incident);
        self.recorder.record(incident);
        self.late.push(Late::Over(open.incident, verdict));
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
            head_behind_bytes: if seen.head == Head::Unknown { -1 } else { head.behind_bytes.get() },
            head_unknown_since_ms: self.head_unknown_since_ms,
            incidents: self.count,
            said: Some(now),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_over_by_what_was_missing_and_by_nothing_else() {
        let seconds = Duration::from_secs;
        let five = seconds(5);
        let deadlines = Deadlines {
            silence: seconds(8),
            source: five,
            pipeline: five,
            broker: five,
            commit: seconds(65),
            store: five,
            exit: None,
            attempt: None,
            canary: Some(five),
        };
        let before = Proof { changes: 5, turns: 5, acknowledged: 5, delivered: 5, commits: 5, markers: 5 };
        let read_again = Proof { changes: 9, turns: 9, ..before };
        let acknowledged = Proof { acknowledged: 6, ..before };
        let committed = Proof { commits: 6, ..before };
        let check = |found, after, head, good, expected| {
            let over = is_over(found, (before, after), head, seconds(good), &deadlines);
            assert_eq!(over, expected, "{found:?} {after:?} {head:?} good for {good} s");
        };
        let broker = Some(Verdict::BrokerStuck);
        check(broker, read_again, Head::Reached, 4, false);
        check(broker, acknowledged, Head::Unknown, 0, true);
        check(broker, before, Head::Reached, 15, true);
        let commit = Some(Verdict::CommitStuck);
        check(commit, acknowledged, Head::Reached, 60, false);
        check(commit, committed, Head::Unknown, 0, true);
        let delivery = Some(Verdict::DeliveryStuck);
        check(delivery, acknowledged, Head::Reached, 14, false);
        check(delivery, Proof { delivered: 6, ..acknowledged }, Head::Reached, 9, false);
        check(delivery, Proof { delivered: 6, ..acknowledged }, Head::Reached, 10, true);
        let canary = Some(Verdict::CanaryLost);
        check(canary, acknowledged, Head::Reached, 14, false);
        check(canary, Proof { markers: 6, ..before }, Head::Unknown, 0, true);
        let source = Some(Verdict::SourceStuck);
        check(source, read_again, Head::Unknown, 1, false);
        check(source, read_again, Head::Unknown, 5, true);
        check(source, before, Head::Unknown, 5, false);
        check(source, before, Head::Reached, 0, true);
        check(Some(Verdict::SourceSilent), before, Head::Unknown, 1, false);
        check(None, before, Head::Unknown, 0, false);
        check(None, before, Head::Unknown, 1, true);
    }
}
