//! The verdict: what was seen of a connector in, one of a dozen words out. Pure.
//!
//! Two things are never taken for each other. *Idle*: the server's head has not moved, or the stream stands at it, and
//! the server was heard. *Stuck*: something has work and does not get on. Nobody is believed about himself: whether a
//! stage gets on is seen by what comes out of it.

use std::time::Duration;

use crate::observe::pulse::Activity;
use crate::pipeline::status::{Part, State};

/// Bytes under way for which a stage may take a second more.
const BYTES_A_SECOND: u64 = 16 << 20;

/// Deadlines that a marker has to come with a stream of which it is not known how far it is: with the usual one a server
/// then has the two minutes that it may decode without a word.
const UNKNOWN_PATIENCE: u32 = 4;

/// How long something may take before it counts as stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// For the silence of a server whose own deadline the reader does not keep: `headwater.heartbeat.period.ms` times
    /// `headwater.silence.heartbeats`, and the source's deadline on top.
    pub silence: Duration,
    /// `headwater.watchdog.source.deadline.ms`.
    pub source: Duration,
    /// `headwater.watchdog.pipeline.deadline.ms`.
    pub pipeline: Duration,
    /// `headwater.watchdog.broker.deadline.ms`.
    pub broker: Duration,
    /// `offset.flush.interval.ms` and `headwater.watchdog.commit.deadline.ms` on top.
    pub commit: Duration,
    /// `headwater.watchdog.commit.deadline.ms` by itself: for a store that is waited for.
    pub store: Duration,
    /// `headwater.watchdog.exit.after.ms`; `None` for never.
    pub exit: Option<Duration>,
    /// For one attempt of a part that tries again: `connect.timeout.ms`, `database.query.timeout.ms` and
    /// `headwater.watchdog.exit.after.ms`, one after the other; `None` where one of them is without end.
    pub attempt: Option<Duration>,
    /// `headwater.canary.deadline.ms`; `None` for never.
    pub canary: Option<Duration>,
}

/// A stage of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// From the server to the desk.
    Reader,
    /// From changes to bytes.
    Encoders,
    /// From bytes to the broker.
    Producer,
}

impl Stage {
    /// Its name, as `/metrics` has it.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Reader => "reader",
            Stage::Encoders => "encoders",
            Stage::Producer => "producer",
        }
    }
}

/// What was seen of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it says that it does.
    pub activity: Activity,
    /// Batches that it was given and that have not come out of it.
    pub waiting: u64,
    /// For how long it has had work, and nothing came out of it.
    pub still: Duration,
}

/// What the server says of the end of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// It was not asked, or did not answer, or what it says cannot be compared.
    Unknown,
    /// The stream is where the head is.
    Reached,
    /// The head is ahead, and for so long the stream has not got on at all.
    Ahead(Duration),
}

/// What was seen of the markers that are written to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canary {
    /// None is under way.
    Home,
    /// The stream has not brought one that was written so long ago.
    InTheLog(Duration),
    /// The stream has brought one that was written so long ago, and what came with it is not acknowledged.
    UnderWay(Duration),
    /// So long ago one was written whose record is acknowledged and is not read back from its topic.
    Unread(Duration),
}

