//! The observer: from counters that only grow to how long each has stood still.
//!
//! In: a connector's numbers and status board, looked at a few times a second. Out: [`Observations`]. Promised: every time
//! in them was measured here, on a clock that only goes forward, from when a count was *seen* to move; no stage is asked
//! for a time and none is waited for. A look that comes much too late (a machine that slept, a process that was stopped)
//! begins all measurements again: nobody is blamed for what nobody could do. But only a few times in a minute: on a machine
//! that is starved nothing would ever be noticed.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::verdict::{Canary, Head, Observations, Seen};
use crate::observe::ladder::HeadCell;
use crate::observe::markers::{Markers, Stage};
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::Activity;
use crate::pipeline::status::{State, StatusBoard, Trying};

/// A look that comes this much after the one before was held up by the machine.
const SLEPT: Duration = Duration::from_secs(2);

/// Late looks that begin all measurements again, in so long.
const EXCUSES: u32 = 3;
const EXCUSED_WITHIN: Duration = Duration::from_secs(60);

/// Bytes that a server sends while it has nothing to say, between two answers of the prober: heartbeats and keep-alives.
/// More than that is an event on its way, however long it takes.
const SMALL_TALK_BYTES: u64 = 4096;

/// Bytes that come beside an event's own: those of events before it in its batch, of TLS, of the protocol; and an eighth of
/// the event.
const BESIDE_BYTES: u64 = 1 << 20;

/// After so many intervals without an answer, what the server said of its head is not known any more.
const INTERVALS: u32 = 5;

/// But not before this.
const OLD_ANSWER: Duration = Duration::from_secs(10);

/// For how long the reader may ask the server something inside a read before it counts as silent all the same: beyond
/// the usual `database.query.timeout.ms`.
const ASKING_LIMIT: Duration = Duration::from_secs(660);

/// What is sent within this time was sent together.
const TOGETHER: Duration = Duration::from_secs(1);

/// Moments kept of one hop.
const MOMENTS: usize = 512;

/// A count, and when it was last seen to move or to have no reason to.
#[derive(Clone, Copy, Debug)]
struct Moving {
    count: u64,
    since: Instant,
}

impl Moving {
    fn new(now: Instant) -> Self {
        Moving { count: 0, since: now }
    }

    /// Looks at the count. `excused`: it has no reason to move.
    fn look(&mut self, count: u64, excused: bool, now: Instant) -> Duration {
        if excused || count != self.count {
            (self.count, self.since) = (count, now);
        }
        now.saturating_duration_since(self.since)
    }
}

/// How long the oldest of what waits before a rung has waited: moments at which the rung before it was seen to have come
/// so far.
#[derive(Clone, Debug, Default)]
struct Age {
    moments: VecDeque<(Instant, u64)>,
}

impl Age {
    fn look(&mut self, before: u64, after: u64, now: Instant) -> Duration {
        if self.moments.back().is_none_or(|(_, count)| before > *count) && before > after {
            let full = self.moments.len() >= MOMENTS;
            match self.moments.back_mut() {
                // Full: what comes is counted to the last moment, which makes the age longer and never shorter.
                Some((_, count)) if full => *count = before,
                Some(_) | None => self.moments.push_back((now, before)),
            }
        }
        while self.moments.front().is_some_and(|(_, count)| *count <= after) {
            self.moments.pop_front();
        }
        self.moments.front().map_or(Duration::ZERO, |(moment, _)| now.saturating_duration_since(*moment))
    }
}

/// How long what waits at each hop has waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// For the encoders.
    pub encoded: Duration,
    /// For the producer.
    pub produced: Duration,
    /// For the broker's acknowledgement.
    pub settled: Duration,
    /// To be stored.
    pub stored: Duration,
    /// For the reader: since the stream was last where the head was.
    pub received: Duration,
}

