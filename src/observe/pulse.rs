//! A stage's pulse: what it does, on whom it waits, when it last got on, how much went in and out.
//!
//! The watchdog turns pulses into verdicts; until then `/metrics` shows them.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};

/// What a stage is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Activity {
    /// Not started, or ended.
    Stopped = 0,
    /// Nothing to do.
    Idle = 1,
    /// At work.
    Working = 2,
    /// Waits for the database.
    BlockedOnSource = 3,
    /// Waits for bytes to be given back by the broker's acknowledgements.
    BlockedOnBudget = 4,
    /// Waits for a later stage to take what it has.
    BlockedOnNextStage = 5,
    /// Waits for the schema registry.
    BlockedOnRegistry = 6,
    /// Waits for the broker.
    BlockedOnBroker = 7,
    /// Waits for the offset or history store.
    BlockedOnStore = 8,
}

impl Activity {
    /// Every activity, for those who list them.
    pub const ALL: [Activity; 9] = [
        Activity::Stopped,
        Activity::Idle,
        Activity::Working,
        Activity::BlockedOnSource,
        Activity::BlockedOnBudget,
        Activity::BlockedOnNextStage,
        Activity::BlockedOnRegistry,
        Activity::BlockedOnBroker,
        Activity::BlockedOnStore,
    ];

    /// Whether a stage that says so has something in its hands that it cannot hand over.
    pub fn holds(self) -> bool {
        matches!(self, Activity::BlockedOnBudget | Activity::BlockedOnNextStage)
    }

    /// The activity as a label.
    pub fn name(self) -> &'static str {
        match self {
            Activity::Stopped => "stopped",
            Activity::Idle => "idle",
            Activity::Working => "working",
            Activity::BlockedOnSource => "blocked_on_source",
            Activity::BlockedOnBudget => "blocked_on_budget",
            Activity::BlockedOnNextStage => "blocked_on_next_stage",
            Activity::BlockedOnRegistry => "blocked_on_registry",
            Activity::BlockedOnBroker => "blocked_on_broker",
            Activity::BlockedOnStore => "blocked_on_store",
        }
    }
}

/// One stage's pulse. Written by its stage, read by anyone.
#[derive(Debug, Default)]
pub struct Pulse {
    activity: AtomicU8,
    last_progress_ns: AtomicI64,
    items_in: AtomicU64,
    items_out: AtomicU64,
    largest_in: AtomicU64,
    asking_registry: AtomicU32,
}

/// While it lives, one worker of a stage waits for the schema registry.
#[derive(Debug)]
pub struct RegistryWait<'p>(&'p Pulse);

impl Drop for RegistryWait<'_> {
    fn drop(&mut self) {
        self.0.asking_registry.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pulse {
    /// One worker waits for the registry from now on. As long as one does, the stage says so, whatever the others do:
    /// what they make must wait for it.
    pub fn wait_for_registry(&self) -> RegistryWait<'_> {
        self.asking_registry.fetch_add(1, Ordering::Relaxed);
        RegistryWait(self)
    }

    /// Says what the stage does from now on.
    pub fn set(&self, activity: Activity) {
        #[cfg(debug_assertions)]
        if activity != Activity::Stopped {
            super::sabotage::strike();
        }
        self.activity.store(activity as u8, Ordering::Relaxed);
    }

    /// Notes progress: items taken in, items given out, at a time in nanoseconds since the epoch.
    pub fn progress(&self, items_in: u64, items_out: u64, now_ns: i64) {
        self.items_in.fetch_add(items_in, Ordering::Relaxed);
        self.largest_in.fetch_max(items_in, Ordering::Relaxed);
        self.items_out.fetch_add(items_out, Ordering::Relaxed);
        self.last_progress_ns.store(now_ns, Ordering::Relaxed);
    }

    /// What the stage does.
    pub fn activity(&self) -> Activity {
        if self.asking_registry.load(Ordering::Relaxed) > 0 {
            return Activity::BlockedOnRegistry;
        }
        let number = self.activity.load(Ordering::Relaxed);
        Activity::ALL.get(usize::from(number)).copied().unwrap_or(Activity::Stopped)
    }

    /// When it last got on, in nanoseconds since the epoch; 0 for never.
    pub fn last_progress_ns(&self) -> i64 {
        self.last_progress_ns.load(Ordering::Relaxed)
    }

    /// The most items that were taken in at once.
    pub fn largest_in(&self) -> u64 {
        self.largest_in.load(Ordering::Relaxed)
    }

    /// Items taken in and given out since the process started.
    pub fn items(&self) -> (u64, u64) {
        (self.items_in.load(Ordering::Relaxed), self.items_out.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_worker_that_waits_for_the_registry_speaks_for_its_stage() {
        let pulse = Pulse::default();
        let waits = pulse.wait_for_registry();
        pulse.set(Activity::Idle);
        assert_eq!(pulse.activity(), Activity::BlockedOnRegistry);
        drop(waits);
        assert_eq!(pulse.activity(), Activity::Idle);
    }
}
