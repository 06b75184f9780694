//! GEOMETRY and its kinds: a struct of the spatial reference and well-known binary; a POINT with x and y as well.
//!
//! In: four bytes of SRID, least significant first, then WKB. Out: `io.debezium.data.geometry.Geometry` or
//! `.Point`; an SRID of zero is null. Source: MySQL manual, "Internal Geometry Storage Format".

use super::CodecError;
use super::plan::{Context, Decode, EmptyGeometry, Fallback, Plan};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};

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

struct GeometryValue<'a> {
    wkb: &'a [u8],
    srid: ValueRef<'static>,
}

impl StructView for GeometryValue<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => ValueRef::Bytes(self.wkb),
            1 => self.srid,
            _ => ValueRef::Null,
        })
    }
}

#[derive(Debug)]
struct Geometry;

impl Decode for Geometry {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let (srid, wkb) = split(cell)?;
        Ok(ValueRef::Struct(arena.alloc(GeometryValue { wkb, srid })))
    }
}

struct PointValue<'a> {
    x: f64,
    y: f64,
    wkb: &'a [u8],
    srid: ValueRef<'static>,
}

impl StructView for PointValue<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => ValueRef::Float64(self.x),
            1 => ValueRef::Float64(self.y),
            2 => ValueRef::Bytes(self.wkb),
            3 => self.srid,
            _ => ValueRef::Null,
        })
    }
}

#[derive(Debug)]
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
pub(super) fn geometry(_context: &Context<'_>) -> Result<Plan, CodecError> {
    let fields =
        vec![Field::new("wkb", Schema::new(Kind::Bytes)), Field::new("srid", Schema::new(Kind::Int32).optional())];
    let schema = Schema::new(Kind::Struct(fields))
        .named("io.debezium.data.geometry.Geometry")
        .version(1)
        .doc("Geometry")
        .optional();
    Ok(Plan::new(schema, Fallback::EmptyGeometry(EmptyGeometry { wkb_field: 0 }), Geometry, no_default))
}

/// POINT.
pub(super) fn point(_context: &Context<'_>) -> Result<Plan, CodecError> {
    let fields = vec![
        Field::new("x", Schema::new(Kind::Float64)),
        Field::new("y", Schema::new(Kind::Float64)),
        Field::new("wkb", Schema::new(Kind::Bytes).optional()),
        Field::new("srid", Schema::new(Kind::Int32).optional()),
    ];
    let schema =
        Schema::new(Kind::Struct(fields)).named("io.debezium.data.geometry.Point").version(1).doc("Geometry (POINT)");
    Ok(Plan::new(schema, Fallback::EmptyGeometry(EmptyGeometry { wkb_field: 2 }), Point, no_default))
}
