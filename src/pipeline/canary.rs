//! The canary: something is written to the database now and then, and it is seen whether it comes.
//!
//! ```text
//!  what is to be written  ──▶ database ──▶ stream ──▶ handed over ──▶ acknowledged ──▶ read from its topic
//!          │                                              │               │                   │
//!          └──────── InTheLog ───────────────────────────▶└─ UnderWay ───▶└───── Unread ─────▶└─ Home
//! ```
//!
//! In: what the configuration says is to be written: `heartbeat.action.query`, a row of the signal table. Out: what became of it.
//! Promised: nothing is written that was not asked for, and no record is made for it; it has a thread and connections of
//! its own, so that a table that is locked holds up no stream. It has come when the stream has passed the place where the
//! server's log ended behind it, the broker has acknowledged all that was handed over by then, and the last record of that,
//! the row itself where its table is captured and nothing else happens, was read back from its topic. Where nobody may
//! read there, or there is no such record, the acknowledgement is the proof, and that is said; a topic that was never
//! read back accuses nobody. Nothing here survives a crash.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::PipelineError;
use super::thread;
use crate::error::Coded;
use crate::observe::markers::Stage;
use crate::observe::metrics::ConnectorMetrics;
use crate::sink::kafka::read_back::{self, Sight};
use crate::source::Marker;
use crate::util::{clock, stop::Stop};

/// How often it is looked whether it has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// And how often once it has not come for this long.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_millis(100);

/// How long one look at the topic may wait for a record.
const READ_WAIT: Duration = Duration::from_millis(50);

/// For so long one record is looked for before another one is, which came later.
const SEEK_AGAIN: Duration = Duration::from_secs(5);

/// After so long it is said that a first record was not read back.
const UNREAD_LIMIT: Duration = Duration::from_secs(20);

/// Reads from its topic what went with a marker.
pub trait ReadBack: Send {
    /// From now on records of batches with this ordinal or a later one are noted as they are acknowledged; `None`: none is
    /// any more.
    fn watch(&mut self, from: Option<u64>);

    /// Turns to the record that was noted last; false where none was.
    fn seek(&mut self) -> bool;

    /// Waits a moment for it.
    fn look(&mut self) -> Sight;
}

impl ReadBack for read_back::ReadBack {
    fn watch(&mut self, from: Option<u64>) {
        read_back::ReadBack::watch(self, from);
    }

    fn seek(&mut self) -> bool {
        read_back::ReadBack::seek(self)
    }

    fn look(&mut self) -> Sight {
        read_back::ReadBack::look(self, READ_WAIT)
    }
}

/// One that is waited for.
struct Round {
    written: Instant,
    /// Batches that were handed over when the stream had passed it.
    entered: Option<u64>,
}

struct Canary<'m> {
    marker: Box<dyn Marker>,
    /// `None` where nothing is read back, or no more.
    read_back: Option<Box<dyn ReadBack>>,
    metrics: &'m ConnectorMetrics,
    /// Batches that were entered before this attempt.
    entered_before: u64,
    round: Option<Round>,
    unread: Option<Unread>,
    /// It was said that no record came with a marker.
    said_bare: bool,
}

/// A record that is looked for on its topic.
#[derive(Clone, Copy)]
struct Unread {
    /// When the marker was written that it came with.
    written: Instant,
    /// For how long records have been looked for, and none was found.
    since: Instant,
}

