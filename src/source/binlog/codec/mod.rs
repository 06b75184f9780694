//! Column types: the bytes of a cell of a row image as a value, and the schema that says what it is.
//!
//! In: a tracked column, the table map's word on it, and the handling modes. Out: a Connect schema equal to
//! Debezium 3.6's, and a codec that reads the column's cells. Promised: everything is decided when a table is
//! first seen. An unknown type, or a tracked column and a wire column that are not the same, is an error then and
//! never a null later; reading a cell allocates nothing but in the arena, and no bytes can make it panic.
//! Nothing here survives a crash.
//!
//! ```text
//!  tracked Column ─┐
//!  WireColumn ─────┼─▶ FAMILIES (name → family) ─▶ Plan ─▶ converters ─▶ Schema + Codec
//!  CodecOptions ───┘
//! ```
//!
//! A column type is one name in one row of [`FAMILIES`].

mod binary;
mod bit;
mod charset;
mod choice;
mod compressed;
pub mod converter;
mod decimal;
mod default_value;
mod error;
mod float;
mod geometry;
pub(super) mod in_sql;
mod integer;
mod json;
mod layouts;
mod mariadb;
mod plan;
mod temporal;
mod text;
mod type_name;
mod vector;
mod wire_type;

use std::sync::Arc;

pub use error::{CODES, CodecError};
pub use layouts::Layouts;

use crate::model::modes::{
    BigIntUnsignedHandlingMode, BinaryHandlingMode, DebeziumGeneration, DecimalHandlingMode,
    EventConvertingFailureHandlingMode, EventProcessingFailureHandlingMode, TimePrecisionMode,
};
use crate::model::table::{Column, TableId};
use crate::source::codec::About;
pub use crate::source::codec::ColumnCodec;
pub use crate::source::codec::failure::{ConversionFailures, guarded};
use converter::ColumnConverter;
use plan::{Context, Plan};
use type_name::TypeName;

/// What the table map says about a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireColumn {
    /// `MYSQL_TYPE_*`; ENUM and SET where the table map says STRING and means those.
    pub wire_type: u8,
    /// Unpacked: bytes for STRING, VARCHAR, ENUM and SET; precision × 256 + scale for NEWDECIMAL; bits for BIT;
    /// digits of the second's fraction for temporal types.
    pub metadata: u16,
    /// Whether a numeric column is unsigned, from the optional metadata.
    pub unsigned: Option<bool>,
    /// The collation's number of a character column, from the optional metadata.
    pub collation: Option<u16>,
}

impl WireColumn {
    /// What the log would say of a tracked column, as far as its schema depends on it: for a statement about a table
    /// whose rows have not come. Cells must not be read with it.
    pub fn tracked(column: &Column) -> WireColumn {
        let name = TypeName::parse(&column.type_name);
        let family = FAMILIES.iter().find(|family| family.names.contains(&name.base.as_str()));
        let wire_types = family.map_or(&[][..], |family| family.wire_types);
        let current = [w::TIME2, w::DATETIME2, w::TIMESTAMP2].into_iter().find(|current| wire_types.contains(current));
        let wire_type = current.or(wire_types.first().copied()).unwrap_or_default();
        let declared = |number: Option<i32>, default: u8| number.map_or(default, |n| u8::try_from(n).unwrap_or(0));
        let metadata = match wire_type {
            w::NEWDECIMAL => u16::from_be_bytes([declared(column.length, 10), declared(column.scale, 0)]),
            w::BIT => u16::from(declared(column.length, 1)),
            w::TIME2 | w::DATETIME2 | w::TIMESTAMP2 => u16::from(declared(column.length, 0)),
            _ => 0,
        };
        WireColumn { wire_type, metadata, unsigned: None, collation: None }
    }
}

/// The options that decide what a column's values look like.
#[derive(Clone, Debug)]
pub struct CodecOptions {
    /// `decimal.handling.mode`.
    pub decimal: DecimalHandlingMode,
    /// `time.precision.mode`.
    pub time_precision: TimePrecisionMode,
    /// `binary.handling.mode`.
    pub binary: BinaryHandlingMode,
    /// `bigint.unsigned.handling.mode`.
    pub bigint_unsigned: BigIntUnsignedHandlingMode,
    /// `enable.time.adjuster`: years of two digits are of 1970 to 2069.
    pub enable_time_adjuster: bool,
    /// `include.schema.comments`.
    pub include_schema_comments: bool,
    /// `event.processing.failure.handling.mode`: decides on dates that are not in the calendar.
    pub invalid_dates: EventProcessingFailureHandlingMode,
    /// `event.converting.failure.handling.mode`: decides on defaults that cannot be converted.
    pub converting_failure: EventConvertingFailureHandlingMode,
    /// `unavailable.value.placeholder`, which Debezium 3.7 shows for text and bytes that the row image does not
    /// have; `None` shows null there, as Debezium 3.6 has no such placeholder for MySQL.
    pub unavailable_value_placeholder: Option<String>,
    /// `debezium.compat.version`.
    pub generation: DebeziumGeneration,
    /// Reads the seven character sets that Java lacks as Debezium reads them, with wrong letters, instead of
    /// as the server means them.
    pub java_charsets: bool,
    /// `converters`, in the order in which they are asked for a column.
    pub converters: Arc<[Arc<dyn ColumnConverter>]>,
}

