//! The kinds of faults, as data: what happens, whether it is an incident, and how soon it must be noticed.

mod broker;
mod database;
mod itself;
mod network;

use std::time::Duration;

use crate::HEALED_WITHIN;
use crate::scene::{Scene, Victim};
use crate::watch::{Moment, Word};

/// Three heartbeats of a second, and what a busy machine takes on top.
const SILENCE: Duration = Duration::from_millis(3_000 + 5_000);

/// The watchdog's deadlines for acknowledgements, stages and positions, and what a busy machine takes on top.
const STUCK: Duration = Duration::from_millis(5_000 + 5_000);

/// Whether a kind is an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// It must be on record.
    Must,
    /// It may be: whether anything waits for what fails depends on the moment.
    May,
    /// It must not: changes flow, or there are none.
    Never,
}

/// What a fault tells of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Struck {
    /// When it began to do harm, if that was not at once.
    pub began: Option<Moment>,
    /// When it was noticed, where nobody is left to ask.
    pub noticed: Option<Duration>,
}

/// What a fault comes to when it is over; or why it could not be.
pub type Fault = Result<Struck, String>;

/// One kind.
pub struct Kind {
    pub name: &'static str,
    pub record: Record,
    pub noticed_within: Duration,
    /// Whether it is over in seconds, so that `make test` has time for it.
    pub is_short: bool,
    /// Whether a person has to mend it.
    pub needs_person: bool,
    /// Whether the process is away for a while, so that nobody answers.
    pub is_mute: bool,
    /// Returns when the fault is over.
    pub strike: fn(&Scene, &mut fastrand::Rng) -> Fault,
}

impl Kind {
    fn new(name: &'static str, record: Record, strike: fn(&Scene, &mut fastrand::Rng) -> Fault) -> Self {
        let (noticed_within, is_short, needs_person, is_mute) = (STUCK, false, false, false);
        Kind { name, record, noticed_within, is_short, needs_person, is_mute, strike }
    }

    fn within(self, noticed_within: Duration) -> Self {
        Kind { noticed_within, ..self }
    }

    fn short(self) -> Self {
        Kind { is_short: true, ..self }
    }

    fn mended_by_a_person(self) -> Self {
        Kind { needs_person: true, ..self }
    }

    fn mute(self) -> Self {
        Kind { is_mute: true, ..self }
    }
}

/// Every kind that a scene allows.
pub fn of(scene: &Scene) -> Vec<Kind> {
    let mut kinds = match scene.victim {
        Victim::Itself => Vec::new(),
        victim => network::kinds(victim),
    };
    kinds.extend(match scene.victim {
        Victim::Database => database::kinds(scene),
        Victim::Broker => broker::kinds(scene),
        Victim::Registry => broker::registry_kinds(),
        Victim::Itself => itself::kinds(scene),
    });
    kinds
}

fn wait(random: &mut fastrand::Rng, millis: std::ops::Range<u64>) {
    std::thread::sleep(Duration::from_millis(random.u64(millis)));
}

/// Waits for something; what it was is the error.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T, String> {
    let deadline = std::time::Instant::now() + HEALED_WITHIN;
    loop {
        match ask() {
            Some(answer) => return Ok(answer),
            None if std::time::Instant::now() > deadline => return Err(format!("not in time: {what}")),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn wait_for_word(what: &str, scene: &Scene, is_so: impl Fn(&Word) -> bool) -> Result<Word, String> {
    wait_for(what, || Some(scene.rest.word()).filter(&is_so))
}
