//! The table of verdicts, and that idle and stuck are never taken for each other.

#![allow(clippy::unwrap_used)]

use super::*;

const S: Duration = Duration::from_secs(1);

fn deadlines() -> Deadlines {
    Deadlines {
        silence: 8 * S,
        source: 5 * S,
        pipeline: 5 * S,
        broker: 5 * S,
        commit: 65 * S,
        store: 5 * S,
        exit: Some(30 * S),
        attempt: Some(60 * S),
        canary: Some(30 * S),
    }
}

/// A connector that is idle and whose head is known.
fn idle() -> Observations {
    let seen = |activity| Seen { activity, waiting: 0, still: Duration::ZERO };
    Observations {
        state: State::Running,
        trouble: None,
        attempting: Duration::ZERO,
        ending: None,
        unheard: S / 2,
        unchanged: 3600 * S,
        head: Head::Reached,
        unknown: Duration::ZERO,
        reader: seen(Activity::BlockedOnSource),
        encoders: seen(Activity::Idle),
        producer: seen(Activity::Idle),
        outstanding_bytes: 0,
        in_flight: 0,
        unacknowledged: Duration::ZERO,
        overtaken: Duration::ZERO,
        unstored: Duration::ZERO,
        storing: Duration::ZERO,
        canary: Canary::Home,
    }
}

fn check(change: impl Fn(&mut Observations), expected: Verdict) {
    let mut seen = idle();
    change(&mut seen);
    assert_eq!(seen.verdict(&deadlines()), expected, "{seen:?}");
}

fn seen(activity: Activity, waiting: u64, still: Duration) -> Seen {
    Seen { activity, waiting, still }
}

#[test]
fn what_the_pipeline_says_of_itself_comes_first() {
    check(|_| {}, Verdict::Idle);
    check(|o| o.state = State::Failed, Verdict::Refused);
    check(|o| (o.state, o.ending) = (State::Failed, Some(100 * S)), Verdict::Refused);
    check(|o| o.state = State::Stopped, Verdict::Stopped);
    check(|o| o.state = State::Unassigned, Verdict::Starting);
    for part in [Part::Source, Part::Registry, Part::History, Part::Pipeline] {
        check(|o| (o.state, o.trouble) = (State::Restarting, Some(part)), Verdict::Recovering(part));
    }
    for part in [Part::Source, Part::Registry, Part::History, Part::Pipeline] {
        check(|o| (o.state, o.trouble, o.attempting) = (State::Restarting, Some(part), 60 * S), Verdict::Hung(part));
    }
    check(|o| (o.state, o.attempting) = (State::Unassigned, 59 * S), Verdict::Starting);
    check(|o| (o.state, o.attempting) = (State::Unassigned, 60 * S), Verdict::Hung(Part::Pipeline));
    check(|o| o.ending = Some(Duration::ZERO), Verdict::Recovering(Part::Pipeline));
    check(|o| o.ending = Some(29 * S), Verdict::Recovering(Part::Pipeline));
    check(|o| o.ending = Some(30 * S), Verdict::Undead);
    // Only the watchdog's own word keeps it from RUNNING: what is seen decides whether that is still so.
    check(|o| o.state = State::Restarting, Verdict::Idle);
}

