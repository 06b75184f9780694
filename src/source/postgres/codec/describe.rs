//! A column as Debezium describes it: `java.sql.Types` number, length and scale by the rules of the JDBC driver.
//!
//! Source: pgjdbc 42.7 `TypeInfoCache` (`getSQLType`, `getPrecision`, `getDisplaySize`, `getScale`), and Debezium's
//! `PostgresType` and `ColumnMetaData`, which ask it. Masks and propagated types show these numbers.

use super::catalog::{PgType, TypeKind, Types};
use super::{PgColumn, oid};
use crate::model::table::Column;

/// No type modifier.
pub(super) const NO_MODIFIER: i32 = -1;
/// The length of a type without one.
const UNLIMITED: i32 = i32::MAX;
/// The length of NUMERIC without one.
pub(super) const VARIABLE_SCALE_LENGTH: i32 = 131_089;
/// Domains that are followed.
const MAX_DOMAINS: usize = 64;

/// The OID whose modifiers an array of the driver's own types shares.
fn base_of_array(oid: u32) -> u32 {
    match oid {
        oid::BIT_ARRAY => oid::BIT,
        oid::VARBIT_ARRAY => oid::VARBIT,
        oid::NUMERIC_ARRAY => oid::NUMERIC,
        oid::VARCHAR_ARRAY => oid::VARCHAR,
        oid::BPCHAR_ARRAY => oid::BPCHAR,
        oid::TIME_ARRAY => oid::TIME,
        oid::TIMETZ_ARRAY => oid::TIMETZ,
        oid::TIMESTAMP_ARRAY => oid::TIMESTAMP,
        oid::TIMESTAMPTZ_ARRAY => oid::TIMESTAMPTZ,
        oid::INTERVAL_ARRAY => oid::INTERVAL,
        oid::BOOL_ARRAY => oid::BOOL,
        oid::CHAR_ARRAY => oid::CHAR,
        oid::DATE_ARRAY => oid::DATE,
        oid::FLOAT4_ARRAY => oid::FLOAT4,
        oid::FLOAT8_ARRAY => oid::FLOAT8,
        oid::INT2_ARRAY => oid::INT2,
        oid::INT4_ARRAY => oid::INT4,
        oid::INT8_ARRAY => oid::INT8,
        oid::OID_ARRAY => oid::OID,
        other => other,
    }
}

/// How wide seconds with a fraction are shown.
fn seconds_width(modifier: i32) -> i32 {
    match modifier {
        NO_MODIFIER => 7,
        0 => 0,
        1 => 3,
        digits => digits.wrapping_add(1),
    }
}

/// The driver's `getDisplaySize`.
fn display_size(oid: u32, modifier: i32) -> i32 {
    match base_of_array(oid) {
        oid::INT2 => 6,
        oid::INT4 => 11,
        oid::OID => 10,
        oid::INT8 => 20,
        oid::FLOAT4 => 15,
        oid::FLOAT8 => 25,
        oid::CHAR | oid::BOOL => 1,
        oid::DATE => 13,
        oid::TIME => seconds_width(modifier).wrapping_add(8),
        oid::TIMETZ => seconds_width(modifier).wrapping_add(14),
        oid::TIMESTAMP => seconds_width(modifier).wrapping_add(22),
        oid::TIMESTAMPTZ => seconds_width(modifier).wrapping_add(28),
        oid::INTERVAL => 49,
        oid::VARCHAR | oid::BPCHAR if modifier != NO_MODIFIER => modifier.wrapping_sub(4),
        oid::NUMERIC => numeric_display_size(modifier),
        oid::BIT => modifier,
        oid::VARBIT if modifier != NO_MODIFIER => modifier,
        _ => UNLIMITED,
    }
}

fn numeric_display_size(modifier: i32) -> i32 {
    if modifier == NO_MODIFIER {
        return VARIABLE_SCALE_LENGTH;
    }
    let digits = modifier.wrapping_sub(4);
    let point = i32::from(digits & 0xffff != 0);
    1 + (digits >> 16 & 0xffff) + point
}

/// The driver's `getPrecision`.
fn precision(oid: u32, modifier: i32) -> i32 {
    match base_of_array(oid) {
        oid::INT2 => 5,
        oid::OID | oid::INT4 => 10,
        oid::INT8 => 19,
        oid::FLOAT4 => 8,
        oid::FLOAT8 => 17,
        oid::NUMERIC if modifier == NO_MODIFIER => 0,
        oid::NUMERIC => modifier.wrapping_sub(4) >> 16,
        _ => display_size(oid, modifier),
    }
}

