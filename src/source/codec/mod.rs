//! What the column types of every database have alike: how a family's plan for a column becomes a schema and a codec.
//!
//! In: a [`Plan`] made by a family of column types, and the column. Out: a [`ColumnCodec`]. Promised: what a null, a
//! default, a value that cannot be converted and an absent column become is decided here, once, as Debezium decides
//! it; reading a cell allocates nothing but in the arena. Nothing here survives a crash.

#[cfg(test)]
pub(crate) mod as_json;
pub(crate) mod binary;
pub(crate) mod calendar;
pub(crate) mod decimal;
pub mod failure;
pub(crate) mod geometry;
pub(crate) mod plan;

use std::sync::Arc;

use crate::model::modes::EventConvertingFailureHandlingMode;
use crate::model::row::Codec;
use crate::model::schema::Schema;
use crate::model::table::Column;
use crate::model::value::Value;
use plan::{DefaultConversion, Fallback, Guardable, Plan};

/// A column's schema and how its cells are read.
#[derive(Clone, Debug)]
pub struct ColumnCodec {
    /// The schema, with optionality, documentation and default.
    pub schema: Arc<Schema>,
    /// Reads a cell; errors are errors.
    pub codec: Arc<dyn Guardable>,
    /// For text: writes U+FFFD for bytes that the character set does not know, as Java does.
    pub lossy: Option<Arc<dyn Codec>>,
}

/// The column that a plan is finished for, and what the options say of all columns.
pub(crate) struct About<'a> {
    /// The table, for the log.
    pub table: &'a str,
    /// The column.
    pub column: &'a Column,
    /// `include.schema.comments`.
    pub include_schema_comments: bool,
    /// `event.converting.failure.handling.mode`: decides on defaults that cannot be converted.
    pub converting_failure: EventConvertingFailureHandlingMode,
    /// `unavailable.value.placeholder`, where this column may show it.
    pub placeholder: Option<&'a str>,
}

/// Adds what is alike for all types: optionality, documentation, default, and what stands for null and absent.
///
/// # Errors
/// Why the declared default cannot be converted, when `event.converting.failure.handling.mode` is `fail`.
pub(crate) fn finish(about: &About<'_>, mut plan: Plan) -> Result<ColumnCodec, &'static str> {
    let column = about.column;
    let convert = std::mem::replace(&mut plan.default, Box::new(|_| Ok(None)));
    let default = default_value(about, convert)?;
    let null = match (plan.null.take(), column.optional, &default) {
        (Some(null), _, _) => null,
        (None, true, _) => Fallback::Null,
        (None, false, Some(default)) => Fallback::Scalar(default.clone()),
        (None, false, None) => plan.fallback.clone(),
    };
    let absent = match (plan.absent.take(), plan.placeholder.take(), about.placeholder) {
        (Some(absent), _, _) => absent,
        (None, Some(convert), Some(placeholder)) => Fallback::Scalar(convert(placeholder)),
        (None, None, _) | (None, _, None) => null.clone(),
    };
    let mut schema = plan.schema.clone();
    schema.optional |= column.optional;
    if let Some(comment) = column.comment.as_deref().filter(|_| about.include_schema_comments) {
        schema = schema.doc(comment);
    }
    schema.default = default;
    let (codec, lossy) = plan.finish(null, absent);
    Ok(ColumnCodec { schema: schema.into(), codec, lossy })
}

fn default_value(about: &About<'_>, convert: DefaultConversion) -> Result<Option<Value>, &'static str> {
    let column = about.column;
    let Some(text) = column.default_value_expression.as_deref().filter(|_| column.has_default_value) else {
        return Ok(None);
    };
    match (convert(text), about.converting_failure) {
        (Ok(default), _) => Ok(default),
        (Err(reason), EventConvertingFailureHandlingMode::Fail) => Err(reason),
        (Err(reason), EventConvertingFailureHandlingMode::Warn) => {
            tracing::warn!(
                table = about.table,
                column = column.name,
                column_type = column.type_name,
                reason,
                "the column's declared default is left out of its schema"
            );
            Ok(None)
        }
        (Err(_), EventConvertingFailureHandlingMode::Skip) => Ok(None),
    }
}
