//! What is done about a verdict: pure, and bounded.
//!
//! In: the verdict, how long it has lasted, what was done about it already. Out: what is next, and when. Each action does
//! more than the one before it, and each repetition waits longer.

use std::time::Duration;

use super::verdict::Verdict;
use crate::observe::pulse::Activity;

/// The longest wait between two attempts to mend the same thing.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// New connections that are made for one incident before the pipeline is built again.
const RENEWALS: u32 = 2;

/// How much longer is waited before the pipeline is built again over those who ask again by themselves, such as for the
/// registry.
const PATIENCE: u32 = 8;

/// Something that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The reader drops its connection and makes a new one.
    RenewSource,
    /// The pipeline is given up and built again from the stored position.
    RestartPipeline,
    /// The process says that it cannot mend itself, stops what can be stopped, and ends.
    GiveUp,
}

impl Action {
    /// What was done, in words.
    pub fn words(self) -> &'static str {
        match self {
            Action::RenewSource => "the connection to the database is dropped and made again",
            Action::RestartPipeline => "the pipeline is given up and built again from the stored position",
            Action::GiveUp => "the process ends with exit code 75, to be started anew by its supervisor",
        }
    }
}

/// What was done in this incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// New connections.
    pub renewals: u32,
    /// New attempts.
    pub restarts: u32,
    /// Whether the process was given up.
    pub given_up: bool,
    /// Since the last of them; since the incident was noticed when there is none.
    pub since_last: Duration,
}

/// How actions are bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `headwater.watchdog.restart.after.ms`.
    pub restart_after: Duration,
    /// Whether `errors.max.retries` is without limit. Where it is not, a broker that is away is left to the producer's own
    /// deadline: new attempts would use up the few that are allowed.
    pub may_restart_for_broker: bool,
}

/// What is next, and how long until then; `None` when it is for others to act, or nobody can.
pub fn next(verdict: Verdict, done: Done, bounds: &Bounds) -> Option<(Action, Duration)> {
    let wait = bounds.restart_after.saturating_mul(1 << done.restarts.min(10)).min(LONGEST_WAIT);
    let left = |wait: Duration| wait.saturating_sub(done.since_last);
    let restart = |first: Duration| {
        let wait = if done.restarts + done.renewals == 0 { first } else { wait };
        Some((Action::RestartPipeline, left(wait)))
    };
    match verdict {
        Verdict::Starting
        | Verdict::Flowing
        | Verdict::Idle
        | Verdict::Quiet
        | Verdict::Stopped
        | Verdict::Recovering(_)
        | Verdict::Refused => None,
        Verdict::SourceStuck if done.renewals < RENEWALS && done.restarts == 0 => {
            let wait = if done.renewals == 0 { Duration::ZERO } else { bounds.restart_after };
            Some((Action::RenewSource, left(wait)))
        }
        Verdict::SourceStuck => restart(bounds.restart_after),
        Verdict::SourceSilent | Verdict::Hung(_) => restart(Duration::ZERO),
        Verdict::BrokerStuck | Verdict::DeliveryStuck | Verdict::CommitStuck if !bounds.may_restart_for_broker => None,
        // A new producer may help; but all that was delivered behind the oldest batch comes again each time.
        Verdict::DeliveryStuck | Verdict::PipelineStuck(_, Activity::BlockedOnStore | Activity::BlockedOnRegistry) => {
            Some((Action::RestartPipeline, left(wait.saturating_mul(PATIENCE).min(LONGEST_WAIT))))
        }
        Verdict::PipelineStuck(..) | Verdict::BrokerStuck | Verdict::CommitStuck | Verdict::CanaryLost => {
            restart(bounds.restart_after)
        }
        Verdict::Undead if done.given_up => None,
        Verdict::Undead => Some((Action::GiveUp, Duration::ZERO)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::status::Part;
    use crate::watchdog::verdict::Stage;

    const AFTER: Duration = Duration::from_secs(15);

    fn check(verdict: Verdict, done: (u32, u32, u64), expected: Option<(Action, u64)>) {
        let (renewals, restarts, seconds) = done;
        let since_last = Duration::from_secs(seconds);
        let done = Done { renewals, restarts, given_up: false, since_last };
        let bounds = Bounds { restart_after: AFTER, may_restart_for_broker: true };
        let expected = expected.map(|(action, seconds)| (action, Duration::from_secs(seconds)));
        assert_eq!(next(verdict, done, &bounds), expected, "{verdict:?} {done:?}");
    }

    #[test]
    fn actions_grow_and_wait_longer_each_time() {
        use Action::{GiveUp, RenewSource, RestartPipeline};
        check(Verdict::SourceStuck, (0, 0, 0), Some((RenewSource, 0)));
        check(Verdict::SourceStuck, (1, 0, 5), Some((RenewSource, 10)));
        check(Verdict::SourceStuck, (2, 0, 5), Some((RestartPipeline, 10)));
        check(Verdict::SourceStuck, (2, 1, 5), Some((RestartPipeline, 25)));
        check(Verdict::SourceSilent, (0, 0, 0), Some((RestartPipeline, 0)));
        check(Verdict::SourceSilent, (0, 1, 0), Some((RestartPipeline, 30)));
        for verdict in [Verdict::BrokerStuck, Verdict::CommitStuck, Verdict::CanaryLost] {
            check(verdict, (0, 0, 0), Some((RestartPipeline, 15)));
            check(verdict, (0, 2, 60), Some((RestartPipeline, 0)));
            check(verdict, (0, 30, 0), Some((RestartPipeline, 600)));
        }
        check(Verdict::DeliveryStuck, (0, 0, 20), Some((RestartPipeline, 100)));
        check(Verdict::DeliveryStuck, (0, 1, 0), Some((RestartPipeline, 240)));
        check(Verdict::Hung(Part::Source), (0, 0, 0), Some((RestartPipeline, 0)));
        check(Verdict::Hung(Part::Source), (0, 1, 0), Some((RestartPipeline, 30)));
        check(Verdict::PipelineStuck(Stage::Encoders, Activity::Working), (0, 0, 20), Some((RestartPipeline, 0)));
        check(
            Verdict::PipelineStuck(Stage::Encoders, Activity::BlockedOnRegistry),
            (0, 0, 20),
            Some((RestartPipeline, 100)),
        );
        check(Verdict::Undead, (0, 1, 0), Some((GiveUp, 0)));
        for verdict in
            [Verdict::Idle, Verdict::Quiet, Verdict::Flowing, Verdict::Refused, Verdict::Recovering(Part::Source)]
        {
            check(verdict, (0, 0, 100), None);
        }
    }

    #[test]
    fn few_retries_are_not_spent_on_a_broker_that_is_away() {
        let bounds = Bounds { restart_after: AFTER, may_restart_for_broker: false };
        assert_eq!(next(Verdict::BrokerStuck, Done::default(), &bounds), None);
        assert!(next(Verdict::SourceStuck, Done::default(), &bounds).is_some());
    }
}
