//! JSON as text: MySQL's binary form written out, MariaDB's text as it is.

use super::compressed::Compressed;
use super::plan::{Context, Fallback, Plan};
use super::text::Text;
use super::{CodecError, default_value, wire_type};
use crate::model::schema::{Kind, Schema};
use crate::model::value::Value;

/// JSON.
pub(super) fn json(context: &Context<'_>) -> Result<Plan, CodecError> {
    let schema = Schema::new(Kind::String).named("io.debezium.data.Json").version(1);
    let fallback = Fallback::Scalar(Value::text("{}"));
    let default = |text: &str| Ok(Some(Value::text(default_value::without_introducer(text))));
    Ok(match context.wire.wire_type {
        wire_type::BLOB | wire_type::LONG_BLOB => Plan::new(schema, fallback, Text::UTF8, default),
        wire_type::BLOB_COMPRESSED => Plan::new(schema, fallback, Compressed(Text::UTF8), default),
        _ => return Err(context.mismatch()),
    })
}
