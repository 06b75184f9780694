//! `io.debezium.transforms.SwapGeometryCoordinates`: longitude and latitude of geometries, exchanged.
//!
//! In: any record. Out: the same with x and y exchanged in every geometry (`io.debezium.data.geometry.Geometry`, in WKB or
//! EWKB) whose SRID is listed, in structs and lists of any depth; a null elsewhere in such a value becomes its default.
//! Promised: the bytes of Debezium 3.6; bytes behind the geometry's end are cut off. Bytes that are no geometry are an
//! error. Other records pass. Nothing here survives a crash.
//!
//! Differences: parts of another byte order than the whole are kept in theirs, where Debezium writes bytes that cannot be
//! read; and geometries within maps stay.

use super::overlaid::Overlaid;
use super::structs::{Column, unusable};
use crate::model::record::Record;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, Value, ValueError, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{BadOption, ClassOption, Options};

/// The transform that exchanges coordinates.
pub static SPEC: TransformSpec = TransformSpec {
    name: "SwapGeometryCoordinates",
    aliases: &["io.debezium.transforms.SwapGeometryCoordinates"],
    about: "Exchanges x and y in geometries of some SRIDs",
    targets: &[Target::Record],
    options: &[&[ClassOption::new("srids", "4326,3857,4269", "the SRIDs whose geometries are changed")]],
    build,
};

/// Collections within collections.
const DEPTH_MAXIMUM: u32 = 64;

struct SwapGeometryCoordinates {
    srids: Vec<i32>,
    shapes: SchemaMemo<Shape>,
}

/// What is in a value of a schema.
enum Shape {
    /// Nothing that changes.
    Kept,
    Geometry {
        srid: Column,
        wkb: Column,
    },
    /// A struct: the fields in which something changes.
    Struct(Vec<(Column, Shape)>),
    List(Box<Shape>),
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let number = |entry: &str| {
        let bad = || BadOption { option: "srids", value: entry.to_owned(), expected: "a list of whole numbers" };
        entry.parse().map_err(|_| bad())
    };
    let is_set = options.all().any(|(name, _)| name == "srids");
    let listed = options.list("srids").into_iter().map(number).collect::<Result<Vec<i32>, _>>()?;
    let srids = if is_set { listed } else { vec![4326, 3857, 4269] };
    Ok(Box::new(SwapGeometryCoordinates { srids, shapes: SchemaMemo::default() }))
}

impl Shape {
    fn of(schema: &Schema) -> Shape {
        match &schema.kind {
            Kind::Struct(_) if schema.name.as_deref() == Some("io.debezium.data.geometry.Geometry") => {
                let typed = |name, kind| Column::typed(schema, name, &kind);
                match (typed("srid", Kind::Int32), typed("wkb", Kind::Bytes)) {
                    (Ok(srid), Ok(wkb)) => Shape::Geometry { srid, wkb },
                    _ => Shape::Kept,
                }
            }
            Kind::Struct(fields) => {
                let fields = fields.iter().enumerate().filter_map(|(index, field)| {
                    let shape = Shape::of(&field.schema);
                    let column = Column { index, schema: field.schema.clone() };
                    let default = field.schema.default.as_ref().is_some_and(|default| *default != Value::Null);
                    (default || !matches!(shape, Shape::Kept)).then_some((column, shape))
                });
                let fields: Vec<_> = fields.collect();
                if fields.is_empty() { Shape::Kept } else { Shape::Struct(fields) }
            }
            Kind::Array(item) => {
                let shape = Shape::of(item);
                if matches!(shape, Shape::Kept) { Shape::Kept } else { Shape::List(Box::new(shape)) }
            }
            Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 | Kind::Float32 | Kind::Float64 => Shape::Kept,
            Kind::Boolean | Kind::String | Kind::Bytes | Kind::Map(_, _) => Shape::Kept,
        }
    }
}

