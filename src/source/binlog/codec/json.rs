//! JSON as text: MySQL's binary form written out, MariaDB's text as it is.

use std::cell::RefCell;

use super::super::event::EventError;
use super::super::event::json::write_text;
use super::super::walk::JSON_TEXT_MARKER;
use super::compressed::Compressed;
use super::plan::{Context, Decode, Fallback, Plan};
use super::text::Text;
use super::{CodecError, default_value, wire_type};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// Bytes of text that a thread keeps room for from one document to the next.
const KEPT_BYTES: usize = 1 << 20;

thread_local! {
    /// Where a document is written before its length is known; kept, so that a document costs no allocation.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// MySQL's binary JSON.
#[derive(Clone, Debug)]
struct Binary {
    /// What a document without bytes is: MySQL writes it for a null that was forced into the column.
    optional: bool,
}

impl Binary {
    fn text<'a>(cell: &[u8], arena: &'a Arena, scratch: &mut Vec<u8>) -> Result<&'a str, ValueError> {
        scratch.clear();
        let written = write_text(cell, scratch).map_err(|error| {
            let reason = if let EventError::Json { reason, .. } = error { reason } else { "a damaged document" };
            ValueError::Invalid { column_type: "JSON", reason }
        });
        let text = written.and_then(|()| {
            let bytes = arena.alloc_slice_copy(scratch);
            simdutf8::basic::from_utf8(bytes)
                .map_err(|_| ValueError::Invalid { column_type: "JSON", reason: "text that is not UTF-8" })
        });
        if scratch.capacity() > KEPT_BYTES {
            *scratch = Vec::new();
        }
        text
    }
}

impl Decode for Binary {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        match cell.split_first() {
            None => return Ok(if self.optional { ValueRef::Null } else { ValueRef::String("{}") }),
            Some((&JSON_TEXT_MARKER, text)) => return Text::UTF8.decode(text, arena),
            Some(_) => {}
        }
        let text = SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => Binary::text(cell, arena, &mut scratch),
            Err(_) => Binary::text(cell, arena, &mut Vec::new()),
        });
        text.map(ValueRef::String)
    }
}

/// JSON.
pub(super) fn json(context: &Context<'_>) -> Result<Plan, CodecError> {
    let schema = Schema::new(Kind::String).named("io.debezium.data.Json").version(1);
    let fallback = Fallback::Scalar(Value::text("{}"));
    let default = |text: &str| Ok(Some(Value::text(default_value::without_introducer(text))));
    Ok(match context.wire.wire_type {
        wire_type::JSON => Plan::new(schema, fallback, Binary { optional: context.column.optional }, default),
        wire_type::BLOB_COMPRESSED => Plan::new(schema, fallback, Compressed(Text::UTF8), default),
        _ => Plan::new(schema, fallback, Text::UTF8, default),
    })
}
