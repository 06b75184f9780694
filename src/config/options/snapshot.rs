//! Reading what is there before streaming.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::{FROM_ZERO, NO_SNAPSHOT, POSITIVE};
use crate::model::modes::{SnapshotLockingMode, SnapshotMode, SnapshotTablesOrder, WatermarkStrategy};

const MODES: Kind = Kind::Word(
    &[
        "no_data",
        "recovery",
        "never",
        "initial",
        "when_needed",
        "always",
        "initial_only",
        "configuration_based",
        "custom",
    ],
    |word| SnapshotMode::parse(word).map(SnapshotMode::as_str),
);
const LOCKS: Kind =
    Kind::Word(SnapshotLockingMode::WORDS, |word| SnapshotLockingMode::parse(word).map(SnapshotLockingMode::as_str));
const ORDER: Kind =
    Kind::Word(SnapshotTablesOrder::WORDS, |word| SnapshotTablesOrder::parse(word).map(SnapshotTablesOrder::as_str));
const WATERMARKS: Kind =
    Kind::Word(WatermarkStrategy::WORDS, |word| WatermarkStrategy::parse(word).map(WatermarkStrategy::as_str));
const NO_CLASSES: &str = "it names a Java class";

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("snapshot.mode", MODES, "What is read before streaming. no_data reads the tables' definitions; recovery reads them again for a stored offset whose schema history is lost; never reads nothing. initial and when_needed run where an offset is stored. The others read rows and are refused until that is built in")
        .or("initial")
        .high(),
    row("snapshot.locking.mode", LOCKS, "How tables are held still while their definitions and the position are read").or("minimal").high().for_(Applies::BINLOG),
    row("snapshot.locking.mode", LOCKS, "How tables are held still").or("none").high().for_(Applies::POSTGRES),
    row("snapshot.lock.timeout.ms", Kind::Number(0, i64::MAX), "How long to wait for such a lock").or("10000").unit("ms"),
    data("snapshot.query.mode", Kind::Text, "select_all or custom").or("select_all").low(),
    row("snapshot.mode.custom.name", Kind::Text, "Name of a custom snapshot mode").low().refused(NO_CLASSES),
    row("snapshot.locking.mode.custom.name", Kind::Text, "Name of a custom locking mode").low().refused(NO_CLASSES),
    row("snapshot.query.mode.custom.name", Kind::Text, "Name of a custom query mode").low().refused(NO_CLASSES),
    data("snapshot.mode.configuration.based.snapshot.data", Kind::Bool, "Whether configuration_based reads rows").or("false").low(),
    data("snapshot.mode.configuration.based.snapshot.schema", Kind::Bool, "Whether configuration_based reads definitions").or("false").low(),
    data("snapshot.mode.configuration.based.start.stream", Kind::Bool, "Whether configuration_based streams").or("false").low(),
    data("snapshot.mode.configuration.based.snapshot.on.schema.error", Kind::Bool, "Whether configuration_based reads definitions again when they are lost").or("false").low(),
    data("snapshot.mode.configuration.based.snapshot.on.data.error", Kind::Bool, "Whether configuration_based reads rows again when the position is gone").or("false").low(),
    data("snapshot.include.collection.list", Kind::Regexes, "Tables that are read; all captured ones when it is empty"),
    data("snapshot.select.statement.overrides", Kind::List, "Tables with a SELECT of their own"),
    data("snapshot.select.statement.overrides.*", Kind::Text, "The SELECT of one table"),
    data("snapshot.fetch.size", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Rows fetched at a time").unit("rows"),
    data("min.row.count.to.stream.results", Kind::Number(0, i64::MAX), "Tables with more rows are streamed; 0 is all").or("1000").unit("rows").for_(Applies::BINLOG),
    data("snapshot.max.threads", Kind::Number(POSITIVE.0, POSITIVE.1), "Connections that read at once").or("1").high(),
    data("snapshot.max.threads.multiplier", Kind::Number(POSITIVE.0, POSITIVE.1), "Chunks of a table for each of them").or("1"),
    data("legacy.snapshot.max.threads", Kind::Bool, "One thread a table instead of chunks").or("false").low(),
    data("internal.legacy.snapshot.max.threads", Kind::Bool, "Old name of the same").or("false").low(),
    data("snapshot.tables.order.by.row.count", ORDER, "Which tables are read first").or("disabled"),
    data("snapshot.delay.ms", Kind::Number(0, i64::MAX), "Pause before the snapshot").or("0").unit("ms"),
    data("streaming.delay.ms", Kind::Number(0, i64::MAX), "Pause between snapshot and streaming").or("0").unit("ms"),
    data("snapshot.new.tables", Kind::Text, "Whether tables added to a filter are read (parallel) or not (off)"),
    data("snapshot.minimal.locks", Kind::Bool, "Old form of snapshot.locking.mode").low().for_(Applies::BINLOG),
    data("internal.snapshot.scan.all.columns.force", Kind::Bool, "Old way to find columns").or("false").low(),
    data("incremental.snapshot.chunk.size", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Rows of a chunk of an incremental snapshot").or("1024").unit("rows").high(),
    data("incremental.snapshot.allow.schema.changes", Kind::Bool, "Whether DDL may come during an incremental snapshot").or("false"),
    data("incremental.snapshot.watermarking.strategy", WATERMARKS, "How watermarks are written").or("INSERT_INSERT").low(),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Snapshot)
}

/// A row that only a snapshot of rows reads.
const fn data(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    row(name, kind, about).no_effect(NO_SNAPSHOT)
}
