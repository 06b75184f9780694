//! Where the stream starts and how it is watched: what this program adds, and Debezium's GTID options.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::FROM_ZERO;

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("headwater.start.position", Kind::Text, "Where to start without a stored position: latest, earliest, a file and position (mysql-bin.000003:4), or gtid: and a GTID set")
        .or("latest"),
    row("headwater.heartbeat.period.ms", Kind::Number(100, 3_600_000), "How often the server sends a heartbeat when it has nothing else to send")
        .or("1000")
        .unit("ms")
        .for_(Applies::ALL),
    row("headwater.silence.heartbeats", Kind::Number(2, 1_000), "After how many heartbeat periods of silence the connection is dropped and made again")
        .or("3")
        .unit("periods")
        .for_(Applies::ALL),
    row("headwater.reconnect.backoff.ms", Kind::Number(1, 600_000), "Pause before the first new attempt to connect; it doubles, with jitter")
        .or("100")
        .unit("ms")
        .low()
        .for_(Applies::ALL),
    row("headwater.reconnect.backoff.max.ms", Kind::Number(1, 3_600_000), "Longest such pause").or("10000").unit("ms").low().for_(Applies::ALL),
    row("gtid.source.includes", Kind::List, "Server UUIDs (MySQL) or domain ids (MariaDB) whose transactions are followed; expressions are allowed"),
    row("gtid.source.excludes", Kind::List, "Server UUIDs or domain ids whose transactions are not followed; expressions are allowed"),
    row("gtid.source.filter.dml.events", Kind::Bool, "Whether events of sources that are not followed are left out").or("true"),
    row("gtid.ignore.on.recovery", Kind::Bool, "Whether to resume by file and position although the server has GTIDs").or("false").low(),
    row("binlog.buffer.size", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Look-ahead for transactions that are rolled back")
        .or("0")
        .low()
        .no_effect("a rolled back transaction does not reach the binlog of transactional tables"),
    row("query.fetch.size", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Rows fetched at a time while streaming")
        .or("0")
        .low()
        .for_(Applies::ALL)
        .no_effect("the stream is not read by queries"),
    row("gtid.new.channel.position", Kind::Text, "Where a new GTID source starts")
        .low()
        .no_effect("Debezium 1.9 removed it: a new source is followed from its first transaction"),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Streaming).for_(Applies::BINLOG)
}
