//! Verdicts in sentences: on what each rests, with the numbers.

use std::time::Duration;

use super::verdict::{Canary, Head, Observations, Seen, Stage, Verdict};
use crate::observe::metrics::ConnectorMetrics;
use crate::observe::pulse::Activity;
use crate::pipeline::status::Part;

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn waits(seen: &Seen) -> &'static str {
    match seen.activity {
        Activity::BlockedOnSource => "it waits for the database",
        Activity::BlockedOnBudget => "it waits for bytes that acknowledgements give back",
        Activity::BlockedOnNextStage => "it waits for the stage behind it",
        Activity::BlockedOnRegistry => "it waits for the schema registry",
        Activity::BlockedOnBroker => "it waits for the broker",
        Activity::BlockedOnStore => "it waits for the offset or history store",
        Activity::Working => "it says that it works",
        Activity::Idle => "it says that it has nothing to do",
        Activity::Stopped => "it has ended",
    }
}

/// For how long it has been so, as far as it is known when it is noticed.
pub(super) fn onset(seen: &Observations, verdict: Verdict) -> Duration {
    match verdict {
        Verdict::SourceSilent => seen.unheard,
        Verdict::SourceStuck => match seen.head {
            Head::Ahead(still) => still,
            Head::Unknown | Head::Reached => Duration::ZERO,
        },
        Verdict::PipelineStuck(stage, _) => stage_of(seen, stage).still,
        Verdict::BrokerStuck if seen.in_flight > 0 => seen.unacknowledged,
        Verdict::BrokerStuck => seen.producer.still,
        Verdict::DeliveryStuck => seen.overtaken,
        Verdict::Hung(_) => seen.attempting,
        Verdict::CommitStuck => seen.unstored.max(seen.storing),
        Verdict::CanaryLost => match seen.canary {
            Canary::InTheLog(time) | Canary::UnderWay(time) | Canary::Unread(time) => time,
            Canary::Home => Duration::ZERO,
        },
        Verdict::Undead => seen.ending.unwrap_or_default(),
        Verdict::Starting
        | Verdict::Flowing
        | Verdict::Idle
        | Verdict::Quiet
        | Verdict::Stopped
        | Verdict::Recovering(_)
        | Verdict::Refused => Duration::ZERO,
    }
}

fn stage_of(seen: &Observations, stage: Stage) -> &Seen {
    match stage {
        Stage::Reader => &seen.reader,
        Stage::Encoders => &seen.encoders,
        Stage::Producer => &seen.producer,
    }
}

/// Which hop has lost a marker.
fn lost(seen: &Observations, metrics: &ConnectorMetrics) -> String {
    match seen.canary {
        Canary::UnderWay(_) => "came with the stream, and what came with it is not acknowledged".to_owned(),
        Canary::InTheLog(_) | Canary::Home => "has not come with the stream".to_owned(),
        Canary::Unread(_) => {
            let why = match metrics.canary.unread.get() {
                why if why.is_empty() => "it has not come from there".to_owned(),
                why => why,
            };
            format!("came with the stream and was acknowledged, and is not read back from its topic: {why}")
        }
    }
}

/// The verdict in a sentence, with the numbers that it rests on.
pub(super) fn because(seen: &Observations, verdict: Verdict, metrics: &ConnectorMetrics) -> String {
    let behind_bytes = metrics.ladder.head.behind_bytes.get();
    match verdict {
        Verdict::Starting => "the connector is being built; nothing has flowed yet".to_owned(),
        Verdict::Flowing => match seen.head {
            Head::Ahead(_) if seen.unchanged >= Duration::from_secs(1) => format!(
                "the server's log is {behind_bytes} bytes ahead; no change has come for {}",
                seconds(seen.unchanged)
            ),
            Head::Ahead(_) | Head::Reached | Head::Unknown => "changes flow".to_owned(),
        },
        Verdict::Idle => "the stream is where the server's log ends, and the server is heard".to_owned(),
        Verdict::Quiet => format!(
            "nothing comes, and the server is heard; where its log ends has not been known for {}",
            seconds(seen.unknown)
        ),
        Verdict::Stopped => "it was asked to stop".to_owned(),
        Verdict::Recovering(Part::Source) => "the connection to the database is made again".to_owned(),
        Verdict::Recovering(Part::Registry) => "the schema registry does not answer and is asked again".to_owned(),
        Verdict::Recovering(Part::History) => "a schema change cannot be stored and is tried again".to_owned(),
        Verdict::Recovering(Part::Pipeline | Part::Watchdog) => "the pipeline is being built again".to_owned(),
        Verdict::Hung(part) => {
            let what = match part {
                Part::Source => "to connect to the database again",
                Part::Registry => "to ask the schema registry",
                Part::History => "to store a schema change",
                Part::Pipeline | Part::Watchdog => "to build the pipeline",
            };
            format!("an attempt {what} has not come back for {}", seconds(onset(seen, verdict)))
        }
        Verdict::SourceSilent => {
            format!(
                "not a byte has come from the database for {}, and the reader has not noticed",
                seconds(seen.unheard)
            )
        }
        Verdict::SourceStuck => format!(
            "the server's log is {behind_bytes} bytes ahead, and no change has come for {} while the server is heard",
            seconds(onset(seen, verdict))
        ),
        Verdict::PipelineStuck(stage, _) => {
            let found = stage_of(seen, stage);
            let (name, batches, still) = (stage.name(), found.waiting, seconds(found.still));
            format!("the {name} stage has {batches} batches, and none has come out for {still}: {}", waits(found))
        }
        Verdict::BrokerStuck => format!(
            "{} records are under way, and the broker has acknowledged nothing for {}",
            seen.in_flight,
            seconds(onset(seen, verdict))
        ),
        Verdict::DeliveryStuck => format!(
            "the broker acknowledges what comes later, and the oldest batch has not got its acknowledgement for {}: a \
             partition may be without a leader",
            seconds(onset(seen, verdict))
        ),
        Verdict::CommitStuck => {
            format!("records are acknowledged, and no position could be stored for {}", seconds(onset(seen, verdict)))
        }
        Verdict::CanaryLost => {
            format!("what was written to the database {} ago {}", seconds(onset(seen, verdict)), lost(seen, metrics))
        }
        Verdict::Undead => {
            format!("the pipeline was given up {} ago, and its threads have not ended", seconds(onset(seen, verdict)))
        }
        Verdict::Refused => "a person has to mend something".to_owned(),
    }
}
