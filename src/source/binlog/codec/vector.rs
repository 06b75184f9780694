//! VECTOR: a list of float32.
//!
//! In: IEEE 754, four bytes each, least significant first. Out: `io.debezium.data.FloatVector`.

use super::CodecError;
use super::plan::{Context, Decode, Fallback, Plan};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueError, ValueRef};

#[derive(Clone, Debug)]
struct Vector;

impl Decode for Vector {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let (numbers, rest) = cell.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(ValueError::Invalid { column_type: "VECTOR", reason: "not a multiple of four bytes" });
        }
        let numbers = numbers.iter().map(|number| ValueRef::Float32(f32::from_le_bytes(*number)));
        Ok(ValueRef::Array(arena.alloc_slice_fill_iter(numbers)))
    }
}

/// VECTOR(n), of MySQL 9 and MariaDB 11.7.
pub(super) fn vector(_context: &Context<'_>) -> Result<Plan, CodecError> {
    let schema =
        Schema::new(Kind::Array(Schema::new(Kind::Float32).into())).named("io.debezium.data.FloatVector").version(1);
    Ok(Plan::new(schema, Fallback::EmptyArray, Vector, |_| Err("a vector cannot be read from text")))
}