/// The observer of one connector.
#[derive(Debug)]
pub struct Observer {
    looked_at: Instant,
    /// Late looks that were excused, and since when they are counted.
    excused: (u32, Instant),
    heard: Moving,
    changes: Moving,
    entered: Moving,
    encoded: Moving,
    produced: Moving,
    acknowledged: Moving,
    front: Moving,
    /// What had been sent when the front moved last, or together with it.
    sent_before: u64,
    stored: Moving,
    storing: Moving,
    ending: Moving,
    attempting: Moving,
    marker: Moving,
    answers: Moving,
    /// Since the answer before was known, or since this began.
    known: Instant,
    alive: u64,
    /// For how long, as of answers, the stream has not got on. The time of unanswered questions does not count.
    still: Duration,
    asking: Moving,
    answered_bytes: u64,
    /// While bytes come and nothing comes of them: how many had come before, and how far the head was ahead then.
    coming: Option<(u64, u64)>,
    renewals: u64,
    reached: Instant,
    ages: [Age; 4],
}

impl Observer {
    /// An observer that has seen nothing.
    pub fn new(now: Instant) -> Self {
        let moving = || Moving::new(now);
        Observer {
            looked_at: now,
            excused: (0, now),
            heard: moving(),
            changes: moving(),
            entered: moving(),
            encoded: moving(),
            produced: moving(),
            acknowledged: moving(),
            front: moving(),
            sent_before: 0,
            stored: moving(),
            storing: moving(),
            ending: moving(),
            attempting: moving(),
            marker: moving(),
            answers: moving(),
            known: now,
            alive: 0,
            still: Duration::ZERO,
            asking: moving(),
            answered_bytes: 0,
            coming: None,
            renewals: 0,
            reached: now,
            ages: Default::default(),
        }
    }

    /// Begins all measurements again.
    fn wake(&mut self, now: Instant) {
        for moving in [
            &mut self.heard,
            &mut self.changes,
            &mut self.entered,
            &mut self.encoded,
            &mut self.produced,
            &mut self.acknowledged,
            &mut self.front,
            &mut self.stored,
            &mut self.storing,
            &mut self.ending,
            &mut self.attempting,
            &mut self.marker,
            &mut self.answers,
            &mut self.asking,
        ] {
            moving.since = now;
        }
        self.still = Duration::ZERO;
        self.ages = Default::default();
        self.reached = now;
    }

    /// Whether a look that comes late begins all measurements again.
    fn is_excused(&mut self, now: Instant) -> bool {
        let (count, since) = self.excused;
        self.excused = match now.saturating_duration_since(since) > EXCUSED_WITHIN {
            true => (1, now),
            false => (count.saturating_add(1), since),
        };
        self.excused.0 <= EXCUSES
    }

    /// Looks at a connector.
    pub fn look(&mut self, metrics: &ConnectorMetrics, board: &StatusBoard, now: Instant) -> (Observations, Ages) {
        if now.saturating_duration_since(self.looked_at) > SLEPT && self.is_excused(now) {
            self.wake(now);
        }
        self.looked_at = now;
        let ladder = &metrics.ladder;
        let (entered, encoded, produced) = (ladder.entered.get(), ladder.encoded.get(), ladder.produced.get());
        let (settled, stored) = (ladder.settled.get(), ladder.stored.get());
        let [reader, encoders, producer, committer] =
            [&metrics.reader, &metrics.encoders, &metrics.producer, &metrics.committer].map(|pulse| pulse.activity());
        let heard = ladder.turns.get().wrapping_add(ladder.heard());
        let asks = ladder.asks();
        let asks = self.asking.look(0, !asks, now) < ASKING_LIMIT && asks;
        let listens = matches!(reader, Activity::BlockedOnSource | Activity::Working)
            && !asks
            && metrics.connected.load(Ordering::Relaxed);
        let acknowledged = metrics.records_acknowledged.get();
        // Not what was sent less what was acknowledged: a record that was left out is never acknowledged.
        let in_flight = metrics.records_in_flight.get();
        let holds = reader.holds();
        let unheard = self.heard.look(heard, !listens, now);
        let unchanged = self.changes.look(ladder.changes.get(), holds || asks, now);
        if asks {
            self.still = Duration::ZERO;
        }
        let head = self.head(metrics, now);
        let steps = ladder.steps.load(Ordering::Relaxed);
        let seen = |activity, before: u64, after: u64, steps: u64, moving: &mut Moving| {
            let waiting = before.saturating_sub(after);
            Seen { activity, waiting, still: moving.look(after.wrapping_add(steps), waiting == 0, now) }
        };
        let reader_still = self.entered.look(entered, !holds, now);
        let unended = ladder.ending.get() > ladder.ended.get();
        let ending = self.ending.look(ladder.ending.get(), !unended, now);
        let (state, trying) = (board.read().state, board.trying());
        let observations = Observations {
            state,
            attempting: self.attempting(state, trying.as_ref(), steps, now),
            trouble: trying.map(|trying| trying.part),
            ending: unended.then_some(ending),
            unheard,
            unchanged,
            head,
            unknown: now.saturating_duration_since(self.known),
            reader: Seen { activity: reader, waiting: u64::from(holds), still: reader_still },
            encoders: seen(encoders, entered, encoded, steps, &mut self.encoded),
            producer: seen(producer, encoded, produced, 0, &mut self.produced),
            outstanding_bytes: u64::try_from(metrics.outstanding_bytes.get()).unwrap_or(0),
            in_flight,
            unacknowledged: self.acknowledged.look(acknowledged, in_flight == 0, now),
            overtaken: self.overtaken(produced, settled, ladder.furthest.get(), now),
            unstored: self.stored.look(stored, settled <= stored, now),
            storing: self.storing.look(metrics.commits.get(), committer != Activity::BlockedOnStore, now),
            canary: self.canary(&metrics.canary, now),
        };
        let [one, two, three, four] = &mut self.ages;
        let ages = Ages {
            encoded: one.look(entered, encoded, now),
            produced: two.look(encoded, produced, now),
            settled: three.look(produced, settled, now),
            stored: four.look(settled, stored, now),
            received: now.saturating_duration_since(self.reached),
        };
        (observations, ages)
    }

