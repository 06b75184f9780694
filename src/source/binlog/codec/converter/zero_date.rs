//! `ZeroDateFallbackConverter`: zero dates as null, or as a value that the configuration names.
//!
//! In: DATE, DATETIME and TIMESTAMP columns. Out: `Date`, `Timestamp` or `MicroTimestamp` by the column's digits, and
//! `ZonedTimestamp`, whatever `time.precision.mode` says. A zero date and a null are both the value named for the column, else
//! the one for its type, else null, and then the field can be null whether the column can or not. A declared default
//! becomes the same. Promised: the schemas and values of Debezium 3.6.1, but for one: there the first value of a column that
//! can be null and declares no default is lost after each start and each change of the table, which takes it for a default.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BadConverter, ColumnConverter, ColumnConverterSpec, ColumnType, Conversion, selector};
use crate::model::modes::TimePrecisionMode;
use crate::model::value::Value;
use crate::source::binlog::codec::plan::{Context, Fallback, Plan};
use crate::source::binlog::codec::{CodecError, CodecOptions, temporal};
use crate::util::class_options::{BadOption, ClassOption, Options};
use crate::util::java_regex::{RegexList, TooCostly};

const TYPES: &str = "target.types";
const DATE: &str = "fallback.date";
const DATE_TIME: &str = "fallback.datetime";
const TIMESTAMP: &str = "fallback.timestamp";
const SELECTOR: &str = "selector";
const COLUMN: &str = "column.DATABASE.TABLE.COLUMN.fallback";

/// The converter's entry in the table.
pub static SPEC: ColumnConverterSpec = ColumnConverterSpec {
    aliases: &["io.debezium.connector.binlog.converters.ZeroDateFallbackConverter"],
    about: "Zero dates as null or as a chosen value",
    options: &[
        ClassOption::new(TYPES, "DATE,DATETIME,TIMESTAMP", "Types whose columns are converted"),
        ClassOption::new(DATE, "NULL", "What a zero DATE becomes: NULL, or a date such as 1970-01-01"),
        ClassOption::new(DATE_TIME, "NULL", "What a zero DATETIME becomes: NULL, or such as 1970-01-01 00:00:00"),
        ClassOption::new(TIMESTAMP, "NULL", "What a zero TIMESTAMP becomes: NULL, or such as 1970-01-01T00:00:00Z"),
        ClassOption::new(COLUMN, "", "The same for one column, before those of its type"),
        ClassOption::new(SELECTOR, ".*", "Regular expressions for database.table.column"),
    ],
    build,
};

/// The three types, and how a value for each is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Date,
    DateTime { micros: bool },
    Timestamp,
}

#[derive(Debug)]
struct ZeroDateFallback {
    types: Vec<String>,
    /// What is named for DATE, DATETIME and TIMESTAMP.
    of_types: [Option<String>; 3],
    /// By `database.table.column`.
    of_columns: BTreeMap<String, Option<String>>,
    selector: Option<RegexList>,
}

/// What an option names; nothing for `NULL`.
fn named(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !text.eq_ignore_ascii_case("NULL")).then(|| text.to_owned())
}

