//! BOX, LSEG, PATH, POLYGON, CIRCLE and LINE.
//!
//! Debezium 3.6 does not know them: with `include.unknown.datatypes` they are the text of its JDBC driver, where every number
//! is written as Java writes a double. Since 3.7 they are structs: well-known binary with what it cannot say beside it; a
//! circle's centre and radius; the coefficients of a line.

use super::geometry::point_value;
use super::number::double_of;
use super::{Context, default_value, oid};
use crate::model::modes::{BinaryHandlingMode, DebeziumGeneration};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};
use crate::source::codec::binary::binary_value;
use crate::source::codec::geometry::{GeometryValue, geometry_schema, point_schema};
use crate::source::codec::plan::{Decode, Fallback, Plan};
use crate::util::java_text;

/// Writes every number anew. Doubles have few digits: the text grows by two characters a number at most.
#[derive(Clone, Debug)]
struct Shape(BinaryHandlingMode);

fn of_number(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

impl Decode for Shape {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut out = Vec::with_capacity(cell.len() * 2);
        let mut rest = cell;
        while let Some(first) = rest.first() {
            let length = rest.iter().take_while(|byte| of_number(**byte)).count();
            let (number, behind) = rest.split_at_checked(length.max(1)).ok_or(ValueError::Shape)?;
            if length == 0 {
                out.push(*first);
            } else {
                java_text::write_f64(double_of(number, "shape")?, &mut out);
            }
            rest = behind;
        }
        binary_value(self.0, arena.alloc_slice_copy(&out), arena)
    }
}

/// A shape as text in bytes.
pub(super) fn shape(context: &Context<'_>) -> Plan {
    super::binary::opaque_by(context, Shape(context.options.binary))
}

/// A kind of shape.
#[derive(Clone, Copy, Debug)]
enum Form {
    Box,
    Segment,
    Path,
    Polygon,
    Circle,
    Line,
}

/// The WKB type of a string of lines, and of a polygon.
const LINES: u8 = 2;
const POLYGON: u8 = 3;

/// A string of lines, or a polygon of one ring, least significant byte first.
fn binary<'a>(kind: u8, points: &[[f64; 2]], arena: &'a Arena) -> Result<&'a [u8], ValueError> {
    let count = u32::try_from(points.len()).map_err(|_| ValueError::Shape)?;
    let mut wkb = bumpalo::collections::Vec::with_capacity_in(13 + points.len() * 16, arena);
    wkb.extend_from_slice(&[1, kind, 0, 0, 0]);
    if kind == POLYGON {
        wkb.extend_from_slice(&1_u32.to_le_bytes());
    }
    wkb.extend_from_slice(&count.to_le_bytes());
    for number in points.iter().flatten() {
        wkb.extend_from_slice(&number.to_le_bytes());
    }
    Ok(wkb.into_bump_slice())
}

/// The numbers of a shape's text.
fn numbers(cell: &[u8]) -> Result<Vec<f64>, ValueError> {
    let numbers = cell.split(|byte| !of_number(*byte)).filter(|number| !number.is_empty());
    numbers.map(|number| double_of(number, "shape")).collect()
}

fn points(cell: &[u8]) -> Result<Vec<[f64; 2]>, ValueError> {
    let numbers = numbers(cell)?;
    match numbers.as_chunks() {
        (points, []) => Ok(points.to_vec()),
        _ => Err(NO_SHAPE),
    }
}

const NO_SHAPE: ValueError = ValueError::Invalid { column_type: "shape", reason: "another number of numbers" };

/// `io.debezium.data.geometry.Circle`.
struct Circle<'a> {
    center: ValueRef<'a>,
    radius: f64,
}

impl StructView for Circle<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => self.center,
            1 => ValueRef::Float64(self.radius),
            _ => ValueRef::Null,
        })
    }
}

/// `io.debezium.data.geometry.Line`.
struct Line([f64; 3]);

impl StructView for Line {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(self.0.get(index).map_or(ValueRef::Null, |number| ValueRef::Float64(*number)))
    }
}