impl SwapGeometryCoordinates {
    fn swapped<'a>(
        &self,
        shape: &'a Shape,
        value: ValueRef<'a>,
        arena: &'a Arena,
    ) -> Result<ValueRef<'a>, TransformError> {
        Ok(match (shape, value) {
            (Shape::Kept, _) | (_, ValueRef::Null) => value,
            (Shape::Geometry { srid, wkb }, ValueRef::Struct(view)) => {
                let (srid, bytes) = (srid.int32(view, arena)?, wkb.raw(view, arena)?);
                match (srid.filter(|srid| self.srids.contains(srid)), bytes) {
                    (None, _) => value,
                    (Some(_), ValueRef::Bytes(bytes)) => {
                        let made = (wkb.index, ValueRef::Bytes(exchanged(bytes, arena)?));
                        over(view, arena.alloc_slice_copy(&[made]), arena)
                    }
                    (Some(_), _) => return Err(unusable("a geometry without its bytes".to_owned())),
                }
            }
            (Shape::Struct(fields), ValueRef::Struct(view)) => {
                let mut made = bumpalo::collections::Vec::with_capacity_in(fields.len(), arena);
                for (column, shape) in fields {
                    made.push((column.index, self.swapped(shape, column.get(view, arena)?, arena)?));
                }
                over(view, made.into_bump_slice(), arena)
            }
            (Shape::List(shape), ValueRef::Array(items)) => {
                let mut made = bumpalo::collections::Vec::with_capacity_in(items.len(), arena);
                for item in items {
                    made.push(self.swapped(shape, *item, arena)?);
                }
                ValueRef::Array(made.into_bump_slice())
            }
            _ => return Err(ValueError::Shape.into()),
        })
    }
}

fn over<'a>(base: &'a dyn StructView, over: &'a [(usize, ValueRef<'a>)], arena: &'a Arena) -> ValueRef<'a> {
    ValueRef::Struct(arena.alloc(Overlaid { base, defaults: None, over }))
}

/// WKB or EWKB with x and y exchanged.
fn exchanged<'a>(wkb: &[u8], arena: &'a Arena) -> Result<&'a [u8], TransformError> {
    let mut walk = Walk { bytes: arena.alloc_slice_copy(wkb), at: 0 };
    let whole = walk.order().and_then(|little| walk.geometry(little, 0));
    let Walk { bytes, at } = walk;
    match whole {
        Some(()) => Ok(bytes.get(..at).unwrap_or_default()),
        None => Err(unusable("the bytes of a geometry are no well-known binary".to_owned())),
    }
}

/// Goes through a geometry and exchanges coordinates where they lie; none where the bytes end too early or say what is
/// not known.
struct Walk<'w> {
    bytes: &'w mut [u8],
    at: usize,
}

impl Walk<'_> {
    /// Whether what follows begins with its least byte.
    fn order(&mut self) -> Option<bool> {
        let order = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(order == 1)
    }

    fn int(&mut self, little: bool) -> Option<u32> {
        let bytes = *self.bytes.get(self.at..)?.first_chunk()?;
        self.at += 4;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn point(&mut self, stride: usize) -> Option<()> {
        let point = self.bytes.get_mut(self.at..self.at.checked_add(stride * 8)?)?;
        let (x, rest) = point.split_at_mut_checked(8)?;
        x.swap_with_slice(rest.get_mut(..8)?);
        self.at += stride * 8;
        Some(())
    }

    fn points(&mut self, little: bool, stride: usize) -> Option<()> {
        for _ in 0..self.int(little)? {
            self.point(stride)?;
        }
        Some(())
    }

    fn polygon(&mut self, little: bool, stride: usize) -> Option<()> {
        for _ in 0..self.int(little)? {
            self.points(little, stride)?;
        }
        Some(())
    }

    /// The parts of a multi-geometry, whose own types are taken for granted.
    fn parts(&mut self, little: bool, part: fn(&mut Self, bool, usize) -> Option<()>, stride: usize) -> Option<()> {
        for _ in 0..self.int(little)? {
            let little = self.order()?;
            self.int(little)?;
            part(self, little, stride)?;
        }
        Some(())
    }

    fn geometry(&mut self, little: bool, depth: u32) -> Option<()> {
        let kind = self.int(little)?;
        let stride = 2 + usize::from(kind & 0x8000_0000 != 0) + usize::from(kind & 0x4000_0000 != 0);
        if kind & 0x2000_0000 != 0 {
            self.int(little)?;
        }
        match kind & 0xff {
            1 => self.point(stride),
            2 => self.points(little, stride),
            3 => self.polygon(little, stride),
            4 => self.parts(little, |walk, _, stride| walk.point(stride), stride),
            5 => self.parts(little, Walk::points, stride),
            6 => self.parts(little, Walk::polygon, stride),
            7 if depth < DEPTH_MAXIMUM => {
                for _ in 0..self.int(little)? {
                    let little = self.order()?;
                    self.geometry(little, depth + 1)?;
                }
                Some(())
            }
            _ => None,
        }
    }
}

impl Transform for SwapGeometryCoordinates {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let Some(schema) = record.value.schema else { return Ok(Some(record)) };
        let shape = self.shapes.get(schema, || Ok::<_, TransformError>(Shape::of(schema)))?;
        // Only a struct is looked into.
        if matches!(record.value.value, ValueRef::Struct(_)) {
            record.value.value = self.swapped(shape, record.value.value, arena)?;
        }
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.shapes.rest();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::testing::*;
    use super::*;

