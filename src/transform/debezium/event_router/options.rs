//! The options of `EventRouter`: their names, defaults and checks.

use crate::transform::TransformError;
use crate::transform::debezium::json_data::JsonOptions;
use crate::transform::debezium::structs::adjustment_mode;
use crate::util::class_options::{BadOption, ClassOption, Options};
use crate::util::java_regex::JavaReplacement;

/// What can be set.
pub static OPTIONS: &[ClassOption] = &[
    ClassOption::new("table.field.event.id", "id", "the column whose value becomes the header `id`"),
    ClassOption::new("table.field.event.key", "aggregateid", "the column whose value becomes the record's key"),
    ClassOption::new(
        "table.field.event.type",
        "type",
        "taken and not read, as in Debezium; place the column explicitly",
    ),
    ClassOption::new("table.field.event.payload", "payload", "the column whose value becomes the record's value"),
    ClassOption::new(
        "table.field.event.timestamp",
        "",
        "the column whose value becomes the record's timestamp; otherwise the time of processing",
    ),
    ClassOption::new(
        "table.field.event.schema.version",
        "",
        "the column that holds the version of the value's schema, where columns are placed in the envelope",
    ),
    ClassOption::new(
        "table.fields.additional.placement",
        "",
        "where other columns go: `column:header`, `column:envelope` or `column:partition`, each with `:alias`",
    ),
    ClassOption::new(
        "table.field.additional.missing",
        "error",
        "what happens when such a column is not there: error or ignore",
    ),
    ClassOption::new("table.op.invalid.behavior", "warn", "what happens at an UPDATE of a row: warn, error or fatal"),
    ClassOption::new("table.expand.json.payload", "false", "whether a payload that is JSON becomes structured data"),
    ClassOption::new(
        "table.json.payload.null.behavior",
        "ignore",
        "what a null in such a payload becomes: ignore leaves its field out, optional_bytes keeps it",
    ),
    ClassOption::new(
        "table.json.payload.empty.array.behavior",
        "ignore",
        "what an empty list in such a payload becomes: ignore leaves its field out, optional_string keeps it",
    ),
    ClassOption::new(
        "field.name.adjustment.mode",
        "none",
        "how names in such a payload are made fit for Avro: none, avro or avro_unicode",
    ),
    ClassOption::new("route.by.field", "aggregatetype", "the column that says the topic"),
    ClassOption::new("route.topic.regex", "(?<routedByValue>.*)", "what of that column's value is matched"),
    ClassOption::new("route.topic.replacement", "outbox.event.${routedByValue}", "the topic's name"),
    ClassOption::new("route.tombstone.on.empty.payload", "false", "whether an empty payload becomes a tombstone"),
    ClassOption::new(
        "tracing.span.context.field",
        "tracingspancontext",
        "taken; does nothing, as in Debezium without OpenTelemetry",
    ),
    ClassOption::new(
        "tracing.operation.name",
        "debezium-read",
        "taken; does nothing, as in Debezium without OpenTelemetry",
    ),
    ClassOption::new(
        "tracing.with.context.field.only",
        "false",
        "taken; does nothing, as in Debezium without OpenTelemetry",
    ),
];

/// `table.op.invalid.behavior`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidOperation {
    /// A line of level WARN.
    Warn,
    /// A line of level ERROR.
    Error,
    /// The connector stops.
    Fatal,
}

/// Where a column goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Into a header.
    Header,
    /// Into the value, beside the payload.
    Envelope,
    /// It says the partition.
    Partition,
}

/// One column of `table.fields.additional.placement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Additional {
    /// The column.
    pub column: String,
    /// Where it goes.
    pub placement: Placement,
    /// What it is called there.
    pub alias: String,
}

/// The options, checked.
pub struct EventRouterOptions {
    pub id: String,
    pub key: String,
    pub payload: String,
    pub timestamp: Option<String>,
    pub version: Option<String>,
    pub additional: Vec<Additional>,
    pub ignore_missing: bool,
    pub invalid_operation: InvalidOperation,
    /// How JSON is expanded, where it is.
    pub expand: Option<JsonOptions>,
    pub route_by: String,
    /// `route.topic.regex` and `route.topic.replacement`.
    pub topic: JavaReplacement,
    pub tombstones: bool,
}

