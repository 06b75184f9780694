//! Types whose text is the value: the character types, JSON, XML, UUID, network addresses, ranges, text search, enumerations.
//!
//! In: UTF-8, because the connection asks for it. Out: the same bytes, borrowed; U+FFFD for what is no UTF-8 where the
//! converting failure mode allows it.

use super::Context;
use super::default_value::{self, Kind as DefaultKind};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::plan::{Decode, Fallback, Plan};

/// UTF-8, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    lossy: bool,
}

impl Decode for Text {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match simdutf8::basic::from_utf8(cell) {
            Ok(text) => Ok(ValueRef::String(text)),
            Err(_) if self.lossy => Ok(ValueRef::String(arena.alloc_str(&String::from_utf8_lossy(cell)))),
            Err(_) => {
                let at = std::str::from_utf8(cell).err().map_or(0, |error| error.valid_up_to());
                Err(ValueError::Charset { charset: "UTF8", at })
            }
        }
    }
}

/// Text of a semantic type, or of none.
fn plain(schema: Schema, default: Option<DefaultKind>) -> Plan {
    let convert = move |text: &str| match &default {
        Some(kind) => default_value::parse(kind.clone(), text),
        None => default_value::none(text),
    };
    Plan::new(schema, Fallback::Scalar(Value::text("")), Text { lossy: false }, convert)
        .with_lossy(Text { lossy: true })
        .with_placeholder(Value::text)
}

fn semantic(name: &str) -> Schema {
    Schema::new(Kind::String).named(name).version(1)
}

/// Text, varchar, bpchar: with a default.
pub(super) fn text(_context: &Context<'_>) -> Plan {
    plain(Schema::new(Kind::String), Some(DefaultKind::Text("")))
}

/// Text of which Debezium reads no default.
pub(super) fn other_text(_context: &Context<'_>) -> Plan {
    plain(Schema::new(Kind::String), None)
}

/// JSON and JSONB, as the server writes them.
pub(super) fn json(_context: &Context<'_>) -> Plan {
    plain(semantic("io.debezium.data.Json"), Some(DefaultKind::Text("{}")))
}

/// XML.
pub(super) fn xml(_context: &Context<'_>) -> Plan {
    plain(semantic("io.debezium.data.Xml"), Some(DefaultKind::Text("")))
}

/// UUID.
pub(super) fn uuid(_context: &Context<'_>) -> Plan {
    plain(semantic("io.debezium.data.Uuid"), Some(DefaultKind::Uuid))
}

/// TSVECTOR.
pub(super) fn text_search(_context: &Context<'_>) -> Plan {
    plain(semantic("io.debezium.data.Tsvector"), None)
}

/// LTREE.
pub(super) fn label_tree(_context: &Context<'_>) -> Plan {
    plain(semantic("io.debezium.data.Ltree"), None)
}

/// An enumeration; its labels are listed with commas between them, whatever they hold.
pub(super) fn enumeration(context: &Context<'_>, labels: &[String]) -> Plan {
    let schema = semantic("io.debezium.data.Enum").parameter("allowed", &labels.join(","));
    plain(schema, Some(DefaultKind::Enum { type_name: context.type_name.to_owned() }))
}
