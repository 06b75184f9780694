//! YEAR: one byte, years since 1900. The year 0000 is a byte of 0, and comes out as 1900, as Debezium streams it.

use super::super::CodecError;
use super::super::default_value;
use super::super::plan::{Context, Decode, Fallback, Plan, exactly};
use super::calendar::Day;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

#[derive(Clone, Debug)]
struct Year;

impl Decode for Year {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let [years] = exactly(cell, "YEAR")?;
        Ok(ValueRef::Int32(1900 + i32::from(years)))
    }
}

/// YEAR. Two-digit defaults are adjusted whether or not `enable.time.adjuster` is set.
pub(in super::super) fn year(_context: &Context<'_>) -> Result<Plan, CodecError> {
    let schema = Schema::new(Kind::Int32).named("io.debezium.time.Year").version(1);
    let default = |text: &str| {
        let text = default_value::trimmed(text);
        let year = match default_value::truth(text) {
            Some(truth) => i32::from(truth),
            None => text.parse().map_err(|_| "not a year")?,
        };
        Ok(Some(Value::Int32(Day { year, month: 1, day: 1 }.adjusted().year)))
    };
    Ok(Plan::new(schema, Fallback::Scalar(Value::Int32(0)), Year, default))
}