fn build(options: &Options<'_>) -> Result<Arc<dyn ColumnConverter>, BadConverter> {
    let checked = |option: &'static str, of: Type, expected: &'static str| {
        let value = options.text(option).and_then(named);
        match value.as_deref().map(|value| of.value(value)) {
            Some(None) => Err(BadOption { option, value: value.unwrap_or_default(), expected }),
            Some(Some(_)) | None => Ok(value),
        }
    };
    let of_types = [
        checked(DATE, Type::Date, "NULL or a date such as 1970-01-01")?,
        checked(DATE_TIME, Type::DateTime { micros: false }, "NULL or a date and time such as 1970-01-01 00:00:00")?,
        checked(TIMESTAMP, Type::Timestamp, "NULL or a time with offset such as 1970-01-01T00:00:00Z")?,
    ];
    let types = options.text(TYPES).unwrap_or("DATE,DATETIME,TIMESTAMP").to_uppercase();
    let types: Vec<String> = types.split(',').map(|name| name.trim().to_owned()).collect();
    if let Some(unknown) = types.iter().find(|name| !["", "DATE", "DATETIME", "TIMESTAMP"].contains(&name.as_str())) {
        let expected = "a list of DATE, DATETIME and TIMESTAMP";
        return Err(BadOption { option: TYPES, value: unknown.clone(), expected }.into());
    }
    let column = |(name, value): (&str, &str)| {
        Some((name.strip_prefix("column.")?.strip_suffix(".fallback")?.to_owned(), named(value)))
    };
    let of_columns = options.all().filter_map(column).collect();
    Ok(Arc::new(ZeroDateFallback { types, of_types, of_columns, selector: selector(options, SELECTOR)? }))
}

impl Type {
    /// The value that a text names; none where it is none of this type.
    fn value(self, text: &str) -> Option<Value> {
        match self {
            Type::Date => temporal::date_number(text).map(Value::Int32),
            Type::DateTime { micros } => temporal::date_time_micros(text)
                .map(|number| Value::Int64(if micros { number } else { number.div_euclid(1_000) })),
            // By its date and time: a moment of jiff's ends a day before 9999-12-31T23:59:59Z, which many choose.
            Type::Timestamp => {
                let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
                let clock = jiff::civil::DateTime::from_parts(pieces.date(), pieces.time()?);
                let offset = pieces.to_numeric_offset()?.seconds();
                let in_utc = clock.checked_sub(jiff::SignedDuration::from_secs(offset.into())).ok()?;
                (text.contains('T') && !text.contains('[')).then(|| Value::text(&format!("{in_utc}Z")))
            }
        }
    }
}

impl ColumnConverter for ZeroDateFallback {
    fn claims(&self, name: &str, column: &ColumnType<'_>) -> Result<Option<Conversion>, TooCostly> {
        let [date, date_time, timestamp] = &self.of_types;
        let (of, of_type) = match column.name {
            "DATE" => (Type::Date, date),
            "DATETIME" => (Type::DateTime { micros: column.length.unwrap_or(0) >= 4 }, date_time),
            "TIMESTAMP" => (Type::Timestamp, timestamp),
            _ => return Ok(None),
        };
        if !self.types.iter().any(|name| name == column.name) {
            return Ok(None);
        }
        if let Some(selector) = &self.selector
            && !selector.matches(name)?
        {
            return Ok(None);
        }
        let text = self.of_columns.get(name).unwrap_or(of_type);
        Ok(Some(match text.as_deref().map(|text| of.value(text)) {
            None => Conversion::ZeroDate(None),
            Some(Some(value)) => Conversion::ZeroDate(Some(value)),
            Some(None) => Conversion::Unfit("the value that column.*.fallback names for it is none of its type"),
        }))
    }
}

/// The column's plan with zeros, nulls and a declared default as this value.
pub(super) fn temporal(context: &Context<'_>, own: Plan, value: Option<Value>) -> Result<Plan, CodecError> {
    let options = CodecOptions {
        time_precision: TimePrecisionMode::AdaptiveTimeMicroseconds,
        enable_time_adjuster: false,
        ..context.options.clone()
    };
    let context = Context { options: &options, ..*context };
    let mut plan = match context.type_name.base.as_str() {
        "DATE" => temporal::date(&context)?,
        "DATETIME" => temporal::datetime(&context)?,
        _ => temporal::short_timestamp(&context)?,
    };
    plan.schema.optional = value.is_none();
    plan.null = Some(value.clone().map_or(Fallback::Null, Fallback::Scalar));
    let default = own.default;
    plan.default = Box::new(move |text| Ok(default(text)?.and(value)));
    Ok(plan)
}
