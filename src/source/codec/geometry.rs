//! Geometries as Debezium shows them: structs of well-known binary and the spatial reference, a point with x and y as well.

use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};

/// `io.debezium.data.geometry.Geometry` and `.Geography`: the fields `wkb` and `srid`.
pub(crate) struct GeometryValue<'a> {
    /// Well-known binary.
    pub wkb: &'a [u8],
    /// Which reference system: an int32 or null.
    pub srid: ValueRef<'static>,
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

/// `io.debezium.data.geometry.Point`: the fields `x`, `y`, `wkb` and `srid`.
pub(crate) struct PointValue<'a> {
    /// The first coordinate.
    pub x: f64,
    /// The second coordinate.
    pub y: f64,
    /// The point as well-known binary.
    pub wkb: &'a [u8],
    /// Which reference system: an int32 or null.
    pub srid: ValueRef<'static>,
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

/// The schema of all kinds but points; `kind` is `Geometry` or `Geography`.
pub(crate) fn geometry_schema(kind: &str) -> Schema {
    let fields =
        vec![Field::new("wkb", Schema::new(Kind::Bytes)), Field::new("srid", Schema::new(Kind::Int32).optional())];
    Schema::new(Kind::Struct(fields))
        .named(&format!("io.debezium.data.geometry.{kind}"))
        .version(1)
        .doc(kind)
        .optional()
}

/// The schema of points.
pub(crate) fn point_schema() -> Schema {
    let fields = vec![
        Field::new("x", Schema::new(Kind::Float64)),
        Field::new("y", Schema::new(Kind::Float64)),
        Field::new("wkb", Schema::new(Kind::Bytes).optional()),
        Field::new("srid", Schema::new(Kind::Int32).optional()),
    ];
    Schema::new(Kind::Struct(fields)).named("io.debezium.data.geometry.Point").version(1).doc("Geometry (POINT)")
}
