//! POINT, and PostGIS's GEOMETRY and GEOGRAPHY.
//!
//! In: `(x,y)`; extended well-known binary in hexadecimal digits. Out: the structs of Debezium. The binary of a geometry
//! keeps its extension: Debezium only reads the spatial reference from it.

use super::Context;
use super::binary::from_hex;
use super::default_value;
use super::number::double_of;
use crate::model::schema::Schema;
use crate::model::value::{Arena, ValueError, ValueRef};
use crate::source::codec::geometry::{GeometryValue, PointValue, geography_schema, geometry_schema, point_schema};
use crate::source::codec::plan::{Constant, Decode, EmptyGeometry, Fallback, Plan};

/// Order, type, x and y.
const POINT_BYTES: usize = 21;
/// The bit of the type that says that the spatial reference follows.
const HAS_SRID: u32 = 0x2000_0000;
/// Order, type and what follows it: the least that Debezium takes.
const SHORTEST: usize = 9;

#[derive(Clone, Debug)]
struct Point;

/// The two numbers of `(x,y)`.
fn coordinates(cell: &[u8]) -> Result<(f64, f64), ValueError> {
    let invalid = ValueError::Invalid { column_type: "point", reason: "not two numbers in parentheses" };
    let inner = cell.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
    let Some(inner) = inner else { return Err(invalid) };
    let comma = inner.iter().position(|byte| *byte == b',').ok_or(invalid)?;
    let (x, y) = (inner.get(..comma).unwrap_or_default(), inner.get(comma + 1..).unwrap_or_default());
    Ok((double_of(x, "point")?, double_of(y, "point")?))
}

impl Decode for Point {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let (x, y) = coordinates(cell)?;
        Ok(ValueRef::Struct(arena.alloc(point_value(x, y, arena))))
    }
}

/// A point with its binary.
pub(super) fn point_value(x: f64, y: f64, arena: &Arena) -> PointValue<'_> {
    let mut wkb = bumpalo::collections::Vec::with_capacity_in(POINT_BYTES, arena);
    wkb.extend_from_slice(&[1, 1, 0, 0, 0]);
    wkb.extend_from_slice(&x.to_le_bytes());
    wkb.extend_from_slice(&y.to_le_bytes());
    PointValue { x, y, wkb: wkb.into_bump_slice(), srid: ValueRef::Null }
}

/// POINT.
pub(super) fn point(_context: &Context<'_>) -> Plan {
    Plan::new(point_schema(), Fallback::Constant(Constant::Origin), Point, default_value::none)
}

#[derive(Clone, Debug)]
struct Geometry;

impl Decode for Geometry {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let wkb = from_hex(cell, "geometry", arena)?;
        let invalid = ValueError::Invalid { column_type: "geometry", reason: "shorter than any geometry" };
        let [order, kind @ ..] = *wkb.first_chunk::<5>().ok_or(invalid.clone())?;
        let srid = wkb.get(5..).and_then(|rest| rest.first_chunk::<4>()).copied().ok_or(invalid)?;
        debug_assert!(wkb.len() >= SHORTEST, "five bytes and four");
        let (kind, srid) = match order {
            0 => (u32::from_be_bytes(kind), i32::from_be_bytes(srid)),
            _ => (u32::from_le_bytes(kind), i32::from_le_bytes(srid)),
        };
        let srid = if kind & HAS_SRID == 0 { ValueRef::Null } else { ValueRef::Int32(srid) };
        Ok(ValueRef::Struct(arena.alloc(GeometryValue { wkb, srid, extensions: ValueRef::Null })))
    }
}

fn plan(schema: Schema) -> Plan {
    let empty = Fallback::EmptyGeometry(EmptyGeometry { wkb_field: 0 });
    Plan::new(schema, empty, Geometry, default_value::none)
}

/// GEOMETRY, of which Debezium's schema is optional even for a column that cannot be null.
pub(super) fn geometry(context: &Context<'_>) -> Plan {
    plan(geometry_schema(context.options.generation).optional())
}

/// GEOGRAPHY.
pub(super) fn geography(_context: &Context<'_>) -> Plan {
    plan(geography_schema())
}
