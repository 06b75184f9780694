//! What events look like, and where they go.

use super::Findings;
use crate::config::ConfigError;
use crate::config::option::Applies;
use crate::config::settings::Settings;
use crate::model::modes::{
    BigIntUnsignedHandlingMode, BinaryHandlingMode, DebeziumGeneration, DecimalHandlingMode,
    EventConvertingFailureHandlingMode, SchemaNameAdjustmentMode, TimePrecisionMode, TopicNamingStrategy,
};

/// What events look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventOptions {
    /// `decimal.handling.mode`.
    pub decimal: DecimalHandlingMode,
    /// `time.precision.mode`.
    pub time: TimePrecisionMode,
    /// `bigint.unsigned.handling.mode`.
    pub bigint_unsigned: BigIntUnsignedHandlingMode,
    /// `binary.handling.mode`.
    pub binary: BinaryHandlingMode,
    /// `schema.name.adjustment.mode`.
    pub schema_names: SchemaNameAdjustmentMode,
    /// `field.name.adjustment.mode`.
    pub field_names: SchemaNameAdjustmentMode,
    /// `event.converting.failure.handling.mode`.
    pub converting_failure: EventConvertingFailureHandlingMode,
    /// `enable.time.adjuster`.
    pub adjust_two_digit_years: bool,
    /// `tombstones.on.delete`.
    pub tombstones: bool,
    /// `include.schema.comments`.
    pub schema_comments: bool,
    /// `include.schema.changes`.
    pub schema_changes: bool,
    /// `provide.transaction.metadata`.
    pub transaction_metadata: bool,
    /// `extended.headers.enabled`.
    pub context_headers: bool,
    /// `source.version`.
    pub debezium_version: String,
    /// `debezium.compat.version`.
    pub generation: DebeziumGeneration,
    /// `unavailable.value.placeholder`; `None` where the generation writes null.
    pub unavailable_value: Option<String>,
}

/// Names of topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicOptions {
    /// `topic.prefix`: the server's logical name.
    pub prefix: String,
    /// `topic.delimiter`.
    pub delimiter: String,
    /// The whole name of the heartbeat topic.
    pub heartbeat: String,
    /// The whole name of the transaction topic.
    pub transaction: String,
    /// `topic.naming.strategy`.
    pub strategy: TopicNamingStrategy,
}

pub(super) fn events(settings: &Settings<'_>, findings: &mut Findings) -> EventOptions {
    let generation = settings.word("debezium.compat.version", DebeziumGeneration::parse, DebeziumGeneration::V3_6);
    let postgres = settings.place.meets(Applies::POSTGRES);
    let binlog_flag = |property: &str| !postgres && settings.flag(property);
    let adjustment =
        |property: &str| settings.word(property, SchemaNameAdjustmentMode::parse, SchemaNameAdjustmentMode::None);
    EventOptions {
        decimal: settings.word("decimal.handling.mode", DecimalHandlingMode::parse, DecimalHandlingMode::Precise),
        time: settings.word(
            "time.precision.mode",
            TimePrecisionMode::parse,
            TimePrecisionMode::AdaptiveTimeMicroseconds,
        ),
        bigint_unsigned: match postgres {
            true => BigIntUnsignedHandlingMode::Long,
            false => settings.word(
                "bigint.unsigned.handling.mode",
                BigIntUnsignedHandlingMode::parse,
                BigIntUnsignedHandlingMode::Long,
            ),
        },
        binary: settings.word("binary.handling.mode", BinaryHandlingMode::parse, BinaryHandlingMode::Bytes),
        schema_names: adjustment("schema.name.adjustment.mode"),
        field_names: match adjustment("field.name.adjustment.mode") {
            SchemaNameAdjustmentMode::None if has_avro_converter(settings) => SchemaNameAdjustmentMode::Avro,
            mode @ (SchemaNameAdjustmentMode::None
            | SchemaNameAdjustmentMode::Avro
            | SchemaNameAdjustmentMode::AvroUnicode) => mode,
        },
        converting_failure: settings.word(
            "event.converting.failure.handling.mode",
            EventConvertingFailureHandlingMode::parse,
            EventConvertingFailureHandlingMode::Warn,
        ),
        adjust_two_digit_years: binlog_flag("enable.time.adjuster"),
        tombstones: settings.flag("tombstones.on.delete"),
        schema_comments: settings.flag("include.schema.comments"),
        schema_changes: binlog_flag("include.schema.changes"),
        transaction_metadata: settings.flag("provide.transaction.metadata"),
        context_headers: settings.flag("extended.headers.enabled"),
        debezium_version: settings
            .text("headwater.debezium.version")
            .unwrap_or_else(|| newest(generation, postgres).to_owned()),
        generation,
        unavailable_value: unavailable_value(settings, generation, findings),
    }
}

