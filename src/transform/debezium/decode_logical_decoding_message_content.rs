//! `io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent`: a message of
//! `pg_logical_emit_message` as the insert of a row.
//!
//! In: records of logical decoding messages, whose content is the JSON of an object. Out: an envelope with operation `c` and the
//! object as `after`, without key, so that `EventRouter` can follow it. Promised: the schemas that Debezium
//! makes; the schema of a shape is made once. Other records pass. Nothing here survives a crash.

use std::sync::Arc;

use super::json_data::{JsonData, JsonOptions, Unexpanded};
use super::structs::{Column, unusable, with_fields};
use crate::model::modes::SchemaNameAdjustmentMode;
use crate::model::record::{Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, StructView, ValueRef, field_or_default};
use crate::transform::memo::{Memo, SchemaMemo};
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{ClassOption, Options};

/// The schema of a message's record.
const MESSAGE_VALUE: &str = "io.debezium.connector.postgresql.MessageValue";

/// The transform that decodes logical decoding messages.
pub static SPEC: TransformSpec = TransformSpec {
    name: "DecodeLogicalDecodingMessageContent",
    aliases: &["io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent"],
    about: "Makes the insert of a row of a message of pg_logical_emit_message, so that EventRouter can follow",
    targets: &[Target::Record],
    options: &[&[ClassOption::new(
        "fields.null.include",
        "false",
        "whether fields that are null are kept, as optional bytes",
    )]],
    build,
};

fn build(options: &Options<'_>, _target: Target) -> Result<Box<dyn Transform>, TransformError> {
    let null_is_bytes = options.flag("fields.null.include", false)?;
    let json = JsonOptions { null_is_bytes, empty_list_is_strings: false, names: SchemaNameAdjustmentMode::None };
    Ok(Box::new(Decode { json: JsonData::new(json), messages: SchemaMemo::default(), envelopes: Memo::default() }))
}

struct Decode {
    json: JsonData,
    /// `None` for schemas that are no message's.
    messages: SchemaMemo<Option<Message>>,
    /// By the addresses of the schemas of message and content, which the entry keeps alive.
    envelopes: Memo<String, Envelope>,
}

/// Where the parts of a message are.
struct Message {
    block: Column,
    content: Column,
    operation: usize,
    /// What stays: all fields but the message.
    kept: Vec<usize>,
}

struct Envelope {
    schema: Arc<Schema>,
    _message: Arc<Schema>,
}

impl Message {
    fn of(schema: &Schema) -> Result<Message, TransformError> {
        let block = Column::of(schema, "message")?;
        let content = Column::of(&block.schema, "content")?;
        if content.schema.kind != Kind::Bytes {
            let reason = "the content of a logical decoding message is not bytes: binary.handling.mode must be bytes";
            return Err(unusable(reason.to_owned()));
        }
        let kept = (0..schema.fields().len()).filter(|place| *place != block.index).collect();
        Ok(Message { content, operation: Column::of(schema, "op")?.index, kept, block })
    }

    /// The schema of the envelope: what stays of the message's, and the row.
    fn envelope(&self, schema: &Schema, content: &Arc<Schema>) -> Result<Schema, TransformError> {
        let kept = self.kept.iter().filter_map(|place| schema.fields().get(*place).cloned());
        let after = Field { name: "after".into(), schema: content.clone() };
        let named = Schema::new(Kind::Struct(Vec::new())).named(&format!("{MESSAGE_VALUE}.Envelope"));
        with_fields(&named, kept.chain([after]).collect())
    }
}

impl Transform for Decode {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (Some(schema), ValueRef::Struct(view)) = (record.value.schema, record.value.value) else {
            return Ok(Some(record));
        };
        let is_message = schema.name.as_deref() == Some(MESSAGE_VALUE);
        let of = || is_message.then(|| Message::of(schema)).transpose();
        let Some(message) = self.messages.get(schema, of)? else { return Ok(Some(record)) };
        let (content, row) = self.content(message, view, arena)?;
        let key = bumpalo::format!(in arena, "{:x} {:x}", Arc::as_ptr(schema) as usize, Arc::as_ptr(content) as usize);
        let envelope = self.envelopes.get(key.as_str(), || {
            let made = Arc::new(message.envelope(schema, content)?);
            Ok::<_, TransformError>(Envelope { schema: made, _message: schema.clone() })
        })?;
        let mut values = bumpalo::collections::Vec::with_capacity_in(message.kept.len() + 1, arena);
        for place in &message.kept {
            values.push(match *place {
                place if place == message.operation => ValueRef::String("c"),
                place => field_or_default(view, schema, place, arena)?,
            });
        }
        values.push(row);
        let fields = arena.alloc(Fields(values.into_bump_slice()));
        let value = Typed { schema: Some(&envelope.schema), value: ValueRef::Struct(fields) };
        Ok(Some(Record { key: Typed::NULL, value, ..record }))
    }

    fn rest(&mut self) {
        self.json.rest();
        self.messages.rest();
        self.envelopes.rest();
    }
}