impl Default for CodecOptions {
    fn default() -> Self {
        CodecOptions {
            decimal: DecimalHandlingMode::Precise,
            time_precision: TimePrecisionMode::AdaptiveTimeMicroseconds,
            binary: BinaryHandlingMode::Bytes,
            bigint_unsigned: BigIntUnsignedHandlingMode::Long,
            enable_time_adjuster: true,
            include_schema_comments: false,
            invalid_dates: EventProcessingFailureHandlingMode::Fail,
            converting_failure: EventConvertingFailureHandlingMode::Warn,
            unavailable_value_placeholder: None,
            generation: DebeziumGeneration::V3_6,
            java_charsets: false,
            converters: Arc::new([]),
        }
    }
}

/// Column types that are read alike.
struct Family {
    /// Base names, in capitals, without UNSIGNED and ZEROFILL.
    names: &'static [&'static str],
    /// The wire types they have.
    wire_types: &'static [u8],
    /// Makes the plan of a column.
    plan: fn(&Context<'_>) -> Result<Plan, CodecError>,
}

use wire_type as w;

/// Text and bytes of any declared length: the server itself makes a VARCHAR that is too long a TEXT.
const STRINGS: &[u8] = &[
    w::STRING,
    w::VARCHAR,
    w::VAR_STRING,
    w::VARCHAR_COMPRESSED,
    w::TINY_BLOB,
    w::MEDIUM_BLOB,
    w::LONG_BLOB,
    w::BLOB,
    w::BLOB_COMPRESSED,
];

