//! `JdbcSinkDataTypesConverter`: the types that a table has in a snapshot, while streaming too, for JDBC sinks.

use std::sync::Arc;

use super::{BadConverter, ColumnConverter, ColumnConverterSpec, ColumnType, Conversion, refusal, selector};
use crate::source::binlog::codec::CodecError;
use crate::source::binlog::codec::plan::{Context, Plan};
use crate::util::class_options::{ClassOption, Options};
use crate::util::java_regex::{RegexList, TooCostly};

const BOOLEAN: &str = "selector.boolean";
const REAL: &str = "selector.real";
const STRING: &str = "selector.string";
const REAL_AS_DOUBLE: &str = "treat.real.as.double";

/// The schema parameter that names a column's character set.
const CHARACTER_SET: &str = "__debezium.source.column.character_set";

/// The converter's entry in the table.
pub static SPEC: ColumnConverterSpec = ColumnConverterSpec {
    aliases: &[
        "io.debezium.connector.binlog.converters.JdbcSinkDataTypesConverter",
        "io.debezium.connector.mysql.converters.JdbcSinkDataTypesConverter",
    ],
    about: "BOOLEAN as int16, REAL as float64, character columns with their character set",
    options: &[
        ClassOption::new(BOOLEAN, "", "Regular expressions for database.table.column of columns to be int16, 1 or 0"),
        ClassOption::new(REAL, "", "Regular expressions for columns to be float64 or float32"),
        ClassOption::new(STRING, "", "Regular expressions for character columns whose schema names the character set"),
        ClassOption::new(REAL_AS_DOUBLE, "true", "Whether REAL is float64; float32 otherwise"),
    ],
    build,
};

#[derive(Debug)]
struct JdbcSinkDataTypes {
    /// In the order in which they are asked.
    selectors: [(Option<RegexList>, Conversion); 3],
}

fn build(options: &Options<'_>) -> Result<Arc<dyn ColumnConverter>, BadConverter> {
    let real = if options.flag(REAL_AS_DOUBLE, true)? { Conversion::Float64 } else { Conversion::Float32 };
    let selectors = [
        (selector(options, BOOLEAN)?, Conversion::OneOrZero),
        (selector(options, REAL)?, real),
        (selector(options, STRING)?, Conversion::Text),
    ];
    Ok(Arc::new(JdbcSinkDataTypes { selectors }))
}

impl ColumnConverter for JdbcSinkDataTypes {
    fn claims(&self, name: &str, _column: &ColumnType<'_>) -> Result<Option<Conversion>, TooCostly> {
        for (selector, conversion) in &self.selectors {
            if let Some(selector) = selector
                && selector.matches(name)?
            {
                return Ok(Some(conversion.clone()));
            }
        }
        Ok(None)
    }
}

/// The column's own plan, and its character set in the schema. Debezium reads all bytes as UTF-8 here, which is wrong
/// letters for any other character set; they are read as the server means them.
pub(super) fn text(context: &Context<'_>, mut plan: Plan) -> Result<Plan, CodecError> {
    if !plan.is_text() {
        return Err(refusal(context, "selector.string takes CHAR, VARCHAR and TEXT"));
    }
    if let Some(charset) = &context.column.charset_name {
        plan.schema = plan.schema.parameter(CHARACTER_SET, charset);
    }
    Ok(plan)
}
