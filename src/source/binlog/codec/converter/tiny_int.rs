//! `TinyIntOneToBooleanConverter`: TINYINT(1) as boolean.
//!
//! Debezium 3.6 calls positive numbers true; 3.7 calls all but zero true, as the server does.

use std::sync::Arc;

use super::{BadConverter, ColumnConverter, ColumnConverterSpec, ColumnType, Conversion, selector};
use crate::util::class_options::{ClassOption, Options};
use crate::util::java_regex::{RegexList, TooCostly};

const SELECTOR: &str = "selector";
const LENGTH_CHECKER: &str = "length.checker";

/// The converter's entry in the table.
pub static SPEC: ColumnConverterSpec = ColumnConverterSpec {
    aliases: &[
        "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter",
        "io.debezium.connector.mysql.converters.TinyIntOneToBooleanConverter",
    ],
    about: "TINYINT(1) as boolean",
    options: &[
        ClassOption::new(SELECTOR, "", "Regular expressions for database.table.column; all columns when not set"),
        ClassOption::new(LENGTH_CHECKER, "true", "Whether the declared width must be 1"),
    ],
    build,
};

#[derive(Debug)]
struct TinyIntOneToBoolean {
    selector: Option<RegexList>,
    check_length: bool,
}

fn build(options: &Options<'_>) -> Result<Arc<dyn ColumnConverter>, BadConverter> {
    let selector = selector(options, SELECTOR)?;
    Ok(Arc::new(TinyIntOneToBoolean { selector, check_length: options.flag(LENGTH_CHECKER, true)? }))
}

impl ColumnConverter for TinyIntOneToBoolean {
    fn claims(&self, name: &str, column: &ColumnType<'_>) -> Result<Option<Conversion>, TooCostly> {
        if !matches!(column.name, "TINYINT" | "TINYINT UNSIGNED") || (self.check_length && column.length != Some(1)) {
            return Ok(None);
        }
        let selected = match &self.selector {
            Some(selector) => selector.matches(name)?,
            None => true,
        };
        Ok(selected.then_some(Conversion::Boolean))
    }
}