/// The newest release of a generation whose records were looked at.
const fn newest(generation: DebeziumGeneration, postgres: bool) -> &'static str {
    match (generation, postgres) {
        (DebeziumGeneration::V3_6, false) => "3.6.1.Final",
        (DebeziumGeneration::V3_6, true) => "3.6.3.Final",
        (DebeziumGeneration::V3_7, false) => "3.7.0.Alpha2",
        (DebeziumGeneration::V3_7, true) => "3.7.0.Final",
    }
}

/// What stands for a value that the row image does not have. Debezium writes it for PostgreSQL, and for binlogs since
/// 3.7.
fn unavailable_value(
    settings: &Settings<'_>,
    generation: DebeziumGeneration,
    findings: &mut Findings,
) -> Option<String> {
    const PROPERTY: &str = "unavailable.value.placeholder";
    if generation == DebeziumGeneration::V3_6 && settings.place.meets(Applies::BINLOG) {
        if settings.is_set(PROPERTY) {
            findings.advise(PROPERTY, "changes nothing with debezium.compat.version=3.6: null is written then");
        }
        return None;
    }
    let written = settings.text(PROPERTY)?;
    let Some(digits) = written.strip_prefix("hex:") else { return Some(written) };
    let bytes = hex(digits).and_then(|bytes| String::from_utf8(bytes).ok());
    if bytes.is_none() {
        findings.errors.push(settings.invalid(PROPERTY, &written, "hex: and the hexadecimal digits of UTF-8 text"));
    }
    bytes
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = digits.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

/// Whether the connector itself, not its worker, names one of the converters for whose sake Debezium makes field
/// names legal in Avro whatever `field.name.adjustment.mode` says. Source: `CommonConnectorConfig`.
fn has_avro_converter(settings: &Settings<'_>) -> bool {
    const AVRO_CONVERTERS: [&str; 2] =
        ["io.confluent.connect.avro.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter"];
    ["key.converter", "value.converter"]
        .iter()
        .any(|property| settings.values.get(*property).is_some_and(|class| AVRO_CONVERTERS.contains(&class.as_str())))
}

pub(super) fn topics(settings: &Settings<'_>, findings: &mut Findings) -> TopicOptions {
    let text = |property: &str| settings.text(property).unwrap_or_default();
    let (prefix, delimiter) = (text("topic.prefix"), text("topic.delimiter"));
    TopicOptions {
        heartbeat: settings
            .text("topic.heartbeat.name")
            .unwrap_or_else(|| format!("{}{delimiter}{prefix}", text("topic.heartbeat.prefix"))),
        transaction: format!("{prefix}{delimiter}{}", text("topic.transaction")),
        strategy: strategy(settings, &mut findings.errors),
        prefix,
        delimiter,
    }
}

/// The stock strategy; the other stock ones are known and not built in.
fn strategy(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> TopicNamingStrategy {
    const PROPERTY: &str = "topic.naming.strategy";
    let class = settings.text(PROPERTY).unwrap_or_default();
    // The stock one names a table by its schema where there are schemas, and by its database where there are none.
    let stock = match settings.place.meets(Applies::POSTGRES) {
        true => TopicNamingStrategy::Schema,
        false => TopicNamingStrategy::Default,
    };
    match TopicNamingStrategy::parse(&class) {
        Some(strategy) if strategy == stock => {}
        Some(_) => errors.push(ConfigError::Refused {
            property: PROPERTY.to_owned(),
            value: settings.masking.show(PROPERTY, &class),
            reason: format!("only {stock} is built in yet"),
        }),
        None => errors.push(ConfigError::JavaClass {
            property: PROPERTY.to_owned(),
            class: settings.masking.show(PROPERTY, &class),
            stock: vec![stock.as_str()],
        }),
    }
    stock
}