/// The driver's `getScale`.
fn scale(oid: u32, modifier: i32) -> i32 {
    match base_of_array(oid) {
        oid::FLOAT4 => 8,
        oid::FLOAT8 => 17,
        oid::NUMERIC if modifier != NO_MODIFIER => modifier.wrapping_sub(4) & 0xffff,
        oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ if modifier == NO_MODIFIER => 6,
        oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ => modifier,
        oid::INTERVAL if modifier == NO_MODIFIER => 6,
        oid::INTERVAL => modifier & 0xffff,
        _ => 0,
    }
}

/// The precision, or the display size where there is none.
fn size(oid: u32, modifier: i32) -> i32 {
    match precision(oid, modifier) {
        0 => display_size(oid, modifier),
        found => found,
    }
}

/// Length and scale of a type without a modifier of its own.
fn defaults(types: &Types, of: &PgType) -> (i32, i32) {
    let mut of = of;
    let mut length = None;
    for _ in 0..MAX_DOMAINS {
        let TypeKind::Domain { base, type_modifier } = &of.kind else {
            return (length.unwrap_or_else(|| size(of.oid, NO_MODIFIER)), scale(of.oid, NO_MODIFIER));
        };
        if *type_modifier != NO_MODIFIER {
            let found = size(*base, *type_modifier);
            if found != 0 && found != UNLIMITED {
                length = length.or(Some(found));
            }
            return (length.unwrap_or_else(|| size(of.oid, *type_modifier)), scale(*base, *type_modifier));
        }
        match types.get(*base) {
            Some(base) => of = base,
            None => break,
        }
    }
    (length.unwrap_or(UNLIMITED), 0)
}

/// The length and scale of a column.
pub(super) fn length_and_scale(types: &Types, of: &PgType, modifier: i32) -> (i32, i32) {
    if modifier == NO_MODIFIER { defaults(types, of) } else { (precision(of.oid, modifier), scale(of.oid, modifier)) }
}

/// The `java.sql.Types` number of a type.
fn jdbc_type(of: &PgType) -> i32 {
    if of.element.is_some() && !matches!(of.oid, oid::INT2VECTOR | oid::OIDVECTOR) {
        return 2003;
    }
    match of.oid {
        oid::BOOL | oid::BIT => -7,
        oid::INT2 => 5,
        oid::INT4 => 4,
        oid::INT8 | oid::OID => -5,
        oid::FLOAT4 => 7,
        oid::FLOAT8 | oid::MONEY => 8,
        oid::NUMERIC => 2,
        oid::CHAR | oid::BPCHAR => 1,
        oid::VARCHAR | oid::TEXT | oid::NAME => 12,
        oid::BYTEA => -2,
        oid::DATE => 91,
        oid::TIME | oid::TIMETZ => 92,
        oid::TIMESTAMP | oid::TIMESTAMPTZ => 93,
        oid::XML => 2009,
        oid::REFCURSOR => 2012,
        _ => match of.kind {
            TypeKind::Composite => 2002,
            TypeKind::Domain { .. } => 2001,
            TypeKind::Enum { .. } => 12,
            TypeKind::Base | TypeKind::Pseudo | TypeKind::Range | TypeKind::Multirange => 1111,
        },
    }
}

/// A column with what Debezium derives from its type: `jdbc_type`, `native_type`, `type_name`, `type_expression`,
/// `length`, `scale`. All other fields are as in [`Column::default`]. The type under all domains gives the numbers, the
/// type itself the name.
pub fn describe(types: &Types, column: PgColumn) -> Column {
    let Some(of) = types.get(column.type_oid) else {
        return Column { type_name: "unknown".into(), jdbc_type: 1111, ..Column::default() };
    };
    let root = types.root(column.type_oid).unwrap_or(of);
    let (length, scale) = length_and_scale(types, of, column.type_modifier);
    let plain = length == defaults(types, of).0 && scale == 0;
    let expression = if plain { of.name.clone() } else { format!("{}({length},{scale})", of.name) };
    Column {
        jdbc_type: jdbc_type(root),
        native_type: Some(root.oid.cast_signed()),
        type_name: of.name.clone(),
        type_expression: Some(expression),
        length: Some(length),
        scale: Some(scale),
        enum_values: match &root.kind {
            TypeKind::Enum { labels } => labels.clone(),
            TypeKind::Base
            | TypeKind::Composite
            | TypeKind::Domain { .. }
            | TypeKind::Pseudo
            | TypeKind::Range
            | TypeKind::Multirange => Vec::new(),
        },
        ..Column::default()
    }
}
