//! Column types: the bytes of a cell of a row as a value, and the schema that says what it is.
//!
//! In: a column, what the relation message says of its type, the catalog of types, and the handling modes. Out: a Connect
//! schema equal to Debezium 3.6's, and a codec that reads the column's cells out of pgoutput's text format. Promised:
//! everything is decided when a table is first seen; reading a cell allocates nothing but in the arena, and no bytes can
//! make it panic. Nothing here survives a crash.
//!
//! ```text
//!  Column ───────┐
//!  PgColumn ─────┼─▶ root of the domains ─▶ family (by OID, or name) ─▶ Plan ─▶ Schema + Codec
//!  Types ────────┤
//!  CodecOptions ─┘
//! ```
//!
//! The text is that of `DateStyle` ISO, `IntervalStyle` postgres (also postgres_verbose and iso_8601), `bytea_output` hex
//! (also escape), `extra_float_digits` 1 or more, any `TimeZone`, and `client_encoding` UTF8: the connection sets them.
//!
//! Where Debezium loses a value that its own schema has room for, the value is written: NAME (null there), INT2VECTOR and
//! OIDVECTOR (empty there), elements of TIME arrays below the millisecond and of TIMETZ arrays below the second, dates of
//! arrays before 1582, NULL in arrays of LTREE, times with a zone whose offset has seconds.

mod array;
mod binary;
mod catalog;
mod decimal;
mod default_value;
mod describe;
mod error;
mod geometry;
mod hash_order;
mod hstore;
mod layouts;
mod number;
mod oid;
mod shape;
mod temporal;
mod text;
mod vector;

pub use catalog::{PgType, TYPES_COLUMNS, TYPES_QUERY, TypeKind, TypeRow, Types};
pub use describe::describe;
pub use error::{CODES, CodecError};
pub use layouts::Layouts;

pub use crate::source::codec::ColumnCodec;
pub use crate::source::codec::failure::{ConversionFailures, guarded};

use crate::model::modes::{
    BinaryHandlingMode, DebeziumGeneration, DecimalHandlingMode, EventConvertingFailureHandlingMode,
    HstoreHandlingMode, IntervalHandlingMode, TimePrecisionMode,
};
use crate::model::table::{Column, TableId};
use crate::source::codec::About;
use crate::source::codec::plan::{Fallback, Plan};

/// What the stream or the catalog says of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PgColumn {
    /// The type's OID (`atttypid`).
    pub type_oid: u32,
    /// The type's modifier (`atttypmod`); -1 for none.
    pub type_modifier: i32,
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
    /// `interval.handling.mode`.
    pub interval: IntervalHandlingMode,
    /// `hstore.handling.mode`.
    pub hstore: HstoreHandlingMode,
    /// `money.fraction.digits`.
    pub money_fraction_digits: i32,
    /// `include.unknown.datatypes`: columns of types that Debezium does not know are bytes, and not left out.
    pub include_unknown_datatypes: bool,
    /// `unavailable.value.placeholder`, which stands for unchanged TOAST.
    pub unavailable_value_placeholder: String,
    /// `include.schema.comments`. Debezium has no comments of PostgreSQL's columns in its events, whatever this says.
    pub include_schema_comments: bool,
    /// `event.converting.failure.handling.mode`.
    pub converting_failure: EventConvertingFailureHandlingMode,
    /// `debezium.compat.version`.
    pub generation: DebeziumGeneration,
}

impl Default for CodecOptions {
    fn default() -> Self {
        CodecOptions {
            decimal: DecimalHandlingMode::Precise,
            time_precision: TimePrecisionMode::Adaptive,
            binary: BinaryHandlingMode::Bytes,
            interval: IntervalHandlingMode::Numeric,
            hstore: HstoreHandlingMode::Json,
            money_fraction_digits: 2,
            include_unknown_datatypes: false,
            unavailable_value_placeholder: "__debezium_unavailable_value".into(),
            include_schema_comments: false,
            converting_failure: EventConvertingFailureHandlingMode::Warn,
            generation: DebeziumGeneration::V3_6,
        }
    }
}

/// What a family is asked about one column, or about the elements of one.
#[derive(Clone, Copy)]
struct Context<'a> {
    /// The name of the column's own type.
    type_name: &'a str,
    /// The type that its values have: under all domains; of an array's elements, the element's.
    root: &'a PgType,
    /// The column's length, as Debezium derives it.
    length: i32,
    /// The column's scale.
    scale: i32,
    /// Whether this is about an array's elements.
    element: bool,
    /// All types.
    types: &'a Types,
    /// The handling modes.
    options: &'a CodecOptions,
}

