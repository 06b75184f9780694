//! `io.debezium.transforms.GeometryFormatTransformer`: geometries as WKB, or as EWKB, which has the SRID in its bytes.
//!
//! In: any record. Out: the same with every geometry (`io.debezium.data.geometry.Geometry`), in structs of any depth, in the
//! format that is set. Promised: what Debezium documents. One that is in the format already, or has no SRID to put into
//! its bytes, stays as it is: WKB without SRID is EWKB too. Bytes that are no geometry are an error. Schemas do not
//! change. Other records pass. Nothing here survives a crash.
//!
//! Differences: the class of Debezium 3.6 does the opposite. `format=wkb` puts the SRID into the bytes there, `ewkb` takes it
//! out, and the first geometry with an SRID in its bytes turns it to `ewkb` for good. What a consumer was promised is what
//! the documentation says, so that is what is done here.

use super::overlaid::Overlaid;
use super::structs::{Column, unusable};
use crate::model::record::Record;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{BadOption, ClassOption, Options};

/// The transform that chooses the format of geometries.
pub static SPEC: TransformSpec = TransformSpec {
    name: "GeometryFormatTransformer",
    aliases: &["io.debezium.transforms.GeometryFormatTransformer"],
    about: "Writes geometries as WKB or EWKB",
    targets: &[Target::Record],
    options: &[&[ClassOption::new("format", "wkb", "wkb, or ewkb, whose bytes have the SRID")]],
    build,
};

/// The bit of a geometry's type that says that its SRID follows (PostGIS).
const SRID_FLAG: u32 = 0x2000_0000;

struct GeometryFormatTransformer {
    is_extended: bool,
    shapes: SchemaMemo<Vec<(Column, Shape)>>,
}

/// What is in a field in which something changes.
enum Shape {
    Geometry { srid: Option<Column>, wkb: Column },
    Struct(Vec<(Column, Shape)>),
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let is_extended = match options.text("format") {
        None => false,
        Some(format) if format.eq_ignore_ascii_case("wkb") => false,
        Some(format) if format.eq_ignore_ascii_case("ewkb") => true,
        Some(format) => {
            return Err(BadOption { option: "format", value: format.to_owned(), expected: "wkb or ewkb" }.into());
        }
    };
    Ok(Box::new(GeometryFormatTransformer { is_extended, shapes: SchemaMemo::default() }))
}

impl Shape {
    /// The fields of a struct in which something changes.
    fn fields_of(schema: &Schema) -> Vec<(Column, Shape)> {
        let fields = schema.fields().iter().enumerate();
        let changed = fields.filter_map(|(index, field)| {
            Some((Column { index, schema: field.schema.clone() }, Shape::of(&field.schema)?))
        });
        changed.collect()
    }

    fn of(schema: &Schema) -> Option<Shape> {
        if !matches!(schema.kind, Kind::Struct(_)) {
            return None;
        }
        if schema.name.as_deref() == Some("io.debezium.data.geometry.Geometry") {
            let wkb = Column::typed(schema, "wkb", &Kind::Bytes).ok()?;
            return Some(Shape::Geometry { srid: Column::typed(schema, "srid", &Kind::Int32).ok(), wkb });
        }
        let fields = Shape::fields_of(schema);
        (!fields.is_empty()).then_some(Shape::Struct(fields))
    }
}

impl GeometryFormatTransformer {
    fn fields<'a>(
        &self,
        base: &'a dyn StructView,
        fields: &'a [(Column, Shape)],
        arena: &'a Arena,
    ) -> Result<ValueRef<'a>, TransformError> {
        let mut over = bumpalo::collections::Vec::with_capacity_in(fields.len(), arena);
        for (column, shape) in fields {
            match (column.get(base, arena)?, shape) {
                (ValueRef::Null, _) => {}
                (ValueRef::Struct(inner), Shape::Struct(fields)) => {
                    over.push((column.index, self.fields(inner, fields, arena)?));
                }
                (ValueRef::Struct(geometry), Shape::Geometry { srid, wkb }) => {
                    let ValueRef::Bytes(bytes) = wkb.raw(geometry, arena)? else {
                        return Err(unusable("a geometry without its bytes".to_owned()));
                    };
                    let srid = srid.as_ref().map(|srid| srid.int32(geometry, arena)).transpose()?.flatten();
                    if let Some(bytes) = self.converted(bytes, srid, arena)? {
                        let over_wkb = arena.alloc_slice_copy(&[(wkb.index, ValueRef::Bytes(bytes))]);
                        let changed = Overlaid { base: geometry, defaults: None, over: over_wkb };
                        over.push((column.index, ValueRef::Struct(arena.alloc(changed))));
                    }
                }
                _ => return Err(ValueError::Shape.into()),
            }
        }
        Ok(ValueRef::Struct(arena.alloc(Overlaid { base, defaults: None, over: over.into_bump_slice() })))
    }

    /// The bytes in the other format; none where they are in the right one.
    fn converted<'a>(
        &self,
        bytes: &[u8],
        srid: Option<i32>,
        arena: &'a Arena,
    ) -> Result<Option<&'a [u8]>, TransformError> {
        let no_geometry = || unusable("the bytes of a geometry are no well-known binary".to_owned());
        let (Some([order, kind @ ..]), Some(rest)) = (bytes.first_chunk::<5>(), bytes.get(5..)) else {
            return Err(no_geometry());
        };
        let (kind, little) = match order {
            0 => (u32::from_be_bytes(*kind), false),
            1 => (u32::from_le_bytes(*kind), true),
            _ => return Err(no_geometry()),
        };
        let number = |number: u32| if little { number.to_le_bytes() } else { number.to_be_bytes() };
        let mut made = bumpalo::collections::Vec::with_capacity_in(bytes.len() + 4, arena);
        made.push(*order);
        match (kind & SRID_FLAG != 0, self.is_extended, srid) {
            (false, true, Some(srid)) => {
                made.extend_from_slice(&number(kind | SRID_FLAG));
                made.extend_from_slice(&number(srid.cast_unsigned()));
                made.extend_from_slice(rest);
            }
            (true, false, _) => {
                made.extend_from_slice(&number(kind & !SRID_FLAG));
                made.extend_from_slice(rest.get(4..).ok_or_else(no_geometry)?);
            }
            (true, true, _) | (false, false, _) | (false, true, None) => return Ok(None),
        }
        Ok(Some(made.into_bump_slice()))
    }
}

