//! What events look like: types, names, keys, masks, blocks.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::old;
use crate::model::modes::{
    BigIntUnsignedHandlingMode, BinaryHandlingMode, DebeziumGeneration, DecimalHandlingMode, SchemaNameAdjustmentMode,
    TimePrecisionMode,
};

const DECIMAL: Kind =
    Kind::Word(DecimalHandlingMode::WORDS, |word| DecimalHandlingMode::parse(word).map(DecimalHandlingMode::as_str));
const TIME: Kind =
    Kind::Word(TimePrecisionMode::WORDS, |word| TimePrecisionMode::parse(word).map(TimePrecisionMode::as_str));
const BIGINT: Kind = Kind::Word(BigIntUnsignedHandlingMode::WORDS, |word| {
    BigIntUnsignedHandlingMode::parse(word).map(BigIntUnsignedHandlingMode::as_str)
});
const BINARY: Kind =
    Kind::Word(BinaryHandlingMode::WORDS, |word| BinaryHandlingMode::parse(word).map(BinaryHandlingMode::as_str));
const ADJUSTMENT: Kind = Kind::Word(SchemaNameAdjustmentMode::WORDS, |word| {
    SchemaNameAdjustmentMode::parse(word).map(SchemaNameAdjustmentMode::as_str)
});
const BINLOG_TIMES: Kind = Kind::Word(
    &["adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds", "structured"],
    |word| {
        TimePrecisionMode::parse(word)
            .filter(|mode| *mode != TimePrecisionMode::Adaptive)
            .map(TimePrecisionMode::as_str)
    },
);

const GENERATION: Kind =
    Kind::Word(DebeziumGeneration::WORDS, |word| DebeziumGeneration::parse(word).map(DebeziumGeneration::as_str));

const NO_HOOKS: &str = "this hook of Java classes has only its stock form here";

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("decimal.handling.mode", DECIMAL, "How DECIMAL and NUMERIC are written").or("precise").high(),
    row("time.precision.mode", BINLOG_TIMES, "The units of dates and times")
        .or("adaptive_time_microseconds")
        .high()
        .for_(Applies::BINLOG),
    row("time.precision.mode", TIME, "The units of dates and times").or("adaptive").high().for_(Applies::POSTGRES),
    row("bigint.unsigned.handling.mode", BIGINT, "How BIGINT UNSIGNED is written").or("long").for_(Applies::BINLOG),
    row("binary.handling.mode", BINARY, "How BINARY, VARBINARY and BLOB are written").or("bytes"),
    row("schema.name.adjustment.mode", ADJUSTMENT, "How schema names are made legal in Avro").or("none").high(),
    row("field.name.adjustment.mode", ADJUSTMENT, "How field names are made legal in Avro").or("none").high(),
    row("enable.time.adjuster", Kind::Bool, "Whether years of two digits become 1970 to 2069")
        .or("true")
        .low()
        .for_(Applies::BINLOG),
    row(
        "unavailable.value.placeholder",
        Kind::Text,
        "What stands for a value that the server did not send: an unchanged one of PostgreSQL's TOAST; with debezium.compat.version=3.7 also one of binlog_row_image=NOBLOB, for which Debezium 3.6 writes null. hex: gives bytes",
    )
    .or("__debezium_unavailable_value")
    .was(&[old("toasted.value.placeholder", "1.9")]),
    row("tombstones.on.delete", Kind::Bool, "Whether a record without a value follows each delete").or("true").high(),
    row("message.key.columns", Kind::Text, "Keys of one's own: table:column,column;table:column"),
    row(
        "column.propagate.source.type",
        Kind::Regexes,
        "Columns whose schema carries the column's own type, as database.table.column",
    ),
    row("datatype.propagate.source.type", Kind::Regexes, "The same for types, as database.table.type"),
    row("column.truncate.to.<n>.chars", Kind::Regexes, "Columns whose text is cut after n characters"),
    row("column.mask.with.<n>.chars", Kind::Regexes, "Columns whose text becomes n asterisks"),
    row(
        "column.mask.hash.<algorithm>.with.salt.<salt>",
        Kind::Regexes,
        "Columns whose text becomes a salted hash, as Debezium first did it",
    ),
    row(
        "column.mask.hash.v2.<algorithm>.with.salt.<salt>",
        Kind::Regexes,
        "Columns whose text becomes a salted hash that is the same everywhere",
    ),
    row("include.query", Kind::Bool, "Whether source.query carries the statement, where the binlog has it")
        .or("false")
        .for_(Applies::BINLOG),
    row("include.schema.comments", Kind::Bool, "Whether comments of columns become docs of fields").or("false"),
    row("include.schema.changes", Kind::Bool, "Whether DDL goes to the topic named topic.prefix")
        .or("true")
        .high()
        .for_(Applies::BINLOG),
    row("provide.transaction.metadata", Kind::Bool, "Whether transactions get a topic and events a transaction block")
        .or("false")
        .high(),
    row("extended.headers.enabled", Kind::Bool, "Whether the four __debezium.context headers are written")
        .or("true")
        .low(),
    row("transaction.metadata.factory", Kind::Class, "Class that shapes transaction records")
        .or("io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory")
        .low()
        .no_effect(NO_HOOKS),
    row("sourceinfo.struct.maker", Kind::Class, "Class that shapes the source block").low().no_effect(NO_HOOKS),
    row("source.struct.version", Kind::Text, "Edition of the source block")
        .low()
        .no_effect("only v2 is left since Debezium 2.0"),
    row(
        "converters",
        Kind::List,
        "Names of converters for single columns; NAME.type is the class, its options stand beside it",
    )
    .low(),
    row("post.processors", Kind::List, "Names of processors of events. io.debezium.processors.reselect.ReselectColumnsPostProcessor is built in; post.processors.NAME.type says so, its options stand beside it. A row is read again when its transaction is visible: synchronous replicas are waited for; only a MySQL server without GTIDs does not tell, and may show a row as it was before")
        .low(),
    row(
        "debezium.compat.version",
        GENERATION,
        "The generation of Debezium that records are written like. 3.7 changes what readers see: TINYINT is int8, also in schema changes and history, for tables defined from then on; commas and backslashes in labels of ENUM and SET; text and bytes that a row image does not have; TinyIntOneToBooleanConverter takes negative numbers as true. GEOMETRY has extensions. On PostgreSQL BOX, LSEG, PATH, POLYGON, CIRCLE and LINE are structs, infinite dates and timestamps and the end of a day in UTC have values of their own, and a label that was added to an enumeration is in the schema from its first row on",
    )
    .or("3.6")
    .low(),
    row(
        "headwater.debezium.version",
        Kind::Text,
        "What source.version says; 3.6.1.Final (PostgreSQL: 3.6.3.Final) when not set, and 3.7.0.Alpha2 (3.7.0.Final) with debezium.compat.version=3.7",
    )
    .low(),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Events)
}