/// Everything that a verdict depends on. Times are durations that were measured on a clock that only goes forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observations {
    /// What the pipeline says of itself.
    pub state: State,
    /// The part that says that it waits for something and tries again.
    pub trouble: Option<Part>,
    /// For how long an attempt of that part, or the first one to build the pipeline, has not come back.
    pub attempting: Duration,
    /// For how long an attempt that was given up has not ended; `None` when there is none.
    pub ending: Option<Duration>,
    /// Since a byte came from the server, while the reader listens; zero while it does not.
    pub unheard: Duration,
    /// Since the last change was read.
    pub unchanged: Duration,
    /// Where the server's head is.
    pub head: Head,
    /// For how long that has not been known; zero while it is.
    pub unknown: Duration,
    /// The reader. What waits for it is what waits for it to be handed over: 1 while it holds a batch.
    pub reader: Seen,
    /// The encoders.
    pub encoders: Seen,
    /// The producer.
    pub producer: Seen,
    /// Bytes between the source and the acknowledgement.
    pub outstanding_bytes: u64,
    /// Records that were sent and are not acknowledged.
    pub in_flight: u64,
    /// For how long there have been such records, and no acknowledgement came.
    pub unacknowledged: Duration,
    /// For how long the oldest batch that was sent has not been acknowledged, although some were that were sent after it
    /// had become the oldest; zero otherwise.
    pub overtaken: Duration,
    /// For how long there has been a position to store, and none was stored.
    pub unstored: Duration,
    /// For how long the committer has waited for the store.
    pub storing: Duration,
    /// The last marker.
    pub canary: Canary,
}

/// The word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Being built; nothing has flowed yet.
    Starting,
    /// Changes flow.
    Flowing,
    /// There is nothing to flow, and that is known.
    Idle,
    /// Nothing comes and the server is heard, but where its log ends is not known: most likely there is nothing to flow.
    Quiet,
    /// It was asked to stop.
    Stopped,
    /// A part says itself that it waits, and tries again.
    Recovering(Part),
    /// It said so, and then its attempt did not come back.
    Hung(Part),
    /// The server says nothing, and the reader does not notice.
    SourceSilent,
    /// The server's head moves, and the stream does not.
    SourceStuck,
    /// A stage has work and does not get on.
    PipelineStuck(Stage, Activity),
    /// The broker acknowledges nothing.
    BrokerStuck,
    /// The broker acknowledges what comes later, and not what came first.
    DeliveryStuck,
    /// Positions could be stored, and are not.
    CommitStuck,
    /// A marker written to the database did not arrive at the topic.
    CanaryLost,
    /// A pipeline that was given up does not end.
    Undead,
    /// A person has to mend something.
    Refused,
}

impl Verdict {
    /// The verdict's name, in metrics and incidents.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Starting => "starting",
            Verdict::Flowing => "flowing",
            Verdict::Idle => "idle",
            Verdict::Quiet => "quiet",
            Verdict::Stopped => "stopped",
            Verdict::Recovering(Part::Source) => "source_lost",
            Verdict::Recovering(Part::Registry) => "registry_stuck",
            Verdict::Recovering(Part::History) => "history_stuck",
            Verdict::Recovering(Part::Pipeline | Part::Watchdog) => "pipeline_restarting",
            Verdict::Hung(_) => "hung",
            Verdict::SourceSilent => "source_silent",
            Verdict::SourceStuck => "source_stuck",
            Verdict::PipelineStuck(..) => "pipeline_stuck",
            Verdict::BrokerStuck => "broker_stuck",
            Verdict::DeliveryStuck => "delivery_stuck",
            Verdict::CommitStuck => "commit_stuck",
            Verdict::CanaryLost => "canary_lost",
            Verdict::Undead => "undead",
            Verdict::Refused => "refused",
        }
    }

    /// Whether changes flow, or would if there were any.
    pub fn is_good(self) -> bool {
        matches!(self, Verdict::Flowing | Verdict::Idle | Verdict::Quiet)
    }

    /// Whether it is an incident: something keeps changes from flowing that nobody asked for.
    pub fn is_incident(self) -> bool {
        !self.is_good() && !matches!(self, Verdict::Starting | Verdict::Stopped)
    }
}