#[test]
fn what_stands_still_is_named() {
    use Activity as A;
    check(|o| (o.in_flight, o.unacknowledged) = (1, 5 * S), Verdict::BrokerStuck);
    check(|o| (o.in_flight, o.unacknowledged) = (1, 4 * S), Verdict::Flowing);
    check(|o| (o.in_flight, o.unacknowledged) = (0, 100 * S), Verdict::Idle);
    check(|o| o.producer = seen(A::BlockedOnBroker, 1, 5 * S), Verdict::BrokerStuck);
    check(
        |o| o.producer = seen(A::BlockedOnStore, 1, 5 * S),
        Verdict::PipelineStuck(Stage::Producer, A::BlockedOnStore),
    );
    check(|o| o.producer = seen(A::Working, 1, 5 * S), Verdict::PipelineStuck(Stage::Producer, A::Working));
    check(|o| o.producer = seen(A::Working, 0, 500 * S), Verdict::Idle);
    check(|o| o.encoders = seen(A::Working, 3, 5 * S), Verdict::PipelineStuck(Stage::Encoders, A::Working));
    check(|o| o.encoders = seen(A::Working, 3, 4 * S), Verdict::Flowing);
    let holding = Verdict::PipelineStuck(Stage::Reader, A::BlockedOnBudget);
    check(|o| o.reader = seen(A::BlockedOnBudget, 1, 5 * S), holding);
    check(|o| o.unheard = 8 * S, Verdict::SourceSilent);
    check(|o| o.unheard = 7 * S, Verdict::Idle);
    check(|o| o.head = Head::Ahead(5 * S), Verdict::SourceStuck);
    check(|o| o.head = Head::Ahead(4 * S), Verdict::Flowing);
    check(|o| o.unstored = 65 * S, Verdict::CommitStuck);
    check(|o| o.unstored = 64 * S, Verdict::Idle);
    check(|o| o.storing = 5 * S, Verdict::CommitStuck);
    check(|o| (o.in_flight, o.overtaken) = (1, 5 * S), Verdict::DeliveryStuck);
    check(|o| (o.in_flight, o.overtaken) = (1, 4 * S), Verdict::Flowing);
    check(|o| (o.in_flight, o.overtaken, o.outstanding_bytes) = (1, 5 * S, 160 << 20), Verdict::Flowing);
    for lost in [Canary::InTheLog, Canary::UnderWay] {
        check(|o| o.canary = lost(30 * S), Verdict::CanaryLost);
        check(|o| o.canary = lost(29 * S), Verdict::Idle);
        check(|o| (o.canary, o.unchanged) = (lost(300 * S), 29 * S), Verdict::Idle);
        check(|o| (o.canary, o.head) = (lost(300 * S), Head::Ahead(S)), Verdict::Flowing);
    }
    // A server that decodes says nothing, and where its log ends is not known.
    check(|o| (o.canary, o.head) = (Canary::InTheLog(119 * S), Head::Unknown), Verdict::Quiet);
    check(|o| (o.canary, o.head) = (Canary::InTheLog(120 * S), Head::Unknown), Verdict::CanaryLost);
    check(|o| (o.canary, o.head) = (Canary::UnderWay(30 * S), Head::Unknown), Verdict::CanaryLost);
    // What is acknowledged is there to be read, whatever else comes.
    check(|o| (o.canary, o.unchanged) = (Canary::Unread(29 * S), S), Verdict::Idle);
    check(|o| (o.canary, o.unchanged) = (Canary::Unread(30 * S), S), Verdict::CanaryLost);
    check(|o| (o.canary, o.head) = (Canary::Unread(30 * S), Head::Ahead(S)), Verdict::CanaryLost);
    check(|o| o.head = Head::Unknown, Verdict::Quiet);
}

#[test]
fn the_blame_lies_nearest_to_the_broker() {
    use Activity as A;
    let all = |o: &mut Observations| {
        (o.in_flight, o.unacknowledged) = (10, 9 * S);
        o.producer = seen(A::BlockedOnBroker, 4, 9 * S);
        o.encoders = seen(A::BlockedOnNextStage, 4, 9 * S);
        o.reader = seen(A::BlockedOnNextStage, 1, 9 * S);
        (o.head, o.unchanged, o.unstored) = (Head::Ahead(9 * S), 9 * S, 99 * S);
    };
    check(all, Verdict::BrokerStuck);
    check(
        |o| {
            all(o);
            (o.in_flight, o.producer) = (0, seen(A::Idle, 0, Duration::ZERO));
        },
        Verdict::PipelineStuck(Stage::Encoders, A::BlockedOnNextStage),
    );
    // A reader that waits for those behind it is not accused of what it does not read, however far the head is.
    check(
        |o| {
            o.reader = seen(A::BlockedOnBudget, 1, 4 * S);
            (o.head, o.unchanged) = (Head::Ahead(60 * S), 60 * S);
        },
        Verdict::Flowing,
    );
    // One that has just brought something neither.
    check(|o| (o.head, o.unchanged) = (Head::Ahead(60 * S), S), Verdict::Flowing);
}

