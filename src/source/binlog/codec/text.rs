//! CHAR, VARCHAR and TEXT in every character set.
//!
//! The character set is the table map's where it gives one, because the server's word about the bytes is never
//! behind; else the tracked one; else UTF-8, as Debezium has it.

use super::charset::{self, Charset};
use super::compressed::Compressed;
use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan};
use super::{CodecError, wire_type};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    charset: Charset,
    lossy: bool,
}

impl Text {
    /// UTF-8.
    pub const UTF8: Text = Text { charset: Charset::UTF8, lossy: false };
}

impl Decode for Text {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        self.charset.decode(cell, arena, self.lossy).map(ValueRef::String)
    }
}

fn charset_of(context: &Context<'_>) -> Result<Charset, CodecError> {
    let java = context.options.java_charsets;
    let tracked = context.column.charset_name.as_deref();
    let wire = context.wire.collation.and_then(charset::name_of_collation);
    if wire == Some("binary") && tracked.is_some_and(|name| !name.eq_ignore_ascii_case("binary")) {
        return Err(context.mismatch());
    }
    match wire.or(tracked) {
        None => Ok(Charset::UTF8),
        Some(name) => Charset::named(name, java).ok_or_else(|| CodecError::UnknownCharset {
            table: context.table.into(),
            column: context.column.name.clone(),
            charset: name.into(),
        }),
    }
}

/// All character types.
pub(super) fn text(context: &Context<'_>) -> Result<Plan, CodecError> {
    let charset = charset_of(context)?;
    let default = |text: &str| Ok(Some(Value::text(default_value::without_introducer(text))));
    let fallback = Fallback::Scalar(Value::text(""));
    let schema = Schema::new(Kind::String);
    let (strict, lossy) = (Text { charset, lossy: false }, Text { charset, lossy: true });
    let compressed = matches!(context.wire.wire_type, wire_type::BLOB_COMPRESSED | wire_type::VARCHAR_COMPRESSED);
    let plan = if compressed {
        Plan::new(schema, fallback, Compressed(strict), default).with_lossy(Compressed(lossy))
    } else {
        Plan::new(schema, fallback, strict, default).with_lossy(lossy)
    };
    Ok(plan.with_placeholder(Value::text))
}
