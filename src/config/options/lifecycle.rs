//! Queues, errors, stopping.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::{FROM_ZERO, POSITIVE, old};
use crate::model::modes::{EventConvertingFailureHandlingMode, EventProcessingFailureHandlingMode, GuardrailAction};

const PROCESSING: Kind = Kind::Word(EventProcessingFailureHandlingMode::WORDS, |word| {
    EventProcessingFailureHandlingMode::parse(word).map(EventProcessingFailureHandlingMode::as_str)
});
const CONVERTING: Kind = Kind::Word(EventConvertingFailureHandlingMode::WORDS, |word| {
    EventConvertingFailureHandlingMode::parse(word).map(EventConvertingFailureHandlingMode::as_str)
});
const GUARDRAIL: Kind =
    Kind::Word(GuardrailAction::WORDS, |word| GuardrailAction::parse(word).map(GuardrailAction::as_str));

const BY_BYTES: &str = "what is under way is bounded by max.queue.size.in.bytes, and goes on as soon as it is there";

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("max.batch.size", Kind::Number(POSITIVE.0, POSITIVE.1), "Events handed on at a time").or("2048").unit("records").no_effect(BY_BYTES),
    row("max.queue.size", Kind::Number(POSITIVE.0, POSITIVE.1), "Events that may wait; more than max.batch.size").or("8192").unit("records").no_effect(BY_BYTES),
    row("max.queue.size.in.bytes", Kind::Number(0, i64::MAX), "Bytes that may be under way from the server to the broker's acknowledgement; 0 is this program's own bound of 32 MiB").or("0").unit("bytes"),
    row("poll.interval.ms", Kind::Number(POSITIVE.0, POSITIVE.1), "Pause when there was nothing to hand on").or("500").unit("ms").no_effect(BY_BYTES),
    row("poll.dispatch.interval.ms", Kind::Number(0, i64::MAX), "Time to gather events before they are handed on").or("0").unit("ms").low().no_effect(BY_BYTES),
    row("queue.provider.type", Kind::Text, "Implementation of the queue").or("memory").low().no_effect(BY_BYTES),
    row("queue.provider.*", Kind::Text, "Options of that implementation").low().no_effect(BY_BYTES),
    row("errors.max.retries", Kind::Number(i32::MIN as i64, POSITIVE.1), "Attempts after an error that may pass; -1 is without limit").or("-1").high(),
    row("retriable.restart.connector.wait.ms", Kind::Number(1, i64::MAX), "Pause before such an attempt").or("10000").unit("ms"),
    row("internal.custom.retriable.exception", Kind::Text, "Expression on messages of Java exceptions that may pass").low().no_effect("there are no Java exceptions here; each error code says whether it may pass"),
    row("event.processing.failure.handling.mode", PROCESSING, "What becomes of an event that cannot be decoded").or("fail").was(&[old("event.deserialization.failure.handling.mode", "2.0")]),
    row("event.converting.failure.handling.mode", CONVERTING, "What becomes of a value that does not fit its schema").or("warn"),
    row("inconsistent.schema.handling.mode", PROCESSING, "What becomes of a row whose table is not known, or is shaped otherwise").or("fail").for_(Applies::BINLOG),
    row("internal.log.position.check.enable", Kind::Bool, "Whether the start checks that the server still has the stored position").or("true").low().no_effect("it is always checked: a stream that begins behind a gap would lose what is in it"),
    row("internal.offset.activity.monitor.interval.ms", Kind::Number(0, i64::MAX), "How often stored offsets are watched for standing still").or("600000").unit("ms").low().no_effect("they are always watched"),
    row("internal.implementation", Kind::Text, "The old or the new implementation of the MySQL connector").low().no_effect("Debezium 2.0 removed the old one"),
    row("executor.shutdown.timeout.ms", Kind::Number(1, i64::MAX), "How long stopping may take").or("4000").unit("ms").no_effect("task.shutdown.graceful.timeout.ms of the worker is the deadline"),
    row("guardrail.collections.max", Kind::Number(FROM_ZERO.0, FROM_ZERO.1), "Most tables that may be captured; 0 is without limit").or("0").unit("tables"),
    row("guardrail.collections.limit.action", GUARDRAIL, "Whether more of them are a warning or an error").or("warn"),
    row("encode.threads", Kind::Number(1, 1024), "Threads that turn rows into records; as many as there are cores when it is not set").low(),
    row("headwater.record.too.large", Kind::Word(&["fail", "skip"], |word| {
        ["fail", "skip"].into_iter().find(|known| word.trim().eq_ignore_ascii_case(known))
    }), "What becomes of a record that the broker refuses as too large: the connector stops, or the record is left out, logged and counted").or("fail").low(),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Lifecycle)
}