impl Decode {
    /// The row that a message's content says.
    fn content<'a>(
        &'a self,
        message: &'a Message,
        view: &'a dyn StructView,
        arena: &'a Arena,
    ) -> Result<(&'a Arc<Schema>, ValueRef<'a>), TransformError> {
        let ValueRef::Struct(block) = message.block.raw(view, arena)? else {
            return Err(unusable("a logical decoding message without its message".to_owned()));
        };
        let ValueRef::Bytes(bytes) = message.content.raw(block, arena)? else {
            return Err(unusable("a logical decoding message without content".to_owned()));
        };
        let text: &str = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            // As Java reads bytes that are not UTF-8.
            Err(_) => arena.alloc_str(&String::from_utf8_lossy(bytes)),
        };
        self.json.expand(None, text, arena).map_err(|error| {
            let reason = match error {
                Unexpanded::NoSchema(reason) | Unexpanded::Unfit(reason) => reason,
                Unexpanded::Nothing => "it is an empty list",
            };
            unusable(format!(
                "the content of a logical decoding message is not a JSON object that can be decoded: {reason}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::model::value::Value;

    const DECODE: (&str, &str) =
        ("transforms.d.type", "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent");

    fn message_with(content: (Schema, Value)) -> Sample {
        let (source, source_value) = structure(&[("connector", text(), t("postgresql"))]);
        let (transaction, _) = structure(&[("id", text(), t("1"))]);
        let (block, block_value) =
            structure(&[("prefix", text().optional(), t("outbox")), ("content", content.0, content.1)]);
        let (schema, value) = structure(&[
            ("op", text(), t("m")),
            ("ts_ms", long().optional(), Value::Int64(7)),
            ("source", source.named("io.debezium.connector.postgresql.Source"), source_value),
            ("transaction", transaction.optional(), Value::Null),
            ("message", block.named("io.debezium.connector.postgresql.Message"), block_value),
        ]);
        Sample::of(schema.named(MESSAGE_VALUE).version(1), value)
    }

    fn message(content: &str) -> Sample {
        message_with((bytes().optional(), b(content.as_bytes())))
    }

    #[track_caller]
    fn check(options: &[(&str, &str)], samples: &[Sample], expected: &str) {
        let mut config = vec![("transforms", "d"), DECODE];
        config.extend_from_slice(options);
        assert_eq!(run(&config, samples).trim_end(), expected);
    }

    fn out(schema: &str, value: &str) -> String {
        format!(
            "topic srv.shop.outbox\nkey - null\nvalue {{op string, ts_ms int64?, source {{connector string}}(io.debezium.connector.postgresql.Source), transaction {{id string}}?, after {schema}}}({MESSAGE_VALUE}.Envelope) {{'c', 7, {{'postgresql'}}, null, {value}}}"
        )
    }

    #[test]
    fn a_message_becomes_the_insert_of_a_row() {
        check(&[], &[message(r#"{"id":1,"a":{"b":"x"}}"#)], &out("{id int32?, a {b string?}?(a)}?", "{1, {'x'}}"));
        check(&[], &[message("{\"a\":null}")], &out("{}?", "{}"));
        check(
            &[("transforms.d.fields.null.include", "true")],
            &[message("{\"a\":null}")],
            &out("{a bytes?}?", "{null}"),
        );
        let twice = [message("{\"a\":1}"), message("{\"a\":2}")];
        let expected = [out("{a int32?}?", "{1}"), out("{a int32?}?", "{2}")].join("\n");
        check(&[], &twice, &expected);
    }

    #[test]
    fn other_records_pass() {
        let row = Change::create(vec![("id", int(), Value::Int32(1))]).sample();
        check(&[], &[row, Sample::tombstone()], "passed\npassed");
    }

    #[test]
    fn content_that_is_no_json_object_is_an_error() {
        let error = |reason: &str| {
            format!(
                "HW1003 transform d: the content of a logical decoding message is not a JSON object that can be decoded: {reason}"
            )
        };
        check(&[], &[message("text")], &error("it begins with neither a brace nor a bracket"));
        check(&[], &[message("[1]")], &error("a list cannot be the whole of it"));
        check(&[], &[message("[]")], &error("it is an empty list"));
        check(&[], &[message("{\"a\":")], &error("it ends before its value does"));
        let null = message_with((bytes().optional(), Value::Null));
        check(&[], &[null], "HW1003 transform d: a logical decoding message without content");
        let hex = message_with((text().optional(), t("7b7d")));
        let reason = "the content of a logical decoding message is not bytes: binary.handling.mode must be bytes";
        check(&[], &[hex], &format!("HW1003 transform d: {reason}"));
    }

    #[test]
    fn the_outbox_router_can_follow() {
        let config = [
            ("transforms", "d,o"),
            DECODE,
            ("transforms.o.type", "io.debezium.transforms.outbox.EventRouter"),
            ("transforms.o.table.fields.additional.placement", "type:envelope"),
        ];
        let content = r#"{"id":"e1","aggregateid":"10","aggregatetype":"User","type":"Created","payload":{"x":1}}"#;
        let expected = "topic outbox.event.User at 7\nkey string? '10'\nvalue {payload {x int32?}?(payload), type string?}(User) {{1}, 'Created'}\nheader id string? 'e1'\n";
        assert_eq!(run(&config, &[message(content), message(content)]), expected.repeat(2));
    }
}