    fn numbers(numbers: &[f64]) -> String {
        numbers.iter().flat_map(|number| number.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect()
    }

    fn geometry(wkb: &str, srid: Value) -> Cell {
        let wkb: Vec<u8> =
            (0..wkb.len() / 2).map(|at| u8::from_str_radix(&wkb[2 * at..2 * at + 2], 16).unwrap()).collect();
        let (schema, value) = structure(&[("wkb", bytes(), b(&wkb)), ("srid", int().optional(), srid)]);
        ("g", schema.optional().named("io.debezium.data.geometry.Geometry"), value)
    }

    /// Sends a row with a geometry through, and gives the geometry's bytes or the error.
    #[track_caller]
    fn check(srids: Option<&str>, wkb: &str, srid: Value, expected: &str) {
        let mut config = vec![
            ("transforms", "s,h"),
            ("transforms.s.type", "io.debezium.transforms.SwapGeometryCoordinates"),
            ("transforms.h.type", "org.apache.kafka.connect.transforms.InsertHeader"),
            ("transforms.h.header", "h"),
            ("transforms.h.value.literal", "x"),
        ];
        config.extend(srids.map(|srids| ("transforms.s.srids", srids)));
        let out = run(&config, &[Change::create(vec![geometry(wkb, srid)]).sample()]);
        let bytes = out.split_once("{{0x").and_then(|(_, rest)| rest.split_once(','));
        assert_eq!(bytes.map_or(out.trim_end(), |(bytes, _)| bytes), expected);
    }

    const NO_WKB: &str = "HW1003 transform s: the bytes of a geometry are no well-known binary";

    #[test]
    fn every_kind_of_geometry_is_changed() {
        let known = || Value::Int32(4326);
        let (one, eno) = (numbers(&[1.0, 2.0]), numbers(&[2.0, 1.0]));
        let (two, owt) = (numbers(&[3.0, 4.0]), numbers(&[4.0, 3.0]));
        let (line, polygon) = ("010200000002000000", "01030000000100000002000000");
        let cases = [
            format!("0101000000{one}|0101000000{eno}"),
            format!("{line}{one}{two}|{line}{eno}{owt}"),
            format!("{polygon}{one}{two}|{polygon}{eno}{owt}"),
            format!("0104000000010000000101000000{one}|0104000000010000000101000000{eno}"),
            format!("010500000001000000{line}{one}{two}|010500000001000000{line}{eno}{owt}"),
            format!("010600000001000000{polygon}{one}{two}|010600000001000000{polygon}{eno}{owt}"),
            format!("0107000000010000000101000000{one}|0107000000010000000101000000{eno}"),
            // With an SRID, with z, and with bytes behind the end.
            format!("0101000020e6100000{one}|0101000020e6100000{eno}"),
            format!("0101000080{one}{}|0101000080{eno}{}", numbers(&[9.0]), numbers(&[9.0])),
            format!("0101000000{one}ffff|0101000000{eno}"),
            // The other byte order: the numbers stay as they are written.
            format!("0000000001{one}|0000000001{eno}"),
            "010700000000000000|010700000000000000".to_owned(),
        ];
        for case in cases {
            let (wkb, expected) = case.split_once('|').unwrap();
            check(None, wkb, known(), expected);
        }
    }

    #[test]
    fn only_listed_srids_are_changed() {
        let (wkb, changed) =
            (format!("0101000000{}", numbers(&[1.0, 2.0])), format!("0101000000{}", numbers(&[2.0, 1.0])));
        for (srids, srid, is_changed) in [
            (None, Value::Int32(3857), true),
            (None, Value::Int32(4269), true),
            (None, Value::Int32(0), false),
            (None, Value::Null, false),
            (Some("1, 2"), Value::Int32(2), true),
            (Some("1,2"), Value::Int32(4326), false),
            (Some(""), Value::Int32(4326), false),
        ] {
            check(srids, &wkb, srid, if is_changed { &changed } else { &wkb });
        }
        let refused = "refused: transform s: srids=x is not a list of whole numbers";
        check(Some("x"), &wkb, Value::Null, refused);
    }

    #[test]
    fn hostile_bytes_are_an_error() {
        let deep = "010700000001000000".repeat(100_000);
        for wkb in ["", "01", "0101000000", "01630000000000", "0102000000ffffffff", "01e9030000", &deep] {
            check(None, wkb, Value::Int32(4326), NO_WKB);
        }
    }
}