impl Form {
    fn schema(self) -> Schema {
        let number = |name: &str| Field::new(name, Schema::new(Kind::Float64));
        let of = |fields: Vec<Field>, name: &str, doc: &str| {
            Schema::new(Kind::Struct(fields)).named(name).version(1).doc(doc).optional()
        };
        match self {
            Form::Box | Form::Segment | Form::Path | Form::Polygon => geometry_schema(DebeziumGeneration::V3_7),
            Form::Circle => of(
                vec![Field::new("center", point_schema()), number("radius")],
                "io.debezium.data.geometry.Circle",
                "Geometry (CIRCLE)",
            ),
            Form::Line => {
                of(vec![number("a"), number("b"), number("c")], "io.debezium.data.geometry.Line", "Geometry (LINE)")
            }
        }
    }

    fn extensions(self, cell: &[u8]) -> ValueRef<'static> {
        const TYPE: ValueRef<'static> = ValueRef::String("type");
        const CLOSED: ValueRef<'static> = ValueRef::String("closed");
        const PATH: (ValueRef<'static>, ValueRef<'static>) = (TYPE, ValueRef::String("path"));
        match self {
            Form::Box => ValueRef::Map(&[(TYPE, ValueRef::String("box"))]),
            Form::Segment => ValueRef::Map(&[(TYPE, ValueRef::String("lseg"))]),
            Form::Polygon => ValueRef::Map(&[(TYPE, ValueRef::String("polygon"))]),
            Form::Path if cell.starts_with(b"[") => ValueRef::Map(&[PATH, (CLOSED, ValueRef::String("false"))]),
            Form::Path => ValueRef::Map(&[PATH, (CLOSED, ValueRef::String("true"))]),
            Form::Circle | Form::Line => ValueRef::Null,
        }
    }
}

impl Decode for Form {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let wkb = match self {
            Form::Box => {
                let [[x1, y1], [x2, y2]]: [[f64; 2]; 2] = points(cell)?.try_into().map_err(|_| NO_SHAPE)?;
                binary(POLYGON, &[[x1, y1], [x1, y2], [x2, y2], [x2, y1], [x1, y1]], arena)?
            }
            Form::Segment | Form::Path => binary(LINES, &points(cell)?, arena)?,
            Form::Polygon => {
                let mut ring = points(cell)?;
                if let [first, .., last] = ring.as_slice()
                    && first != last
                {
                    let first = *first;
                    ring.push(first);
                }
                binary(POLYGON, &ring, arena)?
            }
            Form::Circle => {
                let [x, y, radius]: [f64; 3] = numbers(cell)?.try_into().map_err(|_| NO_SHAPE)?;
                let center = ValueRef::Struct(arena.alloc(point_value(x, y, arena)));
                return Ok(ValueRef::Struct(arena.alloc(Circle { center, radius })));
            }
            Form::Line => {
                let numbers: [f64; 3] = numbers(cell)?.try_into().map_err(|_| NO_SHAPE)?;
                return Ok(ValueRef::Struct(arena.alloc(Line(numbers))));
            }
        };
        let value = GeometryValue { wkb, srid: ValueRef::Null, extensions: self.extensions(cell) };
        Ok(ValueRef::Struct(arena.alloc(value)))
    }
}

/// A shape as a struct; `None` for types that are none, for elements of arrays, and before Debezium 3.7.
pub(super) fn structured(context: &Context<'_>) -> Option<Plan> {
    if context.element {
        return None;
    }
    let form = match (context.options.generation, context.root.oid) {
        (DebeziumGeneration::V3_6, _) => return None,
        (DebeziumGeneration::V3_7, oid::BOX) => Form::Box,
        (DebeziumGeneration::V3_7, oid::LSEG) => Form::Segment,
        (DebeziumGeneration::V3_7, oid::PATH) => Form::Path,
        (DebeziumGeneration::V3_7, oid::POLYGON) => Form::Polygon,
        (DebeziumGeneration::V3_7, oid::CIRCLE) => Form::Circle,
        (DebeziumGeneration::V3_7, oid::LINE) => Form::Line,
        (DebeziumGeneration::V3_7, _) => return None,
    };
    // Its schema is optional even for a column that cannot be null.
    Some(Plan::new(form.schema(), Fallback::Null, form, default_value::none))
}
