//! The watchdog's deadlines: how soon it notices, what it does, and what that costs.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};

const MILLIS: Kind = Kind::Number(100, 3_600_000);
const MILLIS_OR_NEVER: Kind = Kind::Number(0, 3_600_000);

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("headwater.watchdog.head.interval.ms", MILLIS_OR_NEVER, "How often the server is asked where its log ends, so that a stream that stands still is told from a server that is idle; costs one more connection and a cheap question, 0 is never")
        .or("1000"),
    row("headwater.watchdog.source.deadline.ms", MILLIS, "How long the server's log may be ahead of a stream that brings nothing before a new connection is made; a new connection costs a moment and no record twice")
        .or("5000"),
    row("headwater.watchdog.pipeline.deadline.ms", MILLIS, "How long a stage may have work and not get on before the status says so; a second more is allowed for each 16 MiB under way")
        .or("5000"),
    row("headwater.watchdog.broker.deadline.ms", MILLIS, "How long records may be under way without any acknowledgement before the status says so")
        .or("5000"),
    row("headwater.watchdog.commit.deadline.ms", MILLIS, "How long, beyond offset.flush.interval.ms, a position that could be stored may not be before the status says so")
        .or("5000"),
    row("headwater.watchdog.restart.after.ms", MILLIS, "How long a stage, the broker or the offset store may be stuck before the pipeline is built again from the stored position; what was not acknowledged then comes again")
        .or("15000"),
    row("headwater.watchdog.exit.after.ms", MILLIS_OR_NEVER, "How long a pipeline that was given up may take to end before the process exits with code 75, so that its supervisor starts it anew; 0 is never")
        .or("30000"),
    row("headwater.canary.deadline.ms", MILLIS_OR_NEVER, "Where heartbeat.action.query is set, or headwater.canary.signal.table: how long what they wrote may take to come with the stream and to be acknowledged, while nothing else comes, and to be read back from its topic, before the status says so; 0 is never")
        .or("30000"),
    option("headwater.canary.signal.table", Kind::Bool, "Whether the canary may write to the table of signal.data.collection (columns id, type and data): a row of type headwater-canary with each heartbeat, in place of those it wrote before. The user needs INSERT and DELETE on it; a Debezium that reads the same table logs that it does not know the type, and does nothing")
        .under(Group::Lifecycle)
        .for_(Applies::ALL)
        .low()
        .or("false"),
    row("headwater.canary.interval.ms", MILLIS, "How often the canary writes to the signal table where heartbeat.interval.ms is 0")
        .or("10000"),
    option("headwater.canary.read.back", Kind::Bool, "Whether what came with the canary's marker is read back from its topic. Costs a consumer without a group and one fetch for each marker; where the topic may not be read or the marker's table is not captured, the broker's acknowledgement is the proof, and that is said once")
        .under(Group::Lifecycle)
        .for_(Applies::ALL)
        .low()
        .or("true"),
    row("headwater.connection.max.age.ms", Kind::Number(0, 2_678_400_000), "The age at which a connection to the database that works is made anew, against what is on the way and forgets old ones; costs a moment, and no record comes twice; 0 is never")
        .or("0"),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Lifecycle).for_(Applies::ALL).unit("ms").low()
}
