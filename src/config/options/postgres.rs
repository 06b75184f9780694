//! What only PostgreSQL has.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::{FROM_ZERO, NO_SNAPSHOT, POSITIVE};
use crate::model::modes::{
    HstoreHandlingMode, IntervalHandlingMode, LsnFlushMode, OffsetMismatchStrategy, PostgresSslMode,
    PublicationAutocreateMode,
};

const ANY_NUMBER: Kind = Kind::Number(i64::MIN, i64::MAX);
const SSL: Kind = Kind::Word(PostgresSslMode::WORDS, |word| PostgresSslMode::parse(word).map(PostgresSslMode::as_str));
const AUTOCREATE: Kind = Kind::Word(PublicationAutocreateMode::WORDS, |word| {
    PublicationAutocreateMode::parse(word).map(PublicationAutocreateMode::as_str)
});
const MISMATCH: Kind = Kind::Word(OffsetMismatchStrategy::WORDS, |word| {
    OffsetMismatchStrategy::parse(word).map(OffsetMismatchStrategy::as_str)
});
const FLUSH: Kind = Kind::Word(LsnFlushMode::WORDS, |word| LsnFlushMode::parse(word).map(LsnFlushMode::as_str));
const HSTORE: Kind =
    Kind::Word(HstoreHandlingMode::WORDS, |word| HstoreHandlingMode::parse(word).map(HstoreHandlingMode::as_str));
const INTERVAL: Kind =
    Kind::Word(IntervalHandlingMode::WORDS, |word| IntervalHandlingMode::parse(word).map(IntervalHandlingMode::as_str));

const NO_WAIT: &str = "the confirmed position is sent by a thread that waits for nothing";

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("database.sslmode", SSL, "TLS towards the server")
        .or("prefer")
        .high(),
    row("database.sslcert", Kind::Text, "The client's certificate"),
    row("database.sslkey", Kind::Text, "The client's key"),
    row("database.sslpassword", Kind::Password, "Password of the client's key"),
    row("database.sslrootcert", Kind::Text, "The authorities to trust"),
    row("database.sslfactory", Kind::Class, "Class that makes TLS sockets").low().refused("it names a Java class; database.sslmode and the certificates beside it say how TLS is made"),
    row("database.tcpKeepAlive", Kind::Bool, "Whether TCP keep-alive is on").or("true"),
    row("plugin.name", Kind::Text, "The plugin that decodes the log: pgoutput. Debezium's default, decoderbufs, is not read here").or("decoderbufs").high(),
    row("slot.name", Kind::Text, "The replication slot").or("debezium").high(),
    row("slot.drop.on.stop", Kind::Bool, "Whether the slot is dropped on a clean stop, once everything is delivered; the next start makes a new one and passes over what happened between")
        .or("false"),
    row("slot.failover", Kind::Bool, "Whether the slot survives a failover (PostgreSQL 17)").or("false"),
    row("slot.stream.params", Kind::Text, "Options for the plugin, separated by ';'").low(),
    row("slot.max.retries", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Attempts to use the slot").or("6"),
    row("slot.retry.delay.ms", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Pause between them").or("10000").unit("ms"),
    row("headwater.slot.takeover", Kind::Bool, "Whether another process that still reads from the slot after slot.retry.delay.ms is ended (pg_terminate_backend), for a predecessor that hangs. Otherwise it is waited for and named").or("false").low(),
    row("offset.mismatch.strategy", MISMATCH, "What is believed when the slot is ahead of the stored position. Where it is not set that is an error, because changes between the two may be lost")
        .or("no_validation"),
    row("internal.slot.seek.to.known.offset.on.start", Kind::Bool, "Old form of offset.mismatch.strategy=trust_offset")
        .or("false")
        .low(),
    row(
        "internal.create.slot.command.timeout",
        Kind::Number(POSITIVE.0, POSITIVE.1),
        "How long making the slot may take",
    )
    .or("90")
    .unit("s")
    .low(),
    row("publication.name", Kind::Text, "The publication").or("dbz_publication").high(),
    row("publication.autocreate.mode", AUTOCREATE, "What a publication that is not there is made for")
        .or("all_tables")
        .high(),
    row("publish.via.partition.root", Kind::Bool, "Whether changes of partitions appear under their root").or("false"),
    row("replica.identity.autoset.values", Kind::Text, "Replica identities to set, a list of expression:identity"),
    row("status.update.interval.ms", Kind::Number(POSITIVE.0, POSITIVE.1), "How often the confirmed position is sent")
        .or("10000")
        .unit("ms"),
    row("lsn.flush.mode", FLUSH, "Who moves the slot; in both connector modes it also moves while nothing is captured").or("connector"),
    row("flush.lsn.source", Kind::Bool, "Old form of lsn.flush.mode").or("true").low(),
    row("lsn.flush.timeout.ms", ANY_NUMBER, "Longest wait for a flush").or("30000").unit("ms").no_effect(NO_WAIT),
    row("lsn.flush.timeout.action", Kind::Text, "fail, warn or ignore").or("fail").no_effect(NO_WAIT),
    row("xmin.fetch.interval.ms", ANY_NUMBER, "How often the slot's xmin is read; 0 is never").or("0").unit("ms"),
    row("message.prefix.include.list", Kind::Regexes, "Logical messages that are captured, by prefix"),
    row("message.prefix.exclude.list", Kind::Regexes, "Logical messages that are not captured, by prefix"),
    row("include.unknown.datatypes", Kind::Bool, "Whether types that are not known come out as bytes").or("false"),
    row("schema.refresh.mode", Kind::Text, "columns_diff or columns_diff_exclude_unchanged_toast")
        .or("columns_diff")
        .no_effect("the stream itself tells every change of a table's columns"),
    row("headwater.transaction.streaming", Kind::Bool, "Whether large transactions are received while they are open (PostgreSQL 14 and later), held here, and delivered at their commit: sooner, and without the server writing them to its disk (logical_decoding_work_mem). Otherwise the server holds them, as it does for Debezium")
        .or("false"),
    row("headwater.transaction.memory.bytes", Kind::Number(65_536, 1 << 40), "How much of all open transactions is held in memory; beyond it the largest goes to a file")
        .or("33554432")
        .unit("bytes"),
    row("headwater.transaction.folder", Kind::Text, "Where those files are made; they have no name there and vanish with the process. Otherwise the temporary folder ($TMPDIR, /tmp)"),
    row("headwater.transaction.folder.bytes", Kind::Number(1 << 20, 1 << 50), "What those files may take together; a transaction that would need more is left to the server. Otherwise what the folder has")
        .unit("bytes"),
    row("hstore.handling.mode", HSTORE, "How HSTORE is written").or("json"),
    row("interval.handling.mode", INTERVAL, "How INTERVAL is written").or("numeric"),
    row("money.fraction.digits", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Digits of MONEY after the point").or("2"),
    row("snapshot.isolation.mode", Kind::Text, "serializable, repeatable_read, read_committed or read_uncommitted")
        .or("serializable")
        .no_effect(NO_SNAPSHOT),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Replication).for_(Applies::POSTGRES)
}