#[test]
fn a_large_amount_under_way_has_its_time() {
    let large = |still| {
        move |o: &mut Observations| {
            o.outstanding_bytes = 320 << 20;
            o.encoders = seen(Activity::Working, 1, still);
        }
    };
    check(large(24 * S), Verdict::Flowing);
    check(large(25 * S), Verdict::PipelineStuck(Stage::Encoders, Activity::Working));
}

/// Every combination of what may be seen: the word is one of an incident exactly if something stands still for its
/// deadline or longer that has a reason to move.
#[test]
fn idle_and_stuck_are_never_taken_for_each_other() {
    let times = [Duration::ZERO, S, 5 * S, 8 * S, 65 * S, 86_400 * S];
    let heads = |still| [Head::Unknown, Head::Reached, Head::Ahead(still)];
    let mut looked = 0;
    for reader in [Activity::BlockedOnSource, Activity::BlockedOnBudget] {
        for still in times {
            for quiet in times {
                for head in heads(still) {
                    for (waiting, in_flight) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                        let mut o = idle();
                        o.reader =
                            seen(reader, 0, if reader == Activity::BlockedOnBudget { still } else { Duration::ZERO });
                        (o.head, o.unchanged, o.unheard) = (head, quiet, Duration::ZERO);
                        o.encoders = seen(Activity::Working, waiting, if waiting > 0 { still } else { Duration::ZERO });
                        (o.in_flight, o.unacknowledged) = (in_flight, still);
                        let listens = reader == Activity::BlockedOnSource;
                        let source = matches!(head, Head::Ahead(_)) && still >= 5 * S && quiet >= 5 * S && listens;
                        let stuck = source
                            || (still >= 5 * S
                                && (waiting > 0 || in_flight > 0 || reader == Activity::BlockedOnBudget));
                        let verdict = o.verdict(&deadlines());
                        assert_eq!(verdict.is_incident(), stuck, "{verdict:?} for {o:?}");
                        assert_eq!(verdict.is_good(), !stuck, "{verdict:?} for {o:?}");
                        let nothing = waiting == 0 && in_flight == 0 && !matches!(head, Head::Ahead(_)) && quiet >= S;
                        let rest = if head == Head::Unknown { Verdict::Quiet } else { Verdict::Idle };
                        assert_eq!(verdict == rest, nothing && !stuck, "{verdict:?} for {o:?}");
                        looked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(looked, 2 * 6 * 6 * 3 * 4);
}

#[test]
fn every_verdict_has_a_name_of_its_own() {
    let named = [
        Verdict::Starting,
        Verdict::Flowing,
        Verdict::Idle,
        Verdict::Quiet,
        Verdict::Stopped,
        Verdict::Recovering(Part::Source),
        Verdict::Recovering(Part::Registry),
        Verdict::Recovering(Part::History),
        Verdict::Recovering(Part::Pipeline),
        Verdict::Hung(Part::Source),
        Verdict::SourceSilent,
        Verdict::SourceStuck,
        Verdict::PipelineStuck(Stage::Reader, Activity::Working),
        Verdict::BrokerStuck,
        Verdict::DeliveryStuck,
        Verdict::CommitStuck,
        Verdict::CanaryLost,
        Verdict::Undead,
        Verdict::Refused,
    ];
    let names: std::collections::BTreeSet<&str> = named.iter().map(|verdict| verdict.name()).collect();
    assert_eq!(names.len(), named.len(), "{names:?}");
}