/// Every column type of MySQL and MariaDB.
const FAMILIES: &[Family] = &[
    Family { names: &["BOOLEAN", "BOOL"], wire_types: &[w::TINY], plan: integer::boolean },
    Family { names: &["TINYINT", "INT1"], wire_types: &[w::TINY], plan: integer::integer },
    Family { names: &["SMALLINT", "INT2"], wire_types: &[w::SHORT], plan: integer::integer },
    Family { names: &["MEDIUMINT", "INT3", "MIDDLEINT"], wire_types: &[w::INT24], plan: integer::integer },
    Family { names: &["INT", "INTEGER", "INT4"], wire_types: &[w::LONG], plan: integer::integer },
    Family { names: &["BIGINT", "INT8", "SERIAL"], wire_types: &[w::LONGLONG], plan: integer::integer },
    Family { names: &["BIT"], wire_types: &[w::BIT], plan: bit::bit },
    Family { names: &["FLOAT", "FLOAT4"], wire_types: &[w::FLOAT, w::DOUBLE], plan: float::float },
    Family {
        names: &["DOUBLE", "DOUBLE PRECISION", "FLOAT8"],
        wire_types: &[w::DOUBLE],
        plan: float::double_precision,
    },
    Family { names: &["REAL"], wire_types: &[w::DOUBLE, w::FLOAT], plan: float::real },
    Family { names: &["DECIMAL", "DEC", "NUMERIC", "FIXED"], wire_types: &[w::NEWDECIMAL], plan: decimal::decimal },
    Family { names: &["DATE"], wire_types: &[w::DATE, w::NEWDATE], plan: temporal::date },
    Family { names: &["TIME"], wire_types: &[w::TIME, w::TIME2], plan: temporal::time },
    Family { names: &["DATETIME"], wire_types: &[w::DATETIME, w::DATETIME2], plan: temporal::datetime },
    Family { names: &["TIMESTAMP"], wire_types: &[w::TIMESTAMP, w::TIMESTAMP2], plan: temporal::timestamp },
    Family { names: &["YEAR"], wire_types: &[w::YEAR], plan: temporal::year },
    Family {
        names: &[
            "CHAR",
            "CHARACTER",
            "NCHAR",
            "NATIONAL CHAR",
            "NATIONAL CHARACTER",
            "VARCHAR",
            "VARCHARACTER",
            "VARCHAR2",
            "CHAR VARYING",
            "CHARACTER VARYING",
            "NVARCHAR",
            "NCHAR VARCHAR",
            "NCHAR VARCHARACTER",
            "NCHAR VARYING",
            "NATIONAL VARCHAR",
            "NATIONAL VARCHARACTER",
            "NATIONAL CHAR VARYING",
            "NATIONAL CHARACTER VARYING",
            "TINYTEXT",
            "TEXT",
            "MEDIUMTEXT",
            "LONGTEXT",
            "CLOB",
            "LONG",
            "LONG VARCHAR",
            "LONG VARCHARACTER",
            "LONG CHAR VARYING",
            "LONG CHARACTER VARYING",
        ],
        wire_types: STRINGS,
        plan: text::text,
    },
    Family {
        names: &[
            "BINARY",
            "CHAR BYTE",
            "VARBINARY",
            "RAW",
            "TINYBLOB",
            "BLOB",
            "MEDIUMBLOB",
            "LONGBLOB",
            "LONG VARBINARY",
        ],
        wire_types: STRINGS,
        plan: binary::binary,
    },
    Family { names: &["ENUM"], wire_types: &[w::ENUM], plan: choice::enumeration },
    Family { names: &["SET"], wire_types: &[w::SET], plan: choice::set },
    Family { names: &["JSON"], wire_types: &[w::JSON, w::LONG_BLOB, w::BLOB, w::BLOB_COMPRESSED], plan: json::json },
    Family {
        names: &[
            "GEOMETRY",
            "LINESTRING",
            "POLYGON",
            "MULTIPOINT",
            "MULTILINESTRING",
            "MULTIPOLYGON",
            "GEOMETRYCOLLECTION",
            "GEOMCOLLECTION",
        ],
        wire_types: &[w::GEOMETRY],
        plan: geometry::geometry,
    },
    Family { names: &["POINT"], wire_types: &[w::GEOMETRY], plan: geometry::point },
    Family { names: &["VECTOR"], wire_types: &[w::VECTOR, w::VARCHAR, w::BLOB], plan: vector::vector },
    Family { names: &["UUID"], wire_types: &[w::STRING], plan: mariadb::uuid },
    Family { names: &["INET4"], wire_types: &[w::STRING], plan: mariadb::inet4 },
    Family { names: &["INET6"], wire_types: &[w::STRING], plan: mariadb::inet6 },
];

/// Makes the schema and the codec of a column.
///
/// # Errors
/// [`CodecError::UnknownType`] and [`CodecError::UnknownCharset`] for what we cannot read,
/// [`CodecError::TypeMismatch`] when the tracked column and the wire column are not the same,
/// [`CodecError::DefaultValue`] when `event.converting.failure.handling.mode` is `fail`,
/// [`CodecError::Converter`] when a converter claims a column that it cannot read.
pub fn column_codec(
    table: &TableId,
    column: &Column,
    wire: WireColumn,
    options: &CodecOptions,
) -> Result<ColumnCodec, CodecError> {
    let table = table.to_string();
    let type_name = TypeName::parse(&column.type_name);
    let context = Context { table: &table, column, type_name: &type_name, wire, options };
    let family = FAMILIES.iter().find(|family| family.names.contains(&type_name.base.as_str()));
    let Some(family) = family else {
        return Err(CodecError::UnknownType {
            table,
            column: column.name.clone(),
            type_name: column.type_name.clone(),
        });
    };
    if !family.wire_types.contains(&wire.wire_type) {
        return Err(context.mismatch());
    }
    let plan = (family.plan)(&context)?;
    finish(&context, converter::converted(&context, plan)?)
}

/// Adds what is alike for all types; `binlog_row_image=NOBLOB` leaves out what Debezium's `RowImageUtils` tells.
fn finish(context: &Context<'_>, plan: Plan) -> Result<ColumnCodec, CodecError> {
    let may_be_left_out = context.type_name.base.contains("BLOB") || context.type_name.base.contains("TEXT");
    let about = About {
        table: context.table,
        column: context.column,
        include_schema_comments: context.options.include_schema_comments,
        converting_failure: context.options.converting_failure,
        placeholder: context.options.unavailable_value_placeholder.as_deref().filter(|_| may_be_left_out),
    };
    crate::source::codec::finish(&about, plan).map_err(|reason| CodecError::DefaultValue {
        table: context.table.into(),
        column: context.column.name.clone(),
        type_name: context.column.type_name.clone(),
        reason,
    })
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
