//! Values that cannot be converted: `event.converting.failure.handling.mode`.
//!
//! In: a column's codec. Out: a codec that turns its errors into null (`warn`, `skip`), counted, with a line in
//! the log for the first one of each column: where, and why, never what. Text whose bytes are not in its character
//! set keeps all that can be read, with U+FFFD in the place of the rest, as Debezium writes it; that is counted
//! and logged, too. An error stays one where null is no value of the schema, where the row itself is damaged, and
//! for days that are not in the calendar (Debezium's other option decides on those).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ColumnCodec;
use crate::error::Coded;
use crate::model::modes::EventConvertingFailureHandlingMode;
use crate::model::row::Codec;
use crate::model::table::TableId;
use crate::model::value::{Arena, Value, ValueError, ValueRef};

/// The reason given for a date that is not in the calendar. Such a value never becomes null here, because Debezium
/// stops on it unless `event.processing.failure.handling.mode` says otherwise.
pub(crate) const NOT_IN_THE_CALENDAR: &str = "no such day or time of day in the calendar";

/// How many values could not be converted; one for a connector, shared by its columns.
#[derive(Debug, Default)]
pub struct ConversionFailures {
    nulls: AtomicU64,
    replaced: AtomicU64,
}

impl ConversionFailures {
    /// Values that were written as null, or as the default.
    pub fn nulls(&self) -> u64 {
        self.nulls.load(Ordering::Relaxed)
    }

    /// Texts that were written with U+FFFD in them.
    pub fn replaced(&self) -> u64 {
        self.replaced.load(Ordering::Relaxed)
    }
}

/// What a column's codec asks when it cannot read a cell.
#[derive(Debug)]
pub struct Guard {
    table: Arc<str>,
    column: Arc<str>,
    lossy: Option<Arc<dyn Codec>>,
    /// Whether null, or a default in its place, is a value of the schema. Never in a key.
    may_be_null: bool,
    warn: bool,
    logged: AtomicBool,
    failures: Arc<ConversionFailures>,
}

/// A column's codec by `event.converting.failure.handling.mode`. In a key only text is mended: a key that
/// lost a part is another row's key.
pub fn guarded(
    table: &TableId,
    column: &str,
    parts: &ColumnCodec,
    mode: EventConvertingFailureHandlingMode,
    key: bool,
    failures: &Arc<ConversionFailures>,
) -> Arc<dyn Codec> {
    let warn = match mode {
        EventConvertingFailureHandlingMode::Fail => return parts.codec.clone(),
        EventConvertingFailureHandlingMode::Warn => true,
        EventConvertingFailureHandlingMode::Skip => false,
    };
    let has_default = parts.schema.default.as_ref().is_some_and(|default| *default != Value::Null);
    parts.codec.guarded(Guard {
        table: table.to_string().into(),
        column: column.into(),
        lossy: parts.lossy.clone(),
        may_be_null: !key && (parts.schema.optional || has_default),
        warn,
        logged: AtomicBool::new(false),
        failures: failures.clone(),
    })
}

impl Guard {
    /// The value of a cell that was refused with `error`; `null` stands for null in its column.
    ///
    /// # Errors
    /// The error, where nothing may stand in the cell's place.
    pub fn mend<'a>(
        &'a self,
        cell: &'a [u8],
        arena: &'a Arena,
        error: ValueError,
        null: ValueRef<'a>,
    ) -> Result<ValueRef<'a>, ValueError> {
        let (counter, instead, value) = match (&error, &self.lossy) {
            (ValueError::Charset { .. }, Some(lossy)) => {
                (&self.failures.replaced, "U+FFFD for each unknown byte", lossy.decode(cell, arena)?)
            }
            (ValueError::Invalid { reason, .. }, _) if *reason == NOT_IN_THE_CALENDAR => return Err(error),
            (ValueError::OutsideRow | ValueError::Shape, _) => return Err(error),
            (ValueError::Length { .. } | ValueError::Invalid { .. } | ValueError::Charset { .. }, _) => {
                if !self.may_be_null {
                    return Err(error);
                }
                (&self.failures.nulls, "null or the column's default", null)
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if self.warn && !self.logged.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                code = %error.code(),
                table = &*self.table,
                column = &*self.column,
                reason = %error,
                instead,
                "a value cannot be converted; later ones of this column are counted only"
            );
        }
        Ok(value)
    }
}
