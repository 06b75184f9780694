//! What a connector is doing, as Kafka Connect names it, and why.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Failure;

/// A connector's state. The names are Kafka Connect's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Being built; nothing has flowed yet.
    Unassigned,
    /// Reading, and the server was heard within the deadline.
    Running,
    /// Something failed and is being tried again.
    Restarting,
    /// Something failed that only a person can mend.
    Failed,
    /// Asked to wait, and waiting.
    Paused,
    /// Asked to stop, and stopped.
    Stopped,
}

impl State {
    /// Kafka Connect's name.
    pub fn name(self) -> &'static str {
        match self {
            State::Unassigned => "UNASSIGNED",
            State::Running => "RUNNING",
            State::Restarting => "RESTARTING",
            State::Failed => "FAILED",
            State::Paused => "PAUSED",
            State::Stopped => "STOPPED",
        }
    }
}

/// A state, since when, and why.
#[derive(Clone, Debug)]
pub struct Status {
    /// The state.
    pub state: State,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: i64,
    /// The failure behind RESTARTING or FAILED.
    pub failure: Option<Failure>,
    /// Which attempt this is, from 1, while RESTARTING.
    pub attempt: u32,
    /// When the next attempt is made, in milliseconds since the epoch, while RESTARTING.
    pub next_attempt_ms: i64,
}

/// Who waits for something to come back. Each speaks for itself: that the registry answers again says nothing
/// about the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The whole pipeline, which is built again.
    Pipeline,
    /// The connection to the database.
    Source,
    /// The schema registry.
    Registry,
    /// The schema history.
    History,
    /// The watchdog: something does not get on that says nothing of it itself.
    Watchdog,
}

/// A part that tries again, for who watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trying {
    /// The part.
    pub part: Part,
    /// Another number after each of its words.
    pub words: u64,
    /// The wait that its last word announced.
    pub delay: Duration,
}

struct Trouble {
    trying: Trying,
    failure: Failure,
    attempt: u32,
    next_attempt_ms: i64,
}

struct Board {
    status: Status,
    /// In the order in which they came; the first is shown.
    troubles: Vec<Trouble>,
    /// How often anyone has said that it tries again.
    words: u64,
}

/// Where a pipeline's threads say how it is.
pub struct StatusBoard {
    board: Mutex<Board>,
}

impl Default for StatusBoard {
    fn default() -> Self {
        StatusBoard::new()
    }
}

