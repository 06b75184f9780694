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
    row("headwater.canary.deadline.ms", MILLIS_OR_NEVER, "Where heartbeat.action.query is set: how long what it wrote may take to come with the stream and to be acknowledged, while nothing else comes, before the status says so; 0 is never")
        .or("30000"),
    row("headwater.connection.max.age.ms", Kind::Number(0, 2_678_400_000), "The age at which a connection to the database that works is made anew, against what is on the way and forgets old ones; costs a moment, and no record comes twice; 0 is never")
        .or("0"),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Lifecycle).for_(Applies::ALL).unit("ms").low()
}
