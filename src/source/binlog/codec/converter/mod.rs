//! `converters`: Debezium's stock converters of single columns.
//!
//! In: the options of the converters that a connector declares, once; then each tracked column. Out: the plan of the
//! column with another schema, other values and another default, where a converter claims the column; the first that
//! claims it is the one (`CustomConverterRegistry`). Promised: a converter is chosen when a table is first seen, never
//! for a row; a column whose values it would turn into a constant is an error then. Nothing here survives a crash.
//!
//! A converter of Debezium gets what its binlog client reads, before the column's own conversion: numbers without
//! regard for UNSIGNED. Declared defaults come to it converted already (`TableSchemaBuilder.addField`).

mod jdbc_sink;
mod number;
mod tiny_int;
mod zero_date;

use std::fmt;
use std::sync::Arc;

use super::CodecError;
use super::plan::{Context, Plan};
use crate::model::value::Value;
use crate::util::class_options::{BadOption, ClassOption, Options};
use crate::util::java_regex::{RegexError, RegexList, TooCostly};

/// Every converter there is. A new one is one file and one line here.
pub static SPECS: &[&ColumnConverterSpec] = &[&tiny_int::SPEC, &jdbc_sink::SPEC, &zero_date::SPEC];

/// A converter as it is registered.
#[derive(Debug)]
pub struct ColumnConverterSpec {
    /// The Java classes that users write.
    pub aliases: &'static [&'static str],
    /// What it does, in a line.
    pub about: &'static str,
    /// Its options.
    pub options: &'static [ClassOption],
    /// Makes one of its options.
    pub build: fn(&Options<'_>) -> Result<Arc<dyn ColumnConverter>, BadConverter>,
}

/// The converter of a Java class.
pub fn find(class: &str) -> Option<&'static ColumnConverterSpec> {
    SPECS.iter().find(|spec| spec.aliases.contains(&class)).copied()
}

/// Why a converter cannot be made of its options.
#[derive(Clone, Debug, PartialEq)]
pub enum BadConverter {
    /// An option has a value that it does not take.
    Option(BadOption),
    /// An option's expressions cannot be used.
    Regex {
        /// The option.
        option: &'static str,
        /// What is wrong.
        error: RegexError,
    },
}

impl From<BadOption> for BadConverter {
    fn from(bad: BadOption) -> BadConverter {
        BadConverter::Option(bad)
    }
}

/// A converter with its options.
pub trait ColumnConverter: Send + Sync + fmt::Debug {
    /// What it makes of a column; `name` is `database.table.column`. `None`: the column is not its own.
    ///
    /// # Errors
    /// When an expression takes too long to match.
    fn claims(&self, name: &str, column: &ColumnType<'_>) -> Result<Option<Conversion>, TooCostly>;
}

/// What a converter may choose a column by, beside its name.
#[derive(Clone, Copy, Debug)]
pub struct ColumnType<'a> {
    /// The tracked type in capitals.
    pub name: &'a str,
    /// Length or display width, as declared.
    pub length: Option<i32>,
}

/// What becomes of a claimed column.
#[derive(Clone, Debug, PartialEq)]
pub enum Conversion {
    /// A boolean: whether the number is positive.
    Boolean,
    /// An int16: 1 where the number is positive, else 0.
    OneOrZero,
    /// A float64.
    Float64,
    /// A float32.
    Float32,
    /// A string whose schema names the column's character set.
    Text,
    /// A date or time whose zeros and nulls are this value; without one they are null, and the field can be.
    ZeroDate(Option<Value>),
    /// None: an option that is meant for the column has a value that is none of its type.
    Unfit(&'static str),
}

/// The plan of a column after the first of the converters that claims it.
///
/// # Errors
/// [`CodecError::Converter`] where the converter cannot read the column's type, or where a selector is too costly.
pub(super) fn converted(context: &Context<'_>, plan: Plan) -> Result<Plan, CodecError> {
    let converters = &context.options.converters;
    if converters.is_empty() {
        return Ok(plan);
    }
    let name = format!("{}.{}", context.table, context.column.name);
    let type_name = context.column.type_name.to_uppercase();
    let column = ColumnType { name: &type_name, length: context.column.length };
    for converter in converters.iter() {
        let claimed = converter.claims(&name, &column);
        match claimed.map_err(|_| refusal(context, "an expression of a selector is too costly to match"))? {
            None => {}
            Some(Conversion::Text) => return jdbc_sink::text(context, plan),
            Some(Conversion::Boolean) => return number::boolean(context, plan),
            Some(Conversion::OneOrZero) => return number::one_or_zero(context, plan),
            Some(Conversion::Float64) => return number::float64(context, plan),
            Some(Conversion::Float32) => return number::float32(context, plan),
            Some(Conversion::ZeroDate(value)) => return zero_date::temporal(context, plan, value),
            Some(Conversion::Unfit(reason)) => return Err(refusal(context, reason)),
        }
    }
    Ok(plan)
}

fn refusal(context: &Context<'_>, reason: &'static str) -> CodecError {
    CodecError::Converter {
        table: context.table.into(),
        column: context.column.name.clone(),
        type_name: context.column.type_name.clone(),
        reason,
    }
}

/// The expressions of an option; `None` when it is not set.
fn selector(options: &Options<'_>, option: &'static str) -> Result<Option<RegexList>, BadConverter> {
    let list = options.text(option).map(RegexList::parse).transpose();
    list.map_err(|error| BadConverter::Regex { option, error })
}

#[cfg(test)]
mod tests;