impl Canary<'_> {
    /// Writes one. While another is waited for, its time is the one that counts.
    fn write(&mut self) {
        let (canary, written) = (&self.metrics.canary, clock::moment());
        let first = self.round.is_none();
        if first && let Some(read_back) = &mut self.read_back {
            read_back.watch(Some(self.metrics.ladder.entered.get().saturating_sub(self.entered_before)));
        }
        match self.marker.write(first) {
            Ok(known) => {
                canary.written.add(1);
                if first && known {
                    self.round = Some(Round { written, entered: None });
                }
            }
            Err(failure) => {
                canary.failures.add(1);
                tracing::warn!(code = %failure.code, reason = %failure.message, "what the canary writes failed (heartbeat.action.query, headwater.canary.signal.table)");
            }
        }
        if let Some(read_back) = self.read_back.as_mut().filter(|_| self.round.is_none()) {
            read_back.watch(None);
        }
    }

    /// Looks how far it has come.
    fn look(&mut self) {
        let ladder = &self.metrics.ladder;
        if let Some(round) = &mut self.round {
            if round.entered.is_none() && self.marker.has_come() {
                round.entered = Some(ladder.entered.get());
            }
            if round.entered.is_some_and(|entered| ladder.settled.get() >= entered) {
                let written = round.written;
                self.round = None;
                self.acknowledged(written);
            }
        }
        if let Some(unread) = self.unread {
            self.read(unread);
        }
        self.show();
    }

    /// All that came with it is acknowledged.
    fn acknowledged(&mut self, written: Instant) {
        let canary = &self.metrics.canary;
        canary.round_trip_ms.set(millis_since(written));
        let is_sought = |unread: Unread| unread.written.elapsed() < SEEK_AGAIN && canary.unread.get().is_empty();
        let is_bare = match &mut self.read_back {
            // Whoever looks for each new one finds none where reading takes longer than the next one takes to come.
            Some(read_back) if self.unread.is_some_and(is_sought) => {
                read_back.watch(None);
                false
            }
            Some(read_back) => {
                let found = read_back.seek();
                if found {
                    let since = self.unread.map_or_else(clock::moment, |unread| unread.since);
                    self.unread = Some(Unread { written, since });
                }
                !found
            }
            None => false,
        };
        if is_bare && self.unread.is_none() {
            let reason = "nothing that goes to a topic came with it: its table may not be captured";
            if std::mem::replace(&mut self.said_bare, true) {
                self.metrics.canary.unread.set(reason.to_owned());
            } else {
                self.not_read(reason);
            }
        }
        if !self.is_held() {
            self.home();
        }
    }

    /// Whether one that is acknowledged has not come yet: what was once read back is to be read back again.
    fn is_held(&self) -> bool {
        self.unread.is_some() && self.metrics.canary.read_back.get() > 0
    }

    /// Looks whether it can be read.
    fn read(&mut self, unread: Unread) {
        let (canary, was_held) = (&self.metrics.canary, self.is_held());
        let Some(read_back) = &mut self.read_back else { return };
        match read_back.look() {
            Sight::NotYet => {
                if unread.since.elapsed() > UNREAD_LIMIT {
                    self.not_read("it has not come from its topic so far");
                }
                return;
            }
            Sight::Gone(reason) => return self.not_read(&reason),
            Sight::There => {
                canary.end_to_end_ms.set(millis_since(unread.written));
                canary.read_back.add(1);
                canary.unread.set(String::new());
            }
            Sight::Refused(reason) => {
                self.not_read(&reason);
                self.read_back = None;
            }
        }
        self.unread = None;
        if was_held {
            self.home();
        }
    }

    /// Notes why nothing is read back, and says it once while it is so.
    fn not_read(&self, reason: &str) {
        let is_new = self.metrics.canary.unread.get() != reason;
        self.metrics.canary.unread.set(reason.to_owned());
        if is_new {
            let error = PipelineError::NotReadBack { reason: reason.to_owned() };
            tracing::warn!(code = %error.code(), reason = %error, hint = error.code().hint, "the canary is not read back");
        }
    }

    fn home(&self) {
        let canary = &self.metrics.canary;
        canary.returned_ms.set(clock::now_ms());
        canary.returned.add(1);
    }

    /// Shows how far it is.
    fn show(&self) {
        let canary = &self.metrics.canary;
        let stage = match &self.round {
            _ if self.is_held() => Stage::Unread,
            None => Stage::Home,
            Some(Round { entered: None, .. }) => Stage::InTheLog,
            Some(Round { entered: Some(_), .. }) => Stage::UnderWay,
        };
        canary.stage.set(stage);
    }

    /// Until it is to be looked again, or to be written.
    fn pause(&self, next: Instant) -> Duration {
        let until = clock::left_until(next).unwrap_or_default();
        let waits = [self.round.as_ref().map(|round| round.written), self.unread.map(|unread| unread.written)];
        match waits.into_iter().flatten().max() {
            Some(written) if written.elapsed() < SOON => until.min(LOOK_INTERVAL),
            Some(_) => until.min(LATER),
            None => until,
        }
    }
}