impl Observations {
    /// The verdict.
    pub fn verdict(&self, deadlines: &Deadlines) -> Verdict {
        if self.state == State::Failed {
            return Verdict::Refused;
        }
        if let Some(ending) = self.ending {
            let undead = deadlines.exit.is_some_and(|exit| ending >= exit);
            return if undead { Verdict::Undead } else { Verdict::Recovering(Part::Pipeline) };
        }
        let hangs = deadlines.attempt.is_some_and(|limit| self.attempting >= limit);
        if self.state == State::Unassigned {
            return if hangs { Verdict::Hung(Part::Pipeline) } else { Verdict::Starting };
        }
        if !matches!(self.state, State::Running | State::Restarting) {
            return Verdict::Stopped;
        }
        if let Some(part) = self.trouble {
            return if hangs { Verdict::Hung(part) } else { Verdict::Recovering(part) };
        }
        if let Some(stuck) = self.behind_the_reader(deadlines) {
            return stuck;
        }
        if let Some(stuck) = self.before_the_desk(deadlines) {
            return stuck;
        }
        if self.unstored >= deadlines.commit || self.storing >= deadlines.store {
            return Verdict::CommitStuck;
        }
        if deadlines.canary.is_some_and(|deadline| self.has_lost_marker(deadline)) {
            return Verdict::CanaryLost;
        }
        match self.head {
            Head::Reached if self.is_quiet() => Verdict::Idle,
            Head::Unknown if self.is_quiet() => Verdict::Quiet,
            Head::Unknown | Head::Reached | Head::Ahead(_) => Verdict::Flowing,
        }
    }

    /// A stream that is behind brings other changes first, and one that is held up by what the server decodes is known to
    /// be behind: neither has lost a marker. Where it is not known how far the stream is, a marker has more time to come.
    /// For what is acknowledged nothing excuses a topic.
    fn has_lost_marker(&self, deadline: Duration) -> bool {
        let (time, deadline) = match (self.canary, self.head) {
            (Canary::Home, _) => return false,
            (Canary::Unread(time), _) => return time >= deadline,
            (Canary::InTheLog(_) | Canary::UnderWay(_), Head::Ahead(_)) => return false,
            (Canary::InTheLog(time), Head::Unknown) => (time, deadline.saturating_mul(UNKNOWN_PATIENCE)),
            (Canary::InTheLog(time) | Canary::UnderWay(time), Head::Reached | Head::Unknown) => (time, deadline),
        };
        time >= deadline && self.unchanged >= deadline
    }

    /// What is nearest to the broker holds up all that is before it, so it is asked first.
    fn behind_the_reader(&self, deadlines: &Deadlines) -> Option<Verdict> {
        if self.in_flight > 0 && self.unacknowledged >= deadlines.broker {
            return Some(Verdict::BrokerStuck);
        }
        let transfer = Duration::from_secs(self.outstanding_bytes / BYTES_A_SECOND);
        if self.overtaken >= deadlines.broker + transfer {
            return Some(Verdict::DeliveryStuck);
        }
        let patience = deadlines.pipeline + transfer;
        for (stage, seen) in [(Stage::Producer, &self.producer), (Stage::Encoders, &self.encoders)] {
            if seen.waiting == 0 || seen.still < patience {
                continue;
            }
            return Some(match (stage, seen.activity) {
                (Stage::Producer, Activity::BlockedOnBroker) => Verdict::BrokerStuck,
                (stage, activity) => Verdict::PipelineStuck(stage, activity),
            });
        }
        let holds = self.reader.activity.holds();
        (holds && self.reader.still >= patience).then_some(Verdict::PipelineStuck(Stage::Reader, self.reader.activity))
    }

    fn before_the_desk(&self, deadlines: &Deadlines) -> Option<Verdict> {
        if self.unheard >= deadlines.silence {
            return Some(Verdict::SourceSilent);
        }
        let holds = self.reader.activity.holds();
        let (Head::Ahead(still), false) = (self.head, holds) else { return None };
        (still >= deadlines.source && self.unchanged >= deadlines.source).then_some(Verdict::SourceStuck)
    }

    fn is_quiet(&self) -> bool {
        let nothing_under_way = self.encoders.waiting == 0 && self.producer.waiting == 0 && self.in_flight == 0;
        nothing_under_way && self.unchanged >= Duration::from_secs(1)
    }
}

#[cfg(test)]
mod tests;
