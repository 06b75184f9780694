//! Why no codec can be made for a column.

use crate::error::{Code, Coded, Disposition};

/// Why no codec can be made for a column, or the catalog cannot be read. Found when a table is first seen, never in
/// the middle of its rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A column's type is not in the catalog that was read.
    #[error("column {table}.{column} has the type with OID {oid}, which is not among the types read from the catalog")]
    UnknownType {
        /// `schema.table`.
        table: String,
        /// The column's name.
        column: String,
        /// The type's OID.
        oid: u32,
    },
    /// A row of the catalog is not what the query asks for.
    #[error("a row of pg_type cannot be read: {reason}")]
    Catalog {
        /// What is wrong.
        reason: &'static str,
    },
    /// `time.precision.mode` is none that this source has.
    #[error("time.precision.mode={mode} cannot be used with PostgreSQL")]
    UnsupportedTimePrecision {
        /// The mode.
        mode: &'static str,
    },
    /// The declared default cannot be converted, and `event.converting.failure.handling.mode=fail`.
    #[error("the default of column {table}.{column} of type {type_name} cannot be converted: {reason}")]
    DefaultValue {
        /// `schema.table`.
        table: String,
        /// The column's name.
        column: String,
        /// The type's name.
        type_name: String,
        /// What is wrong, without the value.
        reason: &'static str,
    },
}

static UNKNOWN_TYPE: Code = Code {
    number: 1350,
    disposition: Disposition::Retry,
    title: "a column has a type that was not in the catalog when it was read",
    hint: "A type was made after the catalog was read, or dropped since. Headwater reads the catalog again; if it stays unknown, the type no longer exists: exclude the column (column.exclude.list) until its old changes are read.",
};
static CATALOG: Code = Code {
    number: 1351,
    disposition: Disposition::Stop,
    title: "the server's catalog of types cannot be read",
    hint: "Something between Headwater and the server changes results (a proxy, a pooler). Connect to PostgreSQL itself.",
};
static UNSUPPORTED_TIME_PRECISION: Code = Code {
    number: 1352,
    disposition: Disposition::Stop,
    title: "time.precision.mode is not one that PostgreSQL connectors have",
    hint: "Use adaptive (the default), adaptive_time_microseconds, connect, isostring, microseconds or nanoseconds.",
};
static DEFAULT_VALUE: Code = Code {
    number: 1353,
    disposition: Disposition::Stop,
    title: "the declared default of a column cannot be converted to its schema",
    hint: "event.converting.failure.handling.mode=warn leaves the default out of the schema instead; the rows are not touched.",
};

impl Coded for CodecError {
    fn code(&self) -> &'static Code {
        match self {
            CodecError::UnknownType { .. } => &UNKNOWN_TYPE,
            CodecError::Catalog { .. } => &CATALOG,
            CodecError::UnsupportedTimePrecision { .. } => &UNSUPPORTED_TIME_PRECISION,
            CodecError::DefaultValue { .. } => &DEFAULT_VALUE,
        }
    }
}

/// Every page of this room.
pub const CODES: &[&Code] = &[&UNKNOWN_TYPE, &CATALOG, &UNSUPPORTED_TIME_PRECISION, &DEFAULT_VALUE];