fn millis_since(moment: Instant) -> i64 {
    i64::try_from(moment.elapsed().as_millis()).unwrap_or(i64::MAX)
}

fn run(stop: &Stop, mut canary: Canary<'_>, interval: Duration) {
    let mut next = clock::moment() + interval;
    while !stop.wait(canary.pause(next)) {
        if clock::left_until(next).is_none() {
            // What could not be written in time is not written twice as soon.
            next = clock::moment() + interval;
            canary.write();
        }
        // The query may have taken long, and a canary whose pipeline was given up says nothing of the one behind it.
        if stop.is_set() {
            return;
        }
        canary.look();
    }
}

/// Starts the thread, where there is something to be written.
pub(super) fn spawn(
    marker: Option<Box<dyn Marker>>,
    read_back: Option<Box<dyn ReadBack>>,
    interval: Option<Duration>,
    stop: &Stop,
    metrics: &Arc<ConnectorMetrics>,
) {
    // That of a pipeline that was given up is waited for no more.
    metrics.canary.stage.set(Stage::Home);
    let (Some(marker), Some(interval)) = (marker, interval) else { return };
    let (stop, metrics) = (stop.clone(), metrics.clone());
    let entered_before = metrics.ladder.entered.get();
    let watch = move || {
        let (metrics, round, unread) = (&*metrics, None, None);
        let canary = Canary { marker, read_back, metrics, entered_before, round, unread, said_bare: false };
        run(&stop, canary, interval);
    };
    if let Err(failure) = thread::spawn("canary", watch) {
        tracing::warn!(reason = %failure.message, "no thread for the canary");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::error::Failure;

    struct Scripted {
        fails: Arc<AtomicBool>,
        has_come: Arc<AtomicBool>,
    }

    impl Marker for Scripted {
        fn write(&mut self, _: bool) -> Result<bool, Failure> {
            match self.fails.load(Ordering::Relaxed) {
                true => Err(PipelineError::Abandoned { batches: 1 }.into()),
                false => Ok(true),
            }
        }

        fn has_come(&self) -> bool {
            self.has_come.load(Ordering::Relaxed)
        }
    }

    /// What looks at a topic give, and the ordinals from which records were noted.
    #[derive(Clone, Default)]
    struct Topic {
        noted: Arc<AtomicBool>,
        sights: Arc<Mutex<Vec<Sight>>>,
        from: Arc<Mutex<Vec<Option<u64>>>>,
    }

    impl ReadBack for Topic {
        fn watch(&mut self, from: Option<u64>) {
            self.from.lock().unwrap().push(from);
        }

        fn seek(&mut self) -> bool {
            self.noted.load(Ordering::Relaxed)
        }

        fn look(&mut self) -> Sight {
            self.sights.lock().unwrap().pop().unwrap_or(Sight::NotYet)
        }
    }

    struct Scene {
        metrics: ConnectorMetrics,
        fails: Arc<AtomicBool>,
        has_come: Arc<AtomicBool>,
        topic: Topic,
    }

    impl Scene {
        fn new() -> Self {
            let metrics = ConnectorMetrics::new();
            metrics.ladder.entered.add(100);
            metrics.ladder.settled.add(100);
            Scene { metrics, fails: Arc::default(), has_come: Arc::default(), topic: Topic::default() }
        }

        fn canary(&self, reads: bool) -> Canary<'_> {
            let marker = Scripted { fails: self.fails.clone(), has_come: self.has_come.clone() };
            Canary {
                marker: Box::new(marker),
                read_back: reads.then(|| Box::new(self.topic.clone()) as Box<dyn ReadBack>),
                metrics: &self.metrics,
                entered_before: 100,
                round: None,
                unread: None,
                said_bare: false,
            }
        }

        /// A marker is written, comes and is acknowledged.
        fn round(&self, canary: &mut Canary<'_>, sight: Option<Sight>) {
            self.topic.sights.lock().unwrap().extend(sight);
            self.has_come.store(true, Ordering::Relaxed);
            canary.write();
            self.metrics.ladder.entered.add(1);
            self.metrics.ladder.settled.add(1);
            canary.look();
        }

        fn check(&self, stage: Stage, returned: u64, read_back: u64, unread: &str) {
            let markers = &self.metrics.canary;
            let seen = (markers.stage.get(), markers.returned.get(), markers.read_back.get());
            assert_eq!(seen, (stage, returned, read_back));
            assert!(markers.unread.get().contains(unread), "{}", markers.unread.get());
            assert!(!unread.is_empty() || markers.unread.get().is_empty(), "{}", markers.unread.get());
        }
    }

    #[test]
    fn a_marker_is_home_when_all_that_came_with_it_is_acknowledged() {
        let scene = Scene::new();
        let (metrics, mut canary) = (&scene.metrics, scene.canary(false));
        let seen = |stage, written, returned, failures| {
            let markers = &metrics.canary;
            let counts = (markers.written.get(), markers.returned.get(), markers.failures.get());
            assert_eq!((markers.stage.get(), counts), (stage, (written, returned, failures)));
        };
        scene.fails.store(true, Ordering::Relaxed);
        canary.write();
        canary.look();
        seen(Stage::Home, 0, 0, 1);
        scene.fails.store(false, Ordering::Relaxed);
        canary.write();
        canary.look();
        seen(Stage::InTheLog, 1, 0, 1);
        // The next is written, and the first is waited for.
        canary.write();
        metrics.ladder.entered.add(5);
        scene.has_come.store(true, Ordering::Relaxed);
        canary.look();
        seen(Stage::UnderWay, 2, 0, 1);
        assert_eq!(metrics.canary.round_trip_ms.get(), -1);
        metrics.ladder.entered.add(5);
        metrics.ladder.settled.add(5);
        canary.look();
        seen(Stage::Home, 2, 1, 1);
        assert!(metrics.canary.round_trip_ms.get() >= 0);
        assert_eq!((metrics.canary.end_to_end_ms.get(), metrics.canary.unread.get().as_str()), (-1, ""));
    }

    #[test]
    fn what_was_once_read_back_is_to_be_read_back_again() {
        let scene = Scene::new();
        scene.topic.noted.store(true, Ordering::Relaxed);
        let mut canary = scene.canary(true);
        // The first proves that it can be; nobody is kept waiting for it.
        scene.round(&mut canary, None);
        scene.check(Stage::Home, 1, 0, "");
        scene.topic.sights.lock().unwrap().push(Sight::There);
        canary.look();
        scene.check(Stage::Home, 1, 1, "");
        assert!(scene.metrics.canary.end_to_end_ms.get() >= 0);
        scene.round(&mut canary, Some(Sight::There));
        scene.check(Stage::Home, 2, 2, "");
        // From now on one that cannot be read has not come, and the one behind it is as good.
        scene.round(&mut canary, Some(Sight::Gone("emptied".to_owned())));
        scene.check(Stage::Unread, 2, 2, "emptied");
        scene.round(&mut canary, None);
        scene.check(Stage::Unread, 2, 2, "emptied");
        scene.round(&mut canary, Some(Sight::There));
        scene.check(Stage::Home, 3, 3, "");
        assert_eq!(*scene.topic.from.lock().unwrap(), [0, 1, 2, 3, 4].map(Some));
    }

    #[test]
    fn one_that_takes_long_is_not_given_up_for_the_next() {
        let scene = Scene::new();
        scene.topic.noted.store(true, Ordering::Relaxed);
        let mut canary = scene.canary(true);
        scene.round(&mut canary, Some(Sight::There));
        for _ in 0..3 {
            scene.round(&mut canary, None);
            scene.check(Stage::Unread, 1, 1, "");
        }
        let from = scene.topic.from.lock().unwrap().clone();
        assert_eq!(from, [Some(0), Some(1), Some(2), None, Some(3), None]);
        scene.topic.sights.lock().unwrap().push(Sight::There);
        canary.look();
        scene.check(Stage::Home, 2, 2, "");
    }

    #[test]
    fn where_nothing_can_be_read_the_acknowledgement_is_the_proof() {
        let scene = Scene::new();
        let mut canary = scene.canary(true);
        scene.round(&mut canary, None);
        scene.check(Stage::Home, 1, 0, "may not be captured");
        scene.topic.noted.store(true, Ordering::Relaxed);
        scene.round(&mut canary, Some(Sight::Refused("no right".to_owned())));
        scene.check(Stage::Home, 2, 0, "no right");
        scene.round(&mut canary, None);
        scene.check(Stage::Home, 3, 0, "no right");
    }
}
