//! Why no codec can be made for a column.

use crate::error::{Code, Coded, Disposition};

/// Why no codec can be made for a column. Found when a table is first seen, never in the middle of its rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The tracked type is none that we know.
    #[error("column {table}.{column} has the unknown type {type_name}")]
    UnknownType {
        /// `database.table`.
        table: String,
        /// The column's name.
        column: String,
        /// The tracked type.
        type_name: String,
    },
    /// The tracked type and the type of the row event are not the same.
    #[error("column {table}.{column} is tracked as {tracked}, but the server writes {wire}")]
    TypeMismatch {
        /// `database.table`.
        table: String,
        /// The column's name.
        column: String,
        /// The tracked type with its length and scale.
        tracked: String,
        /// The type of the table map.
        wire: String,
    },
    /// The character set is none that we know.
    #[error("column {table}.{column} has the unknown character set {charset}")]
    UnknownCharset {
        /// `database.table`.
        table: String,
        /// The column's name.
        column: String,
        /// The character set.
        charset: String,
    },
    /// `time.precision.mode` is none that this source has.
    #[error("time.precision.mode={mode} cannot be used with MySQL and MariaDB")]
    UnsupportedTimePrecision {
        /// The mode.
        mode: &'static str,
    },
    /// The declared default cannot be converted, and `event.converting.failure.handling.mode=fail`.
    #[error("the default of column {table}.{column} of type {type_name} cannot be converted: {reason}")]
    DefaultValue {
        /// `database.table`.
        table: String,
        /// The column's name.
        column: String,
        /// The tracked type.
        type_name: String,
        /// What is wrong, without the value.
        reason: &'static str,
    },
    /// One of `converters` claims a column that it cannot convert.
    #[error("a converter claims column {table}.{column} of type {type_name}, which it cannot convert: {reason}")]
    Converter {
        /// `database.table`.
        table: String,
        /// The column's name.
        column: String,
        /// The tracked type.
        type_name: String,
        /// Why not.
        reason: &'static str,
    },
}

static UNKNOWN_TYPE: Code = Code {
    number: 360,
    disposition: Disposition::Stop,
    title: "a column of a captured table has a type that Headwater does not know",
    hint: "Exclude the column (column.exclude.list) or the table (table.exclude.list), and report the type with the server's version.",
};
static TYPE_MISMATCH: Code = Code {
    number: 361,
    disposition: Disposition::Stop,
    title: "the tracked definition of a table and its rows disagree about a column's type",
    hint: "The table was changed where Headwater could not see it (sql_log_bin=0, or a lost schema history). Compare SHOW CREATE TABLE with the schema history and restart with snapshot.mode=recovery; inconsistent.schema.handling.mode says what becomes of such events.",
};
static UNKNOWN_CHARSET: Code = Code {
    number: 362,
    disposition: Disposition::Stop,
    title: "a column has a character set that Headwater does not know",
    hint: "Exclude the column (column.exclude.list), and report the character set with the server's version.",
};
static UNSUPPORTED_TIME_PRECISION: Code = Code {
    number: 363,
    disposition: Disposition::Stop,
    title: "time.precision.mode is not one that MySQL and MariaDB connectors have",
    hint: "Use adaptive_time_microseconds (the default), connect, isostring, microseconds or nanoseconds.",
};
static DEFAULT_VALUE: Code = Code {
    number: 364,
    disposition: Disposition::Stop,
    title: "the declared default of a column cannot be converted to its schema",
    hint: "event.converting.failure.handling.mode=warn leaves the default out of the schema instead; the rows are not touched.",
};
static CONVERTER: Code = Code {
    number: 365,
    disposition: Disposition::Stop,
    title: "one of the connector's converters claims a column that it cannot convert",
    hint: "Narrow the converter's selector to the columns that it is for. Debezium would write a constant for every row of such a column.",
};

impl Coded for CodecError {
    fn code(&self) -> &'static Code {
        match self {
            CodecError::UnknownType { .. } => &UNKNOWN_TYPE,
            CodecError::TypeMismatch { .. } => &TYPE_MISMATCH,
            CodecError::UnknownCharset { .. } => &UNKNOWN_CHARSET,
            CodecError::UnsupportedTimePrecision { .. } => &UNSUPPORTED_TIME_PRECISION,
            CodecError::DefaultValue { .. } => &DEFAULT_VALUE,
            CodecError::Converter { .. } => &CONVERTER,
        }
    }
}

/// Every page of this room.
pub const CODES: &[&Code] =
    &[&UNKNOWN_TYPE, &TYPE_MISMATCH, &UNKNOWN_CHARSET, &UNSUPPORTED_TIME_PRECISION, &DEFAULT_VALUE, &CONVERTER];
