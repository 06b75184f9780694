//! GEOMETRY and its kinds: a struct of the spatial reference and well-known binary; a POINT with x and y as well.
//!
//! In: four bytes of SRID, least significant first, then WKB. Out: `io.debezium.data.geometry.Geometry` or
//! `.Point`; an SRID of zero is null. Source: MySQL manual, "Internal Geometry Storage Format".

use super::CodecError;
use super::plan::{Context, Decode, EmptyGeometry, Fallback, Plan};
use crate::model::value::{Arena, ValueError, ValueRef};
use crate::source::codec::geometry::{GeometryValue, PointValue, geometry_schema, point_schema};

/// Order, type, x and y.
const POINT_BYTES: usize = 21;
/// The WKB type of a point of two dimensions.
const POINT_TYPE: u32 = 1;

fn split(cell: &[u8]) -> Result<(ValueRef<'static>, &[u8]), ValueError> {
    let short = ValueError::Length { column_type: "GEOMETRY", expected: 4, actual: cell.len() };
    let (srid, wkb) = cell.split_first_chunk::<4>().ok_or(short)?;
    let srid = i32::from_le_bytes(*srid);
    Ok((if srid == 0 { ValueRef::Null } else { ValueRef::Int32(srid) }, wkb))
}

#[derive(Clone, Debug)]
struct Geometry;

impl Decode for Geometry {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let (srid, wkb) = split(cell)?;
        Ok(ValueRef::Struct(arena.alloc(GeometryValue { wkb, srid, extensions: ValueRef::Null })))
    }
}

#[derive(Clone, Debug)]
struct Point;

impl Decode for Point {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let (srid, wkb) = split(cell)?;
        let invalid = |reason| ValueError::Invalid { column_type: "POINT", reason };
        let bytes: &[u8; POINT_BYTES] = wkb.try_into().map_err(|_| invalid("not the length of a point"))?;
        let [order, kind @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *bytes;
        let little = order != 0;
        if (if little { u32::from_le_bytes(kind) } else { u32::from_be_bytes(kind) }) != POINT_TYPE {
            return Err(invalid("not a point of two dimensions"));
        }
        let coordinate = |at: usize| -> Result<f64, ValueError> {
            let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk()).ok_or(ValueError::Shape)?;
            Ok(if little { f64::from_le_bytes(*bytes) } else { f64::from_be_bytes(*bytes) })
        };
        Ok(ValueRef::Struct(arena.alloc(PointValue { x: coordinate(5)?, y: coordinate(13)?, wkb, srid })))
    }
}

fn no_default<T>(_text: &str) -> Result<Option<T>, &'static str> {
    Err("a geometry cannot be read from text")
}

/// All kinds but POINT. Debezium's schema is optional even for a column that cannot be null.
pub(super) fn geometry(context: &Context<'_>) -> Result<Plan, CodecError> {
    let schema = geometry_schema(context.options.generation).optional();
    Ok(Plan::new(schema, Fallback::EmptyGeometry(EmptyGeometry { wkb_field: 0 }), Geometry, no_default))
}

/// POINT.
pub(super) fn point(_context: &Context<'_>) -> Result<Plan, CodecError> {
    Ok(Plan::new(point_schema(), Fallback::EmptyGeometry(EmptyGeometry { wkb_field: 2 }), Point, no_default))
}