impl Transform for GeometryFormatTransformer {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (Some(schema), ValueRef::Struct(view)) = (record.value.schema, record.value.value) else {
            return Ok(Some(record));
        };
        let shapes = self.shapes.get(schema, || Ok::<_, TransformError>(Shape::fields_of(schema)))?;
        if !shapes.is_empty() {
            record.value.value = self.fields(view, shapes, arena)?;
        }
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::model::schema::{Field, Kind, Schema};
    use crate::model::value::Value;

    /// The format, and a geometry's SRID and bytes beside the bytes that come out (or what is said).
    #[track_caller]
    fn check(format: &str, srid: Option<i32>, bytes: &[u8], expected: &str) {
        let geometry = Schema::new(Kind::Struct(vec![
            Field::new("wkb", crate::transform::debezium::testing::bytes()),
            Field::new("srid", int().optional()),
        ]));
        let geometry = geometry.named("io.debezium.data.geometry.Geometry").version(1).optional();
        let value = Value::Struct(vec![b(bytes), srid.map_or(Value::Null, Value::Int32)]);
        let cells =
            vec![("id", int(), Value::Int32(1)), ("g", geometry.clone(), value), ("none", geometry, Value::Null)];
        let config = [
            ("transforms", "g"),
            ("transforms.g.type", "io.debezium.transforms.GeometryFormatTransformer"),
            ("transforms.g.format", format),
        ];
        let out = run(&config, &[Change::create(cells).sample()]);
        let value = out.lines().find(|line| line.starts_with("value ")).unwrap_or(out.trim());
        let value =
            value.split_once("{null, {1, {").and_then(|(_, rest)| rest.split_once('}')).map_or(value, |two| two.0);
        assert_eq!(value, expected, "{format} {srid:?}");
    }

    const WKB: [u8; 9] = [1, 1, 0, 0, 0, 7, 7, 7, 7];
    const EWKB: [u8; 13] = [1, 1, 0, 0, 0x20, 0xe6, 0x10, 0, 0, 7, 7, 7, 7];
    const BIG: [u8; 9] = [0, 0, 0, 0, 1, 7, 7, 7, 7];

    #[test]
    fn geometries_have_the_format_that_is_set() {
        let (wkb, ewkb) = ("0x010100000007070707", "0x0101000020e610000007070707");
        for format in ["", "wkb", "WKB"] {
            check(format, Some(4326), &EWKB, &format!("{wkb}, 4326"));
            check(format, Some(4326), &WKB, "passed");
            check(format, None, &WKB, "passed");
        }
        check("ewkb", Some(4326), &WKB, &format!("{ewkb}, 4326"));
        check("EWKB", Some(4326), &WKB, &format!("{ewkb}, 4326"));
        for srid in [Some(4326), None] {
            check("ewkb", srid, &EWKB, "passed");
        }
        check("ewkb", None, &WKB, "passed");
        check("ewkb", Some(4326), &BIG, "0x0020000001000010e607070707, 4326");
    }

    #[test]
    fn what_is_no_geometry_is_an_error() {
        let error = "HW1003 transform g: the bytes of a geometry are no well-known binary";
        check("wkb", None, &[], error);
        check("wkb", None, &[1, 1, 0, 0], error);
        check("ewkb", Some(1), &[2, 0, 0, 0, 1], error);
        check("wkb", None, &[1, 1, 0, 0, 0x20, 1, 2], error);
        check("twkb", None, &WKB, "refused: transform g: format=twkb is not wkb or ewkb");
    }

    #[test]
    fn other_records_pass() {
        let config = [("transforms", "g"), ("transforms.g.type", "io.debezium.transforms.GeometryFormatTransformer")];
        let plain = Change::create(vec![("id", int(), Value::Int32(1))]).sample();
        assert_eq!(run(&config, &[Sample::tombstone(), Sample::of(text(), t("x")), plain]), "passed\npassed\npassed\n");
    }
}