    /// For how long an attempt has not come back: since the last word of who makes it, beyond the wait that it announced.
    fn attempting(&mut self, state: State, trying: Option<&Trying>, steps: u64, now: Instant) -> Duration {
        let words = trying.map_or(0, |trying| trying.words);
        let makes_one = trying.is_some() || state == State::Unassigned;
        let since = self.attempting.look(words.wrapping_add(steps), !makes_one, now);
        since.saturating_sub(trying.map_or(Duration::ZERO, |trying| trying.delay))
    }

    /// For how long the oldest batch has been overtaken. One that was sent before it became the oldest proves nothing:
    /// brokers answer in any order. One that was sent later does.
    fn overtaken(&mut self, produced: u64, settled: u64, furthest: u64, now: Instant) -> Duration {
        let still = self.front.look(settled, produced <= settled, now);
        if still <= TOGETHER {
            self.sent_before = produced;
        }
        if furthest > self.sent_before { still } else { Duration::ZERO }
    }

    fn canary(&mut self, markers: &Markers, now: Instant) -> Canary {
        let (returned, stage) = (markers.returned.get(), markers.stage.get());
        // What is acknowledged has its time to be read from then on, however long it took to come.
        let moves = returned.wrapping_mul(2).wrapping_add(u64::from(stage == Stage::Unread));
        let time = self.marker.look(moves, stage == Stage::Home, now);
        match stage {
            Stage::Home => Canary::Home,
            Stage::InTheLog => Canary::InTheLog(time),
            Stage::UnderWay => Canary::UnderWay(time),
            Stage::Unread => Canary::Unread(time),
        }
    }

    /// Whether what comes may be one event that is long. It was in the log, whole, when its first byte was sent: where more
    /// comes than the head was ahead by then, it is none, but a length that is garbage and swallows all that follows.
    fn may_be_an_event(&mut self, head: &HeadCell, heard: u64) -> bool {
        let Ok(ahead) = u64::try_from(head.behind_bytes.get()) else { return true };
        let (before, longest) = *self.coming.get_or_insert((self.answered_bytes.min(heard), ahead));
        let most = longest.saturating_add(longest / 8).saturating_add(BESIDE_BYTES);
        !head.sent_as_kept.load(Ordering::Relaxed) || heard.wrapping_sub(before) <= most
    }