impl StatusBoard {
    /// A board that says UNASSIGNED.
    pub fn new() -> Self {
        let since_ms = crate::util::clock::now_ms();
        let status = Status { state: State::Unassigned, since_ms, failure: None, attempt: 0, next_attempt_ms: 0 };
        StatusBoard { board: Mutex::new(Board { status, troubles: Vec::new(), words: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says now.
    pub fn read(&self) -> Status {
        self.lock().status.clone()
    }

    /// Says a state that needs no reason, and that nothing else is wrong.
    pub fn set(&self, state: State) {
        let mut board = self.lock();
        board.troubles.clear();
        board.write(state, None, 0, 0);
    }

    /// Says that a failure of this part is being tried again. One of the whole pipeline takes the place of all others.
    pub fn restarting(&self, part: Part, failure: Failure, attempt: u32, delay: Duration) {
        let mut board = self.lock();
        if part == Part::Pipeline {
            // What the watchdog saw lasts until it sees changes flow again.
            board.troubles.retain(|trouble| trouble.trying.part == Part::Watchdog);
        }
        board.tries(part, failure, attempt, delay);
        board.show();
    }

    /// Says that this part works again: RUNNING, unless another one does not.
    pub fn recovered(&self, part: Part) {
        let mut board = self.lock();
        board.troubles.retain(|trouble| trouble.trying.part != part);
        board.show();
    }

    /// Says that the server was heard: the pipeline and its connection work, whatever else may not.
    pub fn heard(&self) {
        let mut board = self.lock();
        board.troubles.retain(|trouble| !matches!(trouble.trying.part, Part::Pipeline | Part::Source));
        board.show();
    }

    /// The watchdog's word: what does not get on, which attempt to mend it is next and when; or `None`: all does. It is
    /// heard only while the pipeline says RUNNING or RESTARTING.
    pub fn watched(&self, word: Option<(Failure, u32, Duration)>) {
        let mut board = self.lock();
        if !matches!(board.status.state, State::Running | State::Restarting) {
            return;
        }
        let known = board.troubles.iter().any(|trouble| trouble.trying.part == Part::Watchdog);
        match word {
            Some((failure, attempt, delay)) => board.tries(Part::Watchdog, failure, attempt, delay),
            None if known => board.troubles.retain(|trouble| trouble.trying.part != Part::Watchdog),
            None => return,
        }
        board.show();
    }

    /// Which part is in trouble, the oldest one first; the watchdog's word does not count.
    pub fn trying(&self) -> Option<Trying> {
        self.lock().own_trouble().map(|trouble| trouble.trying)
    }

    /// Says that a person must come.
    pub fn failed(&self, failure: Failure) {
        let mut board = self.lock();
        board.troubles.clear();
        board.write(State::Failed, Some(failure), 0, 0);
    }
}

impl Board {
    /// A part tries again.
    fn tries(&mut self, part: Part, failure: Failure, attempt: u32, delay: Duration) {
        let now = crate::util::clock::now_ms();
        let next_attempt_ms = now.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        self.words += 1;
        let trying = Trying { part, words: self.words, delay };
        let trouble = Trouble { trying, failure, attempt, next_attempt_ms };
        match self.troubles.iter_mut().find(|known| known.trying.part == part) {
            Some(known) => *known = trouble,
            None => self.troubles.push(trouble),
        }
    }

    /// The oldest that the watchdog does not speak of.
    fn own_trouble(&self) -> Option<&Trouble> {
        self.troubles.iter().find(|trouble| trouble.trying.part != Part::Watchdog)
    }

    /// The oldest trouble, or RUNNING. A part that speaks for itself knows more than the watchdog, which sees it from outside.
    fn show(&mut self) {
        match self.own_trouble().or(self.troubles.first()) {
            Some(Trouble { failure, attempt, next_attempt_ms, .. }) => {
                let (failure, attempt, next) = (failure.clone(), *attempt, *next_attempt_ms);
                self.write(State::Restarting, Some(failure), attempt, next);
            }
            None => self.write(State::Running, None, 0, 0),
        }
    }

    fn write(&mut self, state: State, failure: Option<Failure>, attempt: u32, next_attempt_ms: i64) {
        let status = &mut self.status;
        if status.state != state {
            status.since_ms = crate::util::clock::now_ms();
        }
        status.state = state;
        status.failure = failure;
        status.attempt = attempt;
        status.next_attempt_ms = next_attempt_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Broken(&'static str);

    impl Coded for Broken {
        fn code(&self) -> &'static crate::error::Code {
            crate::pipeline::error::PipelineError::Abandoned { batches: 1 }.code()
        }
    }

    /// What happens to a board, and what it then shows: the state, and the words of the failure.
    type Step<'s> = (&'s dyn Fn(&StatusBoard), State, &'s str);

    fn check(steps: &[Step<'_>]) {
        let board = StatusBoard::new();
        for (number, (step, state, words)) in steps.iter().enumerate() {
            step(&board);
            let status = board.read();
            let shown = status.failure.map(|failure| failure.message).unwrap_or_default();
            assert_eq!((status.state, shown.as_str()), (*state, *words), "after step {number}");
        }
    }

    #[test]
    fn it_runs_only_when_no_part_waits() {
        let wait =
            |part, words| move |board: &StatusBoard| board.restarting(part, Broken(words).into(), 1, Duration::ZERO);
        let stuck = |board: &StatusBoard| board.watched(Some((Broken("stuck").into(), 1, Duration::ZERO)));
        check(&[
            (&stuck, State::Unassigned, ""),
            (&|board| board.heard(), State::Running, ""),
            (&wait(Part::Source, "database"), State::Restarting, "database"),
            (&wait(Part::Registry, "registry"), State::Restarting, "database"),
            (&|board| board.recovered(Part::Registry), State::Restarting, "database"),
            (&wait(Part::Registry, "registry"), State::Restarting, "database"),
            (&|board| board.heard(), State::Restarting, "registry"),
            (&|board| board.recovered(Part::Registry), State::Running, ""),
            (&wait(Part::History, "history"), State::Restarting, "history"),
            (&wait(Part::Pipeline, "pipeline"), State::Restarting, "pipeline"),
            (&|board| board.recovered(Part::History), State::Restarting, "pipeline"),
            (&|board| board.heard(), State::Running, ""),
            (&stuck, State::Restarting, "stuck"),
            (&wait(Part::Pipeline, "pipeline"), State::Restarting, "pipeline"),
            (&|board| board.heard(), State::Restarting, "stuck"),
            (&|board| board.watched(None), State::Running, ""),
            (&|board| board.watched(Some((Broken("stuck").into(), 1, Duration::ZERO))), State::Restarting, "stuck"),
            (&wait(Part::Registry, "registry"), State::Restarting, "registry"),
            (&|board| board.recovered(Part::Registry), State::Restarting, "stuck"),
            (&|board| board.watched(None), State::Running, ""),
            (&|board| board.failed(Broken("over").into()), State::Failed, "over"),
            (&stuck, State::Failed, "over"),
            (&|board| board.watched(None), State::Failed, "over"),
        ]);
    }
}
