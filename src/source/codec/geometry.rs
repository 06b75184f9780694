//! Geometries as Debezium shows them: structs of well-known binary and the spatial reference, a point with x and y as well.

use crate::model::modes::DebeziumGeneration;
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};

/// `io.debezium.data.geometry.Geometry` and `.Geography`: the fields `wkb` and `srid`, and since 3.7 `extensions` of the former.
pub(crate) struct GeometryValue<'a> {
    /// Well-known binary.
    pub wkb: &'a [u8],
    /// Which reference system: an int32 or null.
    pub srid: ValueRef<'static>,
    /// What well-known binary cannot say: a map of texts or null.
    pub extensions: ValueRef<'static>,
}

impl StructView for GeometryValue<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => ValueRef::Bytes(self.wkb),
            1 => self.srid,
            2 => self.extensions,
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

/// The schema of a `Geography`.
pub(crate) fn geography_schema() -> Schema {
    of_wkb("Geography", Vec::new(), 1)
}

/// The schema of a `Geometry`: all kinds but points.
pub(crate) fn geometry_schema(generation: DebeziumGeneration) -> Schema {
    match generation {
        DebeziumGeneration::V3_6 => of_wkb("Geometry", Vec::new(), 1),
        DebeziumGeneration::V3_7 => {
            let text = || Schema::new(Kind::String).into();
            let extensions = Schema::new(Kind::Map(text(), text())).optional();
            of_wkb("Geometry", vec![Field::new("extensions", extensions)], 2)
        }
    }
}

fn of_wkb(kind: &str, more: Vec<Field>, version: i32) -> Schema {
    let mut fields =
        vec![Field::new("wkb", Schema::new(Kind::Bytes)), Field::new("srid", Schema::new(Kind::Int32).optional())];
    fields.extend(more);
    Schema::new(Kind::Struct(fields))
        .named(&format!("io.debezium.data.geometry.{kind}"))
        .version(version)
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