/// Makes the schema and the codec of a column; `None` for a column that Debezium leaves out of its events.
///
/// Of `column` are read: `optional`, `has_default_value`, `default_value_expression` (the text of `pg_get_expr`), `name`.
///
/// # Errors
/// [`CodecError::UnknownType`] for a type that the catalog does not have: read it again;
/// [`CodecError::UnsupportedTimePrecision`] for a mode that PostgreSQL does not have.
pub fn column_codec(
    table: &TableId,
    column: &Column,
    pg: PgColumn,
    types: &Types,
    options: &CodecOptions,
) -> Result<Option<ColumnCodec>, CodecError> {
    let table = table.to_string();
    if options.time_precision == TimePrecisionMode::Structured {
        return Err(CodecError::UnsupportedTimePrecision { mode: options.time_precision.as_str() });
    }
    let unknown = || CodecError::UnknownType { table: table.clone(), column: column.name.clone(), oid: pg.type_oid };
    let own = types.get(pg.type_oid).ok_or_else(unknown)?;
    let root = types.root(pg.type_oid).ok_or_else(unknown)?;
    let (length, scale) = describe::length_and_scale(types, own, pg.type_modifier);
    let context = Context { type_name: &own.name, root, length, scale, element: false, types, options };
    let Some(mut plan) = family(&context) else { return Ok(None) };
    if matches!(own.kind, TypeKind::Domain { .. }) {
        // Debezium knows no defaults of domains.
        plan.default = Box::new(default_value::none);
    }
    // Null, and not what stands for null elsewhere: a value that nobody knows must not look like one.
    plan.absent = Some(match plan.placeholder.take() {
        Some(convert) => Fallback::Scalar(convert(&options.unavailable_value_placeholder)),
        None => Fallback::Null,
    });
    let about = About {
        table: &table,
        column,
        include_schema_comments: false,
        converting_failure: tolerant(options.converting_failure),
        placeholder: None,
    };
    crate::source::codec::finish(&about, plan).map(Some).map_err(|reason| CodecError::DefaultValue {
        table: table.clone(),
        column: column.name.clone(),
        type_name: own.name.clone(),
        reason,
    })
}

/// Debezium leaves a default out that it cannot read, also where `event.converting.failure.handling.mode` is `fail`.
fn tolerant(mode: EventConvertingFailureHandlingMode) -> EventConvertingFailureHandlingMode {
    match mode {
        EventConvertingFailureHandlingMode::Skip => mode,
        EventConvertingFailureHandlingMode::Fail | EventConvertingFailureHandlingMode::Warn => {
            EventConvertingFailureHandlingMode::Warn
        }
    }
}

/// The plan of a column by its type; `None` for a type that Debezium leaves out.
fn family(context: &Context<'_>) -> Option<Plan> {
    Some(match context.root.oid {
        oid::BOOL => number::boolean(context),
        oid::INT2 => number::small_int(context),
        oid::INT4 => number::int(context),
        oid::INT8 => number::big_int(context),
        oid::OID => number::oid(context),
        oid::FLOAT4 => number::real(context),
        oid::FLOAT8 => number::double(context),
        oid::NUMERIC => decimal::numeric(context),
        oid::MONEY => decimal::money(context),
        oid::TEXT | oid::VARCHAR | oid::BPCHAR => text::text(context),
        oid::CHAR | oid::NAME => text::other_text(context),
        oid::INET | oid::CIDR | oid::MACADDR | oid::MACADDR8 => text::other_text(context),
        oid::INT4RANGE | oid::INT8RANGE | oid::NUMRANGE => text::other_text(context),
        oid::TSRANGE | oid::TSTZRANGE | oid::DATERANGE => text::other_text(context),
        oid::JSON | oid::JSONB => text::json(context),
        oid::XML => text::xml(context),
        oid::UUID => text::uuid(context),
        oid::TSVECTOR => text::text_search(context),
        oid::BYTEA => binary::bytes(context),
        oid::BIT | oid::VARBIT => binary::bits(context),
        oid::DATE => temporal::date(context),
        oid::TIME => temporal::time(context),
        oid::TIMETZ => temporal::time_with_zone(context),
        oid::TIMESTAMP => temporal::timestamp(context),
        oid::TIMESTAMPTZ => temporal::timestamp_with_zone(context),
        oid::INTERVAL => temporal::interval(context),
        oid::POINT => geometry::point(context),
        _ => return of_the_user(context),
    })
}

/// The plan of a type that has no OID of its own everywhere: an enumeration, an array, an extension's type.
fn of_the_user(context: &Context<'_>) -> Option<Plan> {
    let root = context.root;
    if let Some(plan) = shape::structured(context) {
        return Some(plan);
    }
    if let TypeKind::Enum { labels } = &root.kind {
        return Some(text::enumeration(context, labels));
    }
    if let Some(element) = root.element {
        return array::array(context, element);
    }
    let plan = match (root.name.as_str(), &root.kind) {
        ("citext" | "isbn", TypeKind::Base) => text::other_text(context),
        ("ltree", TypeKind::Base) => text::label_tree(context),
        ("hstore", TypeKind::Base) => hstore::hstore(context),
        ("geometry", TypeKind::Base) => geometry::geometry(context),
        ("geography", TypeKind::Base) => geometry::geography(context),
        ("vector", TypeKind::Base) => vector::vector(context),
        ("halfvec", TypeKind::Base) => vector::half_vector(context),
        ("sparsevec", TypeKind::Base) => vector::sparse_vector(context),
        _ if !context.options.include_unknown_datatypes => return None,
        _ => match root.oid {
            oid::BOX | oid::LSEG | oid::PATH | oid::POLYGON | oid::CIRCLE | oid::LINE => shape::shape(context),
            _ => binary::opaque(context),
        },
    };
    Some(plan)
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