impl EventRouterOptions {
    /// Reads and checks them.
    ///
    /// # Errors
    /// The first that is not usable.
    pub fn read(options: &Options<'_>) -> Result<Self, TransformError> {
        let text = |name: &str, default: &str| options.text(name).unwrap_or(default).to_owned();
        options.flag("tracing.with.context.field.only", false)?;
        let json = JsonOptions {
            null_is_bytes: second(options, "table.json.payload.null.behavior", &["ignore", "optional_bytes"])?,
            empty_list_is_strings: second(
                options,
                "table.json.payload.empty.array.behavior",
                &["ignore", "optional_string"],
            )?,
            names: adjustment_mode(options, "field.name.adjustment.mode")?,
        };
        let regex = options.text("route.topic.regex").unwrap_or("(?<routedByValue>.*)");
        let replacement = options.text("route.topic.replacement").unwrap_or("outbox.event.${routedByValue}");
        let topic = JavaReplacement::parse(regex, replacement).map_err(|error| TransformError::Options {
            reason: format!("route.topic.regex and route.topic.replacement: {error}"),
        })?;
        Ok(EventRouterOptions {
            id: text("table.field.event.id", "id"),
            key: text("table.field.event.key", "aggregateid"),
            payload: text("table.field.event.payload", "payload"),
            timestamp: options.text("table.field.event.timestamp").map(str::to_owned),
            version: options.text("table.field.event.schema.version").map(str::to_owned),
            additional: additional(options)?,
            ignore_missing: second(options, "table.field.additional.missing", &["error", "ignore"])?,
            invalid_operation: invalid_operation(options)?,
            expand: options.flag("table.expand.json.payload", false)?.then_some(json),
            route_by: text("route.by.field", "aggregatetype"),
            topic,
            tombstones: options.flag("route.tombstone.on.empty.payload", false)?,
        })
    }
}

/// Whether an option with two values has the second; the first is the default.
fn second(options: &Options<'_>, option: &'static str, values: &[&'static str; 2]) -> Result<bool, BadOption> {
    let [first, second] = values;
    match options.text(option) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(first) => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(second) => Ok(true),
        Some(value) => Err(BadOption { option, value: value.to_owned(), expected: second_of(values) }),
    }
}

fn second_of(values: &[&'static str; 2]) -> &'static str {
    match values {
        ["ignore", "optional_bytes"] => "ignore or optional_bytes",
        ["ignore", "optional_string"] => "ignore or optional_string",
        _ => "error or ignore",
    }
}

fn invalid_operation(options: &Options<'_>) -> Result<InvalidOperation, BadOption> {
    let option = "table.op.invalid.behavior";
    match options.text(option).map(str::to_ascii_lowercase).as_deref() {
        None | Some("warn") => Ok(InvalidOperation::Warn),
        Some("error") => Ok(InvalidOperation::Error),
        Some("fatal") => Ok(InvalidOperation::Fatal),
        Some(value) => Err(BadOption { option, value: value.to_owned(), expected: "warn, error or fatal" }),
    }
}

/// `table.fields.additional.placement`: pairs and trios between commas.
fn additional(options: &Options<'_>) -> Result<Vec<Additional>, BadOption> {
    let option = "table.fields.additional.placement";
    let Some((_, list)) = options.all().find(|(name, _)| *name == option) else { return Ok(Vec::new()) };
    let bad = || BadOption {
        option,
        value: list.to_owned(),
        expected: "a list of column:placement or column:placement:alias, with header, envelope or partition",
    };
    let one = |entry: &str| {
        // Java's split gives no empty strings at the end.
        let mut parts: Vec<&str> = entry.split(':').collect();
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        let (column, placement, alias) = match parts.as_slice() {
            [column, placement] => (column, placement, column),
            [column, placement, alias] => (column, placement, alias),
            _ => return Err(bad()),
        };
        let placement = match placement.trim().to_ascii_lowercase().as_str() {
            "header" => Placement::Header,
            "envelope" => Placement::Envelope,
            "partition" => Placement::Partition,
            _ => return Err(bad()),
        };
        Ok(Additional { column: column.trim().to_owned(), placement, alias: alias.trim().to_owned() })
    };
    list.split(',').map(one).collect()
}