    /// Where the head is. It is ahead only as of an answer, so that a server which does not answer accuses nobody.
    fn head(&mut self, metrics: &ConnectorMetrics, now: Instant) -> Head {
        let head = &metrics.ladder.head;
        let heard = metrics.ladder.heard();
        let answers = head.answers.get();
        let behind = head.behind_bytes.get();
        let interval = Duration::from_millis(u64::try_from(head.interval_ms.get()).unwrap_or(0));
        if answers != self.answers.count {
            let alive = head.alive.get();
            let renewals = metrics.ladder.renewals.get();
            let begins = heard < self.answered_bytes || renewals != std::mem::replace(&mut self.renewals, renewals);
            if begins || alive != self.alive || self.changes.since > self.answers.since {
                self.coming = None;
            }
            let talks = heard.wrapping_sub(self.answered_bytes) > SMALL_TALK_BYTES;
            if alive != self.alive || (talks && self.may_be_an_event(head, heard)) {
                self.still = Duration::ZERO;
            } else {
                let gap = now.saturating_duration_since(self.answers.since);
                self.still += gap.min(interval.saturating_mul(2).max(SLEPT));
            }
            (self.alive, self.answered_bytes) = (alive, heard);
        }
        let age = self.answers.look(answers, false, now);
        let head = match behind {
            ..0 => Head::Unknown,
            0.. if age > interval.saturating_mul(INTERVALS).max(OLD_ANSWER) => Head::Unknown,
            0 => Head::Reached,
            1.. => Head::Ahead(self.still),
        };
        if head != Head::Unknown {
            self.known = now;
        }
        if !matches!(head, Head::Ahead(_)) {
            self.reached = now;
        }
        head
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Failure;
    use crate::pipeline::error::PipelineError;
    use crate::pipeline::status::Part;
    use crate::watchdog::verdict::{Deadlines, Verdict};

    const TICK: Duration = Duration::from_millis(500);

    fn deadlines() -> Deadlines {
        let five = Duration::from_secs(5);
        Deadlines {
            silence: Duration::from_secs(8),
            source: five,
            pipeline: five,
            broker: five,
            commit: Duration::from_secs(65),
            store: five,
            exit: Some(Duration::from_secs(30)),
            attempt: Some(Duration::from_secs(60)),
            canary: Some(Duration::from_secs(30)),
        }
    }

    struct Scene {
        metrics: ConnectorMetrics,
        board: StatusBoard,
        observer: Observer,
        now: Instant,
    }

    impl Scene {
        fn new() -> Self {
            let now = crate::util::clock::moment();
            let (metrics, board) = (ConnectorMetrics::new(), StatusBoard::new());
            board.heard();
            metrics.connected.store(true, Ordering::Relaxed);
            metrics.reader.set(Activity::BlockedOnSource);
            Scene { metrics, board, observer: Observer::new(now), now }
        }

        fn tick(&mut self) -> Verdict {
            self.now += TICK;
            self.observer.look(&self.metrics, &self.board, self.now).0.verdict(&deadlines())
        }

        /// So many seconds, with what happens at each tick; the verdict at the end, and when it was an incident first.
        fn run(&mut self, seconds: u64, each: impl Fn(&ConnectorMetrics, u64)) -> (Verdict, Option<Duration>) {
            let (mut first, mut last) = (None, Verdict::Starting);
            for tick in 0..seconds * 2 {
                each(&self.metrics, tick);
                last = self.tick();
                if last.is_incident() && first.is_none() {
                    first = Some(TICK * u32::try_from(tick + 1).unwrap_or(u32::MAX));
                }
            }
            (last, first)
        }
    }

    /// A heartbeat, and an answer about the head.
    fn alive(metrics: &ConnectorMetrics, behind: i64) {
        metrics.ladder.turns.add(1);
        metrics.ladder.head.behind_bytes.set(behind);
        if behind == 0 {
            metrics.ladder.head.alive.add(1);
        }
        metrics.ladder.head.answers.add(1);
    }

    #[test]
    fn a_day_of_idleness_is_no_incident() {
        let mut scene = Scene::new();
        assert_eq!(scene.run(86_400, |metrics, _| alive(metrics, 0)), (Verdict::Idle, None));
        assert_eq!(scene.board.read().state, State::Running);
    }

    #[test]
    fn an_hour_of_trickle_is_no_incident() {
        let mut scene = Scene::new();
        let trickle = |metrics: &ConnectorMetrics, tick: u64| {
            // A change every ten seconds, which takes a tick for each stage; the position is stored every minute.
            let ladder = &metrics.ladder;
            match tick % 20 {
                0 => {
                    ladder.changes.add(1);
                    ladder.entered.add(1);
                }
                1 => ladder.encoded.add(1),
                2 => {
                    metrics.records_in_flight.set(1);
                    ladder.produced.add(1);
                }
                3 => {
                    metrics.records_in_flight.set(0);
                    metrics.records_acknowledged.add(1);
                    ladder.settled.add(1);
                }
                _ => {}
            }
            if tick % 120 == 119 {
                ladder.stored.set(ladder.settled.get());
            }
            alive(metrics, if tick % 20 == 19 { 100 } else { 0 });
        };
        let (_, first) = scene.run(3600, trickle);
        assert_eq!(first, None);
    }

    #[test]
    fn what_stands_still_is_noticed_at_its_deadline() {
        let check = |each: &dyn Fn(&ConnectorMetrics, u64), verdict: Verdict, within: u64| {
            let mut scene = Scene::new();
            scene.run(60, |metrics, _| alive(metrics, 0));
            let (found, first) = scene.run(120, each);
            assert_eq!(found, verdict);
            let limit = Duration::from_secs(within) + 2 * TICK;
            assert!(first.is_some_and(|first| first <= limit), "{verdict:?} was noticed after {first:?}");
        };
        check(&|metrics, _| alive(metrics, 4_000), Verdict::SourceStuck, 5);
        check(&|_, _| {}, Verdict::SourceSilent, 8);
        let sent = |metrics: &ConnectorMetrics, tick: u64| {
            alive(metrics, 0);
            metrics.records_in_flight.add(u64::from(tick == 0));
        };
        check(&sent, Verdict::BrokerStuck, 5);
        let entered = |metrics: &ConnectorMetrics, tick: u64| {
            alive(metrics, 0);
            metrics.ladder.entered.add(u64::from(tick == 0));
        };
        let stuck = Verdict::PipelineStuck(crate::watchdog::verdict::Stage::Encoders, Activity::Stopped);
        check(&entered, stuck, 5);
        let settled = |metrics: &ConnectorMetrics, _: u64| {
            alive(metrics, 0);
            metrics.ladder.settled.add(1);
        };
        check(&settled, Verdict::CommitStuck, 65);
        let ending = |metrics: &ConnectorMetrics, tick: u64| {
            alive(metrics, 0);
            metrics.ladder.ending.add(u64::from(tick == 0));
        };
        check(&ending, Verdict::Undead, 30);
        // One partition is without a leader: batches go on behind the one that waits for it.
        let hole = |metrics: &ConnectorMetrics, tick: u64| {
            send(metrics, tick);
            metrics.ladder.furthest.set(metrics.ladder.produced.get());
            metrics.records_acknowledged.add(1);
        };
        check(&hole, Verdict::DeliveryStuck, 5);
        let marker = |metrics: &ConnectorMetrics, _: u64| {
            alive(metrics, 0);
            metrics.canary.stage.set(Stage::InTheLog);
        };
        check(&marker, Verdict::CanaryLost, 30);
    }

    /// A batch goes through, up to the broker.
    fn send(metrics: &ConnectorMetrics, _: u64) {
        alive(metrics, 0);
        for rung in
            [&metrics.ladder.changes, &metrics.ladder.entered, &metrics.ladder.encoded, &metrics.ladder.produced]
        {
            rung.add(1);
        }
        metrics.records_in_flight.set(1);
    }

    #[test]
    fn a_slow_broker_is_not_one_that_leaves_something_out() {
        // A large batch takes a minute, and small ones before and behind it are acknowledged in the order they were sent.
        let slow = |metrics: &ConnectorMetrics, tick: u64| {
            let ladder = &metrics.ladder;
            if tick.is_multiple_of(120) {
                (0..5).for_each(|_| send(metrics, tick));
                ladder.furthest.set(ladder.produced.get());
            }
            alive(metrics, 0);
            metrics.records_acknowledged.add(1);
            if tick % 120 == 119 {
                ladder.settled.set(ladder.produced.get());
            }
            ladder.stored.set(ladder.settled.get());
        };
        assert_eq!(Scene::new().run(3600, slow).1, None);
    }

    #[test]
    fn an_attempt_that_does_not_come_back_is_noticed() {
        let failure = || Failure::from(PipelineError::Abandoned { batches: 1 });
        let mut scene = Scene::new();
        // It says each ten seconds that it tries again: for as long as it does.
        for _ in 0..60 {
            scene.board.restarting(Part::Source, failure(), 1, Duration::from_secs(10));
            assert_eq!(scene.run(10, |_, _| {}).0, Verdict::Recovering(Part::Source));
        }
        // It does not say it any more.
        assert_eq!(scene.run(59, |_, _| {}).0, Verdict::Recovering(Part::Source));
        assert_eq!(scene.run(2, |_, _| {}).0, Verdict::Hung(Part::Source));
        // Nor does the first attempt come back, but as long as it gets on it is waited for.
        let mut scene = Scene::new();
        scene.board = StatusBoard::new();
        let gets_on = |metrics: &ConnectorMetrics, _: u64| {
            metrics.ladder.steps.fetch_add(1, Ordering::Relaxed);
        };
        assert_eq!(scene.run(600, gets_on).0, Verdict::Starting);
        assert_eq!(scene.run(61, |_, _| {}).0, Verdict::Hung(Part::Pipeline));
    }

    #[test]
    fn a_marker_is_not_missed_by_a_stream_that_is_behind() {
        let behind = |metrics: &ConnectorMetrics, tick: u64| {
            metrics.canary.stage.set(Stage::InTheLog);
            metrics.ladder.changes.add(u64::from(tick.is_multiple_of(20)));
            alive(metrics, 0);
        };
        assert_eq!(Scene::new().run(3600, behind).1, None);
        let comes = |metrics: &ConnectorMetrics, tick: u64| {
            metrics.canary.stage.set(Stage::InTheLog);
            metrics.canary.returned.add(u64::from(tick.is_multiple_of(20)));
            alive(metrics, 0);
        };
        assert_eq!(Scene::new().run(3600, comes).1, None);
    }

    #[test]
    fn a_head_that_is_not_known_is_said_and_is_no_incident() {
        let mut scene = Scene::new();
        assert_eq!(scene.run(60, |metrics, _| alive(metrics, 0)), (Verdict::Idle, None));
        assert_eq!(scene.run(3600, |metrics, _| metrics.ladder.turns.add(1)), (Verdict::Quiet, None));
        let unknown = scene.observer.look(&scene.metrics, &scene.board, scene.now).0.unknown;
        assert!((3580..=3600).contains(&unknown.as_secs()), "{unknown:?}");
        assert_eq!(scene.run(1, |metrics, _| alive(metrics, 0)).0, Verdict::Idle);
    }

    #[test]
    fn one_giant_event_is_not_a_stream_that_stands_still() {
        let mut scene = Scene::new();
        let heard = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        scene.metrics.ladder.begin(Some(heard.clone()));
        let giant = |metrics: &ConnectorMetrics, _: u64| {
            heard.fetch_add(1 << 20, Ordering::Relaxed);
            metrics.ladder.head.behind_bytes.set(1 << 30);
            metrics.ladder.head.answers.add(1);
        };
        assert_eq!(scene.run(600, giant), (Verdict::Flowing, None));
        // What only sends heartbeats is.
        let quiet = |metrics: &ConnectorMetrics, _: u64| {
            heard.fetch_add(60, Ordering::Relaxed);
            metrics.ladder.head.answers.add(1);
        };
        assert_eq!(scene.run(20, quiet).0, Verdict::SourceStuck);
    }

    /// A length that is garbage: the stream comes on, all of it swallowed, and the log grows as fast.
    #[test]
    fn what_is_longer_than_the_log_was_is_no_event() {
        let check = |sent_as_kept: bool, ahead: i64, expected: Option<bool>| {
            let mut scene = Scene::new();
            scene.run(10, |metrics, _| alive(metrics, 0));
            let heard = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
            scene.metrics.ladder.begin(Some(heard.clone()));
            scene.metrics.ladder.head.sent_as_kept.store(sent_as_kept, Ordering::Relaxed);
            let swallowed = |metrics: &ConnectorMetrics, tick: u64| {
                heard.fetch_add(1 << 20, Ordering::Relaxed);
                let more = i64::try_from(tick << 20).unwrap();
                metrics.ladder.head.behind_bytes.set(ahead + more);
                metrics.ladder.head.answers.add(1);
            };
            let noticed = scene.run(400, swallowed).1;
            let soon = noticed.map(|after| after <= Duration::from_secs(20));
            assert_eq!(soon, expected, "{ahead} bytes ahead: {noticed:?}");
        };
        check(true, 1 << 20, Some(true));
        // One event that is as long as that.
        check(true, 1 << 30, None);
        check(false, 1 << 20, None);
    }

    #[test]
    fn a_machine_that_slept_accuses_nobody() {
        let mut scene = Scene::new();
        scene.metrics.records_in_flight.set(5);
        assert!(scene.tick().is_good());
        scene.now += Duration::from_secs(3600);
        assert!(scene.tick().is_good());
        assert!(scene.run(10, |metrics, _| alive(metrics, 0)).1.is_some());
    }

    #[test]
    fn a_machine_that_is_starved_is_no_excuse_for_long() {
        let mut scene = Scene::new();
        scene.metrics.records_in_flight.set(5);
        let late = (1..=20).find(|_| {
            scene.now += Duration::from_secs(3);
            !scene.tick().is_good()
        });
        assert_eq!(late, Some(5), "three are excused, and then five seconds pass");
    }

    #[test]
    fn questions_without_answers_neither_accuse_nor_excuse() {
        // Every third question is not answered, and the stream stands still: noticed.
        let some = |metrics: &ConnectorMetrics, tick: u64| match tick % 3 {
            0 => {
                metrics.ladder.turns.add(1);
                metrics.ladder.head.forget();
            }
            _ => alive(metrics, 4_000),
        };
        let mut scene = Scene::new();
        scene.run(60, |metrics, _| alive(metrics, 0));
        assert!(scene.run(20, some).1.is_some());
        // None was answered for long, and the first answer finds a change that is on its way: not noticed.
        let mut scene = Scene::new();
        scene.run(60, |metrics, _| alive(metrics, 0));
        scene.run(60, |metrics, _| metrics.ladder.turns.add(1));
        assert_eq!(scene.run(2, |metrics, _| alive(metrics, 4_000)).1, None);
    }

    #[test]
    fn a_reader_that_asks_the_catalog_is_not_a_server_that_is_silent() {
        let mut scene = Scene::new();
        let asks = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        scene.metrics.ladder.ask_with(Some(asks.clone()));
        scene.run(10, |metrics, _| alive(metrics, 0));
        asks.store(true, Ordering::Relaxed);
        let asking = |metrics: &ConnectorMetrics, _: u64| {
            metrics.ladder.head.behind_bytes.set(4_000);
            metrics.ladder.head.answers.add(1);
        };
        assert_eq!(scene.run(600, asking).1, None);
        asks.store(false, Ordering::Relaxed);
        assert!(scene.run(20, asking).1.is_some());
    }

    #[test]
    fn a_record_that_was_left_out_is_not_waited_for() {
        let mut scene = Scene::new();
        let left_out = |metrics: &ConnectorMetrics, tick: u64| {
            alive(metrics, 0);
            metrics.records_sent.add(u64::from(tick == 0));
            metrics.records_skipped.add(u64::from(tick == 0));
        };
        assert_eq!(scene.run(600, left_out), (Verdict::Idle, None));
    }

    #[test]
    fn the_age_of_what_waits_is_that_of_the_oldest() {
        let start = crate::util::clock::moment();
        let mut age = Age::default();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut look = |seconds: u64, before, after| age.look(before, after, at(seconds)).as_secs();
        assert_eq!(look(0, 0, 0), 0);
        assert_eq!(look(1, 5, 0), 0);
        assert_eq!(look(3, 7, 0), 2);
        assert_eq!(look(4, 7, 5), 1);
        assert_eq!(look(9, 7, 7), 0);
    }
}
